package terraform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"assay/internal/collect"
	"assay/internal/collect/terraform"
	"assay/internal/estate"
	"assay/tables"
)

// folder reads the files of a txtar archive as a configuration.
func folder(t testing.TB, archive string, variables terraform.Variables) *estate.Scope {
	t.Helper()
	files := fstest.MapFS{}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	c := terraform.New(terraform.Options{Mapping: tables.Terraform(), ManagedPolicies: tables.IAMManagedPolicies(), Model: model(t), Variables: variables})
	scopes := c.Collect(context.Background(), collect.File{Name: ".", Folder: true, Tree: collect.NewTree(files)})
	if len(scopes) != 1 {
		t.Fatalf("%d scopes", len(scopes))
	}
	return scopes[0].Build(model(t))
}

// TestExpressions evaluates the description of a function, which may be any
// text, and its environment.
func TestExpressions(t *testing.T) {
	const other = `
variable "open" {}
variable "list" { type = list(string) }
variable "flag" { type = bool }
variable "typed" {
  type    = object({ a = string, b = optional(number, 7) })
  default = { a = "x" }
}
variable "secret" {
  default   = "hush"
  sensitive = true
}
locals { nested = { a = [1, { b = "deep" }] } }
resource "aws_sqs_queue" "q" { name = "q" }
resource "aws_sqs_queue" "two" {
  count = 2
  name  = "q${count.index}"
}
resource "aws_sqs_queue" "each" {
  for_each = { a = 1, b = 2 }
  name     = each.key
}
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_vpc" "v" {}
data "aws_iam_policy" "basic" { name = "AWSLambdaBasicExecutionRole" }
data "aws_iam_policy" "own" { name = "AWSLambdaBasicExecution" }
data "aws_iam_policy" "narrowed" {
  name        = "AWSLambdaBasicExecutionRole"
  path_prefix = "/own/"
}
data "aws_iam_policy" "given" { arn = "arn:aws:iam::aws:policy/ReadOnlyAccess" }
`
	for _, tt := range []struct{ expression, want string }{
		{`"plain"`, "plain"},
		{`upper("plain")`, "PLAIN"},
		{`"${aws_sqs_queue.q.arn}/*"`, "${aws_sqs_queue.q.Arn}/*"},
		{`join("-", ["a", aws_sqs_queue.q.arn])`, "a-${aws_sqs_queue.q.Arn}"},
		{`format("%s/%d", aws_sqs_queue.q.arn, 3)`, "${aws_sqs_queue.q.Arn}/3"},
		{`aws_sqs_queue.q.name`, "q"},
		{`aws_sqs_queue.two[1].name`, "q1"},
		{`join(",", aws_sqs_queue.two[*].name)`, "q0,q1"},
		{`join(",", [for q in aws_sqs_queue.two : q.arn])`, "${aws_sqs_queue.two[0].Arn},${aws_sqs_queue.two[1].Arn}"},
		{`aws_sqs_queue.each["b"].name`, "b"},
		{`join(",", keys(aws_sqs_queue.each))`, "a,b"},
		{`jsonencode({ a = aws_sqs_queue.q.arn })`, `{"a":"${aws_sqs_queue.q.Arn}"}`},
		{`jsondecode("{\"a\":\"b\"}").a`, "b"},
		{`local.nested.a[1].b`, "deep"},
		{`var.typed.b`, "7"},
		{`true ? "yes" : aws_sqs_queue.q.arn`, "yes"},
		{`try(local.nested.none, "fallback")`, "fallback"},
		{`can(local.nested.none) ? "a" : "b"`, "b"},
		{`coalesce("", null, "c")`, "c"},
		{`lookup({ a = "b" }, "z", "default")`, "default"},
		{`one(["x"])`, "x"},
		{`element(["x", "y"], 3)`, "y"},
		{`replace("a-b", "/[a-z]-/", "")`, "b"},
		{`cidrsubnet("10.0.0.0/16", 8, 2)`, "10.0.2.0/24"},
		{`cidrhost("10.0.0.0/16", 5)`, "10.0.0.5"},
		{`cidrnetmask("10.0.0.0/20")`, "255.255.240.0"},
		{`join(",", cidrsubnets("10.0.0.0/16", 4, 8))`, "10.0.0.0/20,10.0.16.0/24"},
		{`base64encode("a")`, "YQ=="},
		{`sha256("a")`, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"},
		{`md5("a")`, "0cc175b9c0f1b6a831c399e269772661"},
		{`uuidv5("dns", "example.com")`, "cfbff0d1-9375-5685-968c-48ce8b15ae17"},
		{`sum([1, 2, 3])`, "6"},
		{`index(["a", "b"], "b")`, "1"},
		{`tostring(alltrue([true, false]))`, "false"},
		{`join(",", sort(["b", "a"]))`, "a,b"},
		{`join(",", matchkeys(["x", "y"], ["1", "2"], ["2"]))`, "y"},
		{`join(",", keys(transpose({ a = ["p", "q"] })))`, "p,q"},
		{`timecmp("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")`, "-1"},
		{`formatdate("YYYY", "2026-01-02T00:00:00Z")`, "2026"},
		{`textencodebase64("a", "UTF-16LE")`, "YQA="},
		{`textdecodebase64("YQA=", "UTF-16LE")`, "a"},
		{`strcontains("abc", "b") ? "in" : "out"`, "in"},
		{`trimprefix("abc", "a")`, "bc"},
		{`yamldecode("a: [1, 2]").a[1]`, "2"},
		{`templatefile("t.tpl", { who = "me", items = ["a", "b"] })`, "hello me a b \n"},
		{`templatefile("t.tpl", { who = aws_sqs_queue.q.arn, items = [] })`, "hello ${aws_sqs_queue.q.Arn} \n"},
		{`file("${path.module}/t.txt")`, "text\n"},
		{`filesha256("t.txt")`, "b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733"},
		{`join(",", fileset(path.module, "*.t*"))`, "main.tf,t.tpl,t.txt"},
		{`basename("a/b.c")`, "b.c"},
		{`data.aws_caller_identity.me.account_id`, "unknown(pseudo parameter: AWS::AccountId)"},
		{`"arn:aws:s3:::${data.aws_region.here.name}"`, "arn:aws:s3:::eu-west-1"},
		{`var.open`, "unknown(variable without value: variable open)"},
		{`"${var.open}-x"`, "${variable open}-x"},
		{`upper(var.open)`, "unknown(variable without value: variable open)"},
		{`var.open == "a" ? "one" : "two"`, "unknown(variable without value: variable open)"},
		{`var.open != null ? "one" : "two"`, "one"},
		{`var.flag ? "one" : "two"`, "unknown(variable without value: variable flag)"},
		{`join(",", var.list)`, "unknown(variable without value: variable list)"},
		{`length("${var.open}x") > 3 ? "one" : "two"`, "unknown(variable without value: variable open)"},
		{`substr(aws_sqs_queue.q.arn, 0, 3)`, "unknown(known after apply: aws_sqs_queue.q.arn)"},
		{`aws_sqs_queue.q.arn == "x" ? "one" : "two"`, "unknown(known after apply: aws_sqs_queue.q.arn)"},
		{`try(jsondecode(var.open).a, "default")`, "unknown(variable without value: variable open)"},
		{`try({ a = "x" }[var.open], "default")`, "unknown(variable without value: variable open)"},
		{`try(var.open + 1, "default")`, "unknown(variable without value: variable open)"},
		{`try(var.open ? "a" : "b", "default")`, "unknown(variable without value: variable open)"},
		{`try(!var.open, "default")`, "unknown(variable without value: variable open)"},
		{`{ a = "x" }[var.open]`, "unknown(variable without value: variable open)"},
		{`data.aws_vpc.v.cidr_block`, "unknown(data source is read at deployment: data.aws_vpc.v.cidr_block)"},
		{`data.aws_vpc.v.tags["a"]`, "unknown(data source is read at deployment: data.aws_vpc.v.tags)"},
		{`data.aws_iam_policy.basic.arn`, "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
		{`data.aws_iam_policy.own.arn`, "unknown(data source is read at deployment: data.aws_iam_policy.own.arn)"},
		{`data.aws_iam_policy.narrowed.arn`, "unknown(data source is read at deployment: data.aws_iam_policy.narrowed.arn)"},
		{`data.aws_iam_policy.given.arn`, "arn:aws:iam::aws:policy/ReadOnlyAccess"},
		{`timestamp()`, "unknown(function is computed at deployment: timestamp)"},
		{`provider::aws::trim_iam_role_path("x")`, "unknown(function is computed at deployment: provider::aws::trim_iam_role_path)"},
		{`terraform.workspace`, "unknown(workspace is not known: terraform.workspace)"},
		{`var.secret`, "secret(variable secret is sensitive)"},
		{`"x${var.secret}"`, "secret(variable secret is sensitive)"},
		{`nonsensitive(var.secret)`, "hush"},
		{`ephemeral.aws_secretsmanager_secret_version.s.secret_string`, "secret(an ephemeral value)"},
		{`sensitive("x")`, "secret(marked sensitive in the configuration)"},
	} {
		t.Run(tt.expression, func(t *testing.T) {
			s := folder(t, other+`-- main.tf --`+other+`
provider "aws" { region = "eu-west-1" }
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = "arn:aws:iam::123456789012:role/r"
  description   = `+tt.expression+`
}
-- t.tpl --
hello ${who} %{ for i in items }${i} %{ endfor }
-- t.txt --
text
`, nil)
			for _, p := range s.Problems() {
				t.Errorf("%s", p.Error())
			}
			v := s.Resource("aws_lambda_function.f").Properties.Field("Description")
			got := v.String()
			switch v.Kind() {
			case estate.KindUnknown:
				got = "unknown(" + v.Gap().String() + ")"
			case estate.KindSecret:
				got = "secret(" + v.Why() + ")"
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTerraformAgrees compares the values of expressions with what Terraform
// 1.11.4 makes of them: outputs of jsonencode(EXPRESSION) in a plan.
func TestTerraformAgrees(t *testing.T) {
	data, err := os.ReadFile("testdata/expressions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	want := map[string]string{}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		var e struct{ Expression, Terraform string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "resource \"aws_lambda_function\" \"e%d\" {\n  description = try(jsonencode(%s), \"ERROR\")\n}\n", i, e.Expression)
		want[fmt.Sprintf("aws_lambda_function.e%d", i)] = e.Expression + " is " + e.Terraform
	}
	s := folder(t, "-- main.tf --\n"+text.String(), nil)
	for _, p := range s.Problems() {
		t.Errorf("%s", p.Error())
	}
	got := map[string]string{}
	for name, expected := range want {
		expression, _, _ := strings.Cut(expected, " is ")
		got[name] = expression + " is " + s.Resource(name).Properties.Field("Description").AsString()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestConfigurations reads whole configurations, of which the archives hold
// what is expected as well.
func TestConfigurations(t *testing.T) {
	archives, err := filepath.Glob("testdata/hcl/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no configurations in testdata/hcl")
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			archive := txtar.Parse(data)
			got := describe(folder(t, string(data), nil))
			last := len(archive.Files) - 1
			if *update {
				if archive.Files[last].Name == "want" {
					archive.Files = archive.Files[:last]
				}
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: got})
				if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if archive.Files[last].Name != "want" {
				t.Fatal("the archive does not end in a file named want; -update writes it")
			}
			if diff := cmp.Diff(string(archive.Files[last].Data), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRefusals holds what would read too far or too much to a clear message.
func TestRefusals(t *testing.T) {
	function := func(expression string) string {
		return "-- main.tf --\nresource \"aws_lambda_function\" \"f\" {\n  description = " + expression + "\n}\n"
	}
	for _, tt := range []struct{ name, archive, want string }{
		{"absolute", function(`file("/etc/passwd")`), "main.tf:2:23: Invalid function argument: Invalid value for \"path\" parameter: /etc/passwd cannot be read: it lies outside of the folder that is read"},
		{"upwards", function(`file("../../etc/passwd")`), "it lies outside of the folder that is read"},
		{"template", function(`templatefile("../x", {})`), "it lies outside of the folder that is read"},
		{"fileset", function(`join("", fileset("..", "*"))`), "it lies outside of the folder that is read"},
		{"digest", function(`filemd5("../x")`), "it lies outside of the folder that is read"},
		{"exists", function(`fileexists("../x") ? "a" : "b"`), "it lies outside of the folder that is read"},
		{"module", "-- main.tf --\nmodule \"m\" {\n  source = \"../m\"\n}\n", "main.tf:1:1: module m in ../m cannot be read: it lies outside of the folder that is read"},
		{"itself", "-- main.tf --\nmodule \"m\" {\n  source = \"./\"\n}\n", "the module includes itself"},
		{"circle", "-- main.tf --\nmodule \"m\" {\n  source = \"./a\"\n}\n-- a/a.tf --\nmodule \"n\" {\n  source = \"../b\"\n}\n-- b/b.tf --\nmodule \"m\" {\n  source = \"../a\"\n}\n", "the module includes itself"},
		{"no_module", "-- main.tf --\nmodule \"m\" {\n  source = \"./none\"\n}\n", "module m in none cannot be read: it does not exist"},
		{"million", "-- main.tf --\nresource \"aws_sqs_queue\" \"q\" {\n  for_each = toset([for p in setproduct(range(0, 300), range(0, 300)) : \"${p[0]}-${p[1]}\"])\n}\n", "the product has more than 20000 members"},
		{"product", function(`join("", [for p in setproduct(range(0, 1000), range(0, 1000)) : "x"])`), "the product has more than 20000 members"},
		{"many", "-- main.tf --\nmodule \"m\" {\n  source = \"./m\"\n  count  = 300\n}\n-- m/m.tf --\nresource \"aws_sqs_queue\" \"q\" {\n  count = 300\n}\n", "instances are more than the 50000 that are read of one configuration"},
		{"count", "-- main.tf --\nresource \"aws_sqs_queue\" \"q\" {\n  count = 1000000\n}\n", "more than the 50000"},
		{"loops", function(`join("", flatten([for a in range(0, 1024) : [for b in range(0, 1024) : [for c in range(0, 1024) : "x"]]]))`), "for expressions turn more than 1000000 times"},
		{"doubling", "-- main.tf --\nlocals {\n  a0 = \"0123456789abcdef\"\n" + doubling(40) + "}\n" + strings.TrimPrefix(function("local.a40"), "-- main.tf --\n"), "is larger than 1 MB"},
		{"width", function(`format("%999999999s", "x")`), "the width in %999999999s is more than 1000"},
		{"template_itself", function(`templatefile("t", {})`) + "-- t --\n${templatefile(\"t\", {})}\n", "templates fill each other in more than 16 deep"},
		{"local_circle", "-- main.tf --\nlocals {\n  a = local.b\n  b = local.a\n}\n" + strings.TrimPrefix(function("local.a"), "-- main.tf --\n"), "local.a depends on itself"},
		{"resource_circle", "-- main.tf --\nresource \"aws_sqs_queue\" \"a\" {\n  name = aws_sqs_queue.b.arn\n}\nresource \"aws_sqs_queue\" \"b\" {\n  name = aws_sqs_queue.a.arn\n}\n", "depends on itself"},
		{"nesting", function(strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000)), "brackets are nested more than 500 deep"},
		{"operators", function(strings.Repeat("!", 200_000) + "true"), "brackets are nested more than 500 deep"},
		{"syntax", "-- main.tf --\nresource \"aws_sqs_queue\" {\n", "main.tf:1:"},
		{"undeclared", function("var.none"), "main.tf:2:20: Unsupported attribute"},
		{"unknown_function", function("nonsense(1)"), "main.tf:2:17: Call to unknown function"},
		{"twice", "-- main.tf --\nresource \"aws_sqs_queue\" \"a\" {}\nresource \"aws_sqs_queue\" \"a\" {}\n", "main.tf:2:1: resource aws_sqs_queue.a is declared twice; the first is at main.tf:1:1"},
		{"wrong_type", "-- main.tf --\nvariable \"n\" {\n  type    = number\n  default = \"x\"\n}\n" + strings.TrimPrefix(function("var.n"), "-- main.tf --\n"), "main.tf:3:3: variable n: a number is required; expected number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := folder(t, tt.archive, nil).Problems()
			for _, p := range found {
				if strings.Contains(p.Error(), tt.want) {
					return
				}
			}
			t.Errorf("expected a problem %q, got %.600v", tt.want, found)
		})
	}
}

func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  a%d = \"${local.a%d}${local.a%d}\"\n", i+1, i, i)
	}
	return b.String()
}

// TestSymbolicLinks holds links to the folder that is read.
func TestSymbolicLinks(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret.txt"), "secret")
	inside := t.TempDir()
	write(t, filepath.Join(inside, "main.tf"), `
resource "aws_lambda_function" "out" { description = file("out.txt") }
resource "aws_lambda_function" "loop" { description = file("loop.txt") }
module "m" { source = "./linked" }
`)
	link(t, filepath.Join(outside, "secret.txt"), filepath.Join(inside, "out.txt"))
	link(t, "loop.txt", filepath.Join(inside, "loop.txt"))
	link(t, ".", filepath.Join(inside, "linked"))
	found, err := collect.Find([]string{inside})
	if err != nil || len(found) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	f, err := found[0].Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := terraform.New(terraform.Options{Mapping: tables.Terraform()}).Collect(context.Background(), f)[0].Build(model(t))
	var got []string
	for _, p := range s.Problems() {
		got = append(got, p.Error())
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{"out.txt cannot be read: it lies outside", "loop.txt cannot be read", "cannot be read: too many levels of symbolic links"} {
		if !strings.Contains(all, want) {
			t.Errorf("no problem %q in\n%s", want, all)
		}
	}
	if strings.Contains(string(describe(s)), "secret") {
		t.Error("what a link leads to was read")
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

func FuzzConfiguration(f *testing.F) {
	f.Add("resource \"aws_lambda_function\" \"f\" {\n  count = 2\n  timeout = count.index\n}", "v", "${v}")
	f.Add("locals { a = [for x in range(3) : x if x != 1] }\nresource \"aws_sqs_queue\" \"q\" {\n  for_each = toset(local.a)\n  name = each.key\n}", "", "")
	f.Add("module \"m\" { source = \"./m\" }\nvariable \"x\" { type = map(object({ a = optional(string) })) }", "x = { a = {} }", "output \"o\" { value = 1 }")
	f.Add("data \"aws_iam_policy_document\" \"d\" {\n  dynamic \"statement\" {\n    for_each = var.x\n    content { actions = [statement.value] }\n  }\n}\nvariable \"x\" {}\nresource \"aws_iam_policy\" \"p\" { policy = data.aws_iam_policy_document.d.json }", "x = [\"a\"]", "")
	m := model(f)
	f.Fuzz(func(t *testing.T, main, vars, module string) {
		files := fstest.MapFS{
			"main.tf": {Data: []byte(main)}, "terraform.tfvars": {Data: []byte(vars)}, "m/m.tf": {Data: []byte(module)}, "t.tpl": {Data: []byte(module)},
		}
		c := terraform.New(terraform.Options{Mapping: tables.Terraform(), Model: m})
		for _, b := range c.Collect(context.Background(), collect.File{Name: ".", Folder: true, Tree: collect.NewTree(files)}) {
			b.Build(m)
		}
	})
}

// BenchmarkConfiguration reads configurations of one resource for each
// function and one for its role.
func BenchmarkConfiguration(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			files := fstest.MapFS{}
			for i := range n {
				name := fmt.Sprintf("f%d.tf", i/1000) // files are bounded
				if files[name] == nil {
					files[name] = &fstest.MapFile{}
				}
				files[name].Data = fmt.Appendf(files[name].Data, `
resource "aws_iam_role" "r%[1]d" {
  name               = "r%[1]d"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
resource "aws_lambda_function" "f%[1]d" {
  function_name = "f%[1]d"
  role          = aws_iam_role.r%[1]d.arn
  environment {
    variables = { ROLE = aws_iam_role.r%[1]d.name }
  }
}
`, i)
			}
			c := terraform.New(terraform.Options{Mapping: tables.Terraform()})
			f := collect.File{Name: ".", Folder: true, Tree: collect.NewTree(files)}
			b.ReportAllocs()
			for b.Loop() {
				c.Collect(context.Background(), f)
			}
		})
	}
}

// TestWaivers reads what comments say of accepted failures.
func TestWaivers(t *testing.T) {
	s := folder(t, `
-- main.tf --
# assay: waive AT-NO-RESOURCE
variable "x" { default = "# assay: waive IN-A-TEXT" }

// assay: waive ABOVE because
# and more
resource "aws_sqs_queue" "q" {
  count = 2
  name  = "q${count.index}" # assay: waive WITHIN
}
module "m" {
  source = "./m" # assay: waive AT-A-CALL
}
-- m/main.tf --
resource "aws_sqs_queue" "q" {
  /* assay: waive
     INNER because */
  name = "m"
}
`, nil)
	var got []string
	for _, w := range s.Waivers() {
		got = append(got, fmt.Sprintf("%s %s %s", w.Position, w.Resource, w.Text))
	}
	want := []string{
		"m/main.tf:2:3 module.m.aws_sqs_queue.q INNER because",
		"main.tf:1:1  AT-NO-RESOURCE",
		"main.tf:4:1 aws_sqs_queue.q[0] ABOVE because",
		"main.tf:4:1 aws_sqs_queue.q[1] ABOVE because",
		"main.tf:8:29 aws_sqs_queue.q[0] WITHIN",
		"main.tf:8:29 aws_sqs_queue.q[1] WITHIN",
		"main.tf:11:18  AT-A-CALL",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
