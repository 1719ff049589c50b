package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"assay/internal/estate"
)

// statesService reads the state machines that call functions.
func statesService() service {
	return service{name: "states", reads: []read{{
		types:    []string{"AWS::StepFunctions::StateMachine"},
		actions:  []string{"states:ListStateMachines", "states:DescribeStateMachine", tagging},
		touching: true,
		list:     readStateMachines,
	}}}
}

func readStateMachines(ctx context.Context, s *scope) error {
	client := sfn.NewFromConfig(s.cfg)
	var all []types.StateMachineListItem
	pages := sfn.NewListStateMachinesPaginator(client, &sfn.ListStateMachinesInput{MaxResults: 1000})
	listed := each(ctx, s, "states:ListStateMachines", pages, func(out *sfn.ListStateMachinesOutput) error {
		all = append(all, out.StateMachines...)
		return nil
	})
	err := forEach(ctx, s, all, 1, func(ctx context.Context, m types.StateMachineListItem) error {
		arn, name := aws.ToString(m.StateMachineArn), aws.ToString(m.Name)
		const action = "states:DescribeStateMachine"
		in := &sfn.DescribeStateMachineInput{StateMachineArn: m.StateMachineArn}
		out, err := do(ctx, s, action, client.DescribeStateMachine, in)
		set := fields{}.all("Definition", "DefinitionS3Location", "DefinitionSubstitutions")
		if none(err, "KmsAccessDeniedException", "KmsInvalidStateException") {
			// assay decrypts nothing: all but the definition is told without the key.
			set["DefinitionString"] = estate.Unknown("encrypted with a key that assay does not use", "definition of "+arn)
			in.IncludedData = types.IncludedDataMetadataOnly
			out, err = do(ctx, s, action, client.DescribeStateMachine, in)
		}
		switch {
		case none(err, "StateMachineDoesNotExist"):
			return nil // deleted since it was listed
		case err != nil && over(err):
			return err
		case err != nil:
			s.undescribed("AWS::StepFunctions::StateMachine", arn, name, fields{"StateMachineName": estate.String(name), "StateMachineType": word(string(m.Type))}, err)
			return nil
		}
		text := aws.ToString(out.Definition)
		if _, hidden := set["DefinitionString"]; !hidden && !s.run.options.All && !strings.Contains(text, ":function:") && !strings.Contains(text, ":lambda:invoke") {
			return nil
		}
		set["Tags"] = s.tagsOf(ctx, "states", arn)
		if c := out.LoggingConfiguration; c != nil && c.Level == types.LogLevelOff && len(c.Destinations) == 0 {
			set["LoggingConfiguration"] = nil // as when it is not set
		}
		if c := out.EncryptionConfiguration; c != nil && c.Type == types.EncryptionTypeAwsOwnedKey {
			set["EncryptionConfiguration"] = nil
		}
		s.add(found{
			typ: "AWS::StepFunctions::StateMachine", id: arn, name: name, from: out, set: set, call: action,
			renamed: map[string]string{"StateMachineName": "Name", "StateMachineType": "Type", "DefinitionString": "Definition"},
		})
		return nil
	})
	if err != nil {
		return err
	}
	return listed
}
