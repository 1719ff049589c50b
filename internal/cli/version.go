package cli

import (
	"crypto/fips140"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"assay/checks"
)

// build is what the binary knows of itself.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a changed tree
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Catalog  string `json:"catalog"` // SHA-256
	Tables   string `json:"tables"`  // SHA-256
	FIPS     string `json:"fips140"`
}

// version is the module's version, or its revision when built from a tree.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func readBuild() build {
	sum := sha256.Sum256(checks.Compiled)
	b := build{
		Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Catalog: hex.EncodeToString(sum[:]), Tables: tablesDigest(), FIPS: fipsState(""),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		case "GOFIPS140":
			b.FIPS = fipsState(s.Value)
		}
	}
	return b
}

// fipsState says whether Go's FIPS 140-3 module is in use, and which one the
// binary was built with.
func fipsState(module string) string {
	state := "off"
	if fips140.Enabled() {
		state = "on"
	}
	if module != "" {
		state += ", module " + module
	}
	return state
}

func newVersion(s Streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the catalogue's digest and the state of the FIPS module",
		Example: "  assay version\n  assay version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			if asJSON {
				enc := json.NewEncoder(s.Out)
				enc.SetIndent("", "  ")
				return enc.Encode(b)
			}
			revision := b.Revision
			if b.Modified {
				revision += " (modified)"
			}
			fmt.Fprintf(s.Out, "assay %s\n", b.Version)
			if revision != "" {
				fmt.Fprintf(s.Out, "revision   %s\n", revision)
			}
			_, err := fmt.Fprintf(s.Out, "built with %s for %s\ncatalogue  sha256:%s\ntables     sha256:%s\nFIPS 140-3 %s\n",
				b.Go, b.Platform, b.Catalog, b.Tables, b.FIPS)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}
