package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The fixture holds every kind of type and default, and what is to be left out.
func TestReduce(t *testing.T) {
	db, err := os.ReadFile("testdata/db.json")
	if err != nil {
		t.Fatal(err)
	}
	included := []service{{name: "Queue", types: "*"}, {name: "Part", types: "Other Lost"}}
	lines, remarks, err := reduce(db, included, []string{"AWS::Queue::Future", "AWS::Queue::Bare"})
	if err != nil {
		t.Fatal(err)
	}
	wantRemarks := []string{
		"AWS::Part::Lost: not in the database",
		"AWS::Queue::Future: not in the database yet",
		"AWS::Queue::Bare: in the database now, no longer awaited",
		"AWS::Queue::Line.Mode: default Bare is no string",
		"AWS::Queue::Line.Ratio: default 0.5 is no integer",
	}
	if diff := cmp.Diff(wantRemarks, remarks); diff != "" {
		t.Errorf("remarks (-want +got):\n%s", diff)
	}
	const golden = "testdata/cloudformation.jsonl"
	if *update {
		if err := os.WriteFile(golden, lines, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(lines), "\n")); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	for range 20 { // the order of maps must not show
		again, againRemarks, err := reduce(db, included, []string{"AWS::Queue::Future", "AWS::Queue::Bare"})
		if err != nil || string(again) != string(lines) || !cmp.Equal(againRemarks, remarks) {
			t.Fatalf("the same database gives other bytes (error: %v)", err)
		}
	}
}

func TestExpression(t *testing.T) {
	definitions := map[string]definition{
		"1": {ID: "1", Name: "Box", Properties: map[string]property{"Inner": {Type: typeRef{Kind: "ref", Reference: ref("1")}}}},
	}
	str, box := typeRef{Kind: "string"}, typeRef{Kind: "ref", Reference: ref("1")}
	for _, tc := range []struct {
		typ  typeRef
		want string
	}{
		{str, "string"},
		{typeRef{Kind: "integer"}, "integer"},
		{typeRef{Kind: "number"}, "number"},
		{typeRef{Kind: "boolean"}, "boolean"},
		{typeRef{Kind: "json"}, "json"},
		{typeRef{Kind: "date-time"}, "timestamp"},
		{typeRef{Kind: "tag"}, "Tag"},
		{box, "Box"},
		{list(str), "[]string"},
		{list(list(box)), "[][]Box"},
		{dict(typeRef{Kind: "json"}), "{}json"},
		{dict(list(str)), "{}[]string"},
		{union(str, typeRef{Kind: "json"}), "json|string"},
		{union(str, list(box), str), "[]Box|string"},
		{union(typeRef{Kind: "boolean"}, str), "boolean|string"},
		{list(union(str, typeRef{Kind: "integer"})), "[]string"},
		{dict(union(str, box)), "{}json"},
	} {
		r := newReducer(definitions)
		if got := r.expression(tc.typ); got != tc.want || r.err != nil {
			t.Errorf("expression is %q (error: %v), want %q", got, r.err, tc.want)
		}
	}
}

func TestExpressionErrors(t *testing.T) {
	definitions := map[string]definition{
		"1": {ID: "1", Name: "Box"},
		"2": {ID: "2", Name: "Box"},
		"3": {ID: "3", Name: "Tag"},
	}
	for _, tc := range []struct {
		typ  typeRef
		want string
	}{
		{typeRef{Kind: "colour"}, `unknown type "colour"`},
		{typeRef{Kind: "array"}, "a list or map without the type of its members"},
		{typeRef{Kind: "ref", Reference: ref("9")}, `no definition has the id "9"`},
		{union(typeRef{Kind: "ref", Reference: ref("1")}, typeRef{Kind: "ref", Reference: ref("2")}), "two definitions are called Box"},
		{union(typeRef{Kind: "tag"}, typeRef{Kind: "ref", Reference: ref("3")}), "two definitions are called Tag"},
		{union(typeRef{Kind: "ref", Reference: ref("3")}, typeRef{Kind: "tag"}), "two definitions are called Tag"},
	} {
		r := newReducer(definitions)
		r.expression(tc.typ)
		if r.err == nil || r.err.Error() != tc.want {
			t.Errorf("error is %v, want %s", r.err, tc.want)
		}
	}
}

func ref(id string) reference { return reference{ID: id} }

func list(element typeRef) typeRef { return typeRef{Kind: "array", Element: &element} }

func dict(element typeRef) typeRef { return typeRef{Kind: "map", Element: &element} }

func union(members ...typeRef) typeRef { return typeRef{Kind: "union", Types: members} }
