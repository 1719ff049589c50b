package access

import (
	"fmt"
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/estate"
)

// Query asks whether a principal may do something, in the names of an estate.
type Query struct {
	// Principal is the address of a function, role or user, or what
	// [iam.ParseCaller] reads.
	Principal string
	Action    string
	// Resource is the address of a resource, with what follows the name in its
	// ARN behind it ("Ledger/2026/x", "Charge:live"); or an ARN, or "*".
	Resource  string
	Context   map[string][]string
	Complete  bool
	Semantics iam.Semantics
	// URLRule is for a call of a function URL, the action lambda:InvokeFunctionUrl.
	URLRule iam.URLRule
	// SCPs and RCPs are levels, as in [iam.PolicySet]; nil where none were given.
	SCPs, RCPs [][]*iam.Policy
	// Endpoint are the policies of the VPC endpoint that the request comes through.
	Endpoint []*iam.Policy
}

// given reports whether a policy came with the query, and not from the estate.
func (q *Query) given(p *iam.Policy) bool {
	return slices.Contains(slices.Concat(slices.Concat(q.SCPs...), slices.Concat(q.RCPs...), q.Endpoint), p)
}

// Finding is the answer to a [Query].
type Finding struct {
	Principal, Action, Resource string // as they were asked of AWS; ${…} stands for what is not known
	Decision                    iam.Decision
	Gate                        iam.Gate
	Contested                   []string
	Statements                  []Statement
	Missing                     []estate.Gap
	Outside                     []string
	Notes                       []string // what the answer takes for granted
}

// Statement is a statement that had a say.
type Statement struct {
	Gate     iam.Gate
	Action   string // of a call of a function URL, which of its two
	Effect   iam.Effect
	Match    iam.Match
	Policy   string // its name, or the resource and path that it stands in
	Why      string
	Position estate.Position
}

// Can answers a query over scopes that belong together.
func (a *Access) Can(scopes []*estate.Scope, q Query) (*Finding, error) {
	w := a.world()
	view := &undecided{}
	spec := iam.RequestSpec{Action: q.Action, Context: map[string][]string{}, ContextComplete: q.Complete}
	set := &iam.PolicySet{}
	f := &Finding{}

	who, rest, err := lookup(scopes, q.Principal)
	if err != nil {
		return nil, fmt.Errorf("principal: %w", err)
	}
	switch {
	case who != nil && rest != "":
		return nil, fmt.Errorf("principal %s: %s has nothing that is called %q", q.Principal, who.Address, rest)
	case who != nil:
		if err := w.byResource(who, view, &spec, set, f); err != nil {
			return nil, err
		}
	default:
		if _, ok := iam.ParseCaller(q.Principal); !ok {
			return nil, fmt.Errorf("principal %q is neither a function, role or user of the estate, nor an ARN of a principal, a service's name or anonymous%s", q.Principal, suggestion(scopes, q.Principal))
		}
		w.byName(scopes, q.Principal, view, &spec, set)
	}

	what, rest, err := lookup(scopes, q.Resource)
	if err != nil {
		return nil, fmt.Errorf("resource: %w", err)
	}
	if what == nil {
		what = w.named(scopes, q.Resource, view)
		spec.Resource = q.Resource
		if what == nil && q.Resource != "*" && !strings.HasPrefix(q.Resource, "arn:") {
			return nil, fmt.Errorf("resource %q is neither an ARN nor the address of a resource in the estate%s (assay estate PATH lists them)", q.Resource, suggestion(scopes, q.Resource))
		}
	} else if spec.Resource = w.arn(what, view); spec.Resource == "" {
		return nil, fmt.Errorf("resource %s: the ARNs of %s are not known; give the ARN", what.Address, what.Type)
	}
	spec.Resource += rest
	if what != nil {
		// The account of an ARN that was asked for is known.
		if parts := strings.SplitN(spec.Resource, ":", 6); len(parts) < 6 || parts[4] == "" {
			spec.ResourceAccount = w.account(what.Scope())
		}
		set.Resource = w.resourcePolicy(what, view)
	} else {
		set.Resource = w.elsewhere(spec.Resource)
	}
	for k, v := range q.Context {
		spec.Context[k] = v
	}
	set.SCPs, set.RCPs, set.Endpoint = q.SCPs, q.RCPs, q.Endpoint
	x, err := w.explain(spec, set, q, what, view, f)
	if err != nil {
		return nil, err
	}
	f.Principal, f.Action, f.Resource = w.words(spec.Principal), q.Action, w.words(spec.Resource)
	f.Decision, f.Gate, f.Outside = x.Decision, x.Gate, x.Outside
	for _, rule := range x.Contested.Rules() {
		f.Contested = append(f.Contested, rule.String())
	}
	f.Missing = w.missing(verdict{spec, x})
	for _, p := range x.Statements {
		f.Statements = append(f.Statements, w.told(p, q))
	}
	if note := w.unknownAction(q.Action); note != "" {
		f.Notes = append(f.Notes, note)
	}
	switch {
	case q.SCPs == nil && q.RCPs == nil:
		f.Notes = append(f.Notes, "organisation policies (SCPs and RCPs) were not given, and are left out")
	case q.SCPs == nil:
		f.Notes = append(f.Notes, "service control policies were not given, and are left out")
	case q.RCPs == nil:
		f.Notes = append(f.Notes, "resource control policies were not given, and are left out")
	}
	return f, nil
}

// unknownAction says that an action is not in the table, which may be older than
// the action or right.
func (w *world) unknownAction(action string) string {
	if w.data.Action(action) != nil {
		return ""
	}
	service, name, _ := strings.Cut(action, ":")
	var names []string
	for _, a := range w.data.Actions(service) {
		names = append(names, a.Name)
	}
	hint := iam.Similar(name, names)
	if len(names) == 0 {
		hint = iam.Similar(service, w.data.Services())
	}
	return "the table of actions has no " + action + ", which was compared as it stands" + hint
}

// suggestion names the address that comes nearest to one that is not there.
func suggestion(scopes []*estate.Scope, address string) string {
	name, _, _ := strings.Cut(address, "/")
	var names []string
	for _, s := range scopes {
		for _, r := range s.Resources() {
			names = append(names, r.LogicalID)
		}
	}
	return iam.Similar(name, names)
}

// explain asks the engine. A call of a function URL stands for two requests.
func (w *world) explain(spec iam.RequestSpec, set *iam.PolicySet, q Query, what *estate.Resource, view *undecided, f *Finding) (iam.Explanation, error) {
	if !strings.EqualFold(spec.Action, "lambda:InvokeFunctionUrl") {
		r, err := iam.NewRequest(spec, w.data)
		if err != nil {
			return iam.Explanation{}, err
		}
		return iam.Explain(r, set, q.Semantics), nil
	}
	auth := w.authType(what, view)
	for k := range spec.Context {
		if strings.EqualFold(k, "lambda:FunctionUrlAuthType") {
			auth = "" // what is stated wins
		}
	}
	url, invoke, err := iam.InvokeURL(spec, auth, w.data)
	if err != nil {
		return iam.Explanation{}, err
	}
	f.Notes = append(f.Notes, "a call of a function URL asks for lambda:InvokeFunctionUrl and, unless the account is exempt, for lambda:InvokeFunction")
	if auth != "" {
		f.Notes = append(f.Notes, "the URL has the authorisation type "+w.words(auth))
	}
	return iam.ExplainURL(url, invoke, set, q.Semantics, q.URLRule), nil
}

// authType is that of the function's URL, "" where the estate has none or
// several.
func (w *world) authType(function *estate.Resource, view *undecided) string {
	if function == nil {
		return ""
	}
	var types []string
	for _, url := range function.Scope().OfType("AWS::Lambda::Url") {
		functions, gaps := view.Related(url, "functions")
		if len(gaps) > 0 {
			return ""
		}
		if slices.Contains(functions, function) {
			types = append(types, w.text(url.Scope(), url.Properties.Field("AuthType"), view))
		}
	}
	slices.Sort(types)
	if types = slices.Compact(types); len(types) == 1 {
		return types[0]
	}
	return ""
}

// told is a statement's part in words.
func (w *world) told(p iam.Part, q Query) Statement {
	s := Statement{Gate: p.Gate, Action: p.Action, Match: p.Match, Policy: w.words(p.Policy.Name), Why: w.words(p.Why)}
	if p.Statement < len(p.Policy.Document.Statements) {
		written := &p.Policy.Document.Statements[p.Statement]
		s.Effect = written.Effect
		switch origin := w.origin[p.Policy]; {
		case p.Statement < len(origin):
			o := origin[p.Statement]
			name := o.resource.Address
			if o.resource.Generated != "" {
				name = o.resource.LogicalID // its address is that of what it was made for
			}
			s.Policy = strings.TrimSuffix(name+"."+o.path, ".")
			if s.Position = o.value.Position(); s.Position.IsZero() {
				s.Position = o.resource.Source
			}
		case q.given(p.Policy):
			s.Position = estate.Position{File: p.Policy.Name, Line: written.At.Line, Column: written.At.Column}
		case written.Sid != "":
			s.Policy += " (" + written.Sid + ")"
		default:
			s.Policy += fmt.Sprintf(" (statement %d)", p.Statement+1)
		}
	}
	return s
}

// byResource makes a resource of the estate the principal: a function stands
// for its role.
func (w *world) byResource(who *estate.Resource, view *undecided, spec *iam.RequestSpec, set *iam.PolicySet, f *Finding) error {
	if who.Type == "AWS::Lambda::Function" {
		roles, gaps := view.Related(who, "roles")
		if len(roles) != 1 || len(gaps) > 0 {
			return fmt.Errorf("principal %s: its role is not in the estate; give the role's ARN", who.Address)
		}
		spec.Context["lambda:SourceFunctionArn"] = []string{w.arn(who, view)}
		f.Notes = append(f.Notes, who.Address+" acts with its role "+roles[0].LogicalID)
		who = roles[0]
	}
	switch who.Type {
	case "AWS::IAM::Role":
		of := w.of(who, "", "", view)
		spec.Principal = of.Principal
		for k, v := range of.Context {
			spec.Context[k] = v
		}
	case "AWS::IAM::User":
		spec.Principal = w.arn(who, view)
	default:
		return fmt.Errorf("principal %s is a %s; expected a function, a role or a user", who.Address, who.Type)
	}
	p := w.principal(who, view)
	set.Identity, set.Boundary = p.identity, p.boundary
	return nil
}

// byName takes a principal that is no address. Of one that the estate holds the
// policies are known; of others they are not.
func (w *world) byName(scopes []*estate.Scope, name string, view *undecided, spec *iam.RequestSpec, set *iam.PolicySet) {
	spec.Principal = name
	c, _ := iam.ParseCaller(name)
	held := w.holder(scopes, c, view)
	switch {
	case held != nil:
		p := w.principal(held, view)
		set.Identity, set.Boundary = p.identity, p.boundary
	case c.Kind == iam.User || c.Kind == iam.Role || c.Kind == iam.RoleSession || c.Kind == iam.FederatedUser:
		set.Identity = []*iam.Policy{iam.Unread("identity policies of " + name)}
		set.Boundary = []*iam.Policy{iam.Unread("permissions boundary of " + name)}
	}
}

// holder is the role or user of the estate that has the caller's name.
func (w *world) holder(scopes []*estate.Scope, c iam.Caller, view *undecided) *estate.Resource {
	kind := "AWS::IAM::Role"
	if c.Kind == iam.User {
		kind = "AWS::IAM::User"
	} else if c.Kind != iam.Role && c.Kind != iam.RoleSession {
		return nil
	}
	for _, s := range scopes {
		for _, r := range s.OfType(kind) {
			if w.name(r, view) == c.Name && mayBe(w.account(s), c.Account) {
				return r
			}
		}
	}
	return nil
}

// named is the resource of the estate that an ARN is of.
func (w *world) named(scopes []*estate.Scope, arn string, view *undecided) *estate.Resource {
	want := strings.SplitN(arn, ":", 6)
	if len(want) < 6 {
		return nil
	}
	for _, s := range scopes {
		for _, r := range s.Resources() {
			own := strings.SplitN(w.arn(r, view), ":", 6)
			if len(own) == 6 && own[2] == want[2] && mayBe(own[3], want[3]) && mayBe(own[4], want[4]) && (own[5] == want[5] || strings.HasPrefix(want[5], own[5]+"/") || strings.HasPrefix(want[5], own[5]+":")) {
				return r
			}
		}
	}
	return nil
}

// mayBe reports whether a region or account of the estate, which may be a hole,
// can be the one that was asked for.
func mayBe(own, asked string) bool { return own == asked || len(iam.Holes(own)) > 0 }

// lookup finds the resource of an address, and what follows the address. None
// is no error.
func lookup(scopes []*estate.Scope, address string) (*estate.Resource, string, error) {
	if strings.HasPrefix(address, "arn:") {
		return nil, "", nil
	}
	var best *estate.Resource
	var rest string
	var same []string
	for _, s := range scopes {
		for _, r := range s.Resources() {
			for _, name := range []string{r.ID, r.LogicalID, r.Address} {
				tail, ok := strings.CutPrefix(address, name)
				if !ok || tail != "" && tail[0] != '/' && tail[0] != ':' {
					continue
				}
				if name == r.Address && name != r.LogicalID && r.Generated != "" {
					continue // what was added to a resource goes by its logical id
				}
				switch {
				case best == nil || len(tail) < len(rest):
					best, rest, same = r, tail, []string{r.ID}
				case len(tail) == len(rest) && best != r:
					same = append(same, r.ID)
				}
				break
			}
		}
	}
	if len(same) > 1 {
		slices.Sort(same)
		return nil, "", fmt.Errorf("%q is the address of several resources; give one of %s", address, strings.Join(same, ", "))
	}
	return best, rest, nil
}

// undecided is the estate with every open input left open.
type undecided struct{}

// Resolve implements [check.View].
func (undecided) Resolve(v *estate.Value) (*estate.Value, bool) {
	return v, v.Kind() == estate.KindOneOf
}

// Plain implements [check.View].
func (undecided) Plain() bool { return true }

// Related implements [check.View].
func (undecided) Related(r *estate.Resource, edge string) (found []*estate.Resource, gaps []estate.Gap) {
	for _, e := range r.Related(edge) {
		other := e.To
		if e.Rule.Name != edge || e.From != r {
			other = e.From
		}
		switch {
		case e.To == nil:
			gaps = append(gaps, e.Gap)
		case len(e.When) > 0 || other.Exists != nil:
			input := other.ExistsInput
			if len(e.When) > 0 {
				input = e.When[0].Input
			}
			gaps = append(gaps, estate.Gap{Reason: "not decided", Input: input})
		case !slices.Contains(found, other):
			found = append(found, other)
		}
	}
	if gap, may := r.MayMiss(edge); may {
		gaps = append(gaps, gap)
	}
	return found, gaps
}
