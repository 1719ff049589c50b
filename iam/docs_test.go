package iam_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/iam"
)

// section is a part of docs/iam.md, from its heading to the next.
func section(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/iam.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/iam.md has no section %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	return rest
}

// rows are the first two cells of a table's rows that begin with code.
func rows(text string) map[string]string {
	all := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| ([^|]*) \\|").FindAllStringSubmatch(text, -1) {
		all[m[1]] = m[2]
	}
	return all
}

// TestCodesAreDocumented holds the table of docs/iam.md to the codes and levels
// in the source.
func TestCodesAreDocumented(t *testing.T) {
	levels := map[string]string{}
	rank := []string{"suggestion", "warning", "error"}
	report := func(code, level string) {
		if slices.Index(rank, level) > slices.Index(rank, levels[code]) {
			levels[code] = level
		}
	}
	calls := map[string]*regexp.Regexp{
		// p.issue is always an error; v.issue states its level.
		"parse.go":         regexp.MustCompile(`(?:p\.issue\(|Issue\{\{)"([a-z-]+)"`),
		"validate.go":      regexp.MustCompile(`(?:v\.issue\(|Issue\{\{)"([a-z-]+)"(?:\+\w+)?, Level(\w+)`),
		"validate_text.go": regexp.MustCompile(`v\.issue\("([a-z-]+)", Level(\w+)`),
	}
	names := map[string]string{"Error": "error", "Warning": "warning", "Advice": "suggestion"}
	for file, call := range calls {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := call.FindAllStringSubmatch(string(src), -1)
		if want := strings.Count(string(src), ".issue(\"") + strings.Count(string(src), "Issue{{\""); len(found) != want {
			t.Errorf("%s: %d of %d reports are understood", file, len(found), want)
		}
		for _, m := range found {
			codes := []string{m[1]}
			switch m[1] {
			case "both-":
				codes = []string{"both-action", "both-resource", "both-principal"}
			case "redundant-":
				codes = []string{"redundant-action", "redundant-resource"}
			}
			for _, code := range codes {
				if len(m) == 2 {
					report(code, "error")
				} else {
					report(code, names[m[2]])
				}
			}
		}
	}
	if diff := cmp.Diff(levels, rows(section(t, "What validate reports"))); diff != "" {
		t.Errorf("(-source +docs/iam.md):\n%s", diff)
	}
}

// TestRulesAreDocumented: both readings of every contested rule are told.
func TestRulesAreDocumented(t *testing.T) {
	told := rows(section(t, "Contested rules"))
	for _, r := range iam.Rules() {
		if told[r.String()] == "" {
			t.Errorf("docs/iam.md does not tell of %s", r)
		}
		delete(told, r.String())
	}
	for r := range told {
		t.Errorf("docs/iam.md tells of %s, which is no rule", r)
	}
}

// TestExamplesOfTheDocument asks the requests that docs/iam.md shows.
func TestExamplesOfTheDocument(t *testing.T) {
	block := func(heading string) []string {
		_, rest, _ := strings.Cut(section(t, heading), "```json\n")
		text, _, _ := strings.Cut(rest, "\n```")
		return strings.Split(text, "\n")
	}
	l := iam.NewLines(data(t))
	var got []string
	for _, request := range block("Requests") {
		answer, err := l.Answer([]byte(request))
		if err != nil {
			t.Fatal(err)
		}
		if len(answer) > 0 {
			got = append(got, strings.TrimSpace(string(answer)))
		}
	}
	if diff := cmp.Diff(block("Answers"), got); diff != "" {
		t.Errorf("(-docs/iam.md +answered):\n%s", diff)
	}
}
