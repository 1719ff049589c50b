package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"assay/internal/estate"
)

// accountService reads what the account itself is set to.
func accountService() service {
	return service{name: "account", reads: []read{
		{
			types:   []string{"Assay::Account::Region"},
			actions: []string{"organizations:DescribeOrganization"},
			list:    readPlace,
		},
		{
			types:   []string{"Assay::Account::AlternateContact"},
			account: true,
			actions: []string{"account:GetAlternateContact"},
			list:    readContacts,
		},
	}}
}

// readPlace is there in every region that is read: checks on what an account
// must have are about it.
func readPlace(ctx context.Context, s *scope) error {
	set := fields{"AccountId": estate.String(s.account), "RegionName": estate.String(s.region), "OrganizationId": nil, "ManagementAccountId": nil}
	client := organizations.NewFromConfig(s.cfg)
	out, err := do(ctx, s, "organizations:DescribeOrganization", client.DescribeOrganization, &organizations.DescribeOrganizationInput{})
	switch {
	case none(err, "AWSOrganizationsNotInUseException"):
	case err != nil:
		set["OrganizationId"] = s.missing(err, "")
		set["ManagementAccountId"] = set["OrganizationId"]
	case out.Organization != nil:
		set["OrganizationId"], set["ManagementAccountId"] = str(out.Organization.Id), str(out.Organization.MasterAccountId)
	}
	s.add(found{typ: "Assay::Account::Region", id: s.where(), name: s.where(), set: set, call: "organizations:DescribeOrganization"})
	if err != nil && over(err) {
		return err
	}
	return nil
}

// readContacts reads which contacts are there, and nothing about the persons.
func readContacts(ctx context.Context, s *scope) error {
	client := account.NewFromConfig(s.cfg)
	const call = "account:GetAlternateContact"
	for _, kind := range types.AlternateContactType("").Values() {
		_, err := do(ctx, s, call, client.GetAlternateContact, &account.GetAlternateContactInput{AlternateContactType: kind})
		if none(err, notFound) {
			continue
		}
		if err != nil {
			return err
		}
		s.add(found{typ: "Assay::Account::AlternateContact", id: string(kind), name: string(kind), call: call, set: fields{
			"AccountId": estate.String(s.account), "AlternateContactType": estate.String(string(kind)),
		}})
	}
	return nil
}
