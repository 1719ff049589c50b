package aws

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"assay/internal/estate"
)

// scope is what one read sees of an account and region: clients, and the
// resources gathered so far. Reads of one place share the gathered part.
type scope struct {
	*place
	cfg  aws.Config // for clients of the place
	read *read      // whose calls these are; nil for the collector's own
}

// gathered is a resource that was read.
type gathered struct {
	resource estate.Resource
	followed bool // what it names has been asked for
}

// typed is an ID or a name of a type.
type typed struct{ typ, name string }

func (t typed) compare(u typed) int {
	return cmp.Or(strings.Compare(t.typ, u.typ), strings.Compare(t.name, u.name))
}

// place is one account and region, or an account as a whole.
type place struct {
	run       *run
	account   string
	region    string // empty: the account as a whole
	partition string

	mu        sync.Mutex
	resources map[typed]*gathered       // by ID
	byName    map[typed][]*gathered     // by each of its names
	sought    map[typed]bool            // what was or will be looked for, by name
	pending   map[string][]estate.Named // what is to be looked for, by type
	coverage  map[string]*estate.Coverage
	problems  map[problemKey]*problem
	pages     map[string]int     // answers of the lists of a type's read
	tagged    map[string]*tagged // by kind
	strangers map[string]string  // services that a function lets in without naming their resource → function
	letGroups map[string]bool    // log groups that a function lets in
	awsKeys   awsKeys
}

type problemKey struct{ operation, reason string }

// problem is one kind of failure, with what it was met on.
type problem struct {
	failure *failure
	items   []string
}

// fields are properties in CloudFormation's names. A nil value is a property
// that is certainly not there.
type fields map[string]*estate.Value

// found is a resource as a service answered.
type found struct {
	typ  string
	id   string // ARN; for a resource without one, its own identifier
	name string // what people call it
	from any    // the SDK's struct that describes it, or nil
	call string // the operation that answered: lambda:ListFunctions
	// set replaces or adds to what from states. renamed gives the SDK's name of a
	// property, by its path, where the two differ.
	set     fields
	renamed map[string]string
	// leads is set for what leads to a function and is not named by it: what it
	// names is looked for too.
	leads bool
}

// where is the place for people: 111122223333/eu-central-1.
func (p *place) where() string {
	if p.region == "" {
		return p.account
	}
	return p.account + "/" + p.region
}

// at is the provenance of what a call answered.
func (p *place) at(call string) estate.Position {
	return estate.Position{File: "aws://" + p.where() + "/" + call}
}

// add puts a resource into the estate. Properties that neither from nor set
// states are unknown. What a resource names is looked for when it is Lambda's
// own, was itself looked for, or leads to a function.
func (s *scope) add(f found) {
	pos := s.at(f.call)
	properties := s.run.shaper.properties(f, pos)
	id := logicalID(f.typ, f.id)
	s.put(estate.Resource{Type: f.typ, ID: id, LogicalID: id, Address: f.name, Properties: properties, Source: pos}, f.leads)
}

// logicalID is unique over the types of a scope: an ARN is, and other
// identifiers are once their type is before them.
func logicalID(typ, id string) string {
	if strings.HasPrefix(id, "arn:") && !strings.HasPrefix(typ, "Assay::") {
		return id
	}
	return typ + "/" + id
}

// lost records that something which a call would have shown is not known: a
// resource of the type may exist, and nothing is known of it but what known
// says (which ties it to what it belongs to). id need only be unique.
func (s *scope) lost(typ, id string, known fields, err error) {
	s.mayExist(typ, "unread "+typ+" of "+id, known, about(err, id))
}

// perhaps records that what others name by this ARN may exist, and that a call
// failed to tell.
func (s *scope) perhaps(typ, arn string, known fields, err error) {
	s.mayExist(typ, arn, known, about(err, arn))
}

func (s *scope) mayExist(typ, id string, known fields, f *failure) {
	pos := s.at(f.operation)
	s.put(estate.Resource{
		Type: typ, ID: id, LogicalID: id, Address: id,
		Properties: s.run.shaper.unread(typ, known, f.gap(), pos),
		// Whether it is there is a question of its own, beside what it is like.
		Exists: f.gap(), ExistsInput: f.permission() + ", which would show whether there is one", Source: pos,
	}, false)
	s.report(f)
	if s.read == nil {
		return
	}
	// What comes with it is not known either.
	for _, rule := range s.run.model.Rules() {
		if rule.Attached && rule.To == typ && slices.Contains(s.read.types, rule.From) && !strings.ContainsAny(rule.Property, ".[") {
			s.mayExist(rule.From, "unread "+rule.From+" of "+id, fields{rule.Property: estate.String(id)}, f)
		}
	}
}

// undescribed records a resource that is there, and that a call failed to
// describe: nothing but what known says is known of it.
func (s *scope) undescribed(typ, id, name string, known fields, err error) {
	f := about(err, id)
	pos := s.at(f.operation)
	s.put(estate.Resource{
		Type: typ, ID: logicalID(typ, id), LogicalID: logicalID(typ, id), Address: name,
		Properties: s.run.shaper.unread(typ, known, f.gap(), pos), Source: pos,
	}, false)
	s.report(f)
}

// missing is the value of a property that a call failed to give. item is what
// was asked about.
func (s *scope) missing(err error, item string) *estate.Value {
	f := about(err, item)
	s.report(f)
	return f.gap().At(s.at(f.operation))
}

// report records a failure. Failures of one kind are told together.
func (s *scope) report(f *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := problemKey{f.operation, f.reason}
	p := s.problems[key]
	if p == nil {
		p = &problem{failure: f}
		s.problems[key] = p
	}
	if f.item != "" {
		p.items = append(p.items, f.item)
	}
}

// cover records how far a type was read. The worst that is said of it holds.
func (s *scope) cover(typ string, state estate.CoverageState, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.coverage[typ]
	if c == nil {
		c = &estate.Coverage{Type: typ, State: state, Reason: reason}
		s.coverage[typ] = c
		return
	}
	if worse(state, c.State) {
		c.State, c.Reason = state, reason
	}
}

func worse(a, b estate.CoverageState) bool {
	order := []estate.CoverageState{estate.CoverageComplete, estate.CoverageLinked, estate.CoverageNamed, estate.CoverageUncollected, estate.CoveragePartial, estate.CoverageDenied}
	return slices.Index(order, a) > slices.Index(order, b)
}

// put keeps a resource, of which the first one with an identifier stays.
func (s *scope) put(r estate.Resource, leads bool) {
	names := s.run.namesOf(r)
	s.mu.Lock()
	if _, twice := s.resources[typed{r.Type, r.ID}]; twice {
		s.mu.Unlock()
		return
	}
	g := &gathered{resource: r, followed: leads || strings.HasPrefix(r.Type, "AWS::Lambda::") || s.read != nil && s.read.touching}
	s.resources[typed{r.Type, r.ID}] = g
	for _, name := range names {
		key := typed{r.Type, name}
		s.byName[key] = append(s.byName[key], g)
		g.followed = g.followed || s.sought[key]
	}
	follow := g.followed
	s.mu.Unlock()
	if follow {
		s.follow(r)
	}
}

// namesOf are the names by which the estate finds a resource: that of its ARN
// or its own.
func (r *run) namesOf(res estate.Resource) []string {
	if name, ok := r.model.NameOf(res.Type, res.ID, res.Properties); ok && name != res.ID {
		return []string{res.ID, name}
	}
	return []string{res.ID}
}

// follow asks for what a resource names.
func (s *scope) follow(r estate.Resource) {
	for _, n := range s.run.model.Names(r.Type, r.Properties) {
		s.want(n)
	}
}

// wantARN asks for the resource that an ARN names, if it is of a kind that is
// read.
func (s *scope) wantARN(text string) {
	for _, n := range s.run.model.NamesIn(text) {
		s.want(n)
	}
}

// want asks for a resource by its name, in the place where it is. What belongs
// to another account or a region that is not read stays outside.
func (s *scope) want(n estate.Named) {
	for _, p := range s.run.placesOf(s.place, n) {
		p.seek(n)
	}
}

func (p *place) seek(n estate.Named) {
	key := typed{n.Type, n.Name}
	p.mu.Lock()
	if p.sought[key] {
		p.mu.Unlock()
		return
	}
	p.sought[key] = true
	var reached []estate.Resource
	for _, g := range p.byName[key] {
		if !g.followed {
			g.followed = true
			reached = append(reached, g.resource)
		}
	}
	if len(p.byName[key]) == 0 {
		p.pending[n.Type] = append(p.pending[n.Type], n)
	}
	p.mu.Unlock()
	for _, r := range reached {
		(&scope{place: p}).follow(r)
	}
}

// has reports whether a resource of the type was read.
func (p *place) has(typ, id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.resources[typed{typ, id}]
	return ok
}

// take hands out what is to be looked for of some types.
func (p *place) take(types []string) []estate.Named {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []estate.Named
	for _, t := range types {
		all = append(all, p.pending[t]...)
		delete(p.pending, t)
	}
	slices.SortFunc(all, func(a, b estate.Named) int {
		return strings.Compare(a.Type+"\x00"+a.Name, b.Type+"\x00"+b.Name)
	})
	return all
}

// paged counts a page of the read's lists for each of its types.
func (s *scope) paged() {
	if s.read == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, typ := range s.read.types {
		s.pages[typ]++
	}
}

// placesOf are the places where something that was named is read: all regions
// where an account's own resource, such as a role, names it in any.
func (r *run) placesOf(from *place, n estate.Named) []*place {
	region := from.region
	if a, err := arn.Parse(n.Text); err == nil {
		if a.AccountID != "" && a.AccountID != from.account {
			return nil
		}
		if a.Region != "" {
			region = a.Region
		}
	}
	var found []*place
	for _, p := range r.places {
		if p.region != "" && (p.region == region || region == "") && r.reads(n.Type, false) || p.region == "" && r.reads(n.Type, true) {
			found = append(found, p)
		}
	}
	return found
}

// reads reports whether some read of the run fills the type, in each region or
// for the account.
func (r *run) reads(typ string, account bool) bool {
	return slices.ContainsFunc(r.plan, func(one read) bool { return one.account == account && slices.Contains(one.types, typ) })
}

// stranger records that a function lets a service, or any ("*"), call it without
// saying for which of its resources.
func (p *place) stranger(service, function string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if first, ok := p.strangers[service]; !ok || function < first {
		p.strangers[service] = function
	}
}

// lets reports whether a function of some region lets in a service without saying
// for which of its resources.
func (r *run) lets(service string) bool {
	return slices.ContainsFunc(r.places, func(p *place) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.strangers[service] != "" || p.strangers["*"] != ""
	})
}

// unlink takes back that all was found which leads to functions, for the types
// whose resources a function lets in without naming them.
func (p *place) unlink() {
	for _, one := range p.run.plan {
		for _, service := range one.through {
			function, ok := p.strangers[service]
			if !ok {
				function, ok = p.strangers["*"]
			}
			for _, typ := range one.types {
				c := p.coverage[typ]
				if c == nil && ok && one.account && !p.run.whole(one) {
					c = &estate.Coverage{Type: typ, State: estate.CoverageLinked} // it is read for the account, and said of the region
					p.coverage[typ] = c
				}
				if ok && c != nil && c.State == estate.CoverageLinked {
					c.State = estate.CoverageNamed
					c.Reason = "the policy of " + function + " does not say which resources of " + service + " may call it; --all-resources reads all"
				}
			}
		}
	}
}

// build is the scope as the estate takes it.
func (p *place) build() *estate.Builder {
	b := estate.NewBuilder(p.where(), "aws")
	b.Place(p.region, p.account)
	b.Tie("aws://" + p.account)
	items := map[string]int{}
	p.byName, p.sought = nil, nil // nothing more is looked for
	for _, key := range slices.SortedFunc(maps.Keys(p.resources), typed.compare) {
		r := p.resources[key].resource
		delete(p.resources, key)
		b.Add(r)
		items[r.Type]++
	}
	p.unlink()
	for _, typ := range slices.Sorted(maps.Keys(p.coverage)) {
		c := *p.coverage[typ]
		c.Items, c.Pages = items[typ], p.pages[typ]
		b.Cover(c)
	}
	b.Cover(estate.Coverage{Type: "*", State: estate.CoverageUncollected, Reason: "assay does not read it from accounts"})
	for _, key := range slices.SortedFunc(maps.Keys(p.problems), func(a, b problemKey) int {
		return strings.Compare(a.operation+a.reason, b.operation+b.reason)
	}) {
		b.Problem(p.problems[key].problem(p))
	}
	return b
}

// named are how many items a problem names.
const namedItems = 3

func (q *problem) problem(p *place) estate.Problem {
	slices.Sort(q.items)
	items := slices.Compact(q.items)
	message := q.failure.operation + ": " + q.failure.reason
	if len(items) > 0 {
		message += ", on " + strings.Join(items[:min(namedItems, len(items))], ", ")
	}
	if len(items) > namedItems {
		message += " and " + counted(len(items)-namedItems, "other")
	}
	f := *q.failure
	f.item = ""
	return estate.Problem{Position: p.at(q.failure.operation), Message: message, Hint: f.hint()}
}

// asFailure is the failure in an error, or one made of it.
func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return &failure{reason: err.Error(), cause: err}
}

// reading runs one read in the place and records how far it went.
func (s *scope) reading(ctx context.Context, state estate.CoverageState, f func(context.Context, *scope) error) {
	if err := f(ctx, s); err != nil {
		s.unread(err, s.read.types...)
		return
	}
	for _, typ := range s.read.types {
		s.cover(typ, state, "")
	}
}

// unread records that types were not read, or not all of them.
func (s *scope) unread(err error, types ...string) {
	f := asFailure(err)
	state := estate.CoveragePartial
	if f.denied {
		state = estate.CoverageDenied
	}
	reason := f.operation + ": " + f.reason
	if hint := f.hint(); hint != "" {
		reason += "; " + hint
	}
	for _, typ := range types {
		s.cover(typ, state, reason)
	}
	s.report(f)
}
