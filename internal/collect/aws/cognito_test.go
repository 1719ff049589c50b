package aws

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

func poolARN(id string) string {
	return "arn:aws:cognito-idp:" + testRegion + ":" + testAccount + ":userpool/" + id
}

// User pools are found as triggers, and behind the authorizers of APIs that
// call functions.
func TestUserPools(t *testing.T) {
	f := newFake(t).empty()
	serveRestApis(f)
	serveHTTPApis(f)
	triggers := &types.LambdaConfigType{PreSignUp: aws.String(functionARN("f1")), CustomEmailSender: &types.CustomEmailLambdaVersionConfigType{LambdaArn: aws.String(functionARN("f2")), LambdaVersion: types.CustomEmailSenderLambdaVersionTypeV10}, KMSKeyID: aws.String(keyARN("k"))}
	pools := []types.UserPoolDescriptionType{{Id: aws.String("none"), Name: aws.String("none"), LambdaConfig: &types.LambdaConfigType{}}, {Id: aws.String("trig"), Name: aws.String("triggers"), LambdaConfig: triggers}, {Id: aws.String("p1"), Name: aws.String("users")}}
	on(f, func(in *cognito.ListUserPoolsInput) (*cognito.ListUserPoolsOutput, error) {
		out := &cognito.ListUserPoolsOutput{}
		out.UserPools, out.NextToken = page(pools, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *cognito.DescribeUserPoolInput) (*cognito.DescribeUserPoolOutput, error) {
		p := &types.UserPoolType{Id: in.UserPoolId, Arn: aws.String(poolARN(*in.UserPoolId)), Name: aws.String("pool " + *in.UserPoolId), MfaConfiguration: types.UserPoolMfaTypeOff, AdminCreateUserConfig: &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true}}
		if *in.UserPoolId == "trig" {
			p.LambdaConfig = triggers
		}
		return &cognito.DescribeUserPoolOutput{UserPool: p}, nil
	})
	a := f.open(only(append([]string{"AWS::Cognito::UserPool"}, append(restTypes, httpTypes...)...)...))
	sameText(t, show(t, a.Collect(context.Background()), "AWS::Cognito::UserPool"), `
`)
	deniesEach(t, f, a, "cognito-idp")

	on(f, func(*cognito.DescribeUserPoolInput) (*cognito.DescribeUserPoolOutput, error) {
		return nil, refuse("ResourceNotFoundException", "gone")
	})
	got := a.Collect(context.Background())
	if n := countByType(got)["AWS::Cognito::UserPool"]; n != 0 {
		t.Errorf("%d pools of which none is there", n)
	}
}
