package aws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// PolicyFormats are the forms in which the policy of a reading is printed.
func PolicyFormats() []string { return []string{"json", "cloudformation", "terraform"} }

// never are actions that assay does not call and that the printed policy
// denies: they give code, secrets, data or keys.
var never = []string{
	"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:PartiQLSelect", "dynamodb:Query", "dynamodb:Scan",
	"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "kinesis:GetRecords", "kms:Decrypt", "lambda:GetFunction", "lambda:GetLayerVersion",
	"lambda:InvokeFunction", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetQueryResults", "logs:StartQuery", "logs:Unmask",
	"s3:GetObject", "s3:GetObjectVersion", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage",
	"ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:GetParametersByPath",
}

// Actions are the IAM actions of a reading, in order. needed, when set, leaves
// out what fills none of the types.
func Actions(needed func(typeName string) bool) []string {
	all := []string{"sts:GetCallerIdentity"}
	for _, s := range services() {
		for _, r := range s.reads {
			if r.wants(needed) {
				all = append(all, r.actions...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

type policyDocument struct {
	Version   string
	Statement []policyStatement
}

type policyStatement struct {
	Sid      string
	Effect   string
	Action   []string
	Resource string
}

// Policy is the least policy with which nothing of a reading is denied, as a
// JSON document, or as a role with it in CloudFormation or Terraform: one that
// another account may assume with an external id.
func Policy(format string, needed func(typeName string) bool) (string, error) {
	document, err := json.MarshalIndent(policyDocument{"2012-10-17", []policyStatement{
		{"AssayReads", "Allow", Actions(needed), "*"},
		{"AssayNeverReads", "Deny", never, "*"},
	}}, "", "  ")
	if err != nil {
		return "", err
	}
	switch format {
	case "json":
		return string(document) + "\n", nil
	case "cloudformation":
		return fmt.Sprintf(roleTemplate, indent(string(document), "            ")), nil
	case "terraform":
		return fmt.Sprintf(roleModule, indent(string(document), "  ")), nil
	}
	return "", fmt.Errorf("no format %q; there are %s", format, strings.Join(PolicyFormats(), ", "))
}

func indent(text, by string) string { return strings.ReplaceAll(text, "\n", "\n"+by) }

const roleTemplate = `AWSTemplateFormatVersion: "2010-09-09"
Description: A role with which assay reads this account. It can change nothing.
Parameters:
  TrustedPrincipal:
    Type: String
    Description: ARN of the user or role that runs assay
  ExternalId:
    Type: String
    MinLength: 8
    NoEcho: true
    Description: what the caller must know to assume the role
Resources:
  AssayReader:
    Type: AWS::IAM::Role
    Properties:
      RoleName: assay-reader
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Ref TrustedPrincipal
            Action: sts:AssumeRole
            Condition:
              StringEquals:
                sts:ExternalId: !Ref ExternalId
      Policies:
        - PolicyName: assay-reads
          PolicyDocument:
            %s
Outputs:
  RoleArn:
    Value: !GetAtt AssayReader.Arn
`

const roleModule = `# A role with which assay reads this account. It can change nothing.
variable "trusted_principal" {
  description = "ARN of the user or role that runs assay"
  type        = string
}

variable "external_id" {
  description = "what the caller must know to assume the role"
  type        = string
  sensitive   = true
}

resource "aws_iam_role" "assay_reader" {
  name = "assay-reader"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.trusted_principal }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })
}

resource "aws_iam_role_policy" "assay_reads" {
  name = "assay-reads"
  role = aws_iam_role.assay_reader.id
  policy = jsonencode(%s)
}

output "role_arn" {
  value = aws_iam_role.assay_reader.arn
}
`
