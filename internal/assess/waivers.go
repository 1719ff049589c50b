package assess

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"assay/internal/check"
	"assay/internal/estate"
)

// AnyFacts is written for the facts of a waiver that holds whatever they become.
const AnyFacts = "any"

// WaiverTerms are what a waiver is given on.
type WaiverTerms struct {
	Owner    string `json:"owner,omitempty"`
	Approver string `json:"approver,omitempty"` // another person than the owner
	Reason   string `json:"reason"`
	Made     string `json:"made,omitempty"`    // ISO date; before it nothing is waived
	Expires  string `json:"expires,omitempty"` // ISO date, the last day on which it holds
	Ticket   string `json:"ticket,omitempty"`
	Measure  string `json:"measure,omitempty"` // what compensates, where a regime wants something
	// Customised is what meets the requirement's objective in another way. Never
	// beside a measure.
	Customised string `json:"customised,omitempty"`
}

// WaiverEntry is one entry of a file of waivers: of one finding, or of the
// failures of a check at what the patterns match.
type WaiverEntry struct {
	Finding         string
	Check           string
	Resource, Scope string // patterns; "" is all
	WaiverTerms
	// Facts are the digests of what the failures rest on, by finding. Nil is any.
	Facts map[string]string

	name            string // of the file
	root            string // the folder that the file speaks for
	at              Source
	resource, scope *regexp.Regexp
}

// Waivers are accepted failures: what files of waivers say.
type Waivers struct {
	entries   []*WaiverEntry
	byFinding map[string][]*WaiverEntry
	byCheck   map[string][]*WaiverEntry
}

// waiverFields are the fields of an entry, in the order in which they are
// written.
var waiverFields = []string{"finding", "check", "resource", "scope", "owner", "approver", "reason", "made", "expires", "ticket", "measure", "customised", "facts"}

// ParseWaivers reads a file of waivers, which speaks for what lies in the folder
// root and, with ".", for everything. checks are the ids that there are. An error
// lists all faults; nothing of a file that has one is in force.
func ParseWaivers(name, root string, data []byte, checks []string) (*Waivers, error) {
	p := &waiverParser{name: name, checks: checks}
	w := &Waivers{byFinding: map[string][]*WaiverEntry{}, byCheck: map[string][]*WaiverEntry{}}
	for _, n := range p.items(data) {
		e := p.entry(n)
		e.name, e.root = name, path.Clean(filepath.ToSlash(root))
		w.add(e)
	}
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *Waivers) add(e *WaiverEntry) {
	w.entries = append(w.entries, e)
	if e.Finding != "" {
		w.byFinding[e.Finding] = append(w.byFinding[e.Finding], e)
	} else {
		w.byCheck[e.Check] = append(w.byCheck[e.Check], e)
	}
}

// Join adds the entries of another file.
func (w *Waivers) Join(other *Waivers) {
	for _, e := range other.entries {
		w.add(e)
	}
}

// waiverParser reads a file and gathers its faults.
type waiverParser struct {
	name   string
	checks []string
	errs   []error
}

func (p *waiverParser) fault(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, &check.FieldError{File: p.name, Line: max(n.Line, 1), Column: max(n.Column, 1), Message: fmt.Sprintf(format, args...)})
}

// items are the nodes of the entries.
func (p *waiverParser) items(data []byte) []*yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		line, column, message := 1, 1, err.Error()
		var at *yaml.LoadError
		if errors.As(err, &at) {
			line, column, message = at.Mark.Line, at.Mark.Column, at.Message
		}
		p.fault(&yaml.Node{Line: line, Column: column}, "not valid YAML: %s", message)
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		if root.Tag != "!!null" {
			p.fault(root, "expected a mapping with waivers, a list")
		}
		return nil
	}
	var items []*yaml.Node
	p.fields(root, []string{"waivers"}, func(_ string, n *yaml.Node) {
		switch {
		case n.Kind == yaml.SequenceNode:
			items = n.Content
		case n.Tag != "!!null":
			p.fault(n, "waivers: expected a list of entries")
		}
	})
	return items
}

// fields walks a mapping whose keys are known.
func (p *waiverParser) fields(n *yaml.Node, known []string, f func(key string, value *yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(known, key.Value):
			hint := check.Similar(key.Value, known)
			if hint == "" {
				hint = "; expected " + strings.Join(known, ", ")
			}
			p.fault(key, "there is no field %s%s", key.Value, hint)
		case seen[key.Value]:
			p.fault(key, "%s stands twice", key.Value)
		default:
			seen[key.Value] = true
			f(key.Value, value)
		}
	}
}

var findingID = regexp.MustCompile(`^F-[0-9a-f]{16}$`)

func (p *waiverParser) entry(n *yaml.Node) *WaiverEntry {
	e := &WaiverEntry{at: Source{p.name, n.Line, n.Column}}
	if n.Kind != yaml.MappingNode {
		p.fault(n, "expected an entry with finding or check, owner, approver, reason, expires and facts")
		return e
	}
	at, facts := map[string]*yaml.Node{}, (*yaml.Node)(nil)
	p.fields(n, waiverFields, func(key string, value *yaml.Node) {
		if key == "facts" {
			facts = value
			return
		}
		if value.Kind != yaml.ScalarNode {
			p.fault(value, "%s: expected a text", key)
			at[key] = value
			return
		}
		if value.Tag != "!!null" && strings.TrimSpace(value.Value) != "" {
			at[key] = value
		}
	})
	text := func(key string) string {
		if at[key] == nil {
			return ""
		}
		return strings.TrimSpace(at[key].Value)
	}
	date := func(key string) string {
		s := text(key)
		if s == "" || at[key].Kind != yaml.ScalarNode {
			return ""
		}
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			p.fault(at[key], "%s: %q is not a date; expected YEAR-MONTH-DAY, such as 2027-01-31", key, s)
			return ""
		}
		return s
	}
	e.Finding, e.Check, e.Resource, e.Scope = text("finding"), text("check"), text("resource"), text("scope")
	e.WaiverTerms = WaiverTerms{text("owner"), text("approver"), text("reason"), date("made"), date("expires"), text("ticket"), text("measure"), text("customised")}
	for _, key := range []string{"owner", "approver", "reason", "expires"} {
		if at[key] == nil {
			p.fault(n, "%s is missing; a waiver has an owner, an approver, a reason and the date on which it expires", key)
		}
	}
	if at["approver"] != nil && e.Approver != "" && SamePerson(e.Owner, e.Approver) {
		p.fault(at["approver"], "approver: %s is the owner; another person approves", e.Approver)
	}
	if e.Measure != "" && e.Customised != "" {
		p.fault(at["customised"], "customised: a measure stands beside it; a requirement is answered by compensating measures or by the customised approach, never by both")
	}
	if e.Made != "" && e.Expires != "" && e.Expires < e.Made {
		p.fault(at["expires"], "expires: %s is before the waiver was made, %s", e.Expires, e.Made)
	}
	switch {
	case (at["finding"] == nil) == (at["check"] == nil):
		p.fault(n, "expected either finding, the id of one, or check")
	case at["finding"] != nil && !findingID.MatchString(e.Finding):
		p.fault(at["finding"], "finding: %q is not the id of a finding, such as F-0123456789abcdef", e.Finding)
	case at["finding"] != nil && at["resource"] != nil:
		p.fault(at["resource"], "resource narrows a check; a finding is of one resource")
	case at["finding"] != nil && at["scope"] != nil:
		p.fault(at["scope"], "scope narrows a check; a finding is of one scope")
	case at["check"] != nil && !slices.Contains(p.checks, e.Check):
		p.fault(at["check"], "%s", noCheck(e.Check, p.checks))
	}
	e.compile()
	p.facts(e, n, facts)
	return e
}

// noCheck says that a check does not exist, and which may be meant.
func noCheck(id string, checks []string) string {
	if hint := check.Similar(id, checks); hint != "" {
		return "there is no check " + id + hint
	}
	return "there is no check " + id + "; assay checks list shows them all, and --catalog adds your own"
}

// digestText is how a digest of facts is written.
var digestText = regexp.MustCompile(`^[0-9a-f]{32}$`)

// facts reads what an entry was given for.
func (p *waiverParser) facts(e *WaiverEntry, entry, n *yaml.Node) {
	const hint = `assay waive --from RUN writes it, and "any" holds whatever the facts become`
	switch {
	case n == nil || n.Tag == "!!null":
		p.fault(entry, "facts is missing: a digest of the facts that the waiver is given for; "+hint)
	case n.Kind == yaml.ScalarNode && n.Value == AnyFacts:
	case n.Kind == yaml.ScalarNode && e.Finding != "":
		e.Facts = map[string]string{e.Finding: p.digest(n)}
	case n.Kind == yaml.MappingNode && e.Check != "":
		e.Facts = map[string]string{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if !findingID.MatchString(key.Value) {
				p.fault(key, "facts: %q is not the id of a finding, such as F-0123456789abcdef", key.Value)
			}
			if _, twice := e.Facts[key.Value]; twice {
				p.fault(key, "facts: %s stands twice", key.Value)
			}
			e.Facts[key.Value] = p.digest(value)
		}
	case e.Check != "":
		p.fault(n, "facts: expected a digest for the id of each finding; "+hint)
	default:
		p.fault(n, "facts: expected a digest; "+hint)
	}
}

func (p *waiverParser) digest(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || !digestText.MatchString(n.Value) {
		p.fault(n, "facts: %q is not a digest of facts, 32 hexadecimal digits, such as a finding of a saved run has", n.Value)
	}
	return n.Value
}

// SamePerson reports whether two names are the same person, as far as the names
// tell: in any case of letters, with or without @, by their address where one
// stands in angle brackets.
func SamePerson(a, b string) bool {
	plain := func(s string) string {
		s = strings.ToLower(strings.Join(strings.Fields(s), " "))
		if _, address, ok := strings.Cut(s, "<"); ok {
			s, _, _ = strings.Cut(address, ">")
		}
		return strings.TrimPrefix(strings.TrimSpace(s), "@")
	}
	return plain(a) == plain(b)
}

// covers reports whether an entry of a check is about a resource.
func (e *WaiverEntry) covers(info ResourceInfo, scope string) bool {
	below, ok := within(e.root, scope)
	if !ok {
		return false
	}
	if e.Resource != "" && !e.resource.MatchString(info.Address) && !e.resource.MatchString(info.LogicalID) && !e.resource.MatchString(info.ID) {
		return false
	}
	return e.Scope == "" || e.scope.MatchString(below) || e.scope.MatchString(scope)
}

// Names reports whether an entry is of a finding. It is for one goroutine.
func (e *WaiverEntry) Names(f *Finding) bool {
	if e.Finding != "" {
		return e.Finding == f.ID
	}
	if e.resource == nil {
		e.root = "."
		e.compile()
	}
	return e.Check == f.Check && e.covers(f.Resource, f.Scope)
}

// compile makes the patterns ready.
func (e *WaiverEntry) compile() {
	e.resource, e.scope = regexp.MustCompile("^"+wildcards(e.Resource)+"$"), regexp.MustCompile("^"+wildcards(e.Scope)+"$")
}

// The states of a waiver.
const (
	WaiverInForce    = "in force"
	WaiverExpired    = "expired"    // the date judged by is past its last day
	WaiverLapsed     = "lapsed"     // the facts changed that it was given for
	WaiverUnapproved = "unapproved" // a source states it, and no entry in force names it
	WaiverRefused    = "refused"    // no regime that the failure bears on takes waivers
	WaiverUnused     = "unused"     // nothing fails that it is for
)

// state says how an entry stands to a failure that it names. It is "" where it
// is not about the failure, or was not given yet.
func (e *WaiverEntry) state(asOf, finding string, facts func() string) string {
	given, named := e.Facts[finding]
	switch {
	case e.Facts != nil && !named, asOf < e.Made:
		return ""
	case asOf > e.Expires:
		return WaiverExpired
	case e.Facts != nil && given != facts():
		return WaiverLapsed
	}
	return WaiverInForce
}

// AddWaiver puts an entry at the end of a file of waivers, of which everything
// that stands there stays as it is. note is a comment above the entry. asOf is
// the day by which another entry of the same failures makes it a duplicate.
func AddWaiver(name string, data []byte, e WaiverEntry, note, asOf string, checks []string) ([]byte, error) {
	before, err := ParseWaivers(name, ".", data, checks)
	if err != nil {
		return nil, err
	}
	for _, old := range before.entries {
		if old.Finding == e.Finding && old.Check == e.Check && old.Resource == e.Resource && old.Scope == e.Scope &&
			asOf <= old.Expires && (old.Facts == nil || e.Facts != nil && maps.Equal(old.Facts, e.Facts)) {
			return nil, fmt.Errorf("%s: it is waived already, until %s", old.at, old.Expires)
		}
	}
	after, err := splice(name, data, e, note)
	if err != nil {
		return nil, err
	}
	read, err := ParseWaivers(name, ".", after, checks)
	if err != nil {
		return nil, err
	}
	if len(read.entries) != len(before.entries)+1 {
		return nil, fmt.Errorf("%s: the entry cannot be put at the end of the file; write it by hand", name)
	}
	return after, nil
}

// splice is the text of a file with one entry more.
func splice(name string, data []byte, e WaiverEntry, note string) ([]byte, error) {
	text, end := string(data), "\n"
	if strings.Contains(text, "\r\n") {
		end = "\r\n"
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += end
	}
	indent := "  "
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch list := waiverList(&doc); {
	case list == nil:
		text += "waivers:" + end
	case list.Kind != yaml.SequenceNode: // a key without a value
	case len(list.Content) == 0: // written []
		lines := strings.SplitAfter(text, "\n")
		line := lines[list.Line-1]
		open := min(list.Column-1, len(line))
		rest, empty := strings.CutPrefix(line[open:], "[]")
		if !empty {
			return nil, fmt.Errorf("%s:%d:%d: write the empty list as []", name, list.Line, list.Column)
		}
		lines[list.Line-1] = strings.TrimRight(line[:open], " ") + rest
		text = strings.Join(lines, "")
	case list.Style&yaml.FlowStyle != 0:
		return nil, fmt.Errorf("%s:%d:%d: the entries stand in brackets; write them one below the other, each behind a dash", name, list.Line, list.Column)
	default:
		indent = strings.Repeat(" ", list.Column-1)
	}
	lead := indent + "- "
	if note != "" {
		text += indent + "# " + strings.Join(strings.Fields(note), " ") + end
	}
	for _, line := range e.lines() {
		text += lead + line + end
		lead = indent + "  "
	}
	return []byte(text), nil
}

// waiverList is the value of waivers in a file, or nil.
func waiverList(doc *yaml.Node) *yaml.Node {
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode || len(doc.Content[0].Content) < 2 {
		return nil
	}
	return doc.Content[0].Content[1]
}

// lines are an entry in YAML.
func (e *WaiverEntry) lines() []string {
	values := map[string]string{
		"finding": e.Finding, "check": e.Check, "resource": e.Resource, "scope": e.Scope, "owner": e.Owner, "approver": e.Approver,
		"reason": e.Reason, "made": e.Made, "expires": e.Expires, "ticket": e.Ticket, "measure": e.Measure, "customised": e.Customised,
	}
	var lines []string
	for _, key := range waiverFields {
		if v := values[key]; v != "" {
			lines = append(lines, key+": "+scalar(v))
		}
	}
	switch {
	case e.Facts == nil:
		lines = append(lines, "facts: "+AnyFacts)
	case e.Finding != "":
		lines = append(lines, "facts: "+scalar(e.Facts[e.Finding]))
	default:
		lines = append(lines, "facts:")
		for _, id := range slices.Sorted(maps.Keys(e.Facts)) {
			lines = append(lines, "  "+id+": "+scalar(e.Facts[id]))
		}
	}
	return lines
}

// plainText is a text that YAML reads as such without quotes, but for the words
// that it gives a meaning.
var (
	plainText   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 _./@+-]*$`)
	meaningWord = regexp.MustCompile(`^(?i:null|true|false|yes|no|on|off|y|n)$`)
)

// scalar is a text as a value in YAML. What looks like a number or a date needs
// no quotes: it is read by its letters.
func scalar(s string) string {
	if plainText.MatchString(s) && !meaningWord.MatchString(s) {
		return s
	}
	return string(estate.String(s).AppendJSON(nil))
}
