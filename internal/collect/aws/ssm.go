package aws

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"assay/internal/estate"
)

// ssmService reads what is said of parameters, and never what they hold.
func ssmService() service {
	return service{name: "ssm", reads: []read{{
		types:   []string{"AWS::SSM::Parameter"},
		actions: []string{"ssm:DescribeParameters", tagging},
		list: func(ctx context.Context, s *scope) error {
			return describeParameters(ctx, s, &ssm.DescribeParametersInput{})
		},
		named: readParameters,
	}}}
}

// parameterName is what a name can be; one of another form would fail the whole
// call.
var parameterName = regexp.MustCompile(`^[a-zA-Z0-9_.\-/]+$`)

func readParameters(ctx context.Context, s *scope, sought []estate.Named) error {
	var names []string
	for _, n := range sought {
		name, _, _ := strings.Cut(n.Name, ":") // a version or label
		if !parameterName.MatchString(name) {
			continue
		}
		names = append(names, name)
		if strings.HasPrefix(n.Text, "arn:") {
			names = append(names, "/"+name) // ARNs leave the first slash out
		}
	}
	slices.Sort(names)
	const most = 50 // values that one filter takes
	for some := range slices.Chunk(slices.Compact(names), most) {
		in := &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Name"), Option: aws.String("Equals"), Values: some}}}
		if err := describeParameters(ctx, s, in); err != nil {
			return err
		}
	}
	return nil
}

func describeParameters(ctx context.Context, s *scope, in *ssm.DescribeParametersInput) error {
	in.MaxResults = aws.Int32(50)
	pages := ssm.NewDescribeParametersPaginator(ssm.NewFromConfig(s.cfg), in)
	return each(ctx, s, "ssm:DescribeParameters", pages, func(out *ssm.DescribeParametersOutput) error {
		for _, p := range out.Parameters {
			name := aws.ToString(p.Name)
			arn := orElse(aws.ToString(p.ARN), s.arnOf("ssm", "parameter/"+strings.TrimPrefix(name, "/")))
			var policies []string
			for _, policy := range p.Policies {
				policies = append(policies, aws.ToString(policy.PolicyText))
			}
			set := fields{"Tags": keyedTags(s.tagsOf(ctx, "ssm:parameter", arn)), "Policies": nil}
			if len(policies) > 0 {
				set["Policies"] = estate.String("[" + strings.Join(policies, ",") + "]")
			}
			s.add(found{typ: "AWS::SSM::Parameter", id: arn, name: name, from: p, set: set, call: "ssm:DescribeParameters"})
		}
		return nil
	})
}
