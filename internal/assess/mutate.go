package assess

import (
	"context"

	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/estate"
)

// Mutation is one deliberate fault of a check, and whether its cases noticed.
type Mutation struct {
	Check  string
	Name   string // what was changed
	Killed bool
}

// Mutate runs the cases of a check over each of its mutants. A mutant is killed
// when some case does not get the outcome that it expects.
func (r CaseRunner) Mutate(ctx context.Context, t *check.Typed, file catalog.CaseFile) ([]Mutation, error) {
	mutants, err := r.Library.Mutants(t)
	if err != nil {
		return nil, err
	}
	type prepared struct {
		expect map[string]check.Outcome
		scope  *estate.Scope
		on     check.Setting
	}
	var cases []prepared
	for _, c := range file.Cases {
		b, err := r.builder(ctx, c)
		if err != nil {
			return nil, CaseFailure{file.Name, c.Name, err.Error()}
		}
		on, err := r.setting(c)
		if err != nil {
			return nil, CaseFailure{file.Name, c.Name, err.Error()}
		}
		if r.Asker != nil {
			on.Asker = r.Asker() // what it remembers is of the estate, not of the check
		}
		cases = append(cases, prepared{c.Expect, b.Build(r.Model), on})
	}
	var all []Mutation
	for _, m := range mutants {
		one := Mutation{Check: t.ID, Name: m.Name}
		for _, c := range cases {
			for _, subject := range c.scope.OfType(t.Subject) {
				want, expected := c.expect[subject.LogicalID]
				if expected && !one.Killed {
					result := m.Program.Evaluate(subject, c.on)
					one.Killed = result.Err != nil || result.Outcome != want
				}
			}
		}
		all = append(all, one)
	}
	return all, nil
}
