package cloudformation_test

import (
	"fmt"
	"strings"
	"testing"

	"assay/internal/estate"
)

// openFunctions are values that hang on a parameter without value.
var openFunctions = []string{
	`!Ref P`, `!Sub "a-${P}-b"`, `!Sub ["${x}${P}", {x: !Ref P}]`, `!Join ["-", [a, !Ref P]]`, `!Join ["-", !Split [",", !Ref P]]`,
	`!Select [0, !Split ["-", !Ref P]]`, `!Select [1, !Split ["-", !Sub "x-${P}"]]`, `!Select [0, !Ref L]`, `!Join [",", !Ref L]`,
	`!If [IsProd, yes, no]`, `!If [IsProd, !Ref P, default]`, `!If [Either, a, b]`, `!If [Neither, a, b]`, `!If [Same, a, b]`, `!If [Members, a, b]`,
	`!FindInMap [M, !Ref P, v]`, `!FindInMap [M, !Ref P, v, {DefaultValue: d}]`, `!FindInMap [M, prod, !Ref P, {DefaultValue: d}]`, `!Base64 {Ref: P}`,
	`!Join ["", [!FindInMap [M, !Ref P, v, {DefaultValue: d}], !If [IsProd, "1", "2"]]]`, `{Fn::ToJsonString: {a: !Ref P}}`,
	`!Join ["", [{Fn::Length: !Ref L}, "x"]]`, `!If [Short, a, b]`, `!Sub "{{resolve:ssm:${P}}}"`, `!Select [!Ref N, [a, b, c]]`,
}

// TestRefinement gives parameters values that they did not have: what was known
// without them must hold with each.
func TestRefinement(t *testing.T) {
	var text strings.Builder
	text.WriteString(`Transform: AWS::LanguageExtensions
Parameters: {P: {Type: String}, L: {Type: CommaDelimitedList}, N: {Type: Number}}
Mappings: {M: {prod: {v: p}, a: {v: A}}}
Conditions:
  IsProd: !Equals [!Ref P, prod]
  Either: !Or [!Condition IsProd, !Equals [!Ref P, a]]
  Neither: !Not [!Condition Either]
  Same: !Equals [!Ref P, !Sub "${P}"]
  Members: !Equals [!Select [0, !Ref L], !Select [1, !Ref L]]
  Short: !Equals [!Sub "x-${P}", "x-a"]
Resources:
`)
	for i, f := range openFunctions {
		fmt.Fprintf(&text, "  F%d: {Type: AWS::Lambda::Function, Properties: {Description: %s}}\n", i, f)
	}
	m := testModel(t)
	open := read(t, text.String()).Build(m)
	decided := 0
	for _, value := range []string{"prod", "a", "", "x-y", "*"} {
		for _, list := range []string{"a,b", "a,a", "prod"} {
			given := read(t, text.String(), "P="+value, "L="+list, "N=1").Build(m)
			for i, f := range openFunctions {
				name := fmt.Sprintf("F%d", i)
				before, after := open.Resource(name).Properties.Field("Description"), given.Resource(name).Properties.Field("Description")
				if after.Kind() == estate.KindUnknown || after.Kind() == estate.KindSecret {
					continue // CloudFormation refuses the value, or the text is withheld
				}
				decided++
				if !covers(before, after) {
					t.Errorf("%s: %v without values, %v with %q and %q", f, before, after, value, list)
				}
			}
		}
	}
	t.Logf("%d values hold", decided)
}

// covers reports whether a value that depends on open inputs may become another.
func covers(before, after *estate.Value) bool {
	switch before.Kind() {
	case estate.KindUnknown:
		return true
	case estate.KindOneOf:
		for _, c := range before.Cases() {
			if covers(c.Value, after) {
				return true
			}
		}
		return false
	}
	if before == nil || after == nil {
		return before == nil && after == nil
	}
	return estate.Matches(before, after) != estate.False
}
