// Package report writes the messages of a run for those who read them: a
// person in a terminal, a program, a code host, a build server. Every format is
// an [assess.Handler], so that a saved stream replays into any of them.
//
// Reports are deterministic: they hold no clock, and what came from maps is
// sorted. Everything that a source could have put into a message is made
// harmless for where it is shown: control characters never reach a terminal,
// and no text of a template becomes a link.
package report

import (
	"fmt"
	"io"
	"strings"

	"assay/internal/assess"
)

// DefaultWidth is how many characters a line of text has when nobody says.
const DefaultWidth = 100

// Options say how a report looks. The zero value is a complete, plain report.
type Options struct {
	// Color lets texts for people use ANSI colours.
	Color bool
	// Width is the length of a line of text in characters; 0 is DefaultWidth.
	Width int
	// Quiet leaves a text with the problems, the failures and one closing line.
	Quiet bool
	// All lists everything in a text, however long: every function and
	// requirement, and each unknown outcome by itself.
	All bool
	// Terraform derives changes for Terraform in explanations; nil derives none.
	Terraform TerraformAttribute
}

// format is one way to write a stream.
type format struct {
	name    string
	handler func(io.Writer, Options) assess.Handler
}

// formats are all there are, in the order in which they are offered.
var formats = []format{
	{"text", newText},
	{"json", newJSON},
	{"sarif", newSARIF},
	{"junit", newJUnit},
}

// Formats lists the names that [New] takes.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// New is the handler that writes a stream to w in the named format. What it
// wrote is complete once it has taken the summary; w is not closed.
func New(name string, w io.Writer, o Options) (assess.Handler, error) {
	for _, f := range formats {
		if f.name == name {
			return f.handler(w, o), nil
		}
	}
	return nil, fmt.Errorf("no format %q; there are %s", name, strings.Join(Formats(), ", "))
}
