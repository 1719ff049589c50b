package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/report"
)

// checkFlags are the flags of assay check.
type checkFlags struct {
	reading
	frameworks      []string
	catalogs        []string
	severity        string
	failOn          []string
	asOf            string
	profile         string
	owners          string
	waivers         string
	scope           string
	baseline        string
	allowIncomplete bool
	outputs
}

// outputs are the flags that say what is written and where.
type outputs struct {
	formats []string
	files   []string
	owner   string
	quiet   bool
	all     bool
	noColor bool
}

func (o *outputs) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.formats, "format", "f", nil, "`format` of the report: "+strings.Join(report.Formats(), ", ")+" (repeatable; default text)")
	f.StringArrayVarP(&o.files, "output", "o", nil, "`file` for the report; the first --output belongs to the first --format, and so on (default standard output)")
	f.StringVar(&o.owner, "owner", "", "only functions and findings of one `owner`; counts and standings stay those of the whole run")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "only failures and the summary")
	f.BoolVar(&o.all, "all", false, "show every function and requirement in the text report")
	f.BoolVar(&o.noColor, "no-color", false, "no colour, even on a terminal")
	completeWith(cmd, "format", report.Formats())
}

// completeWith offers fixed values for a flag in shell completion.
func completeWith(cmd *cobra.Command, flag string, values []string) {
	// The flag exists, so that registering cannot fail.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// open makes the handler that writes all reports, and a function that closes
// their files.
func (o *outputs) open(s Streams) (assess.Handler, func() error, error) {
	formats := o.formats
	if len(formats) == 0 {
		formats = []string{"text"}
	}
	if len(o.files) > len(formats) {
		return nil, nil, usage("%d --output for %d --format; each output belongs to a format", len(o.files), len(formats))
	}
	for i, path := range o.files {
		if path != "" && path != "-" && slices.Contains(o.files[:i], path) {
			return nil, nil, usage("--output %s is given twice; each report needs a file of its own", path)
		}
	}
	for _, format := range formats {
		if !slices.Contains(report.Formats(), format) {
			return nil, nil, usage("no format %q; there are %s", format, strings.Join(report.Formats(), ", "))
		}
	}
	var handlers []assess.Handler
	var closers []func() error
	toOut := 0
	for i, format := range formats {
		path := ""
		if i < len(o.files) {
			path = o.files[i]
		}
		if path == "" || path == "-" {
			toOut++
		}
		if toOut > 1 {
			return nil, nil, usage("two reports cannot both go to standard output; give each --format an --output")
		}
		w, closeFile, err := create(path, s)
		if err != nil {
			return nil, nil, err
		}
		toTerminal := (path == "" || path == "-") && s.OutTTY
		h, err := report.New(format, w, report.Options{Color: toTerminal && !o.noColor, Quiet: o.quiet, All: o.all})
		if err != nil {
			return nil, nil, usage("--format %s: %w", format, err)
		}
		handlers, closers = append(handlers, h), append(closers, closeFile)
	}
	closeAll := func() error {
		for _, c := range closers {
			if err := c(); err != nil {
				return fmt.Errorf("writing a report: %w", err)
			}
		}
		return nil
	}
	if o.owner != "" {
		return assess.ForOwner(o.owner, assess.Tee(handlers...)), closeAll, nil
	}
	return assess.Tee(handlers...), closeAll, nil
}

func newCheck(s Streams) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check [PATH…]",
		Short: "Check templates and plans, and say where the workloads stand",
		Long: `check reads CloudFormation, SAM and CDK templates (YAML, JSON), change sets,
Terraform configurations (a folder of .tf files), plans and states (terraform
show -json) and estate files, in files and folders; "-" is standard input. It
decides the checks, prints findings by function and the standing of each
framework's requirements.

A failure that waivers.yaml accepts stays in every report, counted apart, and does
not fail the run; a waiver that expired, lapsed or was not approved does. With
--baseline only failures fail the run that an earlier one does not have.

Where assay scope has written assay.yaml, check reports on the regimes that apply
or are likely, and says in its first line which.

Exit codes: 0 nothing at or above --fail-on fails; 1 something does; 2 wrong
usage, or nothing readable; 3 something could not be read or judged and
--allow-incomplete was not given.`,
		Example: `  assay check
  assay check template.yaml --parameter Stage=prod
  assay check infra/ --var stage=prod
  assay check . --baseline main.jsonl
  assay check . --framework pci-dss-4.0.1 --format sarif --output assay.sarif --format text
  terraform show -json plan.out | assay check -`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args, s) },
	}
	fl := cmd.Flags()
	f.reading.flags(fl)
	fl.StringArrayVar(&f.frameworks, "framework", nil, "`id` of a framework to report on, or id/profile such as nist-800-53-r5/fedramp-c (repeatable; default those that assay.yaml says apply or are likely, or all)")
	fl.StringVar(&f.scope, "scope", "", "`file` that says which regimes apply; '' for none (default assay.yaml in a folder that is read or beside a file that is, or in the current folder for accounts and several paths); --framework wins")
	fl.StringArrayVar(&f.catalogs, "catalog", nil, "`folder` with your own checks and frameworks, added to the built-in ones or replacing them by id (repeatable)")
	fl.StringVar(&f.severity, "severity", "info", "leave out checks below this `severity`: info, low, medium, high, critical")
	fl.StringArrayVar(&f.failOn, "fail-on", nil, "least `severity` of a failure that gives exit code 1, or unknown, or never (repeatable; default low)")
	fl.StringVar(&f.profile, "profile", "", "`file` with your own values for the parameters of checks, in YAML")
	fl.StringVar(&f.owners, "owners", "", "`file` that says whose files are, in the form of CODEOWNERS (default CODEOWNERS, .github/CODEOWNERS or docs/CODEOWNERS in a folder that is read)")
	fl.StringVar(&f.waivers, "waivers", "", "`file` with accepted failures; '' for none (default waivers.yaml in a folder that is read, or beside a file that is)")
	fl.StringVar(&f.baseline, "baseline", "", "`file` with the stream of an earlier run, whose failures do not fail this one; - is standard input")
	fl.StringVar(&f.asOf, "as-of", "", "`date` to judge by, YEAR-MONTH-DAY (default today)")
	fl.BoolVar(&f.allowIncomplete, "allow-incomplete", false, "exit as if everything had been read")
	f.outputs.flags(cmd)
	completeWith(cmd, "severity", severities)
	completeWith(cmd, "fail-on", append(slices.Clone(severities), "unknown", "never"))
	return cmd
}

var severities = []string{"info", "low", "medium", "high", "critical"}

// threshold is what makes a run fail.
type threshold struct {
	severity check.Severity
	never    bool
	unknown  bool
}

func readThreshold(words []string) (threshold, error) {
	t := threshold{severity: check.Low}
	for _, w := range words {
		switch w {
		case "unknown":
			t.unknown = true
		case "never":
			t.never = true
		default:
			s, err := check.ParseSeverity(w)
			if err != nil {
				return t, usage("--fail-on %s: expected a severity, unknown or never", w)
			}
			t.severity = s
		}
	}
	return t, nil
}

func (t threshold) crossed(sum *assess.Summary) bool {
	if t.unknown && sum.Outcomes.Unknown > 0 {
		return true
	}
	if t.never {
		return false
	}
	for name, n := range sum.Failing {
		if s, err := check.ParseSeverity(name); err == nil && s >= t.severity && n > 0 {
			return true
		}
	}
	return false
}

func (f *checkFlags) run(cmd *cobra.Command, args []string, s Streams) error {
	limit, err := readThreshold(f.failOn)
	if err != nil {
		return err
	}
	cfg, all, err := f.prepare(cmd, args, s)
	if err != nil {
		return err
	}
	if cfg.Owners, err = readOwners(f.owners, all.paths); err != nil {
		return err
	}
	if !cmd.Flags().Changed("waivers") || f.waivers != "" {
		if cfg.Waivers, err = readWaivers(f.waivers, all.paths, cfg.Catalog); err != nil {
			return err
		}
	}
	if cfg.Baseline, err = readBaseline(f.baseline, s); err != nil {
		return err
	}
	h, closeReports, err := f.open(s)
	if err != nil {
		return err
	}
	sum, err := all.run(cmd.Context(), cfg, s, h)
	if err != nil {
		return err
	}
	if err := closeReports(); err != nil {
		return err
	}
	if sum.Scopes == 0 {
		return all.nothing()
	}
	return f.verdict(sum, limit, all.missing)
}

// prepare is the run that the flags ask for, and what there is to read.
func (f *checkFlags) prepare(cmd *cobra.Command, args []string, s Streams) (*assess.Config, *material, error) {
	cfg, err := f.config()
	if err != nil {
		return nil, nil, err
	}
	if f.live.filters, err = archives(cfg); err != nil {
		return nil, nil, err
	}
	all, err := f.material(cmd.Context(), cfg.Model, args, s)
	if err != nil {
		return nil, nil, err
	}
	if !cmd.Flags().Changed("scope") || f.scope != "" {
		err = f.choose(cfg, all)
	}
	return cfg, all, err
}

// archives reports whether the profile names accounts that logs go to, so that every
// log group has to be asked where it sends them.
func archives(cfg *assess.Config) (bool, error) {
	values, err := check.Resolve(cfg.Catalog.Parameters, nil, cfg.Profile)
	return values["log_archive_accounts"].Value != nil, err
}

// choose takes the frameworks of the regimes that assay.yaml says apply, unless the
// user names some.
func (f *checkFlags) choose(cfg *assess.Config, all *material) error {
	e := &engine{catalog: cfg.Catalog}
	regimes, err := e.readRegimes(f.scope, all.accounts, all.paths)
	if err != nil || regimes == nil {
		return err
	}
	cfg.Regimes = regimes
	if len(f.frameworks) > 0 {
		regimes.Unasked = true
		return nil
	}
	if regimes.Declaration.Regimes == nil {
		return usage("%s has no regimes yet: run assay scope, which judges them, or check with --framework or --scope ''", regimes.File)
	}
	ids := regimes.FrameworkIDs(cfg.Catalog.Frameworks)
	if len(ids) == 0 { // no regime applies: the checks run all the same
		cfg.Frameworks = nil
		return nil
	}
	cfg.Frameworks, err = e.frameworks(ids)
	return err
}

func (f *checkFlags) config() (*assess.Config, error) {
	e, err := newEngine(f.catalogs)
	if err != nil {
		return nil, err
	}
	cfg := &assess.Config{Model: e.model, Library: e.library, Catalog: e.catalog, Asker: e.access.Asker, Version: version(), Tables: tablesDigest(), Facts: facts()}
	if cfg.Frameworks, err = e.frameworks(f.frameworks); err != nil {
		return nil, err
	}
	if cfg.Profile, err = readProfile(f.profile, e.catalog.Parameters); err != nil {
		return nil, err
	}
	if cfg.Severity, err = check.ParseSeverity(f.severity); err != nil {
		return nil, usage("--severity: %w", err)
	}
	if cfg.AsOf, err = date(f.asOf); err != nil {
		return nil, usage("--as-of: %w", err)
	}
	return cfg, nil
}

// verdict turns a finished run into the exit code.
func (f *checkFlags) verdict(sum *assess.Summary, limit threshold, missing error) error {
	incomplete := (sum.Incomplete || missing != nil) && !f.allowIncomplete
	switch {
	case limit.crossed(sum):
		return &exit{ExitFailed, missing}
	case sum.Unreadable == sum.Scopes && !f.allowIncomplete:
		return &exit{ExitUsage, missing}
	case incomplete:
		return &exit{ExitIncomplete, missing}
	}
	return nil
}

// progress reports on a terminal how far a long run is; nil elsewhere.
func progress(s Streams) func(done, total int) {
	if !s.ErrTTY {
		return nil
	}
	return func(done, total int) { showProgress(s.Err, done, total) }
}

// showProgress writes one line over itself, and removes it at the end. Runs of
// a few files are too short to speak of.
func showProgress(w io.Writer, done, total int) {
	const few = 50
	switch {
	case total < few:
	case done == total:
		fmt.Fprint(w, "\r\x1b[K")
	case done%10 == 0:
		fmt.Fprintf(w, "\rreading %d of %d files", done, total)
	}
}
