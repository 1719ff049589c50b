package aws

import (
	"maps"
	"reflect"
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
	serveLogsFrom(f, lets("logs.eu-central-1.amazonaws.com", groupARN("/aws/lambda/orders")+":*"))
}

// lets is who may call a function, as a part of a statement.
func lets(service, source string) string {
	return `"Principal":{"Service":"` + service + `"},"Condition":{"ArnLike":{"AWS:SourceArn":"` + source + `"}}`
}

// serveLogsFrom is serveLogs with others who may call.
func serveLogsFrom(f *fake, who string) {
	withFunctions(f,
		lambdatypes.FunctionConfiguration{FunctionName: aws.String("orders")}, lambdatypes.FunctionConfiguration{FunctionName: aws.String("never")},
		lambdatypes.FunctionConfiguration{FunctionName: aws.String("pay"), LoggingConfig: &lambdatypes.LoggingConfig{LogGroup: aws.String("app")}},
	)
	on(f, func(in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
		if *in.FunctionName != functionARN("pay") {
			return nil, refuse(notFound, "no policy")
		}
		return &lambda.GetPolicyOutput{Policy: aws.String(policyOf(permission("logs", functionARN("pay"), who)))}, nil
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
	const logs, orders = "logs.amazonaws.com", "/aws/lambda/orders"
	// app is of the class that filters do not work in.
	none, one, all := []string{"app"}, []string{orders, "app"}, []string{"/aws/lambda/gone", orders, "app"}
	of := func(group string) string { return groupARN(group) + ":*" }
	anyone := `"Principal":"*"`
	for name, c := range map[string]struct {
		who   string
		with  func(*Options)
		asked []string
	}{
		"one is let in":                       {lets(logs, of(orders)), nil, one},
		"one, and the region's service":       {lets("logs.eu-central-1.amazonaws.com", of(orders)), nil, one},
		"one, and China's service":            {lets("logs.cn-north-1.amazonaws.com.cn", of(orders)), nil, one},
		"one, without what is in it":          {lets(logs, groupARN(orders)), nil, one},
		"one, by a stream":                    {lets(logs, groupARN(orders)+":log-stream:*"), nil, one},
		"one, whoever calls":                  {anyone + `,"Condition":{"ArnLike":{"AWS:SourceArn":"` + of(orders) + `"}}`, nil, one},
		"one of another account":              {lets(logs, strings.Replace(of(orders), testAccount, "999999999999", 1)), nil, none},
		"another service":                     {lets("sns.amazonaws.com", "arn:aws:sns:eu-central-1:111122223333:t"), nil, none},
		"another service, whatever calls":     {lets("sns.amazonaws.com", "arn:aws:sns:eu-central-1:111122223333:*"), nil, none},
		"whichever is let in":                 {`"Principal":{"Service":"` + logs + `"}`, nil, all},
		"whichever of China's":                {`"Principal":{"Service":"logs.cn-north-1.amazonaws.com.cn"}`, nil, all},
		"whichever of an account":             {`"Principal":{"Service":"` + logs + `"},"Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"}}`, nil, all},
		"whichever by the group's pattern":    {lets(logs, of("*")), nil, all},
		"whichever by a part of its name":     {lets(logs, of("/aws/lambda/*")), nil, all},
		"whichever by the end of the pattern": {lets(logs, groupARN("*")), nil, all},
		"whichever of the region":             {lets(logs, "arn:aws:logs:eu-central-1:111122223333:*"), nil, all},
		"whichever, by any region":            {lets(logs, strings.Replace(of(orders), testRegion, "*", 1)), nil, all},
		"whoever calls":                       {anyone, nil, all},
		"whoever calls, written out":          {`"Principal":{"AWS":"*"}`, nil, all},
		"whoever calls by a URL":              {anyone + `,"Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}`, nil, none},
		"whoever is of an organisation":       {anyone + `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`, nil, none},
		"all must go somewhere":               {lets(logs, of(orders)), func(o *Options) { o.Filters = true }, all},
		"everything is asked for":             {lets(logs, of(orders)), everything, []string{"/aws/lambda/gone", orders, "/aws/other", "app", "app-archive"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t).empty()
			serveLogsFrom(f, c.who)
			sameFilters(t, f, c.with, c.asked)
		})
	}
	t.Run("a part of the versions is lost", func(t *testing.T) {
		f := newFake(t).empty()
		serveLogsFrom(f, lets(logs, of(orders)))
		whole := f.handlers[reflect.TypeFor[*lambda.ListFunctionsInput]()]
		on(f, func(in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
			if in.Marker != nil {
				return nil, refuse("InvalidParameterValueException", "no such page")
			}
			out, err := whole(&call{in: in})
			some := *out.(*lambda.ListFunctionsOutput)
			some.NextMarker = aws.String("more")
			return &some, err
		})
		sameFilters(t, f, nil, all)
	})
	t.Run("a policy is lost", func(t *testing.T) {
		f := newFake(t).empty().fault(denied("lambda:GetPolicy"))
		serveLogsFrom(f, "")
		sameFilters(t, f, nil, all)
	})
	t.Run("a function of another region lets one in", func(t *testing.T) {
		f := newFake(t).empty()
		serveLogsFrom(f, lets(logs, strings.Replace(of(orders), testRegion, "us-east-1", 1)))
		whole := f.handlers[reflect.TypeFor[*lambda.ListFunctionsInput]()]
		onCall(f, func(c *call, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
			if c.region != testRegion {
				return &lambda.ListFunctionsOutput{}, nil
			}
			out, err := whole(c)
			return out.(*lambda.ListFunctionsOutput), err
		})
		sameFilters(t, f, func(o *Options) { o.Regions = []string{testRegion, "us-east-1"} }, []string{"app", "us-east-1 " + orders})
	})
}

// sameFilters reads an account and compares whose filters it asked for.
func sameFilters(t *testing.T, f *fake, with func(*Options), want []string) {
	t.Helper()
	var mu sync.Mutex
	asked := map[string]bool{}
	onCall(f, func(c *call, in *cloudwatchlogs.DescribeSubscriptionFiltersInput) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		name := *in.LogGroupName
		if c.region != testRegion {
			name = c.region + " " + name
		}
		asked[name] = true
		return &cloudwatchlogs.DescribeSubscriptionFiltersOutput{}, nil
	})
	if with == nil {
		with = func(*Options) {}
	}
	f.open(with).Collect(t.Context())
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(asked))); diff != "" {
		t.Error(diff)
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
