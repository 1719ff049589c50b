package regime

import (
	"bytes"
	"slices"
	"strings"

	"assay/internal/estate"
)

// attachedPolicies is the edge from a role to managed policies.
const attachedPolicies = "managedPolicies"

// tie notes what a resource is tied to.
func (g *graph) tie(r *estate.Resource) {
	for _, e := range r.Edges() {
		kind := g.rules.edges[edgeName{r.Type, e.Rule.Name}]
		switch {
		case kind == noTie:
		case e.To == nil && e.Rule.Name == attachedPolicies: // see managed
		case e.To != nil && e.Rule.Pattern && !g.allows(r, e.To): // edges are drawn from what is denied as well
		case e.To != nil:
			g.join(r, e.To, kind, place(e.Rule)+under(e.When))
		case kind != dataTie || e.Outside && (g.rules.incidental[e.Rule.To] || e.Rule.Default != ""):
		case e.Outside:
			g.openAt(r, false, "what %s names in %s was not read", g.call(r), place(e.Rule))
		case !e.Rule.Pattern && !e.Rule.Mention: // statements are read below; what a variable holds, the role decides
			g.openAt(r, e.Rule.To == functionType, "what %s names in %s is not known: %s", g.call(r), place(e.Rule), e.Gap)
		}
	}
	switch {
	case r.Type == functionType:
		g.references(r, r.Properties.Path("Environment.Variables"), "its environment", false)
	case r.Type == roleType:
		for _, v := range listed(r.Properties.Field("Policies")) {
			g.statements(r, v, v.Field("PolicyDocument"))
		}
		for _, v := range listed(r.Properties.Field("ManagedPolicyArns")) {
			g.managed(r, v)
		}
	case r.Type == policyType:
		g.statements(r, r.Properties.Field("PolicyDocument"), r.Properties.Field("PolicyDocument"))
	case g.rules.walked[r.Type]:
		g.references(r, r.Properties, "its definition", true)
	}
}

// place is where an edge is stated.
func place(rule *estate.Rule) string {
	if rule.Pattern {
		return "a statement"
	}
	return rule.Property
}

func under(when []estate.Decision) string {
	var said []string
	for _, d := range when {
		said = append(said, d.Input+" = "+d.When)
	}
	if len(said) == 0 {
		return ""
	}
	return " (where " + strings.Join(said, ", ") + ")"
}

// join ties two resources, as a states it.
func (g *graph) join(a, b *estate.Resource, kind tieKind, where string) {
	if a == b {
		return
	}
	s := &statement{a, b, where}
	g.ends[a] = append(g.ends[a], end{b, kind, s})
	g.ends[b] = append(g.ends[b], end{a, kind, s})
}

// listed are the items of a list, in every case of it.
func listed(v *estate.Value) (all []*estate.Value) {
	each(v, func(v *estate.Value) {
		switch v.Kind() {
		case estate.KindAbsent, estate.KindNull:
		case estate.KindList:
			for _, item := range v.Items() {
				each(item, func(item *estate.Value) { all = append(all, item) })
			}
		default:
			all = append(all, v)
		}
	})
	return all
}

// references ties a resource to what its values refer to: functions, stores and
// what is of a class. whole says that what is not known there might name anything.
func (g *graph) references(r *estate.Resource, v *estate.Value, where string, whole bool) {
	v.Each(func(v *estate.Value) bool {
		switch v.Kind() {
		case estate.KindReference:
			to := g.find(r, v.Reference().Resource)
			if to == nil || to.Type != functionType && g.called[to.Type] == "" && g.classes[to] == nil && !(whole && to.Type == roleType) {
				return true
			}
			g.join(r, to, dataTie, where)
		case estate.KindUnknown, estate.KindDenied:
			if whole && v.Gap().Reason != estate.ReasonPseudoParameter {
				g.openAt(r, true, "what %s names in %s is not known: %s", g.call(r), where, v.Gap())
			}
		default:
		}
		return true
	})
}

// find is the resource that another one refers to.
func (g *graph) find(from *estate.Resource, id string) *estate.Resource {
	if r := from.Scope().Resource(id); r != nil {
		return r
	}
	return g.byID[id]
}

// statements ties a policy to what it lets one reach.
func (g *graph) statements(r *estate.Resource, whole, document *estate.Value) {
	if k := document.Kind(); k == estate.KindUnknown || k == estate.KindDenied || document == nil && (whole.Kind() == estate.KindUnknown || whole.Kind() == estate.KindDenied) {
		g.openAt(r, false, "what %s allows is not known: %s", g.call(r), whyNot(pick(document, whole)))
		return
	}
	each(document, func(document *estate.Value) {
		for _, st := range listed(document.Field("Statement")) {
			g.statement(r, st)
		}
	})
}

func pick(a, b *estate.Value) *estate.Value {
	if a != nil {
		return a
	}
	return b
}

func (g *graph) statement(r *estate.Resource, st *estate.Value) {
	switch st.Kind() {
	case estate.KindUnknown, estate.KindDenied:
		g.openAt(r, false, "what %s allows is not known: %s", g.call(r), st.Gap())
		return
	case estate.KindMap:
	default:
		return
	}
	if strings.EqualFold(st.Field("Effect").AsString(), "deny") {
		return
	}
	wide := st.Field("NotResource") != nil
	for _, v := range listed(st.Field("Resource")) {
		switch v.Kind() {
		case estate.KindString:
			wide = wide || strings.Trim(v.AsString(), "*") == "" || strings.HasPrefix(v.AsString(), "arn:") && strings.HasSuffix(v.AsString(), ":*") || strings.HasSuffix(v.AsString(), "/*") && strings.Count(v.AsString(), "/") == 1
		case estate.KindUnknown, estate.KindDenied:
			if v.Gap().Reason != estate.ReasonPseudoParameter {
				g.openAt(r, false, "what %s allows access to is not known: %s", g.call(r), v.Gap())
			}
		case estate.KindText:
			if !slices.ContainsFunc(v.Items(), func(p *estate.Value) bool { return p.Kind() == estate.KindReference }) {
				for _, p := range v.Items() {
					if p.Kind() == estate.KindUnknown && p.Gap().Reason != estate.ReasonPseudoParameter {
						g.openAt(r, false, "what %s allows access to is not known: %s", g.call(r), p.Gap())
					}
				}
			}
			g.references(r, v, "a statement", false)
		default:
			g.references(r, v, "a statement", false)
		}
	}
	if !wide {
		return
	}
	reaches := map[string]bool{}
	if st.Field("NotAction") != nil {
		reaches[anyService] = true
	}
	for _, v := range listed(st.Field("Action")) {
		service, action, _ := strings.Cut(strings.ToLower(v.AsString()), ":")
		switch {
		case strings.Trim(service, "*") == "":
			reaches[anyService] = true
		case !slices.ContainsFunc(g.rules.noData, func(prefix string) bool { return strings.HasPrefix(action, prefix) }):
			reaches[service] = true
		}
	}
	for _, service := range sorted(reaches) {
		if policies := g.wide[service]; len(policies) == 0 || policies[len(policies)-1] != r {
			g.wide[service] = append(policies, r)
		}
	}
}

// documents are the policies that a role or managed policy states itself.
func documents(r *estate.Resource) (all []*estate.Value) {
	if r.Type == policyType {
		return listed(r.Properties.Field("PolicyDocument"))
	}
	for _, policy := range listed(r.Properties.Field("Policies")) {
		all = append(all, listed(policy.Field("PolicyDocument"))...)
	}
	return all
}

// allows reports whether a statement of r that denies nothing may name a resource.
func (g *graph) allows(r, to *estate.Resource) bool {
	denies := false
	for _, document := range documents(r) {
		for _, st := range listed(document.Field("Statement")) {
			if strings.EqualFold(st.Field("Effect").AsString(), "deny") {
				denies = true
				continue
			}
			for _, v := range listed(st.Field("Resource")) {
				if g.mayName(r, v, to) {
					return true
				}
			}
		}
	}
	return !denies
}

// mayName reports whether a pattern in a policy of r may be of a resource.
func (g *graph) mayName(r *estate.Resource, v *estate.Value, to *estate.Resource) bool {
	var arn strings.Builder // ? for what is not written out
	parts := []*estate.Value{v}
	if v.Kind() == estate.KindText {
		parts = v.Items()
	}
	for _, p := range parts {
		switch p.Kind() {
		case estate.KindString:
			arn.WriteString(p.AsString())
		case estate.KindReference:
			named := g.find(r, p.Reference().Resource)
			if named == nil || named == to || g.called[named.Type] == "" { // an output of a stack is not followed here
				return true
			}
			if arn.Len() == 0 {
				return false // another store
			}
			arn.WriteByte('?')
		default:
			arn.WriteByte('?')
		}
	}
	fields := strings.SplitN(arn.String(), ":", 4)
	if len(fields) < 4 {
		return strings.Contains(arn.String(), "?")
	}
	return fields[2] == g.service[to.Type] || strings.ContainsAny(fields[2], "?*")
}

// anyService stands for every service in what a policy reaches.
const anyService = "*"

// managed notes what a managed policy that is not in the estate lets one reach.
func (g *graph) managed(r *estate.Resource, v *estate.Value) {
	name, aws := "", false
	switch v.Kind() {
	case estate.KindString:
		_, name, aws = strings.Cut(v.AsString(), ":iam::aws:policy/")
	case estate.KindText:
		if items := v.Items(); items[len(items)-1].Kind() == estate.KindString {
			_, name, aws = strings.Cut(items[len(items)-1].AsString(), ":iam::aws:policy/")
		}
	default:
	}
	if !aws {
		if !slices.ContainsFunc(r.Edges(), func(e estate.Edge) bool {
			return e.Rule.Name == attachedPolicies && e.To != nil && g.attaches(r, v, e)
		}) {
			g.openAt(r, false, "what %s reaches through the policy %s is not known, which was not read", g.call(r), v)
		}
		return
	}
	document := g.rules.document(name)
	if document == nil {
		g.openAt(r, false, "what %s reaches through AWS's policy %s is not known: the tables do not have it", g.call(r), name)
		return
	}
	g.statements(r, document, document)
}

// attaches reports whether a value of r is the one that states an edge. In a template
// the place tells; an account and a plan have no lines.
func (g *graph) attaches(r *estate.Resource, v *estate.Value, e estate.Edge) bool {
	switch at := v.Position(); {
	case at.Line > 0:
		return e.Position == at
	case v.Kind() == estate.KindReference:
		return g.find(r, v.Reference().Resource) == e.To
	case v.Kind() == estate.KindString:
		return e.To.ID == v.AsString() || e.To.Properties.Field("ManagedPolicyName").AsString() == v.AsString()[strings.LastIndexByte(v.AsString(), '/')+1:]
	}
	return false
}

// document is what a managed policy of AWS says; nil where the table does not have
// it.
func (t *ties) document(name string) *estate.Value {
	if v, known := t.read.Load(name); known {
		document, _ := v.(*estate.Value)
		return document
	}
	var document *estate.Value
	if at := bytes.Index(t.policies, []byte(`{"arn":"iam::aws:policy/`+name+`",`)); at >= 0 {
		line, _, _ := bytes.Cut(t.policies[at:], []byte("\n"))
		if v, err := estate.ParseJSON(line); err == nil {
			document = v.Field("document")
		}
	}
	t.read.Store(name, document)
	return document
}
