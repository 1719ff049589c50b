package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/report"
)

var update = flag.Bool("update", false, "write the golden files again")

func saved(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "stream.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// replay writes a stream in a format.
func replay(t testing.TB, stream []byte, format string, o report.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	h, err := report.New(format, &out, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := assess.Replay("stream", bytes.NewReader(stream), h); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// stream encodes messages as a saved stream.
func stream(t testing.TB, messages ...any) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, m := range messages {
		if err := assess.Encode(&out, m); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// findings are the header and the findings of a stream.
func findings(t testing.TB, stream []byte) (header *assess.Header, all []*assess.Finding) {
	t.Helper()
	for line := range bytes.Lines(stream) {
		var m struct {
			Header  *assess.Header
			Finding *assess.Finding
		}
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		if m.Header != nil {
			header = m.Header
		}
		if m.Finding != nil {
			all = append(all, m.Finding)
		}
	}
	return header, all
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update writes it again):\n%s", file, diff)
	}
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name, format string
		options      report.Options
	}{
		{"text", "text", report.Options{}},
		{"text_color", "text", report.Options{Color: true}},
		{"text_narrow", "text", report.Options{Width: 60}},
		{"text_quiet", "text", report.Options{Quiet: true}},
		{"text_all", "text", report.Options{All: true}},
		{"sarif", "sarif", report.Options{}},
		{"junit", "junit", report.Options{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := replay(t, saved(t), tt.format, tt.options)
			if tt.format == "sarif" { // one line is no reading
				var lines bytes.Buffer
				if err := json.Indent(&lines, got, "", " "); err != nil {
					t.Fatal(err)
				}
				got = lines.Bytes()
			}
			golden(t, tt.name, got)
		})
	}
}

func TestJSONReplaysToItself(t *testing.T) {
	want := saved(t)
	if diff := cmp.Diff(string(want), string(replay(t, want, "json", report.Options{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryFormatIsDeterministic(t *testing.T) {
	for _, format := range report.Formats() {
		first := replay(t, saved(t), format, report.Options{})
		for range 5 {
			if !bytes.Equal(first, replay(t, saved(t), format, report.Options{})) {
				t.Errorf("%s: a second replay gives other bytes", format)
				break
			}
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	_, err := report.New("yaml", io.Discard, report.Options{})
	if err == nil || !strings.Contains(err.Error(), strings.Join(report.Formats(), ", ")) {
		t.Errorf("got %v, want an error that lists the formats", err)
	}
}

var errFull = errors.New("disk full")

// full takes some bytes and then fails, as a full disk or a closed pipe does.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	f.room -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestWriteErrorsAreReturned(t *testing.T) {
	for _, format := range report.Formats() {
		for _, room := range []int{0, 100} {
			h, err := report.New(format, &full{room}, report.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := assess.Replay("stream", bytes.NewReader(saved(t)), h); !errors.Is(err, errFull) {
				t.Errorf("%s with room for %d bytes: got %v, want %v", format, room, err, errFull)
			}
		}
	}
}

func TestEmptyRun(t *testing.T) {
	empty := stream(t, &assess.Header{Stream: 1, Tool: "assay", Basis: assess.Design}, &assess.Summary{})
	for _, format := range report.Formats() {
		got := replay(t, empty, format, report.Options{})
		if len(got) == 0 {
			t.Errorf("%s: nothing written", format)
		}
		if strings.Contains(string(got), "met") && format == "text" {
			t.Errorf("text speaks of standings where nothing was read:\n%s", got)
		}
	}
	validateSARIF(t, replay(t, empty, "sarif", report.Options{}))
	parseJUnit(t, replay(t, empty, "junit", report.Options{}))
}

// hostile is what a template could put into any text of a message: a terminal
// escape, a NUL, a mark that reverses the line, markup, a link, bytes that are
// not UTF-8.
const hostile = "a\x1b[31mb\x00c\u202ed<e>&\"'[f](https://g.example)]]>\xff\uFFFE\n\th"

// evil is a stream with hostile texts wherever a source has a say.
func evil(t testing.TB) []byte {
	source := assess.Source{File: hostile, Line: 3, Column: 4}
	raw := json.RawMessage(`"\u001b[31m\u0000\u202e<&>"`)
	resource := assess.ResourceInfo{Type: hostile, ID: hostile, LogicalID: hostile, Address: hostile}
	evilTerms := assess.WaiverTerms{Owner: hostile, Approver: hostile, Reason: hostile, Expires: hostile, Ticket: hostile, Measure: hostile}
	severity := check.High
	return stream(t,
		&assess.Header{
			Stream: 1, Tool: "assay", Version: hostile, Catalog: hostile, AsOf: hostile, Basis: assess.Design,
			Checks:     []assess.CheckInfo{{ID: "C-1", Title: hostile, Severity: check.High, Subject: hostile, Rationale: hostile, Source: "https://x.example", Fix: check.Fix{Set: "A.B", Value: hostile}}},
			Frameworks: []assess.FrameworkInfo{{ID: "f", Title: hostile, Version: hostile, Requirements: 1}},
		},
		&assess.Coverage{Scope: hostile, Format: hostile, Problems: []assess.Problem{{Source: source, Message: hostile, Hint: hostile}, {Source: source, Message: hostile, Fatal: true}}},
		&assess.Finding{
			ID: "F-1", Check: "C-1", Outcome: check.Fail, Severity: check.High, Resource: resource, Scope: hostile, Functions: []string{hostile, hostile}, Message: hostile, Source: source,
			Witness: &assess.Witness{Reads: []assess.WitnessRead{{Resource: hostile, Property: hostile, Value: raw, Source: &assess.Source{File: hostile, Line: 9, Column: 1}}}, Under: []assess.Choice{{Input: hostile, Is: hostile}}},
		},
		&assess.Finding{ID: "F-2", Check: "C-1", Resource: resource, Scope: hostile, Message: hostile, Source: source, Missing: []assess.Missing{{Reason: hostile, Input: "parameter " + hostile}}},
		&assess.Finding{ID: "F-3", Check: "C-1", Resource: resource, Scope: hostile, Message: hostile, Source: source, Error: hostile},
		&assess.Finding{
			ID: "F-4", Check: "C-1", Outcome: check.Fail, Severity: check.High, Resource: resource, Scope: hostile, Message: hostile, Source: source,
			Waived: &assess.Waived{WaiverTerms: evilTerms, By: source},
		},
		&assess.Decided{Scope: hostile, Resource: resource, Pass: []int{0}},
		&assess.Waiver{ID: "W-1", State: assess.WaiverExpired, Severity: &severity, Message: hostile, WaiverTerms: &evilTerms, Leaves: []string{hostile}, Source: source},
		&assess.Standing{Framework: "f", Requirement: hostile, Title: hostile, State: assess.NotMet, Basis: assess.Design, Scope: assess.StandingScope, Because: hostile},
		&assess.Summary{Outcomes: assess.Counts{Fail: 2, Unknown: 2, Pass: 1, Waived: 1}, Failures: map[string]int{"high": 2}, Waived: map[string]int{"high": 1}, Waivers: map[string]int{"expired": 1}, Standings: map[string]assess.StandingSum{"f": {Requirements: 1, Standings: map[string]int{"not met": 1}}}},
	)
}

// waived is a run with waivers and a baseline: of three failures one is waived,
// one is known and one is new, and a waiver expired.
func waived(t testing.TB) []byte {
	resource := assess.ResourceInfo{Type: "AWS::Lambda::Function", ID: "t.yaml#F", LogicalID: "F", Address: "F"}
	finding := func(n int, severity check.Severity) *assess.Finding {
		return &assess.Finding{
			ID: fmt.Sprintf("F-%016d", n), Check: fmt.Sprintf("C-%d", n), Outcome: check.Fail, Severity: severity, Resource: resource, Scope: "t.yaml",
			Functions: []string{"F"}, Message: fmt.Sprintf("F fails %d", n), Source: assess.Source{File: "t.yaml", Line: n, Column: 3}, Baseline: assess.BaselineUnchanged,
		}
	}
	one, two, three := finding(1, check.High), finding(2, check.Medium), finding(3, check.Low)
	terms := assess.WaiverTerms{Owner: "ana", Approver: "bo", Reason: "built here", Made: "2026-11-01", Expires: "2027-01-31", Ticket: "SEC-1", Measure: "signed by the build"}
	old := terms
	old.Expires = "2026-11-23"
	one.Waived = &assess.Waived{WaiverTerms: terms, By: assess.Source{File: "waivers.yaml", Line: 2, Column: 5}}
	three.Baseline = assess.BaselineNew
	severity := check.Medium
	return stream(t,
		&assess.Header{
			Stream: 1, Tool: "assay", AsOf: "2026-11-24", Basis: assess.Design,
			Checks:     []assess.CheckInfo{{ID: "C-1", Title: "One", Severity: check.High}, {ID: "C-2", Title: "Two", Severity: check.Medium}, {ID: "C-3", Title: "Three", Severity: check.Low}},
			Frameworks: []assess.FrameworkInfo{{ID: "f", Title: "Regime", Version: "1", Requirements: 2}},
		},
		&assess.Coverage{Scope: "t.yaml", Format: "cloudformation", Resources: 1, Functions: 1},
		one, two, three,
		&assess.Waiver{ID: "W-1", Form: "file", State: assess.WaiverInForce, Check: "C-1", Message: "the waiver of C-1 is in force until 2027-01-31", WaiverTerms: &terms, Waives: []string{one.ID}, Source: one.Waived.By},
		&assess.Waiver{
			ID: "W-2", Form: "file", State: assess.WaiverExpired, Check: "C-2", Severity: &severity, Message: "the waiver of C-2 expired", WaiverTerms: &old, AnyFacts: true,
			Leaves: []string{two.ID}, Source: assess.Source{File: "waivers.yaml", Line: 12, Column: 5},
		},
		&assess.Waiver{ID: "W-3", Form: "comment", State: assess.WaiverUnused, Check: "C-9", Message: "there is no check C-9", WaiverTerms: &assess.WaiverTerms{Reason: "so"}, Source: assess.Source{File: "t.yaml", Line: 9, Column: 1}},
		&assess.Standing{Framework: "f", Requirement: "1.1", Title: "One", State: assess.NotMet, Waived: true, Basis: assess.Design, Scope: assess.StandingScope, Because: "fails C-1"},
		&assess.Standing{Framework: "f", Requirement: "1.2", Title: "Two", State: assess.NotMet, Basis: assess.Design, Scope: assess.StandingScope, Because: "fails C-2"},
		&assess.Summary{
			Scopes: 1, Resources: 1, Functions: 1, Outcomes: assess.Counts{Fail: 3, Waived: 1},
			Failures: map[string]int{"high": 1, "medium": 1, "low": 1}, Waived: map[string]int{"high": 1}, Failing: map[string]int{"low": 1, "medium": 1},
			Waivers:   map[string]int{assess.WaiverInForce: 1, assess.WaiverExpired: 1, assess.WaiverUnused: 1},
			Baseline:  &assess.BaselineSum{AsOf: "2026-11-01", New: 1, Unchanged: 2, Fixed: 3, Undecided: 4},
			Standings: map[string]assess.StandingSum{"f": {Requirements: 2, Standings: map[string]int{"not met": 2}, Waived: 1}},
		},
	)
}

// TestWaived: every format shows what is waived, and what is known, apart from
// what fails.
func TestWaived(t *testing.T) {
	data := waived(t)
	golden(t, "waived_text", replay(t, data, "text", report.Options{}))
	golden(t, "waived_quiet", replay(t, data, "text", report.Options{Quiet: true}))
	golden(t, "waived_junit", replay(t, data, "junit", report.Options{}))
	if diff := cmp.Diff(string(data), string(replay(t, data, "json", report.Options{}))); diff != "" {
		t.Error(diff)
	}
	log := replay(t, data, "sarif", report.Options{})
	validateSARIF(t, log)
	var lines bytes.Buffer
	if err := json.Indent(&lines, log, "", " "); err != nil {
		t.Fatal(err)
	}
	golden(t, "waived_sarif", lines.Bytes())
}

func TestTextShowsNothingThatATerminalObeys(t *testing.T) {
	for _, o := range []report.Options{{}, {All: true}, {Quiet: true}} {
		for _, data := range [][]byte{saved(t), evil(t)} {
			checkPrintable(t, replay(t, data, "text", o))
		}
	}
	var out bytes.Buffer
	h, findings := findings(t, evil(t))
	if err := report.ExplainFinding(&out, h, findings[0], report.Options{}); err != nil {
		t.Fatal(err)
	}
	checkPrintable(t, out.Bytes())
}

func checkPrintable(t *testing.T, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Error("not UTF-8")
	}
	if at := regexp.MustCompile(`[^\n\P{C}]`).FindIndex(text); at != nil {
		t.Errorf("a character that a terminal may obey: %q", text[max(at[0]-40, 0):at[1]])
	}
}

func TestTextKeepsToItsWidth(t *testing.T) {
	for _, width := range []int{60, 100, 140} {
		for line := range strings.Lines(string(replay(t, saved(t), "text", report.Options{Width: width}))) {
			line = strings.TrimSuffix(line, "\n")
			// Below that, a path or an id alone can be longer.
			if utf8.RuneCountInString(line) > width && width >= 100 {
				t.Errorf("width %d: %q is longer", width, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("width %d: %q ends in spaces", width, line)
			}
		}
	}
}

// TestTextOfManyFunctionsIsBounded lists the worst functions and counts the
// others, in no more lines than a person reads.
func TestTextOfManyFunctionsIsBounded(t *testing.T) {
	big := synthetic(t, 10_000)
	got := string(replay(t, big, "text", report.Options{}))
	if lines := strings.Count(got, "\n"); lines > 600 {
		t.Errorf("%d lines", lines)
	}
	if !strings.Contains(got, "and 975 more functions with failures; --all lists them all") {
		t.Error("does not say how many functions are left out")
	}
	all := string(replay(t, big, "text", report.Options{All: true}))
	if strings.Contains(all, "more functions with failures") || !strings.Contains(all, "Function999") {
		t.Error("All leaves functions out")
	}
}

func TestTextSaysNothingIsMetWithoutSaying(t *testing.T) {
	got := string(replay(t, saved(t), "text", report.Options{}))
	for _, want := range []string{"from templates", assess.StandingScope, "4 of 8 not met", "12 of 16 not met", "6 of 35 outcomes (17%)"} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q", want)
		}
	}
	if regexp.MustCompile(`\d met`).MatchString(got) {
		t.Error("says that a requirement is met; none is in the stream")
	}
}

func TestValuesReadForPeople(t *testing.T) {
	for _, tt := range []struct{ value, want string }{
		{``, "P is absent"},
		{`null`, "P = null"},
		{`true`, "P = true"},
		{`{"a`, `P = {"a`}, // not JSON: shown as it is
		{`1.50`, "P = 1.50"},
		{`""`, `P = ""`},
		{`"NONE"`, "P = NONE"},
		{`["a",1,{"b":[]}]`, "P = [a, 1, {b: []}]"},
		{`{"b":2,"a":1}`, "P = {a: 1, b: 2}"},
		{`{"$ref":{"resource":"Queue","attribute":"Arn"}}`, "P = ${Queue.Arn}"},
		{`{"$ref":{"resource":"Queue","attribute":"Ref"}}`, "P = ${Queue}"},
		{`{"$text":["arn:aws:s3:::",{"$ref":{"resource":"B","attribute":"Ref"}},"/*"]}`, "P = arn:aws:s3:::${B}/*"},
		{`{"$unknown":{"reason":"parameter without value","input":"parameter Stage"}}`, "P = ${parameter Stage}"},
		{`{"$denied":{"reason":"AccessDenied","input":"lambda:GetPolicy"}}`, "P = (denied: lambda:GetPolicy)"},
		{`{"$secret":{"why":"parameter DbPassword is NoEcho"}}`, "P = [withheld]"},
		{`{"$oneOf":{"input":"parameter Stage","cases":[{"when":"dev","value":1},{"when":"prod","value":{"$absent":true}}]}}`, "P = one of (1 | absent) by parameter Stage"},
		{`{"A":{"$default":{"B":{"$number":"012"}}}}`, "P = {A: {B: 012}}"},
		{`{"$literal":{"$ref":"x"}}`, "P = {$ref: x}"},
		{`{"$text":7}`, "P ="},
		{`{"$other":7}`, "P = {$other: 7}"},
	} {
		var out bytes.Buffer
		f := &assess.Finding{Outcome: check.Fail, Witness: &assess.Witness{Reads: []assess.WitnessRead{{Property: "P", Value: json.RawMessage(tt.value)}}}}
		if err := report.ExplainFinding(&out, &assess.Header{}, f, report.Options{}); err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(out.String(), "Witness  what was read and decided\n  ")
		if got, _, _ := strings.Cut(after, "\n"); strings.TrimSpace(got) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestUnknownShareIsNeverRoundedAway(t *testing.T) {
	for _, tt := range []struct {
		unknown, pass int
		want          string
	}{
		{0, 0, "0 of 0 outcomes (0%)"},
		{0, 9, "0 of 9 outcomes (0%)"},
		{1, 0, "1 of 1 outcome (100%)"},
		{1, 999, "1 of 1000 outcomes (under 1%)"},
		{999, 1, "999 of 1000 outcomes (over 99%)"},
		{1, 2, "1 of 3 outcomes (33%)"},
	} {
		// What does not apply is left out of the total.
		sum := &assess.Summary{Outcomes: assess.Counts{Unknown: tt.unknown, Pass: tt.pass, NotApplicable: 50}}
		for _, o := range []report.Options{{}, {Quiet: true}} {
			if got := string(replay(t, stream(t, &assess.Header{Stream: 1}, sum), "text", o)); !strings.Contains(got, tt.want) {
				t.Errorf("%d unknown, %d passed: got\n%s\nwant %q in it", tt.unknown, tt.pass, got, tt.want)
			}
		}
	}
}

// synthetic is a stream of n failures over n/10 functions of one template.
func synthetic(t testing.TB, n int) []byte {
	t.Helper()
	header := &assess.Header{Stream: 1, Tool: "assay", Version: "0", AsOf: "2026-11-24", Basis: assess.Design}
	for i := range 10 {
		header.Checks = append(header.Checks, assess.CheckInfo{
			ID: fmt.Sprintf("LAMBDA-CHECK-%d", i), Title: "Something holds", Severity: check.Severity(i % 5), Subject: "AWS::Lambda::Function",
			Rationale: "It matters.", Source: "https://docs.aws.amazon.com/", Fix: check.Fix{Set: "TracingConfig.Mode", Value: "Active"},
			Requirements: map[string][]string{"a": {"1", "2", "3", "4", "5", "6"}, "b": {"1", "2", "3", "4", "5", "6"}},
		})
	}
	messages := []any{header, &assess.Coverage{Scope: "template.yaml", Format: "sam"}}
	summary := &assess.Summary{Scopes: 1, Functions: n / 10, Failures: map[string]int{}, Outcomes: assess.Counts{Fail: n}}
	for i := range n {
		c := header.Checks[i%10]
		name := fmt.Sprintf("Function%d", i/10)
		at := assess.Source{File: "template.yaml", Line: i + 1, Column: 5}
		summary.Failures[c.Severity.String()]++
		messages = append(messages, &assess.Finding{
			ID: assess.FindingID(c.ID, "template.yaml", name), Check: c.ID, Outcome: check.Fail, Severity: c.Severity,
			Resource: assess.ResourceInfo{Type: c.Subject, ID: "template.yaml#" + name, LogicalID: name, Address: name}, Scope: "template.yaml",
			Functions: []string{name}, Message: name + " has something that does not hold as it should", Source: at,
			Witness: &assess.Witness{Reads: []assess.WitnessRead{{Property: "TracingConfig.Mode", Value: json.RawMessage(`{"$text":["a",{"$ref":{"resource":"Q","attribute":"Arn"}}]}`), Source: &at}}},
		})
	}
	return stream(t, append(messages, summary)...)
}

func BenchmarkText(b *testing.B)  { benchmark(b, "text") }
func BenchmarkSARIF(b *testing.B) { benchmark(b, "sarif") }
func BenchmarkJUnit(b *testing.B) { benchmark(b, "junit") }
func BenchmarkJSON(b *testing.B)  { benchmark(b, "json") }

// benchmark hands a run of 10,000 findings to a handler; reading the saved
// stream is no part of it.
func benchmark(b *testing.B, format string) {
	var kept recorder
	if err := assess.Replay("stream", bytes.NewReader(synthetic(b, 10_000)), &kept); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		h, err := report.New(format, io.Discard, report.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, send := range kept {
			if err := send(h); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// recorder keeps the messages of a stream to be sent again.
type recorder []func(assess.Handler) error

func (r *recorder) Header(m *assess.Header) error {
	return r.keep(func(h assess.Handler) error { return h.Header(m) })
}
func (r *recorder) Coverage(m *assess.Coverage) error {
	return r.keep(func(h assess.Handler) error { return h.Coverage(m) })
}
func (r *recorder) Finding(m *assess.Finding) error {
	return r.keep(func(h assess.Handler) error { return h.Finding(m) })
}
func (r *recorder) Function(m *assess.Function) error {
	return r.keep(func(h assess.Handler) error { return h.Function(m) })
}
func (r *recorder) Decided(m *assess.Decided) error {
	return r.keep(func(h assess.Handler) error { return h.Decided(m) })
}
func (r *recorder) Waiver(m *assess.Waiver) error {
	return r.keep(func(h assess.Handler) error { return h.Waiver(m) })
}
func (r *recorder) Standing(m *assess.Standing) error {
	return r.keep(func(h assess.Handler) error { return h.Standing(m) })
}
func (r *recorder) Summary(m *assess.Summary) error {
	return r.keep(func(h assess.Handler) error { return h.Summary(m) })
}

func (r *recorder) keep(send func(assess.Handler) error) error {
	*r = append(*r, send)
	return nil
}
