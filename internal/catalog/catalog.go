// Package catalog loads checks, objectives and frameworks from a file system,
// lints them, and ties them together. The built-in catalogue is loaded from a
// compiled form in which the checks' expressions are already type-checked.
package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"assay/internal/check"
)

// Catalog is a set of checks, objectives and frameworks. It does not change
// once loaded.
type Catalog struct {
	Checks     []*check.Typed // ordered by id
	Objectives map[string]Objective
	Procedures map[string]Procedure
	Reports    map[string]Report
	Frameworks []*Framework      // ordered by id
	Shifts     []*Shift          // ordered by id
	Controls   []*Control        // the organisation's own, ordered by id
	Parameters []check.Parameter // ordered by name
	Peers      []Peer            // ordered by id
	// Digest is the SHA-256 of the catalogue's content in hexadecimal.
	Digest string
}

// entry is one line of the stored form of a catalogue: exactly one field is
// set. Lines can be decoded apart from each other.
type entry struct {
	Check     *check.Typed `json:"check,omitempty"`
	Objective *Objective   `json:"objective,omitempty"`
	Procedure *Procedure   `json:"procedure,omitempty"`
	Report    *Report      `json:"report,omitempty"`
	Framework *Framework   `json:"framework,omitempty"`
	// Requirements continue the framework above, so that several processors can
	// decode a large one.
	Requirements []Requirement    `json:"requirements,omitempty"`
	Parameter    *check.Parameter `json:"parameter,omitempty"`
	Peer         *Peer            `json:"peer,omitempty"`
	Shift        *Shift           `json:"shift,omitempty"`
	Control      *Control         `json:"control,omitempty"`
}

// Encode writes the compiled form, which [Decode] reads: JSON lines. It is the
// same bytes for the same catalogue.
func (c *Catalog) Encode() ([]byte, error) {
	var entries []entry
	for _, t := range c.Checks {
		entries = append(entries, entry{Check: t})
	}
	for _, id := range slices.Sorted(maps.Keys(c.Objectives)) {
		o := c.Objectives[id]
		entries = append(entries, entry{Objective: &o})
	}
	for _, id := range slices.Sorted(maps.Keys(c.Procedures)) {
		p := c.Procedures[id]
		entries = append(entries, entry{Procedure: &p})
	}
	for _, id := range slices.Sorted(maps.Keys(c.Reports)) {
		r := c.Reports[id]
		entries = append(entries, entry{Report: &r})
	}
	for _, f := range c.Frameworks {
		entries = append(entries, entry{Framework: f.head()})
		for some := range slices.Chunk(f.Requirements, 50) {
			entries = append(entries, entry{Requirements: some})
		}
	}
	for i := range c.Parameters {
		entries = append(entries, entry{Parameter: &c.Parameters[i]})
	}
	for i := range c.Peers {
		entries = append(entries, entry{Peer: &c.Peers[i]})
	}
	for _, s := range c.Shifts {
		entries = append(entries, entry{Shift: s})
	}
	for _, one := range c.Controls {
		entries = append(entries, entry{Control: one})
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for _, e := range entries {
		if err := enc.Encode(e); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), nil
}

// Decode reads a compiled catalogue. It stands at the start of every run, and
// so uses all processors.
func Decode(data []byte) (*Catalog, error) {
	lines := slices.Collect(bytes.Lines(data))
	entries := make([]entry, len(lines))
	faults := make([]error, len(lines))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(lines); i += workers {
				faults[i] = json.Unmarshal(lines[i], &entries[i])
			}
		})
	}
	wg.Wait()
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("compiled catalogue: %w", err)
	}
	c := empty()
	c.Digest = digest(data)
	for _, e := range entries {
		switch {
		case e.Check != nil:
			c.Checks = append(c.Checks, e.Check)
		case e.Objective != nil:
			c.Objectives[e.Objective.ID] = *e.Objective
		case e.Procedure != nil:
			c.Procedures[e.Procedure.ID] = *e.Procedure
		case e.Report != nil:
			c.Reports[e.Report.ID] = *e.Report
		case e.Framework != nil:
			c.Frameworks = append(c.Frameworks, e.Framework)
		case e.Requirements != nil && len(c.Frameworks) > 0:
			f := c.Frameworks[len(c.Frameworks)-1]
			f.Requirements = append(f.Requirements, e.Requirements...)
		case e.Peer != nil:
			c.Peers = append(c.Peers, *e.Peer)
		case e.Shift != nil:
			c.Shifts = append(c.Shifts, e.Shift)
		case e.Control != nil:
			c.Controls = append(c.Controls, e.Control)
		case e.Parameter != nil:
			c.Parameters = append(c.Parameters, *e.Parameter)
		}
	}
	return c, nil
}

func empty() *Catalog {
	return &Catalog{Objectives: map[string]Objective{}, Procedures: map[string]Procedure{}, Reports: map[string]Report{}}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Load reads every catalogue file of the given file systems: checks,
// frameworks, objectives, procedures, reports and shifts in YAML, told apart by their
// content. Files that end in .cases.yaml are left to [Cases]. Errors are those of [check.Parse]
// and of linting, all of them, joined.
func Load(lib *check.Library, sources ...fs.FS) (*Catalog, error) {
	c := empty()
	return c, c.add(lib, false, sources...)
}

// With returns the catalogue with the files of other file systems added; what
// has the id of something already there replaces it.
func (c *Catalog) With(lib *check.Library, sources ...fs.FS) (*Catalog, error) {
	merged := &Catalog{
		Checks:     slices.Clone(c.Checks),
		Objectives: maps.Clone(c.Objectives),
		Procedures: maps.Clone(c.Procedures),
		Reports:    maps.Clone(c.Reports),
		Frameworks: slices.Clone(c.Frameworks),
		Parameters: slices.Clone(c.Parameters),
		Peers:      slices.Clone(c.Peers),
		Shifts:     slices.Clone(c.Shifts),
		Controls:   slices.Clone(c.Controls),
	}
	return merged, merged.add(lib, true, sources...)
}

func (c *Catalog) add(lib *check.Library, replace bool, sources ...fs.FS) error {
	var errs []error
	var checks []*check.File
	var frameworks []string // file names, beside added
	var added []*Framework
	var shifts []string // file names, beside shifting
	var shifting []*Shift
	var lines []int      // beside shifting
	var stating []string // file names, beside stated
	var stated []*Control
	own := map[string]bool{} // what these sources define: twice is a mistake, whatever may be replaced
	for _, source := range sources {
		err := walk(source, func(name string, data []byte) {
			if isCheck(data) {
				f, err := check.Parse(name, data)
				if err != nil {
					errs = append(errs, err)
					return
				}
				checks = append(checks, f)
				return
			}
			if path.Base(name) == parametersName {
				declared, err := check.ParseParameters(name, data)
				errs = append(errs, err)
				for _, p := range declared {
					errs = append(errs, place(&c.Parameters, p, replace && !own["parameter "+p.Name], func(p check.Parameter) string { return p.Name }))
					own["parameter "+p.Name] = true
				}
				return
			}
			if path.Base(name) == peersName {
				peers, err := parsePeers(name, data)
				errs = append(errs, err)
				for _, p := range peers {
					errs = append(errs, place(&c.Peers, p, replace && !own["peer "+p.ID], func(p Peer) string { return p.ID }))
					own["peer "+p.ID] = true
				}
				return
			}
			if path.Base(name) == survivorsName {
				return // for [Survivors]
			}
			doc, err := parseDocument(name, data)
			switch {
			case err != nil:
				errs = append(errs, err)
			case doc.framework != nil:
				frameworks, added = append(frameworks, name), append(added, doc.framework)
			case doc.shifts != nil:
				for range doc.shifts {
					shifts = append(shifts, name)
				}
				shifting, lines = append(shifting, doc.shifts...), append(lines, doc.lines...)
			case doc.controls != nil:
				for i := range doc.controls {
					stating, stated = append(stating, name), append(stated, &doc.controls[i])
				}
			default:
				for _, o := range doc.objectives {
					c.Objectives[o.ID] = o
				}
				for _, p := range doc.procedures {
					c.Procedures[p.ID] = p
					errs = append(errs, p.lint(name))
				}
				for _, r := range doc.reports {
					c.Reports[r.ID] = r
					errs = append(errs, r.lint(name))
				}
			}
		})
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, lib.Declare(c.Parameters))...); err != nil {
		return err
	}
	for i, f := range added {
		errs = append(errs, f.lint(frameworks[i], c)...)
		errs = append(errs, place(&c.Frameworks, f, replace && !own["framework "+f.ID], func(f *Framework) string { return f.ID }))
		own["framework "+f.ID] = true
	}
	for i, s := range shifting {
		errs = append(errs, s.lint(shifts[i], c)...)
		errs = append(errs, s.prepare(shifts[i], lines[i], lib))
		errs = append(errs, place(&c.Shifts, s, replace && !own["shift "+s.ID], func(s *Shift) string { return s.ID }))
		own["shift "+s.ID] = true
	}
	for i, one := range stated {
		errs = append(errs, one.lint(stating[i], c)...)
		errs = append(errs, place(&c.Controls, one, replace && !own["control "+one.ID], func(c *Control) string { return c.ID }))
		own["control "+one.ID] = true
	}
	errs = append(errs, c.lintSpine(added)...)
	errs = append(errs, c.lintParameters()...)
	for _, f := range checks {
		errs = append(errs, f.Lint()...)
		errs = append(errs, c.lintCheck(f)...)
		if !replace { // a folder's own checks may stand for its own frameworks alone
			errs = append(errs, c.lintBearing(f)...)
		}
		errs = append(errs, c.lintPeers(f)...)
		t, err := lib.Type(f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := place(&c.Checks, t, replace && !own["check "+t.ID], func(t *check.Typed) string { return t.ID }); err != nil {
			errs = append(errs, f.At("id", "%v", err))
		}
		own["check "+t.ID] = true
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	data, err := c.Encode()
	c.Digest = digest(data)
	return err
}

// place puts an item into a list ordered by id. A second item of one id
// replaces the first where that is allowed and is an error otherwise.
func place[T any](list *[]T, item T, replace bool, id func(T) string) error {
	i, found := slices.BinarySearchFunc(*list, id(item), func(t T, want string) int { return strings.Compare(id(t), want) })
	switch {
	case !found:
		*list = slices.Insert(*list, i, item)
	case replace:
		(*list)[i] = item
	default:
		return fmt.Errorf("%s is defined twice", id(item))
	}
	return nil
}

// lintCheck judges a check against the rest of the catalogue.
func (c *Catalog) lintCheck(f *check.File) []error {
	var errs []error
	if want := f.ID + ".yaml"; f.ID != "" && path.Base(f.Name) != want {
		errs = append(errs, f.At("id", "check %s: expected the file to be called %s", f.ID, want))
	}
	for _, objective := range slices.Sorted(maps.Keys(f.Establishes)) {
		if _, ok := c.Objectives[objective]; !ok {
			errs = append(errs, f.At("establishes", "objective %s does not exist%s", objective, check.Similar(objective, slices.Sorted(maps.Keys(c.Objectives)))))
		}
	}
	for _, name := range f.Parameters() {
		if !slices.ContainsFunc(c.Parameters, func(p check.Parameter) bool { return p.Name == name }) && strings.Contains(f.Message, "{param."+name+"}") {
			errs = append(errs, f.At("message", "message: there is no parameter %s", name))
		}
	}
	return errs
}

// lintBearing holds a check to the spine: what bears on none of its
// requirements is advice, whoever else asks for it.
func (c *Catalog) lintBearing(f *check.File) []error {
	i := slices.IndexFunc(c.Frameworks, func(f *Framework) bool { return f.ID == Spine })
	if i < 0 {
		return nil
	}
	bears := false
	for objective := range f.Establishes {
		bears = bears || len(c.Frameworks[i].naming(objective)) > 0
	}
	switch {
	case bears && f.Advisory:
		return []error{f.At("advisory", "an advisory check bears on no requirement of %s", Spine)}
	case !bears && !f.Advisory && len(f.Establishes) > 0:
		return []error{f.At("establishes", "bears on no requirement of %s: name an objective that one of them names, or say advisory: true", Spine)}
	}
	return nil
}

// lintSpine holds the relations of frameworks to the spine.
func (c *Catalog) lintSpine(frameworks []*Framework) []error {
	spine, err := c.Framework(Spine)
	if err != nil {
		return nil // a catalogue without it has nothing to hold them to
	}
	known := map[string]bool{}
	var ids []string
	for _, r := range spine.Requirements {
		known[r.ID] = true
		ids = append(ids, r.ID)
	}
	var errs []error
	for _, f := range frameworks {
		for _, r := range f.Requirements {
			for _, id := range slices.Sorted(maps.Keys(r.Spine)) {
				if !known[id] {
					errs = append(errs, fmt.Errorf("%s: requirement %s: spine: %s has no requirement %s%s", f.ID, r.ID, Spine, id, check.Similar(id, ids)))
				}
			}
		}
	}
	return errs
}

// parametersName is the name of a file that declares parameters.
const parametersName = "parameters.yaml"

// lintParameters holds the regimes of parameters to the frameworks.
func (c *Catalog) lintParameters() []error {
	var errs []error
	for _, p := range c.Parameters {
		for _, regime := range slices.Sorted(maps.Keys(p.Regimes)) {
			f, err := c.Framework(regime)
			if err != nil {
				errs = append(errs, fmt.Errorf("parameter %s: %w", p.Name, err))
				continue
			}
			if want := p.Regimes[regime].Requirement; !slices.ContainsFunc(f.Requirements, func(r Requirement) bool { return r.ID == want }) {
				errs = append(errs, fmt.Errorf("parameter %s: %s has no requirement %s", p.Name, regime, want))
			}
		}
	}
	return errs
}

func isCheck(data []byte) bool {
	return bytes.HasPrefix(data, []byte("subject:")) || bytes.Contains(data, []byte("\nsubject:"))
}

const casesSuffix = ".cases.yaml"

// walk calls f with every catalogue file below a file system, in order.
func walk(source fs.FS, f func(name string, data []byte)) error {
	return fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" || strings.HasSuffix(name, casesSuffix) {
			return nil
		}
		data, err := fs.ReadFile(source, name)
		if err == nil {
			f(name, data)
		}
		return err
	})
}

// IDs lists the ids of the checks.
func (c *Catalog) IDs() []string {
	ids := make([]string, len(c.Checks))
	for i, t := range c.Checks {
		ids[i] = t.ID
	}
	return ids
}

// Check finds a check by id, or returns nil.
func (c *Catalog) Check(id string) *check.Typed {
	for _, t := range c.Checks {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// Framework finds a framework by id, or by id/profile.
func (c *Catalog) Framework(id string) (*Framework, error) {
	name, profile, narrowed := strings.Cut(id, "/")
	var known []string
	for _, f := range c.Frameworks {
		if f.ID == name {
			if narrowed {
				return f.Narrow(profile)
			}
			return f, nil
		}
		known = append(known, f.ID)
	}
	return nil, fmt.Errorf("no framework %q%s; there are %s", name, check.Similar(name, known), strings.Join(known, ", "))
}

// Bearing lists the checks that decide or support an objective, ordered by id.
func (c *Catalog) Bearing(objective string) []*check.Typed {
	var found []*check.Typed
	for _, t := range c.Checks {
		if _, ok := t.Establishes[objective]; ok {
			found = append(found, t)
		}
	}
	return found
}

// RequirementsOf lists the requirements, by framework id, that a check bears
// on through its objectives, in the order of the framework.
func (c *Catalog) RequirementsOf(t *check.Typed) map[string][]string {
	found := map[string][]string{}
	for _, f := range c.Frameworks {
		var positions []int
		for objective := range t.Establishes {
			positions = append(positions, f.naming(objective)...)
		}
		slices.Sort(positions)
		for _, i := range slices.Compact(positions) {
			found[f.ID] = append(found[f.ID], f.Requirements[i].ID)
		}
	}
	return found
}
