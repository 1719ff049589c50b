package iam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Issue is something wrong with a document.
type Issue struct {
	// Code names the kind of issue, such as "unknown-action"; docs/iam.md lists
	// them with what IAM Access Analyzer calls each.
	Code    string   `json:"code"`
	Level   Level    `json:"level"`
	Message string   `json:"message"` // what is wrong, what was expected, what to do
	At      Position `json:"at"`
}

// Level is how bad an issue is. Errors are documents that AWS refuses or
// statements that can never match; warnings are what is probably not meant.
type Level string

// The levels of issues.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelAdvice  Level = "suggestion"
)

func (i Issue) String() string {
	return fmt.Sprintf("%s: %s: %s [%s]", i.At, i.Level, i.Message, i.Code)
}

// ParseError is why a document cannot be used.
type ParseError struct{ Issues []Issue }

func (e *ParseError) Error() string {
	s := e.Issues[0].String()
	if n := len(e.Issues) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Limits of what [Parse] takes.
const (
	MaxDocument = 8 << 20 // bytes
	MaxIssues   = 100     // reported of one document
)

// Parse reads a policy document. When it returns an error, it is a
// *[ParseError] with everything that is wrong with the document's form.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Parse(src []byte) (*Document, error) { return parse(src, string(src)) }

// parse reads a document whose text is there as a string already.
func parse(src []byte, whole string) (*Document, error) {
	p := parser{src: src, whole: whole, dec: jsontext.NewDecoder(bytes.NewBuffer(src), jsontext.AllowDuplicateNames(true))}
	if len(src) > MaxDocument {
		return nil, &ParseError{[]Issue{{"too-large", LevelError, fmt.Sprintf("the document has %d bytes; expected at most %d", len(src), MaxDocument), Position{1, 1}}}}
	}
	p.whole = string(src)
	d := &Document{}
	if err := p.document(d); err != nil {
		p.broken(err)
	}
	if len(p.issues) > 0 {
		return nil, &ParseError{p.issues}
	}
	return d, nil
}

type parser struct {
	src    []byte
	dec    *jsontext.Decoder
	issues []Issue
	// line and from remember the last position, so that positions of a document
	// take one walk over its text.
	line, start, from int

	whole string // src; the texts of the document are parts of it
	// The texts of a document are many and small: values is what is read of a
	// list, and slab and lists are rooms for several.
	values, slab []Text
	lists        []Texts
}

// quoted reads a string that starts at an offset.
func (p *parser) quoted(at int) (string, error) {
	t, err := p.dec.ReadToken()
	if err != nil {
		return "", err
	}
	if raw := p.whole[at:p.dec.InputOffset()]; strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	return t.String(), nil
}

// keep gives a list its own place for what was read of it.
func (p *parser) keep(values []Text) []Text {
	n := len(values)
	if n == 0 {
		return nil
	}
	if cap(p.slab)-len(p.slab) < n {
		p.slab = make([]Text, 0, max(n, min(64, 4+len(p.src)/100)))
	}
	p.slab = append(p.slab, values...)
	return p.slab[len(p.slab)-n : len(p.slab) : len(p.slab)]
}

func (p *parser) newTexts(at Position) *Texts {
	if len(p.lists) == cap(p.lists) {
		p.lists = make([]Texts, 0, min(32, 2+len(p.src)/200))
	}
	p.lists = append(p.lists, Texts{At: at})
	return &p.lists[len(p.lists)-1]
}

var errStop = errors.New("stop")

func (p *parser) broken(err error) {
	if errors.Is(err, errStop) {
		return
	}
	at := int(p.dec.InputOffset())
	message := "the document ends too early; expected JSON"
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		at = int(syntax.ByteOffset)
		if !errors.Is(syntax.Err, io.ErrUnexpectedEOF) {
			message = fmt.Sprintf("not valid JSON: %v", syntax.Err)
		}
	}
	p.issue("json-syntax", at, "%s", message)
}

func (p *parser) issue(code string, offset int, format string, args ...any) {
	if len(p.issues) < MaxIssues {
		p.issues = append(p.issues, Issue{code, LevelError, fmt.Sprintf(format, args...), p.position(offset)})
	}
}

// position turns an offset into a line and column.
func (p *parser) position(offset int) Position {
	offset = min(offset, len(p.src))
	if p.start <= offset && offset <= p.from {
		return Position{p.line + 1, offset - p.start + 1}
	}
	if offset < p.from {
		p.line, p.start, p.from = 0, 0, 0
	}
	for {
		at := bytes.IndexByte(p.src[p.from:offset], '\n')
		if at < 0 {
			break
		}
		p.from += at + 1
		p.line, p.start = p.line+1, p.from
	}
	p.from = offset
	return Position{p.line + 1, offset - p.start + 1}
}

// next is where the coming token starts.
func (p *parser) next() int {
	at := int(p.dec.InputOffset())
	for at < len(p.src) && strings.IndexByte(" \t\r\n,:", p.src[at]) >= 0 {
		at++
	}
	return at
}

// object reads an object and calls f for each name, which must read the value.
func (p *parser) object(what string, f func(name string, at int) error) error {
	at := p.next()
	if p.dec.PeekKind() != '{' {
		if _, err := p.dec.ReadValue(); err != nil {
			return err
		}
		p.issue("data-type", at, "%s is not an object; expected { … }", what)
		return nil
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.PeekKind() != '}' {
		at := p.next()
		name, err := p.quoted(at)
		if err != nil {
			return err
		}
		if seen[name] {
			p.issue("duplicate-key", at, "%s has %q twice; AWS keeps one of them only", what, name)
			if err := p.dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		seen[name] = true
		if err := f(name, at); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken()
	return err
}

func (p *parser) document(d *Document) error {
	start := p.next()
	stated := false
	err := p.object("the policy", func(name string, at int) error {
		switch name {
		case "Version":
			t, err := p.text("Version")
			d.Version = t.Value
			if err == nil && t.Value != Version2008 && t.Value != Version2012 {
				p.issue("invalid-version", at, "Version %q; expected %q or %q", t.Value, Version2012, Version2008)
			}
			return err
		case "Id":
			t, err := p.text("Id")
			d.ID = t.Value
			return err
		case "Statement":
			stated = true
			if p.dec.PeekKind() != '[' {
				d.Single = true
				return p.statement(d)
			}
			if _, err := p.dec.ReadToken(); err != nil {
				return err
			}
			for p.dec.PeekKind() != ']' {
				if err := p.statement(d); err != nil {
					return err
				}
			}
			_, err := p.dec.ReadToken()
			return err
		default:
			p.issue("unknown-element", at, "a policy has no element %q; expected Version, Id or Statement", name)
			return p.dec.SkipValue()
		}
	})
	if err != nil {
		return err
	}
	if !stated && len(p.issues) == 0 {
		p.issue("missing-statement", start, "the policy has no Statement")
	}
	rest := p.next()
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		p.issue("json-syntax", rest, "something follows the policy; expected its end")
	}
	return nil
}

// text reads a string; numbers and booleans count as their text.
func (p *parser) text(what string) (Text, error) {
	at := p.next()
	switch p.dec.PeekKind() {
	case '"':
		s, err := p.quoted(at)
		return Text{s, p.position(at)}, err
	case '0', 't', 'f':
		v, err := p.dec.ReadValue()
		return Text{string(v), p.position(at)}, err
	}
	if _, err := p.dec.ReadValue(); err != nil {
		return Text{}, err
	}
	p.issue("data-type", at, "%s is neither a text nor a list of texts", what)
	return Text{At: p.position(at)}, nil
}

func (p *parser) texts(what string) (*Texts, error) {
	at := p.next()
	list := p.newTexts(p.position(at))
	p.values = p.values[:0]
	if p.dec.PeekKind() != '[' {
		t, err := p.text(what)
		list.Single = true
		list.Values = p.keep(append(p.values, t))
		return list, err
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, err
	}
	for p.dec.PeekKind() != ']' {
		t, err := p.text(what)
		if err != nil {
			return nil, err
		}
		p.values = append(p.values, t)
	}
	list.Values = p.keep(p.values)
	_, err := p.dec.ReadToken()
	return list, err
}

func (p *parser) statement(d *Document) error {
	start := p.next()
	s := Statement{At: p.position(start)}
	effect := false
	err := p.object("a statement", func(name string, at int) error {
		var err error
		switch name {
		case "Sid":
			var t Text
			t, err = p.text(name)
			s.Sid = t.Value
		case "Effect":
			effect = true
			var t Text
			t, err = p.text(name)
			switch t.Value {
			case "Allow":
				s.Effect = Allow
			case "Deny":
				s.Effect = Deny
			default:
				p.issue("invalid-effect", at, "Effect %q; expected \"Allow\" or \"Deny\"", t.Value)
			}
		case "Principal":
			s.Principal, err = p.principals(name)
		case "NotPrincipal":
			s.NotPrincipal, err = p.principals(name)
		case "Action":
			s.Action, err = p.texts(name)
		case "NotAction":
			s.NotAction, err = p.texts(name)
		case "Resource":
			s.Resource, err = p.texts(name)
		case "NotResource":
			s.NotResource, err = p.texts(name)
		case "Condition":
			err = p.conditions(&s)
		default:
			p.issue("unknown-element", at, "a statement has no element %q; expected Sid, Effect, Principal, Action, Resource, Condition or one of their Not forms", name)
			err = p.dec.SkipValue()
		}
		return err
	})
	if err != nil {
		return err
	}
	if !effect {
		p.issue("missing-effect", start, "the statement has no Effect; expected \"Allow\" or \"Deny\"")
	}
	for _, pair := range []struct {
		code     string
		one, two bool
		names    string
	}{
		{"action", s.Action != nil, s.NotAction != nil, "Action and NotAction"},
		{"resource", s.Resource != nil, s.NotResource != nil, "Resource and NotResource"},
		{"principal", s.Principal != nil, s.NotPrincipal != nil, "Principal and NotPrincipal"},
	} {
		if pair.one && pair.two {
			p.issue("both-"+pair.code, start, "the statement has both %s; expected one of them", pair.names)
		}
	}
	if s.Action == nil && s.NotAction == nil {
		p.issue("missing-action", start, "the statement has neither Action nor NotAction")
	}
	d.Statements = append(d.Statements, s)
	return nil
}

// principalKinds are the kinds of principal that a policy can name.
var principalKinds = map[string]bool{"AWS": true, "Service": true, "Federated": true, "CanonicalUser": true}

func (p *parser) principals(what string) ([]Principals, error) {
	at := p.next()
	if p.dec.PeekKind() == '"' {
		t, err := p.text(what)
		if err == nil && t.Value != "*" {
			p.issue("invalid-principal", at, "%s is the text %q; expected \"*\" or an object such as {\"AWS\": …}", what, t.Value)
		}
		return []Principals{{Values: Texts{Values: []Text{t}, Single: true, At: t.At}}}, err
	}
	list := []Principals{}
	err := p.object(what, func(name string, at int) error {
		if !principalKinds[name] {
			p.issue("invalid-principal", at, "%s has no kind %q; expected AWS, Service, Federated or CanonicalUser", what, name)
			return p.dec.SkipValue()
		}
		values, err := p.texts(what + "." + name)
		if err == nil {
			list = append(list, Principals{name, *values})
		}
		return err
	})
	return list, err
}

func (p *parser) conditions(s *Statement) error {
	return p.object("Condition", func(operator string, at int) error {
		wanted := p.position(at)
		if _, ok := parseOperator(operator); !ok {
			p.issue("invalid-operator", at, "there is no condition operator %q%s", operator, Similar(operator, operatorNames()))
		}
		return p.object(operator, func(key string, at int) error {
			start := p.position(at)
			values, err := p.texts("condition key " + key)
			if err != nil {
				return err
			}
			s.Condition = append(s.Condition, Condition{
				Operator: operator, Key: key, Values: *values, At: start, Wanted: wanted,
			})
			return nil
		})
	})
}
