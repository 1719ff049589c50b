package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay/internal/catalog"
	"assay/internal/check"
)

// shownRequirement is a requirement with what it names by id.
type shownRequirement struct {
	catalog.Requirement
	Framework  string              `json:"framework"`
	Objectives []shownObjective    `json:"objectives,omitempty"`
	Procedures []catalog.Procedure `json:"procedures,omitempty"`
	Reports    []catalog.Report    `json:"reports,omitempty"`
	Shifts     []shownShift        `json:"shifts,omitempty"`
	Controls   []*catalog.Control  `json:"controls,omitempty"`
}

// shownShift is whose a requirement is for functions that run in some way.
type shownShift struct {
	Shift string                 `json:"shift"`
	Title string                 `json:"title"`
	To    catalog.Responsibility `json:"to"`
}

// shownObjective is an objective with the checks that bear on it.
type shownObjective struct {
	catalog.Objective
	Checks []shownLink `json:"checks"` // empty: no check looks at it
}

// shownLink is how a check bears on an objective.
type shownLink struct {
	Check string    `json:"check"`
	Title string    `json:"title"`
	How   check.How `json:"how"`
	Why   string    `json:"why"`
}

func (f *frameworksCommand) shown(one *catalog.Framework, r *catalog.Requirement) shownRequirement {
	v := shownRequirement{Requirement: *r, Framework: one.ID, Controls: f.catalog.Answering(one.ID, r.ID)}
	for _, id := range r.Objectives {
		o := shownObjective{Objective: f.catalog.Objectives[id], Checks: []shownLink{}}
		for _, t := range f.catalog.Bearing(id) {
			link := t.Establishes[id]
			o.Checks = append(o.Checks, shownLink{t.ID, t.Title, link.How, link.Why})
		}
		v.Objectives = append(v.Objectives, o)
	}
	for _, id := range r.Procedures {
		v.Procedures = append(v.Procedures, f.catalog.Procedures[id])
	}
	for _, id := range one.ReportsOf(r) {
		v.Reports = append(v.Reports, f.catalog.Reports[id])
	}
	for _, s := range f.catalog.Moving(one.ID, r) {
		v.Shifts = append(v.Shifts, shownShift{s.ID, s.Title, r.Shifted(one.ID, []*catalog.Shift{s}).Responsibility})
	}
	return v
}

func (f *frameworksCommand) show(id string, requirements []string) error {
	if err := f.load(); err != nil {
		return err
	}
	one, err := f.framework(id)
	if err != nil {
		return err
	}
	if len(requirements) == 0 {
		return f.showAll(one)
	}
	shown := []shownRequirement{}
	for _, id := range requirements {
		r, err := one.Requirement(id)
		if err != nil {
			return usage("%w; assay frameworks show %s lists them", err, one.ID)
		}
		shown = append(shown, f.shown(one, r))
	}
	if f.format == "json" {
		return f.json(shown)
	}
	for i := range shown {
		f.writeRequirement(one, &shown[i])
	}
	return nil
}

func (f *frameworksCommand) showAll(one *catalog.Framework) error {
	if f.format == "json" {
		all := struct {
			listedFramework
			Words map[string]string  `json:"words,omitempty"`
			All   []shownRequirement `json:"all"`
		}{listing(f.catalog, one), one.Words, []shownRequirement{}}
		for i := range one.Requirements {
			all.All = append(all.All, f.shown(one, &one.Requirements[i]))
		}
		return f.json(all)
	}
	var rows [][]string
	for i := range one.Requirements {
		r := &one.Requirements[i]
		row := []string{r.ID, string(r.Responsibility), string(r.Assessment), "", r.Title}
		switch n := f.bearing(r); {
		case r.OutOfScope != "":
			row[1], row[2] = "", "out of scope"
		case n == 1:
			row[3] = "1 check"
		case len(r.Objectives) > 0:
			row[3] = fmt.Sprintf("%d checks", n)
		}
		rows = append(rows, row)
	}
	if err := f.table(rows); err != nil {
		return err
	}
	c := f.catalog.Coverage(one)
	fmt.Fprintf(f.s.Out, "\n%d of %d requirements in scope: %d technical, %d mixed, %d manual, %d inherited; %d of the %d technical and mixed have a check\n",
		c.Requirements-c.OutOfScope, c.Requirements, c.Technical, c.Mixed, c.Manual, c.Inherited, c.Checked, c.Technical+c.Mixed)
	if one.Note != "" {
		fmt.Fprintln(f.s.Out, one.Note)
	}
	return nil
}

// bearing counts the checks that bear on a requirement, each once.
func (f *frameworksCommand) bearing(r *catalog.Requirement) int {
	seen := map[string]bool{}
	for _, o := range r.Objectives {
		for _, t := range f.catalog.Bearing(o) {
			seen[t.ID] = true
		}
	}
	return len(seen)
}

func (f *frameworksCommand) writeRequirement(one *catalog.Framework, r *shownRequirement) {
	out := func(format string, args ...any) { fmt.Fprintf(f.s.Out, format+"\n", args...) }
	out("%s %s\n%s", one.Title, r.ID, r.Title)
	if r.OutOfScope != "" {
		out("out of scope: %s\n", r.OutOfScope)
		return
	}
	out("responsibility: %s; assessment: %s", r.Responsibility, r.Assessment)
	for _, s := range r.Shifts {
		more := ""
		if s.To == r.Responsibility {
			more = ", with more to do"
		}
		out("  where the function is %s (%s): %s%s", s.Title, s.Shift, s.To, more)
	}
	switch r.Specification {
	case "addressable":
		out("specification: addressable: done, or replaced by a measure that is written down with the reason")
	case "":
	default:
		out("specification: %s", r.Specification)
	}
	if len(r.Profiles) > 0 {
		out("profiles: %s", strings.Join(r.Profiles, ", "))
	}
	if len(r.Spine) > 0 {
		var said []string
		for _, id := range slices.Sorted(maps.Keys(r.Spine)) {
			said = append(said, string(r.Spine[id])+" "+id)
		}
		out("NIST SP 800-53: %s", strings.Join(said, ", "))
	}
	switch {
	case len(r.Controls) > 0:
		out("\nControls of yours that answer it:")
	case one.Controls == catalog.ControlsOwn && r.Responsibility != catalog.AWS:
		out("\nIt is answered by controls of your own, and none is named; a file of controls in a folder that --catalog names does")
	}
	for _, c := range r.Controls {
		said := c.ID + "  " + c.Title
		if c.Owner != "" {
			said += " (" + c.Owner + ")"
		}
		out("  %s", said)
		if by := c.TestedBy(&r.Requirement); len(by) > 0 {
			out("    tested by the checks of %s", strings.Join(by, ", "))
		} else {
			out("    no check tests it: a person does")
		}
	}
	if len(r.Objectives) > 0 {
		out("\nObjectives, and the checks that bear on them:")
	}
	for _, o := range r.Objectives {
		out("  %s  %s", o.ID, o.Statement)
		for _, c := range o.Checks {
			out("    %s %s it: %s", c.Check, c.How, c.Why)
		}
		switch {
		case slices.ContainsFunc(o.Checks, func(l shownLink) bool { return l.How == check.Decides }):
		case len(o.Checks) > 0:
			said := "    none decides it: they can refute it, and without a failure it stays undetermined"
			if o.Source != "" {
				said += "; it shows in " + o.Source
			}
			out("%s", said)
		case len(r.Procedures) > 0:
			out("    no check looks at it: the person answers for it too, from %s", o.Source)
		default:
			out("    no check looks at it")
		}
	}
	if len(r.Procedures) > 0 {
		out("\nWhat a person does:")
	}
	for _, p := range r.Procedures {
		out("  %s  %s\n    %s", p.ID, p.Title, p.Do)
		for _, c := range p.Collect {
			out("    collect: %s", c)
		}
	}
	if len(r.Reports) > 0 {
		out("\nWhat AWS answers for, and where:")
	}
	for _, p := range r.Reports {
		out("  %s  %s\n    from: %s\n    shows: %s", p.ID, p.Title, p.From, p.Shows)
	}
	out("")
}
