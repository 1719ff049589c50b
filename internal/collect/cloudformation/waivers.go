package cloudformation

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// remark is a comment that says of a failure that it is accepted.
type remark struct {
	text         string // what stands behind "assay: waive"
	line, column int
	alone        bool // nothing else stands on its line
	before       int  // the next line that is neither blank nor a comment
}

var waiving = regexp.MustCompile(`(?:^|\s)(#+\s*assay:\s*waive\b:?)(.*)$`)

// remarks finds such comments in the text of a template. The parser gives
// comments no position and hands them to nodes by rules of its own, so that they
// are looked for in the lines; what it does not take for a comment is none.
func remarks(data []byte, root *yaml.Node) []remark {
	if !bytes.Contains(data, []byte("assay:")) || isJSON(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		return nil
	}
	said := map[string]bool{}
	var gather func(n *yaml.Node)
	gather = func(n *yaml.Node) {
		for _, comment := range []string{n.HeadComment, n.LineComment, n.FootComment} {
			for line := range strings.Lines(comment) {
				said[strings.TrimSpace(line)] = true
			}
		}
		for _, c := range n.Content {
			gather(c)
		}
	}
	gather(root)
	var found []remark
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		m := waiving.FindStringSubmatchIndex(strings.TrimRight(line, "\r"))
		if m == nil || !said[strings.TrimSpace(line[m[2]:])] {
			continue
		}
		r := remark{text: strings.TrimSpace(line[m[4]:]), line: i + 1, column: m[2] + 1, alone: strings.TrimSpace(line[:m[2]]) == ""}
		for r.before = i + 2; r.before <= len(lines); r.before++ {
			if next := strings.TrimSpace(lines[r.before-1]); next != "" && !strings.HasPrefix(next, "#") {
				break
			}
		}
		found = append(found, r)
	}
	return found
}

// waive states what the template says of accepted failures.
func (t *template) waive() {
	for _, name := range t.names {
		n := child(child(child(t.bodies[name].value, "Metadata"), "assay"), "waive")
		if n == nil {
			continue
		}
		items := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			items = n.Content
		}
		for _, item := range items {
			item = follow(item)
			t.builder.Waive(estate.Waiver{Resource: t.prefix + name, Text: waiverText(item), Form: estate.WaiverMetadata, Position: t.at(item)})
		}
	}
	for _, r := range t.remarks {
		w := estate.Waiver{Text: r.text, Form: estate.WaiverComment, Position: estate.Position{File: t.file, Line: r.line, Column: r.column}}
		names := t.remarked(r)
		for _, name := range names {
			w.Resource = t.prefix + name
			t.builder.Waive(w)
		}
		if len(names) == 0 {
			t.builder.Waive(w)
		}
	}
}

// waiverText is a statement of the metadata: a text, or a mapping of check and
// reason. Another form says nothing.
func waiverText(n *yaml.Node) string {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value
	case yaml.MappingNode:
		var words []string
		for _, key := range []string{"check", "reason"} {
			if v := child(n, key); v != nil && v.Kind == yaml.ScalarNode {
				words = append(words, v.Value)
			}
		}
		return strings.Join(words, " ")
	}
	return ""
}

// remarked are the resources that a comment stands at: the one directly below
// it, or else the one it stands in. A loop makes several of one place.
func (t *template) remarked(r remark) []string {
	first, end := 0, math.MaxInt
	for i := 0; i+1 < len(t.root.Content); i += 2 {
		switch key := t.root.Content[i]; {
		case key.Value == "Resources":
			first = key.Line
		case first > 0 && key.Line > first:
			end = min(end, key.Line)
		}
	}
	if r.alone && r.before == end && r.column == 1 {
		return nil // it stands at the section below
	}
	line := 0
	for _, name := range t.names {
		key := t.bodies[name].key
		if key.Line == r.before && r.alone && r.column <= key.Column {
			line = key.Line
			break
		}
		if key.Line <= r.line && r.line < end {
			line = max(line, key.Line)
		}
	}
	if line == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.names), func(name string) bool { return t.bodies[name].key.Line != line })
}
