package cloudformation

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// intrinsic reports whether a node is a function call, in the long form
// {"Fn::Sub": …} or the short form !Sub, and with what argument.
func intrinsic(n *yaml.Node) (name string, arg *yaml.Node, ok bool) {
	if short, tagged := strings.CutPrefix(n.Tag, "!"); tagged && !strings.HasPrefix(short, "!") && short != "" {
		bare := *n
		switch n.Kind {
		case yaml.ScalarNode:
			bare.Tag = "!!str"
		case yaml.SequenceNode:
			bare.Tag = "!!seq"
		default:
			bare.Tag = "!!map"
		}
		if short == "Ref" || short == "Condition" {
			return short, &bare, true
		}
		return "Fn::" + short, &bare, true
	}
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		return "", nil, false
	}
	name = n.Content[0].Value
	if name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::") {
		return name, follow(n.Content[1]), true
	}
	return "", nil, false
}

// eval turns a node into a value; nil is AWS::NoValue.
func (t *template) eval(n *yaml.Node) *estate.Value { return t.evalAt(n, 0) }

func (t *template) evalAt(n *yaml.Node, depth int) *estate.Value {
	n = follow(n)
	if t.nodes++; t.nodes > maxNodes {
		if !t.exhausted {
			t.exhausted = true
			t.builder.Problem(estate.Problem{
				Position: t.at(n), Fatal: true,
				Message: fmt.Sprintf("the template has more than %d values once its aliases are expanded", maxNodes),
			})
		}
		return estate.Unknown(reasonShape, "alias")
	}
	if depth > maxDepth {
		t.problem(n, "nested more than %d deep", maxDepth)
		return estate.Unknown(reasonShape, "nesting")
	}
	if name, arg, ok := intrinsic(n); ok && (name != "Condition" || n.Kind == yaml.ScalarNode) {
		if t.sam {
			t.written[t.at(n)] = name
		}
		return t.call(n, name, arg, depth).At(t.at(n))
	}
	var v *estate.Value
	switch n.Kind {
	case yaml.ScalarNode:
		v = t.scalar(n)
	case yaml.SequenceNode:
		items := make([]*estate.Value, 0, len(n.Content))
		for _, c := range n.Content {
			if item := t.evalAt(c, depth+1); item != nil {
				items = append(items, item)
			}
		}
		v = estate.List(items...)
	case yaml.MappingNode:
		if call := macroIn(n); call != nil {
			v = estate.Unknown(reasonMacro, macroName(call))
			break // it may make anything of what stands beside it
		}
		var fields []estate.Field
		t.each(n, func(key, value *yaml.Node) {
			item := t.evalAt(value, depth+1)
			if item == nil && t.keepNoValue {
				item = estate.Null().At(t.at(follow(value)))
			}
			if item != nil {
				fields = append(fields, estate.Field{Name: key.Value, Value: item})
			}
		})
		v = estate.Map(fields...)
	default:
		v = estate.Unknown(reasonShape, "value")
	}
	return v.At(t.at(n))
}

// yamlBooleans are the words that YAML 1.1, which CloudFormation reads, takes
// for booleans and YAML 1.2 does not.
var yamlBooleans = map[string]bool{
	"yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
}

func (t *template) scalar(n *yaml.Node) *estate.Value {
	switch n.Tag {
	case "!!null":
		t.problem(n, "null is not a value that CloudFormation takes; leave the property out")
		return nil
	case "!!bool":
		return estate.Bool(strings.EqualFold(n.Value, "true"))
	case "!!int", "!!float":
		if v, err := estate.Number(n.Value); err == nil {
			return v
		}
	case "!!str":
		if b, ok := yamlBooleans[n.Value]; ok && n.Style == 0 {
			return estate.Bool(b)
		}
		return dynamic(estate.String(n.Value))
	}
	// Dates (2012-10-17) and other forms are texts here.
	return estate.String(n.Value)
}

var resolveReference = regexp.MustCompile(`\{\{resolve:(ssm|ssm-secure|secretsmanager):([^:}]*)`)

// dynamic replaces a text that CloudFormation resolves at deployment. What
// comes from Secrets Manager or a secure parameter is a credential.
func dynamic(v *estate.Value) *estate.Value {
	parts := []*estate.Value{v}
	if v.Kind() == estate.KindText {
		parts = v.Items()
	}
	for _, p := range parts {
		text := p.AsString()
		if !strings.Contains(text, "{{resolve:") {
			continue
		}
		service, name := "", "…"
		if m := resolveReference.FindStringSubmatch(text); m != nil {
			service, name = m[1], m[2]
		}
		if service == "ssm" {
			return estate.UnknownText(reasonDynamic, service+":"+name)
		}
		return estate.Secret("dynamic reference to " + service + ":" + name)
	}
	return v
}

// malformed reports a function that does not have the form it must have.
func (t *template) malformed(n *yaml.Node, name, expected string) *estate.Value {
	t.problem(n, "%s: expected %s", name, expected)
	return estate.Unknown(reasonShape, name)
}

// call evaluates one intrinsic function.
func (t *template) call(n *yaml.Node, name string, arg *yaml.Node, depth int) *estate.Value {
	list := func(length ...int) []*yaml.Node {
		if arg.Kind != yaml.SequenceNode {
			return nil
		}
		for _, l := range length {
			if len(arg.Content) == l {
				return arg.Content
			}
		}
		return nil
	}
	eval := func(n *yaml.Node) *estate.Value { return t.evalAt(n, depth+1) }
	switch name {
	case "Ref":
		if arg.Kind != yaml.ScalarNode {
			return t.malformed(arg, name, "the name of a resource or parameter")
		}
		return t.ref(n, arg.Value)
	case "Fn::GetAtt":
		return t.getAtt(n, arg)
	case "Fn::Sub":
		return t.sub(arg, depth)
	case "Fn::If":
		args := list(3)
		if args == nil || follow(args[0]).Kind != yaml.ScalarNode {
			return t.malformed(arg, name, "a list of a condition's name and two values")
		}
		return t.choose(follow(args[0]), eval(args[1]), eval(args[2]))
	case "Fn::Join":
		args := list(2)
		if args == nil {
			return t.malformed(arg, name, "a list of a delimiter and a list")
		}
		return t.lift(join, eval(args[0]), eval(args[1]))
	case "Fn::Split":
		args := list(2)
		if args == nil {
			return t.malformed(arg, name, "a list of a delimiter and a text")
		}
		return t.lift(split, eval(args[0]), eval(args[1]))
	case "Fn::Select":
		args := list(2)
		if args == nil {
			return t.malformed(arg, name, "a list of an index and a list")
		}
		return t.lift(func(a []*estate.Value) *estate.Value { return t.pick(n, a[0], a[1]) }, eval(args[0]), eval(args[1]))
	case "Fn::FindInMap":
		args := list(3, 4)
		if args == nil {
			return t.malformed(arg, name, "a list of a mapping's name and two keys")
		}
		return t.findInMap(n, args, depth)
	case "Fn::Base64":
		return t.lift(encode, eval(arg))
	case "Fn::ImportValue":
		return t.lift(func(a []*estate.Value) *estate.Value {
			if name, known := a[0].Scalar(); known {
				return estate.UnknownText(estate.ReasonExport, estate.ExportInput(name))
			}
			return estate.Unknown(estate.ReasonExport, "export named by "+derived(reasonPart, a[0]).Gap().Input)
		}, eval(arg))
	case "Fn::GetAZs":
		return derived(reasonZones, eval(arg))
	case "Fn::Transform":
		return estate.Unknown(reasonMacro, macroName(arg))
	case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition":
		return t.decide(n)
	case "Fn::Cidr":
		args := list(2, 3)
		if args == nil {
			return t.malformed(arg, name, "a list of an address range, a count and perhaps the bits for hosts")
		}
		values := make([]*estate.Value, len(args))
		for i, a := range args {
			values[i] = eval(a)
		}
		return t.lift(func(a []*estate.Value) *estate.Value { return t.cidrs(n, a) }, values...)
	case "Fn::Length", "Fn::ToJsonString":
		if t.needsExtensions(n, name) {
			return estate.Unknown(reasonShape, name)
		}
		if name == "Fn::Length" {
			return t.length(eval(arg))
		}
		return t.jsonString(eval(arg))
	case "Fn::GetStackOutput":
		return estate.Unknown(reasonComputed, name)
	}
	if strings.HasPrefix(name, forEach) {
		return estate.Unknown(reasonMacro, name) // reported when it could not be expanded
	}
	t.problem(n, "%s is not a function of CloudFormation", name)
	return estate.Unknown(reasonShape, name)
}

// ref resolves what Ref or ${…} names.
func (t *template) ref(n *yaml.Node, name string) *estate.Value {
	switch {
	case name == "AWS::NoValue":
		return nil
	case strings.HasPrefix(name, "AWS::"):
		return t.pseudo(name)
	case t.arguments[name] != nil && t.parameters[name] != nil:
		return t.resolveParameter(name)
	case t.parameters[name] != nil:
		return dynamic(t.resolveParameter(name))
	case t.resources[name] != "" || t.sam:
		return estate.Ref(name, "Ref")
	}
	t.problem(n, "%s is not a resource or parameter of the template", name)
	return estate.Unknown(reasonUndeclared, name)
}

// getAtt resolves [Resource, Attribute] and "Resource.Attribute".
func (t *template) getAtt(n, arg *yaml.Node) *estate.Value {
	var resource, attribute string
	switch arg.Kind {
	case yaml.ScalarNode:
		resource, attribute, _ = strings.Cut(arg.Value, ".")
	case yaml.SequenceNode:
		if len(arg.Content) == 2 && follow(arg.Content[0]).Kind == yaml.ScalarNode {
			resource = follow(arg.Content[0]).Value
			if second := t.eval(arg.Content[1]); second.Kind() == estate.KindString {
				attribute = second.AsString()
			} else if second != nil {
				return estate.Unknown(reasonAttribute, resource)
			}
		}
	default:
	}
	if resource == "" || attribute == "" {
		return t.malformed(arg, "Fn::GetAtt", "a resource and one of its attributes")
	}
	return t.attribute(n, resource, attribute)
}

func (t *template) attribute(n *yaml.Node, resource, attribute string) *estate.Value {
	kind := t.resources[resource]
	switch {
	case stackTypes[kind] != "" && strings.HasPrefix(attribute, "Outputs."):
		stack := t.nestedStack(resource)
		if stack == nil {
			return estate.UnknownText(reasonAttribute, t.prefix+resource+"."+attribute)
		}
		v, ok := stack.outputs[strings.TrimPrefix(attribute, "Outputs.")]
		if !ok {
			t.problem(n, "stack %s has no output %s", resource, strings.TrimPrefix(attribute, "Outputs."))
			return estate.UnknownText(reasonAttribute, t.prefix+resource+"."+attribute)
		}
		return v
	case strings.HasPrefix(kind, "Custom::") || strings.HasPrefix(kind, "AWS::CloudFormation::") ||
		kind == "AWS::Serverless::Application" || kind == "AWS::SSM::Parameter" && attribute == "Value":
		// Its text is whatever the provider, the nested stack or the parameter says.
		return estate.UnknownText(reasonAttribute, resource+"."+attribute)
	case kind != "" || t.sam:
		return estate.Ref(resource, attribute)
	}
	t.problem(n, "%s is not a resource of the template", resource)
	return estate.Unknown(reasonUndeclared, resource)
}

var hole = regexp.MustCompile(`\$\{[^}]*\}`)

// sub fills a text's holes.
func (t *template) sub(arg *yaml.Node, depth int) *estate.Value {
	text, extra := arg, (*yaml.Node)(nil)
	if arg.Kind == yaml.SequenceNode && len(arg.Content) == 2 {
		text, extra = follow(arg.Content[0]), follow(arg.Content[1])
	}
	if text.Kind != yaml.ScalarNode || extra != nil && extra.Kind != yaml.MappingNode {
		return t.malformed(arg, "Fn::Sub", "a text, or a list of a text and a mapping")
	}
	own := map[string]*estate.Value{}
	t.each(extra, func(key, value *yaml.Node) { own[key.Value] = t.evalAt(value, depth+1) })

	var parts []*estate.Value
	rest := text.Value
	for {
		at := hole.FindStringIndex(rest)
		if at == nil {
			break
		}
		name := strings.TrimSpace(rest[at[0]+2 : at[1]-1])
		parts = append(parts, estate.String(rest[:at[0]]))
		rest = rest[at[1]:]
		if literal, escaped := strings.CutPrefix(name, "!"); escaped {
			parts = append(parts, estate.String("${"+literal+"}"))
			continue
		}
		v, mapped := own[name]
		switch resource, attribute, dotted := strings.Cut(name, "."); {
		case mapped:
		case dotted:
			v = t.attribute(text, resource, attribute)
		default:
			v = t.ref(text, name)
		}
		parts = append(parts, v.At(t.at(text)))
	}
	parts = append(parts, estate.String(rest))
	return t.lift(func(parts []*estate.Value) *estate.Value { return dynamic(concatenate(parts)) }, parts...)
}

// concatenate joins parts into one text; what is no text becomes a hole.
func concatenate(parts []*estate.Value) *estate.Value {
	texts := make([]*estate.Value, 0, len(parts))
	for _, p := range parts {
		switch p.Kind() {
		case estate.KindAbsent:
		case estate.KindList, estate.KindMap, estate.KindNull:
			texts = append(texts, estate.Unknown(reasonShape, "a list inside a text"))
		default:
			texts = append(texts, p)
		}
	}
	return estate.Text(texts...)
}

// choose is Fn::If: one of two values, or, while the condition is open, either.
func (t *template) choose(name *yaml.Node, yes, no *estate.Value) *estate.Value {
	c := t.condition(name, name.Value)
	var either func(c *estate.Value) *estate.Value
	either = func(c *estate.Value) *estate.Value {
		switch c.Kind() {
		case estate.KindBool:
			if c.AsBool() {
				return yes
			}
			return no
		case estate.KindOneOf:
			cases := make([]estate.Case, len(c.Cases()))
			for i, one := range c.Cases() {
				cases[i] = estate.Case{When: one.When, Value: given(either(one.Value), c.Input(), one.When)}
			}
			return estate.OneOf(c.Input(), cases...)
		default:
			input := t.input("condition", name.Value)
			return estate.OneOf(input,
				estate.Case{When: "true", Value: given(yes, input, "true")},
				estate.Case{When: "false", Value: given(no, input, "false")})
		}
	}
	return either(c)
}

// maxChoices bounds the combinations of open inputs that one value may have.
const maxChoices = 64

// lift applies f to known arguments: where arguments are one of several
// values, to every combination that can occur together.
func (t *template) lift(f func([]*estate.Value) *estate.Value, args ...*estate.Value) *estate.Value {
	budget := maxChoices
	return lift(f, args, &budget)
}

func lift(f func([]*estate.Value) *estate.Value, args []*estate.Value, budget *int) *estate.Value {
	input, whens := firstOpen(args)
	if input == "" {
		return f(args)
	}
	if *budget -= len(whens); *budget < 0 {
		return estate.Unknown(reasonChoices, input)
	}
	cases := make([]estate.Case, len(whens))
	for i, when := range whens {
		chosen := make([]*estate.Value, len(args))
		for j, a := range args {
			chosen[j] = given(a, input, when)
		}
		cases[i] = estate.Case{When: when, Value: lift(f, chosen, budget)}
	}
	return estate.OneOf(input, cases...)
}

// firstOpen is the first input that some argument depends on.
func firstOpen(args []*estate.Value) (input string, whens []string) {
	for _, a := range args {
		a.Each(func(v *estate.Value) bool {
			if input == "" && v.Kind() == estate.KindOneOf {
				input = v.Input()
				for _, c := range v.Cases() {
					whens = append(whens, c.When)
				}
			}
			return input == ""
		})
	}
	return input, whens
}

// given is v once the input is known to have a value.
func given(v *estate.Value, input, when string) *estate.Value {
	found := false
	v.Each(func(x *estate.Value) bool {
		found = found || x.Input() == input
		return !found
	})
	if !found {
		return v
	}
	return v.Rewrite(func(x *estate.Value) *estate.Value {
		if x.Input() != input {
			return x
		}
		for _, c := range x.Cases() {
			if c.When == when {
				return c.Value
			}
		}
		return estate.Unknown(reasonCondition, input)
	})
}

func join(args []*estate.Value) *estate.Value {
	delimiter, list := args[0], args[1]
	if list.Kind() != estate.KindList {
		if list.Kind() == estate.KindUnknown {
			return derived(reasonPart, list)
		}
		return estate.Unknown(reasonShape, "Fn::Join")
	}
	var parts []*estate.Value
	for i, item := range list.Items() {
		if i > 0 {
			parts = append(parts, delimiter)
		}
		parts = append(parts, item)
	}
	return dynamic(concatenate(parts))
}

func split(args []*estate.Value) *estate.Value {
	delimiter, text := args[0].AsString(), args[1]
	if s, ok := text.Scalar(); ok && delimiter != "" {
		var items []*estate.Value
		for part := range strings.SplitSeq(s, delimiter) {
			items = append(items, estate.String(part))
		}
		return estate.List(items...)
	}
	return derived(reasonPart, text)
}

// derived is a value made of one that is not known. Its input names what is
// not known, and never holds text of the template, which may be a credential.
func derived(reason string, of *estate.Value) *estate.Value {
	found := estate.Gap{Reason: reason}
	of.Each(func(v *estate.Value) bool {
		switch v.Kind() {
		case estate.KindUnknown, estate.KindDenied:
			found = v.Gap()
		case estate.KindReference:
			found.Input = v.Reference().String()
		case estate.KindOneOf:
			found.Input = v.Input()
		case estate.KindSecret:
			found.Input = v.Why()
		}
		return found.Input == ""
	})
	return estate.Unknown(found.Reason, found.Input)
}

// pick is Fn::Select.
func (t *template) pick(n *yaml.Node, index, list *estate.Value) *estate.Value {
	switch list.Kind() {
	case estate.KindList:
	default:
		return derived(reasonPart, list)
	}
	text, known := index.Scalar()
	if !known {
		return derived(reasonPart, index)
	}
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 || i >= len(list.Items()) {
		return t.malformed(n, "Fn::Select", fmt.Sprintf("an index from 0 to %d, not %s", len(list.Items())-1, text))
	}
	return list.Items()[i]
}

// encode is Fn::Base64. A text with a credential in it stays withheld.
func encode(args []*estate.Value) *estate.Value {
	text, ok := args[0].Scalar()
	if !ok {
		return derived(reasonPart, args[0])
	}
	if what := estate.Credential("", text); what != "" {
		return estate.Secret(what)
	}
	return estate.String(base64.StdEncoding.EncodeToString([]byte(text)))
}

// findInMap looks keys up in a mapping. An open key is one of the mapping's.
func (t *template) findInMap(n *yaml.Node, args []*yaml.Node, depth int) *estate.Value {
	name := t.evalAt(args[0], depth+1)
	mapping := child(child(t.root, "Mappings"), name.AsString())
	if name.Kind() == estate.KindString && mapping == nil {
		t.problem(n, "mapping %s is not declared under Mappings", name.AsString())
		return estate.Unknown(reasonMapping, name.AsString())
	}
	if mapping == nil {
		return derived(reasonMapping, name)
	}
	second := t.evalAt(args[2], depth+1)
	fallback := (*yaml.Node)(nil)
	if len(args) == 4 {
		fallback = child(follow(args[3]), "DefaultValue")
	}
	top := openKey(t.evalAt(args[1], depth+1), mapping, fallback != nil)
	return t.lift(func(keys []*estate.Value) *estate.Value {
		first, ok1 := keys[0].Scalar()
		last, ok2 := keys[1].Scalar()
		if !ok1 || !ok2 {
			return derived(reasonMapping, estate.List(keys...))
		}
		entry := child(child(mapping, first), last)
		switch {
		case entry != nil:
			return t.evalAt(entry, depth+1)
		case fallback != nil:
			return t.evalAt(fallback, depth+1)
		}
		t.problem(n, "mapping %s has no entry %s, %s", name.AsString(), first, last)
		return estate.Unknown(reasonMapping, name.AsString()+"."+first+"."+last)
	}, top, second)
}

// anotherKey is a key that no mapping has.
const anotherKey = "a key that the mapping does not have"

// openKey is a key that is not known, as one of the keys that the mapping has:
// any other would make the deployment fail, or take the fallback.
func openKey(key *estate.Value, mapping *yaml.Node, fallback bool) *estate.Value {
	if key.Kind() != estate.KindUnknown || mapping.Kind != yaml.MappingNode || len(mapping.Content) > 2*maxChoices {
		return key
	}
	var cases []estate.Case
	for i := 0; i < len(mapping.Content); i += 2 {
		cases = append(cases, estate.Case{When: mapping.Content[i].Value, Value: estate.String(mapping.Content[i].Value)})
	}
	if fallback {
		cases = append(cases, estate.Case{When: anotherKey, Value: estate.String(anotherKey)})
	}
	return estate.OneOf(key.Gap().Input, cases...)
}
