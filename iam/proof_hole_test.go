package iam_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"assay/iam"
)

// holeMarks are texts that stand for holes in generated documents, with what
// those may hold. Texts with wildcards are for holes that may be any text.
var holeMarks = []struct {
	mark     string
	kind     iam.HoleKind
	fillings []string
}{
	{"O0", iam.OpenHole, []string{"", "a", "b", "ab", "*", "a*", "?", "A", "a:b"}},
	{"O1", iam.OpenHole, []string{"", "a", "b", "*", "*b"}},
	{"S0", iam.SegmentHole, []string{"a", "b", "ab", "A"}},
	{"C0", iam.AccountHole, []string{"1", "2"}},
}

// withHoles puts holes, or what they hold, in the place of their marks.
func withHoles(doc *iam.Document, text func(mark int) string) *iam.Document {
	fill := func(s string) string {
		for i := range holeMarks {
			s = strings.ReplaceAll(s, holeMarks[i].mark, text(i))
		}
		return s
	}
	texts := func(t *iam.Texts) *iam.Texts {
		if t == nil {
			return nil
		}
		out := &iam.Texts{Single: t.Single}
		for _, v := range t.Values {
			out.Values = append(out.Values, iam.Text{Value: fill(v.Value)})
		}
		return out
	}
	out := *doc
	out.Statements = slices.Clone(doc.Statements)
	for i := range out.Statements {
		s := &out.Statements[i]
		s.Action, s.NotAction, s.Resource, s.NotResource = texts(s.Action), texts(s.NotAction), texts(s.Resource), texts(s.NotResource)
		s.Condition = slices.Clone(s.Condition)
		for j := range s.Condition {
			s.Condition[j].Values = *texts(&s.Condition[j].Values)
		}
	}
	return &out
}

// What is decided about policies of which parts are not known holds whatever
// those are: texts, statements and conditions that may not be there.
func TestProofsWithHoles(t *testing.T) {
	d := tinyData(t)
	j := newJudge(t, d, false)
	var v, filled verdicts
	resources := []string{"*", "arn:aws:t:::O0", "arn:aws:t:::aO0", "arn:aws:t:::aO0*", "arn:aws:t:::O0/O1", "arn:aws:t:::S0*", "arn:aws:t:::*S0", "arn:aws:t:r:C0:a", "arn:aws:t:*:C0:*", "arn:aws:t:::a*", "arn:aws:t:r:1:a", "arn:aws:t:S0:1:a", "arn:aws:t:::?"}
	actions := []string{"t:*", "t:Get", "t:GO0", "t:*", "t:G*", "O1:Get", "t:S0*"}
	values := []string{"O0", "aO0", "a*", "aO1*", "S0", "a", "A", "*S0*"}
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{t: t}
		document := func() *iam.Document {
			doc := &iam.Document{Version: iam.Version2012}
			if g.coin(2) {
				doc.Version = iam.Version2008
			}
			list := func(from []string) *iam.Texts {
				out := &iam.Texts{}
				for range genPick(g, 1, 1, 2) {
					out.Values = append(out.Values, iam.Text{Value: genPick(g, from...)})
				}
				return out
			}
			for range genPick(g, 1, 1, 2, 3) {
				s := iam.Statement{Effect: iam.Allow, Action: list(actions), Resource: list(resources), Open: g.coin(3)}
				if g.coin(2) {
					s.Effect = iam.Deny
				}
				if g.coin(3) {
					s.NotResource, s.Resource = s.Resource, nil
				}
				if g.coin(1) {
					s.Condition = append(s.Condition, iam.Condition{
						Operator: genPick(g, "StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIgnoreCase"), Key: "t:str", Values: *list(values), Open: g.coin(3),
					})
				}
				doc.Statements = append(doc.Statements, s)
			}
			return doc
		}
		da := document()
		db := document()
		if !g.coin(1) { // often the same but for a part
			db = &iam.Document{Version: da.Version, Statements: append(slices.Clone(da.Statements), db.Statements...)}
			if g.coin(1) {
				da, db = db, da
			}
		}
		hole := func(i int) string { return iam.Hole(holeMarks[i].kind, i) }
		a, b := iam.Compile("a", withHoles(da, hole), d), iam.Compile("b", withHoles(db, hole), d)
		p := iam.Within(a, b, d, iam.Limits{})
		v.note(p)
		if p.Verdict == iam.Undecided {
			return
		}
		for range 4 {
			chosen := make([]string, len(holeMarks))
			for i := range chosen {
				chosen[i] = genPick(g, holeMarks[i].fillings...)
			}
			here := map[int]bool{}
			fill := func(doc *iam.Document) *iam.Document {
				out := withHoles(doc, func(i int) string { return chosen[i] })
				var kept []iam.Statement
				for i, s := range out.Statements {
					// A statement that both documents begin with is there in both or in none.
					if at := min(i, 90); s.Open {
						if _, ok := here[at]; !ok {
							here[at] = g.coin(1)
						}
						if !here[at] {
							continue
						}
					}
					s.Open = false
					s.Condition = slices.DeleteFunc(slices.Clone(s.Condition), func(c iam.Condition) bool { return c.Open && g.coin(1) })
					for j := range s.Condition {
						s.Condition[j].Open = false
					}
					kept = append(kept, s)
				}
				out.Statements = kept
				return out
			}
			fa, fb := iam.Compile("a", fill(da), d), iam.Compile("b", fill(db), d)
			q := iam.Within(fa, fb, d, iam.Limits{})
			filled.note(q)
			say := func() string {
				ta, _ := fa.Document.MarshalJSON()
				tb, _ := fb.Document.MarshalJSON()
				return fmt.Sprintf("holes hold %q\n%s\n%s\n%+v\n%+v", chosen, ta, tb, p, q)
			}
			if p.Verdict == iam.Proved && q.Verdict == iam.Refuted || p.Verdict == iam.Refuted && q.Verdict == iam.Proved {
				t.Fatalf("%s with holes, %s with\n%s", p.Verdict, q.Verdict, say())
			}
			if p.Verdict == iam.Refuted {
				spec := p.Witness[0]
				put := func(s string) string {
					for i := range holeMarks {
						s = strings.ReplaceAll(s, hole(i), chosen[i])
					}
					return s
				}
				spec.Resource, spec.Action = put(spec.Resource), put(spec.Action)
				context := map[string][]string{}
				for k, values := range spec.Context {
					for _, s := range values {
						context[k] = append(context[k], put(s))
					}
				}
				spec.Context = context
				if r := j.request(t, spec); !j.allows(r, fa) || j.allows(r, fb) {
					t.Fatalf("the witness is none when %+v\n%s", spec, say())
				}
			}
		}
	})
	t.Logf("with holes: %s; filled: %s", v.String(), filled.String())
	if v.count[iam.Proved] == 0 || v.count[iam.Refuted] == 0 {
		t.Error("nothing was decided with holes")
	}
}

// A policy that was not read may say anything.
func TestProofsUnread(t *testing.T) {
	d := tinyData(t)
	some := policy(t, d, allow(`"Resource":"*"`))
	for _, c := range []struct {
		name string
		a, b *iam.Policy
	}{{"within one", some, iam.Unread("x")}, {"it within some", iam.Unread("x"), some}} {
		if p := iam.Within(c.a, c.b, d, iam.Limits{}); p.Verdict != iam.Undecided || p.Reason == "" {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}
