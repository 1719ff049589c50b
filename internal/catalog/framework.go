package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
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
	Profiles       []string       `yaml:"profiles" json:"profiles,omitempty"` // baselines and classes it is in
	OutOfScope     string         `yaml:"out-of-scope" json:"outOfScope,omitempty"`
}

// Framework is a regime's catalogue.
type Framework struct {
	ID           string        `yaml:"id" json:"id"`
	Title        string        `yaml:"title" json:"title"`
	Version      string        `yaml:"version" json:"version"`
	Source       string        `yaml:"source" json:"source"`
	Requirements []Requirement `yaml:"requirements" json:"requirements"`
	// Waivers is WaiversNever for a regime that knows no accepted risk, and
	// Measures its words for a requirement that another measure answers.
	Waivers  string `yaml:"waivers" json:"waivers,omitempty"`
	Measures string `yaml:"measures" json:"measures,omitempty"`

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

// Narrow is the framework with only the requirements of one profile.
func (f *Framework) Narrow(profile string) (*Framework, error) {
	if !slices.Contains(f.Profiles(), profile) {
		if len(f.Profiles()) == 0 {
			return nil, fmt.Errorf("framework %s has no profiles", f.ID)
		}
		return nil, fmt.Errorf("framework %s has no profile %q; it has %s", f.ID, profile, strings.Join(f.Profiles(), ", "))
	}
	narrow := &Framework{ID: f.ID + "/" + profile, Title: f.Title + ", " + profile, Version: f.Version, Source: f.Source, Waivers: f.Waivers, Measures: f.Measures}
	for _, r := range f.Requirements {
		if slices.Contains(r.Profiles, profile) {
			narrow.Requirements = append(narrow.Requirements, r)
		}
	}
	return narrow, nil
}

// lint lists what is wrong with a framework as such.
func (f *Framework) lint(name string, objectives map[string]Objective) []error {
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
	seen := map[string]bool{}
	for _, r := range f.Requirements {
		if r.ID == "" || r.Title == "" {
			fault("requirement %q: expected id and title", r.ID)
		}
		if seen[r.ID] {
			fault("requirement %s: stands twice", r.ID)
		}
		seen[r.ID] = true
		if !slices.Contains([]Responsibility{AWS, Shared, Customer}, r.Responsibility) {
			fault("requirement %s: responsibility: expected aws, shared or customer", r.ID)
		}
		if !slices.Contains([]Assessment{Technical, Mixed, Manual, Inherited}, r.Assessment) {
			fault("requirement %s: assessment: expected technical, mixed, manual or inherited", r.ID)
		}
		if len(r.Objectives) == 0 && r.OutOfScope == "" {
			fault("requirement %s: expected objectives, or out-of-scope with the reason", r.ID)
		}
		for _, o := range r.Objectives {
			if _, ok := objectives[o]; !ok {
				fault("requirement %s: objective %s does not exist", r.ID, o)
			}
		}
	}
	return errs
}

// document is any catalogue file that is not a check: which one is told by its
// keys.
type document struct {
	framework  *Framework
	objectives []Objective
}

// parseDocument reads a framework or a file of objectives.
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
	if _, ok := keys["objectives"]; ok {
		var file struct {
			Date       string      `yaml:"date"`
			Objectives []Objective `yaml:"objectives"`
		}
		if err := dec.Decode(&file); err != nil {
			return document{}, fmt.Errorf("%s: %w", name, err)
		}
		return document{objectives: file.Objectives}, nil
	}
	return document{}, errors.New(name + ": expected a check (subject, require), a framework (requirements) or objectives")
}
