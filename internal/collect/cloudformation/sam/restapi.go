package sam

import (
	"slices"
	"strings"

	"assay/internal/estate"
)

const (
	implicitREST = "ServerlessRestApi"
	implicitHTTP = "ServerlessHttpApi"
)

// implicitAPIs adds the API to which events without one belong, and gives the
// APIs without a document one that SAM manages.
func (x *expander) implicitAPIs(globals *estate.Value) {
	for _, kind := range []struct {
		event, property, id, typeName string
	}{
		{"Api", "RestApiId", implicitREST, "Api"},
		{"HttpApi", "ApiId", implicitHTTP, "HttpApi"},
	} {
		var users []*estate.Resource
		for _, r := range x.sources {
			if r.Type != prefix+"Function" && r.Type != prefix+"StateMachine" {
				continue
			}
			for _, e := range get(r.Properties, "Events").Fields() {
				if is(e.Value.Field("Type"), kind.event) && get(get(e.Value, "Properties"), kind.property) == nil {
					users = append(users, r)
					break
				}
			}
		}
		if len(users) == 0 {
			continue
		}
		if there := slices.DeleteFunc(slices.Clone(users), neverExists); len(there) > 0 {
			users = there
		}
		own := object{}
		if kind.id == implicitREST {
			own["StageName"] = str("Prod")
		}
		api := &estate.Resource{
			Type: prefix + kind.typeName, LogicalID: kind.id, Address: users[0].LogicalID, Source: users[0].Source,
			Generated: generated, Exists: users[0].Exists, ExistsInput: users[0].ExistsInput,
			Properties: merge(globals.Field(kind.typeName), own.value()),
		}
		for _, u := range users {
			if !estate.Equal(u.Exists, api.Exists) {
				// Present when any of its users is; what is not settled by one
				// condition is taken to be there.
				api.Exists, api.ExistsInput = nil, ""
			}
			if tags := get(u.Properties, "Tags"); truth(get(u.Properties, "PropagateTags")) && tags != nil {
				api.Properties = api.Properties.With("PropagateTags", estate.Bool(true))
				api.Properties = api.Properties.With("Tags", merge(api.Properties.Field("Tags"), tags))
			}
		}
		x.byID[kind.id] = api
		x.sources = append(slices.DeleteFunc(x.sources, func(r *estate.Resource) bool {
			return r.LogicalID == kind.id
		}), api)
	}
	for _, r := range x.sources {
		rest := r.Type == prefix+"Api"
		if !rest && r.Type != prefix+"HttpApi" || !empty(get(r.Properties, "DefinitionBody")) || !empty(get(r.Properties, "DefinitionUri")) {
			continue
		}
		x.managedBody[r.LogicalID] = true
		title := x.named("AWS::StackName", nil)
		body := skeleton("openapi", "3.0.1", title)
		if rest {
			body = skeleton("swagger", "2.0", title)
			if version := get(r.Properties, "OpenApiVersion"); openAPI3(version) {
				s, _ := version.Scalar()
				body = body.With("swagger", nil).With("openapi", str(s).At(version.Position()))
			}
		}
		r.Properties = r.Properties.With("DefinitionBody", body)
	}
	x.announceRoutes()
}

func neverExists(r *estate.Resource) bool {
	return r.Exists.Kind() == estate.KindBool && !r.Exists.AsBool()
}

// announceRoutes enters every path and method that an event will fill into the
// documents that SAM manages, because resource policies list all of a path.
func (x *expander) announceRoutes() {
	for _, r := range x.sources {
		if r.Type != prefix+"Function" && r.Type != prefix+"StateMachine" {
			continue
		}
		for _, e := range get(r.Properties, "Events").Fields() {
			p := get(e.Value, "Properties")
			path, name := get(p, "Path").AsString(), get(p, "Method").AsString()
			if !is(e.Value.Field("Type"), "Api") || path == "" || name == "" {
				continue
			}
			id := apiID(p, "RestApiId", implicitREST)
			if api := x.byID[id]; api != nil && x.managedBody[id] {
				x.draft(api).edit(path, func(doc *estate.Value) *estate.Value {
					return set(doc, estate.Map(), "paths", path, method(name))
				})
			}
		}
	}
}

// apiID is the logical id of the API that an event belongs to; "" when it is
// not one of the template.
func apiID(event *estate.Value, property, implicit string) string {
	named := get(event, property)
	switch {
	case named == nil:
		return implicit
	case named.Kind() == estate.KindReference && named.Reference().Attribute == "Ref":
		return named.Reference().Resource
	}
	return named.AsString()
}

// invokeARN is the ARN under which API Gateway calls for one method.
func (x *expander) invokeARN(api *estate.Value, verb string, path *estate.Value) *estate.Value {
	if s := path.AsString(); s != "" {
		if len(s) > 1 {
			s = strings.TrimSuffix(s, "/")
		}
		path = str(wildcards(s))
	}
	return x.serviceARN("execute-api", api, str("/*/"+verb), path)
}

func verb(name string) string {
	if name = strings.ToUpper(name); name == "ANY" || name == strings.ToUpper(anyMethod) {
		return "*"
	}
	return name
}

// apiRef is how an event's API is named in ARNs.
func apiRef(event *estate.Value, property, implicit string) *estate.Value {
	if named := get(event, property); named != nil {
		return named
	}
	return ref(implicit)
}

// stageSuffix is what an id takes over from the stage of a REST API.
func (x *expander) stageSuffix(api *estate.Resource) string {
	if api == nil {
		return "AllStages"
	}
	stage := get(api.Properties, "StageName")
	if s := stage.AsString(); s != "" && x.written(stage) == "" {
		return s
	}
	return "Stage"
}

// restEvent lets a REST API call the function.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-api.html
func (f *function) restEvent(at origin, id string, event *estate.Value) {
	api := f.byID[apiID(event, "RestApiId", implicitREST)]
	name, path := get(event, "Method").AsString(), get(event, "Path")
	f.permit(at, suffixed(id+"Permission", f.stageSuffix(api)), "apigateway.amazonaws.com", object{
		"SourceArn": f.invokeARN(apiRef(event, "RestApiId", implicitREST), verb(name), path),
	})
	uri := "/invocations"
	version := "2015-03-31"
	stream := is(get(event, "ResponseTransferMode"), "RESPONSE_STREAM")
	if stream {
		uri, version = "/response-streaming-invocations", "2021-11-15"
	}
	integration := object{
		"type": str("aws_proxy"), "httpMethod": str("POST"), "uri": at.optional(f.lambdaURI(f.arn(), version, uri)),
	}
	if stream {
		integration["responseTransferMode"] = str("STREAM")
	}
	if api != nil {
		if role := f.invokeRole(get(event, "Auth"), get(api.Properties, "Auth")); role != nil {
			integration["credentials"] = role
		}
	}
	f.restRoute(at, id, api, event, object{integrationKey: integration.value(), "responses": estate.Map()}.value())
}

// lambdaURI is the URI by which API Gateway calls a function.
func (x *expander) lambdaURI(function *estate.Value, version, suffix string) *estate.Value {
	return text(str("arn:"), x.named("AWS::Partition", nil), str(":apigateway:"), x.named("AWS::Region", nil),
		str(":lambda:path/"+version+"/functions/"), function, str(suffix))
}

// invokeRole is the role under which API Gateway calls for callers that sign
// with IAM: their own unless the template says otherwise.
func (x *expander) invokeRole(event, api *estate.Value) *estate.Value {
	iam := is(get(event, "Authorizer"), "AWS_IAM") || is(get(api, "DefaultAuthorizer"), "AWS_IAM") && empty(event)
	if !iam {
		return nil
	}
	role := event.Field("InvokeRole")
	if role == nil {
		role = api.Field("InvokeRole")
	}
	switch {
	case role.Kind() == estate.KindNull || is(role, "NONE"):
		return nil
	case role == nil || is(role, "CALLER_CREDENTIALS"):
		return text(str("arn:"), x.named("AWS::Partition", nil), str(":iam::*:user/*")).At(role.Position())
	}
	return role
}

// restRoute enters a method into the document of a REST API that SAM manages
// or merges into.
func (x *expander) restRoute(at origin, id string, api *estate.Resource, event, definition *estate.Value) {
	if api == nil || api.Type != prefix+"Api" {
		return
	}
	apiID := api.LogicalID
	auth := get(event, "Auth")
	path, known := get(event, "Path").AsString(), get(event, "Path").Kind() == estate.KindString
	name := method(get(event, "Method").AsString())
	d := x.draft(api)
	merges := truth(get(api.Properties, "MergeDefinitions"))
	if merges {
		// AWS merges under the word that the event has, ANY included.
		name = strings.ToLower(get(event, "Method").AsString())
	}
	switch {
	case d == nil:
	case !known:
		x.partial("AWS::ApiGateway::RestApi", "the path of event "+id+" is not known")
	case x.managedBody[apiID] || merges:
		if had := dig(d.paths[path], name); merges && had.Kind() == estate.KindMap {
			for _, f := range definition.Fields() {
				had = had.With(f.Name, f.Value)
			}
			definition = had
		} else if had.Field(integrationKey) != nil {
			x.problem(at.source, "the API has "+strings.ToUpper(name)+" "+path+" twice", "")
			return
		}
		x.routes[apiID+" "+path] = append(x.routes[apiID+" "+path], at)
		d.edit(path, func(doc *estate.Value) *estate.Value {
			doc = set(doc, definition.At(at.source), "paths", path, name)
			doc = x.methodAuth(doc, api, auth, path, name)
			doc = methodDetails(doc, event, path, name)
			if at.exists != nil {
				doc = set(doc, at.optional(dig(doc, "paths", path, name)), "paths", path, name)
			}
			return doc
		})
	case truth(get(auth, "OverrideApiAuth")):
		d.edit(path, func(doc *estate.Value) *estate.Value { return x.methodAuth(doc, api, auth, path, name) })
	}
}

// methodAuth secures one method as its event says.
func (x *expander) methodAuth(doc *estate.Value, api *estate.Resource, auth *estate.Value, path, name string) *estate.Value {
	if auth.Kind() != estate.KindMap {
		return doc
	}
	authorizer, key := get(auth, "Authorizer").AsString(), get(auth, "ApiKeyRequired")
	var entries []*estate.Value
	if authorizer != "" {
		scopes := get(auth, "AuthorizationScopes")
		own := get(dig(api.Properties, "Auth", "Authorizers"), authorizer)
		if scopes == nil {
			scopes = get(own, "AuthorizationScopes")
		}
		if own == nil {
			scopes = nil
		}
		entries = append(entries, requirement(authorizer, scopes))
	}
	if key != nil {
		if empty(key) {
			entries = append(entries, requirement("api_key_false", nil))
		} else {
			entries = append(entries, requirement("api_key", nil))
			doc = apiKeyScheme(doc)
		}
	}
	doc = atMethod(doc, path, name, func(d *estate.Value) *estate.Value {
		if len(entries) == 0 {
			return d
		}
		security := slices.Concat(d.Field("security").Items(), entries)
		if authorizer != "" && requires(security[0], "AWS_IAM") {
			doc = iamScheme(doc)
		}
		return d.With("security", list(security...).At(auth.Position()))
	})
	if authorizer == "AWS_IAM" {
		doc = iamScheme(doc)
	}
	if policy := get(auth, "ResourcePolicy"); policy.Kind() == estate.KindMap {
		doc = resourcePolicy(doc, policy, path, str(x.stageSuffix(api)))
		doc = customStatements(doc, get(policy, "CustomStatements"))
	}
	return doc
}

// methodDetails adds what else an event says of its method.
func methodDetails(doc, event *estate.Value, path, name string) *estate.Value {
	if timeout := get(event, "TimeoutInMillis"); !empty(timeout) {
		doc = atMethod(doc, path, name, func(d *estate.Value) *estate.Value {
			return set(d, timeout, integrationKey, "timeoutInMillis")
		})
	}
	if model := get(event, "RequestModel"); !empty(model) && get(model, "Model").AsString() != "" {
		doc = requestModel(doc, model, path, name)
	}
	parameters := get(event, "RequestParameters").Items()
	if len(parameters) == 0 {
		return doc
	}
	return atMethod(doc, path, name, func(d *estate.Value) *estate.Value {
		had := d.Field("parameters").Items()
		for _, p := range parameters {
			full, settings := p.AsString(), estate.Map()
			if fields := p.Fields(); len(fields) == 1 {
				full, settings = fields[0].Name, fields[0].Value
			}
			location, field, ok := strings.Cut(strings.TrimPrefix(full, "method.request."), ".")
			if !ok {
				continue
			}
			if location == "querystring" {
				location = "query"
			}
			required := get(settings, "Required")
			if required == nil {
				required = estate.Bool(false)
			}
			had = append(slices.Clip(had), object{
				"in": str(location), "name": str(field), "required": required, "type": str("string"),
			}.value())
			if truth(get(settings, "Caching")) {
				keys := dig(d, integrationKey, "cacheKeyParameters")
				d = set(d, appended(keys, str(full)), integrationKey, "cacheKeyParameters")
			}
		}
		return d.With("parameters", list(had...))
	})
}

func requestModel(doc, model *estate.Value, path, name string) *estate.Value {
	lower := strings.ToLower(get(model, "Model").AsString())
	required := get(model, "Required")
	v3 := openAPI3(doc.Field("openapi"))
	doc = atMethod(doc, path, name, func(d *estate.Value) *estate.Value {
		if v3 {
			schema := object{"$ref": str("#/components/schemas/" + lower)}.value()
			return d.With("requestBody", object{
				"content":  object{"application/json": object{"schema": schema}.value()}.value(),
				"required": required,
			}.value())
		}
		return d.With("parameters", appended(d.Field("parameters"), object{
			"in": str("body"), "name": str(lower), "required": required,
			"schema": object{"$ref": str("#/definitions/" + lower)}.value(),
		}.value()))
	})
	body, parameters := get(model, "ValidateBody"), get(model, "ValidateParameters")
	if body == nil && parameters == nil {
		return doc
	}
	validator := "no-validation"
	switch {
	case truth(body) && truth(parameters):
		validator = "body-and-params"
	case truth(body):
		validator = "body-only"
	case truth(parameters):
		validator = "params-only"
	}
	const validators = "x-amazon-apigateway-request-validators"
	if dig(doc, validators, validator) == nil {
		doc = set(doc, object{
			"validateRequestBody":       estate.Bool(truth(body)),
			"validateRequestParameters": estate.Bool(truth(parameters)),
		}.value(), validators, validator)
	}
	return atMethod(doc, path, name, func(d *estate.Value) *estate.Value {
		return d.With("x-amazon-apigateway-request-validator", str(validator))
	})
}

// underCondition puts a path under the condition that all its methods share.
func (x *expander) underCondition(id string, doc *estate.Value) *estate.Value {
	return eachPath(doc, func(path string, item *estate.Value) *estate.Value {
		users := x.routes[id+" "+path]
		if len(users) == 0 || users[0].exists == nil {
			return item
		}
		if slices.ContainsFunc(users, func(o origin) bool { return !estate.Equal(o.exists, users[0].exists) }) {
			return item
		}
		return users[0].optional(item)
	})
}
