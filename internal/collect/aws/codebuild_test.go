package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

func serveProjects(f *fake) {
	var names []string
	for i := range 101 {
		names = append(names, fmt.Sprintf("p%03d", i))
	}
	on(f, func(in *codebuild.ListProjectsInput) (*codebuild.ListProjectsOutput, error) {
		out := &codebuild.ListProjectsOutput{}
		out.Projects, out.NextToken = page(names, in.NextToken, 40)
		return out, nil
	})
	on(f, func(in *codebuild.BatchGetProjectsInput) (*codebuild.BatchGetProjectsOutput, error) {
		if len(in.Names) > 100 {
			return nil, refuse("InvalidInputException", "at most 100")
		}
		out := &codebuild.BatchGetProjectsOutput{}
		for _, name := range in.Names {
			p := types.Project{Name: aws.String(name), Arn: aws.String("arn:aws:codebuild:eu-central-1:111122223333:project/" + name)}
			switch name {
			case "p000":
				p.Source = &types.ProjectSource{Type: types.SourceTypeGithub, Location: aws.String("https://github.com/example/example"), GitCloneDepth: aws.Int32(1), InsecureSsl: aws.Bool(false), Buildspec: aws.String("b.yml")}
				p.Artifacts = &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts}
				p.Environment = &types.ProjectEnvironment{
					Type: types.EnvironmentTypeLinuxContainer, Image: aws.String("aws/codebuild/standard:7.0"), ComputeType: types.ComputeTypeBuildGeneral1Small, PrivilegedMode: aws.Bool(true),
					EnvironmentVariables: []types.EnvironmentVariable{
						{Name: aws.String("AWS_SECRET_ACCESS_KEY"), Value: aws.String("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), Type: types.EnvironmentVariableTypePlaintext},
						{Name: aws.String("TOKEN"), Value: aws.String("/app/token"), Type: types.EnvironmentVariableTypeParameterStore},
					},
				}
				p.EncryptionKey = aws.String("arn:aws:kms:eu-central-1:111122223333:alias/aws/s3")
				p.ServiceRole, p.TimeoutInMinutes = aws.String("arn:aws:iam::111122223333:role/build"), aws.Int32(60)
				p.Webhook = &types.Webhook{Secret: aws.String("hush-hush-hush"), FilterGroups: [][]types.WebhookFilter{{{Type: types.WebhookFilterTypeEvent, Pattern: aws.String("PUSH")}}}}
				p.Badge = &types.ProjectBadge{BadgeEnabled: false}
				p.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
				p.LogsConfig = &types.LogsConfig{CloudWatchLogs: &types.CloudWatchLogsConfig{Status: types.LogsConfigStatusTypeDisabled}, S3Logs: &types.S3LogsConfig{Status: types.LogsConfigStatusTypeDisabled, EncryptionDisabled: aws.Bool(false)}}
			case "p001":
				continue // deleted since it was listed
			}
			out.Projects = append(out.Projects, p)
		}
		return out, nil
	})
}

func TestProjects(t *testing.T) {
	got := eachDenied(t, "codebuild", serveProjects, only("AWS::CodeBuild::Project"))
	n := 0
	for _, b := range got {
		n += len(b.Resources())
	}
	if n != 100 {
		t.Errorf("%d projects", n)
	}
	text := jsonOf(withoutUnread(resource(t, got, "AWS::CodeBuild::Project", "p000").Properties))
	for _, secret := range []string{"wJalr", "hush"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is kept: %s", text)
		}
	}
	golden(t, "codebuild", text)
}
