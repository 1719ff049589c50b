package terraform

import (
	"strings"

	"assay/internal/estate"
)

// plan is the parts of a plan that are read.
type plan struct {
	file       string
	incomplete bool // it leaves something undone that the configuration asks for
	root       *module
	providers  map[string]raw // provider_config, by key
	changes    []*change
	instances  map[string][]*change // by address without the instance's own key
	data       map[string]raw       // data sources that were read while planning, by address
	// drifted are resources that somebody changed since Terraform last applied.
	drifted []*change
}

// change is what a plan says of one instance of a resource or data source.
type change struct {
	address  string
	module   string // address of the module instance; "" for the root
	local    string // address within the module without key: aws_x.y, data.aws_x.y
	key      string // of the instance, as it ends the address: [0], ["a"], or ""
	kind     string // resource type
	data     bool
	at       estate.Position
	declared *declaration // nil when the configuration does not have it

	after, unknown, sensitive raw

	attributes *estate.Value // once read
	busy       bool          // while they are being read
}

// declaration is a resource of the configuration.
type declaration struct {
	expressions raw
	forEach     raw
	provider    string
}

// module is a module of the configuration, with what leads into it.
type module struct {
	parent    *module      // nil for the root
	call      *declaration // of the module in its parent; nil for the root
	resources map[string]*declaration
	calls     map[string]*module
	outputs   map[string]raw
	variables map[string]raw
	given     map[string]raw // values of the root's variables
}

// newPlan indexes the parts of a plan. changesAt and driftAt are the offsets of
// resource_changes and resource_drift in the file.
func newPlan(fields map[string]raw, changesAt, driftAt int, lines *lineCounter) *plan {
	p := &plan{
		file:      lines.file,
		providers: fields["configuration"].member("provider_config").object(),
		instances: map[string][]*change{},
		data:      map[string]raw{},
	}
	p.incomplete = fields["complete"].is('f') || len(fields["deferred_changes"].list()) > 0
	p.root = newModule(fields["configuration"].member("root_module"), nil, nil)
	p.root.given = fields["variables"].object()
	for at, entry := range fields["resource_changes"].elements() {
		c := p.newChange(entry)
		c.at = lines.at(changesAt + at)
		p.changes = append(p.changes, c)
		p.instances[join(c.module, c.local)] = append(p.instances[join(c.module, c.local)], c)
	}
	p.readData(fields["prior_state"].member("values", "root_module"))
	for at, entry := range fields["resource_drift"].elements() {
		c := p.newChange(entry)
		c.at = lines.at(driftAt + at)
		p.drifted = append(p.drifted, c)
	}
	return p
}

func newModule(r raw, parent *module, call *declaration) *module {
	m := &module{parent: parent, call: call, resources: map[string]*declaration{}, calls: map[string]*module{}}
	fields := r.object()
	for _, entry := range fields["resources"].elements() {
		f := entry.object()
		m.resources[f["address"].text()] = &declaration{f["expressions"], f["for_each_expression"], f["provider_config_key"].text()}
	}
	for name, entry := range fields["module_calls"].members() {
		f := entry.object()
		m.calls[name] = newModule(f["module"], m, &declaration{f["expressions"], f["for_each_expression"], ""})
	}
	m.outputs, m.variables = fields["outputs"].object(), fields["variables"].object()
	return m
}

func (p *plan) newChange(entry raw) *change {
	c := &change{}
	var values raw
	for name, v := range entry.members() {
		switch name {
		case "address":
			c.address = v.text()
		case "module_address":
			c.module = v.text()
		case "type":
			c.kind = v.text()
		case "mode":
			c.data = v.text() == "data"
		case "change":
			values = v
		}
	}
	c.local = strings.TrimPrefix(strings.TrimPrefix(c.address, c.module), ".")
	if i := strings.IndexByte(c.local, '['); i >= 0 {
		c.local, c.key = c.local[:i], c.local[i:]
	}
	for name, v := range values.members() {
		switch name {
		case "after":
			c.after = v
		case "after_unknown":
			c.unknown = v
		case "after_sensitive":
			c.sensitive = v
		}
	}
	if m := p.moduleAt(c.module); m != nil {
		c.declared = m.resources[c.local]
	}
	return c
}

// readData indexes the data sources of the state that the plan started from,
// which holds those that were read while planning.
func (p *plan) readData(m raw) {
	fields := m.object()
	for _, entry := range fields["resources"].elements() {
		if f := entry.object(); f["mode"].text() == "data" {
			p.data[f["address"].text()] = entry
		}
	}
	for _, child := range fields["child_modules"].elements() {
		p.readData(child)
	}
}

// moduleAt is the module of the configuration that a module instance is of.
func (p *plan) moduleAt(address string) *module {
	m := p.root
	for _, step := range steps(address) {
		if step == "module" {
			continue
		}
		name, _ := cutKey(step)
		if m = m.calls[name]; m == nil {
			return nil
		}
	}
	return m
}

func join(module, local string) string {
	if module == "" {
		return local
	}
	return module + "." + local
}

// steps splits an address or reference at its dots, leaving instance keys,
// which may hold dots themselves, with the step that they follow.
func steps(address string) []string {
	if address == "" {
		return nil
	}
	var all []string
	start, quoted, depth := 0, false, 0
	for i := 0; i < len(address); i++ {
		switch ch := address[i]; {
		case quoted && ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case quoted:
		case ch == '[':
			depth++
		case ch == ']':
			depth--
		case ch == '.' && depth == 0:
			all = append(all, address[start:i])
			start = i + 1
		}
	}
	return append(all, address[start:])
}

// cutKey splits the instance key off the end of a step.
func cutKey(step string) (name, key string) {
	if i := strings.IndexByte(step, '['); i >= 0 {
		return step[:i], step[i:]
	}
	return step, ""
}
