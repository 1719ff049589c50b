package iam

import (
	"slices"
	"strings"
)

// Reach is who can use a resource, beside its own account.
type Reach uint8

// The reaches, each wider than the one before.
const (
	ReachNobody       Reach = iota // nobody else
	ReachOrganization              // accounts of organisations that the policy names
	ReachAccounts                  // accounts that the policy names
	ReachAnyAccount                // every AWS account
	ReachAnyone                    // callers without credentials too
)

func (r Reach) String() string {
	return [...]string{"nobody-else", "organization", "named-accounts", "any-account", "anyone"}[r]
}

// Way is one way in which others can use a resource.
type Way struct {
	Reach Reach
	// Narrowed lists the keys by which the policy holds callers to a place or a
	// secret that they cannot make up, such as aws:SourceIp.
	Narrowed []string
	// Through is the service that acts for the other account.
	Through string
	Account string // of ReachAccounts
	Witness RequestSpec
}

// Exposure is who can use a resource by one action.
type Exposure struct {
	Reach Reach // the widest of what is certain and not narrowed
	// AtMost is the widest that could not be ruled out; Reason says why it could
	// not. Without a reason it is Reach.
	AtMost Reach
	Reason string
	Ways   []Way
}

// What the requests of strangers have in keys that they cannot choose. A stranger's
// account may be in an organisation of its own, or in none.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
var (
	strangersOrganization = map[string][]string{
		"aws:principalorgid": {"o-stranger00"}, "aws:principalorgpaths": {"o-stranger00/r-stra/ou-stra-00000000/"}, "aws:userid": {"AROASTRANGER000000000:somebody"},
	}
	noOrganization  = map[string][]string{"aws:principalorgid": nil, "aws:principalorgpaths": nil, "aws:userid": {"AROASTRANGER000000000:somebody"}}
	strangersSource = map[string][]string{
		"aws:sourceorgid": {"o-stranger00"}, "aws:sourceorgpaths": {"o-stranger00/r-stra/ou-stra-00000000/"},
	}
	noSourceOrganization = map[string][]string{"aws:sourceorgid": nil, "aws:sourceorgpaths": nil}
	// network are the keys that hold a caller to a place or to a secret.
	network = map[string][]string{
		"aws:sourceip": {"198.18.7.7"}, "aws:sourcevpc": nil, "aws:sourcevpce": nil, "aws:vpcsourceip": nil, "aws:sourcevpcarn": nil,
		"lambda:eventsourcetoken": {"a guess"},
	}
)

// PublicQuestion is what [Public] is asked.
type PublicQuestion struct {
	Action string
	// Resource is an ARN; "" asks for any.
	Resource string
	Owner    string // the resource's account
	Policy   *Policy
	// Context settles condition keys.
	Context map[string][]string
	// Signed: AWS takes no such request without credentials.
	Signed bool
	// NoServices leaves out services that act for others, NoCallers all else.
	NoServices, NoCallers bool
}

// Public answers who outside of its account can use a resource by an action that
// its policy lets in. Callers are taken to be allowed by their own accounts
// everything. The verdict follows the conditions: one that
// every caller can meet narrows nothing. A service that the policy names lets in
// whoever can have it act, unless the policy binds the account or the resource
// that it acts for; buckets that the policy names in full are taken to be the
// owner's.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func Public(question PublicQuestion, data *Data, limits Limits) Exposure {
	limits = limits.orDefault()
	work := limits.Work
	q := &publicSearch{PublicQuestion: question, data: data, limits: limits, work: &work}
	if q.Policy == nil {
		return q.out
	}
	if q.Policy.unread {
		return Exposure{AtMost: ReachAnyone, Reason: "the policy was not read: " + q.Policy.Name}
	}
	if !q.grants() {
		return q.out
	}
	q.stranger, _ = accountsBeside(q.Policy)
	if hasHole(q.Owner) {
		q.stranger = unlikeAccount // it must be told apart from one that is not known
	}
	callers, outside := callersOf(q.stranger, q.Policy)
	if outside != "" {
		q.doubt(ReachAccounts, outside)
	}
	sources := q.sources()
	// Callers of their own before services that act for others, so that the plainer
	// way is told.
	for _, services := range []bool{false, true} {
		for _, c := range callers {
			who, _ := ParseCaller(c.principal)
			switch {
			case services != (who.Kind == Service), services && q.NoServices, !services && q.NoCallers, !q.addresses(who):
			case services:
				q.service(c, who.Name, sources)
			default:
				q.caller(c, who)
			}
		}
	}
	q.out.AtMost = max(q.out.AtMost, q.out.Reach)
	if q.out.AtMost == q.out.Reach {
		q.out.Reason = ""
	}
	return q.out
}

// caller asks whether a caller of its own may come in.
func (q *publicSearch) caller(c callerClass, who Caller) {
	// SNS gives the caller's account in a key of its own, which its default policy
	// asks for.
	// source: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
	owner := map[string][]string{"aws:sourceowner": {who.Account}}
	switch {
	case who.Kind == Anonymous && q.Signed:
	case who.Kind == Anonymous:
		owner["aws:sourceowner"] = nil
		q.ask(c, ReachAnyone, Way{}, owner, network)
		q.narrowed(c, ReachAnyone, owner)
	case who.Kind == Federated:
		q.ask(c, ReachAccounts, Way{Account: "users of " + c.principal})
	case who.Account == q.stranger:
		for _, organization := range q.distinct(strangersOrganization, noOrganization) {
			q.ask(c, ReachAnyAccount, Way{}, owner, organization, network)
			q.narrowed(c, ReachAnyAccount, owner, organization)
		}
		if q.names("aws:principalorgid")+q.names("aws:principalorgpaths") != "" {
			q.ask(c, ReachOrganization, Way{}, owner, network)
			q.narrowed(c, ReachOrganization, owner)
		}
	case who.Account != q.Owner || q.Owner == "":
		before := q.out
		q.ask(c, ReachAccounts, Way{Account: who.Account}, owner)
		if hasHole(who.Account) && q.Owner != "" && len(q.out.Ways) > len(before.Ways) {
			q.out = before
			q.doubt(ReachAccounts, "an account that the policy names is not known, and may be the own one")
		}
	}
}

// grants reports whether some Allow of the policy may be for the action.
func (q *publicSearch) grants() bool {
	sc, err := Ask{Spec: RequestSpec{Principal: AnonymousCaller, Action: q.Action, Resource: q.Resource, ResourceAccount: q.Owner}}.scene(q.data)
	if err != nil {
		return true // asking says what is wrong
	}
	ev := &evaluator{req: sc.base, refuseShort: true}
	for i := range q.Policy.statements {
		s := &q.Policy.statements[i]
		if !s.deny && s.matchAction(sc.base, ev) != no && (q.Resource == "" || s.matchResource(sc.base, ev) != no) {
			return true
		}
	}
	return false
}

// addresses reports whether some Allow of the policy may be for a caller: most
// policies are for one or two of them, and no request of the others need be made.
func (q *publicSearch) addresses(who Caller) bool {
	ev := &evaluator{req: &Request{caller: who, complete: true}}
	return slices.ContainsFunc(q.Policy.statements, func(s statement) bool { return !s.deny && s.matchPrincipal(ev).any() != no })
}

// narrowed asks for a way in from a network, or with a secret, of the policy's
// choice.
func (q *publicSearch) narrowed(c callerClass, reach Reach, settled ...map[string][]string) {
	if keys := q.narrowing(); len(keys) > 0 {
		q.ask(c, reach, Way{Narrowed: keys}, settled...)
	}
}

// distinct are the settings that the policy tells apart, or the first.
func (q *publicSearch) distinct(settings ...map[string][]string) []map[string][]string {
	for key := range settings[0] {
		if q.names(key) != "" {
			return settings
		}
	}
	return settings[:1]
}

// publicSearch asks who can use a resource.
type publicSearch struct {
	PublicQuestion
	data   *Data
	limits Limits
	work   *int
	out    Exposure
	// stranger is an account that has nothing to do with the resource.
	stranger string
}

func (q *publicSearch) doubt(r Reach, reason string) {
	if r > q.out.AtMost {
		q.out.AtMost, q.out.Reason = r, reason
	}
}

// ask looks for a request of a caller with some keys settled.
func (q *publicSearch) ask(c callerClass, reach Reach, way Way, settled ...map[string][]string) {
	q.askFor(c, nil, reach, way, settled...)
}

func (q *publicSearch) askFor(c callerClass, forms map[string]keyForm, reach Reach, way Way, settled ...map[string][]string) {
	if len(way.Narrowed) == 0 && reach <= q.out.Reach && reach != ReachAccounts {
		return
	}
	for _, w := range q.out.Ways {
		if w.Reach >= reach && reach != ReachAccounts && (len(w.Narrowed) == 0 || len(way.Narrowed) > 0) || w.Reach == reach && w.Account == way.Account && w.Through == way.Through && len(w.Narrowed) <= len(way.Narrowed) {
			return
		}
	}
	spec := RequestSpec{Principal: c.principal, Action: q.Action, Resource: q.Resource, ResourceAccount: q.Owner, Context: map[string][]string{}}
	for _, s := range settled {
		for k, v := range s {
			if spelt := q.names(k); spelt != "" {
				spec.Context[spelt] = v
			}
		}
	}
	for k, v := range q.Context {
		spec.Context[k] = v
	}
	f := finder{asks: []Ask{{Spec: spec, Set: allowedAll(c.principal, q.Policy), wide: c.wide(), forms: forms, foreign: true}}, data: q.data, limits: q.limits, work: q.work}
	switch p := f.run(); p.Verdict {
	case Refuted:
		way.Reach, way.Witness = reach, p.Witness[0]
		q.out.Ways = append(q.out.Ways, way)
		if len(way.Narrowed) == 0 {
			q.out.Reach = max(q.out.Reach, reach)
		}
	case Undecided:
		q.doubt(reach, p.Reason)
	default:
	}
}

// names is a key as the policy writes it, or "" where no condition is on it.
func (q *publicSearch) names(key string) string {
	for i := range q.Policy.statements {
		for j := range q.Policy.statements[i].conditions {
			if c := &q.Policy.statements[i].conditions[j]; c.key == key {
				return c.source.Key
			}
		}
	}
	return ""
}

// narrowing are the keys of the policy that hold callers to a place or a secret.
func (q *publicSearch) narrowing() (keys []string) {
	for k := range network {
		if spelt := q.names(k); spelt != "" {
			keys = append(keys, spelt)
		}
	}
	slices.Sort(keys)
	return keys
}

// sources are what the policy says of the resources that services act for: the
// accounts, and the ARNs that are written in full.
func (q *publicSearch) sources() (out struct {
	accounts []string
	exact    []*word
}) {
	note := func(account string) {
		if account != "" && account != q.Owner && (isAccountID(account) || len(Holes(account)) > 0) && !slices.Contains(out.accounts, account) {
			out.accounts = append(out.accounts, account)
		}
	}
	var none variables
	for i := range q.Policy.statements {
		for j := range q.Policy.statements[i].conditions {
			c := &q.Policy.statements[i].conditions[j]
			for _, v := range c.source.Values.Values {
				switch c.key {
				case "aws:sourceaccount":
					note(v.Value)
				case "aws:sourcearn":
					if isIdentity(v.Value) { // of the same estate
						out.exact = append(out.exact, newWord(symbols(nil, v.Value), false))
						continue
					}
					parts := strings.SplitN(v.Value, ":", 6)
					if len(parts) < 6 {
						continue
					}
					note(parts[4])
					if a := compileARN(v.Value, patternForm{wildcards: true}); parts[4] == "" {
						if w, open := none.arn(&a); !open && w != nil && (w.exact || parts[2] == "s3" && strings.Contains(parts[5], "/")) {
							out.exact = append(out.exact, w)
						}
					}
				default:
				}
			}
		}
	}
	return out
}

// service asks whether a service lets in whoever has it act.
func (q *publicSearch) service(c callerClass, name string, sources struct {
	accounts []string
	exact    []*word
}) {
	of := func(account string) []map[string]keyForm {
		colon := symbol{0, ':'}
		run := symbol{segmentRun, 0}
		inAccount := []symbol{run, colon, run, colon, run, colon, run, colon}
		inAccount = append(append(symbols(inAccount, account), colon), symbol{'*', 0})
		nowhere := append(symbols([]symbol{run, colon}, ""), run, colon)
		nowhere = append(nowhere, run, colon, run, colon, colon, symbol{'*', 0})
		if q.names("aws:sourcearn") == "" {
			return []map[string]keyForm{nil}
		}
		return []map[string]keyForm{
			{"aws:sourcearn": {form: newWord(inAccount, true), avoid: sources.exact}},
			{"aws:sourcearn": {form: newWord(nowhere, true), avoid: sources.exact}},
		}
	}
	account := map[string][]string{"aws:sourceaccount": {q.stranger}, "kms:calleraccount": {q.stranger}, "aws:sourceowner": {q.stranger}}
	for _, forms := range of(q.stranger) {
		for _, source := range q.distinct(strangersSource, noSourceOrganization) {
			q.askFor(c, forms, ReachAnyAccount, Way{Through: name}, account, source, network)
			if keys := q.narrowing(); len(keys) > 0 {
				q.askFor(c, forms, ReachAnyAccount, Way{Through: name, Narrowed: keys}, account, source)
			}
		}
		if q.names("aws:sourceorgid")+q.names("aws:sourceorgpaths") != "" {
			q.askFor(c, forms, ReachOrganization, Way{Through: name}, account)
		}
	}
	for _, account := range sources.accounts {
		for _, forms := range of(account) {
			q.askFor(c, forms, ReachAccounts, Way{Through: name, Account: account}, map[string][]string{"aws:sourceaccount": {account}, "kms:calleraccount": {account}, "aws:sourceowner": {account}})
		}
	}
}
