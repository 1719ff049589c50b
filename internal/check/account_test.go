package check_test

import (
	"strings"
	"testing"

	"assay/internal/check"
	"assay/internal/estate"
)

// TestAccount shows the open world of a template and the closed one of a live
// account.
func TestAccount(t *testing.T) {
	m, l := library(t)
	const require = `account("AWS::CloudTrail::Trail").exists(c, c.IsLogging)`
	trail := estate.Resource{Type: "AWS::CloudTrail::Trail", LogicalID: "T", Properties: parse(t, `{"IsLogging":true}`)}
	off := estate.Resource{Type: "AWS::CloudTrail::Trail", LogicalID: "T", Properties: parse(t, `{"IsLogging":false}`)}
	for _, tt := range []struct {
		name, format string
		trails       []estate.Resource
		denied       string
		want         check.Outcome
	}{
		{"template_without", "cloudformation", nil, "", check.Unknown},
		{"template_with", "cloudformation", []estate.Resource{trail}, "", check.Pass},
		{"template_with_one_that_is_off", "cloudformation", []estate.Resource{off}, "", check.Unknown},
		{"live_without", "aws", nil, "", check.Fail},
		{"live_with", "aws", []estate.Resource{trail}, "", check.Pass},
		{"live_off", "aws", []estate.Resource{off}, "", check.Fail},
		{"live_denied", "aws", nil, "AWS::CloudTrail::Trail", check.Unknown},
		{"live_denied_all", "aws", nil, "*", check.Unknown},
		{"live_other_type_denied", "aws", nil, "AWS::SQS::Queue", check.Fail},
		{"live_with_though_denied", "aws", []estate.Resource{trail}, "AWS::CloudTrail::Trail", check.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := estate.NewBuilder("s", tt.format)
			b.Add(estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F"})
			for _, r := range tt.trails {
				b.Add(r)
			}
			if tt.denied != "" {
				b.Cover(estate.Coverage{Type: tt.denied, State: estate.CoverageDenied, Reason: "AccessDenied"})
			}
			got := program(t, l, "", require).Evaluate(b.Build(m).Resource("F"), check.Setting{})
			if got.Outcome != tt.want || got.Err != nil {
				t.Errorf("got %+v, want %s", got, tt.want)
			}
			if got.Outcome == check.Unknown && len(got.Missing) == 0 {
				t.Error("nothing is named that would decide it")
			}
		})
	}
}

func TestAccountRegions(t *testing.T) {
	m, l := library(t)
	build := func(region string, resources ...estate.Resource) *estate.Builder {
		b := estate.NewBuilder("111122223333/"+region, "aws")
		b.Place(region, "111122223333")
		b.Tie("account")
		for _, r := range resources {
			b.Add(r)
		}
		return b
	}
	scopes := estate.Build(m, []*estate.Builder{
		build("eu-central-1", estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F"}),
		build("eu-west-1", estate.Resource{Type: "AWS::GuardDuty::Detector", LogicalID: "D"}),
		build("", estate.Resource{Type: "AWS::IAM::Role", LogicalID: "R"}),
	})
	for require, want := range map[string]check.Outcome{
		`account("AWS::GuardDuty::Detector").size() == 0`: check.Pass, // of another region
		`account("AWS::IAM::Role").size() == 1`:           check.Pass, // of all regions
	} {
		if got := program(t, l, "", require).Evaluate(scopes[0].Resource("F"), check.Setting{}); got.Outcome != want {
			t.Errorf("%s: got %+v, want %s", require, got, want)
		}
	}
}

func TestAccountIsTyped(t *testing.T) {
	_, l := library(t)
	for source, want := range map[string]string{
		`account("AWS::CloudTrail::Trail").exists(t, t.IsLoging)`:              "undefined field 'IsLoging'",
		`account("Assay::KMS::KeyRotationStatus").exists(k, has(k.Rotations))`: "has no property Rotations",
		`account("AWS::CloudTrail::Tral").size() > 0`:                          "undefined field 'AWS::CloudTrail::Tral'",
		`account(subject.Runtime).size() > 0`:                                  "a type that is written out",
	} {
		f, err := check.Parse("TEST.yaml", []byte("id: TEST-CHECK\nsubject: AWS::Lambda::Function\nrequire: '"+source+"'\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Type(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one with %q", source, err, want)
		}
	}
}
