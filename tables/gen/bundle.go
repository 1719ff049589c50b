package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// bundle is what the package's archive holds that is of use here.
type bundle struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	License  string `json:"license"`
	database []byte // db.json, decompressed
}

// unpack reads a package's archive: a compressed tar with everything under
// package/, the database compressed once more.
func unpack(archive io.Reader) (*bundle, error) {
	z, err := gzip.NewReader(archive)
	if err != nil {
		return nil, err
	}
	b := &bundle{}
	for files := tar.NewReader(z); ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch head.Name {
		case "package/package.json":
			err = json.NewDecoder(files).Decode(b)
		case "package/db.json.gz":
			b.database, err = decompress(files)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", head.Name, err)
		}
	}
	if b.Name == "" || b.License == "" || b.database == nil {
		return nil, errors.New("no package.json with name and license, or no db.json.gz")
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
