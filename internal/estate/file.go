package estate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// FileVersion is the version of the estate file format that this package
// writes. Readers refuse a newer one.
const FileVersion = 1

// mostPromised bounds for how many resources room is made before they are read.
const mostPromised = 1 << 17

// MaxFileLine bounds one line of an estate file, in bytes.
const MaxFileLine = 64 << 20

// The lines of an estate file. Each holds one object; the first line is the
// header, then for every scope a scope line and its resources.
type (
	headerLine struct {
		Estate struct {
			Version int `json:"version"`
		} `json:"estate"`
	}
	scopeLine struct {
		Scope *scopeHead `json:"scope"`
	}
	scopeHead struct {
		ID     string `json:"id"`
		Format string `json:"format"`
		Group  string `json:"group,omitempty"` // scopes of one group refer to each other
		// Region and Account are where the resources are, as far as it is known.
		Region  string `json:"region,omitempty"`
		Account string `json:"account,omitempty"`
		// Resources is how many lines follow, by which a file is found out that
		// was cut off.
		Resources *int          `json:"resources,omitempty"`
		Coverage  []Coverage    `json:"coverage,omitempty"`
		Problems  []problemLine `json:"problems,omitempty"`
		Waivers   []waiverLine  `json:"waivers,omitempty"`
	}
	waiverLine struct {
		Resource string     `json:"resource,omitempty"`
		Text     string     `json:"text"`
		Form     string     `json:"form"`
		Source   sourceLine `json:"source"`
	}
	problemLine struct {
		Source  sourceLine `json:"source"`
		Message string     `json:"message"`
		Hint    string     `json:"hint,omitempty"`
		Fatal   bool       `json:"fatal,omitempty"`
	}
	sourceLine struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
	}
	resourceLine struct {
		Type        string          `json:"type"`
		ID          string          `json:"id"`
		Template    string          `json:"template"`
		LogicalID   string          `json:"logicalId"`
		Address     string          `json:"address,omitempty"`
		Generated   string          `json:"generated,omitempty"`
		Exists      json.RawMessage `json:"exists,omitempty"`
		ExistsInput string          `json:"existsInput,omitempty"`
		Properties  json.RawMessage `json:"properties"`
		Source      sourceLine      `json:"source"`
		Callers     []sourceLine    `json:"callers,omitempty"`
		Edges       []edgeLine      `json:"edges"`
		Positions   positions       `json:"positions,omitempty"`
	}
	edgeLine struct {
		Name    string     `json:"name"`
		To      string     `json:"to,omitempty"`
		Type    string     `json:"type"`
		Unknown *gapLine   `json:"unknown,omitempty"`
		Outside string     `json:"outside,omitempty"`
		When    []whenLine `json:"when,omitempty"`
	}
	gapLine struct {
		Reason string `json:"reason"`
		Input  string `json:"input"`
	}
	whenLine struct {
		Input string `json:"input"`
		Is    string `json:"is"`
	}
)

// Writer writes scopes to an estate file: JSON lines, in the order given.
type Writer struct {
	w      io.Writer
	headed bool
	// bare leaves out the header, the scopes and the position of every
	// property: a file needs them to read back equal, a person does not.
	bare bool
}

// NewWriter writes estate files, which [Read] reads.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// NewResourceWriter writes the resources alone, for people and for jq.
func NewResourceWriter(w io.Writer) *Writer { return &Writer{w: w, bare: true} }

// Write appends one scope.
func (w *Writer) Write(s *Scope) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if !w.headed && !w.bare {
		var h headerLine
		h.Estate.Version = FileVersion
		if err := enc.Encode(h); err != nil {
			return err
		}
		w.headed = true
	}
	head := &scopeHead{ID: s.ID, Format: s.Format, Region: s.place.region, Account: s.place.account, Coverage: s.coverage}
	n := len(s.resources)
	head.Resources = &n
	if len(s.group.scopes) > 1 {
		head.Group = s.group.scopes[0].ID
	}
	for _, p := range s.problems {
		head.Problems = append(head.Problems, problemLine{sourceOf(p.Position), p.Message, p.Hint, p.Fatal})
	}
	for _, v := range s.waivers {
		head.Waivers = append(head.Waivers, waiverLine{v.Resource, v.Text, v.Form, sourceOf(v.Position)})
	}
	if !w.bare {
		if err := enc.Encode(scopeLine{head}); err != nil {
			return err
		}
	}
	for _, r := range s.resources {
		if err := enc.Encode(r.line(!w.bare)); err != nil {
			return err
		}
	}
	_, err := w.w.Write(buf.Bytes())
	return err
}

func sourceOf(p Position) sourceLine { return sourceLine(p) }

func (r *Resource) line(placed bool) resourceLine {
	l := resourceLine{
		Type:        r.Type,
		ID:          r.ID,
		Template:    r.scope.ID,
		LogicalID:   r.LogicalID,
		Generated:   r.Generated,
		ExistsInput: r.ExistsInput,
		Properties:  r.Properties.AppendJSON(nil),
		Source:      sourceOf(r.Source),
		Edges:       []edgeLine{},
	}
	if r.Address != r.LogicalID {
		l.Address = r.Address
	}
	for _, p := range r.Callers {
		l.Callers = append(l.Callers, sourceOf(p))
	}
	if r.Exists != nil {
		l.Exists = r.Exists.AppendJSON(nil)
	}
	for _, e := range r.out {
		out := edgeLine{Name: e.Rule.Name, Type: e.Rule.To}
		switch {
		case e.To != nil:
			out.To = e.To.ID
		case e.Outside:
			out.Outside = e.Gap.Input
		default:
			out.Unknown = &gapLine{e.Gap.Reason, e.Gap.Input}
		}
		for _, d := range e.When {
			out.When = append(out.When, whenLine{d.Input, d.When})
		}
		l.Edges = append(l.Edges, out)
	}
	if placed {
		l.Positions = positions{}
		r.Properties.EachAt(func(path string, v *Value) bool {
			switch p := v.Position(); {
			case p.IsZero():
			case p.File == r.Source.File:
				l.Positions[path] = []any{p.Line, p.Column}
			default:
				l.Positions[path] = []any{p.Line, p.Column, p.File}
			}
			return true
		})
	}
	return l
}

// MarshalJSON writes the value as an estate file does; see [Value.AppendJSON].
func (v *Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends v as JSON. Known values are plain JSON; other knowledge
// is an object with one key that begins with '$': $ref, $text, $oneOf,
// $unknown, $denied, $secret, and $default around a value that no source
// states. A map of the source with such a key alone is wrapped in $literal.
func (v *Value) AppendJSON(b []byte) []byte {
	if v == nil {
		return append(b, `{"$absent":true}`...)
	}
	if v.assumed {
		c := *v
		c.assumed = false
		b = append(b, `{"$default":`...)
		return append(c.AppendJSON(b), '}')
	}
	switch v.kind {
	case KindNull:
		return append(b, "null"...)
	case KindBool:
		return strconv.AppendBool(b, v.b)
	case KindInt, KindFloat:
		if json.Valid([]byte(v.s)) {
			return append(b, v.s...)
		}
		b = append(b, `{"$number":`...)
		return append(appendString(b, v.s), '}')
	case KindString:
		return appendString(b, v.s)
	case KindList:
		return appendList(b, v.items)
	case KindMap:
		escape := len(v.fields) == 1 && strings.HasPrefix(v.fields[0].Name, "$")
		if escape {
			b = append(b, `{"$literal":`...)
		}
		b = append(b, '{')
		for i, f := range v.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, f.Name), ':')
			b = f.Value.AppendJSON(b)
		}
		b = append(b, '}')
		if escape {
			b = append(b, '}')
		}
		return b
	case KindReference:
		b = append(b, `{"$ref":{"resource":`...)
		b = append(appendString(b, v.s), `,"attribute":`...)
		return append(appendString(b, v.of), "}}"...)
	case KindText:
		b = append(b, `{"$text":`...)
		return append(appendList(b, v.items), '}')
	case KindSecret:
		b = append(b, `{"$secret":{"why":`...)
		return append(appendString(b, v.s), "}}"...)
	case KindOneOf:
		b = append(b, `{"$oneOf":{"input":`...)
		b = append(appendString(b, v.s), `,"cases":[`...)
		for i, c := range v.Cases() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"when":`...)
			b = append(appendString(b, c.When), `,"value":`...)
			b = append(c.Value.AppendJSON(b), '}')
		}
		return append(b, "]}}"...)
	case KindUnknown, KindDenied:
		key := `{"$unknown":{"reason":`
		if v.kind == KindDenied {
			key = `{"$denied":{"reason":`
		}
		b = append(b, key...)
		b = append(appendString(b, v.s), `,"input":`...)
		b = appendString(b, v.of)
		if v.derived {
			b = append(b, `,"derived":true`...)
		}
		if v.kind == KindUnknown && v.b {
			b = append(b, `,"maybe":true`...)
		}
		return append(b, "}}"...)
	case KindAbsent:
	}
	return append(b, `{"$absent":true}`...)
}

func appendList(b []byte, items []*Value) []byte {
	b = append(b, '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = item.AppendJSON(b)
	}
	return append(b, ']')
}

func appendString(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return append(b, `""`...) // a string always encodes
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// fileStart is how an estate file begins.
const fileStart = `{"estate":{"version":`

// IsFile reports whether data begins like an estate file, plain or compressed.
func IsFile(data []byte) bool {
	if !bytes.HasPrefix(data, zstdMagic) {
		return bytes.HasPrefix(data, []byte(fileStart))
	}
	z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return false
	}
	defer z.Close()
	start := make([]byte, len(fileStart))
	_, err = io.ReadFull(z, start)
	return err == nil && string(start) == fileStart
}

// Read reads an estate file, plain or compressed with zstd, and calls f with
// the builder of each scope in turn. Edges and defaults are derived again when
// the builder is built, so that they cannot contradict the properties. A fault
// in the file is a [Problem] with its position in name.
func Read(name string, r io.Reader, f func(*Builder) error) error {
	in := bufio.NewReaderSize(r, 1<<16)
	if lead, _ := in.Peek(len(zstdMagic)); bytes.Equal(lead, zstdMagic) {
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return Problem{Position: Position{name, 1, 1}, Message: "not compressed with zstd: " + err.Error()}
		}
		defer z.Close()
		in = bufio.NewReaderSize(z, 1<<16)
	}
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 1<<16), MaxFileLine)
	var b *Builder
	line, known := 0, seen{}
	fault := func(line int, err error) error {
		return Problem{Position: Position{name, max(line, 1), 1}, Message: err.Error(), Hint: "write the file again with assay estate"}
	}
	for scan.Scan() {
		line++
		next, err := readLine(line, scan.Bytes(), b, known)
		if err != nil {
			return fault(line, err)
		}
		if next != nil {
			if b != nil {
				if err := b.whole(); err != nil {
					return fault(line, err)
				}
				if err := f(b); err != nil {
					return err
				}
			}
			b = next
		}
	}
	if err := scan.Err(); err != nil {
		return fault(line+1, err)
	}
	if line == 0 {
		return fault(0, errors.New("empty; expected an estate file"))
	}
	if b == nil {
		return nil
	}
	if err := b.whole(); err != nil {
		// What is there is still worth something, as long as it says so.
		b.Cover(Coverage{Type: "*", State: CoveragePartial, Reason: "the estate file ends early"})
		return errors.Join(f(b), fault(line, err))
	}
	return f(b)
}

// whole fails when resources are missing that the scope's line promised.
func (b *Builder) whole() error {
	if b.promised >= 0 && len(b.resources) < b.promised {
		return fmt.Errorf("scope %s has %d of %d resources; the file was cut off", b.id, len(b.resources), b.promised)
	}
	return nil
}

// readLine takes one line. It returns the builder that the line starts, if it
// is a scope line; otherwise it adds to b.
func readLine(number int, data []byte, b *Builder, known seen) (*Builder, error) {
	if number == 1 {
		var h headerLine
		if err := json.Unmarshal(data, &h); err != nil || h.Estate.Version == 0 {
			return nil, errors.New(`expected {"estate":{"version":…}} on the first line of an estate file`)
		}
		if h.Estate.Version > FileVersion {
			return nil, fmt.Errorf("estate file version %d is newer than this program reads (%d); use a newer assay", h.Estate.Version, FileVersion)
		}
		return nil, nil
	}
	if bytes.HasPrefix(data, []byte(`{"scope":`)) {
		var l scopeLine
		if err := json.Unmarshal(data, &l); err != nil || l.Scope == nil {
			return nil, errors.New("not a scope in JSON")
		}
		next := NewBuilder(l.Scope.ID, l.Scope.Format)
		next.group = l.Scope.Group
		next.Place(l.Scope.Region, l.Scope.Account)
		if l.Scope.Resources != nil {
			next.promised = *l.Scope.Resources
			next.resources = make([]Resource, 0, min(max(next.promised, 0), mostPromised))
		}
		next.coverage = l.Scope.Coverage
		for _, p := range l.Scope.Problems {
			next.problems = append(next.problems, Problem{Position(p.Source), p.Message, p.Hint, p.Fatal})
		}
		for _, v := range l.Scope.Waivers {
			next.waivers = append(next.waivers, Waiver{v.Resource, v.Text, v.Form, Position(v.Source)})
		}
		return next, nil
	}
	if b == nil {
		return nil, errors.New("a resource stands before the first scope line")
	}
	var l resourceLine
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, errors.New("not a resource in JSON")
	}
	r, err := l.resource(known)
	if err != nil {
		return nil, fmt.Errorf("resource %s: %w", l.LogicalID, err)
	}
	b.Add(r)
	return nil, nil
}

func (l *resourceLine) resource(known seen) (Resource, error) {
	r := Resource{
		Type: l.Type, ID: l.ID, LogicalID: l.LogicalID, Address: l.Address,
		Generated: l.Generated, ExistsInput: l.ExistsInput, Source: Position(l.Source),
	}
	for _, p := range l.Callers {
		r.Callers = append(r.Callers, Position(p))
	}
	if l.Type == "" || l.LogicalID == "" {
		return r, errors.New("expected a type and a logicalId")
	}
	var err error
	if r.Properties, err = unmarshal(l.Properties, known); err != nil {
		return r, fmt.Errorf("properties: %w", err)
	}
	if r.Properties.Kind() != KindMap {
		return r, errors.New("properties: expected an object")
	}
	if len(l.Exists) > 0 {
		if r.Exists, err = unmarshal(l.Exists, known); err != nil {
			return r, fmt.Errorf("exists: %w", err)
		}
	}
	if len(l.Positions) > 0 {
		r.Properties = l.Positions.put("", l.Source.File, r.Properties)
	}
	return r, nil
}
