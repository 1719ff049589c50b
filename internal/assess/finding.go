package assess

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"assay/internal/check"
	"assay/internal/estate"
)

func infoOf(r *estate.Resource) ResourceInfo {
	return ResourceInfo{Type: r.Type, ID: r.ID, LogicalID: r.LogicalID, Address: r.Address}
}

// FindingID identifies a finding by what it is about, so that it survives
// edits around it: a hash of check, scope and logical id.
func FindingID(checkID, scope, logicalID string) string {
	sum := sha256.Sum256([]byte(checkID + "\x00" + scope + "\x00" + logicalID))
	return "F-" + hex.EncodeToString(sum[:8])
}

// parametersOf are parameters as a message has them.
func parametersOf(names []string, values check.Values) []Parameter {
	var all []Parameter
	for _, name := range names {
		p := Parameter{Name: name, By: values[name].By}
		if v := values[name].Value; v != nil {
			p.Value = v.AppendJSON(nil)
		}
		all = append(all, p)
	}
	return all
}

// id identifies the finding.
func (f *finding) id(r *run) string {
	return FindingID(r.programs.checks[f.check].ID, f.of.Scope().ID, f.of.LogicalID)
}

// words puts a finding into words.
func (g *judgedGroup) words(found *finding) *Finding {
	r, res, result := g.run, found.of.Resource, found.result
	c := &r.programs.checks[found.check].Check
	f := &Finding{
		ID:        found.id(r),
		Check:     c.ID,
		Outcome:   result.Outcome,
		Severity:  found.severity,
		Resource:  infoOf(res),
		Scope:     res.Scope().ID,
		Functions: []string{},
		Cause:     found.cause,
		Source:    sourceOf(position(res, result)),

		Parameters: parametersOf(result.Parameters, r.values),
	}
	if found.gravest != nil {
		_, because := raise(c, found.gravest, g.bearings[found.gravest])
		f.Raised = &Raised{From: c.Severity, Because: because}
	}
	for _, p := range res.Callers {
		f.Callers = append(f.Callers, sourceOf(p))
	}
	for _, fn := range found.of.functions {
		if fn.Scope() == res.Scope() {
			f.Functions = append(f.Functions, fn.LogicalID)
		} else {
			f.Functions = append(f.Functions, fn.ID)
		}
	}
	f.Owner = r.owned(res, found.of.functions, f.Source.File)
	if result.Outcome == check.Fail {
		f.Facts, f.Baseline = r.facts(found), r.Baseline.state(f.ID)
		if found.waives() {
			e := found.accepted.entry
			f.Waived = &Waived{WaiverTerms: e.WaiverTerms, By: e.at, Stated: found.accepted.stated}
		}
		f.Deadline = r.deadline(result)
		f.Message = res.Address + " " + r.fillIn(c.Message, res, f.Deadline)
		f.Witness = witness(res, result)
		return f
	}
	f.Message = res.Address + ": not decided: " + c.Title
	for _, m := range result.Missing {
		out := Missing{Reason: m.Reason, Input: m.Input, Property: m.Path}
		if !m.At.IsZero() {
			at := sourceOf(m.At)
			out.Source = &at
		}
		f.Missing = append(f.Missing, out)
	}
	if result.Err != nil {
		f.Error = result.Err.Error()
	}
	return f
}

// position is where a person would edit to make the check pass: the first
// stated property of the subject that decided, or else the subject.
func position(r *estate.Resource, result check.Result) estate.Position {
	for _, read := range result.Reads {
		if read.Resource == r && !read.Value.Position().IsZero() && !read.Value.IsDefault() {
			return read.Value.Position()
		}
	}
	return r.Source
}

func witness(r *estate.Resource, result check.Result) *Witness {
	w := &Witness{}
	for _, read := range result.Reads {
		out := WitnessRead{Property: read.Path}
		if read.Resource != r && read.Resource != nil {
			out.Resource = read.Resource.LogicalID
		}
		if read.Value != nil {
			out.Value = shown(read.Value)
			out.Default = read.Value.IsDefault()
			if p := read.Value.Position(); !p.IsZero() {
				at := sourceOf(p)
				out.Source = &at
			}
		}
		w.Reads = append(w.Reads, out)
	}
	for _, d := range result.Under {
		w.Under = append(w.Under, Choice{d.Input, d.When})
	}
	return w
}

// maxShown bounds a value in a witness, in bytes of JSON.
const maxShown = 2000

// shown is a value for a report: as JSON, or, when that is long, the beginning
// of its one-line form.
func shown(v *estate.Value) json.RawMessage {
	data := v.Plain().AppendJSON(nil)
	if len(data) <= maxShown {
		return data
	}
	cut := []rune(v.String())
	return estate.String(string(cut[:min(len(cut), 200)]) + " …").AppendJSON(nil)
}

var placeholder = regexp.MustCompile(`\{[A-Za-z0-9_.]+\}`)

// deadline is the date that a failure is ahead of, or nil.
func (r *run) deadline(result check.Result) *Deadline {
	day, _, _ := strings.Cut(result.Deadline, "T")
	to, err := time.Parse(time.DateOnly, day)
	from, errFrom := time.Parse(time.DateOnly, r.AsOf)
	if err != nil || errFrom != nil {
		return nil
	}
	return &Deadline{day, int(to.Sub(from) / (24 * time.Hour))}
}

// in says when a deadline is, seen from the date judged by.
func (d *Deadline) in() string {
	switch {
	case d.Days == 0:
		return "today"
	case d.Days == 1:
		return "in 1 day"
	case d.Days == -1:
		return "1 day ago"
	case d.Days < 0:
		return fmt.Sprintf("%d days ago", -d.Days)
	}
	return fmt.Sprintf("in %d days", d.Days)
}

// fillIn replaces {Property.Path} in a check's message by what the subject
// holds there, {param.NAME} by a parameter, {deadline} by a date ("in 43 days,
// on 2027-01-10"). Credentials are never shown.
func (r *run) fillIn(message string, res *estate.Resource, d *Deadline) string {
	if !strings.Contains(message, "{") {
		return message
	}
	return placeholder.ReplaceAllStringFunc(message, func(m string) string {
		name := m[1 : len(m)-1]
		v := res.Properties.Path(name)
		if parameter, ok := strings.CutPrefix(name, "param."); ok {
			v = r.values[parameter].Value
		}
		if name == "deadline" && d != nil {
			return d.in() + ", on " + d.Date
		}
		text := []rune(v.String())
		if len(text) > 120 {
			return string(text[:120]) + " …"
		}
		return string(text)
	})
}
