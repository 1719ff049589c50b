package iam_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/iam"
)

// Resource policies of a function, and who can invoke it.
func TestPublic(t *testing.T) {
	d := data(t)
	const owner, function = "111122223333", "arn:aws:lambda:eu-central-1:111122223333:function:f"
	for _, c := range []struct{ name, statement, want string }{
		{"the owner's account", `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:InvokeFunction","Resource":"*"}`, "nobody-else"},
		{"everyone", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*"}`, "anyone anyone"},
		{"everyone of an organisation", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a"}}}`, "organization organization"},
		{"everyone who is not of an organisation", `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a"}}}`, "anyone anyone"},
		{"an organisation, if it is stated", `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a"}}}`, "anyone anyone"},
		{"all others denied", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a"}}}`, "organization organization"},
		{"another account", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:*","Resource":"*"}`, "named-accounts named-accounts(444455556666)"},
		{"a role of another account", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/r"},"Action":"lambda:*","Resource":"*"}`, "named-accounts named-accounts(444455556666)"},
		{"accounts by condition", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":["444455556666","111122223333"]}}}`, "named-accounts named-accounts(444455556666)"},
		{"all roles of a name", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deploy-*"}}}`, "any-account any-account"},
		{"a network", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`, "nobody-else anyone[aws:SourceIp]"},
		{"every network", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}}`, "anyone anyone"},
		{"a token", `{"Effect":"Allow","Principal":{"Service":"alexa-appkit.amazon.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask.skill.x"}}}`, "nobody-else any-account[lambda:EventSourceToken]via alexa-appkit.amazon.com"},
		{"a service", `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*"}`, "any-account any-account via s3.amazonaws.com"},
		{"a service for a bucket", `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"}}}`, "nobody-else"},
		{"a service for buckets of a name", `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b*"}}}`, "any-account any-account via s3.amazonaws.com"},
		{"a service for the account", `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}`, "nobody-else"},
		{"a service for another account", `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:444455556666:t"}}}`, "named-accounts named-accounts(444455556666)via sns.amazonaws.com"},
		{"a source that every account has", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:*"}}}`, "any-account any-account via another-service.amazonaws.com"},
		{"another function", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:eu-central-1:111122223333:function:g"}`, "nobody-else"},
		{"another action", `{"Effect":"Allow","Principal":"*","Action":"lambda:GetFunction","Resource":"*"}`, "nobody-else"},
		{"NotPrincipal", `{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:InvokeFunction","Resource":"*"}`, "anyone anyone"},
		{"through the URL alone", `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`, "anyone anyone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy(t, d, `{"Version":"2012-10-17","Statement":[`+c.statement+`]}`)
			got := iam.Public(iam.PublicQuestion{Action: "lambda:InvokeFunction", Resource: function, Owner: owner, Policy: p}, d, iam.Limits{})
			words := []string{got.Reach.String()}
			for _, w := range got.Ways {
				s := w.Reach.String()
				if w.Account != "" {
					s += "(" + w.Account + ")"
				}
				if len(w.Narrowed) > 0 {
					s += "[" + strings.Join(w.Narrowed, ",") + "]"
				}
				if w.Through != "" {
					s += strings.TrimPrefix("via "+w.Through, "")
				}
				words = append(words, s)
			}
			if got.Reason != "" {
				words = append(words, "doubt: "+got.AtMost.String()+" "+got.Reason)
			}
			if diff := cmp.Diff(strings.ReplaceAll(c.want, " via", "via"), strings.Join(words, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
