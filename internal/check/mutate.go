package check

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/parser"
)

// Mutant is a check with one deliberate fault in its expressions. A case that is
// worth its place notices some of them.
type Mutant struct {
	// Name says what was changed, in words that do not hang on positions.
	Name    string
	Program *Program
}

// Mutants makes every mutant of a check: conditions negated, a side of && or ||
// dropped, comparisons and quantifiers swapped, constants changed, branches
// exchanged, applies left out.
func (l *Library) Mutants(t *Typed) ([]Mutant, error) {
	env, err := l.env.Extend(cel.Variable("subject", cel.ObjectType(typeName(t.Subject))), cel.EnableMacroCallTracking())
	if err != nil {
		return nil, err
	}
	whole, err := l.Load(t)
	if err != nil {
		return nil, err
	}
	var all []Mutant
	named := map[string]int{}
	add := func(name string, p Program) {
		if named[name]++; named[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, named[name])
		}
		all = append(all, Mutant{name, &p})
	}
	for _, field := range []struct{ name, source string }{{"applies", t.Applies}, {"require", t.Require}} {
		if field.source == "" {
			continue
		}
		checked, issues := env.Compile(field.source)
		if issues.Err() != nil {
			return nil, fmt.Errorf("check %s: %s: %w", t.ID, field.name, issues.Err())
		}
		m := &mutator{original: checked.NativeRep(), fac: ast.NewExprFactory()}
		m.walk(m.original.Expr())
		for _, one := range m.found {
			program, err := l.mutated(m.original, one)
			if err != nil {
				return nil, fmt.Errorf("check %s: %s: %s: %w", t.ID, field.name, one.name, err)
			}
			p := *whole
			if field.name == "applies" {
				p.applies = program
			} else {
				p.require = program
			}
			add(field.name+": "+one.name, p)
		}
	}
	if t.Applies != "" {
		p := *whole
		p.applies = nil
		add("applies: left out", p)
	}
	return all, nil
}

// mutated is the program of an expression with one change.
func (l *Library) mutated(original *ast.AST, m mutation) (cel.Program, error) {
	changed := ast.Copy(original)
	for _, node := range ast.MatchDescendants(ast.NavigateAST(changed), func(e ast.NavigableExpr) bool { return e.ID() == m.id }) {
		m.change(changed, node)
		break
	}
	pb, err := ast.ToProto(changed)
	if err != nil {
		return nil, err
	}
	return l.env.Program(cel.CheckedExprToAst(pb), cel.CustomDecoratorV2(decorate))
}

// mutation is one change to the node of an id.
type mutation struct {
	id     int64
	name   string
	change func(*ast.AST, ast.Expr)
}

// mutator walks what the author of an expression wrote, and passes over what
// macros added.
type mutator struct {
	original *ast.AST
	fac      ast.ExprFactory
	found    []mutation
}

func (m *mutator) add(e ast.Expr, what string, change func(*ast.AST, ast.Expr)) {
	text, err := parser.Unparse(e, m.original.SourceInfo())
	if err != nil {
		text = "…"
	}
	const most = 100
	if line := []rune(strings.Join(strings.Fields(text), " ")); len(line) > most {
		text = string(line[:most]) + " …"
	} else {
		text = string(line)
	}
	m.found = append(m.found, mutation{e.ID(), what + " in " + text, change})
}

// swapped are the operators that take each other's place.
var swapped = map[string]string{
	operators.Equals: operators.NotEquals, operators.NotEquals: operators.Equals,
	operators.Less: operators.LessEquals, operators.LessEquals: operators.Less,
	operators.Greater: operators.GreaterEquals, operators.GreaterEquals: operators.Greater,
}

func (m *mutator) walk(e ast.Expr) {
	switch e.Kind() {
	case ast.CallKind:
		m.call(e)
	case ast.ComprehensionKind:
		m.quantifier(e)
	case ast.SelectKind:
		m.negate(e)
		if variable := e.AsSelect().Operand(); variable.Kind() != ast.IdentKind || !strings.HasPrefix(variable.AsIdent(), "@") {
			m.walk(variable)
		}
	case ast.ListKind:
		m.list(e)
	case ast.LiteralKind:
		m.constant(e)
	case ast.IdentKind:
		m.negate(e)
	default:
	}
}

func (m *mutator) call(e ast.Expr) {
	c := e.AsCall()
	args := c.Args()
	if c.IsMemberFunction() {
		m.walk(c.Target())
	}
	switch name := c.FunctionName(); name {
	case "undecided":
		return // never true or false, whatever the reason that it states
	case operators.LogicalAnd, operators.LogicalOr:
		sign := map[string]string{operators.LogicalAnd: "&&", operators.LogicalOr: "||"}[name]
		for i, side := range []string{"right", "left"} { // of which one is dropped
			m.add(e, side+" of "+sign+" dropped", func(_ *ast.AST, n ast.Expr) {
				n.SetKindCase(ast.NewExprFactory().CopyExpr(n.AsCall().Args()[i]))
			})
		}
	case operators.Conditional:
		m.add(e, "branches exchanged", func(_ *ast.AST, n ast.Expr) {
			a := n.AsCall().Args()
			n.SetKindCase(m.fac.NewCall(n.ID(), operators.Conditional, a[0], a[2], a[1]))
		})
	case operators.LogicalNot:
		m.walk(args[0]) // negating it negates what it holds
		return
	case presentFunction, operators.OptSelect:
		m.negate(e)
		m.walk(args[0])
		return
	default:
		if other, ok := swapped[name]; ok {
			display := func(op string) string { text, _ := operators.FindReverseBinaryOperator(op); return text }
			m.add(e, display(name)+" becomes "+display(other), func(_ *ast.AST, n ast.Expr) {
				a := n.AsCall().Args()
				n.SetKindCase(m.fac.NewCall(n.ID(), other, a...))
			})
			break
		}
		m.negate(e)
	}
	for _, arg := range args {
		m.walk(arg)
	}
}

// negate adds the mutant in which a condition is its opposite.
func (m *mutator) negate(e ast.Expr) {
	if t := m.original.GetType(e.ID()); t == nil || t.Kind() != types.BoolKind {
		return
	}
	m.add(e, "negated", func(a *ast.AST, n ast.Expr) { invert(a, n) })
}

// invert puts a negation around a node.
func invert(a *ast.AST, n ast.Expr) {
	fac := ast.NewExprFactory()
	inner, id := fac.CopyExpr(n), ast.MaxID(a)+1
	inner.RenumberIDs(func(old int64) int64 {
		if old == n.ID() {
			return id
		}
		return old
	})
	if r, ok := a.ReferenceMap()[n.ID()]; ok {
		a.SetReference(id, r)
	}
	a.SetType(id, types.BoolType)
	a.SetReference(n.ID(), ast.NewFunctionReference("logical_not"))
	n.SetKindCase(fac.NewCall(n.ID(), operators.LogicalNot, inner))
}

// quantifier is all() or exists(): each becomes the other.
func (m *mutator) quantifier(e ast.Expr) {
	predicate := predicateOf(e)
	if predicate == nil {
		return
	}
	m.walk(e.AsComprehension().IterRange())
	m.add(e, "all and exists exchanged", func(a *ast.AST, n ast.Expr) {
		invert(a, predicateOf(n))
		invert(a, n)
	})
	m.walk(predicate)
}

// predicateOf is what the author wrote for each member: the first operand of
// what the macro put around it, in the step of this loop and not of one within.
func predicateOf(e ast.Expr) ast.Expr {
	step := e.AsComprehension().LoopStep()
	if step.Kind() != ast.CallKind || len(step.AsCall().Args()) != 2 {
		return nil
	}
	around := step.AsCall().Args()[1]
	if around.Kind() != ast.CallKind || around.AsCall().FunctionName() != eachFunction && around.AsCall().FunctionName() != someFunction {
		return nil
	}
	if holds := around.AsCall().Args()[0]; holds.Kind() == ast.CallKind && len(holds.AsCall().Args()) == 2 {
		return holds.AsCall().Args()[0]
	}
	return nil
}

// fewMembers is the length of a list of constants up to which each is changed;
// of longer ones the first and the last are.
const fewMembers = 3

func (m *mutator) list(e ast.Expr) {
	elements := e.AsList().Elements()
	for i, element := range elements {
		if element.Kind() == ast.LiteralKind && len(elements) > fewMembers && i > 0 && i < len(elements)-1 {
			continue
		}
		m.walk(element)
	}
}

// constant changes a constant to another.
func (m *mutator) constant(e ast.Expr) {
	var other any
	switch v := e.AsLiteral().(type) {
	case types.String:
		other = v + "~"
	case types.Int:
		other = v + 1
	case types.Double:
		other = v + 0.1
	case types.Bool:
		other = !v
	default:
		return
	}
	m.add(e, "constant changed", func(_ *ast.AST, n ast.Expr) {
		n.SetKindCase(m.fac.NewLiteral(n.ID(), types.DefaultTypeAdapter.NativeToValue(other)))
	})
}
