package assess_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/assess"
	"assay/internal/catalog"
)

// TestReach: what a check says of the roles and log groups that were read meets
// an objective about functions only where those are the roles and groups of all.
func TestReach(t *testing.T) {
	const (
		function = "  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f, Runtime: python3.13, Handler: a.b, Code: {S3Bucket: b, S3Key: k}, Role: !GetAtt R.Arn}}\n"
		role     = "  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}}}\n"
		group    = "  L: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /aws/lambda/f, KmsKeyId: 'arn:aws:kms:eu-central-1:111122223333:key/k'"
	)
	conditional := strings.Replace(function, "AWS::Lambda::Function,", "AWS::Lambda::Function, Condition: Prod,", 1)
	for _, tt := range []struct {
		name, template string
		want           map[string]assess.State // of the objectives on roles and on the keys of log groups
	}{
		{"all_here", "Resources:\n" + function + role + group + "}}\n", map[string]assess.State{"L-RUL-10": assess.Met, "L-ENC-03": assess.Met}},
		{"no_group", "Resources:\n" + function + role, map[string]assess.State{"L-RUL-10": assess.Met, "L-ENC-03": assess.Undetermined}},
		{
			"group_perhaps",
			"Parameters: {Stage: {Type: String}}\nConditions: {Prod: !Equals [!Ref Stage, prod]}\nResources:\n" + function + role + group + "}, Condition: Prod}\n",
			map[string]assess.State{"L-RUL-10": assess.Met, "L-ENC-03": assess.Undetermined},
		},
		{
			"function_and_group_perhaps",
			"Parameters: {Stage: {Type: String}}\nConditions: {Prod: !Equals [!Ref Stage, prod]}\nResources:\n" + conditional + role + group + "}, Condition: Prod}\n",
			map[string]assess.State{"L-RUL-10": assess.Undetermined, "L-ENC-03": assess.Met},
		},
		{
			"function_and_group_under_opposite_conditions",
			"Parameters: {Stage: {Type: String}}\nConditions: {Prod: !Equals [!Ref Stage, prod], Other: !Not [!Condition Prod]}\nResources:\n" + conditional + role + group + "}, Condition: Other}\n",
			map[string]assess.State{"L-RUL-10": assess.Undetermined, "L-ENC-03": assess.Undetermined},
		},
		{
			"one_of_two_imported",
			"Resources:\n" + function + role + group + "}}\n  G: {Type: AWS::Lambda::Function, Properties: {FunctionName: g, Runtime: python3.13, Handler: a.b, Code: {S3Bucket: b, S3Key: k}, Role: !ImportValue role, LoggingConfig: {LogGroup: !ImportValue group}}}\n",
			map[string]assess.State{"L-RUL-10": assess.Undetermined, "L-ENC-03": assess.Undetermined},
		},
		{
			"group_without_key",
			"Resources:\n" + function + role + "  L: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /aws/lambda/f}}\n",
			map[string]assess.State{"L-RUL-10": assess.Met, "L-ENC-03": assess.NotMet},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(t)
			cfg.Frameworks = []*catalog.Framework{{ID: "f", Requirements: []catalog.Requirement{{ID: "R", Objectives: []string{"L-RUL-10", "L-ENC-03"}, Responsibility: catalog.Customer}}}}
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "template.yaml"), []byte(tt.template), 0o600); err != nil {
				t.Fatal(err)
			}
			got := map[string]assess.State{}
			for _, s := range standingsIn(t, cfg, folder) {
				for _, o := range s.Objectives {
					got[o.ID] = o.State
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
