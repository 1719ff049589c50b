package regime

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"assay/internal/check"
)

// reader reads a YAML file strictly and gathers its faults, each with its place.
type reader struct {
	name string
	errs []error
}

func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	line, column := 1, 1
	if n != nil {
		line, column = max(n.Line, 1), max(n.Column, 1)
	}
	r.errs = append(r.errs, &check.FieldError{File: r.name, Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

// document is the mapping that a file is; nil for an empty one or a fault.
func (r *reader) document(data []byte) *yaml.Node {
	var doc, more yaml.Node
	documents := yaml.NewDecoder(bytes.NewReader(data))
	err := documents.Decode(&doc)
	if err == nil {
		if err = documents.Decode(&more); err == nil {
			r.fault(&more, "a second document begins here; expected one")
			return nil
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		at, message := &yaml.Node{}, err.Error()
		var load *yaml.LoadError
		if errors.As(err, &load) {
			at.Line, at.Column, message = load.Mark.Line, load.Mark.Column, load.Message
		}
		r.fault(at, "not valid YAML: %s", message)
		return nil
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil
	}
	return r.value(doc.Content[0])
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// maxDepth bounds how deep aliases lead: YAML lets one stand in itself.
const maxDepth = 32

// value is what a node stands for, be it an alias.
func (r *reader) value(n *yaml.Node) *yaml.Node {
	for range maxDepth {
		if n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return n
}

// fields walks a mapping whose keys are known.
func (r *reader) fields(n *yaml.Node, what string, known []string, f func(key, value *yaml.Node)) {
	if n = r.value(n); n.Kind != yaml.MappingNode {
		r.fault(n, "%s: expected a mapping with %s", what, strings.Join(known, ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], r.value(n.Content[i+1])
		switch {
		case !slices.Contains(known, key.Value):
			r.fault(key, "there is no %s %s%s", fieldOf(what), key.Value, suggest(key.Value, known))
		case seen[key.Value]:
			r.fault(key, "%s stands twice", key.Value)
		default:
			seen[key.Value] = true
			f(key, value)
		}
	}
}

// fieldOf words what is unknown.
func fieldOf(what string) string {
	switch what {
	case "answers", "answer", "at-least":
		return "question"
	}
	return "field"
}

// suggest says which of the known words may be meant, or else all of them.
func suggest(word string, known []string) string {
	if hint := check.Similar(word, known); hint != "" {
		return hint
	}
	return "; expected " + strings.Join(known, ", ")
}

func (r *reader) items(n *yaml.Node, what string) []*yaml.Node {
	switch {
	case n.Kind == yaml.SequenceNode:
		items := make([]*yaml.Node, len(n.Content))
		for i, item := range n.Content {
			items[i] = r.value(item)
		}
		return items
	case !isNull(n):
		r.fault(n, "%s: expected a list", what)
	}
	return nil
}

func (r *reader) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || isNull(n) || strings.TrimSpace(n.Value) == "" {
		r.fault(n, "%s: expected a text", what)
		return ""
	}
	return strings.TrimSpace(n.Value)
}

func (r *reader) texts(n *yaml.Node, what string) []string {
	texts := []string{}
	for _, item := range r.items(n, what) {
		if s := r.text(item, what); s != "" {
			texts = append(texts, s)
		}
	}
	return texts
}

// words are a list of words, each of those that there are; one alone may stand
// without brackets.
func (r *reader) words(n *yaml.Node, what string, known []string) []string {
	items := []*yaml.Node{n}
	if n.Kind != yaml.ScalarNode {
		items = r.items(n, what)
	}
	words := []string{}
	for _, item := range items {
		s := r.text(item, what)
		switch {
		case s == "":
		case !slices.Contains(known, s):
			r.fault(item, "%s: there is no %s%s", what, s, suggest(s, known))
		case slices.Contains(words, s):
			r.fault(item, "%s: %s stands twice", what, s)
		default:
			words = append(words, s)
		}
	}
	return words
}

func (r *reader) word(n *yaml.Node, what string, known []string) string {
	if n.Kind != yaml.ScalarNode {
		r.fault(n, "%s: expected one of %s", what, strings.Join(known, ", "))
		return ""
	}
	for _, w := range r.words(n, what, known) {
		return w
	}
	return ""
}

func (r *reader) number(n *yaml.Node, what string) int64 {
	v, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 10, 64)
	if n.Kind != yaml.ScalarNode || err != nil || v < 0 {
		r.fault(n, "%s: expected a whole number, such as 400000", what)
		return 0
	}
	return v
}

func (r *reader) date(n *yaml.Node, what string) string {
	s := r.text(n, what)
	if s == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		r.fault(n, "%s: %q is not a date; expected YEAR-MONTH-DAY, such as 2027-01-31", what, s)
		return ""
	}
	return s
}

// yesNo reads yes or no, or YAML's own true and false.
func (r *reader) yesNo(n *yaml.Node, what string) string {
	if n.Kind == yaml.ScalarNode {
		switch strings.ToLower(n.Value) {
		case "yes", "true":
			return "yes"
		case "no", "false":
			return "no"
		}
	}
	r.fault(n, "%s: expected yes or no", what)
	return ""
}
