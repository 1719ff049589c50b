package aws

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"assay/internal/estate"
)

// shaper turns the SDK's structs into properties in CloudFormation shape, by
// the types' schemas: a property takes the field of its name, whatever the
// case. What a schema has and the struct does not is unknown.
type shaper struct {
	model *estate.Model

	mu        sync.Mutex
	plans     map[planKey]*plan
	scalars   map[scalarKey]*estate.Value // short ones, of which estates repeat few
	documents map[string]*estate.Value    // policies, of which roles repeat few
	unseen    map[string]*estate.Value    // unknown properties, by type and path
}

func newShaper(m *estate.Model) *shaper {
	return &shaper{model: m, plans: map[planKey]*plan{}, scalars: map[scalarKey]*estate.Value{}, documents: map[string]*estate.Value{}, unseen: map[string]*estate.Value{}}
}

type planKey struct {
	from    reflect.Type
	schema  *estate.Schema
	object  string // the definition within the schema; empty: the resource itself
	renamed string
}

// plan is how one struct becomes one object.
type plan struct {
	steps  []step
	unseen []string // properties that no field states
}

type step struct {
	name  string
	field []int
	expr  string
}

type scalarKey struct {
	kind estate.Kind
	text string
	pos  estate.Position
}

// reasonUnread is the gap of a property that no call of the collector gives.
const reasonUnread = "not read from accounts"

// properties are those of a resource that a service answered.
func (sh *shaper) properties(f found, pos estate.Position) *estate.Value {
	schema := sh.model.Schema(f.typ)
	if schema == nil {
		return estate.Map()
	}
	var all []estate.Field
	stated := map[string]bool{}
	for name, v := range f.set {
		stated[name] = true
		if v != nil {
			all = append(all, estate.Field{Name: name, Value: sh.at(v, pos)})
		}
	}
	var rest []string
	if f.from == nil {
		for name := range schema.Properties {
			rest = append(rest, name)
		}
	} else {
		v := reflect.Indirect(reflect.ValueOf(f.from))
		p := sh.plan(v.Type(), schema, "", f.renamed)
		for _, s := range p.steps {
			if stated[s.name] {
				continue
			}
			stated[s.name] = true
			if value := sh.value(v.FieldByIndex(s.field), schema, s.expr, f.typ+"."+s.name, pos); value != nil {
				all = append(all, estate.Field{Name: s.name, Value: value})
			}
		}
		rest = p.unseen
	}
	for _, name := range rest {
		if !stated[name] {
			all = append(all, estate.Field{Name: name, Value: sh.unknown(f.typ + "." + name)})
		}
	}
	slices.SortFunc(all, func(a, b estate.Field) int { return strings.Compare(a.Name, b.Name) })
	return estate.Map(all...).At(pos)
}

// unread are the properties of a resource of which only known is known.
func (sh *shaper) unread(typ string, known fields, gap *estate.Value, pos estate.Position) *estate.Value {
	var all []estate.Field
	if schema := sh.model.Schema(typ); schema != nil {
		for name := range schema.Properties {
			if _, ok := known[name]; !ok {
				all = append(all, estate.Field{Name: name, Value: gap})
			}
		}
	}
	for name, v := range known {
		if v != nil {
			all = append(all, estate.Field{Name: name, Value: sh.at(v, pos)})
		}
	}
	slices.SortFunc(all, func(a, b estate.Field) int { return strings.Compare(a.Name, b.Name) })
	return estate.Map(all...).At(pos)
}

func (sh *shaper) unknown(path string) *estate.Value {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	v := sh.unseen[path]
	if v == nil {
		v = estate.Unread(reasonUnread, path)
		sh.unseen[path] = v
	}
	return v
}

// plan finds the fields for the properties of an object. renamed is only for
// the resource itself.
func (sh *shaper) plan(from reflect.Type, schema *estate.Schema, object string, renamed map[string]string) *plan {
	names := make([]string, 0, len(renamed))
	for name, field := range renamed {
		names = append(names, name+"="+field)
	}
	slices.Sort(names)
	key := planKey{from, schema, object, strings.Join(names, ",")}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if p := sh.plans[key]; p != nil {
		return p
	}
	types := schema.Properties
	if object != "" {
		types = schema.Types[object]
	}
	p := &plan{}
	for name, expr := range types {
		wanted := name
		if other, ok := renamed[name]; ok {
			wanted = other
		}
		field, ok := from.FieldByNameFunc(func(f string) bool { return strings.EqualFold(f, wanted) })
		if !ok || !field.IsExported() {
			p.unseen = append(p.unseen, name)
			continue
		}
		p.steps = append(p.steps, step{name, field.Index, expr})
	}
	slices.SortFunc(p.steps, func(a, b step) int { return strings.Compare(a.name, b.name) })
	slices.Sort(p.unseen)
	sh.plans[key] = p
	return p
}

var timeType = reflect.TypeFor[time.Time]()

// value is v as a value of a schema's type expression; nil for what is not
// there. A field of another form than the schema's is not understood, and so
// unknown.
func (sh *shaper) value(v reflect.Value, schema *estate.Schema, expr, path string, pos estate.Position) *estate.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		if v.Kind() == reflect.Interface {
			if member, inner, ok := union(v.Elem()); ok {
				return sh.member(member, inner, schema, expr, path, pos)
			}
		}
		v = v.Elem()
	}
	if strings.Contains(expr, "|") {
		expr = choose(v, expr)
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			return sh.at(estate.String(v.Interface().(time.Time).UTC().Format(time.RFC3339)), pos)
		}
		if schema.Types[expr] == nil {
			return sh.unknown(path)
		}
		return sh.object(v, schema, expr, path, pos)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 || !strings.HasPrefix(expr, "[]") {
			return sh.unknown(path)
		}
		items := make([]*estate.Value, 0, v.Len())
		for i := range v.Len() {
			if item := sh.value(v.Index(i), schema, expr[2:], path+"[]", pos); item != nil {
				items = append(items, item)
			}
		}
		if len(items) == 0 {
			return nil
		}
		return estate.List(items...).At(pos)
	case reflect.Map:
		return sh.mapping(v, schema, expr, path, pos)
	case reflect.Bool:
		return sh.at(estate.Bool(v.Bool()), pos)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return sh.at(estate.Int(v.Int()), pos)
	case reflect.Float32, reflect.Float64:
		return sh.at(estate.Float(v.Float()), pos)
	case reflect.String:
		switch text := v.String(); {
		case text == "":
			return nil
		case expr == "json":
			return sh.document(text).At(pos)
		case schema.Types[expr] != nil || strings.HasPrefix(expr, "[]") || strings.HasPrefix(expr, "{}"):
			return sh.unknown(path)
		default:
			return sh.at(estate.String(text), pos)
		}
	}
	return sh.unknown(path)
}

// part is a struct as an object of a definition of the type's schema: of what
// the service answers beside the resource, or under another name. nil when it
// states nothing.
func (s *scope) part(typ, object string, from any) *estate.Value {
	v := reflect.Indirect(reflect.ValueOf(from))
	if !v.IsValid() {
		return nil
	}
	return s.run.shaper.object(v, s.run.model.Schema(typ), object, typ+"."+object, estate.Position{})
}

// object is a struct as an object of a schema's definition. One that states
// nothing is not there.
func (sh *shaper) object(v reflect.Value, schema *estate.Schema, name, path string, pos estate.Position) *estate.Value {
	p := sh.plan(v.Type(), schema, name, nil)
	var all []estate.Field
	for _, s := range p.steps {
		if value := sh.value(v.FieldByIndex(s.field), schema, s.expr, path+"."+s.name, pos); value != nil {
			all = append(all, estate.Field{Name: s.name, Value: value})
		}
	}
	if len(all) == 0 {
		return nil
	}
	for _, name := range p.unseen {
		all = append(all, estate.Field{Name: name, Value: sh.unknown(path + "." + name)})
	}
	slices.SortFunc(all, func(a, b estate.Field) int { return strings.Compare(a.Name, b.Name) })
	return estate.Map(all...).At(pos)
}

// mapping is a map of strings, or the list of Key and Value that CloudFormation
// has for tags.
func (sh *shaper) mapping(v reflect.Value, schema *estate.Schema, expr, path string, pos estate.Position) *estate.Value {
	if v.Len() == 0 {
		return nil
	}
	var all []estate.Field
	inner, isMap := strings.CutPrefix(expr, "{}")
	if !isMap && v.Type().Elem().Kind() == reflect.String {
		inner = "string" // a tag, or a part of JSON that is a text itself
	}
	for _, key := range v.MapKeys() {
		if value := sh.value(v.MapIndex(key), schema, inner, path+"."+key.String(), pos); value != nil {
			all = append(all, estate.Field{Name: key.String(), Value: value})
		}
	}
	slices.SortFunc(all, func(a, b estate.Field) int { return strings.Compare(a.Name, b.Name) })
	switch {
	case isMap || expr == "json":
		return estate.Map(all...).At(pos)
	case strings.HasPrefix(expr, "[]"):
		return keyed(all).At(pos)
	}
	return sh.unknown(path)
}

// keyed is a map as a list of Key and Value.
func keyed(all []estate.Field) *estate.Value {
	items := make([]*estate.Value, len(all))
	for i, f := range all {
		items[i] = estate.Map(estate.Field{Name: "Key", Value: estate.String(f.Name)}, estate.Field{Name: "Value", Value: f.Value})
	}
	return estate.List(items...)
}

// tags are the tags of a resource as CloudFormation lists them; nil when there
// are none.
func tags(all map[string]string) *estate.Value {
	if len(all) == 0 {
		return nil
	}
	var list []estate.Field
	for key, value := range all {
		list = append(list, estate.Field{Name: key, Value: estate.String(value)})
	}
	slices.SortFunc(list, func(a, b estate.Field) int { return strings.Compare(a.Name, b.Name) })
	return keyed(list)
}

// union is the name and value of the member that one of the SDK's unions holds.
func union(v reflect.Value) (string, reflect.Value, bool) {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t, v = t.Elem(), v.Elem()
	}
	_, name, ok := strings.Cut(t.Name(), "Member")
	if !ok || t.Kind() != reflect.Struct {
		return "", v, false
	}
	inner := v.FieldByName("Value")
	return name, inner, inner.IsValid()
}

func (sh *shaper) member(name string, inner reflect.Value, schema *estate.Schema, expr, path string, pos estate.Position) *estate.Value {
	for property, of := range schema.Types[expr] {
		if strings.EqualFold(property, name) {
			if value := sh.value(inner, schema, of, path+"."+property, pos); value != nil {
				return estate.Map(estate.Field{Name: property, Value: value}).At(pos)
			}
			return nil
		}
	}
	return sh.unknown(path)
}

// choose picks the member of a schema's union that has the form of v.
func choose(v reflect.Value, expr string) string {
	members := strings.Split(expr, "|")
	for _, m := range members {
		list, object := strings.HasPrefix(m, "[]"), strings.HasPrefix(m, "{}") || strings.ToUpper(m[:1]) == m[:1]
		switch v.Kind() {
		case reflect.Slice:
			if list {
				return m
			}
		case reflect.Struct, reflect.Map:
			if object {
				return m
			}
		default:
			if !list && !object {
				return m
			}
		}
	}
	return members[0]
}

// document is a policy or other JSON document. IAM answers them URL-encoded.
// One that is not JSON stays a text, and one of nothing is not known.
func document(text string) *estate.Value {
	if text == "" {
		return estate.Unread(reasonUnreadable, "document")
	}
	if strings.HasPrefix(text, "%") {
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
	}
	if json.Valid([]byte(text)) {
		if v, err := estate.ParseJSON([]byte(text)); err == nil {
			return v
		}
	}
	return estate.String(text)
}

// Scalars up to shortest bytes and policies are kept once for all that have
// them, up to mostKept of each: longer ones are rarely repeated.
const (
	shortest = 64
	mostKept = 1 << 16
)

// at places a value, of which equal scalars of one place share the memory.
func (sh *shaper) at(v *estate.Value, pos estate.Position) *estate.Value {
	text, scalar := v.Scalar()
	if !scalar || len(text) > shortest || !v.Position().IsZero() {
		return v.At(pos)
	}
	return once(sh, sh.scalars, scalarKey{v.Kind(), text, pos}, func() *estate.Value { return v.At(pos) })
}

// document is [document], of which equal ones share the memory.
func (sh *shaper) document(text string) *estate.Value {
	return once(sh, sh.documents, text, func() *estate.Value { return document(text) })
}

// once is what a table of sh has for a key, made where it has nothing.
func once[K comparable](sh *shaper, table map[K]*estate.Value, key K, made func() *estate.Value) *estate.Value {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	v := table[key]
	if v == nil {
		v = made()
		if len(table) < mostKept {
			table[key] = v
		}
	}
	return v
}
