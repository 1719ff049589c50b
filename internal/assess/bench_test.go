package assess_test

import (
	"context"
	"flag"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"assay/checks"
	"assay/iam"
	"assay/internal/access"
	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

// TestMain lets the heap grow as the command does.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// config is a run over the built-in catalogue.
func config(t testing.TB) assess.Config {
	t.Helper()
	model, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	lib, err := check.NewLibrary(model, check.Tables{Runtimes: tables.Runtimes(), TLSPolicies: tables.TLSPolicies(), FIPSEndpoints: tables.FIPSEndpoints(), ServicePrincipals: tables.ServicePrincipals(), Programmes: tables.Programmes()})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	if err := lib.Declare(cat.Parameters); err != nil {
		t.Fatal(err)
	}
	facts, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	return assess.Config{
		Asker:      access.New(facts, tables.Escalation()).Asker,
		Collectors: []collect.Collector{cloudformation.New(cloudformation.Options{PolicyTemplates: tables.SAMPolicyTemplates()})},
		Model:      model, Library: lib, Catalog: cat, Frameworks: cat.Frameworks, AsOf: "2026-11-24",
	}
}

// BenchmarkTemplate runs everything over one template of so many functions,
// which shows whether cost grows with the template or faster.
func BenchmarkTemplate(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("functions=%d", n), func(b *testing.B) {
			var s strings.Builder
			s.WriteString("Transform: AWS::Serverless-2016-10-31\nResources:\n")
			for i := range n {
				fmt.Fprintf(&s, "  F%d: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Handler: a.b, Runtime: python3.13, Events: {E: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}}}\n", i)
			}
			cfg := config(b)
			b.ReportAllocs()
			for b.Loop() {
				sum, err := assess.Run(context.Background(), cfg, [][]collect.Found{{collect.Stdin}}, strings.NewReader(s.String()), assess.Nothing{})
				if err != nil || sum.Functions != n {
					b.Fatal(sum, err)
				}
			}
		})
	}
}

// account is a collector of a live account that is made up, in which every
// function has a role, a log group, a key and a permission of its own.
type account struct{ functions int }

func (account) Name() string             { return "made up" }
func (account) Claims(collect.File) bool { return true }

func (a account) Collect(context.Context, collect.File) []*estate.Builder {
	b := estate.NewBuilder("111122223333/eu-west-1", "aws")
	b.Place("eu-west-1", "111122223333")
	add := func(kind, id, properties string) {
		v := &estate.Value{}
		if err := v.UnmarshalJSON([]byte(properties)); err != nil {
			panic(err)
		}
		b.Add(estate.Resource{Type: kind, ID: id, LogicalID: id, Properties: v})
	}
	const here = "eu-west-1:111122223333"
	for i := range a.functions {
		function, role, key := fmt.Sprintf("arn:aws:lambda:%s:function:f-%d", here, i), fmt.Sprintf("arn:aws:iam::111122223333:role/r-%d", i), fmt.Sprintf("arn:aws:kms:%s:key/%08d-1111-2222-3333-444455556666", here, i)
		logs := fmt.Sprintf("arn:aws:logs:%s:log-group:/aws/lambda/f-%d", here, i)
		add("AWS::Lambda::Function", function, fmt.Sprintf(`{"FunctionName": "f-%d", "Handler": "a.b", "Runtime": "python3.13", "Code": {}, "Role": %q, "KmsKeyArn": %q, "Environment": {"Variables": {"STAGE": "prod"}}}`, i, role, key))
		add("AWS::IAM::Role", role, fmt.Sprintf(`{"RoleName": "r-%d", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
			"Policies": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
				{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": %q},
				{"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "%s:*"}]}}]}`, i, key, logs))
		add("AWS::Logs::LogGroup", logs, fmt.Sprintf(`{"LogGroupName": "/aws/lambda/f-%d", "RetentionInDays": 400, "KmsKeyId": %q}`, i, key))
		add("AWS::KMS::Key", key, `{"EnableKeyRotation": true, "KeyPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]}}`)
		add("AWS::Lambda::Permission", fmt.Sprintf("%s|sns", function), fmt.Sprintf(`{"FunctionName": %q, "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com", "SourceArn": "arn:aws:sns:%s:t-%d"}`, function, here, i))
	}
	return []*estate.Builder{b}
}

var large = flag.Bool("large", false, "BenchmarkEstate goes on to 100,000 functions")

// BenchmarkEstate is the cost of one account and region as it grows: time and
// what is allocated have to grow with it and no faster. -benchtime 1x will do;
// with -large the last takes minutes and 8 GB.
func BenchmarkEstate(b *testing.B) {
	sizes := []int{100, 1000, 10000}
	if *large {
		sizes = append(sizes, 30000, 100000)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("functions=%d", n), func(b *testing.B) {
			cfg := config(b)
			cfg.Collectors = []collect.Collector{account{n}}
			b.ReportAllocs()
			for b.Loop() {
				sum, err := assess.Run(context.Background(), cfg, [][]collect.Found{{collect.Stdin}}, strings.NewReader(""), assess.Nothing{})
				if err != nil || sum.Functions != n || sum.Errors > 0 {
					b.Fatal(sum, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/function")
		})
	}
}
