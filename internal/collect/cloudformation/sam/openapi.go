package sam

import (
	"slices"
	"strings"

	"assay/internal/estate"
)

// The OpenAPI documents of REST and HTTP APIs are values that SAM adds to.
// Paths and methods may stand under a condition, so that every change goes
// through their alternatives.

const (
	integrationKey = "x-amazon-apigateway-integration"
	policyKey      = "x-amazon-apigateway-policy"
	authorizerKey  = "x-amazon-apigateway-authorizer"
	anyMethod      = "x-amazon-apigateway-any-method"
)

// method is the name of an HTTP method in an OpenAPI document.
func method(name string) string {
	name = strings.ToLower(name)
	if name == "any" {
		return anyMethod
	}
	return name
}

// skeleton is the document that SAM starts from where a template has none.
func skeleton(key, version string, title *estate.Value) *estate.Value {
	return object{
		key:     str(version),
		"info":  object{"version": str("1.0"), "title": title}.value(),
		"paths": estate.Map(),
	}.value()
}

// openAPI3 reports whether a version is of the third kind.
func openAPI3(version *estate.Value) bool {
	s, _ := version.Scalar()
	return s == "3" || strings.HasPrefix(s, "3.")
}

// validDocument reports whether v is a document that SAM can add to.
func validDocument(v *estate.Value) bool {
	return v.Field("paths").Kind() == estate.KindMap && (!empty(v.Field("swagger")) || openAPI3(v.Field("openapi")))
}

// notMethods are the entries of a path item that are no methods.
var notMethods = []string{"summary", "description", "parameters"}

// draft is a document while events write into it, one path at a time, so that
// the work for a route does not grow with the number of routes.
type draft struct {
	head  *estate.Value // all but the paths
	paths object
}

// draft is the document of an API, or nil where it has none that SAM can read.
func (x *expander) draft(api *estate.Resource) *draft {
	if d := x.drafts[api.LogicalID]; d != nil {
		return d
	}
	doc := get(api.Properties, "DefinitionBody")
	if !validDocument(doc) {
		return nil
	}
	d := &draft{head: doc.With("paths", nil), paths: object{}}
	for _, p := range doc.Field("paths").Fields() {
		d.paths[p.Name] = p.Value
	}
	x.drafts[api.LogicalID] = d
	return d
}

// edit applies f to the document with nothing but one of its paths.
func (d *draft) edit(path string, f func(doc *estate.Value) *estate.Value) {
	doc := f(d.head.With("paths", object{path: d.paths[path]}.value()))
	d.paths[path] = dig(doc, "paths", path)
	d.head = doc.With("paths", nil)
}

// body is the document of an API after all events have written into it.
func (x *expander) body(r *estate.Resource) *estate.Value {
	d := x.drafts[r.LogicalID]
	if d == nil {
		return get(r.Properties, "DefinitionBody")
	}
	return d.head.With("paths", d.paths.value())
}

// eachPath rewrites every path of a document.
func eachPath(doc *estate.Value, f func(path string, item *estate.Value) *estate.Value) *estate.Value {
	paths := doc.Field("paths")
	if len(paths.Fields()) == 0 {
		return doc
	}
	changed := make([]estate.Field, len(paths.Fields()))
	for i, p := range paths.Fields() {
		changed[i] = estate.Field{Name: p.Name, Value: f(p.Name, p.Value)}
	}
	return doc.With("paths", estate.Map(changed...).At(paths.Position()))
}

// eachMethod rewrites every method of a document that has an integration.
func eachMethod(doc *estate.Value, f func(path, method string, definition *estate.Value) *estate.Value) *estate.Value {
	return eachPath(doc, func(path string, item *estate.Value) *estate.Value {
		return stated(item, func(item *estate.Value) *estate.Value {
			for _, m := range item.Fields() {
				if slices.Contains(notMethods, m.Name) {
					continue
				}
				item = item.With(m.Name, integrated(m.Value, func(d *estate.Value) *estate.Value {
					return f(path, method(m.Name), d)
				}))
			}
			return item
		})
	})
}

// atMethod rewrites one method of a document if it has an integration.
func atMethod(doc *estate.Value, path, name string, f func(definition *estate.Value) *estate.Value) *estate.Value {
	item := dig(doc, "paths", path)
	if item == nil {
		return doc
	}
	return set(doc, stated(item, func(item *estate.Value) *estate.Value {
		if item.Field(name) == nil {
			return item
		}
		return item.With(name, integrated(item.Field(name), f))
	}), "paths", path)
}

func integrated(definition *estate.Value, f func(*estate.Value) *estate.Value) *estate.Value {
	return stated(definition, func(d *estate.Value) *estate.Value {
		if d.Field(integrationKey) == nil {
			return d
		}
		return f(d)
	})
}

// requirement is one entry of a security list.
func requirement(name string, scopes *estate.Value) *estate.Value {
	if scopes == nil {
		scopes = list()
	}
	return object{name: scopes}.value()
}

// requires reports whether a security entry names any of the schemes.
func requires(entry *estate.Value, schemes ...string) bool {
	for _, f := range entry.Fields() {
		if slices.Contains(schemes, f.Name) {
			return true
		}
	}
	return false
}

// securityScheme adds a scheme to the document once.
func securityScheme(doc *estate.Value, name string, scheme object) *estate.Value {
	if dig(doc, "securityDefinitions", name) != nil {
		return doc
	}
	return set(doc, scheme.value(), "securityDefinitions", name)
}

func iamScheme(doc *estate.Value) *estate.Value {
	return securityScheme(doc, "AWS_IAM", object{
		"x-amazon-apigateway-authtype": str("awsSigv4"), "type": str("apiKey"), "name": str("Authorization"),
		"in": str("header"),
	})
}

func apiKeyScheme(doc *estate.Value) *estate.Value {
	return securityScheme(doc, "api_key", object{
		"type": str("apiKey"), "name": str("x-api-key"), "in": str("header"),
	})
}

// defaultAuthorizer secures every method that names no authorizer of its own.
// The entry NONE marks a method that opts out.
func defaultAuthorizer(doc *estate.Value, name string, authorizers *estate.Value, preflight bool) *estate.Value {
	known := []string{"AWS_IAM"}
	for _, a := range authorizers.Fields() {
		known = append(known, a.Name)
	}
	iam := false
	doc = eachMethod(doc, func(_, method string, d *estate.Value) *estate.Value {
		if method == "options" && !preflight {
			return d
		}
		var rest, own []*estate.Value
		none := false
		for _, entry := range d.Field("security").Items() {
			switch {
			case requires(entry, known...):
				own = append(own, entry)
			case requires(entry, "NONE") && !none:
				none = true
			default:
				rest = append(rest, entry)
			}
		}
		switch {
		case none:
			own = nil
		case len(own) == 0:
			own = []*estate.Value{requirement(name, get(authorizers.Field(name), "AuthorizationScopes"))}
		}
		security := slices.Concat(rest, own)
		if len(security) == 0 {
			return d
		}
		iam = iam || requires(security[0], "AWS_IAM")
		return d.With("security", list(security...))
	})
	if iam {
		doc = iamScheme(doc)
	}
	return doc
}

// defaultAPIKey asks for a key at every method that does not opt out with the
// entry api_key_false.
func defaultAPIKey(doc *estate.Value, preflight bool) *estate.Value {
	return eachMethod(doc, func(_, method string, d *estate.Value) *estate.Value {
		had := d.Field("security").Items()
		var security, keys []*estate.Value
		optsOut := false
		for _, entry := range had {
			switch {
			case requires(entry, "api_key_false"):
				optsOut = true
			case requires(entry, "api_key"):
				keys = append(keys, entry)
			default:
				security = append(security, entry)
			}
		}
		if !optsOut && (method != "options" || preflight) {
			security = append(security, requirement("api_key", nil))
		}
		if len(security) == len(had) && !optsOut && len(keys) == 0 {
			return d
		}
		return d.With("security", list(security...))
	})
}

// httpMethods are what API Gateway's ANY stands for in Access-Control-Allow-Methods.
const httpMethods = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"

// addCORS adds an OPTIONS method to every path that has none.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
func addCORS(doc, cors *estate.Value) *estate.Value {
	settings := cors
	if cors.Kind() != estate.KindMap {
		settings = object{"AllowOrigin": cors}.value()
	}
	origin := get(settings, "AllowOrigin")
	if origin == nil {
		origin = str("'*'")
	}
	done := map[string]bool{}
	return eachPath(doc, func(path string, item *estate.Value) *estate.Value {
		// API Gateway takes /path and /path/ for the same resource.
		if path != "/" {
			path = strings.TrimRight(path, "/")
		}
		if done[path] {
			return item
		}
		done[path] = true
		return stated(item, func(item *estate.Value) *estate.Value {
			if item.Kind() != estate.KindMap || item.Field("options") != nil {
				return item
			}
			methods := get(settings, "AllowMethods")
			if empty(methods) {
				methods = str("'" + allowedMethods(item) + "'")
			}
			return item.With("options", preflight(origin, methods, settings).At(cors.Position()))
		})
	})
}

func allowedMethods(item *estate.Value) string {
	if item.Field(anyMethod) != nil {
		return httpMethods
	}
	names := []string{"OPTIONS"}
	for _, m := range item.Fields() {
		names = append(names, strings.ToUpper(m.Name))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

// preflight is the mock method that answers for CORS.
func preflight(origin, methods, settings *estate.Value) *estate.Value {
	parameters, headers := object{}, object{}
	header := func(name, kind string, v *estate.Value) {
		parameters["method.response.header."+name] = v
		headers[name] = object{"type": str(kind)}.value()
	}
	header("Access-Control-Allow-Origin", "string", origin)
	header("Access-Control-Allow-Methods", "string", methods)
	if v := get(settings, "AllowHeaders"); !empty(v) {
		header("Access-Control-Allow-Headers", "string", v)
	}
	if v := get(settings, "MaxAge"); v != nil {
		header("Access-Control-Max-Age", "integer", v)
	}
	if v := get(settings, "AllowCredentials"); v.Kind() == estate.KindBool && v.AsBool() {
		header("Access-Control-Allow-Credentials", "string", str("'true'"))
	}
	jsonBody := func(s string) *estate.Value { return object{"application/json": str(s)}.value() }
	return object{
		"summary":  str("CORS support"),
		"consumes": list(str("application/json")),
		"produces": list(str("application/json")),
		integrationKey: object{
			"type":             str("mock"),
			"requestTemplates": jsonBody("{\n  \"statusCode\" : 200\n}\n"),
			"responses": object{"default": object{
				"statusCode":         str("200"),
				"responseParameters": parameters.value(),
				"responseTemplates":  jsonBody("{}\n"),
			}.value()}.value(),
		}.value(),
		"responses": object{"200": object{
			"description": str("Default response for CORS method"),
			"headers":     headers.value(),
		}.value()}.value(),
	}.value()
}

// toOpenAPI3 moves what Swagger 2 has elsewhere. A document that calls itself
// Swagger stays as it is.
func toOpenAPI3(doc, version *estate.Value) *estate.Value {
	if get(doc, "swagger") != nil {
		return doc
	}
	if version == nil {
		version = doc.Field("openapi")
	}
	if !openAPI3(version) {
		return doc
	}
	for from, to := range map[string]string{"securityDefinitions": "securitySchemes", "definitions": "schemas"} {
		if v := doc.Field(from); !empty(v) {
			doc = set(doc, v, "components", to).With(from, nil)
		}
	}
	return eachPath(doc, func(_ string, item *estate.Value) *estate.Value {
		options := item.Field("options")
		if options.Kind() != estate.KindMap {
			return item
		}
		options = options.With("produces", nil).With("consumes", nil)
		for _, h := range dig(options, "responses", "200", "headers").Fields() {
			options = set(options, object{"schema": h.Value}.value(), "responses", "200", "headers", h.Name)
		}
		return item.With("options", options)
	})
}

// resourcePolicy adds the statements that SAM's shorthand stands for, for one
// path.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-resourcepolicystatement.html
func resourcePolicy(doc, policy *estate.Value, path string, stage *estate.Value) *estate.Value {
	var resources []*estate.Value
	stated(dig(doc, "paths", path), func(item *estate.Value) *estate.Value {
		for _, m := range item.Fields() {
			name := strings.ToUpper(m.Name)
			if m.Name == anyMethod || m.Name == "any" {
				name = "*"
			}
			resources = append(resources, text(str("execute-api:/"), stage, str("/"+name+wildcards(path))))
		}
		return item
	})
	statement := func(effect string, principal *estate.Value) object {
		return object{
			"Effect": str(effect), "Action": str("execute-api:Invoke"), "Resource": list(resources...),
			"Principal": principal,
		}
	}
	accounts := func(name, effect string) {
		if v := get(policy, name); !empty(v) {
			if v.Kind() != estate.KindList {
				v = list(v)
			}
			doc = addStatement(doc, false, statement(effect, object{"AWS": v}.value()).value())
		}
	}
	// Everybody is let in, and then denied unless the condition holds.
	except := func(operator string, keys object) {
		if len(keys) == 0 {
			return
		}
		deny := statement("Deny", str("*"))
		deny["Condition"] = object{operator: keys.value()}.value()
		doc = addStatement(doc, true, statement("Allow", str("*")).value(), deny.value())
	}
	addresses := func(name, operator string) {
		if v := get(policy, name); !empty(v) {
			if v.Kind() != estate.KindList {
				v = list(v)
			}
			except(operator, object{"aws:SourceIp": v})
		}
	}
	networks := func(suffix, operator string) {
		var vpcs, endpoints []*estate.Value
		for _, v := range get(policy, "SourceVpc"+suffix).Items() {
			if strings.HasPrefix(v.AsString(), "vpce-") {
				endpoints = append(endpoints, v)
			} else if strings.HasPrefix(v.AsString(), "vpc-") {
				vpcs = append(vpcs, v)
			}
		}
		vpcs = append(vpcs, get(policy, "IntrinsicVpc"+suffix).Items()...)
		endpoints = append(endpoints, get(policy, "IntrinsicVpce"+suffix).Items()...)
		keys := object{}
		if len(vpcs) > 0 {
			keys["aws:SourceVpc"] = list(vpcs...)
		}
		if len(endpoints) > 0 {
			keys["aws:SourceVpce"] = list(endpoints...)
		}
		except(operator, keys)
	}
	accounts("AwsAccountWhitelist", "Allow")
	accounts("AwsAccountBlacklist", "Deny")
	addresses("IpRangeWhitelist", "NotIpAddress")
	addresses("IpRangeBlacklist", "IpAddress")
	networks("Blacklist", "StringEquals")
	networks("Whitelist", "StringNotEquals")
	return doc
}

// customStatements adds the statements that a template writes out.
func customStatements(doc, custom *estate.Value) *estate.Value {
	if empty(custom) {
		return doc
	}
	items := custom.Items()
	if custom.Kind() != estate.KindList {
		items = []*estate.Value{custom}
	}
	return addStatement(doc, true, items...)
}

// addStatement adds to the document's resource policy, once if so asked.
func addStatement(doc *estate.Value, once bool, statements ...*estate.Value) *estate.Value {
	all := dig(doc, policyKey, "Statement").Items()
	for _, s := range statements {
		if !once || !contains(all, s) {
			all = append(slices.Clip(all), s)
		}
	}
	return set(set(doc, str(awsPolicyVersion), policyKey, "Version"), list(all...), policyKey, "Statement")
}

// wildcards puts * for the parameters of a path, as in the ARN of a method.
func wildcards(path string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(path, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return b.String()
		}
		if parameter(name) {
			b.WriteString("*")
		} else {
			b.WriteString("{" + name + "}")
		}
		path = after
	}
}

func parameter(name string) bool {
	name = strings.TrimSuffix(name, "+")
	for _, r := range name {
		if !alphanumeric(string(r)) && r != '.' && r != '_' && r != '-' {
			return false
		}
	}
	return name != ""
}
