package sam_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"assay/internal/collect/cloudformation/sam"
	"assay/internal/estate"
)

var update = flag.Bool("update", false, "rewrite what the cases in testdata want")

// policyTemplates is one template in the form of AWS's list.
const policyTemplates = `{"SQSPollerPolicy": {"parameters": ["QueueName"], "definition": {"Statement": [{
	"Effect": "Allow", "Action": ["sqs:ReceiveMessage"],
	"Resource": {"Fn::Sub": ["arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${queue}", {"queue": {"Ref": "QueueName"}}]}}]}}}`

func input(resources []estate.Resource) sam.Input {
	return sam.Input{
		Resources: resources, PolicyTemplates: []byte(policyTemplates),
		Region: estate.String("us-east-1"), Partition: estate.String("aws"), URLSuffix: estate.String("amazonaws.com"),
		AccountID: estate.Unknown("known at deployment", "AWS::AccountId"),
		StackName: estate.Unknown("known at deployment", "AWS::StackName"),
		StackID:   estate.Unknown("known at deployment", "AWS::StackId"),
	}
}

// read turns {"Id": {"Type", "Properties", "Exists", "ExistsInput"}} into
// resources. Every resource stands on a line of its own.
func read(data []byte) ([]estate.Resource, error) {
	var raw map[string]struct {
		Type        string
		Properties  *estate.Value
		Exists      *estate.Value
		ExistsInput string
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	var resources []estate.Resource
	for id, r := range raw {
		resources = append(resources, estate.Resource{
			Type: r.Type, LogicalID: id, Properties: r.Properties, Exists: r.Exists, ExistsInput: r.ExistsInput,
		})
	}
	slices.SortFunc(resources, func(a, b estate.Resource) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	for i := range resources {
		resources[i].Source = estate.Position{File: "template.yaml", Line: i + 1, Column: 1}
	}
	return resources, nil
}

// render writes what the transform made, a resource a line.
func render(out sam.Output) string {
	var lines []string
	for _, r := range out.Resources {
		line := r.LogicalID + " " + r.Type + " "
		if r.Exists != nil {
			line += "[" + r.ExistsInput + ": " + r.Exists.String() + "] "
		}
		lines = append(lines, line+string(r.Properties.AppendJSON(nil)))
	}
	slices.Sort(lines)
	for _, c := range out.Coverage {
		lines = append(lines, "partial "+c.Type+": "+c.Reason)
	}
	for _, p := range out.Problems {
		lines = append(lines, "problem "+p.Message)
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestTransform runs the cases in testdata: resources in, resources out.
func TestTransform(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			resources, err := read(archive.Files[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			got := render(sam.Transform(input(resources)))
			if *update {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(archive.Files[1].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			// The order of the template and of maps does not show.
			slices.Reverse(resources)
			for range 3 {
				if again := render(sam.Transform(input(resources))); again != got {
					t.Fatalf("differs in another order:\n%s\nfirst:\n%s", again, got)
				}
			}
		})
	}
}

// TestPositions holds every generated resource and value to the line that a
// person would edit.
func TestPositions(t *testing.T) {
	at := func(line int) estate.Position { return estate.Position{File: "t.yaml", Line: line, Column: 3} }
	object := func(line int, pairs ...any) *estate.Value {
		var fields []estate.Field
		for i := 0; i < len(pairs); i += 2 {
			fields = append(fields, estate.Field{Name: pairs[i].(string), Value: pairs[i+1].(*estate.Value)})
		}
		return estate.Map(fields...).At(at(line))
	}
	text := func(line int, s string) *estate.Value { return estate.String(s).At(at(line)) }
	out := sam.Transform(input([]estate.Resource{{
		Type: "AWS::Serverless::Function", LogicalID: "Pay", Source: at(1),
		Properties: object(2, "CodeUri", text(3, "s3://a/b"), "Tracing", text(4, "Active"),
			"Policies", estate.List(text(6, "AmazonS3FullAccess")).At(at(5)),
			"Events", object(7, "Order", object(8, "Type", text(9, "SNS"), "Properties", object(10, "Topic", text(11, "arn:t"))))),
	}}))
	byID := map[string]estate.Resource{}
	for _, r := range out.Resources {
		byID[r.LogicalID] = r
		if r.Address != "Pay" {
			t.Errorf("%s has the address %q, want Pay", r.LogicalID, r.Address)
		}
		r.Properties.EachAt(func(path string, v *estate.Value) bool {
			if v.Kind() != estate.KindAbsent && v.Position().IsZero() {
				t.Errorf("%s%s has no position", r.LogicalID, path)
			}
			return v.Kind() != estate.KindText
		})
	}
	for id, want := range map[string]int{"Pay": 1, "PayRole": 1, "PayOrder": 8, "PayOrderPermission": 8} {
		if got := byID[id].Source.Line; got != want {
			t.Errorf("%s points at line %d, want %d", id, got, want)
		}
	}
	managed := byID["PayRole"].Properties.Field("ManagedPolicyArns").Items()
	for i, want := range []int{1, 4, 6} {
		if got := managed[i].Position().Line; got != want {
			t.Errorf("managed policy %d points at line %d, want %d", i, got, want)
		}
	}
	if got := byID["PayOrder"].Properties.Field("TopicArn").Position().Line; got != 11 {
		t.Errorf("TopicArn points at line %d, want 11", got)
	}
	for id, want := range map[string]string{"Pay": "", "PayRole": "SAM transform"} {
		if got := byID[id].Generated; got != want {
			t.Errorf("%s is generated by %q, want %q", id, got, want)
		}
	}
}

// TestGlobals holds the rules by which Globals and resources merge.
func TestGlobals(t *testing.T) {
	parse := func(s string) *estate.Value {
		var v estate.Value
		if err := v.UnmarshalJSON([]byte(s)); err != nil {
			t.Fatal(err)
		}
		return &v
	}
	in := input([]estate.Resource{
		{Type: "AWS::Serverless::Function", LogicalID: "F", Properties: parse(`{"Layers": ["own"], "Timeout": 3, "VpcConfig": null,
			"Environment": {"Variables": {"B": "own", "C": "own"}}}`)},
		{Type: "AWS::Serverless::Function", LogicalID: "G", Properties: parse(`{}`)},
	})
	in.Globals = parse(`{"Function": {"Layers": ["global"], "Timeout": 9, "VpcConfig": {"SubnetIds": ["s"]}, "MemorySize": 512,
		"Environment": {"Variables": {"A": "global", "B": "global"}}, "Events": {}}, "Teapot": {}}`)
	in.IgnoreGlobals = map[string]*estate.Value{"G": estate.String("*")}
	out := sam.Transform(in)
	want := `{"Environment":{"Variables":{"A":"global","B":"own","C":"own"}},"Layers":["global","own"],"MemorySize":512,"Timeout":3}`
	for _, r := range out.Resources {
		got := r.Properties
		for _, name := range []string{"Code", "Role", "Tags"} {
			got = got.With(name, nil)
		}
		switch r.LogicalID {
		case "F":
			if s := string(got.AppendJSON(nil)); s != want {
				t.Errorf("got  %s\nwant %s", s, want)
			}
		case "G":
			if s := string(got.AppendJSON(nil)); s != "{}" {
				t.Errorf("a function that ignores Globals has %s", s)
			}
		}
	}
	if len(out.Problems) != 2 {
		t.Errorf("got %d problems, want one for Teapot and one for Function.Events: %v", len(out.Problems), out.Problems)
	}
}

// TestNothingToDo passes a template without SAM resources through.
func TestNothingToDo(t *testing.T) {
	in := input([]estate.Resource{{Type: "AWS::S3::Bucket", LogicalID: "B", Properties: estate.Map()}})
	if out := sam.Transform(in); len(out.Resources) != 1 || len(out.Coverage) != 0 {
		t.Errorf("got %v", out)
	}
}

// FuzzTransform holds the transform to any properties at all: no panic, and
// the same bytes twice.
func FuzzTransform(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		if archive, err := txtar.ParseFile(file); err == nil {
			f.Add(archive.Files[0].Data, []byte(`{"Function": {"Timeout": 3}}`))
		}
	}
	f.Fuzz(func(t *testing.T, data, globals []byte) {
		resources, err := read(data)
		if err != nil {
			return
		}
		in := input(resources)
		var g estate.Value
		if g.UnmarshalJSON(globals) == nil {
			in.Globals = &g
		}
		first := render(sam.Transform(in))
		if second := render(sam.Transform(in)); first != second {
			t.Errorf("two runs differ:\n%s\n%s", first, second)
		}
	})
}

// FuzzShapes puts any value in the place of any property of every case, so
// that forms that AWS refuses are met everywhere.
func FuzzShapes(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	var bases [][]byte
	for _, file := range files {
		if archive, err := txtar.ParseFile(file); err == nil {
			bases = append(bases, archive.Files[0].Data)
		}
	}
	for i := range bases {
		for _, odd := range []string{`null`, `"x"`, `[]`, `{"a": {}}`, `7`, `{"$unknown": {"reason": "r", "input": "i"}}`} {
			f.Add(i, i*7, []byte(odd))
		}
	}
	f.Fuzz(func(t *testing.T, base, place int, odd []byte) {
		var v estate.Value
		if len(bases) == 0 || v.UnmarshalJSON(odd) != nil {
			return
		}
		resources, err := read(bytes.Clone(bases[abs(base)%len(bases)]))
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, r := range resources {
			r.Properties.Each(func(*estate.Value) bool { count++; return true })
		}
		at := abs(place) % max(count, 1)
		for i := range resources {
			resources[i].Properties = resources[i].Properties.Rewrite(func(p *estate.Value) *estate.Value {
				at--
				if at == -1 {
					return &v
				}
				return p
			})
		}
		sam.Transform(input(resources))
	})
}

func abs(i int) int {
	if i < 0 {
		return -(i + 1)
	}
	return i
}

// BenchmarkTransform shows that the cost grows with the size of the template
// and not faster: every function has a role, a queue and a route.
func BenchmarkTransform(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var resources []estate.Resource
			for i := range n {
				var p estate.Value
				id := "F" + strconv.Itoa(i)
				if err := p.UnmarshalJSON([]byte(`{"CodeUri": "s3://a/b", "Policies": ["AmazonS3ReadOnlyAccess"], "Events": {
					"Q": {"Type": "SQS", "Properties": {"Queue": "arn:q"}},
					"A": {"Type": "Api", "Properties": {"Path": "/` + id + `", "Method": "get"}}}}`)); err != nil {
					b.Fatal(err)
				}
				resources = append(resources, estate.Resource{Type: "AWS::Serverless::Function", LogicalID: id, Properties: &p})
			}
			b.ReportAllocs()
			for b.Loop() {
				sam.Transform(input(resources))
			}
		})
	}
}
