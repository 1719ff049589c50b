package iam

import (
	"slices"
	"strings"
)

// HoleKind says what may stand in the place of a hole.
type HoleKind byte

// The kinds of hole. A text may hold any of them between its literals.
const (
	// OpenHole may be any text, wildcards included.
	OpenHole HoleKind = 'o'
	// SegmentHole is a text of at least one character without ':', '/', '*' and
	// '?', such as an account id or a region.
	SegmentHole HoleKind = 's'
	// AccountHole is the id of an account: digits.
	AccountHole HoleKind = 'a'
	// NameHole is a SegmentHole that AWS makes up: no text that a person wrote
	// in full, nor another NameHole, is equal to it.
	NameHole HoleKind = 'n'
	// IdentityHole is an ARN, URL or id that AWS makes up: any characters, and
	// otherwise as a NameHole.
	IdentityHole HoleKind = 'i'
)

// A hole is written into a text as five bytes that no UTF-8 text contains:
// 0xFF, the kind, and 18 bits of identity in continuation bytes.
const (
	holeMark = 0xFF
	holeLen  = 5
)

// MaxHole is the greatest identity of a hole.
const MaxHole = 1<<18 - 1

// Hole is a part of a text that is not known. Texts of documents and requests
// that are built in memory may hold it; holes of the same kind and identity
// hold the same text wherever they stand.
func Hole(kind HoleKind, id int) string {
	return string([]byte{holeMark, byte(kind), 0x80 | byte(id>>12&0x3F), 0x80 | byte(id>>6&0x3F), 0x80 | byte(id&0x3F)})
}

// Holes lists the identities of the holes of a text, in order.
func Holes(text string) []int {
	var ids []int
	for i := 0; i+holeLen <= len(text); i++ {
		if text[i] == holeMark {
			ids = append(ids, int(text[i+2]&0x3F)<<12|int(text[i+3]&0x3F)<<6|int(text[i+4]&0x3F))
			i += holeLen - 1
		}
	}
	return ids
}

func hasHole(s string) bool { return strings.IndexByte(s, holeMark) >= 0 }

// symbol is one step of a text or pattern: a character, a wildcard or a hole.
type symbol struct {
	kind byte // 0 for a character, '?', '*', or a HoleKind
	r    rune // the character, or the identity of a hole
}

// fills reports whether a hole of some kind may hold the character.
func fills(kind byte, r rune) bool {
	switch HoleKind(kind) {
	case OpenHole, IdentityHole:
		return true
	case AccountHole:
		return '0' <= r && r <= '9'
	default:
		return r != ':' && r != '/' && r != '*' && r != '?'
	}
}

// maxCompare bounds the comparison of texts with holes, whose cost goes with the
// product of their lengths: ARNs have at most some hundred characters.
const maxCompare = 1 << 18

// compareHoles matches a pattern against a text where either has holes: yes
// when it matches whatever they hold, no when it cannot.
func compareHoles(pattern, text []symbol) truth {
	switch {
	case len(pattern)*len(text) > maxCompare:
		return maybe
	case certain(pattern, text):
		return yes
	case possible(pattern, text):
		return maybe
	}
	return no
}

// certain reports a match that does not depend on what the holes hold: a hole
// of the text is covered by a run of '*', or by itself.
func certain(pattern, text []symbol) bool {
	var small [2][128]bool
	reach, next := small[0][:], small[1][:] // positions of the text after a prefix of the pattern
	if len(text) >= len(reach) {
		reach, next = make([]bool, len(text)+1), make([]bool, len(text)+1)
	}
	reach, next = reach[:len(text)+1], next[:len(text)+1]
	reach[0] = true
	for _, p := range pattern {
		clear(next)
		for j, ok := range reach {
			if !ok {
				continue
			}
			switch {
			case p.kind == '*':
				if !next[j] { // otherwise filled from an earlier position
					for k := j; k <= len(text); k++ {
						next[k] = true
					}
				}
			case j == len(text):
			case p.kind == '?':
				next[j+1] = next[j+1] || text[j].kind == 0
			default:
				next[j+1] = next[j+1] || p == text[j]
			}
		}
		reach, next = next, reach
	}
	return reach[len(text)]
}

// possible reports whether some content of the holes makes pattern match text.
// It walks both at once; a hole that AWS fills may be left only after something
// that is not a literal, and not another such hole, has covered a part of it.
func possible(pattern, text []symbol) bool {
	type state struct {
		i, j               int
		partPat, partText  bool // a wildcard or an open hole has covered a part of the hole here
		beganPat, beganTxt bool // the hole here holds a character already
	}
	// The states that have been come to: four bits, by place in the text and in the
	// pattern.
	var small [512]uint64
	seen := small[:]
	if n := (len(pattern) + 1) * (len(text) + 1) / 4; n >= len(small) {
		seen = make([]uint64, n+1)
	}
	var few [64]state
	stack := few[:0]
	bit := func(b bool, n int) int {
		if b {
			return 1 << n
		}
		return 0
	}
	push := func(s state) {
		at := (s.i*(len(text)+1)+s.j)<<4 | bit(s.partPat, 0) | bit(s.partText, 1) | bit(s.beganPat, 2) | bit(s.beganTxt, 3)
		if seen[at>>6]&(1<<(at&63)) == 0 {
			seen[at>>6] |= 1 << (at & 63)
			stack = append(stack, s)
		}
	}
	push(state{})
	const open = byte(OpenHole)
	made := func(k byte) bool { return k == byte(NameHole) || k == byte(IdentityHole) }
	isHole := func(k byte) bool { return k != 0 && k != '*' && k != '?' }
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.i == len(pattern) && s.j == len(text) {
			return true
		}
		var p, t symbol
		endP, endT := s.i == len(pattern), s.j == len(text)
		if !endP {
			p = pattern[s.i]
		}
		if !endT {
			t = text[s.j]
		}
		nextP := state{i: s.i + 1, j: s.j, partText: s.partText, beganTxt: s.beganTxt}
		nextT := state{i: s.i, j: s.j + 1, partPat: s.partPat, beganPat: s.beganPat}
		both := state{i: s.i + 1, j: s.j + 1}
		// Leave a hole.
		if !endP && isHole(p.kind) && (!made(p.kind) || s.partPat) && (p.kind == open || s.beganPat) {
			push(nextP)
		}
		if !endT && isHole(t.kind) && (!made(t.kind) || s.partText) && (t.kind == open || s.beganTxt) {
			push(nextT)
		}
		if !endP && p.kind == '*' {
			push(nextP)
		}
		if endP || endT {
			continue
		}
		if isHole(p.kind) && p == t {
			push(both)
		}
		// Both take one character of the text.
		if t.kind == 0 {
			switch {
			case p.kind == 0:
				if p.r == t.r {
					push(both)
				}
			case p.kind == '?':
				push(both)
			case p.kind == '*':
				push(nextT)
			case fills(p.kind, t.r):
				nextT.beganPat = true
				push(nextT)
			}
			continue
		}
		// The text is a hole that gives one character.
		switch {
		case p.kind == 0:
			if fills(t.kind, p.r) {
				nextP.beganTxt = true
				push(nextP)
			}
		case p.kind == '?':
			nextP.partText, nextP.beganTxt = true, true
			push(nextP)
		case p.kind == '*':
			same := s
			same.partText, same.beganTxt = true, true
			push(same)
		default:
			same := s
			same.partText, same.beganTxt = s.partText || !made(p.kind), true
			same.partPat, same.beganPat = s.partPat || !made(t.kind), true
			push(same)
		}
	}
	return false
}

// symbols reads a text; wildcards stay characters.
func symbols(into []symbol, text string) []symbol {
	into = slices.Grow(into, len(text))
	for i := 0; i < len(text); {
		if text[i] == holeMark && i+holeLen <= len(text) {
			into = append(into, symbol{text[i+1], rune(text[i+2]&0x3F)<<12 | rune(text[i+3]&0x3F)<<6 | rune(text[i+4]&0x3F)})
			i += holeLen
			continue
		}
		r, size := decodeRune(text[i:])
		into = append(into, symbol{0, r})
		i += size
	}
	return into
}
