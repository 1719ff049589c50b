package regime

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// head is the comment above a new assay.yaml.
const head = ` What this organisation says of itself and its data, and which regimes follow.
 assay scope writes it, and assay check reports on the regimes that apply or are
 likely. docs/scope.md explains the fields. People answer, confirm and exclude;
 the part regimes is made anew by every assay scope.`

// Update puts a declaration and what came of it into assay.yaml. before is what
// stands there, nil for a new file: its comments stay.
func Update(before []byte, d *Declaration, r *Rules, result *Result) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(before, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		comment := doc.HeadComment
		if comment == "" {
			comment = comments(head)
		}
		doc = yaml.Node{Kind: yaml.DocumentNode, HeadComment: comment, Content: []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}}
	}
	root := doc.Content[0]
	put := func(key string, v *yaml.Node) { putKey(root, key, v) }
	c := d.Confirmed
	put("confirmed-by", optional(c.By))
	put("confirmed-on", optional(c.On))
	put("review-by", optional(c.ReviewBy))
	put("answers", d.answers(r))
	put("data", d.data())
	put("exclude", d.exclusions())
	put("regimes", recorded(result))
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}

// putKey sets one key of the file: nil takes it away. What says the same stays as
// it is, and a new key goes before those that come after it.
func putKey(root *yaml.Node, key string, v *yaml.Node) {
	later := declarationFields[slices.Index(declarationFields, key)+1:]
	at := len(root.Content)
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch name := root.Content[i].Value; {
		case name == key && v == nil:
			root.Content = slices.Delete(root.Content, i, i+2)
			return
		case name == key:
			if !same(root.Content[i+1], v) {
				root.Content[i+1] = v
			}
			return
		case slices.Contains(later, name):
			at = min(at, i)
		}
	}
	if v != nil {
		root.Content = slices.Insert(root.Content, at, plainText(key), v)
	}
}

func comments(text string) string {
	var b bytes.Buffer
	for line := range bytes.Lines([]byte(text)) {
		b.WriteString("#")
		b.Write(line)
	}
	return b.String()
}

// same reports whether two nodes say the same, so that one that does keeps its
// form and comments.
func same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func plainText(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func optional(s string) *yaml.Node {
	if s == "" {
		return nil
	}
	return plainText(s)
}

func words(list []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, s := range list {
		n.Content = append(n.Content, plainText(s))
	}
	return n
}

// lines are texts, one below the other; nil for none.
func lines(list []string) *yaml.Node {
	if len(list) == 0 {
		return nil
	}
	n := words(list)
	n.Style = 0
	return n
}

// mapping is made of keys and values; what is nil is left out.
type mapping struct{ yaml.Node }

func newMapping() *mapping { return &mapping{yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}} }

func (m *mapping) put(key string, v *yaml.Node) {
	if v != nil {
		m.Content = append(m.Content, plainText(key), v)
	}
}

func (d *Declaration) answers(r *Rules) *yaml.Node {
	m := newMapping()
	for _, q := range r.Questions {
		a, ok := d.Answers[q.ID]
		switch {
		case !ok:
		case q.Kind == NumberQuestion:
			m.put(q.ID, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(a.Number, 10)})
		case q.One && len(a.Choices) == 1:
			m.put(q.ID, plainText(a.Choices[0]))
		default:
			m.put(q.ID, words(a.Choices))
		}
	}
	if len(m.Content) == 0 {
		return nil
	}
	return &m.Node
}

// confirm states who confirms an entry, where that is not who confirms the file.
func (m *mapping) confirm(c, whole Confirmed) {
	if c != whole {
		m.put("confirmed-by", optional(c.By))
		m.put("confirmed-on", optional(c.On))
		m.put("review-by", optional(c.ReviewBy))
	}
}

func (d *Declaration) data() *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, e := range d.Data {
		m := newMapping()
		m.put("name", optional(e.Name))
		m.put("tag", optional(e.Tag))
		m.put("classes", words(e.Classes))
		m.confirm(e.Confirmed, d.Confirmed)
		list.Content = append(list.Content, &m.Node)
	}
	if len(list.Content) == 0 {
		return nil
	}
	return list
}

func (d *Declaration) exclusions() *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, e := range d.Exclude {
		m := newMapping()
		m.put("regime", plainText(e.Regime))
		m.put("reason", plainText(e.Reason))
		m.confirm(e.Confirmed, d.Confirmed)
		list.Content = append(list.Content, &m.Node)
	}
	if len(list.Content) == 0 {
		return nil
	}
	return list
}

// maxRecorded bounds how many functions, facts and open things are written of one
// regime: assay scope --format json has all of them.
const maxRecorded = 20

func capped(list []string) []string {
	if len(list) <= maxRecorded {
		return list
	}
	return append(slices.Clone(list[:maxRecorded]), fmt.Sprintf("and %d more", len(list)-maxRecorded))
}

func addresses(list []Reach) []string {
	var all []string
	for _, f := range list {
		all = append(all, f.Address)
	}
	return capped(all)
}

func recorded(result *Result) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, s := range result.Regimes {
		m := newMapping()
		m.put("id", plainText(s.ID))
		m.put("verdict", plainText(string(s.Verdict)))
		m.put("obligation", plainText(s.Obligation))
		if len(s.Frameworks) > 0 {
			m.put("frameworks", words(s.Frameworks))
		}
		m.put("rule", optional(s.Rule))
		m.put("because", optional(s.Because))
		m.put("source", optional(s.Source))
		m.put("levels", lines(s.Levels))
		if s.Excluded != nil {
			m.put("excluded", plainText(s.Excluded.Reason+" ("+s.Excluded.Confirmed.String()+")"))
		}
		m.put("facts", lines(capped(s.Facts)))
		if len(s.Handles) > 0 {
			m.put("handles", words(addresses(s.Handles)))
		}
		if len(s.Connected) > 0 {
			m.put("connected", words(addresses(s.Connected)))
		}
		m.put("open", lines(capped(s.Open)))
		if len(s.SettledBy) > 0 {
			m.put("settled-by", words(s.SettledBy))
		}
		list.Content = append(list.Content, &m.Node)
	}
	return list
}
