package iam

import (
	"slices"
	"strings"
)

// actionClass are actions that the statements of a question do not tell apart.
type actionClass struct {
	// names are the actions, as AWS spells them, in order.
	names []string
	plain bool // AWS authorises them against no resource
	// unlisted: no action that the table knows; names has one that stands for
	// those that AWS may add.
	unlisted bool
	// others: actions of services that no statement names; names has an example.
	others bool
}

// maxPairs bounds the pairs of patterns of one service that are joined to find
// names that the table does not know.
const maxPairs = 400

// classes sorts all actions by which of the statements name them. The actions
// are those of the table, and of every pattern one that it does not know.
func (d *Data) classes(statements []*statement) []actionClass {
	type indexed struct {
		s        *statement
		patterns map[string][]*pattern // by service
		any      bool                  // it has a pattern for all services
		whole    []*pattern            // texts with holes
	}
	list := make([]indexed, len(statements))
	services := map[string]bool{}
	for i, s := range statements {
		ix := indexed{s: s, patterns: map[string][]*pattern{}}
		for j := range s.actions {
			a := &s.actions[j]
			switch {
			case a.whole:
				ix.whole = append(ix.whole, &a.name)
			case a.service == "" && a.name.shape == all:
				ix.any = true
			default:
				ix.patterns[a.service] = append(ix.patterns[a.service], &a.name)
				services[a.service] = true
			}
		}
		list[i] = ix
	}
	delete(services, "\x00")
	ev := &evaluator{req: &Request{}}
	signature := make([]byte, len(list))
	sign := func(service, name string) string {
		for i := range list {
			ix := &list[i]
			t := no
			if ix.any {
				t = yes
			}
			for _, p := range ix.patterns[service] {
				if t == yes {
					break
				}
				t = max(t, p.match(name, ev))
			}
			for _, p := range ix.whole {
				t = max(t, p.match(service+":"+name, ev))
			}
			if ix.s.notAction {
				t = t.not()
			}
			signature[i] = byte(t)
		}
		return string(signature)
	}
	var out []actionClass
	at := map[string]int{}
	add := func(key string, plain, unlisted bool, name string) {
		if plain {
			key += "p"
		}
		if unlisted {
			key += "u"
		}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, actionClass{plain: plain, unlisted: unlisted})
		}
		out[i].names = append(out[i].names, name)
	}
	names := make([]string, 0, len(services))
	for s := range services {
		names = append(names, s)
	}
	slices.Sort(names)
	for _, service := range names {
		for _, a := range d.Actions(service) {
			add(sign(service, lower(a.Name)), len(a.Resources) == 0, false, service+":"+a.Name)
		}
		var patterns []*pattern
		for i := range list {
			patterns = append(patterns, list[i].patterns[service]...)
		}
		for _, name := range d.unlisted(service, patterns) {
			add(sign(service, name), false, true, service+":"+name)
		}
	}
	// Services that no statement names: with a resource, and without.
	for _, plain := range []bool{false, true} {
		if name := d.otherAction(services, plain); name != "" {
			service, action, _ := strings.Cut(lower(name), ":")
			key := "o" + sign(service, action)
			add(key, plain, false, name)
			if plain {
				key += "p"
			}
			out[at[key]].others = true
		}
	}
	// Those that the table knows come first, so that witnesses are of them.
	slices.SortStableFunc(out, func(a, b actionClass) int {
		switch {
		case a.unlisted == b.unlisted:
			return 0
		case b.unlisted:
			return -1
		default:
			return 1
		}
	})
	return out
}

// unlisted makes names that the table does not know, one for each pattern and
// for what two of them have in common, in lower case.
func (d *Data) unlisted(service string, patterns []*pattern) []string {
	var words []*word
	var none variables
	for _, p := range patterns {
		if p.shape == exact && d.action(service, p.text) != nil {
			continue
		}
		if w := none.word(p); w != nil && !w.opaque {
			words = append(words, w)
		}
	}
	work := 1 << 20
	solver := textSolver{work: &work, states: 1000}
	var names []string
	add := func(letters []symbol) {
		name := strings.ReplaceAll(write(letters, nil), string(fresh), "somethingnew")
		if d.action(service, name) == nil && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, w := range words {
		add(w.instance())
	}
	pairs := 0
	for i, a := range words {
		for _, b := range words[:i] {
			if a.exact || b.exact || a.symbols[0].kind == 0 && b.symbols[0].kind == 0 && a.symbols[0] != b.symbols[0] {
				continue
			}
			if pairs++; pairs > maxPairs {
				return names
			}
			if letters, st := solver.solve([]*word{a, b}, nil); st == sat {
				add(letters)
			}
		}
	}
	return names
}

// otherAction is an action of a service that is not among those, in the
// spelling of AWS; "" where the table has none.
func (d *Data) otherAction(services map[string]bool, plain bool) string {
	if d == nil {
		if plain {
			return ""
		}
		return "another-service:SomethingNew"
	}
	for _, s := range d.services {
		if services[s.prefix] {
			continue
		}
		for _, a := range d.Actions(s.prefix) {
			if (len(a.Resources) == 0) == plain {
				return s.prefix + ":" + a.Name
			}
		}
	}
	return ""
}
