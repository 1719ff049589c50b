package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"assay/internal/assess"
	"assay/internal/check"
)

// readProfile reads a profile; an empty name is none.
func readProfile(name string, declared []check.Parameter) (*check.Profile, error) {
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usage("--profile %s: cannot be read: %w", name, errors.Unwrap(err))
	}
	p, err := check.ParseProfile(filepath.ToSlash(name), data, declared)
	if err != nil {
		return nil, usage("--profile:\n%w", err)
	}
	return p, nil
}

// readOwners reads the file of owners that the user names, or the first that
// lies where code hosts look for one in a folder that is read. Patterns in it are
// relative to that folder; in a file that is named, to the folder that the user
// is in.
func readOwners(name string, paths []string) (*assess.Owners, error) {
	root := "."
	if name == "" {
		for _, p := range paths {
			for _, place := range []string{"CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS"} {
				if info, err := os.Stat(filepath.Join(p, place)); name == "" && err == nil && info.Mode().IsRegular() {
					name, root = filepath.Join(p, place), p
				}
			}
		}
	}
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usage("--owners %s: cannot be read: %w", name, errors.Unwrap(err))
	}
	o, err := assess.ParseOwners(filepath.ToSlash(name), root, data)
	if err != nil {
		return nil, usage("--owners: %w", err)
	}
	return o, nil
}

func newChecksParameters(s Streams) *cobra.Command {
	var catalogs, frameworks []string
	var profile, format string
	cmd := &cobra.Command{
		Use:   "parameters",
		Short: "List the parameters of checks, their values and who asks for them",
		Long: `parameters lists the values that checks read and that an organisation or a regime
decides: the strictest that the chosen frameworks and the profile ask for.`,
		Example: `  assay checks parameters
  assay checks parameters --framework pci-dss-4.0.1 --profile acme.yaml`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			e, err := newEngine(catalogs)
			if err != nil {
				return err
			}
			chosen, err := e.frameworks(frameworks)
			if err != nil {
				return err
			}
			p, err := readProfile(profile, e.catalog.Parameters)
			if err != nil {
				return err
			}
			var regimes []string
			for _, f := range chosen {
				regimes = append(regimes, f.ID)
			}
			values, err := check.Resolve(e.catalog.Parameters, regimes, p)
			if err != nil {
				return err
			}
			switch format {
			case "text":
				return listParameters(s, e.catalog.Parameters, values)
			case "json":
				return listParametersJSON(s, e.catalog.Parameters, values)
			}
			return usage("--format %s: expected text or json", format)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&catalogs, "catalog", nil, "`folder` with your own checks, frameworks and parameters (repeatable)")
	fl.StringArrayVar(&frameworks, "framework", nil, "`id` of a framework whose demands count (repeatable; default all)")
	fl.StringVar(&profile, "profile", "", "`file` with your own values, in YAML")
	fl.StringVarP(&format, "format", "f", "text", "`format`: text or json")
	return cmd
}

func listParameters(s Streams, declared []check.Parameter, values check.Values) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, p := range declared {
		v := values[p.Name]
		shown, by := "not stated", ""
		if v.Value != nil {
			shown, by = strings.TrimSpace(string(v.Value.AppendJSON(nil))+" "+p.Unit), strings.Join(v.By, ", ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Name, shown, by, p.Meaning)
	}
	return w.Flush()
}

func listParametersJSON(s Streams, declared []check.Parameter, values check.Values) error {
	enc := json.NewEncoder(s.Out)
	enc.SetEscapeHTML(false)
	for _, p := range declared {
		line := struct {
			check.Parameter
			Value json.RawMessage `json:"value,omitempty"`
			By    []string        `json:"by"`
		}{Parameter: p, By: values[p.Name].By}
		if v := values[p.Name].Value; v != nil {
			line.Value = v.AppendJSON(nil)
		}
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
