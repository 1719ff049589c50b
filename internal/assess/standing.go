package assess

import (
	"fmt"
	"slices"
	"strings"

	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/estate"
)

// State is where a requirement stands.
type State string

// The states, worst first; the last two are not on that scale.
const (
	NotMet        State = "not met"
	Undetermined  State = "undetermined"
	Attest        State = "attest"    // a person answers
	Inherits      State = "inherited" // AWS answers; a report is needed
	Met           State = "met"
	NotApplicable State = "not applicable" // nothing it could apply to
	NotTested     State = "not tested"     // nothing looked
)

// States lists every state in the order in which they are reported.
var States = []State{NotMet, Undetermined, Attest, Inherits, Met, NotApplicable, NotTested}

// StandingScope says what every standing speaks of, and what it does not.
const StandingScope = "for these Lambda workloads"

// Standing is where one requirement stands, always with its basis and scope.
type Standing struct {
	Framework      string              `json:"framework"`
	Requirement    string              `json:"requirement"`
	Title          string              `json:"title"`
	Responsibility string              `json:"responsibility"`
	Specification  string              `json:"specification,omitempty"` // HIPAA's word for how binding it is
	State          State               `json:"standing"`
	Word           string              `json:"word,omitempty"` // the framework's own for the standing
	Basis          Basis               `json:"basis"`
	Scope          string              `json:"scope"`
	Because        string              `json:"because"`
	Waived         bool                `json:"waived,omitempty"`   // not met, and every failure behind it is waived
	Measures       string              `json:"measures,omitempty"` // the framework's words where something else is said to answer every failure
	Objectives     []ObjectiveStanding `json:"objectives,omitempty"`
	Procedures     []string            `json:"procedures,omitempty"` // what a person has to do beside
	Reports        []string            `json:"reports,omitempty"`    // of AWS that are needed beside
	Controls       []StandingControl   `json:"controls,omitempty"`   // the organisation's own that answer it
	// Shifts are why more of it is the customer's than Responsibility says, which
	// is about a zip function on a managed runtime.
	Shifts []StandingShift `json:"shifts,omitempty"`
}

// StandingControl is what the tests of one of the organisation's own controls came
// to under a requirement.
type StandingControl struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Owner      string   `json:"owner,omitempty"`
	Objectives []string `json:"objectives,omitempty"` // by whose checks it is tested here; none: a person tests it
	State      State    `json:"standing,omitempty"`
	Word       string   `json:"word,omitempty"`
	Because    string   `json:"because,omitempty"`
}

// controlsOf are the organisation's own controls that answer a requirement. Without
// objectives that were judged nothing is said of their tests.
func controlsOf(c *catalog.Catalog, f *catalog.Framework, r *catalog.Requirement, objectives map[string]judgedObjective, unread int) []StandingControl {
	var all []StandingControl
	for _, one := range c.Answering(f.ID, r.ID) {
		s := StandingControl{ID: one.ID, Title: one.Title, Owner: one.Owner, Objectives: one.TestedBy(r)}
		if objectives != nil {
			s.State, s.Because = Attest, "no check tests it, a person does"
			if len(s.Objectives) > 0 {
				var judged []judgedObjective
				for _, id := range s.Objectives {
					judged = append(judged, objectives[id])
				}
				s.State, s.Because = combine(&catalog.Requirement{Responsibility: catalog.Customer, Assessment: catalog.Technical}, nil, judged)
				s.State, s.Because = readWhole(s.State, s.Because, unread)
			}
			s.Word = f.Words[string(s.State)]
		}
		all = append(all, s)
	}
	return all
}

// ObjectiveStanding is where one objective stands for a requirement.
type ObjectiveStanding struct {
	ID     string   `json:"id"`
	State  State    `json:"standing"`
	Failed []string `json:"failed,omitempty"` // checks
	Open   []string `json:"open,omitempty"`   // checks with unknown outcomes
	Passed []string `json:"passed,omitempty"`
}

// looked is what a run saw.
type looked struct {
	outcomes map[string]Counts // of the checks that looked
	// undesigned are checks of facts that only an account shows, where the run is
	// of templates: they are no part of a design that somebody looked at.
	undesigned map[string]bool
	unreached  map[reach]bool // some function has it
	unread     int            // scopes of which something could not be read
	shifts     shiftCounts
}

// reach is what functions have at an edge, and that each of them has something.
type reach struct {
	edge string
	all  bool
}

// missed reports whether something is, or may be, at the edge of the function
// that was not read, or that nothing is for certain although it has to be.
func (r reach) missed(function *estate.Resource) bool {
	certain := false
	for _, e := range function.Related(r.edge) {
		if e.To == nil {
			return true
		}
		certain = certain || len(e.When) == 0 && existsWith(e.To, function)
	}
	_, miss := function.MayMiss(r.edge)
	return miss || r.all && !certain
}

// existsWith reports whether r is certainly there when the function is: always,
// or under the same condition.
func existsWith(r, function *estate.Resource) bool {
	return r.Exists == nil || function.Exists != nil && r.ExistsInput == function.ExistsInput && estate.Equal(r.Exists, function.Exists)
}

// standings derives every requirement's standing from what was seen, in the
// order of the frameworks. With something unread, nothing is met.
func standings(c *catalog.Catalog, frameworks []*catalog.Framework, basis Basis, saw looked) []*Standing {
	var all []*Standing
	objectives := map[string]judgedObjective{}
	for id := range c.Objectives {
		objectives[id] = judgeObjective(c, id, saw)
	}
	for _, f := range frameworks {
		for i := range f.Requirements {
			r := &f.Requirements[i]
			s := saw.shifts.standing(c.Moving(f.ID, r), r, func(r *catalog.Requirement) *Standing { return standing(f, r, basis, objectives, saw.unread) })
			s.Word = f.Words[string(s.State)]
			s.Controls = controlsOf(c, f, r, objectives, saw.unread)
			all = append(all, s)
		}
	}
	return all
}

// judgedObjective is an objective's standing, whether the catalogue has a check
// that could look at it at all, and whether, where it is open, a part of what it
// is about was not looked at, and is what leaves it open.
type judgedObjective struct {
	ObjectiveStanding
	checkable, partly bool
}

// judgeObjective judges one objective by the checks that bear on it. A check
// that only supports an objective can refute it but not establish it. Where one
// that decides it passes over templates, what only an account could say against
// it is for a run over the account.
func judgeObjective(c *catalog.Catalog, id string, saw looked) judgedObjective {
	s := judgedObjective{ObjectiveStanding: ObjectiveStanding{ID: id}}
	// leftOut: by --severity, say, so that what the check would have found is
	// open. unjudged: the objective is about subjects that the check is not.
	decided, looked, leftOut, undesigned, unjudged := false, false, false, false, false
	for _, t := range c.Bearing(id) {
		s.checkable = true
		link := t.Establishes[id]
		n, ran := saw.outcomes[t.ID]
		if !ran {
			if link.How == check.Supports && saw.undesigned[t.ID] {
				undesigned = true
			} else {
				leftOut = true
			}
			continue
		}
		looked = true
		if link.Edge != "" {
			unjudged = unjudged || saw.unreached[reach{link.Edge, link.All}]
		} else {
			unjudged = unjudged || link.All && n.NotApplicable > 0
		}
		switch {
		case n.Fail > 0:
			s.Failed = append(s.Failed, t.ID)
		case n.Unknown > 0:
			s.Open = append(s.Open, t.ID)
		case n.Pass > 0:
			s.Passed = append(s.Passed, t.ID)
			decided = decided || link.How == check.Decides
		}
	}
	switch {
	case len(s.Failed) > 0:
		s.State = NotMet
	case len(s.Open) > 0:
		s.State = Undetermined
	case decided && !leftOut && !unjudged:
		s.State = Met
	case len(s.Passed) > 0 || looked && (leftOut || undesigned || unjudged):
		s.State = Undetermined
	case looked:
		s.State = NotApplicable
	default:
		s.State = NotTested
	}
	s.partly = unjudged || decided || len(s.Passed) == 0
	return s
}

func standing(f *catalog.Framework, r *catalog.Requirement, basis Basis, objectives map[string]judgedObjective, unread int) *Standing {
	s := &Standing{
		Framework: f.ID, Requirement: r.ID, Title: r.Title, Responsibility: string(r.Responsibility), Specification: r.Specification,
		Basis: basis, Scope: StandingScope, Procedures: r.Procedures, Reports: f.ReportsOf(r),
	}
	if r.OutOfScope != "" {
		s.State, s.Because = NotApplicable, r.OutOfScope
		return s
	}
	var judged []judgedObjective
	for _, id := range r.Objectives {
		judged = append(judged, objectives[id])
		s.Objectives = append(s.Objectives, objectives[id].ObjectiveStanding)
	}
	s.State, s.Because = combine(r, s.Reports, judged)
	s.State, s.Because = readWhole(s.State, s.Because, unread)
	return s
}

// readWhole is a state and its reason where so many scopes were not read whole: what
// is there could say otherwise.
func readWhole(state State, because string, unread int) (State, string) {
	if unread > 0 && (state == Met || state == NotApplicable) {
		return Undetermined, "something could not be read; see the coverage"
	}
	return state, because
}

// combine is the standing of a requirement from those of its objectives: the
// worst of them. Where some objectives were looked at and others were not, the
// requirement is undetermined; nothing unassessed is ever met. Where a person
// answers for a part, they also answer for objectives that no check could look
// at. What is shared is not met by the customer's part alone: reports are those in
// which AWS answers for its own.
func combine(r *catalog.Requirement, reports []string, objectives []judgedObjective) (State, string) {
	in := map[State][]string{}
	var untested, byHand []string
	for _, o := range objectives {
		in[o.State] = append(in[o.State], o.ID)
		switch {
		case o.State != NotTested:
		case len(r.Procedures) > 0 && !o.checkable:
			byHand = append(byHand, o.ID)
		default:
			untested = append(untested, o.ID)
		}
	}
	looked := len(in[Met]) + len(in[NotMet]) + len(in[Undetermined]) + len(in[NotApplicable])
	switch {
	case r.Responsibility == catalog.AWS || r.Assessment == catalog.Inherited:
		return Inherits, "AWS answers for it; its report is needed"
	case len(in[NotMet]) > 0:
		return NotMet, failedBy(objectives)
	case len(in[Undetermined]) > 0:
		return Undetermined, openBecause(objectives)
	case len(untested) > 0 && looked > 0:
		return Undetermined, untestedBecause(objectives, untested)
	case len(untested) > 0:
		return NotTested, untestedBecause(objectives, untested)
	case len(byHand) > 0:
		return Attest, "a person has to answer, also for " + strings.Join(byHand, ", ") + ", which no check looks at"
	case len(r.Procedures) > 0:
		return Attest, "a person has to answer for the part that is not configuration"
	case len(reports) > 0 && len(in[Met]) > 0:
		return Inherits, "the customer's part is established; AWS's report is needed for its own"
	case len(r.Reports) > 0:
		return Inherits, "AWS answers for its part; its report is needed"
	case len(in[Met]) > 0:
		return Met, "every objective is established"
	}
	return NotApplicable, "nothing here that it applies to"
}

// untestedBecause tells what no check of the catalogue is about from what one is
// about that was not in what was read, such as a trail of the account.
func untestedBecause(objectives []judgedObjective, untested []string) string {
	var none, unseen []string
	for _, o := range objectives {
		switch {
		case !slices.Contains(untested, o.ID):
		case o.checkable:
			unseen = append(unseen, o.ID)
		default:
			none = append(none, o.ID)
		}
	}
	var why []string
	if len(unseen) > 0 {
		why = append(why, "nothing that was looked at shows "+listed(unseen))
	}
	if len(none) > 0 {
		why = append(why, "no check looks at "+listed(none))
	}
	return strings.Join(why, "; ")
}

func failedBy(objectives []judgedObjective) string {
	var checks []string
	for _, o := range objectives {
		checks = append(checks, o.Failed...)
	}
	slices.Sort(checks)
	checks = slices.Compact(checks)
	return "fails " + listed(checks)
}

func openBecause(objectives []judgedObjective) string {
	var open, supported, partly []string
	for _, o := range objectives {
		open = append(open, o.Open...)
		switch {
		case o.State != Undetermined || len(o.Open) > 0:
		case o.partly:
			partly = append(partly, o.ID)
		default:
			supported = append(supported, o.ID)
		}
	}
	slices.Sort(open)
	open = slices.Compact(open)
	if len(open) > 0 {
		return "unknown: " + listed(open)
	}
	var why []string
	if len(supported) > 0 {
		why = append(why, "checks support but do not decide "+listed(supported))
	}
	if len(partly) > 0 {
		why = append(why, "not all that they are about was judged: "+listed(partly))
	}
	return strings.Join(why, "; ")
}

// listed names up to three things and counts the rest.
func listed(names []string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
}
