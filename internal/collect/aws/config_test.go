package aws

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

var configTypes = []string{
	"AWS::Config::ConfigurationRecorder", "Assay::Config::RecorderStatus", "AWS::Config::DeliveryChannel", "Assay::Config::DeliveryChannelStatus",
	"AWS::Config::ConfigurationAggregator", "AWS::Config::ConfigRule", "AWS::Config::ConformancePack",
}

func serveConfig(f *fake) {
	at := aws.Time(time.Unix(1700000000, 0).UTC())
	always(f, &configservice.DescribeConfigurationRecordersOutput{ConfigurationRecorders: []types.ConfigurationRecorder{{
		Name: aws.String("default"), Arn: aws.String("arn:aws:config:eu-central-1:111122223333:configuration-recorder/default/abc"), RoleARN: aws.String("arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"),
		RecordingGroup: &types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true, RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeAllSupportedResourceTypes}},
		RecordingMode:  &types.RecordingMode{RecordingFrequency: types.RecordingFrequencyContinuous},
	}, {
		Name: aws.String("some"), RoleARN: aws.String("arn:aws:iam::111122223333:role/config"),
		RecordingGroup: &types.RecordingGroup{RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes}, ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{types.ResourceTypeFunction}}},
	}}}, &configservice.DescribeConfigurationRecordersInput{})
	always(f, &configservice.DescribeConfigurationRecorderStatusOutput{ConfigurationRecordersStatus: []types.ConfigurationRecorderStatus{
		{Name: aws.String("default"), Recording: true, LastStatus: types.RecorderStatusFailure, LastErrorCode: aws.String("AccessDenied"), LastStartTime: at},
	}}, &configservice.DescribeConfigurationRecorderStatusInput{})
	always(f, &configservice.DescribeDeliveryChannelsOutput{DeliveryChannels: []types.DeliveryChannel{
		{Name: aws.String("default"), S3BucketName: aws.String("config"), SnsTopicARN: aws.String("arn:aws:sns:eu-central-1:111122223333:config"), ConfigSnapshotDeliveryProperties: &types.ConfigSnapshotDeliveryProperties{DeliveryFrequency: types.MaximumExecutionFrequencySixHours}},
	}}, &configservice.DescribeDeliveryChannelsInput{})
	always(f, &configservice.DescribeDeliveryChannelStatusOutput{DeliveryChannelsStatus: []types.DeliveryChannelStatus{
		{Name: aws.String("default"), ConfigHistoryDeliveryInfo: &types.ConfigExportDeliveryInfo{LastStatus: types.DeliveryStatusFailure, LastErrorCode: aws.String("NoSuchBucket"), LastAttemptTime: at}, ConfigStreamDeliveryInfo: &types.ConfigStreamDeliveryInfo{LastStatus: types.DeliveryStatusSuccess}},
	}}, &configservice.DescribeDeliveryChannelStatusInput{})
	on(f, func(in *configservice.DescribeConfigurationAggregatorsInput) (*configservice.DescribeConfigurationAggregatorsOutput, error) {
		all := []types.ConfigurationAggregator{
			{ConfigurationAggregatorName: aws.String("org"), ConfigurationAggregatorArn: aws.String("arn:aws:config:eu-central-1:111122223333:config-aggregator/a1"), OrganizationAggregationSource: &types.OrganizationAggregationSource{RoleArn: aws.String("arn:aws:iam::111122223333:role/agg"), AllAwsRegions: true}},
			{ConfigurationAggregatorName: aws.String("some"), ConfigurationAggregatorArn: aws.String("arn:aws:config:eu-central-1:111122223333:config-aggregator/a2"), AccountAggregationSources: []types.AccountAggregationSource{{AccountIds: []string{"999999999999"}, AwsRegions: []string{"eu-central-1"}}}},
		}
		out := &configservice.DescribeConfigurationAggregatorsOutput{}
		out.ConfigurationAggregators, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *configservice.DescribeConfigRulesInput) (*configservice.DescribeConfigRulesOutput, error) {
		all := []types.ConfigRule{
			{ConfigRuleName: aws.String("dlq"), ConfigRuleArn: aws.String("arn:aws:config:eu-central-1:111122223333:config-rule/r1"), InputParameters: aws.String(`{"dlqArns":"a"}`), Scope: &types.Scope{ComplianceResourceTypes: []string{"AWS::Lambda::Function"}}, Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String("LAMBDA_DLQ_CHECK")}},
			{ConfigRuleName: aws.String("own"), ConfigRuleArn: aws.String("arn:aws:config:eu-central-1:111122223333:config-rule/r2"), Source: &types.Source{Owner: types.OwnerCustomLambda, SourceIdentifier: aws.String("arn:aws:lambda:eu-central-1:111122223333:function:rule"), SourceDetails: []types.SourceDetail{{EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeConfigurationItemChangeNotification}}}},
			{ConfigRuleName: aws.String("new"), ConfigRuleArn: aws.String("arn:aws:config:eu-central-1:111122223333:config-rule/r3"), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String("X")}},
		}
		out := &configservice.DescribeConfigRulesOutput{}
		out.ConfigRules, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *configservice.DescribeComplianceByConfigRuleInput) (*configservice.DescribeComplianceByConfigRuleOutput, error) {
		all := []types.ComplianceByConfigRule{
			{ConfigRuleName: aws.String("dlq"), Compliance: &types.Compliance{ComplianceType: types.ComplianceTypeNonCompliant}},
			{ConfigRuleName: aws.String("own"), Compliance: &types.Compliance{ComplianceType: types.ComplianceTypeCompliant}},
		}
		out := &configservice.DescribeComplianceByConfigRuleOutput{}
		out.ComplianceByConfigRules, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *configservice.DescribeConformancePacksInput) (*configservice.DescribeConformancePacksOutput, error) {
		all := []types.ConformancePackDetail{
			{ConformancePackName: aws.String("hipaa"), ConformancePackArn: aws.String("arn:aws:config:eu-central-1:111122223333:conformance-pack/hipaa/1"), ConformancePackInputParameters: []types.ConformancePackInputParameter{{ParameterName: aws.String("days"), ParameterValue: aws.String("90")}}},
			{ConformancePackName: aws.String("pci"), ConformancePackArn: aws.String("arn:aws:config:eu-central-1:111122223333:conformance-pack/pci/1")},
		}
		out := &configservice.DescribeConformancePacksOutput{}
		out.ConformancePackDetails, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
}

func TestConfig(t *testing.T) {
	golden(t, "config", show(t, eachDenied(t, "config", serveConfig, only(configTypes...)), configTypes...))
}

// TestNoConfig has nothing where nobody records.
func TestNoConfig(t *testing.T) {
	sameText(t, shortly(t, func(*fake) {}, configTypes, only(configTypes...)), "")
}
