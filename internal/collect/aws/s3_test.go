package aws

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"assay/internal/estate"
)

var bucketTypes = []string{"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Assay::S3Control::PublicAccessBlock"}

// serveAWSKeys is the alias of the one key that AWS manages for a service.
func serveAWSKeys(f *fake, service string) {
	on(f, func(in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
		out := &kms.ListAliasesOutput{}
		out.Aliases, out.NextMarker = page([]kmstypes.AliasListEntry{
			{AliasName: aws.String("alias/ours"), TargetKeyId: aws.String("own")}, {AliasName: aws.String("alias/aws/unused")},
			{AliasName: aws.String("alias/aws/" + service), TargetKeyId: aws.String("amazon")},
		}, in.Marker, 1)
		out.Truncated = out.NextMarker != nil
		return out, nil
	})
}

// serveBuckets is one bucket with everything, one with nothing, and one in a
// region that is not read.
func serveBuckets(f *fake) {
	serveAWSKeys(f, "s3")
	on(f, func(in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
		out := &s3.ListBucketsOutput{}
		out.Buckets, out.ContinuationToken = page([]types.Bucket{
			{Name: aws.String("full"), BucketRegion: aws.String(testRegion)}, {Name: aws.String("bare")}, {Name: aws.String("far"), BucketRegion: aws.String("us-west-2")},
		}, in.ContinuationToken, 1)
		return out, nil
	})
	on(f, func(*s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
		return &s3.GetBucketLocationOutput{LocationConstraint: testRegion}, nil
	})
	onCall(f, func(c *call, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
		if want := map[string]string{"full": testRegion, "bare": testRegion, "far": "us-west-2"}[*in.Bucket]; c.region != want {
			f.t.Errorf("%s is asked about in %s", *in.Bucket, c.region)
		}
		if *in.Bucket != "full" {
			return nil, refuse("NoSuchBucketPolicy", "none")
		}
		return &s3.GetBucketPolicyOutput{Policy: aws.String(`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`)}, nil
	})
	on(f, func(in *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, error) {
		rule := types.ServerSideEncryptionRule{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}, BucketKeyEnabled: aws.Bool(false)}
		switch *in.Bucket {
		case "full":
			rule.ApplyServerSideEncryptionByDefault = &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String(keyARN("own"))}
			rule.BucketKeyEnabled = aws.Bool(true)
		case "far":
			rule.ApplyServerSideEncryptionByDefault = &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String(keyARN("amazon"))}
			rule.BlockedEncryptionTypes = &types.BlockedEncryptionTypes{EncryptionType: []types.EncryptionType{types.EncryptionTypeSseC}}
		}
		return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{rule}}}, nil
	})
	on(f, func(in *s3.GetPublicAccessBlockInput) (*s3.GetPublicAccessBlockOutput, error) {
		if *in.Bucket != "full" {
			return nil, refuse(noPublicBlock, "none")
		}
		return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true)}}, nil
	})
	on(f, func(in *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
		if *in.Bucket != "full" {
			return &s3.GetBucketVersioningOutput{}, nil
		}
		return &s3.GetBucketVersioningOutput{Status: types.BucketVersioningStatusEnabled}, nil
	})
	on(f, func(in *s3.GetBucketOwnershipControlsInput) (*s3.GetBucketOwnershipControlsOutput, error) {
		if *in.Bucket != "full" {
			return nil, refuse("OwnershipControlsNotFoundError", "none")
		}
		return &s3.GetBucketOwnershipControlsOutput{OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}}}}, nil
	})
	on(f, func(in *s3.GetBucketAclInput) (*s3.GetBucketAclOutput, error) {
		owner := &types.Owner{ID: aws.String("us")}
		out := &s3.GetBucketAclOutput{Owner: owner, Grants: []types.Grant{{Grantee: &types.Grantee{Type: types.TypeCanonicalUser, ID: owner.ID}, Permission: types.PermissionFullControl}}}
		group := &types.Grantee{Type: types.TypeGroup, URI: aws.String("http://acs.amazonaws.com/groups/s3/LogDelivery")}
		if *in.Bucket == "bare" {
			out.Grants = append(out.Grants, types.Grant{Grantee: group, Permission: types.PermissionWrite}, types.Grant{Grantee: group, Permission: types.PermissionReadAcp})
		}
		return out, nil
	})
	on(f, func(in *s3.GetBucketLoggingInput) (*s3.GetBucketLoggingOutput, error) {
		if *in.Bucket != "full" {
			return &s3.GetBucketLoggingOutput{}, nil
		}
		return &s3.GetBucketLoggingOutput{LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("far"), TargetPrefix: aws.String("logs/"), TargetObjectKeyFormat: &types.TargetObjectKeyFormat{
			PartitionedPrefix: &types.PartitionedPrefix{PartitionDateSource: types.PartitionDateSourceEventTime},
		}}}, nil
	})
	on(f, func(in *s3.GetBucketNotificationConfigurationInput) (*s3.GetBucketNotificationConfigurationOutput, error) {
		if *in.Bucket != "full" {
			return &s3.GetBucketNotificationConfigurationOutput{}, nil
		}
		return &s3.GetBucketNotificationConfigurationOutput{
			EventBridgeConfiguration: &types.EventBridgeConfiguration{},
			LambdaFunctionConfigurations: []types.LambdaFunctionConfiguration{{
				LambdaFunctionArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:function:f"), Events: []types.Event{"s3:ObjectCreated:*", "s3:ObjectRemoved:*"},
				Filter: &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{{Name: types.FilterRuleNamePrefix, Value: aws.String("in/")}}}},
			}},
			QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String("arn:aws:sqs:eu-central-1:111122223333:q"), Events: []types.Event{"s3:ObjectCreated:*"}}},
			TopicConfigurations: []types.TopicConfiguration{{TopicArn: aws.String("arn:aws:sns:eu-central-1:111122223333:t"), Events: []types.Event{"s3:ObjectCreated:*"}}},
		}, nil
	})
	on(f, func(in *s3.GetBucketLifecycleConfigurationInput) (*s3.GetBucketLifecycleConfigurationOutput, error) {
		if *in.Bucket != "full" {
			return nil, refuse("NoSuchLifecycleConfiguration", "none")
		}
		return &s3.GetBucketLifecycleConfigurationOutput{Rules: []types.LifecycleRule{
			{ID: aws.String("old"), Status: types.ExpirationStatusEnabled, Expiration: &types.LifecycleExpiration{Days: aws.Int32(365)}, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("logs/")},
				NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(30)}, AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)}},
			{ID: aws.String("tagged"), Status: types.ExpirationStatusDisabled, Transitions: []types.Transition{{Days: aws.Int32(90), StorageClass: types.TransitionStorageClassGlacier}},
				Filter: &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String("a/"), ObjectSizeGreaterThan: aws.Int64(100), Tags: []types.Tag{{Key: aws.String("class"), Value: aws.String("cold")}}}}},
		}}, nil
	})
	on(f, func(in *s3.GetObjectLockConfigurationInput) (*s3.GetObjectLockConfigurationOutput, error) {
		if *in.Bucket != "full" {
			return nil, refuse("ObjectLockConfigurationNotFoundError", "none")
		}
		return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: &types.ObjectLockRule{
			DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeCompliance, Years: aws.Int32(1)},
		}}}, nil
	})
	always(f, &s3control.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &s3controltypes.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
	}}, &s3control.GetPublicAccessBlockInput{})
}

func TestBuckets(t *testing.T) {
	golden(t, "s3", show(t, eachDenied(t, "s3", serveBuckets, only(bucketTypes...), everything), bucketTypes...))
}

// TestNamedBuckets reads the buckets that are the account's own among those that
// are named, and none of them that is deleted while it is read.
func TestNamedBuckets(t *testing.T) {
	sameText(t, shortly(t, func(f *fake) {
		serveBuckets(f)
		withFunctions(f, lambdatypes.FunctionConfiguration{FunctionName: aws.String("f")})
		withPermission(f, "s3.amazonaws.com", "arn:aws:s3:::full", "arn:aws:s3:::of-others", "arn:aws:s3:::far")
		on(f, func(in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
			if *in.Bucket == "full" {
				return nil, refuse("NoSuchBucket", "gone")
			}
			return nil, refuse("NoSuchBucketPolicy", "none")
		})
		on(f, func(*s3control.GetPublicAccessBlockInput) (*s3control.GetPublicAccessBlockOutput, error) {
			return nil, refuse(noPublicBlock, "none")
		})
	}, bucketTypes, only(append(bucketTypes, "AWS::Lambda::Function")...)), `
# 111122223333
AWS::S3::Bucket arn:aws:s3:::far
    BucketEncryption: {"ServerSideEncryptionConfiguration":[{"BlockedEncryptionTypes":{"EncryptionType":["SSE-C"]},"ServerSideEncryptionByDefault":{"KMSMasterKeyID":"alias/aws/s3","SSEAlgorithm":"aws:kms"}}]}
    BucketName: "far"
    PublicAccessBlockConfiguration: {"BlockPublicAcls":false,"BlockPublicPolicy":false,"IgnorePublicAcls":false,"RestrictPublicBuckets":false}
Assay::S3Control::PublicAccessBlock Assay::S3Control::PublicAccessBlock/111122223333
    AccountId: "111122223333"
    BlockPublicAcls: false
    BlockPublicPolicy: false
    IgnorePublicAcls: false
    RestrictPublicBuckets: false
`)
}

// TestStrangeBuckets says that any bucket of the region may call a function that
// lets in S3 without saying for which.
func TestStrangeBuckets(t *testing.T) {
	for _, tt := range []struct {
		with func(*Options)
		want estate.CoverageState
	}{
		{func(*Options) {}, estate.CoverageNamed},
		{everything, estate.CoverageComplete},
	} {
		f := newFake(t).empty()
		withFunctions(f, lambdatypes.FunctionConfiguration{FunctionName: aws.String("f")})
		on(f, func(in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
			return &lambda.GetPolicyOutput{Policy: aws.String(`{"Statement":[{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + aws.ToString(in.FunctionName) + `"}]}`)}, nil
		})
		builders := f.open(only("AWS::Lambda::Function", "AWS::S3::Bucket"), tt.with).Collect(context.Background())
		scopes := estate.Build(testModel(t), builders)
		gap, misses := scopes[1].OfType("AWS::Lambda::Function")[0].MayMiss("notifyingBuckets")
		if misses != (tt.want == estate.CoverageNamed) {
			t.Errorf("%s: may miss is %v (%v)", tt.want, misses, gap)
		}
	}
}
