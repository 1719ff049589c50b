package check

import (
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// param("NAME") and stated("NAME") expand to fields of these variables, so that
// each has the type of the parameter.
const (
	paramVar   = "@param"
	paramType  = "assay.Parameters"
	statedVar  = "@stated"
	statedType = "assay.Stated"
)

// Declare makes parameters known to expressions, in place of those before. It is
// not to be called while checks are typed or run.
func (l *Library) Declare(declared []Parameter) error {
	defaults, err := Resolve(declared, nil, nil)
	if err != nil {
		return err
	}
	l.declared, l.defaults = declared, defaults
	l.provider.parameters = map[string]*Parameter{}
	for i := range declared {
		l.provider.parameters[declared[i].Name] = &declared[i]
	}
	return nil
}

// parameterMacro is param or stated.
func (l *Library) parameterMacro(name, variable string) cel.Macro {
	return cel.GlobalMacro(name, 1, func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		parameter, ok := "", args[0].Kind() == ast.LiteralKind
		if ok {
			parameter, ok = args[0].AsLiteral().Value().(string)
		}
		if !ok {
			return nil, eh.NewError(args[0].ID(), name+`() takes a name that is written out, such as `+name+`("log_retention_days")`)
		}
		if l.provider.parameters[parameter] == nil {
			return nil, eh.NewError(args[0].ID(), noParameter(parameter, l.declared))
		}
		return eh.NewSelect(eh.NewIdent(variable), parameter), nil
	})
}

// celType is the type that param() has.
func (p *Parameter) celType() *cel.Type {
	switch p.Type {
	case "integer":
		return cel.IntType
	case "number":
		return cel.DoubleType
	case "boolean":
		return cel.BoolType
	case "texts":
		return cel.ListType(cel.StringType)
	}
	return cel.StringType
}

// paramVal holds the parameters of a run: their values, or whether somebody
// stated one.
type paramVal struct {
	mapVal
	stated bool
}

// Find implements traits.Mapper.
func (p *paramVal) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	s, ok := p.ev.values[string(name)]
	if !ok {
		return types.NewErr("parameter %s has no value in this run", string(name)), false
	}
	if !slices.Contains(p.ev.parameters, string(name)) {
		p.ev.parameters = append(p.ev.parameters, string(name))
	}
	switch {
	case p.stated:
		return types.Bool(s.Value != nil), true
	case s.Value == nil:
		return p.ev.unknown(estate.Unknown("no profile states it", "parameter "+string(name)), "", false), true
	}
	if s.Value.Kind() == estate.KindList {
		var items []ref.Val
		for _, item := range s.Value.Items() {
			items = append(items, p.ev.wrap(nil, item, ""))
		}
		return newList(p.ev, items), true // not a thing of the estate, whose reads are recorded
	}
	return p.ev.wrap(nil, s.Value, ""), true
}

// Get implements traits.Indexer.
func (p *paramVal) Get(key ref.Val) ref.Val {
	v, _ := p.Find(key)
	return v
}
