// Package collect finds what there is to read and says what a collector owes:
// facts with positions, and a confession of what could not be read. Collectors
// never judge.
package collect

import (
	"context"

	"assay/internal/estate"
)

// MaxFileSize is the largest file that is read, in bytes. CloudFormation takes
// templates up to 1 MB; plans of large estates run to tens of megabytes.
const MaxFileSize = 256 << 20

// File is one thing to read: a file, or a folder whose files belong together.
type File struct {
	// Name is the path as the user would write it, with forward slashes; "-"
	// for standard input. It identifies the scope and stands in positions.
	Name string
	Data []byte // nil for a folder
	// Named is set when the user named this very file, so that a file that
	// nobody can read is an error and not just another file of a folder.
	Named bool
	// Folder is set for a folder of Terraform files, which are one module.
	Folder bool
	// Tree is where other files may be read from that the source includes.
	Tree *Tree
}

// Collector reads one kind of source.
type Collector interface {
	// Name is the kind of source, for people ("cloudformation").
	Name() string
	// Claims reports whether the file is of this kind, judging by a cheap look
	// at its beginning and shape. The first collector that claims a file reads
	// it.
	Claims(f File) bool
	// Collect reads the file into scopes. What could not be read becomes a
	// problem or a coverage entry of a scope, never a missing scope: a file
	// that cannot be parsed gives one scope with one fatal problem. It stops
	// early only when ctx ends.
	Collect(ctx context.Context, f File) []*estate.Builder
}

// Surveyor is a collector whose sources can take in, or refer to, others.
type Surveyor interface {
	// Survey looks at a source before anything is read. It says nothing of one
	// that another collector reads.
	Survey(f File) Survey
}

// Survey is how a source is tied to others.
type Survey struct {
	// Includes names the files and folders that are read as a part of the
	// source: modules, nested templates. A name too many only matters if there
	// is such a source.
	Includes []string
	// Exports and Imports name values that sources exchange.
	Exports, Imports []string
}

// For is the first collector that claims f, or nil.
func For(f File, collectors []Collector) Collector {
	for _, c := range collectors {
		if c.Claims(f) {
			return c
		}
	}
	return nil
}

// Unread is the scope of a file that could not be read at all.
func Unread(name, format string, p estate.Problem) *estate.Builder {
	p.Fatal = true
	if p.Position.File == "" {
		p.Position.File = name
	}
	b := estate.NewBuilder(name, format)
	b.Cover(estate.Coverage{Type: "*", State: estate.CoverageDenied, Reason: "the file could not be read"})
	b.Problem(p)
	return b
}
