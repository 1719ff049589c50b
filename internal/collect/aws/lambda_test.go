package aws

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	rgttypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/google/go-cmp/cmp"

	"assay/internal/estate"
)

func functionARN(name string) string {
	return "arn:aws:lambda:" + testRegion + ":" + testAccount + ":function:" + name
}

// function is a function as a list has it, with nothing special.
func function(name string) types.FunctionConfiguration {
	return types.FunctionConfiguration{
		FunctionName: aws.String(name), FunctionArn: aws.String(functionARN(name)), Version: aws.String("$LATEST"), Runtime: types.RuntimePython313, Handler: aws.String("app.handler"),
		Role: aws.String("arn:aws:iam::" + testAccount + ":role/run"), Timeout: aws.Int32(3), MemorySize: aws.Int32(128), PackageType: types.PackageTypeZip,
	}
}

// lambdas are what Lambda has in one region. What is not set is not there.
type lambdas struct {
	functions   []types.FunctionConfiguration // and versions
	policies    map[string]string             // by ARN, with the qualifier
	urls        []types.FunctionUrlConfig
	invoke      []types.FunctionEventInvokeConfig
	aliases     map[string][]types.AliasConfiguration // by function
	provisioned map[string][]types.ProvisionedConcurrencyConfigListItem
	reserved    map[string]int32
	signing     map[string][]string // functions by configuration
	mappings    []types.EventSourceMappingConfiguration
	layers      map[string][]types.LayerVersionsListItem
	layerPolicy map[string]string // by name:version
	providers   []types.CapacityProvider
	tags        map[string]map[string]string // by ARN
	unlisted    int64                        // functions that the account counts and the list lacks
	size        int                          // of pages; 0: two
}

func (r *lambdas) serve(f *fake) *fake {
	size := orElse(r.size, 2)
	missing := func(what string) error {
		return &types.ResourceNotFoundException{Message: aws.String("no such " + what)}
	}
	index := map[string]types.FunctionConfiguration{}
	latest := 0
	for _, c := range r.functions {
		if aws.ToString(c.Version) == "$LATEST" {
			index[*c.FunctionName] = c
			latest++
		}
	}
	known := func(name *string) error {
		if _, ok := index[aws.ToString(name)]; !ok {
			return missing("function")
		}
		return nil
	}
	// of are the items of one function, by the ARN in them.
	on(f, func(in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
		out := &lambda.ListFunctionsOutput{}
		out.Functions, out.NextMarker = page(r.functions, in.Marker, size)
		return out, nil
	})
	on(f, func(in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
		c := index[*in.FunctionName]
		return &lambda.GetFunctionConfigurationOutput{
			FunctionName: c.FunctionName, FunctionArn: c.FunctionArn, State: types.StateActive, LastUpdateStatus: types.LastUpdateStatusSuccessful, CodeSha256: c.CodeSha256,
			RuntimeVersionConfig: &types.RuntimeVersionConfig{RuntimeVersionArn: aws.String("arn:aws:lambda:eu-central-1::runtime:abc")},
		}, known(in.FunctionName)
	})
	on(f, func(in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
		on := *in.FunctionName
		if in.Qualifier != nil {
			on += ":" + *in.Qualifier
		}
		text, ok := r.policies[on]
		if !ok {
			return nil, missing("policy")
		}
		return &lambda.GetPolicyOutput{Policy: aws.String(text)}, nil
	})
	on(f, func(in *lambda.ListFunctionUrlConfigsInput) (*lambda.ListFunctionUrlConfigsOutput, error) {
		out := &lambda.ListFunctionUrlConfigsOutput{}
		out.FunctionUrlConfigs, out.NextMarker = page(ofFunction(r.urls, *in.FunctionName, func(u types.FunctionUrlConfig) *string { return u.FunctionArn }), in.Marker, size)
		return out, nil
	})
	on(f, func(in *lambda.ListFunctionEventInvokeConfigsInput) (*lambda.ListFunctionEventInvokeConfigsOutput, error) {
		out := &lambda.ListFunctionEventInvokeConfigsOutput{}
		out.FunctionEventInvokeConfigs, out.NextMarker = page(ofFunction(r.invoke, *in.FunctionName, func(c types.FunctionEventInvokeConfig) *string { return c.FunctionArn }), in.Marker, size)
		return out, nil
	})
	on(f, func(in *lambda.ListAliasesInput) (*lambda.ListAliasesOutput, error) {
		out := &lambda.ListAliasesOutput{}
		out.Aliases, out.NextMarker = page(r.aliases[*in.FunctionName], in.Marker, size)
		return out, nil
	})
	on(f, func(in *lambda.ListProvisionedConcurrencyConfigsInput) (*lambda.ListProvisionedConcurrencyConfigsOutput, error) {
		out := &lambda.ListProvisionedConcurrencyConfigsOutput{}
		out.ProvisionedConcurrencyConfigs, out.NextMarker = page(r.provisioned[*in.FunctionName], in.Marker, size)
		return out, nil
	})
	on(f, func(in *lambda.GetFunctionConcurrencyInput) (*lambda.GetFunctionConcurrencyOutput, error) {
		out := &lambda.GetFunctionConcurrencyOutput{}
		if n, ok := r.reserved[*in.FunctionName]; ok {
			out.ReservedConcurrentExecutions = aws.Int32(n)
		}
		return out, known(in.FunctionName)
	})
	on(f, func(in *lambda.GetFunctionRecursionConfigInput) (*lambda.GetFunctionRecursionConfigOutput, error) {
		return &lambda.GetFunctionRecursionConfigOutput{RecursiveLoop: types.RecursiveLoopTerminate}, known(in.FunctionName)
	})
	on(f, func(in *lambda.GetRuntimeManagementConfigInput) (*lambda.GetRuntimeManagementConfigOutput, error) {
		return &lambda.GetRuntimeManagementConfigOutput{UpdateRuntimeOn: types.UpdateRuntimeOnAuto}, known(in.FunctionName)
	})
	on(f, func(in *lambda.GetFunctionScalingConfigInput) (*lambda.GetFunctionScalingConfigOutput, error) {
		return &lambda.GetFunctionScalingConfigOutput{AppliedFunctionScalingConfig: &types.FunctionScalingConfig{MinExecutionEnvironments: aws.Int32(1), MaxExecutionEnvironments: aws.Int32(9)}}, known(in.FunctionName)
	})
	on(f, func(*lambda.GetAccountSettingsInput) (*lambda.GetAccountSettingsOutput, error) {
		reserved := int32(0)
		for _, n := range r.reserved {
			reserved += n
		}
		return &lambda.GetAccountSettingsOutput{
			AccountLimit: &types.AccountLimit{ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: aws.Int32(1000 - reserved)},
			AccountUsage: &types.AccountUsage{FunctionCount: int64(latest) + r.unlisted},
		}, nil
	})
	on(f, func(in *lambda.ListCodeSigningConfigsInput) (*lambda.ListCodeSigningConfigsOutput, error) {
		out := &lambda.ListCodeSigningConfigsOutput{}
		var names []string
		names, out.NextMarker = page(keys(r.signing), in.Marker, size)
		for _, name := range names {
			out.CodeSigningConfigs = append(out.CodeSigningConfigs, types.CodeSigningConfig{
				CodeSigningConfigArn: aws.String("arn:aws:lambda:" + testRegion + ":" + testAccount + ":code-signing-config:" + name), CodeSigningConfigId: aws.String(name), LastModified: aws.String("2026-01-01T00:00:00Z"),
				AllowedPublishers: &types.AllowedPublishers{SigningProfileVersionArns: []string{"arn:aws:signer:" + testRegion + ":" + testAccount + ":/signing-profiles/p/v"}}, CodeSigningPolicies: &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: "Enforce"},
			})
		}
		return out, nil
	})
	on(f, func(in *lambda.ListFunctionsByCodeSigningConfigInput) (*lambda.ListFunctionsByCodeSigningConfigOutput, error) {
		out := &lambda.ListFunctionsByCodeSigningConfigOutput{}
		out.FunctionArns, out.NextMarker = page(r.signing[last(*in.CodeSigningConfigArn)], in.Marker, size)
		return out, nil
	})
	on(f, func(in *lambda.ListEventSourceMappingsInput) (*lambda.ListEventSourceMappingsOutput, error) {
		out := &lambda.ListEventSourceMappingsOutput{}
		out.EventSourceMappings, out.NextMarker = page(r.mappings, in.Marker, size)
		return out, nil
	})
	on(f, func(in *lambda.ListLayersInput) (*lambda.ListLayersOutput, error) {
		out := &lambda.ListLayersOutput{}
		var names []string
		names, out.NextMarker = page(keys(r.layers), in.Marker, size)
		for _, name := range names {
			out.Layers = append(out.Layers, types.LayersListItem{LayerName: aws.String(name)})
		}
		return out, nil
	})
	on(f, func(in *lambda.ListLayerVersionsInput) (*lambda.ListLayerVersionsOutput, error) {
		out := &lambda.ListLayerVersionsOutput{}
		out.LayerVersions, out.NextMarker = page(r.layers[*in.LayerName], in.Marker, size)
		return out, nil
	})
	on(f, func(in *lambda.GetLayerVersionPolicyInput) (*lambda.GetLayerVersionPolicyOutput, error) {
		text, ok := r.layerPolicy[fmt.Sprintf("%s:%d", *in.LayerName, *in.VersionNumber)]
		if !ok {
			return nil, missing("policy")
		}
		return &lambda.GetLayerVersionPolicyOutput{Policy: aws.String(text)}, nil
	})
	on(f, func(in *lambda.ListCapacityProvidersInput) (*lambda.ListCapacityProvidersOutput, error) {
		out := &lambda.ListCapacityProvidersOutput{}
		out.CapacityProviders, out.NextMarker = page(r.providers, in.Marker, size)
		return out, nil
	})
	serveTagsOf(f, r.tags, r.size)
	return f
}

// serveTagsOf answers the tagging API from tags by ARN.
func serveTagsOf(f *fake, all map[string]map[string]string, size int) {
	on(f, func(in *resourcegroupstaggingapi.GetResourcesInput) (*resourcegroupstaggingapi.GetResourcesOutput, error) {
		out := &resourcegroupstaggingapi.GetResourcesOutput{}
		kind := strings.SplitN(in.ResourceTypeFilters[0], ":", 2)
		var of []string
		for _, arn := range keys(all) {
			if parts := strings.SplitN(arn, ":", 6); parts[2] == kind[0] && (len(kind) < 2 || strings.HasPrefix(parts[5], kind[1])) {
				of = append(of, arn)
			}
		}
		token := in.PaginationToken
		if aws.ToString(token) == "" {
			token = nil
		}
		var arns []string
		arns, out.PaginationToken = page(of, token, orElse(size, 2))
		for _, arn := range arns {
			m := rgttypes.ResourceTagMapping{ResourceARN: aws.String(arn)}
			for _, key := range keys(all[arn]) {
				m.Tags = append(m.Tags, rgttypes.Tag{Key: aws.String(key), Value: aws.String(all[arn][key])})
			}
			out.ResourceTagMappingList = append(out.ResourceTagMappingList, m)
		}
		return out, nil
	})
}

// ofFunction are the items whose ARN is that of a function or a qualifier of it.
func ofFunction[T any](all []T, name string, arn func(T) *string) []T {
	return slices.DeleteFunc(slices.Clone(all), func(item T) bool {
		on := aws.ToString(arn(item))
		return on != functionARN(name) && !strings.HasPrefix(on, functionARN(name)+":")
	})
}

func keys[T any](m map[string]T) []string {
	all := make([]string, 0, len(m))
	for key := range m {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

func permission(sid, on, rest string) string {
	return fmt.Sprintf(`{"Sid":%q,"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":%q,%s}`, sid, on, rest)
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(statements, ",") + `]}`
}

// busy is a region in which every kind of thing occurs.
func busy() *lambdas {
	one := function("one")
	one.Environment = &types.EnvironmentResponse{Variables: map[string]string{"STAGE": "prod", "TABLE_ARN": "arn:aws:dynamodb:eu-central-1:111122223333:table/t", "LOG_LEVEL": "INFO"}}
	one.VpcConfig = &types.VpcConfigResponse{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}, VpcId: aws.String("vpc-1"), Ipv6AllowedForDualStack: aws.Bool(false)}
	one.Layers = []types.Layer{{Arn: aws.String("arn:aws:lambda:eu-central-1:111122223333:layer:base:1"), CodeSize: 10}}
	one.TracingConfig = &types.TracingConfigResponse{Mode: types.TracingModeActive}
	one.KMSKeyArn = aws.String("arn:aws:kms:eu-central-1:111122223333:key/k")
	one.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:eu-central-1:111122223333:dead")}
	one.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, LogGroup: aws.String("/aws/lambda/one"), ApplicationLogLevel: "INFO", SystemLogLevel: "WARN"}
	one.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(512)}
	one.SnapStart = &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: "Off"}
	first := one
	first.Version, first.FunctionArn = aws.String("1"), aws.String(functionARN("one:1"))
	two := function("two")
	two.PackageType, two.Runtime, two.Handler = types.PackageTypeImage, "", nil
	two.ImageConfigResponse = &types.ImageConfigResponse{ImageConfig: &types.ImageConfig{Command: []string{"a", "b"}, WorkingDirectory: aws.String("/x")}}
	three := function("three")
	three.CapacityProviderConfig = &types.CapacityProviderConfig{LambdaManagedInstancesCapacityProviderConfig: &types.LambdaManagedInstancesCapacityProviderConfig{CapacityProviderArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:capacity-provider:cp")}}
	arn, prod := functionARN("one"), functionARN("one:prod")
	return &lambdas{
		functions: []types.FunctionConfiguration{one, first, two, three},
		policies: map[string]string{
			arn: policyOf(
				permission("s3", arn, `"Principal":{"Service":"s3.amazonaws.com"},"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::in"},"StringEquals":{"AWS:SourceAccount":"111122223333"}}`),
				permission("all", arn, `"Principal":{"AWS":"*"},"Condition":{"Bool":{"aws:SecureTransport":"true"}}`),
			),
			prod: policyOf(permission("public", prod, `"Principal":"*"`)),
		},
		urls:   []types.FunctionUrlConfig{{FunctionArn: aws.String(prod), FunctionUrl: aws.String("https://u.lambda-url.eu-central-1.on.aws/"), AuthType: types.FunctionUrlAuthTypeNone, InvokeMode: "BUFFERED", Cors: &types.Cors{AllowOrigins: []string{"*"}}, CreationTime: aws.String("x"), LastModifiedTime: aws.String("x")}},
		invoke: []types.FunctionEventInvokeConfig{{FunctionArn: aws.String(arn + ":$LATEST"), MaximumRetryAttempts: aws.Int32(0), DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:eu-central-1:111122223333:dead")}}}},
		aliases: map[string][]types.AliasConfiguration{"one": {{
			AliasArn: aws.String(prod), Name: aws.String("prod"), FunctionVersion: aws.String("1"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}},
		}}},
		provisioned: map[string][]types.ProvisionedConcurrencyConfigListItem{"one": {{FunctionArn: aws.String(prod), RequestedProvisionedConcurrentExecutions: aws.Int32(5)}}},
		reserved:    map[string]int32{"one": 10},
		signing:     map[string][]string{"csc-1": {functionARN("three"), arn}, "csc-2": nil, "csc-3": {functionARN("two")}},
		mappings: []types.EventSourceMappingConfiguration{{
			UUID: aws.String("m1"), EventSourceMappingArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:event-source-mapping:m1"), FunctionArn: aws.String(arn), EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:111122223333:in"), State: aws.String("Enabled"),
			BatchSize: aws.Int32(10), LastModified: aws.Time(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"a":["b"]}`)}}},
		}},
		layers:      map[string][]types.LayerVersionsListItem{"base": {{LayerVersionArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:layer:base:1"), Version: 1, CompatibleRuntimes: []types.Runtime{"python3.13"}}}},
		layerPolicy: map[string]string{"base:1": `{"Version":"2012-10-17","Statement":[{"Sid":"o","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"arn:aws:lambda:eu-central-1:111122223333:layer:base:1"}]}`},
		providers:   []types.CapacityProvider{{CapacityProviderArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:capacity-provider:cp"), State: "Active", PermissionsConfig: &types.CapacityProviderPermissionsConfig{CapacityProviderOperatorRoleArn: aws.String("arn:aws:iam::111122223333:role/op")}, VpcConfig: &types.CapacityProviderVpcConfig{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}}},
		tags:        map[string]map[string]string{arn: {"team": "a", "env": "prod"}, functionARN("two"): {"team": "b"}, functionARN("three"): {"team": "c"}},
	}
}

// lambdaTypes are what the reads of Lambda fill.
func lambdaTypes() []string {
	var all []string
	for _, r := range lambdaService().reads {
		all = append(all, r.types...)
	}
	return all
}

func collectLambda(f *fake, with ...func(*Options)) []*estate.Builder {
	return f.open(append([]func(*Options){only(lambdaTypes()...)}, with...)...).Collect(context.Background())
}

func TestLambdaWhole(t *testing.T) {
	golden(t, "lambda", show(t, collectLambda(busy().serve(newFake(t)))))
}

func TestFunctionsPages(t *testing.T) {
	var r lambdas
	var want []string
	for i := range 5 {
		r.functions = append(r.functions, function(fmt.Sprintf("f%d", i)))
		want = append(want, functionARN(fmt.Sprintf("f%d", i)))
	}
	got := collectLambda(r.serve(newFake(t)))
	var ids []string
	for _, res := range got[1].Resources() {
		if res.Type == "AWS::Lambda::Function" {
			ids = append(ids, res.ID)
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	c := coverage(t, got, "AWS::Lambda::Function")
	if c.State != estate.CoverageComplete || c.Items != 5 || c.Pages < 3 {
		t.Errorf("coverage %+v", c)
	}
}

func TestLambdaEmpty(t *testing.T) {
	sameText(t, show(t, collectLambda(new(lambdas).serve(newFake(t)))), `
# 111122223333/eu-central-1
Assay::Lambda::AccountSettings Assay::Lambda::AccountSettings/111122223333
    AccountLimit: {"CodeSizeUnzipped":0,"CodeSizeZipped":0,"ConcurrentExecutions":1000,"TotalCodeSize":0,"UnreservedConcurrentExecutions":1000}
    AccountUsage: {"FunctionCount":0,"TotalCodeSize":0}
`)
}

func TestLambdaDenied(t *testing.T) {
	eachDenied(t, "lambda", func(f *fake) { busy().serve(f) }, only(lambdaTypes()...))
}

// TestCallFaults lets one call go wrong in every way.
func TestCallFaults(t *testing.T) {
	const call = "lambda:GetRuntimeManagementConfig"
	well := `{"UpdateRuntimeOn":"Auto"}`
	unknown := func(reason string) string {
		return `{"$unknown":{"reason":"` + reason + `","input":"` + call + ` on ` + functionARN("f") + `","derived":true,"maybe":true}}`
	}
	for name, test := range map[string]struct {
		rule *fault
		want string
	}{
		"throttled twice":      {throttledFor(call, 2), well},
		"throttled for good":   {throttledFor(call, 0), unknown("throttled for as long as it was tried")},
		"fails twice":          {broken(call, 2), well},
		"fails":                {broken(call, 0), unknown("AWS failed to answer (InternalFailure)")},
		"cut once":             {&fault{operation: call, cut: true, times: 1}, well},
		"cut":                  {&fault{operation: call, cut: true}, unknown("the answer could not be read")},
		"corrupt":              {&fault{operation: call, corrupt: true}, unknown("the answer could not be read")},
		"dropped once":         {&fault{operation: call, drop: true, times: 1}, well},
		"dropped":              {&fault{operation: call, drop: true}, unknown("no answer: EOF")},
		"slow once":            {&fault{operation: call, delay: time.Second, times: 1}, well},
		"slow":                 {&fault{operation: call, delay: time.Second}, unknown("no answer in time")},
		"extended":             {&fault{operation: call, extend: true}, well},
		"not switched on":      {&fault{operation: call, code: "UnrecognizedClientException", status: 403}, unknown("the region or service is not switched on for the account (UnrecognizedClientException)")},
		"expired":              {&fault{operation: call, code: "ExpiredTokenException", status: 403}, unknown("the credentials expired")},
		"refused":              {&fault{operation: call, code: "InvalidParameterValueException", status: 400}, unknown("refused (InvalidParameterValueException)")},
		"denied":               {denied(call), `{"$denied":{"reason":"not allowed","input":"` + call + ` on ` + functionARN("f") + `"}}`},
		"denied by the others": {deniedBySCP(call), `{"$denied":{"reason":"not allowed by a service control policy of the organisation","input":"` + call + ` on ` + functionARN("f") + `"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			f := (&lambdas{functions: []types.FunctionConfiguration{function("f")}}).serve(newFake(t))
			f.client.Timeout = 200 * time.Millisecond
			f.fault(test.rule)
			got := collectLambda(f)
			if diff := cmp.Diff(test.want, jsonOf(resource(t, got, "AWS::Lambda::Function", "f").Properties.Field("RuntimeManagementConfig"))); diff != "" {
				t.Error(diff)
			}
			if problems := got[1].Build(testModel(t)).Problems(); (test.want == well) != (len(problems) == 0) {
				t.Errorf("problems: %v", problems)
			}
		})
	}
}

// TestTagsDenied: the gap stands where the tags would have been answered.
func TestTagsDenied(t *testing.T) {
	f := (&lambdas{functions: []types.FunctionConfiguration{function("f")}}).serve(newFake(t)).fault(denied(tagging))
	v := resource(t, collectLambda(f), "AWS::Lambda::Function", "f").Properties.Field("Tags")
	if want := "aws://" + testAccount + "/" + testRegion + "/" + tagging; v.Kind() != estate.KindDenied || v.Position().File != want {
		t.Errorf("%s at %s, expected at %s", jsonOf(v), v.Position(), want)
	}
}

// TestListFaults lets the second page of a list go wrong: what came before it is
// kept, and the coverage tells.
func TestListFaults(t *testing.T) {
	for name, test := range map[string]struct {
		rule  *fault
		state estate.CoverageState
		why   string
	}{
		"denied":    {denied("lambda:ListFunctions"), estate.CoverageDenied, "lambda:ListFunctions: not allowed; grant lambda:ListFunctions"},
		"throttled": {throttledFor("lambda:ListFunctions", 0), estate.CoveragePartial, "lambda:ListFunctions: throttled for as long as it was tried; lower --rate, or run it when less else asks this account"},
		"cut":       {&fault{operation: "lambda:ListFunctions", cut: true}, estate.CoveragePartial, "lambda:ListFunctions: the answer could not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			f := (&lambdas{functions: []types.FunctionConfiguration{function("a"), function("b"), function("c")}}).serve(newFake(t))
			test.rule.skip = 1
			f.fault(test.rule)
			got := collectLambda(f)
			resource(t, got, "AWS::Lambda::Function", "a")
			c := coverage(t, got, "AWS::Lambda::Function")
			if diff := cmp.Diff(estate.Coverage{Type: "AWS::Lambda::Function", State: test.state, Reason: test.why, Items: 2}, estate.Coverage{Type: c.Type, State: c.State, Reason: c.Reason, Items: c.Items}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUnknownValues: what AWS adds tomorrow is kept as it is written.
func TestUnknownValues(t *testing.T) {
	fn := function("f")
	fn.Runtime, fn.Architectures = "python9.99", []types.Architecture{"quantum"}
	fn.TracingConfig = &types.TracingConfigResponse{Mode: "Sideways"}
	f := (&lambdas{functions: []types.FunctionConfiguration{fn}}).serve(newFake(t)).fault(&fault{extend: true})
	p := resource(t, collectLambda(f), "AWS::Lambda::Function", "f").Properties
	got := []string{p.Field("Runtime").AsString(), jsonOf(p.Field("Architectures")), p.Path("TracingConfig.Mode").AsString()}
	if diff := cmp.Diff([]string{"python9.99", `["quantum"]`, "Sideways"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestDeleted: what is deleted between the list and a question about it is not
// there, whichever the question.
func TestDeleted(t *testing.T) {
	for _, call := range []string{"lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency", "lambda:GetFunctionRecursionConfig", "lambda:GetRuntimeManagementConfig"} {
		f := (&lambdas{functions: []types.FunctionConfiguration{function("a"), function("b")}, reserved: map[string]int32{"b": 1}}).serve(newFake(t))
		f.fault(&fault{operation: call, status: 404, code: notFound, when: asks("a")})
		got := collectLambda(f)
		text := show(t, got)
		if strings.Contains(text, functionARN("a")) || !strings.Contains(text, functionARN("b")) || strings.Contains(text, "problem") {
			t.Errorf("%s:\n%s", call, text)
		}
	}
	// After the function itself was read, what belonged to it has just no more.
	f := busy().serve(newFake(t))
	for _, call := range []string{"lambda:GetPolicy", "lambda:ListFunctionUrlConfigs", "lambda:ListFunctionEventInvokeConfigs", "lambda:ListAliases", "lambda:ListProvisionedConcurrencyConfigs", "lambda:ListLayerVersions", "lambda:ListFunctionsByCodeSigningConfig"} {
		f.fault(&fault{operation: call, status: 404, code: notFound})
	}
	if text := show(t, collectLambda(f)); strings.Contains(text, "problem") || strings.Contains(text, notFound) {
		t.Error(text)
	}
}

func TestControlTotal(t *testing.T) {
	got := collectLambda((&lambdas{functions: []types.FunctionConfiguration{function("a")}, unlisted: 2}).serve(newFake(t)))
	c := coverage(t, got, "AWS::Lambda::Function")
	if c.State != estate.CoveragePartial || c.Reason != "lambda:ListFunctions: 1 function listed, and 3 functions by the account's own count" {
		t.Errorf("%+v", c)
	}
}

// TestReserved: where nothing of the account's limit is reserved, no function is
// asked.
func TestReserved(t *testing.T) {
	for _, reserved := range []map[string]int32{nil, {"a": 0}, {"a": 7}} {
		f := (&lambdas{functions: []types.FunctionConfiguration{function("a"), function("b")}, reserved: reserved}).serve(newFake(t))
		got := collectLambda(f)
		asked := slices.Contains(f.sent, "lambda:GetFunctionConcurrency")
		if want := reserved["a"] > 0; asked != want {
			t.Errorf("%v: asked %v", reserved, asked)
		}
		if n := resource(t, got, "AWS::Lambda::Function", "a").Properties.Field("ReservedConcurrentExecutions"); n.AsInt() != int64(reserved["a"]) {
			t.Errorf("%v: %s", reserved, jsonOf(n))
		}
	}
}

// TestPermissions tells the statements that a permission can say from others.
func TestPermissions(t *testing.T) {
	on := functionARN("f")
	for statement, want := range map[string]string{
		permission("a", on, `"Principal":{"Service":"s3.amazonaws.com"}`):                                                                     `{"Action":"lambda:InvokeFunction","Principal":"s3.amazonaws.com"}`,
		permission("a", on, `"Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`): `{"Action":"lambda:InvokeFunction","Principal":"arn:aws:iam::222222222222:root","PrincipalOrgID":"o-1"}`,
		permission("a", on, `"Principal":"*","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}`):                             `{"Action":"lambda:InvokeFunction","FunctionUrlAuthType":"NONE","Principal":"*"}`,
		permission("a", on, `"Principal":"*","Condition":{"ArnLike":{"AWS:SourceArn":["a","b"]}}`):                                            "",
		permission("a", on, `"Principal":"*","Condition":{"ArnLike":{"AWS:SourceArn":"a"},"StringLike":{"AWS:SourceArn":"b"}}`):               "",
		permission("a", on, `"Principal":"*","Condition":{"StringLike":{"AWS:SourceArn":"arn:*"}}`):                                           "",
		permission("a", on, `"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`):                                        "",
		permission("a", on, `"Principal":{"Federated":"x"}`):                                                                                  "",
		permission("a", on, `"Principal":{"AWS":["x","y"]}`):                                                                                  "",
		permission("a", on, `"Principal":{"AWS":"x","Service":"y"}`):                                                                          "",
		permission("a", on+":*", `"Principal":"*"`):                                                                                           "",
		permission("", on, `"Principal":"*"`):                                                                                                 "",
		strings.Replace(permission("a", on, `"Principal":"*"`), `"Allow"`, `"Deny"`, 1):                                                       "",
		strings.Replace(permission("a", on, `"Principal":"*"`), `"Principal"`, `"NotPrincipal"`, 1):                                           "",
		strings.Replace(permission("a", on, `"Principal":"*"`), `"lambda:InvokeFunction"`, `["lambda:InvokeFunction"]`, 1):                    "",
	} {
		f := (&lambdas{functions: []types.FunctionConfiguration{function("f")}, policies: map[string]string{on: policyOf(statement)}}).serve(newFake(t))
		got := ""
		policy := false
		for _, r := range collectLambda(f)[1].Resources() {
			switch r.Type {
			case "AWS::Lambda::Permission":
				got = jsonOf(r.Properties.With("FunctionName", nil))
			case "AWS::Lambda::ResourcePolicy":
				policy = true
			}
		}
		got = strings.Replace(got, `,"FunctionName":null`, "", 1)
		if got != want || policy != (want == "") {
			t.Errorf("%s:\n got %s, policy %v\nwant %s", statement, got, policy, want)
		}
	}
	// Two statements with one id, or none, are both kept.
	twice := policyOf(permission("a", on, `"Principal":"*"`), permission("a", on, `"Principal":{"AWS":"222222222222"}`), permission("", on, `"Principal":"*"`), permission("", on, `"Principal":{"AWS":"333333333333"}`))
	f := (&lambdas{functions: []types.FunctionConfiguration{function("f")}, policies: map[string]string{on: twice}}).serve(newFake(t))
	got := collectLambda(f)
	if n := len(resource(t, got, "AWS::Lambda::ResourcePolicy", on+"/policy").Properties.Path("PolicyDocument.Statement").Items()); n != 3 {
		t.Errorf("%d statements are left beside the permission", n)
	}
	// A policy that is no document is not an absent one.
	f = (&lambdas{functions: []types.FunctionConfiguration{function("f")}, policies: map[string]string{on: ""}}).serve(newFake(t))
	if r := resource(t, collectLambda(f), "AWS::Lambda::ResourcePolicy", "unread AWS::Lambda::ResourcePolicy of "+on); !strings.Contains(jsonOf(r.Exists), reasonUnreadable) {
		t.Errorf("an unreadable policy: %s", jsonOf(r.Exists))
	}
}

// TestWithheld: what AWS says it could not decrypt is unknown, and not absent.
func TestWithheld(t *testing.T) {
	fn := function("f")
	fn.Environment = &types.EnvironmentResponse{Error: &types.EnvironmentError{ErrorCode: aws.String("AccessDeniedException"), Message: aws.String("no key")}}
	fn.ImageConfigResponse = &types.ImageConfigResponse{Error: &types.ImageConfigError{ErrorCode: aws.String("X")}}
	r := lambdas{functions: []types.FunctionConfiguration{fn}, mappings: []types.EventSourceMappingConfiguration{{
		SelfManagedEventSource: &types.SelfManagedEventSource{Endpoints: map[string][]string{"KAFKA_BOOTSTRAP_SERVERS": {"a:9092", "b:9092"}}},
		UUID:                   aws.String("m"), FunctionArn: fn.FunctionArn, FilterCriteriaError: &types.FilterCriteriaError{ErrorCode: aws.String("KMSAccessDeniedException"), Message: aws.String("no")},
	}}}
	got := collectLambda(r.serve(newFake(t)))
	p := resource(t, got, "AWS::Lambda::Function", "f").Properties
	if servers := resource(t, got, "AWS::Lambda::EventSourceMapping", "mapping m").Properties.Path("SelfManagedEventSource.Endpoints.KafkaBootstrapServers"); jsonOf(servers) != `["a:9092","b:9092"]` {
		t.Errorf("%s", jsonOf(servers))
	}
	for _, v := range []*estate.Value{p.Field("Environment"), p.Field("ImageConfig"), resource(t, got, "AWS::Lambda::EventSourceMapping", "mapping m").Properties.Field("FilterCriteria")} {
		if v.Kind() != estate.KindUnknown || !strings.HasPrefix(v.Gap().Reason, "AWS could not give it (") {
			t.Errorf("%s", jsonOf(v))
		}
	}
}

// TestCanaries: nothing that a variable holds is written, but what the collector
// says it keeps.
func TestCanaries(t *testing.T) {
	canaries := map[string]string{
		"DB_PASSWORD": "canary-Tr0ub4dor", "AWS_KEY": "AKIAQYLPMN5HCANARY01", "TOKEN": "ghp_canary0123456789abcdefghijklmnopqr", "PLAIN": "canary plain words", "URL": "postgres://u:canarypw@h/db",
		"JSON": `{"password":"canary"}`, "LONG": strings.Repeat("canary", 700), "ARNISH": "arn:aws:canary with blanks", "UNICODE": "canary\u2603\n\"",
	}
	fn := function("f")
	fn.Environment = &types.EnvironmentResponse{Variables: canaries}
	version := fn
	version.Version, version.FunctionArn = aws.String("1"), aws.String(functionARN("f:1"))
	builders := collectLambda((&lambdas{functions: []types.FunctionConfiguration{fn, version}}).serve(newFake(t)))
	var file bytes.Buffer
	w := estate.NewWriter(&file)
	for _, b := range builders {
		if err := w.Write(b.Build(testModel(t))); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(strings.ToLower(file.String()), "canary") {
		t.Errorf("a value was written: %s", file.String())
	}
	for name := range canaries {
		if strings.Count(file.String(), `"`+name+`"`) < 2 {
			t.Errorf("variable %s is not named for the function and its version", name)
		}
	}
}
