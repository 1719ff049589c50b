package regime

import (
	"fmt"
	"slices"
	"strings"

	"assay/internal/estate"
)

const (
	functionType = "AWS::Lambda::Function"
	roleType     = "AWS::IAM::Role"
	policyType   = "AWS::IAM::ManagedPolicy"
)

// Survey is what an estate says of its data.
type Survey struct {
	Scopes, Functions int
	// Handles and Connected are, by class of data, the functions that handle it, and
	// those that are tied to such a function or to a store of the class.
	Handles   map[string][]Reach
	Connected map[string][]Reach
	// Stores hold a class of data that no function is seen to handle.
	Stores map[string][]string
	// Suggested are names that suggest a class and prove nothing.
	Suggested map[string][]Named
	// Unclassed are functions and stores that nobody classes.
	Unclassed []Named
	// Open is what could not be read and might hold any class.
	Open []string

	opened map[string]bool // texts of Open
}

// Named is a resource of the estate.
type Named struct {
	ID      string `json:"id"` // over the whole estate
	Address string `json:"address"`
}

// Reach is a function, and the steps by which data of a class reach it.
type Reach struct {
	Named
	Steps []string `json:"steps"`
}

// NewSurvey is the survey of nothing.
func NewSurvey() *Survey {
	return &Survey{Handles: map[string][]Reach{}, Connected: map[string][]Reach{}, Stores: map[string][]string{}, Suggested: map[string][]Named{}, opened: map[string]bool{}}
}

// open notes what could not be read, once.
func (s *Survey) open(text string) {
	if !s.opened[text] {
		s.opened[text] = true
		s.Open = append(s.Open, text)
	}
}

// Add puts what another part of the estate says beside it.
func (s *Survey) Add(o *Survey) {
	s.Scopes += o.Scopes
	s.Functions += o.Functions
	for c, list := range o.Handles {
		s.Handles[c] = append(s.Handles[c], list...)
	}
	for c, list := range o.Connected {
		s.Connected[c] = append(s.Connected[c], list...)
	}
	for c, list := range o.Stores {
		s.Stores[c] = append(s.Stores[c], list...)
	}
	for c, list := range o.Suggested {
		s.Suggested[c] = append(s.Suggested[c], list...)
	}
	s.Unclassed = append(s.Unclassed, o.Unclassed...)
	for _, text := range o.Open {
		s.open(text)
	}
}

// Survey looks at the scopes of one source. tagKeys are the keys of tags that name
// a class, beside those of the rules.
func (r *Rules) Survey(scopes []*estate.Scope, tagKeys []string, d *Declaration) *Survey {
	all := NewSurvey()
	seen := map[*estate.Scope]bool{}
	for _, s := range scopes {
		if seen[s] {
			continue
		}
		for _, member := range s.Group() {
			seen[member] = true
		}
		all.Add(r.group(s.Group(), append(slices.Clone(tagKeys), r.TagKeys...), d))
	}
	return all
}

// group looks at scopes that are tied to each other.
func (r *Rules) group(scopes []*estate.Scope, keys []string, d *Declaration) *Survey {
	g := &graph{
		rules: r, declared: d, keys: keys, survey: NewSurvey(),
		byID: map[string]*estate.Resource{}, ends: map[*estate.Resource][]end{}, classes: map[*estate.Resource]map[string]string{},
		called: map[string]string{}, service: map[string]string{}, wide: map[string][]*estate.Resource{},
	}
	for _, st := range r.stores {
		g.called[st.Type], g.service[st.Type] = st.Called, st.Service
	}
	g.survey.Scopes = len(scopes)
	for _, s := range scopes {
		g.unread(s)
		g.survey.Functions += len(s.OfType(functionType))
		for _, res := range s.Resources() {
			g.byID[res.ID] = res
			g.resources = append(g.resources, res)
		}
	}
	for _, res := range g.resources {
		g.classify(res)
	}
	for _, res := range g.resources {
		g.tie(res)
	}
	g.spread()
	g.noteStores()
	g.noteOpen()
	return g.survey
}

// graph is one group of scopes, with what is tied to what.
type graph struct {
	rules           *Rules
	declared        *Declaration
	keys            []string
	survey          *Survey
	resources       []*estate.Resource
	byID            map[string]*estate.Resource
	ends            map[*estate.Resource][]end
	classes         map[*estate.Resource]map[string]string // what says so, by class
	called, service map[string]string                      // by type of store
	opens           []opening
	wide            map[string][]*estate.Resource // policies for every resource, by service
}

// opening is something that is not known of a resource.
type opening struct {
	at *estate.Resource
	// always: what is not known may be which function it is tied to. Else it counts
	// only where a function is tied to the resource.
	always bool
	text   string
}

// end is the other end of a tie.
type end struct {
	to   *estate.Resource
	kind tieKind
	*statement
}

// statement is where a tie is stated: by names of in where.
type statement struct {
	by, of *estate.Resource
	where  string
}

func (g *graph) says(s *statement) string {
	if s.where == "" {
		return fmt.Sprintf("%s may act on every resource, %s among them", g.call(s.by), g.call(s.of))
	}
	return fmt.Sprintf("%s names %s in %s", g.call(s.by), g.call(s.of), s.where)
}

func named(r *estate.Resource) Named { return Named{r.ID, r.Address} }

// call is what a person calls a resource.
func (g *graph) call(r *estate.Resource) string {
	if r.Type == functionType {
		return r.Address
	}
	if name := g.called[r.Type]; name != "" {
		return name + " " + r.Address
	}
	return strings.Join(wordsIn(r.Type[strings.LastIndexByte(r.Type, ':')+1:]), " ") + " " + r.Address
}

func (g *graph) open(format string, args ...any) {
	g.survey.open(fmt.Sprintf(format, args...))
}

func (g *graph) openAt(r *estate.Resource, always bool, format string, args ...any) {
	g.opens = append(g.opens, opening{r, always, fmt.Sprintf(format, args...)})
}

// noteOpen keeps what is open of resources that functions are tied to.
func (g *graph) noteOpen() {
	near := map[*estate.Resource]bool{}
	var queue []*estate.Resource
	for _, r := range g.resources {
		if r.Type == functionType {
			near[r] = true
			queue = append(queue, r)
		}
	}
	for len(queue) > 0 {
		r := queue[0]
		queue = queue[1:]
		for _, e := range g.ends[r] {
			if !near[e.to] {
				near[e.to] = true
				queue = append(queue, e.to)
			}
		}
	}
	for _, o := range g.opens {
		if o.always && len(near) > 0 || near[o.at] {
			g.open("%s", o.text)
		}
	}
}

// unread notes what of a scope could not be read.
func (g *graph) unread(s *estate.Scope) {
	for _, p := range s.Problems() {
		if p.Fatal {
			g.open("%s could not be read", s.ID)
		}
	}
	for _, c := range s.Coverage() {
		if _, isStore := g.called[c.Type]; c.Gap() && (c.Type == "*" || c.Type == functionType || c.Type == roleType || isStore) {
			what := c.Type
			if what == "*" {
				what = "resources"
			}
			g.open("%s: not all %s were read (%s)", s.ID, what, c.Reason)
		}
	}
}

// spread follows data from where they are.
func (g *graph) spread() {
	for _, c := range g.rules.Classes {
		var sources []*estate.Resource
		for _, r := range g.resources {
			if g.classes[r][c.ID] != "" {
				sources = append(sources, r)
			}
		}
		if len(sources) == 0 {
			continue
		}
		handles := g.from(c.ID, sources, true)
		holding := map[string]bool{}
		for _, f := range handles {
			holding[f.ID] = true
		}
		var connected []Reach
		for _, f := range g.from(c.ID, sources, false) {
			if !holding[f.ID] {
				connected = append(connected, f)
			}
		}
		if len(handles) > 0 {
			g.survey.Handles[c.ID] = handles
		}
		if len(connected) > 0 {
			g.survey.Connected[c.ID] = connected
		}
	}
}

// from finds the functions that ties lead to from the sources of a class, the
// nearest way to each. Direct is over ties that data pass, with no other store or
// function between.
func (g *graph) from(class string, sources []*estate.Resource, direct bool) []Reach {
	type origin struct {
		from *estate.Resource // nil: it holds the class
		*statement
	}
	seen := map[*estate.Resource]origin{}
	queue := slices.Clone(sources)
	for _, r := range sources {
		seen[r] = origin{}
	}
	everything := map[string]bool{} // services whose policies for every resource were followed
	var found []Reach
	for len(queue) > 0 {
		r := queue[0]
		queue = queue[1:]
		if r.Type == functionType {
			var steps []string
			at := r
			for ; seen[at].from != nil; at = seen[at].from {
				steps = append(steps, g.says(seen[at].statement))
			}
			steps = append(steps, fmt.Sprintf("%s holds %s (%s)", g.call(at), class, g.classes[at][class]))
			slices.Reverse(steps)
			found = append(found, Reach{named(r), steps})
		}
		if passes := g.classes[r][class] != "" || !direct || r.Type != functionType && g.called[r.Type] == ""; !passes {
			continue
		}
		if direct && r.Type == functionType {
			continue // what a function is tagged with says nothing of what it is tied to
		}
		for _, e := range g.ends[r] {
			if _, known := seen[e.to]; known || direct && e.kind != dataTie {
				continue
			}
			seen[e.to] = origin{r, e.statement}
			queue = append(queue, e.to)
		}
		// Who reaches everything is near to each of it, and all of it is not near to
		// each other: the way leads from a store to who reaches it, and not back.
		service := g.serviceOf(r)
		if direct || service == "" || everything[service] {
			continue
		}
		everything[service] = true
		for _, policy := range slices.Concat(g.wide[service], g.wide[anyService]) {
			if _, known := seen[policy]; !known && policy != r {
				seen[policy] = origin{r, &statement{policy, r, ""}}
				queue = append(queue, policy)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Reach) int { return strings.Compare(a.ID, b.ID) })
	return found
}

// serviceOf is the service whose actions reach a resource; "" where that is not
// followed.
func (g *graph) serviceOf(r *estate.Resource) string {
	if r.Type == functionType {
		return "lambda"
	}
	return g.service[r.Type]
}

// noteStores notes stores of a class that no function is seen to handle.
func (g *graph) noteStores() {
	for _, r := range g.resources {
		for _, c := range sorted(g.classes[r]) {
			if len(g.survey.Handles[c]) == 0 {
				g.survey.Stores[c] = append(g.survey.Stores[c], g.call(r)+" ("+g.classes[r][c]+")")
			}
		}
	}
}
