package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"assay/internal/estate"
)

func kinesisService() service {
	return service{name: "kinesis", reads: []read{{
		types: []string{"AWS::Kinesis::Stream", "AWS::Kinesis::ResourcePolicy", "AWS::Kinesis::StreamConsumer"},
		actions: []string{
			"kinesis:ListStreams", "kinesis:DescribeStreamSummary", "kinesis:GetResourcePolicy", "kinesis:ListStreamConsumers", listingAliases, tagging,
		},
		list: func(ctx context.Context, s *scope) error {
			client := kinesis.NewFromConfig(s.cfg)
			var names []string
			if err := each(ctx, s, "kinesis:ListStreams", kinesis.NewListStreamsPaginator(client, &kinesis.ListStreamsInput{}), func(out *kinesis.ListStreamsOutput) error {
				names = append(names, out.StreamNames...)
				return nil
			}); err != nil {
				return err
			}
			return forEach(ctx, s, names, 2, func(ctx context.Context, name string) error { return readStream(ctx, s, client, name) })
		},
		named: func(ctx context.Context, s *scope, sought []estate.Named) error {
			client := kinesis.NewFromConfig(s.cfg)
			return forEach(ctx, s, sought, 2, func(ctx context.Context, n estate.Named) error { return readStream(ctx, s, client, n.Name) })
		},
	}}}
}

func readStream(ctx context.Context, s *scope, client *kinesis.Client, name string) error {
	arn := s.arnOf("kinesis", "stream/"+name)
	out, err := do(ctx, s, "kinesis:DescribeStreamSummary", client.DescribeStreamSummary, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(name)})
	switch {
	case none(err, notFound):
		return nil
	case err != nil && over(err):
		return err
	case err != nil:
		s.lost("AWS::Kinesis::Stream", arn, fields{"Name": estate.String(name)}, err)
		s.lost("AWS::Kinesis::ResourcePolicy", arn+"/policy", fields{"ResourceArn": estate.String(arn)}, err)
		s.lost("AWS::Kinesis::StreamConsumer", arn+"/consumer", fields{"StreamARN": estate.String(arn)}, err)
		return nil
	}
	d := orZero(out.StreamDescriptionSummary)
	set := fields{"Name": estate.String(name), "StreamEncryption": nil, "ShardCount": nil, "DesiredShardLevelMetrics": nil, "WarmThroughputMiBps": nil, "Tags": s.tagsOf(ctx, "kinesis:stream", arn)}
	if d.EncryptionType == types.EncryptionTypeKms {
		set["StreamEncryption"] = some(fields{"EncryptionType": estate.String("KMS"), "KeyId": s.keyOf(ctx, d.KeyId, arn)})
	}
	if m := d.StreamModeDetails; m == nil || m.StreamMode == types.StreamModeProvisioned {
		// As a template gives it that states the shards and no mode.
		set["ShardCount"], set["StreamModeDetails"] = number(d.OpenShardCount), nil
	}
	if w := d.WarmThroughput; w != nil {
		set["WarmThroughputMiBps"] = number(w.TargetMiBps)
	}
	for _, m := range d.EnhancedMonitoring {
		var names []string
		for _, metric := range m.ShardLevelMetrics {
			names = append(names, string(metric))
		}
		set["DesiredShardLevelMetrics"] = strs(names)
	}
	s.add(found{typ: "AWS::Kinesis::Stream", id: arn, name: name, from: d, set: set, call: "kinesis:DescribeStreamSummary"})
	if err := readStreamPolicy(ctx, s, client, name, arn); err != nil {
		return err
	}
	if d.ConsumerCount != nil && *d.ConsumerCount == 0 {
		return nil
	}
	pages := kinesis.NewListStreamConsumersPaginator(client, &kinesis.ListStreamConsumersInput{StreamARN: aws.String(arn)})
	err = each(ctx, s, "kinesis:ListStreamConsumers", pages, func(out *kinesis.ListStreamConsumersOutput) error {
		for _, c := range out.Consumers {
			s.add(found{
				typ: "AWS::Kinesis::StreamConsumer", id: aws.ToString(c.ConsumerARN), name: aws.ToString(c.ConsumerName) + " of " + name, from: c,
				set: fields{"StreamARN": estate.String(arn)}, call: "kinesis:ListStreamConsumers",
			})
		}
		return nil
	})
	if err != nil && !none(err, notFound) {
		s.lost("AWS::Kinesis::StreamConsumer", arn+"/consumer", fields{"StreamARN": estate.String(arn)}, err)
	}
	return nil
}

func readStreamPolicy(ctx context.Context, s *scope, client *kinesis.Client, name, arn string) error {
	out, err := do(ctx, s, "kinesis:GetResourcePolicy", client.GetResourcePolicy, &kinesis.GetResourcePolicyInput{ResourceARN: aws.String(arn)})
	switch {
	case none(err, notFound):
	case err != nil && over(err):
		return err
	case err != nil:
		s.lost("AWS::Kinesis::ResourcePolicy", arn+"/policy", fields{"ResourceArn": estate.String(arn)}, err)
	default:
		// A stream without a policy answers an empty one.
		if text := aws.ToString(out.Policy); text != "" && text != "{}" {
			s.add(found{
				typ: "AWS::Kinesis::ResourcePolicy", id: arn + "/policy", name: "policy of " + name, call: "kinesis:GetResourcePolicy",
				set: fields{"ResourceArn": estate.String(arn), "ResourcePolicy": document(text)},
			})
		}
	}
	return nil
}
