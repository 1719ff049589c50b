package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"assay/internal/estate"
)

// wafService reads the web ACLs of a region. Those of CloudFront stand before
// distributions, which are not read. What an ACL stands before is told by the
// stages and GraphQL APIs themselves ([scope.firewalled]): WAF answers one such
// question a second.
//
// Whoever asks it needs a permission of the service that holds the resource, too.
// source: the policy AWSWAFReadOnlyAccess, and
// https://docs.aws.amazon.com/waf/latest/developerguide/security_iam_service-with-iam.html
func wafService() service {
	return service{name: "wafv2", reads: []read{{
		types: []string{"AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation", "AWS::WAFv2::LoggingConfiguration"},
		actions: []string{
			"wafv2:ListWebACLs", "wafv2:GetWebACL", "wafv2:ListResourcesForWebACL", "wafv2:ListLoggingConfigurations",
			"cognito-idp:ListResourcesForWebACL", "elasticloadbalancing:DescribeWebACLAssociation", tagging,
		},
		list: readFirewalls,
	}}}
}

// protected are the other kinds of resource that an ACL can stand before and
// that are read. No relation leads to them: they are asked for with --all.
var protected = []types.ResourceType{types.ResourceTypeApplicationLoadBalancer, types.ResourceTypeCognitioUserPool}

// firewalled records that a web ACL stands before a resource, as the resource
// says. An ACL of WAF Classic is none.
func (s *scope) firewalled(resource string, acl *string, call string) {
	if !strings.Contains(aws.ToString(acl), ":wafv2:") {
		return
	}
	s.add(found{
		typ: "AWS::WAFv2::WebACLAssociation", id: resource + "/webacl", name: "web ACL before " + resource, call: call,
		set: fields{"WebACLArn": str(acl), "ResourceArn": estate.String(resource)},
	})
}

type firewalls struct {
	*scope
	client *wafv2.Client
}

func readFirewalls(ctx context.Context, s *scope) error {
	r := firewalls{scope: s, client: wafv2.NewFromConfig(s.cfg)}
	if err := r.orLost(r.logging(ctx), "AWS::WAFv2::LoggingConfiguration", "of "+s.where(), nil); err != nil {
		return err
	}
	var all []types.WebACLSummary
	in := &wafv2.ListWebACLsInput{Scope: types.ScopeRegional, Limit: aws.Int32(100)}
	pages := paging(r.client.ListWebACLs, in, &in.NextMarker, func(out *wafv2.ListWebACLsOutput) *string { return out.NextMarker })
	listed := each(ctx, s, "wafv2:ListWebACLs", pages, func(out *wafv2.ListWebACLsOutput) error {
		all = append(all, out.WebACLs...)
		return nil
	})
	if err := forEach(ctx, s, all, 1+len(protected), r.firewall); err != nil {
		return err
	}
	return listed
}

func (r *firewalls) logging(ctx context.Context) error {
	in := &wafv2.ListLoggingConfigurationsInput{Scope: types.ScopeRegional, Limit: aws.Int32(100)}
	pages := paging(r.client.ListLoggingConfigurations, in, &in.NextMarker, func(out *wafv2.ListLoggingConfigurationsOutput) *string { return out.NextMarker })
	return each(ctx, r.scope, "wafv2:ListLoggingConfigurations", pages, func(out *wafv2.ListLoggingConfigurationsOutput) error {
		for _, c := range out.LoggingConfigurations {
			arn := aws.ToString(c.ResourceArn)
			r.add(found{
				typ: "AWS::WAFv2::LoggingConfiguration", id: arn + "/logging", name: "logging of " + arn, from: c, call: "wafv2:ListLoggingConfigurations",
				set: fields{"RedactedFields": plain(c.RedactedFields), "LoggingFilter": plain(c.LoggingFilter)},
			})
		}
		return nil
	})
}

func (r *firewalls) firewall(ctx context.Context, summary types.WebACLSummary) error {
	arn, name := aws.ToString(summary.ARN), aws.ToString(summary.Name)
	out, err := do(ctx, r.scope, "wafv2:GetWebACL", r.client.GetWebACL, &wafv2.GetWebACLInput{Id: summary.Id, Name: summary.Name, Scope: types.ScopeRegional})
	switch {
	case none(err, "WAFNonexistentItemException"):
		return nil // deleted since it was listed
	case err != nil && over(err):
		return err
	case err != nil:
		r.undescribed("AWS::WAFv2::WebACL", arn, name, fields{"Name": estate.String(name), "Scope": estate.String("REGIONAL")}, err)
	case out.WebACL != nil:
		acl := out.WebACL
		r.add(found{
			typ: "AWS::WAFv2::WebACL", id: arn, name: name, from: acl, call: "wafv2:GetWebACL",
			set: fields{
				"Scope": estate.String("REGIONAL"), "Tags": r.tagsOf(ctx, "wafv2", arn),
				"Rules": plain(acl.Rules), "DefaultAction": plain(acl.DefaultAction), "DataProtectionConfig": plain(acl.DataProtectionConfig),
			},
		})
	}
	if !r.run.options.All {
		return nil
	}
	for _, kind := range protected {
		on, err := do(ctx, r.scope, "wafv2:ListResourcesForWebACL", r.client.ListResourcesForWebACL, &wafv2.ListResourcesForWebACLInput{WebACLArn: summary.ARN, ResourceType: kind})
		if err := r.orLost(err, "AWS::WAFv2::WebACLAssociation", arn+"/"+string(kind), fields{"WebACLArn": estate.String(arn)}, "WAFNonexistentItemException"); err != nil {
			return err
		}
		if err != nil {
			continue
		}
		for _, resource := range on.ResourceArns {
			r.firewalled(resource, summary.ARN, "wafv2:ListResourcesForWebACL")
		}
	}
	return nil
}

// plain is a part of an ACL as CloudFormation writes it: under the same names,
// and with objects that say something by being there, such as an action of
// {Block: {}}.
func plain(v any) *estate.Value {
	text, err := json.Marshal(v)
	if err != nil {
		return estate.Unknown("the answer could not be read", "")
	}
	parsed, err := estate.ParseJSON(text)
	if err != nil {
		return estate.Unknown("the answer could not be read", "")
	}
	return stated(parsed)
}

// stated leaves out what is not there: nulls, empty texts and lists.
func stated(v *estate.Value) *estate.Value {
	switch v.Kind() {
	case estate.KindNull:
		return nil
	case estate.KindString:
		if v.AsString() == "" {
			return nil
		}
	case estate.KindList:
		var items []*estate.Value
		for _, item := range v.Items() {
			if item := stated(item); item != nil {
				items = append(items, item)
			}
		}
		return listOf(items)
	case estate.KindMap:
		var all []estate.Field
		for _, f := range v.Fields() {
			name, value := f.Name, stated(f.Value)
			switch name {
			case "ARN":
				name = "Arn"
			case "SearchString": // bytes, which JSON has as base64
				if text, err := base64.StdEncoding.DecodeString(value.AsString()); err == nil && utf8.Valid(text) {
					value = word(string(text))
				} else {
					name = "SearchStringBase64"
				}
			}
			if value != nil {
				all = append(all, estate.Field{Name: name, Value: value})
			}
		}
		return estate.Map(all...)
	}
	return v
}
