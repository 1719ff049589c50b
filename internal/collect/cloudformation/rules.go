package cloudformation

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// checkRules reports the rules of the template that the parameters break:
// CloudFormation would refuse to deploy it with them.
// source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
func (t *template) checkRules() {
	t.each(t.section("Rules"), func(key, rule *yaml.Node) {
		rule = follow(rule)
		assertions := child(rule, "Assertions")
		if assertions == nil || assertions.Kind != yaml.SequenceNode {
			t.problem(key, "rule %s: expected a list of Assertions", key.Value)
			return
		}
		if when := child(rule, "RuleCondition"); when != nil && t.rule(when) != estate.True {
			return
		}
		for _, a := range assertions.Content {
			assert := child(follow(a), "Assert")
			if assert == nil {
				t.problem(follow(a), "rule %s: expected Assert", key.Value)
				continue
			}
			if t.rule(assert) != estate.False {
				continue
			}
			why := "its assertion does not hold"
			if d := child(follow(a), "AssertDescription"); d != nil && d.Value != "" {
				why = d.Value
			}
			t.problem(assert, "rule %s: with these parameters CloudFormation refuses the template: %s", key.Value, why)
		}
	})
}

// rule decides a function of a rule.
func (t *template) rule(n *yaml.Node) estate.Truth {
	n = follow(n)
	name, arg, ok := intrinsic(n)
	if !ok {
		t.problem(n, "expected a function of rules, such as Fn::Contains")
		return estate.Maybe
	}
	switch name {
	case "Fn::And", "Fn::Or", "Fn::Not":
		var all []*estate.Value
		for _, c := range arg.Content {
			all = append(all, truthValue(t.rule(c)))
		}
		return combine(name, all)
	case "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn":
		if arg.Kind != yaml.SequenceNode || len(arg.Content) != 2 {
			t.malformed(arg, name, "a list of two values")
			return estate.Maybe
		}
		return aboutMembers(name, t.ruleValue(arg.Content[0]), t.ruleValue(arg.Content[1]))
	case "Fn::Equals":
		if arg.Kind != yaml.SequenceNode || len(arg.Content) != 2 {
			t.malformed(arg, name, "a list of two values")
			return estate.Maybe
		}
		return equals(t.ruleValue(arg.Content[0]), t.ruleValue(arg.Content[1]))
	}
	t.malformed(n, name, "a function of rules: Fn::And, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, Fn::Equals, Fn::Not or Fn::Or")
	return estate.Maybe
}

// ruleValue is an argument of a function of rules.
func (t *template) ruleValue(n *yaml.Node) *estate.Value {
	name, arg, ok := intrinsic(follow(n))
	if !ok {
		return t.eval(n)
	}
	switch name {
	case "Fn::RefAll":
		var items []*estate.Value
		for _, parameter := range sortedNames(t.parameters) {
			if kind := child(t.parameters[parameter].node, "Type"); kind != nil && kind.Value == arg.Value {
				items = append(items, t.resolveParameter(parameter))
			}
		}
		return estate.List(items...)
	case "Fn::ValueOf", "Fn::ValueOfAll":
		// Attributes of what a parameter names, such as the VPC of a subnet, are
		// known to the account alone.
		return estate.Unknown(reasonComputed, name)
	}
	return t.eval(n)
}

// aboutMembers decides a function about the members of a list.
func aboutMembers(name string, a, b *estate.Value) estate.Truth {
	if a.Kind() != estate.KindList || name == "Fn::EachMemberIn" && b.Kind() != estate.KindList {
		return estate.Maybe
	}
	in := func(list []*estate.Value, v *estate.Value) estate.Truth {
		none := estate.True
		for _, item := range list {
			none = none.And(equals(item, v).Not())
		}
		return none.Not()
	}
	if name == "Fn::Contains" {
		return in(a.Items(), b)
	}
	all := estate.True
	for _, item := range a.Items() {
		if name == "Fn::EachMemberIn" {
			all = all.And(in(b.Items(), item))
		} else {
			all = all.And(equals(item, b))
		}
	}
	return all
}

// checkParameter reports a value that the parameter's declaration does not
// allow.
func (t *template) checkParameter(name string, n *yaml.Node, given string) {
	text := func(key string) (string, bool) {
		c := child(n, key)
		if c == nil || c.Kind != yaml.ScalarNode {
			return "", false
		}
		return c.Value, true
	}
	refuse := func(key, expected string) {
		if why, ok := text("ConstraintDescription"); ok {
			expected += " (" + why + ")"
		}
		t.problem(child(n, key), "parameter %s: CloudFormation refuses the given value; expected %s", name, expected)
	}
	values := []string{given}
	if kind, _ := text("Type"); kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<") {
		values = strings.Split(given, ",")
	}
	for _, value := range values {
		value = strings.TrimSpace(value)
		if allowed := child(n, "AllowedValues"); allowed != nil && allowed.Kind == yaml.SequenceNode {
			var names []string
			found := false
			for _, a := range allowed.Content {
				names = append(names, follow(a).Value)
				found = found || follow(a).Value == value
			}
			if !found {
				refuse("AllowedValues", "one of "+strings.Join(names, ", "))
			}
		}
		if pattern, ok := text("AllowedPattern"); ok {
			if re, err := wholePattern(pattern); err == nil && !re.MatchString(value) {
				refuse("AllowedPattern", "a text that fits "+pattern)
			}
		}
		for _, bound := range []struct {
			key     string
			numeric bool
			breaks  func(a, b float64) bool
			words   string
		}{
			{"MinLength", false, func(a, b float64) bool { return a < b }, "at least %s characters"},
			{"MaxLength", false, func(a, b float64) bool { return a > b }, "at most %s characters"},
			{"MinValue", true, func(a, b float64) bool { return a < b }, "at least %s"},
			{"MaxValue", true, func(a, b float64) bool { return a > b }, "at most %s"},
		} {
			limit, ok := text(bound.key)
			if !ok {
				continue
			}
			have, want := float64(len([]rune(value))), number(limit)
			if bound.numeric {
				have = number(value)
			}
			if bound.breaks(have, want) {
				refuse(bound.key, strings.ReplaceAll(bound.words, "%s", limit))
			}
		}
	}
}

// wholePattern is a pattern that a whole text must fit.
func wholePattern(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile("^(?:" + pattern + ")$")
}

// number is the number that a text states; NaN, which breaks no bound,
// otherwise.
func number(s string) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
