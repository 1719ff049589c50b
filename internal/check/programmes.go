package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// programmeTable says which services AWS has assessed under which compliance
// programme, and by what a function's data come to services.
type programmeTable struct {
	Date     string
	Services []service
	// Unassessed are the services that hold no data of customers, so that no
	// programme has to name them.
	Unassessed []string
	Nowhere    struct { // in scope of no programme
		Date, Read string
		Services   []string
	}
	Ways       []way
	Programmes []programme

	byType, byName map[string]*service
}

// service is one AWS service as compliance programmes count them.
type service struct {
	ID, Title string
	Types     []string // the second parts of its CloudFormation types
	Names     []string // in ARNs, actions and service principals
}

// way is what leads on from a resource of a type that data pass.
type way struct {
	From      string
	Relations []string // to resources that data pass too
	Names     []string // properties that name a resource by its ARN
	Mentions  []string // properties that may hold anything
	Principal string   // property that names who is let in
	Policies  string   // property with policy documents
}

// programme is one compliance programme with its dated lists.
type programme struct {
	ID, Title, Source string
	Lists             []programmeList
}

type programmeList struct {
	Date, Read string
	Regions    []string          // that the list holds in; empty: everywhere
	In, Out    []string          // services
	Partly     map[string]string // services, with what is left out of them
}

func newProgrammes(data []byte) func() *programmeTable {
	load := lazily[programmeTable](data)
	return func() *programmeTable {
		t := load()
		if t.byType == nil {
			return &programmeTable{}
		}
		return t
	}
}

// UnmarshalYAML reads the table and makes its indexes.
func (t *programmeTable) UnmarshalYAML(n *yaml.Node) error {
	type plain programmeTable
	if err := n.Decode((*plain)(t)); err != nil {
		return err
	}
	t.byType, t.byName = map[string]*service{}, map[string]*service{}
	for i := range t.Services {
		s := &t.Services[i]
		for _, name := range s.Types {
			t.byType[name] = s
		}
		for _, name := range s.Names {
			t.byName[name] = s
		}
	}
	return nil
}

// serviceVal is a service that a function's data come to, or may come to.
type serviceVal struct {
	mapVal
	service *service // nil: not in the table
	name    string
	region  string // "" where it is not known
	// open is why it is not certain that data go there; nil: they do.
	open ref.Val
	read Read // what shows it; none for the function itself
}

const serviceType = "assay.Service"

// servicesOf lists the services on the way of a function's data, as far as
// configuration names them.
func servicesOf(ev *evaluation, args []ref.Val) ref.Val {
	m, ok := args[0].(*mapVal)
	if !ok || !m.whole {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	w := &wayfinder{ev: ev, table: ev.lib.dated.programmes()}
	before := len(ev.reads)
	w.pass(m.res, Read{})
	ev.reads = ev.reads[:before] // what was passed on the way shows nothing; programme() says what does
	return newList(ev, w.found)
}

// wayfinder follows the ways of the table.
type wayfinder struct {
	ev    *evaluation
	table *programmeTable
	seen  []*estate.Resource
	found []ref.Val
}

// pass notes a resource that data pass, and goes on from there.
func (w *wayfinder) pass(r *estate.Resource, shown Read) {
	if slices.Contains(w.seen, r) {
		return
	}
	w.seen = append(w.seen, r)
	if !w.beside(r.Type) {
		w.resource(r, shown, nil)
	}
	for i := range w.table.Ways {
		if w.table.Ways[i].From == r.Type {
			w.onward(r, &w.table.Ways[i])
		}
	}
}

// beside reports whether data do not pass resources of a type, which only say
// where they may go.
func (w *wayfinder) beside(typeName string) bool {
	return slices.ContainsFunc(w.table.Ways, func(y way) bool { return y.From == typeName && y.Policies != "" })
}

func (w *wayfinder) onward(r *estate.Resource, y *way) {
	for _, name := range y.Relations {
		list, ok := w.ev.related(r, name).(*listVal)
		if !ok {
			continue
		}
		for _, v := range list.all() {
			if m, ok := v.(*mapVal); ok {
				w.pass(m.res, Read{Resource: r, Path: name + "()", Value: estate.String(m.res.LogicalID)})
				continue
			}
			w.perhaps(r, name, v)
		}
	}
	each := func(paths []string, f func(v *estate.Value, path string)) {
		for _, path := range paths {
			w.at(r, r.Properties, strings.Split(path, "."), "", f)
		}
	}
	each(y.Names, func(v *estate.Value, path string) { w.named(r, v, path, false) })
	each(y.Mentions, func(v *estate.Value, path string) { w.named(r, v, path, true) })
	if y.Principal != "" {
		each([]string{y.Principal}, func(v *estate.Value, path string) { w.principal(r, v, path) })
	}
	if y.Policies != "" {
		each([]string{y.Policies + ".Statement[]"}, func(v *estate.Value, path string) { w.statement(r, v, path) })
	}
}

// perhaps notes what may be at the end of a relation. Where nothing leads on from
// there, it only matters if the service is outside.
func (w *wayfinder) perhaps(r *estate.Resource, name string, v ref.Val) {
	end := w.ev.lib.ends[relation{name, r.Type}]
	if w.beside(end) || slices.ContainsFunc(w.table.Ways, func(y way) bool { return y.From == end }) {
		w.found = append(w.found, v)
		return
	}
	w.add(w.table.ofType(end), end, place(r.Scope()), Read{Resource: r, Path: name + "()"}, v)
}

func place(s *estate.Scope) string {
	region, _ := s.Place()
	return region
}

// at calls f with every value at a path; [] is every member of a list and * every
// entry of a map.
func (w *wayfinder) at(r *estate.Resource, v *estate.Value, path []string, dotted string, f func(v *estate.Value, path string)) {
	v, open := w.ev.resolve(v)
	switch {
	case v == nil:
		return
	case open || len(path) == 0 || v.Kind() == estate.KindUnknown || v.Kind() == estate.KindDenied:
		f(v, dotted)
		return
	}
	name, list := strings.CutSuffix(path[0], "[]")
	if name == "*" {
		for _, field := range v.Fields() {
			w.at(r, field.Value, path[1:], join(dotted, field.Name), f)
		}
		return
	}
	dotted = join(dotted, name)
	if !list {
		w.at(r, v.Field(name), path[1:], dotted, f)
		return
	}
	inner, open := w.ev.resolve(v.Field(name))
	switch {
	case inner == nil:
	case !open && inner.Kind() == estate.KindList:
		for i, item := range inner.Items() {
			w.at(r, item, path[1:], dotted+"["+strconv.Itoa(i)+"]", f)
		}
	default:
		w.at(r, inner, path[1:], dotted, f) // one alone, or not known
	}
}

// add notes a service once.
func (w *wayfinder) add(s *service, name, region string, shown Read, open ref.Val) {
	if s != nil {
		name = s.ID
	}
	for _, v := range w.found {
		if o, ok := v.(*serviceVal); ok && o.name == name && o.region == region && (o.open == nil || open != nil) {
			return
		}
	}
	fields := []estate.Field{{Name: "name", Value: estate.String(name)}, {Name: "region", Value: placeOr("AWS::Region", region)}}
	w.found = append(w.found, &serviceVal{mapVal{ev: w.ev, res: shown.Resource, path: shown.Path, value: estate.Map(fields...)}, s, name, region, open, shown})
}

// resource notes the service of a resource.
func (w *wayfinder) resource(r *estate.Resource, shown Read, open ref.Val) {
	w.add(w.table.ofType(r.Type), r.Type, place(r.Scope()), shown, open)
}

func (t *programmeTable) ofType(typeName string) *service {
	if parts := strings.Split(typeName, "::"); len(parts) == 3 {
		return t.byType[parts[1]]
	}
	return nil
}

// unsaid notes that something which may name a service is not known.
func (w *wayfinder) unsaid(v *estate.Value, path string) {
	w.found = append(w.found, w.ev.unknown(v, path, v.MaybeAbsent() || v.Kind() == estate.KindOneOf && absence(v) != estate.False))
}

// named notes the service of what a value names. mention: it may name nothing.
func (w *wayfinder) named(r *estate.Resource, v *estate.Value, path string, mention bool) {
	shown := Read{Resource: r, Path: path, Value: v}
	if v.Kind() == estate.KindText && mention {
		// A text with a resource's name or address in it is about that resource, and
		// what is not known of it may be one.
		for _, p := range v.Items()[1:] {
			switch {
			case p.Kind() == estate.KindReference:
				w.reference(r, p, shown)
			case open(p):
				w.unsaid(p, path)
			}
		}
	}
	first := v
	if v.Kind() == estate.KindText {
		first = v.Items()[0]
	}
	switch first.Kind() {
	case estate.KindReference:
		w.reference(r, first, shown)
	case estate.KindString:
		switch text := first.AsString(); {
		case strings.HasPrefix(text, "arn:"):
			w.arn(v, shown)
		case v != first && strings.HasPrefix("arn:", text):
			w.unsaid(v, path)
		case !mention:
			w.unsaid(estate.Unknown("not an ARN", text).At(v.Position()), path)
		}
	case estate.KindUnknown, estate.KindDenied, estate.KindOneOf:
		if !mention || first.Gap().Reason != estate.ReasonPseudoParameter && !withheld(first) {
			w.unsaid(v, path)
		}
	default: // numbers, and secrets, which name nothing
	}
}

// reference notes the service of a resource that is referred to. What a nested
// stack or a custom resource gives may be anything.
func (w *wayfinder) reference(r *estate.Resource, v *estate.Value, shown Read) {
	to := r.Scope().Find(v.Reference().Resource)
	if to == nil || !strings.HasPrefix(to.Type, "AWS::") || to.Type == "AWS::CloudFormation::Stack" || to.Type == "AWS::CloudFormation::CustomResource" {
		w.unsaid(v, shown.Path)
		return
	}
	w.resource(to, shown, nil)
}

// arn notes the service that an ARN is of.
func (w *wayfinder) arn(v *estate.Value, shown Read) {
	parts := cut(v, ":", len(arnFields)+1)
	if len(parts) < 4 {
		return
	}
	name, known := parts[2].Scalar()
	if !known {
		w.unsaid(v, shown.Path)
		return
	}
	region, known := parts[3].Scalar()
	if !known || region == "" {
		region = place(shown.Resource.Scope())
	}
	w.add(w.table.byName[name], name, region, shown, nil)
}

// principal notes the service that is let in; an account or role is none.
func (w *wayfinder) principal(r *estate.Resource, v *estate.Value, path string) {
	text, known := v.Scalar()
	if !known {
		if v.Kind() == estate.KindReference || v.Kind() == estate.KindText && !open(v) || v.Gap().Reason == estate.ReasonPseudoParameter {
			return // a role, an account
		}
		w.unsaid(v, path)
		return
	}
	name, of, dotted := strings.Cut(text, ".")
	if !dotted || !strings.Contains(of, "amazon") {
		return
	}
	w.add(w.table.byName[name], name, place(r.Scope()), Read{Resource: r, Path: path, Value: v}, nil)
}

// statement notes the services of which a statement lets a role use actions. That
// it may is no proof that data go there.
func (w *wayfinder) statement(r *estate.Resource, v *estate.Value, path string) {
	if v.Kind() != estate.KindMap {
		w.unsaid(v, path)
		return
	}
	if effect, _ := w.ev.resolve(v.Field("Effect")); effect.AsString() == "Deny" {
		return
	}
	action, _ := w.ev.resolve(v.Field("Action"))
	one := "Action[]"
	if action.Kind() != estate.KindList {
		one = "Action"
	}
	w.at(r, v, []string{one}, path, func(a *estate.Value, path string) {
		first := a
		if a.Kind() == estate.KindText {
			first = a.Items()[0]
		}
		name, _, colon := strings.Cut(first.AsString(), ":")
		switch {
		case colon && !strings.ContainsAny(name, "*?"):
			name = strings.ToLower(name)
			why := estate.Unknown("the role may use it, and only the code says whether data go there", w.table.title(name)).At(a.Position())
			w.add(w.table.byName[name], name, place(r.Scope()), Read{Resource: r, Path: path, Value: a}, w.ev.unknown(why, path, false))
		case first.Kind() == estate.KindString && a == first: // every service, which says nothing of one
		default:
			w.unsaid(a, path)
		}
	})
}

// title is what a service is called, by one of its names.
func (t *programmeTable) title(name string) string {
	if s := t.byName[name]; s != nil {
		return s.Title
	}
	return name
}

// inProgramme reports whether a service is within a compliance programme, where it
// is used.
func inProgramme(ev *evaluation, args []ref.Val) ref.Val {
	id, undecided := ev.text(args[0])
	if undecided != nil {
		return undecided
	}
	s, ok := args[1].(*serviceVal)
	if !ok {
		if types.IsUnknown(args[1]) {
			return args[1]
		}
		return types.MaybeNoSuchOverloadErr(args[1])
	}
	table := ev.lib.dated.programmes()
	i := slices.IndexFunc(table.Programmes, func(p programme) bool { return p.ID == id })
	if i < 0 {
		return ev.unknown(estate.Unknown("programme is not in the table of "+table.Date, id), "", false)
	}
	within, why := table.Programmes[i].within(s, table)
	if within == estate.True {
		return types.True
	}
	if ev.record {
		if s.read.Resource != nil {
			ev.reads = append(ev.reads, s.read)
		}
		ev.reads = append(ev.reads, Read{Path: "programme(" + id + ", " + s.name + ")", Value: estate.String(why)})
	}
	switch {
	case within == estate.Maybe:
		return ev.unknown(estate.Unknown(why, s.title()).At(s.read.Value.Position()), s.path, false)
	case s.open != nil:
		return s.open
	}
	return types.False
}

func (s *serviceVal) title() string {
	if s.service != nil {
		return s.service.Title
	}
	return s.name
}

// within says whether a programme takes in a service, and why it does not, or is
// not known to.
func (p *programme) within(s *serviceVal, table *programmeTable) (estate.Truth, string) {
	if slices.Contains(table.Unassessed, s.name) {
		return estate.True, ""
	}
	if slices.Contains(table.Nowhere.Services, s.name) {
		return estate.False, "in no programme, by its guide of " + table.Nowhere.Date
	}
	var there []programmeList
	for _, l := range p.Lists {
		if len(l.Regions) == 0 || slices.Contains(l.Regions, s.region) {
			there = append(there, l)
		}
	}
	if len(there) == 0 && s.region != "" {
		return estate.False, "not in " + s.region
	}
	for _, l := range there {
		switch {
		case slices.Contains(l.In, s.name):
			return estate.True, ""
		case slices.Contains(l.Out, s.name):
			return estate.False, "not in the list of " + l.Date
		case l.Partly[s.name] != "":
			return estate.Maybe, "in " + p.Title + " of " + l.Date + " without " + l.Partly[s.name]
		}
	}
	if len(there) == 0 {
		return estate.Maybe, "in " + p.Title + " by region, and the region is not known"
	}
	return estate.Maybe, "the table says nothing of it for " + p.Title + "; look it up at " + p.Source
}

// programmeFunctions declares the functions over compliance programmes.
func programmeFunctions() []cel.EnvOption {
	one := cel.ObjectType(serviceType)
	return []cel.EnvOption{
		cel.Function("services", cel.MemberOverload("services_function", []*cel.Type{functionType}, cel.ListType(one))),
		cel.Function("programme", cel.Overload("programme_string_service", []*cel.Type{cel.StringType, one}, cel.BoolType)),
	}
}
