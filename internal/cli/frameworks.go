package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"assay/internal/catalog"
)

func newFrameworks(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "frameworks",
		Short: "List frameworks, show what one asks for, count and compare them",
		Example: `  assay frameworks list
  assay frameworks show pci-dss-4.0.1 10.5.1
  assay frameworks coverage
  assay frameworks crosswalk hipaa-security iso-27001-2022`,
	}
	f := &frameworksCommand{s: s}
	cmd.PersistentFlags().StringArrayVar(&f.catalogs, "catalog", nil, "`folder` with your own checks and frameworks (repeatable)")
	cmd.PersistentFlags().StringVarP(&f.format, "format", "f", "text", "`format`: text or json")
	list := &cobra.Command{
		Use: "list", Short: "List the frameworks", Args: cobra.NoArgs,
		Example: "  assay frameworks list\n  assay frameworks list --format json",
		RunE:    func(*cobra.Command, []string) error { return f.list() },
	}
	var counts bool
	show := &cobra.Command{
		Use: "show FRAMEWORK[/PROFILE] [REQUIREMENT…]", Short: "Show a framework's requirements, or who answers for one and how",
		Example: "  assay frameworks show nist-800-53-r5/fedramp-c\n  assay frameworks show pci-dss-4.0.1 10.5.1\n  assay frameworks show hipaa-security '164.308(a)(8)' --format json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case !counts:
				return f.show(args[0], args[1:])
			case len(args) > 1:
				return usage("--coverage counts a whole framework; leave out %s", strings.Join(args[1:], ", "))
			}
			return f.coverage(args)
		},
	}
	show.Flags().BoolVar(&counts, "coverage", false, "the counts of frameworks coverage in place of the requirements")
	coverage := &cobra.Command{
		Use: "coverage [FRAMEWORK[/PROFILE]…]", Short: "Count what is technical, done by a person, inherited and out of scope",
		Example: "  assay frameworks coverage\n  assay frameworks coverage nist-800-53-r5/fedramp-c --format json",
		RunE:    func(_ *cobra.Command, args []string) error { return f.coverage(args) },
	}
	crosswalk := &cobra.Command{
		Use: "crosswalk FRAMEWORK[/PROFILE] FRAMEWORK[/PROFILE]", Short: "Relate the requirements of two frameworks through NIST SP 800-53",
		Example: "  assay frameworks crosswalk hipaa-security iso-27001-2022\n  assay frameworks crosswalk fedramp-20x nist-800-53-r5/fedramp-c",
		Args:    cobra.ExactArgs(2),
		RunE:    func(_ *cobra.Command, args []string) error { return f.crosswalk(args[0], args[1]) },
	}
	cmd.AddCommand(list, show, coverage, crosswalk)
	return cmd
}

// frameworksCommand is what the commands on frameworks have in common.
type frameworksCommand struct {
	s        Streams
	catalogs []string
	format   string
	catalog  *catalog.Catalog
}

// load reads the catalogue, once the flags are known.
func (f *frameworksCommand) load() error {
	if f.format != "text" && f.format != "json" {
		return usage("--format %s: expected text or json", f.format)
	}
	e, err := newEngine(f.catalogs)
	if err != nil {
		return err
	}
	f.catalog = e.catalog
	return nil
}

// framework finds a framework by id or id/profile.
func (f *frameworksCommand) framework(id string) (*catalog.Framework, error) {
	found, err := f.catalog.Framework(id)
	if err != nil {
		return nil, usage("%w", err)
	}
	return found, nil
}

// json writes a value, indented.
func (f *frameworksCommand) json(v any) error {
	enc := json.NewEncoder(f.s.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table writes rows of cells in columns.
func (f *frameworksCommand) table(rows [][]string) error {
	w := tabwriter.NewWriter(f.s.Out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// listedFramework is a framework without its requirements.
type listedFramework struct {
	ID           string   `json:"id"`
	Title        string   `json:"title"`
	Version      string   `json:"version"`
	Source       string   `json:"source"`
	Note         string   `json:"note,omitempty"`
	Requirements int      `json:"requirements"`
	InScope      int      `json:"inScope"`
	Profiles     []string `json:"profiles,omitempty"`
}

func listing(c *catalog.Catalog, f *catalog.Framework) listedFramework {
	cov := c.Coverage(f)
	return listedFramework{f.ID, f.Title, f.Version, f.Source, f.Note, cov.Requirements, cov.Requirements - cov.OutOfScope, f.Profiles()}
}

func (f *frameworksCommand) list() error {
	if err := f.load(); err != nil {
		return err
	}
	var all []listedFramework
	rows := [][]string{}
	for _, one := range f.catalog.Frameworks {
		l := listing(f.catalog, one)
		all = append(all, l)
		rows = append(rows, []string{l.ID, l.Title + " " + l.Version, fmt.Sprintf("%d of %d in scope", l.InScope, l.Requirements), strings.Join(l.Profiles, ", ")})
	}
	if f.format == "json" {
		return f.json(all)
	}
	return f.table(rows)
}

func (f *frameworksCommand) coverage(ids []string) error {
	if err := f.load(); err != nil {
		return err
	}
	frameworks := f.catalog.Frameworks
	if len(ids) > 0 {
		frameworks = nil
		for _, id := range ids {
			one, err := f.framework(id)
			if err != nil {
				return err
			}
			frameworks = append(frameworks, one)
		}
	}
	all := []catalog.Coverage{}
	shares := [][]string{{"", "technical", "mixed", "manual", "inherited", "out of scope", "of all"}}
	checked := [][]string{{"", "with a check", "decided in all", "0", "1", "2", "3 or more", "of technical and mixed"}}
	for _, one := range frameworks {
		c := f.catalog.Coverage(one)
		all = append(all, c)
		row := []string{c.Framework}
		for _, n := range []int{c.Technical, c.Mixed, c.Manual, c.Inherited, c.OutOfScope} {
			row = append(row, fmt.Sprintf("%d (%d%%)", n, percent(n, c.Requirements)))
		}
		shares = append(shares, append(row, fmt.Sprint(c.Requirements)))
		row = []string{c.Framework, fmt.Sprint(c.Checked), fmt.Sprint(c.Decidable)}
		for _, n := range c.Deciding {
			row = append(row, fmt.Sprint(n))
		}
		checked = append(checked, append(row, fmt.Sprint(c.Technical+c.Mixed)))
	}
	if f.format == "json" {
		return f.json(all)
	}
	fmt.Fprintln(f.s.Out, "What answers for the requirements:")
	if err := f.table(shares); err != nil {
		return err
	}
	fmt.Fprintln(f.s.Out, "\nOf those technical and mixed: how many some check bears on, how many have every objective\ndecided by a check, and how many have 0, 1, 2, 3 or more checks that decide one:")
	return f.table(checked)
}

// percent is n of all in whole percent, rounded down, so that only all of them
// are 100.
func percent(n, all int) int {
	if all == 0 {
		return 0
	}
	return n * 100 / all
}

// crosswalkOf is what crosswalk writes as JSON.
type crosswalkOf struct {
	From  string         `json:"from"`
	To    string         `json:"to"`
	Links []catalog.Link `json:"links"`
	// Requirements in scope that the other framework has nothing for.
	FromAlone []string `json:"fromAlone"`
	ToAlone   []string `json:"toAlone"`
}

func (f *frameworksCommand) crosswalk(from, to string) error {
	if err := f.load(); err != nil {
		return err
	}
	a, err := f.framework(from)
	if err != nil {
		return err
	}
	b, err := f.framework(to)
	if err != nil {
		return err
	}
	links := catalog.Crosswalk(a, b)
	linked := map[string]bool{}
	count := map[catalog.Relation]int{}
	for _, l := range links {
		linked["from "+l.From], linked["to "+l.To] = true, true
		count[l.Relation]++
	}
	alone := func(side string, one *catalog.Framework) (ids []string, all int) {
		ids = []string{}
		for _, r := range one.Requirements {
			if r.OutOfScope != "" {
				continue
			}
			all++
			if !linked[side+" "+r.ID] {
				ids = append(ids, r.ID)
			}
		}
		return ids, all
	}
	fromAlone, fromAll := alone("from", a)
	toAlone, toAll := alone("to", b)
	if f.format == "json" {
		return f.json(crosswalkOf{a.ID, b.ID, links, fromAlone, toAlone})
	}
	rows := [][]string{}
	for _, l := range links {
		rows = append(rows, []string{l.From, string(l.Relation), l.To, "through " + strings.Join(l.Through, ", ")})
	}
	if err := f.table(rows); err != nil {
		return err
	}
	fmt.Fprintf(f.s.Out, "\n%d of %d in scope of %s and %d of %d of %s have a counterpart", fromAll-len(fromAlone), fromAll, a.ID, toAll-len(toAlone), toAll, b.ID)
	said := []string{}
	for _, r := range []catalog.Relation{catalog.Equal, catalog.Subset, catalog.Superset, catalog.Intersects, catalog.Related} {
		if count[r] > 0 {
			said = append(said, fmt.Sprintf("%d %s", count[r], r))
		}
	}
	fmt.Fprintf(f.s.Out, ": %d pairs", len(links))
	if len(said) > 0 {
		fmt.Fprintf(f.s.Out, " (%s)", strings.Join(said, ", "))
	}
	fmt.Fprintln(f.s.Out)
	if count[catalog.Related] > 0 {
		fmt.Fprintln(f.s.Out, "related: both bear on the same requirement of NIST SP 800-53, which implies nothing more")
	}
	return nil
}
