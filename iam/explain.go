package iam

import (
	"fmt"
	"slices"
	"strings"
)

// Explanation is an answer with the part of every statement in it.
type Explanation struct {
	Answer
	// Statements are those of all policies that were asked, in the order of the
	// gates.
	Statements []Part
	// Missing are the context keys that would settle an unknown answer, as the
	// policies write them, in order.
	Missing []string
	// Holes are the identities of the holes that would settle an unknown answer.
	Holes []int
	// Unread names the policies that would settle it.
	Unread []string
	// Outside lists what AWS would ask beside the policies and this package does
	// not model, such as KMS grants, where that could let the request in.
	Outside []string

	full bool // keep the statements that do not match
}

// Part is what one statement says of a request.
type Part struct {
	Gate      Gate
	Level     int // of a control policy: from the root of the organisation, 0
	Index     int // of the policy within its gate or level
	Policy    *Policy
	Statement int
	Action    string // of a call of a function URL, which of its two; otherwise ""
	Match     Match
	Why       string // why it does not match, or what is not known; "" for a match
}

// Match says whether a statement matches a request.
type Match uint8

// The answers of a statement. The zero value is that it does not match.
const (
	Matches    Match = Match(yes)
	MayMatch   Match = Match(maybe)
	MatchesNot Match = Match(no)
)

func (m Match) String() string { return [...]string{"no", "unknown", "yes"}[m] }

// Explain answers a request like [Decide] and says why.
func Explain(r *Request, s *PolicySet, sem Semantics) Explanation {
	return explain(r, s, sem, true)
}

// Outline is [Explain] with the statements that match alone.
func Outline(r *Request, s *PolicySet, sem Semantics) Explanation {
	return explain(r, s, sem, false)
}

func explain(r *Request, s *PolicySet, sem Semantics, full bool) Explanation {
	x := Explanation{Answer: Decide(r, s, sem), full: full}
	ev := &evaluator{req: r, set: s, other: sem.other}
	var t tallies
	ev.collect(&t)
	missing := &needs{}
	settled := &tally{allow: yes}
	walk := func(gate Gate, level int, policies []*Policy, told *tally) {
		if x.Decision == Unknown && !ev.swings(&t, gate) {
			told = settled
		}
		for i, p := range policies {
			x.explainPolicy(ev, Part{Gate: gate, Level: level, Index: i, Policy: p}, told, missing)
		}
	}
	c := &r.caller
	if t.asked(GateSCP, ev) {
		for i, level := range s.SCPs {
			var one tally
			ev.refuseShort = true
			ev.of(level, &one)
			walk(GateSCP, i, level, &one)
		}
	}
	if t.asked(GateRCP, ev) {
		for i, level := range s.RCPs {
			walk(GateRCP, i, level, settled)
		}
	}
	ev.refuseShort = true
	walk(GateEndpoint, 0, s.Endpoint, &t.endpoint)
	if s.Resource != nil {
		ev.wantPrincipal = true
		walk(GateResource, 0, []*Policy{s.Resource}, &tally{})
		ev.wantPrincipal = false
	}
	ev.refuseShort = false
	if c.member() && c.Kind != RootUser {
		walk(GateIdentity, 0, s.Identity, &t.identity)
		walk(GateBoundary, 0, s.Boundary, &t.boundary)
		walk(GateSession, 0, s.Session, &t.session)
	}
	if x.Decision == Unknown {
		if ev.sameAccount() == maybe && c.member() {
			missing.key("aws:ResourceAccount")
			missing.holes(r.account + c.Account)
		}
		missing.sort()
		x.Missing, x.Holes, x.Unread = missing.keys, missing.ids, missing.unread
	}
	if x.Decision != Allowed && x.Decision != ExplicitDeny {
		x.Outside = outside(r)
	}
	return x
}

// swings reports whether the answer depends on what the Allows of a gate come
// to, as far as they are not certain.
func (ev *evaluator) swings(t *tallies, g Gate) bool {
	with := func(v truth) truth {
		all := *t
		settle := func(t *truth) {
			if *t == maybe {
				*t = v
			}
		}
		one := &all.resource
		switch g {
		case GateSCP:
			one = &all.scp
		case GateEndpoint:
			one = &all.endpoint
		case GateIdentity:
			one = &all.identity
		case GateBoundary:
			one = &all.boundary
		case GateSession:
			one = &all.session
		default:
		}
		for _, of := range []*truth{&one.allow, &one.how.account, &one.how.role, &one.how.direct} {
			settle(of)
		}
		return min(ev.paths(&all).allow, all.scp.allow, all.endpoint.allow)
	}
	return with(yes) != with(no)
}

// asked reports whether control policies bind the request.
func (t *tallies) asked(g Gate, ev *evaluator) bool {
	c := &ev.req.caller
	if g == GateSCP {
		return c.member() && (!c.ServiceLinked() || ev.other.Has(ServiceLinkedRoleSCP))
	}
	return !c.ServiceLinked() && (ev.req.rcp || ev.req.action != "kms:retiregrant" && ev.other.Has(UnsupportedRCP))
}

// needs gathers what would settle an unknown answer.
type needs struct {
	keys   []string
	ids    []int
	unread []string
}

func (n *needs) key(k string) {
	if !slices.ContainsFunc(n.keys, func(o string) bool { return strings.EqualFold(o, k) }) {
		n.keys = append(n.keys, k)
	}
}

func (n *needs) holes(text string) {
	for _, id := range Holes(text) {
		if id < MaxHole-1 && !slices.Contains(n.ids, id) {
			n.ids = append(n.ids, id)
		}
	}
}

func (n *needs) sort() {
	slices.Sort(n.keys)
	slices.Sort(n.ids)
}

// explainPolicy adds the statements of one policy. told is what its set says as
// a whole: an Allow that is not certain matters only where no other is.
func (x *Explanation) explainPolicy(ev *evaluator, part Part, told *tally, missing *needs) {
	p := part.Policy
	if p.unread {
		part.Match, part.Why = MayMatch, "the policy was not read"
		x.Statements = append(x.Statements, part)
		missing.unread = append(missing.unread, p.Name)
		return
	}
	for i := range p.statements {
		s := &p.statements[i]
		t, _, at := s.match(ev)
		part.Statement, part.Match, part.Why = i, Match(t), ""
		written := &p.Document.Statements[i]
		switch {
		case t == yes:
		case !x.full && (t == no || x.Decision != Unknown):
			continue
		case t == no:
			part.Why = s.whyNot(ev, at)
		default:
			matters := &needs{}
			part.Why = s.whyOpen(written, ev, matters)
			if s.deny || told.allow != yes {
				for _, k := range matters.keys {
					missing.key(k)
				}
				for _, id := range matters.ids {
					if !slices.Contains(missing.ids, id) {
						missing.ids = append(missing.ids, id)
					}
				}
			}
		}
		if x.full || t == yes {
			x.Statements = append(x.Statements, part)
		}
	}
}

// whyNot says which part of a statement told it apart from the request.
func (s *statement) whyNot(ev *evaluator, at mismatch) string {
	r := ev.req
	switch at {
	case wrongAction:
		if s.notAction {
			return "its NotAction names " + r.Spec.Action
		}
		return "its Action does not name " + r.Spec.Action
	case wrongResource:
		if s.notResource {
			return "its NotResource names " + r.resource.whole
		}
		return "its Resource does not name " + r.resource.whole
	case wrongPrincipal:
		if s.noPrincipal {
			return "it has no Principal"
		}
		if s.notPrinc {
			return "its NotPrincipal spares " + r.Spec.Principal
		}
		return "its Principal does not name " + r.Spec.Principal
	default:
		for i := range s.conditions {
			if c := &s.conditions[i]; c.holds(ev) == no {
				return c.why(ev)
			}
		}
		return ""
	}
}

// why describes a condition that is not met.
func (c *condition) why(ev *evaluator) string {
	values, state := ev.value(c.key)
	has := "the request does not have the key"
	if state == present {
		has = "the request has " + quoted(values)
	}
	var want []string
	for _, v := range c.source.Values.Values {
		want = append(want, v.Value)
	}
	if state == present && c.quantifier == one && (len(values) > 1 || c.list) && c.comparison != compareNull {
		has += "; a key with several values needs ForAllValues or ForAnyValue"
	}
	return fmt.Sprintf("its condition %s %s %s is not met: %s", c.source.Operator, c.source.Key, quoted(want), has)
}

func quoted(values []string) string {
	if len(values) == 1 {
		return fmt.Sprintf("%q", values[0])
	}
	return fmt.Sprintf("%q", values)
}

// whyOpen says what keeps a statement from being decided.
func (s *statement) whyOpen(written *Statement, ev *evaluator, n *needs) string {
	var why []string
	note := func(text string) { why = append(why, text) }
	if s.open {
		note("whether the policy has it is not known")
	}
	if s.matchAction(ev.req, ev) == maybe {
		note("its actions are not all known")
		for _, list := range []*Texts{written.Action, written.NotAction} {
			list.each(n.holes)
		}
		n.holes(ev.req.Spec.Action)
	}
	if s.matchResource(ev.req, ev) == maybe {
		note("whether it names the resource depends on texts that are not known")
		for i := range s.resources {
			if a := &s.resources[i]; a.match(&ev.req.resource, ev) == maybe {
				a.needs(ev, n)
			}
		}
		for _, list := range []*Texts{written.Resource, written.NotResource} {
			list.each(n.holes)
		}
		n.holes(ev.req.Spec.Resource)
	}
	if !s.noPrincipal && s.matchPrincipal(ev).any() == maybe {
		note("whether it names the principal is not known")
		for i := range s.principals {
			p := &s.principals[i]
			n.holes(p.text)
			if p.other == canonical {
				n.key("s3:CanonicalUserId")
			}
		}
		n.holes(ev.req.Spec.Principal)
		if ev.req.caller.Kind == Role {
			n.key("aws:userid")
		}
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.holds(ev) != maybe {
			continue
		}
		values, state := ev.value(c.key)
		if state == unstated {
			note("the request does not say " + c.source.Key)
			n.key(c.source.Key)
			continue
		}
		note("its condition on " + c.source.Key + " is not decided")
		for _, v := range values {
			n.holes(v)
			if len(Holes(v)) > 0 && strings.Contains(v, pathHole) {
				n.key(c.source.Key)
			}
		}
		c.source.Values.each(n.holes)
		for j := range c.values {
			c.values[j].pattern.needs(ev, n)
			if a := c.values[j].arn; a != nil {
				a.needs(ev, n)
			}
		}
	}
	return strings.Join(why, "; ")
}

// each calls f with every text; t may be nil.
func (t *Texts) each(f func(string)) {
	if t == nil {
		return
	}
	for _, v := range t.Values {
		f(v.Value)
	}
}

// needs names the variables of a pattern that the request does not state.
func (p *pattern) needs(ev *evaluator, n *needs) {
	if p.glob == nil {
		return
	}
	for _, t := range p.glob.tokens {
		if t.kind != variable {
			continue
		}
		if _, state := ev.value(t.text); state == unstated {
			n.key(t.written)
		}
	}
}

func (a *arnPattern) needs(ev *evaluator, n *needs) {
	for i := range a.parts {
		a.parts[i].needs(ev, n)
	}
	if a.whole != nil {
		a.whole.needs(ev, n)
	}
}

// outside lists what could let a request in beside the policies.
func outside(r *Request) []string {
	var list []string
	switch r.service {
	case "kms":
		list = append(list, "KMS grants")
	case "s3":
		list = append(list, "S3 access control lists and access grants")
	case "lakeformation", "glue":
		list = append(list, "Lake Formation permissions")
	}
	if r.caller.member() && r.caller.Account != r.account && r.account != "" {
		list = append(list, "AWS RAM shares")
	}
	return list
}
