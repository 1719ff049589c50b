package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// Functions that macros expand to; no expression can spell them.
const (
	presentFunction = "@present"
	unsureFunction  = "@unsure"
	eachFunction    = "@each" // around the predicate of all()
	someFunction    = "@some" // around the predicate of exists()
)

// Runtime is one row of the table of Lambda runtimes. Dates are ISO 8601 and
// empty where AWS has announced none.
type Runtime struct {
	ID            string `yaml:"id"`
	Family        string `yaml:"family"`
	Deprecated    string `yaml:"deprecated"`
	CreateBlocked string `yaml:"createBlocked"`
	UpdateBlocked string `yaml:"updateBlocked"`
	Preview       bool   `yaml:"preview"`
}

// Library is what the language offers to expressions: the types of resources,
// the relations between them, and the dated tables. It is safe for many
// goroutines.
type Library struct {
	env      *cel.Env
	provider *provider
	runtimes map[string]*estate.Value
	date     string   // of the runtime table
	admins   []string // endings of the ARNs of administrator policies
	// opposite gives, for a relation and the type it is asked of, the type it
	// leads to where resources that the scope may not hold could be at the
	// other end.
	opposite map[relation]string
}

// relation is one function of one type: logGroups of AWS::Lambda::Function.
type relation struct{ name, of string }

// Tables are the dated AWS facts that expressions can ask for, as their files'
// bytes.
type Tables struct {
	Runtimes      []byte // runtimes.yaml
	AdminPolicies []byte // lambda-admin-policies.yaml
}

// NewLibrary prepares the language over a model and the tables.
func NewLibrary(model *estate.Model, t Tables) (*Library, error) {
	l := &Library{opposite: map[relation]string{}}
	if err := l.readRuntimes(t.Runtimes); err != nil {
		return nil, err
	}
	if err := l.readAdmins(t.AdminPolicies); err != nil {
		return nil, err
	}
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	l.provider = &provider{registry, model}
	relations, err := l.relations(model)
	if err != nil {
		return nil, err
	}
	options := []cel.EnvOption{
		cel.StdLib(),
		cel.OptionalTypes(),
		cel.ClearMacros(),
		cel.Macros(hasMacro, allMacro, existsMacro),
		cel.CustomTypeProvider(l.provider),
		cel.CrossTypeNumericComparisons(true),
		cel.Variable("asOf", cel.StringType),
		cel.Function(presentFunction, cel.Overload("present", []*cel.Type{cel.DynType, cel.StringType}, cel.BoolType,
			cel.OverloadIsNonStrict(), cel.BinaryBinding(func(a, b ref.Val) ref.Val { return present(nil, []ref.Val{a, b}) }))),
		cel.Function(unsureFunction, cel.Overload("unsure", []*cel.Type{cel.DynType}, cel.BoolType,
			cel.OverloadIsNonStrict(), cel.UnaryBinding(unsure))),
		cel.Function(eachFunction, cel.Overload("each", []*cel.Type{cel.BoolType}, cel.BoolType)),
		cel.Function(someFunction, cel.Overload("some", []*cel.Type{cel.BoolType}, cel.BoolType)),
		cel.Function("runtime", cel.Overload("runtime_string", []*cel.Type{cel.StringType}, cel.ObjectType("assay.Runtime"))),
		cel.Function("entries", cel.Overload("entries_map", []*cel.Type{cel.DynType}, cel.ListType(cel.ObjectType("assay.Entry")), cel.UnaryBinding(entries))),
		cel.Function("credential", cel.Overload("credential_string_dyn", []*cel.Type{cel.StringType, cel.DynType}, cel.BoolType)),
		cel.Function("administrator", cel.Overload("administrator_string", []*cel.Type{cel.StringType}, cel.BoolType)),
		cel.Function("statements", cel.Overload("statements_dyn", []*cel.Type{cel.DynType}, cel.ListType(cel.ObjectType("assay.Statement")))),
	}
	l.env, err = cel.NewCustomEnv(append(options, relations...)...)
	if err != nil {
		return nil, fmt.Errorf("check language: %w", err)
	}
	return l, nil
}

func (l *Library) readRuntimes(data []byte) error {
	var table struct {
		Date     string    `yaml:"date"`
		Runtimes []Runtime `yaml:"runtimes"`
	}
	if err := yaml.Unmarshal(data, &table); err != nil {
		return fmt.Errorf("table of runtimes: %w", err)
	}
	l.date = table.Date
	l.runtimes = make(map[string]*estate.Value, len(table.Runtimes))
	for _, r := range table.Runtimes {
		fields := []estate.Field{
			{Name: "id", Value: estate.String(r.ID)},
			{Name: "family", Value: estate.String(r.Family)},
			{Name: "preview", Value: estate.Bool(r.Preview)},
		}
		for name, date := range map[string]string{"deprecated": r.Deprecated, "createBlocked": r.CreateBlocked, "updateBlocked": r.UpdateBlocked} {
			if date != "" {
				fields = append(fields, estate.Field{Name: name, Value: estate.String(date)})
			}
		}
		l.runtimes[r.ID] = estate.Map(fields...)
	}
	return nil
}

// readAdmins keeps what the ARNs of the policies end in, so that they match in
// every partition.
func (l *Library) readAdmins(data []byte) error {
	var table struct {
		Policies []struct {
			ARN string `yaml:"arn"`
		} `yaml:"policies"`
	}
	if err := yaml.Unmarshal(data, &table); err != nil {
		return fmt.Errorf("table of administrator policies: %w", err)
	}
	for _, p := range table.Policies {
		_, ending, _ := strings.Cut(p.ARN, ":iam:")
		l.admins = append(l.admins, ":iam:"+ending)
	}
	return nil
}

// administrator reports whether an ARN is that of a managed policy that makes
// an administrator of whoever has it.
func administrator(ev *evaluation, args []ref.Val) ref.Val {
	text, ok := ev.textOf(args[0])
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	if text.Kind() == estate.KindReference {
		return types.False // a policy that the estate declares is not one of AWS's own
	}
	none := estate.True
	for _, ending := range ev.lib.admins {
		none = none.And(estate.HasSuffix(text, ending).Not())
	}
	return truth(none.Not(), args[0])
}

// relations declares every edge of the model as a function of the resource:
// subject.logGroups() is the list of log groups that a function writes to.
func (l *Library) relations(model *estate.Model) ([]cel.EnvOption, error) {
	results := map[relation]string{}
	overloads := map[string][]cel.FunctionOpt{}
	add := func(name, from, to string) error {
		key := relation{name, from}
		if was, ok := results[key]; ok {
			if was != to {
				return fmt.Errorf("edge table: %s of %s leads to both %s and %s", name, from, was, to)
			}
			return nil
		}
		results[key] = to
		id := name + "_" + typeName(from)
		overloads[name] = append(overloads[name], cel.MemberOverload(id,
			[]*cel.Type{cel.ObjectType(typeName(from))}, cel.ListType(cel.ObjectType(typeName(to)))))
		return nil
	}
	for _, r := range model.Rules() {
		if err := add(r.Name, r.From, r.To); err != nil {
			return nil, err
		}
		if err := add(r.Inverse, r.To, r.From); err != nil {
			return nil, err
		}
		l.opposite[relation{r.Inverse, r.To}] = r.From
		if r.Default != "" {
			l.opposite[relation{r.Name, r.From}] = r.To
		}
	}
	names := make([]string, 0, len(overloads))
	for name := range overloads {
		names = append(names, name)
	}
	slices.Sort(names)
	var options []cel.EnvOption
	for _, name := range names {
		options = append(options, cel.Function(name, append(overloads[name], cel.SingletonUnaryBinding(related(name)))...))
	}
	return options, nil
}

// related is the implementation of one relation.
func related(name string) func(ref.Val) ref.Val {
	return func(v ref.Val) ref.Val {
		m, ok := v.(*mapVal)
		if !ok || !m.whole {
			return types.MaybeNoSuchOverloadErr(v)
		}
		return m.ev.related(m.res, name)
	}
}

// related lists the resources at the edges of one name. Those that may not be
// there, or were not read, are unknown members.
func (ev *evaluation) related(r *estate.Resource, name string) ref.Val {
	var found []ref.Val
	var seen []*estate.Resource
	for _, e := range r.Related(name) {
		holds := ev.holds(e.When)
		other := e.To
		if e.Rule.Name != name || e.From != r {
			other = e.From
		}
		switch {
		case holds == estate.False:
		case e.To == nil:
			sure := e.Outside && e.From == r && holds == estate.True
			found = append(found, ev.unknown(estate.Unknown(e.Gap.Reason, e.Gap.Input).At(e.Position), name+"()", !sure))
		case slices.Contains(seen, other):
		default:
			exists, gap := ev.exists(other)
			switch exists.And(holds) {
			case estate.True:
				seen = append(seen, other)
				found = append(found, ev.resourceVal(other))
			case estate.Maybe:
				found = append(found, ev.unknown(gap, name+"()", true))
			case estate.False:
			}
		}
	}
	if opposite, ok := ev.lib.opposite[relation{name, r.Type}]; ok {
		if complete, gap := r.Scope().Complete(opposite); !complete {
			found = append(found, ev.unknown(estate.Unknown(gap.Reason, gap.Input), name+"()", true))
		}
	}
	if ev.record {
		ev.reads = append(ev.reads, Read{Resource: r, Path: name + "()", Value: names(found)})
	}
	return newList(ev, found)
}

// names lists the resources of a relation for a trace.
func names(found []ref.Val) *estate.Value {
	var list []*estate.Value
	for _, v := range found {
		if m, ok := v.(*mapVal); ok {
			list = append(list, estate.String(m.res.LogicalID))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return estate.List(list...)
}

// holds reports whether the decisions are those that were made.
func (ev *evaluation) holds(when []estate.Decision) estate.Truth {
	t := estate.True
	for _, d := range when {
		chosen, ok := ev.assigned[d.Input]
		if !ok {
			ev.open = append(ev.open, d.Input)
			t = t.And(estate.Maybe)
			continue
		}
		t = t.And(estate.TruthOf(chosen == d.When))
	}
	return t
}

// exists reports whether a resource is there under the choices made; when that
// is open, why.
func (ev *evaluation) exists(r *estate.Resource) (estate.Truth, *estate.Value) {
	gap := estate.Unknown("condition is not decided", r.ExistsInput).At(r.Source)
	if r.Exists == nil {
		return estate.True, gap
	}
	v, open := ev.resolve(r.Exists)
	if open || v.Kind() != estate.KindBool {
		if v.Kind() == estate.KindUnknown {
			// Nothing decides the condition itself: try both, like any input.
			chosen, ok := ev.assigned[r.ExistsInput]
			if ok {
				return estate.TruthOf(chosen == "true"), gap
			}
			ev.open = append(ev.open, r.ExistsInput)
		}
		return estate.Maybe, gap
	}
	return estate.TruthOf(v.AsBool()), gap
}

// unsure is false of what is certainly there and unknown of what may not be.
func unsure(v ref.Val) ref.Val {
	if isMaybeAbsent(v) {
		return v
	}
	return types.False
}

// entries lists a map's fields as name and value.
func entries(v ref.Val) ref.Val {
	m, ok := v.(*mapVal)
	if !ok {
		if types.IsUnknown(v) {
			return v
		}
		return newList(nil, nil) // an empty literal: the only other map an expression can hold
	}
	var list []ref.Val
	for _, key := range m.keys() {
		name, ok := key.(types.String)
		if !ok {
			list = append(list, key)
			continue
		}
		entry := estate.Map(
			estate.Field{Name: "name", Value: estate.String(string(name))},
			estate.Field{Name: "value", Value: m.value.Field(string(name))},
		)
		list = append(list, &mapVal{ev: m.ev, res: m.res, value: entry, path: m.pathOf(string(name))})
	}
	return newList(m.ev, list)
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

// runtimeRow looks a runtime up; one that the table does not have is unknown.
func runtimeRow(ev *evaluation, args []ref.Val) ref.Val {
	id, ok := args[0].(types.String)
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	row := ev.lib.runtimes[string(id)]
	if row == nil {
		return ev.unknown(estate.Unknown("runtime is not in the table of "+ev.lib.date, string(id)), "Runtime", false)
	}
	return &mapVal{ev: ev, value: row, path: "runtime(" + string(id) + ")"}
}

// credential reports whether a named value is a credential in plain sight.
// The estate has withheld what is one; a value that is not known may be one.
func credential(ev *evaluation, args []ref.Val) ref.Val {
	if h, absent, ok := ev.hole(args[1]); ok && !absent {
		switch h.value.Kind() {
		case estate.KindSecret:
			return types.True
		case estate.KindReference:
			return types.False
		case estate.KindText, estate.KindUnknown, estate.KindDenied:
			return credentialText(args[1], h.value)
		default:
			return args[1]
		}
	}
	if types.IsUnknown(args[0]) || types.IsUnknown(args[1]) {
		return merge(args...)
	}
	return types.False
}

// credentialText judges a text by its holes: one that holds a credential is
// one; one with an unknown hole may be.
func credentialText(undecided ref.Val, text *estate.Value) ref.Val {
	t := estate.False
	parts := text.Items()
	if text.Kind() != estate.KindText {
		parts = []*estate.Value{text}
	}
	for _, p := range parts {
		switch p.Kind() {
		case estate.KindSecret:
			return types.True
		case estate.KindUnknown:
			if p.Gap().Reason != estate.ReasonPseudoParameter {
				t = estate.Maybe
			}
		case estate.KindDenied:
			t = estate.Maybe
		default:
		}
	}
	return truth(t, undecided)
}

// statements lists the statements of a policy document with every element as
// a list. Principals are written TYPE:ID, and everyone is "*".
func statements(ev *evaluation, args []ref.Val) ref.Val {
	m, ok := args[0].(*mapVal)
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return newList(ev, nil)
	}
	v, open := m.ev.resolve(m.value.Field("Statement"))
	switch {
	case v == nil:
		return newList(ev, nil)
	case open || !v.Known():
		return ev.unknown(v, join(m.path, "Statement"), true)
	case v.Kind() == estate.KindMap:
		v = estate.List(v)
	}
	var list []*estate.Value
	for _, s := range v.Items() {
		list = append(list, statement(s))
	}
	return &listVal{ev: ev, res: m.res, value: estate.List(list...), path: join(m.path, "Statement")}
}

func statement(s *estate.Value) *estate.Value {
	if s.Kind() == estate.KindOneOf {
		cases := make([]estate.Case, len(s.Cases()))
		for i, c := range s.Cases() {
			cases[i] = estate.Case{When: c.When, Value: nil}
			if c.Value != nil {
				cases[i].Value = statement(c.Value)
			}
		}
		return estate.OneOf(s.Input(), cases...)
	}
	if s.Kind() != estate.KindMap {
		return s
	}
	var fields []estate.Field
	for _, f := range s.Fields() {
		switch f.Name {
		case "Action", "NotAction", "Resource", "NotResource":
			f.Value = asList(f.Value)
		case "Principal", "NotPrincipal":
			f.Value = principals(f.Value)
		}
		fields = append(fields, f)
	}
	return estate.Map(fields...).At(s.Position())
}

func asList(v *estate.Value) *estate.Value {
	if k := v.Kind(); k == estate.KindList || k == estate.KindUnknown || k == estate.KindDenied {
		return v
	}
	if v.Kind() == estate.KindOneOf {
		cases := make([]estate.Case, len(v.Cases()))
		for i, c := range v.Cases() {
			cases[i] = estate.Case{When: c.When}
			if c.Value != nil {
				cases[i].Value = asList(c.Value)
			}
		}
		return estate.OneOf(v.Input(), cases...)
	}
	return estate.List(v).At(v.Position())
}

func principals(v *estate.Value) *estate.Value {
	if v.Kind() != estate.KindMap {
		return asList(v)
	}
	var all []*estate.Value
	for _, f := range v.Fields() {
		ids := asList(f.Value)
		if ids.Kind() != estate.KindList {
			all = append(all, ids)
			continue
		}
		for _, id := range ids.Items() {
			if id.AsString() == "*" {
				all = append(all, id)
				continue
			}
			all = append(all, estate.Text(estate.String(f.Name+":"), id).At(id.Position()))
		}
	}
	return estate.List(all...).At(v.Position())
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
