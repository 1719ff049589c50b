package cloudformation_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// generatedFloor is the share of resources of generated templates that must be
// equal.
const generatedFloor = 0.99

// TestSAMOracleGenerated asks AWS's translator about templates that nobody
// wrote, where it is installed.
func TestSAMOracleGenerated(t *testing.T) {
	if out, err := exec.Command("python3", "-c", "import samtranslator, boto3").CombinedOutput(); err != nil {
		t.Skipf("AWS's translator is not installed (pip install aws-sam-translator==1.110.0 boto3): %s", out)
	}
	folder := t.TempDir()
	sources := map[string]string{}
	random := rand.New(rand.NewPCG(1, 2)) // the same templates every time
	for i := range 40 {
		data, err := json.MarshalIndent(generated(random), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder, fmt.Sprintf("t%d.yaml", i))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		sources[strings.TrimSuffix(name, ".yaml")+".json"] = name
	}
	if out, err := exec.Command("python3", "sam/testdata/oracle/expand.py", folder).CombinedOutput(); err != nil {
		t.Fatalf("the translator refuses a template: %s", out)
	}
	compareAll(t, sources, generatedFloor)
}

type object = map[string]any

// generated is a SAM template with a few functions, each with some events,
// policies and settings.
func generated(r *rand.Rand) object {
	maybe := func(to object, name string, values ...any) {
		if i := r.IntN(len(values) + 1); i < len(values) {
			to[name] = values[i]
		}
	}
	resources := object{
		"Queue": object{"Type": "AWS::SQS::Queue"}, "Topic": object{"Type": "AWS::SNS::Topic"},
		"Table":  object{"Type": "AWS::Serverless::SimpleTable"},
		"Bucket": object{"Type": "AWS::S3::Bucket"},
		"Stream": object{"Type": "AWS::Kinesis::Stream", "Properties": object{"ShardCount": 1}},
	}
	att := func(resource string) object { return object{"Fn::GetAtt": []any{resource, "Arn"}} }
	for i := range 1 + r.IntN(3) {
		name := fmt.Sprintf("Fn%d", i)
		p := object{"Handler": "a.b", "Runtime": "python3.13", "CodeUri": "s3://bucket/key"}
		maybe(p, "MemorySize", 128, 512)
		maybe(p, "Tracing", "Active", "PassThrough")
		maybe(p, "Timeout", 10)
		maybe(p, "AutoPublishAlias", "live")
		maybe(p, "Environment", object{"Variables": object{"QUEUE": object{"Ref": "Queue"}}})
		maybe(p, "ReservedConcurrentExecutions", 5)
		maybe(p, "Tags", object{"a": "b"})
		maybe(p, "DeadLetterQueue", object{"Type": "SQS", "TargetArn": att("Queue")}, object{"Type": "SNS", "TargetArn": object{"Ref": "Topic"}})
		maybe(p, "Policies", "AmazonS3ReadOnlyAccess", []any{object{"SQSPollerPolicy": object{"QueueName": object{"Fn::GetAtt": []any{"Queue", "QueueName"}}}}, "AWSLambdaRole"},
			[]any{object{"Statement": []any{object{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}}})
		maybe(p, "FunctionUrlConfig", object{"AuthType": "AWS_IAM"}, object{"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"})
		maybe(p, "EventInvokeConfig", object{"MaximumRetryAttempts": 1, "DestinationConfig": object{"OnFailure": object{"Type": "SQS", "Destination": att("Queue")}}})
		maybe(p, "VpcConfig", object{"SecurityGroupIds": []any{"sg-1"}, "SubnetIds": []any{"subnet-1"}})
		maybe(p, "PermissionsBoundary", "arn:aws:iam::123456789012:policy/b")
		maybe(p, "KmsKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k")
		maybe(p, "Layers", []any{"arn:aws:lambda:us-east-1:123456789012:layer:l:1"})
		maybe(p, "EphemeralStorage", object{"Size": 1024})
		maybe(p, "SnapStart", object{"ApplyOn": "PublishedVersions"})
		maybe(p, "LoggingConfig", object{"LogFormat": "JSON"})
		events := object{}
		maybe(events, "Api", object{"Type": "Api", "Properties": object{"Path": "/a" + fmt.Sprint(i), "Method": "get"}}, object{"Type": "Api", "Properties": object{"Path": fmt.Sprintf("/b%d/{id}", i), "Method": "any"}})
		maybe(events, "Http", object{"Type": "HttpApi", "Properties": object{"Path": "/h" + fmt.Sprint(i), "Method": "post"}})
		if i == 0 {
			maybe(events, "Default", object{"Type": "HttpApi"}) // one function can take all that is left
		}
		maybe(events, "Queue", object{"Type": "SQS", "Properties": object{"Queue": att("Queue"), "BatchSize": 5}}, object{"Type": "SQS", "Properties": object{"Queue": att("Queue"), "FunctionResponseTypes": []any{"ReportBatchItemFailures"}}})
		maybe(events, "Topic", object{"Type": "SNS", "Properties": object{"Topic": object{"Ref": "Topic"}}})
		maybe(events, "Stream", object{"Type": "Kinesis", "Properties": object{"Stream": att("Stream"), "StartingPosition": "LATEST", "BisectBatchOnFunctionError": true}})
		maybe(events, "Timer", object{"Type": "Schedule", "Properties": object{"Schedule": "rate(1 day)"}}, object{"Type": "ScheduleV2", "Properties": object{"ScheduleExpression": "rate(1 hour)"}})
		maybe(events, "Rule", object{"Type": "EventBridgeRule", "Properties": object{"Pattern": object{"source": []any{"aws.ec2"}}}})
		maybe(events, "Bucket", object{"Type": "S3", "Properties": object{"Bucket": object{"Ref": "Bucket"}, "Events": "s3:ObjectCreated:*"}})
		if len(events) > 0 {
			p["Events"] = events
		}
		function := object{"Type": "AWS::Serverless::Function", "Properties": p}
		maybe(function, "Condition", "Always")
		if r.IntN(4) > 0 {
			delete(function, "Condition")
		}
		resources[name] = function
	}
	moreResources(r, maybe, resources)
	template := object{"Transform": "AWS::Serverless-2016-10-31", "Conditions": object{"Always": object{"Fn::Equals": []any{"a", "a"}}}, "Resources": resources}
	globals := object{}
	maybe(globals, "Function", object{"Timeout": 30, "Environment": object{"Variables": object{"STAGE": "x"}}, "Tags": object{"g": "h"}})
	maybe(globals, "Api", object{"TracingEnabled": true})
	if len(globals) > 0 {
		template["Globals"] = globals
	}
	return template
}

// moreResources adds APIs, a state machine, a layer and a table, and functions
// that they call.
func moreResources(r *rand.Rand, maybe func(object, string, ...any), resources object) {
	att := func(resource string) object { return object{"Fn::GetAtt": []any{resource, "Arn"}} }
	if r.IntN(2) == 0 {
		api := object{"StageName": "prod"}
		auth := object{}
		maybe(auth, "DefaultAuthorizer", "Pool", "AWS_IAM")
		maybe(auth, "ApiKeyRequired", true)
		maybe(auth, "AddDefaultAuthorizerToCorsPreflight", false)
		if auth["DefaultAuthorizer"] == "Pool" {
			auth["Authorizers"] = object{"Pool": object{"UserPoolArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/p"}}
		}
		if len(auth) > 0 {
			api["Auth"] = auth
		}
		maybe(api, "Cors", "'*'", object{"AllowOrigin": "'https://example.com'", "AllowHeaders": "'X'", "MaxAge": "'600'"})
		maybe(api, "EndpointConfiguration", "REGIONAL", object{"Type": "PRIVATE", "VPCEndpointIds": []any{"vpce-1"}})
		maybe(api, "TracingEnabled", true)
		maybe(api, "MethodSettings", []any{object{"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingBurstLimit": 5}})
		maybe(api, "AccessLogSetting", object{"DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:g", "Format": "$context.requestId"})
		maybe(api, "Variables", object{"a": "b"})
		maybe(api, "BinaryMediaTypes", []any{"image~1png"})
		maybe(api, "CacheClusterEnabled", true)
		maybe(api, "OpenApiVersion", "3.0.1", "2.0")
		maybe(api, "Tags", object{"t": "u"})
		resources["Rest"] = object{"Type": "AWS::Serverless::Api", "Properties": api}
		event := object{"RestApiId": object{"Ref": "Rest"}, "Path": "/r", "Method": "post"}
		if auth["DefaultAuthorizer"] != nil {
			maybe(event, "Auth", object{"Authorizer": "NONE"})
		}
		maybe(event, "RequestParameters", []any{"method.request.header.X"})
		resources["RestFn"] = object{"Type": "AWS::Serverless::Function", "Properties": object{
			"Handler": "a.b", "Runtime": "nodejs22.x", "CodeUri": "s3://bucket/key", "Events": object{"E": object{"Type": "Api", "Properties": event}},
		}}
	}
	if r.IntN(2) == 0 {
		api := object{}
		maybe(api, "StageName", "v1")
		maybe(api, "CorsConfiguration", true, object{"AllowOrigins": []any{"https://example.com"}, "AllowMethods": []any{"GET"}, "MaxAge": 5})
		maybe(api, "FailOnWarnings", true)
		maybe(api, "DefaultRouteSettings", object{"ThrottlingBurstLimit": 3})
		maybe(api, "Tags", object{"t": "u"})
		maybe(api, "DisableExecuteApiEndpoint", true)
		maybe(api, "Auth", object{"DefaultAuthorizer": "Jwt", "Authorizers": object{"Jwt": object{
			"AuthorizationScopes": []any{"s"}, "IdentitySource": "$request.header.Authorization",
			"JwtConfiguration": object{"issuer": "https://issuer.example.com", "audience": []any{"a"}}}}})
		resources["Http"] = object{"Type": "AWS::Serverless::HttpApi", "Properties": api}
		event := object{"ApiId": object{"Ref": "Http"}, "Path": "/h", "Method": "get"}
		maybe(event, "TimeoutInMillis", 5000)
		maybe(event, "PayloadFormatVersion", "1.0")
		resources["HttpFn"] = object{"Type": "AWS::Serverless::Function", "Properties": object{
			"Handler": "a.b", "Runtime": "nodejs22.x", "CodeUri": "s3://bucket/key", "Events": object{"E": object{"Type": "HttpApi", "Properties": event}},
		}}
	}
	if r.IntN(2) == 0 {
		machine := object{"DefinitionUri": "s3://bucket/definition.json"}
		maybe(machine, "Type", "EXPRESS")
		maybe(machine, "Tracing", object{"Enabled": true})
		maybe(machine, "Policies", []any{object{"LambdaInvokePolicy": object{"FunctionName": object{"Ref": "Fn0"}}}}, "AWSLambdaRole")
		maybe(machine, "Tags", object{"t": "u"})
		maybe(machine, "AutoPublishAlias", "live")
		events := object{}
		maybe(events, "Timer", object{"Type": "Schedule", "Properties": object{"Schedule": "rate(1 day)"}}, object{"Type": "ScheduleV2", "Properties": object{"ScheduleExpression": "rate(1 day)"}})
		maybe(events, "Rule", object{"Type": "EventBridgeRule", "Properties": object{"Pattern": object{"source": []any{"aws.s3"}}}})
		if len(events) > 0 {
			machine["Events"] = events
		}
		resources["Machine"] = object{"Type": "AWS::Serverless::StateMachine", "Properties": machine}
	}
	if r.IntN(2) == 0 {
		layer := object{"ContentUri": "s3://bucket/layer.zip"}
		maybe(layer, "LayerName", "l")
		maybe(layer, "CompatibleRuntimes", []any{"python3.13"})
		maybe(layer, "RetentionPolicy", "Retain", "Delete")
		resources["Layer"] = object{"Type": "AWS::Serverless::LayerVersion", "Properties": layer}
	}
	table := object{}
	maybe(table, "PrimaryKey", object{"Name": "id", "Type": "String"})
	maybe(table, "SSESpecification", object{"SSEEnabled": true})
	maybe(table, "ProvisionedThroughput", object{"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
	maybe(table, "TableName", "t")
	resources["Simple"] = object{"Type": "AWS::Serverless::SimpleTable", "Properties": table}
	poller := object{}
	maybe(poller, "Table", object{"Type": "DynamoDB", "Properties": object{"Stream": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/s", "StartingPosition": "TRIM_HORIZON", "FilterCriteria": object{"Filters": []any{object{"Pattern": "{}"}}}}})
	maybe(poller, "Kafka", object{"Type": "MSK", "Properties": object{"Stream": "arn:aws:kafka:us-east-1:123456789012:cluster/c/1", "Topics": []any{"t"}, "StartingPosition": "LATEST"}})
	maybe(poller, "Broker", object{"Type": "MQ", "Properties": object{"Broker": "arn:aws:mq:us-east-1:123456789012:broker:b:1", "Queues": []any{"q"}, "SourceAccessConfigurations": []any{object{"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}}}})
	maybe(poller, "Logs", object{"Type": "CloudWatchLogs", "Properties": object{"LogGroupName": "g", "FilterPattern": "p"}})
	maybe(poller, "Thing", object{"Type": "IoTRule", "Properties": object{"Sql": "SELECT * FROM 't'"}})
	maybe(poller, "Queue", object{"Type": "SNS", "Properties": object{"Topic": object{"Ref": "Topic"}, "SqsSubscription": true}})
	maybe(poller, "Pool", object{"Type": "Cognito", "Properties": object{"UserPool": object{"Ref": "Pool"}, "Trigger": "PreSignUp"}})
	resources["Pool"] = object{"Type": "AWS::Cognito::UserPool"}
	if len(poller) > 0 {
		fn := object{"Handler": "a.b", "Runtime": "java21", "CodeUri": "s3://bucket/key", "Events": poller}
		maybe(fn, "DeploymentPreference", object{"Type": "Linear10PercentEvery1Minute"})
		if fn["DeploymentPreference"] != nil {
			fn["AutoPublishAlias"] = "live"
		}
		maybe(fn, "Architectures", []any{"arm64"})
		maybe(fn, "ProvisionedConcurrencyConfig", object{"ProvisionedConcurrentExecutions": 1})
		if fn["ProvisionedConcurrencyConfig"] != nil {
			fn["AutoPublishAlias"] = "live"
		}
		maybe(fn, "DeadLetterQueue", object{"Type": "SQS", "TargetArn": att("Queue")})
		resources["Poller"] = object{"Type": "AWS::Serverless::Function", "Properties": fn}
	}
}
