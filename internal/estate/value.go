package estate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unique"
)

// Kind says which form of knowledge a [Value] is.
type Kind uint8

// The kinds of value. Bool to Map are known; the rest say how far knowledge goes.
const (
	// KindAbsent is no value at all. It occurs only as a case of a OneOf: the
	// property may not be there.
	KindAbsent Kind = iota
	KindNull
	KindBool
	KindInt
	KindFloat
	KindString
	KindList
	KindMap
	// KindReference is another resource's attribute: which one is known, its
	// text is not.
	KindReference
	// KindText is literals with holes between them, such as an ARN with the
	// account left open.
	KindText
	// KindSecret is a known credential whose text is withheld.
	KindSecret
	// KindOneOf is one of several values, decided by one open input.
	KindOneOf
	// KindUnknown could not be resolved; its Gap says why.
	KindUnknown
	// KindDenied could not be read; its Gap names the permission.
	KindDenied
)

// Position is where a person would edit a value. Line and Column count from 1
// and columns count bytes; the zero Position belongs to no source.
type Position struct {
	File         string
	Line, Column int
}

// IsZero reports whether p points nowhere.
func (p Position) IsZero() bool { return p.File == "" && p.Line == 0 }

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Gap says why something is not known and which input would settle it.
// Reason is the class of the gap ("parameter without value"), Input the one
// thing to supply ("parameter Stage"); for a denied read, Input is the IAM
// permission.
type Gap struct {
	Reason string
	Input  string
}

func (g Gap) String() string { return g.Reason + ": " + g.Input }

// Reference points at an attribute of a resource in the same scope. Attribute
// "Ref" stands for what CloudFormation's Ref returns.
type Reference struct {
	Resource  string // the resource's logical id
	Attribute string
}

func (r Reference) String() string { return r.Resource + "." + r.Attribute }

// Case is one alternative of a OneOf: when its input has the value When, the
// property is Value; a nil Value means the property is absent then.
type Case struct {
	When  string
	Value *Value
}

// Field is one entry of a Map.
type Field struct {
	Name  string
	Value *Value
}

// Value is what is known of one property. It is immutable; a nil *Value means
// that the property is not there. An estate is mostly values: that this is 112
// bytes is half of what the memory of a large one rests on.
type Value struct {
	kind    Kind
	assumed bool
	b       bool // Bool: the value; Unknown: it may not be there at all
	derived bool // Unknown: made of what the gap names, and not that itself

	line, column int32
	file         unique.Handle[string] // the zero Handle: no position

	s      string // String: the text; Int and Float: the literal as written; Secret: why; OneOf: the input; Reference: the resource; Unknown and Denied: the reason
	of     string // Reference: the attribute; Unknown and Denied: the input
	items  []*Value
	fields []Field
	cases  *[]Case // nil but for OneOf
}

// Null is JSON's null, which only free-form (json) properties may hold.
func Null() *Value { return &Value{kind: KindNull} }

// Bool is a known boolean.
func Bool(b bool) *Value { return &Value{kind: KindBool, b: b} }

// Int is a known whole number.
func Int(i int64) *Value { return &Value{kind: KindInt, s: strconv.FormatInt(i, 10)} }

// Float is a known number that is not whole.
func Float(f float64) *Value {
	return &Value{kind: KindFloat, s: strconv.FormatFloat(f, 'g', -1, 64)}
}

// Number is a known number that remembers how its source spelt it, so that an
// account id such as 012345678901 survives where a schema wants text.
func Number(literal string) (*Value, error) {
	if _, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return &Value{kind: KindInt, s: literal}, nil
	}
	if _, err := strconv.ParseFloat(literal, 64); err != nil {
		return nil, fmt.Errorf("%q is not a number", literal)
	}
	return &Value{kind: KindFloat, s: literal}, nil
}

// String is a known text.
func String(s string) *Value { return &Value{kind: KindString, s: s} }

// List is a known sequence of values.
func List(items ...*Value) *Value { return &Value{kind: KindList, items: items} }

// Map is a known set of fields. Where a name occurs twice the last one holds.
func Map(fields ...Field) *Value {
	return mapOf(slices.Clone(fields))
}

// mapOf is [Map] of fields that are its own.
func mapOf(fields []Field) *Value {
	byName := func(a, b Field) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(fields, byName) {
		slices.SortStableFunc(fields, byName)
	}
	kept := fields[:0]
	for i, f := range fields {
		if f.Value == nil || i+1 < len(fields) && fields[i+1].Name == f.Name {
			continue
		}
		kept = append(kept, f)
	}
	return &Value{kind: KindMap, fields: kept}
}

// Ref is the attribute of another resource of the scope.
func Ref(resource, attribute string) *Value {
	return &Value{kind: KindReference, s: resource, of: attribute}
}

// Secret is a credential whose text is withheld; why says how it was
// recognised ("parameter DbPassword is NoEcho").
func Secret(why string) *Value { return &Value{kind: KindSecret, s: why} }

// Unknown could not be resolved. Two such values need not be the same, even
// where the same input would settle both: two members of one list, say.
func Unknown(reason, input string) *Value {
	return &Value{kind: KindUnknown, s: reason, of: input, derived: true}
}

// Unread was not read, so that it may not even be there.
func Unread(reason, input string) *Value {
	return &Value{kind: KindUnknown, s: reason, of: input, derived: true, b: true}
}

// UnknownText is the input itself: a text that is not known, and the same one
// wherever a value with this reason and input stands.
func UnknownText(reason, input string) *Value {
	return &Value{kind: KindUnknown, s: reason, of: input}
}

// Denied could not be read for want of a permission; it may not even be there.
func Denied(reason, permission string) *Value {
	return &Value{kind: KindDenied, s: reason, of: permission}
}

// MaybeAbsent reports whether a value that is not known may not be there at all.
// That of a OneOf is told by its cases.
func (v *Value) MaybeAbsent() bool {
	return v.Kind() == KindDenied || v.Kind() == KindUnknown && v.b
}

// OneOf is one of several values. Input names what decides between them; all
// OneOf values of a scope with the same input are decided together. Cases that
// are all equal collapse into that one value.
func OneOf(input string, cases ...Case) *Value {
	if len(cases) == 0 {
		return Unknown("no possible value", input)
	}
	same := true
	for _, c := range cases[1:] {
		same = same && Equal(cases[0].Value, c.Value)
	}
	if same {
		return cases[0].Value
	}
	return &Value{kind: KindOneOf, s: input, cases: &cases}
}

// Text joins parts: strings and scalars merge into literals, other parts stay
// as holes. A Text without holes is a String, and a single hole is that value.
func Text(parts ...*Value) *Value {
	var flat []*Value
	add := func(p *Value) {
		last := len(flat) - 1
		if lit, ok := p.Scalar(); ok {
			if lit == "" {
				return
			}
			if last >= 0 && flat[last].kind == KindString {
				flat[last] = String(flat[last].s + lit).At(flat[last].Position())
				return
			}
			flat = append(flat, String(lit).At(p.Position()))
			return
		}
		flat = append(flat, p)
	}
	for _, p := range parts {
		if p.Kind() == KindText {
			for _, q := range p.items {
				add(q)
			}
			continue
		}
		add(p)
	}
	switch {
	case len(flat) == 0:
		return String("")
	case len(flat) == 1:
		return flat[0]
	}
	return &Value{kind: KindText, items: flat}
}

// At returns v with the position pos, unless v has one already.
func (v *Value) At(pos Position) *Value {
	if v == nil || v.placed() || pos.IsZero() {
		return v
	}
	c := *v
	c.place(pos)
	return &c
}

// place gives v a position while v is being made.
func (v *Value) place(pos Position) {
	v.line, v.column, v.file = int32(pos.Line), int32(pos.Column), unique.Make(pos.File)
}

// placed reports whether v has a position.
func (v *Value) placed() bool { return v.file != unique.Handle[string]{} }

// placeLike gives v the position of another value while v is being made, and
// the mark of a default if that has it.
func (v *Value) placeLike(other *Value) {
	v.line, v.column, v.file, v.assumed = other.line, other.column, other.file, other.assumed
}

// AsDefault returns v marked as set by nobody: the type's, the provider's or
// the service's default.
func (v *Value) AsDefault() *Value {
	if v == nil || v.assumed {
		return v
	}
	c := *v
	c.assumed = true
	return &c
}

// Kind is the form of v; a nil value is absent.
func (v *Value) Kind() Kind {
	if v == nil {
		return KindAbsent
	}
	return v.kind
}

// IsDefault reports whether no source states v.
func (v *Value) IsDefault() bool { return v != nil && v.assumed }

// Position is where a person would edit v.
func (v *Value) Position() Position {
	if v == nil || !v.placed() {
		return Position{}
	}
	return Position{v.file.Value(), int(v.line), int(v.column)}
}

// Known reports whether v is wholly known at its top level: a scalar, list or
// map, whatever its members are.
func (v *Value) Known() bool {
	k := v.Kind()
	return k >= KindNull && k <= KindMap
}

// AsBool is the boolean of a Bool.
func (v *Value) AsBool() bool { return v.Kind() == KindBool && v.b }

// AsInt is the whole number of an Int.
func (v *Value) AsInt() int64 {
	if v.Kind() != KindInt {
		return 0
	}
	i, _ := strconv.ParseInt(v.s, 10, 64) // it was one when the value was made
	return i
}

// AsFloat is the number of a Float or an Int.
func (v *Value) AsFloat() float64 {
	switch v.Kind() {
	case KindInt:
		return float64(v.AsInt())
	case KindFloat:
		f, _ := strconv.ParseFloat(v.s, 64) // it was one when the value was made
		return f
	default:
		return 0
	}
}

// AsString is the text of a String.
func (v *Value) AsString() string {
	if v.Kind() != KindString {
		return ""
	}
	return v.s
}

// Scalar is v as text when v is a known scalar: numbers as their source spelt
// them, booleans as true and false.
func (v *Value) Scalar() (text string, ok bool) {
	switch v.Kind() {
	case KindString, KindInt, KindFloat:
		return v.s, true
	case KindBool:
		return strconv.FormatBool(v.b), true
	default:
		return "", false
	}
}

// Items are the members of a List or the parts of a Text. The caller must not
// change the slice.
func (v *Value) Items() []*Value {
	if k := v.Kind(); k != KindList && k != KindText {
		return nil
	}
	return v.items
}

// Fields are the entries of a Map, sorted by name. The caller must not change
// the slice.
func (v *Value) Fields() []Field {
	if v.Kind() != KindMap {
		return nil
	}
	return v.fields
}

// Field is the entry of a Map called name, or nil.
func (v *Value) Field(name string) *Value {
	if v.Kind() != KindMap {
		return nil
	}
	i, ok := slices.BinarySearchFunc(v.fields, name, fieldName)
	if !ok {
		return nil
	}
	return v.fields[i].Value
}

func fieldName(f Field, name string) int { return strings.Compare(f.Name, name) }

// Path follows a dotted path of field names from v.
func (v *Value) Path(path string) *Value {
	for name := range strings.SplitSeq(path, ".") {
		v = v.Field(name)
	}
	return v
}

// With returns the Map v with one field set, or removed when value is nil.
func (v *Value) With(name string, value *Value) *Value {
	old := v.Fields()
	at, there := slices.BinarySearchFunc(old, name, fieldName)
	fields := append(make([]Field, 0, len(old)+1), old[:at]...)
	if value != nil {
		fields = append(fields, Field{name, value})
	}
	if there {
		at++
	}
	m := &Value{kind: KindMap, fields: append(fields, old[at:]...)}
	if v != nil {
		m.placeLike(v)
	}
	return m
}

// Reference is where a Reference points.
func (v *Value) Reference() Reference {
	if v.Kind() != KindReference {
		return Reference{}
	}
	return Reference{v.s, v.of}
}

// Gap is why an Unknown or Denied value is not known.
func (v *Value) Gap() Gap {
	if k := v.Kind(); k != KindUnknown && k != KindDenied {
		return Gap{}
	}
	return Gap{v.s, v.of}
}

// Input names what decides a OneOf.
func (v *Value) Input() string {
	if v.Kind() != KindOneOf {
		return ""
	}
	return v.s
}

// Cases are the alternatives of a OneOf.
func (v *Value) Cases() []Case {
	if v.Kind() != KindOneOf {
		return nil
	}
	return *v.cases
}

// Why says how a Secret was recognised.
func (v *Value) Why() string {
	if v.Kind() != KindSecret {
		return ""
	}
	return v.s
}

// Each calls f for v and everything inside it, parents first. It stops
// descending where f says so.
func (v *Value) Each(f func(v *Value) (descend bool)) {
	if v == nil || !f(v) {
		return
	}
	for _, item := range v.items {
		item.Each(f)
	}
	for _, field := range v.fields {
		field.Value.Each(f)
	}
	for _, c := range v.Cases() {
		c.Value.Each(f)
	}
}

// EachAt is Each with the path of names and indexes that leads to every value.
func (v *Value) EachAt(f func(path string, v *Value) (descend bool)) { v.eachAt("", f) }

func (v *Value) eachAt(path string, f func(path string, v *Value) (descend bool)) {
	if v == nil || !f(path, v) {
		return
	}
	switch v.kind {
	case KindList, KindText:
		for i, item := range v.items {
			item.eachAt(path+"/"+strconv.Itoa(i), f)
		}
	case KindMap:
		for _, field := range v.fields {
			field.Value.eachAt(path+"/"+escapePointer(field.Name), f)
		}
	case KindOneOf:
		for _, c := range v.Cases() {
			c.Value.eachAt(path+"/"+escapePointer(c.When), f)
		}
	default:
	}
}

// Rewrite returns v with every value inside it replaced by what f makes of it,
// members first. A member for which f returns nil is dropped.
func (v *Value) Rewrite(f func(*Value) *Value) *Value {
	if v == nil {
		return nil
	}
	c := *v
	switch v.kind {
	case KindList, KindText:
		c.items = make([]*Value, 0, len(v.items))
		for _, item := range v.items {
			if item = item.Rewrite(f); item != nil {
				c.items = append(c.items, item)
			}
		}
	case KindMap:
		c.fields = make([]Field, 0, len(v.fields))
		for _, field := range v.fields {
			if value := field.Value.Rewrite(f); value != nil {
				c.fields = append(c.fields, Field{field.Name, value})
			}
		}
	case KindOneOf:
		c.cases = v.caseEach(func(inner *Value) *Value { return inner.Rewrite(f) })
	default:
	}
	return f(&c)
}

// caseEach are the cases of a OneOf with what f makes of their values.
func (v *Value) caseEach(f func(*Value) *Value) *[]Case {
	cases := make([]Case, len(v.Cases()))
	for i, one := range v.Cases() {
		cases[i] = Case{one.When, f(one.Value)}
	}
	return &cases
}

// escapePointer escapes a name for use in a JSON pointer (RFC 6901, section 3).
func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// Plain is v without the mark of a default, at the top level.
func (v *Value) Plain() *Value {
	if !v.IsDefault() {
		return v
	}
	c := *v
	c.assumed = false
	return &c
}
