package aws

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"assay/internal/estate"
)

// property is the value of a property that one call gives about item. The codes
// in absent say that there is none.
func property[In, Out, Opt any](ctx context.Context, s *scope, item, action string,
	call func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In, value func(*Out) *estate.Value, absent ...string) *estate.Value {
	out, err := do(ctx, s, action, call, in)
	switch {
	case none(err, absent...):
		return nil
	case err != nil:
		return s.missing(err, item)
	}
	return value(out)
}

// as is one of the SDK's structs or lists as the value of a property of a type, where
// another call gives it than the one that describes the resource.
func (s *scope) as(typ, property string, from any, call string) *estate.Value {
	schema := s.run.model.Schema(typ)
	if schema == nil {
		return nil
	}
	return s.run.shaper.value(reflect.ValueOf(from), schema, schema.Properties[property], typ+"."+property, s.at(call))
}

// gaps are the properties of a type that one of the SDK's structs has no fields
// for, with why they are not known.
func (s *scope) gaps(typ string, from any, gap *estate.Value) fields {
	f := fields{}
	for _, name := range s.run.shaper.plan(reflect.TypeOf(from), s.run.model.Schema(typ), "", nil).unseen {
		f[name] = gap
	}
	return f
}

// isFunction reports whether an ARN is that of a function, or of a version or
// alias of one.
func isFunction(arn string) bool {
	parts := strings.SplitN(arn, ":", 7)
	return len(parts) == 7 && parts[2] == "lambda" && parts[5] == "function"
}

// str is a text that may not be there.
func str(text *string) *estate.Value { return word(aws.ToString(text)) }

// word is a text, of which none is written as an empty one.
func word(text string) *estate.Value {
	if text == "" {
		return nil
	}
	return estate.String(text)
}

// strs are texts as a list; nil when there are none.
func strs(texts []string) *estate.Value {
	if len(texts) == 0 {
		return nil
	}
	items := make([]*estate.Value, len(texts))
	for i, text := range texts {
		items[i] = estate.String(text)
	}
	return estate.List(items...)
}

// listOf is a list; nil when nothing is in it.
func listOf(items []*estate.Value) *estate.Value {
	if len(items) == 0 {
		return nil
	}
	return estate.List(items...)
}

// number is a number that may not be there.
func number[T ~int | ~int32 | ~int64](n *T) *estate.Value {
	if n == nil {
		return nil
	}
	return estate.Int(int64(*n))
}

// flag is a truth that may not be there.
func flag(b *bool) *estate.Value {
	if b == nil {
		return nil
	}
	return estate.Bool(*b)
}

// moment is a point in time.
func moment(t time.Time) *estate.Value { return estate.String(t.UTC().Format(time.RFC3339)) }

// some is an object of what is there; nil when nothing is.
func some(f fields) *estate.Value {
	var all []estate.Field
	for name, v := range f {
		if v != nil {
			all = append(all, estate.Field{Name: name, Value: v})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b estate.Field) int { return strings.Compare(a.Name, b.Name) })
	return estate.Map(all...)
}

// all adds properties that are certainly not there, where f does not have them.
func (f fields) all(names ...string) fields {
	for _, name := range names {
		if _, ok := f[name]; !ok {
			f[name] = nil
		}
	}
	return f
}

// list is what stands for a list, of which policies may write a single member
// alone.
func list(v *estate.Value) []*estate.Value {
	if v.Kind() == estate.KindList {
		return v.Items()
	}
	if v == nil {
		return nil
	}
	return []*estate.Value{v}
}

// afterLast is what follows the last separator.
func afterLast(text, separator string) string {
	return text[strings.LastIndex(text, separator)+1:]
}

// tagMap is a map of tags as a map; nil when there are none.
func tagMap(all map[string]string) *estate.Value {
	f := fields{}
	for key, value := range all {
		f[key] = estate.String(value)
	}
	return some(f)
}
