package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
)

// securityhubService reads whether Security Hub is on and by what standards it
// judges. Its findings are other tools' opinions of what is read here itself.
func securityhubService() service {
	return service{name: "securityhub", reads: []read{
		{
			types:   []string{"Assay::SecurityHub::HubStatus"},
			actions: []string{"securityhub:DescribeHub"},
			list:    readHub,
		},
		{
			types:   []string{"Assay::SecurityHub::EnabledStandard"},
			actions: []string{"securityhub:GetEnabledStandards"},
			list:    readStandards,
		},
	}}
}

// notSubscribed are the codes of an account without Security Hub in the region.
// source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html
var notSubscribed = []string{"InvalidAccessException", "ResourceNotFoundException"}

func readHub(ctx context.Context, s *scope) error {
	client := securityhub.NewFromConfig(s.cfg)
	out, err := do(ctx, s, "securityhub:DescribeHub", client.DescribeHub, &securityhub.DescribeHubInput{})
	if none(err, notSubscribed...) {
		return nil
	}
	if err != nil {
		return err
	}
	if out.HubArn == nil {
		return s.odd("DescribeHub", "securityhub:DescribeHub")
	}
	s.add(found{typ: "Assay::SecurityHub::HubStatus", id: aws.ToString(out.HubArn), name: "Security Hub", from: out, call: "securityhub:DescribeHub"})
	return nil
}

func readStandards(ctx context.Context, s *scope) error {
	client := securityhub.NewFromConfig(s.cfg)
	const call = "securityhub:GetEnabledStandards"
	err := each(ctx, s, call, securityhub.NewGetEnabledStandardsPaginator(client, &securityhub.GetEnabledStandardsInput{}), func(out *securityhub.GetEnabledStandardsOutput) error {
		for _, e := range out.StandardsSubscriptions {
			s.add(found{typ: "Assay::SecurityHub::EnabledStandard", id: aws.ToString(e.StandardsSubscriptionArn), name: aws.ToString(e.StandardsArn), from: e, call: call})
		}
		return nil
	})
	if none(err, notSubscribed...) {
		return nil
	}
	return err
}
