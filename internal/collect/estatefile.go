package collect

import (
	"bytes"
	"context"

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
	if err != nil && ctx.Err() == nil {
		scopes = append(scopes, Unread(f.Name, "estate", estate.Problem{
			Message: err.Error(), Hint: "write it again with assay estate",
		}))
	}
	return scopes
}
