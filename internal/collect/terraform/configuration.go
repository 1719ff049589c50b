package terraform

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"assay/internal/collect"
	"assay/internal/estate"
)

// Limits of one file of a configuration. The parser follows nesting by
// recursion.
const (
	maxSourceSize = 1 << 20 // bytes
	maxNesting    = 500     // brackets within each other
)

// configuration is what the files of one folder declare: a module, before any
// of its expressions has a value.
type configuration struct {
	folder    string // as the user would write it
	variables map[string]*declared
	locals    map[string]*hcl.Attribute
	resources map[string]*declared // TYPE.NAME; data sources as data.TYPE.NAME
	calls     map[string]*declared // of other modules
	outputs   map[string]*declared
	providers map[string]*declared // NAME or NAME.ALIAS
}

// declared is one block that has a name. Override files add bodies to it, of
// which the later ones win.
type declared struct {
	labels []string
	bodies []hcl.Body
	at     hcl.Range
}

// attribute is an attribute of the block, or nil.
func (d *declared) attribute(name string) *hcl.Attribute {
	if d == nil {
		return nil
	}
	var found *hcl.Attribute
	for _, body := range d.bodies {
		content, _, _ := body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: name}}})
		if content != nil && content.Attributes[name] != nil {
			found = content.Attributes[name]
		}
	}
	return found
}

// text is an attribute that is a literal text, or "".
func (d *declared) text(name string) string {
	a := d.attribute(name)
	if a == nil {
		return ""
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() {
		return ""
	}
	return textOf(v)
}

// flag is an attribute that is a literal true.
func (d *declared) flag(name string) bool {
	a := d.attribute(name)
	if a == nil {
		return false
	}
	v, diags := a.Expr.Value(nil)
	return !diags.HasErrors() && isTrue(v)
}

// loader reads folders of configuration files, each once.
type loader struct {
	*holes
	tree    *collect.Tree
	builder *estate.Builder
	folders map[string]*configuration
	remarks map[estate.Position][]estate.Waiver // by the place of the block that they stand at
	// used are the names that the expressions of all modules read of any
	// object; true for those of which they read a part in turn. Without the
	// provider's schema it is what tells which attributes a resource must have.
	used map[string]bool
	// providerFunctions are the names of functions that providers supply.
	providerFunctions map[string]bool
	budget            int // steps that are left for loops; see prepare
}

func newLoader(tree *collect.Tree, b *estate.Builder) *loader {
	return &loader{
		holes: &holes{}, tree: tree, builder: b, folders: map[string]*configuration{}, remarks: map[estate.Position][]estate.Waiver{}, used: map[string]bool{},
		providerFunctions: map[string]bool{}, budget: maxSteps,
	}
}

// sourceSuffixes are the endings of configuration files. A folder that has
// OpenTofu's form of a file leaves Terraform's form of it out.
var sourceSuffixes = []string{".tofu.json", ".tofu", ".tf.json", ".tf"}

// sourcesIn lists the configuration files of a folder: base names, those that
// override others last.
func sourcesIn(tree *collect.Tree, folder string) ([]string, error) {
	names, err := tree.List(folder)
	if err != nil {
		return nil, err
	}
	var plain, overriding []string
	for _, name := range names {
		stem, ok := sourceStem(name)
		if !ok || strings.HasSuffix(name, ".tf") && slices.Contains(names, stem+".tofu") ||
			strings.HasSuffix(name, ".tf.json") && slices.Contains(names, stem+".tofu.json") {
			continue
		}
		if stem == "override" || strings.HasSuffix(stem, "_override") {
			overriding = append(overriding, name)
		} else {
			plain = append(plain, name)
		}
	}
	return append(plain, overriding...), nil
}

func sourceStem(name string) (string, bool) {
	for _, suffix := range sourceSuffixes {
		if stem, ok := strings.CutSuffix(name, suffix); ok && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, "~") {
			return stem, true
		}
	}
	return "", false
}

// folder reads the configuration of a folder. What cannot be parsed is a
// problem of the scope, and coverage is partial.
func (l *loader) folder(name string) (*configuration, error) {
	if c, ok := l.folders[name]; ok {
		return c, nil
	}
	sources, err := sourcesIn(l.tree, name)
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("it holds no .tf files")
	}
	c := &configuration{
		folder: name, variables: map[string]*declared{}, locals: map[string]*hcl.Attribute{}, resources: map[string]*declared{},
		calls: map[string]*declared{}, outputs: map[string]*declared{}, providers: map[string]*declared{},
	}
	l.folders[name] = c
	for _, source := range sources {
		file := path.Join(name, source)
		if body := l.parse(file); body != nil {
			stem, _ := sourceStem(source)
			l.declare(c, body, stem == "override" || strings.HasSuffix(stem, "_override"))
			continue
		}
		l.builder.Cover(estate.Coverage{Type: "*", State: estate.CoveragePartial, Reason: reasonUnparsed})
	}
	return c, nil
}

// parse reads one file; nil when it cannot be parsed.
func (l *loader) parse(file string) hcl.Body {
	data, err := l.tree.Read(file, maxSourceSize)
	if err == nil && nesting(data) > maxNesting {
		err = fmt.Errorf("brackets are nested more than %d deep", maxNesting)
	}
	if err != nil {
		l.builder.Problem(estate.Problem{Position: estate.Position{File: file}, Message: "cannot be read: " + err.Error()})
		return nil
	}
	parsed, diags := parseSource(file, data)
	l.report(diags)
	if diags.HasErrors() || parsed == nil {
		return nil
	}
	if body, ok := parsed.Body.(*hclsyntax.Body); ok {
		l.remark(file, data, body)
		l.prepare(body)
	}
	return parsed.Body
}

// parseSource parses a file in the syntax that its name tells.
func parseSource(name string, data []byte) (*hcl.File, hcl.Diagnostics) {
	if strings.HasSuffix(name, ".json") {
		return hcljson.Parse(data, name)
	}
	return hclsyntax.ParseConfig(data, name, hcl.InitialPos)
}

// nesting is how deep brackets stand within each other, or how many operators
// of one operand stand before each other. Those inside of texts count as well.
func nesting(data []byte) int {
	depth, deepest, run := 0, 0, 0
	for _, b := range data {
		switch b {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(depth-1, 0)
		case '!', '-':
			run++
		case ' ', '\t', '\n', '\r':
			continue
		default:
			run = 0
		}
		deepest = max(deepest, depth, run-80) // a ruler of dashes in a comment is none
	}
	return deepest
}

// report turns the parser's errors into problems.
func (l *loader) report(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			l.builder.Problem(problemOf(d))
		}
	}
}

func problemOf(d *hcl.Diagnostic) estate.Problem {
	p := estate.Problem{Message: d.Summary}
	if d.Detail != "" {
		p.Message = strings.TrimSuffix(d.Summary, ".") + ": " + d.Detail
	}
	if d.Subject != nil {
		p.Position = positionOf(*d.Subject)
	}
	return p
}

func positionOf(r hcl.Range) estate.Position {
	return estate.Position{File: r.Filename, Line: r.Start.Line, Column: columnOf(r.Start)}
}

// columnOf is the column; the parser counts characters, which are bytes in
// all but few files.
func columnOf(p hcl.Pos) int { return p.Column }

// blocks are the kinds of block of a file, and how many labels they have.
var blocks = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "locals"},
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "output", LabelNames: []string{"name"}},
	{Type: "provider", LabelNames: []string{"name"}},
}}

// declare adds what one file declares.
func (l *loader) declare(c *configuration, body hcl.Body, overriding bool) {
	content, _, diags := body.PartialContent(blocks)
	l.report(diags)
	if content == nil {
		return
	}
	add := func(all map[string]*declared, name string, b *hcl.Block) {
		first := all[name]
		switch {
		case first == nil:
			all[name] = &declared{b.Labels, []hcl.Body{b.Body}, b.DefRange}
		case overriding:
			first.bodies = append(first.bodies, b.Body)
		default:
			l.builder.Problem(estate.Problem{
				Position: positionOf(b.DefRange),
				Message:  fmt.Sprintf("%s %s is declared twice; the first is at %s", b.Type, name, positionOf(first.at)),
				Hint:     "rename one of them",
			})
		}
		if _, native := b.Body.(*hclsyntax.Body); !native {
			l.useJSON(b.Body)
		}
	}
	for _, b := range content.Blocks {
		switch b.Type {
		case "variable":
			add(c.variables, b.Labels[0], b)
		case "resource":
			add(c.resources, b.Labels[0]+"."+b.Labels[1], b)
		case "data":
			add(c.resources, "data."+b.Labels[0]+"."+b.Labels[1], b)
		case "module":
			add(c.calls, b.Labels[0], b)
		case "output":
			add(c.outputs, b.Labels[0], b)
		case "provider":
			d := &declared{b.Labels, []hcl.Body{b.Body}, b.DefRange}
			if alias := d.text("alias"); alias != "" {
				add(c.providers, b.Labels[0]+"."+alias, b)
			} else {
				add(c.providers, b.Labels[0], b)
			}
		case "locals":
			attributes, diags := b.Body.JustAttributes()
			l.report(diags)
			for name, a := range attributes {
				if first := c.locals[name]; first != nil && !overriding {
					l.builder.Problem(estate.Problem{
						Position: positionOf(a.NameRange),
						Message:  fmt.Sprintf("local %s is declared twice; the first is at %s", name, positionOf(first.NameRange)),
						Hint:     "rename one of them",
					})
					continue
				}
				c.locals[name] = a
				if _, native := a.Expr.(hclsyntax.Expression); !native {
					l.use(a.Expr)
				}
			}
		}
	}
}

// useJSON notes the names that the expressions of a JSON body read.
func (l *loader) useJSON(body hcl.Body) {
	attributes, _ := body.JustAttributes()
	for _, a := range attributes {
		l.use(a.Expr)
	}
}

// use notes the names that an expression reads.
func (l *loader) use(e hcl.Expression) {
	for _, t := range e.Variables() {
		l.useTraversal(t)
	}
}

func (l *loader) useTraversal(t hcl.Traversal) {
	for i, step := range t {
		if a, ok := step.(hcl.TraverseAttr); ok && i >= nameEnd(t) {
			l.used[a.Name] = l.used[a.Name] || i < len(t)-1
		}
	}
}

// nameEnd is how many steps of a reference name what is referred to; those
// behind read attributes. The first step of a short one may be the variable of
// a loop, which no resource type is called like.
func nameEnd(t hcl.Traversal) int {
	if t.IsRelative() {
		return 0
	}
	switch root := t.RootName(); {
	case root == "data", root == "module":
		return 3
	case root == "var", root == "local", root == "each", ofAWS(root):
		return 2
	case strings.Contains(root, "_") && len(t) > 2:
		return 2
	}
	return 1
}
