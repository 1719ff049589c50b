package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Data is what is known of AWS's actions, resource types and condition keys,
// and the documents of the policies that AWS manages. It decodes a service when
// it is first asked for, and is safe for many goroutines. A nil Data knows
// nothing.
type Data struct {
	services []*serviceData // by prefix
	rcp      map[string]bool
	global   map[string]string // type of the keys that any service may have, by lower-case name
	managed  []byte
}

// serviceData is one line of the table.
type serviceData struct {
	prefix  string
	line    []byte
	once    sync.Once
	actions map[string]*Action // by lower-case name
	ordered []*Action          // by name
	keys    map[string]string  // type by lower-case key
	types   []*ResourceType
	err     error
}

// AccessLevel is how AWS classes what an action does.
type AccessLevel byte

// The access levels.
const (
	Read        AccessLevel = 'R'
	List        AccessLevel = 'L'
	Write       AccessLevel = 'W'
	Permissions AccessLevel = 'P'
	Tagging     AccessLevel = 'T'
)

// Action is an action of a service.
type Action struct {
	Name      string // without the service
	Level     AccessLevel
	Resources []*ResourceType // empty: AWS authorises it against "*" alone
	Keys      []string        // the service's condition keys that it has
	key       string          // the name in lower case
}

// Writes reports whether the action changes something.
func (a *Action) Writes() bool { return a.Level != Read && a.Level != List }

// ResourceType is a kind of resource of a service.
type ResourceType struct {
	Name string
	ARN  string // with ${…} for what differs
	Keys []string
}

// NewData reads the tables iam-actions.jsonl and iam-managed-policies.jsonl; see
// tables/README.md for their form. It keeps the slices.
func NewData(actions, managed []byte) (*Data, error) {
	d := &Data{rcp: map[string]bool{}, global: map[string]string{}, managed: managed}
	head, rest, _ := bytes.Cut(actions, []byte("\n"))
	var general struct {
		RCP  []string
		Keys [][2]string
	}
	if err := json.Unmarshal(head, &general); err != nil {
		return nil, fmt.Errorf("table of actions: line 1: %w", err)
	}
	for _, s := range general.RCP {
		d.rcp[s] = true
	}
	for _, k := range general.Keys {
		d.global[keyFamily(k[0])] = k[1]
	}
	const start = `{"service":"`
	for number := 2; len(rest) > 0; number++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		name, found := bytes.CutPrefix(line, []byte(start))
		end := bytes.IndexByte(name, '"')
		if !found || end < 0 {
			return nil, fmt.Errorf("table of actions: line %d does not begin with %s", number, start)
		}
		d.services = append(d.services, &serviceData{prefix: string(name[:end]), line: line})
	}
	slices.SortFunc(d.services, func(a, b *serviceData) int { return strings.Compare(a.prefix, b.prefix) })
	return d, nil
}

// keyFamily is a key in lower case; of a key with a part that the caller names,
// such as aws:RequestTag/${TagKey}, what stands before it.
func keyFamily(key string) string {
	key = lower(key)
	if at := strings.IndexByte(key, '/'); at >= 0 {
		return key[:at+1]
	}
	return key
}

func (d *Data) service(prefix string) *serviceData {
	if d == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(d.services, prefix, func(s *serviceData, p string) int { return strings.Compare(s.prefix, p) })
	if !ok {
		return nil
	}
	s := d.services[i]
	s.once.Do(s.decode)
	return s
}

func (s *serviceData) decode() {
	var line struct {
		Keys      [][2]string
		Resources [][3]json.RawMessage
		Actions   [][4]json.RawMessage
	}
	s.actions, s.keys = map[string]*Action{}, map[string]string{}
	if s.err = json.Unmarshal(s.line, &line); s.err != nil {
		return
	}
	field := func(raw json.RawMessage, into any) {
		if err := json.Unmarshal(raw, into); err != nil && s.err == nil {
			s.err = err
		}
	}
	named := func(raw json.RawMessage) (names []string) {
		var at []int
		field(raw, &at)
		for _, i := range at {
			if i < len(line.Keys) {
				names = append(names, line.Keys[i][0])
			}
		}
		return names
	}
	for _, k := range line.Keys {
		s.keys[keyFamily(k[0])] = k[1]
	}
	for _, r := range line.Resources {
		t := &ResourceType{Keys: named(r[2])}
		field(r[0], &t.Name)
		field(r[1], &t.ARN)
		s.types = append(s.types, t)
	}
	for _, a := range line.Actions {
		var level string
		var types []int
		out := &Action{Keys: named(a[3])}
		field(a[0], &out.Name)
		field(a[1], &level)
		field(a[2], &types)
		if level != "" {
			out.Level = AccessLevel(level[0])
		}
		for _, i := range types {
			if i < len(s.types) {
				out.Resources = append(out.Resources, s.types[i])
			}
		}
		out.key = lower(out.Name)
		s.actions[out.key] = out
		s.ordered = append(s.ordered, out)
	}
	slices.SortFunc(s.ordered, func(a, b *Action) int { return strings.Compare(a.Name, b.Name) })
}

// action finds an action by its service and name, in lower case, or nil.
func (d *Data) action(service, name string) *Action {
	s := d.service(service)
	if s == nil {
		return nil
	}
	return s.actions[name]
}

// Action finds an action such as "lambda:InvokeFunction", in any case, or nil.
func (d *Data) Action(name string) *Action {
	service, rest, _ := strings.Cut(lower(name), ":")
	return d.action(service, rest)
}

// HasKey reports whether requests for an action may have a condition key of its
// service: of the action itself, or of a resource that it takes.
func (d *Data) HasKey(action, key string) bool {
	a := d.Action(action)
	if a == nil {
		return false
	}
	family := keyFamily(key)
	is := func(k string) bool { return keyFamily(k) == family }
	return slices.ContainsFunc(a.Keys, is) || slices.ContainsFunc(a.Resources, func(t *ResourceType) bool { return slices.ContainsFunc(t.Keys, is) })
}

// Actions lists the actions of a service, in order of their names. The list is
// shared.
func (d *Data) Actions(service string) []*Action {
	s := d.service(lower(service))
	if s == nil {
		return nil
	}
	return s.ordered
}

// Services lists the prefixes of all services, in order.
func (d *Data) Services() []string {
	if d == nil {
		return nil
	}
	all := make([]string, len(d.services))
	for i, s := range d.services {
		all[i] = s.prefix
	}
	return all
}

// KeyType is the type of a condition key, such as "String" or "ArrayOfString";
// known is false for a key that no service is known to have.
func (d *Data) KeyType(key string) (keyType string, known bool) {
	if d == nil {
		return "", false
	}
	family := keyFamily(key)
	if t, ok := d.global[family]; ok {
		return t, true
	}
	prefix, _, _ := strings.Cut(family, ":")
	if s := d.service(prefix); s != nil {
		t, ok := s.keys[family]
		return t, ok
	}
	return "", false
}

// list reports whether a key may have several values.
func (d *Data) list(key string) bool {
	t, _ := d.KeyType(key)
	return strings.HasPrefix(t, "ArrayOf")
}

func (d *Data) supportsRCP(service string) bool { return d == nil || d.rcp[service] }

// ManagedPolicy finds the document of a policy that AWS manages by its ARN, in
// any partition. The version is AWS's, such as "v4".
func (d *Data) ManagedPolicy(arn string) (document []byte, version string, ok bool) {
	parts := strings.SplitN(arn, ":", 3)
	if d == nil || len(parts) < 3 || parts[0] != "arn" {
		return nil, "", false
	}
	want := []byte(`{"arn":"` + parts[2] + `"`)
	// A binary search over the lines of a text in order.
	low, high := 0, len(d.managed)
	for low < high {
		start := low + bytes.LastIndexByte(d.managed[low:(low+high)/2], '\n') + 1
		line, _, _ := bytes.Cut(d.managed[start:], []byte("\n"))
		switch compareLine(line, want) {
		case 0:
			var found struct {
				Version  string
				Document json.RawMessage
			}
			if err := json.Unmarshal(line, &found); err != nil {
				return nil, "", false
			}
			return found.Document, found.Version, true
		case -1:
			low = start + len(line) + 1
		default:
			high = start
		}
	}
	return nil, "", false
}

// compareLine compares the beginning of a line with what is looked for. A line
// ends its ARN with '"', which sorts before all that an ARN holds.
func compareLine(line, want []byte) int {
	return bytes.Compare(line[:min(len(line), len(want))], want)
}

// ManagedPolicies calls f with the ARN and document of every policy that AWS
// manages, in the partition aws, until f returns false.
func (d *Data) ManagedPolicies(f func(arn string, document []byte) bool) {
	for rest := d.managed; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		var p struct {
			ARN      string
			Document json.RawMessage
		}
		if json.Unmarshal(line, &p) == nil && !f("arn:aws:"+p.ARN, p.Document) {
			return
		}
	}
}
