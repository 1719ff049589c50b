package check

import (
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// The account and region of the subject, as here.account and here.region.
const (
	hereVar  = "here"
	hereType = "assay.Place"
)

// place is the account and region of the subject. In a template they are the
// pseudo parameters, which are the same wherever it names them.
func (ev *evaluation) place() ref.Val {
	region, account := ev.scope.Place()
	return &mapVal{ev: ev, path: hereVar, value: estate.Map(
		estate.Field{Name: "account", Value: placeOr("AWS::AccountId", account)},
		estate.Field{Name: "region", Value: placeOr("AWS::Region", region)},
	)}
}

func placeOr(pseudo, known string) *estate.Value {
	if known != "" {
		return estate.String(known)
	}
	return estate.UnknownText(estate.ReasonPseudoParameter, pseudo)
}

// arnFields are the parts of an ARN behind "arn:".
var arnFields = []string{"partition", "service", "region", "account", "resource"}

// arn splits an ARN, or what refers to a resource, into its parts. Twelve digits
// are an account, and have only that part; of a text that is no ARN every part
// is empty.
func arn(ev *evaluation, args []ref.Val) ref.Val {
	text, ok := ev.textOf(args[0])
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	parts := ev.colons(text, len(arnFields)+1)
	empty := estate.String("")
	switch literal, known := text.Scalar(); {
	case len(parts) > 1 && parts[0].AsString() == "arn":
		parts = parts[1:]
	case known && len(literal) == 12 && strings.Trim(literal, "0123456789") == "",
		text.Kind() == estate.KindUnknown && text.Gap().Reason == estate.ReasonPseudoParameter && text.Gap().Input == "AWS::AccountId":
		parts = []*estate.Value{empty, empty, empty, text, empty}
	case known:
		parts = []*estate.Value{empty, empty, empty, empty, empty}
	default:
		// Not the argument itself, whose text would stand for each of the parts.
		return ev.unknown(estate.Unknown("not decided", text.String()), "arn(…)", false)
	}
	fields := make([]estate.Field, len(arnFields), len(arnFields)+1)
	for i, name := range arnFields {
		fields[i] = estate.Field{Name: name, Value: empty}
		if i < len(parts) {
			fields[i].Value = parts[i]
		}
	}
	resource := fields[len(fields)-1].Value
	path := resource
	if segments := cut(resource, "/", -1); !open(segments[len(segments)-1]) {
		path = estate.List(segments...)
	}
	fields = append(fields, estate.Field{Name: "path", Value: path})
	return &mapVal{ev: ev, value: estate.Map(fields...), path: "arn(" + text.String() + ")"}
}

// colons are the parts of a text between colons, at most n. A reference that the
// text begins with, or is, stands for the ARN of its resource.
func (ev *evaluation) colons(text *estate.Value, n int) []*estate.Value {
	first := text
	if text.Kind() == estate.KindText {
		first = text.Items()[0]
	}
	if first.Kind() == estate.KindReference && (text == first || strings.HasSuffix(first.Reference().Attribute, "Arn")) {
		r := ev.scope.Find(first.Reference().Resource)
		if r == nil || r.ARN() == nil {
			return nil
		}
		whole := []*estate.Value{r.ARN()}
		if text != first {
			whole = append(whole, text.Items()[1:]...)
		}
		text = estate.Text(whole...)
	}
	return cut(text, ":", n)
}

// open reports whether a hole may hold any text, separators too.
func open(v *estate.Value) bool {
	switch v.Kind() {
	case estate.KindReference:
		return false
	case estate.KindUnknown:
		return v.Gap().Reason != estate.ReasonPseudoParameter
	case estate.KindText:
		return slices.ContainsFunc(v.Items(), open)
	default:
		return !v.Known()
	}
}

// cut splits a text at a separator that stands in its literal pieces, into at
// most n parts; below zero, all. What a reference or a pseudo parameter stands
// for has no separator. Another hole may have some: where one stands, its part
// and those that would follow are not known, and come as the hole.
func cut(text *estate.Value, separator string, n int) []*estate.Value {
	items := []*estate.Value{text}
	if text.Kind() == estate.KindText {
		items = text.Items()
	}
	parts := [][]*estate.Value{nil}
	add := func(v *estate.Value) { parts[len(parts)-1] = append(parts[len(parts)-1], v) }
	var hole *estate.Value
	for _, item := range items {
		if open(item) && len(parts) != n {
			hole = item
			break
		}
		if item.Kind() != estate.KindString {
			add(item)
			continue
		}
		rest := item.AsString()
		for n < 0 || len(parts) < n {
			head, tail, found := strings.Cut(rest, separator)
			if !found {
				break
			}
			add(estate.String(head))
			parts = append(parts, nil)
			rest = tail
		}
		add(estate.String(rest))
	}
	values := make([]*estate.Value, len(parts))
	for i, p := range parts {
		values[i] = estate.Text(p...)
	}
	if hole != nil {
		values[len(values)-1] = hole
		for len(values) < n {
			values = append(values, hole)
		}
	}
	return values
}
