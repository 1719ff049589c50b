package terraform

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"assay/internal/estate"
)

// Reasons for which a value is not known; see the collectors' documentation.
const (
	reasonApply  = "known after apply"
	reasonModule = "module output is not in the plan"
	reasonShape  = "malformed plan"
)

// reader reads one plan.
type reader struct {
	file    string
	mapping *mapping
	plan    *plan
	builder *estate.Builder

	changes map[string]*change         // by address
	bare    map[string][]*change       // by address without the instance keys
	config  map[string]json.RawMessage // expressions by address without instance keys
	modules map[string]*moduleScope    // by module address without instance keys
	data    map[string]json.RawMessage // values of data sources read while planning
	depth   int                        // of references being followed
}

// moduleScope is a module of the configuration with what leads into it.
type moduleScope struct {
	config *configModule
	call   *configCall  // nil for the root
	parent *moduleScope // nil for the root
	path   string       // address; "" for the root
}

func newReader(file string, m *mapping, p *plan) *reader {
	r := &reader{
		file: file, mapping: m, plan: p, builder: estate.NewBuilder(file, "terraform-plan"),
		changes: map[string]*change{}, bare: map[string][]*change{}, config: map[string]json.RawMessage{},
		modules: map[string]*moduleScope{}, data: map[string]json.RawMessage{},
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		r.changes[c.Address] = c
		r.bare[withoutKeys(c.Address)] = append(r.bare[withoutKeys(c.Address)], c)
	}
	r.index(&moduleScope{config: &p.Configuration.Root})
	r.indexData(&p.PriorState.Values.Root)
	return r
}

func (r *reader) index(m *moduleScope) {
	r.modules[m.path] = m
	for _, res := range m.config.Resources {
		r.config[join(m.path, res.Address)] = res.Expressions
	}
	for name, call := range m.config.Calls {
		r.index(&moduleScope{config: &call.Module, call: &call, parent: m, path: join(m.path, "module."+name)})
	}
}

func (r *reader) indexData(m *stateModule) {
	for _, res := range m.Resources {
		if res.Mode == "data" {
			r.data[withoutKeys(res.Address)] = res.Values
		}
	}
	for i := range m.Children {
		r.indexData(&m.Children[i])
	}
}

func join(module, address string) string {
	if module == "" {
		return address
	}
	return module + "." + address
}

// withoutKeys drops [0] and ["key"] from an address.
func withoutKeys(address string) string {
	var b strings.Builder
	inside, quoted := false, false
	for i := range len(address) {
		switch ch := address[i]; {
		case inside && ch == '"' && address[i-1] != '\\':
			quoted = !quoted
		case !inside && ch == '[':
			inside = true
		case inside && !quoted && ch == ']':
			inside = false
		case !inside:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

func (r *reader) configOf(c *change) json.RawMessage { return r.config[withoutKeys(c.Address)] }

// unknown resolves what is known only after apply. What was not configured is
// absent, so that its default holds.
func (r *reader) unknown(c *change, name string, a attribute, f facts) *estate.Value {
	if absent(f.config) {
		return nil
	}
	if a.As == "map" {
		// Its names are not known either, whatever its values refer to.
		return estate.Unknown(reasonApply, c.Address+"."+name).At(c.at)
	}
	var e expression
	if err := json.Unmarshal(f.config, &e); err != nil || len(e.References) == 0 {
		if len(e.Constant) > 0 {
			if v, err := estate.ParseJSON(e.Constant); err == nil {
				return v.At(c.at)
			}
		}
		return estate.Unknown(reasonApply, c.Address+"."+name).At(c.at)
	}
	v := r.resolve(r.modules[withoutKeys(c.Module)], e, c)
	switch {
	case v == nil:
		v = estate.Unknown(reasonApply, c.Address+"."+name)
	case a.As == "text" && v.Kind() == estate.KindReference:
		// A plan does not show whether a reference is the whole text.
		around := estate.Unknown(reasonApply, c.Address+"."+name)
		v = estate.Text(around, v, around)
	}
	return v.At(c.at)
}

// maxFollowed bounds a chain of module variables and outputs.
const maxFollowed = 32

// resolve gives an expression's value where the plan shows it: a constant, or
// one reference to a resource, followed through variables and outputs. It
// returns nil for anything else.
func (r *reader) resolve(m *moduleScope, e expression, from *change) *estate.Value {
	if len(e.Constant) > 0 {
		v, err := estate.ParseJSON(e.Constant)
		if err != nil {
			return nil
		}
		return v
	}
	heads := heads(e.References)
	if m == nil || len(heads) != 1 || r.depth > maxFollowed {
		return nil
	}
	r.depth++
	defer func() { r.depth-- }()
	parts := strings.Split(heads[0], ".")
	switch {
	case parts[0] == "var" && len(parts) > 1:
		return r.variable(m, parts[1], from)
	case parts[0] == "module" && len(parts) > 2:
		child := r.modules[join(m.path, "module."+withoutKeys(parts[1]))]
		if child == nil {
			return estate.Unknown(reasonModule, heads[0])
		}
		out, ok := child.config.Outputs[parts[2]]
		if !ok {
			return estate.Unknown(reasonModule, heads[0])
		}
		return r.resolve(child, out.Expression, from)
	case parts[0] == "data" || parts[0] == "local" || parts[0] == "each" || parts[0] == "path" || parts[0] == "count":
		return nil
	}
	return r.reference(m, heads[0], from)
}

func (r *reader) variable(m *moduleScope, name string, from *change) *estate.Value {
	if m.config.Variables[name].Sensitive {
		return estate.Secret("variable " + name + " is sensitive")
	}
	if m.call == nil {
		v, err := estate.ParseJSON(r.plan.Variables[name].Value)
		if err != nil {
			return nil
		}
		return v
	}
	e, ok := m.call.Expressions[name]
	if !ok {
		return nil
	}
	return r.resolve(m.parent, e, from)
}

// heads keeps the references that are not the beginning of the one before:
// a plan lists aws_x.y.arn and then aws_x.y.
func heads(references []string) []string {
	var kept []string
	for _, ref := range references {
		if ref == "count.index" || strings.HasPrefix(ref, "each.") {
			continue
		}
		covered := slices.ContainsFunc(kept, func(longer string) bool {
			return longer == ref || strings.HasPrefix(longer, ref+".") || strings.HasPrefix(longer, ref+"[")
		})
		if !covered {
			kept = append(kept, ref)
		}
	}
	return kept
}

// reference points at the attribute of another resource of the plan.
func (r *reader) reference(m *moduleScope, ref string, from *change) *estate.Value {
	parts := strings.Split(ref, ".")
	if len(parts) < 2 {
		return nil
	}
	address, attribute := parts[0]+"."+parts[1], "id"
	if len(parts) > 2 {
		attribute = parts[2]
	}
	t := r.mapping.Types[parts[0]]
	target := r.instance(m, address, from)
	if t == nil || target == nil {
		return estate.Unknown(reasonApply, ref)
	}
	if !identifies(t, attribute) {
		return estate.Unknown(reasonApply, ref)
	}
	return estate.Ref(target.Address, t.attributeOf(attribute))
}

// instance finds the resource that an address means within a module: the same
// module instance, and among several instances the one with the same key, if
// any; else the only one.
func (r *reader) instance(m *moduleScope, address string, from *change) *change {
	candidates := r.bare[join(m.path, withoutKeys(address))]
	if len(candidates) == 1 {
		return candidates[0]
	}
	for _, c := range candidates {
		exact := c.Address == join(c.Module, address)
		sameKey := from != nil && c.Index != nil && fmt.Sprint(c.Index) == fmt.Sprint(from.Index)
		sameModule := from == nil || withoutKeys(from.Module) != m.path || c.Module == from.Module
		if sameModule && (exact || sameKey) {
			return c
		}
	}
	return nil
}

// identifies reports whether an attribute names its resource.
func identifies(t *resourceType, attribute string) bool {
	if _, ok := t.References[attribute]; ok {
		return true
	}
	switch attribute {
	case "id", "arn", "name":
		return true
	}
	return false
}

// attributeOf is the CloudFormation attribute for one of the provider's.
func (t *resourceType) attributeOf(attribute string) string {
	if to, ok := t.References[attribute]; ok {
		return to
	}
	if attribute == "arn" {
		return "Arn"
	}
	return "Ref"
}

// policyDocument builds the document of an aws_iam_policy_document data source
// that will be read during apply: its statements are in the plan, less what
// they refer to.
func (r *reader) policyDocument(c *change, f facts) *estate.Value {
	var e expression
	if json.Unmarshal(f.config, &e) != nil {
		return nil
	}
	heads := heads(e.References)
	if len(heads) != 1 || !strings.HasPrefix(heads[0], "data.aws_iam_policy_document.") {
		return nil
	}
	m := r.modules[withoutKeys(c.Module)]
	if m == nil {
		return nil
	}
	address := strings.TrimSuffix(heads[0], ".json")
	source := r.instance(m, address, c)
	if source == nil {
		return nil
	}
	all := facts{source.Change.After, source.Change.AfterUnknown, source.Change.AfterSensitive, r.configOf(source)}
	if truthy(all.part("statement").unknown) || !absent(all.part("source_policy_documents").config) || !absent(all.part("override_policy_documents").config) {
		return nil
	}
	var statements []*estate.Value
	list := all.part("statement")
	for i := range elements(list.value) {
		statements = append(statements, r.statement(source, list.item(i)))
	}
	return estate.Map(
		estate.Field{Name: "Version", Value: estate.String("2012-10-17").At(c.at)},
		estate.Field{Name: "Statement", Value: estate.List(statements...).At(c.at)},
	).At(c.at)
}

func (r *reader) statement(c *change, f facts) *estate.Value {
	v := r.object(c, map[string]attribute{
		"sid": {To: "Sid"}, "effect": {To: "Effect"},
		"actions": {To: "Action", As: "text"}, "not_actions": {To: "NotAction", As: "text"},
		"resources": {To: "Resource", As: "text"}, "not_resources": {To: "NotResource", As: "text"},
	}, f)
	if v.Field("Effect") == nil {
		v = v.With("Effect", estate.String("Allow").At(c.at))
	}
	for attribute, property := range map[string]string{"principals": "Principal", "not_principals": "NotPrincipal"} {
		v = v.With(property, r.principals(c, f.part(attribute)))
	}
	return v.With("Condition", r.conditions(c, f.part("condition")))
}

func (r *reader) principals(c *change, f facts) *estate.Value {
	byType := estate.Map()
	for i := range elements(f.value) {
		b := r.object(c, map[string]attribute{"type": {To: "Type"}, "identifiers": {To: "Ids", As: "text"}}, f.item(i))
		kind, ids := b.Field("Type").AsString(), b.Field("Ids")
		switch {
		case ids == nil:
		case kind == "*":
			return estate.String("*").At(c.at)
		default:
			both := slices.Concat(byType.Field(kind).Items(), ids.Items())
			byType = byType.With(kind, estate.List(both...).At(c.at))
		}
	}
	if len(byType.Fields()) == 0 {
		return nil
	}
	return byType.At(c.at)
}

func (r *reader) conditions(c *change, f facts) *estate.Value {
	all := estate.Map()
	for i := range elements(f.value) {
		b := r.object(c, map[string]attribute{"test": {To: "Test"}, "variable": {To: "Variable"}, "values": {To: "Values", As: "text"}}, f.item(i))
		test, variable := b.Field("Test").AsString(), b.Field("Variable").AsString()
		if test == "" || variable == "" || b.Field("Values") == nil {
			continue
		}
		inner := all.Field(test)
		if inner == nil {
			inner = estate.Map().At(c.at)
		}
		all = all.With(test, inner.With(variable, b.Field("Values")))
	}
	if len(all.Fields()) == 0 {
		return nil
	}
	return all.At(c.at)
}
