package aws

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"
)

func aclARN(name string) string {
	return "arn:aws:wafv2:" + testRegion + ":" + testAccount + ":regional/webacl/" + name + "/1"
}

func serveFirewalls(f *fake) {
	acls := []types.WebACLSummary{{ARN: aws.String(aclARN("one")), Id: aws.String("1"), Name: aws.String("one")}, {ARN: aws.String(aclARN("two")), Id: aws.String("1"), Name: aws.String("two")}, {ARN: aws.String(aclARN(deleted)), Id: aws.String("1"), Name: aws.String(deleted)}}
	acls = kept(f, acls, func(a types.WebACLSummary) *string { return a.Name })
	on(f, func(in *wafv2.ListWebACLsInput) (*wafv2.ListWebACLsOutput, error) {
		out := &wafv2.ListWebACLsOutput{}
		out.WebACLs, out.NextMarker = page(acls, in.NextMarker, 1)
		return out, nil
	})
	visibility := &types.VisibilityConfig{CloudWatchMetricsEnabled: true, SampledRequestsEnabled: false, MetricName: aws.String("m")}
	on(f, func(in *wafv2.GetWebACLInput) (*wafv2.GetWebACLOutput, error) {
		acl := &types.WebACL{ARN: aws.String(aclARN(*in.Name)), Id: in.Id, Name: in.Name, VisibilityConfig: visibility, DefaultAction: &types.DefaultAction{Allow: &types.AllowAction{}}}
		switch *in.Name {
		case deleted:
			return nil, refuse("WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist.")
		case "two":
			acl.DefaultAction = &types.DefaultAction{Block: &types.BlockAction{}}
			acl.Rules = []types.Rule{
				{Name: aws.String("common"), Priority: 0, VisibilityConfig: visibility, OverrideAction: &types.OverrideAction{None: &types.NoneAction{}}, Statement: &types.Statement{ManagedRuleGroupStatement: &types.ManagedRuleGroupStatement{VendorName: aws.String("AWS"), Name: aws.String("AWSManagedRulesCommonRuleSet")}}},
				{Name: aws.String("bad"), Priority: 1, VisibilityConfig: visibility, Action: &types.RuleAction{Count: &types.CountAction{}}, Statement: &types.Statement{NotStatement: &types.NotStatement{Statement: &types.Statement{ByteMatchStatement: &types.ByteMatchStatement{
					SearchString: []byte("bad"), FieldToMatch: &types.FieldToMatch{UriPath: &types.UriPath{}}, PositionalConstraint: types.PositionalConstraintContains, TextTransformations: []types.TextTransformation{{Type: types.TextTransformationTypeNone}},
				}}}}},
				{Name: aws.String("ips"), Priority: 2, VisibilityConfig: visibility, Action: &types.RuleAction{Block: &types.BlockAction{}}, Statement: &types.Statement{IPSetReferenceStatement: &types.IPSetReferenceStatement{ARN: aws.String("arn:aws:wafv2:eu-central-1:111122223333:regional/ipset/x/1")}}},
			}
		}
		return &wafv2.GetWebACLOutput{WebACL: acl}, nil
	})
	on(f, func(in *wafv2.ListResourcesForWebACLInput) (*wafv2.ListResourcesForWebACLOutput, error) {
		switch {
		case *in.WebACLArn == aclARN(deleted):
			return nil, refuse("WAFNonexistentItemException", "gone")
		case *in.WebACLArn == aclARN("two") && in.ResourceType == types.ResourceTypeApplicationLoadBalancer:
			return &wafv2.ListResourcesForWebACLOutput{ResourceArns: []string{elbARN("loadbalancer/app/lb/1")}}, nil
		}
		return &wafv2.ListResourcesForWebACLOutput{}, nil
	})
	logging := []types.LoggingConfiguration{
		{ResourceArn: aws.String(aclARN("one")), LogDestinationConfigs: []string{"arn:aws:logs:eu-central-1:111122223333:log-group:aws-waf-logs-a"}},
		{ResourceArn: aws.String(aclARN("two")), LogDestinationConfigs: []string{"arn:aws:s3:::aws-waf-logs-b"}, RedactedFields: []types.FieldToMatch{{Method: &types.Method{}}},
			LoggingFilter: &types.LoggingFilter{DefaultBehavior: types.FilterBehaviorDrop, Filters: []types.Filter{{Behavior: types.FilterBehaviorKeep, Requirement: types.FilterRequirementMeetsAny, Conditions: []types.Condition{{ActionCondition: &types.ActionCondition{Action: types.ActionValueBlock}}}}}}},
	}
	on(f, func(in *wafv2.ListLoggingConfigurationsInput) (*wafv2.ListLoggingConfigurationsOutput, error) {
		out := &wafv2.ListLoggingConfigurationsOutput{}
		out.LoggingConfigurations, out.NextMarker = page(logging, in.NextMarker, 1)
		return out, nil
	})
	serveTags(f, aclARN("one"))
}

func TestFirewalls(t *testing.T) {
	f := newFake(t)
	serveFirewalls(f)
	golden(t, "waf", show(t, f.open(only("AWS::WAFv2::WebACL", "AWS::WAFv2::LoggingConfiguration")).Collect(context.Background())))
	golden(t, "waf-all", show(t, f.open(only("AWS::WAFv2::WebACL", "AWS::WAFv2::LoggingConfiguration"), everything).Collect(context.Background()), "AWS::WAFv2::WebACLAssociation"))
	eachDenied(t, "wafv2", serveFirewalls, only("AWS::WAFv2::WebACL", "AWS::WAFv2::LoggingConfiguration"), everything)
}
