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
func serveUserPools(f *fake) {
	serveRestApis(f)
	serveHTTPApis(f)
	triggers := &types.LambdaConfigType{PreSignUp: aws.String(lambdaARN("f1")), CustomEmailSender: &types.CustomEmailLambdaVersionConfigType{LambdaArn: aws.String(lambdaARN("f2")), LambdaVersion: types.CustomEmailSenderLambdaVersionTypeV10}, KMSKeyID: aws.String(kmsKey("k"))}
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
}

func TestUserPools(t *testing.T) {
	const pool = "AWS::Cognito::UserPool"
	with := only(append([]string{pool}, append(restTypes, httpTypes...)...)...)
	golden(t, "cognito", show(t, eachDenied(t, "cognito-idp", serveUserPools, with), pool))

	f := newFake(t).empty()
	serveUserPools(f)
	on(f, func(*cognito.DescribeUserPoolInput) (*cognito.DescribeUserPoolOutput, error) {
		return nil, refuse("ResourceNotFoundException", "gone")
	})
	if text := show(t, f.open(with).Collect(context.Background()), pool); text != "" {
		t.Errorf("pools of which none is there:\n%s", text)
	}
}
