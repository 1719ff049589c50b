package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"assay/internal/estate"
)

// lambdaService reads Lambda in full. GetFunction is never called: its answer
// holds a URL to the code.
func lambdaService() service {
	return service{name: "lambda", reads: []read{
		{
			types: []string{
				"AWS::Lambda::Function", "Assay::Lambda::FunctionState", "AWS::Lambda::Permission", "AWS::Lambda::ResourcePolicy",
				"AWS::Lambda::Url", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Alias", "AWS::Lambda::Version",
				"Assay::Lambda::PublishedVersion", "Assay::Lambda::AccountSettings", "AWS::Lambda::CodeSigningConfig",
			},
			actions: []string{
				"lambda:ListFunctions", "lambda:GetFunctionConfiguration", "lambda:GetPolicy", "lambda:ListFunctionUrlConfigs",
				"lambda:ListFunctionEventInvokeConfigs", "lambda:ListAliases", "lambda:GetFunctionConcurrency",
				"lambda:ListProvisionedConcurrencyConfigs", "lambda:GetRuntimeManagementConfig", "lambda:GetFunctionRecursionConfig",
				"lambda:GetFunctionScalingConfig", "lambda:GetAccountSettings", tagging,
				"lambda:ListCodeSigningConfigs", "lambda:ListFunctionsByCodeSigningConfig",
			},
			list: readFunctions,
		},
		{
			types:   []string{"AWS::Lambda::EventSourceMapping", "Assay::Lambda::EventSourceMappingState"},
			actions: []string{"lambda:ListEventSourceMappings", tagging},
			list:    readMappings,
		},
		{
			types:   []string{"AWS::Lambda::LayerVersion", "Assay::Lambda::LayerVersionPolicy"},
			actions: []string{"lambda:ListLayers", "lambda:ListLayerVersions", "lambda:GetLayerVersionPolicy"},
			list:    readLayers,
		},
		{
			types:   []string{"AWS::Lambda::CapacityProvider"},
			actions: []string{"lambda:ListCapacityProviders"},
			list:    readCapacityProviders,
		},
	}}
}

// notFound is Lambda's code for what does not exist.
const notFound = "ResourceNotFoundException"

// functions is what is read of a region's functions as a whole before each of
// them is asked about.
type functions struct {
	*scope
	client   *lambda.Client
	signing  map[string]string // function ARN → code-signing configuration
	unsigned *estate.Value     // why signing is not known; nil: it is
	settled  bool              // no function reserves concurrency
	versions map[string][]types.FunctionConfiguration
}

func readFunctions(ctx context.Context, s *scope) error {
	r := functions{scope: s, client: lambda.NewFromConfig(s.cfg), versions: map[string][]types.FunctionConfiguration{}}
	var all []types.FunctionConfiguration
	pages := lambda.NewListFunctionsPaginator(r.client, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
	listed := each(ctx, s, "lambda:ListFunctions", pages, func(out *lambda.ListFunctionsOutput) error {
		for _, f := range out.Functions {
			if v := aws.ToString(f.Version); v != "$LATEST" && v != "" {
				name := aws.ToString(f.FunctionName)
				r.versions[name] = append(r.versions[name], f)
				continue
			}
			all = append(all, f)
		}
		return nil
	})
	if listed != nil && len(all) == 0 {
		return listed
	}
	if listed != nil {
		r.stranger("*", "a version that was not listed") // of a function that was
	}
	counted := r.settings(ctx, len(all), listed == nil)
	r.codeSigning(ctx)
	err := forEach(ctx, s, all, 7, r.function)
	for _, failed := range []error{listed, counted, err} {
		if failed != nil {
			return failed
		}
	}
	return nil
}

// settings reads the account's settings: they count the functions, and tell
// whether any of them reserves concurrency.
func (r *functions) settings(ctx context.Context, listed int, whole bool) error {
	out, err := do(ctx, r.scope, "lambda:GetAccountSettings", r.client.GetAccountSettings, &lambda.GetAccountSettingsInput{})
	if err != nil {
		r.lost("Assay::Lambda::AccountSettings", r.account, nil, err)
		return nil
	}
	r.add(found{typ: "Assay::Lambda::AccountSettings", id: r.account, name: "account settings", from: out, call: "lambda:GetAccountSettings"})
	if limit := out.AccountLimit; limit != nil && limit.UnreservedConcurrentExecutions != nil {
		// What is unreserved is the limit less what functions reserve.
		r.settled = limit.ConcurrentExecutions > 0 && *limit.UnreservedConcurrentExecutions == limit.ConcurrentExecutions
	}
	if usage := out.AccountUsage; whole && usage != nil && int(usage.FunctionCount) > listed {
		return &failure{
			place: r.where(), operation: "lambda:ListFunctions", action: "lambda:ListFunctions",
			reason: counted(listed, "function") + " listed, and " + counted(int(usage.FunctionCount), "function") + " by the account's own count",
		}
	}
	return nil
}

// codeSigning reads the configurations and which functions have them: a few
// lists in place of a call for every function.
func (r *functions) codeSigning(ctx context.Context) {
	r.signing = map[string]string{}
	configs := lambda.NewListCodeSigningConfigsPaginator(r.client, &lambda.ListCodeSigningConfigsInput{})
	err := each(ctx, r.scope, "lambda:ListCodeSigningConfigs", configs, func(out *lambda.ListCodeSigningConfigsOutput) error {
		for _, c := range out.CodeSigningConfigs {
			arn := aws.ToString(c.CodeSigningConfigArn)
			r.add(found{typ: "AWS::Lambda::CodeSigningConfig", id: arn, name: aws.ToString(c.CodeSigningConfigId), from: c, call: "lambda:ListCodeSigningConfigs"})
			if c.AllowedPublishers != nil {
				for _, version := range c.AllowedPublishers.SigningProfileVersionArns {
					r.want(signingProfile(version))
				}
			}
			of := lambda.NewListFunctionsByCodeSigningConfigPaginator(r.client, &lambda.ListFunctionsByCodeSigningConfigInput{CodeSigningConfigArn: c.CodeSigningConfigArn})
			if err := each(ctx, r.scope, "lambda:ListFunctionsByCodeSigningConfig", of, func(out *lambda.ListFunctionsByCodeSigningConfigOutput) error {
				for _, f := range out.FunctionArns {
					r.signing[f] = arn
				}
				return nil
			}); err != nil && !none(err, notFound) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.unread(err, "AWS::Lambda::CodeSigningConfig")
		r.unsigned = asFailure(err).gap().At(r.at(asFailure(err).operation))
	}
}

// unqualified is the ARN of a function, which a list of all versions gives with
// the version at its end.
func unqualified(f types.FunctionConfiguration) string {
	return strings.TrimSuffix(aws.ToString(f.FunctionArn), ":"+aws.ToString(f.Version))
}

// function reads one function and all that belongs to it.
func (r *functions) function(ctx context.Context, f types.FunctionConfiguration) error {
	name, arn := aws.ToString(f.FunctionName), unqualified(f)
	state, err := do(ctx, r.scope, "lambda:GetFunctionConfiguration", r.client.GetFunctionConfiguration, &lambda.GetFunctionConfigurationInput{FunctionName: f.FunctionName})
	switch {
	case none(err, notFound):
		return nil // deleted since it was listed
	case err != nil && over(err):
		return err
	}
	set, gone := r.properties(ctx, f)
	if gone {
		return nil
	}
	r.add(found{typ: "AWS::Lambda::Function", id: arn, name: name, from: f, call: "lambda:ListFunctions", set: set})
	r.want(estate.Named{Type: functionMetrics, Text: arn, Name: name})
	if f.PackageType == types.PackageTypeImage {
		r.want(anyRepository)
	}
	if err != nil {
		r.undescribed("Assay::Lambda::FunctionState", arn, name, fields{"FunctionName": estate.String(name)}, err)
	} else {
		set := fields{"RuntimeVersionArn": nil}
		if v := state.RuntimeVersionConfig; v != nil && v.Error != nil {
			set["RuntimeVersionArn"] = withheld(v.Error.ErrorCode, arn)
		} else if v != nil {
			set["RuntimeVersionArn"] = str(v.RuntimeVersionArn)
		}
		r.add(found{typ: "Assay::Lambda::FunctionState", id: arn, name: name, from: state, set: set, call: "lambda:GetFunctionConfiguration"})
	}
	r.policy(ctx, arn, "")
	r.urls(ctx, name, arn)
	r.invokeConfigs(ctx, name, arn)
	r.releases(ctx, name, arn)
	if ctx.Err() != nil {
		return r.failed(ctx, ctx.Err(), "GetFunctionConfiguration", "lambda:GetFunctionConfiguration")
	}
	return nil
}

// properties are those of a function that other calls answer than the one that
// lists it. gone reports that one of them knows no such function any more.
func (r *functions) properties(ctx context.Context, f types.FunctionConfiguration) (set fields, gone bool) {
	name, arn := f.FunctionName, unqualified(f)
	set = fields{
		"Environment": environment(f.Environment, arn, r.run.options.Salt), "Layers": layers(f.Layers), "ImageConfig": image(f.ImageConfigResponse, arn),
		"VpcConfig": nil, "CodeSigningConfigArn": r.unsigned, "ReservedConcurrentExecutions": nil, "FunctionScalingConfig": nil, "RuntimeManagementConfig": nil,
		"Code": r.code(f.PackageType), "Tags": r.tagsOf(ctx, "lambda:function", arn),
	}
	if v := f.VpcConfig; v != nil && len(v.SubnetIds) > 0 {
		set["VpcConfig"] = some(fields{
			"SubnetIds": strs(v.SubnetIds), "SecurityGroupIds": strs(v.SecurityGroupIds), "Ipv6AllowedForDualStack": flag(v.Ipv6AllowedForDualStack),
		})
	}
	if config := r.signing[arn]; r.unsigned == nil && config != "" {
		set["CodeSigningConfigArn"] = estate.String(config)
	}
	// put sets a property by the answer of a call of its own.
	put := func(property string, err error, value func() *estate.Value) {
		switch {
		case none(err, notFound):
			gone = true
		case err != nil:
			set[property] = r.missing(err, arn)
		default:
			set[property] = value()
		}
	}
	if !r.settled {
		out, err := do(ctx, r.scope, "lambda:GetFunctionConcurrency", r.client.GetFunctionConcurrency, &lambda.GetFunctionConcurrencyInput{FunctionName: name})
		put("ReservedConcurrentExecutions", err, func() *estate.Value { return number(out.ReservedConcurrentExecutions) })
	}
	recursion, err := do(ctx, r.scope, "lambda:GetFunctionRecursionConfig", r.client.GetFunctionRecursionConfig, &lambda.GetFunctionRecursionConfigInput{FunctionName: name})
	put("RecursiveLoop", err, func() *estate.Value { return word(string(recursion.RecursiveLoop)) })
	if f.PackageType != types.PackageTypeImage {
		out, err := do(ctx, r.scope, "lambda:GetRuntimeManagementConfig", r.client.GetRuntimeManagementConfig, &lambda.GetRuntimeManagementConfigInput{FunctionName: name})
		put("RuntimeManagementConfig", err, func() *estate.Value {
			return some(fields{"UpdateRuntimeOn": word(string(out.UpdateRuntimeOn)), "RuntimeVersionArn": str(out.RuntimeVersionArn)})
		})
	}
	if f.CapacityProviderConfig != nil {
		out, err := do(ctx, r.scope, "lambda:GetFunctionScalingConfig", r.client.GetFunctionScalingConfig, &lambda.GetFunctionScalingConfigInput{FunctionName: name, Qualifier: aws.String("$LATEST.PUBLISHED")})
		switch {
		case none(err, notFound): // nothing is published on it
		case err != nil:
			set["FunctionScalingConfig"] = r.missing(err, arn)
		case out.AppliedFunctionScalingConfig != nil:
			c := out.AppliedFunctionScalingConfig
			set["FunctionScalingConfig"] = some(fields{"MinExecutionEnvironments": number(c.MinExecutionEnvironments), "MaxExecutionEnvironments": number(c.MaxExecutionEnvironments)})
		}
	}
	return set, gone
}

func layers(all []types.Layer) *estate.Value {
	var arns []string
	for _, l := range all {
		arns = append(arns, aws.ToString(l.Arn))
	}
	return strs(arns)
}

func image(r *types.ImageConfigResponse, arn string) *estate.Value {
	switch {
	case r == nil:
		return nil
	case r.Error != nil:
		return withheld(r.Error.ErrorCode, arn)
	case r.ImageConfig == nil:
		return nil
	}
	c := r.ImageConfig
	return some(fields{"Command": strs(c.Command), "EntryPoint": strs(c.EntryPoint), "WorkingDirectory": str(c.WorkingDirectory)})
}

// withheld is what AWS says in an answer that it could not give: variables
// whose key the reader may not use, for one. assay does not ask to use keys.
func withheld(code *string, on string) *estate.Value {
	return estate.Unread("AWS could not give it ("+orElse(aws.ToString(code), "no reason")+")", on)
}

// code is what is known of a function's package without asking for it: code
// written into a template is a package like others once it is deployed.
func (r *functions) code(packaged types.PackageType) *estate.Value {
	known := fields{}
	for _, name := range []string{"ImageUri", "S3Bucket", "S3Key", "S3ObjectStorageMode", "S3ObjectVersion", "SourceKMSKeyArn"} {
		if name != "ImageUri" || packaged == types.PackageTypeImage {
			known[name] = r.run.shaper.unknown("AWS::Lambda::Function.Code." + name)
		}
	}
	return some(known)
}

// policy reads the policy of a function, alias or version. Statements that a
// permission can say become permissions, as in a template; others stay a
// policy.
func (r *functions) policy(ctx context.Context, arn, qualifier string) {
	in := &lambda.GetPolicyInput{FunctionName: aws.String(arn)}
	on := arn
	if qualifier != "" {
		in.Qualifier, on = aws.String(qualifier), arn+":"+qualifier
	}
	out, err := do(ctx, r.scope, "lambda:GetPolicy", r.client.GetPolicy, in)
	switch {
	case none(err, notFound):
		return
	case err != nil:
		r.unknownPolicy(on, on, err)
		return
	}
	document := document(aws.ToString(out.Policy))
	if document.Kind() != estate.KindMap {
		r.unknownPolicy(on, on, r.odd("GetPolicy", "lambda:GetPolicy"))
		return
	}
	var rest []*estate.Value
	sids := map[string]bool{}
	for _, statement := range list(document.Field("Statement")) {
		sid := statement.Field("Sid").AsString()
		permission, ok := permissionOf(statement, on)
		switch {
		case ok:
			r.admit(permission, on)
		case statement.Field("Effect").AsString() != "Deny":
			r.stranger("*", on)
		}
		if !ok || sid == "" || sids[sid] {
			rest = append(rest, statement)
			continue
		}
		sids[sid] = true
		permission["FunctionName"] = estate.String(on)
		r.add(found{typ: "AWS::Lambda::Permission", id: on + "/" + sid, name: sid, set: permission.all("Action", "EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "Principal", "PrincipalOrgID", "SourceAccount", "SourceArn"), call: "lambda:GetPolicy"})
		r.wantARN(permission["SourceArn"].AsString())
	}
	if len(rest) > 0 || document.Field("Statement") == nil {
		if document.Field("Statement") != nil {
			document = document.With("Statement", estate.List(rest...))
		}
		r.add(found{typ: "AWS::Lambda::ResourcePolicy", id: on + "/policy", name: "policy of " + on, set: fields{"ResourceArn": estate.String(on), "PolicyDocument": document}, call: "lambda:GetPolicy"})
	}
}

// unknownPolicy records that a policy may hold permissions and more. id is whose
// it is, and on what it is about: a function, alias or version.
func (r *functions) unknownPolicy(id, on string, err error) {
	f := about(err, on)
	r.mayExist("AWS::Lambda::Permission", "unread AWS::Lambda::Permission of "+id, fields{"FunctionName": estate.String(on)}, f)
	r.mayExist("AWS::Lambda::ResourcePolicy", "unread AWS::Lambda::ResourcePolicy of "+id, fields{"ResourceArn": estate.String(on)}, f)
	r.stranger("*", on)
}

// admit records which services a permission lets in: a log group by its name, and
// whatever resource of a service where it names none.
func (r *functions) admit(permission fields, on string) {
	service := caller(permission)
	source := permission["SourceArn"].AsString()
	group, isGroup := groupOf(source)
	switch {
	case service == "":
	case isGroup && (service == logsPrincipal || service == "*"):
		n := estate.Named{Type: subscriptionFilters, Text: source, Name: group}
		for _, p := range r.run.placesOf(r.place, n) {
			p.letIn(group)
		}
		r.want(n)
	case source == "" || strings.ContainsAny(source, "*?"):
		r.stranger(service, on)
	}
}

// caller is the service that a permission lets in, without the region that some
// have (logs.eu-central-1.amazonaws.com) and China's suffix; "*" for any, and empty
// for none. Services do not call by URLs, and are in no organisation.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid
func caller(permission fields) string {
	principal := permission["Principal"].AsString()
	if principal == "*" {
		if permission["Action"].AsString() == "lambda:InvokeFunctionUrl" || permission["FunctionUrlAuthType"] != nil || permission["InvokedViaFunctionUrl"].AsString() == "true" ||
			permission["PrincipalOrgID"] != nil {
			return ""
		}
		return principal
	}
	const suffix = ".amazonaws.com"
	if service := strings.TrimSuffix(principal, ".cn"); strings.HasSuffix(service, suffix) {
		name, _, _ := strings.Cut(service, ".")
		return name + suffix
	}
	return ""
}

// permissionOf is a statement of the policy of a function, alias or version as
// the permission that makes it; false when no permission does.
// source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func permissionOf(statement *estate.Value, on string) (fields, bool) {
	p := fields{"Action": statement.Field("Action")}
	for _, f := range statement.Fields() {
		if !slices.Contains([]string{"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}, f.Name) {
			return nil, false
		}
	}
	if statement.Field("Effect").AsString() != "Allow" || p["Action"].Kind() != estate.KindString || statement.Field("Resource").AsString() != on {
		return nil, false
	}
	switch principal := statement.Field("Principal"); {
	case principal.AsString() == "*":
		p["Principal"] = principal
	case len(principal.Fields()) == 1 && principal.Fields()[0].Value.Kind() == estate.KindString && principal.Fields()[0].Name != "Federated":
		p["Principal"] = principal.Fields()[0].Value
	default:
		return nil, false
	}
	for _, operator := range statement.Field("Condition").Fields() {
		for _, key := range operator.Value.Fields() {
			name, ok := permissionKeys[operator.Name+" "+strings.ToLower(key.Name)]
			if !ok || key.Value.Kind() != estate.KindString || p[name] != nil {
				return nil, false
			}
			p[name] = key.Value
		}
	}
	return p, true
}

// permissionKeys are the conditions that the parameters of a permission make.
var permissionKeys = map[string]string{
	"ArnLike aws:sourcearn":                   "SourceArn",
	"StringEquals aws:sourceaccount":          "SourceAccount",
	"StringEquals aws:principalorgid":         "PrincipalOrgID",
	"StringEquals lambda:eventsourcetoken":    "EventSourceToken",
	"StringEquals lambda:functionurlauthtype": "FunctionUrlAuthType",
	"Bool lambda:invokedviafunctionurl":       "InvokedViaFunctionUrl",
}

func (r *functions) urls(ctx context.Context, name, arn string) {
	pages := lambda.NewListFunctionUrlConfigsPaginator(r.client, &lambda.ListFunctionUrlConfigsInput{FunctionName: aws.String(name)})
	err := each(ctx, r.scope, "lambda:ListFunctionUrlConfigs", pages, func(out *lambda.ListFunctionUrlConfigsOutput) error {
		for _, u := range out.FunctionUrlConfigs {
			on := aws.ToString(u.FunctionArn)
			set := fields{"TargetFunctionArn": estate.String(arn), "Qualifier": nil}
			if qualifier := qualifierOf(on, arn); qualifier != "" {
				set["Qualifier"] = estate.String(qualifier)
			}
			r.add(found{typ: "AWS::Lambda::Url", id: on + "/url", name: "URL of " + name, from: u, set: set, call: "lambda:ListFunctionUrlConfigs"})
		}
		return nil
	})
	if err != nil && !none(err, notFound) {
		r.lost("AWS::Lambda::Url", arn, fields{"TargetFunctionArn": estate.String(arn)}, err)
	}
}

func (r *functions) invokeConfigs(ctx context.Context, name, arn string) {
	pages := lambda.NewListFunctionEventInvokeConfigsPaginator(r.client, &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: aws.String(name)})
	err := each(ctx, r.scope, "lambda:ListFunctionEventInvokeConfigs", pages, func(out *lambda.ListFunctionEventInvokeConfigsOutput) error {
		for _, c := range out.FunctionEventInvokeConfigs {
			on := aws.ToString(c.FunctionArn)
			qualifier := orElse(qualifierOf(on, arn), "$LATEST")
			r.add(found{
				typ: "AWS::Lambda::EventInvokeConfig", id: on + "/invoke-config", name: "invoke configuration of " + name, from: c,
				set: fields{"FunctionName": estate.String(name), "Qualifier": estate.String(qualifier)}, call: "lambda:ListFunctionEventInvokeConfigs",
			})
		}
		return nil
	})
	if err != nil && !none(err, notFound) {
		r.lost("AWS::Lambda::EventInvokeConfig", arn, fields{"FunctionName": estate.String(name)}, err)
	}
}

// releases reads a function's versions and aliases, their provisioned
// concurrency and their policies: a version that nobody names any more may still
// be open to strangers.
func (r *functions) releases(ctx context.Context, name, arn string) {
	var aliases []types.AliasConfiguration
	pages := lambda.NewListAliasesPaginator(r.client, &lambda.ListAliasesInput{FunctionName: aws.String(name)})
	err := each(ctx, r.scope, "lambda:ListAliases", pages, func(out *lambda.ListAliasesOutput) error {
		aliases = append(aliases, out.Aliases...)
		return nil
	})
	if err != nil && !none(err, notFound) {
		r.lost("AWS::Lambda::Alias", arn, fields{"FunctionName": estate.String(name)}, err)
		r.unknownPolicy(arn+":aliases", arn, err) // each of them may have one
	}
	provisioned := map[string]*estate.Value{}
	var unknown *estate.Value
	if len(r.versions[name]) > 0 {
		pages := lambda.NewListProvisionedConcurrencyConfigsPaginator(r.client, &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: aws.String(name)})
		err := each(ctx, r.scope, "lambda:ListProvisionedConcurrencyConfigs", pages, func(out *lambda.ListProvisionedConcurrencyConfigsOutput) error {
			for _, c := range out.ProvisionedConcurrencyConfigs {
				provisioned[qualifierOf(aws.ToString(c.FunctionArn), arn)] = some(fields{"ProvisionedConcurrentExecutions": number(c.RequestedProvisionedConcurrentExecutions)})
			}
			return nil
		})
		if err != nil && !none(err, notFound) {
			unknown = r.missing(err, arn)
		}
	}
	concurrency := func(qualifier string) *estate.Value {
		if unknown != nil {
			return unknown
		}
		return provisioned[qualifier]
	}
	for _, v := range r.versions[name] {
		version := aws.ToString(v.Version)
		on := arn + ":" + version
		r.add(found{
			typ: "AWS::Lambda::Version", id: on, name: name + ":" + version, from: v, call: "lambda:ListFunctions",
			set: fields{"FunctionName": estate.String(name), "ProvisionedConcurrencyConfig": concurrency(version)},
		})
		r.add(found{
			typ: "Assay::Lambda::PublishedVersion", id: on, name: name + ":" + version, from: v, call: "lambda:ListFunctions",
			set: fields{
				"Environment": environment(v.Environment, on, r.run.options.Salt), "Layers": layers(v.Layers),
				"State": r.run.shaper.unknown("Assay::Lambda::PublishedVersion.State"), // lists do not give it
			},
		})
		r.policy(ctx, arn, version)
	}
	for _, a := range aliases {
		alias := aws.ToString(a.Name)
		set := fields{"FunctionName": estate.String(name), "ProvisionedConcurrencyConfig": concurrency(alias), "RoutingConfig": nil}
		if a.RoutingConfig != nil && len(a.RoutingConfig.AdditionalVersionWeights) > 0 {
			set["RoutingConfig"] = some(fields{"AdditionalVersionWeights": weights(a.RoutingConfig.AdditionalVersionWeights)})
		}
		r.add(found{typ: "AWS::Lambda::Alias", id: aws.ToString(a.AliasArn), name: name + ":" + alias, from: a, set: set, call: "lambda:ListAliases"})
		r.policy(ctx, arn, alias)
	}
}

func weights(all map[string]float64) *estate.Value {
	var versions []string
	for v := range all {
		versions = append(versions, v)
	}
	slices.Sort(versions)
	items := make([]*estate.Value, len(versions))
	for i, v := range versions {
		items[i] = some(fields{"FunctionVersion": estate.String(v), "FunctionWeight": estate.Float(all[v])})
	}
	return estate.List(items...)
}

// qualifierOf is the alias or version at the end of an ARN of the function.
func qualifierOf(on, arn string) string {
	qualifier, ok := strings.CutPrefix(on, arn+":")
	if !ok || qualifier == "$LATEST" {
		return ""
	}
	return qualifier
}

func readMappings(ctx context.Context, s *scope) error {
	client := lambda.NewFromConfig(s.cfg)
	pages := lambda.NewListEventSourceMappingsPaginator(client, &lambda.ListEventSourceMappingsInput{})
	return each(ctx, s, "lambda:ListEventSourceMappings", pages, func(out *lambda.ListEventSourceMappingsOutput) error {
		for _, m := range out.EventSourceMappings {
			id, function := aws.ToString(m.UUID), aws.ToString(m.FunctionArn)
			set := fields{
				"FunctionName": estate.String(function), "KmsKeyArn": str(m.KMSKeyArn), "Tags": s.tagsOf(ctx, "lambda:event-source-mapping", aws.ToString(m.EventSourceMappingArn)),
				"Enabled": estate.Bool(!slices.Contains([]string{"Disabled", "Disabling"}, aws.ToString(m.State))),
			}
			if m.StartingPositionTimestamp != nil {
				set["StartingPositionTimestamp"] = estate.Int(m.StartingPositionTimestamp.Unix())
			}
			if m.SelfManagedEventSource != nil {
				servers := m.SelfManagedEventSource.Endpoints[string(types.EndPointTypeKafkaBootstrapServers)]
				set["SelfManagedEventSource"] = some(fields{"Endpoints": some(fields{"KafkaBootstrapServers": strs(servers)})})
			}
			if e := m.FilterCriteriaError; e != nil {
				set["FilterCriteria"] = withheld(e.ErrorCode, orElse(aws.ToString(m.EventSourceMappingArn), id))
			}
			name := "mapping " + id
			r := found{typ: "AWS::Lambda::EventSourceMapping", id: orElse(aws.ToString(m.EventSourceMappingArn), id), name: name, from: m, set: set, call: "lambda:ListEventSourceMappings"}
			s.add(r)
			s.add(found{typ: "Assay::Lambda::EventSourceMappingState", id: id, name: name, from: m, set: fields{"FunctionName": estate.String(function)}, call: r.call})
		}
		return nil
	})
}

// readLayers reads the account's own layers. Those of other accounts stay
// outside.
func readLayers(ctx context.Context, s *scope) error {
	client := lambda.NewFromConfig(s.cfg)
	var layers []types.LayersListItem
	err := each(ctx, s, "lambda:ListLayers", lambda.NewListLayersPaginator(client, &lambda.ListLayersInput{}), func(out *lambda.ListLayersOutput) error {
		layers = append(layers, out.Layers...)
		return nil
	})
	if err != nil {
		return err
	}
	return forEach(ctx, s, layers, 2, func(ctx context.Context, l types.LayersListItem) error {
		pages := lambda.NewListLayerVersionsPaginator(client, &lambda.ListLayerVersionsInput{LayerName: l.LayerName})
		err := each(ctx, s, "lambda:ListLayerVersions", pages, func(out *lambda.ListLayerVersionsOutput) error {
			for _, v := range out.LayerVersions {
				arn := aws.ToString(v.LayerVersionArn)
				s.add(found{typ: "AWS::Lambda::LayerVersion", id: arn, name: aws.ToString(l.LayerName), from: v, set: fields{"LayerName": str(l.LayerName)}, call: "lambda:ListLayerVersions"})
				policy, err := do(ctx, s, "lambda:GetLayerVersionPolicy", client.GetLayerVersionPolicy, &lambda.GetLayerVersionPolicyInput{LayerName: l.LayerName, VersionNumber: aws.Int64(v.Version)})
				switch {
				case none(err, notFound):
				case err != nil && over(err):
					return err
				case err != nil:
					s.lost("Assay::Lambda::LayerVersionPolicy", arn, fields{"LayerVersionArn": estate.String(arn)}, err)
				default:
					s.add(found{typ: "Assay::Lambda::LayerVersionPolicy", id: arn, name: aws.ToString(l.LayerName), from: policy, set: fields{"LayerVersionArn": estate.String(arn)}, call: "lambda:GetLayerVersionPolicy"})
				}
			}
			return nil
		})
		if none(err, notFound) {
			return nil // deleted since it was listed
		}
		return err
	})
}

func readCapacityProviders(ctx context.Context, s *scope) error {
	client := lambda.NewFromConfig(s.cfg)
	pages := lambda.NewListCapacityProvidersPaginator(client, &lambda.ListCapacityProvidersInput{})
	return each(ctx, s, "lambda:ListCapacityProviders", pages, func(out *lambda.ListCapacityProvidersOutput) error {
		for _, c := range out.CapacityProviders {
			arn := aws.ToString(c.CapacityProviderArn)
			name := arn[strings.LastIndex(arn, ":")+1:]
			s.add(found{typ: "AWS::Lambda::CapacityProvider", id: arn, name: name, from: c, set: fields{"CapacityProviderName": estate.String(name)}, call: "lambda:ListCapacityProviders"})
		}
		return nil
	})
}
