package iam

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A word without an ending matches what the word matches with the ending behind
// it.
func TestBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]symbol{{0, 'a'}, {0, 'b'}, {0, ':'}})
		kinds := rapid.SampledFrom([]symbol{{0, 'a'}, {0, 'b'}, {0, ':'}, {'*', 0}, {'?', 0}, {segmentRun, 0}, {segmentOne, 0}})
		w := newWord(rapid.SliceOfN(kinds, 0, 8).Draw(t, "word"), false)
		text := rapid.SliceOfN(letters, 0, 6).Draw(t, "text")
		tail := rapid.SliceOfN(letters, 1, 4).Draw(t, "tail")
		parts, known := w.before(tail)
		if !known {
			t.Fatal("there are no holes")
		}
		want := w.walk(slices.Concat(text, tail))
		got := slices.ContainsFunc(parts, func(p *word) bool { return p.walk(text) })
		if got != want {
			t.Fatalf("%v before %v matches %v: %t, want %t", w.symbols, tail, text, got, want)
		}
	})
}

// A hole that may hold the ending is not left out.
func TestBeforeHole(t *testing.T) {
	w := newWord(symbols(nil, "a"+Hole(OpenHole, 1)), false)
	if _, known := w.before(symbols(nil, ":x")); known {
		t.Error("the hole may hold the ending")
	}
}
