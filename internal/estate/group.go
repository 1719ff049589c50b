package estate

import (
	"slices"
	"strings"
)

// ReasonExport is why a value is not known that another template exports. Its
// input is the word export and the name.
const ReasonExport = "export of another stack"

// ExportInput is the input of a gap that an export of that name fills.
func ExportInput(name string) string { return "export " + name }

// group is the scopes that exports tie together. Resources of one may refer to
// those of another; such references hold the other's ID.
type group struct {
	scopes []*Scope
	byID   map[string]*Resource // by ID
}

// Export records what a template exports under a name, which the other scopes
// of its group can import.
func (b *Builder) Export(name string, v *Value) {
	b.exports = append(b.exports, Field{name, v})
}

// Exports lists the exports, in order of name.
func (b *Builder) Exports() []Field {
	slices.SortStableFunc(b.exports, func(a, c Field) int { return strings.Compare(a.Name, c.Name) })
	return b.exports
}

// Tie puts a scope into a group. Scopes of the same group are built together.
func (b *Builder) Tie(group string) { b.group = group }

// Build normalises builders and ties those of one group together. Scopes come
// in the order of their builders.
func Build(m *Model, builders []*Builder) []*Scope {
	scopes := make([]*Scope, len(builders))
	for i, b := range builders {
		if scopes[i] != nil {
			continue
		}
		members, at := []*Builder{b}, []int{i}
		for j := i + 1; j < len(builders) && b.group != ""; j++ {
			if builders[j].group == b.group {
				members, at = append(members, builders[j]), append(at, j)
			}
		}
		for k, s := range buildGroup(m, members) {
			scopes[at[k]] = s
		}
	}
	return scopes
}

// buildGroup makes scopes that refer to each other.
func buildGroup(m *Model, builders []*Builder) []*Scope {
	if len(builders) > 1 {
		builders = linked(builders)
	}
	g := &group{byID: map[string]*Resource{}}
	var all []*Resource
	for _, b := range builders {
		s := b.scope(m)
		s.group = g
		g.scopes = append(g.scopes, s)
		for _, r := range s.resources {
			g.byID[r.ID] = r
		}
		all = append(all, s.resources...)
	}
	kept := normalise(all, m)
	hideChoices(kept)
	for _, s := range g.scopes {
		s.resources = s.resources[:0:0]
	}
	for _, r := range kept {
		r.scope.resources = append(r.scope.resources, r)
		r.scope.byType[r.Type] = append(r.scope.byType[r.Type], r)
	}
	for _, s := range g.scopes {
		s.inputs = inputsOf(s.resources)
		resolveEdges(s)
	}
	for _, s := range g.scopes {
		endEdges(s)
		s.names = nil
	}
	return g.scopes
}

// common are the inputs that are the same in all scopes of a group, because
// exports do not leave an account and region.
var common = []string{"AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix"}

// linked puts exports in place of imports. Inputs get the name of their scope,
// because the same parameter may have another value there.
func linked(builders []*Builder) []*Builder {
	type export struct {
		scope string
		value *Value
		twice bool
	}
	exports := map[string]export{}
	renamed := make([]*Builder, len(builders))
	for i, b := range builders {
		own := func(v *Value) *Value { return ofScope(v, b.id) }
		if strings.HasPrefix(b.format, "aws") {
			// What an account did not answer names itself.
			own = func(v *Value) *Value { return v }
		}
		resources := b.Resources()
		for j := range resources {
			resources[j].Properties = resources[j].Properties.Rewrite(own)
			resources[j].Exists = resources[j].Exists.Rewrite(own)
			if resources[j].ExistsInput != "" && !strings.HasPrefix(b.format, "aws") {
				resources[j].ExistsInput = inputOf(resources[j].ExistsInput, b.id)
			}
		}
		renamed[i] = b.Replace(resources)
		for _, e := range b.Exports() {
			_, twice := exports[e.Name]
			exports[e.Name] = export{b.id, qualified(e.Value.Rewrite(own), b.id), twice}
		}
	}
	for _, b := range renamed {
		for i := range b.resources {
			b.resources[i].Properties = b.resources[i].Properties.Rewrite(func(v *Value) *Value {
				if v.Kind() == KindText {
					return Text(v.items...).At(v.Position()) // members may have become texts
				}
				if v.Kind() != KindUnknown || v.s != ReasonExport {
					return v
				}
				e, ok := exports[strings.TrimPrefix(v.of, ExportInput(""))]
				if !ok || e.twice {
					return v
				}
				return local(e.value, b.id).At(v.Position())
			})
		}
	}
	return renamed
}

// ofScope names the inputs of a value after their scope.
func ofScope(v *Value, scope string) *Value {
	c := *v
	switch v.Kind() {
	case KindUnknown:
		if v.s != ReasonExport && !slices.Contains(common, v.of) {
			c.of = inputOf(v.of, scope)
		}
	case KindOneOf:
		c.s = inputOf(v.s, scope)
	}
	return &c
}

// inputOf is the name of an input within a group. One read from an estate file
// has it already.
func inputOf(input, scope string) string {
	suffix := " of " + scope
	return strings.TrimSuffix(input, suffix) + suffix
}

// qualified is a value of a scope as other scopes see it: references hold IDs.
func qualified(v *Value, scope string) *Value {
	return v.Rewrite(func(x *Value) *Value {
		if x.Kind() != KindReference || strings.Contains(x.s, "#") {
			return x
		}
		c := *x
		c.s = scope + "#" + x.s
		return &c
	})
}

// local is a qualified value as a scope sees it: references to its own
// resources hold logical ids.
func local(v *Value, scope string) *Value {
	return v.Rewrite(func(x *Value) *Value {
		own, ok := strings.CutPrefix(x.Reference().Resource, scope+"#")
		if x.Kind() != KindReference || !ok {
			return x
		}
		c := *x
		c.s = own
		return &c
	})
}

// seenBy is a value that stands in scope s as it reads in another scope of the
// group.
func (s *Scope) seenBy(other *Scope, v *Value) *Value {
	if s == other {
		return v
	}
	return local(qualified(v, s.ID), other.ID)
}

// find is the resource that a reference in the scope points at, or nil.
func (s *Scope) find(id string) *Resource {
	if r := s.byID[id]; r != nil {
		return r
	}
	return s.group.byID[id]
}

// Group are the scopes that refer to each other, the scope itself among them.
func (s *Scope) Group() []*Scope { return s.group.scopes }

// ofType are the resources of one type in the whole group.
func (s *Scope) ofType(name string) []*Resource {
	if len(s.group.scopes) == 1 {
		return s.byType[name]
	}
	var all []*Resource
	for _, member := range s.group.scopes {
		all = append(all, member.byType[name]...)
	}
	return all
}
