package report

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"assay/internal/check"
)

// style is an ANSI SGR sequence's parameters; "" is plain.
type style string

const (
	plain    style = ""
	bold     style = "1"
	faint    style = "2"
	red      style = "31"
	green    style = "32"
	yellow   style = "33"
	cyan     style = "36"
	alarming style = "1;31"
)

func severityStyle(s check.Severity) style {
	switch s {
	case check.Critical:
		return alarming
	case check.High:
		return red
	case check.Medium:
		return yellow
	case check.Low:
		return cyan
	case check.Info:
	}
	return faint
}

// page lays text out for a terminal. Texts given to it must be on one line and
// safe to show; see oneLine. Errors of writing come out of flush.
type page struct {
	out   *bufio.Writer
	width int
	color bool
	begun bool // something has been written
}

func newPage(w io.Writer, o Options) page {
	width := o.Width
	if width <= 0 {
		width = DefaultWidth
	}
	return page{out: bufio.NewWriterSize(w, 1<<16), width: width, color: o.Color}
}

func (p *page) flush() error { return p.out.Flush() }

// cell is a piece of a line: its text, padded to a width, in a style.
type cell struct {
	text  string
	width int // 0: as wide as the text
	style style
}

// gutter stands between two columns.
const gutter = "  "

// narrowest is the least width, in characters, in which a column of text is
// worth wrapping. Less room than that and the text goes below its cells.
const narrowest = 36

// row writes cells and then text, which wraps in the room that is left. Text
// that has too little room beside the cells begins on the next line, at below.
func (p *page) row(indent, below int, text string, cells ...cell) {
	at := indent // where the text begins beside the cells
	for _, c := range cells {
		at += max(c.width, utf8.RuneCountInString(c.text)) + len(gutter)
	}
	room := p.width - at
	beside := text != "" && (utf8.RuneCountInString(text) <= room || room >= narrowest && longestWord(text) <= room)
	p.pad(indent)
	for i, c := range cells {
		p.paint(c.style, c.text)
		if i < len(cells)-1 || beside {
			p.pad(c.width - utf8.RuneCountInString(c.text))
			p.out.WriteString(gutter)
		}
	}
	switch {
	case beside || len(cells) == 0:
		p.flow(at, text)
	case text != "":
		p.out.WriteByte('\n')
		p.pad(below)
		p.flow(below, text)
	}
	p.out.WriteByte('\n')
	p.begun = true
}

// flow writes text from column at on, and its further lines from there too.
func (p *page) flow(at int, text string) {
	for i, line := range wrap(text, max(p.width-at, narrowest)) {
		if i > 0 {
			p.out.WriteByte('\n')
			p.pad(at)
		}
		p.out.WriteString(line)
	}
}

// line writes text at an indent, wrapped.
func (p *page) line(indent int, text string) { p.row(indent, indent, text) }

// heading writes a title, apart from what stands above it.
func (p *page) heading(title, rest string) {
	p.blank()
	p.row(0, 4, rest, cell{text: title, style: bold})
}

// blank separates what follows from what stands above it.
func (p *page) blank() {
	if p.begun {
		p.out.WriteByte('\n')
	}
}

// block writes text of several lines as it stands, at an indent.
func (p *page) block(indent int, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line = strings.TrimRight(oneLine(strings.ReplaceAll(line, "\t", gutter)), " "); line != "" {
			p.pad(indent)
		}
		p.out.WriteString(line + "\n")
	}
}

func (p *page) pad(n int) {
	for ; n > 0; n-- {
		p.out.WriteByte(' ')
	}
}

func (p *page) paint(s style, text string) {
	if !p.color || s == plain || text == "" {
		p.out.WriteString(text)
		return
	}
	p.out.WriteString("\x1b[" + string(s) + "m" + text + "\x1b[0m")
}

// wrap breaks text into lines of at most width characters. A word that is
// longer, such as a path, stays whole so that it can be copied.
func wrap(text string, width int) []string {
	var lines []string
	var line strings.Builder
	length := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines = append(lines, line.String())
			line.Reset()
			length = 0
		}
		if length > 0 {
			line.WriteByte(' ')
			length++
		}
		line.WriteString(word)
		length += n
	}
	return append(lines, line.String())
}

// clip is as many words of text as fit into n characters.
func clip(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return cut(wrap(text, n-2)[0], n-2) + " …"
}

// longestWord is the length of the longest word of text, in characters.
func longestWord(text string) int {
	return widest(strings.Fields(text), func(word string) string { return word })
}

// widest is the length of the longest text, in characters: the width of a
// column.
func widest[T any](items []T, text func(T) string) int {
	n := 0
	for _, item := range items {
		n = max(n, utf8.RuneCountInString(text(item)))
	}
	return n
}
