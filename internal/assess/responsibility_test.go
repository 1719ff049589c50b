package assess

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/internal/catalog"
)

// matrixWith is the matrix of the built-in catalogue for functions that make the
// given shifts, or may make them.
func matrixWith(t interface{ Fatal(...any) }, c *catalog.Catalog, functions [][]FunctionShift) *Matrix {
	var m Responsibilities
	tell := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	tell(m.Header(&Header{AsOf: "2026-11-24", Basis: Design}))
	for i, shifts := range functions {
		tell(m.Function(&Function{Scope: "s", Resource: ResourceInfo{Address: fmt.Sprintf("F%d", i)}, Shifts: shifts}))
	}
	tell(m.Summary(&Summary{Scopes: 1, Functions: len(functions)}))
	return m.Matrix(c, c.Frameworks, "test")
}

// TestMatrixAddsUp: the counts of every framework add up to its requirements,
// and the functions of every row to those of the estate, whatever they shift.
func TestMatrixAddsUp(t *testing.T) {
	c := builtIn(t)
	rapid.Check(t, func(t *rapid.T) {
		functions := make([][]FunctionShift, rapid.IntRange(0, 4).Draw(t, "functions"))
		for i := range functions {
			for _, s := range c.Shifts {
				if n := rapid.IntRange(0, 3).Draw(t, s.ID); n > 1 {
					functions[i] = append(functions[i], FunctionShift{Shift: s.ID, Undecided: n == 2})
				}
			}
		}
		m := matrixWith(t, c, functions)
		for i, f := range m.Frameworks {
			s, cov := f.Sum, c.Coverage(c.Frameworks[i])
			if got := s.AWS + s.Shared + s.Customer + s.ByFunction + s.OutOfScope; got != s.Requirements || s.Requirements != cov.Requirements || s.OutOfScope != cov.OutOfScope || len(f.Rows) != s.Requirements {
				t.Fatalf("%s: %+v, with %d rows and %+v", f.ID, s, len(f.Rows), cov)
			}
			for _, row := range f.Rows {
				all := 0
				for _, p := range row.ByFunction {
					all += p.Functions
					if len(p.Because) > 0 && len(p.Names) != p.Functions {
						t.Fatalf("%s %s: %d names for %d functions", f.ID, row.Requirement, len(p.Names), p.Functions)
					}
				}
				if row.ByFunction != nil && all != len(functions) {
					t.Fatalf("%s %s: %d of %d functions: %+v", f.ID, row.Requirement, all, len(functions), row.ByFunction)
				}
				if row.OutOfScope == "" && row.Customer == nil && row.AWS == nil {
					t.Fatalf("%s %s: nobody answers", f.ID, row.Requirement)
				}
			}
		}
	})
}

// TestMatrixByFunction: whose process isolation is, by how functions run.
func TestMatrixByFunction(t *testing.T) {
	c := builtIn(t)
	made, open := FunctionShift{Shift: "managed-instances"}, FunctionShift{Shift: "managed-instances", Undecided: true}
	image := FunctionShift{Shift: "container-image"}
	plain := []FunctionShift(nil)
	for _, tt := range []struct {
		name      string
		functions [][]FunctionShift
		want      []MatrixPart
		sum       func(MatrixSum) int
	}{
		{"none", [][]FunctionShift{plain, {image}}, nil, func(s MatrixSum) int { return s.AWS }},
		{"one", [][]FunctionShift{plain, {made}, {image}}, []MatrixPart{{"aws", 2, nil, nil}, {"shared", 1, []string{made.Shift}, []string{"F1"}}}, func(s MatrixSum) int { return s.ByFunction }},
		{"all", [][]FunctionShift{{made}, {image, made}}, []MatrixPart{{"shared", 2, []string{made.Shift}, []string{"F0", "F1"}}}, func(s MatrixSum) int { return s.Shared }},
		{"undecided", [][]FunctionShift{{open}, {made}}, []MatrixPart{{"shared", 1, []string{made.Shift}, []string{"F1"}}, {UndecidedPart, 1, []string{made.Shift}, []string{"F0"}}}, func(s MatrixSum) int { return s.ByFunction }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, m := matrixWith(t, c, nil), matrixWith(t, c, tt.functions)
			for i, f := range m.Frameworks {
				if f.ID != catalog.Spine {
					continue
				}
				at := slices.IndexFunc(f.Rows, func(r MatrixRow) bool { return r.Requirement == "SC-39" })
				if diff := cmp.Diff(tt.want, f.Rows[at].ByFunction); diff != "" {
					t.Error(diff)
				}
				if (f.Rows[at].Customer != nil) != (tt.want != nil) {
					t.Errorf("the customer's part: %+v", f.Rows[at].Customer)
				}
				one := MatrixFramework{}
				one.Sum.add(&f.Rows[at])
				if tt.sum(one.Sum) != 1 {
					t.Errorf("counted as %+v", one.Sum)
				}
				if tt.want == nil && before.Frameworks[i].Sum.AWS != f.Sum.AWS {
					t.Error("an image moves what AWS answers for")
				}
			}
		})
	}
}
