package iam

import (
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// smtValues is how many values a key with several has at most in an export: a
// solver that finds no request has looked at no longer lists.
const smtValues = 2

// SMT writes the question of [Within] in the language of SMT-LIB 2.6, for another
// solver to answer: whether some request is allowed by a and not by b. The script
// asks once for every class of actions; "sat" to one of them refutes, and
// "unsat" to all proves, for keys of at most two values. Policies with
// principals, holes, and variables beside wildcards have no export.
func SMT(a, b *Policy, data *Data) (string, error) {
	w := &smtWriter{data: data, keys: map[string]*smtKey{}}
	for _, p := range []*Policy{a, b} {
		if p.unread {
			return "", fmt.Errorf("%s was not read", name(p))
		}
		for i := range p.statements {
			if err := w.note(&p.statements[i]); err != nil {
				return "", fmt.Errorf("%s, statement %d: %w", name(p), i+1, err)
			}
		}
	}
	w.line("; Is there a request that the first policy allows and the second does not?")
	w.line("; One (check-sat) for each class of actions; lists have at most %d values.", smtValues)
	w.line("(set-logic ALL)")
	w.line("(declare-const resource String)")
	w.line("(declare-const action String) ; in lower case, of services that the table of actions does not list in full")
	w.line("(assert (not (= action \"\")))")
	for _, k := range slices.Sorted(maps.Keys(w.keys)) {
		w.declare(w.keys[k])
	}
	var all []*statement
	for _, p := range []*Policy{a, b} {
		for i := range p.statements {
			all = append(all, &p.statements[i])
		}
	}
	for _, class := range data.classes(all) {
		w.class(class, a, b)
	}
	return w.b.String(), w.err
}

type smtWriter struct {
	b    strings.Builder
	data *Data
	keys map[string]*smtKey
	err  error
}

// smtKey is a key in the script.
type smtKey struct {
	key, id string
	text    bool // has values that are compared as texts
	typed   comparison
	hasType bool // has values that are compared by typed
	free    bool // values need not be of the type
	many    bool
}

func (w *smtWriter) line(format string, args ...any) {
	fmt.Fprintf(&w.b, format+"\n", args...)
}

func (w *smtWriter) fail(format string, args ...any) string {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
	return "false"
}

// note enters the keys of a statement.
func (w *smtWriter) note(s *statement) error {
	if !s.noPrincipal {
		return fmt.Errorf("principals have no export")
	}
	if s.open || s.hidesNames() {
		return fmt.Errorf("what is not known has no export")
	}
	variables := map[string]bool{}
	for i := range s.resources {
		s.resources[i].variables(variables)
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.open {
			return fmt.Errorf("what is not known has no export")
		}
		k := w.key(c.key)
		k.many = k.many || strings.HasPrefix(w.typeOf(c.key), "ArrayOf") || w.typeOf(c.key) == "" && c.quantifier != one
		switch {
		case c.comparison == compareNull:
		case textual(c):
			k.text = true
		case c.comparison == compareBinary:
			return fmt.Errorf("BinaryEquals has no export")
		case k.hasType && k.typed != c.comparison:
			return fmt.Errorf("conditions of two types on %s have no export", c.key)
		default:
			k.hasType, k.typed = true, c.comparison
			k.free = !ofType(w.typeOf(c.key), c.comparison)
		}
		if k.text && k.hasType {
			return fmt.Errorf("conditions of two types on %s have no export", c.key)
		}
		for j := range c.values {
			c.values[j].pattern.variables(variables)
			if c.values[j].arn != nil {
				c.values[j].arn.variables(variables)
			}
		}
	}
	for v := range variables {
		k := w.key(v)
		if k.text = true; k.hasType {
			return fmt.Errorf("conditions of two types on %s have no export", v)
		}
	}
	return nil
}

func (w *smtWriter) typeOf(key string) string {
	t, _ := w.data.KeyType(key)
	return t
}

// ofType reports whether all values of a key are of a comparison's type.
func ofType(keyType string, c comparison) bool {
	switch strings.TrimPrefix(keyType, "ArrayOf") {
	case "Bool":
		return c == compareBool
	case "Numeric":
		return c == compareNumber
	case "Date":
		return c == compareDate
	case "IPAddress":
		return c == compareIP
	}
	return false
}

func (w *smtWriter) key(key string) *smtKey {
	k, ok := w.keys[key]
	if !ok {
		k = &smtKey{key: key, id: fmt.Sprintf("k%d", len(w.keys))}
		w.keys[key] = k
	}
	return k
}

// declare writes a key's constants: whether it is there, how many values it has,
// and each of them.
func (w *smtWriter) declare(k *smtKey) {
	w.line("; %s", strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, k.key))
	w.line("(declare-const %s.there Bool)", k.id)
	if alwaysThere[k.key] {
		w.line("(assert %s.there)", k.id)
	}
	w.line("(declare-const %s.two Bool)", k.id)
	if !k.many {
		w.line("(assert (not %s.two))", k.id)
	}
	for i := range smtValues {
		v := k.value(i)
		if !k.hasType {
			w.line("(declare-const %s String)", v)
			continue
		}
		w.line("(declare-const %s.typed Bool)", v)
		w.line("(declare-const %s.empty Bool)", v)
		w.line("(assert (not (and %s.empty %s.typed)))", v, v)
		if !k.free {
			w.line("(assert %s.typed)", v)
		}
		switch k.typed {
		case compareNumber, compareDate:
			w.line("(declare-const %s Real)", v)
		case compareBool:
			w.line("(declare-const %s Bool)", v)
		default:
			w.line("(declare-const %s.v4 Bool)", v)
			w.line("(declare-const %s (_ BitVec 32))", v)
			w.line("(declare-const %s.wide (_ BitVec 128))", v)
		}
	}
}

func (k *smtKey) value(i int) string { return fmt.Sprintf("%s.%d", k.id, i) }

func smtJoin(operator, none string, terms []string) string {
	switch len(terms) {
	case 0:
		return none
	case 1:
		return terms[0]
	}
	return "(" + operator + " " + strings.Join(terms, " ") + ")"
}

func smtOr(terms ...string) string  { return smtJoin("or", "false", terms) }
func smtAnd(terms ...string) string { return smtJoin("and", "true", terms) }
func smtNot(term string) string     { return "(not " + term + ")" }

// class asks about one class of actions.
func (w *smtWriter) class(class actionClass, a, b *Policy) {
	service, action, _ := strings.Cut(lower(class.names[0]), ":")
	r := &Request{action: service + ":" + action, service: service, name: action, resource: anyResource}
	if r.action == "s3:listallmybuckets" {
		r.resource = splitARN("arn:aws:s3:::*")
	}
	allowed := func(p *Policy) string {
		var allows, denies []string
		for i := range p.statements {
			m := w.matches(&p.statements[i], class, r)
			switch {
			case m == "false":
			case p.statements[i].deny:
				denies = append(denies, m)
			default:
				allows = append(allows, m)
			}
		}
		return smtAnd(smtOr(allows...), smtNot(smtOr(denies...)))
	}
	w.line("(push) ; %s", class.names[0])
	if class.unlisted {
		for _, known := range w.data.Actions(class.service) {
			w.line("(assert (not (= action %s)))", smtText(lower(known.Name)))
		}
	}
	if !class.plain {
		w.line("(assert (str.in_re resource %s))", w.regex(anyARN.symbols))
	}
	w.line("(assert %s)", allowed(a))
	w.line("(assert (not %s))", allowed(b))
	w.line("(check-sat)")
	w.line("(pop)")
}

func (w *smtWriter) matches(s *statement, class actionClass, r *Request) string {
	ev := &evaluator{req: r}
	named := truthTerm(s.matchAction(r, ev))
	if class.unlisted {
		named = w.names(s, class.service)
	}
	on := "true"
	switch {
	case s.noResource:
	case class.plain:
		on = truthTerm(s.matchResource(r, ev))
	default:
		var terms []string
		for i := range s.resources {
			terms = append(terms, w.arn("resource", &s.resources[i]))
		}
		if on = smtOr(terms...); s.notResource {
			on = smtNot(on)
		}
	}
	if named == "false" || on == "false" {
		return "false"
	}
	terms := []string{named, on}
	for i := range s.conditions {
		terms = append(terms, w.condition(&s.conditions[i]))
	}
	return smtAnd(terms...)
}

func truthTerm(t truth) string {
	if t == yes {
		return "true"
	}
	return "false"
}

func (w *smtWriter) names(s *statement, service string) string {
	var terms []string
	for i := range s.actions {
		if p := &s.actions[i]; p.service == "" || p.service == service {
			terms = append(terms, w.text("action", &p.name, compareLike))
		}
	}
	if s.notAction {
		return smtNot(smtOr(terms...))
	}
	return smtOr(terms...)
}

// condition follows the rules of AWS's documents on absent keys, lists and
// empty values, as [Decide] does.
func (w *smtWriter) condition(c *condition) string {
	k := w.keys[c.key]
	there := k.id + ".there"
	empty := func(v string) string {
		if k.hasType {
			return v + ".empty"
		}
		return fmt.Sprintf("(= %s \"\")", v)
	}
	none := smtAnd(empty(k.value(0)), fmt.Sprintf("(=> %s.two %s)", k.id, empty(k.value(1))))
	if c.comparison == compareNull {
		var terms []string
		for i := range c.values {
			switch o := &c.values[i]; {
			case !o.ok:
			case o.truth:
				terms = append(terms, smtOr(smtNot(there), none))
			default:
				terms = append(terms, smtAnd(there, smtNot(none)))
			}
		}
		return smtOr(terms...)
	}
	first, second := w.member(c, k.value(0)), w.member(c, k.value(1))
	switch c.quantifier {
	case forAll:
		return smtOr(smtNot(there), none, smtAnd(first, fmt.Sprintf("(=> %s.two %s)", k.id, second)))
	case forAny:
		return fmt.Sprintf("(ite %s %s %t)", there, smtAnd(smtNot(none), smtOr(first, smtAnd(k.id+".two", second))), c.ifExists)
	}
	met := smtAnd(smtNot(k.id+".two"), first)
	if c.list {
		met = "false"
	}
	return fmt.Sprintf("(ite %s %s %t)", there, met, c.ifExists || c.negated)
}

// member compares one value with all of the policy's.
func (w *smtWriter) member(c *condition, v string) string {
	var terms []string
	for i := range c.values {
		o := &c.values[i]
		switch {
		case c.comparison == compareARN:
			terms = append(terms, w.arn(v, o.arn))
		case textual(c):
			terms = append(terms, w.text(v, &o.pattern, c.comparison))
		case o.ok:
			terms = append(terms, w.typed(c, o, v))
		}
	}
	some := smtOr(terms...)
	if !textual(c) {
		some = smtAnd(v+".typed", some)
		if c.negated && c.comparison == compareNumber {
			return smtAnd(v+".typed", smtNot(some)) // a value that is no number meets neither
		}
	}
	if c.negated {
		return smtNot(some)
	}
	return some
}

var smtOrders = map[order]string{equal: "=", less: "<", lessOrEqual: "<=", greater: ">", greaterOrEqual: ">="}

func (w *smtWriter) typed(c *condition, o *operand, v string) string {
	switch c.comparison {
	case compareNumber:
		return fmt.Sprintf("(%s %s %s)", smtOrders[c.order], v, smtRat(o.typed.number.rat()))
	case compareDate:
		at := new(big.Rat).SetFrac(big.NewInt(int64(o.typed.date.at.Nanosecond())), big.NewInt(1e9))
		at.Add(at, new(big.Rat).SetInt64(o.typed.date.at.Unix()))
		return fmt.Sprintf("(%s %s %s)", smtOrders[c.order], v, smtRat(at))
	case compareBool:
		return fmt.Sprintf("(= %s %t)", v, o.truth)
	default:
		return smtNetwork(o.typed.network, v)
	}
}

func smtRat(r *big.Rat) string {
	text := fmt.Sprintf("(/ %s.0 %s.0)", new(big.Int).Abs(r.Num()), r.Denom())
	if r.Sign() < 0 {
		return "(- " + text + ")"
	}
	return text
}

func smtNetwork(n netip.Prefix, v string) string {
	family, value, bytes := v+".v4", v, n.Addr().AsSlice()
	if !n.Addr().Is4() {
		family, value = smtNot(family), v+".wide"
	}
	if n.Bits() == 0 {
		return family
	}
	high := len(bytes)*8 - 1
	bits := new(big.Int).SetBytes(bytes)
	bits.Rsh(bits, uint(len(bytes)*8-n.Bits()))
	return smtAnd(family, fmt.Sprintf("(= ((_ extract %d %d) %s) (_ bv%s %d))", high, high+1-n.Bits(), value, bits, n.Bits()))
}

// arn compares a text with a pattern over ARNs.
func (w *smtWriter) arn(v string, a *arnPattern) string {
	if a.any {
		return "true"
	}
	if a.broken {
		return w.fail("what is not known has no export")
	}
	if a.reach {
		return smtAnd(fmt.Sprintf("(str.in_re %s %s)", v, w.regex(anyARN.symbols)), w.text(v, a.whole, compareLike))
	}
	var tokens []token
	var symbols []symbol
	var none variables
	vars := false
	for i := range a.parts {
		p := &a.parts[i]
		if i > 0 {
			tokens, symbols = append(tokens, token{kind: literal, text: ":"}), append(symbols, symbol{0, ':'})
		}
		symbols = wordOf(symbols, p, &none, i < 5)
		switch p.shape {
		case exact:
			tokens = append(tokens, token{kind: literal, text: p.text})
		case prefix:
			tokens = append(tokens, token{kind: literal, text: p.text}, token{kind: anyRun})
		case all:
			tokens = append(tokens, token{kind: anyRun})
		default:
			tokens = append(tokens, p.glob.tokens...)
			if vars = vars || p.glob.vars; p.glob.vars && i < 5 {
				return w.fail("a variable in the first parts of an ARN has no export")
			}
		}
	}
	if vars {
		return w.spliced(v, tokens)
	}
	return fmt.Sprintf("(str.in_re %s %s)", v, w.regex(symbols))
}

// text compares a text with a pattern.
func (w *smtWriter) text(v string, p *pattern, how comparison) string {
	if p.shape == general && p.glob.vars {
		if how == compareFold {
			return w.fail("a variable of which the case does not matter has no export")
		}
		return w.spliced(v, p.glob.tokens)
	}
	if p.shape == general && p.glob.holes {
		return w.fail("what is not known has no export")
	}
	var none variables
	s := wordOf(nil, p, &none, false)
	if how == compareFold {
		s = none.folded(p).symbols
	}
	return fmt.Sprintf("(str.in_re %s %s)", v, w.regex(s))
}

// spliced compares a text with literals and variables in a row, perhaps with
// anything behind them.
func (w *smtWriter) spliced(v string, tokens []token) string {
	var pieces, there []string
	open := false
	for i, t := range tokens {
		switch {
		case t.kind == literal:
			pieces = append(pieces, smtText(t.text))
		case t.kind == variable:
			k := w.keys[t.text]
			value := k.value(0)
			if t.defaults {
				// A key with two values has no default, and is no variable.
				value = fmt.Sprintf("(ite %s.there %s %s)", k.id, value, smtText(t.fallback))
			} else {
				there = append(there, k.id+".there")
			}
			there = append(there, smtNot(smtAnd(k.id+".there", k.id+".two")))
			pieces = append(pieces, value)
		case t.kind == anyRun && i == len(tokens)-1:
			open = true
		default:
			return w.fail("a variable beside wildcards has no export")
		}
	}
	text := smtJoin("str.++", `""`, pieces)
	if open {
		return smtAnd(append(there, fmt.Sprintf("(str.prefixof %s %s)", text, v))...)
	}
	return smtAnd(append(there, fmt.Sprintf("(= %s %s)", v, text))...)
}

const (
	smtAnyOne   = "re.allchar"
	smtNoColon  = `(re.union (re.range "\u{0}" "9") (re.range ";" "\u{2ffff}"))`
	smtMostRune = 0x2ffff
)

// regex writes a pattern.
func (w *smtWriter) regex(symbols []symbol) string {
	var pieces []string
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			pieces = append(pieces, "(str.to_re "+smtText(lit.String())+")")
			lit.Reset()
		}
	}
	for _, s := range symbols {
		if s.kind == 0 {
			if s.r > smtMostRune {
				return w.fail("the character %U has no export", s.r)
			}
			lit.WriteRune(s.r)
			continue
		}
		flush()
		switch s.kind {
		case '*':
			pieces = append(pieces, "re.all")
		case '?':
			pieces = append(pieces, smtAnyOne)
		case segmentRun:
			pieces = append(pieces, "(re.* "+smtNoColon+")")
		case segmentOne:
			pieces = append(pieces, smtNoColon)
		case foldedRune:
			cases := []string{"(str.to_re " + smtText(string(s.r)) + ")"}
			for r := unicode.SimpleFold(s.r); r != s.r; r = unicode.SimpleFold(r) {
				cases = append(cases, "(str.to_re "+smtText(string(r))+")")
			}
			pieces = append(pieces, smtJoin("re.union", "", cases))
		default:
			return w.fail("what is not known has no export")
		}
	}
	flush()
	return smtJoin("re.++", `(str.to_re "")`, pieces)
}

// smtText quotes a text.
func smtText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"':
			b.WriteString(`""`)
		case r < ' ' || r > '~' || r == '\\':
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
