package catalog

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/check"
)

// Case is an example of what a check says: a small template, or an estate that
// stands for what a live account shows, and the outcome for each of its
// resources that the check is about.
type Case struct {
	Name       string                   `yaml:"name"`
	AsOf       string                   `yaml:"as-of"`      // ISO date; default: the date of the run
	Parameters map[string]string        `yaml:"parameters"` // of the template
	Frameworks []string                 `yaml:"frameworks"` // whose demands on the check's parameters count
	Profile    map[string]any           `yaml:"profile"`    // values of the check's parameters
	Template   yaml.Node                `yaml:"template"`   // CloudFormation or SAM
	Estate     yaml.Node                `yaml:"estate"`     // instead of a template
	Expect     map[string]check.Outcome `yaml:"expect"`     // logical id → outcome
}

// CaseFile holds the cases of one check: the file ID.cases.yaml.
type CaseFile struct {
	Name  string // of the file
	Check string // the id, taken from the file's name
	Cases []Case
}

// Cases reads every file of cases, ordered by check, and lints them: a check
// of the catalogue without cases for pass, fail, unknown and not-applicable is
// an error, unless it has no way to be not-applicable.
func (c *Catalog) Cases(source fs.FS) ([]CaseFile, error) {
	var files []CaseFile
	err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, casesSuffix) {
			return err
		}
		data, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		file := CaseFile{Name: name, Check: strings.TrimSuffix(path.Base(name), casesSuffix)}
		var doc struct {
			Cases []Case `yaml:"cases"`
		}
		dec := yaml.NewDecoder(bytes.NewReader(data))
		dec.KnownFields(true)
		if err := dec.Decode(&doc); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		file.Cases = doc.Cases
		files = append(files, file)
		return nil
	})
	slices.SortFunc(files, func(a, b CaseFile) int { return strings.Compare(a.Check, b.Check) })
	return files, err
}

// LintCases says which of the checks lack a file of cases, or a case for one of
// the outcomes that the check can have.
func LintCases(checks []*check.Typed, files []CaseFile) []error {
	byCheck := map[string]CaseFile{}
	for _, f := range files {
		byCheck[f.Check] = f
	}
	var errs []error
	for _, t := range checks {
		f, ok := byCheck[t.ID]
		if !ok {
			errs = append(errs, fmt.Errorf("check %s has no cases; write %s%s beside it", t.ID, t.ID, casesSuffix))
			continue
		}
		delete(byCheck, t.ID)
		seen := map[check.Outcome]bool{}
		for _, one := range f.Cases {
			if len(one.Expect) == 0 {
				errs = append(errs, fmt.Errorf("%s: case %q expects nothing", f.Name, one.Name))
			}
			for _, outcome := range one.Expect {
				seen[outcome] = true
			}
		}
		want := []check.Outcome{check.Pass, check.Fail, check.Unknown}
		if t.Applies != "" {
			want = append(want, check.NotApplicable)
		}
		for _, outcome := range want {
			if !seen[outcome] {
				errs = append(errs, fmt.Errorf("%s: no case expects %s", f.Name, outcome))
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byCheck)) {
		errs = append(errs, fmt.Errorf("%s: no check %s in the catalogue", byCheck[id].Name, id))
	}
	return errs
}

// Source is the case's template as bytes.
func (c *Case) Source() ([]byte, error) { return yaml.Marshal(&c.Template) }
