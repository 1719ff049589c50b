package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/report"
)

func sarifSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "sarif-schema-2.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat() // URIs have to be URIs
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validateSARIF(t testing.TB, log []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifSchema(t).Validate(doc); err != nil {
		t.Errorf("%#v", err)
	}
}

func TestSARIFIsValid(t *testing.T) {
	validateSARIF(t, replay(t, saved(t), "sarif", report.Options{}))
	validateSARIF(t, replay(t, evil(t), "sarif", report.Options{}))
}

// TestSARIFSchemaBites keeps the validation from passing anything.
func TestSARIFSchemaBites(t *testing.T) {
	good := string(replay(t, saved(t), "sarif", report.Options{}))
	for _, change := range [][2]string{
		{`"startLine":12`, `"startLine":0`},
		{`"kind":"fail"`, `"kind":"failed"`},
		{`patient%20records/plan.json`, `patient%2records/plan.json`},
		{`"ruleId":`, `"rule_id":`},
	} {
		bad := strings.ReplaceAll(good, change[0], change[1])
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if bad == good || sarifSchema(t).Validate(doc) == nil {
			t.Errorf("%s instead of %s is accepted", change[1], change[0])
		}
	}
}

// sarifLog is what the tests read back of a SARIF file.
type sarifLog struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Rules []struct {
					ID         string
					Properties struct{ Tags []string }
				}
			}
		}
		Invocations []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct {
				Descriptor struct{ ID string }
				Message    struct{ Text string }
			}
		}
		Results []sarifResult
	}
}

type sarifResult struct {
	RuleIndex int
	Kind      string
	Rank      float64
	Message   struct{ Text string }
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI string }
			Region           struct{ StartLine, StartColumn int }
		}
	}
	PartialFingerprints map[string]string
}

func parseSARIF(t testing.TB, data []byte) sarifLog {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 1 {
		t.Fatalf("%d runs, want 1", len(log.Runs))
	}
	return log
}

func TestSARIFHoldsEveryFailureAndNothingElse(t *testing.T) {
	run := parseSARIF(t, replay(t, saved(t), "sarif", report.Options{})).Runs[0]
	var got, want []string
	for _, r := range run.Results {
		at := r.Locations[0].PhysicalLocation
		got = append(got, fmt.Sprintf("%s %s %s:%d:%d %s", r.Kind, r.PartialFingerprints["assayFindingId/v1"], at.ArtifactLocation.URI, at.Region.StartLine, at.Region.StartColumn, run.Tool.Driver.Rules[r.RuleIndex].ID))
	}
	_, findings := findings(t, saved(t))
	for _, f := range findings {
		if f.Outcome == check.Fail {
			uri := strings.ReplaceAll(f.Source.File, " ", "%20")
			want = append(want, fmt.Sprintf("fail %s %s:%d:%d %s", f.ID, uri, f.Source.Line, f.Source.Column, f.Check))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if run.Invocations[0].ExecutionSuccessful {
		t.Error("a run that could not read a file is said to be successful")
	}
}

func TestSARIFPlaces(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"a/template.yaml", "a/template.yaml"},
		{"patient records/plan.json", "patient%20records/plan.json"},
		{"stage:prod.yaml", "./stage:prod.yaml"},
		{"100%/ü.yaml", "100%25/%C3%BC.yaml"},
		{"../shared/t.yaml", "../shared/t.yaml"},
		{"/abs/t.yaml", "file:///abs/t.yaml"},
		{`C:\abs\t.yaml`, "file:///C:/abs/t.yaml"},
		{"-", "-"},
	} {
		log := parseSARIF(t, replay(t, stream(t,
			&assess.Header{Stream: 1, Tool: "assay"},
			&assess.Finding{Check: "C-1", Outcome: check.Fail, Source: assess.Source{File: tt.file, Line: 1, Column: 2}},
			&assess.Summary{},
		), "sarif", report.Options{}))
		if got := log.Runs[0].Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.file, got, tt.want)
		}
	}
}

func TestSARIFKeepsToGitHubsLimits(t *testing.T) {
	got := replay(t, synthetic(t, 30_000), "sarif", report.Options{})
	validateSARIF(t, got)
	run := parseSARIF(t, got).Runs[0]
	if len(run.Results) != 5000 {
		t.Fatalf("%d results, want 5000", len(run.Results))
	}
	if !slices.IsSortedFunc(run.Results, func(a, b sarifResult) int { return int(b.Rank - a.Rank) }) {
		t.Error("results are not ordered worst first")
	}
	for _, r := range run.Tool.Driver.Rules {
		if n := len(r.Properties.Tags); n > 10 {
			t.Errorf("%s has %d tags", r.ID, n)
		}
	}
	notes := run.Invocations[0].ToolExecutionNotifications
	if last := notes[len(notes)-1]; last.Descriptor.ID != "results-left-out" || !strings.HasPrefix(last.Message.Text, "25000 of 30000 failures") {
		t.Errorf("last notification is %v, want one that counts what is left out", last)
	}
}

func TestSARIFMakesNoLinksOfTemplates(t *testing.T) {
	for _, data := range [][]byte{saved(t), evil(t)} {
		log := parseSARIF(t, replay(t, data, "sarif", report.Options{}))
		for _, r := range log.Runs[0].Results {
			for _, link := range regexp.MustCompile(`\[[^\[\]]*\]\([^)]*\)`).FindAllString(r.Message.Text, -1) {
				if !regexp.MustCompile(`^\[line \d+\]\(\d+\)$`).MatchString(link) {
					t.Errorf("message holds the link %s", link)
				}
			}
		}
	}
}
