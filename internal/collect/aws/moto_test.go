package aws

import (
	"context"
	goflag "flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

var update = goflag.Bool("update", false, "write golden files anew")

// moto starts the AWS emulator and gives its address. A machine without it
// skips, but for CI, where the README's test command has installed it.
func moto(t *testing.T) string {
	t.Helper()
	// The interpreter itself: one that stands before it would be killed in its place.
	out, err := exec.Command("python3", "-c", "import moto, boto3, sys; print(sys.executable)").CombinedOutput()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("moto is not installed: %s", out)
		}
		t.Skip("moto is not installed; make moto installs it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(strings.TrimSpace(string(out)), "-m", "moto.server", "-p", port)
	cmd.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 600 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return "http://" + address
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("moto does not answer")
	return ""
}

// gapOf is a property, or a whole type, that moto loses.
type gapOf struct {
	Type     string `yaml:"type"`
	Property string `yaml:"property"` // empty: the whole type
	Why      string `yaml:"why"`
	met      bool
}

// TestMoto reads an estate from moto that a script built, and compares it in
// normal form with the same estate as CloudFormation. What moto loses stands in
// testdata/moto/gaps.yaml, each with its reason; a gap that is none any more
// fails.
func TestMoto(t *testing.T) {
	endpoint := moto(t)
	folder := t.TempDir()
	build := exec.Command("python3", "testdata/moto/build.py", endpoint, folder, "32")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the estate: %v\n%s", err, out)
	}
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	m := modelOf(t)
	account, err := Open(context.Background(), Options{
		Model: m, Rates: []byte("families: [{service: \"*\", perSecond: 100000}]"), Regions: []string{"us-east-1", "eu-west-1"},
		Rate: 1, Attempts: 2, Patience: time.Millisecond, Salt: []byte("test"), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	live := map[string]*estate.Scope{}
	functions := 0
	for _, s := range estate.Build(m, account.Collect(context.Background())) {
		region, _ := s.Place()
		live[region] = s
		functions += len(s.OfType("AWS::Lambda::Function"))
	}
	if functions < 60 {
		t.Errorf("%d functions read; the estate has at least 60", functions)
	}
	gaps := readGaps(t)
	for _, region := range account.Regions {
		compareWith(t, m, filepath.Join(folder, region+".json"), live[region], live[""], gaps)
	}
	for _, g := range gaps {
		if !g.met {
			t.Errorf("gaps.yaml: moto does not lose %s %s (%s)", g.Type, g.Property, g.Why)
		}
	}
}

func modelOf(t testing.TB) *estate.Model {
	t.Helper()
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readGaps(t *testing.T) []*gapOf {
	t.Helper()
	data, err := os.ReadFile("testdata/moto/gaps.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Gaps []*gapOf `yaml:"gaps"`
	}
	if err := yaml.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	return table.Gaps
}

// compareWith compares what was read of a region with its template: the same
// resources, and of each the same properties.
func compareWith(t *testing.T, m *estate.Model, path string, region, account *estate.Scope, gaps []*gapOf) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	builders := cloudformation.New(cloudformation.Options{}).Collect(context.Background(), collect.File{Name: path, Data: data, Named: true})
	template := estate.Build(m, builders)[0]
	types := map[string]bool{}
	for _, r := range template.Resources() {
		types[r.Type] = true
	}
	for _, typ := range slices.Sorted(maps.Keys(types)) {
		if lost(gaps, typ, "") {
			continue
		}
		scope := region
		if len(account.OfType(typ)) > 0 {
			scope = account
		}
		want, got := map[string]*estate.Resource{}, map[string]*estate.Resource{}
		for _, r := range template.OfType(typ) {
			want[keyOf(r)] = r
		}
		for _, r := range scope.OfType(typ) {
			if r.Exists == nil {
				got[keyOf(r)] = r
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s of %s (-template +account):\n%s", typ, scope.ID, diff)
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if got[key] != nil {
				compareResource(t, want[key], got[key], gaps)
			}
		}
	}
}

// keyOf tells resources of a type apart by what both sources state.
func keyOf(r *estate.Resource) string {
	switch r.Type {
	case "AWS::Lambda::Permission":
		return text(r, "FunctionName") + " " + text(r, "Principal") + " " + text(r, "SourceArn")
	case "AWS::Lambda::EventSourceMapping":
		return last(text(r, "FunctionName")) + " " + text(r, "EventSourceArn")
	case "AWS::Lambda::EventInvokeConfig":
		return last(text(r, "FunctionName")) + " " + text(r, "Qualifier")
	case "AWS::Lambda::Version", "AWS::Lambda::Alias":
		return last(text(r, "FunctionName")) + " " + text(r, "Name")
	case "AWS::SNS::Subscription":
		return text(r, "TopicArn") + " " + text(r, "Endpoint")
	case "AWS::SQS::QueuePolicy":
		return last(r.Properties.Field("Queues").Items()[0].AsString())
	case "AWS::S3::BucketPolicy":
		return text(r, "Bucket")
	case "AWS::KMS::Key":
		return text(r, "Description")
	}
	return r.Name().AsString()
}

func text(r *estate.Resource, property string) string {
	return r.Properties.Field(property).AsString()
}

// last is a name without the ARN or URL around it.
func last(s string) string { return s[strings.LastIndexAny(s, ":/")+1:] }

// compareResource compares what the template states or assumes. What the
// account holds beyond that is compared where the template's default is known.
func compareResource(t *testing.T, want, got *estate.Resource, gaps []*gapOf) {
	t.Helper()
	for _, f := range want.Properties.Fields() {
		v := got.Properties.Field(f.Name)
		a, b := spelled(f.Value), spelled(v)
		if f.Value.IsDefault() && v.Gap().Reason == reasonUnread {
			continue // testdata/unread.golden has it
		}
		if !f.Value.Known() || f.Name == "Code" || a == b || named(f.Name, f.Value, v) {
			continue
		}
		if !lost(gaps, want.Type, f.Name) {
			t.Errorf("%s %s.%s: the template has %s, the account %s", want.Type, keyOf(want), f.Name, a, b)
		}
	}
	for _, f := range got.Properties.Fields() {
		if want.Properties.Field(f.Name) == nil && f.Value.Known() && !f.Value.IsDefault() && !alwaysStated(want.Type, f.Name) && !lost(gaps, want.Type, f.Name) {
			t.Errorf("%s %s.%s: the account has %s, the template nothing", want.Type, keyOf(want), f.Name, spelled(f.Value))
		}
	}
}

// alwaysStated are properties that every account states and templates leave to AWS.
func alwaysStated(typ, property string) bool {
	return slices.Contains([]string{
		"AWS::Lambda::Function.Code", "AWS::IAM::Role.Path", "AWS::IAM::User.Path", "AWS::IAM::ManagedPolicy.Path", "AWS::IAM::Role.MaxSessionDuration",
		"AWS::Lambda::Version.CodeSha256", "AWS::Lambda::Version.Description",
		"AWS::DynamoDB::Table.WarmThroughput", "AWS::Kinesis::Stream.StreamModeDetails", "AWS::SQS::Queue.KmsDataKeyReusePeriodSeconds",
	}, typ+"."+property)
}

// named reports whether two values name the same thing, one by its ARN.
func named(property string, a, b *estate.Value) bool {
	return slices.Contains([]string{"FunctionName", "Queues"}, property) && last(strings.Trim(spelled(a), `"`)) == last(strings.Trim(spelled(b), `"`))
}

func spelled(v *estate.Value) string {
	data, err := v.Rewrite(func(x *estate.Value) *estate.Value {
		if x.Gap().Reason == reasonUnread {
			return nil
		}
		return x.Plain()
	}).MarshalJSON()
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(data)
}

func lost(gaps []*gapOf, typ, property string) bool {
	for _, g := range gaps {
		if g.Type == typ && g.Property == property {
			g.met = true
			return true
		}
	}
	return false
}
