package cli

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assay/frameworks"
	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/estate"
	"assay/internal/regime"
	"assay/tables"
)

// scopeFile is the name that the declaration of an organisation is found by.
const scopeFile = "assay.yaml"

// regimeRules reads the rules of regimes, and the frameworks that there are, with
// their profiles.
func (e *engine) regimeRules() (*regime.Rules, []string, error) {
	var ids []string
	for _, f := range e.catalog.Frameworks {
		ids = append(ids, f.ID)
		for _, p := range f.Profiles() {
			ids = append(ids, f.ID+"/"+p)
		}
	}
	files, err := fs.Sub(frameworks.Regimes, "regimes")
	if err != nil {
		return nil, nil, err
	}
	rules, err := regime.Load(files, ids, tables.IAMManagedPolicies())
	return rules, ids, err
}

// scopePlace is where assay.yaml of what is read lies: in the folder, beside the
// file, or in the current folder where it is of accounts or of several paths.
func scopePlace(accounts, paths []string) string {
	if len(accounts) > 0 || len(paths) != 1 || paths[0] == "-" {
		return scopeFile
	}
	return filepath.Join(folderOf(paths[0]), scopeFile)
}

// findScope is the assay.yaml of what is read, or that lies in one of the folders or
// beside one of the files; "" for none. Two of them are an error: which one speaks is
// for the user to say.
func findScope(accounts, paths []string) (string, error) {
	names := []string{scopePlace(accounts, paths)}
	for _, p := range paths {
		if p != "-" {
			names = append(names, filepath.Join(folderOf(p), scopeFile))
		}
	}
	var found []string
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	if len(found) > 1 {
		return "", usage("%s: each says which regimes apply; name one of them with --scope, or none with --scope ''", strings.Join(found, ", "))
	}
	if len(found) == 0 {
		return "", nil
	}
	return found[0], nil
}

// folderOf is the folder that is read, or that a file lies in.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}

// readRegimes reads assay.yaml for a run; nil where there is none.
func (e *engine) readRegimes(name string, accounts, paths []string) (*assess.Regimes, error) {
	if name == "" {
		var err error
		if name, err = findScope(accounts, paths); err != nil || name == "" {
			return nil, err
		}
	}
	rules, ids, err := e.regimeRules()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usage("--scope %s: cannot be read: %w", name, errors.Unwrap(err))
	}
	file := filepath.ToSlash(name)
	d, err := regime.ParseDeclaration(file, data, rules, ids)
	if err != nil {
		return nil, usage("regimes; nothing of the file is used until this is mended:\n%w", err)
	}
	return &assess.Regimes{File: file, Rules: rules, Declaration: d}, nil
}

// scopeFlags are the flags of assay scope.
type scopeFlags struct {
	reading
	answers         string
	output          string
	format          string
	asOf            string
	confirmedBy     string
	reviewBy        string
	profile         string
	allowIncomplete bool
}

func newScope(s Streams) *cobra.Command {
	var f scopeFlags
	cmd := &cobra.Command{
		Use:   "scope [PATH…]",
		Short: "Say which regimes apply to an estate, and why",
		Long: `scope looks at which data the functions of an estate handle, by tags, by names that
a person confirms and along the edges between functions and stores, asks what the
estate does not say, and writes assay.yaml: answers, and for every regime whether it
applies, is likely, undetermined, not indicated or excluded, by which rule and facts.
assay check then reports on the regimes that apply or are likely.

On a terminal it asks; an empty line keeps what stands in brackets. Elsewhere it
takes --answers, a file of the form of assay.yaml, and what assay.yaml says already.
What nobody answered, and what could not be read, leaves a regime open, and never
makes it not indicated.

Exit codes: 0 all was read; 2 wrong usage, a faulty assay.yaml, or nothing readable;
3 something could not be read and --allow-incomplete was not given.`,
		Example: `  assay scope
  assay scope infra/ --answers answers.yaml --confirmed-by ana@example.com
  assay scope aws://eu-central-1 --output assay.yaml
  assay scope template.yaml --output '' --format json`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args, s) },
	}
	fl := cmd.Flags()
	f.reading.flags(fl)
	fl.StringVar(&f.answers, "answers", "", "`file` with answers, data and exclusions in the form of assay.yaml; nothing is asked")
	fl.StringVarP(&f.output, "output", "o", "", "`file` to write or renew; - is standard output, '' none (default assay.yaml in the folder that is read, beside the file, or in the current folder for accounts and several paths)")
	fl.StringVarP(&f.format, "format", "f", "text", "`format` of what is told: text or json")
	fl.StringVar(&f.asOf, "as-of", "", "`date` to judge by, YEAR-MONTH-DAY (default today)")
	fl.StringVar(&f.confirmedBy, "confirmed-by", "", "`person` who confirms the answers")
	fl.StringVar(&f.reviewBy, "review-by", "", "`date` by which they are to be looked at again (default a year after they are confirmed)")
	fl.StringVar(&f.profile, "profile", "", "`file` with your own values for parameters, of which data_class_tags is read")
	fl.BoolVar(&f.allowIncomplete, "allow-incomplete", false, "exit as if everything had been read")
	completeWith(cmd, "format", []string{"text", "json"})
	return cmd
}

// surveyor reads an estate and says what of its data.
type surveyor struct {
	rules      *regime.Rules
	sources    [][]*estate.Scope // of each source that was read
	tagKeys    []string
	incomplete bool
}

func (v *surveyor) survey(d *regime.Declaration) *regime.Survey {
	all := regime.NewSurvey()
	for _, g := range v.sources {
		all.Add(v.rules.Survey(g, v.tagKeys, d))
	}
	return all
}

func (f *scopeFlags) run(cmd *cobra.Command, args []string, s Streams) error {
	if f.format != "text" && f.format != "json" {
		return usage("--format %s: expected text or json", f.format)
	}
	asOf, err := date(f.asOf)
	if err != nil {
		return usage("--as-of: %w", err)
	}
	if _, err := date(f.reviewBy); err != nil {
		return usage("--review-by: %w", err)
	}
	e, err := newEngine(nil)
	if err != nil {
		return err
	}
	rules, ids, err := e.regimeRules()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	renewed := scopePlace(split(args)) // what it starts from, be it written or not
	output := f.output
	switch {
	case !cmd.Flags().Changed("output"):
		output = renewed
	case output != "" && output != "-":
		renewed = output
	}
	before, d, err := f.declared(renewed, rules, ids)
	if err != nil {
		return err
	}
	v, err := f.read(cmd, e, rules, args, s)
	if err != nil {
		return err
	}
	confirmed := false
	if f.answers == "" && s.InTTY && s.ErrTTY {
		w := &wizard{in: newLines(cmd.Context(), s.In), out: s.Err, rules: rules, declared: d, survey: v.survey}
		if confirmed, err = w.run(f.confirmedBy == ""); err != nil {
			return err
		}
	}
	by := d.Confirmed
	if f.confirmedBy != "" {
		by.By, confirmed = f.confirmedBy, true
	}
	if confirmed {
		by.On, by.ReviewBy = asOf, yearAfter(asOf)
	}
	if f.reviewBy != "" {
		by.ReviewBy = f.reviewBy
	}
	d.Confirm(by)
	result := rules.Judge(d, v.survey(d), asOf)
	if err := f.write(output, before, d, rules, result, s); err != nil {
		return err
	}
	if v.incomplete && !f.allowIncomplete {
		return &exit{ExitIncomplete, nil}
	}
	return nil
}

// yearAfter is a year after a date, which is one.
func yearAfter(asOf string) string {
	t, err := time.Parse(time.DateOnly, asOf)
	if err != nil {
		return ""
	}
	return t.AddDate(1, 0, 0).Format(time.DateOnly)
}

// declared is what the file that is renewed says, and over it that of --answers.
func (f *scopeFlags) declared(renewed string, rules *regime.Rules, ids []string) (before []byte, d *regime.Declaration, err error) {
	d = &regime.Declaration{Answers: map[string]regime.Answer{}}
	parse := func(name string, data []byte) (*regime.Declaration, error) {
		d, err := regime.ParseDeclaration(filepath.ToSlash(name), data, rules, ids)
		if err != nil {
			return nil, usage("nothing of the file is used until this is mended:\n%w", err)
		}
		return d, nil
	}
	before, err = os.ReadFile(renewed)
	switch {
	case err == nil:
		if d, err = parse(renewed, before); err != nil {
			return nil, nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, usage("%s cannot be read: %w", renewed, errors.Unwrap(err))
	}
	if f.answers != "" {
		data, err := os.ReadFile(f.answers)
		if err != nil {
			return nil, nil, usage("--answers %s: cannot be read: %w", f.answers, errors.Unwrap(err))
		}
		given, err := parse(f.answers, data)
		if err != nil {
			return nil, nil, err
		}
		d.Take(given)
		if text := d.Contradiction(); text != "" {
			return nil, nil, usage("--answers %s, with what %s says already: %s", f.answers, filepath.ToSlash(renewed), text)
		}
	}
	return before, d, nil
}

// read reads the estate.
func (f *scopeFlags) read(cmd *cobra.Command, e *engine, rules *regime.Rules, args []string, s Streams) (*surveyor, error) {
	profile, err := readProfile(f.profile, e.catalog.Parameters)
	if err != nil {
		return nil, err
	}
	values, err := check.Resolve(e.catalog.Parameters, nil, profile)
	if err != nil {
		return nil, err
	}
	v := &surveyor{rules: rules}
	for _, key := range values["data_class_tags"].Value.Items() {
		v.tagKeys = append(v.tagKeys, key.AsString())
	}
	all, err := f.material(cmd.Context(), e.model, args, s)
	if err != nil {
		return nil, err
	}
	scopes := 0
	v.incomplete = all.missing != nil
	if all.missing != nil {
		cmd.PrintErrln(told(all.missing))
	}
	for _, source := range all.sources {
		built := estate.Build(e.model, assess.Read(cmd.Context(), all.collectors, source, s.In))
		v.sources = append(v.sources, built)
		scopes += len(built)
		for _, scope := range built {
			for _, p := range scope.Problems() {
				v.incomplete = v.incomplete || p.Fatal
				cmd.PrintErrln(told(p))
			}
		}
	}
	if scopes == 0 {
		return nil, all.nothing()
	}
	return v, nil
}

// write writes assay.yaml and says what came out.
func (f *scopeFlags) write(output string, before []byte, d *regime.Declaration, rules *regime.Rules, result *regime.Result, s Streams) error {
	if output != "" {
		text, err := regime.Update(before, d, rules, result)
		if err != nil {
			return err
		}
		w, finish, err := create(output, s)
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		if err := finish(); err != nil {
			return err
		}
	}
	told := io.Writer(s.Out)
	if output == "-" {
		told = s.Err
	}
	if f.format == "json" {
		enc := json.NewEncoder(told)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(result)
	}
	return writeScope(told, result, filepath.ToSlash(output))
}
