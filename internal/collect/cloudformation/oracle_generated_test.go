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
	template := object{"Transform": "AWS::Serverless-2016-10-31", "Conditions": object{"Always": object{"Fn::Equals": []any{"a", "a"}}}, "Resources": resources}
	globals := object{}
	maybe(globals, "Function", object{"Timeout": 30, "Environment": object{"Variables": object{"STAGE": "x"}}, "Tags": object{"g": "h"}})
	maybe(globals, "Api", object{"TracingEnabled": true})
	if len(globals) > 0 {
		template["Globals"] = globals
	}
	return template
}
