package frameworks_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"assay/internal/catalog"
)

// related are requirements of NIST SP 800-53 by requirement of a framework.
type related map[string][]string

// difference is why a framework and an authority do not relate the same.
type difference struct {
	Why   string  `yaml:"why"`
	Pairs related `yaml:"pairs"`
}

// authority is what those who wrote a framework, or NIST, relate to NIST SP
// 800-53, and where the framework here does otherwise.
type authority struct {
	Framework string       `yaml:"framework"`
	Pairs     related      `yaml:"pairs"`
	Left      []difference `yaml:"left"` // theirs, and not here
	Kept      []difference `yaml:"kept"` // here, and not theirs
}

// flat are the pairs, in order.
func (r related) flat() []string {
	out := []string{}
	for id, others := range r {
		for _, other := range others {
			out = append(out, id+" "+other)
		}
	}
	slices.Sort(out)
	return out
}

// TestSpineAuthority holds the relations to published ones: every difference is
// explained, once, and every explanation is of a difference.
func TestSpineAuthority(t *testing.T) {
	// Pairs here, theirs, and in both, as docs/frameworks.md says them.
	sizes := map[string][3]int{
		"fedramp-20x":    {373, 373, 373},
		"hipaa-security": {169, 279, 146},
		"iso-27001-2022": {243, 439, 208},
	}
	c := built(t)
	nist, err := c.Framework(catalog.Spine)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/spine-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var a authority
		if err := yaml.Unmarshal(data, &a); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		seen = append(seen, a.Framework)
		f, err := c.Framework(a.Framework)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		here := related{}
		for _, r := range f.Requirements {
			here[r.ID] = slices.Collect(maps.Keys(r.Spine))
		}
		ours, theirs := here.flat(), a.Pairs.flat()
		for _, pair := range theirs {
			_, other, _ := strings.Cut(pair, " ")
			if _, err := nist.Requirement(other); err != nil {
				t.Errorf("%s: %s: %v", file, pair, err)
			}
		}
		without := func(all, some []string) []string {
			return slices.DeleteFunc(slices.Clone(all), func(p string) bool { return slices.Contains(some, p) })
		}
		explained := func(differences []difference) []string {
			out := []string{}
			for _, d := range differences {
				if d.Why == "" {
					t.Errorf("%s: no reason for %v", file, d.Pairs)
				}
				out = append(out, d.Pairs.flat()...)
			}
			slices.Sort(out)
			return out
		}
		if diff := cmp.Diff(explained(a.Left), without(theirs, ours)); diff != "" {
			t.Errorf("%s: pairs of the authority that %s has not (-explained +so): %s", file, f.ID, diff)
		}
		if diff := cmp.Diff(explained(a.Kept), without(ours, theirs)); diff != "" {
			t.Errorf("%s: pairs of %s that the authority has not (-explained +so): %s", file, f.ID, diff)
		}
		both := len(ours) - len(without(ours, theirs))
		if got := [3]int{len(ours), len(theirs), both}; got != sizes[f.ID] {
			t.Errorf("%s: %d pairs here, theirs and in both; the documentation says %d", f.ID, got, sizes[f.ID])
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(sizes)), seen); diff != "" {
		t.Error(diff)
	}
}
