package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"assay/internal/assess"
	"assay/internal/collect/terraform"
	"assay/internal/report"
	"assay/tables"
)

func newExplain(s Streams) *cobra.Command {
	var catalogs []string
	var from string
	var noColor bool
	cmd := &cobra.Command{
		Use:   "explain CHECK|FINDING-ID|FUNCTION",
		Short: "Explain a check, or one finding or function of a saved run",
		Long: `explain CHECK says why a check exists, what it requires, where AWS says so, and
how to fix what it finds in CloudFormation, SAM, Terraform and the AWS CLI. The id
of another tool (CKV_AWS_258) is as good as ours.

explain FINDING-ID --from FILE says what one finding of a saved stream means:
what was found where, what proves it, and how to fix it.

explain FUNCTION --from FILE says what the risk of a function is made of, who can
call it, and what fails.`,
		Example: `  assay explain LAMBDA-CODE-SIGNING
  assay explain F-0123456789abcdef --from run.jsonl
  assay explain OrdersFunction --from run.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o := report.Options{Color: s.OutTTY && !noColor, Terraform: terraform.AttributeOf(tables.Terraform())}
			switch {
			case strings.HasPrefix(args[0], "F-"):
				return explainFinding(args[0], from, s, o)
			case from != "" && !slices.Contains(checkIDs(), strings.ToUpper(args[0])):
				return explainFunction(args[0], from, s, o)
			}
			return explainCheck(args[0], catalogs, s, o)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return checkIDs(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringArrayVar(&catalogs, "catalog", nil, "`folder` with your own checks and frameworks (repeatable)")
	cmd.Flags().StringVar(&from, "from", "", "`file` with the stream that the finding or function is in, as written by --format json")
	cmd.Flags().BoolVar(&noColor, "no-color", false, "no colour, even on a terminal")
	return cmd
}

func checkIDs() []string {
	e, err := newEngine(nil)
	if err != nil {
		return nil
	}
	return e.catalog.IDs()
}

func explainCheck(id string, catalogs []string, s Streams, o report.Options) error {
	e, err := newEngine(catalogs)
	if err != nil {
		return err
	}
	t := e.catalog.Check(strings.ToUpper(id))
	if t == nil {
		if ours := e.catalog.OfPeer("", id); len(ours) > 0 {
			t = ours[0]
			for _, other := range ours[1:] {
				fmt.Fprintf(s.Err, "assay: %s is said by %s too\n", id, other.ID)
			}
		}
	}
	if t == nil {
		return usage("no check %s; assay checks list shows them all", id)
	}
	return report.ExplainCheck(s.Out, &t.Check, e.catalog.RequirementsOf(t), o)
}

func explainFinding(id, from string, s Streams, o report.Options) error {
	if from == "" {
		return usage("a finding is explained from the run it is in: assay explain %s --from FILE", id)
	}
	find := &finder{id: id}
	if err := replay(from, s, find); err != nil {
		return err
	}
	if find.finding == nil {
		return usage("%s: no finding %s in it", from, id)
	}
	return report.ExplainFinding(s.Out, find.header, find.finding, o)
}

func explainFunction(name, from string, s Streams, o report.Options) error {
	find := &functionFinder{name: name}
	if err := replay(from, s, find); err != nil {
		return err
	}
	switch len(find.functions) {
	case 0:
		return usage("%s: no function %s in it", from, name)
	case 1:
	default:
		var ids []string
		for _, f := range find.functions {
			ids = append(ids, f.Resource.ID)
		}
		return usage("%s: %s is the name of several functions: %s", from, name, strings.Join(ids, ", "))
	}
	f := find.functions[0]
	var concerning []*assess.Finding
	for _, one := range find.findings {
		if one.Concerns(f) {
			concerning = append(concerning, one)
		}
	}
	return report.ExplainFunction(s.Out, find.header, f, concerning, o)
}

// functionFinder is a handler that keeps the functions of one name, and findings.
type functionFinder struct {
	finder
	name      string
	functions []*assess.Function
	findings  []*assess.Finding
}

func (f *functionFinder) Finding(m *assess.Finding) error {
	f.findings = append(f.findings, m)
	return nil
}

func (f *functionFinder) Function(m *assess.Function) error {
	if r := m.Resource; r.LogicalID == f.name || r.Address == f.name || r.ID == f.name {
		f.functions = append(f.functions, m)
	}
	return nil
}

// finder is a handler that keeps one finding and the header.
type finder struct {
	assess.Nothing
	id      string
	header  *assess.Header
	finding *assess.Finding
}

func (f *finder) Header(m *assess.Header) error { f.header = m; return nil }
func (f *finder) Finding(m *assess.Finding) error {
	if m.ID != f.id {
		return nil
	}
	if f.finding != nil {
		return fmt.Errorf("finding %s stands twice in the stream", f.id)
	}
	f.finding = m
	return nil
}
