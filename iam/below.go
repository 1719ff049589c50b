package iam

import "slices"

// wordsOf are the words of which one matches the shared resource where the pattern
// matches that of the scene, which may stand below it.
func (s *search) wordsOf(scene int, a *arnPattern) []compiledARN {
	at := placedARN{scene, a}
	if c, ok := s.words[at]; ok {
		return c
	}
	s.enter(scene)
	w, open := s.vars.arn(a)
	list := []compiledARN{{w, open, s.vars.defaults}}
	if below := s.scenes[scene].below; below != "" && w != nil && !open {
		parts, known := w.before(symbols(nil, below))
		list = []compiledARN{{open: !known}}
		for _, p := range parts {
			list = append(list, compiledARN{w: p, defaults: s.vars.defaults})
		}
	}
	s.words[at] = list
	return list
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
