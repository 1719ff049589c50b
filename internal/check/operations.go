package check

import (
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// Names of API Gateway's extensions of OpenAPI.
// source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
const (
	extensionAny         = "x-amazon-apigateway-any-method"
	extensionIntegration = "x-amazon-apigateway-integration"
	extensionAuth        = "x-amazon-apigateway-auth"
	extensionValidator   = "x-amazon-apigateway-request-validator"
	extensionValidators  = "x-amazon-apigateway-request-validators"
)

// httpMethods are the fields of a path item that are operations.
var httpMethods = map[string]string{
	"get": "GET", "put": "PUT", "post": "POST", "delete": "DELETE", "options": "OPTIONS", "head": "HEAD", "patch": "PATCH", extensionAny: "ANY",
}

// operations lists the operations of an OpenAPI document as API Gateway reads
// them: with the integration, the security schemes that the operation names as
// far as the document defines them, and the request validator that it has by
// itself or from the root. Security of the root is not looked at, as it is not
// by API Gateway.
func operations(ev *evaluation, args []ref.Val) ref.Val {
	m, ok := args[0].(*mapVal)
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return newList(ev, nil)
	}
	d := definition{ev, m.value}
	paths, known := d.at(m.value, "paths")
	switch {
	case !known:
		return ev.unknown(paths, join(m.path, "paths"), true)
	case paths.Kind() != estate.KindMap:
		return newList(ev, nil)
	}
	var list []ref.Val
	for _, p := range paths.Fields() {
		at := join(join(m.path, "paths"), p.Name)
		item, known := d.at(paths, p.Name)
		if !known {
			list = append(list, ev.unknown(item, at, true))
		}
		if item.Kind() != estate.KindMap {
			continue
		}
		for _, o := range item.Fields() {
			method, is := httpMethods[strings.ToLower(o.Name)]
			if !is {
				continue
			}
			operation, known := d.at(item, o.Name)
			if !known {
				list = append(list, ev.unknown(operation, join(at, o.Name), true))
			}
			if operation.Kind() == estate.KindMap {
				list = append(list, &mapVal{ev: ev, res: m.res, value: d.operation(p.Name, method, operation), path: join(at, o.Name)})
			}
		}
	}
	return newList(ev, list)
}

// definition is an OpenAPI document under the choices of an evaluation.
type definition struct {
	ev  *evaluation
	doc *estate.Value
}

// at resolves an entry of a map. Nil is absent; what is not known comes as a
// value that says why.
func (d definition) at(v *estate.Value, name string) (entry *estate.Value, known bool) {
	entry, open := d.ev.resolve(v.Field(name))
	switch {
	case open:
		return estate.Unknown("not decided", entry.Input()).At(entry.Position()), false
	case entry.Kind() == estate.KindUnknown, entry.Kind() == estate.KindDenied:
		return entry, false
	}
	return entry, true
}

func (d definition) operation(path, method string, o *estate.Value) *estate.Value {
	fields := []estate.Field{
		{Name: "path", Value: estate.String(path)},
		{Name: "method", Value: estate.String(method)},
		{Name: "schemes", Value: d.schemes(o)},
	}
	for _, f := range []struct {
		name  string
		value *estate.Value
	}{
		{"integration", o.Field(extensionIntegration)},
		{"auth", o.Field(extensionAuth)},
		{"validator", d.validator(o)},
	} {
		if f.value != nil {
			fields = append(fields, estate.Field{Name: f.name, Value: f.value})
		}
	}
	return estate.Map(fields...).At(o.Position())
}

// schemes are the definitions of the security schemes that an operation names.
func (d definition) schemes(o *estate.Value) *estate.Value {
	security, known := d.at(o, "security")
	if !known {
		return security
	}
	defined, known := d.at(d.doc, "securityDefinitions")
	if known && defined == nil {
		var components *estate.Value
		if components, known = d.at(d.doc, "components"); known {
			defined, known = d.at(components, "securitySchemes")
		} else {
			defined = components
		}
	}
	var list []*estate.Value
	for _, item := range security.Items() {
		requirement, open := d.ev.resolve(item)
		if open {
			requirement = estate.Unknown("not decided", requirement.Input())
		}
		if k := requirement.Kind(); k == estate.KindUnknown || k == estate.KindDenied {
			list = append(list, requirement)
		}
		for _, name := range requirement.Fields() {
			if !known {
				list = append(list, defined)
			} else if scheme := defined.Field(name.Name); scheme != nil {
				list = append(list, scheme)
			}
		}
	}
	return estate.List(list...).At(security.Position())
}

// validator is the request validator of an operation, or of all.
func (d definition) validator(o *estate.Value) *estate.Value {
	name, known := d.at(o, extensionValidator)
	if known && name == nil {
		name, known = d.at(d.doc, extensionValidator)
	}
	if name == nil || !known {
		return name
	}
	validators, known := d.at(d.doc, extensionValidators)
	if text, literal := name.Scalar(); known && literal {
		return validators.Field(text)
	}
	return estate.Unknown("name of a validator is not known", name.String()).At(name.Position())
}
