package regime

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

func model(t testing.TB) *estate.Model {
	t.Helper()
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// scopes reads a template, whose text may be indented by tabs.
func scopes(t testing.TB, m *estate.Model, text string) []*estate.Scope {
	t.Helper()
	text = strings.ReplaceAll(text, "\t", "  ")
	c := cloudformation.New(cloudformation.Options{PolicyTemplates: tables.SAMPolicyTemplates()})
	built := estate.Build(m, c.Collect(context.Background(), collect.File{Name: "t.yaml", Data: []byte(text), Named: true}))
	for _, s := range built {
		for _, p := range s.Problems() {
			t.Fatal(p.Error())
		}
	}
	return built
}

// told is a survey in short: a class and the functions that handle it, then with ~
// those that are connected.
func told(s *Survey) (lines []string) {
	for _, class := range sorted(s.Handles) {
		for _, f := range s.Handles[class] {
			lines = append(lines, class+" "+f.Address)
		}
	}
	for _, class := range sorted(s.Connected) {
		for _, f := range s.Connected[class] {
			lines = append(lines, class+" ~"+f.Address)
		}
	}
	for _, class := range sorted(s.Stores) {
		for _, text := range s.Stores[class] {
			lines = append(lines, class+" at "+text)
		}
	}
	for _, text := range s.Open {
		lines = append(lines, "open: "+text)
	}
	return lines
}

const (
	functionF = `
	F: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn, Code: {ZipFile: x}, Handler: a.b, Runtime: python3.13}}`
	trusting = `AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}`
	plainR   = `
	R: {Type: AWS::IAM::Role, Properties: {` + trusting + `}}`
	cards = `
	Cards: {Type: AWS::DynamoDB::Table, Properties: {Tags: [{Key: data, Value: chd}]}}`
)

// may is a role R with one statement.
func may(name, action, resource string) string {
	return fmt.Sprintf("\n\t%s: {Type: AWS::IAM::Role, Properties: {%s, Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: %q, Resource: %s}]}}]}}", name, trusting, action, resource)
}

// function is a function with a role, and with variables and tags.
func function(name, role, more string) string {
	return fmt.Sprintf("\n\t%s: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt %s.Arn, Code: {ZipFile: x}, Handler: a.b, Runtime: python3.13%s}}", name, role, more)
}

func TestSurvey(t *testing.T) {
	m := model(t)
	for _, c := range []struct {
		name, resources, declared string
		want                      []string
	}{
		{"a tag of its own", plainR + function("F", "R", ", Tags: [{Key: data-class, Value: 'PHI, card'}]"), "", []string{"chd F", "ephi F"}},
		{"any case and separator", plainR + function("F", "R", ", Tags: [{Key: Data-Classification, Value: Cardholder Data}]"), "", []string{"chd F"}},
		{"a tag that says nothing of data", plainR + function("F", "R", ", Tags: [{Key: Owner, Value: card}]"), "", nil},
		{"a word that nobody knows", plainR + function("F", "R", ", Tags: [{Key: data, Value: internal}]"), "", []string{"open: what tag data: internal of F means is not known; say it under data in assay.yaml"}},
		{"a word that a person explains", plainR + function("F", "R", ", Tags: [{Key: data, Value: internal}]"), "{data: [{tag: Internal, classes: [pii]}]}", []string{"pii F"}},
		{"a name that a person confirms", plainR + functionF, "{data: [{name: 'F*', classes: [cui], confirmed-by: ana}]}", []string{"cui F"}},
		{"its role names the table", functionF + may("R", "dynamodb:GetItem", "!GetAtt Cards.Arn") + cards, "", []string{"chd F"}},
		{"its role names an index", functionF + may("R", "dynamodb:Query", "!Sub '${Cards.Arn}/index/*'") + cards, "", []string{"chd F"}},
		{"a deny is no access", functionF + strings.Replace(may("R", "dynamodb:GetItem", "!GetAtt Q.Arn"), "Effect: Allow, Action", "Effect: Deny, Action", 1) + "\n\tQ: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: data, Value: chd}]}}", "", []string{"chd at queue Q (tag data: chd)"}},
		{"a deny of a table, and nothing else", functionF + strings.Replace(may("R", "dynamodb:GetItem", "!GetAtt Cards.Arn"), "Effect: Allow, Action", "Effect: Deny, Action", 1) + cards, "", []string{"chd at table Cards (tag data: chd)"}},
		{"a deny of some, and a name that allows", functionF + "\n\tR: {Type: AWS::IAM::Role, Properties: {" + trusting + ", Policies: [{PolicyName: p, PolicyDocument: {Statement: [" +
			"{Effect: Deny, Action: 'dynamodb:DeleteItem', Resource: !GetAtt Cards.Arn}, {Effect: Allow, Action: 'dynamodb:GetItem', Resource: !Sub 'arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Cards}'}, {Effect: Allow, Action: 'logs:*', Resource: 'arn:aws:logs:*:*:*'}]}}]}}" + cards, "", []string{"chd F"}},
		{"its role names the queue by its name", functionF + may("R", "sqs:SendMessage", "!Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:cards'") + "\n\tQ: {Type: AWS::SQS::Queue, Properties: {QueueName: cards, Tags: [{Key: data, Value: chd}]}}", "", []string{"chd F"}},
		{"its environment names the bucket", plainR + function("F", "R", ", Environment: {Variables: {B: !Ref Files}}") + "\n\tFiles: {Type: AWS::S3::Bucket, Properties: {Tags: [{Key: data, Value: phi}]}}", "", []string{"ephi F"}},
		{"the table's stream calls it", plainR + functionF + "\n\tM: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt Cards.StreamArn, StartingPosition: LATEST}}" + cards, "", []string{"chd F"}},
		{"a stream of the table's changes", plainR + functionF + "\n\tM: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt S.Arn, StartingPosition: LATEST}}\n\tS: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}" +
			"\n\tT: {Type: AWS::DynamoDB::Table, Properties: {KinesisStreamSpecification: {StreamArn: !GetAtt S.Arn}, Tags: [{Key: data, Value: chd}]}}", "", []string{"chd ~F", "chd at table T (tag data: chd)"}},
		{"a topic that it is subscribed to", plainR + functionF + "\n\tT: {Type: AWS::SNS::Topic, Properties: {Tags: [{Key: data, Value: pii}]}}\n\tS: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref T, Protocol: lambda, Endpoint: !GetAtt F.Arn}}", "", []string{"pii F"}},
		{"a queue between", functionF + may("R", "*", "[!GetAtt Cards.Arn, !GetAtt Q.Arn]") + cards + "\n\tQ: {Type: AWS::SQS::Queue}" +
			function("G", "RG", "") + strings.Replace(plainR, "R:", "RG:", 1) + "\n\tM: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref G, EventSourceArn: !GetAtt Q.Arn}}", "", []string{"chd F", "chd ~G"}},
		{"one calls the other", function("F", "R", ", Tags: [{Key: data, Value: chd}]") + may("R", "lambda:InvokeFunction", "!GetAtt G.Arn") + function("G", "RG", "") + strings.Replace(plainR, "R:", "RG:", 1), "", []string{"chd F", "chd ~G"}},
		{"a role that they share", function("F", "R", ", Tags: [{Key: data, Value: chd}]") + plainR + function("G", "R", ""), "", []string{"chd F", "chd ~G"}},
		{"a security group that they share", function("F", "R", ", Tags: [{Key: data, Value: chd}], VpcConfig: {SecurityGroupIds: [!Ref N], SubnetIds: []}") + plainR +
			function("G", "RG", ", VpcConfig: {SecurityGroupIds: [!Ref N], SubnetIds: []}") + strings.Replace(plainR, "R:", "RG:", 1) + "\n\tN: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x}}", "", []string{"chd F", "chd ~G"}},
		{"a state machine that calls both", function("F", "R", ", Tags: [{Key: data, Value: chd}]") + plainR + function("G", "RG", "") + strings.Replace(plainR, "R:", "RG:", 1) +
			"\n\tM: {Type: AWS::StepFunctions::StateMachine, Properties: {RoleArn: 'arn:aws:iam::111122223333:role/m', DefinitionString: '{}', DefinitionSubstitutions: {A: !GetAtt F.Arn, B: !GetAtt G.Arn}}}", "", []string{"chd F", "chd ~G"}},
		{"a policy for everything is near to every store", functionF + may("R", "dynamodb:*", "'*'") + cards, "", []string{"chd ~F", "chd at table Cards (tag data: chd)"}},
		{"a policy for another service is not", functionF + may("R", "s3:*", "'*'") + cards, "", []string{"chd at table Cards (tag data: chd)"}},
		{"AWS's policy for everything", functionF + "\n\tR: {Type: AWS::IAM::Role, Properties: {" + trusting + ", ManagedPolicyArns: [!Sub 'arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess']}}" + cards, "", []string{"chd ~F", "chd at table Cards (tag data: chd)"}},
		{"AWS's policy for logs", functionF + "\n\tR: {Type: AWS::IAM::Role, Properties: {" + trusting + ", ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']}}" + cards, "", []string{"chd at table Cards (tag data: chd)"}},
		{"AWS's policy for another service", functionF + "\n\tR: {Type: AWS::IAM::Role, Properties: {" + trusting + ", ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonS3FullAccess']}}" + cards, "", []string{"chd at table Cards (tag data: chd)"}},
		{"listing is no access", functionF + may("R", "dynamodb:ListTables", "'*'") + cards, "", []string{"chd at table Cards (tag data: chd)"}},
		{"everyone who reaches everything is not near to each other", functionF + may("R", "*", "'*'") + function("G", "RG", ", Tags: [{Key: data, Value: chd}]") + strings.Replace(plainR, "R:", "RG:", 1) +
			"\n\tQ: {Type: AWS::SQS::Queue}" + function("H", "RH", "") + may("RH", "sqs:SendMessage", "!GetAtt Q.Arn"), "", []string{"chd G", "chd ~F"}},
		{"what is open of a role that no function has", plainR + functionF + "\n\tE: {Type: AWS::IAM::Role, Properties: {" + trusting + ", ManagedPolicyArns: ['arn:aws:iam::111122223333:policy/own']}}", "", nil},
		{"AWS's policy that is not known", functionF + "\n\tR: {Type: AWS::IAM::Role, Properties: {" + trusting + ", ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonNewFullAccess']}}" + cards, "", []string{
			"chd at table Cards (tag data: chd)", "open: what role R reaches through AWS's policy AmazonNewFullAccess is not known: the tables do not have it"}},
		{"a role elsewhere", "\n\tF: {Type: AWS::Lambda::Function, Properties: {Role: 'arn:aws:iam::111122223333:role/r', Code: {ZipFile: x}, Handler: a.b, Runtime: python3.13}}", "", []string{"open: what F names in Role was not read"}},
		{"a table elsewhere", functionF + may("R", "dynamodb:GetItem", "'arn:aws:dynamodb:eu-west-1:111122223333:table/cards'"), "", []string{"open: what role R names in a statement was not read"}},
		{"a queue elsewhere", functionF + may("R", "sqs:SendMessage", "'arn:aws:sqs:eu-west-1:111122223333:cards'"), "", []string{"open: what role R names in a statement was not read"}},
		{"a topic elsewhere", functionF + may("R", "sns:Publish", "'arn:aws:sns:eu-west-1:111122223333:cards'"), "", []string{"open: what role R names in a statement was not read"}},
		{"a stream elsewhere", functionF + may("R", "kinesis:PutRecord", "'arn:aws:kinesis:eu-west-1:111122223333:stream/cards'"), "", []string{"open: what role R names in a statement was not read"}},
		{"tied to nothing", plainR + functionF + cards, "", []string{"chd at table Cards (tag data: chd)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &Declaration{}
			if c.declared != "" {
				d = declare(t, c.declared)
			}
			got := told(rules(t).Survey(scopes(t, m, "Resources:"+c.resources), []string{"data-classification"}, d))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWitness: each step of the way is told.
func TestWitness(t *testing.T) {
	s := rules(t).Survey(scopes(t, model(t), "Resources:"+functionF+may("R", "dynamodb:GetItem", "!GetAtt Cards.Arn")+cards), nil, &Declaration{})
	want := []string{"table Cards holds chd (tag data: chd)", "role R names table Cards in a statement", "F names role R in Role"}
	if diff := cmp.Diff(want, s.Handles["chd"][0].Steps); diff != "" {
		t.Error(diff)
	}
}

// TestUnreadPolicy: of an account, where no line tells two policies apart, one that was
// read does not stand for one that was not.
func TestUnreadPolicy(t *testing.T) {
	const account = "arn:aws:iam::111122223333:"
	resource := func(typ, id, properties string) estate.Resource {
		v, err := estate.ParseJSON([]byte(properties))
		if err != nil {
			t.Fatal(err)
		}
		at := estate.Position{File: "aws://111122223333/eu-west-1/Get"}
		return estate.Resource{Type: typ, ID: id, LogicalID: id, Address: id, Properties: v.At(at), Source: at}
	}
	look := func(policies string) []string {
		b := estate.NewBuilder("aws://111122223333/eu-west-1", "aws")
		b.Place("eu-west-1", "111122223333")
		b.Add(resource(functionType, "arn:aws:lambda:eu-west-1:111122223333:function:f", `{"FunctionName": "f", "Role": "`+account+`role/r"}`))
		b.Add(resource(roleType, account+"role/r", `{"RoleName": "r", "ManagedPolicyArns": [`+policies+`]}`))
		b.Add(resource(policyType, account+"policy/read", `{"ManagedPolicyName": "read", "PolicyDocument": {"Statement": []}}`))
		return told(rules(t).Survey([]*estate.Scope{b.Build(model(t))}, nil, &Declaration{}))
	}
	const basic, read, unread = `"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"`, `"` + account + `policy/read"`, `"` + account + `policy/other"`
	if got := look(basic + "," + read); got != nil {
		t.Error(got)
	}
	want := []string{"open: what role " + account + "role/r reaches through the policy " + account + "policy/other is not known, which was not read"}
	for _, policies := range []string{unread, read + "," + unread, basic + "," + unread + "," + read} {
		if diff := cmp.Diff(want, look(policies)); diff != "" {
			t.Errorf("%s: %s", policies, diff)
		}
	}
}

// TestUnknownTags: a tag whose value is not known leaves every class open, and one
// whose key says nothing of data does not.
func TestUnknownTags(t *testing.T) {
	const tags = ", Tags: [{Key: data, Value: !Ref P}, {Key: Owner, Value: !Ref P}]"
	for name, resource := range map[string]string{
		"G":           function("G", "R", tags),
		"dbcluster D": "\n\tD: {Type: AWS::DocDB::DBCluster, Properties: {" + tags[2:] + "}}",
	} {
		text := "Parameters: {P: {Type: String}}\nResources:" + plainR + functionF + resource
		got := told(rules(t).Survey(scopes(t, model(t), text), nil, &Declaration{}))
		if len(got) != 1 || !strings.HasPrefix(got[0], "open: tag data of "+name+" not known: parameter without value") {
			t.Errorf("got %q", got)
		}
	}
}

// world is a random estate, of which parts can be made unknown.
type world struct {
	functions, stores int
	tags              []string // by resource, functions first; "" none, "?" unknown
	reads             [][]bool // which store the role of a function names
	unreadRole        []bool
	answers           map[string]Answer
}

func drawWorld(t *rapid.T, r *Rules) *world {
	w := &world{functions: rapid.IntRange(0, 3).Draw(t, "functions"), stores: rapid.IntRange(0, 3).Draw(t, "stores"), answers: map[string]Answer{}}
	values := []string{"", "", "?", "chd", "phi", "pii", "cui", "public", "odd"}
	for range w.functions + w.stores {
		w.tags = append(w.tags, rapid.SampledFrom(values).Draw(t, "tag"))
	}
	for range w.functions {
		w.reads = append(w.reads, rapid.SliceOfN(rapid.Bool(), w.stores, w.stores).Draw(t, "reads"))
		w.unreadRole = append(w.unreadRole, rapid.IntRange(0, 5).Draw(t, "unread") == 0)
	}
	for _, q := range r.Questions {
		if rapid.Bool().Draw(t, "answered") {
			a := Answer{Choices: []string{}, Number: int64(rapid.IntRange(0, 8_000_000).Draw(t, "number"))}
			for _, c := range r.choices(q) {
				if rapid.IntRange(0, 3).Draw(t, c) == 0 && (!q.One || len(a.Choices) == 0) {
					a.Choices = append(a.Choices, c)
				}
			}
			w.answers[q.ID] = a
		}
	}
	return w
}

// survey reads the world as an estate.
func (w *world) survey(r *Rules, m *estate.Model, d *Declaration) *Survey {
	b := estate.NewBuilder("t.yaml", "cloudformation")
	tags := func(i int) estate.Field {
		v := estate.String(w.tags[i])
		if w.tags[i] == "?" {
			v = estate.Unknown("parameter without value", "parameter P")
		}
		if w.tags[i] == "" {
			return estate.Field{Name: "Tags", Value: estate.List()}
		}
		return estate.Field{Name: "Tags", Value: estate.List(estate.Map(estate.Field{Name: "Key", Value: estate.String("data")}, estate.Field{Name: "Value", Value: v}))}
	}
	for s := range w.stores {
		b.Add(estate.Resource{Type: "AWS::DynamoDB::Table", LogicalID: fmt.Sprintf("Table%d", s), Properties: estate.Map(tags(w.functions + s))})
	}
	for f := range w.functions {
		role := fmt.Sprintf("Role%d", f)
		var named []*estate.Value
		for s, reads := range w.reads[f] {
			if reads {
				named = append(named, estate.Ref(fmt.Sprintf("Table%d", s), "Arn"))
			}
		}
		statement := estate.Map(estate.Field{Name: "Effect", Value: estate.String("Allow")}, estate.Field{Name: "Action", Value: estate.String("dynamodb:GetItem")}, estate.Field{Name: "Resource", Value: estate.List(named...)})
		policy := estate.Map(estate.Field{Name: "PolicyName", Value: estate.String("p")}, estate.Field{Name: "PolicyDocument", Value: estate.Map(estate.Field{Name: "Statement", Value: estate.List(statement)})})
		b.Add(estate.Resource{Type: roleType, LogicalID: role, Properties: estate.Map(estate.Field{Name: "Policies", Value: estate.List(policy)})})
		of := estate.Ref(role, "Arn")
		if w.unreadRole[f] {
			of = estate.Unknown("parameter without value", "parameter Role")
		}
		b.Add(estate.Resource{Type: functionType, LogicalID: fmt.Sprintf("F%d", f), Properties: estate.Map(tags(f), estate.Field{Name: "Role", Value: of})})
	}
	return r.Survey([]*estate.Scope{b.Build(m)}, nil, d)
}

// TestForgetting: what is known less of never makes a regime not indicated that was
// not so before.
func TestForgetting(t *testing.T) {
	r, m := rules(t), model(t)
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, r)
		judge := func() *Result {
			d := &Declaration{Answers: w.answers}
			return r.Judge(d, w.survey(r, m, d), "2026-11-29")
		}
		before := judge()
		for range rapid.IntRange(1, 4).Draw(t, "forgotten") {
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				if ids := sorted(w.answers); len(ids) > 0 {
					delete(w.answers, rapid.SampledFrom(ids).Draw(t, "answer"))
				}
			case 1:
				if len(w.tags) > 0 {
					w.tags[rapid.IntRange(0, len(w.tags)-1).Draw(t, "tag")] = "?"
				}
			case 2:
				if w.functions > 0 {
					w.unreadRole[rapid.IntRange(0, w.functions-1).Draw(t, "role")] = true
				}
			}
		}
		after := judge()
		for i, one := range after.Regimes {
			if was := before.Regimes[i].Verdict; one.Verdict == NotIndicated && was != NotIndicated {
				t.Fatalf("%s was %s (%s %v) and is not indicated once less is known", one.ID, was, before.Regimes[i].Because, before.Regimes[i].Facts)
			}
			if before.Regimes[i].Verdict != Applies && one.Verdict == Applies {
				t.Fatalf("%s was %s and applies once less is known (%s)", one.ID, before.Regimes[i].Verdict, one.Because)
			}
		}
	})
}

// TestOrder: the order of resources does not show.
func TestOrder(t *testing.T) {
	text := functionF + may("R", "*", "[!GetAtt Cards.Arn, !GetAtt Q.Arn]") + cards + "\n\tQ: {Type: AWS::SQS::Queue}" + function("G", "R", "")
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	m := model(t)
	want := told(rules(t).Survey(scopes(t, m, "Resources:\n"+strings.Join(lines, "\n")), nil, &Declaration{}))
	slices.Reverse(lines)
	got := told(rules(t).Survey(scopes(t, m, "Resources:\n"+strings.Join(lines, "\n")), nil, &Declaration{}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
