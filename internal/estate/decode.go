package estate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseJSON reads plain JSON as a value; numbers keep their spelling.
func ParseJSON(data []byte) (*Value, error) {
	if err := validJSON(data); err != nil {
		return nil, err
	}
	return (&decoder{data: data}).value()
}

// UnmarshalJSON reads a value as [Value.AppendJSON] writes it.
func (v *Value) UnmarshalJSON(data []byte) error {
	if err := validJSON(data); err != nil {
		return err
	}
	read, err := unmarshal(data, nil)
	if err != nil {
		return err
	}
	*v = *read
	return nil
}

// validJSON says what keeps data from being one JSON value.
func validJSON(data []byte) error {
	if json.Valid(data) {
		return nil
	}
	var nothing json.RawMessage
	return json.Unmarshal(data, &nothing)
}

// unmarshal reads a value as [Value.AppendJSON] writes it out of valid JSON.
func unmarshal(data []byte, seen seen) (*Value, error) {
	if len(data) == 0 {
		return nil, errors.New("expected a value, and there is none")
	}
	v, err := (&decoder{data: data, marks: true, seen: seen}).value()
	if err == nil && v == nil {
		err = errors.New("an absent value stands alone")
	}
	return v, err
}

// seen are the last values of a file by how they are written, so that what stands
// in thousands of resources is held once: words, defaults, trust policies.
type seen map[string]*Value

// maxSeen bounds how many values are remembered, and maxWritten how long they are,
// in bytes: what is long is seldom met again.
const (
	maxSeen    = 1 << 13
	maxWritten = 512
)

// note remembers a value. When there are too many all are forgotten: those that
// are met often will soon be there again.
func (s seen) note(written string, v *Value) {
	if s == nil || len(written) > maxWritten {
		return
	}
	if len(s) >= maxSeen {
		clear(s)
	}
	s[written] = v
}

// decoder reads JSON that is valid.
type decoder struct {
	data  []byte
	at    int
	marks bool // objects with one key that begins with '$' are knowledge
	seen  seen // nil: every value is a new one
	// items and fields are those of the lists and objects that are being read.
	items  []*Value
	fields []Field
}

// next skips white space and returns the byte that follows.
func (d *decoder) next() byte {
	for {
		switch c := d.data[d.at]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			d.at++
		default:
			return c
		}
	}
}

func (d *decoder) value() (*Value, error) {
	switch c := d.next(); c {
	case '{':
		written := d.written()
		if v, ok := d.seen[string(written)]; ok {
			d.at += len(written)
			return v, nil
		}
		v, err := d.object(d.marks)
		if v != nil && written != nil {
			d.seen.note(string(written), v)
		}
		return v, err
	case '[':
		return d.list()
	case '"':
		return d.text(), nil
	case 't':
		d.at += len("true")
		return Bool(true), nil
	case 'f':
		d.at += len("false")
		return Bool(false), nil
	case 'n':
		d.at += len("null")
		return Null(), nil
	default:
		start := d.at
		for d.at < len(d.data) && strings.IndexByte("+-.0123456789eE", d.data[d.at]) >= 0 {
			d.at++
		}
		return Number(string(d.data[start:d.at]))
	}
}

func (d *decoder) list() (*Value, error) {
	d.at++
	start := len(d.items)
	for d.next() != ']' {
		item, err := d.value()
		if err != nil {
			return nil, err
		}
		d.items = append(d.items, item)
	}
	d.at++
	items := slices.Clone(d.items[start:])
	d.items = d.items[:start]
	return List(items...), nil
}

// object reads an object; mark says that it may stand for knowledge.
func (d *decoder) object(mark bool) (*Value, error) {
	d.at++
	start := len(d.fields)
	for d.next() != '}' {
		name := d.text().s
		var v *Value
		var err error
		if mark && name == markLiteral && d.next() == '{' {
			v, err = d.object(false)
		} else {
			v, err = d.value()
		}
		if err != nil {
			return nil, err
		}
		d.fields = append(d.fields, Field{name, v})
	}
	d.at++
	fields := slices.Clone(d.fields[start:])
	d.fields = d.fields[:start]
	if mark && len(fields) == 1 && strings.HasPrefix(fields[0].Name, "$") {
		return marked(fields[0].Name, fields[0].Value)
	}
	return mapOf(fields), nil
}

// text reads a string.
func (d *decoder) text() *Value {
	start := d.at + 1
	end, plain := start, true
	for ; d.data[end] != '"'; end++ {
		if c := d.data[end]; c == '\\' {
			end++
			plain = false
		} else if c >= 0x80 {
			plain = false
		}
	}
	d.at = end + 1
	written := d.data[start-1 : d.at]
	if v, ok := d.seen[string(written)]; ok {
		return v
	}
	v := String(string(d.data[start:end]))
	if !plain {
		// Escapes, and bytes that are not UTF-8. That it decodes is known.
		_ = json.Unmarshal(written, &v.s)
	}
	d.seen.note(string(written), v)
	return v
}

// written is the object that begins at d.at as it is written; nil where it is
// long, or where nothing is remembered.
func (d *decoder) written() []byte {
	if d.seen == nil {
		return nil
	}
	rest := d.data[d.at:min(d.at+maxWritten, len(d.data))]
	depth, quoted := 0, false
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return rest[:i+1]
			}
		}
	}
	return nil
}

// markLiteral wraps a map of the source that looks like a mark.
const markLiteral = "$literal"

// marked turns a '$' object back into what it stands for.
func marked(mark string, v *Value) (*Value, error) {
	field := func(name string) string { return v.Field(name).AsString() }
	switch mark {
	case "$absent":
		return nil, nil
	case "$default":
		return v.AsDefault(), nil
	case "$number":
		return Number(v.AsString())
	case "$ref":
		return Ref(field("resource"), field("attribute")), nil
	case "$secret":
		return Secret(field("why")), nil
	case "$unknown":
		if v.Field("maybe").AsBool() {
			return Unread(field("reason"), field("input")), nil
		}
		if v.Field("derived").AsBool() {
			return Unknown(field("reason"), field("input")), nil
		}
		return UnknownText(field("reason"), field("input")), nil
	case "$denied":
		return Denied(field("reason"), field("input")), nil
	case "$text":
		if len(v.Items()) == 0 || slices.Contains(v.items, nil) {
			return nil, errors.New("$text: expected texts and holes")
		}
		return &Value{kind: KindText, items: v.items}, nil
	case markLiteral:
		return v, nil
	case "$oneOf":
		var cases []Case
		for _, c := range v.Field("cases").Items() {
			cases = append(cases, Case{c.Field("when").AsString(), c.Field("value")})
		}
		if len(cases) == 0 {
			return nil, errors.New("$oneOf: expected cases")
		}
		return &Value{kind: KindOneOf, s: field("input"), cases: &cases}, nil
	default:
		return nil, fmt.Errorf("unknown mark %q in an estate value", mark)
	}
}

// positions are where values stand, by the path of names and indexes that leads
// to them: line, column and, where it is another than the resource's, the file.
type positions map[string][]any

// put gives the values inside v their positions.
func (at positions) put(path, file string, v *Value) *Value {
	if v == nil {
		return nil
	}
	c := *v
	if p := at[path]; len(p) >= 2 {
		line, _ := p[0].(float64)
		column, _ := p[1].(float64)
		pos := Position{file, int(line), int(column)}
		if len(p) > 2 {
			pos.File, _ = p[2].(string)
		}
		c.place(pos)
	}
	switch v.kind {
	case KindList, KindText:
		c.items = slices.Clone(v.items)
		for i := range c.items {
			c.items[i] = at.put(path+"/"+strconv.Itoa(i), file, c.items[i])
		}
	case KindMap:
		c.fields = slices.Clone(v.fields)
		for i, f := range c.fields {
			c.fields[i].Value = at.put(path+"/"+escapePointer(f.Name), file, f.Value)
		}
	case KindOneOf:
		cases := slices.Clone(v.Cases())
		for i, one := range cases {
			cases[i].Value = at.put(path+"/"+escapePointer(one.When), file, one.Value)
		}
		c.cases = &cases
	default:
	}
	return &c
}
