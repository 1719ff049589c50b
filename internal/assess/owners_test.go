package assess_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/estate"
)

// TestOwners holds patterns to what code hosts say of CODEOWNERS.
func TestOwners(t *testing.T) {
	const owners = `# whose is what
* @org/all
*.tf @org/platform # by ending
/apps/ @org/apps
apps/billing/** billing@example.com @org/billing
docs/* @org/docs
**/secret.yaml @org/security
services @org/services
/apps/free.yaml
/v?.yaml @org/versions
`
	for file, want := range map[string]string{
		"template.yaml":            "@org/all",
		"infra/main.tf":            "@org/platform",
		"apps/a/template.yaml":     "@org/apps",
		"apps/billing/t.yaml":      "billing@example.com @org/billing",
		"x/apps/a/template.yaml":   "@org/all",
		"docs/a.yaml":              "@org/docs",
		"docs/deeper/a.yaml":       "@org/all",
		"a/b/secret.yaml":          "@org/security",
		"secret.yaml":              "@org/security",
		"x/services/t/stack.yaml":  "@org/services",
		"services":                 "@org/services",
		"apps/free.yaml":           "",
		"v1.yaml":                  "@org/versions",
		"apps/billing/secret.yaml": "@org/security",
	} {
		o, err := assess.ParseOwners("CODEOWNERS", ".", []byte(owners))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := o.Of(file); strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", file, got, want)
		}
	}
	below, err := assess.ParseOwners("CODEOWNERS", "repo/", []byte("/a.yaml @one\n"))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"repo/a.yaml": "@one", "a.yaml": "", "repo/b/a.yaml": ""} {
		if got, _ := below.Of(file); strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", file, got, want)
		}
	}
	for _, pattern := range []string{"!a @x", "[ab].tf @x"} {
		if _, err := assess.ParseOwners("CODEOWNERS", ".", []byte("\n"+pattern+"\n")); err == nil || !strings.Contains(err.Error(), "CODEOWNERS:2:1") {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func TestOwnedBy(t *testing.T) {
	template := `Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn, Tags: [{Key: team, Value: later}, {Key: Owner, Value: payments}]}}
  G: {Type: AWS::Lambda::Function, Properties: {Tags: [{Key: x, Value: y}]}}
  L: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub "/aws/lambda/${F}"}}
  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}}}
`
	cfg := config(t)
	var err error
	if cfg.Owners, err = assess.ParseOwners("CODEOWNERS", ".", []byte("* @org/all\n")); err != nil {
		t.Fatal(err)
	}
	m := assessTemplate(t, cfg, template)
	want := map[string]string{"F": "payments (tag Owner)", "G": "@org/all (CODEOWNERS:1)", "L": "payments (tag Owner of F)"}
	seen := map[string]bool{}
	for _, f := range m.findings {
		if f.Owner == nil {
			t.Fatalf("%s of %s has no owner", f.Check, f.Resource.LogicalID)
		}
		if got := strings.Join(f.Owner.Names, " ") + " (" + f.Owner.By + ")"; want[f.Resource.LogicalID] != "" && got != want[f.Resource.LogicalID] {
			t.Errorf("%s of %s: owned by %s", f.Check, f.Resource.LogicalID, got)
		}
		seen[f.Resource.LogicalID] = true
	}
	if !seen["F"] || !seen["G"] || !seen["L"] {
		t.Errorf("findings only of %v", seen)
	}
	for name, is := range map[string]bool{"@org/all": true, "ORG/ALL": true, "all": true, "org": false, "payments": false} {
		if got := (&assess.Owned{Names: []string{"@org/all"}}).Is(name); got != is {
			t.Errorf("%s: %v", name, got)
		}
	}
	var nobody *assess.Owned
	if nobody.Is("") {
		t.Error("what nobody owns is owned")
	}
}

// TestSharedCauses: one role, one Globals section.
func TestSharedCauses(t *testing.T) {
	const role = `
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}
`
	for _, tt := range []struct {
		name, check, template, kind, cause string
		findings                           int
	}{
		{"globals", "LAMBDA-TRACING-ACTIVE", `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Tracing: PassThrough, Runtime: python3.13, Handler: a.b, InlineCode: x}}
Resources:
  A: {Type: AWS::Serverless::Function}
  B: {Type: AWS::Serverless::Function}
  C: {Type: AWS::Serverless::Function, Properties: {Tracing: Active}}
`, assess.CauseGlobals, "Globals", 2},
		{"a_route", "LAMBDA-VPC-PRIVATE-SUBNET", `Resources:
  A: {Type: AWS::Lambda::Function, Properties: {VpcConfig: {SubnetIds: [!Ref S]}}}
  B: {Type: AWS::Lambda::Function, Properties: {VpcConfig: {SubnetIds: [!Ref S]}}}
  S: {Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-1}}
  T: {Type: AWS::EC2::RouteTable, Properties: {VpcId: vpc-1}}
  O: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref S, RouteTableId: !Ref T}}
  W: {Type: AWS::EC2::Route, Properties: {RouteTableId: !Ref T, DestinationCidrBlock: 0.0.0.0/0, GatewayId: igw-1}}
`, assess.CauseResource, "W", 2},
		{"each_its_own", "LAMBDA-TRACING-ACTIVE", `Resources:
  A: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn}}
  B: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn}}` + role, "", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := assessTemplate(t, config(t), tt.template)
			sharing := 0
			ids := map[string]bool{}
			for _, f := range m.findings {
				if f.Check != tt.check || f.Outcome != check.Fail {
					continue
				}
				if f.Cause == nil {
					if tt.kind != "" {
						t.Errorf("%s has no cause", f.Resource.LogicalID)
					}
					continue
				}
				sharing++
				ids[f.Cause.ID] = true
				if f.Cause.Kind != tt.kind || f.Cause.Name != tt.cause || f.Cause.Findings != tt.findings || f.Cause.Functions != tt.findings {
					t.Errorf("%+v", f.Cause)
				}
			}
			if sharing != tt.findings || len(ids) > 1 {
				t.Errorf("%d findings share %d causes", sharing, len(ids))
			}
		})
	}
}

// read is an account of four functions in two subnets. All that one call answered
// stands at one place.
type read struct{}

func (read) Name() string             { return "made up" }
func (read) Claims(collect.File) bool { return true }

func (read) Collect(context.Context, collect.File) []*estate.Builder {
	b := estate.NewBuilder("111122223333/eu-west-1", "aws")
	b.Place("eu-west-1", "111122223333")
	add := func(kind, id, call, properties string) {
		at := estate.Position{File: "aws://111122223333/eu-west-1/" + call}
		v := &estate.Value{}
		if err := v.UnmarshalJSON([]byte(properties)); err != nil {
			panic(err)
		}
		fields := slices.Clone(v.Fields())
		for i := range fields {
			fields[i].Value = fields[i].Value.At(at)
		}
		b.Add(estate.Resource{Type: kind, ID: id, LogicalID: id, Address: id, Properties: estate.Map(fields...).At(at), Source: at})
	}
	for i, subnet := range []string{"s-1", "s-1", "s-2", "s-2"} {
		add("AWS::Lambda::Function", fmt.Sprintf("arn:aws:lambda:eu-west-1:111122223333:function:f-%d", i), "lambda:ListFunctions",
			fmt.Sprintf(`{"FunctionName": "f-%d", "TracingConfig": {"Mode": "PassThrough"}, "VpcConfig": {"SubnetIds": [%q]}}`, i, subnet))
	}
	for i := 1; i <= 2; i++ {
		add("AWS::EC2::Subnet", fmt.Sprintf("s-%d", i), "ec2:DescribeSubnets", `{"VpcId": "vpc-1"}`)
		add("AWS::EC2::RouteTable", fmt.Sprintf("t-%d", i), "ec2:DescribeRouteTables", `{"VpcId": "vpc-1"}`)
		add("AWS::EC2::SubnetRouteTableAssociation", fmt.Sprintf("o-%d", i), "ec2:DescribeRouteTables", fmt.Sprintf(`{"SubnetId": "s-%d", "RouteTableId": "t-%d"}`, i, i))
		add("AWS::EC2::Route", fmt.Sprintf("w-%d", i), "ec2:DescribeRouteTables", fmt.Sprintf(`{"RouteTableId": "t-%d", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}`, i))
	}
	return []*estate.Builder{b}
}

// TestSharedCausesOfAccounts: two findings share the resource that both stand on, and
// not the call that answered.
func TestSharedCausesOfAccounts(t *testing.T) {
	cfg := config(t)
	cfg.Collectors = []collect.Collector{read{}}
	m := &messages{}
	if _, err := assess.Run(t.Context(), cfg, [][]collect.Found{{collect.Stdin}}, strings.NewReader(""), m); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range m.findings {
		switch {
		case f.Outcome != check.Fail:
		case f.Check == "LAMBDA-TRACING-ACTIVE" && f.Cause == nil:
			got["its own"]++
		case f.Check == "LAMBDA-VPC-PRIVATE-SUBNET" && f.Cause != nil:
			got[fmt.Sprintf("%s %s of %d", f.Cause.Kind, f.Cause.Name, f.Cause.Findings)]++
		case f.Cause != nil:
			t.Errorf("%s: %+v", f.Check, f.Cause)
		}
	}
	if diff := cmp.Diff(map[string]int{"its own": 4, "resource w-1 of 2": 2, "resource w-2 of 2": 2}, got); diff != "" {
		t.Error(diff)
	}
}
