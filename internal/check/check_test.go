package check_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/check"
	"assay/internal/estate"
	"assay/tables"
)

func library(t testing.TB) (*estate.Model, *check.Library) {
	t.Helper()
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := check.NewLibrary(m, check.Tables{Runtimes: tables.Runtimes(), TLSPolicies: tables.TLSPolicies(), FIPSEndpoints: tables.FIPSEndpoints(), ServicePrincipals: tables.ServicePrincipals(), Programmes: tables.Programmes()})
	if err != nil {
		t.Fatal(err)
	}
	return m, l
}

func program(t testing.TB, l *check.Library, applies, require string) *check.Program {
	t.Helper()
	src := "id: TEST-CHECK\ntitle: t\nseverity: low\nsubject: AWS::Lambda::Function\nrequire: |\n  " + require + "\n"
	if applies != "" {
		src += "applies: |\n  " + applies + "\n"
	}
	f, err := check.Parse("TEST-CHECK.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	typed, err := l.Type(f)
	if err != nil {
		t.Fatalf("%s: %v", require, err)
	}
	p, err := l.Load(typed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parse(t testing.TB, s string) *estate.Value {
	t.Helper()
	v := &estate.Value{}
	if err := v.UnmarshalJSON([]byte(s)); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// scopeOf is an estate of a function F with these properties, and a key K.
func scopeOf(t testing.TB, m *estate.Model, properties string) *estate.Scope {
	t.Helper()
	b := estate.NewBuilder("t.yaml", "cloudformation")
	b.Add(estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F", Properties: parse(t, properties)})
	b.Add(estate.Resource{Type: "AWS::KMS::Key", LogicalID: "K"})
	return b.Build(m)
}

func TestEvaluate(t *testing.T) {
	m, l := library(t)
	unknown := `{"$unknown":{"reason":"parameter without value","input":"parameter P"}}`
	stage := func(dev, prod string) string {
		return `{"$oneOf":{"input":"parameter Stage","cases":[{"when":"dev","value":` + dev + `},{"when":"prod","value":` + prod + `}]}}`
	}
	absent := `{"$absent":true}`
	for _, tt := range []struct {
		name, properties, require string
		want                      check.Outcome
	}{
		{"known", `{"Timeout":3}`, `subject.Timeout == 3`, check.Pass},
		{"known_text_as_number", `{"Timeout":"3"}`, `subject.Timeout == 3`, check.Pass},
		{"default", `{}`, `subject.TracingConfig.Mode == "PassThrough"`, check.Pass},
		{"absent_has", `{}`, `has(subject.KmsKeyArn)`, check.Fail},
		{"unknown_has", `{"KmsKeyArn":` + unknown + `}`, `has(subject.KmsKeyArn)`, check.Pass},
		{"unknown_equals", `{"KmsKeyArn":` + unknown + `}`, `subject.KmsKeyArn == "x"`, check.Unknown},
		{"unknown_and_false", `{"KmsKeyArn":` + unknown + `}`, `subject.KmsKeyArn == "x" && false`, check.Fail},
		{"unknown_or_true", `{"KmsKeyArn":` + unknown + `}`, `subject.KmsKeyArn == "x" || true`, check.Pass},
		{"optional_absent", `{}`, `subject.?KmsKeyArn.orValue("none") == "none"`, check.Pass},
		{"optional_unknown", `{"KmsKeyArn":` + unknown + `}`, `subject.?KmsKeyArn.orValue("none") == "none"`, check.Unknown},
		{"reference_is_not_star", `{"KmsKeyArn":{"$ref":{"resource":"K","attribute":"Arn"}}}`, `subject.KmsKeyArn != "*"`, check.Pass},
		{"text_prefix", `{"KmsKeyArn":{"$text":["arn:aws:kms:",` + unknown + `]}}`, `subject.KmsKeyArn.startsWith("arn:aws:kms")`, check.Pass},
		{"text_prefix_not", `{"KmsKeyArn":{"$text":["arn:aws:kms:",` + unknown + `]}}`, `subject.KmsKeyArn.startsWith("arn:aws:sqs")`, check.Fail},
		{"text_in", `{"KmsKeyArn":{"$text":["arn:aws:kms:",` + unknown + `]}}`, `subject.KmsKeyArn in ["a", "b"]`, check.Fail},
		{"oneof_agree", `{"Timeout":` + stage("3", "5") + `}`, `subject.Timeout < 10`, check.Pass},
		{"oneof_differ", `{"Timeout":` + stage("3", "50") + `}`, `subject.Timeout < 10`, check.Unknown},
		{"oneof_correlated", `{"Timeout":` + stage("3", "50") + `,"MemorySize":` + stage("50", "3") + `}`, `subject.Timeout + subject.MemorySize == 53`, check.Pass},
		{"oneof_absent", `{"KmsKeyArn":` + stage(`"k"`, absent) + `}`, `has(subject.KmsKeyArn)`, check.Unknown},
		{"oneof_absent_agree", `{"Description":` + stage(`"k"`, absent) + `}`, `has(subject.Description) || subject.Timeout == 3`, check.Pass},
		{"list_all", `{"Layers":["a",` + unknown + `]}`, `subject.Layers.all(l, l == "a")`, check.Unknown},
		{"list_all_false", `{"Layers":["b",` + unknown + `]}`, `subject.Layers.all(l, l == "a")`, check.Fail},
		{"list_exists", `{"Layers":["a",` + unknown + `]}`, `subject.Layers.exists(l, l == "a")`, check.Pass},
		{"list_maybe_member_true_predicate", `{"Layers":[` + stage(`"a"`, absent) + `]}`, `subject.Layers.exists(l, true)`, check.Unknown},
		{"list_size_maybe", `{"Layers":[` + stage(`"a"`, absent) + `]}`, `subject.Layers.size() > 0`, check.Unknown},
		{"deep_equal_unknown", `{"Layers":["a",` + unknown + `]}`, `subject.Layers == ["a", "b"]`, check.Unknown},
		{"deep_equal_differs", `{"Layers":["x",` + unknown + `]}`, `subject.Layers == ["a", "b"]`, check.Fail},
		{"undecided", `{}`, `undecided("the documents say nothing")`, check.Unknown},
		{"undecided_where_it_does_not_matter", `{}`, `undecided("the documents say nothing") || subject.Timeout == 3`, check.Pass},
		{"secret_name", `{"Environment":{"Variables":{"DB_PASSWORD":"x"}}}`, `entries(subject.Environment.Variables).all(e, secretName(e.name)) && !secretName("SECRET_ARN")`, check.Pass},
		{"found_nothing", `{}`, `found(subject.keys())`, check.Pass},
		{"found_here", `{"KmsKeyArn":{"$ref":{"resource":"K","attribute":"Arn"}}}`, `found(subject.keys()) && subject.keys().size() == 1`, check.Pass},
		{"found_elsewhere", `{"KmsKeyArn":"arn:aws:kms:eu-west-1:111122223333:key/k"}`, `found(subject.keys())`, check.Unknown},
		{"no_log_group", `{}`, `subject.logGroups().size() == 0`, check.Pass},
		{"runtime_row", `{"Runtime":"python3.9"}`, `runtime(subject.Runtime).deprecated < asOf`, check.Pass},
		{"runtime_unlisted", `{"Runtime":"cobol85"}`, `runtime(subject.Runtime).deprecated < asOf`, check.Unknown},
		{"credential", `{"Environment":{"Variables":{"DB_PASSWORD":"hunter2hunter2"}}}`, `entries(subject.Environment.Variables).exists(e, credential(e.name, e.value))`, check.Pass},
		{"credential_in_no_variables", `{}`, `entries(subject.?Environment.?Variables.orValue({})).exists(e, credential(e.name, e.value))`, check.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := program(t, l, "", tt.require).Evaluate(scopeOf(t, m, tt.properties).Resource("F"), check.Setting{AsOf: "2026-11-24"})
			if diff := cmp.Diff(tt.want.String(), got.Outcome.String()); diff != "" {
				t.Errorf("%s over %s (-want +got):\n%s%+v", tt.require, tt.properties, diff, got)
			}
		})
	}
}
