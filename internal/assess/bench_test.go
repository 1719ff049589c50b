package assess_test

import (
	"context"
	"fmt"
	"strings"
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

// config is a run over the built-in catalogue.
func config(t testing.TB) assess.Config {
	t.Helper()
	model, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	lib, err := check.NewLibrary(model, check.Tables{Runtimes: tables.Runtimes(), TLSPolicies: tables.TLSPolicies(), FIPSEndpoints: tables.FIPSEndpoints(), ServicePrincipals: tables.ServicePrincipals()})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	if err := lib.Declare(cat.Parameters); err != nil {
		t.Fatal(err)
	}
	facts, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	return assess.Config{
		Asker:      access.New(facts, tables.Escalation()).Asker,
		Collectors: []collect.Collector{cloudformation.New(cloudformation.Options{PolicyTemplates: tables.SAMPolicyTemplates()})},
		Model:      model, Library: lib, Catalog: cat, Frameworks: cat.Frameworks, AsOf: "2026-11-24",
	}
}

// nothing is a handler that takes every message and does nothing.
type nothing struct{}

func (nothing) Header(*assess.Header) error     { return nil }
func (nothing) Coverage(*assess.Coverage) error { return nil }
func (nothing) Finding(*assess.Finding) error   { return nil }
func (nothing) Function(*assess.Function) error { return nil }
func (nothing) Decided(*assess.Decided) error   { return nil }
func (nothing) Standing(*assess.Standing) error { return nil }
func (nothing) Summary(*assess.Summary) error   { return nil }

// BenchmarkTemplate runs everything over one template of so many functions,
// which shows whether cost grows with the template or faster.
func BenchmarkTemplate(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("functions=%d", n), func(b *testing.B) {
			var s strings.Builder
			s.WriteString("Transform: AWS::Serverless-2016-10-31\nResources:\n")
			for i := range n {
				fmt.Fprintf(&s, "  F%d: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Handler: a.b, Runtime: python3.13, Events: {E: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}}}\n", i)
			}
			cfg := config(b)
			b.ReportAllocs()
			for b.Loop() {
				sum, err := assess.Run(context.Background(), cfg, [][]collect.Found{{collect.Stdin}}, strings.NewReader(s.String()), nothing{})
				if err != nil || sum.Functions != n {
					b.Fatal(sum, err)
				}
			}
		})
	}
}
