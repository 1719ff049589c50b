package cloudformation_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

// corpus is where published templates lie beside a checkout, if they do.
const corpus = "../../../../shared/corpus/serverless-patterns"

// corpusFiles reads every file of the corpus that the collector claims.
func corpusFiles(t testing.TB, c collect.Collector) []collect.File {
	t.Helper()
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("no corpus of published templates at %s", corpus)
	}
	found, err := collect.Find([]string{corpus})
	if err != nil {
		t.Fatal(err)
	}
	var files []collect.File
	for _, f := range found {
		file, err := f.Read(nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Claims(file) {
			files = append(files, file)
		}
	}
	return files
}

func collector() collect.Collector {
	return cloudformation.New(cloudformation.Options{PolicyTemplates: tables.SAMPolicyTemplates()})
}

func testModel(t testing.TB) *estate.Model {
	t.Helper()
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCorpus holds the reader to real templates: nothing crashes, problems
// have positions and no Go-level wording, and a broken file has one fatal
// problem.
func TestCorpus(t *testing.T) {
	c, m := collector(), testModel(t)
	files := corpusFiles(t, c)
	resources, functions := 0, 0
	for _, f := range files {
		for _, b := range c.Collect(context.Background(), f) {
			s := b.Build(m)
			resources += len(s.Resources())
			functions += len(s.OfType("AWS::Lambda::Function"))
			fatal := 0
			for _, p := range s.Problems() {
				t.Log(p.Error())
				if p.Fatal {
					fatal++
				}
				if p.Position.Line == 0 || p.Position.Column == 0 {
					t.Errorf("%s: a problem without a position: %s", f.Name, p.Message)
				}
				for _, word := range []string{"runtime error", "nil pointer", "yaml:", "json:", "interface {}", "%!"} {
					if strings.Contains(p.Message, word) {
						t.Errorf("%s: a Go-level message: %s", f.Name, p.Message)
					}
				}
			}
			if fatal > 1 {
				t.Errorf("%s: %d fatal problems", f.Name, fatal)
			}
		}
	}
	t.Logf("%d templates, %d resources, %d functions", len(files), resources, functions)
}

func BenchmarkCorpus(b *testing.B) {
	c := collector()
	files := corpusFiles(b, c)
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
