// Package cloudformation reads CloudFormation and SAM templates into scopes:
// YAML with short-form tags and JSON, parameters, conditions and intrinsic
// functions. What cannot be resolved becomes an unknown value that names the
// input which would resolve it.
package cloudformation

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/collect"
	"assay/internal/collect/cloudformation/sam"
	"assay/internal/estate"
)

// Options say how templates are read.
type Options struct {
	// Parameters gives values to template parameters and to pseudo parameters
	// ("AWS::Region"). A name that a template does not declare is ignored
	// there, so that several templates can share them.
	Parameters map[string]string
	// PolicyTemplates are SAM's policy templates (tables/sam-policy-templates.json).
	PolicyTemplates []byte
}

// Collector reads templates. It is safe for many goroutines.
type Collector struct{ options Options }

// New makes a collector.
func New(o Options) *Collector { return &Collector{o} }

// Name implements [collect.Collector].
func (*Collector) Name() string { return "CloudFormation or SAM template" }

var yamlSection = regexp.MustCompile(`(?m)^["']?(Resources|AWSTemplateFormatVersion|Transform)["']?\s*:`)

// Claims implements [collect.Collector].
func (*Collector) Claims(f collect.File) bool {
	if isJSON(bytes.TrimPrefix(f.Data, []byte("\ufeff"))) {
		return isChangeSet(f.Data) || hasMember(f.Data, "Resources", "AWSTemplateFormatVersion")
	}
	return yamlSection.Match(f.Data)
}

// Collect implements [collect.Collector]: one scope a file.
func (c *Collector) Collect(_ context.Context, f collect.File) []*estate.Builder {
	if isChangeSet(f.Data) {
		return []*estate.Builder{readChangeSet(f)}
	}
	root, problem := parse(f.Name, f.Data)
	if problem != nil {
		return []*estate.Builder{collect.Unread(f.Name, "cloudformation", *problem)}
	}
	if root.Kind != yaml.MappingNode {
		return []*estate.Builder{collect.Unread(f.Name, "cloudformation", estate.Problem{
			Position: position(f.Name, root), Message: "expected a mapping with Resources",
		})}
	}
	options := c.options
	options.Parameters = fromAssembly(f.Name, f.Tree, options.Parameters)
	t := newTemplate(f.Name, root, options, f.Tree)
	t.remarks = remarks(f.Data, root)
	return []*estate.Builder{t.read()}
}

// cdkPath is the metadata that names the construct which a resource comes of.
const cdkPath = "aws:cdk:path"

const samTransform = "AWS::Serverless-2016-10-31"

// template is one template while it is read.
type template struct {
	file    string
	root    *yaml.Node
	options Options
	builder *estate.Builder
	tree    *collect.Tree // where files may be included from

	// What a nested template has: the one around it, the resource's name in it
	// with a slash behind, the calls that lead here, and its parameters' values.
	parent    *template
	prefix    string
	callers   []estate.Position
	arguments map[string]*estate.Value

	remarks []remark // on accepted failures

	files  []string // that AWS::Include spliced in
	copied int      // entries made by loops
	bodies map[string]body
	stacks map[string]*nested
	// exported are the values of outputs: of a nested template by the output's
	// name, of another by the name under which it is exported.
	exported map[string]*estate.Value

	sam        bool
	parameters map[string]*parameter
	conditions map[string]*condition
	resources  map[string]string // logical id → type
	names      []string          // logical ids in order
	// written and attributes are what the SAM transform asks for beside values:
	// the intrinsic function that stands at a position, and the resource
	// attributes IgnoreGlobals and Connectors by logical id.
	written                   map[estate.Position]string
	ignoreGlobals, connectors map[string]*estate.Value
	// keepNoValue keeps AWS::NoValue as null, which overrides Globals.
	keepNoValue bool
	nodes       int  // values made so far
	exhausted   bool // maxNodes was passed and reported
}

func newTemplate(file string, root *yaml.Node, o Options, tree *collect.Tree) *template {
	t := &template{
		file: file, root: root, options: o, tree: tree,
		stacks: map[string]*nested{}, exported: map[string]*estate.Value{},
		parameters: map[string]*parameter{}, conditions: map[string]*condition{}, resources: map[string]string{},
		written: map[estate.Position]string{}, ignoreGlobals: map[string]*estate.Value{}, connectors: map[string]*estate.Value{},
	}
	format := "cloudformation"
	if slices.Contains(t.transforms(), samTransform) {
		t.sam, format = true, "sam"
	}
	t.builder = estate.NewBuilder(file, format)
	t.builder.Place(o.Parameters["AWS::Region"], o.Parameters["AWS::AccountId"])
	return t
}

// at is the position of a node of the template, or of a file included in it.
func (t *template) at(n *yaml.Node) estate.Position {
	file := t.file
	if i := n.Line >> lineBits; i > 0 {
		file = t.files[i-1]
	}
	return estate.Position{File: file, Line: n.Line & (1<<lineBits - 1), Column: n.Column}
}

// input names what a person supplies, such as a parameter; within a nested
// template, of which stack.
func (t *template) input(kind, name string) string { return kind + " " + t.prefix + name }

// problem records a fault at a node.
func (t *template) problem(n *yaml.Node, format string, args ...any) {
	t.builder.Problem(estate.Problem{Position: t.at(n), Message: fmt.Sprintf(format, args...)})
}

// section is a top-level mapping; another form is a problem.
func (t *template) section(name string) *yaml.Node {
	n := child(t.root, name)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			t.problem(n, "%s: expected a mapping", name)
		}
		return nil
	}
	return n
}

// each walks a mapping, reporting keys that stand twice.
func (t *template) each(n *yaml.Node, f func(key, value *yaml.Node)) {
	if n == nil {
		return
	}
	members(n, func(at *yaml.Node, message string) { t.problem(at, "%s", message) }, f)
}

func (t *template) transforms() []string {
	n := child(t.root, "Transform")
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}
	case n.Kind == yaml.MappingNode:
		if name := child(n, "Name"); name != nil {
			return []string{name.Value}
		}
	}
	var names []string
	for _, item := range n.Content {
		if item = follow(item); item.Kind == yaml.ScalarNode {
			names = append(names, item.Value)
		} else if name := child(item, "Name"); name != nil {
			names = append(names, name.Value)
		}
	}
	return names
}

func (t *template) hasTransform(name string) bool { return slices.Contains(t.transforms(), name) }

// read evaluates the whole template.
func (t *template) read() *estate.Builder {
	if child(t.root, "Resources") == nil {
		return collect.Unread(t.file, "cloudformation", estate.Problem{
			Position: t.at(t.root), Message: "the template has no Resources", Hint: "a template declares what it makes under Resources",
		})
	}
	for _, r := range t.gather() {
		t.builder.Add(r)
	}
	for _, name := range sortedNames(t.exported) {
		t.builder.Export(name, t.exported[name])
	}
	return t.builder
}

// gather evaluates the template and the stacks nested in it. References of a
// nested template are in its own terms.
func (t *template) gather() []estate.Resource {
	for _, name := range t.transforms() {
		if name != samTransform && name != languageExtensions && name != include {
			t.partial("macro %s is not run", name)
		}
	}
	t.expandIncludes(t.root, nil)
	t.each(t.section("Parameters"), func(key, value *yaml.Node) { t.parameters[key.Value] = &parameter{node: follow(value)} })
	t.each(t.section("Conditions"), func(key, value *yaml.Node) { t.conditions[key.Value] = &condition{node: value} })
	t.expandLoops()
	t.each(t.section("Conditions"), func(key, value *yaml.Node) {
		if t.conditions[key.Value] == nil {
			t.conditions[key.Value] = &condition{node: value}
		}
	})
	t.checkRules()
	t.declare(t.section("Resources"))
	t.waive()
	var resources []estate.Resource
	for _, name := range t.names {
		r := t.resource(name, t.bodies[name])
		if t.sam && strings.HasPrefix(r.Type, "AWS::Serverless::") && r.Properties.Kind() == estate.KindUnknown {
			t.partial("what %s makes of %s is not read", r.Properties.Gap().Input, name) // nor what SAM makes of that
			continue
		}
		resources = append(resources, r)
	}
	if t.sam {
		resources = t.transform(resources)
	}
	for i := range resources {
		r := &resources[i]
		r.Callers = t.callers
		if r.Address == "" || child(child(t.bodies[r.LogicalID].value, "Metadata"), cdkPath) == nil {
			r.Address = t.prefix + cmp.Or(r.Address, r.LogicalID)
		}
	}
	resources = t.settle(append(resources, t.nestedResources()...))
	t.readOutputs()
	t.findCycles(resources)
	return resources
}

// readOutputs evaluates the outputs that others can use.
func (t *template) readOutputs() {
	t.each(t.section("Outputs"), func(key, output *yaml.Node) {
		output = follow(output)
		name, value := key.Value, child(output, "Value")
		if t.parent == nil {
			export := child(child(output, "Export"), "Name")
			if export == nil {
				return
			}
			name, _ = t.eval(export).Scalar()
		}
		if value == nil || name == "" {
			return
		}
		if when := child(output, "Condition"); when != nil && when.Kind == yaml.ScalarNode && t.existence(when) != nil {
			return // not certainly there
		}
		t.exported[name] = t.eval(value)
	})
}

// body is the node of one resource and of its name.
type body struct{ key, value *yaml.Node }

// declare notes every resource, so that references can tell what they name.
func (t *template) declare(section *yaml.Node) {
	t.bodies = map[string]body{}
	t.each(section, func(key, value *yaml.Node) {
		value = follow(value)
		switch {
		case strings.HasPrefix(key.Value, "Fn::Transform"):
			t.partial("what %s makes of Resources is not read", macroName(value))
			return
		case value.Kind != yaml.MappingNode:
			t.problem(value, "resource %s: expected a mapping with Type and Properties", key.Value)
			return
		}
		kind := child(value, "Type")
		if kind == nil || kind.Kind != yaml.ScalarNode || kind.Value == "" {
			t.problem(key, "resource %s has no Type", key.Value)
			return
		}
		t.resources[key.Value] = kind.Value
		t.names = append(t.names, key.Value)
		t.bodies[key.Value] = body{key, value}
	})
	slices.Sort(t.names)
}

// macroName is the name of the macro that a call of Fn::Transform runs.
func macroName(call *yaml.Node) string {
	if name := child(call, "Name"); name != nil && name.Kind == yaml.ScalarNode {
		return "macro " + name.Value
	}
	return "a macro"
}

// macroIn is the call of a macro among what stands in a mapping, or nil.
func macroIn(n *yaml.Node) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "Fn::Transform" {
			return follow(n.Content[i+1])
		}
	}
	return nil
}

func (t *template) resource(name string, b body) estate.Resource {
	r := estate.Resource{Type: t.resources[name], LogicalID: name, Source: t.at(b.key)}
	switch properties, macro := child(b.value, "Properties"), macroIn(b.value); {
	case macro != nil:
		r.Properties = estate.Unknown(reasonMacro, macroName(macro)).At(t.at(b.key))
	case properties == nil || properties.Tag == "!!null":
	default:
		t.keepNoValue = t.sam && strings.HasPrefix(r.Type, "AWS::Serverless::")
		v := t.eval(properties)
		t.keepNoValue = false
		switch v.Kind() {
		case estate.KindMap, estate.KindUnknown:
			r.Properties = v
		case estate.KindAbsent:
		default:
			t.problem(properties, "resource %s: Properties: expected a mapping", name)
		}
	}
	if n := child(b.value, "IgnoreGlobals"); n != nil && t.sam {
		t.ignoreGlobals[name] = t.eval(n)
	}
	if n := child(b.value, "Connectors"); n != nil && t.sam {
		t.connectors[name] = t.eval(n)
	}
	if n := child(b.value, "Condition"); n != nil {
		if n.Kind != yaml.ScalarNode {
			t.problem(n, "resource %s: Condition: expected the name of a condition", name)
		} else {
			r.Exists, r.ExistsInput = t.existence(n), t.input("condition", n.Value)
		}
	}
	if path := child(child(b.value, "Metadata"), cdkPath); path != nil {
		r.Address = path.Value
	}
	return r
}

// existence is what a resource's condition says; nil when it certainly is
// there.
func (t *template) existence(n *yaml.Node) *estate.Value {
	v := t.condition(n, n.Value)
	switch {
	case v.Kind() == estate.KindBool && v.AsBool():
		return nil
	case v.Kind() == estate.KindUnknown:
		return estate.OneOf(t.input("condition", n.Value), estate.Case{When: "true", Value: estate.Bool(true)}, estate.Case{When: "false", Value: estate.Bool(false)})
	}
	return v
}

// transform hands the resources to the SAM transform.
func (t *template) transform(resources []estate.Resource) []estate.Resource {
	in := sam.Input{
		Resources: resources, PolicyTemplates: t.options.PolicyTemplates,
		Region: t.pseudo("AWS::Region"), Partition: t.pseudo("AWS::Partition"), AccountID: t.pseudo("AWS::AccountId"),
		StackName: t.pseudo("AWS::StackName"), StackID: t.pseudo("AWS::StackId"), URLSuffix: t.pseudo("AWS::URLSuffix"),
		Conditional: map[string]bool{}, IgnoreGlobals: t.ignoreGlobals, Connectors: t.connectors,
		Written: func(v *estate.Value) string { return t.written[v.Position()] },
	}
	for name, b := range t.bodies {
		in.Conditional[name] = child(b.value, "Condition") != nil
	}
	if globals := t.section("Globals"); globals != nil {
		in.Globals = t.eval(globals)
	}
	out := sam.Transform(in)
	for _, p := range out.Problems {
		t.builder.Problem(p)
	}
	for _, c := range out.Coverage {
		t.builder.Cover(c)
	}
	return out.Resources
}

// settle turns references to what does not exist, after all, into unknown
// values. References were taken on trust while SAM might still add resources.
func (t *template) settle(resources []estate.Resource) []estate.Resource {
	if !t.sam {
		return resources
	}
	exists := map[string]bool{}
	for _, r := range resources {
		exists[r.LogicalID] = true
	}
	for i := range resources {
		resources[i].Properties = resources[i].Properties.Rewrite(func(v *estate.Value) *estate.Value {
			if v.Kind() != estate.KindReference || exists[v.Reference().Resource] {
				return v
			}
			name := v.Reference().Resource
			if strings.HasPrefix(name, outside) {
				return v
			}
			t.builder.Problem(estate.Problem{
				Position: v.Position(), Message: fmt.Sprintf("%s is not a resource or parameter of the template", name),
			})
			return estate.Unknown(reasonUndeclared, name).At(v.Position())
		})
	}
	return resources
}

// findCycles reports resources that CloudFormation could not make because
// each waits for the other. SAM resources are left out: the transform adds
// resources between them.
func (t *template) findCycles(resources []estate.Resource) {
	if t.sam {
		return
	}
	waits := map[string][]string{}
	for _, r := range resources {
		if _, own := t.bodies[r.LogicalID]; !own {
			continue
		}
		r.Properties.Each(func(v *estate.Value) bool {
			if _, own := t.bodies[v.Reference().Resource]; own && v.Reference().Resource != r.LogicalID {
				waits[r.LogicalID] = append(waits[r.LogicalID], v.Reference().Resource)
			}
			return true
		})
		if n := child(t.bodies[r.LogicalID].value, "DependsOn"); n != nil {
			waits[r.LogicalID] = append(waits[r.LogicalID], t.dependsOn(r.LogicalID, n)...)
		}
	}
	const open, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(name string)
	visit = func(name string) {
		state[name] = open
		path = append(path, name)
		for _, next := range waits[name] {
			switch state[next] {
			case open:
				circle := append(slices.Clone(path[slices.Index(path, next):]), next)
				t.problem(t.bodies[next].key, "resources wait for each other: %s", strings.Join(circle, " → "))
			case done:
			default:
				visit(next)
			}
		}
		path = path[:len(path)-1]
		state[name] = done
	}
	for _, name := range t.names {
		if state[name] == 0 {
			visit(name)
		}
	}
}

func (t *template) dependsOn(name string, n *yaml.Node) []string {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var names []string
	for _, item := range items {
		item = follow(item)
		if _, ok := t.resources[item.Value]; !ok || item.Kind != yaml.ScalarNode {
			t.problem(item, "resource %s: DependsOn: expected the name of another resource", name)
			continue
		}
		names = append(names, item.Value)
	}
	return names
}

// unquote decodes a quoted JSON text.
func unquote(quoted []byte) (string, error) {
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", &jsonError{"a text holds an escape that JSON does not have"}
	}
	return s, nil
}
