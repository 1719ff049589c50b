package sam

import (
	"slices"
	"strings"

	"assay/internal/estate"
)

const (
	defaultStage  = "$default"
	createdByHTTP = "httpapi:createdBy"
)

// httpEvent lets an HTTP API call the function.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-httpapi.html
func (f *function) httpEvent(at origin, id string, event *estate.Value) {
	api := f.byID[apiID(event, "ApiId", implicitHTTP)]
	path, name := get(event, "Path"), get(event, "Method").AsString()
	if path == nil && name == "" {
		path, name = str(defaultStage), anyMethod
	}
	m := method(name)
	var d *draft
	if api != nil && api.Type == prefix+"HttpApi" {
		d = f.draft(api)
	}
	// A permission for $default holds for all routes.
	covered := false
	if path.AsString() != defaultStage && d != nil {
		held := dig(d.paths[defaultStage], anyMethod, integrationKey, "uri")
		covered = f.alias == nil && held != nil && estate.Equal(held, at.optional(f.lambdaURI(f.arn(), "2015-03-31", "/invocations")))
	}
	if !covered {
		target := path
		if path.AsString() == defaultStage {
			target = str("")
		}
		f.permit(at, id+"Permission", "apigateway.amazonaws.com", object{
			"SourceArn": f.invokeARN(apiRef(event, "ApiId", implicitHTTP), verb(name), target),
		})
	}
	if settings := get(event, "RouteSettings"); settings != nil && api != nil {
		route := strings.ToUpper(name) + " " + path.AsString()
		if m == anyMethod && name == anyMethod {
			route = path.AsString()
		}
		had := dig(api.Properties, "RouteSettings", route)
		api.Properties = set(api.Properties, merge(had, at.optional(settings)), "RouteSettings", route)
	}
	switch {
	case d == nil:
	case path.Kind() != estate.KindString:
		f.partial("AWS::ApiGatewayV2::Api", "the path of event "+id+" is not known")
	default:
		d.edit(path.AsString(), func(doc *estate.Value) *estate.Value {
			return f.httpRoute(at, api, doc, event, path.AsString(), m)
		})
	}
}

// httpRoute enters a route into the document of an HTTP API, also into one
// that the template writes out. A route that has an integration keeps it.
func (f *function) httpRoute(at origin, api *estate.Resource, doc, event *estate.Value, path, name string) *estate.Value {
	had := dig(doc, "paths", path, name)
	if had.Field(integrationKey) == nil {
		definition := object{
			integrationKey: object{
				"type": str("aws_proxy"), "httpMethod": str("POST"), "payloadFormatVersion": str("2.0"),
				"uri": at.optional(f.lambdaURI(f.arn(), "2015-03-31", "/invocations")),
			}.value(),
			"responses": estate.Map(),
		}
		if path == defaultStage && name == anyMethod {
			definition["isDefaultRoute"] = estate.Bool(true)
		}
		for _, field := range had.Fields() {
			definition[field.Name] = field.Value
		}
		doc = set(doc, definition.value().At(at.source), "paths", path, name)
	}
	if f.managedBody[api.LogicalID] {
		key := api.LogicalID + " " + path
		f.routes[key] = append(f.routes[key], at)
	}
	apiAuth := get(api.Properties, "Auth")
	if auth := get(event, "Auth"); !empty(auth) {
		authorizer := get(auth, "Authorizer").AsString()
		if authorizer == "" {
			authorizer = get(apiAuth, "DefaultAuthorizer").AsString()
		}
		if authorizer != "" {
			var scopes *estate.Value
			if authorizer != "NONE" && authorizer != "AWS_IAM" {
				scopes = get(auth, "AuthorizationScopes")
				if empty(scopes) {
					scopes = get(dig(apiAuth, "Authorizers", authorizer), "AuthorizationScopes")
				}
			}
			doc = atMethod(doc, path, name, func(d *estate.Value) *estate.Value {
				return d.With("security", appended(d.Field("security"), requirement(authorizer, scopes)).At(auth.Position()))
			})
		}
	}
	doc = atMethod(doc, path, name, func(d *estate.Value) *estate.Value {
		if timeout := get(event, "TimeoutInMillis"); !empty(timeout) {
			d = set(d, timeout, integrationKey, "timeoutInMillis")
		}
		if version := get(event, "PayloadFormatVersion"); !empty(version) {
			d = set(d, version, integrationKey, "payloadFormatVersion")
		}
		return pathParameters(d, path)
	})
	if at.exists != nil {
		doc = set(doc, at.optional(dig(doc, "paths", path, name)), "paths", path, name)
	}
	return doc
}

// pathParameters declares the parameters that a path holds.
func pathParameters(d *estate.Value, path string) *estate.Value {
	for rest := path; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return d
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return d
		}
		rest = tail
		parameters := d.Field("parameters").Items()
		declared := false
		changed := make([]*estate.Value, len(parameters))
		for i, p := range parameters {
			changed[i] = p
			if is(p.Field("name"), name) {
				declared = true
				changed[i] = p.With("in", str("path")).With("required", estate.Bool(true))
			}
		}
		if !declared {
			changed = append(changed, object{
				"name": str(name), "in": str("path"), "required": estate.Bool(true),
			}.value())
		}
		d = d.With("parameters", list(changed...))
	}
}

// httpAPI expands AWS::Serverless::HttpApi.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html
func (x *expander) httpAPI(r *estate.Resource) {
	at, id, p := originOf(r), r.LogicalID, r.Properties
	tags := get(p, "Tags")
	props := object{}
	props.copyFrom(p, "FailOnWarnings")
	if empty(props["FailOnWarnings"]) {
		delete(props, "FailOnWarnings")
	}
	doc := x.body(r)
	switch {
	case !empty(get(p, "DefinitionUri")):
		props["BodyS3Location"] = s3Location(get(p, "DefinitionUri"), id+".DefinitionUri", "Bucket", "Key", "Version")
	case doc != nil:
		if validDocument(doc) {
			tags = set(tags, str("SAM"), createdByHTTP)
			doc = x.httpBody(id, doc, p, tags)
		}
		props["Body"] = doc
	}
	x.add(at, "AWS::ApiGatewayV2::Api", id, props)
	x.authorizerPermissions(at, id, get(p, "Auth"), func(a *estate.Value) bool {
		return truth(get(a, "EnableFunctionDefaultPermissions"))
	})

	name := get(p, "StageName")
	if empty(name) {
		name = str(defaultStage)
	}
	stageID := id + "Stage"
	if s := name.AsString(); s == defaultStage {
		stageID = id + "ApiGatewayDefaultStage"
	} else if s != "" && x.written(name) == "" {
		if stageID = suffixed(id+"Stage", s); alphanumeric(s) {
			stageID = id + s + "Stage"
		}
	}
	x.renamed[id+".Stage"] = stageID
	stage := object{"ApiId": ref(id), "StageName": name, "AutoDeploy": estate.Bool(true), "Tags": tags}
	stage.copyFrom(p, "StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")
	x.add(at, "AWS::ApiGatewayV2::Stage", stageID, stage)
	x.httpDomain(at, id, get(p, "Domain"), tags)
}

// httpBody adds to the document what the API's properties ask for.
func (x *expander) httpBody(id string, doc, p, tags *estate.Value) *estate.Value {
	doc = x.underCondition(id, doc)
	if cors := get(p, "CorsConfiguration"); !empty(cors) {
		doc = httpCORS(doc, cors)
	}
	if auth := get(p, "Auth"); !empty(auth) {
		doc = x.httpAuth(doc, auth)
	}
	// AWS's own tag comes last.
	own := slices.DeleteFunc(slices.Clone(tags.Fields()), func(f estate.Field) bool { return f.Name == createdByHTTP })
	if by := tags.Field(createdByHTTP); by != nil {
		own = append(own, estate.Field{Name: createdByHTTP, Value: by})
	}
	for _, t := range own {
		entry := object{"name": str(t.Name), "x-amazon-apigateway-tag-value": t.Value}.value()
		had := doc.Field("tags").Items()
		changed := append([]*estate.Value(nil), had...)
		found := false
		for i, h := range had {
			if is(h.Field("name"), t.Name) {
				found = true
				changed[i] = h.With("x-amazon-apigateway-tag-value", t.Value)
			}
		}
		if !found {
			changed = append(changed, entry)
		}
		doc = doc.With("tags", list(changed...))
	}
	if disabled := get(p, "DisableExecuteApiEndpoint"); disabled != nil {
		doc = disableEndpoint(doc, disabled)
	}
	if name := get(p, "Name"); !empty(name) {
		doc = set(doc, name, "info", "title")
	}
	if description := get(p, "Description"); !empty(description) && empty(dig(doc, "info", "description")) {
		doc = set(doc, description, "info", "description")
	}
	if route := dig(doc, "paths", defaultStage); route != nil && !empty(get(p, "FailOnWarnings")) {
		// API Gateway warns of a path that does not begin with a slash.
		doc = set(set(doc, route, "paths", "/"+defaultStage), nil, "paths", defaultStage)
	}
	return doc
}

func httpCORS(doc, cors *estate.Value) *estate.Value {
	const key = "x-amazon-apigateway-cors"
	switch cors.Kind() {
	case estate.KindBool:
		return set(doc, list(str("*")).At(cors.Position()), key, "allowOrigins")
	case estate.KindMap:
	default:
		return set(doc, cors, key, "allowOrigins")
	}
	for _, name := range []string{"AllowOrigins", "AllowHeaders", "AllowMethods", "ExposeHeaders", "MaxAge", "AllowCredentials"} {
		v := get(cors, name)
		if name != "MaxAge" && empty(v) || v == nil {
			continue
		}
		doc = set(doc, v, key, strings.ToLower(name[:1])+name[1:])
	}
	return doc
}

func (x *expander) httpAuth(doc, auth *estate.Value) *estate.Value {
	authorizers := get(auth, "Authorizers")
	if truth(get(auth, "EnableIamAuthorizer")) {
		doc = set(doc, object{
			"type": str("apiKey"), "name": str("Authorization"), "in": str("header"),
			"x-amazon-apigateway-authtype": str("awsSigv4"),
		}.value(), "components", "securitySchemes", "AWS_IAM")
	}
	for _, a := range authorizers.Fields() {
		doc = set(doc, x.httpAuthorizer(a.Value), "components", "securitySchemes", a.Name)
	}
	standard := get(auth, "DefaultAuthorizer").AsString()
	if standard == "" {
		return doc
	}
	return eachMethod(doc, func(_, method string, d *estate.Value) *estate.Value {
		if method == "options" || !empty(d.Field("security")) {
			return d
		}
		return d.With("security", list(requirement(standard, get(authorizers.Field(standard), "AuthorizationScopes"))))
	})
}

func (x *expander) httpAuthorizer(a *estate.Value) *estate.Value {
	if jwt := get(a, "JwtConfiguration"); !empty(jwt) {
		lower := object{}
		for _, f := range jwt.Fields() {
			lower[strings.ToLower(f.Name)] = f.Value
		}
		configuration := jwt
		if jwt.Kind() == estate.KindMap {
			configuration = lower.value()
		}
		return object{"type": str("oauth2"), authorizerKey: object{
			"jwtConfiguration": configuration, "identitySource": get(a, "IdentitySource"), "type": str("jwt"),
		}.value()}.value().At(a.Position())
	}
	authorizer := object{
		"type": str("request"), "authorizerUri": x.lambdaURI(get(a, "FunctionArn"), "2015-03-31", "/invocations"),
		"authorizerPayloadFormatVersion": get(a, "AuthorizerPayloadFormatVersion"),
	}
	if role := get(a, "FunctionInvokeRole"); !empty(role) && !is(role, "NONE") {
		authorizer["authorizerCredentials"] = role
	}
	if identity := get(a, "Identity"); !empty(identity) {
		authorizer["authorizerResultTtlInSeconds"] = get(identity, "ReauthorizeEvery")
		authorizer["identitySource"] = list(identitySources(identity, "$request.", "$")...)
	}
	if simple := get(a, "EnableSimpleResponses"); !empty(simple) {
		authorizer["enableSimpleResponses"] = simple
	}
	return object{
		"type": str("apiKey"), "name": str("Unused"), "in": str("header"), authorizerKey: authorizer.value(),
	}.value().At(a.Position())
}

// httpDomain adds the custom domain of an HTTP or WebSocket API.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-httpapidomainconfiguration.html
func (x *expander) httpDomain(at origin, id string, d, tags *estate.Value) {
	if d == nil {
		return
	}
	if d.Kind() != estate.KindMap {
		x.partial("AWS::ApiGatewayV2::DomainName", "the Domain of "+id+" is not known as a whole")
		return
	}
	at = at.from(d)
	domainID := hashed("ApiGatewayDomainNameV2", get(d, "DomainName"))
	x.renamed[id+".DomainName"] = domainID
	kind := get(d, "EndpointConfiguration")
	if kind == nil {
		kind = str("REGIONAL")
	}
	configuration := object{"CertificateArn": get(d, "CertificateArn"), "EndpointType": kind}
	configuration.copyFrom(d, "OwnershipVerificationCertificateArn", "SecurityPolicy")
	props := object{
		"DomainName": get(d, "DomainName"), "DomainNameConfigurations": list(configuration.value()), "Tags": tags,
	}
	if tls := get(d, "MutualTlsAuthentication"); !empty(tls) {
		props["MutualTlsAuthentication"] = tls
	}
	x.add(at, "AWS::ApiGatewayV2::DomainName", domainID, props)
	for _, base := range basePaths(d) {
		mapping := object{"DomainName": ref(domainID), "ApiId": ref(id), "Stage": ref(id + ".Stage")}
		mappingID := id + "ApiMapping"
		if base != nil {
			mappingID = id + letters(base.AsString()) + "ApiMapping"
			mapping["ApiMappingKey"] = str(strings.Trim(base.AsString(), "/")).At(base.Position())
		}
		x.add(at, "AWS::ApiGatewayV2::ApiMapping", mappingID, mapping)
	}
	x.records(at, d, object{
		"HostedZoneId": estate.Ref(domainID, "RegionalHostedZoneId"),
		"DNSName":      estate.Ref(domainID, "RegionalDomainName"),
	})
}
