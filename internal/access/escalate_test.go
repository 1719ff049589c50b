package access

import (
	"strings"
	"testing"

	"assay/internal/estate"
)

// told writes paths as the tests expect them: "yes ID ID > admin".
func toldPaths(e *Escalation) string {
	var lines []string
	for _, p := range e.Paths {
		line := map[estate.Truth]string{estate.True: "yes", estate.Maybe: "maybe"}[p.Truth] + " " + p.From
		for _, s := range p.Steps {
			line += " " + s.Technique
		}
		line += " > " + strings.Join(p.To, ",")
		if p.Administrator == estate.True {
			line += " admin"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

const lambdaTrust = "{Statement: {Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: lambda.amazonaws.com}}}"

func TestEscalate(t *testing.T) {
	admin := "\n  Admin: {Type: AWS::IAM::Role, Properties: {RoleName: admin, AssumeRolePolicyDocument: " + lambdaTrust + ", ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess']}}"
	p := func(statements string) string {
		return "  P: {Type: AWS::IAM::Role, Properties: {RoleName: p, AssumeRolePolicyDocument: " + lambdaTrust + ", Policies: [{PolicyName: p, PolicyDocument: {Statement: [" + statements + "]}}]}}"
	}
	bounded := func(boundary, statements string) string {
		return strings.Replace(p(statements), "RoleName: p", "RoleName: p, PermissionsBoundary: !Ref B", 1) +
			"\n  B: {Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: b, PolicyDocument: {Statement: [" + boundary + "]}}}"
	}
	trusting := func(name, principal string) string {
		return "\n  " + name + ": {Type: AWS::IAM::Role, Properties: {RoleName: " + strings.ToLower(name) + ", AssumeRolePolicyDocument: {Statement: {Effect: Allow, Action: 'sts:AssumeRole', Principal: {AWS: " + principal + "}}}, Policies: [{PolicyName: p, PolicyDocument: {Statement: {Effect: Allow, Action: 's3:*', Resource: '*'}}}]}}"
	}
	role := func(name, statements string) string {
		return "\n  " + name + ": {Type: AWS::IAM::Role, Properties: {RoleName: " + strings.ToLower(name) + ", AssumeRolePolicyDocument: " + lambdaTrust + ", Policies: [{PolicyName: p, PolicyDocument: {Statement: [" + statements + "]}}]}}"
	}
	function := func(properties string) string {
		return "\n  F: {Type: AWS::Lambda::Function, Properties: {" + properties + "FunctionName: f, Role: !GetAtt Admin.Arn}}"
	}
	const started = "\n  S2: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: 'lambda:InvokeFunction', Principal: s3.amazonaws.com}}"
	signing := func(policy string) string {
		return "\n  C: {Type: AWS::Lambda::CodeSigningConfig, Properties: {AllowedPublishers: {SigningProfileVersionArns: [x]}, CodeSigningPolicies: {UntrustedArtifactOnDeployment: " + policy + "}}}"
	}
	const passAny = "{Effect: Allow, Action: ['iam:PassRole'], Resource: '*'}"
	const lambdas = "{Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:InvokeFunction'], Resource: '*'}"
	for _, c := range []struct{ name, template, want string }{
		{"a role is passed to a new function", p(passAny+", "+lambdas) + admin, "yes P lambda-create-invoke > Admin admin"},
		{"passed to another service", p("{Effect: Allow, Action: 'iam:PassRole', Resource: '*', Condition: {StringEquals: {'iam:PassedToService': ec2.amazonaws.com}}}, "+lambdas) + admin, ""},
		{"passed to this service, in another condition's way", p("{Effect: Allow, Action: 'iam:PassRole', Resource: '*', Condition: {StringLike: {'iam:PassedToService': 'l*.amazonaws.com'}}}, "+lambdas) + admin, "yes P lambda-create-invoke > Admin admin"},
		{"passed to any service but this", p("{Effect: Allow, Action: 'iam:PassRole', Resource: '*', Condition: {StringNotEquals: {'iam:PassedToService': lambda.amazonaws.com}}}, "+lambdas) + admin, ""},
		{"the role trusts another service", p(passAny+", "+lambdas) + strings.ReplaceAll(admin, "lambda.amazonaws.com", "ec2.amazonaws.com"), ""},
		{"the role trusts an account alone", p(passAny+", "+lambdas) + strings.ReplaceAll(admin, "{Service: lambda.amazonaws.com}", "{AWS: '444455556666'}"), ""},
		{"a boundary leaves nothing of it", bounded("{Effect: Allow, Action: 's3:*', Resource: '*'}", passAny+", "+lambdas) + admin, ""},
		{"a boundary leaves it", bounded("{Effect: Allow, Action: ['iam:PassRole', 'lambda:*'], Resource: '*'}", passAny+", "+lambdas) + admin, "yes P lambda-create-invoke > Admin admin"},
		{"a boundary forbids to pass that role", bounded("{Effect: Allow, Action: '*', Resource: '*'}, {Effect: Deny, Action: 'iam:PassRole', Resource: 'arn:aws:iam::*:role/admin'}", passAny+", "+lambdas) + admin, ""},
		{"NotAction keeps PassRole", p("{Effect: Allow, NotAction: 's3:*', Resource: '*', Condition: {StringNotLike: {'aws:PrincipalArn': 'x'}}}, {Effect: Deny, NotAction: ['iam:PassRole', 'lambda:*'], Resource: '*'}") + admin, "yes P lambda-create-invoke > Admin admin"},
		{"NotAction takes PassRole away", p("{Effect: Allow, NotAction: 'iam:*', Resource: '*'}") + admin, ""},
		{"NotAction denies all but what is needed", p(passAny+", "+lambdas+", {Effect: Deny, NotAction: ['lambda:*', 'iam:PassRole'], Resource: '*'}") + admin, "yes P lambda-create-invoke > Admin admin"},
		{"a Deny on another role", p(passAny+", "+lambdas+", {Effect: Deny, Action: 'iam:PassRole', Resource: 'arn:aws:iam::*:role/other'}") + admin, "yes P lambda-create-invoke > Admin admin"},
		{"a Deny on that role", p(passAny+", "+lambdas+", {Effect: Deny, Action: 'iam:PassRole', Resource: 'arn:aws:iam::*:role/adm*'}") + admin, ""},
		{"a Deny for another service", p(passAny+", "+lambdas+", {Effect: Deny, Action: 'iam:PassRole', Resource: '*', Condition: {StringEquals: {'iam:PassedToService': ec2.amazonaws.com}}}") + admin, "yes P lambda-create-invoke > Admin admin"},
		{"a Deny for all services but another", p(passAny+", "+lambdas+", {Effect: Deny, Action: 'iam:PassRole', Resource: '*', Condition: {StringNotEquals: {'iam:PassedToService': ec2.amazonaws.com}}}") + admin, ""},
		{"a Deny outside of a network that is not known", p(passAny+", "+lambdas+", {Effect: Deny, Action: 'lambda:*', Resource: '*', Condition: {NotIpAddress: {'aws:SourceIp': 192.0.2.0/24}}}") + admin, "maybe P lambda-create-invoke > Admin admin"},
		{"an Allow with a second factor that is not known", p(passAny+", {Effect: Allow, Action: 'lambda:*', Resource: '*', Condition: {Bool: {'aws:MultiFactorAuthPresent': 'true'}}}") + admin, "maybe P lambda-create-invoke > Admin admin"},
		{"an Allow for a tag that the caller chooses", p(passAny+", {Effect: Allow, Action: 'lambda:CreateFunction', Resource: '*', Condition: {StringEquals: {'aws:RequestTag/team': a}}}, {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: '*'}") + admin, "yes P lambda-create-invoke > Admin admin"},
		{"an Allow for a tag of the role that is passed", p("{Effect: Allow, Action: 'iam:PassRole', Resource: '*', Condition: {StringEquals: {'iam:ResourceTag/team': a}}}, "+lambdas) + admin, ""},
		{"the role has that tag", p("{Effect: Allow, Action: 'iam:PassRole', Resource: '*', Condition: {StringEquals: {'iam:ResourceTag/team': a}}}, "+lambdas) + strings.Replace(admin, "RoleName: admin", "RoleName: admin, Tags: [{Key: team, Value: a}]", 1), "yes P lambda-create-invoke > Admin admin"},
		{"functions that may be created may not be invoked", p(passAny+", {Effect: Allow, Action: 'lambda:CreateFunction', Resource: 'arn:aws:lambda:*:*:function:dev-*'}, {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: 'arn:aws:lambda:*:*:function:prod-*'}") + admin, ""},
		{"functions of a name that both patterns match", p(passAny+", {Effect: Allow, Action: 'lambda:CreateFunction', Resource: 'arn:aws:lambda:*:*:function:*-dev'}, {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: 'arn:aws:lambda:*:*:function:team-*'}") + admin, "yes P lambda-create-invoke > Admin admin"},
		{"invoking a qualifier of what may be created", p(passAny+", {Effect: Allow, Action: 'lambda:CreateFunction', Resource: 'arn:aws:lambda:*:*:function:dev-*'}, {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: 'arn:aws:lambda:*:*:function:*:$LATEST'}") + admin, "yes P lambda-create-invoke > Admin admin"},
		{"invoking an alias that is not there", p(passAny+", {Effect: Allow, Action: 'lambda:CreateFunction', Resource: 'arn:aws:lambda:*:*:function:dev-*'}, {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: 'arn:aws:lambda:*:*:function:*:live'}") + admin, ""},
		{"another role may be passed", p("{Effect: Allow, Action: 'iam:PassRole', Resource: 'arn:aws:iam::*:role/other'}, "+lambdas) + admin, ""},
		{"roles may be passed under a path", p("{Effect: Allow, Action: 'iam:PassRole', Resource: 'arn:aws:iam::*:role/app/*'}, "+lambdas) + admin, ""},
		{"nothing starts the function", p(passAny+", {Effect: Allow, Action: 'lambda:CreateFunction', Resource: '*'}") + admin, ""},
		{"another account starts the function", p(passAny+", {Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:AddPermission'], Resource: '*'}") + admin, "yes P lambda-create-permission > Admin admin"},
		{"only a service may be let in", p(passAny+", {Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:AddPermission'], Resource: '*', Condition: {StringEqualsIfExists: {'lambda:Principal': s3.amazonaws.com}}}") + admin, "yes P lambda-create-permission > Admin admin"},
		{"a function may only be created in a network", p(passAny+", {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: '*'}, {Effect: Allow, Action: 'lambda:CreateFunction', Resource: '*', Condition: {StringEquals: {'lambda:VpcIds': vpc-1}}}") + admin, "yes P lambda-create-invoke > Admin admin"},
		{"a function may only be created under code signing", p(passAny+", {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: '*'}, {Effect: Allow, Action: 'lambda:CreateFunction', Resource: '*', Condition: {'Null': {'lambda:CodeSigningConfigArn': 'false'}}}") + admin, "maybe P lambda-create-signed > Admin admin"},
		{"a condition on a key that the action does not have", p("{Effect: Allow, Action: ['iam:PassRole', 'lambda:CreateFunction', 'lambda:InvokeFunction'], Resource: '*', Condition: {StringEquals: {'iam:PassedToService': lambda.amazonaws.com}}}") + admin, ""},
		{"a role that may do no more", p(passAny+", "+lambdas+", {Effect: Allow, Action: 's3:GetObject', Resource: '*'}") + role("Reader", "{Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*'}"), ""},
		{"a role that may do no more, in other words", p("{Effect: Allow, Action: ['iam:*', 'lambda:*'], Resource: 'arn:aws:lambda:*:*:*'}, {Effect: Allow, Action: 'iam:PassRole', Resource: '*'}, {Effect: Allow, Action: ['lambda:Create*', 'lambda:Invoke*'], Resource: '*'}") + role("Less", "{Effect: Allow, Action: 'lambda:InvokeFunction', Resource: 'arn:aws:lambda:eu-central-1:*:function:x'}"), ""},
		{"a role that may do a little more", p(passAny+", "+lambdas+", {Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*'}") + role("Reader", "{Effect: Allow, Action: 's3:GetObject', Resource: ['arn:aws:s3:::a/*', 'arn:aws:s3:::b/*']}"), "yes P lambda-create-invoke > Reader"},
		{"a role that a boundary leaves nothing more", p(passAny+", "+lambdas) + "\n  R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: " + lambdaTrust + ", PermissionsBoundary: 'arn:aws:iam::aws:policy/AWSLambda_FullAccess', Policies: [{PolicyName: p, PolicyDocument: {Statement: {Effect: Allow, Action: 'dynamodb:*', Resource: '*'}}}]}}", ""},
		{"a step function", p("{Effect: Allow, Action: ['iam:PassRole', 'states:CreateStateMachine', 'states:StartExecution'], Resource: '*'}") + strings.ReplaceAll(admin, "lambda.amazonaws.com", "states.amazonaws.com"), "yes P states-start > Admin admin"},
		{"a stack", p("{Effect: Allow, Action: ['iam:PassRole', 'cloudformation:CreateStack'], Resource: '*'}") + strings.ReplaceAll(admin, "lambda.amazonaws.com", "cloudformation.amazonaws.com"), "yes P cloudformation-stack > Admin admin"},
		{"a code interpreter", p("{Effect: Allow, Action: ['iam:PassRole', 'bedrock-agentcore:*'], Resource: '*'}") + strings.ReplaceAll(admin, "lambda.amazonaws.com", "bedrock-agentcore.amazonaws.com"), "yes P agentcore-interpreter > Admin admin"},
		{"a code interpreter whose name has to be known", p("{Effect: Allow, Action: ['iam:PassRole', 'bedrock-agentcore:Create*'], Resource: '*'}, {Effect: Allow, Action: 'bedrock-agentcore:*', Resource: 'arn:aws:bedrock-agentcore:*:*:code-interpreter-custom/abc'}") + strings.ReplaceAll(admin, "lambda.amazonaws.com", "bedrock-agentcore.amazonaws.com"), ""},
		{"a table that starts the function", p(passAny+", {Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:CreateEventSourceMapping', 'dynamodb:CreateTable', 'dynamodb:PutItem'], Resource: '*'}") + role("Streams", "{Effect: Allow, Action: 'dynamodb:*', Resource: 'arn:aws:dynamodb:*:*:table/x*/stream/*'}"), "yes P lambda-create-table > Streams"},
		{"a table that may not be created", p(passAny+", {Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:CreateEventSourceMapping'], Resource: '*'}, {Effect: Allow, Action: ['dynamodb:CreateTable', 'dynamodb:PutItem'], Resource: 'arn:aws:dynamodb:*:*:table/y*'}") + role("Streams", "{Effect: Allow, Action: 'dynamodb:*', Resource: 'arn:aws:dynamodb:*:*:table/x*/stream/*'}"), ""},
		{"a queue that starts the function", p(passAny+", {Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:CreateEventSourceMapping', 'sqs:SendMessage'], Resource: '*'}") + role("Worker", "{Effect: Allow, Action: 'sqs:*', Resource: !GetAtt Q.Arn}") + "\n  Q: {Type: AWS::SQS::Queue}", "yes P lambda-create-queue > Worker"},
		{"a queue that others write into", p(passAny+", {Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:CreateEventSourceMapping'], Resource: '*'}") + role("Worker", "{Effect: Allow, Action: 'sqs:*', Resource: !GetAtt Q.Arn}") + "\n  Q: {Type: AWS::SQS::Queue}", "maybe P lambda-create-source > Worker"},
		{"a queue that the role may not read", p(passAny+", {Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:CreateEventSourceMapping', 'sqs:SendMessage'], Resource: '*'}") + role("Worker", "{Effect: Allow, Action: 's3:*', Resource: '*'}") + "\n  Q: {Type: AWS::SQS::Queue}", ""},

		{"a function's code", p("{Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: '*'}") + admin + function(""), "yes P lambda-code-invoke > Admin admin"},
		{"the code of a function that something starts", p("{Effect: Allow, Action: 'lambda:UpdateFunctionCode', Resource: '*'}") + admin + function("") + started, "yes P lambda-code > Admin admin"},
		{"the code of a function that nothing is seen to start", p("{Effect: Allow, Action: 'lambda:UpdateFunctionCode', Resource: '*'}") + admin + function(""), "maybe P lambda-code > Admin admin"},
		{"the code of another function", p("{Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: 'arn:aws:lambda:*:*:function:other'}") + admin + function(""), ""},
		{"the code of a function behind an alias", p("{Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:PublishVersion', 'lambda:UpdateAlias'], Resource: '*'}") + admin + function("") + "\n  L: {Type: AWS::Lambda::Alias, Properties: {Name: live, FunctionName: !Ref F, FunctionVersion: '1'}}\n  S: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref L, Action: 'lambda:InvokeFunction', Principal: s3.amazonaws.com}}", "yes P lambda-code-alias > Admin admin"},
		{"code signing is enforced", p("{Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: '*'}") + admin + function("CodeSigningConfigArn: !Ref C, ") + signing("Enforce"), ""},
		{"code signing only warns", p("{Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: '*'}") + admin + function("CodeSigningConfigArn: !Ref C, ") + signing("Warn"), "yes P lambda-code-invoke > Admin admin"},
		{"code signing that was not read", p("{Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: '*'}") + admin + function("CodeSigningConfigArn: 'arn:aws:lambda:us-east-1:111122223333:code-signing-config:csc-1', "), "maybe P lambda-code-invoke > Admin admin"},
		{"code signing does not look at variables", p("{Effect: Allow, Action: ['lambda:UpdateFunctionConfiguration', 'lambda:InvokeFunction'], Resource: '*'}") + admin + function("CodeSigningConfigArn: !Ref C, Runtime: nodejs22.x, ") + signing("Enforce"), "yes P lambda-environment-invoke > Admin admin"},
		{"variables of another runtime", p("{Effect: Allow, Action: ['lambda:UpdateFunctionConfiguration', 'lambda:InvokeFunction'], Resource: '*'}") + admin + function("Runtime: python3.13, "), "maybe P lambda-environment-invoke > Admin admin"},
		{"a layer", p("{Effect: Allow, Action: ['lambda:UpdateFunctionConfiguration', 'lambda:InvokeFunction', 'lambda:PublishLayerVersion', 'lambda:GetLayerVersion'], Resource: '*'}") + admin + function("Runtime: python3.13, "), "yes P lambda-layer-invoke > Admin admin"},
		{"a layer has to be signed as well", p("{Effect: Allow, Action: ['lambda:UpdateFunctionConfiguration', 'lambda:InvokeFunction', 'lambda:PublishLayerVersion', 'lambda:GetLayerVersion'], Resource: '*'}") + admin + function("CodeSigningConfigArn: !Ref C, Runtime: python3.13, ") + signing("Enforce"), "maybe P lambda-environment-invoke > Admin admin"},
		{"code signing is taken off", p("{Effect: Allow, Action: ['lambda:DeleteFunctionCodeSigningConfig', 'lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: '*'}") + admin + function("CodeSigningConfigArn: !Ref C, ") + signing("Enforce"), "yes P lambda-unsign-invoke > Admin admin"},
		{"the own function gets another role", p(passAny+", {Effect: Allow, Action: 'lambda:UpdateFunctionConfiguration', Resource: '*'}") + admin + "\n  G: {Type: AWS::Lambda::Function, Properties: {FunctionName: g, Role: !GetAtt P.Arn, Runtime: python3.13}}", "yes P lambda-swap-own > Admin admin"},
		{"the own function may not be changed", p(passAny+", {Effect: Allow, Action: 'lambda:UpdateFunctionConfiguration', Resource: 'arn:aws:lambda:*:*:function:other'}") + admin + "\n  G: {Type: AWS::Lambda::Function, Properties: {FunctionName: g, Role: !GetAtt P.Arn, Runtime: python3.13}}", ""},

		{"the own role's policies", p("{Effect: Allow, Action: 'iam:PutRolePolicy', Resource: '*'}"), "yes P iam-put-role-policy > P admin"},
		{"the policies of a role of another name", p("{Effect: Allow, Action: 'iam:PutRolePolicy', Resource: 'arn:aws:iam::*:role/other'}") + admin, ""},
		{"the policies of a role that it may not act as", p("{Effect: Allow, Action: 'iam:PutRolePolicy', Resource: 'arn:aws:iam::*:role/r'}") + role("R", ""), ""},
		{"the policies of a role that it may assume", p("{Effect: Allow, Action: ['iam:PutRolePolicy', 'sts:AssumeRole'], Resource: 'arn:aws:iam::*:role/r'}") + trusting("R", "!Sub 'arn:aws:iam::${AWS::AccountId}:root'"), "yes P iam-raise-assumed > R admin"},
		{"AWS's administrator policy", p("{Effect: Allow, Action: 'iam:AttachRolePolicy', Resource: '*'}"), "yes P iam-attach-role-policy > P admin"},
		{"another policy alone may be attached", p("{Effect: Allow, Action: 'iam:AttachRolePolicy', Resource: '*', Condition: {ArnEquals: {'iam:PolicyARN': 'arn:aws:iam::aws:policy/ReadOnlyAccess'}}}"), "maybe P iam-attach-role-policy-other > P admin"},
		{"no policy of AWS may be attached", p("{Effect: Allow, Action: 'iam:AttachRolePolicy', Resource: '*', Condition: {ArnNotLike: {'iam:PolicyARN': '*'}}}"), ""},
		{"a boundary holds what it may give itself", bounded("{Effect: Allow, Action: ['iam:PutRolePolicy', 's3:*'], Resource: '*'}", "{Effect: Allow, Action: 'iam:PutRolePolicy', Resource: '*'}"), "yes P iam-put-role-policy > P"},
		{"a boundary leaves no more to give", bounded("{Effect: Allow, Action: 'iam:PutRolePolicy', Resource: '*'}", "{Effect: Allow, Action: 'iam:PutRolePolicy', Resource: '*'}"), ""},
		{"its boundary may be taken off", bounded("{Effect: Allow, Action: ['iam:DeleteRolePermissionsBoundary'], Resource: '*'}", "{Effect: Allow, Action: '*', Resource: '*'}"), "yes P iam-delete-role-boundary > P admin"},
		{"another version of its policy", "  P: {Type: AWS::IAM::Role, Properties: {RoleName: p, ManagedPolicyArns: [!Ref M]}}\n  M: {Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: m, PolicyDocument: {Statement: {Effect: Allow, Action: 'iam:SetDefaultPolicyVersion', Resource: '*'}}}}", "maybe P iam-set-policy-version > P admin"},
		{"a new version of its policy", "  P: {Type: AWS::IAM::Role, Properties: {RoleName: p, ManagedPolicyArns: [!Ref M]}}\n  M: {Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: m, PolicyDocument: {Statement: {Effect: Allow, Action: 'iam:CreatePolicyVersion', Resource: 'arn:aws:iam::*:policy/m'}}}}", "yes P iam-create-policy-version > P admin"},
		{"a new version of another policy", p("{Effect: Allow, Action: 'iam:CreatePolicyVersion', Resource: '*'}"), ""},
		{"a role is made to trust it", p("{Effect: Allow, Action: 'iam:UpdateAssumeRolePolicy', Resource: '*'}") + admin, "yes P iam-trust > Admin admin"},
		{"a role that it may assume", p("{Effect: Allow, Action: 'sts:AssumeRole', Resource: '*'}") + trusting("R", "!Sub 'arn:aws:iam::${AWS::AccountId}:root'"), ""},
		{"a role with everything that it may assume", p("{Effect: Allow, Action: 'sts:AssumeRole', Resource: '*'}") + strings.ReplaceAll(admin, "{Service: lambda.amazonaws.com}", "{AWS: !GetAtt P.Arn}"), "yes P sts-assume > Admin admin"},
		{"a user's key", p("{Effect: Allow, Action: 'iam:CreateAccessKey', Resource: '*'}") + "\n  U: {Type: AWS::IAM::User, Properties: {UserName: u, ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess']}}", "yes P iam-access-key > U admin"},
		{"a user's own policies", "  U: {Type: AWS::IAM::User, Properties: {UserName: u, Policies: [{PolicyName: p, PolicyDocument: {Version: '2012-10-17', Statement: {Effect: Allow, Action: 'iam:PutUserPolicy', Resource: 'arn:aws:iam::*:user/${aws:username}'}}}]}}", "yes U iam-put-user-policy > U admin"},

		{"two steps", p("{Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: 'arn:aws:lambda:*:*:function:g'}") + role("R", passAny+", "+lambdas) + "\n  G: {Type: AWS::Lambda::Function, Properties: {FunctionName: g, Role: !GetAtt R.Arn, Runtime: python3.13}}" + admin, "yes P lambda-code-invoke lambda-create-invoke > Admin admin\nyes P lambda-code-invoke > R\nyes R lambda-create-invoke > Admin admin\nyes R lambda-create-invoke > P"},
		{"two steps, of which the second is not known", p("{Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: 'arn:aws:lambda:*:*:function:g'}") + role("R", passAny+", {Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:InvokeFunction'], Resource: '*', Condition: {StringEquals: {'aws:SourceVpce': vpce-1}}}") + "\n  G: {Type: AWS::Lambda::Function, Properties: {FunctionName: g, Role: !GetAtt R.Arn, Runtime: python3.13}}" + admin, "yes P lambda-code-invoke > R\nmaybe P lambda-code-invoke lambda-create-invoke > Admin admin\nmaybe R lambda-create-invoke > Admin admin\nmaybe R lambda-create-invoke > P"},
		{"another account changes the code", admin + function("") + "\n  S: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: 'lambda:UpdateFunctionCode', Principal: '444455556666'}}" + started, "maybe account 444455556666 lambda-code-invoke > Admin admin"},
		{"another account changes the code and invokes it", admin + function("") + "\n  S: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: 'lambda:*', Principal: '444455556666'}}", "maybe account 444455556666 lambda-code-invoke > Admin admin"},
		{"another account may only invoke", admin + function("") + "\n  S: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: 'lambda:InvokeFunction', Principal: '444455556666'}}", ""},
		{"a policy that is a parameter", "  P: {Type: AWS::IAM::Role, Properties: {RoleName: p, ManagedPolicyArns: [!ImportValue x]}}", "maybe P iam-put-role-policy > P"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scopes := scopesOf(t, c.template)
			e, err := newAccess(t).Escalate(scopes, EscalationQuery{})
			if err != nil {
				t.Fatal(err)
			}
			if got := toldPaths(e); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
				for _, p := range e.Paths {
					for _, m := range p.Missing {
						t.Log(m)
					}
				}
			}
		})
	}
}
