package assess_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/collect/terraform"
	"assay/tables"
)

const (
	examplesFolder  = "../../examples"
	standingsFolder = "testdata/standings"
)

// expectation is expect.yaml of an example: the frameworks that it is judged by
// and what a person who knows them concludes, with the reason.
type expectation struct {
	Frameworks []string                    `yaml:"frameworks"`
	Profile    map[string]any              `yaml:"profile"`   // what the organisation decides of parameters
	Standings  map[string]map[string]claim `yaml:"standings"` // by framework and requirement
}

// claim is one conclusion.
type claim struct {
	Is  assess.State `yaml:"is"`
	By  []string     `yaml:"by"` // checks that fail, or whose unknown leaves it open
	Why string       `yaml:"why"`
}

// standingsOf keeps the standings of a run.
type standingsOf struct {
	assess.Nothing
	all []*assess.Standing
}

func (s *standingsOf) Standing(one *assess.Standing) error {
	s.all = append(s.all, one)
	return nil
}

// TestExamples holds every example to what its expect.yaml concludes, and to all
// of its standings in a golden file.
func TestExamples(t *testing.T) {
	cfg := config(t)
	cfg.Collectors = []collect.Collector{
		terraform.New(terraform.Options{Mapping: tables.Terraform(), ManagedPolicies: tables.IAMManagedPolicies()}),
		cloudformation.New(cloudformation.Options{PolicyTemplates: tables.SAMPolicyTemplates()}),
	}
	goldens := map[string]bool{}
	for _, folder := range exampleFolders(t) {
		name, err := filepath.Rel(examplesFolder, folder)
		if err != nil {
			t.Fatal(err)
		}
		name = strings.ReplaceAll(filepath.ToSlash(name), "/", "-")
		golden := filepath.Join(standingsFolder, name+".golden")
		goldens[golden] = true
		t.Run(name, func(t *testing.T) {
			expected := readExpectation(t, folder)
			cfg := cfg
			cfg.Frameworks = nil
			for _, id := range expected.Frameworks {
				f, err := cfg.Catalog.Framework(id)
				if err != nil {
					t.Fatal(err)
				}
				cfg.Frameworks = append(cfg.Frameworks, f)
			}
			cfg.Profile = expected.profile(t, cfg)
			got := standingsIn(t, cfg, folder)
			expected.compare(t, got)
			holdTo(t, golden, listStandings(cfg.Frameworks, got))
		})
	}
	stale, err := filepath.Glob(filepath.Join(standingsFolder, "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stale {
		if !goldens[file] {
			t.Errorf("%s: there is no such example", file)
		}
	}
}

// exampleFolders lists the folders that hold something to read.
func exampleFolders(t *testing.T) []string {
	t.Helper()
	folders := map[string]bool{}
	err := filepath.WalkDir(examplesFolder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			folders[filepath.Dir(path)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(folders, filepath.Join(examplesFolder, "estates")) // its README
	return slices.Sorted(maps.Keys(folders))
}

func readExpectation(t *testing.T, folder string) *expectation {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "expect.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	e := &expectation{}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(e); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *expectation) profile(t *testing.T, cfg assess.Config) *check.Profile {
	t.Helper()
	if e.Profile == nil {
		return nil
	}
	data, err := yaml.Marshal(map[string]any{"profile": "expect.yaml", "parameters": e.Profile})
	if err != nil {
		t.Fatal(err)
	}
	p, err := check.ParseProfile("expect.yaml", data, cfg.Catalog.Parameters)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func standingsIn(t *testing.T, cfg assess.Config, folder string) []*assess.Standing {
	t.Helper()
	found, err := collect.Find([]string{folder})
	if err != nil {
		t.Fatal(err)
	}
	h := &standingsOf{}
	sum, err := assess.Run(context.Background(), cfg, collect.Plan(found, cfg.Collectors), nil, h)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Incomplete || sum.Problems > 0 || sum.Functions == 0 {
		t.Errorf("%d problems, %d functions, incomplete: %t", sum.Problems, sum.Functions, sum.Incomplete)
	}
	return h.all
}

// compare reports a conclusion that is not assay's.
func (e *expectation) compare(t *testing.T, got []*assess.Standing) {
	t.Helper()
	claims := 0
	for framework, requirements := range e.Standings {
		for requirement, c := range requirements {
			claims++
			where := framework + " " + requirement
			if c.Why == "" {
				t.Errorf("%s: why?", where)
			}
			i := slices.IndexFunc(got, func(s *assess.Standing) bool {
				return s.Framework == framework && s.Requirement == requirement
			})
			if i < 0 {
				t.Errorf("%s: not a requirement of the frameworks that it is judged by", where)
				continue
			}
			if got[i].State != c.Is {
				t.Errorf("%s: %s, because %q; expect.yaml has %s", where, got[i].State, got[i].Because, c.Is)
			}
			var by []string
			for _, o := range got[i].Objectives {
				by = append(by, o.Failed...)
				if c.Is == assess.Undetermined {
					by = append(by, o.Open...)
				}
			}
			for _, id := range c.By {
				if !slices.Contains(by, id) {
					t.Errorf("%s: %s is not among what makes it so: %v", where, id, by)
				}
			}
		}
	}
	if claims < 5 {
		t.Errorf("%d conclusions, want 5 at least", claims)
	}
}

// listStandings writes the standings in lines: how many there are of each state,
// and each with its reason. What no estate could change is counted alone.
func listStandings(frameworks []*catalog.Framework, all []*assess.Standing) string {
	var b strings.Builder
	for _, f := range frameworks {
		counts := map[assess.State]int{}
		var lines []string
		fixed := 0
		for _, s := range all {
			if s.Framework != f.ID {
				continue
			}
			counts[s.State]++
			if len(s.Objectives) == 0 {
				fixed++
				continue
			}
			lines = append(lines, fmt.Sprintf("%s: %s: %s", s.Requirement, s.State, s.Because))
		}
		fmt.Fprintf(&b, "# %s:", f.ID)
		for _, state := range assess.States {
			if counts[state] > 0 {
				fmt.Fprintf(&b, " %d %s,", counts[state], state)
			}
		}
		fmt.Fprintf(&b, " of which %d without objectives\n%s\n", fixed, strings.Join(lines, "\n"))
	}
	return b.String()
}

// holdTo compares text with a golden file.
func holdTo(t *testing.T, file, got string) {
	t.Helper()
	if *updateSame {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-update rewrites it):\n%s", file, diff)
	}
}
