package access

import (
	"slices"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// principalSet is what bears on a role or user of the estate.
type principalSet struct {
	identity []*iam.Policy
	boundary []*iam.Policy
}

// add appends a policy that there is.
func add(list []*iam.Policy, p *iam.Policy) []*iam.Policy {
	if p == nil {
		return list
	}
	return append(list, p)
}

// principal gathers the policies of a role or user: inline, managed by AWS or
// by the estate, and those that name it.
func (w *world) principal(r *estate.Resource, view check.View) *principalSet {
	if set, ok := w.sets[r]; ok && view.Plain() {
		return set
	}
	set := &principalSet{}
	inline, open := view.Resolve(r.Properties.Field("Policies"))
	switch {
	case inline == nil:
	case open || inline.Kind() != estate.KindList:
		set.identity = append(set.identity, iam.Unread(r.LogicalID+".Policies: "+reasonOf(inline)))
	default:
		for i, item := range inline.Items() {
			at := "Policies[" + itoa(i) + "]"
			item, open := view.Resolve(item)
			switch {
			case item == nil:
			case open || item.Kind() != estate.KindMap:
				set.identity = append(set.identity, iam.Unread(r.LogicalID+"."+at+": "+reasonOf(item)))
			default:
				set.identity = add(set.identity, w.compile(r, at+".PolicyDocument", item.Field("PolicyDocument"), view))
			}
		}
	}
	managed, open := view.Resolve(r.Properties.Field("ManagedPolicyArns"))
	if managed.Kind() == estate.KindList && !open {
		for _, item := range managed.Items() {
			item, open := view.Resolve(item)
			if item == nil || open {
				continue // an edge tells of what is not decided
			}
			if arn := w.text(r.Scope(), item, view); isAWSManaged(arn) {
				set.identity = append(set.identity, w.managedPolicyOf(arn))
			}
		}
	}
	for _, name := range []string{"managedPolicies", "attachedPolicies", "policyPieces"} {
		set.identity = append(set.identity, w.related(r, name, "PolicyDocument", view)...)
	}
	if r.Type == "AWS::IAM::User" && (r.Properties.Field("Groups") != nil || len(r.Scope().OfType("AWS::IAM::UserToGroupAddition")) > 0) {
		set.identity = append(set.identity, iam.Unread("policies of the groups of "+r.LogicalID+", which are not followed"))
	}
	boundary, open := view.Resolve(r.Properties.Field("PermissionsBoundary"))
	switch {
	case boundary == nil:
	case open:
		set.boundary = append(set.boundary, iam.Unread(r.LogicalID+".PermissionsBoundary: "+reasonOf(boundary)))
	default:
		if arn := w.text(r.Scope(), boundary, view); isAWSManaged(arn) {
			set.boundary = append(set.boundary, w.managedPolicyOf(arn))
		} else if set.boundary = w.related(r, "boundaries", "PolicyDocument", view); len(set.boundary) == 0 {
			set.boundary = append(set.boundary, iam.Unread(r.LogicalID+".PermissionsBoundary: "+w.words(arn)))
		}
	}
	if view.Plain() {
		w.sets[r] = set
	}
	return set
}

// managedPolicyOf is the policy of AWS of an ARN that may have holes.
func (w *world) managedPolicyOf(arn string) *iam.Policy {
	if len(iam.Holes(arn)) > 0 {
		return iam.Unread(w.words(arn))
	}
	return w.managedPolicy(arn)
}

// related compiles the documents of the resources at an edge. Ends that are not
// known are policies that were not read.
func (w *world) related(r *estate.Resource, edge, property string, view check.View) []*iam.Policy {
	var list []*iam.Policy
	resources, gaps := view.Related(r, edge)
	for _, other := range resources {
		list = add(list, w.compile(other, property, other.Properties.Field(property), view))
	}
	for _, g := range gaps {
		list = append(list, iam.Unread(r.LogicalID+"."+edge+": "+g.String()))
	}
	return list
}

// inlinePolicies is the property that holds the policy of a type of resource.
var inlinePolicies = map[string][]string{
	"AWS::DynamoDB::Table": {"ResourcePolicy", "PolicyDocument"}, "AWS::ECR::Repository": {"RepositoryPolicyText"},
	"AWS::EFS::FileSystem": {"FileSystemPolicy"}, "AWS::IAM::Role": {"AssumeRolePolicyDocument"},
	"AWS::Logs::Destination": {"DestinationPolicy"}, "AWS::Logs::ResourcePolicy": {"PolicyDocument"},
}

// resourcePolicy is the policy of a resource, all its parts as one; nil where
// it has none.
func (w *world) resourcePolicy(r *estate.Resource, view check.View) *iam.Policy {
	if p, ok := w.policies[r]; ok && view.Plain() {
		return p
	}
	var parts []*iam.Policy
	switch r.Type {
	case "AWS::KMS::Key":
		if v := r.Properties.Field("KeyPolicy"); v != nil {
			parts = add(parts, w.compile(r, "KeyPolicy", v, view))
		} else {
			parts = append(parts, w.defaultKeyPolicy(r))
		}
	case "AWS::SQS::Queue":
		parts = append(w.related(r, "queuePolicies", "PolicyDocument", view), w.related(r, "queueInlinePolicies", "PolicyDocument", view)...)
	case "AWS::SNS::Topic":
		parts = append(w.related(r, "topicPolicies", "PolicyDocument", view), w.related(r, "topicInlinePolicies", "PolicyDocument", view)...)
	case "AWS::S3::Bucket":
		parts = w.related(r, "bucketPolicies", "PolicyDocument", view)
	case "AWS::SecretsManager::Secret":
		parts = w.related(r, "secretPolicies", "ResourcePolicy", view)
	case "AWS::Kinesis::Stream":
		parts = w.related(r, "streamPolicies", "ResourcePolicy", view)
	case "AWS::Events::EventBus":
		parts = append(w.busPolicies(r, view), add(nil, w.compile(r, "Policy", r.Properties.Field("Policy"), view))...)
	case "AWS::Lambda::Function":
		parts = append(w.permissionsOf(r, view, w.permission), w.related(r, "resourcePolicies", "PolicyDocument", view)...)
	case "AWS::Lambda::LayerVersion":
		parts = w.permissionsOf(r, view, w.layerPermission)
	case "AWS::Lambda::Alias", "AWS::Lambda::Version":
		// Their permissions are among their function's, with their ARN.
		functions, gaps := view.Related(r, "functions")
		for _, f := range functions {
			parts = add(parts, w.resourcePolicy(f, view))
		}
		for _, g := range gaps {
			parts = append(parts, iam.Unread("policy of the function of "+r.LogicalID+": "+g.String()))
		}
	default:
		if path, ok := inlinePolicies[r.Type]; ok {
			v, open := r.Properties, false
			for i, name := range path {
				if v, open = view.Resolve(v.Field(name)); v != nil && i < len(path)-1 && v.Kind() != estate.KindMap {
					open = true
				}
				if open {
					break
				}
			}
			switch {
			case open:
				parts = append(parts, iam.Unread(r.LogicalID+"."+strings.Join(path, ".")+": "+reasonOf(v)))
			case v != nil:
				parts = add(parts, w.compile(r, strings.Join(path, "."), v, view))
			}
		}
	}
	p := w.join(r, parts)
	if view.Plain() {
		w.policies[r] = p
	}
	return p
}

// join makes one policy of parts that have the same version.
func (w *world) join(r *estate.Resource, parts []*iam.Policy) *iam.Policy {
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	doc := &iam.Document{Version: iam.Version2012}
	var origin []statement
	for _, p := range parts {
		if _, known := w.origin[p]; !known {
			return p // not read: nothing certain can be said of the whole
		}
		if p.Document.Version != iam.Version2012 {
			doc.Version = p.Document.Version
		}
		doc.Statements = append(doc.Statements, p.Document.Statements...)
		origin = append(origin, w.origin[p]...)
	}
	joined := iam.Compile("policy of "+r.LogicalID, doc, w.data)
	w.origin[joined] = origin
	return joined
}

// defaultKeyPolicy is what KMS gives a key for which none is stated: the
// account decides by its identity policies.
// source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (w *world) defaultKeyPolicy(r *estate.Resource) *iam.Policy {
	doc := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: iam.Allow, Action: one("kms:*"), Resource: one("*"),
		Principal: []iam.Principals{{Kind: "AWS", Values: *one("arn:" + w.partitionOf(r.Scope()) + ":iam::" + w.account(r.Scope()) + ":root")}},
	}}}
	p := iam.Compile("default key policy of "+r.LogicalID, doc, w.data)
	w.origin[p] = []statement{{r, "KeyPolicy", nil}}
	return p
}

// busPolicies are the statements that are put on an event bus one by one: whole,
// or as an action and a principal under an organisation.
// source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbuspolicy.html
func (w *world) busPolicies(bus *estate.Resource, view check.View) (list []*iam.Policy) {
	policies, gaps := view.Related(bus, "busPolicies")
	for _, p := range policies {
		doc := &iam.Document{Version: iam.Version2012}
		rd := &reader{w: w, view: view, resource: p, path: "Statement"}
		switch v, open := view.Resolve(p.Properties.Field("Statement")); {
		case open || v != nil && v.Kind() != estate.KindMap:
			list = append(list, iam.Unread(p.LogicalID+".Statement: "+reasonOf(v)))
			continue
		case v != nil:
			rd.statement(doc, v, "Statement", false)
		default:
			action, _, _ := w.property(p, "Action", view)
			principal, _, _ := w.property(p, "Principal", view)
			kind := "AWS"
			if principal == "*" {
				kind = ""
			}
			s := iam.Statement{Effect: iam.Allow, Action: one(action), Resource: one("*"), Principal: []iam.Principals{{Kind: kind, Values: *one(principal)}}, At: position(p.Source)}
			if c, open := view.Resolve(p.Properties.Field("Condition")); c != nil {
				organization := w.text(p.Scope(), c.Field("Value"), view)
				s.Condition = []iam.Condition{{Operator: "StringEquals", Key: "aws:PrincipalOrgID", Values: *one(organization), Open: open || c.Kind() != estate.KindMap}}
			}
			doc.Statements = append(doc.Statements, s)
			rd.origin = append(rd.origin, statement{p, "", p.Properties})
		}
		policy := iam.Compile("policy of "+bus.LogicalID, doc, w.data)
		w.origin[policy] = rd.origin
		list = append(list, policy)
	}
	for _, g := range gaps {
		list = append(list, iam.Unread(bus.LogicalID+".busPolicies: "+g.String()))
	}
	return list
}

func (w *world) partitionOf(s *estate.Scope) string {
	region, _ := s.Place()
	return partition(region)
}

func one(s string) *iam.Texts { return &iam.Texts{Values: []iam.Text{{Value: s}}, Single: true} }

// permissionsOf is the policy that the permissions of a function or layer version
// make up, with those of a function's aliases and versions.
func (w *world) permissionsOf(r *estate.Resource, view check.View, read func(*estate.Resource, check.View) iam.Statement) []*iam.Policy {
	permissions, gaps := view.Related(r, "permissions")
	doc := &iam.Document{Version: iam.Version2012}
	var origin []statement
	for _, p := range permissions {
		doc.Statements = append(doc.Statements, read(p, view))
		origin = append(origin, statement{p, "", p.Properties})
	}
	// A permission that may be another function's is a statement that may be there.
	told := map[estate.Gap]bool{}
	for _, e := range r.Related("permissions") {
		if e.To == nil && slices.Contains(gaps, e.Gap) {
			told[e.Gap] = true
			s := read(e.From, view)
			s.Open = true
			doc.Statements = append(doc.Statements, s)
			origin = append(origin, statement{e.From, "", e.From.Properties})
		}
	}
	gaps = slices.DeleteFunc(slices.Clone(gaps), func(g estate.Gap) bool { return told[g] })
	list := []*iam.Policy{}
	if len(doc.Statements) > 0 {
		policy := iam.Compile("policy of "+r.LogicalID, doc, w.data)
		w.origin[policy] = origin
		list = append(list, policy)
	}
	for _, g := range gaps {
		list = append(list, iam.Unread(r.LogicalID+".permissions: "+g.String()))
	}
	return list
}

// property reads a property of a permission as a text.
func (w *world) property(p *estate.Resource, name string, view check.View) (text string, there, open bool) {
	v, open := view.Resolve(p.Properties.Field(name))
	if v == nil {
		return "", false, false
	}
	return w.text(p.Scope(), v, view), true, open
}

// layerPermission is the statement that lambda:AddLayerVersionPermission makes.
// source: https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html
func (w *world) layerPermission(p *estate.Resource, view check.View) iam.Statement {
	action, _, _ := w.property(p, "Action", view)
	principal, _, _ := w.property(p, "Principal", view)
	kind := "AWS"
	if principal == "*" {
		kind = ""
	}
	s := iam.Statement{Effect: iam.Allow, Action: one(action), Resource: one("*"), Principal: []iam.Principals{{Kind: kind, Values: *one(principal)}}, At: position(p.Source)}
	if id, ok, open := w.property(p, "OrganizationId", view); ok {
		s.Condition = []iam.Condition{{Operator: "StringEquals", Key: "aws:PrincipalOrgID", Values: *one(id), Open: open}}
	}
	return s
}

// permission is the statement that lambda:AddPermission makes of a permission.
// source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (w *world) permission(p *estate.Resource, view check.View) iam.Statement {
	s := p.Scope()
	action, _, _ := w.property(p, "Action", view)
	statement := iam.Statement{Effect: iam.Allow, Action: one(action), At: position(p.Source)}
	statement.Resource = one(w.functionARN(s, p.Properties.Field("FunctionName"), view))
	principal, _, _ := w.property(p, "Principal", view)
	kind := "AWS"
	switch {
	case principal == "*":
		kind = ""
	case strings.Contains(principal, ".amazonaws.com"):
		kind = "Service"
	default:
		if c, ok := iam.ParseCaller(principal); ok && c.Kind == iam.Service { // such as alexa-appkit.amazon.com
			kind = "Service"
		}
	}
	statement.Principal = []iam.Principals{{Kind: kind, Values: *one(principal)}}
	for _, c := range []struct{ property, operator, key string }{
		{"SourceArn", "ArnLike", "aws:SourceArn"},
		{"SourceAccount", "StringEquals", "aws:SourceAccount"},
		{"EventSourceToken", "StringEquals", "lambda:EventSourceToken"},
		{"FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"},
		{"InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"},
		{"PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"},
	} {
		if text, ok, open := w.property(p, c.property, view); ok {
			statement.Condition = append(statement.Condition, iam.Condition{Operator: c.operator, Key: c.key, Values: *one(text), Open: open})
		}
	}
	return statement
}
