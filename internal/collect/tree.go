package collect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Tree is the folder that a source may read further files from: the modules
// that it calls, the templates that it includes. Nothing outside can be
// reached through it, neither by .. nor by a symbolic link. Names are written
// as the user writes them, with forward slashes. A nil Tree holds nothing.
type Tree struct {
	files fs.FS
	// inside turns a name into a path of files; false when it leads out.
	inside func(name string) (string, bool)
	name   string // of the folder itself, for messages
}

// NewTree makes a tree of files whose names are relative to its root.
func NewTree(files fs.FS) *Tree {
	return &Tree{files, func(name string) (string, bool) {
		name = path.Clean(name)
		return name, fs.ValidPath(name)
	}, "."}
}

// openTree is the tree that a source in a folder may read from: the repository
// that the folder lies in, or else the folder alone.
func openTree(folder string) (*Tree, error) {
	base, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	for dir := base; ; {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			base = dir
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	// A folder may be named by a link to it, and a file in it by where it lies.
	bases := []string{base}
	if real, err := filepath.EvalSymlinks(base); err == nil && real != base {
		bases = append(bases, real)
	}
	return &Tree{root.FS(), func(name string) (string, bool) {
		abs, err := filepath.Abs(filepath.FromSlash(name))
		if err != nil {
			return "", false
		}
		for _, base := range bases {
			if rel, err := filepath.Rel(base, abs); err == nil && filepath.IsLocal(rel) {
				return filepath.ToSlash(rel), true
			}
		}
		return "", false
	}, clean(base)}, nil
}

// ErrOutside is why a file is refused that lies outside of the tree.
var ErrOutside = errors.New("it lies outside of the folder that is read")

// resolve finds a name in the tree.
func (t *Tree) resolve(name string) (string, error) {
	if t == nil {
		return "", ErrOutside
	}
	p, ok := t.inside(name)
	if !ok {
		return "", ErrOutside
	}
	return p, nil
}

// Read gives the content of a file, of at most limit bytes.
func (t *Tree) Read(name string, limit int64) ([]byte, error) {
	p, err := t.resolve(name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(t.files, p)
	switch {
	case err != nil:
		return nil, plainError(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a file")
	case info.Size() > limit:
		return nil, fmt.Errorf("it is larger than %d MB, the most that is read", limit>>20)
	}
	data, err := fs.ReadFile(t.files, p)
	if err != nil {
		return nil, plainError(err)
	}
	return data, nil
}

// List gives the names of the files and folders in a folder, in order; those
// of folders end in a slash.
func (t *Tree) List(name string) ([]string, error) {
	p, err := t.resolve(name)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(t.files, p)
	if err != nil {
		return nil, plainError(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
		if e.IsDir() {
			names[i] += "/"
		}
	}
	return names, nil
}

// Sub is the folder as a file system of its own, from which nothing outside
// of the folder can be reached by name.
func (t *Tree) Sub(name string) (fs.FS, error) {
	p, err := t.resolve(name)
	if err != nil {
		return nil, err
	}
	return fs.Sub(t.files, p)
}

// plainError is the reason of a file error without the path, which messages
// give as the user writes it.
func plainError(err error) error {
	var failed *fs.PathError
	if !errors.As(err, &failed) {
		return err
	}
	switch {
	case errors.Is(failed.Err, fs.ErrNotExist):
		return errors.New("it does not exist")
	case strings.Contains(failed.Err.Error(), "escapes"):
		return ErrOutside
	}
	return failed.Err
}
