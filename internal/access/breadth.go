package access

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// probeName is the name of resources that no policy names.
const probeName = "assay-probe"

// probes are ARNs of resources that no policy names, one for each kind that the
// action takes; "*" for an action that takes none.
func (w *world) probes(role *estate.Resource, a *iam.Action) []string {
	if len(a.Resources) == 0 {
		return []string{"*"}
	}
	region, _ := role.Scope().Place()
	if region == "" {
		region = "us-east-1"
	}
	var list []string
	for _, t := range a.Resources {
		arn := fill(t.ARN, func(name string) string {
			switch name {
			case "Partition":
				return partition(region)
			case "Region":
				return region
			case "Account":
				return w.account(role.Scope())
			}
			return probeName
		})
		if !slices.Contains(list, arn) {
			list = append(list, arn)
		}
	}
	return list
}

// fill replaces each ${name} of an ARN's form.
func fill(form string, by func(name string) string) string {
	var b strings.Builder
	for rest := form; rest != ""; {
		head, tail, found := strings.Cut(rest, "${")
		b.WriteString(head)
		if !found {
			break
		}
		var name string
		name, rest, _ = strings.Cut(tail, "}")
		b.WriteString(by(name))
	}
	return b.String()
}

// ofResources are keys that say what a resource is: a resource that nothing
// names has none of what they ask for.
var ofResources = []string{"aws:resourcetag/", "ec2:resourcetag/", "iam:resourcetag/", "s3:existingobjecttag/", "secretsmanager:resourcetag/", "ssm:resourcetag/", "kms:resourcealiases", "dynamodb:leadingkeys"}

// unnamed is an ask for an action of a role on a resource that nothing names: by
// the code of the function, where one is given.
func (w *world) unnamed(role, function *estate.Resource, action, resource string, view check.View) iam.Ask {
	set := w.principal(role, view)
	account := w.account(role.Scope())
	spec := w.of(role, action, resource, view)
	spec.ResourceAccount = account
	if function != nil {
		spec.Context["lambda:SourceFunctionArn"] = []string{w.arn(function, view)}
	}
	for _, p := range slices.Concat(set.identity, set.boundary) {
		for i := range p.Document.Statements {
			for _, c := range p.Document.Statements[i].Condition {
				key := strings.ToLower(c.Key)
				if slices.ContainsFunc(ofResources, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
					spec.Context[c.Key] = nil
				}
			}
		}
	}
	return iam.Ask{Spec: spec, Set: &iam.PolicySet{Identity: set.identity, Boundary: set.boundary, Resource: iam.HandsOver(account)}}
}

// anywhere asks whether a role may do an action on some resource that no policy
// names, in some request of its own making; by the code of the function, where
// one is given.
func (w *world) anywhere(role, function *estate.Resource, action string, view check.View) check.Answer {
	a := w.data.Action(action)
	if a == nil {
		return check.Answer{Missing: []estate.Gap{{Reason: "not an action that the table knows", Input: action}}}
	}
	set := w.principal(role, view)
	if !iam.Touches(set.identity, iam.RequestSpec{Action: action}, w.data) {
		return check.Answer{Truth: estate.False}
	}
	key := reachKey{role, function, strings.ToLower(action)}
	if answer, ok := w.reach[key]; ok && view.Plain() {
		return answer
	}
	result := check.Answer{Truth: estate.False}
	session := w.session(role, view)
	for _, resource := range w.probes(role, a) {
		if !iam.Touches(set.identity, iam.RequestSpec{Principal: session, Action: action, Resource: resource}, w.data) {
			continue
		}
		ask := w.unnamed(role, function, action, resource, view)
		got := w.proved(role, iam.Find([]iam.Ask{ask}, "", w.data, iam.Limits{}), ask.Set)
		if got.Truth == estate.True {
			result = got
			break
		}
		result = either(result, got)
	}
	if view.Plain() {
		w.reach[key] = result
	}
	return result
}

// reachKey is a role, a function that acts with it or nil, and an action in lower
// case.
type reachKey struct {
	role, function *estate.Resource
	action         string
}

// proved is what a check gets of a search for requests: true where there are
// some.
func (w *world) proved(role *estate.Resource, p iam.Proof, set *iam.PolicySet) check.Answer {
	switch p.Verdict {
	case iam.Proved:
		return check.Answer{Truth: estate.False}
	case iam.Undecided:
		return check.Answer{Missing: []estate.Gap{{Reason: "not decided", Input: w.words("policies of " + role.LogicalID + ": " + p.Reason)}}}
	}
	a := check.Answer{Truth: estate.True}
	if p.Contested != 0 {
		return check.Answer{Missing: []estate.Gap{{Reason: "AWS's documents leave it open", Input: "rule " + p.Contested.Rules()[0].String()}}}
	}
	for _, spec := range p.Witness {
		if r, err := iam.NewRequest(spec, w.data); err == nil {
			a.Reads = append(a.Reads, w.reads(role, verdict{spec, iam.Outline(r, set, iam.Documents)})...)
		}
	}
	return a
}

// either joins an answer that is not true with another that is not.
func either(a, b check.Answer) check.Answer {
	if b.Truth == estate.Maybe {
		a.Truth = estate.Maybe
		a.Missing = append(a.Missing, b.Missing...)
	}
	return a
}

// mayAnywhere asks for each action; one that is allowed decides.
func (w *world) mayAnywhere(q *check.Question) check.Answer {
	result := check.Answer{Truth: estate.False}
	for _, action := range q.Actions {
		a := w.anywhere(q.Subject, nil, action, q.View)
		if a.Truth == estate.True {
			return a
		}
		result = either(result, a)
	}
	return result
}

// codeMayAnywhere asks for the code of each function that acts with the role.
// source: https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
func (w *world) codeMayAnywhere(q *check.Question) check.Answer {
	functions, gaps := q.View.Related(q.Subject, "functions")
	result := check.Answer{Truth: estate.False}
	for _, f := range functions {
		for _, action := range q.Actions {
			a := w.anywhere(q.Subject, f, action, q.View)
			if a.Truth == estate.True {
				return a
			}
			result = either(result, a)
		}
	}
	if len(gaps) > 0 {
		result = either(result, check.Answer{Missing: gaps})
	}
	return result
}

// mayEvery asks for every action of a service; one that is refused decides.
func (w *world) mayEvery(q *check.Question) check.Answer {
	service, _ := q.Texts[0].Scalar()
	result := check.Answer{Truth: estate.True}
	actions := w.data.Actions(service)
	if len(actions) == 0 {
		return check.Answer{Missing: []estate.Gap{{Reason: "not a service that the table knows", Input: service}}}
	}
	for _, action := range actions {
		a := w.anywhere(q.Subject, nil, service+":"+action.Name, q.View)
		if a.Truth == estate.False {
			return a
		}
		result.Truth = result.Truth.And(a.Truth)
		result.Missing = append(result.Missing, a.Missing...)
		if len(result.Reads) == 0 {
			result.Reads = a.Reads
		}
	}
	return result
}

// changesAnywhere asks for every action that changes something, that a policy
// could hold to resources, and that is neither listed nor granted by a policy of
// AWS that is; attached policies under a path that is listed are not asked.
func (w *world) changesAnywhere(q *check.Question) check.Answer {
	prescribed := map[string]bool{}
	var paths []string
	for _, v := range q.Texts {
		text, _ := v.Scalar()
		switch {
		case !strings.HasPrefix(text, "arn:"):
			prescribed[strings.ToLower(text)] = true
			continue
		case strings.HasSuffix(text, "/"):
			paths = append(paths, text)
			continue
		}
		actions, ok := w.managedActions(text)
		if !ok {
			return check.Answer{Missing: []estate.Gap{{Reason: "not in the table of AWS's managed policies", Input: text}}}
		}
		maps.Copy(prescribed, actions)
	}
	left := func(p *iam.Policy) bool {
		return slices.ContainsFunc(paths, func(path string) bool {
			_, under, _ := strings.Cut(path, ":iam::")
			_, name, _ := strings.Cut(p.Name, ":iam::")
			return strings.HasPrefix(name, under)
		})
	}
	return w.someAnywhere(q, left, func(name string, a *iam.Action) bool { return a.Writes() && !prescribed[name] })
}

// managedActions are the actions that a policy of AWS grants, in lower case.
func (a *Access) managedActions(arn string) (map[string]bool, bool) {
	if known, ok := a.prescribed.Load(arn); ok {
		return known.(map[string]bool), true
	}
	p := a.managedPolicy(arn)
	if p.IsUnread() {
		return nil, false
	}
	actions := map[string]bool{}
	for _, list := range a.data.GrantedByService(p) {
		for _, action := range list {
			actions[strings.ToLower(action)] = true
		}
	}
	a.prescribed.Store(arn, actions)
	return actions, true
}

// permitsAnywhere asks for every action that AWS classes as the management of
// permissions and that a policy could hold to resources.
func (w *world) permitsAnywhere(q *check.Question) check.Answer {
	return w.someAnywhere(q, func(*iam.Policy) bool { return false }, func(_ string, a *iam.Action) bool { return a.Level == iam.Permissions })
}

// unsure are the reasons why the policies of a role may grant what cannot be told.
func (w *world) unsure(set *principalSet) (gaps []estate.Gap) {
	for _, p := range set.identity {
		if p.IsUnread() {
			gaps = append(gaps, estate.Gap{Reason: "policy that was not read", Input: p.Name})
			continue
		}
		for i := range p.Document.Statements {
			s := &p.Document.Statements[i]
			for _, list := range []*iam.Texts{s.Action, s.NotAction} {
				if s.Effect != iam.Allow || list == nil {
					continue
				}
				for _, text := range list.Values {
					for _, id := range iam.Holes(text.Value) {
						gaps = append(gaps, w.gap(id))
					}
				}
			}
		}
	}
	return gaps
}

// someAnywhere asks for the actions that a role's policies grant, that a policy
// could hold to resources, and that are wanted by their name in lower case; one
// that is allowed decides. Policies that are left aside are not asked for theirs.
func (w *world) someAnywhere(q *check.Question, left func(*iam.Policy) bool, wanted func(name string, a *iam.Action) bool) check.Answer {
	set := w.principal(q.Subject, q.View)
	result := check.Answer{Truth: estate.False}
	if gaps := w.unsure(set); len(gaps) > 0 {
		result = check.Answer{Missing: gaps}
	}
	for _, p := range set.identity {
		if p.IsUnread() || left(p) {
			continue
		}
		for _, actions := range w.grantedBy(p) {
			for _, action := range actions {
				known := w.data.Action(action)
				if len(known.Resources) == 0 || !wanted(strings.ToLower(action), known) {
					continue
				}
				a := w.anywhere(q.Subject, nil, action, q.View)
				if a.Truth == estate.True {
					return a
				}
				result = either(result, a)
			}
		}
	}
	return result
}

// granted are the actions of a service that a policy grants.
type granted struct {
	service string
	actions []string
}

// grantedBy is what a policy grants by service, remembered where it is not of most
// services.
func (w *world) grantedBy(p *iam.Policy) iter.Seq2[string, []string] {
	const most = 50
	list, ok := w.grants[p]
	ofAWS := isAWSManaged(p.Name)
	if ofAWS {
		var shared any
		if shared, ok = w.granted.Load(p); ok {
			list = shared.([]granted)
		}
	}
	if !ok {
		for service, actions := range w.data.GrantedByService(p) {
			if list = append(list, granted{service, actions}); len(list) > most {
				return w.data.GrantedByService(p)
			}
		}
		if ofAWS {
			w.granted.Store(p, list)
		} else {
			w.grants[p] = list
		}
	}
	return func(yield func(string, []string) bool) {
		for _, g := range list {
			if !yield(g.service, g.actions) {
				return
			}
		}
	}
}

// fewActions is how many actions on a type of resource make it more than a channel
// for data, such as those of execute-api and rds-data, of which a caller needs all.
const fewActions = 10

// holdsService asks whether there is a resource to which the role may do all that
// its service can do to its like.
func (w *world) holdsService(q *check.Question) check.Answer {
	set := w.principal(q.Subject, q.View)
	result := check.Answer{Truth: estate.False}
	if gaps := w.unsure(set); len(gaps) > 0 {
		result = check.Answer{Missing: gaps}
	}
	holds := map[string]map[string]bool{} // by service, of the policies so far
	for _, p := range set.identity {
		if p.IsUnread() {
			continue
		}
		for service, actions := range w.grantedBy(p) {
			held := holds[service]
			if held == nil {
				held = map[string]bool{}
				holds[service] = held
			}
			for _, action := range actions {
				held[action] = true
			}
			if len(held) < fewActions {
				continue
			}
			for _, of := range w.byType(service) {
				if len(of.actions) < fewActions || slices.ContainsFunc(of.actions, func(a string) bool { return !held[a] }) {
					continue
				}
				a := w.everyAction(q, of.actions, of.pattern)
				if a.Truth == estate.True {
					return a
				}
				result = either(result, a)
			}
		}
	}
	return result
}

// onType are the actions of a service on one type of its resources.
type onType struct {
	pattern string // of their ARNs
	actions []string
}

// byType sorts the actions of a service by the types of resources that they take.
func (w *world) byType(service string) (list []onType) {
	for _, a := range w.data.Actions(service) {
		for _, t := range a.Resources {
			pattern := fill(t.ARN, func(string) string { return "*" })
			i := slices.IndexFunc(list, func(of onType) bool { return of.pattern == pattern })
			if i < 0 {
				i, list = len(list), append(list, onType{pattern: pattern})
			}
			list[i].actions = append(list[i].actions, service+":"+a.Name)
		}
	}
	return list
}

// everyAction asks for one resource of a form that takes all the actions.
func (w *world) everyAction(q *check.Question, actions []string, form string) check.Answer {
	set := w.principal(q.Subject, q.View)
	account := w.account(q.Subject.Scope())
	var asks []iam.Ask
	for _, action := range actions {
		spec := w.of(q.Subject, action, "", q.View)
		spec.ResourceAccount = account
		asks = append(asks, iam.Ask{Spec: spec, Set: &iam.PolicySet{Identity: set.identity, Boundary: set.boundary, Resource: iam.HandsOver(account)}})
	}
	a := w.proved(q.Subject, iam.Find(asks, form, w.data, iam.Limits{}), asks[0].Set)
	if len(a.Reads) > 2 {
		a.Reads = a.Reads[:2] // one request of many, and the statement that lets it in
	}
	return a
}

// passesToAny asks whether the role may pass some role to a service that no
// policy names.
func (w *world) passesToAny(q *check.Question) check.Answer {
	set := w.principal(q.Subject, q.View)
	spec := w.of(q.Subject, "iam:PassRole", "", q.View)
	spec.ResourceAccount = w.account(q.Subject.Scope())
	spec.Context["iam:PassedToService"] = []string{probeName + ".amazonaws.com"}
	ask := iam.Ask{Spec: spec, Set: &iam.PolicySet{Identity: set.identity, Boundary: set.boundary}}
	return w.proved(q.Subject, iam.Find([]iam.Ask{ask}, "arn:*:iam::*:role/*", w.data, iam.Limits{}), ask.Set)
}

// passesBeyond asks whether the role may pass some role to a service that is not
// in the list.
func (w *world) passesBeyond(q *check.Question) check.Answer {
	set := w.principal(q.Subject, q.View)
	account := w.account(q.Subject.Scope())
	spec := w.of(q.Subject, "iam:PassRole", "", q.View)
	spec.ResourceAccount = account
	var allowed []string
	for _, v := range q.Texts {
		if s, ok := v.Scalar(); ok {
			allowed = append(allowed, s)
		}
	}
	ask := iam.Ask{Spec: spec, Set: &iam.PolicySet{Identity: set.identity, Boundary: set.boundary}}.Avoiding("iam:PassedToService", allowed)
	return w.proved(q.Subject, iam.Find([]iam.Ask{ask}, "arn:*:iam::*:role/*", w.data, iam.Limits{}), ask.Set)
}
