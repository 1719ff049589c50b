package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"assay/tables"
)

func TestPolicyFormats(t *testing.T) {
	for _, format := range PolicyFormats() {
		text, err := Policy(format, func(typ string) bool { return typ == "AWS::Lambda::Function" || typ == "AWS::KMS::Key" })
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "policy-"+format, text)
	}
	if _, err := Policy("yaml", nil); err == nil || err.Error() != `no format "yaml"; there are json, cloudformation, terraform` {
		t.Error(err)
	}
}

// TestActions: what is declared exists, changes nothing by its access level, and
// is none of what is never called.
func TestActions(t *testing.T) {
	level := map[string]string{}
	for line := range strings.Lines(string(tables.IAMActions())) {
		var s struct {
			Service string
			Actions [][]any // name, access level, …
		}
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		for _, a := range s.Actions {
			level[s.Service+":"+a[0].(string)] = a[1].(string)
		}
	}
	for _, action := range Actions(nil) {
		switch l, ok := level[action]; {
		case !ok:
			t.Errorf("AWS has no action %s", action)
		case l != "R" && l != "L":
			t.Errorf("%s is of level %s", action, l)
		case slices.Contains(never, action):
			t.Errorf("%s is never called, and declared", action)
		}
	}
	for _, action := range never {
		if _, ok := level[action]; !ok {
			t.Errorf("AWS has no action %s, which is denied", action)
		}
	}
	if !slices.IsSorted(never) {
		t.Error("never is not sorted")
	}
}

// TestDeclarations: a read can be made, its types have a schema, and what others
// name is looked for by one read only.
func TestDeclarations(t *testing.T) {
	type filled struct {
		typ     string
		account bool
	}
	by := map[filled]string{}
	read := map[string]bool{}
	var names []string
	for _, s := range services() {
		names = append(names, s.name)
		for _, r := range s.reads {
			if r.list == nil && r.named == nil || len(r.types) == 0 || len(r.actions) == 0 {
				t.Errorf("a read of %s is not whole: %v", s.name, r.types)
			}
			for i, action := range r.actions {
				if slices.Contains(r.actions[:i], action) {
					t.Errorf("a read of %s declares %s twice", s.name, action)
				}
			}
			for _, typ := range r.types {
				read[typ] = true
				if testModel(t).Schema(typ) == nil {
					t.Errorf("%s has no schema", typ)
				}
				if r.named == nil {
					continue
				}
				at := filled{typ, r.account}
				if other, twice := by[at]; twice && typ != "AWS::WAFv2::WebACLAssociation" { // which nothing names
					t.Errorf("%s is looked for by two reads, of %s and %s", typ, other, s.name)
				}
				by[at] = s.name
			}
		}
	}
	if len(names) != len(slices.Compact(slices.Sorted(slices.Values(names)))) {
		t.Errorf("a service is listed twice: %v", names)
	}
	for _, typ := range uncovered {
		if read[typ] {
			t.Errorf("%s is read, and called uncovered", typ)
		}
	}
}
