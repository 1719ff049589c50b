package iam

// Decision is AWS's answer to a request, as far as it can be told.
type Decision uint8

// The decisions. The zero value is Unknown, so that a forgotten answer is never
// a yes.
const (
	Unknown Decision = iota
	Allowed
	ImplicitDeny
	ExplicitDeny
)

func (d Decision) String() string {
	return [...]string{"unknown", "allowed", "implicit-deny", "explicit-deny"}[d]
}

// Gate is a step of evaluation that a request has to pass.
type Gate uint8

// The gates, in the order of evaluation.
const (
	NoGate       Gate = iota
	GateCaller        // the kind of caller cannot make the request
	GateAWSOwned      // the resource belongs to AWS
	GateSCP
	GateRCP
	GateEndpoint
	GateResource
	GateIdentity
	GateBoundary
	GateSession
)

func (g Gate) String() string {
	return [...]string{"", "caller", "aws-owned", "scp", "rcp", "endpoint", "resource", "identity", "boundary", "session"}[g]
}

// PolicySet is every policy that has a say over a request. Identity policies
// are all that apply to the principal; the levels of control policies run from
// the root of the organisation to the account. Nil control policies do not
// apply: as in the management account, or outside of any organisation.
type PolicySet struct {
	Identity []*Policy
	Resource *Policy // nil: the resource has no policy, or none was stated
	Boundary []*Policy
	Session  []*Policy
	SCPs     [][]*Policy
	RCPs     [][]*Policy // RCPFullAWSAccess is implied at each level
	Endpoint []*Policy   // of the VPC endpoint that the request came through
}

// Answer is a decision with what decided it.
type Answer struct {
	Decision Decision
	// Gate is the first that the request did not pass, or is not known to pass;
	// for an explicit deny, the one whose policy denies.
	Gate Gate
	// Policy and Statement are what decided: the Deny that matched, or the Allow
	// that let the request in. Policy is nil where nothing matched.
	Policy    *Policy
	Statement int
	// Contested are the rules that, read the other way, give another decision.
	Contested RuleSet
}

// evaluator is the state of one evaluation. It lives on the stack.
type evaluator struct {
	req     *Request
	set     *PolicySet
	other   RuleSet // rules read otherwise than the documents
	touched RuleSet // rules that were asked for
	steps   int     // spent on patterns

	bounded       bool // the caller has a permissions boundary
	wantPrincipal bool // statements of the policy at hand must name a principal
	refuseShort   bool // ARNs of fewer than six parts match nothing in it
}

// otherwise reports whether a contested rule is read otherwise than AWS's
// documents have it, and notes that the rule was asked for.
func (ev *evaluator) otherwise(r Rule) bool {
	ev.touched |= 1 << r
	return ev.other.Has(r)
}

// value is what is known of a context key.
func (ev *evaluator) value(key string) ([]string, presence) {
	v, ok := ev.req.context.of(key)
	switch {
	case ok && v.absent:
		return nil, absent
	case ok && v.unknown:
		return nil, unstated
	case ok:
		return v.values, present
	case ev.req.complete:
		return nil, absent
	}
	return nil, unstated
}

// Decide answers a request. It does not allocate, unless texts with holes or
// long policy variables have to be compared.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func Decide(r *Request, s *PolicySet, sem Semantics) Answer {
	ev := evaluator{req: r, set: s, other: sem.other}
	a := ev.decide()
	for rest := ev.touched; rest != 0; rest &= rest - 1 {
		rule := rest & -rest
		again := evaluator{req: r, set: s, other: sem.other ^ rule}
		if b := again.decide(); b.Decision != a.Decision {
			a.Contested |= rule
		}
	}
	return a
}

// deciding is the statement that stands for a truth.
type deciding struct {
	policy    *Policy
	statement int32
}

// tally is what a set of policies says of the request.
type tally struct {
	allow, deny     truth
	allowed, denied deciding
	how             grant // of a resource policy: how its Allows take the caller in
}

// of evaluates policies together.
func (ev *evaluator) of(policies []*Policy, t *tally) {
	for _, p := range policies {
		ev.policy(p, t)
	}
}

func (ev *evaluator) policy(p *Policy, t *tally) {
	if p.unread {
		if t.allow < maybe {
			t.allow, t.allowed = maybe, deciding{p, 0}
		}
		if t.deny < maybe {
			t.deny, t.denied = maybe, deciding{p, 0}
		}
		t.how.add(grant{maybe, maybe, maybe})
		return
	}
	for _, i := range p.candidates(ev.req) {
		s := &p.statements[i]
		if s.deny && t.deny == yes || !s.deny && t.allow == yes && !ev.wantPrincipal {
			continue
		}
		m, how, _ := s.match(ev)
		switch {
		case s.deny && m > t.deny:
			t.deny, t.denied = m, deciding{p, i}
		case !s.deny && m != no:
			t.how.add(how)
			if m > t.allow {
				t.allow, t.allowed = m, deciding{p, i}
			}
		}
	}
}

// tallies are what all policies say.
type tallies struct {
	scp, rcp, endpoint, resource, identity, boundary, session tally
}

// collect evaluates every set that has a say over the request.
func (ev *evaluator) collect(t *tallies) {
	c := &ev.req.caller
	ev.bounded = c.member() && c.Kind != RootUser && len(ev.set.Boundary) > 0
	ev.refuseShort = true
	t.scp.allow, t.rcp.allow, t.endpoint.allow = yes, yes, yes
	if ev.set.SCPs != nil && c.member() && (!c.ServiceLinked() || ev.otherwise(ServiceLinkedRoleSCP)) {
		ev.levels(ev.set.SCPs, &t.scp)
	}
	if ev.set.RCPs != nil && !c.ServiceLinked() && (ev.req.rcp || ev.req.action != "kms:retiregrant" && ev.otherwise(UnsupportedRCP)) {
		ev.levels(ev.set.RCPs, &t.rcp)
		t.rcp.allow = yes // RCPFullAWSAccess
	}
	if len(ev.set.Endpoint) > 0 {
		t.endpoint = tally{}
		ev.of(ev.set.Endpoint, &t.endpoint)
	}
	if ev.set.Resource != nil {
		ev.wantPrincipal = true
		ev.policy(ev.set.Resource, &t.resource)
		ev.wantPrincipal = false
		if ev.req.kind == bucketPolicy && c.Kind == RootUser {
			// source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
			t.resource.deny = min(t.resource.deny, ev.sameAccount().not())
		}
	}
	ev.refuseShort = false
	t.boundary.allow, t.session.allow = yes, yes
	if !c.member() || c.Kind == RootUser {
		return
	}
	ev.of(ev.set.Identity, &t.identity)
	if ev.bounded {
		t.boundary = tally{}
		ev.of(ev.set.Boundary, &t.boundary)
	}
	if len(ev.set.Session) > 0 {
		t.session = tally{}
		ev.of(ev.set.Session, &t.session)
	}
}

// levels evaluates control policies: each level must allow.
func (ev *evaluator) levels(levels [][]*Policy, t *tally) {
	t.allow = yes
	for _, level := range levels {
		var one tally
		ev.of(level, &one)
		if one.allow < t.allow {
			t.allow = one.allow
		}
		t.allowed = one.allowed
		if one.deny > t.deny {
			t.deny, t.denied = one.deny, one.denied
		}
	}
}

func (ev *evaluator) decide() Answer {
	var t tallies
	c := &ev.req.caller
	if ev.req.kind == callerIdentity || ev.req.kind == sessionToken && (c.Kind == User || c.Kind == RootUser) {
		return Answer{Decision: Allowed} // whatever the policies say
	}
	ev.collect(&t)
	path := ev.paths(&t)
	gates := [...]struct {
		gate Gate
		t    *tally
	}{
		{GateSCP, &t.scp}, {GateRCP, &t.rcp}, {GateEndpoint, &t.endpoint}, {GateResource, &t.resource},
		{GateIdentity, &t.identity}, {GateBoundary, &t.boundary}, {GateSession, &t.session},
	}
	deny := no
	var denied Answer
	for _, g := range gates {
		if g.t.deny > deny {
			deny = g.t.deny
			denied = Answer{Gate: g.gate, Policy: g.t.denied.policy, Statement: int(g.t.denied.statement)}
		}
	}
	if deny == yes {
		denied.Decision = ExplicitDeny
		return denied
	}
	// What is least certain decides; of several, the first.
	allow, failed := min(path.allow, t.scp.allow, t.endpoint.allow), path.gate
	for i := 2; i >= 0; i-- {
		if gates[i].t.allow == allow {
			failed = gates[i].gate
		}
	}
	if allow == no {
		if path.gate <= GateAWSOwned && path.allow == no {
			failed = path.gate
		}
		return Answer{Decision: ImplicitDeny, Gate: failed}
	}
	if deny == maybe && allow == yes {
		return denied
	}
	if allow == maybe {
		return Answer{Gate: failed, Policy: path.by.policy, Statement: int(path.by.statement)}
	}
	return Answer{Decision: Allowed, Policy: path.by.policy, Statement: int(path.by.statement)}
}

// way is one way in which a request may be let in.
type way struct {
	allow truth
	gate  Gate     // the first that is not passed
	by    deciding // the statement that lets it in
}

// best is the way that lets in more surely, the first of two that are equal.
func best(a, b way) way {
	if b.allow > a.allow {
		return b
	}
	return a
}

// through narrows a way by a gate behind it.
func (w way) through(t truth, g Gate) way {
	if t < w.allow {
		w.allow, w.gate = t, g
	}
	return w
}

func closedAt(g Gate) way { return way{gate: g} }

// paths finds the surest way in, past the control policies.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func (ev *evaluator) paths(t *tallies) way {
	r, c := ev.req, &ev.req.caller
	if r.awsOwned {
		return closedAt(GateAWSOwned)
	}
	resource := func(allow truth) way {
		return way{allow, GateResource, t.resource.allowed}
	}
	how := t.resource.how
	switch c.Kind {
	case Service, Federated, Anonymous, OriginAccess:
		if r.kind == sessionToken {
			return closedAt(GateCaller)
		}
		return resource(how.any())
	case RootUser:
		if r.action == "sts:assumerole" {
			return closedAt(GateCaller)
		}
	default:
	}
	identity := way{t.identity.allow, GateIdentity, t.identity.allowed}
	switch {
	case c.Kind == RootUser:
		identity = way{allow: yes}
		if ev.otherwise(RootAllowed) {
			identity = closedAt(GateIdentity)
		}
	case c.Kind == FederatedUser && len(ev.set.Session) == 0:
		identity = closedAt(GateSession)
	default:
		identity = identity.through(t.boundary.allow, GateBoundary).through(t.session.allow, GateSession)
	}
	// Across accounts the caller's side and the resource's must both allow.
	across := func() way {
		return best(closedAt(GateResource), resource(how.any())).through(identity.allow, identity.gate)
	}
	within := func() way {
		own := identity
		if r.kind == keyUse || r.kind == roleAssumption {
			// The resource's policy has to hand the decision to the account.
			own = resource(how.account).through(identity.allow, identity.gate)
			own.by = identity.by
			if identity.by.policy == nil {
				own.by = t.resource.allowed
			}
		}
		direct := resource(how.direct)
		if t.session.allow < direct.allow && ev.otherwise(SessionBypass) {
			direct = direct.through(t.session.allow, GateSession)
		}
		role := resource(how.role).through(t.boundary.allow, GateBoundary).through(t.session.allow, GateSession)
		w := best(best(own, direct), role)
		if w.allow == no && how.role != no && (own.gate == GateIdentity || own.gate == GateResource) {
			w.gate = role.gate
		}
		return w
	}
	switch ownAccount := ev.sameAccount(); ownAccount {
	case yes:
		return within()
	case no:
		return across()
	default:
		a, b := within(), across()
		if a.allow == b.allow {
			return a
		}
		a.allow, a.gate = maybe, GateResource
		return a
	}
}

// sameAccount reports whether the caller's account owns the resource.
func (ev *evaluator) sameAccount() truth {
	r := ev.req
	t := same(r.caller.Account, r.account)
	if !r.accountKnown {
		t = maybe
	}
	return t
}
