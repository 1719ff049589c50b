package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"assay/internal/check"
)

// Responsibility says whose duty a requirement is for Lambda workloads.
type Responsibility string

// The responsibilities.
const (
	AWS      Responsibility = "aws"      // AWS's own report answers
	Shared   Responsibility = "shared"   // AWS runs the service, the customer configures the rest
	Customer Responsibility = "customer" // the customer alone
)

// Assessment says what kind of evidence a requirement takes.
type Assessment string

// The kinds of assessment.
const (
	Technical Assessment = "technical" // configuration decides
	Mixed     Assessment = "mixed"     // configuration and a person
	Manual    Assessment = "manual"    // a person answers
	Inherited Assessment = "inherited" // a provider's report answers
)

// Objective is something that has to be established for requirements.
type Objective struct {
	ID        string   `yaml:"id" json:"id"`
	Aspects   []string `yaml:"aspects" json:"aspects,omitempty"`
	Statement string   `yaml:"statement" json:"statement"`
	Source    string   `yaml:"source" json:"source,omitempty"`
}

// Requirement is one item of a framework. Titles are in our own words.
type Requirement struct {
	ID             string         `yaml:"id" json:"id"`
	Title          string         `yaml:"title" json:"title"`
	Responsibility Responsibility `yaml:"responsibility" json:"responsibility"`
	Assessment     Assessment     `yaml:"assessment" json:"assessment"`
	Objectives     []string       `yaml:"objectives" json:"objectives,omitempty"`
	Procedures     []string       `yaml:"procedures" json:"procedures,omitempty"` // what a person does, by id
	Reports        []string       `yaml:"reports" json:"reports,omitempty"`       // where AWS answers for its part, by id
	Profiles       []string       `yaml:"profiles" json:"profiles,omitempty"`     // baselines and classes it is in
	OutOfScope     string         `yaml:"out-of-scope" json:"outOfScope,omitempty"`
	// Specification is HIPAA's word for how binding it is.
	Specification string `yaml:"specification" json:"specification,omitempty"`
	// Spine says how it lies to requirements of [Spine], by their ids.
	Spine map[string]Relation `yaml:"spine" json:"spine,omitempty"`
}

// specifications are HIPAA's: a standard, and the ways in which what
// implements it binds.
var specifications = []string{"", "standard", "required", Addressable}

// Addressable is a specification that is done, or answered by an alternative that
// is documented.
const Addressable = "addressable"

// StandingWords are the standings that a framework may have words of its own
// for.
var StandingWords = []string{"not met", "undetermined", "attest", "inherited", "met", "not applicable", "not tested"}

// Framework is a regime's catalogue.
type Framework struct {
	ID      string `yaml:"id" json:"id"`
	Title   string `yaml:"title" json:"title"`
	Version string `yaml:"version" json:"version"`
	Source  string `yaml:"source" json:"source"`
	Note    string `yaml:"note" json:"note,omitempty"` // what a reader of its figures has to know
	// Words are the regime's own for standings, by ours.
	Words        map[string]string `yaml:"words" json:"words,omitempty"`
	Requirements []Requirement     `yaml:"requirements" json:"requirements,omitempty"`
	// Reports is where AWS answers for its part of a requirement that is shared
	// and names no report of its own, by id.
	Reports []string `yaml:"reports" json:"reports,omitempty"`
	// Waivers is WaiversNever for a regime that knows no accepted risk. Measures are
	// its words for a requirement that other measures answer, and Customised for one
	// that is met in a way of the organisation's own; "" where it knows no such thing.
	Waivers    string `yaml:"waivers" json:"waivers,omitempty"`
	Measures   string `yaml:"measures" json:"measures,omitempty"`
	Customised string `yaml:"customised" json:"customised,omitempty"`

	// Controls is ControlsOwn for a regime that is answered by the organisation's own
	// controls: where none is named for a requirement, that is said.
	Controls string `yaml:"controls" json:"controls,omitempty"`

	once        sync.Once
	byObjective map[string][]int // positions of the requirements that name it
}

// What a framework says of waivers; "" is counted.
const (
	WaiversCounted = "counted" // a requirement whose failures are all waived is counted apart
	WaiversNever   = "never"   // nothing accepts a failure
)

// naming lists the positions of the requirements that name an objective.
func (f *Framework) naming(objective string) []int {
	f.once.Do(func() {
		f.byObjective = map[string][]int{}
		for i, r := range f.Requirements {
			for _, o := range r.Objectives {
				f.byObjective[o] = append(f.byObjective[o], i)
			}
		}
	})
	return f.byObjective[objective]
}

// Profiles lists the baselines and classes that requirements of the framework
// name, in order.
func (f *Framework) Profiles() []string {
	var all []string
	for _, r := range f.Requirements {
		all = append(all, r.Profiles...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// head is the framework without its requirements.
func (f *Framework) head() *Framework {
	return &Framework{ID: f.ID, Title: f.Title, Version: f.Version, Source: f.Source, Note: f.Note, Words: f.Words, Reports: f.Reports, Waivers: f.Waivers, Measures: f.Measures, Customised: f.Customised, Controls: f.Controls}
}

// Narrow is the framework with only the requirements of one profile.
func (f *Framework) Narrow(profile string) (*Framework, error) {
	if !slices.Contains(f.Profiles(), profile) {
		if len(f.Profiles()) == 0 {
			return nil, fmt.Errorf("framework %s has no profiles", f.ID)
		}
		return nil, fmt.Errorf("framework %s has no profile %q%s; it has %s", f.ID, profile, check.Similar(profile, f.Profiles()), strings.Join(f.Profiles(), ", "))
	}
	narrow := f.head()
	narrow.ID, narrow.Title = f.ID+"/"+profile, f.Title+", "+profile
	if f.Note != "" { // its figures are those of the whole
		narrow.Note = "of " + f.ID + " as a whole: " + f.Note
	}
	for _, r := range f.Requirements {
		if slices.Contains(r.Profiles, profile) {
			narrow.Requirements = append(narrow.Requirements, r)
		}
	}
	return narrow, nil
}

// Requirement finds a requirement by its id.
func (f *Framework) Requirement(id string) (*Requirement, error) {
	var known []string
	for i := range f.Requirements {
		if f.Requirements[i].ID == id {
			return &f.Requirements[i], nil
		}
		known = append(known, f.Requirements[i].ID)
	}
	return nil, fmt.Errorf("framework %s has no requirement %s%s", f.ID, id, check.Similar(id, known))
}

// ReportsOf lists where AWS answers for its part of a requirement, by id. The
// part that is the customer's alone has none.
func (f *Framework) ReportsOf(r *Requirement) []string {
	if len(r.Reports) == 0 && r.OutOfScope == "" && r.Responsibility == Shared {
		return f.Reports
	}
	return r.Reports
}

// lint lists what is wrong with a framework as such.
func (f *Framework) lint(name string, c *Catalog) []error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	if f.ID == "" || f.Title == "" || f.Version == "" || f.Source == "" {
		fault("expected id, title, version and source")
	}
	if want := f.ID + ".yaml"; f.ID != "" && !strings.HasSuffix("/"+name, "/"+want) {
		fault("framework %s: expected the file to be called %s", f.ID, want)
	}
	if !slices.Contains([]string{"", WaiversCounted, WaiversNever}, f.Waivers) {
		fault("waivers: expected counted or never")
	}
	if !slices.Contains([]string{"", ControlsOwn}, f.Controls) {
		fault("controls: expected own, or nothing")
	}
	for _, word := range slices.Sorted(maps.Keys(f.Words)) {
		if !slices.Contains(StandingWords, word) {
			fault("words: %q is no standing%s; expected one of %s", word, check.Similar(word, StandingWords), strings.Join(StandingWords, ", "))
		}
	}
	unknown(fault, "report", f.Reports, c.Reports)
	seen := map[string]bool{}
	for i := range f.Requirements {
		r := &f.Requirements[i]
		if r.ID == "" || r.Title == "" {
			fault("requirement %q: expected id and title", r.ID)
		}
		if seen[r.ID] {
			fault("requirement %s: stands twice", r.ID)
		}
		seen[r.ID] = true
		for _, message := range r.lint(c) {
			fault("requirement %s: %s", r.ID, message)
		}
	}
	return errs
}

// lint lists what is wrong with a requirement: who answers for it, and what
// for, has to be said whole.
func (r *Requirement) lint(c *Catalog) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if !slices.Contains(specifications, r.Specification) {
		fault("specification: expected standard, required or addressable")
	}
	unknown(fault, "objective", r.Objectives, c.Objectives)
	unknown(fault, "procedure", r.Procedures, c.Procedures)
	unknown(fault, "report", r.Reports, c.Reports)
	for _, id := range slices.Sorted(maps.Keys(r.Spine)) {
		if !slices.Contains(written, r.Spine[id]) {
			fault("spine: %s: expected equal, subset, superset or intersects", id)
		}
	}
	if r.OutOfScope != "" {
		if len(r.Objectives)+len(r.Procedures)+len(r.Reports) > 0 {
			fault("what is out of scope has no objectives, procedures or reports")
		}
		return faults
	}
	if !slices.Contains([]Responsibility{AWS, Shared, Customer}, r.Responsibility) {
		fault("responsibility: expected aws, shared or customer")
	}
	byHand := r.Assessment == Manual || r.Assessment == Mixed
	switch {
	case !slices.Contains([]Assessment{Technical, Mixed, Manual, Inherited}, r.Assessment):
		fault("assessment: expected technical, mixed, manual or inherited")
	case len(r.Objectives)+len(r.Procedures)+len(r.Reports) == 0:
		fault("expected objectives, procedures or reports, or out-of-scope with the reason")
	case (r.Assessment == Technical || r.Assessment == Mixed) && len(r.Objectives) == 0:
		fault("%s: expected objectives", r.Assessment)
	case byHand && len(r.Procedures) == 0:
		fault("%s: expected procedures, what a person does and collects", r.Assessment)
	case !byHand && len(r.Procedures) > 0:
		fault("procedures: expected the assessment to be manual or mixed")
	case r.Assessment == Inherited && len(r.Reports) == 0:
		fault("inherited: expected reports, where AWS answers for it")
	case (r.Assessment == Inherited) != (r.Responsibility == AWS):
		fault("what is inherited is the responsibility of aws, and the other way round")
	}
	return faults
}

// unknown faults the names that are in no list of the catalogue.
func unknown[T any](fault func(string, ...any), kind string, ids []string, known map[string]T) {
	for _, id := range ids {
		if _, ok := known[id]; !ok {
			fault("%s %s does not exist%s", kind, id, check.Similar(id, slices.Sorted(maps.Keys(known))))
		}
	}
}

// document is any catalogue file that is not a check: which one is told by its
// keys.
type document struct {
	framework  *Framework
	objectives []Objective
	procedures []Procedure
	reports    []Report
	shifts     []*Shift
	lines      []int // beside the shifts: where the conditions stand
	controls   []Control
}

// parseDocument reads a framework, or a file of what frameworks name.
func parseDocument(name string, data []byte) (document, error) {
	var keys map[string]yaml.Node
	if err := yaml.Unmarshal(data, &keys); err != nil {
		return document{}, fmt.Errorf("%s: %w", name, err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if _, ok := keys["requirements"]; ok {
		f := &Framework{}
		if err := dec.Decode(f); err != nil {
			return document{}, fmt.Errorf("%s: %w", name, err)
		}
		return document{framework: f}, nil
	}
	if _, ok := keys["shifts"]; ok {
		shifts, lines, err := parseShifts(data, dec)
		if err != nil {
			return document{}, fmt.Errorf("%s: %w", name, err)
		}
		return document{shifts: shifts, lines: lines}, nil
	}
	var file struct {
		Date       string      `yaml:"date"`
		Objectives []Objective `yaml:"objectives"`
		Procedures []Procedure `yaml:"procedures"`
		Reports    []Report    `yaml:"reports"`
		Controls   []Control   `yaml:"controls"`
	}
	for _, key := range []string{"objectives", "procedures", "reports", "controls"} {
		if _, ok := keys[key]; !ok {
			continue
		}
		if err := dec.Decode(&file); err != nil {
			return document{}, fmt.Errorf("%s: %w", name, err)
		}
		return document{objectives: file.Objectives, procedures: file.Procedures, reports: file.Reports, controls: file.Controls}, nil
	}
	return document{}, errors.New(name + ": expected a check (subject, require), a framework (requirements), objectives, procedures, reports, shifts or controls")
}
