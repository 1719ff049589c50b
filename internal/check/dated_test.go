package check_test

import (
	"testing"

	"assay/internal/check"
)

func TestDated(t *testing.T) {
	m, l := library(t)
	for require, want := range map[string]check.Outcome{
		`daysUntil("2026-11-25") == 1`:                                          check.Pass,
		`daysUntil("2026-11-24") == 0`:                                          check.Pass,
		`daysUntil("2025-11-24") == -365`:                                       check.Pass,
		`daysUntil("2026-11-25T10:00:00Z") == 1`:                                check.Pass,
		`daysSince("2026-11-14") == 10`:                                         check.Pass,
		`daysUntil("tomorrow") > 3`:                                             check.Unknown,
		`daysSince(subject.KmsKeyArn) > 3`:                                      check.Unknown,
		`tlsPolicy("ELBSecurityPolicy-2016-08").minimum < 1.2`:                  check.Pass,
		`tlsPolicy("SecurityPolicy_TLS13_1_3_FIPS_2025_09").minimum >= 1.3`:     check.Pass,
		`tlsPolicy("SecurityPolicy_TLS13_1_3_FIPS_2025_09").fips`:               check.Pass,
		`tlsPolicy("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09").quantum`:           check.Pass,
		`tlsPolicy("ELBSecurityPolicy-1999").fips`:                              check.Unknown,
		`fipsEndpoint("lambda", "us-east-1")`:                                   check.Pass,
		`fipsEndpoint("lambda", "eu-central-1")`:                                check.Fail,
		`fipsEndpoint("nothing", "eu-central-1")`:                               check.Unknown,
		`"aws:SourceArn" in sourceKeys("s3.amazonaws.com")`:                     check.Pass,
		`sourceKeys("alexa-appkit.amazon.com").exists(k, k == "aws:SourceArn")`: check.Fail,
		`sourceKeys("nobody.amazonaws.com").size() == 0`:                        check.Unknown,
		`subject.services().exists(s, s.name == "lambda")`:                      check.Pass,
		`subject.services().all(s, programme("soc", s))`:                        check.Unknown,
	} {
		f := scopeOf(t, m, `{"KmsKeyArn":{"$unknown":{"reason":"r","input":"i"}}}`).Resource("F")
		got := program(t, l, "", require).Evaluate(f, check.Setting{AsOf: "2026-11-24"})
		if got.Outcome != want || got.Err != nil {
			t.Errorf("%s: got %+v, want %s", require, got, want)
		}
	}
}
