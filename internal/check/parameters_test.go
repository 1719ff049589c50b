package check_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/internal/check"
)

const declaration = `parameters:
  - {name: days, type: integer, strict: min, default: 90, meaning: m, regimes: {a: {value: 365, requirement: "1", fixed: true, why: w}, b/high: {value: 400, requirement: "2", why: w}}}
  - {name: age, type: integer, strict: max, default: 90, meaning: m, regimes: {a: {value: 30, requirement: "1", fixed: true, why: w}, b: {value: 60, requirement: "2", why: w}}}
  - {name: accounts, type: texts, strict: subset, meaning: m, regimes: {a: {value: [x, y], requirement: "3", fixed: true, why: w}}}
  - {name: tags, type: texts, strict: union, default: [Owner], meaning: m, regimes: {a: {value: [Class], requirement: "4", fixed: true, why: w}}}
  - {name: pattern, type: text, meaning: m}
  - {name: tls, type: number, strict: min, default: 1.2, meaning: m}
  - {name: boundary, type: boolean, strict: min, default: false, meaning: m, regimes: {a: {value: false, requirement: "5", why: w}, b: {value: true, requirement: "6", fixed: true, why: w}}}
`

func TestResolve(t *testing.T) {
	declared, err := check.ParseParameters("p.yaml", []byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, regimes, profile string
		want                   map[string]string
	}{
		{"defaults", "", "", map[string]string{"days": "90 default", "age": "90 default", "accounts": "(absent) default", "tags": "[Owner] default", "tls": "1.2 default"}},
		{"a_regime", "a", "", map[string]string{"days": "365 a 1", "age": "30 a 1", "accounts": "[x, y] a 3", "tags": "[Class] a 4"}},
		{"the_strictest_of_two", "a b/high", "", map[string]string{"days": "400 b/high 2", "age": "30 a 1"}},
		{"a_framework_alone_is_not_its_profile", "b", "", map[string]string{"days": "90 default", "age": "60 b 2"}},
		{"a_profile_of_a_framework_is_the_framework", "b/high", "", map[string]string{"age": "60 b 2"}},
		{"own_values", "", "{days: 30, age: 100, accounts: [z], pattern: ^x}", map[string]string{"days": "30 profile own", "age": "100 profile own", "accounts": "[z] profile own", "pattern": "^x profile own"}},
		{"own_values_do_not_loosen_what_is_fixed", "a", "{days: 30, age: 100}", map[string]string{"days": "365 a 1", "age": "30 a 1"}},
		{"own_values_tighten", "a", "{days: 3653, age: 7}", map[string]string{"days": "3653 profile own", "age": "7 profile own"}},
		{"own_values_replace_what_is_customary", "b/high", "{days: 30, age: 100}", map[string]string{"days": "30 profile own", "age": "100 profile own"}},
		{"equal", "a", "{days: 365}", map[string]string{"days": "365 profile own, a 1"}},
		{"true_asks_for_more", "a b", "{boundary: false}", map[string]string{"boundary": "true b 6"}},
		{"false_is_a_value", "a", "", map[string]string{"boundary": "false a 5"}},
		{"sets", "a", "{accounts: [y, z], tags: [Owner]}", map[string]string{"accounts": "[y] profile own, a 3", "tags": "[Owner, Class] profile own, a 4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var profile *check.Profile
			if tt.profile != "" {
				if profile, err = check.ParseProfile("own.yaml", []byte("profile: own\nparameters: "+tt.profile), declared); err != nil {
					t.Fatal(err)
				}
			}
			values, err := check.Resolve(declared, strings.Fields(tt.regimes), profile)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name := range tt.want {
				got[name] = values[name].Value.String() + " " + strings.Join(values[name].By, ", ")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestResolveIsMonotone: one more regime never asks for less.
func TestResolveIsMonotone(t *testing.T) {
	declared, err := check.ParseParameters("p.yaml", []byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		profile := &check.Profile{Name: "own", Values: map[string]any{}}
		if rapid.Bool().Draw(t, "has days") {
			profile.Values["days"] = rapid.IntRange(1, 500).Draw(t, "days")
		}
		if rapid.Bool().Draw(t, "has age") {
			profile.Values["age"] = rapid.IntRange(1, 500).Draw(t, "age")
		}
		regimes := []string{}
		for _, id := range []string{"a", "b", "b/high"} {
			if rapid.Bool().Draw(t, id) {
				regimes = append(regimes, id)
			}
		}
		if len(regimes) == 0 {
			return // the default is nobody's demand
		}
		before, err := check.Resolve(declared, regimes[:1], profile)
		if err != nil {
			t.Fatal(err)
		}
		after, err := check.Resolve(declared, regimes, profile)
		if err != nil {
			t.Fatal(err)
		}
		if before["days"].By[0] != "default" && after["days"].Value.AsInt() < before["days"].Value.AsInt() {
			t.Fatalf("days: %v became %v", before["days"], after["days"])
		}
		if before["age"].By[0] != "default" && after["age"].Value.AsInt() > before["age"].Value.AsInt() {
			t.Fatalf("age: %v became %v", before["age"], after["age"])
		}
	})
}

func TestParameterFaults(t *testing.T) {
	declared, err := check.ParseParameters("p.yaml", []byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ profile, want string }{
		{"profile: own\nparameters:\n  dais: 3\n", "own.yaml:3:3: there is no parameter dais; did you mean days?"},
		{"profile: own\nparameters:\n  unheard_of: 3\n", "own.yaml:3:3: there is no parameter unheard_of; assay checks parameters lists them"},
		{"profile: own\nparameters:\n  days: many\n", "own.yaml:3:3: days: expected a whole number, not many"},
		{"profile: own\nparameters:\n  days:\n", "own.yaml:3:3: days: a value is missing; leave the parameter out to keep its default"},
		{"profile: own\nparameters:\n  accounts: [1]\n", "own.yaml:3:3: accounts: expected a list of texts in quotes, not [1]"},
		{"parameters: {}\n", "own.yaml:1:1: profile is missing: the name that findings call this profile by"},
		{"profile: own\nparameter: {}\n", "own.yaml:2:1: field parameter not found in type"},
	} {
		_, err := check.ParseProfile("own.yaml", []byte(tt.profile), declared)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %s", tt.profile, err, tt.want)
		}
	}
	for _, tt := range []struct{ declaration, want string }{
		{"{name: Days, type: integer, meaning: m}", "expected a name such as"},
		{"{name: days, type: int, meaning: m}", `type "int"`},
		{"{name: days, type: text, strict: min, meaning: m}", "min is for numbers"},
		{"{name: days, type: integer, strict: union, meaning: m}", "union is for texts"},
		{"{name: days, type: integer, default: x, meaning: m}", "expected a whole number"},
		{"{name: days, type: integer, meaning: m, regimes: {a: {value: 1, requirement: r, why: w}}}", "which value asks for more"},
		{"{name: days, type: integer, strict: min, meaning: m, regimes: {a: {value: 1, why: w}}}", "the requirement that asks"},
		{"{name: days, type: integer}", "meaning is missing"},
	} {
		if _, err := check.ParseParameters("p.yaml", []byte("parameters:\n  - "+tt.declaration)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.declaration, err, tt.want)
		}
	}
}

func TestParam(t *testing.T) {
	m, l := library(t)
	declared, err := check.ParseParameters("p.yaml", []byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Declare(declared); err != nil {
		t.Fatal(err)
	}
	for require, want := range map[string]check.Outcome{
		`subject.Timeout >= param("days")`:                               check.Fail,
		`subject.Timeout < param("age")`:                                 check.Pass,
		`param("tls") > 1.1`:                                             check.Pass,
		`"Owner" in param("tags")`:                                       check.Pass,
		`param("tags").all(t, t != "x")`:                                 check.Pass,
		`!stated("accounts")`:                                            check.Pass,
		`"x" in param("accounts")`:                                       check.Unknown,
		`!stated("accounts") || "x" in param("accounts")`:                check.Pass,
		`stated("pattern") && subject.Handler.matches(param("pattern"))`: check.Fail,
	} {
		got := program(t, l, "", require).Evaluate(scopeOf(t, m, `{"Timeout":3}`).Resource("F"), check.Setting{})
		if got.Outcome != want || got.Err != nil {
			t.Errorf("%s: got %+v, want %s", require, got, want)
		}
		if want != check.Pass && len(got.Parameters) == 0 {
			t.Errorf("%s: no parameter is named", require)
		}
	}
	for require, want := range map[string]string{
		`subject.Timeout > param("dais")`:  "there is no parameter dais; did you mean days?",
		`param(subject.Runtime) == 1`:      "a name that is written out",
		`subject.Handler == param("days")`: "no matching overload",
	} {
		f, err := check.Parse("T.yaml", []byte("id: TEST-CHECK\nsubject: AWS::Lambda::Function\nrequire: '"+require+"'\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Type(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", require, err, want)
		}
	}
}
