package aws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

var topicTypes = []string{"AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy", "AWS::SNS::Subscription"}

// serveTopics is a topic with everything, one with the policy that SNS makes,
// and one that is gone when it is asked about.
func serveTopics(f *fake) {
	topics := map[string]map[string]string{
		arnIn("sns", "full"): {
			"DisplayName": "orders", "KmsMasterKeyId": "alias/aws/sns", "SignatureVersion": "2", "TracingConfig": "Active", "ArchivePolicy": "{}",
			"LambdaFailureFeedbackRoleArn": "arn:aws:iam::111122223333:role/feedback", "LambdaSuccessFeedbackSampleRate": "10", "HTTPSuccessFeedbackRoleArn": "arn:aws:iam::111122223333:role/feedback",
			"Policy": `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sns:Publish","Resource":"*"}]}`,
		},
		arnIn("sns", "plain.fifo"): {
			"FifoTopic": "true", "ContentBasedDeduplication": "true", "FifoThroughputScope": "MessageGroup", "ArchivePolicy": `{"MessageRetentionPeriod":"30"}`,
			"Policy": `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:Publish"],"Resource":"*","Condition":{"StringEquals":{"AWS:SourceOwner":"111122223333"}}}]}`,
		},
	}
	on(f, func(in *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
		out := &sns.ListTopicsOutput{}
		out.Topics, out.NextToken = page([]types.Topic{{TopicArn: aws.String(arnIn("sns", "full"))}, {TopicArn: aws.String(arnIn("sns", "gone"))}, {TopicArn: aws.String(arnIn("sns", "plain.fifo"))}}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
		a, ok := topics[*in.TopicArn]
		if !ok {
			return nil, refuse("NotFound", "gone")
		}
		return &sns.GetTopicAttributesOutput{Attributes: a}, nil
	})
	subscription := func(arn, topic, protocol, endpoint string) types.Subscription {
		return types.Subscription{SubscriptionArn: aws.String(arn), TopicArn: aws.String(topic), Protocol: aws.String(protocol), Endpoint: aws.String(endpoint), Owner: aws.String(testAccount)}
	}
	on(f, func(in *sns.ListSubscriptionsInput) (*sns.ListSubscriptionsOutput, error) {
		out := &sns.ListSubscriptionsOutput{}
		out.Subscriptions, out.NextToken = page([]types.Subscription{
			subscription(arnIn("sns", "full:1"), arnIn("sns", "full"), "lambda", arnIn("lambda", "function:f")),
			subscription(arnIn("sns", "full:2"), arnIn("sns", "full"), "http", "http://example.com"),
			subscription("PendingConfirmation", arnIn("sns", "full"), "https", "https://example.com"),
			subscription("arn:aws:sns:us-east-1:999999999999:theirs:3", "arn:aws:sns:us-east-1:999999999999:theirs", "lambda", arnIn("lambda", "function:f")),
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
		if *in.SubscriptionArn == arnIn("sns", "full:1") {
			return &sns.GetSubscriptionAttributesOutput{Attributes: map[string]string{
				"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": `{"kind":["order"]}`, "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:111122223333:dead"}`,
			}}, nil
		}
		return &sns.GetSubscriptionAttributesOutput{Attributes: map[string]string{"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}}, nil
	})
}

func TestTopics(t *testing.T) {
	golden(t, "sns", show(t, eachDenied(t, "sns", serveTopics, only(topicTypes...), everything), topicTypes...))
}

// TestNamedTopics reads the topics that subscriptions of functions and functions
// name, and the queue that a subscription sends to what it cannot deliver.
func TestNamedTopics(t *testing.T) {
	sameText(t, shortly(t, func(f *fake) {
		serveTopics(f)
		serveQueues(f)
		withFunctions(f, lambdatypes.FunctionConfiguration{FunctionName: aws.String("a"), DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String(arnIn("sns", "gone"))}})
		on(f, func(*sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
			return &sns.GetSubscriptionAttributesOutput{Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:111122223333:mute"}`}}, nil
		})
	}, []string{"AWS::SNS::TopicPolicy", "AWS::SQS::Queue"}, only("AWS::Lambda::Function", "AWS::SNS::Topic", "AWS::SNS::Subscription", "AWS::SQS::Queue")), `
# 111122223333/eu-central-1
AWS::SNS::TopicPolicy arn:aws:sns:eu-central-1:111122223333:full/policy
    PolicyDocument: {"Statement":[{"Action":"sns:Publish","Effect":"Allow","Principal":{"AWS":"*"},"Resource":"*"}]}
    Topics: ["arn:aws:sns:eu-central-1:111122223333:full"]
AWS::SQS::Queue arn:aws:sqs:eu-central-1:111122223333:mute
    QueueName: "mute"
`)
}

// TestGoneSubscriptions leaves out what is deleted after it was listed.
func TestGoneSubscriptions(t *testing.T) {
	sameText(t, shortly(t, func(f *fake) {
		serveTopics(f)
		on(f, func(*sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
			return nil, refuse("NotFound", "gone")
		})
	}, []string{"AWS::SNS::Subscription"}, only("AWS::SNS::Subscription")), `
# 111122223333/eu-central-1
AWS::SNS::Subscription arn:aws:sns:eu-central-1:111122223333:full/https/https://example.com
    Endpoint: "https://example.com"
    Protocol: "https"
    TopicArn: "arn:aws:sns:eu-central-1:111122223333:full"
AWS::SNS::Subscription arn:aws:sns:eu-central-1:111122223333:full:2
    Endpoint: "http://example.com"
    Protocol: "http"
    TopicArn: "arn:aws:sns:eu-central-1:111122223333:full"
`)
}
