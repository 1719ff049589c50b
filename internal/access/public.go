package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// door is one way to use a resource: an action on it, under settled keys.
type door struct {
	name     string // "direct invoke", "alias live", "url"
	action   string
	resource string
	context  map[string][]string
	signed   bool // AWS takes no such request without credentials
	// second is the other request that a call of a function URL stands for.
	second *door
}

// doorsOf are the actions by which others get at what a resource holds or does.
// signed are the services that take no request without credentials.
var doorsOf = map[string]struct {
	actions []string
	objects bool // of S3: the action is on objects
	signed  bool
}{
	"AWS::Lambda::LayerVersion":   {actions: []string{"lambda:GetLayerVersion"}, signed: true},
	"AWS::SQS::Queue":             {actions: []string{"sqs:SendMessage", "sqs:ReceiveMessage"}},
	"AWS::SNS::Topic":             {actions: []string{"sns:Publish", "sns:Subscribe"}},
	"AWS::KMS::Key":               {actions: []string{"kms:Decrypt", "kms:ReEncryptFrom", "kms:CreateGrant", "kms:PutKeyPolicy"}, signed: true},
	"AWS::S3::Bucket":             {actions: []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:PutBucketPolicy"}},
	"AWS::SecretsManager::Secret": {actions: []string{"secretsmanager:GetSecretValue"}, signed: true},
	"AWS::ECR::Repository":        {actions: []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:PutImage", "ecr:SetRepositoryPolicy"}, signed: true},
	"AWS::Events::EventBus":       {actions: []string{"events:PutEvents", "events:PutRule"}, signed: true},
	"AWS::Kinesis::Stream":        {actions: []string{"kinesis:GetRecords", "kinesis:PutRecord"}, signed: true},
	"AWS::DynamoDB::Table":        {actions: []string{"dynamodb:GetItem", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"}, signed: true},
	"AWS::Logs::Destination":      {actions: []string{"logs:PutSubscriptionFilter"}, signed: true},
	"AWS::Logs::ResourcePolicy":   {actions: []string{"logs:PutLogEvents"}, signed: true},
	"AWS::IAM::Role":              {actions: []string{"sts:AssumeRole"}, signed: true},
}

// trustKeys are what a caller who assumes a role has none of, or one of its own,
// unless its trust policy asks for it.
var trustKeys = map[string][]string{
	"sts:externalid": nil, "aws:multifactorauthpresent": nil, "aws:multifactorauthage": nil,
	"aws:principalorgid": {"o-stranger00"}, "aws:principalorgpaths": {"o-stranger00/r-stra/ou-stra-00000000/"},
}

// doors lists the ways to use a resource. gaps are why there may be others.
func (w *world) doors(r *estate.Resource, view check.View) (doors []door, gaps []estate.Gap) {
	if r.Type == "AWS::Lambda::Function" {
		return w.functionDoors(r, view)
	}
	kind, ok := doorsOf[r.Type]
	if !ok {
		return nil, nil
	}
	for _, action := range kind.actions {
		d := door{name: action, action: action, resource: w.arn(r, view), signed: kind.signed}
		switch r.Type {
		case "AWS::Logs::ResourcePolicy":
			d.resource = "" // it is of the account: any log group
		case "AWS::IAM::Role":
			d.context = map[string][]string{}
			if trust := w.resourcePolicy(r, view); trust != nil && trust.Document != nil {
				for _, s := range trust.Document.Statements {
					for _, c := range s.Condition {
						if value, ok := trustKeys[strings.ToLower(c.Key)]; ok {
							d.context[c.Key] = value
						}
					}
				}
			}
			// Long-term credentials have no key for the second factor, those of
			// a session without one say false.
			session := d
			session.name, session.context = "session without a second factor", maps.Clone(d.context)
			for key := range session.context {
				if strings.EqualFold(key, "aws:MultiFactorAuthPresent") {
					session.context[key] = []string{"false"}
				}
			}
			if !maps.EqualFunc(session.context, d.context, slices.Equal) {
				doors = append(doors, session)
			}
		}
		if r.Type == "AWS::S3::Bucket" && w.onObjects(action) {
			d.resource += "/" + w.hole(iam.NameHole, "object of "+r.ID, estate.Gap{Reason: "not known", Input: "key of the object"})
		}
		doors = append(doors, d)
	}
	return doors, nil
}

func (w *world) functionDoors(r *estate.Resource, view check.View) (doors []door, gaps []estate.Gap) {
	arn := w.arn(r, view)
	direct := func(name, resource string) door {
		return door{name: name, action: "lambda:InvokeFunction", resource: resource, signed: true, context: map[string][]string{"lambda:InvokedViaFunctionUrl": {"false"}}}
	}
	doors = append(doors, direct("direct invoke", arn))
	for _, edge := range []string{"aliases", "versions"} {
		qualified, more := view.Related(r, edge)
		gaps = append(gaps, more...)
		for _, q := range qualified {
			name := map[string]string{"aliases": "alias ", "versions": "version "}[edge] + q.LogicalID
			doors = append(doors, direct(name, w.arn(q, view)))
		}
	}
	urls, more := view.Related(r, "urls")
	gaps = append(gaps, more...)
	for _, u := range urls {
		d, open := w.urlDoor(u, arn, view)
		if open != nil {
			gaps = append(gaps, *open)
			continue
		}
		doors = append(doors, d)
	}
	return doors, gaps
}

// urlDoor is a function URL: a call of it stands for two requests.
func (w *world) urlDoor(u *estate.Resource, function string, view check.View) (door, *estate.Gap) {
	auth, open := view.Resolve(u.Properties.Field("AuthType"))
	kind, known := auth.Scalar()
	if open || !known {
		return door{}, &estate.Gap{Reason: "not decided", Input: "AuthType of " + u.LogicalID}
	}
	resource := function
	if v, open := view.Resolve(u.Properties.Field("Qualifier")); v != nil {
		if open {
			return door{}, &estate.Gap{Reason: "not decided", Input: v.Input()}
		}
		resource += ":" + w.text(u.Scope(), v, view)
	}
	signed := kind == "AWS_IAM"
	return door{
		name: "url " + u.LogicalID, action: "lambda:InvokeFunctionUrl", resource: resource, signed: signed,
		context: map[string][]string{"lambda:FunctionUrlAuthType": {kind}},
		second: &door{action: "lambda:InvokeFunction", resource: resource, signed: signed, context: map[string][]string{
			"lambda:InvokedViaFunctionUrl": {"true"},
		}},
	}, nil
}

// party is whom an exposure is about.
type party uint8

const (
	everybody party = iota
	callers         // who come with credentials of their own, or with none
	services        // of AWS, that act for others
)

// exposure answers who can come in by a door. A service takes a role from
// somebody of the role's own account who may pass it, and for no one else; what
// services may be made to do with it is servesStrangers' question.
func (w *world) exposure(r *estate.Resource, d door, rule iam.URLRule, of party, view check.View) iam.Exposure {
	ask := func(d *door) iam.Exposure {
		return iam.Public(iam.PublicQuestion{
			Action: d.action, Resource: d.resource, Owner: w.account(r.Scope()), Policy: w.resourcePolicy(r, view), Context: d.context, Signed: d.signed,
			NoServices: of == callers || r.Type == "AWS::IAM::Role" && of == everybody, NoCallers: of == services,
		}, w.data, iam.Limits{})
	}
	e := ask(&d)
	if d.second == nil || rule == iam.URLRuleExempt || e.AtMost == iam.ReachNobody {
		return e
	}
	second := ask(d.second)
	if second.Reach >= e.Reach && second.AtMost >= e.AtMost {
		return e
	}
	// Whoever comes in must be let in twice.
	both := e
	both.Reach, both.AtMost = min(e.Reach, second.Reach), min(e.AtMost, second.AtMost)
	both.Reason = cmp.Or(e.Reason, second.Reason)
	both.Ways = slices.DeleteFunc(slices.Clone(e.Ways), func(way iam.Way) bool { return way.Reach > both.AtMost })
	if rule == iam.URLRuleUnknown {
		both.AtMost, both.Ways = e.AtMost, e.Ways
		both.Reason = "the function's policy does not allow lambda:InvokeFunction as well, which an account that is exempt from the rule of October 2025 does not need"
	}
	if both.AtMost == both.Reach {
		both.Reason = ""
	}
	return both
}

// isOpenTo asks whether somebody of at least the named reach can use the
// resource by any of its doors, with credentials of its own or with none. What a
// policy holds to a network or to a secret does not count.
func (w *world) isOpenTo(q *check.Question) check.Answer {
	name, _ := q.Texts[0].Scalar()
	want := iam.ReachNobody
	for r := iam.ReachOrganization; r <= iam.ReachAnyone; r++ {
		if r.String() == name {
			want = r
		}
	}
	if want == iam.ReachNobody {
		return check.Answer{Missing: []estate.Gap{{Reason: "not a reach that is known", Input: name}}}
	}
	return w.reached(q, want, callers)
}

// reached asks whether one of a party has at least the reach.
func (w *world) reached(q *check.Question, want iam.Reach, of party) check.Answer {
	key := reachedKey{q.Subject, want, of}
	if a, ok := w.openTo[key]; ok && q.View.Plain() {
		return a
	}
	a := w.searchReach(q, want, of)
	if q.View.Plain() {
		w.openTo[key] = a
	}
	return a
}

// reachedKey is a question of who can use a resource.
type reachedKey struct {
	resource *estate.Resource
	want     iam.Reach
	of       party
}

func (w *world) searchReach(q *check.Question, want iam.Reach, of party) check.Answer {
	doors, gaps := w.doors(q.Subject, q.View)
	result := check.Answer{Truth: estate.False}
	for _, g := range gaps {
		result.Truth = estate.Maybe
		result.Missing = append(result.Missing, g)
	}
	for _, d := range doors {
		e := w.exposure(q.Subject, d, iam.URLRuleEnforced, of, q.View)
		switch {
		case e.Reach >= want:
			return check.Answer{Truth: estate.True, Reads: w.witnessReads(q.Subject, e, want, q.View)}
		case e.AtMost >= want:
			result.Truth = estate.Maybe
			result.Missing = append(result.Missing, estate.Gap{Reason: "not decided", Input: w.words("policy of " + q.Subject.LogicalID + ": " + e.Reason)})
		}
	}
	return result
}

// servesStrangers asks whether a service that the resource's policy lets in may
// act there for another account: any service, or, of a role, those in the list.
func (w *world) servesStrangers(q *check.Question) check.Answer {
	if q.Subject.Type != "AWS::IAM::Role" {
		return w.reached(q, iam.ReachAnyAccount, services)
	}
	trust := w.resourcePolicy(q.Subject, q.View)
	switch {
	case trust == nil:
		return check.Answer{Truth: estate.False}
	case trust.IsUnread():
		return check.Answer{Missing: []estate.Gap{{Reason: "policy that was not read", Input: trust.Name}}}
	}
	listed := map[string]bool{}
	for _, v := range q.Texts {
		s, _ := v.Scalar()
		listed[s] = true
	}
	// The trust policy with those services alone; what it denies stays.
	doc := &iam.Document{Version: trust.Document.Version}
	for _, s := range trust.Document.Statements {
		if s.Effect == iam.Allow {
			var kept []iam.Principals
			for _, p := range s.Principal {
				p.Values.Values = slices.DeleteFunc(slices.Clone(p.Values.Values), func(t iam.Text) bool { return p.Kind != "Service" || !listed[t.Value] })
				if len(p.Values.Values) > 0 {
					kept = append(kept, p)
				}
			}
			if s.Principal = kept; kept == nil {
				continue
			}
		}
		doc.Statements = append(doc.Statements, s)
	}
	policy := iam.Compile(trust.Name, doc, w.data)
	e := iam.Public(iam.PublicQuestion{
		Action: "sts:AssumeRole", Resource: w.arn(q.Subject, q.View), Owner: w.account(q.Subject.Scope()), Policy: policy, Signed: true, NoCallers: true,
	}, w.data, iam.Limits{})
	switch {
	case e.Reach >= iam.ReachAnyAccount:
		return check.Answer{Truth: estate.True, Reads: w.witnessReads(q.Subject, e, iam.ReachAnyAccount, q.View)}
	case e.AtMost >= iam.ReachAnyAccount:
		return check.Answer{Missing: []estate.Gap{{Reason: "not decided", Input: w.words("trust policy of " + q.Subject.LogicalID + ": " + e.Reason)}}}
	}
	return check.Answer{Truth: estate.False}
}

// trustsToken asks whether the role can be assumed with a token of an identity
// provider (Texts[0], its host) for a subject of a stranger (Texts[1]). What else
// such a token says of its bearer is a stranger's too; its audience is what the
// stranger asks for.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
func (w *world) trustsToken(q *check.Question) check.Answer {
	trust := w.resourcePolicy(q.Subject, q.View)
	switch {
	case trust == nil:
		return check.Answer{Truth: estate.False}
	case trust.IsUnread():
		return check.Answer{Missing: []estate.Gap{{Reason: "policy that was not read", Input: trust.Name}}}
	}
	issuer, _ := q.Texts[0].Scalar()
	subject, _ := q.Texts[1].Scalar()
	claims := map[string][]string{}
	var providers []string
	for _, s := range trust.Document.Statements {
		for _, c := range s.Condition {
			host, claim, found := strings.Cut(strings.ToLower(c.Key), ":")
			switch {
			case !found || host != strings.ToLower(issuer) || claim == "aud":
			case claim == "sub":
				claims[c.Key] = []string{subject}
			default:
				claims[c.Key] = []string{probeName}
			}
		}
		for _, p := range s.Principal {
			for _, t := range p.Values.Values {
				if s.Effect == iam.Allow && strings.HasSuffix(t.Value, "oidc-provider/"+issuer) && !slices.Contains(providers, t.Value) {
					providers = append(providers, t.Value)
				}
			}
		}
	}
	result := check.Answer{Truth: estate.False}
	for _, provider := range providers {
		ask := iam.Ask{
			Spec: iam.RequestSpec{Principal: provider, Action: "sts:AssumeRoleWithWebIdentity", Resource: w.arn(q.Subject, q.View), ResourceAccount: w.account(q.Subject.Scope()), Context: claims},
			Set:  &iam.PolicySet{Resource: trust},
		}
		a := w.proved(q.Subject, iam.Find([]iam.Ask{ask}, "", w.data, iam.Limits{}), ask.Set)
		if a.Truth == estate.True {
			return a
		}
		result = either(result, a)
	}
	return result
}

// witnessReads shows the request that a caller of the reach gets through with.
func (w *world) witnessReads(r *estate.Resource, e iam.Exposure, want iam.Reach, view check.View) []check.Read {
	for _, way := range e.Ways {
		if way.Reach < want || len(way.Narrowed) > 0 {
			continue
		}
		request, err := iam.NewRequest(way.Witness, w.data)
		if err != nil {
			continue
		}
		set := &iam.PolicySet{Identity: []*iam.Policy{w.everything()}, Resource: w.resourcePolicy(r, view)}
		return w.reads(r, verdict{way.Witness, iam.Outline(request, set, iam.Documents)})
	}
	return nil
}

// Opening says who can use a resource of the estate by one of its doors.
type Opening struct {
	Resource *estate.Resource
	Door     string
	Action   string
	Exposure iam.Exposure
	Words    func(string) string // writes a text of the exposure for a person
}

// Public says for every resource that others may be let in to, or for those at
// the addresses, who that is.
func (a *Access) Public(scopes []*estate.Scope, addresses []string, rule iam.URLRule) ([]Opening, []estate.Gap, error) {
	w := a.world()
	view := &undecided{}
	var list []*estate.Resource
	for _, address := range addresses {
		r, rest, err := lookup(scopes, address)
		if err != nil {
			return nil, nil, err
		}
		if r == nil || rest != "" {
			return nil, nil, noSuch(address)
		}
		list = append(list, r)
	}
	if len(addresses) == 0 {
		for _, s := range scopes {
			for _, r := range s.Resources() {
				if _, ok := doorsOf[r.Type]; ok || r.Type == "AWS::Lambda::Function" {
					list = append(list, r)
				}
			}
		}
	}
	var out []Opening
	var gaps []estate.Gap
	for _, r := range list {
		doors, more := w.doors(r, view)
		gaps = append(gaps, more...)
		of := everybody
		if r.Type == "AWS::IAM::Role" {
			of = callers // a service takes a role of the account that it acts for, by iam:PassRole
		}
		for _, d := range doors {
			out = append(out, Opening{Resource: r, Door: d.name, Action: d.action, Exposure: w.exposure(r, d, rule, of, view), Words: w.words})
		}
	}
	return out, gaps, nil
}
