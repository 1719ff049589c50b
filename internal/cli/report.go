package cli

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"assay/internal/assess"
)

func newReport(s Streams) *cobra.Command {
	var o outputs
	cmd := &cobra.Command{
		Use:   "report FILE",
		Short: "Write a saved stream in other formats",
		Long: `report replays a stream that was saved with --format json into any format.
"-" is standard input.`,
		Example: `  assay check . --format json --output run.jsonl
  assay report run.jsonl --format sarif --output assay.sarif`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			h, closeReports, err := o.open(s)
			if err != nil {
				return err
			}
			if err := replay(args[0], s, h); err != nil {
				return err
			}
			return closeReports()
		},
	}
	o.flags(cmd)
	return cmd
}

// replay hands the messages of a saved stream to h.
func replay(path string, s Streams, h assess.Handler) error {
	in, closeFile, err := open(path, s)
	if err != nil {
		return err
	}
	defer closeFile()
	if err := assess.Replay(path, in, h); err != nil {
		return &exit{ExitUsage, err}
	}
	return nil
}

// open opens a file for reading; "-" is standard input.
func open(path string, s Streams) (io.Reader, func() error, error) {
	if path == "-" {
		return s.In, func() error { return nil }, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, usage("%s: cannot be read: %w", path, errors.Unwrap(err))
	}
	return f, f.Close, nil
}
