package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appsync"
	"github.com/aws/aws-sdk-go-v2/service/appsync/types"
)

// appsyncService reads the GraphQL APIs of which a data source is a function.
func appsyncService() service {
	return service{name: "appsync", reads: []read{{
		types:    []string{"AWS::AppSync::GraphQLApi", "AWS::AppSync::DataSource", "AWS::AppSync::ApiCache", "AWS::WAFv2::WebACLAssociation"},
		actions:  []string{"appsync:ListGraphqlApis", "appsync:ListDataSources", "appsync:GetApiCache"},
		touching: true,
		list:     readGraphQL,
	}}}
}

func readGraphQL(ctx context.Context, s *scope) error {
	client := appsync.NewFromConfig(s.cfg)
	var all []types.GraphqlApi
	pages := appsync.NewListGraphqlApisPaginator(client, &appsync.ListGraphqlApisInput{})
	listed := each(ctx, s, "appsync:ListGraphqlApis", pages, func(out *appsync.ListGraphqlApisOutput) error {
		all = append(all, out.GraphqlApis...)
		return nil
	})
	if err := forEach(ctx, s, all, 2, func(ctx context.Context, a types.GraphqlApi) error { return graphQL(ctx, s, client, a) }); err != nil {
		return err
	}
	return listed
}

func graphQL(ctx context.Context, s *scope, client *appsync.Client, a types.GraphqlApi) error {
	arn := orElse(aws.ToString(a.Arn), s.arnOf("appsync", "apis/"+aws.ToString(a.ApiId)))
	of := fields{"ApiId": str(a.ApiId)}
	var sources []types.DataSource
	pages := appsync.NewListDataSourcesPaginator(client, &appsync.ListDataSourcesInput{ApiId: a.ApiId})
	err := each(ctx, s, "appsync:ListDataSources", pages, func(out *appsync.ListDataSourcesOutput) error {
		sources = append(sources, out.DataSources...)
		return nil
	})
	switch {
	case none(err, "NotFoundException"):
		return nil // deleted since it was listed
	case err != nil:
		if err := s.orLost(err, "AWS::AppSync::DataSource", arn+"/datasources", of); err != nil {
			return err
		}
	case !s.run.options.All && !slices.ContainsFunc(sources, func(d types.DataSource) bool { return d.LambdaConfig != nil }):
		return nil
	}
	set := fields{}
	if a.QueryDepthLimit == 0 {
		set["QueryDepthLimit"] = nil // no limit, as when it is not set
	}
	if a.ResolverCountLimit == 0 {
		set["ResolverCountLimit"] = nil
	}
	s.add(found{typ: "AWS::AppSync::GraphQLApi", id: arn, name: aws.ToString(a.Name), from: a, set: set, call: "appsync:ListGraphqlApis"})
	s.firewalled(arn, a.WafWebAclArn, "appsync:ListGraphqlApis")
	for _, d := range sources {
		s.add(found{
			typ: "AWS::AppSync::DataSource", id: orElse(aws.ToString(d.DataSourceArn), arn+"/datasources/"+aws.ToString(d.Name)), name: aws.ToString(d.Name), from: d,
			set: of, call: "appsync:ListDataSources",
		})
	}
	cache, err := do(ctx, s, "appsync:GetApiCache", client.GetApiCache, &appsync.GetApiCacheInput{ApiId: a.ApiId})
	if err != nil {
		return s.orLost(err, "AWS::AppSync::ApiCache", arn+"/ApiCaches", of, "NotFoundException")
	}
	if cache.ApiCache != nil {
		s.add(found{
			typ: "AWS::AppSync::ApiCache", id: arn + "/ApiCaches", name: "cache of " + aws.ToString(a.Name), from: cache.ApiCache,
			set: of, call: "appsync:GetApiCache",
		})
	}
	return nil
}
