package terraform

import (
	"strings"

	"assay/internal/estate"
)

// policyDocument is the data source that writes IAM policies.
// source: the provider's data source page aws_iam_policy_document.
const policyDocument = "aws_iam_policy_document"

// documentAttributes are the arguments of the data source that hold what goes
// into the policy, as rows of the table would say it.
var documentAttributes = map[string]attribute{
	"version":                   {},
	"policy_id":                 {},
	"source_json":               {words: []string{wordJSON}},
	"override_json":             {words: []string{wordJSON}},
	"source_policy_documents":   {words: []string{wordJSON}},
	"override_policy_documents": {words: []string{wordJSON}},
	"statement": {With: map[string]attribute{
		"sid": {}, "effect": {},
		"actions": {}, "not_actions": {},
		"resources":     {words: []string{wordPattern}},
		"not_resources": {words: []string{wordPattern}},
		"principals": {With: map[string]attribute{
			"type": {}, "identifiers": {words: []string{wordPattern}},
		}},
		"not_principals": {With: map[string]attribute{
			"type": {}, "identifiers": {words: []string{wordPattern}},
		}},
		"condition": {With: map[string]attribute{
			"test": {}, "variable": {}, "values": {words: []string{wordPattern}},
		}},
	}},
}

// document is the policy of a data source that Terraform will read only while
// applying; nil when its statements are not known one by one.
func (r *reader) document(c *change) *estate.Value {
	if c.busy {
		return nil
	}
	return policyOf(r.attributesOf(c, documentAttributes))
}

// policyOf builds the IAM policy that the attributes of an
// aws_iam_policy_document describe, as the provider writes it; nil when a part
// of unknown length stands in the way.
func policyOf(attributes *estate.Value) *estate.Value {
	statements, ok := sources(attributes, "source_json", "source_policy_documents")
	if !ok {
		return nil
	}
	own := attributes.Field("statement")
	if own != nil && own.Kind() != estate.KindList {
		return nil
	}
	for _, block := range own.Items() {
		statements = override(statements, statementOf(block))
	}
	last, ok := sources(attributes, "override_json", "override_policy_documents")
	if !ok {
		return nil
	}
	for _, s := range last {
		statements = override(statements, s)
	}
	version := attributes.Field("version")
	if version == nil {
		version = estate.String("2012-10-17").AsDefault()
	}
	return estate.Map(
		estate.Field{Name: "Version", Value: version},
		estate.Field{Name: "Id", Value: attributes.Field("policy_id")},
		estate.Field{Name: "Statement", Value: estate.List(statements...).At(attributes.Position())},
	).At(attributes.Position())
}

// sources are the statements of the documents that another is built on.
func sources(attributes *estate.Value, one, many string) ([]*estate.Value, bool) {
	var all []*estate.Value
	for _, v := range append([]*estate.Value{attributes.Field(one)}, attributes.Field(many).Items()...) {
		if v == nil {
			continue
		}
		v = parsed(v)
		list := v.Field("Statement")
		switch {
		case v.Kind() != estate.KindMap:
			return nil, false
		case list.Kind() == estate.KindMap:
			all = append(all, list)
		case list != nil && list.Kind() != estate.KindList:
			return nil, false
		}
		all = append(all, list.Items()...)
	}
	if v := attributes.Field(many); v != nil && v.Kind() != estate.KindList {
		return nil, false
	}
	return all, true
}

// override adds a statement, in place of one with the same Sid.
func override(all []*estate.Value, s *estate.Value) []*estate.Value {
	if sid := s.Field("Sid").AsString(); sid != "" {
		for i := range all {
			if all[i].Field("Sid").AsString() == sid {
				all[i] = s
				return all
			}
		}
	}
	return append(all, s)
}

// statementOf is one statement block as a statement.
func statementOf(block *estate.Value) *estate.Value {
	if block.Kind() != estate.KindMap {
		return block
	}
	effect := block.Field("effect")
	if effect == nil {
		effect = estate.String("Allow").At(block.Position()).AsDefault()
	}
	return estate.Map(
		estate.Field{Name: "Sid", Value: stated(block.Field("sid"))},
		estate.Field{Name: "Effect", Value: effect},
		estate.Field{Name: "Action", Value: oneOrMany(block.Field("actions"))},
		estate.Field{Name: "NotAction", Value: oneOrMany(block.Field("not_actions"))},
		estate.Field{Name: "Resource", Value: oneOrMany(interpolated(block.Field("resources")))},
		estate.Field{Name: "NotResource", Value: oneOrMany(interpolated(block.Field("not_resources")))},
		estate.Field{Name: "Principal", Value: principalsOf(block.Field("principals"))},
		estate.Field{Name: "NotPrincipal", Value: principalsOf(block.Field("not_principals"))},
		estate.Field{Name: "Condition", Value: conditionsOf(block.Field("condition"))},
	).At(block.Position())
}

// stated is v without an empty text, which the provider takes for none.
func stated(v *estate.Value) *estate.Value {
	if v.Kind() == estate.KindString && v.AsString() == "" {
		return nil
	}
	return v
}

// oneOrMany is how the provider writes a list of one.
func oneOrMany(v *estate.Value) *estate.Value {
	if v.Kind() != estate.KindList {
		return v
	}
	switch items := v.Items(); len(items) {
	case 0:
		return nil
	case 1:
		return items[0]
	}
	return v
}

// interpolated writes policy variables, which are &{…} in Terraform, as IAM
// does.
func interpolated(v *estate.Value) *estate.Value {
	return v.Rewrite(func(x *estate.Value) *estate.Value {
		if s := x.AsString(); strings.Contains(s, "&{") {
			return estate.String(strings.ReplaceAll(s, "&{", "${")).At(x.Position())
		}
		return x
	})
}

func principalsOf(blocks *estate.Value) *estate.Value {
	if blocks != nil && blocks.Kind() != estate.KindList {
		return blocks
	}
	byType := estate.Map().At(blocks.Position())
	for _, b := range blocks.Items() {
		kind, ids := b.Field("type").AsString(), interpolated(b.Field("identifiers"))
		switch {
		case kind == "" || ids == nil:
			return estate.Unknown(reasonApply, "principals").At(b.Position())
		case kind == "*":
			return estate.String("*").At(b.Position())
		case ids.Kind() != estate.KindList:
			byType = byType.With(kind, ids)
		default:
			both := append(byType.Field(kind).Items(), ids.Items()...)
			byType = byType.With(kind, estate.List(both...).At(b.Position()))
		}
	}
	if len(byType.Fields()) == 0 {
		return nil
	}
	return eachField(byType, oneOrMany)
}

func conditionsOf(blocks *estate.Value) *estate.Value {
	if blocks != nil && blocks.Kind() != estate.KindList {
		return blocks
	}
	all := estate.Map().At(blocks.Position())
	for _, b := range blocks.Items() {
		test, variable := b.Field("test").AsString(), b.Field("variable").AsString()
		if test == "" || variable == "" {
			return estate.Unknown(reasonApply, "condition").At(b.Position())
		}
		inner := all.Field(test)
		if inner == nil {
			inner = estate.Map().At(b.Position())
		}
		values := interpolated(b.Field("values"))
		if before := inner.Field(variable); before.Kind() == estate.KindList && values.Kind() == estate.KindList {
			values = estate.List(append(before.Items(), values.Items()...)...).At(values.Position())
		}
		all = all.With(test, inner.With(variable, values))
	}
	if len(all.Fields()) == 0 {
		return nil
	}
	return eachField(all, func(v *estate.Value) *estate.Value { return eachField(v, oneOrMany) })
}

func eachField(v *estate.Value, f func(*estate.Value) *estate.Value) *estate.Value {
	for _, field := range v.Fields() {
		v = v.With(field.Name, f(field.Value))
	}
	return v
}
