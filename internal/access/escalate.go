package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// EscalationQuery asks how principals come to more power.
type EscalationQuery struct {
	From string // address of a function, role or user; "" is everybody
	To   string // address of a function, role or user, or "admin"; "" is anybody
	// Exposures asks for what gives no more power by itself as well.
	Exposures bool
}

// ToAdministrator is the To of paths that end with all permissions.
const ToAdministrator = "admin"

// Escalation is the answer to an [EscalationQuery].
type Escalation struct {
	Paths     []Path
	Exposures []Exposed
	// Principals is how many have been asked about.
	Principals int
	Words      func(string) string
}

// Path is a way from a principal to more power, by steps that are each walked
// with requests.
type Path struct {
	From string
	To   []string // whom the last step may lead to; the requests are for the first
	// Administrator: the first of To may change permissions of every kind.
	Administrator estate.Truth
	Truth         estate.Truth // Maybe: it turns on what is missing
	Steps         []Step
	Missing       []estate.Gap
	// Gain is a request that To may make and From may not, if one was needed to
	// tell.
	Gain *iam.RequestSpec
}

// Step is one technique at work.
type Step struct {
	Technique, Name, Known string
	From, To               string
	By                     string // the function that is taken over
	Requests               []iam.RequestSpec
}

// Exposed is a technique of a kind that gives no more power by itself.
type Exposed struct {
	Kind, Technique, Name string
	From                  string
	Of                    []string // functions or layers
	Truth                 estate.Truth
	Request               *iam.RequestSpec
	Missing               []estate.Gap
}

// Escalate finds how principals of the scopes, and those whom they let in, come
// to more power.
func (a *Access) Escalate(scopes []*estate.Scope, q EscalationQuery) (*Escalation, error) {
	w := a.world()
	g, err := w.graph(scopes, &undecided{})
	if err != nil {
		return nil, err
	}
	from, err := g.starts(scopes, q.From)
	if err != nil {
		return nil, err
	}
	reaches, err := g.ends(scopes, q.To)
	if err != nil {
		return nil, err
	}
	out := &Escalation{Principals: len(from), Words: w.words}
	for _, h := range from {
		out.Paths = append(out.Paths, g.paths(h, reaches)...)
		if q.Exposures {
			out.Exposures = append(out.Exposures, g.exposures(h)...)
		}
	}
	return out, nil
}

// starts are the holders at an address, or all.
func (g *graph) starts(scopes []*estate.Scope, address string) ([]*holder, error) {
	if address == "" {
		var all []*holder
		for _, list := range [][]*estate.Resource{g.roles, g.users} {
			for _, r := range list {
				all = append(all, g.holderOf(r, nil))
			}
		}
		return append(all, g.outsiders()...), nil
	}
	r, role, err := g.actor(scopes, address)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, fmt.Errorf("%s: its role is not in the estate", r.Address)
	}
	if role == r {
		return []*holder{g.holderOf(r, nil)}, nil
	}
	return []*holder{g.holderOf(role, r)}, nil
}

// actor is the role, user or function at an address, and who acts for it.
func (g *graph) actor(scopes []*estate.Scope, address string) (r, acts *estate.Resource, err error) {
	r, rest, err := lookup(scopes, address)
	switch {
	case err != nil:
		return nil, nil, err
	case r == nil || rest != "":
		return nil, nil, noSuch(address)
	}
	switch r.Type {
	case "AWS::IAM::Role", "AWS::IAM::User":
		return r, r, nil
	case "AWS::Lambda::Function":
		if roles, gaps := g.view.Related(r, "roles"); len(roles) == 1 && len(gaps) == 0 {
			acts = roles[0]
		}
		return r, acts, nil
	}
	return nil, nil, fmt.Errorf("%s is a %s; expected a function, a role or a user", r.Address, r.Type)
}

// ends says which holders a question is about.
func (g *graph) ends(scopes []*estate.Scope, address string) (func(*edge) bool, error) {
	switch address {
	case "":
		return func(*edge) bool { return true }, nil
	case ToAdministrator:
		return func(e *edge) bool { return g.administers(e.to).truth != estate.False }, nil
	}
	r, acts, err := g.actor(scopes, address)
	if err != nil {
		return nil, err
	}
	return func(e *edge) bool {
		return e.to.resource == r || r.Type != "AWS::Lambda::Function" && e.to.resource == acts || e.aim == r
	}, nil
}

// arrival is how a holder was come to.
type arrival struct {
	by   *edge
	from *arrival // nil at the start
}

func (a *arrival) edges() (list []*edge) {
	for ; a != nil && a.by != nil; a = a.from {
		list = append(list, a.by)
	}
	slices.Reverse(list)
	return list
}

// paths are the shortest paths from a holder, those that are certain before the
// others. Behind a certain way to all permissions nothing more is looked for.
func (g *graph) paths(h *holder, wanted func(*edge) bool) []Path {
	var found []*arrival
	certain := map[*holder]bool{h: true}
	all := g.search(h, true, certain, func(a *arrival) bool {
		found = append(found, a)
		return g.administers(a.by.to).truth == estate.True
	})
	if !all {
		reached := map[*holder]bool{h: true}
		g.search(h, false, reached, func(a *arrival) bool {
			if !certain[a.by.to] {
				found = append(found, a)
			}
			return false
		})
	}
	var out []Path
	at := map[string]int{}
	for _, a := range found {
		steps := a.edges()
		last := steps[len(steps)-1]
		if !wanted(last) || !g.counts(h, steps) {
			continue
		}
		p := g.path(h, steps)
		key := fmt.Sprint(p.Truth, p.Administrator, len(p.Missing))
		for _, e := range steps {
			key += "|" + e.technique.ID
			if e != last {
				key += " " + e.to.name
			}
		}
		if i, ok := at[key]; ok {
			out[i].To = append(out[i].To, p.To...)
			continue
		}
		at[key] = len(out)
		out = append(out, p)
	}
	rank := func(p Path) int {
		n := 0
		if p.Truth != estate.True {
			n += 2
		}
		if p.Administrator != estate.True {
			n++
		}
		return n
	}
	slices.SortStableFunc(out, func(a, b Path) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// search walks breadth first. certain follows edges that are certain alone. It
// hands over each holder that is come to and ends, with true, when that says so;
// the rest of the level is still handed over.
func (g *graph) search(h *holder, certain bool, reached map[*holder]bool, arrive func(*arrival) bool) bool {
	level := []*arrival{{}}
	at := func(a *arrival) *holder {
		if a.by == nil {
			return h
		}
		return a.by.to
	}
	for len(level) > 0 {
		var next []*arrival
		stop := false
		for _, a := range level {
			for _, e := range g.edges(at(a)) {
				if certain && e.walk.truth != estate.True || reached[e.to] {
					continue
				}
				reached[e.to] = true
				b := &arrival{by: e, from: a}
				stop = arrive(b) || stop
				next = append(next, b)
			}
		}
		if stop {
			return true
		}
		level = next
	}
	return false
}

// counts reports whether a path is an escalation: it ends with more power than
// it began with, and not by roles alone that the holder is meant to assume,
// unless that gives it everything.
func (g *graph) counts(h *holder, steps []*edge) bool {
	last := steps[len(steps)-1].to
	if last == h || len(steps) > 1 && g.moreThan(h, last).truth == estate.False {
		return false
	}
	if slices.ContainsFunc(steps, func(e *edge) bool { return e.technique.Kind == "" }) {
		return true
	}
	return g.administers(last).truth != estate.False
}

func (g *graph) path(h *holder, steps []*edge) Path {
	last := steps[len(steps)-1]
	m := last.more
	if len(steps) > 1 {
		m = g.moreThan(h, last.to)
	}
	p := Path{From: h.name, To: []string{last.to.name}, Administrator: g.administers(last.to).truth, Truth: m.truth, Missing: slices.Clone(m.gaps)}
	if m.request != nil {
		p.Gain = &m.request.spec
	}
	for _, e := range steps {
		p.Truth = p.Truth.And(e.walk.truth)
		p.Missing = append(p.Missing, g.missingOf(e.walk)...)
		s := Step{Technique: e.technique.ID, Name: e.technique.Name, Known: e.technique.Known, From: e.from.name, To: e.to.name}
		if e.technique.Gains == "function-role" {
			s.By = e.aim.Address
		}
		for _, r := range e.walk.requests {
			s.Requests = append(s.Requests, r.spec)
		}
		place := func(r iam.RequestSpec) int {
			return slices.IndexFunc(e.technique.Steps, func(st *step) bool { return st.Action == r.Action })
		}
		slices.SortStableFunc(s.Requests, func(a, b iam.RequestSpec) int { return cmp.Compare(place(a), place(b)) })
		p.Steps = append(p.Steps, s)
	}
	p.Missing = distinct(p.Missing)
	if p.Truth == estate.True {
		p.Missing = nil
	}
	return p
}

func distinct(gaps []estate.Gap) (out []estate.Gap) {
	for _, g := range gaps {
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// exposures are what a holder can do that gives it no more power by itself.
func (g *graph) exposures(h *holder) (list []Exposed) {
	if g.administers(h).truth == estate.True {
		return nil
	}
	for _, t := range g.techniques {
		if t.Gains != "" || !g.feasible(h, t) {
			continue
		}
		aims := g.functions
		if t.groups[0].on == "layer" {
			aims = g.layers
		}
		for _, truth := range []estate.Truth{estate.True, estate.Maybe} {
			var e *Exposed
			for _, aim := range aims {
				w := walk{truth: estate.True}
				for _, gr := range t.groups {
					w = w.and(g.group(h, gr, aim, nil))
				}
				switch {
				case w.truth != truth:
				case e == nil:
					e = &Exposed{Kind: t.Kind, Technique: t.ID, Name: t.Name, From: h.name, Of: []string{aim.Address}, Truth: truth, Missing: g.missingOf(w)}
					if len(w.requests) > 0 {
						e.Request = &w.requests[0].spec
					}
				default:
					e.Of = append(e.Of, aim.Address)
				}
			}
			if e != nil {
				list = append(list, *e)
			}
		}
	}
	return list
}

// onGraph has a question answered on the graph of the subject's group. The graph
// is kept as long as no open input has had a say in it.
func (w *world) onGraph(q *check.Question, answer func(*graph) check.Answer) check.Answer {
	g := w.graphs
	if g == nil || !q.View.Plain() {
		var err error
		if g, err = w.graph(q.Subject.Scope().Group(), q.View); err != nil {
			return check.Answer{Missing: []estate.Gap{{Reason: err.Error(), Input: "access engine"}}}
		}
	}
	g.view = q.View
	a := answer(g)
	switch {
	case q.View.Plain():
		w.graphs = g
	case w.graphs == g:
		w.graphs = nil
	}
	return a
}

// escalates asks whether whoever acts as the role comes to more power.
func (g *graph) escalates(q *check.Question) check.Answer {
	result := check.Answer{Truth: estate.False}
	for _, p := range g.paths(g.holderOf(q.Subject, nil), func(*edge) bool { return true }) {
		if p.Truth == estate.True {
			return check.Answer{Truth: estate.True, Reads: g.pathReads(q.Subject, p)}
		}
		result = either(result, check.Answer{Truth: estate.Maybe, Missing: p.Missing})
	}
	return result
}

// invitesEscalation asks whether somebody who may do less than the function's
// role can make the function run what they want.
func (g *graph) invitesEscalation(q *check.Question) check.Answer {
	result := check.Answer{Truth: estate.False}
	for _, a := range g.towardsFunctions() {
		g.each(a.from, a.technique, []*estate.Resource{q.Subject}, func(aim *estate.Resource, to *holder) {
			e := g.edge(a.from, a.technique, aim, to)
			switch {
			case e == nil:
			case e.walk.truth == estate.True:
				result = check.Answer{Truth: estate.True, Reads: g.pathReads(q.Subject, g.path(a.from, []*edge{e}))}
			default:
				result = either(result, check.Answer{Truth: estate.Maybe, Missing: g.missingOf(e.walk)})
			}
		})
		if result.Truth == estate.True {
			return result
		}
	}
	result.Missing = distinct(result.Missing)
	return result
}

// attempt is a technique that may be in a holder's reach.
type attempt struct {
	from      *holder
	technique *technique
}

// towardsFunctions lists who may come to act as a function, whichever it is, so
// that each function is not asked of everybody.
func (g *graph) towardsFunctions() []attempt {
	if g.attempts == nil {
		g.attempts = []attempt{}
		from, _ := g.starts(nil, "")
		for _, h := range from {
			for _, t := range g.techniques {
				if t.Gains == "function-role" && g.feasible(h, t) {
					g.attempts = append(g.attempts, attempt{h, t})
				}
			}
		}
	}
	return g.attempts
}

// pathReads shows the requests that walk a path.
func (w *world) pathReads(subject *estate.Resource, p Path) (reads []check.Read) {
	for _, s := range p.Steps {
		what := s.From + " " + s.Name + ", and acts as " + s.To
		reads = append(reads, check.Read{Resource: subject, Path: "escalation " + s.Technique, Value: estate.String(what).At(subject.Source)})
		for _, r := range s.Requests {
			reads = append(reads, check.Read{Resource: subject, Path: w.words(r.Principal) + " " + r.Action + " " + w.words(r.Resource), Value: estate.String(strings.Join(append([]string{"allowed"}, contextWords(r, w.words)...), ", ")).At(subject.Source)})
		}
	}
	return reads
}

// contextWords are the keys that a request is made with, beside those that
// follow from its principal.
func contextWords(r iam.RequestSpec, words func(string) string) (list []string) {
	for k, v := range r.Context {
		if lower := strings.ToLower(k); len(v) > 0 && lower != "aws:principalarn" && lower != "aws:securetransport" {
			list = append(list, "with "+k+" = "+words(strings.Join(v, ", ")))
		}
	}
	slices.Sort(list)
	return list
}
