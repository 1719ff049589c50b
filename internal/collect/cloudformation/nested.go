package cloudformation

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/collect"
	"assay/internal/estate"
)

// maxNested bounds stacks that nest each other.
const maxNested = 10

// outside marks references of a nested template to resources of the template
// around it, until the resources of both are in one scope.
const outside = "../"

// nested is a stack within the template that is read from a file beside it.
type nested struct {
	template *template
	read     []estate.Resource
	outputs  map[string]*estate.Value
	state    conditionState
}

// stackTypes are the resource types that hold a template of their own, with
// the property that says where it lies.
var stackTypes = map[string]string{"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}

// nestedStack reads the stack that a resource is; nil when its template is not
// a file beside this one.
func (t *template) nestedStack(name string) *nested {
	if n, ok := t.stacks[name]; ok {
		if n != nil && n.state == resolving {
			return nil // an output that the stack's own parameters need
		}
		return n
	}
	b, ok := t.bodies[name]
	if !ok {
		return nil
	}
	t.stacks[name] = nil
	file, at := t.stackFile(name, b)
	if file == "" {
		return nil
	}
	refuse := func(format string, args ...any) *nested {
		t.problem(at, "stack %s: template %s %s", name, file, fmt.Sprintf(format, args...))
		return nil
	}
	depth := 0
	for up := t; up != nil; up = up.parent {
		if up.file == file {
			return refuse("includes itself")
		}
		if depth++; depth > maxNested {
			return refuse("is nested more than %d deep", maxNested)
		}
	}
	data, err := t.tree.Read(file, maxTemplate)
	if err != nil {
		return refuse("cannot be read: %s", err)
	}
	root, problem := parse(file, data)
	if problem != nil {
		t.builder.Problem(*problem)
		return nil
	}
	if root.Kind != yaml.MappingNode || child(root, "Resources") == nil {
		return refuse("has no Resources")
	}
	inner := newTemplate(file, root, t.options, t.tree)
	inner.remarks = remarks(data, root)
	inner.builder, inner.parent, inner.prefix = t.builder, t, t.prefix+name+"/"
	inner.callers = append(t.callers[:len(t.callers):len(t.callers)], t.at(b.key))
	n := &nested{template: inner, outputs: map[string]*estate.Value{}, state: resolving}
	t.stacks[name] = n
	inner.arguments = map[string]*estate.Value{}
	t.each(child(child(b.value, "Properties"), "Parameters"), func(key, value *yaml.Node) {
		inner.arguments[key.Value] = outward(t.eval(value))
	})
	n.read = inner.gather()
	for _, name := range sortedNames(inner.exported) {
		n.outputs[name] = inner.placed(inner.exported[name])
	}
	n.state = resolved
	return n
}

// stackFile is the file of a stack's template, "" when it is not on disk. An
// asset of the CDK says in the resource's metadata where it lies.
func (t *template) stackFile(name string, b body) (string, *yaml.Node) {
	property := stackTypes[t.resources[name]]
	at := child(child(b.value, "Properties"), property)
	if at == nil || t.tree == nil {
		return "", nil
	}
	metadata := child(b.value, "Metadata")
	if asset := child(metadata, "aws:asset:path"); asset != nil && child(metadata, "aws:asset:property") != nil {
		return path.Join(path.Dir(t.file), asset.Value), asset
	}
	if at.Kind != yaml.ScalarNode || at.Tag != "!!str" || strings.Contains(at.Value, "://") || at.Value == "" {
		return "", nil
	}
	return path.Join(path.Dir(t.file), at.Value), at
}

// outward marks the references of a value that is handed into a nested stack.
func outward(v *estate.Value) *estate.Value {
	return v.Rewrite(func(x *estate.Value) *estate.Value {
		if x.Kind() != estate.KindReference {
			return x
		}
		return estate.Ref(outside+x.Reference().Resource, x.Reference().Attribute).At(x.Position())
	})
}

// placed is a value of a nested template as the template around it sees it.
func (t *template) placed(v *estate.Value) *estate.Value {
	name := strings.TrimPrefix(t.prefix, t.parent.prefix)
	return v.Rewrite(func(x *estate.Value) *estate.Value {
		if x.Kind() != estate.KindReference {
			return x
		}
		to, handed := strings.CutPrefix(x.Reference().Resource, outside)
		if !handed {
			to = name + to
		}
		return estate.Ref(to, x.Reference().Attribute).At(x.Position())
	})
}

// nestedResources are the resources of the stacks in the template, as the
// template sees them. A stack whose template is not read leaves a gap.
func (t *template) nestedResources() []estate.Resource {
	var all []estate.Resource
	for _, name := range t.names {
		if stackTypes[t.resources[name]] == "" {
			continue
		}
		n := t.nestedStack(name)
		if n == nil {
			t.partial("the resources of stack %s%s are "+estate.ReasonOwnTemplate, t.prefix, name)
			continue
		}
		stack := strings.TrimPrefix(n.template.prefix, t.prefix)
		exists, input := t.existenceOf(name)
		for _, r := range n.read {
			r.LogicalID = stack + r.LogicalID
			r.Properties = n.template.placed(r.Properties)
			switch {
			case exists == nil:
			case r.Exists == nil:
				r.Exists, r.ExistsInput = exists, input
			default:
				r.Exists = t.lift(func(a []*estate.Value) *estate.Value { return truthValue(combine("Fn::And", a)) }, exists, r.Exists)
				r.ExistsInput = input + " and " + r.ExistsInput
			}
			all = append(all, r)
		}
	}
	return all
}

// existenceOf is what the condition of a resource says.
func (t *template) existenceOf(name string) (*estate.Value, string) {
	n := child(t.bodies[name].value, "Condition")
	if n == nil || n.Kind != yaml.ScalarNode {
		return nil, ""
	}
	return t.existence(n), t.input("condition", n.Value)
}

var (
	// placeCues stand before what may be the place of a nested template or of an
	// included file, and placeBehind is such a place.
	placeCues   = [][]byte{[]byte("TemplateURL"), []byte("Location"), []byte("aws:asset:path")}
	placeBehind = regexp.MustCompile(`^["']?\s*:\s*["']?([^\s"',}]+)`)
	// exchangeCues stand in templates that export or import.
	exchangeCues = [][]byte{[]byte("ImportValue"), []byte("Export")}
)

// maxPlace bounds how far a place may stand behind its cue, in bytes.
const maxPlace = 1024

// Survey implements [collect.Surveyor].
func (c *Collector) Survey(f collect.File) collect.Survey {
	var found collect.Survey
	for _, cue := range placeCues {
		for rest := f.Data; ; {
			i := bytes.Index(rest, cue)
			if i < 0 {
				break
			}
			rest = rest[i+len(cue):]
			if m := placeBehind.FindSubmatch(rest[:min(len(rest), maxPlace)]); m != nil && !bytes.Contains(m[1], []byte("://")) {
				found.Includes = append(found.Includes, path.Join(path.Dir(f.Name), string(m[1])))
			}
		}
	}
	exchanges := slices.ContainsFunc(exchangeCues, func(cue []byte) bool { return bytes.Contains(f.Data, cue) })
	if !exchanges || !c.Claims(f) {
		return found
	}
	for _, b := range c.Collect(context.Background(), f) {
		for _, e := range b.Exports() {
			found.Exports = append(found.Exports, e.Name)
		}
		for _, r := range b.Resources() {
			r.Properties.Each(func(v *estate.Value) bool {
				if g := v.Gap(); v.Kind() == estate.KindUnknown && g.Reason == estate.ReasonExport {
					found.Imports = append(found.Imports, strings.TrimPrefix(g.Input, estate.ExportInput("")))
				}
				return true
			})
		}
	}
	return found
}
