package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits bound a question over all requests, in time and memory. They count
// steps, so that the same question has the same answer on every machine.
type Limits struct {
	// Work is how many steps a question may take; a million take in the order of
	// a tenth of a second.
	Work int
	// States is how many states of joint patterns one step may build; each takes
	// some hundred bytes.
	States int
}

// DefaultLimits keep a question within about two seconds and 512 MB.
var DefaultLimits = Limits{Work: 10_000_000, States: 50_000}

func (l Limits) orDefault() Limits {
	if l.Work <= 0 {
		l.Work = DefaultLimits.Work
	}
	if l.States <= 0 {
		l.States = DefaultLimits.States
	}
	return l
}

// Verdict is the answer to a question over all requests.
type Verdict uint8

// The verdicts. The zero value is that nothing is known.
const (
	Undecided Verdict = iota
	Proved            // it holds for every request
	Refuted           // there is a request for which it does not
)

func (v Verdict) String() string { return [...]string{"unknown", "proved", "refuted"}[v] }

// Proof is a verdict with what it stands on.
type Proof struct {
	Verdict Verdict
	// Witness are the requests that refute: one, or as many as the question is
	// about, which then agree in their resource. [Decide] has confirmed them.
	Witness []RequestSpec
	// Contested are the rules on which the witness turns.
	Contested RuleSet
	// Reason says why nothing is known: the limit that was reached, or what is
	// outside of the model.
	Reason string
}

// scene is one request that a question looks for.
type scene struct {
	data  *Data
	base  *Request // with the keys that are settled
	plain bool     // the action has no resources
	some  [][]member
	none  []member
	keys  []string          // those that are to be found, in lower case, sorted
	spelt map[string]string // as policies write them
	known requestContext    // keys that are settled
	// service is set when the action is any of it that the table does not know.
	service string
	// wide is set when any principal of a form may make the request: its ARN is
	// then found as the key aws:PrincipalArn.
	wide *word
	// anybody: nothing is said of the principal, so that what follows from it is
	// to be found as well.
	anybody bool
	// below is what stands behind the shared resource in this request's.
	below string
	// owned: the resource's account is to be found where a key asks for it.
	owned bool
	// forms say what keys look like, beside that of a wide principal.
	forms map[string]keyForm
}

// keyForm is what is settled of a key that the request has.
type keyForm struct {
	form  *word
	avoid []*word
}

// member is a statement in a policy of some standing.
type member struct {
	s       *statement // nil: a policy that was not read, which may say anything
	policy  *Policy
	index   int
	trusted bool // a statement of a resource policy: it has to name a principal
	control bool // short ARNs match nothing in it
}

func (m member) match(ev *evaluator) truth {
	if m.s == nil {
		return maybe
	}
	ev.wantPrincipal, ev.refuseShort = m.trusted, m.control || m.trusted
	t, _, _ := m.s.match(ev)
	return t
}

// refuses reports whether an ARN of the statement matches nothing, since it is
// too short for a policy of this standing.
func (m member) refuses(resource int) bool {
	return m.s.resources[resource].short && !m.s.resources[resource].ended && (m.control || m.trusted)
}

// alwaysThere are the keys that every request has.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
var alwaysThere = map[string]bool{
	"aws:currenttime": true, "aws:epochtime": true, "aws:securetransport": true, "aws:principaltype": true, "aws:viaawsservice": true,
	"aws:principalisawsservice": true,
}

// search finds requests, one a scene, such that in every scene each group has a
// statement that matches and none of the others does. It is a search over what
// has to be so of the resource and of each key, guided by the evaluator: a
// request that satisfies what is asked so far is made, and where a statement
// matches it that must not, each way of not matching is followed. The ways cover
// all requests, so that a search that ends without a request is a proof.
type search struct {
	data    *Data
	scenes  []*scene
	form    *word // what the resource is to look like; nil: any ARN
	work    int
	vars    variables
	keys    keySolver
	words   map[placedARN][]compiledARN
	names   map[*pattern]*word // of actions
	seen    map[string]bool
	ids     map[placedDemand]int
	reason  string
	confirm func([]RequestSpec) (bool, RuleSet)
	found   *Proof
}

// placedDemand is a condition or word in one of the requests.
type placedDemand struct {
	scene int
	of    any
}

type placedARN struct {
	scene int
	arn   *arnPattern
}

type compiledARN struct {
	w    *word
	open bool
	// defaults: the pattern has a variable with a default.
	defaults bool
}

// node is what has to be so in a part of the search, with a request that is.
type node struct {
	pos, neg []*word
	resource []symbol
	names    []nameOf          // by scene
	keys     [][]keyConstraint // by scene and key
	values   [][]keyValue
	chosen   []member // by group, over all scenes
	lits     []int    // identities of what was added, in order
}

func (n *node) clone() *node {
	c := *n
	c.pos, c.neg = slices.Clip(n.pos), slices.Clip(n.neg)
	c.names, c.keys, c.values = slices.Clone(n.names), slices.Clone(n.keys), slices.Clone(n.values)
	for i := range c.keys {
		c.keys[i], c.values[i] = slices.Clone(n.keys[i]), slices.Clone(n.values[i])
	}
	c.chosen, c.lits = slices.Clip(n.chosen), slices.Clip(n.lits)
	return &c
}

// run answers whether there are no such requests. work is shared by the
// searches of one question.
func (s *search) run(limits Limits, work *int) Proof {
	s.work = *work
	s.words, s.names, s.seen, s.ids = map[placedARN][]compiledARN{}, map[*pattern]*word{}, map[string]bool{}, map[placedDemand]int{}
	s.keys = keySolver{text: textSolver{work: &s.work, states: limits.States}, vars: &s.vars, ev: evaluator{req: &Request{}}}
	root := &node{names: make([]nameOf, len(s.scenes)), keys: make([][]keyConstraint, len(s.scenes)), values: make([][]keyValue, len(s.scenes))}
	resource := false
	for i, sc := range s.scenes {
		resource = resource || !sc.plain
		sc.keys = sc.openKeys()
		sc.known = sc.fixed()
		for _, k := range sc.keys {
			keyType, _ := s.data.KeyType(k)
			c := keyConstraint{name: k, keyType: keyType, required: alwaysThere[k] || sc.wide != nil && k == "aws:username"}
			if sc.wide != nil && k == "aws:username" {
				c.avoid = []*word{emptyWord}
			}
			if f, ok := sc.forms[k]; ok {
				c.required, c.form, c.avoid = true, f.form, f.avoid
			}
			root.keys[i] = append(root.keys[i], c)
			root.values[i] = append(root.values[i], keyValue{absent: true})
		}
	}
	if resource {
		root.pos = []*word{anyARN}
		if s.form != nil {
			root.pos = []*word{s.form}
		}
		for _, sc := range s.scenes {
			if !sc.plain && sc.base.resource.ok {
				root.pos = []*word{textOfARN(sc.base.Spec.Resource)} // the question names it
			}
		}
	}
	if s.settle(root) {
		s.choose(root, 0, 0)
	}
	*work = s.work
	switch {
	case s.found != nil:
		return *s.found
	case s.work < 0:
		return Proof{Reason: fmt.Sprintf("the limit of %d steps was reached", limits.Work)}
	case s.reason != "":
		return Proof{Reason: s.reason}
	}
	return Proof{Verdict: Proved}
}

// openKeys are the keys that the statements ask for and that are not settled.
func (sc *scene) openKeys() []string {
	set := map[string]bool{}
	sc.spelt = map[string]string{"aws:principalarn": "aws:PrincipalArn"}
	note := func(m member) {
		if m.s == nil {
			return
		}
		for i := range m.s.conditions {
			set[m.s.conditions[i].key] = true
			if k := m.s.conditions[i].key; sc.spelt[k] == "" {
				sc.spelt[k] = m.s.conditions[i].source.Key
			}
			for j := range m.s.conditions[i].values {
				o := &m.s.conditions[i].values[j]
				o.pattern.variables(set)
				if o.arn != nil {
					o.arn.variables(set)
				}
			}
		}
		for i := range m.s.resources {
			m.s.resources[i].variables(set)
		}
	}
	for _, g := range sc.some {
		for _, m := range g {
			note(m)
		}
	}
	for _, m := range sc.none {
		note(m)
	}
	if sc.wide != nil {
		sc.forms = maps.Clone(sc.forms)
		if sc.forms == nil {
			sc.forms = map[string]keyForm{}
		}
		sc.forms["aws:principalarn"] = keyForm{form: sc.wide, avoid: []*word{newWord(sc.wide.symbols[:len(sc.wide.symbols)-1], true)}}
		set["aws:principalarn"] = true
	}
	for i := range sc.base.context {
		if k := sc.base.context[i].key; sc.settled(k) {
			delete(set, k)
		}
	}
	for k := range set {
		if sc.spelt[k] == "" {
			sc.spelt[k] = k
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// settled reports whether a key's value is a part of the question.
func (sc *scene) settled(key string) bool {
	if _, ok := sc.forms[key]; ok {
		return false
	}
	switch {
	case sc.owned && (key == "aws:resourceaccount" || key == "s3:resourceaccount"):
		return false
	case sc.anybody:
		return sc.stated(key)
	case sc.wide != nil:
		// A user has a name, which its ARN ends in; others have none.
		return (key != "aws:username" || sc.base.caller.Kind != User) && key != "aws:userid" || sc.stated(key)
	}
	return true
}

// stated reports whether the question itself states a key.
func (sc *scene) stated(key string) bool {
	for k := range sc.base.Spec.Context {
		if lower(k) == key {
			return true
		}
	}
	return false
}

func (a *arnPattern) variables(into map[string]bool) {
	for i := range a.parts {
		a.parts[i].variables(into)
	}
}

// variables notes the keys that a pattern has in it.
func (p *pattern) variables(into map[string]bool) {
	if p.glob == nil {
		return
	}
	for _, t := range p.glob.tokens {
		if t.kind == variable {
			into[t.text] = true
		}
	}
}

// unclear notes why an absence of requests would prove nothing.
func (s *search) unclear(format string, args ...any) {
	if s.reason == "" {
		s.reason = fmt.Sprintf(format, args...)
	}
}

// settle solves every part of a node anew.
func (s *search) settle(n *node) bool {
	if len(n.pos) > 0 && !s.settleResource(n) {
		return false
	}
	for i := range n.keys {
		if s.scenes[i].service != "" && !s.settleName(n, i) {
			return false
		}
		for k := range n.keys[i] {
			if !s.settleKey(n, i, k) {
				return false
			}
		}
	}
	return true
}

func (s *search) settleResource(n *node) bool {
	letters, st := s.keys.text.solve(n.pos, n.neg)
	if st == unsure {
		s.unclear("patterns of resources are beyond the limit of states, or turn on a text that is not known")
	}
	n.resource = letters
	return st == sat
}

func (s *search) settleKey(n *node, scene, key int) bool {
	s.enter(scene)
	c := &n.keys[scene][key]
	v, st := s.keys.solve(c)
	if st == unsure {
		s.unclear("the conditions on %s are outside of the model, or turn on a text that is not known", c.name)
	}
	n.values[scene][key] = v
	return st == sat
}

// enter makes patterns compile for a scene.
func (s *search) enter(scene int) {
	s.vars.scene, s.vars.fixed = scene, s.scenes[scene].known
}

// fixed are the settled keys. Keys that the search finds are not among them.
func (sc *scene) fixed() requestContext {
	if sc.wide == nil && len(sc.keys) == 0 {
		return sc.base.context
	}
	return slices.DeleteFunc(slices.Clone(sc.base.context), func(k contextKey) bool { return slices.Contains(sc.keys, k.key) })
}

// choose takes a statement of every group.
func (s *search) choose(n *node, scene, group int) {
	for scene < len(s.scenes) && group == len(s.scenes[scene].some) {
		scene, group = scene+1, 0
	}
	if scene == len(s.scenes) {
		s.exclude(n)
		return
	}
	for _, m := range s.scenes[scene].some[group] {
		if s.found != nil || s.work < 0 {
			return
		}
		s.takeName(n, scene, m, func(n *node) {
			s.take(n, scene, m, func(child *node) { s.choose(child, scene, group+1) })
		})
	}
}

// take follows each way in which a statement matches.
func (s *search) take(n *node, scene int, m member, then func(*node)) {
	s.work--
	sc := s.scenes[scene]
	child := n.clone()
	child.chosen = append(child.chosen, m)
	if m.s == nil {
		then(child)
		return
	}
	for i := range m.s.conditions {
		if !s.add(child, scene, &m.s.conditions[i], true) {
			return
		}
	}
	if sc.plain || m.s.noResource {
		then(child)
		return
	}
	if m.s.notResource {
		var words []*word
		for i := range m.s.resources {
			for _, w := range s.wordsOf(scene, &m.s.resources[i]) {
				if w.w != nil && !m.refuses(i) {
					words = append(words, w.w)
				}
			}
		}
		if s.avoid(child, words) {
			then(child)
		}
		return
	}
	for i := range m.s.resources {
		if s.found != nil || s.work < 0 {
			return
		}
		if m.refuses(i) {
			continue
		}
		for _, w := range s.wordsOf(scene, &m.s.resources[i]) {
			if way := child.clone(); s.reach(way, w) {
				then(way)
			}
		}
	}
}

// add makes a condition hold, or not hold.
func (s *search) add(n *node, scene int, c *condition, want bool) bool {
	k := slices.Index(s.scenes[scene].keys, c.key)
	if c.open || slices.ContainsFunc(c.values, func(o operand) bool { return o.open && c.comparison == compareNull }) {
		return true // the evaluator says what it is
	}
	if k < 0 {
		return c.holds(&evaluator{req: s.scenes[scene].base}) != truthOf(!want) || c.varies()
	}
	kc := &n.keys[scene][k]
	kc.lits = append(slices.Clip(kc.lits), demand{c, want})
	n.lits = append(n.lits, s.id(scene, c, want))
	return s.settleKey(n, scene, k)
}

// varies reports whether the condition has policy variables.
func (c *condition) varies() bool {
	set := map[string]bool{}
	for i := range c.values {
		c.values[i].pattern.variables(set)
		if c.values[i].arn != nil {
			c.values[i].arn.variables(set)
		}
	}
	return len(set) > 0
}

// reach makes the resource one that a pattern matches.
func (s *search) reach(n *node, c compiledARN) bool {
	switch {
	case c.open:
		return true // it may match anything
	case c.w == nil:
		return false
	}
	if c.defaults {
		s.unclear("a resource has a policy variable with a default")
	}
	n.pos = append(slices.Clip(n.pos), c.w)
	n.lits = append(n.lits, s.id(0, c.w, true))
	return s.settleResource(n)
}

// avoid makes the resource one that none of the words matches.
func (s *search) avoid(n *node, words []*word) bool {
	n.neg = append(slices.Clip(n.neg), words...)
	n.lits = slices.Grow(slices.Clip(n.lits), len(words))
	for _, w := range words {
		n.lits = append(n.lits, s.id(0, w, false))
	}
	return s.settleResource(n)
}

func (s *search) id(scene int, x any, want bool) int {
	at := placedDemand{scene, x}
	id, ok := s.ids[at]
	if !ok {
		id = len(s.ids)
		s.ids[at] = id
	}
	if want {
		return 2 * id
	}
	return 2*id + 1
}

// visited reports whether a node with the same demands has been followed.
func (s *search) visited(n *node) bool {
	ids := slices.Clone(n.lits)
	slices.Sort(ids)
	b := make([]byte, 0, 4*len(ids))
	for _, id := range slices.Compact(ids) {
		b = append(b, byte(id), byte(id>>8), byte(id>>16))
	}
	if s.seen[string(b)] {
		return true
	}
	s.seen[string(b)] = true
	return false
}

// exclude keeps the statements from matching that must not match.
func (s *search) exclude(n *node) {
	if s.work--; s.work < 0 || s.visited(n) {
		return
	}
	filled := s.fill(n)
	if filled == nil {
		return
	}
	specs := make([]RequestSpec, len(s.scenes))
	certain := true
	var worst truth
	var against member
	in, chosen := 0, 0
	for i, sc := range s.scenes {
		var r *Request
		var err error
		if specs[i], r, err = s.request(filled, i); err != nil {
			s.unclear("a request that was looked for cannot be made: %v", err)
			return
		}
		ev := &evaluator{req: r}
		s.work -= 50 + 20*len(sc.keys) + len(sc.none) + len(n.lits)/8 // making a request
		for range sc.some {
			switch n.chosen[chosen].match(ev) {
			case no:
				s.unclear("a statement of %s turns on a text that is not known", name(n.chosen[chosen].policy))
				return
			case maybe:
				certain = false
				s.unclear("%s is not wholly known", name(n.chosen[chosen].policy))
			default:
			}
			chosen++
		}
		for _, m := range sc.none {
			if t := m.match(ev); t > worst {
				worst, against, in = t, m, i
			}
			if worst == yes {
				break
			}
		}
	}
	if worst == no {
		if certain {
			s.conclude(specs)
		}
		return
	}
	if worst == maybe {
		s.unclear("%s is not wholly known", name(against.policy))
	}
	if against.s == nil {
		return
	}
	s.part(n, in, against)
}

func name(p *Policy) string {
	if p == nil || p.Name == "" {
		return "a policy"
	}
	return p.Name
}

// part follows each way in which a statement does not match.
func (s *search) part(n *node, scene int, m member) {
	follow := func(change func(*node) bool) {
		child := n.clone()
		before := len(child.lits)
		if s.found != nil || s.work < 0 || !change(child) {
			return
		}
		for _, id := range child.lits[before:] {
			if !slices.Contains(n.lits, id) {
				s.exclude(child)
				return
			}
		}
		// It is asked for already, and the evaluator did not see it so.
		s.unclear("a statement of %s turns on a text that is not known", name(m.policy))
	}
	s.partName(scene, m, follow)
	for i := range m.s.conditions {
		switch c := &m.s.conditions[i]; {
		case c.open:
		case slices.Contains(s.scenes[scene].keys, c.key):
			follow(func(child *node) bool { return s.add(child, scene, c, false) })
		case c.varies():
			s.unclear("the condition on %s has a policy variable", c.source.Key)
		}
	}
	switch {
	case s.scenes[scene].plain || m.s.noResource:
	case m.s.notResource:
		for i := range m.s.resources {
			for _, w := range s.wordsOf(scene, &m.s.resources[i]) {
				if !w.open && !m.refuses(i) {
					follow(func(child *node) bool { return s.reach(child, w) })
				}
			}
		}
	default:
		var words []*word
		for i := range m.s.resources {
			if m.s.resources[i].any {
				return // it matches every resource
			}
			for _, w := range s.wordsOf(scene, &m.s.resources[i]) {
				if w.w != nil && !m.refuses(i) {
					words = append(words, w.w)
				}
			}
		}
		if len(words) > 0 {
			follow(func(child *node) bool { return s.avoid(child, words) })
		}
	}
}

// fill gives a value to the keys that the solution's variables stand for. Other
// solutions may not have the variables, so that the node stays as it is.
func (s *search) fill(n *node) *node {
	need := map[int]bool{}
	note := func(letters []symbol) {
		for _, x := range letters {
			if x.kind == variableKey || x.kind == foldedVariable || x.kind == partVariable {
				need[int(x.r)] = true
			}
		}
	}
	note(n.resource)
	for i := range n.values {
		for _, v := range n.values[i] {
			for _, letters := range v.values {
				note(letters)
			}
		}
	}
	if len(need) == 0 {
		return n
	}
	n = n.clone()
	for _, v := range slices.Sorted(maps.Keys(need)) {
		at := s.vars.keys[v]
		k := slices.Index(s.scenes[at.scene].keys, at.key)
		if k < 0 || !n.values[at.scene][k].absent {
			continue
		}
		n.keys[at.scene][k].required = true
		if !s.settleKey(n, at.scene, k) {
			s.unclear("the policy variable ${%s} has no value", at.key)
			return nil
		}
	}
	return n
}

// name makes a user's name and ARN agree: the ARN ends in the name, unless
// something is asked of the ARN itself.
func (sc *scene) name(n *node, scene int) *node {
	user, arn := slices.Index(sc.keys, "aws:username"), slices.Index(sc.keys, "aws:principalarn")
	n = n.clone()
	if len(n.values[scene][user].values) != 1 || len(n.values[scene][arn].values) != 1 {
		return n
	}
	if len(n.keys[scene][arn].lits) == 0 {
		text := slices.Clone(sc.wide.symbols[:len(sc.wide.symbols)-1])
		n.values[scene][arn] = keyValue{values: [][]symbol{append(text, n.values[scene][user].values[0]...)}}
		return n
	}
	text := n.values[scene][arn].values[0]
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == (symbol{0, '/'}) {
			n.values[scene][user] = keyValue{values: [][]symbol{text[i+1:]}}
			break
		}
	}
	return n
}

// request makes a node's request in one scene.
func (s *search) request(n *node, scene int) (RequestSpec, *Request, error) {
	sc := s.scenes[scene]
	named := sc.wide != nil && sc.base.caller.Kind == User && slices.Contains(sc.keys, "aws:username")
	if named {
		n = sc.name(n, scene)
	}
	var value func(int) string
	depth := 0
	value = func(v int) string {
		at := s.vars.keys[v]
		k := slices.Index(s.scenes[at.scene].keys, at.key)
		if depth++; k < 0 || depth > 100 || len(n.values[at.scene][k].values) == 0 {
			return ""
		}
		return write(n.values[at.scene][k].values[0], value)
	}
	spec := sc.base.Spec
	spec.ContextComplete = true
	spec.Context = make(map[string][]string, len(spec.Context)+len(sc.keys))
	for k, v := range sc.base.Spec.Context {
		spec.Context[k] = v
	}
	for k, key := range sc.keys {
		v := n.values[scene][k]
		texts := make([]string, len(v.values))
		for i := range v.values {
			texts[i] = write(v.values[i], value)
		}
		spec.Context[sc.spelt[key]] = texts
		if sc.wide != nil && key == "aws:principalarn" {
			spec.Principal = texts[0]
			delete(spec.Context, sc.spelt[key])
		}
	}
	if sc.service != "" {
		spec.Action = sc.service + ":" + n.names[scene].text
	}
	if named {
		delete(spec.Context, sc.spelt["aws:username"]) // it follows
	}
	if !sc.plain {
		spec.Resource = write(n.resource, value) + sc.below
	}
	if sc.wide != nil {
		r, err := NewRequest(spec, s.data)
		return spec, r, err
	}
	r := *sc.base
	r.Spec, r.complete = spec, true
	r.action = lower(spec.Action)
	_, r.name, _ = strings.Cut(r.action, ":")
	r.context = slices.Clone(sc.base.context)
	for _, key := range sc.keys {
		v := spec.Context[sc.spelt[key]]
		r.context.put(key, contextValue{values: v, absent: len(v) == 0})
		r.holes = r.holes || slices.ContainsFunc(v, hasHole)
	}
	if !sc.plain {
		r.resource = splitARN(spec.Resource)
		r.holes = r.holes || r.resource.holes
	}
	return spec, &r, nil
}
