package terraform

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"assay/internal/collect"
	"assay/internal/estate"
)

// FormatConfiguration is the format of the scopes that folders of .tf files
// give.
const FormatConfiguration = "terraform"

var (
	localSource     = regexp.MustCompile(`(?m)^\s*source\s*=\s*"(\.\.?(?:/[^"\n$]*)?)"`)
	localSourceJSON = regexp.MustCompile(`"source"\s*:\s*"(\.\.?(?:/[^"\n$]*)?)"`)
)

// Survey implements [collect.Surveyor]: a folder includes the modules that it
// calls.
func (*Collector) Survey(f collect.File) (found collect.Survey) {
	if !f.Folder {
		return found
	}
	sources, err := sourcesIn(f.Tree, f.Name)
	if err != nil {
		return found
	}
	for _, source := range sources {
		data, err := f.Tree.Read(path.Join(f.Name, source), maxSourceSize)
		if err != nil {
			continue
		}
		pattern := localSource
		if strings.HasSuffix(source, ".json") {
			pattern = localSourceJSON
		}
		for _, m := range pattern.FindAllSubmatch(data, -1) {
			found.Includes = append(found.Includes, path.Join(f.Name, string(m[1])))
		}
	}
	return found
}

// configurationOf reads a folder of .tf files, with the modules that it calls,
// into one scope.
func (c *Collector) configurationOf(ctx context.Context, f collect.File) *estate.Builder {
	b := estate.NewBuilder(f.Name, FormatConfiguration)
	ev := &evaluator{
		loader: newLoader(f.Tree, b), table: c.table,
		functions: map[string]function.Function{}, byAddress: map[string]*occurrence{}, reported: map[string]bool{},
	}
	config, err := ev.folder(f.Name)
	if err != nil {
		return collect.Unread(f.Name, FormatConfiguration, estate.Problem{Message: "the folder cannot be read: " + err.Error()})
	}
	maps.Copy(ev.functions, pureFunctions)
	maps.Copy(ev.functions, ev.fileFunctions(f.Name, ev.functions))
	ev.installed = ev.installedModules(f.Name)
	ev.root = ev.instance(config, nil, nil, "")
	ev.root.given = ev.givenValues(f.Name, c.options)
	all, err := ev.provided(ctx)
	if err != nil {
		return collect.Unread(f.Name, FormatConfiguration, estate.Problem{Message: err.Error()})
	}
	for _, res := range shapeAll(all, ev) {
		b.Add(res)
	}
	b.Place(ev.root.place())
	return b
}

// place is the region and account that the root module's provider is for, ""
// where the configuration does not say.
func (m *instance) place() (region, account string) {
	provider := m.providers["aws"]
	if a := provider.attribute("region"); a != nil {
		region = textOf(m.evaluate(a.Expr, nil, "provider.aws.region"))
	}
	if a := provider.attribute("allowed_account_ids"); a != nil {
		ids := m.evaluate(a.Expr, nil, "provider.aws.allowed_account_ids")
		if ids.IsWhollyKnown() && ids.CanIterateElements() && ids.LengthInt() == 1 {
			for it := ids.ElementIterator(); it.Next(); {
				_, id := it.Element()
				account = textOf(id)
			}
		}
	}
	return region, account
}

// provided are the resources of all modules, ordered by address. It fails only
// when the table is faulty or ctx ends.
func (ev *evaluator) provided(ctx context.Context) ([]provided, error) {
	// All calls are read first: which attributes a resource must have depends on
	// what any expression of any module reads of it.
	instances, err := ev.instances(ctx)
	if err != nil {
		return nil, err
	}
	for name := range ev.providerFunctions {
		ev.functions[name] = function.New(&function.Spec{
			VarParam: &anything,
			Type:     function.StaticReturnType(cty.DynamicPseudoType),
			Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
				return unknown(cty.DynamicPseudoType, reasonFunction, name), nil
			},
		})
	}
	var all []provided
	unmapped := map[string]bool{}
	for _, m := range instances {
		for _, name := range sortedKeys(m.configuration.resources) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			r := m.resource(name)
			if r.data || !ofAWS(r.kind) || !r.expand() {
				continue
			}
			row, err := ev.table.row(r.kind)
			if err != nil {
				return nil, err
			}
			if row == nil {
				ignored, err := ev.table.ignores(r.kind)
				if err != nil {
					return nil, err
				}
				unmapped[r.kind] = !ignored
				continue
			}
			for _, o := range r.occurrences {
				p := provided{address: o.address, attributes: row.withDefaults(o.withTags()), at: positionOf(r.block.at), callers: m.callers, region: m.regionOf(o)}
				if p.row = row.variant(p.attributes.Field(row.By).AsString()); p.row == nil {
					unmapped[r.kind] = true
					continue
				}
				p.exists, p.existsInput = o.existence()
				all = append(all, p)
				for _, w := range ev.remarks[p.at] {
					w.Resource = o.address
					ev.builder.Waive(w)
				}
			}
		}
	}
	coverUnmapped(ev.builder, unmapped)
	slices.SortStableFunc(all, func(a, b provided) int { return cmp.Compare(a.address, b.address) })
	return all, nil
}

// existence is whether an instance exists, where that is not certain: nil, or
// unknown with the input that decides it.
func (o *occurrence) existence() (*estate.Value, string) {
	if o.open != nil {
		return estate.Unknown(o.open.Reason, o.open.Input), o.open.Input
	}
	for m := o.module; m.parent != nil; m = m.parent {
		call := m.parent.modules[m.callName()]
		if call.open != nil {
			return estate.Unknown(call.open.Reason, call.open.Input), call.open.Input
		}
	}
	return nil, ""
}

// instances are the root module and all that it calls, each before those that
// it calls.
func (ev *evaluator) instances(ctx context.Context) ([]*instance, error) {
	// Reading the files of a call tells further names that expressions use,
	// and needs no value but the call's count or for_each.
	if err := ev.readAhead(ev.root.configuration, map[string]bool{}); err != nil {
		return nil, err
	}
	all := []*instance{ev.root}
	for i := 0; i < len(all); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, name := range sortedKeys(all[i].calls) {
			all = append(all, all[i].module(name).instances...)
		}
	}
	return all, nil
}

// readAhead parses the modules that a module calls, and those that they call.
// What cannot be read is reported when the call is evaluated.
func (ev *evaluator) readAhead(c *configuration, seen map[string]bool) error {
	seen[c.folder] = true
	for _, name := range sortedKeys(c.calls) {
		source := c.calls[name].text("source")
		if !strings.HasPrefix(source, ".") {
			continue
		}
		folder := path.Join(c.folder, source)
		if seen[folder] {
			continue
		}
		if inner, err := ev.folder(folder); err == nil {
			if err := ev.readAhead(inner, seen); err != nil {
				return err
			}
		}
	}
	for _, folder := range ev.installed {
		if folder = path.Join(ev.root.folder, folder); !seen[folder] {
			seen[folder] = true
			if inner, err := ev.folder(folder); err == nil {
				if err := ev.readAhead(inner, seen); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// installedModules are the folders where terraform init has put modules, by
// the address of the call.
func (l *loader) installedModules(root string) map[string]string {
	data, err := l.tree.Read(path.Join(root, ".terraform/modules/modules.json"), maxSourceSize)
	if err != nil {
		return nil
	}
	var manifest struct {
		Modules []struct{ Key, Dir string }
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		l.builder.Problem(estate.Problem{
			Position: estate.Position{File: path.Join(root, ".terraform/modules/modules.json")},
			Message:  "not valid JSON: " + err.Error(), Hint: "terraform init writes it again",
		})
		return nil
	}
	folders := map[string]string{}
	for _, m := range manifest.Modules {
		if m.Key != "" {
			folders[m.Key] = m.Dir
		}
	}
	return folders
}

// withTags are the attributes of an instance with its provider's default tags
// among the tags.
func (o *occurrence) withTags() *estate.Value {
	attributes := o.estate()
	m, provider := o.module.provider(o)
	if provider == nil {
		return attributes
	}
	defaults := m.content(provider.bodies, nil, "provider."+provider.labels[0], provider.at, nil)
	blocks := defaults.blocks["default_tags"]
	if _, open := defaults.open["default_tags"]; len(blocks) == 0 && !open {
		return attributes
	}
	tags := estate.Unknown(reasonApply, "default_tags of the provider").At(positionOf(provider.at))
	if len(blocks) == 1 {
		tags = m.object(blocks[0], "provider."+provider.labels[0]+".default_tags", "").Field("tags")
	}
	switch own := attributes.Field("tags"); {
	case tags == nil:
	case own == nil:
		attributes = attributes.With("tags", tags)
	case own.Kind() == estate.KindMap && tags.Kind() == estate.KindMap:
		attributes = attributes.With("tags", merge(tags, own).At(own.Position()))
	default:
		attributes = attributes.With("tags", estate.Unknown(reasonApply, join(o.address, "tags")).At(own.Position()))
	}
	return attributes
}

// provider finds the configuration of an instance's provider, and the module
// that it stands in; nil when there is none.
func (m *instance) provider(o *occurrence) (*instance, *declared) {
	key, _, _ := strings.Cut(o.kind, "_") // aws, awscc
	if a := o.block.attribute("provider"); a != nil {
		key = providerKey(a.Expr)
	}
	for {
		if p := m.providers[key]; p != nil && !p.isProxy() || m.parent == nil {
			return m, m.providers[key]
		}
		if a := m.call.attribute("providers"); a != nil {
			pairs, _ := hcl.ExprMap(a.Expr)
			for _, pair := range pairs {
				if providerKey(pair.Key) == key {
					key = providerKey(pair.Value)
					break
				}
			}
		}
		m = m.parent
	}
}

// isProxy tells the empty block by which old modules declare that they are
// handed a provider.
func (d *declared) isProxy() bool {
	for _, body := range d.bodies {
		native, ok := body.(*hclsyntax.Body)
		if !ok || len(native.Blocks) > 0 || len(native.Attributes) > 1 || len(native.Attributes) == 1 && native.Attributes["alias"] == nil {
			return false
		}
	}
	return true
}

// providerKey is the name of a provider configuration: aws, or aws.ALIAS.
func providerKey(e hcl.Expression) string {
	if t, diags := hcl.AbsTraversalForExpr(e); !diags.HasErrors() {
		if len(t) > 1 {
			return t.RootName() + "." + attributeAt(t, 1)
		}
		return t.RootName()
	}
	if v, diags := e.Value(nil); !diags.HasErrors() {
		return textOf(v)
	}
	return ""
}

// regionOf is the region that an instance is in, or "" when the configuration
// does not say.
func (m *instance) regionOf(o *occurrence) string {
	if o.content != nil {
		if region := textOf(o.content.attributes["region"].value); region != "" && !o.data {
			return region
		}
	}
	at, provider := m.provider(o)
	if provider == nil {
		return ""
	}
	a := provider.attribute("region")
	if a == nil {
		return ""
	}
	return textOf(at.evaluate(a.Expr, nil, "provider."+provider.labels[0]+".region"))
}

// identities implements [namer].
func (ev *evaluator) identities(address string) (*row, string) {
	o := ev.byAddress[address]
	if o == nil || o.data {
		return nil, ""
	}
	row, err := ev.table.row(o.kind)
	if err != nil {
		return nil, ""
	}
	return row, o.module.regionOf(o)
}

// givenValues are the values of the root module's variables: those of
// terraform.tfvars and *.auto.tfvars, then those that the user names, of which
// the later ones win.
func (ev *evaluator) givenValues(root string, o Options) map[string]given {
	all := map[string]given{}
	names, _ := ev.tree.List(root)
	read := func(name string) {
		data, err := ev.tree.Read(name, maxSourceSize)
		if err != nil {
			ev.builder.Problem(estate.Problem{Position: estate.Position{File: name}, Message: "cannot be read: " + err.Error()})
			return
		}
		values, problems := readVariables(name, data)
		for _, p := range problems {
			ev.builder.Problem(p)
		}
		maps.Copy(all, values)
	}
	for _, name := range []string{"terraform.tfvars", "terraform.tfvars.json"} {
		if slices.Contains(names, name) {
			read(path.Join(root, name))
		}
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".auto.tfvars") || strings.HasSuffix(name, ".auto.tfvars.json") {
			read(path.Join(root, name))
		}
	}
	maps.Copy(all, o.Variables)
	return all
}

// readVariables reads a file of variable values.
func readVariables(name string, data []byte) (map[string]given, []estate.Problem) {
	if nesting(data) > maxNesting {
		return nil, []estate.Problem{{Position: estate.Position{File: name}, Message: fmt.Sprintf("brackets are nested more than %d deep", maxNesting)}}
	}
	file, diags := parseSource(name, data)
	var attributes hcl.Attributes
	if !diags.HasErrors() {
		attributes, diags = file.Body.JustAttributes()
	}
	var problems []estate.Problem
	values := map[string]given{}
	for _, attribute := range sortedKeys(attributes) {
		v, more := attributes[attribute].Expr.Value(nil)
		if diags = append(diags, more...); !more.HasErrors() {
			values[attribute] = given{value: v, at: name}
		}
	}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			problems = append(problems, problemOf(d))
		}
	}
	return values, problems
}
