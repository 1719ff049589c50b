package catalog_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/checks"
	"assay/internal/catalog"
)

// demands is what a requirement asks for, as a set of at most eight things.
type demands uint8

// holds says whether a relation is true of two sets.
func holds(a demands, r catalog.Relation, b demands) bool {
	switch r {
	case catalog.Equal:
		return a == b
	case catalog.Subset:
		return a&b == a
	case catalog.Superset:
		return a&b == b
	case catalog.Intersects:
		return a&b != 0
	}
	return true // related implies nothing
}

// TestCrosswalkLaw draws requirements as sets, has two frameworks state
// relations to the spine that are true of them, and holds what is implied
// between the frameworks to the sets.
func TestCrosswalkLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.Uint8Range(1, 255)
		spine := map[string]demands{}
		for i := range rapid.IntRange(1, 4).Draw(t, "spine") {
			spine[fmt.Sprintf("N-%d", i)] = demands(set.Draw(t, "N"))
		}
		sets := map[string]demands{}
		draw := func(id string) *catalog.Framework {
			f := &catalog.Framework{ID: id}
			for i := range rapid.IntRange(1, 4).Draw(t, id) {
				r := catalog.Requirement{ID: fmt.Sprintf("%s-%d", id, i), Spine: map[string]catalog.Relation{}}
				sets[r.ID] = demands(set.Draw(t, r.ID))
				for n, asked := range spine {
					var possible []catalog.Relation
					for _, relation := range []catalog.Relation{catalog.Equal, catalog.Subset, catalog.Superset, catalog.Intersects} {
						if holds(sets[r.ID], relation, asked) {
							possible = append(possible, relation)
						}
					}
					if len(possible) > 0 && rapid.Bool().Draw(t, "states") {
						r.Spine[n] = rapid.SampledFrom(possible).Draw(t, "relation")
					}
				}
				f.Requirements = append(f.Requirements, r)
			}
			return f
		}
		a, b := draw("a"), draw("b")
		there, back := catalog.Crosswalk(a, b), catalog.Crosswalk(b, a)
		for _, l := range there {
			if !holds(sets[l.From], l.Relation, sets[l.To]) {
				t.Fatalf("%s %s %s does not hold of %08b and %08b", l.From, l.Relation, l.To, sets[l.From], sets[l.To])
			}
			want := catalog.Link{From: l.To, To: l.From, Relation: l.Relation.Inverse(), Through: l.Through}
			if !slices.ContainsFunc(back, func(o catalog.Link) bool { return cmp.Equal(o, want) }) {
				t.Fatalf("the way back of %v is not in %v", l, back)
			}
		}
		if len(there) != len(back) {
			t.Fatalf("%d pairs there and %d back", len(there), len(back))
		}
	})
}

// TestThen pins what is implied, so that a relation cannot be weakened unseen.
func TestThen(t *testing.T) {
	kinds := []catalog.Relation{catalog.Equal, catalog.Subset, catalog.Superset, catalog.Intersects, catalog.Related}
	want := [][]catalog.Relation{
		{catalog.Equal, catalog.Subset, catalog.Superset, catalog.Intersects, catalog.Related},
		{catalog.Subset, catalog.Subset, catalog.Related, catalog.Related, catalog.Related},
		{catalog.Superset, catalog.Intersects, catalog.Superset, catalog.Intersects, catalog.Related},
		{catalog.Intersects, catalog.Intersects, catalog.Related, catalog.Related, catalog.Related},
		{catalog.Related, catalog.Related, catalog.Related, catalog.Related, catalog.Related},
	}
	for i, a := range kinds {
		for j, b := range kinds {
			if got := a.Then(b); got != want[i][j] {
				t.Errorf("%s then %s is %s, want %s", a, b, got, want[i][j])
			}
		}
	}
}

// TestCrosswalkToSpine: to the spine itself a framework's own relations are
// what comes out.
func TestCrosswalkToSpine(t *testing.T) {
	c, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	spine, err := c.Framework(catalog.Spine)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Frameworks {
		if f.ID == catalog.Spine {
			continue
		}
		got := map[string]map[string]catalog.Relation{}
		for _, l := range catalog.Crosswalk(f, spine) {
			if got[l.From] == nil {
				got[l.From] = map[string]catalog.Relation{}
			}
			got[l.From][l.To] = l.Relation
		}
		want := map[string]map[string]catalog.Relation{}
		for _, r := range f.Requirements {
			if len(r.Spine) > 0 {
				want[r.ID] = r.Spine
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", f.ID, diff)
		}
	}
}
