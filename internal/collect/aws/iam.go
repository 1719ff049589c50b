package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"assay/internal/estate"
)

func iamService() service {
	return service{name: "iam", reads: []read{
		{
			types: []string{
				"AWS::IAM::Role", "Assay::IAM::RoleLastUsed", "AWS::IAM::ManagedPolicy", "AWS::IAM::User", "AWS::IAM::Group",
			},
			account: true,
			actions: []string{"iam:GetAccountAuthorizationDetails", "iam:ListRoles"},
			list:    readAuthorization,
		},
		{
			types:   []string{"Assay::IAM::AccountSummary"},
			account: true,
			actions: []string{"iam:GetAccountSummary"},
			list:    readSummary,
		},
		{
			types:   []string{"Assay::IAM::PasswordPolicy"},
			account: true,
			actions: []string{"iam:GetAccountPasswordPolicy"},
			list:    readPasswordPolicy,
		},
	}}
}

// readAuthorization reads all principals and the account's own managed policies
// by one list, in place of several calls for each role.
func readAuthorization(ctx context.Context, s *scope) error {
	client := iam.NewFromConfig(s.cfg)
	const call = "iam:GetAccountAuthorizationDetails"
	sessions, unknown := sessionDurations(ctx, s, client)
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(client, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeRole, types.EntityTypeUser, types.EntityTypeGroup, types.EntityTypeLocalManagedPolicy},
	})
	return each(ctx, s, call, pages, func(out *iam.GetAccountAuthorizationDetailsOutput) error {
		for _, r := range out.RoleDetailList {
			if strings.HasPrefix(aws.ToString(r.Path), "/aws-service-role/") {
				continue // AWS makes and owns it; it trusts that service alone
			}
			name := aws.ToString(r.RoleName)
			session, listed := sessions[name]
			if !listed { // made since, or not known for any
				session = orElse(unknown, s.run.shaper.unknown("AWS::IAM::Role.MaxSessionDuration"))
			}
			s.add(found{
				typ: "AWS::IAM::Role", id: aws.ToString(r.Arn), name: name, from: r, call: call,
				set: fields{
					"MaxSessionDuration": session,
					"Policies":           s.inline(r.RolePolicyList), "ManagedPolicyArns": attached(r.AttachedManagedPolicies),
					"PermissionsBoundary": boundary(r.PermissionsBoundary), "Tags": iamTags(r.Tags),
				},
			})
			set := fields{"RoleName": estate.String(name), "LastUsedDate": nil, "Region": nil}
			if used := r.RoleLastUsed; used != nil && used.LastUsedDate != nil {
				set["LastUsedDate"], set["Region"] = estate.String(used.LastUsedDate.UTC().Format("2006-01-02T15:04:05Z")), str(used.Region)
			}
			s.add(found{typ: "Assay::IAM::RoleLastUsed", id: name, name: name, from: r, set: set, call: call})
		}
		for _, u := range out.UserDetailList {
			s.add(found{
				typ: "AWS::IAM::User", id: aws.ToString(u.Arn), name: aws.ToString(u.UserName), from: u, call: call,
				set: fields{
					"Policies": s.inline(u.UserPolicyList), "ManagedPolicyArns": attached(u.AttachedManagedPolicies),
					"PermissionsBoundary": boundary(u.PermissionsBoundary), "Groups": strs(u.GroupList), "Tags": iamTags(u.Tags),
				},
			})
		}
		for _, g := range out.GroupDetailList {
			s.add(found{
				typ: "AWS::IAM::Group", id: aws.ToString(g.Arn), name: aws.ToString(g.GroupName), from: g, call: call,
				set: fields{"Policies": s.inline(g.GroupPolicyList), "ManagedPolicyArns": attached(g.AttachedManagedPolicies)},
			})
		}
		for _, p := range out.Policies {
			arn := aws.ToString(p.Arn)
			set := fields{"ManagedPolicyName": estate.String(arn[strings.LastIndex(arn, "/")+1:]), "Roles": nil, "Users": nil, "Groups": nil}
			for _, v := range p.PolicyVersionList {
				if v.IsDefaultVersion {
					set["PolicyDocument"] = s.run.shaper.document(aws.ToString(v.Document))
				}
			}
			s.add(found{typ: "AWS::IAM::ManagedPolicy", id: arn, name: arn[strings.LastIndex(arn, "/")+1:], from: p, set: set, call: call})
		}
		return nil
	})
}

// sessionDurations are how long sessions of each role may last, which the list
// of principals leaves out; or why that is not known.
func sessionDurations(ctx context.Context, s *scope, client *iam.Client) (of map[string]*estate.Value, unknown *estate.Value) {
	of = map[string]*estate.Value{}
	err := each(ctx, s, "iam:ListRoles", iam.NewListRolesPaginator(client, &iam.ListRolesInput{}), func(out *iam.ListRolesOutput) error {
		for _, r := range out.Roles {
			of[aws.ToString(r.RoleName)] = number(r.MaxSessionDuration)
		}
		return nil
	})
	if err != nil {
		return nil, s.missing(err, "")
	}
	return of, nil
}

func (s *scope) inline(all []types.PolicyDetail) *estate.Value {
	var items []*estate.Value
	for _, p := range all {
		items = append(items, some(fields{"PolicyName": str(p.PolicyName), "PolicyDocument": s.run.shaper.document(aws.ToString(p.PolicyDocument))}))
	}
	return listOf(items)
}

func attached(all []types.AttachedPolicy) *estate.Value {
	var arns []string
	for _, p := range all {
		arns = append(arns, aws.ToString(p.PolicyArn))
	}
	return strs(arns)
}

func boundary(b *types.AttachedPermissionsBoundary) *estate.Value {
	if b == nil {
		return nil
	}
	return str(b.PermissionsBoundaryArn)
}

func iamTags(all []types.Tag) *estate.Value {
	m := map[string]string{}
	for _, t := range all {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags(m)
}

func readSummary(ctx context.Context, s *scope) error {
	client := iam.NewFromConfig(s.cfg)
	out, err := do(ctx, s, "iam:GetAccountSummary", client.GetAccountSummary, &iam.GetAccountSummaryInput{})
	if err != nil {
		return err
	}
	set := fields{}
	for name, n := range out.SummaryMap {
		set[name] = estate.Int(int64(n))
	}
	if schema := s.run.model.Schema("Assay::IAM::AccountSummary"); schema != nil {
		for name := range set {
			if schema.Properties[name] == "" {
				delete(set, name)
			}
		}
	}
	s.add(found{typ: "Assay::IAM::AccountSummary", id: s.account, name: "account summary", set: set, call: "iam:GetAccountSummary"})
	return nil
}

func readPasswordPolicy(ctx context.Context, s *scope) error {
	client := iam.NewFromConfig(s.cfg)
	out, err := do(ctx, s, "iam:GetAccountPasswordPolicy", client.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	if none(err, "NoSuchEntity") {
		return nil
	}
	if err != nil {
		return err
	}
	if out.PasswordPolicy == nil {
		return s.odd("GetAccountPasswordPolicy", "iam:GetAccountPasswordPolicy")
	}
	s.add(found{typ: "Assay::IAM::PasswordPolicy", id: s.account, name: "password policy", from: out.PasswordPolicy, call: "iam:GetAccountPasswordPolicy"})
	return nil
}
