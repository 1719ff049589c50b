package check_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/check"
)

// valid is a check without fault; the tests below spoil one field of it.
const valid = `id: TEST-CHECK
title: A title
severity: low
subject: AWS::Lambda::Function
applies: subject.PackageType == "Zip"
require: has(subject.KmsKeyArn)
message: has no key
rationale: because
source: https://docs.aws.amazon.com/x
establishes: {L-ENC-01: {how: decides, why: it is so}}
fix: {set: KmsKeyArn, value: k}
`

func TestFaultsHavePositions(t *testing.T) {
	_, lib := library(t)
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown_field", "message:", "mesage:", "c.yaml:7:1: field mesage not found"},
		{"severity", "severity: low", "severity: bad", `"bad" is not a severity`},
		{"yaml", "title: A title", "title: [A", "c.yaml:3:"},
		{"id", "id: TEST-CHECK", "id: test", `c.yaml:1:1: id "test": expected capitals`},
		{"missing", "message: has no key\n", "", "c.yaml:1:1: message is missing"},
		{"source", "https://docs", "docs", "source: expected the https address"},
		{"how", "how: decides", "how: perhaps", "c.yaml:10:1: establishes L-ENC-01: how: expected decides or supports"},
		{"edge", "decides, why", "decides, edge: roles, why", "c.yaml:10:1: establishes L-ENC-01: edge: no edge roles leads from functions to AWS::Lambda::Function"},
		{"subject", "AWS::Lambda::Function", "AWS::Lambda::Fun", `c.yaml:4:1: subject "AWS::Lambda::Fun" is not a type that the property schemas know`},
		{"misspelt_property", `subject.PackageType`, `subject.PackagType`, "c.yaml:5:17: applies: undefined field 'PackagType'"},
		{"misspelt_in_has", `has(subject.KmsKeyArn)`, `has(subject.KmsKey)`, "c.yaml:6:1: require: AWS.Lambda.Function has no property KmsKey"},
		{"not_boolean", `has(subject.KmsKeyArn)`, `subject.KmsKeyArn`, "c.yaml:6:1: require: expected true or false, not a string"},
		{"has_of_nothing", `has(subject.KmsKeyArn)`, `has(subject)`, "has() takes a property"},
		{"no_such_function", `has(subject.KmsKeyArn)`, `nope(subject)`, "undeclared reference to 'nope'"},
		{"no_such_relation", `has(subject.KmsKeyArn)`, `subject.widgets().size() == 0`, "undeclared reference to 'widgets'"},
		{"too_costly", `has(subject.KmsKeyArn)`, `subject.Layers.all(a, subject.Layers.all(b, subject.Layers.all(c, subject.Layers.all(d, subject.Layers.all(e, a == b)))))`, "nest fewer lists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(valid, tt.old) {
				t.Fatalf("%q is not in the valid check", tt.old)
			}
			var faults []string
			f, err := check.Parse("c.yaml", []byte(strings.Replace(valid, tt.old, tt.new, 1)))
			if err == nil {
				for _, e := range f.Lint() {
					faults = append(faults, e.Error())
				}
				if _, err = lib.Type(f); err != nil {
					faults = append(faults, err.Error())
				}
			} else {
				faults = append(faults, err.Error())
			}
			all := strings.Join(faults, "\n")
			if !strings.Contains(all, tt.want) {
				t.Errorf("expected %q, got %q", tt.want, all)
			}
		})
	}
}

func TestValidCheck(t *testing.T) {
	_, lib := library(t)
	f, err := check.Parse("c.yaml", []byte(valid))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]error(nil), f.Lint()); diff != "" {
		t.Error(diff)
	}
	if _, err := lib.Type(f); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	_, lib := library(f)
	f.Add([]byte(valid))
	f.Add([]byte("subject: AWS::Lambda::Function\nrequire: |\n  entries(subject.?Environment.?Variables.orValue({})).all(e, e.value != '')\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		file, err := check.Parse("c.yaml", data)
		if err != nil {
			return
		}
		file.Lint()
		if typed, err := lib.Type(file); err == nil {
			_, _ = lib.Load(typed)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	m, lib := library(b)
	p := program(b, lib, `subject.PackageType == "Zip"`, `subject.?Environment.?Variables.orValue({}).size() < 3 && has(subject.KmsKeyArn)`)
	r := scopeOf(b, m, `{"KmsKeyArn":"k","Environment":{"Variables":{"A":"b"}}}`).Resource("F")
	b.ReportAllocs()
	for b.Loop() {
		if got := p.Evaluate(r, check.Setting{AsOf: "2026-11-24"}).Outcome; got != check.Pass {
			b.Fatal(got)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	_, lib := library(b)
	f, err := check.Parse("c.yaml", []byte(valid))
	if err != nil {
		b.Fatal(err)
	}
	typed, err := lib.Type(f)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := lib.Load(typed); err != nil {
			b.Fatal(err)
		}
	}
}
