// Package frameworks holds the regimes as data: one YAML file a framework, the
// objectives that their requirements name, and, in a folder of their own, the
// rules by which they apply.
package frameworks

import "embed"

// Files are the frameworks and objectives.
//
//go:embed *.yaml
var Files embed.FS

// Regimes are the questions and rules by which assay scope says which regimes
// apply: see internal/regime.
//
//go:embed regimes/*.yaml
var Regimes embed.FS
