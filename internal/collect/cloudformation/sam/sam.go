// Package sam replaces AWS::Serverless::* resources by the CloudFormation
// resources that AWS's SAM transform makes of them, so that what is judged is
// what would be deployed.
//
// It works on evaluated values, where AWS works on the text of the template.
// What AWS decides by looking at an intrinsic function is decided here by the
// value, and where the value is open the result is open too.
//
// Specification: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
package sam

import (
	"cmp"
	"slices"
	"strings"

	"assay/internal/estate"
)

// Input is one evaluated template.
type Input struct {
	// Resources are all resources of the template, properties evaluated.
	Resources []estate.Resource
	// Globals is the evaluated section of that name, or nil.
	Globals *estate.Value
	// IgnoreGlobals holds the resource attribute of that name by logical id.
	IgnoreGlobals map[string]*estate.Value
	// Conditional names the resources that stand under a condition, also under one
	// that holds: the transform reads only that there is one.
	Conditional map[string]bool
	// PolicyTemplates is AWS's list of policy templates as JSON: name to
	// {"parameters": […], "definition": {"Statement": […]}}.
	PolicyTemplates []byte
	// The pseudo parameters as evaluated: known strings or holes.
	Region, Partition, AccountID, StackName, StackID, URLSuffix *estate.Value
	// Connectors holds the resource attribute of that name by logical id.
	Connectors map[string]*estate.Value
	// Written names the intrinsic function by which the template wrote a value
	// ("Ref", "Fn::Sub"), "" for one that it states. AWS's transform reads the
	// template's text and so treats the two apart: a stage that is named by
	// !Ref gives no part of a logical id. Nil stands for always "".
	Written func(*estate.Value) string
}

// Output is the template after the transform.
type Output struct {
	Resources []estate.Resource
	Problems  []estate.Problem
	Coverage  []estate.Coverage
}

const (
	prefix    = "AWS::Serverless::"
	generated = "SAM transform"
)

// Transform expands the SAM resources of a template and passes the others
// through, with references to what SAM generates pointing at its logical id.
func Transform(in Input) Output {
	serverless := func(r estate.Resource) bool { return strings.HasPrefix(r.Type, prefix) }
	if len(in.Connectors) == 0 && !slices.ContainsFunc(in.Resources, serverless) {
		return Output{Resources: in.Resources}
	}
	x := newExpander(in)
	for _, kind := range kinds {
		for _, r := range x.sources {
			if r.Type == prefix+kind.name {
				kind.expand(x, r)
			}
		}
	}
	x.deployments()
	for _, r := range x.sources {
		known := slices.ContainsFunc(kinds, func(k kind) bool { return r.Type == prefix+k.name })
		if !known {
			x.partial(r.Type, "not a type of the SAM specification of 2026")
			x.put(r)
		}
	}
	return x.finish()
}

// kind is one type of SAM resource, without its prefix.
type kind struct {
	name   string
	expand func(*expander, *estate.Resource)
}

// kinds are all SAM types in the order of expansion, which is AWS's: first
// what has events, because events write into the APIs, buckets and user pools
// that they name; connectors last, because they speak of expanded resources.
var kinds = []kind{
	{"Function", (*expander).function},
	{"StateMachine", (*expander).stateMachine},
	{"Api", (*expander).restAPI},
	{"HttpApi", (*expander).httpAPI},
	{"SimpleTable", (*expander).simpleTable},
	{"LayerVersion", (*expander).layerVersion},
	{"Application", (*expander).application},
	{"CapacityProvider", (*expander).capacityProvider},
	{"GraphQLApi", (*expander).graphQLAPI},
	{"WebSocketApi", (*expander).webSocketAPI},
	{"Connector", (*expander).connector},
}

// expander holds one template while it is expanded.
type expander struct {
	in      Input
	sources []*estate.Resource // SAM resources, globals merged in
	out     []*estate.Resource
	place   map[string]int              // where in out a logical id stands
	byID    map[string]*estate.Resource // everything in out and sources
	// renamed maps what a template may call a generated resource to its
	// logical id: "Payments.Alias" to "PaymentsAliaslive".
	renamed map[string]string

	// managedBody holds the APIs whose document SAM makes.
	managedBody map[string]bool
	// routes holds what asks for a path of an API, by the API's id, a space and
	// the path.
	routes map[string][]origin
	drafts map[string]*draft // documents that events write into, by the API's id

	policyTemplates *estate.Value // parsed when first needed
	preferences     []preference  // deployment preferences that are enabled
	problems        []estate.Problem
	coverage        []estate.Coverage
}

func newExpander(in Input) *expander {
	x := &expander{
		in: in, byID: make(map[string]*estate.Resource, len(in.Resources)), renamed: map[string]string{},
		managedBody: map[string]bool{}, routes: map[string][]origin{}, drafts: map[string]*draft{}, place: map[string]int{},
	}
	globals := x.globals()
	for _, r := range in.Resources {
		kind, serverless := strings.CutPrefix(r.Type, prefix)
		x.byID[r.LogicalID] = &r
		if !serverless {
			x.put(&r)
			continue
		}
		if k := r.Properties.Kind(); k != estate.KindMap && k != estate.KindAbsent && k != estate.KindNull {
			x.partial("*", "the properties of "+r.LogicalID+" are not known as a whole")
			r.Properties = allUnknown(kind, r.Properties)
		}
		if r.Properties.Kind() != estate.KindMap {
			r.Properties = estate.Map()
		}
		r.Properties = merge(withoutIgnored(globals.Field(kind), in.IgnoreGlobals[r.LogicalID]), r.Properties)
		x.sources = append(x.sources, &r)
	}
	x.embeddedConnectors()
	x.implicitAPIs(globals)
	return x
}

// allUnknown spreads a value that stands for all properties of a SAM resource
// over those that matter, so that none of them counts as left out.
func allUnknown(kind string, v *estate.Value) *estate.Value {
	if v.Kind() != estate.KindUnknown && v.Kind() != estate.KindDenied {
		v = estate.Unknown("properties are not a mapping", "Properties").At(v.Position())
	}
	made := object{}
	names := globalProperties[kind]
	switch kind {
	case "Function":
		names += " FunctionName Role Policies Events PackageType ImageConfig"
	case "StateMachine":
		names += " Definition Role Logging Tracing Type Events"
	}
	for name := range strings.FieldsSeq(names) {
		made[name] = v
	}
	// These would add resources; that some may be missing, the coverage says.
	for _, name := range []string{"AutoPublishAlias", "DeploymentPreference", "EventInvokeConfig", "FunctionUrlConfig"} {
		delete(made, name)
	}
	return made.value().At(v.Position())
}

// finish rewrites references and gives every value a position.
func (x *expander) finish() Output {
	o := Output{Problems: x.problems, Coverage: x.coverage, Resources: make([]estate.Resource, 0, len(x.out))}
	for _, r := range x.out {
		r.Properties = place(decided(r.Properties.Rewrite(x.final), nil), r.Source)
		o.Resources = append(o.Resources, *r)
	}
	slices.SortStableFunc(o.Problems, func(a, b estate.Problem) int {
		return cmp.Or(strings.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), strings.Compare(a.Message, b.Message))
	})
	slices.SortFunc(o.Coverage, func(a, b estate.Coverage) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Reason, b.Reason))
	})
	o.Coverage = slices.Compact(o.Coverage)
	return o
}

// origin is what somebody wrote that a generated resource comes from: a SAM
// resource, or an event of one.
type origin struct {
	address string
	source  estate.Position
	exists  *estate.Value
	input   string // what decides exists
}

func originOf(r *estate.Resource) origin {
	if r.Generated != "" {
		return origin{address: r.Address, source: r.Source, exists: r.Exists, input: r.ExistsInput}
	}
	return origin{address: r.LogicalID, source: r.Source, exists: r.Exists, input: r.ExistsInput}
}

// from is o with the position of a part of the SAM resource.
func (o origin) from(v *estate.Value) origin {
	if p := v.Position(); !p.IsZero() {
		o.source = p
	}
	return o
}

// when narrows o to one more condition.
func (o origin) when(exists *estate.Value, input string) origin {
	switch o.exists.Kind() {
	case estate.KindAbsent:
		o.exists, o.input = exists, input
	case estate.KindOneOf:
		o.exists = each(o.exists, func(c *estate.Value) *estate.Value {
			if c.AsBool() {
				return exists
			}
			return estate.Bool(false)
		})
		o.input += " and " + input
	case estate.KindBool:
		if o.exists.AsBool() {
			o.exists, o.input = exists, input
		}
	default:
		if exists.Kind() == estate.KindBool && !exists.AsBool() {
			o.exists = exists
		}
	}
	return o
}

// optional is v where o exists and nothing where it does not.
func (o origin) optional(v *estate.Value) *estate.Value {
	switch o.exists.Kind() {
	case estate.KindAbsent:
		return v
	case estate.KindOneOf:
		return each(o.exists, func(c *estate.Value) *estate.Value {
			if c.AsBool() {
				return v
			}
			return nil
		})
	case estate.KindBool:
		if o.exists.AsBool() {
			return v
		}
		return nil
	default:
		return estate.OneOf(o.input, estate.Case{When: "true", Value: v}, estate.Case{When: "false"})
	}
}

// add puts a generated resource into the template. As with AWS, the last
// resource of a logical id stands.
func (x *expander) add(o origin, typeName, id string, properties object) *estate.Resource {
	r := &estate.Resource{
		Type: typeName, LogicalID: id, Address: o.address, Properties: properties.value(),
		Exists: o.exists, ExistsInput: o.input, Source: o.source, Generated: generated,
	}
	if o.address == id {
		r.Generated = ""
	}
	x.put(r)
	return r
}

func (x *expander) put(r *estate.Resource) {
	x.byID[r.LogicalID] = r
	if i, there := x.place[r.LogicalID]; there {
		x.out[i] = r
		return
	}
	x.place[r.LogicalID] = len(x.out)
	x.out = append(x.out, r)
}

// partial records that something of a type could not be expanded.
func (x *expander) partial(typeName, reason string) {
	x.coverage = append(x.coverage, estate.Coverage{Type: typeName, State: estate.CoveragePartial, Reason: reason})
}

// problem records something that AWS's transform would refuse.
func (x *expander) problem(p estate.Position, message, hint string) {
	x.problems = append(x.problems, estate.Problem{Position: p, Message: message, Hint: hint})
}
