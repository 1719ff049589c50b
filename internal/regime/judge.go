package regime

import (
	"fmt"
	"slices"
	"strings"

	"assay/internal/estate"
)

// Result says which regimes apply to an estate, and why.
type Result struct {
	AsOf string `json:"asOf"`
	Confirmed
	DueSince  string           `json:"dueSince,omitempty"` // when a review was due that is not done
	Functions int              `json:"functions"`
	Regimes   []*Applicability `json:"regimes"`
	// Unanswered are the questions that would settle something.
	Unanswered []*Question `json:"unanswered,omitempty"`
	// Suggested are functions and stores whose names suggest a class of data, for a
	// person to confirm or deny.
	Suggested []Suggestion `json:"suggested,omitempty"`
	// Unclassed are functions and stores that nobody says anything of.
	Unclassed []Named `json:"unclassed,omitempty"`
}

// Suggestion is a class of data that names suggest.
type Suggestion struct {
	Class string  `json:"class"`
	Text  string  `json:"text"`
	At    []Named `json:"at"`
}

// Applicability is how one regime stands to an estate.
type Applicability struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Obligation string   `json:"obligation"`
	Assessed   bool     `json:"assessed"` // assay has a framework for it
	Verdict    Verdict  `json:"verdict"`
	Frameworks []string `json:"frameworks,omitempty"`
	// Rule is the one that fired, or the first that what is open might make fire.
	Rule    string   `json:"rule,omitempty"`
	Because string   `json:"because,omitempty"`
	Source  string   `json:"source,omitempty"`
	Levels  []string `json:"levels,omitempty"`
	Facts   []string `json:"facts,omitempty"`
	// Handles and Connected are the functions in its scope.
	Handles   []Reach `json:"handles,omitempty"`
	Connected []Reach `json:"connected,omitempty"`
	// Open is what keeps it from being settled, or more from being known of it.
	Open []string `json:"open,omitempty"`
	// SettledBy are the questions whose answers would settle it.
	SettledBy []string   `json:"settledBy,omitempty"`
	Excluded  *Exclusion `json:"excluded,omitempty"`
	// Without is what the rules say of a regime that is excluded.
	Without Verdict `json:"without,omitempty"`
}

// Regime finds what is said of a regime, or returns nil.
func (r *Result) Regime(id string) *Applicability {
	i := slices.IndexFunc(r.Regimes, func(s *Applicability) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return r.Regimes[i]
}

// judge evaluates conditions.
type judge struct {
	rules    *Rules
	declared *Declaration
	survey   *Survey
	verdicts map[string]Verdict
}

// evaluation is what a condition comes to, and why.
type evaluation struct {
	truth estate.Truth
	// partly is set on one that is open where its leading part holds, or names
	// suggest that it does.
	partly    bool
	facts     []string
	open      []string
	questions []string
}

// Judge says which regimes apply by a declaration and what the estate says.
func (r *Rules) Judge(d *Declaration, s *Survey, asOf string) *Result {
	j := &judge{r, d, s, map[string]Verdict{}}
	result := &Result{AsOf: asOf, Confirmed: d.Confirmed, DueSince: d.DueSince(asOf), Functions: s.Functions, Unclassed: s.Unclassed}
	var asked []string
	for _, one := range r.Regimes {
		st := j.regime(one)
		result.Regimes = append(result.Regimes, st)
		asked = append(asked, st.SettledBy...)
	}
	for _, q := range r.Questions {
		if slices.Contains(asked, q.ID) && j.asked(q) {
			result.Unanswered = append(result.Unanswered, q)
		}
	}
	for _, c := range r.Classes {
		at := slices.DeleteFunc(slices.Clone(s.Suggested[c.ID]), func(n Named) bool {
			return slices.ContainsFunc(s.Handles[c.ID], func(f Reach) bool { return f.ID == n.ID })
		})
		if len(at) > 0 {
			result.Suggested = append(result.Suggested, Suggestion{c.ID, c.Text, at})
		}
	}
	return result
}

// Asked lists the questions that bear on what is declared so far.
func (r *Rules) Asked(d *Declaration, s *Survey) []*Question {
	j := &judge{r, d, s, map[string]Verdict{}}
	var all []*Question
	for _, q := range r.Questions {
		if j.asked(q) {
			all = append(all, q)
		}
	}
	return all
}

// asked tells whether a question bears on what is known so far: its condition
// holds, or names and answers say that it may.
func (j *judge) asked(q *Question) bool {
	if q.When == nil {
		return true
	}
	v := j.eval(q.When)
	return v.truth == estate.True || v.partly
}

func (j *judge) regime(one *Regime) *Applicability {
	st := &Applicability{ID: one.ID, Title: one.Title, Obligation: one.Obligation, Assessed: one.assessed, Verdict: NotIndicated}
	for _, rule := range one.Rules {
		v := j.eval(rule.When)
		verdict := NotIndicated
		switch {
		case v.truth == estate.True:
			verdict = rule.Verdict
		case v.truth == estate.Maybe && v.partly:
			verdict = Likely
		case v.truth == estate.Maybe:
			verdict = Undetermined
		}
		// The open parts of a rule that would say more stay open.
		if v.truth == estate.Maybe && st.Verdict != Applies && (rule.Verdict == Applies || st.Verdict != Likely) {
			st.Open, st.SettledBy = join(st.Open, v.open), join(st.SettledBy, v.questions)
		}
		if before(verdict, st.Verdict) {
			st.Verdict, st.Rule, st.Because, st.Source, st.Facts = verdict, rule.ID, rule.Because, rule.Source, v.facts
			if v.truth == estate.Maybe {
				st.Because = "not settled: " + rule.Because
			}
		} else if verdict == st.Verdict && v.truth == estate.True {
			st.Facts = join(st.Facts, v.facts)
		}
		if st.Verdict == Applies {
			st.Open, st.SettledBy = nil, nil
			if v.truth == estate.True {
				break
			}
		}
	}
	if st.Verdict != NotIndicated {
		j.scope(one, st)
	}
	if st.Verdict.Reported() {
		j.levels(one, st)
	}
	for i := range j.declared.Exclude {
		if e := &j.declared.Exclude[i]; e.Regime == one.ID {
			st.Without, st.Verdict, st.Excluded, st.Frameworks, st.Levels = st.Verdict, Excluded, e, nil, nil
			break
		}
	}
	j.verdicts[one.ID] = st.Verdict
	return st
}

// before tells whether a verdict says more than another.
func before(a, b Verdict) bool { return slices.Index(Verdicts, a) < slices.Index(Verdicts, b) }

func join(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(slices.Clip(a), s)
		}
	}
	return a
}

// scope notes the functions that are in the scope of a regime.
func (j *judge) scope(one *Regime, st *Applicability) {
	seen := map[string]bool{}
	add := func(into *[]Reach, from map[string][]Reach) {
		for _, c := range one.Data {
			for _, f := range from[c] {
				if !seen[f.ID] {
					seen[f.ID] = true
					*into = append(*into, f)
				}
			}
		}
	}
	add(&st.Handles, j.survey.Handles)
	add(&st.Connected, j.survey.Connected)
	if len(st.Handles) > 0 { // more functions may be in its scope
		open, questions, _ := j.openOf(one.Data)
		st.Open, st.SettledBy = join(st.Open, open), join(st.SettledBy, questions)
	}
}

// levels chooses the levels and profiles of a regime.
func (j *judge) levels(one *Regime, st *Applicability) {
	chosen := slices.Clone(one.Frameworks)
	take := func(g *LevelGroup, l *Level) {
		chosen = join(chosen, l.Frameworks)
		st.Levels = append(st.Levels, g.Name+": "+l.Says)
	}
	choose := func(g *LevelGroup) {
		taken, open := false, false
		for k := range g.Of {
			if taken && !g.Each {
				break
			}
			v := j.eval(g.Of[k].When)
			st.SettledBy = join(st.SettledBy, v.questions)
			switch {
			case v.truth == estate.Maybe:
				open = true // which is the first that holds is not known any more
			case v.truth == estate.True && (g.Each || !open):
				take(g, &g.Of[k])
				taken = true
			}
		}
		if !taken && g.Otherwise != nil {
			take(g, g.Otherwise)
		}
	}
	var maybe *LevelGroup
	for i := range one.Levels {
		g := &one.Levels[i]
		v := evaluation{truth: estate.True}
		if g.When != nil {
			v = j.eval(g.When)
		}
		st.SettledBy = join(join(st.SettledBy, v.questions), j.stoodInFor(g.When))
		switch {
		case v.truth == estate.True:
			choose(g)
		case v.truth == estate.Maybe && maybe == nil:
			maybe = g
		}
	}
	if len(chosen) == 0 && maybe != nil { // the first stands until it is settled
		choose(maybe)
	}
	// A profile stands for the whole of its framework.
	for _, id := range chosen {
		profile := func(other string) bool { return strings.HasPrefix(other, id+"/") }
		if !slices.ContainsFunc(chosen, profile) {
			st.Frameworks = append(st.Frameworks, id)
		}
	}
}

// stoodInFor lists the questions without an answer that a condition says something
// stands in for.
func (j *judge) stoodInFor(c *Condition) []string {
	if c == nil {
		return nil
	}
	var ids []string
	if _, answered := j.declared.Answers[c.Answered]; c.Answered != "" && !answered {
		ids = append(ids, c.Answered)
	}
	for _, within := range slices.Concat(c.All, c.Any, []*Condition{c.Not}) {
		ids = join(ids, j.stoodInFor(within))
	}
	return ids
}

func (j *judge) eval(c *Condition) evaluation {
	switch {
	case c.all:
		v := evaluation{truth: estate.True}
		for i, one := range c.All {
			e := j.eval(one)
			v.truth = v.truth.And(e.truth)
			if i == 0 { // leads: that data are there does not make every country's law likely
				v.partly = e.partly || e.truth == estate.True
			}
			v.add(e)
		}
		return v.settled()
	case c.Any != nil:
		v := evaluation{truth: estate.False}
		for _, one := range c.Any {
			e := j.eval(one)
			v.truth, v.partly = v.truth.Not().And(e.truth.Not()).Not(), v.partly || e.partly
			v.add(e)
		}
		return v.settled()
	case c.Not != nil:
		v := j.eval(c.Not)
		v.truth, v.partly = v.truth.Not(), false
		return v
	case c.Data != nil:
		return j.data(c.Data)
	case c.Regimes != nil:
		return j.others(c.Regimes)
	case c.Answered != "":
		_, answered := j.declared.Answers[c.Answered]
		return evaluation{truth: estate.TruthOf(answered)}
	case c.Question != "":
		return j.answer(c)
	}
	return evaluation{} // an empty condition is open
}

// add puts the reasons of a part to those of the whole.
func (v *evaluation) add(e evaluation) {
	switch e.truth {
	case estate.True:
		v.facts = join(v.facts, e.facts)
	case estate.Maybe:
		v.facts, v.open, v.questions = join(v.facts, e.facts), join(v.open, e.open), join(v.questions, e.questions)
	case estate.False:
	}
}

// settled drops what is open of a condition that is decided.
func (v evaluation) settled() evaluation {
	if v.truth != estate.Maybe {
		v.partly, v.open, v.questions = false, nil, nil
	}
	return v
}

// NotAnswered begins what is open for want of an answer.
const NotAnswered = "not answered: "

func (j *judge) answer(c *Condition) evaluation {
	q := j.rules.Question(c.Question)
	a, answered := j.declared.Answers[c.Question]
	if !answered {
		return evaluation{open: []string{NotAnswered + c.Question}, questions: []string{c.Question}}
	}
	if q.Kind == NumberQuestion {
		return evaluation{truth: estate.TruthOf(a.Number >= c.Least), facts: []string{fmt.Sprintf("answered %s: %d", c.Question, a.Number)}}
	}
	var given []string
	for _, choice := range c.Choices {
		if slices.Contains(a.Choices, choice) {
			given = append(given, choice)
		}
	}
	if len(given) == 0 {
		return evaluation{truth: estate.False}
	}
	return evaluation{truth: estate.True, facts: []string{"answered " + c.Question + ": " + strings.Join(given, ", ")}}
}

func (j *judge) others(ids []string) evaluation {
	v := evaluation{truth: estate.False}
	for _, id := range ids {
		switch verdict := j.verdicts[id]; verdict {
		case Applies:
			return evaluation{truth: estate.True, facts: []string{id + " applies"}}
		case Likely, Undetermined:
			v.truth, v.partly = estate.Maybe, v.partly || verdict == Likely
			v.open = join(v.open, []string{id + " is " + string(verdict)})
		case NotIndicated, Excluded:
		}
	}
	return v
}

// dataQuestion is the question whose answer lists all classes of data.
const dataQuestion = "data"

// maxFacts bounds how many functions and open things a fact lists.
const maxFacts = 5

// data says whether a function handles one of some classes. Only a person's word
// makes it false, and only for what is known to have no tag that says otherwise.
func (j *judge) data(classes []string) evaluation {
	s := j.survey
	var v evaluation
	for _, c := range classes {
		if list := s.Handles[c]; len(list) > 0 {
			v.truth = estate.True
			for _, f := range list[:min(len(list), maxFacts)] {
				v.facts = join(v.facts, []string{fmt.Sprintf("%s handles %s: %s", f.Address, c, strings.Join(f.Steps, "; "))})
			}
			if more := len(list) - maxFacts; more > 0 {
				v.facts = append(v.facts, fmt.Sprintf("and %d more functions handle %s", more, c))
			}
		}
	}
	for _, c := range classes {
		if slices.Contains(j.declared.Answers[dataQuestion].Choices, c) {
			v.facts = append(v.facts, "answered data: "+c)
			v.truth = estate.True
		}
	}
	if v.truth == estate.True {
		return v
	}
	v.open, v.questions, v.partly = j.openOf(classes)
	if len(v.open) == 0 {
		v.truth = estate.False
	}
	return v
}

// openOf is what keeps it open whether functions handle a class of data. hinted
// says that something suggests that they do.
func (j *judge) openOf(classes []string) (open, questions []string, hinted bool) {
	s := j.survey
	_, answered := j.declared.Answers[dataQuestion]
	for _, c := range classes {
		for _, text := range s.Stores[c] {
			hinted = true
			open = append(open, text+" holds "+c+", and no function that was read is seen to handle it")
		}
		if at := s.Suggested[c]; len(at) > 0 && !answered {
			hinted = true
			open = append(open, fmt.Sprintf("by name %s may handle %s", listNamed(at), c))
		}
	}
	for i, text := range s.Open {
		if i == maxFacts && len(s.Open) > maxFacts+1 {
			open = append(open, fmt.Sprintf("and %d more that could not be read", len(s.Open)-maxFacts))
			break
		}
		open = append(open, text)
	}
	if s.Functions == 0 {
		open = append(open, "no function was read")
	}
	if !answered { // a tag says what is there, and not that there is nothing else
		text := "nobody says that there are no other data than tags name"
		if len(s.Unclassed) > 0 {
			text = fmt.Sprintf("nobody says which data %s %s", listNamed(s.Unclassed), handles(len(s.Unclassed)))
		}
		open, questions = append(open, text), []string{dataQuestion}
	}
	return open, questions, hinted
}

func handles(n int) string {
	if n == 1 {
		return "handles"
	}
	return "handle"
}

func listNamed(all []Named) string {
	var names []string // several scopes may have one address
	for _, n := range all {
		names = join(names, []string{n.Address})
	}
	switch n := len(names); {
	case n > maxFacts:
		return strings.Join(names[:maxFacts], ", ") + fmt.Sprintf(" and %d more", n-maxFacts)
	case n > 1:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, ", ")
}
