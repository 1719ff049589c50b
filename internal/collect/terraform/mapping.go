package terraform

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// mapping is the table of resource types.
type mapping struct {
	Types   map[string]*resourceType `yaml:"types"`
	Ignored []string                 `yaml:"ignored"`
}

// resourceType says how one resource type becomes a CloudFormation resource.
type resourceType struct {
	Type       string               `yaml:"type"`
	Attributes map[string]attribute `yaml:"attributes"`
	References map[string]string    `yaml:"references"` // attribute → CloudFormation attribute
	Assumes    map[string]any       `yaml:"assumes"`    // property → what the provider sets
	Drop       map[string]any       `yaml:"drop"`       // property → value that stands for absent
	Adds       []addition           `yaml:"adds"`
	Elsewhere  []string             `yaml:"elsewhere"` // properties that resources of their own set

	once  sync.Once
	paths []string
}

// attribute says which property an attribute sets, and how.
type attribute struct {
	To   string               `yaml:"to"`
	As   string               `yaml:"as"`
	With map[string]attribute `yaml:"with"`
}

// UnmarshalYAML takes the short form, a property alone.
func (a *attribute) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		a.To = n.Value
		return nil
	}
	type long attribute
	return n.Decode((*long)(a))
}

// addition is a resource that the provider makes beside the one declared.
type addition struct {
	When   map[string]string `yaml:"when"`
	Suffix string            `yaml:"suffix"`
	Type   string            `yaml:"type"`
	Copy   map[string]string `yaml:"copy"`
	Set    map[string]any    `yaml:"set"`
}

// lazyMapping reads the table once, when it is first needed.
type lazyMapping struct {
	data []byte
	once sync.Once
	m    *mapping
	err  error
}

func (l *lazyMapping) get() (*mapping, error) {
	l.once.Do(func() {
		l.m = &mapping{}
		if err := yaml.Unmarshal(l.data, l.m); err != nil {
			l.err = fmt.Errorf("table of Terraform types: %w", err)
		}
	})
	return l.m, l.err
}

// AttributeOf reads the table backwards: the resource type and attribute that
// set a property of a CloudFormation type, such as tracing_config.mode.
func AttributeOf(table []byte) func(cfnType, property string) (resourceType, attribute string, ok bool) {
	l := &lazyMapping{data: table}
	return func(cfnType, property string) (string, string, bool) {
		m, err := l.get()
		if err != nil {
			return "", "", false
		}
		for _, name := range slices.Sorted(maps.Keys(m.Types)) {
			if t := m.Types[name]; t.Type == cfnType {
				if path, ok := pathTo(t.Attributes, property); ok {
					return name, path, true
				}
			}
		}
		return "", "", false
	}
}

func pathTo(attributes map[string]attribute, property string) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		if a.To == property {
			return name, true
		}
		if rest, ok := strings.CutPrefix(property, a.To+"."); ok {
			if inner, found := pathTo(a.With, rest); found {
				return name + "." + inner, true
			}
		}
	}
	return "", false
}

// facts are what a plan says of one value: what it will be, which parts are
// known only after apply, which are sensitive, and how it is configured.
type facts struct {
	value, unknown, sensitive json.RawMessage
	config                    json.RawMessage // nil: not configured
}

func truthy(raw json.RawMessage) bool { return string(raw) == "true" }

// part is what the plan says of a member of an object.
func (f facts) part(name string) facts {
	return facts{
		value: member(f.value, name), unknown: member(f.unknown, name),
		sensitive: inherit(f.sensitive, member(f.sensitive, name)), config: member(f.config, name),
	}
}

// item is what the plan says of a member of a list. A block's configuration is
// a list beside it, or a single object; an attribute's is one expression.
func (f facts) item(i int) facts {
	return facts{
		value: element(f.value, i), unknown: element(f.unknown, i),
		sensitive: inherit(f.sensitive, element(f.sensitive, i)), config: blockConfig(f.config, i),
	}
}

// inherit keeps a whole that is sensitive sensitive in its parts.
func inherit(whole, part json.RawMessage) json.RawMessage {
	if truthy(whole) {
		return whole
	}
	return part
}

func member(raw json.RawMessage, name string) json.RawMessage {
	var object map[string]json.RawMessage
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &object) != nil {
		return nil
	}
	return object[name]
}

func elements(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

func element(raw json.RawMessage, i int) json.RawMessage {
	if list := elements(raw); i < len(list) {
		return list[i]
	}
	return nil
}

func blockConfig(raw json.RawMessage, i int) json.RawMessage {
	if list := elements(raw); list != nil {
		if i < len(list) {
			return list[i]
		}
		return nil
	}
	return raw
}

func absent(raw json.RawMessage) bool {
	s := string(raw)
	return s == "" || s == "null"
}

// resource shapes one change, and what the provider adds beside it.
func (r *reader) resource(c *change, t *resourceType) []estate.Resource {
	all := facts{c.Change.After, c.Change.AfterUnknown, c.Change.AfterSensitive, r.configOf(c)}
	properties := estate.Map()
	for _, name := range slices.Sorted(maps.Keys(t.Attributes)) {
		a := t.Attributes[name]
		v := r.shape(c, name, a, all.part(name))
		if v == nil || a.As != "text" && v.AsString() == "" && v.Kind() == estate.KindString {
			continue
		}
		if drop, ok := t.Drop[a.To]; ok {
			if text, known := v.Scalar(); known && text == fmt.Sprint(drop) {
				continue
			}
		}
		properties = set(properties, a.To, v)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Assumes)) {
		if v, err := estate.FromGo(t.Assumes[name]); err == nil && properties.Path(name) == nil {
			properties = set(properties, name, v.AsDefault())
		}
	}
	res := estate.Resource{Type: t.Type, LogicalID: c.Address, Address: c.Address, Properties: properties, Source: c.at, Reads: t.reads()}
	return append([]estate.Resource{res}, additions(res, t.Adds)...)
}

// reads lists the properties that the table maps, those of blocks one by one.
func (t *resourceType) reads() []string {
	t.once.Do(func() {
		t.paths = slices.Concat(paths("", t.Attributes), slices.Collect(maps.Keys(t.Assumes)), t.Elsewhere)
		slices.Sort(t.paths)
	})
	return t.paths
}

func paths(prefix string, attributes map[string]attribute) []string {
	var all []string
	for _, a := range attributes {
		if a.As == "block" {
			all = append(all, paths(prefix+a.To+".", a.With)...)
			continue
		}
		all = append(all, prefix+a.To)
	}
	return all
}

// additions are what the provider makes by itself.
func additions(res estate.Resource, adds []addition) []estate.Resource {
	var all []estate.Resource
	for _, a := range adds {
		applies := true
		for property, want := range a.When {
			applies = applies && res.Properties.Path(property).AsString() == want
		}
		if !applies {
			continue
		}
		properties := estate.Map()
		for from, to := range a.Copy {
			properties = set(properties, to, res.Properties.Path(from))
		}
		for to, x := range a.Set {
			if v, err := estate.FromGo(x); err == nil {
				properties = set(properties, to, v.At(res.Source))
			}
		}
		all = append(all, estate.Resource{
			Type: a.Type, LogicalID: res.LogicalID + a.Suffix, Address: res.Address, Properties: properties,
			Source: res.Source, Generated: "Terraform AWS provider",
		})
	}
	return all
}

// set puts a value at a dotted path, making the objects on the way.
func set(v *estate.Value, path string, to *estate.Value) *estate.Value {
	if to == nil {
		return v
	}
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return v.With(name, to)
	}
	inner := v.Field(name)
	if inner == nil {
		inner = estate.Map()
	}
	return v.With(name, set(inner, rest, to))
}

// shape turns one attribute into the value of its property; nil is absent.
func (r *reader) shape(c *change, name string, a attribute, f facts) *estate.Value {
	switch a.As {
	case "block":
		if len(elements(f.value)) == 0 && !truthy(f.unknown) {
			return nil
		}
		if truthy(f.unknown) {
			return r.unknown(c, name, a, f)
		}
		return r.object(c, a.With, f.item(0))
	case "blocks":
		if truthy(f.unknown) {
			return r.unknown(c, name, a, f)
		}
		var items []*estate.Value
		for i := range elements(f.value) {
			items = append(items, r.object(c, a.With, f.item(i)))
		}
		if len(items) == 0 {
			return nil
		}
		return estate.List(items...).At(c.at)
	case "rules":
		return r.rules(c, name, a, f)
	case "tags", "dimensions":
		key, value := "Key", "Value"
		if a.As == "dimensions" {
			key = "Name"
		}
		return pairs(r.plain(c, name, a, f), key, value)
	case "list":
		v := r.plain(c, name, a, f)
		if v == nil || v.Kind() == estate.KindList {
			return v
		}
		return estate.List(v).At(c.at)
	case "json":
		return r.document(c, name, a, f)
	}
	return r.plain(c, name, a, f)
}

// object maps the attributes of one block.
func (r *reader) object(c *change, with map[string]attribute, f facts) *estate.Value {
	v := estate.Map().At(c.at)
	for _, name := range slices.Sorted(maps.Keys(with)) {
		v = set(v, with[name].To, r.shape(c, name, with[name], f.part(name)))
	}
	return v
}

// rules shapes the ingress and egress blocks of a security group, which hold
// lists of addresses where CloudFormation has a rule for each.
func (r *reader) rules(c *change, name string, a attribute, f facts) *estate.Value {
	if truthy(f.unknown) {
		return r.unknown(c, name, a, f)
	}
	if absent(f.config) && len(elements(f.value)) == 0 {
		return nil
	}
	items := []*estate.Value{}
	for i := range elements(f.value) {
		b := f.item(i)
		rule := r.object(c, map[string]attribute{
			"protocol": {To: "IpProtocol"}, "from_port": {To: "FromPort"}, "to_port": {To: "ToPort"}, "description": {To: "Description", As: "text"},
		}, b)
		for _, source := range []struct{ attribute, property string }{
			{"cidr_blocks", "CidrIp"}, {"ipv6_cidr_blocks", "CidrIpv6"}, {"security_groups", peer(name, "SecurityGroupId")}, {"prefix_list_ids", peer(name, "PrefixListId")},
		} {
			for _, v := range r.plain(c, source.attribute, attribute{}, b.part(source.attribute)).Items() {
				items = append(items, rule.With(source.property, v))
			}
		}
	}
	return estate.List(items...).At(c.at)
}

// peer is the property that names the other side of a rule.
func peer(direction, property string) string {
	if direction == "ingress" {
		return "Source" + property
	}
	return "Destination" + property
}

// pairs turns a map into a list of names and values, in order of the names.
func pairs(v *estate.Value, key, value string) *estate.Value {
	if v.Kind() != estate.KindMap {
		return v
	}
	if len(v.Fields()) == 0 {
		return nil
	}
	var items []*estate.Value
	for _, f := range v.Fields() {
		items = append(items, estate.Map(
			estate.Field{Name: key, Value: estate.String(f.Name).At(f.Value.Position())},
			estate.Field{Name: value, Value: f.Value},
		).At(f.Value.Position()))
	}
	return estate.List(items...).At(v.Position())
}

// plain turns an attribute into a value of the same shape.
func (r *reader) plain(c *change, name string, a attribute, f facts) *estate.Value {
	switch {
	case truthy(f.sensitive) && (!absent(f.value) || truthy(f.unknown)):
		return estate.Secret(name + " is sensitive in the plan").At(c.at)
	case truthy(f.unknown):
		return r.unknown(c, name, a, f)
	case absent(f.value) && !hasUnknown(f.unknown):
		return nil
	}
	switch kindOf(f.value, f.unknown) {
	case '{':
		fields := []estate.Field{}
		for _, key := range keysOf(f.value, f.unknown) {
			if v := r.plain(c, key, a, f.part(key)); v != nil {
				fields = append(fields, estate.Field{Name: key, Value: v})
			}
		}
		return estate.Map(fields...).At(c.at)
	case '[':
		items := []*estate.Value{}
		n := max(len(elements(f.value)), len(elements(f.unknown)))
		for i := range n {
			if v := r.plain(c, name, a, f.item(i)); v != nil {
				items = append(items, v)
			}
		}
		if len(items) == 0 && absent(f.config) {
			return nil
		}
		return estate.List(items...).At(c.at)
	}
	v, err := estate.ParseJSON(f.value)
	if err != nil {
		return estate.Unknown(reasonShape, c.Address+"."+name).At(c.at)
	}
	return v.At(c.at)
}

func hasUnknown(raw json.RawMessage) bool { return strings.Contains(string(raw), "true") }

func kindOf(raws ...json.RawMessage) byte {
	for _, raw := range raws {
		if !absent(raw) {
			return raw[0]
		}
	}
	return 0
}

// keysOf lists the names of objects, in order.
func keysOf(raws ...json.RawMessage) []string {
	keys := map[string]bool{}
	for _, raw := range raws {
		var object map[string]json.RawMessage
		if len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &object) == nil {
			for k := range object {
				keys[k] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// document reads a JSON text; one that is not known yet may be that of a
// policy document data source, whose statements are.
func (r *reader) document(c *change, name string, a attribute, f facts) *estate.Value {
	if !truthy(f.unknown) {
		v := r.plain(c, name, a, f)
		if v.Kind() == estate.KindString {
			if doc, err := estate.ParseJSON([]byte(v.AsString())); err == nil {
				return everywhere(doc, c.at)
			}
		}
		return v
	}
	if doc := r.policyDocument(c, f); doc != nil {
		return doc
	}
	return r.unknown(c, name, a, f)
}

// everywhere gives a value and its members one position.
func everywhere(v *estate.Value, at estate.Position) *estate.Value {
	return v.Rewrite(func(x *estate.Value) *estate.Value { return x.At(at) })
}
