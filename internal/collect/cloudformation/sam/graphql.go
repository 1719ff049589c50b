package sam

import (
	"strings"

	"assay/internal/estate"
)

// passThroughResolver is the code that SAM gives a pipeline resolver without
// code of its own: it hands on what the last function returns.
const passThroughResolver = `
export function request(ctx) {
    return {};
}

export function response(ctx) {
    return ctx.prev.result;
}
`

// graphQL is one AWS::Serverless::GraphQLApi while it is expanded.
type graphQL struct {
	*expander
	origin
	id        string
	p         *estate.Value
	api       *estate.Value     // its ApiId
	sources   map[string]string // data sources: the name in the template to the logical id
	functions object            // functions: the name in the template to the FunctionId
}

// graphQLAPI expands AWS::Serverless::GraphQLApi.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-graphqlapi.html
func (x *expander) graphQLAPI(r *estate.Resource) {
	g := &graphQL{
		expander: x, origin: originOf(r), id: r.LogicalID, p: r.Properties, api: estate.Ref(r.LogicalID, "ApiId"),
		sources: map[string]string{}, functions: object{},
	}
	props := object{"Name": get(g.p, "Name")}
	if empty(props["Name"]) {
		props["Name"] = str(g.id)
	}
	props.copyFrom(g.p, "Visibility", "OwnerContact", "XrayEnabled", "IntrospectionConfig", "QueryDepthLimit", "ResolverCountLimit")
	props["Tags"] = tagList(set(get(g.p, "Tags"), str("SAM"), "graphqlapi:createdBy"))
	g.auth(props)
	props["LogConfig"] = g.logging()
	g.add(g.origin, "AWS::AppSync::GraphQLApi", g.id, props)

	schema := object{"ApiId": g.api, "Definition": get(g.p, "SchemaInline"), "DefinitionS3Location": get(g.p, "SchemaUri")}
	g.add(g.origin, "AWS::AppSync::GraphQLSchema", g.id+"Schema", schema)
	for _, k := range get(g.p, "ApiKeys").Fields() {
		key := object{"ApiId": g.api, "Expires": get(k.Value, "ExpiresOn")}
		key.copyFrom(k.Value, "ApiKeyId", "Description")
		g.add(g.from(k.Value), "AWS::AppSync::ApiKey", g.id+k.Name, key)
	}
	if cache := get(g.p, "Cache"); !empty(cache) {
		made := object{"ApiId": g.api}
		made.copyFrom(cache, "ApiCachingBehavior", "Type", "Ttl", "AtRestEncryptionEnabled", "TransitEncryptionEnabled")
		g.add(g.from(cache), "AWS::AppSync::ApiCache", g.id+"ApiCache", made)
	}
	if domain := get(g.p, "DomainName"); !empty(domain) {
		made := object{}
		made.copyFrom(domain, "CertificateArn", "DomainName", "Description")
		g.add(g.from(domain), "AWS::AppSync::DomainName", g.id+"DomainName", made)
		g.add(g.from(domain), "AWS::AppSync::DomainNameApiAssociation", g.id+"DomainNameApiAssociation", object{
			"ApiId": g.api, "DomainName": ref(g.id + "DomainName"),
		})
	}
	g.tableSources()
	g.lambdaSources()
	g.pipelineFunctions()
	g.resolvers()
}

// auth sets the ways to authenticate; the functions that do it may be called.
func (g *graphQL) auth(props object) {
	auth := get(g.p, "Auth")
	props["AuthenticationType"] = get(auth, "Type")
	var authorizers []*estate.Value
	configure := func(into object, a *estate.Value, additional bool) {
		switch get(a, "Type").AsString() {
		case "AWS_LAMBDA":
			into["LambdaAuthorizerConfig"] = get(a, "LambdaAuthorizer")
			authorizers = append(authorizers, dig(a, "LambdaAuthorizer", "AuthorizerUri"))
		case "OPENID_CONNECT":
			into["OpenIDConnectConfig"] = get(a, "OpenIDConnect")
		case "AMAZON_COGNITO_USER_POOLS":
			into["UserPoolConfig"] = get(a, "UserPool")
			if additional {
				into["UserPoolConfig"] = get(a, "UserPool").With("DefaultAction", nil)
			}
		}
	}
	configure(props, auth, false)
	var more []*estate.Value
	for _, a := range get(auth, "Additional").Items() {
		provider := object{"AuthenticationType": get(a, "Type")}
		configure(provider, a, true)
		more = append(more, provider.value().At(a.Position()))
	}
	if len(more) > 0 {
		props["AdditionalAuthenticationProviders"] = list(more...)
	}
	for i, arn := range authorizers {
		id := g.id + "ToLambdaAuthConnector" + string(rune('1'+i))
		g.connect(g.from(arn), id, "",
			object{"Type": str("AWS::AppSync::GraphQLApi"), "Arn": ref(g.id), "ResourceId": g.api}.value(),
			object{"Type": str("AWS::Lambda::Function"), "Arn": arn}.value(), actions("Write"))
	}
}

// logging is on unless the template turns it off.
func (g *graphQL) logging() *estate.Value {
	config := get(g.p, "Logging")
	if config.Kind() == estate.KindBool && !config.AsBool() {
		return nil
	}
	made := object{"FieldLogLevel": get(config, "FieldLogLevel"), "CloudWatchLogsRoleArn": get(config, "CloudWatchLogsRoleArn")}
	if verbose := get(config, "ExcludeVerboseContent"); !empty(verbose) {
		made["ExcludeVerboseContent"] = verbose
	}
	if empty(made["FieldLogLevel"]) {
		made["FieldLogLevel"] = str("ALL")
	}
	if empty(made["CloudWatchLogsRoleArn"]) {
		made["CloudWatchLogsRoleArn"] = arnOf(g.id + "CloudWatchRole")
		g.add(g.origin, "AWS::IAM::Role", g.id+"CloudWatchRole", object{
			"AssumeRolePolicyDocument": trust("appsync.amazonaws.com"),
			"ManagedPolicyArns":        list(g.managed("service-role/AWSAppSyncPushToCloudWatchLogs")),
		})
	}
	return made.value().At(config.Position())
}

// source adds one data source, and the role by which AppSync uses it unless
// the template names one.
func (g *graphQL) source(name, id string, p *estate.Value, props object, destination *estate.Value, connector string, permissions *estate.Value) {
	at := g.from(p)
	g.sources[name] = id
	props["ApiId"] = g.api
	props["Name"] = get(p, "Name")
	if empty(props["Name"]) {
		props["Name"] = str(name)
	}
	props.copyFrom(p, "Description")
	props["ServiceRoleArn"] = get(p, "ServiceRoleArn")
	if empty(props["ServiceRoleArn"]) {
		role := id + "Role"
		props["ServiceRoleArn"] = arnOf(role)
		g.add(at, "AWS::IAM::Role", role, object{"AssumeRolePolicyDocument": trust("appsync.amazonaws.com")})
		g.connect(at, id+connector, "", object{
			"Type": str("AWS::AppSync::DataSource"), "Arn": estate.Ref(id, "DataSourceArn"), "RoleName": ref(role),
		}.value(), destination, permissions)
	}
	g.add(at, "AWS::AppSync::DataSource", id, props)
}

func (g *graphQL) tableSources() {
	for _, d := range dig(g.p, "DataSources", "DynamoDb").Fields() {
		p := d.Value
		region, table := get(p, "Region"), get(p, "TableName")
		if empty(region) {
			region = g.named("AWS::Region", nil)
		}
		config := object{"AwsRegion": region, "TableName": table}
		for _, name := range []string{"UseCallerCredentials", "Versioned"} {
			if v := get(p, name); !empty(v) {
				config[name] = v
			}
		}
		config["DeltaSyncConfig"] = get(p, "DeltaSync")
		arn := get(p, "TableArn")
		if arn == nil {
			arn = text(str("arn:"), g.named("AWS::Partition", nil), str(":dynamodb:"), region, str(":"),
				g.named("AWS::AccountId", nil), str(":table/"), known(table))
		}
		permissions := get(p, "Permissions")
		if empty(permissions) {
			permissions = actions("Read", "Write")
		}
		g.source(d.Name, g.id+d.Name+"DynamoDBDataSource", p,
			object{"Type": str("AMAZON_DYNAMODB"), "DynamoDBConfig": config.value()},
			object{"Type": str("AWS::DynamoDB::Table"), "Arn": arn}.value(), "ToTableConnector", permissions)
	}
}

func (g *graphQL) lambdaSources() {
	for _, d := range dig(g.p, "DataSources", "Lambda").Fields() {
		function := get(d.Value, "FunctionArn")
		g.source(d.Name, g.id+d.Name+"LambdaDataSource", d.Value,
			object{"Type": str("AWS_LAMBDA"), "LambdaConfig": object{"LambdaFunctionArn": function}.value()},
			object{"Type": str("AWS::Lambda::Function"), "Arn": function}.value(), "ToLambdaConnector", actions("Write"))
	}
}

// pipelineFunctions adds the functions of AppSync, which are steps of resolvers.
func (g *graphQL) pipelineFunctions() {
	for _, f := range get(g.p, "Functions").Fields() {
		if id := get(f.Value, "Id"); id != nil {
			g.functions[f.Name] = id
			continue
		}
		name := get(f.Value, "Name")
		if empty(name) {
			name = str(f.Name)
		}
		props := object{
			"ApiId": g.api, "Name": name, "Code": get(f.Value, "InlineCode"), "CodeS3Location": get(f.Value, "CodeUri"),
			"DataSourceName": g.sourceName(get(f.Value, "DataSource")), "Runtime": graphQLRuntime(get(f.Value, "Runtime")),
			"SyncConfig": get(f.Value, "Sync"),
		}
		props.copyFrom(f.Value, "MaxBatchSize", "Description")
		g.functions[f.Name] = estate.Ref(g.id+f.Name, "FunctionId")
		g.add(g.from(f.Value), "AWS::AppSync::FunctionConfiguration", g.id+f.Name, props)
	}
}

// sourceName is the name of a data source: one of the API's, one that is given
// by its name, or none, for which SAM makes one.
func (g *graphQL) sourceName(v *estate.Value) *estate.Value {
	name := v.AsString()
	switch {
	case strings.EqualFold(name, "none"):
		id := g.id + "NoneDataSource"
		g.add(g.origin, "AWS::AppSync::DataSource", id, object{"ApiId": g.api, "Name": str(id), "Type": str("NONE")})
		return estate.Ref(id, "Name").At(v.Position())
	case g.sources[name] != "":
		return estate.Ref(g.sources[name], "Name").At(v.Position())
	}
	return v
}

func graphQLRuntime(v *estate.Value) *estate.Value {
	if v.Kind() != estate.KindMap {
		return v
	}
	return object{"Name": get(v, "Name"), "RuntimeVersion": get(v, "Version")}.value().At(v.Position())
}

func (g *graphQL) resolvers() {
	for _, kind := range get(g.p, "Resolvers").Fields() {
		for _, r := range kind.Value.Fields() {
			field := get(r.Value, "FieldName")
			if empty(field) {
				field = str(r.Name)
			}
			props := object{
				"ApiId": g.api, "TypeName": str(kind.Name), "FieldName": field, "Kind": str("PIPELINE"),
				"Code": get(r.Value, "InlineCode"), "CodeS3Location": get(r.Value, "CodeUri"),
				"Runtime": graphQLRuntime(get(r.Value, "Runtime")), "CachingConfig": get(r.Value, "Caching"),
			}
			if empty(props["Code"]) && empty(props["CodeS3Location"]) {
				props["Code"] = str(passThroughResolver)
				props["Runtime"] = object{"Name": str("APPSYNC_JS"), "RuntimeVersion": str("1.0.0")}.value()
			}
			props.copyFrom(r.Value, "MaxBatchSize")
			var steps []*estate.Value
			for _, step := range get(r.Value, "Pipeline").Items() {
				id := g.functions[step.AsString()]
				if id == nil {
					g.problem(step.Position(), "the API has no function "+step.AsString(), "")
					id = estate.Unknown("function that the API does not have", step.String())
				}
				steps = append(steps, id.At(step.Position()))
			}
			props["PipelineConfig"] = object{"Functions": list(steps...)}.value()
			g.add(g.from(r.Value), "AWS::AppSync::Resolver", g.id+kind.Name+r.Name, props)
		}
	}
}
