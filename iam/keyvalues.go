package iam

import (
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// demand is a condition that has to hold, or must not: of a key, or of one of
// its values.
type demand struct {
	c    *condition
	want bool
}

// positive reports whether some operand has to match a value.
func (p demand) positive() bool { return p.want != p.c.negated }

// keyConstraint is what a question asks of one context key.
type keyConstraint struct {
	name     string
	keyType  string // AWS's type; "" where no service is known to have the key
	required bool   // the key is in every request, or a pattern refers to it
	form     *word  // what its value looks like, if that is known
	avoid    []*word
	lits     []demand
}

// keyValue is a solution for a key: letters, so that variables can be filled in.
type keyValue struct {
	absent bool
	values [][]symbol
}

// keySolver finds values of context keys.
type keySolver struct {
	text textSolver
	vars *variables
	ev   evaluator // for comparing typed values as decisions do
}

// solve finds a value that makes every condition come out as wanted.
func (k *keySolver) solve(c *keyConstraint) (keyValue, status) {
	if !c.required && k.absentFits(c) {
		return keyValue{absent: true}, sat
	}
	// To set operators and Null, an empty text is no value.
	apart := !typedKey(c.keyType) && slices.ContainsFunc(c.lits, func(l demand) bool { return l.c.quantifier != one || l.c.comparison == compareNull })
	v, best := k.one(c, apart)
	if best == sat {
		return keyValue{values: [][]symbol{v}}, sat
	}
	if apart {
		for _, texts := range [][][]symbol{{{}}, {{}, {}}} {
			if len(texts) > 1 && !k.many(c) {
				continue
			}
			st := k.empty(c, len(texts) > 1)
			if st == sat {
				return keyValue{values: texts}, sat
			}
			best = max(best, st)
		}
	}
	if !k.many(c) {
		return keyValue{}, best
	}
	list, st := k.several(c, apart)
	if st == sat {
		return keyValue{values: list}, sat
	}
	return keyValue{}, max(best, st)
}

func (k *keySolver) absentFits(c *keyConstraint) bool {
	for _, l := range c.lits {
		got := l.c.comparison == compareNull && l.c.null(absent) == yes ||
			l.c.comparison != compareNull && l.c.holdsAbsent(&k.ev)
		if got != l.want {
			return false
		}
	}
	return true
}

// emptyWord matches the empty text.
var emptyWord = newWord(nil, false)

// empty reports whether empty texts will do.
func (k *keySolver) empty(c *keyConstraint, many bool) status {
	var preds []demand
	for _, l := range c.lits {
		holds := false
		switch {
		case l.c.comparison == compareNull:
			holds = l.c.null(absent) == yes
		case l.c.quantifier == forAll:
			holds = true
		case l.c.quantifier == one && !l.c.list && !many:
			preds = append(preds, l)
			continue
		}
		if holds != l.want {
			return unsat
		}
	}
	of := *c
	if c.form != nil && !c.form.matches(nil) {
		return unsat
	}
	of.form = emptyWord
	_, st := k.value(&of, preds)
	return st
}

// many reports whether the key may have more values than one: of a key that no
// service is known to have, where a condition asks for that.
func (k *keySolver) many(c *keyConstraint) bool {
	if strings.HasPrefix(c.keyType, "ArrayOf") {
		return true
	}
	return c.keyType == "" && slices.ContainsFunc(c.lits, func(l demand) bool { return l.c.quantifier != one })
}

// presentConstant decides what does not depend on the values of a key that is
// there.
func presentConstant(c *condition, many bool) (holds, constant bool) {
	switch {
	case c.comparison == compareNull:
		return c.null(present) == yes, true
	case c.quantifier == one && (c.list || many):
		return false, true // a set operator is missing
	}
	return false, false
}

// one finds a single value, which is not empty where that has to be told apart.
func (k *keySolver) one(c *keyConstraint, apart bool) ([]symbol, status) {
	if apart {
		c = c.beside(emptyWord)
	}
	var preds []demand
	for _, l := range c.lits {
		if holds, constant := presentConstant(l.c, false); constant {
			if holds != l.want {
				return nil, unsat
			}
			continue
		}
		preds = append(preds, l)
	}
	return k.value(c, preds)
}

// beside is the constraint for values that a word does not match.
func (c *keyConstraint) beside(w *word) *keyConstraint {
	of := *c
	of.avoid = append(slices.Clip(c.avoid), w)
	return &of
}

// several finds a set of values: all of them satisfy what is asked of all, and
// for everything that is asked of some there is one.
func (k *keySolver) several(c *keyConstraint, apart bool) ([][]symbol, status) {
	var every, some []demand
	for _, l := range c.lits {
		if holds, constant := presentConstant(l.c, true); constant {
			if holds != l.want {
				return nil, unsat
			}
			continue
		}
		if (l.c.quantifier == forAll) == l.want {
			every = append(every, l)
		} else {
			some = append(some, l)
		}
	}
	if len(some) == 0 {
		some = []demand{{}}
	}
	var values [][]symbol
	result := sat
	for _, p := range some {
		preds := every
		if p.c != nil {
			preds = append(slices.Clone(every), p)
		}
		v, st := k.value(c, preds)
		if st == unsat {
			return nil, unsat
		}
		result = min(result, st)
		values = append(values, v)
	}
	if apart && result == sat && !slices.ContainsFunc(values, func(v []symbol) bool { return len(v) > 0 }) {
		v, st := k.value(c.beside(emptyWord), every)
		if st != sat {
			return nil, st
		}
		values = append(values, v)
	}
	if result == sat && len(values) == 1 && slices.ContainsFunc(c.lits, func(l demand) bool { return l.c.quantifier == one && l.c.comparison != compareNull }) {
		// Two values, since a condition without a set operator fails only then.
		v, st := k.value(c, append(slices.Clone(every), demand{}))
		if st != sat {
			return nil, unsure
		}
		values = append(values, v)
	}
	return values, result
}

func textual(c *condition) bool {
	return c.comparison == compareString || c.comparison == compareFold || c.comparison == compareLike || c.comparison == compareARN
}

// value finds one value for all predicates.
func (k *keySolver) value(c *keyConstraint, preds []demand) ([]symbol, status) {
	preds = slices.DeleteFunc(slices.Clone(preds), func(p demand) bool { return p.c == nil })
	var typed, texts []demand
	for _, p := range preds {
		if textual(p.c) {
			texts = append(texts, p)
		} else {
			typed = append(typed, p)
		}
	}
	if len(typed) == 0 {
		return k.texts(c, texts)
	}
	if c.form == emptyWord {
		for _, p := range typed {
			switch p.c.member("", &k.ev) {
			case maybe:
				return nil, unsure
			case truthOf(!p.want):
				return nil, unsat
			default:
			}
		}
		return k.texts(c, texts)
	}
	// Typed values: one for every interval between the values of the policy, one
	// of the key's own type and one that is of none. A value may be of two types,
	// as a year is a number, so that two kinds of condition have to be met by
	// chance.
	candidates, complete := typedCandidates(c.keyType, typed)
	complete = complete && len(texts) == 0 && c.form == nil && !slices.ContainsFunc(c.avoid, func(w *word) bool { return w != emptyWord })
	for _, p := range typed {
		complete = complete && p.c.comparison == typed[0].c.comparison
		for i := range p.c.values {
			complete = complete && !p.c.values[i].open
		}
	}
	for _, p := range texts {
		for _, o := range p.c.source.Values.Values {
			candidates = append(candidates, o.Value)
		}
	}
	for _, v := range candidates {
		*k.text.work--
		if k.holds(c, preds, v) {
			return symbols(nil, v), sat
		}
	}
	if complete {
		return nil, unsat
	}
	return nil, unsure
}

func (k *keySolver) holds(c *keyConstraint, preds []demand, v string) bool {
	if c.form != nil && !c.form.matches(symbols(nil, v)) {
		return false
	}
	for _, w := range c.avoid {
		if w.matches(symbols(nil, v)) {
			return false
		}
	}
	for _, p := range preds {
		if p.c.member(v, &k.ev) != truthOf(p.want) {
			return false
		}
	}
	return true
}

// texts finds a text: of every positive predicate some operand matches, of the
// others none.
func (k *keySolver) texts(c *keyConstraint, preds []demand) ([]symbol, status) {
	neg := slices.Clone(c.avoid)
	unions := [][]*word{}
	open := false
	for _, p := range preds {
		words, undecided := k.operands(p.c, p.positive())
		if p.positive() {
			if undecided {
				open = true
				continue // it may match anything
			}
			unions = append(unions, words)
			continue
		}
		neg = append(neg, words...)
	}
	var pos []*word
	if c.form != nil {
		pos = []*word{c.form}
	}
	letters, st := k.choose(pos, unions, neg)
	if open {
		st = min(st, unsure)
	}
	return letters, st
}

// operands are the words of a condition's values. open is set when some are not
// known. Of values that have to match, it gives those as well that stand for a
// variable's default.
func (k *keySolver) operands(c *condition, positive bool) (words []*word, open bool) {
	compile := func(o *operand) (*word, bool) {
		switch c.comparison {
		case compareARN:
			return k.vars.arn(o.arn)
		case compareLike:
			return k.vars.wild(k.vars.word(&o.pattern)), false
		case compareFold:
			return k.vars.folded(&o.pattern), false
		default:
			return k.vars.word(&o.pattern), false
		}
	}
	for i := range c.values {
		k.vars.defaults = false
		w, undecided := compile(&c.values[i])
		open = open || undecided
		if w != nil {
			words = append(words, w)
		}
		if !k.vars.defaults || !positive {
			continue
		}
		// The default stands where the key is absent.
		if w == nil || len(w.keys) > 1 {
			open = true
			continue
		}
		known := k.vars.fixed
		k.vars.fixed = slices.Clone(known)
		k.vars.fixed.put(k.vars.keys[w.keys[0]].key, contextValue{absent: true})
		if w, _ = compile(&c.values[i]); w != nil {
			words = append(words, w)
		}
		k.vars.fixed = known
	}
	return words, open
}

// choose takes one word of every union, the surest unions first.
func (k *keySolver) choose(pos []*word, unions [][]*word, neg []*word) ([]symbol, status) {
	if len(unions) == 0 {
		return k.text.solve(pos, neg)
	}
	// Exact texts decide without more.
	at := slices.IndexFunc(unions, func(u []*word) bool {
		return !slices.ContainsFunc(u, func(w *word) bool { return !w.exact })
	})
	if at < 0 {
		at = 0
		for i, u := range unions {
			if len(u) < len(unions[at]) {
				at = i
			}
		}
	}
	rest := slices.Delete(slices.Clone(unions), at, at+1)
	best := unsat
	for _, w := range unions[at] {
		if *k.text.work < 0 {
			return nil, unsure
		}
		letters, st := k.choose(append(slices.Clone(pos), w), rest, neg)
		if st == sat {
			return letters, sat
		}
		best = max(best, st)
	}
	return nil, best
}

// typedCandidates has a value in every class that the conditions tell apart;
// complete is not set when some class may be missing.
func typedCandidates(keyType string, preds []demand) (out []string, complete bool) {
	var numbers []*big.Rat
	var dates []time.Time
	var networks []netip.Prefix
	complete = true
	kinds := map[comparison]bool{}
	for _, p := range preds {
		kinds[p.c.comparison] = true
		for i := range p.c.values {
			o := &p.c.values[i]
			if !o.ok || o.open {
				continue
			}
			switch p.c.comparison {
			case compareNumber:
				numbers = append(numbers, o.typed.number.rat())
			case compareDate:
				dates = append(dates, o.typed.date.at)
			case compareIP:
				networks = append(networks, o.typed.network)
			case compareBinary:
				out = append(out, p.c.source.Values.Values[i].Value)
			default:
			}
		}
	}
	add := func(list []string, all bool) {
		out = append(out, list...)
		complete = complete && all
	}
	if kinds[compareBool] {
		out = append(out, "true", "false")
	}
	if kinds[compareNumber] {
		add(numberCandidates(numbers))
		if kinds[compareDate] {
			for _, d := range dates {
				for _, by := range []int64{0, -1, 1} {
					out = append(out, strconv.FormatInt(d.Unix()+by, 10))
				}
			}
		}
	}
	if kinds[compareDate] {
		add(dateCandidates(dates))
	}
	if kinds[compareIP] {
		out = append(out, addressCandidates(networks)...)
	}
	if kinds[compareBinary] {
		out = append(out, "AA==")
	}
	// A value of the key's own type, which may be none of the conditions'. Keep to
	// typedKey.
	switch strings.TrimPrefix(keyType, "ArrayOf") {
	case "Bool":
		out = append(out, "true", "false")
	case "Numeric":
		out = append(out, "0")
	case "Date":
		out = append(out, "2026-01-01T00:00:00Z")
	case "IPAddress":
		out = append(out, "192.0.2.1")
	default:
		out = append(out, "something")
	}
	return out, complete
}

// typedKey reports whether the values of a type are not just any text.
func typedKey(keyType string) bool {
	switch strings.TrimPrefix(keyType, "ArrayOf") {
	case "Bool", "Numeric", "Date", "IPAddress":
		return true
	}
	return false
}

// stamp writes a time so that a condition reads it back; ok is false for times
// that no text stands for.
func stamp(t time.Time) (text string, ok bool) {
	for _, text = range []string{t.UTC().Format(time.RFC3339Nano), strconv.FormatInt(t.Unix(), 10)} {
		if back, ok := parseInstant(text); ok && back.at.Equal(t) {
			return text, true
		}
	}
	return "", false
}

func dateCandidates(dates []time.Time) (out []string, complete bool) {
	slices.SortFunc(dates, time.Time.Compare)
	if len(dates) == 0 {
		dates = []time.Time{time.Unix(1767225600, 0)} // any
	}
	add := func(t time.Time) {
		text, ok := stamp(t)
		if complete = complete && ok; ok {
			out = append(out, text)
		}
	}
	first, last := dates[0].Add(-time.Second), dates[len(dates)-1].Add(time.Second)
	complete = first.Before(dates[0]) && last.After(dates[len(dates)-1]) // no overflow
	add(first)
	add(last)
	for i, d := range dates {
		add(d)
		if i == 0 || !dates[i-1].Before(d) {
			continue
		}
		// Between two dates, whole seconds if some are there.
		apart := d.Sub(dates[i-1]) / 2
		if apart > time.Second {
			apart = apart.Truncate(time.Second)
		}
		if apart > 0 {
			add(dates[i-1].Add(apart))
		}
	}
	return out, complete
}

func numberCandidates(numbers []*big.Rat) (out []string, complete bool) {
	slices.SortFunc(numbers, func(a, b *big.Rat) int { return a.Cmp(b) })
	if len(numbers) == 0 {
		return []string{"0"}, true
	}
	one := big.NewRat(1, 1)
	var whole, parts []string
	complete = true
	add := func(r *big.Rat) {
		digits, exact := r.FloatPrec()
		text := r.FloatString(digits)
		back, ok := parseNumber(text)
		switch {
		case !exact || !ok || back.rat().Cmp(r) != 0:
			complete = false // more digits than are compared
		case r.IsInt():
			whole = append(whole, text)
		default:
			parts = append(parts, text)
		}
	}
	add(new(big.Rat).Sub(numbers[0], one))
	add(new(big.Rat).Add(numbers[len(numbers)-1], one))
	for i, n := range numbers {
		add(n)
		if i == 0 {
			continue
		}
		// Between two numbers, whole if one is there.
		above := new(big.Rat).SetInt(new(big.Int).Add(new(big.Int).Div(numbers[i-1].Num(), numbers[i-1].Denom()), big.NewInt(1)))
		if above.Cmp(n) < 0 {
			add(above)
			continue
		}
		add(new(big.Rat).Quo(new(big.Rat).Add(numbers[i-1], n), big.NewRat(2, 1)))
	}
	return append(whole, parts...), complete
}

// addressCandidates has an address in every range that the networks tell apart:
// their ends and what lies beside them.
func addressCandidates(networks []netip.Prefix) []string {
	out := []string{"192.0.2.1", "2001:db8::1"}
	for _, n := range networks {
		first, last := n.Masked().Addr(), lastAddr(n)
		for _, a := range []netip.Addr{first.Next(), first, last, first.Prev(), last.Next()} {
			if a.IsValid() {
				out = append(out, a.String())
			}
		}
	}
	return out
}

func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
