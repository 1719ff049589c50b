// Command gen renews the tables that are made from published packages:
// cloudformation.jsonl, with the record of its source, from the npm package
// @aws-cdk/aws-service-spec (Apache-2.0), and, when its source is given,
// sam-policy-templates.json. It needs npm. Run it with go generate ./tables.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// The package and version that the schemas are made from, and the day on which
// that version was published. To renew the table, change both and generate.
const (
	packageName = "@aws-cdk/aws-service-spec"
	version     = "0.1.216"
	published   = "2026-09-29"
)

func main() {
	var o options
	flag.StringVar(&o.archive, "package", "", "read the package from this `file` (.tgz) instead of npm")
	flag.StringVar(&o.samTemplates, "sam-templates", "", "also renew sam-policy-templates.json from this policy_templates.json `file` of the SAM translator")
	flag.Parse()
	if err := run(o, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type options struct {
	archive      string // empty: fetch the package with npm
	samTemplates string // empty: leave the table of policy templates
}

// run works in the folder tables, where go generate starts it. What a person
// who renews the tables should know goes to notes.
func run(o options, notes io.Writer) error {
	if err := renewSchemas(o.archive, notes); err != nil {
		return err
	}
	if o.samTemplates == "" {
		return nil
	}
	data, err := os.ReadFile(o.samTemplates)
	if err != nil {
		return err
	}
	table, err := policyTemplates(data)
	if err != nil {
		return fmt.Errorf("%s: %w", o.samTemplates, err)
	}
	return os.WriteFile("sam-policy-templates.json", table, 0o644)
}

func renewSchemas(archive string, notes io.Writer) error {
	b, err := fetch(archive)
	if err != nil {
		return err
	}
	lines, remarks, err := reduce(b.database, included, awaited)
	if err != nil {
		return fmt.Errorf("%s %s: %w", b.Name, b.Version, err)
	}
	for _, r := range remarks {
		fmt.Fprintln(notes, r)
	}
	if err := os.WriteFile("cloudformation.jsonl", lines, 0o644); err != nil {
		return err
	}
	source, err := json.Marshal(struct {
		Package string `json:"package"`
		Version string `json:"version"`
		License string `json:"license"`
		Date    string `json:"date"`
	}{b.Name, b.Version, b.License, published})
	if err != nil {
		return err
	}
	return os.WriteFile("cloudformation.source.json", append(source, '\n'), 0o644)
}

// fetch reads the package from an archive, or from npm when there is none, and
// makes sure that it is the version that the source record will name.
func fetch(archive string) (*bundle, error) {
	if archive == "" {
		dir, err := os.MkdirTemp("", "assay-tables")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if archive, err = npmPack(dir); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := unpack(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	if b.Name != packageName || b.Version != version {
		return nil, fmt.Errorf("%s holds %s %s, not %s %s", filepath.Base(archive), b.Name, b.Version, packageName, version)
	}
	return b, nil
}

// npmPack downloads the package's archive into dir and returns its path. npm
// compares the archive with the registry's checksum.
func npmPack(dir string) (string, error) {
	cmd := exec.Command("npm", "pack", "--silent", packageName+"@"+version)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("npm pack %s@%s: %w", packageName, version, err)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil {
		return "", err
	}
	if len(archives) != 1 {
		return "", fmt.Errorf("npm pack left %d archives, want 1", len(archives))
	}
	return archives[0], nil
}
