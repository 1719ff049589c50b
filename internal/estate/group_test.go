package estate_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/estate"
)

// ends names what the edges of a resource end at: a logical id, "outside" or
// the input that would tell.
func ends(r *estate.Resource, name string) string {
	var all []string
	for _, e := range r.Related(name) {
		switch {
		case e.To != nil:
			all = append(all, e.To.ID)
		case e.Outside:
			all = append(all, "outside")
		default:
			all = append(all, "? "+e.Gap.Input)
		}
	}
	return strings.Join(all, ", ")
}

// TestPlaces holds ARNs to the account and region that they name.
func TestPlaces(t *testing.T) {
	m := model(t)
	for _, tt := range []struct{ name, region, account, role, want string }{
		{"here", "eu-west-1", "111122223333", "arn:aws:iam::111122223333:role/r1", "s#R"},
		{"another_account", "eu-west-1", "111122223333", "arn:aws:iam::999999999999:role/r1", "outside"},
		{"account_not_known", "eu-west-1", "", "arn:aws:iam::111122223333:role/r1", "? AWS::AccountId"},
		{"no_account", "", "", "arn:aws:iam:::role/r1", "s#R"},
		{"another_name", "", "", "arn:aws:iam::111122223333:role/r2", "outside"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := estate.NewBuilder("s", "cloudformation")
			b.Place(tt.region, tt.account)
			b.Add(estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F", Properties: estate.Map(estate.Field{Name: "Role", Value: estate.String(tt.role)})})
			b.Add(estate.Resource{Type: "AWS::IAM::Role", LogicalID: "R", Properties: estate.Map(estate.Field{Name: "RoleName", Value: estate.String("r1")})})
			if diff := cmp.Diff(tt.want, ends(b.Build(m).Resource("F"), "roles")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRegions holds names to the region that they stand in, and ARNs to theirs,
// in the scopes of one account.
func TestRegions(t *testing.T) {
	m := model(t)
	group := func(name string) estate.Resource {
		return estate.Resource{Type: "AWS::Logs::LogGroup", LogicalID: name, Properties: estate.Map(estate.Field{Name: "LogGroupName", Value: estate.String(name)})}
	}
	function := estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F", Properties: estate.Map(estate.Field{Name: "FunctionName", Value: estate.String("f")})}
	trail := func(logGroup string) estate.Resource {
		return estate.Resource{Type: "AWS::CloudTrail::Trail", LogicalID: "T", Properties: estate.Map(estate.Field{Name: "CloudWatchLogsLogGroupArn", Value: estate.String(logGroup)})}
	}
	for _, tt := range []struct {
		name, region string // where what names stands
		from         estate.Resource
		want         string
	}{
		{"of_the_region", "eu-west-1", function, "eu-west-1#/aws/lambda/f"},
		{"of_the_other", "us-east-1", function, "us-east-1#/aws/lambda/f"},
		{"arn", "", trail("arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/f:*"), "us-east-1#/aws/lambda/f"},
		{"arn_of_another_region", "eu-west-1", trail("arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/f:*"), "us-east-1#/aws/lambda/f"},
		{"not_there", "", trail("arn:aws:logs:us-east-1:111122223333:log-group:other:*"), ""},
		{"not_looked_for", "", trail("arn:aws:logs:eu-west-1:111122223333:log-group:other:*"), "outside"},
		{"region_not_read", "", trail("arn:aws:logs:ap-south-1:111122223333:log-group:/aws/lambda/f:*"), "outside"},
		{"account_not_read", "us-east-1", trail("arn:aws:logs:us-east-1:999999999999:log-group:/aws/lambda/f:*"), "outside"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var builders []*estate.Builder
			for _, region := range []string{"", "eu-west-1", "us-east-1"} {
				b := estate.NewBuilder(region, "aws")
				b.Place(region, "111122223333")
				b.Tie("account")
				if region != "" {
					b.Add(group("/aws/lambda/f"))
				}
				if region == "eu-west-1" {
					b.Cover(estate.Coverage{Type: "AWS::Logs::LogGroup", State: estate.CoverageDenied})
				}
				if region == tt.region {
					b.Add(tt.from)
				}
				builders = append(builders, b)
			}
			for _, s := range estate.Build(m, builders) {
				if r := s.Resource(tt.from.LogicalID); r != nil {
					if diff := cmp.Diff(tt.want, ends(r, "logGroups")); diff != "" {
						t.Error(diff)
					}
				}
			}
		})
	}
}

// TestNamesOfRegions resolves names within the region that they stand in, and those
// that are the same everywhere across regions.
func TestNamesOfRegions(t *testing.T) {
	const account = "111122223333"
	field := func(name, v string) *estate.Value {
		return estate.Map(estate.Field{Name: name, Value: estate.String(v)})
	}
	var builders []*estate.Builder
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		b := estate.NewBuilder(account+"/"+region, "aws")
		b.Place(region, account)
		b.Tie("aws://" + account)
		at := region + ":" + account + ":"
		add := func(typ, arn string, properties *estate.Value) {
			b.Add(estate.Resource{Type: typ, ID: arn, LogicalID: arn, Properties: properties})
		}
		add("AWS::Logs::LogGroup", "arn:aws:logs:"+at+"log-group:g", field("LogGroupName", "g"))
		add("AWS::Logs::MetricFilter", "filter", field("LogGroupName", "g"))
		add("AWS::Kinesis::Stream", "arn:aws:kinesis:"+at+"stream/s", field("Name", "s"))
		add("AWS::Lambda::EventSourceMapping", "mapping", field("EventSourceArn", "arn:aws:kinesis:"+at+"stream/s/consumer/c:1"))
		add("AWS::EC2::SecurityGroup", "arn:aws:ec2:"+at+"security-group/sg-1", field("GroupName", "mine"))
		add("AWS::Lambda::Function", "arn:aws:lambda:"+at+"function:f", estate.Map(estate.Field{Name: "VpcConfig", Value: estate.Map(
			estate.Field{Name: "SecurityGroupIds", Value: estate.List(estate.String("sg-1"))})}))
		if region == "us-east-1" {
			add("AWS::S3::Bucket", "arn:aws:s3:::b", field("BucketName", "b"))
		} else {
			add("AWS::S3::BucketPolicy", "policy", field("Bucket", "b"))
		}
		builders = append(builders, b)
	}
	scopes := estate.Build(model(t), builders)
	for _, tt := range []struct{ from, edge, want string }{
		{"filter", "logGroups", "arn:aws:logs:eu-west-1:111122223333:log-group:g"},
		{"mapping", "streams", "arn:aws:kinesis:eu-west-1:111122223333:stream/s"},
		{"arn:aws:lambda:eu-west-1:111122223333:function:f", "securityGroups", "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1"},
		{"policy", "buckets", "arn:aws:s3:::b"},
	} {
		if diff := cmp.Diff(tt.want, ends(scopes[0].Resource(tt.from), tt.edge)); diff != "" {
			t.Errorf("%s %s: %s", tt.from, tt.edge, diff)
		}
	}
}

// TestNames lists what a role's policy names, and not what it only matches.
func TestNames(t *testing.T) {
	var resources []*estate.Value
	for _, arn := range []string{
		"arn:aws:dynamodb:eu-west-1:111122223333:table/orders/index/*", "arn:aws:dynamodb:*:111122223333:table/everywhere",
		"arn:aws:dynamodb:eu-west-1:111122223333:table/team-*", "arn:aws:s3:::uploads/*", "arn:aws:s3:::*", "*",
	} {
		resources = append(resources, estate.String(arn))
	}
	document := estate.Map(estate.Field{Name: "Statement", Value: estate.List(estate.Map(estate.Field{Name: "Resource", Value: estate.List(resources...)}))})
	policy := estate.Map(estate.Field{Name: "PolicyDocument", Value: document})
	var got []string
	for _, n := range model(t).Names("AWS::IAM::Role", estate.Map(estate.Field{Name: "Policies", Value: estate.List(policy)})) {
		got = append(got, n.Type+" "+n.Name+" "+n.Text)
	}
	want := []string{
		"AWS::DynamoDB::Table orders arn:aws:dynamodb:eu-west-1:111122223333:table/orders/index/*",
		"AWS::DynamoDB::Table everywhere arn:aws:dynamodb::111122223333:table/everywhere",
		"AWS::S3::Bucket uploads arn:aws:s3:::uploads/*",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAttached keeps apart what comes with a resource that was looked for, and
// what does not.
func TestAttached(t *testing.T) {
	for _, tt := range []struct {
		format string
		state  estate.CoverageState
		edge   string
		misses bool
	}{
		{"aws", estate.CoverageNamed, "queuePolicies", false},
		{"aws", estate.CoverageDenied, "queuePolicies", true},
		{"aws", estate.CoverageUncollected, "queuePolicies", true},
		{"aws", estate.CoverageNamed, "queueSubscriptions", true},
		{"aws", estate.CoverageLinked, "queueSubscriptions", false},
	} {
		b := estate.NewBuilder("s", tt.format)
		b.Place("eu-west-1", "111122223333")
		b.Add(estate.Resource{Type: "AWS::SQS::Queue", LogicalID: "Q"})
		for _, typ := range []string{"AWS::SQS::QueuePolicy", "AWS::SNS::Subscription"} {
			b.Cover(estate.Coverage{Type: typ, State: tt.state, Reason: "r"})
		}
		if _, misses := b.Build(model(t)).Resource("Q").MayMiss(tt.edge); misses != tt.misses {
			t.Errorf("%s, %s: may miss is %v", tt.edge, tt.state, misses)
		}
	}
}

// TestIdentity tells an input from what is made of it.
func TestIdentity(t *testing.T) {
	bare, made := estate.UnknownText("r", "parameter L"), estate.Unknown("r", "parameter L")
	for _, tt := range []struct {
		name string
		a, b *estate.Value
		want estate.Truth
	}{
		{"itself", bare, bare, estate.True},
		{"in_texts", estate.Text(estate.String("a"), bare), estate.Text(estate.String("a"), bare), estate.True},
		{"two_members", made, made, estate.Maybe},
		{"member_and_list", made, bare, estate.Maybe},
		{"denied", estate.Denied("r", "p"), estate.Denied("r", "p"), estate.Maybe},
	} {
		if got := estate.Matches(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %v, expected %v", tt.name, got, tt.want)
		}
	}
}

// TestWithheldParts looks for credentials where they hide.
func TestWithheldParts(t *testing.T) {
	region := estate.UnknownText(estate.ReasonPseudoParameter, "AWS::Region")
	variables := func(name string, v *estate.Value) *estate.Value {
		return estate.Map(estate.Field{Name: "Environment", Value: estate.Map(estate.Field{Name: "Variables", Value: estate.Map(estate.Field{Name: name, Value: v})})})
	}
	choice := estate.OneOf("parameter W", estate.Case{When: "S3cr3tP4ssw0rdA", Value: estate.String("S3cr3tP4ssw0rdA")}, estate.Case{When: "S3cr3tP4ssw0rdB", Value: estate.String("S3cr3tP4ssw0rdB")})
	for _, tt := range []struct {
		name string
		v    *estate.Value
	}{
		{"DB_PASSWORD", estate.Text(estate.String("S3cr3tP4ssw0rd-"), region)},
		{"DB_PASSWORD", choice},
		{"X", estate.Text(estate.String("postgres://admin:S3cr3tP4ss@db/"), region)},
	} {
		b := estate.NewBuilder("s", "cloudformation")
		b.Add(estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F", Properties: variables(tt.name, tt.v)})
		b.Add(estate.Resource{Type: "AWS::SQS::Queue", LogicalID: "Q", Properties: estate.Map(), Exists: estate.OneOf("parameter W", estate.Case{When: "S3cr3tP4ssw0rdA", Value: estate.Bool(true)}, estate.Case{When: "S3cr3tP4ssw0rdB", Value: estate.Bool(false)}), ExistsInput: "c"})
		s := b.Build(model(t))
		var out bytes.Buffer
		if err := estate.NewWriter(&out).Write(s); err != nil {
			t.Fatal(err)
		}
		if tt.name != "X" && strings.Contains(strings.Split(out.String(), `"AWS::SQS::Queue"`)[0], "S3cr3t") || strings.Contains(out.String(), "admin:S3cr3t") {
			t.Errorf("%s: %s", tt.name, out.String())
		}
	}
	// An address is not a credential, whatever it is called.
	b := estate.NewBuilder("s", "cloudformation")
	b.Add(estate.Resource{Type: "AWS::Lambda::Function", LogicalID: "F", Properties: variables("DB_PASSWORD", estate.Text(estate.String("/app/v1234567/"), region, estate.String("/password1")))})
	v := b.Build(model(t)).Resource("F").Properties.Path("Environment.Variables.DB_PASSWORD")
	if v.Items()[0].Kind() != estate.KindString {
		t.Errorf("withheld %s", v)
	}
}

// TestCutOff finds out files that end early, or hold what no file holds.
func TestCutOff(t *testing.T) {
	b := estate.NewBuilder("s", "cloudformation")
	for _, id := range []string{"A", "B"} {
		b.Add(estate.Resource{Type: "AWS::SQS::Queue", LogicalID: id})
	}
	var out bytes.Buffer
	if err := estate.NewWriter(&out).Write(b.Build(model(t))); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(out.String(), "\n")
	for _, tt := range []struct{ name, data, want string }{
		{"resource", strings.Join(lines[:len(lines)-2], ""), "scope s has 1 of 2 resources; the file was cut off"},
		{"text", lines[0] + `{"scope":{"id":"s","format":"x"}}` + "\n" + `{"type":"T","logicalId":"L","properties":{"A":{"$text":[]}}}` + "\n", "$text: expected texts and holes"},
		{"choice", lines[0] + `{"scope":{"id":"s","format":"x"}}` + "\n" + `{"type":"T","logicalId":"L","properties":{"A":{"$oneOf":{"input":"i","cases":[]}}}}` + "\n", "$oneOf: expected cases"},
	} {
		err := estate.Read("f", strings.NewReader(tt.data), func(*estate.Builder) error { return nil })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, expected %q", tt.name, err, tt.want)
		}
	}
}
