package regime

import (
	"cmp"
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

// classify finds the classes of data that a resource's own tags and name say.
func (g *graph) classify(r *estate.Resource) {
	store := g.called[r.Type] != ""
	found, said := map[string]string{}, false
	for _, tag := range g.tagsOf(r, store || r.Type == functionType) {
		for _, word := range wordsOf(tag.value) {
			classes, by, known := g.meaning(word)
			if !known {
				g.open("what tag %s: %s of %s means is not known; say it under data in assay.yaml", tag.key, tag.value, g.call(r))
				continue
			}
			said = true
			for _, c := range classes {
				found[c] = strings.TrimSuffix(fmt.Sprintf("tag %s: %s, %s", tag.key, tag.value, by), ", ")
			}
		}
	}
	if store || r.Type == functionType || len(found) > 0 {
		for i := range g.declared.Data {
			e := &g.declared.Data[i]
			if e.Name == "" || !e.name.MatchString(r.Address) && !e.name.MatchString(r.LogicalID) && !e.name.MatchString(lastName(r.ID)) {
				continue
			}
			said = true
			for _, c := range e.Classes {
				if found[c] == "" {
					found[c] = fmt.Sprintf("named %s in assay.yaml, %s", e.Name, e.Confirmed)
				}
			}
		}
	}
	if len(found) > 0 {
		g.classes[r] = found
	}
	if said || g.rules.incidental[r.Type] || !store && r.Type != functionType {
		return
	}
	g.survey.Unclassed = append(g.survey.Unclassed, named(r))
	words := wordsIn(r.Address + " " + lastName(r.ID))
	for _, c := range g.rules.Classes {
		if slices.ContainsFunc(c.Names, func(name string) bool { return slices.Contains(words, name) }) {
			g.survey.Suggested[c.ID] = append(g.survey.Suggested[c.ID], named(r))
		}
	}
}

// lastName is the last part of an ARN or of an id.
func lastName(id string) string { return id[strings.LastIndexAny(id, ":/#")+1:] }

type tag struct{ key, value string }

// tagsOf are the tags of a resource that name a class of data. matters says
// whether it is open where they are not known.
func (g *graph) tagsOf(r *estate.Resource, matters bool) (found []tag) {
	if r.Reads != nil && !slices.Contains(r.Reads, "Tags") {
		if matters {
			g.open("the tags of %s were not read", g.call(r))
		}
		return nil
	}
	is := func(key string) bool {
		return slices.ContainsFunc(g.keys, func(k string) bool { return strings.EqualFold(k, key) })
	}
	unknown := func(what string, v *estate.Value) {
		if matters {
			g.open("%s of %s not known: %s", what, g.call(r), whyNot(v))
		}
	}
	add := func(key string, v *estate.Value) {
		if !is(key) {
			return
		}
		each(v, func(v *estate.Value) {
			if text, ok := v.Scalar(); ok && v.Known() {
				found = append(found, tag{key, text})
			} else if v != nil {
				unknown("tag "+key, v)
			}
		})
	}
	each(r.Properties.Field("Tags"), func(tags *estate.Value) {
		switch tags.Kind() {
		case estate.KindAbsent, estate.KindNull:
		case estate.KindMap:
			for _, f := range tags.Fields() {
				add(f.Name, f.Value)
			}
		case estate.KindList:
			for _, item := range tags.Items() {
				each(item, func(item *estate.Value) {
					key := item.Field("Key")
					switch {
					case item == nil:
					case key.Kind() == estate.KindString:
						add(key.AsString(), item.Field("Value"))
					default:
						unknown("a tag", cmp.Or(key, item))
					}
				})
			}
		default:
			unknown("the tags", tags)
		}
	})
	return found
}

// each calls f with a value, or with every one that it may be.
func each(v *estate.Value, f func(*estate.Value)) {
	if v.Kind() != estate.KindOneOf {
		f(v)
		return
	}
	for _, c := range v.Cases() {
		each(c.Value, f)
	}
}

func whyNot(v *estate.Value) string {
	switch v.Kind() {
	case estate.KindUnknown, estate.KindDenied:
		return v.Gap().String()
	}
	return v.String()
}

// meaning is what one word of a tag means; by says who confirmed it.
func (g *graph) meaning(word string) (classes []string, by string, known bool) {
	for _, e := range g.declared.Data {
		if e.Tag != "" && plain(e.Tag) == word {
			return e.Classes, e.Confirmed.String(), true
		}
	}
	for _, c := range g.rules.Classes {
		if c.ID == word || slices.ContainsFunc(c.Tags, func(t string) bool { return plain(t) == word }) {
			classes, known = append(classes, c.ID), true
		}
	}
	return classes, "", known
}

// plain is a word in lower case, with - between its parts.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return '-'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(s)))
}

// wordsOf are the values that one tag lists.
func wordsOf(value string) (words []string) {
	for _, w := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",;/|+", r) }) {
		if w = plain(w); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// wordsIn are the words of names such as ChargeFunction, card-events.
func wordsIn(name string) (words []string) {
	start := 0
	cut := func(end int) {
		if w := strings.ToLower(strings.Trim(name[start:end], "-_. :/#[]\"")); w != "" {
			words = append(words, w)
		}
		start = end
	}
	for i := 1; i < len(name); i++ {
		lower, upper := name[i-1] >= 'a' && name[i-1] <= 'z', name[i] >= 'A' && name[i] <= 'Z'
		if lower && upper || strings.IndexByte("-_. :/#[]\"", name[i]) >= 0 {
			cut(i)
		}
	}
	cut(len(name))
	return words
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
