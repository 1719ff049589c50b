package catalog_test

import (
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"assay/checks"
	"assay/frameworks"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/estate"
	"assay/tables"
)

func library(t testing.TB) *check.Library {
	t.Helper()
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := check.NewLibrary(m, check.Tables{Runtimes: tables.Runtimes(), TLSPolicies: tables.TLSPolicies(), FIPSEndpoints: tables.FIPSEndpoints(), ServicePrincipals: tables.ServicePrincipals(), Programmes: tables.Programmes()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestCompiledIsCurrent holds the compiled catalogue to the files that it is
// made from.
func TestCompiledIsCurrent(t *testing.T) {
	c, err := catalog.Load(library(t), frameworks.Files, checks.Files)
	if err != nil {
		t.Fatal(err)
	}
	data, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != string(checks.Compiled) {
		t.Error("checks/compiled.jsonl is not what the files say; run make generate")
	}
}

func TestDecodeReadsWhatEncodeWrites(t *testing.T) {
	c, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	data, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(checks.Compiled), string(data)); diff != "" {
		t.Error(diff)
	}
}

const (
	goodCheck = `id: OWN-CHECK
title: t
severity: low
subject: AWS::Lambda::Function
require: has(subject.Description)
message: has no description
rationale: r
source: https://example.com/
establishes: {OWN-01: {how: decides, why: w}}
fix: {set: Description, value: d}
`
	goodFramework = `id: own
title: Own
version: "1"
source: https://example.com/
requirements:
  - {id: R-1, title: Described, responsibility: customer, assessment: technical, objectives: [OWN-01], profiles: [strict]}
  - {id: R-2, title: Elsewhere, out-of-scope: not ours}
  - {id: R-3, title: Walked, responsibility: customer, assessment: manual, procedures: [walk]}
  - {id: R-4, title: Theirs, responsibility: aws, assessment: inherited, reports: [paper]}
  - {id: R-5, title: Both, responsibility: shared, assessment: mixed, objectives: [OWN-01], procedures: [walk], reports: [paper]}
words: {met: passed}
`
	goodObjectives = "objectives:\n  - {id: OWN-01, statement: s}\n"
	goodProcedures = "procedures:\n  - {id: walk, title: Walk, do: walk about, collect: [notes]}\n"
	goodReports    = "reports:\n  - {id: paper, title: Paper, from: AWS, shows: it}\n"
)

func folder(files map[string]string) fs.FS {
	f := fstest.MapFS{}
	for name, text := range files {
		f[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return f
}

func good() map[string]string {
	return map[string]string{"x/OWN-CHECK.yaml": goodCheck, "own.yaml": goodFramework, "objectives.yaml": goodObjectives, "procedures.yaml": goodProcedures, "reports.yaml": goodReports}
}

func TestOwnFolder(t *testing.T) {
	lib := library(t)
	built, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	c, err := built.With(lib, folder(good()))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Checks) != len(built.Checks)+1 || built.Check("OWN-CHECK") != nil {
		t.Error("the folder is not added, or is added in place")
	}
	if c.Digest == built.Digest {
		t.Error("another catalogue has the same digest")
	}
	if diff := cmp.Diff(map[string][]string{"own": {"R-1", "R-5"}}, c.RequirementsOf(c.Check("OWN-CHECK"))); diff != "" {
		t.Error(diff)
	}
	narrow, err := c.Framework("own/strict")
	if err != nil || len(narrow.Requirements) != 1 {
		t.Errorf("profile: %v, %v", narrow, err)
	}
	for _, id := range []string{"none", "own/none"} {
		if _, err := c.Framework(id); err == nil {
			t.Errorf("framework %s was found", id)
		}
	}

	replaced := map[string]string{"LAMBDA-RECURSION.yaml": strings.NewReplacer("OWN-CHECK", "LAMBDA-RECURSION", "OWN-01", "L-RES-02").Replace(goodCheck)}
	if c, err = built.With(lib, folder(replaced)); err != nil {
		t.Fatal(err)
	}
	if got := c.Check("LAMBDA-RECURSION").Message; len(c.Checks) != len(built.Checks) || got != "has no description" {
		t.Errorf("the check is not replaced: %q", got)
	}
}

// TestTwice tells a check that replaces a built-in one from two of one id in
// one folder.
func TestTwice(t *testing.T) {
	lib := library(t)
	built, err := catalog.Load(lib, folder(good()))
	if err != nil {
		t.Fatal(err)
	}
	files := good()
	files["y/OWN-CHECK.yaml"] = files["x/OWN-CHECK.yaml"]
	if _, err := built.With(lib, folder(files)); err == nil || !strings.Contains(err.Error(), "y/OWN-CHECK.yaml:1:1: OWN-CHECK is defined twice") {
		t.Errorf("two checks of one id: %v", err)
	}
	if _, err := built.With(lib, folder(good())); err != nil {
		t.Errorf("the same checks again: %v", err)
	}
}

func TestFaults(t *testing.T) {
	lib := library(t)
	for _, tt := range []struct{ name, file, old, new, want string }{
		{"objective_of_check", "x/OWN-CHECK.yaml", "OWN-01", "OWN-99", "x/OWN-CHECK.yaml:9:1: objective OWN-99 does not exist"},
		{"objective_of_framework", "own.yaml", "OWN-01", "OWN-99", "own.yaml: requirement R-1: objective OWN-99 does not exist"},
		{"file_of_check", "x/OWN-CHECK.yaml", "id: OWN-CHECK", "id: OWN-OTHER", "x/OWN-CHECK.yaml:1:1: check OWN-OTHER: expected the file to be called OWN-OTHER.yaml"},
		{"file_of_framework", "own.yaml", "id: own", "id: other", "own.yaml: framework other: expected the file to be called other.yaml"},
		{"requirement_twice", "own.yaml", "R-2", "R-1", "own.yaml: requirement R-1: stands twice"},
		{"responsibility", "own.yaml", "customer", "nobody", "own.yaml: requirement R-1: responsibility: expected aws, shared or customer"},
		{"assessment", "own.yaml", "technical", "magical", "own.yaml: requirement R-1: assessment: expected technical, mixed, manual or inherited"},
		{"unmapped", "own.yaml", "title: Elsewhere, out-of-scope: not ours", "title: Elsewhere, responsibility: customer, assessment: technical", "own.yaml: requirement R-2: expected objectives, procedures or reports, or out-of-scope with the reason"},
		{"excluded_and_mapped", "own.yaml", "out-of-scope: not ours", "out-of-scope: not ours, procedures: [walk]", "own.yaml: requirement R-2: what is out of scope has no objectives, procedures or reports"},
		{"technical_without_objectives", "own.yaml", "manual, procedures: [walk]", "technical, reports: [paper]", "own.yaml: requirement R-3: technical: expected objectives"},
		{"mixed_without_procedures", "own.yaml", "objectives: [OWN-01], procedures: [walk], ", "objectives: [OWN-01], ", "own.yaml: requirement R-5: mixed: expected procedures, what a person does and collects"},
		{"technical_with_procedures", "own.yaml", "assessment: mixed", "assessment: technical", "own.yaml: requirement R-5: procedures: expected the assessment to be manual or mixed"},
		{"inherited_without_report", "own.yaml", "inherited, reports: [paper]", "inherited, objectives: [OWN-01]", "own.yaml: requirement R-4: inherited: expected reports, where AWS answers for it"},
		{"inherited_by_the_customer", "own.yaml", "responsibility: aws", "responsibility: shared", "own.yaml: requirement R-4: what is inherited is the responsibility of aws, and the other way round"},
		{"procedure", "own.yaml", "manual, procedures: [walk]", "manual, procedures: [walks]", "own.yaml: requirement R-3: procedure walks does not exist; did you mean walk?"},
		{"report", "own.yaml", "inherited, reports: [paper]", "inherited, reports: [stone]", "own.yaml: requirement R-4: report stone does not exist"},
		{"words", "own.yaml", "words: {met", "words: {mett", `own.yaml: words: "mett" is no standing; did you mean met?`},
		{"specification", "own.yaml", "title: Walked,", "title: Walked, specification: optional,", "own.yaml: requirement R-3: specification: expected standard, required or addressable"},
		{"relation", "own.yaml", "title: Walked,", "title: Walked, spine: {AC-1: related},", "own.yaml: requirement R-3: spine: AC-1: expected equal, subset, superset or intersects"},
		{"procedure_without_evidence", "procedures.yaml", ", collect: [notes]", "", `procedures.yaml: procedure "walk": expected id, title, do and collect`},
		{"report_without_contents", "reports.yaml", ", shows: it", "", `reports.yaml: report "paper": expected id, title, from and shows`},
		{"unknown_field", "own.yaml", "responsibility: aws", "reponsibility: aws", "field reponsibility not found"},
		{"no_kind", "objectives.yaml", "objectives:", "things:", "objectives.yaml: expected a check (subject, require), a framework (requirements), objectives, procedures, reports, shifts or controls"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := good()
			if !strings.Contains(files[tt.file], tt.old) {
				t.Fatalf("%q is not in %s", tt.old, tt.file)
			}
			files[tt.file] = strings.Replace(files[tt.file], tt.old, tt.new, 1)
			_, err := catalog.Load(lib, folder(files))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("expected %q, got %v", tt.want, err)
			}
		})
	}
	files := good()
	files["y/OWN-CHECK.yaml"] = goodCheck
	if _, err := catalog.Load(lib, folder(files)); err == nil || !strings.Contains(err.Error(), "OWN-CHECK is defined twice") {
		t.Errorf("a check that is defined twice: %v", err)
	}
}

func TestCasesLint(t *testing.T) {
	lib := library(t)
	c, err := catalog.Load(lib, folder(good()))
	if err != nil {
		t.Fatal(err)
	}
	const cases = `cases:
  - {name: a, template: {}, expect: {F: pass}}
  - {name: b, template: {}, expect: {F: fail}}
  - {name: c, template: {}, expect: {F: unknown}}
`
	for _, tt := range []struct{ name, file, text, want string }{
		{"complete", "OWN-CHECK.cases.yaml", cases, ""},
		{"none", "other.txt", "", "check OWN-CHECK has no cases"},
		{"outcome_missing", "OWN-CHECK.cases.yaml", strings.Replace(cases, "unknown", "pass", 1), "no case expects unknown"},
		{"expects_nothing", "OWN-CHECK.cases.yaml", cases + "  - {name: d, template: {}}\n", `case "d" expects nothing`},
		{"of_no_check", "OTHER.cases.yaml", cases, "no check OTHER in the catalogue"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files, err := c.Cases(folder(map[string]string{tt.file: tt.text}))
			if err != nil {
				t.Fatal(err)
			}
			var faults []string
			for _, e := range catalog.LintCases(c.Checks, files) {
				faults = append(faults, e.Error())
			}
			got := strings.Join(faults, "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("expected %q, got %q", tt.want, got)
			}
		})
	}
}

// TestOwnParameters: a folder may declare parameters for its own checks.
func TestOwnParameters(t *testing.T) {
	lib := library(t)
	files := good()
	files["x/OWN-CHECK.yaml"] = strings.Replace(goodCheck, "has(subject.Description)", `subject.Timeout <= param("own_seconds")`, 1)
	if _, err := catalog.Load(lib, folder(files)); err == nil || !strings.Contains(err.Error(), "there is no parameter own_seconds") {
		t.Errorf("a parameter that nobody declares: %v", err)
	}
	declare := func(regime, requirement string) {
		files["parameters.yaml"] = "parameters: [{name: own_seconds, type: integer, strict: max, default: 5, meaning: m, regimes: {" + regime + ": {value: 3, requirement: " + requirement + ", why: w}}}]"
	}
	declare("own/strict", "R-1")
	c, err := catalog.Load(lib, folder(files))
	if err != nil || len(c.Parameters) != 1 {
		t.Fatalf("%v, %v", c.Parameters, err)
	}
	for _, tt := range []struct{ regime, requirement, want string }{
		{"own", "R-9", "parameter own_seconds: own has no requirement R-9"},
		{"owm", "R-1", `parameter own_seconds: no framework "owm"`},
	} {
		declare(tt.regime, tt.requirement)
		if _, err := catalog.Load(lib, folder(files)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	files = good()
	files["x/OWN-CHECK.yaml"] = strings.Replace(goodCheck, "message: has no description", `message: "not {param.nothing}"`, 1)
	if _, err := catalog.Load(lib, folder(files)); err == nil || !strings.Contains(err.Error(), "message: there is no parameter nothing") {
		t.Errorf("a message that shows a parameter that nobody declares: %v", err)
	}
}

// TestSpine: relations are held to the requirements of the spine, and built-in
// checks bear on one of them or are advice.
func TestSpine(t *testing.T) {
	lib := library(t)
	files := good()
	files["nist-800-53-r5.yaml"] = `id: nist-800-53-r5
title: Spine
version: "5"
source: https://example.com/
requirements:
  - {id: AC-1, title: t, responsibility: customer, assessment: technical, objectives: [OWN-01]}
`
	files["own.yaml"] = strings.Replace(goodFramework, "title: Walked,", "title: Walked, spine: {AC-1: subset},", 1)
	if _, err := catalog.Load(lib, folder(files)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, file, old, new, want string }{
		{"no_such_requirement", "own.yaml", "AC-1: subset", "AC-2: subset", "own: requirement R-3: spine: nist-800-53-r5 has no requirement AC-2; did you mean AC-1?"},
		{"bears_on_none", "nist-800-53-r5.yaml", "technical, objectives: [OWN-01]", "manual, procedures: [walk]", "bears on no requirement of nist-800-53-r5: name an objective that one of them names, or say advisory: true"},
		{"advice_that_bears", "x/OWN-CHECK.yaml", "establishes:", "advisory: true\nestablishes:", "an advisory check bears on no requirement of nist-800-53-r5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changed := maps.Clone(files)
			if changed[tt.file] = strings.Replace(files[tt.file], tt.old, tt.new, 1); changed[tt.file] == files[tt.file] {
				t.Fatalf("%q is not in %s", tt.old, tt.file)
			}
			if _, err := catalog.Load(lib, folder(changed)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("expected %q, got %v", tt.want, err)
			}
		})
	}
	delete(files, "nist-800-53-r5.yaml")
	delete(files, "own.yaml")
	built, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := built.With(lib, folder(files)); err != nil {
		t.Errorf("a check of one's own need not bear on the spine: %v", err)
	}
}

// TestNarrowNote: the figures of a note are of the whole framework, and a profile
// says so.
func TestNarrowNote(t *testing.T) {
	f := &catalog.Framework{ID: "f", Note: "two of them", Requirements: []catalog.Requirement{{ID: "1", Profiles: []string{"p"}}, {ID: "2"}}}
	narrow, err := f.Narrow("p")
	if err != nil {
		t.Fatal(err)
	}
	if want := "of f as a whole: two of them"; narrow.Note != want {
		t.Errorf("got %q, want %q", narrow.Note, want)
	}
}
