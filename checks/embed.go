// Package checks holds the catalogue of checks as data: one YAML file a check,
// grouped by service, its cases beside it. docs/checks.md explains the format.
package checks

import "embed"

//go:generate go run ./gen

// Files are the checks, their cases, the parameters that they read and the peers
// that they name.
//
//go:embed parameters.yaml peers.yaml */*.yaml
var Files embed.FS

// Compiled is the whole built-in catalogue, frameworks and objectives
// included, with expressions already type-checked, so that a run does not
// parse and check them again. Made by go generate; a test holds it to the
// files.
//
//go:embed compiled.jsonl
var Compiled []byte
