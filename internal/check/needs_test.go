package check_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/check"
)

func TestTypesOf(t *testing.T) {
	_, lib := library(t)
	tests := []struct {
		name, subject, require string
		want                   []string
		all                    bool
	}{
		{"own properties", "AWS::Lambda::Function", "has(subject.KmsKeyArn)", []string{"AWS::Lambda::Function"}, false},
		{"a relation", "AWS::Lambda::Function", "subject.logGroups().size() > 0", []string{"AWS::Lambda::Function", "AWS::Logs::LogGroup"}, false},
		{"a relation's inverse, and onward", "AWS::Logs::LogGroup", "subject.functions().all(f, f.roles().size() > 0)",
			[]string{"AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Logs::LogGroup"}, false},
		{"the account", "AWS::Lambda::Function", `account("AWS::CloudTrail::Trail").exists(t, has(t.KMSKeyId))`, []string{"AWS::CloudTrail::Trail", "AWS::Lambda::Function"}, false},
		{"a question", "AWS::IAM::Role", "!subject.administers()", []string{"AWS::IAM::Role"}, true},
		{"services, which a variable may name", "AWS::Lambda::Function", `subject.services().all(s, programme("hipaa", s))`, []string{"AWS::Lambda::Function"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := check.Parse("TEST-CHECK.yaml", []byte("id: TEST-CHECK\ntitle: t\nseverity: low\nsubject: "+tt.subject+"\nrequire: |\n  "+tt.require+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			typed, err := lib.Type(f)
			if err != nil {
				t.Fatal(err)
			}
			got, all, err := lib.TypesOf(typed)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || all != tt.all {
				t.Errorf("types of %s (-want +got):\n%s all = %v", tt.require, diff, all)
			}
		})
	}
}
