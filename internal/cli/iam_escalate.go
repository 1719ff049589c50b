package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"assay/internal/access"
	"assay/internal/estate"
)

func newEscalate(s Streams) *cobra.Command {
	var in inputs
	var paths []string
	var q access.EscalationQuery
	cmd := &cobra.Command{
		Use:   "escalate",
		Short: "Find paths by which a principal or function comes to more power than it was given",
		Long: `escalate looks for the ways in which the roles, users and functions of an estate,
and other accounts that policies of functions let in, come to act with
permissions that they were not given: a role passed to a new function, the code
of a function replaced, a policy written into the own role. Each step of a path
is walked by requests that are allowed under identity policies, boundaries,
policies of resources, denies and conditions, and leads to somebody who may do
something that the first may not. A path that turns on what is not known is told
apart, with what is missing.

--from and --to take the address of a function, role or user; --to admin asks
for paths that end with all permissions. --exposures adds what gives no more
power by itself: code that is deployed from elsewhere, secrets in environments,
results sent away. docs/escalation.md lists the ways and what is left out.

Exit codes: 0 no path, 1 there is one, 2 wrong usage, 3 not decided.`,
		Example: `  assay iam escalate --estate template.yaml
  assay iam escalate --estate . --from ReportFunction --to admin
  assay iam escalate --estate estate.jsonl.zst --format json | jq 'select(.path == "yes")'`,
		Args: cobra.NoArgs,
	}
	in.flags(cmd.Flags())
	cmd.Flags().StringArrayVarP(&paths, "estate", "e", []string{"."}, "`path` of templates, Terraform or an estate file to read (repeatable)")
	cmd.Flags().StringVar(&q.From, "from", "", "`address` of the function, role or user where paths begin (default all)")
	cmd.Flags().StringVar(&q.To, "to", "", "`address` of the function, role or user where paths end, or admin (default any)")
	cmd.Flags().BoolVar(&q.Exposures, "exposures", false, "list exposures and exfiltration as well, which do not count")
	completeWith(cmd, "to", []string{access.ToAdministrator})
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		asJSON, err := format()
		if err != nil {
			return err
		}
		data, err := iamData()
		if err != nil {
			return err
		}
		scopes, unread, err := readScopes(cmd, &in, paths, s)
		if err != nil {
			return err
		}
		found, err := newAccess(data).Escalate(scopes, q)
		if err != nil {
			return usage("%w", err)
		}
		var worst outcome
		for _, p := range found.Paths {
			worst.failed = worst.failed || p.Truth == estate.True
			worst.unknown = worst.unknown || p.Truth == estate.Maybe
		}
		if asJSON {
			err = writeEscalationJSON(s.Out, found)
		} else {
			writeEscalation(s.Out, found)
		}
		if err != nil {
			return err
		}
		return worst.exit(unread)
	}
	return cmd
}

// shown is how many of those that a path leads to are named in the text.
const shown = 5

func writeEscalation(w io.Writer, e *access.Escalation) {
	for _, p := range e.Paths {
		end := someOf(p.To)
		switch p.Administrator {
		case estate.True:
			end += ", with all permissions"
		case estate.Maybe:
			end += ", perhaps with all permissions"
		case estate.False:
		}
		label := "path"
		if p.Truth != estate.True {
			label = "not decided"
		}
		fmt.Fprintf(w, "%s: %s can come to act as %s\n", label, p.From, end)
		for i, s := range p.Steps {
			by := ""
			if s.By != "" {
				by = ", the role of " + s.By
			}
			fmt.Fprintf(w, "  %d. %s %s, and acts as %s%s  [%s]\n", i+1, s.From, s.Name, s.To, by, s.Technique)
			for _, r := range s.Requests {
				fmt.Fprintf(w, "     %s on %s\n", r.Action, e.Words(r.Resource))
				for _, k := range slices.Sorted(maps.Keys(r.Context)) {
					lower := strings.ToLower(k)
					switch v := r.Context[k]; {
					case lower == "aws:principalarn" || lower == "aws:securetransport":
						// The same in all requests of a principal.
					case len(v) == 0:
						fmt.Fprintf(w, "       without %s\n", k)
					default:
						fmt.Fprintf(w, "       with %s = %s\n", k, e.Words(strings.Join(v, ", ")))
					}
				}
			}
		}
		if p.Gain != nil {
			fmt.Fprintf(w, "  gains  %s on %s\n", p.Gain.Action, e.Words(p.Gain.Resource))
		}
		for _, g := range p.Missing {
			fmt.Fprintf(w, "  missing  %s\n", g)
		}
	}
	for _, x := range e.Exposures {
		label := x.Kind
		if x.Truth != estate.True {
			label += ", not decided"
		}
		fmt.Fprintf(w, "%s: %s %s: %s  [%s]\n", label, x.From, x.Name, someOf(x.Of), x.Technique)
		for _, g := range x.Missing {
			fmt.Fprintf(w, "  missing  %s\n", g)
		}
	}
	if len(e.Paths) == 0 {
		fmt.Fprintf(w, "no path: none of %d principals comes to more power\n", e.Principals)
	}
	fmt.Fprintln(w, "note: organisation policies (SCPs and RCPs) were not read, and are left out")
}

func someOf(list []string) string {
	if len(list) <= shown {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
}

func writeEscalationJSON(w io.Writer, e *access.Escalation) error {
	type step struct {
		Technique string        `json:"technique"`
		Name      string        `json:"name"`
		Known     string        `json:"known,omitempty"`
		From      string        `json:"from"`
		To        string        `json:"to"`
		Function  string        `json:"function,omitempty"`
		Requests  []requestJSON `json:"requests"`
	}
	truth := map[estate.Truth]string{estate.True: "yes", estate.False: "no", estate.Maybe: "unknown"}
	gaps := func(list []estate.Gap) []string {
		out := []string{}
		for _, g := range list {
			out = append(out, g.String())
		}
		return out
	}
	for _, p := range e.Paths {
		out := struct {
			Path          string       `json:"path"` // yes or unknown
			From          string       `json:"from"`
			To            []string     `json:"to"`
			Administrator string       `json:"administrator"`
			Steps         []step       `json:"steps"`
			Gain          *requestJSON `json:"gain,omitempty"`
			Missing       []string     `json:"missing"`
		}{truth[p.Truth], p.From, p.To, truth[p.Administrator], []step{}, nil, gaps(p.Missing)}
		for _, s := range p.Steps {
			one := step{s.Technique, s.Name, s.Known, s.From, s.To, s.By, []requestJSON{}}
			for _, r := range s.Requests {
				one.Requests = append(one.Requests, requestOf(r, e.Words))
			}
			out.Steps = append(out.Steps, one)
		}
		if p.Gain != nil {
			gain := requestOf(*p.Gain, e.Words)
			out.Gain = &gain
		}
		if err := writeJSON(w, out); err != nil {
			return err
		}
	}
	for _, x := range e.Exposures {
		out := struct {
			Exposure  string       `json:"exposure"` // its kind
			Truth     string       `json:"allowed"`
			Technique string       `json:"technique"`
			Name      string       `json:"name"`
			From      string       `json:"from"`
			Of        []string     `json:"of"`
			Request   *requestJSON `json:"request,omitempty"`
			Missing   []string     `json:"missing"`
		}{x.Kind, truth[x.Truth], x.Technique, x.Name, x.From, x.Of, nil, gaps(x.Missing)}
		if x.Request != nil {
			r := requestOf(*x.Request, e.Words)
			out.Request = &r
		}
		if err := writeJSON(w, out); err != nil {
			return err
		}
	}
	return nil
}
