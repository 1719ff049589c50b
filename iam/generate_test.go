package iam_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The tiny universe of the oracle.

const (
	genOwn   = "111111111111"
	genOther = "222222222222"
)

// gen holds what the parts of one generated request share.
type gen struct {
	t                 *rapid.T
	kind              string // user, role, root, service, anonymous
	account           string // of the principal, "" if it has none
	principal         string
	action            string
	resource          string
	resourceAccount   string
	complete          bool
	hasBoundary       bool
	hasSession        bool
	keys              []string // condition keys that may be used
	tagKeysConditions int
	context           map[string]any
}

// coin is true with probability 1/2^k.
func (g *gen) coin(k int) bool {
	for i := 0; i < k; i++ {
		if !rapid.Bool().Draw(g.t, "coin") {
			return false
		}
	}
	return true
}

func genPick[T any](g *gen, from ...T) T {
	if len(from) == 1 {
		return from[0]
	}
	// Uniform enough, unlike SampledFrom, which prefers small indexes.
	i := 0
	for n := 1; n < 4*len(from); n *= 2 {
		i *= 2
		if rapid.Bool().Draw(g.t, "pick") {
			i++
		}
	}
	return from[i%len(from)]
}

// oneOrList: a single value, or the list; a list of one may appear as either.
func (g *gen) oneOrList(values []string) any {
	if len(values) == 1 && g.coin(1) {
		return values[0]
	}
	return values
}

// some draws 1 to 3 values.
func (g *gen) some(draw func() string) any {
	values := []string{draw()}
	for len(values) < 3 && g.coin(2) {
		values = append(values, draw())
	}
	return g.oneOrList(values)
}

// generated draws a request in the format of docs/iam.md over a tiny universe.
func generated(t *rapid.T) []byte {
	g := &gen{t: t, context: map[string]any{}}
	g.complete = !g.coin(2)

	// The principal.
	g.kind = genPick(g, "user", "role", "user", "role", "user", "role", "user", "role", "root", "service", "anonymous", "role")
	g.account = genPick(g, genOwn, genOwn, genOwn, genOther)
	switch g.kind {
	case "user":
		g.principal = "arn:aws:iam::" + g.account + ":user/ann"
	case "role":
		g.principal = "arn:aws:sts::" + g.account + ":assumed-role/R/s"
	case "root":
		g.principal = "arn:aws:iam::" + g.account + ":root"
	case "service":
		g.account, g.principal = "", "lambda.amazonaws.com"
	case "anonymous":
		g.account, g.principal = "", "anonymous"
	}

	// Action and resource.
	g.action = genPick(g, "s3:Get", "s3:Get", "s3:Get", "s3:GetX", "s3:Put", "sqs:Get", "sqs:Get", "lambda:Get")
	g.resourceAccount = genPick(g, genOwn, genOwn, genOwn, genOther)
	switch {
	case strings.HasPrefix(g.action, "s3:"):
		g.resource = "arn:aws:s3:::" + genPick(g, "a", "ab", "a/b", "a", "ab", "a/b", "a/ann", "a/d", "A")
	case strings.HasPrefix(g.action, "sqs:"):
		g.resource = "arn:aws:sqs:r:" + g.resourceAccount + ":" + genPick(g, "a", "b")
	default:
		g.resource = "arn:aws:lambda:r:" + g.resourceAccount + ":function:" + genPick(g, "a", "ab")
	}

	g.drawContext()

	q := map[string]any{
		"principal":       g.principal,
		"action":          g.action,
		"resource":        g.resource,
		"resourceAccount": g.resourceAccount,
		"contextComplete": g.complete,
	}

	iamPrincipal := g.kind == "user" || g.kind == "role"
	if iamPrincipal || g.kind == "root" {
		if iamPrincipal && !g.coin(3) || g.coin(3) {
			q["identityPolicies"] = g.documents(2, "", false)
		}
		if iamPrincipal && g.coin(2) {
			g.hasBoundary = true
			q["permissionBoundaries"] = g.documents(2, "", true)
		}
		if g.kind == "role" && g.coin(2) {
			g.hasSession = true
			q["sessionPolicies"] = g.documents(2, "", true)
		}
		if g.coin(2) {
			var levels []any
			for n := genPick(g, 1, 2, 2, 3); n > 0; n-- {
				if g.coin(5) {
					levels = append(levels, []any{}) // allows nothing
					continue
				}
				level := g.documents(2, "", true)
				if !g.coin(2) {
					level = append(level, g.document([]any{map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"}}))
				}
				levels = append(levels, level)
			}
			q["scps"] = levels
		}
		if g.coin(3) {
			q["endpointPolicies"] = g.documents(2, "everyone", true)
		}
	}
	needsResourcePolicy := !iamPrincipal || g.account != g.resourceAccount
	if g.coin(1) || needsResourcePolicy && !g.coin(3) {
		q["resourcePolicy"] = g.documents(1, "resource", false)[0]
	}
	// An RCP on lambda is contested (row 4).
	if !strings.HasPrefix(g.action, "lambda:") && g.coin(2) {
		var levels []any
		for n := genPick(g, 1, 1, 2); n > 0; n-- {
			level := []any{}
			if g.coin(1) {
				level = append(level, g.document([]any{map[string]any{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}))
			}
			if !g.coin(2) {
				level = append(level, g.documents(1, "rcp", false)...)
			}
			levels = append(levels, level)
		}
		q["rcps"] = levels
	}
	if len(g.context) > 0 || g.coin(1) {
		q["context"] = g.context
	}

	out, err := json.Marshal(q)
	if err != nil {
		panic(err)
	}
	return out
}

// ---------------------------------------------------------------------------
// Context.

var genFreeKeys = []string{
	"aws:PrincipalTag/a", "aws:SourceIp", "aws:SecureTransport", "aws:MultiFactorAuthAge",
	"aws:SourceArn", "aws:CurrentTime", "aws:TagKeys",
}

func (g *gen) drawContext() {
	free := genFreeKeys
	if !g.complete { // at most two keys can be open
		first := genPick(g, genFreeKeys...)
		second := genPick(g, genFreeKeys...)
		free = []string{first}
		if second != first {
			free = append(free, second)
		}
	}
	for _, key := range free {
		state := g.coin(1)
		if !g.complete {
			state = g.coin(2)
		}
		if !state {
			continue
		}
		name := key
		if g.coin(3) {
			name = strings.ToLower(name)
		}
		if key == "aws:TagKeys" {
			values := []string{}
			for n := genPick(g, 1, 1, 1, 2, 2, 3, 0); n > 0; n-- {
				values = append(values, genPick(g, "a", "b", "ab", "A", "z"))
			}
			g.context[name] = values
			continue
		}
		g.context[name] = []string{g.value(key)}
	}
	g.keys = append(g.keys, free...)
	if !g.complete { // prefer them to the derived keys below
		g.keys = append(g.keys, free...)
		g.keys = append(g.keys, free...)
	}
	if g.kind != "service" { // are they there for services? left open
		g.keys = append(g.keys, "aws:PrincipalArn", "aws:PrincipalAccount")
	}
}

// value draws the value of a single-valued key of the request.
func (g *gen) value(key string) string {
	switch key {
	case "aws:PrincipalTag/a":
		return genPick(g, "a", "b", "ab", "A", "a", "b", "z", "a/b", "*")
	case "aws:SourceIp":
		return genPick(g, "10.0.0.1", "10.1.0.9", "10.2.0.1", "192.0.2.7", "8.8.8.8", "2001:db8::1", "2002::1")
	case "aws:SecureTransport":
		return genPick(g, "true", "false")
	case "aws:MultiFactorAuthAge":
		return genPick(g, "100", "99", "101", "3600", "100.0", "100.5")
	case "aws:SourceArn":
		return genPick(g, "arn:aws:s3:::a", "arn:aws:s3:::ab", "arn:aws:sqs:r:111111111111:a",
			"arn:aws:lambda:r:111111111111:function:a", "arn:aws:sqs:r:222222222222:a")
	case "aws:CurrentTime":
		return genPick(g, "2025-01-01T00:00:00Z", "2024-12-31T23:59:59Z", "2025-06-01T12:00:00Z", "2026-03-01T00:00:00Z")
	}
	panic(key)
}

// ---------------------------------------------------------------------------
// Conditions.

func (g *gen) conditions() map[string]any {
	out := map[string]any{}
	for {
		g.condition(out)
		if !g.coin(2) {
			return out
		}
	}
}

func (g *gen) condition(into map[string]any) {
	key := genPick(g, g.keys...)
	if key == "aws:TagKeys" {
		if g.tagKeysConditions == 3 && !g.complete { // the oracle tries sets of up to three
			return
		}
		g.tagKeysConditions++
	}
	var operator string
	var values any
	ifExists := g.coin(2)

	if g.coin(3) {
		operator, ifExists = "Null", false
		values = genPick[any](g, "true", "false", true, []string{"true"}, []string{"false"})
	} else {
		switch key {
		case "aws:PrincipalTag/a":
			operator, values = g.stringCondition(
				[]string{"a", "b", "ab", "A", "z", "a*"}, []string{"a*", "*b", "?", "?b", "a?", "*", "ab"})
			if g.complete && g.coin(3) { // a set operator on a single-valued key
				operator, ifExists = g.setOperator(operator, ifExists)
			}
		case "aws:TagKeys":
			operator, values = g.stringCondition(
				[]string{"a", "b", "ab", "A"}, []string{"a*", "*b", "a", "b"})
			operator, ifExists = g.setOperator(operator, ifExists)
		case "aws:SourceIp":
			operator = genPick(g, "IpAddress", "NotIpAddress")
			values = g.some(func() string {
				return genPick(g, "10.0.0.0/8", "10.1.0.0/16", "10.0.0.1", "10.0.0.1/32", "192.0.2.0/24", "2001:db8::/32", "2001:db8::1")
			})
		case "aws:SecureTransport":
			operator = "Bool"
			values = genPick[any](g, "true", "false", true, false, []string{"true"}, []string{"true", "false"})
		case "aws:MultiFactorAuthAge":
			operator = genPick(g, "NumericLessThan", "NumericEquals")
			values = genPick[any](g, "100", "101", "3600", 100, []string{"100", "3600"}, "100.5", "100.0")
		case "aws:SourceArn":
			operator = genPick(g, "ArnLike", "ArnNotLike", "ArnLike", "ArnNotLike", "StringLike", "StringEquals", "StringNotLike", "StringNotEquals")
			values = g.some(func() string {
				if strings.HasSuffix(operator, "Equals") {
					return genPick(g, "arn:aws:s3:::a", "arn:aws:s3:::ab", "arn:aws:sqs:r:111111111111:a")
				}
				return genPick(g, "arn:aws:s3:::a", "arn:aws:s3:::a*", "arn:aws:s3:::*", "arn:aws:sqs:*:111111111111:*",
					"arn:aws:*:*:*:a", "arn:aws:*:*:*:function:?", "arn:aws:sqs:?:222222222222:a")
			})
		case "aws:CurrentTime":
			operator = "DateLessThan"
			values = g.some(func() string {
				return genPick(g, "2025-01-01T00:00:00Z", "2025-06-01T12:00:01Z", "2026-01-01T00:00:00Z", "2025-01-01T01:00:00+01:00")
			})
		case "aws:PrincipalArn":
			operator = genPick(g, "ArnLike", "ArnNotLike", "StringLike", "StringEquals", "StringNotLike", "StringNotEquals")
			if g.coin(2) && strings.HasPrefix(operator, "String") {
				values = "arn:aws:iam::111111111111:user/" + genPick(g, g.variables()...)
			} else {
				values = g.some(func() string {
					return genPick(g, "arn:aws:iam::111111111111:user/ann", "arn:aws:iam::*:user/*", "arn:aws:iam::111111111111:role/R",
						"arn:aws:iam::*:role/?", "arn:aws:iam::111111111111:*", "arn:aws:iam::222222222222:root", "arn:*:*::*:user/a?n")
				})
			}
		case "aws:PrincipalAccount":
			operator = genPick(g, "StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
			values = g.some(func() string { return genPick(g, genOwn, genOther, "1*", "?22222222222") })
		}
	}
	if ifExists {
		operator += "IfExists"
	}

	name := key
	if g.coin(3) {
		name = strings.ToLower(name)
	} else if g.coin(3) {
		name = strings.Replace(name, "aws:", "AWS:", 1)
	}
	block, _ := into[operator].(map[string]any)
	if block == nil {
		block = map[string]any{}
		into[operator] = block
	}
	block[name] = values
}

// setOperator adds a set operator; ForAnyValue with IfExists is contested (row 9).
func (g *gen) setOperator(operator string, ifExists bool) (string, bool) {
	if g.coin(1) {
		return "ForAnyValue:" + operator, false
	}
	return "ForAllValues:" + operator, ifExists
}

func (g *gen) stringCondition(literals, globs []string) (string, any) {
	operator := genPick(g, "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase")
	like := strings.HasSuffix(operator, "Like")
	if operator != "StringEqualsIgnoreCase" && g.coin(3) {
		// A variable stands alone: what an unresolvable one among other values
		// does is left open.
		v := genPick(g, g.variables()...)
		if like && g.coin(1) {
			v += "*"
		}
		return operator, g.oneOrList([]string{v})
	}
	if like {
		return operator, g.some(func() string { return genPick(g, globs...) })
	}
	return operator, g.some(func() string { return genPick(g, literals...) })
}

// variables lists the policy variables that may be used.
func (g *gen) variables() []string {
	out := []string{"${aws:username}", "${AWS:UserName, 'a'}"}
	if slices.Contains(g.keys, "aws:PrincipalTag/a") {
		out = append(out, "${aws:PrincipalTag/a}", "${aws:PrincipalTag/a, 'd'}", "${aws:principaltag/a}", "${aws:PrincipalTag/a,'b'}")
	}
	return out
}

// ---------------------------------------------------------------------------
// Documents.

func (g *gen) document(statements []any) map[string]any {
	doc := map[string]any{"Version": "2012-10-17", "Statement": statements}
	if len(statements) == 1 && g.coin(1) {
		doc["Statement"] = statements[0]
	}
	return doc
}

// documents draws 1 to most documents. principals: "" for none, "everyone" (endpoint
// policies), "resource" (all forms) or "rcp" (Deny for "*" only). broad: Allows
// are often broad, as in boundaries.
func (g *gen) documents(most int, principals string, broad bool) []any {
	var out []any
	for {
		statements := []any{g.statement(principals, broad)}
		for len(statements) < 3 && g.coin(1) {
			statements = append(statements, g.statement(principals, broad))
		}
		out = append(out, g.document(statements))
		if len(out) == most || !g.coin(2) {
			return out
		}
	}
}

func (g *gen) statement(principals string, broad bool) map[string]any {
	s := map[string]any{"Effect": "Allow"}
	if principals == "rcp" || g.coin(2) {
		s["Effect"] = "Deny"
	}
	allow := s["Effect"] == "Allow"
	if g.coin(3) {
		s["Sid"] = "S"
	}

	// Principal
	switch principals {
	case "everyone":
		s["Principal"] = genPick[any](g, "*", map[string]any{"AWS": "*"})
	case "rcp":
		s["Principal"] = "*"
	case "resource":
		if !allow && g.coin(1) {
			s["NotPrincipal"] = g.notPrincipal()
		} else {
			s["Principal"] = g.principalElement(allow)
		}
	}

	// Action
	action := func() string {
		if g.coin(1) || broad && allow && g.coin(1) {
			service, _, _ := strings.Cut(g.action, ":")
			return genPick(g, g.action, service+":*", "*")
		}
		return genPick(g, "s3:Get", "s3:GetX", "s3:Put", "s3:G*", "s3:*", "*", "s3:?et", "S3:get", "sqs:Get", "sqs:*", "lambda:*", "lambda:get", "s3:Get?", "s3:Get ")
	}
	if g.coin(3) {
		s["NotAction"] = g.some(func() string {
			return genPick(g, "s3:Put", "s3:GetX", "sqs:*", "s3:Get", "s3:?et", "lambda:Get", "S3:g*", " s3:Get")
		})
	} else {
		s["Action"] = g.some(action)
	}

	// Resource
	patterns := g.resourcePatterns()
	resource := func() string {
		if g.coin(1) || broad && allow && g.coin(1) {
			return genPick(g, "*", g.resource)
		}
		return genPick(g, patterns...)
	}
	if g.coin(3) {
		s["NotResource"] = g.some(func() string { return genPick(g, patterns...) })
	} else {
		s["Resource"] = g.some(resource)
	}

	// Condition
	odds := 1
	if allow && g.complete {
		odds = 2
	}
	if g.coin(odds) {
		if c := g.conditions(); len(c) > 0 {
			s["Condition"] = c
		}
	}
	return s
}

// resourcePatterns: all have six parts or are "*", and none matches across colons
// what it does not match part by part (row 8).
func (g *gen) resourcePatterns() []string {
	out := []string{
		"arn:aws:s3:::a", "arn:aws:s3:::ab", "arn:aws:s3:::a/b", "arn:aws:s3:::*", "arn:aws:s3:::a*", "arn:aws:s3:::a?",
		"arn:aws:s3:::a/*", "arn:aws:s3:::?", "arn:*:s3:::*b", "arn:aws:s3:::*/*",
		"arn:aws:sqs:r:111111111111:a", "arn:aws:sqs:*:111111111111:*", "arn:aws:*:*:111111111111:a", "arn:aws:sqs:?:*:a", "arn:aws:sqs:r:222222222222:*",
		"arn:aws:lambda:r:111111111111:function:a", "arn:aws:lambda:*:111111111111:function:*", "arn:aws:lambda:r:*:function:a?",
	}
	for _, v := range g.variables() {
		out = append(out, "arn:aws:s3:::a/"+v)
		if g.complete { // otherwise the empty value, which is left open, could matter
			out = append(out, "arn:aws:s3:::a"+v, "arn:aws:s3:::"+v+"*")
		}
		if strings.Contains(strings.ToLower(v), "principaltag") {
			out = append(out, "arn:aws:s3:::"+v, "arn:aws:sqs:r:*:"+v, "arn:aws:s3:::?/"+v)
		}
	}
	return out
}

// ---------------------------------------------------------------------------
// Principals.

func genRole(account string) string    { return "arn:aws:iam::" + account + ":role/R" }
func genSession(account string) string { return "arn:aws:sts::" + account + ":assumed-role/R/s" }

// principalElement draws a Principal in any form.
func (g *gen) principalElement(allow bool) any {
	// A same-account direct Allow with session policies is contested (row 1).
	noDirect := allow && g.hasSession && g.account == g.resourceAccount

	if !noDirect && g.coin(2) {
		return genPick[any](g, "*", map[string]any{"AWS": "*"})
	}
	aws := func() string {
		if g.account != "" && g.coin(1) { // something that matches
			own := []string{g.account, "arn:aws:iam::" + g.account + ":root"}
			if g.kind == "role" {
				own = append(own, genRole(g.account), genRole(g.account))
			}
			if !noDirect {
				own = append(own, g.principal, g.principal)
			}
			return genPick(g, own...)
		}
		account := genPick(g, genOwn, genOther)
		others := []string{
			account, "arn:aws:iam::" + account + ":root", "arn:aws:iam::" + account + ":user/bob",
			"arn:aws:iam::" + account + ":role/Q", "arn:aws:sts::" + account + ":assumed-role/R/t",
			"arn:aws:iam::" + account + ":user/ann", genRole(account),
		}
		if !noDirect {
			others = append(others, genSession(account), "*")
		}
		return genPick(g, others...)
	}
	service := func() string { return genPick(g, "lambda.amazonaws.com", "s3.amazonaws.com") }
	element := map[string]any{}
	if g.kind == "service" {
		if !g.coin(3) {
			element["Service"] = g.some(service)
		}
		if g.coin(2) || len(element) == 0 {
			element["AWS"] = g.some(aws)
		}
		return element
	}
	if !g.coin(4) {
		element["AWS"] = g.some(aws)
	}
	if g.coin(3) || len(element) == 0 {
		element["Service"] = g.some(service)
	}
	if g.coin(5) {
		element["Federated"] = "arn:aws:iam::111111111111:saml-provider/p"
	}
	if g.coin(5) {
		element["CanonicalUser"] = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
	}
	return element
}

// notPrincipal lists the caller in full (account, role, session) or not at all:
// what a part of it does is contested (row 12).
func (g *gen) notPrincipal() any {
	element := map[string]any{}
	foreign := genOther
	if g.account == genOther {
		foreign = genOwn
	}
	list := []string{genPick(g, foreign, "arn:aws:iam::"+foreign+":root", "arn:aws:iam::"+genOwn+":user/bob", "arn:aws:iam::"+foreign+":role/R")}
	if g.coin(1) {
		list = nil
	}
	if g.kind == "service" {
		if !g.coin(2) {
			element["Service"] = g.oneOrList([]string{genPick(g, g.principal, g.principal, "s3.amazonaws.com")})
		}
	} else if g.account != "" && !g.coin(2) {
		list = append(list, genPick(g, g.account, "arn:aws:iam::"+g.account+":root"))
		switch g.kind {
		case "user":
			list = append(list, g.principal)
		case "role":
			list = append(list, genRole(g.account), g.principal)
		}
	}
	if len(list) == 0 && len(element) == 0 {
		list = []string{"arn:aws:iam::" + genOwn + ":user/bob"}
	}
	if len(list) > 0 {
		element["AWS"] = g.oneOrList(list)
	}
	return element
}

// ---------------------------------------------------------------------------
// Tests of the oracle itself.

// TestGeneratedBalance checks that every decision is frequent enough among the
// generated requests and that the oracle can decide all of them.
func TestGeneratedBalance(t *testing.T) {
	const requests = 4000
	requestOf := rapid.Custom(generated)
	counts := map[string]int{}
	byKind := map[string]map[string]int{}
	var slowest time.Duration
	var slow []byte
	for seed := 1; seed <= requests; seed++ {
		request := requestOf.Example(seed)
		start := time.Now()
		decision, err := naive(request)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, request)
		}
		if d := time.Since(start); d > slowest {
			slowest, slow = d, request
		}
		counts[decision]++
		var q map[string]any
		if err := json.Unmarshal(request, &q); err != nil {
			t.Fatal(err)
		}
		kind := naiveParse(q).kind
		if account := naiveParse(q).account; account != "" && account != q["resourceAccount"] {
			kind += " cross"
		}
		kind += fmt.Sprintf(" complete=%v", q["contextComplete"])
		if byKind[kind] == nil {
			byKind[kind] = map[string]int{}
		}
		byKind[kind][decision]++
	}
	t.Logf("%v", counts)
	for kind, c := range byKind {
		t.Logf("  %-28s %v", kind, c)
	}
	t.Logf("slowest %v: %s", slowest, slow)
	for _, decision := range []string{"allowed", "explicit-deny", "implicit-deny", "unknown"} {
		if counts[decision]*100 < requests {
			t.Errorf("%s: only %d of %d", decision, counts[decision], requests)
		}
	}
}
