package assess

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// fixture is an estate that a case writes out in place of a template: what a
// live account and region would show. Values are those of the estate file.
type fixture struct {
	Account   string                     `yaml:"account"` // 12 digits
	Region    string                     `yaml:"region"`
	Coverage  map[string]fixtureCoverage `yaml:"coverage"` // by type, or *; the rest is complete
	Resources map[string]fixtureResource `yaml:"resources"`
}

// fixtureResource is one resource, by the name that expect calls it by.
type fixtureResource struct {
	Type       string    `yaml:"type"`
	ID         string    `yaml:"id"` // its ARN, where others name it by that
	Properties yaml.Node `yaml:"properties"`
}

// fixtureCoverage is a state alone, or a state with its reason.
type fixtureCoverage struct {
	State  estate.CoverageState `yaml:"state"`
	Reason string               `yaml:"reason"`
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *fixtureCoverage) UnmarshalYAML(n *yaml.Node) error {
	c.Reason = "not read"
	if n.Kind == yaml.ScalarNode {
		c.State = estate.CoverageState(n.Value)
	} else {
		type plain fixtureCoverage
		if err := n.Decode((*plain)(c)); err != nil {
			return err
		}
	}
	switch c.State {
	case estate.CoverageComplete, estate.CoveragePartial, estate.CoverageDenied:
		return nil
	}
	return fmt.Errorf("line %d: coverage %q: expected complete, partial or denied", n.Line, c.State)
}

const (
	fixtureAccount = "111122223333"
	fixtureRegion  = "eu-central-1"
)

// build makes the scope that the fixture stands for. Properties that a type's
// schema does not have are errors, as in a check.
func (f *fixture) build(m *estate.Model) (*estate.Builder, error) {
	if f.Account == "" {
		f.Account = fixtureAccount
	}
	if f.Region == "" {
		f.Region = fixtureRegion
	}
	b := estate.NewBuilder(f.Account+"/"+f.Region, "aws")
	b.Place(f.Region, f.Account)
	for _, name := range slices.Sorted(maps.Keys(f.Coverage)) {
		if name != "*" && m.Schema(name) == nil {
			return nil, fmt.Errorf("estate: coverage of %s, which is not a type that the schemas know", name)
		}
		b.Cover(estate.Coverage{Type: name, State: f.Coverage[name].State, Reason: f.Coverage[name].Reason})
	}
	for _, name := range slices.Sorted(maps.Keys(f.Resources)) {
		r := f.Resources[name]
		schema := m.Schema(r.Type)
		if schema == nil {
			return nil, fmt.Errorf("estate: %s: type %q is not one that the schemas know", name, r.Type)
		}
		properties := estate.Map()
		if r.Properties.Kind != 0 {
			v, err := valueOf(&r.Properties)
			if err != nil {
				return nil, fmt.Errorf("estate: %s: %w", name, err)
			}
			properties = v
		}
		if err := fits(schema, schema.Properties, properties, ""); err != nil {
			return nil, fmt.Errorf("estate: %s: %s has %w", name, r.Type, err)
		}
		b.Add(estate.Resource{Type: r.Type, ID: r.ID, LogicalID: name, Properties: properties})
	}
	return b, nil
}

// valueOf reads YAML as a value of the estate file. Dates stay texts.
func valueOf(n *yaml.Node) (*estate.Value, error) {
	undate(n)
	var x any
	if err := n.Decode(&x); err != nil {
		return nil, err
	}
	data, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	v := &estate.Value{}
	if err := v.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	if v.Kind() != estate.KindMap {
		return nil, errors.New("properties: expected a mapping")
	}
	return v, nil
}

func undate(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!timestamp" {
		n.Tag, n.Style = "!!str", yaml.DoubleQuotedStyle
	}
	for _, c := range n.Content {
		undate(c)
	}
}

// fits reports a property, at any depth, that the schema does not have.
func fits(s *estate.Schema, types map[string]string, v *estate.Value, path string) error {
	for _, f := range v.Fields() {
		expr, ok := types[f.Name]
		if !ok {
			return fmt.Errorf("no property %s%s; there are %s", path, f.Name, strings.Join(slices.Sorted(maps.Keys(types)), ", "))
		}
		if err := fitsType(s, expr, f.Value, path+f.Name); err != nil {
			return err
		}
	}
	return nil
}

func fitsType(s *estate.Schema, expr string, v *estate.Value, path string) error {
	if strings.Contains(expr, "|") {
		return nil // any of several; the estate picks
	}
	switch {
	case strings.HasPrefix(expr, "[]"):
		for _, item := range v.Items() {
			if err := fitsType(s, expr[2:], item, path+"[]"); err != nil {
				return err
			}
		}
	case strings.HasPrefix(expr, "{}"):
		for _, f := range v.Fields() {
			if err := fitsType(s, expr[2:], f.Value, path+"."+f.Name); err != nil {
				return err
			}
		}
	case s.Types[expr] != nil && v.Kind() == estate.KindMap:
		return fits(s, s.Types[expr], v, path+".")
	}
	return nil
}
