package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Limits of loops. Nested ones multiply, so that a few lines can ask for any
// number of turns; the library's conversion of a list takes time by the square
// of its members.
const (
	maxSteps   = 1_000_000 // turns of all for expressions in one configuration
	maxMembers = 20_000    // of one list, as written or as a for expression makes it
)

// prepare changes a syntax tree so that it can be evaluated with holes in its
// texts: comparisons know that a text with a hole may equal another, a
// conditional evaluates only the side that it takes, and loops are counted. It
// notes the names that expressions read on the way.
func (l *loader) prepare(node hclsyntax.Node) {
	// The walk reports nothing of its own.
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		switch e := n.(type) {
		case *hclsyntax.BinaryOpExpr:
			switch e.Op {
			case hclsyntax.OpEqual:
				e.Op = equalWithHoles
			case hclsyntax.OpNotEqual:
				e.Op = differentWithHoles
			case equalWithHoles, differentWithHoles:
			default:
				e.LHS, e.RHS = looked(e.LHS), looked(e.RHS)
			}
		case *hclsyntax.UnaryOpExpr:
			e.Val = looked(e.Val)
		case *hclsyntax.ConditionalExpr:
			if _, done := e.TrueResult.(*branch); !done {
				test := &tested{Expression: inside(looked(e.Condition))}
				e.Condition = test
				e.TrueResult = &branch{inside(e.TrueResult), test, false}
				e.FalseResult = &branch{inside(e.FalseResult), test, true}
			}
		case *hclsyntax.ObjectConsExpr:
			for i, item := range e.Items {
				if key, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok && (key.ForceNonLiteral || hcl.ExprAsKeyword(key) == "") {
					e.Items[i].KeyExpr = looked(key)
				}
			}
		case *hclsyntax.ForExpr:
			if e.KeyExpr != nil {
				e.KeyExpr = looked(e.KeyExpr)
			}
			if _, done := e.ValExpr.(*counted); !done {
				e.ValExpr = &counted{Expression: inside(e.ValExpr), budget: &l.budget}
				if e.CondExpr != nil {
					e.CondExpr = &counted{Expression: inside(e.CondExpr), budget: &l.budget}
				}
			}
		case *hclsyntax.SplatExpr:
			if _, done := e.Each.(*counted); !done {
				e.Each = &counted{Expression: inside(e.Each), budget: &l.budget}
			}
		case *hclsyntax.TemplateExpr:
			for i, part := range e.Parts {
				if _, literal := part.(*hclsyntax.LiteralValueExpr); !literal {
					e.Parts[i] = &spliced{inside(part), l.holes}
				}
			}
		case *hclsyntax.ScopeTraversalExpr:
			l.useTraversal(e.Traversal)
		case *hclsyntax.RelativeTraversalExpr:
			l.useTraversal(e.Traversal)
		case *hclsyntax.IndexExpr:
			l.useCollection(e.Collection)
			e.Key = looked(e.Key)
		case *hclsyntax.FunctionCallExpr:
			if strings.Contains(e.Name, "::") {
				l.providerFunctions[e.Name] = true
			}
		}
		return nil
	})
}

// inside puts an expression into parentheses. What wraps an expression is
// walked as what it embeds, which then must not be the expression itself: the
// walk would see only its parts.
func inside(e hclsyntax.Expression) hclsyntax.Expression {
	return &hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}
}

// useCollection notes that a part is read of what an expression ends in.
func (l *loader) useCollection(e hclsyntax.Expression) {
	var t hcl.Traversal
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		t = e.Traversal
	case *hclsyntax.RelativeTraversalExpr:
		t = e.Traversal
	}
	if len(t) > 0 {
		if a, ok := t[len(t)-1].(hcl.TraverseAttr); ok {
			l.used[a.Name] = true
		}
	}
}

// tested is a condition, which its conditional and both sides ask for.
type tested struct {
	hclsyntax.Expression
	context *hcl.EvalContext // of the last answer
	value   cty.Value
	diags   hcl.Diagnostics
}

func (t *tested) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if ctx == nil || t.context != ctx {
		t.value, t.diags = t.Expression.Value(ctx)
		t.context = ctx
	}
	return t.value, t.diags
}

// branch is a side of a conditional. Where the other side is taken it gives a
// null of no type, which every type can stand beside.
type branch struct {
	hclsyntax.Expression
	test  *tested
	avoid bool // the value of the condition that takes the other side
}

func (b *branch) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	test, diags := b.test.Value(ctx)
	test, _ = test.Unmark()
	if !diags.HasErrors() && test.IsKnown() && !test.IsNull() && test.Type() == cty.Bool && test.True() == b.avoid {
		return cty.NullVal(cty.DynamicPseudoType), nil
	}
	return b.Expression.Value(ctx)
}

// spliced is an expression inside of a text. One that is not known leaves a
// hole, so that the rest of the text still stands.
type spliced struct {
	hclsyntax.Expression
	holes *holes
}

func (p *spliced) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := p.Expression.Value(ctx)
	if t := v.Type(); v.IsKnown() || diags.HasErrors() || !t.IsPrimitiveType() && t != cty.DynamicPseudoType {
		return v, diags
	}
	return p.holes.filling(v), diags
}

// lookedInto is an operand that an operation looks into: a number, a condition,
// the key of an index or of a member, which another may equal. A text with a
// hole gives it nothing to see.
type lookedInto struct{ hclsyntax.Expression }

func looked(e hclsyntax.Expression) hclsyntax.Expression {
	switch e.(type) {
	case *lookedInto, *hclsyntax.LiteralValueExpr:
		return e
	}
	return &lookedInto{inside(e)}
}

func (o *lookedInto) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := o.Expression.Value(ctx)
	if v.Type() != cty.String {
		return v, diags
	}
	if h, open := holeIn(v); open {
		return cty.UnknownVal(cty.DynamicPseudoType).Mark(h), diags
	}
	return v, diags
}

// counted is the body of a loop.
type counted struct {
	hclsyntax.Expression
	budget *int
	// loop is where the loop stands that is being run, and turns how often it
	// has turned.
	loop  *hcl.EvalContext
	turns int
}

func (c *counted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if loop := ctx.Parent(); loop != c.loop {
		c.loop, c.turns = loop, 0
	}
	*c.budget--
	if c.turns++; c.turns > maxMembers || *c.budget < 0 {
		*c.budget = -1
		return cty.DynamicVal, hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Too many turns",
			Detail:  "The expression turns more often than assay follows.",
			Subject: c.Expression.Range().Ptr(),
		}}
	}
	return c.Expression.Value(ctx)
}

var (
	equalWithHoles     = &hclsyntax.Operation{Impl: comparison(false), Type: cty.Bool}
	differentWithHoles = &hclsyntax.Operation{Impl: comparison(true), Type: cty.Bool}
)

// comparison is == or, negated, != over values whose texts may have holes.
func comparison(negated bool) function.Function {
	param := function.Parameter{Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true}
	a, b := param, param
	a.Name, b.Name = "a", "b"
	return function.New(&function.Spec{
		Params: []function.Parameter{a, b},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			x, marks := args[0].UnmarkDeep()
			y, more := args[1].UnmarkDeep()
			hole, open := firstHole(x, y)
			if open && !x.IsNull() && !y.IsNull() && !x.RawEquals(y) {
				return cty.UnknownVal(cty.Bool).Mark(hole).WithMarks(marks, more), nil
			}
			equal := x.Equals(y)
			if negated {
				equal = equal.Not()
			}
			return equal.WithMarks(marks, more), nil
		},
	})
}
