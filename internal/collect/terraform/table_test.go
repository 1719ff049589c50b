package terraform

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
	"assay/tables"
)

func testModel(t testing.TB) *estate.Model {
	t.Helper()
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTableRows holds every row to the property schemas: types, properties and
// attributes exist, and words are fit for what they stand on.
func TestTableRows(t *testing.T) {
	m := testModel(t)
	var whole struct {
		Date    string
		Types   map[string]yaml.Node
		Ignored []string
	}
	if err := yaml.Unmarshal(tables.Terraform(), &whole); err != nil {
		t.Fatal(err)
	}
	if whole.Date == "" {
		t.Error("the table has no date")
	}
	table := newTable(tables.Terraform(), nil, nil)
	found := table.types()
	if len(found) != len(whole.Types) {
		t.Errorf("%d rows begin on lines of their own; the file has %d", len(found), len(whole.Types))
	}
	for _, name := range whole.Ignored {
		if _, ok := whole.Types[name]; ok {
			t.Errorf("%s is mapped and ignored", name)
		}
	}
	properties := 0
	for _, name := range found {
		r, err := table.row(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if r == nil {
			t.Errorf("%s: an empty row", name)
			continue
		}
		variants := map[string]*row{"": r}
		for k, v := range r.Rows {
			variants["/"+k] = v
		}
		if r.By != "" {
			delete(variants, "")
		}
		for k, v := range variants {
			properties += checkRow(t, m, name+k, v)
		}
	}
	for _, name := range found {
		piece, _ := table.row(name)
		if piece.Join == nil {
			continue
		}
		for _, owner := range found {
			if o, _ := table.row(owner); o.Type == piece.Join.Into {
				for _, path := range piece.adds() {
					if !slices.ContainsFunc(o.reads, func(read string) bool { return path == read || strings.HasPrefix(path, read+".") }) {
						t.Errorf("%s gives %s to %s, whose row does not list it under elsewhere", name, path, owner)
					}
				}
			}
		}
	}
	t.Logf("%d resource types, %d properties, %d bytes", len(found), properties, len(tables.Terraform()))
}

// adds are the properties that a piece gives to its owner.
func (r *row) adds() []string {
	if r.Join.At != "" {
		return []string{r.Join.At}
	}
	var all []string
	for _, path := range pathsOf("", r.Attributes) {
		if _, by := r.Join.By[path]; !by {
			all = append(all, path)
		}
	}
	return all
}

func checkRow(t *testing.T, m *estate.Model, name string, r *row) int {
	t.Helper()
	target, prefix := r.Type, ""
	if r.Join != nil {
		target, prefix = r.Join.Into, r.Join.At
		if !strings.HasPrefix(r.Type, "Assay::") {
			t.Errorf("%s: what is left of a piece is of a type of ours, not %s", name, r.Type)
		}
	}
	if strings.HasPrefix(target, "Assay::") {
		if target != "Assay::Events::RuleTarget" && !bytes.Contains(tables.Edges(), []byte(target)) {
			t.Errorf("%s: nothing reads %s", name, target)
		}
		return 0
	}
	s := m.Schema(target)
	if s == nil {
		t.Errorf("%s: no schema of %s", name, target)
		return 0
	}
	c := &rowCheck{t: t, name: name, schema: s}
	pieces := map[string]bool{}
	if r.Join != nil {
		for here, there := range r.Join.By {
			pieces[here] = true
			if p, itself := strings.CutPrefix(there, "Ref "); !itself {
				c.typeAt(c.root(), p)
			}
		}
	}
	start := c.root()
	if prefix != "" {
		expr, ok := c.typeAt(start, prefix)
		if !ok {
			return c.n
		}
		if r.Join.List {
			expr = strings.TrimPrefix(expr, "[]")
		}
		start = c.inside(expr)
	}
	skip := pieces
	if r.Join != nil && r.Join.Item != "" {
		skip[r.Join.Item] = true
	}
	c.attributes(start, r.Attributes, skip)
	for p := range r.Set {
		c.typeAt(start, p)
	}
	for p := range r.Assumes {
		c.typeAt(start, p)
	}
	for _, p := range r.Each {
		c.typeAt(start, p)
	}
	for attr, to := range r.References {
		c.reference(attr, to, r)
	}
	if _, ok := r.References["arn"]; !ok && r.Join == nil {
		if _, ok := s.Attributes["Arn"]; !ok {
			t.Errorf("%s: arn is not Arn, which %s does not have", name, target)
		}
	}
	for _, a := range r.Adds {
		added := m.Schema(a.Type)
		if added == nil {
			t.Errorf("%s: adds %s, which has no schema", name, a.Type)
			continue
		}
		ac := &rowCheck{t: t, name: name + " adds", schema: added}
		for p := range a.Set {
			ac.typeAt(ac.root(), p)
		}
		for _, p := range a.Copy {
			ac.typeAt(ac.root(), p)
		}
	}
	return c.n
}

// rowCheck looks properties up in one schema.
type rowCheck struct {
	t      *testing.T
	name   string
	schema *estate.Schema
	n      int
}

func (c *rowCheck) root() map[string]string { return c.schema.Properties }

// inside is the members of the object that a type expression names.
func (c *rowCheck) inside(expr string) map[string]string {
	for _, one := range strings.Split(expr, "|") {
		if types, ok := c.schema.Types[strings.TrimPrefix(one, "[]")]; ok {
			return types
		}
	}
	return nil
}

// typeAt is the type expression at a dotted path.
func (c *rowCheck) typeAt(members map[string]string, path string) (string, bool) {
	c.t.Helper()
	name, rest, deeper := strings.Cut(path, ".")
	expr, ok := members[name]
	if !ok {
		c.t.Errorf("%s: %s has no property %s", c.name, c.schema.Type, path)
		return "", false
	}
	if !deeper {
		return expr, true
	}
	if strings.Contains(expr, "json") || strings.HasPrefix(expr, "{}") {
		return "json", true
	}
	return c.typeAt(c.inside(expr), rest)
}

func (c *rowCheck) attributes(members map[string]string, attributes map[string]attribute, skip map[string]bool) {
	c.t.Helper()
	for name, a := range attributes {
		switch {
		case a.To == enclosing:
			c.attributes(members, a.With, skip)
			continue
		case a.Resources != nil:
			if other := testModel(c.t).Schema(a.Resources.Type); other == nil {
				c.t.Errorf("%s.%s: no schema of %s", c.name, name, a.Resources.Type)
			} else {
				oc := &rowCheck{t: c.t, name: c.name + "." + name, schema: other}
				oc.attributes(oc.root(), a.With, nil)
				if a.With == nil {
					oc.typeAt(oc.root(), a.To)
				}
				if a.Resources.Parent != "" {
					oc.typeAt(oc.root(), a.Resources.Parent)
				}
				c.n += oc.n
			}
			continue
		case skip[a.To]:
			continue
		}
		expr, ok := c.typeAt(members, a.To)
		c.n++
		if !ok {
			continue
		}
		for p := range a.Also {
			c.typeAt(members, p)
		}
		list := strings.Contains(expr, "[]") || expr == "json"
		if (a.is(wordBlocks) || a.is(wordTags) || a.is(wordNames) || a.is(wordList) || a.many() || a.Key != nil) && !list {
			c.t.Errorf("%s.%s: %s of type %s is no list", c.name, name, a.To, expr)
		}
		if a.is(wordBlock) && strings.HasPrefix(expr, "[]") {
			c.t.Errorf("%s.%s: %s of type %s is a list", c.name, name, a.To, expr)
		}
		inner := c.inside(expr)
		if inner == nil && len(a.With) > 0 && !strings.Contains(expr, "json") {
			c.t.Errorf("%s.%s: %s of type %s holds nothing", c.name, name, a.To, expr)
		}
		if inner != nil {
			c.attributes(inner, a.With, nil)
			for _, p := range a.Each {
				c.typeAt(inner, p)
			}
			for p := range a.Key {
				c.typeAt(inner, p)
			}
		}
	}
}

// reference holds what a reference becomes to the attributes of the type.
func (c *rowCheck) reference(attr, to string, r *row) {
	c.t.Helper()
	check := func(name string) {
		if _, ok := c.schema.Attributes[name]; !ok && name != "Ref" {
			if _, ok := c.schema.Properties[name]; !ok {
				c.t.Errorf("%s: reference %s: %s has no attribute %s", c.name, attr, c.schema.Type, name)
			}
		}
	}
	if to == "" {
		return
	}
	if strings.HasPrefix(to, "/") {
		suffix, _, _ := strings.Cut(to, ".")
		ok := false
		for _, a := range r.Adds {
			ok = ok || a.Suffix == suffix
		}
		if !ok {
			c.t.Errorf("%s: reference %s: nothing adds %s", c.name, attr, suffix)
		}
		return
	}
	if !strings.Contains(to, "${") {
		check(to)
		return
	}
	for _, part := range strings.Split(to, "${")[1:] {
		if name, _, _ := strings.Cut(part, "}"); !strings.HasPrefix(name, "AWS::") && name[0] < 'a' {
			check(name)
		}
	}
}

// TestTableAttributes holds the table to the provider's own schema, where a
// copy of it lies (terraform providers schema -json) at ASSAY_PROVIDER_SCHEMA.
func TestTableAttributes(t *testing.T) {
	path := os.Getenv("ASSAY_PROVIDER_SCHEMA")
	if path == "" {
		t.Skip("ASSAY_PROVIDER_SCHEMA names no provider schema")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	resources := raw(data).member("provider_schemas", "registry.terraform.io/hashicorp/aws", "resource_schemas")
	table := newTable(tables.Terraform(), nil, nil)
	for _, name := range table.types() {
		row, _ := table.row(name)
		block := resources.member(name, "block")
		if block == nil {
			t.Logf("%s is not in that schema", name)
			continue
		}
		compareBlock(t, name, row.Attributes, block)
	}
}

func compareBlock(t *testing.T, name string, attributes map[string]attribute, block raw) {
	for attr, a := range attributes {
		if block.member("attributes", attr) != nil {
			continue
		}
		inner := block.member("block_types", attr, "block")
		if inner == nil {
			t.Logf("%s.%s is not in that schema", name, attr)
			continue
		}
		compareBlock(t, name+"."+attr, a.With, inner)
	}
}
