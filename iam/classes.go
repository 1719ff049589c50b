package iam

import (
	"iter"
	"maps"
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
	// sampled: not every choice of the patterns that a name which the table does not
	// know can match has a class.
	sampled bool
}

// Granted lists the actions that some Allow of a policy may let in, one for
// each class that its statements do not tell apart, with all of the class.
func (d *Data) Granted(p *Policy) (classes [][]string) {
	var all []*statement
	for i := range p.statements {
		all = append(all, &p.statements[i])
	}
	for _, class := range d.classes(all) {
		service, name, _ := strings.Cut(lower(class.names[0]), ":")
		r := &Request{action: service + ":" + name, service: service, name: name}
		for _, s := range all {
			if !s.deny && s.matchAction(r, &evaluator{req: r}) != no {
				classes = append(classes, class.names)
				break
			}
		}
	}
	return classes
}

// GrantedByService gives the actions of the table that some Allow of a policy
// names for certain, service by service: first those of services that a statement
// names, then the rest in order.
func (d *Data) GrantedByService(p *Policy) iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		named := map[string]bool{}
		var allows []*statement
		for i := range p.statements {
			s := &p.statements[i]
			if s.deny {
				continue
			}
			allows = append(allows, s)
			for j := range s.actions {
				if a := &s.actions[j]; !a.whole && a.service != "" {
					named[a.service] = true
				}
			}
		}
		granted := func(service, name string) bool {
			r := &Request{action: service + ":" + name, service: service, name: name}
			ev := &evaluator{req: r}
			return slices.ContainsFunc(allows, func(s *statement) bool { return s.matchAction(r, ev) == yes })
		}
		each := func(service string) bool {
			var actions []string
			for _, a := range d.Actions(service) {
				if granted(service, lower(a.Name)) {
					actions = append(actions, service+":"+a.Name)
				}
			}
			return len(actions) == 0 || yield(service, actions)
		}
		for _, service := range slices.Sorted(maps.Keys(named)) {
			if !each(service) {
				return
			}
		}
		if !granted("\x00", "\x00") { // a service that no statement names
			return
		}
		for _, service := range d.Services() {
			if !named[service] && !each(service) {
				return
			}
		}
	}
}

// Touches reports whether some Allow of the policies may be for the action and the
// resource of a request, whatever its conditions and whoever asks; without a
// resource, for the action. Where none is, there is nothing to search for.
func Touches(policies []*Policy, spec RequestSpec, data *Data) bool {
	action := lower(spec.Action)
	service, name, _ := strings.Cut(action, ":")
	r := &Request{action: action, service: service, name: name}
	if spec.Resource != "" {
		var err error
		if r, err = NewRequest(spec, data); err != nil {
			return true
		}
	}
	ev := &evaluator{req: r}
	for _, p := range policies {
		if p.unread {
			return true
		}
		for i := range p.statements {
			if s := &p.statements[i]; !s.deny && s.matchAction(r, ev) != no && (spec.Resource == "" || s.matchResource(r, ev) != no) {
				return true
			}
		}
	}
	return false
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
			key := sign(service, lower(a.Name))
			if service == "s3" && a.Name == "ListAllMyBuckets" {
				key += "b" // of all buckets, and of none
			}
			add(key, len(a.Resources) == 0, false, service+":"+a.Name)
		}
		var patterns []*pattern
		for i := range list {
			patterns = append(patterns, list[i].patterns[service]...)
		}
		// AWS may add actions with a resource, and without.
		unlisted, complete := d.unlisted(service, patterns)
		for _, name := range unlisted {
			for _, plain := range []bool{false, true} {
				add(sign(service, name), plain, true, service+":"+name)
			}
		}
		if !complete && len(out) > 0 {
			out[len(out)-1].sampled = true
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

// unlisted makes names that the table does not know, in lower case: one for every
// choice of the patterns that one name can match. Not complete, it has those for
// each pattern and for what two of them have in common.
func (d *Data) unlisted(service string, patterns []*pattern) (names []string, complete bool) {
	words := []*word{anyWord}
	var none variables
	simple := true // each word is a text, or a text and then anything
	for _, p := range patterns {
		if p.shape == exact && d.action(service, p.text) != nil {
			continue
		}
		w := none.word(p)
		if w.opaque {
			w = w.loose() // whatever its holes are
		}
		words = append(words, w)
		simple = simple && (p.shape == exact || p.shape == prefix || p.shape == all)
	}
	complete = true
	add := func(letters []symbol) {
		name, ok := d.spellName(service, letters, words)
		if complete = complete && ok; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if simple {
		// Of texts that begin a name one is the longest, and it begins with all of
		// the others.
		for _, w := range words {
			add(w.instance())
		}
		return names, complete
	}
	p := newProduct(words)
	of := map[string][]symbol{} // a text for every choice of words
	p.push(productStep{})
	var letters []symbol
	choice := make([]byte, len(words))
	for n := 0; n < len(p.steps); n++ {
		if len(p.steps) > maxNames {
			return d.unlistedPairs(service, words), false
		}
		letters = p.letters(n, letters)
		for _, x := range letters {
			p.follow(n, x)
			for i := range words {
				choice[i] = 0
				if p.accepts(i) {
					choice[i] = 1
				}
			}
			if known, ok := of[string(choice)]; !ok || d.action(service, write(known, nil)) != nil {
				of[string(choice)] = append(p.text(n), x) // the table does not know it, or it is the first
			}
			p.push(productStep{n, x})
		}
	}
	for _, choice := range slices.Sorted(maps.Keys(of)) {
		add(of[choice])
	}
	return names, complete
}

// maxNames bounds the states of the patterns of one service.
const maxNames = 2000

// unlistedPairs makes names for each word and for what two of them have in
// common.
func (d *Data) unlistedPairs(service string, words []*word) (names []string) {
	work := 1 << 20
	solver := textSolver{work: &work, states: 1000}
	add := func(letters []symbol) {
		if name, _ := d.spellName(service, letters, words); name != "" && !slices.Contains(names, name) {
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

// spellName makes a name that the table does not know and that the same words
// match as a text of the solver; ok is false if it finds none.
func (d *Data) spellName(service string, letters []symbol, words []*word) (name string, ok bool) {
	text := write(letters, nil)
	for _, filler := range nameFillers {
		name = strings.ReplaceAll(text, freshText, filler)
		if name == "" || d.action(service, name) != nil {
			continue
		}
		spelt := symbols(nil, name)
		if !slices.ContainsFunc(words, func(w *word) bool { return w.matches(spelt) != w.matches(letters) }) {
			return name, true
		}
	}
	if text == "" {
		return "", true // no name
	}
	// Only names of the table, or of letters that the patterns have.
	var pos, neg []*word
	for _, w := range words {
		if w.matches(letters) {
			pos = append(pos, w)
		} else {
			neg = append(neg, w)
		}
	}
	for _, a := range d.Actions(service) {
		neg = append(neg, newWord(symbols(nil, lower(a.Name)), false))
	}
	work := 1 << 16
	solver := textSolver{work: &work, states: 1000}
	letters, st := solver.solve(pos, neg)
	if st != sat {
		return "", st == unsat
	}
	for _, filler := range nameFillers {
		name = strings.ReplaceAll(write(letters, nil), freshText, filler)
		spelt := symbols(nil, name)
		if name != "" && d.action(service, name) == nil && !slices.ContainsFunc(words, func(w *word) bool { return w.matches(spelt) != w.matches(letters) }) {
			return name, true
		}
	}
	return "", false
}

// nameFillers stand for letters that no pattern names; the first reads best, and
// the others are for patterns that count letters.
var nameFillers = append([]string{"somethingnew"}, strings.Split("zqxjkvwyuopfhbdcgilmnrstae0123456789", "")...)

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
