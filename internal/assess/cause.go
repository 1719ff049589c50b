package assess

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"strings"

	"assay/internal/check"
	"assay/internal/estate"
)

// Kinds of causes that findings share.
const (
	CauseModule   = "module"   // a Terraform module or nested template, called more than once
	CauseGlobals  = "globals"  // the Globals section of a SAM template
	CauseLoop     = "loop"     // one block that makes several resources
	CauseResource = "resource" // a resource that several others stand on: a role, a log group
)

// cause is the place where a person would mend a finding, as far as others may
// have the same.
type cause struct {
	kind string
	name string // for people
	key  string // within the file; never a position, so that it survives edits
	at   estate.Position
}

// causeOf says where the cause of a failure is: at the value of the subject that
// decided, else at the other resource that did, else at the subject.
func causeOf(r *estate.Resource, result check.Result) cause {
	c := cause{kind: CauseLoop, name: localName(r), key: localName(r), at: position(r, result)}
	switch stated := c.at != r.Source; {
	case len(r.Callers) > 0 && r.Callers[0].File != c.at.File:
		c.kind, c.name = CauseModule, path.Dir(c.at.File)
	case stated && r.Scope().Format == "sam":
		c.kind, c.name, c.key = CauseGlobals, "Globals", firstStated(r, result)
	case stated:
	default:
		for _, read := range result.Reads {
			if other := read.Resource; other != nil && other != r && !read.Value.IsDefault() && !read.Value.Position().IsZero() {
				return cause{CauseResource, other.Address, other.LogicalID, other.Source}
			}
		}
	}
	return c
}

// firstStated is the path of the property that decided.
func firstStated(r *estate.Resource, result check.Result) string {
	for _, read := range result.Reads {
		if read.Resource == r && read.Value.Position() == position(r, result) {
			return read.Path
		}
	}
	return ""
}

var instance = regexp.MustCompile(`\[[^\]]*\]`)

// localName is the name of a resource within the file that declares it: a
// Terraform address without the modules and keys that lead to it.
func localName(r *estate.Resource) string {
	name := instance.ReplaceAllString(r.LogicalID, "")
	for strings.HasPrefix(name, "module.") {
		parts := strings.SplitN(name, ".", 3)
		if len(parts) < 3 {
			break
		}
		name = parts[2]
	}
	return name
}

// shareCauses tells findings of one check that have one cause so.
func (g *judgedGroup) shareCauses() {
	type key struct {
		check int
		at    estate.Position
		name  string
	}
	type concerned struct {
		in       *estate.Scope
		function *estate.Resource
	}
	sharing := map[key][]*finding{}
	causes := map[*finding]cause{}
	for i := range g.subjects {
		for j := range g.subjects[i].findings {
			f := &g.subjects[i].findings[j]
			if f.result.Outcome != check.Fail {
				continue
			}
			c := causeOf(f.of.Resource, f.result)
			k := key{check: f.check, at: c.at}
			switch {
			case c.at.IsZero():
				continue
			case c.at.Line > 0:
			case c.kind != CauseResource:
				continue // all that one call answered stands there
			default:
				k.name = c.key
			}
			sharing[k], causes[f] = append(sharing[k], f), c
		}
	}
	for k, findings := range sharing {
		if len(findings) < 2 {
			continue
		}
		functions := map[concerned]bool{}
		for _, f := range findings {
			for _, function := range f.of.functions {
				functions[concerned{f.of.Scope(), function}] = true
			}
		}
		for _, f := range findings {
			c := causes[f]
			sum := sha256.Sum256([]byte(strings.Join([]string{g.run.programs.checks[k.check].ID, c.kind, c.at.File, c.key}, "\x00")))
			f.cause = &Cause{
				ID: "C-" + hex.EncodeToString(sum[:8]), Kind: c.kind, Name: c.name, Source: sourceOf(c.at),
				Findings: len(findings), Functions: len(functions),
			}
		}
	}
}
