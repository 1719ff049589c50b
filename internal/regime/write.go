package regime

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

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

// putKey sets one key of the file: nil takes it away. What people wrote keeps its
// comments, and a new key goes before those that come after it.
func putKey(root *yaml.Node, key string, v *yaml.Node) {
	later := declarationFields[slices.Index(declarationFields, key)+1:]
	at := len(root.Content)
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch name := root.Content[i].Value; {
		case name == key && v == nil:
			above := root.Content[i].HeadComment // it may be of the whole file
			root.Content = slices.Delete(root.Content, i, i+2)
			if i < len(root.Content) && above != "" {
				root.Content[i].HeadComment = strings.TrimSpace(above + "\n\n" + root.Content[i].HeadComment)
			}
			return
		case name == key:
			if key != "regimes" {
				v = renewed(root.Content[i+1], v)
			}
			root.Content[i+1] = v
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

// renewed is what says v, with the form and comments of the parts of old that say
// the same, or are of the same key or entry.
func renewed(old, v *yaml.Node) *yaml.Node {
	switch {
	case old.Kind == yaml.ScalarNode && v.Kind == yaml.SequenceNode && len(v.Content) == 1 && old.Value == v.Content[0].Value:
		return old // one word may stand without brackets
	case old.Kind != v.Kind || old.Kind == yaml.AliasNode:
		return v
	}
	var content []*yaml.Node
	switch v.Kind {
	case yaml.ScalarNode:
		if old.Value != v.Value {
			old.Value, old.Tag, old.Style = v.Value, v.Tag, v.Style
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(v.Content); i += 2 {
			key, value := v.Content[i], v.Content[i+1]
			if at := keyAt(old, key.Value); at >= 0 {
				key, value = old.Content[at], renewed(old.Content[at+1], value)
			}
			content = append(content, key, value)
		}
	case yaml.SequenceNode:
		before := slices.Clone(old.Content) // each is of one item: two entries may have one name
		for _, item := range v.Content {
			if at := slices.IndexFunc(before, func(n *yaml.Node) bool { return entryOf(n) == entryOf(item) }); at >= 0 {
				item = renewed(before[at], item)
				before = slices.Delete(before, at, at+1)
			}
			content = append(content, item)
		}
	}
	old.Content = content
	return old
}

// keyAt is where a key stands in a mapping; -1 if it does not.
func keyAt(mapping *yaml.Node, key string) int {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// entryOf is what tells an item of a list from the others.
func entryOf(n *yaml.Node) [2]string {
	for _, key := range []string{"name", "tag", "regime"} {
		if at := keyAt(n, key); at >= 0 {
			return [2]string{key, n.Content[at+1].Value}
		}
	}
	return [2]string{"", n.Value}
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
