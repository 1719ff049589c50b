package aws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

var networkTypes = []string{
	"AWS::EC2::VPC", "Assay::EC2::VpcState", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry",
	"AWS::EC2::SubnetNetworkAclAssociation", "AWS::EC2::RouteTable", "AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation",
	"AWS::EC2::GatewayRouteTableAssociation", "AWS::EC2::VPCEndpoint", "AWS::EC2::FlowLog", "AWS::EC2::NatGateway", "AWS::EC2::InternetGateway",
	"AWS::EC2::VPCGatewayAttachment", "AWS::EC2::EgressOnlyInternetGateway", "AWS::EC2::PrefixList", "AWS::EC2::VPCBlockPublicAccessOptions",
}

// serveNetwork is a network of our own, and one that another account shares.
func serveNetwork(f *fake) {
	own := aws.String(testAccount)
	on(f, func(in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
		out := &ec2.DescribeVpcsOutput{}
		out.Vpcs, out.NextToken = page([]types.Vpc{
			{VpcId: aws.String("vpc-1"), CidrBlock: aws.String("10.0.0.0/16"), OwnerId: own, InstanceTenancy: types.TenancyDefault, State: types.VpcStateAvailable, IsDefault: aws.Bool(false), Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("main")}}},
			{VpcId: aws.String("vpc-2"), CidrBlock: aws.String("10.1.0.0/16"), OwnerId: aws.String("999999999999"), State: types.VpcStateAvailable, IsDefault: aws.Bool(true)},
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ec2.DescribeVpcAttributeInput) (*ec2.DescribeVpcAttributeOutput, error) {
		yes := &types.AttributeBooleanValue{Value: aws.Bool(*in.VpcId == "vpc-1")}
		if in.Attribute == types.VpcAttributeNameEnableDnsSupport {
			return &ec2.DescribeVpcAttributeOutput{EnableDnsSupport: yes, VpcId: in.VpcId}, nil
		}
		return &ec2.DescribeVpcAttributeOutput{EnableDnsHostnames: yes, VpcId: in.VpcId}, nil
	})
	on(f, func(in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
		subnet := func(id, vpc string) types.Subnet {
			return types.Subnet{SubnetId: aws.String(id), VpcId: aws.String(vpc), OwnerId: own, CidrBlock: aws.String("10.0.1.0/24"), MapPublicIpOnLaunch: aws.Bool(false)}
		}
		six := subnet("subnet-2", "vpc-1")
		six.Ipv6CidrBlockAssociationSet = []types.SubnetIpv6CidrBlockAssociation{
			{Ipv6CidrBlock: aws.String("2001:db8::/64"), Ipv6CidrBlockState: &types.SubnetCidrBlockState{State: types.SubnetCidrBlockStateCodeDisassociated}},
			{Ipv6CidrBlock: aws.String("2001:db8:1::/64"), Ipv6CidrBlockState: &types.SubnetCidrBlockState{State: types.SubnetCidrBlockStateCodeAssociated}},
		}
		shared := subnet("subnet-3", "vpc-2")
		shared.OwnerId, shared.SubnetArn = aws.String("999999999999"), aws.String("arn:aws:ec2:eu-central-1:999999999999:subnet/subnet-3")
		out := &ec2.DescribeSubnetsOutput{}
		out.Subnets, out.NextToken = page([]types.Subnet{subnet("subnet-1", "vpc-1"), six, shared}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ec2.DescribeSecurityGroupsInput) (*ec2.DescribeSecurityGroupsOutput, error) {
		group := func(id string, in, out []types.IpPermission) types.SecurityGroup {
			return types.SecurityGroup{GroupId: aws.String(id), GroupName: aws.String("of " + id), Description: aws.String("functions"), OwnerId: own, VpcId: aws.String("vpc-1"), IpPermissions: in, IpPermissionsEgress: out}
		}
		https := types.IpPermission{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443),
			IpRanges:      []types.IpRange{{CidrIp: aws.String("10.0.0.0/8"), Description: aws.String("inside")}},
			Ipv6Ranges:    []types.Ipv6Range{{CidrIpv6: aws.String("2001:db8::/32")}},
			PrefixListIds: []types.PrefixListId{{PrefixListId: aws.String("pl-1")}},
			UserIdGroupPairs: []types.UserIdGroupPair{
				{GroupId: aws.String("sg-1"), UserId: own},
				{GroupId: aws.String("sg-9"), UserId: aws.String("999999999999"), Description: aws.String("peer")},
			},
		}
		all := types.IpPermission{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}
		out := &ec2.DescribeSecurityGroupsOutput{}
		out.SecurityGroups, out.NextToken = page([]types.SecurityGroup{
			group("sg-1", []types.IpPermission{https}, []types.IpPermission{https}), group("sg-2", nil, []types.IpPermission{all}), group("sg-3", nil, nil),
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ec2.DescribeNetworkAclsInput) (*ec2.DescribeNetworkAclsOutput, error) {
		entry := func(number int32, egress bool) types.NetworkAclEntry {
			return types.NetworkAclEntry{RuleNumber: aws.Int32(number), Egress: aws.Bool(egress), Protocol: aws.String("-1"), RuleAction: types.RuleActionAllow, CidrBlock: aws.String("0.0.0.0/0")}
		}
		ports, ping := entry(110, false), entry(120, false)
		ports.Protocol, ports.PortRange = aws.String("6"), &types.PortRange{From: aws.Int32(443), To: aws.Int32(443)}
		ping.Protocol, ping.IcmpTypeCode = aws.String("1"), &types.IcmpTypeCode{Code: aws.Int32(-1), Type: aws.Int32(-1)}
		out := &ec2.DescribeNetworkAclsOutput{}
		out.NetworkAcls, out.NextToken = page([]types.NetworkAcl{
			{NetworkAclId: aws.String("acl-1"), VpcId: aws.String("vpc-1"), OwnerId: own, Entries: []types.NetworkAclEntry{entry(100, false), entry(100, true), ports, ping, entry(32767, false), entry(32768, true)},
				Associations: []types.NetworkAclAssociation{{NetworkAclAssociationId: aws.String("aclassoc-1"), NetworkAclId: aws.String("acl-1"), SubnetId: aws.String("subnet-1")}}},
			{NetworkAclId: aws.String("acl-2"), VpcId: aws.String("vpc-1"), OwnerId: own},
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ec2.DescribeRouteTablesInput) (*ec2.DescribeRouteTablesOutput, error) {
		local := types.Route{DestinationCidrBlock: aws.String("10.0.0.0/16"), GatewayId: aws.String("local")}
		out := &ec2.DescribeRouteTablesOutput{}
		out.RouteTables, out.NextToken = page([]types.RouteTable{
			{RouteTableId: aws.String("rtb-main"), VpcId: aws.String("vpc-1"), OwnerId: own, Routes: []types.Route{local, {DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: aws.String("igw-1")}},
				Associations: []types.RouteTableAssociation{{RouteTableAssociationId: aws.String("rtbassoc-main"), RouteTableId: aws.String("rtb-main"), Main: aws.Bool(true)}}},
			{RouteTableId: aws.String("rtb-2"), VpcId: aws.String("vpc-1"), OwnerId: own,
				Routes: []types.Route{
					local, {DestinationCidrBlock: aws.String("0.0.0.0/0"), NatGatewayId: aws.String("nat-1")}, {DestinationPrefixListId: aws.String("pl-1"), GatewayId: aws.String("vpce-1")},
					{DestinationIpv6CidrBlock: aws.String("::/0"), EgressOnlyInternetGatewayId: aws.String("eigw-1")},
				},
				Associations: []types.RouteTableAssociation{
					{RouteTableAssociationId: aws.String("rtbassoc-2"), RouteTableId: aws.String("rtb-2"), SubnetId: aws.String("subnet-2"), Main: aws.Bool(false)},
					{RouteTableAssociationId: aws.String("rtbassoc-3"), RouteTableId: aws.String("rtb-2"), GatewayId: aws.String("igw-1"), Main: aws.Bool(false)},
				}},
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ec2.DescribeVpcEndpointsInput) (*ec2.DescribeVpcEndpointsOutput, error) {
		endpoint := func(id string, kind types.VpcEndpointType, state types.State, policy string) types.VpcEndpoint {
			return types.VpcEndpoint{VpcEndpointId: aws.String(id), VpcEndpointType: kind, State: state, VpcId: aws.String("vpc-1"), OwnerId: own, ServiceName: aws.String("com.amazonaws.eu-central-1.s3"), PolicyDocument: aws.String(policy)}
		}
		held := endpoint("vpce-2", types.VpcEndpointTypeInterface, types.StateAvailable, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`)
		held.SubnetIds, held.PrivateDnsEnabled = []string{"subnet-1", "subnet-2"}, aws.Bool(true)
		held.Groups = []types.SecurityGroupIdentifier{{GroupId: aws.String("sg-1"), GroupName: aws.String("of sg-1")}}
		held.DnsOptions = &types.DnsOptions{DnsRecordIpType: types.DnsRecordIpTypeIpv4, PrivateDnsOnlyForInboundResolverEndpoint: aws.Bool(true)}
		open := endpoint("vpce-1", types.VpcEndpointTypeGateway, types.StateAvailable, `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`)
		open.RouteTableIds = []string{"rtb-2"}
		out := &ec2.DescribeVpcEndpointsOutput{}
		out.VpcEndpoints, out.NextToken = page([]types.VpcEndpoint{open, held, endpoint("vpce-3", types.VpcEndpointTypeInterface, "rejected", "")}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ec2.DescribeFlowLogsInput) (*ec2.DescribeFlowLogsOutput, error) {
		out := &ec2.DescribeFlowLogsOutput{}
		out.FlowLogs, out.NextToken = page([]types.FlowLog{
			{FlowLogId: aws.String("fl-1"), ResourceId: aws.String("vpc-1"), TrafficType: types.TrafficTypeAll, LogGroupName: aws.String("flow"), LogDestinationType: types.LogDestinationTypeCloudWatchLogs},
			{FlowLogId: aws.String("fl-2"), ResourceId: aws.String("subnet-1"), TrafficType: types.TrafficTypeReject, LogDestinationType: types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::flows")},
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ec2.DescribeNatGatewaysInput) (*ec2.DescribeNatGatewaysOutput, error) {
		out := &ec2.DescribeNatGatewaysOutput{}
		out.NatGateways, out.NextToken = page([]types.NatGateway{
			{NatGatewayId: aws.String("nat-1"), State: types.NatGatewayStateAvailable, SubnetId: aws.String("subnet-1"), VpcId: aws.String("vpc-1"), ConnectivityType: types.ConnectivityTypePublic, NatGatewayAddresses: []types.NatGatewayAddress{
				{AllocationId: aws.String("eipalloc-2"), IsPrimary: aws.Bool(false)}, {AllocationId: aws.String("eipalloc-1"), PrivateIp: aws.String("10.0.1.4"), IsPrimary: aws.Bool(true)},
			}},
			{NatGatewayId: aws.String("nat-2"), State: types.NatGatewayStateDeleted, VpcId: aws.String("vpc-1")},
		}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *ec2.DescribeInternetGatewaysInput) (*ec2.DescribeInternetGatewaysOutput, error) {
		out := &ec2.DescribeInternetGatewaysOutput{}
		out.InternetGateways, out.NextToken = page([]types.InternetGateway{
			{InternetGatewayId: aws.String("igw-1"), OwnerId: own, Attachments: []types.InternetGatewayAttachment{{VpcId: aws.String("vpc-1"), State: types.AttachmentStatusAttached}}},
			{InternetGatewayId: aws.String("igw-2"), OwnerId: own},
		}, in.NextToken, 1)
		return out, nil
	})
	always(f, &ec2.DescribeVpnGatewaysOutput{VpnGateways: []types.VpnGateway{{VpnGatewayId: aws.String("vgw-1"), VpcAttachments: []types.VpcAttachment{
		{VpcId: aws.String("vpc-1"), State: types.AttachmentStatusAttached}, {VpcId: aws.String("vpc-2"), State: types.AttachmentStatusDetached},
	}}}}, &ec2.DescribeVpnGatewaysInput{})
	always(f, &ec2.DescribeEgressOnlyInternetGatewaysOutput{EgressOnlyInternetGateways: []types.EgressOnlyInternetGateway{
		{EgressOnlyInternetGatewayId: aws.String("eigw-1"), Attachments: []types.InternetGatewayAttachment{{VpcId: aws.String("vpc-1"), State: types.AttachmentStatusAttached}}},
	}}, &ec2.DescribeEgressOnlyInternetGatewaysInput{})
	always(f, &ec2.DescribeManagedPrefixListsOutput{PrefixLists: []types.ManagedPrefixList{
		{PrefixListId: aws.String("pl-1"), PrefixListName: aws.String("com.amazonaws.eu-central-1.s3"), OwnerId: aws.String("AWS"), AddressFamily: aws.String("IPv4")},
	}}, &ec2.DescribeManagedPrefixListsInput{})
	on(f, func(in *ec2.GetManagedPrefixListEntriesInput) (*ec2.GetManagedPrefixListEntriesOutput, error) {
		out := &ec2.GetManagedPrefixListEntriesOutput{}
		out.Entries, out.NextToken = page([]types.PrefixListEntry{{Cidr: aws.String("52.219.0.0/16")}, {Cidr: aws.String("3.5.0.0/16"), Description: aws.String("more")}}, in.NextToken, 1)
		return out, nil
	})
	always(f, &ec2.DescribeVpcBlockPublicAccessOptionsOutput{VpcBlockPublicAccessOptions: &types.VpcBlockPublicAccessOptions{
		AwsAccountId: own, AwsRegion: aws.String(testRegion), InternetGatewayBlockMode: types.InternetGatewayBlockModeOff,
	}}, &ec2.DescribeVpcBlockPublicAccessOptionsInput{})
}

func TestNetwork(t *testing.T) {
	golden(t, "ec2", show(t, eachDenied(t, "ec2", serveNetwork, only(networkTypes...)), networkTypes...))
}

// TestNoNetwork reads a region that has nothing.
func TestNoNetwork(t *testing.T) {
	sameText(t, shortly(t, func(*fake) {}, networkTypes, only(networkTypes...)), "")
}

// TestGoneNetwork reads what is deleted after it was listed.
func TestGoneNetwork(t *testing.T) {
	sameText(t, shortly(t, func(f *fake) {
		always(f, &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-1")}}}, &ec2.DescribeVpcsInput{})
		on(f, func(*ec2.DescribeVpcAttributeInput) (*ec2.DescribeVpcAttributeOutput, error) {
			return nil, refuse("InvalidVpcID.NotFound", "gone")
		})
		always(f, &ec2.DescribeManagedPrefixListsOutput{PrefixLists: []types.ManagedPrefixList{{PrefixListId: aws.String("pl-1")}}}, &ec2.DescribeManagedPrefixListsInput{})
		on(f, func(*ec2.GetManagedPrefixListEntriesInput) (*ec2.GetManagedPrefixListEntriesOutput, error) {
			return nil, refuse("InvalidPrefixListID.NotFound", "gone")
		})
	}, networkTypes, only("AWS::EC2::VPC", "AWS::EC2::PrefixList")), "")
}
