package aws

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"assay/internal/estate"
)

func efsARN(resource string) string {
	return "arn:aws:elasticfilesystem:" + testRegion + ":" + testAccount + ":" + resource
}

func kmsKey(id string) string {
	return "arn:aws:kms:" + testRegion + ":" + testAccount + ":key/" + id
}

// serveFileSystems answers two access points and their file systems, of which
// one has a key of its own, and none of the rest.
func serveFileSystems(f *fake) {
	points := map[string]types.AccessPointDescription{
		"fsap-1": {AccessPointArn: aws.String(efsARN("access-point/fsap-1")), AccessPointId: aws.String("fsap-1"), ClientToken: aws.String("t"), FileSystemId: aws.String("fs-1"), Name: aws.String("data"),
			PosixUser: &types.PosixUser{Uid: aws.Int64(0), Gid: aws.Int64(0)}, RootDirectory: &types.RootDirectory{Path: aws.String("/")}, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("data")}}},
		"fsap-2": {AccessPointArn: aws.String(efsARN("access-point/fsap-2")), AccessPointId: aws.String("fsap-2"), FileSystemId: aws.String("fs-2")},
	}
	on(f, func(in *efs.DescribeAccessPointsInput) (*efs.DescribeAccessPointsOutput, error) {
		if in.AccessPointId == nil {
			out := &efs.DescribeAccessPointsOutput{}
			out.AccessPoints, out.NextToken = page([]types.AccessPointDescription{points["fsap-1"], points["fsap-2"]}, in.NextToken, 1)
			return out, nil
		}
		p, ok := points[*in.AccessPointId]
		if !ok {
			return nil, refuse("AccessPointNotFound", "no such access point")
		}
		return &efs.DescribeAccessPointsOutput{AccessPoints: []types.AccessPointDescription{p}}, nil
	})
	systems := []types.FileSystemDescription{
		{FileSystemId: aws.String("fs-1"), FileSystemArn: aws.String(efsARN("file-system/fs-1")), Encrypted: aws.Bool(true), KmsKeyId: aws.String(kmsKey("own")), PerformanceMode: types.PerformanceModeGeneralPurpose, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}, SizeInBytes: &types.FileSystemSize{}},
		{FileSystemId: aws.String("fs-2"), FileSystemArn: aws.String(efsARN("file-system/fs-2")), Encrypted: aws.Bool(true), KmsKeyId: aws.String(kmsKey("aws")), SizeInBytes: &types.FileSystemSize{}},
		{FileSystemId: aws.String(deleted), FileSystemArn: aws.String(efsARN("file-system/" + deleted)), Encrypted: aws.Bool(false), SizeInBytes: &types.FileSystemSize{}},
	}
	systems = kept(f, systems, func(s types.FileSystemDescription) *string { return s.FileSystemId })
	on(f, func(in *efs.DescribeFileSystemsInput) (*efs.DescribeFileSystemsOutput, error) {
		out := &efs.DescribeFileSystemsOutput{}
		if in.FileSystemId == nil {
			out.FileSystems, out.NextMarker = page(systems, in.Marker, 1)
			return out, nil
		}
		for _, s := range systems {
			if *s.FileSystemId == *in.FileSystemId {
				out.FileSystems = append(out.FileSystems, s)
			}
		}
		return out, nil
	})
	on(f, func(in *efs.DescribeFileSystemPolicyInput) (*efs.DescribeFileSystemPolicyOutput, error) {
		switch *in.FileSystemId {
		case "fs-1":
			return &efs.DescribeFileSystemPolicyOutput{FileSystemId: in.FileSystemId, Policy: aws.String(`{"Statement":[]}`)}, nil
		case deleted:
			return nil, refuse("FileSystemNotFound", "gone")
		}
		return nil, refuse("PolicyNotFound", "none")
	})
	on(f, func(in *efs.DescribeBackupPolicyInput) (*efs.DescribeBackupPolicyOutput, error) {
		if *in.FileSystemId == "fs-1" {
			return &efs.DescribeBackupPolicyOutput{BackupPolicy: &types.BackupPolicy{Status: types.StatusEnabled}}, nil
		}
		return nil, refuse("PolicyNotFound", "none")
	})
	always(f, &efs.DescribeLifecycleConfigurationOutput{LifecyclePolicies: []types.LifecyclePolicy{{TransitionToIA: types.TransitionToIARulesAfter30Days}}}, &efs.DescribeLifecycleConfigurationInput{})
	aliases := []kmstypes.AliasListEntry{{AliasName: aws.String("alias/mine"), TargetKeyId: aws.String("own")}, {AliasName: aws.String("alias/aws/elasticfilesystem"), TargetKeyId: aws.String("aws")}}
	on(f, func(in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
		out := &kms.ListAliasesOutput{}
		out.Aliases, out.NextMarker = page(aliases, in.Marker, 1)
		out.Truncated = out.NextMarker != nil
		return out, nil
	})
}

func TestFileSystems(t *testing.T) {
	types := []string{"AWS::EFS::AccessPoint", "AWS::EFS::FileSystem"}
	golden(t, "efs", show(t, eachDenied(t, "elasticfilesystem", serveFileSystems, only(types...), everything)))

	f := newFake(t)
	serveFileSystems(f)
	if text := show(t, f.open(only(types...), everything).Collect(context.Background())); strings.Contains(text, deleted) {
		t.Errorf("a file system that is gone:\n%s", text)
	}

	f = newFake(t)
	serveFunction(f, nil, `"*"`, func(fn *lambdatypes.FunctionConfiguration) {
		for _, id := range []string{"fsap-1", "fsap-9"} {
			fn.FileSystemConfigs = append(fn.FileSystemConfigs, lambdatypes.FileSystemConfig{Arn: aws.String(efsARN("access-point/" + id)), LocalMountPath: aws.String("/mnt/" + id)})
		}
	})
	serveFileSystems(f)
	a := f.open(only("AWS::Lambda::Function", types[0], types[1]))
	got := a.Collect(context.Background())
	resource(t, got, types[0], efsARN("access-point/fsap-1"))
	resource(t, got, types[1], efsARN("file-system/fs-1"))
	if text := show(t, got, types...); strings.Contains(text, "fsap-9") || strings.Contains(text, "fsap-2") {
		t.Errorf("what is not there, or not named:\n%s", text)
	}
	f.fault(denied("elasticfilesystem:DescribeAccessPoints"))
	if p := resource(t, a.Collect(context.Background()), types[0], efsARN("access-point/fsap-1")); p.Exists.Kind() != estate.KindDenied {
		t.Errorf("an access point that may not be described: %s", jsonOf(p.Properties))
	}
}
