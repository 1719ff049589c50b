package terraform

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"assay/internal/estate"
)

// generatedBy marks resources that nobody wrote.
const generatedBy = "Terraform AWS provider"

// provided is one resource as the provider sees it: what is the same for
// plans, states and configurations.
type provided struct {
	address    string
	row        *row
	attributes *estate.Value // Map; references point at addresses and the provider's attributes
	at         estate.Position
	callers    []estate.Position
	region     string // "" when it is not known
	// exists is nil for what certainly exists; existsInput is what decides.
	exists      *estate.Value
	existsInput string
}

// namer tells about the resources that references point at.
type namer interface {
	// identities gives the row and region of the resource at an address; a nil
	// row when there is none.
	identities(address string) (*row, string)
}

// shapeAll brings resources into CloudFormation shape: each by its row, then
// pieces joined to what they belong to, then references in CloudFormation's
// terms.
func shapeAll(all []provided, n namer) []estate.Resource {
	var shaped []estate.Resource
	var pieces []piece
	for _, p := range all {
		for _, res := range p.resources() {
			if p.row.Join != nil {
				pieces = append(pieces, piece{p.row.Join, res})
				continue
			}
			shaped = append(shaped, res)
		}
	}
	shaped = joinPieces(shaped, pieces)
	there := make(map[string]*estate.Value, len(shaped))
	for _, res := range shaped {
		there[res.LogicalID] = res.Properties
	}
	t := translator{n, there}
	for i := range shaped {
		shaped[i].Properties = shaped[i].Properties.Rewrite(t.value)
	}
	return shaped
}

// resources are what one resource of the provider is in CloudFormation.
func (p provided) resources() []estate.Resource {
	properties := p.object(p.row.Attributes, p.attributes)
	for _, name := range sortedKeys(p.row.Set) {
		properties = set(properties, name, p.constant(p.row.Set[name]))
	}
	for _, name := range sortedKeys(p.row.Assumes) {
		if properties.Path(name) == nil {
			properties = set(properties, name, known(p.row.Assumes[name]).At(p.at).AsDefault())
		}
	}
	res := estate.Resource{
		Type: p.row.Type, LogicalID: p.address, Address: p.address, Properties: properties, Source: p.at, Reads: p.row.reads,
		Callers: p.callers, Exists: p.exists, ExistsInput: p.existsInput,
	}
	all := []estate.Resource{res}
	if len(p.row.Each) > 0 {
		all = p.forEach(res)
	}
	for _, name := range sortedKeys(p.row.Attributes) {
		if a := p.row.Attributes[name]; a.Resources != nil {
			all = append(all, p.separate(name, a)...)
		}
	}
	for _, a := range p.row.Adds {
		if added, ok := a.beside(res, p.attributes); ok {
			all = append(all, added)
		}
	}
	return all
}

// forEach makes a resource of every member of the lists that the row names.
func (p provided) forEach(res estate.Resource) []estate.Resource {
	items := p.spread(res.Properties, p.row.Each, p.attributes, res.Properties.Field("GroupId"))
	if len(items) == 1 && items[0].Kind() == estate.KindMap {
		res.Properties = items[0]
		return []estate.Resource{res}
	}
	var all []estate.Resource
	for i, item := range items {
		one := res
		one.LogicalID = p.address + "/" + strconv.Itoa(i)
		one.Properties = item
		if item.Kind() == estate.KindOneOf {
			one.Properties, one.Exists, one.ExistsInput = perhaps(item)
		}
		all = append(all, one)
	}
	return all
}

// perhaps turns a value that may be absent into the value and the condition
// that it stands under.
func perhaps(v *estate.Value) (there, exists *estate.Value, input string) {
	var cases []estate.Case
	for _, c := range v.Cases() {
		cases = append(cases, estate.Case{When: c.When, Value: estate.Bool(c.Value != nil)})
		if c.Value != nil {
			there = c.Value
		}
	}
	return there, estate.OneOf(v.Input(), cases...), v.Input()
}

// separate makes resources of blocks.
func (p provided) separate(name string, a attribute) []estate.Resource {
	v := p.attributes.Field(name)
	if v == nil {
		return nil
	}
	blocks := v.Items()
	if v.Kind() != estate.KindList {
		blocks = []*estate.Value{v}
	}
	var all []estate.Resource
	for i, b := range blocks {
		properties := estate.Map().At(p.at)
		switch {
		case a.With == nil && b.Kind() == estate.KindOneOf:
			there, _, _ := perhaps(b)
			properties = set(properties, a.To, there)
		case a.With == nil:
			properties = set(properties, a.To, b)
		case b.Kind() == estate.KindMap:
			properties = p.object(a.With, b)
		default:
			for _, inner := range sortedKeys(a.With) {
				properties = set(properties, a.With[inner].To, b)
			}
		}
		for _, to := range sortedKeys(a.Resources.Set) {
			properties = set(properties, to, p.constant(a.Resources.Set[to]))
		}
		if a.Resources.Parent != "" {
			properties = set(properties, a.Resources.Parent, p.itself())
		}
		one := estate.Resource{
			Type: a.Resources.Type, LogicalID: fmt.Sprintf("%s.%s[%d]", p.address, name, i), Address: p.address,
			Properties: properties, Source: p.at, Reads: separateReads(a), Callers: p.callers, Exists: p.exists, ExistsInput: p.existsInput,
		}
		if b.Kind() == estate.KindOneOf {
			_, one.Exists, one.ExistsInput = perhaps(b)
		}
		all = append(all, one)
	}
	return all
}

// separateReads are the properties that are known of a block's own resource.
func separateReads(a attribute) []string {
	return slices.Concat(pathsOf("", a.With), sortedKeys(a.Resources.Set), []string{a.To, a.Resources.Parent})
}

// itself refers to the resource.
func (p provided) itself() *estate.Value { return estate.Ref(p.address, "id").At(p.at) }

// constant is a value of the table; [itself] stands for the resource.
func (p provided) constant(x any) *estate.Value {
	if list, ok := x.([]any); ok && len(list) == 1 && list[0] == "itself" {
		return estate.List(p.itself()).At(p.at)
	}
	return known(x).At(p.at)
}

// beside is the resource that the provider adds; false when it does not.
func (a addition) beside(res estate.Resource, attributes *estate.Value) (estate.Resource, bool) {
	added := estate.Resource{
		Type: a.Type, LogicalID: res.LogicalID + a.Suffix, Address: res.Address, Source: res.Source, Callers: res.Callers, Generated: generatedBy,
		Properties: estate.Map().At(res.Source), Exists: res.Exists, ExistsInput: res.ExistsInput,
	}
	for _, property := range sortedKeys(a.When) {
		v := res.Properties.Path(property)
		if property[0] >= 'a' {
			v = attributes.Field(property)
		}
		switch {
		case v == nil:
			return added, false
		case estate.Equal(v, known(a.When[property])):
		case v.Known():
			return added, false
		default:
			added.Exists, added.ExistsInput = estate.Unknown(reasonApply, join(res.Address, property)), join(res.Address, property)
		}
	}
	for _, from := range sortedKeys(a.Copy) {
		v := res.Properties.Path(from)
		if from == "Ref" {
			v = estate.Ref(res.LogicalID, "id").At(res.Source)
		}
		added.Properties = set(added.Properties, a.Copy[from], v)
	}
	for _, to := range sortedKeys(a.Set) {
		added.Properties = set(added.Properties, to, known(a.Set[to]).At(res.Source))
	}
	return added, true
}

// object maps the attributes of a resource or block.
func (p provided) object(specs map[string]attribute, attributes *estate.Value) *estate.Value {
	return p.fill(estate.Map().At(attributes.Position()), specs, attributes)
}

// fill sets the properties that attributes say on an object.
func (p provided) fill(v *estate.Value, specs map[string]attribute, attributes *estate.Value) *estate.Value {
	for _, name := range sortedKeys(specs) {
		spec := specs[name]
		a := attributes.Field(name)
		if spec.Resources != nil || a == nil {
			continue
		}
		switch {
		case spec.To == enclosing:
			if inner := only(a); inner.Kind() == estate.KindMap {
				v = p.fill(v, spec.With, inner)
			}
			if there := p.property(spec, a); there != nil {
				v = p.alongside(v, spec, there)
			}
			continue
		case spec.is(wordPrefix):
			if v.Path(spec.To) == nil && a.AsString() != "" {
				rest := estate.Unknown(reasonApply, "rest of "+join(p.address, strings.TrimSuffix(name, "_prefix")))
				v = set(v, spec.To, estate.Text(a, rest).At(a.Position()))
			}
			continue
		case spec.is(wordSuffix):
			if text, scalar := a.Scalar(); !scalar || text != "" {
				v = set(v, spec.To, estate.Text(v.Path(spec.To), estate.String(":"), a).At(a.Position()))
			}
			continue
		}
		property := p.property(spec, a)
		if i := strings.LastIndexByte(property.AsString(), '/'); spec.is(wordMethod) && i >= 0 {
			v = set(v, "HttpMethod", estate.String(property.AsString()[i+1:]).At(a.Position()))
			property = estate.String("/" + strings.TrimPrefix(property.AsString()[:i], "/")).At(a.Position())
		}
		if property == nil {
			continue
		}
		if spec.Key != nil {
			property = appended(v.Path(spec.To), p.keyed(spec.Key, property))
		}
		v = p.alongside(set(v, spec.To, property), spec, property)
	}
	return v
}

// alongside sets the properties that come with an attribute. Whether an
// attribute without a value of its own has one decides whether they do.
func (p provided) alongside(v *estate.Value, spec attribute, property *estate.Value) *estate.Value {
	for _, also := range sortedKeys(spec.Also) {
		if spec.To == enclosing && property.Kind() == estate.KindUnknown {
			v = set(v, also, property)
			continue
		}
		v = set(v, also, p.constant(spec.Also[also]))
	}
	return v
}

// only is the member of a list of one, or what is no list.
func only(v *estate.Value) *estate.Value {
	if v.Kind() != estate.KindList {
		return v
	}
	if len(v.Items()) == 1 {
		return v.Items()[0]
	}
	return nil
}

// keyed is an item that holds a value beside constants.
func (p provided) keyed(key map[string]any, v *estate.Value) *estate.Value {
	item := estate.Map().At(v.Position())
	for _, name := range sortedKeys(key) {
		if key[name] == "value" {
			item = set(item, name, v)
			continue
		}
		item = set(item, name, known(key[name]).At(v.Position()))
	}
	return item
}

// appended is a list with one item more; what is no list stays as it is.
func appended(list, item *estate.Value) *estate.Value {
	if list != nil && list.Kind() != estate.KindList {
		return list
	}
	items := append(slices.Clone(list.Items()), item)
	return estate.List(items...).At(cmp.Or(list.Position(), item.Position()))
}

// property gives one attribute the form of its property; nil is absent.
func (p provided) property(spec attribute, v *estate.Value) *estate.Value {
	switch v.Kind() {
	case estate.KindAbsent, estate.KindNull:
		return nil
	case estate.KindOneOf:
		return choose(v, func(c *estate.Value) *estate.Value { return p.property(spec, c) })
	case estate.KindSecret:
		if spec.is(wordGuarded) {
			return estate.Unknown("withheld whatever it holds", v.Why()).At(v.Position())
		}
		return v
	case estate.KindUnknown, estate.KindDenied:
		return v
	case estate.KindString:
		if v.AsString() == "" && !spec.is(wordEmpty) {
			return nil
		}
	}
	if v = translated(spec, v); v == nil {
		return nil
	}
	switch {
	case spec.is(wordBlock):
		if v = only(v); v.Kind() == estate.KindMap {
			return p.object(spec.With, v)
		}
		return v
	case spec.is(wordBlocks):
		return p.blocks(spec, v)
	case spec.is(wordTags):
		return pairs(v, "Key")
	case spec.is(wordNames):
		return pairs(v, "Name")
	case spec.is(wordJSON):
		return parsed(v)
	case spec.is(wordList):
		if v.Kind() == estate.KindList {
			return v
		}
		return estate.List(v).At(v.Position())
	case spec.is(wordFirst):
		if v.Kind() == estate.KindList && len(v.Items()) == 1 {
			return v.Items()[0]
		}
		return v
	case spec.With != nil && v.Kind() == estate.KindMap:
		return p.object(spec.With, v)
	}
	return v
}

// choose maps the cases of a OneOf.
func choose(v *estate.Value, f func(*estate.Value) *estate.Value) *estate.Value {
	cases := make([]estate.Case, len(v.Cases()))
	for i, c := range v.Cases() {
		cases[i] = estate.Case{When: c.When, Value: f(c.Value)}
	}
	return estate.OneOf(v.Input(), cases...).At(v.Position())
}

// translated applies the table's translations of single values.
func translated(spec attribute, v *estate.Value) *estate.Value {
	text, scalar := v.Scalar()
	switch {
	case !scalar:
		return v
	case spec.None != nil && text == fmt.Sprint(spec.None):
		return nil
	case spec.is(wordNot) && v.Kind() == estate.KindBool:
		return keep(v, estate.Bool(!v.AsBool()))
	}
	if to, ok := spec.Values[text]; ok {
		return keep(v, known(to))
	}
	return v
}

// keep is w with the provenance of v.
func keep(v, w *estate.Value) *estate.Value {
	w = w.At(v.Position())
	if v.IsDefault() {
		return w.AsDefault()
	}
	return w
}

func (p provided) blocks(spec attribute, v *estate.Value) *estate.Value {
	if v.Kind() == estate.KindMap {
		v = estate.List(v).At(v.Position())
	}
	if v.Kind() != estate.KindList {
		return v
	}
	items := []*estate.Value{}
	for _, b := range v.Items() {
		switch {
		case b.Kind() != estate.KindMap:
			items = append(items, b)
		case spec.Each == nil:
			items = append(items, p.object(spec.With, b))
		default:
			items = append(items, p.spread(p.object(spec.With, b), spec.Each, b, estate.Ref(p.address, "id").At(p.at))...)
		}
	}
	list := estate.List(items...).At(v.Position())
	if v.IsDefault() {
		list = list.AsDefault()
	}
	return list
}

// spread makes a copy of an object for every member of the attributes that
// each names; a single value is one member, and true stands for the owner.
func (p provided) spread(object *estate.Value, each map[string]string, attributes, owner *estate.Value) []*estate.Value {
	var all []*estate.Value
	for _, name := range sortedKeys(each) {
		to := each[name]
		v := attributes.Field(name)
		members := []*estate.Value{v}
		switch v.Kind() {
		case estate.KindAbsent, estate.KindNull:
			continue
		case estate.KindBool:
			if !v.AsBool() {
				continue
			}
			members[0] = owner
		case estate.KindString:
			if v.AsString() == "" {
				continue
			}
		case estate.KindList:
			members = v.Items()
		default:
		}
		for _, m := range members {
			if m.Kind() == estate.KindOneOf {
				all = append(all, choose(m, func(c *estate.Value) *estate.Value {
					if c == nil {
						return nil
					}
					return set(object, to, c)
				}))
				continue
			}
			all = append(all, set(object, to, m))
		}
	}
	if len(all) == 0 {
		all = append(all, object)
	}
	return all
}

// pairs turns a map into a list of keys and values, in order of the keys.
func pairs(v *estate.Value, key string) *estate.Value {
	if v.Kind() != estate.KindMap {
		return v
	}
	if len(v.Fields()) == 0 {
		return nil
	}
	var items []*estate.Value
	for _, f := range v.Fields() {
		items = append(items, estate.Map(
			estate.Field{Name: key, Value: estate.String(f.Name).At(f.Value.Position())},
			estate.Field{Name: "Value", Value: f.Value},
		).At(f.Value.Position()))
	}
	return keep(v, estate.List(items...))
}

// parsed reads a JSON text as the document that it holds.
func parsed(v *estate.Value) *estate.Value {
	var text strings.Builder
	var c converter
	switch v.Kind() {
	case estate.KindString:
		text.WriteString(v.AsString())
	case estate.KindText:
		c.holes = &holes{}
		for _, part := range v.Items() {
			if part.Kind() == estate.KindString {
				text.WriteString(part.AsString())
			} else {
				text.WriteString(c.text(part).AsString())
			}
		}
	default:
		return v
	}
	doc, err := estate.ParseJSON([]byte(text.String()))
	if err != nil {
		return v
	}
	at := v.Position()
	return doc.Rewrite(func(x *estate.Value) *estate.Value {
		if c.holes != nil && x.Kind() == estate.KindString {
			x = c.split(x.AsString())
		}
		return x.At(at)
	})
}

// set puts a value at a dotted path, making the objects on the way.
func set(v *estate.Value, path string, to *estate.Value) *estate.Value {
	if to == nil {
		return v
	}
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return v.With(name, to)
	}
	inner := v.Field(name)
	switch inner.Kind() {
	case estate.KindAbsent:
		inner = estate.Map().At(to.Position())
	case estate.KindMap:
	default:
		return v
	}
	return v.With(name, set(inner, rest, to))
}
