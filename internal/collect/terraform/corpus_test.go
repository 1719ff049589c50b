package terraform_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"assay/internal/collect"
	"assay/internal/estate"
)

// corpus is where real plans lie beside a checkout, if they do.
const corpus = "../../../../shared/corpus/terraform-plans"

func corpusFiles(t testing.TB) []collect.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(corpus, "*.plan.json"))
	if err != nil || len(names) == 0 {
		t.Skipf("no corpus of real plans at %s", corpus)
	}
	var files []collect.File
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, collect.File{Name: filepath.Base(name), Data: data})
	}
	return files
}

// TestRealPlans holds the reader to plans that Terraform wrote of published
// configurations.
func TestRealPlans(t *testing.T) {
	c, m := collector(), model(t)
	unknown := map[string]int{}
	resources, functions, values := 0, 0, 0
	for _, f := range corpusFiles(t) {
		if !c.Claims(f) {
			t.Errorf("%s is not claimed", f.Name)
		}
		for _, b := range c.Collect(context.Background(), f) {
			s := b.Build(m)
			for _, p := range s.Problems() {
				t.Errorf("%s: %s", f.Name, p.Error())
			}
			for _, gap := range s.Coverage() {
				t.Logf("%s: %s: %s", f.Name, gap.Type, gap.Reason)
			}
			for _, r := range s.Resources() {
				resources++
				r.Properties.EachAt(func(path string, v *estate.Value) bool {
					values++
					if v.Kind() == estate.KindUnknown {
						unknown[v.Gap().Reason]++
					}
					return true
				})
			}
			for _, fn := range s.OfType("AWS::Lambda::Function") {
				functions++
				if role := fn.Properties.Field("Role"); !slices.Contains([]estate.Kind{estate.KindReference, estate.KindString}, role.Kind()) {
					t.Errorf("%s: %s: Role is %s", f.Name, fn.LogicalID, role)
				}
				for _, path := range []string{"TracingConfig.Mode", "Architectures", "EphemeralStorage.Size", "LoggingConfig.LogFormat", "MemorySize", "Timeout"} {
					if v := fn.Properties.Path(path); !v.Known() {
						t.Errorf("%s: %s: %s is %s", f.Name, fn.LogicalID, path, v)
					}
				}
			}
		}
	}
	t.Logf("%d resources, %d functions, %d values, unknown by reason: %v", resources, functions, values, unknown)
}

func BenchmarkRealPlans(b *testing.B) {
	c := collector()
	files := corpusFiles(b)
	size := 0
	for _, f := range files {
		size += len(f.Data)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range files {
			c.Collect(context.Background(), f)
		}
	}
}
