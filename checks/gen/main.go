// Command gen compiles the catalogue: it type-checks every built-in check and
// writes checks/compiled.jsonl. Run it with go generate ./checks.
package main

import (
	"fmt"
	"os"

	"assay/frameworks"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/estate"
	"assay/tables"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run works in the folder checks, where go generate starts it.
func run() error {
	model, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		return err
	}
	lib, err := check.NewLibrary(model, check.Tables{Runtimes: tables.Runtimes(), TLSPolicies: tables.TLSPolicies(), FIPSEndpoints: tables.FIPSEndpoints(), ServicePrincipals: tables.ServicePrincipals(), Programmes: tables.Programmes()})
	if err != nil {
		return err
	}
	c, err := catalog.Load(lib, frameworks.Files, os.DirFS("."))
	if err != nil {
		return err
	}
	data, err := c.Encode()
	if err != nil {
		return err
	}
	return os.WriteFile("compiled.jsonl", data, 0o644)
}
