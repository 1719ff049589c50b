package cloudformation

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// Reasons for which a value is not known. They are counted in reports, so that
// each is one fixed phrase; what would settle it is the gap's input.
const (
	reasonNoValue    = estate.ReasonNoValue
	reasonSSM        = "SSM parameter is read at deployment"
	reasonUndeclared = "no such resource or parameter"
	reasonAttribute  = "attribute of a custom resource or nested stack"
	reasonMacro      = "macro is not run"
	reasonDynamic    = "dynamic reference"
	reasonZones      = "availability zones"
	reasonCondition  = "condition is not decided"
	reasonMapping    = "no such entry in the mapping"
	reasonShape      = "malformed intrinsic function"
	reasonChoices    = "too many combinations"
	reasonPart       = "part of a text that is not known"
	reasonComputed   = "function is computed at deployment"
)

// parameter is a template parameter, resolved when it is first used.
type parameter struct {
	node     *yaml.Node
	value    *estate.Value
	resolved bool
}

// resolveParameter gives a parameter's value: the one that was handed in, its
// default, one of its allowed values, or unknown.
func (t *template) resolveParameter(name string) *estate.Value {
	p := t.parameters[name]
	if p.resolved {
		return p.value
	}
	p.resolved = true
	p.value = t.parameterValue(name, p.node)
	return p.value
}

func (t *template) parameterValue(name string, n *yaml.Node) *estate.Value {
	input := t.input("parameter", name)
	if n.Kind != yaml.MappingNode {
		t.problem(n, "parameter %s: expected a mapping with Type", name)
		return estate.UnknownText(reasonNoValue, input)
	}
	text := func(key string) string {
		if c := child(n, key); c != nil && c.Kind == yaml.ScalarNode {
			return c.Value
		}
		return ""
	}
	kind := text("Type")
	if strings.EqualFold(text("NoEcho"), "true") {
		return estate.Secret(input + " is NoEcho")
	}
	if strings.HasPrefix(kind, "AWS::SSM::Parameter::Value") {
		return estate.UnknownText(reasonSSM, input)
	}
	if t.parent != nil {
		if v := t.arguments[name]; v != nil {
			return t.typedArgument(kind, v)
		}
	} else if given, ok := t.options.Parameters[name]; ok {
		t.checkParameter(name, n, given)
		return typedParameter(kind, given)
	}
	if d := child(n, "Default"); d != nil {
		if d.Kind != yaml.ScalarNode {
			t.problem(d, "parameter %s: Default: expected a text or number", name)
			return estate.UnknownText(reasonNoValue, input)
		}
		return typedParameter(kind, d.Value)
	}
	if allowed := child(n, "AllowedValues"); allowed != nil && allowed.Kind == yaml.SequenceNode && len(allowed.Content) > 0 {
		var cases []estate.Case
		for _, a := range allowed.Content {
			a = follow(a)
			cases = append(cases, estate.Case{When: a.Value, Value: typedParameter(kind, a.Value)})
		}
		return estate.OneOf(input, cases...)
	}
	return estate.UnknownText(reasonNoValue, input)
}

// typedArgument gives a value handed into a nested stack the type of the
// parameter. Lists are handed in as one text.
func (t *template) typedArgument(kind string, v *estate.Value) *estate.Value {
	return t.lift(func(a []*estate.Value) *estate.Value {
		if text, known := a[0].Scalar(); known {
			return typedParameter(kind, text)
		}
		return a[0]
	}, v)
}

// typedParameter reads a parameter's text as its type.
func typedParameter(kind, text string) *estate.Value {
	switch {
	case kind == "Number":
		if n, err := estate.Number(strings.TrimSpace(text)); err == nil {
			return n
		}
	case kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<"):
		var items []*estate.Value
		for part := range strings.SplitSeq(text, ",") {
			items = append(items, estate.String(strings.TrimSpace(part)))
		}
		return estate.List(items...)
	}
	return estate.String(text)
}

// pseudo is a pseudo parameter: what the run was told, or a hole.
func (t *template) pseudo(name string) *estate.Value {
	if given, ok := t.options.Parameters[name]; ok {
		return estate.String(given)
	}
	if name == "AWS::NotificationARNs" {
		return estate.Unknown(reasonComputed, name)
	}
	return estate.UnknownText(estate.ReasonPseudoParameter, name)
}

// ReadParameters reads a file of parameter values, JSON or YAML, in any of the
// forms in use: CloudFormation's list of ParameterKey and ParameterValue,
// CodePipeline's mapping under Parameters, or a flat mapping.
func ReadParameters(name string, data []byte) (map[string]string, error) {
	root, problem := parse(name, data)
	if problem == nil && root.Kind == yaml.SequenceNode {
		return readParameterList(name, root)
	}
	if problem != nil && len(data) > 0 && strings.HasPrefix(strings.TrimSpace(string(data)), "[") && json.Valid(data) {
		// A JSON list is YAML unless it is indented with tabs.
		var entries []map[string]any
		if err := json.Unmarshal(data, &entries); err != nil {
			return nil, fmt.Errorf("%s:1:1: expected a list of ParameterKey and ParameterValue", name)
		}
		values := map[string]string{}
		for _, e := range entries {
			values[fmt.Sprint(e["ParameterKey"])] = fmt.Sprint(e["ParameterValue"])
		}
		return values, nil
	}
	if problem != nil {
		return nil, problem
	}
	if root.Kind != yaml.MappingNode {
		return nil, &estate.Problem{Position: position(name, root), Message: "expected a mapping of names to values, or a list of ParameterKey and ParameterValue"}
	}
	if inner := child(root, "Parameters"); inner != nil && inner.Kind == yaml.MappingNode {
		root = inner
	}
	values := map[string]string{}
	var fault error
	members(root, func(*yaml.Node, string) {}, func(key, value *yaml.Node) {
		value = follow(value)
		if value.Kind != yaml.ScalarNode {
			fault = &estate.Problem{Position: position(name, value), Message: key.Value + ": expected a text or number"}
			return
		}
		values[key.Value] = value.Value
	})
	return values, fault
}

func readParameterList(name string, list *yaml.Node) (map[string]string, error) {
	values := map[string]string{}
	for _, item := range list.Content {
		key, value := child(item, "ParameterKey"), child(item, "ParameterValue")
		if key == nil || value == nil || value.Kind != yaml.ScalarNode {
			return nil, &estate.Problem{Position: position(name, item), Message: "expected ParameterKey and ParameterValue"}
		}
		values[key.Value] = value.Value
	}
	return values, nil
}
