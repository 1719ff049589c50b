package estate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// Tables are the dated AWS facts that the estate stands on, as their files'
// bytes: see the tables folder for the formats.
type Tables struct {
	Schemas  []byte // cloudformation.jsonl: one type a line
	Facts    []byte // assay-types.jsonl: types of what only a live account shows
	Defaults []byte // defaults.yaml: what the service assumes
	Edges    []byte // edges.yaml: identities, relations, parts
}

// Schema is the shape of one CloudFormation type. A type expression is one of
// string, integer, number, boolean, timestamp, json; a capitalised name out of
// Types; []T; {}T (string keys); or T|U.
type Schema struct {
	Type       string                       `json:"type"`
	Attributes map[string]string            `json:"attributes"`
	Identifier []string                     `json:"identifier"`
	Required   []string                     `json:"required"`
	Properties map[string]string            `json:"properties"`
	Types      map[string]map[string]string `json:"types"`
	Defaults   map[string]json.RawMessage   `json:"defaults"`
	// Source is the API call that shows what has no CloudFormation type.
	Source string `json:"source"`

	defaults []fallback
}

// fallback is one default: the value that stands at a path when no source
// states it.
type fallback struct {
	property string // dotted path
	path     []string
	value    *Value // marked as a default
	create   bool   // also when the object around it is not there
	unless   string
}

// Rule is one kind of edge, from the resource that states it to the resource
// it names.
type Rule struct {
	Name     string   `yaml:"name"`     // of the edge, seen from From
	Inverse  string   `yaml:"inverse"`  // of the edge, seen from To
	From     string   `yaml:"from"`     // type that states the edge
	Property string   `yaml:"property"` // dotted path; a name followed by [] goes through every item, * through every entry
	To       string   `yaml:"to"`       // type at the other end
	Default  string   `yaml:"default"`  // the name when the property is absent; {name} is the name of From
	Through  []string `yaml:"through"`  // types that stand for the target and name it themselves (alias, version)
	Pattern  bool     `yaml:"pattern"`  // the property holds patterns of ARNs, as policies do
	// Within is set where the property is an expression that names resources as
	// FUNCTION("NAME"). References in it are followed, every one of them; what it
	// names otherwise may be anything.
	Within bool `yaml:"within"`
	// Mention is set where the property may hold anything, such as a variable: a
	// text that is the name of nothing that was read is no name.
	Mention bool `yaml:"mention"`
	// Attached is set where what is at From is read from an account together with
	// each resource at To: none is missing of one that was read, however many
	// there are of others.
	Attached bool `yaml:"attached"`

	path []string
}

// identity says how resources of a type are named in other resources.
type identity struct {
	// Name is the property that holds the resource's own name; the resource is
	// named by CloudFormation when it is absent.
	Name string `yaml:"name"`
	// ARN is the service and the resource part of its ARN, with {name} where
	// the name stands: "lambda:function:{name}".
	ARN string `yaml:"arn"`
	// URL is set where a URL that ends in the name identifies it too (queues).
	URL bool `yaml:"url"`
}

// part says that resources of one type are pieces of another's property.
type part struct {
	Type   string `yaml:"type"`   // AWS::IAM::Policy
	Parent string `yaml:"parent"` // AWS::IAM::Role
	By     string `yaml:"by"`     // property that names the parents: Roles[]
	Into   string `yaml:"into"`   // dotted path of the parent's list: Policies
	// Fields are the properties of the piece that make up the item, as
	// name-in-item: name-in-piece. Empty: all but By.
	Fields map[string]string `yaml:"fields"`
	// Value, when set, is the one property that is the item itself; Each is
	// one that holds a list of items.
	Value string `yaml:"value"`
	Each  string `yaml:"each"`
	// Single says that Into is not a list: the piece is all there is of it.
	Single bool `yaml:"single"`
}

type edgeTable struct {
	Identities map[string]identity `yaml:"identities"`
	Rules      []Rule              `yaml:"rules"`
	Parts      []part              `yaml:"parts"`
	Account    []string            `yaml:"account"`
}

type defaultTable struct {
	Defaults []struct {
		Type     string `yaml:"type"`
		Property string `yaml:"property"`
		Value    any    `yaml:"value"`
		Parent   string `yaml:"parent"`
		Unless   string `yaml:"unless"`
	} `yaml:"defaults"`
}

// Model is what the tables say, ready for use. Schemas are decoded when a
// type is first asked for. It is safe for many goroutines.
type Model struct {
	edges edgeTable
	// identified are the types that have an identity, in order.
	identified []string
	byFrom     map[string][]*Rule
	extra      map[string][]fallback
	// opposite gives, for edges that others may end at a resource, or that a
	// default makes, the type that is at their other end.
	opposite map[openEnd]string
	// byDefault are the edges that a default makes, seen from what states them.
	byDefault map[openEnd]bool
	// attached are the edges that are read with the resource they end at.
	attached map[openEnd]bool
	// parent is the type that pieces of a type belong to.
	parent map[string]string
	// joined are the lists that pieces join, beside what stands there by default.
	joined map[joint]bool

	mu      sync.Mutex
	lines   map[string][]byte
	schemas map[string]*Schema
}

// joint is a dotted path of a type.
type joint struct{ of, path string }

// NewModel reads the tables.
func NewModel(t Tables) (*Model, error) {
	m := &Model{
		byFrom:    map[string][]*Rule{},
		opposite:  map[openEnd]string{},
		attached:  map[openEnd]bool{},
		byDefault: map[openEnd]bool{},
		joined:    map[joint]bool{},
		parent:    map[string]string{},
		extra:     map[string][]fallback{},
		lines:     map[string][]byte{},
		schemas:   map[string]*Schema{},
	}
	if err := yaml.Unmarshal(t.Edges, &m.edges); err != nil {
		return nil, fmt.Errorf("edge table: %w", err)
	}
	m.identified = slices.Sorted(maps.Keys(m.edges.Identities))
	for i := range m.edges.Rules {
		r := &m.edges.Rules[i]
		r.path = strings.Split(r.Property, ".")
		m.byFrom[r.From] = append(m.byFrom[r.From], r)
		m.opposite[openEnd{r.Inverse, r.To}] = r.From
		m.attached[openEnd{r.Inverse, r.To}] = r.Attached
		if r.Default != "" {
			m.opposite[openEnd{r.Name, r.From}] = r.To
			m.byDefault[openEnd{r.Name, r.From}] = true
		}
	}
	for _, p := range m.edges.Parts {
		m.joined[joint{p.Parent, p.Into}] = !p.Single
		m.parent[p.Type] = p.Parent
	}
	var d defaultTable
	if err := yaml.Unmarshal(t.Defaults, &d); err != nil {
		return nil, fmt.Errorf("table of defaults: %w", err)
	}
	for _, e := range d.Defaults {
		v, err := FromGo(e.Value)
		if err != nil {
			return nil, fmt.Errorf("table of defaults: %s.%s: %w", e.Type, e.Property, err)
		}
		m.extra[e.Type] = append(m.extra[e.Type], fallback{e.Property, strings.Split(e.Property, "."), v.AsDefault(), e.Parent == "optional", e.Unless})
	}
	for _, table := range [][]byte{t.Schemas, t.Facts} {
		for line := range bytes.Lines(table) {
			name, ok := schemaName(line)
			if !ok {
				return nil, errors.New("schema table: a line does not begin with the type")
			}
			m.lines[name] = line
		}
	}
	return m, nil
}

// schemaName cuts the type name out of {"type":"NAME",… without decoding the
// line.
func schemaName(line []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`))
	if !ok {
		return "", false
	}
	name, _, ok := bytes.Cut(rest, []byte(`"`))
	return string(name), ok
}

// Types lists the types that have a schema, in order.
func (m *Model) Types() []string {
	names := make([]string, 0, len(m.lines))
	for name := range m.lines {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Rules lists every kind of edge, in the order of the table.
func (m *Model) Rules() []Rule { return slices.Clone(m.edges.Rules) }

// Schema is the shape of a type, or nil when the tables do not have it.
func (m *Model) Schema(typeName string) *Schema {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.schemas[typeName]; ok {
		return s
	}
	line, ok := m.lines[typeName]
	if !ok {
		return nil
	}
	s := &Schema{}
	if err := json.Unmarshal(line, s); err != nil {
		// The table is generated and tested; a line that does not decode is as
		// good as absent, and its type is then read without a schema.
		s = nil
	} else {
		s.defaults = m.defaultsOf(s)
	}
	m.schemas[typeName] = s
	return s
}

func (m *Model) defaultsOf(s *Schema) []fallback {
	curated := map[string]bool{}
	var all []fallback
	for _, f := range m.extra[s.Type] {
		curated[f.property] = true
		all = append(all, f)
	}
	for path, raw := range s.Defaults {
		if curated[path] {
			continue
		}
		v, err := ParseJSON(raw)
		if err != nil {
			continue
		}
		all = append(all, fallback{path, strings.Split(path, "."), v.AsDefault(), false, ""})
	}
	slices.SortFunc(all, func(a, b fallback) int { return slices.Compare(a.path, b.path) })
	return all
}

// accountLevel reports whether resources of the type belong to an account or
// organisation rather than to a stack, as all facts do that only an API shows.
func (m *Model) accountLevel(typeName string) bool {
	if strings.HasPrefix(typeName, "Assay::") {
		s := m.Schema(typeName)
		return s != nil && s.Source != ""
	}
	for _, prefix := range m.edges.Account {
		if typeName == prefix || strings.HasSuffix(prefix, "::") && strings.HasPrefix(typeName, prefix) {
			return true
		}
	}
	return false
}

// FromGo turns decoded YAML or JSON (nil, bool, numbers, string, []any,
// map[string]any) into a value.
func FromGo(x any) (*Value, error) {
	switch x := x.(type) {
	case nil:
		return Null(), nil
	case bool:
		return Bool(x), nil
	case int:
		return Int(int64(x)), nil
	case int64:
		return Int(x), nil
	case float64:
		return Float(x), nil
	case json.Number:
		return Number(x.String())
	case string:
		return String(x), nil
	case []any:
		items := make([]*Value, len(x))
		for i, item := range x {
			v, err := FromGo(item)
			if err != nil {
				return nil, err
			}
			items[i] = v
		}
		return List(items...), nil
	case map[string]any:
		fields := make([]Field, 0, len(x))
		for name, item := range x {
			v, err := FromGo(item)
			if err != nil {
				return nil, err
			}
			fields = append(fields, Field{name, v})
		}
		return Map(fields...), nil
	default:
		return nil, fmt.Errorf("a %T has no place in an estate", x)
	}
}
