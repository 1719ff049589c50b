package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"assay/internal/estate"
)

func configService() service {
	return service{name: "config", reads: []read{
		{
			types:   []string{"AWS::Config::ConfigurationRecorder"},
			actions: []string{"config:DescribeConfigurationRecorders"},
			list:    readRecorders,
		},
		{
			types:   []string{"Assay::Config::RecorderStatus"},
			actions: []string{"config:DescribeConfigurationRecorderStatus"},
			list:    readRecorderStatus,
		},
		{
			types:   []string{"AWS::Config::DeliveryChannel"},
			actions: []string{"config:DescribeDeliveryChannels"},
			list:    readChannels,
		},
		{
			types:   []string{"Assay::Config::DeliveryChannelStatus"},
			actions: []string{"config:DescribeDeliveryChannelStatus"},
			list:    readChannelStatus,
		},
		{
			types:   []string{"AWS::Config::ConfigurationAggregator"},
			actions: []string{"config:DescribeConfigurationAggregators", tagging},
			list:    readAggregators,
		},
		{
			types:   []string{"AWS::Config::ConfigRule"},
			actions: []string{"config:DescribeComplianceByConfigRule", "config:DescribeConfigRules"},
			list:    readConfigRules,
		},
		{
			types:   []string{"AWS::Config::ConformancePack"},
			actions: []string{"config:DescribeConformancePacks"},
			list:    readPacks,
		},
	}}
}

// readRecorders reads the recorder that the account itself has: those that
// services make for themselves are not in the answer.
func readRecorders(ctx context.Context, s *scope) error {
	client := configservice.NewFromConfig(s.cfg)
	const call = "config:DescribeConfigurationRecorders"
	out, err := do(ctx, s, call, client.DescribeConfigurationRecorders, &configservice.DescribeConfigurationRecordersInput{})
	if err != nil {
		return err
	}
	for _, r := range out.ConfigurationRecorders {
		name := aws.ToString(r.Name)
		set := fields{"RecordingGroup": recordingGroup(s, r.RecordingGroup, call)}
		if m := r.RecordingMode; m != nil && m.RecordingFrequency == types.RecordingFrequencyContinuous && len(m.RecordingModeOverrides) == 0 {
			set["RecordingMode"] = nil // as when nothing is said of it
		}
		s.add(found{typ: "AWS::Config::ConfigurationRecorder", id: orElse(aws.ToString(r.Arn), name), name: name, from: r, set: set, call: call})
	}
	return nil
}

// recordingGroup leaves out the strategy of a recorder of everything: it says
// the same as the flag, and AWS adds it.
func recordingGroup(s *scope, g *types.RecordingGroup, call string) *estate.Value {
	if g == nil {
		return nil
	}
	plain := *g
	if g.AllSupported && g.RecordingStrategy != nil && g.RecordingStrategy.UseOnly == types.RecordingStrategyTypeAllSupportedResourceTypes {
		plain.RecordingStrategy = nil
	}
	return s.as("AWS::Config::ConfigurationRecorder", "RecordingGroup", plain, call)
}

func readRecorderStatus(ctx context.Context, s *scope) error {
	client := configservice.NewFromConfig(s.cfg)
	const call = "config:DescribeConfigurationRecorderStatus"
	out, err := do(ctx, s, call, client.DescribeConfigurationRecorderStatus, &configservice.DescribeConfigurationRecorderStatusInput{})
	if err != nil {
		return err
	}
	for _, r := range out.ConfigurationRecordersStatus {
		name := aws.ToString(r.Name)
		s.add(found{typ: "Assay::Config::RecorderStatus", id: name, name: name, from: r, call: call})
	}
	return nil
}

func readChannels(ctx context.Context, s *scope) error {
	client := configservice.NewFromConfig(s.cfg)
	const call = "config:DescribeDeliveryChannels"
	out, err := do(ctx, s, call, client.DescribeDeliveryChannels, &configservice.DescribeDeliveryChannelsInput{})
	if err != nil {
		return err
	}
	for _, c := range out.DeliveryChannels {
		name := aws.ToString(c.Name)
		s.add(found{typ: "AWS::Config::DeliveryChannel", id: name, name: name, from: c, call: call})
	}
	return nil
}

func readChannelStatus(ctx context.Context, s *scope) error {
	client := configservice.NewFromConfig(s.cfg)
	const call = "config:DescribeDeliveryChannelStatus"
	out, err := do(ctx, s, call, client.DescribeDeliveryChannelStatus, &configservice.DescribeDeliveryChannelStatusInput{})
	if err != nil {
		return err
	}
	for _, c := range out.DeliveryChannelsStatus {
		name := aws.ToString(c.Name)
		s.add(found{typ: "Assay::Config::DeliveryChannelStatus", id: name, name: name, from: c, call: call})
	}
	return nil
}

func readAggregators(ctx context.Context, s *scope) error {
	client := configservice.NewFromConfig(s.cfg)
	const call = "config:DescribeConfigurationAggregators"
	pages := configservice.NewDescribeConfigurationAggregatorsPaginator(client, &configservice.DescribeConfigurationAggregatorsInput{})
	return each(ctx, s, call, pages, func(out *configservice.DescribeConfigurationAggregatorsOutput) error {
		for _, a := range out.ConfigurationAggregators {
			arn := aws.ToString(a.ConfigurationAggregatorArn)
			s.add(found{
				typ: "AWS::Config::ConfigurationAggregator", id: arn, name: aws.ToString(a.ConfigurationAggregatorName), from: a, call: call,
				set: fields{"Tags": s.tagsOf(ctx, "config:config-aggregator", arn)},
			})
		}
		return nil
	})
}

func readConfigRules(ctx context.Context, s *scope) error {
	client := configservice.NewFromConfig(s.cfg)
	compliance := map[string]types.ComplianceType{}
	pages := configservice.NewDescribeComplianceByConfigRulePaginator(client, &configservice.DescribeComplianceByConfigRuleInput{})
	unknown := each(ctx, s, "config:DescribeComplianceByConfigRule", pages, func(out *configservice.DescribeComplianceByConfigRuleOutput) error {
		for _, c := range out.ComplianceByConfigRules {
			if c.Compliance != nil {
				compliance[aws.ToString(c.ConfigRuleName)] = c.Compliance.ComplianceType
			}
		}
		return nil
	})
	if unknown != nil && over(unknown) {
		return unknown
	}
	const call = "config:DescribeConfigRules"
	rules := configservice.NewDescribeConfigRulesPaginator(client, &configservice.DescribeConfigRulesInput{})
	return each(ctx, s, call, rules, func(out *configservice.DescribeConfigRulesOutput) error {
		for _, r := range out.ConfigRules {
			arn, name := aws.ToString(r.ConfigRuleArn), aws.ToString(r.ConfigRuleName)
			set := fields{"Compliance": some(fields{"Type": word(string(compliance[name]))})}
			if unknown != nil {
				set["Compliance"] = s.missing(unknown, arn)
			}
			s.add(found{typ: "AWS::Config::ConfigRule", id: arn, name: name, from: r, set: set, call: call})
		}
		return nil
	})
}

func readPacks(ctx context.Context, s *scope) error {
	client := configservice.NewFromConfig(s.cfg)
	const call = "config:DescribeConformancePacks"
	pages := configservice.NewDescribeConformancePacksPaginator(client, &configservice.DescribeConformancePacksInput{})
	return each(ctx, s, call, pages, func(out *configservice.DescribeConformancePacksOutput) error {
		for _, p := range out.ConformancePackDetails {
			s.add(found{typ: "AWS::Config::ConformancePack", id: aws.ToString(p.ConformancePackArn), name: aws.ToString(p.ConformancePackName), from: p, call: call})
		}
		return nil
	})
}
