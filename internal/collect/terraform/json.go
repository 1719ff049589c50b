package terraform

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"unicode/utf8"

	"assay/internal/estate"
)

// raw is one value of the plan's JSON: a slice of the file's bytes, so that a
// plan is never held twice. No bytes mean that there is no value. The file was
// found to be valid JSON before the first raw was cut from it, which is what
// keeps the methods from running past an end and from nesting without bound.
type raw []byte

func (r raw) is(first byte) bool { return len(r) > 0 && r[0] == first }

func (r raw) isTrue() bool { return r.is('t') }

// absent reports whether there is nothing, or JSON's null.
func (r raw) absent() bool { return len(r) == 0 || r[0] == 'n' }

// next is the offset of the next byte at or after i that is not white space.
func next(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// end is the offset just behind the value that starts at i.
func end(data []byte, i int) int {
	switch data[i] {
	case '"':
		return stringEnd(data, i)
	case '{', '[':
		for depth := 0; i < len(data); i++ {
			switch data[i] {
			case '"':
				i = stringEnd(data, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return i
	}
	for ; i < len(data); i++ {
		switch data[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return i
		}
	}
	return i
}

// stringEnd is the offset just behind the string that starts at i.
func stringEnd(data []byte, i int) int {
	for start := i + 1; ; {
		n := bytes.IndexByte(data[start:], '"')
		if n < 0 {
			return len(data)
		}
		quote := start + n
		escapes := 0
		for data[quote-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return quote + 1
		}
		start = quote + 1
	}
}

// walk calls f with the members of an object and the offsets of their values
// within it, in the order of the file, until f says no.
func (r raw) walk(f func(name []byte, at int, v raw) bool) {
	if !r.is('{') {
		return
	}
	for i := next(r, 1); i < len(r) && r[i] == '"'; {
		afterName := stringEnd(r, i)
		start := next(r, next(r, afterName)+1) // past the colon
		stop := end(r, start)
		if !f(r[i:afterName].content(), start, r[start:stop:stop]) {
			return
		}
		if i = next(r, stop); i < len(r) && r[i] == ',' {
			i = next(r, i+1)
		}
	}
}

// members lists the members of an object, in the order of the file.
func (r raw) members() iter.Seq2[string, raw] {
	return func(yield func(string, raw) bool) {
		r.walk(func(name []byte, _ int, v raw) bool { return yield(string(name), v) })
	}
}

// memberAt is a member of an object and its offset within it.
func (r raw) memberAt(name string) (found raw, offset int) {
	r.walk(func(n []byte, at int, v raw) bool {
		if string(n) == name {
			found, offset = v, at
		}
		return found == nil
	})
	return found, offset
}

// elements lists the members of an array with their offsets within it.
func (r raw) elements() iter.Seq2[int, raw] {
	return func(yield func(int, raw) bool) {
		if !r.is('[') {
			return
		}
		for i := next(r, 1); i < len(r) && r[i] != ']'; {
			stop := end(r, i)
			if !yield(i, r[i:stop:stop]) {
				return
			}
			if i = next(r, stop); i < len(r) && r[i] == ',' {
				i = next(r, i+1)
			}
		}
	}
}

// list is elements as a slice.
func (r raw) list() []raw {
	var all []raw
	for _, e := range r.elements() {
		all = append(all, e)
	}
	return all
}

// object is members as a map. Where a name occurs twice the last one holds.
func (r raw) object() map[string]raw {
	all := map[string]raw{}
	for name, v := range r.members() {
		all[name] = v
	}
	return all
}

// wanted lists the members of an object that a row asks for.
func (r raw) wanted(specs map[string]attribute) map[string]raw {
	if !r.is('{') {
		return nil
	}
	all := make(map[string]raw, len(specs))
	r.walk(func(name []byte, _ int, v raw) bool {
		if _, ok := specs[string(name)]; ok {
			all[string(name)] = v
		}
		return true
	})
	return all
}

// member is the member of an object with that name, or the member of that with
// the next. Where a name occurs twice the last one holds.
func (r raw) member(path ...string) raw {
	for _, want := range path {
		var found raw
		r.walk(func(name []byte, _ int, v raw) bool {
			if string(name) == want {
				found = v
			}
			return true
		})
		r = found
	}
	return r
}

// text is the content of a string, and "" for anything else.
func (r raw) text() string { return string(r.content()) }

func (r raw) content() []byte {
	if !r.is('"') {
		return nil
	}
	if inner := r[1 : len(r)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner
	}
	var s string
	if json.Unmarshal(r, &s) != nil {
		return nil
	}
	return []byte(s)
}

// texts are the strings of an array.
func (r raw) texts() []string {
	var all []string
	for _, e := range r.elements() {
		all = append(all, e.text())
	}
	return all
}

// value is r as a known value.
func (r raw) value(at estate.Position) *estate.Value {
	switch {
	case len(r) == 0:
		return nil
	case r[0] == '{':
		var fields []estate.Field
		for name, v := range r.members() {
			fields = append(fields, estate.Field{Name: name, Value: v.value(at)})
		}
		return estate.Map(fields...).At(at)
	case r[0] == '[':
		items := []*estate.Value{}
		for _, e := range r.elements() {
			items = append(items, e.value(at))
		}
		return estate.List(items...).At(at)
	}
	return r.scalar().At(at)
}

func (r raw) scalar() *estate.Value {
	switch r[0] {
	case '"':
		return estate.String(r.text())
	case 't', 'f':
		return estate.Bool(r.isTrue())
	case 'n':
		return estate.Null()
	}
	n, err := estate.Number(string(r))
	if err != nil {
		return estate.String(string(r)) // a number past what a float holds
	}
	return n
}

// anyTrue reports whether a tree of booleans, as after_unknown is, has a true.
func (r raw) anyTrue() bool { return r.countTrue() > 0 }

func (r raw) countTrue() int {
	switch {
	case r.isTrue():
		return 1
	case !r.is('{') && !r.is('['), !bytes.Contains(r, []byte("true")):
		return 0
	}
	n := 0
	for _, v := range r.members() {
		n += v.countTrue()
	}
	for _, v := range r.elements() {
		n += v.countTrue()
	}
	return n
}

// names are the names of the members of several objects, in order.
func names(objects ...raw) []string {
	var all []string
	for _, o := range objects {
		for name := range o.members() {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// element is the i-th member of an array.
func (r raw) element(i int) raw {
	for _, e := range r.elements() {
		if i == 0 {
			return e
		}
		i--
	}
	return nil
}
