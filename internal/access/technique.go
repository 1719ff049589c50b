package access

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// technique is a way to come to act with permissions that were not given.
// tables/escalation.yaml holds them; docs/escalation.md says what the fields mean.
type technique struct {
	ID    string `yaml:"id"`
	Name  string `yaml:"name"`
	Known string `yaml:"known"`
	// Kind is "" for an escalation; granted, exposure or exfiltration.
	Kind string `yaml:"kind"`
	// Gains is what the principal comes to act with.
	Gains   string   `yaml:"gains"`
	Service string   `yaml:"service"` // which the passed role has to trust
	Needs   []string `yaml:"needs"`   // what has to be so of the function
	Doubt   string   `yaml:"doubt"`   // what is not known even where every request is allowed
	Steps   []*step  `yaml:"requests"`

	groups []*group
}

// step is one request of a technique.
type step struct {
	Action string `yaml:"action"`
	// On is the resource: "*", one that is bound (role, user, function, layer), one
	// of the principal's own, some resource of the estate, "new SERVICE TYPE" of a
	// name that the principal chooses, or "made SERVICE TYPE" of one that AWS makes
	// up.
	On      string             `yaml:"on"`
	With    map[string]*string `yaml:"with"`    // condition keys; null is absent, "*" is there with any value
	Ends    []string           `yaml:"ends"`    // what may stand behind the resource's ARN; one of them has to be allowed
	By      string             `yaml:"by"`      // target: the role that is gained makes the request
	Trusted bool               `yaml:"trusted"` // by then the role's trust policy names the principal
}

// group are the steps of a technique that are on the same resource.
type group struct {
	on    string
	steps []*step
	// bound: the answer depends on what the technique is aimed at.
	bound bool
	needs []string // of functions that are looked for
}

// own are the resources that On can name beside new and made ones. aim says that
// the technique is aimed at one of them.
var own = map[string]struct{ aim bool }{
	"*": {}, "role": {true}, "user": {true}, "function": {true}, "layer": {true}, "code object": {true}, "code repository": {true},
	"any function": {}, "own function": {}, "own role": {}, "own user": {}, "own policy": {}, "queue": {}, "stream": {},
}

// gains, techniqueKinds and needs are the words that the table may use.
var (
	gains          = []string{"", "passed-role", "role", "raised-role", "function-role", "user", "administrator", "no-boundary"}
	techniqueKinds = []string{"", "granted", "exposure", "exfiltration"}
	needs          = []string{"unsigned", "signed", "triggered", "triggered-by-alias", "runtime", "layers"}
)

// readTechniques reads the table.
func readTechniques(table []byte) ([]*technique, error) {
	var file struct {
		Source     string       `yaml:"source"`
		Date       string       `yaml:"date"`
		Techniques []*technique `yaml:"techniques"`
	}
	if err := yaml.Load(table, &file, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("table of escalation: %w", err)
	}
	same := map[string]*step{}
	groups := map[string]*group{}
	ids := map[string]bool{}
	for _, t := range file.Techniques {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("table of escalation: %s: %w", t.ID, err)
		}
		if ids[t.ID] {
			return nil, fmt.Errorf("table of escalation: %s stands there twice", t.ID)
		}
		ids[t.ID] = true
		for i, s := range t.Steps {
			// Equal steps are one, and so are equal groups of them, so that their
			// answers are remembered once.
			key := s.key()
			if known, ok := same[key]; ok {
				t.Steps[i] = known
			} else {
				same[key] = s
			}
		}
		t.sort()
		for i, g := range t.groups {
			key := g.on
			for _, s := range g.steps {
				key += fmt.Sprintf(" %p", s)
			}
			if g.on == "any function" {
				g.needs = t.Needs
				key += strings.Join(g.needs, " ")
			}
			if known, ok := groups[key]; ok {
				t.groups[i] = known
			} else {
				groups[key] = g
			}
		}
	}
	return file.Techniques, nil
}

func (t *technique) check() error {
	switch {
	case t.ID == "" || t.Name == "" || len(t.Steps) == 0:
		return fmt.Errorf("expected an id, a name and requests")
	case !slices.Contains(gains, t.Gains):
		return fmt.Errorf("gains %q; expected one of %s", t.Gains, strings.Join(gains[1:], ", "))
	case !slices.Contains(techniqueKinds, t.Kind):
		return fmt.Errorf("kind %q; expected one of %s", t.Kind, strings.Join(techniqueKinds[1:], ", "))
	case (t.Gains == "") != (t.Kind == "exposure" || t.Kind == "exfiltration"):
		return fmt.Errorf("an exposure gains nothing, and nothing else does")
	}
	for _, n := range t.Needs {
		if !slices.Contains(needs, n) {
			return fmt.Errorf("needs %q; expected one of %s", n, strings.Join(needs, ", "))
		}
	}
	for _, s := range t.Steps {
		_, known := own[s.On]
		kind := strings.SplitN(s.On, " ", 3)
		if !known && (len(kind) != 3 || kind[0] != "new" && kind[0] != "made") {
			return fmt.Errorf("%s on %q; expected a resource", s.Action, s.On)
		}
		if !strings.Contains(s.Action, ":") || s.By != "" && s.By != "target" {
			return fmt.Errorf("%s by %q; expected an action, and target or nothing", s.Action, s.By)
		}
	}
	return nil
}

func (s *step) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%s|%q|%s|%t", s.Action, s.On, s.Ends, s.By, s.Trusted)
	keys := make([]string, 0, len(s.With))
	for k, v := range s.With {
		if v == nil {
			keys = append(keys, k)
		} else {
			keys = append(keys, k+"="+*v)
		}
	}
	slices.Sort(keys)
	fmt.Fprintf(&b, "|%q", keys)
	return b.String()
}

// sort gathers the steps by resource, those that do not depend on the aim first.
func (t *technique) sort() {
	for _, s := range t.Steps {
		i := slices.IndexFunc(t.groups, func(g *group) bool { return g.on == s.On })
		if i < 0 {
			i = len(t.groups)
			t.groups = append(t.groups, &group{on: s.On, bound: own[s.On].aim})
		}
		t.groups[i].steps = append(t.groups[i].steps, s)
		t.groups[i].bound = t.groups[i].bound || s.By != ""
	}
	slices.SortStableFunc(t.groups, func(a, b *group) int {
		switch {
		case a.bound == b.bound:
			return 0
		case b.bound:
			return -1
		}
		return 1
	})
}

// endings are what may stand behind a step's resource.
func (s *step) endings() []string {
	if len(s.Ends) == 0 {
		return []string{""}
	}
	return s.Ends
}
