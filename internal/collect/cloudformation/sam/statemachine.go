package sam

import (
	"strconv"
	"strings"

	"assay/internal/estate"
)

// machine is one AWS::Serverless::StateMachine while it is expanded.
type machine struct {
	*expander
	origin
	id     string
	p      *estate.Value
	target *estate.Value // the ARN that events start: the machine's or its alias's
}

// stateMachine expands AWS::Serverless::StateMachine.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-statemachine.html
func (x *expander) stateMachine(r *estate.Resource) {
	m := &machine{expander: x, origin: originOf(r), id: r.LogicalID, p: r.Properties, target: ref(r.LogicalID)}
	before := len(x.out)
	tags := tagList(get(m.p, "Tags"), "stateMachine:createdBy", "SAM")
	props := object{
		"StateMachineName": get(m.p, "Name"), "StateMachineType": get(m.p, "Type"),
		"LoggingConfiguration": get(m.p, "Logging"), "TracingConfiguration": get(m.p, "Tracing"), "Tags": tags,
	}
	if s := get(m.p, "DefinitionSubstitutions"); !empty(s) {
		props["DefinitionSubstitutions"] = s
	}
	switch definition, uri := get(m.p, "Definition"), get(m.p, "DefinitionUri"); {
	case definition.Kind() == estate.KindMap:
		text, substitutions := x.definition(definition)
		props["DefinitionString"] = str(text).At(definition.Position())
		if len(substitutions) > 0 {
			props["DefinitionSubstitutions"] = merge(props["DefinitionSubstitutions"], substitutions.value())
		}
	case definition != nil:
		props["DefinitionString"] = definition
	default:
		props["DefinitionS3Location"] = s3Location(uri, m.id+".DefinitionUri", "Bucket", "Key", "Version")
	}
	executes := &role{
		origin: m.origin, id: m.id + "Role", trust: trust("states.amazonaws.com"), rest: object{"Tags": tags},
	}
	policies := get(m.p, "Policies")
	if enabled := dig(m.p, "Tracing", "Enabled"); enabled.Kind() == estate.KindBool && enabled.AsBool() {
		if policies.Kind() != estate.KindList && policies != nil {
			policies = list(policies)
		}
		policies = appended(policies, x.xray().At(enabled.Position()))
	}
	x.grant(executes, policies)
	executes.rest["Path"] = get(m.p, "RolePath")
	executes.rest["PermissionsBoundary"] = get(m.p, "PermissionsBoundary")
	props["RoleArn"] = executes.orNamed(get(m.p, "Role"))
	x.add(m.origin, "AWS::StepFunctions::StateMachine", m.id, props)
	executes.emit(x)
	m.publish()
	m.events()
	x.propagateTags(x.out[before:], m.p)
}

// definition is the text of a definition and what is put into it when it is
// deployed: AWS names every value that is not literal.
func (x *expander) definition(v *estate.Value) (string, object) {
	substitutions := object{}
	var b strings.Builder
	var write func(v *estate.Value, indent string)
	write = func(v *estate.Value, indent string) {
		inner := indent + "    "
		switch k := v.Kind(); {
		case k == estate.KindMap && len(v.Fields()) > 0 && x.written(v) == "":
			for i, f := range v.Fields() {
				b.WriteString(separator(i, '{', inner))
				b.Write(appendASCII(nil, f.Name))
				b.WriteString(": ")
				write(f.Value, inner)
			}
			b.WriteString("\n" + indent + "}")
		case k == estate.KindList && len(v.Items()) > 0 && x.written(v) == "":
			for i, item := range v.Items() {
				b.WriteString(separator(i, '[', inner))
				write(item, inner)
			}
			b.WriteString("\n" + indent + "]")
		default:
			literal, known := canonical(nil, v)
			if !known || x.written(v) != "" || strings.Contains(string(literal), "{{resolve:") {
				name := "definition_substitution_" + strconv.Itoa(len(substitutions)+1)
				substitutions[name] = v
				literal = appendASCII(nil, "${"+name+"}")
			}
			b.Write(literal)
		}
	}
	write(v, "")
	return b.String(), substitutions
}

func separator(i int, opening byte, indent string) string {
	if i == 0 {
		return string(opening) + "\n" + indent
	}
	return ",\n" + indent
}

// publish adds the version and alias of a state machine.
func (m *machine) publish() {
	name := get(m.p, "AutoPublishAlias")
	if empty(name) {
		return
	}
	at := m.from(name)
	version, alias := m.id+"Version", m.id+"Alias"+name.AsString()
	m.renamed[m.id+".Version"], m.renamed[m.id+".Alias"] = version, alias
	m.add(at, "AWS::StepFunctions::StateMachineVersion", version, object{
		"StateMachineArn": ref(m.id), "StateMachineRevisionId": estate.Ref(m.id, "StateMachineRevisionId"),
	})
	preference := get(m.p, "DeploymentPreference")
	if empty(preference) {
		preference = object{"Type": str("ALL_AT_ONCE")}.value()
	}
	m.add(at, "AWS::StepFunctions::StateMachineAlias", alias, object{
		"Name": name, "DeploymentPreference": set(preference, ref(version), "StateMachineVersionArn"),
	})
	if truth(get(m.p, "UseAliasAsEventTarget")) {
		m.target = ref(alias)
	}
}

func (m *machine) events() {
	events := get(m.p, "Events")
	if k := events.Kind(); k != estate.KindMap && k != estate.KindAbsent {
		m.partial("*", "the events of "+m.id+" are not known as a whole")
		return
	}
	for _, e := range events.Fields() {
		m.event(m.from(e.Value), get(e.Value, "Type"), m.id+e.Name, get(e.Value, "Properties"))
	}
}

func (m *machine) event(at origin, kind *estate.Value, id string, event *estate.Value) {
	switch kind.AsString() {
	case "Schedule":
		props := object{
			"ScheduleExpression": get(event, "Schedule"), "State": m.state(event),
			"Targets": m.ruleTarget(at, id, "StepFunctionsTarget", event, object{
				"Arn": m.target, "RoleArn": m.starter(at, id, "events.amazonaws.com", get(event, "RoleArn")),
			}),
		}
		props.copyFrom(event, "Name", "Description")
		m.add(at, "AWS::Events::Rule", id, props)
	case "EventBridgeRule", "CloudWatchEvent":
		m.add(at, "AWS::Events::Rule", id, object{
			"EventBusName": get(event, "EventBusName"), "EventPattern": get(event, "Pattern"),
			"Name": get(event, "RuleName"), "State": get(event, "State"),
			"Targets": m.ruleTarget(at, id, "StepFunctionsTarget", event, object{
				"Arn": m.target, "RoleArn": m.starter(at, id, "events.amazonaws.com", nil),
			}),
		})
	case "ScheduleV2":
		m.schedule(at, id, event, m.target, startPolicy(id, m.target))
	case "Api":
		m.restEvent(at, id, event)
	default:
		m.problem(at.source, kind.String()+" is not an event type of a SAM state machine", "")
		m.partial("AWS::Events::Rule", "event "+id+" has a type that SAM does not have")
	}
}

func startPolicy(stem string, target *estate.Value) *estate.Value {
	return inlinePolicy(stem+"StartExecutionPolicy", "", allow(str("states:StartExecution"), target))
}

// starter is the role by which a service starts the machine: the one named, or
// one made for the event.
func (m *machine) starter(at origin, id, service string, named *estate.Value) *estate.Value {
	if named != nil {
		return named
	}
	m.add(at, "AWS::IAM::Role", id+"Role", object{
		"AssumeRolePolicyDocument": trust(service),
		"Policies":                 list(startPolicy(id+"Role", m.target)),
		"PermissionsBoundary":      get(m.p, "PermissionsBoundary"),
	})
	return arnOf(id + "Role")
}

// restEvent lets a REST API start the machine.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-statemachine-statemachineapi.html
func (m *machine) restEvent(at origin, id string, event *estate.Value) {
	role := m.starter(at, id, "apigateway.amazonaws.com", nil)
	api := m.byID[apiID(event, "RestApiId", implicitREST)]
	if api == nil || !m.managedBody[api.LogicalID] {
		return
	}
	input := `{"input": "$util.escapeJavaScript($input.json('$'))", "stateMachineArn": "`
	if truth(get(event, "UnescapeMappingTemplate")) {
		input = `{"input": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")", "stateMachineArn": "`
	}
	uri := text(str("arn:"), m.named("AWS::Partition", nil), str(":apigateway:"), m.named("AWS::Region", nil),
		str(":states:action/StartExecution"))
	responses, descriptions := object{}, object{}
	for code, description := range map[string]string{"200": "OK", "400": "Bad Request"} {
		responses[code] = object{"statusCode": str(code)}.value()
		descriptions[code] = object{"description": str(description)}.value()
	}
	m.restRoute(at, id, api, event, object{
		integrationKey: object{
			"type": str("aws"), "httpMethod": str("POST"), "uri": at.optional(uri), "credentials": role,
			"responses":        responses.value(),
			"requestTemplates": object{"application/json": text(str(input), m.target, str(`"}`))}.value(),
		}.value(),
		"responses": descriptions.value(),
	}.value())
}
