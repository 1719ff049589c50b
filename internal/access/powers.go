package access

import (
	"fmt"

	"assay/iam"
	"assay/internal/estate"
)

// Powers are what a role may do.
type Powers struct {
	Role      *estate.Resource
	Functions []string // that act with it, by address
	// Administrator: it may change permissions of every kind, anywhere in its
	// account.
	Administrator estate.Truth
	Statements    []Power
	// Given are what policies of resources let it do beside its own.
	Given []Gift
	// Proof is Proved where there is nothing (or, with a need, nothing beyond),
	// Refuted where Statements is all there is, and otherwise says why the list may
	// not be complete.
	Proof iam.Proof
	Words func(string) string
}

// Power is one statement that lets a role do something.
type Power struct {
	iam.Residual
	Where Statement
}

// Gift is what the policy of a resource gives to a role by itself.
type Gift struct {
	Resource *estate.Resource
	Actions  []string
	Witness  iam.RequestSpec
}

func noSuch(address string) error {
	return fmt.Errorf("%q is not the address of a resource in the estate; assay estate PATH lists them", address)
}

// Powers lists what roles may do: those at the addresses (of roles, or of
// functions that act with them), or all that functions act with. need gives the
// policy that a role needs, by its address or that of a function, or nil; what
// it covers is left out.
func (a *Access) Powers(scopes []*estate.Scope, addresses []string, need func(role string, functions []string) *iam.Policy) ([]Powers, error) {
	w := a.world()
	view := &undecided{}
	var roles []*estate.Resource
	for _, address := range addresses {
		r, rest, err := lookup(scopes, address)
		if err != nil {
			return nil, err
		}
		if r == nil || rest != "" {
			return nil, noSuch(address)
		}
		if r.Type == "AWS::Lambda::Function" {
			found, gaps := view.Related(r, "roles")
			if len(found) != 1 || len(gaps) > 0 {
				return nil, fmt.Errorf("%s: its role is not in the estate", r.Address)
			}
			r = found[0]
		}
		if r.Type != "AWS::IAM::Role" {
			return nil, fmt.Errorf("%s is a %s; expected a role or a function", r.Address, r.Type)
		}
		roles = append(roles, r)
	}
	if len(addresses) == 0 {
		for _, s := range scopes {
			for _, r := range s.OfType("AWS::IAM::Role") {
				if functions, _ := view.Related(r, "functions"); len(functions) > 0 {
					roles = append(roles, r)
				}
			}
		}
	}
	givers := w.givers(scopes, view)
	var out []Powers
	for _, r := range roles {
		out = append(out, w.powers(r, view, need, givers))
	}
	return out, nil
}

// giver is a resource with a policy that may let in principals of accounts.
type giver struct {
	resource *estate.Resource
	policy   *iam.Policy
	classes  [][]string // of actions that it grants
}

func (w *world) givers(scopes []*estate.Scope, view *undecided) (list []giver) {
	for _, s := range scopes {
		for _, r := range s.Resources() {
			if p := w.resourcePolicy(r, view); p != nil && p.NamesMembers() {
				list = append(list, giver{r, p, w.data.Granted(p)})
			}
		}
	}
	return list
}

func (w *world) powers(r *estate.Resource, view *undecided, need func(string, []string) *iam.Policy, givers []giver) Powers {
	p := Powers{Role: r, Words: w.words}
	functions, _ := view.Related(r, "functions")
	for _, f := range functions {
		p.Functions = append(p.Functions, f.Address)
	}
	var needed *iam.Policy
	if need != nil {
		needed = need(r.Address, p.Functions)
	}
	set := w.principal(r, view)
	spec := w.of(r, "", "", view)
	spec.ResourceAccount = w.account(r.Scope())
	var list []iam.Residual
	list, p.Proof = iam.Effective(spec, &iam.PolicySet{Identity: set.identity, Boundary: set.boundary}, needed, w.data, iam.Limits{})
	for _, residual := range list {
		if residual.Unlisted && needed == nil {
			continue // actions that AWS does not have today go beyond a need alone
		}
		power := Power{Residual: residual, Where: w.told(iam.Part{Policy: residual.Policy, Statement: residual.Statement}, Query{})}
		p.Statements = append(p.Statements, power)
	}
	p.Administrator = w.administersAll(r, view).Truth
	for _, g := range givers {
		p.Given = append(p.Given, w.gifts(r, g, set, view)...)
	}
	return p
}

// gifts are what a resource's policy gives to a role by itself.
func (w *world) gifts(r *estate.Resource, g giver, set *principalSet, view *undecided) (list []Gift) {
	for _, class := range g.classes {
		spec := w.of(r, class[0], "", view)
		spec.ResourceAccount = w.account(g.resource.Scope())
		p := iam.Find([]iam.Ask{{Spec: spec, Set: &iam.PolicySet{Boundary: set.boundary, Resource: g.policy}}}, "", w.data, iam.Limits{})
		if p.Verdict == iam.Refuted {
			list = append(list, Gift{Resource: g.resource, Actions: class, Witness: p.Witness[0]})
		}
	}
	return list
}
