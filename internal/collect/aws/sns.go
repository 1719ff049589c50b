package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"assay/internal/estate"
)

func snsService() service {
	return service{name: "sns", reads: []read{
		{
			// A topic has one policy, whatever made it: it is shown as the first of them.
			types:   []string{"AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy"},
			through: []string{"sns.amazonaws.com"},
			actions: []string{"sns:ListTopics", "sns:GetTopicAttributes", tagging},
			list: func(ctx context.Context, s *scope) error {
				client := sns.NewFromConfig(s.cfg)
				var arns []string
				if err := each(ctx, s, "sns:ListTopics", sns.NewListTopicsPaginator(client, &sns.ListTopicsInput{}), func(out *sns.ListTopicsOutput) error {
					for _, t := range out.Topics {
						arns = append(arns, aws.ToString(t.TopicArn))
					}
					return nil
				}); err != nil {
					return err
				}
				return forEach(ctx, s, arns, 1, func(ctx context.Context, arn string) error { return readTopic(ctx, s, client, arn) })
			},
			named: func(ctx context.Context, s *scope, sought []estate.Named) error {
				client := sns.NewFromConfig(s.cfg)
				return forEach(ctx, s, sought, 1, func(ctx context.Context, n estate.Named) error {
					return readTopic(ctx, s, client, s.arnOf("sns", n.Name))
				})
			},
		},
		{
			types:   []string{"AWS::SNS::Subscription"},
			actions: []string{"sns:ListSubscriptions", "sns:GetSubscriptionAttributes"},
			list:    readSubscriptions,
		},
	}}
}

// noTopic are SNS's codes for what does not exist.
var noTopic = []string{"NotFound", "NotFoundException"}

// topicAttributes are those that are properties as they stand.
var topicAttributes = []string{
	"ContentBasedDeduplication", "DisplayName", "FifoThroughputScope", "FifoTopic", "KmsMasterKeyId", "SignatureVersion", "TracingConfig",
}

// feedback are the protocols of which a topic logs the delivery, by the word
// with which their attributes begin.
// source: https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
var feedback = []struct{ lead, protocol string }{
	{"Application", "application"}, {"Firehose", "firehose"}, {"HTTP", "http/s"}, {"Lambda", "lambda"}, {"SQS", "sqs"},
}

func readTopic(ctx context.Context, s *scope, client *sns.Client, arn string) error {
	name := afterLast(arn, ":")
	out, err := do(ctx, s, "sns:GetTopicAttributes", client.GetTopicAttributes, &sns.GetTopicAttributesInput{TopicArn: aws.String(arn)})
	switch {
	case none(err, noTopic...):
		return nil
	case err != nil && over(err):
		return err
	case err != nil:
		s.lost("AWS::SNS::Topic", arn, fields{"TopicName": estate.String(name)}, err)
		s.lost("AWS::SNS::TopicPolicy", arn+"/policy", fields{"Topics": strs([]string{arn})}, err)
		return nil
	}
	const call = "sns:GetTopicAttributes"
	a := out.Attributes
	// Subscriptions are resources of their own.
	set := fields{"TopicName": estate.String(name), "Tags": s.tagsOf(ctx, "sns", arn), "Subscription": nil, "ArchivePolicy": nil, "DeliveryStatusLogging": nil}
	for _, attribute := range topicAttributes {
		set[attribute] = word(a[attribute])
	}
	if text := a["ArchivePolicy"]; text != "" && text != "{}" {
		set["ArchivePolicy"] = document(text)
	}
	var logged []*estate.Value
	for _, f := range feedback {
		success, failure := a[f.lead+"SuccessFeedbackRoleArn"], a[f.lead+"FailureFeedbackRoleArn"]
		if success != "" || failure != "" {
			logged = append(logged, some(fields{
				"Protocol": estate.String(f.protocol), "SuccessFeedbackRoleArn": word(success), "FailureFeedbackRoleArn": word(failure),
				"SuccessFeedbackSampleRate": word(a[f.lead+"SuccessFeedbackSampleRate"]),
			}))
		}
	}
	set["DeliveryStatusLogging"] = listOf(logged)
	s.add(found{typ: "AWS::SNS::Topic", id: arn, name: name, set: set, call: call})
	if text := a["Policy"]; text != "" {
		if policy := document(text); !s.ownersAlone(policy) {
			s.add(found{
				typ: "AWS::SNS::TopicPolicy", id: arn + "/policy", name: "policy of " + name, call: call,
				set: fields{"Topics": strs([]string{arn}), "PolicyDocument": policy},
			})
		}
	}
	return nil
}

// ownersAlone reports whether a policy is the one that SNS gives to a topic when
// nobody gives it one: it lets in whom the owner's own policies let in.
// source: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
func (p *place) ownersAlone(policy *estate.Value) bool {
	statements := list(policy.Field("Statement"))
	if policy.Field("Id").AsString() != "__default_policy_ID" || len(statements) != 1 {
		return false
	}
	conditions := statements[0].Field("Condition").Fields()
	if len(conditions) != 1 || conditions[0].Name != "StringEquals" || len(conditions[0].Value.Fields()) != 1 {
		return false
	}
	key := conditions[0].Value.Fields()[0]
	return (strings.EqualFold(key.Name, "AWS:SourceOwner") || strings.EqualFold(key.Name, "aws:SourceAccount")) && key.Value.AsString() == p.account
}

// readSubscriptions reads all subscriptions by lists, and the attributes of
// those that call functions.
func readSubscriptions(ctx context.Context, s *scope) error {
	client := sns.NewFromConfig(s.cfg)
	const call = "sns:ListSubscriptions"
	var calling []types.Subscription
	if err := each(ctx, s, call, sns.NewListSubscriptionsPaginator(client, &sns.ListSubscriptionsInput{}), func(out *sns.ListSubscriptionsOutput) error {
		for _, b := range out.Subscriptions {
			if aws.ToString(b.Protocol) == "lambda" && strings.HasPrefix(aws.ToString(b.SubscriptionArn), "arn:") {
				calling = append(calling, b)
				continue
			}
			s.add(found{typ: "AWS::SNS::Subscription", id: subscriptionID(b), name: subscriptionName(b), from: b, set: fields{"Region": s.topicRegion(b)}, call: call})
		}
		return nil
	}); err != nil {
		return err
	}
	return forEach(ctx, s, calling, 1, func(ctx context.Context, b types.Subscription) error {
		arn := aws.ToString(b.SubscriptionArn)
		out, err := do(ctx, s, "sns:GetSubscriptionAttributes", client.GetSubscriptionAttributes, &sns.GetSubscriptionAttributesInput{SubscriptionArn: b.SubscriptionArn})
		set := fields{"Region": s.topicRegion(b)}
		switch {
		case none(err, noTopic...):
			return nil
		case err != nil && over(err):
			return err
		case err != nil:
			gap := s.missing(err, arn)
			for _, attribute := range append(subscriptionDocuments, subscriptionWords...) {
				set[attribute] = gap
			}
		default:
			for _, attribute := range subscriptionWords {
				set[attribute] = word(out.Attributes[attribute])
			}
			for _, attribute := range subscriptionDocuments {
				set[attribute] = nil
				if text := out.Attributes[attribute]; text != "" {
					set[attribute] = document(text)
				}
			}
			if out.Attributes["FilterPolicyScope"] == "MessageAttributes" {
				set["FilterPolicyScope"] = nil // where a policy says nothing of it
			}
		}
		s.add(found{typ: "AWS::SNS::Subscription", id: arn, name: subscriptionName(b), from: b, set: set, call: call, leads: true})
		return nil
	})
}

// The attributes of a subscription that are properties, as they stand and as
// JSON documents.
var (
	subscriptionWords     = []string{"FilterPolicyScope", "RawMessageDelivery", "SubscriptionRoleArn"}
	subscriptionDocuments = []string{"DeliveryPolicy", "FilterPolicy", "RedrivePolicy", "ReplayPolicy"}
)

// subscriptionID is the ARN of a subscription, which has none until it is
// confirmed.
func subscriptionID(b types.Subscription) string {
	if arn := aws.ToString(b.SubscriptionArn); strings.HasPrefix(arn, "arn:") {
		return arn
	}
	return strings.Join([]string{aws.ToString(b.TopicArn), aws.ToString(b.Protocol), aws.ToString(b.Endpoint)}, "/")
}

// topicRegion is the region of a subscription's topic where it is another one.
func (p *place) topicRegion(b types.Subscription) *estate.Value {
	if parts := strings.Split(aws.ToString(b.TopicArn), ":"); len(parts) == 6 && parts[3] != p.region {
		return word(parts[3])
	}
	return nil
}

func subscriptionName(b types.Subscription) string {
	return aws.ToString(b.Protocol) + " of " + afterLast(aws.ToString(b.TopicArn), ":")
}
