package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"assay/internal/assess"
	"assay/internal/report"
)

// responsibilityFlags are the flags of assay responsibility.
type responsibilityFlags struct {
	reading
	frameworks      []string
	catalogs        []string
	format          string
	output          string
	asOf            string
	profile         string
	scope           string
	allowIncomplete bool
}

func newResponsibility(s Streams) *cobra.Command {
	var f responsibilityFlags
	cmd := &cobra.Command{
		Use:   "responsibility [PATH…|aws://…]",
		Short: "Say what AWS answers for, what you do, and with what evidence",
		Long: `responsibility reads an estate like check does and writes, for every requirement,
whose it is: AWS's, the customer's, or shared. Where functions run in a way that
gives the customer duties of AWS (container images, runtimes of their own, managed
instances), it says so by function. The customer's part are the checks with what
they said here, and what people do and collect; AWS's part is the report that covers
it. Accepted failures (waivers) have no say in the standings.

Without PATH it reads the current folder. Where nothing is there to read, the
matrix is that of the catalogue alone, and says so.

The text form has every requirement for up to three frameworks, and a line for
each of more; the other formats always have all.

Exit codes: 0 the matrix was written, whatever the standings; 2 wrong usage, or
nothing readable in what was named; 3 something could not be read or judged and
--allow-incomplete was not given.`,
		Example: `  assay responsibility --framework pci-dss-4.0.1
  assay responsibility template.yaml --framework hipaa-security --format markdown -o responsibility.md
  assay responsibility infra/ --framework nist-800-53-r5/fedramp-c --format csv -o matrix.csv
  assay responsibility aws://eu-central-1 --framework soc2-2017`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args, s) },
	}
	fl := cmd.Flags()
	f.reading.flags(fl)
	fl.StringArrayVar(&f.frameworks, "framework", nil, "`id` of a framework, or id/profile such as nist-800-53-r5/fedramp-c (repeatable; default those of assay.yaml, or all)")
	fl.StringArrayVar(&f.catalogs, "catalog", nil, "`folder` with your own checks, frameworks and shifts (repeatable)")
	fl.StringVarP(&f.format, "format", "f", "text", "`format`: "+strings.Join(report.MatrixFormats(), ", "))
	fl.StringVarP(&f.output, "output", "o", "", "`file` to write (default standard output)")
	fl.StringVar(&f.profile, "profile", "", "`file` with your own values for the parameters of checks, in YAML")
	fl.StringVar(&f.scope, "scope", "", "`file` that says which regimes apply; '' for none (default assay.yaml, as for check)")
	fl.StringVar(&f.asOf, "as-of", "", "`date` to judge by, YEAR-MONTH-DAY (default today)")
	fl.BoolVar(&f.allowIncomplete, "allow-incomplete", false, "exit as if everything had been read")
	completeWith(cmd, "format", report.MatrixFormats())
	return cmd
}

func (f *responsibilityFlags) run(cmd *cobra.Command, args []string, s Streams) error {
	if !slices.Contains(report.MatrixFormats(), f.format) {
		return usage("--format %s: expected one of %s", f.format, strings.Join(report.MatrixFormats(), ", "))
	}
	as := &checkFlags{reading: f.reading, catalogs: f.catalogs, frameworks: f.frameworks, profile: f.profile, scope: f.scope, severity: "info", asOf: f.asOf}
	cfg, all, err := as.prepare(cmd, args, s)
	if err != nil {
		return err
	}
	var gathered assess.Responsibilities
	sum, err := all.run(cmd.Context(), cfg, s, &gathered)
	if err != nil {
		return err
	}
	if sum.Scopes == 0 && len(args) > 0 {
		return all.nothing()
	}
	out, finish, err := create(f.output, s)
	if err != nil {
		return err
	}
	if err := report.WriteMatrix(out, gathered.Matrix(cfg.Catalog, cfg.Frameworks, version()), f.format); err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	switch {
	case f.allowIncomplete:
		return nil
	case sum.Scopes > 0 && sum.Unreadable == sum.Scopes:
		return &exit{ExitUsage, all.missing}
	case sum.Incomplete || all.missing != nil:
		return &exit{ExitIncomplete, all.missing}
	}
	return nil
}
