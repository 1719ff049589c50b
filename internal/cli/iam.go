package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"assay/iam"
	"assay/tables"
)

func newIAM(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "iam",
		Short: "Decide IAM requests as AWS decides them, and read policy documents",
		Example: `  assay iam decide requests.jsonl
  assay iam can PaymentsFunctionRole s3:GetObject arn:aws:s3:::ledger/x --estate template.yaml
  assay iam validate policy.json`,
	}
	cmd.AddCommand(newDecide(s), newCan(s), newCompare(s), newPublic(s), newExcess(s), newEscalate(s), newValidate(s))
	return cmd
}

// iamData is the tables of actions and managed policies.
func iamData() (*iam.Data, error) {
	return iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
}

// semanticsFlag adds the flag that says how the contested rules are read.
func semanticsFlag(cmd *cobra.Command) func() (iam.Semantics, error) {
	var name string
	cmd.Flags().StringVar(&name, "semantics", iam.Documents.Name, "how contested rules are read: `documents` (AWS's) or peers; \",RULE\" behind it reads one rule the other way")
	completeWith(cmd, "semantics", []string{iam.Documents.Name, iam.Peers.Name})
	return func() (iam.Semantics, error) {
		sem, err := iam.ParseSemantics(name)
		if err != nil {
			return sem, usage("--semantics: %w", err)
		}
		return sem, nil
	}
}

func newDecide(s Streams) *cobra.Command {
	var explain bool
	var output string
	cmd := &cobra.Command{
		Use:   "decide [FILE]",
		Short: "Answer authorisation requests, a JSON object a line",
		Long: `decide reads requests, each with the policies that bear on it, and writes an
answer a line in the same order as it goes: allowed, explicit-deny,
implicit-deny or unknown, the first gate that was not passed, the statements
that matched, the context keys that are missing, and the contested rules on
which the answer turns. docs/iam.md gives the form of both.

Without FILE, or with "-", requests come from standard input. A line such as
{"policies": {"admin": {…}}} gives documents names that later requests may use
in place of documents. A line that cannot be read is answered with its error,
and the exit code is 3.`,
		Example: `  echo '{"principal": "arn:aws:iam::111122223333:user/ann", "action": "s3:GetObject",
    "resource": "arn:aws:s3:::ledger/x", "identityPolicies": [{"Statement": {"Effect": "Allow",
    "Action": "s3:Get*", "Resource": "*"}}]}' | tr -d '\n' | assay iam decide
  assay iam decide requests.jsonl --explain -o answers.jsonl`,
		Args: cobra.MaximumNArgs(1),
	}
	semantics := semanticsFlag(cmd)
	cmd.Flags().BoolVar(&explain, "explain", false, "add every statement with the reason why it does or does not match")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write (default standard output)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		sem, err := semantics()
		if err != nil {
			return err
		}
		data, err := iamData()
		if err != nil {
			return err
		}
		in, name := s.In, "standard input"
		if len(args) == 1 && args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return usage("%s: cannot be read: %w", args[0], errors.Unwrap(err))
			}
			defer f.Close()
			in, name = f, args[0]
		}
		out, finish, err := create(output, s)
		if err != nil {
			return err
		}
		lines := iam.NewLines(data)
		lines.Semantics, lines.Full = sem, explain
		bad, err := decideLines(cmd, lines, in, name, out)
		if err != nil {
			return err
		}
		if err := finish(); err != nil {
			return err
		}
		if bad > 0 {
			return &exit{code: ExitIncomplete}
		}
		return nil
	}
	return cmd
}

// decideLines answers the requests of in, and says how many could not be read.
// Answers leave as soon as no further request is waiting.
func decideLines(cmd *cobra.Command, lines *iam.Lines, in io.Reader, name string, out io.Writer) (bad int, err error) {
	r := bufio.NewReaderSize(in, 1<<20)
	w := bufio.NewWriterSize(out, 1<<16)
	var long []byte // the beginning of a line that is longer than the buffer
	for number := 1; ; number++ {
		line, err := r.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(long) <= iam.MaxDocument { // what is longer is refused, and need not be kept
				long = append(long, line...)
			}
			line, err = r.ReadSlice('\n')
		}
		if len(long) > 0 {
			long = append(long, line...)
			line = long
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return bad, errors.Join(w.Flush(), fmt.Errorf("%s: %w", name, err))
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // some editors begin a file with it
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			answer, failed := lines.Answer(text)
			if failed != nil {
				bad++
				cmd.PrintErrf("%s:%d: %v\n", name, number, failed)
			}
			if _, err := w.Write(answer); err != nil {
				return bad, err
			}
		}
		long = long[:0]
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return bad, err
			}
		}
		if err != nil {
			return bad, w.Flush()
		}
		if cmd.Context().Err() != nil {
			return bad, errors.Join(w.Flush(), cmd.Context().Err())
		}
	}
}

func newValidate(s Streams) *cobra.Command {
	var kind, format string
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check policy documents for errors and for what is probably not meant",
		Long: `validate reads policy documents, one JSON object a file, and reports what AWS
would refuse and what can never match or is probably not meant: unknown actions,
impossible conditions, malformed ARNs, deprecated elements. Exit code 1 means
that there is an error.`,
		Example: "  assay iam validate policy.json\n  assay iam validate trust.json --type trust --format json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			use, ok := iam.ParseKind(kind)
			if !ok {
				return usage("--type %s: expected one of %s", kind, strings.Join(iam.Kinds(), ", "))
			}
			if format != "text" && format != "json" {
				return usage("--format %s: expected text or json", format)
			}
			data, err := iamData()
			if err != nil {
				return err
			}
			return validate(cmd, s, args, use, format, data)
		},
	}
	cmd.Flags().StringVar(&kind, "type", "identity", "what the documents are used as: `"+strings.Join(iam.Kinds(), ", ")+"`")
	cmd.Flags().StringVarP(&format, "format", "f", "text", "`format`: text or json (an object an issue)")
	completeWith(cmd, "type", iam.Kinds())
	completeWith(cmd, "format", []string{"text", "json"})
	return cmd
}

func validate(cmd *cobra.Command, s Streams, files []string, use iam.Kind, format string, data *iam.Data) error {
	failed, unread := false, false
	enc := json.NewEncoder(s.Out)
	enc.SetEscapeHTML(false)
	for _, file := range files {
		var text []byte
		var err error
		if file == "-" {
			text, err = io.ReadAll(s.In)
		} else {
			text, err = os.ReadFile(file)
		}
		if err != nil {
			cmd.PrintErrf("assay: %s: cannot be read: %v\n", file, errors.Unwrap(err))
			unread = true
			continue
		}
		for _, issue := range iam.Validate(text, use, data) {
			failed = failed || issue.Level == iam.LevelError
			if format == "text" {
				fmt.Fprintf(s.Out, "%s:%s\n", file, issue)
				continue
			}
			if err := enc.Encode(struct {
				File string `json:"file"`
				iam.Issue
			}{file, issue}); err != nil {
				return err
			}
		}
	}
	switch {
	case failed:
		return &exit{code: ExitFailed}
	case unread:
		return &exit{code: ExitIncomplete}
	}
	return nil
}
