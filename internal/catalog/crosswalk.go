package catalog

import (
	"maps"
	"slices"
	"strings"
)

// Spine is the framework that the requirements of others are related to, so
// that any two can be compared through it.
const Spine = "nist-800-53-r5"

// Relation is how what one requirement asks for lies to what another asks for,
// both taken as sets.
type Relation string

// The relations, strongest first.
const (
	Equal      Relation = "equal"
	Subset     Relation = "subset"     // all that it asks for the other asks for too
	Superset   Relation = "superset"   // it asks for all that the other does
	Intersects Relation = "intersects" // some of it
	// Related is never written in a framework: both bear on the same
	// requirement of the spine, which implies nothing more.
	Related Relation = "related"
)

// written are the relations that a framework may state.
var written = []Relation{Equal, Subset, Superset, Intersects}

// Inverse is the relation seen from the other requirement.
func (r Relation) Inverse() Relation {
	switch r {
	case Subset:
		return Superset
	case Superset:
		return Subset
	}
	return r
}

// Then is what is implied between a and c where a lies to b as r says and b
// to c as next says. No requirement is empty: two that contain the same third
// one have it in common.
func (r Relation) Then(next Relation) Relation {
	switch {
	case r == Equal:
		return next
	case next == Equal || r == next && (r == Subset || r == Superset):
		return r
	case r == Superset && (next == Subset || next == Intersects), r == Intersects && next == Subset:
		return Intersects
	}
	return Related
}

// and is the strongest that follows from two relations of the same pair.
func (r Relation) and(other Relation) Relation {
	if r == Subset && other == Superset || r == Superset && other == Subset {
		return Equal
	}
	order := append(slices.Clone(written), Related)
	if slices.Index(order, other) < slices.Index(order, r) {
		return other
	}
	return r
}

// Link is how a requirement of one framework lies to one of another.
type Link struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Relation Relation `json:"relation"`
	Through  []string `json:"through"` // requirements of the spine
}

// spineOf are the relations of a requirement to those of the spine.
func (f *Framework) spineOf(r *Requirement) map[string]Relation {
	if base, _, _ := strings.Cut(f.ID, "/"); base == Spine {
		return map[string]Relation{r.ID: Equal}
	}
	return r.Spine
}

// Crosswalk lists the pairs of requirements of two frameworks that bear on the
// same requirement of the spine, in the order of the frameworks, and what that
// implies between them.
func Crosswalk(from, to *Framework) []Link {
	reached := map[string][]int{} // by requirement of the spine, positions in to
	for i := range to.Requirements {
		for id := range to.spineOf(&to.Requirements[i]) {
			reached[id] = append(reached[id], i)
		}
	}
	links := []Link{}
	for i := range from.Requirements {
		r := &from.Requirements[i]
		spine := from.spineOf(r)
		found := map[int]*Link{}
		for _, id := range slices.Sorted(maps.Keys(spine)) {
			for _, at := range reached[id] {
				other := &to.Requirements[at]
				relation := spine[id].Then(to.spineOf(other)[id].Inverse())
				if l := found[at]; l != nil {
					l.Relation, l.Through = l.Relation.and(relation), append(l.Through, id)
					continue
				}
				found[at] = &Link{From: r.ID, To: other.ID, Relation: relation, Through: []string{id}}
			}
		}
		for _, at := range slices.Sorted(maps.Keys(found)) {
			links = append(links, *found[at])
		}
	}
	return links
}
