package iam

import (
	"slices"
	"strings"
	"unicode"
)

// Kinds of symbol that only words have, beside those of texts and patterns.
const (
	digitRun       = '#'  // a run of digits
	digitOne       = '%'  // a digit
	segmentRun     = ':'  // a run without colons: '*' in the first five parts of an ARN
	segmentOne     = '.'  // one character that is no colon
	foldedRune     = 'f'  // a character in any case; r is the least of those
	variableKey    = 'v'  // the value of the context key that r numbers
	foldedVariable = 'V'  // that value in any case
	partVariable   = 'S'  // that value, which has no colons, since it is in one part of an ARN
	wildHole       = 'O'  // what an open hole holds, in a pattern where its wildcards are such
	foldedHole     = 0x80 // with the kind of a hole: what it holds, in any case
	partHole       = 0xC0 // exclusive-or the kind of a hole: what it holds, which has no colons, as Decide has it in one part of an ARN
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
	keys    []int
}

func newWord(symbols []symbol, arn bool) *word {
	w := &word{symbols: symbols, arn: arn, exact: true}
	for _, s := range symbols {
		switch s.kind {
		case 0:
		case '*', segmentRun, digitRun:
			w.exact = false
		case '?', segmentOne, digitOne, foldedRune:
			w.exact, w.single = false, true
		case variableKey, foldedVariable, partVariable:
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
	case digitOne:
		return isDigit(x)
	case segmentOne:
		return x.kind == 0 && x.r != ':'
	case foldedRune:
		return x.kind == 0 && leastFold(x.r) == s.r
	case variableKey:
		return s == x || x.kind == partVariable && x.r == s.r
	case foldedVariable:
		return s == x || (x.kind == variableKey || x.kind == partVariable) && x.r == s.r
	case wildHole:
		return s == x || (x.kind == byte(OpenHole) || x.kind == byte(OpenHole)^partHole) && x.r == s.r // a pattern matches itself
	case byte(IdentityHole):
		return s == x || x.kind == s.kind^partHole && x.r == s.r
	default:
		return s == x || s.kind&partHole == partHole && x.kind == s.kind&^foldedHole && x.r == s.r
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
// value of a variable, and what a hole holds, may have colons.
func (s symbol) runs(x symbol) bool {
	if s.kind == digitRun {
		return isDigit(x)
	}
	if s.kind == '*' || s.kind != segmentRun {
		return s.kind == '*'
	}
	switch x.kind {
	case 0:
		return x.r != ':'
	case variableKey, foldedVariable, wildHole, byte(OpenHole), byte(IdentityHole), byte(OpenHole) | foldedHole, byte(IdentityHole) | foldedHole:
		return false
	}
	return true
}

func isDigit(x symbol) bool { return x.kind == 0 && '0' <= x.r && x.r <= '9' }

func (s symbol) isRun() bool { return s.kind == '*' || s.kind == segmentRun || s.kind == digitRun }

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
	return slices.ContainsFunc(w.symbols, func(s symbol) bool { return s.kind == digitRun || s.kind == segmentRun && !w.arn })
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
		case digitRun, digitOne:
			s = symbol{0, '0'}
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
	if ruledOut(pos, neg) {
		return nil, unsat // whatever the holes hold
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

// ruledOut reports whether all that one word matches is what another matches that
// must not.
func ruledOut(pos, neg []*word) bool {
	for _, w := range pos {
		letters := w.instance()
		for i, o := range neg {
			if o.matches(letters) && tells(w, neg[i:i+1]) {
				return true
			}
		}
	}
	return false
}

// apart reports whether two ARNs have parts without wildcards that cannot agree.
func apart(pos []*word) bool {
	var parts [][]*word
	for _, w := range pos {
		if w.arn {
			parts = append(parts, w.parts())
		}
	}
	for i := range parts {
		for j := range parts {
			for k := range min(len(parts[i]), len(parts[j])) {
				if i != j && parts[i][k].exact && !parts[j][k].matches(parts[i][k].symbols) {
					return true
				}
			}
		}
	}
	return false
}

// parts are the first five parts of an ARN.
func (w *word) parts() (list []*word) {
	start := 0
	for i, s := range w.symbols {
		if s == (symbol{0, ':'}) && len(list) < 5 {
			list = append(list, newWord(w.symbols[start:i], true))
			start = i + 1
		}
	}
	return list
}

// loose is the word with whatever they may hold in the place of holes and
// variables.
func (w *word) loose() *word {
	arn, colons := w.arn, 0
	var out []symbol
	for _, s := range w.symbols {
		if s == (symbol{0, ':'}) {
			colons++
		}
		switch s.kind {
		case 0, '*', '?', segmentRun, segmentOne, foldedRune:
			out = append(out, s)
		case byte(AccountHole):
			out = append(out, symbol{digitOne, 0}, symbol{digitRun, 0})
		case byte(SegmentHole), byte(NameHole):
			out = append(out, symbol{segmentOne, 0}, symbol{segmentRun, 0})
			arn = arn && colons < 5 // behind them, runs without colons stand beside others
		case byte(OpenHole) ^ partHole, byte(IdentityHole) ^ partHole:
			out = append(out, symbol{segmentRun, 0})
		default:
			out, arn = append(out, symbol{'*', 0}), false
		}
	}
	return newWord(out, arn)
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
	if ruledOut(pos, neg) || apart(pos) || len(pos) == 1 && tells(pos[0], neg) {
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
			if j != i && (out[j] == anyARN && out[i].colons() >= 5 || tells(out[i], out[j:j+1]) && out[j].matches(letters)) {
				out = slices.Delete(out, j, j+1)
				if j < i {
					i--
				}
			}
		}
	}
	return out
}

// colons counts those that every text of the word has.
func (w *word) colons() (n int) {
	for _, s := range w.symbols {
		if s == (symbol{0, ':'}) {
			n++
		}
	}
	return n
}

// tells reports whether the instance of a word decides for all of its texts
// whether one of the others matches them: a run takes its fresh letter only with
// a run of its own, which then takes whatever else may stand there.
func tells(w *word, others []*word) bool {
	if slices.ContainsFunc(w.symbols, func(s symbol) bool {
		return s.kind == foldedRune || s.kind == foldedVariable || s.kind == digitRun || s.kind == digitOne
	}) {
		return false
	}
	for _, o := range others {
		for _, s := range o.symbols {
			switch s.kind {
			case '?', segmentOne, digitRun, digitOne:
				return false
			case segmentRun:
				if !w.arn || !o.arn {
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
			case digitRun, digitOne:
				for r := '0'; r <= '9'; r++ {
					into = append(into, symbol{0, r})
				}
			case segmentRun, segmentOne:
				into = append(into, symbol{0, ':'})
			case foldedRune:
				into = append(into, symbol{0, s.r})
				for r := unicode.SimpleFold(s.r); r != s.r; r = unicode.SimpleFold(r) {
					into = append(into, symbol{0, r})
				}
			case foldedVariable:
				into = append(into, s, symbol{variableKey, s.r}, symbol{partVariable, s.r})
			case variableKey:
				into = append(into, s, symbol{partVariable, s.r})
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
			into = names.spell(into, t, segment)
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
	fixed requestContext
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

func (v *variables) spell(into []symbol, t token, part bool) []symbol {
	if c, ok := v.fixed.of(t.text); ok {
		if c.unknown {
			return append(into, symbol{byte(OpenHole), MaxHole - 2}) // not the evaluator's, so that none is equal to it
		}
		text := t.fallback
		if len(c.values) == 1 {
			text = c.values[0]
		}
		if len(c.values) > 1 || len(c.values) == 0 && !t.defaults || part && strings.Contains(text, ":") {
			v.never = true
			return into
		}
		return symbols(into, text)
	}
	key := sceneKey{v.scene, t.text}
	i := slices.Index(v.keys, key)
	if i < 0 {
		i = len(v.keys)
		v.keys = append(v.keys, key)
	}
	v.defaults = v.defaults || t.defaults
	if part {
		return append(into, symbol{partVariable, rune(i)})
	}
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

// wild compiles a pattern that is compared with values that other texts may be
// compared with literally.
func (v *variables) wild(w *word) *word {
	if w == nil || !slices.ContainsFunc(w.symbols, func(s symbol) bool { return s.kind == byte(OpenHole) }) {
		return w
	}
	out := slices.Clone(w.symbols)
	for i := range out {
		if out[i].kind == byte(OpenHole) {
			out[i].kind = wildHole
		}
	}
	return newWord(out, w.arn)
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
		case s.kind == variableKey || s.kind == partVariable:
			out[i].kind = foldedVariable
		case s.kind != 0:
			out[i].kind |= foldedHole
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
	case a.broken && a.whole.isIdentity():
		return v.word(a.whole), false
	case a.broken:
		return nil, true
	case a.reach:
		return v.wild(v.word(a.whole)), false
	}
	v.never, v.defaults = false, false
	var out []symbol
	for i := range a.parts {
		if i > 0 {
			out = append(out, symbol{0, ':'})
		}
		from := len(out)
		out = wordOf(out, &a.parts[i], v, i < 5)
		for j := from; j < len(out); j++ {
			switch k := &out[j].kind; {
			case i < 5 && (*k == byte(OpenHole) || *k == byte(IdentityHole)):
				*k ^= partHole
			case *k == byte(OpenHole):
				*k = wildHole
			}
		}
	}
	if v.never {
		return nil, false
	}
	return newWord(out, true), false
}

// isIdentity reports whether the pattern is one ARN or id that AWS makes up.
func (p *pattern) isIdentity() bool {
	if p.shape == general && len(p.glob.tokens) == 1 && p.glob.tokens[0].kind == literal {
		return isIdentity(p.glob.tokens[0].text)
	}
	return p.shape == exact && isIdentity(p.text)
}

func isIdentity(s string) bool {
	return len(s) == holeLen && s[0] == holeMark && HoleKind(s[1]) == IdentityHole
}

// textOfARN is the word of one ARN.
func textOfARN(text string) *word {
	out, colons := symbols(nil, text), 0
	for i := range out {
		switch k := &out[i].kind; {
		case out[i] == symbol{0, ':'}:
			colons++
		case colons < 5 && (*k == byte(OpenHole) || *k == byte(IdentityHole)):
			*k ^= partHole
		}
	}
	return newWord(out, true)
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
		case variableKey, foldedVariable, partVariable:
			b.WriteString(value(int(x.r)))
		case wildHole:
			b.WriteString(Hole(OpenHole, int(x.r)))
		default:
			kind := x.kind &^ foldedHole
			if x.kind&partHole == partHole^0x40 {
				kind = x.kind ^ partHole
			}
			b.WriteString(Hole(HoleKind(kind), int(x.r)))
		}
	}
	return b.String()
}
