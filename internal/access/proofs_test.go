package access

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/iam"
)

// function is a function with a role, and what else a test needs.
const function = `
 F: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn}}`

// TestBreadth asks what roles may do on resources that no policy names.
func TestBreadth(t *testing.T) {
	for _, c := range []struct {
		name, template string
		want           []string
	}{
		{"a pattern of names, a star and a list of keys",
			roleWith("Named", `{Effect: Allow, Action: ["kms:Decrypt"], Resource: "arn:aws:kms:*:*:key/1234"}`) +
				roleWith("Star", `{Effect: Allow, Action: ["kms:Decrypt"], Resource: "arn:aws:kms:*:*:key/*"}`) +
				roleWith("All", `{Effect: Allow, Action: ["kms:*"], Resource: "*"}`),
			[]string{
				"Named mayAnywhere kms:Decrypt → false", "Star mayAnywhere kms:Decrypt → true", "All mayAnywhere kms:Decrypt → true",
				"Star mayEvery kms → false", "All mayEvery kms → true", "Named changesAnywhere → false", "All changesAnywhere → true",
			}},
		{"conditions about the resource narrow, others do not",
			roleWith("Tagged", `{Effect: Allow, Action: "s3:DeleteBucket", Resource: "*", Condition: {StringEquals: {"aws:ResourceTag/team": a}}}`) +
				roleWith("Tls", `{Effect: Allow, Action: "s3:DeleteBucket", Resource: "*", Condition: {Bool: {"aws:SecureTransport": "true"}}}`),
			[]string{"Tagged changesAnywhere → false", "Tls changesAnywhere → true"}},
		{"a Deny takes it back, under its condition",
			roleWith("Never", `{Effect: Allow, Action: "s3:*", Resource: "*"}, {Effect: Deny, Action: "s3:Delete*", Resource: "*"}`) +
				roleWith("Plain", `{Effect: Allow, Action: "s3:*", Resource: "*"}, {Effect: Deny, Action: "s3:Delete*", Resource: "*", Condition: {Bool: {"aws:SecureTransport": "false"}}}`),
			[]string{"Never mayAnywhere s3:DeleteObject → false", "Plain mayAnywhere s3:DeleteObject → true", "Never mayEvery s3 → false"}},
		{"passing roles",
			roleWith("ToLambda", `{Effect: Allow, Action: "iam:PassRole", Resource: "*", Condition: {StringEquals: {"iam:PassedToService": lambda.amazonaws.com}}}`) +
				roleWith("ToAny", `{Effect: Allow, Action: "iam:PassRole", Resource: "arn:aws:iam::*:role/app-*"}`) +
				roleWith("ButOne", `{Effect: Allow, Action: "iam:PassRole", Resource: "*", Condition: {StringNotEquals: {"iam:PassedToService": ec2.amazonaws.com}}}`),
			[]string{
				"ToLambda passesBeyond lambda.amazonaws.com → false", "ToLambda passesBeyond ec2.amazonaws.com → true",
				"ToAny passesBeyond lambda.amazonaws.com → true", "ButOne passesBeyond lambda.amazonaws.com → true",
				"ToAny mayAnywhere iam:PassRole → false",
				"ToLambda passesToAny → false", "ToAny passesToAny → true", "ButOne passesToAny → true",
			}},
		{"what AWS grants functions for their running",
			roleWith("Running", `{Effect: Allow, Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "xray:PutTraceSegments"], Resource: "*"}`) +
				roleWith("Logs", `{Effect: Allow, Action: "logs:*", Resource: "arn:aws:logs:*:*:*"}`) + roleWith("Not", `{Effect: Allow, NotAction: "iam:*", Resource: "*"}`) + roleWith("Keys", `{Effect: Allow, Action: "*", Resource: "arn:aws:kms:*:*:key/*"}`) +
				roleWith("Open", `{Effect: Allow, Action: !ImportValue elsewhere, Resource: "*"}`),
			[]string{
				"Running changesAnywhere → true",
				"Running changesAnywhere arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole → true",
				"Running changesAnywhere arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole → false",
				"Logs changesAnywhere arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole → true",
				"Not changesAnywhere → true", "Not permitsAnywhere → true", "Not holdsService → true", "Keys changesAnywhere → true", "Keys holdsService → true",
				"Open changesAnywhere → maybe: export elsewhere",
				"Running changesAnywhere logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents ec2:CreateNetworkInterface ec2:DeleteNetworkInterface → false",
				"Running changesAnywhere arn:aws:iam::aws:policy/Nothing → maybe: arn:aws:iam::aws:policy/Nothing",
			}},
		{"managing permissions",
			roleWith("Bucket", `{Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::mine*"}`) +
				roleWith("Buckets", `{Effect: Allow, Action: "s3:PutBucketPolicy", Resource: "*"}`) +
				roleWith("Objects", `{Effect: Allow, Action: "s3:PutObject", Resource: "*"}`),
			[]string{"Bucket permitsAnywhere → false", "Buckets permitsAnywhere → true", "Objects permitsAnywhere → false"}},
		{"whole services, on whatever",
			roleWith("Table", `{Effect: Allow, Action: "dynamodb:*", Resource: "arn:aws:dynamodb:us-east-1:111122223333:table/orders"}, {Effect: Allow, Action: "dynamodb:*", Resource: "*", Condition: {StringEquals: {"aws:ResourceTag/team": a}}}`) +
				roleWith("Most", `{Effect: Allow, Action: "dynamodb:*", Resource: "*"}, {Effect: Deny, Action: "dynamodb:DeleteTable", Resource: "*"}`) +
				roleWith("Channel", `{Effect: Allow, Action: ["execute-api:*", "rds-data:*"], Resource: "*"}`) +
				roleWith("Bucket", `{Effect: Allow, Action: "dynamodb:*", Resource: "arn:aws:s3:::b"}`) +
				roleWith("Some", `{Effect: Allow, Action: "dynamodb:*Item", Resource: "*"}`),
			[]string{"Table holdsService → true", "Bucket holdsService → false", "Table mayEvery dynamodb → false", "Most holdsService → false", "Channel holdsService → false", "Some holdsService → false"}},
		{"the code of a function, told from the service",
			roleWith("R", `{Effect: Allow, Action: "ec2:CreateNetworkInterface", Resource: "*"}, {Effect: Deny, Action: "ec2:CreateNetworkInterface", Resource: "*", Condition: {ArnEquals: {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:f"}}}`) +
				roleWith("S", `{Effect: Allow, Action: "ec2:CreateNetworkInterface", Resource: "*"}`) + `
 F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f, Role: !GetAtt R.Arn}}
 G: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt S.Arn}}`,
			[]string{"R codeMayAnywhere ec2:CreateNetworkInterface → false", "R mayAnywhere ec2:CreateNetworkInterface → true", "S codeMayAnywhere ec2:CreateNetworkInterface → true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked(t, c.template, c.want)
		})
	}
}

// TestOpenTo asks who can use resources.
func TestOpenTo(t *testing.T) {
	template := roleWith("R", `{Effect: Allow, Action: "s3:GetObject", Resource: "*"}`) + function + `
 Everyone: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: "*"}}
 G: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn}}
 OfOrganisation: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref G, Action: lambda:InvokeFunction, Principal: "*", PrincipalOrgID: o-a}}
 H: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn}}
 U: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref H, AuthType: NONE}}
 UP: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref H, Action: lambda:InvokeFunctionUrl, Principal: "*", FunctionUrlAuthType: NONE}}
 UI: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref H, Action: lambda:InvokeFunction, Principal: "*", InvokedViaFunctionUrl: true}}
 L: {Type: AWS::Lambda::LayerVersion, Properties: {Content: {S3Bucket: b, S3Key: k}}}
 LP: {Type: AWS::Lambda::LayerVersionPermission, Properties: {LayerVersionArn: !Ref L, Action: lambda:GetLayerVersion, Principal: "*"}}
 Q: {Type: AWS::SQS::Queue}
 QP: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Q], PolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: "*", Action: "sqs:*", Resource: !GetAtt Q.Arn, Condition: {ArnLike: {"aws:SourceArn": !Sub "arn:aws:sns:*:${AWS::AccountId}:*"}}}}}}
 K: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: "*"}, Action: "kms:*", Resource: "*", Condition: {StringEquals: {"kms:CallerAccount": !Ref AWS::AccountId}}}}}}
 W: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: !Join ["", ["arn:aws:iam::", !ImportValue account, ":root"]]}, Action: "kms:ReEncryptFrom", Resource: "*"}}}}
 V: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: "444455556666"}, Action: "kms:ReEncryptFrom", Resource: "*"}}}}
 S: {Type: AWS::SQS::Queue}
 SP: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref S], PolicyDocument: !ImportValue elsewhere}}`
	want := []string{
		"F openTo any-account → true", "F openTo anyone → false",
		"G openTo any-account → false", "G openTo organization → true",
		"H openTo anyone → true",
		"L openTo any-account → true",
		"Q openTo organization → false",
		"K openTo organization → false",
		"V openTo named-accounts → true", "V openTo any-account → false",
		"W openTo named-accounts → maybe: policy of W: W.KeyPolicy is not wholly known",
		"S openTo anyone → maybe: policy of S: the policy was not read: SP.PolicyDocument: export of another stack: export elsewhere",
	}
	asked(t, template, want)
}

// TestURLRule: what the rule of October 2025 does to a URL whose function's
// policy allows one of the two requests.
func TestURLRule(t *testing.T) {
	scopes := scopesOf(t, roleWith("R", `{Effect: Allow, Action: "s3:GetObject", Resource: "*"}`)+function+`
 U: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref F, AuthType: NONE}}
 UP: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunctionUrl, Principal: "*", FunctionUrlAuthType: NONE}}`)
	for rule, want := range map[iam.URLRule]string{
		iam.URLRuleEnforced: "nobody-else to nobody-else", iam.URLRuleExempt: "anyone to anyone", iam.URLRuleUnknown: "nobody-else to anyone",
	} {
		list, gaps, err := newAccess(t).Public(scopes, []string{"F"}, rule)
		if err != nil || len(gaps) > 0 {
			t.Fatal(err, gaps)
		}
		e := list[len(list)-1].Exposure
		if got := fmt.Sprintf("%s to %s", e.Reach, e.AtMost); got != want {
			t.Errorf("rule %d: got %s, want %s", rule, got, want)
		}
	}
}

// TestPowersGiven: what a queue's policy gives to a role that names it alone.
func TestPowersGiven(t *testing.T) {
	scopes := scopesOf(t, roleWith("R", `{Effect: Allow, Action: "logs:PutLogEvents", Resource: "*"}`)+function+`
 Q: {Type: AWS::SQS::Queue}
 QP: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Q], PolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: !GetAtt R.Arn}, Action: "sqs:SendMessage", Resource: !GetAtt Q.Arn}}}}`)
	list, err := newAccess(t).Powers(scopes, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range list {
		for _, s := range p.Statements {
			got = append(got, p.Role.LogicalID+" "+strings.Join(s.Actions, ","))
		}
		for _, g := range p.Given {
			got = append(got, g.Resource.LogicalID+" gives "+strings.Join(g.Actions, ","))
		}
	}
	if diff := cmp.Diff([]string{"R logs:PutLogEvents", "Q gives sqs:SendMessage"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestReachableTypes asks who can use resources of the further types, and for
// whom services act there.
func TestReachableTypes(t *testing.T) {
	const statement = `{Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: "*"}, Action: "*", Resource: "*"}}`
	template := `
 Repo: {Type: AWS::ECR::Repository, Properties: {RepositoryPolicyText: ` + statement + `}}
 Bus: {Type: AWS::Events::EventBus, Properties: {Name: b}}
 BusP: {Type: AWS::Events::EventBusPolicy, Properties: {EventBusName: !Ref Bus, StatementId: s, Action: "events:PutEvents", Principal: "*"}}
 Org: {Type: AWS::Events::EventBus, Properties: {Name: o}}
 OrgP: {Type: AWS::Events::EventBusPolicy, Properties: {EventBusName: !Ref Org, StatementId: s, Action: "events:PutEvents", Principal: "*", Condition: {Type: StringEquals, Key: "aws:PrincipalOrgID", Value: o-a}}}
 One: {Type: AWS::Events::EventBus, Properties: {Name: e}}
 OneP: {Type: AWS::Events::EventBusPolicy, Properties: {EventBusName: !Ref One, StatementId: s, Statement: {Effect: Allow, Principal: {AWS: "444455556666"}, Action: "events:PutEvents", Resource: !GetAtt One.Arn}}}
 Stream: {Type: AWS::Kinesis::Stream}
 StreamP: {Type: AWS::Kinesis::ResourcePolicy, Properties: {ResourceArn: !GetAtt Stream.Arn, ResourcePolicy: ` + statement + `}}
 Table: {Type: AWS::DynamoDB::Table, Properties: {ResourcePolicy: {PolicyDocument: ` + statement + `}}}
 Dest: {Type: AWS::Logs::Destination, Properties: {DestinationPolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"logs:PutSubscriptionFilter","Resource":"*"}]}'}}
 Logs: {Type: AWS::Logs::ResourcePolicy, Properties: {PolicyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"es.amazonaws.com"},"Action":"logs:PutLogEvents","Resource":"*"}]}'}}
 F: {Type: AWS::Lambda::Function}
 FP: {Type: AWS::Lambda::ResourcePolicy, Properties: {ResourceArn: !GetAtt F.Arn, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "lambda:InvokeFunction", Resource: !GetAtt F.Arn}, {Effect: Deny, Principal: "*", Action: "lambda:*", Resource: "*", Condition: {StringNotEquals: {"aws:PrincipalOrgID": o-a}}}]}}}
 Owned: {Type: AWS::SNS::Topic}
 OwnedP: {Type: AWS::SNS::TopicPolicy, Properties: {Topics: [!Ref Owned], PolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: "*"}, Action: "sns:Publish", Resource: !Ref Owned, Condition: {StringEquals: {"AWS:SourceOwner": !Ref "AWS::AccountId"}}}}}}
 Hidden: {Type: AWS::DynamoDB::Table, Properties: {ResourcePolicy: !ImportValue elsewhere}}
 Q: {Type: AWS::SQS::Queue}
 QP: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Q], PolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: !GetAtt Q.Arn}}}}`
	want := []string{
		"Repo openTo any-account → true",
		"Bus openTo any-account → true", "Org openTo any-account → false", "Org openTo organization → true", "One openTo any-account → false", "One openTo named-accounts → true",
		"Stream openTo any-account → true", "Table openTo any-account → true", "Dest openTo any-account → true", "Logs openTo any-account → false", "Logs servesStrangers → true",
		"F openTo any-account → false", "F openTo organization → true",
		"Owned openTo organization → false", "Owned servesStrangers → false",
		"Hidden openTo any-account → maybe: policy of Hidden: the policy was not read: Hidden.ResourcePolicy.PolicyDocument: export of another stack: export elsewhere",
		"Q openTo organization → false", "Q servesStrangers → true",
	}
	asked(t, template, want)
}

// TestTrust asks who else can assume roles.
func TestTrust(t *testing.T) {
	role := func(name, statements string) string {
		return "\n " + name + ": {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Version: \"2012-10-17\", Statement: [" + statements + "]}}}"
	}
	const github = `Principal: {Federated: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, Action: "sts:AssumeRoleWithWebIdentity"`
	template := role("Any", `{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole"}`) +
		role("Secret", `{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole", Condition: {StringEquals: {"sts:ExternalId": abc}}}`) +
		role("Org", `{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole", Condition: {StringEquals: {"aws:PrincipalOrgID": o-a}}}`) +
		role("Account", `{Effect: Allow, Principal: {AWS: "444455556666"}, Action: "sts:AssumeRole"}`) +
		role("Vendor", `{Effect: Allow, Principal: {AWS: "444455556666"}, Action: "sts:AssumeRole", Condition: {StringEquals: {"sts:ExternalId": abc}}}`) +
		role("People", `{Effect: Allow, Principal: {AWS: "444455556666"}, Action: "sts:AssumeRole", Condition: {Bool: {"aws:MultiFactorAuthPresent": "true"}}}`) +
		role("Maybe", `{Effect: Allow, Principal: {AWS: "444455556666"}, Action: "sts:AssumeRole", Condition: {BoolIfExists: {"aws:MultiFactorAuthPresent": "true"}}}`) +
		role("Own", `{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "sts:AssumeRole"}`) +
		role("States", `{Effect: Allow, Principal: {Service: [states.amazonaws.com, lambda.amazonaws.com]}, Action: "sts:AssumeRole"}`) +
		role("Bound", `{Effect: Allow, Principal: {Service: states.amazonaws.com}, Action: "sts:AssumeRole", Condition: {StringEquals: {"aws:SourceAccount": !Ref "AWS::AccountId"}}}`) +
		role("Loose", `{Effect: Allow, Principal: {Service: states.amazonaws.com}, Action: "sts:AssumeRole", Condition: {ArnLike: {"aws:SourceArn": "arn:aws:states:*:*:stateMachine:*"}}}`) +
		role("Repo", `{Effect: Allow, `+github+`, Condition: {StringLike: {"token.actions.githubusercontent.com:sub": "repo:ours/app:*"}, StringEquals: {"token.actions.githubusercontent.com:aud": sts.amazonaws.com}}}`) +
		role("Repos", `{Effect: Allow, `+github+`, Condition: {StringLike: {"token.actions.githubusercontent.com:sub": "repo:*"}}}`) +
		role("Nobody", `{Effect: Allow, `+github+`, Condition: {StringEquals: {"token.actions.githubusercontent.com:aud": sts.amazonaws.com}}}`) +
		role("Owner", `{Effect: Allow, `+github+`, Condition: {StringEquals: {"token.actions.githubusercontent.com:repository_owner": ours}}}`)
	const token = " trustsToken token.actions.githubusercontent.com repo:assay-probe/assay-probe:ref:refs/heads/main → "
	asked(t, template, []string{
		"Any openTo any-account → true", "Secret openTo any-account → false", "Org openTo any-account → false", "States openTo organization → false",
		"Account openTo any-account → false", "Account openTo named-accounts → true", "Vendor openTo named-accounts → false",
		"People openTo named-accounts → false", "Maybe openTo named-accounts → true", "Own openTo named-accounts → false",
		"States servesStrangers states.amazonaws.com → true", "States servesStrangers ecs-tasks.amazonaws.com → false",
		"Bound servesStrangers states.amazonaws.com → false", "Loose servesStrangers states.amazonaws.com → true",
		"Repo" + token + "false", "Repos" + token + "true", "Nobody" + token + "true", "Owner" + token + "false",
	})
}

// asked compares answers with what is wanted.
func asked(t *testing.T, template string, want []string) {
	t.Helper()
	var questions []string
	for _, line := range want {
		question, _, _ := strings.Cut(line, " → ")
		questions = append(questions, question)
	}
	if diff := cmp.Diff(want, answers(t, newAccess(t), scopesOf(t, template), questions)); diff != "" {
		t.Error(diff)
	}
}
