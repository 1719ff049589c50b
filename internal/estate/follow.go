package estate

import (
	"strings"
)

// Named is a resource as another one names it.
type Named struct {
	Type string // what it is, if it is that: one property can name several types
	Text string // as written: an ARN, a URL or a name
	Name string // the name within Text
}

// Names lists what a resource with these properties names, as far as that is
// written out, for a collector that follows what it has read. A property that
// may hold anything counts where it holds an ARN, and a pattern where it is of one
// resource's name.
func (m *Model) Names(typeName string, properties *Value) []Named {
	x := resolver{scope: &Scope{model: m, group: &group{}}}
	var all []Named
	for _, rule := range m.byFrom[typeName] {
		if rule.Within {
			continue
		}
		id := m.edges.Identities[rule.To]
		own := &Resource{Type: typeName, Properties: properties}
		x.walk(properties, rule.path, nil, func(v *Value, _ []Decision) {
			if v == nil && rule.Default != "" {
				v = rule.named(x.nameOf(own))
			}
			if rule.Pattern {
				v = named(v)
			}
			if v.Kind() != KindString || v.s == "" || rule.Mention && !strings.HasPrefix(v.s, "arn:") {
				return
			}
			if name, ok := nameIn(v, id); ok && name.Kind() == KindString && !(rule.Pattern && (strings.ContainsAny(name.s, "*?") || strings.HasSuffix(name.s, "/"))) {
				all = append(all, Named{rule.To, v.s, name.s})
			}
		})
	}
	return all
}

// NamesIn lists what an ARN may name: every type whose ARNs have its form.
func (m *Model) NamesIn(arn string) []Named {
	if !strings.HasPrefix(arn, "arn:") {
		return nil
	}
	var all []Named
	v := String(arn)
	for _, typ := range m.identified {
		if name, ok := nameIn(v, m.edges.Identities[typ]); ok && name.Kind() == KindString && name.s != "" {
			all = append(all, Named{typ, arn, name.s})
		}
	}
	return all
}

// NameOf is the name by which others find a resource, as far as it is written
// out.
func (m *Model) NameOf(typeName, id string, properties *Value) (string, bool) {
	x := resolver{scope: &Scope{model: m, group: &group{}}}
	name := x.nameOf(&Resource{Type: typeName, ID: id, LogicalID: id, Properties: properties})
	return name.AsString(), name.Kind() == KindString
}
