// Package estate is the normalised graph that one run reads: resources in
// CloudFormation shape, what is known of each property and where it came
// from, the edges between resources, and how far the reading went.
//
// Collectors put resources into a [Builder] as they find them. Build turns
// them into a [Scope]: it gives values their schema's type, fills in defaults,
// joins parts to their parents, withholds credentials and resolves edges.
// That is the only place that does so; therefore the same resources read from
// different sources come out equal. A Scope never changes afterwards and may
// be read from many goroutines.
//
// The package is pure: tables, bytes and names are handed in.
package estate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Resource is one node of the estate.
type Resource struct {
	// Type is the CloudFormation type name, or Assay::Service::Name for facts
	// without one.
	Type string
	// ID is the identity over the whole estate: the scope's ID, '#', LogicalID;
	// or an ARN.
	ID string
	// LogicalID names the resource within its scope: CloudFormation's logical
	// id, Terraform's address.
	LogicalID string
	// Address is what a person calls the resource in the source: the logical
	// id that was written (a SAM function for the role that SAM adds to it), a
	// Terraform address, a construct path.
	Address string
	// Properties is a Map in the shape of the type's CloudFormation schema.
	Properties *Value
	// Exists is nil for a resource that certainly exists. Otherwise it is a
	// Bool false, a OneOf over Bools or an Unknown: the template condition it
	// stands under.
	Exists *Value
	// ExistsInput names what decides Exists ("condition IsProd").
	ExistsInput string
	// Source is where a person would edit the resource.
	Source Position
	// Callers are the places that Source is reached through, outermost first:
	// the calls of the Terraform modules or nested stacks that it stands in.
	Callers []Position
	// Reads lists the properties, as dotted paths, that the collector knows how
	// to read from its source; nil means all. A default is not assumed for any
	// other: the source may state it.
	Reads []string
	// Generated says what added the resource when nobody wrote it ("SAM
	// transform").
	Generated string

	scope *Scope
	out   []Edge // sorted by rule, then order of the property
	in    []Edge // edges whose To is this resource
}

// Scope is where the resource was read.
func (r *Resource) Scope() *Scope { return r.scope }

// Edges are the relations that start at r, ordered by name.
func (r *Resource) Edges() []Edge { return r.out }

// Incoming are the relations that end at r.
func (r *Resource) Incoming() []Edge { return r.in }

// CoverageState says how far a type was read within a scope.
type CoverageState string

// The states of coverage, worst last. Linked, named and uncollected are as far as
// the collector set out to go; partial and denied are less.
const (
	CoverageComplete CoverageState = "complete"
	// CoverageLinked: what leads to a function was looked for, and what others
	// name. The rest of the type is no part of the workloads.
	CoverageLinked CoverageState = "linked"
	// CoverageNamed: what others name was looked for. More may lead to functions.
	CoverageNamed       CoverageState = "named"
	CoverageUncollected CoverageState = "uncollected"
	CoveragePartial     CoverageState = "partial"
	CoverageDenied      CoverageState = "denied"
)

// Coverage is how far the resources of one type, or all ("*") that have no
// entry of their own, were read.
type Coverage struct {
	Type   string        `json:"type"`
	State  CoverageState `json:"state"`
	Reason string        `json:"reason,omitempty"`
	// Items and Pages count what an account answered.
	Items int `json:"items,omitempty"`
	Pages int `json:"pages,omitempty"`
}

// Gap reports whether something is missing that was to be read.
func (c Coverage) Gap() bool {
	return c.State == CoveragePartial || c.State == CoverageDenied
}

// Problem is something in the source that kept a part of it from being read
// as written. Fatal means that the whole scope could not be read.
type Problem struct {
	Position Position
	Message  string // what is wrong and what was expected
	Hint     string // what to do; may be empty
	Fatal    bool
}

func (p Problem) Error() string {
	s := p.Message
	if !p.Position.IsZero() {
		s = p.Position.String() + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Waiver is what a source itself says of a failure that is accepted: a statement
// and where it stands. Whether it counts is not the source's to say.
type Waiver struct {
	Resource string // logical id; "" where it stands at no resource
	Text     string // the checks that it names, then the reason
	Form     string // how it is written: WaiverMetadata, WaiverComment
	Position Position
}

// The forms of a statement that collectors read. Tags stand in the properties.
const (
	WaiverMetadata = "metadata"
	WaiverComment  = "comment"
)

// Scope is one unit of reading: a template or stack, or one account and
// region. It is immutable.
type Scope struct {
	ID        string // path of the template, or account/region
	Format    string // "cloudformation", "sam", "terraform-plan", …
	resources []*Resource
	byID      map[string]*Resource
	byType    map[string][]*Resource
	coverage  []Coverage
	problems  []Problem
	waivers   []Waiver
	inputs    map[string][]string
	open      map[openEnd][]Edge    // edges whose end is not known
	names     map[string]*nameIndex // by type, while edges are resolved
	model     *Model
	group     *group
	place     place
}

// Inputs are the possible values of every open input of the scope, by name:
// of each parameter, condition or other thing that decides a OneOf.
func (s *Scope) Inputs() map[string][]string { return s.inputs }

// Resources are all resources, ordered by logical id.
func (s *Scope) Resources() []*Resource { return s.resources }

// OfType are the resources of one type, ordered by logical id.
func (s *Scope) OfType(name string) []*Resource { return s.byType[name] }

// Resource finds a resource by its logical id, or returns nil.
func (s *Scope) Resource(logicalID string) *Resource { return s.byID[logicalID] }

// Coverage lists how far the scope was read, ordered by type.
func (s *Scope) Coverage() []Coverage { return s.coverage }

// Problems lists what could not be read as written, in order of position.
func (s *Scope) Problems() []Problem { return s.problems }

// Waivers lists what the source says of accepted failures, in order of position.
func (s *Scope) Waivers() []Waiver { return s.waivers }

// Whole reports whether nothing is missing that was to be read.
func (s *Scope) Whole() bool {
	return len(s.problems) == 0 && !slices.ContainsFunc(s.coverage, Coverage.Gap)
}

// Complete reports whether the scope and those tied to it hold every resource
// of the type that exists where they look. A template is closed for what
// belongs to a stack and open for what belongs to an account.
func (s *Scope) Complete(typeName string) (bool, Gap) {
	if s.model.accountLevel(typeName) && !strings.HasPrefix(s.Format, "aws") {
		return false, Gap{"belongs to the account, not to a template", typeName}
	}
	state, reason := s.covered(typeName)
	if state != CoverageComplete {
		return false, Gap{reason, typeName}
	}
	return true, Gap{}
}

// covered is the worst that the scopes of the place say of a type. What speaks
// of all types counts only where none speaks of this one.
func (s *Scope) covered(typeName string) (CoverageState, string) {
	worst := [2]Coverage{{State: CoverageComplete}, {State: CoverageComplete}} // of the type, of all
	own := false
	for _, member := range s.group.scopes {
		if member.place.apart(s.place) {
			continue
		}
		for _, c := range member.coverage {
			at := &worst[0]
			switch c.Type {
			case typeName:
				own = true
			case "*":
				at = &worst[1]
			default:
				continue
			}
			if rank(c.State) > rank(at.State) {
				*at = c
			}
		}
	}
	if parent, isPart := s.model.parent[typeName]; isPart && !own && strings.HasPrefix(s.Format, "aws") {
		return s.covered(parent) // an account shows pieces within what they belong to
	}
	of, all := worst[0], worst[1]
	if !own || all.Gap() && rank(all.State) > rank(of.State) {
		return all.State, all.Reason
	}
	return of.State, of.Reason
}

// rank orders states; one that this program does not know is as bad as any.
func rank(c CoverageState) int {
	i := slices.Index([]CoverageState{CoverageComplete, CoverageLinked, CoverageNamed, CoverageUncollected, CoveragePartial, CoverageDenied}, c)
	if i < 0 {
		return rank(CoverageDenied)
	}
	return i
}

// looked reports whether a resource of the type would have been found by its
// name.
func (s *Scope) looked(typeName string) bool {
	state, _ := s.covered(typeName)
	return rank(state) <= rank(CoverageNamed)
}

// InAccount are the resources of a type in the account and region of the scope,
// in all scopes that are tied to it, ordered by scope and logical id. complete
// is false when there may be others, for the reason that the gap gives.
func (s *Scope) InAccount(typeName string) (found []*Resource, gap Gap, complete bool) {
	for _, member := range s.group.scopes {
		if member.place.apart(s.place) {
			continue
		}
		found = append(found, member.byType[typeName]...)
	}
	complete, gap = s.Complete(typeName)
	if complete && !strings.HasPrefix(s.Format, "aws") {
		return found, Gap{"a template does not say what else the account has", typeName}, false
	}
	return found, gap, complete
}

// apart reports whether two places are certainly not the same. A scope without
// a region is about all regions of its account.
func (p place) apart(q place) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return differ(p.region, q.region) || differ(p.account, q.account)
}

// Builder gathers what a collector reads of one scope. The zero Builder is not
// usable; see [NewBuilder]. It is for one goroutine.
type Builder struct {
	id        string
	format    string
	resources []Resource
	coverage  []Coverage
	problems  []Problem
	waivers   []Waiver
	exports   []Field
	group     string // "" for a scope of its own
	promised  int    // resources that an estate file says the scope has; -1 for any number
	place     place
}

// place is where the resources of a scope are; "" is not known.
type place struct{ region, account string }

// NewBuilder starts a scope.
func NewBuilder(id, format string) *Builder {
	return &Builder{id: id, format: format, promised: -1}
}

// Format is the format that the scope was started with.
func (b *Builder) Format() string { return b.format }

// Place says where the resources of the scope are, as far as that is known;
// "" is not known. ARNs of other places name none of them.
func (b *Builder) Place(region, account string) { b.place = place{region, account} }

// Add puts a resource into the scope. ID may be left empty.
func (b *Builder) Add(r Resource) {
	if r.ID == "" {
		r.ID = b.id + "#" + r.LogicalID
	}
	if r.Address == "" {
		r.Address = r.LogicalID
	}
	if r.Properties == nil {
		r.Properties = Map()
	}
	r.scope, r.out, r.in = nil, nil, nil
	b.resources = append(b.resources, r)
}

// Cover records how far a type was read. What is not recorded is complete.
func (b *Builder) Cover(c Coverage) { b.coverage = append(b.coverage, c) }

// Problem records something that could not be read as written.
func (b *Builder) Problem(p Problem) { b.problems = append(b.problems, p) }

// Waive records what the source says of an accepted failure.
func (b *Builder) Waive(w Waiver) { b.waivers = append(b.waivers, w) }

// Resources gives the raw resources to a caller that varies them, such as the
// refinement test of a check; Replace puts one of them back.
func (b *Builder) Resources() []Resource { return slices.Clone(b.resources) }

// Replace returns a copy of the builder with other resources.
func (b *Builder) Replace(resources []Resource) *Builder {
	c := *b
	c.resources = slices.Clone(resources)
	c.coverage = slices.Clone(b.coverage)
	return &c
}

// Build normalises what was gathered of a scope that no other is tied to. The
// builder can go on being used; the scope does not change with it.
func (b *Builder) Build(m *Model) *Scope { return buildGroup(m, []*Builder{b})[0] }

// scope is what was gathered, before it is normalised.
func (b *Builder) scope(m *Model) *Scope {
	s := &Scope{
		ID:       b.id,
		Format:   b.format,
		byID:     make(map[string]*Resource, len(b.resources)),
		byType:   make(map[string][]*Resource),
		coverage: slices.Clone(b.coverage),
		problems: slices.Clone(b.problems),
		waivers:  slices.Clone(b.waivers),
		model:    m,
		place:    b.place,
		names:    map[string]*nameIndex{},
	}
	kept := make([]*Resource, 0, len(b.resources))
	for i := range b.resources {
		r := b.resources[i]
		if r.Exists.Kind() == KindBool && !r.Exists.AsBool() {
			continue
		}
		if first, twice := s.byID[r.LogicalID]; twice {
			s.problems = append(s.problems, Problem{
				Position: r.Source,
				Message:  fmt.Sprintf("resource %s is defined twice; the first is at %s", r.LogicalID, first.Source),
				Hint:     "rename one of them",
			})
			continue
		}
		r.scope = s
		s.byID[r.LogicalID] = &r
		kept = append(kept, &r)
	}
	slices.SortFunc(kept, func(a, b *Resource) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	s.resources = kept
	slices.SortStableFunc(s.coverage, func(a, b Coverage) int { return strings.Compare(a.Type, b.Type) })
	slices.SortStableFunc(s.waivers, func(a, b Waiver) int {
		return cmp.Or(comparePositions(a.Position, b.Position), strings.Compare(a.Resource, b.Resource))
	})
	slices.SortStableFunc(s.problems, func(a, b Problem) int { return comparePositions(a.Position, b.Position) })
	return s
}

// inputsOf gathers what decides the OneOf values of the resources.
func inputsOf(resources []*Resource) map[string][]string {
	inputs := map[string][]string{}
	note := func(v *Value) bool {
		for _, c := range v.Cases() {
			if !slices.Contains(inputs[v.Input()], c.When) {
				inputs[v.Input()] = append(inputs[v.Input()], c.When)
			}
		}
		return true
	}
	for _, r := range resources {
		r.Properties.Each(note)
		r.Exists.Each(note)
		if r.Exists.Kind() == KindUnknown {
			inputs[r.ExistsInput] = []string{"true", "false"}
		}
	}
	return inputs
}

func comparePositions(a, b Position) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
