package aws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	firehosetypes "github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/kafka"
	kafkatypes "github.com/aws/aws-sdk-go-v2/service/kafka/types"
	"github.com/aws/aws-sdk-go-v2/service/mq"
	mqtypes "github.com/aws/aws-sdk-go-v2/service/mq/types"
)

var clusterTypes = []string{"AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster", "AWS::MSK::ClusterPolicy"}

// serveClusters is a cluster with everything, one with a key of AWS, and one
// without servers.
func serveClusters(f *fake) {
	serveAWSKeys(f, "kafka")
	all := []kafkatypes.Cluster{
		{ClusterName: aws.String("full"), ClusterArn: aws.String(arnIn("kafka", "cluster/full/1")), ClusterType: kafkatypes.ClusterTypeProvisioned, CurrentVersion: aws.String("K1"), Tags: map[string]string{"team": "a"}, Provisioned: &kafkatypes.Provisioned{
			NumberOfBrokerNodes: aws.Int32(3), StorageMode: kafkatypes.StorageModeLocal, EnhancedMonitoring: kafkatypes.EnhancedMonitoringDefault,
			BrokerNodeGroupInfo: &kafkatypes.BrokerNodeGroupInfo{ClientSubnets: []string{"subnet-1"}, InstanceType: aws.String("kafka.m7g.large"), SecurityGroups: []string{"sg-1"}, ConnectivityInfo: &kafkatypes.ConnectivityInfo{PublicAccess: &kafkatypes.PublicAccess{Type: aws.String("DISABLED")}},
				StorageInfo: &kafkatypes.StorageInfo{EbsStorageInfo: &kafkatypes.EBSStorageInfo{VolumeSize: aws.Int32(100)}}},
			ClientAuthentication:      &kafkatypes.ClientAuthentication{Sasl: &kafkatypes.Sasl{Iam: &kafkatypes.Iam{Enabled: aws.Bool(true)}}, Unauthenticated: &kafkatypes.Unauthenticated{Enabled: aws.Bool(false)}},
			CurrentBrokerSoftwareInfo: &kafkatypes.BrokerSoftwareInfo{KafkaVersion: aws.String("3.8.x"), ConfigurationArn: aws.String(arnIn("kafka", "configuration/c/1")), ConfigurationRevision: aws.Int64(2)},
			EncryptionInfo:            &kafkatypes.EncryptionInfo{EncryptionAtRest: &kafkatypes.EncryptionAtRest{DataVolumeKMSKeyId: aws.String(keyARN("own"))}, EncryptionInTransit: &kafkatypes.EncryptionInTransit{ClientBroker: kafkatypes.ClientBrokerTls, InCluster: aws.Bool(true)}},
			LoggingInfo:               &kafkatypes.LoggingInfo{BrokerLogs: &kafkatypes.BrokerLogs{CloudWatchLogs: &kafkatypes.CloudWatchLogs{Enabled: aws.Bool(true), LogGroup: aws.String("brokers")}}},
			OpenMonitoring:            &kafkatypes.OpenMonitoringInfo{Prometheus: &kafkatypes.PrometheusInfo{JmxExporter: &kafkatypes.JmxExporterInfo{EnabledInBroker: aws.Bool(true)}}},
		}},
		{ClusterName: aws.String("managed"), ClusterArn: aws.String(arnIn("kafka", "cluster/managed/2")), ClusterType: kafkatypes.ClusterTypeProvisioned, Provisioned: &kafkatypes.Provisioned{
			NumberOfBrokerNodes: aws.Int32(2), EncryptionInfo: &kafkatypes.EncryptionInfo{EncryptionAtRest: &kafkatypes.EncryptionAtRest{DataVolumeKMSKeyId: aws.String(keyARN("amazon"))}},
		}},
		{ClusterName: aws.String("light"), ClusterArn: aws.String(arnIn("kafka", "cluster/light/3")), ClusterType: kafkatypes.ClusterTypeServerless, Serverless: &kafkatypes.Serverless{
			VpcConfigs:           []kafkatypes.VpcConfig{{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}},
			ClientAuthentication: &kafkatypes.ServerlessClientAuthentication{Sasl: &kafkatypes.ServerlessSasl{Iam: &kafkatypes.Iam{Enabled: aws.Bool(true)}}},
		}},
	}
	on(f, func(in *kafka.ListClustersV2Input) (*kafka.ListClustersV2Output, error) {
		out := &kafka.ListClustersV2Output{}
		out.ClusterInfoList, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *kafka.DescribeClusterV2Input) (*kafka.DescribeClusterV2Output, error) {
		for _, c := range all {
			if *c.ClusterArn == *in.ClusterArn {
				return &kafka.DescribeClusterV2Output{ClusterInfo: &c}, nil
			}
		}
		return nil, refuse("NotFoundException", "gone")
	})
	on(f, func(in *kafka.GetClusterPolicyInput) (*kafka.GetClusterPolicyOutput, error) {
		if *in.ClusterArn != arnIn("kafka", "cluster/full/1") {
			return nil, refuse("NotFoundException", "none")
		}
		return &kafka.GetClusterPolicyOutput{Policy: aws.String(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"kafka:CreateVpcConnection","Resource":"*"}]}`)}, nil
	})
}

func TestClusters(t *testing.T) {
	golden(t, "kafka", show(t, eachDeniedBut(t, "kafka", []string{"kafka:DescribeClusterV2"}, serveClusters, only(clusterTypes...), everything), clusterTypes...))
}

func TestNamedClusters(t *testing.T) {
	got := eachDeniedBut(t, "kafka", []string{"kafka:ListClustersV2"}, func(f *fake) {
		serveClusters(f)
		withMappings(f, arnIn("kafka", "cluster/full/1"), arnIn("kafka", "cluster/gone/9"))
	}, only("AWS::Lambda::EventSourceMapping", "AWS::MSK::Cluster"))
	sameText(t, addresses(got, "AWS::MSK::"), "full\npolicy of full")
}

// serveBrokers is a broker with everything and one with a key of AWS.
func serveBrokers(f *fake) {
	serveAWSKeys(f, "mq")
	arn := func(name string) *string { return aws.String(arnIn("mq", "broker:"+name+":b-"+name)) }
	on(f, func(in *mq.ListBrokersInput) (*mq.ListBrokersOutput, error) {
		out := &mq.ListBrokersOutput{}
		out.BrokerSummaries, out.NextToken = page([]mqtypes.BrokerSummary{{BrokerArn: arn("full")}, {BrokerArn: arn("gone")}, {BrokerArn: arn("managed")}}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *mq.DescribeBrokerInput) (*mq.DescribeBrokerOutput, error) {
		switch *in.BrokerId {
		case "b-full":
			return &mq.DescribeBrokerOutput{
				BrokerArn: arn("full"), BrokerId: in.BrokerId, BrokerName: aws.String("full"), EngineType: mqtypes.EngineTypeActivemq, PubliclyAccessible: aws.Bool(true), AutoMinorVersionUpgrade: aws.Bool(true),
				EncryptionOptions: &mqtypes.EncryptionOptions{UseAwsOwnedKey: aws.Bool(false), KmsKeyId: aws.String(keyARN("own"))}, Logs: &mqtypes.LogsSummary{General: aws.Bool(true), Audit: aws.Bool(false), GeneralLogGroup: aws.String("mq")},
				Configurations: &mqtypes.Configurations{Current: &mqtypes.ConfigurationId{Id: aws.String("c-1"), Revision: aws.Int32(2)}}, Users: []mqtypes.UserSummary{{Username: aws.String("admin")}},
				SubnetIds: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, Tags: map[string]string{"team": "a"}, DeploymentMode: mqtypes.DeploymentModeSingleInstance,
			}, nil
		case "b-managed":
			return &mq.DescribeBrokerOutput{BrokerArn: arn("managed"), BrokerId: in.BrokerId, BrokerName: aws.String("managed"), EngineType: mqtypes.EngineTypeRabbitmq, PubliclyAccessible: aws.Bool(false), EncryptionOptions: &mqtypes.EncryptionOptions{UseAwsOwnedKey: aws.Bool(false), KmsKeyId: aws.String(keyARN("amazon"))}}, nil
		}
		return nil, refuse("NotFoundException", "gone")
	})
}

func TestBrokers(t *testing.T) {
	const typ = "AWS::AmazonMQ::Broker"
	golden(t, "mq", show(t, eachDenied(t, "mq", serveBrokers, only(typ), everything), typ))
	got := eachDeniedBut(t, "mq", []string{"mq:ListBrokers"}, func(f *fake) {
		serveBrokers(f)
		withMappings(f, arnIn("mq", "broker:full:b-full"), arnIn("mq", "broker:gone:b-gone"))
	}, only("AWS::Lambda::EventSourceMapping", typ))
	sameText(t, addresses(got, "AWS::AmazonMQ::"), "full")
}

// serveDeliveryStreams is one stream that a function transforms, two that send
// to others, one that reads a stream, and one that is gone when it is asked about.
func serveDeliveryStreams(f *fake) {
	serveAWSKeys(f, "firehose")
	on(f, func(in *firehose.ListDeliveryStreamsInput) (*firehose.ListDeliveryStreamsOutput, error) {
		all := map[string][]string{"": {"direct", "gone"}, "gone": {"reads"}, "reads": {"splunk", "web"}}
		from := aws.ToString(in.ExclusiveStartDeliveryStreamName)
		return &firehose.ListDeliveryStreamsOutput{DeliveryStreamNames: all[from], HasMoreDeliveryStreams: aws.Bool(from != "reads")}, nil
	})
	transform := &firehosetypes.ProcessingConfiguration{Enabled: aws.Bool(true), Processors: []firehosetypes.Processor{{Type: firehosetypes.ProcessorTypeLambda, Parameters: []firehosetypes.ProcessorParameter{
		{ParameterName: firehosetypes.ProcessorParameterNameLambdaArn, ParameterValue: aws.String(arnIn("lambda", "function:f:$LATEST"))},
	}}}}
	bucket := &firehosetypes.S3DestinationDescription{BucketARN: aws.String("arn:aws:s3:::full"), RoleARN: aws.String("arn:aws:iam::111122223333:role/r")}
	on(f, func(in *firehose.DescribeDeliveryStreamInput) (*firehose.DescribeDeliveryStreamOutput, error) {
		d := &firehosetypes.DeliveryStreamDescription{DeliveryStreamName: in.DeliveryStreamName, DeliveryStreamARN: aws.String(arnIn("firehose", "deliverystream/"+*in.DeliveryStreamName)), DeliveryStreamType: firehosetypes.DeliveryStreamTypeDirectPut, VersionId: aws.String("1"), HasMoreDestinations: aws.Bool(false)}
		switch *in.DeliveryStreamName {
		case "direct":
			d.DeliveryStreamEncryptionConfiguration = &firehosetypes.DeliveryStreamEncryptionConfiguration{Status: firehosetypes.DeliveryStreamEncryptionStatusEnabled, KeyType: firehosetypes.KeyTypeCustomerManagedCmk, KeyARN: aws.String(keyARN("own"))}
			d.Destinations = []firehosetypes.DestinationDescription{{DestinationId: aws.String("1"), S3DestinationDescription: bucket, ExtendedS3DestinationDescription: &firehosetypes.ExtendedS3DestinationDescription{
				BucketARN: bucket.BucketARN, RoleARN: bucket.RoleARN, Prefix: aws.String("in/"), ProcessingConfiguration: transform,
			}}}
		case "reads":
			d.DeliveryStreamType = firehosetypes.DeliveryStreamTypeKinesisStreamAsSource
			d.Source = &firehosetypes.SourceDescription{KinesisStreamSourceDescription: &firehosetypes.KinesisStreamSourceDescription{KinesisStreamARN: aws.String(arnIn("kinesis", "stream/clicks")), RoleARN: bucket.RoleARN}}
			d.Destinations = []firehosetypes.DestinationDescription{{DestinationId: aws.String("1"), S3DestinationDescription: bucket}}
		case "splunk":
			d.DeliveryStreamEncryptionConfiguration = &firehosetypes.DeliveryStreamEncryptionConfiguration{Status: firehosetypes.DeliveryStreamEncryptionStatusDisabled}
			d.Destinations = []firehosetypes.DestinationDescription{{DestinationId: aws.String("1"), SplunkDestinationDescription: &firehosetypes.SplunkDestinationDescription{
				HECEndpoint: aws.String("https://splunk.example.com"), HECToken: aws.String("11111111-2222-3333-4444-555555555555"), ProcessingConfiguration: transform,
			}}}
		case "web":
			d.Destinations = []firehosetypes.DestinationDescription{{DestinationId: aws.String("1"), HttpEndpointDestinationDescription: &firehosetypes.HttpEndpointDestinationDescription{
				EndpointConfiguration: &firehosetypes.HttpEndpointDescription{Name: aws.String("web"), Url: aws.String("https://example.com")}, ProcessingConfiguration: transform,
				RequestConfiguration: &firehosetypes.HttpEndpointRequestConfiguration{ContentEncoding: firehosetypes.ContentEncodingGzip, CommonAttributes: []firehosetypes.HttpEndpointCommonAttribute{{AttributeName: aws.String("auth"), AttributeValue: aws.String("hunter2")}}},
			}}}
		default:
			return nil, refuse(notFound, "gone")
		}
		return &firehose.DescribeDeliveryStreamOutput{DeliveryStreamDescription: d}, nil
	})
}

func TestDeliveryStreams(t *testing.T) {
	golden(t, "firehose", show(t, eachDenied(t, "firehose", serveDeliveryStreams, only(deliveryStream)), deliveryStream))
}
