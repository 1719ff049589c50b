package check

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// Functions that macros expand to; no expression can spell them.
const (
	presentFunction = "@present"
	unsureFunction  = "@unsure"
	eachFunction    = "@each" // around the predicate of all()
	someFunction    = "@some" // around the predicate of exists()
)

// Library is what the language offers to expressions: the types of resources,
// the relations between them, and the dated tables. It is safe for many
// goroutines.
type Library struct {
	env      *cel.Env
	provider *provider
	runtimes map[string]*estate.Value
	date     string // of the runtime table
	dated    dated
	// single says of a relation's overload that it leads to one resource.
	single map[string]bool
	// ends gives the type at the other end of a relation.
	ends map[relation]string
	// patterns are the regular expressions that checks match with, compiled.
	patterns sync.Map // types.String → *regexp.Regexp
	// declared are the parameters that expressions may read, defaults their
	// values where a run states none.
	declared []Parameter
	defaults Values
}

// NewLibrary prepares the language over a model and the tables.
func NewLibrary(model *estate.Model, t Tables) (*Library, error) {
	l := &Library{single: map[string]bool{}}
	if err := l.readRuntimes(t.Runtimes); err != nil {
		return nil, err
	}
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	l.provider = &provider{Registry: registry, model: model}
	relations, err := l.relations(model)
	if err != nil {
		return nil, err
	}
	options := []cel.EnvOption{
		cel.StdLib(),
		cel.OptionalTypes(),
		cel.ClearMacros(),
		cel.Macros(hasMacro, allMacro, existsMacro, accountMacro, l.parameterMacro("param", paramVar), l.parameterMacro("stated", statedVar)),
		cel.Variable(paramVar, cel.ObjectType(paramType)),
		cel.Variable(statedVar, cel.ObjectType(statedType)),
		cel.Variable(accountVar, cel.ObjectType(accountType)),
		cel.CustomTypeProvider(l.provider),
		cel.CrossTypeNumericComparisons(true),
		cel.Variable("asOf", cel.StringType),
		cel.Variable(hereVar, cel.ObjectType(hereType)),
		cel.Function("arn", cel.Overload("arn_string", []*cel.Type{cel.StringType}, cel.ObjectType("assay.ARN"))),
		cel.Function(presentFunction, cel.Overload("present", []*cel.Type{cel.DynType, cel.StringType}, cel.BoolType,
			cel.OverloadIsNonStrict(), cel.BinaryBinding(func(a, b ref.Val) ref.Val { return present(nil, []ref.Val{a, b}) }))),
		cel.Function(unsureFunction, cel.Overload("unsure", []*cel.Type{cel.DynType}, cel.BoolType,
			cel.OverloadIsNonStrict(), cel.UnaryBinding(unsure))),
		cel.Function(eachFunction, cel.Overload("each", []*cel.Type{cel.BoolType}, cel.BoolType)),
		cel.Function(someFunction, cel.Overload("some", []*cel.Type{cel.BoolType}, cel.BoolType)),
		cel.Function("runtime", cel.Overload("runtime_string", []*cel.Type{cel.StringType}, cel.ObjectType("assay.Runtime"))),
		cel.Function("found", cel.Overload("found_list", []*cel.Type{cel.ListType(cel.DynType)}, cel.BoolType)),
		cel.Function("entries", cel.Overload("entries_map", []*cel.Type{cel.DynType}, cel.ListType(cel.ObjectType("assay.Entry")), cel.UnaryBinding(entries))),
		cel.Function("credential", cel.Overload("credential_string_dyn", []*cel.Type{cel.StringType, cel.DynType}, cel.BoolType)),
		cel.Function("awsPolicy", cel.Overload("awspolicy_string", []*cel.Type{cel.StringType}, cel.StringType)),
		cel.Function("operations", cel.Overload("operations_dyn", []*cel.Type{cel.DynType}, cel.ListType(cel.ObjectType("assay.Operation")))),
		cel.Function("secretName", cel.Overload("secretname_string", []*cel.Type{cel.StringType}, cel.BoolType)),
		cel.Function("awsKey", cel.Overload("awskey_string", []*cel.Type{cel.StringType}, cel.BoolType)),
		cel.Function("qualifier", cel.Overload("qualifier_dyn_string", []*cel.Type{cel.DynType, cel.StringType}, cel.StringType)),
		cel.Function("probe", cel.Overload("probe_string_string", []*cel.Type{cel.StringType, cel.StringType}, cel.StringType)),
		cel.Function("undecided", cel.Overload("undecided_string", []*cel.Type{cel.StringType}, cel.BoolType)),
		cel.Function("statements", cel.Overload("statements_dyn", []*cel.Type{cel.DynType}, cel.ListType(cel.ObjectType("assay.Statement")))),
	}
	l.dated = newDated(t)
	options = append(options, datedFunctions()...)
	options = append(options, programmeFunctions()...)
	options = append(options, questions()...)
	l.env, err = cel.NewCustomEnv(append(options, relations...)...)
	if err != nil {
		return nil, fmt.Errorf("check language: %w", err)
	}
	return l, nil
}

// unsure is false of what is certainly there and unknown of what may not be.
func unsure(v ref.Val) ref.Val {
	if isMaybeAbsent(v) {
		return v
	}
	return types.False
}

// The macros. In all and exists a member that may not be there cannot decide:
// exists(x, p) is true only for a member that is certain.
var (
	hasMacro = cel.GlobalMacro("has", 1, func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		if args[0].Kind() != ast.SelectKind {
			return nil, eh.NewError(args[0].ID(), "has() takes a property, such as has(subject.KmsKeyArn)")
		}
		s := args[0].AsSelect()
		return eh.NewCall(presentFunction, s.Operand(), eh.NewLiteral(types.String(s.FieldName()))), nil
	})
	allMacro = cel.ReceiverMacro("all", 2, func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		x, err := variable(eh, args[0])
		if err != nil {
			return nil, err
		}
		holds := eh.NewCall(operators.LogicalOr, args[1], eh.NewCall(unsureFunction, eh.NewIdent(x)))
		step := eh.NewCall(operators.LogicalAnd, eh.NewAccuIdent(), eh.NewCall(eachFunction, holds))
		return eh.NewComprehension(target, x, eh.AccuIdentName(), eh.NewLiteral(types.True),
			eh.NewCall(operators.NotStrictlyFalse, eh.NewAccuIdent()), step, eh.NewAccuIdent()), nil
	})
	existsMacro = cel.ReceiverMacro("exists", 2, func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		x, err := variable(eh, args[0])
		if err != nil {
			return nil, err
		}
		sure := eh.NewCall(operators.LogicalNot, eh.NewCall(unsureFunction, eh.NewIdent(x)))
		holds := eh.NewCall(operators.LogicalAnd, args[1], sure)
		step := eh.NewCall(operators.LogicalOr, eh.NewAccuIdent(), eh.NewCall(someFunction, holds))
		return eh.NewComprehension(target, x, eh.AccuIdentName(), eh.NewLiteral(types.False),
			eh.NewCall(operators.NotStrictlyFalse, eh.NewCall(operators.LogicalNot, eh.NewAccuIdent())), step, eh.NewAccuIdent()), nil
	})
)

func variable(eh cel.MacroExprFactory, e ast.Expr) (string, *cel.Error) {
	if e.Kind() != ast.IdentKind {
		return "", eh.NewError(e.ID(), "the first argument is the name of the member")
	}
	return e.AsIdent(), nil
}

// isProperty reports whether a struct type has a field, to check has().
func (l *Library) isProperty(t *types.Type, field string) bool {
	_, ok := l.provider.FindStructFieldType(t.TypeName(), field)
	return ok
}

// propertyNames lists what a type has, for an error message.
func (l *Library) propertyNames(t *types.Type) string {
	names, _ := l.provider.FindStructFieldNames(t.TypeName())
	slices.Sort(names)
	return strings.Join(names, ", ")
}
