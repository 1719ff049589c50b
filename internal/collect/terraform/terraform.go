// Package terraform reads Terraform plans into scopes: the JSON that
// `terraform show -json PLAN` and OpenTofu's equivalent write
// (https://developer.hashicorp.com/terraform/internals/json-format).
//
// Reading has two steps that know nothing of each other. The first gives each
// resource's attributes as values: known, referring to another resource,
// secret, or unknown with the reason. The second brings attributes into
// CloudFormation's shape by a table (tables/terraform.yaml); it is a function
// of the attributes alone, whatever they were read from.
//
// A plan hides more than it needs to: an attribute that nobody configured is
// "known after apply" as much as one that refers to another resource. What is
// absent from the configuration takes its default; what refers to another
// resource is a reference; only the rest is unknown. The rules, all of them
// forced by what a plan shows of an expression, which is the list of its
// references and nothing of what is around them:
//
//   - A reference stands for a whole attribute only where it is the
//     expression's only one and the table says that the attribute holds another
//     resource's identity. Elsewhere it is a text with open ends:
//     "${bucket.arn}/*" shows as bucket.arn alone.
//   - A list that is unknown as a whole holds the resources that its expression
//     refers to, and perhaps one thing more, because literal members leave no
//     trace. It is a list whose last member may be absent.
//   - Variables and outputs of modules are followed. Local values are not in a
//     plan, so that what rests on one is unknown.
//   - A dynamic block leaves no trace in the configuration. One whose presence
//     is not known before apply looks like one that is not configured.
//
// Resources of other providers are left out: nothing in an estate stands for
// them. A type of AWS's provider without a row in the table is a gap in the
// scope's coverage.
package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"assay/internal/collect"
	"assay/internal/estate"
)

// Format is the format of the scopes that plans give.
const Format = "terraform-plan"

// supportedFormat is the major version of the plan format that is read, as
// format_version begins. Minor versions only add.
const supportedFormat = "1."

// Options say how plans and configurations are read.
type Options struct {
	Mapping []byte // tables/terraform.yaml
	// ManagedPolicies (tables/iam-managed-policies.jsonl) tell the ARN of a policy
	// that a data source finds by name.
	ManagedPolicies []byte
	// Model has the schemas that types of the Cloud Control provider are mapped
	// by.
	Model *estate.Model
	// Variables are values for the root module of a configuration.
	Variables Variables
}

// Collector reads plans and configurations. It is safe for many goroutines.
type Collector struct {
	table   *table
	options Options
}

var _ collect.Collector = (*Collector)(nil)

// New makes a collector. Rows of the mapping are read when a plan first needs
// them.
func New(o Options) *Collector { return &Collector{newTable(o.Mapping, o.ManagedPolicies, o.Model), o} }

// Name implements [collect.Collector].
func (*Collector) Name() string { return "Terraform plan (terraform show -json)" }

// What to do about a file that is not a plan, or not a whole one.
const (
	writePlan  = "terraform plan -out=PLAN, then terraform show -json PLAN"
	writeAgain = "write the plan again with terraform show -json PLAN"
)

// lookalikes are files that people take for plans, each told by what it
// contains. They are claimed only where the user names them.
var lookalikes = []struct{ start, contains, message, hint string }{
	{`{"@level"`, "", "the log of terraform plan -json, not the plan", writePlan},
	{"PK\x03\x04", "tfplan", "a plan in Terraform's own binary form", "terraform show -json FILE gives the form that is read"},
}

// Claims implements [collect.Collector].
func (*Collector) Claims(f collect.File) bool {
	switch {
	case f.Folder || isPlan(f.Data) || isState(f.Data):
		return true
	case !f.Named:
		return false
	}
	_, _, ok := lookalike(f.Data)
	return ok
}

// isPlan judges by names that only a plan has, wherever they stand: tools that
// sort keys move format_version to the middle.
func isPlan(data []byte) bool {
	start := bytes.TrimLeft(data[:min(len(data), 512)], " \t\r\n")
	if !bytes.HasPrefix(start, []byte("{")) || !bytes.Contains(data, []byte(`"format_version"`)) {
		return false
	}
	if bytes.Contains(data, []byte(`"planned_values"`)) || bytes.Contains(data, []byte(`"resource_changes"`)) {
		return true
	}
	// A plan that breaks off early.
	return bytes.Contains(start, []byte(`"terraform_version"`)) && !bytes.Contains(data, []byte(`"values"`))
}

func lookalike(data []byte) (message, hint string, ok bool) {
	start := bytes.TrimLeft(data[:min(len(data), 4096)], " \t\r\n")
	for _, l := range lookalikes {
		if !bytes.HasPrefix(start, []byte(l.start)) || !bytes.Contains(data, []byte(l.contains)) {
			continue
		}
		if l.start == "{" && !bytes.Contains(start, []byte(`"terraform_version"`)) {
			continue
		}
		return l.message, l.hint, true
	}
	return "", "", false
}

// Collect implements [collect.Collector]: one scope a plan.
func (c *Collector) Collect(ctx context.Context, f collect.File) []*estate.Builder {
	if f.Folder {
		return []*estate.Builder{c.configurationOf(ctx, f)}
	}
	if isState(f.Data) {
		return []*estate.Builder{c.stateOf(ctx, f)}
	}
	p, problem := readPlan(f)
	if problem == nil {
		b, err := newReader(p, c.table).read(ctx)
		if err == nil {
			return []*estate.Builder{b}
		}
		problem = &estate.Problem{Message: err.Error()}
	}
	return []*estate.Builder{collect.Unread(f.Name, Format, *problem)}
}

// readPlan finds the parts of a plan, or says why the file is none.
func readPlan(f collect.File) (*plan, *estate.Problem) {
	lines := &lineCounter{file: f.Name, data: f.Data}
	if !json.Valid(f.Data) {
		if message, hint, ok := lookalike(f.Data); ok && !isPlan(f.Data) {
			return nil, &estate.Problem{Position: lines.at(0), Message: message, Hint: hint}
		}
		return nil, syntaxProblem(f.Data, lines)
	}
	start := next(f.Data, 0)
	fields, offsets := map[string]raw{}, map[string]int{}
	raw(f.Data[start:]).walk(func(name []byte, at int, v raw) bool {
		fields[string(name)], offsets[string(name)] = v, start+at
		return true
	})
	fault := func(field, message, hint string) *estate.Problem {
		at := start
		if v := fields[field]; v != nil {
			at = offsets[field] + len(v)
		}
		return &estate.Problem{Position: lines.at(at), Message: message, Hint: hint}
	}
	version := fields["format_version"].text()
	switch {
	case version == "" && fields["planned_values"] == nil:
		return nil, fault("", "not a Terraform plan: no format_version and no planned_values", writeAgain)
	case !strings.HasPrefix(version, supportedFormat):
		return nil, fault("format_version", fmt.Sprintf("plan format %s is not one that assay reads; expected %sx", version, supportedFormat),
			"use a newer assay, or an older Terraform")
	case fields["errored"].isTrue():
		return nil, fault("errored", "the plan ended with an error and is not complete", "mend what terraform plan reports, and plan again")
	case !fields["planned_values"].is('{') && fields["resource_changes"] == nil:
		return nil, fault("planned_values", "not a Terraform plan: it has neither planned_values nor resource_changes", writeAgain)
	}
	for _, part := range []struct {
		name  string
		first byte
	}{{"resource_changes", '['}, {"configuration", '{'}, {"prior_state", '{'}, {"variables", '{'}} {
		if v := fields[part.name]; !v.absent() && !v.is(part.first) {
			return nil, fault(part.name, "not a Terraform plan: "+part.name+" is not what the format has there", writeAgain)
		}
	}
	return newPlan(fields, offsets["resource_changes"], offsets["resource_drift"], lines), nil
}

// syntaxProblem finds where a file stops being JSON.
func syntaxProblem(data []byte, lines *lineCounter) *estate.Problem {
	p := &estate.Problem{Message: "not valid JSON", Hint: writeAgain}
	at := 0
	var syntax *json.SyntaxError
	if err := json.Unmarshal(data, &struct{}{}); errors.As(err, &syntax) {
		at = max(int(syntax.Offset)-1, 0)
		p.Message += ": " + syntax.Error()
		if strings.Contains(syntax.Error(), "unexpected end") {
			at, p.Message = len(data), "not valid JSON: the file ends in the middle of a value"
		}
	}
	p.Position = lines.at(at)
	return p
}

// lineCounter turns offsets, best asked for in rising order, into positions.
type lineCounter struct {
	file      string
	data      []byte
	done      int // offset up to which lines are counted
	line      int
	lineStart int
}

func (c *lineCounter) at(offset int) estate.Position {
	if offset < c.done {
		c.done, c.line, c.lineStart = 0, 0, 0
	}
	offset = min(offset, len(c.data))
	for {
		i := bytes.IndexByte(c.data[c.done:offset], '\n')
		if i < 0 {
			break
		}
		c.done += i + 1
		c.line, c.lineStart = c.line+1, c.done
	}
	c.done = max(c.done, offset)
	return estate.Position{File: c.file, Line: c.line + 1, Column: offset - c.lineStart + 1}
}
