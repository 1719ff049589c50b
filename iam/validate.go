package iam

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind is what a document is used as.
type Kind uint8

// The kinds of policy.
const (
	IdentityPolicy Kind = iota
	ResourcePolicy
	TrustPolicy
	ServiceControlPolicy
	ResourceControlPolicy
	EndpointPolicy
)

var kindNames = []string{"identity", "resource", "trust", "scp", "rcp", "endpoint"}

// Kinds are the names of the kinds of policy.
func Kinds() []string { return slices.Clone(kindNames) }

// ParseKind reads the name of a kind.
func ParseKind(s string) (Kind, bool) {
	i := slices.Index(kindNames, s)
	return Kind(max(i, 0)), i >= 0
}

// sizes are the most characters without white space that AWS takes.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
var sizes = map[Kind]int{IdentityPolicy: 10240, TrustPolicy: 4096, ServiceControlPolicy: 5120, ResourceControlPolicy: 5120, ResourcePolicy: 20480, EndpointPolicy: 20480}

// Validate parses a document and reports everything that is wrong with it, in
// order of position. data may be nil; then actions and keys are not looked up.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
func Validate(src []byte, use Kind, data *Data) []Issue {
	d, err := Parse(src)
	if err != nil {
		var parse *ParseError
		if errors.As(err, &parse) {
			return parse.Issues
		}
		return []Issue{{"json-syntax", LevelError, err.Error(), Position{1, 1}}}
	}
	v := validator{use: use, data: data, doc: d}
	if size := compactSize(src); size > sizes[use] {
		v.issue("too-large", LevelError, Position{1, 1}, "the document has %d characters without white space; AWS takes at most %d", size, sizes[use])
	}
	switch {
	case d.Version == "":
		v.issue("missing-version", LevelWarning, Position{1, 1}, "there is no Version, which means 2008-10-17: policy variables are plain text; state \"Version\": \"2012-10-17\"")
	case d.Version == Version2008:
		v.issue("old-version", LevelAdvice, Position{1, 1}, "Version 2008-10-17 is deprecated: policy variables are plain text in it; state \"2012-10-17\"")
	}
	if len(d.Statements) == 0 {
		v.issue("missing-statement", LevelError, Position{1, 1}, "the policy has no statements; expected at least one")
	}
	seen := map[string]bool{}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Sid != "" && seen[s.Sid] {
			v.issue("duplicate-sid", LevelError, s.At, "another statement has the Sid %q; expected it once", s.Sid)
		}
		seen[s.Sid] = true
		v.sid(s)
		v.statement(s)
	}
	slices.SortStableFunc(v.issues, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	return v.issues
}

func compactSize(src []byte) int {
	n, quoted := 0, false
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case quoted && c == '\\':
			n++
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\n' || c == '\t' || c == '\r'):
			continue
		}
		n++
	}
	return n
}

type validator struct {
	use    Kind
	data   *Data
	doc    *Document
	issues []Issue
	work   int // steps of comparing patterns with each other
}

// maxWork bounds the searches that compare all patterns of a list with others.
const maxWork = 1 << 25

func (v *validator) issue(code string, level Level, at Position, format string, args ...any) {
	if len(v.issues) < MaxIssues {
		v.issues = append(v.issues, Issue{code, level, fmt.Sprintf(format, args...), at})
	}
}

func (v *validator) statement(s *Statement) {
	principal := s.Principal != nil || s.NotPrincipal != nil
	resource := s.Resource != nil || s.NotResource != nil
	switch v.use {
	case IdentityPolicy, ServiceControlPolicy:
		if principal {
			v.issue("unexpected-principal", LevelError, s.At, "the statement names a principal; this kind of policy applies to whoever it is attached to")
		}
		if !resource {
			v.issue("missing-resource", LevelError, s.At, "the statement has neither Resource nor NotResource")
		}
	default:
		if !principal {
			v.issue("missing-principal", LevelError, s.At, "the statement has neither Principal nor NotPrincipal")
		}
		if v.use == TrustPolicy && resource {
			v.issue("unexpected-resource", LevelError, s.At, "the statement names a resource; a trust policy applies to its role")
		}
		if v.use == TrustPolicy && s.NotPrincipal != nil {
			v.issue("unexpected-notprincipal", LevelError, s.At, "a trust policy takes no NotPrincipal")
		}
	}
	if v.use == ResourceControlPolicy {
		if s.Effect == Allow {
			v.issue("rcp-allow", LevelError, s.At, "a resource control policy can only deny")
		}
		if s.NotAction != nil {
			v.issue("rcp-notaction", LevelError, s.At, "a resource control policy takes no NotAction")
		}
		if s.NotPrincipal != nil || len(s.Principal) != 1 || s.Principal[0].Kind != "" {
			v.issue("rcp-principal", LevelError, s.At, "a resource control policy names \"Principal\": \"*\" and narrows it by conditions")
		}
	}
	if s.NotPrincipal != nil {
		if s.Effect == Allow {
			v.issue("allow-notprincipal", LevelWarning, s.At, "Allow with NotPrincipal lets in everybody who is not listed, the anonymous too; name who may, in Principal")
		} else {
			v.issue("deny-notprincipal", LevelWarning, s.At, "Deny with NotPrincipal denies every principal with a permissions boundary, listed or not; use Principal \"*\" and a condition on aws:PrincipalArn")
		}
	}
	if s.Effect == Allow && s.NotAction != nil && s.NotResource != nil {
		v.issue("allow-notaction-notresource", LevelWarning, s.At, "Allow with NotAction and NotResource lets in everything that is in neither list")
	} else if s.Effect == Allow && s.NotAction != nil && v.use != ServiceControlPolicy {
		v.issue("allow-notaction", LevelWarning, s.At, "Allow with NotAction allows every action that is not listed, of every service there will be; list what is needed, in Action")
	}
	v.actions(s)
	v.resources(s)
	v.reach(s)
	v.principals(s)
	v.conditions(s)
}

// empty reports a list without values.
func (v *validator) empty(what string, list *Texts) {
	if len(list.Values) == 0 {
		v.issue("empty-list", LevelError, list.At, "%s is an empty list; expected at least one value", what)
	}
}

func (v *validator) actions(s *Statement) {
	for i, list := range []*Texts{s.Action, s.NotAction} {
		if list == nil {
			continue
		}
		v.empty([]string{"Action", "NotAction"}[i], list)
		for _, t := range list.Values {
			v.action(s, t)
		}
		v.redundant("action", list, func(t Text) pattern {
			return compilePattern(lower(t.Value), patternForm{wildcards: true})
		})
	}
}

func (v *validator) action(s *Statement, t Text) {
	if len(v.issues) >= MaxIssues {
		return // suggestions for a misspelt name are dear
	}
	name := t.Value
	if strings.Trim(name, "*") == "" && name != "" {
		return
	}
	service, rest, found := strings.Cut(lower(name), ":")
	switch {
	case strings.TrimFunc(name, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) != name:
		v.issue("blank-in-action", LevelError, t.At, "action %q begins or ends with a blank or comma, and so matches nothing", name)
		return
	case !found || rest == "":
		v.issue("invalid-action", LevelError, t.At, "action %q; expected service:Name, such as s3:GetObject", name)
		return
	case strings.ContainsAny(service, "*?"):
		v.issue("invalid-service", LevelError, t.At, "action %q has a wildcard in the name of the service; only \"*\" alone stands for all services", name)
		return
	}
	v.trustAction(t, service)
	if v.data == nil {
		return
	}
	known := v.data.service(service)
	if known == nil {
		v.issue("unknown-service", LevelError, t.At, "action %q: there is no service %q%s", name, service, Similar(service, v.data.Services()))
		return
	}
	if v.use == ResourceControlPolicy && !v.data.supportsRCP(service) {
		v.issue("rcp-service", LevelWarning, t.At, "action %q: resource control policies have no effect on %s", name, service)
	}
	p := compilePattern(rest, patternForm{wildcards: true})
	if !known.has(&p) {
		names := make([]string, 0, len(known.actions))
		for _, a := range v.data.Actions(service) {
			names = append(names, a.Name)
		}
		v.issue("unknown-action", LevelError, t.At, "action %q: %s has no such action%s", name, service, Similar(rest, names))
	}
	if s.Effect == Allow && s.Action != nil && rest == "*" && v.use != ServiceControlPolicy {
		v.issue("allow-all-of-service", LevelWarning, t.At, "%q allows every action of %s, those still to come too; list what is needed", name, service)
	}
	if s.Effect == Allow && service == "iam" && p.matches("createservicelinkedrole") && rest != "*" && (s.NotResource != nil || everyRole(s.Resource)) && !mentions(s, "iam:awsservicename") {
		v.issue("any-service-linked-role", LevelWarning, t.At, "%q creates the service-linked role of any service; name the role, or the service in iam:AWSServiceName", name)
	}
	if s.Effect == Allow && p.shape == prefix && service == "iam" && strings.HasPrefix("passrole", p.text) || name == "iam:PassRole" && s.Effect == Allow {
		if (s.NotResource != nil || everyRole(s.Resource)) && !mentions(s, "iam:passedtoservice") {
			v.issue("pass-any-role", LevelWarning, t.At, "iam:PassRole on every role lets the holder use any role of the account; name the roles, or the service in iam:PassedToService")
		}
	}
}

// has reports whether an action of the service matches.
func (s *serviceData) has(p *pattern) bool {
	if p.shape == exact {
		return s.actions[p.text] != nil
	}
	for n := range s.actions {
		if p.matches(n) {
			return true
		}
	}
	return false
}

func everyRole(list *Texts) bool {
	return list != nil && slices.ContainsFunc(list.Values, func(t Text) bool {
		return strings.Trim(t.Value, "*") == "" || strings.HasPrefix(t.Value, "arn:") && strings.HasSuffix(strings.TrimRight(t.Value, "*"), ":role/")
	})
}

func mentions(s *Statement, key string) bool {
	return slices.ContainsFunc(s.Condition, func(c Condition) bool { return strings.EqualFold(c.Key, key) })
}

// redundant reports values that another value of the list covers.
func (v *validator) redundant(what string, list *Texts, compile func(Text) pattern) {
	const bound = 200 // longer lists are left alone: the comparison is of all with all
	if len(list.Values) > bound {
		return
	}
	for i, a := range list.Values {
		p := compile(a)
		if p.shape == exact || p.glob != nil && p.glob.vars {
			continue
		}
		spelt := p.spelt()
		for j, b := range list.Values {
			if v.work += len(spelt) * len(b.Value); v.work > maxWork {
				return
			}
			if i != j && a.Value != b.Value && certain(spelt, symbols(nil, lowerIf(b.Value, what == "action"))) {
				v.issue("redundant-"+what, LevelAdvice, b.At, "%s %q is covered by %q in the same list", what, b.Value, a.Value)
			}
		}
	}
}

func lowerIf(s string, fold bool) string {
	if fold {
		return lower(s)
	}
	return s
}

func (v *validator) resources(s *Statement) {
	for i, list := range []*Texts{s.Resource, s.NotResource} {
		if list == nil {
			continue
		}
		v.empty([]string{"Resource", "NotResource"}[i], list)
		for _, t := range list.Values {
			v.resource(t)
			v.variables(t)
		}
		v.redundant("resource", list, func(t Text) pattern {
			return compilePattern(t.Value, patternForm{wildcards: true, variables: v.doc.Version == Version2012})
		})
	}
}

func (v *validator) resource(t Text) {
	s := t.Value
	if strings.Trim(s, "*") == "" && s != "" {
		return
	}
	if v.doc.Version != Version2012 && strings.Contains(s, "${") {
		v.issue("variable-in-old-version", LevelWarning, t.At, "%q holds a policy variable, which is plain text without \"Version\": \"2012-10-17\"", s)
	}
	parts := strings.SplitN(s, ":", 6)
	switch {
	case parts[0] != "arn" && !strings.ContainsAny(parts[0], "*?"):
		v.issue("invalid-arn", LevelError, t.At, "resource %q is no ARN; expected arn:partition:service:region:account:resource, or \"*\"", s)
	case len(parts) < 6 && (v.use == IdentityPolicy || v.use == ServiceControlPolicy):
		v.issue("short-arn", LevelWarning, t.At, "resource %q has %d of an ARN's six parts; AWS fills in '*' for the rest; write the whole ARN", s, len(parts))
	case len(parts) < 6:
		v.issue("short-arn", LevelError, t.At, "resource %q has %d of an ARN's six parts; expected arn:partition:service:region:account:resource", s, len(parts))
	default:
		if p := parts[1]; p != "aws" && p != "aws-cn" && p != "aws-us-gov" && !strings.HasPrefix(p, "aws-iso") && p != "aws-eusc" && !strings.ContainsAny(p, "*?") {
			v.issue("invalid-partition", LevelError, t.At, "resource %q: there is no partition %q; expected aws, aws-cn or aws-us-gov", s, p)
		}
		if strings.ContainsAny(parts[2], "*?") {
			v.issue("wildcard-service", LevelWarning, t.At, "resource %q has a wildcard in the service, which AWS does not support; name the service", s)
		}
		if a := parts[4]; a != "" && a != "aws" && a != "cloudfront" && !isAccountID(a) && !strings.ContainsAny(a, "*?$") {
			v.issue("invalid-account", LevelError, t.At, "resource %q: %q is no account; expected 12 digits", s, a)
		}
		if slices.ContainsFunc(parts[:5], func(p string) bool { return strings.Contains(p, "${") }) {
			v.issue("variable-before-resource", LevelError, t.At, "resource %q: a policy variable can stand behind the fifth colon only", s)
		}
	}
}

func (v *validator) principals(s *Statement) {
	for _, p := range slices.Concat(s.Principal, s.NotPrincipal) {
		for _, t := range p.Values.Values {
			switch c := compilePrincipal(p.Kind, t.Value); {
			case p.Kind == "AWS" && strings.ContainsAny(t.Value, "*?") && t.Value != "*":
				v.issue("wildcard-in-principal", LevelError, t.At, "principal %q: a wildcard stands for everyone or not at all; use a condition on aws:PrincipalArn", t.Value)
			case p.Kind == "AWS" && c.other == residue && isUniqueID(t.Value):
				v.issue("deleted-principal", LevelWarning, t.At, "principal %q is the id of a principal that was deleted, and matches nobody; remove it", t.Value)
			case p.Kind == "AWS" && c.other == residue:
				v.issue("invalid-principal", LevelError, t.At, "principal %q; expected an account, or the ARN of an account root, user, role or session", t.Value)
			case p.Kind == "Federated" && strings.ContainsAny(t.Value, "*?"):
				v.issue("wildcard-in-principal", LevelError, t.At, "principal %q: a provider takes no wildcard", t.Value)
			case p.Kind == "Service" && (!strings.Contains(t.Value, ".") || strings.ContainsAny(t.Value, "*? ")):
				v.issue("invalid-service-principal", LevelError, t.At, "service principal %q; expected a name such as lambda.amazonaws.com", t.Value)
			}
		}
	}
}

func isUniqueID(s string) bool {
	return len(s) >= 16 && (strings.HasPrefix(s, "AROA") || strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AGPA")) && strings.ToUpper(s) == s
}

func (v *validator) conditions(s *Statement) {
	if len(s.Condition) == 0 {
		return
	}
	keys, before := v.keysOf(s), map[[2]string]string{}
	for i := range s.Condition {
		c := &s.Condition[i]
		op, _ := parseOperator(c.Operator)
		if len(c.Values.Values) == 0 {
			v.issue("empty-condition", LevelError, c.At, "%s on %s has no values", c.Operator, c.Key)
		}
		v.conditionValues(c, before, op)
		v.operandTypes(c, op)
		v.conditionKey(s, c, op, keys)
	}
}

// wanted says what the values of a comparison look like.
var wanted = map[comparison]string{
	compareNumber: "a number", compareDate: "a date, such as 2026-11-24T00:00:00Z", compareBool: "true or false", compareNull: "true or false",
	compareBinary: "Base64", compareIP: "an address or network, such as 192.0.2.0/24",
}

func (v *validator) operandTypes(c *Condition, op operator) {
	form := patternForm{wildcards: true, variables: v.doc.Version == Version2012}
	for _, t := range c.Values.Values {
		if strings.Contains(t.Value, "${") && v.doc.Version != Version2012 {
			v.issue("variable-in-old-version", LevelWarning, t.At, "%q holds a policy variable, which is plain text without \"Version\": \"2012-10-17\"", t.Value)
		}
		if op.comparison <= compareLike || op.comparison == compareARN {
			v.variables(t)
		}
		o := compileOperand(t.Value, op, form)
		switch {
		case !o.ok:
			v.issue("invalid-value", LevelError, t.At, "%s on %s: %q is not %s", c.Operator, c.Key, t.Value, wanted[op.comparison])
		case op.comparison == compareARN && !o.arn.any && (o.arn.short || !strings.HasPrefix(t.Value, "arn:") && !strings.HasPrefix(t.Value, "*")) && !strings.Contains(t.Value, "${"):
			v.issue("invalid-arn", LevelError, t.At, "%s on %s: %q is no ARN, and so matches none", c.Operator, c.Key, t.Value)
		case (op.comparison == compareString || op.comparison == compareFold) && strings.ContainsAny(t.Value, "*?") && !strings.Contains(t.Value, "${*}") && !strings.Contains(t.Value, "${?}"):
			v.issue("literal-wildcard", LevelWarning, t.At, "%s compares %q as it stands: its wildcard is plain text; use StringLike or ArnLike", c.Operator, t.Value)
		}
	}
}

func (v *validator) conditionKey(s *Statement, c *Condition, op operator, has map[string]bool) {
	prefix, _, found := strings.Cut(c.Key, ":")
	if !found {
		v.issue("invalid-key", LevelError, c.At, "condition key %q; expected prefix:name, such as aws:SourceArn", c.Key)
		return
	}
	if v.data == nil {
		return
	}
	t, known := v.data.KeyType(c.Key)
	switch {
	case strings.EqualFold(prefix, "aws") && !known:
		v.issue("unknown-key", LevelError, c.At, "there is no global condition key %q, and so a request never has it", c.Key)
	case !known && v.data.service(lower(prefix)) != nil:
		v.issue("unknown-key", LevelError, c.At, "%s has no condition key %q, and so a request never has it", prefix, c.Key)
	case known && v.data.service(lower(prefix)) != nil && !strings.EqualFold(prefix, "aws"):
		v.keyOfActions(c, has)
	}
	list := strings.HasPrefix(t, "ArrayOf")
	switch {
	case op.comparison == compareNull:
	case list && op.quantifier == one:
		v.issue("set-operator-missing", LevelWarning, c.At, "%s may have several values; %s needs ForAllValues: or ForAnyValue: before it", c.Key, c.Operator)
	case known && t != "" && !list && op.quantifier != one:
		v.issue("set-operator-on-single", LevelWarning, c.At, "%s has one value; ForAllValues and ForAnyValue are for keys with several", c.Key)
	case list && op.quantifier == forAll && s.Effect == Allow && !guarded(s, c.Key):
		v.issue("forallvalues-allow", LevelWarning, c.At, "ForAllValues is true of a request without %s; add \"Null\": {%q: \"false\"}", c.Key, c.Key)
	}
	if fits, ok := operatorTypes[op.comparison]; ok && known && t != "" && !strings.Contains(fits, strings.ToLower(strings.TrimPrefix(t, "ArrayOf"))) {
		v.issue("operator-of-another-type", LevelWarning, c.Wanted, "%s compares %s; %s is of type %s", c.Operator, wanted[op.comparison], c.Key, t)
	}
}

// operatorTypes are the types of key that a comparison makes sense for. Strings
// compare with all.
var operatorTypes = map[comparison]string{
	compareNumber: "numeric string", compareDate: "date numeric string", compareBool: "bool string", compareIP: "ipaddress string",
}

func guarded(s *Statement, key string) bool {
	return slices.ContainsFunc(s.Condition, func(c Condition) bool {
		op, ok := parseOperator(c.Operator)
		return ok && op.comparison == compareNull && strings.EqualFold(c.Key, key)
	})
}

// keyOfActions reports a service's key that none of the statement's actions
// has: its condition can never be decided by it.
func (v *validator) keyOfActions(c *Condition, has map[string]bool) {
	if has != nil && !has[keyFamily(c.Key)] {
		v.issue("key-of-other-actions", LevelWarning, c.At, "none of the statement's actions has the condition key %s, and so their requests never have it", c.Key)
	}
}

// keysOf are the keys that the statement's actions have; nil where the actions
// are not all known.
func (v *validator) keysOf(s *Statement) map[string]bool {
	if s.Action == nil || v.data == nil {
		return nil
	}
	keys, seen := map[string]bool{}, map[*Action]bool{}
	for _, t := range s.Action.Values {
		service, rest, _ := strings.Cut(lower(t.Value), ":")
		known := v.data.service(service)
		if known == nil {
			return nil // "*", or a service that is not in the table
		}
		p := compilePattern(rest, patternForm{wildcards: true})
		for name, a := range known.actions {
			if seen[a] || !p.matches(name) {
				continue
			}
			seen[a] = true
			for _, k := range a.Keys {
				keys[keyFamily(k)] = true
			}
			for _, r := range a.Resources {
				for _, k := range r.Keys {
					keys[keyFamily(k)] = true
				}
			}
		}
	}
	return keys
}
