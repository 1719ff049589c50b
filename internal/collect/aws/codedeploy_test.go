package aws

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

var deploymentTypes = []string{"AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup", "AWS::CodeDeploy::DeploymentConfig"}

func serveDeployments(f *fake) {
	name := func(text string) *string { return &text }
	applications, configs := kept(f, []string{"app", "servers", deleted}, name), kept(f, []string{"CodeDeployDefault.LambdaAllAtOnce", "slowly", deleted}, name)
	on(f, func(in *codedeploy.ListApplicationsInput) (*codedeploy.ListApplicationsOutput, error) {
		out := &codedeploy.ListApplicationsOutput{}
		out.Applications, out.NextToken = page(applications, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *codedeploy.BatchGetApplicationsInput) (*codedeploy.BatchGetApplicationsOutput, error) {
		return &codedeploy.BatchGetApplicationsOutput{ApplicationsInfo: []types.ApplicationInfo{
			{ApplicationName: aws.String("app"), ComputePlatform: types.ComputePlatformLambda}, {ApplicationName: aws.String("servers"), ComputePlatform: types.ComputePlatformServer},
		}}, nil
	})
	on(f, func(in *codedeploy.ListDeploymentGroupsInput) (*codedeploy.ListDeploymentGroupsOutput, error) {
		if *in.ApplicationName == deleted {
			return nil, refuse("ApplicationDoesNotExistException", deleted)
		}
		out := &codedeploy.ListDeploymentGroupsOutput{ApplicationName: in.ApplicationName}
		out.DeploymentGroups, out.NextToken = page([]string{"one", "two"}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *codedeploy.BatchGetDeploymentGroupsInput) (*codedeploy.BatchGetDeploymentGroupsOutput, error) {
		out := &codedeploy.BatchGetDeploymentGroupsOutput{}
		for _, name := range in.DeploymentGroupNames {
			g := types.DeploymentGroupInfo{ApplicationName: in.ApplicationName, DeploymentGroupName: aws.String(name), DeploymentConfigName: aws.String("CodeDeployDefault.LambdaAllAtOnce"), AlarmConfiguration: &types.AlarmConfiguration{}}
			if name == "one" && *in.ApplicationName == "app" {
				g.DeploymentConfigName = aws.String("slowly")
				g.AlarmConfiguration = &types.AlarmConfiguration{Enabled: true, Alarms: []types.Alarm{{Name: aws.String("errors")}}}
				g.AutoRollbackConfiguration = &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentStopOnAlarm}}
			}
			if *in.ApplicationName == "servers" {
				g.AutoScalingGroups = []types.AutoScalingGroup{{Name: aws.String("asg"), Hook: aws.String("h")}}
			}
			out.DeploymentGroupsInfo = append(out.DeploymentGroupsInfo, g)
		}
		return out, nil
	})
	on(f, func(in *codedeploy.ListDeploymentConfigsInput) (*codedeploy.ListDeploymentConfigsOutput, error) {
		out := &codedeploy.ListDeploymentConfigsOutput{}
		out.DeploymentConfigsList, out.NextToken = page(configs, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *codedeploy.GetDeploymentConfigInput) (*codedeploy.GetDeploymentConfigOutput, error) {
		if *in.DeploymentConfigName != "slowly" {
			return nil, refuse("DeploymentConfigDoesNotExistException", deleted)
		}
		return &codedeploy.GetDeploymentConfigOutput{DeploymentConfigInfo: &types.DeploymentConfigInfo{
			DeploymentConfigName: in.DeploymentConfigName, ComputePlatform: types.ComputePlatformLambda,
			TrafficRoutingConfig: &types.TrafficRoutingConfig{Type: types.TrafficRoutingTypeTimeBasedCanary, TimeBasedCanary: &types.TimeBasedCanary{CanaryInterval: 5, CanaryPercentage: 10}},
		}}, nil
	})
	serveTags(f, "arn:aws:codedeploy:eu-central-1:111122223333:application:app")
}

func TestDeployments(t *testing.T) {
	f := newFake(t)
	serveDeployments(f)
	golden(t, "codedeploy", show(t, f.open(only(deploymentTypes...)).Collect(context.Background())))
	eachDenied(t, "codedeploy", serveDeployments, only(deploymentTypes...), everything)
}
