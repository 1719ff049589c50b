package sam

import (
	"strconv"
	"strings"

	"assay/internal/estate"
)

// grant reads the Policies property: names and ARNs of managed policies,
// policy documents, and policy templates, alone or in a list.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html#sam-function-policies
func (x *expander) grant(r *role, policies *estate.Value) {
	if empty(policies) {
		return
	}
	items := []*estate.Value{policies}
	if policies.Kind() == estate.KindList {
		items = policies.Items()
	}
	for i, item := range items {
		name := r.id + "Policy" + strconv.Itoa(i)
		// An item under a condition may be one thing in one case and another in
		// the next; each list gets its share of the cases.
		managed := stated(item, func(c *estate.Value) *estate.Value {
			if isDocument(c) {
				return nil
			}
			return x.managedPolicy(c)
		})
		if managed != nil {
			r.attachManaged(managed)
		}
		inline := stated(item, func(c *estate.Value) *estate.Value {
			if !isDocument(c) {
				return nil
			}
			return object{
				"PolicyName": str(name), "PolicyDocument": x.policyDocument(c),
			}.value().At(c.Position())
		})
		if inline != nil {
			r.policies = append(r.policies, inline)
		}
	}
}

// isDocument tells a policy document or template from what names a managed
// policy. What is not known is taken to name one, as AWS does for intrinsic
// functions.
func isDocument(v *estate.Value) bool { return v.Kind() == estate.KindMap }

// managedPolicy is the ARN of a managed policy that is given by name or ARN.
func (x *expander) managedPolicy(v *estate.Value) *estate.Value {
	if v.Kind() != estate.KindString || strings.HasPrefix(v.AsString(), "arn:") {
		return v
	}
	if path, ok := managedByName()[v.AsString()]; ok {
		return x.managed(path).At(v.Position())
	}
	return v
}

// policyDocument is a document as it stands, or what a policy template of that
// name makes.
func (x *expander) policyDocument(v *estate.Value) *estate.Value {
	fields := v.Fields()
	if v.Field("Statement") != nil || len(fields) != 1 {
		return v
	}
	name, given := fields[0].Name, fields[0].Value
	template := x.policyTemplate(name)
	if template == nil {
		x.problem(v.Position(), name+" is not an AWS SAM policy template",
			"see https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html")
		return estate.Unknown("policy template that is not known", name).At(v.Position())
	}
	parameters := object{}
	for _, p := range template.Field("parameters").Items() {
		value := given.Field(p.AsString())
		if value == nil {
			x.problem(v.Position(), "policy template "+name+" needs the parameter "+p.AsString(), "")
			value = estate.Unknown("policy template without a parameter", name+" "+p.AsString())
		}
		parameters[p.AsString()] = value
	}
	return place(x.instantiate(template.Field("definition"), parameters), v.Position())
}

// policyTemplate finds a template in AWS's list.
func (x *expander) policyTemplate(name string) *estate.Value {
	if x.policyTemplates == nil {
		parsed, err := estate.ParseJSON(x.in.PolicyTemplates)
		if err != nil || parsed.Kind() != estate.KindMap {
			x.partial("AWS::IAM::Role", "the table of SAM policy templates could not be read")
			parsed = estate.Map()
		}
		x.policyTemplates = parsed
	}
	return x.policyTemplates.Field(name)
}

// instantiate evaluates the intrinsic functions of a policy template over its
// parameters.
func (x *expander) instantiate(v *estate.Value, parameters object) *estate.Value {
	switch v.Kind() {
	case estate.KindList:
		items := make([]*estate.Value, 0, len(v.Items()))
		for _, item := range v.Items() {
			items = append(items, x.instantiate(item, parameters))
		}
		return list(items...)
	case estate.KindMap:
	default:
		return v
	}
	if fields := v.Fields(); len(fields) == 1 {
		argument := fields[0].Value
		switch fields[0].Name {
		case "Ref":
			return x.named(argument.AsString(), parameters)
		case "Fn::Sub":
			template, local := argument, parameters
			if items := argument.Items(); len(items) == 2 {
				template, local = items[0], object{}
				for _, f := range items[1].Fields() {
					local[f.Name] = x.instantiate(f.Value, parameters)
				}
			}
			return x.substitute(template.AsString(), local)
		case "Fn::Join":
			if items := argument.Items(); len(items) == 2 {
				var parts []*estate.Value
				for i, item := range items[1].Items() {
					if i > 0 {
						parts = append(parts, items[0])
					}
					parts = append(parts, x.instantiate(item, parameters))
				}
				return text(parts...)
			}
		}
	}
	made := object{}
	for _, f := range v.Fields() {
		made[f.Name] = x.instantiate(f.Value, parameters)
	}
	return made.value()
}

// substitute fills the variables of a text in the manner of Fn::Sub.
func (x *expander) substitute(template string, names object) *estate.Value {
	var parts []*estate.Value
	for {
		before, rest, found := strings.Cut(template, "${")
		parts = append(parts, str(before))
		if !found {
			return text(parts...)
		}
		name, after, closed := strings.Cut(rest, "}")
		switch {
		case !closed:
			return text(append(parts, str("${"+rest))...)
		case strings.HasPrefix(name, "!"):
			parts = append(parts, str("${"+name[1:]+"}"))
		default:
			parts = append(parts, x.named(name, names))
		}
		template = after
	}
}

// named is a pseudo parameter, or one of the names given.
func (x *expander) named(name string, names object) *estate.Value {
	var v *estate.Value
	switch name {
	case "AWS::Region":
		v = x.in.Region
	case "AWS::Partition":
		v = x.in.Partition
	case "AWS::AccountId":
		v = x.in.AccountID
	case "AWS::StackName":
		v = x.in.StackName
	case "AWS::StackId":
		v = x.in.StackID
	case "AWS::URLSuffix":
		v = x.in.URLSuffix
	default:
		v = names[name]
	}
	if v == nil {
		return estate.Unknown("not given to the SAM transform", name)
	}
	return v
}
