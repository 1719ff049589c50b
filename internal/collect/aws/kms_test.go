package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"assay/internal/estate"
)

var kmsTypes = []string{"AWS::KMS::Key", "AWS::KMS::Alias", "Assay::KMS::KeyState", "Assay::KMS::KeyRotationStatus", "Assay::KMS::Grant"}

func keyARN(id string) string { return "arn:aws:kms:" + testRegion + ":" + testAccount + ":key/" + id }

// serveKeys is a key with the default policy that rotates, one for signatures,
// one of AWS, and one whose material is imported.
func serveKeys(f *fake) {
	keys := map[string]types.KeyMetadata{
		"own":      {KeySpec: types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt, Description: aws.String("orders"), Origin: types.OriginTypeAwsKms, KeyManager: types.KeyManagerTypeCustomer, Enabled: true, KeyState: types.KeyStateEnabled},
		"signs":    {KeySpec: types.KeySpecEccNistP256, KeyUsage: types.KeyUsageTypeSignVerify, Origin: types.OriginTypeAwsKms, KeyManager: types.KeyManagerTypeCustomer, KeyState: types.KeyStatePendingDeletion, DeletionDate: aws.Time(time.Unix(1800000000, 0).UTC())},
		"amazon":   {KeySpec: types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt, Origin: types.OriginTypeAwsKms, KeyManager: types.KeyManagerTypeAws, Enabled: true, KeyState: types.KeyStateEnabled},
		"imported": {KeySpec: types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt, Origin: types.OriginTypeExternal, KeyManager: types.KeyManagerTypeCustomer, Enabled: true, KeyState: types.KeyStateEnabled, MultiRegion: aws.Bool(true)},
	}
	of := func(id *string) string { return strings.TrimPrefix(*id, keyARN("")) }
	on(f, func(in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
		out := &kms.ListKeysOutput{}
		all := []types.KeyListEntry{{KeyArn: aws.String(keyARN("own"))}, {KeyArn: aws.String(keyARN("signs"))}, {KeyArn: aws.String(keyARN("amazon"))}, {KeyArn: aws.String(keyARN("gone"))}, {KeyArn: aws.String(keyARN("imported"))}}
		out.Keys, out.NextMarker = page(all, in.Marker, 2)
		out.Truncated = out.NextMarker != nil
		return out, nil
	})
	on(f, func(in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
		id := of(in.KeyId)
		if id == "alias/orders" {
			id = "own"
		}
		k, ok := keys[id]
		if !ok {
			return nil, refuse(keyNotFound, "no such key")
		}
		k.KeyId, k.Arn = aws.String(id), aws.String(keyARN(id))
		return &kms.DescribeKeyOutput{KeyMetadata: &k}, nil
	})
	on(f, func(in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
		policy := `{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`
		if of(in.KeyId) == "signs" {
			policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}`
		}
		return &kms.GetKeyPolicyOutput{Policy: aws.String(policy)}, nil
	})
	on(f, func(in *kms.GetKeyRotationStatusInput) (*kms.GetKeyRotationStatusOutput, error) {
		switch of(in.KeyId) {
		case "own":
			return &kms.GetKeyRotationStatusOutput{KeyRotationEnabled: true, RotationPeriodInDays: aws.Int32(180)}, nil
		case "amazon":
			return &kms.GetKeyRotationStatusOutput{KeyRotationEnabled: true, RotationPeriodInDays: aws.Int32(365)}, nil
		}
		return nil, refuse("UnsupportedOperationException", "not of its material")
	})
	on(f, func(in *kms.ListGrantsInput) (*kms.ListGrantsOutput, error) {
		if of(in.KeyId) != "own" {
			return &kms.ListGrantsOutput{}, nil
		}
		out := &kms.ListGrantsOutput{}
		all := []types.GrantListEntry{
			{GrantId: aws.String("g1"), GranteePrincipal: aws.String("arn:aws:iam::999999999999:root"), Operations: []types.GrantOperation{types.GrantOperationDecrypt}},
			{GrantId: aws.String("g2"), GranteeServicePrincipal: aws.String("rds.amazonaws.com"), Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "b"}}},
			{GrantId: aws.String("g3"), GranteePrincipal: aws.String("arn:aws:iam::111122223333:role/run")},
		}
		out.Grants, out.NextMarker = page(all, in.Marker, 1)
		out.Truncated = out.NextMarker != nil
		return out, nil
	})
	on(f, func(in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
		if of(in.KeyId) != "own" {
			return &kms.ListAliasesOutput{}, nil
		}
		return &kms.ListAliasesOutput{Aliases: []types.AliasListEntry{{AliasName: aws.String("alias/orders"), AliasArn: aws.String("arn:aws:kms:eu-central-1:111122223333:alias/orders"), TargetKeyId: aws.String("own")}}}, nil
	})
}

func TestKeys(t *testing.T) {
	golden(t, "kms", show(t, eachDenied(t, "kms", serveKeys, only(kmsTypes...), everything), kmsTypes...))
}

// TestNamedKeys follows functions to their keys; one is named in two ways, and
// one is gone.
func TestNamedKeys(t *testing.T) {
	sameText(t, shortly(t, func(f *fake) {
		serveKeys(f)
		withFunctions(f,
			lambdatypes.FunctionConfiguration{FunctionName: aws.String("a"), KMSKeyArn: aws.String(keyARN("own"))},
			lambdatypes.FunctionConfiguration{FunctionName: aws.String("b"), KMSKeyArn: aws.String(keyARN("gone"))},
		)
	}, []string{"Assay::KMS::KeyRotationStatus"}, only("AWS::Lambda::Function", "AWS::KMS::Key")), `
# 111122223333/eu-central-1
Assay::KMS::KeyRotationStatus Assay::KMS::KeyRotationStatus/arn:aws:kms:eu-central-1:111122223333:key/own
    KeyId: "arn:aws:kms:eu-central-1:111122223333:key/own"
    KeyRotationEnabled: true
    RotationPeriodInDays: 180
`)
}

// TestUnreadKey is not a key that is gone: what names it does not lead nowhere.
func TestUnreadKey(t *testing.T) {
	f := newFake(t).empty().fault(denied("kms:DescribeKey"))
	serveKeys(f)
	withFunctions(f, lambdatypes.FunctionConfiguration{FunctionName: aws.String("a"), KMSKeyArn: aws.String(keyARN("own"))})
	for _, s := range estate.Build(testModel(t), f.open(only("AWS::Lambda::Function", "AWS::KMS::Key")).Collect(t.Context())) {
		for _, r := range s.OfType("AWS::Lambda::Function") {
			if edges := r.Related("keys"); len(edges) != 1 || edges[0].To == nil || edges[0].To.Exists == nil {
				t.Errorf("leads to %v", edges)
			}
		}
	}
}
