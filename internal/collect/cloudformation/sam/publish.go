package sam

import (
	"slices"
	"strings"

	"assay/internal/estate"
)

// publish adds the version and alias that AutoPublishAlias asks for.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html#sam-function-autopublishalias
func (f *function) publish(props object) {
	name := get(f.p, "AutoPublishAlias")
	if empty(name) {
		if wanted := get(f.p, "ProvisionedConcurrencyConfig"); !empty(wanted) {
			f.problem(wanted.Position(), "ProvisionedConcurrencyConfig needs AutoPublishAlias", "set AutoPublishAlias")
		}
		return
	}
	at := f.from(name)
	sha := get(f.p, "AutoPublishCodeSha256")
	if s := sha.AsString(); s != "" {
		description := sha
		if own := props["Description"]; !empty(own) {
			description = text(own, str(" "), sha)
		}
		props["Description"] = description
	}
	version := f.versionID(props, sha)
	f.add(at, "AWS::Lambda::Version", version, object{
		"FunctionName": ref(f.id),
		"Description":  get(f.p, "VersionDescription"),
	})
	if scaling := get(f.p, "FunctionScalingConfig"); scaling != nil && get(f.p, "CapacityProviderConfig") != nil {
		r := f.byID[version]
		r.Properties = r.Properties.With("FunctionScalingConfig", scaling)
	}
	alias := f.id + "Alias"
	if s, known := name.Scalar(); known {
		alias += strings.NewReplacer("-", "D", "_", "U").Replace(s)
	}
	f.alias = ref(alias)
	f.renamed[f.id+".Version"], f.renamed[f.id+".Alias"] = version, alias
	f.add(at, "AWS::Lambda::Alias", alias, object{
		"Name":                         name,
		"FunctionName":                 ref(f.id),
		"FunctionVersion":              estate.Ref(version, "Version"),
		"ProvisionedConcurrencyConfig": get(f.p, "ProvisionedConcurrencyConfig"),
	})
	f.deploymentPreference(at)
}

// versionID ends in a hash of what makes a new version: the place of the code,
// the environment, the memory and SnapStart; or all properties when the
// template says so.
func (f *function) versionID(props object, sha *estate.Value) string {
	stem := f.id + "Version"
	if s := sha.AsString(); s != "" {
		return stem + s[:min(hashLength, len(s))]
	}
	data := props["Code"]
	if truth(get(f.p, "AutoPublishAliasAllProperties")) {
		return stem // the hash is over AWS's text of the resource, intrinsics included
	}
	if data.Kind() != estate.KindMap || !f.literal(get(f.p, "CodeUri"), true) || !f.literal(get(f.p, "Environment"), false) {
		return stem
	}
	for _, field := range get(f.p, "Environment").Fields() {
		data = data.With(field.Name, field.Value)
	}
	if memory := props["MemorySize"]; !empty(memory) {
		data = data.With("MemorySize", memory)
	}
	if snap := props["SnapStart"]; snap.Field("ApplyOn") != nil && !is(snap.Field("ApplyOn"), "None") {
		data = data.With("SnapStart", snap)
	}
	return hashed(stem, data)
}

// preference is an enabled DeploymentPreference of one function.
type preference struct {
	origin
	function string
	p        *estate.Value
	tags     *estate.Value // set when they are propagated
}

const (
	deploymentApplication = "ServerlessDeploymentApplication"
	deploymentRole        = "CodeDeployServiceRole"
)

// predefinedDeployments are the traffic shifts that SAM names shorter than
// CodeDeploy does.
var predefinedDeployments = []string{
	"Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes",
	"Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes", "Linear10PercentEvery3Minutes",
	"Linear10PercentEvery10Minutes", "AllAtOnce",
}

func (f *function) deploymentPreference(at origin) {
	p := get(f.p, "DeploymentPreference")
	if p.Kind() != estate.KindMap {
		if !empty(p) {
			f.partial("AWS::CodeDeploy::DeploymentGroup", "the DeploymentPreference of "+f.id+" is not known")
		}
		return
	}
	if enabled := get(p, "Enabled"); enabled != nil && !truth(enabled) {
		if _, known := enabled.Scalar(); !known {
			f.partial("AWS::CodeDeploy::DeploymentGroup", "the DeploymentPreference of "+f.id+" may not be enabled")
		}
		return
	}
	d := preference{origin: at.from(p), function: f.id, p: p}
	if !truth(get(p, "PassthroughCondition")) {
		d.exists, d.input = nil, ""
	}
	if truth(get(f.p, "PropagateTags")) {
		d.tags = get(f.p, "Tags")
	}
	f.preferences = append(f.preferences, d)
}

// deployments adds the CodeDeploy application, its role and a deployment group
// for every function that shifts traffic.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html
func (x *expander) deployments() {
	if len(x.preferences) == 0 {
		return
	}
	// The application exists when any function's group does; one without a
	// condition settles it.
	shared := x.preferences[0].origin
	tags := estate.Map()
	needsRole := false
	for _, d := range x.preferences {
		if d.exists == nil {
			shared.exists, shared.input = nil, ""
		}
		for _, t := range d.tags.Fields() {
			tags = tags.With(t.Name, t.Value)
		}
		needsRole = needsRole || empty(get(d.p, "Role"))
	}
	var tagged *estate.Value
	if !empty(tags) {
		tagged = tagList(tags)
	}
	x.add(shared, "AWS::CodeDeploy::Application", deploymentApplication, object{
		"ComputePlatform": str("Lambda"), "Tags": tagged,
	})
	if needsRole {
		managed := "service-role/AWSCodeDeployRoleForLambda"
		if p := x.in.Partition.AsString(); p == "aws-iso" || p == "aws-iso-b" {
			managed += "Limited"
		}
		x.add(shared, "AWS::IAM::Role", deploymentRole, object{
			"AssumeRolePolicyDocument": trust("codedeploy.amazonaws.com"),
			"ManagedPolicyArns":        list(x.managed(managed)),
			"Tags":                     tagged,
		})
	}
	for _, d := range x.preferences {
		serviceRole := get(d.p, "Role")
		if empty(serviceRole) {
			serviceRole = arnOf(deploymentRole)
		}
		props := object{
			"ApplicationName": ref(deploymentApplication),
			"AutoRollbackConfiguration": object{
				"Enabled": estate.Bool(true),
				"Events": list(str("DEPLOYMENT_FAILURE"), str("DEPLOYMENT_STOP_ON_ALARM"),
					str("DEPLOYMENT_STOP_ON_REQUEST")),
			}.value(),
			"AlarmConfiguration": each(get(d.p, "Alarms"), alarms),
			"DeploymentConfigName": stated(get(d.p, "Type"), func(t *estate.Value) *estate.Value {
				if slices.Contains(predefinedDeployments, t.AsString()) {
					return str("CodeDeployDefault.Lambda" + t.AsString()).At(t.Position())
				}
				return t
			}),
			"DeploymentStyle": object{
				"DeploymentType": str("BLUE_GREEN"), "DeploymentOption": str("WITH_TRAFFIC_CONTROL"),
			}.value(),
			"ServiceRoleArn": serviceRole,
		}
		if triggers := get(d.p, "TriggerConfigurations"); !empty(triggers) {
			props["TriggerConfigurations"] = triggers
		}
		if !empty(d.tags) {
			props["Tags"] = tagList(d.tags)
		}
		x.add(d.origin, "AWS::CodeDeploy::DeploymentGroup", d.function+"DeploymentGroup", props)
	}
}

func alarms(names *estate.Value) *estate.Value {
	switch {
	case names == nil:
		return nil
	case names.Kind() != estate.KindList:
		return names
	case len(names.Items()) == 0:
		return estate.Map().At(names.Position())
	}
	items := make([]*estate.Value, len(names.Items()))
	for i, name := range names.Items() {
		items[i] = object{"Name": name}.value().At(name.Position())
	}
	return object{"Enabled": estate.Bool(true), "Alarms": list(items...)}.value().At(names.Position())
}

// url adds the function URL and, for one that everybody may call, the two
// permissions that this has needed since October 2025.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (f *function) url() {
	config := get(f.p, "FunctionUrlConfig")
	if empty(config) {
		return
	}
	if config.Kind() != estate.KindMap {
		f.partial("AWS::Lambda::Url", "the FunctionUrlConfig of "+f.id+" is not known as a whole")
		return
	}
	at, auth := f.from(config), get(config, "AuthType")
	target := f.target()
	props := object{"AuthType": auth, "TargetFunctionArn": target, "InvokeMode": get(config, "InvokeMode")}
	if cors := get(config, "Cors"); !empty(cors) {
		props["Cors"] = cors
	}
	f.add(at, "AWS::Lambda::Url", f.id+"Url", props)
	if !is(auth, "NONE") || f.written(auth) != "" {
		return // AWS adds nothing for a type that stands behind a function
	}
	at = at.from(auth)
	f.add(at, "AWS::Lambda::Permission", f.id+"UrlPublicPermissions", object{
		"Action": str("lambda:InvokeFunctionUrl"), "FunctionName": target, "Principal": str("*"),
		"FunctionUrlAuthType": auth,
	})
	f.add(at, "AWS::Lambda::Permission", f.id+"URLInvokeAllowPublicAccess", object{
		"Action": str("lambda:InvokeFunction"), "FunctionName": target, "Principal": str("*"),
		"InvokedViaFunctionUrl": estate.Bool(true),
	})
}

// destinationPolicies names the policy and the action by which a function may
// write to each kind of destination.
var destinationPolicies = map[string]struct{ name, action string }{
	"SQS":         {"SQSPolicy", "sqs:SendMessage"},
	"SNS":         {"SNSPolicy", "sns:publish"},
	"EventBridge": {"EventBridgePolicy", "events:PutEvents"},
	"Lambda":      {"LambdaPolicy", "lambda:InvokeFunction"},
}

// destinationPolicy lets the function write to one destination.
func destinationPolicy(kind, stem string, target *estate.Value) *estate.Value {
	if kind == "S3Bucket" || kind == "S3" {
		return inlinePolicy(stem+"S3Policy", "",
			allow(str("s3:PutObject"), text(target, str("/*"))),
			allow(str("s3:ListBucket"), target))
	}
	d, ok := destinationPolicies[kind]
	if !ok {
		return nil
	}
	return inlinePolicy(stem+d.name, "", allow(str(d.action), target))
}

// asyncInvocation adds the settings for asynchronous calls, with the queue or
// topic for a destination that names none.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventinvokeconfiguration.html
func (f *function) asyncInvocation() {
	config := get(f.p, "EventInvokeConfig")
	if empty(config) {
		return
	}
	id := f.id + "EventInvokeConfig"
	at := f.from(config)
	destinations := object{}
	for _, outcome := range []string{"OnSuccess", "OnFailure"} {
		d := get(config.Field("DestinationConfig"), outcome)
		if d == nil {
			continue
		}
		destination := f.destination(at.from(d), d, id+outcome)
		destinations[outcome] = object{"Destination": destination}.value().At(d.Position())
		if policy := destinationPolicy(get(d, "Type").AsString(), id+outcome, destination); policy != nil {
			f.role.policies = append(f.role.policies, policy.At(d.Position()))
		}
	}
	qualifier := get(f.p, "AutoPublishAlias")
	if f.alias == nil {
		qualifier = str("$LATEST")
	}
	f.add(at, "AWS::Lambda::EventInvokeConfig", id, object{
		"FunctionName":             ref(f.id),
		"Qualifier":                qualifier,
		"DestinationConfig":        destinations.value(),
		"MaximumEventAgeInSeconds": get(config, "MaximumEventAgeInSeconds"),
		"MaximumRetryAttempts":     get(config, "MaximumRetryAttempts"),
	})
}

// destination is the ARN that a destination names, or that of the queue or
// topic which SAM makes where it names none.
func (f *function) destination(at origin, d *estate.Value, stem string) *estate.Value {
	named := get(d, "Destination")
	made := func(exists *estate.Value, input string) *estate.Value {
		if exists != nil {
			at = at.when(exists, input)
		}
		switch get(d, "Type").AsString() {
		case "SQS":
			f.add(at, "AWS::SQS::Queue", stem+"Queue", object{})
			f.renamed[f.id+".DestinationQueue"] = stem + "Queue"
			return arnOf(stem + "Queue")
		case "SNS":
			f.add(at, "AWS::SNS::Topic", stem+"Topic", object{})
			f.renamed[f.id+".DestinationTopic"] = stem + "Topic"
			return ref(stem + "Topic")
		}
		f.problem(d.Position(), "a destination of this Type needs a Destination", "only SQS and SNS are made by SAM")
		return estate.Unknown("destination without an ARN", stem)
	}
	if named == nil {
		return made(nil, "")
	}
	missing := whereAbsent(named)
	if missing == nil {
		return named
	}
	arn := made(missing, named.Input())
	return each(named, func(c *estate.Value) *estate.Value {
		if c == nil {
			return arn
		}
		return c
	})
}

// whereAbsent is true in the alternatives in which v is absent and false in
// the others; nil when v is there in all of them.
func whereAbsent(v *estate.Value) *estate.Value {
	if v.Kind() != estate.KindOneOf {
		return nil
	}
	some := false
	decided := each(v, func(c *estate.Value) *estate.Value {
		some = some || c == nil
		return estate.Bool(c == nil)
	})
	if !some {
		return nil
	}
	return decided
}
