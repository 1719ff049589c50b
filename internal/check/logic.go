package check

import (
	"regexp"
	"slices"

	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"

	"assay/internal/estate"
)

// evaluationVar is the name under which the running evaluation is reachable.
// No expression can spell it.
const evaluationVar = "@evaluation"

// ownFunctions are the functions that need the running evaluation. Those of CEL
// itself are replaced because as shipped they are unsound over values that are
// not fully known, or blind to what a text with holes does say. Each gets its
// evaluated arguments, of which some may be unknown.
var ownFunctions = map[string]func(ev *evaluation, args []ref.Val) ref.Val{
	operators.Equals:        func(ev *evaluation, a []ref.Val) ref.Val { return ev.equal(a[0], a[1]) },
	operators.NotEquals:     func(ev *evaluation, a []ref.Val) ref.Val { return not(ev.equal(a[0], a[1])) },
	operators.In:            func(ev *evaluation, a []ref.Val) ref.Val { return ev.in(a[0], a[1]) },
	operators.Less:          order(func(c int) bool { return c < 0 }),
	operators.LessEquals:    order(func(c int) bool { return c <= 0 }),
	operators.Greater:       order(func(c int) bool { return c > 0 }),
	operators.GreaterEquals: order(func(c int) bool { return c >= 0 }),
	"size":                  size,
	"startsWith":            textTest(estate.HasPrefix),
	"endsWith":              textTest(estate.HasSuffix),
	"contains":              textTest(estate.Contains),
	"matches":               matches,
	presentFunction:         present,
	"runtime":               runtimeRow,
	"arn":                   arn,
	"tlsPolicy":             tlsPolicy,
	"fipsEndpoint":          fipsEndpoint,
	"sourceKeys":            sourceKeys,
	"services":              servicesOf,
	"programme":             inProgramme,
	"daysUntil":             daysUntil,
	"daysSince":             daysSince,
	"credential":            credential,
	"secretName":            secretName,
	"statements":            statements,
	"awsKey":                awsKey,
	"awsPolicy":             awsPolicy,
	"undecided":             undecided,
	"probe":                 probe,
	"operations":            operations,
	"found":                 found,
	"qualifier":             qualifier,
}

// asked are the functions that ask a question of an engine.
var asked = map[string]QuestionKind{
	"may":               May,
	"trusts":            Trusts,
	"trustsOnly":        TrustsOnly,
	"administers":       Administers,
	"lets":              Lets,
	"letsStrangers":     LetsStrangers,
	"reachedBy":         ReachedBy,
	"answersAnyone":     AnswersAnyone,
	"openTo":            OpenTo,
	"mayAnywhere":       MayAnywhere,
	"mayEvery":          MayEvery,
	"changesAnywhere":   ChangesAnywhere,
	"passesBeyond":      PassesBeyond,
	"escalates":         Escalates,
	"invitesEscalation": InvitesEscalation,
	"passesToAny":       PassesToAny,
	"permitsAnywhere":   PermitsAnywhere,
	"holdsService":      HoldsService,
	"codeMayAnywhere":   CodeMayAnywhere,
	"servesStrangers":   ServesStrangers,
	"trustsToken":       TrustsToken,
	"refusesPlain":      RefusesPlain,
	"usableAnywhere":    UsableAnywhere,
}

// decorate replaces the planned calls of own functions.
func decorate(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok {
		return i, nil
	}
	if name := call.Function(); name == eachFunction || name == someFunction {
		return &member{id: call.ID(), predicate: call.Args()[0], some: name == someFunction}, nil
	}
	f, ok := ownFunctions[call.Function()]
	if kind, asks := asked[call.Function()]; asks {
		f, ok = ask(kind), true
	}
	if !ok {
		return i, nil
	}
	return &ownCall{id: call.ID(), args: call.Args(), f: f}, nil
}

// ownCall is a call of one of the own functions in a planned program.
type ownCall struct {
	id   int64
	args []interpreter.InterpretableV2
	f    func(*evaluation, []ref.Val) ref.Val
}

// ID implements interpreter.Interpretable.
func (c *ownCall) ID() int64 { return c.id }

// Eval implements interpreter.Interpretable.
func (c *ownCall) Eval(a interpreter.Activation) ref.Val { return c.Exec(interpreter.AsFrame(a)) }

// running finds the evaluation that a program runs for.
func running(frame *interpreter.ExecutionFrame) *evaluation {
	found, _ := frame.ResolveName(evaluationVar)
	ev, _ := found.(*evaluation)
	return ev
}

// member is the predicate of all() or exists() for one member of a list. It
// keeps the record of reads to what decides: of all(), the members that fail;
// of exists(), the member that is found, or else every member.
type member struct {
	id        int64
	predicate interpreter.InterpretableV2
	some      bool
}

// ID implements interpreter.Interpretable.
func (m *member) ID() int64 { return m.id }

// Eval implements interpreter.Interpretable.
func (m *member) Eval(a interpreter.Activation) ref.Val { return m.Exec(interpreter.AsFrame(a)) }

// Exec implements interpreter.InterpretableV2.
func (m *member) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	ev := running(frame)
	if ev == nil || !ev.record {
		return m.predicate.Exec(frame)
	}
	start := len(ev.reads)
	v := m.predicate.Exec(frame)
	switch {
	case !m.some && v == types.True:
		ev.reads = ev.reads[:start]
	case m.some && v == types.False:
		for i := start; i < len(ev.reads); i++ {
			ev.reads[i].passedOver = append(ev.reads[i].passedOver, m.id)
		}
	case m.some && v == types.True:
		ev.reads = slices.DeleteFunc(ev.reads, func(r Read) bool { return slices.Contains(r.passedOver, m.id) })
	}
	return v
}

// Exec implements interpreter.InterpretableV2.
func (c *ownCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	ev := running(frame)
	if ev == nil {
		return types.NewErr("no evaluation is running")
	}
	args := make([]ref.Val, len(c.args))
	for i, arg := range c.args {
		args[i] = arg.Exec(frame)
		if types.IsError(args[i]) {
			return args[i]
		}
	}
	return c.f(ev, args)
}

func not(v ref.Val) ref.Val {
	if b, ok := v.(types.Bool); ok {
		return !b
	}
	return v
}

// truth turns a decided Truth into a CEL value; undecided stays what it was.
func truth(t estate.Truth, undecided ref.Val) ref.Val {
	switch t {
	case estate.True:
		return types.True
	case estate.False:
		return types.False
	default:
		return undecided
	}
}

// equal is three-valued deep equality.
func (ev *evaluation) equal(a, b ref.Val) ref.Val {
	unkA, unkB := types.IsUnknown(a), types.IsUnknown(b)
	if least, of, ok := ev.least(a, b); ok {
		if n, known := of.(types.Int); known && int(n) < least {
			return types.False
		}
	}
	if unkA || unkB {
		return truth(ev.sameText(a, b), merge(a, b))
	}
	switch x := a.(type) {
	case traits.Lister:
		y, ok := b.(traits.Lister)
		if !ok {
			return types.False
		}
		return ev.equalLists(x, y)
	case traits.Mapper:
		y, ok := b.(traits.Mapper)
		if !ok {
			return types.False
		}
		return ev.equalMaps(x, y)
	}
	return types.Equal(a, b)
}

// sameText compares holes by what is known of their text. Something that may
// be absent compares to nothing for certain.
func (ev *evaluation) sameText(a, b ref.Val) estate.Truth {
	va, okA := ev.textOf(a)
	vb, okB := ev.textOf(b)
	if !okA || !okB {
		return estate.Maybe
	}
	return estate.Matches(va, vb)
}

func (ev *evaluation) textOf(v ref.Val) (*estate.Value, bool) {
	if s, ok := v.(types.String); ok {
		return estate.String(string(s)), true
	}
	h, absent, ok := ev.hole(v)
	if !ok || absent {
		return nil, false
	}
	switch h.value.Kind() {
	case estate.KindText, estate.KindReference, estate.KindUnknown, estate.KindDenied:
		return h.value, true
	default:
		return nil, false
	}
}

// size is the number of members. Where some may not be there it is unknown, and
// at least the number of those that are.
func size(ev *evaluation, args []ref.Val) ref.Val {
	var items []ref.Val
	switch v := args[0].(type) {
	case *listVal:
		items = v.all()
	case *mapVal:
		items = v.keys()
	case traits.Sizer:
		return v.Size()
	default:
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	n := sizeOf(items)
	if unk, open := n.(*types.Unknown); open {
		certain := 0
		for _, item := range items {
			if !isMaybeAbsent(item) {
				certain++
			}
		}
		if ev.sizes == nil {
			ev.sizes = map[*types.Unknown]int{}
		}
		ev.sizes[unk] = certain
	}
	return n
}

// least finds, among two values, a size that is not known but has a lower
// bound, and gives the bound and the other value.
func (ev *evaluation) least(a, b ref.Val) (bound int, other ref.Val, ok bool) {
	for _, pair := range [][2]ref.Val{{a, b}, {b, a}} {
		if unk, open := pair[0].(*types.Unknown); open {
			if bound, ok = ev.sizes[unk]; ok {
				return bound, pair[1], true
			}
		}
	}
	return 0, nil, false
}

// order is a comparison of order. The size of a list that may have more members
// than are certain is decided where its lower bound decides it.
func order(holds func(comparison int) bool) func(*evaluation, []ref.Val) ref.Val {
	return func(ev *evaluation, args []ref.Val) ref.Val {
		if types.IsUnknown(args[0]) || types.IsUnknown(args[1]) {
			least, other, ok := ev.least(args[0], args[1])
			n, known := other.(types.Int)
			if !ok || !known {
				return merge(args...)
			}
			sign := 1 // of the size against the number
			if types.IsUnknown(args[1]) {
				sign = -1
			}
			// The size may be anything from its least value on.
			above := holds(sign)
			for _, c := range []int{0, -sign} {
				possible := c == 0 && int(n) >= least || c != 0 && int(n) > least
				if possible && holds(c) != above {
					return merge(args...)
				}
			}
			return types.Bool(above)
		}
		comparer, ok := args[0].(traits.Comparer)
		if !ok {
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		result := comparer.Compare(args[1])
		c, ok := result.(types.Int)
		if !ok {
			return result
		}
		return types.Bool(holds(int(c)))
	}
}

func merge(vals ...ref.Val) ref.Val {
	var unk *types.Unknown
	for _, v := range vals {
		if u, ok := v.(*types.Unknown); ok {
			unk = types.MergeUnknowns(unk, u)
		}
	}
	if unk == nil {
		return types.NewErr("nothing unknown to merge")
	}
	return unk
}

func items(l traits.Lister) []ref.Val {
	var out []ref.Val
	for it := l.Iterator(); it.HasNext() == types.True; {
		out = append(out, it.Next())
	}
	return out
}

func (ev *evaluation) equalLists(a, b traits.Lister) ref.Val {
	xs, ys := items(a), items(b)
	var open ref.Val
	for _, v := range append(append([]ref.Val{}, xs...), ys...) {
		if isMaybeAbsent(v) {
			// The length is not certain, so that only differences in length
			// beyond doubt could decide; they are not worth the finding out.
			return v
		}
	}
	if len(xs) != len(ys) {
		return types.False
	}
	for i := range xs {
		switch v := ev.equal(xs[i], ys[i]).(type) {
		case types.Bool:
			if !v {
				return types.False
			}
		default:
			if open == nil {
				open = v
			} else {
				open = merge(open, v)
			}
		}
	}
	if open != nil {
		return open
	}
	return types.True
}

func (ev *evaluation) equalMaps(a, b traits.Mapper) ref.Val {
	var open []ref.Val
	for _, pair := range [2][2]traits.Mapper{{a, b}, {b, a}} {
		for it := pair[0].Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			if types.IsUnknown(key) {
				open = append(open, key)
				continue
			}
			other, found := pair[1].Find(key)
			if !found {
				return types.False
			}
			mine, _ := pair[0].Find(key)
			switch v := ev.equal(mine, other).(type) {
			case types.Bool:
				if !v {
					return types.False
				}
			default:
				open = append(open, v)
			}
		}
	}
	if len(open) > 0 {
		return merge(open...)
	}
	return types.True
}

// in is three-valued membership of a list, or presence of a name in a map.
func (ev *evaluation) in(v, container ref.Val) ref.Val {
	switch c := container.(type) {
	case *types.Unknown:
		return c
	case *mapVal:
		if types.IsUnknown(v) {
			return v
		}
		return c.Contains(v)
	case traits.Lister:
		var open []ref.Val
		for _, item := range items(c) {
			switch same := ev.equal(v, item).(type) {
			case types.Bool:
				if same {
					return types.True
				}
			default:
				open = append(open, same)
			}
		}
		if len(open) > 0 {
			return merge(open...)
		}
		return types.False
	case traits.Container:
		if types.IsUnknown(v) {
			return v
		}
		return c.Contains(v)
	}
	return types.MaybeNoSuchOverloadErr(container)
}

// textTest lifts a test of known texts to texts with holes. The second
// argument must be known.
func textTest(test func(*estate.Value, string) estate.Truth) func(*evaluation, []ref.Val) ref.Val {
	return func(ev *evaluation, args []ref.Val) ref.Val {
		part, known := args[1].(types.String)
		text, ok := ev.textOf(args[0])
		if !known || !ok {
			if types.IsUnknown(args[0]) || types.IsUnknown(args[1]) {
				return merge(args...)
			}
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		undecided := args[0]
		return truth(test(text, string(part)), undecided)
	}
}

// matches is CEL's own, which compiles the expression each time.
func matches(ev *evaluation, args []ref.Val) ref.Val {
	text, isText := args[0].(types.String)
	pattern, isPattern := args[1].(types.String)
	switch {
	case types.IsUnknown(args[0]) || types.IsUnknown(args[1]):
		return merge(args...)
	case !isText:
		return types.MaybeNoSuchOverloadErr(args[0])
	case !isPattern:
		return types.MaybeNoSuchOverloadErr(args[1])
	}
	compiled, ok := ev.lib.patterns.Load(pattern)
	if !ok {
		re, err := regexp.Compile(string(pattern))
		if err != nil {
			return types.WrapErr(err)
		}
		compiled, _ = ev.lib.patterns.LoadOrStore(pattern, re)
	}
	return types.Bool(compiled.(*regexp.Regexp).MatchString(string(text)))
}

// present is has() in three values: a property whose content is unknown is
// there all the same.
func present(_ *evaluation, args []ref.Val) ref.Val {
	name, ok := args[1].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[1])
	}
	switch m := args[0].(type) {
	case *types.Unknown:
		return m
	case *mapVal:
		return m.has(string(name))
	case traits.Mapper:
		_, found := m.Find(name)
		return types.Bool(found)
	}
	return types.MaybeNoSuchOverloadErr(args[0])
}
