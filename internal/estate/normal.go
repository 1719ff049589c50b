package estate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// normalise brings resources into normal form: values take their schema's
// type, credentials are withheld, parts join their parents, defaults fill the
// gaps, tags are in order of their keys, and ports that AWS ignores are left
// out. Resources are changed in place; parts that joined every parent they name
// are left out of the result.
func normalise(resources []*Resource, m *Model) []*Resource {
	for _, r := range resources {
		s := m.Schema(r.Type)
		if r.Properties.Kind() != KindMap {
			r.Properties = s.open(r.Properties)
		}
		if s != nil {
			r.Properties = s.coerceMap(r.Properties, s.Properties)
		}
		r.Properties = withhold(r.Properties)
	}
	for _, r := range resources {
		r.assume(m, func(d fallback) bool { return m.joined[joint{r.Type, d.property}] })
	}
	kept := joinParts(resources, m)
	for _, r := range kept {
		r.assume(m, func(fallback) bool { return true })
		r.Properties = sortTags(r.Properties)
		if strings.HasPrefix(r.Type, "AWS::EC2::SecurityGroup") {
			r.Properties = r.Properties.Rewrite(withoutPorts)
		}
	}
	return kept
}

// open are the properties of a resource whose source does not say which it has:
// any may be there, for the reason that the value gives. Of a type without a schema
// nothing is asked.
func (s *Schema) open(v *Value) *Value {
	if s == nil {
		return Map()
	}
	var all []Field
	for name := range s.Properties {
		all = append(all, Field{name, Unread(v.Gap().Reason, v.Gap().Input).At(v.Position())})
	}
	return mapOf(all)
}

// assume fills the defaults that take holds for.
func (r *Resource) assume(m *Model, take func(fallback) bool) {
	s := m.Schema(r.Type)
	if s == nil {
		return
	}
	for _, d := range s.defaults {
		if !take(d) || d.unless != "" && r.Properties.Path(d.unless) != nil {
			continue
		}
		if !r.reads(d.property) {
			d.value = Unknown("property is not read from this kind of source", r.Type+"."+d.property) // not assumed
		}
		r.Properties = fill(r.Properties, d)
	}
}

// withoutPorts drops the ports of a security group's rule for all protocols,
// which AWS ignores and some tools require (EC2 API, IpPermission, IpProtocol).
func withoutPorts(v *Value) *Value {
	if v.Field("IpProtocol").AsString() != "-1" {
		return v
	}
	return v.With("FromPort", nil).With("ToPort", nil)
}

// reads reports whether the collector reads a property, or the object that it
// is in as a whole.
func (r *Resource) reads(path string) bool {
	return r.Reads == nil || slices.ContainsFunc(r.Reads, func(read string) bool {
		return path == read || strings.HasPrefix(path, read+".")
	})
}

// coerceMap gives every field of a Map the type that its schema states.
// Fields without a schema stay as they are.
func (s *Schema) coerceMap(v *Value, types map[string]string) *Value {
	if v.Kind() == KindOneOf {
		return v.mapCases(func(c *Value) *Value { return s.coerceMap(c, types) })
	}
	if v.Kind() != KindMap {
		return v
	}
	return v.mapFields(func(name string, value *Value) *Value {
		// An ARN or a key that is empty is how some tools write that there is none.
		if value.Kind() == KindString && value.s == "" && (strings.HasSuffix(name, "Arn") || strings.Contains(strings.ToLower(name), "kms")) {
			return nil
		}
		if expr, ok := types[name]; ok {
			return s.coerce(value, expr)
		}
		return value
	})
}

// coerce gives v the type of a type expression where that loses nothing.
func (s *Schema) coerce(v *Value, expr string) *Value {
	if v == nil || !v.Known() && v.kind != KindOneOf {
		return v
	}
	if v.kind == KindOneOf {
		return v.mapCases(func(c *Value) *Value { return s.coerce(c, expr) })
	}
	if strings.Contains(expr, "|") {
		expr = s.choose(v, expr)
	}
	switch {
	case strings.HasPrefix(expr, "[]"):
		if v.kind != KindList {
			return v
		}
		return v.mapItems(func(item *Value) *Value { return s.coerce(item, expr[2:]) })
	case strings.HasPrefix(expr, "{}"):
		return v.mapFields(func(_ string, value *Value) *Value { return s.coerce(value, expr[2:]) })
	}
	switch expr {
	case "string", "timestamp":
		if text, ok := v.Scalar(); ok && v.kind != KindString {
			return v.become(String(text))
		}
	case "integer", "number":
		if v.kind == KindString {
			if n, err := Number(strings.TrimSpace(v.s)); err == nil {
				return v.become(n)
			}
		}
	case "boolean":
		if v.kind == KindString {
			if b, err := strconv.ParseBool(strings.ToLower(v.s)); err == nil && len(v.s) > 1 {
				return v.become(Bool(b))
			}
		}
	case "json":
		if v.kind == KindString && strings.HasPrefix(strings.TrimSpace(v.s), "{") {
			if doc, err := ParseJSON([]byte(v.s)); err == nil {
				return v.become(doc)
			}
		}
	default:
		if types, ok := s.Types[expr]; ok {
			return s.coerceMap(v, types)
		}
	}
	return v
}

// choose picks the member of a union that has the form of v, or the first.
func (s *Schema) choose(v *Value, union string) string {
	members := strings.Split(union, "|")
	for _, m := range members {
		_, named := s.Types[m]
		switch v.kind {
		case KindMap:
			if named || m == "json" || strings.HasPrefix(m, "{}") {
				return m
			}
		case KindList:
			if strings.HasPrefix(m, "[]") {
				return m
			}
		default:
			if !named && !strings.HasPrefix(m, "[]") && !strings.HasPrefix(m, "{}") {
				return m
			}
		}
	}
	return members[0]
}

// become is w with the provenance of v.
func (v *Value) become(w *Value) *Value {
	c := *w
	c.placeLike(v)
	return &c
}

func (v *Value) mapCases(f func(*Value) *Value) *Value {
	c := *v
	c.cases = v.caseEach(f)
	return &c
}

// mapItems is the List or Text v with what f makes of its items: v itself where
// that is the same.
func (v *Value) mapItems(f func(*Value) *Value) *Value {
	var c *Value
	for i, item := range v.Items() {
		made := f(item)
		if made == item {
			continue
		}
		if c == nil {
			copied := *v
			c = &copied
			c.items = slices.Clone(v.items)
		}
		c.items[i] = made
	}
	return cmp.Or(c, v)
}

// mapFields is the Map v with what f makes of its fields, without those of which
// it makes nothing: v itself where that is the same.
func (v *Value) mapFields(f func(name string, value *Value) *Value) *Value {
	var c *Value
	for i, field := range v.Fields() {
		made := f(field.Name, field.Value)
		if c == nil && made == field.Value {
			continue
		}
		if c == nil {
			copied := *v
			c = &copied
			c.fields = append(make([]Field, 0, len(v.fields)), v.fields[:i]...)
		}
		if made != nil {
			c.fields = append(c.fields, Field{field.Name, made})
		}
	}
	return cmp.Or(c, v)
}

// fill sets a default where nothing is stated. Inside an object that is not
// there it does so only when the default says that it creates the object.
func fill(v *Value, d fallback) *Value {
	return fillPath(v, d.path, d)
}

func fillPath(v *Value, path []string, d fallback) *Value {
	switch v.Kind() {
	case KindMap:
	case KindOneOf:
		return v.mapCases(func(c *Value) *Value {
			if c == nil && !d.create {
				return nil
			}
			return fillPath(c, path, d)
		})
	case KindAbsent:
		v = Map().AsDefault()
	default:
		return v
	}
	name, rest := path[0], path[1:]
	inner := v.Field(name)
	if len(rest) > 0 {
		if inner == nil && !d.create {
			return v
		}
		return v.With(name, fillPath(inner, rest, d))
	}
	switch {
	case inner == nil:
		return v.With(name, d.value)
	case inner.kind == KindOneOf:
		return v.With(name, inner.mapCases(func(c *Value) *Value {
			if c == nil {
				return d.value
			}
			return c
		}))
	}
	return v
}

// sortTags orders a list of tags by key, because no source gives tags an
// order that means anything.
func sortTags(v *Value) *Value {
	tags := v.Field("Tags")
	if tags.Kind() != KindList {
		return v
	}
	for _, t := range tags.items {
		if t.Field("Key").Kind() != KindString {
			return v
		}
	}
	byKey := func(a, b *Value) int { return strings.Compare(a.Field("Key").s, b.Field("Key").s) }
	if slices.IsSortedFunc(tags.items, byKey) {
		return v
	}
	sorted := *tags
	sorted.items = slices.Clone(tags.items)
	slices.SortStableFunc(sorted.items, byKey)
	return v.With("Tags", &sorted)
}

// joinParts moves the pieces of a resource that templates may declare apart
// (an inline policy, an ingress rule) into the resource they belong to. A
// piece that names a parent which is not in the scope stays as it is; one that
// may belong to a parent joins it as an item that may be absent.
func joinParts(resources []*Resource, m *Model) []*Resource {
	pieces := map[string]*part{}
	for i := range m.edges.Parts {
		pieces[m.edges.Parts[i].Type] = &m.edges.Parts[i]
	}
	whole := wholes{resources: resources, model: m, byType: map[string]*namedWholes{}}
	kept := resources[:0:0]
	for _, r := range resources {
		p := pieces[r.Type]
		if p == nil {
			kept = append(kept, r)
			continue
		}
		named := r.parents(p)
		certain := 0
		for _, parent := range whole.candidates(r, p.Parent, named) {
			belongs := False
			for _, v := range named {
				belongs = belongs.Not().And(parent.isNamed(r.scope, v, m).Not()).Not()
			}
			if belongs == False {
				continue
			}
			if belongs == True {
				certain++
			}
			for _, item := range p.items(r) {
				item = r.scope.seenBy(parent.scope, item)
				if belongs == Maybe {
					item = OneOf(r.LogicalID+" belongs to "+parent.LogicalID, Case{"true", item}, Case{"false", nil})
				}
				if p.Single {
					parent.Properties = parent.Properties.With(p.Into, item)
					continue
				}
				parent.Properties = appendAt(parent.Properties, strings.Split(p.Into, "."), item)
			}
		}
		if certain < len(named) || len(named) == 0 {
			kept = append(kept, r)
			continue
		}
		delete(r.scope.byID, r.LogicalID)
		delete(r.scope.group.byID, r.ID)
	}
	return kept
}

// wholes finds what pieces may belong to, so that each piece does not look at
// every resource.
type wholes struct {
	resources []*Resource
	model     *Model
	byType    map[string]*namedWholes
}

type namedWholes struct {
	all    []*Resource
	at     map[*Resource]int
	byName map[string][]int // of names that are written out
	open   []int            // of names that are not
}

// candidates are the resources of a type that a piece may belong to, in their
// order: those that it refers to, has the name of, or may have the name of.
func (w *wholes) candidates(piece *Resource, typeName string, by []*Value) []*Resource {
	index := w.byType[typeName]
	if index == nil {
		index = &namedWholes{at: map[*Resource]int{}, byName: map[string][]int{}}
		for _, r := range w.resources {
			if r.Type != typeName {
				continue
			}
			i := len(index.all)
			index.all, index.at[r] = append(index.all, r), i
			switch name := r.Properties.Field(w.model.edges.Identities[typeName].Name); {
			case name == nil:
			case name.Kind() == KindString:
				index.byName[name.s] = append(index.byName[name.s], i)
			default:
				index.open = append(index.open, i)
			}
		}
		w.byType[typeName] = index
	}
	var found []int
	for _, v := range by {
		switch v.Kind() {
		case KindReference:
			if i, ok := index.at[piece.scope.find(v.s)]; ok {
				found = append(found, i)
			}
		case KindString:
			found = append(append(found, index.byName[v.s]...), index.open...)
		default:
			return index.all
		}
	}
	slices.Sort(found)
	candidates := make([]*Resource, 0, len(found))
	for _, i := range slices.Compact(found) {
		candidates = append(candidates, index.all[i])
	}
	return candidates
}

// parents are the values by which a piece names what it belongs to.
func (r *Resource) parents(p *part) []*Value {
	name, list := strings.CutSuffix(p.By, "[]")
	by := r.Properties.Field(name)
	switch {
	case by == nil:
		return nil
	case list && by.Kind() == KindList:
		return by.items
	}
	return []*Value{by}
}

// isNamed reports whether v, which stands in a scope of the group, names r.
func (r *Resource) isNamed(in *Scope, v *Value, m *Model) Truth {
	var name *Value
	if property := m.edges.Identities[r.Type].Name; property != "" {
		name = r.Properties.Field(property)
	}
	switch {
	case v.Kind() == KindReference:
		return TruthOf(in.find(v.s) == r)
	case name != nil:
		return Matches(in.seenBy(r.scope, v), name)
	case v.Kind() == KindString:
		return False // CloudFormation makes the name: nobody wrote it
	}
	return Maybe
}

// items are the values that a piece adds to its parent's list.
func (p *part) items(r *Resource) []*Value {
	var v *Value
	switch {
	case p.Each != "":
		return r.Properties.Field(p.Each).Items()
	case p.Value != "":
		v = r.Properties.Field(p.Value)
	case len(p.Fields) > 0:
		var fields []Field
		for to, from := range p.Fields {
			fields = append(fields, Field{to, r.Properties.Field(from)})
		}
		v = Map(fields...)
	default:
		name, _ := strings.CutSuffix(p.By, "[]")
		v = r.Properties.With(name, nil)
	}
	v = v.At(r.Source)
	if r.Exists == nil {
		return []*Value{v}
	}
	return []*Value{whenExists(r, v)}
}

// whenExists is v under the condition that r stands under.
func whenExists(r *Resource, v *Value) *Value {
	if r.Exists.Kind() != KindOneOf {
		return OneOf(r.ExistsInput, Case{"true", v}, Case{"false", nil})
	}
	return r.Exists.mapCases(func(c *Value) *Value {
		if c.AsBool() {
			return v
		}
		return nil
	})
}

// appendAt adds an item to the list at a path, making what is not there.
func appendAt(v *Value, path []string, item *Value) *Value {
	if len(path) == 1 {
		return v.With(path[0], appendItem(v.Field(path[0]), item))
	}
	inner := v.Field(path[0])
	if inner == nil {
		inner = Map()
	}
	return v.With(path[0], appendAt(inner, path[1:], item))
}

func appendItem(list, item *Value) *Value {
	if list.Kind() != KindList {
		if list != nil {
			return list
		}
		list = List()
	}
	// What is read of something that exists lists its pieces as well.
	if slices.ContainsFunc(list.items, func(x *Value) bool { return Equal(x, item) }) {
		return list
	}
	c := *list
	c.items = append(slices.Clone(list.items), item)
	c.assumed = false // the piece is stated
	return &c
}
