package collect_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/collect"
	"assay/internal/estate"
)

func TestFind(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"b.yaml", "a/x.json", "a/node_modules/y.json", "a/notes.md", "a/deep/z.template", ".git/c.yaml", "named.txt"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		paths []string
		want  string // names; a '!' marks a file that was named
		err   string
	}{
		{"folder", []string{"."}, "a/deep/z.template a/x.json b.yaml", ""},
		{"any_ending_when_named", []string{"named.txt"}, "!named.txt", ""},
		{"each_once_in_order", []string{"b.yaml", "a", "./b.yaml"}, "a/deep/z.template a/x.json !b.yaml", ""},
		{"stdin", []string{"-"}, "!-", ""},
		{"missing", []string{"none", "b.yaml"}, "!b.yaml", "none: no such file or folder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := collect.Find(tt.paths)
			var got []string
			for _, f := range found {
				mark := ""
				if f.Named {
					mark = "!"
				}
				got = append(got, mark+f.Name)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("expected the error %q, got %v", tt.err, err)
			}
		})
	}
}

func TestReadOfAFileThatWentAway(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := collect.Find([]string{"a.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove("a.yaml"); err != nil {
		t.Fatal(err)
	}
	if _, err := found[0].Read(nil); err == nil || err.Error() != "cannot be opened: no such file or directory" {
		t.Errorf("got %v", err)
	}
}

// TestEstateFileKeepsWhatItRead ends a file in the middle: the scopes before
// the fault are kept, and the fault is a scope of its own.
func TestEstateFileKeepsWhatItRead(t *testing.T) {
	data := `{"estate":{"version":1}}
{"scope":{"id":"one","format":"sam"}}
{"type":"AWS::IAM::Role","logicalId":"R","properties":{}}
{"scope":{"id":"two","format":"sam"}}
{"type":
`
	f := collect.File{Name: "e.jsonl", Data: []byte(data)}
	if !(collect.EstateFiles{}).Claims(f) {
		t.Fatal("not claimed")
	}
	m, err := estate.NewModel(estate.Tables{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range (collect.EstateFiles{}).Collect(context.Background(), f) {
		s := b.Build(m)
		line := s.ID
		for _, p := range s.Problems() {
			line += ": " + p.Message
		}
		got = append(got, line)
	}
	want := []string{"one", "e.jsonl: not a resource in JSON"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
