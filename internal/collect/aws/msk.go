package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kafka"
	"github.com/aws/aws-sdk-go-v2/service/kafka/types"

	"assay/internal/estate"
)

func mskService() service {
	return service{name: "kafka", reads: []read{{
		types:   []string{"AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster", "AWS::MSK::ClusterPolicy"},
		actions: []string{"kafka:ListClustersV2", "kafka:DescribeClusterV2", "kafka:GetClusterPolicy", listingAliases},
		list: func(ctx context.Context, s *scope) error {
			client := kafka.NewFromConfig(s.cfg)
			var all []types.Cluster
			if err := each(ctx, s, "kafka:ListClustersV2", kafka.NewListClustersV2Paginator(client, &kafka.ListClustersV2Input{}), func(out *kafka.ListClustersV2Output) error {
				all = append(all, out.ClusterInfoList...)
				return nil
			}); err != nil {
				return err
			}
			return forEach(ctx, s, all, 1, func(ctx context.Context, c types.Cluster) error {
				return addCluster(ctx, s, client, c, "kafka:ListClustersV2")
			})
		},
		named: func(ctx context.Context, s *scope, sought []estate.Named) error {
			client := kafka.NewFromConfig(s.cfg)
			return forEach(ctx, s, sought, 2, func(ctx context.Context, n estate.Named) error {
				arn := s.arnOf("kafka", "cluster/"+n.Name)
				out, err := do(ctx, s, "kafka:DescribeClusterV2", client.DescribeClusterV2, &kafka.DescribeClusterV2Input{ClusterArn: aws.String(arn)})
				switch {
				case none(err, "NotFoundException"):
					return nil
				case err != nil && over(err):
					return err
				case err != nil:
					s.lost("AWS::MSK::Cluster", arn, nil, err)
					s.lost("AWS::MSK::ClusterPolicy", arn+"/policy", fields{"ClusterArn": estate.String(arn)}, err)
					return nil
				}
				return addCluster(ctx, s, client, orZero(out.ClusterInfo), "kafka:DescribeClusterV2")
			})
		},
	}}}
}

func addCluster(ctx context.Context, s *scope, client *kafka.Client, c types.Cluster, call string) error {
	arn, name := aws.ToString(c.ClusterArn), aws.ToString(c.ClusterName)
	switch {
	case c.Serverless != nil:
		const typ = "AWS::MSK::ServerlessCluster"
		var configs []*estate.Value
		for _, v := range c.Serverless.VpcConfigs {
			configs = append(configs, some(fields{"SubnetIds": strs(v.SubnetIds), "SecurityGroups": strs(v.SecurityGroupIds)}))
		}
		s.add(found{typ: typ, id: arn, name: name, from: c, call: call, set: fields{
			"VpcConfigs": listOf(configs), "ClientAuthentication": s.as(typ, "ClientAuthentication", c.Serverless.ClientAuthentication, call),
		}})
	case c.Provisioned != nil:
		p := *c.Provisioned
		set := fields{"ClusterName": str(c.ClusterName), "CurrentVersion": str(c.CurrentVersion), "Tags": tagMap(c.Tags), "ConfigurationInfo": nil, "KafkaVersion": nil}
		if v := p.CurrentBrokerSoftwareInfo; v != nil {
			set["KafkaVersion"] = str(v.KafkaVersion)
			set["ConfigurationInfo"] = some(fields{"Arn": str(v.ConfigurationArn), "Revision": number(v.ConfigurationRevision)})
		}
		encryption := s.as("AWS::MSK::Cluster", "EncryptionInfo", p.EncryptionInfo, call)
		if e := p.EncryptionInfo; e != nil && e.EncryptionAtRest != nil {
			encryption = encryption.With("EncryptionAtRest", some(fields{"DataVolumeKMSKeyId": s.keyOf(ctx, e.EncryptionAtRest.DataVolumeKMSKeyId, arn)}))
		}
		set["EncryptionInfo"] = encryption
		s.add(found{typ: "AWS::MSK::Cluster", id: arn, name: name, from: p, set: set, call: call})
	default:
		return nil // a kind of cluster that is not known: its type stays without it
	}
	out, err := do(ctx, s, "kafka:GetClusterPolicy", client.GetClusterPolicy, &kafka.GetClusterPolicyInput{ClusterArn: c.ClusterArn})
	switch {
	case none(err, "NotFoundException"):
	case err != nil && over(err):
		return err
	case err != nil:
		s.lost("AWS::MSK::ClusterPolicy", arn+"/policy", fields{"ClusterArn": estate.String(arn)}, err)
	default:
		s.add(found{
			typ: "AWS::MSK::ClusterPolicy", id: arn + "/policy", name: "policy of " + name, call: "kafka:GetClusterPolicy",
			set: fields{"ClusterArn": estate.String(arn), "Policy": document(aws.ToString(out.Policy))},
		})
	}
	return nil
}
