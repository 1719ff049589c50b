package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/iam"
)

// TestCan asks in the names of an estate. An answer is the decision, the gate
// and what is missing.
func TestCan(t *testing.T) {
	a := newAccess(t)
	const open = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	scopes := scopesOf(t, roleWith("Role", `{Effect: Allow, Action: [sqs:SendMessage, s3:GetObject], Resource: "*"}, {Effect: Allow, Action: lambda:InvokeFunction, Resource: "arn:aws:lambda:*:*:function:f:live"}`)+`
 F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f, Role: !GetAtt Role.Arn}}
 G: {Type: AWS::Lambda::Function, Properties: {FunctionName: g, Role: !ImportValue role}}
 Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref F, Name: live, FunctionVersion: "1"}}
 Ofalias: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Live, Action: lambda:InvokeFunction, Principal: "*"}}
 Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}
 Table: {Type: AWS::DynamoDB::Table, Properties: {ResourcePolicy: {PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Deny, Principal: "*", Action: "dynamodb:*", Resource: "*"}]}}}}
 Bus: {Type: AWS::Events::EventBus, Properties: {Name: b}}
 BusPolicy: {Type: AWS::Events::EventBusPolicy, Properties: {EventBusName: b, StatementId: s, Action: "events:PutEvents", Principal: "*"}}
 Ann: {Type: AWS::IAM::User, Properties: {Policies: [{PolicyName: p, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: "*"}]}}]}}
 Bob: {Type: AWS::IAM::User, Properties: {Groups: [senders]}}
 API: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref F, AuthType: AWS_IAM}}
---
 Role: {Type: AWS::IAM::Role, Properties: {RoleName: other, AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}}}
`)
	compile := func(doc string) [][]*iam.Policy {
		parsed, err := iam.Parse([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		return [][]*iam.Policy{{iam.Compile("given", parsed, a.data)}}
	}
	for _, tt := range []struct {
		ask   string
		query Query
		want  string
	}{
		{"F sqs:SendMessage Queue", Query{}, "allowed"},
		{"F sqs:DeleteMessage Queue", Query{}, "implicit-deny identity"},
		{"F sqs:SendMessage Queue", Query{SCPs: compile(`{"Version":"2012-10-17","Statement":[]}`)}, "implicit-deny scp"},
		{"F sqs:SendMessage Queue", Query{SCPs: compile(open), RCPs: compile(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a"}}}]}`)}, "unknown rcp: aws:PrincipalOrgID"},
		{"F sqs:SendMessage Queue", Query{Endpoint: compile(open)[0]}, "allowed"},
		{"F sqs:SendMessage Queue", Query{Endpoint: compile(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`)[0]}, "implicit-deny endpoint"},
		{"F lambda:InvokeFunction F:live", Query{}, "allowed"},
		{"F lambda:InvokeFunction F", Query{}, "implicit-deny identity"},
		{"F lambda:InvokeFunction Live", Query{}, "allowed"},
		{"anonymous lambda:InvokeFunction Live", Query{}, "allowed"},
		{"anonymous lambda:InvokeFunction F", Query{}, "implicit-deny resource"},
		{"F dynamodb:GetItem Table", Query{}, "explicit-deny resource"},
		{"F events:PutEvents Bus", Query{}, "allowed"},
		{"Ann sqs:DeleteMessage Queue", Query{}, "allowed"},
		{"Bob sqs:DeleteMessage Queue", Query{}, "unknown identity: policies of the groups of Bob, which are not followed"},
		{"Bob sqs:DeleteMessage Queue", Query{Complete: true}, "unknown identity: policies of the groups of Bob, which are not followed"},
		{"a.yaml#Role sqs:SendMessage Queue", Query{}, "allowed"},
		{"b.yaml#Role sqs:SendMessage Queue", Query{}, "implicit-deny identity"},
		{"arn:aws:iam::111122223333:role/other sqs:SendMessage arn:aws:sqs:eu-central-1:111122223333:q", Query{}, "implicit-deny identity"},
		{"arn:aws:iam::444455556666:role/other sqs:SendMessage arn:aws:sqs:eu-central-1:111122223333:q", Query{}, "implicit-deny resource"},
		{"arn:aws:iam::111122223333:role/nobody sqs:SendMessage Queue", Query{}, "unknown resource: AWS::AccountId, aws:ResourceAccount, identity policies of arn:aws:iam::111122223333:role/nobody, permissions boundary of arn:aws:iam::111122223333:role/nobody"},
		{"arn:aws:iam::111122223333:root sqs:SendMessage arn:aws:sqs:eu-central-1:111122223333:q", Query{}, "allowed contested root-allowed"},
		{"arn:aws:iam::111122223333:root sqs:SendMessage arn:aws:sqs:eu-central-1:444455556666:q", Query{}, "implicit-deny resource"},
		{"F lambda:InvokeFunctionUrl F", Query{}, "implicit-deny identity"},
		{"F lambda:InvokeFunction F:live", Query{Context: map[string][]string{"lambda:InvokedViaFunctionUrl": {"true"}}}, "allowed"},

		{"G sqs:SendMessage Queue", Query{}, "error: principal G: its role is not in the estate; give the role's ARN"},
		{"Role sqs:SendMessage Queue", Query{}, `error: principal: "Role" is the address of several resources; give one of a.yaml#Role, b.yaml#Role`},
		{"Queue sqs:SendMessage Queue", Query{}, "error: principal Queue is a AWS::SQS::Queue; expected a function, a role or a user"},
		{"F/x sqs:SendMessage Queue", Query{}, `error: principal F/x: F has nothing that is called "/x"`},
		{"Fx sqs:SendMessage Queue", Query{}, `error: principal "Fx" is neither a function, role or user of the estate, nor an ARN of a principal, a service's name or anonymous`},
		{"F SendMessage Queue", Query{}, `error: action "SendMessage"; expected service:Name, such as lambda:InvokeFunction`},
		{"F sqs:SendMessage Quue", Query{}, `error: resource "Quue" is neither an ARN nor the address of a resource in the estate; did you mean Queue? (assay estate PATH lists them)`},
		{"F lambda:GetFunction API", Query{}, "error: resource API: the ARNs of AWS::Lambda::Url are not known; give the ARN"},
	} {
		words := strings.Fields(tt.ask)
		tt.query.Principal, tt.query.Action, tt.query.Resource = words[0], words[1], words[2]
		var got string
		f, err := a.Can(scopes, tt.query)
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = strings.TrimSpace(f.Decision.String() + " " + f.Gate.String())
			var missing []string
			for _, g := range f.Missing {
				missing = append(missing, g.Input)
			}
			slices.Sort(missing)
			if len(missing) > 0 {
				got += ": " + strings.Join(missing, ", ")
			}
			if len(f.Contested) > 0 {
				got += " contested " + strings.Join(f.Contested, ", ")
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %+v: (-want +got):\n%s", tt.ask, tt.query.Context, diff)
		}
	}
}

// TestCanStatements holds what an answer shows to the places in the template.
func TestCanStatements(t *testing.T) {
	scopes := scopesOf(t, roleWith("Role", `{Effect: Allow, Action: sqs:SendMessage, Resource: "*"}, {Effect: Deny, Action: "sqs:*", Resource: !ImportValue q}`)+`
 Queue: {Type: AWS::SQS::Queue}
`)
	f, err := newAccess(t).Can(scopes, Query{Principal: "Role", Action: "sqs:SendMessage", Resource: "Queue"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range f.Statements {
		got = append(got, fmt.Sprintf("%s %s %s: %s (%s)", s.Match, s.Effect, s.Policy, s.Why, s.Position))
	}
	want := []string{
		"yes Allow Role.Policies[0].PolicyDocument.Statement[0]:  (a.yaml:7:83)",
		"unknown Deny Role.Policies[0].PolicyDocument.Statement[1]: whether it names the resource depends on texts that are not known (a.yaml:7:140)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
