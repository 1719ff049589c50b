// Package terraform reads Terraform plans into scopes: the JSON that
// `terraform show -json PLAN` and OpenTofu's equivalent write. Resources are
// brought into CloudFormation shape by a table (tables/terraform.yaml).
//
// A plan hides more than it needs to: an attribute that nobody configured is
// "known after apply" as much as one that refers to another resource. What is
// absent from the configuration takes its default; what refers to another
// resource is a reference; only the rest is unknown.
package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"assay/internal/collect"
	"assay/internal/estate"
)

// Options say how plans are read.
type Options struct {
	Mapping []byte // tables/terraform.yaml
}

// Collector reads plans. It is safe for many goroutines.
type Collector struct{ mapping *lazyMapping }

// New makes a collector. The mapping is read when the first plan is.
func New(o Options) *Collector { return &Collector{&lazyMapping{data: o.Mapping}} }

// Name implements [collect.Collector].
func (*Collector) Name() string { return "Terraform plan (terraform show -json)" }

// Claims implements [collect.Collector].
func (*Collector) Claims(f collect.File) bool {
	head := bytes.TrimLeft(f.Data[:min(len(f.Data), 4096)], " \t\r\n")
	return bytes.HasPrefix(head, []byte("{")) && bytes.Contains(head, []byte(`"format_version"`)) &&
		(bytes.Contains(head, []byte(`"terraform_version"`)) || bytes.Contains(f.Data, []byte(`"planned_values"`)))
}

// plan is what is read of a plan, format 1.
type plan struct {
	FormatVersion string                     `json:"format_version"`
	Variables     map[string]planVariable    `json:"variables"`
	Changes       []change                   `json:"-"` // resource_changes, with their offsets
	Configuration configuration              `json:"configuration"`
	PriorState    struct{ Values stateBody } `json:"prior_state"`
	Errored       bool                       `json:"errored"`
	hasChanges    bool
}

type planVariable struct {
	Value json.RawMessage `json:"value"`
}

// stateBody holds the values of resources by module, of which data sources
// that were read while planning are of use.
type stateBody struct {
	Root stateModule `json:"root_module"`
}

type stateModule struct {
	Resources []struct {
		Address string          `json:"address"`
		Mode    string          `json:"mode"`
		Values  json.RawMessage `json:"values"`
	} `json:"resources"`
	Children []stateModule `json:"child_modules"`
}

// change is one entry of resource_changes.
type change struct {
	Address string `json:"address"`
	Module  string `json:"module_address"`
	Mode    string `json:"mode"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	Index   any    `json:"index"`
	Change  struct {
		Actions        []string        `json:"actions"`
		After          json.RawMessage `json:"after"`
		AfterUnknown   json.RawMessage `json:"after_unknown"`
		AfterSensitive json.RawMessage `json:"after_sensitive"`
	} `json:"change"`

	at estate.Position
}

// configuration is the part of a plan that says what was written.
type configuration struct {
	Providers map[string]struct {
		Name        string                `json:"name"`
		Expressions map[string]expression `json:"expressions"`
	} `json:"provider_config"`
	Root configModule `json:"root_module"`
}

type configModule struct {
	Resources []configResource                    `json:"resources"`
	Calls     map[string]configCall               `json:"module_calls"`
	Outputs   map[string]configOutput             `json:"outputs"`
	Variables map[string]struct{ Sensitive bool } `json:"variables"`
}

type configResource struct {
	Address     string          `json:"address"` // without the module
	Expressions json.RawMessage `json:"expressions"`
}

type configCall struct {
	Expressions map[string]expression `json:"expressions"`
	Module      configModule          `json:"module"`
}

type configOutput struct {
	Expression expression `json:"expression"`
}

// expression is how the configuration states an attribute: a constant, or the
// references that it is made of. Blocks are kept as they stand.
type expression struct {
	Constant   json.RawMessage
	References []string
	Raw        json.RawMessage
}

// UnmarshalJSON tells the forms of an expression apart.
func (e *expression) UnmarshalJSON(data []byte) error {
	e.Raw = bytes.Clone(data)
	var form struct {
		Constant   json.RawMessage `json:"constant_value"`
		References []string        `json:"references"`
	}
	if data[0] == '{' && json.Unmarshal(data, &form) == nil {
		e.Constant, e.References = form.Constant, form.References
	}
	return nil
}

// Collect implements [collect.Collector]: one scope a plan.
func (c *Collector) Collect(_ context.Context, f collect.File) []*estate.Builder {
	unread := func(p estate.Problem) []*estate.Builder {
		return []*estate.Builder{collect.Unread(f.Name, "terraform-plan", p)}
	}
	m, err := c.mapping.get()
	if err != nil {
		return unread(estate.Problem{Message: err.Error()})
	}
	p, problem := decode(f)
	if problem != nil {
		return unread(*problem)
	}
	r := newReader(f.Name, m, p)
	return []*estate.Builder{r.read()}
}

// supportedFormat is the major format version that is read.
const supportedFormat = "1."

// decode reads the plan, walking its top level by tokens, so that each
// resource's place in the file is known and nothing is held twice.
func decode(f collect.File) (*plan, *estate.Problem) {
	p := &plan{}
	dec := json.NewDecoder(bytes.NewReader(f.Data))
	places := &placer{file: f.Name, data: f.Data}
	fault := func(err error) *estate.Problem {
		at := dec.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = max(at, syntax.Offset-1)
		}
		message := "not valid JSON: " + strings.TrimPrefix(err.Error(), "json: ")
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			at, message = int64(len(f.Data)), "not valid JSON: the file ends in the middle of a value"
		}
		var typed *json.UnmarshalTypeError
		if errors.As(err, &typed) {
			message = fmt.Sprintf("not a Terraform plan: %s holds a %s", typed.Field, typed.Value)
		}
		return &estate.Problem{Position: places.at(at), Message: message, Hint: "write the plan again with terraform show -json PLAN"}
	}
	if _, err := dec.Token(); err != nil {
		return nil, fault(err)
	}
	fields := map[string]any{
		"format_version": &p.FormatVersion, "variables": &p.Variables, "configuration": &p.Configuration,
		"prior_state": &p.PriorState, "errored": &p.Errored,
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fault(err)
		}
		name, _ := key.(string)
		switch into := fields[name]; {
		case name == "resource_changes":
			p.hasChanges = true
			err = decodeChanges(dec, places, &p.Changes)
		case into != nil:
			err = dec.Decode(into)
		default:
			var skipped json.RawMessage
			err = dec.Decode(&skipped)
		}
		if err != nil {
			return nil, fault(err)
		}
		if name == "format_version" && !strings.HasPrefix(p.FormatVersion, supportedFormat) {
			return nil, &estate.Problem{
				Position: places.at(dec.InputOffset()),
				Message:  fmt.Sprintf("plan format %s is not one that assay reads; expected %sx", p.FormatVersion, supportedFormat),
				Hint:     "use a newer assay, or an older Terraform",
			}
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, fault(err)
	}
	switch {
	case p.Errored:
		return nil, &estate.Problem{Position: places.at(0), Message: "the plan ended with an error, so that it is not complete", Hint: "mend what terraform plan reports, and plan again"}
	case !p.hasChanges:
		return nil, &estate.Problem{Position: places.at(0), Message: "no resource_changes in it; expected a plan, not a state", Hint: "terraform plan -out=PLAN, then terraform show -json PLAN"}
	}
	return p, nil
}

func decodeChanges(dec *json.Decoder, places *placer, into *[]change) error {
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		var c change
		start := dec.InputOffset()
		if err := dec.Decode(&c); err != nil {
			return err
		}
		c.at = places.at(places.next(start))
		*into = append(*into, c)
	}
	_, err := dec.Token()
	return err
}

// placer turns offsets, asked for in rising order, into positions.
type placer struct {
	file      string
	data      []byte
	offset    int64 // up to which lines are counted
	line      int
	lineStart int64
}

// next is the offset of the next value at or after offset.
func (p *placer) next(offset int64) int64 {
	for offset < int64(len(p.data)) && strings.IndexByte(" \t\r\n,", p.data[offset]) >= 0 {
		offset++
	}
	return offset
}

func (p *placer) at(offset int64) estate.Position {
	if offset < p.offset {
		p.offset, p.line, p.lineStart = 0, 0, 0
	}
	for ; p.offset < offset && p.offset < int64(len(p.data)); p.offset++ {
		if p.data[p.offset] == '\n' {
			p.line++
			p.lineStart = p.offset + 1
		}
	}
	return estate.Position{File: p.file, Line: p.line + 1, Column: int(offset-p.lineStart) + 1}
}

// read turns the changes into resources.
func (r *reader) read() *estate.Builder {
	unmapped := map[string]bool{}
	for i := range r.plan.Changes {
		c := &r.plan.Changes[i]
		if c.Mode != "managed" || slices.Equal(c.Change.Actions, []string{"delete"}) {
			continue
		}
		t := r.mapping.Types[c.Type]
		switch {
		case t != nil:
			for _, res := range r.resource(c, t) {
				r.builder.Add(res)
			}
		case strings.HasPrefix(c.Type, "aws_") && !slices.Contains(r.mapping.Ignored, c.Type):
			unmapped[c.Type] = true
		}
	}
	for name := range unmapped {
		r.builder.Cover(estate.Coverage{Type: name, State: estate.CoveragePartial, Reason: "resource type is not mapped"})
	}
	return r.builder
}
