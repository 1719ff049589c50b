package cli

import (
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"assay/internal/assess"
	"assay/internal/estate"
)

func newEstate(s Streams) *cobra.Command {
	var in inputs
	var format, output string
	cmd := &cobra.Command{
		Use:   "estate [PATH…]",
		Short: "Print the normalised estate: what assay read, a resource a line",
		Long: `estate shows what check judges: every resource in CloudFormation shape, with
its position, its edges, and what is not known of it. --format json prints the
resources alone, a JSON object each; --format file writes an estate file, which
check reads like a template. An output that ends in .zst is compressed.`,
		Example: `  assay estate template.yaml | jq 'select(.type == "AWS::Lambda::Function")'
  assay estate . --format file --output estate.jsonl.zst && assay check estate.jsonl.zst`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "json" && format != "file" {
				return usage("--format %s: expected json or file", format)
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			return writeEstate(cmd, args, &in, format, output, s)
		},
	}
	in.flags(cmd.Flags())
	cmd.Flags().StringVarP(&format, "format", "f", "json", "`format`: json (resources alone) or file (an estate file)")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write (default standard output)")
	completeWith(cmd, "format", []string{"json", "file"})
	return cmd
}

func writeEstate(cmd *cobra.Command, args []string, in *inputs, format, output string, s Streams) error {
	model, err := newModel()
	if err != nil {
		return err
	}
	files, collectors, missing := in.sources(model, args)
	if len(files) == 0 && missing != nil {
		return missing
	}
	out, closeFile, err := create(output, s)
	if err != nil {
		return err
	}
	out, finish, err := compress(out, output)
	if err != nil {
		return err
	}
	w := estate.NewWriter(out)
	if format == "json" {
		w = estate.NewResourceWriter(out)
	}
	scopes, incomplete := 0, missing != nil
	for _, file := range files {
		for _, scope := range estate.Build(model, assess.Read(cmd.Context(), collectors, file, s.In)) {
			scopes++
			for _, p := range scope.Problems() {
				incomplete = incomplete || p.Fatal
				cmd.PrintErrln(told(p))
			}
			if err := w.Write(scope); err != nil {
				return err
			}
		}
	}
	if err := finish(); err != nil {
		return err
	}
	if err := closeFile(); err != nil {
		return err
	}
	switch {
	case scopes == 0:
		return usage("nothing to read in %s: no template, Terraform configuration, plan, state or estate file was found", strings.Join(args, ", "))
	case incomplete:
		return &exit{ExitIncomplete, missing}
	}
	return nil
}

// compress wraps w when the file's name asks for it.
func compress(w io.Writer, path string) (io.Writer, func() error, error) {
	if !strings.HasSuffix(path, ".zst") {
		return w, func() error { return nil }, nil
	}
	// One thread, so that the same estate always gives the same bytes.
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}
