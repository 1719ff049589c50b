package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"assay/internal/estate"
)

func sqsService() service {
	return service{name: "sqs", reads: []read{{
		// A queue has one policy, whatever made it: it is shown as the first of them.
		types:   []string{"AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"},
		actions: []string{"sqs:ListQueues", "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ListDeadLetterSourceQueues", tagging},
		list: func(ctx context.Context, s *scope) error {
			client := sqs.NewFromConfig(s.cfg)
			var urls []string
			pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{MaxResults: aws.Int32(1000)}) // without a limit there are no pages
			if err := each(ctx, s, "sqs:ListQueues", pages, func(out *sqs.ListQueuesOutput) error {
				urls = append(urls, out.QueueUrls...)
				return nil
			}); err != nil {
				return err
			}
			return forEach(ctx, s, urls, 1, func(ctx context.Context, url string) error {
				return readQueue(ctx, s, client, url, afterLast(url, "/"))
			})
		},
		named: func(ctx context.Context, s *scope, sought []estate.Named) error {
			client := sqs.NewFromConfig(s.cfg)
			return forEach(ctx, s, sought, 3, func(ctx context.Context, n estate.Named) error {
				out, err := do(ctx, s, "sqs:GetQueueUrl", client.GetQueueUrl, &sqs.GetQueueUrlInput{QueueName: aws.String(n.Name), QueueOwnerAWSAccountId: aws.String(s.account)})
				switch {
				case none(err, noQueue...):
					return nil
				case err != nil && over(err):
					return err
				case err != nil:
					s.lostQueue(n.Name, err)
					return nil
				}
				if err := readQueue(ctx, s, client, aws.ToString(out.QueueUrl), n.Name); err != nil {
					return err
				}
				return s.redriveSources(ctx, client, out.QueueUrl, n.Name)
			})
		},
	}}}
}

// noQueue are SQS's codes for what does not exist: that of the query protocol,
// which the service still sends, and that of the shape.
var noQueue = []string{"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}

// queueAttributes are those that are properties as they stand.
var queueAttributes = []string{
	"ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit", "KmsDataKeyReusePeriodSeconds",
	"KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout",
}

func readQueue(ctx context.Context, s *scope, client *sqs.Client, url, name string) error {
	arn := s.arnOf("sqs", name)
	out, err := do(ctx, s, "sqs:GetQueueAttributes", client.GetQueueAttributes, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	switch {
	case none(err, noQueue...):
		return nil
	case err != nil && over(err):
		return err
	case err != nil:
		s.lostQueue(name, err)
		return nil
	}
	const call = "sqs:GetQueueAttributes"
	a := out.Attributes
	set := fields{"QueueName": estate.String(name), "Tags": s.tagsOf(ctx, "sqs", arn), "RedrivePolicy": nil, "RedriveAllowPolicy": nil}
	for _, attribute := range queueAttributes {
		set[attribute] = word(a[attribute])
	}
	for _, attribute := range []string{"RedrivePolicy", "RedriveAllowPolicy"} {
		if text := a[attribute]; text != "" {
			set[attribute] = document(text)
		}
	}
	switch managed := a["SqsManagedSseEnabled"]; {
	case managed == "true":
		set["SqsManagedSseEnabled"] = estate.Bool(true)
	case a["KmsMasterKeyId"] != "":
		set["SqsManagedSseEnabled"] = nil // a key of KMS takes its place
	case managed == "false":
		set["SqsManagedSseEnabled"] = estate.Bool(false)
	}
	s.add(found{typ: "AWS::SQS::Queue", id: arn, name: name, set: set, call: call})
	if text := a["Policy"]; text != "" {
		s.add(found{
			typ: "AWS::SQS::QueuePolicy", id: arn + "/policy", name: "policy of " + name, call: call,
			set: fields{"Queues": strs([]string{arn}), "PolicyDocument": document(text)},
		})
	}
	return nil
}

func (s *scope) lostQueue(name string, err error) {
	arn := s.arnOf("sqs", name)
	s.lost("AWS::SQS::Queue", arn, fields{"QueueName": estate.String(name)}, err)
	s.lost("AWS::SQS::QueuePolicy", arn+"/policy", fields{"Queues": strs([]string{arn})}, err)
}

// redriveSources asks for the queues that send a queue what they fail on.
func (s *scope) redriveSources(ctx context.Context, client *sqs.Client, url *string, name string) error {
	pages := sqs.NewListDeadLetterSourceQueuesPaginator(client, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: url, MaxResults: aws.Int32(1000)})
	err := each(ctx, s, "sqs:ListDeadLetterSourceQueues", pages, func(out *sqs.ListDeadLetterSourceQueuesOutput) error {
		for _, source := range out.QueueUrls {
			s.wantARN(s.arnOf("sqs", afterLast(source, "/")))
		}
		return nil
	})
	switch {
	case err == nil, none(err, noQueue...):
		return nil
	case over(err):
		return err
	}
	arn := s.arnOf("sqs", name)
	s.lost("AWS::SQS::Queue", arn+"/source", fields{"RedrivePolicy": some(fields{"deadLetterTargetArn": estate.String(arn)})}, err)
	return nil
}
