package iam_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"assay/iam"
)

// parsedObject reads a document that a test wrote.
func parsedObject(t *rapid.T, doc string) object {
	o := object{}
	if err := json.Unmarshal([]byte(doc), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func writtenObject(t *rapid.T, o object) string {
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// joined is a document with the statements of two that pass a filter.
func joined(t *rapid.T, a, b string, take func(from int, s object) bool) string {
	out := parsedObject(t, a)
	var all []any
	for i, doc := range []string{a, b} {
		for _, s := range parsedObject(t, doc)["Statement"].([]any) {
			if take(i, s.(object)) {
				all = append(all, s)
			}
		}
	}
	out["Statement"] = all
	return writtenObject(t, out)
}

// inOneVersion gives two documents one version, as joining them needs.
func inOneVersion(pair *tinyPair) {
	pair.a, pair.b = strings.ReplaceAll(pair.a, "2008-10-17", "2012-10-17"), strings.ReplaceAll(pair.b, "2008-10-17", "2012-10-17")
}

// TestRelations holds comparisons to what is so of every order by inclusion.
func TestRelations(t *testing.T) {
	d := tinyData(t)
	for _, law := range []struct {
		name       string
		principals bool
		// holds reports whether the law was seen to hold, and not just not to be
		// broken: some verdict may be unknown.
		holds func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool
	}{
		{"a policy is within itself", false, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			return proved(t, within, pair.a, pair.a)
		}},
		{"a policy of a resource is within itself", true, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			return proved(t, within, pair.a, pair.a)
		}},
		{"an Allow more never narrows", false, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			return proved(t, within, pair.a, joined(t, pair.a, pair.b, func(from int, s object) bool { return from == 0 || s["Effect"] == "Allow" }))
		}},
		{"a Deny more never widens", true, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			return proved(t, within, joined(t, pair.a, pair.b, func(from int, s object) bool { return from == 0 || s["Effect"] == "Deny" }), pair.a)
		}},
		{"what is within b is within what b is within", false, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			c := joined(t, pair.b, pair.a, func(from int, s object) bool { return from == 0 || s["Effect"] == "Allow" })
			if within(pair.a, pair.b) != iam.Proved || within(pair.b, c) != iam.Proved {
				return true
			}
			return proved(t, within, pair.a, c)
		}},
		{"what is allowed by either is within b when both are", false, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			if within(pair.a, pair.b) != iam.Refuted {
				return true
			}
			both := joined(t, pair.a, pair.b, func(from int, s object) bool { return from == 1 || s["Effect"] == "Allow" })
			v := within(both, pair.b)
			if v == iam.Proved && !strings.Contains(pair.b, "Deny") {
				t.Fatalf("what only one allows is gone\n%s\n%s", pair.a, pair.b)
			}
			return v != iam.Undecided
		}},
		{"splitting statements is neutral", true, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			return alike(t, within(pair.a, pair.b), within(split(t, pair.a), split(t, pair.b)), pair)
		}},
		{"names of accounts do not matter", true, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			rename := strings.NewReplacer("111111111111", "444455556666", "222222222222", "999988887777", "333333333333", "111122223333").Replace
			if strings.Contains(pair.a+pair.b, "::2*:") {
				return true // a pattern over the digits
			}
			return alike(t, within(pair.a, pair.b), within(rename(pair.a), rename(pair.b)), pair)
		}},
		{"order is neutral", false, func(t *rapid.T, pair *tinyPair, within func(a, b string) iam.Verdict) bool {
			return alike(t, within(pair.a, pair.b), within(reversed(t, pair.a), reversed(t, pair.b)), pair)
		}},
	} {
		t.Run(law.name, func(t *testing.T) {
			seen, all := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				pool := tinyKeys
				if law.principals {
					pool = callerKeys
				}
				pair := tiny(t, pool, law.principals)
				inOneVersion(&pair)
				all++
				if law.holds(t, &pair, func(a, b string) iam.Verdict {
					return iam.Within(compiled(t, d, a), compiled(t, d, b), d, iam.Limits{}).Verdict
				}) {
					seen++
				}
			})
			if 10*seen < 8*all {
				t.Errorf("seen to hold in %d of %d", seen, all)
			}
		})
	}
}

func proved(t *rapid.T, within func(a, b string) iam.Verdict, a, b string) bool {
	v := within(a, b)
	if v == iam.Refuted {
		t.Fatalf("refuted:\n%s\n%s", a, b)
	}
	return v == iam.Proved
}

// alike holds two verdicts on the same question to each other; one of them may
// be unknown.
func alike(t *rapid.T, before, after iam.Verdict, pair *tinyPair) bool {
	if before != after && before != iam.Undecided && after != iam.Undecided {
		t.Fatalf("%s before, %s after\n%s\n%s", before, after, pair.a, pair.b)
	}
	return before == after
}

// split makes one statement of every action and resource.
func split(t *rapid.T, doc string) string {
	o := parsedObject(t, doc)
	var out []any
	for _, s := range o["Statement"].([]any) {
		parts := []object{s.(object)}
		for _, field := range []string{"Action", "Resource"} {
			var finer []object
			for _, p := range parts {
				if p[field] == nil {
					finer = append(finer, p)
					continue
				}
				for _, v := range list(p[field]) {
					one := maps.Clone(p)
					one[field] = v
					finer = append(finer, one)
				}
			}
			parts = finer
		}
		for _, p := range parts {
			out = append(out, p)
		}
	}
	o["Statement"] = out
	return writtenObject(t, o)
}

func reversed(t *rapid.T, doc string) string {
	o := parsedObject(t, doc)
	all := o["Statement"].([]any)
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return writtenObject(t, o)
}

// TestCompareMirrored holds a comparison to the one the other way round.
func TestCompareMirrored(t *testing.T) {
	d := tinyData(t)
	mirror := map[iam.Relation]iam.Relation{iam.Narrower: iam.Broader, iam.Broader: iam.Narrower}
	j := newJudge(t, d, false)
	counts := map[iam.Relation]int{}
	rapid.Check(t, func(t *rapid.T) {
		pair := tiny(t, tinyKeys, false)
		a, b := compiled(t, d, pair.a), compiled(t, d, pair.b)
		one, other := iam.Compare(a, b, d, iam.Limits{}), iam.Compare(b, a, d, iam.Limits{})
		want := one.Relation
		if m, ok := mirror[want]; ok {
			want = m
		}
		if other.Relation != want && one.Relation != iam.NotCompared && other.Relation != iam.NotCompared {
			t.Fatalf("%s, the other way %s\n%s\n%s", one.Relation, other.Relation, pair.a, pair.b)
		}
		counts[one.Relation]++
		switch one.Apart.Verdict {
		case iam.Refuted:
			if r := j.request(t, one.Apart.Witness[0]); !j.allows(r, a) || !j.allows(r, b) {
				t.Fatalf("not allowed by both: %+v\n%s\n%s", one.Apart.Witness[0], pair.a, pair.b)
			}
		case iam.Proved:
			pair.requests([]string{tinyOwnUser}, func(spec iam.RequestSpec) bool {
				if r := j.request(t, spec); j.allows(r, a) && j.allows(r, b) {
					t.Fatalf("apart, but both allow %+v\n%s\n%s", spec, pair.a, pair.b)
				}
				return true
			})
		default:
		}
	})
	t.Log(counts)
}

// TestExcessAgrees holds the list of what goes beyond to the verdict.
func TestExcessAgrees(t *testing.T) {
	d := tinyData(t)
	for _, principals := range []bool{false, true} {
		j := newJudge(t, d, principals)
		pool := tinyKeys
		if principals {
			pool = callerKeys
		}
		rapid.Check(t, func(t *rapid.T) {
			pair := tiny(t, pool, principals)
			a, b := compiled(t, d, pair.a), compiled(t, d, pair.b)
			within := iam.Within(a, b, d, iam.Limits{}).Verdict
			list, proof := iam.Excess(a, b, d, iam.Limits{})
			alike(t, within, proof.Verdict, &pair)
			if proof.Verdict == iam.Proved && len(list) > 0 || proof.Verdict == iam.Refuted && len(list) == 0 {
				t.Fatalf("%s with %d residuals\n%s\n%s", proof.Verdict, len(list), pair.a, pair.b)
			}
			for _, r := range list {
				if q := j.request(t, r.Witness); !j.allows(q, a) || j.allows(q, b) {
					t.Fatalf("the witness is none: %+v\n%s\n%s", r.Witness, pair.a, pair.b)
				}
			}
		})
	}
}
