// Command assay assesses AWS Lambda workloads against compliance frameworks.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"assay/internal/cli"
)

func main() {
	pace()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := cli.Run(ctx, os.Args[1:], cli.Streams{
		In:     os.Stdin,
		Out:    os.Stdout,
		Err:    os.Stderr,
		InTTY:  device(os.Stdin),
		OutTTY: terminal(os.Stdout),
		ErrTTY: terminal(os.Stderr),
	})
	stop()
	os.Exit(code)
}

// terminal reports whether f is a character device, such as a terminal. NO_COLOR
// (no-color.org) and TERM=dumb make every stream count as a file.
func terminal(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	return device(f)
}

// device reports whether f is a character device.
func device(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
