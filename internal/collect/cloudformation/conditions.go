package cloudformation

import (
	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// condition is a named condition, resolved when it is first used.
type condition struct {
	node  *yaml.Node
	value *estate.Value // Bool, OneOf over Bools, or Unknown
	state conditionState
}

type conditionState uint8

const (
	unresolved conditionState = iota
	resolving
	resolved
)

// condition decides a named condition: true, false, either by an open input,
// or unknown. at is the node that names it.
func (t *template) condition(at *yaml.Node, name string) *estate.Value {
	unknown := estate.Unknown(reasonCondition, t.input("condition", name))
	c := t.conditions[name]
	if c == nil {
		t.problem(at, "condition %s is not declared under Conditions", name)
		return unknown
	}
	switch c.state {
	case resolved:
		return c.value
	case resolving:
		t.problem(at, "condition %s depends on itself", name)
		return unknown
	case unresolved:
	}
	c.state = resolving
	c.value = t.decide(c.node)
	if c.value.Kind() == estate.KindUnknown {
		c.value = unknown
	}
	c.state = resolved
	return c.value
}

// decide evaluates a condition's expression.
func (t *template) decide(n *yaml.Node) *estate.Value {
	n = follow(n)
	name, arg, ok := intrinsic(n)
	if !ok {
		return t.malformed(n, "a condition", "Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition")
	}
	switch name {
	case "Condition":
		if arg.Kind != yaml.ScalarNode {
			return t.malformed(arg, "Condition", "the name of a condition")
		}
		return t.condition(arg, arg.Value)
	case "Fn::Equals":
		if arg.Kind != yaml.SequenceNode || len(arg.Content) != 2 {
			return t.malformed(arg, name, "a list of two values")
		}
		return t.lift(func(args []*estate.Value) *estate.Value {
			return truthValue(equals(args[0], args[1]))
		}, t.eval(arg.Content[0]), t.eval(arg.Content[1]))
	case "Fn::Not", "Fn::And", "Fn::Or":
		if arg.Kind != yaml.SequenceNode || len(arg.Content) == 0 || name == "Fn::Not" && len(arg.Content) != 1 {
			return t.malformed(arg, name, "a list of conditions")
		}
		args := make([]*estate.Value, len(arg.Content))
		for i, item := range arg.Content {
			args[i] = t.decide(item)
		}
		return t.lift(func(args []*estate.Value) *estate.Value { return truthValue(combine(name, args)) }, args...)
	}
	return t.malformed(n, name, "one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition in a condition")
}

// combine is the Kleene logic of And, Or and Not.
func combine(name string, args []*estate.Value) estate.Truth {
	switch name {
	case "Fn::Not":
		return truthOf(args[0]).Not()
	case "Fn::And":
		all := estate.True
		for _, a := range args {
			all = all.And(truthOf(a))
		}
		return all
	default: // Or is not all false.
		none := estate.True
		for _, a := range args {
			none = none.And(truthOf(a).Not())
		}
		return none.Not()
	}
}

func truthOf(v *estate.Value) estate.Truth {
	if v.Kind() != estate.KindBool {
		return estate.Maybe
	}
	return estate.TruthOf(v.AsBool())
}

func truthValue(t estate.Truth) *estate.Value {
	switch t {
	case estate.True:
		return estate.Bool(true)
	case estate.False:
		return estate.Bool(false)
	default:
		return estate.Unknown(reasonCondition, "")
	}
}

// equals compares as Fn::Equals does: texts, and lists of texts.
func equals(a, b *estate.Value) estate.Truth {
	if a.Kind() == estate.KindList && b.Kind() == estate.KindList {
		if len(a.Items()) != len(b.Items()) {
			return estate.False
		}
		all := estate.True
		for i := range a.Items() {
			all = all.And(equals(a.Items()[i], b.Items()[i]))
		}
		return all
	}
	return estate.Matches(a, b)
}
