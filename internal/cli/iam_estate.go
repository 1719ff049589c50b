package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"assay/iam"
	"assay/internal/access"
	"assay/internal/estate"
)

// reachWords say who can use a resource.
var reachWords = map[iam.Reach]string{
	iam.ReachNobody: "nobody else", iam.ReachOrganization: "accounts of an organisation", iam.ReachAccounts: "named accounts",
	iam.ReachAnyAccount: "every AWS account", iam.ReachAnyone: "anyone",
}

func newPublic(s Streams) *cobra.Command {
	var in inputs
	var paths []string
	var policy, resource, account, rule string
	var actions []string
	cmd := &cobra.Command{
		Use:   "public [ADDRESS…]",
		Short: "Tell who outside of its account can use a function, layer, queue, topic, key, bucket or secret",
		Long: `public answers, for every resource of an estate that others may be let in to or
for those at the addresses, who that is: nobody else, accounts of an
organisation, named accounts, every AWS account, or anyone, with a request that
gets in. A function is asked by direct invoke, by each alias and version and by
each URL. The answer follows what conditions do, not that they are there: a
network or a secret token that the policy asks for is told apart.

With --policy it answers for one document instead: each action that it grants,
on --resource (or any), owned by --account.

Exit codes: 0 no more than named accounts, 1 every AWS account or anyone, 2 wrong
usage, 3 not decided.`,
		Example: `  assay iam public --estate template.yaml
  assay iam public ChargeFunction --estate . --format json
  assay iam public --policy function-policy.json --account 111122223333`,
	}
	in.flags(cmd.Flags())
	cmd.Flags().StringArrayVarP(&paths, "estate", "e", []string{"."}, "`path` of templates, Terraform or an estate file to read (repeatable)")
	cmd.Flags().StringVar(&policy, "policy", "", "policy document of a resource: a `file`, or - for standard input")
	cmd.Flags().StringVar(&resource, "resource", "", "`ARN` of the policy's resource")
	cmd.Flags().StringVar(&account, "account", "", "`account` that owns the policy's resource (default that of --resource, or of the policy's Resource)")
	cmd.Flags().StringArrayVar(&actions, "action", nil, "`action` to ask for (repeatable; default all that the policy grants)")
	cmd.Flags().StringVar(&rule, "url-rule", "unknown", "whether URLs need both permissions, as since October 2025: `enforced`, exempt or unknown")
	completeWith(cmd, "url-rule", []string{"enforced", "exempt", "unknown"})
	limits := limitFlags(cmd)
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		asJSON, err := format()
		if err != nil {
			return err
		}
		urlRule, ok := iam.ParseURLRule(rule)
		if !ok {
			return usage("--url-rule %s: expected enforced, exempt or unknown", rule)
		}
		data, err := iamData()
		if err != nil {
			return err
		}
		if policy != "" {
			if len(args) > 0 {
				return usage("give either addresses of an estate or --policy")
			}
			p, err := readPolicy(policy, s.In, data)
			if err != nil {
				return err
			}
			return publicPolicy(s.Out, p, publicInput{resource, account, actions, asJSON}, data, *limits)
		}
		scopes, unread, err := readScopes(cmd, &in, paths, s)
		if err != nil {
			return err
		}
		list, gaps, err := newAccess(data).Public(scopes, args, urlRule)
		if err != nil {
			return usage("%w", err)
		}
		worst, err := writeOpenings(s.Out, list, gaps, asJSON)
		if err != nil {
			return err
		}
		return worst.exit(unread)
	}
	return cmd
}

// outcome is what a command that asks of many things comes to.
type outcome struct{ failed, unknown bool }

func (o outcome) exit(unread bool) error {
	switch {
	case o.failed:
		return &exit{code: ExitFailed}
	case o.unknown || unread:
		return &exit{code: ExitIncomplete}
	}
	return nil
}

func (o *outcome) exposure(e iam.Exposure) {
	o.failed = o.failed || e.Reach >= iam.ReachAnyAccount
	o.unknown = o.unknown || e.AtMost > e.Reach
}

// openingJSON is who can use a resource by an action.
type openingJSON struct {
	Resource string           `json:"resource,omitempty"`
	Type     string           `json:"type,omitempty"`
	Door     string           `json:"door"`
	Action   string           `json:"action"`
	Actions  []string         `json:"actions,omitempty"`
	Reach    string           `json:"reach"`
	AtMost   string           `json:"atMost"`
	Reason   string           `json:"reason,omitempty"`
	Ways     []wayJSON        `json:"ways"`
	Source   *estate.Position `json:"source,omitempty"`
}

type wayJSON struct {
	Reach    string      `json:"reach"`
	Narrowed []string    `json:"narrowed,omitempty"`
	Through  string      `json:"through,omitempty"`
	Account  string      `json:"account,omitempty"`
	Witness  requestJSON `json:"witness"`
}

func exposureJSON(e iam.Exposure, words func(string) string) openingJSON {
	out := openingJSON{Reach: e.Reach.String(), AtMost: e.AtMost.String(), Reason: words(e.Reason), Ways: []wayJSON{}}
	for _, w := range e.Ways {
		out.Ways = append(out.Ways, wayJSON{w.Reach.String(), w.Narrowed, w.Through, words(w.Account), requestOf(w.Witness, words)})
	}
	return out
}

func writeOpenings(w io.Writer, list []access.Opening, gaps []estate.Gap, asJSON bool) (worst outcome, err error) {
	last := ""
	for _, o := range list {
		worst.exposure(o.Exposure)
		name := o.Resource.Address
		if o.Resource.Generated != "" {
			name = o.Resource.LogicalID // its address is that of what it was made for
		}
		if asJSON {
			one := exposureJSON(o.Exposure, o.Words)
			one.Resource, one.Type, one.Door, one.Action = name, o.Resource.Type, o.Door, o.Action
			if p := o.Resource.Source; !p.IsZero() {
				one.Source = &p
			}
			if err := writeJSON(w, one); err != nil {
				return worst, err
			}
			continue
		}
		if name != last {
			last = name
			fmt.Fprintf(w, "%s  %s\n", last, o.Resource.Type)
		}
		writeExposure(w, o.Door, o.Exposure, o.Words)
	}
	for _, g := range gaps {
		worst.unknown = true
		if !asJSON {
			fmt.Fprintf(w, "not decided: %s\n", g)
		}
	}
	return worst, nil
}

// writeExposure writes who can come in by a door, and how.
func writeExposure(w io.Writer, door string, e iam.Exposure, words func(string) string) {
	who := reachWords[e.Reach]
	if e.AtMost > e.Reach {
		who += ", or up to " + reachWords[e.AtMost]
	}
	fmt.Fprintf(w, "  %-22s  %s\n", door, who)
	if e.Reason != "" {
		fmt.Fprintf(w, "    not decided  %s\n", words(e.Reason))
	}
	for _, way := range e.Ways {
		who := reachWords[way.Reach]
		if way.Account != "" {
			who += " " + words(way.Account)
		}
		if way.Through != "" {
			who += ", through " + way.Through
		}
		if len(way.Narrowed) > 0 {
			who += ", where " + strings.Join(way.Narrowed, ", ") + " is as the policy asks"
		}
		fmt.Fprintf(w, "    %s\n", who)
		writeWitness(w, "      e.g.  ", way.Witness, words)
	}
}

type publicInput struct {
	resource, account string
	actions           []string
	json              bool
}

// publicPolicy answers for one document.
func publicPolicy(w io.Writer, p *iam.Policy, in publicInput, data *iam.Data, limits iam.Limits) error {
	if in.account == "" {
		in.account = ownerOf(p, in.resource)
	}
	var classes [][]string
	for _, a := range in.actions {
		classes = append(classes, []string{a})
	}
	if len(classes) == 0 {
		classes = data.Granted(p)
	}
	var worst outcome
	for _, class := range classes {
		e := iam.Public(iam.PublicQuestion{Action: class[0], Resource: in.resource, Owner: in.account, Policy: p}, data, limits)
		worst.exposure(e)
		if !in.json {
			writeExposure(w, strings.Join(class[:min(3, len(class))], ", "), e, asWritten)
			if more := len(class) - 3; more > 0 {
				fmt.Fprintf(w, "    and %d more actions\n", more)
			}
			continue
		}
		one := exposureJSON(e, asWritten)
		one.Resource, one.Action, one.Actions = in.resource, class[0], class
		if err := writeJSON(w, one); err != nil {
			return err
		}
	}
	return worst.exit(false)
}

// ownerOf is the account that a resource's ARN, or all ARNs under Resource, name.
func ownerOf(p *iam.Policy, resource string) string {
	owner := ""
	arns := []string{resource}
	if resource == "" {
		arns = nil
		for _, s := range p.Document.Statements {
			if s.Resource != nil {
				for _, v := range s.Resource.Values {
					arns = append(arns, v.Value)
				}
			}
		}
	}
	for _, a := range arns {
		parts := strings.SplitN(a, ":", 6)
		switch {
		case len(parts) < 6 || parts[4] == "" || strings.ContainsAny(parts[4], "*?"):
		case owner == "":
			owner = parts[4]
		case owner != parts[4]:
			return ""
		}
	}
	return owner
}

func newExcess(s Streams) *cobra.Command {
	var in inputs
	var paths []string
	var need string
	cmd := &cobra.Command{
		Use:   "excess [ADDRESS…]",
		Short: "List what execution roles may do, and what of it goes beyond a stated need",
		Long: `excess lists what each role that functions act with may do, or the roles at the
addresses (of roles, or of functions): the statements of its policies with what
remains of them under its permissions boundary and without what is denied, what
policies of resources give it beside that, and how broad it is: how many actions
of how many services, how many of them on resources that nothing names.

With --need it lists what goes beyond. FILE is a policy document for every role,
or an object that gives one by the address of a role or function:
{"ChargeFunction": {"Version": "2012-10-17", …}}.

Organisation policies are not in templates and are left out. Exit codes: 0
nothing beyond the need, and no administrator; 1 otherwise; 2 wrong usage; 3 not
decided.`,
		Example: `  assay iam excess --estate template.yaml
  assay iam excess ChargeFunction --need charge-needs.json`,
	}
	in.flags(cmd.Flags())
	cmd.Flags().StringArrayVarP(&paths, "estate", "e", []string{"."}, "`path` of templates, Terraform or an estate file to read (repeatable)")
	cmd.Flags().StringVar(&need, "need", "", "`file` with what roles need: a policy document, or one by address")
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
		needs, err := readNeeds(need, s.In, data)
		if err != nil {
			return err
		}
		scopes, unread, err := readScopes(cmd, &in, paths, s)
		if err != nil {
			return err
		}
		list, err := newAccess(data).Powers(scopes, args, needs)
		if err != nil {
			return usage("%w", err)
		}
		var worst outcome
		for _, p := range list {
			beyond := need != "" && len(p.Statements) > 0
			worst.failed = worst.failed || beyond || p.Administrator == estate.True
			worst.unknown = worst.unknown || p.Proof.Verdict == iam.Undecided || p.Administrator == estate.Maybe
			if asJSON {
				if err := writePowersJSON(s.Out, p, data); err != nil {
					return err
				}
				continue
			}
			writePowers(s.Out, p, need != "", data)
		}
		return worst.exit(unread)
	}
	return cmd
}

// readNeeds reads what roles need. Without a file it is nil.
func readNeeds(file string, in io.Reader, data *iam.Data) (func(string, []string) *iam.Policy, error) {
	if file == "" {
		return nil, nil
	}
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(in)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, usage("--need: %s: cannot be read: %w", file, errors.Unwrap(err))
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, usage("--need: %s: %w; expected a policy document, or an object with one by address", file, err)
	}
	compile := func(name string, text []byte) (*iam.Policy, error) {
		doc, err := iam.Parse(text)
		if err != nil {
			return nil, usage("--need: %s: %w", name, err)
		}
		return iam.Compile("the need", doc, data), nil
	}
	if _, document := members["Statement"]; document {
		p, err := compile(file, text)
		return func(string, []string) *iam.Policy { return p }, err
	}
	byAddress := map[string]*iam.Policy{}
	for address, text := range members {
		if byAddress[address], err = compile(file+": "+address, text); err != nil {
			return nil, err
		}
	}
	nothing := iam.Compile("no stated need", &iam.Document{Version: iam.Version2012}, data)
	return func(role string, functions []string) *iam.Policy {
		for _, address := range append([]string{role}, functions...) {
			if p := byAddress[address]; p != nil {
				return p
			}
		}
		return nothing
	}, nil
}

// breadth measures powers in actions and resources.
type breadth struct {
	Actions  int `json:"actions"`
	Services int `json:"services"`
	Changing int `json:"changing"` // that change something
	// Anywhere are those on resources that nothing names.
	Anywhere         int  `json:"anywhere"`
	ChangingAnywhere int  `json:"changingAnywhere"`
	Others           bool `json:"otherServices"` // and all of the services that no statement names
}

func breadthOf(p access.Powers, data *iam.Data) breadth {
	var b breadth
	all, anywhere, services := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range p.Statements {
		b.Others = b.Others || s.Others
		if s.Unlisted {
			continue // no actions of today
		}
		for _, a := range s.Actions {
			all[a] = true
			service, _, _ := strings.Cut(a, ":")
			services[service] = true
			if s.Boundless() {
				anywhere[a] = true
			}
		}
	}
	changes := func(a string) bool {
		known := data.Action(a)
		return known == nil || known.Writes()
	}
	for a := range all {
		b.Actions++
		if changes(a) {
			b.Changing++
		}
		if anywhere[a] {
			b.Anywhere++
			if changes(a) {
				b.ChangingAnywhere++
			}
		}
	}
	b.Services = len(services)
	return b
}

func writePowers(w io.Writer, p access.Powers, need bool, data *iam.Data) {
	fmt.Fprintf(w, "%s  role of %s\n", p.Role.Address, orNone(p.Functions))
	switch p.Administrator {
	case estate.True:
		fmt.Fprintln(w, "  administrator: it may change permissions of every kind, anywhere in its account")
	case estate.Maybe:
		fmt.Fprintln(w, "  administrator: not decided")
	case estate.False:
	}
	b := breadthOf(p, data)
	what := "may do"
	if need {
		what = "beyond its need"
	}
	others := ""
	if b.Others {
		others = ", and all of every other service"
	}
	fmt.Fprintf(w, "  %s: %d actions of %d services, %d of them changing something%s; on resources that nothing names: %d, %d of them changing something\n",
		what, b.Actions, b.Services, b.Changing, others, b.Anywhere, b.ChangingAnywhere)
	if p.Proof.Verdict == iam.Undecided {
		fmt.Fprintf(w, "  not decided  %s\n", p.Words(p.Proof.Reason))
	}
	for _, s := range p.Statements {
		fmt.Fprintf(w, "  %s\n", s.Where.Policy)
		if !s.Where.Position.IsZero() {
			fmt.Fprintf(w, "  %s\n", s.Where.Position)
		}
		writeResidual(w, s.Residual, data, p.Words)
	}
	for _, g := range p.Given {
		fmt.Fprintf(w, "  given by the policy of %s: %s\n", g.Resource.Address, strings.Join(g.Actions, ", "))
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "no function"
	}
	return strings.Join(list, ", ")
}

func writePowersJSON(w io.Writer, p access.Powers, data *iam.Data) error {
	type gift struct {
		Resource string      `json:"resource"`
		Actions  []string    `json:"actions"`
		Witness  requestJSON `json:"witness"`
	}
	out := struct {
		Role          string         `json:"role"`
		Functions     []string       `json:"functions"`
		Administrator string         `json:"administrator"` // yes, no or unknown
		Breadth       breadth        `json:"breadth"`
		Complete      bool           `json:"complete"` // the list is all there is
		Reason        string         `json:"reason,omitempty"`
		Statements    []residualJSON `json:"statements"`
		Given         []gift         `json:"given"`
	}{p.Role.Address, append([]string{}, p.Functions...), map[estate.Truth]string{estate.True: "yes", estate.False: "no", estate.Maybe: "unknown"}[p.Administrator],
		breadthOf(p, data), p.Proof.Verdict != iam.Undecided, p.Words(p.Proof.Reason), []residualJSON{}, []gift{}}
	for _, s := range p.Statements {
		one, err := residualOf(s.Residual, data, p.Words)
		if err != nil {
			return err
		}
		out.Statements = append(out.Statements, one)
	}
	for _, g := range p.Given {
		out.Given = append(out.Given, gift{g.Resource.Address, slices.Clone(g.Actions), requestOf(g.Witness, p.Words)})
	}
	return writeJSON(w, out)
}
