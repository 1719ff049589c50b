package cloudformation_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

// read evaluates a template; parameters are NAME=VALUE.
func read(t testing.TB, template string, parameters ...string) *estate.Builder {
	t.Helper()
	given := map[string]string{}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		given[name] = value
	}
	c := cloudformation.New(cloudformation.Options{Parameters: given, PolicyTemplates: tables.SAMPolicyTemplates()})
	scopes := c.Collect(context.Background(), collect.File{Name: "t.yaml", Data: []byte(template)})
	if len(scopes) != 1 {
		t.Fatalf("%d scopes", len(scopes))
	}
	return scopes[0]
}

func problems(b *estate.Builder, m *estate.Model) []string {
	var all []string
	for _, p := range b.Build(m).Problems() {
		text := p.Position.String() + ": " + p.Message
		if p.Fatal {
			text = "fatal " + text
		}
		all = append(all, text)
	}
	return all
}

// TestIntrinsics evaluates one expression each, written as the property V of a
// resource in a template with parameters, conditions and mappings.
func TestIntrinsics(t *testing.T) {
	const template = `
Parameters:
  Given: {Type: String, Default: d}
  Open: {Type: String}
  Stage: {Type: String, AllowedValues: [dev, prod]}
  Count: {Type: Number, Default: 3}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
  Hidden: {Type: String, NoEcho: true, Default: hunter2hunter2}
  Looked: {Type: "AWS::SSM::Parameter::Value<String>", Default: /x}
Mappings:
  Sizes:
    dev: {Memory: 128}
    prod: {Memory: 512}
Conditions:
  Yes: !Equals [a, a]
  No: !Not [!Condition Yes]
  IsProd: !Equals [!Ref Stage, prod]
  IsOpen: !Equals [!Ref Open, x]
  Both: !And [!Condition IsProd, !Condition No]
Resources:
  Q: {Type: AWS::SQS::Queue}
  C: {Type: Custom::Thing}
  R:
    Type: AWS::X::Y
    Properties:
      V: %s
`
	const (
		region = `{"$unknown":{"reason":"pseudo parameter","input":"AWS::Region"}}`
		open   = `{"$unknown":{"reason":"parameter without value","input":"parameter Open"}}`
		absent = `(absent)`
	)
	stage := func(dev, prod string) string {
		return `{"$oneOf":{"input":"parameter Stage","cases":[{"when":"dev","value":` + dev + `},{"when":"prod","value":` + prod + `}]}}`
	}
	m := testModel(t)
	for _, tt := range []struct{ expression, want string }{
		{`2012-10-17`, `"2012-10-17"`},
		{`012345678901`, `{"$number":"012345678901"}`},
		{`yes`, `true`},
		{`"yes"`, `"yes"`},
		{`!Ref Given`, `"d"`},
		{`{Ref: Given}`, `"d"`},
		{`!Ref Open`, open},
		{`!Ref Count`, `3`},
		{`!Ref Zones`, `["a","b"]`},
		{`!Ref Hidden`, `{"$secret":{"why":"parameter Hidden is NoEcho"}}`},
		{`!Ref Looked`, `{"$unknown":{"reason":"SSM parameter is read at deployment","input":"parameter Looked"}}`},
		{`!Ref Stage`, stage(`"dev"`, `"prod"`)},
		{`!Ref AWS::NoValue`, absent},
		{`!Ref AWS::Region`, region},
		{`!Ref Q`, `{"$ref":{"resource":"Q","attribute":"Ref"}}`},
		{`!GetAtt Q.Arn`, `{"$ref":{"resource":"Q","attribute":"Arn"}}`},
		{`{"Fn::GetAtt": [Q, Arn]}`, `{"$ref":{"resource":"Q","attribute":"Arn"}}`},
		{`!GetAtt C.Anything`, `{"$unknown":{"reason":"attribute of a custom resource or nested stack","input":"C.Anything"}}`},
		{`!Sub "a-${Given}-b"`, `"a-d-b"`},
		{`!Sub "${!Literal}"`, `"${Literal}"`},
		{`!Sub "${Q.Arn}/${AWS::Region}"`, `{"$text":[{"$ref":{"resource":"Q","attribute":"Arn"}},"/",` + region + `]}`},
		{`!Sub ["${X}-${Given}", {X: !Ref Stage}]`, stage(`"dev-d"`, `"prod-d"`)},
		{`!Join ["-", [a, !Ref Given, !Ref Q]]`, `{"$text":["a-d-",{"$ref":{"resource":"Q","attribute":"Ref"}}]}`},
		{`!Join [",", !Ref Zones]`, `"a,b"`},
		{`!Select [1, !Ref Zones]`, `"b"`},
		{`!Select ["0", !Split [":", "x:y"]]`, `"x"`},
		{`!Split ["-", !Ref Stage]`, stage(`["dev"]`, `["prod"]`)},
		{`!FindInMap [Sizes, dev, Memory]`, `128`},
		{`!FindInMap [Sizes, !Ref Stage, Memory]`, stage(`128`, `512`)},
		{`!FindInMap [Sizes, !Ref Open, Memory]`, `{"$oneOf":{"input":"parameter Open","cases":[{"when":"dev","value":128},{"when":"prod","value":512}]}}`},
		{`!If [Yes, 1, 2]`, `1`},
		{`!If [No, 1, 2]`, `2`},
		{`!If [No, 1, !Ref AWS::NoValue]`, absent},
		{`!If [IsProd, 1, 2]`, stage(`2`, `1`)},
		{`!If [IsProd, !Ref Stage, x]`, stage(`"x"`, `"prod"`)},
		{`!If [IsProd, !If [IsProd, 1, 2], 3]`, stage(`3`, `1`)},
		{`!If [Both, 1, 2]`, `2`},
		{`!If [IsOpen, 1, !Ref AWS::NoValue]`, `{"$oneOf":{"input":"condition IsOpen","cases":[{"when":"true","value":1},{"when":"false","value":{"$absent":true}}]}}`},
		{`[a, !If [No, b, !Ref AWS::NoValue]]`, `["a"]`},
		{`!Base64 x`, `"eA=="`},
		{`!ImportValue shared`, `{"$unknown":{"reason":"export of another stack","input":"export shared"}}`},
		{`"{{resolve:secretsmanager:db:SecretString:password}}"`, `{"$secret":{"why":"dynamic reference to secretsmanager:db"}}`},
		{`!Sub "{{resolve:ssm:/x/${Given}:1}}"`, `{"$unknown":{"reason":"dynamic reference","input":"ssm:/x/d"}}`},
		{`{"Fn::Transform": {Name: Mine}}`, `{"$unknown":{"reason":"macro is not run","input":"macro Mine","derived":true}}`},
	} {
		t.Run(tt.expression, func(t *testing.T) {
			b := read(t, fmt.Sprintf(template, tt.expression))
			got := absent
			for _, r := range b.Resources() {
				if v := r.Properties.Field("V"); r.LogicalID == "R" && v != nil {
					got = string(v.AppendJSON(nil))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if found := problems(b, m); found != nil {
				t.Errorf("problems: %s", found)
			}
		})
	}
}

func TestGivenParameters(t *testing.T) {
	const template = "Parameters: {P: {Type: String, AllowedValues: [a, b]}}\nResources: {R: {Type: 'AWS::X::Y', Properties: {V: !Sub '${P}/${AWS::Region}'}}}\n"
	b := read(t, template, "P=a", "AWS::Region=eu-west-1", "Other=x")
	if got := b.Resources()[0].Properties.Field("V").AsString(); got != "a/eu-west-1" {
		t.Errorf("got %q", got)
	}
}

func TestProblems(t *testing.T) {
	m := testModel(t)
	resource := func(v string) string {
		return "Resources:\n  R:\n    Type: AWS::X::Y\n    Properties:\n      V: " + v + "\n"
	}
	for _, tt := range []struct {
		name, template string
		want           []string
	}{
		{"bad_yaml", "Resources:\n  a: [1\n  b: 2\n", []string{"fatal t.yaml:3:4: not valid YAML: did not find expected ',' or ']'"}},
		{"bad_json", "{\"Resources\": {\n\t\"R\": nope}}", []string{"fatal t.yaml:2:7: not valid JSON: expected a value, found 'n'"}},
		{"json_cut_off", "{\"Resources\": {", []string{"fatal t.yaml:1:16: not valid JSON: expected a name in quotes"}},
		{"not_utf8", "Resources:\n  R\xff:\n", []string{"fatal t.yaml:2:4: expected UTF-8 text; byte 0xff is not part of any character"}},
		{"no_resources", "Transform: x\n", []string{"fatal t.yaml:1:1: the template has no Resources"}},
		{"resources_list", "Resources:\n  - a\n", []string{"t.yaml:2:3: Resources: expected a mapping"}},
		{"no_type", "Resources:\n  R: {Properties: {}}\n", []string{"t.yaml:2:3: resource R has no Type"}},
		{"twice", "Resources:\n  R: {Type: A::B::C}\n  R: {Type: A::B::D}\n", []string{"t.yaml:3:3: R stands twice; this one holds, the one on line 2 does not"}},
		{"undeclared", resource("!Ref Nothing"), []string{"t.yaml:5:10: Nothing is not a resource or parameter of the template"}},
		{"undeclared_in_sub", resource(`!Sub "${Nothing.Arn}"`), []string{"t.yaml:5:10: Nothing is not a resource of the template"}},
		{"if_shape", resource("!If [a, b]"), []string{"t.yaml:5:10: Fn::If: expected a list of a condition's name and two values"}},
		{"if_undeclared", resource("!If [a, b, c]"), []string{"t.yaml:5:15: condition a is not declared under Conditions"}},
		{"select_range", resource("!Select [2, [a]]"), []string{"t.yaml:5:10: Fn::Select: expected an index from 0 to 0, not 2"}},
		{"no_mapping", resource("!FindInMap [M, a, b]"), []string{"t.yaml:5:10: mapping M is not declared under Mappings"}},
		{"sub_list", resource("!Sub [a]"), []string{"t.yaml:5:10: Fn::Sub: expected a text, or a list of a text and a mapping"}},
		{"unknown_function", resource("!Nope x"), []string{"t.yaml:5:10: Fn::Nope is not a function of CloudFormation"}},
		{"null", resource("~"), []string{"t.yaml:5:10: null is not a value that CloudFormation takes; leave the property out"}},
		{"condition_cycle", "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\nResources:\n  R: {Type: A::B::C, Condition: A}\n",
			[]string{"t.yaml:3:12: condition A depends on itself"}},
		{"resource_cycle", "Resources:\n  A: {Type: A::B::C, Properties: {V: !Ref B}}\n  B: {Type: A::B::C, DependsOn: A}\n",
			[]string{"t.yaml:2:3: resources wait for each other: A → B → A"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, problems(read(t, tt.template), m)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBounds holds the reader to its limits on hostile input.
func TestBounds(t *testing.T) {
	m := testModel(t)
	var bomb strings.Builder
	bomb.WriteString("Resources: {R: {Type: A::B::C, Properties: {V: *l9}}}\n")
	layers := "x0: &l0 [a,a,a,a,a,a,a,a,a,a]\n"
	for i := range 9 {
		layers += fmt.Sprintf("x%d: &l%d [*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d]\n", i+1, i+1, i, i, i, i, i, i, i, i, i, i)
	}
	for _, tt := range []struct{ name, template, want string }{
		{"alias_bomb", layers + bomb.String(), "values once its aliases are expanded"},
		{"deep_yaml", "Resources: {R: {Type: A::B::C, Properties: {V: " + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + "}}}\n", "nested more than"},
		{"deep_json", `{"Resources": ` + strings.Repeat("[", 100000), "nested more than"},
		{"large", "Resources:\n" + strings.Repeat("  # nothing\n", 50<<20/12), "CloudFormation takes 1 MB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := problems(read(t, tt.template), m)
			if len(all) == 0 || !strings.Contains(strings.Join(all, "\n"), tt.want) {
				t.Errorf("expected a problem with %q, got %d: %.200s", tt.want, len(all), all)
			}
			if len(all) > 3 {
				t.Errorf("%d problems where one says it all", len(all))
			}
		})
	}
}

// TestJSONAndYAMLReadEqual holds both syntaxes to one reading.
func TestJSONAndYAMLReadEqual(t *testing.T) {
	const yaml = `
Parameters: {P: {Type: String, Default: x}}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt R.Arn
      Timeout: 3
      Description: !Sub "${P} and ${R}"
      Layers: [!Ref L, "b"]
  R: {Type: AWS::IAM::Role}
  L: {Type: AWS::Lambda::LayerVersion}
`
	const json = `{"Parameters": {"P": {"Type": "String", "Default": "x"}},
	"Resources": {
		"F": {"Type": "AWS::Lambda::Function", "Properties": {
			"Role": {"Fn::GetAtt": ["R", "Arn"]}, "Timeout": 3,
			"Description": {"Fn::Sub": "${P} and ${R}"}, "Layers": [{"Ref": "L"}, "b"]}},
		"R": {"Type": "AWS::IAM::Role"}, "L": {"Type": "AWS::Lambda::LayerVersion"}}}`
	a, b := read(t, yaml).Resources(), read(t, json).Resources()
	for i := range a {
		if !estate.Equal(a[i].Properties, b[i].Properties) {
			t.Errorf("%s: YAML gives %s, JSON gives %s", a[i].LogicalID, a[i].Properties, b[i].Properties)
		}
	}
}

func TestClaims(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		want bool
	}{
		"template":        {"AWSTemplateFormatVersion: 2010-09-09\n", true},
		"resources":       {"Resources:\n  a: b\n", true},
		"broken":          {"Resources:\n  a: [\n", true},
		"json":            {`{"Resources": {}}`, true},
		"byte_order_mark": {"\ufeff{\"Resources\": {}}", true},
		"kubernetes":      {"apiVersion: v1\nkind: Pod\n", false},
		"package":         {`{"name": "x"}`, false},
		"plan":            {`{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"Resources":{}}}`, false},
		"api_document":    {`{"Resources":{"A":{"Properties":{"Body":{"openapi":"3.0.1"}}}}}`, true},
		"change_set":      {`{"ChangeSetName":"c","Changes":[]}`, true},
		"api_model":       {`{"shapes":{"ChangeSetName":{},"Changes":{}}}`, false},
		"serverless":      {`{"service":{},"compiledCloudFormationTemplate":{"Resources":{}}}`, false},
		"nested_word":     {"spec:\n  Resources: 1\n", false},
	} {
		if got := collector().Claims(collect.File{Data: []byte(tt.data)}); got != tt.want {
			t.Errorf("%s: claims %v", name, got)
		}
	}
}

func TestReadParameters(t *testing.T) {
	want := map[string]string{"A": "1", "B": "x"}
	for name, data := range map[string]string{
		"list":     `[{"ParameterKey": "A", "ParameterValue": "1"}, {"ParameterKey": "B", "ParameterValue": "x"}]`,
		"tabs":     "[\n\t{\"ParameterKey\": \"A\", \"ParameterValue\": \"1\"},\n\t{\"ParameterKey\": \"B\", \"ParameterValue\": \"x\"}]",
		"pipeline": `{"Parameters": {"A": "1", "B": "x"}}`,
		"flat":     `{"A": 1, "B": "x"}`,
		"yaml":     "A: 1\nB: x\n",
	} {
		got, err := cloudformation.ReadParameters(name, []byte(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := cloudformation.ReadParameters("p.yaml", []byte("A: [1]\n")); err == nil || err.Error() != "p.yaml:1:4: A: expected a text or number" {
		t.Errorf("got %v", err)
	}
}

// TestRenamingLeavesPropertiesAlone is a metamorphic law: new logical ids
// change nothing but the references.
func TestRenamingLeavesPropertiesAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Z][a-z]{3,8}`).Draw(t, "name")
		const template = "Resources:\n  NAME: {Type: AWS::SQS::Queue}\n  Other: {Type: A::B::C, Properties: {V: !Sub 'x-${NAME.Arn}', W: !If [C, !Ref NAME, y]}}\nConditions: {C: !Equals [!Ref 'AWS::Region', z]}\n"
		find := func(id string) *estate.Value {
			c := cloudformation.New(cloudformation.Options{})
			b := c.Collect(context.Background(), collect.File{Name: "t", Data: []byte(strings.ReplaceAll(template, "NAME", id))})[0]
			for _, r := range b.Resources() {
				if r.LogicalID == "Other" {
					return r.Properties
				}
			}
			return nil
		}
		got := bytes.ReplaceAll(find(name).AppendJSON(nil), []byte(`"`+name+`"`), []byte(`"Queue"`))
		if diff := cmp.Diff(string(find("Queue").AppendJSON(nil)), string(got)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add([]byte("Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {Events: {A: {Type: Api, Properties: {Path: /, Method: get}}}}\n"))
	f.Add([]byte(`{"Resources": {"R": {"Type": "A::B::C", "Properties": {"V": {"Fn::Sub": ["${a}", {"a": {"Ref": "AWS::Region"}}]}}}}}`))
	f.Add([]byte("Conditions: {A: !Equals [!Ref P, 1]}\nParameters: {P: {Type: String, AllowedValues: [1, 2]}}\nResources:\n  R: {Type: A::B::C, Condition: A, Properties: {V: !If [A, !Ref R, !Ref AWS::NoValue]}}\n"))
	f.Add([]byte("Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::L: [N, [a, b], {\"Q${N}\": {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub \"${N}\", Tags: !Cidr [10.0.0.0/8, 2, 8], X: {Fn::ToJsonString: {a: !Length [1]}}}}}]\n"))
	f.Add([]byte("Rules: {R: {Assertions: [{Assert: !Contains [[a], !Ref P]}]}}\nParameters: {P: {Type: String, Default: b}}\nResources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: t}}}\nOutputs: {O: {Value: !GetAtt S.Outputs.X, Export: {Name: x}}}\n"))
	f.Add([]byte(`{"ChangeSetName":"c","Changes":[{"ResourceChange":{"Action":"Add","LogicalResourceId":"F","ResourceType":"AWS::Lambda::Function","AfterContext":"{\"Properties\":{}}"}}]}`))
	c, m := collector(), testModel(f)
	f.Fuzz(func(_ *testing.T, data []byte) {
		for _, b := range c.Collect(context.Background(), collect.File{Name: "t", Data: data}) {
			b.Build(m)
		}
	})
}

// TestWaivers reads what templates say of accepted failures: which resource it
// is said of, and where.
func TestWaivers(t *testing.T) {
	m := testModel(t)
	for _, tt := range []struct{ name, template, want string }{
		{"metadata_text", "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Metadata: {assay: {waive: A-B because}}\n", `Q metadata 4:31 "A-B because"`},
		{"metadata_list", "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Metadata:\n      assay:\n        waive:\n          - A-B\n          - {check: C-D, reason: so}\n", `Q metadata 7:13 "A-B"; Q metadata 8:13 "C-D so"`},
		{"metadata_of_another_form", "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Metadata: {assay: {waive: {chek: A-B}}}\n", `Q metadata 4:31 ""`},
		{"json", `{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Metadata": {"assay": {"waive": "A-B # assay: waive C-D"}}}}}`, `Q metadata 1:81 "A-B # assay: waive C-D"`},
		{"within", "Resources:\n  Q:\n    #assay: waive A-B because\n    Type: AWS::SQS::Queue\n  R: {Type: AWS::SQS::Queue}\n", `Q comment 3:5 "A-B because"`},
		{"behind", "Resources:\n  Q: {Type: AWS::SQS::Queue} # assay: waive A-B\n  R: {Type: AWS::SQS::Queue}\n", `Q comment 2:30 "A-B"`},
		{"above", "Resources:\n  R: {Type: AWS::SQS::Queue}\n  # assay: waive A-B\n  # which is long\n\n  Q: {Type: AWS::SQS::Queue}\n", `Q comment 3:3 "A-B"`},
		{"last_line_of_a_body", "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    # assay: waive A-B\n  R: {Type: AWS::SQS::Queue}\n", `Q comment 4:5 "A-B"`},
		{"dedented_within", "Resources:\n  Q:\n# assay: waive A-B\n    Type: AWS::SQS::Queue\n", `Q comment 3:1 "A-B"`},
		{"at_no_resource", "# assay: waive A-B\nResources:\n  Q: {Type: AWS::SQS::Queue}\n# assay: waive C-D\nOutputs: {}\n", ` comment 1:1 "A-B";  comment 4:1 "C-D"`},
		{"in_a_text", "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: |\n        x\n        # assay: waive A-B\n", ``},
		{"another_word", "Resources:\n  Q: {Type: AWS::SQS::Queue} # assay: waiver A-B\n", ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range read(t, tt.template).Build(m).Waivers() {
				got = append(got, fmt.Sprintf("%s %s %d:%d %q", w.Resource, w.Form, w.Position.Line, w.Position.Column, w.Text))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "; ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMacros holds that what a macro may make is unknown: of the properties that it
// stands among, of the resource that it stands in, and of a value.
func TestMacros(t *testing.T) {
	model, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	scope := read(t, `
Resources:
  Among:
    Type: AWS::SQS::Queue
    Properties: {QueueName: q, Fn::Transform: {Name: Mine}}
  Alone:
    Type: AWS::SQS::Queue
    Properties: {Fn::Transform: {Name: Mine}}
  Beside:
    Type: AWS::SQS::Queue
    Fn::Transform: {Name: Mine}
    Properties: {QueueName: q}
  Within:
    Type: AWS::SQS::Queue
    Properties: {QueueName: q, RedrivePolicy: {maxReceiveCount: 1, Fn::Transform: {Name: Mine}}}
  Other: {Type: "Custom::Mine", Properties: {Fn::Transform: {Name: Mine}}}
`).Build(model)
	for _, tt := range []struct {
		resource, property string
		want               string
	}{
		{"Among", "QueueName", "macro Mine"}, {"Among", "KmsMasterKeyId", "macro Mine"},
		{"Alone", "KmsMasterKeyId", "macro Mine"}, {"Beside", "QueueName", "macro Mine"},
		{"Within", "QueueName", ""}, {"Within", "RedrivePolicy", "macro Mine"},
	} {
		v := scope.Resource(tt.resource).Properties.Field(tt.property)
		if v.Gap().Input != tt.want || v == nil {
			t.Errorf("%s.%s is %s", tt.resource, tt.property, v)
		}
	}
	if len(scope.Problems()) > 0 {
		t.Error(scope.Problems())
	}
	sam := read(t, `
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.13, InlineCode: x, Fn::Transform: {Name: Mine}}
`).Build(model)
	if complete, gap := sam.Complete("AWS::Lambda::Function"); complete || gap.Reason != "what macro Mine makes of F is not read" {
		t.Errorf("%v, %v", complete, gap)
	}
	if r := sam.Resource("F"); r != nil {
		t.Errorf("F is made of what a macro changes: %s", r.Properties)
	}
}
