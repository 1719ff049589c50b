package aws

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	agtypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cttypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	rgttypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"
)

// ask gives the answer by the fake and reads it with the SDK's client; the
// fake's own check compares the two.
func ask[In, Out, Opt any](t *testing.T, f *fake, call func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In, out *Out) {
	t.Helper()
	always(f, out, in)
	if _, err := call(context.Background(), in); err != nil {
		t.Errorf("%T: %v", in, err)
	}
}

// TestWire is one call of each protocol, with what is awkward in it.
func TestWire(t *testing.T) {
	f := newFake(t)
	cfg := f.open().cfg
	then := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	ask(t, f, lambda.NewFromConfig(cfg).ListFunctions, &lambda.ListFunctionsInput{}, &lambda.ListFunctionsOutput{
		NextMarker: aws.String("more"),
		Functions: []lambdatypes.FunctionConfiguration{{
			FunctionName: aws.String("a<&>\"b"), Timeout: aws.Int32(3), Runtime: "python9.99", Environment: &lambdatypes.EnvironmentResponse{Variables: map[string]string{"A": "é"}},
			Architectures: []lambdatypes.Architecture{"arm64"},
		}},
	})
	ask(t, f, iam.NewFromConfig(cfg).GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{}, &iam.GetAccountAuthorizationDetailsOutput{
		IsTruncated: true, Marker: aws.String("m<1>"),
		RoleDetailList: []iamtypes.RoleDetail{
			{RoleName: aws.String("one"), CreateDate: &then, Tags: []iamtypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}},
			{RoleName: aws.String("two"), RoleLastUsed: &iamtypes.RoleLastUsed{LastUsedDate: &then}},
		},
	})
	ask(t, f, sns.NewFromConfig(cfg).GetTopicAttributes, &sns.GetTopicAttributesInput{TopicArn: aws.String("t")}, &sns.GetTopicAttributesOutput{Attributes: map[string]string{"Policy": `{"a":"<b>"}`, "Owner": "x"}})
	ask(t, f, kms.NewFromConfig(cfg).DescribeKey, &kms.DescribeKeyInput{KeyId: aws.String("k")}, &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{KeyId: aws.String("k"), CreationDate: &then, Enabled: true}})
	ask(t, f, cloudwatch.NewFromConfig(cfg).DescribeAlarms, &cloudwatch.DescribeAlarmsInput{}, &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []cwtypes.MetricAlarm{{AlarmName: aws.String("a"), Threshold: aws.Float64(1.5), AlarmConfigurationUpdatedTimestamp: &then}}})
	ask(t, f, resourcegroupstaggingapi.NewFromConfig(cfg).GetResources, &resourcegroupstaggingapi.GetResourcesInput{}, &resourcegroupstaggingapi.GetResourcesOutput{ResourceTagMappingList: []rgttypes.ResourceTagMapping{{ResourceARN: aws.String("arn"), Tags: []rgttypes.Tag{{Key: aws.String("k"), Value: aws.String("")}}}}})
	ask(t, f, ec2.NewFromConfig(cfg).DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{}, &ec2.DescribeSecurityGroupsOutput{SecurityGroups: []ec2types.SecurityGroup{{
		GroupId: aws.String("sg-1"), IpPermissions: []ec2types.IpPermission{{FromPort: aws.Int32(0), IpProtocol: aws.String("tcp"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}, UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: aws.String("sg-2")}}}},
		Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("x & y")}},
	}}})
	ask(t, f, ec2.NewFromConfig(cfg).DescribeFlowLogs, &ec2.DescribeFlowLogsInput{}, &ec2.DescribeFlowLogsOutput{FlowLogs: []ec2types.FlowLog{{FlowLogId: aws.String("fl"), CreationTime: &then, DestinationOptions: &ec2types.DestinationOptionsResponse{PerHourPartition: aws.Bool(false)}}}})
	buckets := s3.NewFromConfig(cfg)
	ask(t, f, buckets.ListBuckets, &s3.ListBucketsInput{}, &s3.ListBucketsOutput{Buckets: []s3types.Bucket{{Name: aws.String("b"), CreationDate: &then}}, Owner: &s3types.Owner{ID: aws.String("me")}})
	ask(t, f, buckets.GetBucketPolicy, &s3.GetBucketPolicyInput{Bucket: aws.String("b")}, &s3.GetBucketPolicyOutput{Policy: aws.String(`{"Statement":[]}`)})
	ask(t, f, buckets.GetBucketEncryption, &s3.GetBucketEncryptionInput{Bucket: aws.String("b")}, &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{
		{BucketKeyEnabled: aws.Bool(true), ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms"}}, {BucketKeyEnabled: aws.Bool(false)},
	}}})
	ask(t, f, buckets.GetBucketAcl, &s3.GetBucketAclInput{Bucket: aws.String("b")}, &s3.GetBucketAclOutput{Grants: []s3types.Grant{{Permission: "READ", Grantee: &s3types.Grantee{Type: "Group", URI: aws.String("http://acs.amazonaws.com/groups/global/AllUsers")}}}})
	ask(t, f, buckets.GetBucketLocation, &s3.GetBucketLocationInput{Bucket: aws.String("b")}, &s3.GetBucketLocationOutput{LocationConstraint: "eu-west-1"})
	ask(t, f, buckets.HeadBucket, &s3.HeadBucketInput{Bucket: aws.String("b")}, &s3.HeadBucketOutput{BucketRegion: aws.String("eu-west-1")})
	ask(t, f, buckets.GetBucketNotificationConfiguration, &s3.GetBucketNotificationConfigurationInput{Bucket: aws.String("b")}, &s3.GetBucketNotificationConfigurationOutput{
		LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{{LambdaFunctionArn: aws.String("f"), Events: []s3types.Event{"s3:ObjectCreated:*", "s3:ObjectRemoved:*"}}, {LambdaFunctionArn: aws.String("g")}},
		EventBridgeConfiguration:     &s3types.EventBridgeConfiguration{},
	})
	ask(t, f, s3control.NewFromConfig(cfg).GetPublicAccessBlock, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(testAccount)}, &s3control.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &s3controltypes.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}})
	ask(t, f, cloudtrail.NewFromConfig(cfg).GetEventSelectors, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String("t")}, &cloudtrail.GetEventSelectorsOutput{EventSelectors: []cttypes.EventSelector{{IncludeManagementEvents: aws.Bool(true), DataResources: []cttypes.DataResource{{Type: aws.String("AWS::Lambda::Function"), Values: []string{"arn:aws:lambda"}}}}}})
	ask(t, f, apigateway.NewFromConfig(cfg).GetStages, &apigateway.GetStagesInput{RestApiId: aws.String("a")}, &apigateway.GetStagesOutput{Item: []agtypes.Stage{{
		StageName: aws.String("s"), CreatedDate: &then, MethodSettings: map[string]agtypes.MethodSetting{"*/*": {LoggingLevel: aws.String("INFO"), ThrottlingRateLimit: 1.5}}, Variables: map[string]string{"a": "b"},
	}}})
	ask(t, f, scheduler.NewFromConfig(cfg).GetSchedule, &scheduler.GetScheduleInput{Name: aws.String("s")}, &scheduler.GetScheduleOutput{Name: aws.String("s"), CreationDate: &then, Target: &schedulertypes.Target{Arn: aws.String("f"), RetryPolicy: &schedulertypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(0)}}})
	ask(t, f, wafv2.NewFromConfig(cfg).GetWebACL, &wafv2.GetWebACLInput{Id: aws.String("i"), Name: aws.String("n"), Scope: "REGIONAL"}, &wafv2.GetWebACLOutput{WebACL: &waftypes.WebACL{
		Name: aws.String("n"), Id: aws.String("i"), ARN: aws.String("a"), DefaultAction: &waftypes.DefaultAction{Allow: &waftypes.AllowAction{}}, VisibilityConfig: &waftypes.VisibilityConfig{MetricName: aws.String("m"), SampledRequestsEnabled: true},
		Rules: []waftypes.Rule{{Name: aws.String("r"), Statement: &waftypes.Statement{ByteMatchStatement: &waftypes.ByteMatchStatement{SearchString: []byte("x"), TextTransformations: []waftypes.TextTransformation{{Type: "NONE"}}}}}},
	}})
}
