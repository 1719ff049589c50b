package iam_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/iam"
)

// The time that any of these inputs may take. They take a fraction of it; what
// it is for is an input that would take for ever.
const patience = 20 * time.Second

func within(t *testing.T, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > patience {
		t.Errorf("%s took %s", what, took)
	} else {
		t.Logf("%s: %s", what, took.Round(time.Millisecond))
	}
}

func repeat(n int, f func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = f(i)
	}
	return strings.Join(parts, ",")
}

// TestBigDocuments parses, validates, compiles and decides documents of
// megabytes.
func TestBigDocuments(t *testing.T) {
	d := data(t)
	long := func(s string, n int) string { return strings.Repeat(s, n) }
	for name, statements := range map[string]string{
		"many statements": repeat(20_000, func(i int) string {
			return fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":["s3:GetObject","s3:Put*"],"Resource":"arn:aws:s3:::ledger-%d/*","Condition":{"StringLike":{"aws:PrincipalTag/t":"a*"}}}`, i, i)
		}),
		"many actions": `{"Effect":"Allow","Resource":"*","Action":[` + repeat(200_000, func(i int) string { return fmt.Sprintf(`"s3:GetObjectt%d"`, i) }) + `],"Condition":{"StringEquals":{"s3:nope":"a"}}}`,
		"many conditions": `{"Effect":"Allow","Resource":"*","Action":["s3:Get*","s3:Put*"],"Condition":{"StringLike":{"s3:prefix":"a*",` +
			repeat(5_000, func(i int) string { return fmt.Sprintf(`"aws:PrincipalTag/t%d":["*a*b*","c"]`, i) }) + `},"ForAllValues:StringNotLike":{` +
			repeat(5_000, func(i int) string { return fmt.Sprintf(`"lambda:FunctionArn%d":"${aws:PrincipalTag/t%d}"`, i, i) }) + `}}}`,
		"long lists that cover each other": repeat(60, func(int) string {
			return `{"Effect":"Allow","Action":["s3:*"],"Resource":[` + repeat(200, func(i int) string { return fmt.Sprintf(`"arn:aws:s3:::%s%d"`, long("*a", 200), i) }) + `]}`
		}),
		"a long pattern": `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::` + long("*a?", 500_000) + `"}`,
		"deep nesting":   `{"Effect":"Allow","Action":` + long("[", 100_000),
		"no end":         `{"Effect":"` + long("x", 6<<20),
	} {
		t.Run(name, func(t *testing.T) {
			src := []byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)
			within(t, fmt.Sprintf("%d bytes", len(src)), func() {
				issues := iam.Validate(src, iam.IdentityPolicy, d)
				if len(issues) == 0 || len(issues) > iam.MaxIssues {
					t.Errorf("%d issues", len(issues))
				}
				doc, err := iam.Parse(src)
				if err != nil {
					var parse *iam.ParseError
					if !errors.As(err, &parse) || parse.Issues[0].At.Column < 2 {
						t.Errorf("an error without a place: %v", err)
					}
					return
				}
				r, err := iam.NewRequest(iam.RequestSpec{Principal: "arn:aws:iam::111122223333:user/ann", Action: "s3:GetObject", Resource: "arn:aws:s3:::" + long("a", 2000), ResourceAccount: "111122223333"}, d)
				if err != nil {
					t.Fatal(err)
				}
				iam.Explain(r, &iam.PolicySet{Identity: []*iam.Policy{iam.Compile("", doc, d)}}, iam.Documents)
			})
		})
	}
	within(t, "a document that is too large", func() {
		_, err := iam.Parse([]byte(strings.Repeat(" ", iam.MaxDocument+1)))
		var parse *iam.ParseError
		if !errors.As(err, &parse) || parse.Issues[0].Code != "too-large" {
			t.Errorf("got %v", err)
		}
	})
}

// TestAdversaries matches patterns that take a backtracking matcher for ever, in
// each place where there are patterns. What is given up on is unknown.
func TestAdversaries(t *testing.T) {
	const account = "111122223333"
	for _, tt := range []struct {
		name, pattern, text string
		want                iam.Decision
	}{
		{"stars", strings.Repeat("*a", 500) + "?c", strings.Repeat("a", 100_000) + "b", iam.ImplicitDeny},
		{"stars that match", strings.Repeat("*a", 500) + "*", strings.Repeat("a", 100_000) + "b", iam.Allowed},
		{"marks", "*" + strings.Repeat("?", 1000) + "b", strings.Repeat("a", 20_000), iam.ImplicitDeny},
		{"beyond the bound", "*" + strings.Repeat("?", 1_000_000) + "b", strings.Repeat("a", 2_000_000), iam.Unknown},
		{"a variable", strings.Repeat("*a", 500) + "${aws:PrincipalTag/t}", strings.Repeat("a", 100_000) + "b", iam.Unknown},
	} {
		set := func(statement string) *iam.PolicySet {
			return &iam.PolicySet{Identity: []*iam.Policy{policy(t, nil, `{"Version":"2012-10-17","Statement":[`+statement+`]}`)}}
		}
		for place, ask := range map[string]struct {
			spec iam.RequestSpec
			set  *iam.PolicySet
		}{
			"resource": {
				iam.RequestSpec{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + tt.text},
				set(`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::` + tt.pattern + `"}`),
			},
			"action": {
				iam.RequestSpec{Action: "s3:" + tt.text, Resource: "*"},
				set(`{"Effect":"Allow","Action":"s3:` + tt.pattern + `","Resource":"*"}`),
			},
			"condition": {
				iam.RequestSpec{Action: "s3:GetObject", Resource: "*", Context: map[string][]string{"aws:UserAgent": {tt.text}}},
				set(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":"` + tt.pattern + `"}}}`),
			},
			"condition on an ARN": {
				iam.RequestSpec{Action: "s3:GetObject", Resource: "*", Context: map[string][]string{"aws:SourceArn": {"arn:aws:s3:::" + tt.text}}},
				set(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::` + tt.pattern + `"}}}`),
			},
		} {
			if place == "action" && strings.Contains(tt.pattern, "$") || place != "resource" && tt.want == iam.Unknown && len(tt.pattern) > 100_000 {
				continue // no variables there; and the bound takes its time
			}
			within(t, tt.name+", "+place, func() {
				ask.spec.Principal, ask.spec.ResourceAccount = "arn:aws:iam::"+account+":user/ann", account
				r, err := iam.NewRequest(ask.spec, nil)
				if err != nil {
					t.Fatal(err)
				}
				if a := iam.Decide(r, ask.set, iam.Documents); a.Decision != tt.want {
					t.Errorf("%s, %s: %s, want %s", tt.name, place, a.Decision, tt.want)
				}
			})
		}
	}
}
