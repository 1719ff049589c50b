package aws

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"assay/internal/estate"
)

// serveFunction answers one function with these variables, and a role that it
// runs as with a policy for these resources. The rest of Lambda answers nothing.
func serveFunction(f *fake, variables map[string]string, resources string, change ...func(*lambdatypes.FunctionConfiguration)) {
	role := "arn:aws:iam::" + testAccount + ":role/run"
	fn := lambdatypes.FunctionConfiguration{
		FunctionName: aws.String("f1"), FunctionArn: aws.String(lambdaARN("f1")), Version: aws.String("$LATEST"), Role: aws.String(role), PackageType: lambdatypes.PackageTypeZip,
		Environment: &lambdatypes.EnvironmentResponse{Variables: variables},
	}
	for _, c := range change {
		c(&fn)
	}
	always(f, &lambda.ListFunctionsOutput{Functions: []lambdatypes.FunctionConfiguration{fn}}, &lambda.ListFunctionsInput{})
	always(f, &iam.GetAccountAuthorizationDetailsOutput{RoleDetailList: []iamtypes.RoleDetail{{
		RoleName: aws.String("run"), Arn: aws.String(role), Path: aws.String("/"), AssumeRolePolicyDocument: aws.String("%7B%7D"),
		RolePolicyList: []iamtypes.PolicyDetail{{PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":` + resources + `}]}`)}},
	}}}, &iam.GetAccountAuthorizationDetailsInput{})
	f.empty()
}

func secretARN(name string) string {
	return "arn:aws:secretsmanager:" + testRegion + ":" + testAccount + ":secret:" + name
}

// serveSecrets answers what is asked about: by name, and by a whole or partial
// ARN.
func serveSecrets(f *fake) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	all := map[string]*secretsmanager.DescribeSecretOutput{
		secretARN("prod/db-AbCdEf"): {
			ARN: aws.String(secretARN("prod/db-AbCdEf")), Name: aws.String("prod/db"), CreatedDate: &day, RotationEnabled: aws.Bool(true), RotationLambdaARN: aws.String(lambdaARN("rotate")),
			RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(30)}, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}, KmsKeyId: aws.String("arn:aws:kms:eu-central-1:111122223333:key/k"),
			ReplicationStatus: []types.ReplicationStatusType{{Region: aws.String("eu-west-1"), Status: types.StatusTypeInSync}},
		},
		"prod/named": {ARN: aws.String(secretARN("prod/named-GhIjKl")), Name: aws.String("prod/named"), CreatedDate: &day, RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(30)}},
		"doomed":     {ARN: aws.String(secretARN("doomed-MnOpQr")), Name: aws.String("doomed"), DeletedDate: &day},
	}
	for _, s := range all {
		all[*s.ARN], all[*s.Name] = s, s
	}
	on(f, func(in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
		if strings.Contains(*in.SecretId, "all/") || strings.Contains(*in.SecretId, "theirs") {
			f.t.Errorf("%s is asked about", *in.SecretId)
		}
		if s := all[*in.SecretId]; s != nil {
			return s, nil
		}
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	})
	on(f, func(in *secretsmanager.GetResourcePolicyInput) (*secretsmanager.GetResourcePolicyOutput, error) {
		out := &secretsmanager.GetResourcePolicyOutput{ARN: in.SecretId}
		switch *in.SecretId {
		case secretARN("prod/db-AbCdEf"):
			out.ResourcePolicy = aws.String(`{"Version":"2012-10-17","Statement":[]}`)
		case secretARN("doomed-MnOpQr"):
			return nil, refuse("InvalidRequestException", "it was marked for deletion")
		}
		return out, nil
	})
	entries := []types.SecretListEntry{{ARN: aws.String(secretARN("prod/db-AbCdEf")), Name: aws.String("prod/db")}, {ARN: aws.String(secretARN("prod/named-GhIjKl")), Name: aws.String("prod/named")}, {ARN: aws.String(secretARN(deleted + "-XyZxYz")), Name: aws.String(deleted)}}
	entries = kept(f, entries, func(s types.SecretListEntry) *string { return s.Name })
	on(f, func(in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
		out := &secretsmanager.ListSecretsOutput{}
		out.SecretList, out.NextToken = page(entries, in.NextToken, 1)
		return out, nil
	})
}

func TestSecrets(t *testing.T) {
	secretTypes := secretsmanagerService().reads[0].types
	f := newFake(t)
	serveSecrets(f)
	if text := show(t, f.open(only(secretTypes...), everything).Collect(context.Background())); strings.Contains(text, deleted) {
		t.Errorf("a secret that is gone:\n%s", text)
	}
	golden(t, "secretsmanager", show(t, eachDenied(t, "secretsmanager", serveSecrets, only(secretTypes...), everything)))
}

// Secrets are named by variables and by the policies of roles, in several ways.
func TestNamedSecrets(t *testing.T) {
	f := newFake(t)
	serveFunction(f, map[string]string{"A": secretARN("prod/db-AbCdEf") + ":password::", "B": secretARN("gone-AbCdEf"), "C": "arn:aws:secretsmanager:eu-central-1:999999999999:secret:theirs-AbCdEf"},
		`["arn:aws:secretsmanager:*:*:secret:prod/named-??????","`+secretARN("doomed-*")+`","`+secretARN("all/*")+`"]`)
	serveSecrets(f)
	const secret = "AWS::SecretsManager::Secret"
	a := f.open(only(append([]string{"AWS::Lambda::Function", "AWS::IAM::Role"}, secretsmanagerService().reads[0].types...)...))
	got := a.Collect(context.Background())
	for _, name := range []string{"prod/db", "prod/named", "doomed"} {
		resource(t, got, secret, name)
	}
	scope := estate.Build(testModel(t), got)[1]
	named := scope.Resource(secretARN("prod/named-GhIjKl"))
	if naming := named.Related("namingRoles"); len(naming) != 1 || naming[0].To == nil {
		t.Errorf("roles that name it: %v", naming)
	}
	if gap, may := named.MayMiss("rotationSchedules"); may {
		t.Errorf("it may have a schedule that was not read: %v", gap)
	}

	f.fault(denied("secretsmanager:DescribeSecret"))
	got = a.Collect(context.Background())
	lost := resource(t, got, secret, secretARN("prod/db-AbCdEf"))
	if lost.Exists.Kind() != estate.KindDenied {
		t.Errorf("a secret that may not be described: %s", jsonOf(lost.Properties))
	}
	for _, part := range []string{"secretPolicies", "rotationSchedules", "secretStates"} {
		if edges := estate.Build(testModel(t), got)[1].Resource(lost.LogicalID).Related(part); len(edges) != 1 || edges[0].From.Exists.Kind() != estate.KindDenied {
			t.Errorf("%s of it are taken as read: %v", part, edges)
		}
	}
}
