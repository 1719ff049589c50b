package iam_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"assay/iam"
)

// TestOracle holds decisions to those of the naive evaluator, which was written
// from AWS's documents without sight of this package.
func TestOracle(t *testing.T) {
	l := iam.NewLines(data(t))
	seen := map[string]int{}
	loose := 0
	one := func(t *rapid.T) {
		request := generated(t)
		want, err := naive(request)
		if err != nil {
			t.Fatalf("%v\n%s", err, request)
		}
		got := answer(t, l, request)
		seen[want]++
		var complete struct{ ContextComplete bool }
		if err := json.Unmarshal(request, &complete); err != nil {
			t.Fatal(err)
		}
		switch {
		case got.Decision == want:
		case !complete.ContextComplete && got.Decision == "unknown":
			// The naive evaluator tries every value of a key; the engine reasons about
			// each condition by itself, and may know less.
			loose++
		case !complete.ContextComplete && got.Decision == "implicit-deny" && want != "allowed":
			// Nothing allows it; whether a Deny forbids it as well was not settled.
		default:
			t.Fatalf("got %s at %s, the naive evaluator says %s\n%s", got.Decision, got.Gate, want, request)
		}
	}
	for range 20 {
		rapid.Check(t, one)
	}
	t.Logf("%v; of these %d unknown that trying every value decides", seen, loose)
}
