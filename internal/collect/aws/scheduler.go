package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

func schedulerService() service {
	return service{name: "scheduler", reads: []read{{
		types:   []string{"AWS::Scheduler::Schedule"},
		actions: []string{"scheduler:ListSchedules", "scheduler:GetSchedule"},
		list:    readSchedules,
	}}}
}

// readSchedules reads all schedules by lists, which say what each calls, and the
// rest of those that call functions.
func readSchedules(ctx context.Context, s *scope) error {
	client := scheduler.NewFromConfig(s.cfg)
	const typ, call = "AWS::Scheduler::Schedule", "scheduler:ListSchedules"
	var calling []types.ScheduleSummary
	if err := each(ctx, s, call, scheduler.NewListSchedulesPaginator(client, &scheduler.ListSchedulesInput{}), func(out *scheduler.ListSchedulesOutput) error {
		for _, one := range out.Schedules {
			if one.Target != nil && isFunction(aws.ToString(one.Target.Arn)) {
				calling = append(calling, one)
				continue
			}
			s.add(found{typ: typ, id: aws.ToString(one.Arn), name: aws.ToString(one.Name), from: one, call: call})
		}
		return nil
	}); err != nil {
		return err
	}
	return forEach(ctx, s, calling, 1, func(ctx context.Context, one types.ScheduleSummary) error {
		arn := aws.ToString(one.Arn)
		out, err := do(ctx, s, "scheduler:GetSchedule", client.GetSchedule, &scheduler.GetScheduleInput{Name: one.Name, GroupName: one.GroupName})
		f := found{typ: typ, id: arn, name: aws.ToString(one.Name), from: out, call: "scheduler:GetSchedule", leads: true}
		switch {
		case none(err, notFound):
			return nil
		case err != nil && over(err):
			return err
		case err != nil:
			gap := s.missing(err, arn)
			f.from, f.call = one, call
			f.set = s.gaps(typ, one, gap)
			f.set["Target"] = s.as(typ, "Target", one.Target, call)
			for _, property := range []string{"DeadLetterConfig", "RoleArn", "RetryPolicy", "Input"} {
				f.set["Target"] = f.set["Target"].With(property, gap)
			}
		}
		s.add(f)
		return nil
	})
}
