package aws

import (
	"context"
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
		FunctionName: aws.String("f1"), FunctionArn: aws.String(functionARN("f1")), Version: aws.String("$LATEST"), Role: aws.String(role), PackageType: lambdatypes.PackageTypeZip,
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
			ARN: aws.String(secretARN("prod/db-AbCdEf")), Name: aws.String("prod/db"), CreatedDate: &day, RotationEnabled: aws.Bool(true), RotationLambdaARN: aws.String(functionARN("rotate")),
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
	entries := []types.SecretListEntry{{ARN: aws.String(secretARN("prod/db-AbCdEf")), Name: aws.String("prod/db")}, {ARN: aws.String(secretARN("prod/named-GhIjKl")), Name: aws.String("prod/named")}, {ARN: aws.String(secretARN("gone-XyZxYz")), Name: aws.String("gone")}}
	on(f, func(in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
		out := &secretsmanager.ListSecretsOutput{}
		out.SecretList, out.NextToken = page(entries, in.NextToken, 1)
		return out, nil
	})
}

func TestSecrets(t *testing.T) {
	f := newFake(t)
	serveFunction(f, map[string]string{"A": secretARN("prod/db-AbCdEf") + ":password::", "B": secretARN("gone-AbCdEf"), "C": "arn:aws:secretsmanager:eu-central-1:999999999999:secret:theirs-AbCdEf"},
		`["arn:aws:secretsmanager:*:*:secret:prod/named-??????","`+secretARN("doomed-*")+`","`+secretARN("all/*")+`"]`)
	serveSecrets(f)
	secretTypes := secretsmanagerService().reads[0].types
	needed := append([]string{"AWS::Lambda::Function", "AWS::IAM::Role"}, secretTypes...)
	a := f.open(only(needed...))
	got := a.Collect(context.Background())
	sameText(t, show(t, got, secretTypes...), `
`)
	deniesEach(t, f, a, "secretsmanager")

	// A role's policy names secrets, which have all their parts with them.
	scope := estate.Build(testModel(t), got)[1]
	for _, name := range []string{secretARN("prod/db-AbCdEf"), secretARN("prod/named-GhIjKl")} {
		if gap, may := scope.Resource(name).MayMiss("rotationSchedules"); may {
			t.Errorf("%s may have another schedule: %v", name, gap)
		}
	}
	if naming := scope.Resource(secretARN("prod/named-GhIjKl")).Related("namingRoles"); len(naming) != 1 || naming[0].To == nil {
		t.Errorf("roles that name it: %v", naming)
	}
}

func TestAllSecrets(t *testing.T) {
	f := newFake(t)
	serveSecrets(f)
	got := f.open(only(secretsmanagerService().reads[0].types...), everything).Collect(context.Background())
	if n := countByType(got)["AWS::SecretsManager::Secret"]; n != 2 {
		t.Errorf("%d secrets of 2 that are there and one that is gone:\n%s", n, show(t, got))
	}
	if c := coverage(t, got, "AWS::SecretsManager::Secret"); c.State != estate.CoverageComplete {
		t.Errorf("coverage %s", c.State)
	}
}
