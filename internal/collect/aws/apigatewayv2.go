package aws

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"assay/internal/estate"
)

// httpApis reads HTTP and WebSocket APIs.
type httpApis struct {
	*scope
	client *apigatewayv2.Client
}

func readHTTPApis(ctx context.Context, s *scope) error {
	r := httpApis{scope: s, client: apigatewayv2.NewFromConfig(s.cfg)}
	all, listed := r.list(ctx)
	if err := forEach(ctx, s, all, 4, r.api); err != nil {
		return err
	}
	return listed
}

// list is the region's APIs, as far as they could be listed.
func (r *httpApis) list(ctx context.Context) (all []types.Api, err error) {
	in := &apigatewayv2.GetApisInput{}
	pages := paging(r.client.GetApis, in, &in.NextToken, func(out *apigatewayv2.GetApisOutput) *string { return out.NextToken })
	err = each(ctx, r.scope, apigatewayGet, pages, func(out *apigatewayv2.GetApisOutput) error {
		all = append(all, out.Items...)
		return nil
	})
	return all, err
}

// api reads one API: its integrations, and what else it has when they call a
// function.
func (r *httpApis) api(ctx context.Context, a types.Api) error {
	integrations, err := r.integrations(ctx, a.ApiId)
	arn := r.apigatewayARN("/apis/" + aws.ToString(a.ApiId))
	of := fields{"ApiId": str(a.ApiId)}
	switch {
	case none(err, apigatewayGone):
		return nil // deleted since it was listed
	case err != nil:
		if err := r.orLost(err, "AWS::ApiGatewayV2::Integration", arn+"/integrations", of); err != nil {
			return err
		}
	case !r.run.options.All && !slices.ContainsFunc(integrations, func(i types.Integration) bool { return callsFunction(i.IntegrationUri) }):
		return nil
	}
	r.add(found{
		typ: "AWS::ApiGatewayV2::Api", id: arn, name: aws.ToString(a.Name), from: a, call: "apigatewayv2:GetApis",
		// What an API was made of is its routes and integrations now.
		set: fields{}.all("BasePath", "Body", "BodyS3Location", "CredentialsArn", "FailOnWarnings", "RouteKey", "Target"),
	})
	for _, i := range integrations {
		r.add(found{
			typ: "AWS::ApiGatewayV2::Integration", id: arn + "/integrations/" + aws.ToString(i.IntegrationId), name: "integration " + aws.ToString(i.IntegrationId), from: i,
			set: fields{"ApiId": str(a.ApiId), "ResponseParameters": mappedResponses(i.ResponseParameters)}, call: "apigatewayv2:GetIntegrations",
		})
	}
	if err := r.orLost(r.routes(ctx, a.ApiId, arn), "AWS::ApiGatewayV2::Route", arn+"/routes", of, apigatewayGone); err != nil {
		return err
	}
	if err := r.orLost(r.stages(ctx, a.ApiId, arn), "AWS::ApiGatewayV2::Stage", arn+"/stages", of, apigatewayGone); err != nil {
		return err
	}
	return r.orLost(r.authorizers(ctx, a.ApiId, arn), "AWS::ApiGatewayV2::Authorizer", arn+"/authorizers", of, apigatewayGone)
}

func (r *httpApis) integrations(ctx context.Context, api *string) (all []types.Integration, err error) {
	in := &apigatewayv2.GetIntegrationsInput{ApiId: api}
	pages := paging(r.client.GetIntegrations, in, &in.NextToken, func(out *apigatewayv2.GetIntegrationsOutput) *string { return out.NextToken })
	err = each(ctx, r.scope, apigatewayGet, pages, func(out *apigatewayv2.GetIntegrationsOutput) error {
		all = append(all, out.Items...)
		return nil
	})
	return all, err
}

// mappedResponses are response parameters, by status, as CloudFormation lists
// them.
func mappedResponses(all map[string]map[string]string) *estate.Value {
	by := fields{}
	for status, mapped := range all {
		var items []*estate.Value
		for _, to := range slices.Sorted(maps.Keys(mapped)) {
			items = append(items, some(fields{"Destination": estate.String(to), "Source": estate.String(mapped[to])}))
		}
		by[status] = some(fields{"ResponseParameters": listOf(items)})
	}
	return some(by)
}

func (r *httpApis) routes(ctx context.Context, api *string, arn string) error {
	in := &apigatewayv2.GetRoutesInput{ApiId: api}
	pages := paging(r.client.GetRoutes, in, &in.NextToken, func(out *apigatewayv2.GetRoutesOutput) *string { return out.NextToken })
	return each(ctx, r.scope, apigatewayGet, pages, func(out *apigatewayv2.GetRoutesOutput) error {
		for _, route := range out.Items {
			parameters := fields{}
			for name, p := range route.RequestParameters {
				parameters[name] = some(fields{"Required": flag(p.Required)})
			}
			r.add(found{
				typ: "AWS::ApiGatewayV2::Route", id: arn + "/routes/" + aws.ToString(route.RouteId), name: aws.ToString(route.RouteKey), from: route,
				set: fields{"ApiId": str(api), "RequestParameters": some(parameters)}, call: "apigatewayv2:GetRoutes",
			})
		}
		return nil
	})
}

func (r *httpApis) stages(ctx context.Context, api *string, arn string) error {
	in := &apigatewayv2.GetStagesInput{ApiId: api}
	pages := paging(r.client.GetStages, in, &in.NextToken, func(out *apigatewayv2.GetStagesOutput) *string { return out.NextToken })
	return each(ctx, r.scope, apigatewayGet, pages, func(out *apigatewayv2.GetStagesOutput) error {
		for _, stage := range out.Items {
			name := aws.ToString(stage.StageName)
			routes := fields{}
			for key, of := range stage.RouteSettings {
				routes[key] = r.routeSettings(&of)
			}
			r.add(found{
				typ: "AWS::ApiGatewayV2::Stage", id: arn + "/stages/" + name, name: name, from: stage, call: "apigatewayv2:GetStages",
				set: fields{
					"ApiId": str(api), "AccessPolicyId": nil, "RouteSettings": some(routes),
					"DefaultRouteSettings": r.routeSettings(stage.DefaultRouteSettings),
				},
			})
		}
		return nil
	})
}

// routeSettings are what a stage sets; nil when all it says is what holds
// anyway.
func (r *httpApis) routeSettings(of *types.RouteSettings) *estate.Value {
	if of == nil || !aws.ToBool(of.DataTraceEnabled) && !aws.ToBool(of.DetailedMetricsEnabled) && (of.LoggingLevel == "" || of.LoggingLevel == types.LoggingLevelOff) &&
		of.ThrottlingBurstLimit == nil && of.ThrottlingRateLimit == nil {
		return nil
	}
	return r.part("AWS::ApiGatewayV2::Stage", "RouteSettings", of)
}

func (r *httpApis) authorizers(ctx context.Context, api *string, arn string) error {
	in := &apigatewayv2.GetAuthorizersInput{ApiId: api}
	pages := paging(r.client.GetAuthorizers, in, &in.NextToken, func(out *apigatewayv2.GetAuthorizersOutput) *string { return out.NextToken })
	return each(ctx, r.scope, apigatewayGet, pages, func(out *apigatewayv2.GetAuthorizersOutput) error {
		for _, a := range out.Items {
			r.add(found{
				typ: "AWS::ApiGatewayV2::Authorizer", id: arn + "/authorizers/" + aws.ToString(a.AuthorizerId), name: aws.ToString(a.Name), from: a,
				set: fields{"ApiId": str(api)}, call: "apigatewayv2:GetAuthorizers",
			})
		}
		return nil
	})
}

// domains reads custom domains. Both of API Gateway's APIs show them, and a
// domain has no kind of its own: it is of the kind of the APIs that it leads
// to.
type domains struct {
	httpApis
	rest     *apigateway.Client
	http     map[string]bool // ids of HTTP and WebSocket APIs
	regional map[string]types.DomainName
}

func readDomains(ctx context.Context, s *scope) error {
	r := domains{
		httpApis: httpApis{scope: s, client: apigatewayv2.NewFromConfig(s.cfg)}, rest: apigateway.NewFromConfig(s.cfg),
		http: map[string]bool{}, regional: map[string]types.DomainName{},
	}
	var all []apitypes.DomainName
	pages := apigateway.NewGetDomainNamesPaginator(r.rest, &apigateway.GetDomainNamesInput{Limit: aws.Int32(500)})
	err := each(ctx, s, apigatewayGet, pages, func(out *apigateway.GetDomainNamesOutput) error {
		all = append(all, out.Items...)
		return nil
	})
	if err != nil {
		return err
	}
	var second []string // that the older API does not show
	in := &apigatewayv2.GetDomainNamesInput{}
	newer := paging(r.client.GetDomainNames, in, &in.NextToken, func(out *apigatewayv2.GetDomainNamesOutput) *string { return out.NextToken })
	err = each(ctx, s, apigatewayGet, newer, func(out *apigatewayv2.GetDomainNamesOutput) error {
		for _, d := range out.Items {
			name := aws.ToString(d.DomainName)
			r.regional[name] = d
			if !slices.ContainsFunc(all, func(known apitypes.DomainName) bool { return aws.ToString(known.DomainName) == name }) {
				second = append(second, name)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(all)+len(second) == 0 {
		return nil
	}
	apis, err := r.list(ctx)
	if err != nil {
		return err
	}
	for _, a := range apis {
		r.http[aws.ToString(a.ApiId)] = true
	}
	if err := forEach(ctx, s, second, 1, func(ctx context.Context, name string) error { return r.domain(ctx, name, nil) }); err != nil {
		return err
	}
	return forEach(ctx, s, all, 2, func(ctx context.Context, d apitypes.DomainName) error {
		return r.domain(ctx, aws.ToString(d.DomainName), &d)
	})
}

// domain reads a domain, of which d is what the older API says, if anything.
func (r *domains) domain(ctx context.Context, name string, d *apitypes.DomainName) error {
	if d != nil && d.EndpointConfiguration != nil && slices.Contains(d.EndpointConfiguration.Types, apitypes.EndpointTypePrivate) {
		r.add(found{
			typ: "AWS::ApiGateway::DomainNameV2", id: aws.ToString(d.DomainNameArn), name: name, from: d,
			set: fields{"Policy": escapedPolicy(d.ManagementPolicy)}, call: "apigateway:GetDomainNames",
		})
		return nil
	}
	http, rest, err := r.mappings(ctx, name)
	switch {
	case none(err, apigatewayGone):
		return nil // deleted since it was listed
	case err != nil && over(err):
		return err
	case err != nil: // what it leads to is not known, and so what kind it is
		for _, typ := range []string{"AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName", "AWS::ApiGateway::BasePathMapping", "AWS::ApiGatewayV2::ApiMapping"} {
			r.lost(typ, name, fields{"DomainName": estate.String(name)}, err)
		}
		return nil
	}
	// The ids of the two kinds are names and not ARNs, which they would share.
	regional, ok := r.regional[name]
	if ok && (http || d == nil) {
		r.add(found{typ: "AWS::ApiGatewayV2::DomainName", id: name, name: name, from: regional, call: "apigatewayv2:GetDomainNames"})
	}
	if d != nil && (rest || !http || !ok) {
		r.add(found{typ: "AWS::ApiGateway::DomainName", id: name, name: name, from: d, call: "apigateway:GetDomainNames"})
	}
	return nil
}

// mappings reads where a domain leads to, and tells the kinds of the APIs.
func (r *domains) mappings(ctx context.Context, name string) (http, rest bool, err error) {
	add := func(api, path, stage *string, call string) {
		set := fields{"DomainName": estate.String(name), "Stage": str(stage)}
		if aws.ToString(path) == "(none)" {
			path = nil // as the older API writes an empty path
		}
		id, title := name+"/"+aws.ToString(path), name+"/"+aws.ToString(path)
		if r.http[aws.ToString(api)] {
			http = true
			set["ApiId"], set["ApiMappingKey"] = str(api), str(path)
			r.add(found{typ: "AWS::ApiGatewayV2::ApiMapping", id: id, name: title, set: set, call: call})
			return
		}
		rest = true
		set["RestApiId"], set["BasePath"], set["Id"] = str(api), str(path), nil
		r.add(found{typ: "AWS::ApiGateway::BasePathMapping", id: id, name: title, set: set, call: call})
	}
	if _, ok := r.regional[name]; ok {
		in := &apigatewayv2.GetApiMappingsInput{DomainName: aws.String(name)}
		pages := paging(r.client.GetApiMappings, in, &in.NextToken, func(out *apigatewayv2.GetApiMappingsOutput) *string { return out.NextToken })
		err = each(ctx, r.scope, apigatewayGet, pages, func(out *apigatewayv2.GetApiMappingsOutput) error {
			for _, m := range out.Items {
				add(m.ApiId, m.ApiMappingKey, m.Stage, "apigatewayv2:GetApiMappings")
			}
			return nil
		})
		return http, rest, err
	}
	pages := apigateway.NewGetBasePathMappingsPaginator(r.rest, &apigateway.GetBasePathMappingsInput{DomainName: aws.String(name), Limit: aws.Int32(500)})
	err = each(ctx, r.scope, apigatewayGet, pages, func(out *apigateway.GetBasePathMappingsOutput) error {
		for _, m := range out.Items {
			add(m.RestApiId, m.BasePath, m.Stage, "apigateway:GetBasePathMappings")
		}
		return nil
	})
	return http, rest, err
}
