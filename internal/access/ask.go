package access

import (
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// Ask implements [check.Asker].
//
// Organisation policies are not in a template; answers are given without them.
// What they would take away is not seen, so that "may" is what the account's
// own policies give.
//
// Several checks put the same question, and a check that does not pass puts its
// own once more. The last questions are remembered, as long as no open input has
// had a say.
func (w *world) Ask(q *check.Question) check.Answer {
	key := questionKey{q.Kind, q.Subject, q.Object, q.Scope}
	if q.View.Plain() {
		for _, old := range w.asked[key] {
			if old.same(q) {
				return old.answer
			}
		}
	}
	a := w.find(q)
	if q.View.Plain() {
		if len(w.asked) >= maxAsked {
			clear(w.asked)
		}
		w.asked[key] = append(w.asked[key], remembered{q.Actions, q.Texts, a})
	}
	return a
}

// maxAsked bounds what is remembered: all that is asked of some resources that
// have to do with each other.
const maxAsked = 256

// questionKey is what a question is about, remembered the rest of it, with its answer.
type questionKey struct {
	kind            check.QuestionKind
	subject, object *estate.Resource
	scope           *estate.Scope
}

type remembered struct {
	actions []string
	texts   []*estate.Value
	answer  check.Answer
}

func (a *remembered) same(q *check.Question) bool {
	return slices.Equal(a.actions, q.Actions) && slices.EqualFunc(a.texts, q.Texts, func(t, u *estate.Value) bool {
		return t == u || t.Kind() == estate.KindString && u.Kind() == estate.KindString && t.AsString() == u.AsString()
	})
}

// find answers a question that was not asked before.
func (w *world) find(q *check.Question) check.Answer {
	switch q.Kind {
	case check.May:
		return w.may(q)
	case check.Trusts:
		return w.trusts(q)
	case check.TrustsOnly:
		return w.trustsOnly(q)
	case check.Administers:
		return w.administers(q)
	case check.Lets:
		return w.lets(q)
	case check.LetsStrangers:
		return w.letsStrangers(q)
	case check.ReachedBy:
		return w.reachedBy(q)
	case check.AnswersAnyone:
		return w.answersAnyone(q)
	case check.OpenTo:
		return w.isOpenTo(q)
	case check.MayAnywhere:
		return w.mayAnywhere(q)
	case check.MayEvery:
		return w.mayEvery(q)
	case check.ChangesAnywhere:
		return w.changesAnywhere(q)
	case check.PassesBeyond:
		return w.passesBeyond(q)
	case check.Escalates:
		return w.onGraph(q, func(g *graph) check.Answer { return g.escalates(q) })
	case check.InvitesEscalation:
		return w.onGraph(q, func(g *graph) check.Answer { return g.invitesEscalation(q) })
	case check.PassesToAny:
		return w.passesToAny(q)
	case check.PermitsAnywhere:
		return w.permitsAnywhere(q)
	case check.HoldsService:
		return w.holdsService(q)
	case check.CodeMayAnywhere:
		return w.codeMayAnywhere(q)
	case check.ServesStrangers:
		return w.servesStrangers(q)
	case check.TrustsToken:
		return w.trustsToken(q)
	case check.RefusesPlain:
		return w.refusesPlain(q)
	case check.UsableAnywhere:
		return w.usableAnywhere(q)
	default:
		return check.Answer{Missing: []estate.Gap{{Reason: "not a question that is known", Input: "access engine"}}}
	}
}

// verdict is one request with its explanation.
type verdict struct {
	spec iam.RequestSpec
	x    iam.Explanation
}

func (w *world) decide(spec iam.RequestSpec, set *iam.PolicySet) (verdict, bool) {
	r, err := iam.NewRequest(spec, w.data)
	if err != nil {
		return verdict{spec: spec}, false
	}
	return verdict{spec, iam.Outline(r, set, iam.Documents)}, true
}

// answer is what a check gets of a request.
func (w *world) answer(subject *estate.Resource, v verdict, ok bool) check.Answer {
	if !ok {
		return check.Answer{Missing: []estate.Gap{{Reason: "names are not known", Input: w.words(v.spec.Principal + " " + v.spec.Action + " " + v.spec.Resource)}}}
	}
	a := check.Answer{Reads: w.reads(subject, v)}
	switch {
	case v.x.Contested != 0:
		a.Missing = append(a.Missing, estate.Gap{Reason: "AWS's documents leave it open", Input: "rule " + v.x.Contested.Rules()[0].String()})
	case v.x.Decision == iam.Allowed:
		a.Truth = estate.True
	case v.x.Decision != iam.Unknown:
		a.Truth = estate.False
	default:
		a.Missing = w.missing(v)
	}
	return a
}

// missingKey is the reason of gaps that are condition keys.
const missingKey = "condition key of the request"

// missing is what would settle an unknown decision.
func (w *world) missing(v verdict) []estate.Gap {
	var gaps []estate.Gap
	add := func(g estate.Gap) {
		if !slices.Contains(gaps, g) {
			gaps = append(gaps, g)
		}
	}
	for _, id := range v.x.Holes {
		add(w.gap(id))
	}
	for _, name := range v.x.Unread {
		add(estate.Gap{Reason: "policy that was not read", Input: name})
	}
	for _, key := range v.x.Missing {
		if key == iam.URLRuleInput {
			add(estate.Gap{Reason: "state of the account", Input: "whether calls of function URLs need lambda:InvokeFunction, too"})
			continue
		}
		add(estate.Gap{Reason: missingKey, Input: key})
	}
	return gaps
}

// reads shows what decided: the statements that matched, and the request with
// its decision.
func (w *world) reads(subject *estate.Resource, v verdict) []check.Read {
	decision := v.x.Decision.String()
	if v.x.Gate != iam.NoGate {
		decision += " (" + v.x.Gate.String() + ")"
	}
	reads := []check.Read{{Resource: subject, Path: w.words(v.spec.Principal) + " " + v.spec.Action + " " + w.words(v.spec.Resource), Value: estate.String(decision).At(subject.Source)}}
	for _, part := range v.x.Statements {
		origin := w.origin[part.Policy]
		if part.Statement < len(origin) && origin[part.Statement].value != nil {
			o := origin[part.Statement]
			reads = append(reads, check.Read{Resource: o.resource, Path: strings.TrimPrefix(o.path, "."), Value: o.value})
		}
	}
	return reads
}

// session is the principal that a function with the role acts as. Lambda names
// the session after the function.
func (w *world) session(role *estate.Resource, view check.View) string {
	return "arn:" + w.partitionOf(role.Scope()) + ":sts::" + w.account(role.Scope()) + ":assumed-role/" + w.name(role, view) + "/" +
		w.hole(iam.SegmentHole, "session of "+role.ID, estate.Gap{Reason: "not known", Input: "name of the function's session"})
}

// of is a request by a role, with what follows from the role.
func (w *world) of(role *estate.Resource, action, resource string, view check.View) iam.RequestSpec {
	return iam.RequestSpec{
		Principal: w.session(role, view), Action: action, Resource: resource,
		Context: map[string][]string{"aws:PrincipalArn": {w.arn(role, view)}, "aws:SecureTransport": {"true"}},
	}
}

// target is the resource that a question is about, as an ARN, with its policy
// if it is of the estate.
func (w *world) target(q *check.Question, text int) (arn string, policy *iam.Policy, held *estate.Resource) {
	if q.Object != nil {
		held = q.Object
		return w.arn(held, q.View), w.resourcePolicy(held, q.View), held
	}
	if text < len(q.Texts) {
		v := q.Texts[text]
		arn = w.text(q.Scope, v, q.View)
		if v.Kind() == estate.KindReference {
			if held = q.Scope.Find(v.Reference().Resource); held != nil {
				policy = w.resourcePolicy(held, q.View)
			}
		}
	}
	return arn, policy, held
}

func (w *world) may(q *check.Question) check.Answer {
	arn, policy, held := w.target(q, 0)
	if arn != "*" && !strings.HasPrefix(arn, "arn:") && !strings.HasPrefix(arn, "\xff") {
		return check.Answer{Missing: []estate.Gap{{Reason: "not an ARN that is known", Input: "resource of " + strings.Join(q.Actions, ", ") + " (" + w.words(arn) + ")"}}}
	}
	switch {
	case policy != nil || held != nil:
	case strings.HasSuffix(arn, check.ProbeName):
		if strings.Contains(arn, ":kms:") {
			policy = w.defaultKeyPolicy(q.Subject) // of an account that leaves keys to identity policies
		}
	default:
		policy = w.elsewhere(arn)
	}
	result := check.Answer{Truth: estate.True}
	for _, action := range q.Actions {
		switch a := w.mayDo(q, action, arn, policy, held); a.Truth {
		case estate.False:
			return a
		case estate.Maybe:
			result.Truth = estate.Maybe
			result.Missing = append(result.Missing, a.Missing...)
			result.Reads = append(result.Reads, a.Reads...)
		case estate.True:
			if result.Truth == estate.True {
				result.Reads = append(result.Reads, a.Reads...)
			}
		}
	}
	return result
}

// mayDo asks for one action.
func (w *world) mayDo(q *check.Question, action, arn string, policy *iam.Policy, held *estate.Resource) check.Answer {
	set := w.principal(q.Subject, q.View)
	switch {
	case held == nil:
	case held.Type == "AWS::S3::Bucket" && w.onObjects(action):
		arn += "/" + w.hole(iam.OpenHole, "object of "+held.ID, estate.Gap{Reason: "not known", Input: "key of the object"})
	case held.Type == "AWS::Logs::LogGroup" && w.takes(action, "log-stream"):
		arn += ":log-stream:" + w.hole(iam.OpenHole, "stream of "+held.ID, estate.Gap{Reason: "not known", Input: "name of the log stream"})
	}
	spec := w.of(q.Subject, action, arn, q.View)
	if held != nil {
		spec.ResourceAccount = w.account(held.Scope())
	}
	if action == "kms:CreateGrant" {
		// By a call of its own, not by a service that encrypts for the role.
		spec.Context["kms:GrantIsForAWSResource"], spec.Context["kms:ViaService"] = []string{"false"}, nil
	}
	v, ok := w.decide(spec, &iam.PolicySet{Identity: set.identity, Boundary: set.boundary, Resource: policy})
	return w.answer(q.Subject, v, ok)
}

// elsewhere is the policy of a resource that the estate does not hold. Within
// the account it can add to what identity policies allow, or deny.
func (w *world) elsewhere(arn string) *iam.Policy {
	if arn == "*" {
		return nil // no resource, and so no policy of one
	}
	if !strings.HasPrefix(arn, "arn:") {
		return iam.Unread("policy of " + w.words(arn))
	}
	for _, service := range []string{":lambda:", ":sqs:", ":sns:", ":s3:", ":kms:", ":secretsmanager:", ":events:", ":iam:", ":ecr:", ":dynamodb:"} {
		if strings.Contains(arn, service) {
			return iam.Unread("policy of " + w.words(arn) + ", which is not in what was read")
		}
	}
	return nil
}

// onObjects reports whether an action of S3 is on objects, not on their bucket.
func (w *world) onObjects(action string) bool { return w.takes(action, "object") }

// takes reports whether an action is on resources of a type.
func (w *world) takes(action, resourceType string) bool {
	a := w.data.Action(action)
	return a != nil && slices.ContainsFunc(a.Resources, func(t *iam.ResourceType) bool { return t.Name == resourceType })
}

func (w *world) trusts(q *check.Question) check.Answer {
	service, _ := q.Texts[0].Scalar()
	v, ok := w.decide(iam.RequestSpec{
		Principal: service, Action: "sts:AssumeRole", Resource: w.arn(q.Subject, q.View), ResourceAccount: w.account(q.Subject.Scope()),
	}, &iam.PolicySet{Resource: w.resourcePolicy(q.Subject, q.View)})
	return w.answer(q.Subject, v, ok)
}

// everything is an identity policy that allows all.
func (a *Access) compileEverything() *iam.Policy {
	return iam.Compile("", &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Effect: iam.Allow, Action: one("*"), Resource: one("*")}}}, a.data)
}

// trustsOnly takes each principal that the trust policy names, and asks whether
// it gets in. For an account that is a user of it who may do everything.
func (w *world) trustsOnly(q *check.Question) check.Answer {
	trust := w.resourcePolicy(q.Subject, q.View)
	if trust == nil {
		return check.Answer{Truth: estate.True}
	}
	if _, read := w.origin[trust]; !read {
		return check.Answer{Missing: []estate.Gap{{Reason: "policy that was not read", Input: trust.Name}}}
	}
	allowed := map[string]bool{}
	for _, v := range q.Texts {
		s, _ := v.Scalar()
		allowed[s] = true
	}
	result := check.Answer{Truth: estate.True}
	for i := range trust.Document.Statements {
		s := &trust.Document.Statements[i]
		if s.Effect != iam.Allow {
			continue
		}
		principals := s.Principal
		if s.NotPrincipal != nil {
			principals = []iam.Principals{{Values: *one("*")}} // all but those that are listed
		}
		for _, p := range principals {
			for _, name := range p.Values.Values {
				if p.Kind == "Service" && allowed[name.Value] {
					continue
				}
				for _, request := range w.witnesses(q, p.Kind, name.Value) {
					v, ok := w.decide(request, &iam.PolicySet{Identity: []*iam.Policy{w.everything()}, Resource: trust})
					switch a := w.answer(q.Subject, v, ok); a.Truth {
					case estate.True:
						return check.Answer{Truth: estate.False, Reads: a.Reads}
					case estate.Maybe:
						result.Truth = estate.Maybe
						result.Missing = append(result.Missing, a.Missing...)
						result.Reads = append(result.Reads, a.Reads...)
					case estate.False:
					}
				}
			}
		}
	}
	return result
}

// witnesses are requests by which a principal that a trust policy names would
// assume the role.
func (w *world) witnesses(q *check.Question, kind, name string) []iam.RequestSpec {
	role := w.arn(q.Subject, q.View)
	by := func(principal, action string) []iam.RequestSpec {
		return []iam.RequestSpec{{Principal: principal, Action: action, Resource: role, ResourceAccount: w.account(q.Subject.Scope())}}
	}
	switch {
	case !strings.HasPrefix(name, "arn:") && len(iam.Holes(name)) > 0 && kind == "AWS" && !strings.HasPrefix(name, "\xffa"):
		somebody := "arn:aws:iam::" + strangerAccount + ":"
		return slices.Concat(by(somebody+"user/somebody", "sts:AssumeRole"), by(somebody+"oidc-provider/any", "sts:AssumeRoleWithWebIdentity"), by(somebody+"saml-provider/any", "sts:AssumeRoleWithSAML"))
	case kind == "Service":
		return by(name, "sts:AssumeRole")
	case kind == "Federated" && strings.Contains(name, ":saml-provider/"):
		return by(name, "sts:AssumeRoleWithSAML")
	case kind == "Federated":
		return by(name, "sts:AssumeRoleWithWebIdentity")
	case name == "*":
		return by("arn:aws:iam::"+strangerAccount+":user/somebody", "sts:AssumeRole")
	case strings.HasSuffix(name, ":root"):
		return by(strings.TrimSuffix(name, "root")+"user/somebody", "sts:AssumeRole")
	case !strings.HasPrefix(name, "arn:"):
		return by("arn:aws:iam::"+name+":user/somebody", "sts:AssumeRole")
	}
	return by(name, "sts:AssumeRole")
}

// adminProbes are changes of permissions of every kind, on resources that no
// policy names.
var adminProbes = []struct{ action, resource string }{
	{"iam:AttachRolePolicy", "role/assay-probe"}, {"iam:PutRolePolicy", "role/assay-probe"}, {"iam:UpdateAssumeRolePolicy", "role/assay-probe"},
	{"iam:CreatePolicyVersion", "policy/assay-probe"}, {"iam:PutUserPolicy", "user/assay-probe"}, {"iam:CreateAccessKey", "user/assay-probe"},
	{"iam:PassRole", "role/assay-probe"}, {"iam:DeleteRolePermissionsBoundary", "role/assay-probe"},
}

// administers asks for each probe; the first that is refused decides.
func (w *world) administers(q *check.Question) check.Answer {
	if a, ok := w.administrators[q.Subject]; ok && q.View.Plain() {
		return a
	}
	a := w.administersAll(q.Subject, q.View)
	if q.View.Plain() {
		w.administrators[q.Subject] = a
	}
	return a
}

func (w *world) administersAll(role *estate.Resource, view check.View) check.Answer {
	set := w.principal(role, view)
	prefix := "arn:" + w.partitionOf(role.Scope()) + ":iam::" + w.account(role.Scope()) + ":"
	result := check.Answer{Truth: estate.True}
	for _, p := range adminProbes {
		v, ok := w.decide(w.of(role, p.action, prefix+p.resource, view), &iam.PolicySet{Identity: set.identity, Boundary: set.boundary})
		a := w.answer(role, v, ok)
		if a.Truth == estate.False {
			return a
		}
		if result.Truth == estate.True {
			result.Reads = a.Reads
		}
		result.Truth = result.Truth.And(a.Truth)
		for _, g := range a.Missing {
			if !slices.Contains(result.Missing, g) {
				result.Missing = append(result.Missing, g)
			}
		}
	}
	return result
}

func (w *world) lets(q *check.Question) check.Answer {
	service, _ := q.Texts[0].Scalar()
	service = strings.ReplaceAll(service, "REGION", w.unknown(q.Subject.Scope(), estate.Unknown(estate.ReasonPseudoParameter, "AWS::Region")))
	action, _ := q.Texts[1].Scalar()
	source, _, held := w.target(q, 2)
	resource, called := w.arn(q.Subject, q.View), 3
	if q.Object != nil {
		called = 2
	}
	if called < len(q.Texts) {
		resource = w.functionARN(q.Scope, q.Texts[called], q.View)
	}
	spec := iam.RequestSpec{
		Principal: service, Action: action, Resource: resource, ResourceAccount: w.account(q.Subject.Scope()),
		Context: map[string][]string{"aws:SecureTransport": {"true"}},
	}
	switch {
	case source == "":
	case held != nil && held.Type == "AWS::Logs::LogGroup":
		spec.Context["kms:EncryptionContext:aws:logs:arn"] = []string{source}
		spec.Context["aws:SourceArn"] = []string{source}
	default:
		spec.Context["aws:SourceArn"] = []string{source}
	}
	switch parts := strings.SplitN(source, ":", 6); {
	case held != nil:
		spec.Context["aws:SourceAccount"] = []string{w.account(held.Scope())}
	case len(parts) == 6 && parts[4] != "":
		spec.Context["aws:SourceAccount"] = []string{parts[4]}
	}
	v, ok := w.decide(spec, &iam.PolicySet{Resource: w.resourcePolicy(q.Subject, q.View)})
	return w.answer(q.Subject, v, ok)
}
