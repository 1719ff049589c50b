package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"assay/internal/regime"
)

// lines reads what a person types, until an interruption.
type lines struct {
	in          *bufio.Reader
	interrupted context.Context
}

func newLines(ctx context.Context, in io.Reader) lines { return lines{bufio.NewReader(in), ctx} }

// next is the next line; io.EOF where the input ends.
func (l lines) next() (string, error) {
	type read struct {
		line string
		err  error
	}
	typed := make(chan read, 1)
	go func() { // a terminal's read is not woken by an interruption
		s, err := l.in.ReadString('\n')
		typed <- read{s, err}
	}()
	select {
	case <-l.interrupted.Done():
		return "", l.interrupted.Err()
	case r := <-typed:
		if errors.Is(r.err, io.EOF) && r.line != "" {
			r.err = nil
		}
		return strings.TrimSpace(r.line), r.err
	}
}

// wizard asks a person what the estate does not say. The end of the input leaves
// the rest unanswered.
type wizard struct {
	in       lines
	out      io.Writer
	rules    *regime.Rules
	declared *regime.Declaration
	survey   func(*regime.Declaration) *regime.Survey
	changed  bool // an answer, since it began
}

// none is typed for an answer that is none of the choices; forget takes an answer
// back.
const (
	none   = "none"
	forget = "?"
)

func (w *wizard) say(format string, args ...any) { fmt.Fprintf(w.out, format+"\n", args...) }

// run asks. done is false where the input ended before.
func (w *wizard) run(askWho bool) (done bool, err error) {
	survey := w.survey(w.declared)
	w.say("%d functions were read. An empty line keeps what stands in [ ], or leaves a question open;\nseveral answers are parted by commas, none is none of them, ? takes an answer back.", survey.Functions)
	steps := []func() error{w.names, w.questions}
	if askWho {
		steps = append(steps, w.who)
	}
	for _, step := range steps {
		err := step()
		if errors.Is(err, io.EOF) {
			w.say("")
			if w.changed { // by somebody who did not say who it is
				w.declared.Unconfirm()
			}
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// names asks of each class that names suggest.
func (w *wizard) names() error {
	result := w.rules.Judge(w.declared, w.survey(w.declared), "")
	confirmed := map[string][]string{}
	var order []string
	for _, sug := range result.Suggested {
		for _, n := range sug.At {
			w.say("\n%s: by its name it may hold or handle %s (%s). Does it? yes, no [open]", n.Address, sug.Class, sug.Text)
			yes, said, err := w.yesNo()
			if err != nil {
				return err
			}
			if said {
				if confirmed[n.Address] == nil {
					confirmed[n.Address] = []string{}
					order = append(order, n.Address)
				}
				if yes {
					confirmed[n.Address] = append(confirmed[n.Address], sug.Class)
				}
			}
		}
	}
	for _, name := range order {
		if len(confirmed[name]) > 0 { // a no alone says nothing of other classes
			w.declared.Classify(name, confirmed[name], regime.Confirmed{})
			w.include(confirmed[name])
		}
	}
	return nil
}

// include puts classes among those that a person has listed as all there are.
func (w *wizard) include(classes []string) {
	if a, ok := w.declared.Answers["data"]; ok {
		for _, c := range classes {
			if !slices.Contains(a.Choices, c) {
				a.Choices = append(a.Choices, c)
			}
		}
		w.declared.Answers["data"] = a
	}
}

func (w *wizard) yesNo() (yes, said bool, err error) {
	for {
		line, err := w.in.next()
		if err != nil {
			return false, false, err
		}
		switch strings.ToLower(line) {
		case "":
			return false, false, nil
		case "y", "yes":
			return true, true, nil
		case "n", "no":
			return false, true, nil
		}
		w.say("  yes, no, or an empty line to leave it open")
	}
}

// questions asks those that bear on what is known so far, each once.
func (w *wizard) questions() error {
	seen := map[string]bool{}
	for {
		survey := w.survey(w.declared)
		var next *regime.Question
		for _, q := range w.rules.Asked(w.declared, survey) {
			if !seen[q.ID] {
				next = q
				break
			}
		}
		if next == nil {
			return nil
		}
		seen[next.ID] = true
		if err := w.question(next, survey); err != nil {
			return err
		}
	}
}

func (w *wizard) question(q *regime.Question, survey *regime.Survey) error {
	w.say("\n%s", q.Ask)
	if q.Help != "" {
		w.say("  %s", q.Help)
	}
	choices := q.Choices
	if q.Kind == regime.ClassesQuestion {
		choices = w.classes(survey)
	}
	for _, c := range choices {
		if q.Kind != regime.YesNoQuestion {
			w.say("  %-22s %s", c.ID, c.Text)
		}
	}
	for {
		fmt.Fprintf(w.out, "%s [%s]: ", q.ID, w.standing(q))
		line, err := w.in.next()
		if err != nil {
			return err
		}
		switch line {
		case "":
			return nil
		case forget:
			delete(w.declared.Answers, q.ID)
			w.changed = true
			return nil
		}
		a, wrong := readAnswer(q, choices, line)
		if wrong == "" {
			w.declared.Answers[q.ID], w.changed = a, true
			for _, e := range w.declared.Data {
				w.include(e.Classes)
			}
			return nil
		}
		w.say("  %s", wrong)
	}
}

// classes are the choices of the question about data, with what the estate says of
// them already.
func (w *wizard) classes(survey *regime.Survey) []regime.Choice {
	var all []regime.Choice
	for _, c := range w.rules.Classes {
		text := c.Text
		if n := len(survey.Handles[c.ID]); n > 0 {
			text += fmt.Sprintf(" (the estate shows it already, at %s)", counted(n, "function"))
		}
		all = append(all, regime.Choice{ID: c.ID, Text: text})
	}
	return all
}

// standing is the answer that there is.
func (w *wizard) standing(q *regime.Question) string {
	a, ok := w.declared.Answers[q.ID]
	switch {
	case !ok:
		return "open"
	case q.Kind == regime.NumberQuestion:
		return strconv.FormatInt(a.Number, 10)
	case len(a.Choices) == 0:
		return none
	}
	return strings.Join(a.Choices, ", ")
}

// readAnswer reads one answer; wrong says what is the matter with it.
func readAnswer(q *regime.Question, choices []regime.Choice, line string) (a regime.Answer, wrong string) {
	if q.Kind == regime.NumberQuestion {
		n, err := strconv.ParseInt(strings.NewReplacer("_", "", ",", "", " ", "").Replace(line), 10, 64)
		if err != nil || n < 0 {
			return a, "expected a whole number, such as 400000"
		}
		return regime.Answer{Number: n}, ""
	}
	a.Choices = []string{}
	if line == none && q.Kind != regime.YesNoQuestion {
		return a, ""
	}
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' }) {
		i := slices.IndexFunc(choices, func(c regime.Choice) bool {
			return strings.EqualFold(c.ID, word) || q.Kind == regime.YesNoQuestion && strings.EqualFold(c.ID[:1], word)
		})
		if i < 0 {
			return a, "there is no " + word + regime.Suggest(word, choices)
		}
		if !slices.Contains(a.Choices, choices[i].ID) {
			a.Choices = append(a.Choices, choices[i].ID)
		}
	}
	if q.One && len(a.Choices) > 1 {
		return a, "expected one of them"
	}
	return a, ""
}

// who asks for the person who answered.
func (w *wizard) who() error {
	standing := w.declared.By
	if standing == "" {
		standing = "nobody"
	}
	fmt.Fprintf(w.out, "\nWho confirms this? [%s]: ", standing)
	line, err := w.in.next()
	if err != nil {
		return err
	}
	if line != "" {
		c := w.declared.Confirmed
		c.By = line
		w.declared.Confirm(c)
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
