// Package tables holds the dated AWS facts that several rooms read, as data:
// see README.md for each file's source, date and licence. Pure packages are
// handed the bytes.
package tables

import (
	"embed"
	"encoding/json"
	"slices"
	"strings"
)

//go:generate go run ./gen

//go:embed cloudformation.jsonl
var schemas []byte

//go:embed assay-types.jsonl
var assayTypes []byte

//go:embed defaults.yaml
var defaults []byte

//go:embed edges.yaml
var edges []byte

//go:embed escalation.yaml
var escalation []byte

//go:embed fips-endpoints.yaml
var fipsEndpoints []byte

//go:embed iam-actions.jsonl
var iamActions []byte

//go:embed iam-managed-policies.jsonl
var iamManagedPolicies []byte

//go:embed programmes.yaml
var programmes []byte

//go:embed runtimes.yaml
var runtimes []byte

//go:embed sam-policy-templates.json
var samPolicyTemplates []byte

//go:embed service-principals.yaml
var servicePrincipals []byte

//go:embed terraform.yaml
var terraform []byte

//go:embed tls-policies.yaml
var tlsPolicies []byte

// Schemas are the property schemas of the CloudFormation types that assay
// reads, one JSON object a line.
func Schemas() []byte { return schemas }

// AssayTypes are the shapes of facts that have no CloudFormation type, one JSON
// object a line.
func AssayTypes() []byte { return assayTypes }

// Defaults are what AWS assumes where a template states nothing (YAML).
func Defaults() []byte { return defaults }

// Edges say how resources name each other (YAML).
func Edges() []byte { return edges }

// Escalation are the ways to act with permissions that were not given (YAML).
func Escalation() []byte { return escalation }

// FIPSEndpoints are the regions in which services have endpoints with a
// validated module (YAML).
func FIPSEndpoints() []byte { return fipsEndpoints }

// ServicePrincipals are the condition keys that services pass for what they act
// for (YAML).
func ServicePrincipals() []byte { return servicePrincipals }

// TLSPolicies are the named policies of services for TLS (YAML).
func TLSPolicies() []byte { return tlsPolicies }

// IAMActions are the actions, resource types and condition keys of every
// service, a service a line (JSON lines).
func IAMActions() []byte { return iamActions }

// IAMManagedPolicies are the policies that AWS manages, a policy a line in order
// of the ARN (JSON lines).
func IAMManagedPolicies() []byte { return iamManagedPolicies }

// Programmes are the services that compliance programmes take in (YAML).
func Programmes() []byte { return programmes }

// Runtimes are the Lambda runtimes and their dates (YAML).
func Runtimes() []byte { return runtimes }

// SAMPolicyTemplates are the policy templates of the Serverless Application
// Model (JSON).
func SAMPolicyTemplates() []byte { return samPolicyTemplates }

// Terraform maps the provider's resource types and attributes to
// CloudFormation's (YAML).
func Terraform() []byte { return terraform }

//go:embed *.source.json
var sources embed.FS

// Source says what a table was made from.
type Source struct {
	Table   string `json:"table"`   // "iam-actions"
	Package string `json:"package"` // the published package, or what a person read
	Version string `json:"version,omitempty"`
	License string `json:"license,omitempty"`
	Date    string `json:"date"` // ISO date that the facts are of
}

// Sources are the sources of the tables that age, in order of the table.
func Sources() []Source {
	var all []Source
	files, err := sources.ReadDir(".")
	if err != nil {
		return nil // an embedded folder is always there
	}
	for _, f := range files {
		s := Source{Table: strings.TrimSuffix(f.Name(), ".source.json")}
		data, err := sources.ReadFile(f.Name())
		if err == nil && json.Unmarshal(data, &s) == nil {
			all = append(all, s)
		}
	}
	all = append(all,
		Source{Table: "fips-endpoints", Package: "botocore", Date: dated(fipsEndpoints)},
		Source{Table: "programmes", Package: "lists of AWS's compliance programmes", Date: dated(programmes)},
		Source{Table: "runtimes", Package: "AWS Lambda developer guide", Date: dated(runtimes)},
		Source{Table: "service-principals", Package: "AWS IAM user guide", Date: dated(servicePrincipals)},
		Source{Table: "tls-policies", Package: "guides of the services", Date: dated(tlsPolicies)},
	)
	slices.SortFunc(all, func(a, b Source) int { return strings.Compare(a.Table, b.Table) })
	return all
}

// dated is the date that a YAML table states at its top.
func dated(table []byte) string {
	for line := range strings.Lines(string(table)) {
		if date, ok := strings.CutPrefix(line, "date:"); ok {
			return strings.Trim(date, " \"'\n")
		}
	}
	return ""
}

// All are all tables, in an order that does not change.
func All() [][]byte {
	return [][]byte{schemas, assayTypes, defaults, edges, escalation, fipsEndpoints, iamActions, iamManagedPolicies, programmes, runtimes, samPolicyTemplates, servicePrincipals, terraform, tlsPolicies}
}
