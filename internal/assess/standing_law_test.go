package assess

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/checks"
	"assay/internal/catalog"
)

func builtIn(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// drawOutcomes draws what some of the checks said. Most runs have many checks
// that pass, so that something is met.
func drawOutcomes(t *rapid.T, c *catalog.Catalog) map[string]Counts {
	outcomes := map[string]Counts{}
	spoilt := rapid.IntRange(0, 3).Draw(t, "spoilt") // of ten checks
	for _, check := range c.Checks {
		n := Counts{Pass: 3}
		if rapid.IntRange(0, 9).Draw(t, check.ID) < spoilt {
			n = rapid.SampledFrom([]Counts{{}, {NotApplicable: 2}, {Pass: 1, NotApplicable: 1}, {Pass: 2, Unknown: 1}, {Unknown: 3}, {Pass: 2, Fail: 1}, {Fail: 1, Unknown: 1}, {NotApplicable: -1}}).Draw(t, "counts")
		}
		if n.NotApplicable >= 0 { // otherwise it did not look
			outcomes[check.ID] = n
		}
	}
	return outcomes
}

func statesOf(all []*Standing) map[string]State {
	states := map[string]State{}
	for _, s := range all {
		states[s.Framework+" "+s.Requirement] = s.State
	}
	return states
}

// TestFailureNeverImproves: with one more failing finding every requirement
// stands where it stood, or is not met.
func TestFailureNeverImproves(t *testing.T) {
	c := builtIn(t)
	rapid.Check(t, func(t *rapid.T) {
		outcomes := drawOutcomes(t, c)
		unread := rapid.IntRange(0, 1).Draw(t, "unread")
		before := statesOf(standings(c, c.Frameworks, Design, looked{outcomes: outcomes, unread: unread}))
		failing := rapid.SampledFrom(c.Checks).Draw(t, "failing")
		more := maps.Clone(outcomes)
		n := more[failing.ID]
		n.Fail++
		more[failing.ID] = n
		changed := false
		for id, after := range statesOf(standings(c, c.Frameworks, Design, looked{outcomes: more, unread: unread})) {
			if after != before[id] && after != NotMet {
				t.Fatalf("%s was %s and is %s since %s fails", id, before[id], after, failing.ID)
			}
			changed = changed || after == NotMet
		}
		if len(failing.Establishes) > 0 && !changed {
			t.Fatalf("%s fails, and every requirement is met all the same", failing.ID)
		}
	})
}

// TestLessCoverageNeverMeets: with less looked at, a requirement stands where it
// stood or is open. It is never met, attested, inherited or not applicable for
// that.
func TestLessCoverageNeverMeets(t *testing.T) {
	c := builtIn(t)
	rapid.Check(t, func(t *rapid.T) {
		outcomes := drawOutcomes(t, c)
		before := statesOf(standings(c, c.Frameworks, Design, looked{outcomes: outcomes}))
		less := maps.Clone(outcomes)
		unread := 0
		for range rapid.IntRange(1, 40).Draw(t, "times") {
			id := rapid.SampledFrom(c.Checks).Draw(t, "check").ID
			n, ran := less[id]
			switch rapid.SampledFrom([]string{"did not look", "unknown", "unread"}).Draw(t, "how") {
			case "did not look":
				delete(less, id)
			case "unknown": // one that passed or failed, or did not apply, can no longer be decided
				switch {
				case !ran:
				case n.Pass > 0:
					n.Pass, n.Unknown = n.Pass-1, n.Unknown+1
					less[id] = n
				case n.NotApplicable > 0:
					n.NotApplicable, n.Unknown = n.NotApplicable-1, n.Unknown+1
					less[id] = n
				}
			case "unread":
				unread = 1
			}
		}
		open := []State{Undetermined, NotTested}
		for id, after := range statesOf(standings(c, c.Frameworks, Design, looked{outcomes: less, unread: unread})) {
			if after != before[id] && !slices.Contains(open, after) {
				t.Fatalf("%s was %s and is %s with less looked at", id, before[id], after)
			}
		}
	})
}

// TestPersonIsAsked: with every check passing, what takes a person is never met.
func TestPersonIsAsked(t *testing.T) {
	c := builtIn(t)
	outcomes := map[string]Counts{}
	for _, check := range c.Checks {
		outcomes[check.ID] = Counts{Pass: 1}
	}
	met := 0
	all := standings(c, c.Frameworks, Design, looked{outcomes: outcomes})
	for _, s := range all {
		if s.State == Met {
			met++
		}
		if s.State == Met && len(s.Procedures) > 0 {
			t.Errorf("%s %s is met, and nobody did %v", s.Framework, s.Requirement, s.Procedures)
		}
		if s.State == NotMet {
			t.Errorf("%s %s is not met, and nothing fails", s.Framework, s.Requirement)
		}
	}
	if met == 0 {
		t.Error("nothing is met with every check passing: the test shows nothing")
	}
}

// TestWords: a framework's own words are for our standings, and stand beside
// them.
func TestWords(t *testing.T) {
	var states []string
	for _, s := range States {
		states = append(states, string(s))
	}
	if diff := cmp.Diff(catalog.StandingWords, states); diff != "" {
		t.Error(diff)
	}
	f := &catalog.Framework{ID: "f", Words: map[string]string{"not tested": "nobody looked"}, Requirements: []catalog.Requirement{
		{ID: "R", Objectives: []string{"A"}}, {ID: "S", OutOfScope: "not ours"},
	}}
	c := &catalog.Catalog{Objectives: map[string]catalog.Objective{"A": {}}}
	got := standings(c, []*catalog.Framework{f}, Design, looked{})
	if got[0].Word != "nobody looked" || got[0].State != NotTested || got[1].Word != "" {
		t.Errorf("%+v, %+v", got[0], got[1])
	}
}

// BenchmarkStandings derives the standings of every framework once the findings
// of 10,000 functions are there. They rest on counts by check, so that more
// functions cost nothing here.
func BenchmarkStandings(b *testing.B) {
	c := builtIn(b)
	outcomes := map[string]Counts{}
	for i, check := range c.Checks {
		outcomes[check.ID] = Counts{Pass: 10000 - i%7, Fail: i % 3, Unknown: i % 5}
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(standings(c, c.Frameworks, Deployed, looked{outcomes: outcomes})); n == 0 {
			b.Fatal("no standings")
		}
	}
}
