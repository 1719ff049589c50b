package estate

import (
	"slices"
	"strings"
)

// Truth is Kleene's third-valued truth. Its zero value is Maybe, so that a
// forgotten answer is never a yes.
type Truth int8

// The three truths.
const (
	Maybe Truth = iota
	True
	False
)

// TruthOf is the two-valued b.
func TruthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Not negates t; not maybe is maybe.
func (t Truth) Not() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	default:
		return Maybe
	}
}

// And is true when both are, false when either is not.
func (t Truth) And(u Truth) Truth {
	switch {
	case t == False || u == False:
		return False
	case t == True && u == True:
		return True
	}
	return Maybe
}

// Equal reports whether a and b are the same knowledge: same kind, same parts.
// Positions do not count, and a default equals the same stated value. Two
// unknown values are equal when their gaps are.
func Equal(a, b *Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case KindAbsent, KindNull:
		return true
	case KindBool:
		return a.b == b.b
	case KindInt:
		return a.s == b.s || a.AsInt() == b.AsInt()
	case KindFloat:
		return a.AsFloat() == b.AsFloat()
	case KindString, KindSecret:
		return a.s == b.s
	case KindReference:
		return a.s == b.s && a.of == b.of
	case KindUnknown, KindDenied:
		return a.s == b.s && a.of == b.of && a.derived == b.derived && a.b == b.b
	case KindList, KindText:
		if len(a.items) != len(b.items) {
			return false
		}
		for i := range a.items {
			if !Equal(a.items[i], b.items[i]) {
				return false
			}
		}
		return true
	case KindMap:
		if len(a.fields) != len(b.fields) {
			return false
		}
		for i := range a.fields {
			if a.fields[i].Name != b.fields[i].Name || !Equal(a.fields[i].Value, b.fields[i].Value) {
				return false
			}
		}
		return true
	case KindOneOf:
		return a.s == b.s && slices.EqualFunc(a.Cases(), b.Cases(), func(c, d Case) bool { return c.When == d.When && Equal(c.Value, d.Value) })
	}
	return false
}

// Matches compares what two texts denote, not how they are written: True when
// they must be the same text, False when they cannot be, Maybe otherwise.
// A reference denotes some non-empty text without '*', the same one wherever
// it stands; an unknown hole may be any text, but the same [UnknownText] is the
// same text.
func Matches(a, b *Value) Truth {
	pa, okA := textParts(a)
	pb, okB := textParts(b)
	if !okA || !okB {
		return Maybe
	}
	if sameParts(pa, pb) {
		return True
	}
	return partsDisjoint(pa, pb)
}

// textParts lists the parts of anything that denotes a text.
func textParts(v *Value) ([]*Value, bool) {
	switch v.Kind() {
	case KindText:
		return v.items, true
	case KindInt, KindFloat, KindBool:
		s, _ := v.Scalar()
		return []*Value{String(s)}, true
	case KindString, KindReference, KindUnknown, KindDenied:
		return []*Value{v}, true
	default:
		return nil, false
	}
}

func sameParts(a, b []*Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) || a[i].Kind() == KindDenied || a[i].Kind() == KindUnknown && (a[i].derived || a[i].of == "") {
			return false
		}
	}
	return true
}

// partsDisjoint compares the literal ends of two texts. The literals at the
// same end must agree as far as both reach, and a text without holes must
// have room for the other's literals.
func partsDisjoint(a, b []*Value) Truth {
	if len(a) == 1 && len(b) == 1 && a[0].Kind() == KindString && b[0].Kind() == KindString {
		return TruthOf(a[0].s == b[0].s)
	}
	preA, preB := literal(a, 0), literal(b, 0)
	if !strings.HasPrefix(preA, preB) && !strings.HasPrefix(preB, preA) {
		return False
	}
	sufA, sufB := literal(a, len(a)-1), literal(b, len(b)-1)
	if !strings.HasSuffix(sufA, sufB) && !strings.HasSuffix(sufB, sufA) {
		return False
	}
	if len(a) == 1 && a[0].Kind() == KindString && !fits(b, a[0].s) {
		return False
	}
	if len(b) == 1 && b[0].Kind() == KindString && !fits(a, b[0].s) {
		return False
	}
	for _, p := range [][2][]*Value{{a, b}, {b, a}} {
		if len(p[0]) == 1 && len(p[1]) == 1 && isAccount(p[0][0]) && p[1][0].Kind() == KindString && !(len(p[1][0].s) == accountDigits && digits(p[1][0].s)) {
			return False
		}
	}
	return Maybe
}

// An account's id is twelve digits, whichever account it is.
const accountDigits = 12

// isAccount reports whether a hole is the pseudo parameter AWS::AccountId.
func isAccount(v *Value) bool {
	return v.Kind() == KindUnknown && v.Gap() == (Gap{ReasonPseudoParameter, "AWS::AccountId"})
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// within reports whether part could be in the text that parts denote, as far as
// it is an account's id alone.
func within(parts []*Value, part string) bool {
	return len(parts) > 1 || !isAccount(parts[0]) || len(part) <= accountDigits && digits(part)
}

func literal(parts []*Value, i int) string {
	if parts[i].Kind() == KindString {
		return parts[i].s
	}
	return ""
}

// fits reports whether the known text s could be the text that parts denote.
// Literals are placed leftmost, which finds a fit if there is one, because a
// later hole can take any remainder; the last literal must end the text.
func fits(parts []*Value, s string) bool {
	rest, open := s, false // open: a hole precedes, so that the next literal may start later
	min := 0               // texts that the hole must at least cover: references are not empty
	for i, p := range parts {
		if p.Kind() != KindString {
			open = true
			if solid(p) {
				min++
			}
			continue
		}
		if i == len(parts)-1 {
			return strings.HasSuffix(rest, p.s) && (open || rest == p.s) && len(rest)-len(p.s) >= min && holeAllowed(rest[:len(rest)-len(p.s)], min)
		}
		if !open {
			if !strings.HasPrefix(rest, p.s) {
				return false
			}
			rest = rest[len(p.s):]
			continue
		}
		if len(rest) < min {
			return false
		}
		at := strings.Index(rest[min:], p.s)
		if at < 0 {
			return false
		}
		rest, open, min = rest[min+at+len(p.s):], false, 0
	}
	return (open || rest == "") && holeAllowed(rest, min)
}

// holeAllowed reports whether text can fill a run of holes of which min are
// references: each takes at least one character that is not '*'.
func holeAllowed(text string, min int) bool {
	if min == 0 {
		return true
	}
	return len(text)-strings.Count(text, "*") >= min
}

// solid reports whether a hole is known to hold a non-empty text without '*':
// the identity of a resource, or a pseudo parameter such as AWS::Region.
func solid(v *Value) bool {
	return v.Kind() == KindReference || v.Kind() == KindUnknown && v.s == ReasonPseudoParameter
}

// ReasonPseudoParameter is the gap of a CloudFormation pseudo parameter
// (AWS::Region, AWS::AccountId, …) whose value the run was not told: some
// non-empty text without '*'.
const ReasonPseudoParameter = "pseudo parameter"

// HasPrefix reports whether the text v starts with prefix.
func HasPrefix(v *Value, prefix string) Truth {
	parts, ok := textParts(v)
	if !ok {
		return Maybe
	}
	lead := literal(parts, 0)
	switch {
	case strings.HasPrefix(lead, prefix):
		return True
	case len(parts) == 1 && parts[0].Kind() == KindString:
		return False
	case !strings.HasPrefix(prefix, lead):
		return False
	case solid(parts[leadLen(lead)]) && strings.HasPrefix(prefix[len(lead):], "*"), !within(parts, prefix):
		return False
	}
	return Maybe
}

// leadLen is how many parts the leading literal takes.
func leadLen(lead string) int {
	if lead == "" {
		return 0
	}
	return 1
}

// HasSuffix reports whether the text v ends with suffix.
func HasSuffix(v *Value, suffix string) Truth {
	parts, ok := textParts(v)
	if !ok {
		return Maybe
	}
	tail := literal(parts, len(parts)-1)
	switch {
	case strings.HasSuffix(tail, suffix):
		return True
	case len(parts) == 1 && parts[0].Kind() == KindString:
		return False
	case !strings.HasSuffix(suffix, tail):
		return False
	case solid(parts[len(parts)-1-leadLen(tail)]) && strings.HasSuffix(suffix[:len(suffix)-len(tail)], "*"), !within(parts, suffix):
		return False
	}
	return Maybe
}

// Contains reports whether the text v contains part.
func Contains(v *Value, part string) Truth {
	parts, ok := textParts(v)
	switch {
	case part == "":
		return True
	case !ok:
		return Maybe
	}
	for _, p := range parts {
		if p.Kind() == KindString && strings.Contains(p.s, part) {
			return True
		}
	}
	if len(parts) == 1 && parts[0].Kind() == KindString {
		return False
	}
	if strings.Trim(part, "*") == "" && allSolid(parts) || !within(parts, part) {
		return False
	}
	return Maybe
}

func allSolid(parts []*Value) bool {
	for _, p := range parts {
		if p.Kind() != KindString && !solid(p) {
			return false
		}
	}
	return true
}
