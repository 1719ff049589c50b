package assess

import (
	"slices"
	"strings"

	"assay/internal/catalog"
	"assay/internal/estate"
	"assay/internal/regime"
)

// Regimes are what assay.yaml says: which regimes apply. A run that has them
// reports on those, and looks whether today's estate indicates others.
type Regimes struct {
	File        string
	Rules       *regime.Rules
	Declaration *regime.Declaration
	// Unasked is set where the user names the frameworks: what is known of data
	// counts, and which regimes apply is not spoken of.
	Unasked bool
}

// RegimesInfo says why the run reports on the frameworks that it reports on.
type RegimesInfo struct {
	File string `json:"file"`
	regime.Confirmed
	Overdue  bool         `json:"overdue,omitempty"`  // a review was due before the date judged by
	DueSince string       `json:"dueSince,omitempty"` // the earliest that was
	Reported []RegimeInfo `json:"reported"`
	// Left are those that the run does not report on, each with its verdict.
	Left []RegimeInfo `json:"left,omitempty"`
	// Flagged apply or are likely, and assay has no framework for them.
	Flagged []RegimeInfo `json:"flagged,omitempty"`
}

// RegimeInfo is a regime with its verdict.
type RegimeInfo struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Verdict    string   `json:"verdict"`
	Frameworks []string `json:"frameworks,omitempty"`
	Because    string   `json:"because,omitempty"`
}

// NotJudged is the verdict of a regime that assay.yaml says nothing of.
const NotJudged = "not judged"

// FrameworkIDs are the frameworks of the regimes that apply or are likely, and
// those that no regime names: a user's own. all are the frameworks that there are.
func (r *Regimes) FrameworkIDs(all []*catalog.Framework) []string {
	var ids []string
	for _, one := range r.Declaration.Regimes {
		if one.Verdict.Reported() {
			ids = append(ids, one.Frameworks...)
		}
	}
	var names []string
	for _, one := range r.Rules.Regimes {
		names = append(names, one.Names()...)
	}
	for _, f := range all {
		if !slices.Contains(names, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// info is what the header says of them.
func (r *Regimes) info(asOf string) *RegimesInfo {
	d := r.Declaration
	due := d.DueSince(asOf)
	m := &RegimesInfo{File: r.File, Confirmed: d.Confirmed, Overdue: due != "", DueSince: due, Reported: []RegimeInfo{}}
	for _, one := range r.Rules.Regimes {
		info := RegimeInfo{ID: one.ID, Title: one.Title, Verdict: NotJudged, Frameworks: one.Names()}
		reported := false
		if i := slices.IndexFunc(d.Regimes, func(c regime.Recorded) bool { return c.ID == one.ID }); i >= 0 {
			recorded := d.Regimes[i]
			info.Verdict, info.Because, reported = string(recorded.Verdict), recorded.Because, recorded.Verdict.Reported()
			if reported {
				info.Frameworks = recorded.Frameworks
			}
		}
		switch {
		case one.Assessed() && reported:
			m.Reported = append(m.Reported, info)
		case one.Assessed():
			m.Left = append(m.Left, info)
		case reported:
			m.Flagged = append(m.Flagged, info)
		}
	}
	return m
}

// survey looks at the data of a group of scopes.
func (r *run) survey(scopes []*estate.Scope) *regime.Survey {
	if r.Regimes == nil {
		return nil
	}
	return r.Regimes.Rules.Survey(scopes, r.texts("data_class_tags"), r.Regimes.Declaration)
}

// handled is a class of data that a function handles, and what says so.
type handled struct {
	class, by  string
	restricted bool
}

// handled are the classes that functions handle, of several a restricted one.
func (r *run) handled(s *regime.Survey) map[string]handled {
	if s == nil {
		return nil
	}
	all := map[string]handled{}
	for _, c := range r.Regimes.Rules.Classes {
		restricted := r.restricted(append([]string{c.ID}, c.Tags...)...)
		for _, f := range s.Handles[c.ID] {
			if old, known := all[f.ID]; !known || restricted && !old.restricted {
				all[f.ID] = handled{c.ID, strings.Join(f.Steps, "; "), restricted}
			}
		}
	}
	return all
}

// indicated are the regimes that today's estate indicates and assay.yaml does not
// have as applying or likely.
func (r *Regimes) indicated(s *regime.Survey, asOf string) []RegimeInfo {
	var all []RegimeInfo
	for _, one := range r.Rules.Judge(r.Declaration, s, asOf).Regimes {
		if !one.Verdict.Reported() || slices.ContainsFunc(r.Declaration.Regimes, func(c regime.Recorded) bool { return c.ID == one.ID && c.Verdict.Reported() }) {
			continue
		}
		all = append(all, RegimeInfo{one.ID, one.Title, string(one.Verdict), one.Frameworks, one.Because})
	}
	return all
}
