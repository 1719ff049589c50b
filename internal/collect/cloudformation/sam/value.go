package sam

import (
	"maps"

	"assay/internal/estate"
)

// object is a Map in the making; absent values leave no field.
type object map[string]*estate.Value

func (o object) value() *estate.Value {
	fields := make([]estate.Field, 0, len(o))
	for name, v := range maps.All(o) { // Map sorts
		fields = append(fields, estate.Field{Name: name, Value: v})
	}
	return estate.Map(fields...)
}

// copyFrom takes over the fields of v that are stated.
func (o object) copyFrom(v *estate.Value, names ...string) {
	for _, name := range names {
		if f := get(v, name); f != nil {
			o[name] = f
		}
	}
}

func str(s string) *estate.Value { return estate.String(s) }

func list(items ...*estate.Value) *estate.Value { return estate.List(items...) }

// ref is what CloudFormation's Ref gives for a logical id.
func ref(id string) *estate.Value { return estate.Ref(id, "Ref") }

func arnOf(id string) *estate.Value { return estate.Ref(id, "Arn") }

// get is the field of a Map; an explicit null counts as not stated, as it does
// for AWS.
func get(v *estate.Value, name string) *estate.Value {
	f := v.Field(name)
	if f.Kind() == estate.KindNull {
		return nil
	}
	return f
}

// empty reports whether v is certainly nothing, an empty text, list or map, or
// false: what AWS's transform treats as not stated where it asks for a value.
func empty(v *estate.Value) bool {
	switch v.Kind() {
	case estate.KindAbsent, estate.KindNull:
		return true
	case estate.KindBool:
		return !v.AsBool()
	case estate.KindString:
		return v.AsString() == ""
	case estate.KindList:
		return len(v.Items()) == 0
	case estate.KindMap:
		return len(v.Fields()) == 0
	case estate.KindInt:
		return v.AsInt() == 0
	default:
		return false
	}
}

// is reports whether v is certainly the text s.
func is(v *estate.Value, s string) bool {
	text, ok := v.Scalar()
	return ok && text == s
}

// truth reads a boolean that may be written as text.
func truth(v *estate.Value) bool {
	text, ok := v.Scalar()
	return ok && (text == "true" || text == "True")
}

// each applies f to the alternatives of v, or to v itself when it has none.
// The alternative in which v is absent comes as nil.
func each(v *estate.Value, f func(*estate.Value) *estate.Value) *estate.Value {
	if v.Kind() != estate.KindOneOf {
		return f(v)
	}
	cases := make([]estate.Case, len(v.Cases()))
	for i, c := range v.Cases() {
		cases[i] = estate.Case{When: c.When, Value: each(c.Value, f)}
	}
	return estate.OneOf(v.Input(), cases...).At(v.Position())
}

// stated applies f to the alternatives of v in which it is there.
func stated(v *estate.Value, f func(*estate.Value) *estate.Value) *estate.Value {
	return each(v, func(c *estate.Value) *estate.Value {
		if c == nil {
			return nil
		}
		return f(c)
	})
}

// text joins parts. Where a part has alternatives the whole has them.
func text(parts ...*estate.Value) *estate.Value {
	for i, p := range parts {
		if p.Kind() != estate.KindOneOf {
			continue
		}
		return each(p, func(c *estate.Value) *estate.Value {
			chosen := append([]*estate.Value(nil), parts...)
			if c == nil {
				c = str("")
			}
			chosen[i] = c
			return text(chosen...)
		})
	}
	whole := make([]*estate.Value, len(parts))
	for i, p := range parts {
		whole[i] = known(p)
	}
	return estate.Text(whole...)
}

// known is v, or a hole where the template leaves out what has to be there.
func known(v *estate.Value) *estate.Value {
	if v == nil {
		return estate.Unknown("required by SAM and not stated", "a property")
	}
	return v
}

// set is v with a value put at a path of field names. Where something on the
// way is neither absent nor a Map, v stays as it is.
func set(v, value *estate.Value, path ...string) *estate.Value {
	if len(path) == 0 {
		return value
	}
	if k := v.Kind(); k != estate.KindMap && k != estate.KindAbsent && k != estate.KindNull {
		return v
	}
	if v.Kind() != estate.KindMap {
		v = estate.Map().At(v.Position())
	}
	return v.With(path[0], set(v.Field(path[0]), value, path[1:]...))
}

// dig follows field names that may hold dots.
func dig(v *estate.Value, path ...string) *estate.Value {
	for _, name := range path {
		v = v.Field(name)
	}
	return v
}

// appended is a List with items added; what is not a List stays as it is.
func appended(v *estate.Value, items ...*estate.Value) *estate.Value {
	if v.Kind() != estate.KindList && v != nil {
		return v
	}
	all := append(append([]*estate.Value(nil), v.Items()...), items...)
	return estate.List(all...).At(v.Position())
}

// contains reports whether a list holds an equal value.
func contains(items []*estate.Value, v *estate.Value) bool {
	for _, item := range items {
		if estate.Equal(item, v) {
			return true
		}
	}
	return false
}

// decided takes the alternatives that are settled by the ones around them: a
// value under a condition may hold parts under the same condition.
func decided(v *estate.Value, by []estate.Decision) *estate.Value {
	switch v.Kind() {
	case estate.KindOneOf:
		for _, d := range by {
			if d.Input != v.Input() {
				continue
			}
			for _, c := range v.Cases() {
				if c.When == d.When {
					return decided(c.Value, by)
				}
			}
		}
		cases := make([]estate.Case, len(v.Cases()))
		for i, c := range v.Cases() {
			within := append(by[:len(by):len(by)], estate.Decision{Input: v.Input(), When: c.When})
			cases[i] = estate.Case{When: c.When, Value: decided(c.Value, within)}
		}
		return estate.OneOf(v.Input(), cases...).At(v.Position())
	case estate.KindMap:
		fields := make([]estate.Field, len(v.Fields()))
		changed := false
		for i, f := range v.Fields() {
			fields[i] = estate.Field{Name: f.Name, Value: decided(f.Value, by)}
			changed = changed || fields[i].Value != f.Value
		}
		if changed {
			return estate.Map(fields...).At(v.Position())
		}
	case estate.KindList:
		items := make([]*estate.Value, 0, len(v.Items()))
		changed := false
		for _, item := range v.Items() {
			d := decided(item, by)
			changed = changed || d != item
			if d != nil {
				items = append(items, d)
			}
		}
		if changed {
			return estate.List(items...).At(v.Position())
		}
	default:
	}
	return v
}

// place gives every value in v that has no position the one of what holds it.
func place(v *estate.Value, p estate.Position) *estate.Value {
	v = v.At(p)
	switch v.Kind() {
	case estate.KindMap:
		changed := false
		fields := make([]estate.Field, len(v.Fields()))
		for i, f := range v.Fields() {
			fields[i] = estate.Field{Name: f.Name, Value: place(f.Value, v.Position())}
			changed = changed || fields[i].Value != f.Value
		}
		if changed {
			return estate.Map(fields...).At(v.Position())
		}
	case estate.KindList:
		changed := false
		items := make([]*estate.Value, len(v.Items()))
		for i, item := range v.Items() {
			items[i] = place(item, v.Position())
			changed = changed || items[i] != item
		}
		if changed {
			return estate.List(items...).At(v.Position())
		}
	case estate.KindOneOf:
		cases := make([]estate.Case, len(v.Cases()))
		for i, c := range v.Cases() {
			cases[i] = estate.Case{When: c.When, Value: place(c.Value, v.Position())}
		}
		return estate.OneOf(v.Input(), cases...).At(v.Position())
	default:
	}
	return v
}
