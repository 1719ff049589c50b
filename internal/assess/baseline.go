package assess

import (
	"io"

	"assay/internal/check"
)

// Baseline is an earlier run that failures are compared with: those that it has
// do not fail a run again.
type Baseline struct {
	asOf     string
	failures map[string]*Finding // by id
	order    []string
}

// ReadBaseline reads a saved stream.
func ReadBaseline(name string, r io.Reader) (*Baseline, error) {
	b := &baselineReader{baseline: &Baseline{failures: map[string]*Finding{}}}
	if err := Replay(name, r, b); err != nil {
		return nil, err
	}
	return b.baseline, nil
}

type baselineReader struct {
	Nothing
	baseline *Baseline
}

func (b *baselineReader) Header(m *Header) error {
	b.baseline.asOf = m.AsOf
	return nil
}

func (b *baselineReader) Finding(m *Finding) error {
	if m.Outcome != check.Fail || b.baseline.failures[m.ID] != nil {
		return nil
	}
	b.baseline.order = append(b.baseline.order, m.ID)
	b.baseline.failures[m.ID] = &Finding{ID: m.ID, Check: m.Check, Scope: m.Scope}
	return nil
}

// How a failure stands to the baseline.
const (
	BaselineNew       = "new"
	BaselineUnchanged = "unchanged"
)

// state says whether the baseline has a failure; "" without one.
func (b *Baseline) state(finding string) string {
	switch {
	case b == nil:
		return ""
	case b.failures[finding] != nil:
		return BaselineUnchanged
	}
	return BaselineNew
}

// BaselineSum compares the failures of a run with those of an earlier one.
type BaselineSum struct {
	AsOf      string `json:"asOf"` // the date that the earlier run judged by
	New       int    `json:"new"`
	Unchanged int    `json:"unchanged"`
	// Fixed counts failures whose check passes now or does not apply, or whose
	// resource is gone from what was read whole. Undecided are the others that
	// the run does not have: unknown now, or nobody looked.
	Fixed     int `json:"fixed"`
	Undecided int `json:"undecided"`
}

// compare adds up how a run stands to the baseline.
func (b *Baseline) compare(t *tally) *BaselineSum {
	if b == nil {
		return nil
	}
	sum := &BaselineSum{AsOf: b.asOf, New: t.fresh, Unchanged: len(t.known)}
	ran := map[string]bool{}
	for _, c := range t.checks {
		ran[c.ID] = true
	}
	for _, id := range b.order {
		switch f := b.failures[id]; {
		case t.known[id]:
		case ran[f.Check] && t.whole[f.Scope] && !t.open[id]:
			sum.Fixed++
		default:
			sum.Undecided++
		}
	}
	return sum
}
