// Package terraform reads Terraform plans.
package terraform

import (
	"context"

	"assay/internal/collect"
	"assay/internal/estate"
)

type Options struct{ Mapping []byte }
type c struct{}

func New(Options) collect.Collector                                            { return c{} }
func (c) Name() string                                                          { return "Terraform plan" }
func (c) Claims(collect.File) bool                                              { return false }
func (c) Collect(context.Context, collect.File) []*estate.Builder               { return nil }
func AttributeOf([]byte) func(string, string) (string, string, bool)            { return nil }
