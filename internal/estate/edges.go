package estate

import (
	"regexp"
	"slices"
	"strings"
)

// Decision is one choice under which something holds: the input has the value.
type Decision struct {
	Input, When string
}

// Edge is one relation between two resources.
type Edge struct {
	Rule *Rule
	From *Resource
	// To is the resource at the other end, or nil when it was not read.
	To *Resource
	// Gap says what is known of the other end when To is nil.
	Gap Gap
	// Outside is set when the other end is certainly not in the scope: an ARN
	// or name that nothing here has.
	Outside bool
	// Dangling is set, beside Outside, when what is named may not exist: not all
	// was read where it would be. What certainly does not exist has no edge.
	Dangling bool
	// When lists the decisions under which the edge is there; empty: always.
	When []Decision
	// Position is where the edge is stated.
	Position Position
}

// Related lists the edges of one name at r, seen from r: those it states and
// those that end at it. For edges that end at r, an edge of another resource
// that may end anywhere is included with To nil.
func (r *Resource) Related(name string) []Edge {
	var found []Edge
	for _, e := range r.out {
		if e.Rule.Name == name {
			found = append(found, e)
		}
	}
	for _, e := range r.in {
		if e.Rule.Inverse == name {
			found = append(found, e)
		}
	}
	for _, s := range r.scope.group.scopes {
		found = append(found, s.open[openEnd{name, r.Type}]...)
	}
	return found
}

// MayMiss reports why there may be more at the edges of one name than
// [Resource.Related] lists: resources at the other end may not have been read.
// What belongs to a resource that was looked for was read with it, and what leads
// to no function is no part of the workloads.
func (r *Resource) MayMiss(name string) (Gap, bool) {
	end := openEnd{name, r.Type}
	opposite, ok := r.scope.model.opposite[end]
	if !ok {
		return Gap{}, false
	}
	switch state, _ := r.scope.covered(opposite); {
	case state == CoverageLinked, state == CoverageNamed && r.scope.model.attached[end] && r.Exists == nil:
		return Gap{}, false
	case state == CoverageNamed && r.scope.model.byDefault[end]:
		return Gap{}, false // what r names by default was looked for
	}
	complete, gap := r.scope.Complete(opposite)
	if !complete && r.scope.onlyStacks(opposite) && r.hiddenFromStacks(name) {
		return Gap{}, false
	}
	return gap, !complete
}

// ReasonNoValue is the gap of a template's parameter that is given no value, and
// has no default.
const ReasonNoValue = "parameter without value"

// ReasonOwnTemplate ends the reason for which a scope does not have the resources
// of a stack that it makes: their template was not read.
const ReasonOwnTemplate = "in a template of their own"

// onlyStacks reports whether resources of a type are missing for that reason
// alone.
func (s *Scope) onlyStacks(typeName string) bool {
	for _, member := range s.group.scopes {
		for _, c := range member.coverage {
			if c.State != CoverageComplete && (c.Type == "*" || c.Type == typeName) && !strings.HasSuffix(c.Reason, ReasonOwnTemplate) {
				return false
			}
		}
	}
	return !s.model.accountLevel(typeName)
}

// hiddenFromStacks reports whether no stack that the scope makes can name r: AWS
// makes up its name, and no stack is handed it, or what stands for it. A parameter
// of the template itself cannot hold a name that is made up when it is deployed.
func (r *Resource) hiddenFromStacks(edge string) bool {
	id, named := r.scope.model.edges.Identities[r.Type]
	if !named || id.Name != "" && r.Properties.Field(id.Name) != nil || strings.HasPrefix(r.ID, "arn:") {
		return false
	}
	standing := []string{r.Type}
	for i := range r.scope.model.edges.Rules {
		rule := &r.scope.model.edges.Rules[i]
		if rule.Inverse != edge || rule.To != r.Type {
			continue
		}
		if rule.Pattern {
			return false
		}
		standing = append(standing, rule.Through...)
	}
	for _, member := range r.scope.group.scopes {
		for _, stack := range slices.Concat(member.byType["AWS::CloudFormation::Stack"], member.byType["AWS::Serverless::Application"]) {
			handed := false
			stack.Properties.Each(func(v *Value) bool {
				switch {
				case v.Kind() == KindDenied, v.Kind() == KindUnknown && v.Gap().Reason != ReasonPseudoParameter && v.Gap().Reason != ReasonNoValue:
					handed = true
				case v.Kind() == KindReference:
					t := member.find(v.Reference().Resource)
					handed = handed || t == r || t != nil && t.Type != r.Type && slices.Contains(standing, t.Type)
				}
				return !handed
			})
			if handed {
				return false
			}
		}
	}
	return true
}

// openEnd names the edges of one kind that may end at any resource of a type.
type openEnd struct{ inverse, to string }

// Functions are the Lambda functions that a finding about r concerns: r
// itself, or the functions tied to it directly, or else through one resource
// between. Ordered by logical id.
func (r *Resource) Functions() []*Resource {
	const function = "AWS::Lambda::Function"
	if r.Type == function {
		return []*Resource{r}
	}
	near := r.neighbours()
	found := onlyType(near, function)
	if len(found) == 0 {
		for _, n := range near {
			found = append(found, onlyType(n.neighbours(), function)...)
		}
	}
	slices.SortFunc(found, func(a, b *Resource) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return slices.Compact(found)
}

func (r *Resource) neighbours() []*Resource {
	var near []*Resource
	for _, e := range r.out {
		if e.To != nil {
			near = append(near, e.To)
		}
	}
	for _, e := range r.in {
		near = append(near, e.From)
	}
	return near
}

func onlyType(resources []*Resource, name string) []*Resource {
	var found []*Resource
	for _, r := range resources {
		if r.Type == name {
			found = append(found, r)
		}
	}
	return found
}

// resolveEdges finds what every resource of the scope names.
func resolveEdges(s *Scope) {
	x := resolver{scope: s}
	for _, r := range s.resources {
		for _, rule := range s.model.byFrom[r.Type] {
			r.out = append(r.out, x.edges(r, rule)...)
		}
		slices.SortStableFunc(r.out, func(a, b Edge) int { return strings.Compare(a.Rule.Name, b.Rule.Name) })
	}
}

// endEdges notes the edges of a scope where they end.
func endEdges(s *Scope) {
	s.open = map[openEnd][]Edge{}
	for _, r := range s.resources {
		for _, e := range r.out {
			switch end := (openEnd{e.Rule.Inverse, e.Rule.To}); {
			case e.To != nil:
				e.To.in = append(e.To.in, e)
			case !e.Outside:
				s.open[end] = append(s.open[end], e)
			}
		}
	}
}

type resolver struct{ scope *Scope }

// edges resolves one rule for one resource. A resource that is named twice
// under the same decisions gives one edge.
func (x resolver) edges(r *Resource, rule *Rule) []Edge {
	var found []Edge
	add := func(v *Value, when []Decision) {
		for _, e := range x.targets(r, rule, v) {
			if rule.Mention && e.Outside {
				continue
			}
			e.Rule, e.From = rule, r
			e.When = append(slices.Clone(when), e.When...)
			if e.Position.IsZero() {
				e.Position = v.Position()
			}
			if !slices.ContainsFunc(found, e.same) {
				found = append(found, e)
			}
		}
	}
	x.walk(r.Properties, rule.path, nil, func(v *Value, when []Decision) {
		if v != nil {
			add(v, when)
			return
		}
		if rule.Default != "" {
			for _, name := range alternatives(x.nameOf(r), when) {
				for _, e := range x.named(rule, alternative{rule.named(name.value), name.when}, rule.named(name.value), x.scope.place, false) {
					e.Rule, e.From, e.Position = rule, r, r.Source
					found = append(found, e)
				}
			}
		}
	})
	return found
}

func (e Edge) same(f Edge) bool {
	return e.To == f.To && e.Gap == f.Gap && slices.Equal(e.When, f.When)
}

// named is the name that the rule assumes for a resource of that name.
func (r *Rule) named(name *Value) *Value {
	before, after, _ := strings.Cut(r.Default, "{name}")
	return Text(String(before), name, String(after))
}

// walk calls f with every value at path, and with nil where there is none.
func (x resolver) walk(v *Value, path []string, when []Decision, f func(*Value, []Decision)) {
	if v.Kind() == KindOneOf {
		for _, c := range v.Cases() {
			x.walk(c.Value, path, append(slices.Clone(when), Decision{v.Input(), c.When}), f)
		}
		return
	}
	if len(path) == 0 || v == nil || v.Kind() == KindUnknown || v.Kind() == KindDenied {
		f(v, when)
		return
	}
	if path[0] == "*" {
		for _, field := range v.Fields() {
			x.walk(field.Value, path[1:], when, f)
		}
		return
	}
	name, list := strings.CutSuffix(path[0], "[]")
	inner := v.Field(name)
	if !list {
		x.walk(inner, path[1:], when, f)
		return
	}
	if inner.Kind() == KindOneOf {
		for _, c := range inner.Cases() {
			x.walk(v.With(name, c.Value), path, append(slices.Clone(when), Decision{inner.Input(), c.When}), f)
		}
		return
	}
	if inner.Kind() != KindList {
		x.walk(inner, path[1:], when, f) // one alone, as policies may write it
		return
	}
	for _, item := range inner.Items() {
		x.walk(item, path[1:], when, f)
	}
}

// targets finds what v names.
func (x resolver) targets(r *Resource, rule *Rule, v *Value) []Edge {
	if rule.Pattern {
		if v = named(v); v == nil {
			return nil
		}
		if v.Kind() == KindText && v.items[0].Kind() == KindReference {
			return x.referenced(r, rule, v.items[0].Reference()) // that resource's ARN, and no other
		}
	}
	if rule.Within && (v.Kind() == KindText || v.Kind() == KindString) {
		return x.within(r, rule, v)
	}
	switch v.Kind() {
	case KindReference:
		return x.referenced(r, rule, v.Reference())
	case KindText:
		for _, p := range v.Items() {
			if p.Kind() == KindReference {
				if found := x.referenced(r, rule, p.Reference()); len(found) > 0 {
					return found
				}
			}
		}
		return x.byName(rule, v, true)
	case KindString:
		if v.s == "" {
			return nil
		}
		return x.byName(rule, v, true)
	case KindUnknown, KindDenied:
		outside := slices.Contains([]string{ReasonLocalCode, ReasonWrittenOut, ReasonNotLetIn}, v.Gap().Reason)
		return []Edge{{Gap: v.Gap(), Outside: outside}}
	case KindList:
		var all []Edge
		for _, item := range v.Items() {
			all = append(all, x.targets(r, rule, item)...)
		}
		return all
	default:
		return nil
	}
}

// ReasonLocalCode is the gap of a package that is uploaded before a stack is
// deployed: to a bucket or repository that the stack does not make.
const ReasonLocalCode = "local code gets its place when it is deployed"

// ReasonWrittenOut is the gap of an id that a plan does not show because it is
// written out: of a thing that exists already, and that the plan does not make.
const ReasonWrittenOut = "a plan does not show what is written out"

// ReasonNotLetIn is the gap of what a live resource leads to that was not asked,
// and that no function which was read lets in.
const ReasonNotLetIn = "no function lets it in, so that it was not asked for; --all-resources asks for all"

// named is a pattern of ARNs as the name of one resource, any region and account
// left out; nil when it is of no one resource's name.
func named(v *Value) *Value {
	items, ok := textParts(v)
	if !ok {
		return v
	}
	if items[0].Kind() == KindString && !strings.HasPrefix(items[0].s, "arn:") {
		return nil
	}
	parts := make([]*Value, len(items))
	for i, p := range items {
		if parts[i] = p; p.Kind() == KindString {
			text := strings.ReplaceAll(strings.ReplaceAll(p.s, ":*:", "::"), ":*:", "::")
			if strings.Contains(p.s, ":secret:") || i > 0 && strings.Contains(items[i-1].s, ":secret:") {
				text = strings.TrimRight(text, "-*?") // stands for the random end of a secret's ARN
			}
			parts[i] = String(text).At(p.Position())
		}
	}
	return Text(parts...).At(v.Position())
}

// nameWithin finds a name that is written out in an expression.
var nameWithin = regexp.MustCompile(`[A-Za-z]\(\s*"?[^"()\s]`)

// within finds what an expression names.
func (x resolver) within(r *Resource, rule *Rule, v *Value) (found []Edge) {
	parts := v.Items()
	if v.Kind() == KindString {
		parts = []*Value{v}
	}
	rest, open := "", false
	for _, p := range parts {
		switch p.Kind() {
		case KindString:
			rest += p.s
		case KindReference:
			found = append(found, x.referenced(r, rule, p.Reference())...)
		default:
			open = true
		}
	}
	if open || nameWithin.MatchString(rest) {
		found = append(found, Edge{Gap: Gap{"named within an expression", v.String()}})
	}
	return found
}

// referenced follows a reference: to a resource of the rule's type, or through
// one that stands for it (an alias or version of a function).
func (x resolver) referenced(r *Resource, rule *Rule, ref Reference) []Edge {
	t := x.scope.find(ref.Resource)
	switch {
	case t == nil:
		return nil
	case t.Type == rule.To:
		return []Edge{{To: t}}
	case !slices.Contains(rule.Through, t.Type) || t == r:
		return nil
	}
	return x.onward(t, rule)
}

// onward are the edges to what t stands for.
func (x resolver) onward(t *Resource, rule *Rule) (found []Edge) {
	for _, onward := range x.scope.model.byFrom[t.Type] {
		if onward.To == rule.To {
			found = append(found, resolver{scope: t.scope}.edges(t, onward)...)
		}
	}
	return found
}
