package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"assay/internal/collect"
	"assay/internal/collect/aws"
	"assay/internal/estate"
)

// livePrefix begins the name of an account where a path could stand.
const livePrefix = "aws://"

// live are the flags that say which account is read and how.
type live struct {
	profile    string
	regions    []string
	role       string
	externalID string
	fips       bool
	all        bool
	filters    bool // of every log group
	rate       float64
	maxCalls   int64
	needed     func(typeName string) bool // nil: every type
}

func (l *live) flags(f *pflag.FlagSet) {
	f.StringVar(&l.profile, "aws-profile", "", "`name` of a profile of the AWS configuration (default AWS_PROFILE, or the SDK's chain)")
	f.StringArrayVar(&l.regions, "region", nil, "`region` to read (repeatable; default that of the AWS configuration)")
	f.StringVar(&l.role, "role", "", "`ARN` of a role to assume first")
	f.StringVar(&l.externalID, "external-id", "", "external `id` for --role")
	f.BoolVar(&l.fips, "fips", false, "use FIPS endpoints")
	f.BoolVar(&l.all, "all-resources", false, "read every resource of each service, not only what functions lead to")
	f.Float64Var(&l.rate, "rate", 0.2, "`share` of AWS's request quotas to use, above 0 and at most 1")
	f.Int64Var(&l.maxCalls, "max-calls", 0, "stop after so many `calls`; 0 is any number")
}

// account finds the account that name stands for: aws://, or aws://REGION,REGION.
func (l *live) account(ctx context.Context, m *estate.Model, name string, s Streams) (*aws.Account, error) {
	regions := slices.Clone(l.regions)
	if rest := strings.Trim(strings.TrimPrefix(name, livePrefix), "/"); rest != "" {
		regions = append(regions, strings.Split(rest, ",")...)
	}
	salt := make([]byte, 32)
	rand.Read(salt) // never fails (crypto/rand)
	o := aws.Options{
		Model: m, Regions: regions, Profile: l.profile, RoleARN: l.role, ExternalID: l.externalID,
		FIPS: l.fips, All: l.all, Filters: l.filters, Needed: l.needed, Rate: l.rate, MaxCalls: l.maxCalls, Salt: salt, Now: time.Now,
	}
	if s.ErrTTY {
		o.Progress = func(p aws.Progress) { showCalls(s.Err, p) }
	}
	account, err := aws.Open(ctx, o)
	if err != nil {
		return nil, usage("%s: %w", name, err)
	}
	return account, nil
}

// source is an account as a source of a run. When ctx ends, what was read until
// then is judged.
func (l *live) source(ctx context.Context, a *aws.Account, s Streams) collect.Found {
	return collect.Live(livePrefix+a.ID, func(context.Context) []*estate.Builder {
		scopes := a.Collect(ctx)
		if s.ErrTTY {
			fmt.Fprint(s.Err, "\r\x1b[K")
		}
		return scopes
	})
}

func showCalls(w io.Writer, p aws.Progress) {
	line := fmt.Sprintf("reading the account: %d of about %d calls", p.Calls, p.Expected)
	if p.Left > 0 {
		line += fmt.Sprintf(", about %v left", p.Left)
	}
	fmt.Fprint(w, "\r\x1b[K"+line)
}

// split parts the names of accounts from paths.
func split(args []string) (accounts, paths []string) {
	for _, a := range args {
		if strings.HasPrefix(a, livePrefix) {
			accounts = append(accounts, a)
			continue
		}
		paths = append(paths, a)
	}
	return accounts, paths
}

func newCollect(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Read a live account into an estate file",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCollectAWS(s))
	return cmd
}

func newCollectAWS(s Streams) *cobra.Command {
	var l live
	var output, policy string
	var checks []string
	var allowIncomplete bool
	cmd := &cobra.Command{
		Use:   "aws",
		Short: "Read an AWS account: its functions and what they lead to",
		Long: `collect aws reads an account with credentials from the SDK's chain and writes
an estate file, which check reads like a template. It starts from functions and
follows what they name. It only reads: --print-policy prints the IAM policy
that is enough, which denies reading code, secrets and data.

What could not be read is told, and stands in the file: checks that need it are
unknown and name the permission that would settle them.

Exit codes: 0 all was read; 2 wrong usage, or no account; 3 something could not
be read and --allow-incomplete was not given.`,
		Example: `  assay collect aws --region eu-central-1 --output estate.jsonl.zst
  assay collect aws --aws-profile audit --region eu-central-1 --region us-east-1 -o estate.jsonl.zst
  assay collect aws --print-policy=cloudformation > assay-reader.yaml
  assay collect aws --print-policy --check LAMBDA-URL-AUTH`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			needed, err := neededBy(checks)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("print-policy") {
				text, err := aws.Policy(policy, needed)
				if err != nil {
					return usage("--print-policy: %w", err)
				}
				_, err = io.WriteString(s.Out, text)
				return err
			}
			l.needed = needed
			return l.collect(cmd, output, allowIncomplete, s)
		},
	}
	f := cmd.Flags()
	l.flags(f)
	f.StringVarP(&output, "output", "o", "", "estate `file` to write, compressed if it ends in .zst (default standard output)")
	f.StringVar(&policy, "print-policy", "json", "print the IAM policy that a reading needs, in this `form`, and read nothing: "+strings.Join(aws.PolicyFormats(), ", "))
	f.Lookup("print-policy").NoOptDefVal = "json"
	f.StringArrayVar(&checks, "check", nil, "read only what this check `id` needs (repeatable; default what any check needs)")
	f.BoolVar(&allowIncomplete, "allow-incomplete", false, "exit as if everything had been read")
	completeWith(cmd, "print-policy", aws.PolicyFormats())
	return cmd
}

// neededBy tells the types that checks look at; nil without checks, or where
// one of them asks a question of an engine, which may look at any.
func neededBy(ids []string) (func(typeName string) bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	e, err := newEngine(nil)
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{"AWS::Lambda::Function": true}
	for _, id := range ids {
		t := e.catalog.Check(strings.ToUpper(id))
		if t == nil {
			return nil, usage("--check %s: there is no such check; assay checks list shows them", id)
		}
		types, all, err := e.library.TypesOf(t)
		if err != nil {
			return nil, err
		}
		if all {
			return nil, nil
		}
		for _, name := range types {
			needed[name] = true
		}
	}
	return func(name string) bool { return needed[name] }, nil
}

func (l *live) collect(cmd *cobra.Command, output string, allowIncomplete bool, s Streams) error {
	model, err := newModel()
	if err != nil {
		return err
	}
	account, err := l.account(cmd.Context(), model, livePrefix, s)
	if err != nil {
		return err
	}
	out, closeFile, err := create(output, s)
	if err != nil {
		return err
	}
	out, finish, err := compress(out, output)
	if err != nil {
		return err
	}
	builders, _ := l.source(cmd.Context(), account, s).Live(cmd.Context())
	w := estate.NewWriter(out)
	incomplete := false
	functions := 0
	for _, scope := range estate.Build(model, builders) {
		functions += len(scope.OfType("AWS::Lambda::Function"))
		for _, p := range scope.Problems() {
			cmd.PrintErrln(told(p))
		}
		incomplete = incomplete || !scope.Whole()
		if err := w.Write(scope); err != nil {
			return err
		}
	}
	if err := finish(); err != nil {
		return err
	}
	if err := closeFile(); err != nil {
		return err
	}
	t := account.Totals()
	cmd.PrintErrf("account %s, %s: %d functions, %d calls", account.ID, strings.Join(account.Regions, " and "), functions, t.Calls)
	if functions > 0 {
		cmd.PrintErrf(" (%.1f a function)", float64(t.Calls)/float64(functions))
	}
	if t.Throttled > 0 {
		cmd.PrintErrf(", %d throttled", t.Throttled)
	}
	cmd.PrintErrln()
	if incomplete && !allowIncomplete {
		return &exit{ExitIncomplete, nil}
	}
	return nil
}
