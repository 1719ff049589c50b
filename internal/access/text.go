package access

import (
	"strconv"
	"strings"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// holeKey names what stands in a hole: the same text wherever it stands.
type holeKey struct {
	kind iam.HoleKind
	name string
}

// hole is a text that is not known. An empty name is a text of its own.
func (w *world) hole(kind iam.HoleKind, name string, gap estate.Gap) string {
	key := holeKey{kind, name}
	id, ok := w.holes[key]
	if !ok || name == "" {
		// The last two are iam's own.
		id = min(len(w.gaps), iam.MaxHole-2)
		w.gaps = append(w.gaps, gap)
		if name != "" {
			w.holes[key] = id
		}
	}
	return iam.Hole(kind, id)
}

// gap is what a hole stands for.
func (w *world) gap(id int) estate.Gap {
	if id < len(w.gaps) {
		return w.gaps[id]
	}
	return estate.Gap{Reason: "not known", Input: "text"}
}

// text is a value as the text that AWS will see, with holes for what is not
// known. s is the scope that the value stands in.
func (w *world) text(s *estate.Scope, v *estate.Value, view check.View) string {
	v, open := view.Resolve(v)
	if open {
		return w.hole(iam.OpenHole, "", estate.Gap{Reason: "not decided", Input: v.Input()})
	}
	if text, ok := v.Scalar(); ok {
		return text
	}
	switch v.Kind() {
	case estate.KindText:
		var b strings.Builder
		for _, part := range v.Items() {
			b.WriteString(w.text(s, part, view))
		}
		return b.String()
	case estate.KindReference:
		return w.reference(s, v.Reference(), view)
	case estate.KindUnknown:
		return w.unknown(s, v)
	case estate.KindDenied:
		return w.hole(iam.OpenHole, "", v.Gap())
	default:
		return w.hole(iam.OpenHole, "", estate.Gap{Reason: "not a text that is known", Input: v.String()})
	}
}

func (w *world) unknown(s *estate.Scope, v *estate.Value) string {
	gap := v.Gap()
	if gap.Reason == estate.ReasonPseudoParameter {
		region, _ := s.Place()
		switch gap.Input {
		case "AWS::Region":
			if region != "" {
				return region
			}
		case "AWS::AccountId":
			return w.account(s)
		case "AWS::Partition":
			return partition(region)
		case "AWS::URLSuffix":
			if partition(region) == "aws-cn" {
				return "amazonaws.com.cn"
			}
			return "amazonaws.com"
		case "AWS::StackId":
			return w.hole(iam.OpenHole, gap.Input, gap)
		}
		return w.hole(iam.SegmentHole, gap.Input, gap)
	}
	if estate.Matches(v, v) == estate.True {
		return w.hole(iam.OpenHole, gap.String(), gap)
	}
	return w.hole(iam.OpenHole, "", gap) // two such values need not be the same
}

// partition is that of a region; where no region is known, the public one.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "eusc-"):
		return "aws-eusc"
	}
	return "aws"
}

// reference is the attribute of a resource: its ARN or name where that is what
// the attribute holds.
func (w *world) reference(s *estate.Scope, ref estate.Reference, view check.View) string {
	gap := estate.Gap{Reason: "known after deployment", Input: ref.String()}
	t := s.Find(ref.Resource)
	if t == nil {
		return w.hole(iam.OpenHole, s.ID+"#"+ref.String(), gap)
	}
	switch {
	case ref.Attribute == "Ref" && refIsARN[t.Type], ref.Attribute == "Arn", strings.HasSuffix(ref.Attribute, "Arn") && ref.Attribute != "StreamArn" && ref.Attribute == arnAttribute[t.Type]:
		if arn := w.arn(t, view); arn != "" {
			if t.Type == "AWS::Logs::LogGroup" {
				arn += ":*" // the group's streams too
			}
			return arn
		}
	case ref.Attribute == "StreamArn" && t.Type == "AWS::DynamoDB::Table":
		return w.arn(t, view) + "/stream/" + w.hole(iam.NameHole, t.ID+".StreamArn", gap)
	case ref.Attribute == "Ref" && !refIsOther[t.Type]:
		return w.name(t, view)
	case ref.Attribute == nameAttribute[t.Type]:
		return w.name(t, view)
	}
	if strings.HasSuffix(ref.Attribute, "Id") || ref.Attribute == "Ref" && !refIsOther[t.Type] {
		return w.hole(iam.NameHole, t.ID+"."+ref.Attribute, gap)
	}
	return w.hole(iam.IdentityHole, t.ID+"."+ref.Attribute, gap)
}

// What Ref and other attributes of a type return, where that is not the name.
// source: the "Return values" of each type in the CloudFormation template
// reference.
var (
	refIsARN = map[string]bool{
		"AWS::SNS::Topic": true, "AWS::IAM::ManagedPolicy": true, "AWS::StepFunctions::StateMachine": true, "AWS::SecretsManager::Secret": true,
		"AWS::Lambda::Version": true, "AWS::Lambda::Alias": true, "AWS::Lambda::LayerVersion": true,
	}
	refIsOther    = map[string]bool{"AWS::SQS::Queue": true} // a URL
	arnAttribute  = map[string]string{"AWS::SNS::Topic": "TopicArn", "AWS::IAM::ManagedPolicy": "PolicyArn", "AWS::Lambda::Alias": "AliasArn", "AWS::Lambda::CodeSigningConfig": "CodeSigningConfigArn", "AWS::Lambda::LayerVersion": "LayerVersionArn", "AWS::Lambda::Version": "FunctionArn"}
	nameAttribute = map[string]string{"AWS::SQS::Queue": "QueueName", "AWS::SNS::Topic": "TopicName", "AWS::KMS::Key": "KeyId", "AWS::StepFunctions::StateMachine": "Name"}
)

// name is a resource's name: its own, or one that AWS makes up.
func (w *world) name(t *estate.Resource, view check.View) string {
	name := t.Name()
	if name.Kind() == estate.KindReference {
		if target := t.Scope().Find(name.Reference().Resource); target == t {
			return w.hole(iam.NameHole, t.ID, estate.Gap{Reason: "known after deployment", Input: "name of " + t.LogicalID})
		}
	}
	return w.text(t.Scope(), name, view)
}

// arn is a resource's ARN, or "" where its type's ARNs are not known. Aliases
// and versions have that of their function, with a qualifier.
func (w *world) arn(t *estate.Resource, view check.View) string {
	if strings.HasPrefix(t.ID, "arn:") {
		return t.ID // of an account
	}
	switch t.Type {
	case "AWS::Lambda::Alias", "AWS::Lambda::Version":
		function := w.functionARN(t.Scope(), t.Properties.Field("FunctionName"), view)
		if t.Type == "AWS::Lambda::Alias" {
			return function + ":" + w.text(t.Scope(), t.Properties.Field("Name"), view)
		}
		return function + ":" + w.hole(iam.NameHole, t.ID, estate.Gap{Reason: "known after deployment", Input: "number of " + t.LogicalID})
	}
	v := t.ARN()
	if v == nil {
		return ""
	}
	var b strings.Builder
	for _, part := range v.Items() {
		if part.Kind() == estate.KindReference && part.Reference().Resource == t.LogicalID {
			b.WriteString(w.hole(iam.NameHole, t.ID, estate.Gap{Reason: "known after deployment", Input: "name of " + t.LogicalID}))
			continue
		}
		b.WriteString(w.text(t.Scope(), part, view))
	}
	return b.String()
}

// functionARN completes what a property may name a function with: its name, its
// ARN, or account:function:name, each with or without a qualifier.
func (w *world) functionARN(s *estate.Scope, v *estate.Value, view check.View) string {
	text := w.text(s, v, view)
	region, account := s.Place()
	if strings.HasPrefix(text, "arn:") || strings.HasPrefix(text, "\xffo") {
		return text
	}
	if _, name, found := strings.Cut(text, ":function:"); found {
		text = name
	}
	if region == "" {
		region = w.hole(iam.SegmentHole, "AWS::Region", estate.Gap{Reason: estate.ReasonPseudoParameter, Input: "AWS::Region"})
	}
	if account == "" {
		account = w.account(s)
	}
	return "arn:" + partition(region) + ":lambda:" + region + ":" + account + ":function:" + text
}

// account is the account of a scope.
func (w *world) account(s *estate.Scope) string {
	if _, account := s.Place(); account != "" {
		return account
	}
	return w.hole(iam.AccountHole, "AWS::AccountId", estate.Gap{Reason: estate.ReasonPseudoParameter, Input: "AWS::AccountId"})
}

// words writes a text with holes for a person: ${what} stands for a hole.
func (w *world) words(text string) string {
	var b strings.Builder
	rest := text
	for _, id := range iam.Holes(text) {
		at := strings.IndexByte(rest, 0xFF)
		b.WriteString(rest[:at])
		b.WriteString("${" + w.gap(id).Input + "}")
		rest = rest[at+len(iam.Hole(iam.OpenHole, 0)):]
	}
	b.WriteString(rest)
	return b.String()
}

func itoa(i int) string { return strconv.Itoa(i) }
