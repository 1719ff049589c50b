package aws

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/google/go-cmp/cmp"
)

var logTypes = []string{
	"AWS::Logs::LogGroup", "Assay::Logs::LogGroupState", "AWS::Logs::SubscriptionFilter", "AWS::Logs::MetricFilter", "AWS::Logs::AccountPolicy",
	"AWS::Logs::ResourcePolicy", "AWS::Logs::Destination",
}

func groupARN(name string) string {
	return "arn:aws:logs:" + testRegion + ":" + testAccount + ":log-group:" + name
}

// serveLogs is three functions: one logs where Lambda lets it by default, one
// elsewhere, and is called with what the first one logs; and one was never called.
func serveLogs(f *fake) {
	serveLogsFrom(f, `,"Condition":{"ArnLike":{"AWS:SourceArn":"`+groupARN("/aws/lambda/orders")+`:*"}}`)
}

// serveLogsFrom is serveLogs with another condition of who may call.
func serveLogsFrom(f *fake, condition string) {
	withFunctions(f,
		lambdatypes.FunctionConfiguration{FunctionName: aws.String("orders")}, lambdatypes.FunctionConfiguration{FunctionName: aws.String("never")},
		lambdatypes.FunctionConfiguration{FunctionName: aws.String("pay"), LoggingConfig: &lambdatypes.LoggingConfig{LogGroup: aws.String("app")}},
	)
	on(f, func(in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
		if *in.FunctionName != functionARN("pay") {
			return nil, refuse(notFound, "no policy")
		}
		return &lambda.GetPolicyOutput{Policy: aws.String(policyOf(permission("logs", functionARN("pay"), `"Principal":{"Service":"logs.eu-central-1.amazonaws.com"}`+condition)))}, nil
	})
	group := func(name string, change func(*types.LogGroup)) types.LogGroup {
		g := types.LogGroup{
			LogGroupName: aws.String(name), Arn: aws.String(groupARN(name) + ":*"), LogGroupArn: aws.String(groupARN(name)), CreationTime: aws.Int64(1700000000123),
			StoredBytes: aws.Int64(7), LogGroupClass: types.LogGroupClassStandard,
		}
		change(&g)
		return g
	}
	all := []types.LogGroup{
		group("/aws/lambda/gone", func(g *types.LogGroup) { g.DataProtectionStatus = types.DataProtectionStatusDeleted }),
		group("/aws/lambda/orders", func(g *types.LogGroup) {
			g.RetentionInDays, g.KmsKeyId, g.DataProtectionStatus = aws.Int32(30), aws.String(keyARN("logs")), types.DataProtectionStatusActivated
		}),
		group("/aws/other", func(*types.LogGroup) {}),
		group("app", func(g *types.LogGroup) { g.LogGroupClass = types.LogGroupClassInfrequentAccess }),
		group("app-archive", func(*types.LogGroup) {}),
	}
	on(f, func(in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
		var some []types.LogGroup
		for _, g := range all {
			if strings.HasPrefix(*g.LogGroupName, aws.ToString(in.LogGroupNamePrefix)) {
				some = append(some, g)
			}
		}
		out := &cloudwatchlogs.DescribeLogGroupsOutput{}
		out.LogGroups, out.NextToken = page(some, in.NextToken, 1)
		return out, nil
	})
	always(f, &cloudwatchlogs.GetDataProtectionPolicyOutput{PolicyDocument: aws.String(`{"Name":"mask","Statement":[]}`)}, &cloudwatchlogs.GetDataProtectionPolicyInput{})
	on(f, func(in *cloudwatchlogs.DescribeSubscriptionFiltersInput) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error) {
		if *in.LogGroupName != "/aws/lambda/orders" {
			return nil, refuse(notFound, "never made, or deleted since")
		}
		filters := []types.SubscriptionFilter{
			{FilterName: aws.String("a"), LogGroupName: in.LogGroupName, FilterPattern: aws.String(""), DestinationArn: aws.String("arn:aws:logs:eu-central-1:999999999999:destination:archive")},
			{FilterName: aws.String("b"), LogGroupName: in.LogGroupName, FilterPattern: aws.String("ERROR"), DestinationArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:function:pay"), Distribution: types.DistributionByLogStream},
			{FilterName: aws.String("c"), LogGroupName: in.LogGroupName, FilterPattern: aws.String("x"), DestinationArn: aws.String("arn:aws:kinesis:eu-central-1:111122223333:stream/s"), RoleArn: aws.String("arn:aws:iam::111122223333:role/feed")},
		}
		out := &cloudwatchlogs.DescribeSubscriptionFiltersOutput{}
		out.SubscriptionFilters, out.NextToken = page(filters, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *cloudwatchlogs.DescribeMetricFiltersInput) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
		out := &cloudwatchlogs.DescribeMetricFiltersOutput{}
		var filters []types.MetricFilter
		for _, name := range []string{"a", "b", "c"} {
			filters = append(filters, types.MetricFilter{FilterName: aws.String(name), LogGroupName: aws.String("trail"), FilterPattern: aws.String("{ $.eventName = StopLogging }"), MetricTransformations: []types.MetricTransformation{
				{MetricName: aws.String(name), MetricNamespace: aws.String("Trail"), MetricValue: aws.String("1"), Dimensions: map[string]string{"who": "$.userIdentity.arn"}},
			}})
		}
		out.MetricFilters, out.NextToken = page(filters, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *cloudwatchlogs.DescribeAccountPoliciesInput) (*cloudwatchlogs.DescribeAccountPoliciesOutput, error) {
		out := &cloudwatchlogs.DescribeAccountPoliciesOutput{}
		switch in.PolicyType {
		case types.PolicyTypeDataProtectionPolicy:
			policies := []types.AccountPolicy{{PolicyName: aws.String("mask"), PolicyType: in.PolicyType, Scope: types.ScopeAll, PolicyDocument: aws.String(`{"Name":"mask"}`)}, {PolicyName: aws.String("more"), PolicyType: in.PolicyType, PolicyDocument: aws.String(`{}`)}}
			out.AccountPolicies, out.NextToken = page(policies, in.NextToken, 1)
		case types.PolicyTypeTransformerPolicy:
			return nil, refuse(notFound, "none")
		}
		return out, nil
	})
	on(f, func(in *cloudwatchlogs.DescribeResourcePoliciesInput) (*cloudwatchlogs.DescribeResourcePoliciesOutput, error) {
		out := &cloudwatchlogs.DescribeResourcePoliciesOutput{}
		policies := []types.ResourcePolicy{{PolicyName: aws.String("dns"), PolicyDocument: aws.String(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"route53.amazonaws.com"},"Action":"logs:PutLogEvents","Resource":"*"}]}`)}, {PolicyName: aws.String("odd"), PolicyDocument: aws.String("not JSON")}}
		out.ResourcePolicies, out.NextToken = page(policies, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *cloudwatchlogs.DescribeDestinationsInput) (*cloudwatchlogs.DescribeDestinationsOutput, error) {
		out := &cloudwatchlogs.DescribeDestinationsOutput{}
		destinations := []types.Destination{
			{DestinationName: aws.String("d1"), Arn: aws.String("arn:aws:logs:eu-central-1:111122223333:destination:d1"), TargetArn: aws.String("arn:aws:kinesis:eu-central-1:111122223333:stream/s"), RoleArn: aws.String("arn:aws:iam::111122223333:role/feed"), AccessPolicy: aws.String(`{"Statement":[]}`)},
			{DestinationName: aws.String("d2"), Arn: aws.String("arn:aws:logs:eu-central-1:111122223333:destination:d2")},
		}
		out.Destinations, out.NextToken = page(destinations, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *resourcegroupstaggingapi.GetResourcesInput) (*resourcegroupstaggingapi.GetResourcesOutput, error) {
		if in.ResourceTypeFilters[0] != "logs:log-group" {
			return &resourcegroupstaggingapi.GetResourcesOutput{}, nil
		}
		return &resourcegroupstaggingapi.GetResourcesOutput{ResourceTagMappingList: []tagtypes.ResourceTagMapping{
			{ResourceARN: aws.String(groupARN("/aws/lambda/orders")), Tags: []tagtypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}},
		}}, nil
	})
}

func TestLogs(t *testing.T) {
	needed := append([]string{"AWS::Lambda::Function"}, logTypes...)
	golden(t, "logs", show(t, eachDenied(t, "logs", serveLogs, only(needed...)), logTypes...))
}

// TestFilters asks for the filters of the log groups for which the answer can
// matter.
func TestFilters(t *testing.T) {
	some := `,"Condition":{"ArnLike":{"AWS:SourceArn":"` + groupARN("/aws/lambda/orders") + `:*"}}`
	for name, c := range map[string]struct {
		condition string
		with      func(*Options)
		asked     []string
	}{
		// app is of the class that filters do not work in.
		"one is let in":           {some, func(*Options) {}, []string{"/aws/lambda/orders", "app"}},
		"whichever is let in":     {"", func(*Options) {}, []string{"/aws/lambda/gone", "/aws/lambda/orders", "app"}},
		"all by a pattern":        {strings.Replace(some, "orders", "*", 1), func(*Options) {}, []string{"/aws/lambda/gone", "/aws/lambda/orders", "app"}},
		"all must go somewhere":   {some, func(o *Options) { o.Filters = true }, []string{"/aws/lambda/gone", "/aws/lambda/orders", "app"}},
		"everything is asked for": {some, everything, []string{"/aws/lambda/gone", "/aws/lambda/orders", "/aws/other", "app", "app-archive"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t).empty()
			serveLogsFrom(f, c.condition)
			var mu sync.Mutex
			asked := map[string]bool{}
			on(f, func(in *cloudwatchlogs.DescribeSubscriptionFiltersInput) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error) {
				mu.Lock()
				defer mu.Unlock()
				asked[*in.LogGroupName] = true
				return &cloudwatchlogs.DescribeSubscriptionFiltersOutput{}, nil
			})
			f.open(c.with).Collect(t.Context())
			if diff := cmp.Diff(c.asked, slices.Sorted(maps.Keys(asked))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAllLogGroups lists groups once when all are asked for.
func TestAllLogGroups(t *testing.T) {
	f := newFake(t).empty()
	serveLogs(f)
	got := show(t, f.open(only("AWS::Logs::LogGroup"), everything).Collect(t.Context()), "Assay::Logs::LogGroupState")
	for _, name := range []string{"/aws/lambda/gone", "/aws/lambda/orders", "/aws/other", "app", "app-archive"} {
		if !strings.Contains(got, "Assay::Logs::LogGroupState Assay::Logs::LogGroupState/"+groupARN(name)+"\n") {
			t.Errorf("%s is missing from\n%s", name, got)
		}
	}
	lists := 0
	for _, call := range f.sent {
		if call == "logs:DescribeLogGroups" {
			lists++
		}
	}
	if lists != 5 {
		t.Errorf("%d calls for 5 pages", lists)
	}
}
