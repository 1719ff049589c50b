package cli

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
)

// leastKilled is the least share of mutants that the cases of a catalogue have
// to notice, in percent.
const leastKilled = 95

// mutateChecks runs the cases of checks over their mutants, and says which
// nobody noticed. A mutant that survives has to be explained.
func mutateChecks(ctx context.Context, runner assess.CaseRunner, mine []*check.Typed, files []catalog.CaseFile, explained []catalog.Survivor, name string, w io.Writer) error {
	byCheck := map[string]catalog.CaseFile{}
	for _, f := range files {
		byCheck[f.Check] = f
	}
	results := make([][]assess.Mutation, len(mine))
	faults := make([]error, len(mine))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < len(mine); i += workers {
				results[i], faults[i] = runner.Mutate(ctx, mine[i], byCheck[mine[i].ID])
			}
		})
	}
	wg.Wait()
	mutants, killed, open := 0, 0, 0
	reasons := map[catalog.Survivor]bool{} // of those that were met
	for i, t := range mine {
		if faults[i] != nil {
			return faults[i]
		}
		for _, m := range results[i] {
			mutants++
			at := slices.IndexFunc(explained, func(s catalog.Survivor) bool { return s.Check == m.Check && s.Mutant == m.Name })
			switch {
			case m.Killed && at >= 0:
				open++
				fmt.Fprintf(w, "%s: killed, but survivors.yaml explains why it survives: %s\n", t.ID, m.Name)
				reasons[explained[at]] = true
				killed++
			case m.Killed:
				killed++
			case at >= 0:
				reasons[explained[at]] = true
			default:
				open++
				fmt.Fprintf(w, "%s: no case notices: %s\n", t.ID, m.Name)
			}
		}
	}
	for _, s := range explained {
		if !reasons[s] && slices.ContainsFunc(mine, func(t *check.Typed) bool { return t.ID == s.Check }) {
			open++
			fmt.Fprintf(w, "%s: survivors.yaml explains a mutant that there is not: %s\n", s.Check, s.Mutant)
		}
	}
	share := 100.0
	if mutants > 0 {
		share = 100 * float64(killed) / float64(mutants)
	}
	fmt.Fprintf(w, "%s: %d checks, %d mutants, %d killed (%.1f%%), %d that survive explained, %d to look at\n",
		name, len(mine), mutants, killed, share, len(reasons), open)
	if open > 0 || share < leastKilled {
		return &exit{code: ExitFailed}
	}
	return nil
}
