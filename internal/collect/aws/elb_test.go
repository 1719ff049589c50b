package aws

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
)

func elbARN(resource string) string {
	return "arn:aws:elasticloadbalancing:" + testRegion + ":" + testAccount + ":" + resource
}

// serveTags answers the tags of one resource, whatever is asked for.
func serveTags(f *fake, arn string) {
	always(f, &resourcegroupstaggingapi.GetResourcesOutput{ResourceTagMappingList: []tagtypes.ResourceTagMapping{{
		ResourceARN: aws.String(arn), Tags: []tagtypes.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	}}}, &resourcegroupstaggingapi.GetResourcesInput{})
}

// serveBalancers answers target groups in pages of one: of functions behind 21
// load balancers, of addresses, and one that is gone when it is asked about.
// One of the load balancers is gone too.
func serveBalancers(f *fake) {
	group := func(name string, kind types.TargetTypeEnum, balancers ...string) types.TargetGroup {
		return types.TargetGroup{TargetGroupArn: aws.String(elbARN("targetgroup/" + name + "/1")), TargetGroupName: aws.String(name), TargetType: kind, LoadBalancerArns: balancers}
	}
	balancers := []string{elbARN("loadbalancer/app/" + deleted + "/1")}
	for i := range 21 {
		balancers = append(balancers, elbARN(fmt.Sprintf("loadbalancer/app/lb%02d/1", i)))
	}
	groups := []types.TargetGroup{
		group("fn", types.TargetTypeEnumLambda, balancers...), group("ip", types.TargetTypeEnumIp, elbARN("loadbalancer/app/other/1")), group(deleted, types.TargetTypeEnumLambda),
	}
	groups = kept(f, groups, func(g types.TargetGroup) *string { return g.TargetGroupName })
	on(f, func(in *elb.DescribeTargetGroupsInput) (*elb.DescribeTargetGroupsOutput, error) {
		out := &elb.DescribeTargetGroupsOutput{}
		out.TargetGroups, out.NextMarker = page(groups, in.Marker, 1)
		return out, nil
	})
	on(f, func(in *elb.DescribeTargetHealthInput) (*elb.DescribeTargetHealthOutput, error) {
		if *in.TargetGroupArn == elbARN("targetgroup/"+deleted+"/1") {
			return nil, refuse("TargetGroupNotFound", "One or more target groups not found")
		}
		return &elb.DescribeTargetHealthOutput{TargetHealthDescriptions: []types.TargetHealthDescription{{Target: &types.TargetDescription{Id: aws.String(lambdaARN("f1"))}}}}, nil
	})
	always(f, &elb.DescribeTargetGroupAttributesOutput{Attributes: []types.TargetGroupAttribute{{Key: aws.String("lambda.multi_value_headers.enabled"), Value: aws.String("false")}}}, &elb.DescribeTargetGroupAttributesInput{})
	on(f, func(in *elb.DescribeLoadBalancersInput) (*elb.DescribeLoadBalancersOutput, error) {
		out := &elb.DescribeLoadBalancersOutput{}
		for _, arn := range in.LoadBalancerArns {
			if arn == balancers[0] {
				return nil, refuse("LoadBalancerNotFound", "One or more load balancers not found")
			}
			out.LoadBalancers = append(out.LoadBalancers, types.LoadBalancer{
				LoadBalancerArn: aws.String(arn), LoadBalancerName: aws.String(arn[len(elbARN("loadbalancer/app/")) : len(arn)-2]), Scheme: types.LoadBalancerSchemeEnumInternetFacing, Type: types.LoadBalancerTypeEnumApplication,
				SecurityGroups: []string{"sg-1"}, AvailabilityZones: []types.AvailabilityZone{{SubnetId: aws.String("subnet-2")}, {SubnetId: aws.String("subnet-1")}},
			})
		}
		if len(in.LoadBalancerArns) > 20 {
			return nil, refuse("ValidationError", "at most 20")
		}
		return out, nil
	})
	always(f, &elb.DescribeLoadBalancerAttributesOutput{Attributes: []types.LoadBalancerAttribute{{Key: aws.String("access_logs.s3.enabled"), Value: aws.String("true")}}}, &elb.DescribeLoadBalancerAttributesInput{})
	on(f, func(in *elb.DescribeListenersInput) (*elb.DescribeListenersOutput, error) {
		if *in.LoadBalancerArn != balancers[1] {
			return &elb.DescribeListenersOutput{}, nil
		}
		forward := []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: groups[0].TargetGroupArn, ForwardConfig: &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: groups[0].TargetGroupArn, Weight: aws.Int32(1)}}}}}
		listeners := []types.Listener{
			{ListenerArn: aws.String(elbARN("listener/app/lb00/1/1")), LoadBalancerArn: in.LoadBalancerArn, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp, DefaultActions: []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{StatusCode: types.RedirectActionStatusCodeEnumHttp301, Protocol: aws.String("HTTPS")}}}},
			{ListenerArn: aws.String(elbARN("listener/app/lb00/1/2")), LoadBalancerArn: in.LoadBalancerArn, Port: aws.Int32(443), Protocol: types.ProtocolEnumHttps, SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06"), DefaultActions: forward, Certificates: []types.Certificate{{CertificateArn: aws.String("arn:aws:acm:eu-central-1:111122223333:certificate/c")}}},
		}
		out := &elb.DescribeListenersOutput{}
		out.Listeners, out.NextMarker = page(listeners, in.Marker, 1)
		return out, nil
	})
	on(f, func(in *elb.DescribeRulesInput) (*elb.DescribeRulesOutput, error) {
		rules := []types.Rule{
			{RuleArn: aws.String(*in.ListenerArn + "/default"), IsDefault: aws.Bool(true), Priority: aws.String("default")},
			{RuleArn: aws.String(*in.ListenerArn + "/r"), IsDefault: aws.Bool(false), Priority: aws.String("5"), Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/x"}, PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{"/x"}}}},
				Actions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: groups[0].TargetGroupArn}}},
		}
		out := &elb.DescribeRulesOutput{}
		out.Rules, out.NextMarker = page(rules, in.Marker, 1)
		return out, nil
	})
	serveTags(f, balancers[1])
}

func TestBalancers(t *testing.T) {
	f := newFake(t)
	serveBalancers(f)
	all := elbService().reads[0].types
	got := f.open(only(all...)).Collect(context.Background())
	n := 0
	for _, r := range got[1].Resources() {
		if r.Type == all[1] {
			n++
		}
	}
	if n != 21 {
		t.Errorf("%d load balancers", n)
	}
	golden(t, "elb", show(t, got, all[0], all[2], all[3])+jsonOf(withoutUnread(resource(t, got, all[1], "lb00").Properties))+"\n")
	eachDenied(t, "elasticloadbalancing", serveBalancers, only(all...))
}
