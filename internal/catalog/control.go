package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay/internal/check"
)

// Control is one of the organisation's own, by which it answers requirements. The
// checks of its objectives are tests of it.
type Control struct {
	ID    string `yaml:"id" json:"id"`
	Title string `yaml:"title" json:"title"`
	Owner string `yaml:"owner" json:"owner,omitempty"`
	// Answers are the ids of requirements, by framework without a profile.
	Answers map[string][]string `yaml:"answers" json:"answers"`
	// Objectives are those that it establishes; without any a person tests it.
	Objectives []string `yaml:"objectives" json:"objectives,omitempty"`
}

// ControlsOwn is said by a framework that is answered by the organisation's own
// controls.
const ControlsOwn = "own"

// Answering lists the controls that answer a requirement, in order.
func (c *Catalog) Answering(framework, requirement string) []*Control {
	base, _, _ := strings.Cut(framework, "/")
	var found []*Control
	for _, one := range c.Controls {
		if slices.Contains(one.Answers[base], requirement) {
			found = append(found, one)
		}
	}
	return found
}

// TestedBy lists the objectives by whose checks a control is tested under a
// requirement: those of the control that the requirement asks for, too.
func (c *Control) TestedBy(r *Requirement) []string {
	var both []string
	for _, id := range c.Objectives {
		if slices.Contains(r.Objectives, id) {
			both = append(both, id)
		}
	}
	return both
}

// lint lists what is wrong with a control.
func (c *Control) lint(name string, catalog *Catalog) []error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: control %s: %s", name, c.ID, fmt.Sprintf(format, args...)))
	}
	if strings.TrimSpace(c.ID) == "" || strings.TrimSpace(c.Title) == "" || len(c.Answers) == 0 {
		fault("expected id, title and answers, requirements by framework")
	}
	unknown(fault, "objective", c.Objectives, catalog.Objectives)
	asked := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(c.Answers)) {
		i := slices.IndexFunc(catalog.Frameworks, func(f *Framework) bool { return f.ID == id })
		if i < 0 {
			var ids []string
			for _, f := range catalog.Frameworks {
				ids = append(ids, f.ID)
			}
			fault("answers: no framework %q%s", id, check.Similar(id, ids))
			continue
		}
		for _, requirement := range c.Answers[id] {
			r, err := catalog.Frameworks[i].Requirement(requirement)
			if err != nil {
				fault("answers: %v", err)
				continue
			}
			if r.OutOfScope != "" {
				fault("answers: %s %s is out of scope", id, requirement)
			}
			for _, o := range r.Objectives {
				asked[o] = true
			}
		}
	}
	for _, o := range c.Objectives {
		if len(errs) == 0 && !asked[o] {
			fault("objective %s is asked for by none of the requirements that it answers, so that nothing would be tested by it", o)
		}
	}
	return errs
}
