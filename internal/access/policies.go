package access

import (
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

// resourcePolicy is the policy of a resource, all its parts as one; nil where
// it has none.
func (w *world) resourcePolicy(r *estate.Resource, view check.View) *iam.Policy {
	if p, ok := w.policies[r]; ok && view.Plain() {
		return p
	}
	var parts []*iam.Policy
	switch r.Type {
	case "AWS::IAM::Role":
		parts = add(parts, w.compile(r, "AssumeRolePolicyDocument", r.Properties.Field("AssumeRolePolicyDocument"), view))
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
	case "AWS::EFS::FileSystem":
		parts = add(parts, w.compile(r, "FileSystemPolicy", r.Properties.Field("FileSystemPolicy"), view))
	case "AWS::Lambda::Function":
		parts = w.functionPolicy(r, view)
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

func (w *world) partitionOf(s *estate.Scope) string {
	region, _ := s.Place()
	return partition(region)
}

func one(s string) *iam.Texts { return &iam.Texts{Values: []iam.Text{{Value: s}}, Single: true} }

// functionPolicy is the policy that the permissions of a function make up, with
// those of its aliases and versions.
func (w *world) functionPolicy(r *estate.Resource, view check.View) []*iam.Policy {
	permissions, gaps := view.Related(r, "permissions")
	doc := &iam.Document{Version: iam.Version2012}
	var origin []statement
	for _, p := range permissions {
		doc.Statements = append(doc.Statements, w.permission(p, view))
		origin = append(origin, statement{p, "", p.Properties})
	}
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

// permission is the statement that lambda:AddPermission makes of a permission.
// source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (w *world) permission(p *estate.Resource, view check.View) iam.Statement {
	s := p.Scope()
	get := func(name string) (string, bool, bool) {
		v, open := view.Resolve(p.Properties.Field(name))
		if v == nil {
			return "", false, false
		}
		return w.text(s, v, view), true, open
	}
	action, _, _ := get("Action")
	statement := iam.Statement{Effect: iam.Allow, Action: one(action), At: position(p.Source)}
	statement.Resource = one(w.functionARN(s, p.Properties.Field("FunctionName"), view))
	principal, _, _ := get("Principal")
	kind := "AWS"
	switch {
	case principal == "*":
		kind = ""
	case strings.Contains(principal, ".amazonaws.com"):
		kind = "Service"
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
		if text, ok, open := get(c.property); ok {
			statement.Condition = append(statement.Condition, iam.Condition{Operator: c.operator, Key: c.key, Values: *one(text), Open: open})
		}
	}
	return statement
}
