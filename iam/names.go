package iam

import (
	"slices"
	"strings"
)

// Names of actions that the table does not know. A question about all requests
// is about them too, as AWS adds some every week; patterns such as "s3:Get*" name
// them beforehand. They are not sorted into classes: of many patterns there may be
// more classes than can be listed. The name is found as the resource is.

// nameOf is what has to be so of the name in one request.
type nameOf struct {
	pos, neg []*word
	text     string // in lower case
}

// mayName reports whether a statement may name an action of the service that the
// table does not know.
func (s *statement) mayName(service string, d *Data) bool {
	for i := range s.actions {
		a := &s.actions[i]
		switch {
		case a.whole:
			return true // it is not known what it names
		case a.service != "" && a.service != service:
		case a.name.shape == all:
			return !s.notAction
		case !s.notAction && (a.name.shape != exact || d.action(service, a.name.text) == nil):
			return true
		}
	}
	return s.notAction
}

// nameWords are the patterns of a statement for a name that the table does not
// know. every is set where one matches all of them; those with holes are left
// out, so that the evaluator says what they match.
func (s *search) nameWords(scene int, m *statement) (words []*word, every bool) {
	service := s.scenes[scene].service
	for i := range m.actions {
		a := &m.actions[i]
		switch {
		case a.whole || a.service != "" && a.service != service:
		case a.name.shape == all:
			return nil, true
		case a.name.shape == exact && s.data.action(service, a.name.text) != nil:
		default:
			w, ok := s.names[&a.name]
			if !ok {
				w = new(variables).word(&a.name)
				s.names[&a.name] = w
			}
			if !w.opaque {
				words = append(words, w)
			}
		}
	}
	return words, false
}

// takeName follows each way in which a statement names the action.
func (s *search) takeName(n *node, scene int, m member, then func(*node)) {
	if s.scenes[scene].service == "" || m.s == nil {
		then(n)
		return
	}
	words, every := s.nameWords(scene, m.s)
	switch {
	case m.s.notAction && every:
	case m.s.notAction:
		if child := n.clone(); s.avoidName(child, scene, words) {
			then(child)
		}
	case every || m.s.hidesNames():
		then(n)
	default:
		for _, w := range words {
			if s.found != nil || s.work < 0 {
				return
			}
			if child := n.clone(); s.reachName(child, scene, w) {
				then(child)
			}
		}
	}
}

// hidesNames reports whether the statement has patterns with holes, which may
// match any name.
func (s *statement) hidesNames() bool {
	return slices.ContainsFunc(s.actions, func(a actionPattern) bool { return a.whole || a.name.glob != nil && a.name.glob.holes })
}

// partName follows each way in which a statement does not name the action.
func (s *search) partName(scene int, m member, follow func(func(*node) bool)) {
	if s.scenes[scene].service == "" {
		return
	}
	words, every := s.nameWords(scene, m.s)
	switch {
	case every:
	case m.s.notAction:
		for _, w := range words {
			follow(func(child *node) bool { return s.reachName(child, scene, w) })
		}
	case len(words) > 0:
		follow(func(child *node) bool { return s.avoidName(child, scene, words) })
	}
}

func (s *search) reachName(n *node, scene int, w *word) bool {
	name := &n.names[scene]
	name.pos = append(slices.Clip(name.pos), w)
	n.lits = append(n.lits, s.id(scene, w, true))
	return s.settleName(n, scene)
}

func (s *search) avoidName(n *node, scene int, words []*word) bool {
	name := &n.names[scene]
	name.neg = append(slices.Clip(name.neg), words...)
	n.lits = slices.Grow(slices.Clip(n.lits), len(words))
	for _, w := range words {
		n.lits = append(n.lits, s.id(scene, w, false))
	}
	return s.settleName(n, scene)
}

// settleName finds a name that the table does not know.
func (s *search) settleName(n *node, scene int) bool {
	service, name := s.scenes[scene].service, &n.names[scene]
	known := []*word{emptyWord}
	for s.work >= 0 {
		letters, st := s.keys.text.solve(name.pos, slices.Concat(name.neg, known))
		if st == unsure {
			s.unclear("the patterns of actions are beyond the limit of states")
		}
		if st != sat {
			return false
		}
		text := write(letters, nil)
		if !strings.Contains(text, freshText) {
			if s.data.action(service, text) == nil {
				name.text = text
				return true
			}
			known = append(known, newWord(letters, false))
			continue
		}
		for _, filler := range nameFillers {
			text := strings.ReplaceAll(text, freshText, filler)
			if s.data.action(service, text) == nil && s.keys.text.fits(symbols(nil, text), name.pos, name.neg) {
				name.text = text
				return true
			}
		}
		s.unclear("a name of an action that was looked for cannot be spelt")
		return false
	}
	return false
}

// nameFillers stand for letters that no pattern names; the first reads best, and
// the others are for patterns that count letters.
var nameFillers = append([]string{"somethingnew"}, strings.Split("zqxjkvwyuopfhbdcgilmnrstae0123456789", "")...)
