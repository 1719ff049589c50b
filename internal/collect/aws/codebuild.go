package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"assay/internal/estate"
)

// codebuildService reads what builds functions. Which projects those are is not
// told: their roles and scripts may deploy any.
func codebuildService() service {
	return service{name: "codebuild", reads: []read{{
		types:   []string{"AWS::CodeBuild::Project"},
		actions: []string{"codebuild:ListProjects", "codebuild:BatchGetProjects"},
		list:    readProjects,
	}}}
}

func readProjects(ctx context.Context, s *scope) error {
	client := codebuild.NewFromConfig(s.cfg)
	var names []string
	listed := each(ctx, s, "codebuild:ListProjects", codebuild.NewListProjectsPaginator(client, &codebuild.ListProjectsInput{}), func(out *codebuild.ListProjectsOutput) error {
		names = append(names, out.Projects...)
		return nil
	})
	const most = 100 // names that one call takes
	for some := range slices.Chunk(names, most) {
		out, err := do(ctx, s, "codebuild:BatchGetProjects", client.BatchGetProjects, &codebuild.BatchGetProjectsInput{Names: some})
		if err != nil {
			return err
		}
		for _, p := range out.Projects {
			s.project(p)
		}
	}
	return listed
}

func (s *scope) project(p types.Project) {
	const project = "AWS::CodeBuild::Project"
	set := fields{"Triggers": nil, "BadgeEnabled": nil, "Environment": s.part(project, "Environment", p.Environment)}
	if p.Environment != nil {
		var variables []*estate.Value
		for _, v := range p.Environment.EnvironmentVariables {
			value := str(v.Value) // of the other types, the name of what holds it
			if v.Type == types.EnvironmentVariableTypePlaintext || v.Type == "" {
				value = variable(aws.ToString(v.Name), aws.ToString(v.Value), s.run.options.Salt)
			}
			variables = append(variables, some(fields{"Name": str(v.Name), "Type": word(string(v.Type)), "Value": value}))
		}
		set["Environment"] = set["Environment"].With("EnvironmentVariables", listOf(variables))
	}
	if p.Badge != nil {
		set["BadgeEnabled"] = estate.Bool(p.Badge.BadgeEnabled)
	}
	if p.Webhook != nil {
		set["Triggers"] = s.part(project, "ProjectTriggers", p.Webhook).With("Webhook", estate.Bool(true))
	}
	s.add(found{
		typ: project, id: aws.ToString(p.Arn), name: aws.ToString(p.Name), from: p, set: set,
		renamed: map[string]string{"Visibility": "ProjectVisibility"}, call: "codebuild:BatchGetProjects",
	})
}
