package terraform

import (
	"slices"
	"strings"

	"assay/internal/estate"
)

// reasonOwner is why a property is not known when something that the plan
// declares apart may set it.
const reasonOwner = "may be set by a resource whose owner is not known"

// piece is a resource that holds properties of another.
type piece struct {
	join *joining
	res  estate.Resource
}

// joinPieces gives pieces to the resources that they belong to. One whose
// owner is not there stays a resource of its own type.
func joinPieces(all []estate.Resource, pieces []piece) []estate.Resource {
	byType := map[string][]int{}
	for i, res := range all {
		byType[res.Type] = append(byType[res.Type], i)
	}
	for _, p := range pieces {
		owner, maybe := -1, []int{}
		for _, i := range byType[p.join.Into] {
			switch p.belongsTo(&all[i]) {
			case estate.True:
				owner = i
			case estate.Maybe:
				maybe = append(maybe, i)
			case estate.False:
			}
		}
		switch {
		case owner >= 0 && p.res.Exists == nil:
			all[owner].Properties = p.into(all[owner].Properties)
			continue
		case owner >= 0:
			all[owner].Properties = p.cloud(all[owner].Properties)
			continue
		}
		for _, i := range maybe {
			all[i].Properties = p.cloud(all[i].Properties)
		}
		all = append(all, p.res)
	}
	return all
}

// belongsTo compares what identifies the owner.
func (p piece) belongsTo(owner *estate.Resource) estate.Truth {
	t := estate.True
	for _, here := range sortedKeys(p.join.By) {
		there := p.join.By[here]
		v := p.res.Properties.Field(here)
		name, itself := strings.CutPrefix(there, "Ref ")
		w := owner.Properties.Field(name)
		switch {
		case v == nil && w == nil:
		case v == nil || w == nil && !itself:
			return estate.False
		case itself && v.Kind() == estate.KindReference:
			t = t.And(estate.TruthOf(v.Reference().Resource == owner.LogicalID))
		case w == nil:
			t = t.And(unnamed(v))
		case v.Kind() == estate.KindReference && w.Kind() == estate.KindReference:
			t = t.And(estate.TruthOf(v.Reference() == w.Reference()))
		default:
			t = t.And(estate.Matches(v, w))
		}
	}
	return t
}

// unnamed says whether v may name a resource that AWS or the provider names:
// a text that somebody wrote does not.
func unnamed(v *estate.Value) estate.Truth {
	if v.Kind() == estate.KindString {
		return estate.False
	}
	return estate.Maybe
}

// content is what a piece adds to its owner.
func (p piece) content() *estate.Value {
	v := p.res.Properties
	for here := range p.join.By {
		v = v.With(here, nil)
	}
	return v.At(p.res.Source)
}

func (p piece) into(properties *estate.Value) *estate.Value {
	switch {
	case p.join.List:
		return set(properties, p.join.At, appended(properties.Path(p.join.At), p.content()))
	case p.join.Item != "":
		return set(properties, p.join.At, appended(properties.Path(p.join.At), p.content().Field(p.join.Item)))
	case p.join.At == "":
		return merge(properties, p.content())
	}
	return set(properties, p.join.At, merge(properties.Path(p.join.At), p.content()))
}

// cloud makes unknown what the piece would set, where nothing is known of it.
func (p piece) cloud(properties *estate.Value) *estate.Value {
	gap := estate.Unknown(reasonOwner, p.res.Address).At(p.res.Source)
	if p.join.At != "" {
		if p.join.List || p.join.Item != "" || properties.Path(p.join.At) == nil {
			return set(properties, p.join.At, gap)
		}
		return properties
	}
	for _, f := range p.content().Fields() {
		if properties.Field(f.Name) == nil {
			properties = properties.With(f.Name, gap)
		}
	}
	return properties
}

// merge adds the fields of b to those of a; what both have is b's.
func merge(a, b *estate.Value) *estate.Value {
	if a.Kind() != estate.KindMap || b.Kind() != estate.KindMap {
		return b
	}
	for _, f := range b.Fields() {
		a = a.With(f.Name, merge(a.Field(f.Name), f.Value))
	}
	return a
}

// translator writes references in CloudFormation's terms.
type translator struct {
	namer
	there map[string]*estate.Value // properties by logical id, with references as they were
}

// value translates one value; the members of texts are translated before them.
func (t translator) value(v *estate.Value) *estate.Value {
	switch v.Kind() {
	case estate.KindReference:
		return t.reference(v)
	case estate.KindText:
		return estate.Text(t.trimmed(v.Items())...).At(v.Position())
	default:
		return v
	}
}

// trimmed cuts off what stands behind a reference and is a part of what it
// refers to in CloudFormation's terms.
func (t translator) trimmed(parts []*estate.Value) []*estate.Value {
	for i := range len(parts) - 1 {
		ref := parts[i].Reference()
		row, _ := t.identities(ref.Resource)
		if row == nil {
			continue
		}
		for _, name := range sortedKeys(row.Trailing) {
			to, _ := row.identity(name)
			rest, found := strings.CutPrefix(parts[i+1].AsString(), row.Trailing[name])
			if found && to == ref.Attribute {
				parts = slices.Clone(parts)
				parts[i+1] = estate.String(rest)
			}
		}
	}
	return parts
}

func (t translator) reference(v *estate.Value) *estate.Value {
	ref := v.Reference()
	row, region := t.identities(ref.Resource)
	to, ok := row.identity(ref.Attribute)
	if !ok {
		if t.there[ref.Resource] != nil && row == nil {
			return v // a resource that the table added refers in CloudFormation's terms
		}
		return estate.UnknownText(reasonApply, join(ref.Resource, ref.Attribute)).At(v.Position())
	}
	to, otherwise, conditional := strings.Cut(to, " or ")
	if suffix, attribute, ok := strings.Cut(to, "."); ok && strings.HasPrefix(to, "/") {
		if t.there[ref.Resource+suffix] != nil {
			return estate.Ref(ref.Resource+suffix, attribute).At(v.Position())
		}
		if !conditional {
			return estate.UnknownText(reasonApply, join(ref.Resource, ref.Attribute)).At(v.Position())
		}
		if to = otherwise; strings.HasPrefix(to, "'") {
			return estate.String(strings.Trim(to, "'")).At(v.Position())
		}
	}
	if !strings.Contains(to, "${") {
		return estate.Ref(ref.Resource, to).At(v.Position())
	}
	return t.text(to, row, ref.Resource, region).At(v.Position())
}

// text fills in a form such as arn:${AWS::Partition}:…:${Ref}. A name in small
// letters is an attribute that the resource itself is configured with.
func (t translator) text(form string, row *row, resource, region string) *estate.Value {
	var parts []*estate.Value
	for {
		before, rest, more := strings.Cut(form, "${")
		parts = append(parts, estate.String(before))
		if !more {
			return estate.Text(parts...)
		}
		var name string
		name, form, _ = strings.Cut(rest, "}")
		switch {
		case strings.HasPrefix(name, "AWS::"):
			parts = append(parts, pseudoParameter(name, region))
		case name[:1] == strings.ToLower(name[:1]):
			parts = append(parts, t.configured(row, resource, name))
		default:
			parts = append(parts, estate.Ref(resource, name))
		}
	}
}

// configured is the value of an attribute that a resource states.
func (t translator) configured(row *row, resource, name string) *estate.Value {
	v := t.there[resource].Path(row.Attributes[name].To)
	switch {
	case v.Kind() == estate.KindString:
		return v
	case v.Kind() == estate.KindReference:
		// A form within a form could lead back to itself.
		to, _ := t.identities(v.Reference().Resource)
		if form, ok := to.identity(v.Reference().Attribute); ok && !strings.Contains(form, "${") {
			return t.reference(v)
		}
	default:
	}
	return estate.UnknownText(reasonApply, join(resource, name))
}

// partitions are the partitions of regions, by how the region's name begins;
// the rest are in aws. source: AWS General Reference, "ARN format".
var partitions = []struct{ prefix, partition, suffix string }{
	{"cn-", "aws-cn", "amazonaws.com.cn"},
	{"us-gov-", "aws-us-gov", "amazonaws.com"},
	{"us-iso-", "aws-iso", "c2s.ic.gov"},
	{"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
	{"", "aws", "amazonaws.com"},
}

// pseudoParameter is what a region tells of where a resource is.
func pseudoParameter(name, region string) *estate.Value {
	if region != "" {
		for _, p := range partitions {
			switch {
			case !strings.HasPrefix(region, p.prefix):
				continue
			case name == "AWS::Region":
				return estate.String(region)
			case name == "AWS::Partition":
				return estate.String(p.partition)
			case name == "AWS::URLSuffix":
				return estate.String(p.suffix)
			}
			break
		}
	}
	return estate.UnknownText(estate.ReasonPseudoParameter, name)
}
