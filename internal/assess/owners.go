package assess

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"assay/internal/estate"
)

// Owners says whose files are: a file in the form of CODEOWNERS, in which the
// last pattern that matches a path decides.
// source: https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
type Owners struct {
	name  string // of the file, for reports
	root  string // the folder that patterns are relative to
	rules []ownerRule
}

type ownerRule struct {
	line    int
	pattern *regexp.Regexp
	names   []string // none: such files have no owner
}

// ParseOwners reads such a file. Patterns are relative to root, which is a path
// as those of the sources are.
func ParseOwners(name, root string, data []byte) (*Owners, error) {
	o := &Owners{name: name, root: path.Clean(filepath.ToSlash(root))}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line, _, _ = strings.Cut(line, " #")
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		pattern := fields[0]
		if strings.HasPrefix(pattern, "!") || strings.ContainsAny(pattern, "[]") {
			return nil, fmt.Errorf("%s:%d:1: %s: owners' patterns know *, ** and ? alone", name, number, pattern)
		}
		o.rules = append(o.rules, ownerRule{number, ownerPattern(pattern), fields[1:]})
	}
	return o, nil
}

// ownerPattern is a pattern of the file as a regular expression over paths from
// the root: it is anchored there when it has a slash before its end, and covers
// all that is below a folder.
func ownerPattern(pattern string) *regexp.Regexp {
	anchored := strings.Contains(strings.TrimSuffix(pattern, "/"), "/")
	folder := strings.HasSuffix(pattern, "/")
	body := strings.Trim(pattern, "/")
	var b strings.Builder
	b.WriteString("^")
	if !anchored {
		b.WriteString("(.*/)?")
	}
	b.WriteString(wildcards(body))
	switch {
	case folder:
		b.WriteString("/.*$")
	case strings.HasSuffix(body, "/*"):
		b.WriteString("$") // the files of a folder, and nothing deeper
	default:
		b.WriteString("(/.*)?$")
	}
	return regexp.MustCompile(b.String())
}

// wildcards is a pattern with *, ** and ? as a regular expression, not anchored.
func wildcards(pattern string) string {
	var b strings.Builder
	pattern = strings.ToValidUTF8(pattern, "\ufffd")
	for i := 0; i < len(pattern); i++ {
		switch rest := pattern[i:]; {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("(.*/)?")
			i += 2
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			i++
		case rest[0] == '*':
			b.WriteString("[^/]*")
		case rest[0] == '?':
			b.WriteString("[^/]")
		default:
			_, n := utf8.DecodeRuneInString(rest)
			b.WriteString(regexp.QuoteMeta(rest[:n]))
			i += n - 1
		}
	}
	return b.String()
}

// within is a file as seen from a folder that it lies in.
func within(root, file string) (string, bool) {
	file = path.Clean(filepath.ToSlash(file))
	if root == "." {
		return file, true
	}
	if file == root {
		return ".", true
	}
	return strings.CutPrefix(file, strings.TrimSuffix(root, "/")+"/")
}

// Of are the owners of a file, and where that is written.
func (o *Owners) Of(file string) (names []string, by string) {
	if o == nil || file == "" {
		return nil, ""
	}
	file, below := within(o.root, file)
	if !below {
		return nil, ""
	}
	for _, r := range slices.Backward(o.rules) {
		if r.pattern.MatchString(file) {
			if len(r.names) == 0 {
				return nil, ""
			}
			return r.names, fmt.Sprintf("%s:%d", o.name, r.line)
		}
	}
	return nil, ""
}

// owned says whose something is: the resource's own tag says, else the tags of
// the functions that it concerns, else the file of owners.
func (r *run) owned(res *estate.Resource, functions []*estate.Resource, file string) *Owned {
	if key, name := r.tagOf(res, "owner_tags"); name != "" {
		return &Owned{[]string{name}, "tag " + key}
	}
	var found Owned
	for _, f := range functions {
		key, name := r.tagOf(f, "owner_tags")
		if name != "" && !slices.Contains(found.Names, name) {
			found.Names = append(found.Names, name)
			found.By = "tag " + key + " of " + f.Address
		}
	}
	if len(found.Names) > 1 {
		slices.Sort(found.Names)
		found.By = "tags of its functions"
	}
	if len(found.Names) > 0 {
		return &found
	}
	if names, by := r.Owners.Of(file); len(names) > 0 {
		return &Owned{names, by}
	}
	return nil
}

// Is reports whether one of the owners is called so: in any case of letters,
// with or without the @ and the organisation of a team's handle.
func (o *Owned) Is(name string) bool {
	if o == nil {
		return false
	}
	plain := func(s string) string { return strings.ToLower(strings.TrimPrefix(s, "@")) }
	want := plain(name)
	return slices.ContainsFunc(o.Names, func(owner string) bool {
		owner = plain(owner)
		_, team, _ := strings.Cut(owner, "/")
		return owner == want || team != "" && team == want
	})
}

// ForOwner hands on of a run what belongs to one owner: functions and findings.
// What passes is left out, for a stream does not say whose that is; coverage,
// standings and summary are of the whole run.
func ForOwner(name string, h Handler) Handler { return &ofOwner{h, name} }

type ofOwner struct {
	Handler
	name string
}

func (o *ofOwner) Function(m *Function) error {
	if !m.Owner.Is(o.name) {
		return nil
	}
	return o.Handler.Function(m)
}

func (o *ofOwner) Finding(m *Finding) error {
	if !m.Owner.Is(o.name) {
		return nil
	}
	return o.Handler.Finding(m)
}

func (o *ofOwner) Decided(*Decided) error { return nil }
