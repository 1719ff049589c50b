package assess

import (
	"strings"
	"testing"

	"assay/internal/catalog"
)

// TestWaivedStandings: what is waived is said of a standing, and never changes
// it.
func TestWaivedStandings(t *testing.T) {
	counted, never := &catalog.Framework{Title: "A"}, &catalog.Framework{Title: "B", Waivers: catalog.WaiversNever, Measures: "in place", Customised: "own way"}
	hipaa := &catalog.Framework{Title: "H", Measures: "with an alternative"}
	for _, tt := range []struct {
		name      string
		state     State
		framework *catalog.Framework
		fails     map[string]int // by check
		accepted  map[string]waivedCounts
		waived    bool
		measures  string
		because   string
		binding   string
	}{
		{"nothing", NotMet, counted, map[string]int{"C": 2}, nil, false, "", "fails C", ""},
		{"all", NotMet, counted, map[string]int{"C": 2, "D": 1}, map[string]waivedCounts{"C": {waived: 2}, "D": {waived: 1}}, true, "", "fails C", ""},
		{"some_of_a_check", NotMet, counted, map[string]int{"C": 2}, map[string]waivedCounts{"C": {waived: 1}}, false, "", "fails C; 1 of 2 failures waived", ""},
		{"one_check_of_two", NotMet, counted, map[string]int{"C": 2, "D": 1}, map[string]waivedCounts{"C": {waived: 2}}, false, "", "fails C; 2 of 3 failures waived", ""},
		{"never", NotMet, never, map[string]int{"C": 1}, map[string]waivedCounts{"C": {waived: 1}}, false, "", "fails C; B takes no waivers", ""},
		{"measures_for_all", NotMet, never, map[string]int{"C": 1, "D": 1}, map[string]waivedCounts{"C": {waived: 1, measured: 1}, "D": {measured: 1}}, false, "in place", "fails C; B takes no waivers; a compensating measure is named for 2 of 2 failures", ""},
		{"measures_for_some", NotMet, never, map[string]int{"C": 2}, map[string]waivedCounts{"C": {waived: 1, measured: 1}}, false, "", "fails C; B takes no waivers; a compensating measure is named for 1 of 2 failures", ""},
		{"customised_for_all", NotMet, never, map[string]int{"C": 1}, map[string]waivedCounts{"C": {customised: 1}}, false, "own way", "fails C; B takes no waivers; the customised approach is named for 1 of 1 failures", ""},
		{"never_both", NotMet, never, map[string]int{"C": 1, "D": 1}, map[string]waivedCounts{"C": {customised: 1}, "D": {measured: 1}}, false, "", "fails C; B takes no waivers; compensating measures are named and the customised approach too, and a requirement takes one of them alone", ""},
		{"addressable", NotMet, hipaa, map[string]int{"C": 1}, map[string]waivedCounts{"C": {waived: 1, measured: 1}}, true, "with an alternative", "fails C; an alternative is named for 1 of 1 failures", "addressable"},
		{"addressable_without", NotMet, hipaa, map[string]int{"C": 1}, map[string]waivedCounts{"C": {waived: 1}}, true, "", "fails C", "addressable"},
		{"addressable_by_no_customised_approach", NotMet, hipaa, map[string]int{"C": 1}, map[string]waivedCounts{"C": {waived: 1, customised: 1}}, true, "", "fails C", "addressable"},
		{"required", NotMet, hipaa, map[string]int{"C": 1}, map[string]waivedCounts{"C": {waived: 1, measured: 1}}, true, "", "fails C; an alternative is named for 1 of 1 failures, and only what is addressable takes one", "required"},
		{"regime_without_measures", NotMet, counted, map[string]int{"C": 1}, map[string]waivedCounts{"C": {waived: 1, measured: 1}}, true, "", "fails C", ""},
		{"another_standing", Undetermined, counted, map[string]int{"C": 1}, map[string]waivedCounts{"C": {waived: 1}}, false, "", "fails C", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tally := &tally{accepted: tt.accepted, summary: Summary{Checks: map[string]Counts{}}}
			s := &Standing{State: tt.state, Because: "fails C", Specification: tt.binding}
			for id, n := range tt.fails {
				tally.summary.Checks[id] = Counts{Fail: n}
				// A check fails several objectives of a requirement; it counts once.
				s.Objectives = append(s.Objectives, ObjectiveStanding{Failed: []string{id}}, ObjectiveStanding{Failed: []string{id}})
			}
			tally.waive(s, tt.framework)
			if s.State != tt.state || s.Waived != tt.waived || s.Measures != tt.measures || s.Because != tt.because {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// TestStatements: a statement names checks and then gives a reason.
func TestStatements(t *testing.T) {
	for _, tt := range []struct{ text, checks, reason string }{
		{"A-B", "A-B", ""},
		{"A-B because of C-D", "A-B", "because of C-D"},
		{"A-B, C-D9: because", "A-B C-D9", "because"},
		{"A-B - because", "A-B", "because"},
		{"a-b because", "", "a-b because"},
		{" ", "", ""},
	} {
		checks, reason := readStatement(tt.text)
		if got := strings.Join(checks, " "); got != tt.checks || reason != tt.reason {
			t.Errorf("%q: got %q and %q", tt.text, got, reason)
		}
	}
}

// TestPersons: one person under two spellings approves nothing of his own.
func TestPersons(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"ana", "bo", false}, {"Ana", "@ana", true}, {"Ana  Li", "ana li", true}, {"Ana <a@x.example>", "A@x.example", true},
		{"Ana <a@x.example>", "Ana <b@x.example>", false}, {"@org/a", "@org/b", false},
	} {
		if got := SamePerson(tt.a, tt.b); got != tt.same {
			t.Errorf("%s and %s: %t", tt.a, tt.b, got)
		}
	}
}
