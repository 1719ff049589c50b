package sam

import (
	"slices"
	"strings"

	"assay/internal/estate"
)

// globalProperties are the properties that the Globals section may set.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
var globalProperties = map[string]string{
	"Function": "Handler Runtime CodeUri DeadLetterQueue Description MemorySize Timeout VpcConfig Environment Tags " +
		"PropagateTags Tracing KmsKeyArn AutoPublishAlias AutoPublishAliasAllProperties Layers DeploymentPreference " +
		"RolePath PermissionsBoundary ReservedConcurrentExecutions ProvisionedConcurrencyConfig " +
		"AssumeRolePolicyDocument EventInvokeConfig FileSystemConfigs CodeSigningConfigArn Architectures SnapStart " +
		"EphemeralStorage FunctionUrlConfig RuntimeManagementConfig LoggingConfig RecursiveLoop SourceKMSKeyArn " +
		"TenancyConfig DurableConfig CapacityProviderConfig FunctionScalingConfig PublishToLatestPublished " +
		"VersionDeletionPolicy",
	"Api": "Auth Name DefinitionUri CacheClusterEnabled CacheClusterSize MergeDefinitions Variables " +
		"EndpointConfiguration MethodSettings BinaryMediaTypes MinimumCompressionSize Cors GatewayResponses " +
		"AccessLogSetting CanarySetting TracingEnabled OpenApiVersion Domain AlwaysDeploy PropagateTags " +
		"SecurityPolicy EndpointAccessMode",
	"HttpApi": "Auth AccessLogSettings StageVariables Tags CorsConfiguration DefaultRouteSettings Domain " +
		"RouteSettings FailOnWarnings PropagateTags",
	"SimpleTable":  "SSESpecification",
	"StateMachine": "PropagateTags",
	"LayerVersion": "PublishLambdaVersion",
	"CapacityProvider": "VpcConfig OperatorRole Tags InstanceRequirements ScalingConfig KmsKeyArn " +
		"PropagateTags",
	"WebSocketApi": "AccessLogSettings ApiKeySelectionExpression DefaultRouteSettings DisableExecuteApiEndpoint " +
		"DisableSchemaValidation Domain FailOnWarnings IpAddressType PropagateTags RouteSelectionExpression " +
		"RouteSettings StageVariables Tags",
}

// globals is the Globals section without what AWS refuses in it.
func (x *expander) globals() *estate.Value {
	if x.in.Globals != nil && x.in.Globals.Kind() != estate.KindMap && x.in.Globals.Kind() != estate.KindNull {
		x.partial("*", "the Globals section is not known as a whole")
	}
	kept := object{}
	for _, section := range x.in.Globals.Fields() {
		names, ok := globalProperties[section.Name]
		if !ok {
			x.problem(section.Value.Position(), "Globals has no section "+section.Name,
				"sections are Function, Api, HttpApi, SimpleTable, StateMachine, LayerVersion, CapacityProvider and WebSocketApi")
			continue
		}
		supported := strings.Fields(names)
		for _, f := range section.Value.Fields() {
			if !slices.Contains(supported, f.Name) {
				x.problem(f.Value.Position(), f.Name+" cannot be set in Globals."+section.Name, "set it on each resource")
				section.Value = section.Value.With(f.Name, nil)
			}
		}
		kept[section.Name] = section.Value
	}
	return kept.value()
}

// merge lays what a resource states over what Globals state: maps merge,
// lists are joined with the global items first, anything else is the
// resource's own.
func merge(global, own *estate.Value) *estate.Value {
	switch {
	case global == nil || global.Kind() == estate.KindNull:
		return own
	case own == nil:
		return global
	case global.Kind() == estate.KindMap && own.Kind() == estate.KindMap:
		merged := own
		for _, f := range global.Fields() {
			merged = merged.With(f.Name, merge(f.Value, own.Field(f.Name)))
		}
		return merged
	case global.Kind() == estate.KindList && own.Kind() == estate.KindList:
		return estate.List(slices.Concat(global.Items(), own.Items())...).At(own.Position())
	}
	return own
}

// withoutIgnored drops what a resource opts out of with IgnoreGlobals: "*" or
// a list of properties.
func withoutIgnored(section, ignored *estate.Value) *estate.Value {
	if is(ignored, "*") {
		return nil
	}
	for _, name := range ignored.Items() {
		section = section.With(name.AsString(), nil)
	}
	return section
}
