package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"assay/internal/assess"
	"assay/internal/check"
)

// junit writes JUnit XML for build servers: a suite for each scope, a case for
// each check of each resource, named by logical id under the check as its
// class. What fails is a failure, and so is a waiver that expired, lapsed or was
// not approved. What is unknown, waived or in the baseline is skipped and says why,
// and what could not be read or evaluated is an error. What does not apply is no
// case.
//
// There is no schema that all readers share; this keeps to the elements that
// Jenkins, GitLab and GitHub's readers have in common, and adds file, which
// GitLab links to. A suite is written as soon as it is complete, so the totals
// stand on the suites and not on the root, where they are optional.
type junit struct {
	out     *bufio.Writer
	xml     *xml.Encoder
	checks  []assess.CheckInfo
	basis   assess.Basis
	fixes   map[string]string // by check
	waivers bool              // their suite has begun
	suite   *junitSuite       // nil before the first scope and after the last
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"` // always 0: no clock is in a report
	Cases    []junitCase `xml:"testcase"`
	Notes    string      `xml:"system-err,omitempty"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Time    string        `xml:"time,attr"`
	Failure *junitDetail  `xml:"failure"`
	Error   *junitDetail  `xml:"error"`
	Skipped *junitSkipped `xml:"skipped"`
}

type junitDetail struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

var junitRoot = xml.StartElement{
	Name: xml.Name{Local: "testsuites"},
	Attr: []xml.Attr{{Name: xml.Name{Local: "name"}, Value: "assay"}},
}

func newJUnit(w io.Writer, _ Options) assess.Handler {
	out := bufio.NewWriterSize(w, 1<<16)
	enc := xml.NewEncoder(out)
	enc.Indent("", " ")
	return &junit{out: out, xml: enc}
}

func (j *junit) Header(m *assess.Header) error {
	j.checks, j.basis, j.fixes = m.Checks, m.Basis, fixesOf(m)
	if _, err := j.out.WriteString(xml.Header); err != nil {
		return err
	}
	return j.xml.EncodeToken(junitRoot)
}

func (j *junit) Coverage(m *assess.Coverage) error {
	if err := j.finishSuite(); err != nil {
		return err
	}
	j.suite = &junitSuite{Name: m.Scope, Time: "0"}
	var notes []string
	for _, p := range problemsOf(m) {
		said := p.Source.String() + ": " + p.Message
		if p.Hint != "" {
			said += " (" + p.Hint + ")"
		}
		if !p.Fatal {
			notes = append(notes, said)
			continue
		}
		j.add(junitCase{
			Class: "assay", Name: "can be read", File: p.Source.File,
			Error: &junitDetail{Message: p.Message, Type: "unreadable", Text: said},
		})
	}
	j.suite.Notes = strings.Join(notes, "\n")
	return nil
}

func (j *junit) Function(*assess.Function) error { return nil }

func (j *junit) Finding(m *assess.Finding) error {
	c := junitCase{Class: m.Check, Name: m.Resource.LogicalID, File: m.Source.File}
	switch {
	case m.Error != "":
		c.Error = &junitDetail{Message: m.Message, Type: "check", Text: m.Error}
	case m.Waived != nil:
		c.Skipped = &junitSkipped{Message: m.Message + ": " + waivedText(m.Waived)}
	case m.Baseline == assess.BaselineUnchanged:
		c.Skipped = &junitSkipped{Message: m.Message + ": it is in the baseline"}
	case m.Outcome == check.Fail:
		c.Failure = &junitDetail{Message: m.Message, Type: m.Severity.String(), Text: j.proof(m)}
	default:
		c.Skipped = &junitSkipped{Message: m.Message + ": " + missingText(m)}
	}
	j.add(c)
	return nil
}

// proof is a finding in full: where it is, what was read, how to fix it.
func (j *junit) proof(m *assess.Finding) string {
	lines := []string{m.Source.String(), m.ID + " " + m.Resource.Type + " " + m.Resource.ID}
	if m.Witness != nil {
		for i := range m.Witness.Reads {
			r := &m.Witness.Reads[i]
			line := readText(r, longValue)
			if r.Source != nil {
				line += " (" + r.Source.String() + ")"
			}
			lines = append(lines, line)
		}
		for _, c := range m.Witness.Under {
			lines = append(lines, underText(c))
		}
	}
	if m.Raised != nil {
		lines = append(lines, raisedText(m.Raised))
	}
	for i := range m.Parameters {
		lines = append(lines, askedText(&m.Parameters[i]))
	}
	if m.Cause != nil {
		lines = append(lines, causeText(m.Cause))
	}
	if m.Owner != nil {
		lines = append(lines, ownerText(m.Owner))
	}
	for _, caller := range m.Callers {
		lines = append(lines, "called at "+caller.String())
	}
	if len(m.Functions) > 0 {
		lines = append(lines, "functions: "+strings.Join(m.Functions, ", "))
	}
	if fix := j.fixes[m.Check]; fix != "" {
		lines = append(lines, "fix: "+fix)
	}
	return strings.Join(lines, "\n")
}

func (j *junit) Decided(m *assess.Decided) error {
	file := ""
	if j.basis == assess.Design { // a scope is a file
		file = m.Scope
	}
	for _, i := range m.Pass {
		if i < 0 || i >= len(j.checks) {
			return fmt.Errorf("a decided message names check %d of a header with %s", i, count(len(j.checks), "check"))
		}
		j.add(junitCase{Class: j.checks[i].ID, Name: m.Resource.LogicalID, File: file})
	}
	return nil
}

// add counts a case into the suite of its scope. Messages of a scope come
// after its coverage, so there is one.
func (j *junit) add(c junitCase) {
	if j.suite == nil {
		j.suite = &junitSuite{Name: "assay", Time: "0"}
	}
	c.Time = "0"
	j.suite.Tests++
	switch {
	case c.Failure != nil:
		j.suite.Failures++
	case c.Error != nil:
		j.suite.Errors++
	case c.Skipped != nil:
		j.suite.Skipped++
	}
	j.suite.Cases = append(j.suite.Cases, c)
}

// Waiver is a case of a suite of its own, which follows those of the scopes.
func (j *junit) Waiver(m *assess.Waiver) error {
	if !j.waivers {
		if err := j.finishSuite(); err != nil {
			return err
		}
		j.suite, j.waivers = &junitSuite{Name: "waivers", Time: "0"}, true
	}
	c := junitCase{Class: "waivers", Name: m.ID, File: m.Source.File}
	said := oneLine(m.Message)
	switch {
	case m.Fails():
		text := []string{m.Source.String(), termsText(m), "not covered: " + strings.Join(m.Leaves, ", ")}
		c.Failure = &junitDetail{Message: said, Type: m.State, Text: strings.Join(text, "\n")}
	case m.State != assess.WaiverInForce:
		c.Skipped = &junitSkipped{Message: said}
	}
	j.add(c)
	return nil
}

func (j *junit) Standing(*assess.Standing) error { return nil }

func (j *junit) Summary(*assess.Summary) error {
	if err := j.finishSuite(); err != nil {
		return err
	}
	if err := j.xml.EncodeToken(junitRoot.End()); err != nil {
		return err
	}
	if err := j.xml.Flush(); err != nil {
		return err
	}
	if err := j.out.WriteByte('\n'); err != nil {
		return err
	}
	return j.out.Flush()
}

func (j *junit) finishSuite() error {
	if j.suite == nil {
		return nil
	}
	suite := j.suite
	j.suite = nil
	return j.xml.Encode(suite)
}
