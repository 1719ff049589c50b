package check

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// provider gives CEL's type checker the CloudFormation property schemas:
// AWS::Lambda::Function is the type AWS.Lambda.Function, its definition
// VpcConfig is AWS.Lambda.Function.VpcConfig. Values have no such types when
// they are evaluated; a map is a map.
type provider struct {
	*types.Registry
	model      *estate.Model
	parameters map[string]*Parameter // that are declared, by name
}

// tableTypes are the shapes of what the language's functions return.
var tableTypes = map[string]map[string]*cel.Type{
	"assay.Runtime": {
		"id": cel.StringType, "family": cel.StringType, "preview": cel.BoolType, "newest": cel.BoolType,
		"deprecated": cel.StringType, "createBlocked": cel.StringType, "updateBlocked": cel.StringType,
	},
	"assay.Operation": {
		"path": cel.StringType, "method": cel.StringType, "integration": cel.DynType, "auth": cel.DynType,
		"schemes": cel.ListType(cel.DynType), "validator": cel.DynType,
	},
	hereType: {"account": cel.StringType, "region": cel.StringType},
	"assay.ARN": {
		"partition": cel.StringType, "service": cel.StringType, "region": cel.StringType, "account": cel.StringType,
		"resource": cel.StringType, "path": cel.ListType(cel.StringType),
	},
	"assay.TLSPolicy": {
		"id": cel.StringType, "service": cel.StringType, "minimum": cel.DoubleType, "fips": cel.BoolType, "quantum": cel.BoolType,
	},
	serviceType:   {"name": cel.StringType, "region": cel.StringType},
	"assay.Entry": {"name": cel.StringType, "value": cel.DynType},
	"assay.Statement": {
		"Effect": cel.StringType, "Sid": cel.StringType, "Condition": cel.DynType,
		"Action": cel.ListType(cel.StringType), "NotAction": cel.ListType(cel.StringType),
		"Resource": cel.ListType(cel.StringType), "NotResource": cel.ListType(cel.StringType),
		"Principal": cel.ListType(cel.StringType), "NotPrincipal": cel.ListType(cel.StringType),
	},
}

func typeName(cloudFormation string) string { return strings.ReplaceAll(cloudFormation, "::", ".") }

// schemaOf splits AWS.Lambda.Function.VpcConfig into the schema and the
// definition within it; the definition is empty for the resource itself.
func (p *provider) schemaOf(name string) (s *estate.Schema, definition string) {
	if s := p.model.Schema(strings.ReplaceAll(name, ".", "::")); s != nil {
		return s, ""
	}
	at := strings.LastIndexByte(name, '.')
	if at < 0 {
		return nil, ""
	}
	return p.model.Schema(strings.ReplaceAll(name[:at], ".", "::")), name[at+1:]
}

func (p *provider) fields(name string) map[string]string {
	s, definition := p.schemaOf(name)
	switch {
	case s == nil:
		return nil
	case definition == "":
		return s.Properties
	}
	return s.Types[definition]
}

// FindStructType reports the types that schemas and tables define.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := tableTypes[name]; ok || name == accountType || name == paramType || name == statedType || p.fields(name) != nil {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames lists the properties of a type, for error messages.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	var names []string
	for f := range tableTypes[name] {
		names = append(names, f)
	}
	for f := range p.fields(name) {
		names = append(names, f)
	}
	return names, len(names) > 0
}

// FindStructFieldType reports the type of one property.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if t, ok := tableTypes[name][field]; ok {
		return &types.FieldType{Type: t}, true
	}
	switch name {
	case accountType:
		if p.model.Schema(field) == nil {
			return nil, false
		}
		return &types.FieldType{Type: cel.ListType(cel.ObjectType(typeName(field)))}, true
	case paramType, statedType:
		parameter := p.parameters[field]
		switch {
		case parameter == nil:
			return nil, false
		case name == statedType:
			return &types.FieldType{Type: cel.BoolType}, true
		}
		return &types.FieldType{Type: parameter.celType()}, true
	}
	expr, ok := p.fields(name)[field]
	if !ok {
		return nil, false
	}
	s, _ := p.schemaOf(name)
	return &types.FieldType{Type: celType(s, expr)}, true
}

// NewValue refuses: checks build no resources.
func (p *provider) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("a check cannot make a %s", name)
}

// celType turns a schema's type expression into CEL's. Unions and free-form
// properties are dynamic; numbers too, because 1 and 1.0 are both numbers.
func celType(s *estate.Schema, expr string) *cel.Type {
	switch {
	case strings.Contains(expr, "|"):
		return cel.DynType
	case strings.HasPrefix(expr, "[]"):
		return cel.ListType(celType(s, expr[2:]))
	case strings.HasPrefix(expr, "{}"):
		return cel.MapType(cel.StringType, celType(s, expr[2:]))
	}
	switch expr {
	case "string", "timestamp":
		return cel.StringType
	case "integer":
		return cel.IntType
	case "boolean":
		return cel.BoolType
	}
	if _, ok := s.Types[expr]; ok {
		return cel.ObjectType(typeName(s.Type) + "." + expr)
	}
	return cel.DynType
}
