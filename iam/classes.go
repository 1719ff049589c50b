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
	// unlisted: the actions of the service that the table does not know, of any name.
	unlisted bool
	service  string
	// others: actions of services that no statement names; names has an example.
	others bool
}

// named are the actions of a class of which there is a witness.
func (c *actionClass) named(p Proof) []string {
	if c.unlisted {
		return []string{p.Witness[0].Action}
	}
	return c.names
}

// hidesServices reports whether a statement with an effect has an action of which
// the service is not known: no class stands for it.
func (p *Policy) hidesServices(deny bool) bool {
	return slices.ContainsFunc(p.statements, func(s statement) bool {
		return s.deny == deny && slices.ContainsFunc(s.actions, func(a actionPattern) bool { return a.whole })
	})
}

// beside takes back a proof where policies name actions that are not known.
func (p Proof) beside(hidden bool) Proof {
	if hidden && p.Verdict == Proved {
		return Proof{Reason: "an action is not known"}
	}
	return p
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
		r := &Request{}
		ev := &evaluator{req: r}
		whole := slices.ContainsFunc(allows, func(s *statement) bool {
			return slices.ContainsFunc(s.actions, func(a actionPattern) bool { return a.whole })
		})
		granted := func(service, name string) bool {
			if r.service, r.name = service, name; whole {
				r.action = service + ":" + name
			}
			return slices.ContainsFunc(allows, func(s *statement) bool { return s.matchAction(r, ev) == yes })
		}
		each := func(service string) bool {
			var actions []string
			for _, a := range d.Actions(service) {
				if granted(service, a.key) {
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
	add := func(key string, plain bool, name string) {
		if plain {
			key += "p"
		}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, actionClass{plain: plain})
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
			add(key, len(a.Resources) == 0, service+":"+a.Name)
		}
		// AWS may add actions with a resource, and without.
		for _, plain := range []bool{false, true} {
			out = append(out, actionClass{names: []string{service + ":SomethingNew"}, plain: plain, unlisted: true, service: service})
		}
	}
	// Services that no statement names: with a resource, and without.
	for _, plain := range []bool{false, true} {
		if name := d.otherAction(services, plain); name != "" {
			service, action, _ := strings.Cut(lower(name), ":")
			key := "o" + sign(service, action)
			add(key, plain, name)
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
