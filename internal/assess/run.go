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
	"assay/internal/regime"
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

	Regimes  *Regimes  // what assay.yaml says; nil: there is none
	Waivers  *Waivers  // failures that are accepted; nil: none
	Baseline *Baseline // an earlier run, whose failures fail no more; nil: none

	// Asker makes what answers the hard questions of the checks, for one group
	// of sources or a part of it. Nil: they are unknown.
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

	// Workers bounds how many groups of sources, and how many parts of a large
	// one, are worked on at once; 0 is one a processor. The stream does not depend
	// on it.
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
	header := r.header()
	if err := h.Header(header); err != nil {
		return nil, err
	}
	r.refusing, r.indexes = refusals(header.Checks, cfg.Frameworks), map[string]int{}
	for i, c := range header.Checks {
		r.indexes[c.ID] = i
	}
	t := newTally(r)
	judge := func(i int) *judgedGroup { return r.judgeGroup(ctx, sources[i]) }
	err = inOrder(ctx, r.workers(), len(sources), judge, func(i int, g *judgedGroup) error {
		for _, s := range g.scopes {
			t.add(s)
		}
		t.shifts.add(g)
		t.uses, t.stated = append(t.uses, g.uses...), append(t.stated, g.stated...)
		if g.data != nil {
			t.data.Add(g.data)
		}
		if err := g.send(ctx, h); err != nil {
			return err
		}
		if r.Progress != nil {
			r.Progress(i+1, len(sources))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sum := t.finish()
	if cfg.Regimes != nil && !cfg.Regimes.Unasked && sum.Scopes > 0 {
		sum.Regimes = cfg.Regimes.indicated(t.data, cfg.AsOf)
	}
	for _, w := range t.waivers(cfg.Waivers) {
		t.countWaiver(w)
		if err := h.Waiver(w); err != nil {
			return nil, err
		}
	}
	if sum.Scopes == 0 {
		return sum, h.Summary(sum)
	}
	byID := map[string]*catalog.Framework{}
	for _, f := range cfg.Frameworks {
		byID[f.ID] = f
	}
	for _, s := range standings(cfg.Catalog, cfg.Frameworks, r.basis(), t.looked()) {
		t.waive(s, byID[s.Framework])
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
	refusing []bool         // beside the checks: none that a failure bears on takes waivers
	indexes  map[string]int // of the checks, by id
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
	if r.Regimes != nil && !r.Regimes.Unasked {
		m.Regimes = r.Regimes.info(r.AsOf)
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

func (r *run) workers() int {
	if r.Workers > 0 {
		return r.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// inOrder does n pieces of work side by side and hands the results on in their
// order. Not many more are held than there are workers, so that memory follows
// the largest pieces and not their number. The error is that of ctx or of emit,
// which ends the work.
func inOrder[T any](parent context.Context, workers, n int, work func(i int) T, emit func(i int, result T) error) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	results := make([]chan T, n)
	for i := range results {
		results[i] = make(chan T, 1)
	}
	var next atomic.Int64
	held := make(chan struct{}, 4*workers) // results that were not handed on
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for {
				select {
				case held <- struct{}{}:
				case <-ctx.Done():
					return
				}
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				results[i] <- work(i)
			}
		})
	}
	var failed error
	for i := 0; i < n && failed == nil; i++ {
		select {
		case result := <-results[i]:
			<-held
			failed = emit(i, result)
		case <-ctx.Done():
			failed = context.Cause(parent)
		}
	}
	cancel()
	wg.Wait()
	if failed != nil {
		return failed
	}
	return context.Cause(parent)
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
	shifts []*lazyProgram // the conditions of the catalogue's shifts, in order
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
	for _, s := range cfg.Catalog.Shifts {
		p.shifts = append(p.shifts, &lazyProgram{Typed: s.Condition})
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
	if len(s.OfType(functionType)) > 0 {
		for _, l := range p.shifts {
			if !l.ready.Load() {
				wg.Go(func() { _, _ = l.program(p.lib) })
			}
		}
	}
	wg.Wait()
}

func (p *programs) program(i int) (*check.Program, error) { return p.checks[i].program(p.lib) }

func (l *lazyProgram) program(lib *check.Library) (*check.Program, error) {
	l.once.Do(func() {
		l.prog, l.err = lib.Load(l.Typed)
		l.ready.Store(true)
	})
	return l.prog, l.err
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
	run      *run
	uses     []waiverUse             // of entries, in the order of the findings
	stated   []*Waiver               // by sources
	accepted map[string]waivedCounts // by check
	fresh    int                     // failures that the baseline does not have
	known    map[string]bool         // findings that it has too
	open     map[string]bool         // findings that are unknown, with a baseline
	whole    map[string]bool         // scopes of which nothing is missing
	unread   int                     // scopes of which something could not be read
	reaches  []reach
	// unreached are those that some function misses.
	unreached map[reach]bool
	shifts    shiftCounts
	data      *regime.Survey // what the estate says of its data
	gaps      int            // live scopes of which something was not answered
}

func newTally(r *run) *tally {
	checks := r.programs.checks
	return &tally{
		run: r, data: regime.NewSurvey(), accepted: map[string]waivedCounts{}, known: map[string]bool{}, open: map[string]bool{}, whole: map[string]bool{},
		summary:  Summary{Failures: map[string]int{}, Failing: map[string]int{}, Checks: map[string]Counts{}, Reasons: []Reason{}, Standings: map[string]StandingSum{}},
		outcomes: make([]Counts, len(checks)),
		checks:   checks,
		seen:     make([]bool, len(checks)),
		reasons:  map[string]int{},
		reaches:  reaches(r.Catalog), unreached: map[reach]bool{},
	}
}

func (t *tally) add(j *judged) {
	s := &t.summary
	s.Scopes++
	s.Resources += j.coverage.Resources
	s.Functions += j.coverage.Functions
	s.Problems += len(j.coverage.Problems)
	fatal := slices.ContainsFunc(j.coverage.Problems, func(p Problem) bool { return p.Fatal })
	if fatal {
		s.Unreadable++
	}
	missing := slices.ContainsFunc(j.coverage.Partial, estate.Coverage.Gap)
	t.whole[j.ID] = !fatal && !missing
	if fatal || missing {
		t.unread++
	}
	// A template may leave things open on purpose; what an account did not
	// answer was to be read.
	if strings.HasPrefix(j.coverage.Format, "aws") && (missing || len(j.coverage.Problems) > 0) {
		t.gaps++
	}
	for i, c := range t.checks {
		t.seen[i] = t.seen[i] || !fatal && complete(j.Scope, c.Subject)
	}
	count := func(index int, o check.Outcome) {
		t.outcomes[index].add(o)
		s.Outcomes.add(o)
	}
	for i := range j.subjects {
		r := &j.subjects[i]
		if r.Type == functionType {
			for _, reach := range t.reaches {
				t.unreached[reach] = t.unreached[reach] || reach.missed(r.Resource)
			}
		}
		for _, index := range r.pass {
			count(index, check.Pass)
		}
		for _, index := range r.notApplicable {
			count(index, check.NotApplicable)
		}
		for k := range r.findings {
			f := &r.findings[k]
			count(f.check, f.result.Outcome)
			if f.result.Err != nil {
				s.Errors++
			}
			if f.result.Outcome == check.Fail {
				s.Failures[f.severity.String()]++
				t.addFailure(f)
				continue
			}
			t.reasons[firstReason(f.result)]++
			if t.run.Baseline != nil {
				t.open[f.id(t.run)] = true
			}
		}
	}
}

// addFailure counts a failure: whether it is waived, and whether it is new. What
// is neither waived nor in the baseline fails the run.
func (t *tally) addFailure(f *finding) {
	id := t.checks[f.check].ID
	severity := f.severity.String()
	waived := f.waives()
	if f.accepted != nil {
		n := t.accepted[id]
		if waived {
			n.waived++
			t.outcomes[f.check].Waived++
			t.summary.Outcomes.Waived++
			if t.summary.Waived == nil {
				t.summary.Waived = map[string]int{}
			}
			t.summary.Waived[severity]++
		}
		if f.accepted.entry.Measure != "" {
			n.measured++
		}
		if f.accepted.entry.Customised != "" {
			n.customised++
		}
		t.accepted[id] = n
	}
	known := false
	if b := t.run.Baseline; b != nil {
		if finding := f.id(t.run); b.state(finding) == BaselineUnchanged {
			known, t.known[finding] = true, true
		} else {
			t.fresh++
		}
	}
	if !waived && !known {
		t.summary.Failing[severity]++
	}
}

// countWaiver counts a waiver by its state; one that fails fails the run.
func (t *tally) countWaiver(w *Waiver) {
	if t.summary.Waivers == nil {
		t.summary.Waivers = map[string]int{}
	}
	t.summary.Waivers[w.State]++
	if w.Fails() {
		t.summary.Failing[w.Severity.String()]++
	}
}

func complete(s *estate.Scope, typeName string) bool {
	ok, _ := s.Complete(typeName)
	return ok
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

// looked is what was seen. Checks that could look are those with a subject, and
// those whose subject certainly does not occur.
func (t *tally) looked() looked {
	saw := looked{outcomes: map[string]Counts{}, undesigned: map[string]bool{}, unreached: t.unreached, unread: t.unread, shifts: t.shifts}
	for i, c := range t.checks {
		if n := t.outcomes[i]; n != (Counts{}) || t.seen[i] {
			saw.outcomes[c.ID] = n
		}
	}
	for _, c := range t.run.Catalog.Checks {
		if s := t.run.Model.Schema(c.Subject); t.run.basis() == Design && s != nil && s.Source != "" {
			saw.undesigned[c.ID] = true
		}
	}
	return saw
}

// reaches lists what objectives ask of the edges of functions.
func reaches(c *catalog.Catalog) []reach {
	var all []reach
	for _, t := range c.Checks {
		for _, link := range t.Establishes {
			if r := (reach{link.Edge, link.All}); r.edge != "" && !slices.Contains(all, r) {
				all = append(all, r)
			}
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
	s.Baseline = t.run.Baseline.compare(t)
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
	if s.Waived {
		sum.Waived++
	}
	t.summary.Standings[s.Framework] = sum
}
