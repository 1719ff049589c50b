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
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scopes := scopesOf(t, c.template)
			var questions []string
			for _, line := range c.want {
				question, _, _ := strings.Cut(line, " → ")
				questions = append(questions, question)
			}
			if diff := cmp.Diff(c.want, answers(t, newAccess(t), scopes, questions)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReachableBy asks who can use resources.
func TestReachableBy(t *testing.T) {
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
 S: {Type: AWS::SQS::Queue}
 SP: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref S], PolicyDocument: !ImportValue elsewhere}}`
	want := []string{
		"F reachableBy any-account → true", "F reachableBy anyone → false",
		"G reachableBy any-account → false", "G reachableBy organization → true",
		"H reachableBy anyone → true",
		"L reachableBy any-account → true",
		"Q reachableBy organization → false",
		"K reachableBy organization → false",
		"S reachableBy anyone → maybe: policy of S: the policy was not read: SP.PolicyDocument: export of another stack: export elsewhere",
	}
	var questions []string
	for _, line := range want {
		question, _, _ := strings.Cut(line, " → ")
		questions = append(questions, question)
	}
	if diff := cmp.Diff(want, answers(t, newAccess(t), scopesOf(t, template), questions)); diff != "" {
		t.Error(diff)
	}
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
