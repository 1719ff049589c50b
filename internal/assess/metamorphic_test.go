package assess_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"assay/internal/assess"
	"assay/internal/collect"
)

// variation writes the same template in another way.
type variation struct {
	name  string
	apply func(t *rapid.T, root *yaml.Node) []byte
}

var variations = []variation{
	{"reordered", func(t *rapid.T, root *yaml.Node) []byte { shuffle(t, root); return write(root) }},
	{"renamed", func(_ *rapid.T, root *yaml.Node) []byte { rename(root); return write(root) }},
	{"inlined", func(_ *rapid.T, root *yaml.Node) []byte { inline(root); return write(root) }},
	{"json", func(_ *rapid.T, root *yaml.Node) []byte {
		data, err := json.Marshal(plain(root))
		if err != nil {
			panic(err)
		}
		return data
	}},
}

// fewer makes rapid's checks of a test that runs everything n, unless
// -rapid.checks says how many; CI does.
func fewer(t *testing.T, n int) {
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue {
		if err := checks.Value.Set(strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = checks.Value.Set(before) }) // it was there before
	}
}

// TestVariations writes templates in other ways that mean the same: no outcome
// may change.
func TestVariations(t *testing.T) {
	templates, err := filepath.Glob("testdata/same/*/*.yaml")
	if err != nil || len(templates) == 0 {
		t.Fatal("no templates in testdata/same")
	}
	cfg := config(t)
	type written struct {
		data     []byte
		outcomes []string
	}
	as := map[string]written{}
	for _, name := range templates {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		as[name] = written{data, outcomesOf(t, cfg, data)}
	}
	fewer(t, 30)
	for _, v := range variations {
		t.Run(v.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				name := rapid.SampledFrom(templates).Draw(t, "template")
				var doc yaml.Node
				if err := yaml.Unmarshal(as[name].data, &doc); err != nil {
					t.Fatal(err)
				}
				varied := v.apply(t, expanded(doc.Content[0]))
				if diff := cmp.Diff(as[name].outcomes, outcomesOf(t, cfg, varied)); diff != "" {
					t.Fatalf("%s: %s\n%s", name, diff, varied)
				}
			})
		})
	}
}

// counted gathers outcomes without the names of what they are about.
type counted struct {
	assess.Nothing
	header *assess.Header
	all    []string
}

func (c *counted) Header(h *assess.Header) error { c.header = h; return nil }

func (c *counted) Finding(f *assess.Finding) error {
	c.all = append(c.all, fmt.Sprintf("%s %s %s", f.Check, f.Resource.Type, f.Outcome))
	return nil
}

func (c *counted) Function(*assess.Function) error { return nil }
func (c *counted) Decided(d *assess.Decided) error {
	for _, i := range d.Pass {
		c.all = append(c.all, fmt.Sprintf("%s %s pass", c.header.Checks[i].ID, d.Resource.Type))
	}
	for _, i := range d.NotApplicable {
		c.all = append(c.all, fmt.Sprintf("%s %s not-applicable", c.header.Checks[i].ID, d.Resource.Type))
	}
	return nil
}

func outcomesOf(t rapid.TB, cfg assess.Config, template []byte) []string {
	c := &counted{}
	if _, err := assess.Run(context.Background(), cfg, [][]collect.Found{{collect.Stdin}}, bytes.NewReader(template), c); err != nil {
		t.Fatal(err)
	}
	slices.Sort(c.all)
	return c.all
}

// expanded is a copy of a node in which aliases are written out.
func expanded(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return expanded(n.Alias)
	}
	c := *n
	c.Anchor = ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, inner := range n.Content {
		c.Content[i] = expanded(inner)
	}
	return &c
}

func write(root *yaml.Node) []byte {
	data, err := yaml.Marshal(root)
	if err != nil {
		panic(err)
	}
	return data
}

// shuffle gives the keys of every mapping another order.
func shuffle(t *rapid.T, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		var pairs [][2]*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			pairs = append(pairs, [2]*yaml.Node{n.Content[i], n.Content[i+1]})
		}
		n.Content = n.Content[:0]
		for _, p := range rapid.Permutation(pairs).Draw(t, "order") {
			n.Content = append(n.Content, p[0], p[1])
		}
	}
	for _, c := range n.Content {
		shuffle(t, c)
	}
}

func section(root *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == name {
			return root.Content[i+1]
		}
	}
	return &yaml.Node{Kind: yaml.MappingNode}
}

// rename gives every resource another logical id.
func rename(root *yaml.Node) {
	resources := section(root, "Resources")
	ids := map[string]string{}
	for i := 0; i < len(resources.Content); i += 2 {
		id := resources.Content[i].Value
		ids[id] = "Zz" + id
		resources.Content[i].Value = ids[id]
	}
	substitute(root, func(name string) (string, bool) {
		resource, attribute, dotted := strings.Cut(name, ".")
		to, ok := ids[resource]
		if dotted {
			to += "." + attribute
		}
		return "${" + to + "}", ok
	}, func(n *yaml.Node) {
		resource, attribute, dotted := strings.Cut(n.Value, ".")
		if to, ok := ids[resource]; ok {
			if n.Value = to; dotted {
				n.Value += "." + attribute
			}
		}
	})
}

// inline writes the defaults of parameters where the parameters stand.
func inline(root *yaml.Node) {
	defaults := map[string]string{}
	parameters := section(root, "Parameters")
	for i := 0; i < len(parameters.Content); i += 2 {
		if d := section(parameters.Content[i+1], "Default"); d.Kind == yaml.ScalarNode && section(parameters.Content[i+1], "Type").Value == "String" {
			defaults[parameters.Content[i].Value] = d.Value
		}
	}
	substitute(root, func(name string) (string, bool) { d, ok := defaults[name]; return d, ok }, func(n *yaml.Node) {
		if d, ok := defaults[n.Value]; ok && n.Tag == "!Ref" {
			n.Tag, n.Value, n.Style = "!!str", d, yaml.DoubleQuotedStyle
		}
	})
}

var placeholder = regexp.MustCompile(`\$\{([^}!]+)\}`)

// substitute calls name for what stands in holes of Fn::Sub, and reference for
// nodes that name a resource or parameter.
func substitute(n *yaml.Node, name func(string) (string, bool), reference func(*yaml.Node)) {
	switch {
	case n.Tag == "!Ref" || n.Tag == "!GetAtt" && n.Kind == yaml.ScalarNode:
		reference(n)
	case n.Tag == "!GetAtt":
		reference(n.Content[0])
	case n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "${"):
		n.Value = placeholder.ReplaceAllStringFunc(n.Value, func(hole string) string {
			if to, ok := name(hole[2 : len(hole)-1]); ok {
				return to
			}
			return hole
		})
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			switch key, value := n.Content[i].Value, n.Content[i+1]; {
			case key == "DependsOn" && value.Kind == yaml.ScalarNode, key == "Ref" && value.Kind == yaml.ScalarNode:
				reference(value)
			case key == "DependsOn":
				for _, item := range value.Content {
					reference(item)
				}
			case key == "Fn::GetAtt" && value.Kind == yaml.SequenceNode:
				reference(value.Content[0])
			}
		}
	}
	for _, c := range n.Content {
		substitute(c, name, reference)
	}
}

// plain is a node as JSON would have it, with functions in their long form.
func plain(n *yaml.Node) any {
	bare := *n
	if short, ok := strings.CutPrefix(n.Tag, "!"); ok && !strings.HasPrefix(short, "!") {
		bare.Tag = map[yaml.Kind]string{yaml.ScalarNode: "!!str", yaml.SequenceNode: "!!seq", yaml.MappingNode: "!!map"}[n.Kind]
		name := "Fn::" + short
		if short == "Ref" || short == "Condition" {
			name = short
		}
		if resource, attribute, dotted := strings.Cut(n.Value, "."); short == "GetAtt" && dotted && n.Kind == yaml.ScalarNode {
			return map[string]any{name: []any{resource, attribute}}
		}
		return map[string]any{name: plain(&bare)}
	}
	switch n.Kind {
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			all[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return all
	case yaml.SequenceNode:
		all := []any{}
		for _, c := range n.Content {
			all = append(all, plain(c))
		}
		return all
	}
	switch n.Tag {
	case "!!int", "!!float":
		return json.Number(n.Value)
	case "!!bool":
		return n.Value == "true"
	}
	return n.Value
}
