package tables_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"assay/tables"
)

// schema is a line of cloudformation.jsonl.
type schema struct {
	Type       string
	Attributes map[string]string
	Identifier []string
	Required   []string
	Properties map[string]string
	Types      map[string]map[string]string
	Defaults   map[string]any
	Source     string
}

func schemas(t *testing.T) map[string]schema {
	t.Helper()
	all := map[string]schema{}
	last := ""
	lines := slices.Concat(slices.Collect(bytes.Lines(tables.Schemas())), slices.Collect(bytes.Lines(tables.AssayTypes())))
	for _, line := range lines {
		var s schema
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			t.Fatalf("after %s: %v", last, err)
		}
		if s.Type <= last {
			t.Errorf("%s comes after %s", s.Type, last)
		}
		all[s.Type], last = s, s.Type
	}
	return all
}

// at is the type expression that a dotted path of properties leads to.
func (s schema) at(path string) (string, bool) {
	properties, expr := s.Properties, ""
	for name := range strings.SplitSeq(path, ".") {
		var ok bool
		if expr, ok = properties[name]; !ok {
			return "", false
		}
		properties = s.Types[expr]
	}
	return expr, true
}

// fits reports whether decoded JSON or YAML has the type of an expression.
func (s schema) fits(v any, expr string) bool {
	if strings.Contains(expr, "|") {
		return slices.ContainsFunc(strings.Split(expr, "|"), func(m string) bool { return s.fits(v, m) })
	}
	switch v := v.(type) {
	case bool:
		return expr == "boolean"
	case string:
		return expr == "string"
	case int:
		return expr == "integer" || expr == "number"
	case float64:
		return expr == "integer" && v == float64(int64(v)) || expr == "number"
	case []any:
		item, ok := strings.CutPrefix(expr, "[]")
		return ok && !slices.ContainsFunc(v, func(x any) bool { return !s.fits(x, item) })
	case map[string]any:
		for name, x := range v {
			field, ok := s.Types[expr][name]
			if !ok || !s.fits(x, field) {
				return false
			}
		}
		return true
	}
	return false
}

func TestSchemas(t *testing.T) {
	if n := len(tables.Schemas()); n > 1_500_000 {
		t.Errorf("the schemas have %d bytes, at most 1,500,000 are wanted in the binary", n)
	}
	primitives := []string{"string", "integer", "number", "boolean", "timestamp", "json"}
	member := regexp.MustCompile(`^(\[\]|\{\})*([A-Za-z0-9]+)$`)
	call := regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+(, [a-z0-9-]+:[A-Z][A-Za-z0-9]+)*$`)
	for _, s := range schemas(t) {
		if own := strings.HasPrefix(s.Type, "Assay::"); own && !call.MatchString(s.Source) || !own && s.Source != "" {
			t.Errorf("%s: source %q; a fact of ours names the API that shows it, such as lambda:GetFunction", s.Type, s.Source)
		}
		used := map[string]bool{}
		check := func(where, expr string) {
			for m := range strings.SplitSeq(expr, "|") {
				parts := member.FindStringSubmatch(m)
				switch {
				case parts == nil:
					t.Errorf("%s: %s: %q is not a type expression", s.Type, where, expr)
				case slices.Contains(primitives, parts[2]):
				case s.Types[parts[2]] == nil:
					t.Errorf("%s: %s: no definition of %s", s.Type, where, parts[2])
				default:
					used[parts[2]] = true
				}
			}
		}
		for name, expr := range s.Attributes {
			check(name, expr)
		}
		for name, expr := range s.Properties {
			check(name, expr)
		}
		for definition, properties := range s.Types {
			for name, expr := range properties {
				check(definition+"."+name, expr)
			}
		}
		for name := range s.Types {
			if !used[name] {
				t.Errorf("%s: nothing uses %s", s.Type, name)
			}
		}
		for _, name := range s.Required {
			if _, ok := s.Properties[name]; !ok {
				t.Errorf("%s: requires %s, which is not a property", s.Type, name)
			}
		}
		for path, v := range s.Defaults {
			if expr, ok := s.at(path); !ok || !s.fits(v, expr) {
				t.Errorf("%s: default %v does not fit %s (%s)", s.Type, v, path, expr)
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	var table struct {
		Date     string
		Defaults []struct {
			Type, Property, Parent, Unless, Source string
			Value                                  any
		}
	}
	load(t, tables.Defaults(), &table)
	isDate(t, "defaults", table.Date)
	all, seen := schemas(t), map[string]bool{}
	for _, d := range table.Defaults {
		where := d.Type + "." + d.Property
		if seen[where] {
			t.Errorf("%s: twice", where)
		}
		seen[where] = true
		s, ok := all[d.Type]
		if !ok {
			t.Errorf("%s: no such type", where)
			continue
		}
		if expr, ok := s.at(d.Property); !ok || !s.fits(d.Value, expr) {
			t.Errorf("%s: %v does not fit %q", where, d.Value, expr)
		}
		if _, ok := s.at(d.Unless); d.Unless != "" && !ok {
			t.Errorf("%s: unless: no property %s", where, d.Unless)
		}
		if d.Parent != "" && (d.Parent != "optional" || !strings.Contains(d.Property, ".")) {
			t.Errorf("%s: parent: %s", where, d.Parent)
		}
		if !strings.HasPrefix(d.Source, "https://docs.aws.amazon.com/") {
			t.Errorf("%s: source %q is not AWS's documentation", where, d.Source)
		}
	}
}

func TestRuntimes(t *testing.T) {
	var table struct {
		Source, Date string
		Runtimes     []struct {
			ID, Family    string
			Deprecated    string
			CreateBlocked string `yaml:"createBlocked"`
			UpdateBlocked string `yaml:"updateBlocked"`
			Preview       bool
			Newest        bool
		}
	}
	load(t, tables.Runtimes(), &table)
	isDate(t, "runtimes", table.Date)
	families := []string{"dotnet", "go", "java", "nodejs", "provided", "python", "ruby"}
	seen := map[string]bool{}
	newest, latest := map[string]string{}, map[string]string{}
	for _, r := range table.Runtimes {
		latest[r.Family] = max(latest[r.Family], r.Deprecated)
		if r.Newest {
			if newest[r.Family] != "" {
				t.Errorf("%s: the newest of %s is another", r.ID, r.Family)
			}
			newest[r.Family] = r.Deprecated
		}
		if seen[r.ID] {
			t.Errorf("%s: twice", r.ID)
		}
		seen[r.ID] = true
		if !slices.Contains(families, r.Family) || !strings.HasPrefix(r.ID, r.Family) {
			t.Errorf("%s: family %s", r.ID, r.Family)
		}
		for _, date := range []string{r.Deprecated, r.CreateBlocked, r.UpdateBlocked} {
			if date != "" {
				isDate(t, r.ID, date)
			}
		}
		if r.Preview != (r.Deprecated == "") {
			t.Errorf("%s: a runtime has a date of deprecation or is a preview", r.ID)
		}
		if r.CreateBlocked > r.UpdateBlocked {
			t.Errorf("%s: updates are blocked before creation", r.ID)
		}
	}
	for family, deprecated := range newest {
		if deprecated < latest[family] {
			t.Errorf("%s: the newest runtime ends before another", family)
		}
	}
}

func TestSAMPolicyTemplates(t *testing.T) {
	var table map[string]struct {
		Parameters []string
		Definition struct{ Statement []any }
	}
	if err := json.Unmarshal(tables.SAMPolicyTemplates(), &table); err != nil {
		t.Fatal(err)
	}
	for name, template := range table {
		if len(template.Definition.Statement) == 0 {
			t.Errorf("%s: no statement", name)
		}
		used := map[string]bool{}
		refs(template.Definition.Statement, used)
		for _, p := range template.Parameters {
			if !used[p] {
				t.Errorf("%s: no statement refers to %s", name, p)
			}
			delete(used, p)
		}
		for r := range used {
			if !strings.HasPrefix(r, "AWS::") {
				t.Errorf("%s: %s is not a parameter", name, r)
			}
		}
	}
}

// refs gathers what {"Ref": name} names anywhere in v.
func refs(v any, into map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			refs(item, into)
		}
	case map[string]any:
		if name, ok := v["Ref"].(string); ok {
			into[name] = true
		}
		for _, item := range v {
			refs(item, into)
		}
	}
}

// The records of the sources are whole.
func TestSources(t *testing.T) {
	names, err := filepath.Glob("*.source.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, name := range names {
		var source struct{ Package, Version, License, Date string }
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &source); err != nil {
			t.Fatal(err)
		}
		if source.Package == "" || source.Version == "" || source.License != "Apache-2.0" && source.License != "MIT" {
			t.Errorf("%s: source is %+v", name, source)
		}
		isDate(t, name, source.Date)
	}
}

// TestAll holds the list of all tables to the files of the folder.
func TestAll(t *testing.T) {
	names, err := filepath.Glob("*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".md") || strings.HasSuffix(name, ".source.json") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(tables.All(), func(table []byte) bool { return bytes.Equal(table, data) }) {
			t.Errorf("%s is not among all tables, and not in the digest of a run", name)
		}
	}
}

// load decodes YAML and refuses fields that nothing reads.
func load(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := yaml.Load(data, into, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
}

func isDate(t *testing.T, where, text string) {
	t.Helper()
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		t.Errorf("%s: %v", where, err)
	}
}

// TestEdgeProperties holds the property of every relation to the schema of the
// type that states it.
func TestEdgeProperties(t *testing.T) {
	var table struct {
		Rules []struct{ From, Property, To string }
	}
	if err := yaml.Unmarshal(tables.Edges(), &table); err != nil {
		t.Fatal(err)
	}
	all := schemas(t)
	for _, r := range table.Rules {
		s, ok := all[r.From]
		if !ok {
			if !strings.HasPrefix(r.From, "Assay::") { // what a collector makes may have no schema
				t.Errorf("%s: no such type", r.From)
			}
			continue
		}
		expr, properties := "", s.Properties
		for name := range strings.SplitSeq(strings.ReplaceAll(r.Property, "[]", ""), ".") {
			if expr, ok = properties[name]; !ok && properties != nil {
				t.Errorf("%s.%s: no property %s", r.From, r.Property, name)
			}
			properties = s.Types[strings.TrimLeft(expr, "[]")]
		}
		if _, ok := all[r.To]; !ok {
			t.Errorf("%s.%s: no type %s", r.From, r.Property, r.To)
		}
	}
}

// TestDatedTables holds the tables that checks look names up in to their form.
func TestDatedTables(t *testing.T) {
	var tls struct {
		Source, Date string
		Policies     []struct {
			ID, Service   string
			Minimum       float64
			FIPS, Quantum bool
		}
	}
	load(t, tables.TLSPolicies(), &tls)
	isDate(t, "tls-policies", tls.Date)
	versions := []float64{0.3, 1.0, 1.1, 1.2, 1.3}
	services := []string{"apigateway", "cloudfront", "elasticloadbalancing"}
	seen := map[string]bool{}
	for _, p := range tls.Policies {
		if seen[p.ID] || !slices.Contains(versions, p.Minimum) || !slices.Contains(services, p.Service) {
			t.Errorf("TLS policy %+v", p)
		}
		if p.FIPS != strings.Contains(p.ID, "FIPS") || p.Quantum != strings.Contains(p.ID, "PQ") {
			t.Errorf("TLS policy %s does not say what its name says: %+v", p.ID, p)
		}
		seen[p.ID] = true
	}
	var fips struct {
		Source, Date string
		Services     map[string][]string
	}
	load(t, tables.FIPSEndpoints(), &fips)
	isDate(t, "fips-endpoints", fips.Date)
	region := regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	for service, regions := range fips.Services {
		for _, r := range regions {
			if !region.MatchString(r) {
				t.Errorf("%s: %q is not a region", service, r)
			}
		}
	}
	var principals struct {
		Source, Date string
		Principals   map[string][]string
	}
	load(t, tables.ServicePrincipals(), &principals)
	isDate(t, "service-principals", principals.Date)
	for name, keys := range principals.Principals {
		for _, key := range keys {
			if !strings.Contains(name, ".amazon") || !strings.Contains(key, ":") {
				t.Errorf("principal %s: %s", name, key)
			}
		}
	}
}

// TestProgrammes holds the table of compliance programmes to its form: every name
// is one of a service, every type one that the schemas could have, every list dated.
func TestProgrammes(t *testing.T) {
	var table struct {
		Date     string
		Services []struct {
			ID, Title    string
			Types, Names []string
		}
		Unassessed []string
		Nowhere    struct {
			Date, Read string
			Services   []string
		}
		Ways []struct {
			From                       string
			Relations, Names, Mentions []string
			Principal, Policies        string
		}
		Programmes []struct {
			ID, Title, Source string
			Lists             []struct {
				Date, Read       string
				Regions, In, Out []string
				Partly           map[string]string
			}
		}
	}
	load(t, tables.Programmes(), &table)
	isDate(t, "programmes", table.Date)
	isDate(t, "programmes: nowhere", table.Nowhere.Date)

	// Event sources and principals call some services otherwise than actions do.
	actions := map[string]bool{"edgelambda": true, "iot1click": true, "iotdata": true, "lexv2": true, "pinpoint": true}
	for line := range bytes.Lines(tables.IAMActions()) {
		var row struct{ Service string }
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		actions[row.Service] = true
	}
	namespace := regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`)
	ids, seen := map[string]bool{}, map[string]string{}
	last := ""
	for _, s := range table.Services {
		if s.ID <= last || s.Title == "" || len(s.Types)+len(s.Names) == 0 {
			t.Errorf("service %+v, after %s", s, last)
		}
		ids[s.ID], last = true, s.ID
		for _, name := range s.Names {
			if !actions[name] {
				t.Errorf("%s: %s begins no action and no principal", s.ID, name)
			}
		}
		for _, name := range s.Types {
			if !namespace.MatchString(name) {
				t.Errorf("%s: type %s", s.ID, name)
			}
		}
		for _, name := range slices.Concat(s.Types, s.Names) {
			if seen[name] != "" {
				t.Errorf("%s: %s is of %s", s.ID, name, seen[name])
			}
			seen[name] = s.ID
		}
	}

	var edges struct {
		Rules []struct{ Name, Inverse, From, To string }
	}
	if err := yaml.Unmarshal(tables.Edges(), &edges); err != nil {
		t.Fatal(err)
	}
	all := schemas(t)
	// All that a relation of a way leads to is a service of the table.
	for _, y := range table.Ways {
		s, ok := all[y.From]
		if !ok {
			t.Errorf("way from %s: no such type", y.From)
		}
		for _, relation := range y.Relations {
			to := ""
			for _, r := range edges.Rules {
				if r.Name == relation && r.From == y.From {
					to = r.To
				}
				if r.Inverse == relation && r.To == y.From {
					to = r.From
				}
			}
			if parts := strings.Split(to, "::"); len(parts) != 3 || seen[parts[1]] == "" {
				t.Errorf("way from %s: %s leads to %q", y.From, relation, to)
			}
		}
		for _, path := range slices.Concat(y.Names, y.Mentions, []string{y.Principal, y.Policies}) {
			first, _, _ := strings.Cut(strings.TrimSuffix(path, "[]"), ".")
			if _, ok := s.Properties[strings.TrimSuffix(first, "[]")]; path != "" && !ok {
				t.Errorf("way from %s: no property %s", y.From, path)
			}
		}
	}

	region := regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	known := func(where string, list []string) {
		for i, id := range list {
			if !ids[id] || i > 0 && id <= list[i-1] {
				t.Errorf("%s: %s is no service, or not in order", where, id)
			}
		}
	}
	known("unassessed", table.Unassessed)
	known("nowhere", table.Nowhere.Services)
	for _, p := range table.Programmes {
		if p.Title == "" || !strings.HasPrefix(p.Source, "https://aws.amazon.com/compliance/") || len(p.Lists) == 0 {
			t.Errorf("programme %s: title %q, source %q, %d lists", p.ID, p.Title, p.Source, len(p.Lists))
		}
		for _, l := range p.Lists {
			isDate(t, p.ID, l.Date)
			if l.Read == "" {
				t.Errorf("%s of %s: read nowhere", p.ID, l.Date)
			}
			for _, r := range l.Regions {
				if !region.MatchString(r) {
					t.Errorf("%s: %q is not a region", p.ID, r)
				}
			}
			known(p.ID, l.In)
			known(p.ID, l.Out)
			known(p.ID, slices.Sorted(maps.Keys(l.Partly)))
			stated := slices.Concat(l.In, l.Out, slices.Collect(maps.Keys(l.Partly)), table.Unassessed, table.Nowhere.Services)
			slices.Sort(stated)
			for i := 1; i < len(stated); i++ {
				if stated[i] == stated[i-1] && !slices.Contains(table.Nowhere.Services, stated[i]) {
					t.Errorf("%s of %s says two things of %s", p.ID, l.Date, stated[i])
				}
			}
			for _, id := range table.Nowhere.Services {
				if slices.Contains(l.In, id) {
					t.Errorf("%s has %s, which is in no programme", p.ID, id)
				}
			}
		}
	}
}
