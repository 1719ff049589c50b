package check

import (
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// Marks for holes in the text of an ARN.
const (
	solidHole = "\x01" // some text without a wildcard
	openHole  = "\x02" // any text
)

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

// awsPolicy is the path and name of a policy that AWS manages, by its ARN, and ""
// for another policy. One that the estate declares is never one.
func awsPolicy(ev *evaluation, args []ref.Val) ref.Val {
	text, ok := ev.textOf(args[0])
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	s := written(text)
	_, name, found := strings.Cut(s, ":iam::aws:policy/")
	switch {
	case found && !strings.ContainsAny(name, solidHole+openHole):
		return types.String(name)
	case found || strings.Contains(s, openHole):
		return truth(estate.Maybe, args[0])
	}
	return types.String("")
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
