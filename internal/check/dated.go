package check

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// dated are the tables of AWS facts that few expressions ask for; they are
// decoded when one first does.
type dated struct {
	tls        func() *tlsTable
	fips       func() *fipsTable
	principals func() *principalTable
	programmes func() *programmeTable
}

type tlsTable struct {
	Date     string
	Policies []struct {
		ID, Service   string
		Minimum       float64
		FIPS, Quantum bool
	}
}

type fipsTable struct {
	Date     string
	Services map[string][]string
}

type principalTable struct {
	Date       string
	Principals map[string][]string
}

func newDated(t Tables) dated {
	return dated{lazily[tlsTable](t.TLSPolicies), lazily[fipsTable](t.FIPSEndpoints), lazily[principalTable](t.ServicePrincipals), newProgrammes(t.Programmes)}
}

// lazily decodes a table once. A table that does not decode is empty, so that
// all it is asked for is unknown; a test holds the tables to their form.
func lazily[T any](data []byte) func() *T {
	return sync.OnceValue(func() *T {
		table := new(T)
		if err := yaml.Unmarshal(data, table); err != nil {
			return new(T)
		}
		return table
	})
}

// text is an argument that has to be known to be looked up.
func (ev *evaluation) text(v ref.Val) (s string, undecided ref.Val) {
	switch t := v.(type) {
	case types.String:
		return string(t), nil
	case *types.Unknown:
		return "", t
	}
	return "", types.MaybeNoSuchOverloadErr(v)
}

// tlsPolicy is the row of a policy that says which TLS clients may speak.
func tlsPolicy(ev *evaluation, args []ref.Val) ref.Val {
	id, undecided := ev.text(args[0])
	if undecided != nil {
		return undecided
	}
	table := ev.lib.dated.tls()
	for _, p := range table.Policies {
		if p.ID == id {
			row := estate.Map(
				estate.Field{Name: "id", Value: estate.String(id)},
				estate.Field{Name: "service", Value: estate.String(p.Service)},
				estate.Field{Name: "minimum", Value: estate.Float(p.Minimum)},
				estate.Field{Name: "fips", Value: estate.Bool(p.FIPS)},
				estate.Field{Name: "quantum", Value: estate.Bool(p.Quantum)},
			)
			return &mapVal{ev: ev, value: row, path: "tlsPolicy(" + id + ")"}
		}
	}
	return ev.unknown(estate.Unknown("TLS policy is not in the table of "+table.Date, id), "", false)
}

// fipsEndpoint reports whether a service has a FIPS endpoint in a region.
func fipsEndpoint(ev *evaluation, args []ref.Val) ref.Val {
	service, undecided := ev.text(args[0])
	if undecided != nil {
		return undecided
	}
	region, undecided := ev.text(args[1])
	if undecided != nil {
		return undecided
	}
	table := ev.lib.dated.fips()
	regions, ok := table.Services[service]
	if !ok {
		return ev.unknown(estate.Unknown("service is not in the table of FIPS endpoints of "+table.Date, service), "", false)
	}
	return types.Bool(slices.Contains(regions, region))
}

// sourceKeys are the condition keys by which a policy can name what a service
// acts for.
func sourceKeys(ev *evaluation, args []ref.Val) ref.Val {
	principal, undecided := ev.text(args[0])
	if undecided != nil {
		return undecided
	}
	table := ev.lib.dated.principals()
	keys, ok := table.Principals[principal]
	if !ok {
		return ev.unknown(estate.Unknown("service is not in the table of principals of "+table.Date, principal), "", false)
	}
	items := make([]ref.Val, len(keys))
	for i, key := range keys {
		items[i] = types.String(key)
	}
	return newList(ev, items)
}

// daysUntil counts the days from the date judged by to another, which may be
// the beginning of a time. It is below zero for one that has passed.
func daysUntil(ev *evaluation, args []ref.Val) ref.Val {
	text, undecided := ev.text(args[0])
	if undecided != nil {
		return undecided
	}
	day, _, _ := strings.Cut(text, "T")
	to, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ev.unknown(estate.Unknown("not a date", text), "", false)
	}
	from, err := time.Parse(time.DateOnly, ev.asOf)
	if err != nil {
		return types.NewErr("the date judged by, %q, is not a date", ev.asOf)
	}
	return types.Int(to.Sub(from) / (24 * time.Hour))
}

func daysSince(ev *evaluation, args []ref.Val) ref.Val {
	n, ok := daysUntil(ev, args).(types.Int)
	if !ok {
		return daysUntil(ev, args)
	}
	return -n
}

// datedFunctions declares the functions over dates and dated tables.
func datedFunctions() []cel.EnvOption {
	text := []*cel.Type{cel.StringType}
	return []cel.EnvOption{
		cel.Function("tlsPolicy", cel.Overload("tlspolicy_string", text, cel.ObjectType("assay.TLSPolicy"))),
		cel.Function("fipsEndpoint", cel.Overload("fipsendpoint_string_string", []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType)),
		cel.Function("sourceKeys", cel.Overload("sourcekeys_string", text, cel.ListType(cel.StringType))),
		cel.Function("daysUntil", cel.Overload("daysuntil_string", text, cel.IntType)),
		cel.Function("daysSince", cel.Overload("dayssince_string", text, cel.IntType)),
	}
}
