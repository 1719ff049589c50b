package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/inspector2"
	"github.com/aws/aws-sdk-go-v2/service/inspector2/types"

	"assay/internal/estate"
)

func inspectorService() service {
	return service{name: "inspector2", reads: []read{
		{
			types:   []string{"Assay::Inspector2::AccountStatus"},
			actions: []string{"inspector2:BatchGetAccountStatus"},
			list:    readScanning,
		},
		{
			types:   []string{"Assay::Inspector2::Coverage"},
			actions: []string{"inspector2:BatchGetAccountStatus", "inspector2:ListCoverage"},
			list:    readScanned,
		},
		{
			types:   []string{"Assay::Inspector2::Finding"},
			actions: []string{"inspector2:BatchGetAccountStatus", "inspector2:ListFindings"},
			list:    readVulnerabilities,
		},
	}}
}

// scanning are the account's settings. In an account that is not enrolled they
// are there, and say so.
func scanning(ctx context.Context, s *scope, client *inspector2.Client) (*types.AccountState, error) {
	const call = "inspector2:BatchGetAccountStatus"
	out, err := do(ctx, s, call, client.BatchGetAccountStatus, &inspector2.BatchGetAccountStatusInput{AccountIds: []string{s.account}})
	if err != nil {
		return nil, err
	}
	for i, a := range out.Accounts {
		if aws.ToString(a.AccountId) == s.account {
			return &out.Accounts[i], nil
		}
	}
	reason := "the answer has nothing of the account"
	for _, f := range out.FailedAccounts {
		reason = "AWS failed to answer for the account (" + string(f.ErrorCode) + ")"
	}
	return nil, &failure{place: s.where(), operation: call, action: call, reason: reason}
}

// off reports whether Inspector does nothing in the account: other calls are
// refused there, and there is nothing to list.
func off(a *types.AccountState) bool {
	return a.State != nil && a.State.Status == types.StatusDisabled
}

func readScanning(ctx context.Context, s *scope) error {
	a, err := scanning(ctx, s, inspector2.NewFromConfig(s.cfg))
	if err != nil {
		return err
	}
	set := fields{"Status": nil}
	if a.State != nil {
		set["Status"] = word(string(a.State.Status))
	}
	s.add(found{typ: "Assay::Inspector2::AccountStatus", id: s.account, name: "Inspector", from: a, set: set, call: "inspector2:BatchGetAccountStatus"})
	return nil
}

// readScanned reads which functions are scanned, and why others are not.
func readScanned(ctx context.Context, s *scope) error {
	client := inspector2.NewFromConfig(s.cfg)
	if a, err := scanning(ctx, s, client); err != nil || off(a) {
		return err
	}
	const call = "inspector2:ListCoverage"
	pages := inspector2.NewListCoveragePaginator(client, &inspector2.ListCoverageInput{FilterCriteria: &types.CoverageFilterCriteria{
		AccountId:    []types.CoverageStringFilter{{Comparison: types.CoverageStringComparisonEquals, Value: aws.String(s.account)}},
		ResourceType: []types.CoverageStringFilter{{Comparison: types.CoverageStringComparisonEquals, Value: aws.String(string(types.CoverageResourceTypeAwsLambdaFunction))}},
	}})
	return each(ctx, s, call, pages, func(out *inspector2.ListCoverageOutput) error {
		for _, c := range out.CoveredResources {
			id := aws.ToString(c.ResourceId)
			set := fields{"FunctionName": estate.String(id), "ScanStatusCode": nil, "ScanStatusReason": nil}
			if c.ScanStatus != nil {
				set["ScanStatusCode"], set["ScanStatusReason"] = word(string(c.ScanStatus.StatusCode)), word(string(c.ScanStatus.Reason))
			}
			s.add(found{typ: "Assay::Inspector2::Coverage", id: id + "|" + string(c.ScanType), name: string(c.ScanType) + " scan of " + id, from: c, set: set, call: call})
		}
		return nil
	})
}

// readVulnerabilities reads the open findings about functions.
func readVulnerabilities(ctx context.Context, s *scope) error {
	client := inspector2.NewFromConfig(s.cfg)
	if a, err := scanning(ctx, s, client); err != nil || off(a) {
		return err
	}
	equals := func(value string) []types.StringFilter {
		return []types.StringFilter{{Comparison: types.StringComparisonEquals, Value: aws.String(value)}}
	}
	const call = "inspector2:ListFindings"
	pages := inspector2.NewListFindingsPaginator(client, &inspector2.ListFindingsInput{FilterCriteria: &types.FilterCriteria{
		AwsAccountId: equals(s.account), ResourceType: equals(string(types.ResourceTypeAwsLambdaFunction)), FindingStatus: equals(string(types.FindingStatusActive)),
	}})
	return each(ctx, s, call, pages, func(out *inspector2.ListFindingsOutput) error {
		for _, f := range out.Findings {
			set := fields{"FunctionName": nil, "ResourceId": nil, "ResourceType": nil, "VulnerabilityId": nil}
			for _, r := range f.Resources {
				set["FunctionName"], set["ResourceId"], set["ResourceType"] = str(r.Id), str(r.Id), word(string(r.Type))
			}
			switch {
			case f.PackageVulnerabilityDetails != nil:
				set["VulnerabilityId"] = str(f.PackageVulnerabilityDetails.VulnerabilityId)
			case f.CodeVulnerabilityDetails != nil:
				set["VulnerabilityId"] = str(f.CodeVulnerabilityDetails.DetectorId)
			}
			s.add(found{typ: "Assay::Inspector2::Finding", id: aws.ToString(f.FindingArn), name: aws.ToString(f.Title), from: f, set: set, call: call})
		}
		return nil
	})
}
