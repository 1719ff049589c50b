package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"

	"assay/internal/estate"
)

func guarddutyService() service {
	return service{name: "guardduty", reads: []read{
		{
			types:   []string{"AWS::GuardDuty::Detector", "Assay::GuardDuty::DetectorStatus"},
			actions: []string{"guardduty:GetDetector", "guardduty:ListDetectors"},
			list:    readDetectors,
		},
		{
			types:   []string{"Assay::GuardDuty::Finding"},
			actions: []string{"guardduty:GetFindings", "guardduty:ListDetectors", "guardduty:ListFindings"},
			list:    readThreats,
		},
	}}
}

// detectors are the ids of those of the region. Where GuardDuty is off there
// are none.
func detectors(ctx context.Context, s *scope, client *guardduty.Client) ([]string, error) {
	var all []string
	err := each(ctx, s, "guardduty:ListDetectors", guardduty.NewListDetectorsPaginator(client, &guardduty.ListDetectorsInput{}), func(out *guardduty.ListDetectorsOutput) error {
		all = append(all, out.DetectorIds...)
		return nil
	})
	return all, err
}

func readDetectors(ctx context.Context, s *scope) error {
	client := guardduty.NewFromConfig(s.cfg)
	all, err := detectors(ctx, s, client)
	if err != nil {
		return err
	}
	const call = "guardduty:GetDetector"
	return forEach(ctx, s, all, 1, func(ctx context.Context, id string) error {
		arn := s.arnOf("guardduty", "detector/"+id)
		known := fields{"DetectorId": estate.String(id)}
		out, err := do(ctx, s, call, client.GetDetector, &guardduty.GetDetectorInput{DetectorId: aws.String(id)})
		switch {
		case err != nil && over(err):
			return err
		case err != nil:
			s.perhaps("AWS::GuardDuty::Detector", arn, nil, err)
			s.lost("Assay::GuardDuty::DetectorStatus", arn, known, err)
			return nil
		}
		s.add(found{typ: "AWS::GuardDuty::Detector", id: arn, name: id, from: out, call: call, set: fields{
			"Enable": estate.Bool(out.Status == types.DetectorStatusEnabled), "Tags": tags(out.Tags),
			// What features say too, in an older form.
			"DataSources": estate.Unknown(reasonUnread, "AWS::GuardDuty::Detector.DataSources"),
		}})
		s.add(found{typ: "Assay::GuardDuty::DetectorStatus", id: arn, name: id, from: out, set: known, call: call})
		return nil
	})
}

// findingBatch is how many findings one call describes.
// source: https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetFindings.html
const findingBatch = 50

// readThreats reads what GuardDuty found about functions.
func readThreats(ctx context.Context, s *scope) error {
	client := guardduty.NewFromConfig(s.cfg)
	all, err := detectors(ctx, s, client)
	if err != nil {
		return err
	}
	for _, id := range all {
		pages := guardduty.NewListFindingsPaginator(client, &guardduty.ListFindingsInput{
			DetectorId: aws.String(id),
			FindingCriteria: &types.FindingCriteria{Criterion: map[string]types.Condition{
				"resource.resourceType": {Equals: []string{"Lambda"}}, "accountId": {Equals: []string{s.account}},
			}},
			MaxResults: aws.Int32(findingBatch),
		})
		err := each(ctx, s, "guardduty:ListFindings", pages, func(out *guardduty.ListFindingsOutput) error {
			if len(out.FindingIds) == 0 {
				return nil
			}
			got, err := do(ctx, s, "guardduty:GetFindings", client.GetFindings, &guardduty.GetFindingsInput{DetectorId: aws.String(id), FindingIds: out.FindingIds})
			if err != nil {
				return err
			}
			for _, f := range got.Findings {
				addThreat(s, f)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func addThreat(s *scope, f types.Finding) {
	set := fields{"FunctionName": nil, "ResourceType": nil, "Archived": nil, "Count": nil}
	if r := f.Resource; r != nil {
		set["ResourceType"] = str(r.ResourceType)
		if r.LambdaDetails != nil {
			set["FunctionName"] = word(orElse(aws.ToString(r.LambdaDetails.FunctionArn), aws.ToString(r.LambdaDetails.FunctionName)))
		}
	}
	if v := f.Service; v != nil {
		set["Archived"], set["Count"] = flag(v.Archived), number(v.Count)
	}
	s.add(found{typ: "Assay::GuardDuty::Finding", id: aws.ToString(f.Arn), name: orElse(aws.ToString(f.Title), aws.ToString(f.Id)), from: f, set: set, call: "guardduty:GetFindings"})
}
