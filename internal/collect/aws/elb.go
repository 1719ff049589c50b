package aws

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"assay/internal/estate"
)

// elbService reads the target groups of functions and the load balancers in
// front of them.
func elbService() service {
	return service{name: "elasticloadbalancing", reads: []read{{
		types: []string{
			"AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::ElasticLoadBalancingV2::LoadBalancer",
			"AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule",
		},
		actions: []string{
			"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
			"elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeLoadBalancers",
			"elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeListeners",
			"elasticloadbalancing:DescribeRules", tagging,
		},
		touching: true,
		list:     readBalancers,
	}}}
}

type balancers struct {
	*scope
	client *elb.Client
}

func readBalancers(ctx context.Context, s *scope) error {
	r := balancers{scope: s, client: elb.NewFromConfig(s.cfg)}
	var groups []types.TargetGroup
	var arns []string // of the load balancers
	pages := elb.NewDescribeTargetGroupsPaginator(r.client, &elb.DescribeTargetGroupsInput{})
	listed := each(ctx, s, "elasticloadbalancing:DescribeTargetGroups", pages, func(out *elb.DescribeTargetGroupsOutput) error {
		for _, g := range out.TargetGroups {
			if g.TargetType == types.TargetTypeEnumLambda || s.run.options.All {
				groups = append(groups, g)
				arns = append(arns, g.LoadBalancerArns...)
			}
		}
		return nil
	})
	if err := forEach(ctx, s, groups, 2, r.group); err != nil {
		return err
	}
	if listed != nil {
		return listed
	}
	slices.Sort(arns)
	arns = slices.Compact(arns)
	if s.run.options.All {
		return r.balancersOf(ctx, &elb.DescribeLoadBalancersInput{})
	}
	const most = 20 // ARNs that one call takes
	for some := range slices.Chunk(arns, most) {
		if err := r.balancersOf(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: some}); err != nil {
			return err
		}
	}
	return nil
}

// group reads a target group and what is registered in it.
func (r *balancers) group(ctx context.Context, g types.TargetGroup) error {
	arn, name := aws.ToString(g.TargetGroupArn), aws.ToString(g.TargetGroupName)
	set := fields{"Name": str(g.TargetGroupName), "Tags": r.tagsOf(ctx, "elasticloadbalancing:targetgroup", arn)}
	health, err := do(ctx, r.scope, "elasticloadbalancing:DescribeTargetHealth", r.client.DescribeTargetHealth, &elb.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
	switch {
	case none(err, "TargetGroupNotFound"):
		return nil // deleted since it was listed
	case err != nil && over(err):
		return err
	case err != nil:
		set["Targets"] = r.missing(err, arn)
	default:
		var targets []*estate.Value
		for _, t := range health.TargetHealthDescriptions {
			if t.Target != nil {
				targets = append(targets, r.part("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetDescription", t.Target))
			}
		}
		set["Targets"] = listOf(targets)
	}
	attributes, err := do(ctx, r.scope, "elasticloadbalancing:DescribeTargetGroupAttributes", r.client.DescribeTargetGroupAttributes, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: g.TargetGroupArn})
	switch {
	case err != nil && over(err):
		return err
	case err != nil:
		set["TargetGroupAttributes"] = r.missing(err, arn)
	default:
		var all []*estate.Value
		for _, a := range attributes.Attributes {
			all = append(all, some(fields{"Key": str(a.Key), "Value": str(a.Value)}))
		}
		set["TargetGroupAttributes"] = listOf(all)
	}
	r.add(found{typ: "AWS::ElasticLoadBalancingV2::TargetGroup", id: arn, name: name, from: g, set: set, call: "elasticloadbalancing:DescribeTargetGroups"})
	return nil
}

func (r *balancers) balancersOf(ctx context.Context, in *elb.DescribeLoadBalancersInput) error {
	var all []types.LoadBalancer
	pages := elb.NewDescribeLoadBalancersPaginator(r.client, in)
	err := each(ctx, r.scope, "elasticloadbalancing:DescribeLoadBalancers", pages, func(out *elb.DescribeLoadBalancersOutput) error {
		all = append(all, out.LoadBalancers...)
		return nil
	})
	if none(err, "LoadBalancerNotFound") && len(in.LoadBalancerArns) > 1 {
		for _, arn := range in.LoadBalancerArns { // one of them was deleted since
			if err := r.balancersOf(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}}); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil && !none(err, "LoadBalancerNotFound") {
		return err
	}
	return forEach(ctx, r.scope, all, 3, r.balancer)
}

// balancer reads a load balancer, its listeners and their rules.
func (r *balancers) balancer(ctx context.Context, b types.LoadBalancer) error {
	arn, name := aws.ToString(b.LoadBalancerArn), aws.ToString(b.LoadBalancerName)
	set := fields{"Name": estate.String(name), "Tags": r.tagsOf(ctx, "elasticloadbalancing:loadbalancer", arn), "SubnetMappings": nil}
	var subnets []string
	for _, zone := range b.AvailabilityZones {
		subnets = append(subnets, aws.ToString(zone.SubnetId))
	}
	slices.Sort(subnets)
	set["Subnets"] = strs(subnets)
	attributes, err := do(ctx, r.scope, "elasticloadbalancing:DescribeLoadBalancerAttributes", r.client.DescribeLoadBalancerAttributes, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: b.LoadBalancerArn})
	switch {
	case none(err, "LoadBalancerNotFound"):
		return nil // deleted since it was listed
	case err != nil && over(err):
		return err
	case err != nil:
		set["LoadBalancerAttributes"] = r.missing(err, arn)
	default:
		var all []*estate.Value
		for _, a := range attributes.Attributes {
			all = append(all, some(fields{"Key": str(a.Key), "Value": str(a.Value)}))
		}
		set["LoadBalancerAttributes"] = listOf(all)
	}
	r.add(found{typ: "AWS::ElasticLoadBalancingV2::LoadBalancer", id: arn, name: name, from: b, set: set, call: "elasticloadbalancing:DescribeLoadBalancers"})
	var listeners []types.Listener
	pages := elb.NewDescribeListenersPaginator(r.client, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
	err = each(ctx, r.scope, "elasticloadbalancing:DescribeListeners", pages, func(out *elb.DescribeListenersOutput) error {
		listeners = append(listeners, out.Listeners...)
		return nil
	})
	of := fields{"LoadBalancerArn": estate.String(arn)}
	if err := r.orLost(err, "AWS::ElasticLoadBalancingV2::Listener", arn+"/listeners", of, "LoadBalancerNotFound"); err != nil {
		return err
	}
	for _, l := range listeners {
		on := aws.ToString(l.ListenerArn)
		title := string(l.Protocol) + " " + strconv.Itoa(int(aws.ToInt32(l.Port))) + " of " + name
		r.add(found{
			typ: "AWS::ElasticLoadBalancingV2::Listener", id: on, name: title, from: l, call: "elasticloadbalancing:DescribeListeners",
		})
		if err := r.orLost(r.rules(ctx, on, title), "AWS::ElasticLoadBalancingV2::ListenerRule", on+"/rules", fields{"ListenerArn": estate.String(on)}, "ListenerNotFound"); err != nil {
			return err
		}
	}
	return nil
}

func (r *balancers) rules(ctx context.Context, listener, of string) error {
	pages := elb.NewDescribeRulesPaginator(r.client, &elb.DescribeRulesInput{ListenerArn: aws.String(listener)})
	return each(ctx, r.scope, "elasticloadbalancing:DescribeRules", pages, func(out *elb.DescribeRulesOutput) error {
		for _, rule := range out.Rules {
			if aws.ToBool(rule.IsDefault) {
				continue // the listener's own default actions
			}
			set := fields{"ListenerArn": estate.String(listener)}
			if n, err := strconv.ParseInt(aws.ToString(rule.Priority), 10, 64); err == nil {
				set["Priority"] = estate.Int(n)
			}
			r.add(found{
				typ: "AWS::ElasticLoadBalancingV2::ListenerRule", id: aws.ToString(rule.RuleArn), name: "rule " + aws.ToString(rule.Priority) + " of " + of,
				from: rule, set: set, call: "elasticloadbalancing:DescribeRules",
			})
		}
		return nil
	})
}
