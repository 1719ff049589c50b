package check_test

import (
	"testing"

	"assay/internal/check"
	"assay/internal/estate"
)

func TestARN(t *testing.T) {
	m, l := library(t)
	pseudo := func(name string) string { return `{"$unknown":{"reason":"pseudo parameter","input":"` + name + `"}}` }
	parameter := `{"$unknown":{"reason":"parameter without value","input":"parameter P"}}`
	own := `{"$text":["arn:aws:lambda:",` + pseudo("AWS::Region") + `,":",` + pseudo("AWS::AccountId") + `,":layer:tools/",` + parameter + `,"/3"]}`
	for _, tt := range []struct {
		name, key, require string
		want               check.Outcome
	}{
		{"service", `"arn:aws:kms:eu-west-1:111122223333:key/k"`, `arn(subject.KmsKeyArn).service == "kms"`, check.Pass},
		{"region", `"arn:aws:kms:eu-west-1:111122223333:key/k"`, `arn(subject.KmsKeyArn).region == "eu-west-1"`, check.Pass},
		{"account", `"arn:aws:kms:eu-west-1:111122223333:key/k"`, `arn(subject.KmsKeyArn).account in ["111122223333"]`, check.Pass},
		{"partition", `"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/k"`, `arn(subject.KmsKeyArn).partition == "aws-us-gov"`, check.Pass},
		{"resource_keeps_colons", `"arn:aws:lambda:eu-west-1:111122223333:function:f:live"`, `arn(subject.KmsKeyArn).resource == "function:f:live"`, check.Pass},
		{"path", `"arn:aws:execute-api:eu-west-1:111122223333:a/*/GET/x"`, `arn(subject.KmsKeyArn).path == ["a", "*", "GET", "x"]`, check.Pass},
		{"digits", `"111122223333"`, `arn(subject.KmsKeyArn).account == "111122223333"`, check.Pass},
		{"no_arn", `"alias/own"`, `arn(subject.KmsKeyArn).account == ""`, check.Pass},
		{"parameter", parameter, `arn(subject.KmsKeyArn).account == "111122223333"`, check.Unknown},
		{"holes_known_part", own, `arn(subject.KmsKeyArn).service == "lambda"`, check.Pass},
		{"holes_path", `{"$text":["arn:aws:execute-api:",` + pseudo("AWS::Region") + `,":111122223333:",{"$ref":{"resource":"K","attribute":"Ref"}},"/*/GET"]}`, `arn(subject.KmsKeyArn).path.size() == 3 && arn(subject.KmsKeyArn).path[2] == "GET"`, check.Pass},
		{"holes_path_open", own, `arn(subject.KmsKeyArn).path.size() == 3`, check.Unknown},
		{"hole_may_hold_colons", `{"$text":["arn:aws:kms:",` + parameter + `,":111122223333:key/k"]}`, `arn(subject.KmsKeyArn).account == "111122223333"`, check.Unknown},
		{"hole_behind_what_is_asked", `{"$text":["arn:aws:kms:eu-west-1:111122223333:key/",` + parameter + `]}`, `arn(subject.KmsKeyArn).account == "111122223333"`, check.Pass},
		{"short", `"arn:aws:kms"`, `arn(subject.KmsKeyArn).service == "kms" && arn(subject.KmsKeyArn).account == ""`, check.Pass},
		{"own_account", own, `arn(subject.KmsKeyArn).account == here.account`, check.Pass},
		{"own_region", own, `arn(subject.KmsKeyArn).region == here.region`, check.Pass},
		{"own_account_alone", pseudo("AWS::AccountId"), `arn(subject.KmsKeyArn).account == here.account`, check.Pass},
		{"foreign_or_own", `"arn:aws:kms:eu-west-1:111122223333:key/k"`, `arn(subject.KmsKeyArn).account == here.account`, check.Unknown},
		{"reference", `{"$ref":{"resource":"K","attribute":"Arn"}}`, `arn(subject.KmsKeyArn).account == here.account && arn(subject.KmsKeyArn).service == "kms"`, check.Pass},
		{"reference_and_more", `{"$text":[{"$ref":{"resource":"K","attribute":"Arn"}},"/x"]}`, `arn(subject.KmsKeyArn).service == "kms" && arn(subject.KmsKeyArn).resource.endsWith("/x")`, check.Pass},
		{"reference_to_nothing", `{"$ref":{"resource":"Nested","attribute":"Outputs.Arn"}}`, `arn(subject.KmsKeyArn).service == "kms"`, check.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := scopeOf(t, m, `{"KmsKeyArn":`+tt.key+`}`).Resource("F")
			got := program(t, l, "", tt.require).Evaluate(f, check.Setting{AsOf: "2026-11-24"})
			if got.Outcome != tt.want || got.Err != nil {
				t.Errorf("%s over %s: got %+v, want %s", tt.require, tt.key, got, tt.want)
			}
		})
	}
}

func TestHere(t *testing.T) {
	m, l := library(t)
	b := estate.NewBuilder("111122223333/eu-central-1", "aws")
	b.Place("eu-central-1", "111122223333")
	b.Add(estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F", Properties: parse(t, `{"KmsKeyArn":"arn:aws:kms:eu-central-1:444455556666:key/k"}`)})
	f := b.Build(m).Resource("F")
	for require, want := range map[string]check.Outcome{
		`here.account == "111122223333" && here.region == "eu-central-1"`: check.Pass,
		`arn(subject.KmsKeyArn).account == here.account`:                  check.Fail,
		`arn(subject.KmsKeyArn).region == here.region`:                    check.Pass,
	} {
		if got := program(t, l, "", require).Evaluate(f, check.Setting{AsOf: "2026-11-24"}); got.Outcome != want || got.Err != nil {
			t.Errorf("%s: got %+v, want %s", require, got, want)
		}
	}
}
