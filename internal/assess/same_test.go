package assess_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/collect/terraform"
	"assay/internal/estate"
	"assay/tables"
)

// The same-estate test holds assay to one promise: the same resources, written
// in any language that it reads, have the same normal form and so the same
// outcomes. Every folder of testdata/same is one estate in all languages.

var updateSame = flag.Bool("update", false, "rewrite testdata/same/unknown.golden")

const sameFolder = "testdata/same"

// form is one way to write the estates down.
type form struct {
	name string
	tool string // that makes resources of it
	file string // pattern of the files in an estate's folder, which give one scope
}

// forms lists the ways. The first is what the others are held to: it says
// everything, and nothing is made of it that it does not say.
var forms = []form{
	{"cloudformation", "cloudformation", "cloudformation.yaml"},
	{"sam", "sam", "sam.yaml"},
	{"plan", "terraform", "plan.json"},
	{"hcl", "terraform", "*.tf"},
}

// place is where the estates are. Terraform's provider is told the region and
// main.tf the account; templates learn both when they are deployed.
var place = map[string]string{
	"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
}

// written is one estate as one language writes it.
type written struct {
	estate string
	form   form
	found  []collect.Found
	scope  *estate.Scope
	byName map[string]*estate.Resource // by identity

	outcomes map[string]check.Outcome // by check and identity
	missing  map[string]string        // what would decide an unknown outcome
	names    map[string]string        // identity by logical id
}

func (w *written) file() string { return path.Join(sameFolder, w.estate, w.form.file) }

func TestSameEstate(t *testing.T) {
	cfg := config(t)
	cfg.Collectors = []collect.Collector{
		terraform.New(terraform.Options{Mapping: tables.Terraform(), ManagedPolicies: tables.IAMManagedPolicies()}),
		cloudformation.New(cloudformation.Options{Parameters: place, PolicyTemplates: tables.SAMPolicyTemplates()}),
	}
	all := readSame(t, cfg)
	decideSame(t, cfg, all)
	used := make([]bool, len(trueDifferences))
	var gaps bytes.Buffer
	ran := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			ran++
			base := all[name][0]
			for _, w := range all[name][1:] {
				c := comparison{estate: name, form: w.form, used: used}
				c.outcomes(base, w)
				c.resources(base, w)
				for _, d := range c.found {
					t.Error(d)
				}
				for _, gap := range c.gaps {
					fmt.Fprintf(&gaps, "%s %s: %s\n", name, w.form.name, gap)
				}
				t.Logf("%s: %d resources, %d outcomes, %d values not known", w.form.name, len(w.byName), len(w.outcomes), len(c.gaps))
			}
		})
	}
	t.Logf("%d of %d estates", ran, len(all))
	if ran < len(all) {
		return // -run chose some; what follows is about all of them
	}
	for i, d := range trueDifferences {
		if !used[i] {
			t.Errorf("no estate shows this difference any more; remove it: %+v", d)
		}
	}
	golden := filepath.Join(sameFolder, "unknown.golden")
	if *updateSame {
		if err := os.WriteFile(golden, gaps.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(gaps.String(), "\n")); diff != "" {
		t.Errorf("what one language does not show of what another states (-update rewrites it):\n%s", diff)
	}
}

// readSame reads every estate in every language.
func readSame(t *testing.T, cfg assess.Config) map[string][]*written {
	t.Helper()
	folders, err := os.ReadDir(sameFolder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]*written{}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		for _, f := range forms {
			w := &written{estate: folder.Name(), form: f, outcomes: map[string]check.Outcome{}, missing: map[string]string{}, names: map[string]string{}}
			var builders []*estate.Builder
			files, err := filepath.Glob(w.file())
			if err != nil || len(files) == 0 {
				t.Fatalf("%s: no such file", w.file())
			}
			if w.found, err = collect.Find(files); err != nil {
				t.Fatal(err)
			}
			for _, found := range w.found {
				builders = append(builders, assess.Read(context.Background(), cfg.Collectors, []collect.Found{found}, nil)...)
			}
			if len(builders) != 1 {
				t.Fatalf("%s: %d scopes, expected one", w.file(), len(builders))
			}
			w.scope = builders[0].Build(cfg.Model)
			for _, p := range w.scope.Problems() {
				t.Errorf("%s", p.Error())
			}
			for _, c := range w.scope.Coverage() {
				t.Errorf("%s: %s is %s: %s", w.file(), c.Type, c.State, c.Reason)
			}
			w.identify(t)
			all[folder.Name()] = append(all[folder.Name()], w)
		}
	}
	return all
}

// identify names every resource by what does not depend on the language.
func (w *written) identify(t *testing.T) {
	t.Helper()
	w.byName = map[string]*estate.Resource{}
	for _, r := range w.scope.Resources() {
		if _, ok := toldApartBy[r.Type]; !ok {
			t.Errorf("%s: %s: toldApartBy does not say how resources of type %s are told apart", w.file(), r.LogicalID, r.Type)
		}
		name := w.identity(r)
		if other := w.byName[name]; other != nil {
			t.Errorf("%s: %s and %s are both %s", w.file(), other.LogicalID, r.LogicalID, name)
		}
		w.byName[name] = r
		w.names[r.LogicalID] = name
	}
}

// decideSame runs every check over every form, as a user's run does.
func decideSame(t *testing.T, cfg assess.Config, all map[string][]*written) {
	t.Helper()
	c := &outcomesByScope{byScope: map[string]*written{}}
	var files [][]collect.Found
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, w := range all[name] {
			for _, found := range w.found {
				files = append(files, []collect.Found{found})
			}
			c.byScope[w.scope.ID] = w
		}
	}
	if _, err := assess.Run(context.Background(), cfg, files, nil, c); err != nil {
		t.Fatal(err)
	}
}

// outcomesByScope takes the outcomes out of a stream.
type outcomesByScope struct {
	assess.Nothing
	checks  []assess.CheckInfo
	byScope map[string]*written
}

func (o *outcomesByScope) Header(h *assess.Header) error {
	o.checks = h.Checks
	return nil
}

func (o *outcomesByScope) note(scope, id string, r assess.ResourceInfo, outcome check.Outcome) {
	w := o.byScope[scope]
	w.outcomes[id+" "+w.names[r.LogicalID]] = outcome
}

func (o *outcomesByScope) Finding(f *assess.Finding) error {
	o.note(f.Scope, f.Check, f.Resource, f.Outcome)
	if f.Outcome == check.Unknown {
		var why []string
		for _, m := range f.Missing {
			why = append(why, m.Reason+": "+m.Input)
		}
		w := o.byScope[f.Scope]
		w.missing[f.Check+" "+w.names[f.Resource.LogicalID]] = strings.Join(why, "; ")
	}
	return nil
}

func (o *outcomesByScope) Function(*assess.Function) error { return nil }
func (o *outcomesByScope) Decided(d *assess.Decided) error {
	for _, i := range d.Pass {
		o.note(d.Scope, o.checks[i].ID, d.Resource, check.Pass)
	}
	for _, i := range d.NotApplicable {
		o.note(d.Scope, o.checks[i].ID, d.Resource, check.NotApplicable)
	}
	return nil
}

// toldApartBy says, for every type, which properties tell resources of the type
// apart. "functions" is not a property: it stands for the functions that a
// role without a name serves. "in" stands for the resources that a text refers
// to, where a plan does not show the text.
var toldApartBy = map[string][]string{
	"AWS::ApiGateway::Authorizer":               {"Name"},
	"AWS::ApiGateway::Deployment":               {"RestApiId"},
	"AWS::ApiGateway::Method":                   {"ResourceId", "HttpMethod"},
	"AWS::ApiGateway::Resource":                 {"RestApiId", "PathPart"},
	"AWS::ApiGateway::RestApi":                  {"Name"},
	"AWS::ApiGateway::Stage":                    {"RestApiId", "StageName"},
	"AWS::ApiGatewayV2::Api":                    {"Name"},
	"AWS::ApiGatewayV2::Authorizer":             {"Name"},
	"AWS::ApiGatewayV2::Integration":            {"ApiId", "IntegrationType"},
	"AWS::ApiGatewayV2::Route":                  {"ApiId", "RouteKey"},
	"AWS::ApiGatewayV2::Stage":                  {"ApiId", "StageName"},
	"AWS::Cognito::UserPool":                    {"UserPoolName"},
	"AWS::CloudWatch::Alarm":                    {"AlarmName"},
	"AWS::Cognito::UserPoolClient":              {"ClientName"},
	"AWS::ElasticLoadBalancingV2::Listener":     {"Port"},
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {"Name"},
	"AWS::ElasticLoadBalancingV2::TargetGroup":  {"Name"},
	"AWS::Logs::MetricFilter":                   {"FilterName"},
	"AWS::DynamoDB::Table":                      {"TableName"},
	"AWS::EC2::SecurityGroup":                   {"GroupName"},
	"AWS::EC2::Subnet":                          {"CidrBlock"},
	"AWS::EC2::VPC":                             {"CidrBlock"},
	"AWS::EC2::RouteTable":                      {"VpcId"},
	"AWS::EC2::SubnetRouteTableAssociation":     {"SubnetId"},
	"AWS::EC2::VPCEndpoint":                     {"ServiceName"},
	"AWS::S3::BucketPolicy":                     {"Bucket"},
	"AWS::SNS::TopicPolicy":                     {"Topics"},
	"AWS::SQS::QueuePolicy":                     {"Queues"},
	"AWS::SecretsManager::ResourcePolicy":       {"SecretId"},
	"AWS::ECR::Repository":                      {"RepositoryName"},
	"AWS::EFS::AccessPoint":                     {"FileSystemId", "RootDirectory.Path"},
	"AWS::EFS::FileSystem":                      {"PerformanceMode"},
	"AWS::EFS::MountTarget":                     {"FileSystemId", "SubnetId"},
	"AWS::Events::EventBus":                     {"Name"},
	"AWS::Events::Rule":                         {"Name"},
	"AWS::IAM::ManagedPolicy":                   {"ManagedPolicyName"},
	"AWS::IAM::Role":                            {"RoleName", "functions"},
	"AWS::KMS::Alias":                           {"AliasName"},
	"AWS::KMS::Key":                             {"Description"},
	"AWS::Kinesis::Stream":                      {"Name"},
	"AWS::Lambda::Alias":                        {"FunctionName", "Name"},
	"AWS::Lambda::CodeSigningConfig":            {"Description"},
	"AWS::Lambda::EventInvokeConfig":            {"FunctionName", "Qualifier"},
	"AWS::Lambda::EventSourceMapping":           {"FunctionName", "EventSourceArn"},
	"AWS::Lambda::Function":                     {"FunctionName"},
	"AWS::Lambda::LayerVersion":                 {"LayerName"},
	"AWS::Lambda::LayerVersionPermission":       {"LayerVersionArn", "Principal"},
	"AWS::Lambda::Permission":                   {"FunctionName", "Action", "Principal", "PrincipalOrgID", "SourceAccount", "in SourceArn"},
	"AWS::Lambda::Url":                          {"AuthType"},
	"AWS::Lambda::Version":                      {"FunctionName"},
	"AWS::Logs::LogGroup":                       {"LogGroupName"},
	"AWS::Logs::SubscriptionFilter":             {"LogGroupName", "DestinationArn"},
	"AWS::S3::Bucket":                           {"BucketName"},
	"AWS::SNS::Subscription":                    {"TopicArn", "Protocol"},
	"AWS::SNS::Topic":                           {"TopicName"},
	"AWS::SQS::Queue":                           {"QueueName"},
	"AWS::SSM::Parameter":                       {"Name"},
	"AWS::Scheduler::Schedule":                  {"Name"},
	"AWS::SecretsManager::RotationSchedule":     {"SecretId"},
	"AWS::SecretsManager::Secret":               {"Name"},
	"AWS::Signer::SigningProfile":               {"ProfileName"},
	"AWS::StepFunctions::StateMachine":          {"StateMachineName"},
	"AWS::WAFv2::WebACL":                        {"Name"},
	"AWS::WAFv2::WebACLAssociation":             {"WebACLArn"},
	"Assay::IAM::RolePolicyAttachment":          {"PolicyArn"},
}

// identity is the name of a resource over all languages.
func (w *written) identity(r *estate.Resource) string {
	var by []string
	for _, property := range toldApartBy[r.Type] {
		if property == "functions" {
			if len(by) == 0 {
				for _, e := range r.Incoming() {
					by = append(by, w.identity(e.From))
				}
			}
			continue
		}
		inside, whole := strings.CutPrefix(property, "in ")
		v := w.plain(r.Properties.Path(inside))
		if !whole && v != nil {
			by = append(by, v.String())
			continue
		}
		v.Each(func(x *estate.Value) bool {
			if x.Kind() == estate.KindReference {
				by = append(by, x.Reference().Resource)
			}
			return true
		})
	}
	slices.Sort(by)
	return r.Type + "(" + strings.Join(slices.Compact(by), ", ") + ")"
}

// isName says which property Ref gives, where it is one that the source
// states.
var isName = map[string]string{
	"AWS::ApiGateway::Stage": "StageName",
	"AWS::DynamoDB::Table":   "TableName",
	"AWS::ECR::Repository":   "RepositoryName",
	"AWS::Events::EventBus":  "Name",
	"AWS::Events::Rule":      "Name",
	"AWS::IAM::Role":         "RoleName",
	"AWS::KMS::Alias":        "AliasName",
	"AWS::Kinesis::Stream":   "Name",
	"AWS::Lambda::Function":  "FunctionName",
	"AWS::Logs::LogGroup":    "LogGroupName",
	"AWS::S3::Bucket":        "BucketName",
	"AWS::SSM::Parameter":    "Name",
}

// sameAttribute are attributes that give what Ref gives.
var sameAttribute = map[string]string{
	"AWS::ApiGateway::Authorizer.AuthorizerId":                  "Ref",
	"AWS::ApiGateway::Deployment.DeploymentId":                  "Ref",
	"AWS::ApiGateway::Resource.ResourceId":                      "Ref",
	"AWS::ApiGatewayV2::Api.ApiId":                              "Ref",
	"AWS::ApiGatewayV2::Authorizer.AuthorizerId":                "Ref",
	"AWS::ApiGatewayV2::Integration.IntegrationId":              "Ref",
	"AWS::Cognito::UserPool.UserPoolId":                         "Ref",
	"AWS::EC2::RouteTable.RouteTableId":                         "Ref",
	"AWS::EC2::SecurityGroup.GroupId":                           "Ref",
	"AWS::EFS::FileSystem.FileSystemId":                         "Ref",
	"AWS::ElasticLoadBalancingV2::LoadBalancer.LoadBalancerArn": "Ref",
	"AWS::ElasticLoadBalancingV2::TargetGroup.TargetGroupArn":   "Ref",
	"AWS::KMS::Key.KeyId":                                       "Ref",
	"AWS::Lambda::CodeSigningConfig.CodeSigningConfigArn":       "Ref",
}

// plain is a value with references written as what they point to, policies in
// one spelling, and nothing of where it came from.
func (w *written) plain(v *estate.Value) *estate.Value {
	return v.Rewrite(func(x *estate.Value) *estate.Value {
		switch x.Kind() {
		case estate.KindReference:
			return w.pointed(x)
		case estate.KindText:
			return estate.Text(x.Items()...)
		case estate.KindMap:
			if x.Field("Statement") != nil {
				return policy(x)
			}
		}
		return x
	})
}

func (w *written) pointed(v *estate.Value) *estate.Value {
	ref := v.Reference()
	r := w.scope.Resource(ref.Resource)
	if r == nil {
		return v
	}
	property := ref.Attribute
	if same, ok := sameAttribute[r.Type+"."+property]; ok {
		property = same
	}
	attribute := property
	if property == "Ref" {
		property = isName[r.Type]
	}
	if name := w.plain(r.Properties.Field(property)); name.Kind() == estate.KindString {
		return name
	}
	return estate.Ref(w.identity(r), attribute)
}

// policy is a policy document in one spelling: IAM takes a single value for a
// list of it, and every value of a condition for a text.
func policy(doc *estate.Value) *estate.Value {
	var statements []*estate.Value
	for _, s := range many(doc.Field("Statement")).Items() {
		for _, name := range []string{"Action", "NotAction", "Resource", "NotResource"} {
			s = s.With(name, many(s.Field(name)))
		}
		for _, name := range []string{"Principal", "NotPrincipal"} {
			s = s.With(name, fieldwise(s.Field(name), many))
		}
		s = s.With("Condition", fieldwise(s.Field("Condition"), func(c *estate.Value) *estate.Value {
			return fieldwise(c, func(v *estate.Value) *estate.Value { return many(v).Rewrite(text) })
		}))
		statements = append(statements, s)
	}
	return doc.With("Statement", estate.List(statements...))
}

func many(v *estate.Value) *estate.Value {
	if v == nil || v.Kind() == estate.KindList || v.Kind() == estate.KindUnknown {
		return v
	}
	return estate.List(v)
}

func text(v *estate.Value) *estate.Value {
	if s, ok := v.Scalar(); ok {
		return estate.String(s)
	}
	return v
}

func fieldwise(v *estate.Value, f func(*estate.Value) *estate.Value) *estate.Value {
	for _, field := range v.Fields() {
		v = v.With(field.Name, f(field.Value))
	}
	return v
}
