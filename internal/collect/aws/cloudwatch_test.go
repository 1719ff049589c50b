package aws

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	xraytypes "github.com/aws/aws-sdk-go-v2/service/xray/types"
)

var alarmTypes = []string{"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "Assay::CloudWatch::AlarmState", functionMetrics}

// serveAlarms is an alarm on a metric, one on an expression and one on both, and
// the calls of four functions: in two pages, of none, and not told.
func serveAlarms(f *fake) {
	withFunctions(f,
		lambdatypes.FunctionConfiguration{FunctionName: aws.String("busy")}, lambdatypes.FunctionConfiguration{FunctionName: aws.String("idle")},
		lambdatypes.FunctionConfiguration{FunctionName: aws.String("odd")},
	)
	arn := func(name string) *string {
		return aws.String("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:" + name)
	}
	on(f, func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		alarms := []types.MetricAlarm{
			{AlarmName: aws.String("errors"), AlarmArn: arn("errors"), ActionsEnabled: aws.Bool(true), AlarmActions: []string{"arn:aws:sns:eu-central-1:111122223333:page"}, Namespace: aws.String("AWS/Lambda"),
				MetricName: aws.String("Errors"), Dimensions: []types.Dimension{{Name: aws.String("FunctionName"), Value: aws.String("busy")}}, Statistic: types.StatisticSum, Period: aws.Int32(60),
				EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0.5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("missing"),
				StateValue: types.StateValueOk, StateReason: aws.String("quiet"), StateUpdatedTimestamp: aws.Time(time.Unix(1700000000, 0).UTC())},
			{AlarmName: aws.String("rate"), AlarmArn: arn("rate"), ActionsEnabled: aws.Bool(false), TreatMissingData: aws.String("notBreaching"), StateValue: types.StateValueAlarm, Metrics: []types.MetricDataQuery{
				{Id: aws.String("e"), ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{Period: aws.Int32(60), Stat: aws.String("Sum"), Metric: &types.Metric{Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Dimensions: []types.Dimension{{Name: aws.String("FunctionName"), Value: aws.String("idle")}}}}},
				{Id: aws.String("r"), Expression: aws.String("e/2"), ReturnData: aws.Bool(true)},
			}},
		}
		out := &cloudwatch.DescribeAlarmsOutput{}
		if out.MetricAlarms, out.NextToken = page(alarms, in.NextToken, 1); out.NextToken == nil {
			out.CompositeAlarms = []types.CompositeAlarm{{AlarmName: aws.String("any"), AlarmArn: arn("any"), AlarmRule: aws.String(`ALARM("errors") OR ALARM("rate")`), ActionsEnabled: aws.Bool(true)}}
		}
		return out, nil
	})
	on(f, func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
		out := &cloudwatch.GetMetricDataOutput{}
		at := func(days ...int) (all []time.Time) {
			for _, n := range days {
				all = append(all, in.StartTime.Add(time.Duration(n)*day))
			}
			return all
		}
		for _, q := range in.MetricDataQueries {
			r := types.MetricDataResult{Id: q.Id, StatusCode: types.StatusCodeComplete}
			switch *q.MetricStat.Metric.Dimensions[0].Value {
			case "busy":
				if r.StatusCode, r.Timestamps, r.Values = types.StatusCodePartialData, at(9, 3), []float64{0, 5}; in.NextToken != nil {
					r.StatusCode, r.Timestamps, r.Values = types.StatusCodeComplete, at(2, 1), []float64{7, 0}
				}
			case "odd":
				r.StatusCode = types.StatusCodeInternalError
			}
			out.MetricDataResults = append(out.MetricDataResults, r)
		}
		if in.NextToken == nil {
			out.NextToken = aws.String("more")
		}
		return out, nil
	})
}

// atDay is the clock of tests that count days.
func atDay(o *Options) {
	o.Now = func() time.Time { return time.Date(2026, 11, 28, 13, 0, 0, 0, time.UTC) }
}

func TestAlarms(t *testing.T) {
	needed := append([]string{"AWS::Lambda::Function"}, alarmTypes...)
	golden(t, "cloudwatch", show(t, eachDenied(t, "cloudwatch", serveAlarms, only(needed...), atDay), alarmTypes...))
}

// TestMetricBatches asks for as many metrics at once as a request may hold.
func TestMetricBatches(t *testing.T) {
	f := newFake(t).empty()
	f.unverified = true
	var all []lambdatypes.FunctionConfiguration
	for i := range metricQueries + 1 {
		all = append(all, lambdatypes.FunctionConfiguration{FunctionName: aws.String(fmt.Sprintf("f%d", i))})
	}
	withFunctions(f, all...)
	var sizes []int
	on(f, func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
		sizes = append(sizes, len(in.MetricDataQueries))
		return &cloudwatch.GetMetricDataOutput{}, nil
	})
	got := coverage(t, f.open(only("AWS::Lambda::Function", functionMetrics)).Collect(t.Context()), functionMetrics)
	if fmt.Sprint(sizes) != "[500 1]" || got.Items != metricQueries+1 {
		t.Errorf("batches of %v, %d functions", sizes, got.Items)
	}
}

func TestTraceEncryption(t *testing.T) {
	serve := func(f *fake) {
		always(f, &xray.GetEncryptionConfigOutput{EncryptionConfig: &xraytypes.EncryptionConfig{Type: xraytypes.EncryptionTypeKms, Status: xraytypes.EncryptionStatusActive, KeyId: aws.String(keyARN("traces"))}}, &xray.GetEncryptionConfigInput{})
	}
	types := []string{"Assay::XRay::EncryptionConfig"}
	sameText(t, show(t, eachDenied(t, "xray", serve, only(types...)), types...), `
# 111122223333/eu-central-1
Assay::XRay::EncryptionConfig Assay::XRay::EncryptionConfig/eu-central-1
    KeyId: "arn:aws:kms:eu-central-1:111122223333:key/traces"
    Status: "ACTIVE"
    Type: "KMS"
`)
}
