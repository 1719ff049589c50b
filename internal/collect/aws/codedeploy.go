package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"assay/internal/estate"
)

// codedeployService reads how functions, and what else CodeDeploy deploys, are
// deployed: alarms may be of any deployment.
func codedeployService() service {
	return service{name: "codedeploy", reads: []read{
		{
			types:   []string{"AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"},
			actions: []string{"codedeploy:ListApplications", "codedeploy:BatchGetApplications", "codedeploy:ListDeploymentGroups", "codedeploy:BatchGetDeploymentGroups", tagging},
			list:    readDeployments,
		},
		{
			types:   []string{"AWS::CodeDeploy::DeploymentConfig"},
			actions: []string{"codedeploy:ListDeploymentConfigs", "codedeploy:GetDeploymentConfig"},
			list:    readDeploymentConfigs,
		},
	}}
}

// deployed is how many names a batch of CodeDeploy takes.
const deployed = 100

func readDeployments(ctx context.Context, s *scope) error {
	client := codedeploy.NewFromConfig(s.cfg)
	var names []string
	listed := each(ctx, s, "codedeploy:ListApplications", codedeploy.NewListApplicationsPaginator(client, &codedeploy.ListApplicationsInput{}), func(out *codedeploy.ListApplicationsOutput) error {
		names = append(names, out.Applications...)
		return nil
	})
	for some := range slices.Chunk(names, deployed) {
		out, err := do(ctx, s, "codedeploy:BatchGetApplications", client.BatchGetApplications, &codedeploy.BatchGetApplicationsInput{ApplicationNames: some})
		if err != nil && over(err) {
			return err
		}
		if err != nil {
			for _, name := range some {
				s.undescribed("AWS::CodeDeploy::Application", s.arnOf("codedeploy", "application:"+name), name, fields{"ApplicationName": estate.String(name)}, err)
			}
			continue
		}
		for _, a := range out.ApplicationsInfo {
			name := aws.ToString(a.ApplicationName)
			arn := s.arnOf("codedeploy", "application:"+name)
			s.add(found{
				typ: "AWS::CodeDeploy::Application", id: arn, name: name, from: a, call: "codedeploy:BatchGetApplications",
				set: fields{"Tags": s.tagsOf(ctx, "codedeploy", arn)},
			})
		}
	}
	if err := forEach(ctx, s, names, 2, func(ctx context.Context, name string) error {
		err := deploymentGroups(ctx, s, client, name)
		return s.orLost(err, "AWS::CodeDeploy::DeploymentGroup", s.arnOf("codedeploy", "deploymentgroup:"+name), fields{"ApplicationName": estate.String(name)}, "ApplicationDoesNotExistException")
	}); err != nil {
		return err
	}
	return listed
}

func deploymentGroups(ctx context.Context, s *scope, client *codedeploy.Client, application string) error {
	var names []string
	pages := codedeploy.NewListDeploymentGroupsPaginator(client, &codedeploy.ListDeploymentGroupsInput{ApplicationName: aws.String(application)})
	err := each(ctx, s, "codedeploy:ListDeploymentGroups", pages, func(out *codedeploy.ListDeploymentGroupsOutput) error {
		names = append(names, out.DeploymentGroups...)
		return nil
	})
	if err != nil {
		return err
	}
	for some := range slices.Chunk(names, deployed) {
		out, err := do(ctx, s, "codedeploy:BatchGetDeploymentGroups", client.BatchGetDeploymentGroups, &codedeploy.BatchGetDeploymentGroupsInput{ApplicationName: aws.String(application), DeploymentGroupNames: some})
		if err != nil {
			return err
		}
		for _, g := range out.DeploymentGroupsInfo {
			name := aws.ToString(g.DeploymentGroupName)
			arn := s.arnOf("codedeploy", "deploymentgroup:"+application+"/"+name)
			var scaling []string
			for _, a := range g.AutoScalingGroups {
				scaling = append(scaling, aws.ToString(a.Name))
			}
			set := fields{"AutoScalingGroups": strs(scaling), "Tags": s.tagsOf(ctx, "codedeploy", arn), "AlarmConfiguration": alarmsOf(g.AlarmConfiguration)}
			s.add(found{typ: "AWS::CodeDeploy::DeploymentGroup", id: arn, name: name, from: g, set: set, call: "codedeploy:BatchGetDeploymentGroups"})
		}
	}
	return nil
}

// alarmsOf are the alarms that stop a deployment; nil when none was set.
func alarmsOf(c *types.AlarmConfiguration) *estate.Value {
	if c == nil || !c.Enabled && len(c.Alarms) == 0 {
		return nil
	}
	var alarms []*estate.Value
	for _, a := range c.Alarms {
		alarms = append(alarms, some(fields{"Name": str(a.Name)}))
	}
	return some(fields{"Enabled": estate.Bool(c.Enabled), "IgnorePollAlarmFailure": estate.Bool(c.IgnorePollAlarmFailure), "Alarms": listOf(alarms)})
}

func readDeploymentConfigs(ctx context.Context, s *scope) error {
	client := codedeploy.NewFromConfig(s.cfg)
	var names []string
	pages := codedeploy.NewListDeploymentConfigsPaginator(client, &codedeploy.ListDeploymentConfigsInput{})
	listed := each(ctx, s, "codedeploy:ListDeploymentConfigs", pages, func(out *codedeploy.ListDeploymentConfigsOutput) error {
		for _, name := range out.DeploymentConfigsList {
			if !strings.HasPrefix(name, "CodeDeployDefault.") { // AWS's own, which say by their names what they do
				names = append(names, name)
			}
		}
		return nil
	})
	if err := forEach(ctx, s, names, 1, func(ctx context.Context, name string) error {
		arn := s.arnOf("codedeploy", "deploymentconfig:"+name)
		out, err := do(ctx, s, "codedeploy:GetDeploymentConfig", client.GetDeploymentConfig, &codedeploy.GetDeploymentConfigInput{DeploymentConfigName: aws.String(name)})
		switch {
		case none(err, "DeploymentConfigDoesNotExistException"):
		case err != nil && over(err):
			return err
		case err != nil:
			s.undescribed("AWS::CodeDeploy::DeploymentConfig", arn, name, fields{"DeploymentConfigName": estate.String(name)}, err)
		case out.DeploymentConfigInfo != nil:
			s.add(found{typ: "AWS::CodeDeploy::DeploymentConfig", id: arn, name: name, from: out.DeploymentConfigInfo, call: "codedeploy:GetDeploymentConfig"})
		}
		return nil
	}); err != nil {
		return err
	}
	return listed
}
