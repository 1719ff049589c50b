// Package assess is the way of the data: files become scopes, scopes are
// judged by the checks whose subjects occur in them, outcomes become findings
// and the standing of requirements. All of it leaves as one stream of messages
// that any number of handlers take.
package assess

import (
	"cmp"
	"context"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/estate"
)

// Config is what a run stands on.
type Config struct {
	Collectors []collect.Collector
	Model      *estate.Model
	Library    *check.Library
	Catalog    *catalog.Catalog
	Frameworks []*catalog.Framework // to report standings on
	AsOf       string               // ISO date that verdicts are judged by
	Profile    *check.Profile       // what the organisation decides of the parameters; nil: nothing
	Owners     *Owners              // whose files are; nil: only tags say

	// Asker makes what answers the hard questions of the checks, for one group
	// of sources. Nil: they are unknown.
	Asker func() check.Asker

	// Basis is what the sources are: templates or accounts. Empty: templates.
	Basis Basis

	// Severity leaves out checks below it.
	Severity check.Severity

	// Version and Tables go into the header.
	Version, Tables string
	Facts           []Fact

	// Progress, when set, is told after every group how many of how many are
	// done. It is called from one goroutine.
	Progress func(done, total int)

	// Workers bounds how many files are worked on at once; 0 is one a
	// processor. The stream does not depend on it.
	Workers int
}

// Run assesses sources, of which those of a group are read together, and hands
// the messages of the stream to h. Files that nobody claims are left out,
// unless the user named them. The summary is returned as well; the error is
// that of ctx or of the handler.
func Run(ctx context.Context, cfg Config, sources [][]collect.Found, stdin io.Reader, h Handler) (*Summary, error) {
	values, err := check.Resolve(cfg.Catalog.Parameters, frameworkIDs(cfg.Frameworks), cfg.Profile)
	if err != nil {
		return nil, err
	}
	r := &run{Config: cfg, stdin: stdin, programs: programsOf(cfg), values: values}
	if err := h.Header(r.header()); err != nil {
		return nil, err
	}
	t := newTally(r.programs.checks)
	err = r.inOrder(ctx, sources, func(scopes []*judged) error {
		for _, s := range scopes {
			t.add(s)
			if err := s.send(h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sum := t.finish()
	if sum.Scopes == 0 {
		return sum, h.Summary(sum)
	}
	for _, s := range standings(cfg.Catalog, cfg.Frameworks, r.basis(), t.looked(), t.unread) {
		t.count(s)
		if err := h.Standing(s); err != nil {
			return nil, err
		}
	}
	return sum, h.Summary(sum)
}

type run struct {
	Config
	stdin    io.Reader
	programs *programs
	values   check.Values
}

func (c Config) basis() Basis { return cmp.Or(c.Basis, Design) }

// frameworkIDs are the frameworks whose demands on parameters count.
func frameworkIDs(frameworks []*catalog.Framework) []string {
	var ids []string
	for _, f := range frameworks {
		ids = append(ids, f.ID)
	}
	return ids
}

func (r *run) header() *Header {
	m := &Header{
		Stream: StreamVersion, Tool: "assay", Version: r.Version, Catalog: r.Catalog.Digest, Tables: r.Tables, Facts: r.Facts,
		AsOf: r.AsOf, Basis: r.basis(), Checks: []CheckInfo{}, Frameworks: []FrameworkInfo{},
	}
	within := map[string]map[string]bool{} // by framework with a profile, the requirements that it has
	for _, f := range r.Frameworks {
		if strings.Contains(f.ID, "/") {
			within[f.ID] = map[string]bool{}
			for i := range f.Requirements {
				within[f.ID][f.Requirements[i].ID] = true
			}
		}
	}
	for _, p := range r.programs.checks {
		info := CheckInfo{
			ID: p.ID, Title: p.Title, Severity: p.Severity, Subject: p.Subject,
			Rationale: p.Rationale, Source: p.Source, Fix: p.Fix, Requirements: map[string][]string{},
		}
		bearing := r.Catalog.RequirementsOf(p.Typed)
		for _, f := range r.Frameworks {
			id, _, profile := strings.Cut(f.ID, "/")
			found := bearing[id]
			if profile { // a part of the framework's requirements
				found = slices.DeleteFunc(slices.Clone(found), func(requirement string) bool { return !within[f.ID][requirement] })
			}
			if len(found) > 0 {
				info.Requirements[f.ID] = found
			}
		}
		m.Checks = append(m.Checks, info)
	}
	m.Parameters = r.parameters()
	for _, f := range r.Frameworks {
		m.Frameworks = append(m.Frameworks, FrameworkInfo{f.ID, f.Title, f.Version, len(f.Requirements)})
	}
	return m
}

// parameters are those that the checks of the run read, in order.
func (r *run) parameters() []Parameter {
	used := map[string]bool{}
	for _, p := range r.programs.checks {
		for _, name := range p.Parameters() {
			used[name] = true
		}
	}
	return parametersOf(slices.Sorted(maps.Keys(used)), r.values)
}

// inOrder judges groups in parallel and hands the results on in their order.
// Not many more groups are held than there are workers, so that memory follows
// the largest groups and not their number.
func (r *run) inOrder(ctx context.Context, groups [][]collect.Found, emit func([]*judged) error) error {
	workers := r.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	parent := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	type job struct {
		group []collect.Found
		done  chan []*judged
	}
	jobs := make(chan job)
	queue := make(chan job, 4*workers) // in the order of the groups
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j := range jobs {
				j.done <- r.judgeGroup(ctx, j.group)
			}
		})
	}
	wg.Go(func() {
		defer close(jobs)
		defer close(queue)
		for _, g := range groups {
			j := job{g, make(chan []*judged, 1)}
			select {
			case queue <- j:
			case <-ctx.Done():
				return
			}
			select {
			case jobs <- j:
			case <-ctx.Done():
				j.done <- nil
				return
			}
		}
	})
	done := 0
	var failed error
	for j := range queue {
		scopes := <-j.done
		if failed != nil {
			continue
		}
		if failed = emit(scopes); failed != nil {
			cancel()
			continue
		}
		done++
		if r.Progress != nil {
			r.Progress(done, len(groups))
		}
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	return context.Cause(parent)
}

// judgeGroup reads one group of sources and judges its scopes.
func (r *run) judgeGroup(ctx context.Context, group []collect.Found) []*judged {
	on := check.Setting{AsOf: r.AsOf, Parameters: r.values}
	if r.Asker != nil {
		on.Asker = r.Asker()
	}
	g := newGroupState(on)
	var all []*judged
	scopes := estate.Build(r.Model, Read(ctx, r.Collectors, group, r.stdin))
	for _, s := range scopes {
		all = append(all, r.judge(s, g))
	}
	g.shareCauses()
	// A function's risk takes the findings of all scopes of the group.
	for i, s := range scopes {
		for _, function := range s.OfType("AWS::Lambda::Function") {
			all[i].functions = append(all[i].functions, r.function(g, function))
		}
	}
	return all
}

// Read collects the scopes of one group of sources. A file that nobody claims
// gives none, or one unreadable scope when the user named it.
func Read(ctx context.Context, collectors []collect.Collector, group []collect.Found, stdin io.Reader) []*estate.Builder {
	var all []*estate.Builder
	for _, found := range group {
		scopes := readOne(ctx, collectors, found, stdin)
		if len(group) > 1 {
			for _, b := range scopes {
				b.Tie(group[0].Name)
			}
		}
		all = append(all, scopes...)
	}
	return all
}

func readOne(ctx context.Context, collectors []collect.Collector, found collect.Found, stdin io.Reader) []*estate.Builder {
	if scopes, live := found.Live(ctx); live {
		return scopes
	}
	f, err := found.Read(stdin)
	if err != nil {
		return []*estate.Builder{collect.Unread(found.Name, "unknown", estate.Problem{Message: err.Error()})}
	}
	if c := collect.For(f, collectors); c != nil {
		return c.Collect(ctx, f)
	}
	if !f.Named {
		return nil
	}
	var names []string
	for _, c := range collectors {
		names = append(names, c.Name())
	}
	return []*estate.Builder{collect.Unread(f.Name, "unknown", estate.Problem{
		Message: "not a file that assay reads; expected " + strings.Join(names, ", "),
		Hint:    "a template has a Resources section; write a plan with terraform show -json PLAN",
	})}
}

// programs are the checks of a run. Each is made ready when its subject first
// occurs.
type programs struct {
	lib    *check.Library
	checks []*lazyProgram // ordered by id
	byType map[string][]int
}

type lazyProgram struct {
	*check.Typed
	once  sync.Once
	ready atomic.Bool
	prog  *check.Program
	err   error
}

func programsOf(cfg Config) *programs {
	p := &programs{lib: cfg.Library, byType: map[string][]int{}}
	for _, t := range cfg.Catalog.Checks {
		if t.Severity < cfg.Severity {
			continue
		}
		p.byType[t.Subject] = append(p.byType[t.Subject], len(p.checks))
		p.checks = append(p.checks, &lazyProgram{Typed: t})
	}
	return p
}

// prepare makes the programs that a scope needs ready, side by side: for a
// single small template that is most of the work.
func (p *programs) prepare(s *estate.Scope) {
	var wg sync.WaitGroup
	for name, indexes := range p.byType {
		if len(s.OfType(name)) == 0 {
			continue
		}
		for _, i := range indexes {
			if !p.checks[i].ready.Load() {
				wg.Go(func() { _, _ = p.program(i) }) // an error is kept, and met again when the check runs
			}
		}
	}
	wg.Wait()
}

func (p *programs) program(i int) (*check.Program, error) {
	l := p.checks[i]
	l.once.Do(func() {
		l.prog, l.err = p.lib.Load(l.Typed)
		l.ready.Store(true)
	})
	return l.prog, l.err
}

// judged is one scope with all that is said of it.
type judged struct {
	coverage  *Coverage
	functions []*Function
	resources []judgedResource
	complete  func(typeName string) bool
	reasons   []string // of every unknown outcome, its first gap
	errors    int
}

type judgedResource struct {
	findings []*Finding
	decided  *Decided
	outcomes []outcomeOf
}

type outcomeOf struct {
	check    int
	outcome  check.Outcome
	severity check.Severity
}

// judge decides every check for every resource that it is about.
func (r *run) judge(s *estate.Scope, g *groupState) *judged {
	r.programs.prepare(s)
	j := &judged{coverage: coverageOf(s), complete: func(name string) bool { ok, _ := s.Complete(name); return ok }}
	for _, res := range s.Resources() {
		indexes := r.programs.byType[res.Type]
		if len(indexes) == 0 {
			continue
		}
		jr := judgedResource{decided: &Decided{Scope: s.ID, Resource: infoOf(res)}}
		for _, i := range indexes {
			result := r.evaluate(i, res, g.on)
			severity := r.programs.checks[i].Severity
			switch result.Outcome {
			case check.Pass:
				jr.decided.Pass = append(jr.decided.Pass, i)
			case check.NotApplicable:
				jr.decided.NotApplicable = append(jr.decided.NotApplicable, i)
			case check.Unknown:
				j.reasons = append(j.reasons, firstReason(result))
				jr.findings = append(jr.findings, r.finding(&r.programs.checks[i].Check, res, result, g))
			case check.Fail:
				f := r.finding(&r.programs.checks[i].Check, res, result, g)
				jr.findings = append(jr.findings, f)
				severity = f.Severity
			}
			jr.outcomes = append(jr.outcomes, outcomeOf{i, result.Outcome, severity})
			if result.Err != nil {
				j.errors++
			}
		}
		j.resources = append(j.resources, jr)
	}
	return j
}

func (r *run) evaluate(i int, res *estate.Resource, on check.Setting) check.Result {
	p, err := r.programs.program(i)
	if err != nil {
		return check.Result{Err: err}
	}
	return p.Evaluate(res, on)
}

func firstReason(result check.Result) string {
	switch {
	case result.Err != nil:
		return "the check failed to evaluate"
	case len(result.Missing) == 0:
		return "no reason recorded"
	}
	return result.Missing[0].Reason
}

func (j *judged) send(h Handler) error {
	if err := h.Coverage(j.coverage); err != nil {
		return err
	}
	for _, f := range j.functions {
		if err := h.Function(f); err != nil {
			return err
		}
	}
	for _, r := range j.resources {
		for _, f := range r.findings {
			if err := h.Finding(f); err != nil {
				return err
			}
		}
		if len(r.decided.Pass)+len(r.decided.NotApplicable) == 0 {
			continue
		}
		if err := h.Decided(r.decided); err != nil {
			return err
		}
	}
	return nil
}

func coverageOf(s *estate.Scope) *Coverage {
	c := &Coverage{
		Scope: s.ID, Format: s.Format,
		Resources: len(s.Resources()), Functions: len(s.OfType("AWS::Lambda::Function")),
	}
	for _, p := range s.Coverage() {
		if p.State != estate.CoverageComplete && p.Type != "*" || p.Gap() {
			c.Partial = append(c.Partial, p)
		}
	}
	for _, p := range s.Problems() {
		c.Problems = append(c.Problems, Problem{sourceOf(p.Position), p.Message, p.Hint, p.Fatal})
	}
	return c
}

// tally adds up a run.
type tally struct {
	summary  Summary
	outcomes []Counts // beside the checks
	checks   []*lazyProgram
	seen     []bool // beside the checks: some scope was complete for the subject
	reasons  map[string]int
	unread   int // scopes of which something could not be read
	gaps     int // live scopes of which something was not answered
}

func newTally(checks []*lazyProgram) *tally {
	return &tally{
		summary:  Summary{Failures: map[string]int{}, Checks: map[string]Counts{}, Reasons: []Reason{}, Standings: map[string]StandingSum{}},
		outcomes: make([]Counts, len(checks)),
		checks:   checks,
		seen:     make([]bool, len(checks)),
		reasons:  map[string]int{},
	}
}

func (t *tally) add(j *judged) {
	s := &t.summary
	s.Scopes++
	s.Resources += j.coverage.Resources
	s.Functions += j.coverage.Functions
	s.Problems += len(j.coverage.Problems)
	s.Errors += j.errors
	fatal := slices.ContainsFunc(j.coverage.Problems, func(p Problem) bool { return p.Fatal })
	if fatal {
		s.Unreadable++
	}
	missing := slices.ContainsFunc(j.coverage.Partial, estate.Coverage.Gap)
	if fatal || missing {
		t.unread++
	}
	// A template may leave things open on purpose; what an account did not
	// answer was to be read.
	if strings.HasPrefix(j.coverage.Format, "aws") && (missing || len(j.coverage.Problems) > 0) {
		t.gaps++
	}
	for i, c := range t.checks {
		t.seen[i] = t.seen[i] || !fatal && j.complete(c.Subject)
	}
	for _, r := range j.resources {
		for _, o := range r.outcomes {
			t.outcomes[o.check].add(o.outcome)
			s.Outcomes.add(o.outcome)
			if o.outcome == check.Fail {
				s.Failures[o.severity.String()]++
			}
		}
	}
	for _, reason := range j.reasons {
		t.reasons[reason]++
	}
}

// looked are the outcomes of the checks that could look: those with a subject,
// and those whose subject certainly does not occur.
func (t *tally) looked() map[string]Counts {
	all := map[string]Counts{}
	for i, c := range t.checks {
		if n := t.outcomes[i]; n != (Counts{}) || t.seen[i] {
			all[c.ID] = n
		}
	}
	return all
}

func (t *tally) finish() *Summary {
	s := &t.summary
	for i, c := range t.checks {
		if n := t.outcomes[i]; n != (Counts{}) {
			s.Checks[c.ID] = n
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(t.reasons)) {
		s.Reasons = append(s.Reasons, Reason{reason, t.reasons[reason]})
	}
	slices.SortStableFunc(s.Reasons, func(a, b Reason) int { return b.Count - a.Count })
	s.Incomplete = s.Unreadable > 0 || s.Errors > 0 || t.gaps > 0
	return s
}

func (t *tally) count(s *Standing) {
	sum, ok := t.summary.Standings[s.Framework]
	if !ok {
		sum.Standings = map[string]int{}
	}
	sum.Requirements++
	sum.Standings[string(s.State)]++
	t.summary.Standings[s.Framework] = sum
}
