package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"assay/internal/catalog"
)

func newFrameworks(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "frameworks",
		Short:   "List frameworks, and show what one asks for",
		Example: "  assay frameworks list\n  assay frameworks show pci-dss-4.0.1",
	}
	var catalogs []string
	cmd.PersistentFlags().StringArrayVar(&catalogs, "catalog", nil, "`folder` with your own checks and frameworks (repeatable)")
	list := &cobra.Command{
		Use: "list", Short: "List the frameworks", Args: cobra.NoArgs,
		Example: "  assay frameworks list",
		RunE: func(*cobra.Command, []string) error {
			e, err := newEngine(catalogs)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
			for _, f := range e.catalog.Frameworks {
				fmt.Fprintf(w, "%s\t%s %s\t%d requirements\t%s\n", f.ID, f.Title, f.Version, len(f.Requirements), strings.Join(f.Profiles(), ", "))
			}
			return w.Flush()
		},
	}
	show := &cobra.Command{
		Use: "show FRAMEWORK[/PROFILE] [REQUIREMENT…]", Short: "Show a framework's requirements and the checks that bear on them",
		Example: "  assay frameworks show nist-800-53-r5/fedramp-c\n  assay frameworks show pci-dss-4.0.1 10.5.1",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := newEngine(catalogs)
			if err != nil {
				return err
			}
			f, err := e.catalog.Framework(args[0])
			if err != nil {
				return usage("%w", err)
			}
			if len(args) == 1 {
				return listRequirements(s, e.catalog, f)
			}
			return showRequirements(s, e.catalog, f, args[1:])
		},
	}
	cmd.AddCommand(list, show)
	return cmd
}

func listRequirements(s Streams, c *catalog.Catalog, f *catalog.Framework) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, r := range f.Requirements {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d checks\t%s\n", r.ID, r.Responsibility, r.Assessment, len(bearing(c, r)), r.Title)
	}
	return w.Flush()
}

// bearing lists the ids of the checks that bear on a requirement, each once.
func bearing(c *catalog.Catalog, r catalog.Requirement) []string {
	var ids []string
	seen := map[string]bool{}
	for _, o := range r.Objectives {
		for _, t := range c.Bearing(o) {
			if !seen[t.ID] {
				seen[t.ID] = true
				ids = append(ids, t.ID)
			}
		}
	}
	return ids
}

func showRequirements(s Streams, c *catalog.Catalog, f *catalog.Framework, ids []string) error {
	byID := map[string]catalog.Requirement{}
	for _, r := range f.Requirements {
		byID[r.ID] = r
	}
	for _, id := range ids {
		r, ok := byID[id]
		if !ok {
			return usage("framework %s has no requirement %s; assay frameworks show %s lists them", f.ID, id, f.ID)
		}
		fmt.Fprintf(s.Out, "%s %s\n%s\nresponsibility: %s; assessment: %s\n", f.Title, r.ID, r.Title, r.Responsibility, r.Assessment)
		if r.OutOfScope != "" {
			fmt.Fprintf(s.Out, "out of scope: %s\n", r.OutOfScope)
		}
		for _, o := range r.Objectives {
			fmt.Fprintf(s.Out, "\n%s  %s\n", o, c.Objectives[o].Statement)
			for _, t := range c.Bearing(o) {
				link := t.Establishes[o]
				fmt.Fprintf(s.Out, "  %s %s it: %s\n", t.ID, link.How, link.Why)
			}
			if len(c.Bearing(o)) == 0 {
				fmt.Fprintln(s.Out, "  no check looks at it")
			}
		}
		fmt.Fprintln(s.Out)
	}
	return nil
}
