package assess

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/catalog"
	"assay/internal/check"
)

// TestStandings derives the standing of a requirement over two objectives,
// A (decided by check D, supported by check S) and B (which no check looks at).
func TestStandings(t *testing.T) {
	typed := func(id string, how check.How) *check.Typed {
		return &check.Typed{Check: check.Check{ID: id, Establishes: map[string]check.Link{"A": {How: how, Why: "w"}}}}
	}
	whole := &check.Typed{Check: check.Check{ID: "E", Establishes: map[string]check.Link{"C": {How: check.Decides, Why: "w", All: true}}}}
	reaching := &check.Typed{Check: check.Check{ID: "G", Establishes: map[string]check.Link{"E": {How: check.Decides, Why: "w", Edge: "roles", All: true}}}}
	c := &catalog.Catalog{
		Checks:     []*check.Typed{typed("D", check.Decides), typed("S", check.Supports), whole, reaching},
		Objectives: map[string]catalog.Objective{"A": {}, "B": {}, "C": {}, "E": {}},
	}
	unreached, other := map[reach]bool{{"roles", true}: true}, map[reach]bool{{"logGroups", true}: true, {"roles", false}: true}
	pass, fail, unknown, none := Counts{Pass: 1}, Counts{Fail: 1, Pass: 5}, Counts{Unknown: 1, Pass: 5}, Counts{NotApplicable: 2}
	for _, tt := range []struct {
		name        string
		objectives  []string
		assessment  catalog.Assessment
		responsible catalog.Responsibility
		outOfScope  string
		outcomes    map[string]Counts
		unread      int
		want        State
		undesigned  map[string]bool
		unreached   map[reach]bool
	}{
		{"decided", []string{"A"}, "", "", "", map[string]Counts{"D": pass, "S": pass}, 0, Met, nil, nil},
		{"one_failure_of_many", []string{"A"}, "", "", "", map[string]Counts{"D": fail}, 0, NotMet, nil, nil},
		{"one_unknown_of_many", []string{"A"}, "", "", "", map[string]Counts{"D": unknown}, 0, Undetermined, nil, nil},
		{"failure_before_unknown", []string{"A"}, "", "", "", map[string]Counts{"D": unknown, "S": fail}, 0, NotMet, nil, nil},
		{"support_refutes", []string{"A"}, "", "", "", map[string]Counts{"D": pass, "S": fail}, 0, NotMet, nil, nil},
		{"support_alone_does_not_establish", []string{"A"}, "", "", "", map[string]Counts{"S": pass}, 0, Undetermined, nil, nil},
		{"nothing_it_applies_to", []string{"A"}, "", "", "", map[string]Counts{"D": none, "S": none}, 0, NotApplicable, nil, nil},
		{"no_subject_in_what_was_read_whole", []string{"A"}, "", "", "", map[string]Counts{"D": {}, "S": {}}, 0, NotApplicable, nil, nil},
		{"a_check_is_left_out", []string{"A"}, "", "", "", map[string]Counts{"D": pass}, 0, Undetermined, nil, nil},
		{"all_but_a_check_do_not_apply", []string{"A"}, "", "", "", map[string]Counts{"D": none}, 0, Undetermined, nil, nil},
		{"none_is_judged_of_what_is_about_all", []string{"C"}, "", "", "", map[string]Counts{"E": none}, 0, Undetermined, nil, nil},
		{"some_are_not_judged", []string{"C"}, "", "", "", map[string]Counts{"E": {Pass: 1, NotApplicable: 1}}, 0, Undetermined, nil, nil},
		{"all_are_judged", []string{"C"}, "", "", "", map[string]Counts{"E": {Pass: 2}}, 0, Met, nil, nil},
		{"an_account_alone_could_say_more", []string{"A"}, "", "", "", map[string]Counts{"D": pass}, 0, Met, map[string]bool{"S": true}, nil},
		{"an_account_alone_could_decide", []string{"A"}, "", "", "", map[string]Counts{"S": pass}, 0, Undetermined, map[string]bool{"D": true}, nil},
		{"none_applies_and_an_account_could_say_more", []string{"A"}, "", "", "", map[string]Counts{"D": none}, 0, Undetermined, map[string]bool{"S": true}, nil},
		{"every_function_has_what_is_judged", []string{"E"}, "", "", "", map[string]Counts{"G": {Pass: 1, NotApplicable: 1}}, 0, Met, nil, other},
		{"what_a_function_has_was_not_read", []string{"E"}, "", "", "", map[string]Counts{"G": pass}, 0, Undetermined, nil, unreached},
		{"no_function_has_what_is_judged", []string{"E"}, "", "", "", map[string]Counts{"G": {}}, 0, Undetermined, nil, unreached},
		{"one_fails_and_others_were_not_read", []string{"E"}, "", "", "", map[string]Counts{"G": fail}, 0, NotMet, nil, unreached},
		{"nobody_looked", []string{"A"}, "", "", "", nil, 0, NotTested, nil, nil},
		{"no_check_looks", []string{"B"}, "", "", "", map[string]Counts{"D": pass}, 0, NotTested, nil, nil},
		{"half_is_not_looked_at", []string{"A", "B"}, "", "", "", map[string]Counts{"D": pass}, 0, Undetermined, nil, nil},
		{"half_is_not_looked_at_and_half_fails", []string{"A", "B"}, "", "", "", map[string]Counts{"D": fail}, 0, NotMet, nil, nil},
		{"a_person_answers_too", []string{"A"}, catalog.Mixed, "", "", map[string]Counts{"D": pass, "S": pass}, 0, Attest, nil, nil},
		{"a_person_does_not_mend_a_failure", []string{"A"}, catalog.Mixed, "", "", map[string]Counts{"D": fail}, 0, NotMet, nil, nil},
		{"procedure", nil, catalog.Manual, "", "", nil, 0, Attest, nil, nil},
		{"procedure_where_configuration_does_not_matter", []string{"A"}, catalog.Mixed, "", "", map[string]Counts{"D": none, "S": none}, 0, Attest, nil, nil},
		{"procedure_for_what_no_check_could_look_at", []string{"B"}, catalog.Mixed, "", "", nil, 0, Attest, nil, nil},
		{"procedure_beside_what_a_check_could_look_at", []string{"A", "B"}, catalog.Mixed, "", "", nil, 0, NotTested, nil, nil},
		{"procedure_beside_a_check_that_is_unknown", []string{"A"}, catalog.Mixed, "", "", map[string]Counts{"D": unknown}, 0, Undetermined, nil, nil},
		{"procedure_beside_support", []string{"A"}, catalog.Mixed, "", "", map[string]Counts{"S": pass}, 0, Undetermined, nil, nil},
		{"report", nil, catalog.Inherited, catalog.AWS, "", nil, 0, Inherits, nil, nil},
		{"report_beside_a_check", []string{"A"}, catalog.Technical, catalog.Shared, "", map[string]Counts{"D": pass, "S": pass}, 0, Inherits, nil, nil},
		{"report_does_not_mend_a_failure", []string{"A"}, catalog.Technical, catalog.Shared, "", map[string]Counts{"D": fail}, 0, NotMet, nil, nil},
		{"of_aws", []string{"A"}, "", catalog.AWS, "", map[string]Counts{"D": fail}, 0, Inherits, nil, nil},
		{"out_of_scope", nil, "", "", "not ours", nil, 0, NotApplicable, nil, nil},
		{"out_of_scope_whatever_was_read", nil, "", "", "not ours", nil, 1, NotApplicable, nil, nil},
		{"met_but_for_what_could_not_be_read", []string{"A"}, "", "", "", map[string]Counts{"D": pass}, 1, Undetermined, nil, nil},
		{"absent_but_for_what_could_not_be_read", []string{"A"}, "", "", "", map[string]Counts{"D": none}, 1, Undetermined, nil, nil},
		{"not_met_whatever_could_not_be_read", []string{"A"}, "", "", "", map[string]Counts{"D": fail}, 1, NotMet, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := catalog.Requirement{ID: "R", Objectives: tt.objectives, Assessment: tt.assessment, Responsibility: tt.responsible, OutOfScope: tt.outOfScope}
			if tt.assessment == catalog.Manual || tt.assessment == catalog.Mixed {
				r.Procedures = []string{"walk"}
			}
			if tt.responsible != "" {
				r.Reports = []string{"paper"}
			}
			f := &catalog.Framework{ID: "f", Requirements: []catalog.Requirement{r}}
			got := standings(c, []*catalog.Framework{f}, Design, looked{outcomes: tt.outcomes, undesigned: tt.undesigned, unreached: tt.unreached, unread: tt.unread})
			if diff := cmp.Diff(tt.want, got[0].State); diff != "" {
				t.Errorf("%s (because %q)", diff, got[0].Because)
			}
			if got[0].Because == "" {
				t.Error("no reason is given")
			}
		})
	}
}
