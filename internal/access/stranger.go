package access

import (
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// strangerAccount stands for an account that has nothing to do with the estate.
// It is no number, so that it is equal to no account id, known or not.
const strangerAccount = "another-account"

// letsStrangers asks whether a permission lets in somebody of another account:
// a user, or a service on behalf of a resource there.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func (w *world) letsStrangers(q *check.Question) check.Answer {
	s := w.permission(q.Subject, q.View)
	policy := iam.Compile("permission "+q.Subject.LogicalID, &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{s}}, w.data)
	w.origin[policy] = []statement{{q.Subject, "", q.Subject.Properties}}
	set := &iam.PolicySet{Identity: []*iam.Policy{w.everything()}, Resource: policy}
	result := check.Answer{Truth: estate.False}
	for _, spec := range w.strangers(&s, q.Subject) {
		v, ok := w.decide(spec, set)
		a := w.answer(q.Subject, v, ok)
		if a.Truth == estate.True {
			a.Reads = a.Reads[:1] // the permission itself is the subject
			return a
		}
		if a.Truth == estate.Maybe {
			result.Truth = estate.Maybe
			result.Missing = append(result.Missing, a.Missing...)
		}
		result.Reads = append(result.Reads, a.Reads[:min(1, len(a.Reads))]...)
	}
	return result
}

// answersAnyone asks for a call of a function URL without credentials. That the
// rule of October 2025 asks for lambda:InvokeFunction as well is left aside: an
// account may be exempt from it.
func (w *world) answersAnyone(q *check.Question) check.Answer {
	url := q.Subject
	resource := w.functionARN(url.Scope(), url.Properties.Field("TargetFunctionArn"), q.View)
	if v, open := q.View.Resolve(url.Properties.Field("Qualifier")); v != nil {
		if open {
			return check.Answer{Missing: []estate.Gap{{Reason: "not decided", Input: v.Input()}}}
		}
		resource += ":" + w.text(url.Scope(), v, q.View)
	}
	functions, gaps := q.View.Related(url, "functions")
	result := check.Answer{Truth: estate.False, Missing: gaps}
	if len(gaps) > 0 {
		result.Truth = estate.Maybe
	}
	for _, f := range functions {
		v, ok := w.decide(iam.RequestSpec{
			Principal: iam.AnonymousCaller, Action: "lambda:InvokeFunctionUrl", Resource: resource, ResourceAccount: w.account(f.Scope()),
			Context: map[string][]string{"lambda:FunctionUrlAuthType": {"NONE"}},
		}, &iam.PolicySet{Resource: w.resourcePolicy(f, q.View)})
		a := w.answer(url, v, ok)
		if a.Truth == estate.True {
			return a
		}
		if a.Truth == estate.Maybe {
			result.Truth = estate.Maybe
			result.Missing = append(result.Missing, a.Missing...)
		}
		result.Reads = append(result.Reads, a.Reads...)
	}
	return result
}

// strangers are the requests by which somebody of another account would use a
// permission.
func (w *world) strangers(s *iam.Statement, permission *estate.Resource) []iam.RequestSpec {
	context := map[string][]string{
		"aws:PrincipalOrgID": {"o-another"}, "aws:SourceOrgID": {"o-another"}, "lambda:EventSourceToken": {"guessed"},
	}
	var source string
	for _, c := range s.Condition {
		value := c.Values.Values[0].Value
		switch c.Key {
		case "aws:SourceArn":
			source = value
		case "lambda:FunctionUrlAuthType", "lambda:InvokedViaFunctionUrl":
			context[c.Key] = []string{value} // the caller chooses the way in
		}
	}
	request := func(principal string) iam.RequestSpec {
		spec := iam.RequestSpec{
			Principal: principal, Action: s.Action.Values[0].Value, Resource: s.Resource.Values[0].Value,
			ResourceAccount: w.account(permission.Scope()), Context: map[string][]string{},
		}
		for k, v := range context {
			spec.Context[k] = v
		}
		if !strings.HasPrefix(principal, "arn:") {
			delete(spec.Context, "aws:PrincipalOrgID")
			spec.Context["aws:SourceAccount"] = []string{strangerAccount}
			spec.Context["aws:SourceArn"] = []string{w.strangersARN(source, principal)}
		}
		return spec
	}
	user := request("arn:aws:iam::" + strangerAccount + ":user/somebody")
	switch p := s.Principal[0]; {
	case p.Kind == "Service":
		return []iam.RequestSpec{request(p.Values.Values[0].Value)}
	case p.Kind == "" || len(iam.Holes(p.Values.Values[0].Value)) > 0:
		return []iam.RequestSpec{user, request(serviceOf(source))}
	default:
		return []iam.RequestSpec{user}
	}
}

// serviceOf is the service principal of the resources that a pattern names.
func serviceOf(pattern string) string {
	parts := strings.SplitN(pattern, ":", 4)
	if len(parts) < 4 || parts[2] == "" || strings.ContainsAny(parts[2], "*?") || len(iam.Holes(parts[2])) > 0 {
		return "s3.amazonaws.com"
	}
	return parts[2] + ".amazonaws.com"
}

// strangersARN is the ARN of a resource in another account that comes nearest to
// a pattern: wildcards are filled in, and what the pattern fixes stays.
func (w *world) strangersARN(pattern, service string) string {
	name, _, _ := strings.Cut(service, ".")
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		if strings.Contains(pattern, "\xffo") && !strings.HasPrefix(pattern, "\xffi") {
			// It is not known what the pattern fixes.
			return w.hole(iam.OpenHole, "", estate.Gap{Reason: "not known", Input: "source that the permission names"})
		}
		return "arn:aws:" + name + ":us-east-1:" + strangerAccount + ":something"
	}
	fill := func(s, by string) string {
		if strings.Trim(s, "*?") == "" && s != "" {
			return by
		}
		return strings.NewReplacer("*", "x", "?", "x").Replace(s)
	}
	account := strangerAccount
	if parts[4] == "" {
		account = "" // as with buckets; the resource tells them apart
	}
	resource := parts[5]
	wild := strings.ContainsAny(resource, "*?")
	switch {
	case account == "" && (!wild || parts[2] == "s3" && strings.Contains(resource, "/")):
		// The name is taken by its owner, and a bucket's has no slash.
		resource = "something"
	default:
		resource = fill(resource, "something")
	}
	return strings.Join([]string{"arn", fill(parts[1], "aws"), fill(parts[2], name), fill(parts[3], "us-east-1"), account, resource}, ":")
}
