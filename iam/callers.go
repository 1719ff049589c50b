package iam

import (
	"fmt"
	"slices"
	"strings"
)

// callerClass are callers that the policies of a question do not tell apart.
type callerClass struct {
	principal string
	under     string // the start of the ARN, where any that starts so may call
	anybody   bool
	trusted   bool   // the policies are those of a resource
	owner     string // the account whose resource it is; no caller is of it
}

// wide is the form of the ARN, where any of that form may call; else nil.
func (c *callerClass) wide() *word {
	if c.under == "" {
		return nil
	}
	return newWord(append(symbols(nil, c.under), symbol{'*', 0}), true)
}

// allows has Decide answer a request under one policy alone: one that its
// resource's account has the say over, or, for the policy of a resource, one of
// a caller of another account, which allows everything.
func (c *callerClass) allows(r *Request, p *Policy) (truth, RuleSet) {
	if r.kind == callerIdentity || r.kind == sessionToken {
		return p.lets(r), 0 // no policy is needed
	}
	set := &PolicySet{Identity: []*Policy{p}, Resource: HandsOver(r.caller.Account)}
	if c.trusted {
		set = allowedAll(c.principal, p)
	}
	switch a := Decide(r, set, Documents); a.Decision {
	case Allowed:
		return yes, a.Contested
	case Unknown:
		return maybe, a.Contested
	default:
		return no, a.Contested
	}
}

// allowAll allows all there is.
var allowAll = Compile("everything", &Document{Version: Version2012, Statements: []Statement{{
	Effect: Allow, Action: &Texts{Values: []Text{{Value: "*"}}, Single: true}, Resource: &Texts{Values: []Text{{Value: "*"}}, Single: true},
}}}, nil)

// allowedAll are the policies of a caller whom its own account allows
// everything, on a resource with a policy.
func allowedAll(principal string, resource *Policy) *PolicySet {
	set := &PolicySet{Identity: []*Policy{allowAll}, Resource: resource}
	if c, _ := ParseCaller(principal); c.Kind == FederatedUser {
		set.Session = set.Identity // without one it has no permissions
	}
	return set
}

const (
	// somebody is the principal of questions about identity policies.
	somebody = "arn:aws:iam::111122223333:user/somebody"
	// unlikeAccount is equal to no account, known or not.
	unlikeAccount = "another-account"
)

// accountsBeside are two accounts that policies do not name: a stranger's, and
// one that owns the resources of questions about resource policies.
func accountsBeside(policies ...*Policy) (stranger, owner string) {
	noted := notedCallers(policies...)
	free := func(taken string) string {
		for i := 7; ; i++ {
			account := fmt.Sprintf("99998888%04d", i*1111%10000)
			if account != taken && !slices.Contains(noted.accounts, account) {
				return account
			}
		}
	}
	stranger = free("")
	return stranger, free(stranger)
}

// callersOf are the kinds of caller that policies tell apart: nobody in
// particular, where none names a principal. outside says which callers the model
// does not have, if there may be some.
func callersOf(stranger string, policies ...*Policy) (callers []callerClass, outside string) {
	n := notedCallers(policies...)
	if !n.trusted {
		return []callerClass{{principal: somebody, anybody: true}}, ""
	}
	add := func(principal, under string) {
		callers = append(callers, callerClass{principal: principal, under: under, trusted: true})
	}
	add(AnonymousCaller, "")
	for _, principal := range n.listed {
		add(principal, "")
	}
	add("another-service.amazonaws.com", "")
	name := "somebody"
	for i := 2; slices.ContainsFunc(n.listed, func(s string) bool { return strings.HasSuffix(s, "/"+name) }); i++ {
		name = fmt.Sprintf("somebody%d", i)
	}
	for _, account := range append(n.accounts, stranger) {
		for _, part := range n.partitions {
			for _, kind := range []string{"iam::" + account + ":user/", "iam::" + account + ":role/", "sts::" + account + ":federated-user/"} {
				prefix := "arn:" + part + ":" + kind
				add(prefix+name, prefix)
			}
			add("arn:"+part+":iam::"+account+":root", "")
		}
	}
	return callers, n.outside
}

// callerNotes is what policies say of callers.
type callerNotes struct {
	trusted    bool     // some statement names a principal
	listed     []string // callers by name
	accounts   []string
	partitions []string
	outside    string
}

func notedCallers(policies ...*Policy) callerNotes {
	n := callerNotes{partitions: []string{"aws"}}
	for _, p := range policies {
		for i := range p.statements {
			s := &p.statements[i]
			n.trusted = n.trusted || !s.noPrincipal
			for j := range s.principals {
				n.principal(&s.principals[j])
			}
			for j := range s.conditions {
				n.condition(&s.conditions[j])
			}
		}
	}
	return n
}

func noteIn(list *[]string, s string) {
	if !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}

func (n *callerNotes) account(s string) {
	if isAccountID(s) || hasHole(s) {
		noteIn(&n.accounts, s)
	}
}

// caller notes somebody by name, and who shares the name.
func (n *callerNotes) caller(text string) {
	c, ok := ParseCaller(text)
	if !ok || c.Kind == RootUser {
		return
	}
	noteIn(&n.listed, text)
	n.account(c.Account)
	switch c.Kind {
	case User:
		noteIn(&n.listed, "arn:"+c.part+":sts::"+c.Account+":federated-user/"+c.Name)
	case Role:
		noteIn(&n.listed, "arn:"+c.part+":sts::"+c.Account+":assumed-role/"+c.Name+"/somebody")
	default:
	}
	if c.part != "" {
		noteIn(&n.partitions, c.part)
	}
}

func (n *callerNotes) principal(p *principal) {
	switch {
	case p.other == canonical:
		n.outside = "canonical users as principals are outside of the model"
	case p.other != named:
	case p.kind == RootUser:
		n.account(p.account)
		if p.part != "" {
			noteIn(&n.partitions, p.part)
		}
	default:
		n.caller(p.text)
	}
}

// condition notes the callers whom a condition tells from others.
func (n *callerNotes) condition(c *condition) {
	wild := c.comparison == compareLike || c.comparison == compareARN
	for _, v := range c.source.Values.Values {
		text, pattern := v.Value, wild && strings.ContainsAny(v.Value, "*?")
		switch c.key {
		case "aws:principalaccount", "aws:userid":
			n.account(text)
			if pattern && strings.Trim(text, "*?0123456789") == "" && strings.ContainsAny(text, "0123456789") {
				n.outside = "accounts by pattern are outside of the model"
			}
		case "aws:principalarn":
			if !pattern {
				n.caller(text)
			}
			parts := strings.SplitN(text, ":", 6)
			if len(parts) > 4 {
				n.account(parts[4])
			}
			if len(parts) > 1 && parts[1] != "*" {
				n.partition(parts[1])
			}
			if pattern && tellsAccounts(text, c.comparison == compareARN) {
				n.outside = "accounts by pattern are outside of the model"
			}
		case "aws:principalservicename", "aws:principalservicenameslist":
			n.caller(text)
			if pattern && strings.Trim(text, "*") != "" {
				n.outside = "services by pattern are outside of the model"
			}
		case "aws:federatedprovider":
			n.caller(text)
		default:
		}
	}
}

// partition notes those that a part of an ARN may match.
func (n *callerNotes) partition(s string) {
	p := compilePattern(s, patternForm{wildcards: true})
	for _, known := range []string{"aws", "aws-cn", "aws-us-gov"} {
		if p.matches(known) {
			noteIn(&n.partitions, known)
		}
	}
	if !strings.ContainsAny(s, "*?$") && s != "" {
		noteIn(&n.partitions, s)
	}
}

// tellsAccounts reports whether a pattern over ARNs of principals may match
// those of some accounts and not of others, without naming the accounts in full.
func tellsAccounts(pattern string, byPart bool) bool {
	const digits = "0123456789"
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) == 6 && (byPart || !strings.Contains(strings.Join(parts[:4], ""), "*")) {
		return !isAccountID(parts[4]) && strings.ContainsAny(parts[4], digits) && !hasHole(parts[4])
	}
	return strings.ContainsAny(pattern, digits)
}
