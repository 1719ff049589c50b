package terraform

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"assay/internal/estate"
)

var waiving = regexp.MustCompile(`^(?:#+|//+|/\*+)\s*assay:\s*waive\b:?((?s).*)$`)

// remark notes the comments of a file that say of a failure that it is
// accepted, by the place of the resource's block that they stand in or directly
// above. Those that stand elsewhere are of no resource.
func (l *loader) remark(file string, data []byte, body *hclsyntax.Body) {
	if !bytes.Contains(data, []byte("assay:")) {
		return
	}
	tokens, _ := hclsyntax.LexConfig(data, file, hcl.InitialPos) // it was parsed before
	for i, token := range tokens {
		m := waiving.FindSubmatch(token.Bytes)
		if token.Type != hclsyntax.TokenComment || m == nil {
			continue
		}
		text := strings.TrimSuffix(strings.TrimSpace(string(m[1])), "*/")
		w := estate.Waiver{Text: strings.Join(strings.Fields(text), " "), Form: estate.WaiverComment, Position: positionOf(token.Range)}
		next := i
		for next < len(tokens) && (tokens[next].Type == hclsyntax.TokenComment || tokens[next].Type == hclsyntax.TokenNewline) {
			next++
		}
		if block := remarked(body, token.Range, tokens[min(next, len(tokens)-1)].Range); block != nil {
			at := positionOf(block.DefRange())
			l.remarks[at] = append(l.remarks[at], w)
			continue
		}
		l.builder.Waive(w)
	}
}

// remarked is the resource's block that a comment stands in, or that begins with
// the next token behind it; nil for none.
func remarked(body *hclsyntax.Body, comment, next hcl.Range) *hclsyntax.Block {
	for _, b := range body.Blocks {
		within := b.TypeRange.Start.Line <= comment.Start.Line && comment.Start.Line <= b.CloseBraceRange.End.Line
		if b.Type == "resource" && (within || b.TypeRange.Start.Byte == next.Start.Byte) {
			return b
		}
	}
	return nil
}
