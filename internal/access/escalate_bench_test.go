package access

import (
	"fmt"
	"strings"
	"testing"

	"assay/internal/estate"
)

// manyRoles is an estate of as many roles, and functions that act with them, no
// two with the same policies: most do what functions do, every tenth deploys
// functions of its own team, and some may do more than they should.
func manyRoles(t testing.TB, n int) []*estate.Scope {
	var b strings.Builder
	for i := range n {
		statements := fmt.Sprintf("{Effect: Allow, Action: ['dynamodb:GetItem', 'dynamodb:PutItem'], Resource: 'arn:aws:dynamodb:*:*:table/t%d'}, {Effect: Allow, Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: 'arn:aws:logs:*:*:log-group:/aws/lambda/f%d:*'}", i, i)
		switch {
		case i%100 == 5:
			statements += ", {Effect: Allow, Action: ['iam:PassRole', 'lambda:*'], Resource: '*'}"
		case i%100 == 6:
			statements += ", {Effect: Allow, Action: ['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'], Resource: '*'}, {Effect: Deny, Action: 'lambda:*', Resource: '*', Condition: {NotIpAddress: {'aws:SourceIp': 192.0.2.0/24}}}"
		case i%100 == 7:
			statements += ", {Effect: Allow, NotAction: 'iam:*', Resource: '*'}"
		case i%10 == 0:
			statements += fmt.Sprintf(", {Effect: Allow, Action: 'iam:PassRole', Resource: 'arn:aws:iam::*:role/r%d*', Condition: {StringEquals: {'iam:PassedToService': lambda.amazonaws.com}}}, {Effect: Allow, Action: 'lambda:*', Resource: 'arn:aws:lambda:*:*:function:f%d*'}", i/10, i/10)
		case i == 99:
			statements = "{Effect: Allow, Action: '*', Resource: '*'}"
		}
		fmt.Fprintf(&b, "  R%d: {Type: AWS::IAM::Role, Properties: {RoleName: r%d, AssumeRolePolicyDocument: %s, Policies: [{PolicyName: p, PolicyDocument: {Version: '2012-10-17', Statement: [%s]}}]}}\n", i, i, lambdaTrust, statements)
		fmt.Fprintf(&b, "  F%d: {Type: AWS::Lambda::Function, Properties: {FunctionName: f%d, Role: !GetAtt R%d.Arn, Runtime: nodejs22.x}}\n", i, i, i)
		fmt.Fprintf(&b, "  P%d: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F%d, Action: 'lambda:InvokeFunction', Principal: s3.amazonaws.com}}\n", i, i)
	}
	return scopesOf(t, b.String())
}

func BenchmarkEscalate(b *testing.B) {
	scopes := manyRoles(b, 1000)
	a := newAccess(b)
	for b.Loop() {
		e, err := a.Escalate(scopes, EscalationQuery{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(e.Paths)), "paths")
	}
}
