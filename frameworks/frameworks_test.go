package frameworks_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"assay/checks"
	"assay/frameworks"
	"assay/internal/catalog"
)

func built(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// beyond are the requirements that a framework has beside the list of ids: later
// releases of NIST 800-53, parents that PCI DSS numbers too, and HIPAA's rule as
// it stands since 2013.
var beyond = map[string][]string{
	"nist-800-53-r5": {"IA-13", "IA-13(1)", "IA-13(2)", "IA-13(3)", "SA-15(13)", "SA-24", "SI-2(7)"},
	"pci-dss-4.0.1": {
		"3.3.1", "3.5.1", "3.6.1", "4.2.1", "5.2.3", "5.3.2", "6.2.3", "7.2.5", "8.3.10", "9.2.1", "9.3.1", "9.4.1", "9.4.5", "9.5.1",
		"9.5.1.2", "10.2.1", "10.4.1", "10.4.2", "11.3.1", "11.3.2", "11.5.1", "12.4.2", "12.5.2", "12.6.3", "12.10.4",
		"A3.2.2", "A3.2.5", "A3.2.6", "A3.3.1",
	},
	"hipaa-security": {"164.308(b)(3)", "164.314(a)(1)", "164.314(a)(2)(i)", "164.316(b)(1)"},
}

// TestWhole holds the frameworks and their profiles to the complete lists of
// requirement ids.
func TestWhole(t *testing.T) {
	data, err := os.ReadFile("testdata/ids.json")
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string][]string
	if err := json.Unmarshal(data, &lists); err != nil {
		t.Fatal(err)
	}
	c := built(t)
	for id, want := range lists {
		f, err := c.Framework(id)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, r := range f.Requirements {
			got = append(got, r.ID)
		}
		want = slices.Concat(want, beyond[id])
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	for id, sizes := range map[string]int{
		"nist-800-53-r5": 1189, "pci-dss-4.0.1": 251, "hipaa-security": 60, "soc2-2017": 61, "iso-27001-2022": 93,
		"nist-800-53-r5/fedramp-b": 155, "nist-800-53-r5/fedramp-c": 322, "nist-800-53-r5/fedramp-d": 409,
	} {
		if len(lists[id]) != sizes {
			t.Errorf("the list of %s has %d ids, want %d", id, len(lists[id]), sizes)
		}
	}
}

// TestWithdrawn: what NIST has withdrawn is in no baseline, and names where it
// went by ids that exist and are not withdrawn themselves.
func TestWithdrawn(t *testing.T) {
	nist, err := built(t).Framework(catalog.Spine)
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`[A-Z]{2}-[0-9]+(\([0-9]+\))?`)
	withdrawn := regexp.MustCompile(`^withdrawn by NIST`)
	n := 0
	for _, r := range nist.Requirements {
		if !withdrawn.MatchString(r.OutOfScope) {
			continue
		}
		n++
		if len(r.Profiles) > 0 {
			t.Errorf("%s is withdrawn and in %v", r.ID, r.Profiles)
		}
		for _, target := range id.FindAllString(r.OutOfScope, -1) {
			if to, err := nist.Requirement(target); err != nil || withdrawn.MatchString(to.OutOfScope) {
				t.Errorf("%s is withdrawn into %s, which is not there", r.ID, target)
			}
		}
	}
	if n != 182 {
		t.Errorf("%d are withdrawn, want 182", n)
	}
}

// TestUsed: no objective, procedure or report stands for nothing.
func TestUsed(t *testing.T) {
	c := built(t)
	used := map[string]bool{}
	for _, f := range c.Frameworks {
		for _, r := range f.Requirements {
			for _, id := range slices.Concat(r.Objectives, r.Procedures, r.Reports) {
				used[id] = true
			}
		}
		for _, id := range f.Reports {
			used[id] = true
		}
	}
	for _, s := range c.Shifts {
		for _, moves := range s.Moves {
			for _, m := range moves {
				for _, id := range slices.Concat(m.Objectives, m.Procedures) {
					used[id] = true
				}
			}
		}
	}
	for id := range c.Objectives {
		if !used[id] {
			t.Errorf("objective %s: no requirement names it", id)
		}
	}
	for id := range c.Procedures {
		if !used[id] {
			t.Errorf("procedure %s: no requirement and no shift names it", id)
		}
	}
	for id := range c.Reports {
		if !used[id] {
			t.Errorf("report %s: no requirement names it", id)
		}
	}
}

// TestSharedIsReported: where AWS has a part of a requirement, a report is named
// in which it answers for it.
func TestSharedIsReported(t *testing.T) {
	for _, f := range built(t).Frameworks {
		for i := range f.Requirements {
			if r := &f.Requirements[i]; r.OutOfScope == "" && r.Responsibility != catalog.Customer && len(f.ReportsOf(r)) == 0 {
				t.Errorf("%s %s is %s, and no report covers the part of AWS", f.ID, r.ID, r.Responsibility)
			}
		}
	}
}

// TestSpineWhole: a requirement of another framework that is in scope lies on
// the spine, or FedRAMP relates it to nothing.
func TestSpineWhole(t *testing.T) {
	without := []string{"fedramp-20x KSI-CNA-OFA", "fedramp-20x KSI-PIY-RES"}
	var got []string
	for _, f := range built(t).Frameworks {
		for _, r := range f.Requirements {
			if f.ID != catalog.Spine && r.OutOfScope == "" && len(r.Spine) == 0 {
				got = append(got, f.ID+" "+r.ID)
			}
		}
	}
	if diff := cmp.Diff(without, got); diff != "" {
		t.Error(diff)
	}
}

// TestShares counts every share again, from the files as they are written.
func TestShares(t *testing.T) {
	c := built(t)
	type row struct {
		Assessment string   `yaml:"assessment"`
		Objectives []string `yaml:"objectives"`
		OutOfScope string   `yaml:"out-of-scope"`
	}
	type file struct {
		ID           string `yaml:"id"`
		Requirements []row  `yaml:"requirements"`
	}
	names, err := fs.Glob(frameworks.Files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range names {
		data, err := frameworks.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f file
		if err := yaml.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		if len(f.Requirements) == 0 {
			continue
		}
		seen++
		want := catalog.Coverage{Framework: f.ID, Requirements: len(f.Requirements)}
		for _, r := range f.Requirements {
			if r.OutOfScope != "" {
				want.OutOfScope++
				continue
			}
			*map[string]*int{"technical": &want.Technical, "mixed": &want.Mixed, "manual": &want.Manual, "inherited": &want.Inherited}[r.Assessment]++
			if r.Assessment != "technical" && r.Assessment != "mixed" {
				continue
			}
			bear, decide := 0, 0
			open := slices.Clone(r.Objectives)
			for _, check := range c.Checks {
				bears, decides := false, false
				for objective, link := range check.Establishes {
					if !slices.Contains(r.Objectives, objective) {
						continue
					}
					bears = true
					if link.How == "decides" {
						decides = true
						open = slices.DeleteFunc(open, func(o string) bool { return o == objective })
					}
				}
				if bears {
					bear++
				}
				if decides {
					decide++
				}
			}
			if bear > 0 {
				want.Checked++
			}
			if len(open) == 0 {
				want.Decidable++
			}
			want.Deciding[min(decide, 3)]++
		}
		one, err := c.Framework(f.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Coverage(one)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if sum := got.Technical + got.Mixed + got.Manual + got.Inherited + got.OutOfScope; sum != got.Requirements {
			t.Errorf("%s: the shares add up to %d of %d", f.ID, sum, got.Requirements)
		}
	}
	if seen != len(c.Frameworks) {
		t.Errorf("%d frameworks in files, %d compiled", seen, len(c.Frameworks))
	}
}
