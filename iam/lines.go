package iam

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Lines answers requests that are written as JSON, one a line, with the policies
// that bear on them. docs/iam.md gives the form of both. Documents that were
// seen before are not parsed again, as long as they fit into the cache. It is
// for one goroutine.
type Lines struct {
	// Semantics reads the contested rules.
	Semantics Semantics
	// Full adds every statement with what it says of the request.
	Full bool

	data  *Data
	named map[string]*Policy
	// seen and older hold compiled documents by their text; when seen is full it
	// becomes older.
	seen, older map[string]*Policy
	size        int // bytes of text in seen
	in          jsontext.Decoder
	out         jsontext.Encoder
	buffer      bytes.Buffer
	line        bytes.Reader
}

// cacheBytes bounds the text of the documents that are kept; there may be twice
// as much for a while. A document takes ten times the room of its text.
const cacheBytes = 8 << 20

// NewLines answers with the tables, which may be nil.
func NewLines(data *Data) *Lines {
	return &Lines{Semantics: Documents, data: data, named: map[string]*Policy{}, seen: map[string]*Policy{}}
}

// LineError is what is wrong with a request.
type LineError struct {
	Field   string // of the request, such as "identityPolicies[1]"
	At      Position
	Message string
}

func (e *LineError) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.At.Line > 1 {
		return e.At.String() + ": " + s
	}
	return fmt.Sprintf("column %d: %s", e.At.Column, s)
}

// wire is a request as it is read.
type wire struct {
	id       jsontext.Value // as written
	spec     RequestSpec
	set      PolicySet
	rule     URLRule
	auth     string
	urlCall  bool // functionUrlAuthType or functionUrlRule is stated
	header   bool // the line gives names to policies
	anything bool // the line has a field of a request
}

// Answer answers one line. The answer ends in a newline and is valid until the
// next call; a line that names policies has an empty one. An error is a
// *[LineError]; the answer says it, too.
func (l *Lines) Answer(line []byte) ([]byte, error) {
	l.buffer.Reset()
	var w wire
	err := l.read(line, &w)
	if err == nil && w.header && !w.anything {
		return nil, nil
	}
	var x Explanation
	var request *Request
	if err == nil {
		request, x, err = l.explain(&w)
	}
	var bad *LineError
	if err != nil && !errors.As(err, &bad) {
		bad = &LineError{At: Position{1, 1}, Message: err.Error()}
	}
	if bad != nil && w.id == nil {
		w.id = identity(line)
	}
	l.write(&w, request, &x, bad)
	if bad != nil {
		return l.buffer.Bytes(), bad
	}
	return l.buffer.Bytes(), nil
}

// identity finds the id of a line that is not read to its end.
func identity(line []byte) jsontext.Value {
	d := jsontext.NewDecoder(bytes.NewReader(line), jsontext.AllowDuplicateNames(true))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return nil
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil
		}
		found := name.String() == "id"
		value, err := d.ReadValue()
		switch {
		case err != nil:
			return nil
		case found:
			return value.Clone()
		}
	}
	return nil
}

func (l *Lines) explain(w *wire) (*Request, Explanation, error) {
	if w.urlCall {
		if w.spec.Action != "" && lower(w.spec.Action) != "lambda:invokefunctionurl" {
			return nil, Explanation{}, fmt.Errorf("action %q of a call of a function URL; expected lambda:InvokeFunctionUrl", w.spec.Action)
		}
		url, invoke, err := InvokeURL(w.spec, w.auth, l.data)
		if err != nil {
			return nil, Explanation{}, err
		}
		return url, explainURL(url, invoke, &w.set, l.Semantics, w.rule, l.Full), nil
	}
	r, err := NewRequest(w.spec, l.data)
	if err == nil && !r.accountKnown && r.caller.member() {
		// A line that does not say whose resource it is means the caller's.
		w.spec.ResourceAccount = r.caller.Account
		r, err = NewRequest(w.spec, l.data)
	}
	if err != nil {
		return nil, Explanation{}, err
	}
	return r, explain(r, &w.set, l.Semantics, l.Full), nil
}

// read decodes a line.
func (l *Lines) read(line []byte, w *wire) error {
	l.line.Reset(line)
	l.in.Reset(&l.line, jsontext.AllowDuplicateNames(true))
	d := fieldReader{l: l, line: line}
	if len(line) > MaxDocument {
		return d.wrong("the line is longer than %d bytes", MaxDocument)
	}
	if l.in.PeekKind() != '{' {
		if _, err := l.in.ReadValue(); err != nil {
			return d.broken(err)
		}
		return d.wrong("the line is no JSON object")
	}
	if _, err := l.in.ReadToken(); err != nil {
		return d.broken(err)
	}
	for l.in.PeekKind() != '}' {
		d.mark()
		t, err := l.in.ReadToken()
		if err != nil {
			return d.broken(err)
		}
		d.field = t.String()
		if err := d.read(w); err != nil {
			return err
		}
	}
	d.field = ""
	if _, err := l.in.ReadToken(); err != nil {
		return d.broken(err)
	}
	d.mark()
	if d.from < len(line) {
		return d.wrong("something follows the request on its line")
	}
	return nil
}

// fieldReader reads the fields of a line.
type fieldReader struct {
	l     *Lines
	line  []byte
	field string
	from  int // where the name or value starts that is being read
}

// mark notes where the next name or value starts.
func (d *fieldReader) mark() {
	d.from = int(d.l.in.InputOffset())
	for d.from < len(d.line) && strings.IndexByte(" \t\r\n,:", d.line[d.from]) >= 0 {
		d.from++
	}
}

func (d *fieldReader) wrong(format string, args ...any) error {
	return &LineError{d.field, Position{1, d.from + 1}, fmt.Sprintf(format, args...)}
}

func (d *fieldReader) broken(err error) error {
	var syntax *jsontext.SyntacticError
	at := len(d.line)
	message := "the line ends too early"
	if errors.As(err, &syntax) {
		at, message = int(syntax.ByteOffset), fmt.Sprintf("not valid JSON: %v", syntax.Err)
	}
	return &LineError{d.field, Position{1, at + 1}, message}
}

func (d *fieldReader) read(w *wire) (err error) {
	w.anything = w.anything || d.field != "policies"
	switch d.field {
	case "id":
		v, err := d.l.in.ReadValue()
		if err != nil {
			return d.broken(err)
		}
		w.id = v.Clone()
		return nil
	case "principal":
		w.spec.Principal, err = d.text()
	case "action":
		w.spec.Action, err = d.text()
	case "resource":
		w.spec.Resource, err = d.text()
	case "resourceAccount":
		w.spec.ResourceAccount, err = d.text()
	case "contextComplete":
		w.spec.ContextComplete, err = d.boolean()
	case "context":
		w.spec.Context = map[string][]string{}
		err = d.object(func(key string) (err error) {
			key = lower(key)
			if _, twice := w.spec.Context[key]; twice {
				return d.wrong("the key %q is stated twice; the names of keys do not depend on case", key)
			}
			w.spec.Context[key], err = d.texts()
			return err
		})
	case "identityPolicies":
		w.set.Identity, err = d.policies()
	case "resourcePolicy":
		w.set.Resource, err = d.policy()
	case "permissionBoundaries":
		w.set.Boundary, err = d.policies()
	case "sessionPolicies":
		w.set.Session, err = d.policies()
	case "scps":
		w.set.SCPs, err = d.levels()
	case "rcps":
		w.set.RCPs, err = d.levels()
	case "endpointPolicies":
		w.set.Endpoint, err = d.policies()
	case "functionUrlAuthType":
		w.auth, err = d.text()
		if err == nil && w.auth != "" && w.auth != "NONE" && w.auth != "AWS_IAM" {
			err = d.wrong("%q; expected NONE or AWS_IAM", w.auth)
		}
		w.urlCall = w.urlCall || w.auth != ""
	case "functionUrlRule":
		var s string
		if s, err = d.text(); err == nil && s != "" {
			var ok bool
			w.urlCall = true
			if w.rule, ok = ParseURLRule(s); !ok {
				err = d.wrong("%q; expected enforced, exempt or unknown", s)
			}
		}
	case "policies":
		w.header = true
		err = d.object(func(name string) error {
			p, err := d.policy()
			if err == nil && p != nil {
				d.l.named[name] = p
			}
			return err
		})
	default:
		err = d.wrong("a request has no such field%s", Similar(d.field, requestFields))
	}
	return err
}

var requestFields = []string{
	"id", "principal", "action", "resource", "resourceAccount", "context", "contextComplete", "identityPolicies", "resourcePolicy",
	"permissionBoundaries", "sessionPolicies", "scps", "rcps", "endpointPolicies", "functionUrlAuthType", "functionUrlRule", "policies",
}

func (d *fieldReader) text() (string, error) {
	d.mark()
	kind := d.l.in.PeekKind()
	t, err := d.l.in.ReadToken()
	if err != nil {
		return "", d.broken(err)
	}
	switch kind {
	case '"', '0', 't', 'f':
		return t.String(), nil
	case 'n':
		return "", nil
	}
	return "", d.wrong("expected a text")
}

func (d *fieldReader) boolean() (bool, error) {
	d.mark()
	kind := d.l.in.PeekKind()
	if _, err := d.l.in.ReadToken(); err != nil {
		return false, d.broken(err)
	}
	if kind != 't' && kind != 'f' && kind != 'n' {
		return false, d.wrong("expected true or false")
	}
	return kind == 't', nil
}

func (d *fieldReader) object(f func(name string) error) error {
	d.mark()
	kind := d.l.in.PeekKind()
	if _, err := d.l.in.ReadToken(); err != nil {
		return d.broken(err)
	}
	if kind == 'n' {
		return nil
	}
	if kind != '{' {
		return d.wrong("expected an object")
	}
	for d.l.in.PeekKind() != '}' {
		t, err := d.l.in.ReadToken()
		if err != nil {
			return d.broken(err)
		}
		if err := f(t.String()); err != nil {
			return err
		}
	}
	if _, err := d.l.in.ReadToken(); err != nil {
		return d.broken(err)
	}
	return nil
}

// list reads an array, or calls f once for anything else.
func (d *fieldReader) list(f func(i int) error) error {
	switch d.l.in.PeekKind() {
	case 'n':
		_, err := d.l.in.ReadToken()
		return err
	case '[':
	default:
		return f(0)
	}
	if _, err := d.l.in.ReadToken(); err != nil {
		return d.broken(err)
	}
	for i := 0; d.l.in.PeekKind() != ']'; i++ {
		if err := f(i); err != nil {
			return err
		}
	}
	if _, err := d.l.in.ReadToken(); err != nil {
		return d.broken(err)
	}
	return nil
}

func (d *fieldReader) texts() ([]string, error) {
	list := []string{}
	err := d.list(func(int) error {
		s, err := d.text()
		list = append(list, s)
		return err
	})
	return list, err
}

func (d *fieldReader) policies() ([]*Policy, error) {
	field := d.field
	list := []*Policy{}
	err := d.list(func(i int) error {
		d.field = fmt.Sprintf("%s[%d]", field, i)
		p, err := d.policy()
		if err == nil && p != nil {
			list = append(list, p)
		}
		return err
	})
	d.field = field
	return list, err
}

func (d *fieldReader) levels() ([][]*Policy, error) {
	if d.l.in.PeekKind() == 'n' {
		_, err := d.l.in.ReadToken()
		return nil, err
	}
	field := d.field
	list := [][]*Policy{}
	err := d.list(func(i int) error {
		d.field = fmt.Sprintf("%s[%d]", field, i)
		level, err := d.policies()
		list = append(list, level)
		return err
	})
	d.field = field
	return list, err
}

// policy reads a document, or the name of one.
func (d *fieldReader) policy() (*Policy, error) {
	d.mark()
	raw, err := d.l.in.ReadValue()
	if err != nil {
		return nil, d.broken(err)
	}
	switch raw.Kind() {
	case 'n':
		return nil, nil
	case '"':
		name, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return nil, d.broken(err)
		}
		if p, ok := d.l.named[string(name)]; ok {
			return p, nil
		}
		return nil, d.wrong("no policy was given the name %q; name it in a line {\"policies\": {%q: …}} before", name, name)
	}
	if p, ok := d.l.seen[string(raw)]; ok {
		return p, nil
	}
	if p, ok := d.l.older[string(raw)]; ok {
		d.l.keep(string(raw), p)
		return p, nil
	}
	text := string(raw)
	doc, err := parse(raw, text)
	if err != nil {
		var parse *ParseError
		if errors.As(err, &parse) {
			// Of the document's first line, the column within the request's line.
			issue := parse.Issues[0]
			at := issue.At
			if at.Line == 1 {
				at.Column += int(d.l.in.InputOffset()) - len(raw)
			}
			return nil, &LineError{d.field, at, issue.Message}
		}
		return nil, &LineError{d.field, Position{1, d.from + 1}, err.Error()}
	}
	p := Compile("", doc, d.l.data)
	d.l.keep(text, p)
	return p, nil
}

func (l *Lines) keep(text string, p *Policy) {
	if l.size += len(text); l.size > cacheBytes {
		l.older, l.seen, l.size = l.seen, map[string]*Policy{}, len(text)
	}
	l.seen[text] = p
}

// write puts the answer into the buffer.
func (l *Lines) write(w *wire, r *Request, x *Explanation, bad *LineError) {
	l.out.Reset(&l.buffer)
	e := encoder{&l.out}
	e.token(jsontext.BeginObject)
	if w.id != nil {
		e.name("id")
		if err := e.WriteValue(w.id); err != nil {
			panic("iam: " + err.Error()) // it was read from valid JSON
		}
	}
	if bad != nil {
		e.name("error")
		e.token(jsontext.BeginObject)
		e.text("field", bad.Field)
		e.name("line")
		e.token(jsontext.Int(int64(bad.At.Line)))
		e.name("column")
		e.token(jsontext.Int(int64(bad.At.Column)))
		e.text("message", bad.Message)
		e.token(jsontext.EndObject)
		e.token(jsontext.EndObject)
		return
	}
	e.text("decision", x.Decision.String())
	e.name("contested")
	e.token(jsontext.BeginArray)
	for _, rule := range x.Contested.Rules() {
		e.name(rule.String())
	}
	e.token(jsontext.EndArray)
	e.name("gate")
	e.name(x.Gate.String())
	e.name("matched")
	e.token(jsontext.BeginArray)
	for i := range x.Statements {
		if x.Statements[i].Match == Matches {
			e.part(&x.Statements[i], false)
		}
	}
	e.token(jsontext.EndArray)
	e.list("missing", x.Missing)
	if l.Full {
		e.name("statements")
		e.token(jsontext.BeginArray)
		for i := range x.Statements {
			e.part(&x.Statements[i], true)
		}
		e.token(jsontext.EndArray)
		e.list("outside", x.Outside)
	}
	e.token(jsontext.EndObject)
}

func (e encoder) list(name string, values []string) {
	e.name(name)
	e.token(jsontext.BeginArray)
	for _, v := range values {
		e.name(v)
	}
	e.token(jsontext.EndArray)
}

// fieldOf names the field of a request that holds the policies of a gate.
var fieldOf = map[Gate]string{
	GateSCP: "scps", GateRCP: "rcps", GateEndpoint: "endpointPolicies", GateResource: "resourcePolicy",
	GateIdentity: "identityPolicies", GateBoundary: "permissionBoundaries", GateSession: "sessionPolicies",
}

func (e encoder) part(p *Part, full bool) {
	e.token(jsontext.BeginObject)
	e.text("in", fieldOf[p.Gate])
	e.text("action", p.Action)
	number := func(name string, n int) {
		e.name(name)
		e.token(jsontext.Int(int64(n)))
	}
	if p.Gate == GateSCP || p.Gate == GateRCP {
		number("level", p.Level)
	}
	if p.Gate != GateResource {
		number("policy", p.Index)
	}
	number("statement", p.Statement)
	if p.Statement < len(p.Policy.Document.Statements) {
		s := &p.Policy.Document.Statements[p.Statement]
		e.text("sid", s.Sid)
		e.text("effect", s.Effect.String())
		if full {
			number("line", s.At.Line)
			number("column", s.At.Column)
		}
	}
	if full {
		e.text("matches", p.Match.String())
		e.text("why", p.Why)
	}
	e.token(jsontext.EndObject)
}
