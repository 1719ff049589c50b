package access_test

import (
	"testing"

	"assay/iam"
	"assay/internal/access"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

// TestExposure shows what each way in to a function makes of its exposure.
func TestExposure(t *testing.T) {
	model, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	lib, err := check.NewLibrary(model, check.Tables{Runtimes: tables.Runtimes()})
	if err != nil {
		t.Fatal(err)
	}
	facts, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	asker := access.New(facts, tables.Escalation()).Asker
	for _, tt := range []struct {
		name, resources string
		want            check.Exposure
	}{
		{"alone", "", check.Internal},
		{"url_open", `
  U: {Type: AWS::Lambda::Url, Properties: {AuthType: NONE, TargetFunctionArn: !GetAtt F.Arn}}
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionUrlAuthType: NONE}}`, check.Internet},
		{"url_without_the_permission", `
  U: {Type: AWS::Lambda::Url, Properties: {AuthType: NONE, TargetFunctionArn: !GetAtt F.Arn}}`, check.Internal},
		{"url_signed", `
  U: {Type: AWS::Lambda::Url, Properties: {AuthType: AWS_IAM, TargetFunctionArn: !GetAtt F.Arn}}`, check.Internal},
		{"everyone_may_call", `
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunction", Principal: "*"}}`, check.AnyAccount},
		{"a_service_for_any_customer", `
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunction", Principal: sns.amazonaws.com}}`, check.AnyAccount},
		{"a_topic_of_ours", `
  T: {Type: AWS::SNS::Topic}
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunction", Principal: sns.amazonaws.com, SourceArn: !Ref T}}`, check.Internal},
		{"another_account", `
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunction", Principal: "999999999999"}}`, check.Outside},
		{"the_own_account", `
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunction", Principal: "111122223333"}}`, check.Internal},
		{"the_organisation", `
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunction", Principal: "*", PrincipalOrgID: o-a1b2c3}}`, check.Outside},
		{"rest_method_open", `
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, ResourceId: r, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}}}`, check.Internet},
		{"rest_method_with_a_key", `
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, ResourceId: r, HttpMethod: GET, AuthorizationType: NONE, ApiKeyRequired: true, Integration: {Type: AWS_PROXY, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}}}`, check.Outside},
		{"rest_method_authorized", `
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, ResourceId: r, HttpMethod: GET, AuthorizationType: AWS_IAM, Integration: {Type: AWS_PROXY, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}}}`, check.Outside},
		{"rest_method_private", `
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a, EndpointConfiguration: {Types: [PRIVATE]}}}
  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, ResourceId: r, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}}}`, check.Internal},
		{"rest_method_behind_a_policy", `
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a, Policy: {Statement: []}}}
  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, ResourceId: r, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}}}`, check.ExposureUnknown},
		{"http_route_open", `
  A: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: HTTP}}
  I: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref A, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn}}
  R: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref A, RouteKey: GET /, Target: !Sub "integrations/${I}"}}`, check.Internet},
		{"http_route_to_something_else", `
  A: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: HTTP}}
  I: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref A, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn}}
  J: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref A, IntegrationType: HTTP_PROXY, IntegrationUri: https://example.com}}
  R: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref A, RouteKey: GET /, Target: !Sub "integrations/${J}"}}
  S: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref A, RouteKey: POST /, AuthorizationType: JWT, AuthorizerId: z, Target: !Sub "integrations/${I}"}}`, check.Outside},
		{"load_balancer_open", `
  G: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {TargetType: lambda, Targets: [{Id: !GetAtt F.Arn}]}}
  L: {Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {LoadBalancerArn: !Ref B, DefaultActions: [{Type: forward, TargetGroupArn: !Ref G}]}}
  B: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internet-facing}}`, check.Internet},
		{"load_balancer_internal", `
  G: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {TargetType: lambda, Targets: [{Id: !GetAtt F.Arn}]}}
  L: {Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {LoadBalancerArn: !Ref B, DefaultActions: [{Type: forward, TargetGroupArn: !Ref G}]}}
  B: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internal}}`, check.Internal},
		{"load_balancer_that_has_callers_sign_in", `
  G: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {TargetType: lambda, Targets: [{Id: !GetAtt F.Arn}]}}
  L: {Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {LoadBalancerArn: !Ref B, DefaultActions: [{Type: authenticate-oidc, Order: 1}, {Type: forward, Order: 2, TargetGroupArn: !Ref G}]}}
  B: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internet-facing}}`, check.Outside},
		{"the_principal_is_not_known", `
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunction", Principal: !Ref Who}}`, check.ExposureUnknown},
		{"graphql_with_a_key", `
  A: {Type: AWS::AppSync::GraphQLApi, Properties: {Name: a, AuthenticationType: API_KEY}}
  D: {Type: AWS::AppSync::DataSource, Properties: {ApiId: !GetAtt A.ApiId, Name: d, Type: AWS_LAMBDA, LambdaConfig: {LambdaFunctionArn: !GetAtt F.Arn}}}`, check.Internet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			template := "Parameters: {Who: {Type: String}}\nResources:\n  F: {Type: AWS::Lambda::Function}" + tt.resources + "\n"
			reader := cloudformation.New(cloudformation.Options{Parameters: map[string]string{"AWS::AccountId": "111122223333"}})
			s := reader.Collect(t.Context(), collect.File{Name: "t.yaml", Data: []byte(template), Named: true})[0].Build(model)
			got := lib.Exposure(s.Resource("F"), check.Setting{Asker: asker()})
			if got.Exposure != tt.want {
				t.Errorf("got %+v, want %s", got, tt.want)
			}
			if got.Exposure == check.ExposureUnknown && len(got.Missing) == 0 {
				t.Error("nothing is named that would settle it")
			}
			if got.Exposure != check.ExposureUnknown && got.Exposure != check.Internal && len(got.Reads) == 0 {
				t.Error("nothing shows it")
			}
		})
	}
}
