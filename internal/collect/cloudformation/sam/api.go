package sam

import (
	"strings"

	"assay/internal/estate"
)

// restAPI expands AWS::Serverless::Api.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html
func (x *expander) restAPI(r *estate.Resource) {
	at, id, p := originOf(r), r.LogicalID, r.Properties
	before := len(x.out)
	props := object{}
	props.copyFrom(p, "BinaryMediaTypes", "MinimumCompressionSize", "Name", "Description", "Mode",
		"ApiKeySourceType", "Policy", "SecurityPolicy", "EndpointAccessMode", "FailOnWarnings")
	endpointConfiguration(props, get(p, "EndpointConfiguration"))
	doc := x.body(r)
	switch {
	case !empty(get(p, "DefinitionUri")):
		props["BodyS3Location"] = s3Location(get(p, "DefinitionUri"), id+".DefinitionUri", "Bucket", "Key", "Version")
	case doc != nil:
		props["Body"] = x.restBody(id, doc, p)
	}
	x.add(at, "AWS::ApiGateway::RestApi", id, props)

	// The deployment's id ends in a hash over Python's text of the document,
	// intrinsic functions included, which values do not give back.
	deployment := object{
		"RestApiId":   ref(id),
		"Description": estate.Unknown("made by AWS from the text of the API's definition", id),
	}
	if empty(get(p, "OpenApiVersion")) {
		deployment["StageName"] = str("Stage")
	}
	x.add(at, "AWS::ApiGateway::Deployment", id+"Deployment", deployment)
	x.renamed[id+".Deployment"] = id + "Deployment"

	stage := object{"RestApiId": ref(id), "DeploymentId": ref(id + "Deployment")}
	stage.copyFrom(p, "StageName", "CacheClusterEnabled", "CacheClusterSize", "Variables", "MethodSettings",
		"AccessLogSetting", "CanarySetting", "TracingEnabled")
	if tags := get(p, "Tags"); tags != nil {
		stage["Tags"] = tagList(tags)
	}
	stageID := id + "Stage"
	if name := get(p, "StageName").AsString(); name != "" && x.written(get(p, "StageName")) == "" {
		if stageID = suffixed(id+"Stage", name); alphanumeric(name) {
			stageID = id + name + "Stage"
		}
	}
	x.add(at, "AWS::ApiGateway::Stage", stageID, stage)
	x.renamed[id+".Stage"] = stageID

	auth := get(p, "Auth")
	x.authorizerPermissions(at, id, auth, func(a *estate.Value) bool {
		return !truth(get(a, "DisableFunctionDefaultPermissions"))
	})
	x.usagePlan(at, id, stageID, get(auth, "UsagePlan"))
	x.restDomain(at, id, get(p, "Domain"))
	x.propagateTags(x.out[before:], p)
}

// endpointConfiguration is written as a word or an object in SAM.
func endpointConfiguration(props object, config *estate.Value) {
	if empty(config) {
		return
	}
	kind := config
	made := object{}
	if config.Kind() == estate.KindMap {
		kind = get(config, "Type")
		made["VpcEndpointIds"] = get(config, "VPCEndpointIds")
		if made["VpcEndpointIds"] == nil {
			made["VpcEndpointIds"] = get(config, "VpcEndpointIds")
		}
		made.copyFrom(config, "IpAddressType")
		if kind == nil { // Already in CloudFormation's shape; SAM wraps it all the same.
			kind = config
			made = object{}
		}
	}
	made["Types"] = list(kind)
	props["EndpointConfiguration"] = made.value().At(config.Position())
	props["Parameters"] = object{"endpointConfigurationTypes": kind}.value().At(config.Position())
}

// restBody adds to the document what the API's properties ask for.
func (x *expander) restBody(id string, doc, p *estate.Value) *estate.Value {
	if !validDocument(doc) {
		return doc
	}
	version := get(p, "OpenApiVersion")
	doc = x.underCondition(id, doc)
	if cors := get(p, "Cors"); !empty(cors) {
		doc = addCORS(doc, cors)
	}
	if auth := get(p, "Auth"); !empty(auth) {
		doc = toOpenAPI3(x.restAuth(doc, auth, get(p, "StageName")), version)
	}
	for _, response := range get(p, "GatewayResponses").Fields() {
		doc = set(doc, gatewayResponse(response.Value), "x-amazon-apigateway-gateway-responses", response.Name)
	}
	if media := get(p, "BinaryMediaTypes"); !empty(media) {
		doc = doc.With("x-amazon-apigateway-binary-media-types", media.Rewrite(func(v *estate.Value) *estate.Value {
			if s := v.AsString(); strings.Contains(s, "~1") {
				return str(strings.ReplaceAll(s, "~1", "/")).At(v.Position())
			}
			return v
		}))
	}
	if models := get(p, "Models"); !empty(models) {
		for _, m := range models.Fields() {
			doc = set(doc, m.Value, "definitions", strings.ToLower(m.Name))
		}
		doc = toOpenAPI3(doc, version)
	}
	if disabled := get(p, "DisableExecuteApiEndpoint"); disabled != nil {
		doc = disableEndpoint(doc, disabled)
	}
	return toOpenAPI3(doc, version)
}

func gatewayResponse(response *estate.Value) *estate.Value {
	parameters := object{}
	for _, kind := range []struct{ name, prefix string }{
		{"Headers", "header."}, {"Paths", "path."}, {"QueryStrings", "querystring."},
	} {
		for _, f := range dig(response, "ResponseParameters", kind.name).Fields() {
			parameters["gatewayresponse."+kind.prefix+f.Name] = f.Value
		}
	}
	templates := get(response, "ResponseTemplates")
	if templates == nil {
		templates = estate.Map()
	}
	made := object{"responseParameters": parameters.value(), "responseTemplates": templates}
	if code := get(response, "StatusCode"); !empty(code) {
		made["statusCode"] = code
		if s, ok := code.Scalar(); ok {
			made["statusCode"] = str(s).At(code.Position())
		}
	}
	return made.value().At(response.Position())
}

func disableEndpoint(doc, disabled *estate.Value) *estate.Value {
	const configuration = "x-amazon-apigateway-endpoint-configuration"
	if !openAPI3(doc.Field("openapi")) {
		return set(doc, disabled, configuration, "disableExecuteApiEndpoint")
	}
	servers := doc.Field("servers").Items()
	if doc.Field("servers") == nil {
		servers = []*estate.Value{estate.Map()}
	}
	changed := make([]*estate.Value, len(servers))
	for i, s := range servers {
		changed[i] = set(s, disabled, configuration, "disableExecuteApiEndpoint")
	}
	return doc.With("servers", list(changed...))
}

// restAuth adds the API's authorizers, key and resource policy.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiauth.html
func (x *expander) restAuth(doc, auth, stage *estate.Value) *estate.Value {
	authorizers, standard := get(auth, "Authorizers"), get(auth, "DefaultAuthorizer")
	if is(standard, "AWS_IAM") {
		doc = set(doc, object{
			"type": str("apiKey"), "name": str("Authorization"), "in": str("header"),
			"x-amazon-apigateway-authtype": str("awsSigv4"),
		}.value().At(standard.Position()), "securityDefinitions", "AWS_IAM")
	}
	for _, a := range authorizers.Fields() {
		doc = set(doc, x.restAuthorizer(a.Value), "securityDefinitions", a.Name)
	}
	preflight := func(name string) bool { return get(auth, name) == nil || truth(get(auth, name)) }
	if name := standard.AsString(); name != "" {
		doc = defaultAuthorizer(doc, name, authorizers, preflight("AddDefaultAuthorizerToCorsPreflight"))
	}
	if !empty(get(auth, "ApiKeyRequired")) {
		doc = defaultAPIKey(apiKeyScheme(doc), preflight("AddApiKeyRequiredToCorsPreflight"))
	}
	if policy := get(auth, "ResourcePolicy"); policy.Kind() == estate.KindMap {
		for _, path := range doc.Field("paths").Fields() {
			doc = resourcePolicy(doc, policy, path.Name, stage)
		}
		doc = customStatements(doc, get(policy, "CustomStatements"))
	}
	return doc
}

// restAuthorizer is the security scheme of a user pool or function.
func (x *expander) restAuthorizer(a *estate.Value) *estate.Value {
	identity := get(a, "Identity")
	header := get(identity, "Header")
	if empty(header) {
		header = str("Authorization")
	}
	scheme := object{"type": str("apiKey"), "name": header, "in": str("header")}
	authorizer := object{}
	validates := true
	if pool := get(a, "UserPoolArn"); !empty(pool) {
		if pool.Kind() != estate.KindList {
			pool = list(pool)
		}
		scheme["x-amazon-apigateway-authtype"] = str("cognito_user_pools")
		authorizer["type"], authorizer["providerARNs"] = str("cognito_user_pools"), pool
	} else {
		scheme["x-amazon-apigateway-authtype"] = str("custom")
		authorizer["type"] = str("token")
		authorizer["authorizerUri"] = x.lambdaURI(get(a, "FunctionArn"), "2015-03-31", "/invocations")
		authorizer["authorizerResultTtlInSeconds"] = get(identity, "ReauthorizeEvery")
		if role := get(a, "FunctionInvokeRole"); !empty(role) && !is(role, "NONE") {
			authorizer["authorizerCredentials"] = role
		}
		if is(get(a, "FunctionPayloadType"), "REQUEST") {
			scheme["name"] = str("Unused")
			authorizer["type"] = str("request")
			if sources := identitySources(identity, "method.request.", ""); len(sources) > 0 {
				parts := []*estate.Value{sources[0]}
				for _, s := range sources[1:] {
					parts = append(parts, str(", "), s)
				}
				authorizer["identitySource"] = text(parts...)
			}
			validates = false
		}
	}
	if expression := get(identity, "ValidationExpression"); validates && !empty(expression) {
		authorizer["identityValidationExpression"] = expression
	}
	scheme[authorizerKey] = authorizer.value()
	return scheme.value().At(a.Position())
}

// identitySources are the places of a request that identify the caller.
func identitySources(identity *estate.Value, request, other string) []*estate.Value {
	var sources []*estate.Value
	for _, kind := range []struct{ name, prefix string }{
		{"Headers", request + "header."}, {"QueryStrings", request + "querystring."},
		{"StageVariables", other + "stageVariables."}, {"Context", other + "context."},
	} {
		for _, v := range get(identity, kind.name).Items() {
			sources = append(sources, text(str(kind.prefix), v))
		}
	}
	return sources
}

// authorizerPermissions lets API Gateway call the functions that authorize.
func (x *expander) authorizerPermissions(at origin, id string, auth *estate.Value, wanted func(*estate.Value) bool) {
	for _, a := range get(auth, "Authorizers").Fields() {
		function := get(a.Value, "FunctionArn")
		if empty(function) || !wanted(a.Value) {
			continue
		}
		x.add(at.from(a.Value), "AWS::Lambda::Permission", id+a.Name+"AuthorizerPermission", object{
			"Action": str("lambda:InvokeFunction"), "FunctionName": function,
			"Principal": str("apigateway.amazonaws.com"),
			"SourceArn": x.serviceARN("execute-api", ref(id), str("/authorizers/*")),
		})
	}
}

// usagePlan adds the plan and key that an API asks for, its own or one that
// the template's APIs share.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiusageplan.html
func (x *expander) usagePlan(at origin, id, stage string, plan *estate.Value) {
	stem := id
	switch kind := get(plan, "CreateUsagePlan"); {
	case plan == nil || is(kind, "NONE"):
		return
	case is(kind, "SHARED"):
		stem = "Serverless"
	case !is(kind, "PER_API"):
		x.partial("AWS::ApiGateway::UsagePlan", "whether "+id+" has a usage plan is not known")
		return
	}
	apiStage := object{"ApiId": ref(id), "Stage": ref(stage)}.value()
	stageKey := object{"RestApiId": ref(id), "StageName": ref(stage)}.value()
	var stages, keys *estate.Value
	if had := x.byID[stem+"UsagePlan"]; had != nil {
		stages = had.Properties.Field("ApiStages")
		keys = x.byID[stem+"ApiKey"].Properties.Field("StageKeys")
		if had.Exists == nil {
			at.exists, at.input = nil, ""
		}
	}
	props := object{"ApiStages": appended(stages, apiStage)}
	props.copyFrom(plan, "UsagePlanName", "Description", "Quota", "Tags", "Throttle")
	at = at.from(plan)
	x.add(at, "AWS::ApiGateway::UsagePlan", stem+"UsagePlan", props)
	x.add(at, "AWS::ApiGateway::ApiKey", stem+"ApiKey", object{
		"Enabled": estate.Bool(true), "StageKeys": appended(keys, stageKey),
	})
	x.add(at, "AWS::ApiGateway::UsagePlanKey", stem+"UsagePlanKey", object{
		"KeyId": ref(stem + "ApiKey"), "KeyType": str("API_KEY"), "UsagePlanId": ref(stem + "UsagePlan"),
	})
	x.renamed[id+".UsagePlan"], x.renamed[id+".UsagePlanKey"], x.renamed[id+".ApiKey"] =
		stem+"UsagePlan", stem+"UsagePlanKey", stem+"ApiKey"
}
