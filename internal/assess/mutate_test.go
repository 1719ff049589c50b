package assess_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
)

// survivors are the mutants of a check that cases do not notice, and how many
// there are in all.
func survivors(t *testing.T, applies, require, cases string) (names []string, all int) {
	t.Helper()
	cfg := config(t)
	src := "id: TEST-CHECK\nsubject: AWS::Lambda::Function\nrequire: |\n  " + require + "\n"
	if applies != "" {
		src += "applies: |\n  " + applies + "\n"
	}
	f, err := check.Parse("TEST-CHECK.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	typed, err := cfg.Library.Type(f)
	if err != nil {
		t.Fatal(err)
	}
	var file catalog.CaseFile
	if err := yaml.Unmarshal([]byte(cases), &file.Cases); err != nil {
		t.Fatal(err)
	}
	runner := assess.CaseRunner{Parameters: cfg.Catalog.Parameters, Model: cfg.Model, Library: cfg.Library, AsOf: cfg.AsOf, Asker: cfg.Asker, Reader: func(p map[string]string) collect.Collector {
		return cloudformation.New(cloudformation.Options{Parameters: p})
	}}
	mutations, err := runner.Mutate(t.Context(), typed, file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutations {
		if !m.Killed {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names, len(mutations)
}

func TestMutate(t *testing.T) {
	function := func(properties, outcome string) string {
		return "- {name: x, template: {Resources: {F: {Type: AWS::Lambda::Function, Properties: {" + properties + "}}}}, expect: {F: " + outcome + "}}\n"
	}
	for _, tt := range []struct {
		name, applies, require, cases string
		all                           int
		want                          []string
	}{
		{"killed", `has(subject.Runtime)`, `subject.Timeout > 3 && subject.MemorySize == 128`,
			function("Timeout: 4, MemorySize: 128, Runtime: a", "pass") + function("Timeout: 3, MemorySize: 128, Runtime: a", "fail") +
				function("Timeout: 4, MemorySize: 129, Runtime: a", "fail") + function("Timeout: 1", "not-applicable"),
			8, nil},
		{"no_boundary", "", `subject.Timeout > 3`, function("Timeout: 9", "pass") + function("Timeout: 1", "fail"), 2,
			[]string{`require: > becomes >= in subject.Timeout > 3`, `require: constant changed in 3`}},
		{"one_side_untested", "", `subject.Timeout == 3 || has(subject.Runtime)`, function("Timeout: 3", "pass") + function("Timeout: 9", "fail"), 5,
			[]string{`require: right of || dropped in subject.Timeout == 3 || has(subject.Runtime)`}},
		{"applies_untested", `has(subject.Runtime)`, `subject.Timeout == 3`, function("Runtime: a, Timeout: 3", "pass") + function("Runtime: a, Timeout: 9", "fail"), 4,
			[]string{"applies: left out"}},
		{"one_member_alone", "", `subject.Layers.all(l, l.startsWith("a"))`, function("Layers: [a]", "pass") + function("Layers: [b]", "fail"), 3,
			[]string{`require: all and exists exchanged in subject.Layers.all(l, l.startsWith("a"))`}},
		{"two_members", "", `subject.Layers.all(l, l.startsWith("a"))`, function("Layers: [a, b]", "fail") + function("Layers: [a]", "pass"), 3, nil},
		{"exists", "", `subject.Layers.exists(l, l == "a")`, function("Layers: [a, b]", "pass") + function("Layers: [b]", "fail"), 3, nil},
		{"branches", "", `subject.Timeout == 3 ? has(subject.Runtime) : true`, function("Timeout: 3, Runtime: a", "pass") + function("Timeout: 3", "fail"), 5,
			[]string{`require: constant changed in true`}},
		{"long_list", "", `subject.Runtime in ["a", "b", "c", "d"]`, function("Runtime: a", "pass") + function("Runtime: x", "fail"), 3,
			[]string{`require: constant changed in "d"`}},
		{"parameters_and_functions", "", `subject.Timeout <= param("dormant_days") && runtime(subject.Runtime).deprecated > asOf`,
			function("Timeout: 90, Runtime: dotnet10", "pass") + function("Timeout: 91, Runtime: dotnet10", "fail") + function("Timeout: 90, Runtime: python3.8", "fail"), 4,
			[]string{`require: > becomes >= in runtime(subject.Runtime).deprecated > asOf`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, all := survivors(t, tt.applies, tt.require, tt.cases)
			if diff := cmp.Diff(tt.want, got); diff != "" || all != tt.all {
				t.Errorf("%d mutants, want %d; survivors (-want +got):\n%s", all, tt.all, diff)
			}
		})
	}
}

// TestMutantsRun holds every mutant of the built-in checks to be a program that
// evaluates: one that fails to would count as noticed.
func TestMutantsRun(t *testing.T) {
	cfg := config(t)
	for _, typed := range cfg.Catalog.Checks {
		mutants, err := cfg.Library.Mutants(typed)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, m := range mutants {
			if names[m.Name] || strings.Contains(m.Name, "\n") {
				t.Errorf("%s: %q is not a name of its own", typed.ID, m.Name)
			}
			names[m.Name] = true
		}
	}
}
