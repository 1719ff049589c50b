// Command gen renews tables/cloudformation.jsonl, the property schemas, from
// the npm package @aws-cdk/aws-service-spec (Apache-2.0). It needs npm. Run it
// with go generate ./tables.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// The package and version that the table is made from.
const (
	packageName = "@aws-cdk/aws-service-spec"
	version     = "0.1.216"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run works in the folder tables, where go generate starts it.
func run() error {
	db, err := download()
	if err != nil {
		return err
	}
	lines, err := reduce(db, wanted)
	if err != nil {
		return err
	}
	return os.WriteFile("cloudformation.jsonl", lines, 0o644)
}

// download fetches the package with npm and returns its database.
func download() ([]byte, error) {
	dir, err := os.MkdirTemp("", "assay-tables")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("npm", "pack", "--silent", packageName+"@"+version)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("npm pack %s@%s: %w\n%s", packageName, version, err, stderr.Bytes())
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return nil, fmt.Errorf("npm pack left %d archives", len(archives))
	}
	f, err := os.Open(archives[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return database(f)
}

// database finds db.json.gz in the package's archive and decompresses it.
func database(archive io.Reader) ([]byte, error) {
	z, err := gzip.NewReader(archive)
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(z); ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the package has no db.json.gz")
		}
		if err != nil {
			return nil, err
		}
		if filepath.Base(head.Name) != "db.json.gz" {
			continue
		}
		inner, err := gzip.NewReader(files)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(inner)
	}
}
