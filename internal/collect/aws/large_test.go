package aws

import (
	"context"
	goflag "flag"
	"fmt"
	"net/url"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"assay/internal/estate"
)

var large = goflag.Bool("large", false, "read an account of 10,000 functions")

// accountOf is an account of n functions, each with a role, a policy, a log group
// and a permission.
func accountOf(t testing.TB, n int) *fake {
	f := newFake(t).empty()
	f.unverified = true
	l := lambdas{policies: map[string]string{}, size: 50}
	var roles []iamtypes.RoleDetail
	var groups []logstypes.LogGroup
	trust := url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	for i := range n {
		name := fmt.Sprintf("function-%05d", i)
		one := function(name)
		one.Role = aws.String("arn:aws:iam::" + testAccount + ":role/" + name)
		one.Environment = &types.EnvironmentResponse{Variables: map[string]string{"STAGE": "prod", "TABLE": "orders", "LOG_LEVEL": "INFO"}}
		l.functions = append(l.functions, one)
		l.policies[functionARN(name)] = policyOf(permission("a", functionARN(name), `"Principal":{"Service":"sns.amazonaws.com"},"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:eu-central-1:`+testAccount+`:orders"}}`))
		roles = append(roles, iamtypes.RoleDetail{
			RoleName: aws.String(name), Arn: one.Role, Path: aws.String("/"), AssumeRolePolicyDocument: aws.String(trust),
			RolePolicyList: []iamtypes.PolicyDetail{{PolicyName: aws.String("work"), PolicyDocument: aws.String(url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem"],"Resource":"arn:aws:dynamodb:eu-central-1:` + testAccount + `:table/` + name + `*"}]}`))}},
		})
		group := "/aws/lambda/" + name
		groups = append(groups, logstypes.LogGroup{LogGroupName: aws.String(group), Arn: aws.String("arn:aws:logs:eu-central-1:" + testAccount + ":log-group:" + group + ":*"), RetentionInDays: aws.Int32(90), LogGroupClass: logstypes.LogGroupClassStandard})
	}
	l.serve(f)
	on(f, func(in *iam.GetAccountAuthorizationDetailsInput) (*iam.GetAccountAuthorizationDetailsOutput, error) {
		out := &iam.GetAccountAuthorizationDetailsOutput{}
		out.RoleDetailList, out.Marker = page(roles, in.Marker, 100)
		out.IsTruncated = out.Marker != nil
		return out, nil
	})
	on(f, func(in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
		out := &cloudwatchlogs.DescribeLogGroupsOutput{}
		out.LogGroups, out.NextToken = page(groups, in.NextToken, 50)
		return out, nil
	})
	return f
}

// TestLarge reads an account of 10,000 functions and says what that took. The
// time is also that of the fake, which runs in the same process.
func TestLarge(t *testing.T) {
	if !*large {
		t.Skip("-large reads 10,000 functions")
	}
	const n = 10_000
	f := accountOf(t, n)
	a := f.open()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	builders := a.Collect(context.Background())
	runtime.GC()
	runtime.ReadMemStats(&after)
	functions := 0
	for _, s := range estate.Build(testModel(t), builders) {
		functions += len(s.OfType("AWS::Lambda::Function"))
	}
	if functions != n {
		t.Errorf("%d of %d functions were read", functions, n)
	}
	calls := a.Totals().Calls
	t.Logf("%d functions: %d calls, %.2f a function; %d MB held", functions, calls, float64(calls)/n, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>20)
	runtime.KeepAlive(builders)
}

func BenchmarkCollect(b *testing.B) {
	f := accountOf(b, 100)
	for b.Loop() {
		f.open().Collect(context.Background())
	}
}
