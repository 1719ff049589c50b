package iam

import (
	"slices"
	"strings"
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

// Residual is a part of what a policy allows beyond something else: the actions
// and the statement that allows them, and what of it the other side does cover.
type Residual struct {
	Actions []string // as AWS spells them; those alone for which the statement is in excess
	// More says that the actions stand for all of services that neither side
	// names, or for actions that AWS may add.
	Others, Unlisted bool
	// Policy and Statement are what allows it.
	Policy    *Policy
	Statement int
	// Except are statements, by number, of policies of the other side or Denies
	// that the excess stays clear of.
	Except  []Exception
	Witness RequestSpec
}

// Exception is what is not a part of a residual: what a statement names, by its
// resources or by one condition.
type Exception struct {
	Policy    *Policy
	Statement int
	Condition int // an index, or -1 for the statement's resources
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

// Excess lists what a allows and b does not, by the statements of a.
func Excess(a, b *Policy, data *Data, limits Limits) ([]Residual, Proof) {
	limits = limits.orDefault()
	work := limits.Work
	c := newComparer(a, b, data, limits)
	var list []Residual
	total := Proof{Verdict: Proved}
	for _, class := range c.classes {
		for _, caller := range c.callers {
			for _, m := range c.allows(a, class, caller) {
				found, p := c.beyond(a, b, []member{m}, class, caller, &work)
				if p.Verdict == Refuted {
					list = addResidual(list, class, m, found, p)
				}
				total = total.and(p)
			}
		}
	}
	return list, total
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

// addResidual joins classes of actions for which the excess is the same.
func addResidual(list []Residual, class actionClass, m member, residue []exclusion, p Proof) []Residual {
	r := Residual{Actions: class.names, Others: class.others, Unlisted: class.unlisted, Policy: m.policy, Statement: m.index, Witness: p.Witness[0]}
	for _, e := range residue {
		x := Exception{Policy: e.member.policy, Statement: e.member.index, Condition: -1}
		for i := range e.member.s.conditions {
			if &e.member.s.conditions[i] == e.condition {
				x.Condition = i
			}
		}
		if !slices.Contains(r.Except, x) {
			r.Except = append(r.Except, x)
		}
	}
	for i := range list {
		o := &list[i]
		if o.Policy == r.Policy && o.Statement == r.Statement && o.Unlisted == r.Unlisted && o.Others == r.Others && slices.Equal(o.Except, r.Except) {
			for _, name := range r.Actions {
				if at, ok := slices.BinarySearch(o.Actions, name); !ok {
					o.Actions = slices.Insert(slices.Clip(o.Actions), at, name)
				}
			}
			return list
		}
	}
	r.Actions = slices.Clone(r.Actions)
	slices.Sort(r.Actions)
	return append(list, r)
}

// comparer compares two policies for each class of actions and callers.
type comparer struct {
	data    *Data
	limits  Limits
	a, b    *Policy
	classes []actionClass
	callers []callerClass
	// canonical: a policy names canonical users
	canonical bool
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
	c.callers, c.canonical = callersOf(a, b)
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
		spec.ResourceAccount = ownersAccount
	}
	r, err := NewRequest(spec, data)
	if err != nil {
		panic("iam: " + err.Error()) // actions and principals are of policies that were compiled
	}
	return &scene{base: r, plain: class.plain, wide: caller.wide, anybody: caller.anybody, owned: caller.trusted}
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
		if s.deny != deny || s.matchAction(ev.req, ev) == no {
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
			_, p := c.beyond(a, b, allows, class, caller, work)
			if total = total.and(p); total.Verdict == Refuted {
				return total
			}
		}
	}
	return c.modelled(total)
}

// modelled takes back a proof about policies that the model does not cover.
func (c *comparer) modelled(p Proof) Proof {
	if p.Verdict == Proved && c.canonical {
		return Proof{Reason: "canonical users as principals are outside of the model"}
	}
	return p
}

// beyond looks for a request that one of the Allows of a lets in, and b does
// not: since no Allow of b does, or since a Deny of it forbids it.
func (c *comparer) beyond(a, b *Policy, allows []member, class actionClass, caller callerClass, work *int) ([]exclusion, Proof) {
	sc := c.base(class, caller)
	denies := members(a, true, sc, caller.trusted, false)
	confirm := c.confirm(caller, a, b, yes, no)
	total := Proof{Verdict: Proved}
	ask := func(some [][]member, none []member) []exclusion {
		one := *sc
		one.some, one.none = some, none
		s := &search{data: c.data, scenes: []*scene{&one}, confirm: confirm}
		p := s.run(c.limits, work)
		total = total.and(p)
		return s.residue
	}
	residue := ask([][]member{allows}, slices.Concat(denies, members(b, false, sc, caller.trusted, false)))
	if forbidden := members(b, true, sc, caller.trusted, false); total.Verdict != Refuted && len(forbidden) > 0 && !b.unread {
		residue = ask([][]member{allows, forbidden}, denies)
	}
	return residue, total
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
	return c.modelled(total)
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

// callerClass are callers that the policies of a question do not tell apart.
type callerClass struct {
	principal string
	wide      *word // the form of the ARN, where any of that form may call
	anybody   bool
	trusted   bool // the policies are those of a resource
}

// allows has Decide answer a request under one policy alone: one that its
// resource's account has the say over, or, for the policy of a resource, one of
// a caller of another account, which allows everything.
func (c *callerClass) allows(r *Request, p *Policy) (truth, RuleSet) {
	if r.kind == callerIdentity || r.kind == sessionToken {
		return p.lets(r), 0 // no policy is needed
	}
	set := &PolicySet{Identity: []*Policy{p}, Resource: handsOver(r.caller.Account)}
	if c.trusted {
		set = &PolicySet{Identity: []*Policy{allowAll}, Resource: p}
	}
	switch a := Decide(r, set, Documents); a.Decision {
	case Allowed:
		return yes, a.Contested
	case Unknown:
		return maybe, a.Contested
	default:
		return no, a.Contested
	}
}

// allowAll allows all there is.
var allowAll = Compile("everything", &Document{Version: Version2012, Statements: []Statement{{
	Effect: Allow, Action: &Texts{Values: []Text{{Value: "*"}}, Single: true}, Resource: &Texts{Values: []Text{{Value: "*"}}, Single: true},
}}}, nil)

const (
	// somebody is the principal of questions about identity policies.
	somebody = "arn:aws:iam::111122223333:user/somebody"
	// strangersAccount is that of callers who are in no account that a policy
	// names.
	strangersAccount = "999988887777"
	// ownersAccount owns the resources of questions about resource policies, and
	// has no callers in them.
	ownersAccount = "444455556666"
)

// callersOf are the kinds of caller that policies tell apart: nobody in
// particular, where none names a principal. canonical is set when one names a
// canonical user, which the model does not have.
func callersOf(policies ...*Policy) (callers []callerClass, canonicalUsers bool) {
	var listed, accounts []string
	trusted := false
	note := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	for _, p := range policies {
		for i := range p.statements {
			s := &p.statements[i]
			trusted = trusted || !s.noPrincipal
			for j := range s.principals {
				switch pr := &s.principals[j]; {
				case pr.other == canonical:
					canonicalUsers = true
				case pr.other != named:
				case pr.kind == RootUser:
					note(&accounts, pr.account)
				default:
					if c, ok := ParseCaller(pr.text); ok {
						note(&listed, pr.text)
						note(&accounts, c.Account)
					}
				}
			}
			for j := range s.conditions {
				c := &s.conditions[j]
				for _, v := range c.source.Values.Values {
					switch c.key {
					case "aws:principalaccount":
						note(&accounts, v.Value)
					case "aws:principalarn":
						if parts := strings.SplitN(v.Value, ":", 6); len(parts) == 6 {
							note(&accounts, parts[4])
						}
					default:
					}
				}
			}
		}
	}
	if !trusted {
		return []callerClass{{principal: somebody, anybody: true}}, false
	}
	add := func(principal string, wide *word) {
		callers = append(callers, callerClass{principal: principal, wide: wide, trusted: true})
	}
	add(AnonymousCaller, nil)
	for _, principal := range listed {
		add(principal, nil)
	}
	add("another-service.amazonaws.com", nil)
	for _, account := range append(accounts, strangersAccount) {
		if !isAccountID(account) && len(Holes(account)) == 0 {
			continue
		}
		prefix := "arn:aws:iam::" + account + ":"
		for _, kind := range []string{"user/", "role/"} {
			add(prefix+kind+"somebody", newWord(append(symbols(nil, prefix+kind), symbol{'*', 0}), true))
		}
		add(prefix+"root", nil)
	}
	return callers, canonicalUsers
}
