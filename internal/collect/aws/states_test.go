package aws

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

func machineARN(name string) string {
	return "arn:aws:states:" + testRegion + ":" + testAccount + ":stateMachine:" + name
}

func serveStateMachines(f *fake) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	var all []types.StateMachineListItem
	for _, name := range []string{"calls", "plain", deleted, "hidden", "arn", "sdk"} {
		all = append(all, types.StateMachineListItem{Name: aws.String(name), StateMachineArn: aws.String(machineARN(name)), Type: types.StateMachineTypeStandard, CreationDate: &day})
	}
	all = kept(f, all, func(m types.StateMachineListItem) *string { return m.Name })
	on(f, func(in *sfn.ListStateMachinesInput) (*sfn.ListStateMachinesOutput, error) {
		out := &sfn.ListStateMachinesOutput{}
		out.StateMachines, out.NextToken = page(all, in.NextToken, 2)
		return out, nil
	})
	on(f, func(in *sfn.DescribeStateMachineInput) (*sfn.DescribeStateMachineOutput, error) {
		out := &sfn.DescribeStateMachineOutput{
			Name: aws.String((*in.StateMachineArn)[len(machineARN("")):]), StateMachineArn: in.StateMachineArn, Type: types.StateMachineTypeStandard, RoleArn: aws.String("arn:aws:iam::111122223333:role/r"), CreationDate: &day,
			Definition:           aws.String(`{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`),
			LoggingConfiguration: &types.LoggingConfiguration{Level: types.LogLevelOff}, TracingConfiguration: &types.TracingConfiguration{}, EncryptionConfiguration: &types.EncryptionConfiguration{Type: types.EncryptionTypeAwsOwnedKey},
		}
		switch *out.Name {
		case deleted:
			return nil, refuse("StateMachineDoesNotExist", "State Machine Does Not Exist")
		case "calls":
			out.Definition = aws.String(`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true}}}`)
			out.TracingConfiguration.Enabled = true
			out.LoggingConfiguration = &types.LoggingConfiguration{Level: types.LogLevelAll, IncludeExecutionData: true, Destinations: []types.LogDestination{{CloudWatchLogsLogGroup: &types.CloudWatchLogsLogGroup{LogGroupArn: aws.String("arn:aws:logs:eu-central-1:111122223333:log-group:/aws/vendedlogs/m:*")}}}}
		case "sdk":
			out.Definition = aws.String(`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:lambda:invoke","Arguments":{"FunctionName":"{% $fn %}"},"End":true}}}`)
		case "arn":
			out.Definition = aws.String(`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"` + lambdaARN("f1") + `","End":true}}}`)
		case "hidden":
			if in.IncludedData != types.IncludedDataMetadataOnly {
				return nil, refuse("KmsAccessDeniedException", "no kms:Decrypt")
			}
			out.Definition = nil
			out.EncryptionConfiguration = &types.EncryptionConfiguration{Type: types.EncryptionTypeCustomerManagedKmsKey, KmsKeyId: aws.String(kmsKey("k")), KmsDataKeyReusePeriodSeconds: aws.Int32(60)}
		}
		return out, nil
	})
	serveTags(f, machineARN("calls"))
}

func TestStateMachines(t *testing.T) {
	f := newFake(t)
	serveStateMachines(f)
	golden(t, "states", show(t, f.open(only(statesService().reads[0].types...)).Collect(context.Background())))
	eachDenied(t, "states", serveStateMachines, only(statesService().reads[0].types...), everything)
}
