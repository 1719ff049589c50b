package sam

import (
	"crypto/sha1" //nolint:gosec // AWS's logical ids are made with SHA-1
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf16"

	"assay/internal/estate"
)

// hashLength is how many hexadecimal digits of a SHA-1 end a logical id.
const hashLength = 10

func hash(s string) string {
	sum := sha1.Sum([]byte(s)) //nolint:gosec // not for security
	return hex.EncodeToString(sum[:])[:hashLength]
}

// suffixed is a logical id with a free text at its end: as it is where an id
// may hold it, otherwise its hash.
func suffixed(id, suffix string) string {
	switch {
	case suffix == "":
		return id
	case alphanumeric(suffix):
		return id + suffix
	}
	return id + hash(suffix)
}

func alphanumeric(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return s != ""
}

// hashed is an id that ends in the hash of data, or the bare stem where data
// is not wholly known, as with code that is uploaded when it is deployed.
func hashed(stem string, data *estate.Value) string {
	if data.Kind() == estate.KindString {
		return stem + hash(data.AsString())
	}
	b, known := canonical(nil, data)
	if !known {
		return stem
	}
	return stem + hash(string(b))
}

// written names the intrinsic function by which the template wrote v.
func (x *expander) written(v *estate.Value) string {
	if x.in.Written == nil || v == nil {
		return ""
	}
	return x.in.Written(v)
}

// literal reports whether nothing in v was written as an intrinsic function
// other than Ref, which AWS resolves where it stands for a parameter.
func (x *expander) literal(v *estate.Value, refs bool) bool {
	all := true
	v.Each(func(part *estate.Value) bool {
		w := x.written(part)
		all = all && (w == "" || refs && w == "Ref")
		return all
	})
	return all
}

// canonical appends the JSON over which AWS makes hashes: sorted keys, no
// spaces, only ASCII. It reports false for what is not known.
func canonical(b []byte, v *estate.Value) ([]byte, bool) {
	known := true
	switch v.Kind() {
	case estate.KindNull:
		b = append(b, "null"...)
	case estate.KindBool:
		b = strconv.AppendBool(b, v.AsBool())
	case estate.KindInt:
		b = strconv.AppendInt(b, v.AsInt(), 10)
	case estate.KindFloat:
		b = strconv.AppendFloat(b, v.AsFloat(), 'g', -1, 64)
	case estate.KindString:
		b = appendASCII(b, v.AsString())
	case estate.KindList:
		b = append(b, '[')
		for i, item := range v.Items() {
			if i > 0 {
				b = append(b, ',')
			}
			var ok bool
			b, ok = canonical(b, item)
			known = known && ok
		}
		b = append(b, ']')
	case estate.KindMap:
		b = append(b, '{')
		for i, f := range v.Fields() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendASCII(b, f.Name), ':')
			var ok bool
			b, ok = canonical(b, f.Value)
			known = known && ok
		}
		b = append(b, '}')
	default:
		return b, false
	}
	return b, known
}

func appendASCII(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		if at := strings.IndexRune("\b\f\n\r\t\"\\", r); at >= 0 {
			b = append(b, '\\', `bfnrt"\`[at])
			continue
		}
		switch {
		case r >= 0x20 && r < 0x7f:
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = appendEscape(appendEscape(b, high), low)
		default:
			b = appendEscape(b, r)
		}
	}
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// final is a value as the finished template holds it: AWS::NoValue, which comes
// as null, is gone, and a reference to what SAM generated names its logical id.
// A template says "Payments.Alias" or "Payments.DestinationQueue" + ".Arn", and
// a layer by the id that it has before the hash is added.
func (x *expander) final(v *estate.Value) *estate.Value {
	switch v.Kind() {
	case estate.KindNull:
		return nil
	case estate.KindReference:
	default:
		return v
	}
	r := v.Reference()
	if id, ok := x.renamed[r.Resource]; ok {
		return estate.Ref(id, r.Attribute).At(v.Position())
	}
	part, attribute, dotted := strings.Cut(r.Attribute, ".")
	if id, ok := x.renamed[r.Resource+"."+part]; ok {
		if !dotted { // "${Payments.Alias}" in a text
			attribute = "Ref"
		}
		return estate.Ref(id, attribute).At(v.Position())
	}
	return v
}
