package iam_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"assay/iam"
	"assay/tables"
)

func data(t testing.TB) *iam.Data {
	t.Helper()
	d, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func policy(t testing.TB, d *iam.Data, doc string) *iam.Policy {
	t.Helper()
	parsed, err := iam.Parse([]byte(doc))
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return iam.Compile("", parsed, d)
}

func managed(t testing.TB, d *iam.Data, name string) *iam.Policy {
	t.Helper()
	doc, _, ok := d.ManagedPolicy("arn:aws:iam::aws:policy/" + name)
	if !ok {
		t.Fatalf("no managed policy %s", name)
	}
	return policy(t, d, string(doc))
}

// roleOfFunction is a role with three policies, a boundary and two levels of
// service control policies, and a request of a function that runs under it.
func roleOfFunction(t testing.TB) (*iam.Request, *iam.PolicySet) {
	d := data(t)
	r, err := iam.NewRequest(iam.RequestSpec{
		Principal: "arn:aws:sts::111122223333:assumed-role/payments/payments", Action: "dynamodb:PutItem",
		Resource:        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders",
		Context:         map[string][]string{"aws:RequestedRegion": {"eu-central-1"}, "aws:SecureTransport": {"true"}, "dynamodb:LeadingKeys": {"a"}},
		ContextComplete: true,
	}, d)
	if err != nil {
		t.Fatal(err)
	}
	full := policy(t, d, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	return r, &iam.PolicySet{
		Identity: []*iam.Policy{
			managed(t, d, "service-role/AWSLambdaVPCAccessExecutionRole"),
			managed(t, d, "AWSXRayDaemonWriteAccess"),
			policy(t, d, `{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::ledger/*"},
				{"Effect":"Allow","Action":["sqs:SendMessage"],"Resource":"arn:aws:sqs:*:111122223333:payments-*"},
				{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query"],"Resource":["arn:aws:dynamodb:*:111122223333:table/customers","arn:aws:dynamodb:*:111122223333:table/orders"]}]}`),
		},
		Boundary: []*iam.Policy{policy(t, d, `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},
			{"Effect":"Deny","Action":"dynamodb:DeleteTable","Resource":"*"}]}`)},
		SCPs: [][]*iam.Policy{{full}, {full, policy(t, d, `{"Version":"2012-10-17","Statement":[
			{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-central-1","eu-west-1"]}}},
			{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)}},
	}
}

func BenchmarkDecide(b *testing.B) {
	r, s := roleOfFunction(b)
	if a := iam.Decide(r, s, iam.Documents); a.Decision != iam.Allowed {
		b.Fatalf("decided %s at %s", a.Decision, a.Gate)
	}
	b.ReportAllocs()
	for b.Loop() {
		iam.Decide(r, s, iam.Documents)
	}
}

func BenchmarkExplain(b *testing.B) {
	r, s := roleOfFunction(b)
	for b.Loop() {
		iam.Explain(r, s, iam.Documents)
	}
}

// line is a request with its policies, of about 3 kB; with pad it is another
// document each time.
func line(pad string) string {
	doc := `{"Version":"2012-10-17","Statement":[{"Sid":"S%s%d","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","sqs:SendMessage"],"Resource":["arn:aws:s3:::ledger/*","arn:aws:sqs:*:111122223333:payments-*"],"Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`
	var docs []string
	for i := range 3 {
		docs = append(docs, fmt.Sprintf(doc, pad, i))
	}
	full := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	return fmt.Sprintf(`{"id":"r1","principal":"arn:aws:sts::111122223333:assumed-role/payments/payments","action":"s3:GetObject","resource":"arn:aws:s3:::ledger/2026/x","resourceAccount":"111122223333","context":{"aws:SecureTransport":["true"],"aws:RequestedRegion":["eu-central-1"]},"contextComplete":true,"identityPolicies":[%s],"permissionBoundaries":[%s],"scps":[[%s],[%s]]}`,
		strings.Join(docs, ","), full, full, full)
}

func BenchmarkLines(b *testing.B) {
	b.Run("seen", func(b *testing.B) {
		l, text := iam.NewLines(data(b)), []byte(line(""))
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.Answer(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new-5kB", func(b *testing.B) {
		l := iam.NewLines(data(b))
		var statements []string
		for i := range 16 {
			statements = append(statements, fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":["s3:GetObject%d","s3:PutObject","sqs:SendMessage","dynamodb:Query"],"Resource":["arn:aws:s3:::ledger-%d/*","arn:aws:sqs:*:111122223333:payments-*"],"Condition":{"StringLike":{"aws:PrincipalTag/team":["payments","cards-*"]}}}`, i, i, i))
		}
		doc := `{"Version":"2012-10-17","Id":"######","Statement":[` + strings.Join(statements, ",") + `]}`
		text := []byte(`{"id":1,"principal":"arn:aws:sts::111122223333:assumed-role/payments/payments","action":"s3:PutObject","resource":"arn:aws:s3:::ledger-3/x","resourceAccount":"111122223333","contextComplete":true,"identityPolicies":[` + doc + `]}`)
		at := bytes.Index(text, []byte("######"))
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			copy(text[at:], fmt.Sprintf("%06d", n%1000000))
			if _, err := l.Answer(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkManaged parses, writes, parses again and compiles all policies that
// AWS manages.
func BenchmarkManaged(b *testing.B) {
	d := data(b)
	for b.Loop() {
		n := 0
		d.ManagedPolicies(func(arn string, src []byte) bool {
			doc, err := iam.Parse(src)
			if err != nil {
				b.Fatalf("%s: %v", arn, err)
			}
			text, err := doc.MarshalJSON()
			if err != nil {
				b.Fatal(err)
			}
			if doc, err = iam.Parse(text); err != nil {
				b.Fatalf("%s: %v", arn, err)
			}
			iam.Compile(arn, doc, d)
			n++
			return true
		})
		if n < 1000 {
			b.Fatalf("%d policies", n)
		}
	}
}
