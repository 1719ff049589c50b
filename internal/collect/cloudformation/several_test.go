package cloudformation_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"assay/internal/assess"
	"assay/internal/collect"
	"assay/internal/estate"
)

var update = flag.Bool("update", false, "rewrite what the archives expect")

// describe writes what was read of a scope, a resource a paragraph.
func describe(b *bytes.Buffer, s *estate.Scope) {
	fmt.Fprintf(b, "%s\n", s.ID)
	for _, r := range s.Resources() {
		fmt.Fprintf(b, "  %s %s at %s", r.LogicalID, r.Type, r.Source)
		if r.Address != r.LogicalID {
			fmt.Fprintf(b, " of %s", r.Address)
		}
		for _, caller := range r.Callers {
			fmt.Fprintf(b, ", called at %s", caller)
		}
		if r.Exists != nil {
			fmt.Fprintf(b, ", if %s", r.Exists)
		}
		b.WriteByte('\n')
		for _, f := range r.Properties.Fields() {
			if !f.Value.IsDefault() {
				fmt.Fprintf(b, "    %s: %s\n", f.Name, f.Value)
			}
		}
		for _, e := range r.Edges() {
			if e.To != nil {
				fmt.Fprintf(b, "    → %s %s\n", e.Rule.Name, e.To.ID)
			}
		}
	}
	for _, c := range s.Coverage() {
		fmt.Fprintf(b, "  coverage: %s is %s: %s\n", c.Type, c.State, c.Reason)
	}
	for _, p := range s.Problems() {
		fmt.Fprintf(b, "  problem: %s\n", p.Error())
	}
}

// TestSeveralFiles reads folders of templates that belong together. Each
// archive ends in what is expected.
func TestSeveralFiles(t *testing.T) {
	archives, err := filepath.Glob("testdata/several/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives in testdata/several")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join(here, name))
			if err != nil {
				t.Fatal(err)
			}
			last := len(archive.Files) - 1
			var want []byte
			if archive.Files[last].Name == "want" {
				want = archive.Files[last].Data
				archive.Files = archive.Files[:last]
			}
			got := readArchive(t, archive)
			if *update {
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: got})
				if err := os.WriteFile(filepath.Join(here, name), txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func readArchive(t *testing.T, archive *txtar.Archive) []byte {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range archive.Files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := collect.Find([]string{"."})
	if err != nil {
		t.Fatal(err)
	}
	collectors := []collect.Collector{collector()}
	var b bytes.Buffer
	for _, group := range collect.Plan(found, collectors) {
		for _, s := range estate.Build(testModel(t), assess.Read(context.Background(), collectors, group, nil)) {
			describe(&b, s)
		}
	}
	return b.Bytes()
}
