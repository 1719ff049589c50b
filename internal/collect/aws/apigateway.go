package aws

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"assay/internal/estate"
)

// apigatewayGet is the one action of all reads: IAM has an API's parts as
// resources, and the HTTP methods on them as actions.
// source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
const apigatewayGet = "apigateway:GET"

// apigatewayGone is the code for what does not exist.
const apigatewayGone = "NotFoundException"

// apigatewayService reads APIs whose integrations call functions. Which those
// are is told by the integrations alone: permissions may name any API, or none.
func apigatewayService() service {
	return service{name: "apigateway", reads: []read{
		{
			types: []string{
				"AWS::ApiGateway::RestApi", "AWS::ApiGateway::Resource", "AWS::ApiGateway::Method", "AWS::ApiGateway::Stage",
				"AWS::ApiGateway::Authorizer", "AWS::ApiGateway::RequestValidator", "AWS::ApiGateway::Account", "AWS::WAFv2::WebACLAssociation",
			},
			actions:  []string{apigatewayGet},
			touching: true,
			list:     readRestApis,
		},
		{
			types:   []string{"AWS::ApiGateway::UsagePlan"},
			actions: []string{apigatewayGet},
			list:    readUsagePlans,
		},
		{
			types: []string{
				"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Stage",
				"AWS::ApiGatewayV2::Authorizer",
			},
			actions:  []string{apigatewayGet},
			touching: true,
			list:     readHTTPApis,
		},
		{
			types: []string{
				"AWS::ApiGateway::DomainName", "AWS::ApiGateway::BasePathMapping", "AWS::ApiGateway::DomainNameV2",
				"AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping",
			},
			actions: []string{apigatewayGet},
			list:    readDomains,
		},
	}}
}

// apigatewayARN is the ARN of an API, or of a part of one: they have no account.
func (s *scope) apigatewayARN(path string) string {
	return strings.Join([]string{"arn", s.partition, "apigateway", s.region, "", path}, ":")
}

// callsFunction reports whether an integration's URI is a function's.
func callsFunction(uri *string) bool {
	return strings.Contains(aws.ToString(uri), "/functions/") || strings.Contains(aws.ToString(uri), ":function:")
}

// restApis is what the REST APIs of a region have in common.
type restApis struct {
	*scope
	client *apigateway.Client
	limits *types.ThrottleSettings // of the account
	unread *estate.Value           // why limits is not known; nil: it is
}

func readRestApis(ctx context.Context, s *scope) error {
	r := restApis{scope: s, client: apigateway.NewFromConfig(s.cfg)}
	out, err := do(ctx, s, apigatewayGet, r.client.GetAccount, &apigateway.GetAccountInput{})
	switch {
	case err == nil:
		if r.limits = out.ThrottleSettings; r.limits == nil {
			r.unread = estate.Unknown("the account's limit was not answered", "apigateway:GetAccount")
		}
		s.add(found{typ: "AWS::ApiGateway::Account", id: s.apigatewayARN("/account"), name: "API Gateway's settings", from: out, call: "apigateway:GetAccount"})
	case over(err):
		return err
	default:
		r.unread = s.missing(err, "/account")
		s.lost("AWS::ApiGateway::Account", s.apigatewayARN("/account"), nil, err)
	}
	var all []types.RestApi
	pages := apigateway.NewGetRestApisPaginator(r.client, &apigateway.GetRestApisInput{Limit: aws.Int32(500)})
	listed := each(ctx, s, apigatewayGet, pages, func(out *apigateway.GetRestApisOutput) error {
		all = append(all, out.Items...)
		return nil
	})
	if err := forEach(ctx, s, all, 4, r.api); err != nil {
		return err
	}
	return listed
}

// api reads one API: its methods, and what else it has when they call a
// function.
func (r *restApis) api(ctx context.Context, a types.RestApi) error {
	var resources []types.Resource
	pages := apigateway.NewGetResourcesPaginator(r.client, &apigateway.GetResourcesInput{RestApiId: a.Id, Embed: []string{"methods"}, Limit: aws.Int32(500)})
	err := each(ctx, r.scope, apigatewayGet, pages, func(out *apigateway.GetResourcesOutput) error {
		resources = append(resources, out.Items...)
		return nil
	})
	arn := r.apigatewayARN("/restapis/" + aws.ToString(a.Id))
	of := fields{"RestApiId": str(a.Id)}
	switch {
	case none(err, apigatewayGone):
		return nil // deleted since it was listed
	case err != nil:
		for _, typ := range []string{"AWS::ApiGateway::Resource", "AWS::ApiGateway::Method"} {
			if err := r.orLost(err, typ, arn+"/"+typ, of); err != nil {
				return err
			}
		}
	case !r.run.options.All && !slices.ContainsFunc(resources, leadsToFunction):
		return nil
	}
	r.add(found{
		typ: "AWS::ApiGateway::RestApi", id: arn, name: aws.ToString(a.Name), from: a, call: "apigateway:GetRestApis",
		renamed: map[string]string{"ApiKeySourceType": "ApiKeySource"},
		// A document that the API was made of is not kept: its operations are methods.
		set: fields{"Policy": escapedPolicy(a.Policy)}.all("Body", "BodyS3Location", "CloneFrom", "FailOnWarnings", "Mode", "Parameters"),
	})
	for _, resource := range resources {
		on := arn + "/resources/" + aws.ToString(resource.Id)
		r.add(found{typ: "AWS::ApiGateway::Resource", id: on, name: aws.ToString(resource.Path), from: resource, set: of, call: "apigateway:GetResources"})
		for _, verb := range slices.Sorted(maps.Keys(resource.ResourceMethods)) {
			method := resource.ResourceMethods[verb]
			r.add(found{
				typ: "AWS::ApiGateway::Method", id: on + "/methods/" + verb, name: verb + " " + aws.ToString(resource.Path), from: method, call: "apigateway:GetResources",
				set: fields{
					"RestApiId": str(a.Id), "ResourceId": str(resource.Id), "HttpMethod": estate.String(verb),
					"Integration": r.integration(method.MethodIntegration), "MethodResponses": r.methodResponses(method.MethodResponses),
				},
			})
		}
	}
	if err := r.orLost(r.stages(ctx, a.Id, arn), "AWS::ApiGateway::Stage", arn+"/stages", of, apigatewayGone); err != nil {
		return err
	}
	if err := r.orLost(r.authorizers(ctx, a.Id, arn), "AWS::ApiGateway::Authorizer", arn+"/authorizers", of, apigatewayGone); err != nil {
		return err
	}
	return r.orLost(r.validators(ctx, a.Id, arn), "AWS::ApiGateway::RequestValidator", arn+"/requestvalidators", of, apigatewayGone)
}

func leadsToFunction(resource types.Resource) bool {
	for _, m := range resource.ResourceMethods {
		if m.MethodIntegration != nil && callsFunction(m.MethodIntegration.Uri) {
			return true
		}
	}
	return false
}

// escapedPolicy is the policy of an API, which API Gateway answers as a JSON
// text inside another, less the quotes.
func escapedPolicy(text *string) *estate.Value {
	policy := aws.ToString(text)
	if plain, err := strconv.Unquote(`"` + policy + `"`); err == nil {
		policy = plain
	}
	if policy == "" {
		return nil
	}
	return document(policy)
}

func (r *restApis) integration(i *types.Integration) *estate.Value {
	if i == nil {
		return nil
	}
	const method = "AWS::ApiGateway::Method"
	v := r.part(method, "Integration", i).With("IntegrationHttpMethod", str(i.HttpMethod))
	var responses []*estate.Value
	for _, status := range slices.Sorted(maps.Keys(i.IntegrationResponses)) {
		response := i.IntegrationResponses[status]
		responses = append(responses, r.part(method, "IntegrationResponse", response))
	}
	v = v.With("IntegrationResponses", listOf(responses))
	if i.TimeoutInMillis == 0 {
		v = v.With("TimeoutInMillis", nil) // not answered: a timeout is at least 50 ms
	}
	return v
}

func (r *restApis) methodResponses(all map[string]types.MethodResponse) *estate.Value {
	var responses []*estate.Value
	for _, status := range slices.Sorted(maps.Keys(all)) {
		responses = append(responses, r.part("AWS::ApiGateway::Method", "MethodResponse", all[status]))
	}
	return listOf(responses)
}

func (r *restApis) stages(ctx context.Context, api *string, arn string) error {
	out, err := do(ctx, r.scope, apigatewayGet, r.client.GetStages, &apigateway.GetStagesInput{RestApiId: api})
	if err != nil {
		return err
	}
	for _, stage := range out.Item {
		name := aws.ToString(stage.StageName)
		r.add(found{
			typ: "AWS::ApiGateway::Stage", id: arn + "/stages/" + name, name: name, from: stage, call: "apigateway:GetStages",
			renamed: map[string]string{"AccessLogSetting": "AccessLogSettings", "CanarySetting": "CanarySettings"},
			set:     fields{"RestApiId": str(api), "MethodSettings": r.methodSettings(stage.MethodSettings)},
		})
		r.firewalled(arn+"/stages/"+name, stage.WebAclArn, "apigateway:GetStages")
	}
	return nil
}

// methodSettings are those of a stage as CloudFormation lists them: the key of
// one is its path, in which slashes are ~1, and its method.
// source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html
func (r *restApis) methodSettings(all map[string]types.MethodSetting) *estate.Value {
	var settings []*estate.Value
	for _, key := range slices.Sorted(maps.Keys(all)) {
		one := all[key]
		at := strings.LastIndex(key, "/")
		if at < 0 {
			continue
		}
		path := "/" + key[:at]
		if path == "/~1" {
			path = "/"
		}
		settings = append(settings, r.part("AWS::ApiGateway::Stage", "MethodSetting", one).
			With("ResourcePath", estate.String(path)).With("HttpMethod", estate.String(key[at+1:])).
			With("ThrottlingBurstLimit", r.throttle(float64(one.ThrottlingBurstLimit), float64(r.accountLimit().BurstLimit))).
			With("ThrottlingRateLimit", r.throttle(one.ThrottlingRateLimit, r.accountLimit().RateLimit)))
	}
	return listOf(settings)
}

func (r *restApis) accountLimit() types.ThrottleSettings {
	if r.limits == nil {
		return types.ThrottleSettings{}
	}
	return *r.limits
}

// throttle is a limit that a setting states. A setting that states none is
// answered with the account's limit, or -1.
func (r *restApis) throttle(limit, account float64) *estate.Value {
	switch {
	case limit < 0:
		return nil
	case r.unread != nil:
		return r.unread
	case limit == account:
		return nil
	case limit == 0:
		// No call at all, or a member that was not answered.
		return estate.Unknown("the answer does not tell a limit of none from no limit", "ThrottlingRateLimit")
	case limit == float64(int64(limit)):
		return estate.Int(int64(limit))
	}
	return estate.Float(limit)
}

func (r *restApis) authorizers(ctx context.Context, api *string, arn string) error {
	in := &apigateway.GetAuthorizersInput{RestApiId: api, Limit: aws.Int32(500)}
	pages := paging(r.client.GetAuthorizers, in, &in.Position, func(out *apigateway.GetAuthorizersOutput) *string { return out.Position })
	return each(ctx, r.scope, apigatewayGet, pages, func(out *apigateway.GetAuthorizersOutput) error {
		for _, a := range out.Items {
			r.add(found{
				typ: "AWS::ApiGateway::Authorizer", id: arn + "/authorizers/" + aws.ToString(a.Id), name: aws.ToString(a.Name), from: a,
				set: fields{"RestApiId": str(api)}, call: "apigateway:GetAuthorizers",
			})
		}
		return nil
	})
}

func (r *restApis) validators(ctx context.Context, api *string, arn string) error {
	in := &apigateway.GetRequestValidatorsInput{RestApiId: api, Limit: aws.Int32(500)}
	pages := paging(r.client.GetRequestValidators, in, &in.Position, func(out *apigateway.GetRequestValidatorsOutput) *string { return out.Position })
	return each(ctx, r.scope, apigatewayGet, pages, func(out *apigateway.GetRequestValidatorsOutput) error {
		for _, v := range out.Items {
			r.add(found{
				typ: "AWS::ApiGateway::RequestValidator", id: arn + "/requestvalidators/" + aws.ToString(v.Id), name: aws.ToString(v.Name), from: v,
				set: fields{"RestApiId": str(api)}, call: "apigateway:GetRequestValidators",
			})
		}
		return nil
	})
}

func readUsagePlans(ctx context.Context, s *scope) error {
	client := apigateway.NewFromConfig(s.cfg)
	pages := apigateway.NewGetUsagePlansPaginator(client, &apigateway.GetUsagePlansInput{Limit: aws.Int32(500)})
	return each(ctx, s, apigatewayGet, pages, func(out *apigateway.GetUsagePlansOutput) error {
		for _, p := range out.Items {
			s.add(found{
				typ: "AWS::ApiGateway::UsagePlan", id: s.apigatewayARN("/usageplans/" + aws.ToString(p.Id)), name: aws.ToString(p.Name), from: p,
				renamed: map[string]string{"UsagePlanName": "Name"}, call: "apigateway:GetUsagePlans",
			})
		}
		return nil
	})
}
