package report

import (
	"bufio"
	"io"

	"assay/internal/assess"
)

// jsonLines writes the stream itself, a message a line. It is the only format
// from which the others can be made again.
type jsonLines struct{ out *bufio.Writer }

func newJSON(w io.Writer, _ Options) assess.Handler {
	return &jsonLines{bufio.NewWriterSize(w, 1<<16)}
}

func (j *jsonLines) Header(m *assess.Header) error     { return assess.Encode(j.out, m) }
func (j *jsonLines) Function(m *assess.Function) error { return assess.Encode(j.out, m) }
func (j *jsonLines) Finding(m *assess.Finding) error   { return assess.Encode(j.out, m) }
func (j *jsonLines) Decided(m *assess.Decided) error   { return assess.Encode(j.out, m) }
func (j *jsonLines) Waiver(m *assess.Waiver) error     { return assess.Encode(j.out, m) }
func (j *jsonLines) Standing(m *assess.Standing) error { return assess.Encode(j.out, m) }

// Coverage begins a scope: what was said of the ones before is written down, so
// that a run which is interrupted loses no more than the scope it was at.
func (j *jsonLines) Coverage(m *assess.Coverage) error {
	if err := j.out.Flush(); err != nil {
		return err
	}
	return assess.Encode(j.out, m)
}

// Summary ends the stream.
func (j *jsonLines) Summary(m *assess.Summary) error {
	if err := assess.Encode(j.out, m); err != nil {
		return err
	}
	return j.out.Flush()
}
