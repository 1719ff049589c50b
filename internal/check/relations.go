package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// relation is one function of one type: logGroups of AWS::Lambda::Function.
type relation struct{ name, of string }

// relations declares every edge of the model as a function of the resource:
// subject.logGroups() is the list of log groups that a function writes to.
func (l *Library) relations(model *estate.Model) ([]cel.EnvOption, error) {
	l.ends = map[relation]string{}
	overloads := map[string][]cel.FunctionOpt{}
	add := func(name, from, to string) error {
		key := relation{name, from}
		if was, ok := l.ends[key]; ok {
			if was != to {
				return fmt.Errorf("edge table: %s of %s leads to both %s and %s", name, from, was, to)
			}
			return nil
		}
		l.ends[key] = to
		id := overloadOf(name, from)
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
		one := overloadOf(r.Name, r.From)
		several, seen := l.single[one]
		l.single[one] = !strings.Contains(r.Property, "[]") && (several || !seen)
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
		to := e.To
		if to == nil && e.From != r && e.Rule.Pattern {
			input := supposition(e.From, r)
			switch ev.assigned[input] {
			case "true":
				to = r
			case "false":
				continue
			default:
				ev.supposable = append(ev.supposable, input)
			}
		}
		switch {
		case holds == estate.False:
		case to == nil:
			sure := e.Outside && !e.Dangling && e.From == r && holds == estate.True
			found = append(found, ev.unknown(estate.Unknown(e.Gap.Reason, e.Gap.Input).At(e.Position), name+"()", !sure))
		case slices.Contains(seen, other):
		default:
			exists, gap := ev.exists(other)
			switch exists.And(holds) {
			case estate.True:
				seen = append(seen, other)
				found = append(found, ev.resourceVal(other))
			case estate.Maybe:
				if gap == nil {
					gap = conditionOf(other)
				}
				found = append(found, ev.unknown(gap, name+"()", true))
			case estate.False:
			}
		}
	}
	if gap, may := r.MayMiss(name); may {
		found = append(found, ev.unknown(estate.Unknown(gap.Reason, gap.Input), name+"()", true))
	}
	if ev.record {
		ev.reads = append(ev.reads, Read{Resource: r, Path: name + "()", Value: names(found)})
	}
	return newList(ev, found)
}

// supposed begins the inputs that a resource's pattern may decide: whether it
// takes in another resource. Both can be supposed, where no input settles it.
const supposed = "pattern of "

func supposition(of, over *estate.Resource) string { return supposed + of.ID + " takes in " + over.ID }

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

// conditionOf is what is not known of a resource that may not be there.
func conditionOf(r *estate.Resource) *estate.Value {
	return estate.Unknown("condition is not decided", r.ExistsInput).At(r.Source)
}

// exists reports whether a resource is there under the choices made; when that
// is open, why.
func (ev *evaluation) exists(r *estate.Resource) (estate.Truth, *estate.Value) {
	if r.Exists == nil {
		return estate.True, nil
	}
	gap := conditionOf(r)
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
