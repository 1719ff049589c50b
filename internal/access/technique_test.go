package access

import (
	"strings"
	"testing"

	"assay/tables"
)

// The table names actions and resource types that there are, and condition keys
// that the requests have.
func TestTechniques(t *testing.T) {
	a := newAccess(t)
	list, err := readTechniques(tables.Escalation())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		for _, st := range x.Steps {
			action := a.data.Action(st.Action)
			if action == nil {
				t.Errorf("%s: no action %s", x.ID, st.Action)
				continue
			}
			if plain := st.On == "*"; plain != (len(action.Resources) == 0) {
				t.Errorf("%s: %s takes resources: %t, and is on %q", x.ID, st.Action, len(action.Resources) > 0, st.On)
			}
			for key := range st.With {
				if !a.data.HasKey(st.Action, key) {
					t.Errorf("%s: %s has no condition key %s", x.ID, st.Action, key)
				}
			}
			if kind := strings.SplitN(st.On, " ", 3); len(kind) == 3 && (kind[0] == "new" || kind[0] == "made") {
				g := &graph{world: a.world(), view: &undecided{}}
				if form := g.form(&holder{account: "111122223333"}, kind[1], kind[2], false); form == "" {
					t.Errorf("%s: %s has no resource type %s", x.ID, kind[1], kind[2])
				}
			}
		}
		if passes := x.Steps[0].Action == "iam:PassRole"; passes != (x.Gains == "passed-role") && x.ID != "iam-trust-lambda" {
			t.Errorf("%s: passes a role: %t, gains %s", x.ID, passes, x.Gains)
		}
		if x.Service != "" && *x.Steps[0].With["iam:PassedToService"] != x.Service {
			t.Errorf("%s: the role is passed to %s and has to trust %s", x.ID, *x.Steps[0].With["iam:PassedToService"], x.Service)
		}
	}
}

func TestTechniquesAreChecked(t *testing.T) {
	for _, c := range []struct{ table, want string }{
		{"techniques: [{id: a, name: b, requests: []}]", "expected an id, a name and requests"},
		{"techniques: [{id: a, name: b, gains: gold, requests: [{action: 'a:B', on: role}]}]", "gains \"gold\""},
		{"techniques: [{id: a, name: b, requests: [{action: 'a:B', on: role}]}]", "an exposure gains nothing"},
		{"techniques: [{id: a, name: b, gains: role, needs: [luck], requests: [{action: 'a:B', on: role}]}]", "needs \"luck\""},
		{"techniques: [{id: a, name: b, gains: role, requests: [{action: 'a:B', on: somewhere}]}]", "on \"somewhere\""},
		{"techniques: [{id: a, name: b, gains: role, requests: [{action: aB, on: role}]}]", "expected an action"},
		{"techniques: [{id: a, name: b, gains: role, requests: [{action: 'a:B', on: role}]}, {id: a, name: b, gains: role, requests: [{action: 'a:B', on: role}]}]", "stands there twice"},
		{"techniques: [{id: a, what: b}]", "what"},
	} {
		if _, err := readTechniques([]byte(c.table)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.table, err, c.want)
		}
	}
}
