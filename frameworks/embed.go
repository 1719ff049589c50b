// Package frameworks holds the regimes as data: one YAML file a framework, and
// the objectives that their requirements name.
package frameworks

import "embed"

// Files are the frameworks and objectives.
//
//go:embed *.yaml
var Files embed.FS
