package terraform_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/collect"
	"assay/internal/estate"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// describe writes what was read of a plan, a resource a paragraph.
func describe(s *estate.Scope) []byte {
	var b bytes.Buffer
	for _, r := range s.Resources() {
		fmt.Fprintf(&b, "%s\n  %s at %s", r.LogicalID, r.Type, r.Source)
		for _, caller := range r.Callers {
			fmt.Fprintf(&b, ", called at %s", caller)
		}
		if r.Generated != "" {
			fmt.Fprintf(&b, ", made by the %s", r.Generated)
		}
		if r.Exists != nil {
			fmt.Fprintf(&b, ", if %s", r.Exists)
		}
		b.WriteByte('\n')
		for _, f := range r.Properties.Fields() {
			if !f.Value.IsDefault() || len(f.Value.Items()) > 0 && f.Name != "Architectures" {
				fmt.Fprintf(&b, "    %s: %s\n", f.Name, f.Value)
			}
		}
	}
	for _, c := range s.Coverage() {
		fmt.Fprintf(&b, "coverage: %s is %s: %s\n", c.Type, c.State, c.Reason)
	}
	for _, p := range s.Problems() {
		fmt.Fprintf(&b, "problem: %s\n", p.Error())
	}
	return b.Bytes()
}

// TestGolden reads plans that Terraform wrote of the configurations beside
// them.
func TestGolden(t *testing.T) {
	plans, err := filepath.Glob("testdata/*/plan.json")
	if err != nil || len(plans) == 0 {
		t.Fatal("no plans in testdata")
	}
	for _, name := range plans {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f := collect.File{Name: "plan.json", Data: data}
			got := describe(collector().Collect(context.Background(), f)[0].Build(model(t)))
			if again := describe(collector().Collect(context.Background(), f)[0].Build(model(t))); !bytes.Equal(got, again) {
				t.Error("two readings differ")
			}
			if bytes.Contains(got, []byte("hunter2")) {
				t.Error("a sensitive value is not withheld")
			}
			golden := filepath.Join(filepath.Dir(name), "estate.golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
