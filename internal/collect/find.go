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

// skipped are folders that hold no source of the project itself.
var skipped = map[string]bool{
	".git": true, "node_modules": true, ".terraform": true, ".aws-sam": true, "vendor": true, "__pycache__": true, ".venv": true,
}

// suffixes are the endings under which templates, plans and estate files go.
var suffixes = []string{".yaml", ".yml", ".json", ".template", ".jsonl", ".zst", ".tfstate"}

// moduleSuffixes are the endings of files of which a folder holds one module.
var moduleSuffixes = []string{".tf", ".tf.json", ".tofu", ".tofu.json"}

func ofModule(name string) bool {
	return slices.ContainsFunc(moduleSuffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// Found is a source that a search came upon. Read gives its content.
type Found struct {
	Name   string // as in [File.Name]
	Named  bool   // the user named the file or folder itself
	folder bool   // a folder of Terraform files
	path   string
	tree   *Tree
	live   func(context.Context) []*estate.Builder
}

// Live is a source that is no file, such as an account: collect reads it.
func Live(name string, collect func(context.Context) []*estate.Builder) Found {
	return Found{Name: name, Named: true, live: collect}
}

// Live reads a source that is no file. It reports false for one that is.
func (f Found) Live(ctx context.Context) ([]*estate.Builder, bool) {
	if f.live == nil {
		return nil, false
	}
	return f.live(ctx), true
}

// Stdin is standard input as a file.
var Stdin = Found{Name: "-", Named: true, path: "-"}

// Find lists the sources to consider under paths, each once, ordered by name:
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
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: no such file or folder; name a template, a plan or a folder that holds some", p))
			continue
		}
		folder := p
		if !info.IsDir() {
			folder = filepath.Dir(p)
		}
		tree, err := openTree(folder)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: cannot be opened: %w", clean(p), plainError(err)))
			continue
		}
		switch {
		case info.IsDir():
			below, err := findBelow(p, tree)
			found = append(found, below...)
			if err != nil {
				errs = append(errs, err)
			}
		case ofModule(p):
			found = append(found, Found{Name: clean(folder), Named: true, folder: true, path: folder, tree: tree})
		default:
			found = append(found, Found{Name: clean(p), Named: true, path: p, tree: tree})
		}
	}
	slices.SortStableFunc(found, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	found = slices.CompactFunc(found, func(a, b Found) bool { return a.Name == b.Name })
	return found, errors.Join(errs...)
}

func clean(p string) string { return path.Clean(filepath.ToSlash(p)) }

func findBelow(root string, tree *Tree) ([]Found, error) {
	var found []Found
	var errs []error
	modules := map[string]bool{}
	// The separator makes a link to a folder the folder.
	err := filepath.WalkDir(root+string(filepath.Separator), func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type()&fs.ModeSymlink != 0 && ofInterest(d.Name()) {
			var follow bool
			if follow, err = followed(p, tree); err == nil && !follow {
				return nil
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: the link is not followed: %w", clean(p), err))
				return nil
			}
			d = nil
		}
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: cannot be listed: %w", clean(p), errors.Unwrap(err)))
			return nil
		case d == nil: // a link to a file
		case d.IsDir():
			if clean(p) != clean(root) && skipped[d.Name()] {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		switch name := filepath.Base(p); {
		case ofModule(name):
			if folder := filepath.Dir(p); !modules[folder] {
				modules[folder] = true
				found = append(found, Found{Name: clean(folder), Named: folder == filepath.Clean(root), folder: true, path: folder, tree: tree})
			}
			return nil
		case !slices.Contains(suffixes, strings.ToLower(filepath.Ext(p))):
			return nil
		}
		found = append(found, Found{Name: clean(p), path: p, tree: tree})
		return nil
	})
	return found, errors.Join(append(errs, err)...)
}

// ofInterest reports whether a file of that name would be read.
func ofInterest(name string) bool {
	return ofModule(name) || slices.Contains(suffixes, strings.ToLower(filepath.Ext(name)))
}

// followed reports whether a link leads to a file that may be read. Links to
// folders are passed over: what they lead to is found where it lies, or lies
// outside.
func followed(p string, tree *Tree) (bool, error) {
	to, err := filepath.EvalSymlinks(p)
	if err != nil {
		return false, plainError(err)
	}
	info, err := os.Stat(to)
	switch {
	case err != nil:
		return false, plainError(err)
	case !info.Mode().IsRegular():
		return false, nil
	}
	_, err = tree.resolve(clean(to))
	return err == nil, err
}

// Read gives the content of a found file; stdin stands for "-". A file past
// [MaxFileSize] is refused.
func (f Found) Read(stdin io.Reader) (File, error) {
	file := File{Name: f.Name, Named: f.Named, Folder: f.folder, Tree: f.tree}
	if f.folder {
		return file, nil
	}
	in := stdin
	var buf bytes.Buffer
	if f.path != "-" {
		opened, err := os.Open(f.path)
		if err != nil {
			return file, fmt.Errorf("cannot be opened: %w", errors.Unwrap(err))
		}
		defer opened.Close()
		if info, err := opened.Stat(); err == nil && info.Mode().IsRegular() {
			buf.Grow(int(min(info.Size(), MaxFileSize)) + bytes.MinRead) // so much the last read wants, which finds the end
		}
		in = opened
	}
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
