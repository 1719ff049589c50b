package aws

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"assay/internal/estate"
)

// ec2Service reads the networks of a region as a whole: few calls give all of
// them, where a call for each function's subnets and groups would be many.
func ec2Service() service {
	return service{name: "ec2", reads: []read{
		{
			types:   []string{"AWS::EC2::VPC", "Assay::EC2::VpcState"},
			actions: []string{"ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"},
			list:    readVPCs,
		},
		{types: []string{"AWS::EC2::Subnet"}, actions: []string{"ec2:DescribeSubnets"}, list: readSubnets},
		{types: []string{"AWS::EC2::SecurityGroup"}, actions: []string{"ec2:DescribeSecurityGroups"}, list: readSecurityGroups},
		{
			types:   []string{"AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry", "AWS::EC2::SubnetNetworkAclAssociation"},
			actions: []string{"ec2:DescribeNetworkAcls"},
			list:    readNetworkACLs,
		},
		{
			types: []string{
				"AWS::EC2::RouteTable", "AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::GatewayRouteTableAssociation",
			},
			actions: []string{"ec2:DescribeRouteTables", "ec2:DescribeSubnets"},
			list:    readRouteTables,
		},
		{types: []string{"AWS::EC2::VPCEndpoint"}, actions: []string{"ec2:DescribeVpcEndpoints"}, list: readVPCEndpoints},
		{types: []string{"AWS::EC2::FlowLog"}, actions: []string{"ec2:DescribeFlowLogs"}, list: readFlowLogs},
		{types: []string{"AWS::EC2::NatGateway"}, actions: []string{"ec2:DescribeNatGateways"}, list: readNATGateways},
		{
			types:   []string{"AWS::EC2::InternetGateway", "AWS::EC2::VPCGatewayAttachment"},
			actions: []string{"ec2:DescribeInternetGateways", "ec2:DescribeVpnGateways"},
			list:    readGateways,
		},
		{types: []string{"AWS::EC2::EgressOnlyInternetGateway"}, actions: []string{"ec2:DescribeEgressOnlyInternetGateways"}, list: readEgressGateways},
		{
			types:   []string{"AWS::EC2::PrefixList"},
			actions: []string{"ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"},
			list:    readPrefixLists,
		},
		{
			types:   []string{"AWS::EC2::VPCBlockPublicAccessOptions"},
			actions: []string{"ec2:DescribeVpcBlockPublicAccessOptions"},
			list:    readVPCPublicAccessBlock,
		},
	}}
}

func readVPCs(ctx context.Context, s *scope) error {
	client := ec2.NewFromConfig(s.cfg)
	var all []types.Vpc
	if err := each(ctx, s, "ec2:DescribeVpcs", ec2.NewDescribeVpcsPaginator(client, &ec2.DescribeVpcsInput{}), func(out *ec2.DescribeVpcsOutput) error {
		all = append(all, out.Vpcs...)
		return nil
	}); err != nil {
		return err
	}
	return forEach(ctx, s, all, 2, func(ctx context.Context, v types.Vpc) error {
		id := aws.ToString(v.VpcId)
		arn := s.ownedARN(v.OwnerId, "vpc/"+id)
		set := fields{}
		for _, name := range []types.VpcAttributeName{types.VpcAttributeNameEnableDnsSupport, types.VpcAttributeNameEnableDnsHostnames} {
			out, err := do(ctx, s, "ec2:DescribeVpcAttribute", client.DescribeVpcAttribute, &ec2.DescribeVpcAttributeInput{VpcId: v.VpcId, Attribute: name})
			property := strings.ToUpper(string(name[:1])) + string(name[1:])
			switch {
			case none(err, "InvalidVpcID.NotFound"):
				return nil // deleted since it was listed
			case err != nil && over(err):
				return err
			case err != nil:
				set[property] = s.missing(err, arn)
			case name == types.VpcAttributeNameEnableDnsSupport:
				set[property] = flag(orZero(out.EnableDnsSupport).Value)
			default:
				set[property] = flag(orZero(out.EnableDnsHostnames).Value)
			}
		}
		if v.EncryptionControl == nil {
			set["VpcEncryptionControl"] = nil
		}
		s.add(found{typ: "AWS::EC2::VPC", id: arn, name: id, from: v, set: set, call: "ec2:DescribeVpcs"})
		s.add(found{typ: "Assay::EC2::VpcState", id: id, name: id, from: v, call: "ec2:DescribeVpcs"})
		return nil
	})
}

// ownedARN is the ARN of a part of a network, which may belong to another
// account that shares it.
func (p *place) ownedARN(owner *string, resource string) string {
	return strings.Join([]string{"arn", p.partition, "ec2", p.region, orElse(aws.ToString(owner), p.account), resource}, ":")
}

func readSubnets(ctx context.Context, s *scope) error {
	return eachSubnet(ctx, s, func(n types.Subnet) {
		id := aws.ToString(n.SubnetId)
		set := fields{"Ipv6CidrBlock": nil}
		for _, b := range n.Ipv6CidrBlockAssociationSet {
			if b.Ipv6CidrBlockState != nil && b.Ipv6CidrBlockState.State == types.SubnetCidrBlockStateCodeAssociated {
				set["Ipv6CidrBlock"] = str(b.Ipv6CidrBlock)
				break
			}
		}
		arn := orElse(aws.ToString(n.SubnetArn), s.ownedARN(n.OwnerId, "subnet/"+id))
		s.add(found{typ: "AWS::EC2::Subnet", id: arn, name: id, from: n, set: set, call: "ec2:DescribeSubnets"})
	})
}

func eachSubnet(ctx context.Context, s *scope, f func(types.Subnet)) error {
	pages := ec2.NewDescribeSubnetsPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeSubnetsInput{})
	return each(ctx, s, "ec2:DescribeSubnets", pages, func(out *ec2.DescribeSubnetsOutput) error {
		for _, n := range out.Subnets {
			f(n)
		}
		return nil
	})
}

func readSecurityGroups(ctx context.Context, s *scope) error {
	pages := ec2.NewDescribeSecurityGroupsPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeSecurityGroupsInput{})
	return each(ctx, s, "ec2:DescribeSecurityGroups", pages, func(out *ec2.DescribeSecurityGroupsOutput) error {
		for _, g := range out.SecurityGroups {
			id := aws.ToString(g.GroupId)
			set := fields{
				"GroupDescription": str(g.Description), "SecurityGroupIngress": nil,
				// No rule at all is not the rule that AWS makes where a template is silent.
				"SecurityGroupEgress": estate.List(s.rules(g.IpPermissionsEgress, "Destination")...),
			}
			if in := s.rules(g.IpPermissions, "Source"); len(in) > 0 {
				set["SecurityGroupIngress"] = estate.List(in...)
			}
			arn := orElse(aws.ToString(g.SecurityGroupArn), s.ownedARN(g.OwnerId, "security-group/"+id))
			s.add(found{typ: "AWS::EC2::SecurityGroup", id: arn, name: id, from: g, set: set, call: "ec2:DescribeSecurityGroups"})
		}
		return nil
	})
}

// rules are permissions as CloudFormation writes them: one rule for each end.
// side is the word for the other end.
func (p *place) rules(permissions []types.IpPermission, side string) []*estate.Value {
	var all []*estate.Value
	for _, permission := range permissions {
		rule := func(f fields, description *string) {
			f["IpProtocol"], f["FromPort"], f["ToPort"] = str(permission.IpProtocol), number(permission.FromPort), number(permission.ToPort)
			f["Description"] = str(description)
			all = append(all, some(f))
		}
		for _, r := range permission.IpRanges {
			rule(fields{"CidrIp": str(r.CidrIp)}, r.Description)
		}
		for _, r := range permission.Ipv6Ranges {
			rule(fields{"CidrIpv6": str(r.CidrIpv6)}, r.Description)
		}
		for _, l := range permission.PrefixListIds {
			rule(fields{side + "PrefixListId": str(l.PrefixListId)}, l.Description)
		}
		for _, g := range permission.UserIdGroupPairs {
			f := fields{side + "SecurityGroupId": str(g.GroupId)}
			if owner := aws.ToString(g.UserId); side == "Source" && owner != p.account {
				f["SourceSecurityGroupOwnerId"] = word(owner)
			}
			rule(f, g.Description)
		}
	}
	return all
}

// lastRule is the highest number of a rule that people can write. Those above
// are the ones with which AWS ends every list.
const lastRule = 32766

func readNetworkACLs(ctx context.Context, s *scope) error {
	pages := ec2.NewDescribeNetworkAclsPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeNetworkAclsInput{})
	const call = "ec2:DescribeNetworkAcls"
	return each(ctx, s, call, pages, func(out *ec2.DescribeNetworkAclsOutput) error {
		for _, a := range out.NetworkAcls {
			id := aws.ToString(a.NetworkAclId)
			of := estate.String(id)
			s.add(found{typ: "AWS::EC2::NetworkAcl", id: s.ownedARN(a.OwnerId, "network-acl/"+id), name: id, from: a, call: call})
			for _, e := range a.Entries {
				n := int(aws.ToInt32(e.RuleNumber))
				if n > lastRule {
					continue
				}
				way := "ingress"
				if aws.ToBool(e.Egress) {
					way = "egress"
				}
				s.add(found{
					typ: "AWS::EC2::NetworkAclEntry", id: id + "/" + way + "/" + strconv.Itoa(n), name: id + " " + way + " " + strconv.Itoa(n), from: e,
					set: fields{"NetworkAclId": of}, renamed: map[string]string{"Icmp": "IcmpTypeCode"}, call: call,
				})
			}
			for _, b := range a.Associations {
				s.add(found{
					typ: "AWS::EC2::SubnetNetworkAclAssociation", id: aws.ToString(b.NetworkAclAssociationId), name: id + " of " + aws.ToString(b.SubnetId), from: b, call: call,
				})
			}
		}
		return nil
	})
}

func readRouteTables(ctx context.Context, s *scope) error {
	const call = "ec2:DescribeRouteTables"
	mains := map[string]types.RouteTableAssociation{} // by VPC
	apart := map[string]bool{}                        // subnets that name a table of their own
	pages := ec2.NewDescribeRouteTablesPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeRouteTablesInput{})
	if err := each(ctx, s, call, pages, func(out *ec2.DescribeRouteTablesOutput) error {
		for _, t := range out.RouteTables {
			id := aws.ToString(t.RouteTableId)
			s.add(found{typ: "AWS::EC2::RouteTable", id: s.ownedARN(t.OwnerId, "route-table/"+id), name: id, from: t, call: call})
			for _, r := range t.Routes {
				s.route(id, r)
			}
			for _, a := range t.Associations {
				switch association := aws.ToString(a.RouteTableAssociationId); {
				case aws.ToBool(a.Main):
					mains[aws.ToString(t.VpcId)] = a
				case a.SubnetId != nil:
					apart[*a.SubnetId] = true
					s.add(found{typ: "AWS::EC2::SubnetRouteTableAssociation", id: association, name: id + " of " + *a.SubnetId, from: a, call: call})
				case a.GatewayId != nil:
					s.add(found{typ: "AWS::EC2::GatewayRouteTableAssociation", id: association, name: id + " of " + *a.GatewayId, from: a, call: call})
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	// A subnet without a table of its own has the main one of its network.
	err := eachSubnet(ctx, s, func(n types.Subnet) {
		main, ok := mains[aws.ToString(n.VpcId)]
		if !ok || apart[aws.ToString(n.SubnetId)] {
			return
		}
		s.add(found{
			typ: "AWS::EC2::SubnetRouteTableAssociation", id: aws.ToString(main.RouteTableAssociationId) + "/" + aws.ToString(n.SubnetId),
			name: aws.ToString(main.RouteTableId) + " of " + aws.ToString(n.SubnetId), call: call,
			set: fields{"RouteTableId": str(main.RouteTableId), "SubnetId": str(n.SubnetId)},
		})
	})
	if err != nil {
		for _, main := range mains {
			s.lost("AWS::EC2::SubnetRouteTableAssociation", aws.ToString(main.RouteTableAssociationId), fields{"RouteTableId": str(main.RouteTableId)}, err)
		}
	}
	return nil
}

// route adds a route of a table. Those to the network itself are in every table
// and in no template.
func (s *scope) route(table string, r types.Route) {
	gateway := aws.ToString(r.GatewayId)
	if gateway == "local" {
		return
	}
	to := orElse(aws.ToString(r.DestinationCidrBlock), orElse(aws.ToString(r.DestinationIpv6CidrBlock), aws.ToString(r.DestinationPrefixListId)))
	set := fields{"RouteTableId": estate.String(table), "VpcEndpointId": nil}
	if strings.HasPrefix(gateway, "vpce-") {
		set["GatewayId"], set["VpcEndpointId"] = nil, estate.String(gateway)
	}
	s.add(found{typ: "AWS::EC2::Route", id: table + "|" + to, name: table + " to " + to, from: r, set: set, call: "ec2:DescribeRouteTables"})
}

// closedEndpoints are the states of endpoints that nothing goes through.
var closedEndpoints = []types.State{types.StateDeleted, types.StateDeleting, types.StateExpired, types.StateFailed, types.StateRejected}

func readVPCEndpoints(ctx context.Context, s *scope) error {
	pages := ec2.NewDescribeVpcEndpointsPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeVpcEndpointsInput{})
	const typ, call = "AWS::EC2::VPCEndpoint", "ec2:DescribeVpcEndpoints"
	return each(ctx, s, call, pages, func(out *ec2.DescribeVpcEndpointsOutput) error {
		for _, e := range out.VpcEndpoints {
			if slices.ContainsFunc(closedEndpoints, func(state types.State) bool { return strings.EqualFold(string(state), string(e.State)) }) {
				continue
			}
			id := aws.ToString(e.VpcEndpointId)
			var groups []string
			for _, g := range e.Groups {
				groups = append(groups, aws.ToString(g.GroupId))
			}
			set := fields{"SecurityGroupIds": strs(groups), "DnsOptions": nil, "PolicyDocument": nil}
			if text := aws.ToString(e.PolicyDocument); text != "" {
				if policy := document(text); !letsAll(policy) {
					set["PolicyDocument"] = policy
				}
			}
			if o := e.DnsOptions; o != nil {
				dns := fields{"DnsRecordIpType": word(string(o.DnsRecordIpType)), "PrivateDnsPreference": str(o.PrivateDnsPreference), "PrivateDnsSpecifiedDomains": strs(o.PrivateDnsSpecifiedDomains)}
				if inbound := o.PrivateDnsOnlyForInboundResolverEndpoint; inbound != nil {
					dns["PrivateDnsOnlyForInboundResolverEndpoint"] = estate.String("AllResolvers")
					if *inbound {
						dns["PrivateDnsOnlyForInboundResolverEndpoint"] = estate.String("OnlyInboundResolver")
					}
				}
				set["DnsOptions"] = some(dns)
			}
			s.add(found{typ: typ, id: s.ownedARN(e.OwnerId, "vpc-endpoint/"+id), name: id, from: e, set: set, call: call})
		}
		return nil
	})
}

// letsAll reports whether a policy is the one that an endpoint has when nobody
// gives it one.
// source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
func letsAll(policy *estate.Value) bool {
	statements := list(policy.Field("Statement"))
	if len(statements) != 1 || len(statements[0].Fields()) != 4 {
		return false
	}
	one := statements[0]
	return one.Field("Effect").AsString() == "Allow" && one.Field("Principal").AsString() == "*" &&
		one.Field("Action").AsString() == "*" && one.Field("Resource").AsString() == "*"
}

func readFlowLogs(ctx context.Context, s *scope) error {
	pages := ec2.NewDescribeFlowLogsPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeFlowLogsInput{})
	return each(ctx, s, "ec2:DescribeFlowLogs", pages, func(out *ec2.DescribeFlowLogsOutput) error {
		for _, l := range out.FlowLogs {
			id := aws.ToString(l.FlowLogId)
			set := fields{}
			kind, _, _ := strings.Cut(aws.ToString(l.ResourceId), "-")
			if of, ok := flowLogKinds[kind]; ok {
				set["ResourceType"] = estate.String(of)
			}
			s.add(found{typ: "AWS::EC2::FlowLog", id: s.arnOf("ec2", "vpc-flow-log/"+id), name: id, from: l, set: set, call: "ec2:DescribeFlowLogs"})
		}
		return nil
	})
}

// flowLogKinds are what a flow log can be of, by how its id begins.
// source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
var flowLogKinds = map[string]string{"vpc": "VPC", "subnet": "Subnet", "eni": "NetworkInterface", "tgw": "TransitGateway"}

func readNATGateways(ctx context.Context, s *scope) error {
	pages := ec2.NewDescribeNatGatewaysPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeNatGatewaysInput{})
	return each(ctx, s, "ec2:DescribeNatGateways", pages, func(out *ec2.DescribeNatGatewaysOutput) error {
		for _, g := range out.NatGateways {
			switch g.State {
			case types.NatGatewayStateDeleted, types.NatGatewayStateDeleting, types.NatGatewayStateFailed:
				continue // listed for an hour after their end
			}
			id := aws.ToString(g.NatGatewayId)
			set := fields{"AllocationId": nil, "PrivateIpAddress": nil}
			for _, a := range g.NatGatewayAddresses {
				if aws.ToBool(a.IsPrimary) || len(g.NatGatewayAddresses) == 1 {
					set["AllocationId"], set["PrivateIpAddress"] = str(a.AllocationId), str(a.PrivateIp)
				}
			}
			s.add(found{typ: "AWS::EC2::NatGateway", id: s.arnOf("ec2", "natgateway/"+id), name: id, from: g, set: set, call: "ec2:DescribeNatGateways"})
		}
		return nil
	})
}

func readGateways(ctx context.Context, s *scope) error {
	client := ec2.NewFromConfig(s.cfg)
	attached := func(gateway, vpc *string, kind, call string) {
		set := fields{kind: str(gateway), "VpcId": str(vpc)}.all("InternetGatewayId", "VpnGatewayId")
		id := aws.ToString(gateway) + "|" + aws.ToString(vpc)
		s.add(found{typ: "AWS::EC2::VPCGatewayAttachment", id: id, name: aws.ToString(gateway) + " of " + aws.ToString(vpc), set: set, call: call})
	}
	pages := ec2.NewDescribeInternetGatewaysPaginator(client, &ec2.DescribeInternetGatewaysInput{})
	if err := each(ctx, s, "ec2:DescribeInternetGateways", pages, func(out *ec2.DescribeInternetGatewaysOutput) error {
		for _, g := range out.InternetGateways {
			id := aws.ToString(g.InternetGatewayId)
			s.add(found{typ: "AWS::EC2::InternetGateway", id: s.ownedARN(g.OwnerId, "internet-gateway/"+id), name: id, from: g, call: "ec2:DescribeInternetGateways"})
			for _, a := range g.Attachments {
				attached(g.InternetGatewayId, a.VpcId, "InternetGatewayId", "ec2:DescribeInternetGateways")
			}
		}
		return nil
	}); err != nil {
		return err
	}
	out, err := do(ctx, s, "ec2:DescribeVpnGateways", client.DescribeVpnGateways, &ec2.DescribeVpnGatewaysInput{})
	if err != nil {
		if over(err) {
			return err
		}
		s.lost("AWS::EC2::VPCGatewayAttachment", "VPN gateways", fields{"InternetGatewayId": nil}, err)
		return nil
	}
	for _, g := range out.VpnGateways {
		for _, a := range g.VpcAttachments {
			if a.State == types.AttachmentStatusAttached {
				attached(g.VpnGatewayId, a.VpcId, "VpnGatewayId", "ec2:DescribeVpnGateways")
			}
		}
	}
	return nil
}

func readEgressGateways(ctx context.Context, s *scope) error {
	pages := ec2.NewDescribeEgressOnlyInternetGatewaysPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeEgressOnlyInternetGatewaysInput{})
	return each(ctx, s, "ec2:DescribeEgressOnlyInternetGateways", pages, func(out *ec2.DescribeEgressOnlyInternetGatewaysOutput) error {
		for _, g := range out.EgressOnlyInternetGateways {
			id := aws.ToString(g.EgressOnlyInternetGatewayId)
			set := fields{"VpcId": nil}
			for _, a := range g.Attachments {
				set["VpcId"] = str(a.VpcId)
			}
			s.add(found{
				typ: "AWS::EC2::EgressOnlyInternetGateway", id: s.arnOf("ec2", "egress-only-internet-gateway/"+id), name: id, from: g, set: set,
				call: "ec2:DescribeEgressOnlyInternetGateways",
			})
		}
		return nil
	})
}

// readPrefixLists reads the lists of the account and those of AWS, which rules
// and routes name too.
func readPrefixLists(ctx context.Context, s *scope) error {
	client := ec2.NewFromConfig(s.cfg)
	const call = "ec2:DescribeManagedPrefixLists"
	var all []types.ManagedPrefixList
	pages := ec2.NewDescribeManagedPrefixListsPaginator(client, &ec2.DescribeManagedPrefixListsInput{})
	if err := each(ctx, s, call, pages, func(out *ec2.DescribeManagedPrefixListsOutput) error {
		all = append(all, out.PrefixLists...)
		return nil
	}); err != nil {
		return err
	}
	return forEach(ctx, s, all, 1, func(ctx context.Context, l types.ManagedPrefixList) error {
		id := aws.ToString(l.PrefixListId)
		var entries []types.PrefixListEntry
		pages := ec2.NewGetManagedPrefixListEntriesPaginator(client, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: l.PrefixListId})
		err := each(ctx, s, "ec2:GetManagedPrefixListEntries", pages, func(out *ec2.GetManagedPrefixListEntriesOutput) error {
			entries = append(entries, out.Entries...)
			return nil
		})
		set := fields{}
		switch {
		case none(err, "InvalidPrefixListID.NotFound"):
			return nil
		case err != nil && over(err):
			return err
		case err != nil:
			set["Entries"] = s.missing(err, id)
		default:
			set["Entries"] = s.as("AWS::EC2::PrefixList", "Entries", entries, "ec2:GetManagedPrefixListEntries")
		}
		arn := orElse(aws.ToString(l.PrefixListArn), s.ownedARN(l.OwnerId, "prefix-list/"+id))
		s.add(found{typ: "AWS::EC2::PrefixList", id: arn, name: id, from: l, set: set, call: call})
		return nil
	})
}

func readVPCPublicAccessBlock(ctx context.Context, s *scope) error {
	client := ec2.NewFromConfig(s.cfg)
	out, err := do(ctx, s, "ec2:DescribeVpcBlockPublicAccessOptions", client.DescribeVpcBlockPublicAccessOptions, &ec2.DescribeVpcBlockPublicAccessOptionsInput{})
	if err != nil {
		return err
	}
	if o := out.VpcBlockPublicAccessOptions; o != nil {
		s.add(found{
			typ: "AWS::EC2::VPCBlockPublicAccessOptions", id: s.account, name: "block of public access", from: o, call: "ec2:DescribeVpcBlockPublicAccessOptions",
		})
	}
	return nil
}
