package check_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"assay/internal/check"
	"assay/internal/estate"
)

// expressions use every operator and function of the language over the
// properties that [incomplete] draws.
var expressions = []string{
	`has(subject.Description)`,
	`!has(subject.Description) || subject.Description == "a"`,
	`subject.?Description.orValue("none") != "none"`,
	`subject.?Description.orValue("") in ["a", "b"]`,
	`subject.?Description.orValue("").startsWith("a")`,
	`subject.?Description.orValue("").endsWith("*") || subject.Timeout > 3`,
	`subject.?Description.orValue("x").contains("b") && subject.Timeout <= 5`,
	`subject.?Handler.orValue("h") == subject.?Description.orValue("d")`,
	`has(subject.VpcConfig) && has(subject.VpcConfig.SubnetIds)`,
	`subject.?VpcConfig.?SubnetIds.orValue([]).size() >= 2`,
	`subject.?VpcConfig.?SubnetIds.orValue([]).exists(s, s == "a")`,
	`subject.?VpcConfig.?SubnetIds.orValue([]).all(s, s != "*")`,
	`subject.?VpcConfig.?SubnetIds.orValue([]).exists(s, true)`,
	`subject.?VpcConfig.?SubnetIds.orValue([]).exists(s, s == "a" || subject.Timeout == 3)`,
	`subject.?VpcConfig.?SubnetIds.orValue([]).all(s, s == "a" && subject.Timeout == 3)`,
	`subject.?VpcConfig.?SubnetIds.orValue([]) == ["a", "b"]`,
	`subject.?VpcConfig.?SubnetIds.orValue([]) == subject.?Layers.orValue([])`,
	`"a" in subject.?Layers.orValue([])`,
	`!("b" in subject.?Layers.orValue([])) && subject.?Layers.orValue([]).size() < 2`,
	`subject.?Layers.orValue([]).size() == 0 ? has(subject.Description) : subject.Timeout == 3`,
	`subject.?Environment.?Variables.orValue({}).size() > 0`,
	`entries(subject.?Environment.?Variables.orValue({})).exists(e, e.name == "A" && e.value == "a")`,
	`entries(subject.?Environment.?Variables.orValue({})).all(e, e.name != "B" || e.value in ["a", "*"])`,
	`"A" in subject.?Environment.?Variables.orValue({})`,
	`subject.?Environment.?Variables.orValue({}) == {"A": "a"}`,
	`subject.?VpcConfig.?SubnetIds.orValue([]).all(s, subject.?Layers.orValue([]).exists(l, l == s))`,
	`subject.?VpcConfig.?SubnetIds.orValue([]).exists(s, s in subject.?Layers.orValue([]) && s.startsWith("a"))`,
}

// texts are what a completion may put where a text was open.
var texts = []string{"a", "b", "ab", "*", ""}

// leaf draws a text that may be open in any of the ways a text can be.
func leaf(t *rapid.T, name string) *estate.Value {
	hole := func(kind int) *estate.Value {
		if kind == 0 {
			return estate.Ref("R", "Arn")
		}
		return estate.Unknown("no value", fmt.Sprintf("u%d", kind))
	}
	switch rapid.IntRange(0, 6).Draw(t, name) {
	case 0:
		return hole(rapid.IntRange(0, 2).Draw(t, name+" hole"))
	case 1:
		return estate.Text(estate.String(rapid.SampledFrom(texts).Draw(t, name+" lead")), hole(rapid.IntRange(0, 2).Draw(t, name+" hole")))
	case 2:
		cases := []estate.Case{
			{When: "x", Value: estate.String(rapid.SampledFrom(texts).Draw(t, name+" x"))},
			{When: "y", Value: estate.String(rapid.SampledFrom(texts).Draw(t, name+" y"))},
		}
		if rapid.Bool().Draw(t, name+" maybe") {
			cases[1].Value = nil
		}
		return estate.OneOf(rapid.SampledFrom([]string{"input P", "input Q"}).Draw(t, name+" input"), cases...)
	default:
		return estate.String(rapid.SampledFrom(texts).Draw(t, name+" text"))
	}
}

// incomplete draws the properties of a function, with parts that are not known.
func incomplete(t *rapid.T) *estate.Value {
	list := func(name string) *estate.Value {
		if rapid.IntRange(0, 9).Draw(t, name+" whole") == 0 {
			return estate.Unknown("no value", "u list "+name)
		}
		var items []*estate.Value
		for i := range rapid.IntRange(0, 3).Draw(t, name+" length") {
			if v := leaf(t, fmt.Sprintf("%s %d", name, i)); v != nil {
				items = append(items, v)
			}
		}
		return estate.List(items...)
	}
	var fields []estate.Field
	add := func(name string, v func() *estate.Value) {
		if rapid.IntRange(0, 3).Draw(t, "has "+name) > 0 {
			fields = append(fields, estate.Field{Name: name, Value: v()})
		}
	}
	add("Description", func() *estate.Value { return leaf(t, "description") })
	add("Handler", func() *estate.Value { return leaf(t, "handler") })
	add("Layers", func() *estate.Value { return list("layers") })
	add("VpcConfig", func() *estate.Value {
		vpc := estate.Map(estate.Field{Name: "SubnetIds", Value: list("subnets")})
		if rapid.IntRange(0, 3).Draw(t, "vpc maybe") == 0 {
			return estate.OneOf("input P", estate.Case{When: "x", Value: vpc}, estate.Case{When: "y"})
		}
		return vpc
	})
	add("Environment", func() *estate.Value {
		return estate.Map(estate.Field{Name: "Variables", Value: estate.Map(
			estate.Field{Name: "A", Value: leaf(t, "A")}, estate.Field{Name: "B", Value: leaf(t, "B")},
		)})
	})
	add("Timeout", func() *estate.Value {
		return estate.OneOf("input Q", estate.Case{When: "x", Value: estate.Int(3)}, estate.Case{When: "y", Value: estate.Int(rapid.Int64Range(3, 6).Draw(t, "timeout"))})
	})
	return estate.Map(fields...)
}

// complete draws a way in which everything might be known.
func complete(t *rapid.T, v *estate.Value) *estate.Value {
	input := map[string]string{
		"input P": rapid.SampledFrom([]string{"x", "y"}).Draw(t, "P"), "input Q": rapid.SampledFrom([]string{"x", "y"}).Draw(t, "Q"),
	}
	hole := map[string]string{
		"u1": rapid.SampledFrom(texts).Draw(t, "u1"), "u2": rapid.SampledFrom(texts).Draw(t, "u2"),
		"R.Arn": rapid.SampledFrom([]string{"a", "b", "ab"}).Draw(t, "R"),
	}
	lists := map[string]*estate.Value{}
	for _, name := range []string{"u list layers", "u list subnets"} {
		var items []*estate.Value
		for i := range rapid.IntRange(0, 2).Draw(t, name) {
			items = append(items, estate.String(rapid.SampledFrom(texts).Draw(t, fmt.Sprint(name, i))))
		}
		lists[name] = estate.List(items...)
	}
	return v.Rewrite(func(x *estate.Value) *estate.Value {
		switch x.Kind() {
		case estate.KindReference:
			return estate.String(hole[x.Reference().String()])
		case estate.KindUnknown:
			if l := lists[x.Gap().Input]; l != nil {
				return l
			}
			return estate.String(hole[x.Gap().Input])
		case estate.KindText:
			return estate.Text(x.Items()...)
		case estate.KindOneOf:
			for _, c := range x.Cases() {
				if c.When == input[x.Input()] {
					return c.Value
				}
			}
		}
		return x
	})
}

// TestSoundness is the law that everything rests on: what is decided with
// parts unknown is what would be decided if they were known, whatever they
// are.
func TestSoundness(t *testing.T) {
	m, lib := library(t)
	var programs []*check.Program
	for _, e := range expressions {
		programs = append(programs, program(t, lib, "", e))
	}
	evaluate := func(p *check.Program, properties *estate.Value) check.Result {
		b := estate.NewBuilder("t.yaml", "cloudformation")
		b.Add(estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F", Properties: properties})
		b.Add(estate.Resource{Type: "AWS::IAM::Role", LogicalID: "R"})
		return p.Evaluate(b.Build(m).Resource("F"), check.Setting{AsOf: "2026-11-24"})
	}
	decided, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		open := incomplete(t)
		known := complete(t, open)
		for i, p := range programs {
			before, after := evaluate(p, open), evaluate(p, known)
			all++
			if before.Err != nil || after.Err != nil {
				t.Fatalf("%s: %v, %v\nover %s", expressions[i], before.Err, after.Err, open)
			}
			if after.Outcome == check.Unknown {
				t.Fatalf("%s: unknown over what is known: %s", expressions[i], known)
			}
			if before.Outcome == check.Unknown {
				continue
			}
			decided++
			if before.Outcome != after.Outcome {
				t.Fatalf("%s\nover %s: %s\nover %s: %s", expressions[i], open.AppendJSON(nil), before.Outcome, known.AppendJSON(nil), after.Outcome)
			}
		}
	})
	t.Logf("%d of %d outcomes were decided with parts unknown", decided, all)
}
