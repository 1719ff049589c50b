package aws

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/estate"
)

// show writes what was collected in short: a line for each resource with its
// properties, for each type that is not wholly read, and for each problem.
// Properties that no call gives are left out (TestUnread lists them). With
// types, only those are shown.
func show(t testing.TB, builders []*estate.Builder, types ...string) string {
	t.Helper()
	var b strings.Builder
	shown := func(typ string) bool { return len(types) == 0 || slices.Contains(types, typ) }
	for _, builder := range builders {
		scope := builder.Build(testModel(t))
		var lines []string
		resources := builder.Resources()
		slices.SortFunc(resources, func(a, b estate.Resource) int { return strings.Compare(a.Type+a.ID, b.Type+b.ID) })
		for _, r := range resources {
			if !shown(r.Type) {
				continue
			}
			line := r.Type + " " + r.ID
			if r.Exists != nil {
				line += " exists? " + jsonOf(r.Exists)
			}
			for _, f := range r.Properties.Fields() {
				if f.Value.Kind() == estate.KindUnknown && f.Value.Gap().Reason == reasonUnread {
					continue
				}
				line += "\n    " + f.Name + ": " + jsonOf(withoutUnread(f.Value))
			}
			lines = append(lines, line)
		}
		for _, c := range scope.Coverage() {
			if shown(c.Type) && c.Gap() {
				lines = append(lines, fmt.Sprintf("%s of %s: %s", c.State, c.Type, c.Reason))
			}
		}
		for _, p := range scope.Problems() {
			lines = append(lines, "problem: "+p.Message+hintOf(p))
		}
		if len(lines) > 0 {
			b.WriteString("# " + scope.ID + "\n" + strings.Join(lines, "\n") + "\n")
		}
	}
	return b.String()
}

func hintOf(p estate.Problem) string {
	if p.Hint == "" {
		return ""
	}
	return "; " + p.Hint
}

func jsonOf(v *estate.Value) string { return string(v.AppendJSON(nil)) }

// withoutUnread leaves out what no call gives, at any depth.
func withoutUnread(v *estate.Value) *estate.Value {
	return v.Rewrite(func(v *estate.Value) *estate.Value {
		if v.Kind() != estate.KindMap {
			return v
		}
		var kept []estate.Field
		for _, f := range v.Fields() {
			if f.Value.Kind() != estate.KindUnknown || f.Value.Gap().Reason != reasonUnread {
				kept = append(kept, f)
			}
		}
		return estate.Map(kept...)
	})
}

// resource finds what was collected by its type and name or identifier.
func resource(t testing.TB, builders []*estate.Builder, typ, name string) estate.Resource {
	t.Helper()
	for _, b := range builders {
		for _, r := range b.Resources() {
			if r.Type == typ && (r.ID == name || r.Address == name) {
				return r
			}
		}
	}
	t.Fatalf("no %s %s was collected", typ, name)
	return estate.Resource{}
}

// coverage is what is said of a type in the region of the tests.
func coverage(t testing.TB, builders []*estate.Builder, typ string) estate.Coverage {
	t.Helper()
	for _, b := range builders {
		for _, c := range b.Build(testModel(t)).Coverage() {
			if c.Type == typ {
				return c
			}
		}
	}
	t.Fatalf("nothing is said of %s", typ)
	return estate.Coverage{}
}

// sameText compares texts by their lines.
func sameText(t testing.TB, got, want string) {
	t.Helper()
	if diff := lineDiff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func lineDiff(want, got string) string {
	lines := func(text string) []string { return strings.Split(strings.Trim(text, "\n"), "\n") }
	return cmp.Diff(lines(want), lines(got))
}

// golden compares a text with testdata/NAME.golden.
func golden(t testing.TB, name, got string) {
	t.Helper()
	path := "testdata/" + name + ".golden"
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sameText(t, got, string(want))
}
