package assess

import (
	"fmt"
	"slices"
	"strings"

	"assay/internal/catalog"
	"assay/internal/check"
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
	State          State               `json:"standing"`
	Basis          Basis               `json:"basis"`
	Scope          string              `json:"scope"`
	Because        string              `json:"because"`
	Waived         bool                `json:"waived,omitempty"`   // not met, and every failure behind it is waived
	Measures       string              `json:"measures,omitempty"` // the framework's word where every failure has a compensating measure
	Objectives     []ObjectiveStanding `json:"objectives,omitempty"`
}

// ObjectiveStanding is where one objective stands for a requirement.
type ObjectiveStanding struct {
	ID     string   `json:"id"`
	State  State    `json:"standing"`
	Failed []string `json:"failed,omitempty"` // checks
	Open   []string `json:"open,omitempty"`   // checks with unknown outcomes
	Passed []string `json:"passed,omitempty"`
}

// Objectives that no check can bear on: procedures, and provider's reports.
const (
	procedural = "PRC"
	report     = "ART"
)

// standings derives every requirement's standing from the outcomes of the
// checks that looked, in the order of the frameworks. unread counts the scopes
// of which something could not be read: with any, nothing is met.
func standings(c *catalog.Catalog, frameworks []*catalog.Framework, basis Basis, outcomes map[string]Counts, unread int) []*Standing {
	var all []*Standing
	objectives := map[string]ObjectiveStanding{}
	for id := range c.Objectives {
		objectives[id] = objectiveStanding(c, id, outcomes)
	}
	for _, f := range frameworks {
		for _, r := range f.Requirements {
			s := standing(f, r, basis, objectives)
			if unread > 0 && (s.State == Met || s.State == NotApplicable && r.OutOfScope == "") {
				s.State, s.Because = Undetermined, "something could not be read; see the coverage"
			}
			all = append(all, s)
		}
	}
	return all
}

// objectiveStanding judges one objective by the checks that bear on it. A
// check that only supports an objective can refute it but not establish it.
func objectiveStanding(c *catalog.Catalog, id string, outcomes map[string]Counts) ObjectiveStanding {
	s := ObjectiveStanding{ID: id}
	decided, looked, leftOut := false, false, false
	for _, t := range c.Bearing(id) {
		n, ran := outcomes[t.ID]
		if !ran {
			leftOut = true // by --severity, say: what it would have found is open
			continue
		}
		looked = true
		switch {
		case n.Fail > 0:
			s.Failed = append(s.Failed, t.ID)
		case n.Unknown > 0:
			s.Open = append(s.Open, t.ID)
		case n.Pass > 0:
			s.Passed = append(s.Passed, t.ID)
			link := t.Establishes[id]
			decided = decided || link.How == check.Decides && !(link.All && n.NotApplicable > 0)
		}
	}
	switch {
	case id == procedural:
		s.State = Attest
	case id == report:
		s.State = Inherits
	case len(s.Failed) > 0:
		s.State = NotMet
	case len(s.Open) > 0:
		s.State = Undetermined
	case decided && !leftOut:
		s.State = Met
	case len(s.Passed) > 0 || looked && leftOut:
		s.State = Undetermined
	case looked:
		s.State = NotApplicable
	default:
		s.State = NotTested
	}
	return s
}

func standing(f *catalog.Framework, r catalog.Requirement, basis Basis, objectives map[string]ObjectiveStanding) *Standing {
	s := &Standing{
		Framework: f.ID, Requirement: r.ID, Title: r.Title, Responsibility: string(r.Responsibility),
		Basis: basis, Scope: StandingScope,
	}
	if r.OutOfScope != "" {
		s.State, s.Because = NotApplicable, r.OutOfScope
		return s
	}
	for _, id := range r.Objectives {
		s.Objectives = append(s.Objectives, objectives[id])
	}
	s.State, s.Because = combine(r, s.Objectives)
	return s
}

// combine is the standing of a requirement from those of its objectives: the
// worst of them. Where some objectives were looked at and others were not, the
// requirement is undetermined; nothing unassessed is ever met.
func combine(r catalog.Requirement, objectives []ObjectiveStanding) (State, string) {
	in := func(state State) (ids []string) {
		for _, o := range objectives {
			if o.State == state {
				ids = append(ids, o.ID)
			}
		}
		return ids
	}
	untested := in(NotTested)
	looked := len(in(Met)) + len(in(NotMet)) + len(in(Undetermined)) + len(in(NotApplicable))
	switch {
	case r.Responsibility == catalog.AWS || r.Assessment == catalog.Inherited:
		return Inherits, "AWS answers for it; its report is needed"
	case len(in(NotMet)) > 0:
		return NotMet, failedBy(objectives)
	case len(in(Undetermined)) > 0:
		return Undetermined, openBecause(objectives)
	case len(untested) > 0 && looked > 0:
		return Undetermined, "no check looks at " + strings.Join(untested, ", ")
	case len(untested) > 0:
		return NotTested, "no check looks at " + strings.Join(untested, ", ")
	case r.Assessment == catalog.Manual || r.Assessment == catalog.Mixed || len(in(Attest)) > 0:
		return Attest, "a person has to answer for the part that is not configuration"
	case len(in(Inherits)) > 0:
		return Inherits, "AWS answers for it; its report is needed"
	case len(in(Met)) > 0:
		return Met, "every objective is established"
	}
	return NotApplicable, "nothing here that it applies to"
}

func failedBy(objectives []ObjectiveStanding) string {
	var checks []string
	for _, o := range objectives {
		checks = append(checks, o.Failed...)
	}
	slices.Sort(checks)
	checks = slices.Compact(checks)
	return "fails " + listed(checks)
}

func openBecause(objectives []ObjectiveStanding) string {
	var open, supported []string
	for _, o := range objectives {
		open = append(open, o.Open...)
		if o.State == Undetermined && len(o.Open) == 0 {
			supported = append(supported, o.ID)
		}
	}
	slices.Sort(open)
	open = slices.Compact(open)
	if len(open) > 0 {
		return "unknown: " + listed(open)
	}
	return fmt.Sprintf("checks support but do not decide %s", listed(supported))
}

// listed names up to three things and counts the rest.
func listed(names []string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
}
