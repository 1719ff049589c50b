package cli

import (
	"errors"
	"testing"
)

// TestTold keeps a terminal from what a user's file holds.
func TestTold(t *testing.T) {
	got := told(errors.New("a.yaml:1:1: no \x1b[2Jregime\nb.yaml:\u009bK"))
	if want := "a.yaml:1:1: no \ufffd[2Jregime\nb.yaml:\ufffdK"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
