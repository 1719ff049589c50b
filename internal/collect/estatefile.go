package collect

import (
	"bytes"
	"context"
	"errors"

	"assay/internal/estate"
)

// EstateFiles reads estates that were written by assay estate, plain or
// compressed.
type EstateFiles struct{}

// Name implements [Collector].
func (EstateFiles) Name() string { return "estate file" }

// Claims implements [Collector].
func (EstateFiles) Claims(f File) bool { return estate.IsFile(f.Data) }

// Collect implements [Collector]. What was read before an error is kept.
func (EstateFiles) Collect(ctx context.Context, f File) []*estate.Builder {
	var scopes []*estate.Builder
	err := estate.Read(f.Name, bytes.NewReader(f.Data), func(b *estate.Builder) error {
		scopes = append(scopes, b)
		return ctx.Err()
	})
	var fault estate.Problem
	if errors.As(err, &fault) {
		scopes = append(scopes, Unread(f.Name, "estate", fault))
	}
	return scopes
}
