package check

import (
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

// arn splits an ARN, or what refers to a resource, into its parts. An account by
// its twelve digits has only that part; for what is none of these the parts are
// unknown.
func arn(ev *evaluation, args []ref.Val) ref.Val {
	text, ok := ev.textOf(args[0])
	if !ok {
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	parts := ev.colons(text, len(arnFields)+1)
	var fields []estate.Field
	switch account, _ := text.Scalar(); {
	case len(parts) == len(arnFields)+1 && parts[0].AsString() == "arn":
		for i, name := range arnFields {
			fields = append(fields, estate.Field{Name: name, Value: parts[i+1]})
		}
		fields = append(fields, estate.Field{Name: "path", Value: estate.List(cut(parts[5], "/", -1)...)})
	case len(account) == 12 && strings.Trim(account, "0123456789") == "":
		fields = []estate.Field{{Name: "account", Value: text}}
	case text.Kind() == estate.KindUnknown && text.Gap().Reason == estate.ReasonPseudoParameter:
		fields = []estate.Field{{Name: "account", Value: text}}
	default:
		if types.IsUnknown(args[0]) {
			return args[0]
		}
		return ev.unknown(estate.Unknown("not an ARN", text.String()), "", false)
	}
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

// cut splits a text at a separator that stands in its literal pieces, into at
// most n parts; below zero, all. What stands in a hole is taken to have none.
func cut(text *estate.Value, separator string, n int) []*estate.Value {
	items := []*estate.Value{text}
	if text.Kind() == estate.KindText {
		items = text.Items()
	}
	parts := [][]*estate.Value{nil}
	add := func(v *estate.Value) { parts[len(parts)-1] = append(parts[len(parts)-1], v) }
	for _, item := range items {
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
	return values
}
