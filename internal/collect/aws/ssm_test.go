package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func parameterARN(name string) string {
	return "arn:aws:ssm:" + testRegion + ":" + testAccount + ":parameter/" + name
}

func serveParameters(f *fake) {
	all := []types.ParameterMetadata{
		{Name: aws.String("/app/token"), ARN: aws.String(parameterARN("app/token")), Type: types.ParameterTypeSecureString, KeyId: aws.String("alias/aws/ssm"), Tier: types.ParameterTierStandard, DataType: aws.String("text")},
		{Name: aws.String("plain"), ARN: aws.String(parameterARN("plain")), Type: types.ParameterTypeString, Policies: []types.ParameterInlinePolicy{{PolicyText: aws.String(`{"Type":"Expiration"}`)}}},
		{Name: aws.String("unrelated"), ARN: aws.String(parameterARN("unrelated")), Type: types.ParameterTypeString},
	}
	on(f, func(in *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error) {
		var found []types.ParameterMetadata
		for _, p := range all {
			if len(in.ParameterFilters) == 0 || slices.Contains(in.ParameterFilters[0].Values, *p.Name) {
				found = append(found, p)
			}
		}
		if len(in.ParameterFilters) > 0 && len(in.ParameterFilters[0].Values) > 50 {
			return nil, refuse("ValidationException", "too many values")
		}
		out := &ssm.DescribeParametersOutput{}
		out.Parameters, out.NextToken = page(found, in.NextToken, 1)
		return out, nil
	})
	serveTags(f, parameterARN("app/token"))
}

func TestParameters(t *testing.T) {
	const parameter = "AWS::SSM::Parameter"
	golden(t, "ssm", show(t, eachDenied(t, "ssm", serveParameters, only(parameter), everything)))

	f := newFake(t)
	variables := map[string]string{"A": parameterARN("app/token"), "B": parameterARN("plain"), "BAD": parameterARN("what is this")}
	for i := range 60 {
		variables[fmt.Sprintf("N%02d", i)] = parameterARN(fmt.Sprintf("none%02d", i))
	}
	serveFunction(f, variables, `"*"`)
	serveParameters(f)
	got := f.open(only("AWS::Lambda::Function", parameter)).Collect(context.Background())
	resource(t, got, parameter, "/app/token")
	resource(t, got, parameter, "plain")
	if text := show(t, got, parameter); strings.Contains(text, "unrelated") {
		t.Errorf("a parameter that nothing names:\n%s", text)
	}
}
