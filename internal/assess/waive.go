package assess

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/estate"
)

// Waived says that a failure is accepted, by whom and until when. It is a
// failure none the less.
type Waived struct {
	WaiverTerms
	By     Source  `json:"by"`               // the entry of the file of waivers
	Stated *Source `json:"stated,omitempty"` // where the source says so itself
}

// Waiver is what came of one waiver in a run: of an entry of a file, or of what
// a source states.
type Waiver struct {
	ID       string `json:"id"`   // of what it names and where, never of a position
	Form     string `json:"form"` // file, metadata, comment or tag
	State    string `json:"state"`
	Finding  string `json:"finding,omitempty"` // that the entry names
	Check    string `json:"check,omitempty"`
	Resource string `json:"resource,omitempty"` // pattern of an entry, or address of the resource that a source states it at
	Scope    string `json:"scope,omitempty"`
	// Severity is set on a waiver that fails, one that is expired, lapsed or
	// unapproved: that of the gravest failure that it no longer covers.
	Severity *check.Severity `json:"severity,omitempty"`
	Message  string          `json:"message"`
	*WaiverTerms
	AnyFacts bool     `json:"anyFacts,omitempty"` // it holds whatever the facts become
	Waives   []string `json:"waives,omitempty"`   // findings that it is in force for
	Leaves   []string `json:"leaves,omitempty"`   // findings that it does not cover, or not any more
	Source   Source   `json:"source"`
}

// Fails reports whether the waiver is a failure of its own.
func (w *Waiver) Fails() bool { return w.Severity != nil }

// accepted is what holds for a failure that an entry in force covers.
type accepted struct {
	entry   *WaiverEntry
	refused bool    // no regime that it bears on takes waivers
	stated  *Source // the source's own statement
}

// waives reports whether the failure counts as waived.
func (f *finding) waives() bool { return f.accepted != nil && !f.accepted.refused }

// waiverUse is how an entry stands to one failure.
type waiverUse struct {
	entry    *WaiverEntry
	state    string
	finding  string
	about    string // the check and the resource
	severity check.Severity
}

// waive finds, for every failure of the group, the entry that covers it, and
// what the sources state of waivers.
func (g *judgedGroup) waive() {
	w := g.run.Waivers
	if w != nil && len(w.entries) > 0 {
		for i := range g.subjects {
			for j := range g.subjects[i].findings {
				if f := &g.subjects[i].findings[j]; f.result.Outcome == check.Fail {
					g.waiveOne(w, f)
				}
			}
		}
	}
	for _, s := range g.scopes {
		g.statements(s)
	}
}

func (g *judgedGroup) waiveOne(w *Waivers, f *finding) {
	r := g.run
	ofCheck := w.byCheck[r.programs.checks[f.check].ID]
	if len(ofCheck) == 0 && len(w.byFinding) == 0 {
		return
	}
	id, scope := f.id(r), f.of.Scope().ID
	digest := ""
	facts := func() string {
		if digest == "" {
			digest = r.facts(f)
		}
		return digest
	}
	var uses []waiverUse
	for _, e := range slices.Concat(w.byFinding[id], ofCheck) {
		if !e.covers(infoOf(f.of.Resource), scope) {
			continue
		}
		state := e.state(r.AsOf, id, facts)
		switch {
		case state == "":
			continue
		case state == WaiverInForce && f.accepted == nil:
			f.accepted = &accepted{entry: e, refused: r.refusing[f.check]}
			if f.accepted.refused {
				state = WaiverRefused
			}
		case state == WaiverInForce:
			state = WaiverUnused // another is in force first
		}
		about := r.programs.checks[f.check].ID + " at " + f.of.Address
		uses = append(uses, waiverUse{e, state, id, about, f.severity})
	}
	for i := range uses {
		// What another entry renews is not missed.
		if s := uses[i].state; f.accepted != nil && (s == WaiverExpired || s == WaiverLapsed) {
			uses[i].state = WaiverUnused
		}
	}
	g.uses = append(g.uses, uses...)
}

// facts is a digest of what a failure rests on: how grave it is, what was read,
// the choices that it holds under. Positions are not in it, nor how a value is
// shown, nor parameters, which are what a regime asks for and not what is.
func (r *run) facts(f *finding) string {
	lines := []string{"severity " + f.severity.String()}
	for _, read := range f.result.Reads {
		line := "read "
		if read.Resource != nil && read.Resource != f.of.Resource {
			line += read.Resource.LogicalID
		}
		line += "\x00" + read.Path + "\x00"
		if read.Value != nil {
			line += string(read.Value.Plain().AppendJSON(nil))
		}
		lines = append(lines, line)
	}
	for _, d := range f.result.Under {
		lines = append(lines, "under "+d.Input+"\x00"+d.When)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(lines), "\x01")))
	return hex.EncodeToString(sum[:16])
}

// waiverTag is the key of a tag by which a resource states a waiver.
const waiverTag = "assay:waive"

// statement is what a source says of accepted failures at one place.
type statement struct {
	estate.Waiver
	scope string
	at    []*judgedResource // that it is about
}

// formTag is a statement in a tag, beside the forms that collectors read.
const formTag = "tag"

// statements judges what the sources of a scope say of waivers.
func (g *judgedGroup) statements(s *judged) {
	var all []*statement
	for _, w := range s.Waivers() {
		var st *statement
		if n := len(all); n > 0 && all[n-1].Position == w.Position && all[n-1].Text == w.Text {
			st = all[n-1] // at every resource that one block makes
		} else {
			st = &statement{Waiver: w, scope: s.ID}
			all = append(all, st)
		}
		st.at = append(st.at, s.about(w.Resource)...)
	}
	for i := range s.subjects {
		res := &s.subjects[i]
		for _, tag := range res.Properties.Field("Tags").Items() {
			if v := tag.Field("Value"); tag.Field("Key").AsString() == waiverTag && v.Kind() == estate.KindString {
				w := estate.Waiver{Resource: res.LogicalID, Text: v.AsString(), Form: formTag, Position: v.Position()}
				all = append(all, &statement{w, s.ID, []*judgedResource{res}})
			}
		}
	}
	for _, st := range all {
		g.stated = append(g.stated, g.judgeStatement(st)...)
	}
}

// about are the subjects that a statement at a resource is about: the resource,
// and what was made of it.
func (s *judged) about(logicalID string) (found []*judgedResource) {
	if logicalID == "" {
		return nil
	}
	at := s.Resource(logicalID)
	for i := range s.subjects {
		r := &s.subjects[i]
		if r.LogicalID == logicalID || r.Address == logicalID || at != nil && r.Source == at.Source && !r.Source.IsZero() {
			found = append(found, r)
		}
	}
	return found
}

var checkID = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$`)

// readStatement splits the text of a statement into checks and the reason.
func readStatement(text string) (checks []string, reason string) {
	words := strings.Fields(text)
	for len(words) > 0 {
		id := strings.Trim(words[0], ",;:")
		if !checkID.MatchString(id) {
			break
		}
		checks, words = append(checks, id), words[1:]
	}
	return checks, strings.Trim(strings.Join(words, " "), "-: ")
}

// judgeStatement says what comes of a statement for each check that it names.
func (g *judgedGroup) judgeStatement(st *statement) []*Waiver {
	checks, reason := readStatement(st.Text)
	where := st.Resource
	if len(st.at) > 0 {
		where = st.at[0].Address
	}
	of := func(id string) *Waiver {
		return &Waiver{
			ID: waiverID(st.Form, id, st.scope, st.Resource), Form: st.Form, Check: id, Resource: where, Scope: st.scope,
			State: WaiverUnused, Source: sourceOf(st.Position),
		}
	}
	if len(checks) == 0 {
		w := of("")
		w.Message = "a waiver that names no check; expected the id of one, then the reason"
		return []*Waiver{w}
	}
	var all []*Waiver
	for _, id := range checks {
		index, known := g.run.indexes[id]
		if known && st.Form == formTag && g.run.programs.checks[index].Subject != st.at[0].Type {
			continue // tags are handed on to resources of other types
		}
		w := of(id)
		w.WaiverTerms = &WaiverTerms{Reason: reason}
		all = append(all, w)
		switch {
		case !known:
			w.Message = "a waiver of " + id + ": " + noCheck(id, slices.Sorted(maps.Keys(g.run.indexes)))
			continue
		case st.Resource == "":
			w.Message = "a waiver of " + id + " that stands at no resource"
			continue
		}
		refused := false
		for _, res := range st.at {
			for j := range res.findings {
				f := &res.findings[j]
				if f.check != index || f.result.Outcome != check.Fail {
					continue
				}
				if f.accepted == nil {
					w.leave(f.id(g.run), f.severity)
					continue
				}
				if f.accepted.stated == nil {
					f.accepted.stated = &w.Source
				}
				if f.accepted.refused {
					refused = true
					w.Leaves = append(w.Leaves, f.id(g.run))
				} else {
					w.Waives = append(w.Waives, f.id(g.run))
				}
			}
		}
		switch {
		case w.Fails():
			w.State = WaiverUnapproved
			w.Message = fmt.Sprintf("the waiver of %s at %s is not approved: no entry of a file of waivers that is in force covers it", id, where)
		case refused:
			w.State = WaiverRefused
			w.Message = fmt.Sprintf("the waiver of %s at %s does not count: %s", id, where, noRegime)
		case len(w.Waives) > 0:
			w.State = WaiverInForce
			w.Message = fmt.Sprintf("the waiver of %s at %s is approved", id, where)
		default:
			w.Message = fmt.Sprintf("the waiver of %s at %s covers nothing that fails", id, where)
		}
	}
	return all
}

const noRegime = "no framework of the run that it bears on takes waivers"

// leave notes a failure that the waiver does not cover.
func (w *Waiver) leave(finding string, severity check.Severity) {
	w.Leaves = append(w.Leaves, finding)
	if w.Severity == nil || *w.Severity < severity {
		w.Severity = &severity
	}
}

func waiverID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "W-" + hex.EncodeToString(sum[:8])
}

// message says what came of an entry, from how it stands to each failure.
func (e *WaiverEntry) message(uses []waiverUse) *Waiver {
	w := &Waiver{
		Form: "file", State: WaiverUnused, Finding: e.Finding, Check: e.Check, Resource: e.Resource, Scope: e.Scope,
		WaiverTerms: &e.WaiverTerms, AnyFacts: e.Facts == nil, Source: e.at,
		ID: waiverID("file", e.name, cmp.Or(e.Finding, e.Check), e.Resource, e.Scope, e.Expires, fmt.Sprint(e.Facts)),
	}
	of := cmp.Or(e.Finding, e.Check)
	if e.Finding != "" && len(uses) > 0 {
		of += " (" + uses[0].about + ")"
	}
	refused, expired := false, false
	for _, u := range uses {
		switch u.state {
		case WaiverInForce:
			w.Waives = append(w.Waives, u.finding)
		case WaiverRefused:
			refused = true
			w.Leaves = append(w.Leaves, u.finding)
		case WaiverExpired, WaiverLapsed:
			expired = expired || u.state == WaiverExpired
			w.leave(u.finding, u.severity)
		}
	}
	switch {
	case expired:
		w.State = WaiverExpired
		w.Message = fmt.Sprintf("the waiver of %s expired: %s was its last day, and what it is for still fails", of, e.Expires)
	case w.Fails():
		w.State = WaiverLapsed
		w.Message = fmt.Sprintf("the waiver of %s lapsed: the facts that it was given for have changed", of)
	case refused:
		w.State = WaiverRefused
		w.Message = fmt.Sprintf("the waiver of %s does not count: %s", of, noRegime)
	case len(w.Waives) > 0:
		w.State = WaiverInForce
		w.Message = fmt.Sprintf("the waiver of %s is in force until %s", of, e.Expires)
	default:
		w.Message = fmt.Sprintf("the waiver of %s covers nothing that fails, or nothing that another does not", of)
	}
	return w
}

// waivers are what came of all waivers of a run: the entries in the order of the
// files, then what sources state.
func (t *tally) waivers(w *Waivers) []*Waiver {
	uses := map[*WaiverEntry][]waiverUse{}
	for _, u := range t.uses {
		uses[u.entry] = append(uses[u.entry], u)
	}
	var all []*Waiver
	if w != nil {
		for _, e := range w.entries {
			all = append(all, e.message(uses[e]))
		}
	}
	return append(all, t.stated...)
}

// refusals says of each check whether all frameworks of the run that it bears
// on take no waivers: then nothing accepts its failure.
func refusals(checks []CheckInfo, frameworks []*catalog.Framework) []bool {
	all := make([]bool, len(checks))
	for i, c := range checks {
		taken := false
		for _, f := range frameworks {
			taken = taken || len(c.Requirements[f.ID]) > 0 && f.Waivers != catalog.WaiversNever
		}
		all[i] = len(c.Requirements) > 0 && !taken
	}
	return all
}

// waivedCounts is how many failures of a check are waived, and of how many of its
// failures, waived or refused, a compensating measure or the customised approach
// is named.
type waivedCounts struct{ waived, measured, customised int }

// waive notes on a standing what of it is waived, and by what else it is said to
// be answered. The state stays.
func (t *tally) waive(s *Standing, f *catalog.Framework) {
	if s.State != NotMet {
		return
	}
	failed := 0
	var n waivedCounts
	seen := map[string]bool{}
	for _, o := range s.Objectives {
		for _, id := range o.Failed {
			if !seen[id] {
				seen[id] = true
				failed += t.summary.Checks[id].Fail
				one := t.accepted[id]
				n.waived += one.waived
				n.measured += one.measured
				n.customised += one.customised
			}
		}
	}
	if f.Measures == "" {
		n.measured = 0
	}
	if f.Customised == "" {
		n.customised = 0
	}
	switch never := f.Waivers == catalog.WaiversNever; {
	case never && n.waived+n.measured+n.customised > 0:
		s.Because += "; " + f.Title + " takes no waivers"
	case never, n.waived == 0:
	case n.waived == failed:
		s.Waived = true
	default:
		s.Because += fmt.Sprintf("; %d of %d failures waived", n.waived, failed)
	}
	s.answer(f, failed, n)
}

// answer notes which of the failures behind a standing something else is said to
// answer, and the framework's words where that is said of all of them.
func (s *Standing) answer(f *catalog.Framework, failed int, n waivedCounts) {
	what, of, words := "an alternative", n.measured, f.Measures
	switch {
	case n.measured+n.customised == 0:
		return
	case n.measured > 0 && n.customised > 0:
		s.Because += "; compensating measures are named and the customised approach too, and a requirement takes one of them alone"
		return
	case n.customised > 0:
		what, of, words = "the customised approach", n.customised, f.Customised
	case s.Specification == "":
		what = "a compensating measure"
	}
	s.Because += fmt.Sprintf("; %s is named for %d of %d failures", what, of, failed)
	switch {
	case s.Specification != "" && s.Specification != catalog.Addressable:
		s.Because += ", and only what is addressable takes one"
	case of == failed:
		s.Measures = words
	}
}
