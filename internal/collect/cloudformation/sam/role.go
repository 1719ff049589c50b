package sam

import (
	_ "embed"
	"strings"
	"sync"

	"assay/internal/estate"
)

// managedPolicies lists the paths and names of AWS's managed policies, one a
// line, so that a name finds its ARN ("service-role/AWSLambdaRole").
//
// Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html, read 2026-11-24.
//
//go:embed managed-policies.txt
var managedPolicies string

var managedByName = sync.OnceValue(func() map[string]string {
	paths := strings.Fields(managedPolicies)
	byName := make(map[string]string, len(paths))
	for _, p := range paths {
		byName[p[strings.LastIndex(p, "/")+1:]] = p
	}
	return byName
})

// managed is the ARN of an AWS managed policy by path and name.
func (x *expander) managed(path string) *estate.Value {
	return text(str("arn:"), x.in.Partition, str(":iam::aws:policy/"+path))
}

// awsPolicyVersion is the policy language that AWS's own documents state.
const awsPolicyVersion = "2012-10-17"

// trust lets an AWS service assume a role.
func trust(service string) *estate.Value {
	return object{
		"Version": str(awsPolicyVersion),
		"Statement": list(object{
			"Action": list(str("sts:AssumeRole")), "Effect": str("Allow"),
			"Principal": object{"Service": list(str(service))}.value(),
		}.value()),
	}.value()
}

func allow(action, resource *estate.Value) *estate.Value {
	return object{"Action": action, "Effect": str("Allow"), "Resource": resource}.value()
}

func actions(names ...string) *estate.Value {
	items := make([]*estate.Value, len(names))
	for i, n := range names {
		items[i] = str(n)
	}
	return list(items...)
}

// inlinePolicy is one entry of a role's Policies; an empty version is left out.
func inlinePolicy(name, version string, statements ...*estate.Value) *estate.Value {
	document := object{"Statement": list(statements...)}
	if version != "" {
		document["Version"] = str(version)
	}
	return object{"PolicyName": str(name), "PolicyDocument": document.value()}.value()
}

// role gathers the execution role of a function or state machine. It comes to
// exist only where the template names no role.
type role struct {
	origin
	id       string
	needed   bool
	trust    *estate.Value
	managed  []*estate.Value
	policies []*estate.Value
	rest     object // Path, PermissionsBoundary, Tags
}

// attachManaged adds a managed policy once.
func (r *role) attachManaged(arn *estate.Value) {
	if arn != nil && !contains(r.managed, arn) {
		r.managed = append(r.managed, arn)
	}
}

// attach adds an inline policy unless one with the same document is there.
func (r *role) attach(policy *estate.Value) {
	if policy == nil {
		return
	}
	for _, p := range r.policies {
		if estate.Equal(p.Field("PolicyDocument"), policy.Field("PolicyDocument")) {
			return
		}
	}
	r.policies = append(r.policies, policy)
}

// emit adds the role to the template where it is needed.
func (r *role) emit(x *expander) {
	if !r.needed {
		return
	}
	props := object{"AssumeRolePolicyDocument": r.trust, "ManagedPolicyArns": list(r.managed...)}
	for name, v := range r.rest {
		props[name] = v
	}
	if len(r.policies) > 0 {
		props["Policies"] = list(r.policies...)
	}
	x.add(r.origin, "AWS::IAM::Role", r.id, props)
}

// executionRole is the role that SAM gives a function without one.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html#sam-function-role
func (f *function) executionRole(id string) *role {
	r := &role{origin: f.origin, id: id, trust: get(f.p, "AssumeRolePolicyDocument"), rest: object{"Tags": f.tags()}}
	if r.trust == nil {
		r.trust = trust("lambda.amazonaws.com")
	}
	basic := "service-role/AWSLambdaBasicExecutionRole"
	if !empty(get(f.p, "DurableConfig")) {
		basic = "service-role/AWSLambdaBasicDurableExecutionRolePolicy"
	}
	r.attachManaged(f.managed(basic))
	if tracing := f.p.Field("Tracing"); f.present(tracing) && !is(tracing, "Disabled") {
		r.attachManaged(f.xray().At(tracing.Position()))
	}
	if vpc := f.p.Field("VpcConfig"); f.present(vpc) {
		r.attachManaged(f.managed("service-role/AWSLambdaVPCAccessExecutionRole").At(vpc.Position()))
	}
	if queue := get(f.p, "DeadLetterQueue"); !empty(queue) {
		f.deadLetterPolicy(r, queue)
	}
	if path := get(f.p, "RolePath"); path != nil {
		r.rest["Path"] = path
	}
	if boundary := get(f.p, "PermissionsBoundary"); boundary != nil {
		r.rest["PermissionsBoundary"] = boundary
	}
	return r
}

// present reports whether AWS's transform takes a property for stated: it does
// so for any intrinsic function, also for one that comes to AWS::NoValue.
func (x *expander) present(v *estate.Value) bool { return !empty(v) || x.written(v) != "" }

// xray is the policy that lets a function or state machine send traces.
func (x *expander) xray() *estate.Value {
	if p := x.in.Partition.AsString(); p != "" && p != "aws" {
		return x.managed("AWSXRayDaemonWriteAccess")
	}
	return x.managed("AWSXrayWriteOnlyAccess")
}

func (f *function) deadLetterPolicy(r *role, queue *estate.Value) {
	each(queue, func(q *estate.Value) *estate.Value {
		action := map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}[get(q, "Type").AsString()]
		target := get(q, "TargetArn")
		switch {
		case q.Kind() != estate.KindMap:
		case action == "" || target == nil:
			f.problem(q.Position(), "DeadLetterQueue needs a Type of SQS or SNS and a TargetArn", "")
		default:
			policy := inlinePolicy("DeadLetterQueuePolicy", awsPolicyVersion, allow(str(action), target))
			r.policies = append(r.policies, policy.At(q.Position()))
		}
		return nil
	})
}

// attachRole is the Role of the function: what the template names, or the
// role that SAM makes where it names none.
func (f *function) attachRole() *estate.Value {
	return f.role.orNamed(get(f.p, "Role"))
}

// orNamed is the role that a template names, with r in its place where it
// names none.
func (r *role) orNamed(named *estate.Value) *estate.Value {
	if named == nil {
		r.needed = true
		return arnOf(r.id)
	}
	if missing := whereAbsent(named); missing != nil {
		r.needed = true
		r.origin = r.when(missing, named.Input())
		return each(named, func(c *estate.Value) *estate.Value {
			if c == nil {
				return arnOf(r.id)
			}
			return c
		})
	}
	return named
}
