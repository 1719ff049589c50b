package access

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"assay/iam"
	"assay/internal/estate"
)

// holder is somebody who acts, with the policies that bear on them.
type holder struct {
	resource *estate.Resource // the role or user; nil for somebody of another account
	function *estate.Resource // that acts with the role, where one is meant
	name     string           // what a person calls it
	spec     iam.RequestSpec  // what follows from the principal
	identity []*iam.Policy
	boundary []*iam.Policy
	keys     []string // condition keys of the policies
	account  string
	region   string
	// raised: its policies are those that it could give itself.
	raised bool
	print  string // the policies, spelt out: equal ones allow the same

	concerns map[string]bool
	admin    *walk
	samples  []posed
	sampled  bool
}

// holderOf is a role or user of the estate; function says that it acts as one.
func (g *graph) holderOf(r, function *estate.Resource) *holder {
	if function != nil && !slices.Contains(g.holderOf(r, nil).keys, sourceFunction) {
		function = nil // it makes no difference
	}
	key := holderKey{r, function}
	if h, ok := g.holders[key]; ok {
		return h
	}
	set := g.principal(r, g.view)
	h := &holder{resource: r, function: function, name: r.Address, identity: set.identity, boundary: set.boundary, account: g.account(r.Scope())}
	h.region, _ = r.Scope().Place()
	if r.Type == "AWS::IAM::Role" {
		h.spec = g.of(r, "", "", g.view)
	} else {
		h.spec = iam.RequestSpec{Principal: g.arn(r, g.view), Context: map[string][]string{"aws:SecureTransport": {"true"}}}
	}
	if function != nil {
		h.name = function.Address
		h.spec.Context[sourceFunction] = []string{g.arn(function, g.view)}
	}
	h.ready()
	g.holders[key] = h
	return h
}

// sourceFunction is a key of requests that a function's code makes.
const sourceFunction = "lambda:sourcefunctionarn"

type holderKey struct{ resource, function *estate.Resource }

// outsider is somebody of another account whose own policies allow everything.
func (g *graph) outsider(name, principal, account string) *holder {
	h := &holder{name: name, identity: []*iam.Policy{g.all}, account: account}
	h.spec = iam.RequestSpec{Principal: principal, Context: map[string][]string{"aws:SecureTransport": {"true"}}}
	h.ready()
	return h
}

// with is the holder under other policies.
func (h *holder) with(identity, boundary []*iam.Policy) *holder {
	c := *h
	c.identity, c.boundary, c.raised = identity, boundary, true
	c.ready()
	return &c
}

// ready works out what follows from the policies.
func (h *holder) ready() {
	h.concerns, h.admin, h.samples, h.sampled = map[string]bool{}, nil, nil, false
	keys := map[string]bool{}
	var b strings.Builder
	for i, list := range [][]*iam.Policy{h.identity, h.boundary} {
		b.WriteString(strconv.Itoa(i))
		for _, p := range list {
			for _, k := range p.Keys() {
				keys[k] = true
			}
			spell(&b, p)
		}
	}
	h.keys, h.print = slices.Sorted(maps.Keys(keys)), b.String()
}

// spell writes a policy so that equal ones are written the same.
func spell(b *strings.Builder, p *iam.Policy) {
	if p.IsUnread() {
		fmt.Fprintf(b, "unread %p", p)
		return
	}
	texts := func(name string, t *iam.Texts) {
		if t == nil {
			return
		}
		b.WriteString(name)
		for _, v := range t.Values {
			b.WriteString(strconv.Quote(v.Value))
		}
	}
	b.WriteString("{" + p.Document.Version)
	for i := range p.Document.Statements {
		s := &p.Document.Statements[i]
		b.WriteString(";" + strconv.Itoa(int(s.Effect)) + strconv.FormatBool(s.Open))
		texts("a", s.Action)
		texts("A", s.NotAction)
		texts("r", s.Resource)
		texts("R", s.NotResource)
		for j := range s.Condition {
			c := &s.Condition[j]
			fmt.Fprintf(b, "c%q%q%t", c.Operator, c.Key, c.Open)
			texts("", &c.Values)
		}
	}
	b.WriteString("}")
}

// may reports whether some Allow of the holder's own policies may be about an
// action.
func (h *holder) may(action string) bool {
	yes, ok := h.concerns[action]
	if !ok {
		is := func(p *iam.Policy) bool { return p.Concerns(action, "") }
		yes = slices.ContainsFunc(h.identity, is) && (len(h.boundary) == 0 || slices.ContainsFunc(h.boundary, is))
		h.concerns[action] = yes
	}
	return yes
}

// mayOn reports whether some Allow may be about an action on a resource.
func (h *holder) mayOn(action, arn string) bool {
	return slices.ContainsFunc(h.identity, func(p *iam.Policy) bool { return p.Concerns(action, arn) })
}

// chosen are global keys that whoever makes a request has in their hand.
var chosen = []string{"aws:requesttag/", "aws:tagkeys", "aws:requestedregion", "aws:useragent", "aws:referer"}

// derived are global keys that package iam derives from the principal and the
// resource.
var derived = []string{
	"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist",
	"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:resourceaccount", "aws:username", "aws:securetransport",
}

// settle states what is known of the condition keys that policies ask for.
// Keys that are left are the caller's to choose; free says that there are some.
func (g *graph) settle(h *holder, spec *iam.RequestSpec, keys []string, held *estate.Resource, fresh bool) (free bool) {
	for _, key := range keys {
		if stated(spec, key) {
			continue
		}
		service, rest, _ := strings.Cut(key, ":")
		tag, isTag := "", false
		if at := strings.IndexByte(rest, '/'); at >= 0 {
			tag, isTag = rest[at+1:], true
			rest = rest[:at]
		}
		unknown := func() { spec.Unknown = append(spec.Unknown, key) }
		tagged := func(r *estate.Resource) {
			switch value, known := g.tag(r, tag); {
			case !known:
				unknown()
			case value == nil:
				spec.Context[key] = nil
			default:
				spec.Context[key] = []string{*value}
			}
		}
		switch {
		case isTag && rest == "resourcetag" && fresh:
			spec.Context[key] = nil
		case isTag && rest == "resourcetag" && held != nil:
			tagged(held)
		case isTag && rest == "principaltag" && h.resource != nil:
			tagged(h.resource)
		case key == "aws:viaawsservice":
			spec.Context[key] = []string{"false"}
		case strings.HasPrefix(key, "aws:calledvia"):
			spec.Context[key] = nil
		case slices.Contains(derived, key):
		case slices.ContainsFunc(chosen, func(c string) bool { return key == c || strings.HasSuffix(c, "/") && strings.HasPrefix(key, c) }):
			free = true
		case key == "iam:permissionsboundary" && held != nil:
			g.boundaryOf(spec, key, held)
		case g.data.HasKey(spec.Action, key) && service != "aws" && rest != "resourcetag":
			free = true
		case g.actionKey(service, key):
			spec.Context[key] = nil // of other actions
		default:
			unknown()
		}
	}
	return free
}

// boundaryOf states the boundary that a role or user has.
func (g *graph) boundaryOf(spec *iam.RequestSpec, key string, r *estate.Resource) {
	v, open := g.view.Resolve(r.Properties.Field("PermissionsBoundary"))
	switch {
	case v == nil:
		spec.Context[key] = nil
	case open:
		spec.Unknown = append(spec.Unknown, key)
	default:
		spec.Context[key] = []string{g.text(r.Scope(), v, g.view)}
	}
}

func stated(spec *iam.RequestSpec, key string) bool {
	for k := range spec.Context {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// actionKey reports whether a key is one that requests for some actions of its
// service have, and others have not.
func (g *graph) actionKey(service, key string) bool {
	yes, ok := g.actionKeys[key]
	if !ok {
		yes = slices.ContainsFunc(g.data.Actions(service), func(a *iam.Action) bool { return g.data.HasKey(service+":"+a.Name, key) })
		g.actionKeys[key] = yes
	}
	return yes
}

// tag is the value of a resource's tag; nil where it has none.
func (g *graph) tag(r *estate.Resource, name string) (value *string, known bool) {
	list, open := g.view.Resolve(r.Properties.Field("Tags"))
	if open || list != nil && list.Kind() != estate.KindList {
		return nil, false
	}
	known = true
	for _, item := range list.Items() {
		item, open := g.view.Resolve(item)
		if item == nil && !open {
			continue
		}
		k, openKey := g.view.Resolve(item.Field("Key"))
		text, isText := k.Scalar()
		switch {
		case open || openKey || !isText:
			known = false
		case strings.EqualFold(text, name):
			v := g.text(r.Scope(), item.Field("Value"), g.view)
			return &v, true
		}
	}
	return nil, known
}
