package check

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// Strictness says which of two values of a parameter asks for more.
type Strictness string

// The directions of strictness.
const (
	// Min is a least value: the higher of two asks for more.
	Min Strictness = "min"
	// Max is a greatest value: the lower of two asks for more.
	Max Strictness = "max"
	// Subset lists what is allowed: only what both allow is.
	Subset Strictness = "subset"
	// Union lists what is needed, or refused: what either names is.
	Union Strictness = "union"
)

// Parameter is a value that checks read with param(): one that an organisation
// or a regime decides, and not AWS. docs/profiles.md explains the fields.
type Parameter struct {
	Name    string            `yaml:"name" json:"name"`
	Type    string            `yaml:"type" json:"type"`
	Unit    string            `yaml:"unit" json:"unit,omitempty"`
	Strict  Strictness        `yaml:"strict" json:"strict,omitempty"`
	Default any               `yaml:"default" json:"default,omitempty"` // nil: not stated
	Meaning string            `yaml:"meaning" json:"meaning"`
	Regimes map[string]Demand `yaml:"regimes" json:"regimes,omitempty"` // by framework, or framework/profile
}

// Demand is the value of a parameter in a regime.
type Demand struct {
	Value       any    `yaml:"value" json:"value"`
	Requirement string `yaml:"requirement" json:"requirement"`
	// Fixed says that the requirement states the value itself. Otherwise it is
	// customary, and an organisation may decide another.
	Fixed bool   `yaml:"fixed" json:"fixed,omitempty"`
	Why   string `yaml:"why" json:"why,omitempty"`
}

// Stated is the value of a parameter in a run, and who asked for it.
type Stated struct {
	Value *estate.Value // nil: nobody stated one
	By    []string      // "pci-dss-4.0.1 10.5.1", "profile acme", "default"
}

// Values are the parameters of a run, by name.
type Values map[string]Stated

// Profile is what an organisation decides: a file of values.
type Profile struct {
	Name   string
	Values map[string]any
}

// kinds are the types of parameters, with what reads a value of each.
var kinds = map[string]func(any) (*estate.Value, bool){
	"integer": func(x any) (*estate.Value, bool) {
		switch x := x.(type) {
		case int:
			return estate.Int(int64(x)), true
		case float64: // out of JSON
			return estate.Int(int64(x)), x == float64(int64(x))
		}
		return nil, false
	},
	"number": func(x any) (*estate.Value, bool) {
		switch x := x.(type) {
		case int:
			return estate.Float(float64(x)), true
		case float64:
			return estate.Float(x), true
		}
		return nil, false
	},
	"boolean": func(x any) (*estate.Value, bool) {
		b, ok := x.(bool)
		return estate.Bool(b), ok
	},
	"text": func(x any) (*estate.Value, bool) {
		s, ok := x.(string)
		return estate.String(s), ok
	},
	"texts": func(x any) (*estate.Value, bool) {
		list, ok := x.([]any)
		items := make([]*estate.Value, len(list))
		for i, item := range list {
			s, text := item.(string)
			ok = ok && text
			items[i] = estate.String(s)
		}
		return estate.List(items...), ok
	},
}

// read gives x as the parameter's type.
func (p *Parameter) read(x any) (*estate.Value, error) {
	if x == nil {
		return nil, nil
	}
	v, ok := kinds[p.Type](x)
	if !ok {
		wanted := map[string]string{"texts": "a list of texts in quotes", "text": "a text in quotes", "integer": "a whole number", "number": "a number", "boolean": "true or false"}[p.Type]
		return nil, fmt.Errorf("%s: expected %s, not %v", p.Name, wanted, x)
	}
	return v, nil
}

// ParseParameters reads a file that declares parameters.
func ParseParameters(name string, data []byte) ([]Parameter, error) {
	var file struct {
		Parameters []Parameter `yaml:"parameters"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, syntaxError(name, err)
	}
	at := positions(data)
	var errs []error
	seen := map[string]bool{}
	for i := range file.Parameters {
		p := &file.Parameters[i]
		if err := p.lint(); err != nil {
			errs = append(errs, at(name, p.Name, err.Error()))
		}
		if seen[p.Name] {
			errs = append(errs, at(name, p.Name, p.Name+" is declared twice"))
		}
		seen[p.Name] = true
	}
	return file.Parameters, errors.Join(errs...)
}

var parameterName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// lint reports the first fault of a declaration.
func (p *Parameter) lint() error {
	if !parameterName.MatchString(p.Name) {
		return fmt.Errorf("parameter %q: expected a name such as log_retention_days", p.Name)
	}
	if kinds[p.Type] == nil {
		return fmt.Errorf("%s: type %q: expected %s", p.Name, p.Type, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	list := p.Type == "texts"
	switch p.Strict {
	case Min, Max:
		if p.Type != "integer" && p.Type != "number" && p.Type != "boolean" {
			return fmt.Errorf("%s: strict: %s is for numbers, and false and true", p.Name, p.Strict)
		}
	case Subset, Union:
		if !list {
			return fmt.Errorf("%s: strict: %s is for texts", p.Name, p.Strict)
		}
	case "":
		if len(p.Regimes) > 0 {
			return fmt.Errorf("%s: regimes may differ, so strict has to say which value asks for more", p.Name)
		}
	default:
		return fmt.Errorf("%s: strict %q: expected min, max, subset or union", p.Name, p.Strict)
	}
	if strings.TrimSpace(p.Meaning) == "" {
		return fmt.Errorf("%s: meaning is missing", p.Name)
	}
	if _, err := p.read(p.Default); err != nil {
		return err
	}
	for _, regime := range slices.Sorted(maps.Keys(p.Regimes)) {
		d := p.Regimes[regime]
		if v, err := p.read(d.Value); err != nil || v == nil {
			return cmp.Or(err, fmt.Errorf("%s: %s: value is missing", p.Name, regime))
		}
		if d.Requirement == "" || strings.TrimSpace(d.Why) == "" {
			return fmt.Errorf("%s: %s: expected the requirement that asks for it, and why", p.Name, regime)
		}
	}
	return nil
}

// ParseProfile reads a profile: values for declared parameters.
func ParseProfile(name string, data []byte, declared []Parameter) (*Profile, error) {
	var file struct {
		Profile    string         `yaml:"profile"`
		Parameters map[string]any `yaml:"parameters"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, syntaxError(name, err)
	}
	at := positions(data)
	var errs []error
	if strings.TrimSpace(file.Profile) == "" {
		errs = append(errs, &FieldError{name, 1, 1, "profile is missing: the name that findings call this profile by"})
	}
	for _, key := range slices.Sorted(maps.Keys(file.Parameters)) {
		i := slices.IndexFunc(declared, func(p Parameter) bool { return p.Name == key })
		if i < 0 {
			errs = append(errs, at(name, key, noParameter(key, declared)))
			continue
		}
		v, err := declared[i].read(file.Parameters[key])
		switch {
		case err != nil:
			errs = append(errs, at(name, key, err.Error()))
		case v == nil:
			errs = append(errs, at(name, key, key+": a value is missing; leave the parameter out to keep its default"))
		}
	}
	return &Profile{Name: file.Profile, Values: file.Parameters}, errors.Join(errs...)
}

// noParameter says that a parameter does not exist, and which may be meant.
func noParameter(name string, declared []Parameter) string {
	var names []string
	for _, p := range declared {
		names = append(names, p.Name)
	}
	if hint := Similar(name, names); hint != "" {
		return "there is no parameter " + name + hint
	}
	return "there is no parameter " + name + "; assay checks parameters lists them"
}

// Similar is "; did you mean X?" for the name that comes nearest to one that
// does not exist, or "" where none comes near.
func Similar(name string, names []string) string {
	best, least := "", 1+len(name)/3
	for _, n := range names {
		if d := distance(name, n); d <= least {
			best, least = n, d-1
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the number of letters to put in, leave out or change to turn one
// text into another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// positions finds, in a YAML file, where a name stands as a key or a value.
func positions(data []byte) func(file, name, message string) error {
	var doc yaml.Node
	_ = yaml.Unmarshal(data, &doc) // it was decoded before
	return func(file, name, message string) error {
		e := &FieldError{file, 1, 1, message}
		var find func(n *yaml.Node) bool
		find = func(n *yaml.Node) bool {
			if n.Kind == yaml.ScalarNode && n.Value == name && n.Line > 0 {
				e.Line, e.Column = n.Line, n.Column
				return true
			}
			return slices.ContainsFunc(n.Content, find)
		}
		find(&doc)
		return e
	}
}

// Resolve gives every parameter its value for a run: of the demands of the
// regimes that count and the profile, the strictest. A profile takes the place
// of the default and of demands that are only customary. regimes are the ids of
// the frameworks of the run; a profile of a framework (id/profile) counts for
// the framework too.
func Resolve(declared []Parameter, regimes []string, profile *Profile) (Values, error) {
	all := Values{}
	var errs []error
	for i := range declared {
		p := &declared[i]
		s, err := p.resolve(regimes, profile)
		errs = append(errs, err)
		all[p.Name] = s
	}
	return all, errors.Join(errs...)
}

func (p *Parameter) resolve(regimes []string, profile *Profile) (Stated, error) {
	var stated []Stated
	own := false
	if profile != nil {
		if x, ok := profile.Values[p.Name]; ok {
			v, err := p.read(x)
			if err != nil {
				return Stated{}, err
			}
			own = true
			stated = append(stated, Stated{v, []string{"profile " + profile.Name}})
		}
	}
	for _, regime := range slices.Sorted(maps.Keys(p.Regimes)) {
		d := p.Regimes[regime]
		if own && !d.Fixed || !slices.ContainsFunc(regimes, func(id string) bool { return id == regime || strings.HasPrefix(id, regime+"/") }) {
			continue
		}
		v, err := p.read(d.Value)
		if err != nil {
			return Stated{}, err
		}
		stated = append(stated, Stated{v, []string{regime + " " + d.Requirement}})
	}
	if len(stated) == 0 {
		v, err := p.read(p.Default)
		return Stated{v, []string{"default"}}, err
	}
	strictest := stated[0]
	for _, s := range stated[1:] {
		strictest = p.stricter(strictest, s)
	}
	return strictest, nil
}

// stricter is what two values ask for together, and who asks for it.
func (p *Parameter) stricter(a, b Stated) Stated {
	both := slices.Concat(a.By, b.By)
	switch p.Strict {
	case Min, Max:
		order := cmp.Compare(number(a.Value), number(b.Value))
		if p.Strict == Max {
			order = -order
		}
		switch {
		case order == 0:
			return Stated{a.Value, both}
		case order < 0:
			return b
		}
		return a
	case Subset:
		kept := slices.DeleteFunc(slices.Clone(a.Value.Items()), func(v *estate.Value) bool { return !has(b.Value, v) })
		return Stated{estate.List(kept...), both}
	case Union:
		all := slices.Clone(a.Value.Items())
		for _, v := range b.Value.Items() {
			if !has(a.Value, v) {
				all = append(all, v)
			}
		}
		return Stated{estate.List(all...), both}
	}
	return a
}

func has(list, v *estate.Value) bool {
	return slices.ContainsFunc(list.Items(), func(x *estate.Value) bool { return estate.Equal(x, v) })
}

// number is a value to compare by; true is more than false.
func number(v *estate.Value) float64 {
	switch {
	case v.Kind() == estate.KindInt:
		return float64(v.AsInt())
	case v.Kind() == estate.KindBool && v.AsBool():
		return 1
	}
	return v.AsFloat()
}

var (
	parameterUse   = regexp.MustCompile(`\b(?:param|stated)\("([^"]*)"\)`)
	parameterShown = regexp.MustCompile(`\{param\.([^}]*)\}`)
)

// Parameters lists the parameters that the check's expressions and message
// read, in order.
func (c *Check) Parameters() []string {
	var names []string
	for _, m := range parameterUse.FindAllStringSubmatch(c.Applies+"\n"+c.Require, -1) {
		names = append(names, m[1])
	}
	for _, m := range parameterShown.FindAllStringSubmatch(c.Message, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
