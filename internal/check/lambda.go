package check

import (
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// undecided is a question that the check leaves to a person, or to an engine
// that is not asked: never true and never false.
func undecided(ev *evaluation, args []ref.Val) ref.Val {
	why, ok := args[0].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	return ev.unknown(estate.Unknown("not decided by this check", string(why)), "", false)
}

// resourceKinds are the words that an ARN's resource part begins with and that
// narrow nothing: rule/* is any rule.
var resourceKinds = map[string]bool{
	"alarm": true, "configuration-set": true, "function": true, "identity": true, "loadbalancer": true, "log-group": true,
	"pipeline": true, "project": true, "receipt-rule-set": true, "rule": true, "schedule": true, "stateMachine": true,
	"stream": true, "table": true, "targetgroup": true, "topic": true, "userpool": true,
}

// Marks for holes in the text of an ARN.
const (
	solidHole = "\x01" // some text without a wildcard
	openHole  = "\x02" // any text
)

// narrows reports whether an ARN or pattern, as SourceArn holds it, leaves out
// the resources of strangers: it names an account, or a resource.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func narrows(ev *evaluation, args []ref.Val) ref.Val {
	text, ok := ev.textOf(args[0])
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	return truth(narrow(written(text)), args[0])
}

// written is a text with marks for its holes.
func written(v *estate.Value) string {
	parts := []*estate.Value{v}
	if v.Kind() == estate.KindText {
		parts = v.Items()
	}
	var b strings.Builder
	for _, p := range parts {
		switch {
		case p.Kind() == estate.KindReference, p.Kind() == estate.KindUnknown && p.Gap().Reason == estate.ReasonPseudoParameter:
			b.WriteString(solidHole)
		case p.Kind() == estate.KindString:
			b.WriteString(p.AsString())
		default:
			b.WriteString(openHole)
		}
	}
	return b.String()
}

func narrow(s string) estate.Truth {
	if !strings.HasPrefix(s, "arn:") {
		switch {
		case strings.HasPrefix(s, solidHole):
			return estate.True // another resource's ARN, perhaps with something behind
		case strings.Contains(s, openHole):
			return estate.Maybe
		}
		return estate.TruthOf(strings.Trim(s, "*?") != "")
	}
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 {
		if strings.Contains(s, openHole) {
			return estate.Maybe
		}
		return estate.False
	}
	account, resource := parts[4], parts[5]
	if i := strings.IndexAny(resource, "/:"); i > 0 && resourceKinds[resource[:i]] {
		resource = resource[i+1:]
	}
	named := func(part string) estate.Truth {
		literal := strings.Trim(part, "*?/:")
		switch {
		case literal == "":
			return estate.False
		case strings.Trim(literal, openHole+"*?/:") == "":
			return estate.Maybe // what fills the hole may be a wildcard
		}
		return estate.True
	}
	whole := named(account)
	if strings.ContainsAny(account, "*?") {
		whole = estate.False
	}
	return whole.Not().And(named(resource).Not()).Not()
}

// qualifier is the alias or version that a property names a function with, and
// "" where it names the function alone: NAME:ALIAS, an ARN that goes on behind
// the name, or a reference to an alias or version.
func qualifier(ev *evaluation, args []ref.Val) ref.Val {
	m, ok := args[0].(*mapVal)
	property, named := args[1].(types.String)
	if !ok || !named {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	v, open := m.field(string(property))
	path := m.pathOf(string(property))
	switch {
	case v == nil:
		return types.String("")
	case open:
		return ev.unknown(v, path, false)
	}
	if v.Kind() == estate.KindReference {
		target := m.res.Scope().Resource(v.Reference().Resource)
		if target == nil {
			return ev.unknown(v, path, false)
		}
		switch target.Type {
		case "AWS::Lambda::Alias":
			if name := target.Properties.Field("Name"); name != nil {
				return ev.wrap(target, name, "Name")
			}
			return ev.unknown(v, path, false)
		case "AWS::Lambda::Version":
			return ev.unknown(v, path, false)
		}
		return types.String("")
	}
	if v.Kind() != estate.KindString && v.Kind() != estate.KindText {
		return ev.unknown(v, path, false)
	}
	// The literal end of the text tells, as long as it holds the whole of what
	// stands behind the function's name.
	items := v.Items()
	text := v.AsString()
	if v.Kind() == estate.KindText {
		last := items[len(items)-1]
		if last.Kind() != estate.KindString {
			if last.Kind() == estate.KindReference && last.Reference().Attribute != "Version" {
				return types.String("") // …:function:${Function}
			}
			return ev.unknown(v, path, false)
		}
		text = last.AsString()
		if _, behind, found := strings.Cut(text, ":function:"); found {
			text = behind
		} else if !strings.HasPrefix(text, ":") {
			return types.String("") // a part of the name
		} else {
			return types.String(text[1:])
		}
	} else if _, behind, found := strings.Cut(text, ":function:"); found {
		text = behind
	}
	_, alias, _ := strings.Cut(text, ":")
	return types.String(alias)
}

// boundless reports whether a pattern of actions or resources leaves nothing
// out: it consists of wildcards, and of what every ARN begins with.
func boundless(ev *evaluation, args []ref.Val) ref.Val {
	text, ok := ev.textOf(args[0])
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	s := written(text)
	if rest, arn := strings.CutPrefix(s, "arn:"); arn {
		partition, behind, _ := strings.Cut(rest, ":")
		if strings.HasPrefix(partition, "aws") || partition == solidHole {
			s = "*:" + behind
		} else {
			s = rest
		}
	}
	wild := strings.Trim(s, "*:"+openHole) == ""
	switch {
	case !wild || s == "":
		return types.False
	case strings.Contains(s, openHole):
		return truth(estate.Maybe, args[0])
	}
	return types.True
}

// awsKey reports whether an ARN names a key that AWS manages, by its alias. A
// key that the estate declares is never one.
func awsKey(ev *evaluation, args []ref.Val) ref.Val {
	text, ok := ev.textOf(args[0])
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	switch s := written(text); {
	case strings.Contains(s, "alias/aws/"):
		return types.True
	case strings.Contains(s, ":key/"):
		return types.False
	case strings.Contains(s, openHole):
		return truth(estate.Maybe, args[0])
	}
	return types.False
}

// grants lists the statements of all policies of a role: inline, managed ones
// that it names, and managed ones that name it. Policies that were not read
// are unknown members.
func grants(ev *evaluation, args []ref.Val) ref.Val {
	m, ok := args[0].(*mapVal)
	if !ok || !m.whole {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	var all []ref.Val
	add := func(policy ref.Val) {
		p, ok := policy.(*mapVal)
		if !ok {
			all = append(all, policy)
			return
		}
		document, found := p.Find(types.String("PolicyDocument"))
		if !found {
			return
		}
		switch list := statements(ev, []ref.Val{document}).(type) {
		case *listVal:
			all = append(all, list.all()...)
		default:
			all = append(all, list)
		}
	}
	if inline, found := m.Find(types.String("Policies")); found {
		switch list := inline.(type) {
		case *listVal:
			for _, p := range list.all() {
				add(p)
			}
		default:
			all = append(all, inline)
		}
	}
	for _, name := range []string{"managedPolicies", "attachedPolicies"} {
		before := len(ev.reads)
		list, ok := ev.related(m.res, name).(*listVal)
		if !ok || len(list.all()) == 0 {
			ev.reads = ev.reads[:before] // that there are none proves nothing
			continue
		}
		for _, p := range list.all() {
			add(p)
		}
	}
	return newList(ev, all)
}
