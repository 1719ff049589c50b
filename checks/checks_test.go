package checks_test

import (
	"runtime/debug"
	"testing"

	"assay/checks"
	"assay/iam"
	"assay/internal/access"
	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

// TestMain lets the heap grow as the command does: small estates by the thousand
// are mostly garbage, and collecting it is half of the time else.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// TestCases runs every case of every built-in check, and over each case the
// refinement law. It is what users run as assay checks test.
func TestCases(t *testing.T) {
	model, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	lib, err := check.NewLibrary(model, check.Tables{Runtimes: tables.Runtimes(), TLSPolicies: tables.TLSPolicies(), FIPSEndpoints: tables.FIPSEndpoints(), ServicePrincipals: tables.ServicePrincipals(), Programmes: tables.Programmes()})
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	files, err := c.Cases(checks.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range catalog.LintCases(c.Checks, files) {
		t.Error(fault)
	}
	facts, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	runner := assess.CaseRunner{Model: model, Library: lib, Parameters: c.Parameters, AsOf: "2026-11-24", Asker: access.New(facts, tables.Escalation()).Asker, Reader: func(parameters map[string]string) collect.Collector {
		return cloudformation.New(cloudformation.Options{Parameters: parameters, PolicyTemplates: tables.SAMPolicyTemplates()})
	}}
	for _, f := range files {
		if c.Check(f.Check) == nil {
			continue // the lint says so
		}
		t.Run(f.Check, func(t *testing.T) {
			t.Parallel()
			for _, failure := range runner.Run(t.Context(), c.Check(f.Check), f) {
				t.Error(failure)
			}
		})
	}
}
