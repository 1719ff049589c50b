package assess_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/collect"
)

func TestRisk(t *testing.T) {
	for _, tt := range []struct {
		critical, high, medium, low, info, want int
	}{
		{0, 0, 0, 0, 0, 0},
		{0, 0, 0, 0, 9, 0},
		{0, 0, 0, 1, 0, 6},
		{0, 0, 1, 0, 0, 18},
		{0, 1, 0, 0, 0, 42},
		{1, 0, 0, 0, 0, 68},
		{0, 0, 10, 20, 0, 54},
		{5, 4, 3, 1, 0, 92},
		{50, 50, 50, 50, 0, 100},
	} {
		got := assess.Risk(map[check.Severity]int{check.Critical: tt.critical, check.High: tt.high, check.Medium: tt.medium, check.Low: tt.low, check.Info: tt.info})
		if got != tt.want {
			t.Errorf("%+v: got %d", tt, got)
		}
	}
}

// TestRiskIsMonotone: a failure that is mended, or that becomes less severe,
// never raises the number, which stays between 0 and 100.
func TestRiskIsMonotone(t *testing.T) {
	severities := []check.Severity{check.Info, check.Low, check.Medium, check.High, check.Critical}
	rapid.Check(t, func(t *rapid.T) {
		failures := map[check.Severity]int{}
		for _, s := range severities {
			failures[s] = rapid.IntRange(0, 40).Draw(t, s.String())
		}
		before := assess.Risk(failures)
		if before < 0 || before > 100 {
			t.Fatalf("%v: %d", failures, before)
		}
		mended := rapid.SampledFrom(severities).Draw(t, "mended")
		if failures[mended] == 0 {
			return
		}
		failures[mended]--
		if lower := rapid.IntRange(-1, int(mended)-1).Draw(t, "now"); lower >= 0 {
			failures[severities[lower]]++
		}
		if after := assess.Risk(failures); after > before {
			t.Fatalf("%v: %d rises to %d", failures, before, after)
		}
	})
}

// messages keeps what a run says of functions and findings.
type messages struct {
	assess.Nothing
	functions []*assess.Function
	findings  []*assess.Finding
	order     []string
}

func (m *messages) Coverage(*assess.Coverage) error {
	m.order = append(m.order, "coverage")
	return nil
}

func (m *messages) Function(f *assess.Function) error {
	m.functions = append(m.functions, f)
	m.order = append(m.order, "function")
	return nil
}

func (m *messages) Finding(f *assess.Finding) error {
	m.findings = append(m.findings, f)
	m.order = append(m.order, "finding")
	return nil
}

func assessTemplate(t *testing.T, cfg assess.Config, template string) *messages {
	t.Helper()
	m := &messages{}
	if _, err := assess.Run(t.Context(), cfg, [][]collect.Found{{collect.Stdin}}, strings.NewReader(template), m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *messages) finding(t *testing.T, check string) *assess.Finding {
	t.Helper()
	for _, f := range m.findings {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("no finding of %s", check)
	return nil
}

// TestSeverityFollowsExposureAndData: the same fault on four functions.
func TestSeverityFollowsExposureAndData(t *testing.T) {
	const open = `
  U: {Type: AWS::Lambda::Url, Properties: {AuthType: NONE, TargetFunctionArn: !GetAtt F.Arn}}
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionUrlAuthType: NONE}}`
	const card = `, Tags: [{Key: data-classification, Value: CHD}]`
	var last int
	for _, tt := range []struct {
		name, tags, more string
		want             check.Severity
		because          int
	}{
		{"internal", "", "", check.Medium, 0},
		{"internal with card data", card, "", check.High, 1},
		{"public", "", open, check.High, 1},
		{"public with card data", card, open, check.Critical, 2},
	} {
		m := assessTemplate(t, config(t), "Resources:\n  F: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13"+tt.tags+"}}"+tt.more+"\n")
		f := m.finding(t, "LAMBDA-CODE-SIGNING")
		if f.Severity != tt.want {
			t.Errorf("%s: severity %s, want %s", tt.name, f.Severity, tt.want)
		}
		if got := f.Raised; (got == nil) != (tt.because == 0) || got != nil && (len(got.Because) != tt.because || got.From != check.Medium) {
			t.Errorf("%s: raised %+v", tt.name, got)
		}
		if risk := m.functions[0].Risk; risk <= last {
			t.Errorf("%s: risk %d is not above %d", tt.name, risk, last)
		} else {
			last = risk
		}
		if len(m.functions) != 1 || m.functions[0].AtMost < m.functions[0].Risk || len(m.functions[0].Contributors) == 0 {
			t.Errorf("%s: %+v", tt.name, m.functions)
		}
		if got := strings.Join(m.order[:3], " "); got != "coverage function finding" {
			t.Errorf("%s: the messages come as %s", tt.name, got)
		}
	}
	// What a check is about itself does not raise it.
	m := assessTemplate(t, config(t), "Resources:\n  F: {Type: AWS::Lambda::Function}\n  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: 'lambda:InvokeFunction', Principal: sns.amazonaws.com}}\n")
	if f := m.finding(t, "LAMBDA-POLICY-SOURCE-SCOPED"); f.Raised != nil || f.Severity != check.Medium {
		t.Errorf("a permission for strangers: %s, %+v", f.Severity, f.Raised)
	}
}

// TestMendingNeverRaisesRisk mends the failures of a function one by one.
func TestMendingNeverRaisesRisk(t *testing.T) {
	steps := []struct{ from, to string }{
		{"AuthType: NONE", "AuthType: AWS_IAM"},
		{"python3.8", "python3.13"},
		{"DB_PASSWORD: hunter2hunter2", "STAGE: dev"},
		{"Action: '*'", "Action: 's3:GetObject'"},
		{"Mode: PassThrough", "Mode: Active"},
	}
	template := `Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.8, Role: !GetAtt R.Arn, TracingConfig: {Mode: PassThrough}, Environment: {Variables: {DB_PASSWORD: hunter2hunter2}}, Tags: [{Key: DataClass, Value: x}, {Key: DataClassification, Value: phi}]}}
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}
      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}}]
  U: {Type: AWS::Lambda::Url, Properties: {AuthType: NONE, TargetFunctionArn: !GetAtt F.Arn}}
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionUrlAuthType: NONE}}
`
	before := assessTemplate(t, config(t), template).functions[0].Risk
	for _, step := range steps {
		if !strings.Contains(template, step.from) {
			t.Fatalf("the template has no %s", step.from)
		}
		template = strings.Replace(template, step.from, step.to, 1)
		after := assessTemplate(t, config(t), template).functions[0].Risk
		if after > before {
			t.Errorf("%s: the risk rises from %d to %d", step.to, before, after)
		}
		before = after
	}
}
