package iam_test

import (
	"testing"

	"assay/iam"
)

// Two documents, and how what they allow is related.
func TestCompareRelations(t *testing.T) {
	d := data(t)
	for _, c := range []struct{ name, a, b, want string }{
		{"a bucket in all", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"}}`, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, "narrower"},
		{"all but one service", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}`, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "narrower"},
		{"a Deny under a condition", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`, "broader"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := iam.Compare(policy(t, d, c.a), policy(t, d, c.b), d, iam.Limits{})
			if got.Relation.String() != c.want {
				t.Errorf("got %s, want %s: %+v", got.Relation, c.want, got)
			}
		})
	}
}

// A statement that may not be there leaves the list of what a role may do open,
// whatever the others give.
func TestEffectiveOpen(t *testing.T) {
	d := data(t)
	text := func(s string) *iam.Texts { return &iam.Texts{Values: []iam.Text{{Value: s}}, Single: true} }
	p := iam.Compile("p", &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{
		{Effect: iam.Allow, Action: text("s3:GetObject"), Resource: text("*")},
		{Effect: iam.Allow, Action: text("sqs:SendMessage"), Resource: text("*"), Open: true},
	}}, d)
	spec := iam.RequestSpec{Principal: "arn:aws:iam::111122223333:role/r", ResourceAccount: "111122223333"}
	list, proof := iam.Effective(spec, &iam.PolicySet{Identity: []*iam.Policy{p}}, nil, d, iam.Limits{})
	if len(list) != 1 || proof.Verdict != iam.Undecided || proof.Reason == "" {
		t.Errorf("got %d residuals, %+v; want one, and an open list", len(list), proof)
	}
}
