package iam_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"assay/iam"
)

// Tiny universes: few actions, resources over two letters, few values for each
// key. All of their requests can be decided one by one, and so tell whether a
// verdict over all requests is true.

// tinyTable has a service with an action that takes no resource, one of two
// actions, and two that policies do not name.
const tinyTable = `{"rcp":[],"keys":[["aws:username","String"],["aws:PrincipalArn","ARN"],["aws:PrincipalAccount","String"],["aws:PrincipalOrgID","String"],["aws:PrincipalType","String"],["aws:SourceAccount","String"],["aws:PrincipalServiceName","String"]]}
{"service":"t","keys":[["t:str","String"],["t:list","ArrayOfString"],["t:num","Numeric"],["t:flag","Bool"],["t:date","Date"],["t:ip","IPAddress"],["t:arn","ARN"]],"resources":[["thing","arn:${Partition}:t:::${Name}",[]]],"actions":[["Get","R",[0],[]],["Put","W",[0],[]],["List","L",[],[]]]}
{"service":"u","keys":[],"resources":[["thing","arn:${Partition}:u:::${Name}",[]]],"actions":[["Do","W",[0],[]]]}
{"service":"v","keys":[],"resources":[],"actions":[["Other","W",[],[]]]}
{"service":"w","keys":[],"resources":[["thing","arn:${Partition}:w:::${Name}",[]]],"actions":[["Other","W",[0],[]]]}
`

func tinyData(t testing.TB) *iam.Data {
	t.Helper()
	d, err := iam.NewData([]byte(tinyTable), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tinyKey is a condition key with the operators and policy values that are
// generated for it, and all of its values: nil is its absence.
type tinyKey struct {
	name      string
	operators []string
	policy    []string
	universe  [][]string
}

var (
	textOperators = []string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"}
	textValues    = []string{"a", "b", "ab", "A", "a*", "*b", "?", "*", "a?", "*a*", "${aws:username}", "${aws:username, 'a'}", "a${t:str}", "${t:str,'b'}*"}
)

// each makes a list of single values, and the absence.
func each(values ...string) [][]string {
	out := [][]string{nil}
	for _, v := range values {
		out = append(out, []string{v})
	}
	return out
}

var tinyKeys = []tinyKey{
	{"t:str", textOperators, textValues, each("a", "b", "ab", "A", "", "*", "aa", "z")},
	{"t:list", textOperators, textValues, append(each("a", "b", "A", "ab", "z", ""), []string{"a", "b"}, []string{"a", "z"}, []string{"b", "ab"}, []string{"z", "A", "b"})},
	{"t:num", []string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
		[]string{"1", "2", "2.5", "x"}, each("0", "1", "1.5", "2", "2.25", "2.5", "3")},
	{"t:flag", []string{"Bool"}, []string{"true", "false", "x"}, each("true", "false")},
	{"t:date", []string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "NumericLessThan"},
		[]string{"2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "1767225601", "2027"},
		each("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z", "1767225600", "1767225601", "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-01-01T00:00:01Z")},
	{"t:ip", []string{"IpAddress", "NotIpAddress"}, []string{"10.0.0.0/8", "10.0.0.1", "10.0.0.0/31", "10.1.0.0/16", "2001:db8::/32", "0.0.0.0/0", "::/0"},
		each("10.0.0.0", "10.0.0.1", "10.0.0.2", "10.1.2.3", "11.0.0.1", "2001:db8::1", "2001:db9::1", "0.0.0.0", "255.255.255.255")},
	{"t:arn", []string{"ArnLike", "ArnNotLike", "ArnEquals", "StringLike", "StringNotLike", "StringEquals"},
		[]string{"*", "arn:*:*:*:*:*", "arn:aws:t:::a", "arn:aws:t:::*", "arn:aws:t:*:a", "arn:aws:t:*:*:a*", "arn:aws:t:::${aws:username}", "arn:aws:t:${aws:username}::a", "arn:aws:t:?::a"},
		each("x", "", "arn:aws:t:::a", "arn:aws:t:::ab", "arn:aws:t:::b", "arn:aws:t:a::a", "arn:aws:t:b::a", "arn:aws:t:a:b:a")},
	{"x:free", append([]string{"NumericLessThan", "NumericNotEquals", "DateGreaterThan", "Bool", "IpAddress", "NotIpAddress"}, textOperators...),
		[]string{"a", "*", "1", "2020", "true", "10.0.0.1", "a*"},
		append(each("a", "ab", "A", "1", "0", "3", "2021", "1800000000", "true", "10.0.0.1", "10.0.0.2"), []string{"a", "1"}, []string{"0", "2021"}, []string{"true", "b"})},
	{"aws:username", textOperators, []string{"a", "b", "*b", "?", "A"}, each("a", "b", "ab", "A", "", "a:b")},
}

type tinyPair struct {
	a, b string
	keys []tinyKey
}

var (
	tinyActions   = []string{"t:Get", "t:Put", "t:List", "t:*", "t:G*", "t:*t", "t:Get?", "t:?et", "*", "u:*", "u:Do", "t:GetX", "t:*e*x", "T:get"}
	tinyResources = []string{"*", "*", "arn:aws:t:::a", "arn:aws:t:::b", "arn:aws:t:::a*", "arn:aws:t:::*b", "arn:aws:t:::?", "arn:aws:t:::a?", "arn:aws:t:::*", "arn:aws:t:::*a*b*", "arn:aws:t:r:1:a", "arn:aws:t:*:*:*", "arn:*:*:*:*:*", "arn:aws:t:*:a", "arn:aws:t", "arn:*:t:::${aws:username}", "arn:aws:t:::${aws:username}*", "arn:aws:t:::a${aws:username, 'a'}", "arn:aws:t:?:1:a*", "arn:aws:u:::a"}

	// The requests: actions that the table knows with and without a resource, and
	// names that it does not know.
	universeActions   = []string{"t:Get", "t:Put", "t:List", "t:GetX", "t:zex", "t:Unheard", "u:Do", "w:Other", "v:Other"}
	universeResources = []string{"arn:aws:t:::", "arn:aws:t:::a", "arn:aws:t:::b", "arn:aws:t:::ab", "arn:aws:t:::aa", "arn:aws:t:::aab", "arn:aws:t:r:1:a", "arn:aws:t:r:1:ab", "arn:aws:t:rr:1:a", "arn:aws:u:::a", "arn:x:t:::a", "arn:aws:t::a:b"}
)

func (g *gen) tinyStatement(keys []tinyKey, principals bool) object {
	s := object{"Effect": "Allow"}
	if g.coin(2) {
		s["Effect"] = "Deny"
	}
	draw := func(from []string) any { return g.some(func() string { return genPick(g, from...) }) }
	field := "Action"
	if g.coin(3) {
		field = "NotAction"
	}
	s[field] = draw(tinyActions)
	field = "Resource"
	if g.coin(3) {
		field = "NotResource"
	}
	s[field] = draw(tinyResources)
	if principals {
		field = "Principal"
		if g.coin(3) {
			field = "NotPrincipal"
		}
		s[field] = g.tinyPrincipal()
	}
	if len(keys) > 0 && g.coin(1) {
		block := object{}
		for range genPick(g, 1, 1, 1, 2) {
			k := genPick(g, keys...)
			operator := genPick(g, k.operators...)
			values := draw(k.policy)
			switch {
			case g.coin(3):
				operator, values = "Null", genPick[any](g, "true", "false")
			case g.coin(2):
				operator += "IfExists"
			}
			if operator != "Null" && (k.name == "t:list" && !g.coin(3) || g.coin(3)) {
				operator = genPick(g, "ForAllValues:", "ForAnyValue:") + operator
			}
			if of, ok := block[operator].(object); ok {
				of[k.name] = values
			} else {
				block[operator] = object{k.name: values}
			}
		}
		s["Condition"] = block
	}
	return s
}

// tinyPrincipal draws a Principal element.
func (g *gen) tinyPrincipal() any {
	if g.coin(2) {
		return "*"
	}
	element := object{}
	if !g.coin(3) {
		element["AWS"] = g.some(func() string {
			return genPick(g, tinyPrincipals...)
		})
	}
	if g.coin(2) || len(element) == 0 {
		element["Service"] = g.some(func() string { return genPick(g, "x.amazonaws.com", "y.amazonaws.com") })
	}
	return element
}

func (g *gen) tinyDocument(statements []any) object {
	o := object{"Statement": statements, "Version": "2012-10-17"}
	if g.coin(3) {
		o["Version"] = "2008-10-17"
	}
	return o
}

// tiny draws two policies. The second is often a variation of the first, so
// that proofs are not rare.
func tiny(t *rapid.T, pool []tinyKey, principals bool) tinyPair {
	g := &gen{t: t}
	var pair tinyPair
	for range genPick(g, 0, 1, 1, 2) {
		k := genPick(g, pool...)
		if !slices.ContainsFunc(pair.keys, func(o tinyKey) bool { return o.name == k.name }) {
			pair.keys = append(pair.keys, k)
		}
	}
	statements := func(most int) []any {
		list := []any{g.tinyStatement(pair.keys, principals)}
		for len(list) < most && g.coin(1) {
			list = append(list, g.tinyStatement(pair.keys, principals))
		}
		return list
	}
	a := g.tinyDocument(statements(3))
	b := g.tinyDocument(statements(3))
	if !g.coin(2) {
		b = g.varied(a, pair.keys, principals)
		if g.coin(1) {
			a, b = b, a
		}
	}
	write := func(o object) string {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	pair.a, pair.b = write(a), write(b)
	for i, k := range pair.keys {
		if k.name == "x:free" && !(onlySets(a, k.name) && onlySets(b, k.name)) {
			pair.keys[i].universe = slices.DeleteFunc(slices.Clone(k.universe), func(v []string) bool { return len(v) > 1 })
		}
	}
	// Variables bring their keys in.
	for _, k := range tinyKeys {
		if strings.Contains(strings.ToLower(pair.a+pair.b), "${"+strings.ToLower(k.name)) && !slices.ContainsFunc(pair.keys, func(o tinyKey) bool { return o.name == k.name }) {
			pair.keys = append(pair.keys, k)
		}
	}
	return pair
}

// onlySets reports whether a document asks for a key by set operators alone, or
// for its presence. Only then a key of which nothing is known has several values.
func onlySets(doc object, key string) bool {
	for _, s := range doc["Statement"].([]any) {
		block, _ := s.(object)["Condition"].(object)
		for operator, of := range block {
			if of.(object)[key] != nil && operator != "Null" && !strings.HasPrefix(operator, "For") {
				return false
			}
		}
	}
	return true
}

// varied changes a document a little.
func (g *gen) varied(a object, keys []tinyKey, principals bool) object {
	var out []any
	for _, s := range a["Statement"].([]any) {
		one := maps.Clone(s.(object))
		switch genPick(g, 0, 1, 2, 3, 4, 5, 6, 7) {
		case 0:
			continue
		case 1:
			delete(one, "Condition")
		case 2:
			delete(one, "NotResource")
			one["Resource"] = genPick(g, tinyResources...)
		case 3:
			delete(one, "NotAction")
			one["Action"] = genPick(g, tinyActions...)
		case 4:
			one["Condition"] = g.tinyStatement(keys, principals)["Condition"]
			if one["Condition"] == nil {
				delete(one, "Condition")
			}
		case 5:
			out = append(out, g.tinyStatement(keys, principals))
		default:
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		out = append(out, g.tinyStatement(keys, principals))
	}
	if g.coin(2) {
		slices.Reverse(out)
	}
	o := maps.Clone(a)
	o["Statement"] = out
	return o
}

// judge answers one request under one policy alone, as package iam documents
// that its questions mean it: a caller of the account whose resources they are,
// which hands the decision to its identity policies, or any caller from outside
// whose own account allows everything.
type judge struct {
	d           *iam.Data
	delegating  *iam.Policy
	allowing    *iam.Policy
	ofResources bool
}

func newJudge(t testing.TB, d *iam.Data, ofResources bool) *judge {
	return &judge{
		d: d, ofResources: ofResources,
		delegating: policy(t, d, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}}`),
		allowing:   policy(t, d, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`),
	}
}

func (j *judge) request(t fataler, spec iam.RequestSpec) *iam.Request {
	if !j.ofResources {
		spec.ResourceAccount = "111122223333"
	}
	r, err := iam.NewRequest(spec, j.d)
	if err != nil {
		t.Fatalf("%+v: %v", spec, err)
	}
	return r
}

func (j *judge) allows(r *iam.Request, p *iam.Policy) bool {
	set := &iam.PolicySet{Identity: []*iam.Policy{p}, Resource: j.delegating}
	if j.ofResources {
		set = &iam.PolicySet{Identity: []*iam.Policy{j.allowing}, Resource: p}
		if strings.Contains(r.Spec.Principal, ":federated-user/") {
			set.Session = set.Identity // without one they may do nothing
		}
	}
	return iam.Decide(r, set, iam.Documents).Decision == iam.Allowed
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// requests calls f with every request of the universe until it returns false.
func (p *tinyPair) requests(principals []string, f func(spec iam.RequestSpec) bool) {
	spec := iam.RequestSpec{ContextComplete: true, ResourceAccount: tinyOwner}
	var fill func(keys []tinyKey) bool
	context := map[string][]string{}
	fill = func(keys []tinyKey) bool {
		if len(keys) == 0 {
			spec.Context = maps.Clone(context)
			return f(spec)
		}
		if !keys[0].may(spec.Principal) {
			return fill(keys[1:])
		}
		for _, v := range keys[0].universe {
			delete(context, keys[0].name)
			if v != nil {
				context[keys[0].name] = v
			}
			if !fill(keys[1:]) {
				return false
			}
		}
		delete(context, keys[0].name)
		return true
	}
	for _, spec.Principal = range principals {
		actions, resources := universeActions, universeResources
		if len(principals) > 1 { // callers matter more
			actions, resources = []string{"t:Get", "t:List", "t:Unheard"}, universeResources[1:7]
		}
		for _, spec.Action = range actions {
			resources := resources
			if spec.Action == "t:List" || spec.Action == "v:Other" {
				resources = []string{"*"}
			}
			for _, spec.Resource = range resources {
				if !fill(p.keys) {
					return
				}
			}
		}
	}
}

// tally counts verdicts, for the share that is decided.
type verdicts struct {
	count   map[iam.Verdict]int
	reasons map[string]int
	tried   int
}

func (v *verdicts) note(p iam.Proof) {
	if v.count == nil {
		v.count, v.reasons = map[iam.Verdict]int{}, map[string]int{}
	}
	v.count[p.Verdict]++
	if p.Verdict == iam.Undecided {
		v.reasons[p.Reason]++
	}
}

func (v *verdicts) String() string {
	return fmt.Sprintf("%d proved, %d refuted, %d unknown %v; %d requests tried", v.count[iam.Proved], v.count[iam.Refuted], v.count[iam.Undecided], v.reasons, v.tried)
}

// rare fails where more than a share of verdicts is unknown. Variables with
// defaults, which are drawn often, are most of those.
func (v *verdicts) rare(t *testing.T) {
	t.Helper()
	t.Log(v.String())
	if n := v.count[iam.Proved] + v.count[iam.Refuted] + v.count[iam.Undecided]; 8*v.count[iam.Undecided] > n {
		t.Errorf("%d of %d are unknown", v.count[iam.Undecided], n)
	}
}

// checkVerdict holds a verdict of a ⊆ b to the requests of the universe.
func checkVerdict(t *rapid.T, j *judge, p iam.Proof, a, b *iam.Policy, pair *tinyPair, principals []string, v *verdicts) {
	v.note(p)
	switch p.Verdict {
	case iam.Refuted:
		if len(p.Witness) != 1 {
			t.Fatalf("%d witnesses", len(p.Witness))
		}
		r := j.request(t, p.Witness[0])
		if !j.allows(r, a) || j.allows(r, b) {
			t.Fatalf("the witness is none: a allows: %v, b allows: %v\na: %s\nb: %s\n%+v", j.allows(r, a), j.allows(r, b), pair.a, pair.b, p.Witness[0])
		}
	case iam.Proved:
		pair.requests(principals, func(spec iam.RequestSpec) bool {
			v.tried++
			r := j.request(t, spec)
			if j.allows(r, a) && !j.allows(r, b) {
				t.Fatalf("proved, but there is a request that a allows and b does not\na: %s\nb: %s\n%+v", pair.a, pair.b, spec)
			}
			return true
		})
	default:
	}
}

const (
	tinyOwner   = "111122223333"
	tinyOwnUser = "arn:aws:iam::111122223333:user/somebody"
)

// Every verdict on identity policies is true of all requests of the universe.
func TestUniverseIdentity(t *testing.T) {
	d := tinyData(t)
	j := newJudge(t, d, false)
	var v verdicts
	rapid.Check(t, func(t *rapid.T) {
		pair := tiny(t, tinyKeys, false)
		a, b := compiled(t, d, pair.a), compiled(t, d, pair.b)
		checkVerdict(t, j, iam.Within(a, b, d, iam.Limits{}), a, b, &pair, []string{tinyOwnUser}, &v)
	})
	v.rare(t)
}

func compiled(t *rapid.T, d *iam.Data, doc string) *iam.Policy {
	parsed, err := iam.Parse([]byte(doc))
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return iam.Compile("", parsed, d)
}

// Callers, and what policies say of them. No caller is of the account that owns
// the resources.
var (
	tinyPrincipals = []string{
		"*", "111111111111", "222222222222", "arn:aws:iam::111111111111:user/ann", "arn:aws:iam::111111111111:user/p/bob", "arn:aws:iam::111111111111:role/R", "arn:aws:iam::111111111111:root",
		"arn:aws:sts::111111111111:assumed-role/R/s", "arn:aws:iam::222222222222:user/somebody", "arn:aws:sts::111111111111:federated-user/fay",
	}
	universeCallers = []string{
		"anonymous", "x.amazonaws.com", "z.amazonaws.com", "arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:user/ann", "arn:aws:iam::111111111111:user/p/bob", "arn:aws:iam::111111111111:user/zoe",
		"arn:aws:iam::111111111111:role/R", "arn:aws:iam::111111111111:role/Q", "arn:aws:sts::111111111111:assumed-role/R/s", "arn:aws:sts::111111111111:assumed-role/R/t", "arn:aws:sts::111111111111:federated-user/fay",
		"arn:aws:sts::111111111111:federated-user/ann", "arn:aws:iam::222222222222:user/somebody", "arn:aws:iam::222222222222:user/ann", "arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:user/ann",
		"arn:aws:iam::333333333333:role/R", "arn:aws:iam::333333333333:root", "arn:aws-cn:iam::111111111111:role/R", "arn:aws:iam::333333333333:saml-provider/s",
	}
	callerKeys = []tinyKey{
		tinyKeys[0],
		tinyKeys[1],
		{"aws:PrincipalArn", []string{"ArnLike", "ArnNotLike", "StringLike", "StringEquals", "StringNotEquals"},
			[]string{"arn:aws:iam::111111111111:user/*", "arn:aws:iam::111111111111:role/R", "arn:aws:iam::*:role/*", "arn:*:iam::*:user/a*", "*", "arn:aws:sts::111111111111:federated-user/*", "arn:aws-cn:iam::*:*", "arn:aws:iam::111111111111:root", "arn:aws:iam::2*:*"}, nil},
		{"aws:PrincipalAccount", []string{"StringEquals", "StringNotEquals", "StringLike"}, []string{"111111111111", "222222222222", "333333333333", "*"}, nil},
		{"aws:PrincipalType", []string{"StringEquals", "StringNotEquals"}, []string{"User", "AssumedRole", "Account", "FederatedUser", "Anonymous"}, nil},
		{"aws:PrincipalServiceName", []string{"StringEquals", "StringNotEquals"}, []string{"x.amazonaws.com", "z.amazonaws.com"}, nil},
		{"aws:username", []string{"StringEquals", "StringNotEquals", "StringLike"}, []string{"ann", "bob", "z*"}, nil},
		{"aws:PrincipalOrgID", []string{"StringEquals", "StringNotEquals"}, []string{"o-a"}, each("o-a", "o-b")},
		{"aws:SourceAccount", []string{"StringEquals", "StringNotEquals"}, []string{"111111111111"}, each("111111111111", "222222222222")},
	}
)

// may reports whether the requests of a caller may have the key, beside what
// follows from the caller.
func (k *tinyKey) may(principal string) bool {
	switch {
	case k.universe == nil:
		return false
	case k.name == "aws:PrincipalOrgID":
		return strings.Contains(principal, ":iam:") || strings.Contains(principal, ":sts:")
	case k.name == "aws:SourceAccount":
		return strings.HasSuffix(principal, ".amazonaws.com")
	case k.name == "aws:username":
		return principal == tinyOwnUser // elsewhere it follows
	}
	return true
}

// Every verdict on policies of resources is true of all requests of the
// universe.
func TestUniverseResource(t *testing.T) {
	d := tinyData(t)
	j := newJudge(t, d, true)
	var v verdicts
	rapid.Check(t, func(t *rapid.T) {
		pair := tiny(t, callerKeys, true)
		a, b := compiled(t, d, pair.a), compiled(t, d, pair.b)
		checkVerdict(t, j, iam.Within(a, b, d, iam.Limits{}), a, b, &pair, universeCallers, &v)
	})
	v.rare(t)
}
