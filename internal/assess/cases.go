package assess

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/estate"
)

// CaseRunner runs the cases of checks, which are small templates and estates
// with the outcomes expected of them.
type CaseRunner struct {
	Model   *estate.Model
	Library *check.Library
	// Reader gives the collector for templates with these parameter values.
	Reader func(parameters map[string]string) collect.Collector
	AsOf   string // for cases that name no date
	// Parameters are those that checks may read.
	Parameters []check.Parameter
	// Asker makes what answers the hard questions, as in [Config].
	Asker func() check.Asker
}

// CaseFailure is one way in which a case does not hold.
type CaseFailure struct {
	File, Case, Message string
}

func (f CaseFailure) Error() string { return fmt.Sprintf("%s: case %q: %s", f.File, f.Case, f.Message) }

// Run runs every case of one check, and the refinement law over each: when an
// input that was known becomes unknown, the outcome stays what it was or
// becomes unknown; it never flips.
func (r CaseRunner) Run(ctx context.Context, t *check.Typed, file catalog.CaseFile) []CaseFailure {
	p, err := r.Library.Load(t)
	if err != nil {
		return []CaseFailure{{file.Name, "", err.Error()}}
	}
	var failures []CaseFailure
	for _, c := range file.Cases {
		fail := func(format string, args ...any) {
			failures = append(failures, CaseFailure{file.Name, c.Name, fmt.Sprintf(format, args...)})
		}
		b, err := r.builder(ctx, c)
		if err != nil {
			fail("%v", err)
			continue
		}
		on, err := r.setting(c)
		if err != nil {
			fail("%v", err)
			continue
		}
		got := r.outcomes(p, b.Build(r.Model), on)
		for _, id := range slices.Sorted(maps.Keys(c.Expect)) {
			result, ok := got[id]
			switch want := c.Expect[id]; {
			case !ok:
				fail("%s: no %s of that logical id", id, t.Subject)
			case result.Err != nil:
				fail("%s: the check failed to evaluate: %v", id, result.Err)
			case result.Outcome != want:
				fail("%s: expected %s, got %s%s", id, want, result.Outcome, because(result))
			}
		}
		for _, v := range variants(b, r.Model) {
			after := r.outcomes(p, v.builder.Build(r.Model), on)
			for _, id := range slices.Sorted(maps.Keys(got)) {
				then, now := got[id].Outcome, after[id].Outcome
				if now != then && now != check.Unknown {
					fail("refinement law: with %s not known, %s goes from %s to %s", v.what, id, then, now)
				}
			}
		}
	}
	return failures
}

// setting is what a case is judged by: its date and its parameters.
func (r CaseRunner) setting(c catalog.Case) (check.Setting, error) {
	on := check.Setting{AsOf: cmp.Or(c.AsOf, r.AsOf)}
	profile := &check.Profile{Name: "of the case", Values: c.Profile}
	for name := range c.Profile {
		if !slices.ContainsFunc(r.Parameters, func(p check.Parameter) bool { return p.Name == name }) {
			return on, fmt.Errorf("profile: there is no parameter %s", name)
		}
	}
	var err error
	on.Parameters, err = check.Resolve(r.Parameters, c.Frameworks, profile)
	return on, err
}

func because(result check.Result) string {
	var why []string
	for _, m := range result.Missing {
		why = append(why, m.Reason+": "+m.Input)
	}
	for _, read := range result.Reads {
		why = append(why, read.Path+" is "+read.Value.String())
	}
	if len(why) == 0 {
		return ""
	}
	return " (" + strings.Join(why, "; ") + ")"
}

func (r CaseRunner) builder(ctx context.Context, c catalog.Case) (*estate.Builder, error) {
	switch {
	case (c.Template.Kind == 0) == (c.Estate.Kind == 0):
		return nil, errors.New("expected a template or an estate, and one of them")
	case c.Estate.Kind != 0 && len(c.Parameters) > 0:
		return nil, errors.New("an estate has no parameters")
	case c.Estate.Kind != 0:
		f := fixture{}
		if err := c.Estate.Load(&f, yaml.WithKnownFields()); err != nil {
			return nil, fmt.Errorf("estate: %w", err)
		}
		return f.build(r.Model)
	}
	data, err := c.Source()
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	scopes := r.Reader(c.Parameters).Collect(ctx, collect.File{Name: "template.yaml", Data: data, Named: true})
	if len(scopes) != 1 {
		return nil, fmt.Errorf("template: expected one scope, got %d", len(scopes))
	}
	for _, p := range scopes[0].Build(r.Model).Problems() {
		if p.Fatal {
			return nil, fmt.Errorf("template: %w", p)
		}
	}
	return scopes[0], nil
}

// outcomes decides a check for every subject of a scope.
func (r CaseRunner) outcomes(p *check.Program, s *estate.Scope, on check.Setting) map[string]check.Result {
	found := map[string]check.Result{}
	if r.Asker != nil {
		on.Asker = r.Asker()
	}
	for _, subject := range s.OfType(p.Subject) {
		found[subject.LogicalID] = p.Evaluate(subject, on)
	}
	return found
}

// variant is an estate with one input less known.
type variant struct {
	what    string
	builder *estate.Builder
}

// variants blanks, one at a time: every stated property at any depth, every
// property of a resource that the schema has and the template does not state,
// and every resource's existence. Of an estate that was read live it denies, one
// at a time, the reading of every type, and of all; and it hides every resource.
func variants(b *estate.Builder, m *estate.Model) []variant {
	resources := b.Resources()
	var all []variant
	with := func(i int, what string, change func(*estate.Resource)) {
		changed := slices.Clone(resources)
		change(&changed[i])
		all = append(all, variant{changed[i].LogicalID + what, b.Replace(changed)})
	}
	gap := func(what string) *estate.Value { return estate.Unknown("blanked by the refinement law", what) }
	maybe := func(what string) *estate.Value {
		return estate.OneOf("blanked "+what, estate.Case{When: "set", Value: gap(what)}, estate.Case{When: "unset"})
	}
	if live(b) {
		all = append(all, denied(b)...)
	}
	for i, r := range resources {
		r.Properties.EachAt(func(path string, v *estate.Value) bool {
			by := gap(path)
			if slices.ContainsFunc(v.Cases(), func(c estate.Case) bool { return c.Value == nil }) {
				by = maybe(path) // it may be absent; knowing less must leave that open
			}
			if path != "" {
				with(i, path, func(r *estate.Resource) { r.Properties = blank(r.Properties, path, by) })
			}
			return true
		})
		if s := m.Schema(r.Type); s != nil {
			for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
				if r.Properties.Field(name) == nil {
					with(i, "/"+name, func(r *estate.Resource) { r.Properties = r.Properties.With(name, maybe(name)) })
				}
			}
		}
		if r.Exists == nil {
			with(i, " itself", func(r *estate.Resource) {
				r.ExistsInput = "condition Blanked"
				r.Exists = gap(r.ExistsInput)
			})
		}
	}
	return all
}

func live(b *estate.Builder) bool { return strings.HasPrefix(b.Format(), "aws") }

// denied are the estate with less of it read.
func denied(b *estate.Builder) []variant {
	resources := b.Resources()
	types := []string{"*"}
	for _, r := range resources {
		types = append(types, r.Type)
	}
	slices.Sort(types)
	without := func(name string, kept []estate.Resource) *estate.Builder {
		v := b.Replace(kept)
		v.Cover(estate.Coverage{Type: name, State: estate.CoverageDenied, Reason: "denied by the refinement law"})
		return v
	}
	var all []variant
	for _, name := range slices.Compact(types) {
		all = append(all, variant{"the reading of " + name, without(name, resources)})
	}
	for i, r := range resources {
		all = append(all, variant{r.LogicalID + " unread", without(r.Type, slices.Delete(slices.Clone(resources), i, i+1))})
	}
	return all
}

// blank replaces the value at a path of names and indexes.
func blank(v *estate.Value, path string, by *estate.Value) *estate.Value {
	head, rest, deeper := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if head == "" {
		return by
	}
	next := ""
	if deeper {
		next = "/" + rest
	}
	switch v.Kind() {
	case estate.KindMap:
		name := strings.ReplaceAll(strings.ReplaceAll(head, "~1", "/"), "~0", "~")
		return v.With(name, blank(v.Field(name), next, by))
	case estate.KindList, estate.KindText:
		items := slices.Clone(v.Items())
		if i, err := strconv.Atoi(head); err == nil && i < len(items) {
			items[i] = blank(items[i], next, by)
		}
		if v.Kind() == estate.KindText {
			return estate.Text(items...)
		}
		return estate.List(items...)
	case estate.KindOneOf:
		cases := slices.Clone(v.Cases())
		for i, c := range cases {
			if c.When == head && c.Value != nil {
				cases[i].Value = blank(c.Value, next, by)
			}
		}
		return estate.OneOf(v.Input(), cases...)
	default:
		return by
	}
}
