package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// partial is what the name of an output ends in until it is whole, so that a
// run that fails leaves the file alone that was there before.
const partial = ".part"

// create opens a file for output; "-" and "" are standard output. The file has
// its name once finish is called; what an interrupted run has written stays
// beside it.
func create(path string, s Streams) (w io.Writer, finish func() error, err error) {
	if path == "" || path == "-" {
		return s.Out, func() error { return nil }, nil
	}
	name := path
	if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
		name += partial
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, nil, usage("cannot write %s: %w", path, errors.Unwrap(err))
	}
	if name == path {
		return f, f.Close, nil // a device
	}
	*s.unfinished = append(*s.unfinished, name)
	return f, func() error {
		if err := f.Close(); err != nil {
			return err
		}
		return os.Rename(name, path)
	}, nil
}

// left are the files that were not finished and have something in them; empty
// ones are removed.
func left(names []string) []string {
	var kept []string
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case err != nil:
		case info.Size() == 0:
			// Nothing is lost with it; a failure leaves an empty file.
			_ = os.Remove(name)
		default:
			kept = append(kept, filepath.ToSlash(name))
		}
	}
	return kept
}

// watched is standard output, with the first error of writing to it.
type watched struct {
	io.Writer
	err error
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}
