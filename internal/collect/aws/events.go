package aws

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"assay/internal/estate"
)

// eventsService reads all rules of a region: what an account watches for is in
// their patterns, and what they call in their targets.
func eventsService() service {
	return service{name: "events", reads: []read{
		{
			types:   []string{"AWS::Events::EventBus", "AWS::Events::EventBusPolicy"},
			actions: []string{"events:ListEventBuses", "events:DescribeEventBus", tagging},
			list:    readBuses,
		},
		{
			types:   []string{"AWS::Events::Rule"},
			actions: []string{"events:ListEventBuses", "events:ListRules", "events:ListTargetsByRule", tagging},
			list:    readRules,
		},
	}}
}

func listBuses(ctx context.Context, s *scope, client *eventbridge.Client) (all []types.EventBus, err error) {
	in := &eventbridge.ListEventBusesInput{}
	for {
		out, err := do(ctx, s, "events:ListEventBuses", client.ListEventBuses, in)
		if err != nil {
			return all, err
		}
		s.paged()
		all = append(all, out.EventBuses...)
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return all, nil
		}
	}
}

func readBuses(ctx context.Context, s *scope) error {
	client := eventbridge.NewFromConfig(s.cfg)
	all, err := listBuses(ctx, s, client)
	if err != nil {
		return err
	}
	return forEach(ctx, s, all, 1, func(ctx context.Context, b types.EventBus) error {
		name, arn := aws.ToString(b.Name), aws.ToString(b.Arn)
		out, err := do(ctx, s, "events:DescribeEventBus", client.DescribeEventBus, &eventbridge.DescribeEventBusInput{Name: b.Name})
		// Its statements are resources of their own.
		set := fields{"Policy": nil, "EventSourceName": nil, "Tags": s.tagsOf(ctx, "events:event-bus", arn)}
		switch {
		case none(err, notFound):
			return nil
		case err != nil && over(err):
			return err
		case err != nil:
			gap := s.missing(err, arn)
			set["DeadLetterConfig"], set["KmsKeyIdentifier"], set["LogConfig"] = gap, gap, gap
			s.add(found{typ: "AWS::Events::EventBus", id: arn, name: name, from: b, set: set, call: "events:ListEventBuses"})
		default:
			s.add(found{typ: "AWS::Events::EventBus", id: arn, name: name, from: out, set: set, call: "events:DescribeEventBus"})
		}
		if text := aws.ToString(b.Policy); text != "" {
			s.busPolicies(arn, name, document(text))
		}
		return nil
	})
}

// busPolicies adds the statements of a bus's policy.
func (s *scope) busPolicies(arn, name string, policy *estate.Value) {
	statements := list(policy.Field("Statement"))
	if policy.Kind() != estate.KindMap {
		statements = []*estate.Value{policy} // not understood, and not nothing
	}
	for i, statement := range statements {
		id := orElse(statement.Field("Sid").AsString(), strconv.Itoa(i))
		s.add(found{
			typ: "AWS::Events::EventBusPolicy", id: arn + "/" + id, name: id + " of " + name, call: "events:ListEventBuses",
			set: fields{"EventBusName": estate.String(arn), "StatementId": estate.String(id), "Statement": statement, "Action": nil, "Principal": nil, "Condition": nil},
		})
	}
}

func readRules(ctx context.Context, s *scope) error {
	client := eventbridge.NewFromConfig(s.cfg)
	buses, err := listBuses(ctx, s, client)
	if err != nil {
		return err
	}
	var all []types.Rule
	for _, b := range buses {
		in := &eventbridge.ListRulesInput{EventBusName: b.Name}
		for {
			out, err := do(ctx, s, "events:ListRules", client.ListRules, in)
			if none(err, notFound) {
				break // the bus was deleted since it was listed
			}
			if err != nil {
				return err
			}
			s.paged()
			all = append(all, out.Rules...)
			if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
				break
			}
		}
	}
	return forEach(ctx, s, all, 1, func(ctx context.Context, r types.Rule) error {
		arn := aws.ToString(r.Arn)
		targets, err := listTargets(ctx, s, client, r)
		set := fields{"Tags": s.tagsOf(ctx, "events:rule", arn)}
		switch {
		case none(err, notFound):
			return nil
		case err != nil && over(err):
			return err
		case err != nil:
			set["Targets"] = s.missing(err, arn)
		default:
			set["Targets"] = s.as("AWS::Events::Rule", "Targets", targets, "events:ListTargetsByRule")
		}
		leads := slices.ContainsFunc(targets, func(t types.Target) bool { return isFunction(aws.ToString(t.Arn)) })
		s.add(found{typ: "AWS::Events::Rule", id: arn, name: aws.ToString(r.Name), from: r, set: set, call: "events:ListRules", leads: leads})
		return nil
	})
}

func listTargets(ctx context.Context, s *scope, client *eventbridge.Client, r types.Rule) (all []types.Target, err error) {
	in := &eventbridge.ListTargetsByRuleInput{Rule: r.Name, EventBusName: r.EventBusName}
	for {
		out, err := do(ctx, s, "events:ListTargetsByRule", client.ListTargetsByRule, in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.Targets...)
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return all, nil
		}
	}
}
