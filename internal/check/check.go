// Package check is the language in which assay's checks are written: a YAML
// file with CEL expressions over one kind of resource. It parses, type-checks
// against the CloudFormation property schemas, compiles and evaluates them.
//
// Evaluation is three-valued. A property that could not be read makes an
// expression unknown only where it matters: false && unknown is false. An
// input that is one of several values is tried with each of them, and decides
// when all agree.
//
// The package is pure: the tables, the catalogue's bytes and the date judged
// by are handed in.
package check

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Outcome is what a check says of one resource. Its zero value is Unknown, so
// that nothing forgotten ever passes. Switch statements on it are exhaustive.
type Outcome uint8

// The outcomes.
const (
	Unknown Outcome = iota
	Pass
	Fail
	NotApplicable
)

var outcomeNames = [...]string{"unknown", "pass", "fail", "not-applicable"}

func (o Outcome) String() string { return outcomeNames[o] }

// ParseOutcome reads the name of an outcome.
func ParseOutcome(s string) (Outcome, error) {
	i := slices.Index(outcomeNames[:], s)
	if i < 0 {
		return Unknown, fmt.Errorf("%q is not an outcome; expected one of %s", s, strings.Join(outcomeNames[:], ", "))
	}
	return Outcome(i), nil
}

// MarshalText writes the outcome's name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the outcome's name.
func (o *Outcome) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOutcome(string(text))
	return err
}

// Severity ranks failures. Its zero value is the least.
type Severity uint8

// The severities, least first.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

func (s Severity) String() string { return severityNames[s] }

// ParseSeverity reads the name of a severity.
func ParseSeverity(s string) (Severity, error) {
	i := slices.Index(severityNames[:], s)
	if i < 0 {
		return Info, fmt.Errorf("%q is not a severity; expected one of %s", s, strings.Join(severityNames[:], ", "))
	}
	return Severity(i), nil
}

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the severity's name.
func (s *Severity) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSeverity(string(text))
	return err
}

// How says what a check's verdict means to an objective.
type How string

// A check decides an objective when its pass establishes the objective for the
// resource; it supports one when it is a part of what must be established.
const (
	Decides  How = "decides"
	Supports How = "supports"
)

// Link ties a check to an objective, with one true reason.
type Link struct {
	How How    `yaml:"how" json:"how"`
	Why string `yaml:"why" json:"why"`
	// Edge says that the objective is about functions, and the check about what
	// they have at that edge: of a function for which not all of it was read,
	// something may be that nobody judged.
	Edge string `yaml:"edge" json:"edge,omitempty"`
	// All says that the objective is about every subject: one to which the check
	// does not apply is one that nobody judged. With Edge it is about every
	// function: one that has nothing at the edge is.
	All bool `yaml:"all" json:"all,omitempty"`
}

// RaisedBy is something that raises the severity of a failure.
type RaisedBy string

// What raises severities.
const (
	ByExposure RaisedBy = "exposure" // who can call the function
	ByData     RaisedBy = "data"     // what data it handles
)

// Raises reports whether something raises the severity of the check's failures.
// Advice is not raised, and a check may leave out what it is about itself.
func (c *Check) Raises(by RaisedBy) bool {
	return c.Severity != Info && !c.Advisory && (c.RaisedBy == nil || slices.Contains(*c.RaisedBy, by))
}

// Fix is the change that makes a failing resource pass, as data.
type Fix struct {
	// Set is the dotted property to set, Value what to set it to, in the
	// CloudFormation shape of the subject. A Value of several lines is YAML.
	Set   string `yaml:"set" json:"set,omitempty"`
	Value any    `yaml:"value" json:"value,omitempty"`
	// Text says in words what to do where setting one property is not all.
	Text string `yaml:"text" json:"text,omitempty"`
	// SAM, Terraform and CLI replace what would be derived from Set and Value.
	SAM       string `yaml:"sam" json:"sam,omitempty"`
	Terraform string `yaml:"terraform" json:"terraform,omitempty"`
	CLI       string `yaml:"cli" json:"cli,omitempty"`
}

// Check is one technical statement about one kind of resource, as its file
// states it. docs/checks.md explains every field.
type Check struct {
	ID          string              `yaml:"id" json:"id"`
	Title       string              `yaml:"title" json:"title"`
	Severity    Severity            `yaml:"severity" json:"severity"`
	RaisedBy    *[]RaisedBy         `yaml:"raised-by" json:"raisedBy,omitempty"` // nil: by all
	Subject     string              `yaml:"subject" json:"subject"`              // CloudFormation type
	Applies     string              `yaml:"applies" json:"applies,omitempty"`
	Require     string              `yaml:"require" json:"require"`
	Deadline    string              `yaml:"deadline" json:"deadline,omitempty"`
	Message     string              `yaml:"message" json:"message"` // what is wrong, after the resource's name
	Rationale   string              `yaml:"rationale" json:"rationale"`
	Source      string              `yaml:"source" json:"source"` // URL of the AWS document
	Since       string              `yaml:"since" json:"since,omitempty"`
	Establishes map[string]Link     `yaml:"establishes" json:"establishes,omitempty"`
	Advisory    bool                `yaml:"advisory" json:"advisory,omitempty"` // good advice; no requirement of NIST 800-53 rests on it
	Peers       map[string][]string `yaml:"peers" json:"peers,omitempty"`
	Fix         Fix                 `yaml:"fix" json:"fix"`
}

var idPattern = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$`)

// FieldError is a fault in one field of a check's file.
type FieldError struct {
	File         string
	Line, Column int
	Message      string
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// File is a check with the positions of its fields, as read.
type File struct {
	Check
	Name string
	root *yaml.Node
}

// Parse reads a check's file. Fields that the language does not have are
// errors, so that a misspelt one is not silently without effect.
func Parse(name string, data []byte) (*File, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, syntaxError(name, err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, &FieldError{name, 1, 1, "expected a mapping with id, subject and require"}
	}
	f := &File{Name: name, root: doc.Content[0]}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&f.Check); err != nil {
		return nil, syntaxError(name, err)
	}
	return f, nil
}

// At is an error at a field of the file, or at the file's start when the field
// is not there.
func (f *File) At(field, format string, args ...any) error {
	e := &FieldError{f.Name, 1, 1, fmt.Sprintf(format, args...)}
	for i := 0; i+1 < len(f.root.Content); i += 2 {
		if f.root.Content[i].Value == field {
			e.Line, e.Column = f.root.Content[i].Line, f.root.Content[i].Column
		}
	}
	return e
}

// expressionPosition is where the text of a field's expression begins.
func (f *File) expressionPosition(field string) (line, column int) {
	for i := 0; i+1 < len(f.root.Content); i += 2 {
		if n := f.root.Content[i+1]; f.root.Content[i].Value == field {
			if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
				return n.Line + 1, n.Column
			}
			return n.Line, n.Column
		}
	}
	return 1, 1
}

// Lint lists what is wrong with the file as such: missing and malformed
// fields. Types, objectives and cases are judged by others.
func (f *File) Lint() []error {
	var errs []error
	fault := func(field, format string, args ...any) { errs = append(errs, f.At(field, format, args...)) }
	if !idPattern.MatchString(f.ID) {
		fault("id", "id %q: expected capitals, digits and hyphens, such as LAMBDA-CODE-SIGNING", f.ID)
	}
	for _, field := range []struct{ name, value string }{
		{"title", f.Title}, {"subject", f.Subject}, {"require", f.Require}, {"message", f.Message}, {"rationale", f.Rationale}, {"source", f.Source},
	} {
		if strings.TrimSpace(field.value) == "" {
			fault(field.name, "%s is missing", field.name)
		}
	}
	if f.Source != "" && !strings.HasPrefix(f.Source, "https://") {
		fault("source", "source: expected the https address of the AWS document")
	}
	if len(f.Establishes) == 0 && !f.Advisory {
		fault("establishes", "establishes is missing: name an objective, or say advisory: true")
	}
	for objective, link := range f.Establishes {
		if link.How != Decides && link.How != Supports {
			fault("establishes", "establishes %s: how: expected decides or supports", objective)
		}
		if strings.TrimSpace(link.Why) == "" {
			fault("establishes", "establishes %s: why is missing", objective)
		}
	}
	if f.RaisedBy != nil {
		for _, by := range *f.RaisedBy {
			if by != ByExposure && by != ByData {
				fault("raised-by", "raised-by %s: expected exposure or data", by)
			}
		}
	}
	if f.Fix.Set == "" && f.Fix.Text == "" {
		fault("fix", "fix: expected set with value, or text")
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

// syntaxError gives an error of the YAML parser the form of the others.
func syntaxError(name string, err error) error {
	var many *yaml.LoadErrors
	if errors.As(err, &many) && len(many.Errors) > 0 {
		err = many.Errors[0]
	}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		return &FieldError{name, max(one.Mark.Line, 1), max(one.Mark.Column, 1), one.Message}
	}
	return &FieldError{name, 1, 1, err.Error()}
}
