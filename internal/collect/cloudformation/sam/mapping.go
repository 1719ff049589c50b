package sam

import (
	"strings"

	"assay/internal/estate"
)

// poll is an event type for which Lambda reads a source itself.
type poll struct {
	source  string // the property that names the source; "" for none
	managed string // the managed policy that the role needs; "" for none
	// statements make the inline policy that the role needs; may be nil.
	statements func(f *function, event *estate.Value) (name, version string, statements []*estate.Value)
}

// polls are the event types that become an event source mapping.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
var polls = map[string]poll{
	"SQS":              {source: "Queue", managed: "AWSLambdaSQSQueueExecutionRole"},
	"DynamoDB":         {source: "Stream", managed: "AWSLambdaDynamoDBExecutionRole"},
	"Kinesis":          {source: "Stream", managed: "AWSLambdaKinesisExecutionRole"},
	"MSK":              {source: "Stream", managed: "AWSLambdaMSKExecutionRole", statements: (*function).mskStatements},
	"MQ":               {source: "Broker", statements: (*function).brokerStatements},
	"DocumentDB":       {source: "Cluster", statements: (*function).clusterStatements},
	"SelfManagedKafka": {statements: (*function).kafkaStatements},
}

var copiedToMapping = []string{
	"StartingPosition", "StartingPositionTimestamp", "BatchSize", "Enabled", "MaximumBatchingWindowInSeconds",
	"MaximumRetryAttempts", "BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds", "ParallelizationFactor",
	"Topics", "Queues", "SourceAccessConfigurations", "TumblingWindowInSeconds", "FunctionResponseTypes",
	"FilterCriteria", "KmsKeyArn", "ScalingConfig", "ProvisionedPollerConfig", "MetricsConfig", "LoggingConfig",
}

// mapping expands one event of a polled kind.
func (f *function) mapping(at origin, kind, id string, event *estate.Value) {
	p := polls[kind]
	props := object{"FunctionName": f.target()}
	if p.source != "" {
		props["EventSourceArn"] = get(event, p.source)
	}
	props.copyFrom(event, copiedToMapping...)
	if servers := get(event, "KafkaBootstrapServers"); !empty(servers) {
		props["SelfManagedEventSource"] = object{
			"Endpoints": object{"KafkaBootstrapServers": servers}.value(),
		}.value()
	}
	kafka := object{}
	kafka.copyFrom(event, "ConsumerGroupId", "SchemaRegistryConfig")
	if len(kafka) > 0 {
		switch kind {
		case "MSK":
			props["AmazonManagedKafkaEventSourceConfig"] = kafka.value()
		case "SelfManagedKafka":
			props["SelfManagedKafkaEventSourceConfig"] = kafka.value()
		}
	}
	if kind == "DocumentDB" {
		database := object{}
		database.copyFrom(event, "DatabaseName", "CollectionName", "FullDocument")
		props["DocumentDBEventSourceConfig"] = database.value()
	}
	failure := get(event, "DestinationConfig")
	if !empty(failure) {
		// Type is for SAM alone; Lambda knows no such field.
		props["DestinationConfig"] = failure
		if target := failure.Field("OnFailure"); target.Kind() == estate.KindMap {
			props["DestinationConfig"] = failure.With("OnFailure", target.With("Type", nil))
		}
	}
	f.add(at, "AWS::Lambda::EventSourceMapping", id, props)

	if p.managed != "" {
		f.role.attachManaged(f.managed("service-role/" + p.managed).At(at.source))
	}
	if p.statements != nil {
		if name, version, statements := p.statements(f, event); len(statements) > 0 {
			if kind == "MQ" && truth(get(event, "DynamicPolicyName")) {
				name = id + "AMQPolicy"
			}
			f.role.attach(inlinePolicy(name, version, statements...).At(at.source))
		}
	}
	if target := failure.Field("OnFailure"); target != nil {
		f.role.attach(destinationPolicy(get(target, "Type").AsString(), id, target.Field("Destination")).At(target.Position()))
	}
}

// accessURI is the secret of one kind among SourceAccessConfigurations.
func accessURI(event *estate.Value, kinds ...string) *estate.Value {
	for _, c := range get(event, "SourceAccessConfigurations").Items() {
		for _, kind := range kinds {
			if is(c.Field("Type"), kind) && !empty(c.Field("URI")) {
				return c.Field("URI")
			}
		}
	}
	return nil
}

func readSecret(uri *estate.Value) *estate.Value {
	return allow(actions("secretsmanager:GetSecretValue"), uri)
}

var networkInterfaces = []string{
	"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface",
	"ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
}

// serviceARN is an ARN of this account and region; the resource may hold holes.
func (x *expander) serviceARN(service string, resource ...*estate.Value) *estate.Value {
	head := []*estate.Value{
		str("arn:"), x.named("AWS::Partition", nil), str(":" + service + ":"), x.named("AWS::Region", nil),
		str(":"), x.named("AWS::AccountId", nil), str(":"),
	}
	return text(append(head, resource...)...)
}

// decrypt lets the function use the key of the source's secret.
func (f *function) decrypt(event *estate.Value, action *estate.Value) []*estate.Value {
	key := get(event, "SecretsManagerKmsKeyId")
	if empty(key) {
		return nil
	}
	return []*estate.Value{allow(action, f.serviceARN("kms", str("key/"), key))}
}

func (f *function) brokerStatements(event *estate.Value) (name, version string, statements []*estate.Value) {
	statements = []*estate.Value{
		readSecret(f.secretOf(event, "BASIC_AUTH")),
		allow(actions("mq:DescribeBroker"), get(event, "Broker")),
	}
	return "SamAutoGeneratedAMQPolicy", "", append(statements, f.decrypt(event, str("kms:Decrypt"))...)
}

func (f *function) clusterStatements(event *estate.Value) (name, version string, statements []*estate.Value) {
	statements = []*estate.Value{
		readSecret(f.secretOf(event, "BASIC_AUTH")),
		allow(actions("rds:DescribeDBClusterParameters"), f.serviceARN("rds", str("cluster-pg:*"))),
		allow(actions("rds:DescribeDBSubnetGroups"), f.serviceARN("rds", str("subgrp:*"))),
		allow(actions("rds:DescribeDBClusters"), get(event, "Cluster")),
		allow(actions(networkInterfaces...), str("*")),
	}
	return "SamAutoGeneratedDocumentDBPolicy", "", append(statements, f.decrypt(event, actions("kms:Decrypt"))...)
}

// secretOf is the secret that an event has to name.
func (f *function) secretOf(event *estate.Value, kind string) *estate.Value {
	if uri := accessURI(event, kind); uri != nil {
		return uri
	}
	f.problem(event.Position(), "SourceAccessConfigurations needs one with the Type "+kind+" and a URI", "")
	return estate.Unknown("event without a secret", f.id+" "+kind)
}

func (f *function) kafkaStatements(event *estate.Value) (name, version string, statements []*estate.Value) {
	secret := accessURI(event, "SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH", "BASIC_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH")
	if secret != nil {
		statements = append(statements, readSecret(secret))
		if accessURI(event, "SERVER_ROOT_CA_CERTIFICATE") != nil {
			// AWS's transform states the first secret a second time here, not the
			// certificate's.
			statements = append(statements, readSecret(secret))
		}
	}
	if accessURI(event, "VPC_SUBNET") != nil && accessURI(event, "VPC_SECURITY_GROUP") != nil {
		statements = append(statements, allow(actions(networkInterfaces...), str("*")))
	}
	statements = append(statements, f.decrypt(event, actions("kms:Decrypt"))...)
	statements = append(statements, f.registryStatements(event)...)
	return "SelfManagedKafkaExecutionRolePolicy", awsPolicyVersion, statements
}

func (f *function) mskStatements(event *estate.Value) (name, version string, statements []*estate.Value) {
	statements = f.registryStatements(event)
	if certificate := accessURI(event, "CLIENT_CERTIFICATE_TLS_AUTH"); certificate != nil {
		statements = append(statements, readSecret(certificate))
	}
	return "MSKExecutionRolePolicy", "", statements
}

// registryStatements let the function read the schemas of a Glue registry and
// the secrets of any other.
func (f *function) registryStatements(event *estate.Value) []*estate.Value {
	registry := get(event, "SchemaRegistryConfig")
	var statements []*estate.Value
	for _, c := range get(registry, "AccessConfigs").Items() {
		if uri := c.Field("URI"); uri != nil {
			statements = append(statements, readSecret(uri))
		}
	}
	uri := get(registry, "SchemaRegistryURI")
	before, name, found := cutText(uri, ":registry/")
	// AWS cuts the registry's name out of the text of !Sub by its colons, those
	// of ${AWS::AccountId} included, and so finds none where the ARN has that.
	// It reads no other function.
	if !found || !strings.HasPrefix(leading(uri), "arn") || contains(before.Items(), f.in.AccountID) || f.written(uri) == "Fn::Join" {
		return statements
	}
	return append(statements,
		allow(actions("glue:GetRegistry"), uri),
		allow(actions("glue:GetSchemaVersion"), list(f.serviceARN("glue", str("schema/"), name, str("/*")))))
}

// leading is the literal text at the beginning of v.
func leading(v *estate.Value) string {
	if items := v.Items(); v.Kind() == estate.KindText && len(items) > 0 {
		return items[0].AsString()
	}
	return v.AsString()
}
