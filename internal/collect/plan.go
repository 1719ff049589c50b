package collect

import (
	"os"
	"slices"
)

// surveyedSize is the size of the largest file that is surveyed, in bytes.
// Sources that are tied to others are written by hand, or templates of at most
// 1 MB.
const surveyedSize = 4 << 20

// Plan says which sources are read together. What another source includes is
// left out, unless the user named it; sources that exchange values become one
// group. Groups are ordered by their first source.
func Plan(found []Found, collectors []Collector) [][]Found {
	surveys := make([]Survey, len(found))
	for i, f := range found {
		surveys[i] = f.survey(collectors)
	}
	kept := roots(found, surveys)
	exporter := map[string]int{} // -1 where several sources export the name
	for _, i := range kept {
		for _, name := range surveys[i].Exports {
			if _, twice := exporter[name]; twice {
				exporter[name] = -1
			} else {
				exporter[name] = i
			}
		}
	}
	group := map[int]int{} // source → the first of its group
	first := func(i int) int {
		for group[i] != i {
			i = group[i]
		}
		return i
	}
	for _, i := range kept {
		group[i] = i
	}
	for _, i := range kept {
		for _, name := range surveys[i].Imports {
			if from, ok := exporter[name]; ok && from >= 0 {
				a, b := first(i), first(from)
				group[max(a, b)] = min(a, b)
			}
		}
	}
	var groups [][]Found
	at := map[int]int{}
	for _, i := range kept {
		g, ok := at[first(i)]
		if !ok {
			g = len(groups)
			at[first(i)] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], found[i])
	}
	return groups
}

// roots lists the sources that are read for their own sake. Of sources that
// include each other in a circle the first stays.
func roots(found []Found, surveys []Survey) []int {
	index := map[string]int{}
	included := make([]bool, len(found))
	for i, f := range found {
		index[f.Name] = i
	}
	for i := range found {
		for _, name := range surveys[i].Includes {
			if j, ok := index[name]; ok && j != i {
				included[j] = true
			}
		}
	}
	reached := make([]bool, len(found))
	var reach func(i int)
	reach = func(i int) {
		if reached[i] {
			return
		}
		reached[i] = true
		for _, name := range surveys[i].Includes {
			if j, ok := index[name]; ok {
				reach(j)
			}
		}
	}
	root := func(i int) bool { return found[i].Named || !included[i] }
	for i := range found {
		if root(i) {
			reach(i)
		}
	}
	var kept []int
	for i := range found {
		if root(i) || !reached[i] {
			kept = append(kept, i)
			reach(i)
		}
	}
	return kept
}

// survey is how f is tied to other sources. What cannot be read is tied to
// none here, and is reported when its turn comes.
func (f Found) survey(collectors []Collector) Survey {
	var all Survey
	if f.path == "-" {
		return all
	}
	if info, err := os.Stat(f.path); err != nil || !f.folder && info.Size() > surveyedSize {
		return all
	}
	file, err := f.Read(nil)
	if err != nil {
		return all
	}
	for _, c := range collectors {
		if s, ok := c.(Surveyor); ok {
			one := s.Survey(file)
			all.Includes = append(all.Includes, one.Includes...)
			all.Exports = append(all.Exports, one.Exports...)
			all.Imports = append(all.Imports, one.Imports...)
		}
	}
	slices.Sort(all.Imports)
	all.Imports = slices.Compact(all.Imports)
	return all
}
