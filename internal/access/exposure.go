package access

import (
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// way is one way in to a function, and whom it lets in.
type way struct {
	exposure check.Exposure
	answer   check.Answer
}

// reachedBy asks whether callers of a kind, or of a wider one, can call the
// function. It looks at URLs, permissions, REST and HTTP APIs, GraphQL APIs and
// load balancers; what else may lead to a function is not asked.
func (w *world) reachedBy(q *check.Question) check.Answer {
	asked := slices.Index(check.Exposures, check.Exposure(q.Texts[0].AsString()))
	if asked < 0 {
		return check.Answer{Missing: []estate.Gap{{Reason: "not an exposure that is known", Input: q.Texts[0].String()}}}
	}
	result := check.Answer{Truth: estate.False}
	for _, way := range w.ways(q) {
		if slices.Index(check.Exposures, way.exposure) > asked {
			continue
		}
		switch way.answer.Truth {
		case estate.True:
			return way.answer
		case estate.Maybe:
			result.Truth = estate.Maybe
			result.Missing = append(result.Missing, way.answer.Missing...)
		case estate.False:
		}
		result.Reads = append(result.Reads, way.answer.Reads...)
	}
	return result
}

// ways are the ways in to a function.
func (w *world) ways(q *check.Question) []way {
	if w.exposed.function == q.Subject && q.View.Plain() {
		return w.exposed.ways // each is asked for several exposures, one after the other
	}
	f := q.Subject
	var all []way
	add := func(exposure check.Exposure, a check.Answer) {
		if a.Truth != estate.False {
			all = append(all, way{exposure, a})
		}
	}
	each := func(edge string, ask func(r *estate.Resource)) {
		found, gaps := q.View.Related(f, edge)
		for _, r := range found {
			ask(r)
		}
		if len(gaps) > 0 {
			add(check.Internet, check.Answer{Truth: estate.Maybe, Missing: gaps})
		}
	}
	each("urls", func(url *estate.Resource) {
		signed := equals(q.View, url, "AuthType", "AWS_IAM")
		if signed == estate.True {
			return
		}
		// Not all accounts are under the rule that asks for a second permission.
		a := w.answersAnyone(&check.Question{Kind: check.AnswersAnyone, Subject: url, Scope: url.Scope(), View: q.View})
		a.Truth = a.Truth.And(signed.Not())
		a.Reads = reading(url, "AuthType")
		if a.Truth == estate.Maybe && len(a.Missing) == 0 {
			a.Missing = []estate.Gap{{Reason: "not decided", Input: "AuthType of " + url.Address}}
		}
		add(check.Internet, a)
	})
	w.byPolicy(f, q.View, add)
	each("restMethods", func(m *estate.Resource) { w.restMethod(m, q.View, add) })
	each("httpIntegrations", func(i *estate.Resource) { w.httpIntegration(i, q.View, add) })
	each("restDefinitions", func(api *estate.Resource) { w.definition(f, api, q.View, add) })
	each("httpDefinitions", func(api *estate.Resource) { w.definition(f, api, q.View, add) })
	each("dataSources", func(source *estate.Resource) {
		apis, _ := q.View.Related(source, "graphqlApis")
		for _, api := range apis {
			open(q.View, api, "AuthenticationType", "API_KEY", "", add)
		}
	})
	each("targetGroups", func(g *estate.Resource) { w.targetGroup(g, q.View, add) })
	if q.View.Plain() {
		w.exposed.function, w.exposed.ways = f, all
	}
	return all
}

// byPolicy adds what policies let in, by the doors of the function itself.
func (w *world) byPolicy(f *estate.Resource, view check.View, add func(check.Exposure, check.Answer)) {
	wide := map[iam.Reach]check.Exposure{
		iam.ReachOrganization: check.Outside, iam.ReachAccounts: check.Outside, iam.ReachAnyAccount: check.AnyAccount, iam.ReachAnyone: check.Internet,
	}
	doors, gaps := w.doors(f, view)
	if len(gaps) > 0 {
		add(check.Internet, check.Answer{Truth: estate.Maybe, Missing: gaps})
	}
	for _, d := range doors {
		e := w.exposure(f, d, iam.URLRuleEnforced, everybody, view)
		if e.Reach > iam.ReachNobody {
			add(wide[e.Reach], check.Answer{Truth: estate.True, Reads: w.witnessReads(f, e, e.Reach, view)})
		}
		if e.AtMost > e.Reach {
			add(wide[e.AtMost], check.Answer{Truth: estate.Maybe, Missing: []estate.Gap{{Reason: "not decided", Input: w.words("policy of " + f.LogicalID + ": " + e.Reason)}}})
		}
	}
}

func reading(r *estate.Resource, property string) []check.Read {
	return []check.Read{{Resource: r, Path: property, Value: r.Properties.Path(property)}}
}

// equals compares a property of a resource with a text; an absent one is "".
func equals(view check.View, r *estate.Resource, property, text string) estate.Truth {
	v, open := view.Resolve(r.Properties.Path(property))
	switch {
	case open:
		return estate.Maybe
	case v == nil:
		return estate.TruthOf(text == "")
	case v.Kind() == estate.KindString:
		return estate.TruthOf(strings.EqualFold(v.AsString(), text))
	}
	return estate.Matches(v, estate.String(text))
}

// open adds a way in: to the internet where a property says that nobody has to
// prove who they are, to those outside where it says that they do. fallback is
// what an absent property means.
func open(view check.View, r *estate.Resource, property, free, fallback string, add func(check.Exposure, check.Answer)) {
	t := equals(view, r, property, free)
	if r.Properties.Path(property) == nil {
		t = estate.TruthOf(fallback == free)
	}
	reads := reading(r, property)
	missing := []estate.Gap{{Reason: "not decided", Input: property + " of " + r.Address}}
	switch t {
	case estate.True:
		add(check.Internet, check.Answer{Truth: estate.True, Reads: reads})
	case estate.False:
		add(check.Outside, check.Answer{Truth: estate.True, Reads: reads})
	case estate.Maybe:
		add(check.Internet, check.Answer{Truth: estate.Maybe, Reads: reads, Missing: missing})
		add(check.Outside, check.Answer{Truth: estate.True, Reads: reads})
	}
}

// restMethod is a method of a REST API that calls the function.
func (w *world) restMethod(m *estate.Resource, view check.View, add func(check.Exposure, check.Answer)) {
	apis, gaps := view.Related(m, "restApis")
	for _, api := range apis {
		switch isPrivate(view, api) {
		case estate.True:
			return
		case estate.Maybe:
			gaps = append(gaps, estate.Gap{Reason: "not decided", Input: "EndpointConfiguration of " + api.Address})
		case estate.False:
		}
		if api.Properties.Field("Policy") != nil {
			gaps = append(gaps, estate.Gap{Reason: "the policy of the API may refuse callers", Input: "Policy of " + api.Address})
		}
	}
	key, _ := view.Resolve(m.Properties.Field("ApiKeyRequired"))
	open(view, m, "AuthorizationType", "NONE", "NONE", func(exposure check.Exposure, a check.Answer) {
		if exposure == check.Internet && key.AsBool() {
			exposure = check.Outside // no proof of who calls, but not everyone has a key
		}
		if len(gaps) > 0 && a.Truth == estate.True {
			a.Truth, a.Missing = estate.Maybe, gaps
		}
		add(exposure, a)
	})
}

func isPrivate(view check.View, api *estate.Resource) estate.Truth {
	v, undecided := view.Resolve(api.Properties.Path("EndpointConfiguration.Types"))
	if undecided || v != nil && v.Kind() != estate.KindList {
		return estate.Maybe
	}
	t := estate.False
	for _, item := range v.Items() {
		t = t.Not().And(estate.Matches(item, estate.String("PRIVATE")).Not()).Not()
	}
	return t
}

// httpIntegration is an integration of an HTTP or WebSocket API: the routes that
// lead to it decide. A route whose target is not known may.
func (w *world) httpIntegration(i *estate.Resource, view check.View, add func(check.Exposure, check.Answer)) {
	apis, gaps := view.Related(i, "httpApis")
	for _, api := range apis {
		routes, more := view.Related(api, "routes")
		gaps = append(gaps, more...)
		for _, route := range routes {
			target, undecided := view.Resolve(route.Properties.Field("Target"))
			leads := refersTo(target, i)
			if undecided && leads == estate.False {
				leads = estate.Maybe
			}
			if leads == estate.False {
				continue
			}
			open(view, route, "AuthorizationType", "NONE", "NONE", func(exposure check.Exposure, a check.Answer) {
				if leads == estate.Maybe {
					a.Truth, a.Missing = estate.Maybe, []estate.Gap{{Reason: "not decided", Input: "Target of " + route.Address}}
				}
				add(exposure, a)
			})
		}
	}
	if len(gaps) > 0 {
		add(check.Internet, check.Answer{Truth: estate.Maybe, Missing: gaps})
	}
}

// refersTo reports whether a value is, or holds, a reference to one of some
// resources; what is not known of it may.
func refersTo(v *estate.Value, resources ...*estate.Resource) estate.Truth {
	result := estate.False
	v.Each(func(x *estate.Value) bool {
		switch {
		case x.Kind() == estate.KindReference && slices.ContainsFunc(resources, func(r *estate.Resource) bool {
			return x.Reference().Resource == r.LogicalID || x.Reference().Resource == r.ID
		}):
			result = estate.True
		case x.Kind() == estate.KindOneOf, (x.Kind() == estate.KindUnknown || x.Kind() == estate.KindDenied) && x.Gap().Reason != estate.ReasonPseudoParameter:
			result = estate.Maybe
		}
		return result != estate.True
	})
	return result
}

// definition is an API that is given as an OpenAPI document: the operations that
// call the function decide.
func (w *world) definition(f, api *estate.Resource, view check.View, add func(check.Exposure, check.Answer)) {
	if private := isPrivate(view, api); private == estate.True {
		return
	}
	if api.Properties.Field("Target") != nil { // quick create: one route for everything
		add(check.Internet, check.Answer{Truth: estate.True, Reads: reading(api, "Target")})
		return
	}
	names := []*estate.Resource{f}
	for _, edge := range []string{"aliases", "versions"} {
		more, _ := view.Related(f, edge)
		names = append(names, more...)
	}
	body, _ := view.Resolve(api.Properties.Field("Body"))
	paths, _ := view.Resolve(body.Field("paths"))
	for _, path := range paths.Fields() {
		operations, _ := view.Resolve(path.Value)
		for _, o := range operations.Fields() {
			operation, _ := view.Resolve(o.Value)
			integration, _ := view.Resolve(operation.Field("x-amazon-apigateway-integration"))
			switch refersTo(integration.Field("uri"), names...) {
			case estate.False:
				continue
			case estate.Maybe:
				add(check.Internet, check.Answer{Truth: estate.Maybe, Missing: []estate.Gap{{Reason: "not decided", Input: "integration of " + o.Name + " " + path.Name + " of " + api.Address}}})
				continue
			case estate.True:
			}
			reads := []check.Read{{Resource: api, Path: "Body.paths." + path.Name + "." + o.Name, Value: estate.String(strings.ToUpper(o.Name) + " " + path.Name)}}
			security, undecided := view.Resolve(operation.Field("security"))
			if security == nil && !undecided {
				security, undecided = view.Resolve(body.Field("security"))
			}
			switch {
			case o.Name == "options":
				// a preflight, which browsers send without credentials
			case undecided || security != nil && security.Kind() != estate.KindList:
				add(check.Internet, check.Answer{Truth: estate.Maybe, Reads: reads, Missing: []estate.Gap{{Reason: "not decided", Input: "security of " + api.Address}}})
			case len(security.Items()) == 0 && operation.Field("x-amazon-apigateway-auth") == nil:
				a := check.Answer{Truth: estate.True, Reads: reads}
				if api.Properties.Field("Policy") != nil || body.Field("x-amazon-apigateway-policy") != nil {
					a.Truth, a.Missing = estate.Maybe, []estate.Gap{{Reason: "the policy of the API may refuse callers", Input: "Policy of " + api.Address}}
				}
				add(check.Internet, a)
			default:
				add(check.Outside, check.Answer{Truth: estate.True, Reads: reads})
			}
		}
	}
}

// targetGroup is a group of a load balancer that the function is the target of.
func (w *world) targetGroup(g *estate.Resource, view check.View, add func(check.Exposure, check.Answer)) {
	var listeners []*estate.Resource
	for _, edge := range []string{"listeners", "forwardingListeners"} {
		found, _ := view.Related(g, edge)
		listeners = append(listeners, found...)
	}
	for _, edge := range []string{"listenerRules", "forwardingRules"} {
		rules, _ := view.Related(g, edge)
		for _, rule := range rules {
			found, _ := view.Related(rule, "listeners")
			listeners = append(listeners, found...)
		}
	}
	for _, l := range listeners {
		balancers, gaps := view.Related(l, "loadBalancers")
		for _, b := range balancers {
			if equals(view, b, "Scheme", "internal") == estate.True {
				continue
			}
			exposure := check.Internet
			if authenticates(l) {
				exposure = check.Outside
			}
			a := check.Answer{Truth: equals(view, b, "Scheme", "internal").Not(), Reads: reading(b, "Scheme")}
			if a.Truth == estate.Maybe {
				a.Missing = []estate.Gap{{Reason: "not decided", Input: "Scheme of " + b.Address}}
			}
			add(exposure, a)
		}
		if len(gaps) > 0 {
			add(check.Internet, check.Answer{Truth: estate.Maybe, Missing: gaps})
		}
	}
}

// authenticates reports whether a listener has its callers sign in first.
func authenticates(listener *estate.Resource) bool {
	return slices.ContainsFunc(listener.Properties.Field("DefaultActions").Items(), func(action *estate.Value) bool {
		return strings.HasPrefix(action.Field("Type").AsString(), "authenticate-")
	})
}
