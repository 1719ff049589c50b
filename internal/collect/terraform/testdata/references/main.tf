# What refers to what: splats, indexes, modules, conditions, dynamic blocks.
# plan.json: terraform plan -out=p; terraform show -json p > plan.json
# (Terraform 1.11.4, AWS provider 5.100.0).
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "x"
  secret_key                  = "x"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
variable "secret" {
  sensitive = true
  default   = "hunter2"
}
variable "create" { default = true }
locals { q = aws_sqs_queue.q.arn }
resource "aws_sqs_queue" "q" {
  name = "q"
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dlq.arn, maxReceiveCount = 3 })
}
resource "aws_sqs_queue" "dlq" { name_prefix = "dlq" }
resource "aws_s3_bucket" "b" { bucket_prefix = "b" }
data "aws_iam_policy_document" "d" {
  statement {
    sid       = "a"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = [aws_s3_bucket.b.arn, "${aws_s3_bucket.b.arn}/*", "arn:aws:s3:::x"]
    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [aws_sqs_queue.q.arn, "z"]
    }
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.created[0].arn, "123456789012"]
    }
  }
  dynamic "statement" {
    for_each = ["one", "two"]
    content {
      sid       = statement.value
      actions   = ["sqs:*"]
      resources = [aws_sqs_queue.q.arn]
    }
  }
}
data "aws_iam_policy_document" "known" {
  source_policy_documents = [data.aws_iam_policy_document.d.json]
  statement {
    actions   = ["s3:List*"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  managed_policy_arns = [aws_iam_policy.p.arn, "arn:aws:iam::aws:policy/AdministratorAccess"]
  inline_policy {
    name   = "x"
    policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = aws_sqs_queue.q.arn }] })
  }
}
resource "aws_iam_role" "created" {
  count              = var.create ? 1 : 0
  assume_role_policy = data.aws_iam_policy_document.assume.json
}
resource "aws_iam_policy" "p" { policy = data.aws_iam_policy_document.known.json }
resource "aws_iam_policy" "p2" { policy = data.aws_iam_policy_document.d.json }
resource "aws_subnet" "s" {
  count      = 2
  vpc_id     = aws_vpc.v.id
  cidr_block = "10.0.${count.index}.0/24"
}
resource "aws_subnet" "each" {
  for_each   = toset(["a", "b"])
  vpc_id     = aws_vpc.v.id
  cidr_block = each.key == "a" ? "10.0.8.0/24" : "10.0.9.0/24"
}
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_security_group" "sg" {
  vpc_id = aws_vpc.v.id
  ingress {
    from_port       = 1
    to_port         = 2
    protocol        = "tcp"
    security_groups = [aws_security_group.other.id, "sg-123"]
    self = true
  }
  dynamic "ingress" {
    for_each = [1]
    content {
      from_port   = 443
      to_port     = 443
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
}
resource "aws_security_group" "other" {
  vpc_id  = aws_vpc.v.id
  ingress = []
  egress  = []
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = var.create ? aws_iam_role.created[0].arn : "none"
  handler       = "h"
  runtime       = "python3.13"
  filename      = "main.tf"
  layers        = [aws_lambda_layer_version.l.arn, "arn:aws:lambda:us-east-1:1:layer:x:1"]
  environment {
    variables = { A = "a", Q = local.q, S = var.secret }
  }
  vpc_config {
    subnet_ids         = concat(aws_subnet.s[*].id, [for s in aws_subnet.each : s.id])
    security_group_ids = [aws_security_group.sg.id, "sg-9"]
  }
  dynamic "dead_letter_config" {
    for_each = [1]
    content { target_arn = aws_sqs_queue.q.arn }
  }
}
resource "aws_lambda_function" "g" {
  for_each      = aws_subnet.each
  function_name = "g-${each.key}"
  role          = module.m["x"].role_arn
  handler       = "h"
  runtime       = "python3.13"
  filename      = "main.tf"
  vpc_config {
    subnet_ids         = [each.value.id]
    security_group_ids = aws_security_group.sg[*].id
  }
  dynamic "tracing_config" {
    for_each = aws_vpc.v.arn == "x" ? [1] : []
    content { mode = "Active" }
  }
}
resource "aws_lambda_layer_version" "l" {
  layer_name = "l"
  filename   = "main.tf"
}
module "m" {
  for_each = toset(["x", "y"])
  source   = "./mod"
  queue    = aws_sqs_queue.q.arn
  name     = "fn-${each.key}"
  tags     = { a = "b" }
}
resource "aws_lb" "lb" {
  subnets         = [aws_subnet.s[0].id, "subnet-1"]
  security_groups = [aws_security_group.sg.id, "sg-1"]
}
resource "aws_lambda_event_source_mapping" "m" {
  function_name    = aws_lambda_function.f.arn
  event_source_arn = aws_sqs_queue.q.arn
  filter_criteria {
    filter { pattern = jsonencode({ a = [1] }) }
  }
}
resource "aws_lambda_permission" "p" {
  for_each      = aws_lambda_function.g
  function_name = each.value.function_name
  action        = "lambda:InvokeFunction"
  principal     = "s3.amazonaws.com"
  source_arn    = "${aws_s3_bucket.b.arn}"
}
resource "aws_lambda_function_url" "u" {
  function_name      = aws_lambda_function.f.function_name
  authorization_type = "NONE"
  depends_on = [ aws_lambda_permission.p ]
}
resource "terraform_data" "x" {
  input = aws_vpc.v.id
}
