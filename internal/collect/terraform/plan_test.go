package terraform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/collect"
	"assay/internal/collect/terraform"
	"assay/internal/estate"
	"assay/tables"
)

func collector() *terraform.Collector {
	return terraform.New(terraform.Options{Mapping: tables.Terraform()})
}

func model(t testing.TB) *estate.Model {
	t.Helper()
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func read(t testing.TB, plan string) *estate.Scope {
	t.Helper()
	scopes := collector().Collect(context.Background(), collect.File{Name: "p.json", Data: []byte(plan)})
	if len(scopes) != 1 {
		t.Fatalf("%d scopes", len(scopes))
	}
	return scopes[0].Build(model(t))
}

// plan wraps changes and a configuration in what a plan has around them. With
// no configuration, every value of the changes is configured as a constant.
func plan(configuration string, changes ...string) string {
	if configuration == "" {
		configuration = constants(changes)
	}
	return `{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{},"resource_changes":[` + strings.Join(changes, ",") +
		`],"configuration":{"root_module":` + configuration + `}}`
}

// constants is the configuration that states what the changes will be.
func constants(changes []string) string {
	var pairs []string
	for _, text := range changes {
		var c struct {
			Address string
			Change  struct{ After map[string]any }
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			panic(err)
		}
		expressions, err := json.Marshal(stated(c.Change.After))
		if err != nil {
			panic(err)
		}
		pairs = append(pairs, c.Address, string(expressions))
	}
	return config(pairs...)
}

func stated(values map[string]any) map[string]any {
	expressions := map[string]any{}
	for name, v := range values {
		blocks, _ := v.([]any)
		if len(blocks) == 0 {
			expressions[name] = map[string]any{"constant_value": v}
			continue
		}
		var all []any
		for _, b := range blocks {
			if inner, ok := b.(map[string]any); ok {
				all = append(all, stated(inner))
			}
		}
		if expressions[name] = all; all == nil {
			expressions[name] = map[string]any{"constant_value": v}
		}
	}
	return expressions
}

// change is one resource: its address, what it will be, and which parts are
// known after apply only.
func change(address, after, unknown string) string {
	module, rest := "", address
	if at := strings.LastIndex(address, "aws_"); at > 0 && strings.HasPrefix(address, "module.") {
		module, rest = strings.TrimSuffix(address[:at], "."), address[at:]
	}
	mode := "managed"
	if strings.HasPrefix(rest, "data.") {
		mode, rest = "data", strings.TrimPrefix(rest, "data.")
	}
	kind, name, _ := strings.Cut(rest, ".")
	return fmt.Sprintf(`{"address":%q,"module_address":%q,"mode":%q,"type":%q,"name":%q,"change":{"actions":["create"],"after":%s,"after_unknown":%s}}`,
		address, module, mode, kind, name, after, unknown)
}

// config is the configuration of resources, given as address and expressions.
func config(pairs ...string) string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, fmt.Sprintf(`{"address":%q,"expressions":%s}`, pairs[i], pairs[i+1]))
	}
	return `{"resources":[` + strings.Join(all, ",") + `]}`
}

func TestProperties(t *testing.T) {
	function := func(after string) string { return plan("", change("aws_lambda_function.f", after, `{}`)) }
	const f, absent = "aws_lambda_function.f", "(absent)"
	role := change("aws_iam_role.r", `{"name":"r"}`, `{"arn":true}`)
	for _, tt := range []struct{ name, plan, resource, path, want string }{
		{"plain", function(`{"memory_size":256}`), f, "MemorySize", `256`},
		{"null", function(`{"kms_key_arn":null}`), f, "KmsKeyArn", absent},
		{"empty_text", function(`{"code_signing_config_arn":""}`), f, "CodeSigningConfigArn", absent},
		{"no_reservation", function(`{"reserved_concurrent_executions":-1}`), f, "ReservedConcurrentExecutions", absent},
		{"block", function(`{"tracing_config":[{"mode":"Active"}]}`), f, "TracingConfig.Mode", `"Active"`},
		{"block_absent", function(`{"tracing_config":[]}`), f, "TracingConfig.Mode", `{"$default":"PassThrough"}`},
		{"not_configured_and_computed", plan(config("aws_lambda_function.f", `{}`), change(f, `{}`, `{"tracing_config":true}`)), f, "TracingConfig.Mode", `{"$default":"PassThrough"}`},
		{"tags", function(`{"tags":{"b":"2","a":"1"}}`), f, "Tags", `[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]`},
		{"variables", function(`{"environment":[{"variables":{"A":"b"}}]}`), f, "Environment.Variables", `{"A":"b"}`},
		{"reference", plan(config("aws_lambda_function.f", `{"role":{"references":["aws_iam_role.r.arn","aws_iam_role.r"]}}`), change(f, `{}`, `{"role":true}`), role),
			f, "Role", `{"$ref":{"resource":"aws_iam_role.r","attribute":"Arn"}}`},
		{"reference_in_a_text", plan(config("aws_cloudwatch_log_group.l", `{"name":{"references":["aws_lambda_function.f.function_name","aws_lambda_function.f"]}}`),
			change("aws_cloudwatch_log_group.l", `{}`, `{"name":true}`), change(f, `{}`, `{"function_name":true}`)), "aws_cloudwatch_log_group.l", "LogGroupName",
			`{"$text":[{"$unknown":{"reason":"known after apply","input":"start of aws_cloudwatch_log_group.l.name"}},{"$ref":{"resource":"aws_lambda_function.f","attribute":"Ref"}},{"$unknown":{"reason":"known after apply","input":"rest of aws_cloudwatch_log_group.l.name"}}]}`},
		{"several_references", plan(config("aws_lambda_function.f", `{"kms_key_arn":{"references":["aws_kms_key.a.arn","aws_kms_key.a","aws_kms_key.b.arn","aws_kms_key.b"]}}`), change(f, `{}`, `{"kms_key_arn":true}`)),
			f, "KmsKeyArn", `{"$unknown":{"reason":"known after apply","input":"aws_lambda_function.f.kms_key_arn"}}`},
		{"map_of_unknown_names", plan(config("aws_lambda_function.f", `{"environment":[{"variables":{"references":["aws_iam_role.r.arn","aws_iam_role.r"]}}]}`), change(f, `{"environment":[{}]}`, `{"environment":[{"variables":true}]}`), role),
			f, "Environment.Variables", `{"$unknown":{"reason":"known after apply","input":"aws_lambda_function.f.environment.0.variables"}}`},
		{"through_modules", plan(`{"resources":[{"address":"aws_iam_role.r","expressions":{}}],"module_calls":{"m":{"expressions":{"role":{"references":["aws_iam_role.r.arn","aws_iam_role.r"]}},
			"module":{"resources":[{"address":"aws_lambda_function.f","expressions":{"role":{"references":["var.role"]}}}]}}}}`,
			change("module.m.aws_lambda_function.f", `{}`, `{"role":true}`), role), "module.m.aws_lambda_function.f", "Role", `{"$ref":{"resource":"aws_iam_role.r","attribute":"Arn"}}`},
		{"out_of_a_module", plan(`{"resources":[{"address":"aws_lambda_function.f","expressions":{"role":{"references":["module.m.role","module.m"]}}}],
			"module_calls":{"m":{"module":{"outputs":{"role":{"expression":{"references":["aws_iam_role.r.arn","aws_iam_role.r"]}}},"resources":[{"address":"aws_iam_role.r"}]}}}}`,
			change(f, `{}`, `{"role":true}`), change("module.m.aws_iam_role.r", `{"name":"r"}`, `{}`)), f, "Role", `{"$ref":{"resource":"module.m.aws_iam_role.r","attribute":"Arn"}}`},
		{"document_known", plan("", change("aws_iam_role.r", `{"assume_role_policy":"{\"Version\":\"2012-10-17\"}"}`, `{}`)), "aws_iam_role.r", "AssumeRolePolicyDocument", `{"Version":"2012-10-17"}`},
		{"document_from_its_data_source", plan(config(
			"aws_iam_role_policy.p", `{"policy":{"references":["data.aws_iam_policy_document.d.json","data.aws_iam_policy_document.d"]}}`,
			"data.aws_iam_policy_document.d", `{"statement":[{"actions":{"constant_value":["sqs:SendMessage"]},"effect":{"constant_value":"Deny"},"resources":{"references":["aws_sqs_queue.q.arn","aws_sqs_queue.q"]}}]}`),
			change("aws_iam_role_policy.p", `{"name":"p","role":"elsewhere"}`, `{"policy":true}`), change("aws_sqs_queue.q", `{"name":"q"}`, `{"arn":true}`),
			change("data.aws_iam_policy_document.d", `{"statement":[{"actions":["sqs:SendMessage"],"effect":"Deny","resources":[null],"condition":[{"test":"Bool","variable":"aws:SecureTransport","values":["false"]}],"principals":[{"type":"AWS","identifiers":["1"]}]}]}`, `{"json":true,"statement":[{"resources":[true]}]}`)),
			"aws_iam_role_policy.p", "PolicyDocument.Statement",
			`[{"Action":"sqs:SendMessage","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":{"AWS":"1"},"Resource":{"$text":[{"$ref":{"resource":"aws_sqs_queue.q","attribute":"Arn"}},{"$unknown":{"reason":"known after apply","input":"rest of data.aws_iam_policy_document.d.statement.0.resources.0"}}]}}]`},
		{"attachment_joins_its_role", plan("", role, change("aws_iam_role_policy_attachment.a", `{"role":"r","policy_arn":"arn:aws:iam::aws:policy/X"}`, `{}`)), "aws_iam_role.r", "ManagedPolicyArns", `["arn:aws:iam::aws:policy/X"]`},
		{"no_egress_of_its_own", plan(config("aws_security_group.g", `{}`), change("aws_security_group.g", `{"egress":[]}`, `{}`)), "aws_security_group.g", "SecurityGroupEgress", `{"$default":[]}`},
		{"egress", plan(config("aws_security_group.g", `{"egress":{"constant_value":[{"protocol":"-1"}]}}`), change("aws_security_group.g", `{"egress":[{"protocol":"-1","from_port":0,"to_port":0,"cidr_blocks":["0.0.0.0/0"]}]}`, `{}`)), "aws_security_group.g", "SecurityGroupEgress",
			`[{"CidrIp":"0.0.0.0/0","IpProtocol":"-1"}]`},
		{"url_grants_the_public", plan("", change("aws_lambda_function_url.u", `{"authorization_type":"NONE","function_name":"f"}`, `{}`)), "aws_lambda_function_url.u/permission", "FunctionUrlAuthType", `"NONE"`},
		{"url_grants_the_call_too", plan("", change("aws_lambda_function_url.u", `{"authorization_type":"NONE","function_name":"f"}`, `{}`)), "aws_lambda_function_url.u/invoke-permission", "InvokedViaFunctionUrl", `true`},
		{"recursion_is_stated_elsewhere", plan("", change(f, `{"function_name":"f"}`, `{}`), change("aws_lambda_function_recursion_config.c", `{"function_name":"f","recursive_loop":"Allow"}`, `{}`)), f, "RecursiveLoop", `"Allow"`},
		{"what_is_not_mapped_has_no_default", plan("", change("aws_config_configuration_recorder.r", `{}`, `{}`)), "aws_config_configuration_recorder.r", "StartedOnCreate",
			`{"$unknown":{"reason":"property is not read from this kind of source","input":"AWS::Config::ConfigurationRecorder.StartedOnCreate","derived":true}}`},
		{"origin_of_a_key", plan("", change("aws_kms_key.k", `{}`, `{}`)), "aws_kms_key.k", "Origin", `{"$default":"AWS_KMS"}`},
		{"origin_by_the_store", plan("", change("aws_kms_key.k", `{"custom_key_store_id":"cks-1"}`, `{}`)), "aws_kms_key.k", "Origin", `"AWS_CLOUDHSM"`},
		{"origin_by_a_store_not_known", plan(config("aws_kms_key.k", `{"custom_key_store_id":{"references":["local.store"]}}`), change("aws_kms_key.k", `{}`, `{"custom_key_store_id":true}`)), "aws_kms_key.k", "Origin",
			`{"$unknown":{"reason":"known after apply","input":"aws_kms_key.k.custom_key_store_id"}}`},
		{"arn_of_a_stage", plan(config("aws_wafv2_web_acl_association.a", `{"resource_arn":{"references":["aws_api_gateway_stage.s.arn","aws_api_gateway_stage.s"]}}`,
			"aws_api_gateway_stage.s", `{"stage_name":{"constant_value":"v1"},"rest_api_id":{"references":["aws_api_gateway_rest_api.a.id","aws_api_gateway_rest_api.a"]}}`),
			change("aws_wafv2_web_acl_association.a", `{}`, `{"resource_arn":true}`), change("aws_api_gateway_stage.s", `{"stage_name":"v1"}`, `{"arn":true,"rest_api_id":true}`),
			change("aws_api_gateway_rest_api.a", `{"name":"a"}`, `{"id":true}`)), "aws_wafv2_web_acl_association.a", "ResourceArn",
			`{"$text":["arn:",{"$unknown":{"reason":"pseudo parameter","input":"AWS::Partition"}},":apigateway:",{"$unknown":{"reason":"pseudo parameter","input":"AWS::Region"}},"::/restapis/",{"$ref":{"resource":"aws_api_gateway_rest_api.a","attribute":"Ref"}},"/stages/",{"$ref":{"resource":"aws_api_gateway_stage.s","attribute":"Ref"}}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := read(t, tt.plan)
			r := s.Resource(tt.resource)
			if r == nil {
				t.Fatalf("no resource %s; problems: %v", tt.resource, s.Problems())
			}
			got := absent
			if v := r.Properties.Path(tt.path); v != nil {
				got = string(v.AppendJSON(nil))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInstances(t *testing.T) {
	c := config("aws_lambda_function.f", `{"role":{"references":["aws_iam_role.r","count.index"]}}`)
	one := func(address, index string) string {
		return strings.Replace(change(address, `{}`, `{"role":true}`), `"change"`, `"index":`+index+`,"change"`, 1)
	}
	s := read(t, plan(c, one("aws_lambda_function.f[0]", "0"), one("aws_lambda_function.f[1]", "1"), one("aws_iam_role.r[0]", "0"), one("aws_iam_role.r[1]", "1")))
	for _, n := range []string{"0", "1"} {
		got := s.Resource("aws_lambda_function.f[" + n + "]").Properties.Field("Role").Reference().Resource
		if want := "aws_iam_role.r[" + n + "]"; got != want {
			t.Errorf("instance %s refers to %s", n, got)
		}
	}
}

func TestSensitiveValuesAreWithheld(t *testing.T) {
	p := strings.Replace(plan("", change("aws_lambda_function.f", `{"environment":[{"variables":{"A":"in-the-plan"}}]}`, `{}`)),
		`"after_unknown":{}`, `"after_unknown":{},"after_sensitive":{"environment":[{"variables":true}]}`, 1)
	got := string(read(t, p).Resource("aws_lambda_function.f").Properties.AppendJSON(nil))
	if strings.Contains(got, "in-the-plan") || !strings.Contains(got, "is sensitive in the plan") {
		t.Error(got)
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	deleted := strings.Replace(change("aws_sqs_queue.q", `null`, `{}`), `"create"`, `"delete"`, 1)
	s := read(t, plan("", deleted, change("aws_gamelift_fleet.g", `{}`, `{}`), change("aws_s3_object.o", `{}`, `{}`)))
	if len(s.Resources()) != 0 {
		t.Errorf("resources: %v", s.Resources())
	}
	want := []estate.Coverage{{Type: "aws_gamelift_fleet", State: estate.CoveragePartial, Reason: "resource type is not mapped"}}
	if diff := cmp.Diff(want, s.Coverage()); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct{ name, plan, want string }{
		{"not_json", `{"format_version":"1.2", nope`, "p.json:1:26: not valid JSON"},
		{"cut_off", "{\"format_version\":\"1.2\",\n\"resource_changes\":[", "p.json:2:21: not valid JSON: the file ends in the middle of a value"},
		{"newer", `{"format_version":"2.0","resource_changes":[]}`, "p.json:1:24: plan format 2.0 is not one that assay reads; expected 1.x"},
		{"errored", `{"format_version":"1.2","errored":true,"resource_changes":[]}`, "the plan ended with an error"},
		{"shape", `{"format_version":1}`, "not a Terraform plan"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := read(t, tt.plan).Problems()
			if len(found) != 1 || !found[0].Fatal || !strings.Contains(found[0].Error(), tt.want) {
				t.Errorf("expected one fatal problem %q, got %v", tt.want, found)
			}
		})
	}
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte(plan(config("aws_lambda_function.f", `{"role":{"references":["aws_iam_role.r.arn","aws_iam_role.r"]}}`),
		change("aws_lambda_function.f", `{"environment":[{"variables":{"A":null}}]}`, `{"role":true,"environment":[{"variables":{"A":true}}]}`))))
	f.Add([]byte(`{"format_version":"1.2","resource_changes":[{}]}`))
	m := model(f)
	f.Fuzz(func(_ *testing.T, data []byte) {
		for _, b := range collector().Collect(context.Background(), collect.File{Name: "p", Data: data}) {
			b.Build(m)
		}
	})
}

func BenchmarkPlan(b *testing.B) {
	var changes []string
	for i := range 200 {
		changes = append(changes, change(fmt.Sprintf("aws_lambda_function.f%d", i), `{"function_name":"f","environment":[{"variables":{"A":"b"}}]}`, `{"role":true}`))
	}
	f := collect.File{Name: "p", Data: []byte(plan("", changes...))}
	c := collector()
	b.SetBytes(int64(len(f.Data)))
	b.ReportAllocs()
	for b.Loop() {
		c.Collect(context.Background(), f)
	}
}
