package sam

import (
	"strings"
	"testing"

	"assay/internal/estate"
)

// TestHash compares with hashes that AWS's LogicalIdGenerator makes.
func TestHash(t *testing.T) {
	v, err := estate.ParseJSON([]byte(`{"b": [1, 2.5, true, null], "a": "é\u2028\"\\/\n<&>` + "\x7f" + `😀", "c": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hashed("Stem", v), "Stem70eab55a72"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := hashed("Stem", object{"a": ref("R")}.value()); got != "Stem" {
		t.Errorf("what is not known gives %s, want the stem", got)
	}
	for suffix, want := range map[string]string{"": "Api", "Prod": "ApiProd", "prod-1": "Api4056a32ed5"} {
		if got := suffixed("Api", suffix); got != want {
			t.Errorf("suffixed(%q) = %s, want %s", suffix, got, want)
		}
	}
}

func TestWildcards(t *testing.T) {
	for path, want := range map[string]string{
		"/a/{id}/b": "/a/*/b", "/{proxy+}": "/*", "/{a b}": "/{a b}", "/{": "/{", "/{}": "/{}", "": "",
	} {
		if got := wildcards(path); got != want {
			t.Errorf("wildcards(%q) = %q, want %q", path, got, want)
		}
	}
}

// TestConnectorTable holds connectors.txt to its form: a line that is not read
// would be a permission that is not seen.
func TestConnectorTable(t *testing.T) {
	lines := 0
	for _, g := range grants() {
		for _, one := range g {
			lines++
			if one.permission != "Read" && one.permission != "Write" || len(one.actions) == 0 || len(one.resources) == 0 {
				t.Errorf("malformed: %+v", one)
			}
		}
	}
	want := 0
	for line := range strings.Lines(connectorTable) {
		if strings.Contains(line, "|") && !strings.HasPrefix(line, "#") {
			want++
		}
	}
	if lines != want || lines == 0 {
		t.Errorf("read %d of %d lines", lines, want)
	}
}

func TestManagedPolicies(t *testing.T) {
	for name, want := range map[string]string{
		"AWSLambdaBasicExecutionRole": "service-role/AWSLambdaBasicExecutionRole", "AmazonS3FullAccess": "AmazonS3FullAccess",
	} {
		if got := managedByName()[name]; got != want {
			t.Errorf("%s is at %q, want %q", name, got, want)
		}
	}
}
