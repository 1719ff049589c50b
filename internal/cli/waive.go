package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
)

// waiversFile is the name that a file of waivers is found by.
const waiversFile = "waivers.yaml"

// readWaivers reads the file of waivers that the user names, which speaks for
// everything; or those that lie in the folders that are read and beside the
// files, each of which speaks for what lies in its folder.
func readWaivers(name string, paths []string, c *catalog.Catalog) (*assess.Waivers, error) {
	type place struct{ name, root string }
	places := []place{{name, "."}}
	if name == "" {
		places = nil
		seen := map[string]bool{}
		for _, p := range paths {
			root := p
			info, err := os.Stat(p)
			if p == "-" || err != nil {
				continue
			}
			if !info.IsDir() {
				root = filepath.Dir(p)
			}
			name := filepath.Join(root, waiversFile)
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && !seen[name] {
				seen[name] = true
				places = append(places, place{name, root})
			}
		}
	}
	var all *assess.Waivers
	for _, p := range places {
		data, err := os.ReadFile(p.name)
		if err != nil {
			return nil, usage("--waivers %s: cannot be read: %w", p.name, errors.Unwrap(err))
		}
		w, err := assess.ParseWaivers(filepath.ToSlash(p.name), p.root, data, c.IDs())
		switch {
		case err != nil:
			return nil, usage("waivers; none is in force until this is mended:\n%w", err)
		case all == nil:
			all = w
		default:
			all.Join(w)
		}
	}
	return all, nil
}

// readBaseline reads the stream of an earlier run; an empty name is none.
func readBaseline(name string, s Streams) (*assess.Baseline, error) {
	if name == "" {
		return nil, nil
	}
	in, closeFile, err := open(name, s)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	b, err := assess.ReadBaseline(name, in)
	if err != nil {
		return nil, usage("--baseline: %w", err)
	}
	return b, nil
}

// waiveFlags are the flags of assay waive.
type waiveFlags struct {
	entry    assess.WaiverEntry
	from     string
	anyFacts bool
	file     string
	asOf     string
	catalogs []string
}

func newWaive(s Streams) *cobra.Command {
	var f waiveFlags
	cmd := &cobra.Command{
		Use:   "waive FINDING|CHECK",
		Short: "Accept a failure, or those of a check, until a date",
		Long: `waive adds an entry to waivers.yaml, which assay check reads: that a failure is
accepted, by whom, why and until when. It creates the file where there is none and
leaves what stands in it as it is. An approver is another person than the owner.

A waiver is given for facts: what the failure rests on in the run that --from
names, as written by assay check --format json. When they change it lapses. For a
check those failures are taken that the run has of it, as far as --resource and
--scope match; another resource that comes to fail is not waived. --any-facts
waives whatever the facts are and become.`,
		Example: `  assay check . --format json --output run.jsonl
  assay waive F-0123456789abcdef --from run.jsonl --owner ana --approver bo --reason "moves in May" --expires 2027-05-31
  assay waive LAMBDA-CODE-SIGNING --resource 'Tool*' --any-facts --owner ana --approver bo --reason "built here" --expires 2027-05-31`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return f.run(args[0], s) },
	}
	fl := cmd.Flags()
	e := &f.entry
	fl.StringVar(&e.Owner, "owner", "", "`person` who answers for the waiver")
	fl.StringVar(&e.Approver, "approver", "", "`person` who approved it, not the owner")
	fl.StringVar(&e.Reason, "reason", "", "`why` the failure is accepted")
	fl.StringVar(&e.Expires, "expires", "", "last `date` on which it holds, YEAR-MONTH-DAY")
	fl.StringVar(&e.Ticket, "ticket", "", "`id` of the ticket that it is followed in")
	fl.StringVar(&e.Measure, "measure", "", "`what` compensates for the failure")
	fl.StringVar(&e.Customised, "customised", "", "`what` meets the objective in another way (PCI DSS's customised approach); not with --measure")
	fl.StringVar(&e.Resource, "resource", "", "`pattern` of the resources of a check: address, logical id or ARN, with *, ** and ?")
	fl.StringVar(&e.Scope, "scope", "", "`pattern` of the scopes of a check, such as infra/**")
	fl.StringVar(&f.from, "from", "", "`file` with the run that the failure is in; - is standard input")
	fl.BoolVar(&f.anyFacts, "any-facts", false, "hold whatever the facts become")
	fl.StringVar(&f.file, "waivers", waiversFile, "`file` that the entry goes into")
	fl.StringVar(&f.asOf, "as-of", "", "`date` on which it is made, YEAR-MONTH-DAY (default today)")
	fl.StringArrayVar(&f.catalogs, "catalog", nil, "`folder` with your own checks (repeatable)")
	return cmd
}

func (f *waiveFlags) run(what string, s Streams) error {
	eng, err := newEngine(f.catalogs)
	if err != nil {
		return err
	}
	e := &f.entry
	if e.Made, err = date(f.asOf); err != nil {
		return usage("--as-of: %w", err)
	}
	for _, one := range []struct{ flag, value string }{{"owner", e.Owner}, {"approver", e.Approver}, {"reason", e.Reason}, {"expires", e.Expires}} {
		if strings.TrimSpace(one.value) == "" {
			return usage("--%s is missing; a waiver has an owner, an approver, a reason and the date on which it expires", one.flag)
		}
	}
	if e.Expires, err = date(e.Expires); err != nil {
		return usage("--expires: %w", err)
	}
	if assess.SamePerson(e.Owner, e.Approver) {
		return usage("--approver %s is the owner; another person approves", e.Approver)
	}
	if e.Measure != "" && e.Customised != "" {
		return usage("--measure and --customised: a requirement is answered by compensating measures or by the customised approach, never by both")
	}
	if strings.HasPrefix(what, "F-") {
		e.Finding = what
	} else if e.Check = strings.ToUpper(what); eng.catalog.Check(e.Check) == nil {
		return usage("there is no check %s%s; assay checks list shows them all", e.Check, check.Similar(e.Check, eng.catalog.IDs()))
	}
	failures, note, err := f.failures(s)
	if err != nil {
		return err
	}
	before, err := os.ReadFile(f.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return usage("--waivers %s: cannot be read: %w", f.file, errors.Unwrap(err))
	}
	after, err := assess.AddWaiver(filepath.ToSlash(f.file), before, *e, note, e.Made, eng.catalog.IDs())
	if err != nil {
		return usage("nothing is written:\n%w", err)
	}
	w, finish, err := create(f.file, s)
	if err != nil {
		return err
	}
	if _, err := w.Write(after); err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s: %s is waived from %s until %s; %s\n", filepath.ToSlash(f.file), what, e.Made, e.Expires, failures)
	return nil
}

// failures gives the entry the facts of the failures that it is for, and says
// what they are: for the user, and for a comment in the file.
func (f *waiveFlags) failures(s Streams) (said, note string, err error) {
	e := &f.entry
	if f.from == "" {
		if !f.anyFacts {
			return "", "", usage("the facts that a waiver is given for come from a run: --from FILE, as written by assay check --format json; or --any-facts, whatever they are")
		}
		return "whatever the facts become", "", nil
	}
	found := &failing{entry: e}
	if err := replay(f.from, s, found); err != nil {
		return "", "", err
	}
	if len(found.findings) == 0 {
		if found.unknown {
			return "", "", usage("%s: %s is unknown there; only a failure can be waived", f.from, e.Finding)
		}
		return "", "", usage("%s: no failure of %s%s in it", f.from, e.Finding, e.Check)
	}
	var names []string
	facts := map[string]string{}
	for _, m := range found.findings {
		if m.Facts == "" && !f.anyFacts {
			return "", "", usage("%s: the run does not say what facts its failures rest on; check again with this assay", f.from)
		}
		facts[m.ID] = m.Facts
		names = append(names, m.Resource.Address)
	}
	first := found.findings[0]
	if e.Finding != "" {
		note = fmt.Sprintf("%s: %s in %s", first.Check, first.Resource.Address, first.Scope)
		said = note
	} else {
		said = fmt.Sprintf("%d failures: %s", len(names), strings.Join(names, ", "))
		if len(names) == 1 {
			said = "1 failure: " + names[0]
		}
	}
	if f.anyFacts {
		return said + ", and whatever comes", note, nil
	}
	e.Facts = facts
	return said, note, nil
}

// failing is a handler that keeps the failures that an entry is for.
type failing struct {
	assess.Nothing
	entry    *assess.WaiverEntry
	findings []*assess.Finding
	unknown  bool
}

func (f *failing) Finding(m *assess.Finding) error {
	switch {
	case !f.entry.Names(m):
	case m.Outcome != check.Fail:
		f.unknown = true
	default:
		f.findings = append(f.findings, m)
	}
	return nil
}
