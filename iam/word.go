package iam

import (
	"slices"
	"strings"
	"unicode"
)

// Kinds of symbol that only words have, beside those of texts and patterns.
const (
	segmentRun     = ':' // a run without colons: '*' in the first five parts of an ARN
	segmentOne     = '.' // one character that is no colon
	foldedRune     = 'f' // a character in any case; r is the least of those
	variableKey    = 'v' // the value of the context key that r numbers
	foldedVariable = 'V' // that value in any case
)

// word is a pattern over whole texts, for the questions over all requests. Holes
// and policy variables are letters of their own: what is contained in something
// with them so is contained whatever they hold.
type word struct {
	symbols []symbol
	arn     bool // the first five parts of what it matches have no wildcards that reach over a colon
	exact   bool // no wildcards
	opaque  bool // has holes or variables
	single  bool // has '?', or a letter in either case
	narrow  bool // what it matches has no colon in the last part of the ARN but where the word has one
	keys    []int
}

func newWord(symbols []symbol, arn bool) *word {
	w := &word{symbols: symbols, arn: arn, exact: true}
	for _, s := range symbols {
		switch s.kind {
		case 0:
		case '*', segmentRun:
			w.exact = false
		case '?', segmentOne, foldedRune:
			w.exact, w.single = false, true
		case variableKey, foldedVariable:
			w.opaque = true
			w.keys = append(w.keys, int(s.r))
		default:
			w.opaque = true
		}
	}
	return w
}

// anyWord matches every text, anyARN every ARN.
var (
	anyWord = newWord([]symbol{{'*', 0}}, false)
	anyARN  = newWord([]symbol{
		{segmentRun, 0}, {0, ':'}, {segmentRun, 0}, {0, ':'}, {segmentRun, 0}, {0, ':'}, {segmentRun, 0}, {0, ':'}, {segmentRun, 0}, {0, ':'}, {'*', 0},
	}, true)
)

// takes reports whether a symbol of a pattern that is no run may stand for a
// letter.
func (s symbol) takes(x symbol) bool {
	switch s.kind {
	case '?':
		return x.kind == 0
	case segmentOne:
		return x.kind == 0 && x.r != ':'
	case foldedRune:
		return x.kind == 0 && leastFold(x.r) == s.r
	case foldedVariable:
		return s == x || x.kind == variableKey && x.r == s.r
	default:
		return s == x
	}
}

// leastFold stands for all cases of a character, as [strings.EqualFold] has them.
func leastFold(r rune) rune {
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		least = min(least, o)
	}
	return least
}

// runs reports whether a symbol is a run that the letter may be a part of. The
// value of a variable may have colons.
func (s symbol) runs(x symbol) bool {
	return s.kind == '*' || s.kind == segmentRun && x != symbol{0, ':'} && x.kind != variableKey && x.kind != foldedVariable
}

func (s symbol) isRun() bool { return s.kind == '*' || s.kind == segmentRun }

// positions is the set of places in a word that a text may have led to.
type positions []uint64

func (w *word) width() int { return len(w.symbols)/64 + 1 }

func (p positions) has(i int) bool { return p[i/64]&(1<<(i%64)) != 0 }
func (p positions) set(i int)      { p[i/64] |= 1 << (i % 64) }

func (p positions) empty() bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// add enters a place and those that runs lead on to.
func (w *word) add(p positions, i int) {
	for p.set(i); i < len(w.symbols) && w.symbols[i].isRun(); i++ {
		p.set(i + 1)
	}
}

func (w *word) step(from, to positions, x symbol) {
	clear(to)
	for i, s := range w.symbols {
		switch {
		case !from.has(i):
		case s.isRun():
			if s.runs(x) {
				w.add(to, i)
			}
		case s.takes(x):
			w.add(to, i+1)
		}
	}
}

// matches reports whether the word matches a sequence of letters.
func (w *word) matches(letters []symbol) bool {
	i, j := 0, 0
	star, mark := -1, 0
	// A run without colons may have to give back what a later run took, so that
	// words with both are walked as sets.
	if w.mixed() {
		return w.walk(letters)
	}
	for {
		switch {
		case i < len(w.symbols) && w.symbols[i].isRun():
			star, mark = i, j
			i++
			continue
		case i < len(w.symbols) && j < len(letters) && w.symbols[i].takes(letters[j]):
			i, j = i+1, j+1
			continue
		case i == len(w.symbols) && j == len(letters):
			return true
		}
		if star < 0 || mark >= len(letters) || !w.symbols[star].runs(letters[mark]) {
			return false
		}
		mark++
		i, j = star+1, mark
	}
}

// mixed reports whether a run without colons stands beside other runs in a part
// of which it is not known where it ends. In an ARN colons end every such part.
func (w *word) mixed() bool {
	return !w.arn && slices.ContainsFunc(w.symbols, func(s symbol) bool { return s.kind == segmentRun })
}

func (w *word) walk(letters []symbol) bool {
	from, to := make(positions, w.width()), make(positions, w.width())
	w.add(from, 0)
	for _, x := range letters {
		w.step(from, to, x)
		from, to = to, from
	}
	return from.has(len(w.symbols))
}

// before are the words of which one matches a text where the word itself matches
// the text with the letters behind it. known is false where a part of the word
// that is not known may hold them.
func (w *word) before(tail []symbol) (list []*word, known bool) {
	from, to := make(positions, w.width()), make(positions, w.width())
	known = true
	enter := func(p positions, i int) { // i symbols are left
		for p.set(i); i > 0 && w.symbols[i-1].isRun(); i-- {
			p.set(i - 1)
		}
	}
	enter(from, len(w.symbols))
	for k := len(tail) - 1; k >= 0; k-- {
		clear(to)
		for i := 1; i <= len(w.symbols); i++ {
			if !from.has(i) {
				continue
			}
			switch s := w.symbols[i-1]; {
			case s.isRun():
				if s.runs(tail[k]) {
					enter(to, i)
				}
			case s.takes(tail[k]):
				enter(to, i-1)
			case s.kind != 0 && s.kind != '?' && s.kind != segmentOne && s.kind != foldedRune:
				known = false
			}
		}
		from, to = to, from
	}
	for i := 0; i <= len(w.symbols); i++ {
		if !from.has(i) || i < len(w.symbols) && from.has(i+1) && w.symbols[i].isRun() {
			continue // the word with the run matches all that this one does
		}
		list = append(list, newWord(slices.Clone(w.symbols[:i]), w.arn))
	}
	return list, known
}

// fresh stands in a solution for a letter that no pattern names: no character,
// so that none can. What is written of it is freshText.
const (
	fresh     = -1
	freshText = "\u2022"
)

// instance is a text of the word that has as little in common with other words
// as can be.
func (w *word) instance() []symbol {
	letters := make([]symbol, len(w.symbols))
	for i, s := range w.symbols {
		switch s.kind {
		case '*', segmentRun, '?', segmentOne:
			s = symbol{0, fresh}
		case foldedRune:
			s = symbol{0, unicode.ToLower(s.r)}
		}
		letters[i] = s
	}
	return letters
}

// status says how a part of a question came out.
type status uint8

const (
	unsat  status = iota // there is no solution
	unsure               // there may be one that the method does not see
	sat
)

// textSolver finds texts that match every word of one list and none of another.
type textSolver struct {
	work   *int // what is left to spend
	states int  // most states of one search
}

// solve is exact for the letters that words have. Where words with holes or
// variables contradict others only letter by letter, it says unsure.
func (t *textSolver) solve(pos, neg []*word) ([]symbol, status) {
	pos, neg = needed(pos), slices.Clone(neg)
	letters, st := t.solveLetters(pos, neg)
	if st != unsat || len(pos) < 2 {
		return letters, st
	}
	relaxed := false
	for i, w := range pos {
		if w.opaque {
			relaxed = true
			pos[i] = w.loose()
		}
	}
	if !relaxed {
		return nil, unsat
	}
	neg = slices.DeleteFunc(neg, func(w *word) bool { return w.opaque })
	if _, st = t.solveLetters(pos, neg); st == unsat {
		return nil, unsat
	}
	return nil, unsure
}

// loose is the word with anything in the place of holes and variables.
func (w *word) loose() *word {
	out := make([]symbol, len(w.symbols))
	arn := w.arn
	for i, s := range w.symbols {
		switch s.kind {
		case 0, '*', '?', segmentRun, segmentOne, foldedRune:
			out[i] = s
		case byte(SegmentHole), byte(AccountHole), byte(NameHole):
			out[i] = symbol{segmentRun, 0}
		default:
			out[i] = symbol{'*', 0}
			arn = false
		}
	}
	loose := newWord(out, arn)
	loose.narrow = slices.ContainsFunc(out, func(s symbol) bool { return s.kind == segmentRun })
	return loose
}

func (t *textSolver) solveLetters(pos, neg []*word) ([]symbol, status) {
	*t.work -= 1 + len(pos) + len(neg)
	if i := slices.IndexFunc(pos, func(w *word) bool { return w.exact }); i >= 0 {
		if t.fits(pos[i].symbols, pos, neg) {
			return pos[i].symbols, sat
		}
		return nil, unsat
	}
	for _, w := range pos {
		if letters := w.instance(); t.fits(letters, pos, neg) {
			return letters, sat
		}
	}
	if len(pos) == 1 && tells(pos[0], neg) {
		return nil, unsat
	}
	return t.walk(pos, neg)
}

func (t *textSolver) fits(letters []symbol, pos, neg []*word) bool {
	*t.work -= len(letters) / 4
	for _, w := range pos {
		if !w.matches(letters) {
			return false
		}
	}
	for _, w := range neg {
		if w.matches(letters) {
			return false
		}
	}
	return true
}

// needed leaves out words that another implies. One is left.
func needed(pos []*word) []*word {
	var out []*word
	for i, w := range pos {
		if len(w.symbols) == 1 && w.symbols[0].kind == '*' || slices.Contains(pos[:i], w) {
			continue
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return []*word{anyWord}
	}
	for i := 0; i < len(out) && len(out) > 1; i++ {
		letters := out[i].instance()
		for j := len(out) - 1; j >= 0; j-- {
			if j != i && tells(out[i], out[j:j+1]) && out[j].matches(letters) {
				out = slices.Delete(out, j, j+1)
				if j < i {
					i--
				}
			}
		}
	}
	return out
}

// tells reports whether the instance of a word decides for all of its texts
// whether one of the others matches them: a run takes its fresh letter only with
// a run of its own, which then takes whatever else may stand there.
func tells(w *word, others []*word) bool {
	if slices.ContainsFunc(w.symbols, func(s symbol) bool { return s.kind == foldedRune || s.kind == foldedVariable }) {
		return false
	}
	for _, o := range others {
		for _, s := range o.symbols {
			switch s.kind {
			case '?', segmentOne:
				return false
			case segmentRun:
				if !w.arn || o.narrow {
					return false
				}
			}
		}
	}
	return true
}

// product walks several words at once: its states are the places in each word
// that a text leads to.
type product struct {
	words  []*word
	offset []int // of a word's places in a state
	size   int
	states []uint64
	steps  []productStep
	seen   map[string]bool
	next   []uint64 // the state that is looked at
	bytes  []byte
}

// productStep is how a state was come to.
type productStep struct {
	from int
	x    symbol
}

func newProduct(words []*word) *product {
	p := &product{words: words, offset: make([]int, len(words)+1), seen: map[string]bool{}}
	for i, w := range words {
		p.offset[i+1] = p.offset[i] + w.width()
	}
	p.size = p.offset[len(words)]
	p.next, p.bytes = make([]uint64, p.size), make([]byte, 8*p.size)
	for i, w := range words {
		w.add(p.at(p.next, i), 0)
	}
	return p
}

func (p *product) at(state []uint64, i int) positions { return state[p.offset[i]:p.offset[i+1]] }

// accepts reports whether the state that is looked at ends a word.
func (p *product) accepts(i int) bool {
	return p.at(p.next, i).has(len(p.words[i].symbols))
}

// push enters the state that is looked at, unless it is known.
func (p *product) push(s productStep) bool {
	for i, b := range p.next {
		for k := range 8 {
			p.bytes[8*i+k] = byte(b >> (8 * k))
		}
	}
	if p.seen[string(p.bytes)] {
		return false
	}
	p.seen[string(p.bytes)] = true
	p.states = append(p.states, p.next...)
	p.steps = append(p.steps, s)
	return true
}

// follow looks at the state that a letter leads to.
func (p *product) follow(n int, x symbol) {
	state := p.states[n*p.size : (n+1)*p.size]
	for i, w := range p.words {
		w.step(p.at(state, i), p.at(p.next, i), x)
	}
}

// letters are those by which a state leads to different ones: what some word
// has there, and one that none has.
func (p *product) letters(n int, into []symbol) []symbol {
	state := p.states[n*p.size : (n+1)*p.size]
	into = append(into[:0], symbol{0, fresh})
	for i, w := range p.words {
		at := p.at(state, i)
		for k, s := range w.symbols {
			if !at.has(k) {
				continue
			}
			switch s.kind {
			case '*', '?':
			case segmentRun, segmentOne:
				into = append(into, symbol{0, ':'})
			case foldedRune:
				into = append(into, symbol{0, s.r})
				for r := unicode.SimpleFold(s.r); r != s.r; r = unicode.SimpleFold(r) {
					into = append(into, symbol{0, r})
				}
			case foldedVariable:
				into = append(into, s, symbol{variableKey, s.r})
			default:
				into = append(into, s)
			}
		}
	}
	slices.SortFunc(into, func(a, b symbol) int {
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		return int(a.r) - int(b.r)
	})
	return slices.Compact(into)
}

// text is one that leads to a state, of the shortest.
func (p *product) text(n int) []symbol {
	letters := []symbol{}
	for ; n > 0; n = p.steps[n].from {
		letters = append(letters, p.steps[n].x)
	}
	slices.Reverse(letters)
	return letters
}

// walk searches the product of all words, breadth first, so that a solution is a
// shortest one.
func (t *textSolver) walk(pos, neg []*word) ([]symbol, status) {
	p := newProduct(slices.Concat(pos, neg))
	push := func(s productStep) (goal bool) {
		for i := range pos {
			if p.at(p.next, i).empty() {
				return false
			}
		}
		if !p.push(s) {
			return false
		}
		for i := range p.words {
			if p.accepts(i) != (i < len(pos)) {
				return false
			}
		}
		return true
	}
	if push(productStep{}) {
		return nil, sat
	}
	var letters []symbol
	for n := 0; n < len(p.steps); n++ {
		letters = p.letters(n, letters)
		if *t.work -= p.size + len(letters); *t.work < 0 || len(p.steps) > t.states {
			return nil, unsure
		}
		for _, x := range letters {
			if p.follow(n, x); push(productStep{n, x}) {
				return p.text(len(p.steps) - 1), sat
			}
		}
	}
	return nil, unsat
}

// wordOf spells out a compiled pattern; names gives the number or value of a
// variable's key.
func wordOf(into []symbol, p *pattern, names *variables, segment bool) []symbol {
	run, one := symbol{'*', 0}, symbol{'?', 0}
	if segment {
		run, one = symbol{segmentRun, 0}, symbol{segmentOne, 0}
	}
	switch p.shape {
	case exact:
		return symbols(into, p.text)
	case prefix:
		return append(symbols(into, p.text), run)
	case all:
		return append(into, run)
	default:
	}
	for _, t := range p.glob.tokens {
		switch t.kind {
		case anyRun:
			into = append(into, run)
		case anyOne:
			into = append(into, one)
		case variable:
			into = names.spell(into, t)
		default:
			into = symbols(into, t.text)
		}
	}
	return into
}

// variables numbers the keys that patterns have in them.
type variables struct {
	keys []sceneKey
	// scene and fixed are of the request that patterns are compiled for. fixed gives
	// the keys that are settled; those that are absent have no values.
	scene int
	fixed map[string]contextValue
	// never is set when a word had a variable without a value: it matches nothing.
	never bool
	// defaults is set when a word had a variable that may be absent and then
	// stands for something else.
	defaults bool
}

// sceneKey is a context key of one of the requests of a question.
type sceneKey struct {
	scene int
	key   string
}

func (v *variables) spell(into []symbol, t token) []symbol {
	if c, ok := v.fixed[t.text]; ok {
		switch {
		case c.unknown:
			// Not the hole that the evaluator puts there, so that none is equal to it.
			return append(into, symbol{byte(OpenHole), MaxHole - 2})
		case len(c.values) == 1:
			return symbols(into, c.values[0])
		case len(c.values) == 0 && t.defaults:
			return symbols(into, t.fallback)
		}
		v.never = true
		return into
	}
	key := sceneKey{v.scene, t.text}
	i := slices.Index(v.keys, key)
	if i < 0 {
		i = len(v.keys)
		v.keys = append(v.keys, key)
	}
	v.defaults = v.defaults || t.defaults
	return append(into, symbol{variableKey, rune(i)})
}

// word compiles a pattern; nil matches nothing.
func (v *variables) word(p *pattern) *word {
	v.never, v.defaults = false, false
	w := newWord(wordOf(nil, p, v, false), false)
	if v.never {
		return nil
	}
	return w
}

// folded compiles a text of which the case does not matter.
func (v *variables) folded(p *pattern) *word {
	w := v.word(p)
	if w == nil {
		return nil
	}
	out := slices.Clone(w.symbols)
	for i, s := range out {
		switch {
		case s.kind == 0 && unicode.SimpleFold(s.r) != s.r:
			out[i] = symbol{foldedRune, leastFold(s.r)}
		case s.kind == variableKey:
			out[i].kind = foldedVariable
		}
	}
	return newWord(out, false)
}

// arn compiles a pattern over ARNs; nil matches nothing, open says that it is
// not known what it matches.
func (v *variables) arn(a *arnPattern) (w *word, open bool) {
	switch {
	case a.any:
		return anyWord, false // what is no ARN, too
	case a.broken:
		return nil, true
	}
	v.never, v.defaults = false, false
	var out []symbol
	for i := range a.parts {
		if i > 0 {
			out = append(out, symbol{0, ':'})
		}
		out = wordOf(out, &a.parts[i], v, i < 5)
	}
	if v.never {
		return nil, false
	}
	return newWord(out, true), false
}

// write makes a text of letters; value gives what stands for a variable.
func write(letters []symbol, value func(key int) string) string {
	var b strings.Builder
	for _, x := range letters {
		switch x.kind {
		case 0:
			if x.r == fresh {
				b.WriteString(freshText)
				continue
			}
			b.WriteRune(x.r)
		case variableKey, foldedVariable:
			b.WriteString(value(int(x.r)))
		default:
			b.WriteString(Hole(HoleKind(x.kind), int(x.r)))
		}
	}
	return b.String()
}
