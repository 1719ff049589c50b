package check

import (
	"slices"

	"assay/internal/estate"
)

// Exposure is who can call a function, the widest that is certain.
type Exposure string

// The exposures, widest first.
const (
	// Internet: anyone, without credentials.
	Internet Exposure = "internet"
	// AnyAccount: anyone who has an account at AWS.
	AnyAccount Exposure = "any-account"
	// Outside: somebody of another account, of the organisation, or whom an API
	// lets in.
	Outside Exposure = "outside"
	// Internal: only the account itself, and services that act for it.
	Internal Exposure = "internal"
	// ExposureUnknown: no more than internal is certain, and more is possible.
	ExposureUnknown Exposure = "unknown"
)

// Exposures lists those that [ReachedBy] asks about, widest first.
var Exposures = []Exposure{Internet, AnyAccount, Outside}

// Exposed is an exposure with what shows it.
type Exposed struct {
	Exposure Exposure
	Reads    []Read       // of what lets callers in
	Missing  []estate.Gap // what would settle one that is unknown
}

// Exposure asks who can call a function, under no choice of open inputs.
func (l *Library) Exposure(function *estate.Resource, on Setting) Exposed {
	if on.Asker == nil {
		return Exposed{Exposure: ExposureUnknown, Missing: []estate.Gap{{Reason: "nobody was asked", Input: "access engine"}}}
	}
	ev := &evaluation{lib: l, asker: on.Asker, scope: function.Scope(), asOf: on.AsOf, values: on.Parameters}
	found := Exposed{Exposure: Internal}
	for _, exposure := range Exposures {
		ev.open = ev.open[:0]
		a := on.Asker.Ask(&Question{Kind: ReachedBy, Subject: function, Texts: []*estate.Value{estate.String(string(exposure))}, Scope: function.Scope(), View: ev})
		if a.Truth == estate.True {
			return Exposed{Exposure: exposure, Reads: a.Reads}
		}
		if a.Truth == estate.Maybe {
			found.Exposure = ExposureUnknown
			for _, gap := range a.Missing {
				if !slices.Contains(found.Missing, gap) {
					found.Missing = append(found.Missing, gap)
				}
			}
		}
	}
	return found
}
