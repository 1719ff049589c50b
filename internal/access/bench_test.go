package access

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/iam"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

// corpus is a folder with real templates beside the project, where there is one.
const corpus = "../../../shared/corpus/serverless-patterns"

// corpusScopes reads the templates of the corpus, or those of the examples.
func corpusScopes(b *testing.B) []*estate.Scope {
	b.Helper()
	root := corpus
	if _, err := os.Stat(root); err != nil {
		b.Logf("no %s: the examples stand in for it", root)
		root = "../../examples"
	}
	model, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		b.Fatal(err)
	}
	var scopes []*estate.Scope
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)) || !strings.Contains(d.Name(), "template") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		scopes = append(scopes, estate.Build(model, cloudformation.New(cloudformation.Options{}).Collect(context.Background(), collect.File{Name: path, Data: text, Named: true}))...)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return scopes
}

// BenchmarkPublic asks who can use every function, layer, queue, topic, key,
// bucket and secret of the corpus by each of its doors.
func BenchmarkPublic(b *testing.B) {
	data, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		b.Fatal(err)
	}
	scopes := corpusScopes(b)
	w, view := New(data, tables.Escalation()).world(), undecided{}
	type question struct {
		r *estate.Resource
		d door
	}
	var questions []question
	for _, s := range scopes {
		for _, r := range s.Resources() {
			doors, _ := w.doors(r, view)
			for _, d := range doors {
				if w.resourcePolicy(r, view) != nil {
					questions = append(questions, question{r, d})
				}
			}
		}
	}
	var times []time.Duration
	b.ResetTimer()
	for b.Loop() {
		for _, q := range questions {
			start := time.Now()
			w.exposure(q.r, q.d, iam.URLRuleUnknown, everybody, view)
			times = append(times, time.Since(start))
		}
	}
	slices.Sort(times)
	b.ReportMetric(float64(len(questions)), "questions")
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "median-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
}
