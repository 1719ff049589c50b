package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"assay/internal/assess"
	"assay/internal/check"
)

// sarif writes SARIF 2.1.0 (OASIS, with errata 01) for code hosts and editors,
// within what GitHub's code scanning takes and shows.
//
// Only failures are results, those of waivers among them. SARIF has kind "open" for what could not be
// decided, but GitHub does not read kind and would raise an alert for each;
// so unknown outcomes are notifications of the invocation, a note for each
// input that would decide some, and are counted in the run's properties.
//
// GitHub identifies an alert by rule, path and primaryLocationLineHash. Its
// upload action fills that in with a hash of the line's text, under which all
// failures of one check in a file of one line (a Terraform plan, a minified
// template) would be one alert. The hash here is the finding's id instead,
// which also survives edits. The action then remarks that it computes another.
//
// The columns of a source count bytes; SARIF has no such unit, so they are off
// by the difference where characters beyond ASCII stand before them on a line.
type sarif struct {
	out           *bufio.Writer
	header        assess.Header
	index         map[string]int                       // of a rule, by check
	fails         map[check.Severity][]*assess.Finding // at most maxResults of each
	failures      int
	gaps          gaps
	waivers       []*assess.Waiver // that fail
	notifications []sarifNotification
}

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

	// maxResults is how many results of a run GitHub keeps. It refuses a run
	// with more than 25,000.
	maxResults = 5000
	// maxTags is how many tags of a rule GitHub shows. It refuses a rule with
	// more than 20.
	maxTags = 10
	// maxDescription is the length of a description that GitHub takes.
	maxDescription = 1024
	// maxRelated is how many related locations a result has; GitHub shows 100.
	maxRelated = 20
	// maxNotes bounds the notifications about unknown outcomes.
	maxNotes = 100
)

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool         `json:"tool"`
		Invocations       []sarifInvocation `json:"invocations"`
		AutomationDetails sarifID           `json:"automationDetails"`
		ColumnKind        string            `json:"columnKind"`
		Results           []sarifResult     `json:"results"`
		Properties        sarifRunBag       `json:"properties"`
	}
	sarifID struct {
		ID string `json:"id"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name          string            `json:"name"`
		Version       string            `json:"version,omitempty"`
		Rules         []sarifRule       `json:"rules"`
		Notifications []sarifDescriptor `json:"notifications"`
	}
	sarifDescriptor struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifRule struct {
		ID                   string       `json:"id"`
		Name                 string       `json:"name"`
		ShortDescription     sarifText    `json:"shortDescription"`
		FullDescription      sarifText    `json:"fullDescription"`
		HelpURI              string       `json:"helpUri,omitempty"`
		Help                 sarifText    `json:"help"`
		DefaultConfiguration sarifConfig  `json:"defaultConfiguration"`
		Properties           sarifRuleBag `json:"properties"`
	}
	sarifConfig struct {
		Level string  `json:"level"`
		Rank  float64 `json:"rank"`
	}
	sarifRuleBag struct {
		Tags             []string            `json:"tags"`
		Precision        string              `json:"precision"`
		SecuritySeverity string              `json:"security-severity,omitempty"`
		Subject          string              `json:"subject"`
		Requirements     map[string][]string `json:"requirements,omitempty"` // by framework, all of them
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifInvocation struct {
		ExecutionSuccessful        bool                `json:"executionSuccessful"`
		ToolExecutionNotifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Descriptor     sarifID         `json:"descriptor"`
		Level          string          `json:"level"`
		Message        sarifText       `json:"message"`
		Locations      []sarifLocation `json:"locations,omitempty"`
		AssociatedRule *sarifID        `json:"associatedRule,omitempty"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           *int              `json:"ruleIndex,omitempty"`
		Kind                string            `json:"kind"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		RelatedLocations    []sarifLocation   `json:"relatedLocations,omitempty"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
		// Suppressions are all or none of a run: an empty list says that a result is
		// not suppressed, where others are.
		Suppressions *[]sarifSuppression `json:"suppressions,omitempty"`
		Rank         float64             `json:"rank"`
		Properties   sarifResultBag      `json:"properties"`
	}
	sarifSuppression struct {
		Kind          string         `json:"kind"`
		Status        string         `json:"status"`
		Justification string         `json:"justification"`
		Location      *sarifLocation `json:"location,omitempty"`
		Properties    sarifWaivedBag `json:"properties"`
	}
	sarifWaivedBag struct {
		Owner      string `json:"owner"`
		Approver   string `json:"approver"`
		Expires    string `json:"expires"`
		Ticket     string `json:"ticket,omitempty"`
		Measure    string `json:"measure,omitempty"`
		Customised string `json:"customised,omitempty"`
	}
	sarifResultBag struct {
		Severity  check.Severity `json:"severity"`
		Functions []string       `json:"functions,omitempty"`
		Owners    []string       `json:"owners,omitempty"`
		Baseline  string         `json:"baseline,omitempty"` // new or unchanged
		Cause     string         `json:"cause,omitempty"`    // id that results of one cause share
	}
	sarifLocation struct {
		ID       int            `json:"id,omitempty"`
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI         string     `json:"uri"`
		Description *sarifText `json:"description,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine"` // GitHub wants it; the column it ends at is not known
	}
	sarifLogical struct {
		Name               string `json:"name"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifRunBag struct {
		AsOf      string                        `json:"asOf"`
		Basis     assess.Basis                  `json:"basis"`
		Scope     string                        `json:"scope"`
		Catalog   string                        `json:"catalog"`
		Tables    string                        `json:"tables"`
		Facts     []assess.Fact                 `json:"facts,omitempty"`
		Outcomes  assess.Counts                 `json:"outcomes"`
		Waivers   map[string]int                `json:"waivers,omitempty"` // by state
		Baseline  *assess.BaselineSum           `json:"baseline,omitempty"`
		Standings map[string]assess.StandingSum `json:"standings,omitempty"` // by framework
		Regimes   *assess.RegimesInfo           `json:"regimes,omitempty"`   // why it is these frameworks
		Indicated []assess.RegimeInfo           `json:"indicated,omitempty"` // regimes that the estate indicates beside
	}
)

// Descriptors of notifications.
const (
	noteUnreadable = "unreadable"
	noteProblem    = "problem"
	noteError      = "check-error"
	noteUnknown    = "unknown"
	noteLeftOut    = "results-left-out"
)

var sarifNotifications = []sarifDescriptor{
	{noteUnreadable, sarifText{Text: "A file or scope could not be read."}},
	{noteProblem, sarifText{Text: "Part of a file or scope could not be read as written."}},
	{noteError, sarifText{Text: "A check failed to evaluate."}},
	{noteUnknown, sarifText{Text: "Outcomes could not be decided for want of an input."}},
	{noteLeftOut, sarifText{Text: "There are more failures than a code host keeps."}},
}

func newSARIF(w io.Writer, _ Options) assess.Handler {
	return &sarif{
		out:           bufio.NewWriterSize(w, 1<<16),
		index:         map[string]int{},
		fails:         map[check.Severity][]*assess.Finding{},
		notifications: []sarifNotification{},
	}
}

func (s *sarif) Header(m *assess.Header) error {
	s.header = *m
	for i, c := range m.Checks {
		s.index[c.ID] = i
	}
	return nil
}

func (s *sarif) Coverage(m *assess.Coverage) error {
	for _, p := range problemsOf(m) {
		text := p.Message
		if p.Hint != "" {
			text += " (" + p.Hint + ")"
		}
		n := note(noteProblem, "warning", text)
		if p.Fatal {
			n = note(noteUnreadable, "error", text)
		}
		if at, ok := physical(p.Source); ok {
			n.Locations = []sarifLocation{{Physical: at}}
		}
		s.notifications = append(s.notifications, n)
	}
	return nil
}

func note(id, level, text string) sarifNotification {
	return sarifNotification{Descriptor: sarifID{id}, Level: level, Message: sarifText{Text: harmless(text)}}
}

func (s *sarif) Finding(m *assess.Finding) error {
	switch {
	case m.Error != "":
		n := note(noteError, "error", m.Message+": "+m.Error)
		n.Locations = []sarifLocation{s.location(m)}
		n.AssociatedRule = &sarifID{m.Check}
		s.notifications = append(s.notifications, n)
	case m.Outcome == check.Fail:
		s.failures++
		if len(s.fails[m.Severity]) < maxResults {
			s.fails[m.Severity] = append(s.fails[m.Severity], m)
		}
	default:
		s.gaps.add(m)
	}
	return nil
}

// result is a failure. What was read elsewhere than where the result stands
// becomes a related location, linked from the message.
func (s *sarif) result(m *assess.Finding) sarifResult {
	r := sarifResult{
		RuleID:    m.Check,
		Kind:      "fail",
		Level:     level(m.Severity),
		Locations: []sarifLocation{s.location(m)},
		Rank:      10 * score(m.Severity),
		PartialFingerprints: map[string]string{
			"assayFindingId/v1":       m.ID,
			"primaryLocationLineHash": m.ID + ":1",
		},
		Properties: sarifResultBag{Severity: m.Severity, Functions: m.Functions, Baseline: m.Baseline},
	}
	if i, ok := s.index[m.Check]; ok {
		r.RuleIndex = &i
	}
	text := []string{strings.TrimSuffix(harmless(m.Message), ".") + "."}
	for _, caller := range m.Callers {
		if at, ok := physical(caller); ok && len(r.RelatedLocations) < maxRelated {
			r.RelatedLocations = append(r.RelatedLocations, sarifLocation{ID: len(r.RelatedLocations) + 1, Physical: at, Message: &sarifText{Text: "called from here"}})
		}
	}
	if m.Witness != nil {
		for i := range m.Witness.Reads {
			read := &m.Witness.Reads[i]
			said := harmless(readText(read, longValue))
			if at, ok := related(read, m.Source); ok && len(r.RelatedLocations) < maxRelated {
				at.ID = len(r.RelatedLocations) + 1
				at.Message = &sarifText{Text: said}
				r.RelatedLocations = append(r.RelatedLocations, at)
				said += fmt.Sprintf(" ([line %d](%d))", read.Source.Line, at.ID)
			}
			text = append(text, said+".")
		}
		for _, c := range m.Witness.Under {
			text = append(text, harmless(underText(c))+".")
		}
	}
	if m.Owner != nil {
		r.Properties.Owners = m.Owner.Names
	}
	if m.Cause != nil {
		r.Properties.Cause = m.Cause.ID
		text = append(text, harmless(causeText(m.Cause))+".")
	}
	if m.Raised != nil {
		text = append(text, harmless(raisedText(m.Raised))+".")
	}
	for i := range m.Parameters {
		text = append(text, harmless(askedText(&m.Parameters[i]))+".")
	}
	if m.Waived != nil {
		r.Suppressions = &[]sarifSuppression{suppression(m.Waived)}
		text = append(text, harmless(waivedText(m.Waived))+".")
	}
	r.Message.Text = strings.Join(text, " ")
	return r
}

// suppression is a failure's waiver. A code host that knows suppressions hides
// the result; the text and the counts have it still.
func suppression(w *assess.Waived) sarifSuppression {
	s := sarifSuppression{
		Kind: "external", Status: "accepted", Justification: harmless(w.Reason),
		Properties: sarifWaivedBag{w.Owner, w.Approver, w.Expires, w.Ticket, w.Measure, w.Customised},
	}
	if at, ok := physical(w.By); ok {
		s.Location = &sarifLocation{Physical: at}
	}
	return s
}

// waiverRule is the rule of waivers that fail.
const waiverRule = "WAIVER"

// waiverResult is a waiver that expired, lapsed or was not approved.
func (s *sarif) waiverResult(m *assess.Waiver) sarifResult {
	index := len(s.header.Checks)
	at, _ := physical(m.Source)
	text := []string{harmless(m.Message) + ".", harmless(termsText(m)), "Not covered: " + harmless(strings.Join(m.Leaves, ", ")) + "."}
	return sarifResult{
		RuleID: waiverRule, RuleIndex: &index, Kind: "fail", Level: level(*m.Severity), Rank: 10 * score(*m.Severity),
		Message:             sarifText{Text: strings.Join(slices.DeleteFunc(text, func(s string) bool { return s == "" }), " ")},
		Locations:           []sarifLocation{{Physical: at}},
		PartialFingerprints: map[string]string{"assayWaiverId/v1": m.ID, "primaryLocationLineHash": m.ID + ":1"},
		Properties:          sarifResultBag{Severity: *m.Severity},
	}
}

func related(read *assess.WitnessRead, primary assess.Source) (sarifLocation, bool) {
	if read.Source == nil || read.Source.Line == 0 || *read.Source == primary {
		return sarifLocation{}, false
	}
	at, ok := physical(*read.Source)
	return sarifLocation{Physical: at}, ok
}

func (s *sarif) location(m *assess.Finding) sarifLocation {
	at, _ := physical(m.Source)
	return sarifLocation{Physical: at, Logical: []sarifLogical{{m.Resource.Address, m.Resource.ID, "resource"}}}
}

var drive = regexp.MustCompile(`^[A-Za-z]:/`)

// physical is a position in a file; false when there is none. A relative path
// stays relative: code hosts read it from the root of the repository.
func physical(source assess.Source) (*sarifPhysical, bool) {
	if source.File == "" {
		return nil, false
	}
	path := strings.ReplaceAll(source.File, `\`, "/")
	uri := url.URL{Path: path}
	switch {
	case drive.MatchString(path):
		uri = url.URL{Scheme: "file", Path: "/" + path}
	case strings.HasPrefix(path, "/"):
		uri.Scheme = "file"
	}
	at := &sarifPhysical{Artifact: sarifArtifact{URI: uri.String()}}
	if path == "-" {
		at.Artifact.Description = &sarifText{Text: "standard input"}
	}
	if source.Line > 0 {
		at.Region = &sarifRegion{StartLine: source.Line, StartColumn: max(source.Column, 0), EndLine: source.Line}
	}
	return at, true
}

func (s *sarif) Function(*assess.Function) error { return nil }
func (s *sarif) Decided(*assess.Decided) error   { return nil }
func (s *sarif) Waiver(m *assess.Waiver) error {
	if m.Fails() {
		s.waivers = append(s.waivers, m)
	}
	return nil
}
func (s *sarif) Standing(*assess.Standing) error { return nil }

func (s *sarif) Summary(m *assess.Summary) error {
	results := []sarifResult{}
	for _, w := range s.waivers[:min(len(s.waivers), maxResults)] {
		results = append(results, s.waiverResult(w))
	}
	for _, severity := range severities {
		for _, f := range s.fails[severity] {
			if len(results) < maxResults {
				results = append(results, s.result(f))
			}
		}
	}
	if m.Outcomes.Waived > 0 {
		for i := range results {
			if results[i].Suppressions == nil {
				results[i].Suppressions = &[]sarifSuppression{}
			}
		}
	}
	s.noteUnknown()
	if more := s.failures + len(s.waivers) - len(results); more > 0 {
		s.notifications = append(s.notifications, note(noteLeftOut, "warning", fmt.Sprintf(
			"%d of %d failures are left out, the least severe, because GitHub keeps %d; --format json has them all",
			more, s.failures+len(s.waivers), maxResults)))
	}
	log := sarifLog{sarifSchema, "2.1.0", []sarifRun{{
		Tool: sarifTool{sarifDriver{s.header.Tool, s.header.Version, s.rules(), sarifNotifications}},
		Invocations: []sarifInvocation{{
			ExecutionSuccessful:        !m.Incomplete,
			ToolExecutionNotifications: s.notifications,
		}},
		// The part up to the last slash is the category by which GitHub keeps
		// runs of one tool apart.
		AutomationDetails: sarifID{s.header.Tool + "/" + string(s.header.Basis) + "/"},
		ColumnKind:        "unicodeCodePoints",
		Results:           results,
		Properties: sarifRunBag{
			s.header.AsOf, s.header.Basis, assess.StandingScope, s.header.Catalog, s.header.Tables, s.header.Facts, m.Outcomes, m.Waivers, m.Baseline, m.Standings, s.header.Regimes, m.Regimes,
		},
	}}}
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(log); err != nil {
		return err
	}
	return s.out.Flush()
}

// noteUnknown says what would decide the unknown outcomes.
func (s *sarif) noteUnknown() {
	left := 0
	for i, g := range s.gaps.ordered() {
		if i >= maxNotes {
			left += g.count
			continue
		}
		text := fmt.Sprintf("%s unknown: %s", count(g.count, "outcome"), g.reason)
		if wanted := g.wanted(); len(wanted) > 0 {
			text += ": " + listed(wanted, maxRelated)
		}
		s.notifications = append(s.notifications, note(noteUnknown, "note", text))
	}
	if left > 0 {
		s.notifications = append(s.notifications, note(noteUnknown, "note", count(left, "more outcome")+" unknown for other reasons"))
	}
}

func (s *sarif) rules() []sarifRule {
	rules := make([]sarifRule, len(s.header.Checks))
	for i := range s.header.Checks {
		rules[i] = rule(&s.header.Checks[i])
	}
	if len(s.waivers) > 0 {
		rules = append(rules, rule(&assess.CheckInfo{
			ID: waiverRule, Title: "A waiver holds: it is approved, not past its date, and its facts are those that it was given for", Severity: check.Medium,
			Subject: "a waiver", Rationale: "A failure that was accepted for a time and for certain facts is not accepted beyond them.",
			Fix: check.Fix{Text: "Mend the failure, or have it accepted again with assay waive"},
		}))
	}
	return rules
}

func rule(c *assess.CheckInfo) sarifRule {
	why := strings.Join(strings.Fields(c.Rationale), " ")
	if why == "" {
		why = c.Title
	}
	help := []string{why}
	markdown := []string{why}
	if fix := fixText(c.Fix); fix != "" {
		help = append(help, "To fix: "+fix+".")
		markdown = append(markdown, "**To fix:** "+fix+".")
	}
	if snippet := template(c.Subject, "", c.Fix.Set, c.Fix.Value); snippet != "" {
		markdown = append(markdown, "```yaml\n"+snippet+"```")
	}
	if c.Source != "" {
		help = append(help, "Source: "+c.Source)
		markdown = append(markdown, "Source: <"+c.Source+">")
	}
	bag := sarifRuleBag{Tags: tags(c), Precision: "high", Subject: c.Subject, Requirements: c.Requirements}
	if n := score(c.Severity); n >= 1 {
		bag.SecuritySeverity = strconv.FormatFloat(n, 'f', 1, 64)
	}
	return sarifRule{
		ID:                   c.ID,
		Name:                 pascal(c.ID),
		ShortDescription:     sarifText{Text: cut(c.Title, maxDescription)},
		FullDescription:      sarifText{Text: cut(why, maxDescription)},
		HelpURI:              c.Source,
		Help:                 sarifText{Text: strings.Join(help, "\n\n"), Markdown: strings.Join(markdown, "\n\n")},
		DefaultConfiguration: sarifConfig{level(c.Severity), 10 * score(c.Severity)},
		Properties:           bag,
	}
}

// tags are what a code host filters by: what kind of rule it is, and the
// requirements that it bears on, taken from the frameworks in turn so that each
// has some.
func tags(c *assess.CheckInfo) []string {
	all := []string{"security", "compliance"}
	frameworks := slices.Sorted(maps.Keys(c.Requirements))
	for i := 0; ; i++ {
		before := len(all)
		for _, f := range frameworks {
			if i < len(c.Requirements[f]) {
				all = append(all, f+":"+c.Requirements[f][i])
			}
		}
		if len(all) == before || len(all) >= maxTags {
			return all[:min(len(all), maxTags)]
		}
	}
}

// level is what a severity is in SARIF.
func level(s check.Severity) string {
	switch s {
	case check.Critical, check.High:
		return "error"
	case check.Medium:
		return "warning"
	case check.Low, check.Info:
	}
	return "note"
}

// score places a severity on the scale of CVSS, in the middle of the band that
// GitHub gives the same name. Less than 1 is none.
func score(s check.Severity) float64 {
	switch s {
	case check.Critical:
		return 9.5
	case check.High:
		return 8
	case check.Medium:
		return 5.5
	case check.Low:
		return 2
	case check.Info:
	}
	return 0.5
}

// harmless is a text without control characters and without the form of a
// link, [text](target), which readers of SARIF make clickable.
func harmless(s string) string { return strings.ReplaceAll(oneLine(s), "](", "] (") }

// pascal is an id in the form that SARIF gives names: LAMBDA-CODE-SIGNING is
// LambdaCodeSigning.
func pascal(id string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(id, "-") {
		if word != "" {
			b.WriteString(word[:1] + strings.ToLower(word[1:]))
		}
	}
	return b.String()
}
