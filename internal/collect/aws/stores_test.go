package aws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// withMappings lets functions be fed from sources.
func withMappings(f *fake, sources ...string) {
	out := &lambda.ListEventSourceMappingsOutput{}
	for _, source := range sources {
		out.EventSourceMappings = append(out.EventSourceMappings, lambdatypes.EventSourceMappingConfiguration{
			UUID: aws.String(source), EventSourceArn: aws.String(source), FunctionArn: aws.String(arnIn("lambda", "function:f")), State: aws.String("Enabled"),
		})
	}
	always(f, out, &lambda.ListEventSourceMappingsInput{})
}

// serveTables is a table with everything, one with nothing, and one that is gone
// when it is asked about.
func serveTables(f *fake) {
	serveAWSKeys(f, "dynamodb")
	tables := map[string]dynamodbtypes.TableDescription{
		"orders": {
			BillingModeSummary: &dynamodbtypes.BillingModeSummary{BillingMode: dynamodbtypes.BillingModePayPerRequest}, DeletionProtectionEnabled: aws.Bool(true),
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
			KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamodbtypes.KeyTypeHash}},
			SSEDescription:       &dynamodbtypes.SSEDescription{Status: dynamodbtypes.SSEStatusEnabled, SSEType: dynamodbtypes.SSETypeKms, KMSMasterKeyArn: aws.String(keyARN("own"))},
			StreamSpecification:  &dynamodbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: dynamodbtypes.StreamViewTypeNewImage},
			TableClassSummary:    &dynamodbtypes.TableClassSummary{TableClass: dynamodbtypes.TableClassStandard},
		},
		"managed": {
			ProvisionedThroughput: &dynamodbtypes.ProvisionedThroughputDescription{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(6)}, DeletionProtectionEnabled: aws.Bool(false),
			SSEDescription: &dynamodbtypes.SSEDescription{Status: dynamodbtypes.SSEStatusEnabled, SSEType: dynamodbtypes.SSETypeKms, KMSMasterKeyArn: aws.String(keyARN("amazon"))},
		},
		"bare": {SSEDescription: &dynamodbtypes.SSEDescription{Status: dynamodbtypes.SSEStatusDisabled}},
	}
	on(f, func(in *dynamodb.ListTablesInput) (*dynamodb.ListTablesOutput, error) {
		out := &dynamodb.ListTablesOutput{}
		out.TableNames, out.LastEvaluatedTableName = page([]string{"bare", "gone", "managed", "orders"}, in.ExclusiveStartTableName, 2)
		return out, nil
	})
	on(f, func(in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
		d, ok := tables[*in.TableName]
		if !ok {
			return nil, refuse(notFound, "gone")
		}
		d.TableName = in.TableName
		return &dynamodb.DescribeTableOutput{Table: &d}, nil
	})
	on(f, func(in *dynamodb.DescribeContinuousBackupsInput) (*dynamodb.DescribeContinuousBackupsOutput, error) {
		d := &dynamodbtypes.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: dynamodbtypes.PointInTimeRecoveryStatusDisabled}
		if *in.TableName == "orders" {
			d = &dynamodbtypes.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: dynamodbtypes.PointInTimeRecoveryStatusEnabled, RecoveryPeriodInDays: aws.Int32(7)}
		}
		return &dynamodb.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: &dynamodbtypes.ContinuousBackupsDescription{ContinuousBackupsStatus: dynamodbtypes.ContinuousBackupsStatusEnabled, PointInTimeRecoveryDescription: d}}, nil
	})
	on(f, func(in *dynamodb.DescribeTimeToLiveInput) (*dynamodb.DescribeTimeToLiveOutput, error) {
		d := &dynamodbtypes.TimeToLiveDescription{TimeToLiveStatus: dynamodbtypes.TimeToLiveStatusDisabled}
		if *in.TableName == "orders" {
			d = &dynamodbtypes.TimeToLiveDescription{TimeToLiveStatus: dynamodbtypes.TimeToLiveStatusEnabled, AttributeName: aws.String("until")}
		}
		return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: d}, nil
	})
	on(f, func(in *dynamodb.GetResourcePolicyInput) (*dynamodb.GetResourcePolicyOutput, error) {
		if *in.ResourceArn != arnIn("dynamodb", "table/orders") {
			return nil, refuse("PolicyNotFoundException", "none")
		}
		return &dynamodb.GetResourcePolicyOutput{Policy: aws.String(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"dynamodb:GetItem","Resource":"*"}]}`)}, nil
	})
}

func TestTables(t *testing.T) {
	const typ = "AWS::DynamoDB::Table"
	golden(t, "dynamodb", show(t, eachDenied(t, "dynamodb", serveTables, only(typ), everything), typ))
}

// serveStreams is an encrypted stream with a policy and consumers, a plain one,
// and one that is gone when it is asked about.
func serveStreams(f *fake) {
	serveAWSKeys(f, "kinesis")
	streams := map[string]kinesistypes.StreamDescriptionSummary{
		"clicks": {
			EncryptionType: kinesistypes.EncryptionTypeKms, KeyId: aws.String(keyARN("own")), RetentionPeriodHours: aws.Int32(48), OpenShardCount: aws.Int32(4), ConsumerCount: aws.Int32(2),
			StreamModeDetails:  &kinesistypes.StreamModeDetails{StreamMode: kinesistypes.StreamModeOnDemand},
			EnhancedMonitoring: []kinesistypes.EnhancedMetrics{{ShardLevelMetrics: []kinesistypes.MetricsName{kinesistypes.MetricsNameIncomingBytes}}},
		},
		"managed": {EncryptionType: kinesistypes.EncryptionTypeKms, KeyId: aws.String("amazon"), RetentionPeriodHours: aws.Int32(24), OpenShardCount: aws.Int32(1), ConsumerCount: aws.Int32(0)},
		"bare":    {EncryptionType: kinesistypes.EncryptionTypeNone, RetentionPeriodHours: aws.Int32(24), OpenShardCount: aws.Int32(2), ConsumerCount: aws.Int32(0), StreamModeDetails: &kinesistypes.StreamModeDetails{StreamMode: kinesistypes.StreamModeProvisioned}},
	}
	on(f, func(in *kinesis.ListStreamsInput) (*kinesis.ListStreamsOutput, error) {
		out := &kinesis.ListStreamsOutput{}
		out.StreamNames, out.NextToken = page([]string{"bare", "clicks", "gone", "managed"}, in.NextToken, 2)
		out.HasMoreStreams = aws.Bool(out.NextToken != nil)
		return out, nil
	})
	on(f, func(in *kinesis.DescribeStreamSummaryInput) (*kinesis.DescribeStreamSummaryOutput, error) {
		d, ok := streams[*in.StreamName]
		if !ok {
			return nil, refuse(notFound, "gone")
		}
		d.StreamName, d.StreamARN = in.StreamName, aws.String(arnIn("kinesis", "stream/"+*in.StreamName))
		return &kinesis.DescribeStreamSummaryOutput{StreamDescriptionSummary: &d}, nil
	})
	on(f, func(in *kinesis.GetResourcePolicyInput) (*kinesis.GetResourcePolicyOutput, error) {
		switch *in.ResourceARN {
		case arnIn("kinesis", "stream/clicks"):
			return &kinesis.GetResourcePolicyOutput{Policy: aws.String(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"kinesis:GetRecords","Resource":"*"}]}`)}, nil
		case arnIn("kinesis", "stream/bare"):
			return &kinesis.GetResourcePolicyOutput{Policy: aws.String("{}")}, nil
		}
		return nil, refuse(notFound, "no policy")
	})
	on(f, func(in *kinesis.ListStreamConsumersInput) (*kinesis.ListStreamConsumersOutput, error) {
		out := &kinesis.ListStreamConsumersOutput{}
		var all []kinesistypes.Consumer
		for _, name := range []string{"fan", "out"} {
			all = append(all, kinesistypes.Consumer{ConsumerName: aws.String(name), ConsumerARN: aws.String(*in.StreamARN + "/consumer/" + name + ":1")})
		}
		out.Consumers, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
}

var streamTypes = []string{"AWS::Kinesis::Stream", "AWS::Kinesis::ResourcePolicy", "AWS::Kinesis::StreamConsumer"}

func TestStreams(t *testing.T) {
	golden(t, "kinesis", show(t, eachDenied(t, "kinesis", serveStreams, only(streamTypes...), everything), streamTypes...))
}

// TestNamedStores follows what feeds functions: by the ARN of a consumer and by
// that of a table's stream.
func TestNamedStores(t *testing.T) {
	got := eachDeniedBut(t, "kinesis", []string{"kinesis:ListStreams"}, func(f *fake) {
		serveStreams(f)
		serveTables(f)
		withMappings(f, arnIn("kinesis", "stream/clicks/consumer/fan:1"), arnIn("kinesis", "stream/gone"), arnIn("dynamodb", "table/managed/stream/2026-01-01T00:00:00.000"))
	}, only("AWS::Lambda::EventSourceMapping", "AWS::Kinesis::Stream", "AWS::DynamoDB::Table"))
	sameText(t, addresses(got, "AWS::Kinesis::Stream"), "clicks\nfan of clicks\nout of clicks")
	sameText(t, addresses(got, "AWS::DynamoDB::"), "managed")
}
