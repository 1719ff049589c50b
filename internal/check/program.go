package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
	exprpb "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
	"google.golang.org/protobuf/proto"

	"assay/internal/estate"
)

// MaxCost is the most that an expression may cost at worst, in CEL's units,
// over lists of [assumedItems] items. Cost is estimated when a check is
// loaded, because counting while it runs would more than double its time.
const MaxCost = 1_000_000

// assumedItems is the length that the estimate gives to lists and texts of
// unknown size.
const assumedItems = 25

// MaxChoices bounds how many combinations of open inputs are tried before a
// check gives up as unknown.
const MaxChoices = 64

// maxSuppositions bounds how many choices are made before no pattern is supposed
// to take in a resource or not: each doubles the work.
const maxSuppositions = 3

// Typed is a check whose expressions have been parsed and type-checked, in a
// form that can be stored and loaded again without either.
type Typed struct {
	Check
	AppliesAST  []byte `json:"appliesAst,omitempty"` // exprpb.CheckedExpr
	RequireAST  []byte `json:"requireAst"`
	DeadlineAST []byte `json:"deadlineAst,omitempty"`
}

// Program is a check that is ready to run. It is safe for many goroutines.
type Program struct {
	Check
	lib      *Library
	applies  cel.Program // nil: applies to every subject
	require  cel.Program
	deadline cel.Program // nil: a failure has none
	wide     bool
}

// Wide reports whether the check asks a question that looks at every principal of
// the group of scopes, and not at what the subject is tied to alone. One that was not loaded
// asks none.
func (p *Program) Wide() bool { return p != nil && p.wide }

// Type checks a file's expressions against the schema of its subject. Errors
// carry the position within the file.
func (l *Library) Type(f *File) (*Typed, error) {
	if l.provider.model.Schema(f.Subject) == nil {
		return nil, f.At("subject", "subject %q is not a type that the property schemas know", f.Subject)
	}
	env, err := l.env.Extend(cel.Variable("subject", cel.ObjectType(typeName(f.Subject))))
	if err != nil {
		return nil, f.At("subject", "subject %q: %v", f.Subject, err)
	}
	for objective, link := range f.Establishes {
		if link.Edge != "" && !slices.ContainsFunc(l.provider.model.Rules(), func(r estate.Rule) bool {
			return r.Name == link.Edge && r.From == "AWS::Lambda::Function" && r.To == f.Subject
		}) {
			return nil, f.At("establishes", "establishes %s: edge: no edge %s leads from functions to %s", objective, link.Edge, f.Subject)
		}
	}
	t := &Typed{Check: f.Check}
	if f.Applies != "" {
		if t.AppliesAST, err = l.typed(env, f, "applies", f.Applies, cel.BoolType); err != nil {
			return nil, err
		}
	}
	if f.Deadline != "" {
		if t.DeadlineAST, err = l.typed(env, f, "deadline", f.Deadline, cel.StringType); err != nil {
			return nil, err
		}
	}
	t.RequireAST, err = l.typed(env, f, "require", f.Require, cel.BoolType)
	return t, err
}

func (l *Library) typed(env *cel.Env, f *File, field, source string, result *cel.Type) ([]byte, error) {
	checked, issues := env.Compile(source)
	if issues != nil && issues.Err() != nil {
		line, column := f.expressionPosition(field)
		e := issues.Errors()[0]
		if e.Location.Line() > 1 {
			column = 1
		}
		message, _, _ := strings.Cut(e.Message, " (in container")
		return nil, &FieldError{f.Name, line + e.Location.Line() - 1, column + e.Location.Column(), field + ": " + message}
	}
	if !checked.OutputType().IsExactType(result) {
		wanted := map[*cel.Type]string{cel.BoolType: "true or false", cel.StringType: "a date"}[result]
		return nil, f.At(field, "%s: expected %s, not a %s", field, wanted, checked.OutputType())
	}
	if err := l.checkPresence(checked); err != nil {
		return nil, f.At(field, "%s: %v", field, err)
	}
	cost, err := env.EstimateCost(checked, sizes{l.single})
	if err != nil {
		return nil, f.At(field, "%s: its cost cannot be estimated: %v", field, err)
	}
	if cost.Max > MaxCost {
		return nil, f.At(field, "%s: may cost %d, more than the %d allowed; nest fewer lists", field, cost.Max, MaxCost)
	}
	pb, err := cel.AstToCheckedExpr(checked)
	if err != nil {
		return nil, f.At(field, "%s: %v", field, err)
	}
	strip(pb)
	return proto.MarshalOptions{Deterministic: true}.Marshal(pb)
}

// strip takes out of a checked expression what planning a program does not
// need: positions, and all types but that of the whole. The references stay,
// which say what overload each call means.
func strip(pb *exprpb.CheckedExpr) {
	pb.SourceInfo = nil
	root := pb.GetExpr().GetId()
	pb.TypeMap = map[int64]*exprpb.Type{root: pb.GetTypeMap()[root]}
}

// checkPresence does for has() what the type checker does for a property that
// is read: the property must be one that the type has.
func (l *Library) checkPresence(checked *cel.Ast) error {
	native := checked.NativeRep()
	calls := ast.MatchDescendants(ast.NavigateAST(native), ast.FunctionMatcher(presentFunction))
	for _, call := range calls {
		args := call.AsCall().Args()
		operand := native.GetType(args[0].ID())
		name, _ := args[1].AsLiteral().Value().(string)
		if operand.Kind() == types.StructKind && !l.isProperty(operand, name) {
			return fmt.Errorf("%s has no property %s; it has %s", operand.TypeName(), name, l.propertyNames(operand))
		}
	}
	return nil
}

// sizes assumes a size for everything whose size CEL does not know. single
// holds the overloads of relations that one property makes, which lead to one
// resource, or to one of two where an input is open.
type sizes struct{ single map[string]bool }

// quotas bound how many resources of a type an account has in a region.
// source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
var quotas = map[string]uint64{"AWS::CloudTrail::Trail": 5}

// EstimateSize implements checker.CostEstimator.
func (sizes) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	if path := node.Path(); len(path) == 2 && path[0] == accountVar && quotas[path[1]] > 0 {
		return &checker.SizeEstimate{Min: 0, Max: quotas[path[1]]}
	}
	return &checker.SizeEstimate{Min: 0, Max: assumedItems}
}

// EstimateCallCost implements checker.CostEstimator.
func (s sizes) EstimateCallCost(_, overload string, _ *checker.AstNode, _ []checker.AstNode) *checker.CallEstimate {
	if !s.single[overload] {
		return nil
	}
	return &checker.CallEstimate{CostEstimate: checker.FixedCostEstimate(1), ResultSize: &checker.SizeEstimate{Min: 0, Max: 2}}
}

// Load makes a program of a type-checked check.
func (l *Library) Load(t *Typed) (*Program, error) {
	p := &Program{Check: t.Check, lib: l}
	var err error
	if len(t.AppliesAST) > 0 {
		if p.applies, err = l.program(t.AppliesAST, &p.wide); err != nil {
			return nil, fmt.Errorf("check %s: applies: %w", t.ID, err)
		}
	}
	if len(t.DeadlineAST) > 0 {
		if p.deadline, err = l.program(t.DeadlineAST, &p.wide); err != nil {
			return nil, fmt.Errorf("check %s: deadline: %w", t.ID, err)
		}
	}
	if p.require, err = l.program(t.RequireAST, &p.wide); err != nil {
		return nil, fmt.Errorf("check %s: require: %w", t.ID, err)
	}
	return p, nil
}

// program plans an expression. It sets wide where that asks a wide question.
func (l *Library) program(data []byte, wide *bool) (cel.Program, error) {
	var pb exprpb.CheckedExpr
	if err := proto.Unmarshal(data, &pb); err != nil {
		return nil, err
	}
	return l.env.Program(cel.CheckedExprToAst(&pb), cel.CustomDecoratorV2(func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		if call, ok := i.(interpreter.InterpretableCall); ok && slices.Contains(wideFunctions, call.Function()) {
			*wide = true
		}
		return decorate(i)
	}))
}

// Missing is an input without which a check could not be decided.
type Missing struct {
	Reason string
	Input  string
	Path   string // of the property that needed it; may be empty
	At     estate.Position
}

// Result is what one check says of one resource, and why.
type Result struct {
	Outcome Outcome
	// Reads are what the deciding expression looked at, for fail and unknown.
	Reads []Read
	// Missing names the inputs that would decide an unknown.
	Missing []Missing
	// Under lists the choices of open inputs under which a failure was shown;
	// empty when none was needed.
	Under []estate.Decision
	// Parameters names the parameters that were read, for fail and unknown.
	Parameters []string
	// Deadline is the date that a failure is ahead of; "" when it has none.
	Deadline string
	// Err is set when an expression failed to evaluate; the outcome is unknown.
	Err error
}

// Evaluate decides the check for one resource of its subject type.
func (p *Program) Evaluate(r *estate.Resource, on Setting) Result {
	budget := MaxChoices
	return p.decide(r, on, nil, &budget)
}

func (p *Program) evaluation(r *estate.Resource, on Setting, assigned map[string]string) *evaluation {
	values := on.Parameters
	if values == nil {
		values = p.lib.defaults
	}
	return &evaluation{lib: p.lib, asker: on.Asker, scope: r.Scope(), asOf: on.AsOf, values: values, assigned: assigned}
}

// decide evaluates under the choices made so far. Where an open input stands
// in the way it tries every value of that input: an outcome that is the same
// for all of them holds without knowing it.
func (p *Program) decide(r *estate.Resource, on Setting, assigned map[string]string, budget *int) Result {
	*budget--
	ev := p.evaluation(r, on, assigned)
	exists, gap := ev.exists(r)
	switch {
	case exists == estate.False:
		return Result{Outcome: NotApplicable}
	case exists == estate.Maybe && r.Exists.MaybeAbsent():
		// It stands for what a read would have shown: nothing is said of it.
		why := r.Exists.Gap()
		return Result{Missing: []Missing{{Reason: why.Reason, Input: why.Input, At: r.Source}}}
	}
	result := p.run(ev, r, on)
	if result.Outcome == Unknown && result.Err == nil && len(ev.open) > 0 && *budget > 0 {
		if split, ok := p.split(r, on, ev.open[0], assigned, budget); ok {
			result = split
		}
	} else if result.Outcome == Unknown && result.Err == nil && *budget > 0 && len(assigned) < maxSuppositions && len(ev.supposable) > 0 {
		// What depends on it keeps the reason why the pattern is not known.
		if split, ok := p.split(r, on, ev.supposable[0], assigned, budget); ok && split.Outcome != Unknown {
			result = split
		}
	}
	if result.Outcome == Fail && exists == estate.Maybe && r.Exists != nil && len(assigned) == 0 {
		result.Outcome = Unknown
		result.Missing = []Missing{{gap.Gap().Reason, gap.Gap().Input, "", r.Source}}
	}
	return result
}

// split tries every value of one input. Choices under which the subject does
// not exist have no say.
func (p *Program) split(r *estate.Resource, on Setting, input string, assigned map[string]string, budget *int) (Result, bool) {
	values := r.Scope().Inputs()[input]
	supposition := strings.HasPrefix(input, supposed)
	if supposition {
		values = []string{"true", "false"}
	}
	if len(values) == 0 {
		return Result{}, false
	}
	var first *Result
	for _, value := range values {
		chosen := make(map[string]string, len(assigned)+1)
		for k, v := range assigned {
			chosen[k] = v
		}
		chosen[input] = value
		if there, _ := p.evaluation(r, on, chosen).exists(r); there == estate.False {
			continue
		}
		result := p.decide(r, on, chosen, budget)
		if !supposition {
			result.Under = append([]estate.Decision{{Input: input, When: value}}, result.Under...)
		}
		switch {
		case result.Err != nil || result.Outcome == Unknown:
			return result, true
		case first == nil:
			first = &result
		case first.Outcome != result.Outcome:
			return Result{
				Outcome: Unknown,
				Reads:   append(first.Reads, result.Reads...),
				Missing: []Missing{{Reason: "the outcome depends on it", Input: input}},

				Parameters: slices.Compact(slices.Sorted(slices.Values(append(first.Parameters, result.Parameters...)))),
			}, true
		}
	}
	if first == nil {
		return Result{Outcome: NotApplicable}, true
	}
	return *first, true
}

// run evaluates once, plainly; what does not pass is evaluated again with a
// record of what was read.
func (p *Program) run(ev *evaluation, r *estate.Resource, on Setting) Result {
	result := p.once(ev, r, on)
	if result.Outcome == Pass || result.Outcome == NotApplicable || ev.record {
		return result
	}
	again := p.evaluation(r, on, ev.assigned)
	again.record = true
	return p.once(again, r, on)
}

func (p *Program) once(ev *evaluation, r *estate.Resource, on Setting) Result {
	vars := &activation{ev: ev, subject: mapVal{ev: ev, res: r, value: r.Properties, whole: true}, asOf: types.String(on.AsOf)}
	if p.applies != nil {
		switch v := eval(p.applies, vars); {
		case v == types.False:
			return Result{Outcome: NotApplicable}
		case v != types.True:
			return ev.undecided(v)
		}
	}
	// What decided that the check applies is not what is wrong.
	ev.reads, ev.parameters = ev.reads[:0], nil
	switch v := eval(p.require, vars); {
	case v == types.True:
		return Result{Outcome: Pass}
	case v == types.False:
		failed := Result{Outcome: Fail, Reads: ev.distinctReads(), Parameters: ev.parameters}
		if p.deadline != nil {
			if date, ok := eval(p.deadline, vars).(types.String); ok {
				failed.Deadline = string(date)
			}
		}
		return failed
	default:
		return ev.undecided(v)
	}
}

func eval(p cel.Program, vars *activation) ref.Val {
	v, _, err := p.Eval(vars)
	if err != nil {
		return types.WrapErr(err)
	}
	return v
}

// undecided is the result of an expression that gave neither true nor false.
func (ev *evaluation) undecided(v ref.Val) Result {
	result := Result{Outcome: Unknown, Reads: ev.distinctReads(), Parameters: ev.parameters}
	unk, ok := v.(*types.Unknown)
	if !ok {
		result.Err = fmt.Errorf("%v", v)
		return result
	}
	for _, id := range unk.IDs() {
		n := id &^ maybeAbsent
		if n < 1 || n > int64(len(ev.holes)) {
			continue
		}
		h := ev.holes[n-1]
		for _, g := range gaps(h.value) {
			m := Missing{g.Reason, g.Input, h.path, h.where}
			if !slices.ContainsFunc(result.Missing, func(o Missing) bool { return o.Reason == m.Reason && o.Input == m.Input }) {
				result.Missing = append(result.Missing, m)
			}
		}
	}
	return result
}

// gaps are the reasons for which a value is not known.
func gaps(v *estate.Value) []estate.Gap {
	var found []estate.Gap
	v.Each(func(x *estate.Value) bool {
		switch x.Kind() {
		case estate.KindUnknown, estate.KindDenied:
			found = append(found, x.Gap())
		case estate.KindReference:
			found = append(found, estate.Gap{Reason: "known after deployment", Input: x.Reference().String()})
		case estate.KindSecret:
			found = append(found, estate.Gap{Reason: "withheld", Input: x.Why()})
		case estate.KindOneOf:
			found = append(found, estate.Gap{Reason: "not decided", Input: x.Input()})
			return false
		default:
		}
		return true
	})
	return found
}

// distinctReads drops repeated reads, keeping the order of the first.
func (ev *evaluation) distinctReads() []Read {
	var out []Read
	for _, r := range ev.reads {
		if !slices.ContainsFunc(out, func(o Read) bool { return o.Resource == r.Resource && o.Path == r.Path }) {
			out = append(out, r)
		}
	}
	return leaves(out)
}

// leaves drops the containers on the way to something deeper that was read.
func leaves(reads []Read) []Read {
	return slices.DeleteFunc(slices.Clone(reads), func(r Read) bool {
		return slices.ContainsFunc(reads, func(o Read) bool {
			return o.Resource == r.Resource && len(o.Path) > len(r.Path) && strings.HasPrefix(o.Path, r.Path) && strings.ContainsRune(".[", rune(o.Path[len(r.Path)]))
		})
	})
}

// activation gives a program its variables.
type activation struct {
	ev      *evaluation
	subject mapVal
	asOf    types.String
}

// ResolveName implements interpreter.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case "subject":
		return &a.subject, true
	case "asOf":
		return a.asOf, true
	case hereVar:
		return a.ev.place(), true
	case evaluationVar:
		return a.ev, true
	case paramVar, statedVar:
		return &paramVal{mapVal{ev: a.ev, value: estate.Map()}, name == statedVar}, true
	case accountVar:
		return &accountVal{mapVal{ev: a.ev, value: estate.Map()}}, true
	}
	return nil, false
}

// Parent implements interpreter.Activation.
func (*activation) Parent() cel.Activation { return nil }
