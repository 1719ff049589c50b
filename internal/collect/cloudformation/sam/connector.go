package sam

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"assay/internal/estate"
)

//go:embed connectors.txt
var connectorTable string

// grant is one statement that a connector makes.
type grant struct {
	permission string // Read or Write
	through    string // source, destination, permission, topic or queue
	service    string // the calling service, for resource policies
	actions    []string
	resources  []string
}

// grants are the lines of connectors.txt by pair of types, in their order.
var grants = sync.OnceValue(func() map[string][]grant {
	byPair := map[string][]grant{}
	for line := range strings.Lines(connectorTable) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(line, "#") {
			continue
		}
		through, service, _ := strings.Cut(strings.TrimSpace(cells[2]), " ")
		pair := strings.TrimSpace(cells[0])
		byPair[pair] = append(byPair[pair], grant{
			strings.TrimSpace(cells[1]), through, service, strings.Fields(cells[3]), strings.Fields(cells[4]),
		})
	}
	return byPair
})

// end is one side of a connector.
type end struct {
	typeName  string // CloudFormation's
	arn       *estate.Value
	role      *estate.Value // the name of its role
	queueURL  *estate.Value
	id        *estate.Value // for APIs
	name      *estate.Value
	qualifier *estate.Value
}

// connector expands AWS::Serverless::Connector.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-connector.html
func (x *expander) connector(r *estate.Resource) {
	source, destination := get(r.Properties, "Source"), get(r.Properties, "Destination")
	if destination.Kind() != estate.KindList {
		x.connect(originOf(r), r.LogicalID, "", source, destination, get(r.Properties, "Permissions"))
		return
	}
	for i, d := range destination.Items() {
		x.connect(originOf(r), r.LogicalID, "Destination"+strconv.Itoa(i), source, d, get(r.Properties, "Permissions"))
	}
}

// embeddedConnectors makes connectors of their own out of those that stand
// inside their source.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/managing-permissions-connectors.html
func (x *expander) embeddedConnectors() {
	for _, r := range x.in.Resources {
		for _, c := range x.in.Connectors[r.LogicalID].Fields() {
			p := get(c.Value, "Properties")
			source := merge(get(p, "SourceReference"), object{"Id": str(r.LogicalID)}.value())
			x.sources = append(x.sources, &estate.Resource{
				Type: prefix + "Connector", LogicalID: r.LogicalID + c.Name, Address: r.LogicalID, Generated: generated,
				Source: c.Value.Position(), Exists: r.Exists, ExistsInput: r.ExistsInput,
				Properties: p.With("Source", source),
			})
		}
	}
}

// connect grants one destination to one source.
func (x *expander) connect(at origin, id, suffix string, source, destination, permissions *estate.Value) {
	from, to := x.end(source, destination), x.end(destination, source)
	lines := grants()[from.typeName+" > "+to.typeName]
	if len(lines) == 0 {
		x.partial("*", "connector "+id+" joins types that are not known to connect")
		x.problem(at.source, "a connector cannot go from "+from.typeName+" to "+to.typeName, "")
		return
	}
	wanted := func(permission string) bool {
		return slices.ContainsFunc(permissions.Items(), func(v *estate.Value) bool { return is(v, permission) })
	}
	var statements []*estate.Value
	for _, g := range lines {
		if !wanted(g.permission) {
			continue
		}
		resources := make([]*estate.Value, len(g.resources))
		for i, name := range g.resources {
			resources[i] = x.granted(name, from, to)
		}
		service := str(g.service + ".amazonaws.com")
		switch g.through {
		case "permission":
			props := object{
				"Action": str(g.actions[0]), "FunctionName": to.arn, "Principal": service, "SourceArn": resources[0],
			}
			if g.service == "s3" {
				props["SourceAccount"] = x.named("AWS::AccountId", nil)
			}
			x.add(at, "AWS::Lambda::Permission", id+g.permission+"LambdaPermission"+suffix, props)
		case "topic", "queue":
			statements = append(statements, object{
				"Effect": str("Allow"), "Principal": object{"Service": service}.value(),
				"Resource": resources[0], "Action": str(g.actions[0]),
				"Condition": object{"ArnEquals": object{"aws:SourceArn": from.arn}.value()}.value(),
			}.value())
		default:
			statements = append(statements, allow(actions(g.actions...), list(resources...)))
		}
	}
	document := object{"Version": str(awsPolicyVersion), "Statement": list(statements...)}.value()
	switch lines[0].through {
	case "source", "destination":
		role := from.role
		if lines[0].through == "destination" {
			role = to.role
		}
		if role == nil {
			role = estate.Unknown("the role that a connector extends is not in the template", id)
		}
		x.add(at, "AWS::IAM::ManagedPolicy", id+"Policy"+suffix, object{"PolicyDocument": document, "Roles": list(role)})
	case "topic":
		x.add(at, "AWS::SNS::TopicPolicy", id+"TopicPolicy"+suffix, object{"PolicyDocument": document, "Topics": list(to.arn)})
	case "queue":
		x.add(at, "AWS::SQS::QueuePolicy", id+"QueuePolicy"+suffix, object{"PolicyDocument": document, "Queues": list(to.queueURL)})
	}
}

// granted is the resource that a cell of connectors.txt stands for.
func (x *expander) granted(cell string, from, to end) *estate.Value {
	switch cell {
	case "EXECUTION":
		return x.serviceARN("states", str("execution:"), known(to.name), str(":*"))
	case "RULE":
		return x.serviceARN("events", str("rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"))
	case "API":
		return x.serviceARN("execute-api", known(from.id), str("/"), known(from.qualifier))
	case "GRAPHQL":
		return x.serviceARN("appsync", str("apis/"), known(from.id))
	}
	base := to.arn
	if strings.HasPrefix(cell, "S") {
		base = from.arn
	}
	return text(known(base), str(cell[1:]))
}

// end reads one side of a connector: a resource of the template by its logical
// id, or a description of one that is elsewhere.
func (x *expander) end(v, other *estate.Value) end {
	id := get(v, "Id").AsString()
	if id == "" {
		typeName, _ := strings.CutPrefix(get(v, "Type").AsString(), "AWS::")
		if plain, ok := map[string]string{
			"Serverless::Function": "Lambda::Function", "Serverless::StateMachine": "StepFunctions::StateMachine",
			"Serverless::Api": "ApiGateway::RestApi", "Serverless::HttpApi": "ApiGatewayV2::Api",
			"Serverless::SimpleTable": "DynamoDB::Table",
		}[typeName]; ok {
			typeName = plain
		}
		return end{
			typeName: typeName, arn: known(get(v, "Arn")), role: get(v, "RoleName"),
			queueURL: known(get(v, "QueueUrl")), id: get(v, "ResourceId"), name: get(v, "Name"),
			qualifier: get(v, "Qualifier"),
		}
	}
	r := x.byID[id]
	if r == nil {
		return end{arn: known(nil), queueURL: known(nil)}
	}
	typeName, _ := strings.CutPrefix(r.Type, "AWS::")
	e := end{typeName: typeName, arn: arnOf(id), queueURL: ref(id), qualifier: get(v, "Qualifier")}
	roleProperty := ""
	switch typeName {
	case "Lambda::Function":
		roleProperty = "Role"
	case "StepFunctions::StateMachine":
		e.arn, e.name, roleProperty = ref(id), estate.Ref(id, "Name"), "RoleArn"
	case "AppSync::DataSource":
		e.arn, roleProperty = ref(id), "ServiceRoleArn"
	case "AppSync::GraphQLApi":
		e.arn, e.id = ref(id), estate.Ref(id, "ApiId")
	case "SNS::Topic":
		e.arn = ref(id)
	case "ApiGateway::RestApi", "ApiGatewayV2::Api":
		e.id = ref(id)
		if e.qualifier == nil {
			e.qualifier = str("*")
		}
	case "Events::Rule":
		for _, t := range r.Properties.Field("Targets").Items() {
			target := t.Field("Arn")
			named := target.Kind() == estate.KindReference && target.Reference().Resource == get(other, "Id").AsString()
			if named || target != nil && estate.Equal(target, get(other, "Arn")) {
				e.role = roleName(t.Field("RoleArn"))
				break
			}
		}
	}
	if roleProperty != "" {
		e.role = roleName(r.Properties.Field(roleProperty))
	}
	return e
}

// roleName is the name of a role of the template that is given by its ARN.
func roleName(arn *estate.Value) *estate.Value {
	if arn.Kind() != estate.KindReference {
		return nil
	}
	return ref(arn.Reference().Resource)
}
