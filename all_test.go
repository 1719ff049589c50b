package assay_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pkg is what go list says of one package of ours.
type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,GoFiles", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// denied are the imports that the design forbids, each with its reason. Path
// patterns end in /... for everything below.
var denied = []struct {
	packages []string
	imports  []string
	why      string
}{
	{
		[]string{"assay/internal/estate", "assay/internal/check", "assay/internal/regime", "assay/iam"},
		[]string{"os", "net/http", "log/slog", "github.com/aws/aws-sdk-go-v2/..."},
		"the core is a function of values: bytes, clock and limits are handed in",
	},
	{
		[]string{"assay/internal/estate", "assay/iam"},
		[]string{"assay/..."},
		"the estate and the IAM engine stand on nothing of ours",
	},
	{
		[]string{"assay/internal/collect/..."},
		[]string{"assay/internal/check", "assay/internal/catalog", "assay/internal/assess", "assay/internal/report", "assay/internal/access", "assay/iam"},
		"collectors state facts and never judge",
	},
	{
		[]string{"assay/internal/collect/cloudformation/..."},
		[]string{"assay/internal/collect/terraform/..."},
		"collectors do not import each other",
	},
	{
		[]string{"assay/internal/collect/terraform/..."},
		[]string{"assay/internal/collect/cloudformation/..."},
		"collectors do not import each other",
	},
	{
		[]string{"assay/internal/collect/aws"},
		[]string{"assay/internal/collect/cloudformation/...", "assay/internal/collect/terraform/..."},
		"collectors do not import each other",
	},
	{
		[]string{"assay/internal/collect/cloudformation/...", "assay/internal/collect/terraform/...", "assay/internal/assess", "assay/internal/report", "assay/internal/access", "assay/internal/cli"},
		[]string{"github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/..."},
		"the SDK stays behind the collector of live accounts",
	},
	{
		[]string{"assay/internal/check"},
		[]string{"assay/internal/catalog", "assay/internal/collect/...", "assay/internal/assess", "assay/internal/access", "assay/iam", "assay/tables"},
		"the language knows the estate and nothing else",
	},
	{
		[]string{"assay/internal/catalog"},
		[]string{"assay/internal/estate", "assay/internal/collect/...", "assay/internal/assess"},
		"the catalogue loads and lints; it does not evaluate",
	},
	{
		[]string{"assay/internal/access"},
		[]string{"assay/internal/catalog", "assay/internal/collect/...", "assay/internal/assess", "assay/internal/report", "assay/tables"},
		"access turns an estate into questions, and is handed the tables",
	},
	{
		[]string{"assay/internal/regime"},
		[]string{"assay/internal/catalog", "assay/internal/collect/...", "assay/internal/assess", "assay/internal/access", "assay/internal/report", "assay/frameworks", "assay/tables", "assay/iam"},
		"regimes are judged by rules, a declaration and an estate, all of them handed in",
	},
	{
		[]string{"assay/internal/report"},
		[]string{"assay/internal/collect/...", "assay/internal/estate"},
		"reports see the messages of a run, never collectors",
	},
	{
		[]string{"assay/internal/assess"},
		[]string{"assay/internal/collect/aws", "assay/internal/collect/cloudformation/...", "assay/internal/collect/terraform/...", "assay/internal/report", "assay/internal/access", "assay/iam"},
		"the pipeline is handed its collectors and handlers",
	},
	{
		[]string{"assay/iam", "assay/internal/estate", "assay/internal/check", "assay/internal/access", "assay/internal/catalog", "assay/internal/regime", "assay/internal/collect/...", "assay/internal/assess", "assay/internal/report"},
		[]string{"assay/internal/cli", "assay/cmd/..."},
		"nobody imports the command line",
	},
}

func matches(pattern, name string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == below || strings.HasPrefix(name, below+"/")
	}
	return name == pattern
}

func TestImports(t *testing.T) {
	all := packages(t)
	exists := func(pattern string) bool {
		return !strings.HasPrefix(pattern, "assay/") || pattern == "assay/..." ||
			slices.ContainsFunc(all, func(p pkg) bool { return matches(pattern, p.ImportPath) })
	}
	for _, rule := range denied {
		for _, pattern := range slices.Concat(rule.packages, rule.imports) {
			if !exists(pattern) {
				t.Errorf("a rule names %s, which does not exist (%s)", pattern, rule.why)
			}
		}
		for _, p := range all {
			if !slices.ContainsFunc(rule.packages, func(pattern string) bool { return matches(pattern, p.ImportPath) }) {
				continue
			}
			for _, imported := range p.Imports {
				if slices.ContainsFunc(rule.imports, func(pattern string) bool { return matches(pattern, imported) }) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, rule.why)
				}
			}
		}
	}
}

func TestPackages(t *testing.T) {
	banned := []string{"util", "utils", "common", "helpers", "types", "shared", "misc", "base"}
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if slices.Contains(banned, path.Base(p.ImportPath)) {
			t.Errorf("%s: a package is called after what it is for", p.ImportPath)
		}
	}
}

// source reads every non-test Go file of ours.
func source(t *testing.T, f func(p pkg, name, text string)) {
	t.Helper()
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			data, err := os.ReadFile(p.Dir + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			f(p, p.ImportPath+"/"+name, string(data))
		}
	}
}

func TestFiles(t *testing.T) {
	initFunc := regexp.MustCompile(`(?m)^func init\(`)
	clock := regexp.MustCompile(`\btime\.Now\(`)
	source(t, func(p pkg, name, text string) {
		if n := strings.Count(text, "\n"); n > 800 {
			t.Errorf("%s has %d lines; split it by what its parts are for", name, n)
		}
		if initFunc.MatchString(text) {
			t.Errorf("%s has an init function; lists are explicit here", name)
		}
		if clock.MatchString(text) && p.ImportPath != "assay/internal/cli" {
			t.Errorf("%s reads the clock; the date is handed in", name)
		}
	})
}

func TestModule(t *testing.T) {
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "\nreplace ") {
		t.Error("go.mod replaces a module; others could not build us")
	}
}
