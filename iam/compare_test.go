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
