package iam

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The laws of holes: what is certain holds however the holes are filled, and
// what is impossible for no filling.

// fillings are texts that a hole of each kind may hold. Those of a NameHole are
// made up, so that no literal of these tests is equal to one.
var fillings = map[HoleKind][]string{
	OpenHole:     {"", "a", "b", "ab", "*", "a:b", "/", "zq1"},
	SegmentHole:  {"a", "b", "ab", "ba", "zq2"},
	AccountHole:  {"1", "22"},
	NameHole:     {"azq9b", "bzq8a"},
	IdentityHole: {"azq7:b", "b/zq6a"},
}

// drawn is a text over a small alphabet with holes; identity 0 and 1 of each
// kind.
func drawn(t *rapid.T, label string, wild bool) string {
	var b strings.Builder
	pieces := []string{"a", "b", ":", "/", "1"}
	if wild {
		pieces = append(pieces, "*", "?", "*")
	}
	for _, kind := range []HoleKind{OpenHole, SegmentHole, AccountHole, NameHole, IdentityHole} {
		pieces = append(pieces, Hole(kind, 0), Hole(kind, 1))
	}
	for range rapid.IntRange(0, 5).Draw(t, label+" length") {
		b.WriteString(rapid.SampledFrom(pieces).Draw(t, label))
	}
	return b.String()
}

// fill replaces every hole by the text drawn for it. Names that AWS makes up
// differ from each other.
func fill(t *rapid.T, text string, chosen map[string]string) string {
	for i := 0; i+holeLen <= len(text); {
		if text[i] != holeMark {
			i++
			continue
		}
		key := text[i : i+holeLen]
		if _, ok := chosen[key]; !ok {
			kind, id := HoleKind(key[1]), Holes(key)[0]
			options := fillings[kind]
			if kind == NameHole || kind == IdentityHole {
				options = options[id : id+1]
			}
			chosen[key] = rapid.SampledFrom(options).Draw(t, "filling")
		}
		text = text[:i] + chosen[key] + text[i+holeLen:]
		i += len(chosen[key])
	}
	return text
}

func TestHoles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawn(t, "pattern", true), drawn(t, "text", false)
		req := &Request{holes: true}
		compiled := compilePattern(p, patternForm{wildcards: true})
		said := compiled.match(s, &evaluator{req: req})
		chosen := map[string]string{}
		// The pattern's holes may hold wildcards; the text's then are plain.
		text := fill(t, s, chosen)
		pattern := fill(t, p, chosen)
		filled := compilePattern(pattern, patternForm{wildcards: true})
		is := filled.match(text, &evaluator{req: req})
		if said == yes && is != yes || said == no && is != no {
			t.Fatalf("%q against %q is %d, but %q against %q is %d", p, s, said, pattern, text, is)
		}
	})
}

// TestHoleWords gives a few answers by hand, so that the laws are not kept by
// answering maybe to all.
func TestHoleWords(t *testing.T) {
	name, other, account := Hole(NameHole, 0), Hole(NameHole, 1), Hole(AccountHole, 0)
	for _, tt := range []struct {
		pattern, text string
		want          truth
	}{
		{"arn:aws:s3:::*", "arn:aws:s3:::" + name, yes},
		{"arn:aws:s3:::" + name + "/*", "arn:aws:s3:::" + name + "/x", yes},
		{"arn:aws:s3:::" + name + "/*", "arn:aws:s3:::" + name, no},
		{name, other, no},
		{"ledger", name, no},
		{"stack-*", name, maybe},
		{"*:" + account + ":*", "arn:aws:sqs:" + Hole(SegmentHole, 0) + ":" + account + ":q", yes},
		{"*:111122223333:q", "x:" + account + ":q", maybe},
		{"*:somebody:q", "x:" + account + ":q", no},
		{Hole(OpenHole, 0), "anything", maybe},
		{Hole(OpenHole, 0) + "x", "anything", no},
	} {
		p := compilePattern(tt.pattern, patternForm{wildcards: true})
		if got := p.match(tt.text, &evaluator{req: &Request{holes: true}}); got != tt.want {
			t.Errorf("%q against %q: %d, want %d", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// FuzzPattern: matching agrees with the plain definition, and adversarial
// patterns end.
func FuzzPattern(f *testing.F) {
	f.Add("*a*a*a*?", "aaaaaaaaaaaaaaab")
	f.Add("arn:*:s3:::${x}/?", "arn:aws:s3:::a/é")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 40 || len(text) > 40 || hasHole(pattern) || hasHole(text) {
			t.Skip()
		}
		p := compilePattern(pattern, patternForm{wildcards: true})
		got := p.match(text, &evaluator{req: &Request{}})
		if want := truthOf(plainly(pattern, text)); got != want {
			t.Fatalf("%q against %q: %d, want %d", pattern, text, got, want)
		}
	})
}

// plainly matches by its definition.
func plainly(p, s string) bool {
	if p == "" {
		return s == ""
	}
	switch p[0] {
	case '*':
		for i := range len(s) + 1 {
			if plainly(strings.TrimLeft(p, "*"), s[i:]) {
				return true
			}
			if strings.TrimLeft(p, "*") == "" {
				return true
			}
		}
		return false
	case '?':
		if s == "" {
			return false
		}
		_, n := decodeRune(s)
		return plainly(p[1:], s[n:])
	}
	return s != "" && s[0] == p[0] && plainly(p[1:], s[1:])
}

// BenchmarkAdversary matches a pattern that would take a backtracking matcher
// for ever.
func BenchmarkAdversary(b *testing.B) {
	p := compilePattern(strings.Repeat("*a", 500)+"?", patternForm{wildcards: true})
	text := strings.Repeat("a", 100_000) + "b"
	ev := &evaluator{req: &Request{}}
	for b.Loop() {
		p.match(text, ev)
	}
}

// A hole that may hold a colon moves the cuts of an ARN.
func TestHolesMoveCuts(t *testing.T) {
	open, account := Hole(OpenHole, 0), Hole(AccountHole, 1)
	for _, c := range []struct {
		name, pattern, text string
		want                truth
	}{
		{"colon_of_the_pattern", "arn:aws:lambda:r" + open + account + ":function:*", "arn:aws:lambda:r:" + account + ":function:f", maybe},
		{"colon_of_the_text", "arn:aws:lambda:r:" + account + ":function:f", "arn:aws:lambda:r" + open + account + ":function:f", maybe},
		{"no_filling_fits", "arn:aws:lambda:r" + open + account + ":function:*", "arn:aws:sqs:r:" + account + ":function:f", no},
		{"the_same_text", "arn:aws:lambda:" + open + ":1:function:f", "arn:aws:lambda:" + open + ":1:function:f", yes},
		{"hole_in_the_last_part", "arn:aws:lambda:r:1:function:" + open, "arn:aws:sqs:r:1:function:f", no},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, a := compileARN(c.pattern, patternForm{wildcards: true, resource: true}), splitARN(c.text)
			if got := p.match(&a, &evaluator{req: &Request{holes: true}}); got != c.want {
				t.Errorf("match = %v, want %v", got, c.want)
			}
		})
	}
}
