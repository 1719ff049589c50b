package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"assay/internal/collect"
	"assay/internal/estate"
)

// FormatState is the format of the scopes that states give.
const FormatState = "terraform-state"

// stateVersion is the version of the state file format that is read.
const stateVersion = "4"

// isState judges by names that only a state has: the state file itself, or
// what terraform show -json makes of it.
func isState(data []byte) bool {
	start := bytes.TrimLeft(data[:min(len(data), 4096)], " \t\r\n")
	if !bytes.HasPrefix(start, []byte("{")) || !bytes.Contains(start, []byte(`"terraform_version"`)) || isPlan(data) {
		return false
	}
	return bytes.Contains(start, []byte(`"lineage"`)) || bytes.Contains(data, []byte(`"format_version"`)) && bytes.Contains(data, []byte(`"values"`))
}

// stored is one instance of a resource in a state.
type stored struct {
	address   string
	kind      string
	values    raw
	sensitive func(attribute string) bool
	at        estate.Position
}

// stateOf reads a state into one scope. Everything in it is known; what other
// resources are is told by their ARNs, which become references again.
func (c *Collector) stateOf(ctx context.Context, f collect.File) *estate.Builder {
	unread := func(at estate.Position, message string) *estate.Builder {
		return collect.Unread(f.Name, FormatState, estate.Problem{Position: at, Message: message, Hint: "terraform show -json writes a state that is read"})
	}
	lines := &lineCounter{file: f.Name, data: f.Data}
	if !json.Valid(f.Data) {
		return collect.Unread(f.Name, FormatState, *syntaxProblem(f.Data, lines))
	}
	start := next(f.Data, 0)
	fields, offsets := map[string]raw{}, map[string]int{}
	raw(f.Data[start:]).walk(func(name []byte, at int, v raw) bool {
		fields[string(name)], offsets[string(name)] = v, start+at
		return true
	})
	var all []stored
	switch version := fields["version"]; {
	case fields["values"] != nil && strings.HasPrefix(fields["format_version"].text(), supportedFormat):
		root, at := fields["values"].memberAt("root_module")
		all = shown(root, offsets["values"]+at, lines)
	case string(version) == stateVersion:
		all = kept(fields["resources"], offsets["resources"], lines)
	case fields["values"] != nil:
		return unread(lines.at(start), fmt.Sprintf("state format %s is not one that assay reads; expected %sx", fields["format_version"].text(), supportedFormat))
	default:
		return unread(lines.at(start), fmt.Sprintf("state version %s is not one that assay reads; expected %s", version, stateVersion))
	}
	b := estate.NewBuilder(f.Name, FormatState)
	r := &stateReader{table: c.table, byAddress: map[string]*row{}, identified: map[string]estate.Reference{}, byID: map[string]string{}}
	if err := r.read(ctx, b, all); err != nil {
		return unread(estate.Position{File: f.Name}, err.Error())
	}
	return b
}

// shown lists the instances of terraform show -json, module by module.
func shown(module raw, offset int, lines *lineCounter) []stored {
	var all []stored
	resources, base := module.memberAt("resources")
	for at, entry := range resources.elements() {
		fields := entry.object()
		if fields["mode"].text() != "managed" {
			continue
		}
		hidden := fields["sensitive_values"]
		all = append(all, stored{
			address: fields["address"].text(), kind: fields["type"].text(), values: fields["values"],
			sensitive: func(name string) bool { return hidden.member(name).anyTrue() },
			at:        lines.at(offset + base + at),
		})
	}
	children, base := module.memberAt("child_modules")
	for at, child := range children.elements() {
		all = append(all, shown(child, offset+base+at, lines)...)
	}
	return all
}

// kept lists the instances of a state file.
func kept(resources raw, offset int, lines *lineCounter) []stored {
	var all []stored
	for at, entry := range resources.elements() {
		fields := entry.object()
		if fields["mode"].text() != "managed" {
			continue
		}
		instances, base := entry.memberAt("instances")
		kind := fields["type"].text()
		address := join(fields["module"].text(), kind+"."+fields["name"].text())
		for inner, instance := range instances.elements() {
			one := instance.object()
			if !one["deposed"].absent() {
				continue // replaced, and waiting to be deleted
			}
			hidden := map[string]bool{}
			for _, path := range one["sensitive_attributes"].elements() {
				hidden[path.element(0).member("value").text()] = true
			}
			all = append(all, stored{
				address: address + indexKey(one["index_key"]), kind: kind, values: one["attributes"],
				sensitive: func(name string) bool { return hidden[name] },
				at:        lines.at(offset + at + base + inner),
			})
		}
	}
	return all
}

func indexKey(key raw) string {
	switch {
	case key.absent():
		return ""
	case key.is('"'):
		return "[" + strconv.Quote(key.text()) + "]"
	}
	return "[" + string(key) + "]"
}

// stateReader turns a state into a scope.
type stateReader struct {
	table     *table
	byAddress map[string]*row
	// identified are the ARNs and ids in the state that AWS made, with what they
	// identify.
	identified map[string]estate.Reference
	// byID are all ids; an id that several resources have identifies none.
	byID map[string]string
}

func (r *stateReader) read(ctx context.Context, b *estate.Builder, all []stored) error {
	var entries []provided
	unmapped := map[string]bool{}
	for _, s := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !ofAWS(s.kind) {
			continue
		}
		row, err := r.table.mapped(s.kind, s.values, unmapped)
		if err != nil {
			return err
		}
		if row == nil {
			continue
		}
		r.byAddress[s.address] = row
		r.identify(s, row)
		attributes, err := r.attributes(s, row)
		if err != nil {
			return err
		}
		entries = append(entries, provided{address: s.address, row: row, attributes: attributes, at: s.at, region: s.values.member("region").text()})
	}
	for i := range entries {
		entries[i].attributes = r.referring(entries[i])
	}
	for _, res := range shapeAll(entries, r) {
		b.Add(res)
	}
	coverUnmapped(b, unmapped)
	b.Place(placeOf(all))
	return nil
}

// placeOf is the region and account of the first resource whose ARN says both.
func placeOf(all []stored) (region, account string) {
	for _, s := range all {
		parts := strings.SplitN(s.values.member("arn").text(), ":", 6)
		if ofAWS(s.kind) && len(parts) == 6 && parts[3] != "" && parts[4] != "" {
			return parts[3], parts[4]
		}
	}
	return "", ""
}

// identify notes the identities of an instance by which others may name it.
func (r *stateReader) identify(s stored, row *row) {
	if id := s.values.member("id").text(); id != "" {
		if _, twice := r.byID[id]; twice {
			r.byID[id] = ""
		} else {
			r.byID[id] = s.address
		}
	}
	names := append([]string{"id", "arn"}, sortedKeys(row.References)...)
	for _, name := range names {
		text := s.values.member(name).text()
		if _, ok := row.identity(name); !ok || !madeByAWS(text) {
			continue
		}
		if _, taken := r.identified[text]; !taken {
			r.identified[text] = estate.Reference{Resource: s.address, Attribute: name}
		}
	}
}

// madeByAWS tells an identity that nobody wrote from a name: an ARN, a URL, or
// an id such as sg-0123456789abcdef0.
func madeByAWS(text string) bool {
	if strings.HasPrefix(text, "arn:") || strings.HasPrefix(text, "https://") {
		return true
	}
	_, digits, ok := strings.Cut(text, "-")
	return ok && (len(digits) == 8 || len(digits) == 17) && strings.Trim(digits, "0123456789abcdef") == ""
}

// attributes are the attributes that the row asks for. What is empty is not
// set: a state writes out all that a resource could have.
func (r *stateReader) attributes(s stored, row *row) (*estate.Value, error) {
	var fields []estate.Field
	for name, v := range s.values.wanted(row.Attributes) {
		secret, err := r.table.secret(s.kind, name)
		if err != nil {
			return nil, err
		}
		switch {
		case v.absent():
		case secret || s.sensitive(name):
			fields = append(fields, estate.Field{Name: name, Value: estate.Secret(join(s.address, name) + " is sensitive").At(s.at)})
		default:
			if x := stated(withoutEmpty(v.value(s.at))); x != nil {
				fields = append(fields, estate.Field{Name: name, Value: x})
			}
		}
	}
	if all := s.values.member("tags_all"); all.is('{') && row.Attributes["tags"].To != "" {
		if tags := withoutEmpty(all.value(s.at)); tags != nil {
			return estate.Map(append(fields, estate.Field{Name: "tags", Value: tags})...).At(s.at), nil
		}
	}
	return estate.Map(fields...).At(s.at), nil
}

// withoutEmpty is v without the members that are empty; nil when nothing is left.
func withoutEmpty(v *estate.Value) *estate.Value {
	switch v.Kind() {
	case estate.KindNull:
		return nil
	case estate.KindList:
		var items []*estate.Value
		for _, item := range v.Items() {
			if item.Kind() != estate.KindMap {
				items = append(items, item)
				continue
			}
			if item = withoutEmpty(item); item == nil {
				item = estate.Map().At(v.Position())
			}
			items = append(items, item)
		}
		if len(items) == 0 {
			return nil
		}
		return estate.List(items...).At(v.Position())
	case estate.KindMap:
		kept := estate.Map().At(v.Position())
		for _, f := range v.Fields() {
			if x := withoutEmpty(f.Value); x != nil {
				kept = kept.With(f.Name, x)
			}
		}
		if len(kept.Fields()) == 0 {
			return nil
		}
		return kept
	}
	return v
}

// referring turns identities of other resources of the state into references.
func (r *stateReader) referring(p provided) *estate.Value {
	attributes := documents(p.attributes, p.row.Attributes)
	for _, name := range sortedKeys(p.row.Attributes) {
		v := attributes.Field(name)
		if other := r.byID[v.AsString()]; p.row.Attributes[name].is(wordID) && other != "" && other != p.address {
			attributes = attributes.With(name, estate.Ref(other, "id").At(v.Position()))
		}
	}
	return attributes.Rewrite(func(v *estate.Value) *estate.Value {
		text := v.AsString()
		if v.Kind() != estate.KindString || !strings.Contains(text, ":") && !madeByAWS(text) {
			return v
		}
		if ref, ok := r.identified[text]; ok && ref.Resource != p.address {
			return estate.Ref(ref.Resource, ref.Attribute).At(v.Position())
		}
		for i := len(text) - 1; i > 0 && strings.HasPrefix(text, "arn:"); i-- {
			if text[i] != '/' && text[i] != ':' {
				continue
			}
			if ref, ok := r.identified[text[:i]]; ok && ref.Resource != p.address {
				return estate.Text(estate.Ref(ref.Resource, ref.Attribute), estate.String(text[i:])).At(v.Position())
			}
		}
		return v
	})
}

// documents reads the texts that hold JSON, as the specs say.
func documents(v *estate.Value, specs map[string]attribute) *estate.Value {
	for name, spec := range specs {
		inner := v.Field(name)
		switch {
		case inner == nil:
		case spec.is(wordJSON):
			v = v.With(name, parsed(inner))
		case spec.With != nil && inner.Kind() == estate.KindList:
			items := make([]*estate.Value, len(inner.Items()))
			for i, item := range inner.Items() {
				items[i] = documents(item, spec.With)
			}
			v = v.With(name, estate.List(items...).At(inner.Position()))
		case spec.With != nil && inner.Kind() == estate.KindMap:
			v = v.With(name, documents(inner, spec.With))
		}
	}
	return v
}

// identities implements [namer].
func (r *stateReader) identities(address string) (*row, string) { return r.byAddress[address], "" }
