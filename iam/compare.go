package iam

import (
	"slices"
)

// Relation is how what two policies allow is related.
type Relation uint8

// The relations.
const (
	NotCompared Relation = iota // some part of the comparison is not decided
	Same
	Narrower // the first allows less
	Broader  // the first allows more
	Overlapping
	Disjoint // no request is allowed by both
)

func (r Relation) String() string {
	return [...]string{"unknown", "same", "narrower", "broader", "overlapping", "disjoint"}[r]
}

// Comparison is what [Compare] finds.
type Comparison struct {
	// Within: everything that the first policy allows, the second allows.
	Within Proof
	// Covers: everything that the second allows, the first allows.
	Covers Proof
	// Apart: no request is allowed by both.
	Apart    Proof
	Relation Relation
}

// Compare answers whether everything that a allows is allowed by b, and how they
// are related. A policy allows what one of its Allows matches and none of its
// Denies. Statements with principals are compared for every kind of caller.
func Compare(a, b *Policy, data *Data, limits Limits) Comparison {
	limits = limits.orDefault()
	c := newComparer(a, b, data, limits)
	out := Comparison{}
	work := limits.Work
	out.Within = c.within(a, b, &work)
	out.Covers = c.within(b, a, &work)
	switch w, v := out.Within.Verdict, out.Covers.Verdict; {
	case w == Proved && v == Proved:
		out.Relation = Same
	case w == Proved && v == Refuted:
		out.Relation = Narrower
	case w == Refuted && v == Proved:
		out.Relation = Broader
	}
	out.Apart = c.apart(&work)
	if out.Within.Verdict == Refuted && out.Covers.Verdict == Refuted {
		switch out.Apart.Verdict {
		case Proved:
			out.Relation = Disjoint
		case Refuted:
			out.Relation = Overlapping
		default:
		}
	}
	return out
}

// Within answers whether everything that a allows is allowed by b.
func Within(a, b *Policy, data *Data, limits Limits) Proof {
	limits = limits.orDefault()
	work := limits.Work
	return newComparer(a, b, data, limits).within(a, b, &work)
}

// Excess lists what a allows and b does not, by the statements of a. Refuted says
// that the list is all there is, Proved that there is nothing; where a part is not
// decided the list may lack it, and Reason says why.
func Excess(a, b *Policy, data *Data, limits Limits) ([]Residual, Proof) {
	limits = limits.orDefault()
	work := limits.Work
	c := newComparer(a, b, data, limits)
	var list []Residual
	total := Proof{Verdict: Proved}
	for _, class := range c.classes {
		for _, caller := range c.callers {
			for _, m := range c.allows(a, class, caller) {
				p := c.beyond(a, b, []member{m}, class, caller, &work)
				if p.Verdict == Refuted {
					sc := c.base(class, caller)
					r := Residual{Actions: class.named(p), Others: class.others, Unlisted: class.unlisted, Policy: m.policy, Statement: m.index, Witness: p.Witness[0]}
					for _, other := range slices.Concat(members(a, true, sc, caller.trusted, false), members(b, false, sc, caller.trusted, false)) {
						if other.s != nil && meet(data, sc, limits, &work, m, other) {
							r.Except = append(r.Except, Reference{other.policy, other.index})
						}
					}
					list = addResidual(list, r)
				}
				total = total.list(p)
			}
		}
	}
	return list, c.modelled(total.beside(a.hidesServices(false) || b.hidesServices(true)))
}

// list joins the proofs of two parts of a list: what is not decided of one leaves
// the list open, whatever the other holds.
func (p Proof) list(q Proof) Proof {
	switch {
	case p.Verdict == Undecided:
		return p
	case q.Verdict == Undecided:
		return Proof{Reason: q.Reason}
	}
	return p.and(q)
}

// and joins the proofs of two parts.
func (p Proof) and(q Proof) Proof {
	switch {
	case p.Verdict == Refuted || q.Verdict == Proved:
		return p
	case q.Verdict == Refuted || p.Verdict == Proved:
		return q
	}
	return p
}

// comparer compares two policies for each class of actions and callers.
type comparer struct {
	data    *Data
	limits  Limits
	a, b    *Policy
	classes []actionClass
	callers []callerClass
	// outside says which callers the model does not have, if there may be some.
	outside string
}

func newComparer(a, b *Policy, data *Data, limits Limits) *comparer {
	c := &comparer{data: data, limits: limits, a: a, b: b}
	var all []*statement
	for _, p := range []*Policy{a, b} {
		for i := range p.statements {
			all = append(all, &p.statements[i])
		}
	}
	c.classes = data.classes(all)
	stranger, owner := accountsBeside(a, b)
	c.callers, c.outside = callersOf(stranger, a, b)
	for i := range c.callers {
		c.callers[i].owner = owner
	}
	return c
}

// base is a request of a class, with what is not to be found.
func (c *comparer) base(class actionClass, caller callerClass) *scene {
	return newScene(c.data, class, caller, RequestSpec{Resource: "*"})
}

// newScene makes the request of a class of actions and callers, whose principal
// could be anybody's where nothing is said of it.
func newScene(data *Data, class actionClass, caller callerClass, spec RequestSpec) *scene {
	spec.Principal, spec.Action, spec.ContextComplete = caller.principal, class.names[0], true
	if caller.trusted && spec.ResourceAccount == "" {
		spec.ResourceAccount = caller.owner
	}
	r, err := NewRequest(spec, data)
	if err != nil {
		panic("iam: " + err.Error()) // actions and principals are of policies that were compiled
	}
	return &scene{data: data, base: r, plain: class.plain, service: class.service, wide: caller.wide(), anybody: caller.anybody, owned: caller.trusted}
}

// members are the statements of a policy with an effect that may match.
func members(p *Policy, deny bool, sc *scene, trusted, control bool) []member {
	ev := &evaluator{req: sc.base}
	if p.unread {
		return []member{{policy: p, trusted: trusted, control: control}}
	}
	var list []member
	for i := range p.statements {
		s := &p.statements[i]
		if s.deny != deny || sc.service == "" && s.matchAction(ev.req, ev) == no || sc.service != "" && !s.mayName(sc.service, sc.data) {
			continue
		}
		m := member{s: s, policy: p, index: i, trusted: trusted, control: control}
		if m.concerns(ev) && (!sc.plain || s.matchResource(ev.req, ev) != no) {
			list = append(list, m)
		}
	}
	return list
}

// concerns reports whether the caller may be one that the statement is about.
func (m member) concerns(ev *evaluator) bool {
	if m.s.noPrincipal {
		return !m.trusted
	}
	return m.s.matchPrincipal(ev).any() != no
}

func (c *comparer) allows(p *Policy, class actionClass, caller callerClass) []member {
	return members(p, false, c.base(class, caller), caller.trusted, false)
}

func (c *comparer) within(a, b *Policy, work *int) Proof {
	total := Proof{Verdict: Proved}
	for _, class := range c.classes {
		for _, caller := range c.callers {
			allows := c.allows(a, class, caller)
			if len(allows) == 0 {
				continue
			}
			p := c.beyond(a, b, allows, class, caller, work)
			if total = total.and(p); total.Verdict == Refuted {
				return total
			}
		}
	}
	return c.modelled(total.beside(a.hidesServices(false) || b.hidesServices(true)))
}

// modelled takes back a proof about policies that the model does not cover.
func (c *comparer) modelled(p Proof) Proof {
	if p.Verdict == Proved && c.outside != "" {
		return Proof{Reason: c.outside}
	}
	return p
}

// beyond looks for a request that one of the Allows of a lets in, and b does
// not: since no Allow of b does, or since a Deny of it forbids it.
func (c *comparer) beyond(a, b *Policy, allows []member, class actionClass, caller callerClass, work *int) Proof {
	sc := c.base(class, caller)
	denies := members(a, true, sc, caller.trusted, false)
	confirm := c.confirm(caller, a, b, yes, no)
	total := Proof{Verdict: Proved}
	ask := func(some [][]member, none []member) {
		one := *sc
		one.some, one.none = some, none
		s := &search{data: c.data, scenes: []*scene{&one}, confirm: confirm}
		total = total.and(s.run(c.limits, work))
	}
	ask([][]member{allows}, slices.Concat(denies, members(b, false, sc, caller.trusted, false)))
	if forbidden := members(b, true, sc, caller.trusted, false); total.Verdict != Refuted && len(forbidden) > 0 && !b.unread {
		ask([][]member{allows, forbidden}, denies)
	}
	return total
}

// apart looks for a request that both allow.
func (c *comparer) apart(work *int) Proof {
	total := Proof{Verdict: Proved}
	for _, class := range c.classes {
		for _, caller := range c.callers {
			sc := c.base(class, caller)
			for _, p := range []*Policy{c.a, c.b} {
				sc.some = append(sc.some, members(p, false, sc, caller.trusted, false))
				sc.none = append(sc.none, members(p, true, sc, caller.trusted, false)...)
			}
			s := &search{data: c.data, scenes: []*scene{sc}, confirm: c.confirm(caller, c.a, c.b, yes, yes)}
			if total = total.and(s.run(c.limits, work)); total.Verdict == Refuted {
				return total
			}
		}
	}
	return c.modelled(total.beside(c.a.hidesServices(false) || c.b.hidesServices(false)))
}

// confirm has the request decided under each of the policies.
func (c *comparer) confirm(caller callerClass, a, b *Policy, wantA, wantB truth) func([]RequestSpec) (bool, RuleSet) {
	return func(specs []RequestSpec) (bool, RuleSet) {
		r, err := NewRequest(specs[0], c.data)
		if err != nil {
			return false, 0
		}
		ta, ra := caller.allows(r, a)
		tb, rb := caller.allows(r, b)
		return ta == wantA && tb == wantB, ra | rb
	}
}
