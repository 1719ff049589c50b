package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// bundle is what a package's archive holds that is of use here.
type bundle struct {
	Name    string            `json:"name"`
	Version string            `json:"version"`
	License string            `json:"license"`
	files   map[string][]byte // those asked for, by path below package/
}

// unpack reads a package's archive, a compressed tar with everything under
// package/, and keeps the files that wanted names. Those ending in .gz are
// decompressed.
func unpack(archive io.Reader, wanted func(name string) bool) (*bundle, error) {
	z, err := gzip.NewReader(archive)
	if err != nil {
		return nil, err
	}
	b := &bundle{files: map[string][]byte{}}
	for files := tar.NewReader(z); ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(head.Name, "package/")
		switch {
		case name == "package.json":
			err = json.NewDecoder(files).Decode(b)
		case !wanted(name):
		case strings.HasSuffix(name, ".gz"):
			b.files[name], err = decompress(files)
		default:
			b.files[name], err = io.ReadAll(files)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", head.Name, err)
		}
	}
	if b.Name == "" || b.License == "" || len(b.files) == 0 {
		return nil, errors.New("no package.json with name and license, or nothing of what is wanted")
	}
	return b, nil
}

func decompress(r io.Reader) ([]byte, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
