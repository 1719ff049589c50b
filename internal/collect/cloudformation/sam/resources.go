package sam

import (
	"slices"

	"assay/internal/estate"
)

// simpleTable expands AWS::Serverless::SimpleTable.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-simpletable.html
func (x *expander) simpleTable(r *estate.Resource) {
	p := r.Properties
	name, kind := dig(p, "PrimaryKey", "Name"), dig(p, "PrimaryKey", "Type")
	if empty(get(p, "PrimaryKey")) {
		name, kind = str("id"), str("String")
	}
	kind = stated(kind, func(k *estate.Value) *estate.Value {
		if short, ok := map[string]string{"String": "S", "Number": "N", "Binary": "B"}[k.AsString()]; ok {
			return str(short).At(k.Position())
		}
		return k
	})
	props := object{
		"AttributeDefinitions": list(object{"AttributeName": name, "AttributeType": kind}.value()),
		"KeySchema":            list(object{"AttributeName": name, "KeyType": str("HASH")}.value()),
	}
	props.copyFrom(p, "PointInTimeRecoverySpecification", "SSESpecification", "TableName")
	if throughput := get(p, "ProvisionedThroughput"); !empty(throughput) {
		props["ProvisionedThroughput"] = throughput
	} else {
		props["BillingMode"] = str("PAY_PER_REQUEST")
	}
	if tags := get(p, "Tags"); !empty(tags) {
		props["Tags"] = tagList(tags)
	}
	x.add(originOf(r), "AWS::DynamoDB::Table", r.LogicalID, props)
}

// layerVersion expands AWS::Serverless::LayerVersion. Its logical id ends in a
// hash, so that a new layer never replaces the one before it.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-layerversion.html
func (x *expander) layerVersion(r *estate.Resource) {
	p := r.Properties
	props := object{"Content": s3Location(get(p, "ContentUri"), r.LogicalID+".ContentUri", "S3Bucket", "S3Key", "S3ObjectVersion")}
	props.copyFrom(p, "LayerName", "Description", "CompatibleArchitectures", "CompatibleRuntimes", "LicenseInfo")
	if empty(props["LayerName"]) {
		props["LayerName"] = str(r.LogicalID)
	}
	id := r.LogicalID
	uri := get(p, "ContentUri")
	if x.literal(p, true) && r.Exists == nil && (cutPrefix(uri, "s3://") != nil || uri.Kind() == estate.KindMap) {
		id = hashed(id, object{r.LogicalID: object{"Type": str(r.Type), "Properties": p}.value()}.value())
	}
	if id != r.LogicalID {
		x.renamed[r.LogicalID] = id
	}
	x.add(originOf(r), "AWS::Lambda::LayerVersion", id, props)
}

// application expands AWS::Serverless::Application, which is a nested stack.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-application.html
func (x *expander) application(r *estate.Resource) {
	p := r.Properties
	location := get(p, "Location")
	props := object{}
	props.copyFrom(p, "Parameters", "NotificationARNs", "TimeoutInMinutes")
	var first []*estate.Value
	first = append(first, tag("lambda:createdBy", str("SAM")))
	switch location.Kind() {
	case estate.KindMap:
		for _, t := range []struct{ key, field string }{
			{"serverlessrepo:applicationId", "ApplicationId"}, {"serverlessrepo:semanticVersion", "SemanticVersion"},
		} {
			if v := get(location, t.field); v != nil {
				first = append(first, tag(t.key, v))
			}
		}
		props["TemplateURL"] = estate.Unknown("an application of the Serverless Application Repository",
			get(location, "ApplicationId").String()).At(location.Position())
	default:
		props["TemplateURL"] = location
	}
	props["Tags"] = list(slices.Concat(first, tagList(get(p, "Tags")).Items())...)
	x.add(originOf(r), "AWS::CloudFormation::Stack", r.LogicalID, props)
}

// capacityProvider expands AWS::Serverless::CapacityProvider.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-capacityprovider.html
func (x *expander) capacityProvider(r *estate.Resource) {
	at, id, p := originOf(r), r.LogicalID, r.Properties
	tags := set(get(p, "Tags"), str("SAM"), "lambda:createdBy")
	operator := get(p, "OperatorRole")
	if empty(operator) {
		operator = arnOf(id + "OperatorRole")
		x.add(at, "AWS::IAM::Role", id+"OperatorRole", object{
			"AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
			"ManagedPolicyArns":        list(x.managed("AWSLambdaManagedEC2ResourceOperator")),
			"Tags":                     list(tag("lambda:createdBy", str("SAM"))),
		})
	}
	props := object{
		"PermissionsConfig": object{"CapacityProviderOperatorRoleArn": operator}.value(), "Tags": tagList(tags),
	}
	props.copyFrom(p, "CapacityProviderName", "VpcConfig", "KmsKeyArn")
	if wanted := get(p, "InstanceRequirements"); !empty(wanted) {
		props["InstanceRequirements"] = object{
			"Architectures": get(wanted, "Architectures"), "AllowedInstanceTypes": get(wanted, "AllowedTypes"),
			"ExcludedInstanceTypes": get(wanted, "ExcludedTypes"),
		}.value().At(wanted.Position())
	}
	if scaling := get(p, "ScalingConfig"); !empty(scaling) {
		made := object{"MaxVCpuCount": get(scaling, "MaxVCpuCount"), "ScalingMode": str("Auto")}
		if use := get(scaling, "AverageCPUUtilization"); use != nil {
			made["ScalingMode"] = str("Manual")
			made["ScalingPolicies"] = list(object{
				"PredefinedMetricType": str("LambdaCapacityProviderAverageCPUUtilization"), "TargetValue": use,
			}.value())
		}
		props["CapacityProviderScalingConfig"] = made.value().At(scaling.Position())
	}
	x.add(at, "AWS::Lambda::CapacityProvider", id, props)
}
