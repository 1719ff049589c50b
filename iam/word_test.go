package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// spelling reads a word from a short form: '*' and '?' are wildcards, '<' and '.'
// those that match no colon, ^x is a letter in any case, $ a variable, % the
// variable in any case, & the variable in one part of an ARN, ! a hole, ~ the hole
// in any case, and @ the hole as a pattern.
func spelling(s string) []symbol {
	var out []symbol
	kinds := map[rune]symbol{
		'*': {'*', 0}, '?': {'?', 0}, '<': {segmentRun, 0}, '.': {segmentOne, 0}, '$': {variableKey, 0}, '%': {foldedVariable, 0}, '&': {partVariable, 0},
		'!': {byte(OpenHole), 0}, '~': {byte(OpenHole) | foldedHole, 0}, '@': {wildHole, 0},
	}
	fold := false
	for _, r := range s {
		x, ok := kinds[r]
		switch {
		case r == '^':
			fold = true
			continue
		case ok:
		case fold && unicode.SimpleFold(r) != r:
			x = symbol{foldedRune, leastFold(r)}
		default:
			x = symbol{0, r}
		}
		fold = false
		out = append(out, x)
	}
	return out
}

func spelt(list ...string) []*word {
	var out []*word
	for _, s := range list {
		symbols := spelling(s)
		out = append(out, newWord(symbols, strings.HasPrefix(s, "arn:")))
	}
	return out
}

func solver() (*textSolver, *int) {
	work := 1_000_000
	return &textSolver{work: &work, states: 10_000}, &work
}

func TestTextSolver(t *testing.T) {
	for _, c := range []struct {
		pos, neg []string
		want     string
	}{
		{[]string{"a"}, nil, `sat "a"`},
		{[]string{"a"}, []string{"a"}, "unsat"},
		{[]string{"a*"}, nil, `sat "a•"`},
		{nil, []string{"*"}, "unsat"},
		{nil, []string{"?*"}, `sat ""`},
		{[]string{"a*", "*b"}, nil, `sat "ab"`},
		{[]string{"a*", "*a"}, []string{"a"}, `sat "aa"`},
		{[]string{"a*"}, []string{"*"}, "unsat"},
		{[]string{"a*"}, []string{"a?*"}, `sat "a"`},
		{[]string{"??"}, []string{"a?", "?a"}, `sat "••"`},
		{[]string{"*a*", "*b*"}, []string{"*a*b*"}, `sat "ba"`},
		{[]string{"*a*", "*b*"}, []string{"*a*b*", "*b*a*"}, "unsat"},
		{[]string{"?"}, []string{"."}, `sat ":"`},
		{[]string{"<"}, []string{"a<"}, `sat "•"`},
		{[]string{"arn:<:<:<:<:*"}, []string{"arn:aws:<:<:<:*"}, `sat "arn:•:•:•:•:•"`},
		{[]string{"arn:aws:s3:::*"}, []string{"arn:<:s3:<:<:*"}, "unsat"},
		{[]string{"arn:aws:s3:<:<:a:b"}, []string{"arn:aws:s3:<:<:<"}, `sat "arn:aws:s3:•:•:a:b"`},
		{[]string{"*:b"}, []string{"<:b"}, `sat "::b"`},
		{[]string{"^s"}, []string{"s", "S"}, `sat "ſ"`},
		{[]string{"^s"}, []string{"s", "S", "ſ"}, "unsat"},
		{[]string{"^a^b", "?B"}, []string{"aB"}, `sat "AB"`},
		{[]string{"$"}, []string{"$"}, "unsat"},
		{[]string{"a$"}, []string{"a*"}, "unsat"},
		{[]string{"$"}, []string{"%"}, "unsat"},
		{[]string{"%"}, []string{"$"}, `sat "V"`},
		{[]string{"$", "a"}, nil, "unsure"},
		{[]string{"a$", "b*"}, nil, "unsat"},
		{[]string{"x$y"}, []string{"x<y"}, `sat "xvy"`},
		{[]string{"x&y"}, []string{"x<y"}, "unsat"},
		{[]string{"x&y"}, []string{"x$y"}, "unsat"},
		{[]string{"x$y"}, []string{"x&y"}, `sat "xvy"`},
		{[]string{"!"}, []string{"@"}, "unsat"},
		{[]string{"@"}, []string{"!"}, `sat "O"`},
		{[]string{"!"}, []string{"~"}, "unsat"},
		{[]string{"~"}, []string{"!"}, `sat "ï"`},
	} {
		t.Run(fmt.Sprint(c.pos, " not ", c.neg), func(t *testing.T) {
			s, _ := solver()
			letters, st := s.solve(spelt(c.pos...), spelt(c.neg...))
			got := [...]string{"unsat", "unsure", "sat"}[st]
			if st == sat {
				var b strings.Builder
				for _, x := range letters {
					switch {
					case x.kind == 0 && x.r == fresh:
						b.WriteString(freshText)
					case x.kind == 0:
						b.WriteRune(x.r)
					default:
						b.WriteRune(rune(x.kind))
					}
				}
				got += fmt.Sprintf(" %q", b.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("limits", func(t *testing.T) {
		work := 1000
		s := textSolver{work: &work, states: 100}
		if _, st := s.solve(spelt("*a??????????", "*b?????????"), spelt("*c????????")); st != unsure || work < -10_000 {
			t.Errorf("%d with %d left", st, work)
		}
	})
}

// naiveMatch is matching by recursion, on words without variables and holes.
func naiveMatch(w []symbol, text []rune) bool {
	if len(w) == 0 {
		return len(text) == 0
	}
	s, rest := w[0], w[1:]
	switch s.kind {
	case '*', segmentRun:
		if naiveMatch(rest, text) {
			return true
		}
		return len(text) > 0 && (s.kind == '*' || text[0] != ':') && naiveMatch(w, text[1:])
	}
	if len(text) == 0 {
		return false
	}
	ok := false
	switch s.kind {
	case '?':
		ok = true
	case segmentOne:
		ok = text[0] != ':'
	case foldedRune:
		ok = strings.EqualFold(string(s.r), string(text[0]))
	default:
		ok = s.r == text[0]
	}
	return ok && naiveMatch(rest, text[1:])
}

// substituted puts a value in the place of the variable and the hole; ok is
// false where the word then matches nothing.
func substituted(w []symbol, value string) (out []symbol, ok bool) {
	for _, s := range w {
		switch s.kind {
		case variableKey, byte(OpenHole):
			out = append(out, symbols(nil, value)...)
		case partVariable:
			if strings.Contains(value, ":") {
				return nil, false
			}
			out = append(out, symbols(nil, value)...)
		case foldedVariable, byte(OpenHole) | foldedHole:
			for _, r := range value {
				if unicode.SimpleFold(r) != r {
					out = append(out, symbol{foldedRune, leastFold(r)})
				} else {
					out = append(out, symbol{0, r})
				}
			}
		case wildHole:
			for _, r := range value {
				if r == '*' || r == '?' {
					out = append(out, symbol{byte(r), 0})
				} else {
					out = append(out, symbol{0, r})
				}
			}
		default:
			out = append(out, s)
		}
	}
	return out, true
}

// shortTexts are all texts of few letters, and ARNs of few letters.
var shortTexts = func() (all [][]rune) {
	add := func(s string) { all = append(all, []rune(s)) }
	short := []string{""}
	for i := 0; i < len(short) && len([]rune(short[i])) < 3; i++ {
		for _, r := range "aAb:z" {
			short = append(short, short[i]+string(r))
		}
	}
	for _, s := range short {
		add(s)
	}
	for _, first := range []string{"", "a", "b", "ab", "A"} {
		for _, last := range []string{"", "a", "b", "A"} {
			for _, tail := range []string{"", "a", "b", "ab", "a:b", ":", "z"} {
				add(first + "::::" + last + ":" + tail)
			}
		}
	}
	return all
}()

// fuzzedWords reads patterns from bytes: the first are to match, the others not.
func fuzzedWords(data []byte) (pos, neg []*word) {
	const letters = "ab:*?<.^$%&!~@"
	spell := func(part []byte, first bool) string {
		var b strings.Builder
		for _, x := range part {
			switch c := letters[int(x)%len(letters)]; {
			case c == '^':
				b.WriteString("^a")
			case first && c == '*':
				b.WriteByte('<')
			case first && c == '?':
				b.WriteByte('.')
			case first && (c == ':' || strings.IndexByte("$%!~@", c) >= 0):
				b.WriteByte('&')
			default:
				b.WriteByte(c)
			}
		}
		return b.String()
	}
	for i, part := range strings.Split(string(data), "/") {
		p := []byte(part)
		if i == 5 || len(p) > 7 {
			break
		}
		arn := len(p) > 3 && p[0]%4 == 0
		text := spell(p, false)
		if arn {
			text = spell(p[1:2], true) + "::::" + spell(p[2:3], true) + ":" + strings.NewReplacer("<", "*", ".", "?").Replace(spell(p[3:], false))
		}
		w := newWord(spelling(text), arn)
		if i%2 == 0 && len(pos) < 2 {
			pos = append(pos, w)
		} else {
			neg = append(neg, w)
		}
	}
	return pos, neg
}

// FuzzTextSolver holds the solver to a naive matcher over short texts, whatever
// variables and holes hold.
func FuzzTextSolver(f *testing.F) {
	for _, s := range []string{"\x00\x01/\x03", "\x03\x00\x03/\x00\x03/\x03\x01", "\x08/\x00/\x05\x08", "\x00\x08\x03/\x00\x09", "\x0b/\x0d/\x0c", "\x04\x00\x05\x03/\x04\x00\x00\x00\x03", "\x07\x07/\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pos, neg := fuzzedWords(data)
		work := 200_000
		s := textSolver{work: &work, states: 2000}
		letters, st := s.solve(pos, neg)
		all := slices.Concat(pos, neg)
		say := func() string {
			var b strings.Builder
			for i, w := range all {
				fmt.Fprintf(&b, "%t %v\n", i < len(pos), w.symbols)
			}
			return b.String()
		}
		opaque := slices.ContainsFunc(all, func(w *word) bool { return w.opaque })
		switch {
		case st == sat && !opaque:
			text := []rune(write(letters, nil))
			for i, w := range all {
				if naiveMatch(w.symbols, text) != (i < len(pos)) {
					t.Fatalf("%q is no solution:\n%s", string(text), say())
				}
			}
		case st == unsat:
			for _, value := range []string{"", "a", "A", "b:a", "*"} {
				concrete := make([][]symbol, len(all))
				never := make([]bool, len(all))
				for i, w := range all {
					out, ok := substituted(w.symbols, value)
					concrete[i], never[i] = out, !ok
				}
				for _, text := range shortTexts {
					solves := true
					for i := range all {
						if (!never[i] && naiveMatch(concrete[i], text)) != (i < len(pos)) {
							solves = false
							break
						}
					}
					if solves {
						t.Fatalf("no solution was found, but %q is one where %q stands for variables and holes:\n%s", string(text), value, say())
					}
				}
				if !opaque {
					break
				}
			}
		}
		// Both ways of matching agree.
		for _, w := range all {
			if w.opaque {
				continue
			}
			for _, text := range shortTexts[:40] {
				x := make([]symbol, len(text))
				for i, r := range text {
					x[i] = symbol{0, r}
				}
				if w.matches(x) != naiveMatch(w.symbols, text) {
					t.Fatalf("%v and %q", w.symbols, string(text))
				}
			}
		}
	})
}
