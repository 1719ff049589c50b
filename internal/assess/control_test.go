package assess

import (
	"testing"

	"assay/internal/catalog"
	"assay/internal/check"
)

// TestControlStandings: a control is tested under a requirement by the checks of the
// objectives that both name, and never better than they found it.
func TestControlStandings(t *testing.T) {
	typed := func(id, objective string) *check.Typed {
		return &check.Typed{Check: check.Check{ID: id, Establishes: map[string]check.Link{objective: {How: check.Decides, Why: "w"}}}}
	}
	f := &catalog.Framework{ID: "f/p", Words: map[string]string{"met": "fine", "not met": "exception"}, Requirements: []catalog.Requirement{{ID: "R", Objectives: []string{"A", "B"}}}}
	answers := map[string][]string{"f": {"R"}}
	for _, tt := range []struct {
		name       string
		objectives []string
		outcomes   map[string]Counts
		unread     int
		want       State
		word       string
	}{
		{"passes", []string{"A"}, map[string]Counts{"D": {Pass: 1}, "E": {Fail: 1}}, 0, Met, "fine"},
		{"fails", []string{"A"}, map[string]Counts{"D": {Fail: 1}, "E": {Pass: 1}}, 0, NotMet, "exception"},
		{"one_of_two_fails", []string{"A", "B"}, map[string]Counts{"D": {Pass: 1}, "E": {Fail: 1}}, 0, NotMet, "exception"},
		{"another_requirement_asks_for_it", []string{"A", "C"}, map[string]Counts{"D": {Pass: 1}, "X": {Fail: 1}}, 0, Met, "fine"},
		{"unknown", []string{"A"}, map[string]Counts{"D": {Unknown: 1}}, 0, Undetermined, ""},
		{"nobody_looked", []string{"A"}, nil, 0, NotTested, ""},
		{"nothing_it_applies_to", []string{"A"}, map[string]Counts{"D": {NotApplicable: 1}}, 0, NotApplicable, ""},
		{"not_read_whole", []string{"A"}, map[string]Counts{"D": {Pass: 1}}, 1, Undetermined, ""},
		{"a_person_tests_it", nil, map[string]Counts{"D": {Pass: 1}}, 0, Attest, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &catalog.Catalog{
				Checks:     []*check.Typed{typed("D", "A"), typed("E", "B"), typed("X", "C")},
				Objectives: map[string]catalog.Objective{"A": {}, "B": {}, "C": {}},
				Controls:   []*catalog.Control{{ID: "K", Title: "k", Answers: answers, Objectives: tt.objectives}, {ID: "L", Answers: map[string][]string{"g": {"R"}}}},
			}
			got := standings(c, []*catalog.Framework{f}, Design, looked{outcomes: tt.outcomes, unread: tt.unread})[0].Controls
			if len(got) != 1 || got[0].ID != "K" || got[0].State != tt.want || got[0].Word != tt.word || got[0].Because == "" {
				t.Errorf("got %+v, want %s", got, tt.want)
			}
		})
	}
}
