package iam_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"assay/iam"
)

var z3Pairs = flag.Int("z3", 14, "how many pairs of policies z3 is asked about, of generated ones and of managed ones each; CI asks for more")

// z3 answers a script: refuted when one question has an answer, proved when none
// has.
func z3(t fataler, script string) iam.Verdict {
	cmd := exec.Command("z3", "-in", "-T:60")
	cmd.Stdin = strings.NewReader("(set-option :rlimit 1500000)\n" + script)
	out, err := cmd.Output()
	verdict := iam.Proved
	for line := range strings.Lines(string(out)) {
		switch line = strings.TrimSpace(line); {
		case line == "sat":
			return iam.Refuted
		case line == "unsat":
		case line == "unknown", line == "timeout":
			verdict = iam.Undecided
		case strings.Contains(line, "resource limit exceeded"), strings.Contains(line, "canceled"):
			return iam.Undecided // what it answers from here on is about another script
		default:
			t.Fatalf("z3: %s%v\n%s", out, err, script)
		}
	}
	if !bytes.Contains(out, []byte("sat")) {
		return iam.Undecided
	}
	return verdict
}

// needZ3 fails where CI lacks z3, and skips elsewhere.
func needZ3(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("z3"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("z3 is missing: apt-get install z3")
		}
		t.Skip("z3 is missing; CI has it: apt-get install z3")
	}
}

// agreement counts how two deciders come out.
type agreement struct {
	count    map[[2]iam.Verdict]int
	exported int
	left     map[string]int
}

func (a *agreement) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d exported;", a.exported)
	for _, mine := range []iam.Verdict{iam.Proved, iam.Refuted, iam.Undecided} {
		for _, theirs := range []iam.Verdict{iam.Proved, iam.Refuted, iam.Undecided} {
			if n := a.count[[2]iam.Verdict{mine, theirs}]; n > 0 {
				fmt.Fprintf(&b, " %s here and %s by z3: %d;", mine, theirs, n)
			}
		}
	}
	fmt.Fprintf(&b, " not exported: %v", a.left)
	return b.String()
}

// compare holds one comparison to z3's answer.
func (a *agreement) compare(t fataler, p, q *iam.Policy, d *iam.Data, texts ...string) {
	if a.count == nil {
		a.count, a.left = map[[2]iam.Verdict]int{}, map[string]int{}
	}
	script, err := iam.SMT(p, q, d)
	if err != nil {
		reason := err.Error()
		if _, of, ok := strings.Cut(reason, ": "); ok {
			reason = of
		}
		a.left[reason]++
		return
	}
	a.exported++
	mine, theirs := iam.Within(p, q, d, iam.Limits{}), z3(t, script)
	a.count[[2]iam.Verdict{mine.Verdict, theirs}]++
	switch {
	case mine.Verdict == iam.Proved && theirs == iam.Refuted:
		t.Fatalf("proved here, refuted by z3\n%s\n%s\n%s", p.Name, q.Name, strings.Join(texts, "\n"))
	case mine.Verdict == iam.Refuted && theirs == iam.Proved:
		for _, values := range mine.Witness[0].Context {
			if len(values) > 2 {
				return // the export has no longer lists
			}
		}
		t.Fatalf("refuted here, proved by z3\n%s\n%s\n%s\n%+v", p.Name, q.Name, strings.Join(texts, "\n"), mine.Witness[0])
	}
}

// z3 agrees on policies of the tiny universe.
func TestZ3Tiny(t *testing.T) {
	needZ3(t)
	d := tinyData(t)
	var a agreement
	pairs := rapid.Custom(func(t *rapid.T) tinyPair { return tiny(t, tinyKeys, false) })
	for seed := range *z3Pairs {
		pair := pairs.Example(seed)
		a.compare(t, policy(t, d, pair.a), policy(t, d, pair.b), d, pair.a, pair.b)
	}
	t.Log(a.String())
	// What has no export, and what z3 does not answer in time, is the smaller part.
	agreed := a.count[[2]iam.Verdict{iam.Proved, iam.Proved}] + a.count[[2]iam.Verdict{iam.Refuted, iam.Refuted}]
	if 2*agreed < *z3Pairs {
		t.Errorf("z3 decided %d of %d", agreed, *z3Pairs)
	}
}

// z3 agrees on policies that AWS manages, and variations of them.
func TestZ3Managed(t *testing.T) {
	needZ3(t)
	d := data(t)
	var a agreement
	list := sampleOf(t, d, (*z3Pairs+1)/2)
	random := rand.New(rand.NewPCG(5, 6))
	for i, p := range list {
		a.compare(t, p, list[(i+7)%len(list)], d)
		if q := varyManaged(random, d, p, i%5); q != nil {
			a.compare(t, q, p, d)
		}
	}
	t.Log(a.String())
	if agreed := a.count[[2]iam.Verdict{iam.Proved, iam.Proved}] + a.count[[2]iam.Verdict{iam.Refuted, iam.Refuted}]; 2*agreed < len(list) {
		t.Errorf("z3 decided %d about %d policies", agreed, len(list))
	}
}
