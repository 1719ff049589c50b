package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/mq"

	"assay/internal/estate"
)

func mqService() service {
	return service{name: "mq", reads: []read{{
		types:   []string{"AWS::AmazonMQ::Broker"},
		actions: []string{"mq:ListBrokers", "mq:DescribeBroker", listingAliases},
		list: func(ctx context.Context, s *scope) error {
			client := mq.NewFromConfig(s.cfg)
			var arns []string
			if err := each(ctx, s, "mq:ListBrokers", mq.NewListBrokersPaginator(client, &mq.ListBrokersInput{}), func(out *mq.ListBrokersOutput) error {
				for _, b := range out.BrokerSummaries {
					arns = append(arns, aws.ToString(b.BrokerArn))
				}
				return nil
			}); err != nil {
				return err
			}
			return forEach(ctx, s, arns, 1, func(ctx context.Context, arn string) error { return readBroker(ctx, s, client, arn) })
		},
		named: func(ctx context.Context, s *scope, sought []estate.Named) error {
			client := mq.NewFromConfig(s.cfg)
			return forEach(ctx, s, sought, 1, func(ctx context.Context, n estate.Named) error {
				return readBroker(ctx, s, client, s.arnOf("mq", "broker:"+n.Name))
			})
		},
	}}}
}

func readBroker(ctx context.Context, s *scope, client *mq.Client, arn string) error {
	out, err := do(ctx, s, "mq:DescribeBroker", client.DescribeBroker, &mq.DescribeBrokerInput{BrokerId: aws.String(afterLast(arn, ":"))})
	switch {
	case none(err, "NotFoundException"):
		return nil
	case err != nil && over(err):
		return err
	case err != nil:
		s.lost("AWS::AmazonMQ::Broker", arn, nil, err)
		return nil
	}
	set := fields{"Configuration": nil, "EncryptionOptions": nil, "ResourceShareArns": nil}
	if c := out.Configurations; c != nil && c.Current != nil {
		set["Configuration"] = some(fields{"Id": str(c.Current.Id), "Revision": number(c.Current.Revision)})
	}
	if e := out.EncryptionOptions; e != nil {
		set["EncryptionOptions"] = some(fields{"UseAwsOwnedKey": flag(e.UseAwsOwnedKey), "KmsKeyId": s.keyOf(ctx, e.KmsKeyId, arn)})
	}
	s.add(found{typ: "AWS::AmazonMQ::Broker", id: arn, name: aws.ToString(out.BrokerName), from: out, set: set, call: "mq:DescribeBroker"})
	return nil
}
