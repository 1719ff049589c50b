package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"assay/checks"
	"assay/frameworks"
	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/tables"
)

func newChecks(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "checks",
		Short:   "List, lint and test checks",
		Example: "  assay checks list\n  assay checks test ./our-checks",
	}
	cmd.AddCommand(newChecksList(s), newChecksLint(s), newChecksTest(s), newChecksParameters(s))
	return cmd
}

func newChecksList(s Streams) *cobra.Command {
	var catalogs []string
	var peer, format string
	var reverse bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the checks",
		Example: `  assay checks list
  assay checks list --peer checkov
  assay checks list --peer checkov --reverse
  assay checks list --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			e, err := newEngine(catalogs)
			if err != nil {
				return err
			}
			if known := peersOf(e.catalog.Peers); peer != "" && !slices.Contains(known, peer) {
				return usage("--peer %s: expected %s", peer, strings.Join(known, ", "))
			}
			if reverse {
				if peer == "" || format != "text" {
					return usage("--reverse lists a peer's ids as text: give --peer, and no other --format")
				}
				return listByPeer(s, e.catalog.Checks, peer)
			}
			switch format {
			case "text":
				return listChecks(s, e.catalog.Checks, peer)
			case "json":
				return listChecksJSON(s, e.catalog.Checks, peer)
			}
			return usage("--format %s: expected text or json", format)
		},
	}
	cmd.Flags().StringArrayVar(&catalogs, "catalog", nil, "`folder` with your own checks and frameworks (repeatable)")
	cmd.Flags().StringVar(&peer, "peer", "", "show the ids of another `tool` for the same thing, such as prowler or checkov")
	cmd.Flags().BoolVar(&reverse, "reverse", false, "with --peer: list the tool's ids, and the checks for each")
	cmd.Flags().StringVarP(&format, "format", "f", "text", "`format`: text or json")
	return cmd
}

// listByPeer lists the ids of a peer with the checks that say the same.
func listByPeer(s Streams, all []*check.Typed, peer string) error {
	byID := map[string][]string{}
	for _, t := range all {
		for _, id := range t.Peers[peer] {
			byID[id] = append(byID[id], t.ID)
		}
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		fmt.Fprintf(w, "%s\t%s\n", id, strings.Join(byID[id], ", "))
	}
	return w.Flush()
}

// ofPeer keeps the checks that a peer has too; all of them without a peer.
func ofPeer(all []*check.Typed, peer string) []*check.Typed {
	return slices.DeleteFunc(slices.Clone(all), func(t *check.Typed) bool { return peer != "" && len(t.Peers[peer]) == 0 })
}

// peersOf are the tools that checks may name ids of.
func peersOf(all []catalog.Peer) []string {
	var names []string
	for _, p := range all {
		names = append(names, p.ID)
	}
	return names
}

func listChecks(s Streams, all []*check.Typed, peer string) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, t := range ofPeer(all, peer) {
		line := fmt.Sprintf("%s\t%s\t%s\t%s", t.ID, t.Severity, t.Subject, t.Title)
		if peer != "" {
			line = fmt.Sprintf("%s\t%s\t%s", t.ID, strings.Join(t.Peers[peer], ", "), t.Title)
		}
		fmt.Fprintln(w, line)
	}
	return w.Flush()
}

func listChecksJSON(s Streams, all []*check.Typed, peer string) error {
	enc := json.NewEncoder(s.Out)
	enc.SetEscapeHTML(false)
	for _, t := range ofPeer(all, peer) {
		if err := enc.Encode(t.Check); err != nil {
			return err
		}
	}
	return nil
}

// sourceOf is the folder that lint and test look at, or the built-in
// catalogue when none is named.
func sourceOf(args []string) (fs.FS, string, error) {
	if len(args) == 0 {
		return checks.Files, "the built-in catalogue", nil
	}
	if info, err := os.Stat(args[0]); err != nil || !info.IsDir() {
		return nil, "", usage("%s: expected a folder with checks in YAML", args[0])
	}
	return os.DirFS(args[0]), args[0], nil
}

// own loads the checks of a folder beside the built-in objectives and
// frameworks. For the built-in catalogue it loads the files anew, so that lint
// sees them as they are.
func own(e *engine, source fs.FS, builtIn bool) (merged *catalog.Catalog, checksOf []*check.Typed, err error) {
	if builtIn {
		merged, err = catalog.Load(e.library, frameworks.Files, source)
		if err != nil {
			return nil, nil, err
		}
		return merged, merged.Checks, nil
	}
	if merged, err = e.catalog.With(e.library, source); err != nil {
		return nil, nil, err
	}
	for _, t := range merged.Checks {
		if e.catalog.Check(t.ID) != t {
			checksOf = append(checksOf, t)
		}
	}
	return merged, checksOf, nil
}

func newChecksLint(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "lint [FOLDER]",
		Short: "Lint checks, frameworks and cases; the built-in ones without a folder",
		Long: `lint reads every check, framework and case file of a folder and says what is
wrong with each: fields that are missing or misspelt, expressions that do not
fit the property schemas, objectives that do not exist, checks without cases.`,
		Example: "  assay checks lint ./our-checks",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := newEngine(nil)
			if err != nil {
				return err
			}
			source, name, err := sourceOf(args)
			if err != nil {
				return err
			}
			merged, mine, err := own(e, source, len(args) == 0)
			if err == nil {
				var files []catalog.CaseFile
				if files, err = merged.Cases(source); err == nil {
					err = errors.Join(catalog.LintCases(mine, files)...)
				}
			}
			if err != nil {
				fmt.Fprintln(s.Out, err)
				return &exit{code: ExitFailed}
			}
			_, err = fmt.Fprintf(s.Out, "%s: %d checks, nothing to mend\n", name, len(mine))
			return err
		},
	}
}

func newChecksTest(s Streams) *cobra.Command {
	var asOf string
	var mutate bool
	cmd := &cobra.Command{
		Use:   "test [FOLDER]",
		Short: "Run the cases of checks; the built-in ones without a folder",
		Long: `test runs every case beside the checks of a folder, and over each case the
refinement law: an input that becomes unknown may make an outcome unknown but
never flip it.

With --mutate it tests the cases instead: each expression is changed in one place
at a time (a condition negated, a side of && or || dropped, a constant or operator
swapped, applies left out), and some case has to notice. What survives is listed;
survivors.yaml beside the checks explains what cannot be noticed.`,
		Example: "  assay checks test ./our-checks\n  assay checks test --mutate",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			today, err := date(asOf)
			if err != nil {
				return usage("--as-of: %w", err)
			}
			e, err := newEngine(nil)
			if err != nil {
				return err
			}
			source, name, err := sourceOf(args)
			if err != nil {
				return err
			}
			merged, mine, err := own(e, source, len(args) == 0)
			if err != nil {
				return &exit{ExitUsage, err}
			}
			files, err := merged.Cases(source)
			if err != nil {
				return &exit{ExitUsage, err}
			}
			runner := assess.CaseRunner{Parameters: merged.Parameters, Model: e.model, Library: e.library, AsOf: today, Reader: templateReader, Asker: e.access.Asker}
			if mutate {
				explained, err := catalog.Survivors(source)
				if err != nil {
					return &exit{ExitUsage, err}
				}
				return mutateChecks(cmd.Context(), runner, mine, files, explained, name, s.Out)
			}
			return testCases(cmd, runner, mine, files, name, s)
		},
	}
	cmd.Flags().StringVar(&asOf, "as-of", "", "`date` to judge by where a case names none (default today)")
	cmd.Flags().BoolVar(&mutate, "mutate", false, "test the cases: change each expression in one place at a time; some case has to notice")
	return cmd
}

// templateReader reads the templates of cases.
func templateReader(parameters map[string]string) collect.Collector {
	return cloudformation.New(cloudformation.Options{Parameters: parameters, PolicyTemplates: tables.SAMPolicyTemplates()})
}

func testCases(cmd *cobra.Command, runner assess.CaseRunner, mine []*check.Typed, files []catalog.CaseFile, name string, s Streams) error {
	failed, ran := 0, 0
	for _, t := range mine {
		for _, f := range files {
			if f.Check != t.ID {
				continue
			}
			ran += len(f.Cases)
			for _, failure := range runner.Run(cmd.Context(), t, f) {
				failed++
				fmt.Fprintln(s.Out, failure.Error())
			}
		}
	}
	fmt.Fprintf(s.Out, "%s: %d checks, %d cases, %d failures\n", name, len(mine), ran, failed)
	switch {
	case failed > 0:
		return &exit{code: ExitFailed}
	case ran == 0:
		return usage("%s: no cases were found; a case file is called CHECK-ID.cases.yaml", name)
	}
	return nil
}
