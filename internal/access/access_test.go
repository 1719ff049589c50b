package access

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

// scopesOf reads templates, which are one group. A template's text may be
// indented; "---" on a line of its own separates two.
func scopesOf(t testing.TB, templates string) []*estate.Scope {
	t.Helper()
	model, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	var builders []*estate.Builder
	for i, text := range strings.Split(templates, "\n---\n") {
		// Tests indent by tabs, which YAML does not take.
		text = strings.ReplaceAll("Resources:\n"+text, "\t", " ")
		c := cloudformation.New(cloudformation.Options{})
		builders = append(builders, c.Collect(context.Background(), collect.File{Name: string(rune('a'+i)) + ".yaml", Data: []byte(text), Named: true})...)
	}
	for _, b := range builders {
		b.Tie("a.yaml")
	}
	scopes := estate.Build(model, builders)
	for _, s := range scopes {
		for _, p := range s.Problems() {
			t.Fatal(p.Error())
		}
	}
	return scopes
}

func newAccess(t testing.TB) *Access {
	t.Helper()
	data, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	return New(data, tables.Escalation())
}

func resource(t *testing.T, scopes []*estate.Scope, name string) *estate.Resource {
	t.Helper()
	for _, s := range scopes {
		for _, r := range s.Resources() {
			if r.LogicalID == name {
				return r
			}
		}
	}
	t.Fatalf("no resource %s", name)
	return nil
}

var kinds = map[string]check.QuestionKind{
	"may": check.May, "trusts": check.Trusts, "trustsOnly": check.TrustsOnly, "administers": check.Administers,
	"lets": check.Lets, "letsStrangers": check.LetsStrangers, "answersAnyone": check.AnswersAnyone,
	"openTo": check.OpenTo, "mayAnywhere": check.MayAnywhere, "mayEvery": check.MayEvery, "changesAnywhere": check.ChangesAnywhere,
	"passesBeyond": check.PassesBeyond, "passesToAny": check.PassesToAny, "permitsAnywhere": check.PermitsAnywhere,
	"holdsService": check.HoldsService, "codeMayAnywhere": check.CodeMayAnywhere, "servesStrangers": check.ServesStrangers, "trustsToken": check.TrustsToken,
}

// ask reads "Role may sqs:SendMessage Queue": a subject, a question and its
// arguments, of which the last may be a resource.
func ask(t *testing.T, scopes []*estate.Scope, text string) *check.Question {
	t.Helper()
	words := strings.Fields(text)
	q := &check.Question{Kind: kinds[words[1]], Subject: resource(t, scopes, words[0]), View: undecided{}}
	q.Scope = q.Subject.Scope()
	rest := words[2:]
	if q.Kind == check.May || q.Kind == check.MayAnywhere || q.Kind == check.CodeMayAnywhere {
		q.Actions, rest = strings.Split(rest[0], ","), rest[1:]
	}
	for i, w := range rest {
		if last := i == len(rest)-1; last && (q.Kind == check.May || q.Kind == check.Lets && i == 2) && !strings.Contains(w, ":") && w != "*" {
			q.Object = resource(t, scopes, w)
			continue
		}
		q.Texts = append(q.Texts, estate.String(w))
	}
	return q
}

// answers are what questions get: "true", "false", or "maybe" with the inputs
// that are missing.
func answers(t *testing.T, a *Access, scopes []*estate.Scope, questions []string) []string {
	t.Helper()
	asker := a.Asker()
	var got []string
	for _, text := range questions {
		answer := asker.Ask(ask(t, scopes, text))
		line := map[estate.Truth]string{estate.True: "true", estate.False: "false", estate.Maybe: "maybe"}[answer.Truth]
		var missing []string
		for _, g := range answer.Missing {
			missing = append(missing, g.Input)
		}
		slices.Sort(missing)
		if answer.Truth == estate.Maybe {
			line += ": " + strings.Join(slices.Compact(missing), ", ")
		}
		got = append(got, text+" → "+line)
	}
	return got
}

// roleWith is a role with an inline policy of one statement.
func roleWith(name, statement string) string {
	return "\n " + name + ":\n  Type: AWS::IAM::Role\n  Properties:\n   AssumeRolePolicyDocument: {Version: \"2012-10-17\", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}\n" +
		"   Policies: [{PolicyName: p, PolicyDocument: {Version: \"2012-10-17\", Statement: [" + statement + "]}}]\n"
}

func TestAsk(t *testing.T) {
	a := newAccess(t)
	for _, tt := range []struct {
		name, template string
		want           []string
	}{
		{"identity policies", roleWith("Role", `{Effect: Allow, Action: "sqs:Send*", Resource: !GetAtt Queue.Arn}, {Effect: Deny, Action: sqs:SendMessage, Resource: !GetAtt Closed.Arn}`) + `
 Queue: {Type: AWS::SQS::Queue}
 Closed: {Type: AWS::SQS::Queue}
 Other: {Type: AWS::SQS::Queue}
`, []string{
			"Role may sqs:SendMessage Queue → true",
			"Role may sqs:SendMessage,sqs:ReceiveMessage Queue → false",
			"Role may sqs:SendMessage Closed → false",
			"Role may sqs:SendMessage Other → false",
			"Role trusts lambda.amazonaws.com → true",
			"Role trusts s3.amazonaws.com → false",
			"Role trustsOnly lambda.amazonaws.com → true",
			"Role trustsOnly edgelambda.amazonaws.com → false",
			"Role administers → false",
		}},
		{"texts with holes", roleWith("Role", `{Effect: Allow, Action: s3:PutObject, Resource: !Sub "arn:aws:s3:::${Bucket}/in/*"}, {Effect: Allow, Action: s3:GetObject, Resource: "arn:aws:s3:::ledger-*/*"}, {Effect: Allow, Action: sqs:SendMessage, Resource: !Sub "arn:aws:sqs:*:${AWS::AccountId}:*"}, {Effect: Allow, Action: sns:Publish, Resource: "arn:aws:sns:*:111122223333:*"}`) + `
 Bucket: {Type: AWS::S3::Bucket}
 Ledger: {Type: AWS::S3::Bucket, Properties: {BucketName: ledger-eu}}
 Queue: {Type: AWS::SQS::Queue}
 Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
`, []string{
			"Role may s3:PutObject Ledger → false",
			"Role may s3:PutObject Bucket → maybe: key of the object, name of Bucket",
			"Role may s3:GetObject Ledger → true",
			"Role may s3:GetObject Bucket → maybe: key of the object, name of Bucket",
			"Role may sqs:SendMessage Queue → true",
			"Role may sns:Publish Topic → maybe: AWS::AccountId, AWS::Region",
		}},
		{"what another stack exports", roleWith("Role", `{Effect: Allow, Action: sqs:SendMessage, Resource: !ImportValue known}, {Effect: Allow, Action: sns:Publish, Resource: !ImportValue unknown}, {Effect: Deny, Action: lambda:InvokeFunction, Resource: !ImportValue unknown}, {Effect: Allow, Action: "lambda:*", Resource: "*"}`) + `
 Topic: {Type: AWS::SNS::Topic}
 Function: {Type: AWS::Lambda::Function, Properties: {FunctionName: f}}
---
 Queue: {Type: AWS::SQS::Queue}
 Other: {Type: AWS::SQS::Queue}
Outputs:
 Queue: {Value: !GetAtt Queue.Arn, Export: {Name: known}}
`, []string{
			"Role may sqs:SendMessage Queue → true",
			"Role may sqs:SendMessage Other → false",
			"Role may sns:Publish Topic → maybe: AWS::AccountId, AWS::Region, export unknown, name of Topic",
			"Role may lambda:InvokeFunction Function → maybe: AWS::AccountId, AWS::Region, export unknown",
			"Role may lambda:GetFunction Function → true",
		}},
		{"conditions", roleWith("Role", `{Effect: Allow, Action: sqs:SendMessage, Resource: "*", Condition: {Bool: {"aws:SecureTransport": "true"}}}, {Effect: Allow, Action: sqs:ReceiveMessage, Resource: "*", Condition: {StringEquals: {"aws:SourceVpc": vpc-1}}}, {Effect: Allow, Action: sqs:DeleteMessage, Resource: "*", Condition: {ArnLike: {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}}}, {Effect: Allow, Action: sqs:PurgeQueue, Resource: "*", Condition: {StringEquals: {"aws:SourceAccount": "111122223333"}}}`) + `
 Queue: {Type: AWS::SQS::Queue}
`, []string{
			"Role may sqs:SendMessage Queue → true",
			"Role may sqs:ReceiveMessage Queue → maybe: aws:SourceVpc",
			"Role may sqs:DeleteMessage Queue → false",
			"Role may sqs:PurgeQueue Queue → false",
		}},
		{"a role with a path", `
 Role:
  Type: AWS::IAM::Role
  Properties:
   Path: /team/
   RoleName: charge
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}
   Policies: [{PolicyName: p, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: sqs:SendMessage, Resource: "*", Condition: {ArnLike: {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}}}, {Effect: Allow, Action: iam:PassRole, Resource: "arn:aws:iam::*:role/team/*"}, {Effect: Allow, Action: iam:GetRole, Resource: "arn:aws:iam::*:role/charge"}]}}]
 Queue: {Type: AWS::SQS::Queue}
`, []string{
			"Role may sqs:SendMessage Queue → true",
			"Role may iam:PassRole Role → true",
			"Role may iam:GetRole Role → false",
		}},
		{"boundaries", `
 Bounded:
  Type: AWS::IAM::Role
  Properties:
   PermissionsBoundary: !Ref Boundary
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}
   ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
 ByAWS:
  Type: AWS::IAM::Role
  Properties:
   PermissionsBoundary: arn:aws:iam::aws:policy/ReadOnlyAccess
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}
   ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
 Elsewhere:
  Type: AWS::IAM::Role
  Properties:
   PermissionsBoundary: arn:aws:iam::111122223333:policy/boundary
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}
   ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
 Free:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}
   ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
 Boundary:
  Type: AWS::IAM::ManagedPolicy
  Properties: {PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: "*"}]}}
 Queue: {Type: AWS::SQS::Queue}
 Topic: {Type: AWS::SNS::Topic}
`, []string{
			"Bounded may sqs:SendMessage Queue → true",
			"Bounded may sns:Publish Topic → false",
			"Bounded administers → false",
			"ByAWS may sqs:GetQueueAttributes Queue → true",
			"ByAWS may sqs:SendMessage Queue → false",
			"ByAWS administers → false",
			"Elsewhere may sqs:SendMessage Queue → maybe: Elsewhere.boundaries: outside what was read: arn:aws:iam::111122223333:policy/boundary",
			"Elsewhere administers → maybe: Elsewhere.boundaries: outside what was read: arn:aws:iam::111122223333:policy/boundary",
			"Free administers → true",
		}},
		{"policies of the estate and of elsewhere", `
 Role:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}
   ManagedPolicyArns: [!Ref Managed]
 Other:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}
   ManagedPolicyArns: [arn:aws:iam::111122223333:policy/shared]
 Unheard:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}
   ManagedPolicyArns: [arn:aws:iam::aws:policy/NoSuchPolicy]
 Managed:
  Type: AWS::IAM::ManagedPolicy
  Properties: {PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: sqs:SendMessage, Resource: "*"}]}}
 Attached:
  Type: AWS::IAM::Policy
  Properties: {PolicyName: a, Roles: [!Ref Role], PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: sqs:ReceiveMessage, Resource: "*"}]}}
 Queue: {Type: AWS::SQS::Queue}
`, []string{
			"Role may sqs:SendMessage,sqs:ReceiveMessage Queue → true",
			"Role may sqs:DeleteMessage Queue → false",
			"Other may sqs:SendMessage Queue → maybe: Other.managedPolicies: outside what was read: arn:aws:iam::111122223333:policy/shared",
			"Unheard may sqs:SendMessage Queue → maybe: arn:aws:iam::aws:policy/NoSuchPolicy, which is not in the table of AWS's managed policies",
		}},
		{"trust", `
 Account:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}, {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: sts:AssumeRole}]}
 Denied:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: [lambda.amazonaws.com, ec2.amazonaws.com]}, Action: sts:AssumeRole}, {Effect: Deny, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}]}
 Conditional:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole, Condition: {StringEquals: {"aws:SourceAccount": "111122223333"}}}]}
 Web:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Federated: accounts.google.com}, Action: sts:AssumeRoleWithWebIdentity}]}
 Anyone:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: sts:AssumeRole}]}
 Passed:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: !ImportValue partner}, Action: sts:AssumeRole}]}
 Tagging:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:TagSession}]}
 Whole:
  Type: AWS::IAM::Role
  Properties:
   AssumeRolePolicyDocument: !ImportValue trust
`, []string{
			"Account trustsOnly lambda.amazonaws.com → false",
			"Denied trustsOnly lambda.amazonaws.com → true",
			"Denied trusts ec2.amazonaws.com → false",
			"Conditional trusts lambda.amazonaws.com → maybe: aws:SourceAccount",
			"Conditional trustsOnly lambda.amazonaws.com → true",
			"Web trusts lambda.amazonaws.com → false",
			"Web trustsOnly lambda.amazonaws.com → false",
			"Anyone trusts lambda.amazonaws.com → true",
			"Anyone trustsOnly lambda.amazonaws.com → false",
			"Passed trustsOnly lambda.amazonaws.com → maybe: export partner",
			"Tagging trusts lambda.amazonaws.com → false",
			"Whole trusts lambda.amazonaws.com → maybe: Whole.AssumeRolePolicyDocument: export of another stack: export trust",
			"Whole trustsOnly lambda.amazonaws.com → maybe: Whole.AssumeRolePolicyDocument: export of another stack: export trust",
		}},
		{"policies of queues and keys", roleWith("Role", `{Effect: Allow, Action: "kms:Decrypt", Resource: "*"}, {Effect: Allow, Action: sqs:SendMessage, Resource: "*"}`) + `
 Queue: {Type: AWS::SQS::Queue}
 Closed: {Type: AWS::SQS::Queue}
 Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
 Other: {Type: AWS::SNS::Topic, Properties: {TopicName: other}}
 Bucket: {Type: AWS::S3::Bucket}
 Policy:
  Type: AWS::SQS::QueuePolicy
  Properties:
   Queues: [!Ref Queue]
   PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn, Condition: {ArnEquals: {"aws:SourceArn": !Ref Topic}}}, {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sqs:SendMessage, Resource: "*", Condition: {StringEquals: {"aws:SourceAccount": !Ref "AWS::AccountId"}}}]}
 Deny:
  Type: AWS::SQS::QueuePolicy
  Properties:
   Queues: [!Ref Closed]
   PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Deny, Principal: "*", Action: "sqs:*", Resource: "*"}]}
 Plain: {Type: AWS::KMS::Key}
 Strict:
  Type: AWS::KMS::Key
  Properties: {KeyPolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: "arn:aws:iam::111122223333:user/admin"}, Action: "kms:*", Resource: "*"}]}}
 Named:
  Type: AWS::KMS::Key
  Properties: {KeyPolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: "kms:GenerateDataKey", Resource: "*"}]}}
`, []string{
			"Queue lets sns.amazonaws.com sqs:SendMessage Topic → true",
			"Queue lets sns.amazonaws.com sqs:SendMessage Other → false",
			"Queue lets sns.amazonaws.com sqs:SendMessage Bucket → false",
			"Queue lets events.amazonaws.com sqs:SendMessage Topic → true",
			"Queue lets events.amazonaws.com sqs:SendMessage arn:aws:events:eu-central-1:999999999999:rule/r → maybe: AWS::AccountId",
			"Queue lets s3.amazonaws.com sqs:SendMessage Bucket → false",
			"Closed lets sns.amazonaws.com sqs:SendMessage Topic → false",
			"Role may sqs:SendMessage Closed → false",
			"Role may kms:Decrypt Plain → true",
			"Role may kms:Decrypt Strict → false",
			"Role may kms:GenerateDataKey Named → true",
			"Role may kms:Decrypt Named → false",
		}},
		{"resources that the estate does not hold", roleWith("Role", `{Effect: Allow, Action: [s3:GetObject, "ec2:*"], Resource: "*"}`), []string{
			"Role may s3:PutObject arn:aws:s3:::elsewhere/x → maybe: AWS::AccountId, aws:ResourceAccount, policy of arn:aws:s3:::elsewhere/x, which is not in what was read",
			"Role may ec2:CreateNetworkInterface * → true",
			"Role may ec2:DescribeVpcs * → true",
			"Role may xray:PutTraceSegments * → false",
		}},
		{"permissions", `
 F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f}}
 Bucket: {Type: AWS::S3::Bucket}
 Own: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: s3.amazonaws.com, SourceArn: !GetAtt Bucket.Arn, SourceAccount: !Ref "AWS::AccountId"}}
 Bare: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: s3.amazonaws.com}}
 ByName: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: s3.amazonaws.com, SourceArn: "arn:aws:s3:::ledger"}}
 ByPattern: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: s3.amazonaws.com, SourceArn: "arn:aws:s3:::ledger-*"}}
 ByAccount: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: events.amazonaws.com, SourceAccount: "111122223333"}}
 ByARN: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: events.amazonaws.com, SourceArn: "arn:aws:events:eu-central-1:111122223333:rule/*"}}
 AnyAccount: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: events.amazonaws.com, SourceArn: "arn:aws:events:*:*:rule/*"}}
 Everyone: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: "*"}}
 Organisation: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: "*", PrincipalOrgID: o-abc}}
 Partner: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: "444455556666"}}
 Skill: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: alexa-appkit.amazon.com}}
 OneSkill: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: alexa-appkit.amazon.com, EventSourceToken: amzn1.ask.skill.x}}
 Imported: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: s3.amazonaws.com, SourceArn: !ImportValue bucket}}
`, []string{
			"Own letsStrangers → false",
			"Bare letsStrangers → true",
			"ByName letsStrangers → false",
			"ByPattern letsStrangers → true",
			"ByAccount letsStrangers → false",
			"ByARN letsStrangers → false",
			"AnyAccount letsStrangers → true",
			"Everyone letsStrangers → true",
			"Organisation letsStrangers → false",
			"Partner letsStrangers → false",
			"Skill letsStrangers → true",
			"OneSkill letsStrangers → false",
			"F lets alexa-appkit.amazon.com lambda:InvokeFunction → true",
			"Imported letsStrangers → maybe: export bucket, source that the permission names",
		}},
		{"function URLs", `
 F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f}}
 G: {Type: AWS::Lambda::Function, Properties: {FunctionName: g}}
 H: {Type: AWS::Lambda::Function, Properties: {FunctionName: h}}
 Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref H, Name: live, FunctionVersion: "1"}}
 Open: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref F, AuthType: NONE}}
 Shut: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref G, AuthType: NONE}}
 OfAlias: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref H, Qualifier: live, AuthType: NONE}}
 Latest: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref H, AuthType: NONE}}
 Elsewhere: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !ImportValue function, AuthType: NONE}}
 P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunctionUrl, Principal: "*", FunctionUrlAuthType: NONE}}
 Q: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref G, Action: lambda:InvokeFunctionUrl, Principal: "*", FunctionUrlAuthType: AWS_IAM}}
 R: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Live, Action: lambda:InvokeFunctionUrl, Principal: "*", FunctionUrlAuthType: NONE}}
`, []string{
			"Open answersAnyone → true",
			"Shut answersAnyone → false",
			"OfAlias answersAnyone → true",
			"Latest answersAnyone → false",
			"Elsewhere answersAnyone → maybe: export function",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scopes := scopesOf(t, tt.template)
			var questions []string
			for _, w := range tt.want {
				q, _, _ := strings.Cut(w, " → ")
				questions = append(questions, q)
			}
			if diff := cmp.Diff(strings.Join(tt.want, "\n"), strings.Join(answers(t, a, scopes, questions), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
