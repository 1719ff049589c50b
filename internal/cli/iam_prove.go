package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"assay/iam"
)

// limitFlags bound a question over all requests.
func limitFlags(cmd *cobra.Command) *iam.Limits {
	l := iam.DefaultLimits
	cmd.Flags().IntVar(&l.Work, "max-steps", l.Work, "most `steps` of a question; past them the answer is unknown")
	cmd.Flags().IntVar(&l.States, "max-states", l.States, "most `states` of patterns that are followed together")
	return &l
}

func formatFlag(cmd *cobra.Command) func() (json bool, err error) {
	var format string
	cmd.Flags().StringVarP(&format, "format", "f", "text", "`format`: text or json")
	completeWith(cmd, "format", []string{"text", "json"})
	return func() (bool, error) {
		if format != "text" && format != "json" {
			return false, usage("--format %s: expected text or json", format)
		}
		return format == "json", nil
	}
}

// readPolicy reads a policy document from a file or standard input, or that of
// an AWS managed policy by its ARN.
func readPolicy(name string, in io.Reader, data *iam.Data) (*iam.Policy, error) {
	var text []byte
	var err error
	switch {
	case strings.HasPrefix(name, "arn:"):
		var ok bool
		if text, _, ok = data.ManagedPolicy(name); !ok {
			return nil, usage("%s is not in the table of AWS's managed policies", name)
		}
	case name == "-":
		text, err = io.ReadAll(in)
	default:
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, usage("%s: cannot be read: %w", name, err)
	}
	doc, err := iam.Parse(text)
	if err != nil {
		return nil, usage("%s:%w", name, err)
	}
	return iam.Compile(name, doc, data), nil
}

func newCompare(s Streams) *cobra.Command {
	var policy, baseline string
	var smt bool
	cmd := &cobra.Command{
		Use:   "compare --policy FILE --baseline FILE",
		Short: "Prove that one policy allows no more than another, or show a request for which it does",
		Long: `compare answers over all requests: is everything that the policy allows allowed
by the baseline? The answer is proved, refuted with a request that one allows and
the other does not, or unknown with the reason. It tells too whether the two
allow the same, less, more, some of the same or nothing in common, and lists what
the policy allows beyond the baseline, statement by statement.

A FILE is a policy document, "-" for standard input, or the ARN of a managed
policy of AWS. docs/iam-proofs.md says what the answers rest on.

Exit codes: 0 proved, 1 refuted, 2 wrong usage, 3 unknown.`,
		Example: `  assay iam compare --policy deploy.json --baseline approved.json
  assay iam compare --policy arn:aws:iam::aws:policy/ReadOnlyAccess --baseline arn:aws:iam::aws:policy/job-function/ViewOnlyAccess`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&policy, "policy", "", "policy document: a `file`, - or an ARN of AWS's managed policies")
	cmd.Flags().StringVar(&baseline, "baseline", "", "what it is held against: a `file`, - or an ARN")
	cmd.Flags().BoolVar(&smt, "smt", false, "write the question in SMT-LIB, for another solver, in place of an answer")
	limits := limitFlags(cmd)
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		asJSON, err := format()
		switch {
		case err != nil:
			return err
		case policy == "" || baseline == "":
			return usage("compare needs --policy and --baseline")
		case policy == "-" && baseline == "-":
			return usage("only one of --policy and --baseline can be standard input")
		}
		data, err := iamData()
		if err != nil {
			return err
		}
		a, err := readPolicy(policy, s.In, data)
		if err != nil {
			return err
		}
		b, err := readPolicy(baseline, s.In, data)
		if err != nil {
			return err
		}
		if smt {
			script, err := iam.SMT(a, b, data)
			if err != nil {
				return usage("--smt: %w", err)
			}
			_, err = io.WriteString(s.Out, script)
			return err
		}
		c := iam.Compare(a, b, data, *limits)
		var excess []iam.Residual
		open := "" // why the list may not be all there is
		if c.Within.Verdict == iam.Refuted {
			var rest iam.Proof
			excess, rest = iam.Excess(a, b, data, *limits)
			open = rest.Reason
		}
		if asJSON {
			err = writeComparisonJSON(s.Out, c, excess, open, data)
		} else {
			writeComparison(s.Out, policy, baseline, c, excess, data)
			if open != "" {
				fmt.Fprintf(s.Out, "  not decided  whether there is more: %s\n", open)
			}
		}
		if err != nil {
			return err
		}
		return exitOf(c.Within.Verdict)
	}
	return cmd
}

// exitOf is the exit code of a verdict.
func exitOf(v iam.Verdict) error {
	switch v {
	case iam.Proved:
		return nil
	case iam.Refuted:
		return &exit{code: ExitFailed}
	default:
		return &exit{code: ExitIncomplete}
	}
}

// relationWords say how two policies are related.
var relationWords = map[iam.Relation]string{
	iam.NotCompared: "not decided", iam.Same: "both allow the same", iam.Narrower: "the policy allows less than the baseline",
	iam.Broader: "the policy allows all of the baseline, and more", iam.Overlapping: "each allows something that the other does not",
	iam.Disjoint: "they allow nothing in common",
}

func writeComparison(w io.Writer, policy, baseline string, c iam.Comparison, excess []iam.Residual, data *iam.Data) {
	switch c.Within.Verdict {
	case iam.Proved:
		fmt.Fprintf(w, "proved: everything that %s allows is allowed by %s\n", policy, baseline)
	case iam.Refuted:
		fmt.Fprintf(w, "refuted: %s allows what %s does not\n", policy, baseline)
		writeWitness(w, "  e.g.      ", c.Within.Witness[0], asWritten)
	default:
		fmt.Fprintf(w, "unknown: whether everything that %s allows is allowed by %s is not decided\n  reason    %s\n", policy, baseline, c.Within.Reason)
	}
	fmt.Fprintf(w, "  relation  %s\n", relationWords[c.Relation])
	if c.Covers.Verdict == iam.Refuted {
		writeWitness(w, "  only the baseline allows e.g.\n            ", c.Covers.Witness[0], asWritten)
	}
	for _, r := range (c.Within.Contested | c.Covers.Contested).Rules() {
		fmt.Fprintf(w, "  contested %s: read the other way, a request above is decided otherwise\n", r)
	}
	if len(excess) > 0 {
		fmt.Fprintln(w, "\nbeyond the baseline")
	}
	for _, r := range excess {
		fmt.Fprintf(w, "  statement %d%s\n", r.Statement+1, sidOf(&r.Policy.Document.Statements[r.Statement]))
		writeResidual(w, r, data, asWritten)
	}
}

func asWritten(s string) string { return s }

// writeWitness writes a request in words.
func writeWitness(w io.Writer, label string, r iam.RequestSpec, words func(string) string) {
	fmt.Fprintf(w, "%s%s by %s\n", label, r.Action, words(r.Principal))
	indent := strings.Repeat(" ", 12)
	fmt.Fprintf(w, "%son %s\n", indent, words(r.Resource))
	for _, k := range slices.Sorted(maps.Keys(r.Context)) {
		if v := r.Context[k]; len(v) == 0 {
			fmt.Fprintf(w, "%swithout %s\n", indent, k)
		} else {
			fmt.Fprintf(w, "%swith %s = %s\n", indent, k, words(strings.Join(v, ", ")))
		}
	}
}

// writeResidual writes what a statement allows beyond something else.
func writeResidual(w io.Writer, r iam.Residual, data *iam.Data, words func(string) string) {
	statement := &r.Policy.Document.Statements[r.Statement]
	fmt.Fprintf(w, "    actions    %s\n", wrapped(actionWords(r, data), 15))
	resources, label := statement.Resource, "resources"
	if statement.NotResource != nil {
		resources, label = statement.NotResource, "all but"
	}
	if resources != nil {
		fmt.Fprintf(w, "    %-9s  %s\n", label, words(textsOf(resources)))
	}
	for i := range statement.Condition {
		fmt.Fprintf(w, "    where      %s\n", words(conditionWords(&statement.Condition[i])))
	}
	for _, list := range []struct {
		label string
		of    []iam.Reference
	}{{"within", r.Within}, {"except", r.Except}} {
		for _, e := range list.of {
			fmt.Fprintf(w, "    %-9s  what statement %d of %s names\n", list.label, e.Statement+1, words(e.Policy.Name))
		}
	}
}

func sidOf(s *iam.Statement) string {
	if s.Sid == "" {
		return ""
	}
	return " (" + s.Sid + ")"
}

// actionWords names the actions of a residual, in patterns where those name no
// more than they should.
func actionWords(r iam.Residual, data *iam.Data) []string {
	list := r.Patterns(data)
	if r.Others {
		list = append(list, "and every action of the services that no statement names")
	}
	if r.Unlisted {
		list = []string{"actions that AWS may add, such as " + strings.Join(r.Actions[:1], ", ")}
	}
	return list
}

// wrapped joins words in lines, from some column on.
func wrapped(list []string, column int) string {
	const width = 100
	var b strings.Builder
	at := column
	for i, s := range list {
		if i < len(list)-1 {
			s += ","
		}
		switch {
		case i == 0:
		case at+1+len(s) > width:
			b.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(s)
		at += len(s)
	}
	return b.String()
}

func textsOf(t *iam.Texts) string {
	if t == nil {
		return ""
	}
	var list []string
	for _, v := range t.Values {
		list = append(list, v.Value)
	}
	return strings.Join(list, ", ")
}

func conditionWords(c *iam.Condition) string {
	return c.Operator + " " + c.Key + " " + textsOf(&c.Values)
}

// requestJSON is a request as assay iam decide reads it.
type requestJSON struct {
	Principal       string              `json:"principal"`
	Action          string              `json:"action"`
	Resource        string              `json:"resource"`
	ResourceAccount string              `json:"resourceAccount,omitempty"`
	Context         map[string][]string `json:"context"`
	ContextComplete bool                `json:"contextComplete"`
}

func requestOf(r iam.RequestSpec, words func(string) string) requestJSON {
	out := requestJSON{words(r.Principal), r.Action, words(r.Resource), words(r.ResourceAccount), map[string][]string{}, r.ContextComplete}
	for k, list := range r.Context {
		values := []string{}
		for _, v := range list {
			values = append(values, words(v))
		}
		out.Context[k] = values
	}
	return out
}

// proofJSON is a verdict with what it stands on.
type proofJSON struct {
	Verdict   string        `json:"verdict"`
	Witness   []requestJSON `json:"witness,omitempty"`
	Contested []string      `json:"contested,omitempty"`
	Reason    string        `json:"reason,omitempty"`
}

func proofOf(p iam.Proof, words func(string) string) proofJSON {
	out := proofJSON{Verdict: p.Verdict.String(), Reason: words(p.Reason)}
	for _, r := range p.Witness {
		out.Witness = append(out.Witness, requestOf(r, words))
	}
	for _, r := range p.Contested.Rules() {
		out.Contested = append(out.Contested, r.String())
	}
	return out
}

// residualJSON is what a statement allows beyond something else.
type residualJSON struct {
	Policy    string          `json:"policy"`
	Statement int             `json:"statement"` // from 1
	Allows    json.RawMessage `json:"allows"`    // the statement, with the actions that are in excess
	Others    bool            `json:"otherServices,omitempty"`
	Unlisted  bool            `json:"unlisted,omitempty"`
	Within    []referenceJSON `json:"within,omitempty"` // statements that it is held to
	Except    []referenceJSON `json:"except,omitempty"` // statements that take a part of it away
	Witness   requestJSON     `json:"witness"`
}

type referenceJSON struct {
	Policy    string `json:"policy"`
	Statement int    `json:"statement"` // from 1
}

func residualOf(r iam.Residual, data *iam.Data, words func(string) string) (residualJSON, error) {
	out := residualJSON{Policy: words(r.Policy.Name), Statement: r.Statement + 1, Others: r.Others, Unlisted: r.Unlisted, Witness: requestOf(r.Witness, words)}
	doc, err := r.Document(r.Patterns(data), words).MarshalJSON()
	if err != nil {
		return out, err
	}
	out.Allows = doc
	for _, list := range []struct {
		into *[]referenceJSON
		of   []iam.Reference
	}{{&out.Within, r.Within}, {&out.Except, r.Except}} {
		for _, e := range list.of {
			*list.into = append(*list.into, referenceJSON{words(e.Policy.Name), e.Statement + 1})
		}
	}
	return out, nil
}

func writeComparisonJSON(w io.Writer, c iam.Comparison, excess []iam.Residual, open string, data *iam.Data) error {
	out := struct {
		Relation string         `json:"relation"`
		Within   proofJSON      `json:"within"`
		Covers   proofJSON      `json:"covers"`
		Apart    proofJSON      `json:"disjoint"`
		Excess   []residualJSON `json:"excess"`
		Open     string         `json:"excessOpen,omitempty"` // why there may be more of it
	}{c.Relation.String(), proofOf(c.Within, asWritten), proofOf(c.Covers, asWritten), proofOf(c.Apart, asWritten), []residualJSON{}, open}
	for _, r := range excess {
		one, err := residualOf(r, data, asWritten)
		if err != nil {
			return err
		}
		out.Excess = append(out.Excess, one)
	}
	return writeJSON(w, out)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
