package cli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"assay/internal/regime"
)

// How much of each kind the text lists before it only counts the rest;
// --format json has all of it.
const (
	maxScopeFunctions = 8
	maxScopeOpen      = 8
)

// scopeWriter tells a person which regimes apply.
type scopeWriter struct{ out *bufio.Writer }

// heading is a line of its own, apart from what stands above it.
func (w *scopeWriter) heading(format string, args ...any) {
	w.out.WriteByte('\n')
	w.line(0, format, args...)
}

func (w *scopeWriter) line(indent int, format string, args ...any) {
	w.out.WriteString(strings.Repeat(" ", indent) + printable(fmt.Sprintf(format, args...)) + "\n")
}

// printable is a text without what would move a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}

func writeScope(out io.Writer, r *regime.Result, file string) error {
	w := &scopeWriter{bufio.NewWriter(out)}
	w.line(0, "Regimes of %s, as of %s; %s", counted(r.Functions, "function"), r.AsOf, r.Confirmed)
	if r.DueSince != "" {
		w.line(0, "The answers, or an entry of data or exclude, were to be reviewed by %s.", r.DueSince)
	}
	for _, v := range []regime.Verdict{regime.Applies, regime.Likely, regime.Undetermined} {
		w.verdict(r, v)
	}
	w.brief(r)
	w.adjacent(r)
	w.suggested(r)
	w.questions(r)
	w.closing(r, file)
	return w.out.Flush()
}

func title(v regime.Verdict) string { return strings.ToUpper(string(v[:1])) + string(v[1:]) }

func (w *scopeWriter) verdict(r *regime.Result, v regime.Verdict) {
	first := true
	for _, one := range r.Regimes {
		if one.Verdict != v || !one.Assessed {
			continue
		}
		if first {
			w.heading("%s", title(v))
			first = false
		}
		frameworks := ""
		if len(one.Frameworks) > 0 && v.Reported() {
			frameworks = ": " + strings.Join(one.Frameworks, ", ")
		}
		w.line(2, "%s  %s (%s)%s", one.ID, one.Title, one.Obligation, frameworks)
		w.line(4, "%s (rule %s; %s)", one.Because, one.Rule, one.Source)
		for _, f := range one.Facts {
			w.line(4, "- %s", f)
		}
		if v.Reported() {
			for _, l := range one.Levels {
				w.line(4, "%s", l)
			}
		}
		w.reach("handle it", one.Handles)
		w.reach("connected", one.Connected)
		w.open(one)
	}
}

// reach lists functions; those that are connected with the last step of the way.
func (w *scopeWriter) reach(what string, all []regime.Reach) {
	if len(all) == 0 {
		return
	}
	var list []regime.Named
	for _, f := range all {
		list = append(list, f.Named)
	}
	w.line(4, "in scope, %s: %s", what, addresses(list))
	if what == "connected" {
		for _, f := range all[:min(len(all), maxScopeFunctions)] {
			w.line(6, "%s: %s", f.Address, strings.Join(f.Steps, "; "))
		}
	}
}

// open lists what keeps a regime from being settled. Questions that nobody answered
// are a line together.
func (w *scopeWriter) open(one *regime.Applicability) {
	shown := 0
	for _, text := range one.Open {
		if strings.HasPrefix(text, regime.NotAnswered) {
			continue
		}
		if shown++; shown <= maxScopeOpen {
			w.line(4, "open: %s", text)
		}
	}
	if n := shown - maxScopeOpen; n > 0 {
		w.line(4, "open: and %d more", n)
	}
	if len(one.SettledBy) > 0 {
		w.line(4, "not answered: %s", strings.Join(one.SettledBy, ", "))
	}
}

// brief lists what does not apply.
func (w *scopeWriter) brief(r *regime.Result) {
	var not []string
	for _, one := range r.Regimes {
		if one.Verdict == regime.NotIndicated && one.Assessed {
			not = append(not, one.ID)
		}
	}
	if len(not) > 0 {
		w.heading("Not indicated: by what was answered, and nothing is open that would say otherwise")
		w.line(2, "%s", strings.Join(not, ", "))
	}
	first := true
	for _, one := range r.Regimes {
		if one.Verdict != regime.Excluded {
			continue
		}
		if first {
			w.heading("Excluded by declaration")
			first = false
		}
		w.line(2, "%s  %s; %s", one.ID, one.Excluded.Reason, one.Excluded.Confirmed)
		if one.Without != regime.NotIndicated {
			w.line(4, "without that: %s, %s", one.Without, one.Because)
			for _, f := range one.Facts {
				w.line(4, "- %s", f)
			}
		}
	}
}

// adjacent lists what assay does not assess.
func (w *scopeWriter) adjacent(r *regime.Result) {
	first := true
	open := []string{}
	for _, one := range r.Regimes {
		switch {
		case one.Assessed:
		case one.Verdict.Reported():
			if first {
				w.heading("Adjacent: flagged, and not assessed by assay")
				first = false
			}
			w.line(2, "%s  %s (%s): %s, %s (%s)", one.ID, one.Title, one.Obligation, one.Verdict, one.Because, one.Source)
		case one.Verdict == regime.Undetermined:
			open = append(open, one.ID)
		}
	}
	if len(open) > 0 {
		w.heading("Adjacent, undetermined: %s", strings.Join(open, ", "))
	}
}

// addresses lists names, one that several scopes have once.
func addresses(all []regime.Named) string {
	var names []string
	for _, n := range all {
		if !slices.Contains(names, n.Address) {
			names = append(names, n.Address)
		}
	}
	if n := len(names) - maxScopeFunctions; n > 0 {
		return strings.Join(names[:maxScopeFunctions], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ")
}

func (w *scopeWriter) suggested(r *regime.Result) {
	if len(r.Suggested) == 0 {
		return
	}
	w.heading("Names that suggest data; confirm or deny them under data in assay.yaml, or by a tag")
	for _, s := range r.Suggested {
		w.line(2, "%s  %s", s.Class, addresses(s.At))
	}
}

func (w *scopeWriter) questions(r *regime.Result) {
	if len(r.Unanswered) == 0 {
		return
	}
	w.heading("Questions whose answers would settle more")
	for _, q := range r.Unanswered {
		var settles []string
		for _, one := range r.Regimes {
			for _, id := range one.SettledBy {
				if id == q.ID {
					settles = append(settles, one.ID)
				}
			}
		}
		more := ""
		if n := len(settles) - 6; n > 0 {
			settles, more = settles[:6], fmt.Sprintf(" and %d more", n)
		}
		w.line(2, "%s  %s (%s%s)", q.ID, q.Ask, strings.Join(settles, ", "), more)
	}
}

func (w *scopeWriter) closing(r *regime.Result, file string) {
	var reported []string
	for _, one := range r.Regimes {
		if one.Verdict.Reported() {
			reported = append(reported, one.Frameworks...)
		}
	}
	if len(reported) == 0 {
		reported = []string{"no framework"}
	}
	switch file {
	case "", "-":
		w.heading("Nothing was written to assay.yaml; what applies or is likely: %s", strings.Join(reported, ", "))
	default:
		w.heading("Written to %s; assay check reports on %s", file, strings.Join(reported, ", "))
	}
}
