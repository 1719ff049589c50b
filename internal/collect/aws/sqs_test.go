package aws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

var queueTypes = []string{"AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"}

const queueURL = "https://sqs.eu-central-1.amazonaws.com/111122223333/"

func arnIn(service, resource string) string {
	return "arn:aws:" + service + ":" + testRegion + ":" + testAccount + ":" + resource
}

// serveQueues is a queue with everything, one that nobody set anything of, one
// that nobody encrypts, and one that is gone when it is asked about.
func serveQueues(f *fake) {
	queues := map[string]map[string]string{
		"work.fifo": {
			"VisibilityTimeout": "30", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0",
			"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue",
			"KmsMasterKeyId": "alias/ours", "KmsDataKeyReusePeriodSeconds": "300", "SqsManagedSseEnabled": "false",
			"RedrivePolicy":      `{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:111122223333:dead","maxReceiveCount":5}`,
			"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`, "Policy": `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}`,
		},
		"dead": {"SqsManagedSseEnabled": "true", "MessageRetentionPeriod": "1209600"},
		"old":  {"SqsManagedSseEnabled": "false"},
		"mute": {},
	}
	of := func(url *string) (map[string]string, error) {
		if q, ok := queues[strings.TrimPrefix(*url, queueURL)]; ok {
			return q, nil
		}
		return nil, refuse(noQueue[0], "gone")
	}
	on(f, func(in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
		out := &sqs.ListQueuesOutput{}
		out.QueueUrls, out.NextToken = page([]string{queueURL + "dead", queueURL + "gone", queueURL + "mute", queueURL + "old", queueURL + "work.fifo"}, in.NextToken, 2)
		return out, nil
	})
	on(f, func(in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
		url := aws.String(queueURL + *in.QueueName)
		if _, err := of(url); err != nil {
			return nil, refuse(noQueue[1], "none")
		}
		return &sqs.GetQueueUrlOutput{QueueUrl: url}, nil
	})
	on(f, func(in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
		q, err := of(in.QueueUrl)
		if err != nil {
			return nil, err
		}
		return &sqs.GetQueueAttributesOutput{Attributes: q}, nil
	})
	on(f, func(in *sqs.ListDeadLetterSourceQueuesInput) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
		out := &sqs.ListDeadLetterSourceQueuesOutput{}
		if *in.QueueUrl == queueURL+"dead" {
			out.QueueUrls, out.NextToken = page([]string{queueURL + "work.fifo", queueURL + "old"}, in.NextToken, 1)
		}
		return out, nil
	})
}

func TestQueues(t *testing.T) {
	golden(t, "sqs", show(t, eachDeniedBut(t, "sqs", []string{"sqs:GetQueueUrl", "sqs:ListDeadLetterSourceQueues"}, serveQueues, only(queueTypes...), everything), queueTypes...))
}

// TestNamedQueues follows a function to the queue for what it fails on, and that
// queue to those that share it.
func TestNamedQueues(t *testing.T) {
	named := func(f *fake) {
		serveQueues(f)
		withFunctions(f,
			lambdatypes.FunctionConfiguration{FunctionName: aws.String("a"), DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String(arnIn("sqs", "dead"))}},
			lambdatypes.FunctionConfiguration{FunctionName: aws.String("b"), DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String(arnIn("sqs", "gone"))}},
		)
	}
	needed := only(append(queueTypes, "AWS::Lambda::Function")...)
	got := eachDeniedBut(t, "sqs", []string{"sqs:ListQueues", "sqs:ListDeadLetterSourceQueues"}, named, needed)
	sameText(t, addresses(got, "AWS::SQS::"), "dead\nold\nwork.fifo\npolicy of work.fifo")
}

// TestUnknownSources says that some queue may send a queue what it fails on.
func TestUnknownSources(t *testing.T) {
	got := shortly(t, func(f *fake) {
		serveQueues(f)
		withFunctions(f, lambdatypes.FunctionConfiguration{FunctionName: aws.String("a"), DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String(arnIn("sqs", "mute"))}})
		f.fault(denied("sqs:ListDeadLetterSourceQueues"))
	}, []string{"AWS::SQS::Queue"}, only("AWS::SQS::Queue", "AWS::Lambda::Function"))
	for _, want := range []string{
		`of arn:aws:sqs:eu-central-1:111122223333:mute/source exists? {"$denied":{"reason":"not allowed"`,
		`RedrivePolicy: {"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:111122223333:mute"}`,
		"grant sqs:ListDeadLetterSourceQueues",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}
