package check

import (
	"maps"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	exprpb "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
	"google.golang.org/protobuf/proto"
)

// TypesOf lists the types of resources that a check looks at: its subject, those
// at the other end of the relations it follows, and those of its account that
// it asks for. all is set when it asks a question of an engine, which may look
// at any.
func (l *Library) TypesOf(t *Typed) (names []string, all bool, err error) {
	found := map[string]bool{t.Subject: true}
	ends := map[string]string{}
	for _, r := range l.provider.model.Rules() {
		ends[overloadOf(r.Name, r.From)] = r.To
		ends[overloadOf(r.Inverse, r.To)] = r.From
	}
	for _, data := range [][]byte{t.AppliesAST, t.RequireAST, t.DeadlineAST} {
		if len(data) == 0 {
			continue
		}
		var pb exprpb.CheckedExpr
		if err := proto.Unmarshal(data, &pb); err != nil {
			return nil, false, err
		}
		native := cel.CheckedExprToAst(&pb).NativeRep()
		for _, reference := range native.ReferenceMap() {
			for _, overload := range reference.OverloadIDs {
				if end, ok := ends[overload]; ok {
					found[end] = true
				}
			}
		}
		for _, e := range ast.MatchDescendants(ast.NavigateAST(native), ast.KindMatcher(ast.CallKind)) {
			name := e.AsCall().FunctionName()
			_, asks := asked[name]
			all = all || asks || name == "services" // a variable may name a resource of any type
		}
		selects := ast.MatchDescendants(ast.NavigateAST(native), ast.KindMatcher(ast.SelectKind))
		for _, e := range selects {
			if s := e.AsSelect(); s.Operand().Kind() == ast.IdentKind && s.Operand().AsIdent() == accountVar {
				found[s.FieldName()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), all, nil
}

// overloadOf is the id of a relation's overload.
func overloadOf(name, of string) string { return name + "_" + typeName(of) }
