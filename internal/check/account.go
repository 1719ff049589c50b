package check

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// account("TYPE") expands to a field of accountVar, whose type has one for every
// type of resource: so the members of the list have the properties of that type.
const (
	accountVar  = "@account"
	accountType = "assay.Account"
)

var accountMacro = cel.GlobalMacro("account", 1, func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	name, ok := "", args[0].Kind() == ast.LiteralKind
	if ok {
		name, ok = args[0].AsLiteral().Value().(string)
	}
	if !ok || !strings.Contains(name, "::") {
		return nil, eh.NewError(args[0].ID(), `account() takes a type that is written out, such as account("AWS::CloudTrail::Trail")`)
	}
	return eh.NewSelect(eh.NewIdent(accountVar), name), nil
})

// accountVal is the account and region of the subject: a map of lists by type.
type accountVal struct{ mapVal }

// Find implements traits.Mapper: the resources of a type. Where not all of them
// were read, one more may be there.
func (a *accountVal) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	var found []ref.Val
	resources, gap, complete := a.ev.scope.InAccount(string(name))
	for _, r := range resources {
		switch exists, why := a.ev.exists(r); exists {
		case estate.True:
			found = append(found, a.ev.resourceVal(r))
		case estate.Maybe:
			found = append(found, a.ev.unknown(why, string(name), true))
		case estate.False:
		}
	}
	if !complete {
		found = append(found, a.ev.unknown(estate.Unknown(gap.Reason, gap.Input), string(name), true))
	}
	if a.ev.record {
		a.ev.reads = append(a.ev.reads, Read{Path: "account(" + string(name) + ")", Value: names(found)})
	}
	return newList(a.ev, found), true
}

// Get implements traits.Indexer.
func (a *accountVal) Get(key ref.Val) ref.Val {
	v, _ := a.Find(key)
	return v
}
