package assess

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"assay/internal/check"
	"assay/internal/estate"
)

// bearing is what raises the severity of a failure that concerns a function:
// who can call it and what data it handles. docs/risk.md states the rules.
type bearing struct {
	exposed    check.Exposed
	class, by  string // the class of the data and what says so; "" for none
	restricted bool
}

// bearing asks who can call a function and what data it handles: by its own tag, or
// else by what is known of the stores that it works on.
func (g *judgedGroup) bearing(function *estate.Resource, on check.Setting) *bearing {
	r := g.run
	b := &bearing{exposed: r.Library.Exposure(function, on)}
	if tag, class := r.tagOf(function, "data_class_tags"); class != "" {
		b.class, b.by, b.restricted = class, fmt.Sprintf("tag %s: %s", tag, class), r.restricted(class)
	} else if of, ok := g.handled[function.ID]; ok {
		b.class, b.by, b.restricted = of.class, of.by, of.restricted
	}
	return b
}

// restricted tells whether the loss of a class of data is the gravest.
func (r *run) restricted(classes ...string) bool {
	return slices.ContainsFunc(r.texts("restricted_data_classes"), func(class string) bool {
		return slices.ContainsFunc(classes, func(c string) bool { return strings.EqualFold(c, class) })
	})
}

// texts is a parameter that is a list of texts.
func (r *run) texts(parameter string) []string {
	var all []string
	for _, v := range r.values[parameter].Value.Items() {
		all = append(all, v.AsString())
	}
	return all
}

// tagOf is the first tag of a resource whose key a parameter lists.
func (r *run) tagOf(res *estate.Resource, parameter string) (key, value string) {
	tags := res.Properties.Field("Tags").Items()
	for _, key := range r.texts(parameter) {
		for _, tag := range tags {
			if v := tag.Field("Value"); tag.Field("Key").AsString() == key && v.Kind() == estate.KindString {
				return key, v.AsString()
			}
		}
	}
	return "", ""
}

// exposedReason words an exposure.
func exposedReason(function *estate.Resource, e check.Exposed) string {
	who := map[check.Exposure]string{check.Internet: "anyone on the internet", check.AnyAccount: "anyone with an AWS account"}[e.Exposure]
	if who == "" {
		return ""
	}
	return who + " can call " + function.Address
}

// raise is the severity of a failure of a check whose stated severity is base
// and that concerns a function, and why it is not base: one step for a function
// that everyone reaches, one for restricted data. It is never lowered, and what
// is advice stays advice.
func raise(c *check.Check, function *estate.Resource, b *bearing) (check.Severity, []string) {
	severity := c.Severity
	var because []string
	step := func(by check.RaisedBy, reason string) {
		if reason != "" && c.Raises(by) && severity < check.Critical {
			severity++
			because = append(because, reason)
		}
	}
	step(check.ByExposure, exposedReason(function, b.exposed))
	if b.restricted {
		step(check.ByData, fmt.Sprintf("%s handles restricted data (%s)", function.Address, b.by))
	}
	return severity, because
}

// weights say how much failures of each severity count, from the gravest on:
// floor is the number that the worst one starts at, share what each takes of
// what is left up to 100, part its weight among the others.
var weights = []struct {
	severity check.Severity
	floor    float64
	share    float64
	part     int
}{
	{check.Critical, 60, 0.20, 22},
	{check.High, 35, 0.10, 10},
	{check.Medium, 15, 0.04, 4},
	{check.Low, 5, 0.01, 1},
}

// Risk is the risk number of a function with so many failures of each severity:
// 0 for none, towards 100. One failure less, or one that is less severe, never
// raises it.
func Risk(failures map[check.Severity]int) int {
	floor, left := 0.0, 1.0
	for _, w := range weights {
		if failures[w.severity] > 0 {
			floor = max(floor, w.floor)
		}
		left *= math.Pow(1-w.share, float64(failures[w.severity]))
	}
	return int(math.Round(100 - (100-floor)*left))
}

// partOf is the weight of one failure of a severity.
func partOf(s check.Severity) int {
	for _, w := range weights {
		if w.severity == s {
			return w.part
		}
	}
	return 0
}

// maxContributors is how many failures a function's message names.
const maxContributors = 3

// function is what a run says of one function.
func (g *judgedGroup) function(res *estate.Resource) *Function {
	r, b := g.run, g.bearings[res]
	m := &Function{
		Scope: res.Scope().ID, Resource: infoOf(res), Exposure: b.exposed.Exposure, DataClass: b.class,
		Owner: r.owned(res, nil, res.Source.File), Shifts: g.shifts[res],
	}
	for _, read := range b.exposed.Reads {
		if read.Resource == nil {
			continue
		}
		kind := read.Resource.Type[strings.LastIndexByte(read.Resource.Type, ':')+1:]
		if name := kind + " " + read.Resource.Address; !slices.Contains(m.Through, name) {
			m.Through = append(m.Through, name)
		}
	}
	for _, gap := range b.exposed.Missing {
		m.Missing = append(m.Missing, Missing{Reason: gap.Reason, Input: gap.Input})
	}
	failed, possible := map[check.Severity]int{}, map[check.Severity]int{}
	var failures []*finding
	parts := 0
	for _, f := range g.concerns[res] {
		possible[f.severity]++
		if f.result.Outcome == check.Fail {
			failed[f.severity]++
			failures = append(failures, f)
			parts += partOf(f.severity)
		}
	}
	m.Risk, m.AtMost = Risk(failed), Risk(possible)
	// Checks are in order of their ids.
	slices.SortStableFunc(failures, func(a, b *finding) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(a.check, b.check), strings.Compare(a.of.ID, b.of.ID))
	})
	for _, f := range failures[:min(len(failures), maxContributors)] {
		if part := partOf(f.severity); part > 0 {
			points := (m.Risk*part + parts/2) / parts
			m.Contributors = append(m.Contributors, Contributor{Finding: f.id(r), Check: r.programs.checks[f.check].ID, Severity: f.severity, Resource: f.of.Address, Points: points, Waived: f.waives()})
		}
	}
	return m
}
