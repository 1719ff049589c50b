package aws

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appsync"
	"github.com/aws/aws-sdk-go-v2/service/appsync/types"
)

func graphARN(id string) string {
	return "arn:aws:appsync:" + testRegion + ":" + testAccount + ":apis/" + id
}

var graphTypes = []string{"AWS::AppSync::GraphQLApi", "AWS::AppSync::DataSource", "AWS::AppSync::ApiCache"}

func serveGraphQL(f *fake) {
	var all []types.GraphqlApi
	for _, id := range []string{"calls", "cached", "other", deleted} {
		all = append(all, types.GraphqlApi{ApiId: aws.String(id), Arn: aws.String(graphARN(id)), Name: aws.String(id), AuthenticationType: types.AuthenticationTypeAwsIam, Visibility: types.GraphQLApiVisibilityGlobal, Tags: map[string]string{"a": "b"}})
	}
	all[1].QueryDepthLimit, all[1].XrayEnabled = 5, true
	all[0].WafWebAclArn, all[1].WafWebAclArn = aws.String("arn:aws:waf-regional:eu-central-1:111122223333:webacl/classic"), aws.String(aclARN("two"))
	all[1].LogConfig = &types.LogConfig{FieldLogLevel: types.FieldLogLevelError, CloudWatchLogsRoleArn: aws.String("arn:aws:iam::111122223333:role/logs")}
	all = kept(f, all, func(a types.GraphqlApi) *string { return a.Name })
	on(f, func(in *appsync.ListGraphqlApisInput) (*appsync.ListGraphqlApisOutput, error) {
		out := &appsync.ListGraphqlApisOutput{}
		out.GraphqlApis, out.NextToken = page(all, in.NextToken, 2)
		return out, nil
	})
	on(f, func(in *appsync.ListDataSourcesInput) (*appsync.ListDataSourcesOutput, error) {
		sources := []types.DataSource{
			{Name: aws.String("none"), DataSourceArn: aws.String(graphARN(*in.ApiId + "/datasources/none")), Type: types.DataSourceTypeNone},
			{Name: aws.String("fn"), DataSourceArn: aws.String(graphARN(*in.ApiId + "/datasources/fn")), Type: types.DataSourceTypeAwsLambda, LambdaConfig: &types.LambdaDataSourceConfig{LambdaFunctionArn: aws.String(lambdaARN("f1"))}},
		}
		switch *in.ApiId {
		case "other":
			sources = sources[:1]
		case deleted:
			return nil, refuse("NotFoundException", "GraphQL API gone not found.")
		}
		out := &appsync.ListDataSourcesOutput{}
		out.DataSources, out.NextToken = page(sources, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *appsync.GetApiCacheInput) (*appsync.GetApiCacheOutput, error) {
		if *in.ApiId == "cached" {
			return &appsync.GetApiCacheOutput{ApiCache: &types.ApiCache{Type: types.ApiCacheTypeSmall, Ttl: 60, AtRestEncryptionEnabled: true, ApiCachingBehavior: types.ApiCachingBehaviorFullRequestCaching}}, nil
		}
		return nil, refuse("NotFoundException", "Unable to find the API cache")
	})
}

func TestGraphQL(t *testing.T) {
	f := newFake(t)
	serveGraphQL(f)
	golden(t, "appsync", show(t, f.open(only(graphTypes...)).Collect(context.Background())))
	eachDenied(t, "appsync", serveGraphQL, only(graphTypes...), everything)
}
