package iam

import (
	"slices"
	"strings"
)

// Residual is a part of what policies allow beyond something else: actions, and
// the statement that allows them.
type Residual struct {
	// Actions are those for which the statement is in excess, as AWS spells them.
	Actions []string
	// Others: an action stands for all of the services that no statement names.
	// Unlisted: the actions stand for those that AWS may add.
	Others, Unlisted bool
	// Policy and Statement are what allows it.
	Policy    *Policy
	Statement int
	// Within are statements of boundaries, session and control policies that the
	// excess is held to; Except are those that take a part of it away: Denies, and
	// what the other side covers.
	Within, Except []Reference
	Witness        RequestSpec
}

// Reference names a statement of a policy.
type Reference struct {
	Policy    *Policy
	Statement int
}

// addResidual joins classes of actions for which the excess is the same.
func addResidual(list []Residual, r Residual) []Residual {
	for i := range list {
		o := &list[i]
		if o.Policy == r.Policy && o.Statement == r.Statement && o.Unlisted == r.Unlisted && o.Others == r.Others && slices.Equal(o.Except, r.Except) && slices.Equal(o.Within, r.Within) {
			for _, name := range r.Actions {
				if at, ok := slices.BinarySearch(o.Actions, name); !ok {
					o.Actions = slices.Insert(o.Actions, at, name)
				}
			}
			return list
		}
	}
	r.Actions = slices.Clone(r.Actions)
	slices.Sort(r.Actions)
	return append(list, r)
}

// Boundless reports whether the statement names no resources, or all.
func (r Residual) Boundless() bool { return r.Policy.statements[r.Statement].boundless() }

// Document is the statement that allows a residual, with actions in the place of
// its own.
//
// words writes its texts, which may have holes.
func (r Residual) Document(actions []string, words func(string) string) *Document {
	s := r.Policy.Document.Statements[r.Statement]
	s.NotAction, s.Action = nil, &Texts{}
	for _, a := range actions {
		s.Action.Values = append(s.Action.Values, Text{Value: a})
	}
	in := func(t Texts) Texts {
		t.Values = slices.Clone(t.Values)
		for i := range t.Values {
			t.Values[i].Value = words(t.Values[i].Value)
		}
		return t
	}
	for _, list := range []**Texts{&s.Resource, &s.NotResource} {
		if *list != nil {
			t := in(**list)
			*list = &t
		}
	}
	for _, list := range []*[]Principals{&s.Principal, &s.NotPrincipal} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].Values = in((*list)[i].Values)
		}
	}
	s.Condition = slices.Clone(s.Condition)
	for i := range s.Condition {
		s.Condition[i].Values = in(s.Condition[i].Values)
	}
	return &Document{Version: r.Policy.Document.Version, Statements: []Statement{s}}
}

// Patterns writes the actions with wildcards where those let in nothing more that
// the table knows: all of a service, or all that begin with the same word.
func (r Residual) Patterns(d *Data) (out []string) {
	// Under ARNs, actions without resources do not come into it.
	named := !r.Policy.statements[r.Statement].boundless()
	actions := r.Actions
	have := map[string]bool{}
	byService := map[string][]string{}
	var services []string
	for _, a := range actions {
		have[lower(a)] = true
		service, name, _ := strings.Cut(a, ":")
		if byService[service] == nil {
			services = append(services, service)
		}
		byService[service] = append(byService[service], name)
	}
	slices.Sort(services)
	for _, service := range services {
		missing := map[string]bool{} // words with an action that is not among them
		all := true
		for _, a := range d.Actions(service) {
			if !have[lower(service+":"+a.Name)] && (!named || len(a.Resources) > 0) {
				missing[firstWord(a.Name)], all = true, false
			}
		}
		names := byService[service]
		if all && len(names) > 1 {
			out = append(out, service+":*")
			continue
		}
		count := map[string]int{}
		for _, n := range names {
			count[firstWord(n)]++
		}
		for _, n := range names {
			word := firstWord(n)
			switch {
			case count[word] < 3 || beginsOne(missing, word):
				out = append(out, service+":"+n)
			case !slices.Contains(out, service+":"+word+"*"):
				out = append(out, service+":"+word+"*")
			}
		}
	}
	return out
}

// boundless reports whether the statement names no resources, or all.
func (s *statement) boundless() bool {
	return s.noResource || s.notResource || slices.ContainsFunc(s.resources, func(a arnPattern) bool { return a.any })
}

// beginsOne reports whether a word of the set begins with another.
func beginsOne(set map[string]bool, word string) bool {
	for w := range set {
		if strings.HasPrefix(w, word) {
			return true
		}
	}
	return false
}

// firstWord is what an action's name begins with: Get of GetObject.
func firstWord(name string) string {
	for i := 1; i < len(name); i++ {
		if 'A' <= name[i] && name[i] <= 'Z' {
			return name[:i]
		}
	}
	return name
}
