package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// wanted reports whether a type is one that bears on Lambda workloads: what
// functions are made of, what feeds, follows, guards and watches them.
func wanted(name string) bool {
	parts := strings.Split(name, "::")
	if len(parts) != 3 {
		return false
	}
	switch service := parts[1]; service {
	case "EC2":
		return slices.Contains(ec2Types, parts[2])
	case "IoT":
		return parts[2] == "TopicRule"
	default:
		return slices.Contains(services, service)
	}
}

// services are taken whole.
var services = []string{
	"AccessAnalyzer", "AmazonMQ", "ApiGateway", "ApiGatewayV2", "AppSync", "Backup", "CertificateManager", "CloudFront",
	"CloudTrail", "CloudWatch", "CodeDeploy", "Cognito", "Config", "DocDB", "DynamoDB", "ECR", "EFS", "ElasticLoadBalancingV2",
	"Events", "GuardDuty", "IAM", "Inspector", "InspectorV2", "KMS", "Kinesis", "KinesisFirehose", "Lambda", "Logs", "MSK",
	"Organizations", "Pipes", "RDS", "S3", "SNS", "SQS", "SSM", "Scheduler", "SecretsManager", "SecurityHub", "Signer",
	"StepFunctions", "WAFv2", "XRay",
}

// ec2Types are the networking part of EC2.
var ec2Types = []string{
	"EIP", "EgressOnlyInternetGateway", "FlowLog", "InternetGateway", "NatGateway", "NetworkAcl", "NetworkAclEntry", "PrefixList",
	"Route", "RouteTable", "SecurityGroup", "SecurityGroupEgress", "SecurityGroupIngress", "Subnet", "SubnetNetworkAclAssociation",
	"SubnetRouteTableAssociation", "VPC", "VPCEndpoint", "VPCGatewayAttachment",
}

// The database is a set of tables of entities; types refer to each other by
// the entity's $id.
type entities struct {
	Schema struct {
		Resource       struct{ Entities []resourceEntity } `json:"resource"`
		TypeDefinition struct{ Entities []typeEntity }     `json:"typeDefinition"`
	} `json:"schema"`
}

type resourceEntity struct {
	Type       string              `json:"cloudFormationType"`
	Identifier []string            `json:"primaryIdentifier"`
	Properties map[string]property `json:"properties"`
	Attributes map[string]property `json:"attributes"`
}

type typeEntity struct {
	ID         string              `json:"$id"`
	Name       string              `json:"name"`
	Properties map[string]property `json:"properties"`
}

type property struct {
	Type     typeRef `json:"type"`
	Required bool    `json:"required"`
	Default  any     `json:"defaultValue"`
}

type typeRef struct {
	Type      string    `json:"type"`
	Element   *typeRef  `json:"element"`
	Types     []typeRef `json:"types"`
	Reference struct {
		ID string `json:"$ref"`
	} `json:"reference"`
}

// schema is one line of the table; encoding/json sorts the maps.
type schema struct {
	Type       string                       `json:"type"`
	Attributes map[string]string            `json:"attributes"`
	Identifier []string                     `json:"identifier"`
	Required   []string                     `json:"required"`
	Properties map[string]string            `json:"properties"`
	Types      map[string]map[string]string `json:"types"`
	Defaults   map[string]any               `json:"defaults"`
}

// reduce writes the wanted types of a database, one a line, sorted by type.
func reduce(db []byte, wanted func(string) bool) ([]byte, error) {
	var d entities
	if err := json.Unmarshal(db, &d); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	types := map[string]typeEntity{}
	for _, t := range d.Schema.TypeDefinition.Entities {
		types[t.ID] = t
	}
	resources := slices.DeleteFunc(d.Schema.Resource.Entities, func(r resourceEntity) bool { return !wanted(r.Type) })
	slices.SortFunc(resources, func(a, b resourceEntity) int { return strings.Compare(a.Type, b.Type) })
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for _, r := range resources {
		if err := enc.Encode(reducer{types, map[string]map[string]string{}}.line(r)); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), nil
}

// reducer reduces one resource type, gathering the definitions it uses.
type reducer struct {
	all  map[string]typeEntity
	used map[string]map[string]string
}

func (r reducer) line(e resourceEntity) schema {
	s := schema{
		Type: e.Type, Identifier: e.Identifier, Required: []string{}, Types: r.used,
		Attributes: map[string]string{}, Properties: map[string]string{}, Defaults: map[string]any{},
	}
	for name, p := range e.Attributes {
		s.Attributes[name] = r.expression(p.Type)
	}
	for name, p := range e.Properties {
		s.Properties[name] = r.expression(p.Type)
		if p.Required {
			s.Required = append(s.Required, name)
		}
		if v, ok := typedDefault(p); ok {
			s.Defaults[name] = v
		}
	}
	slices.Sort(s.Required)
	return s
}

// expression writes a type as the estate reads it: string, []string, {}json,
// Definition, string|integer.
func (r reducer) expression(t typeRef) string {
	switch t.Type {
	case "array":
		return "[]" + r.expression(*t.Element)
	case "map":
		return "{}" + r.expression(*t.Element)
	case "union":
		var members []string
		for _, m := range t.Types {
			if e := r.expression(m); !slices.Contains(members, e) {
				members = append(members, e)
			}
		}
		return strings.Join(members, "|")
	case "ref":
		return r.define(r.all[t.Reference.ID])
	case "tag":
		r.used["Tag"] = map[string]string{"Key": "string", "Value": "string"}
		return "Tag"
	case "date-time":
		return "timestamp"
	case "null":
		return "json"
	}
	return t.Type
}

// define takes a definition, and those that it uses, into the line.
func (r reducer) define(t typeEntity) string {
	if _, done := r.used[t.Name]; done {
		return t.Name
	}
	fields := map[string]string{}
	r.used[t.Name] = fields // before its fields: definitions may be recursive
	for name, p := range t.Properties {
		fields[name] = r.expression(p.Type)
	}
	return t.Name
}

// typedDefault reads a default, which the database holds as JSON in a text,
// where it fits the property's type.
func typedDefault(p property) (any, bool) {
	text, ok := p.Default.(string)
	if !ok {
		return p.Default, p.Default != nil
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		v = text
	}
	switch v.(type) {
	case bool:
		return v, p.Type.Type == "boolean"
	case float64:
		return v, p.Type.Type == "integer" || p.Type.Type == "number"
	case string:
		return v, p.Type.Type == "string"
	}
	return nil, false
}
