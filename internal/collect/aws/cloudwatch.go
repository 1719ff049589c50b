package aws

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"assay/internal/estate"
)

func cloudwatchService() service {
	return service{name: "cloudwatch", reads: []read{
		{
			types:   []string{"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "Assay::CloudWatch::AlarmState"},
			actions: []string{"cloudwatch:DescribeAlarms", tagging},
			list:    readAlarms,
		},
		{
			// Functions are named to it as they are read.
			types:   []string{functionMetrics},
			actions: []string{"cloudwatch:GetMetricData"},
			named:   readMetrics,
		},
	}}
}

func readAlarms(ctx context.Context, s *scope) error {
	client := cloudwatch.NewFromConfig(s.cfg)
	// Without the kinds the answer has metric alarms only.
	in := &cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}}
	const call = "cloudwatch:DescribeAlarms"
	return each(ctx, s, call, cloudwatch.NewDescribeAlarmsPaginator(client, in), func(out *cloudwatch.DescribeAlarmsOutput) error {
		for _, a := range out.MetricAlarms {
			arn, name := aws.ToString(a.AlarmArn), aws.ToString(a.AlarmName)
			set := fields{"Tags": s.tagsOf(ctx, "cloudwatch:alarm", arn)}
			if aws.ToString(a.TreatMissingData) == "missing" {
				set["TreatMissingData"] = nil // as when nothing is said of it
			}
			s.add(found{typ: "AWS::CloudWatch::Alarm", id: arn, name: name, from: a, set: set, call: call})
			s.add(found{typ: "Assay::CloudWatch::AlarmState", id: arn, name: name, from: a, call: call})
		}
		for _, a := range out.CompositeAlarms {
			arn := aws.ToString(a.AlarmArn)
			s.add(found{
				typ: "AWS::CloudWatch::CompositeAlarm", id: arn, name: aws.ToString(a.AlarmName), from: a, call: call,
				set: fields{"Tags": s.tagsOf(ctx, "cloudwatch:alarm", arn)},
			})
		}
		return nil
	})
}

const functionMetrics = "Assay::Lambda::FunctionMetrics"

const (
	// metricDays is how far back calls are counted: the longest time after which
	// a function is called dormant, and some.
	metricDays = 120
	// metricQueries is how many metrics one request may ask for.
	// source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
	metricQueries = 500
	day           = 24 * time.Hour
)

// readMetrics counts the calls of functions, by days. AWS charges for each
// metric that is asked for: other counts, which no check needs, are not.
func readMetrics(ctx context.Context, s *scope, sought []estate.Named) error {
	client := cloudwatch.NewFromConfig(s.cfg)
	today := s.run.options.Now().UTC().Truncate(day)
	for len(sought) > 0 {
		batch := sought[:min(metricQueries, len(sought))]
		sought = sought[len(batch):]
		if err := readCalls(ctx, s, client, batch, today.Add(-(metricDays-1)*day), today.Add(day)); err != nil {
			return err
		}
	}
	return nil
}

// calls are those of one function.
type calls struct {
	count   float64
	last    time.Time // the day of the last one
	unknown error
}

func readCalls(ctx context.Context, s *scope, client *cloudwatch.Client, functions []estate.Named, from, to time.Time) error {
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(from), EndTime: aws.Time(to)}
	counts := map[string]*calls{}
	for i, f := range functions {
		id := fmt.Sprintf("f%d", i)
		counts[id] = &calls{}
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: aws.String(id), MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Invocations"),
				Dimensions: []types.Dimension{{Name: aws.String("FunctionName"), Value: aws.String(f.Name)}},
			},
			Period: aws.Int32(int32(day / time.Second)), Stat: aws.String("Sum"),
		}})
	}
	const call = "cloudwatch:GetMetricData"
	err := each(ctx, s, call, cloudwatch.NewGetMetricDataPaginator(client, in), func(out *cloudwatch.GetMetricDataOutput) error {
		for _, r := range out.MetricDataResults {
			c := counts[aws.ToString(r.Id)]
			if c == nil {
				continue
			}
			if r.StatusCode == types.StatusCodeInternalError || r.StatusCode == types.StatusCodeForbidden {
				c.unknown = &failure{place: s.where(), operation: call, action: call, reason: "AWS did not count them (" + string(r.StatusCode) + ")", denied: r.StatusCode == types.StatusCodeForbidden}
			}
			for i, n := range r.Values {
				if c.count += n; n > 0 && i < len(r.Timestamps) && r.Timestamps[i].After(c.last) {
					c.last = r.Timestamps[i]
				}
			}
		}
		return nil
	})
	if err != nil && over(err) {
		return err
	}
	for i, f := range functions {
		known := fields{"FunctionName": estate.String(f.Name)}
		c := counts[fmt.Sprintf("f%d", i)]
		if failed := err; failed != nil || c.unknown != nil {
			if failed == nil {
				failed = c.unknown
			}
			s.lost(functionMetrics, f.Name, known, failed)
			continue
		}
		known["Days"], known["Invocations"], known["LastInvoked"] = estate.Int(metricDays), estate.Int(int64(c.count)), nil
		if !c.last.IsZero() {
			known["LastInvoked"] = estate.String(c.last.UTC().Format(time.RFC3339))
		}
		s.add(found{typ: functionMetrics, id: f.Name, name: f.Name, set: known, call: call})
	}
	return nil
}
