package aws

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"assay/internal/estate"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func iamARN(rest string) *string { return aws.String("arn:aws:iam::" + testAccount + ":" + rest) }

// escaped is a document as IAM answers it, with blanks around it as people leave
// them.
func escaped(document string) *string { return aws.String(url.PathEscape("\n " + document + "\n")) }

// servePrincipals answers the principals of an account, in three pages.
func servePrincipals(f *fake) {
	used := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	allow := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/a+b/*"}}`
	roles := []types.RoleDetail{
		{
			Arn: iamARN("role/app/run"), RoleName: aws.String("run"), Path: aws.String("/app/"), AssumeRolePolicyDocument: escaped(trust), RoleLastUsed: &types.RoleLastUsed{LastUsedDate: &used, Region: aws.String(testRegion)},
			RolePolicyList:          []types.PolicyDetail{{PolicyName: aws.String("p"), PolicyDocument: escaped(allow)}, {PolicyName: aws.String("lost")}},
			AttachedManagedPolicies: []types.AttachedPolicy{{PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}}, PermissionsBoundary: &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: iamARN("policy/edge")},
			Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
		},
		{Arn: iamARN("role/new"), RoleName: aws.String("new"), Path: aws.String("/"), AssumeRolePolicyDocument: escaped(trust)},
		{Arn: iamARN("role/aws-service-role/x.amazonaws.com/X"), RoleName: aws.String("X"), Path: aws.String("/aws-service-role/x.amazonaws.com/")},
	}
	on(f, func(in *iam.GetAccountAuthorizationDetailsInput) (*iam.GetAccountAuthorizationDetailsOutput, error) {
		out := &iam.GetAccountAuthorizationDetailsOutput{}
		out.RoleDetailList, out.Marker = page(roles, in.Marker, 1)
		out.IsTruncated = out.Marker != nil
		if !out.IsTruncated {
			out.UserDetailList = []types.UserDetail{{Arn: iamARN("user/u"), UserName: aws.String("u"), Path: aws.String("/"), GroupList: []string{"g"}}}
			out.GroupDetailList = []types.GroupDetail{{Arn: iamARN("group/g"), GroupName: aws.String("g"), Path: aws.String("/"), GroupPolicyList: []types.PolicyDetail{{PolicyName: aws.String("p"), PolicyDocument: escaped(allow)}}}}
			out.Policies = []types.ManagedPolicyDetail{
				{Arn: iamARN("policy/edge"), PolicyName: aws.String("edge"), Path: aws.String("/"), PolicyVersionList: []types.PolicyVersion{{VersionId: aws.String("v1"), Document: escaped(trust)}, {VersionId: aws.String("v2"), IsDefaultVersion: true, Document: escaped(allow)}}},
				{Arn: iamARN("policy/none"), PolicyName: aws.String("none"), Path: aws.String("/")},
			}
		}
		return out, nil
	})
	on(f, func(in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
		all := []types.Role{{Arn: iamARN("role/other"), RoleName: aws.String("other"), Path: aws.String("/"), CreateDate: &used, RoleId: aws.String("x")}, {Arn: iamARN("role/app/run"), RoleName: aws.String("run"), Path: aws.String("/app/"), CreateDate: &used, RoleId: aws.String("x"), MaxSessionDuration: aws.Int32(7200)}}
		out := &iam.ListRolesOutput{}
		out.Roles, out.Marker = page(all, in.Marker, 1)
		out.IsTruncated = out.Marker != nil
		return out, nil
	})
}

func TestPrincipals(t *testing.T) {
	golden(t, "iam", shortly(t, servePrincipals, nil, only(iamService().reads[0].types...)))
}

func TestPrincipalsDenied(t *testing.T) {
	eachDeniedBut(t, "iam", []string{"iam:GetAccountSummary", "iam:GetAccountPasswordPolicy"}, servePrincipals, only(iamService().reads[0].types...))
}

// TestPrincipalsFaults: without the third page principals are known in part.
func TestPrincipalsFaults(t *testing.T) {
	for name, rule := range map[string]*fault{
		"throttled": {code: "Throttling", status: 400, message: "Rate exceeded"}, "broken": {code: "ServiceFailure", status: 500}, "cut": {cut: true}, "corrupt": {corrupt: true}, "dropped": {drop: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t).empty()
			servePrincipals(f)
			rule.operation, rule.skip = "iam:GetAccountAuthorizationDetails", 2
			got := f.fault(rule).open(only(iamService().reads[0].types...)).Collect(t.Context())
			resource(t, got, "AWS::IAM::Role", "run")
			if c := coverage(t, got, "AWS::IAM::ManagedPolicy"); c.State != estate.CoveragePartial || !strings.HasPrefix(c.Reason, "iam:GetAccountAuthorizationDetails: ") {
				t.Errorf("%+v", c)
			}
		})
	}
}
