package access

import (
	"maps"
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// graph decides who can come to act as whom.
type graph struct {
	*world
	view       check.View
	techniques []*technique
	all        *iam.Policy // allows everything

	roles, users, functions, layers, queues, streams, permissions []*estate.Resource

	holders    map[holderKey]*holder
	actionKeys map[string]bool
	assumable  []*estate.Resource // roles that somebody else than a service may assume
	given      map[string]bool    // actions that the policy of some function, queue, stream or layer allows somebody
	walks      map[walkKey]walk
	steps      map[stepKey]walk
	arns       map[*estate.Resource]string
	aims       map[targetsKey][]target
	trust      map[trustKey]walk
	more       map[moreKey]more
	leaving    map[*holder][]*edge
	function   map[functionKey]walk
	classes    map[*iam.Policy][]string
	raised     map[*holder]*holder
	attempts   []attempt // of towardsFunctions; nil: not asked for yet
}

type walkKey struct {
	h     *holder
	group *group
	aim   *estate.Resource
}

type stepKey struct {
	h    *holder
	step *step
	held *estate.Resource
}

type trustKey struct {
	role    *estate.Resource
	service string
}

type functionKey struct {
	function *estate.Resource
	need     string
}

// posed is a request with the policies that bear on it.
type posed struct {
	spec iam.RequestSpec
	set  *iam.PolicySet
}

// walk is the answer to whether requests are allowed: those that are, and what
// would settle it where that is not known.
type walk struct {
	truth    estate.Truth
	requests []posed
	open     []posed // those of which it is not known
	gaps     []estate.Gap
}

var cannot = walk{truth: estate.False}

func (a walk) and(b walk) walk {
	if a.truth == estate.False || b.truth == estate.False {
		return cannot
	}
	return walk{a.truth.And(b.truth), slices.Concat(a.requests, b.requests), slices.Concat(a.open, b.open), slices.Concat(a.gaps, b.gaps)}
}

// or is the surer of two ways.
func (a walk) or(b walk) walk {
	if a.truth == estate.True || b.truth == estate.False || a.truth == estate.Maybe && b.truth == estate.Maybe {
		return a
	}
	return b
}

func maybeFor(reason, input string) walk {
	return walk{truth: estate.Maybe, gaps: []estate.Gap{{Reason: reason, Input: input}}}
}

func (g *graph) in(scopes []*estate.Scope) {
	for _, s := range scopes {
		for _, r := range s.OfType("AWS::IAM::Role") {
			g.roles = append(g.roles, r)
			if p := g.resourcePolicy(r, g.view); p != nil && letsPrincipals(p) {
				g.assumable = append(g.assumable, r)
			}
		}
		g.users = append(g.users, s.OfType("AWS::IAM::User")...)
		g.functions = append(g.functions, s.OfType("AWS::Lambda::Function")...)
		g.layers = append(g.layers, s.OfType("AWS::Lambda::LayerVersion")...)
		g.queues = append(g.queues, s.OfType("AWS::SQS::Queue")...)
		g.permissions = append(g.permissions, s.OfType("AWS::Lambda::Permission")...)
		g.streams = append(g.streams, s.OfType("AWS::Kinesis::Stream")...)
	}
}

// letsPrincipals reports whether a trust policy may let in somebody else than a
// service.
func letsPrincipals(p *iam.Policy) bool {
	return p.IsUnread() || slices.ContainsFunc(p.Document.Statements, func(s iam.Statement) bool {
		return s.Effect != iam.Deny && (s.NotPrincipal != nil || slices.ContainsFunc(s.Principal, func(p iam.Principals) bool {
			return p.Kind != "Service" && p.Kind != "Federated"
		}))
	})
}

// ask is the request of a step on a resource. held is that resource, or nil for
// one that the estate does not hold; fresh says that it is made for the purpose.
// free says that it has keys which the caller may choose.
func (g *graph) ask(h *holder, st *step, arn string, held *estate.Resource, fresh bool) (ask iam.Ask, free bool) {
	spec := iam.RequestSpec{Principal: h.spec.Principal, Action: st.Action, Resource: arn, ResourceAccount: h.account, Context: maps.Clone(h.spec.Context)}
	var there []string
	for k, v := range st.With {
		if v != nil && *v == "*" {
			there = append(there, k)
			continue
		}
		spec.Context[k] = nil
		if v != nil {
			spec.Context[k] = []string{strings.ReplaceAll(*v, "{partition}", g.partition(h))}
		}
	}
	set := &iam.PolicySet{Identity: h.identity, Boundary: h.boundary}
	keys := h.keys
	if held != nil {
		spec.ResourceAccount = g.account(held.Scope())
		switch {
		case st.Trusted:
			set.Resource = g.trusting(h)
		case held.Type != "AWS::IAM::Role" || st.Action == "sts:AssumeRole":
			set.Resource = g.resourcePolicy(held, g.view)
		}
		if set.Resource != nil {
			keys = slices.Concat(keys, set.Resource.Keys())
		}
	}
	free = g.settle(h, &spec, keys, held, fresh) || len(there) > 0
	ask = iam.Ask{Spec: spec, Set: set}
	for _, k := range there {
		ask = ask.Avoiding(k, nil)
	}
	return ask, free
}

func (g *graph) partition(h *holder) string {
	parts := strings.SplitN(h.spec.Principal, ":", 3)
	if len(parts) < 3 {
		return "aws"
	}
	return parts[1]
}

// trusting is a trust policy that names the holder.
func (g *graph) trusting(h *holder) *iam.Policy {
	name := h.spec.Principal
	if h.resource != nil {
		name = g.arn(h.resource, g.view)
	}
	return iam.Compile("a trust policy that names "+h.name, &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: iam.Allow, Action: one("sts:AssumeRole"), Principal: []iam.Principals{{Kind: "AWS", Values: *one(name)}},
	}}}, g.data)
}

// probe decides one request on one resource. What the caller may choose is looked
// for only where it matters.
func (g *graph) probe(ask iam.Ask, free bool) walk {
	r, err := iam.NewRequest(ask.Spec, g.data)
	if err != nil {
		return maybeFor("names are not known", g.words(ask.Spec.Action+" on "+ask.Spec.Resource))
	}
	a := iam.Decide(r, ask.Set, iam.Documents)
	switch {
	case a.Contested != 0:
		return g.contested(a.Contested)
	case a.Decision == iam.Allowed:
		return walk{truth: estate.True, requests: []posed{{ask.Spec, ask.Set}}}
	case a.Decision != iam.Unknown:
		return cannot
	case !free:
		return walk{truth: estate.Maybe, open: []posed{{ask.Spec, ask.Set}}}
	}
	return g.found([]iam.Ask{ask}, iam.Find([]iam.Ask{ask}, "", g.data, iam.Limits{}))
}

func (g *graph) contested(rules iam.RuleSet) walk {
	return maybeFor("AWS's documents leave it open", "rule "+rules.Rules()[0].String())
}

// found is what a search for requests comes to.
func (g *graph) found(asks []iam.Ask, p iam.Proof) walk {
	switch {
	case p.Verdict == iam.Proved:
		return cannot
	case p.Verdict == iam.Refuted && p.Contested != 0:
		return g.contested(p.Contested)
	case p.Verdict == iam.Refuted:
		w := walk{truth: estate.True}
		for i, spec := range p.Witness {
			w.requests = append(w.requests, posed{spec, asks[i].Set})
		}
		return w
	}
	w := walk{truth: estate.Maybe}
	for _, ask := range asks {
		if ask.Spec.Resource != "" {
			w.open = append(w.open, posed{ask.Spec, ask.Set})
		}
	}
	if len(g.missingOf(w)) == 0 {
		w.gaps = []estate.Gap{{Reason: "not decided", Input: g.words(asks[0].Spec.Action + ": " + p.Reason)}}
	}
	return w
}

// missingOf is what would settle requests of which nothing is known. A key that
// the caller may choose is not among it.
func (g *graph) missingOf(w walk) []estate.Gap {
	gaps := slices.Clone(w.gaps)
	for _, a := range w.open {
		if r, err := iam.NewRequest(a.spec, g.data); err == nil {
			for _, gap := range g.missing(verdict{a.spec, iam.Outline(r, a.set, iam.Documents)}) {
				if gap.Reason != missingKey || slices.Contains(a.spec.Unknown, strings.ToLower(gap.Input)) {
					gaps = append(gaps, gap)
				}
			}
		}
	}
	return distinct(gaps)
}

// may reports whether anything may let a holder do an action.
func (g *graph) may(h *holder, st *step) bool {
	if h.may(st.Action) || st.Trusted || st.Action == "sts:AssumeRole" {
		return true
	}
	yes, ok := g.given[st.Action]
	if !ok {
		for _, list := range [][]*estate.Resource{g.functions, g.layers, g.queues, g.streams} {
			yes = yes || slices.ContainsFunc(list, func(r *estate.Resource) bool {
				p := g.resourcePolicy(r, g.view)
				return p != nil && p.Concerns(st.Action, "")
			})
		}
		g.given[st.Action] = yes
	}
	return yes
}

// on decides the steps that are on one resource of the estate.
func (g *graph) on(h *holder, gr *group, held *estate.Resource, target *holder) walk {
	result := walk{truth: estate.True}
	arn, known := g.arns[held]
	if !known {
		arn = g.arn(held, g.view)
		g.arns[held] = arn
	}
	if arn == "" {
		return maybeFor("ARN is not known", held.Address)
	}
	for _, st := range gr.steps {
		who := h
		if st.By != "" {
			if who = target; who == nil {
				return cannot
			}
		}
		key := stepKey{who, st, held}
		one, known := g.steps[key]
		if !known {
			one = cannot
			given := g.resourcePolicy(held, g.view)
			for _, end := range st.endings() {
				if !st.Trusted && (given == nil || !given.Concerns(st.Action, "")) && !who.mayOn(st.Action, arn+end) {
					continue
				}
				if one = one.or(g.probe(g.ask(who, st, arn+end, held, false))); one.truth == estate.True {
					break
				}
			}
			g.steps[key] = one
		}
		if result = result.and(one); result.truth == estate.False {
			return cannot
		}
	}
	return result
}

// group decides the steps of a technique that are on the same resource. aim is
// what the technique is aimed at, target who acts with the gain.
func (g *graph) group(h *holder, gr *group, aim *estate.Resource, target *holder) walk {
	key := walkKey{h, gr, nil}
	if gr.bound {
		key.aim = aim
	}
	if w, ok := g.walks[key]; ok {
		return w
	}
	w := g.decideGroup(h, gr, aim, target)
	g.walks[key] = w
	return w
}

func (g *graph) decideGroup(h *holder, gr *group, aim *estate.Resource, target *holder) walk {
	some := func(list []*estate.Resource, gaps []estate.Gap) walk {
		best := cannot
		if len(gaps) > 0 {
			best = walk{truth: estate.Maybe, gaps: gaps}
		}
		for _, r := range list {
			w := g.on(h, gr, r, target)
			if w.truth != estate.False {
				w = w.and(g.exists(r))
			}
			for _, need := range gr.needs {
				if w.truth != estate.False {
					w = w.and(g.need(r, need))
				}
			}
			if best = best.or(w); best.truth == estate.True {
				break
			}
		}
		return best
	}
	switch gr.on {
	case "*":
		w := walk{truth: estate.True}
		for _, st := range gr.steps {
			if w = w.and(g.probe(g.ask(h, st, "*", nil, true))); w.truth == estate.False {
				break
			}
		}
		return w
	case "role", "user", "function", "layer":
		return g.on(h, gr, aim, target)
	case "code object":
		return g.codeObject(h, gr, aim)
	case "code repository":
		return g.codeRepository(h, gr, aim)
	case "own role":
		return some(g.self(h, "AWS::IAM::Role"), nil)
	case "own user":
		return some(g.self(h, "AWS::IAM::User"), nil)
	case "own policy":
		return some(g.ownPolicies(h))
	case "own function":
		return some(g.ownFunctions(h))
	case "any function":
		return some(g.functions, nil)
	case "queue":
		return some(g.queues, nil)
	case "stream":
		return some(g.streams, nil)
	}
	kind := strings.SplitN(gr.on, " ", 3)
	form := g.form(h, kind[1], kind[2], kind[0] == "made")
	if kind[0] == "made" {
		w := walk{truth: estate.True}
		for _, st := range gr.steps {
			w = w.and(g.probe(g.ask(h, st, form, nil, true)))
		}
		return w
	}
	return g.fresh(h, gr, form, target)
}

func (g *graph) self(h *holder, kind string) []*estate.Resource {
	if h.resource == nil || h.resource.Type != kind {
		return nil
	}
	return []*estate.Resource{h.resource}
}

func (g *graph) ownPolicies(h *holder) (list []*estate.Resource, gaps []estate.Gap) {
	if h.resource == nil {
		return nil, nil
	}
	for _, edge := range []string{"managedPolicies", "attachedPolicies"} {
		found, more := g.view.Related(h.resource, edge)
		list, gaps = append(list, found...), append(gaps, more...)
	}
	return list, gaps
}

func (g *graph) ownFunctions(h *holder) ([]*estate.Resource, []estate.Gap) {
	if h.function != nil {
		return []*estate.Resource{h.function}, nil
	}
	if h.resource == nil || h.resource.Type != "AWS::IAM::Role" {
		return nil, nil
	}
	return g.view.Related(h.resource, "functions")
}

// exists decides whether there is a resource, which may stand under a condition.
func (g *graph) exists(r *estate.Resource) walk {
	if r.Exists == nil {
		return walk{truth: estate.True}
	}
	v, open := g.view.Resolve(r.Exists)
	switch {
	case open || v == nil || v.Kind() != estate.KindBool:
		return maybeFor("not decided", r.ExistsInput)
	case v.AsBool():
		return walk{truth: estate.True}
	}
	return cannot
}

// form is the ARN of resources of a kind, with wildcards for their names; or,
// where AWS makes them up, with a name that is not known.
func (g *graph) form(h *holder, service, kind string, made bool) string {
	name := "*"
	if made {
		name = g.hole(iam.NameHole, "made "+service+" "+kind, estate.Gap{Reason: "known when it is made", Input: "name of the " + kind})
	}
	for _, a := range g.data.Actions(service) {
		for _, t := range a.Resources {
			if t.Name != kind {
				continue
			}
			var b strings.Builder
			for rest := t.ARN; rest != ""; {
				head, tail, found := strings.Cut(rest, "${")
				b.WriteString(head)
				if !found {
					break
				}
				var hole string
				hole, rest, _ = strings.Cut(tail, "}")
				switch {
				case hole == "Partition":
					b.WriteString(g.partition(h))
				case hole == "Region" && made:
					b.WriteString(g.regionOf(h))
				case hole == "Region":
					b.WriteString("*")
				case hole == "Account":
					b.WriteString(h.account)
				default:
					b.WriteString(name)
				}
			}
			return b.String()
		}
	}
	return ""
}

func (g *graph) regionOf(h *holder) string {
	if h.region != "" {
		return h.region
	}
	return g.hole(iam.SegmentHole, "AWS::Region", estate.Gap{Reason: estate.ReasonPseudoParameter, Input: "AWS::Region"})
}

// fresh decides steps on a resource whose name the principal chooses: there is a
// name with which all of them are allowed.
func (g *graph) fresh(h *holder, gr *group, form string, target *holder) walk {
	best := cannot
	var each func(i int, ends []string)
	each = func(i int, ends []string) {
		if best.truth == estate.True {
			return
		}
		if i == len(gr.steps) {
			best = best.or(g.freshWith(h, gr, ends, form, target))
			return
		}
		for _, end := range gr.steps[i].endings() {
			each(i+1, append(ends[:i:i], end))
		}
	}
	each(0, nil)
	return best
}

func (g *graph) freshWith(h *holder, gr *group, ends []string, form string, target *holder) walk {
	var asks []iam.Ask
	for i, st := range gr.steps {
		who := h
		if st.By != "" {
			if who = target; who == nil {
				return cannot
			}
		}
		ask, _ := g.ask(who, st, "", nil, true)
		ask.Below = ends[i]
		asks = append(asks, ask)
	}
	return g.found(asks, iam.Find(asks, form, g.data, iam.Limits{}))
}

// codeObject decides the steps on the object that a function's code is deployed
// from.
func (g *graph) codeObject(h *holder, gr *group, f *estate.Resource) walk {
	bucket, open := g.view.Resolve(f.Properties.Field("Code").Field("S3Bucket"))
	if bucket == nil || open {
		return cannot
	}
	arn := "arn:" + g.partition(h) + ":s3:::" + g.text(f.Scope(), bucket, g.view) + "/" + g.text(f.Scope(), f.Properties.Field("Code").Field("S3Key"), g.view)
	w := walk{truth: estate.True}
	for _, st := range gr.steps {
		w = w.and(g.probe(g.ask(h, st, arn, nil, false)))
	}
	return w
}

// codeRepository decides the steps on the repository of a function's image.
func (g *graph) codeRepository(h *holder, gr *group, f *estate.Resource) walk {
	image, open := g.view.Resolve(f.Properties.Field("Code").Field("ImageUri"))
	if image == nil || open {
		return cannot
	}
	uri := g.text(f.Scope(), image, g.view)
	host, path, ok := strings.Cut(uri, "/")
	labels := strings.SplitN(host, ".", 5) // ACCOUNT.dkr.ecr.REGION.…
	if !ok || len(labels) < 5 || labels[2] != "ecr" {
		return cannot
	}
	path, _, _ = strings.Cut(path, "@")
	if at := strings.LastIndexByte(path, ':'); at >= 0 {
		path = path[:at]
	}
	w := walk{truth: estate.True}
	for _, st := range gr.steps {
		w = w.and(g.probe(g.ask(h, st, "arn:"+g.partition(h)+":ecr:"+labels[3]+":"+labels[0]+":repository/"+path, nil, false)))
	}
	return w
}

// trusts asks whether a service may assume a role that is passed to it.
func (g *graph) trusts(role *estate.Resource, service string) walk {
	key := trustKey{role, service}
	if w, ok := g.trust[key]; ok {
		return w
	}
	spec := iam.RequestSpec{
		Principal: service, Action: "sts:AssumeRole", Resource: g.arn(role, g.view), ResourceAccount: g.account(role.Scope()), Context: map[string][]string{},
	}
	if service != "lambda.amazonaws.com" { // of which AWS does not say what it sends
		spec.Context["aws:SourceAccount"] = []string{g.account(role.Scope())}
	}
	w := cannot
	if policy := g.resourcePolicy(role, g.view); policy != nil {
		v, ok := g.decide(spec, &iam.PolicySet{Resource: policy})
		switch {
		case !ok:
			w = maybeFor("names are not known", role.Address)
		case v.x.Contested != 0:
			w = g.contested(v.x.Contested)
		case v.x.Decision == iam.Allowed:
			w = walk{truth: estate.True}
		case v.x.Decision == iam.Unknown:
			w = walk{truth: estate.Maybe, gaps: g.missing(v)}
		}
	}
	g.trust[key] = w
	return w
}
