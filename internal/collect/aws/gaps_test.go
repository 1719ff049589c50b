package aws

import (
	"context"
	"slices"
	"strings"
	"testing"

	"assay/internal/estate"
)

// deniesEach reads an account once, and again with each of the calls denied
// that were made. A call that is denied is a problem that names the permission,
// and what it would have shown is not lost: the type's coverage says so, or a
// resource of the type that may exist, or a property. services leaves out the
// calls of others, such as those by which something was named.
func deniesEach(t *testing.T, f *fake, a *Account, services ...string) {
	t.Helper()
	whole := a.Collect(context.Background())
	calls := slices.Clone(f.sent)
	slices.Sort(calls)
	for _, call := range slices.Compact(calls) {
		service, _, _ := strings.Cut(call, ":")
		if service == "sts" || len(services) > 0 && !slices.Contains(services, service) {
			continue
		}
		f.mend()
		f.fault(denied(call))
		got := a.Collect(context.Background())
		text := show(t, got)
		if !strings.Contains(text, "problem: "+call+": not allowed") || !strings.Contains(text, "grant ") {
			t.Errorf("%s denied, and no problem names it:\n%s", call, text)
		}
		before, after, gaps := countByType(whole), countByType(got), gapsByType(t, got)
		if len(gaps) == 0 {
			t.Errorf("%s denied, and nothing is said to be unknown", call)
		}
		for typ, n := range before {
			if after[typ] < n && !gaps[typ] {
				t.Errorf("%s denied: %d of %d %s are there, and nothing says that there may be more", call, after[typ], n, typ)
			}
		}
	}
	f.mend()
}

func countByType(builders []*estate.Builder) map[string]int {
	n := map[string]int{}
	for _, b := range builders {
		for _, r := range b.Resources() {
			if r.Exists == nil {
				n[r.Type]++
			}
		}
	}
	return n
}

// gapsByType are the types of which coverage, existence or a property is not
// known for want of a permission. What was looked for by name is not known
// either where what names it is not.
func gapsByType(t *testing.T, builders []*estate.Builder) map[string]bool {
	t.Helper()
	gaps := map[string]bool{}
	for _, b := range builders {
		for _, c := range b.Build(testModel(t)).Coverage() {
			if c.State == estate.CoverageDenied {
				gaps[c.Type] = true
			}
		}
		for _, r := range b.Resources() {
			if r.Exists.Kind() == estate.KindDenied {
				gaps[r.Type] = true
			}
			r.Properties.Each(func(v *estate.Value) bool {
				if v.Kind() == estate.KindDenied {
					gaps[r.Type] = true
				}
				return true
			})
		}
	}
	return gaps
}
