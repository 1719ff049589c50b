package sam

import (
	"slices"
	"strings"

	"assay/internal/estate"
)

// events expands the events of a function.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
func (f *function) events() {
	events := get(f.p, "Events")
	if k := events.Kind(); k != estate.KindMap && k != estate.KindAbsent {
		f.partial("*", "the events of "+f.id+" are not known as a whole")
		f.role.attachManaged(events) // polled sources would add policies
		return
	}
	// By path where there is one: a function that has an HTTP API's $default
	// route needs no permission for the routes after it.
	order := slices.Clone(events.Fields())
	slices.SortStableFunc(order, func(a, b estate.Field) int { return strings.Compare(orderOf(a), orderOf(b)) })
	for _, e := range order {
		f.event(e.Name, e.Value)
	}
}

func orderOf(e estate.Field) string {
	p := get(e.Value, "Properties")
	switch path := get(p, "Path").AsString(); {
	case path != "":
		return path
	case is(get(e.Value, "Type"), "HttpApi") && get(p, "Method") == nil:
		return defaultStage
	}
	return e.Name
}

// triggers are the event types for which another service calls the function.
var triggers = map[string]func(f *function, at origin, id string, event *estate.Value){
	"S3":              (*function).bucketEvent,
	"SNS":             (*function).topicEvent,
	"Schedule":        (*function).scheduleEvent,
	"ScheduleV2":      (*function).schedulerEvent,
	"EventBridgeRule": (*function).ruleEvent,
	"CloudWatchEvent": (*function).ruleEvent,
	"CloudWatchLogs":  (*function).logEvent,
	"IoTRule":         (*function).iotEvent,
	"AlexaSkill":      (*function).skillEvent,
	"Cognito":         (*function).userPoolEvent,
	"Api":             (*function).restEvent,
	"HttpApi":         (*function).httpEvent,
}

func (f *function) event(name string, v *estate.Value) {
	at, kind, event := f.from(v), get(v, "Type").AsString(), get(v, "Properties")
	id := f.id + name
	switch {
	case polls[kind].statements != nil || polls[kind].source != "":
		f.mapping(at, kind, id, event)
	case triggers[kind] != nil:
		triggers[kind](f, at, id, event)
	case get(v, "Type").Kind() == estate.KindString:
		f.problem(v.Position(), kind+" is not an event type of a SAM function", "")
		f.partial("AWS::Lambda::Permission", "event "+id+" has a type that SAM does not have")
	default:
		for _, t := range []string{"AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping"} {
			f.partial(t, "the type of event "+id+" is not known")
		}
	}
}

// permit lets a service call the function; fields narrow it.
func (f *function) permit(at origin, id, service string, fields object) {
	props := object{
		"Action": str("lambda:InvokeFunction"), "FunctionName": f.target(), "Principal": str(service),
	}
	for name, v := range fields {
		props[name] = v
	}
	f.add(at, "AWS::Lambda::Permission", id, props)
}

func (f *function) bucketEvent(at origin, id string, event *estate.Value) {
	f.permit(at, id+"Permission", "s3.amazonaws.com", object{"SourceAccount": f.named("AWS::AccountId", nil)})
	bucket := get(event, "Bucket")
	target := f.byID[bucket.Reference().Resource]
	if target == nil || bucket.Kind() != estate.KindReference {
		f.problem(at.source, "an S3 event has to name a bucket of the same template with !Ref", "")
		f.partial("AWS::S3::Bucket", "event "+id+" names a bucket outside the template")
		return
	}
	kinds := []*estate.Value{get(event, "Events")}
	if kinds[0].Kind() == estate.KindList {
		kinds = kinds[0].Items()
	}
	for _, kind := range kinds {
		notification := at.optional(object{
			"Function": f.arn(), "Event": kind, "Filter": get(event, "Filter"),
		}.value().At(at.source))
		path := []string{"NotificationConfiguration", "LambdaConfigurations"}
		had := dig(target.Properties, path...)
		if !contains(had.Items(), notification) {
			target.Properties = set(target.Properties, appended(had, notification), path...)
		}
	}
	if at.exists != nil || f.in.Conditional[f.id] {
		// CloudFormation has no conditional DependsOn; SAM ties the bucket to
		// the permission by a tag that refers to it.
		dependency := at.optional(ref(id + "Permission"))
		value := each(dependency, func(c *estate.Value) *estate.Value {
			if c == nil {
				return str("no dependency")
			}
			return c
		})
		tags := appended(target.Properties.Field("Tags"), tag("sam:ConditionalDependsOn:"+id+"Permission", value))
		target.Properties = set(target.Properties, tags, "Tags")
	}
}

func (f *function) topicEvent(at origin, id string, event *estate.Value) {
	topic, queue := get(event, "Topic"), get(event, "SqsSubscription")
	subscription := object{"TopicArn": topic}
	subscription.copyFrom(event, "Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")
	if empty(queue) {
		subscription["Protocol"], subscription["Endpoint"] = str("lambda"), f.arn()
		f.permit(at, id+"Permission", "sns.amazonaws.com", object{"SourceArn": topic})
		f.add(at, "AWS::SNS::Subscription", id, subscription)
		return
	}
	queueARN, queueURL, policyID := get(queue, "QueueArn"), get(queue, "QueueUrl"), id+"QueuePolicy"
	batch := get(queue, "BatchSize")
	if queue.Kind() != estate.KindMap {
		queueARN, queueURL = arnOf(id+"Queue"), ref(id+"Queue")
		made := object{}
		if t := f.byID[topic.Reference().Resource]; t != nil && truth(t.Properties.Field("FifoTopic")) {
			made["FifoQueue"] = estate.Bool(true)
		}
		f.add(at, "AWS::SQS::Queue", id+"Queue", made)
	} else if named := get(queue, "QueuePolicyLogicalId").AsString(); named != "" {
		policyID = named
	}
	if empty(batch) {
		batch = estate.Int(10)
	}
	f.add(at, "AWS::SQS::QueuePolicy", policyID, object{
		"Queues":         list(queueURL),
		"PolicyDocument": sendMessage(str("*"), queueARN, topic),
	})
	subscription["Protocol"], subscription["Endpoint"] = str("sqs"), queueARN
	f.add(at, "AWS::SNS::Subscription", id, subscription)
	f.mapping(at, "SQS", id+"EventSourceMapping", object{
		"Queue": queueARN, "BatchSize": batch, "Enabled": estate.Bool(true),
	}.value())
}

// sendMessage is the queue policy under which a topic or rule may write.
func sendMessage(principal, queue, source *estate.Value) *estate.Value {
	statement := allow(str("sqs:SendMessage"), queue)
	statement = statement.With("Principal", principal)
	statement = statement.With("Condition", object{
		"ArnEquals": object{"aws:SourceArn": source}.value(),
	}.value())
	return object{"Version": str(awsPolicyVersion), "Statement": list(statement)}.value()
}

// state is the State of a rule, which SAM lets one write as Enabled too. AWS
// reads Enabled as text: whatever function stands there counts as true.
func (x *expander) state(event *estate.Value) *estate.Value {
	enabled := event.Field("Enabled")
	switch {
	case enabled.Kind() == estate.KindBool && !enabled.AsBool() && x.written(enabled) == "":
		return str("DISABLED").At(enabled.Position())
	case enabled.Kind() == estate.KindNull && x.written(enabled) == "" || enabled == nil:
		return get(event, "State")
	}
	return str("ENABLED").At(enabled.Position())
}

// ruleTarget is what the kinds of rule have in common: the target with its
// dead-letter queue. It returns the rule's Targets.
func (x *expander) ruleTarget(at origin, id, suffix string, event *estate.Value, target object) *estate.Value {
	if named := get(event.Field("Target"), "Id"); named != nil {
		target["Id"] = named
	} else {
		// An id of a target has at most 64 characters.
		target["Id"] = str(id[:min(len(id), 64-len(suffix))] + suffix)
	}
	target.copyFrom(event, "Input", "InputPath", "RetryPolicy", "InputTransformer")
	if config := get(event, "DeadLetterConfig"); config != nil {
		queue := get(config, "Arn")
		if queue == nil {
			queueID := get(config, "QueueLogicalId").AsString()
			if queueID == "" {
				queueID = id + "Queue"
			}
			queue = arnOf(queueID)
			x.add(at, "AWS::SQS::Queue", queueID, object{})
			x.add(at, "AWS::SQS::QueuePolicy", id+"QueuePolicy", object{
				"Queues": list(ref(queueID)),
				"PolicyDocument": sendMessage(object{"Service": str("events.amazonaws.com")}.value(), queue,
					arnOf(id)),
			})
		}
		target["DeadLetterConfig"] = object{"Arn": queue}.value().At(config.Position())
	}
	return list(target.value())
}

func (f *function) scheduleEvent(at origin, id string, event *estate.Value) {
	props := object{
		"ScheduleExpression": get(event, "Schedule"), "State": f.state(event),
		"Targets": f.ruleTarget(at, id, "LambdaTarget", event, object{"Arn": f.arn()}),
	}
	props.copyFrom(event, "Name", "Description")
	f.add(at, "AWS::Events::Rule", id, props)
	f.permit(at, id+"Permission", "events.amazonaws.com", object{"SourceArn": arnOf(id)})
}

func (f *function) ruleEvent(at origin, id string, event *estate.Value) {
	f.add(at, "AWS::Events::Rule", id, object{
		"EventBusName": get(event, "EventBusName"), "EventPattern": get(event, "Pattern"),
		"Name": get(event, "RuleName"), "State": f.state(event),
		"Targets": f.ruleTarget(at, id, "LambdaTarget", event, object{"Arn": f.arn()}),
	})
	f.permit(at, id+"Permission", "events.amazonaws.com", object{"SourceArn": arnOf(id)})
}

func (f *function) schedulerEvent(at origin, id string, event *estate.Value) {
	f.schedule(at, id, event, f.arn(), inlinePolicy(id+"LambdaPolicy", "", allow(str("lambda:InvokeFunction"), f.arn())))
}

// schedule adds a schedule of EventBridge Scheduler and the role by which it
// calls its target.
func (x *expander) schedule(at origin, id string, event, target, policy *estate.Value) {
	props := object{"ScheduleExpression": get(event, "ScheduleExpression")}
	props.copyFrom(event, "State", "Description", "FlexibleTimeWindow", "StartDate", "EndDate",
		"ScheduleExpressionTimezone", "GroupName", "KmsKeyArn", "Name")
	if props["FlexibleTimeWindow"] == nil {
		props["FlexibleTimeWindow"] = object{"Mode": str("OFF")}.value()
	}
	if empty(props["Name"]) && !truth(get(event, "OmitName")) {
		props["Name"] = str(id)
	}
	policies := []*estate.Value{policy}
	called := object{"Arn": target}
	called.copyFrom(event, "Input", "RetryPolicy")
	if config := get(event, "DeadLetterConfig"); config != nil {
		queue := get(config, "Arn")
		if queue == nil {
			queueID := get(config, "QueueLogicalId").AsString()
			if queueID == "" {
				queueID = id + "Queue"
			}
			x.add(at, "AWS::SQS::Queue", queueID, object{})
			queue = arnOf(queueID)
		}
		called["DeadLetterConfig"] = object{"Arn": queue}.value().At(config.Position())
		policies = append(policies, destinationPolicy("SQS", id, queue))
	}
	called["RoleArn"] = get(event, "RoleArn")
	if empty(called["RoleArn"]) {
		called["RoleArn"] = arnOf(id + "Role")
		x.add(at, "AWS::IAM::Role", id+"Role", object{
			"AssumeRolePolicyDocument": trust("scheduler.amazonaws.com"),
			"Policies":                 list(policies...),
			"PermissionsBoundary":      get(event, "PermissionsBoundary"),
		})
	}
	props["Target"] = called.value()
	x.add(at, "AWS::Scheduler::Schedule", id, props)
}

func (f *function) logEvent(at origin, id string, event *estate.Value) {
	group := get(event, "LogGroupName")
	f.permit(at, id+"Permission", "logs.amazonaws.com", object{
		"SourceArn": f.serviceARN("logs", str("log-group:"), group, str(":*")),
	})
	f.add(at, "AWS::Logs::SubscriptionFilter", id, object{
		"LogGroupName": group, "FilterPattern": get(event, "FilterPattern"), "DestinationArn": f.arn(),
	})
}

func (f *function) iotEvent(at origin, id string, event *estate.Value) {
	f.permit(at, id+"Permission", "iot.amazonaws.com", object{
		"SourceArn": f.serviceARN("iot", str("rule/"), ref(id)), "SourceAccount": f.named("AWS::AccountId", nil),
	})
	payload := object{
		"Sql": get(event, "Sql"), "RuleDisabled": estate.Bool(false),
		"Actions": list(object{"Lambda": object{"FunctionArn": f.arn()}.value()}.value()),
	}
	payload.copyFrom(event, "AwsIotSqlVersion")
	f.add(at, "AWS::IoT::TopicRule", id, object{"TopicRulePayload": payload.value()})
}

func (f *function) skillEvent(at origin, id string, event *estate.Value) {
	f.permit(at, id+"Permission", "alexa-appkit.amazon.com", object{"EventSourceToken": get(event, "SkillId")})
}

func (f *function) userPoolEvent(at origin, id string, event *estate.Value) {
	pool := get(event, "UserPool")
	target := f.byID[pool.Reference().Resource]
	if target == nil || pool.Kind() != estate.KindReference {
		f.problem(at.source, "a Cognito event has to name a user pool of the same template with !Ref", "")
		f.partial("AWS::Cognito::UserPool", "event "+id+" names a user pool outside the template")
		return
	}
	caller := f.id
	if f.alias != nil {
		caller = f.alias.Reference().Resource
	}
	f.permit(at, caller+"CognitoPermission", "cognito-idp.amazonaws.com", object{"SourceArn": arnOf(target.LogicalID)})
	moments := []*estate.Value{get(event, "Trigger")}
	if moments[0].Kind() == estate.KindList {
		moments = moments[0].Items()
	}
	for _, moment := range moments {
		if name := strings.TrimSpace(moment.AsString()); name != "" {
			target.Properties = set(target.Properties, f.arn().At(at.source), "LambdaConfig", name)
		}
	}
}
