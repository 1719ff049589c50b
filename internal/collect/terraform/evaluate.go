package terraform

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"assay/internal/estate"
)

// Reasons for which a value of a configuration is not known.
const (
	reasonVariable  = "variable without value"
	reasonData      = "data source is read at deployment"
	reasonModule    = "module is not on disk (terraform init fetches it)"
	reasonWorkspace = "workspace is not known"
	reasonInvalid   = "expression cannot be evaluated"
	reasonUnparsed  = "a file of the configuration could not be parsed"
	reasonLimit     = "the configuration asks for more than assay reads"
)

// Limits of one configuration.
const (
	maxModuleDepth = 32      // modules that call each other
	maxInstances   = 50_000  // instances of resources and modules
	maxValueSize   = 1 << 20 // bytes of text and members of one value
)

// evaluator is one configuration while it is evaluated: the root module and
// those that it calls.
type evaluator struct {
	*loader
	table     *table
	root      *instance
	functions map[string]function.Function
	installed map[string]string // folder of an installed module, by its address without instance keys
	byAddress map[string]*occurrence
	count     int // instances made
	excess    bool
	reported  map[string]bool
}

// instance is a module as one call makes it. What its names stand for is found
// when it is asked for.
type instance struct {
	*evaluator
	*configuration
	parent  *instance
	call    *declared            // nil for the root
	path    string               // address; "" for the root
	repeat  map[string]cty.Value // each and count of the call
	callers []estate.Position    // the calls that lead here, outermost first

	given     map[string]given // values of the root's variables
	values    map[string]cty.Value
	busy      map[string]bool
	resources map[string]*resource
	modules   map[string]*moduleCall
}

// given is the value of a variable that comes from outside of the
// configuration.
type given struct {
	value cty.Value
	text  string // as written on the command line; value is not set then
	at    string // for messages
}

func (ev *evaluator) instance(c *configuration, parent *instance, call *declared, path string) *instance {
	return &instance{
		evaluator: ev, configuration: c, parent: parent, call: call, path: path,
		values: map[string]cty.Value{}, busy: map[string]bool{}, resources: map[string]*resource{}, modules: map[string]*moduleCall{},
	}
}

// problem records a fault once, however many instances meet it.
func (ev *evaluator) problem(p estate.Problem) {
	if text := p.Error(); !ev.reported[text] {
		ev.reported[text] = true
		ev.builder.Problem(p)
	}
}

// evaluate gives the value of an expression. An expression that fails is
// unknown: because of what is not known in it, or else with a problem.
func (m *instance) evaluate(e hcl.Expression, extra map[string]cty.Value, input string) cty.Value {
	ctx := m.context(e.Variables(), extra)
	v, diags := e.Value(ctx)
	if !diags.HasErrors() {
		if v.IsKnown() || v.IsMarked() {
			return v
		}
		if g, open := m.gapIn(ctx); open {
			return v.Mark(gap(g))
		}
		return v
	}
	if m.budget < 0 {
		m.tooMuch(e.Range(), fmt.Sprintf("for expressions turn more than %d times, or one of them more than %d times", maxSteps, maxMembers))
		return unknown(cty.DynamicPseudoType, reasonLimit, input)
	}
	if g, open := m.gapIn(ctx); open {
		return unknown(cty.DynamicPseudoType, g.Reason, g.Input)
	}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			m.problem(problemOf(d))
		}
	}
	return unknown(cty.DynamicPseudoType, reasonInvalid, input)
}

// gapIn finds something that is not known of what an expression refers to.
func (m *instance) gapIn(ctx *hcl.EvalContext) (estate.Gap, bool) {
	for _, name := range sortedKeys(ctx.Variables) {
		if g, open := m.firstGap(ctx.Variables[name]); open {
			return g, true
		}
	}
	return estate.Gap{}, false
}

// firstGap finds something within a value that is not known.
func (m *instance) firstGap(v cty.Value) (estate.Gap, bool) {
	otherwise := estate.Gap{Reason: reasonApply}
	if h, open := firstHole(v); open {
		return m.gap(h, otherwise), true
	}
	if !v.IsWhollyKnown() {
		return m.why(v, otherwise), true
	}
	return estate.Gap{}, false
}

func (ev *evaluator) tooMuch(at hcl.Range, message string) {
	if !ev.excess {
		ev.excess = true
		ev.builder.Cover(estate.Coverage{Type: "*", State: estate.CoveragePartial, Reason: reasonLimit})
	}
	ev.problem(estate.Problem{Position: positionOf(at), Message: message, Hint: "the rest is not read"})
}

// context is what an expression can refer to, reduced to what it does refer
// to. What is not declared is left out, so that the evaluator reports it.
func (m *instance) context(names []hcl.Traversal, extra map[string]cty.Value) *hcl.EvalContext {
	roots := map[string]map[string]cty.Value{}
	members := func(root string) map[string]cty.Value {
		if roots[root] == nil {
			roots[root] = map[string]cty.Value{}
		}
		return roots[root]
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: m.evaluator.functions}
	outputs := map[string][]string{}
	data := map[string]map[string]cty.Value{}
	for _, t := range names {
		root, name := t.RootName(), attributeAt(t, 1)
		if v, ok := extra[root]; ok {
			ctx.Variables[root] = v
			continue
		}
		switch root {
		case "var":
			all := members(root)
			for _, n := range orAll(name, m.variables) {
				all[n] = m.variable(n)
			}
		case "local":
			all := members(root)
			for _, n := range orAll(name, m.locals) {
				all[n] = m.local(n)
			}
		case "module":
			members(root)
			if m.calls[name] != nil {
				outputs[name] = append(outputs[name], outputOf(t))
			}
		case "data":
			kind, name := name, attributeAt(t, 2)
			if r := m.resource("data." + kind + "." + name); r != nil {
				if data[kind] == nil {
					data[kind] = map[string]cty.Value{}
				}
				data[kind][name] = r.reference()
			}
		case "path":
			if v := m.pathTo(name); v != cty.NilVal {
				members(root)[name] = v
			}
		case "terraform", "tofu":
			ctx.Variables[root] = cty.ObjectVal(map[string]cty.Value{"workspace": m.workspace()})
		case "ephemeral":
			// Made for one run, and meant for secrets.
			ctx.Variables[root] = cty.DynamicVal.Mark(sensitive("an ephemeral value"))
		case "each", "count", "self":
		default:
			if r := m.resource(root + "." + name); r != nil {
				members(root)[name] = r.reference()
			}
		}
	}
	for _, name := range sortedKeys(outputs) {
		members("module")[name] = m.module(name).reference(outputs[name])
	}
	if len(data) > 0 {
		kinds := map[string]cty.Value{}
		for kind, byName := range data {
			kinds[kind] = cty.ObjectVal(byName)
		}
		ctx.Variables["data"] = cty.ObjectVal(kinds)
	}
	for root, all := range roots {
		ctx.Variables[root] = cty.ObjectVal(all)
	}
	return ctx
}

func attributeAt(t hcl.Traversal, i int) string {
	if i >= len(t) {
		return ""
	}
	switch step := t[i].(type) {
	case hcl.TraverseAttr:
		return step.Name
	case hcl.TraverseIndex:
		return textOf(step.Key)
	}
	return ""
}

// outputOf is the output that a reference to a module reads, or "" for all.
func outputOf(t hcl.Traversal) string {
	for _, step := range t[2:] {
		if a, ok := step.(hcl.TraverseAttr); ok {
			return a.Name
		}
	}
	return ""
}

// orAll is the one name, if it is declared, or all names where none is said.
func orAll[V any](name string, all map[string]V) []string {
	if name == "" {
		return sortedKeys(all)
	}
	if _, ok := all[name]; !ok {
		return nil
	}
	return []string{name}
}

func (m *instance) workspace() cty.Value {
	return m.once("terraform.workspace", func() cty.Value {
		if g, ok := m.root.given["terraform.workspace"]; ok {
			return cty.StringVal(g.text)
		}
		return m.text(estate.UnknownText(reasonWorkspace, "terraform.workspace"))
	})
}

// pathTo is what Terraform calls path.module, path.root and path.cwd. They are
// relative to the root module, in which commands are run.
func (m *instance) pathTo(name string) cty.Value {
	switch name {
	case "module":
		own, err := filepath.Rel(filepath.FromSlash(m.root.folder), filepath.FromSlash(m.folder))
		if err != nil {
			own = m.folder
		}
		return cty.StringVal(filepath.ToSlash(own))
	case "root":
		return cty.StringVal(".")
	case "cwd":
		return m.once("path.cwd", func() cty.Value { return m.text(estate.UnknownText(reasonApply, "path.cwd")) })
	}
	return cty.NilVal
}

// once finds a value when it is first asked for. One that depends on itself is
// a problem, and unknown.
func (m *instance) once(name string, find func() cty.Value) cty.Value {
	if v, ok := m.values[name]; ok {
		return v
	}
	if m.busy[name] {
		m.problem(estate.Problem{Position: estate.Position{File: m.folder}, Message: join(m.path, name) + " depends on itself"})
		return unknown(cty.DynamicPseudoType, reasonInvalid, join(m.path, name))
	}
	m.busy[name] = true
	v := find()
	delete(m.busy, name)
	m.values[name] = v
	return v
}

// limited refuses a value that has grown past all measure.
func (m *instance) limited(v cty.Value, at hcl.Range, input string) cty.Value {
	if left := maxValueSize; !within(v, &left) {
		m.tooMuch(at, fmt.Sprintf("%s is larger than %d MB", input, maxValueSize>>20))
		return unknown(cty.DynamicPseudoType, reasonLimit, input)
	}
	return v
}

func within(v cty.Value, left *int) bool {
	v, _ = v.Unmark()
	*left--
	switch {
	case *left < 0:
		return false
	case v.IsNull() || !v.IsKnown():
		return true
	case v.Type() == cty.String:
		*left -= len(v.AsString())
		return *left >= 0
	case !v.CanIterateElements():
		return true
	}
	for it := v.ElementIterator(); it.Next(); {
		if _, item := it.Element(); !within(item, left) {
			return false
		}
	}
	return true
}

func (m *instance) local(name string) cty.Value {
	return m.once("local."+name, func() cty.Value {
		a := m.locals[name]
		return m.limited(m.evaluate(a.Expr, nil, join(m.path, "local."+name)), a.Range, "local."+name)
	})
}

// variable is the value that the call gives, or the command line, or the
// default.
func (m *instance) variable(name string) cty.Value {
	return m.once("var."+name, func() cty.Value {
		d := m.variables[name]
		v := m.typed(d, name)
		if d.flag("sensitive") || d.flag("ephemeral") {
			v = v.Mark(sensitive("variable " + name + " is sensitive"))
		}
		return v
	})
}

func (m *instance) typed(d *declared, name string) cty.Value {
	constraint, defaults := m.constraint(d)
	input := "variable " + join(m.path, name)
	v, at, found := m.argument(d, name, constraint)
	if found && v.IsKnown() && v.IsNull() {
		// Null asks for the default only where a variable cannot be null.
		if a := d.attribute("nullable"); a != nil && !d.flag("nullable") {
			found = false
		}
	}
	if !found {
		a := d.attribute("default")
		if a == nil {
			return m.absent(constraint, input)
		}
		v, at = m.evaluate(a.Expr, nil, input), a.Range
	}
	if defaults != nil && v.IsKnown() && !v.IsNull() {
		unmarked, marks := v.Unmark()
		v = defaults.Apply(unmarked).WithMarks(marks)
	}
	if i, may := m.collapsing(v); may && constraint.IsSetType() {
		g := m.gap(i, estate.Gap{Reason: reasonApply, Input: input})
		return unknown(constraint, g.Reason, g.Input)
	}
	converted, err := convert.Convert(uniform(v), constraint)
	if err != nil {
		if g, open := m.firstGap(v); open {
			return unknown(constraint, g.Reason, g.Input)
		}
		m.problem(estate.Problem{
			Position: positionOf(at), Message: fmt.Sprintf("%s: %s; expected %s", input, err, typeexpr.TypeString(constraint)),
		})
		return unknown(constraint, reasonInvalid, input)
	}
	return converted
}

// absent is a variable that nobody gave a value.
func (m *instance) absent(t cty.Type, input string) cty.Value {
	if t == cty.String || t == cty.DynamicPseudoType {
		return m.text(estate.UnknownText(reasonVariable, input))
	}
	return unknown(t, reasonVariable, input)
}

// constraint is the type that a variable is declared to have.
func (m *instance) constraint(d *declared) (cty.Type, *typeexpr.Defaults) {
	a := d.attribute("type")
	if a == nil {
		return cty.DynamicPseudoType, nil
	}
	// Terraform before 0.12 wrote types in quotes.
	word := hcl.ExprAsKeyword(a.Expr)
	if word == "" {
		if v, diags := a.Expr.Value(nil); !diags.HasErrors() {
			word = textOf(v)
		}
	}
	switch word {
	case "string":
		return cty.String, nil
	case "list", "map", "set", "any":
		return cty.DynamicPseudoType, nil
	}
	t, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
	if diags.HasErrors() {
		for _, d := range diags {
			m.problem(problemOf(d))
		}
		return cty.DynamicPseudoType, nil
	}
	return t, defaults
}

// argument is the value that comes from outside of the module.
func (m *instance) argument(d *declared, name string, t cty.Type) (v cty.Value, at hcl.Range, found bool) {
	if m.call != nil {
		a := m.call.attribute(name)
		if a == nil {
			return cty.NilVal, d.at, false
		}
		return m.parent.evaluate(a.Expr, m.repeat, "variable "+join(m.path, name)), a.Range, true
	}
	g, ok := m.given[name]
	switch {
	case !ok:
		return cty.NilVal, d.at, false
	case g.value != cty.NilVal:
		return g.value, hcl.Range{Filename: g.at}, true
	case t.IsPrimitiveType() || t == cty.DynamicPseudoType:
		return cty.StringVal(g.text), hcl.Range{Filename: g.at}, true
	}
	e, diags := hclsyntax.ParseExpression([]byte(g.text), g.at, hcl.InitialPos)
	if diags.HasErrors() {
		m.problem(estate.Problem{Position: estate.Position{File: g.at}, Message: fmt.Sprintf("the value of variable %s is not an expression", name)})
		return unknown(t, reasonInvalid, "variable "+name), d.at, true
	}
	return m.evaluate(e, nil, "variable "+name), e.Range(), true
}

// output is the value of an output of the module.
func (m *instance) output(name string) cty.Value {
	return m.once("output."+name, func() cty.Value {
		d := m.outputs[name]
		a := d.attribute("value")
		if a == nil {
			return cty.NullVal(cty.DynamicPseudoType)
		}
		v := m.evaluate(a.Expr, nil, join(m.path, "output."+name))
		if d.flag("sensitive") {
			v = v.Mark(sensitive("output " + join(m.path, name) + " is sensitive"))
		}
		return v
	})
}

// moduleCall is a call of a module, with the instances that it makes.
type moduleCall struct {
	name      string
	instances []*instance
	keys      []string
	repetition
	missing *estate.Gap // why the module could not be read
}

// module is the call of that name.
func (m *instance) module(name string) *moduleCall {
	if c, ok := m.modules[name]; ok {
		return c
	}
	call := m.calls[name]
	c := &moduleCall{name: name}
	m.modules[name] = c
	address := join(m.path, "module."+name)
	folder, gap := m.moduleFolder(call, name)
	var config *configuration
	if gap == nil {
		var err error
		if config, err = m.folderOf(folder, call); err != nil {
			gap = &estate.Gap{Reason: reasonModule, Input: fmt.Sprintf("%s (%s)", address, folder)}
			m.problem(estate.Problem{Position: positionOf(call.at), Message: fmt.Sprintf("module %s in %s cannot be read: %s", name, folder, err)})
		}
	}
	if gap != nil {
		c.missing = gap
		m.builder.Cover(estate.Coverage{Type: "*", State: estate.CoveragePartial, Reason: gap.Reason + ": " + gap.Input})
		return c
	}
	c.repetition = m.repetitionOf(call, address)
	for _, turn := range c.turns {
		inner := m.evaluator.instance(config, m, call, address+turn.key)
		inner.repeat = turn.values
		inner.callers = append(slices.Clone(m.callers), positionOf(call.at))
		c.instances, c.keys = append(c.instances, inner), append(c.keys, turn.name)
	}
	return c
}

// folderOf reads the configuration of a module, unless the calls go in a
// circle.
func (m *instance) folderOf(folder string, call *declared) (*configuration, error) {
	depth := 0
	for up := m; up != nil; up = up.parent {
		if up.folder == folder {
			return nil, fmt.Errorf("the module includes itself")
		}
		if depth++; depth > maxModuleDepth {
			return nil, fmt.Errorf("modules call each other more than %d deep", maxModuleDepth)
		}
	}
	return m.loader.folder(folder)
}

// moduleFolder is where a module's files lie: below the calling module, or
// where terraform init has put them.
func (m *instance) moduleFolder(call *declared, name string) (string, *estate.Gap) {
	source := call.text("source")
	if strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../") || source == "." || source == ".." {
		return path.Join(m.folder, source), nil
	}
	key := name
	for up := m; up.parent != nil; up = up.parent {
		key = up.callName() + "." + key
	}
	if folder, ok := m.installed[key]; ok {
		return path.Join(m.root.folder, folder), nil
	}
	if source == "" {
		source = "its source is not a literal text"
	}
	return "", &estate.Gap{Reason: reasonModule, Input: fmt.Sprintf("%s (%s)", join(m.path, "module."+name), source)}
}

func (m *instance) callName() string {
	all := steps(m.path)
	name, _ := cutKey(all[len(all)-1])
	return name
}

// reference is what module.NAME stands for, with the outputs that are wanted;
// "" wants all.
func (c *moduleCall) reference(wanted []string) cty.Value {
	switch {
	case c.missing != nil:
		return unknown(cty.DynamicPseudoType, c.missing.Reason, c.missing.Input)
	case c.open != nil:
		return unknown(cty.DynamicPseudoType, c.open.Reason, c.open.Input)
	}
	values := make([]cty.Value, len(c.instances))
	for i, m := range c.instances {
		names := wanted
		if slices.Contains(wanted, "") {
			names = sortedKeys(m.outputs)
		}
		fields := map[string]cty.Value{}
		for _, name := range names {
			if m.outputs[name] != nil {
				fields[name] = m.output(name)
			}
		}
		values[i] = cty.ObjectVal(fields)
	}
	return c.together(values)
}
