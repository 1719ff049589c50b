package aws

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/estate"
)

// TestUnread lists, for every type that is collected, the properties that no
// answer of AWS gives even where every member of it is set, so that a reviewer
// sees what the collector leaves out. Types of which a filled answer makes no
// resource stand at the end: their reads want answers that agree with others.
func TestUnread(t *testing.T) {
	f := newFake(t).empty()
	f.unverified, f.filled = true, true
	var builders []*estate.Builder
	// What an operation answers is known once it was called; each reading calls
	// more of them than the one before.
	for before := -1; ; {
		builders = f.open(everything).Collect(t.Context())
		known := 0
		f.outputs.Range(func(any, any) bool { known++; return true })
		if known == before {
			break
		}
		before = known
	}
	unread, all := map[string]bool{}, map[string]bool{}
	for _, b := range builders {
		for _, r := range b.Resources() {
			if r.Exists != nil {
				continue
			}
			all[r.Type] = true
			r.Properties.Each(func(v *estate.Value) bool {
				if g := v.Gap(); g.Reason == reasonUnread {
					unread[g.Input] = true
				}
				return true
			})
		}
	}
	var text strings.Builder
	for _, path := range slices.Sorted(maps.Keys(unread)) {
		text.WriteString(path + "\n")
	}
	for _, s := range services() {
		for _, r := range s.reads {
			for _, typ := range r.types {
				if !all[typ] {
					all[typ] = true
					text.WriteString("no resource: " + typ + "\n")
				}
			}
		}
	}
	golden(t, "unread", text.String())
}

var (
	isToken   = regexp.MustCompile(`(?i)token$|marker$|^position$|^IsTruncated$|^HasMore|^LastEvaluated|Error$|^FailureReason`)
	isARN     = regexp.MustCompile(`(?i)arns?$`)
	isJSON    = regexp.MustCompile(`(?i)policy$|document$|pattern$|^Policy`)
	isAccount = regexp.MustCompile(`(?i)account(id)?$|owner(id)?$`)
)

// fill is an answer with every member set, except what would ask for another
// page or tell of an error.
func fill(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	fillIn(v, "", 0, 0)
	return v
}

func fillIn(v reflect.Value, name string, nth, depth int) {
	t := v.Type()
	switch {
	case depth > 8:
	case t == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)))
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		fillIn(v.Elem(), name, nth, depth+1)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if field := t.Field(i); field.IsExported() && field.Name != "ResultMetadata" && !isToken.MatchString(field.Name) {
				fillIn(v.Field(i), field.Name, nth, depth+1)
			}
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		v.SetBytes([]byte("x"))
	case t.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(t, 2, 2))
		for i := range v.Len() {
			fillIn(v.Index(i), name, i, depth+1)
		}
	case t.Kind() == reflect.Map:
		value := reflect.New(t.Elem()).Elem()
		fillIn(value, name, nth, depth+1)
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(reflect.ValueOf("x").Convert(t.Key()), value)
	case t.Kind() == reflect.String:
		v.SetString(textFor(v, name, nth))
	case t.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(1)
	case v.CanFloat():
		v.SetFloat(1)
	}
}

func textFor(v reflect.Value, name string, nth int) string {
	if values := v.MethodByName("Values"); values.IsValid() {
		all := values.Call(nil)[0]
		return all.Index(min(nth, all.Len()-1)).String()
	}
	switch {
	case isARN.MatchString(name):
		return fmt.Sprintf("arn:aws:lambda:%s:%s:function:x%d", testRegion, testAccount, nth)
	case isJSON.MatchString(name):
		return `{"Version":"2012-10-17","Statement":[]}`
	case isAccount.MatchString(name):
		return testAccount
	case name == "Version":
		return []string{"$LATEST", "1"}[min(nth, 1)]
	}
	return fmt.Sprintf("x%d", nth)
}
