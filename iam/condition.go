package iam

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is a compiled condition.
type condition struct {
	operator
	key    string // in lower case
	list   bool   // AWS's type of the key is a list
	open   bool   // it is not known whether the document has the condition
	values []operand
	source *Condition
}

// operand is one value of a policy, prepared for its operator.
type operand struct {
	pattern pattern     // strings
	arn     *arnPattern // ARNs
	typed   *typed      // the rest
	truth   bool        // Bool, Null
	ok      bool        // the value is of the operator's type
	open    bool        // the value has holes where the operator wants more than a text
}

type typed struct {
	number  number
	date    instant
	network netip.Prefix
	binary  []byte
}

func compileCondition(c *Condition, form patternForm, data *Data) condition {
	op, ok := parseOperator(c.Operator)
	key := lower(c.Key)
	out := condition{operator: op, key: key, list: data.list(key), open: c.Open || !ok, source: c}
	out.values = slices.Grow(out.values, len(c.Values.Values))
	for _, v := range c.Values.Values {
		out.values = append(out.values, compileOperand(v.Value, op, form))
	}
	return out
}

func compileOperand(s string, op operator, form patternForm) operand {
	var o operand
	switch op.comparison {
	case compareString, compareFold:
		o.pattern = compilePattern(s, patternForm{variables: form.variables, legacy: form.legacy})
		o.ok = true
	case compareLike:
		o.pattern = compilePattern(s, patternForm{wildcards: true, variables: form.variables, legacy: form.legacy})
		o.ok = true
	case compareARN:
		a := compileARN(s, patternForm{wildcards: true, variables: form.variables, legacy: form.legacy})
		o.arn = &a
		o.ok = true
	default:
		o.open = hasHole(s)
		if op.comparison == compareBool || op.comparison == compareNull {
			o.truth, o.ok = parseBool(s)
			break
		}
		o.typed = &typed{}
		switch op.comparison {
		case compareNumber:
			o.typed.number, o.ok = parseNumber(s)
		case compareDate:
			o.typed.date, o.ok = parseInstant(s)
		case compareBinary:
			b, err := base64.StdEncoding.DecodeString(s)
			o.typed.binary, o.ok = b, err == nil
		default:
			o.typed.network, o.ok = parseNetwork(s)
		}
	}
	return o
}

// holds decides a condition.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
func (c *condition) holds(ev *evaluator) truth {
	if c.open {
		return maybe
	}
	values, state := ev.value(c.key)
	if (c.quantifier != one || c.comparison == compareNull) && nothing(values) && !ev.otherwise(EmptyValue) {
		values, state = nil, absent
		if c.quantifier == forAny {
			return no // the key is there, whatever IfExists says
		}
	}
	if c.comparison == compareNull {
		return c.null(state)
	}
	switch state {
	case unstated:
		return maybe
	case absent:
		return truthOf(c.holdsAbsent(ev))
	default:
	}
	switch c.quantifier {
	case forAll:
		return c.each(values, ev)
	case forAny:
		return c.some(values, ev)
	default:
		if len(values) == 1 && !c.list {
			return c.member(values[0], ev)
		}
		// A key with several values needs a set operator.
		if !ev.otherwise(SetOperator) {
			return no
		}
		if c.negated {
			return c.each(values, ev)
		}
		return c.some(values, ev)
	}
}

// nothing reports whether a key is there and its value is the empty text.
func nothing(values []string) bool {
	for _, v := range values {
		if v != "" {
			return false
		}
	}
	return len(values) > 0
}

func (c *condition) each(values []string, ev *evaluator) truth {
	t := yes
	for _, v := range values {
		t = min(t, c.member(v, ev))
	}
	return t
}

func (c *condition) some(values []string, ev *evaluator) truth {
	t := no
	for _, v := range values {
		t = max(t, c.member(v, ev))
	}
	return t
}

// holdsAbsent decides a condition whose key is not in the request.
func (c *condition) holdsAbsent(ev *evaluator) bool {
	switch c.quantifier {
	case forAll:
		return true
	case forAny:
		return c.ifExists && !ev.otherwise(ForAnyValueIfExists)
	default:
		return c.ifExists || c.negated
	}
}

func (c *condition) null(state presence) truth {
	if state == unstated {
		return maybe
	}
	t := no
	for i := range c.values {
		switch o := &c.values[i]; {
		case o.open:
			t = max(t, maybe)
		case o.ok && o.truth == (state == absent):
			return yes
		}
	}
	return t
}

// member compares one value of the request with all of the policy: some must
// match, or none where the operator is negated.
func (c *condition) member(v string, ev *evaluator) truth {
	switch c.comparison {
	case compareNumber, compareDate, compareBool, compareBinary, compareIP:
		if hasHole(v) {
			return maybe
		}
		return c.typed(v, ev)
	case compareARN:
		t, a := no, splitARN(v)
		for i := range c.values {
			t = max(t, c.values[i].arn.match(&a, ev))
		}
		return c.sign(t)
	default:
		t := no
		for i := range c.values {
			p := &c.values[i].pattern
			m := p.compare(c.comparison, v, ev)
			if m == yes && p.glob != nil && p.glob.escape && c.comparison != compareLike && ev.otherwise(EscapedWildcard) {
				m = no
			}
			t = max(t, m)
		}
		return c.sign(t)
	}
}

func (c *condition) sign(t truth) truth {
	if c.negated {
		return t.not()
	}
	return t
}

// compare is match, but for operators that ignore case.
func (p *pattern) compare(how comparison, v string, ev *evaluator) truth {
	if how != compareFold {
		return p.match(v, ev)
	}
	if p.shape == exact {
		if strings.EqualFold(p.text, v) {
			return yes
		}
		return min(maybe, truthOf(hasHole(v)))
	}
	g := p.glob
	if g.substituted != nil && ev.otherwise(Version2008Variables) {
		return g.substituted.compare(how, v, ev)
	}
	var room [maxTokens]token
	tokens, open, ok := g.expand(room[:0], ev)
	if !ok {
		return no
	}
	if open || hasHole(v) {
		return maybe
	}
	for _, t := range tokens {
		// Folding may change the length of a text in bytes.
		head, size := v, 0
		for range t.text {
			if size >= len(v) {
				return no
			}
			_, n := decodeRune(v[size:])
			size += n
		}
		if head = v[:size]; !strings.EqualFold(head, t.text) {
			return no
		}
		v = v[size:]
	}
	return truthOf(v == "")
}

// typed compares a value with numbers, dates, booleans, bytes or networks.
func (c *condition) typed(v string, ev *evaluator) truth {
	var (
		n   number
		d   instant
		b   bool
		raw []byte
		ip  netip.Addr
		ok  bool
	)
	switch c.comparison {
	case compareNumber:
		n, ok = parseNumber(v)
		if !ok && c.negated {
			return truthOf(ev.otherwise(NotANumber))
		}
	case compareDate:
		d, ok = parseInstant(v)
	case compareBool:
		b, ok = parseBool(v)
	case compareBinary:
		var err error
		raw, err = base64.StdEncoding.DecodeString(v)
		ok = err == nil
	default:
		var err error
		ip, err = netip.ParseAddr(v)
		ok = err == nil
		if ok && ip.Is4In6() && ev.otherwise(MappedIPv4) {
			ip = ip.Unmap()
		}
	}
	if !ok {
		return c.sign(no)
	}
	t := no
	for i := range c.values {
		o := &c.values[i]
		if o.open {
			t = max(t, maybe)
			continue
		}
		if !o.ok {
			continue
		}
		var match bool
		switch c.comparison {
		case compareNumber:
			match = c.order.holds(n.compare(o.typed.number))
		case compareDate:
			if d.epoch != o.typed.date.epoch && ev.otherwise(DateEpoch) {
				continue
			}
			match = c.order.holds(d.at.Compare(o.typed.date.at))
		case compareBool:
			match = b == o.truth
		case compareBinary:
			match = bytes.Equal(raw, o.typed.binary)
		default:
			match = o.typed.network.Contains(ip)
		}
		if match {
			t = yes
			break
		}
	}
	return c.sign(t)
}

// holds reports whether a comparison's sign stands in the order.
func (o order) holds(sign int) bool {
	switch o {
	case less:
		return sign < 0
	case lessOrEqual:
		return sign <= 0
	case greater:
		return sign > 0
	case greaterOrEqual:
		return sign >= 0
	default:
		return sign == 0
	}
}

func parseBool(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// number is an integer or decimal, exactly.
type number struct {
	whole int64
	exact *big.Rat // set when the number is not an int64
}

// maxDigits bounds the numbers that are compared exactly, so that a value such
// as 1e999999999 takes no memory.
const maxDigits = 400

func parseNumber(s string) (number, bool) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number{whole: i}, true
	}
	if len(s) > maxDigits || len(s) == 0 || strings.ContainsAny(s, "xXpPoObBiInN_/") {
		return number{}, false
	}
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		if e, err := strconv.Atoi(s[at+1:]); err != nil || e > maxDigits || e < -maxDigits {
			return number{}, false
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return number{}, false
	}
	return number{exact: r}, true
}

func (n number) compare(o number) int {
	if n.exact == nil && o.exact == nil {
		switch {
		case n.whole < o.whole:
			return -1
		case n.whole > o.whole:
			return 1
		}
		return 0
	}
	return n.rat().Cmp(o.rat())
}

func (n number) rat() *big.Rat {
	if n.exact != nil {
		return n.exact
	}
	return new(big.Rat).SetInt64(n.whole)
}

// instant is a date, and whether it was written as seconds since 1970.
type instant struct {
	at    time.Time
	epoch bool
}

// dateLayouts are the forms of ISO 8601 that AWS names (W3C's profile).
var dateLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006", "20060102T150405Z", "2006-01-02T15:04:05", "2006-01-02T15:04:05-0700",
}

func parseInstant(s string) (instant, bool) {
	if len(s) != 4 { // a year
		if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
			return instant{time.Unix(seconds, 0), true}, true
		}
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return instant{at: t}, true
		}
	}
	if n, ok := parseNumber(s); ok && n.exact != nil {
		f, _ := n.exact.Float64()
		whole := int64(f)
		return instant{time.Unix(whole, int64((f-float64(whole))*1e9)), true}, true
	}
	return instant{}, false
}

func parseNetwork(s string) (netip.Prefix, bool) {
	if strings.IndexByte(s, '/') >= 0 {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err == nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}
