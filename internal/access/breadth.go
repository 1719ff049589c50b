package access

import (
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
		var b strings.Builder
		for rest := t.ARN; rest != ""; {
			head, tail, found := strings.Cut(rest, "${")
			b.WriteString(head)
			if !found {
				break
			}
			var name string
			name, rest, _ = strings.Cut(tail, "}")
			switch name {
			case "Partition":
				b.WriteString(partition(region))
			case "Region":
				b.WriteString(region)
			case "Account":
				b.WriteString(w.account(role.Scope()))
			default:
				b.WriteString(probeName)
			}
		}
		if arn := b.String(); !slices.Contains(list, arn) {
			list = append(list, arn)
		}
	}
	return list
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
	key := reachKey{role, function, strings.ToLower(action)}
	if answer, ok := w.reach[key]; ok && view.Plain() {
		return answer
	}
	result := check.Answer{Truth: estate.False}
	for _, resource := range w.probes(role, a) {
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
// could hold to resources, and that none of the listed policies of AWS grants.
func (w *world) changesAnywhere(q *check.Question) check.Answer {
	prescribed := map[string]bool{}
	for _, v := range q.Texts {
		arn, _ := v.Scalar()
		actions, ok := w.managedActions(arn)
		if !ok {
			return check.Answer{Missing: []estate.Gap{{Reason: "not in the table of AWS's managed policies", Input: arn}}}
		}
		maps.Copy(prescribed, actions)
	}
	return w.someAnywhere(q, func(name string, a *iam.Action) bool { return a.Writes() && !prescribed[name] })
}

// managedActions are the actions that a policy of AWS grants, in lower case.
func (a *Access) managedActions(arn string) (map[string]bool, bool) {
	if known, ok := a.granted.Load(arn); ok {
		return known.(map[string]bool), true
	}
	p := a.managedPolicy(arn)
	if p.IsUnread() {
		return nil, false
	}
	actions := map[string]bool{}
	for _, class := range a.data.Granted(p) {
		for _, action := range class {
			actions[strings.ToLower(action)] = true
		}
	}
	a.granted.Store(arn, actions)
	return actions, true
}

// permitsAnywhere asks for every action that AWS classes as the management of
// permissions and that a policy could hold to resources.
func (w *world) permitsAnywhere(q *check.Question) check.Answer {
	return w.someAnywhere(q, func(_ string, a *iam.Action) bool { return a.Level == iam.Permissions })
}

// someAnywhere asks for the actions that a role's policies grant and that are
// wanted, by their name in lower case; one that is allowed decides.
func (w *world) someAnywhere(q *check.Question, wanted func(name string, a *iam.Action) bool) check.Answer {
	result := check.Answer{Truth: estate.False}
	for _, p := range w.principal(q.Subject, q.View).identity {
		if p.IsUnread() {
			result = either(result, check.Answer{Missing: []estate.Gap{{Reason: "policy that was not read", Input: p.Name}}})
			continue
		}
		for _, class := range w.data.Granted(p) {
			for _, action := range class {
				known := w.data.Action(action)
				if known == nil || len(known.Resources) == 0 || !wanted(strings.ToLower(action), known) {
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

// fewActions is how many actions make a service that is more than a channel for
// data, such as execute-api and rds-data, of which a caller needs all.
const fewActions = 10

// holdsService asks whether the role may do every action of some service, each on
// some resource.
func (w *world) holdsService(q *check.Question) check.Answer {
	set := w.principal(q.Subject, q.View)
	result := check.Answer{Truth: estate.False}
	count := map[string]int{}
	seen := map[string]bool{}
	for _, p := range set.identity {
		if p.IsUnread() {
			result = either(result, check.Answer{Missing: []estate.Gap{{Reason: "policy that was not read", Input: p.Name}}})
			continue
		}
		for _, class := range w.data.Granted(p) {
			for _, action := range class {
				if name := strings.ToLower(action); !seen[name] && w.data.Action(name) != nil {
					seen[name] = true
					service, _, _ := strings.Cut(name, ":")
					count[service]++
				}
			}
		}
	}
	for _, service := range slices.Sorted(maps.Keys(count)) {
		actions := w.data.Actions(service)
		if len(actions) < fewActions || count[service] < len(actions) {
			continue
		}
		a := w.everyAction(q, service, actions)
		if a.Truth == estate.True {
			return a
		}
		result = either(result, a)
	}
	return result
}

// everyAction asks for each action of a service on some resource; one that is
// refused decides.
func (w *world) everyAction(q *check.Question, service string, actions []*iam.Action) check.Answer {
	set := w.principal(q.Subject, q.View)
	account := w.account(q.Subject.Scope())
	result := check.Answer{Truth: estate.True}
	for _, action := range actions {
		spec := w.of(q.Subject, service+":"+action.Name, "", q.View)
		spec.ResourceAccount = account
		ask := iam.Ask{Spec: spec, Set: &iam.PolicySet{Identity: set.identity, Boundary: set.boundary, Resource: iam.HandsOver(account)}}
		a := w.proved(q.Subject, iam.Find([]iam.Ask{ask}, "", w.data, iam.Limits{}), ask.Set)
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
