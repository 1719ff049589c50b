package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/internal/assess"
	"assay/internal/check"
)

// How the parts of a message are put in words. All formats share this, so that
// a fact reads the same wherever it is shown.

// oneLine makes a text safe to show: white space becomes a space, and what does
// not print (control characters, escape sequences, marks that reverse the
// direction of a line) becomes U+FFFD.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return utf8.RuneError
	}, s)
}

// cut shortens a text to at most n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:max(n-2, 0)]), " ") + " …"
}

// valueText writes a value of the estate's JSON on one line for a person, in at
// most n characters: texts as they are, references and holes as ${…},
// credentials as [withheld].
func valueText(raw json.RawMessage, n int) string {
	var x any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&x); err != nil {
		return cut(oneLine(string(raw)), n)
	}
	if x == "" {
		return `""`
	}
	var b strings.Builder
	writeValue(&b, x)
	return cut(oneLine(b.String()), n)
}

func writeValue(b *strings.Builder, x any) {
	switch x := x.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(x))
	case json.Number:
		b.WriteString(x.String())
	case string:
		b.WriteString(x)
	case []any:
		b.WriteByte('[')
		writeValues(b, x, ", ")
		b.WriteByte(']')
	case map[string]any:
		if len(x) == 1 {
			for mark, of := range x {
				if writeMarked(b, mark, of) {
					return
				}
			}
		}
		writeFields(b, x)
	}
}

func writeFields(b *strings.Builder, fields map[string]any) {
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name + ": ")
		writeValue(b, fields[name])
	}
	b.WriteByte('}')
}

func writeValues(b *strings.Builder, values []any, between string) {
	for i, v := range values {
		if i > 0 {
			b.WriteString(between)
		}
		writeValue(b, v)
	}
}

// writeMarked writes the objects that stand for knowledge other than a plain
// value, and reports whether mark is one of theirs.
func writeMarked(b *strings.Builder, mark string, of any) bool {
	field := func(name string) string {
		m, _ := of.(map[string]any)
		s, _ := m[name].(string)
		return s
	}
	switch mark {
	case "$absent":
		b.WriteString("absent")
	case "$default", "$number":
		writeValue(b, of)
	case "$literal":
		fields, _ := of.(map[string]any)
		writeFields(b, fields)
	case "$ref":
		b.WriteString("${" + field("resource"))
		if attribute := field("attribute"); attribute != "Ref" {
			b.WriteString("." + attribute)
		}
		b.WriteByte('}')
	case "$secret":
		b.WriteString("[withheld]")
	case "$unknown":
		b.WriteString("${" + field("input") + "}")
	case "$denied":
		b.WriteString("(denied: " + field("input") + ")")
	case "$text":
		parts, _ := of.([]any)
		writeValues(b, parts, "")
	case "$oneOf":
		m, _ := of.(map[string]any)
		cases, _ := m["cases"].([]any)
		b.WriteString("one of (")
		for i, c := range cases {
			if i > 0 {
				b.WriteString(" | ")
			}
			one, _ := c.(map[string]any)
			writeValue(b, one["value"])
		}
		b.WriteString(") by " + field("input"))
	default:
		return false
	}
	return true
}

// readText says what was read: "KmsMasterKeyId is absent", "AuthType = NONE",
// "logGroups() finds nothing". The value takes at most n characters.
func readText(r *assess.WitnessRead, n int) string {
	name := oneLine(r.Property)
	if r.Resource != "" {
		name = oneLine(r.Resource) + "." + name
	}
	relation := strings.HasSuffix(r.Property, "()")
	switch {
	case len(r.Value) == 0:
		return name + " is absent"
	case relation && string(r.Value) == "[]":
		return name + " finds nothing"
	case relation:
		return name + " finds " + strings.TrimSuffix(strings.TrimPrefix(valueText(r.Value, n), "["), "]")
	case r.Default:
		return name + " = " + valueText(r.Value, n) + " by default"
	}
	return name + " = " + valueText(r.Value, n)
}

// underText says under which choice a failure was shown. Only a failure that
// every choice agrees on is one.
func underText(c assess.Choice) string {
	return oneLine("shown taking " + c.Input + " to be " + c.Is + "; no value of it passes")
}

// supply says what a person gives to settle an open input.
func supply(input string) string {
	if name, ok := strings.CutPrefix(input, "parameter "); ok {
		return "--parameter " + oneLine(name) + "=…"
	}
	if name, ok := strings.CutPrefix(input, "variable "); ok && !strings.HasPrefix(name, "module.") {
		return "--var " + oneLine(name) + "=…"
	}
	return oneLine(input)
}

// fixText is how to fix what a check found, in one line.
func fixText(f check.Fix) string {
	switch value := fixValue(f.Value); {
	case f.Text != "":
		return strings.Join(strings.Fields(oneLine(f.Text)), " ")
	case f.Set == "":
		return ""
	case f.Value == nil || strings.Contains(value, "\n"):
		return "set " + oneLine(f.Set)
	default:
		return "set " + oneLine(f.Set) + " to " + oneLine(value)
	}
}

// fixesOf is how to fix every check of a run that says so, by check.
func fixesOf(h *assess.Header) map[string]string {
	fixes := map[string]string{}
	for _, c := range h.Checks {
		if fix := fixText(c.Fix); fix != "" {
			fixes[c.ID] = fix
		}
	}
	return fixes
}

// fixValue is the value of a fix as a text: as it is, or as JSON.
func fixValue(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

// basisText says what standings rest on.
func basisText(b assess.Basis) string {
	switch b {
	case assess.Design:
		return "from templates"
	case assess.Deployed:
		return "from the live account"
	case assess.Operated:
		return "over a period of operation"
	}
	return oneLine(string(b))
}

// share is n of total in percent. It says 0% and 100% only when they are exact.
func share(n, total int) string {
	if total == 0 {
		return "0%"
	}
	switch percent := (200*n + total) / (2 * total); {
	case percent == 0 && n > 0:
		return "under 1%"
	case percent == 100 && n < total:
		return "over 99%"
	default:
		return strconv.Itoa(percent) + "%"
	}
}

// count says how many of a thing there are.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// listed names at most n things and counts the rest.
func listed(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}

// estateGap is why types were not read, and how far they were.
type estateGap struct{ state, reason string }

// problemsOf lists what kept part of a scope from being read: what was not
// understood, and types that were read in part.
func problemsOf(m *assess.Coverage) []assess.Problem {
	all := slices.Clone(m.Problems)
	if slices.ContainsFunc(all, func(p assess.Problem) bool { return p.Fatal }) {
		return all // which says it all
	}
	var order []estateGap
	types := map[estateGap][]string{}
	for _, p := range m.Partial {
		if !p.Gap() {
			continue
		}
		gap := estateGap{string(p.State), p.Reason}
		if len(types[gap]) == 0 {
			order = append(order, gap)
		}
		types[gap] = append(types[gap], p.Type)
	}
	for _, gap := range order {
		all = append(all, assess.Problem{
			Source:  assess.Source{File: m.Scope},
			Message: fmt.Sprintf("coverage of %s is %s: %s", strings.Join(types[gap], ", "), gap.state, gap.reason),
		})
	}
	return all
}

// severities are all of them, worst first.
var severities = []check.Severity{check.Critical, check.High, check.Medium, check.Low, check.Info}

// bySeverity says how many failures there are of each severity, worst first:
// "1 critical, 2 high".
func bySeverity(failures map[string]int) string {
	var parts []string
	for _, s := range severities {
		if n := failures[s.String()]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// gaps counts what unknown outcomes lacked, so that a person sees the shortest
// way to certainty.
type gaps struct{ byReason map[string]*gap }

// gap is one reason for which outcomes are unknown. An outcome that lacks two
// inputs for one reason counts once for the reason and once for each input.
type gap struct {
	reason string
	count  int
	inputs map[string]int
}

func (g *gaps) add(f *assess.Finding) {
	switch {
	case f.Error != "":
		g.count("the check failed to evaluate", f.Check, true)
	case len(f.Missing) == 0:
		g.count("no reason recorded", "", true)
	}
	for i, m := range f.Missing {
		again := slices.ContainsFunc(f.Missing[:i], func(o assess.Missing) bool { return o.Reason == m.Reason })
		g.count(m.Reason, m.Input, !again)
	}
}

func (g *gaps) count(reason, input string, first bool) {
	if g.byReason == nil {
		g.byReason = map[string]*gap{}
	}
	one := g.byReason[reason]
	if one == nil {
		one = &gap{reason: reason, inputs: map[string]int{}}
		g.byReason[reason] = one
	}
	if first {
		one.count++
	}
	one.inputs[input]++
}

// ordered lists the reasons, commonest first.
func (g *gaps) ordered() []*gap {
	return slices.SortedFunc(maps.Values(g.byReason), func(a, b *gap) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.reason, b.reason))
	})
}

// wanted lists what to supply, what settles most first, each with the number
// of outcomes that lack it when they differ.
func (g *gap) wanted() []string {
	var list []string
	for _, input := range slices.SortedFunc(maps.Keys(g.inputs), func(a, b string) int {
		return cmp.Or(cmp.Compare(g.inputs[b], g.inputs[a]), cmp.Compare(a, b))
	}) {
		switch n := g.inputs[input]; {
		case input == "":
		case len(g.inputs) == 1 && n == g.count:
			list = append(list, supply(input))
		default:
			list = append(list, fmt.Sprintf("%s (%d)", supply(input), n))
		}
	}
	return list
}

// missingText says what an unknown outcome lacks: "parameter without value
// (parameter Stage)".
func missingText(f *assess.Finding) string {
	var parts []string
	for _, m := range f.Missing {
		part := oneLine(m.Reason)
		if m.Input != "" {
			part += " (" + oneLine(m.Input) + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "no reason recorded"
	}
	return strings.Join(parts, ", ")
}

// longValue is how many characters of a value machines are given.
const longValue = 300

// askedText says what a parameter was in a run, and who asked for that.
func askedText(p *assess.Parameter) string {
	value := "not stated"
	if p.Value != nil {
		value = valueText(p.Value, maxValue)
	}
	return oneLine(p.Name + " is " + value + ", by " + strings.Join(p.By, " and "))
}

// raisedText says why a severity is above that of the check.
func raisedText(r *assess.Raised) string {
	return oneLine("raised from " + r.From.String() + ": " + strings.Join(r.Because, "; "))
}

// exposureText says who can call a function.
func exposureText(f *assess.Function) string {
	said := map[check.Exposure]string{
		check.Internet:        "anyone on the internet can call it",
		check.AnyAccount:      "anyone with an AWS account can call it",
		check.Outside:         "callers from outside the account can call it",
		check.Internal:        "only its account can call it",
		check.ExposureUnknown: "who can call it is not decided",
	}[f.Exposure]
	if len(f.Through) > 0 {
		said += ", through " + listed(f.Through, maxNames)
	}
	if f.DataClass != "" {
		said += "; its data are " + f.DataClass
	}
	return oneLine(said)
}

// riskText is the risk of a function, with what unknown outcomes could add.
func riskText(f *assess.Function) string {
	if f.AtMost > f.Risk {
		return fmt.Sprintf("risk %d, at most %d", f.Risk, f.AtMost)
	}
	return fmt.Sprintf("risk %d", f.Risk)
}

// causeText says what several failures have in common.
func causeText(c *assess.Cause) string {
	what := map[string]string{
		assess.CauseModule: "the module ", assess.CauseGlobals: "the section ", assess.CauseLoop: "one block, ", assess.CauseResource: "",
	}[c.Kind]
	return oneLine(fmt.Sprintf("one cause of %s: %s%s, %s", count(c.Findings, "failure"), what, c.Name, c.Source))
}

// ownerText says whose something is.
func ownerText(o *assess.Owned) string {
	return oneLine("owned by " + strings.Join(o.Names, ", ") + " (" + o.By + ")")
}

// waivedText says that a failure is accepted, by whom, why and until when.
func waivedText(w *assess.Waived) string {
	said := "waived until " + w.Expires + " by " + w.Owner + ", approved by " + w.Approver + ": " + w.Reason
	if w.Ticket != "" {
		said += " (" + w.Ticket + ")"
	}
	if by := answeredBy(w.WaiverTerms); by != "" {
		said += "; " + by
	}
	return oneLine(said + "; " + w.By.String())
}

// answeredBy says what is named in place of what fails.
func answeredBy(w assess.WaiverTerms) string {
	switch {
	case w.Measure != "":
		return "compensated by: " + w.Measure
	case w.Customised != "":
		return "met by the customised approach: " + w.Customised
	}
	return ""
}

// termsText says on what a waiver was given.
func termsText(w *assess.Waiver) string {
	if w.WaiverTerms == nil {
		return ""
	}
	var said []string
	if w.Owner != "" {
		said = append(said, "owned by "+w.Owner+", approved by "+w.Approver)
	}
	if w.Reason != "" {
		said = append(said, w.Reason)
	}
	if w.Ticket != "" {
		said = append(said, w.Ticket)
	}
	if by := answeredBy(*w.WaiverTerms); by != "" {
		said = append(said, by)
	}
	if w.AnyFacts {
		said = append(said, "whatever the facts become")
	}
	return oneLine(strings.Join(said, "; "))
}

// waiverStates are the states of waivers, those first that need somebody.
var waiverStates = []string{
	assess.WaiverExpired, assess.WaiverLapsed, assess.WaiverUnapproved, assess.WaiverRefused, assess.WaiverUnused, assess.WaiverInForce,
}

// byState says how many waivers there are in each state.
func byState(states map[string]int) string {
	var parts []string
	for _, s := range waiverStates {
		if n := states[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// baselineText says how a run stands to an earlier one.
func baselineText(b *assess.BaselineSum) string {
	said := fmt.Sprintf("%d new, %d unchanged, %d fixed", b.New, b.Unchanged, b.Fixed)
	if b.Undecided > 0 {
		said += fmt.Sprintf(", %d no longer decided", b.Undecided)
	}
	return oneLine(said + "; against a run as of " + b.AsOf)
}
