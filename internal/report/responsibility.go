package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
)

// MatrixFormats lists the formats of a responsibility matrix.
func MatrixFormats() []string { return []string{"text", "markdown", "csv", "json"} }

// WriteMatrix writes a responsibility matrix in one of [MatrixFormats].
func WriteMatrix(w io.Writer, m *assess.Matrix, format string) error {
	switch format {
	case "text":
		_, err := io.WriteString(w, matrixText(m))
		return err
	case "markdown":
		_, err := io.WriteString(w, matrixMarkdown(m))
		return err
	case "csv":
		return matrixCSV(w, m)
	case "json":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(m)
	}
	return fmt.Errorf("no format %q; there are %s", format, strings.Join(MatrixFormats(), ", "))
}

// matrixWidth is how wide the text form is, in characters.
const matrixWidth = 100

// after writes a text in lines of at most matrixWidth characters: the first
// after first, the others after as many blanks.
func after(first, text string) string {
	n := utf8.RuneCountInString(first)
	lines := wrap(oneLine(text), matrixWidth-n)
	return strings.TrimRight(first+strings.Join(lines, "\n"+strings.Repeat(" ", n)), " ") + "\n"
}

// matrixOf says what a matrix is of.
func matrixOf(m *assess.Matrix) string {
	if m.Estate == nil {
		return "Responsibility by the catalogue alone, for zip functions on managed runtimes: no estate was read"
	}
	e := m.Estate
	s := fmt.Sprintf("Responsibility %s: %s in %s, %s, as of %s", assess.StandingScope, count(e.Functions, "function"), count(e.Scopes, "scope"), basisText(e.Basis), e.AsOf)
	if e.Incomplete {
		s += "; not everything could be read, see assay check"
	}
	if m.Regimes != nil {
		s += "; " + regimesOf(m.Regimes)
	}
	return s
}

// matrixSumText says how many requirements are whose.
func matrixSumText(s assess.MatrixSum) string {
	text := fmt.Sprintf("%s: %d aws, %d shared, %d customer", count(s.Requirements, "requirement"), s.AWS, s.Shared, s.Customer)
	if s.ByFunction > 0 {
		text += fmt.Sprintf(", %d by function", s.ByFunction)
	}
	text += fmt.Sprintf(", %d out of scope", s.OutOfScope)
	if s.Uncontrolled > 0 {
		text += fmt.Sprintf("; no control of yours is named for %d of them", s.Uncontrolled)
	}
	return text
}

// whoseText says whose a requirement is, function by function where that
// differs, naming at most n functions of a kind; 0 names all.
func whoseText(r *assess.MatrixRow, n int) string {
	if len(r.ByFunction) == 0 {
		return string(r.Responsibility)
	}
	var parts []string
	for _, p := range r.ByFunction {
		whose := p.Responsibility
		if len(p.Because) > 0 && whose == string(r.Responsibility) {
			whose += ", with more to do,"
		}
		s := fmt.Sprintf("%s for %s", whose, count(p.Functions, "function"))
		if len(p.Because) > 0 {
			most := n
			if most == 0 {
				most = len(p.Names)
			}
			s += fmt.Sprintf(" (%s: %s)", strings.Join(p.Because, ", "), listed(p.Names, most))
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

func standingText(r *assess.MatrixRow) string {
	if r.Word != "" {
		return fmt.Sprintf("%s (%s)", r.Standing, r.Word)
	}
	return string(r.Standing)
}

// controlTexts says which of the organisation's own controls answer a requirement,
// and what their tests came to.
func controlTexts(r *assess.MatrixRow) []string {
	var said []string
	for _, c := range r.Controls {
		s := c.ID + ": " + c.Title
		if c.Owner != "" {
			s += " (" + c.Owner + ")"
		}
		if len(c.Objectives) > 0 {
			s += "; tested by the checks of " + strings.Join(c.Objectives, ", ")
		}
		if c.State != "" {
			state := string(c.State)
			if c.Word != "" {
				state = c.Word
			}
			s += "; " + state + ": " + c.Because
		}
		said = append(said, s)
	}
	return said
}

// bindingText says how HIPAA binds to a requirement.
func bindingText(r *assess.MatrixRow) string {
	if r.Specification == catalog.Addressable {
		return "addressable: done, or replaced by an alternative that is documented with the reason"
	}
	return r.Specification
}

// outcomesText says what a check came to, where it applied.
func outcomesText(n *assess.Counts) string {
	var said []string
	for _, one := range []struct {
		n    int
		what string
	}{{n.Fail, "fail"}, {n.Unknown, "unknown"}, {n.Pass, "pass"}} {
		if one.n > 0 {
			said = append(said, fmt.Sprintf("%d %s", one.n, one.what))
		}
	}
	return strings.Join(said, ", ")
}

// judged reports whether a check was about something in the estate.
func judged(n *assess.Counts) bool { return n != nil && n.Fail+n.Unknown+n.Pass > 0 }

// checksText says which checks look at an objective, and what they said. Those
// that met nothing that they apply to are counted.
func checksText(o *assess.MatrixObjective, estate bool) string {
	if len(o.Checks) == 0 {
		return "no check looks at it"
	}
	var parts []string
	for _, how := range []struct {
		how  check.How
		what string
	}{{check.Decides, "decided by "}, {check.Supports, "supported by "}} {
		var names []string
		for _, c := range o.Checks {
			switch {
			case c.How != how.how:
			case !estate:
				names = append(names, c.ID)
			case judged(c.Outcomes):
				names = append(names, fmt.Sprintf("%s (%s)", c.ID, outcomesText(c.Outcomes)))
			}
		}
		if len(names) > 0 {
			parts = append(parts, how.what+strings.Join(names, ", "))
		}
	}
	idle := 0
	for _, c := range o.Checks {
		if estate && !judged(c.Outcomes) {
			idle++
		}
	}
	if idle > 0 {
		parts = append(parts, count(idle, "check")+" with nothing to judge here")
	}
	return strings.Join(parts, "; ")
}

func procedureText(p *assess.MatrixProcedure) string {
	s := p.ID + ": " + p.Title
	if len(p.For) > 0 {
		s += fmt.Sprintf(" (asked for by %s)", strings.Join(p.For, ", "))
	}
	return s
}

// undecidedText says what would settle how a function runs.
func undecidedText(f *assess.MatrixFunction) string {
	var why []string
	for _, m := range f.Missing {
		s := m.Reason
		if m.Input != "" {
			s += ": " + m.Input
		}
		if m.Property != "" {
			s = m.Property + ": " + s
		}
		why = append(why, s)
	}
	if len(why) == 0 {
		return f.Function
	}
	return fmt.Sprintf("%s (%s)", f.Function, strings.Join(why, "; "))
}

// named is what the rows of a matrix name, each once, in their order.
type named struct {
	procedures []catalog.Procedure
	reports    []catalog.Report
}

func namedIn(m *assess.Matrix) named {
	var n named
	seen := map[string]bool{}
	for _, f := range m.Frameworks {
		for _, r := range f.Rows {
			if r.Customer != nil {
				for _, p := range r.Customer.Procedures {
					if !seen["procedure "+p.ID] {
						n.procedures, seen["procedure "+p.ID] = append(n.procedures, p.Procedure), true
					}
				}
			}
			if r.AWS != nil {
				for _, p := range r.AWS.Reports {
					if !seen["report "+p.ID] {
						n.reports, seen["report "+p.ID] = append(n.reports, p), true
					}
				}
			}
		}
	}
	return n
}

// fewFrameworks is of how many the text form has every requirement.
const fewFrameworks = 3

func matrixText(m *assess.Matrix) string {
	var b strings.Builder
	b.WriteString(after("", matrixOf(m)))
	if len(m.Shifts) > 0 {
		b.WriteString("\nWays of running a function that give the customer duties of AWS:\n")
	}
	for _, s := range m.Shifts {
		b.WriteString("\n" + after("  ", s.ID+": the function is "+s.Title))
		if len(s.Functions) > 0 {
			b.WriteString(after("    here       ", strings.Join(s.Functions, ", ")))
		}
		for i := range s.Undecided {
			b.WriteString(after("    undecided  ", undecidedText(&s.Undecided[i])))
		}
		b.WriteString(after("    AWS        ", s.AWS))
		b.WriteString(after("    customer   ", s.Customer))
		b.WriteString(after("    source     ", s.Source))
	}
	if m.Estate != nil && m.Estate.Functions > 0 && len(m.Shifts) == 0 {
		b.WriteString("\nNo function that was read runs in a way that gives the customer duties of AWS.\n")
	}
	b.WriteString("\n")
	if len(m.Frameworks) > fewFrameworks {
		for _, f := range m.Frameworks {
			b.WriteString(after("  ", f.ID+": "+matrixSumText(f.Sum)))
		}
		b.WriteString("\nFor every requirement: --framework ID, or --format markdown, csv or json.\n")
		return b.String()
	}
	for _, f := range m.Frameworks {
		b.WriteString(after("", fmt.Sprintf("%s %s (%s): %s", f.Title, f.Version, f.ID, matrixSumText(f.Sum))))
		if f.Note != "" {
			b.WriteString(after("  ", f.Note))
		}
		for i := range f.Rows {
			rowText(&b, &f.Rows[i], m.Estate != nil)
		}
		b.WriteString("\n")
	}
	n := namedIn(m)
	if len(n.procedures) > 0 {
		b.WriteString("What people do, and what they collect:\n")
	}
	for _, p := range n.procedures {
		b.WriteString("\n" + after("  ", p.ID+": "+p.Title) + after("    do       ", p.Do))
		for _, c := range p.Collect {
			b.WriteString(after("    collect  ", c))
		}
	}
	if len(n.procedures) > 0 && len(n.reports) > 0 {
		b.WriteString("\n")
	}
	if len(n.reports) > 0 {
		b.WriteString("Where AWS answers, and what it has to show:\n")
	}
	for _, r := range n.reports {
		b.WriteString("\n" + after("  ", r.ID+": "+r.Title) + after("    from   ", r.From) + after("    shows  ", r.Shows))
	}
	return b.String()
}

func rowText(b *strings.Builder, r *assess.MatrixRow, estate bool) {
	b.WriteString("\n" + after(r.Requirement+"  ", r.Title))
	if r.OutOfScope != "" {
		b.WriteString(after("  out of scope: ", r.OutOfScope))
		return
	}
	const few = 3
	b.WriteString(after("  whose      ", whoseText(r, few)))
	if s := bindingText(r); s != "" {
		b.WriteString(after("  binding    ", s))
	}
	if r.Standing != "" {
		b.WriteString(after("  standing   ", standingText(r)+": "+r.Because))
	}
	for _, s := range controlTexts(r) {
		b.WriteString(after("  control    ", s))
	}
	if r.Customer != nil {
		for i := range r.Customer.Objectives {
			o := &r.Customer.Objectives[i]
			b.WriteString(after("  customer   ", o.ID+" "+o.Statement))
			b.WriteString(after("             ", checksText(o, estate)))
		}
		for i := range r.Customer.Procedures {
			b.WriteString(after("  by hand    ", procedureText(&r.Customer.Procedures[i])))
		}
	}
	if r.AWS != nil {
		for _, p := range r.AWS.Reports {
			b.WriteString(after("  AWS        ", p.ID+": "+p.Title))
		}
	}
}

// markdownSpecial are the characters that mean something in Markdown or HTML.
var markdownSpecial = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", ">", "&gt;", "&", "&amp;", "[", `\[`, "]", `\]`, "~", `\~`, "#", `\#`,
)

// markdown makes a text mean itself, on one line.
func markdown(s string) string { return markdownSpecial.Replace(oneLine(s)) }

// markdownCell joins lines in one cell of a table.
func markdownCell(lines []string) string {
	var out []string
	for _, l := range lines {
		out = append(out, markdown(l))
	}
	return strings.Join(out, "<br>")
}

func matrixMarkdown(m *assess.Matrix) string {
	var b strings.Builder
	out := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	out("# Responsibility\n\n%s.", markdown(matrixOf(m)))
	if len(m.Shifts) > 0 {
		out("\n## Ways of running a function that give the customer duties of AWS\n")
	}
	for _, s := range m.Shifts {
		out("- **%s**: the function is %s.", markdown(s.ID), markdown(s.Title))
		if len(s.Functions) > 0 {
			out("  - Here: %s", markdown(strings.Join(s.Functions, ", ")))
		}
		for i := range s.Undecided {
			out("  - Undecided: %s", markdown(undecidedText(&s.Undecided[i])))
		}
		out("  - AWS: %s\n  - Customer: %s\n  - Source: <%s>", markdown(s.AWS), markdown(s.Customer), oneLine(s.Source))
	}
	for _, f := range m.Frameworks {
		out("\n## %s\n\n%s.\n", markdown(f.Title+" "+f.Version), markdown(matrixSumText(f.Sum)))
		if f.Note != "" {
			out("%s\n", markdown(f.Note))
		}
		out("| Requirement | Whose | Standing | Customer: checks | Customer: by hand | AWS: report |\n|---|---|---|---|---|---|")
		for i := range f.Rows {
			c := cellsOf(&f.Rows[i], m.Estate != nil)
			if s := f.Rows[i].Specification; s != "" && f.Rows[i].OutOfScope == "" {
				c.whose += "; " + s
			}
			for j := range c.controls {
				c.controls[j] = "control " + c.controls[j]
			}
			c.checks = append(c.controls, c.checks...)
			out("| **%s** %s | %s | %s | %s | %s | %s |", markdown(f.Rows[i].Requirement), markdown(f.Rows[i].Title), markdown(c.whose), markdown(c.standing), markdownCell(c.checks), markdownCell(c.procedures), markdownCell(c.reports))
		}
	}
	n := namedIn(m)
	if len(n.procedures) > 0 {
		out("\n## What people do, and what they collect\n")
	}
	for _, p := range n.procedures {
		out("- **%s**: %s. %s", markdown(p.ID), markdown(p.Title), markdown(p.Do))
		for _, c := range p.Collect {
			out("  - Collect: %s", markdown(c))
		}
	}
	if len(n.reports) > 0 {
		out("\n## Where AWS answers, and what it has to show\n")
	}
	for _, r := range n.reports {
		out("- **%s**: %s. From: %s. Shows: %s.", markdown(r.ID), markdown(r.Title), markdown(r.From), markdown(r.Shows))
	}
	return b.String()
}

// cells are a row of a table, for Markdown and CSV.
type cells struct {
	whose, standing             string
	checks, procedures, reports []string // a line each
	controls                    []string
}

func cellsOf(r *assess.MatrixRow, estate bool) cells {
	if r.OutOfScope != "" {
		return cells{whose: "out of scope: " + r.OutOfScope}
	}
	c := cells{whose: whoseText(r, 0), controls: controlTexts(r)}
	if r.Standing != "" {
		c.standing = standingText(r) + ": " + r.Because
	}
	if r.Customer != nil {
		for i := range r.Customer.Objectives {
			o := &r.Customer.Objectives[i]
			c.checks = append(c.checks, fmt.Sprintf("%s %s: %s", o.ID, o.Statement, checksText(o, estate)))
		}
		for i := range r.Customer.Procedures {
			c.procedures = append(c.procedures, procedureText(&r.Customer.Procedures[i]))
		}
	}
	if r.AWS != nil {
		for _, p := range r.AWS.Reports {
			c.reports = append(c.reports, fmt.Sprintf("%s: %s, from %s", p.ID, p.Title, p.From))
		}
	}
	return c
}

// inert keeps a spreadsheet from taking a cell for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func matrixCSV(w io.Writer, m *assess.Matrix) error {
	out := csv.NewWriter(w)
	write := func(row ...string) {
		for i := range row {
			row[i] = inert(row[i])
		}
		_ = out.Write(row) // the error is that of Flush
	}
	lines := func(list []string) string {
		var safe []string
		for _, l := range list {
			safe = append(safe, oneLine(l))
		}
		return strings.Join(safe, "\n")
	}
	write("framework", "requirement", "title", "responsibility", "for this estate", "standing", "because", "specification", "own controls", "checks", "by hand", "collect", "reports of AWS", "they have to show")
	for _, f := range m.Frameworks {
		for i := range f.Rows {
			r := &f.Rows[i]
			c := cellsOf(r, m.Estate != nil)
			responsibility, here := string(r.Responsibility), ""
			if r.OutOfScope != "" {
				responsibility, here = "out of scope", r.OutOfScope
			} else if m.Estate != nil {
				here = c.whose
			}
			var collect, shows []string
			if r.Customer != nil {
				for _, p := range r.Customer.Procedures {
					collect = append(collect, p.ID+": "+strings.Join(p.Collect, "; "))
				}
			}
			if r.AWS != nil {
				for _, p := range r.AWS.Reports {
					shows = append(shows, p.ID+": "+p.Shows)
				}
			}
			if r.Uncontrolled {
				c.controls = []string{"none is named"}
			}
			standing, because := "", oneLine(r.Because)
			if r.Standing != "" {
				standing = standingText(r)
			}
			write(f.ID, r.Requirement, oneLine(r.Title), responsibility, oneLine(here), standing, because, r.Specification, lines(c.controls), lines(c.checks), lines(c.procedures), lines(collect), lines(c.reports), lines(shows))
		}
	}
	out.Flush()
	return out.Error()
}
