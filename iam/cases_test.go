package iam_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/iam"
)

// decided is a line of testdata/cases-*.jsonl: a request, what AWS answers, and
// the document that says so.
type decided struct {
	ID        string
	Rule      string // of the semantics: b.2 is statements, b.3 conditions, …; see docs/iam.md
	Doc       string // the AWS page
	Why       string
	Request   json.RawMessage
	Want      string
	Gate      string
	Missing   []string
	Contested []string
}

// answered is an answer as [iam.Lines] writes it.
type answered struct {
	Decision, Gate     string
	Contested, Missing []string
}

func answer(t interface{ Fatalf(string, ...any) }, l *iam.Lines, request []byte) answered {
	out, err := l.Answer(request)
	if err != nil {
		t.Fatalf("%v\n%s", err, request)
	}
	var a answered
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return a
}

// TestCases holds decisions to the table of decided cases.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases-*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	l := iam.NewLines(data(t))
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(bytes.NewReader(text))
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			if len(bytes.TrimSpace(s.Bytes())) == 0 {
				continue
			}
			var c decided
			if err := json.Unmarshal(s.Bytes(), &c); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if c.Rule == "" || c.Doc == "" || c.Why == "" || seen[c.ID] {
				t.Errorf("%s: no rule, document or reason, or the id occurs twice", c.ID)
			}
			seen[c.ID] = true
			got := answer(t, l, c.Request)
			if c.Gate == "" {
				got.Gate = ""
			}
			for i, k := range got.Missing {
				got.Missing[i] = strings.ToLower(k)
			}
			want := answered{Decision: c.Want, Gate: c.Gate, Contested: c.Contested, Missing: c.Missing}
			for _, list := range []*[]string{&want.Contested, &want.Missing, &got.Contested, &got.Missing} {
				slices.Sort(*list)
				if len(*list) == 0 {
					*list = nil
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (%s, %s; -want +got):\n%s", c.ID, c.Rule, c.Why, diff)
			}
		}
	}
	if len(seen) < 400 {
		t.Errorf("%d cases; expected at least 400", len(seen))
	}
	t.Logf("%d cases", len(seen))
}
