package iam_test

// A naive evaluator of IAM decisions, used as a test oracle. It is written
// straight from AWS's documents, tries completions one by one when
// the context is incomplete, and refuses (error) everything it does not model
// and everything the semantics leaves open.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// naiveEmptyIsNull: a key stated with an empty list counts as absent for the
// Null operator (for every other operator the two are the same anyway).
const naiveEmptyIsNull = true

// naiveMaxCompletions bounds the brute force.
const naiveMaxCompletions = 2_000_000

type naiveRefusal struct{ text string }

func naiveRefuse(format string, args ...any) {
	panic(naiveRefusal{fmt.Sprintf(format, args...)})
}

// naive decides one request of docs/iam.md.
func naive(request []byte) (decision string, err error) {
	defer func() {
		if p := recover(); p != nil {
			refusal, ok := p.(naiveRefusal)
			if !ok {
				panic(p)
			}
			decision, err = "", fmt.Errorf("naive: %s", refusal.text)
		}
	}()
	decoder := json.NewDecoder(bytes.NewReader(request))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return "", err
	}
	r := naiveParse(object)

	context := map[string][]string{}
	if stated, ok := object["context"].(map[string]any); ok {
		for key, values := range stated {
			context[strings.ToLower(key)] = naiveStrings(values)
		}
	}
	for key, value := range r.derived() {
		if _, stated := context[key]; !stated && value != "" {
			context[key] = []string{value}
		}
	}
	if complete, _ := object["contextComplete"].(bool); complete {
		return r.decide(context), nil
	}

	// Every key that occurs somewhere and is neither stated nor derived.
	var open []string
	for key := range r.keysInPolicies() {
		_, stated := context[key]
		_, derived := r.derived()[key]
		if !stated && !derived {
			open = append(open, key)
		}
	}
	sort.Strings(open)
	pools := make([][][]string, len(open))
	product := 1
	for i, key := range open {
		pools[i] = r.pool(key, context)
		product *= len(pools[i])
		if product > naiveMaxCompletions {
			naiveRefuse("too many completions over %v", open)
		}
	}
	seen := map[string]bool{}
	var try func(i int)
	try = func(i int) {
		if len(seen) > 1 {
			return // already "unknown"
		}
		if i == len(open) {
			seen[r.decide(context)] = true
			return
		}
		for _, values := range pools[i] {
			if values == nil {
				delete(context, open[i])
			} else {
				context[open[i]] = values
			}
			try(i + 1)
		}
		delete(context, open[i])
	}
	try(0)
	if len(seen) > 1 {
		return "unknown", nil
	}
	for only := range seen {
		return only, nil
	}
	return "", fmt.Errorf("naive: no completion")
}

// ---------------------------------------------------------------------------
// The request.

type naiveRequest struct {
	kind      string // "user", "role" (a session), "root", "service", "anonymous"
	principal string
	account   string // of the principal; "" for services and anonymous
	role      string // ARN of the role, for sessions
	username  string

	action, resource, resourceAccount string

	identity, boundary, session, endpoint []naiveStatement
	hasBoundary, hasSession, hasEndpoint  bool
	resourcePolicy                        []naiveStatement
	scps, rcps                            [][]naiveStatement
}

type naiveStatement map[string]any

func naiveParse(o map[string]any) *naiveRequest {
	r := &naiveRequest{}
	r.principal, _ = o["principal"].(string)
	r.action, _ = o["action"].(string)
	r.resource, _ = o["resource"].(string)
	r.resourceAccount, _ = o["resourceAccount"].(string)
	if r.resourceAccount == "" {
		naiveRefuse("resourceAccount missing")
	}
	part := strings.SplitN(r.principal, ":", 6)
	switch {
	case r.principal == "anonymous":
		r.kind = "anonymous"
	case len(part) == 1 && strings.HasSuffix(r.principal, ".amazonaws.com"):
		r.kind = "service"
	case len(part) == 6 && part[2] == "iam" && part[5] == "root":
		r.kind, r.account = "root", part[4]
	case len(part) == 6 && part[2] == "iam" && strings.HasPrefix(part[5], "user/"):
		r.kind, r.account = "user", part[4]
		r.username = part[5][strings.LastIndex(part[5], "/")+1:]
	case len(part) == 6 && part[2] == "sts" && strings.HasPrefix(part[5], "assumed-role/"):
		r.kind, r.account = "role", part[4]
		r.role = "arn:" + part[1] + ":iam::" + part[4] + ":role/" + strings.Split(part[5], "/")[1]
	default:
		naiveRefuse("principal %q is not modelled", r.principal)
	}

	r.identity, _ = naiveDocuments(o["identityPolicies"])
	r.boundary, r.hasBoundary = naiveDocuments(o["permissionBoundaries"])
	r.session, r.hasSession = naiveDocuments(o["sessionPolicies"])
	r.endpoint, r.hasEndpoint = naiveDocuments(o["endpointPolicies"])
	if o["resourcePolicy"] != nil {
		r.resourcePolicy, _ = naiveDocuments([]any{o["resourcePolicy"]})
	}
	r.scps = naiveLevels(o["scps"])
	r.rcps = naiveLevels(o["rcps"])
	return r
}

func naiveLevels(v any) [][]naiveStatement {
	list, _ := v.([]any)
	var levels [][]naiveStatement
	for _, level := range list {
		statements, _ := naiveDocuments(level)
		levels = append(levels, statements)
	}
	return levels
}

// naiveDocuments gives all statements of a list of documents, and whether there
// is any document.
func naiveDocuments(v any) ([]naiveStatement, bool) {
	list, _ := v.([]any)
	var out []naiveStatement
	for _, d := range list {
		doc, ok := d.(map[string]any)
		if !ok {
			naiveRefuse("document is not an object")
		}
		if doc["Version"] != "2012-10-17" {
			naiveRefuse("Version %v is not modelled", doc["Version"])
		}
		switch s := doc["Statement"].(type) {
		case map[string]any:
			out = append(out, naiveStatement(s))
		case []any:
			for _, one := range s {
				out = append(out, naiveStatement(one.(map[string]any)))
			}
		default:
			naiveRefuse("no Statement")
		}
	}
	return out, len(list) > 0
}

// naiveStrings reads "one value or a list of values".
func naiveStrings(v any) []string {
	switch x := v.(type) {
	case nil:
		return []string{}
	case string:
		return []string{x}
	case bool:
		return []string{strconv.FormatBool(x)}
	case json.Number:
		return []string{x.String()}
	case []any:
		out := []string{}
		for _, one := range x {
			out = append(out, naiveStrings(one)...)
		}
		return out
	}
	naiveRefuse("value of type %T", v)
	return nil
}

// derived gives the keys that follow from the principal (lower case); the value
// "" says that the key is known to be absent.
func (r *naiveRequest) derived() map[string]string {
	d := map[string]string{
		"aws:principalarn":          "",
		"aws:principalaccount":      r.account,
		"aws:principaltype":         "",
		"aws:username":              "",
		"aws:principalisawsservice": "false",
		"aws:principalservicename":  "",
		"aws:resourceaccount":       r.resourceAccount,
	}
	// Keys that a caller of the kind never has (reference_policies_condition-keys).
	if r.kind != "service" {
		d["aws:sourcearn"] = ""
	}
	if r.kind == "service" || r.kind == "anonymous" {
		d["aws:multifactorauthage"] = ""
	}
	switch r.kind {
	case "user":
		d["aws:principalarn"] = r.principal
		d["aws:principaltype"] = "User"
		d["aws:username"] = r.username
	case "role":
		d["aws:principalarn"] = r.role
		d["aws:principaltype"] = "AssumedRole"
	case "root":
		d["aws:principalarn"] = r.principal
		d["aws:principaltype"] = "Account"
	case "service":
		d["aws:principalisawsservice"] = "true"
		d["aws:principalservicename"] = r.principal
	case "anonymous":
		d["aws:principaltype"] = "Anonymous"
	}
	return d
}

// ---------------------------------------------------------------------------
// b.5 to b.7: combination.

func (r *naiveRequest) decide(context map[string][]string) string {
	iamPrincipal := r.kind == "user" || r.kind == "role"
	scpApplies := iamPrincipal || r.kind == "root"
	service, _, _ := strings.Cut(r.action, ":")
	rcpApplies := false
	for _, supported := range []string{"s3", "sqs", "kms", "sts", "secretsmanager", "dynamodb"} {
		if strings.EqualFold(service, supported) {
			rcpApplies = true
		}
	}

	// 1. Explicit denies.
	deny := r.some("Deny", r.resourcePolicy, true, context) ||
		r.some("Deny", r.endpoint, true, context)
	if iamPrincipal {
		deny = deny || r.some("Deny", r.identity, false, context) ||
			r.some("Deny", r.boundary, false, context) ||
			r.some("Deny", r.session, false, context)
	}
	if scpApplies {
		for _, level := range r.scps {
			deny = deny || r.some("Deny", level, false, context)
		}
	}
	if rcpApplies {
		for _, level := range r.rcps {
			deny = deny || r.some("Deny", level, true, context)
		}
	}
	if deny {
		return "explicit-deny"
	}

	// 2. RCP: RCPFullAWSAccess allows at every level.

	// 3. SCP: every level must allow.
	if scpApplies {
		for _, level := range r.scps {
			if !r.some("Allow", level, false, context) {
				return "implicit-deny"
			}
		}
	}

	// 4. VPC endpoint.
	if r.hasEndpoint && !r.some("Allow", r.endpoint, true, context) {
		return "implicit-deny"
	}

	// The paths.
	boundaryOK := !r.hasBoundary || r.some("Allow", r.boundary, false, context)
	sessionOK := !r.hasSession || r.some("Allow", r.session, false, context)
	identityPath := r.some("Allow", r.identity, false, context) && boundaryOK && sessionOK
	if r.kind == "root" {
		identityPath = true
	}
	direct, byRole, byAccount := r.resourceGrants(context)

	allowed := false
	switch {
	case r.kind == "service" || r.kind == "anonymous":
		allowed = direct
	case r.account == r.resourceAccount:
		allowed = direct || byRole && boundaryOK && sessionOK || identityPath
	default:
		allowed = identityPath && (direct || byRole || byAccount)
	}
	if allowed {
		return "allowed"
	}
	return "implicit-deny"
}

// resourceGrants says in which ways the resource policy allows the request.
func (r *naiveRequest) resourceGrants(context map[string][]string) (direct, byRole, byAccount bool) {
	for _, s := range r.resourcePolicy {
		if s["Effect"] != "Allow" || !r.matchesButPrincipal(s, context) {
			continue
		}
		if _, not := s["NotPrincipal"]; not {
			naiveRefuse("NotPrincipal with Allow is not modelled")
		}
		d, ro, ac := r.principalMatch(s["Principal"])
		direct = direct || d
		byRole = byRole || ro
		byAccount = byAccount || ac
	}
	return
}

// some: a statement with this effect matches.
func (r *naiveRequest) some(effect string, statements []naiveStatement, principals bool, context map[string][]string) bool {
	for _, s := range statements {
		if s["Effect"] != "Allow" && s["Effect"] != "Deny" {
			naiveRefuse("Effect %v", s["Effect"])
		}
		if s["Effect"] != effect {
			continue
		}
		_, hasPrincipal := s["Principal"]
		_, hasNotPrincipal := s["NotPrincipal"]
		if principals != (hasPrincipal || hasNotPrincipal) {
			naiveRefuse("Principal missing or not allowed here: %v", s)
		}
		if hasPrincipal {
			d, ro, ac := r.principalMatch(s["Principal"])
			if !d && !ro && !ac {
				continue
			}
		}
		if hasNotPrincipal {
			if effect != "Deny" {
				naiveRefuse("NotPrincipal with Allow is not modelled")
			}
			if !r.notPrincipalDenies(s["NotPrincipal"]) {
				continue
			}
		}
		if r.matchesButPrincipal(s, context) {
			return true
		}
	}
	return false
}

// ---------------------------------------------------------------------------
// b.2: one statement.

func (r *naiveRequest) matchesButPrincipal(s naiveStatement, context map[string][]string) bool {
	// Action / NotAction
	if patterns, ok := s["Action"]; ok {
		if !naiveAnyAction(naiveStrings(patterns), r.action) {
			return false
		}
	} else if patterns, ok := s["NotAction"]; ok {
		if naiveAnyAction(naiveStrings(patterns), r.action) {
			return false
		}
	} else {
		naiveRefuse("no Action")
	}
	// Resource / NotResource
	if patterns, ok := s["Resource"]; ok {
		if !naiveAnyResource(naiveStrings(patterns), r.resource, context) {
			return false
		}
	} else if patterns, ok := s["NotResource"]; ok {
		if naiveAnyResource(naiveStrings(patterns), r.resource, context) {
			return false
		}
	} else {
		naiveRefuse("no Resource")
	}
	// Condition: AND over operators and keys
	if s["Condition"] != nil {
		for operator, block := range s["Condition"].(map[string]any) {
			for key, values := range block.(map[string]any) {
				if !naiveCondition(operator, key, naiveStrings(values), context) {
					return false
				}
			}
		}
	}
	return true
}

// principalMatch: how a Principal element matches the caller. direct: the caller
// itself or everyone; byRole: the role of the caller's session; byAccount: the
// account of the caller.
func (r *naiveRequest) principalMatch(element any) (direct, byRole, byAccount bool) {
	if element == "*" {
		return true, false, false
	}
	for kind, list := range element.(map[string]any) {
		for _, p := range naiveStrings(list) {
			switch kind {
			case "AWS":
				switch {
				case p == "*":
					direct = true
				case strings.Contains(p, "*"):
					naiveRefuse("wildcard in principal %q", p)
				case p == r.account || p == "arn:aws:iam::"+r.account+":root":
					if r.account != "" {
						byAccount = true
					}
				case p == r.principal:
					direct = true
				case r.kind == "role" && p == r.role:
					byRole = true
				}
			case "Service":
				if r.kind == "service" && p == r.principal {
					direct = true
				}
			case "Federated", "CanonicalUser": // none of the modelled callers
			default:
				naiveRefuse("principal type %q", kind)
			}
		}
	}
	return
}

// notPrincipalDenies: does a Deny with this NotPrincipal reach the caller?
func (r *naiveRequest) notPrincipalDenies(element any) bool {
	if element == "*" {
		naiveRefuse("NotPrincipal *")
	}
	listed := map[string]bool{}
	for kind, list := range element.(map[string]any) {
		for _, p := range naiveStrings(list) {
			if p == "*" {
				naiveRefuse("NotPrincipal *")
			}
			listed[kind+" "+p] = true
		}
	}
	if (r.kind == "user" || r.kind == "role") && r.hasBoundary {
		return true // whatever is listed
	}
	account := listed["AWS "+r.account] || listed["AWS arn:aws:iam::"+r.account+":root"]
	var needed []bool
	switch r.kind {
	case "service":
		needed = []bool{listed["Service "+r.principal]}
	case "anonymous":
		return true
	case "root":
		needed = []bool{account}
	case "user":
		needed = []bool{account, listed["AWS "+r.principal]}
	case "role":
		needed = []bool{account, listed["AWS "+r.role], listed["AWS "+r.principal]}
	}
	yes := 0
	for _, n := range needed {
		if n {
			yes++
		}
	}
	if yes != 0 && yes != len(needed) {
		naiveRefuse("NotPrincipal lists the caller in part: contested")
	}
	return yes == 0
}

func naiveAnyAction(patterns []string, action string) bool {
	for _, p := range patterns {
		if naiveAction(p, action) {
			return true
		}
	}
	return false
}

func naiveAction(pattern, action string) bool {
	if strings.Trim(pattern, " ,\t") != pattern {
		return false
	}
	if pattern == "*" {
		return true
	}
	patternService, patternName, ok := strings.Cut(strings.ToLower(pattern), ":")
	if !ok || strings.ContainsAny(patternService, "*?") {
		naiveRefuse("action pattern %q", pattern)
	}
	service, name, _ := strings.Cut(strings.ToLower(action), ":")
	return patternService == service && naiveGlob(naiveWild(patternName), []rune(name))
}

func naiveAnyResource(patterns []string, resource string, context map[string][]string) bool {
	for _, p := range patterns {
		if naiveResource(p, resource, context) {
			return true
		}
	}
	return false
}

func naiveResource(pattern, resource string, context map[string][]string) bool {
	if pattern == "*" {
		return true
	}
	p := naiveParts(pattern)
	inside := false // a wildcard stands within one of the first five parts
	for _, part := range p[:5] {
		if strings.Contains(part, "${") {
			naiveRefuse("variable before the fifth colon: %q", pattern)
		}
		inside = inside || strings.ContainsAny(strings.TrimRight(part, "*"), "*?")
	}
	if naiveARN(pattern, resource, context) {
		return true
	}
	// A '*' that ends a part reaches over colons.
	whole, ok := naiveExpand(pattern, context)
	far := ok && naiveGlob(whole, []rune(resource))
	if far && inside {
		naiveRefuse("how far %q reaches is open", pattern)
	}
	return far
}

// naiveParts cuts a pattern at its first five colons that are not in variables.
func naiveParts(pattern string) []string {
	var parts []string
	last, depth := 0, 0
	for i, c := range pattern {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == ':' && depth == 0 && len(parts) < 5:
			parts = append(parts, pattern[last:i])
			last = i + 1
		}
	}
	parts = append(parts, pattern[last:])
	if len(parts) != 6 {
		naiveRefuse("ARN with fewer than six parts: %q", pattern)
	}
	return parts
}

// naiveARN matches the six colon parts one by one.
func naiveARN(pattern, value string, context map[string][]string) bool {
	p := naiveParts(pattern)
	v := strings.SplitN(value, ":", 6)
	if len(v) != 6 {
		naiveRefuse("ARN with fewer than six parts: %q", value)
	}
	for i := range p {
		part, ok := naiveExpand(p[i], context)
		if !ok || !naiveGlob(part, []rune(v[i])) {
			return false
		}
	}
	return true
}

// naiveRune is one element of a pattern: a literal character, or '*' or '?' as wildcard.
type naiveRune struct {
	char rune
	wild bool
}

func naiveWild(s string) []naiveRune {
	var out []naiveRune
	for _, c := range s {
		out = append(out, naiveRune{c, c == '*' || c == '?'})
	}
	return out
}

func naiveGlob(p []naiveRune, s []rune) bool {
	if len(p) == 0 {
		return len(s) == 0
	}
	if p[0].wild && p[0].char == '*' {
		return naiveGlob(p[1:], s) || len(s) > 0 && naiveGlob(p, s[1:])
	}
	if len(s) == 0 {
		return false
	}
	if p[0].wild || p[0].char == s[0] {
		return naiveGlob(p[1:], s[1:])
	}
	return false
}

// naiveExpand replaces policy variables (b.4); false: one cannot be resolved.
func naiveExpand(s string, context map[string][]string) ([]naiveRune, bool) {
	var out []naiveRune
	for {
		before, rest, found := strings.Cut(s, "${")
		out = append(out, naiveWild(before)...)
		if !found {
			return out, true
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			naiveRefuse("variable not closed in %q", s)
		}
		s = after
		key, fallback, hasFallback := strings.Cut(inner, ",")
		var text string
		switch values := context[strings.ToLower(strings.TrimSpace(key))]; {
		case inner == "*" || inner == "?" || inner == "$":
			text = inner
		case len(values) == 1:
			text = values[0]
		case len(values) > 1:
			naiveRefuse("multi-valued key as variable")
		case hasFallback:
			text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(fallback), "'"), "'")
		default:
			return nil, false
		}
		for _, c := range text {
			out = append(out, naiveRune{c, false})
		}
	}
}
