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
		"aws:sourceorgid": {"o-stranger00"}, "aws:sourceorgpaths": {"o-stranger00/r-stra/ou-stra-00000000/"}, "aws:sourceaccount": {strangersAccount},
	}
	noSourceOrganization = map[string][]string{"aws:sourceorgid": nil, "aws:sourceorgpaths": nil, "aws:sourceaccount": {strangersAccount}}
	// network are the keys that hold a caller to a place or to a secret.
	network = map[string][]string{
		"aws:sourceip": {"198.18.7.7"}, "aws:sourcevpc": nil, "aws:sourcevpce": nil, "aws:vpcsourceip": nil, "aws:sourcevpcarn": nil,
		"lambda:eventsourcetoken": {"a guess"},
	}
)

// Public answers who outside of its account can use a resource by an action that
// its policy lets in. resource is its ARN. Callers are taken to be allowed by
// their own accounts everything. The verdict follows the conditions: one that
// every caller can meet narrows nothing. A service that the policy names lets in
// whoever can have it act, unless the policy binds the account or the resource
// that it acts for; buckets that the policy names in full are taken to be the
// owner's.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func Public(action, resource, owner string, policy *Policy, context map[string][]string, data *Data, limits Limits) Exposure {
	limits = limits.orDefault()
	work := limits.Work
	q := &publicQuestion{action: action, resource: resource, owner: owner, policy: policy, context: context, data: data, limits: limits, work: &work}
	if policy == nil {
		return q.out
	}
	if policy.unread {
		return Exposure{AtMost: ReachAnyone, Reason: "the policy was not read: " + policy.Name}
	}
	callers, canonicalUsers := callersOf(policy)
	if canonicalUsers {
		q.doubt(ReachAccounts, "canonical users as principals are outside of the model")
	}
	sources := q.sources()
	for _, c := range callers {
		who, _ := ParseCaller(c.principal)
		switch {
		case who.Kind == Anonymous:
			q.ask(c, ReachAnyone, Way{}, network)
			q.ask(c, ReachAnyone, Way{Narrowed: q.narrowing()})
		case who.Kind == Service:
			q.service(c, who.Name, sources)
		case who.Kind == Federated:
			q.ask(c, ReachAccounts, Way{Account: "users of " + c.principal})
		case who.Account == strangersAccount:
			for _, organization := range []map[string][]string{strangersOrganization, noOrganization} {
				q.ask(c, ReachAnyAccount, Way{}, organization, network)
				q.ask(c, ReachAnyAccount, Way{Narrowed: q.narrowing()}, organization)
			}
			if q.names("aws:principalorgid") || q.names("aws:principalorgpaths") {
				q.ask(c, ReachOrganization, Way{}, network)
				q.ask(c, ReachOrganization, Way{Narrowed: q.narrowing()})
			}
		case who.Account != owner:
			q.ask(c, ReachAccounts, Way{Account: who.Account})
		}
	}
	q.out.AtMost = max(q.out.AtMost, q.out.Reach)
	if q.out.AtMost == q.out.Reach {
		q.out.Reason = ""
	}
	return q.out
}

// publicQuestion asks who can use a resource.
type publicQuestion struct {
	action, resource, owner string
	policy                  *Policy
	context                 map[string][]string
	data                    *Data
	limits                  Limits
	work                    *int
	out                     Exposure
}

func (q *publicQuestion) doubt(r Reach, reason string) {
	if r > q.out.AtMost {
		q.out.AtMost, q.out.Reason = r, reason
	}
}

// ask looks for a request of a caller with some keys settled.
func (q *publicQuestion) ask(c callerClass, reach Reach, way Way, settled ...map[string][]string) {
	q.askFor(c, nil, reach, way, settled...)
}

func (q *publicQuestion) askFor(c callerClass, forms map[string]keyForm, reach Reach, way Way, settled ...map[string][]string) {
	if len(way.Narrowed) == 0 && reach <= q.out.Reach && reach != ReachAccounts {
		return
	}
	for _, w := range q.out.Ways {
		if w.Reach >= reach && reach != ReachAccounts && (len(w.Narrowed) == 0 || len(way.Narrowed) > 0) || w.Reach == reach && w.Account == way.Account && w.Through == way.Through && len(w.Narrowed) <= len(way.Narrowed) {
			return
		}
	}
	spec := RequestSpec{Principal: c.principal, Action: q.action, Resource: q.resource, ResourceAccount: q.owner, Context: map[string][]string{}}
	for _, s := range settled {
		for k, v := range s {
			if q.names(k) {
				spec.Context[k] = v
			}
		}
	}
	for k, v := range q.context {
		spec.Context[lower(k)] = v
	}
	f := finder{asks: []Ask{{Spec: spec, Set: &PolicySet{Identity: []*Policy{allowAll}, Resource: q.policy}, wide: c.wide, forms: forms}}, data: q.data, limits: q.limits, work: q.work}
	switch _, p := f.run(); p.Verdict {
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

// names reports whether the policy has a condition on a key.
func (q *publicQuestion) names(key string) bool {
	for i := range q.policy.statements {
		for j := range q.policy.statements[i].conditions {
			if q.policy.statements[i].conditions[j].key == key {
				return true
			}
		}
	}
	return false
}

// narrowing are the keys of the policy that hold callers to a place or a secret.
func (q *publicQuestion) narrowing() (keys []string) {
	for k := range network {
		if q.names(k) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// sources are what the policy says of the resources that services act for: the
// accounts, and the ARNs that are written in full.
func (q *publicQuestion) sources() (out struct {
	accounts []string
	exact    []*word
}) {
	note := func(account string) {
		if account != "" && account != q.owner && (isAccountID(account) || len(Holes(account)) > 0) && !slices.Contains(out.accounts, account) {
			out.accounts = append(out.accounts, account)
		}
	}
	var none variables
	for i := range q.policy.statements {
		for j := range q.policy.statements[i].conditions {
			c := &q.policy.statements[i].conditions[j]
			for _, v := range c.source.Values.Values {
				switch c.key {
				case "aws:sourceaccount":
					note(v.Value)
				case "aws:sourcearn":
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
func (q *publicQuestion) service(c callerClass, name string, sources struct {
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
		return []map[string]keyForm{
			{"aws:sourcearn": {form: newWord(inAccount, true)}},
			{"aws:sourcearn": {form: newWord(nowhere, true), avoid: sources.exact}},
		}
	}
	for _, forms := range of(strangersAccount) {
		for _, source := range []map[string][]string{strangersSource, noSourceOrganization} {
			q.askFor(c, forms, ReachAnyAccount, Way{Through: name}, source, network)
			q.askFor(c, forms, ReachAnyAccount, Way{Through: name, Narrowed: q.narrowing()}, source)
		}
		if q.names("aws:sourceorgid") || q.names("aws:sourceorgpaths") {
			q.askFor(c, forms, ReachOrganization, Way{Through: name}, map[string][]string{"aws:sourceaccount": {strangersAccount}})
		}
	}
	for _, account := range sources.accounts {
		for _, forms := range of(account) {
			q.askFor(c, forms, ReachAccounts, Way{Through: name, Account: account}, map[string][]string{"aws:sourceaccount": {account}})
		}
	}
}
