// Package regime says which regimes apply to an estate, and why.
//
// The way of the data: [Load] reads the rules: what a person can be asked, which
// tags mean which class of data, over which edges data pass, and per regime the
// conditions on which it applies. [ParseDeclaration] reads assay.yaml: what a
// person answered, confirmed and excluded, and what came of it last time.
// [Rules.Survey] looks at the scopes of an estate: which resources hold which
// classes of data, which functions handle them and which are connected to those,
// each with the chain of edges that shows it, and what is open. [Rules.Judge] puts
// the two together into a [Result]; [Update] writes it into assay.yaml.
//
// Everything is three-valued. What nobody answered, and what could not be read, is
// open: it may make a regime likely or leave it undetermined, and never makes it
// not indicated. docs/scope.md states the rules.
//
// The package is pure: files, dates and names are handed in.
package regime

import (
	"slices"
	"sync"
)

// Verdict says how a regime stands to an estate.
type Verdict string

// The verdicts.
const (
	Applies      Verdict = "applies"
	Likely       Verdict = "likely"
	Undetermined Verdict = "undetermined"
	NotIndicated Verdict = "not indicated"
	Excluded     Verdict = "excluded by declaration"
)

// Verdicts are all of them, in the order in which they are told.
var Verdicts = []Verdict{Applies, Likely, Undetermined, NotIndicated, Excluded}

// Reported tells whether a run reports on the frameworks of a regime by itself.
func (v Verdict) Reported() bool { return v == Applies || v == Likely }

// Obligations are the kinds of duty that a regime is.
var obligations = []string{"law", "contract", "voluntary", "derived", "practice"}

// Rules are what regimes are judged by.
type Rules struct {
	TagKeys   []string // of tags that name a class of data
	Questions []*Question
	Classes   []Class
	Regimes   []*Regime

	ties
}

// ties say over which edges data pass.
type ties struct {
	stores     []store
	incidental map[string]bool
	edges      map[edgeName]tieKind
	walked     map[string]bool
	noData     []string // how actions begin that reach no data, in lower case
	policies   []byte   // AWS's own, a line each
	read       *sync.Map
}

type store struct{ Type, Service, Called string }

// edgeName is an edge of the estate's tables, by what states it.
type edgeName struct{ from, name string }

type tieKind int

const (
	noTie   tieKind = iota
	nearTie         // one end can affect the other
	dataTie         // data pass
)

// Kinds of question.
const (
	ChoicesQuestion = "choices"
	ClassesQuestion = "classes" // which classes of data there are
	NumberQuestion  = "number"
	YesNoQuestion   = "yes-no"
)

// Question is something that a person can say and the estate does not.
type Question struct {
	ID      string     `json:"id"`
	Ask     string     `json:"ask"`
	Help    string     `json:"help,omitempty"`
	Kind    string     `json:"kind"`
	One     bool       `json:"one,omitempty"` // one choice at most
	Choices []Choice   `json:"choices,omitempty"`
	When    *Condition `json:"-"` // asked unless this is false; nil: always
}

// Choice is one answer to a question.
type Choice struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Class is a class of data.
type Class struct {
	ID    string
	Text  string
	Tags  []string // values of tags that mean it
	Names []string // words in a name that suggest it
}

// Regime is a duty, and when it applies.
type Regime struct {
	ID         string
	Title      string
	Obligation string
	Frameworks []string // ids, or id/profile; none: it is flagged and not assessed
	Data       []string // classes of data whose functions are in its scope
	Rules      []Rule
	Levels     []LevelGroup

	assessed bool
}

// Assessed tells whether assay has a framework for the regime.
func (r *Regime) Assessed() bool { return r.assessed }

// Rule gives a verdict where a condition holds.
type Rule struct {
	ID      string
	When    *Condition
	Verdict Verdict
	Because string
	Source  string
}

// LevelGroup chooses levels or profiles of a regime: the first that holds, or
// each that does.
type LevelGroup struct {
	Name      string
	When      *Condition // nil: always
	Each      bool
	Of        []Level
	Otherwise *Level
}

// Level is one of a group.
type Level struct {
	When       *Condition
	Says       string
	Frameworks []string
	Source     string
}

// Condition is a condition over answers, data and other regimes. Exactly one
// field is set.
type Condition struct {
	All, Any []*Condition
	Not      *Condition
	Question string // with Choices: one of them is answered; else at least Least
	Choices  []string
	Least    int64
	Data     []string // a function handles one of these classes
	Regimes  []string // one of these applies
	// Answered is a question that somebody answered, whatever they did: of what
	// stands in for an answer for as long as there is none.
	Answered string

	all bool // All is set, be it empty
}

// Question finds a question by id, or returns nil.
func (r *Rules) Question(id string) *Question {
	i := slices.IndexFunc(r.Questions, func(q *Question) bool { return q.ID == id })
	if i < 0 {
		return nil
	}
	return r.Questions[i]
}

// Regime finds a regime by id, or returns nil.
func (r *Rules) Regime(id string) *Regime {
	i := slices.IndexFunc(r.Regimes, func(one *Regime) bool { return one.ID == id })
	if i < 0 {
		return nil
	}
	return r.Regimes[i]
}

func (r *Rules) class(id string) *Class {
	i := slices.IndexFunc(r.Classes, func(c Class) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Classes[i]
}

func (r *Rules) classIDs() []string {
	var ids []string
	for _, c := range r.Classes {
		ids = append(ids, c.ID)
	}
	return ids
}

func (r *Rules) regimeIDs() []string {
	var ids []string
	for _, one := range r.Regimes {
		ids = append(ids, one.ID)
	}
	return ids
}

func (r *Rules) questionIDs() []string {
	var ids []string
	for _, q := range r.Questions {
		ids = append(ids, q.ID)
	}
	return ids
}

func (q *Question) choiceIDs() []string {
	var ids []string
	for _, c := range q.Choices {
		ids = append(ids, c.ID)
	}
	return ids
}

// Names lists the frameworks that the regime may be reported on by, without
// profiles.
func (r *Regime) Names() []string {
	var names []string
	add := func(ids []string) {
		for _, id := range ids {
			names = join(names, []string{base(id)})
		}
	}
	add(r.Frameworks)
	for _, g := range r.Levels {
		for _, l := range g.Of {
			add(l.Frameworks)
		}
	}
	return names
}

// Suggest says which of the choices may be meant by a word, or else all of them.
func Suggest(word string, choices []Choice) string {
	return suggest(word, (&Question{Choices: choices}).choiceIDs())
}
