package iam_test

import (
	"math/big"
	"net/netip"
	"sort"
	"strings"
	"testing"
	"time"
)

// ---------------------------------------------------------------------------
// b.3: conditions.

func naiveCondition(operator, key string, policyValues []string, context map[string][]string) bool {
	values := context[strings.ToLower(key)] // nil or empty: absent

	empty := len(values) > 0 && strings.Join(values, "") == "" // a null data set

	base, set := operator, ""
	for _, prefix := range []string{"ForAllValues:", "ForAnyValue:"} {
		if strings.HasPrefix(base, prefix) {
			base, set = strings.TrimPrefix(base, prefix), prefix
		}
	}
	ifExists := strings.HasSuffix(base, "IfExists")
	base = strings.TrimSuffix(base, "IfExists")

	if base == "Null" {
		if set != "" || ifExists || len(policyValues) != 1 {
			naiveRefuse("Null with set operator, IfExists or several values")
		}
		absent := len(values) == 0 || empty
		if _, stated := context[strings.ToLower(key)]; stated && !naiveEmptyIsNull {
			absent = false
		}
		switch policyValues[0] {
		case "true":
			return absent
		case "false":
			return !absent
		}
		naiveRefuse("Null %q", policyValues[0])
	}

	negated := strings.Contains(base, "Not")
	positive := strings.Replace(base, "Not", "", 1)
	// test: one request value against all policy values (OR; negated: NOR).
	test := func(value string) bool {
		for _, p := range policyValues {
			if naiveMatches(positive, p, value, context) {
				return !negated
			}
		}
		return negated
	}

	if empty && set != "" {
		return set == "ForAllValues:"
	}
	switch set {
	case "ForAllValues:":
		for _, v := range values {
			if !test(v) {
				return false
			}
		}
		return true
	case "ForAnyValue:":
		if ifExists {
			naiveRefuse("ForAnyValue with IfExists: contested")
		}
		for _, v := range values {
			if test(v) {
				return true
			}
		}
		return false
	}
	switch len(values) {
	case 0:
		return ifExists || negated
	case 1:
		return test(values[0])
	}
	naiveRefuse("several values without set operator: contested")
	return false
}

// naiveMatches: does one request value match one policy value under a positive operator?
func naiveMatches(operator, policy, value string, context map[string][]string) bool {
	switch operator {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike":
		pattern, ok := naiveExpand(policy, context)
		if !ok {
			return false
		}
		if operator == "StringLike" {
			return naiveGlob(pattern, []rune(value))
		}
		text := ""
		for _, c := range pattern {
			text += string(c.char)
		}
		if operator == "StringEqualsIgnoreCase" {
			return strings.EqualFold(text, value)
		}
		return text == value
	case "ArnLike", "ArnEquals":
		return naiveARN(policy, value, context)
	case "Bool":
		if value != "true" && value != "false" || policy != "true" && policy != "false" {
			naiveRefuse("Bool %q, %q", policy, value)
		}
		return policy == value
	case "NumericEquals":
		return naiveNumber(value).Cmp(naiveNumber(policy)) == 0
	case "NumericLessThan":
		return naiveNumber(value).Cmp(naiveNumber(policy)) < 0
	case "DateLessThan":
		return naiveDate(value).Before(naiveDate(policy))
	case "IpAddress":
		prefix, err := netip.ParsePrefix(policy)
		if err != nil {
			single, err := netip.ParseAddr(policy)
			if err != nil {
				naiveRefuse("address %q", policy)
			}
			prefix = netip.PrefixFrom(single, single.BitLen())
		}
		address, err := netip.ParseAddr(value)
		if err != nil {
			naiveRefuse("address %q", value)
		}
		return prefix.Contains(address)
	}
	naiveRefuse("operator %q", operator)
	return false
}

func naiveNumber(s string) *big.Rat {
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		naiveRefuse("number %q", s)
	}
	return n
}

func naiveDate(s string) time.Time {
	d, err := time.Parse(time.RFC3339, s)
	if err != nil {
		naiveRefuse("date %q", s)
	}
	return d
}

// ---------------------------------------------------------------------------
// Completions of an incomplete context.

func (r *naiveRequest) allStatements() []naiveStatement {
	var all []naiveStatement
	for _, list := range [][]naiveStatement{r.identity, r.boundary, r.session, r.endpoint, r.resourcePolicy} {
		all = append(all, list...)
	}
	for _, levels := range [][][]naiveStatement{r.scps, r.rcps} {
		for _, level := range levels {
			all = append(all, level...)
		}
	}
	return all
}

// eachCondition calls f for every (operator, key in lower case, values).
func (r *naiveRequest) eachCondition(f func(operator, key string, values []string)) {
	for _, s := range r.allStatements() {
		conditions, _ := s["Condition"].(map[string]any)
		for operator, block := range conditions {
			for key, values := range block.(map[string]any) {
				f(operator, strings.ToLower(key), naiveStrings(values))
			}
		}
	}
}

func (r *naiveRequest) resourcePatterns() []string {
	var all []string
	for _, s := range r.allStatements() {
		all = append(all, naiveStrings(s["Resource"])...)
		all = append(all, naiveStrings(s["NotResource"])...)
	}
	return all
}

// naiveVariables lists the keys of the variables in s, in lower case.
func naiveVariables(s string) []string {
	var keys []string
	for {
		_, rest, found := strings.Cut(s, "${")
		if !found {
			return keys
		}
		inner, after, _ := strings.Cut(rest, "}")
		key, _, _ := strings.Cut(inner, ",")
		key = strings.ToLower(strings.TrimSpace(key))
		if key != "*" && key != "?" && key != "$" {
			keys = append(keys, key)
		}
		s = after
	}
}

// keysInPolicies: keys in conditions and in variables.
func (r *naiveRequest) keysInPolicies() map[string]bool {
	keys := map[string]bool{}
	r.eachCondition(func(_, key string, values []string) {
		keys[key] = true
		for _, v := range values {
			for _, k := range naiveVariables(v) {
				keys[k] = true
			}
		}
	})
	for _, p := range r.resourcePatterns() {
		for _, k := range naiveVariables(p) {
			keys[k] = true
		}
	}
	return keys
}

// naiveWords: all words over the alphabet with 1 to n letters.
func naiveWords(alphabet string, n int) []string {
	if n == 0 {
		return nil
	}
	var out []string
	for _, c := range alphabet {
		out = append(out, string(c))
		for _, w := range naiveWords(alphabet, n-1) {
			out = append(out, string(c)+w)
		}
	}
	return out
}

// naiveSingleValued: never a list, even where used with a set operator.
var naiveSingleValued = map[string]bool{
	"aws:principaltag/a": true, "aws:sourceip": true, "aws:securetransport": true,
	"aws:multifactorauthage": true, "aws:sourcearn": true, "aws:currenttime": true,
}

// pool lists what an open key may be: nil is "absent", otherwise its values.
func (r *naiveRequest) pool(key string, context map[string][]string) [][]string {
	literals := map[string]bool{}
	setOperator := false
	r.eachCondition(func(operator, k string, values []string) {
		if strings.HasPrefix(operator, "For") && k == key {
			setOperator = true
		}
		if k != key || operator == "Null" {
			return
		}
		for _, v := range values {
			if !strings.Contains(v, "${") {
				literals[v] = true
			}
		}
	})

	single := map[string]bool{} // the possible values
	switch key {
	case "aws:securetransport":
		single["true"], single["false"] = true, true
	case "aws:multifactorauthage":
		single["7777777"] = true
		single["0"] = true
		for l := range literals {
			n := naiveNumber(l)
			for _, d := range []int64{-1, 0, 1} {
				sum := new(big.Rat).Add(n, big.NewRat(d, 4))
				if sum.Sign() >= 0 {
					single[sum.FloatString(4)] = true
				}
			}
		}
	case "aws:currenttime":
		single["2099-01-01T00:00:00Z"] = true
		for l := range literals {
			for _, d := range []time.Duration{-time.Second, 0, time.Second} {
				single[naiveDate(l).Add(d).UTC().Format(time.RFC3339)] = true
			}
		}
	case "aws:sourceip":
		for _, a := range []string{"10.0.0.1", "10.0.0.2", "10.1.0.9", "10.2.0.1", "192.0.2.7", "8.8.8.8", "2001:db8::1", "2001:db8:1::1", "2002::1"} {
			single[a] = true
		}
		for l := range literals {
			address, _, _ := strings.Cut(l, "/")
			single[address] = true
		}
	case "aws:sourcearn":
		for _, service := range []string{"s3", "sqs", "lambda", "zz"} {
			for _, region := range []string{"", "r", "zz"} {
				for _, account := range []string{"", "111111111111", "222222222222"} {
					for _, tail := range []string{"a", "ab", "a/b", "function:a", "zz"} {
						single["arn:aws:"+service+":"+region+":"+account+":"+tail] = true
					}
				}
			}
		}
		for l := range literals {
			single[l] = true
			single[strings.NewReplacer("*", "", "?", "z").Replace(l)] = true
			single[strings.NewReplacer("*", "zq", "?", "z").Replace(l)] = true
		}
	case "aws:tagkeys":
		for _, w := range []string{"a", "b", "ab", "az", "zb", "azb", "zz"} {
			single[w] = true
		}
	default: // plain strings
		for _, w := range naiveWords("abz", 3) {
			single[w] = true
		}
		for _, w := range naiveWords("aAbB", 2) {
			single[w] = true
		}
		single["fresh"] = true
	}
	switch key {
	case "aws:securetransport", "aws:multifactorauthage", "aws:currenttime", "aws:sourceip", "aws:sourcearn":
	default:
		for l := range literals {
			single[l] = true
			for _, star := range []string{"", "z"} {
				if w := strings.NewReplacer("*", star, "?", "z").Replace(l); w != "" {
					single[w] = true
				}
			}
		}
		for _, w := range r.wordsNearVariables(key, context) {
			single[w] = true
		}
	}

	values := []string{}
	for v := range single {
		values = append(values, v)
	}
	sort.Strings(values)
	pool := [][]string{nil}
	for _, v := range values {
		pool = append(pool, []string{v})
	}
	if key == "aws:tagkeys" || setOperator && !naiveSingleValued[key] {
		pool = append(pool, []string{})
		for i := range values {
			for j := i + 1; j < len(values); j++ {
				pool = append(pool, []string{values[i], values[j]})
				for k := j + 1; k < len(values) && key == "aws:tagkeys"; k++ {
					pool = append(pool, []string{values[i], values[j], values[k]})
				}
			}
		}
	}
	return pool
}

// wordsNearVariables: strings that can make a pattern with the variable ${key}
// match: all substrings of what such patterns are compared with; and, when the
// key is itself compared with a variable, the values that variable may have.
func (r *naiveRequest) wordsNearVariables(key string, context map[string][]string) []string {
	var texts []string
	mentions := func(s string) bool {
		for _, k := range naiveVariables(s) {
			if k == key {
				return true
			}
		}
		return false
	}
	for _, p := range r.resourcePatterns() {
		if mentions(p) {
			texts = append(texts, r.resource)
		}
	}
	var whole []string
	r.eachCondition(func(_, k string, values []string) {
		for _, v := range values {
			if mentions(v) {
				texts = append(texts, context[k]...)
			}
			if k == key {
				for _, other := range naiveVariables(v) {
					whole = append(whole, context[other]...)
				}
				if _, after, ok := strings.Cut(v, ", '"); ok { // the default
					fallback, _, _ := strings.Cut(after, "'")
					whole = append(whole, fallback)
				}
			}
		}
	})
	for _, t := range texts {
		if p := strings.SplitN(t, ":", 6); len(p) == 6 {
			t = p[5]
		}
		for i := range t {
			for j := i + 1; j <= len(t); j++ {
				whole = append(whole, t[i:j])
			}
		}
	}
	return whole
}

// ---------------------------------------------------------------------------

// TestNaive checks the oracle itself on cases decided by hand.
func TestNaive(t *testing.T) {
	const (
		head  = `{"action":"s3:Get","resource":"arn:aws:s3:::a/ann","resourceAccount":"111111111111","contextComplete":true,`
		open  = `{"action":"s3:Get","resource":"arn:aws:s3:::a/ann","resourceAccount":"111111111111","contextComplete":false,`
		ann   = `"principal":"arn:aws:iam::111111111111:user/ann",`
		role  = `"principal":"arn:aws:sts::111111111111:assumed-role/R/s",`
		alien = `"principal":"arn:aws:iam::222222222222:user/ann",`
		doc   = `{"Version":"2012-10-17","Statement":`
		all   = doc + `{"Effect":"Allow","Action":"*","Resource":"*"}}`
		put   = doc + `{"Effect":"Allow","Action":"s3:Put","Resource":"*"}}`
		deny  = doc + `{"Effect":"Deny","Action":"s3:?et","Resource":"arn:aws:s3:::a*"}}`
	)
	resource := func(principal string) string {
		return `"resourcePolicy":` + doc + `{"Effect":"Allow",` + principal + `,"Action":"s3:*","Resource":"*"}}`
	}
	notPrincipal := `"resourcePolicy":` + doc + `{"Effect":"Deny","NotPrincipal":{"AWS":["111111111111","arn:aws:iam::111111111111:user/ann"]},"Action":"*","Resource":"*"}}`
	annOnly := resource(`"Principal":{"AWS":"arn:aws:iam::111111111111:user/ann"}`)
	roleOnly := resource(`"Principal":{"AWS":"arn:aws:iam::111111111111:role/R"}`)
	account := resource(`"Principal":{"AWS":"111111111111"}`)
	everyone := resource(`"Principal":"*"`)
	when := func(effect, condition string) string {
		return doc + `{"Effect":"` + effect + `","Action":"*","Resource":"*","Condition":` + condition + `}}`
	}
	for i, c := range []struct{ request, want string }{
		{head + ann + `"identityPolicies":[` + all + `]}`, "allowed"},
		{head + ann + `"identityPolicies":[` + put + `]}`, "implicit-deny"},
		{head + ann + `"identityPolicies":[` + all + `,` + deny + `]}`, "explicit-deny"},
		{head + ann + `"identityPolicies":[` + all + `],"permissionBoundaries":[` + put + `]}`, "implicit-deny"},
		{head + ann + `"permissionBoundaries":[` + put + `],` + annOnly + `}`, "allowed"},
		{head + ann + account + `}`, "implicit-deny"},
		{head + role + roleOnly + `}`, "allowed"},
		{head + role + `"sessionPolicies":[` + put + `],` + roleOnly + `}`, "implicit-deny"},
		{head + role + `"permissionBoundaries":[` + put + `],` + roleOnly + `}`, "implicit-deny"},
		{head + alien + `"identityPolicies":[` + all + `]}`, "implicit-deny"},
		{head + alien + everyone + `}`, "implicit-deny"},
		{head + alien + `"identityPolicies":[` + all + `],` + everyone + `}`, "allowed"},
		{head + `"principal":"anonymous",` + everyone + `}`, "allowed"},
		{head + `"principal":"anonymous",` + account + `}`, "implicit-deny"},
		{head + `"principal":"arn:aws:iam::111111111111:root"}`, "allowed"},
		{head + `"principal":"arn:aws:iam::111111111111:root","scps":[[` + put + `]]}`, "implicit-deny"},
		{head + ann + `"identityPolicies":[` + all + `],"scps":[[` + all + `],[]]}`, "implicit-deny"},
		{head + ann + `"identityPolicies":[` + all + `],` + notPrincipal + `}`, "allowed"},
		{head + ann + `"identityPolicies":[` + all + `],"permissionBoundaries":[` + all + `],` + notPrincipal + `}`, "explicit-deny"},
		{head + ann + `"identityPolicies":[` + doc + `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::a/${aws:username}"}}]}`, "allowed"},
		{head + ann + `"context":{"k":["*"]},"identityPolicies":[` + doc + `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::a/${k}"}}]}`, "implicit-deny"},
		{head + ann + `"identityPolicies":[` + when("Allow", `{"StringNotEquals":{"k":"a"}}`) + `]}`, "allowed"},
		{head + ann + `"identityPolicies":[` + when("Allow", `{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}`) + `]}`, "allowed"},
		{head + ann + `"identityPolicies":[` + when("Allow", `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}}`) + `]}`, "implicit-deny"},
		{head + ann + `"context":{"aws:TagKeys":["a","b"]},"identityPolicies":[` + when("Allow", `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}}`) + `]}`, "allowed"},
		{open + ann + `"identityPolicies":[` + when("Allow", `{"StringLike":{"k":"a*"}}`) + `]}`, "unknown"},
		{open + ann + `"identityPolicies":[` + all + `,` + when("Allow", `{"StringLike":{"k":"a*"}}`) + `]}`, "allowed"},
		{open + ann + `"identityPolicies":[` + when("Deny", `{"StringLike":{"k":"a*"}}`) + `]}`, "unknown"},
		{open + ann + `"identityPolicies":[` + when("Deny", `{"BoolIfExists":{"aws:SecureTransport":["true","false"]}}`) + `]}`, "explicit-deny"},
		{open + ann + `"identityPolicies":[` + when("Allow", `{"StringEquals":{"k":"a","aws:PrincipalAccount":"222222222222"}}`) + `]}`, "implicit-deny"},
	} {
		got, err := naive([]byte(c.request))
		if err != nil || got != c.want {
			t.Errorf("case %d: %q, %v; want %s\n%s", i, got, err, c.want, c.request)
		}
	}
}
