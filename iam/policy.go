package iam

import (
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
	// byService lists the statements that may name an action of the service, in
	// order; general are those for any other service.
	byService map[string][]int32
	general   []int32
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
	p := &Policy{Name: name, Document: d, statements: make([]statement, len(d.Statements)), byService: map[string][]int32{}}
	form := patternForm{wildcards: true, variables: d.Version == Version2012, legacy: d.Version != Version2012, resource: true}
	var services []string
	reach := make([][]string, len(d.Statements)) // services that a statement names; nil is any
	for i := range d.Statements {
		s := &d.Statements[i]
		p.statements[i] = compileStatement(s, form, data)
		if s.NotAction != nil || s.Action == nil {
			continue
		}
		reach[i] = []string{}
		for _, a := range p.statements[i].actions {
			if a.service == "" {
				reach[i] = nil
				break
			}
			reach[i] = append(reach[i], a.service)
		}
		services = append(services, reach[i]...)
	}
	slices.Sort(services)
	for _, service := range slices.Compact(services) {
		for i := range reach {
			if reach[i] == nil || slices.Contains(reach[i], service) {
				p.byService[service] = append(p.byService[service], int32(i))
			}
		}
	}
	for i := range reach {
		if reach[i] == nil {
			p.general = append(p.general, int32(i))
		}
	}
	return p
}

// Unread is a policy that is there and could not be read: it may allow or deny
// anything.
func Unread(name string) *Policy {
	return &Policy{Name: name, unread: true, Document: &Document{}}
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
	for _, list := range []*Texts{s.Action, s.NotAction} {
		if list == nil {
			continue
		}
		for _, v := range list.Values {
			out.actions = append(out.actions, compileAction(v.Value))
		}
	}
	for _, list := range []*Texts{s.Resource, s.NotResource} {
		if list == nil {
			continue
		}
		for _, v := range list.Values {
			out.resources = append(out.resources, compileARN(v.Value, form))
		}
	}
	out.principals = compilePrincipals(s.Principal)
	if out.notPrinc {
		out.principals = compilePrincipals(s.NotPrincipal)
	}
	for i := range s.Condition {
		out.conditions = append(out.conditions, compileCondition(&s.Condition[i], form, data))
	}
	return out
}

// compileAction reads service:pattern. The service is a literal; only "*" alone
// stands for every service.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func compileAction(s string) actionPattern {
	s = lower(s)
	if strings.Trim(s, "*") == "" && s != "" || s == "*:*" {
		return actionPattern{name: pattern{shape: all}}
	}
	service, name, found := strings.Cut(s, ":")
	if !found || hasHole(service) {
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
	ev := &evaluator{req: &Request{action: action, service: service, name: name, resource: splitARN(resource), holes: hasHole(resource)}}
	for _, i := range p.candidates(service) {
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
func (p *Policy) candidates(service string) []int32 {
	if list, ok := p.byService[service]; ok {
		return list
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
	for i := range s.actions {
		a := &s.actions[i]
		switch {
		case a.whole:
			t = max(t, a.name.match(r.action, ev))
		case a.service == "" || a.service == r.service:
			t = max(t, a.name.match(r.name, ev))
		}
		if t == yes {
			break
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
	if s.noResource {
		return yes
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
