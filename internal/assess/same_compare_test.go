package assess_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay/internal/check"
	"assay/internal/estate"
)

// trueDifference is one way in which two languages do not say the same: what
// is written in one has no equal in the other, or the two tools make different
// things of it.
type trueDifference struct {
	estate   string // folder; "" for every estate
	form     string // that differs from CloudFormation, or the tool of several
	resource string // identity, or type alone
	what     string // path of a property, name of an edge with → before it, id of a check; "" for the resource itself
	says     string // what the form says, or lacks, as reported; "" for anything
	why      string
}

// trueDifferences is every difference that is let pass. An entry that no estate
// shows any more fails the test.
var trueDifferences = []trueDifference{
	// SAM's own.
	{form: "sam", resource: "AWS::Lambda::Function", what: "Tags", says: "{Key: lambda:createdBy, Value: SAM}", why: "SAM marks the functions that it makes"},
	{form: "sam", resource: "AWS::IAM::Role", what: "Tags", says: "{Key: lambda:createdBy, Value: SAM}", why: "SAM marks the roles that it makes"},
	{form: "sam", resource: "AWS::StepFunctions::StateMachine", what: "Tags", says: "{Key: stateMachine:createdBy, Value: SAM}", why: "SAM marks the state machines that it makes"},
	{form: "sam", resource: "AWS::ApiGateway::Deployment", what: "StageName", says: "Stage", why: "SAM makes a second stage of every REST API, called Stage"},
	{form: "sam", resource: "AWS::ApiGateway::Deployment", what: "APIGW-STAGE-DECLARED", says: "fail", why: "that stage is one that nobody declared"},
	{form: "sam", resource: "AWS::StepFunctions::StateMachine", what: "DefinitionString", why: "SAM writes the definition over several lines, with a substitution for every reference"},
	{form: "sam", resource: "AWS::StepFunctions::StateMachine", what: "DefinitionSubstitutions", why: "what SAM puts in place of references"},
	{estate: "alias-events", form: "sam", resource: "AWS::Lambda::Url(AWS_IAM)", what: "TargetFunctionArn", why: "SAM names an alias by its ARN, which says the function and the qualifier at once"},
	{estate: "alias-events", form: "sam", resource: "AWS::Lambda::Url(AWS_IAM)", what: "Qualifier", says: "live", why: "it is a part of the ARN that SAM states"},
	{estate: "alias-events", form: "sam", resource: "AWS::Lambda::Url(AWS_IAM)", what: "→aliases", why: "relations to an alias are known by its ARN"},

	// The provider's own.
	{form: "terraform", resource: "AWS::SQS::Queue", what: "MaximumMessageSize", says: "262144", why: "the provider asks for 256 KiB where nothing is stated, of which AWS makes 1 MiB"},
	{form: "terraform", resource: "AWS::Logs::SubscriptionFilter", what: "FilterName", says: "errors", why: "the provider wants a name, for which SAM has no property"},
	{form: "terraform", resource: "AWS::ElasticLoadBalancingV2::LoadBalancer", what: "LoadBalancerAttributes", says: "{Key: routing.http.desync_mitigation_mode, Value: defensive}", why: "the provider asks for the default, which stands in a list"},
	{form: "terraform", resource: "AWS::ElasticLoadBalancingV2::LoadBalancer", what: "LoadBalancerAttributes", says: "{Key: waf.fail_open.enabled, Value: false}", why: "the provider asks for the default, which stands in a list"},
	{form: "terraform", resource: "AWS::ElasticLoadBalancingV2::TargetGroup", what: "TargetGroupAttributes", says: "{Key: lambda.multi_value_headers.enabled, Value: false}", why: "the provider asks for the default, which stands in a list"},
	{estate: "steps", form: "hcl", resource: "AWS::StepFunctions::StateMachine", what: "DefinitionString", why: "jsonencode leaves no spaces in a text that CloudFormation takes as it is"},

	// What a plan hides: it shows the references of an expression and nothing of
	// what is around them.
	{estate: "policies", form: "plan", resource: "Assay::IAM::RolePolicyAttachment(arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole)", why: "a list of roles that may hold one more"},
}

// difference is one thing that two forms of an estate do not agree on.
type difference struct {
	estate         string
	form           form
	resource, what string
	want, got      string
}

func (d difference) String() string {
	return fmt.Sprintf("%s: %s: %s: cloudformation says %s, %s says %s", d.estate, d.resource, d.what, d.want, d.form.name, d.got)
}

func (t trueDifference) covers(d difference) bool {
	kind, _, _ := strings.Cut(d.resource, "(")
	return (t.estate == "" || t.estate == d.estate) && (t.form == d.form.name || t.form == d.form.tool) && (t.resource == d.resource || t.resource == kind) &&
		t.what == d.what && (t.says == "" || t.says == d.got || t.says == d.want && d.got == absent)
}

// absent is how the lack of something is reported.
const absent = "nothing"

// comparison holds one form of an estate to another.
type comparison struct {
	estate   string
	form     form
	used     []bool // beside trueDifferences
	resource string // that is being compared

	found []difference
	gaps  []string // what one form states and the other does not know
}

func (c *comparison) differ(what, want, got string) {
	d := difference{c.estate, c.form, c.resource, what, want, got}
	for i, t := range trueDifferences {
		if t.covers(d) {
			c.used[i] = true
			return
		}
	}
	c.found = append(c.found, d)
}

// outcomes compares what every check says of every resource. Outcomes that a form
// leaves unknown are a gap, told by what is missing and not by check, since every
// new check would add to them; that it says something else is a difference.
func (c *comparison) outcomes(a, b *written) {
	say := func(w *written, key string) string {
		o, ok := w.outcomes[key]
		if !ok {
			return absent
		}
		return o.String()
	}
	keys := map[string]bool{}
	for _, w := range []*written{a, b} {
		for key := range w.outcomes {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		id, name, _ := strings.Cut(key, " ")
		if a.byName[name] == nil || b.byName[name] == nil {
			continue // the resource itself is reported
		}
		want, got := say(a, key), say(b, key)
		c.resource = name
		switch {
		case want == got:
		case b.outcomes[key] == check.Unknown && b.missing[key] != "" && want != absent:
			if gap := fmt.Sprintf("%s: outcomes not known: %s", name, b.missing[key]); !slices.Contains(c.gaps, gap) {
				c.gaps = append(c.gaps, gap)
			}
		default:
			c.differ(id, want, got)
		}
	}
}

// resources compares normal forms.
func (c *comparison) resources(a, b *written) {
	for _, name := range slices.Sorted(maps.Keys(a.byName)) {
		c.resource = name
		if b.byName[name] == nil {
			c.differ("", "that it exists", absent)
			continue
		}
		c.values("", a.plain(a.byName[name].Properties), b.plain(b.byName[name].Properties))
		c.edges(a, b, name)
		if x, y := a.byName[name].Exists, b.byName[name].Exists; !estate.Equal(x, y) {
			c.differ("existence", x.String(), y.String())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.byName)) {
		if a.byName[name] == nil {
			c.resource = name
			c.differ("", absent, "that it exists")
		}
	}
}

// edges compares what a resource is related to. Where a form does not know
// where relations of a name end, it may have fewer of them.
func (c *comparison) edges(a, b *written, name string) {
	list := func(w *written) (ends map[string]bool, open map[string]bool) {
		ends, open = map[string]bool{}, map[string]bool{}
		for _, e := range w.byName[name].Edges() {
			switch {
			case e.To != nil && len(e.When) == 0:
				ends[e.Rule.Name+" "+w.names[e.To.LogicalID]] = true
			case !e.Outside:
				open[e.Rule.Name] = true
			}
		}
		return ends, open
	}
	endsA, _ := list(a)
	endsB, openB := list(b)
	for _, end := range slices.Sorted(maps.Keys(endsA)) {
		rule, to, _ := strings.Cut(end, " ")
		switch {
		case endsB[end]:
		case openB[rule]:
			c.gaps = append(c.gaps, fmt.Sprintf("%s: →%s", name, end))
		default:
			c.differ("→"+rule, to, absent)
		}
	}
	for _, end := range slices.Sorted(maps.Keys(endsB)) {
		if rule, to, _ := strings.Cut(end, " "); !endsA[end] {
			c.differ("→"+rule, absent, to)
		}
	}
}

// reasonNotRead marks a property that the table has no attribute for. The
// source may well state it, so that it is no computed value.
const reasonNotRead = "property is not read from this kind of source"

// values compares two values at a path.
func (c *comparison) values(path string, a, b *estate.Value) {
	switch {
	case a == nil && b == nil:
	case open(a) || open(b):
		if b.Kind() == estate.KindUnknown && b.Gap().Reason == reasonNotRead {
			c.differ(path, say(a), b.Gap().Reason)
			return
		}
		c.gap(path, a, b)
	case a.Kind() == estate.KindMap && b.Kind() == estate.KindMap:
		names := map[string]bool{}
		for _, f := range append(slices.Clone(a.Fields()), b.Fields()...) {
			names[f.Name] = true
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			c.values(strings.TrimPrefix(path+"."+name, "."), a.Field(name), b.Field(name))
		}
	case lists(a, b):
		c.lists(path, a.Items(), b.Items())
	case a.Kind() == estate.KindSecret && b.Kind() == estate.KindSecret:
	case a == nil || b == nil || !textual(a) || !textual(b):
		if !estate.Equal(a.Plain(), b.Plain()) {
			c.differ(path, say(a), say(b))
		}
	default:
		switch same := estate.Matches(a, b); {
		case same == estate.True:
		case same == estate.Maybe && (holes(a) || holes(b)):
			c.gap(path, a, b)
		default:
			c.differ(path, say(a), say(b))
		}
	}
}

func (c *comparison) gap(path string, a, b *estate.Value) {
	c.gaps = append(c.gaps, fmt.Sprintf("%s: %s: %s, not %s", c.resource, path, say(b), say(a)))
}

// holes reports whether a part of a text is not known. What a reference stands
// for is: that it may be a certain text makes them no more the same.
func holes(v *estate.Value) bool {
	return slices.ContainsFunc(v.Items(), func(p *estate.Value) bool { return p.Kind() == estate.KindUnknown })
}

// lists reports whether two values are compared item by item. A list with
// items says what the lack of one does not; an empty one is more than the lack
// of it (a security group without rules).
func lists(a, b *estate.Value) bool {
	switch {
	case a.Kind() == estate.KindList && b.Kind() == estate.KindList:
		return true
	case a == nil:
		return len(b.Items()) > 0 && b.Kind() == estate.KindList
	case b == nil:
		return len(a.Items()) > 0 && a.Kind() == estate.KindList
	}
	return false
}

// open reports whether nothing is known of a value.
func open(v *estate.Value) bool {
	return v.Kind() == estate.KindUnknown || v.Kind() == estate.KindOneOf
}

// textual reports whether a value is a text, or a part of one.
func textual(v *estate.Value) bool {
	switch v.Kind() {
	case estate.KindString, estate.KindText, estate.KindReference:
		return true
	default:
		return false
	}
}

func say(v *estate.Value) string {
	if v == nil {
		return absent
	}
	return v.String()
}

// lists compares lists as what they hold: AWS keeps no order of rules, tags,
// policies or subnets. Items that are equal go together first, then those that
// may be, and what is left differs. An item that may be absent ends a list that
// a plan does not show as a whole.
func (c *comparison) lists(path string, a, b []*estate.Value) {
	b = slices.Clone(b)
	more := slices.IndexFunc(b, func(v *estate.Value) bool {
		return slices.ContainsFunc(v.Cases(), func(k estate.Case) bool { return k.Value == nil })
	})
	if more >= 0 {
		b = slices.Delete(b, more, more+1)
		c.gaps = append(c.gaps, fmt.Sprintf("%s: %s: may hold more", c.resource, path))
	}
	left := a
	for _, gaps := range []bool{false, true} {
		var still []*estate.Value
		for _, x := range left {
			at := slices.IndexFunc(b, func(y *estate.Value) bool {
				try := comparison{estate: c.estate, form: c.form, used: make([]bool, len(trueDifferences)), resource: c.resource}
				try.values(path, x, y)
				return len(try.found) == 0 && !slices.Contains(try.used, true) && (gaps || len(try.gaps) == 0)
			})
			if at < 0 {
				still = append(still, x)
				continue
			}
			c.values(path, x, b[at])
			b = slices.Delete(b, at, at+1)
		}
		left = still
	}
	for len(left) > 0 && len(b) > 0 && left[0].Kind() == estate.KindMap && b[0].Kind() == estate.KindMap {
		c.values(path, left[0], b[0])
		left, b = left[1:], b[1:]
	}
	for _, x := range left {
		c.differ(path, say(x), absent)
	}
	for _, y := range b {
		c.differ(path, absent, say(y))
	}
}
