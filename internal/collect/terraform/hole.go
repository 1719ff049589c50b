package terraform

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"assay/internal/estate"
)

// A text of which a part is not known, such as the ARN of a resource that does
// not exist yet, is an ordinary text to the evaluator: the part stands in it as
// a hole, a number between two characters of a private use area. Joining and
// formatting texts carries holes along, so that "${aws_s3_bucket.b.arn}/*"
// keeps what is written beside the reference. Functions that look into texts
// give an unknown value instead; see functions.go.
//
// Unknown values carry marks that say why: a gap, or the hole that was looked
// into. Known values are marked only where they are sensitive.
const (
	holeStart = '\uE000'
	holeEnd   = '\uE001'
)

// holes are what stands in the holes of one configuration's texts.
type holes struct{ values []*estate.Value }

// hole is the mark of a value that is not known because it depends on what is
// in a hole.
type hole int

// gap is the mark of a value that is not known.
type gap estate.Gap

// sensitive is the mark of a value that must not be shown.
type sensitive string

// text is a text that is a hole for v and nothing else.
func (h *holes) text(v *estate.Value) cty.Value {
	h.values = append(h.values, v)
	return cty.StringVal(string(holeStart) + strconv.Itoa(len(h.values)-1) + string(holeEnd))
}

// unknown is a value of a type of which nothing else is known.
func unknown(t cty.Type, reason, input string) cty.Value {
	return cty.UnknownVal(t).Mark(gap{reason, input})
}

// filling is a text that is a hole for a value of which nothing is known but
// why. What is marked sensitive stays so; a value without a reason stays as
// it is.
func (h *holes) filling(v cty.Value) cty.Value {
	g := h.why(v, estate.Gap{})
	if g == (estate.Gap{}) {
		return v
	}
	_, marks := v.Unmark()
	text := h.text(estate.Unknown(g.Reason, g.Input))
	for m := range marks {
		if _, secret := m.(sensitive); secret {
			text = text.Mark(m)
		}
	}
	return text
}

// filled makes holes of everything within a value that is not known or must
// not be shown.
func (h *holes) filled(v cty.Value) (cty.Value, error) {
	return cty.Transform(v, func(_ cty.Path, x cty.Value) (cty.Value, error) {
		_, marks := x.Unmark()
		for m := range marks {
			if why, secret := m.(sensitive); secret {
				return h.text(estate.Secret(string(why))), nil
			}
		}
		if !x.IsKnown() {
			return h.filling(x), nil
		}
		return x, nil
	})
}

// firstHole finds a hole in the texts and keys of values.
func firstHole(values ...cty.Value) (hole, bool) {
	for _, v := range values {
		if h, ok := holeIn(v); ok {
			return h, true
		}
	}
	return 0, false
}

func holeIn(v cty.Value) (hole, bool) {
	if v.IsMarked() {
		v, _ = v.Unmark()
	}
	if v.IsNull() || !v.IsKnown() {
		return 0, false
	}
	switch t := v.Type(); {
	case t == cty.String:
		return holeInText(v.AsString())
	case t.IsPrimitiveType() || t.IsCapsuleType():
		return 0, false
	}
	for it := v.ElementIterator(); it.Next(); {
		key, item := it.Element()
		if h, ok := holeIn(item); ok {
			return h, true
		}
		if key.Type() == cty.String && key.IsKnown() {
			if h, ok := holeInText(key.AsString()); ok {
				return h, true
			}
		}
	}
	return 0, false
}

// collapsing finds a hole because of which members of collections may be equal
// that are written differently. What different resources are identified by is
// never equal.
func (h *holes) collapsing(values ...cty.Value) (hole, bool) {
	members := 0
	var found *hole
	for _, v := range values {
		v, _ = v.Unmark()
		if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
			continue
		}
		for it := v.ElementIterator(); it.Next(); {
			members++
			_, item := it.Element()
			if i, open := holeIn(item); open && h.at(int(i)).Kind() != estate.KindReference {
				found = &i
			}
		}
	}
	if members < 2 || found == nil {
		return 0, false
	}
	return *found, true
}

func holeInText(s string) (hole, bool) {
	_, rest, found := strings.Cut(s, string(holeStart))
	if !found {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, string(holeEnd))
	i, err := strconv.Atoi(digits)
	return hole(i), err == nil
}

// why says why a value is not known: by its marks, or those of its parts.
func (h *holes) why(v cty.Value, otherwise estate.Gap) estate.Gap {
	_, marks := v.UnmarkDeep()
	var found []estate.Gap
	for mark := range marks {
		switch m := mark.(type) {
		case gap:
			found = append(found, estate.Gap(m))
		case hole:
			found = append(found, h.gap(m, otherwise))
		}
	}
	if len(found) == 0 {
		return otherwise
	}
	// Marks have no order. Any of the gaps is true; the same one is told always.
	return slices.MinFunc(found, func(a, b estate.Gap) int { return strings.Compare(a.Input+"\x00"+a.Reason, b.Input+"\x00"+b.Reason) })
}

// gap is what would have to be known of what is in a hole.
func (h *holes) gap(i hole, otherwise estate.Gap) estate.Gap {
	v := h.at(int(i))
	switch v.Kind() {
	case estate.KindUnknown:
		return v.Gap()
	case estate.KindReference:
		return estate.Gap{Reason: reasonApply, Input: v.Reference().String()}
	}
	return otherwise
}

func (h *holes) at(i int) *estate.Value {
	if i < 0 || i >= len(h.values) {
		return nil
	}
	return h.values[i]
}

// textOf is a known text without holes, or "".
func textOf(v cty.Value) string {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	if _, open := holeInText(v.AsString()); open {
		return ""
	}
	return v.AsString()
}

func isTrue(v cty.Value) bool {
	v, _ = v.Unmark()
	return !v.IsNull() && v.IsKnown() && v.Type() == cty.Bool && v.True()
}

// converter turns values of the evaluator into values of an estate.
type converter struct {
	*holes
	otherwise estate.Gap // why something is not known of which nothing else is told
}

// value converts v, which the expression gave; nil is absent. The expression
// tells where the members of an object or list stand that is written out.
func (c converter) value(v cty.Value, e hcl.Expression, at estate.Position) *estate.Value {
	if e != nil {
		at = positionOf(e.Range())
	}
	if v.IsMarked() {
		_, marks := v.Unmark()
		for mark := range marks {
			if why, ok := mark.(sensitive); ok {
				return estate.Secret(string(why)).At(at)
			}
		}
	}
	if !v.IsKnown() {
		g := c.why(v, c.otherwise)
		return estate.Unknown(g.Reason, g.Input).At(at)
	}
	v, _ = v.Unmark()
	if v.IsNull() {
		return nil
	}
	switch t := v.Type(); {
	case t == cty.String:
		return c.split(v.AsString()).At(at)
	case t == cty.Bool:
		return estate.Bool(v.True()).At(at)
	case t == cty.Number:
		return number(v.AsBigFloat()).At(at)
	case t.IsMapType() || t.IsObjectType():
		return c.object(v, e, at)
	case t.IsCapsuleType():
		return estate.Unknown(c.otherwise.Reason, c.otherwise.Input).At(at)
	}
	items := []*estate.Value{}
	parts, _ := unwrap(e).(*hclsyntax.TupleConsExpr)
	for it, i := v.ElementIterator(), 0; it.Next(); i++ {
		_, item := it.Element()
		var part hcl.Expression
		if parts != nil && i < len(parts.Exprs) && !v.Type().IsSetType() {
			part = parts.Exprs[i]
		}
		if x := c.value(item, part, at); x != nil {
			items = append(items, x)
		} else {
			items = append(items, estate.Null().At(at))
		}
	}
	return estate.List(items...).At(at)
}

func (c converter) object(v cty.Value, e hcl.Expression, at estate.Position) *estate.Value {
	written := map[string]hcl.Expression{}
	if o, ok := unwrap(e).(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range o.Items {
			if key := hcl.ExprAsKeyword(item.KeyExpr); key != "" {
				written[key] = item.ValueExpr
			} else if key, diags := item.KeyExpr.Value(nil); !diags.HasErrors() && key.Type() == cty.String && key.IsKnown() && !key.IsNull() {
				written[key.AsString()] = item.ValueExpr
			}
		}
	}
	var fields []estate.Field
	for it := v.ElementIterator(); it.Next(); {
		key, item := it.Element()
		name := key.AsString()
		if i, open := holeInText(name); open {
			g := c.gap(i, c.otherwise)
			return estate.Unknown(g.Reason, g.Input).At(at)
		}
		if x := c.value(item, written[name], at); x != nil {
			fields = append(fields, estate.Field{Name: name, Value: x})
		}
	}
	return estate.Map(fields...).At(at)
}

// unwrap is the expression inside of parentheses.
func unwrap(e hcl.Expression) hcl.Expression {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return e
		}
		e = p.Expression
	}
}

func number(f *big.Float) *estate.Value {
	if i, accuracy := f.Int64(); accuracy == big.Exact {
		return estate.Int(i)
	}
	x, _ := f.Float64()
	return estate.Float(x)
}

// split finds the holes of a text.
func (c converter) split(s string) *estate.Value {
	if !strings.ContainsRune(s, holeStart) {
		return estate.String(s)
	}
	var parts []*estate.Value
	for {
		before, rest, found := strings.Cut(s, string(holeStart))
		if before != "" {
			parts = append(parts, estate.String(before))
		}
		if !found {
			break
		}
		digits, after, _ := strings.Cut(rest, string(holeEnd))
		i, err := strconv.Atoi(digits)
		v := c.at(i)
		if err != nil || v == nil {
			v = estate.Unknown(c.otherwise.Reason, c.otherwise.Input)
		}
		parts = append(parts, v)
		s = after
	}
	if len(parts) == 1 {
		return parts[0]
	}
	for i, p := range parts {
		// A document inside of a text is not followed.
		if k := p.Kind(); k == estate.KindMap || k == estate.KindList || k == estate.KindOneOf {
			parts[i] = estate.Unknown(c.otherwise.Reason, c.otherwise.Input)
		}
	}
	return estate.Text(parts...)
}
