package check

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"assay/internal/estate"
)

// maybeAbsent is set in the id of an unknown that may not be there at all, as
// opposed to one that is there and whose content is unknown.
const maybeAbsent = int64(1) << 40

// evaluation is the state of one run of one expression: the choices made for
// open inputs, and what was met on the way. It is for one goroutine.
type evaluation struct {
	lib   *Library
	asker Asker         // nil: hard questions are unknown
	scope *estate.Scope // of the subject
	asOf  string        // the date judged by
	// assigned says which value each open input is taken to have.
	assigned map[string]string
	// open lists inputs that were met without a choice, in order.
	open []string
	// supposable lists the suppositions that were met without a choice, in order.
	supposable []string
	// holes are the values behind the ids of CEL unknowns; id n is holes[n-1].
	holes []hole
	// sizes are the lower bounds of sizes that are not known, by the unknown that
	// stands for them.
	sizes map[*types.Unknown]int
	// record asks for reads, which are wanted only for what does not pass.
	record bool
	reads  []Read
	// values are the parameters of the run; parameters names those that were read.
	values     Values
	parameters []string
}

// hole is a value that CEL sees as unknown. Texts and references stay usable
// in comparisons.
type hole struct {
	value *estate.Value
	path  string
	where estate.Position
}

// Read is one thing that an evaluation looked at.
type Read struct {
	Resource *estate.Resource
	Path     string        // dotted path of the property, or a relation
	Value    *estate.Value // nil: absent

	passedOver []int64 // loops of exists() for which this member was not the one
}

func (ev *evaluation) unknown(v *estate.Value, path string, absent bool) ref.Val {
	ev.holes = append(ev.holes, hole{v, path, v.Position()})
	id := int64(len(ev.holes))
	if absent {
		id |= maybeAbsent
	}
	return types.NewUnknown(id, nil)
}

// hole is what stands behind an unknown with one cause.
func (ev *evaluation) hole(v ref.Val) (h hole, absent, ok bool) {
	unk, is := v.(*types.Unknown)
	if !is {
		return hole{}, false, false
	}
	ids := unk.IDs()
	if len(ids) != 1 {
		return hole{}, false, false
	}
	n := ids[0] &^ maybeAbsent
	if n < 1 || n > int64(len(ev.holes)) {
		return hole{}, false, false
	}
	return ev.holes[n-1], ids[0]&maybeAbsent != 0, true
}

// resolve applies the choices made so far. open is set when an input without a
// choice decides what v is.
func (ev *evaluation) resolve(v *estate.Value) (resolved *estate.Value, open bool) {
	for v.Kind() == estate.KindOneOf {
		when, chosen := ev.assigned[v.Input()]
		if !chosen {
			ev.open = append(ev.open, v.Input())
			return v, true
		}
		next, found := caseOf(v, when)
		if !found {
			return estate.Unknown("no case for this choice", v.Input()+" = "+when), false
		}
		v = next
	}
	return v, false
}

func caseOf(v *estate.Value, when string) (*estate.Value, bool) {
	for _, c := range v.Cases() {
		if c.When == when {
			return c.Value, true
		}
	}
	return nil, false
}

// absence reports whether a OneOf may be, must be or cannot be absent.
func absence(v *estate.Value) estate.Truth {
	absent, present := 0, 0
	for _, c := range v.Cases() {
		t := estate.TruthOf(c.Value == nil)
		if c.Value.Kind() == estate.KindOneOf {
			t = absence(c.Value)
		}
		switch t {
		case estate.True:
			absent++
		case estate.False:
			present++
		case estate.Maybe:
			absent++
			present++
		}
	}
	switch {
	case present == 0:
		return estate.True
	case absent == 0:
		return estate.False
	}
	return estate.Maybe
}

// wrap makes v visible to CEL. v is not nil.
func (ev *evaluation) wrap(r *estate.Resource, v *estate.Value, path string) ref.Val {
	switch v.Kind() {
	case estate.KindNull:
		return types.NullValue
	case estate.KindBool:
		return types.Bool(v.AsBool())
	case estate.KindInt:
		return types.Int(v.AsInt())
	case estate.KindFloat:
		return types.Double(v.AsFloat())
	case estate.KindString:
		return types.String(v.AsString())
	case estate.KindList:
		return &listVal{ev: ev, res: r, value: v, path: path}
	case estate.KindMap:
		return &mapVal{ev: ev, res: r, value: v, path: path}
	case estate.KindOneOf:
		resolved, open := ev.resolve(v)
		if open {
			return ev.unknown(v, path, absence(v) != estate.False)
		}
		if resolved == nil {
			return ev.unknown(v, path, true)
		}
		return ev.wrap(r, resolved, path)
	default:
		return ev.unknown(v, path, v.MaybeAbsent())
	}
}

// resourceVal is a whole resource: its properties, and the edges at it.
func (ev *evaluation) resourceVal(r *estate.Resource) ref.Val {
	return &mapVal{ev: ev, res: r, value: r.Properties, whole: true}
}

// mapVal is a map of the estate in CEL.
type mapVal struct {
	ev    *evaluation
	res   *estate.Resource
	value *estate.Value
	path  string
	whole bool // the resource itself: edges can be asked of it
}

// field resolves one entry. A nil value is absent; open means that it depends
// on an input without a choice.
func (m *mapVal) field(name string) (v *estate.Value, open bool) {
	v, open = m.ev.resolve(m.value.Field(name))
	if m.ev.record {
		m.ev.reads = append(m.ev.reads, Read{Resource: m.res, Path: join(m.path, name), Value: v})
	}
	return v, open
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Find implements traits.Mapper.
func (m *mapVal) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		if types.IsUnknown(key) {
			return key, true
		}
		return types.NewErr("a map of the estate is read by name, not by %v", key.Type()), false
	}
	v, open := m.field(string(name))
	switch {
	case v == nil:
		return nil, false
	case open:
		return m.ev.unknown(v, m.pathOf(string(name)), absence(v) != estate.False), true
	}
	return m.ev.wrap(m.res, v, m.pathOf(string(name))), true
}

func (m *mapVal) pathOf(name string) string { return join(m.path, name) }

// Get implements traits.Indexer.
func (m *mapVal) Get(key ref.Val) ref.Val {
	v, found := m.Find(key)
	if !found && v == nil {
		return types.NewErr("no such key: %v", key)
	}
	return v
}

// has reports presence in three values.
func (m *mapVal) has(name string) ref.Val {
	v, open := m.field(name)
	switch {
	case v == nil:
		return types.False
	case !open && !v.MaybeAbsent():
		return types.True
	case !open:
		return m.ev.unknown(v, m.pathOf(name), true)
	}
	switch absence(v) {
	case estate.True:
		return types.False
	case estate.False:
		return types.True
	default:
		return m.ev.unknown(v, m.pathOf(name), true)
	}
}

// Contains implements traits.Container.
func (m *mapVal) Contains(key ref.Val) ref.Val {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key)
	}
	return m.has(string(name))
}

// keys are the names that are certainly or perhaps there.
func (m *mapVal) keys() []ref.Val {
	keys := make([]ref.Val, 0, len(m.value.Fields()))
	for _, f := range m.value.Fields() {
		switch v, open := m.ev.resolve(f.Value); {
		case v == nil:
		case open && absence(v) != estate.False, !open && v.MaybeAbsent():
			keys = append(keys, m.ev.unknown(v, m.pathOf(f.Name), true))
		default:
			keys = append(keys, types.String(f.Name))
		}
	}
	return keys
}

// Iterator implements traits.Iterable: a name that may be absent comes as an
// unknown.
func (m *mapVal) Iterator() traits.Iterator { return &iterator{items: m.keys()} }

// Size implements traits.Sizer.
func (m *mapVal) Size() ref.Val { return sizeOf(m.keys()) }

// sizeOf is the number of items, unless some may not be there.
func sizeOf(items []ref.Val) ref.Val {
	var unk *types.Unknown
	for _, item := range items {
		if isMaybeAbsent(item) {
			unk, _ = types.MaybeMergeUnknowns(item, unk)
		}
	}
	if unk != nil {
		return unk
	}
	return types.Int(len(items))
}

// isMaybeAbsent reports whether an item may not be there at all.
func isMaybeAbsent(v ref.Val) bool {
	unk, ok := v.(*types.Unknown)
	if !ok {
		return false
	}
	for _, id := range unk.IDs() {
		if id&maybeAbsent != 0 {
			return true
		}
	}
	return false
}

// ConvertToNative implements ref.Val; checks hand nothing to Go by reflection.
func (m *mapVal) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a map of the estate does not convert to %v", t)
}

// ConvertToType implements ref.Val.
func (m *mapVal) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return types.MapType
	}
	return types.NewErr("a map of the estate does not convert to %s", t.TypeName())
}

// Equal implements ref.Val; the decorator's three-valued equality comes first.
func (m *mapVal) Equal(other ref.Val) ref.Val { return m.ev.equal(m, other) }

// Type implements ref.Val.
func (m *mapVal) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (m *mapVal) Value() any { return m.value }

// listVal is a list of the estate in CEL. items holds members that were made
// for it (resources at an edge); otherwise they are read from value.
type listVal struct {
	ev    *evaluation
	res   *estate.Resource
	value *estate.Value
	path  string
	items []ref.Val
	ready bool
}

func newList(ev *evaluation, items []ref.Val) *listVal {
	return &listVal{ev: ev, items: items, ready: true}
}

// all lists the members: those that a choice leaves out are gone, those that
// may not be there are unknown.
func (l *listVal) all() []ref.Val {
	if l.ready {
		return l.items
	}
	l.ready = true
	l.items = make([]ref.Val, 0, len(l.value.Items()))
	for i, item := range l.value.Items() {
		path := l.path + "[" + strconv.Itoa(i) + "]"
		v, open := l.ev.resolve(item)
		switch {
		case v == nil:
		case open:
			l.items = append(l.items, l.ev.unknown(v, path, absence(v) != estate.False))
		default:
			if l.ev.record && v.Kind() != estate.KindMap && v.Kind() != estate.KindList {
				l.ev.reads = append(l.ev.reads, Read{Resource: l.res, Path: path, Value: v})
			}
			l.items = append(l.items, l.ev.wrap(l.res, v, path))
		}
	}
	return l.items
}

// Get implements traits.Indexer. A position behind a member that may be absent
// is not certain.
func (l *listVal) Get(index ref.Val) ref.Val {
	i, err := types.IndexOrError(index)
	if err != nil {
		return types.WrapErr(err)
	}
	items := l.all()
	if i < 0 || i >= len(items) {
		return types.NewErr("no item %d in a list of %d", i, len(items))
	}
	for _, item := range items[:i+1] {
		if isMaybeAbsent(item) {
			return item
		}
	}
	return items[i]
}

// Contains implements traits.Container; the decorator's form of in comes first.
func (l *listVal) Contains(v ref.Val) ref.Val { return l.ev.in(v, l) }

// Iterator implements traits.Iterable.
func (l *listVal) Iterator() traits.Iterator { return &iterator{items: l.all()} }

// Size implements traits.Sizer.
func (l *listVal) Size() ref.Val { return sizeOf(l.all()) }

// Add implements traits.Adder.
func (l *listVal) Add(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	items := append([]ref.Val{}, l.all()...)
	for it := o.Iterator(); it.HasNext() == types.True; {
		items = append(items, it.Next())
	}
	return newList(l.ev, items)
}

// ConvertToNative implements ref.Val; checks hand nothing to Go by reflection.
func (l *listVal) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a list of the estate does not convert to %v", t)
}

// ConvertToType implements ref.Val.
func (l *listVal) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return types.ListType
	}
	return types.NewErr("a list of the estate does not convert to %s", t.TypeName())
}

// Equal implements ref.Val.
func (l *listVal) Equal(other ref.Val) ref.Val { return l.ev.equal(l, other) }

// Type implements ref.Val.
func (l *listVal) Type() ref.Type { return types.ListType }

// Value implements ref.Val.
func (l *listVal) Value() any { return l.all() }

// iterator walks members that are already made.
type iterator struct {
	items []ref.Val
	next  int
}

func (it *iterator) HasNext() ref.Val { return types.Bool(it.next < len(it.items)) }

func (it *iterator) Next() ref.Val {
	v := it.items[it.next]
	it.next++
	return v
}

func (it *iterator) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("an iterator does not convert to %v", t)
}
func (it *iterator) ConvertToType(ref.Type) ref.Val { return types.NewErr("an iterator has no type") }
func (it *iterator) Equal(ref.Val) ref.Val          { return types.NewErr("iterators do not compare") }
func (it *iterator) Type() ref.Type                 { return types.IteratorType }
func (it *iterator) Value() any                     { return nil }
