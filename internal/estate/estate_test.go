package estate_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/internal/estate"
	"assay/tables"
)

func model(t testing.TB) *estate.Model {
	t.Helper()
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func value(t testing.TB, s string) *estate.Value {
	t.Helper()
	v := &estate.Value{}
	if err := v.UnmarshalJSON([]byte(s)); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// scope builds a scope from resources given as "Type LogicalID {properties}".
func scope(t testing.TB, resources ...string) *estate.Scope {
	t.Helper()
	b := estate.NewBuilder("t.yaml", "cloudformation")
	for _, line := range resources {
		f := strings.SplitN(line, " ", 3)
		b.Add(estate.Resource{Type: f[0], LogicalID: f[1], Properties: value(t, f[2])})
	}
	return b.Build(model(t))
}

func TestNormalForm(t *testing.T) {
	for _, tt := range []struct{ name, resource, path, want string }{
		{"text_to_integer", `AWS::Lambda::Function F {"MemorySize":"256"}`, "MemorySize", `256`},
		{"integer_to_text", `AWS::Lambda::Function F {"Environment":{"Variables":{"A":1}}}`, "Environment.Variables.A", `"1"`},
		{"account_id_keeps_its_zero", `AWS::Lambda::Permission F {"SourceAccount":{"$number":"012345678901"}}`, "SourceAccount", `"012345678901"`},
		{"boolean_from_text", `AWS::Lambda::EventSourceMapping F {"Enabled":"false"}`, "Enabled", `false`},
		{"default", `AWS::Lambda::Function F {}`, "Timeout", `{"$default":3}`},
		{"default_in_absent_parent", `AWS::Lambda::Function F {}`, "TracingConfig.Mode", `{"$default":"PassThrough"}`},
		{"stated_wins", `AWS::Lambda::Function F {"Timeout":9}`, "Timeout", `9`},
		{"default_unless", `AWS::SQS::Queue F {"KmsMasterKeyId":"k"}`, "SqsManagedSseEnabled", `{"$absent":true}`},
		{"empty_arn_is_none", `AWS::Lambda::Function F {"KmsKeyArn":""}`, "KmsKeyArn", `{"$absent":true}`},
		{"empty_key_is_none", `AWS::SQS::Queue F {"KmsMasterKeyId":""}`, "KmsMasterKeyId", `{"$absent":true}`},
		{"empty_key_gives_the_default", `AWS::SQS::Queue F {"KmsMasterKeyId":""}`, "SqsManagedSseEnabled", `{"$default":true}`},
		{"empty_key_of_a_part_is_none", `AWS::DynamoDB::Table F {"SSESpecification":{"SSEEnabled":true,"KMSMasterKeyId":""}}`, "SSESpecification.KMSMasterKeyId", `{"$absent":true}`},
		{"empty_name_stays", `AWS::CloudTrail::Trail F {"SnsTopicName":""}`, "SnsTopicName", `""`},
		{"default_in_case", `AWS::Lambda::Function F {"Timeout":{"$oneOf":{"input":"condition C","cases":[{"when":"true","value":9},{"when":"false","value":{"$absent":true}}]}}}`,
			"Timeout", `{"$oneOf":{"input":"condition C","cases":[{"when":"true","value":9},{"when":"false","value":{"$default":3}}]}}`},
		{"policy_as_text", `AWS::IAM::Role F {"AssumeRolePolicyDocument":"{\"Version\":\"2012-10-17\"}"}`, "AssumeRolePolicyDocument", `{"Version":"2012-10-17"}`},
		{"tags_sorted", `AWS::Lambda::Function F {"Tags":[{"Key":"b","Value":"1"},{"Key":"a","Value":"2"}]}`, "Tags", `[{"Key":"a","Value":"2"},{"Key":"b","Value":"1"}]`},
		{"ports_of_all_protocols", `AWS::EC2::SecurityGroup F {"SecurityGroupEgress":[{"IpProtocol":-1,"FromPort":0,"ToPort":0},{"IpProtocol":"tcp","FromPort":0,"ToPort":9}]}`,
			"SecurityGroupEgress", `[{"IpProtocol":"-1"},{"FromPort":0,"IpProtocol":"tcp","ToPort":9}]`},
		{"access_key_withheld", `AWS::Lambda::Function F {"Environment":{"Variables":{"K":"AKIAIOSFODNN7EXAMPLE"}}}`, "Environment.Variables.K", `{"$secret":{"why":"an AWS access key id"}}`},
		{"named_secret_withheld", `AWS::Lambda::Function F {"Environment":{"Variables":{"DB_PASSWORD":"correct0horse9"}}}`, "Environment.Variables.DB_PASSWORD", `{"$secret":{"why":"a literal in DB_PASSWORD"}}`},
		{"assigned_in_code", `AWS::Lambda::Function F {"Code":{"ZipFile":"password = 'hunter2hunter2'"}}`, "Code.ZipFile", `{"$secret":{"why":"a literal beside a name for one"}}`},
		{"read_in_code", `AWS::Lambda::Function F {"Code":{"ZipFile":"password = os.environ['DB_PASSWORD']"}}`, "Code.ZipFile", `"password = os.environ['DB_PASSWORD']"`},
		{"secret_name_kept", `AWS::Lambda::Function F {"Environment":{"Variables":{"SECRET_NAME":"prod/db/credentials1"}}}`, "Environment.Variables.SECRET_NAME", `"prod/db/credentials1"`},
		{"secret_arn_kept", `AWS::Lambda::Function F {"Environment":{"Variables":{"DB_SECRET":"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-1"}}}`, "Environment.Variables.DB_SECRET", `"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-1"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := string(scope(t, tt.resource).Resource("F").Properties.Path(tt.path).AppendJSON(nil))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLongTextKeepsAllButTheCredential(t *testing.T) {
	code := strings.Repeat("x = 1\n", 60) + `key = "AKIAIOSFODNN7EXAMPLE"` + "\n"
	s := scope(t, `AWS::Lambda::Function F {"Code":{"ZipFile":`+string(estate.String(code).AppendJSON(nil))+`}}`)
	got := string(s.Resource("F").Properties.AppendJSON(nil))
	if strings.Contains(got, "AKIA") || !strings.Contains(got, `{"$secret":`) || !strings.Contains(got, "x = 1") {
		t.Errorf("the credential is not cut out of the text: %s", got)
	}
}

func TestPartsJoinTheirParent(t *testing.T) {
	s := scope(t,
		`AWS::IAM::Role R {"Policies":[{"PolicyName":"a","PolicyDocument":{}}]}`,
		`AWS::IAM::Policy P {"PolicyName":"b","PolicyDocument":{"Version":"2012-10-17"},"Roles":[{"$ref":{"resource":"R","attribute":"Ref"}}]}`,
		`AWS::IAM::Policy Elsewhere {"PolicyName":"c","PolicyDocument":{},"Roles":["other"]}`)
	if s.Resource("P") != nil {
		t.Error("the part stands beside its parent")
	}
	if s.Resource("Elsewhere") == nil {
		t.Error("a part of something outside is gone")
	}
	want := `[{"PolicyDocument":{},"PolicyName":"a"},{"PolicyDocument":{"Version":"2012-10-17"},"PolicyName":"b"}]`
	if diff := cmp.Diff(want, string(s.Resource("R").Properties.Field("Policies").AppendJSON(nil))); diff != "" {
		t.Error(diff)
	}
}

func TestEdges(t *testing.T) {
	f := func(props string) string { return `AWS::Lambda::Function F ` + props }
	pseudo := `{"$unknown":{"reason":"pseudo parameter","input":"AWS::Region"}}`
	unknown := `{"$unknown":{"reason":"parameter without value","input":"parameter P"}}`
	for _, tt := range []struct {
		name, from, relation string
		others               []string
		want                 string // logical ids, "?" unknown, "!" outside
	}{
		{"reference", f(`{"Role":{"$ref":{"resource":"R","attribute":"Arn"}}}`), "roles", []string{`AWS::IAM::Role R {}`}, "R"},
		{"arn_of_named", f(`{"Role":"arn:aws:iam::111122223333:role/service/r1"}`), "roles", []string{`AWS::IAM::Role R {"RoleName":"r1"}`}, "?"},
		{"arn_of_named_here", f(`{"Role":{"$text":["arn:aws:iam::",{"$unknown":{"reason":"known at deployment","input":"AWS::AccountId"}},":role/service/r1"]}}`), "roles", []string{`AWS::IAM::Role R {"RoleName":"r1"}`}, "R"},
		{"arn_outside", f(`{"Role":"arn:aws:iam::111122223333:role/r2"}`), "roles", []string{`AWS::IAM::Role R {"RoleName":"r1"}`}, "!"},
		{"unknown", f(`{"Role":` + unknown + `}`), "roles", nil, "?"},
		{"default_log_group_by_name", f(`{"FunctionName":"pay"}`), "logGroups", []string{`AWS::Logs::LogGroup L {"LogGroupName":"/aws/lambda/pay"}`}, "L"},
		{"default_log_group_by_reference", f(`{}`), "logGroups", []string{`AWS::Logs::LogGroup L {"LogGroupName":{"$text":["/aws/lambda/",{"$ref":{"resource":"F","attribute":"Ref"}}]}}`}, "L"},
		{"log_group_by_reference_to_named", f(`{"FunctionName":"pay"}`), "logGroups", []string{`AWS::Logs::LogGroup L {"LogGroupName":{"$text":["/aws/lambda/",{"$ref":{"resource":"F","attribute":"Ref"}}]}}`}, "L"},
		{"same_unknown_name", f(`{"FunctionName":` + unknown + `}`), "logGroups", []string{`AWS::Logs::LogGroup L {"LogGroupName":{"$text":["/aws/lambda/",` + unknown + `]}}`}, "L"},
		{"other_log_group", f(`{}`), "logGroups", []string{`AWS::Logs::LogGroup L {"LogGroupName":"/aws/lambda/other"}`}, ""},
		{"log_group_maybe", f(`{"FunctionName":` + unknown + `}`), "logGroups", []string{`AWS::Logs::LogGroup L {"LogGroupName":"/aws/lambda/other"}`}, "?"},
		{"name_by_open_input", f(`{"FunctionName":{"$oneOf":{"input":"parameter S","cases":[{"when":"a","value":"pay-a"},{"when":"b","value":"pay-b"}]}}}`), "logGroups",
			[]string{`AWS::Logs::LogGroup A {"LogGroupName":"/aws/lambda/pay-a"}`, `AWS::Logs::LogGroup C {"LogGroupName":"/aws/lambda/pay-c"}`}, "A[parameter S=a]"},
		{"names_by_the_same_input", f(`{"FunctionName":{"$oneOf":{"input":"parameter S","cases":[{"when":"a","value":"pay-a"},{"when":"b","value":"pay-b"}]}}}`), "logGroups",
			[]string{`AWS::Logs::LogGroup L {"LogGroupName":{"$oneOf":{"input":"parameter S","cases":[{"when":"a","value":"/aws/lambda/pay-a"},{"when":"b","value":"/aws/lambda/pay-b"}]}}}`}, "L[parameter S=a] L[parameter S=b]"},
		{"variable_names_a_parameter", f(`{"Environment":{"Variables":{"P":"/a/b","Q":"prod"}}}`), "environmentParameters", []string{`AWS::SSM::Parameter P {"Name":"/a/b"}`}, "P"},
		{"key_by_alias", `AWS::SQS::Queue Q {"KmsMasterKeyId":"alias/mine"}`, "keys", []string{`AWS::KMS::Key K {}`, `AWS::KMS::Key O {}`, `AWS::KMS::Alias A {"AliasName":"alias/mine","TargetKeyId":{"$ref":{"resource":"K","attribute":"Arn"}}}`}, "K"},
		{"key_by_reference_to_alias", `AWS::SQS::Queue Q {"KmsMasterKeyId":{"$ref":{"resource":"A","attribute":"Ref"}}}`, "keys", []string{`AWS::KMS::Key K {}`, `AWS::KMS::Alias A {"AliasName":"alias/mine","TargetKeyId":{"$ref":{"resource":"K","attribute":"Ref"}}}`}, "K"},
		{"key_by_alias_of_another_place", `AWS::SQS::Queue Q {"KmsMasterKeyId":"arn:aws:kms:us-east-1:111122223333:alias/mine"}`, "keys", []string{`AWS::KMS::Key K {}`, `AWS::KMS::Alias A {"AliasName":"alias/mine","TargetKeyId":{"$ref":{"resource":"K","attribute":"Arn"}}}`}, ""},
		{"key_of_aws", `AWS::SQS::Queue Q {"KmsMasterKeyId":"alias/aws/sqs"}`, "keys", []string{`AWS::KMS::Key K {}`, `AWS::KMS::Alias A {"AliasName":"alias/mine","TargetKeyId":{"$ref":{"resource":"K","attribute":"Arn"}}}`}, "!"},
		{"no_log_group", f(`{}`), "logGroups", nil, ""},
		{"dead_letter_queue_not_topic", f(`{"DeadLetterConfig":{"TargetArn":"arn:aws:sqs:us-east-1:111122223333:q"}}`), "deadLetterTopics", nil, ""},
		{"dead_letter_text", f(`{"DeadLetterConfig":{"TargetArn":{"$text":["arn:aws:sqs:",` + pseudo + `,":",` + pseudo + `,":q"]}}}`), "deadLetterQueues", []string{`AWS::SQS::Queue Q {"QueueName":"q"}`}, "Q"},
		{"mapping_by_name_and_alias", `AWS::Lambda::EventSourceMapping M {"FunctionName":"pay:live"}`, "functions", []string{f(`{"FunctionName":"pay"}`)}, "F"},
		{"mapping_through_alias", `AWS::Lambda::EventSourceMapping M {"FunctionName":{"$ref":{"resource":"A","attribute":"Ref"}}}`, "functions",
			[]string{f(`{}`), `AWS::Lambda::Alias A {"FunctionName":{"$ref":{"resource":"F","attribute":"Ref"}}}`}, "F"},
		{"integration_uri", `AWS::ApiGatewayV2::Integration I {"IntegrationUri":"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111122223333:function:pay/invocations"}`, "functions", []string{f(`{"FunctionName":"pay"}`)}, "?"},
		{"integration_uri_of_a_parameter", `AWS::ApiGatewayV2::Integration I {"IntegrationUri":{"$text":["arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/",` + unknown + `,"/invocations"]}}`, "functions", []string{f(`{"FunctionName":"pay"}`)}, "?"},
		{"every_entry_of_maps", `AWS::ApiGateway::RestApi A {"Body":{"paths":{"/a":{"parameters":[],"get":{"x-amazon-apigateway-integration":{"uri":{"$text":["arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/",{"$ref":{"resource":"F","attribute":"Arn"}},"/invocations"]}}}},"/b":` + unknown + `}}}`, "functions", []string{f(`{}`)}, "F ?"},
		{"within_an_expression", `AWS::CloudWatch::CompositeAlarm C {"AlarmRule":{"$text":["(ALARM(\"",{"$ref":{"resource":"A","attribute":"Ref"}},"\") OR NOT OK(",{"$ref":{"resource":"B","attribute":"Arn"}},")) AND TRUE"]}}`, "alarms",
			[]string{`AWS::CloudWatch::Alarm A {}`, `AWS::CloudWatch::Alarm B {}`}, "A B"},
		{"within_an_expression_by_name", `AWS::CloudWatch::CompositeAlarm C {"AlarmRule":{"$text":["ALARM(\"",{"$ref":{"resource":"A","attribute":"Ref"}},"\") OR ALARM(errors)"]}}`, "alarms",
			[]string{`AWS::CloudWatch::Alarm A {}`, `AWS::CloudWatch::Alarm B {}`}, "A ?"},
		{"integration_uri_not_known", `AWS::ApiGatewayV2::Integration I {"IntegrationUri":{"$text":["arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/",` + unknown + `,"/invocations"]}}`, "functions", nil, "?"},
		{"integration_of_an_address", `AWS::ApiGatewayV2::Integration I {"IntegrationUri":"https://example.com/"}`, "functions", []string{f(`{"FunctionName":"pay"}`)}, ""},
		{"inverse", f(`{"FunctionName":"pay"}`), "permissions", []string{`AWS::Lambda::Permission P {"FunctionName":"pay"}`, `AWS::Lambda::Permission Q {"FunctionName":"other"}`}, "P"},
		{"inverse_unknown", f(`{}`), "permissions", []string{`AWS::Lambda::Permission P {"FunctionName":` + unknown + `}`}, "?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := scope(t, append([]string{tt.from}, tt.others...)...)
			subject := s.Resource(strings.Fields(tt.from)[1])
			var got []string
			for _, e := range subject.Related(tt.relation) {
				other := "?"
				switch {
				case e.From != subject && e.To == subject:
					other = e.From.LogicalID
				case e.To != nil:
					other = e.To.LogicalID
				case e.Outside:
					other = "!"
				}
				for _, d := range e.When {
					other += "[" + d.Input + "=" + d.When + "]"
				}
				got = append(got, other)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// anyValue draws values of every kind, nested a few levels.
func anyValue(depth int) *rapid.Generator[*estate.Value] {
	return rapid.Custom(func(t *rapid.T) *estate.Value {
		kind := rapid.IntRange(0, 11).Draw(t, "kind")
		if depth == 0 && kind > 7 {
			kind %= 8
		}
		text := rapid.StringMatching(`[a-z$/~{}": é*]{0,8}`)
		members := func() []*estate.Value { return rapid.SliceOfN(anyValue(depth-1), 0, 3).Draw(t, "members") }
		var v *estate.Value
		switch kind {
		case 0:
			v = estate.Null()
		case 1:
			v = estate.Bool(rapid.Bool().Draw(t, "b"))
		case 2:
			v = estate.Int(rapid.Int64().Draw(t, "i"))
		case 3:
			v = estate.String(text.Draw(t, "s"))
		case 4:
			v = estate.Ref(text.Draw(t, "r"), "Arn")
		case 5:
			v = estate.Secret(text.Draw(t, "why"))
		case 6:
			v = estate.Unknown(text.Draw(t, "reason"), text.Draw(t, "input"))
		case 7:
			v = estate.Denied(text.Draw(t, "reason"), text.Draw(t, "input"))
		case 8:
			v = estate.List(members()...)
		case 9:
			var fields []estate.Field
			for _, m := range members() {
				fields = append(fields, estate.Field{Name: text.Draw(t, "name"), Value: m})
			}
			v = estate.Map(fields...)
		case 10:
			v = estate.Text(append(members(), estate.String("x"))...)
		default:
			cases := []estate.Case{{When: "absent"}}
			for _, m := range members() {
				cases = append(cases, estate.Case{When: text.Draw(t, "when"), Value: m})
			}
			if v = estate.OneOf("input", cases...); v == nil {
				v = estate.Null()
			}
		}
		if rapid.IntRange(0, 4).Draw(t, "default") == 0 {
			v = v.AsDefault()
		}
		return v
	})
}

func TestValueReadsBackEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "value")
		data := v.AppendJSON(nil)
		back := &estate.Value{}
		if err := back.UnmarshalJSON(data); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if !estate.Equal(v, back) || !bytes.Equal(data, back.AppendJSON(nil)) {
			t.Fatalf("wrote %s, read back %s", data, back.AppendJSON(nil))
		}
	})
}

// textWith replaces the holes of a text by chosen strings: a reference's by a
// non-empty one without '*'.
func textWith(v *estate.Value, fill map[string]string) string {
	var b strings.Builder
	for _, p := range v.Items() {
		switch p.Kind() {
		case estate.KindString:
			b.WriteString(p.AsString())
		case estate.KindReference:
			b.WriteString(fill[p.Reference().String()])
		default:
			b.WriteString(fill[p.Gap().Input])
		}
	}
	return b.String()
}

func TestAccountIsTwelveDigits(t *testing.T) {
	account := estate.UnknownText(estate.ReasonPseudoParameter, "AWS::AccountId")
	for _, tt := range []struct {
		name string
		got  estate.Truth
		want estate.Truth
	}{
		{"a service is none", estate.Matches(account, estate.String("s3.amazonaws.com")), estate.False},
		{"everybody is none", estate.Matches(estate.String("*"), account), estate.False},
		{"eleven digits are none", estate.Matches(account, estate.String("11112222333")), estate.False},
		{"this one or another", estate.Matches(account, estate.String("111122223333")), estate.Maybe},
		{"starts with a letter", estate.HasPrefix(account, "apigateway."), estate.False},
		{"starts with a digit", estate.HasPrefix(account, "1"), estate.Maybe},
		{"ends with letters", estate.HasSuffix(account, ".com"), estate.False},
		{"has a dot", estate.Contains(account, ".amazonaws.com"), estate.False},
		{"has a digit", estate.Contains(account, "1"), estate.Maybe},
		{"beside other text", estate.HasPrefix(estate.Text(account, estate.String("-x")), "1111222233334-"), estate.Maybe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %v, want %v", tt.got, tt.want)
			}
		})
	}
}

// TestTextLogicIsSound compares every decided answer about texts with holes to
// the answers for random completions.
func TestTextLogicIsSound(t *testing.T) {
	part := rapid.Custom(func(t *rapid.T) *estate.Value {
		switch rapid.IntRange(0, 4).Draw(t, "part") {
		case 4:
			return estate.UnknownText(estate.ReasonPseudoParameter, "AWS::AccountId")
		case 0:
			return estate.Unknown("no value", rapid.SampledFrom([]string{"u1", "u2"}).Draw(t, "u"))
		case 1:
			return estate.Ref(rapid.SampledFrom([]string{"R", "S"}).Draw(t, "r"), "Ref")
		default:
			return estate.String(rapid.StringMatching(`[ab*]{1,3}`).Draw(t, "lit"))
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a := estate.Text(rapid.SliceOfN(part, 1, 5).Draw(t, "a")...)
		b := estate.Text(rapid.SliceOfN(part, 1, 5).Draw(t, "b")...)
		probe := rapid.StringMatching(`[ab*]{0,3}|1{0,3}|1{11,13}|1{11}a`).Draw(t, "probe")
		answers := []struct {
			name   string
			answer estate.Truth
			really func(x, y string) bool
		}{
			{"equal", estate.Matches(a, b), func(x, y string) bool { return x == y }},
			{"equal to literal", estate.Matches(a, estate.String(probe)), func(x, _ string) bool { return x == probe }},
			{"prefix", estate.HasPrefix(a, probe), func(x, _ string) bool { return strings.HasPrefix(x, probe) }},
			{"suffix", estate.HasSuffix(a, probe), func(x, _ string) bool { return strings.HasSuffix(x, probe) }},
			{"contains", estate.Contains(a, probe), func(x, _ string) bool { return strings.Contains(x, probe) }},
		}
		for range 20 {
			fill := map[string]string{"AWS::AccountId": strings.Repeat("1", 12)}
			for _, hole := range []string{"u1", "u2"} {
				fill[hole] = rapid.StringMatching(`[ab*]{0,3}`).Draw(t, hole)
			}
			for _, ref := range []string{"R.Ref", "S.Ref"} {
				fill[ref] = rapid.StringMatching(`[ab]{1,3}`).Draw(t, ref)
			}
			x, y := whole(a, fill), whole(b, fill)
			for _, q := range answers {
				if q.answer != estate.Maybe && (q.answer == estate.True) != q.really(x, y) {
					t.Fatalf("%s: %s and %s (probe %q): answered %v, but %q and %q", q.name, a, b, probe, q.answer, x, y)
				}
			}
		}
	})
}

// whole is a text or a single part with its holes filled.
func whole(v *estate.Value, fill map[string]string) string {
	switch v.Kind() {
	case estate.KindString:
		return v.AsString()
	case estate.KindReference:
		return fill[v.Reference().String()]
	case estate.KindUnknown:
		return fill[v.Gap().Input]
	default:
		return textWith(v, fill)
	}
}

func testBuilder(t testing.TB) *estate.Builder {
	b := estate.NewBuilder("dir/t.yaml", "cloudformation")
	b.Problem(estate.Problem{Position: estate.Position{File: "dir/t.yaml", Line: 3, Column: 5}, Message: "wrong", Hint: "mend it"})
	b.Waive(estate.Waiver{Resource: "F", Text: "A-B because", Form: estate.WaiverComment, Position: estate.Position{File: "dir/t.yaml", Line: 8, Column: 5}})
	b.Cover(estate.Coverage{Type: "AWS::X::Y", State: estate.CoveragePartial, Reason: "macro"})
	at := estate.Position{File: "dir/t.yaml", Line: 7, Column: 9}
	b.Add(estate.Resource{
		Type: "AWS::Lambda::Function", LogicalID: "F", Source: at, Address: "Stack/F", Generated: "SAM transform",
		Exists: estate.Unknown("condition is not decided", "condition C"), ExistsInput: "condition C",
		Properties: estate.Map(
			estate.Field{Name: "Role", Value: estate.Ref("R", "Arn").At(at)},
			estate.Field{Name: "Timeout", Value: estate.Int(4).At(estate.Position{File: "module/main.tf", Line: 1, Column: 2})},
		),
	})
	b.Add(estate.Resource{Type: "AWS::IAM::Role", LogicalID: "R", Source: at})
	return b
}

func TestFileReadsBackEqual(t *testing.T) {
	m := model(t)
	write := func(s *estate.Scope) []byte {
		var buf bytes.Buffer
		if err := estate.NewWriter(&buf).Write(s); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	first := write(testBuilder(t).Build(m))
	var again []byte
	err := estate.Read("estate.jsonl", bytes.NewReader(first), func(b *estate.Builder) error {
		again = append(again, write(b.Build(m))...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(again)); diff != "" {
		t.Error(diff)
	}
}

func TestReadErrorsNameTheLine(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", "e:1:1: empty; expected an estate file"},
		{"no_header", "{}\n", `e:1:1: expected {"estate":{"version":…}} on the first line of an estate file`},
		{"newer", `{"estate":{"version":9}}` + "\n", "e:1:1: estate file version 9 is newer than this program reads (1); use a newer assay"},
		{"no_scope", `{"estate":{"version":1}}` + "\n" + `{"type":"A"}` + "\n", "e:2:1: a resource stands before the first scope line"},
		{"unknown_mark", `{"estate":{"version":1}}` + "\n" + `{"scope":{"id":"s","format":"f"}}` + "\n" + `{"type":"A","logicalId":"L","properties":{"P":{"$odd":1}}}` + "\n",
			`e:3:1: resource L: properties: unknown mark "$odd" in an estate value`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := estate.Read("e", strings.NewReader(tt.data), func(*estate.Builder) error { return nil })
			if err == nil {
				t.Fatal("read without an error")
			}
			const hint = " (write the file again with assay estate)"
			if diff := cmp.Diff(tt.want+hint, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	var buf bytes.Buffer
	if err := estate.NewWriter(&buf).Write(testBuilder(f).Build(model(f))); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Add([]byte(`{"estate":{"version":1}}`))
	m := model(f)
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = estate.Read("fuzz", bytes.NewReader(data), func(b *estate.Builder) error {
			b.Build(m)
			return nil
		})
	})
}

func BenchmarkBuild(b *testing.B) {
	m := model(b)
	builder := estate.NewBuilder("t.yaml", "cloudformation")
	for i := range 200 {
		id := "F" + strconv.Itoa(i)
		builder.Add(estate.Resource{Type: "AWS::Lambda::Function", LogicalID: id, Properties: estate.Map(
			estate.Field{Name: "Role", Value: estate.Ref("R", "Arn")},
			estate.Field{Name: "MemorySize", Value: estate.String("128")},
		)})
	}
	builder.Add(estate.Resource{Type: "AWS::IAM::Role", LogicalID: "R"})
	b.ReportAllocs()
	for b.Loop() {
		builder.Build(m)
	}
}
