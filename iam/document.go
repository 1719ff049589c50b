package iam

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Position is a place in a document's text. Line and Column count from 1, and
// columns count bytes; the zero Position is nowhere.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

func (p Position) String() string {
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Effect is what a statement does when it matches.
type Effect uint8

// The effects. NoEffect is no effect that AWS knows, and matches nothing.
const (
	NoEffect Effect = iota
	Allow
	Deny
)

func (e Effect) String() string {
	switch e {
	case Allow:
		return "Allow"
	case Deny:
		return "Deny"
	default:
		return ""
	}
}

// Text is a text of a document and where it stands. It may hold a [Hole].
type Text struct {
	Value string
	At    Position
}

// Texts is a member of a statement that may be one text or a list of them.
type Texts struct {
	Values []Text
	// Single is set when the document holds one text and no list.
	Single bool
	At     Position
}

// Principals are the values of one kind under Principal or NotPrincipal: AWS,
// Service, Federated or CanonicalUser. The kind of "Principal": "*" is "".
type Principals struct {
	Kind   string
	Values Texts
}

// Condition is one operator over one key.
type Condition struct {
	Operator string // as written, such as "ForAnyValue:StringLike"
	Key      string // as written, such as "aws:PrincipalTag/team"
	Values   Texts
	At       Position // of the key
	Wanted   Position // of the operator
	// Open is set when it is not known whether the document has the condition.
	Open bool
}

// Statement is one statement of a document.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    []Principals // nil: the statement has no such element
	NotPrincipal []Principals
	Action       *Texts
	NotAction    *Texts
	Resource     *Texts
	NotResource  *Texts
	Condition    []Condition
	At           Position
	// Open is set when it is not known whether the document has the statement.
	Open bool
}

// Document is a policy document.
type Document struct {
	Version    string // "" where the document states none, which AWS reads as 2008-10-17
	ID         string
	Statements []Statement
	// Single is set when Statement is an object and no list.
	Single bool
}

// Versions of the policy language.
const (
	Version2012 = "2012-10-17"
	Version2008 = "2008-10-17"
)

// MarshalJSON writes the document in the order of AWS's grammar. Parsing what
// it wrote gives the same document, but for positions.
func (d *Document) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := encoder{jsontext.NewEncoder(&b)}
	e.token(jsontext.BeginObject)
	e.text("Version", d.Version)
	e.text("Id", d.ID)
	e.name("Statement")
	if !d.Single {
		e.token(jsontext.BeginArray)
	}
	for i := range d.Statements {
		e.statement(&d.Statements[i])
	}
	if !d.Single {
		e.token(jsontext.EndArray)
	}
	e.token(jsontext.EndObject)
	return bytes.TrimSpace(b.Bytes()), nil
}

// encoder writes documents. Its writes go to memory and follow the grammar, so
// that none of them fails.
type encoder struct{ *jsontext.Encoder }

func (e encoder) token(t jsontext.Token) {
	if err := e.WriteToken(t); err != nil {
		panic("iam: " + err.Error())
	}
}

func (e encoder) name(s string) { e.token(jsontext.String(s)) }

func (e encoder) text(name, value string) {
	if value != "" {
		e.name(name)
		e.name(value)
	}
}

func (e encoder) texts(name string, t *Texts) {
	if t == nil {
		return
	}
	e.name(name)
	if t.Single {
		e.name(t.Values[0].Value)
		return
	}
	e.token(jsontext.BeginArray)
	for _, v := range t.Values {
		e.name(v.Value)
	}
	e.token(jsontext.EndArray)
}

func (e encoder) principals(name string, list []Principals) {
	if list == nil {
		return
	}
	e.name(name)
	if len(list) == 1 && list[0].Kind == "" {
		e.name("*")
		return
	}
	e.token(jsontext.BeginObject)
	for i := range list {
		e.texts(list[i].Kind, &list[i].Values)
	}
	e.token(jsontext.EndObject)
}

func (e encoder) statement(s *Statement) {
	e.token(jsontext.BeginObject)
	e.text("Sid", s.Sid)
	e.text("Effect", s.Effect.String())
	e.principals("Principal", s.Principal)
	e.principals("NotPrincipal", s.NotPrincipal)
	e.texts("Action", s.Action)
	e.texts("NotAction", s.NotAction)
	e.texts("Resource", s.Resource)
	e.texts("NotResource", s.NotResource)
	if len(s.Condition) > 0 {
		e.name("Condition")
		e.token(jsontext.BeginObject)
		for i := range s.Condition {
			c := &s.Condition[i]
			if i == 0 || s.Condition[i-1].Operator != c.Operator {
				if i > 0 {
					e.token(jsontext.EndObject)
				}
				e.name(c.Operator)
				e.token(jsontext.BeginObject)
			}
			e.texts(c.Key, &c.Values)
		}
		e.token(jsontext.EndObject)
		e.token(jsontext.EndObject)
	}
	e.token(jsontext.EndObject)
}
