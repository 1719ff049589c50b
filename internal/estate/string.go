package estate

import "strings"

// String writes a value on one line for a person: texts as they are, holes and
// references as ${…}, credentials as [withheld]. It never shows a secret.
func (v *Value) String() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}

func (v *Value) write(b *strings.Builder) {
	switch v.Kind() {
	case KindAbsent:
		b.WriteString("(absent)")
	case KindNull:
		b.WriteString("null")
	case KindBool, KindInt, KindFloat, KindString:
		s, _ := v.Scalar()
		b.WriteString(s)
	case KindList:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteString(", ")
			}
			item.write(b)
		}
		b.WriteByte(']')
	case KindMap:
		b.WriteByte('{')
		for i, f := range v.fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(f.Name)
			b.WriteString(": ")
			f.Value.write(b)
		}
		b.WriteByte('}')
	case KindReference:
		b.WriteString("${" + v.s)
		if v.of != "Ref" {
			b.WriteString("." + v.of)
		}
		b.WriteByte('}')
	case KindText:
		for _, p := range v.items {
			p.write(b)
		}
	case KindSecret:
		b.WriteString("[withheld]")
	case KindOneOf:
		b.WriteString("one of (")
		for i, c := range v.Cases() {
			if i > 0 {
				b.WriteString(" | ")
			}
			c.Value.write(b)
		}
		b.WriteString(") by " + v.s)
	case KindUnknown:
		b.WriteString("${" + v.of + "}")
	case KindDenied:
		b.WriteString("(denied: " + v.of + ")")
	}
}
