package catalog

import (
	"fmt"
	"slices"
)

// Procedure is what a person does for requirements that configuration alone
// does not settle, and what they collect as evidence of it. Requirements of
// several frameworks name the same one: it is done once.
type Procedure struct {
	ID      string   `yaml:"id" json:"id"`
	Title   string   `yaml:"title" json:"title"`
	Do      string   `yaml:"do" json:"do"`
	Collect []string `yaml:"collect" json:"collect"`
}

// Report is a document in which a provider answers for its part.
type Report struct {
	ID    string `yaml:"id" json:"id"`
	Title string `yaml:"title" json:"title"`
	From  string `yaml:"from" json:"from"`
	Shows string `yaml:"shows" json:"shows"` // what has to be found in it
}

// lint says what is missing.
func (p Procedure) lint(name string) error {
	if p.ID == "" || p.Title == "" || p.Do == "" || len(p.Collect) == 0 || slices.Contains(p.Collect, "") {
		return fmt.Errorf("%s: procedure %q: expected id, title, do and collect", name, p.ID)
	}
	return nil
}

// lint says what is missing.
func (r Report) lint(name string) error {
	if r.ID == "" || r.Title == "" || r.From == "" || r.Shows == "" {
		return fmt.Errorf("%s: report %q: expected id, title, from and shows", name, r.ID)
	}
	return nil
}
