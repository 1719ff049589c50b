package aws

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

var eventTypes = []string{"AWS::Events::EventBus", "AWS::Events::EventBusPolicy", "AWS::Events::Rule"}

// serveEvents is two buses, one of them open to another account, with rules of
// which one calls a function.
func serveEvents(f *fake) {
	bus := func(name, policy string) types.EventBus {
		b := types.EventBus{Name: aws.String(name), Arn: aws.String(arnIn("events", "event-bus/"+name))}
		if policy != "" {
			b.Policy = aws.String(policy)
		}
		return b
	}
	on(f, func(in *eventbridge.ListEventBusesInput) (*eventbridge.ListEventBusesOutput, error) {
		out := &eventbridge.ListEventBusesOutput{}
		out.EventBuses, out.NextToken = page([]types.EventBus{
			bus("default", ""), bus("orders", `{"Statement":[{"Sid":"other","Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"events:PutEvents","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"events:*","Resource":"*"}]}`),
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *eventbridge.DescribeEventBusInput) (*eventbridge.DescribeEventBusOutput, error) {
		out := &eventbridge.DescribeEventBusOutput{Name: in.Name, Arn: aws.String(arnIn("events", "event-bus/"+*in.Name))}
		if *in.Name == "orders" {
			out.KmsKeyIdentifier = aws.String(keyARN("own"))
			out.LogConfig = &types.LogConfig{Level: types.LevelError, IncludeDetail: types.IncludeDetailNone}
			out.DeadLetterConfig = &types.DeadLetterConfig{Arn: aws.String(arnIn("sqs", "dead"))}
		}
		return out, nil
	})
	on(f, func(in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
		rule := func(name string) types.Rule {
			return types.Rule{Name: aws.String(name), Arn: aws.String(arnIn("events", "rule/"+name)), EventBusName: in.EventBusName, State: types.RuleStateEnabled}
		}
		out := &eventbridge.ListRulesOutput{}
		if *in.EventBusName == "default" {
			nightly := rule("nightly")
			nightly.ScheduleExpression = aws.String("rate(1 day)")
			out.Rules, out.NextToken = page([]types.Rule{nightly, rule("gone")}, in.NextToken, 1)
			return out, nil
		}
		made := rule("orders/made")
		made.Name, made.EventPattern, made.State = aws.String("made"), aws.String(`{"source":["shop"]}`), types.RuleStateDisabled
		out.Rules = []types.Rule{made}
		return out, nil
	})
	on(f, func(in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
		out := &eventbridge.ListTargetsByRuleOutput{}
		switch *in.Rule {
		case "nightly":
			out.Targets, out.NextToken = page([]types.Target{
				{Id: aws.String("f"), Arn: aws.String(arnIn("lambda", "function:f:live")), DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(arnIn("sqs", "mute"))}, RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(2)}},
				{Id: aws.String("q"), Arn: aws.String(arnIn("sqs", "work.fifo")), SqsParameters: &types.SqsParameters{MessageGroupId: aws.String("g")}},
			}, in.NextToken, 1)
		case "gone":
			return nil, refuse(notFound, "gone")
		}
		return out, nil
	})
}

func TestEvents(t *testing.T) {
	golden(t, "events", show(t, eachDenied(t, "events", func(f *fake) {
		serveEvents(f)
		targets := f.handlers[reflect.TypeFor[*eventbridge.ListTargetsByRuleInput]()]
		f.handlers[reflect.TypeFor[*eventbridge.ListTargetsByRuleInput]()] = func(c *call) (any, error) {
			if *c.in.(*eventbridge.ListTargetsByRuleInput).Rule == "gone" { // as far as is known when its targets are denied, it is there
				return &eventbridge.ListTargetsByRuleOutput{}, nil
			}
			return targets(c)
		}
	}, only(eventTypes...)), eventTypes...))
}

// TestLeadingRules follows the rules that call functions to their queues, and
// leaves out a rule that is deleted after it was listed.
func TestLeadingRules(t *testing.T) {
	f := newFake(t).empty()
	serveEvents(f)
	serveQueues(f)
	got := f.open(only("AWS::Events::Rule", "AWS::SQS::Queue")).Collect(context.Background())
	sameText(t, addresses(got, "AWS::Events::"), "nightly\nmade")
	sameText(t, addresses(got, "AWS::SQS::Queue"), "dead\nmute\nold\nwork.fifo\npolicy of work.fifo")
}

// serveSchedules is one schedule that calls a function and two others.
func serveSchedules(f *fake) {
	on(f, func(in *scheduler.ListSchedulesInput) (*scheduler.ListSchedulesOutput, error) {
		one := func(name, target string) schedulertypes.ScheduleSummary {
			return schedulertypes.ScheduleSummary{Name: aws.String(name), GroupName: aws.String("default"), Arn: aws.String(arnIn("scheduler", "schedule/default/"+name)), State: schedulertypes.ScheduleStateEnabled, Target: &schedulertypes.TargetSummary{Arn: aws.String(target)}}
		}
		out := &scheduler.ListSchedulesOutput{}
		out.Schedules, out.NextToken = page([]schedulertypes.ScheduleSummary{
			one("calls", arnIn("lambda", "function:f")), one("queues", arnIn("sqs", "work.fifo")), one("universal", "arn:aws:scheduler:::aws-sdk:sqs:purgeQueue"),
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *scheduler.GetScheduleInput) (*scheduler.GetScheduleOutput, error) {
		return &scheduler.GetScheduleOutput{
			Name: in.Name, GroupName: in.GroupName, Arn: aws.String(arnIn("scheduler", "schedule/default/"+*in.Name)), State: schedulertypes.ScheduleStateEnabled,
			ScheduleExpression: aws.String("rate(1 hour)"), KmsKeyArn: aws.String(keyARN("own")), EndDate: aws.Time(time.Unix(1800000000, 0).UTC()),
			FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
			Target:             &schedulertypes.Target{Arn: aws.String(arnIn("lambda", "function:f")), RoleArn: aws.String("arn:aws:iam::111122223333:role/r"), DeadLetterConfig: &schedulertypes.DeadLetterConfig{Arn: aws.String(arnIn("sqs", "dead"))}},
		}, nil
	})
}

func TestSchedules(t *testing.T) {
	const typ = "AWS::Scheduler::Schedule"
	golden(t, "scheduler", show(t, eachDenied(t, "scheduler", serveSchedules, only(typ)), typ))
	sameText(t, shortly(t, func(f *fake) {
		serveSchedules(f)
		on(f, func(*scheduler.ListSchedulesInput) (*scheduler.ListSchedulesOutput, error) {
			return &scheduler.ListSchedulesOutput{Schedules: []schedulertypes.ScheduleSummary{{Name: aws.String("gone"), Arn: aws.String("arn"), Target: &schedulertypes.TargetSummary{Arn: aws.String(arnIn("lambda", "function:f"))}}}}, nil
		})
		on(f, func(*scheduler.GetScheduleInput) (*scheduler.GetScheduleOutput, error) {
			return nil, refuse(notFound, "gone")
		})
	}, []string{typ}, only(typ)), "")
}

// servePipes is a pipe that calls functions, and one that does not.
func servePipes(f *fake) {
	on(f, func(in *pipes.ListPipesInput) (*pipes.ListPipesOutput, error) {
		one := func(name, target, enrichment string) pipestypes.Pipe {
			p := pipestypes.Pipe{Name: aws.String(name), Arn: aws.String(arnIn("pipes", "pipe/"+name)), Source: aws.String(arnIn("sqs", "dead")), Target: aws.String(target), DesiredState: pipestypes.RequestedPipeStateRunning}
			if enrichment != "" {
				p.Enrichment = aws.String(enrichment)
			}
			return p
		}
		out := &pipes.ListPipesOutput{}
		out.Pipes, out.NextToken = page([]pipestypes.Pipe{
			one("calls", arnIn("sqs", "work.fifo"), arnIn("lambda", "function:f")), one("moves", arnIn("sqs", "work.fifo"), ""), one("ends", arnIn("lambda", "function:f:live"), ""),
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *pipes.DescribePipeInput) (*pipes.DescribePipeOutput, error) {
		out := &pipes.DescribePipeOutput{
			Name: in.Name, Arn: aws.String(arnIn("pipes", "pipe/"+*in.Name)), Source: aws.String(arnIn("sqs", "dead")), Target: aws.String(arnIn("sqs", "work.fifo")), Enrichment: aws.String(arnIn("lambda", "function:f")),
			DesiredState: pipestypes.RequestedPipeStateDescribeResponseRunning, RoleArn: aws.String("arn:aws:iam::111122223333:role/r"), Tags: map[string]string{"team": "a"},
			SourceParameters: &pipestypes.PipeSourceParameters{SqsQueueParameters: &pipestypes.PipeSourceSqsQueueParameters{BatchSize: aws.Int32(5)}},
		}
		if *in.Name == "ends" {
			out.Target, out.Enrichment = aws.String(arnIn("lambda", "function:f:live")), nil
		}
		return out, nil
	})
}

func TestPipes(t *testing.T) {
	const typ = "AWS::Pipes::Pipe"
	golden(t, "pipes", show(t, eachDenied(t, "pipes", servePipes, only(typ)), typ))
	sameText(t, shortly(t, func(f *fake) {
		always(f, &pipes.ListPipesOutput{Pipes: []pipestypes.Pipe{{Name: aws.String("gone"), Arn: aws.String("arn"), Target: aws.String(arnIn("lambda", "function:f"))}}}, &pipes.ListPipesInput{})
		on(f, func(*pipes.DescribePipeInput) (*pipes.DescribePipeOutput, error) {
			return nil, refuse("NotFoundException", "gone")
		})
	}, []string{typ}, only(typ)), "")
}
