package report

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/assess"
	"assay/internal/check"
)

// TerraformAttribute says which attribute of which Terraform resource type
// holds a property of a CloudFormation type. Both the property and the
// attribute are dotted paths; parts of the attribute before the last are
// blocks. ok is false where the tables have none.
type TerraformAttribute func(cfnType, property string) (tfType, attribute string, ok bool)

// ExplainCheck writes what a check requires, why, on whose word, what it means
// for requirements (by framework id), and how to fix what fails it.
func ExplainCheck(w io.Writer, c *check.Check, requirements map[string][]string, o Options) error {
	p := newPage(w, o)
	p.row(0, 2, oneLine(c.Title), cell{text: oneLine(c.ID), style: bold}, cell{text: c.Severity.String(), style: severityStyle(c.Severity)})

	p.heading("What it requires", "of "+oneLine(c.Subject))
	if c.Applies != "" {
		p.line(2, "where")
		p.block(4, c.Applies)
		p.line(2, "that")
	}
	p.block(4, c.Require)

	p.explainWhy(c.Rationale, c.Source)

	switch {
	case c.Advisory && len(c.Establishes) == 0:
		p.heading("Objectives", "")
		p.line(2, "none: the check is advice and bears on no requirement")
	case len(c.Establishes) > 0:
		p.heading("Objectives", "")
		for _, id := range slices.Sorted(maps.Keys(c.Establishes)) {
			link := c.Establishes[id]
			p.row(2, 4, oneLine(link.Why), cell{text: string(link.How), width: len(check.Supports)}, cell{text: oneLine(id)})
		}
	}
	p.explainRequirements(requirements)
	if len(c.Peers) > 0 {
		p.heading("In other tools", "")
		p.namedLists(c.Peers)
	}
	p.explainFix(c.Subject, "", c.Fix, o.Terraform)
	return p.flush()
}

// ExplainFinding writes a finding of a saved stream in words: what is wrong or
// open, where, what was read, what would decide it, and how to fix it.
func ExplainFinding(w io.Writer, h *assess.Header, f *assess.Finding, o Options) error {
	p := newPage(w, o)
	var c assess.CheckInfo
	for _, one := range h.Checks {
		if one.ID == f.Check {
			c = one
		}
	}
	p.row(0, 2, oneLine(c.Title), cell{text: oneLine(f.Check), style: bold},
		cell{text: f.Severity.String(), style: severityStyle(f.Severity)}, cell{text: f.Outcome.String(), style: bold})
	p.blank()
	p.line(2, oneLine(f.Message))

	p.heading("Where", "")
	fact := func(name, what string) {
		if what != "" {
			p.row(2, 4, oneLine(what), cell{text: name, width: len("functions")})
		}
	}
	fact("at", f.Source.String())
	for _, caller := range f.Callers {
		fact("called at", caller.String())
	}
	resource := f.Resource.Address + ", " + f.Resource.Type
	if f.Resource.LogicalID != f.Resource.Address {
		resource += ", logical id " + f.Resource.LogicalID
	}
	fact("resource", resource)
	fact("functions", strings.Join(f.Functions, ", "))
	if f.Owner != nil {
		fact("owner", strings.Join(f.Owner.Names, ", ")+" ("+f.Owner.By+")")
	}
	fact("scope", f.Scope)
	fact("judged", fmt.Sprintf("%s, as of %s, by %s %s", basisText(h.Basis), h.AsOf, h.Tool, h.Version))
	fact("finding", f.ID)

	p.explainWitness(f)
	if f.Waived != nil {
		p.heading("Waived", waivedText(f.Waived))
	}
	if f.Raised != nil {
		p.heading("Severity", raisedText(f.Raised))
	}
	p.explainParameters(f)
	if f.Cause != nil {
		p.heading("Cause", causeText(f.Cause))
	}
	p.explainMissing(f)
	p.explainWhy(c.Rationale, c.Source)
	p.explainRequirements(c.Requirements)
	if f.Outcome == check.Fail {
		p.explainFix(c.Subject, f.Resource.LogicalID, c.Fix, o.Terraform)
	}
	return p.flush()
}

// ExplainFunction writes what the risk of a function is made of: who can call
// it, what it handles, and the findings that concern it, the gravest first.
func ExplainFunction(w io.Writer, h *assess.Header, f *assess.Function, findings []*assess.Finding, o Options) error {
	p := newPage(w, o)
	p.row(0, 2, oneLine(f.Scope), cell{text: oneLine(f.Resource.Address), style: bold}, cell{text: riskText(f) + " of 100", style: bold})
	p.blank()
	p.line(2, exposureText(f))
	if f.Owner != nil {
		p.line(2, ownerText(f.Owner))
	}
	for _, m := range f.Missing {
		p.row(4, 6, oneLine(m.Reason), cell{text: supply(m.Input)})
	}
	p.line(2, fmt.Sprintf("judged %s, as of %s, by %s %s", basisText(h.Basis), h.AsOf, h.Tool, h.Version))
	if len(f.Contributors) > 0 {
		p.heading("What weighs most", "and its part of the number")
		ids := widest(f.Contributors, func(c assess.Contributor) string { return c.Check })
		for _, c := range f.Contributors {
			p.row(2, 6, oneLine(c.Resource), cell{text: fmt.Sprintf("%3d", c.Points)},
				cell{text: c.Severity.String(), width: len("critical"), style: severityStyle(c.Severity)}, cell{text: oneLine(c.Check), width: ids})
		}
	}
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, worseFinding)
	failed := slices.IndexFunc(findings, func(f *assess.Finding) bool { return f.Outcome != check.Fail })
	if failed < 0 {
		failed = len(findings)
	}
	p.explainList("Failures", "that make the number", findings[:failed])
	p.explainList("Unknown", "what the number would rise for, if it failed", findings[failed:])
	p.blank()
	p.line(0, "docs/risk.md says how the number is made; assay explain FINDING-ID --from FILE explains one of these")
	return p.flush()
}

func (p *page) explainList(title, rest string, findings []*assess.Finding) {
	if len(findings) == 0 {
		return
	}
	p.heading(title, rest)
	for _, f := range findings {
		p.row(2, 6, oneLine(f.Message), cell{text: f.Severity.String(), width: len("critical"), style: severityStyle(f.Severity)}, cell{text: f.ID})
		if f.Waived != nil {
			p.line(6, waivedText(f.Waived))
		}
		if f.Raised != nil {
			p.line(6, raisedText(f.Raised))
		}
	}
}

func (p *page) explainWitness(f *assess.Finding) {
	if f.Witness == nil || len(f.Witness.Reads) == 0 {
		return
	}
	p.heading("Witness", "what was read and decided")
	for i := range f.Witness.Reads {
		r := &f.Witness.Reads[i]
		at := ""
		if r.Source != nil {
			at = oneLine(r.Source.String())
		}
		p.row(2, 6, at, cell{text: readText(r, longValue)})
	}
	for _, c := range f.Witness.Under {
		p.line(2, underText(c))
	}
}

func (p *page) explainParameters(f *assess.Finding) {
	if len(f.Parameters) == 0 {
		return
	}
	p.heading("Parameters", "that had a say, and who asks for them")
	for i := range f.Parameters {
		p.line(2, askedText(&f.Parameters[i]))
	}
}

func (p *page) explainMissing(f *assess.Finding) {
	if f.Outcome == check.Fail {
		return
	}
	p.heading("Missing", "what would decide it")
	if f.Error != "" {
		p.line(2, "the check failed to evaluate: "+oneLine(f.Error))
	}
	for _, m := range f.Missing {
		p.row(2, 6, oneLine(m.Reason), cell{text: supply(m.Input)})
		if m.Property != "" {
			p.line(6, "read for "+oneLine(m.Property))
		}
		if m.Source != nil {
			p.line(6, oneLine(m.Source.String()))
		}
	}
}

func (p *page) explainWhy(rationale, source string) {
	if rationale != "" {
		p.heading("Why", "")
		p.line(2, oneLine(rationale))
	}
	if source != "" {
		p.line(2, "Source: "+oneLine(source))
	}
}

func (p *page) explainRequirements(requirements map[string][]string) {
	if len(requirements) == 0 {
		return
	}
	p.heading("Requirements", "that it bears on")
	p.namedLists(requirements)
}

// namedLists writes lists in the order of their names.
func (p *page) namedLists(lists map[string][]string) {
	names := slices.Sorted(maps.Keys(lists))
	width := widest(names, func(name string) string { return name })
	for _, name := range names {
		p.row(2, 4, oneLine(strings.Join(lists[name], ", ")), cell{text: oneLine(name), width: width})
	}
}

// explainFix writes a fix for each tool that it can be written for.
func (p *page) explainFix(subject, logicalID string, f check.Fix, terraform TerraformAttribute) {
	p.heading("Fix", "")
	if line := fixText(f); line != "" {
		p.line(2, line)
	}
	show := func(tool, snippet string) {
		if snippet != "" {
			p.blank()
			p.line(2, tool)
			p.block(4, snippet)
		}
	}
	snippet := template(subject, logicalID, f.Set, f.Value)
	show("CloudFormation", snippet)
	show("SAM", samFix(subject, logicalID, f, snippet))
	show("Terraform", terraformFix(subject, f, terraform))
	show("AWS CLI", f.CLI)
}

// alphanumeric is what CloudFormation takes as a logical id.
var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// template writes the part of a CloudFormation template that sets one property
// of a resource, or "" where there is no such part.
func template(subject, logicalID, set string, value any) string {
	leaf, err := yamlValue(value)
	if set == "" || value == nil || err != nil {
		return ""
	}
	if !alphanumeric.MatchString(logicalID) {
		logicalID = "My" + subject[strings.LastIndex(subject, ":")+1:]
	}
	properties := leaf
	path := strings.Split(set, ".")
	for _, name := range slices.Backward(path) {
		// A name that ends in [] is a list, of which the fix is one item.
		if inner, list := strings.CutSuffix(name, "[]"); list {
			name = inner
			properties = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{properties}}
		}
		properties = yamlMap(name, properties)
	}
	resource := yamlMap("Type", yamlText(subject))
	resource.Content = append(resource.Content, yamlText("Properties"), properties)
	var b strings.Builder
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(yamlMap("Resources", yamlMap(logicalID, resource))), enc.Close()); err != nil {
		return ""
	}
	return b.String()
}

func yamlMap(name string, value *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{yamlText(name), value}}
}

func yamlText(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

// yamlValue is the value of a fix as YAML. A text of several lines is YAML
// already, with CloudFormation's tags.
func yamlValue(v any) (*yaml.Node, error) {
	n := &yaml.Node{}
	if s, ok := v.(string); ok && strings.Contains(s, "\n") {
		if err := yaml.Unmarshal([]byte(s), n); err != nil {
			return nil, fmt.Errorf("the value of the fix is not YAML: %w", err)
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
			n = n.Content[0]
		}
		return n, nil
	}
	return n, n.Encode(whole(v))
}

// whole turns floats without a fraction, which is how whole numbers come out of
// a saved stream, back into whole numbers.
func whole(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = whole(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for name := range v {
			m[name] = whole(v[name])
		}
		return m
	}
	return v
}

// How AWS::Serverless::Function differs from AWS::Lambda::Function: properties
// under another name, and properties of another shape, which only the check can
// say how to set.
var (
	samRenamed  = map[string]string{"TracingConfig.Mode": "Tracing"}
	samReshaped = []string{"Code", "DeadLetterConfig", "Tags", "TracingConfig"}
)

// samFix writes a fix for SAM. A SAM template takes CloudFormation's resources
// as they are; only functions are commonly written in SAM's own form.
func samFix(subject, logicalID string, f check.Fix, cloudFormation string) string {
	switch {
	case f.SAM != "":
		return f.SAM
	case cloudFormation == "":
		return ""
	case subject != "AWS::Lambda::Function":
		return "the same; a SAM template takes this resource as it is"
	}
	set := f.Set
	if name, ok := samRenamed[set]; ok {
		set = name
	} else if root, _, _ := strings.Cut(set, "."); slices.Contains(samReshaped, root) {
		return ""
	}
	return template("AWS::Serverless::Function", logicalID, set, f.Value)
}

// terraformFix writes a fix for Terraform, as the check states it or derived
// from the property.
func terraformFix(subject string, f check.Fix, attribute TerraformAttribute) string {
	if f.Terraform != "" || attribute == nil || f.Set == "" || f.Value == nil {
		return f.Terraform
	}
	if s, ok := f.Value.(string); ok && strings.Contains(s, "\n") {
		return "" // CloudFormation's YAML
	}
	tfType, path, ok := attribute(subject, f.Set)
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "resource %q \"example\" {\n", tfType)
	blocks := strings.Split(strings.ReplaceAll(path, "[]", ""), ".")
	last := len(blocks) - 1
	for i, name := range blocks[:last] {
		fmt.Fprintf(&b, "%s%s {\n", strings.Repeat(gutter, i+1), name)
	}
	fmt.Fprintf(&b, "%s%s = %s\n", strings.Repeat(gutter, last+1), blocks[last], hcl(whole(f.Value)))
	for i := last; i >= 0; i-- {
		b.WriteString(strings.Repeat(gutter, i) + "}\n")
	}
	return b.String()
}

// hcl writes a value as an expression of Terraform's language.
func hcl(v any) string {
	switch v := v.(type) {
	case string:
		return hclText(v)
	case []any:
		items := make([]string, len(v))
		for i := range v {
			items[i] = hcl(v[i])
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var items []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			items = append(items, hclText(name)+" = "+hcl(v[name]))
		}
		return "{ " + strings.Join(items, ", ") + " }"
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return fixValue(v)
}

// hclText quotes a text. What Terraform would interpolate is escaped.
func hclText(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(s))
}
