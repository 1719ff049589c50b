package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"assay/internal/assess"
	"assay/internal/check"
)

// How much of each kind a text lists before it only counts the rest, unless
// [Options.All] is set. A text is read from its end, so that the summary comes
// last and fits a screen.
const (
	maxProblems     = 10
	maxFunctions    = 25
	maxOther        = 25 // findings that concern no function
	maxReads        = 3  // of a witness
	maxReasons      = 6  // for unknown outcomes
	maxInputs       = 3  // for each reason
	maxRequirements = 10 // not met, for each framework
	maxNames        = 5  // of other functions that a finding concerns
	maxDetailed     = 3  // frameworks, until they are a table without what is not met
)

// Widths of what would otherwise take a whole line, in characters.
const (
	maxValue  = 60 // of a witness
	maxID     = 32 // of a check, that messages line up behind
	maxReason = 40 // that inputs line up behind
)

// seeAll says how to lift the limits.
const seeAll = "; --all lists them all"

// detail is the column of what is said below the line of a finding.
const detail = 12

// text writes for a person in a terminal: problems, what fails by function
// with the worst first, what is unknown and why, standings, a summary.
type text struct {
	page
	opts      Options
	header    assess.Header
	problems  []assess.Problem
	functions map[string]*assess.Function // by scope and logical id, and by id
	risks     []*assess.Function          // those with any
	hidden    int                         // problems past those
	fails     []*assess.Finding
	waivers   []*assess.Waiver
	unknown   []*assess.Finding // kept only to be listed one by one
	gaps      gaps
	notMet    map[string][]*assess.Standing // by framework, the first of them
	scope     string                        // of the standings
}

func newText(w io.Writer, o Options) assess.Handler {
	return &text{page: newPage(w, o), opts: o, notMet: map[string][]*assess.Standing{}, functions: map[string]*assess.Function{}, scope: assess.StandingScope}
}

// limit is how many of n things to list of at most most.
func (t *text) limit(n, most int) int {
	if t.opts.All {
		return n
	}
	return min(n, most)
}

func (t *text) Header(m *assess.Header) error {
	t.header = *m
	return nil
}

func (t *text) Coverage(m *assess.Coverage) error {
	for _, p := range problemsOf(m) {
		if n := len(t.problems) + 1; t.limit(n, maxProblems) < n {
			t.hidden++
			continue
		}
		t.problems = append(t.problems, p)
	}
	return nil
}

func (t *text) Function(m *assess.Function) error {
	t.functions[m.Scope+"#"+m.Resource.LogicalID] = m
	t.functions[m.Resource.ID] = m
	if m.Risk > 0 {
		t.risks = append(t.risks, m)
	}
	return nil
}

func (t *text) Finding(m *assess.Finding) error {
	if m.Outcome == check.Fail {
		t.fails = append(t.fails, m)
		return nil
	}
	t.gaps.add(m)
	if t.opts.All {
		t.unknown = append(t.unknown, m)
	}
	return nil
}

func (t *text) Decided(*assess.Decided) error { return nil }

func (t *text) Waiver(m *assess.Waiver) error {
	if m.Fails() || m.State != assess.WaiverInForce && !t.opts.Quiet || t.opts.All {
		t.waivers = append(t.waivers, m)
	}
	return nil
}

func (t *text) Standing(m *assess.Standing) error {
	t.scope = m.Scope
	if n := len(t.notMet[m.Framework]) + 1; m.State == assess.NotMet && t.limit(n, maxRequirements) == n {
		t.notMet[m.Framework] = append(t.notMet[m.Framework], m)
	}
	return nil
}

func (t *text) Summary(m *assess.Summary) error {
	t.writeRegimes(m)
	t.writeProblems()
	t.writeFindings()
	t.writeWaivers()
	if t.opts.Quiet {
		t.writeClosing(m)
		return t.flush()
	}
	t.writeUnknown(m)
	t.writeStandings(m)
	t.writeSummary(m)
	return t.flush()
}

func (t *text) writeProblems() {
	if len(t.problems) == 0 {
		return
	}
	t.heading("Problems", "what could not be read as written")
	for _, p := range t.problems {
		t.row(2, 4, oneLine(p.Message), cell{text: oneLine(p.Source.String()), style: yellow})
		if p.Hint != "" {
			t.line(4, oneLine(p.Hint))
		}
	}
	if t.hidden > 0 {
		t.line(2, fmt.Sprintf("and %d more", t.hidden)+seeAll)
	}
}

// group is what is listed under one function. Its scope and name are empty for
// what concerns no function.
type group struct {
	scope, name string
	function    *assess.Function // nil: the stream does not say
	findings    []*assess.Finding
	waived      int            // of the failures
	shared      int            // failures that stand with their cause
	fails       map[string]int // by severity
}

func (g *group) risk() int {
	if g.function == nil {
		return 0
	}
	return g.function.Risk
}

// counts says how many failures of each severity there are, and how much that
// is unknown is listed.
func (g *group) counts() string {
	said := bySeverity(g.fails)
	open := len(g.findings) + g.shared
	for _, n := range g.fails {
		open -= n
	}
	if g.waived > 0 {
		said += fmt.Sprintf(" (%d waived)", g.waived)
	}
	switch {
	case open == 0:
		return said
	case said == "":
		return fmt.Sprintf("%d unknown", open)
	}
	return fmt.Sprintf("%s, %d unknown", said, open)
}

// groups lists the functions that findings concern, the worst first, and apart
// from them what concerns none. A finding that concerns several functions
// stands under the first of them.
func (t *text) groups() (functions []*group, other *group) {
	other = &group{fails: map[string]int{}}
	byName := map[[2]string]*group{}
	for _, f := range slices.Concat(t.fails, t.unknown) {
		g := other
		if len(f.Functions) > 0 {
			key := [2]string{f.Scope, f.Functions[0]}
			if g = byName[key]; g == nil {
				g = &group{scope: f.Scope, name: f.Functions[0], fails: map[string]int{}}
				if g.function = t.functions[f.Scope+"#"+f.Functions[0]]; g.function == nil {
					g.function = t.functions[f.Functions[0]]
				}
				byName[key] = g
				functions = append(functions, g)
			}
		}
		if f.Cause != nil {
			g.shared++
		} else {
			g.findings = append(g.findings, f)
		}
		if f.Outcome == check.Fail {
			g.fails[f.Severity.String()]++
		}
		if f.Waived != nil {
			g.waived++
		}
	}
	for _, g := range append(functions, other) {
		slices.SortStableFunc(g.findings, worseFinding)
	}
	slices.SortFunc(functions, func(a, b *group) int {
		if n := b.risk() - a.risk(); n != 0 {
			return n
		}
		for _, s := range severities {
			if n := b.fails[s.String()] - a.fails[s.String()]; n != 0 {
				return n
			}
		}
		return cmp.Or(strings.Compare(a.scope, b.scope), strings.Compare(a.name, b.name))
	})
	return functions, other
}

// worseFinding orders failures before what is unknown, then by severity and
// check.
func worseFinding(a, b *assess.Finding) int {
	rank := func(f *assess.Finding) int {
		if f.Outcome == check.Fail {
			return 1
		}
		return 0
	}
	return cmp.Or(rank(b)-rank(a), cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Check, b.Check))
}

func (t *text) writeFindings() {
	w := &findingWriter{text: t, fixes: fixesOf(&t.header)}
	w.causes()
	functions, other := t.groups()
	shown := functions[:t.limit(len(functions), maxFunctions)]
	for _, g := range shown {
		said := oneLine(g.scope) + ": " + g.counts()
		if g.function != nil {
			said = riskText(g.function) + ", " + said
		}
		name := g.name
		if g.function != nil && t.header.Basis == assess.Deployed {
			name = g.function.Resource.Address // the logical id is an ARN
		}
		t.heading(oneLine(name), said)
		if g.function != nil && g.function.Exposure != check.Internal {
			t.line(2, exposureText(g.function))
		}
		if g.function != nil && g.function.Owner != nil {
			t.line(2, ownerText(g.function.Owner))
		}
		if g.shared > 0 {
			t.line(2, count(g.shared, "failure")+" with a cause that others share, above")
		}
		w.write(g.findings)
	}
	if more := len(functions) - len(shown); more > 0 {
		t.blank()
		t.line(0, fmt.Sprintf("and %s with failures", count(more, "more function"))+seeAll)
	}
	t.writeOther(other, w)
	if len(t.fails) > 0 && !t.opts.Quiet {
		t.blank()
		t.line(0, "assay explain CHECK says why a check matters and how to fix it with each tool")
	}
}

// writeOther lists what concerns no function.
func (t *text) writeOther(other *group, w *findingWriter) {
	if len(other.findings)+other.shared == 0 {
		return
	}
	t.heading("Other resources", other.counts())
	if other.shared > 0 {
		t.line(2, count(other.shared, "failure")+" with a cause that others share, above")
	}
	listed := other.findings[:t.limit(len(other.findings), maxOther)]
	w.write(listed)
	if more := len(other.findings) - len(listed); more > 0 {
		t.line(2, fmt.Sprintf("and %d more", more)+seeAll)
	}
}

// findingWriter writes findings, and with the first of each check how to fix it.
type findingWriter struct {
	*text
	fixes map[string]string // by check, until it has been said
}

func (w *findingWriter) write(findings []*assess.Finding) {
	ids := min(widest(findings, func(f *assess.Finding) string { return f.Check }), maxID)
	for _, f := range findings {
		label := cell{text: f.Severity.String(), width: len("critical"), style: severityStyle(f.Severity)}
		if f.Outcome != check.Fail {
			label.text, label.style = "unknown", faint
		}
		if f.Waived != nil {
			label.style = faint
		}
		w.row(2, detail, oneLine(f.Message), label, cell{text: oneLine(f.Check), width: ids})
		w.witness(f)
		if f.Waived != nil {
			w.line(detail, waivedText(f.Waived))
		}
		if f.Baseline == assess.BaselineNew {
			w.line(detail, "new since the baseline")
		}
		if f.Raised != nil {
			w.line(detail, raisedText(f.Raised))
		}
		if f.Owner != nil && len(f.Functions) == 0 {
			w.line(detail, ownerText(f.Owner))
		}
		for i := range f.Parameters {
			w.line(detail, askedText(&f.Parameters[i]))
		}
		for _, caller := range f.Callers {
			w.line(detail, "called at "+oneLine(caller.String()))
		}
		if others := f.Functions; len(others) > 1 {
			w.line(detail, "also concerns "+oneLine(listed(others[1:], w.limit(len(others), maxNames))))
		}
		if f.Outcome == check.Fail {
			w.fix(f.Check)
		}
	}
}

// fix says how to mend what fails a check, the first time that it is asked.
func (w *findingWriter) fix(check string) {
	if fix := w.fixes[check]; fix != "" {
		delete(w.fixes, check)
		w.row(detail, detail, "", cell{text: clip("fix: "+fix, w.width-detail), style: green})
	}
}

// witness says what was read and where, or what is missing. What has no
// position of its own, such as a property that is not there, stands where one
// would add it. A position is said once.
func (w *findingWriter) witness(f *assess.Finding) {
	at := oneLine(f.Source.String())
	if f.Outcome != check.Fail {
		for _, m := range f.Missing {
			w.row(detail, detail, oneLine(m.Reason), cell{text: supply(m.Input)})
		}
		w.line(detail, at)
		return
	}
	if f.Witness == nil || len(f.Witness.Reads) == 0 {
		w.line(detail, at)
		return
	}
	reads := f.Witness.Reads
	said := ""
	shown := w.limit(len(reads), maxReads)
	for i := range reads[:shown] {
		r := &reads[i]
		if r.Source != nil {
			at = oneLine(r.Source.String())
		} else if i > 0 {
			at = ""
		}
		if at == said {
			at = ""
		} else if at != "" {
			said = at
		}
		w.row(detail, detail, at, cell{text: cut(readText(r, maxValue), w.width-detail)})
	}
	if more := len(reads) - shown; more > 0 {
		w.line(detail, "and "+count(more, "more read"))
	}
	for _, c := range f.Witness.Under {
		w.line(detail, underText(c))
	}
}

// causes lists what several failures have in common, each once: one change
// mends them all.
func (w *findingWriter) causes() {
	byID := map[string][]*assess.Finding{}
	var first []*assess.Finding
	for _, f := range w.fails {
		if f.Cause == nil {
			continue
		}
		if len(byID[f.Cause.ID]) == 0 {
			first = append(first, f)
		}
		byID[f.Cause.ID] = append(byID[f.Cause.ID], f)
	}
	if len(first) == 0 {
		return
	}
	slices.SortStableFunc(first, func(a, b *assess.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), b.Cause.Findings-a.Cause.Findings, strings.Compare(a.Check, b.Check))
	})
	w.heading("Shared causes", "one change mends several failures")
	shown := first[:w.limit(len(first), maxOther)]
	ids := min(widest(shown, func(f *assess.Finding) string { return f.Check }), maxID)
	for _, f := range shown {
		worst := f.Severity
		var names, callers []string
		waived, fresh := 0, 0
		for _, one := range byID[f.Cause.ID] {
			for _, caller := range one.Callers {
				if said := "called at " + caller.String(); !slices.Contains(callers, said) {
					callers = append(callers, said)
				}
			}
			worst = max(worst, one.Severity)
			if one.Waived != nil {
				waived++
			}
			if one.Baseline == assess.BaselineNew {
				fresh++
			}
			for _, name := range one.Functions {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		w.row(2, detail, causeText(f.Cause), cell{text: worst.String(), width: len("critical"), style: severityStyle(worst)}, cell{text: oneLine(f.Check), width: ids})
		w.line(detail, "such as: "+oneLine(f.Message))
		if waived > 0 {
			w.line(detail, fmt.Sprintf("%d of them waived", waived))
		}
		if fresh > 0 {
			w.line(detail, fmt.Sprintf("%d of them new since the baseline", fresh))
		}
		if len(names) > 0 {
			w.line(detail, count(f.Cause.Functions, "function")+": "+oneLine(listed(names, w.limit(len(names), maxNames))))
		}
		for _, caller := range callers[:w.limit(len(callers), maxNames)] {
			w.line(detail, oneLine(caller))
		}
		w.fix(f.Check)
	}
	if more := len(first) - len(shown); more > 0 {
		w.line(2, "and "+count(more, "more cause")+seeAll)
	}
}

// writeWaivers lists the waivers that need somebody.
func (t *text) writeWaivers() {
	if len(t.waivers) == 0 {
		return
	}
	slices.SortStableFunc(t.waivers, func(a, b *assess.Waiver) int {
		return slices.Index(waiverStates, a.State) - slices.Index(waiverStates, b.State)
	})
	t.heading("Waivers", "what was accepted; a waiver changes no outcome")
	shown := t.waivers[:t.limit(len(t.waivers), maxOther)]
	states := widest(shown, func(w *assess.Waiver) string { return w.State })
	for _, w := range shown {
		label := cell{text: oneLine(w.State), width: states, style: faint}
		if w.Fails() {
			label.style = severityStyle(*w.Severity)
		}
		t.row(2, 4, oneLine(w.Message), label)
		if said := termsText(w); said != "" {
			t.line(4, said)
		}
		if len(w.Leaves) > 0 {
			t.line(4, "not covered: "+oneLine(listed(w.Leaves, t.limit(len(w.Leaves), maxNames))))
		}
		t.line(4, oneLine(w.Source.String()))
	}
	if more := len(t.waivers) - len(shown); more > 0 {
		t.line(2, fmt.Sprintf("and %d more", more)+seeAll)
	}
}

func (t *text) writeUnknown(m *assess.Summary) {
	if m.Outcomes.Unknown == 0 {
		return
	}
	t.heading("Unknown", unknownShare(m)+" could not be decided; what would decide them:")
	reasons := t.gaps.ordered()
	shown := reasons[:t.limit(len(reasons), maxReasons)]
	reason := min(widest(shown, func(g *gap) string { return g.reason }), maxReason)
	for _, g := range shown {
		t.row(2, 10, listed(g.wanted(), t.limit(len(g.inputs), maxInputs)),
			cell{text: fmt.Sprintf("%5d", g.count)}, cell{text: oneLine(g.reason), width: reason})
	}
	if more := len(reasons) - len(shown); more > 0 {
		t.line(2, "and "+count(more, "more reason")+seeAll)
	}
}

// unknownShare is the part of the outcomes that is unknown. What does not
// apply is no outcome that anything could have decided.
func unknownShare(m *assess.Summary) string {
	total := m.Outcomes.Pass + m.Outcomes.Fail + m.Outcomes.Unknown
	return fmt.Sprintf("%d of %s (%s)", m.Outcomes.Unknown, count(total, "outcome"), share(m.Outcomes.Unknown, total))
}

// meanings says what states mean that do not speak for themselves.
var meanings = map[assess.State]string{
	assess.Undetermined: "undetermined: the checks cannot settle it",
	assess.Attest:       "attest: a person has to answer",
	assess.Inherits:     "inherited: AWS answers, its report is needed",
	assess.NotTested:    "not tested: nothing looked",
}

func (t *text) writeStandings(m *assess.Summary) {
	if len(m.Standings) == 0 {
		return
	}
	t.heading("Standing", basisText(t.header.Basis)+", "+oneLine(t.scope))
	var frameworks []assess.FrameworkInfo
	occurs := map[assess.State]bool{}
	for _, f := range t.header.Frameworks {
		if sum, ok := m.Standings[f.ID]; ok {
			frameworks = append(frameworks, f)
			for _, state := range assess.States {
				occurs[state] = occurs[state] || sum.Standings[string(state)] > 0
			}
		}
	}
	detailed := t.limit(len(frameworks), maxDetailed) == len(frameworks)
	if detailed || !t.standingTable(m, frameworks, occurs) {
		for _, f := range frameworks {
			t.standingBar(m, f)
			if detailed {
				t.writeNotMet(f.ID, m.Standings[f.ID].Standings[string(assess.NotMet)])
			}
		}
	}
	var notes []string
	for _, state := range assess.States {
		if occurs[state] && meanings[state] != "" {
			notes = append(notes, meanings[state])
		}
	}
	if len(notes) > 0 {
		t.line(2, "("+strings.Join(notes, "; ")+")")
	}
	if !detailed {
		t.line(2, "--framework ID lists what is not met and why; assay frameworks show ID says what is asked for")
	}
}

// standingBar is a framework's standings in a line.
func (t *text) standingBar(m *assess.Summary, f assess.FrameworkInfo) {
	sum := m.Standings[f.ID]
	bar := fmt.Sprintf("%d of %d not met", sum.Standings[string(assess.NotMet)], sum.Requirements)
	if sum.Waived > 0 {
		bar += fmt.Sprintf(" (%d waived)", sum.Waived)
	}
	for _, state := range assess.States {
		if n := sum.Standings[string(state)]; n > 0 && state != assess.NotMet {
			bar += fmt.Sprintf(", %d %s", n, state)
		}
	}
	t.row(2, 4, bar, cell{text: oneLine(f.Title + " " + f.Version), style: bold})
}

// waivedColumn stands for a part of what is not met.
const waivedColumn assess.State = "waived"

// standingTable lists frameworks by id with a column for each standing that
// occurs, that of what is waived after those that are not met, and the last of
// them how many requirements there are. It says whether the table fits.
func (t *text) standingTable(m *assess.Summary, frameworks []assess.FrameworkInfo, occurs map[assess.State]bool) bool {
	ids := widest(frameworks, func(f assess.FrameworkInfo) string { return f.ID })
	names := []string{string(assess.NotMet)}
	columns := []assess.State{assess.NotMet}
	if slices.ContainsFunc(frameworks, func(f assess.FrameworkInfo) bool { return m.Standings[f.ID].Waived > 0 }) {
		columns, names = append(columns, waivedColumn), append(names, string(waivedColumn))
	}
	for _, state := range assess.States {
		if state != assess.NotMet && occurs[state] {
			columns = append(columns, state)
			names = append(names, strings.Replace(string(state), "not applicable", "n/a", 1))
		}
	}
	names = append(names, "of all")
	if 2+ids+len(gutter)*len(names)+len(strings.Join(names, "")) > t.width {
		return false
	}
	line := func(first string, cells func(i int) string) {
		padded := fmt.Sprintf("%-*s", ids, oneLine(first))
		for i, name := range names {
			padded += gutter + fmt.Sprintf("%*s", len(name), cells(i))
		}
		t.row(2, 2, "", cell{text: padded})
	}
	line("", func(i int) string { return names[i] })
	for _, f := range frameworks {
		sum := m.Standings[f.ID]
		line(f.ID, func(i int) string {
			if i == len(columns) {
				return fmt.Sprint(sum.Requirements)
			}
			if columns[i] == waivedColumn {
				return fmt.Sprint(sum.Waived)
			}
			return fmt.Sprint(sum.Standings[string(columns[i])])
		})
	}
	return true
}

func (t *text) writeNotMet(framework string, total int) {
	listed := t.notMet[framework]
	ids := widest(listed, func(s *assess.Standing) string { return s.Requirement })
	words := widest(listed, stateText)
	room := t.width - 4 - words - ids - 2*len(gutter)
	for _, s := range listed {
		said := oneLine(notMetText(s))
		if !t.opts.All {
			said = clip(said, max(room, narrowest))
		}
		t.row(4, 8, said,
			cell{text: stateText(s), width: words, style: red}, cell{text: oneLine(s.Requirement), width: ids})
	}
	if more := total - len(listed); more > 0 {
		t.line(4, fmt.Sprintf("and %d more not met; --all lists them", more))
	}
}

// notMetText is what a requirement asks for, how HIPAA binds to it, what is said to
// answer it in another way, and why it is not met.
func notMetText(s *assess.Standing) string {
	said := s.Title
	if s.Specification != "" {
		said += " (" + s.Specification + ")"
	}
	if s.Measures != "" {
		said += "; claimed: " + s.Measures
	}
	return said + "; " + s.Because
}

// stateText is a standing, apart where all that fails is waived.
func stateText(s *assess.Standing) string {
	said := oneLine(cmp.Or(s.Word, string(s.State)))
	if s.Waived {
		said += ", waived"
	}
	return said
}

func (t *text) writeSummary(m *assess.Summary) {
	scopes := "scopes" // accounts and regions
	if t.header.Basis == assess.Design {
		scopes = "files"
	}
	t.heading("Summary", "")
	row := func(name, format string, args ...any) {
		t.row(2, 4, fmt.Sprintf(format, args...), cell{text: name, width: len("not applicable")})
	}
	if risks := t.highest(); risks != "" {
		row("highest risk", "%s", risks)
	}
	row(scopes, "%d read, %d unreadable, %s", m.Scopes-m.Unreadable, m.Unreadable, count(m.Problems, "problem"))
	row("functions", "%d, of %s", m.Functions, count(m.Resources, "resource"))
	row("failed", "%s", failures(m))
	if len(m.Waivers) > 0 {
		row("waivers", "%s", byState(m.Waivers))
	}
	if m.Baseline != nil {
		row("baseline", "%s", baselineText(m.Baseline))
	}
	row("unknown", "%s%s", unknownShare(m), t.commonest())
	row("passed", "%d", m.Outcomes.Pass)
	row("not applicable", "%d", m.Outcomes.NotApplicable)
	if m.Errors > 0 {
		row("errors", "%s of a check failed", count(m.Errors, "evaluation"))
	}
	if m.Incomplete {
		row("incomplete", "something could not be read or evaluated; nothing is said of it")
	}
	if m.Scopes == 0 {
		row("nothing read", "so nothing is said of any requirement")
	}
	row("judged", "as of %s by %s; assay %s, catalogue %s", oneLine(t.header.AsOf),
		count(len(t.header.Checks), "check"), oneLine(t.header.Version), digest(t.header.Catalog))
	var dates []string
	for _, f := range t.header.Facts {
		dates = append(dates, oneLine(f.Table)+" "+oneLine(f.Date))
	}
	if len(dates) > 0 {
		row("facts of AWS", "%s", strings.Join(dates, ", "))
	}
}

// highest names the functions with the highest risk.
func (t *text) highest() string {
	slices.SortStableFunc(t.risks, func(a, b *assess.Function) int { return b.Risk - a.Risk })
	var names []string
	for _, f := range t.risks {
		names = append(names, fmt.Sprintf("%s %d", oneLine(f.Resource.Address), f.Risk))
	}
	if len(names) == 0 {
		return ""
	}
	return listed(names, maxNames) + " (of 100)"
}

// digest is the beginning of a digest, enough to tell two apart.
func digest(s string) string {
	s = oneLine(s)
	return s[:min(len(s), 12)]
}

// writeClosing is all that a quiet text says of a run as a whole.
func (t *text) writeClosing(m *assess.Summary) {
	t.blank()
	said := fmt.Sprintf("failed %s; unknown %s", failures(m), unknownShare(m))
	if len(m.Waivers) > 0 {
		said += "; waivers " + byState(m.Waivers)
	}
	if m.Baseline != nil {
		said += "; baseline " + baselineText(m.Baseline)
	}
	t.line(0, said)
}

func failures(m *assess.Summary) string {
	if m.Outcomes.Fail == 0 {
		return "0"
	}
	said := fmt.Sprintf("%d: %s", m.Outcomes.Fail, bySeverity(m.Failures))
	if m.Outcomes.Waived > 0 {
		said += fmt.Sprintf("; %d of them waived: %s", m.Outcomes.Waived, bySeverity(m.Waived))
	}
	return said
}

// commonest names the three commonest reasons for unknown outcomes.
func (t *text) commonest() string {
	var parts []string
	for _, g := range t.gaps.ordered() {
		if len(parts) == 3 {
			break
		}
		parts = append(parts, fmt.Sprintf("%s %d", oneLine(g.reason), g.count))
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}
