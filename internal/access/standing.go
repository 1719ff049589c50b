package access

import (
	"maps"
	"strings"

	"assay/iam"
	"assay/internal/estate"
)

// more is the answer to whether one holder may do what another may not, with a
// request that shows it.
type more struct {
	truth   estate.Truth
	request *posed
	gaps    []estate.Gap
}

type moreKey struct{ a, b string }

// administers decides whether a holder may change permissions of every kind,
// anywhere in its account.
func (g *graph) administers(h *holder) walk {
	if h.admin != nil {
		return *h.admin
	}
	w := walk{truth: estate.True}
	if h.resource == nil {
		w = cannot // not in this account
	}
	for _, p := range adminProbes {
		st := &step{Action: p.action}
		if !h.may(p.action) {
			w = cannot
			break
		}
		arn := "arn:" + g.partition(h) + ":iam::" + h.account + ":" + p.resource
		if w = w.and(g.probe(g.ask(h, st, arn, nil, true))); w.truth == estate.False {
			break
		}
	}
	h.admin = &w
	return w
}

// maxSamples bounds the requests that stand for what a holder may do.
const maxSamples = 8

// samplesOf are requests that a holder may make, of different kinds.
func (g *graph) samplesOf(h *holder) []posed {
	if h.sampled {
		return h.samples
	}
	h.sampled = true
	for _, p := range h.identity {
		if p.IsUnread() {
			continue
		}
		for _, action := range g.grantedBy(p) {
			if len(h.samples) == maxSamples {
				return h.samples
			}
			ask, _ := g.ask(h, &step{Action: action}, "", nil, false)
			ask.Set.Resource = iam.HandsOver(h.account)
			if w := g.found([]iam.Ask{ask}, iam.Find([]iam.Ask{ask}, "", g.data, iam.Limits{})); w.truth == estate.True {
				h.samples = append(h.samples, w.requests...)
			}
		}
	}
	return h.samples
}

// grantedBy is one action of every class that a policy grants, those that change
// something first.
func (g *graph) grantedBy(p *iam.Policy) []string {
	if list, ok := g.classes[p]; ok {
		return list
	}
	var writes, reads []string
	for _, class := range g.data.Granted(p) {
		if a := g.data.Action(class[0]); a != nil && a.Writes() {
			writes = append(writes, class[0])
		} else {
			reads = append(reads, class[0])
		}
	}
	list := append(writes, reads...)
	g.classes[p] = list
	return list
}

// moreThan decides whether b may do what a may not. What policies of resources
// give to either is not weighed.
func (g *graph) moreThan(a, b *holder) more {
	if a.print == b.print && a.account == b.account {
		return more{truth: estate.False}
	}
	key := moreKey{a.account + a.print, b.account + b.print}
	if m, ok := g.more[key]; ok {
		return m
	}
	m := g.compare(a, b)
	g.more[key] = m
	return m
}

func (g *graph) compare(a, b *holder) more {
	var gaps []estate.Gap
	mine, theirs := g.administers(a), g.administers(b)
	if mine.truth == estate.True {
		return more{truth: estate.False} // it can have whatever there is
	}
	if mine.truth == estate.False && theirs.truth == estate.True {
		for _, r := range theirs.requests {
			if g.lets(a, r.spec) == iam.ImplicitDeny || g.lets(a, r.spec) == iam.ExplicitDeny {
				return more{truth: estate.True, request: &r}
			}
		}
		return more{truth: estate.True}
	}
	for _, r := range g.samplesOf(b) {
		switch g.lets(a, r.spec) {
		case iam.ImplicitDeny, iam.ExplicitDeny:
			return more{truth: estate.True, request: &r}
		case iam.Unknown:
			gaps = append(gaps, estate.Gap{Reason: "not decided", Input: g.words("whether " + a.name + " may " + r.spec.Action + " on " + r.spec.Resource)})
		case iam.Allowed:
		}
	}
	if len(gaps) > 0 {
		return more{truth: estate.Maybe, gaps: gaps[:1]}
	}
	return g.beyond(a, b)
}

// lets decides a request of another as one of the holder's own.
func (g *graph) lets(h *holder, spec iam.RequestSpec) iam.Decision {
	own := spec
	own.Principal, own.ContextComplete, own.Unknown = h.spec.Principal, true, nil
	own.Context = maps.Clone(spec.Context)
	for k := range own.Context {
		if lower := strings.ToLower(k); lower == "aws:principalarn" || strings.HasPrefix(lower, "aws:principaltag/") || lower == sourceFunction {
			delete(own.Context, k)
		}
	}
	for k, v := range h.spec.Context {
		own.Context[k] = v
	}
	g.settle(h, &own, h.keys, nil, false)
	r, err := iam.NewRequest(own, g.data)
	if err != nil {
		return iam.Unknown
	}
	answer := iam.Decide(r, &iam.PolicySet{Identity: h.identity, Boundary: h.boundary, Resource: iam.HandsOver(own.ResourceAccount)}, iam.Documents)
	if answer.Contested != 0 {
		return iam.Unknown
	}
	return answer.Decision
}

// beyond compares policies over all requests: what b may do has to be within the
// identity policies of a, and within its boundary.
func (g *graph) beyond(a, b *holder) more {
	spec := b.spec
	spec.ResourceAccount = b.account
	set := &iam.PolicySet{Identity: b.identity, Boundary: b.boundary}
	m := more{truth: estate.False}
	lists := [][]*iam.Policy{a.identity}
	if len(a.boundary) > 0 {
		lists = append(lists, a.boundary)
	}
	for _, list := range lists {
		if g.joined(list).Covers(b.identity) {
			continue
		}
		residual, proof := iam.Effective(spec, set, g.joined(list), g.data, iam.Limits{})
		for _, r := range residual {
			if !r.Unlisted {
				return more{truth: estate.True, request: &posed{r.Witness, set}}
			}
		}
		if proof.Verdict == iam.Undecided {
			m = more{truth: estate.Maybe, gaps: []estate.Gap{{Reason: "not decided", Input: g.words("whether " + a.name + " may do all that " + b.name + " may: " + proof.Reason)}}}
		}
	}
	return m
}

// joined are policies as one.
func (g *graph) joined(list []*iam.Policy) *iam.Policy {
	doc := &iam.Document{Version: iam.Version2012}
	for _, p := range list {
		if p.IsUnread() {
			return p
		}
		if len(list) == 1 {
			return p
		}
		doc.Statements = append(doc.Statements, p.Document.Statements...)
	}
	return iam.Compile("all policies", doc, g.data)
}
