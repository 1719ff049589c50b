package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"assay/internal/estate"
)

// efsService reads the file systems that functions mount.
func efsService() service {
	return service{name: "elasticfilesystem", reads: []read{
		{
			types:   []string{"AWS::EFS::AccessPoint"},
			actions: []string{"elasticfilesystem:DescribeAccessPoints"},
			list: func(ctx context.Context, s *scope) error {
				return accessPoints(ctx, s, &efs.DescribeAccessPointsInput{})
			},
			named: func(ctx context.Context, s *scope, sought []estate.Named) error {
				return forEach(ctx, s, sought, 1, func(ctx context.Context, n estate.Named) error {
					err := accessPoints(ctx, s, &efs.DescribeAccessPointsInput{AccessPointId: aws.String(n.Name)})
					return s.orPerhaps(err, "AWS::EFS::AccessPoint", s.arnOf("elasticfilesystem", "access-point/"+n.Name), nil, "AccessPointNotFound")
				})
			},
		},
		{
			types: []string{"AWS::EFS::FileSystem"},
			actions: []string{
				"elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeFileSystemPolicy", "elasticfilesystem:DescribeBackupPolicy",
				"elasticfilesystem:DescribeLifecycleConfiguration", listingAliases,
			},
			list: func(ctx context.Context, s *scope) error {
				return fileSystems{s, efs.NewFromConfig(s.cfg)}.read(ctx, &efs.DescribeFileSystemsInput{})
			},
			named: func(ctx context.Context, s *scope, sought []estate.Named) error {
				r := fileSystems{s, efs.NewFromConfig(s.cfg)}
				return forEach(ctx, s, sought, 4, func(ctx context.Context, n estate.Named) error {
					err := r.read(ctx, &efs.DescribeFileSystemsInput{FileSystemId: aws.String(n.Name)})
					return s.orPerhaps(err, "AWS::EFS::FileSystem", s.arnOf("elasticfilesystem", "file-system/"+n.Name), nil, "FileSystemNotFound")
				})
			},
		},
	}}
}

func accessPoints(ctx context.Context, s *scope, in *efs.DescribeAccessPointsInput) error {
	pages := efs.NewDescribeAccessPointsPaginator(efs.NewFromConfig(s.cfg), in)
	return each(ctx, s, "elasticfilesystem:DescribeAccessPoints", pages, func(out *efs.DescribeAccessPointsOutput) error {
		for _, p := range out.AccessPoints {
			s.add(found{
				typ: "AWS::EFS::AccessPoint", id: aws.ToString(p.AccessPointArn), name: orElse(aws.ToString(p.Name), aws.ToString(p.AccessPointId)), from: p,
				set: fields{"ClientToken": nil}, renamed: map[string]string{"AccessPointTags": "Tags"}, call: "elasticfilesystem:DescribeAccessPoints",
			})
		}
		return nil
	})
}

type fileSystems struct {
	*scope
	client *efs.Client
}

func (r fileSystems) read(ctx context.Context, in *efs.DescribeFileSystemsInput) error {
	var all []types.FileSystemDescription
	err := each(ctx, r.scope, "elasticfilesystem:DescribeFileSystems", efs.NewDescribeFileSystemsPaginator(r.client, in), func(out *efs.DescribeFileSystemsOutput) error {
		all = append(all, out.FileSystems...)
		return nil
	})
	if err != nil {
		return err
	}
	return forEach(ctx, r.scope, all, 3, r.fileSystem)
}

func (r fileSystems) fileSystem(ctx context.Context, f types.FileSystemDescription) error {
	arn := orElse(aws.ToString(f.FileSystemArn), r.arnOf("elasticfilesystem", "file-system/"+aws.ToString(f.FileSystemId)))
	set := fields{"BypassPolicyLockoutSafetyCheck": nil, "FileSystemPolicy": nil, "BackupPolicy": nil, "LifecyclePolicies": nil}
	policy, err := do(ctx, r.scope, "elasticfilesystem:DescribeFileSystemPolicy", r.client.DescribeFileSystemPolicy, &efs.DescribeFileSystemPolicyInput{FileSystemId: f.FileSystemId})
	switch {
	case none(err, "FileSystemNotFound"):
		return nil // deleted since it was listed
	case err != nil && over(err):
		return err
	case none(err, "PolicyNotFound"):
	case err != nil:
		set["FileSystemPolicy"] = r.missing(err, arn)
	case aws.ToString(policy.Policy) != "":
		set["FileSystemPolicy"] = document(aws.ToString(policy.Policy))
	}
	backup, err := do(ctx, r.scope, "elasticfilesystem:DescribeBackupPolicy", r.client.DescribeBackupPolicy, &efs.DescribeBackupPolicyInput{FileSystemId: f.FileSystemId})
	switch {
	case err != nil && over(err):
		return err
	case none(err, "PolicyNotFound"):
	case err != nil:
		set["BackupPolicy"] = r.missing(err, arn)
	case backup.BackupPolicy != nil:
		set["BackupPolicy"] = some(fields{"Status": word(string(backup.BackupPolicy.Status))})
	}
	lifecycle, err := do(ctx, r.scope, "elasticfilesystem:DescribeLifecycleConfiguration", r.client.DescribeLifecycleConfiguration, &efs.DescribeLifecycleConfigurationInput{FileSystemId: f.FileSystemId})
	switch {
	case err != nil && over(err):
		return err
	case err != nil:
		set["LifecyclePolicies"] = r.missing(err, arn)
	default:
		var policies []*estate.Value
		for _, p := range lifecycle.LifecyclePolicies {
			policies = append(policies, r.part("AWS::EFS::FileSystem", "LifecyclePolicy", p))
		}
		set["LifecyclePolicies"] = listOf(policies)
	}
	set["KmsKeyId"] = r.keyOf(ctx, f.KmsKeyId, arn)
	r.add(found{
		typ: "AWS::EFS::FileSystem", id: arn, name: orElse(aws.ToString(f.Name), aws.ToString(f.FileSystemId)), from: f, set: set,
		renamed: map[string]string{"FileSystemTags": "Tags"}, call: "elasticfilesystem:DescribeFileSystems",
	})
	return nil
}
