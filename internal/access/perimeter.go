package access

import (
	"slices"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// refusesPlain asks for each action without TLS, by a user of the resource's
// own account who may do everything, so that only a Deny refuses. A file
// system is open to clients without credentials unless its policy says
// otherwise, and is asked by one.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// source: https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
func (w *world) refusesPlain(q *check.Question) check.Answer {
	r := q.Subject
	set := &iam.PolicySet{Identity: []*iam.Policy{w.everything()}, Resource: w.resourcePolicy(r, q.View)}
	principal := "arn:" + w.partitionOf(r.Scope()) + ":iam::" + w.account(r.Scope()) + ":user/" +
		w.hole(iam.NameHole, "any user of "+r.ID, estate.Gap{Reason: "not known", Input: "who calls"})
	if r.Type == "AWS::EFS::FileSystem" {
		if set.Resource == nil {
			return check.Answer{Truth: estate.False}
		}
		principal, set.Identity = iam.AnonymousCaller, nil
	}
	result := check.Answer{Truth: estate.True}
	for _, action := range q.Actions {
		arn := w.arn(r, q.View)
		if r.Type == "AWS::S3::Bucket" && w.onObjects(action) {
			arn += "/" + w.hole(iam.OpenHole, "object of "+r.ID, estate.Gap{Reason: "not known", Input: "key of the object"})
		}
		v, ok := w.decide(iam.RequestSpec{
			Principal: principal, Action: action, Resource: arn, ResourceAccount: w.account(r.Scope()),
			Context: map[string][]string{"aws:SecureTransport": {"false"}, "s3:TlsVersion": {}},
		}, set)
		a := w.answer(r, v, ok)
		if a.Truth == estate.True {
			return check.Answer{Truth: estate.False, Reads: a.Reads}
		}
		result.Reads = append(result.Reads, a.Reads...)
		if a.Truth == estate.Maybe {
			result.Truth = estate.Maybe
			result.Missing = append(result.Missing, a.Missing...)
		}
	}
	return result
}

// anywhereProbes are calls that read data, on resources that no policy names.
var anywhereProbes = []struct{ action, resource string }{
	{"s3:GetObject", "arn:aws:s3:::assay-probe/object"},
	{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:000000000000:table/assay-probe"},
	{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:000000000000:secret:assay-probe"},
}

// usableAnywhere asks whether credentials of the role work from an address on
// the internet: whether no Deny of its policies stands against it. What the
// policies allow does not matter; they are asked as if all were allowed.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html
func (w *world) usableAnywhere(q *check.Question) check.Answer {
	own := w.principal(q.Subject, q.View)
	set := &iam.PolicySet{Identity: append(slices.Concat(own.identity, own.boundary), w.everything())}
	result := check.Answer{Truth: estate.False}
	for _, p := range anywhereProbes {
		spec := w.of(q.Subject, p.action, p.resource, q.View)
		spec.ResourceAccount = w.account(q.Subject.Scope())
		spec.Context["aws:SourceIp"] = []string{"192.0.2.1"} // of a range that is nobody's (RFC 5737)
		spec.Context["aws:ViaAWSService"] = []string{"false"}
		spec.Context["aws:PrincipalIsAWSService"] = []string{"false"}
		for _, key := range []string{"aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn", "aws:VpcSourceIp", "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:Ec2InstanceSourceVpc", "aws:Ec2InstanceSourcePrivateIPv4"} {
			spec.Context[key] = nil
		}
		v, ok := w.decide(spec, set)
		a := w.answer(q.Subject, v, ok)
		if a.Truth == estate.True {
			return a
		}
		result.Reads = append(result.Reads, a.Reads...)
		if a.Truth == estate.Maybe {
			result.Truth = estate.Maybe
			result.Missing = append(result.Missing, a.Missing...)
		}
	}
	return result
}
