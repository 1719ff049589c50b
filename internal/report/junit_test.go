package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/assess"
	"assay/internal/report"
)

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func parseJUnit(t testing.TB, data []byte) junitSuites {
	t.Helper()
	var suites junitSuites
	if err := xml.Unmarshal(data, &suites); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return suites
}

func TestJUnitCountsRight(t *testing.T) {
	suites := parseJUnit(t, replay(t, saved(t), "junit", report.Options{}))
	var summary assess.Summary
	for line := range bytes.Lines(saved(t)) {
		var m struct{ Summary *assess.Summary }
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		if m.Summary != nil {
			summary = *m.Summary
		}
	}
	var tests, failures, faults, skipped int
	for _, s := range suites.Suites {
		seen := map[string]bool{}
		var f, e, k int
		for _, c := range s.Cases {
			if seen[c.Class+" "+c.Name] {
				t.Errorf("%s: case %s %s stands twice", s.Name, c.Class, c.Name)
			}
			seen[c.Class+" "+c.Name] = true
			switch {
			case c.Failure != nil:
				f++
			case c.Error != nil:
				e++
			case c.Skipped != nil:
				k++
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != f || s.Errors != e || s.Skipped != k {
			t.Errorf("%s: says %d tests, %d failures, %d errors, %d skipped; holds %d, %d, %d, %d", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, len(s.Cases), f, e, k)
		}
		tests, failures, faults, skipped = tests+s.Tests, failures+f, faults+e, skipped+k
	}
	got := []int{len(suites.Suites), tests, failures, faults, skipped}
	o := summary.Outcomes
	want := []int{summary.Scopes, o.Pass + o.Fail + o.Unknown + summary.Unreadable, o.Fail, summary.Errors + summary.Unreadable, o.Unknown - summary.Errors}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("suites, tests, failures, errors, skipped (-want +got):\n%s", diff)
	}
}

func TestJUnitTakesAnyCharacter(t *testing.T) {
	suites := parseJUnit(t, replay(t, evil(t), "junit", report.Options{}))
	if len(suites.Suites) != 2 || len(suites.Suites[0].Cases) != 6 || len(suites.Suites[1].Cases) != 1 {
		t.Errorf("got %+v, want a suite of 6 cases and one of a waiver", suites)
	}
}

func TestJUnitRefusesAnIndexBeyondTheHeader(t *testing.T) {
	for _, i := range []int{-1, 0, 7} {
		h, err := report.New("junit", io.Discard, report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		data := stream(t, &assess.Header{Stream: 1}, &assess.Decided{Pass: []int{i}}, &assess.Summary{})
		if err := assess.Replay("stream", bytes.NewReader(data), h); err == nil {
			t.Errorf("check %d of none is accepted", i)
		}
	}
}
