package iam_test

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"assay/iam"
)

// object is a request as JSON.
type object = map[string]any

func clone(t *rapid.T, request []byte) object {
	var o object
	if err := json.Unmarshal(request, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// documentsOf lists every document of a request.
func documentsOf(o object) []object {
	var all []object
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case object:
			if _, ok := v["Statement"]; ok {
				all = append(all, v)
				return
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	for _, field := range []string{"identityPolicies", "resourcePolicy", "permissionBoundaries", "sessionPolicies", "scps", "rcps", "endpointPolicies"} {
		walk(o[field])
	}
	return all
}

func statementsOf(d object) []object {
	switch s := d["Statement"].(type) {
	case []any:
		var all []object
		for _, x := range s {
			all = append(all, x.(object))
		}
		return all
	case object:
		return []object{s}
	}
	return nil
}

func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

// TestLaws holds decisions to what must be so whatever AWS decides.
func TestLaws(t *testing.T) {
	l := iam.NewLines(data(t))
	decide := func(t *rapid.T, o object) string {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return answer(t, l, text).Decision
	}
	full := object{"Version": "2012-10-17", "Statement": []any{object{"Effect": "Allow", "Action": "*", "Resource": "*"}}}
	for _, law := range []struct {
		name string
		// change varies a request; it reports false when the law says nothing of it.
		change func(t *rapid.T, o object) bool
		holds  func(before, after string) bool
	}{
		{"a Deny more never grants", func(t *rapid.T, o object) bool {
			docs := documentsOf(o)
			if len(docs) == 0 {
				return false
			}
			from := statementsOf(rapid.SampledFrom(docs).Draw(t, "document"))
			if len(from) == 0 {
				return false
			}
			deny := object{}
			for k, v := range rapid.SampledFrom(from).Draw(t, "statement") {
				deny[k] = v
			}
			deny["Effect"] = "Deny"
			into := rapid.SampledFrom(docs).Draw(t, "into")
			if _, ok := into["Statement"].([]any); !ok {
				into["Statement"] = []any{into["Statement"]}
			}
			delete(deny, "Principal")
			delete(deny, "NotPrincipal")
			if slices.ContainsFunc(statementsOf(into), func(s object) bool { return s["Principal"] != nil || s["NotPrincipal"] != nil }) {
				deny["Principal"] = "*"
			}
			into["Statement"] = append(into["Statement"].([]any), deny)
			return true
		}, func(before, after string) bool {
			return before == "allowed" || before == "unknown" && after != "allowed" || strings.HasSuffix(before, "deny") && strings.HasSuffix(after, "deny")
		}},
		{"splitting a statement is neutral", func(t *rapid.T, o object) bool {
			split := false
			for _, d := range documentsOf(o) {
				var out []any
				for _, s := range statementsOf(d) {
					field := rapid.SampledFrom([]string{"Action", "Resource"}).Draw(t, "field")
					values := list(s[field])
					if s[field] == nil || len(values) < 2 {
						out = append(out, s)
						continue
					}
					split = true
					for _, v := range values {
						one := object{}
						for k, x := range s {
							one[k] = x
						}
						one[field] = v
						out = append(out, one)
					}
				}
				d["Statement"] = out
			}
			return split
		}, same},
		{"order is neutral", func(t *rapid.T, o object) bool {
			for _, d := range documentsOf(o) {
				if s, ok := d["Statement"].([]any); ok {
					slices.Reverse(s)
				}
			}
			for _, field := range []string{"identityPolicies", "scps", "rcps", "permissionBoundaries", "sessionPolicies", "endpointPolicies"} {
				if v, ok := o[field].([]any); ok {
					slices.Reverse(v)
				}
			}
			return true
		}, same},
		{"NotAction is the complement of Action", func(t *rapid.T, o object) bool {
			changed := false
			for _, d := range documentsOf(o) {
				for _, s := range statementsOf(d) {
					patterns := s["NotAction"]
					if patterns == nil {
						continue
					}
					rest := []any{}
					for _, action := range []string{"s3:get", "s3:getx", "s3:put", "sqs:get", "lambda:get"} {
						if !slices.ContainsFunc(list(patterns), func(p any) bool {
							named, err := path.Match(strings.ToLower(p.(string)), action)
							return named && err == nil
						}) {
							rest = append(rest, action)
						}
					}
					if len(rest) == 0 {
						rest = []any{"none:None"}
					}
					delete(s, "NotAction")
					s["Action"] = rest
					changed = true
				}
			}
			return changed
		}, same},
		{"a full-access level is neutral", func(t *rapid.T, o object) bool {
			stated := false
			for _, field := range []string{"scps", "rcps"} {
				if levels, ok := o[field].([]any); ok && (field == "scps" || len(levels) > 0) {
					o[field] = append(levels, []any{full})
					stated = true
				}
			}
			return stated
		}, same},
		{"names of accounts do not matter", func(t *rapid.T, o object) bool {
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			// The new names match what patterns of the generator ("1*", "?22222222222") match.
			renamed := strings.NewReplacer("111111111111", "133333333331", "222222222222", "322222222222").Replace(string(text))
			for k := range o {
				delete(o, k)
			}
			return json.Unmarshal([]byte(renamed), &o) == nil
		}, same},
		{"what is decided without a key is so with it", func(t *rapid.T, o object) bool {
			if complete, _ := o["contextComplete"].(bool); complete {
				return false
			}
			context, _ := o["context"].(object)
			if context == nil {
				context = object{}
				o["context"] = context
			}
			key := rapid.SampledFrom([]string{"aws:PrincipalTag/a", "aws:SourceIp", "aws:SecureTransport", "aws:MultiFactorAuthAge", "aws:CurrentTime", "aws:TagKeys"}).Draw(t, "key")
			for k := range context {
				if strings.EqualFold(k, key) {
					return false
				}
			}
			if by, _ := o["principal"].(string); strings.HasSuffix(by, ".amazonaws.com") && (key == "aws:MultiFactorAuthAge" || strings.HasPrefix(key, "aws:PrincipalTag/")) {
				return false // no service has a second factor or tags: the key is known to be absent
			}
			context[key] = []any{rapid.SampledFrom([]string{"a", "b", "10.0.0.1", "true", "false", "5", "2026-01-01T00:00:00Z", ""}).Draw(t, "value")}
			return true
		}, func(before, after string) bool {
			return before == "unknown" || before == after || before == "implicit-deny" && after == "explicit-deny"
		}},
	} {
		t.Run(law.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				o := clone(t, generated(t))
				before := decide(t, o)
				if !law.change(t, o) {
					return
				}
				if after := decide(t, o); !law.holds(before, after) {
					text, _ := json.Marshal(o)
					t.Fatalf("%s before, %s after\n%s", before, after, text)
				}
			})
		})
	}
}

func same(before, after string) bool { return before == after }
