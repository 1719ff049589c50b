package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"assay/internal/estate"
)

func kmsService() service {
	return service{name: "kms", reads: []read{{
		types: []string{
			"AWS::KMS::Key", "AWS::KMS::Alias", "Assay::KMS::KeyState", "Assay::KMS::KeyRotationStatus", "Assay::KMS::Grant",
		},
		actions: []string{
			"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListAliases", "kms:ListKeys", tagging,
		},
		list:  readAllKeys,
		named: readKeys,
	}}}
}

// keyNotFound is the code of KMS for what does not exist.
const keyNotFound = "NotFoundException"

func readAllKeys(ctx context.Context, s *scope) error {
	client := kms.NewFromConfig(s.cfg)
	var all []string
	err := each(ctx, s, "kms:ListKeys", kms.NewListKeysPaginator(client, &kms.ListKeysInput{}), func(out *kms.ListKeysOutput) error {
		for _, k := range out.Keys {
			all = append(all, aws.ToString(k.KeyArn))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return forEach(ctx, s, all, 5, func(ctx context.Context, id string) error { return readKey(ctx, s, client, id) })
}

// readKeys reads keys by their ARNs, ids and aliases. One key may be named in
// all of these ways.
func readKeys(ctx context.Context, s *scope, sought []estate.Named) error {
	client := kms.NewFromConfig(s.cfg)
	seen := map[string]bool{}
	var all []string
	for _, n := range sought {
		// The ARN of a key has the form of an alias's too, and the other way round.
		id := n.Text
		if strings.HasPrefix(n.Name, "alias/") {
			id = n.Name
		}
		if !seen[id] && !s.has("AWS::KMS::Key", id) {
			all = append(all, id)
		}
		seen[id] = true
	}
	return forEach(ctx, s, all, 5, func(ctx context.Context, id string) error { return readKey(ctx, s, client, id) })
}

func readKey(ctx context.Context, s *scope, client *kms.Client, id string) error {
	out, err := do(ctx, s, "kms:DescribeKey", client.DescribeKey, &kms.DescribeKeyInput{KeyId: aws.String(id)})
	switch {
	case none(err, keyNotFound):
		return nil
	case err != nil && over(err):
		return err
	case err != nil:
		arn := s.keyARN(id)
		s.perhaps("AWS::KMS::Key", arn, nil, err)
		s.lost("Assay::KMS::Grant", arn, fields{"KeyId": estate.String(arn)}, err)
		return nil
	}
	key := out.KeyMetadata
	if key == nil || key.Arn == nil {
		return s.odd("DescribeKey", "kms:DescribeKey")
	}
	arn := aws.ToString(key.Arn)
	if s.has("AWS::KMS::Key", arn) {
		return nil // named before, in another way
	}
	name := aws.ToString(key.KeyId)
	set := fields{"MultiRegion": estate.Bool(aws.ToBool(key.MultiRegion)), "Tags": s.tagsOf(ctx, "kms:key", arn)}
	if set["KeyPolicy"], err = keyPolicy(ctx, s, client, key); err != nil {
		return err
	}
	if err := rotation(ctx, s, client, key, set); err != nil {
		return err
	}
	s.add(found{typ: "AWS::KMS::Key", id: arn, name: name, from: key, set: set, call: "kms:DescribeKey"})
	s.add(found{typ: "Assay::KMS::KeyState", id: arn, name: name, from: key, set: fields{"KeyId": estate.String(arn)}, call: "kms:DescribeKey"})
	if err := readGrants(ctx, s, client, key); err != nil {
		return err
	}
	aliases := kms.NewListAliasesPaginator(client, &kms.ListAliasesInput{KeyId: key.Arn})
	err = each(ctx, s, "kms:ListAliases", aliases, func(out *kms.ListAliasesOutput) error {
		for _, a := range out.Aliases {
			s.add(found{typ: "AWS::KMS::Alias", id: aws.ToString(a.AliasArn), name: aws.ToString(a.AliasName), from: a, set: fields{"TargetKeyId": estate.String(arn)}, call: "kms:ListAliases"})
		}
		return nil
	})
	switch {
	case err == nil, none(err, keyNotFound):
	case over(err):
		return err
	default:
		s.lost("AWS::KMS::Alias", arn, fields{"TargetKeyId": estate.String(arn)}, err)
	}
	return nil
}

// keyARN is the ARN of a key of the place that may be written as an id alone.
func (s *scope) keyARN(id string) string {
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	if strings.HasPrefix(id, "alias/") {
		return s.arnOf("kms", id)
	}
	return s.arnOf("kms", "key/"+id)
}

// keyPolicy is the policy of a key; nil where it is the one that KMS gives to
// keys without.
func keyPolicy(ctx context.Context, s *scope, client *kms.Client, key *types.KeyMetadata) (*estate.Value, error) {
	arn := aws.ToString(key.Arn)
	out, err := do(ctx, s, "kms:GetKeyPolicy", client.GetKeyPolicy, &kms.GetKeyPolicyInput{KeyId: key.Arn, PolicyName: aws.String("default")})
	switch {
	case err != nil && over(err):
		return nil, err
	case err != nil:
		return s.missing(err, arn), nil
	}
	policy := document(aws.ToString(out.Policy))
	if s.isDefaultKeyPolicy(policy) {
		return nil, nil
	}
	return policy, nil
}

// isDefaultKeyPolicy reports whether a policy does no more than let the account
// decide by its IAM policies.
// source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (s *scope) isDefaultKeyPolicy(policy *estate.Value) bool {
	statements := list(policy.Field("Statement"))
	if len(statements) != 1 {
		return false
	}
	only := statements[0]
	return policy.Field("Id").AsString() == "key-default-1" && only.Field("Effect").AsString() == "Allow" && only.Field("Condition") == nil &&
		only.Field("Principal").Field("AWS").AsString() == "arn:"+s.partition+":iam::"+s.account+":root" && len(only.Field("Principal").Fields()) == 1 &&
		only.Field("Action").AsString() == "kms:*" && only.Field("Resource").AsString() == "*"
}

// rotation reads how a key rotates. Keys of other kinds than symmetric ones
// cannot, and the call refuses them.
// source: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
func rotation(ctx context.Context, s *scope, client *kms.Client, key *types.KeyMetadata, set fields) error {
	set["EnableKeyRotation"], set["RotationPeriodInDays"] = nil, nil
	if key.KeySpec != types.KeySpecSymmetricDefault {
		return nil
	}
	arn := aws.ToString(key.Arn)
	out, err := do(ctx, s, "kms:GetKeyRotationStatus", client.GetKeyRotationStatus, &kms.GetKeyRotationStatusInput{KeyId: key.Arn})
	switch {
	case none(err, "UnsupportedOperationException"): // its material is not of KMS
	case err != nil && over(err):
		return err
	case err != nil:
		set["EnableKeyRotation"] = s.missing(err, arn)
		set["RotationPeriodInDays"] = set["EnableKeyRotation"]
		s.lost("Assay::KMS::KeyRotationStatus", arn, fields{"KeyId": estate.String(arn)}, err)
	default:
		if out.KeyRotationEnabled {
			set["EnableKeyRotation"], set["RotationPeriodInDays"] = estate.Bool(true), number(out.RotationPeriodInDays)
		}
		s.add(found{typ: "Assay::KMS::KeyRotationStatus", id: arn, name: aws.ToString(key.KeyId), from: out, set: fields{"KeyId": estate.String(arn)}, call: "kms:GetKeyRotationStatus"})
	}
	return nil
}

// readGrants reads who was granted the use of a key. The grants on keys that
// AWS manages are made by its services for themselves.
func readGrants(ctx context.Context, s *scope, client *kms.Client, key *types.KeyMetadata) error {
	if key.KeyManager == types.KeyManagerTypeAws {
		return nil
	}
	arn := aws.ToString(key.Arn)
	pages := kms.NewListGrantsPaginator(client, &kms.ListGrantsInput{KeyId: key.Arn})
	err := each(ctx, s, "kms:ListGrants", pages, func(out *kms.ListGrantsOutput) error {
		for _, g := range out.Grants {
			id := aws.ToString(g.GrantId)
			s.add(found{typ: "Assay::KMS::Grant", id: arn + "/" + id, name: id, from: g, call: "kms:ListGrants", set: fields{
				"KeyId":             estate.String(arn),
				"GranteePrincipal":  word(orElse(aws.ToString(g.GranteePrincipal), aws.ToString(g.GranteeServicePrincipal))),
				"RetiringPrincipal": word(orElse(aws.ToString(g.RetiringPrincipal), aws.ToString(g.RetiringServicePrincipal))),
			}})
		}
		return nil
	})
	switch {
	case err == nil, none(err, keyNotFound, "KMSInvalidStateException"): // of a key that waits for deletion
		return nil
	case over(err):
		return err
	}
	s.lost("Assay::KMS::Grant", arn, fields{"KeyId": estate.String(arn)}, err)
	return nil
}
