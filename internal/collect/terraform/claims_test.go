package terraform_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/collect"
	"assay/internal/estate"
)

func TestClaims(t *testing.T) {
	for _, tt := range []struct {
		name, data   string
		found, named bool
	}{
		{"plan", plan(""), true, true},
		{"keys_sorted", `{"applyable":true,"configuration":{},"format_version":"1.2","planned_values":{}}`, true, true},
		{"cut_off", `{"format_version":"1.2","terraform_version":"1.11.4","pla`, true, true},
		{"state", `{"format_version":"1.0","terraform_version":"1.11.4","values":{}}`, true, true},
		{"state_file", `{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"x","resources":[]}`, true, true},
		{"log", `{"@level":"info","@message":"Terraform 1.11.4"}`, false, true},
		{"binary_plan", "PK\x03\x04....tfplan", false, true},
		{"template", `{"AWSTemplateFormatVersion":"2010-09-09","Resources":{}}`, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, named := range []bool{false, true} {
				want := tt.found
				if named {
					want = tt.named
				}
				f := collect.File{Name: "p.json", Data: []byte(tt.data), Named: named}
				if got := collector().Claims(f); got != want {
					t.Errorf("named %v: claimed is %v", named, got)
				}
			}
		})
	}
}

// TestUndone holds plans that leave something out to say so.
func TestUndone(t *testing.T) {
	want := []estate.Coverage{{Type: "*", State: estate.CoveragePartial, Reason: "the plan leaves out a part of the configuration (-target, or a deferred change)"}}
	for _, mark := range []string{`"complete":false`, `"deferred_changes":[{"reason":"instance_count_unknown"}]`} {
		s := read(t, strings.Replace(plan(""), `"planned_values"`, mark+`,"planned_values"`, 1))
		if diff := cmp.Diff(want, s.Coverage()); diff != "" {
			t.Errorf("%s: %s", mark, diff)
		}
	}
}

// TestDrift holds plans to tell what was changed behind Terraform's back.
func TestDrift(t *testing.T) {
	s := read(t, strings.Replace(plan(""), `"planned_values"`,
		`"resource_drift":[{"address":"aws_lambda_function.f","mode":"managed","type":"aws_lambda_function","change":{}}],"planned_values"`, 1))
	if got := s.Problems(); len(got) != 1 || !strings.Contains(got[0].Error(), "aws_lambda_function.f was changed outside of Terraform") {
		t.Errorf("problems: %v", got)
	}
}

// TestBlocks matches blocks with their configuration, which has them in
// another order or does not have them at all.
func TestBlocks(t *testing.T) {
	const (
		data    = "data.aws_iam_policy_document.d"
		a       = `{"sid":{"constant_value":"a"},"resources":{"references":["aws_sqs_queue.a.arn","aws_sqs_queue.a"]}}`
		b       = `{"sid":{"constant_value":"b"},"resources":{"references":["aws_sqs_queue.b.arn","aws_sqs_queue.b"]}}`
		after   = `{"statement":[{"sid":"b","resources":[null]},{"sid":"dynamic","resources":[null]},{"sid":"a","resources":[null]}]}`
		unknown = `{"json":true,"statement":[{"resources":[true]},{"resources":[true]},{"resources":[true]}]}`
	)
	s := read(t, plan(config("aws_sqs_queue_policy.p", `{"policy":{"references":["`+data+`.json","`+data+`"]}}`, data, `{"statement":[`+a+`,`+b+`]}`),
		change("aws_sqs_queue_policy.p", `{}`, `{"policy":true}`), change(data, after, unknown),
		change("aws_sqs_queue.a", `{}`, `{"arn":true}`), change("aws_sqs_queue.b", `{}`, `{"arn":true}`)))
	var got []string
	for _, st := range s.Resource("aws_sqs_queue_policy.p").Properties.Path("PolicyDocument.Statement").Items() {
		got = append(got, st.Field("Sid").AsString()+" "+st.Field("Resource").String())
	}
	want := []string{
		"b ${aws_sqs_queue.b.Arn}${rest of " + data + ".statement.0.resources.0}",
		"dynamic ${" + data + ".statement.1.resources.0}",
		"a ${aws_sqs_queue.a.Arn}${rest of " + data + ".statement.2.resources.0}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestListsMayHoldMore shows a list that is unknown as a whole: a literal
// member would leave no trace.
func TestListsMayHoldMore(t *testing.T) {
	f := func(references string) string {
		s := read(t, plan(config("aws_lambda_function.f", `{"layers":{"references":[`+references+`]}}`), change("aws_lambda_function.f", `{}`, `{"layers":true}`),
			change("aws_lambda_layer_version.l", `{}`, `{"arn":true}`)))
		return s.Resource("aws_lambda_function.f").Properties.Field("Layers").String()
	}
	const more = "one of ((absent) | ${aws_lambda_function.f.layers}) by members of aws_lambda_function.f.layers that the plan does not show"
	for references, want := range map[string]string{
		`"aws_lambda_layer_version.l.arn","aws_lambda_layer_version.l"`: "[${aws_lambda_layer_version.l}, " + more + "]",
		`"aws_lambda_layer_version.l"`:                                  "[${aws_lambda_layer_version.l}, " + more + "]",
		`"local.all"`:                                                   "${aws_lambda_function.f.layers}",
		`"var.some","aws_lambda_layer_version.l.arn","aws_lambda_layer_version.l"`:   "${aws_lambda_function.f.layers}",
		`"aws_lambda_layer_version.l.arn","aws_lambda_layer_version.l","module.m.x"`: "${aws_lambda_function.f.layers}",
	} {
		if got := f(references); got != want {
			t.Errorf("%s:\n got %s\nwant %s", references, got, want)
		}
	}
}
