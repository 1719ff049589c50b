package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// schema is one line of cloudformation.jsonl. encoding/json writes maps in
// order of their keys, so that equal schemas have equal bytes.
type schema struct {
	Type       string                       `json:"type"`
	Attributes map[string]string            `json:"attributes"`
	Identifier []string                     `json:"identifier"`
	Required   []string                     `json:"required"`
	Properties map[string]string            `json:"properties"`
	Types      map[string]map[string]string `json:"types"`
	Defaults   map[string]json.RawMessage   `json:"defaults"`
}

// reduce writes the included types of a database, one a line, in order of their
// names. Remarks name what the lists expect and the database lacks, and the
// defaults that it states in a form that does not fit.
func reduce(data []byte, included []service, awaited []string) (lines []byte, remarks []string, err error) {
	var db database
	if err := json.Unmarshal(data, &db); err != nil {
		return nil, nil, fmt.Errorf("database: %w", err)
	}
	definitions := make(map[string]definition, len(db.Schema.Definitions.Entities))
	for _, d := range db.Schema.Definitions.Entities {
		definitions[d.ID] = d
	}
	resources := db.Schema.Resources.Entities
	slices.SortFunc(resources, func(a, b resource) int { return strings.Compare(a.Type, b.Type) })

	remarks = missing(resources, included, awaited)
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for _, r := range resources {
		if !slices.ContainsFunc(included, func(s service) bool { return s.takes(r.Type) }) {
			continue
		}
		red := newReducer(definitions)
		line := red.line(r)
		if red.err != nil {
			return nil, nil, fmt.Errorf("%s: %w", r.Type, red.err)
		}
		remarks = append(remarks, red.remarks...)
		if err := enc.Encode(line); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", r.Type, err)
		}
	}
	return buf.Bytes(), remarks, nil
}

// missing says which of the types that are named are not in the database.
func missing(resources []resource, included []service, awaited []string) []string {
	has := map[string]bool{}
	for _, r := range resources {
		has[r.Type] = true
	}
	var remarks []string
	for _, s := range included {
		for short := range strings.FieldsSeq(s.types) {
			if name := "AWS::" + s.name + "::" + short; short != "*" && !has[name] {
				remarks = append(remarks, name+": not in the database")
			}
		}
	}
	for _, name := range awaited {
		if has[name] {
			remarks = append(remarks, name+": in the database now, no longer awaited")
		} else {
			remarks = append(remarks, name+": not in the database yet")
		}
	}
	return remarks
}

// reducer reduces one resource type. It gathers the definitions that the type
// uses and keeps the first error.
type reducer struct {
	definitions map[string]definition
	ids         map[string]string            // name → $id, of the definitions taken
	types       map[string]map[string]string // name → properties, of the definitions taken
	remarks     []string
	err         error
}

func newReducer(definitions map[string]definition) *reducer {
	return &reducer{definitions: definitions, ids: map[string]string{}, types: map[string]map[string]string{}}
}

// fail keeps an error, and returns the empty expression.
func (r *reducer) fail(format string, args ...any) string {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	return ""
}

func (r *reducer) line(from resource) schema {
	s := schema{
		Type:       from.Type,
		Attributes: r.expressions(from.Attributes),
		Identifier: append([]string{}, from.Identifier...),
		Required:   []string{},
		Properties: r.expressions(from.Properties),
		Types:      r.types,
		Defaults:   map[string]json.RawMessage{},
	}
	for name := range s.Properties {
		if from.Properties[name].Required {
			s.Required = append(s.Required, name)
		}
	}
	slices.Sort(s.Required)
	r.defaults(s.Defaults, from.Type, from.Properties, nil, nil)
	return s
}

func (r *reducer) expressions(properties map[string]property) map[string]string {
	out := make(map[string]string, len(properties))
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if p := properties[name]; p.Deprecated != "IGNORE" {
			out[name] = r.expression(p.Type)
		}
	}
	return out
}

// expression writes a type in the table's syntax: string, []string, {}json,
// Name, json|string.
func (r *reducer) expression(t typeRef) string {
	switch t.Kind {
	case "string", "integer", "number", "boolean", "json":
		return t.Kind
	case "date-time":
		return "timestamp"
	case "tag":
		return r.tag()
	case "ref":
		return r.define(t.Reference.ID)
	case "array":
		return "[]" + r.item(t.Element)
	case "map":
		return "{}" + r.item(t.Element)
	case "union":
		return r.union(t.Types)
	}
	return r.fail("unknown type %q", t.Kind)
}

// union writes T|U, each member once, and what has structure before scalars:
// the database has documents as json|string and as string|json, and the first
// that fits a value decides what it becomes.
func (r *reducer) union(members []typeRef) string {
	var structured, scalars []string
	for _, m := range members {
		into := &structured
		if scalar(m) {
			into = &scalars
		}
		if e := r.expression(m); !slices.Contains(*into, e) {
			*into = append(*into, e)
		}
	}
	return strings.Join(append(structured, scalars...), "|")
}

// item writes the type of a list's or map's members. The sign | binds less than
// [] and {}, so a union cannot stand here: one of scalars becomes string, which
// every scalar has as a form, and any other json.
func (r *reducer) item(t *typeRef) string {
	switch {
	case t == nil:
		return r.fail("a list or map without the type of its members")
	case t.Kind != "union":
		return r.expression(*t)
	case slices.ContainsFunc(t.Types, func(m typeRef) bool { return !scalar(m) }):
		return "json"
	}
	return "string"
}

func scalar(t typeRef) bool {
	switch t.Kind {
	case "string", "integer", "number", "boolean", "date-time":
		return true
	}
	return false
}

// define takes a definition, and those that it uses, into the line.
func (r *reducer) define(id string) string {
	d, ok := r.definitions[id]
	if !ok {
		return r.fail("no definition has the id %q", id)
	}
	if taken, ok := r.ids[d.Name]; ok {
		if taken != id {
			return r.fail("two definitions are called %s", d.Name)
		}
		return d.Name
	}
	r.ids[d.Name] = id // before its properties: definitions may be recursive
	r.types[d.Name] = r.expressions(d.Properties)
	return d.Name
}

// tag takes the definition of a tag into the line. The database has a type of
// its own for it, which is no definition.
func (r *reducer) tag() string {
	const name, id = "Tag", "tag"
	if taken, ok := r.ids[name]; ok && taken != id {
		return r.fail("two definitions are called %s", name)
	}
	r.ids[name] = id
	r.types[name] = map[string]string{"Key": "string", "Value": "string"}
	return name
}

// defaults gathers what the database says stands where a property is absent,
// by dotted path. It goes into definitions, but not into lists, maps and
// unions: a path cannot name their members. Within are the definitions around
// the properties.
func (r *reducer) defaults(into map[string]json.RawMessage, typeName string, properties map[string]property, path, within []string) {
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p, at := properties[name], append(slices.Clone(path), name)
		if p.Deprecated == "IGNORE" {
			continue
		}
		if p.Default != nil && *p.Default != `""` { // the empty text says that nothing is set
			where := strings.Join(at, ".")
			if fits(*p.Default, p.Type.Kind) {
				into[where] = json.RawMessage(*p.Default)
			} else {
				r.remarks = append(r.remarks, fmt.Sprintf("%s.%s: default %s is no %s", typeName, where, *p.Default, p.Type.Kind))
			}
		}
		if id := p.Type.Reference.ID; p.Type.Kind == "ref" && !slices.Contains(within, id) {
			r.defaults(into, typeName, r.definitions[id].Properties, at, append(slices.Clone(within), id))
		}
	}
}

// fits reports whether a JSON text is a value of a scalar type.
func fits(text, kind string) bool {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return false
	}
	switch v := v.(type) {
	case bool:
		return kind == "boolean"
	case float64:
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	case string:
		return kind == "string"
	}
	return false
}
