package assess

import (
	"context"
	"maps"
	"slices"

	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/estate"
	"assay/internal/regime"
)

// judgedGroup is one group of scopes with what was decided of them.
type judgedGroup struct {
	run    *run
	scopes []*judged
	// subjects are the resources that something is said of, in order of scope and
	// resource.
	subjects []judgedResource
	bearings map[*estate.Resource]*bearing // of the functions
	shifts   map[*estate.Resource][]FunctionShift
	concerns map[*estate.Resource][]*finding // by the functions that they concern
	uses     []waiverUse                     // how entries of waivers stand to the failures
	stated   []*Waiver                       // what the sources state of waivers
	data     *regime.Survey                  // nil: no regimes are looked for
	handled  map[string]handled              // what functions handle, by their ids
	messages []func() []message              // what is said of it, a batch at a time
}

// judged is one scope; its subjects are a part of the group's.
type judged struct {
	*estate.Scope
	coverage *Coverage
	subjects []judgedResource
}

// judgedResource is what was decided of one resource: checks by their index, in
// order.
type judgedResource struct {
	*estate.Resource
	functions []*estate.Resource // that it concerns
	decided
}

type decided struct {
	pass, notApplicable []int
	findings            []finding
}

// finding is a failure or an unknown before it is put into words. A large estate
// has hundreds of thousands, and most of what the message says stands in the
// estate or in the catalogue already.
type finding struct {
	check    int
	of       *judgedResource
	result   check.Result
	severity check.Severity
	gravest  *estate.Resource // the function that raised it; nil: none did
	cause    *Cause
	accepted *accepted // nil: no waiver in force covers it
}

// partSize is how many resources one asker answers for. It bounds what is
// remembered of them, and it does not depend on how many work, so that neither
// does the stream.
const partSize = 1000

// judgeGroup reads one group of sources and judges its scopes: a part of them at
// a time, side by side. What is asked of the whole group is a part by itself.
func (r *run) judgeGroup(ctx context.Context, sources []collect.Found) *judgedGroup {
	g := &judgedGroup{run: r, bearings: map[*estate.Resource]*bearing{}, shifts: map[*estate.Resource][]FunctionShift{}, concerns: map[*estate.Resource][]*finding{}}
	scopes := estate.Build(r.Model, Read(ctx, r.Collectors, sources, r.stdin))
	g.take(scopes)
	g.data = r.survey(scopes)
	g.handled = r.handled(g.data)
	if len(g.subjects) <= partSize {
		g.put(g.judge(g.subjects, true, true))
	} else if err := g.judgeParts(ctx); err != nil {
		return &judgedGroup{run: r} // the run ends with the error
	}
	for i := range g.subjects {
		g.weigh(&g.subjects[i])
	}
	g.shareCauses()
	g.waive()
	g.batch()
	return g
}

// take notes the subjects of the scopes.
func (g *judgedGroup) take(scopes []*estate.Scope) {
	var ends []int
	for _, s := range scopes {
		g.run.programs.prepare(s)
		for _, res := range s.Resources() {
			if len(g.run.programs.byType[res.Type]) > 0 || res.Type == functionType {
				g.subjects = append(g.subjects, judgedResource{Resource: res, functions: res.Functions()})
			}
		}
		g.scopes = append(g.scopes, &judged{Scope: s, coverage: coverageOf(s)})
		ends = append(ends, len(g.subjects))
	}
	start := 0
	for i, end := range ends {
		g.scopes[i].subjects = g.subjects[start:end]
		start = end
	}
}

const functionType = "AWS::Lambda::Function"

// judgeParts judges a group that is too large for one asker.
func (g *judgedGroup) judgeParts(ctx context.Context) error {
	parts := append([][]judgedResource{g.subjects}, slices.Collect(slices.Chunk(g.subjects, partSize))...)
	work := func(i int) *part { return g.judge(parts[i], i > 0, i == 0) }
	return inOrder(ctx, g.run.workers(), len(parts), work, func(_ int, p *part) error { g.put(p); return nil })
}

// part is what was decided of some subjects, in their order.
type part struct {
	subjects []judgedResource
	decided  []decided
	bearings map[*estate.Resource]*bearing
	shifts   map[*estate.Resource][]FunctionShift // of the functions that have some
}

// put notes what was decided with the subjects.
func (g *judgedGroup) put(p *part) {
	for i := range p.decided {
		p.subjects[i].join(p.decided[i])
	}
	maps.Copy(g.bearings, p.bearings)
	maps.Copy(g.shifts, p.shifts)
}

// join adds what was decided by other checks.
func (d *decided) join(other decided) {
	join := func(a, b []int) []int {
		switch {
		case len(a) == 0:
			return b
		case len(b) == 0:
			return a
		}
		all := slices.Concat(a, b)
		slices.Sort(all)
		return all
	}
	d.pass, d.notApplicable = join(d.pass, other.pass), join(d.notApplicable, other.notApplicable)
	switch {
	case len(d.findings) == 0:
		d.findings = other.findings
	case len(other.findings) > 0:
		d.findings = slices.Concat(d.findings, other.findings)
		slices.SortFunc(d.findings, func(a, b finding) int { return a.check - b.check })
	}
}

// judge decides checks for every subject that they are about: those that are near,
// which ask about the subject and what it is tied to, or those that are wide.
func (g *judgedGroup) judge(subjects []judgedResource, near, wide bool) *part {
	r := g.run
	on := check.Setting{AsOf: r.AsOf, Parameters: r.values}
	if r.Asker != nil {
		on.Asker = r.Asker()
	}
	p := &part{subjects, make([]decided, len(subjects)), map[*estate.Resource]*bearing{}, map[*estate.Resource][]FunctionShift{}}
	var pass, notApplicable []int
	var findings []finding
	var shared lists
	for i := range subjects {
		s := &subjects[i]
		pass, notApplicable, findings = pass[:0], notApplicable[:0], findings[:0]
		for _, index := range r.programs.byType[s.Type] {
			program, err := r.programs.program(index)
			if isWide := program.Wide(); isWide && !wide || !isWide && !near {
				continue
			}
			result := check.Result{Err: err}
			if err == nil {
				result = program.Evaluate(s.Resource, on)
			}
			switch result.Outcome {
			case check.Pass:
				pass = append(pass, index)
			case check.NotApplicable:
				notApplicable = append(notApplicable, index)
			case check.Unknown, check.Fail:
				findings = append(findings, finding{check: index, of: s, result: result})
			}
		}
		p.decided[i] = decided{shared.like(pass), shared.like(notApplicable), slices.Clone(findings)}
		if near && s.Type == functionType {
			p.bearings[s.Resource] = g.bearing(s.Resource, on)
			if shifts := r.shifts(s.Resource, on); len(shifts) > 0 {
				p.shifts[s.Resource] = shifts
			}
		}
	}
	return p
}

// lists are the lists of checks that resources of a part passed, say: most are
// alike.
type lists [][]int

// maxLists bounds how many are compared.
const maxLists = 32

// like is a list that is equal to one that goes on being used.
func (l *lists) like(list []int) []int {
	for _, known := range *l {
		if slices.Equal(known, list) {
			return known
		}
	}
	list = slices.Clone(list)
	if len(*l) < maxLists {
		*l = append(*l, list)
	}
	return list
}

// weigh gives findings of a subject the severity of the function that each is
// gravest for, and notes them with every function that they concern.
func (g *judgedGroup) weigh(s *judgedResource) {
	for i := range s.findings {
		f := &s.findings[i]
		c := &g.run.programs.checks[f.check].Check
		f.severity = c.Severity
		for _, function := range s.functions {
			if severity, _ := raise(c, function, g.bearings[function]); severity > f.severity {
				f.severity, f.gravest = severity, function
			}
			g.concerns[function] = append(g.concerns[function], f)
		}
	}
}

// batchSize is how many resources are put into words at once.
const batchSize = 50

// batch makes ready what is said of the group. A small one is put into words at
// once, by whoever judged it.
func (g *judgedGroup) batch() {
	for _, s := range g.scopes {
		g.messages = append(g.messages, func() []message { return []message{{Coverage: s.coverage}} })
		for functions := range slices.Chunk(s.OfType(functionType), batchSize) {
			g.messages = append(g.messages, func() []message { return g.ofFunctions(functions) })
		}
		for subjects := range slices.Chunk(s.subjects, batchSize) {
			g.messages = append(g.messages, func() []message { return g.ofSubjects(subjects) })
		}
	}
	if len(g.subjects) <= batchSize {
		var all []message
		for _, batch := range g.messages {
			all = append(all, batch()...)
		}
		g.messages = []func() []message{func() []message { return all }}
	}
}

func (g *judgedGroup) ofFunctions(functions []*estate.Resource) []message {
	var all []message
	for _, f := range functions {
		all = append(all, message{Function: g.function(f)})
	}
	return all
}

func (g *judgedGroup) ofSubjects(subjects []judgedResource) []message {
	var all []message
	for i := range subjects {
		s := &subjects[i]
		for j := range s.findings {
			all = append(all, message{Finding: g.words(&s.findings[j])})
		}
		if len(s.pass)+len(s.notApplicable) > 0 {
			all = append(all, message{Decided: &Decided{Scope: s.Scope().ID, Resource: infoOf(s.Resource), Pass: s.pass, NotApplicable: s.notApplicable}})
		}
	}
	return all
}

// send hands on what is said of the group, which is put into words side by side.
func (g *judgedGroup) send(ctx context.Context, h Handler) error {
	work := func(i int) []message { return g.messages[i]() }
	return inOrder(ctx, g.run.workers(), len(g.messages), work, func(_ int, batch []message) error {
		for i := range batch {
			if err := batch[i].dispatch(h); err != nil {
				return err
			}
		}
		return nil
	})
}
