package assess

import (
	"fmt"
	"slices"
	"strings"

	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/estate"
)

// FunctionShift is a way in which a function runs, or may run, that gives the
// customer duties of AWS. docs/responsibility.md lists them.
type FunctionShift struct {
	Shift     string    `json:"shift"`
	Undecided bool      `json:"undecided,omitempty"` // it cannot be told
	Missing   []Missing `json:"missing,omitempty"`   // what would settle that
}

// StandingShift is a shift that moves a requirement, and for how many functions.
type StandingShift struct {
	Shift     string `json:"shift"`
	To        string `json:"to"` // whose responsibility it is for them
	Functions int    `json:"functions"`
	Undecided int    `json:"undecided,omitempty"` // of which it cannot be told
}

// shifts are those that a function makes or may make, in the catalogue's order.
func (r *run) shifts(function *estate.Resource, on check.Setting) []FunctionShift {
	var found []FunctionShift
	for i, l := range r.programs.shifts {
		program, err := l.program(r.Library)
		result := check.Result{Err: err}
		if err == nil {
			result = program.Evaluate(function, on)
		}
		s := FunctionShift{Shift: r.Catalog.Shifts[i].ID}
		switch result.Outcome {
		case check.NotApplicable:
			continue
		case check.Fail:
		case check.Pass, check.Unknown: // its condition never passes
			s.Undecided = true
			for _, m := range result.Missing {
				missing := Missing{Reason: m.Reason, Input: m.Input, Property: m.Path}
				if m.At != (estate.Position{}) {
					at := sourceOf(m.At)
					missing.Source = &at
				}
				s.Missing = append(s.Missing, missing)
			}
		}
		found = append(found, s)
	}
	return found
}

// shiftCounts says by shift how many functions of the estate make it.
type shiftCounts struct {
	by map[string]shiftCount
	// unseen says that there may be functions that were not read.
	unseen bool
}

type shiftCount struct{ functions, undecided int }

func (n *shiftCounts) add(g *judgedGroup) {
	for _, shifts := range g.shifts {
		for _, s := range shifts {
			if n.by == nil {
				n.by = map[string]shiftCount{}
			}
			count := n.by[s.Shift]
			if s.Undecided {
				count.undecided++
			} else {
				count.functions++
			}
			n.by[s.Shift] = count
		}
	}
	for _, s := range g.scopes {
		n.unseen = n.unseen || !complete(s.Scope, functionType) || slices.ContainsFunc(s.coverage.Problems, func(p Problem) bool { return p.Fatal })
	}
}

// standing is where a requirement stands that the given shifts can move. It is
// as for functions that make none, or worse: a shift adds to what has to be
// established, and never takes away. Where it matters whether a function makes a
// shift and that cannot be told, the requirement is undetermined.
func (n shiftCounts) standing(moving []*catalog.Shift, r *catalog.Requirement, standing func(*catalog.Requirement) *Standing) *Standing {
	plain := standing(r)
	framework := plain.Framework
	var certain, possible []*catalog.Shift
	var said []StandingShift
	for _, s := range moving {
		count := n.by[s.ID]
		switch {
		case count.functions > 0:
			certain = append(certain, s)
		case count.undecided > 0 || n.unseen:
			possible = append(possible, s)
		}
		if count != (shiftCount{}) {
			to := r.Shifted(framework, []*catalog.Shift{s}).Responsibility
			said = append(said, StandingShift{s.ID, string(to), count.functions, count.undecided})
		}
	}
	at := plain
	if len(certain) > 0 {
		at = worse(plain, standing(r.Shifted(framework, certain)))
		at.Because += "; " + movedBecause(said)
	}
	if len(possible) > 0 {
		most := worse(at, standing(r.Shifted(framework, slices.Concat(certain, possible))))
		if most.State != at.State {
			at.State, at.Because = Undetermined, openShifts(possible, n)
		}
	}
	at.Responsibility, at.Shifts = string(r.Responsibility), said
	return at
}

// worst orders the states by how much they leave to be done, most first.
var worst = []State{NotMet, Undetermined, NotTested, Attest, Inherits, Met, NotApplicable}

// worse is where the shifted requirement stands, but never better than plain.
func worse(plain, shifted *Standing) *Standing {
	if slices.Index(worst, shifted.State) > slices.Index(worst, plain.State) {
		shifted.State, shifted.Because = plain.State, plain.Because
	}
	return shifted
}

// movedBecause says for how many functions the customer has more to do.
func movedBecause(shifts []StandingShift) string {
	var said []string
	for _, s := range shifts {
		if s.Functions > 0 {
			said = append(said, fmt.Sprintf("%s (%s)", s.Shift, functionCount(s.Functions)))
		}
	}
	return "the customer has more to do for " + strings.Join(said, ", ")
}

func openShifts(possible []*catalog.Shift, n shiftCounts) string {
	var said []string
	for _, s := range possible {
		if open := n.by[s.ID].undecided; open > 0 {
			said = append(said, fmt.Sprintf("%s (%s)", s.ID, functionCount(open)))
		}
	}
	if len(said) == 0 {
		return "not all functions were read, and some ways of running one give the customer more to do; see the coverage"
	}
	return "it is not known whether the customer has more to do: " + strings.Join(said, ", ")
}

func functionCount(n int) string {
	if n == 1 {
		return "1 function"
	}
	return fmt.Sprintf("%d functions", n)
}
