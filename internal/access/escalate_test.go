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
	const passAny = "{Effect: Allow, Action: ['iam:PassRole'], Resource: '*'}"
	const lambdas = "{Effect: Allow, Action: ['lambda:CreateFunction', 'lambda:InvokeFunction'], Resource: '*'}"
	for _, c := range []struct{ name, template, want string }{
		{"a role is passed to a new function", p(passAny+", "+lambdas) + admin, "yes P lambda-create-invoke > Admin admin"},
		{"passed to another service", p("{Effect: Allow, Action: 'iam:PassRole', Resource: '*', Condition: {StringEquals: {'iam:PassedToService': ec2.amazonaws.com}}}, "+lambdas) + admin, ""},
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
