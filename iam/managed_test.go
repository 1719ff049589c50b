package iam_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/iam"
)

var managedSample = flag.Int("managed", 24, "how many of AWS's managed policies are compared, all pairs of them; 200 take some minutes")

// sampleOf takes policies that AWS manages, evenly over the list.
func sampleOf(t testing.TB, d *iam.Data, n int) []*iam.Policy {
	t.Helper()
	var all []*iam.Policy
	total := 0
	d.ManagedPolicies(func(string, []byte) bool { total++; return true })
	i := 0
	d.ManagedPolicies(func(arn string, doc []byte) bool {
		if i++; i*n/total == (i-1)*n/total {
			return true
		}
		parsed, err := iam.Parse(doc)
		if err != nil {
			t.Fatalf("%s: %v", arn, err)
		}
		all = append(all, iam.Compile(arn, parsed, d))
		return true
	})
	return all
}

// TestManagedPairs compares every pair of a sample, both ways, and attacks what
// is proved with requests made of the policies' own texts.
func TestManagedPairs(t *testing.T) {
	d := data(t)
	list := sampleOf(t, d, *managedSample)
	j := newJudge(t, d, false)
	random := rand.New(rand.NewPCG(1, 2))
	var v verdicts
	var times []time.Duration
	for _, a := range list {
		for _, b := range list {
			start := time.Now()
			p := iam.Within(a, b, d, iam.Limits{})
			times = append(times, time.Since(start))
			v.note(p)
			switch {
			case a == b && p.Verdict != iam.Proved:
				t.Errorf("%s is not within itself: %+v", a.Name, p)
			case p.Verdict == iam.Refuted:
				if r := j.request(t, p.Witness[0]); !j.allows(r, a) || j.allows(r, b) {
					t.Errorf("%s within %s: the witness is none: %+v", a.Name, b.Name, p.Witness[0])
				}
			case p.Verdict == iam.Proved && a != b:
				v.tried += attack(t, j, random, a, b, 300)
			}
		}
	}
	slices.Sort(times)
	n := len(times)
	t.Logf("%d pairs of %d policies: %s; median %v, 99%% %v, most %v", n, len(list), v.String(), times[n/2], times[n*99/100], times[n-1])
	if 100*v.count[iam.Undecided] > n {
		t.Errorf("%d of %d are not decided", v.count[iam.Undecided], n)
	}
}

// textsOf are what policies have in them, for requests that come near to it.
func textsOf(policies ...*iam.Policy) (actions, resources []string, keys map[string][]string) {
	keys = map[string][]string{}
	add := func(list *[]string, from ...*iam.Texts) {
		for _, f := range from {
			if f == nil {
				continue
			}
			for _, v := range f.Values {
				*list = append(*list, v.Value)
			}
		}
	}
	for _, p := range policies {
		for i := range p.Document.Statements {
			s := &p.Document.Statements[i]
			add(&actions, s.Action, s.NotAction)
			add(&resources, s.Resource, s.NotResource)
			for _, c := range s.Condition {
				list := keys[c.Key]
				add(&list, &c.Values)
				keys[c.Key] = list
			}
		}
	}
	return actions, resources, keys
}

var wildcardFillings = []string{"", "a", "x", "ab", "1", "a/b", "aws", "111122223333", "us-east-1", "Tag", "Object"}

// near fills the wildcards of a pattern, and seldom spoils it.
func near(random *rand.Rand, pattern string) string {
	var b strings.Builder
	for _, r := range pattern {
		switch {
		case r == '*':
			b.WriteString(wildcardFillings[random.IntN(len(wildcardFillings))])
		case r == '?':
			b.WriteByte("abx1"[random.IntN(4)])
		case random.IntN(60) == 0:
			b.WriteRune('x')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// attack tries to refute a proof by requests near to what the policies name. It
// reports how many of them the first policy allowed.
func attack(t *testing.T, j *judge, random *rand.Rand, a, b *iam.Policy, tries int) (allowed int) {
	t.Helper()
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	own, ownResources, _ := textsOf(a)
	actions, resources, values := textsOf(a, b)
	keys := slices.Sorted(maps.Keys(values))
	for range tries {
		spec := iam.RequestSpec{Principal: tinyOwnUser, ContextComplete: true, Context: map[string][]string{}}
		pattern, from := pick(own), ownResources
		if random.IntN(4) == 0 {
			pattern, from = pick(actions), resources
		}
		service, name, _ := strings.Cut(pattern, ":")
		spec.Action = near(random, pattern)
		if known := j.d.Actions(strings.ToLower(service)); len(known) > 0 && strings.ContainsAny(name, "*?") && random.IntN(3) > 0 {
			spec.Action = service + ":" + known[random.IntN(len(known))].Name
		}
		if s, n, ok := strings.Cut(spec.Action, ":"); !ok || s == "" || n == "" {
			continue
		}
		spec.Resource = "arn:aws:" + service + ":us-east-1:111122223333:x"
		if len(from) > 0 && random.IntN(4) > 0 {
			if r := near(random, pick(from)); strings.Count(r, ":") >= 5 {
				spec.Resource = r
			}
		}
		for _, k := range keys {
			keyType, known := j.d.KeyType(k)
			switch random.IntN(4) {
			case 0:
			case 1:
				spec.Context[k] = []string{near(random, pick(values[k]))}
			default:
				spec.Context[k] = []string{pick(values[k])}
				if (!known || strings.HasPrefix(keyType, "ArrayOf")) && random.IntN(2) == 0 {
					spec.Context[k] = append(spec.Context[k], near(random, pick(values[k])))
				}
			}
			if keyType == "Bool" && len(spec.Context[k]) > 0 {
				spec.Context[k] = []string{pick([]string{"true", "false"})}
			}
		}
		r := j.request(t, spec)
		if !j.allows(r, a) {
			continue
		}
		if allowed++; !j.allows(r, b) {
			t.Errorf("%s within %s is proved, but there is %+v", a.Name, b.Name, spec)
			return allowed
		}
	}
	return allowed
}

// varyManaged changes a policy so that it allows less, or nothing changes; nil
// where the change does not fit.
func varyManaged(random *rand.Rand, d *iam.Data, p *iam.Policy, kind int) *iam.Policy {
	doc := *p.Document
	doc.Statements = slices.Clone(doc.Statements)
	at := random.IntN(len(doc.Statements))
	s := &doc.Statements[at]
	if kind < 4 && s.Effect == iam.Deny {
		return nil
	}
	switch kind {
	case 0:
		if len(doc.Statements) == 1 {
			return nil
		}
		doc.Statements = slices.Delete(doc.Statements, at, at+1)
	case 1:
		narrow := iam.Texts{}
		for _, r := range s.Resource.Values {
			switch {
			case r.Value == "*":
				r.Value = "arn:aws:s3:::x*"
			case strings.HasSuffix(r.Value, "*"):
				r.Value += "x"
			}
			narrow.Values = append(narrow.Values, r)
		}
		s.Resource = &narrow
	case 2:
		s.Condition = append(slices.Clip(s.Condition), iam.Condition{Operator: "StringLike", Key: "aws:PrincipalTag/team", Values: iam.Texts{Values: []iam.Text{{Value: "a*"}}}})
	case 3:
		doc.Statements = append(doc.Statements, iam.Statement{Effect: iam.Deny, Action: s.Action, NotAction: s.NotAction, Resource: &iam.Texts{Values: []iam.Text{{Value: "arn:*:*:*:*:*x*"}}}})
	case 4: // one statement for every action
		var split []iam.Statement
		for _, s := range doc.Statements {
			if s.Action == nil {
				split = append(split, s)
				continue
			}
			for _, a := range s.Action.Values {
				one := s
				one.Action = &iam.Texts{Values: []iam.Text{a}, Single: true}
				split = append(split, one)
			}
		}
		doc.Statements = split
	}
	return iam.Compile(fmt.Sprintf("%s varied by %d", p.Name, kind), &doc, d)
}

// TestVariedManaged attacks proofs about policies and variations of them that
// allow less.
func TestVariedManaged(t *testing.T) {
	d := data(t)
	j := newJudge(t, d, false)
	random := rand.New(rand.NewPCG(3, 4))
	var v verdicts
	for _, a := range sampleOf(t, d, 2**managedSample) {
		for kind := range 5 {
			b := varyManaged(random, d, a, kind)
			if b == nil {
				continue
			}
			p := iam.Within(b, a, d, iam.Limits{})
			v.note(p)
			if p.Verdict != iam.Proved {
				t.Errorf("%s is not within it: %+v", b.Name, p)
			} else {
				v.tried += attack(t, j, random, b, a, 60)
			}
			back := iam.Within(a, b, d, iam.Limits{})
			v.note(back)
			switch {
			case back.Verdict == iam.Refuted:
				if r := j.request(t, back.Witness[0]); !j.allows(r, a) || j.allows(r, b) {
					t.Errorf("%s: the witness is none: %+v", b.Name, back.Witness[0])
				}
			case back.Verdict == iam.Proved:
				v.tried += attack(t, j, random, a, b, 60)
			}
			if kind == 4 && back.Verdict != iam.Proved {
				t.Errorf("%s: splitting statements changed it: %+v", b.Name, back)
			}
		}
	}
	t.Log(v.String())
}
