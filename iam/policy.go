package iam

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Policy is a document prepared for decisions. It does not change and is safe
// for many goroutines.
type Policy struct {
	Name       string // what explanations call it
	Document   *Document
	statements []statement
	unread     bool
	// services lists the statements that may name an action of a service, in
	// order; general are those for any other service.
	services []reach
	general  []int32
}

// reach are the statements of a policy that may name an action of a service.
// Most policies name few services, and most requests are of another one: the
// hash tells those apart.
type reach struct {
	hash       uint32
	service    string
	statements []int32
}

// hashOf is FNV-1a.
func hashOf(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// statement is a compiled statement.
type statement struct {
	deny        bool
	open        bool // it is not known whether the document has the statement
	notAction   bool
	notResource bool
	notPrinc    bool
	noResource  bool // there is no resource element: as in trust policies
	noPrincipal bool
	anyAction   bool // there is an Action "*"
	anyResource bool // there is a Resource "*"
	actions     []actionPattern
	resources   []arnPattern
	principals  []principal
	conditions  []condition
}

// actionPattern is a pattern over service:Name, in lower case.
type actionPattern struct {
	service string // "" is any
	name    pattern
	whole   bool // name is matched against the whole action
}

// Compile prepares a document. data may be nil; then no key is known to be a
// list.
func Compile(name string, d *Document, data *Data) *Policy {
	p := &Policy{Name: name, Document: d, statements: make([]statement, len(d.Statements))}
	form := patternForm{wildcards: true, variables: d.Version == Version2012, legacy: d.Version != Version2012, resource: true}
	named := map[string][]int32{}
	var everywhere []int32 // statements that name no service
	for i := range d.Statements {
		s := &d.Statements[i]
		p.statements[i] = compileStatement(s, form, data)
		actions := p.statements[i].actions
		if s.NotAction != nil || s.Action == nil || slices.ContainsFunc(actions, func(a actionPattern) bool { return a.service == "" }) {
			everywhere = append(everywhere, int32(i))
			continue
		}
		for j := range actions {
			service := actions[j].service
			if list := named[service]; len(list) == 0 || list[len(list)-1] != int32(i) {
				named[service] = append(list, int32(i))
			}
		}
	}
	p.general = everywhere
	for service, list := range named {
		list = append(list, everywhere...)
		slices.Sort(list)
		p.services = append(p.services, reach{hashOf(service), service, list})
	}
	slices.SortFunc(p.services, func(a, b reach) int { return cmp.Compare(a.hash, b.hash) })
	return p
}

// Unread is a policy that is there and could not be read: it may allow or deny
// anything.
func Unread(name string) *Policy {
	return &Policy{Name: name, unread: true, Document: &Document{}}
}

// NamesMembers reports whether some statement may let in principals of accounts:
// users, roles and sessions, and not services and identity providers alone.
func (p *Policy) NamesMembers() bool {
	if p.unread {
		return true
	}
	for i := range p.statements {
		s := &p.statements[i]
		if s.notPrinc {
			return true
		}
		for j := range s.principals {
			if k := s.principals[j].kind; k != Service && k != Federated && s.principals[j].other != residue {
				return true
			}
		}
	}
	return false
}

// IsUnread reports whether the policy could not be read.
func (p *Policy) IsUnread() bool { return p.unread }

func compileStatement(s *Statement, form patternForm, data *Data) statement {
	out := statement{
		deny:        s.Effect == Deny,
		open:        s.Open || s.Effect == NoEffect,
		notAction:   s.NotAction != nil,
		notResource: s.NotResource != nil,
		notPrinc:    s.NotPrincipal != nil,
		noResource:  s.Resource == nil && s.NotResource == nil,
		noPrincipal: s.Principal == nil && s.NotPrincipal == nil,
	}
	for _, list := range [...]*Texts{s.Action, s.NotAction} {
		if list == nil {
			continue
		}
		out.actions = slices.Grow(out.actions, len(list.Values))
		names := lowered(list.Values)
		for _, v := range list.Values {
			out.actions = append(out.actions, compileAction(names[:len(v.Value)]))
			names = names[len(v.Value):]
		}
	}
	for _, list := range [...]*Texts{s.Resource, s.NotResource} {
		if list == nil {
			continue
		}
		out.resources = slices.Grow(out.resources, len(list.Values))
		for _, v := range list.Values {
			out.resources = append(out.resources, compileARN(v.Value, form))
		}
	}
	out.anyAction = slices.ContainsFunc(out.actions, func(a actionPattern) bool { return a.service == "" && a.name.shape == all })
	out.anyResource = slices.ContainsFunc(out.resources, func(a arnPattern) bool { return a.any })
	out.principals = compilePrincipals(s.Principal)
	if out.notPrinc {
		out.principals = compilePrincipals(s.NotPrincipal)
	}
	out.conditions = slices.Grow(out.conditions, len(s.Condition))
	for i := range s.Condition {
		out.conditions = append(out.conditions, compileCondition(&s.Condition[i], form, data))
	}
	return out
}

// lowered is the texts one behind the other, in lower case: one text to keep in
// place of many.
func lowered(values []Text) string {
	var b strings.Builder
	n := 0
	for _, v := range values {
		n += len(v.Value)
	}
	b.Grow(n)
	for _, v := range values {
		for i := range len(v.Value) {
			c := v.Value[i]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}

// compileAction reads service:pattern, in lower case. The service is a literal; only "*" alone
// stands for every service.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func compileAction(s string) actionPattern {
	if strings.Trim(s, "*") == "" && s != "" || s == "*:*" {
		return actionPattern{name: pattern{shape: all}}
	}
	service, name, found := strings.Cut(s, ":")
	if !found || service == "" || hasHole(service) {
		if !hasHole(s) {
			service = "\x00" // no service: matches nothing
		} else {
			return actionPattern{name: compilePattern(s, patternForm{wildcards: true}), whole: true}
		}
	}
	return actionPattern{service: service, name: compilePattern(name, patternForm{wildcards: true})}
}

// Concerns reports whether an Allow of the policy may be about an action on a
// resource, or on any where that is empty, under some condition.
func (p *Policy) Concerns(action, resource string) bool {
	if p.unread {
		return true
	}
	action = lower(action)
	service, name, _ := strings.Cut(action, ":")
	ev := &evaluator{req: &Request{action: action, service: service, serviceHash: hashOf(service), name: name, resource: splitARN(resource), holes: hasHole(resource)}}
	for _, i := range p.candidates(ev.req) {
		if s := &p.statements[i]; !s.deny && s.matchAction(ev.req, ev) != no && (resource == "" || s.matchResource(ev.req, ev) != no) {
			return true
		}
	}
	return false
}

// Covers reports that the policy plainly allows all that others do: it denies
// nothing, and for every Allow of theirs that names its actions in full it has one
// of those actions on all resources without a condition. False is no answer.
func (p *Policy) Covers(others []*Policy) bool {
	if p.unread || slices.ContainsFunc(p.statements, func(s statement) bool { return s.deny }) {
		return false
	}
	plainly := func(action string) bool {
		service, name, found := strings.Cut(lower(action), ":")
		if !found || hasHole(action) || strings.ContainsAny(action, "*?") {
			return false
		}
		r := &Request{service: service, name: name, action: service + ":" + name}
		ev := &evaluator{req: r}
		return slices.ContainsFunc(p.statements, func(s statement) bool {
			return !s.open && len(s.conditions) == 0 && s.noPrincipal && !s.notResource &&
				slices.ContainsFunc(s.resources, func(a arnPattern) bool { return a.any }) && s.matchAction(r, ev) == yes
		})
	}
	for _, o := range others {
		if o.unread {
			return false
		}
		for _, s := range o.Document.Statements {
			if s.Effect == Deny {
				continue
			}
			if s.Action == nil || slices.ContainsFunc(s.Action.Values, func(t Text) bool { return !plainly(t.Value) }) {
				return false
			}
		}
	}
	return true
}

// Keys lists the condition keys that the policy asks for, in conditions and as
// variables, in lower case.
func (p *Policy) Keys() []string {
	set := map[string]bool{}
	for i := range p.statements {
		s := &p.statements[i]
		for j := range s.resources {
			s.resources[j].variables(set)
		}
		for j := range s.conditions {
			set[s.conditions[j].key] = true
			for k := range s.conditions[j].values {
				o := &s.conditions[j].values[k]
				o.pattern.variables(set)
				if o.arn != nil {
					o.arn.variables(set)
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// candidates lists the statements that may apply to an action of the service.
func (p *Policy) candidates(r *Request) []int32 {
	from := 0
	if len(p.services) > 16 {
		from, _ = slices.BinarySearchFunc(p.services, r.serviceHash, func(s reach, hash uint32) int { return cmp.Compare(s.hash, hash) })
	}
	for i := from; i < len(p.services) && p.services[i].hash <= r.serviceHash; i++ {
		if s := &p.services[i]; s.hash == r.serviceHash && s.service == r.service {
			return s.statements
		}
	}
	return p.general
}

// mismatch is the part of a statement that a request does not match.
type mismatch uint8

const (
	matched mismatch = iota
	wrongAction
	wrongResource
	wrongPrincipal
	wrongCondition
)

// match compares a statement with the request. how is meaningful for resource
// policies; at says which part told a statement apart that does not match.
func (s *statement) match(ev *evaluator) (t truth, how grant, at mismatch) {
	if t = s.matchAction(ev.req, ev); t == no {
		return no, grant{}, wrongAction
	}
	if t = min(t, s.matchResource(ev.req, ev)); t == no {
		return no, grant{}, wrongResource
	}
	how = grant{direct: yes}
	if s.noPrincipal {
		if ev.wantPrincipal {
			return no, grant{}, wrongPrincipal
		}
	} else {
		if how = s.matchPrincipal(ev); how.any() == no {
			return no, grant{}, wrongPrincipal
		}
		t = min(t, how.any())
	}
	for i := range s.conditions {
		if t = min(t, s.conditions[i].holds(ev)); t == no {
			return no, grant{}, wrongCondition
		}
	}
	if s.open {
		t = min(t, maybe)
	}
	return t, grant{min(how.account, t), min(how.role, t), min(how.direct, t)}, matched
}

func (s *statement) matchAction(r *Request, ev *evaluator) truth {
	t := no
	if s.anyAction {
		t = yes
	}
	for i := 0; i < len(s.actions) && t != yes; i++ {
		a := &s.actions[i]
		switch {
		case a.whole:
			t = max(t, a.name.match(r.action, ev))
		case a.service == "" || a.service == r.service:
			t = max(t, a.name.match(r.name, ev))
		}
	}
	if s.notAction {
		return t.not()
	}
	return t
}

// anyResource is what actions are asked of that work on no resource in
// particular.
var anyResource = splitARN("*")

func (s *statement) matchResource(r *Request, ev *evaluator) truth {
	if s.noResource || s.anyResource {
		return truthOf(!s.notResource)
	}
	t, on := no, &r.resource
	if r.buckets && ev.otherwise(AllBuckets) {
		on = &anyResource
	}
	for i := range s.resources {
		if t = max(t, s.resources[i].match(on, ev)); t == yes {
			break
		}
	}
	if s.notResource {
		return t.not()
	}
	return t
}

func (s *statement) matchPrincipal(ev *evaluator) grant {
	if !s.notPrinc {
		var g grant
		for i := range s.principals {
			g.add(s.principals[i].takes(&ev.req.caller, ev))
		}
		return g
	}
	if s.deny && ev.bounded {
		return grant{direct: yes} // whoever has a boundary is denied, listed or not
	}
	return grant{direct: s.spared(ev).not()}
}
