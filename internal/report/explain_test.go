package report_test

import (
	"bytes"
	"slices"
	"testing"

	"assay/internal/assess"
	"assay/internal/check"
	"assay/internal/report"
)

func TestExplainCheck(t *testing.T) {
	terraform := func(cfnType, property string) (string, string, bool) {
		switch cfnType + " " + property {
		case "AWS::Lambda::Function TracingConfig.Mode":
			return "aws_lambda_function", "tracing_config.mode", true
		case "AWS::SQS::Queue Tags[]":
			return "aws_sqs_queue", "tags", true
		}
		return "", "", false
	}
	requirements := map[string][]string{"pci-dss-4.0.1": {"10.2.1", "10.3.4"}, "nist-800-53-r5": {"AU-12", "SI-4"}}
	for name, c := range map[string]*check.Check{
		"explain_property": {
			ID: "LAMBDA-TRACING", Title: "Functions are traced", Severity: check.Low, Subject: "AWS::Lambda::Function",
			Applies: "subject.PackageType == \"Zip\"", Require: "subject.TracingConfig.Mode == \"Active\" ||\n  subject.eventInvokeConfigs().exists(c,\n    c.Traced)",
			Rationale:   "A trace shows which calls a request caused, in what order, and how long each took, which an alert alone does not.\nIt is kept for thirty days.",
			Source:      "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
			Establishes: map[string]check.Link{"L-MON-02": {How: check.Supports, Why: "a trace is one of the signals that an investigation starts from"}, "L-LOG-01": {How: check.Decides, Why: "the setting is what turns tracing on"}},
			Peers:       map[string][]string{"checkov": {"CKV_AWS_50"}, "trivy": {"AVD-AWS-0066"}},
			Fix:         check.Fix{Set: "TracingConfig.Mode", Value: "Active", CLI: "aws lambda update-function-configuration --function-name NAME \\\n  --tracing-config Mode=Active"},
		},
		"explain_yaml_value": {
			ID: "SQS-TAGS", Title: "Queues name their owner", Severity: check.Info, Subject: "AWS::SQS::Queue", Require: "has(subject.Tags)",
			Rationale: "Someone has to answer for it.", Source: "https://docs.aws.amazon.com/", Advisory: true,
			Fix: check.Fix{Set: "Tags[]", Value: "Key: owner\nValue: !Ref Owner\n", Terraform: "resource \"aws_sqs_queue\" \"example\" {\n  tags = { owner = var.owner }\n}"},
		},
		"explain_words": {
			ID: "LAMBDA-DLQ", Title: "Failed events are kept", Severity: check.Medium, Subject: "AWS::Lambda::Function", Require: "has(subject.DeadLetterConfig)",
			Rationale: "An event that is lost cannot be audited.", Source: "https://docs.aws.amazon.com/", Establishes: map[string]check.Link{"L-RES-01": {How: check.Decides, Why: "it is the setting"}},
			Fix: check.Fix{Set: "DeadLetterConfig.TargetArn", Value: "ARN of a queue", Text: "give the function a queue for failed events"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.ExplainCheck(&out, c, requirements, report.Options{Terraform: terraform}); err != nil {
				t.Fatal(err)
			}
			checkPrintable(t, out.Bytes())
			golden(t, name, out.Bytes())
		})
	}
}

func TestExplainFinding(t *testing.T) {
	var out bytes.Buffer
	h, findings := findings(t, saved(t))
	for _, one := range []struct{ check, resource string }{
		{"LAMBDA-URL-AUTH", "ChargeUrl"}, {"LAMBDA-LOG-RETENTION", "Charge"}, {"LAMBDA-ENV-CREDENTIAL", "Ledger"}, {"LAMBDA-RUNTIME-SUPPORTED", "Refund"},
	} {
		id := assess.FindingID(one.check, "payments/template.yaml", one.resource)
		at := slices.IndexFunc(findings, func(f *assess.Finding) bool { return f.ID == id })
		if at < 0 {
			t.Fatalf("no finding of %s for %s", one.check, one.resource)
		}
		if err := report.ExplainFinding(&out, h, findings[at], report.Options{}); err != nil {
			t.Fatal(err)
		}
		out.WriteString("\n----\n\n")
	}
	golden(t, "explain_finding", out.Bytes())
}
