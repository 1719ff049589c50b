package terraform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"assay/internal/collect"
	"assay/internal/collect/terraform"
	"assay/internal/estate"
	"assay/tables"
)

// configured reads a folder of .tf files with the values that a plan of it was
// made with.
func configured(t testing.TB, folder string, plan []byte) *estate.Scope {
	t.Helper()
	var given struct {
		Variables map[string]struct{ Value json.RawMessage }
	}
	if err := json.Unmarshal(plan, &given); err != nil {
		t.Fatal(err)
	}
	values := map[string]json.RawMessage{}
	for name, v := range given.Variables {
		values[name] = v.Value
	}
	file, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	variables := terraform.Variables{}
	if err := variables.SetFile("plan.tfvars.json", file); err != nil {
		t.Fatal(err)
	}
	variables.Set("terraform.workspace", "default")
	c := terraform.New(terraform.Options{Mapping: tables.Terraform(), Variables: variables})
	scopes := c.Collect(context.Background(), collect.File{Name: ".", Folder: true, Tree: collect.NewTree(os.DirFS(folder))})
	if len(scopes) != 1 {
		t.Fatalf("%d scopes", len(scopes))
	}
	return scopes[0].Build(model(t))
}

// comparison compares what two forms of one configuration say.
type comparison struct {
	equal, aside int // values
	differences  []string
}

func (c *comparison) scopes(plan, config *estate.Scope) {
	for _, r := range plan.Resources() {
		// A plan does not show how many members a list has that is known only
		// after apply, and gives those that it may have.
		if config.Resource(r.LogicalID) == nil && r.Exists == nil {
			c.differ(r.LogicalID, "only in the plan", "")
		}
	}
	for _, r := range config.Resources() {
		p := plan.Resource(r.LogicalID)
		switch {
		case p == nil:
			c.differ(r.LogicalID, "only in the configuration", "")
		case p.Type != r.Type:
			c.differ(r.LogicalID, p.Type, r.Type)
		default:
			c.values(r.LogicalID, p.Properties, r.Properties)
		}
	}
}

func (c *comparison) differ(path string, plan, config any) {
	c.differences = append(c.differences, fmt.Sprintf("%s: plan %v, configuration %v", path, plan, config))
}

// values compares a value of the plan with one of the configuration. What
// either of them does not know is left aside.
func (c *comparison) values(path string, p, v *estate.Value) {
	switch {
	case quirks[path[strings.LastIndexByte(path, '.')+1:]] != "" && v == nil:
	case open(p) || open(v):
		c.aside++
	case p.Kind() == estate.KindText || v.Kind() == estate.KindText:
		if estate.Matches(p, v) == estate.False {
			c.differ(path, p, v)
			return
		}
		c.aside++
	case p.Kind() == estate.KindMap && v.Kind() == estate.KindMap:
		names := map[string]bool{}
		for _, f := range append(p.Fields(), v.Fields()...) {
			if !names[f.Name] {
				names[f.Name] = true
				c.values(path+"."+f.Name, p.Field(f.Name), v.Field(f.Name))
			}
		}
	case p.Kind() == estate.KindList && v.Kind() == estate.KindList && len(p.Items()) == len(v.Items()):
		c.list(path, p.Items(), v.Items())
	case p.Kind() == v.Kind() && estate.Equal(p, v):
		c.equal++
	default:
		c.differ(path, p, v)
	}
}

// list pairs the members of lists. A plan gives sets in an order of its own.
func (c *comparison) list(path string, p, v []*estate.Value) {
	taken := make([]bool, len(v))
	for i := range p {
		best, fewest := -1, 0
		for j := range v {
			if taken[j] {
				continue
			}
			var try comparison
			try.values("", p[i], v[j])
			if cost := 1000*len(try.differences) + try.aside; best < 0 || cost < fewest {
				best, fewest = j, cost
			}
		}
		taken[best] = true
		c.values(fmt.Sprintf("%s[%d]", path, i), p[i], v[best])
	}
}

// open reports whether a value is not known: as a whole, or in its number of
// members.
func open(v *estate.Value) bool {
	switch v.Kind() {
	case estate.KindUnknown, estate.KindOneOf, estate.KindSecret:
		return true
	case estate.KindList:
		for _, item := range v.Items() {
			if item.Kind() == estate.KindOneOf {
				return true
			}
		}
	}
	return false
}

// TestConfigurationEqualsPlan reads configurations and the plans that
// Terraform made of them.
func TestConfigurationEqualsPlan(t *testing.T) {
	plans, err := filepath.Glob("testdata/*/plan.json")
	if err != nil || len(plans) == 0 {
		t.Fatal("no plans in testdata")
	}
	more, err := filepath.Glob("../../../examples/*/*/plan.json")
	if err != nil || len(more) == 0 {
		t.Fatal("no plans among the examples")
	}
	for _, name := range append(plans, more...) {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			for _, p := range samePlan(t, name, filepath.Dir(name)) {
				t.Errorf("%s", p.Error())
			}
		})
	}
}

// TestPublishedConfigurationsEqualPlans does the same with configurations that
// people published.
func TestPublishedConfigurationsEqualPlans(t *testing.T) {
	plans, err := filepath.Glob(filepath.Join(corpus, "*.plan.json"))
	if err != nil || len(plans) == 0 {
		t.Skipf("no corpus of real plans at %s", corpus)
	}
	for _, name := range plans {
		folder := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(name), ".plan.json"), "__", "/")
		t.Run(folder, func(t *testing.T) {
			for _, p := range samePlan(t, name, filepath.Join(corpus, "../serverless-patterns", folder)) {
				// The corpus holds templates, and not the files beside them.
				if !strings.Contains(p.Message, "cannot be read: it does not exist") {
					t.Errorf("%s", p.Error())
				}
			}
		})
	}
}

// TestPublishedStates compares configurations with what applying them made.
func TestPublishedStates(t *testing.T) {
	states, err := filepath.Glob(filepath.Join(corpus, "*.state.json"))
	if err != nil || len(states) == 0 {
		t.Skipf("no corpus of real states at %s", corpus)
	}
	for _, name := range states {
		folder := strings.TrimSuffix(filepath.Base(name), ".state.json")
		t.Run(folder, func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := os.ReadFile(strings.Replace(name, ".state.", ".plan.", 1))
			if err != nil {
				t.Fatal(err)
			}
			var c comparison
			c.scopes(read(t, string(data)), configured(t, filepath.Join(corpus, "../serverless-patterns", folder), plan))
			for _, d := range c.differences {
				if !slices.ContainsFunc(drift, func(part string) bool { return strings.Contains(d, part) }) {
					t.Error(d)
				}
			}
			t.Logf("%d values equal, %d left aside", c.equal, c.aside)
		})
	}
}

// drift is what the published states, made by an emulator that stopped midway,
// show otherwise than AWS would.
var drift = []string{
	"only in the configuration", // not applied
	"plan 0", "plan false",      // what the emulator does not return
	"plan STANDARD", "plan {Enabled: false}", "plan {Status: Suspended}",
	"plan {DataTraceEnabled: false, DetailedMetricsEnabled: false, ThrottlingBurstLimit: 0, ThrottlingRateLimit: 0}",
	"aws_s3_bucket.lambda_bucket.PublicAccessBlockConfiguration",
	"aws_sns_topic.MySNSTopic.policy[0]: plan only in the plan", // the policy that every topic has
	"plan terraform-20261123",                     // names that the provider made up
	"aws_iam_role.lambda_execution_role.Policies", // one of three not applied
}

// quirks are properties of which plans show what nobody configured and AWS
// does not do.
var quirks = map[string]string{
	"KmsDataKeyReusePeriodSeconds": "0 beside sqs_managed_sse_enabled, which uses no key of KMS",
}

func samePlan(t *testing.T, name, folder string) []estate.Problem {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	planned := read(t, string(data))
	config := configured(t, folder, data)
	var c comparison
	c.scopes(planned, config)
	for _, d := range c.differences {
		t.Error(d)
	}
	t.Logf("%d resources, %d values equal, %d left aside", len(config.Resources()), c.equal, c.aside)
	return config.Problems()
}
