package assess

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"assay/internal/catalog"
)

// fromWorst is the order of standings by which a shift may only make worse. A
// requirement that applies to nothing may come to apply.
var fromWorst = []State{NotMet, Undetermined, NotTested, Attest, Inherits, Met, NotApplicable}

// drawShifts draws how many functions make each shift of the catalogue.
func drawShifts(t *rapid.T, c *catalog.Catalog) shiftCounts {
	n := shiftCounts{by: map[string]shiftCount{}, unseen: rapid.IntRange(0, 4).Draw(t, "unseen") == 0}
	for _, s := range c.Shifts {
		count := shiftCount{rapid.IntRange(0, 1).Draw(t, s.ID), rapid.IntRange(0, 1).Draw(t, s.ID+" undecided")}
		if count != (shiftCount{}) {
			n.by[s.ID] = count
		}
	}
	return n
}

// TestShiftNeverImproves: with functions that shift duties to the customer, every
// requirement stands where it stood or worse, and what AWS answered for alone is
// inherited no more.
func TestShiftNeverImproves(t *testing.T) {
	c := builtIn(t)
	rapid.Check(t, func(t *rapid.T) {
		outcomes := drawOutcomes(t, c)
		unread := rapid.IntRange(0, 1).Draw(t, "unread")
		shifts := drawShifts(t, c)
		before := standings(c, c.Frameworks, Deployed, looked{outcomes: outcomes, unread: unread, shifts: shiftCounts{}})
		for i, after := range standings(c, c.Frameworks, Deployed, looked{outcomes: outcomes, unread: unread, shifts: shifts}) {
			was := before[i]
			if slices.Index(fromWorst, after.State) > slices.Index(fromWorst, was.State) {
				t.Fatalf("%s %s was %s and is %s (%s) with %v", was.Framework, was.Requirement, was.State, after.State, after.Because, shifts)
			}
			if len(after.Shifts) > 0 && was.Responsibility == string(catalog.AWS) && after.State == Inherits {
				t.Fatalf("%s %s is inherited, and %v move it", was.Framework, was.Requirement, after.Shifts)
			}
			if len(after.Shifts) == 0 && !shifts.unseen && after.State != was.State {
				t.Fatalf("%s %s was %s and is %s, and nothing moves it", was.Framework, was.Requirement, was.State, after.State)
			}
		}
	})
}

// TestUndecidedShift: where it cannot be told whether functions shift duties, a
// requirement stands where it would whatever is the case, or is undetermined.
func TestUndecidedShift(t *testing.T) {
	c := builtIn(t)
	undetermined := 0
	rapid.Check(t, func(t *rapid.T) {
		outcomes := drawOutcomes(t, c)
		open := drawShifts(t, c)
		settled := shiftCounts{by: map[string]shiftCount{}}
		for id, n := range open.by {
			for range n.undecided {
				if rapid.Bool().Draw(t, id) {
					n.functions++
				}
			}
			if n.undecided = 0; n.functions > 0 {
				settled.by[id] = n
			}
		}
		after := standings(c, c.Frameworks, Deployed, looked{outcomes: outcomes, unread: 0, shifts: settled})
		for i, s := range standings(c, c.Frameworks, Deployed, looked{outcomes: outcomes, unread: 0, shifts: open}) {
			if s.State == Undetermined {
				undetermined++
				continue
			}
			if s.State != after[i].State {
				t.Fatalf("%s %s is %s while it is open, and then %s", s.Framework, s.Requirement, s.State, after[i].State)
			}
		}
	})
	if undetermined == 0 {
		t.Error("nothing was undetermined: the test shows nothing")
	}
}

// TestShiftedStanding: what AWS answers for, by what the functions are known to
// do and what the customer's part says then.
func TestShiftedStanding(t *testing.T) {
	shift := func(m catalog.Move) *catalog.Shift {
		m.Requirements = []string{"R"}
		return &catalog.Shift{ID: "s", Moves: map[string][]catalog.Move{"f": {m}}}
	}
	attest := shift(catalog.Move{To: catalog.Shared, Procedures: []string{"walk"}})
	objective := shift(catalog.Move{To: catalog.Shared, Procedures: []string{"walk"}, Objectives: []string{"A"}})
	c := &catalog.Catalog{Objectives: map[string]catalog.Objective{"A": {}}}
	inherited := catalog.Requirement{ID: "R", Responsibility: catalog.AWS, Assessment: catalog.Inherited, Reports: []string{"paper"}}
	one := func(n shiftCount) shiftCounts { return shiftCounts{by: map[string]shiftCount{"s": n}} }
	failed := map[string]judgedObjective{"A": {ObjectiveStanding: ObjectiveStanding{ID: "A", State: NotMet, Failed: []string{"D"}}, checkable: true}}
	for _, tt := range []struct {
		name    string
		shift   *catalog.Shift
		shifts  shiftCounts
		want    State
		because string
	}{
		{"no_function", attest, shiftCounts{}, Inherits, "AWS answers for it; its report is needed"},
		{"one", attest, one(shiftCount{functions: 1}), Attest, "a person has to answer for the part that is not configuration; the customer has more to do for s (1 function)"},
		{"undecided", attest, one(shiftCount{undecided: 2}), Undetermined, "it is not known whether the customer has more to do: s (2 functions)"},
		{"one_and_others_undecided", attest, one(shiftCount{functions: 1, undecided: 2}), Attest, "a person has to answer for the part that is not configuration; the customer has more to do for s (1 function)"},
		{"functions_unseen", attest, shiftCounts{unseen: true}, Undetermined, "not all functions were read, and some ways of running one give the customer more to do; see the coverage"},
		{"the_customers_part_fails", objective, one(shiftCount{functions: 3}), NotMet, "fails D; the customer has more to do for s (3 functions)"},
		{"the_customers_part_may_fail", objective, one(shiftCount{undecided: 1}), Undetermined, "it is not known whether the customer has more to do: s (1 function)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.Shifts = []*catalog.Shift{tt.shift}
			got := tt.shifts.standing(c.Moving("f/profile", &inherited), &inherited, func(r *catalog.Requirement) *Standing {
				return standing(&catalog.Framework{ID: "f/profile"}, r, Design, failed, 0)
			})
			if got.State != tt.want || got.Because != tt.because {
				t.Errorf("%s, because %s", got.State, got.Because)
			}
			if got.Responsibility != "aws" {
				t.Errorf("the responsibility of the catalogue reads %s", got.Responsibility)
			}
		})
	}
}
