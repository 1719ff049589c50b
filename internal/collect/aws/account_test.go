package aws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/schemas"
	schematypes "github.com/aws/aws-sdk-go-v2/service/schemas/types"
)

var accountTypes = []string{"Assay::Account::Region", "Assay::Account::AlternateContact"}

func serveAccount(f *fake) {
	always(f, &organizations.DescribeOrganizationOutput{Organization: &orgtypes.Organization{Id: aws.String("o-abc"), MasterAccountId: aws.String("999999999999"), MasterAccountEmail: aws.String("boss@example.com")}}, &organizations.DescribeOrganizationInput{})
	on(f, func(in *account.GetAlternateContactInput) (*account.GetAlternateContactOutput, error) {
		if in.AlternateContactType != accounttypes.AlternateContactTypeSecurity {
			return nil, refuse(notFound, "none")
		}
		return &account.GetAlternateContactOutput{AlternateContact: &accounttypes.AlternateContact{AlternateContactType: in.AlternateContactType, Name: aws.String("Ann"), EmailAddress: aws.String("ann@example.com"), PhoneNumber: aws.String("1"), Title: aws.String("CISO")}}, nil
	})
}

func TestAccount(t *testing.T) {
	sameText(t, show(t, eachDenied(t, "account", serveAccount, only(accountTypes...)), accountTypes...), `
# 111122223333
Assay::Account::AlternateContact Assay::Account::AlternateContact/SECURITY
    AccountId: "111122223333"
    AlternateContactType: "SECURITY"
# 111122223333/eu-central-1
Assay::Account::Region Assay::Account::Region/111122223333/eu-central-1
    AccountId: "111122223333"
    ManagementAccountId: "999999999999"
    OrganizationId: "o-abc"
    RegionName: "eu-central-1"
`)
}

// TestAccountAlone is in no organisation, and nobody set anything.
func TestAccountAlone(t *testing.T) {
	serve := func(f *fake) {
		on(f, func(*organizations.DescribeOrganizationInput) (*organizations.DescribeOrganizationOutput, error) {
			return nil, refuse("AWSOrganizationsNotInUseException", "none")
		})
		on(f, func(*account.GetAlternateContactInput) (*account.GetAlternateContactOutput, error) {
			return nil, refuse(notFound, "none")
		})
		on(f, func(*iam.GetAccountPasswordPolicyInput) (*iam.GetAccountPasswordPolicyOutput, error) {
			return nil, refuse("NoSuchEntity", "none")
		})
		always(f, &iam.GetAccountSummaryOutput{SummaryMap: map[string]int32{"AccountMFAEnabled": 1, "Users": 3, "UsersQuota": 5000}}, &iam.GetAccountSummaryInput{})
	}
	types := append([]string{"Assay::IAM::AccountSummary", "Assay::IAM::PasswordPolicy"}, accountTypes...)
	sameText(t, shortly(t, serve, types, only(types...)), `
# 111122223333
Assay::IAM::AccountSummary Assay::IAM::AccountSummary/111122223333
    AccountMFAEnabled: 1
    Users: 3
# 111122223333/eu-central-1
Assay::Account::Region Assay::Account::Region/111122223333/eu-central-1
    AccountId: "111122223333"
    RegionName: "eu-central-1"
`)
}

func TestPasswordPolicy(t *testing.T) {
	serve := func(f *fake) {
		always(f, &iam.GetAccountPasswordPolicyOutput{PasswordPolicy: &iamtypes.PasswordPolicy{MinimumPasswordLength: aws.Int32(14), RequireSymbols: true, PasswordReusePrevention: aws.Int32(24)}}, &iam.GetAccountPasswordPolicyInput{})
	}
	types := []string{"Assay::IAM::PasswordPolicy"}
	sameText(t, shortly(t, serve, types, only(types...)), `
# 111122223333
Assay::IAM::PasswordPolicy Assay::IAM::PasswordPolicy/111122223333
    AllowUsersToChangePassword: false
    ExpirePasswords: false
    MinimumPasswordLength: 14
    PasswordReusePrevention: 24
    RequireLowercaseCharacters: false
    RequireNumbers: false
    RequireSymbols: true
    RequireUppercaseCharacters: false
`)
}

func TestSchemas(t *testing.T) {
	serve := func(f *fake) {
		on(f, func(in *schemas.ListRegistriesInput) (*schemas.ListRegistriesOutput, error) {
			all := []schematypes.RegistrySummary{{RegistryName: aws.String("aws.events")}, {RegistryName: aws.String("lambda-testevent-schemas")}, {RegistryName: aws.String("gone")}}
			out := &schemas.ListRegistriesOutput{}
			out.Registries, out.NextToken = page(all, in.NextToken, 1)
			return out, nil
		})
		on(f, func(in *schemas.ListSchemasInput) (*schemas.ListSchemasOutput, error) {
			if *in.RegistryName != "lambda-testevent-schemas" {
				return nil, refuse("NotFoundException", "no such registry")
			}
			all := []schematypes.SchemaSummary{{SchemaName: aws.String("_orders-schema"), SchemaArn: aws.String("arn:s1"), VersionCount: aws.Int64(2)}, {SchemaName: aws.String("_pay-schema"), SchemaArn: aws.String("arn:s2")}}
			out := &schemas.ListSchemasOutput{}
			out.Schemas, out.NextToken = page(all, in.NextToken, 1)
			return out, nil
		})
	}
	types := []string{"Assay::EventSchemas::Schema"}
	sameText(t, show(t, eachDenied(t, "schemas", serve, only(types...)), types...), `
# 111122223333/eu-central-1
Assay::EventSchemas::Schema Assay::EventSchemas::Schema/arn:s1
    RegistryName: "lambda-testevent-schemas"
    SchemaArn: "arn:s1"
    SchemaName: "_orders-schema"
    VersionCount: 2
Assay::EventSchemas::Schema Assay::EventSchemas::Schema/arn:s2
    RegistryName: "lambda-testevent-schemas"
    SchemaArn: "arn:s2"
    SchemaName: "_pay-schema"
`)
}
