package regime

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Confirmed says who stands for a statement, since when, and until when it is to
// be looked at again. Dates are ISO dates.
type Confirmed struct {
	By       string `json:"confirmedBy,omitempty"`
	On       string `json:"confirmedOn,omitempty"`
	ReviewBy string `json:"reviewBy,omitempty"`
}

func (c Confirmed) String() string {
	if c.By == "" {
		return "nobody has confirmed it"
	}
	s := "confirmed by " + c.By
	if c.On != "" {
		s += " on " + c.On
	}
	if c.ReviewBy != "" {
		s += ", review by " + c.ReviewBy
	}
	return s
}

// Declaration is what a person states of an organisation and its data: assay.yaml.
type Declaration struct {
	Confirmed
	Answers map[string]Answer // by question
	Data    []DataEntry
	Exclude []Exclusion
	// Regimes are what the last assay scope found; nil where none ran.
	Regimes []Recorded
}

// Answer is an answer to one question. No choices is an answer too: none of them.
type Answer struct {
	Choices []string
	Number  int64
}

// DataEntry says which classes of data there are in the functions and stores
// whose name matches, or what a value of a tag means.
type DataEntry struct {
	Name    string
	Tag     string
	Classes []string
	Confirmed

	name *regexp.Regexp
}

// Exclusion says that a regime does not apply, whatever the rules say.
type Exclusion struct {
	Regime string
	Reason string
	Confirmed
}

// Recorded is a regime as the last assay scope found it.
type Recorded struct {
	ID         string
	Verdict    Verdict
	Frameworks []string
	Because    string
}

// The fields of assay.yaml, in the order in which they are written.
var (
	declarationFields = []string{"confirmed-by", "confirmed-on", "review-by", "answers", "data", "exclude", "regimes"}
	dataFields        = []string{"name", "tag", "classes", "confirmed-by", "confirmed-on", "review-by"}
	exclusionFields   = []string{"regime", "reason", "confirmed-by", "confirmed-on", "review-by"}
	recordedFields    = []string{"id", "verdict", "obligation", "frameworks", "rule", "because", "source", "levels", "facts", "handles", "connected", "open", "settled-by", "excluded"}
)

// ParseDeclaration reads assay.yaml. frameworks are the ids that there are, those
// with a profile as id/profile. The error lists all faults with their places;
// nothing of a file that has one is used.
func ParseDeclaration(name string, data []byte, rules *Rules, frameworks []string) (*Declaration, error) {
	p := &declarationReader{reader: &reader{name: name}, rules: rules, frameworks: frameworks}
	d := &Declaration{Answers: map[string]Answer{}}
	if doc := p.document(data); doc != nil {
		p.fields(doc, "assay.yaml", declarationFields, func(key, n *yaml.Node) { p.section(d, key, n) })
	}
	for i := range d.Data {
		e := &d.Data[i]
		e.Confirmed = e.or(d.Confirmed)
		if text := d.contradiction(e); text != "" {
			p.fault(p.entries[i], "%s", text)
		}
	}
	for i := range d.Exclude {
		d.Exclude[i].Confirmed = d.Exclude[i].or(d.Confirmed)
		if d.Exclude[i].By == "" {
			p.fault(p.exclusions[i], "exclude: confirmed-by is missing, here or at the head of the file; a person answers for it")
		}
	}
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	return d, nil
}

// or is c, or what holds for the whole file where c says nothing. Another person's
// dates are not those of the head.
func (c Confirmed) or(whole Confirmed) Confirmed {
	if c.By != "" {
		return c
	}
	return Confirmed{whole.By, cmp.Or(c.On, whole.On), cmp.Or(c.ReviewBy, whole.ReviewBy)}
}

// Confirm says who stands for the declaration, and for the entries of which nobody
// else does. Dates of their own stay.
func (d *Declaration) Confirm(c Confirmed) {
	each := func(old *Confirmed) {
		if old.By == "" || old.By == c.By && *old == d.Confirmed {
			*old = c
		}
	}
	for i := range d.Data {
		each(&d.Data[i].Confirmed)
	}
	for i := range d.Exclude {
		each(&d.Exclude[i].Confirmed)
	}
	d.Confirmed = c
}

// DueSince is the earliest date before another by which the declaration, or an entry
// of it, was to be looked at again; "" where none is past.
func (d *Declaration) DueSince(asOf string) (due string) {
	past := func(c Confirmed) {
		if c.ReviewBy != "" && c.ReviewBy < asOf && (due == "" || c.ReviewBy < due) {
			due = c.ReviewBy
		}
	}
	past(d.Confirmed)
	for _, e := range d.Data {
		past(e.Confirmed)
	}
	for _, e := range d.Exclude {
		past(e.Confirmed)
	}
	return due
}

// Unconfirm takes back that somebody stands for the declaration, because answers
// changed that nobody confirmed. Entries keep who confirmed them.
func (d *Declaration) Unconfirm() { d.Confirmed = Confirmed{} }

// Take puts what another declaration says over this one: answers by question,
// entries by what they name.
func (d *Declaration) Take(o *Declaration) {
	changed := false
	for id, a := range o.Answers {
		old, answered := d.Answers[id]
		changed = changed || !answered || old.Number != a.Number || !slices.Equal(old.Choices, a.Choices)
		d.Answers[id] = a
	}
	switch {
	case o.By != "":
		d.Confirm(o.Confirmed)
	case changed:
		d.Unconfirm()
	}
	for _, e := range o.Data {
		d.Data = slices.DeleteFunc(d.Data, func(old DataEntry) bool { return old.Name == e.Name && old.Tag == e.Tag })
		d.Data = append(d.Data, e)
	}
	for _, e := range o.Exclude {
		d.Exclude = slices.DeleteFunc(d.Exclude, func(old Exclusion) bool { return old.Regime == e.Regime })
		d.Exclude = append(d.Exclude, e)
	}
}

// contradiction says what an entry has that the answer about data denies, which
// lists all classes that there are.
func (d *Declaration) contradiction(e *DataEntry) string {
	all, answered := d.Answers[dataQuestion]
	for _, c := range e.Classes {
		if answered && !slices.Contains(all.Choices, c) {
			return fmt.Sprintf("data: %s%s has %s, which is not among all the classes that answers: data lists", e.Name, e.Tag, c)
		}
	}
	return ""
}

// Contradiction says where the declaration contradicts itself; "" if it does not.
func (d *Declaration) Contradiction() string {
	for i := range d.Data {
		if text := d.contradiction(&d.Data[i]); text != "" {
			return text
		}
	}
	return ""
}

// Classify says which classes of data there are in what has exactly a name.
func (d *Declaration) Classify(name string, classes []string, by Confirmed) {
	e := DataEntry{Name: name, Classes: classes, Confirmed: by}
	e.compile()
	d.Take(&Declaration{Data: []DataEntry{e}})
}

// compile makes the pattern of an entry ready.
func (e *DataEntry) compile() {
	e.name = regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(e.Name)) + "$")
}

type declarationReader struct {
	*reader
	rules               *Rules
	frameworks          []string
	entries, exclusions []*yaml.Node
}

func (p *declarationReader) section(d *Declaration, key, n *yaml.Node) {
	switch key.Value {
	case "answers":
		if !isNull(n) {
			p.fields(n, "answers", p.rules.questionIDs(), func(key, n *yaml.Node) {
				if !isNull(n) { // a question without an answer
					d.Answers[key.Value] = p.answer(p.rules.Question(key.Value), n)
				}
			})
		}
	case "data":
		for _, item := range p.items(n, "data") {
			d.Data = append(d.Data, p.data(item))
			p.entries = append(p.entries, item)
		}
	case "exclude":
		for _, item := range p.items(n, "exclude") {
			d.Exclude = append(d.Exclude, p.exclusion(item))
			p.exclusions = append(p.exclusions, item)
		}
	case "regimes":
		d.Regimes = []Recorded{}
		for _, item := range p.items(n, "regimes") {
			d.Regimes = append(d.Regimes, p.recorded(item))
		}
	default:
		p.confirmed(&d.Confirmed, key, n)
	}
}

func (p *declarationReader) confirmed(c *Confirmed, key, n *yaml.Node) {
	switch key.Value {
	case "confirmed-by":
		c.By = p.text(n, "confirmed-by")
	case "confirmed-on":
		c.On = p.date(n, "confirmed-on")
	case "review-by":
		c.ReviewBy = p.date(n, "review-by")
	}
}

func (p *declarationReader) answer(q *Question, n *yaml.Node) Answer {
	switch q.Kind {
	case NumberQuestion:
		return Answer{Number: p.number(n, q.ID)}
	case YesNoQuestion:
		return Answer{Choices: []string{p.yesNo(n, q.ID)}}
	}
	words := p.words(n, q.ID, p.rules.choices(q))
	if q.One && len(words) > 1 {
		p.fault(n, "%s: expected one of %s", q.ID, strings.Join(words, ", "))
	}
	return Answer{Choices: words}
}

// choices are the words that answer a question.
func (r *Rules) choices(q *Question) []string {
	if q.Kind == ClassesQuestion {
		return r.classIDs()
	}
	return q.choiceIDs()
}

func (p *declarationReader) data(n *yaml.Node) DataEntry {
	var e DataEntry
	classes := false
	p.fields(n, "data", dataFields, func(key, n *yaml.Node) {
		switch key.Value {
		case "name":
			e.Name = p.text(n, "name")
		case "tag":
			e.Tag = p.text(n, "tag")
		case "classes":
			e.Classes, classes = p.words(n, "classes", p.rules.classIDs()), true
		default:
			p.confirmed(&e.Confirmed, key, n)
		}
	})
	if (e.Name == "") == (e.Tag == "") {
		p.fault(n, "data: expected either name, a pattern of names, or tag, the value of one")
	}
	if !classes {
		p.fault(n, "data: classes is missing; [] says that there are none")
	}
	e.compile()
	return e
}

func (p *declarationReader) exclusion(n *yaml.Node) Exclusion {
	var e Exclusion
	stated := map[string]bool{} // a word that is wrong is a fault of its own
	p.fields(n, "exclude", exclusionFields, func(key, n *yaml.Node) {
		stated[key.Value] = true
		switch key.Value {
		case "regime":
			e.Regime = p.word(n, "regime", p.rules.regimeIDs())
		case "reason":
			e.Reason = p.text(n, "reason")
		default:
			p.confirmed(&e.Confirmed, key, n)
		}
	})
	if !stated["regime"] || !stated["reason"] {
		p.fault(n, "exclude: expected a regime and the reason for which it does not apply")
	}
	return e
}

func (p *declarationReader) recorded(n *yaml.Node) Recorded {
	var one Recorded
	var verdicts []string
	for _, v := range Verdicts {
		verdicts = append(verdicts, string(v))
	}
	stated := map[string]bool{}
	p.fields(n, "regime", recordedFields, func(key, n *yaml.Node) {
		stated[key.Value] = true
		switch key.Value {
		case "id":
			one.ID = p.word(n, "id", p.rules.regimeIDs())
		case "verdict":
			one.Verdict = Verdict(p.word(n, "verdict", verdicts))
		case "frameworks":
			one.Frameworks = p.words(n, "frameworks", p.frameworks)
		case "because":
			one.Because = p.text(n, "because")
		case "levels", "facts", "handles", "connected", "open", "settled-by":
			p.texts(n, key.Value)
		default:
			p.text(n, key.Value)
		}
	})
	if !stated["id"] || !stated["verdict"] {
		p.fault(n, "regimes: id and verdict are missing; assay scope writes them")
	}
	return one
}
