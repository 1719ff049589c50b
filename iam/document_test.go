package iam_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay/iam"
)

// withoutPositions compares documents by what they say.
var withoutPositions = cmpopts.IgnoreTypes(iam.Position{})

// roundTrip writes a document and reads it again, and holds what was written to
// the source: the same JSON, but for numbers and booleans that became texts.
func roundTrip(t testing.TB, name string, src []byte) *iam.Document {
	t.Helper()
	d, err := iam.Parse(src)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	text, err := d.MarshalJSON()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	again, err := iam.Parse(text)
	if err != nil {
		t.Fatalf("%s: what was written does not parse: %v\n%s", name, err, text)
	}
	if diff := cmp.Diff(d, again, withoutPositions); diff != "" {
		t.Errorf("%s: (-read +read again):\n%s", name, diff)
	}
	if diff := cmp.Diff(texts(t, src), texts(t, text)); diff != "" {
		t.Errorf("%s: (-source +written):\n%s", name, diff)
	}
	return d
}

// texts decodes JSON with every scalar as text, and without empty conditions.
func texts(t testing.TB, src []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				v[k] = walk(x)
				if m, ok := v[k].(map[string]any); ok && len(m) == 0 && k != "Principal" && k != "NotPrincipal" {
					delete(v, k)
				}
				if v[k] == "" && (k == "Sid" || k == "Id" || k == "Version") {
					delete(v, k)
				}
			}
			return v
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
			return v
		case string:
			return v
		default:
			return fmt.Sprint(v)
		}
	}
	return walk(v)
}

// TestManaged holds parsing, writing and compiling to all policies that AWS
// manages, and to the published copy of them where it is there.
func TestManaged(t *testing.T) {
	d := data(t)
	n := 0
	d.ManagedPolicies(func(arn string, src []byte) bool {
		doc := roundTrip(t, arn, src)
		iam.Compile(arn, doc, d)
		for _, issue := range iam.Validate(src, iam.IdentityPolicy, nil) {
			if issue.Level == iam.LevelError && issue.Code != "too-large" && issue.Code != "duplicate-sid" {
				t.Errorf("%s: %s", arn, issue)
			}
		}
		if found, _, ok := d.ManagedPolicy(strings.Replace(arn, "arn:aws:", "arn:aws-us-gov:", 1)); !ok || !bytes.Equal(found, src) {
			t.Errorf("%s is not found by its ARN", arn)
		}
		n++
		return true
	})
	if n < 1400 {
		t.Errorf("%d policies in the table", n)
	}
	for _, arn := range []string{"arn:aws:iam::aws:policy/", "arn:aws:iam::aws:policy/ZZZ", "arn:aws:iam::aws:policy/AAA", "AdministratorAccess", ""} {
		if _, _, ok := d.ManagedPolicy(arn); ok {
			t.Errorf("%q is found", arn)
		}
	}

	const published = "../../shared/corpus/aws-managed-policies.jsonl"
	f, err := os.Open(published)
	if err != nil {
		t.Logf("the published copy of AWS's managed policies is not there (%v); the table of our own was read", err)
		return
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for n = 0; s.Scan(); n++ {
		var p struct {
			Name     string
			Document json.RawMessage
		}
		if err := json.Unmarshal(s.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		iam.Compile(p.Name, roundTrip(t, p.Name, p.Document), d)
	}
	t.Logf("%d published policies", n)
}

// TestGrammar reads every form of the grammar.
func TestGrammar(t *testing.T) {
	for _, src := range []string{
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
		`{"Version":"2008-10-17","Id":"x","Statement":[{"Sid":"","Effect":"Deny","NotAction":["a:b"],"NotResource":["*"]}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:Get*"],"Resource":["arn:aws:s3:::a"]}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*","Service":["a.amazonaws.com"],"Federated":"cognito-identity.amazonaws.com","CanonicalUser":["x"]},"Action":"sts:AssumeRole"}]}`,
		`{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333"]},"Action":"*","Resource":"*"}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":10.5},"Bool":{"aws:SecureTransport":true,"aws:ViaAWSService":["false",true]}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}]}`,
		`{"Statement":[]}`,
	} {
		roundTrip(t, src, []byte(src))
	}
}

// TestParseErrors holds messages to what is wrong, with its place.
func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"nothing", ``, `1:1: error: the document ends too early; expected JSON [json-syntax]`},
		{"not closed", "{\n \"Statement\": [", `2:16: error: the document ends too early; expected JSON [json-syntax]`},
		{"not JSON", `{"Statement": nope}`, `1:16: error: not valid JSON: invalid character 'o' in literal null (expecting 'u') [json-syntax]`},
		{"a list", `[]`, `1:1: error: the policy is not an object; expected { … } [data-type]`},
		{"two", `{"Statement":[]} {}`, `1:18: error: something follows the policy; expected its end [json-syntax]`},
		{"no statement", `{"Version":"2012-10-17"}`, `1:1: error: the policy has no Statement [missing-statement]`},
		{"version", `{"Version":"2012","Statement":[]}`, `1:2: error: Version "2012"; expected "2012-10-17" or "2008-10-17" [invalid-version]`},
		{"element", "{\"Statement\":[{\n\"Effect\":\"Allow\",\"Actions\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}", `2:18: error: a statement has no element "Actions"; expected Sid, Effect, Principal, Action, Resource, Condition or one of their Not forms [unknown-element]`},
		{"effect", `{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}`, `1:15: error: Effect "allow"; expected "Allow" or "Deny" [invalid-effect]`},
		{"no effect", `{"Statement":{"Action":"*","Resource":"*"}}`, `1:14: error: the statement has no Effect; expected "Allow" or "Deny" [missing-effect]`},
		{"no action", `{"Statement":{"Effect":"Deny","Resource":"*"}}`, `1:14: error: the statement has neither Action nor NotAction [missing-action]`},
		{"both", `{"Statement":{"Effect":"Deny","Action":"*","NotAction":"*","Resource":"*"}}`, `1:14: error: the statement has both Action and NotAction; expected one of them [both-action]`},
		{"type", `{"Statement":{"Effect":"Deny","Action":{"a":1},"Resource":"*"}}`, `1:40: error: Action is neither a text nor a list of texts [data-type]`},
		{"twice", `{"Statement":{"Effect":"Deny","Effect":"Deny","Action":"*","Resource":"*"}}`, `1:31: error: a statement has "Effect" twice; AWS keeps one of them only [duplicate-key]`},
		{"operator", `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEqual":{"a":"b"}}}}`, `1:72: error: there is no condition operator "StringEqual"; did you mean StringEquals? [invalid-operator]`},
		{"principal", `{"Statement":{"Effect":"Deny","Principal":{"Aws":"*"},"Action":"*"}}`, `1:44: error: Principal has no kind "Aws"; expected AWS, Service, Federated or CanonicalUser [invalid-principal]`},
		{"principal text", `{"Statement":{"Effect":"Deny","Principal":"111122223333","Action":"*"}}`, `1:43: error: Principal is the text "111122223333"; expected "*" or an object such as {"AWS": …} [invalid-principal]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := iam.Parse([]byte(tt.src))
			var parse *iam.ParseError
			if !errors.As(err, &parse) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(tt.want, parse.Issues[0].String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestValidate holds the codes of what is wrong with documents that parse.
func TestValidate(t *testing.T) {
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[{` + s + `}]}` }
	const all = `"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"`
	for _, tt := range []struct {
		name, use, src string
		want           []string
	}{
		{"nothing wrong", "identity", statement(all), nil},
		{"no version", "identity", `{"Statement":{` + all + `}}`, []string{"missing-version"}},
		{"old version", "identity", `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/${aws:username}"}}`, []string{"old-version", "variable-in-old-version"}},
		{"same sid", "identity", `{"Version":"2012-10-17","Statement":[{"Sid":"a",` + all + `},{"Sid":"a",` + all + `}]}`, []string{"duplicate-sid"}},
		{"action", "identity", statement(`"Effect":"Allow","Action":["s3:GetObjet","s4:Get","s3","*:List"," s3:GetObject","sqs:*"],"Resource":"*"`), []string{"unknown-action", "unknown-service", "invalid-action", "invalid-service", "blank-in-action", "allow-all-of-service"}},
		{"empty lists", "identity", statement(`"Effect":"Allow","Action":[],"Resource":[],"Condition":{"StringEquals":{"aws:PrincipalTag/a":[]}}`), []string{"empty-list", "empty-list", "empty-condition"}},
		{"covered", "identity", statement(`"Effect":"Allow","Action":["s3:Get*","S3:GetObject"],"Resource":["*","arn:aws:s3:::a"]`), []string{"redundant-action", "redundant-resource"}},
		{"not action", "identity", statement(`"Effect":"Allow","NotAction":"iam:*","Resource":"*"`), []string{"allow-notaction"}},
		{"not both", "identity", statement(`"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::a"`), []string{"allow-notaction-notresource"}},
		{"resource", "identity", statement(`"Effect":"Allow","Action":"s3:GetObject","Resource":["bucket","arn:aws:s3","arn:asw:s3:::a","arn:aws:s*:::a","arn:aws:sqs:eu-central-1:1111:q","arn:aws:sqs:eu-central-1:${aws:PrincipalAccount}:q"]`), []string{"invalid-arn", "short-arn", "invalid-partition", "resource-of-other-actions", "wildcard-service", "invalid-account", "resource-of-other-actions", "variable-before-resource"}},
		{"resources of others", "identity", statement(`"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*","arn:aws:s3:eu-central-1:111122223333:a/*","arn:aws:sqs:eu-central-1:111122223333:q","arn:aws:s3:::${aws:username}*"]`), []string{"resource-of-other-actions", "resource-of-other-actions"}},
		{"no resource in particular", "identity", statement(`"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"arn:aws:ec2:*:*:instance/*"`), []string{"resource-of-other-actions"}},
		{"all buckets", "identity", statement(`"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::*"`), nil},
		{"variables", "identity", statement(`"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::a/${aws:username","arn:aws:s3:::a/${aws:*}","arn:aws:s3:::a/${}","arn:aws:s3:::a/${aws:PrincipalTag/x, 'a}","arn:aws:s3:::a/${ aws:username}","arn:aws:s3:::a/${aws:TagKeys}","arn:aws:s3:::a/${aws:usernam}","arn:aws:s3:::a/${aws:PrincipalTag/x, 'a'}/${*}/${jwt:sub}"]`), slices.Repeat([]string{"invalid-variable"}, 7)},
		{"variable in a condition", "identity", statement(all + `,"Condition":{"StringLike":{"aws:PrincipalTag/a":"${aws:TagKeys}"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:PrincipalAcount}:role/x"}}`), []string{"invalid-variable", "invalid-variable"}},
		{"sid", "identity", statement(`"Sid":"a-b",` + all), []string{"invalid-sid"}},
		{"sid of a bucket policy", "resource", statement(`"Sid":"a b-c","Principal":{"AWS":"111122223333"},` + all), nil},
		{"key in two cases", "identity", statement(all + `,"Condition":{"StringEquals":{"aws:PrincipalTag/a":"x","AWS:principaltag/A":"y"}}`), []string{"duplicate-key"}},
		{"two booleans", "identity", statement(all + `,"Condition":{"Bool":{"aws:SecureTransport":["true","false"]}}`), []string{"multiple-booleans"}},
		{"private addresses", "identity", statement(all + `,"Condition":{"IpAddress":{"aws:SourceIp":["10.1.0.0/16","192.168.0.1"]},"NotIpAddress":{"aws:SourceIp":"fd00::/8"}}`), []string{"private-address", "private-address"}},
		{"some private addresses", "identity", statement(all + `,"Condition":{"IpAddress":{"aws:SourceIp":["10.1.0.0/16","203.0.113.0/24","8.0.0.0/5"]}}`), nil},
		{"no statements", "identity", `{"Version":"2012-10-17","Statement":[]}`, []string{"missing-statement"}},
		{"trust in another service", "trust", statement(`"Principal":{"Federated":"*"},"Effect":"Allow","Action":"s3:GetObject"`), []string{"wildcard-in-principal", "not-of-trust"}},
		{"rcp of another service", "rcp", statement(`"Principal":"*","Effect":"Deny","Action":"lambda:InvokeFunction","Resource":"*"`), []string{"rcp-service"}},
		{"rcp of all but", "rcp", statement(`"Principal":"*","Effect":"Deny","NotAction":"s3:GetObject","Resource":"*"`), []string{"rcp-notaction"}},
		{"pass all but one", "identity", statement(`"Effect":"Allow","Action":"iam:PassRole","NotResource":"arn:aws:iam::111122223333:role/a"`), []string{"pass-any-role"}},
		{"pass the roles of all", "identity", statement(`"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::*:role/*"`), []string{"pass-any-role"}},
		{"any service-linked role", "identity", statement(`"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*"`), []string{"any-service-linked-role"}},
		{"a service-linked role", "identity", statement(`"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":"lambda.amazonaws.com"}}`), nil},
		{"no resource", "identity", statement(`"Effect":"Allow","Action":"s3:GetObject"`), []string{"missing-resource"}},
		{"a principal", "identity", statement(`"Principal":"*",` + all), []string{"unexpected-principal"}},
		{"no principal", "resource", statement(all), []string{"missing-principal"}},
		{"principals", "resource", statement(`"Principal":{"AWS":["arn:aws:iam::111122223333:user/*","AROAEXAMPLEEXAMPLE12","somebody","111122223333"],"Service":["lambda","lambda.amazonaws.com"]},` + all), []string{"wildcard-in-principal", "deleted-principal", "invalid-principal", "invalid-service-principal"}},
		{"everybody else", "resource", statement(`"NotPrincipal":{"AWS":"111122223333"},` + all), []string{"allow-notprincipal"}},
		{"not principal", "resource", statement(`"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*","NotPrincipal":{"AWS":"111122223333"}`), []string{"deny-notprincipal"}},
		{"trust", "trust", statement(`"Principal":{"Service":"lambda.amazonaws.com"},"Effect":"Allow","Action":"sts:AssumeRole"`), nil},
		{"trust of a resource", "trust", statement(`"Principal":{"Service":"lambda.amazonaws.com"},"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"`), []string{"unexpected-resource"}},
		{"rcp", "rcp", statement(`"Principal":{"AWS":"*"},"Effect":"Allow","Action":"s3:GetObject","Resource":"*"`), []string{"rcp-allow", "rcp-principal"}},
		{"scp", "scp", statement(`"Effect":"Allow","Action":"s3:*","Resource":"*"`), nil},
		{"pass any role", "identity", statement(`"Effect":"Allow","Action":"iam:PassRole","Resource":"*"`), []string{"pass-any-role"}},
		{"pass to a service", "identity", statement(`"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}`), nil},
		{"values", "identity", statement(all + `,"Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"soon"},"IpAddress":{"aws:SourceIp":"10.0.0.0/33"},"DateLessThan":{"aws:CurrentTime":"tomorrow"},"Bool":{"aws:SecureTransport":"yes"},"ArnLike":{"aws:PrincipalArn":"admin"},"StringEquals":{"aws:PrincipalTag/a":"b*"}}`), []string{"invalid-value", "invalid-value", "invalid-value", "invalid-value", "invalid-arn", "literal-wildcard"}},
		{"keys", "identity", statement(all + `,"Condition":{"StringEquals":{"aws:SourceIpp":"a","s3:nope":"b","nope":"c","lambda:FunctionArn":"d"}}`), []string{"unknown-key", "unknown-key", "invalid-key", "key-of-other-actions"}},
		{"sets", "identity", statement(all + `,"Condition":{"StringEquals":{"aws:TagKeys":"a"},"ForAnyValue:StringEquals":{"aws:PrincipalAccount":"111122223333"},"ForAllValues:StringEquals":{"aws:TagKeys":"b"}}`), []string{"set-operator-missing", "set-operator-on-single", "forallvalues-allow"}},
		{"guarded set", "identity", statement(all + `,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"b"},"Null":{"aws:TagKeys":"false"}}`), nil},
		{"operator of another type", "identity", statement(all + `,"Condition":{"IpAddress":{"aws:PrincipalArn":"10.0.0.0/8"}}`), []string{"operator-of-another-type"}},
		{"no values", "identity", statement(all + `,"Condition":{"StringEquals":{"aws:PrincipalTag/a":[]}}`), []string{"empty-condition"}},
		{"too long", "scp", statement(`"Effect":"Deny","Resource":"*","Action":["` + strings.Repeat(`s3:GetObject","`, 400) + `s3:GetObject"]`), []string{"too-large"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			use, ok := iam.ParseKind(tt.use)
			if !ok {
				t.Fatal(tt.use)
			}
			var got []string
			for _, i := range iam.Validate([]byte(tt.src), use, data(t)) {
				got = append(got, i.Code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if !slices.Contains(iam.Kinds(), "rcp") {
		t.Error("no kind rcp")
	}
}

// FuzzParse: no input hangs or panics, and what parses is written and read as
// the same document.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:Get*"],"Resource":"arn:aws:s3:::${aws:username}/*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":["a",1,true]}}}]}`))
	f.Add([]byte(`{"Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":"*","NotResource":"*"}}`))
	f.Add([]byte(`[{"Statement":`))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := iam.Parse(src)
		if err != nil {
			var parse *iam.ParseError
			if !errors.As(err, &parse) || len(parse.Issues) == 0 || parse.Issues[0].At.Line < 1 || parse.Issues[0].At.Column < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		text, err := d.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := iam.Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(d, again, withoutPositions, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-read +read again):\n%s", diff)
		}
		iam.Compile("", d, nil)
		iam.Validate(src, iam.ResourcePolicy, nil)
	})
}
