package aws

import (
	"context"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"assay/internal/estate"
)

// secretsmanagerService reads what is said of secrets, and never what they hold.
func secretsmanagerService() service {
	return service{name: "secretsmanager", reads: []read{{
		types: []string{
			"AWS::SecretsManager::Secret", "Assay::SecretsManager::SecretState", "AWS::SecretsManager::RotationSchedule",
			"AWS::SecretsManager::ResourcePolicy",
		},
		actions: []string{"secretsmanager:ListSecrets", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"},
		list:    listSecrets,
		named:   readSecrets,
	}}}
}

type secrets struct {
	*scope
	client *secretsmanager.Client
}

func listSecrets(ctx context.Context, s *scope) error {
	r := secrets{s, secretsmanager.NewFromConfig(s.cfg)}
	var all []estate.Named
	pages := secretsmanager.NewListSecretsPaginator(r.client, &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true), MaxResults: aws.Int32(100)})
	listed := each(ctx, s, "secretsmanager:ListSecrets", pages, func(out *secretsmanager.ListSecretsOutput) error {
		for _, e := range out.SecretList {
			all = append(all, estate.Named{Type: "AWS::SecretsManager::Secret", Text: aws.ToString(e.ARN), Name: aws.ToString(e.Name)})
		}
		return nil
	})
	if err := forEach(ctx, s, all, 2, r.secret); err != nil {
		return err
	}
	return listed
}

func readSecrets(ctx context.Context, s *scope, sought []estate.Named) error {
	r := secrets{s, secretsmanager.NewFromConfig(s.cfg)}
	return forEach(ctx, s, sought, 2, r.secret)
}

// secretIDs are how a secret is asked for: by its ARN, less a key and version
// that may follow, and by its name, which an ARN without the characters that AWS
// adds ends in.
func secretIDs(n estate.Named) (ids []string) {
	name, _, _ := strings.Cut(n.Name, ":")
	a, err := arn.Parse(n.Text)
	if err == nil && a.Region != "" && a.AccountID != "" && randomEnd.MatchString(name) {
		a.Resource = "secret:" + name
		ids = append(ids, a.String())
	}
	return append(ids, name)
}

// randomEnd are the characters that AWS adds to a secret's name in its ARN.
var randomEnd = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

func (r *secrets) secret(ctx context.Context, n estate.Named) error {
	var out *secretsmanager.DescribeSecretOutput
	for _, id := range secretIDs(n) {
		var err error
		out, err = do(ctx, r.scope, "secretsmanager:DescribeSecret", r.client.DescribeSecret, &secretsmanager.DescribeSecretInput{SecretId: aws.String(id)})
		if err == nil {
			break
		}
		if !none(err, notFound) {
			name := afterLast(id, ":")
			arn := r.arnOf("secretsmanager", "secret:"+name)
			return r.orPerhaps(err, "AWS::SecretsManager::Secret", arn, fields{"Name": estate.String(randomEnd.ReplaceAllString(name, ""))})
		}
	}
	if out == nil {
		return nil
	}
	on, name := aws.ToString(out.ARN), aws.ToString(out.Name)
	set := fields{"ReplicaRegions": nil}
	var replicas []*estate.Value
	for _, replica := range out.ReplicationStatus {
		replicas = append(replicas, some(fields{"Region": str(replica.Region), "KmsKeyId": str(replica.KmsKeyId)}))
	}
	set["ReplicaRegions"] = listOf(replicas)
	const call = "secretsmanager:DescribeSecret"
	r.add(found{typ: "AWS::SecretsManager::Secret", id: on, name: name, from: out, set: set, call: call})
	r.add(found{
		typ: "Assay::SecretsManager::SecretState", id: on, name: name, from: out, call: call,
		set: fields{"SecretArn": estate.String(on), "RotationEnabled": estate.Bool(aws.ToBool(out.RotationEnabled))},
	})
	if aws.ToBool(out.RotationEnabled) {
		r.add(found{
			typ: "AWS::SecretsManager::RotationSchedule", id: on + "/rotation", name: "rotation of " + name, from: out, call: call,
			set: fields{"SecretId": estate.String(on), "HostedRotationLambda": nil, "RotateImmediatelyOnUpdate": nil, "RotationRules": r.rules(out.RotationRules)},
		})
	}
	if out.DeletedDate != nil {
		return nil // it gives nothing to anyone, and does not tell its policy
	}
	policy, err := do(ctx, r.scope, "secretsmanager:GetResourcePolicy", r.client.GetResourcePolicy, &secretsmanager.GetResourcePolicyInput{SecretId: out.ARN})
	if err != nil {
		return r.orLost(err, "AWS::SecretsManager::ResourcePolicy", on+"/policy", fields{"SecretId": estate.String(on)}, notFound)
	}
	if aws.ToString(policy.ResourcePolicy) != "" {
		// Whether it was checked for public access when it was set, nothing tells.
		r.add(found{
			typ: "AWS::SecretsManager::ResourcePolicy", id: on + "/policy", name: "policy of " + name, call: "secretsmanager:GetResourcePolicy",
			set: fields{"SecretId": estate.String(on), "ResourcePolicy": document(aws.ToString(policy.ResourcePolicy))},
		})
	}
	return nil
}

// rules are when a secret is rotated. One of days and schedule is stated, and
// the service answers both where it worked the days out.
func (r *secrets) rules(of *types.RotationRulesType) *estate.Value {
	if of == nil {
		return nil
	}
	return some(fields{"AutomaticallyAfterDays": number(of.AutomaticallyAfterDays), "Duration": str(of.Duration), "ScheduleExpression": str(of.ScheduleExpression)})
}
