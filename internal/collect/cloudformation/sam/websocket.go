package sam

import (
	"strings"

	"assay/internal/estate"
)

// webSocketAPI expands AWS::Serverless::WebSocketApi.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-websocketapi.html
func (x *expander) webSocketAPI(r *estate.Resource) {
	at, id, p := originOf(r), r.LogicalID, r.Properties
	const createdBy = "websocketapi:createdBy"
	props := object{"ProtocolType": str("WEBSOCKET"), "Tags": set(get(p, "Tags"), str("SAM"), createdBy)}
	props.copyFrom(p, "ApiKeySelectionExpression", "Description", "DisableExecuteApiEndpoint",
		"DisableSchemaValidation", "IpAddressType", "Name", "RouteSelectionExpression")
	if props["Name"] == nil {
		props["Name"] = str(id)
	}
	x.add(at, "AWS::ApiGatewayV2::Api", id, props)

	name := get(p, "StageName")
	stageID := id + "Stage"
	if name == nil {
		name, stageID = str("default"), id+"DefaultStage"
	} else if s := name.AsString(); s == "default" {
		stageID = id + "DefaultStage"
	} else if s != "" && x.written(name) == "" {
		stageID = id + s + "Stage"
	}
	auth := get(p, "Auth")
	for _, route := range get(p, "Routes").Fields() {
		x.webSocketRoute(at.from(route.Value), id, route.Name, route.Value, name, auth)
	}
	stage := object{
		"ApiId": ref(id), "StageName": name, "AutoDeploy": estate.Bool(true),
		"Tags": object{createdBy: str("SAM")}.value(),
	}
	stage.copyFrom(p, "StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")
	x.add(at, "AWS::ApiGatewayV2::Stage", stageID, stage)
	x.renamed[id+".Stage"] = stageID
	before := len(x.out)
	x.httpDomain(at, id, get(p, "Domain"), object{createdBy: str("SAM")}.value())
	if truth(get(p, "PropagateTags")) && !empty(get(p, "Tags")) {
		for _, r := range append(x.out[before:len(x.out):len(x.out)], x.byID[stageID]) {
			if r.Type == "AWS::ApiGatewayV2::DomainName" || r.LogicalID == stageID {
				r.Properties = r.Properties.With("Tags", x.byID[id].Properties.Field("Tags"))
			}
		}
	}
}

// webSocketRoute adds one route with its integration and permission, and to
// $connect the authorizer.
func (x *expander) webSocketRoute(at origin, api, key string, spec, stage, auth *estate.Value) {
	plain := strings.TrimPrefix(key, "$")
	if plain != "" {
		plain = strings.ToUpper(plain[:1]) + strings.ToLower(plain[1:])
	}
	stem := api + letters(plain)
	function := known(get(spec, "FunctionArn"))
	route := object{
		"ApiId": ref(api), "RouteKey": str(key), "Target": text(str("integrations/"), ref(stem+"Integration")),
	}
	route.copyFrom(spec, "ApiKeyRequired", "ModelSelectionExpression", "OperationName", "RequestModels",
		"RequestParameters", "RouteResponseSelectionExpression")
	if kind := get(auth, "AuthType"); key == "$connect" && kind != nil {
		route["AuthorizationType"] = kind
		if is(kind, "CUSTOM") {
			route["AuthorizerId"] = ref(api + "ConnectAuthorizer")
			x.webSocketAuthorizer(at.from(auth), api, auth)
		}
	}
	x.add(at, "AWS::ApiGatewayV2::Route", stem+"Route", route)
	x.add(at, "AWS::ApiGatewayV2::Integration", stem+"Integration", object{
		"ApiId": ref(api), "IntegrationType": str("AWS_PROXY"),
		"IntegrationUri":  x.lambdaURI(function, "2015-03-31", "/invocations"),
		"TimeoutInMillis": get(spec, "IntegrationTimeout"),
	})
	x.add(at, "AWS::Lambda::Permission", stem+"Permission", object{
		"Action": str("lambda:InvokeFunction"), "FunctionName": function, "Principal": str("apigateway.amazonaws.com"),
		"SourceArn": x.serviceARN("execute-api", estate.Ref(api, "ApiId"), str("/"), stage, str("/"+key)),
	})
}

func (x *expander) webSocketAuthorizer(at origin, api string, auth *estate.Value) {
	id := api + "ConnectAuthorizer"
	function, role, name := get(auth, "AuthArn"), get(auth, "InvokeRole"), get(auth, "Name")
	if empty(name) {
		name = str(id)
	}
	x.add(at, "AWS::ApiGatewayV2::Authorizer", id, object{
		"ApiId": ref(api), "AuthorizerType": str("REQUEST"), "Name": name, "AuthorizerCredentialsArn": role,
		"AuthorizerUri":  x.lambdaURI(known(function), "2015-03-31", "/invocations"),
		"IdentitySource": get(auth, "IdentitySource"),
	})
	if empty(role) && function != nil {
		x.add(at, "AWS::Lambda::Permission", api+"AuthorizerPermission", object{
			"Action": str("lambda:InvokeFunction"), "FunctionName": function,
			"Principal": str("apigateway.amazonaws.com"),
			"SourceArn": x.serviceARN("execute-api", ref(api), str("/authorizers/*")),
		})
	}
}
