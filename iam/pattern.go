package iam

import (
	"strings"
	"unicode/utf8"
)

func decodeRune(s string) (rune, int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	return utf8.DecodeRuneInString(s)
}

// token is a piece of a pattern.
type token struct {
	kind     tokenKind
	text     string // literal: its text; variable: the key, in lower case
	written  string // variable: the key as the policy writes it
	fallback string // variable: what stands for a key that is absent
	defaults bool   // variable: has a fallback
}

type tokenKind uint8

const (
	literal tokenKind = iota
	anyOne
	anyRun
	variable
)

// shape is how a pattern can be matched without walking its tokens.
type shape uint8

const (
	general shape = iota
	exact         // text
	prefix        // text, then anything
	all           // anything
)

// pattern is a text with wildcards, policy variables and holes.
type pattern struct {
	shape shape
	text  string // exact, prefix
	glob  *glob  // general
}

// glob is a pattern that has to be walked.
type glob struct {
	tokens []token
	vars   bool // has variables
	holes  bool
	escape bool // a literal was written as ${*}, ${?} or ${$}
	// substituted is the reading with variables of a text whose document does
	// not have them, where they differ.
	substituted *pattern
}

// patternForm says how a text becomes a pattern.
type patternForm struct {
	wildcards bool // '*' and '?' are wildcards
	variables bool // ${…} is a policy variable or an escape
	legacy    bool // the document's version has no variables
	resource  bool // an ARN in a Resource element, whose wildcards have a contested reach
}

// compilePattern prepares a text for matching.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func compilePattern(s string, form patternForm) pattern {
	if plain := strings.TrimRight(s, "*"); !hasHole(s) && strings.IndexByte(s, '$') < 0 {
		switch {
		case !form.wildcards:
			return pattern{shape: exact, text: s}
		case strings.ContainsAny(plain, "*?"):
		case plain == s:
			return pattern{shape: exact, text: s}
		case plain == "":
			return pattern{shape: all}
		default:
			return pattern{shape: prefix, text: plain}
		}
	}
	g := &glob{holes: hasHole(s)}
	g.tokenize(s, form)
	if !form.variables && form.legacy && strings.Contains(s, "${") {
		other := compilePattern(s, patternForm{wildcards: form.wildcards, variables: true})
		g.substituted = &other
	}
	return pattern{glob: g}
}

func (g *glob) tokenize(s string, form patternForm) {
	g.tokens = make([]token, 0, 1+2*(strings.Count(s, "*")+strings.Count(s, "?")+strings.Count(s, "$")))
	// The literal at hand is lit, and s from start.
	lit, start := "", 0
	flush := func(end int) {
		if lit += s[start:end]; lit != "" {
			g.tokens = append(g.tokens, token{kind: literal, text: lit})
			lit = ""
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case form.wildcards && c == '*':
			flush(i)
			start = i + 1
			if n := len(g.tokens); n == 0 || g.tokens[n-1].kind != anyRun {
				g.tokens = append(g.tokens, token{kind: anyRun})
			}
		case form.wildcards && c == '?':
			flush(i)
			start = i + 1
			g.tokens = append(g.tokens, token{kind: anyOne})
		case form.variables && c == '$' && strings.HasPrefix(s[i:], "${"):
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				continue
			}
			inner := s[i+2 : i+end]
			if inner == "*" || inner == "?" || inner == "$" {
				lit += s[start:i] + inner
				g.escape = true
				i += end
				start = i + 1
				continue
			}
			flush(i)
			i += end
			start = i + 1
			t := token{kind: variable}
			key, fallback, has := strings.Cut(inner, ",")
			t.written = strings.TrimSpace(key)
			t.text = lower(t.written)
			if has {
				t.defaults = true
				t.fallback = unquote(strings.TrimSpace(fallback))
			}
			g.tokens = append(g.tokens, t)
			g.vars = true
		}
	}
	flush(len(s))
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// lower folds ASCII letters alone, so that holes keep their bytes.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// maxTokens is how many tokens a pattern with variables may expand to without
// allocating.
const maxTokens = 24

// match compares a text with the pattern; ev gives the values of variables.
func (p *pattern) match(s string, ev *evaluator) truth {
	switch p.shape {
	case exact:
		if s == p.text {
			return yes
		}
		if !ev.req.holes || !hasHole(s) {
			return no
		}
	case prefix:
		if strings.HasPrefix(s, p.text) {
			return yes
		}
		if !ev.req.holes || !hasHole(s) {
			return no
		}
	case all:
		return yes
	default:
		return p.glob.match(s, ev)
	}
	return compareHoles(p.symbols(), symbols(nil, s))
}

// symbols spells out a pattern that is no glob.
func (p *pattern) symbols() []symbol {
	all := symbols(nil, p.text)
	if p.shape == prefix {
		all = append(all, symbol{'*', 0})
	}
	return all
}

// spelt is any pattern without variables.
func (p *pattern) spelt() []symbol {
	switch p.shape {
	case general:
		return symbolsOf(p.glob.tokens)
	case all:
		return []symbol{{'*', 0}}
	default:
		return p.symbols()
	}
}

// matches is match for texts without holes and patterns without variables.
func (p *pattern) matches(s string) bool {
	return p.match(s, &evaluator{req: &Request{}}) == yes
}

func (g *glob) match(s string, ev *evaluator) truth {
	if g.substituted != nil && ev.otherwise(Version2008Variables) {
		return g.substituted.match(s, ev)
	}
	var room [maxTokens]token
	tokens, holes := g.tokens, g.holes
	if g.vars {
		var ok bool
		if tokens, holes, ok = g.expand(room[:0], ev); !ok {
			return no
		}
	}
	if holes || ev.req.holes && hasHole(s) {
		return compareHoles(symbolsOf(tokens), symbols(nil, s))
	}
	return matchGlob(tokens, s, ev)
}

// maxSteps bounds what one evaluation spends on patterns. Beyond it what
// matches is not known.
const maxSteps = 1 << 26

// expand puts the values of variables into the pattern. It reports false when
// a variable has no value: then the pattern matches nothing.
func (g *glob) expand(into []token, ev *evaluator) (tokens []token, holes, ok bool) {
	holes = g.holes
	for _, t := range g.tokens {
		if t.kind != variable {
			into = append(into, t)
			continue
		}
		values, state := ev.value(t.text)
		switch {
		case state == unstated:
			// Some text, perhaps none: what the variable stands for is not known.
			into = append(into, token{kind: literal, text: Hole(OpenHole, MaxHole)})
			holes = true
		case state == absent || len(values) == 0:
			if !t.defaults {
				return nil, false, false
			}
			into = append(into, token{kind: literal, text: t.fallback})
		case len(values) > 1:
			return nil, false, false // a key with several values is no variable
		default:
			into = append(into, token{kind: literal, text: values[0]})
			holes = holes || hasHole(values[0])
		}
	}
	return into, holes, true
}

func symbolsOf(tokens []token) []symbol {
	var all []symbol
	for _, t := range tokens {
		switch t.kind {
		case anyOne:
			all = append(all, symbol{'?', 0})
		case anyRun:
			all = append(all, symbol{'*', 0})
		default:
			all = symbols(all, t.text)
		}
	}
	return all
}

// matchGlob matches without holes, in time proportional to the product of the
// lengths at worst.
func matchGlob(tokens []token, s string, ev *evaluator) truth {
	i, j := 0, 0
	star, mark := -1, 0
	for ; ; ev.steps++ {
		if i < len(tokens) {
			switch t := &tokens[i]; t.kind {
			case anyRun:
				if i+1 == len(tokens) {
					return yes
				}
				star, mark = i, j
				i++
				continue
			case anyOne:
				if j < len(s) {
					r, size := decodeRune(s[j:])
					if r <= 0xFFFF || !ev.otherwise(QuestionMark) {
						i, j = i+1, j+size
						continue
					}
				}
			default:
				if strings.HasPrefix(s[j:], t.text) {
					i, j = i+1, j+len(t.text)
					continue
				}
			}
		} else if j == len(s) {
			return yes
		}
		if star < 0 || mark >= len(s) {
			return no
		}
		if ev.steps > maxSteps {
			return maybe
		}
		_, size := decodeRune(s[mark:])
		mark += size
		if next := &tokens[star+1]; next.kind == literal {
			at := strings.Index(s[mark:], next.text)
			if at < 0 {
				return no
			}
			mark += at
		}
		i, j = star+1, mark
	}
}

// arnPattern is a pattern over ARNs. Each of the first five parts, which colons
// separate, matches on its own; the sixth is the rest, colons included. In a
// Resource element, a '*' that ends a part reaches over the colons behind it,
// too; in conditions it does not.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
type arnPattern struct {
	any    bool
	broken bool // which part is which is not known
	short  bool // has fewer than six parts; those that are missing are '*'
	ended  bool // ends in '*', which stands for the parts that are missing
	reach  bool // a '*' that ends one of the first five parts may run over colons
	// resource is set in Resource elements; conditions fill in short ARNs
	// wherever they stand.
	resource bool
	parts    [6]pattern
	// whole is the pattern over the ARN as one text. It is there only where that
	// may be asked for: where holes or a '*' may hold colons.
	whole  *pattern
	colons int // those that are written out in whole
	// loose is set when a hole before the last part may hold colons, so that the
	// cuts may be elsewhere.
	loose bool
}

func compileARN(s string, form patternForm) arnPattern {
	a := arnPattern{resource: form.resource}
	if strings.Trim(s, "*") == "" && s != "" && form.wildcards {
		a.any = true
		return a
	}
	// In a Resource element variables stand after the fifth colon only; in a
	// condition they stand anywhere.
	first := form
	if form.resource {
		first = patternForm{wildcards: form.wildcards}
	}
	rest, stretch, within := s, false, false
	n := 0
	for ; n < 5; n++ {
		head, tail, found := cutPart(rest, first.variables)
		if !found {
			break
		}
		a.parts[n] = compilePattern(head, first)
		plain := strings.TrimRight(head, "*")
		stretch = stretch || form.resource && plain != head
		within = within || strings.ContainsAny(plain, "*?")
		rest = tail
	}
	holes := hasHole(s)
	if n == 5 {
		a.parts[5] = compilePattern(rest, form)
		a.loose = holes && holdsColons(s[:len(s)-len(rest)])
	} else {
		// A hole may hold the colons that are missing here.
		a.broken, a.short, stretch = holes, !holes, false
		a.ended = strings.HasSuffix(rest, "*")
		a.parts[n] = compilePattern(rest, patternForm{wildcards: true, variables: first.variables, legacy: first.legacy})
		for n++; n < 6; n++ {
			a.parts[n] = pattern{shape: all}
		}
	}
	// Of a part with wildcards inside, it is not said how far its last one goes.
	a.reach = stretch && !within
	if holes || a.reach {
		whole := compilePattern(s, form)
		a.whole, a.colons = &whole, whole.colons()
	}
	return a
}

// cutPart cuts a pattern at its first colon; those in policy variables do not
// count.
func cutPart(s string, variables bool) (head, tail string, found bool) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == ':':
			return s[:i], s[i+1:], true
		case variables && strings.HasPrefix(s[i:], "${"):
			if end := strings.IndexByte(s[i:], '}'); end > 0 {
				i += end
			}
		}
	}
	return s, "", false
}

// arn is a text cut at its first five colons.
type arn struct {
	whole string
	parts [6]string
	ok    bool // has six parts
	holes bool
	loose bool // a hole before the last part may hold colons, so that the cuts may be elsewhere
}

// holdsColons reports whether a text has a hole that may hold a colon.
func holdsColons(s string) bool {
	for i := 0; i+holeLen <= len(s); i++ {
		if s[i] == holeMark {
			if fills(s[i+1], ':') {
				return true
			}
			i += holeLen - 1
		}
	}
	return false
}

func splitARN(s string) arn {
	a := arn{whole: s, holes: hasHole(s)}
	rest := s
	for i := range 5 {
		at := strings.IndexByte(rest, ':')
		if at < 0 {
			return a
		}
		a.parts[i], rest = rest[:at], rest[at+1:]
	}
	a.parts[5], a.ok = rest, true
	a.loose = a.holes && holdsColons(s[:len(s)-len(rest)])
	return a
}

func (a *arnPattern) match(r *arn, ev *evaluator) truth {
	switch {
	case a.any:
		return yes
	case a.short && a.resource && ev.refuseShort && a.refused(ev):
		return no
	case a.broken:
		return a.whole.match(r.whole, ev)
	case !r.ok && r.holes:
		return maybe // what the text is cannot be told
	case !r.ok:
		return no
	}
	t := yes
	for _, i := range [...]int{5, 4, 3, 2, 1, 0} { // the last part tells most apart
		p := &a.parts[i]
		if p.shape == all || p.shape == exact && p.text == r.parts[i] {
			continue
		}
		if t = min(t, p.match(r.parts[i], ev)); t == no {
			break
		}
	}
	switch {
	case a.loose:
		// Cut elsewhere the parts may fit; not where the texts as such cannot.
		if whole := a.whole.match(r.whole, ev); whole != t {
			return min(whole, maybe)
		}
		return t
	case r.loose:
		return maybe
	}
	if t == no && a.reach && a.spare(r) && !a.endsOtherwise(r) {
		if far := a.whole.match(r.whole, ev); far != no && !ev.otherwise(ARNSegments) {
			return far
		}
	}
	return t
}

// spare reports whether a text may have more colons than the pattern writes out:
// otherwise no '*' is left one to run over, and the parts stand against each other.
func (a *arnPattern) spare(r *arn) bool {
	return r.holes && (strings.Contains(r.whole, "\xffo") || strings.Contains(r.whole, "\xffi")) || strings.Count(r.whole, ":") > a.colons
}

// colons counts the colons that a pattern writes out.
func (p *pattern) colons() int {
	if p.glob == nil {
		return strings.Count(p.text, ":")
	}
	n := 0
	for _, t := range p.glob.tokens {
		if t.kind == literal {
			n += strings.Count(t.text, ":")
		}
	}
	return n
}

// endsOtherwise reports whether a text cannot match, however far a '*' in the
// first five parts reaches, because the pattern ends in another literal.
func (a *arnPattern) endsOtherwise(r *arn) bool {
	return a.parts[5].shape == exact && !r.holes && !strings.HasSuffix(r.whole, a.parts[5].text)
}

// refused reports whether a short ARN matches nothing where AWS does not fill in
// what is missing. A '*' at its end does not need that.
func (a *arnPattern) refused(ev *evaluator) bool {
	if a.ended {
		return ev.otherwise(ARNSegments)
	}
	return !ev.otherwise(ShortARN)
}
