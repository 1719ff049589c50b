package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/assess"
	"assay/internal/cli"
)

// corpus is a folder of published templates beside the project, or "" where there
// is none.
func corpus() string {
	for up := "../.."; ; up = filepath.Join("..", up) {
		dir := filepath.Join(up, "shared", "corpus", "serverless-patterns")
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		if whole, err := filepath.Abs(up); err != nil || whole == filepath.Dir(whole) {
			return ""
		}
	}
}

// TestOftenUnknown holds checks that published templates mostly leave open to
// saying why in their rationale, with the word unknown.
func TestOftenUnknown(t *testing.T) {
	const (
		most  = 0.25 // of the outcomes of a check, unknown without a reason
		fewer = 4    // outcomes say nothing
	)
	dir := corpus()
	if dir == "" {
		t.Skip("there are no published templates beside the project (shared/corpus/serverless-patterns)")
	}
	var out, errs bytes.Buffer
	if code := cli.Run(t.Context(), []string{"check", dir, "--format", "json", "--as-of", "2026-11-24"}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 1 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	rationales := map[string]string{}
	judged := 0
	for line := range strings.Lines(out.String()) {
		var m struct {
			Header  *assess.Header
			Summary *assess.Summary
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m.Header != nil {
			for _, c := range m.Header.Checks {
				rationales[c.ID] = c.Rationale
			}
		}
		if m.Summary == nil {
			continue
		}
		for id, n := range m.Summary.Checks {
			all := n.Pass + n.Fail + n.Unknown
			if all < fewer {
				continue
			}
			judged++
			if share := float64(n.Unknown) / float64(all); share > most && !strings.Contains(rationales[id], "unknown") {
				t.Errorf("%s: %d of %d outcomes are unknown; its rationale has to say why, or the check to decide more", id, n.Unknown, all)
			}
		}
	}
	if judged == 0 {
		t.Error("no check has outcomes")
	}
}
