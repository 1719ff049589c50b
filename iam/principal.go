package iam

import (
	"strings"
)

// CallerKind is the kind of principal that makes a request.
type CallerKind uint8

// The kinds of caller.
const (
	RootUser CallerKind = iota + 1
	User
	RoleSession
	Role // some session of a role, which one is not said
	FederatedUser
	Federated // a SAML or OIDC provider's identity, before it has assumed a role
	Service
	Anonymous
	OriginAccess // the identity by which CloudFront reads a bucket; of no account
)

// Caller is the principal of a request.
type Caller struct {
	Kind    CallerKind
	ARN     string // as given; "" for services and the anonymous
	Account string // "" for services and the anonymous
	// Name is the user's, role's or federated user's name, the service's or
	// provider's.
	Name    string
	Session string // the name of a role session
	// path stands between the kind and the name: "/", "/team/". AWS does not write
	// a role's into the ARN of its sessions; some callers do.
	path string
	part string // partition
}

// AnonymousCaller is how a request without credentials is written.
const AnonymousCaller = "anonymous"

// ParseCaller reads a principal: an ARN of the account root, a user, a role, a
// role session, a federated user or an identity provider; the name of a service
// or web identity provider; or "anonymous".
func ParseCaller(s string) (Caller, bool) {
	a := splitARN(s)
	if !a.ok {
		switch {
		case s == AnonymousCaller || s == "*":
			return Caller{Kind: Anonymous}, true
		case webIdentityProviders[s]:
			return Caller{Kind: Federated, Name: s}, true
		case s != "" && !strings.HasPrefix(s, "arn:") && strings.Contains(s, ".") && !strings.ContainsAny(s, " /*?"):
			return Caller{Kind: Service, Name: s}, true
		}
		return Caller{}, false
	}
	c := Caller{ARN: s, Account: a.parts[4], part: a.parts[1]}
	kind, rest, _ := strings.Cut(a.parts[5], "/")
	switch service := a.parts[2]; {
	case a.parts[0] != "arn":
		return Caller{}, false
	case service == "iam" && a.parts[5] == "root":
		c.Kind = RootUser
		return c, true
	case service == "iam" && kind == "user" && c.Account == "cloudfront" && rest != "":
		c.Kind, c.Account, c.Name = OriginAccess, "", rest
		return c, true
	case service == "iam" && (kind == "user" || kind == "role") && rest != "":
		c.Kind = User
		if kind == "role" {
			c.Kind = Role
		}
		c.path, c.Name = splitPath(rest)
		return c, c.Name != ""
	case service == "iam" && (kind == "oidc-provider" || kind == "saml-provider") && rest != "":
		c.Kind, c.Name = Federated, rest
		return c, true
	case service == "sts" && kind == "federated-user" && rest != "":
		c.Kind, c.Name = FederatedUser, rest
		return c, true
	case service == "sts" && kind == "assumed-role":
		c.Kind = RoleSession
		at := max(strings.LastIndexByte(rest, '/'), 0)
		c.path, c.Name = splitPath(rest[:at])
		c.Session = strings.TrimPrefix(rest[at:], "/")
		return c, c.Name != "" && c.Session != ""
	}
	return Caller{}, false
}

// webIdentityProviders are the providers that have no ARN.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
var webIdentityProviders = map[string]bool{
	"cognito-identity.amazonaws.com": true, "www.amazon.com": true, "graph.facebook.com": true, "accounts.google.com": true,
}

func splitPath(s string) (path, name string) {
	at := strings.LastIndexByte(s, '/') + 1
	return "/" + s[:at], s[at:]
}

// ServiceLinked reports whether the caller is a service-linked role.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
func (c *Caller) ServiceLinked() bool {
	return (c.Kind == Role || c.Kind == RoleSession) && strings.HasPrefix(c.path, "/aws-service-role/") ||
		c.Kind == RoleSession && strings.HasPrefix(c.Name, "AWSServiceRoleFor")
}

// member reports whether the caller is a principal of an account: what
// identity policies, boundaries and service control policies can bind.
func (c *Caller) member() bool { return c.Kind >= RootUser && c.Kind <= FederatedUser }

// principal is one value of a Principal element.
type principal struct {
	kind    CallerKind // 0: everyone; account: RootUser
	text    string
	account string
	name    string
	part    string
	other   principalForm
}

type principalForm uint8

const (
	named     principalForm = iota
	everyone                // "*"
	residue                 // matches nobody: the id of what was deleted, or no principal
	canonical               // an S3 canonical user id
	anything                // not known what is named
)

func compilePrincipals(list []Principals) []principal {
	all := []principal{}
	for _, p := range list {
		for _, v := range p.Values.Values {
			all = append(all, compilePrincipal(p.Kind, v.Value))
		}
	}
	return all
}

func compilePrincipal(kind, s string) principal {
	p := principal{text: s}
	switch kind {
	case "", "AWS":
		if s == "*" {
			p.other = everyone
			return p
		}
		if isAccountID(s) || accountHole(s) {
			p.kind, p.account = RootUser, s
			return p
		}
		c, ok := ParseCaller(s)
		switch {
		case ok && (c.member() || c.Kind == OriginAccess):
			p.kind, p.account, p.name, p.part = c.Kind, c.Account, c.Name, c.part
		case hasHole(s) && !splitARN(s).ok:
			p.other = anything
		default:
			p.other = residue
		}
	case "Service":
		p.kind = Service
	case "Federated":
		p.kind = Federated
	case "CanonicalUser":
		p.other = canonical
	default:
		p.other = residue
	}
	return p
}

func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

func accountHole(s string) bool {
	return len(s) == holeLen && s[0] == holeMark && s[1] == byte(AccountHole)
}

// grant is how a Principal element takes a caller in, in each of the ways that
// AWS tells apart.
type grant struct {
	account truth // the caller's account as a whole
	role    truth // the caller's role
	direct  truth // the caller, or everyone
}

func (g *grant) add(o grant) {
	g.account, g.role, g.direct = max(g.account, o.account), max(g.role, o.role), max(g.direct, o.direct)
}

func (g grant) any() truth { return max(g.account, g.role, g.direct) }

// same compares two texts that may have holes.
func same(a, b string) truth {
	if a == b {
		return yes
	}
	if !hasHole(a) && !hasHole(b) {
		return no
	}
	return compareHoles(symbols(nil, a), symbols(nil, b))
}

// takes compares one principal with the caller.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (p *principal) takes(c *Caller, ev *evaluator) grant {
	switch p.other {
	case everyone:
		return grant{direct: yes}
	case residue:
		return grant{}
	case anything:
		return grant{maybe, maybe, maybe}
	case canonical:
		if ev.req.complete || !c.member() {
			return grant{}
		}
		return grant{account: maybe} // the account's canonical id is not stated
	default:
	}
	switch p.kind {
	case RootUser:
		if c.member() {
			return grant{account: same(p.account, c.Account)}
		}
	case User:
		switch {
		case c.Kind == User:
			return grant{direct: same(p.text, c.ARN)}
		case c.Kind == FederatedUser && same(p.account, c.Account) != no:
			// Whose credentials asked for the session is not stated.
			if p.name == c.Name {
				return grant{role: same(p.account, c.Account)}
			}
			if !ev.req.complete {
				return grant{role: maybe}
			}
		}
	case Role:
		switch c.Kind {
		case Role:
			return grant{role: same(p.text, c.ARN)}
		case RoleSession:
			// Sessions do not show the path of their role; names are unique.
			return grant{role: min(same(p.account, c.Account), same(p.name, c.Name), same(p.part, c.part))}
		default:
		}
	case RoleSession:
		switch c.Kind {
		case RoleSession:
			return grant{direct: same(p.text, c.ARN)}
		case Role:
			if ev.req.complete {
				return grant{}
			}
			return grant{direct: min(maybe, same(p.account, c.Account), same(p.name, c.Name))}
		default:
		}
	case FederatedUser, OriginAccess:
		if c.Kind == p.kind {
			return grant{direct: same(p.text, c.ARN)}
		}
	case Service:
		if c.Kind == Service {
			return grant{direct: same(p.text, c.Name)}
		}
	case Federated:
		if c.Kind == Federated {
			if c.ARN == "" {
				return grant{direct: same(p.text, c.Name)}
			}
			return grant{direct: same(p.text, c.ARN)}
		}
	default:
	}
	return grant{}
}

// spared reports whether NotPrincipal leaves the caller out of a statement. An
// Allow leaves out whoever is listed in any way; a Deny spares a session only
// when every way in which it is looked up is listed.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (s *statement) spared(ev *evaluator) truth {
	c := &ev.req.caller
	var g grant
	open := no
	for i := range s.principals {
		if s.principals[i].other == everyone {
			return yes
		}
		if s.principals[i].other == anything {
			open = maybe
			continue
		}
		g.add(s.principals[i].takes(c, ev))
	}
	listed := g.any()
	chain := g.direct
	switch c.Kind {
	case RootUser:
		chain = g.account
	case RoleSession:
		chain = min(g.direct, g.role)
	case Role:
		chain = g.role
	default:
	}
	if chain != listed && (!s.deny || ev.otherwise(NotPrincipalChain)) {
		chain = listed
	}
	return max(chain, open)
}
