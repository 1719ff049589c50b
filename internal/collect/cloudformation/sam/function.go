package sam

import (
	"slices"
	"strings"

	"assay/internal/estate"
)

// copiedToFunction are the properties that the function takes over as they are.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
var copiedToFunction = []string{
	"FunctionName", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment",
	"KmsKeyArn", "ReservedConcurrentExecutions", "Layers", "FileSystemConfigs", "ImageConfig", "PackageType",
	"Architectures", "SnapStart", "EphemeralStorage", "CodeSigningConfigArn", "RuntimeManagementConfig",
	"LoggingConfig", "TenancyConfig", "RecursiveLoop", "DurableConfig", "FunctionScalingConfig",
	"PublishToLatestPublished",
}

// function is one AWS::Serverless::Function while it is expanded.
type function struct {
	*expander
	origin
	id    string
	p     *estate.Value // its properties
	role  *role
	alias *estate.Value // reference to the alias that is published, or nil
}

func (x *expander) function(r *estate.Resource) {
	f := &function{expander: x, origin: originOf(r), id: r.LogicalID, p: r.Properties}
	before := len(x.out)
	props := object{"Code": f.code(), "Tags": f.tags()}
	props.copyFrom(f.p, copiedToFunction...)
	if tracing := get(f.p, "Tracing"); !empty(tracing) && !is(tracing, "Disabled") {
		props["TracingConfig"] = object{"Mode": tracing}.value().At(tracing.Position())
	}
	if queue := get(f.p, "DeadLetterQueue"); queue != nil {
		props["DeadLetterConfig"] = stated(queue, func(q *estate.Value) *estate.Value {
			if q.Kind() != estate.KindMap {
				return q
			}
			return object{"TargetArn": q.Field("TargetArn")}.value().At(q.Position())
		})
	}
	if provider := get(f.p, "CapacityProviderConfig"); provider != nil {
		props["CapacityProviderConfig"] = stated(provider, capacityProviderConfig)
	}
	f.role = f.executionRole(f.id + "Role")
	f.publish(props)
	f.url()
	f.asyncInvocation()
	f.grant(f.role, get(f.p, "Policies"))
	props["Role"] = f.attachRole()
	x.add(f.origin, "AWS::Lambda::Function", f.id, props)
	f.events()
	f.role.emit(x)
	x.propagateTags(x.out[before:], f.p)
}

// target is how the function is named where its name or ARN will do, arn
// where it has to be an ARN. With an alias both name the alias.
func (f *function) target() *estate.Value {
	if f.alias != nil {
		return f.alias
	}
	return ref(f.id)
}

func (f *function) arn() *estate.Value {
	if f.alias != nil {
		return f.alias
	}
	return arnOf(f.id)
}

// code is where the code comes from. Local code gets its place in S3 or ECR
// only when it is deployed, so that its kind is known and its place is not.
func (f *function) code() *estate.Value {
	packageType, inline, uri := get(f.p, "PackageType"), get(f.p, "InlineCode"), get(f.p, "CodeUri")
	switch k := packageType.Kind(); {
	case is(packageType, "Image"):
		image := get(f.p, "ImageUri")
		if image == nil {
			image = estate.Unknown("the image is built when it is deployed", f.id).At(packageType.Position())
		}
		return object{"ImageUri": image}.value().At(image.Position())
	case packageType != nil && k != estate.KindString:
		return estate.Unknown("depends on the package type", f.id+".PackageType").At(packageType.Position())
	case inline != nil:
		return object{"ZipFile": inline}.value().At(inline.Position())
	}
	code := s3Location(uri, f.id+".CodeUri", "S3Bucket", "S3Key", "S3ObjectVersion")
	if key := get(f.p, "SourceKMSKeyArn"); key != nil && code.Kind() == estate.KindMap {
		code = code.With("SourceKMSKeyArn", key)
	}
	return code
}

// s3Location reads s3://bucket/key?versionId=v or {Bucket, Key, Version} under
// the names that the resource gives them.
func s3Location(uri *estate.Value, what, bucket, key, version string) *estate.Value {
	switch uri.Kind() {
	case estate.KindMap:
		return object{
			bucket: uri.Field("Bucket"), key: uri.Field("Key"), version: uri.Field("Version"),
		}.value().At(uri.Position())
	case estate.KindOneOf:
		return each(uri, func(c *estate.Value) *estate.Value { return s3Location(c, what, bucket, key, version) })
	case estate.KindUnknown, estate.KindDenied:
		return object{bucket: uri, key: uri}.value().At(uri.Position())
	default:
	}
	if parts := cutPrefix(uri, "s3://"); parts != nil {
		if b, k, ok := cutText(parts, "/"); ok {
			location := object{bucket: b, key: k}
			if k, v, ok := cutText(k, "?versionId="); ok {
				location[key], location[version] = k, v
			}
			return location.value().At(uri.Position())
		}
	}
	unknown := estate.Unknown(estate.ReasonLocalCode, what).At(uri.Position())
	return object{bucket: unknown, key: unknown}.value().At(uri.Position())
}

// cutPrefix is what follows a prefix of a text with or without holes, or nil.
func cutPrefix(v *estate.Value, prefix string) *estate.Value {
	parts := []*estate.Value{v}
	if v.Kind() == estate.KindText {
		parts = slices.Clone(v.Items())
	}
	rest, ok := strings.CutPrefix(parts[0].AsString(), prefix)
	if !ok {
		return nil
	}
	parts[0] = str(rest)
	return estate.Text(parts...)
}

// cutText slices a text with or without holes around the first literal sep.
func cutText(v *estate.Value, sep string) (before, after *estate.Value, found bool) {
	parts := []*estate.Value{v}
	if v.Kind() == estate.KindText {
		parts = v.Items()
	}
	for i, p := range parts {
		if head, tail, ok := strings.Cut(p.AsString(), sep); ok {
			before = estate.Text(append(slices.Clone(parts[:i]), str(head))...)
			return before, estate.Text(append([]*estate.Value{str(tail)}, parts[i+1:]...)...), true
		}
	}
	return v, nil, false
}

// tags are the function's tags in CloudFormation's form, with the one that SAM
// adds to functions and their roles.
func (f *function) tags() *estate.Value { return tagList(get(f.p, "Tags"), "lambda:createdBy", "SAM") }

// tagList turns a map of tags into CloudFormation's list, after the pairs of
// keys and values in first.
func tagList(tags *estate.Value, first ...string) *estate.Value {
	return each(tags, func(tags *estate.Value) *estate.Value {
		var items []*estate.Value
		for i := 0; i+1 < len(first); i += 2 {
			items = append(items, tag(first[i], str(first[i+1])))
		}
		switch tags.Kind() {
		case estate.KindMap:
			for _, f := range tags.Fields() {
				items = append(items, tag(f.Name, f.Value).At(f.Value.Position()))
			}
		case estate.KindAbsent, estate.KindNull:
		default:
			return tags
		}
		return list(items...).At(tags.Position())
	})
}

func tag(key string, value *estate.Value) *estate.Value {
	if value.Kind() == estate.KindNull {
		value = str("")
	}
	return object{"Key": str(key), "Value": value}.value()
}

// taggable are the types whose tags PropagateTags sets, of those that SAM
// generates.
var taggable = map[string]bool{
	"AWS::Lambda::Function": true, "AWS::IAM::Role": true, "AWS::SQS::Queue": true, "AWS::SNS::Topic": true,
	"AWS::ApiGateway::RestApi": true, "AWS::ApiGateway::Stage": true, "AWS::ApiGateway::ApiKey": true,
	"AWS::ApiGateway::UsagePlan": true, "AWS::ApiGateway::DomainName": true, "AWS::StepFunctions::StateMachine": true,
}

// propagateTags gives the tags of a SAM resource to what it generated, in
// place of tags that those have.
func (x *expander) propagateTags(resources []*estate.Resource, p *estate.Value) {
	tags := get(p, "Tags")
	if !truth(get(p, "PropagateTags")) || empty(tags) {
		return
	}
	for _, r := range resources {
		if taggable[r.Type] {
			r.Properties = r.Properties.With("Tags", tagList(tags))
		}
	}
}

// capacityProviderConfig gives the settings of a managed instance function the
// shape that Lambda has for them.
func capacityProviderConfig(c *estate.Value) *estate.Value {
	if c.Kind() != estate.KindMap {
		return c
	}
	settings := object{"CapacityProviderArn": get(c, "Arn")}
	settings.copyFrom(c, "PerExecutionEnvironmentMaxConcurrency", "ExecutionEnvironmentMemoryGiBPerVCpu")
	return object{"LambdaManagedInstancesCapacityProviderConfig": settings.value()}.value().At(c.Position())
}
