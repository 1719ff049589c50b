package assess_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
)

// runCases runs cases in YAML over a check of that subject and requirement.
func runCases(t *testing.T, subject, require, cases string) []assess.CaseFailure {
	t.Helper()
	cfg := config(t)
	f, err := check.Parse("TEST-CHECK.yaml", []byte("id: TEST-CHECK\nsubject: "+subject+"\nrequire: |\n  "+require+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	typed, err := cfg.Library.Type(f)
	if err != nil {
		t.Fatal(err)
	}
	var file catalog.CaseFile
	if err := yaml.Unmarshal([]byte(cases), &file.Cases); err != nil {
		t.Fatal(err)
	}
	runner := assess.CaseRunner{Parameters: cfg.Catalog.Parameters, Model: cfg.Model, Library: cfg.Library, AsOf: cfg.AsOf, Asker: cfg.Asker, Reader: func(p map[string]string) collect.Collector {
		return cloudformation.New(cloudformation.Options{Parameters: p})
	}}
	return runner.Run(t.Context(), typed, file)
}

// TestEstateCases holds estates in cases to what a live account means: closed
// where it was read, open where it was not, tied by ARN and by name.
func TestEstateCases(t *testing.T) {
	for _, tt := range []struct{ name, subject, require, cases string }{
		{"account_wide", "Assay::Account::Region", `account("AWS::CloudTrail::Trail").exists(t, t.IsLogging)`, `
- name: on
  estate: {resources: {A: {type: "Assay::Account::Region"}, T: {type: AWS::CloudTrail::Trail, properties: {IsLogging: true}}}}
  expect: {A: pass}
- name: off
  estate: {resources: {A: {type: "Assay::Account::Region"}, T: {type: AWS::CloudTrail::Trail, properties: {IsLogging: false}}}}
  expect: {A: fail}
- name: denied
  estate: {coverage: {AWS::CloudTrail::Trail: {state: denied, reason: AccessDenied}}, resources: {A: {type: "Assay::Account::Region"}}}
  expect: {A: unknown}
`},
		{"facts_without_a_type", "Assay::Lambda::FunctionState", `subject.State == "Active" && subject.functions().all(f, f.Timeout == 3) && subject.LastModified < asOf`, `
- name: by name
  estate: {resources: {F: {type: AWS::Lambda::Function, properties: {FunctionName: orders}}, S: {type: "Assay::Lambda::FunctionState", properties: {FunctionName: orders, State: Active, LastModified: 2026-01-02}}}}
  expect: {S: pass}
- name: a property that could not be read
  estate: {resources: {S: {type: "Assay::Lambda::FunctionState", properties: {FunctionName: orders, State: {$denied: {reason: denied, input: "lambda:GetFunctionConfiguration"}}, LastModified: 2026-01-02}}}}
  expect: {S: unknown}
`},
		{"ends_that_do_not_exist", "AWS::Lambda::Function", `subject.keys().size() > 0`, `
- name: the key, by ARN
  estate: {resources: {F: {type: AWS::Lambda::Function, properties: {KmsKeyArn: "arn:aws:kms:eu-central-1:111122223333:key/k1"}}, K: {type: AWS::KMS::Key, id: "arn:aws:kms:eu-central-1:111122223333:key/k1"}}}
  expect: {F: pass}
- name: another key, so this one is gone
  estate: {resources: {F: {type: AWS::Lambda::Function, properties: {KmsKeyArn: "arn:aws:kms:eu-central-1:111122223333:key/k2"}}, K: {type: AWS::KMS::Key, id: "arn:aws:kms:eu-central-1:111122223333:key/k1"}}}
  expect: {F: fail}
- name: keys were not listed
  estate: {coverage: {AWS::KMS::Key: partial}, resources: {F: {type: AWS::Lambda::Function, properties: {KmsKeyArn: "arn:aws:kms:eu-central-1:111122223333:key/k2"}}}}
  expect: {F: unknown}
- name: a key of another account
  estate: {resources: {F: {type: AWS::Lambda::Function, properties: {KmsKeyArn: "arn:aws:kms:eu-central-1:999999999999:key/k2"}}}}
  expect: {F: pass}
`},
		{"layer_versions_differ", "AWS::Lambda::Function", `subject.layers().size() == 1`, `
- name: the one it names
  estate:
    resources:
      F: {type: AWS::Lambda::Function, properties: {Layers: ["arn:aws:lambda:eu-central-1:111122223333:layer:base:2"]}}
      L1: {type: AWS::Lambda::LayerVersion, id: "arn:aws:lambda:eu-central-1:111122223333:layer:base:1"}
      L2: {type: AWS::Lambda::LayerVersion, id: "arn:aws:lambda:eu-central-1:111122223333:layer:base:2"}
  expect: {F: pass}
- name: a version that is gone
  estate: {resources: {F: {type: AWS::Lambda::Function, properties: {Layers: ["arn:aws:lambda:eu-central-1:111122223333:layer:base:3"]}}, L1: {type: AWS::Lambda::LayerVersion, id: "arn:aws:lambda:eu-central-1:111122223333:layer:base:1"}}}
  expect: {F: fail}
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, failure := range runCases(t, tt.subject, tt.require, tt.cases) {
				t.Error(failure)
			}
		})
	}
}

// TestEstateCaseFaults holds mistakes in estates to messages that name them.
func TestEstateCaseFaults(t *testing.T) {
	for _, tt := range []struct{ name, estate, want string }{
		{"property", `{resources: {F: {type: AWS::Lambda::Function, properties: {TimeOut: 3}}}}`, "no property TimeOut"},
		{"nested", `{resources: {F: {type: AWS::Lambda::Function, properties: {VpcConfig: {SubnetIDs: [a]}}}}}`, "no property VpcConfig.SubnetIDs"},
		{"fact", `{resources: {F: {type: "Assay::Lambda::FunctionState", properties: {Status: Active}}}}`, "no property Status"},
		{"type", `{resources: {F: {type: "Assay::Lambda::Nothing"}}}`, "not one that the schemas know"},
		{"coverage_state", `{coverage: {"*": missing}, resources: {}}`, "expected complete, partial or denied"},
		{"coverage_type", `{coverage: {AWS::Lambda::Fun: denied}, resources: {}}`, "not a type that the schemas know"},
		{"field", `{resource: {}}`, "resource"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failures := runCases(t, "AWS::Lambda::Function", "true", "- {name: x, estate: "+tt.estate+", expect: {F: pass}}")
			if len(failures) == 0 || !strings.Contains(failures[0].Message, tt.want) {
				t.Errorf("got %v, want one with %q", failures, tt.want)
			}
		})
	}
}

// TestRefinementDeniesReading shows that the law hides what was read: the
// outcome of an empty list must hang on its having been listed.
func TestRefinementDeniesReading(t *testing.T) {
	for _, failure := range runCases(t, "AWS::Lambda::Function", `account("AWS::SQS::Queue").size() == 0`, `
- name: none
  estate: {resources: {F: {type: AWS::Lambda::Function}}}
  expect: {F: pass}
- name: one
  estate: {resources: {F: {type: AWS::Lambda::Function}, Q: {type: AWS::SQS::Queue}}}
  expect: {F: fail}
- name: one that could not be listed
  estate: {coverage: {AWS::SQS::Queue: denied}, resources: {F: {type: AWS::Lambda::Function}}}
  expect: {F: unknown}
`) {
		t.Error(failure)
	}
}
