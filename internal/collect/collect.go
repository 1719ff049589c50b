// Package collect finds what there is to read and says what a collector owes:
// facts with positions, and a confession of what could not be read. Collectors
// never judge.
package collect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"assay/internal/estate"
)

// MaxFileSize is the largest file that is read, in bytes. CloudFormation takes
// templates up to 1 MB; plans of large estates run to tens of megabytes.
const MaxFileSize = 256 << 20

// File is one file to read.
type File struct {
	// Name is the path as the user would write it, with forward slashes; "-"
	// for standard input. It identifies the scope and stands in positions.
	Name string
	Data []byte
	// Named is set when the user named this very file, so that a file that
	// nobody can read is an error and not just another file of a folder.
	Named bool
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

// skipped are folders that hold no source of the project itself.
var skipped = map[string]bool{
	".git": true, "node_modules": true, ".terraform": true, ".aws-sam": true, "vendor": true, "__pycache__": true, ".venv": true,
}

// suffixes are the endings under which templates, plans and estate files go.
var suffixes = []string{".yaml", ".yml", ".json", ".template", ".jsonl", ".zst"}

// Found is a file that a search came upon. Read gives its content.
type Found struct {
	Name  string // as in [File.Name]
	Named bool   // the user named the file itself
	path  string
}

// Stdin is standard input as a file.
var Stdin = Found{Name: "-", Named: true, path: "-"}

// Find lists the files to consider under paths, each once, ordered by name:
// files as named, folders with everything below them whose ending fits. A path
// that does not exist is an error; the others are still listed.
func Find(paths []string) ([]Found, error) {
	var found []Found
	var errs []error
	for _, p := range paths {
		if p == "-" {
			found = append(found, Stdin)
			continue
		}
		info, err := os.Stat(p)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: no such file or folder; name a template, a plan or a folder that holds some", p))
		case info.IsDir():
			below, err := findBelow(p)
			found = append(found, below...)
			if err != nil {
				errs = append(errs, err)
			}
		default:
			found = append(found, Found{Name: clean(p), Named: true, path: p})
		}
	}
	slices.SortStableFunc(found, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	found = slices.CompactFunc(found, func(a, b Found) bool { return a.Name == b.Name })
	return found, errors.Join(errs...)
}

func clean(p string) string { return path.Clean(filepath.ToSlash(p)) }

func findBelow(root string) ([]Found, error) {
	var found []Found
	var errs []error
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: cannot be listed: %w", clean(p), errors.Unwrap(err)))
			return nil
		case d.IsDir():
			if p != root && skipped[d.Name()] {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || !slices.Contains(suffixes, strings.ToLower(filepath.Ext(p))):
			return nil
		}
		found = append(found, Found{Name: clean(p), path: p})
		return nil
	})
	return found, errors.Join(append(errs, err)...)
}

// Read gives the content of a found file; stdin stands for "-". A file past
// [MaxFileSize] is refused.
func (f Found) Read(stdin io.Reader) (File, error) {
	file := File{Name: f.Name, Named: f.Named}
	in := stdin
	if f.path != "-" {
		opened, err := os.Open(f.path)
		if err != nil {
			return file, fmt.Errorf("cannot be opened: %w", errors.Unwrap(err))
		}
		defer opened.Close()
		in = opened
	}
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(in, MaxFileSize+1))
	if err != nil {
		return file, fmt.Errorf("cannot be read: %w", err)
	}
	if n > MaxFileSize {
		return file, fmt.Errorf("larger than %d MB, the most that is read", MaxFileSize>>20)
	}
	file.Data = buf.Bytes()
	return file, nil
}
