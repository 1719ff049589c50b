package aws

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"assay/internal/estate"
)

// run is one reading of an account.
type run struct {
	*Account
	model   *estate.Model
	shaper  *shaper
	plan    []read
	places  []*place
	planned atomic.Int64 // calls foreseen beyond those sent
}

// parallel bounds the reads that run at once. The rate bounds their calls.
const parallel = 16

// reasonLinked is why the coverage of a type that is followed is not complete.
const reasonLinked = "only what leads to functions, or is named, was looked for; --all-resources reads everything"

// home is the region that a partition's account-wide services are asked in.
var home = map[string]string{"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}

// Collect reads the account: a scope for each region and one for what belongs
// to the account as a whole. When ctx ends, what was read until then comes
// back, and says that it is not all.
func (a *Account) Collect(ctx context.Context) []*estate.Builder {
	r := &run{Account: a, model: a.options.Model, shaper: newShaper(a.options.Model)}
	for _, s := range services() {
		for _, one := range s.reads {
			if one.wants(a.options.Needed) {
				r.plan = append(r.plan, one)
			}
		}
	}
	r.places = append(r.places, r.newPlace(""))
	for _, region := range a.Regions {
		r.places = append(r.places, r.newPlace(region))
	}
	stop := r.tell()
	r.lists(ctx)
	for r.names(ctx) {
	}
	stop()
	builders := make([]*estate.Builder, len(r.places))
	for i, p := range r.places {
		builders[i] = p.build()
	}
	return builders
}

func (r *run) newPlace(region string) *place {
	p := &place{
		run: r, account: r.ID, region: region, partition: r.Partition,
		resources: map[typed]*gathered{}, byName: map[typed][]*gathered{}, sought: map[typed]bool{}, letGroups: map[string]bool{},
		pending: map[string][]estate.Named{}, coverage: map[string]*estate.Coverage{}, pages: map[string]int{}, problems: map[problemKey]*problem{}, tagged: map[string]*tagged{}, strangers: map[string]string{},
	}
	for _, typ := range uncovered {
		if region != "" {
			p.coverage[typ] = &estate.Coverage{Type: typ, State: estate.CoverageUncollected, Reason: "the SDK has no call that reads it"}
		}
	}
	for _, one := range r.plan {
		if one.account == (region == "") && (!r.whole(one) || one.touching && !r.options.All) {
			for _, typ := range one.types {
				p.coverage[typ] = &estate.Coverage{Type: typ, State: estate.CoverageLinked, Reason: reasonLinked}
			}
		}
	}
	return p
}

// whole reports whether a read lists all there is.
func (r *run) whole(one read) bool {
	return one.list != nil && (one.named == nil || r.options.All)
}

func (r *run) scope(p *place, one *read) *scope {
	cfg := r.cfg
	cfg.Region = p.region
	if p.region == "" {
		cfg.Region = orElse(home[r.Partition], r.cfg.Region)
	}
	return &scope{place: p, cfg: cfg, read: one}
}

// lists runs every read that lists, in all places.
func (r *run) lists(ctx context.Context) {
	var tasks []func()
	for _, p := range r.places {
		for i := range r.plan {
			one := &r.plan[i]
			if one.account == (p.region == "") && r.whole(*one) {
				state := estate.CoverageComplete
				if one.touching && !r.options.All {
					state = estate.CoverageLinked
				}
				tasks = append(tasks, func() { r.scope(p, one).reading(ctx, state, one.list) })
			}
		}
	}
	together(tasks)
}

// names looks for what has been named since the last time. It reports whether
// there was anything.
func (r *run) names(ctx context.Context) bool {
	var tasks []func()
	for _, p := range r.places {
		for i := range r.plan {
			one := &r.plan[i]
			if one.account != (p.region == "") || r.whole(*one) {
				continue
			}
			if sought := p.take(one.types); len(sought) > 0 {
				tasks = append(tasks, func() {
					r.scope(p, one).reading(ctx, estate.CoverageLinked, func(ctx context.Context, s *scope) error { return one.named(ctx, s, sought) })
				})
			}
		}
	}
	together(tasks)
	return len(tasks) > 0
}

// together runs tasks side by side and waits for all of them.
func together(tasks []func()) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for _, task := range tasks {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			task()
		})
	}
	wg.Wait()
}

// forEach runs f for each item, several at once: the calls of a service for one
// item wait for each other, and the rate holds all of them back. It stops when
// nothing more can be asked ([over]), with that failure.
func forEach[T any](ctx context.Context, s *scope, items []T, calls int, f func(context.Context, T) error) error {
	s.run.planned.Add(int64(len(items) * calls))
	var mu sync.Mutex
	var first error
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(parallel, len(items)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				mu.Lock()
				stop := first != nil
				mu.Unlock()
				if stop {
					return
				}
				err := f(ctx, items[i])
				s.run.planned.Add(-int64(calls))
				if err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}

// over reports whether a failure ends a read: nothing more can be asked.
func over(err error) bool {
	f := asFailure(err)
	return f.reason == reasonInterrupted || f.reason == reasonExpired || f.code == codeCap
}

// tell reports progress once a second until it is stopped.
func (r *run) tell() (stop func()) {
	if r.options.Progress == nil {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		now := r.options.Now
		began, before := now(), r.limits.sent.Load()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			sent := r.limits.sent.Load()
			p := Progress{Calls: sent, Expected: sent + max(0, r.planned.Load())}
			if rate := float64(sent-before) / now().Sub(began).Seconds(); rate > 0 {
				p.Left = time.Duration(float64(p.Expected-sent) / rate * float64(time.Second)).Round(time.Second)
			}
			r.options.Progress(p)
		}
	})
	return func() { close(done); wg.Wait() }
}

// Totals are what a reading cost.
type Totals struct {
	Calls     int64
	Throttled int64
	// By counts the requests for each IAM action.
	By map[string]int64
}

// Totals are those of all readings of the account so far.
func (a *Account) Totals() Totals {
	a.limits.mu.Lock()
	defer a.limits.mu.Unlock()
	by := map[string]int64{}
	for name, n := range a.limits.counts {
		by[name] = n
	}
	return Totals{Calls: a.limits.sent.Load(), Throttled: a.limits.refused.Load(), By: by}
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// arnOf is an ARN of the place.
func (p *place) arnOf(service, resource string) string {
	return strings.Join([]string{"arn", p.partition, service, p.region, p.account, resource}, ":")
}
