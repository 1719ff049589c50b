package assess

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"assay/internal/check"
	"assay/internal/estate"
)

// StreamVersion is the version of the message stream. Readers refuse a newer
// one; fields may be added without a new version.
const StreamVersion = 1

// Handler takes the messages of one run, in this order: one header; for every
// scope its coverage, one message for each of its functions, then for every
// resource its findings and one decided message; what came of every waiver; the
// standings; one summary. Within that, messages are ordered by scope, resource and
// check, so that the same input gives the same stream. A handler that returns an
// error ends the run.
type Handler interface {
	Header(*Header) error
	Coverage(*Coverage) error
	Function(*Function) error
	Finding(*Finding) error
	Decided(*Decided) error
	Waiver(*Waiver) error
	Standing(*Standing) error
	Summary(*Summary) error
}

// Header says what judged, by what, and as of when. No clock is in it.
type Header struct {
	Stream     int             `json:"stream"`
	Tool       string          `json:"tool"`
	Version    string          `json:"version"`
	Catalog    string          `json:"catalog"` // SHA-256 of the catalogue
	Tables     string          `json:"tables"`  // SHA-256 of the AWS facts
	Facts      []Fact          `json:"facts,omitempty"`
	AsOf       string          `json:"asOf"` // ISO date that verdicts are judged by
	Basis      Basis           `json:"basis"`
	Checks     []CheckInfo     `json:"checks"`
	Parameters []Parameter     `json:"parameters,omitempty"` // that the checks read
	Frameworks []FrameworkInfo `json:"frameworks"`
	// Regimes say why it is these frameworks, where assay.yaml does.
	Regimes *RegimesInfo `json:"regimes,omitempty"`
}

// Parameter is a value that an organisation or a regime decides.
type Parameter struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value,omitempty"` // absent: nobody states one
	By    []string        `json:"by"`              // who asks for it: "pci-dss-4.0.1 10.5.1", "profile acme", "default"
}

// Fact says what a table of AWS facts was made from, and of what day it is.
type Fact struct {
	Table   string `json:"table"`
	Package string `json:"package"`
	Version string `json:"version,omitempty"`
	Date    string `json:"date"` // ISO
}

// Basis is what a standing rests on.
type Basis string

// The bases.
const (
	Design   Basis = "design"   // templates
	Deployed Basis = "deployed" // the live account
	Operated Basis = "operated" // a period of operation
)

// CheckInfo is what every reader of a stream needs of a check.
type CheckInfo struct {
	ID           string              `json:"id"`
	Title        string              `json:"title"`
	Severity     check.Severity      `json:"severity"`
	Subject      string              `json:"subject"`
	Rationale    string              `json:"rationale"`
	Source       string              `json:"source"`
	Fix          check.Fix           `json:"fix"`
	Requirements map[string][]string `json:"requirements,omitempty"` // by framework
}

// FrameworkInfo names a framework that the run reports on.
type FrameworkInfo struct {
	ID           string `json:"id"`
	Title        string `json:"title"`
	Version      string `json:"version"`
	Requirements int    `json:"requirements"` // how many there are
}

// Source is a position; Line and Column count from 1 and are 0 when there is
// none.
type Source struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

func sourceOf(p estate.Position) Source { return Source(p) }

func (s Source) String() string { return estate.Position(s).String() }

// Problem is something that kept part of a scope from being read as written.
type Problem struct {
	Source  Source `json:"source"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Fatal   bool   `json:"fatal,omitempty"`
}

// Coverage says what was read of one scope and how far.
type Coverage struct {
	Scope     string            `json:"scope"`
	Format    string            `json:"format"`
	Resources int               `json:"resources"`
	Functions int               `json:"functions"`
	Partial   []estate.Coverage `json:"partial,omitempty"` // types that are not complete
	Problems  []Problem         `json:"problems,omitempty"`
}

// ResourceInfo identifies a resource to people and machines.
type ResourceInfo struct {
	Type      string `json:"type"`
	ID        string `json:"id"`
	LogicalID string `json:"logicalId"`
	Address   string `json:"address"`
}

// Function is what a run says of one function: its risk first. docs/risk.md
// explains the number.
type Function struct {
	Scope    string       `json:"scope"`
	Resource ResourceInfo `json:"resource"`
	// Risk is 0 for no failures, towards 100. AtMost is what it would be if
	// everything unknown failed.
	Risk   int `json:"risk"`
	AtMost int `json:"atMost"`
	// Contributors are the failures that weigh most, most first.
	Contributors []Contributor  `json:"contributors,omitempty"`
	Exposure     check.Exposure `json:"exposure"`
	Through      []string       `json:"through,omitempty"` // what lets callers in, "Url OrdersUrl"
	Missing      []Missing      `json:"missing,omitempty"` // what would settle an exposure that is unknown
	DataClass    string         `json:"dataClass,omitempty"`
	Owner        *Owned         `json:"owner,omitempty"`
	// Shifts are the ways in which it runs that give the customer duties of AWS.
	Shifts []FunctionShift `json:"shifts,omitempty"`
}

// Owned says whose a function or finding is.
type Owned struct {
	Names []string `json:"names"`
	By    string   `json:"by"` // "tag Owner", "CODEOWNERS:3"
}

// Cause is a place that several findings of one check come from.
type Cause struct {
	ID        string `json:"id"`   // of check, file and name, never of a position
	Kind      string `json:"kind"` // module, globals, loop or resource
	Name      string `json:"name"`
	Source    Source `json:"source"`
	Findings  int    `json:"findings"`  // how many share it
	Functions int    `json:"functions"` // how many they concern
}

// Contributor is a failure and what it adds to the risk of a function.
type Contributor struct {
	Finding  string         `json:"finding"` // id
	Check    string         `json:"check"`
	Severity check.Severity `json:"severity"`
	Resource string         `json:"resource"` // address
	Points   int            `json:"points"`   // its part of the number, by its weight
	Waived   bool           `json:"waived,omitempty"`
}

// Raised says why the severity of a finding is above that of its check.
type Raised struct {
	From    check.Severity `json:"from"`
	Because []string       `json:"because"`
}

// Witness is what proves a failure: what was read and, where the verdict holds
// for all values of an open input, under which it was shown first.
type Witness struct {
	Reads []WitnessRead `json:"reads,omitempty"`
	Under []Choice      `json:"under,omitempty"`
}

// WitnessRead is one property or relation that decided.
type WitnessRead struct {
	Resource string          `json:"resource,omitempty"` // logical id, when not the subject
	Property string          `json:"property"`
	Value    json.RawMessage `json:"value,omitempty"` // absent: the property is not there
	Default  bool            `json:"default,omitempty"`
	Source   *Source         `json:"source,omitempty"`
}

// Choice is an open input taken to have a value.
type Choice struct {
	Input string `json:"input"`
	Is    string `json:"is"`
}

// Missing is an input that would decide an unknown outcome.
type Missing struct {
	Reason   string  `json:"reason"`
	Input    string  `json:"input"`
	Property string  `json:"property,omitempty"`
	Source   *Source `json:"source,omitempty"`
}

// Finding is a failure, or an outcome that could not be decided.
type Finding struct {
	ID        string         `json:"id"` // of check, scope and logical id, never of a position
	Check     string         `json:"check"`
	Outcome   check.Outcome  `json:"outcome"`
	Severity  check.Severity `json:"severity"`
	Raised    *Raised        `json:"raised,omitempty"`
	Resource  ResourceInfo   `json:"resource"`
	Scope     string         `json:"scope"`
	Functions []string       `json:"functions"` // logical ids within the scope; whole ids of functions in other scopes of its group
	Owner     *Owned         `json:"owner,omitempty"`
	// Cause is set on failures of one check that one change would mend.
	Cause   *Cause    `json:"cause,omitempty"`
	Message string    `json:"message"`
	Witness *Witness  `json:"witness,omitempty"`
	Missing []Missing `json:"missing,omitempty"`
	// Waived is set on a failure that is accepted; it is a failure none the less.
	Waived *Waived `json:"waived,omitempty"`
	// Baseline is new or unchanged, in a run that has one.
	Baseline string `json:"baseline,omitempty"`
	// Facts is a digest of what a failure rests on, by which a waiver knows it.
	Facts string `json:"facts,omitempty"`
	Error string `json:"error,omitempty"` // the check itself failed to evaluate
	// Deadline is set on a failure that is about a date ahead.
	Deadline *Deadline `json:"deadline,omitempty"`
	// Parameters are those that had a say, with who asked for each.
	Parameters []Parameter `json:"parameters,omitempty"`
	Source     Source      `json:"source"`
	// Callers are where the modules or nested stacks are called that Source
	// stands in, outermost first.
	Callers []Source `json:"callers,omitempty"`
}

// Concerns reports whether the finding is about a function.
func (f *Finding) Concerns(function *Function) bool {
	return f.Scope == function.Scope && slices.Contains(f.Functions, function.Resource.LogicalID) || slices.Contains(f.Functions, function.Resource.ID)
}

// Deadline is a date by which something has to be done.
type Deadline struct {
	Date string `json:"date"` // ISO
	Days int    `json:"days"` // from the date judged by; below zero once it has passed
}

// Decided lists, for one resource, the checks that it passes or that do not
// apply, as indexes into the header's checks.
type Decided struct {
	Scope         string       `json:"scope"`
	Resource      ResourceInfo `json:"resource"`
	Pass          []int        `json:"pass,omitempty"`
	NotApplicable []int        `json:"notApplicable,omitempty"`
}

// Counts is how often each outcome occurred.
type Counts struct {
	Pass          int `json:"pass"`
	Fail          int `json:"fail"`
	Unknown       int `json:"unknown"`
	NotApplicable int `json:"notApplicable"`
	Waived        int `json:"waived,omitempty"` // of the failures
}

func (c *Counts) add(o check.Outcome) {
	switch o {
	case check.Pass:
		c.Pass++
	case check.Fail:
		c.Fail++
	case check.Unknown:
		c.Unknown++
	case check.NotApplicable:
		c.NotApplicable++
	}
}

// Summary closes the stream.
type Summary struct {
	Scopes     int            `json:"scopes"`
	Unreadable int            `json:"unreadable"` // scopes of which nothing could be read
	Problems   int            `json:"problems"`
	Resources  int            `json:"resources"`
	Functions  int            `json:"functions"`
	Outcomes   Counts         `json:"outcomes"`
	Failures   map[string]int `json:"failures"`         // by severity
	Waived     map[string]int `json:"waived,omitempty"` // of the failures, by severity
	// Failing is what fails the run, by severity: failures that are neither
	// waived nor in the baseline, and waivers that fail.
	Failing    map[string]int         `json:"failing,omitempty"`
	Waivers    map[string]int         `json:"waivers,omitempty"` // by state
	Baseline   *BaselineSum           `json:"baseline,omitempty"`
	Checks     map[string]Counts      `json:"checks"`  // by check
	Reasons    []Reason               `json:"reasons"` // why outcomes are unknown, commonest first
	Standings  map[string]StandingSum `json:"standings"`
	Errors     int                    `json:"errors"`     // checks that failed to evaluate
	Incomplete bool                   `json:"incomplete"` // something could not be read
	// Regimes are those that the estate indicates and assay.yaml does not have.
	Regimes []RegimeInfo `json:"regimes,omitempty"`
}

// Reason counts the unknown outcomes that one class of gap caused.
type Reason struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// StandingSum counts the requirements of one framework by standing.
type StandingSum struct {
	Requirements int            `json:"requirements"`
	Standings    map[string]int `json:"standings"`
	Waived       int            `json:"waived,omitempty"` // of those that are not met, all failures are waived
}

// message is one line of the stream: exactly one field is set.
type message struct {
	Header   *Header   `json:"header,omitempty"`
	Coverage *Coverage `json:"coverage,omitempty"`
	Function *Function `json:"function,omitempty"`
	Finding  *Finding  `json:"finding,omitempty"`
	Decided  *Decided  `json:"decided,omitempty"`
	Waiver   *Waiver   `json:"waiver,omitempty"`
	Standing *Standing `json:"standing,omitempty"`
	Summary  *Summary  `json:"summary,omitempty"`
}

// Encode writes one message as a line of the stream. Exactly one of the
// message types is accepted.
func Encode(w io.Writer, x any) error {
	var m message
	switch x := x.(type) {
	case *Header:
		m.Header = x
	case *Coverage:
		m.Coverage = x
	case *Function:
		m.Function = x
	case *Finding:
		m.Finding = x
	case *Decided:
		m.Decided = x
	case *Waiver:
		m.Waiver = x
	case *Standing:
		m.Standing = x
	case *Summary:
		m.Summary = x
	default:
		return fmt.Errorf("%T is not a message of the stream", x)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(m)
}

// maxMessage bounds one line of a stream, in bytes.
const maxMessage = 64 << 20

// Replay reads a saved stream and hands its messages to h. name is used in
// errors. A stream that ends without a summary is an error: the run that wrote
// it did not finish.
func Replay(name string, r io.Reader, h Handler) error {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 1<<16), maxMessage)
	line, started, finished := 0, false, false
	for scan.Scan() {
		line++
		if len(bytes.TrimSpace(scan.Bytes())) == 0 {
			continue
		}
		var m message
		if err := json.Unmarshal(scan.Bytes(), &m); err != nil {
			return fmt.Errorf("%s:%d: not a message of an assay stream: %w", name, line, err)
		}
		switch {
		case !started && m.Header == nil:
			return fmt.Errorf("%s:%d: expected a header; is this a stream written with --format json?", name, line)
		case started && m.Header != nil:
			return fmt.Errorf("%s:%d: a second header; the file holds more than one stream", name, line)
		case finished:
			return fmt.Errorf("%s:%d: a message after the summary, which ends a stream", name, line)
		}
		started = true
		if err := m.dispatch(h); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		finished = m.Summary != nil
	}
	switch {
	case scan.Err() != nil:
		return fmt.Errorf("%s:%d: %w", name, line+1, scan.Err())
	case !started:
		return fmt.Errorf("%s: empty; expected a stream written with --format json", name)
	case !finished:
		return fmt.Errorf("%s:%d: the stream ends without a summary; the run that wrote it did not finish", name, line)
	}
	return nil
}

func (m *message) dispatch(h Handler) error {
	switch {
	case m.Header != nil:
		if m.Header.Stream > StreamVersion {
			return fmt.Errorf("stream version %d is newer than this program reads (%d); use a newer assay", m.Header.Stream, StreamVersion)
		}
		return h.Header(m.Header)
	case m.Coverage != nil:
		return h.Coverage(m.Coverage)
	case m.Function != nil:
		return h.Function(m.Function)
	case m.Finding != nil:
		return h.Finding(m.Finding)
	case m.Decided != nil:
		return h.Decided(m.Decided)
	case m.Waiver != nil:
		return h.Waiver(m.Waiver)
	case m.Standing != nil:
		return h.Standing(m.Standing)
	case m.Summary != nil:
		return h.Summary(m.Summary)
	}
	return errors.New("a message of a kind that this program does not know; use a newer assay")
}

// Tee hands every message to all handlers in turn.
func Tee(handlers ...Handler) Handler { return tee(handlers) }

type tee []Handler

func each[T any](t tee, m T, f func(Handler, T) error) error {
	for _, h := range t {
		if err := f(h, m); err != nil {
			return err
		}
	}
	return nil
}

func (t tee) Header(m *Header) error     { return each(t, m, Handler.Header) }
func (t tee) Coverage(m *Coverage) error { return each(t, m, Handler.Coverage) }
func (t tee) Function(m *Function) error { return each(t, m, Handler.Function) }
func (t tee) Finding(m *Finding) error   { return each(t, m, Handler.Finding) }
func (t tee) Decided(m *Decided) error   { return each(t, m, Handler.Decided) }
func (t tee) Waiver(m *Waiver) error     { return each(t, m, Handler.Waiver) }
func (t tee) Standing(m *Standing) error { return each(t, m, Handler.Standing) }
func (t tee) Summary(m *Summary) error   { return each(t, m, Handler.Summary) }

// Nothing is a handler that does nothing, for those to embed that look at some
// messages alone.
type Nothing struct{}

// Header and the others implement [Handler].
func (Nothing) Header(*Header) error     { return nil }
func (Nothing) Coverage(*Coverage) error { return nil }
func (Nothing) Function(*Function) error { return nil }
func (Nothing) Finding(*Finding) error   { return nil }
func (Nothing) Decided(*Decided) error   { return nil }
func (Nothing) Waiver(*Waiver) error     { return nil }
func (Nothing) Standing(*Standing) error { return nil }
func (Nothing) Summary(*Summary) error   { return nil }
