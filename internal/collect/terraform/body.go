package terraform

import (
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"assay/internal/estate"
)

// resource is a resource or data source of a module instance.
type resource struct {
	module  *instance
	block   *declared
	kind    string
	data    bool
	address string // without instance keys of its own
	repetition
	occurrences []*occurrence

	value cty.Value
	state int
}

// How far the evaluation of a resource has come.
const (
	untouched = iota
	underway
	done
)

// occurrence is one instance of a resource.
type occurrence struct {
	*resource
	turn
	address string
	content *content
}

// content is what a body holds once its expressions have values.
type content struct {
	at         hcl.Range
	attributes map[string]item
	blocks     map[string][]*content
	// open are the kinds of block of which the number is not known.
	open map[string]estate.Gap
}

// item is the value of an attribute and the expression that it is of.
type item struct {
	value cty.Value
	expr  hcl.Expression
}

// resource is the resource of that name, TYPE.NAME or data.TYPE.NAME; nil when
// it is not declared.
func (m *instance) resource(name string) *resource {
	if r, ok := m.resources[name]; ok {
		return r
	}
	block := m.configuration.resources[name]
	if block == nil {
		return nil
	}
	r := &resource{module: m, block: block, kind: block.labels[0], data: name == "data."+block.labels[0]+"."+block.labels[1], address: join(m.path, name)}
	m.resources[name] = r
	return r
}

// expand evaluates the instances. It reports false for a resource that depends
// on itself.
func (r *resource) expand() bool {
	switch r.state {
	case done:
		return true
	case underway:
		r.module.problem(estate.Problem{Position: positionOf(r.block.at), Message: r.address + " depends on itself"})
		return false
	}
	r.state = underway
	r.repetition = r.module.repetitionOf(r.block, r.address)
	for _, t := range r.turns {
		o := &occurrence{resource: r, turn: t, address: r.address + t.key}
		o.content = r.module.content(r.block.bodies, t.values, o.address, r.block.at, resourceMeta)
		r.occurrences = append(r.occurrences, o)
		r.module.evaluator.byAddress[o.address] = o
	}
	r.state = done
	return true
}

// reference is what the name of the resource stands for in expressions.
func (r *resource) reference() cty.Value {
	if !r.expand() {
		return unknown(cty.DynamicPseudoType, reasonInvalid, r.address)
	}
	if r.value != cty.NilVal {
		return r.value
	}
	if r.open != nil {
		r.value = unknown(cty.DynamicPseudoType, r.open.Reason, r.open.Input)
		return r.value
	}
	values := make([]cty.Value, len(r.occurrences))
	for i, o := range r.occurrences {
		values[i] = o.object()
	}
	r.value = r.together(values)
	return r.value
}

// object is what other expressions see of an instance: what is configured, and
// the attributes that only AWS or the provider knows.
func (o *occurrence) object() cty.Value {
	fields := o.module.fields(o.content, o.address)
	row, err := o.module.table.row(o.kind)
	if err != nil {
		row = nil
	}
	names := []string{"id", "arn"}
	for name := range o.module.used {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		given, configured := fields[name]
		if secret, _ := o.module.table.secret(o.kindName(), name); secret {
			if !configured {
				given = cty.StringVal("")
			}
			fields[name] = given.Mark(sensitive(join(o.address, name) + " is sensitive"))
			continue
		}
		if configured && !(given.IsKnown() && given.IsNull()) {
			continue
		}
		fields[name] = o.computed(row, name)
	}
	return cty.ObjectVal(fields)
}

// kindName is the type as an address has it.
func (o *occurrence) kindName() string {
	if o.data {
		return "data." + o.kind
	}
	return o.kind
}

// computed is an attribute that is not configured.
func (o *occurrence) computed(row *row, name string) cty.Value {
	m := o.module
	if o.data {
		return o.read(name)
	}
	if _, ok := row.identity(name); ok {
		return m.text(estate.Ref(o.address, name))
	}
	input := join(o.address, name)
	if m.used[name] {
		return unknown(cty.DynamicPseudoType, reasonApply, input)
	}
	return m.text(estate.UnknownText(reasonApply, input))
}

// read is an attribute of a data source.
func (o *occurrence) read(name string) cty.Value {
	m := o.module
	if o.kind == policyDocument && (name == "json" || name == "minified_json") {
		if v := policyOf(o.estate()); v != nil {
			return m.text(v)
		}
	}
	if o.kind == "aws_iam_policy" && (name == "arn" || name == "id") {
		if v := o.managedPolicy(); v != nil {
			return m.text(v)
		}
	}
	if p, ok := pseudoAttributes[o.kind+"."+name]; ok {
		v := pseudoParameter(p, m.regionOf(o))
		if v.Kind() == estate.KindString {
			return cty.StringVal(v.AsString())
		}
		return m.text(v)
	}
	if m.used[name] {
		return unknown(cty.DynamicPseudoType, reasonData, join(o.address, name))
	}
	return m.text(estate.UnknownText(reasonData, join(o.address, name)))
}

// managedPolicy is the ARN of AWS's managed policy that a data source names, by
// its name alone; nil when it may be another.
func (o *occurrence) managedPolicy() *estate.Value {
	given := o.estate()
	name := given.Field("name")
	if name.Kind() != estate.KindString || given.Field("path_prefix") != nil || given.Field("tags") != nil {
		return nil
	}
	arn, ok := o.module.table.managedPolicy(name.AsString())
	if !ok {
		return nil
	}
	return estate.Text(estate.String("arn:"), pseudoParameter("AWS::Partition", o.module.regionOf(o)), estate.String(":"+arn))
}

// fields are the attributes and blocks of a body as expressions see them.
func (m *instance) fields(c *content, address string) map[string]cty.Value {
	all := map[string]cty.Value{}
	for name, a := range c.attributes {
		all[name] = a.value
	}
	for name, blocks := range c.blocks {
		values := make([]cty.Value, len(blocks))
		for i, b := range blocks {
			inner := m.fields(b, address)
			for used := range m.used {
				if _, ok := inner[used]; !ok {
					inner[used] = unknown(cty.DynamicPseudoType, reasonApply, address+"."+name+"."+used)
				}
			}
			values[i] = cty.ObjectVal(inner)
		}
		all[name] = cty.TupleVal(values)
	}
	for name, g := range c.open {
		all[name] = unknown(cty.DynamicPseudoType, g.Reason, g.Input)
	}
	return all
}

// estate are the attributes of the instance as a Map. References in it point
// at addresses and the provider's attributes.
func (o *occurrence) estate() *estate.Value {
	return o.module.object(o.content, o.address, o.kindName())
}

// object converts a body; kind is what the table of sensitive attributes calls
// the resource, "" inside of blocks.
func (m *instance) object(c *content, address, kind string) *estate.Value {
	at := positionOf(c.at)
	var fields []estate.Field
	for _, name := range sortedKeys(c.attributes) {
		a := c.attributes[name]
		convert := converter{m.holes, estate.Gap{Reason: reasonApply, Input: join(address, name)}}
		v := convert.value(a.value, a.expr, at)
		if secret, _ := m.table.secret(kind, name); secret && v != nil {
			v = estate.Secret(join(address, name) + " is sensitive").At(v.Position())
		}
		if v != nil {
			fields = append(fields, estate.Field{Name: name, Value: v})
		}
	}
	for _, name := range sortedKeys(c.blocks) {
		if _, open := c.open[name]; open {
			continue
		}
		items := make([]*estate.Value, len(c.blocks[name]))
		for i, b := range c.blocks[name] {
			items[i] = m.object(b, join(address, name)+"."+strconv.Itoa(i), "")
		}
		fields = append(fields, estate.Field{Name: name, Value: estate.List(items...).At(positionOf(c.blocks[name][0].at))})
	}
	for _, name := range sortedKeys(c.open) {
		g := c.open[name]
		fields = append(fields, estate.Field{Name: name, Value: estate.Unknown(g.Reason, g.Input).At(at)})
	}
	return estate.Map(fields...).At(at)
}

// resourceMeta are the arguments of a resource that are Terraform's own.
var resourceMeta = map[string]bool{
	"count": true, "for_each": true, "provider": true, "depends_on": true,
	"lifecycle": true, "connection": true, "provisioner": true,
}

// content evaluates bodies, of which the later ones win: their attributes
// replace attributes, and their blocks all blocks of the kind.
func (m *instance) content(bodies []hcl.Body, extra map[string]cty.Value, address string, at hcl.Range, meta map[string]bool) *content {
	c := &content{at: at, attributes: map[string]item{}, blocks: map[string][]*content{}, open: map[string]estate.Gap{}}
	for i, body := range bodies {
		one := c
		if i > 0 {
			one = &content{at: at, attributes: map[string]item{}, blocks: map[string][]*content{}, open: map[string]estate.Gap{}}
		}
		if native, ok := body.(*hclsyntax.Body); ok {
			m.native(one, native, extra, address, meta)
		} else {
			m.json(one, body, extra, address, meta)
		}
		if one == c {
			continue
		}
		for name, a := range one.attributes {
			c.attributes[name] = a
		}
		for name, blocks := range one.blocks {
			delete(c.open, name)
			c.blocks[name] = blocks
		}
		for name, g := range one.open {
			c.open[name] = g
		}
	}
	return c
}

func (m *instance) native(c *content, body *hclsyntax.Body, extra map[string]cty.Value, address string, meta map[string]bool) {
	for _, name := range sortedKeys(body.Attributes) {
		if a := body.Attributes[name]; !meta[name] {
			v := m.evaluate(a.Expr, extra, join(address, name))
			c.attributes[name] = item{m.limited(v, a.SrcRange, join(address, name)), a.Expr}
		}
	}
	for _, b := range body.Blocks {
		switch {
		case meta[b.Type]:
		case b.Type == "dynamic" && len(b.Labels) == 1:
			m.dynamic(c, b, extra, address)
		default:
			inner := m.content([]hcl.Body{b.Body}, extra, join(address, b.Type), b.DefRange(), nil)
			c.blocks[b.Type] = append(c.blocks[b.Type], inner)
		}
	}
}

// dynamic makes a block for every member of its for_each.
func (m *instance) dynamic(c *content, b *hclsyntax.Block, extra map[string]cty.Value, address string) {
	kind := b.Labels[0]
	input := join(address, kind)
	var body *hclsyntax.Body
	for _, inner := range b.Body.Blocks {
		if inner.Type == "content" {
			body = inner.Body
		}
	}
	over := b.Body.Attributes["for_each"]
	if over == nil || body == nil {
		m.problem(estate.Problem{Position: positionOf(b.DefRange()), Message: "dynamic " + kind + ": expected for_each and a content block"})
		c.open[kind] = estate.Gap{Reason: reasonInvalid, Input: input}
		return
	}
	iterator := kind
	if a := b.Body.Attributes["iterator"]; a != nil {
		iterator = hcl.ExprAsKeyword(a.Expr)
	}
	v := m.evaluate(over.Expr, extra, input)
	if !v.IsKnown() {
		c.open[kind] = m.why(v, estate.Gap{Reason: reasonApply, Input: input})
		return
	}
	v, _ = v.Unmark()
	if v.IsNull() || !v.CanIterateElements() {
		m.problem(estate.Problem{Position: positionOf(over.SrcRange), Message: "dynamic " + kind + ": for_each: expected a list, map or set"})
		c.open[kind] = estate.Gap{Reason: reasonInvalid, Input: input}
		return
	}
	if !m.room(v.LengthInt(), over.SrcRange, input) {
		c.open[kind] = estate.Gap{Reason: reasonLimit, Input: input}
		return
	}
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if v.Type().IsSetType() {
			key = value
		}
		with := map[string]cty.Value{iterator: cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
		for name, x := range extra {
			if name != iterator {
				with[name] = x
			}
		}
		c.blocks[kind] = append(c.blocks[kind], m.content([]hcl.Body{body}, with, input, b.DefRange(), nil))
	}
}

// json reads a body in JSON syntax, in which blocks look like attributes; the
// mapping table takes objects for blocks.
func (m *instance) json(c *content, body hcl.Body, extra map[string]cty.Value, address string, meta map[string]bool) {
	attributes, diags := body.JustAttributes()
	m.report(diags)
	for _, name := range sortedKeys(attributes) {
		a := attributes[name]
		switch {
		case meta[name] || name == "//":
		case name == "dynamic":
			pairs, _ := hcl.ExprMap(a.Expr)
			for _, pair := range pairs {
				if kind, diags := pair.Key.Value(nil); !diags.HasErrors() && textOf(kind) != "" {
					c.open[textOf(kind)] = estate.Gap{Reason: reasonApply, Input: join(address, textOf(kind))}
				}
			}
		default:
			v := m.evaluate(a.Expr, extra, join(address, name))
			c.attributes[name] = item{m.limited(v, a.Range, join(address, name)), a.Expr}
		}
	}
}
