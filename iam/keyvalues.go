package iam

import (
	"math/big"
	"net/netip"
	"slices"
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
	v, best := k.one(c)
	if best == sat {
		return keyValue{values: [][]symbol{v}}, sat
	}
	if !k.many(c) {
		return keyValue{}, best
	}
	list, st := k.several(c)
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

// many reports whether the key may have more values than one.
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

// one finds a single value.
func (k *keySolver) one(c *keyConstraint) ([]symbol, status) {
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

// several finds a set of values: all of them satisfy what is asked of all, and
// for everything that is asked of some there is one.
func (k *keySolver) several(c *keyConstraint) ([][]symbol, status) {
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
	// Typed values: one for every interval between the values of the policy, and
	// one that is of no type.
	complete := len(texts) == 0 && c.form == nil
	var candidates []string
	for _, p := range typed {
		for i := range p.c.values {
			if p.c.values[i].open {
				complete = false
			}
		}
	}
	candidates = typedCandidates(c.keyType, typed)
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
		words, undecided := k.operands(p.c)
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
// known.
func (k *keySolver) operands(c *condition) (words []*word, open bool) {
	for i := range c.values {
		o := &c.values[i]
		var w *word
		switch c.comparison {
		case compareARN:
			var undecided bool
			w, undecided = k.vars.arn(o.arn)
			open = open || undecided
		case compareFold:
			w = k.vars.folded(&o.pattern)
		default:
			w = k.vars.word(&o.pattern)
		}
		if w != nil {
			words = append(words, w)
		}
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

// typedCandidates has a value in every class that the conditions tell apart.
func typedCandidates(keyType string, preds []demand) []string {
	var numbers []*big.Rat
	var dates []time.Time
	var networks []netip.Prefix
	var out []string
	add := func(s ...string) { out = append(out, s...) }
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
				add(p.c.source.Values.Values[i].Value)
			default:
			}
		}
	}
	if kinds[compareBool] {
		add("true", "false")
	}
	if kinds[compareNumber] {
		add(numberCandidates(numbers)...)
	}
	if kinds[compareDate] {
		slices.SortFunc(dates, time.Time.Compare)
		if len(dates) == 0 {
			dates = []time.Time{time.Unix(1767225600, 0)} // any
		}
		for i, d := range dates {
			add(stamp(d), stamp(d.Add(-time.Second)), stamp(d.Add(time.Second)))
			if i > 0 {
				add(stamp(dates[i-1].Add(d.Sub(dates[i-1]) / 2)))
			}
		}
	}
	if kinds[compareIP] {
		add(addressCandidates(networks)...)
	}
	if kinds[compareBinary] {
		add("AA==")
	}
	// A value that is of none of the types, where AWS does not rule it out.
	switch strings.TrimPrefix(keyType, "ArrayOf") {
	case "Bool", "Numeric", "Date", "IPAddress":
	default:
		add("something")
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func numberCandidates(numbers []*big.Rat) []string {
	slices.SortFunc(numbers, func(a, b *big.Rat) int { return a.Cmp(b) })
	if len(numbers) == 0 {
		return []string{"0"}
	}
	one := big.NewRat(1, 1)
	var whole, parts []string
	add := func(r *big.Rat) {
		if r.IsInt() {
			whole = append(whole, r.Num().String())
			return
		}
		parts = append(parts, r.FloatString(20))
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
	return append(whole, parts...)
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
