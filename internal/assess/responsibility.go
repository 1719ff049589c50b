package assess

import (
	"cmp"
	"slices"
	"strings"

	"assay/internal/catalog"
	"assay/internal/check"
)

// Matrix says who answers for each requirement, and with what: of an estate, or
// of the catalogue alone.
type Matrix struct {
	Version string        `json:"version"`
	Catalog string        `json:"catalog"`          // SHA-256 of the catalogue
	Estate  *MatrixEstate `json:"estate,omitempty"` // absent: it is of no estate
	// Regimes is why it has these frameworks, where assay.yaml says so.
	Regimes    *RegimesInfo      `json:"regimes,omitempty"`
	Shifts     []MatrixShift     `json:"shifts"` // that move the frameworks and that functions make or may make; of no estate, all of the former
	Frameworks []MatrixFramework `json:"frameworks"`
}

// MatrixEstate is what was read.
type MatrixEstate struct {
	AsOf       string `json:"asOf"`
	Basis      Basis  `json:"basis"`
	Scopes     int    `json:"scopes"`
	Functions  int    `json:"functions"`
	Incomplete bool   `json:"incomplete"` // something could not be read
}

// MatrixShift is a way of running a function that gives the customer duties.
type MatrixShift struct {
	ID        string           `json:"id"`
	Title     string           `json:"title"`
	AWS       string           `json:"aws"`
	Customer  string           `json:"customer"`
	Source    string           `json:"source"`
	Functions []string         `json:"functions,omitempty"` // that run so
	Undecided []MatrixFunction `json:"undecided,omitempty"` // of which it cannot be told
}

// MatrixFunction is a function of which something is not known.
type MatrixFunction struct {
	Function string    `json:"function"`
	Missing  []Missing `json:"missing,omitempty"`
}

// MatrixFramework is one framework's part of a matrix.
type MatrixFramework struct {
	ID      string      `json:"id"`
	Title   string      `json:"title"`
	Version string      `json:"version"`
	Source  string      `json:"source"`
	Note    string      `json:"note,omitempty"`
	Sum     MatrixSum   `json:"sum"`
	Rows    []MatrixRow `json:"rows"`
}

// MatrixSum counts requirements by who answers for them. All but the first add
// up to it.
type MatrixSum struct {
	Requirements int `json:"requirements"`
	AWS          int `json:"aws"`
	Shared       int `json:"shared"`
	Customer     int `json:"customer"`
	ByFunction   int `json:"byFunction"` // it differs from function to function, or is not known for some
	OutOfScope   int `json:"outOfScope"`
	// Uncontrolled is how many, of a framework that the organisation's own controls
	// answer, no control is named for.
	Uncontrolled int `json:"uncontrolled,omitempty"`
}

// MatrixRow is one requirement.
type MatrixRow struct {
	Requirement    string                 `json:"requirement"`
	Title          string                 `json:"title"`
	Specification  string                 `json:"specification,omitempty"`  // HIPAA's word for how binding it is
	OutOfScope     string                 `json:"outOfScope,omitempty"`     // the reason; there is nothing else then
	Responsibility catalog.Responsibility `json:"responsibility,omitempty"` // for a zip function on a managed runtime
	// ByFunction is whose it is for the functions of the estate, where some of them
	// shift it.
	ByFunction []MatrixPart `json:"byFunction,omitempty"`
	Standing   State        `json:"standing,omitempty"` // absent: of no estate
	Word       string       `json:"word,omitempty"`     // the framework's own for it
	Because    string       `json:"because,omitempty"`
	// Controls are the organisation's own that answer it. Uncontrolled says that there
	// is none where one has to be.
	Controls     []StandingControl `json:"controls,omitempty"`
	Uncontrolled bool              `json:"uncontrolled,omitempty"`
	Customer     *CustomerPart     `json:"customer,omitempty"` // absent: AWS answers for all of it
	AWS          *AWSPart          `json:"aws,omitempty"`      // absent: the customer answers for all of it
}

// UndecidedPart is the responsibility of functions of which it cannot be told.
const UndecidedPart = "undecided"

// MatrixPart is a number of functions for which a requirement is somebody's.
type MatrixPart struct {
	Responsibility string   `json:"responsibility"` // aws, shared, customer or undecided
	Functions      int      `json:"functions"`
	Because        []string `json:"because,omitempty"` // shifts that they make or may make
	Names          []string `json:"names,omitempty"`   // of those that make some
}

// CustomerPart is what the customer shows for a requirement.
type CustomerPart struct {
	Objectives []MatrixObjective `json:"objectives,omitempty"`
	Procedures []MatrixProcedure `json:"procedures,omitempty"`
}

// MatrixObjective is what has to be established, and the checks that do.
type MatrixObjective struct {
	ID        string        `json:"id"`
	Statement string        `json:"statement"`
	Checks    []MatrixCheck `json:"checks"` // empty: no check looks at it
}

// MatrixCheck is a check and what it said in this estate.
type MatrixCheck struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	How      check.How `json:"how"`
	Outcomes *Counts   `json:"outcomes,omitempty"` // absent: it met no subject
}

// MatrixProcedure is what a person does and collects.
type MatrixProcedure struct {
	catalog.Procedure
	For []string `json:"for,omitempty"` // the shifts that ask for it, where the requirement does not
}

// AWSPart is where AWS answers for its part.
type AWSPart struct {
	Reports []catalog.Report `json:"reports"`
}

// Responsibilities gathers from a run what a matrix says of its estate. Without
// a run the matrix is of the catalogue alone.
type Responsibilities struct {
	Nothing
	header    *Header
	functions []*Function // that make shifts, or may
	scopes    map[string]bool
	standings map[string]*Standing // by framework and requirement
	summary   *Summary
}

// Header and the others implement [Handler].
func (m *Responsibilities) Header(h *Header) error {
	m.header, m.scopes, m.standings = h, map[string]bool{}, map[string]*Standing{}
	return nil
}

// Function notes one that shifts duties.
func (m *Responsibilities) Function(f *Function) error {
	m.scopes[f.Scope] = true
	if len(f.Shifts) > 0 {
		m.functions = append(m.functions, f)
	}
	return nil
}

// Standing notes where a requirement stands.
func (m *Responsibilities) Standing(s *Standing) error {
	m.standings[s.Framework+" "+s.Requirement] = s
	return nil
}

// Summary notes the counts of the run.
func (m *Responsibilities) Summary(s *Summary) error {
	m.summary = s
	return nil
}

// read reports whether there was a run that read something.
func (m *Responsibilities) read() bool { return m.summary != nil && m.summary.Scopes > 0 }

// name is what a function is called: with its scope where there are several.
func (m *Responsibilities) name(f *Function) string {
	if len(m.scopes) > 1 {
		return f.Scope + " " + f.Resource.Address
	}
	return f.Resource.Address
}

// Matrix makes the matrix of some frameworks of the catalogue of the run.
func (m *Responsibilities) Matrix(c *catalog.Catalog, frameworks []*catalog.Framework, version string) *Matrix {
	out := &Matrix{Version: version, Catalog: c.Digest, Shifts: []MatrixShift{}}
	if m.read() {
		out.Regimes = m.header.Regimes
		out.Estate = &MatrixEstate{m.header.AsOf, m.header.Basis, m.summary.Scopes, m.summary.Functions, m.summary.Incomplete}
	}
	for _, s := range c.Shifts {
		if !slices.ContainsFunc(frameworks, s.Bears) {
			continue
		}
		shift := MatrixShift{ID: s.ID, Title: s.Title, AWS: s.AWS, Customer: s.Customer, Source: s.Source}
		for _, f := range m.functions {
			for _, made := range f.Shifts {
				switch {
				case made.Shift != s.ID:
				case made.Undecided:
					shift.Undecided = append(shift.Undecided, MatrixFunction{m.name(f), made.Missing})
				default:
					shift.Functions = append(shift.Functions, m.name(f))
				}
			}
		}
		if !m.read() || len(shift.Functions)+len(shift.Undecided) > 0 {
			out.Shifts = append(out.Shifts, shift)
		}
	}
	for _, f := range frameworks {
		one := MatrixFramework{ID: f.ID, Title: f.Title, Version: f.Version, Source: f.Source, Note: f.Note, Rows: []MatrixRow{}}
		for i := range f.Requirements {
			row := m.row(c, f, &f.Requirements[i])
			one.Sum.add(&row)
			one.Rows = append(one.Rows, row)
		}
		out.Frameworks = append(out.Frameworks, one)
	}
	return out
}

// add counts a row by who answers for it for every function.
func (s *MatrixSum) add(r *MatrixRow) {
	s.Requirements++
	if r.Uncontrolled {
		s.Uncontrolled++
	}
	whose := string(r.Responsibility)
	for i, part := range r.ByFunction {
		if i == 0 {
			whose = part.Responsibility
		} else if part.Responsibility != whose {
			whose = UndecidedPart
		}
	}
	switch {
	case r.OutOfScope != "":
		s.OutOfScope++
	case whose == string(catalog.AWS):
		s.AWS++
	case whose == string(catalog.Shared):
		s.Shared++
	case whose == string(catalog.Customer):
		s.Customer++
	default:
		s.ByFunction++
	}
}

func (m *Responsibilities) row(c *catalog.Catalog, f *catalog.Framework, r *catalog.Requirement) MatrixRow {
	row := MatrixRow{Requirement: r.ID, Title: r.Title, Specification: r.Specification, OutOfScope: r.OutOfScope}
	if r.OutOfScope != "" {
		return row
	}
	row.Responsibility = r.Responsibility
	var made []*catalog.Shift // of those that move it, by some function
	for _, s := range c.Moving(f.ID, r) {
		if slices.ContainsFunc(m.functions, func(f *Function) bool {
			return slices.ContainsFunc(f.Shifts, func(one FunctionShift) bool { return one.Shift == s.ID })
		}) {
			made = append(made, s)
		}
	}
	row.ByFunction = m.parts(f, r, made)
	if s := m.standings[f.ID+" "+r.ID]; s != nil {
		row.Standing, row.Word, row.Because, row.Controls = s.State, s.Word, s.Because, s.Controls
	} else {
		row.Controls = controlsOf(c, f, r, nil, 0)
	}
	// What AWS answers for alone is answered by its controls.
	row.Uncontrolled = f.Controls == catalog.ControlsOwn && len(row.Controls) == 0 && r.Responsibility != catalog.AWS
	most := r.Shifted(f.ID, made)
	if most.Responsibility != catalog.AWS {
		row.Customer = m.customer(c, f, r, most, made)
	}
	if ids := f.ReportsOf(r); len(ids) > 0 {
		row.AWS = &AWSPart{Reports: []catalog.Report{}}
		for _, id := range ids {
			row.AWS.Reports = append(row.AWS.Reports, c.Reports[id])
		}
	}
	return row
}

// customer is what the customer shows for a requirement that is at most as
// shifted as given.
func (m *Responsibilities) customer(c *catalog.Catalog, f *catalog.Framework, r, most *catalog.Requirement, made []*catalog.Shift) *CustomerPart {
	part := &CustomerPart{}
	for _, id := range most.Objectives {
		o := MatrixObjective{ID: id, Statement: c.Objectives[id].Statement, Checks: []MatrixCheck{}}
		for _, t := range c.Bearing(id) {
			one := MatrixCheck{ID: t.ID, Title: t.Title, How: t.Establishes[id].How}
			if m.read() {
				if n, ran := m.summary.Checks[t.ID]; ran {
					one.Outcomes = &n
				}
			}
			o.Checks = append(o.Checks, one)
		}
		slices.SortStableFunc(o.Checks, func(a, b MatrixCheck) int { // deciding before supporting
			return cmp.Compare(a.How, b.How)
		})
		part.Objectives = append(part.Objectives, o)
	}
	for _, id := range most.Procedures {
		p := MatrixProcedure{Procedure: c.Procedures[id]}
		for _, s := range made {
			if !slices.Contains(r.Procedures, id) && slices.Contains(r.Shifted(f.ID, []*catalog.Shift{s}).Procedures, id) {
				p.For = append(p.For, s.ID)
			}
		}
		part.Procedures = append(part.Procedures, p)
	}
	return part
}

// parts says for how many functions a requirement is whose, where some of them
// shift it: those first that do not.
func (m *Responsibilities) parts(f *catalog.Framework, r *catalog.Requirement, made []*catalog.Shift) []MatrixPart {
	if len(made) == 0 {
		return nil
	}
	var parts []MatrixPart
	rest := m.summary.Functions
	for _, function := range m.functions {
		var certain, possible []*catalog.Shift
		var because []string
		for _, s := range made {
			i := slices.IndexFunc(function.Shifts, func(one FunctionShift) bool { return one.Shift == s.ID })
			if i < 0 {
				continue
			}
			because, possible = append(because, s.ID), append(possible, s)
			if !function.Shifts[i].Undecided {
				certain = append(certain, s)
			}
		}
		if len(because) == 0 {
			continue
		}
		rest--
		whose := string(r.Shifted(f.ID, certain).Responsibility)
		// Where a duty of the customer's is undecided, so is whose it is.
		if len(certain) != len(possible) {
			whose = UndecidedPart
		}
		at := slices.IndexFunc(parts, func(p MatrixPart) bool {
			return p.Responsibility == whose && slices.Equal(p.Because, because)
		})
		if at < 0 {
			at, parts = len(parts), append(parts, MatrixPart{Responsibility: whose, Because: because})
		}
		parts[at].Functions++
		parts[at].Names = append(parts[at].Names, m.name(function))
	}
	order := []string{string(catalog.AWS), string(catalog.Shared), string(catalog.Customer), UndecidedPart}
	slices.SortFunc(parts, func(a, b MatrixPart) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Responsibility), slices.Index(order, b.Responsibility)), strings.Compare(strings.Join(a.Because, " "), strings.Join(b.Because, " ")))
	})
	if rest > 0 {
		parts = slices.Insert(parts, 0, MatrixPart{Responsibility: string(r.Responsibility), Functions: rest})
	}
	return parts
}
