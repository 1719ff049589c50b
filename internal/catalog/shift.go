package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/check"
)

// Shift is a way of running a function that gives the customer duties which
// AWS has for a zip function on a managed runtime. docs/responsibility.md
// explains every field.
type Shift struct {
	ID       string `yaml:"id" json:"id"`
	Title    string `yaml:"title" json:"title"`       // what such a function is, after "is"
	When     string `yaml:"when" json:"when"`         // condition on a function, in the language of checks
	AWS      string `yaml:"aws" json:"aws"`           // what AWS does then
	Customer string `yaml:"customer" json:"customer"` // what the customer does then
	Source   string `yaml:"source" json:"source"`     // address of the AWS document
	Seen     string `yaml:"seen" json:"seen"`         // ISO date on which that said so
	// Moves are the requirements that it bears on, by framework.
	Moves map[string][]Move `yaml:"moves" json:"moves"`

	// Condition fails for the functions that the shift is about, does not apply to
	// the others, and is unknown where that cannot be told. A function that may not
	// exist is so about nothing that is certain.
	Condition *check.Typed `yaml:"-" json:"condition"`
}

// Move is what a shift makes of requirements: who answers, and what the
// customer has to do besides what the requirement asks for anyway.
type Move struct {
	Requirements []string       `yaml:"requirements" json:"requirements"`
	To           Responsibility `yaml:"to" json:"to"`
	Objectives   []string       `yaml:"objectives" json:"objectives,omitempty"`
	Procedures   []string       `yaml:"procedures" json:"procedures,omitempty"`
}

// Duty ranks responsibilities by how much of them is the customer's.
func (r Responsibility) Duty() int { return slices.Index([]Responsibility{AWS, Shared, Customer}, r) }

// move finds what the shift makes of a requirement of a framework, which may be
// narrowed to a profile; nil: nothing.
func (s *Shift) move(framework, requirement string) *Move {
	base, _, _ := strings.Cut(framework, "/")
	for i := range s.Moves[base] {
		if m := &s.Moves[base][i]; slices.Contains(m.Requirements, requirement) {
			return m
		}
	}
	return nil
}

// Bears reports whether the shift moves something of a framework.
func (s *Shift) Bears(f *Framework) bool {
	return slices.ContainsFunc(f.Requirements, func(r Requirement) bool { return r.OutOfScope == "" && s.move(f.ID, r.ID) != nil })
}

// Moving lists the shifts that make something of a requirement, in order. A
// requirement of a framework that a folder of the user's replaced may have
// become out of scope: nothing moves it then.
func (c *Catalog) Moving(framework string, r *Requirement) []*Shift {
	if r.OutOfScope != "" {
		return nil
	}
	var found []*Shift
	for _, s := range c.Shifts {
		if s.move(framework, r.ID) != nil {
			found = append(found, s)
		}
	}
	return found
}

// Shifted is a requirement as it is for functions that the shifts are about:
// the greatest duty that any of them gives, and all that they add. What AWS
// answered for takes a person then.
func (r *Requirement) Shifted(framework string, shifts []*Shift) *Requirement {
	out := *r
	for _, s := range shifts {
		m := s.move(framework, r.ID)
		if m == nil {
			continue
		}
		if m.To.Duty() > out.Responsibility.Duty() {
			out.Responsibility = m.To
		}
		out.Objectives = with(out.Objectives, m.Objectives)
		out.Procedures = with(out.Procedures, m.Procedures)
	}
	switch {
	case len(out.Procedures) == 0 || r.Assessment == Manual: // objectives beside a person's word can only refute it
	case len(out.Objectives) > 0:
		out.Assessment = Mixed
	default:
		out.Assessment = Manual
	}
	return &out
}

// with adds what a list does not have, to a copy.
func with(list, more []string) []string {
	out := slices.Clone(list)
	for _, x := range more {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// subject is the type that conditions of shifts are about.
const subject = "AWS::Lambda::Function"

// parseShifts reads the shifts of a file. Their conditions are typed by
// [Shift.prepare].
func parseShifts(data []byte, dec *yaml.Decoder) ([]*Shift, []int, error) {
	var file struct {
		Date   string   `yaml:"date"`
		Shifts []*Shift `yaml:"shifts"`
	}
	if err := dec.Decode(&file); err != nil {
		return nil, nil, err
	}
	var nodes struct {
		Shifts []struct {
			When yaml.Node `yaml:"when"`
		} `yaml:"shifts"`
	}
	if err := yaml.Unmarshal(data, &nodes); err != nil {
		return nil, nil, err
	}
	var lines []int
	for _, n := range nodes.Shifts {
		lines = append(lines, n.When.Line)
	}
	return file.Shifts, lines, nil
}

// prepare types the condition, as that of a check which every function that it
// applies to fails. line is where the condition stands in the file.
func (s *Shift) prepare(name string, line int, lib *check.Library) error {
	fault := func(err error) error {
		var at *check.FieldError
		if errors.As(err, &at) {
			err = errors.New(strings.TrimPrefix(at.Message, "applies: "))
		}
		return fmt.Errorf("%s:%d: shift %s: when: %w", name, max(line, 1), s.ID, err)
	}
	if strings.TrimSpace(s.When) == "" {
		return fault(errors.New("expected a condition on a function"))
	}
	data, err := yaml.Marshal(map[string]string{"id": s.ID, "subject": subject, "applies": s.When, "require": "false"})
	if err != nil {
		return fault(err)
	}
	f, err := check.Parse(name, data)
	if err != nil {
		return fault(err)
	}
	if s.Condition, err = lib.Type(f); err != nil {
		return fault(err)
	}
	return nil
}

// lint lists what is wrong with a shift: what it says has to be whole, and each
// move has to make a requirement more of the customer's than it is.
func (s *Shift) lint(name string, c *Catalog) []error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: shift %s: %s", name, s.ID, fmt.Sprintf(format, args...)))
	}
	if s.ID == "" || s.Title == "" || s.AWS == "" || s.Customer == "" || s.Seen == "" {
		fault("expected id, title, when, aws, customer, source, seen and moves")
	}
	if !strings.HasPrefix(s.Source, "https://") {
		fault("source: expected the https address of the AWS document")
	}
	moves := 0
	for _, id := range slices.Sorted(maps.Keys(s.Moves)) {
		f, err := c.Framework(id)
		if err == nil && strings.Contains(id, "/") {
			err = fmt.Errorf("%s: name the framework without a profile", id)
		}
		if err != nil {
			fault("moves: %v", err)
			continue
		}
		seen := map[string]bool{}
		for _, m := range s.Moves[id] {
			unknown(fault, "objective", m.Objectives, c.Objectives)
			unknown(fault, "procedure", m.Procedures, c.Procedures)
			for _, requirement := range m.Requirements {
				moves++
				if seen[requirement] {
					fault("%s %s: stands twice", id, requirement)
				}
				seen[requirement] = true
				for _, message := range m.lint(f, requirement) {
					fault("%s %s: %s", id, requirement, message)
				}
			}
		}
	}
	if moves == 0 {
		fault("moves nothing")
	}
	return errs
}

func (m *Move) lint(f *Framework, id string) (faults []string) {
	r, err := f.Requirement(id)
	if err != nil {
		return []string{err.Error()}
	}
	switch {
	case r.OutOfScope != "":
		return []string{"is out of scope, so that nobody has a duty that could move"}
	case m.To != Shared && m.To != Customer:
		return []string{"to: expected shared or customer: a shift never takes a duty from the customer"}
	case m.To.Duty() < r.Responsibility.Duty():
		return []string{fmt.Sprintf("to: is the responsibility of %s already; a shift never takes a duty from the customer", r.Responsibility)}
	}
	if r.Responsibility == AWS && len(m.Procedures) == 0 {
		faults = append(faults, "procedures: expected what the customer does, since AWS no longer answers alone")
	}
	if m.To == r.Responsibility && len(with(r.Objectives, m.Objectives)) == len(r.Objectives) && len(with(r.Procedures, m.Procedures)) == len(r.Procedures) {
		faults = append(faults, fmt.Sprintf("changes nothing: is %s, with these objectives and procedures, without the shift too", m.To))
	}
	return faults
}
