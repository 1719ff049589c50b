package estate

import (
	"maps"
	"slices"
	"sort"
	"strings"
)

// nameIndex finds the resources of one type that may have a name, without
// comparing it with all of them. What it finds is a superset; [matchNames]
// decides.
type nameIndex struct {
	resources []*Resource
	own       [][]alternative  // the names of each, nothing being decided
	written   map[string][]int // by how a name is written
	made      map[string][]int // names with a made-up part, by the resources that it is made up for

	// By how names end: those without holes, with pseudo parameters alone, with
	// made-up parts, and with holes that may hold anything.
	literal, pseudo, madeUp, open endings
}

// names is the index of the resources of a type, as the resolver's scope sees
// their names.
func (x resolver) names(typeName string) *nameIndex {
	if n := x.scope.names[typeName]; n != nil {
		return n
	}
	n := &nameIndex{resources: x.scope.ofType(typeName), written: map[string][]int{}, made: map[string][]int{}}
	n.own = make([][]alternative, len(n.resources))
	for at, t := range n.resources {
		n.own[at] = alternatives(t.scope.seenBy(x.scope, resolver{t.scope}.nameOf(t)), nil)
		for _, name := range n.own[at] {
			n.written[name.value.String()] = append(n.written[name.value.String()], at)
			names, open := made(name.value)
			switch end, whole := ending(name.value); {
			case open:
				n.open.add(end, at)
			case len(names) > 0:
				key := strings.Join(names, "\x00")
				n.made[key] = append(n.made[key], at)
				n.madeUp.add(end, at)
			case whole:
				n.literal.add(end, at)
			default:
				n.pseudo.add(end, at)
			}
		}
	}
	for _, e := range []*endings{&n.literal, &n.pseudo, &n.madeUp, &n.open} {
		e.sort()
	}
	if x.scope.names == nil {
		x.scope.names = map[string]*nameIndex{}
	}
	x.scope.names[typeName] = n
	return n
}

// candidates lists the resources that may have the name, or have a name that is
// written as v is, in their order.
func (n *nameIndex) candidates(name, v *Value) []int {
	found := slices.Clone(n.written[v.String()])
	names, open := made(name)
	end, whole := ending(name)
	found = n.open.like(found, end)
	switch {
	case open:
		found = n.madeUp.like(n.pseudo.like(n.literal.like(found, end), end), end)
	case len(names) > 0:
		found = append(found, n.made[strings.Join(names, "\x00")]...)
	case whole:
		found = n.pseudo.like(append(found, n.literal.at[end]...), end)
	default:
		found = n.pseudo.like(n.literal.like(found, end), end)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// ending is the text that a name certainly ends in, and whether that is all of
// it.
func ending(v *Value) (text string, whole bool) {
	parts, ok := textParts(v)
	if !ok {
		return "", false
	}
	return literal(parts, len(parts)-1), len(parts) == 1 && parts[0].Kind() == KindString
}

// endings finds names by how they end.
type endings struct {
	at      map[string][]int
	lengths []int    // of the endings there are, ascending
	turned  []string // the endings read from their end, in order
}

func (e *endings) add(end string, at int) {
	if e.at == nil {
		e.at = map[string][]int{}
	}
	e.at[end] = append(e.at[end], at)
}

func (e *endings) sort() {
	lengths := map[int]bool{}
	for end := range e.at {
		lengths[len(end)] = true
		e.turned = append(e.turned, turn(end))
	}
	e.lengths = slices.Sorted(maps.Keys(lengths))
	slices.Sort(e.turned)
}

// like adds the names whose ending ends in that of a name, or the other way
// round: others cannot be the same.
func (e *endings) like(found []int, end string) []int {
	for _, n := range e.lengths {
		if n > len(end) {
			break
		}
		found = append(found, e.at[end[len(end)-n:]]...)
	}
	turned := turn(end)
	for i := sort.SearchStrings(e.turned, turned); i < len(e.turned) && strings.HasPrefix(e.turned[i], turned); i++ {
		if len(e.turned[i]) > len(turned) {
			found = append(found, e.at[turn(e.turned[i])]...)
		}
	}
	return found
}

// turn reads a text from its end, byte by byte.
func turn(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
