package iam

import (
	"maps"
	"slices"
	"strings"
)

// Ask is one request of a question: what is settled of it, and the policies that
// bear on it.
type Ask struct {
	// Spec settles the principal, the action and the context keys that it states.
	// Without a Resource the request may be on any; keys that it does not state
	// may have any value, or none.
	Spec RequestSpec
	Set  *PolicySet
	// Beyond, if it is there, must not allow the request: as if it were the
	// principal's only policy.
	Beyond *Policy

	// Below is what stands behind the shared resource in the resource of this
	// request: a qualifier, say. It is for asks without a resource.
	Below string

	// foreign: the principal is of another account than the resource, whatever is
	// known of the two.
	foreign bool
	// plain: the action has no resources, though the table does not know it. service
	// is that of any action that the table does not know.
	plain   bool
	service string
	wide    *word // any principal of that form, in place of the spec's
	forms   map[string]keyForm
}

// Avoiding is the ask with a key that the request states, with a value that is
// none of those.
func (a Ask) Avoiding(key string, values []string) Ask {
	form := keyForm{form: anyWord}
	for _, v := range values {
		form.avoid = append(form.avoid, newWord(symbols(nil, v), false))
	}
	a.forms = maps.Clone(a.forms)
	if a.forms == nil {
		a.forms = map[string]keyForm{}
	}
	a.forms[lower(key)] = form
	return a
}

// Find answers whether there are no requests, one for each ask, that are all
// allowed: Refuted has them as its witness. Asks without a resource share one,
// of the form of the pattern resource, in which '*' is a run without colons, or
// any where that is empty.
func Find(asks []Ask, resource string, data *Data, limits Limits) Proof {
	limits = limits.orDefault()
	work := limits.Work
	f := finder{asks: asks, data: data, limits: limits, work: &work}
	if resource != "" {
		f.form = formOf(resource)
	}
	return f.run()
}

// formOf is the word of a form of resources.
func formOf(pattern string) *word {
	list := symbols(nil, pattern)
	for i, s := range list {
		if s == (symbol{0, '*'}) {
			list[i] = symbol{segmentRun, 0}
		}
	}
	return newWord(list, false)
}

// finder looks for the requests of a question.
type finder struct {
	asks   []Ask
	form   *word
	data   *Data
	limits Limits
	work   *int
	// by, if it is set, is the statement that lets the first ask in.
	by *member
}

// option is one way in which an ask may come true: a statement of each group,
// and none of the others.
type option struct {
	some [][]member
	none []member
}

// run tries every combination of ways.
func (f *finder) run() (total Proof) {
	scenes := make([]*scene, len(f.asks))
	options := make([][]option, len(f.asks))
	for i, a := range f.asks {
		sc, err := a.scene(f.data)
		if err != nil {
			return Proof{Reason: err.Error()}
		}
		scenes[i], options[i] = sc, a.options(sc)
		if i == 0 && f.by != nil {
			options[i] = only(options[i], *f.by)
		}
		if len(options[i]) == 0 {
			return Proof{Verdict: Proved}
		}
	}
	total.Verdict = Proved
	var each func(i int) bool
	each = func(i int) bool {
		if i < len(f.asks) {
			for _, o := range options[i] {
				scenes[i].some, scenes[i].none = o.some, o.none
				if each(i + 1) {
					return true
				}
			}
			return false
		}
		s := &search{data: f.data, scenes: scenes, form: f.form, confirm: f.confirm}
		total = total.and(s.run(f.limits, f.work))
		return total.Verdict == Refuted
	}
	each(0)
	return total
}

// scene makes the request of an ask, whose resource is to be found where the ask
// names none.
func (a Ask) scene(data *Data) (*scene, error) {
	spec := a.Spec
	spec.ContextComplete = true
	if spec.Resource == "" {
		spec.Resource = "*"
	}
	r, err := NewRequest(spec, data)
	if err != nil {
		return nil, err
	}
	action := data.action(r.service, r.name)
	return &scene{data: data, base: r, service: a.service, plain: a.plain || action != nil && len(action.Resources) == 0, wide: a.wide, forms: a.forms, below: a.Below}, nil
}

// only keeps the options in which a statement has a part, with it alone.
func only(options []option, m member) (kept []option) {
	for _, o := range options {
		if at := slices.IndexFunc(o.some, func(g []member) bool { return slices.Contains(g, m) }); at >= 0 {
			o.some = slices.Clone(o.some)
			o.some[at] = []member{m}
			kept = append(kept, o)
		}
	}
	return kept
}

func (f *finder) confirm(specs []RequestSpec) (ok bool, contested RuleSet) {
	for i, spec := range specs {
		r, err := NewRequest(spec, f.data)
		if err != nil {
			return false, 0
		}
		a := Decide(r, f.asks[i].Set, Documents)
		contested |= a.Contested
		if a.Decision != Allowed || f.asks[i].Beyond != nil && f.asks[i].Beyond.lets(r) != no {
			return false, 0
		}
	}
	return true, contested
}

// lets reports whether a policy by itself allows a request: an Allow matches and
// no Deny.
func (p *Policy) lets(r *Request) truth {
	ev := &evaluator{req: r}
	var t tally
	ev.policy(p, &t)
	return min(t.allow, t.deny.not())
}

// options are the ways in which a request comes to be allowed, as [Decide] has
// them.
func (a Ask) options(sc *scene) []option {
	set, c := a.Set, &sc.base.caller
	bound := c.member() && c.Kind != RootUser
	of := func(list []*Policy, deny, trusted, control bool) (all []member) {
		for _, p := range list {
			all = append(all, members(p, deny, sc, trusted, control)...)
		}
		return all
	}
	var common option
	group := func(list []*Policy, control bool) {
		common.some = append(common.some, of(list, false, false, control))
		common.none = append(common.none, of(list, true, false, control)...)
	}
	if set.SCPs != nil && c.member() && !c.ServiceLinked() {
		for _, level := range set.SCPs {
			group(level, true)
		}
	}
	if set.RCPs != nil && !c.ServiceLinked() && sc.base.rcp {
		for _, level := range set.RCPs {
			common.none = append(common.none, of(level, true, false, true)...)
		}
	}
	if len(set.Endpoint) > 0 {
		group(set.Endpoint, true)
	}
	var resource []member
	if set.Resource != nil {
		resource = members(set.Resource, false, sc, true, true)
		common.none = append(common.none, members(set.Resource, true, sc, true, true)...)
	}
	own := option{}
	if bound {
		for _, list := range [][]*Policy{set.Identity, set.Boundary, set.Session} {
			common.none = append(common.none, of(list, true, false, false)...)
		}
		own.some = [][]member{of(set.Identity, false, false, false)}
	}
	var limits [][]member
	if bound && len(set.Boundary) > 0 {
		limits = append(limits, of(set.Boundary, false, false, false))
	}
	if bound && len(set.Session) > 0 {
		limits = append(limits, of(set.Session, false, false, false))
	}
	own.some = append(own.some, limits...)
	if c.Kind == FederatedUser && len(set.Session) == 0 {
		own.some = append(own.some, nil) // there is no way
	}
	ev := &evaluator{req: sc.base, bounded: bound && len(set.Boundary) > 0}
	by := func(way func(grant) truth) (some []member) {
		for _, m := range resource {
			if m.s == nil || way(m.s.matchPrincipal(ev)) != no {
				some = append(some, m)
			}
		}
		return some
	}
	any := func(g grant) truth { return g.any() }
	var ways []option
	with := func(groups ...[]member) {
		if slices.ContainsFunc(groups, func(g []member) bool { return len(g) == 0 }) {
			return
		}
		ways = append(ways, option{some: groups})
	}
	switch same := sameAccountOf(sc.base); {
	case !c.member():
		with(by(any))
	case same == no || a.foreign:
		with(append(slices.Clip(own.some), by(any))...)
	default:
		// Where it is not known whose the resource is, both readings are followed,
		// and Decide tells whether a request stands under either.
		if needsResource(sc.base) {
			with(append(slices.Clip(own.some), by(func(g grant) truth { return g.account }))...)
		} else {
			with(own.some...)
		}
		with(by(func(g grant) truth { return g.direct }))
		with(append(slices.Clip(limits), by(func(g grant) truth { return g.role }))...)
		if same == maybe {
			with(append(slices.Clip(own.some), by(any))...)
		}
	}
	var out []option
	for _, w := range ways {
		o := option{some: slices.Concat(common.some, w.some), none: common.none}
		if slices.ContainsFunc(o.some, func(g []member) bool { return len(g) == 0 }) {
			continue
		}
		if a.Beyond == nil {
			out = append(out, o)
			continue
		}
		forbidden := members(a.Beyond, true, sc, false, false)
		o.none = slices.Concat(o.none, members(a.Beyond, false, sc, false, false))
		out = append(out, o)
		if len(forbidden) > 0 && !a.Beyond.unread {
			out = append(out, option{some: append(slices.Clip(slices.Concat(common.some, w.some)), forbidden), none: common.none})
		}
	}
	return out
}

func sameAccountOf(r *Request) truth {
	ev := evaluator{req: r}
	return ev.sameAccount()
}

// needsResource reports whether the policy of the resource has to hand the
// decision to the account: KMS keys and roles that are assumed.
func needsResource(r *Request) bool {
	switch {
	case r.kind == keyUse || r.kind == roleAssumption:
		return true
	case r.resource.ok:
		return false
	}
	return r.service == "sts" && strings.HasPrefix(r.name, "assumerole")
}

// Effective lists what the policies let a principal do, by the statements of its
// identity policies: what remains of each under boundary, session and control
// policies and without what is denied. With a need, it lists what goes beyond.
// Spec settles the principal and what is known of its requests, and ResourceAccount
// whose resources they are about. What only the policy of a key or a role can
// hand over counts as handed over. The proof is as that of [Excess].
func Effective(spec RequestSpec, set *PolicySet, need *Policy, data *Data, limits Limits) ([]Residual, Proof) {
	limits = limits.orDefault()
	work := limits.Work
	over := *set
	if over.Resource == nil {
		over.Resource = HandsOver(spec.ResourceAccount)
	}
	var list []Residual
	total := Proof{Verdict: Proved}
	for _, class := range data.classes(statementsOf(set, need)) {
		a := Ask{Spec: spec, Set: &over, Beyond: need, plain: class.plain, service: class.service}
		a.Spec.Action, a.Spec.Resource = class.names[0], ""
		sc, err := a.scene(data)
		if err != nil {
			return nil, Proof{Reason: err.Error()}
		}
		for _, p := range set.Identity {
			for _, m := range members(p, false, sc, false, false) {
				f := finder{asks: []Ask{a}, data: data, limits: limits, work: &work, by: &m}
				proof := f.run()
				if proof.Verdict == Refuted {
					meets := func(other member) bool { return meet(data, sc, limits, &work, m, other) }
					list = addResidual(list, Residual{
						Actions: class.named(proof), Others: class.others, Unlisted: class.unlisted, Policy: m.policy, Statement: m.index, Witness: proof.Witness[0],
						Within: a.within(sc, meets), Except: a.except(sc, meets),
					})
				}
				total = total.list(proof)
			}
		}
	}
	hidden := need != nil && need.hidesServices(true) || slices.ContainsFunc(set.Identity, func(p *Policy) bool { return p.hidesServices(false) })
	return list, total.beside(hidden)
}

// within are the statements of boundaries, session and control policies that an
// excess is held to: none where one of a level lets everything through.
func (a Ask) within(sc *scene, meets func(member) bool) (list []Reference) {
	levels := [][]*Policy{a.Set.Boundary, a.Set.Session}
	levels = append(levels, a.Set.SCPs...)
	for _, level := range levels {
		var held []Reference
		for _, p := range level {
			for _, m := range members(p, false, sc, false, false) {
				switch {
				case m.s == nil:
				case m.s.boundless() && !m.s.notResource && len(m.s.conditions) == 0:
					held = nil
				case meets(m):
					held = append(held, Reference{m.policy, m.index})
					continue
				default:
					continue
				}
				break
			}
		}
		list = append(list, held...)
	}
	return list
}

// except are the statements that an excess has a part in common with and that
// take it away: Denies, and what the other side covers.
func (a Ask) except(sc *scene, meets func(member) bool) (list []Reference) {
	take := func(p *Policy, deny, trusted, control bool) {
		for _, m := range members(p, deny, sc, trusted, control) {
			if m.s != nil && meets(m) {
				list = append(list, Reference{m.policy, m.index})
			}
		}
	}
	for _, level := range slices.Concat([][]*Policy{a.Set.Identity, a.Set.Boundary, a.Set.Session}, a.Set.SCPs) {
		for _, p := range level {
			take(p, true, false, false)
		}
	}
	if a.Beyond != nil {
		take(a.Beyond, false, false, false)
	}
	return list
}

// meet reports whether there may be a request that two statements match.
func meet(data *Data, sc *scene, limits Limits, work *int, a, b member) bool {
	one := *sc
	one.some, one.none = [][]member{{a}, {b}}, nil
	s := &search{data: data, scenes: []*scene{&one}, confirm: func([]RequestSpec) (bool, RuleSet) { return true, 0 }}
	return s.run(limits, work).Verdict != Proved
}

// HandsOver is the policy by which a resource leaves decisions to an account.
func HandsOver(account string) *Policy {
	all := &Texts{Values: []Text{{Value: "*"}}, Single: true}
	return Compile("what resources hand over", &Document{Version: Version2012, Statements: []Statement{{
		Effect: Allow, Action: all, Resource: all,
		Principal: []Principals{{Kind: "AWS", Values: Texts{Values: []Text{{Value: account}}, Single: true}}},
	}}}, nil)
}

// statementsOf are all statements of a set of policies.
func statementsOf(set *PolicySet, more ...*Policy) (all []*statement) {
	lists := [][]*Policy{set.Identity, set.Boundary, set.Session, set.Endpoint, {set.Resource}, more}
	lists = append(lists, set.SCPs...)
	lists = append(lists, set.RCPs...)
	for _, list := range lists {
		for _, p := range list {
			if p == nil {
				continue
			}
			for i := range p.statements {
				all = append(all, &p.statements[i])
			}
		}
	}
	return all
}
