package aws

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/signer"
	signertypes "github.com/aws/aws-sdk-go-v2/service/signer/types"
)

var imageTypes = []string{"AWS::ECR::Repository", "AWS::ECR::RegistryScanningConfiguration"}

func serveRepositories(f *fake) {
	arn := func(name string) *string {
		return aws.String("arn:aws:ecr:eu-central-1:111122223333:repository/" + name)
	}
	on(f, func(in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
		all := []types.Repository{
			{RepositoryName: aws.String("app/orders"), RepositoryArn: arn("app/orders"), ImageTagMutability: types.ImageTagMutabilityImmutableWithExclusion, ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true}, EncryptionConfiguration: &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeKms, KmsKey: aws.String(keyARN("images"))},
				ImageTagMutabilityExclusionFilters: []types.ImageTagMutabilityExclusionFilter{{Filter: aws.String("dev*"), FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard}}},
			{RepositoryName: aws.String("bare"), RepositoryArn: arn("bare"), ImageTagMutability: types.ImageTagMutabilityMutable, ImageScanningConfiguration: &types.ImageScanningConfiguration{}, EncryptionConfiguration: &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeAes256}},
		}
		if len(in.RepositoryNames) > 0 {
			if all = slices.DeleteFunc(all, func(r types.Repository) bool { return *r.RepositoryName != in.RepositoryNames[0] }); len(all) == 0 {
				return nil, refuse("RepositoryNotFoundException", "none")
			}
		}
		out := &ecr.DescribeRepositoriesOutput{}
		out.Repositories, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
		if *in.RepositoryName == "bare" {
			return nil, refuse("RepositoryPolicyNotFoundException", "none")
		}
		return &ecr.GetRepositoryPolicyOutput{PolicyText: aws.String(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"ecr:BatchGetImage"}]}`)}, nil
	})
	on(f, func(in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
		if *in.RepositoryName == "bare" {
			return nil, refuse("LifecyclePolicyNotFoundException", "none")
		}
		return &ecr.GetLifecyclePolicyOutput{LifecyclePolicyText: aws.String(`{"rules":[]}`)}, nil
	})
	always(f, &ecr.GetRegistryScanningConfigurationOutput{RegistryId: aws.String(testAccount), ScanningConfiguration: &types.RegistryScanningConfiguration{
		ScanType: types.ScanTypeEnhanced, Rules: []types.RegistryScanningRule{{ScanFrequency: types.ScanFrequencyContinuousScan, RepositoryFilters: []types.ScanningRepositoryFilter{{Filter: aws.String("*"), FilterType: types.ScanningRepositoryFilterTypeWildcard}}}},
	}}, &ecr.GetRegistryScanningConfigurationInput{})
}

func TestRepositories(t *testing.T) {
	golden(t, "ecr", show(t, eachDenied(t, "ecr", serveRepositories, only(imageTypes...), everything), imageTypes...))
}

// TestImages reads repositories where a function runs an image, and none else.
func TestImages(t *testing.T) {
	for packageType, want := range map[lambdatypes.PackageType]int{lambdatypes.PackageTypeImage: 2, lambdatypes.PackageTypeZip: 0} {
		got := shortly(t, func(f *fake) {
			serveRepositories(f)
			withFunctions(f, lambdatypes.FunctionConfiguration{FunctionName: aws.String("orders"), PackageType: packageType})
		}, imageTypes[:1], only("AWS::Lambda::Function", imageTypes[0]))
		if n := strings.Count(got, "AWS::ECR::Repository"); n != want {
			t.Errorf("%s: %d repositories, expected %d:\n%s", packageType, n, want, got)
		}
	}
}

// TestSigningProfiles reads the profiles that code-signing configurations name,
// once each.
func TestSigningProfiles(t *testing.T) {
	profile := func(name string) string {
		return "arn:aws:signer:eu-central-1:111122223333:/signing-profiles/" + name
	}
	serve := func(f *fake) {
		withFunctions(f)
		always(f, &lambda.ListCodeSigningConfigsOutput{CodeSigningConfigs: []lambdatypes.CodeSigningConfig{{
			CodeSigningConfigArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:code-signing-config:csc-1"), CodeSigningConfigId: aws.String("csc-1"), LastModified: aws.String("2026-01-01"), CodeSigningPolicies: &lambdatypes.CodeSigningPolicies{},
			AllowedPublishers: &lambdatypes.AllowedPublishers{SigningProfileVersionArns: []string{profile("release/v1"), profile("release/v2"), profile("gone/v1"), strings.Replace(profile("other/v1"), testAccount, "999999999999", 1)}},
		}}}, &lambda.ListCodeSigningConfigsInput{})
		on(f, func(in *signer.GetSigningProfileInput) (*signer.GetSigningProfileOutput, error) {
			if *in.ProfileName != "release" {
				return nil, refuse(notFound, "no such profile "+*in.ProfileName)
			}
			return &signer.GetSigningProfileOutput{
				ProfileName: in.ProfileName, Arn: aws.String(profile("release")), PlatformId: aws.String("AWSLambda-SHA384-ECDSA"), Status: signertypes.SigningProfileStatusActive, Tags: map[string]string{"team": "build"},
				SignatureValidityPeriod: &signertypes.SignatureValidityPeriod{Type: signertypes.ValidityTypeMonths, Value: 135},
			}, nil
		})
	}
	types := []string{"AWS::Signer::SigningProfile"}
	sameText(t, show(t, eachDenied(t, "signer", serve, only("AWS::Lambda::CodeSigningConfig", types[0])), types...), `
# 111122223333/eu-central-1
AWS::Signer::SigningProfile arn:aws:signer:eu-central-1:111122223333:/signing-profiles/release
    PlatformId: "AWSLambda-SHA384-ECDSA"
    ProfileName: "release"
    SignatureValidityPeriod: {"Type":"MONTHS","Value":135}
    Tags: [{"Key":"team","Value":"build"}]
`)
}
