package access

import (
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// edge is a way by which a holder comes to act as another, who may do more.
type edge struct {
	technique *technique
	from, to  *holder
	aim       *estate.Resource // the role, function or user; nil for the holder itself
	walk      walk             // truth is that of the whole edge
	more      more
}

func (w *world) graph(scopes []*estate.Scope, view check.View) (*graph, error) {
	techniques, err := w.techniques()
	if err != nil {
		return nil, err
	}
	g := &graph{
		world: w, view: view, techniques: techniques, all: w.everything(),
		holders: map[holderKey]*holder{}, actionKeys: map[string]bool{}, given: map[string]bool{}, walks: map[walkKey]walk{}, steps: map[stepKey]walk{}, arns: map[*estate.Resource]string{}, aims: map[targetsKey][]target{}, trust: map[trustKey]walk{},
		more: map[moreKey]more{}, leaving: map[*holder][]*edge{}, function: map[functionKey]walk{}, classes: map[*iam.Policy][]string{}, raised: map[*holder]*holder{},
	}
	g.in(scopes)
	return g, nil
}

// edges are the ways that lead from a holder to somebody who may do more, the
// surest to each. An administrator has none to go.
func (g *graph) edges(h *holder) []*edge {
	if list, ok := g.leaving[h]; ok {
		return list
	}
	var list []*edge
	if g.administers(h).truth != estate.True {
		best := map[holderKey]int{} // and whether they are raised, by function
		for _, t := range g.techniques {
			if t.Gains == "" || !g.feasible(h, t) {
				continue
			}
			g.each(h, t, g.functions, func(aim *estate.Resource, to *holder) {
				key := holderKey{to.resource, to.function}
				if to.raised {
					key.function = to.resource // no function, so that it is a key of its own
				}
				at, known := best[key]
				if known && list[at].walk.truth == estate.True {
					return
				}
				e := g.edge(h, t, aim, to)
				switch {
				case e == nil:
				case !known:
					best[key] = len(list)
					list = append(list, e)
				case e.walk.truth == estate.True:
					list[at] = e
				}
			})
		}
	}
	g.leaving[h] = list
	// What was decided of this holder's requests is not asked for again.
	clear(g.walks)
	clear(g.steps)
	return list
}

// feasible tells cheaply that a technique is out of a holder's reach.
func (g *graph) feasible(h *holder, t *technique) bool {
	for _, st := range t.Steps {
		if st.By == "" && !g.may(h, st) {
			return false
		}
	}
	for _, gr := range t.groups {
		if !gr.bound && g.group(h, gr, nil, nil).truth == estate.False {
			return false
		}
	}
	return true
}

// each hands over whom the holder would act as by a technique, of functions by
// one of those that are given.
func (g *graph) each(h *holder, t *technique, functions []*estate.Resource, f func(aim *estate.Resource, to *holder)) {
	switch t.Gains {
	case "passed-role", "role", "raised-role":
		assumed := t.Steps[0].Action == "sts:AssumeRole"
		roles := g.roles
		if slices.ContainsFunc(t.Steps, func(st *step) bool { return st.Action == "sts:AssumeRole" && !st.Trusted }) {
			roles = g.assumable
		}
		for _, a := range g.targets(roles) {
			if a.resource == h.resource || !assumed && a.to.account != h.account {
				continue // roles are passed and changed within their account
			}
			to := a.to
			if t.Gains == "raised-role" {
				to = g.raise(to)
			}
			f(a.resource, to)
		}
	case "function-role":
		for _, a := range g.targets(functions) {
			if a.to.resource != h.resource {
				f(a.resource, a.to)
			}
		}
	case "user":
		for _, u := range g.users {
			if u != h.resource && g.account(u.Scope()) == h.account {
				f(u, g.holderOf(u, nil))
			}
		}
	case "administrator":
		if h.resource != nil && !h.raised {
			f(h.resource, g.raise(h))
		}
	case "no-boundary":
		if h.resource != nil && !h.raised && len(h.boundary) > 0 {
			f(h.resource, h.with(h.identity, nil))
		}
	}
}

// target is a role or function, and who acts with it.
type target struct {
	resource *estate.Resource
	to       *holder
}

// targets are whom one would act as by roles or functions. Those of a whole list
// are kept.
func (g *graph) targets(list []*estate.Resource) []target {
	if len(list) == 0 {
		return nil
	}
	key := targetsKey{list[0], len(list)}
	if known, ok := g.aims[key]; ok {
		return known
	}
	var out []target
	for _, r := range list {
		if r.Type == "AWS::IAM::Role" {
			out = append(out, target{r, g.holderOf(r, nil)})
			continue
		}
		roles, gaps := g.view.Related(r, "roles")
		for _, role := range roles {
			out = append(out, target{r, g.holderOf(role, r)})
		}
		if len(roles) == 0 && len(gaps) > 0 {
			out = append(out, target{r, g.roleOutside(r, gaps[0])})
		}
	}
	g.aims[key] = out
	return out
}

// targetsKey tells the lists of a graph apart, which are parts of lists in order.
type targetsKey struct {
	first *estate.Resource
	n     int
}

// raise is a holder that has given itself whatever its boundary leaves.
func (g *graph) raise(h *holder) *holder {
	if g.raised[h] == nil {
		g.raised[h] = h.with(append(slices.Clone(h.identity), g.all), h.boundary)
	}
	return g.raised[h]
}

// roleOutside stands for the role of a function that was not read.
func (g *graph) roleOutside(f *estate.Resource, gap estate.Gap) *holder {
	key := holderKey{f, f}
	if g.holders[key] == nil {
		h := &holder{resource: f, name: "role of " + f.Address, account: g.account(f.Scope()), identity: []*iam.Policy{iam.Unread("policies of the role of " + f.Address + ": " + gap.String())}}
		h.spec = iam.RequestSpec{Principal: "arn:" + g.partitionOf(f.Scope()) + ":sts::" + h.account + ":assumed-role/" + g.hole(iam.NameHole, "role of "+f.ID, gap) + "/x", Context: map[string][]string{}}
		h.ready()
		g.holders[key] = h
	}
	return g.holders[key]
}

// edge decides one way to somebody; nil where it does not lead there, or where
// they may do no more.
func (g *graph) edge(h *holder, t *technique, aim *estate.Resource, to *holder) *edge {
	w := walk{truth: estate.True}
	if t.Service != "" {
		if w = g.trusts(aim, t.Service); w.truth == estate.False {
			return nil
		}
	}
	if t.Gains == "function-role" {
		for _, need := range t.Needs {
			if w = w.and(g.need(aim, need)); w.truth == estate.False {
				return nil
			}
		}
	}
	for _, gr := range t.groups {
		if w = w.and(g.group(h, gr, aim, to)); w.truth == estate.False {
			return nil
		}
	}
	if aim != h.resource {
		if w = w.and(g.exists(aim)); w.truth == estate.False {
			return nil
		}
	}
	m := g.moreThan(h, to)
	if m.truth == estate.False {
		return nil
	}
	w.truth, w.gaps = w.truth.And(m.truth), append(slices.Clip(w.gaps), m.gaps...)
	if own := g.account(aim.Scope()); h.resource == nil && h.account != strangerAccount && len(iam.Holes(own+h.account)) > 0 {
		w = w.and(maybeFor("not known", g.words("whether account "+h.account+" is another than "+own)))
	}
	if t.Doubt != "" {
		w = w.and(maybeFor("not known", t.Doubt))
	}
	return &edge{technique: t, from: h, to: to, aim: aim, walk: w, more: m}
}

// outsiders are those of other accounts whom the policies of functions let do
// more than invoke them.
func (g *graph) outsiders() (list []*holder) {
	seen := map[string]bool{}
	for _, p := range g.permissions {
		action, _, _ := g.property(p, "Action", g.view)
		principal, _, _ := g.property(p, "Principal", g.view)
		if strings.HasPrefix(strings.ToLower(action), "lambda:invoke") || seen[principal] {
			continue
		}
		seen[principal] = true
		c, ok := iam.ParseCaller(principal)
		switch {
		case principal == "*":
			list = append(list, g.outsider("every AWS account", "arn:aws:iam::"+strangerAccount+":user/somebody", strangerAccount))
		case ok && (c.Kind == iam.User || c.Kind == iam.Role || c.Kind == iam.RoleSession) && c.Account != g.account(p.Scope()):
			list = append(list, g.outsider(g.words(principal), principal, c.Account))
		case !ok || c.Kind == iam.RootUser:
			account := strings.TrimSuffix(principal, ":root")
			account = account[strings.LastIndexByte(account, ':')+1:]
			if account != g.account(p.Scope()) {
				list = append(list, g.outsider("account "+g.words(account), "arn:"+g.partitionOf(p.Scope())+":iam::"+account+":user/somebody", account))
			}
		}
	}
	return list
}
