package cloudformation

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// Limits of what is read. CloudFormation itself takes templates up to 1 MB.
const (
	maxTemplate = 8 << 20 // bytes
	maxDepth    = 100     // nested values
	maxNodes    = 500_000 // values, aliases expanded
)

// position is where a node begins.
func position(file string, n *yaml.Node) estate.Position {
	return estate.Position{File: file, Line: n.Line, Column: n.Column}
}

// parse reads a template into a tree of nodes with positions. JSON is read by
// a parser of our own: it may be indented with tabs, which YAML forbids.
func parse(file string, data []byte) (*yaml.Node, *estate.Problem) {
	fault := func(line, column int, format string, args ...any) *estate.Problem {
		return &estate.Problem{
			Position: estate.Position{File: file, Line: max(line, 1), Column: max(column, 1)},
			Message:  fmt.Sprintf(format, args...),
		}
	}
	if len(data) > maxTemplate {
		return nil, fault(1, 1, "the template is %d MB; CloudFormation takes 1 MB, and assay reads %d MB", len(data)>>20, maxTemplate>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if at := invalidUTF8(data); at >= 0 {
		line, column := lineColumn(data, at)
		return nil, fault(line, column, "expected UTF-8 text; byte 0x%02x is not part of any character", data[at])
	}
	if isJSON(data) {
		return parseJSON(file, data)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		var at *yaml.LoadError
		if errors.As(err, &at) {
			return nil, fault(at.Mark.Line, at.Mark.Column, "not valid YAML: %s", at.Message)
		}
		return nil, fault(1, 1, "not valid YAML: %v", err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, fault(1, 1, "the file is empty; expected a template")
	}
	return doc.Content[0], nil
}

// isJSON tells JSON from YAML in braces: its first name is in quotes.
func isJSON(data []byte) bool {
	const space = " \t\r\n"
	rest, braced := bytes.CutPrefix(bytes.TrimLeft(data, space), []byte("{"))
	rest = bytes.TrimLeft(rest, space)
	return braced && (len(rest) == 0 || rest[0] == '"' || rest[0] == '}')
}

// hasMember reports whether an object in JSON, perhaps not a whole one, has a
// member of one of the names itself, and not deeper down.
func hasMember(data []byte, names ...string) bool {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			start := i + 1
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			if depth == 1 && i < len(data) && slices.Contains(names, string(data[start:i])) {
				rest := bytes.TrimLeft(data[i+1:min(len(data), i+64)], " \t\r\n")
				if bytes.HasPrefix(rest, []byte(":")) {
					return true
				}
			}
		}
	}
	return false
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func lineColumn(data []byte, offset int) (line, column int) {
	before := data[:offset]
	return bytes.Count(before, []byte("\n")) + 1, offset - bytes.LastIndexByte(before, '\n')
}

// jsonParser reads JSON into the same nodes as YAML.
type jsonParser struct {
	data      []byte
	at        int
	line      int
	lineStart int // offset
	depth     int
}

// jsonError is a syntax error at the parser's place.
type jsonError struct{ message string }

func (e *jsonError) Error() string { return e.message }

func parseJSON(file string, data []byte) (*yaml.Node, *estate.Problem) {
	p := &jsonParser{data: data, line: 1}
	n, err := p.value()
	if err == nil {
		p.space()
		if p.at < len(p.data) {
			err = &jsonError{"text after the end of the template"}
		}
	}
	if err != nil {
		return nil, &estate.Problem{
			Position: estate.Position{File: file, Line: p.line, Column: p.at - p.lineStart + 1},
			Message:  "not valid JSON: " + err.Error(),
		}
	}
	return n, nil
}

func (p *jsonParser) space() {
	for ; p.at < len(p.data); p.at++ {
		switch p.data[p.at] {
		case '\n':
			p.line++
			p.lineStart = p.at + 1
		case ' ', '\t', '\r':
		default:
			return
		}
	}
}

func (p *jsonParser) node(kind yaml.Kind, tag string) *yaml.Node {
	return &yaml.Node{Kind: kind, Tag: tag, Line: p.line, Column: p.at - p.lineStart + 1}
}

// peek is the next byte that is not space, or 0 at the end.
func (p *jsonParser) peek() byte {
	p.space()
	if p.at >= len(p.data) {
		return 0
	}
	return p.data[p.at]
}

func (p *jsonParser) value() (*yaml.Node, error) {
	if p.depth++; p.depth > 4*maxDepth {
		return nil, &jsonError{fmt.Sprintf("nested more than %d deep", 4*maxDepth)}
	}
	defer func() { p.depth-- }()
	switch c := p.peek(); {
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '"':
		n := p.node(yaml.ScalarNode, "!!str")
		n.Style = yaml.DoubleQuotedStyle
		s, err := p.text()
		n.Value = s
		return n, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 0:
		return nil, &jsonError{"the file ends in the middle of a value"}
	}
	for word, tag := range map[string]string{"true": "!!bool", "false": "!!bool", "null": "!!null"} {
		if bytes.HasPrefix(p.data[p.at:], []byte(word)) {
			n := p.node(yaml.ScalarNode, tag)
			n.Value = word
			p.at += len(word)
			return n, nil
		}
	}
	return nil, &jsonError{fmt.Sprintf("expected a value, found %q", p.data[p.at])}
}

func (p *jsonParser) object() (*yaml.Node, error) {
	n := p.node(yaml.MappingNode, "!!map")
	p.at++
	if p.peek() == '}' {
		p.at++
		return n, nil
	}
	for {
		if p.peek() != '"' {
			return nil, &jsonError{`expected a name in quotes`}
		}
		key := p.node(yaml.ScalarNode, "!!str")
		key.Style = yaml.DoubleQuotedStyle
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		key.Value = name
		if p.peek() != ':' {
			return nil, &jsonError{fmt.Sprintf("expected ':' after %q", name)}
		}
		p.at++
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, key, v)
		switch p.peek() {
		case ',':
			p.at++
		case '}':
			p.at++
			return n, nil
		default:
			return nil, &jsonError{"expected ',' or '}'"}
		}
	}
}

func (p *jsonParser) array() (*yaml.Node, error) {
	n := p.node(yaml.SequenceNode, "!!seq")
	p.at++
	if p.peek() == ']' {
		p.at++
		return n, nil
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, v)
		switch p.peek() {
		case ',':
			p.at++
		case ']':
			p.at++
			return n, nil
		default:
			return nil, &jsonError{"expected ',' or ']'"}
		}
	}
}

func (p *jsonParser) number() (*yaml.Node, error) {
	n := p.node(yaml.ScalarNode, "!!int")
	start := p.at
	for p.at < len(p.data) && strings.IndexByte("+-0123456789.eE", p.data[p.at]) >= 0 {
		p.at++
	}
	n.Value = string(p.data[start:p.at])
	if _, err := strconv.ParseFloat(n.Value, 64); err != nil {
		p.at = start
		return nil, &jsonError{fmt.Sprintf("%q is not a number", n.Value)}
	}
	if strings.ContainsAny(n.Value, ".eE") {
		n.Tag = "!!float"
	}
	return n, nil
}

// text reads a quoted text; the parser stands on the opening quote.
func (p *jsonParser) text() (string, error) {
	start := p.at
	for i := p.at + 1; i < len(p.data); i++ {
		switch p.data[i] {
		case '\\':
			i++
		case '\n':
			return "", &jsonError{"the line ends inside a text"}
		case '"':
			p.at = i + 1
			return unquote(p.data[start:p.at])
		}
	}
	return "", &jsonError{"the file ends inside a text"}
}

// members walks the entries of a mapping, merge keys expanded and aliases of
// keys resolved. A key that stands twice is reported at its second place; the
// later one holds, as CloudFormation's own parser has it.
func members(n *yaml.Node, report func(*yaml.Node, string), f func(key, value *yaml.Node)) {
	last := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		last[n.Content[i].Value] = i
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Tag == "!!merge":
			for _, source := range mergeSources(value) {
				members(source, func(*yaml.Node, string) {}, func(k, v *yaml.Node) {
					if _, own := last[k.Value]; !own {
						f(k, v)
					}
				})
			}
		case last[key.Value] != i:
			report(n.Content[last[key.Value]], fmt.Sprintf("%s stands twice; this one holds, the one on line %d does not", key.Value, key.Line&(1<<lineBits-1)))
		default:
			f(key, value)
		}
	}
}

func mergeSources(v *yaml.Node) []*yaml.Node {
	v = follow(v)
	switch v.Kind {
	case yaml.MappingNode:
		return []*yaml.Node{v}
	case yaml.SequenceNode:
		var all []*yaml.Node
		for _, item := range v.Content {
			if m := follow(item); m.Kind == yaml.MappingNode {
				all = append(all, m)
			}
		}
		return all
	default:
		return nil
	}
}

// follow resolves an alias.
func follow(n *yaml.Node) *yaml.Node {
	for i := 0; n.Kind == yaml.AliasNode && n.Alias != nil && i < maxDepth; i++ {
		n = n.Alias
	}
	return n
}

// child is the value of a key of a mapping, or nil.
func child(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := len(n.Content) - 2; i >= 0; i -= 2 {
		if n.Content[i].Value == name {
			return follow(n.Content[i+1])
		}
	}
	return nil
}
