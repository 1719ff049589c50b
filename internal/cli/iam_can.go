package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"assay/iam"
	"assay/internal/access"
	"assay/internal/assess"
	"assay/internal/estate"
)

func newCan(s Streams) *cobra.Command {
	var in inputs
	var paths, context, scps, rcps, endpoint []string
	var rule string
	var complete bool
	var format string
	cmd := &cobra.Command{
		Use:   "can PRINCIPAL ACTION RESOURCE",
		Short: "Ask whether a function, role or anybody may do something in an estate",
		Long: `can asks one request of the policies that an estate holds. PRINCIPAL is the
address of a function (which acts with its role), role or user; or an ARN, a
service name such as s3.amazonaws.com, or anonymous. RESOURCE is the address of a
resource, with what follows its name in the ARN behind it (Bucket/key,
Function:alias); or an ARN, or "*" for an action without a resource.

The answer is yes, no or unknown, with the statements that made it. Organisation
policies are not in templates: give them level by level, from the root to the
account, or they are left out. The action lambda:InvokeFunctionUrl is a call of
the function's URL, which needs lambda:InvokeFunction as well unless the account
is exempt. docs/iam.md says what else is outside of the model. Exit codes: 0 yes,
1 no, 2 wrong usage, 3 unknown.`,
		Example: `  assay iam can ChargeFunction sqs:SendMessage DeadLetters --estate template.yaml
  assay iam can s3.amazonaws.com lambda:InvokeFunction Charge --estate . --context aws:SourceAccount=111122223333
  assay iam can ChargeFunction s3:PutObject BankFiles/x --estate . --scp root.json --scp unit.json,account.json
  assay iam can anonymous lambda:InvokeFunctionUrl ChargeFunction --estate . --function-url-rule enforced`,
		Args: cobra.ExactArgs(3),
	}
	in.flags(cmd.Flags())
	semantics := semanticsFlag(cmd)
	cmd.Flags().StringArrayVarP(&paths, "estate", "e", []string{"."}, "`path` of templates, Terraform or an estate file to read (repeatable)")
	cmd.Flags().StringArrayVar(&context, "context", nil, "condition key of the request, as `KEY=VALUE` (repeatable; a key may have several values)")
	cmd.Flags().BoolVar(&complete, "context-complete", false, "the request has no condition keys but those that are given and those that follow from the principal")
	cmd.Flags().StringArrayVar(&scps, "scp", nil, "`file` with the service control policy of a level (repeatable, from the root to the account; several of one level as A,B)")
	cmd.Flags().StringArrayVar(&rcps, "rcp", nil, "`file` with a resource control policy of a level, likewise")
	cmd.Flags().StringArrayVar(&endpoint, "endpoint-policy", nil, "`file` with the policy of the VPC endpoint that the request comes through")
	cmd.Flags().StringVar(&rule, "function-url-rule", "unknown", "whether calls of function URLs need lambda:InvokeFunction, too: `enforced`, exempt or unknown")
	completeWith(cmd, "function-url-rule", []string{"enforced", "exempt", "unknown"})
	cmd.Flags().StringVarP(&format, "format", "f", "text", "`format`: text or json")
	completeWith(cmd, "format", []string{"text", "json"})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if format != "text" && format != "json" {
			return usage("--format %s: expected text or json", format)
		}
		q := access.Query{Principal: args[0], Action: args[1], Resource: args[2], Context: map[string][]string{}, Complete: complete}
		var err error
		if q.Semantics, err = semantics(); err != nil {
			return err
		}
		for _, c := range context {
			key, value, ok := strings.Cut(c, "=")
			if !ok || key == "" {
				return usage("--context %s: expected KEY=VALUE", c)
			}
			q.Context[key] = append(q.Context[key], value)
		}
		var ok bool
		if q.URLRule, ok = iam.ParseURLRule(rule); !ok {
			return usage("--function-url-rule %s: expected enforced, exempt or unknown", rule)
		}
		data, err := iamData()
		if err != nil {
			return err
		}
		if q.SCPs, err = readLevels(scps, data); err != nil {
			return err
		}
		if q.RCPs, err = readLevels(rcps, data); err != nil {
			return err
		}
		if q.Endpoint, err = readPolicies(endpoint, data); err != nil {
			return err
		}
		scopes, unread, err := readScopes(cmd, &in, paths, s)
		if err != nil {
			return err
		}
		f, err := newAccess(data).Can(scopes, q)
		if err != nil {
			return usage("%w", err)
		}
		if unread {
			f.Notes = append(f.Notes, "a part of the estate could not be read")
		}
		if format == "json" {
			err = writeCanJSON(s.Out, f)
		} else {
			writeCan(s.Out, q, f)
		}
		switch {
		case err != nil:
			return err
		case f.Decision == iam.Unknown:
			return &exit{code: ExitIncomplete}
		case f.Decision != iam.Allowed:
			return &exit{code: ExitFailed}
		}
		return nil
	}
	return cmd
}

// readScopes reads everything under paths. unread is set when a part of it
// could not be read.
func readScopes(cmd *cobra.Command, in *inputs, paths []string, s Streams) (scopes []*estate.Scope, unread bool, err error) {
	model, err := newModel()
	if err != nil {
		return nil, false, err
	}
	groups, collectors, missing := in.sources(model, paths)
	if len(groups) == 0 && missing != nil {
		return nil, false, missing
	}
	unread = missing != nil
	for _, g := range groups {
		for _, scope := range estate.Build(model, assess.Read(cmd.Context(), collectors, g, s.In)) {
			scopes = append(scopes, scope)
			for _, p := range scope.Problems() {
				unread = unread || p.Fatal
				cmd.PrintErrln(told(p))
			}
		}
	}
	if len(scopes) == 0 {
		return nil, unread, usage("nothing to read in %s: no template, Terraform configuration, plan, state or estate file was found", strings.Join(paths, ", "))
	}
	return scopes, unread, nil
}

// readLevels reads control policies, a level an argument.
func readLevels(args []string, data *iam.Data) (levels [][]*iam.Policy, err error) {
	for _, arg := range args {
		level, err := readPolicies(strings.Split(arg, ","), data)
		if err != nil {
			return nil, err
		}
		levels = append(levels, level)
	}
	return levels, nil
}

func readPolicies(files []string, data *iam.Data) (policies []*iam.Policy, err error) {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, usage("%s: cannot be read: %w", file, errors.Unwrap(err))
		}
		doc, err := iam.Parse(text)
		if err != nil {
			return nil, usage("%s:%w", file, err)
		}
		policies = append(policies, iam.Compile(file, doc, data))
	}
	return policies, nil
}

// said are the decisions in words.
var said = map[iam.Decision]string{
	iam.Allowed: "yes: %s may %s on %s\n", iam.ImplicitDeny: "no: %s may not %s on %s (nothing allows it)\n",
	iam.ExplicitDeny: "no: %s may not %s on %s (a Deny forbids it)\n", iam.Unknown: "unknown: whether %s may %s on %s is not decided\n",
}

// gateWords say what was not passed.
var gateWords = map[iam.Gate]string{
	iam.GateCaller: "a principal of this kind cannot make the request", iam.GateAWSOwned: "the resource belongs to AWS", iam.GateSCP: "service control policies",
	iam.GateRCP: "resource control policies", iam.GateEndpoint: "the VPC endpoint's policy", iam.GateResource: "the resource's policy", iam.GateIdentity: "the principal's own policies",
	iam.GateBoundary: "the permissions boundary", iam.GateSession: "the session policy",
}

func writeCan(w io.Writer, q access.Query, f *access.Finding) {
	fmt.Fprintf(w, said[f.Decision], q.Principal, q.Action, q.Resource)
	if f.Principal != q.Principal || f.Resource != q.Resource {
		fmt.Fprintf(w, "  asked as    %s\n              %s\n", f.Principal, f.Resource)
	}
	if f.Gate != iam.NoGate {
		label := "stopped by"
		if f.Decision == iam.Unknown {
			label = "open at"
		}
		fmt.Fprintf(w, "  %-10s  %s\n", label, gateWords[f.Gate])
	}
	for _, match := range []struct {
		is    iam.Match
		label string
	}{{iam.Matches, "matches"}, {iam.MayMatch, "may match"}, {iam.MatchesNot, "not"}} {
		for _, s := range f.Statements {
			if s.Match != match.is {
				continue
			}
			fmt.Fprintf(w, "  %-10s  %s\n", match.label, strings.TrimSpace(s.Effect.String()+" "+s.Policy))
			if s.Action != "" {
				fmt.Fprintf(w, "              for %s\n", s.Action)
			}
			if s.Why != "" {
				fmt.Fprintf(w, "              %s\n", s.Why)
			}
			if !s.Position.IsZero() {
				fmt.Fprintf(w, "              %s\n", s.Position)
			}
		}
	}
	for _, g := range f.Missing {
		fmt.Fprintf(w, "  missing     %s\n", g)
	}
	for _, rule := range f.Contested {
		fmt.Fprintf(w, "  contested   %s: read the other way, it is decided otherwise\n", rule)
	}
	if len(f.Outside) > 0 {
		fmt.Fprintf(w, "  not asked   %s\n", strings.Join(f.Outside, ", "))
	}
	for _, n := range f.Notes {
		fmt.Fprintf(w, "  note        %s\n", n)
	}
}

func writeCanJSON(w io.Writer, f *access.Finding) error {
	type statement struct {
		In      string         `json:"in"`
		Action  string         `json:"action,omitempty"`
		Policy  string         `json:"policy"`
		Effect  string         `json:"effect"`
		Matches string         `json:"matches"`
		Why     string         `json:"why,omitempty"`
		Source  *assess.Source `json:"source,omitempty"`
	}
	out := struct {
		Principal  string      `json:"principal"`
		Action     string      `json:"action"`
		Resource   string      `json:"resource"`
		Decision   string      `json:"decision"`
		Gate       string      `json:"gate"`
		Contested  []string    `json:"contested"`
		Missing    []string    `json:"missing"`
		Statements []statement `json:"statements"`
		Outside    []string    `json:"outside"`
		Notes      []string    `json:"notes"`
	}{f.Principal, f.Action, f.Resource, f.Decision.String(), f.Gate.String(), append([]string{}, f.Contested...), []string{}, []statement{}, append([]string{}, f.Outside...), f.Notes}
	for _, g := range f.Missing {
		out.Missing = append(out.Missing, g.String())
	}
	for _, s := range f.Statements {
		one := statement{In: s.Gate.String(), Action: s.Action, Policy: s.Policy, Effect: s.Effect.String(), Matches: s.Match.String(), Why: s.Why}
		if !s.Position.IsZero() {
			source := assess.Source(s.Position)
			one.Source = &source
		}
		out.Statements = append(out.Statements, one)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}
