package check

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// Runtime is one row of the table of Lambda runtimes. Dates are ISO 8601 and
// empty where AWS has announced none.
type Runtime struct {
	ID            string `yaml:"id"`
	Family        string `yaml:"family"`
	Deprecated    string `yaml:"deprecated"`
	CreateBlocked string `yaml:"createBlocked"`
	UpdateBlocked string `yaml:"updateBlocked"`
	Preview       bool   `yaml:"preview"`
	// Newest is set for the identifier of its family that was generally available
	// last, at the date of the table.
	Newest bool `yaml:"newest"`
}

// Tables are the dated AWS facts that expressions can ask for, as their files'
// bytes.
type Tables struct {
	Runtimes          []byte // runtimes.yaml
	TLSPolicies       []byte // tls-policies.yaml
	FIPSEndpoints     []byte // fips-endpoints.yaml
	ServicePrincipals []byte // service-principals.yaml
	Programmes        []byte // programmes.yaml
}

func (l *Library) readRuntimes(data []byte) error {
	var table struct {
		Date     string    `yaml:"date"`
		Runtimes []Runtime `yaml:"runtimes"`
	}
	if err := yaml.Unmarshal(data, &table); err != nil {
		return fmt.Errorf("table of runtimes: %w", err)
	}
	l.date = table.Date
	l.runtimes = make(map[string]*estate.Value, len(table.Runtimes))
	for _, r := range table.Runtimes {
		fields := []estate.Field{
			{Name: "id", Value: estate.String(r.ID)},
			{Name: "family", Value: estate.String(r.Family)},
			{Name: "preview", Value: estate.Bool(r.Preview)},
			{Name: "newest", Value: estate.Bool(r.Newest)},
		}
		for name, date := range map[string]string{"deprecated": r.Deprecated, "createBlocked": r.CreateBlocked, "updateBlocked": r.UpdateBlocked} {
			if date != "" {
				fields = append(fields, estate.Field{Name: name, Value: estate.String(date)})
			}
		}
		l.runtimes[r.ID] = estate.Map(fields...)
	}
	return nil
}

// ProbeName ends the ARN of a resource that no policy names, so that only a
// grant to resources that it does not list reaches it.
const ProbeName = "assay-probe"

// probe is the ARN of such a resource in the account and region.
func probe(ev *evaluation, args []ref.Val) ref.Val {
	service, ok := args[0].(types.String)
	resource, ok2 := args[1].(types.String)
	if !ok || !ok2 {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	pseudo := func(name string) *estate.Value { return estate.Unknown(estate.ReasonPseudoParameter, name) }
	return ev.wrap(nil, estate.Text(estate.String("arn:"), pseudo("AWS::Partition"), estate.String(":"+string(service)+":"),
		pseudo("AWS::Region"), estate.String(":"), pseudo("AWS::AccountId"), estate.String(":"+string(resource)+ProbeName)), "")
}

// entries lists a map's fields as name and value.
func entries(v ref.Val) ref.Val {
	m, ok := v.(*mapVal)
	if !ok {
		if types.IsUnknown(v) {
			return v
		}
		return newList(nil, nil) // an empty literal: the only other map an expression can hold
	}
	var list []ref.Val
	for _, key := range m.keys() {
		name, ok := key.(types.String)
		if !ok {
			list = append(list, key)
			continue
		}
		entry := estate.Map(
			estate.Field{Name: "name", Value: estate.String(string(name))},
			estate.Field{Name: "value", Value: m.value.Field(string(name))},
		)
		list = append(list, &mapVal{ev: m.ev, res: m.res, value: entry, path: m.pathOf(string(name))})
	}
	return newList(m.ev, list)
}

// runtimeRow looks a runtime up; one that the table does not have is unknown.
func runtimeRow(ev *evaluation, args []ref.Val) ref.Val {
	id, ok := args[0].(types.String)
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	row := ev.lib.runtimes[string(id)]
	if row == nil {
		return ev.unknown(estate.Unknown("runtime is not in the table of "+ev.lib.date, string(id)), "Runtime", false)
	}
	return &mapVal{ev: ev, value: row, path: "runtime(" + string(id) + ")"}
}

// undecided is never true or false, for a reason that the check states: AWS's
// documents leave open what the value at hand means.
func undecided(ev *evaluation, args []ref.Val) ref.Val {
	why, ok := args[0].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	return ev.unknown(estate.Unknown(string(why), "the account"), "", false)
}

// credential reports whether a named value is a credential in plain sight.
// The estate has withheld what is one; a value that is not known may be one.
func credential(ev *evaluation, args []ref.Val) ref.Val {
	if v := wholeOf(args[1]); v != nil {
		return credentialWithin(ev, args[1], v)
	}
	if h, absent, ok := ev.hole(args[1]); ok && !absent {
		switch h.value.Kind() {
		case estate.KindSecret:
			return types.True
		case estate.KindReference:
			return types.Bool(credentialAttribute(h.value))
		case estate.KindText, estate.KindUnknown, estate.KindDenied:
			return credentialText(args[1], h.value)
		default:
			return args[1]
		}
	}
	if types.IsUnknown(args[0]) || types.IsUnknown(args[1]) {
		return merge(args...)
	}
	return types.False
}

// wholeOf is the value of a map or list.
func wholeOf(v ref.Val) *estate.Value {
	switch v := v.(type) {
	case *mapVal:
		return v.value
	case *listVal:
		return v.value
	}
	return nil
}

// credentialWithin judges every text of a document.
func credentialWithin(ev *evaluation, document ref.Val, v *estate.Value) ref.Val {
	found := types.Bool(false)
	var open ref.Val
	v.EachAt(func(path string, x *estate.Value) bool {
		switch x.Kind() {
		case estate.KindSecret:
			found = true
		case estate.KindReference:
			found = found || types.Bool(credentialAttribute(x))
		case estate.KindOneOf:
			resolved, undecided := ev.resolve(x)
			switch {
			case undecided:
				open = ev.unknown(x, path, false)
			case resolved != nil:
				if t := credentialWithin(ev, document, resolved); types.IsUnknown(t) {
					open = t
				} else if t == types.True {
					found = true
				}
			}
			return false
		case estate.KindUnknown, estate.KindDenied:
			if mayBeCredential(x) {
				open = ev.unknown(x, path, false)
			}
		default:
		}
		return true
	})
	if !found && open != nil {
		return open
	}
	return found
}

// credentialAttribute reports whether a reference stands for a credential that
// AWS makes, such as the ClientSecret of a user pool's client: what names it has
// its text once it is deployed.
func credentialAttribute(reference *estate.Value) bool {
	attribute := reference.Reference().Attribute
	return estate.SecretName(attribute[strings.LastIndexByte(attribute, '.')+1:])
}

// secretName reports whether something of that name is meant to hold a
// credential itself.
func secretName(ev *evaluation, args []ref.Val) ref.Val {
	name, undecided := ev.text(args[0])
	if undecided != nil {
		return undecided
	}
	return types.Bool(estate.SecretName(name))
}

// credentialText judges a text by its holes: one that holds a credential is
// one; one with an unknown hole may be.
func credentialText(undecided ref.Val, text *estate.Value) ref.Val {
	t := estate.False
	parts := text.Items()
	if text.Kind() != estate.KindText {
		parts = []*estate.Value{text}
	}
	for _, p := range parts {
		switch p.Kind() {
		case estate.KindSecret:
			return types.True
		case estate.KindReference:
			if credentialAttribute(p) {
				return types.True
			}
		case estate.KindUnknown, estate.KindDenied:
			if mayBeCredential(p) {
				t = estate.Maybe
			}
		default:
		}
	}
	return truth(t, undecided)
}

// mayBeCredential reports whether a text that is not known may be a credential.
// A pseudo parameter is none, and neither is what a collector looked at and did
// not keep.
func mayBeCredential(v *estate.Value) bool {
	return v.Gap().Reason != estate.ReasonPseudoParameter && !withheld(v)
}

// withheld reports whether a collector looked at a text and did not keep it: it is
// no credential and holds no ARN.
func withheld(v *estate.Value) bool { return strings.HasPrefix(v.Gap().Reason, estate.ReasonWithheld) }

// statements lists the statements of a policy document with every element as
// a list. Principals are written TYPE:ID, and everyone is "*".
func statements(ev *evaluation, args []ref.Val) ref.Val {
	m, ok := args[0].(*mapVal)
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return newList(ev, nil)
	}
	v, open := m.ev.resolve(m.value.Field("Statement"))
	switch {
	case v == nil:
		return newList(ev, nil)
	case open || !v.Known():
		return ev.unknown(v, join(m.path, "Statement"), true)
	case v.Kind() == estate.KindMap:
		v = estate.List(v)
	}
	var list []*estate.Value
	for _, s := range v.Items() {
		list = append(list, statement(s))
	}
	return &listVal{ev: ev, res: m.res, value: estate.List(list...), path: join(m.path, "Statement")}
}

func statement(s *estate.Value) *estate.Value {
	if s.Kind() == estate.KindOneOf {
		cases := make([]estate.Case, len(s.Cases()))
		for i, c := range s.Cases() {
			cases[i] = estate.Case{When: c.When, Value: nil}
			if c.Value != nil {
				cases[i].Value = statement(c.Value)
			}
		}
		return estate.OneOf(s.Input(), cases...)
	}
	if s.Kind() != estate.KindMap {
		return s
	}
	var fields []estate.Field
	for _, f := range s.Fields() {
		switch f.Name {
		case "Action", "NotAction", "Resource", "NotResource":
			f.Value = asList(f.Value)
		case "Principal", "NotPrincipal":
			f.Value = principals(f.Value)
		}
		fields = append(fields, f)
	}
	return estate.Map(fields...).At(s.Position())
}

func asList(v *estate.Value) *estate.Value {
	if k := v.Kind(); k == estate.KindList || k == estate.KindUnknown || k == estate.KindDenied {
		return v
	}
	if v.Kind() == estate.KindOneOf {
		cases := make([]estate.Case, len(v.Cases()))
		for i, c := range v.Cases() {
			cases[i] = estate.Case{When: c.When}
			if c.Value != nil {
				cases[i].Value = asList(c.Value)
			}
		}
		return estate.OneOf(v.Input(), cases...)
	}
	return estate.List(v).At(v.Position())
}

func principals(v *estate.Value) *estate.Value {
	if v.Kind() != estate.KindMap {
		return asList(v)
	}
	var all []*estate.Value
	for _, f := range v.Fields() {
		ids := asList(f.Value)
		if ids.Kind() != estate.KindList {
			return ids // how many there are is not known either
		}
		for _, id := range ids.Items() {
			all = append(all, principal(f.Name, id))
		}
	}
	return estate.List(all...).At(v.Position())
}

// principal writes one id. Everyone is "*" under every type, so that an id which
// may be everyone is left as it is, and no text with a type in front.
func principal(kind string, id *estate.Value) *estate.Value {
	if id.Kind() == estate.KindOneOf {
		cases := make([]estate.Case, len(id.Cases()))
		for i, c := range id.Cases() {
			cases[i] = estate.Case{When: c.When}
			if c.Value != nil {
				cases[i].Value = principal(kind, c.Value)
			}
		}
		return estate.OneOf(id.Input(), cases...)
	}
	if estate.Matches(id, estate.String("*")) != estate.False {
		return id
	}
	return estate.Text(estate.String(kind+":"), id).At(id.Position())
}

// found reports whether all members of a list are resources that were read. One
// that is outside what was read may be there or not.
func found(_ *evaluation, args []ref.Val) ref.Val {
	list, ok := args[0].(*listVal)
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	var missing *types.Unknown
	for _, v := range list.all() {
		missing, _ = types.MaybeMergeUnknowns(v, missing)
	}
	if missing != nil {
		return missing
	}
	return types.True
}
