package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"assay/internal/estate"
)

func ecrService() service {
	return service{name: "ecr", reads: []read{
		{
			types: []string{"AWS::ECR::Repository"},
			actions: []string{
				"ecr:DescribeRepositories", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy", tagging,
			},
			list:  readRepositories,
			named: readImages,
		},
		{
			types:   []string{"AWS::ECR::RegistryScanningConfiguration"},
			actions: []string{"ecr:GetRegistryScanningConfiguration"},
			list:    readRegistryScanning,
		},
	}}
}

// anyRepository is how a function names the repository of its image, which no
// call tells that does not give the code, too.
var anyRepository = estate.Named{Type: "AWS::ECR::Repository"}

// readImages reads the repositories that were named, and all of them where a
// function runs an image.
func readImages(ctx context.Context, s *scope, sought []estate.Named) error {
	client := ecr.NewFromConfig(s.cfg)
	var names []string
	for _, n := range sought {
		if n == anyRepository {
			return readRepositories(ctx, s)
		}
		names = append(names, n.Name)
	}
	const call = "ecr:DescribeRepositories"
	return forEach(ctx, s, names, 3, func(ctx context.Context, name string) error {
		out, err := do(ctx, s, call, client.DescribeRepositories, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
		switch {
		case none(err, "RepositoryNotFoundException"):
			return nil
		case err != nil && over(err):
			return err
		case err != nil:
			s.perhaps("AWS::ECR::Repository", s.arnOf("ecr", "repository/"+name), fields{"RepositoryName": estate.String(name)}, err)
			return nil
		}
		for _, r := range out.Repositories {
			if err := readRepository(ctx, s, client, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func readRepositories(ctx context.Context, s *scope) error {
	client := ecr.NewFromConfig(s.cfg)
	var all []types.Repository
	err := each(ctx, s, "ecr:DescribeRepositories", ecr.NewDescribeRepositoriesPaginator(client, &ecr.DescribeRepositoriesInput{}), func(out *ecr.DescribeRepositoriesOutput) error {
		all = append(all, out.Repositories...)
		return nil
	})
	if err != nil {
		return err
	}
	return forEach(ctx, s, all, 2, func(ctx context.Context, r types.Repository) error { return readRepository(ctx, s, client, r) })
}

func readRepository(ctx context.Context, s *scope, client *ecr.Client, r types.Repository) error {
	arn := aws.ToString(r.RepositoryArn)
	set := fields{"RepositoryPolicyText": nil, "LifecyclePolicy": nil, "Tags": s.tagsOf(ctx, "ecr:repository", arn)}
	policy, err := do(ctx, s, "ecr:GetRepositoryPolicy", client.GetRepositoryPolicy, &ecr.GetRepositoryPolicyInput{RepositoryName: r.RepositoryName})
	switch {
	case none(err, "RepositoryNotFoundException"):
		return nil // deleted since it was listed
	case none(err, "RepositoryPolicyNotFoundException"):
	case err != nil && over(err):
		return err
	case err != nil:
		set["RepositoryPolicyText"] = s.missing(err, arn)
	default:
		set["RepositoryPolicyText"] = document(aws.ToString(policy.PolicyText))
	}
	lifecycle, err := do(ctx, s, "ecr:GetLifecyclePolicy", client.GetLifecyclePolicy, &ecr.GetLifecyclePolicyInput{RepositoryName: r.RepositoryName})
	switch {
	case none(err, "LifecyclePolicyNotFoundException"), none(err, "RepositoryNotFoundException"):
	case err != nil && over(err):
		return err
	case err != nil:
		set["LifecyclePolicy"] = s.missing(err, arn)
	default:
		set["LifecyclePolicy"] = some(fields{"LifecyclePolicyText": str(lifecycle.LifecyclePolicyText)})
	}
	var exclusions []*estate.Value
	for _, f := range r.ImageTagMutabilityExclusionFilters {
		exclusions = append(exclusions, some(fields{
			"ImageTagMutabilityExclusionFilterType": word(string(f.FilterType)), "ImageTagMutabilityExclusionFilterValue": str(f.Filter),
		}))
	}
	set["ImageTagMutabilityExclusionFilters"] = nil
	if len(exclusions) > 0 {
		set["ImageTagMutabilityExclusionFilters"] = estate.List(exclusions...)
	}
	s.add(found{typ: "AWS::ECR::Repository", id: arn, name: aws.ToString(r.RepositoryName), from: r, set: set, call: "ecr:DescribeRepositories"})
	if r.EncryptionConfiguration != nil {
		s.wantARN(aws.ToString(r.EncryptionConfiguration.KmsKey))
	}
	return nil
}

func readRegistryScanning(ctx context.Context, s *scope) error {
	client := ecr.NewFromConfig(s.cfg)
	const call = "ecr:GetRegistryScanningConfiguration"
	out, err := do(ctx, s, call, client.GetRegistryScanningConfiguration, &ecr.GetRegistryScanningConfigurationInput{})
	if err != nil {
		return err
	}
	if out.ScanningConfiguration == nil {
		return s.odd("GetRegistryScanningConfiguration", call)
	}
	set := fields{}
	if len(out.ScanningConfiguration.Rules) == 0 {
		set["Rules"] = estate.List() // a template must write the list, with nothing in it
	}
	s.add(found{typ: "AWS::ECR::RegistryScanningConfiguration", id: orElse(aws.ToString(out.RegistryId), s.account), name: "scanning of images", from: out.ScanningConfiguration, set: set, call: call})
	return nil
}
