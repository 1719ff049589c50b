package aws

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"assay/internal/estate"
)

// cognitoService reads the user pools that functions are triggers of, by a
// list, and those behind authorizers, by their names.
func cognitoService() service {
	pools := []string{"AWS::Cognito::UserPool"}
	return service{name: "cognito-idp", reads: []read{
		{types: pools, actions: []string{"cognito-idp:ListUserPools", "cognito-idp:DescribeUserPool"}, touching: true, list: listPools},
		{types: pools, actions: []string{"cognito-idp:DescribeUserPool"}, named: readPools},
	}}
}

func listPools(ctx context.Context, s *scope) error {
	client := cognito.NewFromConfig(s.cfg)
	var ids []string
	pages := cognito.NewListUserPoolsPaginator(client, &cognito.ListUserPoolsInput{MaxResults: aws.Int32(60)})
	listed := each(ctx, s, "cognito-idp:ListUserPools", pages, func(out *cognito.ListUserPoolsOutput) error {
		for _, p := range out.UserPools {
			triggers, err := json.Marshal(p.LambdaConfig)
			if s.run.options.All || err != nil || strings.Contains(string(triggers), ":function:") {
				ids = append(ids, aws.ToString(p.Id))
			}
		}
		return nil
	})
	if err := forEach(ctx, s, ids, 1, func(ctx context.Context, id string) error { return pool(ctx, s, client, id) }); err != nil {
		return err
	}
	return listed
}

func readPools(ctx context.Context, s *scope, sought []estate.Named) error {
	client := cognito.NewFromConfig(s.cfg)
	return forEach(ctx, s, sought, 1, func(ctx context.Context, n estate.Named) error {
		if strings.Contains(n.Text, "://") && !strings.Contains(n.Text, "://cognito-idp."+s.region+".") {
			return nil // of another region, or another issuer
		}
		return pool(ctx, s, client, n.Name)
	})
}

func pool(ctx context.Context, s *scope, client *cognito.Client, id string) error {
	arn := s.arnOf("cognito-idp", "userpool/"+id)
	out, err := do(ctx, s, "cognito-idp:DescribeUserPool", client.DescribeUserPool, &cognito.DescribeUserPoolInput{UserPoolId: aws.String(id)})
	if err != nil {
		return s.orPerhaps(err, "AWS::Cognito::UserPool", arn, nil, notFound)
	}
	if p := out.UserPool; p != nil {
		s.add(found{
			typ: "AWS::Cognito::UserPool", id: orElse(aws.ToString(p.Arn), arn), name: aws.ToString(p.Name), from: p, call: "cognito-idp:DescribeUserPool",
			renamed: map[string]string{"UserPoolName": "Name", "Schema": "SchemaAttributes"},
		})
	}
	return nil
}
