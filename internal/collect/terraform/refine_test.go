package terraform_test

import (
	"fmt"
	"strings"
	"testing"

	"assay/internal/collect/terraform"
	"assay/internal/estate"
)

// openExpressions are texts that hang on a variable without value, each in a
// way that a careless evaluator would decide.
var openExpressions = []string{
	`var.v`, `"${var.v}"`, `"a-${var.v}-b"`, `upper(var.v)`, `lower("A${var.v}")`, `title(var.v)`,
	`var.v == "" ? "empty" : "full"`, `var.v != "" ? var.v : "default"`, `var.v == "prod" ? "arn:${var.v}" : "*"`,
	`length(var.v) > 3 ? "long" : "short"`, `tostring(length("x${var.v}"))`, `substr("${var.v}xyz", 0, 2)`,
	`replace(var.v, "o", "0")`, `replace("a${var.v}", "/[a-z]/", "")`, `join(",", split("-", "x-${var.v}"))`,
	`element(split("/", "a/${var.v}"), 1)`, `trimprefix(var.v, "p")`, `trimspace(" ${var.v} ")`, `format("%s", var.v)`,
	`format("%5s", var.v)`, `format("%q", var.v)`, `join("-", ["x", var.v])`, `join(",", compact(["", var.v, "z"]))`,
	`coalesce(var.v, "default")`, `coalesce("", var.v)`, `try(var.v, "x")`, `lookup({ prod = "p", a = "A" }, var.v, "none")`,
	`try({ prod = "p" }[var.v], "none")`, `contains(["prod", "a"], var.v) ? "in" : "out"`, `join(",", distinct([var.v, "a"]))`,
	`join(",", sort(["m", var.v]))`, `join(",", sort(toset(["m", var.v])))`, `tostring(length(toset([var.v, "a"])))`,
	`tostring(length(distinct([var.v, "a"])))`, `tostring(length(setunion([var.v], ["a"])))`, `tostring(length({ (var.v) = 1, a = 2 }))`,
	`join(",", [for x in [var.v, "a"] : x if x != "a"])`, `join(",", [for k, x in { a = var.v } : "${k}${x}"])`,
	`join(",", keys({ (var.v) = 1 }))`, `zipmap(["a", var.v], ["1", "2"])["a"]`, `zipmap(["a", "b"], ["1", var.v])["b"]`, `{ (var.v) = "y", a = "n" }["a"]`, `merge({ a = "1" }, { (var.v) = "2" })["a"]`,
	`tostring(can(tonumber(var.v)))`, `tostring(try(tonumber(var.v), 7))`, `base64encode(var.v)`, `sha256(var.v)`, `md5("x${var.v}")`,
	`jsonencode({ a = var.v })`, `jsonencode([var.v, 1])`, `jsondecode(jsonencode({ a = var.v })).a`, `try(jsondecode(var.v), "bad")`,
	`yamldecode("a: x${var.v}").a`, `tostring(jsonencode({ a = var.v }) == "{\"a\":\"prod\"}")`, `startswith("a${var.v}", "a") ? "y" : "n"`,
	`startswith(var.v, "p") ? "y" : "n"`, `endswith("${var.v}-x", "x") ? "y" : "n"`, `strcontains(var.v, "o") ? "y" : "n"`,
	`can(regex("^p", var.v)) ? "y" : "n"`, `urlencode(var.v)`, `basename("a/${var.v}")`, `dirname("${var.v}/b")`, `strrev("${var.v}x")`,
	`indent(2, "a\n${var.v}")`, `chomp("${var.v}\n")`, `tostring(alltrue([var.v == "a", true]))`, `tostring(anytrue([var.v == "a", true]))`,
	`true || var.v == "a" ? "y" : "n"`, `false && var.v == "a" ? "y" : "n"`, `tostring(index(["prod", "a", "", "*", "arn:x"], var.v))`,
	`one([for x in ["a", "b"] : x if x == var.v])`, `"%{ if var.v == "a" }A%{ else }B%{ endif }"`, `"%{ for c in [var.v, "z"] }${c}%{ endfor }"`,
	`local.by[var.v]`, `try(local.by[var.v], "none")`, `tostring(length(local.list))`, `local.list[0]`, `aws_sqs_queue.q.name`,
	`length(aws_sqs_queue.maybe) > 0 ? "y" : "n"`, `join(",", aws_sqs_queue.maybe[*].name)`, `try(aws_sqs_queue.maybe[0].name, "none")`,
	`join(",", [for q in aws_sqs_queue.each : q.name])`, `module.m.out`, `module.m.fixed`,
}

// TestRefinement gives a variable values that it did not have: what was known
// without them must hold with each.
func TestRefinement(t *testing.T) {
	var text strings.Builder
	text.WriteString(`-- main.tf --
variable "v" { type = string }
locals {
  by   = { prod = "p", a = "A", "" = "E", "*" = "S", "arn:x" = "R" }
  list = var.v == "a" ? ["one"] : ["one", "two"]
}
resource "aws_sqs_queue" "q" { name = "q-${var.v}" }
resource "aws_sqs_queue" "maybe" {
  count = var.v == "a" ? 1 : 0
  name  = "maybe"
}
resource "aws_sqs_queue" "each" {
  for_each = { for x in ["a", "b"] : x => x if x != var.v }
  name     = each.key
}
module "m" {
  source = "./m"
  v      = var.v
}
`)
	for i, e := range openExpressions {
		fmt.Fprintf(&text, "resource \"aws_lambda_function\" \"e%d\" {\n  description = %s\n}\n", i, e)
	}
	text.WriteString("-- m/m.tf --\nvariable \"v\" { type = string }\noutput \"out\" { value = var.v == \"a\" ? \"A\" : var.v }\noutput \"fixed\" { value = \"f\" }\n")
	open := folder(t, text.String(), nil)
	decided := 0
	for _, value := range []string{"", "a", "prod", "*", "arn:x", "12"} {
		variables := terraform.Variables{}
		variables.Set("v", value)
		given := folder(t, text.String(), variables)
		for i, e := range openExpressions {
			name := fmt.Sprintf("aws_lambda_function.e%d", i)
			before, after := open.Resource(name).Properties.Field("Description"), given.Resource(name).Properties.Field("Description")
			if before.Kind() == estate.KindUnknown || after.Kind() == estate.KindUnknown {
				continue // nothing was said, or Terraform itself refuses the value
			}
			decided++
			// An empty description is as good as none.
			if before == nil && after == nil {
				continue
			}
			if after == nil {
				after = estate.String("")
			}
			if before == nil || estate.Matches(before, after) == estate.False {
				t.Errorf("%s: %v without the value, %v with v = %q", e, before, after, value)
			}
		}
	}
	t.Logf("%d values were known and hold", decided)
}
