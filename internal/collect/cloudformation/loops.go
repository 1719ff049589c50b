package cloudformation

import (
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

const languageExtensions = "AWS::LanguageExtensions"

// maxCopies bounds the entries that the loops of one template make.
// CloudFormation takes 500 resources and far fewer loops.
const maxCopies = 10_000

const forEach = "Fn::ForEach::"

// expandLoops replaces every Fn::ForEach by the entries that it makes, as the
// transform AWS::LanguageExtensions does before anything else is evaluated.
// source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
func (t *template) expandLoops() {
	t.expandIn(t.root, 0)
}

// expandIn expands the loops in a node and below it.
func (t *template) expandIn(n *yaml.Node, depth int) {
	if depth > maxDepth || n.Kind == yaml.AliasNode || n.Kind == yaml.ScalarNode {
		return // what an alias stands for is expanded where it is written
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); {
			if !strings.HasPrefix(n.Content[i].Value, forEach) {
				i += 2
				continue
			}
			made := t.copies(n.Content[i], follow(n.Content[i+1]))
			n.Content = append(n.Content[:i:i], append(made, n.Content[i+2:]...)...)
		}
	}
	for _, c := range n.Content {
		t.expandIn(c, depth+1)
	}
}

// copies are the keys and values that one loop makes; loops within them are
// still there.
func (t *template) copies(key, loop *yaml.Node) []*yaml.Node {
	if !t.hasTransform(languageExtensions) {
		t.problem(key, "%s needs Transform: %s", key.Value, languageExtensions)
		t.partial("%s is not expanded", key.Value)
		return nil
	}
	if loop.Kind != yaml.SequenceNode || len(loop.Content) != 3 || follow(loop.Content[0]).Kind != yaml.ScalarNode || follow(loop.Content[2]).Kind != yaml.MappingNode {
		t.problem(key, "%s: expected a list of an identifier, a collection and what to repeat", key.Value)
		t.partial("%s is not expanded", key.Value)
		return nil
	}
	identifier := follow(loop.Content[0]).Value
	items, gap := t.collection(loop.Content[1])
	if gap != "" {
		t.partial("%s is not expanded: %s", key.Value, gap)
		return nil
	}
	body := follow(loop.Content[2])
	var made []*yaml.Node
	for _, item := range items {
		if t.copied += len(body.Content) / 2; t.copied > maxCopies {
			t.problem(key, "%s: loops of the template make more than %d entries", key.Value, maxCopies)
			t.partial("%s is not expanded", key.Value)
			return nil
		}
		for i := 0; i+1 < len(body.Content); i += 2 {
			made = append(made, substituted(body.Content[i], identifier, item), substituted(body.Content[i+1], identifier, item))
		}
	}
	return made
}

// collection lists the texts that a loop runs over, or says what is missing.
func (t *template) collection(n *yaml.Node) (items []string, gap string) {
	v := t.eval(n)
	if v.Kind() != estate.KindList {
		return nil, v.String()
	}
	for _, item := range v.Items() {
		text, ok := item.Scalar()
		if !ok {
			return nil, item.String()
		}
		items = append(items, text)
	}
	return items, ""
}

// substituted is a copy of a node in which an identifier has a value:
// ${Identifier}, &{Identifier} without what is neither letter nor digit, and
// Ref to it. Aliases are written out, because each copy differs.
func substituted(n *yaml.Node, identifier, value string) *yaml.Node {
	n = follow(n)
	c := *n
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!Ref" && n.Value == identifier {
			c.Tag, c.Value, c.Style = "!!str", value, yaml.DoubleQuotedStyle
			return &c
		}
		c.Value = strings.ReplaceAll(strings.ReplaceAll(n.Value, "${"+identifier+"}", value), "&{"+identifier+"}", alphanumeric(value))
		return &c
	case yaml.MappingNode:
		if len(n.Content) == 2 && n.Content[0].Value == "Ref" && follow(n.Content[1]).Value == identifier {
			c.Kind, c.Tag, c.Value, c.Style, c.Content = yaml.ScalarNode, "!!str", value, yaml.DoubleQuotedStyle, nil
			return &c
		}
	}
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, inner := range n.Content {
		c.Content[i] = substituted(inner, identifier, value)
	}
	return &c
}

func alphanumeric(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// length is Fn::Length.
func (t *template) length(v *estate.Value) *estate.Value {
	return t.lift(func(args []*estate.Value) *estate.Value {
		if args[0].Kind() != estate.KindList {
			return derived(reasonComputed, args[0])
		}
		return estate.Int(int64(len(args[0].Items())))
	}, v)
}

// jsonString is Fn::ToJsonString. What is not known within becomes a hole.
func (t *template) jsonString(v *estate.Value) *estate.Value {
	return t.lift(func(args []*estate.Value) *estate.Value {
		var parts []*estate.Value
		appendJSON(&parts, args[0])
		return estate.Text(parts...)
	}, v)
}

func appendJSON(parts *[]*estate.Value, v *estate.Value) {
	write := func(s string) { *parts = append(*parts, estate.String(s)) }
	switch v.Kind() {
	case estate.KindMap:
		write("{")
		for i, f := range v.Fields() {
			if i > 0 {
				write(",")
			}
			write(quote(f.Name) + ":")
			appendJSON(parts, f.Value)
		}
		write("}")
	case estate.KindList:
		write("[")
		for i, item := range v.Items() {
			if i > 0 {
				write(",")
			}
			appendJSON(parts, item)
		}
		write("]")
	case estate.KindText:
		write(`"`)
		for _, p := range v.Items() {
			if p.Kind() == estate.KindString {
				inner := quote(p.AsString())
				p = estate.String(inner[1 : len(inner)-1])
			}
			*parts = append(*parts, p)
		}
		write(`"`)
	case estate.KindString, estate.KindBool, estate.KindInt, estate.KindFloat, estate.KindNull:
		write(string(v.Plain().AppendJSON(nil)))
	case estate.KindAbsent:
		write("null")
	default:
		write(`"`)
		*parts = append(*parts, v)
		write(`"`)
	}
}

func quote(s string) string { return string(estate.String(s).AppendJSON(nil)) }

// needsExtensions reports a function that only the transform makes valid.
func (t *template) needsExtensions(n *yaml.Node, name string) bool {
	if t.hasTransform(languageExtensions) {
		return false
	}
	t.problem(n, "%s needs Transform: %s", name, languageExtensions)
	return true
}

// partial says that something of the template's resources is not read.
func (t *template) partial(format string, args ...any) {
	t.builder.Cover(estate.Coverage{Type: "*", State: estate.CoveragePartial, Reason: fmt.Sprintf(format, args...)})
}
