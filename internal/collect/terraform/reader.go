package terraform

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"assay/internal/estate"
)

// reader turns one plan into a scope. It is for one goroutine.
type reader struct {
	plan      *plan
	table     *table
	byAddress map[string]*change
	depth     int // of references being followed
}

func newReader(p *plan, t *table) *reader {
	r := &reader{plan: p, table: t, byAddress: make(map[string]*change, len(p.changes))}
	for _, c := range p.changes {
		r.byAddress[c.address] = c
	}
	return r
}

// Reasons of coverage gaps.
const (
	reasonUnmapped   = "resource type is not mapped"
	reasonIncomplete = "the plan leaves out a part of the configuration (-target, or a deferred change)"
)

// read gathers the resources that exist once the plan is applied. It fails
// only when the table is faulty or ctx ends.
func (r *reader) read(ctx context.Context) (*estate.Builder, error) {
	b := estate.NewBuilder(r.plan.file, Format)
	var all []provided
	unmapped := map[string]bool{}
	for _, c := range r.plan.changes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// A change without a state afterwards deletes or forgets.
		if c.data || c.after.absent() || !ofAWS(c.kind) {
			continue
		}
		row, err := r.table.mapped(c.kind, c.after, unmapped)
		if err != nil {
			return nil, err
		}
		if row == nil {
			continue
		}
		all = append(all, provided{
			address: c.address, row: row, attributes: r.attributesOf(c, row.Attributes), at: c.at, region: r.regionOf(c),
		})
	}
	for _, res := range shapeAll(all, r) {
		b.Add(res)
	}
	b.Place(r.place())
	coverUnmapped(b, unmapped)
	for _, c := range r.plan.drifted {
		if ofAWS(c.kind) && !c.data {
			b.Problem(estate.Problem{
				Position: c.at, Message: c.address + " was changed outside of Terraform since it was last applied",
				Hint: "the plan is what is judged; read the account or the state to see what is there now",
			})
		}
	}
	if r.plan.incomplete {
		b.Cover(estate.Coverage{Type: "*", State: estate.CoveragePartial, Reason: reasonIncomplete})
	}
	return b, nil
}

// mapped is the row of an instance; nil when there is none, which is noted
// unless it does not matter.
func (t *table) mapped(kind string, values raw, unmapped map[string]bool) (*row, error) {
	found, err := t.row(kind)
	if err != nil {
		return nil, err
	}
	if found == nil {
		ignored, err := t.ignores(kind)
		unmapped[kind] = !ignored
		return nil, err
	}
	if found = found.variant(values.member(found.By).text()); found == nil {
		unmapped[kind] = true
	}
	return found, nil
}

// coverUnmapped says which resource types the table does not have.
func coverUnmapped(b *estate.Builder, unmapped map[string]bool) {
	for _, name := range sortedKeys(unmapped) {
		if unmapped[name] {
			b.Cover(estate.Coverage{Type: name, State: estate.CoveragePartial, Reason: reasonUnmapped})
		}
	}
}

// variant is the row that the value of the attribute [row.By] chooses.
func (r *row) variant(by string) *row {
	if r.By == "" {
		return r
	}
	return r.Rows[by]
}

// attributesFor are the attributes that a row asks of an instance.
func (r *row) attributesFor(c *change) map[string]attribute {
	if v := r.variant(c.after.member(r.By).text()); v != nil {
		return v.Attributes
	}
	return nil
}

// place is the region and account that the plan was made for, "" where it does
// not say.
func (r *reader) place() (region, account string) {
	if e := r.plan.providers["aws"].member("expressions", "region"); e != nil {
		region = r.expression(place{module: r.plan.root}, e).AsString()
	}
	for _, entry := range r.plan.data {
		if id := entry.member("values", "account_id").text(); id != "" && entry.member("type").text() == "aws_caller_identity" {
			account = id
		}
	}
	if ids := r.plan.providers["aws"].member("expressions", "allowed_account_ids", "constant_value").list(); len(ids) == 1 {
		account = ids[0].text()
	}
	return region, account
}

// identities implements [namer].
func (r *reader) identities(address string) (*row, string) {
	c := r.byAddress[address]
	if c == nil {
		return nil, ""
	}
	row, err := r.table.row(c.kind)
	if err != nil {
		return nil, ""
	}
	return row, r.regionOf(c)
}

// regionOf is the region that an instance is in, or "" when the plan does not
// say: the resource's own, or its provider's.
func (r *reader) regionOf(c *change) string {
	if region := c.after.member("region").text(); region != "" {
		return region
	}
	e := r.providerOf(c).member("expressions", "region")
	if e == nil {
		return ""
	}
	return r.expression(place{module: r.plan.root}, e).AsString()
}

func (r *reader) providerOf(c *change) raw {
	key := "aws"
	if c.declared != nil {
		key = cmp.Or(c.declared.provider, key)
	}
	if p, ok := r.plan.providers[key]; ok {
		return p
	}
	return r.plan.providers[key[strings.LastIndexByte(key, ':')+1:]]
}

func (r *reader) hasDefaultTags(c *change) bool {
	return r.providerOf(c).member("expressions", "default_tags") != nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
