package aws

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	types2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"assay/internal/estate"
)

var restTypes = []string{
	"AWS::ApiGateway::RestApi", "AWS::ApiGateway::Resource", "AWS::ApiGateway::Method", "AWS::ApiGateway::Stage", "AWS::ApiGateway::Authorizer",
	"AWS::ApiGateway::RequestValidator", "AWS::ApiGateway::Account",
}

func lambdaURI(name string) *string {
	return aws.String("arn:aws:apigateway:" + testRegion + ":lambda:path/2015-03-31/functions/" + lambdaARN(name) + "/invocations")
}

func lambdaARN(name string) string {
	return "arn:aws:lambda:" + testRegion + ":" + testAccount + ":function:" + name
}

// serveRestApis answers three APIs in pages of one: one that calls a function,
// one that does not, and one that is gone when it is asked about.
func serveRestApis(f *fake) {
	all := []types.RestApi{
		{Id: aws.String("calls"), Name: aws.String("orders"), ApiKeySource: types.ApiKeySourceTypeHeader, Tags: map[string]string{"team": "a"}, EndpointConfiguration: &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypeRegional}},
			Policy: aws.String(`{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"execute-api:Invoke\",\"Resource\":\"*\"}]}`)},
		{Id: aws.String("other"), Name: aws.String("no functions")},
		{Id: aws.String(deleted), Name: aws.String(deleted)},
	}
	all = kept(f, all, func(a types.RestApi) *string { return a.Name })
	always(f, &apigateway.GetAccountOutput{CloudwatchRoleArn: aws.String("arn:aws:iam::" + testAccount + ":role/logs"), ThrottleSettings: &types.ThrottleSettings{BurstLimit: 5000, RateLimit: 10000}}, &apigateway.GetAccountInput{})
	on(f, func(in *apigateway.GetRestApisInput) (*apigateway.GetRestApisOutput, error) {
		out := &apigateway.GetRestApisOutput{}
		out.Items, out.Position = page(all, in.Position, 1)
		return out, nil
	})
	resources := []types.Resource{
		{Id: aws.String("root"), Path: aws.String("/")},
		{Id: aws.String("r1"), ParentId: aws.String("root"), Path: aws.String("/o"), PathPart: aws.String("o"), ResourceMethods: map[string]types.Method{
			"GET": {
				HttpMethod: aws.String("GET"), AuthorizationType: aws.String("COGNITO_USER_POOLS"), AuthorizerId: aws.String("a1"), ApiKeyRequired: aws.Bool(false), RequestValidatorId: aws.String("v1"),
				RequestParameters: map[string]bool{"method.request.querystring.q": true}, MethodResponses: map[string]types.MethodResponse{"200": {StatusCode: aws.String("200")}},
				MethodIntegration: &types.Integration{
					Type: types.IntegrationTypeAwsProxy, HttpMethod: aws.String("POST"), Uri: lambdaURI("f1"), TimeoutInMillis: 29000, CacheNamespace: aws.String("r1"),
					IntegrationResponses: map[string]types.IntegrationResponse{"200": {StatusCode: aws.String("200"), ResponseTemplates: map[string]string{"application/json": "x"}}},
				},
			},
			"OPTIONS": {HttpMethod: aws.String("OPTIONS"), AuthorizationType: aws.String("NONE"), MethodIntegration: &types.Integration{Type: types.IntegrationTypeMock, TimeoutInMillis: 29000}},
		}},
	}
	on(f, func(in *apigateway.GetResourcesInput) (*apigateway.GetResourcesOutput, error) {
		switch *in.RestApiId {
		case "other":
			return &apigateway.GetResourcesOutput{Items: resources[:1]}, nil
		case deleted:
			return nil, refuse("NotFoundException", "Invalid API identifier specified")
		}
		out := &apigateway.GetResourcesOutput{}
		out.Items, out.Position = page(resources, in.Position, 1)
		return out, nil
	})
	always(f, &apigateway.GetStagesOutput{Item: []types.Stage{{
		StageName: aws.String("prod"), WebAclArn: aws.String(aclARN("two")), DeploymentId: aws.String("d1"), TracingEnabled: true, Variables: map[string]string{"level": "true"}, Tags: map[string]string{"a": "b"},
		AccessLogSettings: &types.AccessLogSettings{DestinationArn: aws.String("arn:aws:logs:" + testRegion + ":" + testAccount + ":log-group:access"), Format: aws.String("{}")},
		MethodSettings: map[string]types.MethodSetting{
			"*/*":         {LoggingLevel: aws.String("INFO"), ThrottlingBurstLimit: 5000, ThrottlingRateLimit: 10000, CacheTtlInSeconds: 300},
			"~1o~1p/POST": {LoggingLevel: aws.String("OFF"), ThrottlingBurstLimit: 7, ThrottlingRateLimit: 2.5, CacheTtlInSeconds: 300},
			"~1/GET":      {LoggingLevel: aws.String("OFF"), ThrottlingBurstLimit: -1, ThrottlingRateLimit: -1, CacheTtlInSeconds: 300},
		},
	}}}, &apigateway.GetStagesInput{})
	authorizers := []types.Authorizer{
		{Id: aws.String("a1"), Name: aws.String("users"), Type: types.AuthorizerTypeCognitoUserPools, ProviderARNs: []string{"arn:aws:cognito-idp:" + testRegion + ":" + testAccount + ":userpool/p1"}, AuthorizerResultTtlInSeconds: aws.Int32(300)},
		{Id: aws.String("a2"), Name: aws.String("mine"), Type: types.AuthorizerTypeToken, AuthorizerUri: lambdaURI("auth")},
	}
	on(f, func(in *apigateway.GetAuthorizersInput) (*apigateway.GetAuthorizersOutput, error) {
		out := &apigateway.GetAuthorizersOutput{}
		out.Items, out.Position = page(authorizers, in.Position, 1)
		return out, nil
	})
	on(f, func(in *apigateway.GetRequestValidatorsInput) (*apigateway.GetRequestValidatorsOutput, error) {
		if *in.RestApiId != "calls" {
			return &apigateway.GetRequestValidatorsOutput{}, nil
		}
		return &apigateway.GetRequestValidatorsOutput{Items: []types.RequestValidator{{Id: aws.String("v1"), Name: aws.String("body"), ValidateRequestBody: true}}}, nil
	})
}

// eachCallDenied is [eachDenied] for calls that share an action.
func eachCallDenied(t *testing.T, serve func(*fake), action string, operations []string, with ...func(*Options)) {
	t.Helper()
	collect := func(rules ...*fault) []*estate.Builder {
		f := newFake(t).empty().fault(rules...)
		serve(f)
		return f.open(with...).Collect(context.Background())
	}
	clean := collect()
	for _, operation := range operations {
		got := collect(denied(operation))
		t.Run(operation, func(t *testing.T) { losesOnly(t, clean, got, action) })
	}
}

func TestRestApis(t *testing.T) {
	f := newFake(t)
	serveRestApis(f)
	got := f.open(only(restTypes...)).Collect(context.Background())
	golden(t, "restapis", show(t, got))
	for _, m := range estate.Build(testModel(t), got)[1].OfType("AWS::ApiGateway::Method") {
		if validators := m.Related("requestValidators"); m.Address == "GET /o" && (len(validators) != 1 || validators[0].To == nil) {
			t.Errorf("validators of %s: %v", m.Address, validators)
		}
	}
	if c := coverage(t, got, "AWS::ApiGateway::RestApi"); c.State != estate.CoverageLinked {
		t.Errorf("coverage of APIs is %s: those that call no function are left out", c.State)
	}
	all := f.open(only(restTypes...), everything).Collect(context.Background())
	resource(t, all, "AWS::ApiGateway::RestApi", "no functions")
	if c := coverage(t, all, "AWS::ApiGateway::RestApi"); c.State != estate.CoverageComplete {
		t.Errorf("coverage of all APIs is %s", c.State)
	}
	eachCallDenied(t, serveRestApis, apigatewayGet, []string{
		"apigateway:GetRestApis", "apigateway:GetResources", "apigateway:GetStages", "apigateway:GetAuthorizers", "apigateway:GetRequestValidators",
	}, only(restTypes...), everything)
}

// A limit that is the account's is no limit of the stage, and what the account's
// is has to be known for that.
func TestStageLimitUnknown(t *testing.T) {
	f := newFake(t)
	serveRestApis(f)
	f.fault(denied("apigateway:GetAccount"))
	stage := resource(t, f.open(only(restTypes...)).Collect(context.Background()), "AWS::ApiGateway::Stage", "prod")
	settings := stage.Properties.Field("MethodSettings").Items()
	if len(settings) != 3 {
		t.Fatalf("%d settings", len(settings))
	}
	for _, s := range settings {
		limit := s.Field("ThrottlingRateLimit")
		if unset := s.Field("ResourcePath").AsString() == "/"; unset != (limit == nil) || !unset && limit.Kind() != estate.KindDenied {
			t.Errorf("limit of %s: %s", s.Field("ResourcePath").AsString(), jsonOf(limit))
		}
	}
}

func TestUsagePlans(t *testing.T) {
	f := newFake(t)
	plans := []types.UsagePlan{
		{Id: aws.String("u1"), Name: aws.String("gold"), ApiStages: []types.ApiStage{{ApiId: aws.String("calls"), Stage: aws.String("prod")}}, Throttle: &types.ThrottleSettings{BurstLimit: 5, RateLimit: 2}},
		{Id: aws.String("u2"), Name: aws.String("free"), Quota: &types.QuotaSettings{Limit: 10, Period: types.QuotaPeriodTypeDay}},
	}
	on(f, func(in *apigateway.GetUsagePlansInput) (*apigateway.GetUsagePlansOutput, error) {
		out := &apigateway.GetUsagePlansOutput{}
		out.Items, out.Position = page(plans, in.Position, 1)
		return out, nil
	})
	golden(t, "usageplans", show(t, f.open(only("AWS::ApiGateway::UsagePlan")).Collect(context.Background())))
}

var httpTypes = []string{"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Stage", "AWS::ApiGatewayV2::Authorizer"}

func serveHTTPApis(f *fake) {
	all := []types2.Api{
		{ApiId: aws.String("h1"), Name: aws.String("web"), ProtocolType: types2.ProtocolTypeHttp, DisableExecuteApiEndpoint: aws.Bool(true), Tags: map[string]string{"team": "a"}, RouteSelectionExpression: aws.String("$request.method $request.path")},
		{ApiId: aws.String("h2"), Name: aws.String("no functions"), ProtocolType: types2.ProtocolTypeHttp, RouteSelectionExpression: aws.String("$request.method $request.path")},
		{ApiId: aws.String("h3"), Name: aws.String(deleted), ProtocolType: types2.ProtocolTypeHttp, RouteSelectionExpression: aws.String("$request.method $request.path")},
	}
	all = kept(f, all, func(a types2.Api) *string { return a.Name })
	on(f, func(in *apigatewayv2.GetApisInput) (*apigatewayv2.GetApisOutput, error) {
		out := &apigatewayv2.GetApisOutput{}
		out.Items, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	integrations := []types2.Integration{
		{IntegrationId: aws.String("i0"), IntegrationType: types2.IntegrationTypeHttpProxy, IntegrationUri: aws.String("https://example.com")},
		{IntegrationId: aws.String("i1"), IntegrationType: types2.IntegrationTypeAwsProxy, IntegrationUri: aws.String(lambdaARN("f1")), PayloadFormatVersion: aws.String("2.0"), TimeoutInMillis: aws.Int32(30000),
			ResponseParameters: map[string]map[string]string{"200": {"overwrite:header.x": "y"}}},
	}
	on(f, func(in *apigatewayv2.GetIntegrationsInput) (*apigatewayv2.GetIntegrationsOutput, error) {
		switch *in.ApiId {
		case "h2":
			return &apigatewayv2.GetIntegrationsOutput{Items: integrations[:1]}, nil
		case "h3":
			return nil, refuse("NotFoundException", "Invalid API identifier specified")
		}
		out := &apigatewayv2.GetIntegrationsOutput{}
		out.Items, out.NextToken = page(integrations, in.NextToken, 1)
		return out, nil
	})
	routes := []types2.Route{
		{RouteId: aws.String("r1"), RouteKey: aws.String("GET /x"), Target: aws.String("integrations/i1"), AuthorizationType: types2.AuthorizationTypeJwt, AuthorizerId: aws.String("a1"), RequestParameters: map[string]types2.ParameterConstraints{"route.request.header.x": {Required: aws.Bool(true)}}},
		{RouteId: aws.String("r2"), RouteKey: aws.String("$default"), AuthorizationType: types2.AuthorizationTypeNone},
	}
	on(f, func(in *apigatewayv2.GetRoutesInput) (*apigatewayv2.GetRoutesOutput, error) {
		out := &apigatewayv2.GetRoutesOutput{}
		out.Items, out.NextToken = page(routes, in.NextToken, 1)
		return out, nil
	})
	stages := []types2.Stage{
		{StageName: aws.String("$default"), AutoDeploy: aws.Bool(true), StageVariables: map[string]string{"a": "true"}, DefaultRouteSettings: &types2.RouteSettings{DetailedMetricsEnabled: aws.Bool(false)}},
		{StageName: aws.String("two"), DefaultRouteSettings: &types2.RouteSettings{ThrottlingBurstLimit: aws.Int32(5)}, RouteSettings: map[string]types2.RouteSettings{"GET /x": {DataTraceEnabled: aws.Bool(true)}}},
	}
	on(f, func(in *apigatewayv2.GetStagesInput) (*apigatewayv2.GetStagesOutput, error) {
		out := &apigatewayv2.GetStagesOutput{}
		out.Items, out.NextToken = page(stages, in.NextToken, 1)
		return out, nil
	})
	authorizers := []types2.Authorizer{
		{AuthorizerId: aws.String("a1"), Name: aws.String("jwt"), AuthorizerType: types2.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"}, JwtConfiguration: &types2.JWTConfiguration{Audience: []string{"me"}, Issuer: aws.String("https://cognito-idp." + testRegion + ".amazonaws.com/p1")}},
		{AuthorizerId: aws.String("a2"), Name: aws.String("mine"), AuthorizerType: types2.AuthorizerTypeRequest},
	}
	on(f, func(in *apigatewayv2.GetAuthorizersInput) (*apigatewayv2.GetAuthorizersOutput, error) {
		out := &apigatewayv2.GetAuthorizersOutput{}
		out.Items, out.NextToken = page(authorizers, in.NextToken, 1)
		return out, nil
	})
}

func TestHTTPApis(t *testing.T) {
	f := newFake(t)
	serveHTTPApis(f)
	golden(t, "httpapis", show(t, f.open(only(httpTypes...)).Collect(context.Background())))
	eachCallDenied(t, serveHTTPApis, apigatewayGet, []string{
		"apigateway:GetApis", "apigateway:GetIntegrations", "apigateway:GetRoutes", "apigateway:GetStages", "apigateway:GetAuthorizers",
	}, only(httpTypes...), everything)
	resource(t, f.open(only(httpTypes...), everything).Collect(context.Background()), "AWS::ApiGatewayV2::Api", "no functions")
}

func serveDomains(f *fake) {
	serveHTTPApis(f)
	old := []types.DomainName{
		{DomainName: aws.String("edge.example"), SecurityPolicy: types.SecurityPolicyTls12, EndpointConfiguration: &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypeEdge}}},
		{DomainName: aws.String("rest.example"), SecurityPolicy: types.SecurityPolicyTls12, EndpointConfiguration: &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypeRegional}}},
		{DomainName: aws.String("http.example"), SecurityPolicy: types.SecurityPolicyTls10, EndpointConfiguration: &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypeRegional}}},
		{DomainName: aws.String("in.example"), DomainNameArn: aws.String("arn:aws:apigateway:" + testRegion + ":" + testAccount + ":/domainnames/in.example+1"), DomainNameId: aws.String("1"), EndpointConfiguration: &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypePrivate}}},
		{DomainName: aws.String(deleted), EndpointConfiguration: &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypeEdge}}},
	}
	old = kept(f, old, func(d types.DomainName) *string { return d.DomainName })
	on(f, func(in *apigateway.GetDomainNamesInput) (*apigateway.GetDomainNamesOutput, error) {
		out := &apigateway.GetDomainNamesOutput{}
		out.Items, out.Position = page(old, in.Position, 2)
		return out, nil
	})
	var regional []types2.DomainName
	for _, name := range []string{"rest.example", "http.example", "new.example"} {
		regional = append(regional, types2.DomainName{DomainName: aws.String(name), DomainNameConfigurations: []types2.DomainNameConfiguration{{EndpointType: types2.EndpointTypeRegional, SecurityPolicy: types2.SecurityPolicyTls12}}})
	}
	on(f, func(in *apigatewayv2.GetDomainNamesInput) (*apigatewayv2.GetDomainNamesOutput, error) {
		out := &apigatewayv2.GetDomainNamesOutput{}
		out.Items, out.NextToken = page(regional, in.NextToken, 1)
		return out, nil
	})
	mappings := map[string][]types2.ApiMapping{
		"rest.example": {{ApiId: aws.String("calls"), Stage: aws.String("prod"), ApiMappingKey: aws.String("v1/orders")}},
		"http.example": {{ApiId: aws.String("h1"), Stage: aws.String("$default")}, {ApiId: aws.String("h2"), Stage: aws.String("$default"), ApiMappingKey: aws.String("two")}},
	}
	on(f, func(in *apigatewayv2.GetApiMappingsInput) (*apigatewayv2.GetApiMappingsOutput, error) {
		out := &apigatewayv2.GetApiMappingsOutput{}
		out.Items, out.NextToken = page(mappings[*in.DomainName], in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *apigateway.GetBasePathMappingsInput) (*apigateway.GetBasePathMappingsOutput, error) {
		if *in.DomainName == deleted {
			return nil, refuse("NotFoundException", "Invalid domain name identifier specified")
		}
		return &apigateway.GetBasePathMappingsOutput{Items: []types.BasePathMapping{{RestApiId: aws.String("calls"), Stage: aws.String("prod"), BasePath: aws.String("(none)")}}}, nil
	})
}

func TestDomains(t *testing.T) {
	domainTypes := []string{"AWS::ApiGateway::DomainName", "AWS::ApiGateway::BasePathMapping", "AWS::ApiGateway::DomainNameV2", "AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping"}
	f := newFake(t)
	serveDomains(f)
	golden(t, "domains", show(t, f.open(only(domainTypes...)).Collect(context.Background())))
	eachCallDenied(t, serveDomains, apigatewayGet, []string{
		"apigateway:GetDomainNames", "apigateway:GetApis", "apigateway:GetApiMappings", "apigateway:GetBasePathMappings",
	}, only(domainTypes...))
}
