package main

import "strings"

// service says which resource types of one service the table holds.
type service struct {
	name  string // AWS::<name>::…
	types string // the types, with spaces between; "*" is all of them
	why   string
}

// included are the types that bear on Lambda workloads: what functions are made
// of, what calls, feeds, follows, guards and watches them, and all that SAM's
// transform makes. A type that no check reads costs a line that is never
// decoded; one that is not here is read without a schema.
var included = []service{
	{"Lambda", "*", "the subject"},

	{"IAM", "*", "what a function may do, and who may change it"},
	{"Organizations", "*", "service and resource control policies above it"},
	{"AccessAnalyzer", "*", "finds unused and outside access"},
	{"KMS", "*", "keys of variables, code, logs and stores"},
	{"SecretsManager", "*", "secrets, and their rotation by functions"},
	{"SSM", "*", "parameters that functions read"},
	{"Cognito", "*", "users of the APIs; triggers call functions"},
	{"Signer", "*", "code signing"},
	{"CertificateManager", "*", "TLS of the domains in front"},
	{"ECR", "*", "image functions"},
	{"CodeDeploy", "*", "gradual deployment, made by SAM"},
	{"CodeBuild", "Project", "builds and deploys functions"},
	{"CloudFormation", "CustomResource LambdaHook Macro Stack", "call functions; nested stacks, made by SAM"},
	{"ApplicationAutoScaling", "ScalableTarget ScalingPolicy", "scales provisioned concurrency"},

	{"ApiGateway", "*", "REST APIs in front"},
	{"ApiGatewayV2", "*", "HTTP and WebSocket APIs in front"},
	{"AppSync", "*", "GraphQL APIs in front"},
	{"CloudFront", "*", "distributions in front, functions at the edge"},
	{"ElasticLoadBalancingV2", "*", "load balancers in front"},
	{"VpcLattice", "*", "service networks in front"},
	{"Route53", "RecordSet RecordSetGroup", "names of the domains, made by SAM"},
	{"WAFv2", "*", "firewalls of the APIs"},

	{"Events", "*", "rules, buses and API destinations"},
	{"Scheduler", "*", "schedules"},
	{"Pipes", "*", "pipes: sources, enrichment, targets"},
	{"StepFunctions", "*", "workflows"},
	{"SNS", "*", "topics: source and destination"},
	{"SQS", "*", "queues: source, destination and dead letters"},
	{"Kinesis", "*", "streams"},
	{"KinesisFirehose", "*", "delivery streams that transform by functions"},
	{"MSK", "*", "Kafka sources"},
	{"AmazonMQ", "*", "broker sources"},
	{"Glue", "Registry Schema SchemaVersion", "schemas of Kafka sources"},
	{"IoT", "Authorizer TopicRule TopicRuleDestination", "call functions"},
	{"SES", "ReceiptRule", "mail that calls functions"},
	{"Transfer", "Server Workflow", "identity and workflow steps by functions"},
	{"BedrockAgentCore", "Gateway GatewayTarget", "agents that call functions"},
	{"AppConfig", "ConfigurationProfile Extension", "validators and extensions by functions"},

	{"S3", "*", "buckets: code, source, destination, logs"},
	{"S3Files", "*", "file systems over buckets that functions mount"},
	{"EFS", "*", "file systems that functions mount"},
	{"DynamoDB", "*", "tables and their streams"},
	{"DocDB", "*", "change streams"},
	{"DSQL", "Cluster", "databases that functions use"},
	{"RDS", "*", "databases and proxies that functions use"},
	{"Athena", "WorkGroup", "query results that functions write"},
	{"Backup", "*", "backup of the stores"},

	{"EC2", "DHCPOptions EIP EgressOnlyInternetGateway FlowLog GatewayRouteTableAssociation InternetGateway NatGateway " +
		"NetworkAcl NetworkAclEntry PrefixList Route RouteTable SecurityGroup SecurityGroupEgress SecurityGroupIngress " +
		"SecurityGroupVpcAssociation Subnet SubnetCidrBlock SubnetNetworkAclAssociation SubnetRouteTableAssociation " +
		"TransitGateway TransitGatewayAttachment TransitGatewayRoute TransitGatewayRouteTable " +
		"TransitGatewayRouteTableAssociation TransitGatewayRouteTablePropagation TransitGatewayVpcAttachment " +
		"VPC VPCBlockPublicAccessExclusion VPCBlockPublicAccessOptions VPCCidrBlock VPCDHCPOptionsAssociation " +
		"VPCEncryptionControl VPCEndpoint VPCEndpointService VPCEndpointServicePermissions VPCGatewayAttachment " +
		"VPCPeeringConnection", "where a function's packets can go"},

	{"Logs", "*", "log groups, their retention, keys and subscriptions"},
	{"CloudWatch", "*", "alarms"},
	{"XRay", "*", "traces"},
	{"CloudTrail", "*", "audit of calls and changes"},
	{"Config", "*", "record of configuration"},
	{"GuardDuty", "*", "detection, with Lambda's network logs"},
	{"Inspector", "*", "scans, first generation"},
	{"InspectorV2", "*", "scans of functions and layers"},
	{"Macie", "Session", "detection of sensitive data"},
	{"SecurityHub", "*", "findings and standards"},
}

// awaited are types that AWS documents and that no published version of the
// package has yet. The service that they belong to is included whole, so that
// they enter the table when a version brings them.
var awaited = []string{
	"AWS::Lambda::Runtime",
	"AWS::Lambda::RuntimeAlias",
	"AWS::Lambda::RuntimeVersion",
	"AWS::Lambda::WebFunction",
	"AWS::Lambda::WebFunctionEndpoint",
	"AWS::Lambda::WebFunctionRevision",
}

// takes reports whether the table holds a type for this service's sake.
func (s service) takes(typeName string) bool {
	short, ok := strings.CutPrefix(typeName, "AWS::"+s.name+"::")
	if !ok {
		return false
	}
	for pick := range strings.FieldsSeq(s.types) {
		if pick == "*" || pick == short {
			return true
		}
	}
	return false
}
