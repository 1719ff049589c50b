package terraform

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"assay/internal/estate"
)

// repetition says how often a block stands: once, or once for every turn of
// its count or for_each.
type repetition struct {
	turns []turn
	how   string      // "", "count" or "for_each"
	open  *estate.Gap // why the number of turns is not known; there is one turn then
}

// turn is one instance of a block.
type turn struct {
	key    string // as it ends the address: [0], ["a"], or ""
	name   string // of a for_each
	values map[string]cty.Value
}

// repetitionOf evaluates count or for_each of a block.
func (m *instance) repetitionOf(d *declared, address string) repetition {
	if a := d.attribute("count"); a != nil {
		return m.counted(a, address)
	}
	if a := d.attribute("for_each"); a != nil {
		return m.forEach(a, address)
	}
	if !m.room(1, d.at, address) {
		return repetition{}
	}
	return repetition{turns: []turn{{}}}
}

// room counts instances, and reports the first that are too many.
func (m *instance) room(n int, at hcl.Range, address string) bool {
	if n > maxInstances || m.evaluator.count+n > maxInstances {
		m.tooMuch(at, fmt.Sprintf("%s: %d instances are more than the %d that are read of one configuration", address, m.evaluator.count+n, maxInstances))
		return false
	}
	m.evaluator.count += n
	return true
}

func (m *instance) counted(a *hcl.Attribute, address string) repetition {
	v := m.evaluate(a.Expr, nil, address+".count")
	n, known, gap := m.whole(v, a, address)
	switch {
	case gap != nil:
		index := unknown(cty.Number, gap.Reason, gap.Input)
		return repetition{how: "count", open: gap, turns: []turn{{key: "[count.index]", values: map[string]cty.Value{
			"count": cty.ObjectVal(map[string]cty.Value{"index": index}),
		}}}}
	case !known || !m.room(n, a.Range, address):
		return repetition{how: "count"}
	}
	r := repetition{how: "count", turns: make([]turn, n)}
	for i := range n {
		r.turns[i] = turn{key: "[" + strconv.Itoa(i) + "]", values: map[string]cty.Value{
			"count": cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(int64(i))}),
		}}
	}
	return r
}

// whole reads a number of instances.
func (m *instance) whole(v cty.Value, a *hcl.Attribute, address string) (n int, known bool, open *estate.Gap) {
	if g, unknown := m.firstGap(v); unknown {
		return 0, false, &g
	}
	v, _ = v.UnmarkDeep()
	if v.Type() == cty.String {
		if i, err := strconv.Atoi(v.AsString()); err == nil {
			v = cty.NumberIntVal(int64(i))
		}
	}
	if v.IsNull() || v.Type() != cty.Number || v.LessThan(cty.Zero).True() || !v.AsBigFloat().IsInt() {
		m.problem(estate.Problem{Position: positionOf(a.Expr.Range()), Message: address + ": count: expected a whole number"})
		return 0, false, nil
	}
	if v.GreaterThan(cty.NumberIntVal(maxInstances)).True() {
		return maxInstances + 1, true, nil
	}
	i, _ := v.AsBigFloat().Int64()
	return int(i), true, nil
}

func (m *instance) forEach(a *hcl.Attribute, address string) repetition {
	v := m.evaluate(a.Expr, nil, address+".for_each")
	if !v.IsKnown() {
		g := m.why(v, estate.Gap{Reason: reasonApply, Input: address + ".for_each"})
		return repetition{how: "for_each", open: &g, turns: []turn{{key: "[each.key]", values: map[string]cty.Value{
			"each": cty.ObjectVal(map[string]cty.Value{
				"key": m.text(estate.Unknown(g.Reason, g.Input)), "value": unknown(cty.DynamicPseudoType, g.Reason, g.Input),
			}),
		}}}}
	}
	v, marks := v.Unmark()
	t := v.Type()
	if v.IsNull() || !t.IsMapType() && !t.IsObjectType() && !t.IsSetType() {
		m.problem(estate.Problem{Position: positionOf(a.Expr.Range()), Message: address + ": for_each: expected a map, or a set of texts"})
		return repetition{how: "for_each"}
	}
	if !m.room(v.LengthInt(), a.Range, address) {
		return repetition{how: "for_each"}
	}
	r := repetition{how: "for_each"}
	for it := v.ElementIterator(); it.Next(); {
		key, item := it.Element()
		key, _ = key.Unmark()
		if t.IsSetType() {
			key = item
		}
		if key.Type() != cty.String || key.IsNull() || !key.IsKnown() {
			m.problem(estate.Problem{Position: positionOf(a.Expr.Range()), Message: address + ": for_each: expected a set of texts"})
			continue
		}
		shown := converter{holes: m.holes}.split(key.AsString()).String()
		if s, plain := (converter{holes: m.holes}.split(key.AsString())).Scalar(); plain {
			shown = s
		}
		r.turns = append(r.turns, turn{key: "[" + strconv.Quote(shown) + "]", name: key.AsString(), values: map[string]cty.Value{
			"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": item.WithMarks(marks)}),
		}})
	}
	return r
}

// together is what the block's name stands for, given a value for each turn.
func (r repetition) together(values []cty.Value) cty.Value {
	switch {
	case r.how == "count":
		return cty.TupleVal(values)
	case r.how == "for_each":
		fields := map[string]cty.Value{}
		for i, t := range r.turns {
			fields[t.name] = values[i]
		}
		return cty.ObjectVal(fields)
	case len(values) == 0:
		return cty.DynamicVal
	}
	return values[0]
}
