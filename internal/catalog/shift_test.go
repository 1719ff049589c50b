package catalog_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/checks"
	"assay/internal/catalog"
)

const goodShift = `
shifts:
  - id: own-image
    title: an image of ours
    when: subject.PackageType == "Image"
    aws: AWS does this.
    customer: You do that.
    source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
    seen: "2026-11-24"
    moves:
      own:
        - {requirements: [R-4], to: shared, procedures: [walk]}
        - {requirements: [R-1], to: customer, procedures: [walk]}
`

func TestShiftFaults(t *testing.T) {
	lib := library(t)
	for _, tt := range []struct{ name, old, new, want string }{
		{"none", "", "", ""},
		{"framework", "      own:", "      owm:", `no framework "owm"; did you mean own?`},
		{"profile", "      own:", "      own/strict:", "own/strict: name the framework without a profile"},
		{"requirement", "[R-1]", "[R-11]", "own R-11: framework own has no requirement R-11; did you mean R-1?"},
		{"procedure", "[walk]}\n        - {requirements: [R-1]", "[wall]}\n        - {requirements: [R-1]", "procedure wall does not exist; did you mean walk?"},
		{"objective", "to: shared", "objectives: [OWN-99], to: shared", "objective OWN-99 does not exist"},
		{"out_of_scope", "[R-1]", "[R-2]", "own R-2: is out of scope"},
		{"to_aws", "to: shared", "to: aws", "own R-4: to: expected shared or customer"},
		{"from_the_customer", "to: customer", "to: shared", "own R-1: to: is the responsibility of customer already"},
		{"nobody_answers", "to: shared, procedures: [walk]", "to: shared", "own R-4: procedures: expected what the customer does"},
		{"changes_nothing", "to: customer, procedures: [walk]", "to: customer, objectives: [OWN-01]", "own R-1: changes nothing"},
		{"twice", "[R-1]", "[R-1, R-4]", "own R-4: stands twice"},
		{"moves_nothing", goodShift[strings.Index(goodShift, "\n      own:"):], " {}\n", "shift own-image: moves nothing"},
		{"property", "subject.PackageType", "subject.PackagType", "shifts.yaml:5: shift own-image: when: "},
		{"not_a_condition", `subject.PackageType == "Image"`, "subject.PackageType", "shift own-image: when: expected true or false"},
		{"no_condition", `subject.PackageType == "Image"`, `""`, "when: expected a condition on a function"},
		{"source", "https://docs", "docs", "source: expected the https address"},
		{"unknown_field", "    seen:", "    saw:", "field saw not found"},
		{"no_sentence", "You do that.", `""`, "expected id, title, when, aws, customer, source, seen and moves"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := good()
			if !strings.Contains(goodShift, tt.old) {
				t.Fatalf("%q is not there", tt.old)
			}
			files["shifts.yaml"] = strings.Replace(goodShift, tt.old, tt.new, 1)
			_, err := catalog.Load(lib, folder(files))
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("expected %q, got %v", tt.want, err)
			}
		})
	}
}

// TestOwnShift: a folder's shift moves its own framework and replaces a built-in
// one by id, and two of one id in one folder are a mistake.
func TestOwnShift(t *testing.T) {
	lib := library(t)
	built, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	files := good()
	files["shifts.yaml"] = strings.Replace(goodShift, "own-image", "container-image", 1)
	c, err := built.With(lib, folder(files))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Shifts) != len(built.Shifts) {
		t.Errorf("%d shifts, want %d", len(c.Shifts), len(built.Shifts))
	}
	own, err := c.Framework("own")
	if err != nil {
		t.Fatal(err)
	}
	r, err := own.Requirement("R-4")
	if err != nil {
		t.Fatal(err)
	}
	moving := c.Moving("own/strict", r)
	if len(moving) != 1 || moving[0].Title != "an image of ours" {
		t.Fatalf("%v", moving)
	}
	got := r.Shifted("own", moving)
	if diff := cmp.Diff([]any{catalog.Shared, catalog.Manual, []string{"walk"}, []string{"paper"}}, []any{got.Responsibility, got.Assessment, got.Procedures, got.Reports}); diff != "" {
		t.Error(diff)
	}
	if r.Responsibility != catalog.AWS || len(r.Procedures) > 0 {
		t.Error("the requirement itself is changed")
	}
	files["more.yaml"] = files["shifts.yaml"]
	if _, err := built.With(lib, folder(files)); err == nil || !strings.Contains(err.Error(), "container-image is defined twice") {
		t.Errorf("two shifts of one id: %v", err)
	}
}

// TestShiftsOnlyAdd: with one more shift a requirement is the customer's as much
// as before or more, and asks for all that it asked for. Their order has no say.
func TestShiftsOnlyAdd(t *testing.T) {
	c, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	type at struct {
		framework string
		r         *catalog.Requirement
	}
	var moved []at
	for _, f := range c.Frameworks {
		for i := range f.Requirements {
			if len(c.Moving(f.ID, &f.Requirements[i])) > 0 {
				moved = append(moved, at{f.ID, &f.Requirements[i]})
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(moved).Draw(t, "requirement")
		order := rapid.Permutation(c.Shifts).Draw(t, "order")
		n := rapid.IntRange(0, len(order)-1).Draw(t, "n")
		less, more := m.r.Shifted(m.framework, order[:n]), m.r.Shifted(m.framework, order[:n+1])
		if more.Responsibility.Duty() < less.Responsibility.Duty() {
			t.Fatalf("%s %s was %s and is %s", m.framework, m.r.ID, less.Responsibility, more.Responsibility)
		}
		for _, pair := range [][2][]string{{less.Objectives, more.Objectives}, {less.Procedures, more.Procedures}, {less.Reports, more.Reports}} {
			for _, id := range pair[0] {
				if !slices.Contains(pair[1], id) {
					t.Fatalf("%s %s no longer asks for %s", m.framework, m.r.ID, id)
				}
			}
		}
		straight := m.r.Shifted(m.framework, c.Shifts)
		mixed := m.r.Shifted(m.framework, order)
		set := func(list []string) map[string]bool {
			all := map[string]bool{}
			for _, x := range list {
				all[x] = true
			}
			return all
		}
		if straight.Responsibility != mixed.Responsibility || straight.Assessment != mixed.Assessment || !maps.Equal(set(straight.Procedures), set(mixed.Procedures)) {
			t.Fatalf("%s %s depends on the order", m.framework, m.r.ID)
		}
	})
}
