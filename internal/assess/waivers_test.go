package assess_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/collect"
)

var waiverChecks = []string{"LAMBDA-RECURSION", "LAMBDA-URL-AUTH"}

// TestWaiverFaults: a file with a fault says where and what was expected, and
// nothing of it is in force.
func TestWaiverFaults(t *testing.T) {
	const rest = ", owner: a, approver: b, reason: r, expires: 2027-01-01"
	entry := func(s string) string { return "waivers:\n  - {" + s + "}\n" }
	for _, tt := range []struct{ name, file, want string }{
		{"none", "", ""},
		{"only_a_comment", "# nothing\n", ""},
		{"empty", "waivers:\n", ""},
		{"whole", entry("check: LAMBDA-RECURSION, facts: any, resource: F, scope: '**/x', made: 2026-01-01, ticket: T, measure: m" + rest), ""},
		{"facts_of_a_check", entry("check: LAMBDA-RECURSION, facts: {F-0123456789abcdef: 0123456789abcdef0123456789abcdef}" + rest), ""},
		{"not_yaml", "waivers: [\n", "w.yaml:2:1: not valid YAML: did not find expected node content"},
		{"a_list", "- x\n", "w.yaml:1:1: expected a mapping with waivers, a list"},
		{"another_name", "waiver: []\n", "w.yaml:1:1: there is no field waiver; did you mean waivers?"},
		{"a_text", "waivers: x\n", "w.yaml:1:10: waivers: expected a list of entries"},
		{"entry_is_a_text", "waivers:\n  - x\n", "w.yaml:2:5: expected an entry with finding or check, owner, approver, reason, expires and facts"},
		{"no_owner", entry("check: LAMBDA-RECURSION, facts: any, approver: b, reason: r, expires: 2027-01-01"), "w.yaml:2:5: owner is missing; a waiver has an owner, an approver, a reason and the date on which it expires"},
		{"blank_reason", entry("check: LAMBDA-RECURSION, facts: any, owner: a, approver: b, reason: ' ', expires: 2027-01-01"), "w.yaml:2:5: reason is missing; a waiver has an owner, an approver, a reason and the date on which it expires"},
		{"same_person", entry("check: LAMBDA-RECURSION, facts: any, owner: '@Bo', approver: bo, reason: r, expires: 2027-01-01"), "w.yaml:2:67: approver: bo is the owner; another person approves"},
		{"no_date", entry("check: LAMBDA-RECURSION, facts: any, owner: a, approver: b, reason: r, expires: 2027-02-30"), `w.yaml:2:86: expires: "2027-02-30" is not a date; expected YEAR-MONTH-DAY, such as 2027-01-31`},
		{"expires_before_made", entry("check: LAMBDA-RECURSION, facts: any, made: 2027-01-02" + rest), "w.yaml:2:104: expires: 2027-01-01 is before the waiver was made, 2027-01-02"},
		{"neither", entry("facts: any" + rest), "w.yaml:2:5: expected either finding, the id of one, or check"},
		{"both", entry("check: LAMBDA-RECURSION, finding: F-0123456789abcdef, facts: any" + rest), "w.yaml:2:5: expected either finding, the id of one, or check"},
		{"no_id", entry("finding: F-1, facts: any" + rest), `w.yaml:2:15: finding: "F-1" is not the id of a finding, such as F-0123456789abcdef`},
		{"narrowed_finding", entry("finding: F-0123456789abcdef, resource: F, facts: any" + rest), "w.yaml:2:45: resource narrows a check; a finding is of one resource"},
		{"no_check", entry("check: LAMBDA-RECURSON, facts: any" + rest), "w.yaml:2:13: there is no check LAMBDA-RECURSON; did you mean LAMBDA-RECURSION?"},
		{"no_check_by_far", entry("check: X, facts: any" + rest), "w.yaml:2:13: there is no check X; assay checks list shows them all, and --catalog adds your own"},
		{"twice", entry("check: LAMBDA-RECURSION, facts: any, reason: x" + rest), "w.yaml:2:77: reason stands twice"},
		{"customised", entry("check: LAMBDA-RECURSION, facts: any, customised: c" + rest), ""},
		{"measure_and_customised", entry("check: LAMBDA-RECURSION, facts: any, measure: m, customised: c" + rest), "w.yaml:2:67: customised: a measure stands beside it; a requirement is answered by compensating measures or by the customised approach, never by both"},
		{"no_facts", entry("check: LAMBDA-RECURSION" + rest), `w.yaml:2:5: facts is missing: a digest of the facts that the waiver is given for; assay waive --from RUN writes it, and "any" holds whatever the facts become`},
		{"no_digest", entry("finding: F-0123456789abcdef, facts: all" + rest), `w.yaml:2:42: facts: "all" is not a digest of facts, 32 hexadecimal digits, such as a finding of a saved run has`},
		{"one_digest_for_a_check", entry("check: LAMBDA-RECURSION, facts: 0123456789abcdef0123456789abcdef" + rest), `w.yaml:2:38: facts: expected a digest for the id of each finding; assay waive --from RUN writes it, and "any" holds whatever the facts become`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := assess.ParseWaivers("w.yaml", ".", []byte(tt.file), waiverChecks)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if (w == nil) != (tt.want != "") {
				t.Errorf("got waivers %v beside the error %v", w, err)
			}
		})
	}
}

// entryOf is an entry to add.
func entryOf(check string) assess.WaiverEntry {
	return assess.WaiverEntry{Check: check, WaiverTerms: assess.WaiverTerms{Owner: "a", Approver: "b", Reason: "so: \"it\" is\n#1", Expires: "2027-01-01"}}
}

// TestAddWaiver: an entry goes to the end of the list, and what stands there
// keeps its bytes.
func TestAddWaiver(t *testing.T) {
	const body = "check: LAMBDA-RECURSION\n    owner: a\n    approver: b\n    reason: \"so: \\\"it\\\" is\\n#1\"\n    expires: 2027-01-01\n    facts: any\n"
	const old = "  - {check: LAMBDA-URL-AUTH, owner: a, approver: b, reason: r, expires: 2027-01-01, facts: any}\n"
	flush := func(s string) string { return strings.ReplaceAll(s, "\n    ", "\n  ") }
	for _, tt := range []struct{ name, before, want string }{
		{"no_file", "", "waivers:\n  # why\n  - " + body},
		{"comment", "# ours", "# ours\nwaivers:\n  # why\n  - " + body},
		{"no_value", "waivers: # ours\n", "waivers: # ours\n  # why\n  - " + body},
		{"brackets", "waivers: [] # [ours]\n", "waivers: # [ours]\n  # why\n  - " + body},
		{"one_more", "waivers:\n" + old + "\n# the end\n", "waivers:\n" + old + "\n# the end\n  # why\n  - " + body},
		{"no_line_end", "waivers:\n" + strings.TrimSuffix(old, "\n"), "waivers:\n" + old + "  # why\n  - " + body},
		{"dash_at_the_margin", "waivers:\n" + strings.TrimSpace(old) + "\n", "waivers:\n" + strings.TrimSpace(old) + "\n# why\n- " + flush(body)},
		{"folded_text_at_the_end", "waivers:\n  - check: LAMBDA-URL-AUTH\n    owner: a\n    approver: b\n    expires: 2027-01-01\n    facts: any\n    reason: |+\n      x\n\n", "waivers:\n  - check: LAMBDA-URL-AUTH\n    owner: a\n    approver: b\n    expires: 2027-01-01\n    facts: any\n    reason: |+\n      x\n\n  # why\n  - " + body},
		{"windows", "waivers:\r\n" + strings.ReplaceAll(old, "\n", "\r\n"), strings.ReplaceAll("waivers:\n"+old+"  # why\n  - "+body, "\n", "\r\n")},
		{"in_brackets", "waivers: [" + strings.TrimPrefix(strings.TrimSpace(old), "- ") + "]\n", "error: w.yaml:1:10: the entries stand in brackets; write them one below the other, each behind a dash"},
		{"after_the_end", "waivers:\n" + old + "...\n", "error: "},
		{"another_document", "waivers:\n" + old + "---\nwaivers:\n", "error: "},
		{"duplicate", "waivers:\n  - {check: LAMBDA-RECURSION, owner: a, approver: b, reason: r, expires: 2026-12-31, facts: any}\n", "error: w.yaml:2:5: it is waived already, until 2026-12-31"},
		{"renewed", "waivers:\n  - {check: LAMBDA-RECURSION, owner: a, approver: b, reason: r, expires: 2026-01-31, facts: any}\n", "waivers:\n  - {check: LAMBDA-RECURSION, owner: a, approver: b, reason: r, expires: 2026-01-31, facts: any}\n  # why\n  - " + body},
		{"faulty", "waivers:\n  - {}\n", "error: w.yaml:2:5: owner is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := assess.AddWaiver("w.yaml", []byte(tt.before), entryOf("LAMBDA-RECURSION"), "why", "2026-11-24", waiverChecks)
			if want, fails := strings.CutPrefix(tt.want, "error: "); fails {
				if err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Fatalf("got %v and %q, want the error %s", err, got, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzWaivers: no file makes reading fail otherwise than with positions, and an
// entry that is added leaves the lines alone that stand there.
func FuzzWaivers(f *testing.F) {
	f.Add("waivers:\n  - {check: LAMBDA-URL-AUTH, resource: 'a*\xff', owner: a, approver: b, reason: r, expires: 2027-01-01, facts: any}\n")
	f.Add("waivers: []\n")
	f.Add("waivers:\n- finding: F-0123456789abcdef\n  owner: &a a\n  approver: *a\n")
	f.Fuzz(func(t *testing.T, file string) {
		_, err := assess.ParseWaivers("w.yaml", ".", []byte(file), waiverChecks)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "w.yaml:") {
				t.Fatalf("no position: %v", err)
			}
			return
		}
		after, err := assess.AddWaiver("w.yaml", []byte(file), entryOf("LAMBDA-RECURSION"), "why", "2026-11-24", waiverChecks)
		if err != nil {
			return
		}
		if lines := strings.TrimRight(file, "\r\n"); !strings.Contains(file, "[]") && !strings.HasPrefix(string(after), lines) {
			t.Fatalf("%q became %q", file, after)
		}
	})
}

// kept is what a waiver or a baseline must leave alone.
type kept struct {
	assess.Nothing
	all    []string
	waived int
	states []string
}

func (k *kept) Function(m *assess.Function) error {
	k.all = append(k.all, fmt.Sprintf("function %s %d %d", m.Resource.ID, m.Risk, m.AtMost))
	return nil
}

func (k *kept) Finding(m *assess.Finding) error {
	k.all = append(k.all, fmt.Sprintf("finding %s %s %s %s", m.ID, m.Outcome, m.Severity, m.Facts))
	if m.Waived != nil {
		k.waived++
		if m.Outcome != check.Fail {
			return fmt.Errorf("%s is %s and waived", m.ID, m.Outcome)
		}
	}
	return nil
}

func (k *kept) Decided(m *assess.Decided) error {
	k.all = append(k.all, fmt.Sprintf("decided %s %v %v", m.Resource.ID, m.Pass, m.NotApplicable))
	return nil
}

func (k *kept) Waiver(m *assess.Waiver) error {
	k.states = append(k.states, m.State)
	return nil
}

func (k *kept) Standing(m *assess.Standing) error {
	k.all = append(k.all, fmt.Sprintf("standing %s %s %s", m.Framework, m.Requirement, m.State))
	if m.Waived && m.State != assess.NotMet {
		return fmt.Errorf("%s %s is %s and waived", m.Framework, m.Requirement, m.State)
	}
	return nil
}

func (k *kept) Summary(m *assess.Summary) error {
	o := m.Outcomes
	if o.Waived != k.waived {
		return fmt.Errorf("%d findings are waived and %d are counted", k.waived, o.Waived)
	}
	k.all = append(k.all, fmt.Sprintf("summary %d %d %d %d %v %v", o.Pass, o.Fail, o.Unknown, o.NotApplicable, m.Failures, m.Incomplete))
	return nil
}

// saved is a run as a stream.
type saved struct {
	assess.Nothing
	bytes.Buffer
}

func (s *saved) Header(m *assess.Header) error   { return assess.Encode(s, m) }
func (s *saved) Finding(m *assess.Finding) error { return assess.Encode(s, m) }
func (s *saved) Summary(m *assess.Summary) error { return assess.Encode(s, m) }

// TestWaiversChangeNothing: whatever is waived, of whatever stands in whatever
// baseline, every outcome, risk and standing is that of the run without.
func TestWaiversChangeNothing(t *testing.T) {
	templates, err := filepath.Glob("testdata/same/*/*.yaml")
	if err != nil || len(templates) == 0 {
		t.Fatal("no templates in testdata/same")
	}
	cfg := config(t)
	states := map[string]int{}
	fewer(t, 30)
	rapid.Check(t, func(t *rapid.T) {
		data, err := os.ReadFile(rapid.SampledFrom(templates).Draw(t, "template"))
		if err != nil {
			t.Fatal(err)
		}
		run := func(cfg assess.Config, h assess.Handler) *assess.Summary {
			sum, err := assess.Run(context.Background(), cfg, [][]collect.Found{{collect.Stdin}}, bytes.NewReader(data), h)
			if err != nil {
				t.Fatal(err)
			}
			return sum
		}
		plain, stream := &kept{}, &saved{}
		before := run(cfg, assess.Tee(plain, stream))
		failures := &failures{}
		if err := assess.Replay("s", bytes.NewReader(stream.Bytes()), failures); err != nil {
			t.Fatal(err)
		}
		var file strings.Builder
		file.WriteString("waivers:\n")
		for _, f := range failures.all {
			what := rapid.SampledFrom([]string{"none", "finding", "check"}).Draw(t, "what")
			facts := rapid.SampledFrom([]string{"any", f.Facts, strings.Repeat("0", 32)}).Draw(t, "facts")
			expires := rapid.SampledFrom([]string{"2026-11-24", "2026-11-23"}).Draw(t, "expires")
			if what == "none" {
				continue
			}
			id := f.ID
			if what == "check" {
				if id = f.Check; facts != "any" {
					facts = fmt.Sprintf("{%s: %q}", f.ID, facts)
				}
			}
			fmt.Fprintf(&file, "  - {%s: %s, owner: a, approver: b, reason: r, measure: m, expires: %s, facts: %s}\n", what, id, expires, facts)
		}
		with := cfg
		if with.Waivers, err = assess.ParseWaivers("w.yaml", ".", []byte(file.String()), with.Catalog.IDs()); err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "baseline") {
			if with.Baseline, err = assess.ReadBaseline("s", bytes.NewReader(stream.Bytes())); err != nil {
				t.Fatal(err)
			}
		}
		waived := &kept{}
		after := run(with, waived)
		if diff := cmp.Diff(plain.all, waived.all); diff != "" {
			t.Fatal(diff)
		}
		for _, s := range waived.states {
			states[s]++
		}
		// What fails the run is less by what is waived or known, and more by
		// waivers that fail; never by anything else.
		own := after.Waivers[assess.WaiverExpired] + after.Waivers[assess.WaiverLapsed]
		left := total(before.Failing) - after.Outcomes.Waived
		if with.Baseline != nil {
			left = 0
		}
		if got := total(after.Failing); got != left+own {
			t.Fatalf("%d fail the run, want %d failures and %d waivers", got, left, own)
		}
	})
	for _, s := range []string{assess.WaiverInForce, assess.WaiverExpired, assess.WaiverLapsed, assess.WaiverUnused} {
		if states[s] == 0 {
			t.Errorf("no waiver was ever %s", s)
		}
	}
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// failures keeps the failures of a stream.
type failures struct {
	assess.Nothing
	all []*assess.Finding
}

func (f *failures) Finding(m *assess.Finding) error {
	if m.Outcome == check.Fail {
		f.all = append(f.all, m)
	}
	return nil
}
