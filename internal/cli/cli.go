// Package cli is assay's command line: commands, flags and exit codes. It is
// the composition root, with the one list of collectors and reporters.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes. A failure wins over an incomplete run.
const (
	ExitClean      = 0 // nothing at or above the threshold fails
	ExitFailed     = 1 // something does
	ExitUsage      = 2 // wrong usage, or nothing readable
	ExitIncomplete = 3 // something could not be read or judged
)

// Streams are a process's standard streams. The booleans say whether each is
// a terminal.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	InTTY    bool
	OutTTY   bool
	ErrTTY   bool

	unfinished *[]string // outputs that do not have their name yet
}

// exit is an error that carries an exit code. Its cause may be nil, when
// everything there is to say has been said.
type exit struct {
	code  int
	cause error
}

func (e *exit) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.cause.Error()
}

func (e *exit) Unwrap() error { return e.cause }

// usage is an error in how the program was called.
func usage(format string, args ...any) error {
	return &exit{ExitUsage, fmt.Errorf(format, args...)}
}

// Run runs one command and returns the exit code.
func Run(ctx context.Context, args []string, s Streams) int {
	out := &watched{Writer: s.Out}
	s.Out, s.unfinished = out, &[]string{}
	code := run(ctx, args, s)
	for _, name := range left(*s.unfinished) {
		fmt.Fprintf(s.Err, "assay: what was written so far is in %s\n", name)
	}
	if out.err != nil {
		fmt.Fprintf(s.Err, "assay: standard output: %v\n", out.err)
		return ExitIncomplete
	}
	return code
}

func run(ctx context.Context, args []string, s Streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	var e *exit
	switch {
	case err == nil:
		return ExitClean
	case errors.As(err, &e):
		if e.cause != nil {
			fmt.Fprintf(s.Err, "assay: %s\n", told(e.cause))
		}
		return e.code
	case ctx.Err() != nil:
		fmt.Fprintln(s.Err, "assay: interrupted; the output so far is incomplete")
		return ExitIncomplete
	case isWriteError(err):
		fmt.Fprintf(s.Err, "assay: %s\n", told(err))
		return ExitIncomplete
	default:
		fmt.Fprintf(s.Err, "assay: %s\nRun assay --help for the commands.\n", told(err))
		return ExitUsage
	}
}

func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "assay",
		Short: "Assess AWS Lambda workloads against the rules they live under",
		Long: `assay reads CloudFormation and SAM templates and Terraform plans, decides
technical checks over them, and reports where the Lambda workloads stand
against the requirements of compliance frameworks. What could not be read is
unknown, never compliant.

Exit codes: 0 nothing at or above the threshold fails; 1 something does;
2 wrong usage, or nothing readable; 3 something could not be read or judged.`,
		Example:       "  assay check .\n  assay explain LAMBDA-CODE-SIGNING",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		newCheck(s), newScope(s), newResponsibility(s), newExplain(s), newReport(s), newWaive(s), newEstate(s), newCollect(s),
		newChecks(s), newFrameworks(s), newIAM(s), newVersion(s),
	)
	root.CompletionOptions.HiddenDefaultCmd = false
	return root
}

// isWriteError tells a file that could not be written from a command that was
// called wrongly.
func isWriteError(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed)
}

// told is the text of an error without what a terminal would obey: names and
// values of the user's files are in it.
func told(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}
