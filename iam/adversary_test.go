package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"assay/iam"
)

// adversaries are policies that blow up methods of proof: what the first of a
// pair allows, and whether the second allows it.
func adversaries() []struct{ name, a, b string } {
	on := func(resources ...string) string {
		return allow(`"Resource":["` + strings.Join(resources, `","`) + `"]`)
	}
	run := func(n int, f func(i int) string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = f(i)
		}
		return out
	}
	letter := func(i int) string { return string(rune('a'+i%26)) + fmt.Sprint(i/26) }
	deniesOf := func(n int, condition func(i int) string) string {
		list := []string{`{"Effect":"Allow","Action":"t:*","Resource":"*"}`}
		for i := range n {
			list = append(list, fmt.Sprintf(`{"Effect":"Deny","Action":"t:*","Resource":"arn:aws:t:::*%s*","Condition":{%s}}`, letter(i), condition(i)))
		}
		return statements(list...)
	}
	return []struct{ name, a, b string }{
		{"many parts", on("arn:aws:t:::*" + strings.Join(run(30, letter), "*") + "*"), on("arn:aws:t:::*" + strings.Join(run(29, letter), "*") + "?*")},
		{"a letter far from the end", on("arn:aws:t:::*a????????????????"), on("arn:aws:t:::*b????????????????", "arn:aws:t:::*c????????????????")},
		{"letters far from the end", on("arn:aws:t:::*?a????????????????"), on(run(8, func(i int) string { return "arn:aws:t:::*" + string(rune('a'+i)) + "?????????????????" })...)},
		{"parts in any order", on("arn:aws:t:::*"), on(run(20, func(i int) string { return "arn:aws:t:::*" + letter(i) + "*" })...)},
		{"parts that exclude each other", deniesOf(20, func(int) string { return `"Null":{"t:str":"false"}` }), on(run(20, func(i int) string { return "arn:aws:t:::*" + letter(i) + "*" })...)},
		{"conditioned denies", allow(`"Resource":"*"`), deniesOf(200, func(i int) string { return fmt.Sprintf(`"StringLike":{"aws:PrincipalTag/%d":"*%s*"}`, i%20, letter(i)) })},
		{"conditioned denies in both", deniesOf(200, func(i int) string { return fmt.Sprintf(`"StringLike":{"aws:PrincipalTag/%d":"*%s*"}`, i%20, letter(i)) }), deniesOf(200, func(i int) string { return fmt.Sprintf(`"StringLike":{"aws:PrincipalTag/%d":"*%s*"}`, i%20, letter(i)) })},
		{"every choice of twenty keys", statements(run(20, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Allow","Action":"t:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/%d":"a","aws:PrincipalTag/%d":"b"}}}`, i, (i+1)%20)
		})...), statements(run(20, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Allow","Action":"t:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/%d":"a","aws:PrincipalTag/%d":"b"}}}`, i, (i+7)%20)
		})...)},
		{"hundreds of resources", on(run(400, func(i int) string { return fmt.Sprintf("arn:aws:t:::%d-*", i) })...), on(run(400, func(i int) string { return fmt.Sprintf("arn:aws:t:::%d*", 399-i) })...)},
		{"hundreds of actions", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*","Action":["` + strings.Join(run(200, func(i int) string { return "t:*" + letter(i) + "*" }), `","`) + `"]}}`,
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*","Action":["` + strings.Join(run(200, func(i int) string { return "t:*" + letter(199-i) + "?*" }), `","`) + `"]}}`},
	}
}

// TestWithinLimits: what cannot be decided within the limits is unknown, with the
// limit named, and a witness is one.
func TestWithinLimits(t *testing.T) {
	d := tinyData(t)
	j := newJudge(t, d, false)
	for _, c := range adversaries() {
		t.Run(c.name, func(t *testing.T) {
			a, b := policy(t, d, c.a), policy(t, d, c.b)
			p := iam.Within(a, b, d, iam.Limits{Work: 500_000, States: 5_000})
			t.Logf("%s %s", p.Verdict, p.Reason)
			switch {
			case p.Verdict == iam.Undecided && !strings.Contains(p.Reason, "limit"):
				t.Errorf("no limit is named: %+v", p)
			case p.Verdict == iam.Refuted:
				if r := j.request(t, p.Witness[0]); !j.allows(r, a) || j.allows(r, b) {
					t.Errorf("the witness is none: %+v", p.Witness[0])
				}
			}
		})
	}
}

// BenchmarkWithin compares managed policies: one of a sample of 200 with all of
// them, the next each time.
func BenchmarkWithin(b *testing.B) {
	b.Run("managed", func(b *testing.B) {
		d := data(b)
		list := sampleOf(b, d, 200)
		var v verdicts
		n, row := 0, 0
		for b.Loop() {
			for _, q := range list {
				v.note(iam.Within(list[row%len(list)], q, d, iam.Limits{}))
				n++
			}
			row++
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/pair")
		for verdict, of := range v.count {
			b.ReportMetric(100*float64(of)/float64(n), "%"+verdict.String())
		}
	})
	d := tinyData(b)
	for _, c := range adversaries() {
		b.Run(strings.ReplaceAll(c.name, " ", "-"), func(b *testing.B) {
			p, q := policy(b, d, c.a), policy(b, d, c.b)
			b.ReportAllocs()
			for b.Loop() {
				iam.Within(p, q, d, iam.Limits{})
			}
		})
	}
}
