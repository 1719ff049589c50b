// Package tables holds the dated AWS facts that several rooms read, as data:
// see README.md for each file's source, date and licence. Pure packages are
// handed the bytes.
package tables

import _ "embed"

//go:generate go run ./gen

//go:embed cloudformation.jsonl
var schemas []byte

//go:embed defaults.yaml
var defaults []byte

//go:embed edges.yaml
var edges []byte

//go:embed iam-actions.jsonl
var iamActions []byte

//go:embed iam-managed-policies.jsonl
var iamManagedPolicies []byte

//go:embed runtimes.yaml
var runtimes []byte

//go:embed sam-policy-templates.json
var samPolicyTemplates []byte

//go:embed terraform.yaml
var terraform []byte

// Schemas are the property schemas of the CloudFormation types that assay
// reads, one JSON object a line.
func Schemas() []byte { return schemas }

// Defaults are what AWS assumes where a template states nothing (YAML).
func Defaults() []byte { return defaults }

// Edges say how resources name each other (YAML).
func Edges() []byte { return edges }

// IAMActions are the actions, resource types and condition keys of every
// service, a service a line (JSON lines).
func IAMActions() []byte { return iamActions }

// IAMManagedPolicies are the policies that AWS manages, a policy a line in order
// of the ARN (JSON lines).
func IAMManagedPolicies() []byte { return iamManagedPolicies }

// Runtimes are the Lambda runtimes and their dates (YAML).
func Runtimes() []byte { return runtimes }

// SAMPolicyTemplates are the policy templates of the Serverless Application
// Model (JSON).
func SAMPolicyTemplates() []byte { return samPolicyTemplates }

// Terraform maps the provider's resource types and attributes to
// CloudFormation's (YAML).
func Terraform() []byte { return terraform }

// All are all tables, in an order that does not change.
func All() [][]byte {
	return [][]byte{schemas, defaults, edges, iamActions, iamManagedPolicies, runtimes, samPolicyTemplates, terraform}
}
