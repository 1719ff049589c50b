package terraform

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// table is tables/terraform.yaml. Its rows are decoded one at a time, when a
// type first occurs, because a plan has a dozen of the types that it knows.
// It is safe for many goroutines.
type table struct {
	data    []byte
	managed []byte // AWS's managed policies, a line each
	awscc   awscc

	mu        sync.Mutex
	rows      map[string]*row
	listed    bool // ignored and sensitive are read
	ignored   map[string]bool
	sensitive map[string]bool // TYPE.ATTRIBUTE
	err       error
}

// row says how one resource type becomes CloudFormation resources.
type row struct {
	// Type is the CloudFormation type. For a type that joins another it is
	// what stands for a piece whose owner is not found.
	Type       string               `yaml:"type"`
	Attributes map[string]attribute `yaml:"attributes"`
	// References say what an attribute that other resources refer to is in
	// CloudFormation: Ref; the name of an attribute; a text with ${…} in it,
	// where a name in small letters is an attribute that stays unknown; or
	// /SUFFIX.ATTRIBUTE of a resource that the provider adds, with " or "
	// before what holds when it does not.
	References map[string]string `yaml:"references"`
	// Trailing is what CloudFormation's attribute ends in beyond the provider's,
	// by the provider's name of it.
	Trailing map[string]string `yaml:"trailing"`
	// Defaults are the values that the provider gives attributes which nobody
	// configures, by dotted path through blocks. Plans and states show them;
	// for a configuration they are filled in.
	Defaults map[string]any `yaml:"defaults"`
	// Set are properties that every resource of the type has; Assumes are what
	// the provider makes true when the configuration is silent.
	Set     map[string]any `yaml:"set"`
	Assumes map[string]any `yaml:"assumes"`
	Adds    []addition     `yaml:"adds"`
	Join    *joining       `yaml:"join"`
	// Elsewhere are properties that other rows give to resources of the type.
	Elsewhere []string `yaml:"elsewhere"`
	// Each makes a resource of every member of these attributes' lists, and
	// says which property the member sets.
	Each map[string]string `yaml:"each"`
	// By names an attribute whose value chooses among Rows.
	By   string          `yaml:"by"`
	Rows map[string]*row `yaml:"rows"`
	// Like names the type that this one is another name of.
	Like string `yaml:"like"`

	reads []string // see [estate.Resource]
}

// ready fills in what is computed of a row.
func (r *row) ready() {
	r.reads = slices.Concat(pathsOf("", r.Attributes), sortedKeys(r.Set), sortedKeys(r.Assumes), r.Elsewhere)
	slices.Sort(r.reads)
	r.reads = slices.Compact(r.reads)
	for _, variant := range r.Rows {
		variant.ready()
	}
}

// pathsOf lists the properties that attributes set, those inside an object one
// by one.
func pathsOf(prefix string, attributes map[string]attribute) []string {
	var all []string
	for _, name := range sortedKeys(attributes) {
		a := attributes[name]
		switch {
		case a.Resources != nil:
		case a.To == enclosing:
			all = append(all, pathsOf(prefix, a.With)...)
		case a.is(wordBlock):
			all = append(all, pathsOf(prefix+a.To+".", a.With)...)
		default:
			all = append(all, prefix+a.To)
		}
	}
	return all
}

// addition is a resource that the provider makes beside the one declared.
type addition struct {
	When   map[string]any    `yaml:"when"` // property, or attribute in small letters → value; all must hold
	Suffix string            `yaml:"suffix"`
	Type   string            `yaml:"type"`
	Copy   map[string]string `yaml:"copy"` // property of the declared one → property; Ref is itself
	Set    map[string]any    `yaml:"set"`
}

// joining says that a resource type holds properties of another resource.
type joining struct {
	Into string            `yaml:"into"` // CloudFormation type
	By   map[string]string `yaml:"by"`   // property here → property there; "Ref NAME" is the resource itself or its name
	At   string            `yaml:"at"`   // dotted path there; empty: the properties themselves
	List bool              `yaml:"list"` // at is a list, of which this is an item
	Item string            `yaml:"item"` // at is a list, of which this property is an item
}

// attribute says which property an attribute sets, and how.
type attribute struct {
	To    string
	words []string
	With  map[string]attribute
	// Values translate what the provider writes; None is its way to write that
	// there is nothing.
	Values map[string]any
	None   any
	// Each makes an item of every member of these inner lists, and says which
	// property of the item the member sets.
	Each map[string]string
	// Key is an item that the value adds to the list at To: dotted path → the
	// word value, or a constant.
	Key map[string]any
	// Also are properties that come with the attribute.
	Also map[string]any
	// Shape is the form of a JSON text that refers to one thing: where the
	// reference stands, and what else there is.
	Shape map[string]string
	// Resources makes each block a resource of its own.
	Resources *separate
}

// separate says what resources blocks become.
type separate struct {
	Type   string         `yaml:"type"`
	Parent string         `yaml:"parent"` // property that refers to the declared resource
	Set    map[string]any `yaml:"set"`
}

// enclosing is the path of the object that an attribute stands in: the attribute
// sets no property itself.
const enclosing = "."

// The words that can stand behind a property.
const (
	wordBlock   = "block"   // a list of one block becomes an object
	wordBlocks  = "blocks"  // a list of blocks becomes a list of objects
	wordTags    = "tags"    // a map becomes a list of Key and Value
	wordNames   = "names"   // a map becomes a list of Name and Value
	wordMap     = "map"     // a map whose names count: not known as a whole, it is unknown
	wordJSON    = "json"    // a JSON text becomes a document
	wordList    = "list"    // a single value becomes a list of one
	wordFirst   = "first"   // a list becomes its only member
	wordNot     = "not"     // true becomes false
	wordPrefix  = "prefix"  // the beginning of a name that the provider completes
	wordSuffix  = "suffix"  // joins the property behind a colon
	wordMethod  = "method"  // PATH/METHOD becomes a resource path, and HttpMethod beside it
	wordEmpty   = "empty"   // an empty text is not the same as none
	wordGuarded = "guarded" // the provider marks it sensitive whatever it holds
	wordID      = "id"      // another resource's id and nothing else
	wordARN     = "arn"     // another resource's ARN and nothing else
	wordName    = "name"    // another resource's name and nothing else
	wordIDs     = "ids"     // a list of ids
	wordARNs    = "arns"    // a list of ARNs
	wordPattern = "pattern" // an ARN that may go on behind a reference
)

var words = []string{
	wordBlock, wordBlocks, wordTags, wordNames, wordMap, wordJSON, wordList, wordFirst, wordNot, wordPrefix, wordSuffix,
	wordMethod, wordEmpty, wordGuarded, wordID, wordARN, wordName, wordIDs, wordARNs, wordPattern,
}

func (a attribute) is(word string) bool { return slices.Contains(a.words, word) }

// alone reports whether a reference, if it is the only one of the expression,
// is all that the attribute holds.
func (a attribute) alone() bool {
	return a.is(wordID) || a.is(wordARN) || a.is(wordName) || a.many()
}

// many reports whether the attribute is a list of identities.
func (a attribute) many() bool { return a.is(wordIDs) || a.is(wordARNs) }

// identity is the attribute of another resource that this one holds, for
// expressions that do not show it (a splat, an index).
func (a attribute) identity() string {
	switch {
	case a.is(wordARN), a.is(wordARNs), a.is(wordPattern):
		return "arn"
	case a.is(wordName):
		return "name"
	case a.is(wordID), a.is(wordIDs):
		return "id"
	}
	return ""
}

// UnmarshalYAML takes the short form, a property and words, and the long one.
func (a *attribute) UnmarshalYAML(n *yaml.Node) error {
	var long struct {
		To        string               `yaml:"to"`
		With      map[string]attribute `yaml:"with"`
		Values    map[string]any       `yaml:"values"`
		None      any                  `yaml:"none"`
		Each      map[string]string    `yaml:"each"`
		Key       map[string]any       `yaml:"key"`
		Also      map[string]any       `yaml:"also"`
		Shape     map[string]string    `yaml:"shape"`
		Resources *separate            `yaml:"resources"`
	}
	if n.Kind == yaml.ScalarNode {
		long.To = n.Value
	} else if err := n.Decode(&long); err != nil {
		return err
	}
	parts := strings.Fields(long.To)
	if len(parts) == 0 && long.Resources == nil {
		return fmt.Errorf("line %d: an attribute sets no property", n.Line)
	}
	*a = attribute{With: long.With, Values: long.Values, None: long.None, Each: long.Each, Key: long.Key, Also: long.Also, Shape: long.Shape, Resources: long.Resources}
	if len(parts) > 0 {
		a.To, a.words = parts[0], parts[1:]
	}
	for _, w := range a.words {
		if !slices.Contains(words, w) {
			return fmt.Errorf("line %d: %q is not a word of the table", n.Line, w)
		}
	}
	return nil
}

// newTable reads a table; without a model, types of the Cloud Control provider
// have no rows.
func newTable(data, managed []byte, m *estate.Model) *table {
	return &table{data: data, managed: managed, awscc: awscc{model: m}, rows: map[string]*row{}}
}

// managedPolicy is what follows the partition in the ARN of AWS's managed policy
// of that name. Names are AWS's alone over all paths: a data source that finds
// another policy of the name too is an error.
func (t *table) managedPolicy(name string) (string, bool) {
	at := bytes.Index(t.managed, []byte("/"+name+`","version":`))
	if name == "" || strings.ContainsAny(name, `/"`) || at < 0 {
		return "", false
	}
	const start = `{"arn":"`
	line := t.managed[bytes.LastIndexByte(t.managed[:at], '\n')+1 : at]
	arn, ok := strings.CutPrefix(string(line), start)
	return arn + "/" + name, ok
}

// ofAWS reports whether a resource type is of one of AWS's providers.
func ofAWS(kind string) bool {
	return strings.HasPrefix(kind, "aws_") || strings.HasPrefix(kind, "awscc_")
}

// rowStart is what the line of a resource type begins with.
const rowStart = "\n  "

// row is the row of a resource type, or nil when the table does not have it.
func (t *table) row(kind string) (*row, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rowLocked(kind)
}

func (t *table) rowLocked(kind string) (*row, error) {
	if found, ok := t.rows[kind]; ok {
		return found, nil
	}
	if strings.HasPrefix(kind, "awscc_") {
		t.rows[kind] = t.awscc.row(kind)
		return t.rows[kind], nil
	}
	text := t.text(kind)
	if text == nil {
		t.rows[kind] = nil
		return nil, nil
	}
	var one map[string]*row
	if err := yaml.Unmarshal(text, &one); err != nil {
		return nil, fmt.Errorf("table of Terraform types: %s: %w", kind, err)
	}
	found := one[kind]
	if found != nil && found.Like != "" {
		same, err := t.rowLocked(found.Like)
		if err != nil {
			return nil, err
		}
		found = same
	}
	if found != nil && found.reads == nil {
		found.ready()
	}
	t.rows[kind] = found
	return found, nil
}

// text cuts the lines of one row out of the table.
func (t *table) text(kind string) []byte {
	start := bytes.Index(t.data, []byte(rowStart+kind+":"))
	if start < 0 {
		return nil
	}
	rest := t.data[start+1:]
	stop := len(rest)
	for i := 0; i < len(rest); {
		nl := bytes.IndexByte(rest[i:], '\n')
		if nl < 0 {
			break
		}
		i += nl + 1
		if line := rest[i:]; len(line) > 2 && line[0] != '\n' && !bytes.HasPrefix(line, []byte("   ")) {
			stop = i
			break
		}
	}
	return rest[:stop]
}

// types lists the resource types that the table has, in its order.
func (t *table) types() []string {
	var all []string
	for line := range bytes.Lines(t.data) {
		if name, ok := bytes.CutPrefix(line, []byte(rowStart[1:]+"aws_")); ok {
			if name, _, ok := bytes.Cut(name, []byte(":")); ok {
				all = append(all, "aws_"+string(name))
			}
		}
	}
	return all
}

// ignores reports whether a type carries nothing that an estate holds.
func (t *table) ignores(kind string) (bool, error) {
	err := t.lists()
	return t.ignored[kind], err
}

// lists reads what stands behind the rows.
func (t *table) lists() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.listed {
		t.listed = true
		var all struct {
			Ignored   []string `yaml:"ignored"`
			Sensitive []string `yaml:"sensitive"`
		}
		if i := bytes.LastIndex(t.data, []byte("\nignored:")); i >= 0 {
			t.err = yaml.Unmarshal(t.data[i+1:], &all)
		}
		t.ignored, t.sensitive = setOf(all.Ignored), setOf(all.Sensitive)
	}
	return t.err
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// secret reports whether the provider declares an attribute sensitive; kind is
// as an address has it, data.TYPE for a data source.
func (t *table) secret(kind, attribute string) (bool, error) {
	err := t.lists()
	return t.sensitive[kind+"."+attribute], err
}

// withDefaults fills in what the provider gives attributes that are not
// configured.
func (r *row) withDefaults(attributes *estate.Value) *estate.Value {
	for _, path := range sortedKeys(r.Defaults) {
		attributes = fillDefault(attributes, strings.Split(path, "."), known(r.Defaults[path]))
	}
	return attributes
}

func fillDefault(v *estate.Value, path []string, to *estate.Value) *estate.Value {
	inner := v.Field(path[0])
	switch {
	case v.Kind() != estate.KindMap:
	case len(path) == 1 && inner == nil:
		return v.With(path[0], to.At(v.Position()).AsDefault())
	case len(path) > 1 && inner.Kind() == estate.KindList:
		items := make([]*estate.Value, len(inner.Items()))
		for i, item := range inner.Items() {
			items[i] = fillDefault(item, path[1:], to)
		}
		return v.With(path[0], estate.List(items...).At(inner.Position()))
	case len(path) > 1 && inner.Kind() == estate.KindMap:
		return v.With(path[0], fillDefault(inner, path[1:], to))
	}
	return v
}

// identity says what an attribute of a type is in CloudFormation; false when
// it does not identify its resource.
func (r *row) identity(name string) (string, bool) {
	if r == nil {
		return "", false
	}
	if to, ok := r.References[name]; ok {
		return to, to != ""
	}
	switch name {
	case "id":
		return "Ref", true
	case "arn":
		return "Arn", true
	}
	return "", false
}

// AttributeOf reads the table backwards: the resource type and attribute that
// set a property of a CloudFormation type, such as tracing_config.mode.
func AttributeOf(mapping []byte) func(cfnType, property string) (resourceType, attribute string, ok bool) {
	t := newTable(mapping, nil, nil)
	return func(cfnType, property string) (string, string, bool) {
		property = strings.ReplaceAll(property, "[]", "")
		for _, name := range t.types() {
			r, err := t.row(name)
			switch {
			case err != nil || r == nil:
				continue
			case r.Type == cfnType:
				if path, ok := pathTo(r.Attributes, property); ok {
					return name, path, true
				}
			case r.Join != nil && r.Join.Into == cfnType:
				inner := property
				if r.Join.At != "" {
					var below bool
					if inner, below = strings.CutPrefix(property, r.Join.At+"."); !below {
						continue
					}
				}
				if path, ok := pathTo(r.Attributes, inner); ok {
					return name, path, true
				}
			}
		}
		return "", "", false
	}
}

func pathTo(attributes map[string]attribute, property string) (string, bool) {
	for _, name := range sortedKeys(attributes) {
		a := attributes[name]
		if a.To == property && !a.is(wordNot) && !a.is(wordPrefix) && !a.is(wordSuffix) && a.Values == nil {
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

// known turns what a table holds into a value; a table is tested, so that what
// does not convert is left out.
func known(x any) *estate.Value {
	v, err := estate.FromGo(x)
	if err != nil {
		return nil
	}
	return v
}
