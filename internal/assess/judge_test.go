package assess_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"assay/internal/assess"
	"assay/internal/collect"
	"assay/internal/report"
)

// TestOneScopeOnManyCores: a scope that is judged in several parts, side by side,
// gives the stream that one worker gives, and every function the same outcomes.
func TestOneScopeOnManyCores(t *testing.T) {
	const functions = 450 // 2,250 resources: three parts
	run := func(workers int) string {
		cfg := config(t)
		cfg.Collectors, cfg.Workers = []collect.Collector{account{functions}}, workers
		var out bytes.Buffer
		h, err := report.New("json", &out, report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sum, err := assess.Run(context.Background(), cfg, [][]collect.Found{{collect.Stdin}}, strings.NewReader(""), h)
		if err != nil {
			t.Fatal(err)
		}
		for id, n := range sum.Checks {
			for _, count := range []int{n.Pass, n.Fail, n.Unknown, n.NotApplicable} {
				if count%functions != 0 && n.Pass+n.Fail+n.Unknown+n.NotApplicable >= functions {
					t.Errorf("%s: %+v; the functions are all alike", id, n)
				}
			}
		}
		return out.String()
	}
	one, many := strings.Split(run(1), "\n"), strings.Split(run(8), "\n")
	if len(one) != len(many) {
		t.Fatalf("%d messages by one worker, %d by eight", len(one), len(many))
	}
	for i := range one {
		if one[i] != many[i] {
			t.Fatalf("message %d by one worker:\n%s\nby eight:\n%s", i+1, one[i], many[i])
		}
	}
}

// stopping is a handler that has had enough after some findings.
type stopping struct {
	assess.Nothing
	left int
}

var errEnough = errors.New("enough")

func (s *stopping) Finding(*assess.Finding) error {
	if s.left--; s.left < 0 {
		return errEnough
	}
	return nil
}

// TestRunEndsEarly: the error of a handler, or of the context, ends a run in the
// middle of a scope.
func TestRunEndsEarly(t *testing.T) {
	cfg := config(t)
	cfg.Collectors = []collect.Collector{account{450}}
	run := func(ctx context.Context, h assess.Handler) error {
		_, err := assess.Run(ctx, cfg, [][]collect.Found{{collect.Stdin}}, strings.NewReader(""), h)
		return err
	}
	if err := run(context.Background(), &stopping{left: 700}); !errors.Is(err, errEnough) {
		t.Errorf("got %v from a handler that stops", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errEnough)
	if err := run(ctx, assess.Nothing{}); !errors.Is(err, errEnough) {
		t.Errorf("got %v from a context that is over", err)
	}
}
