# Pieces that the provider declares apart, and what it does by itself.
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
  region                      = "eu-central-1"
  access_key                  = "x"
  secret_key                  = "x"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  default_tags {
    tags = { owner = "payments" }
  }
}

resource "aws_s3_bucket" "data" {}

resource "aws_s3_bucket" "logs" { bucket = "example-logs" }

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.k.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = "example-logs"
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_logging" "elsewhere" {
  bucket        = "somebody-elses"
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "x/"
}

resource "aws_s3_bucket_notification" "data" {
  bucket = aws_s3_bucket.data.id
  lambda_function {
    lambda_function_arn = aws_lambda_function.f.arn
    events              = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    filter_suffix       = ".csv"
  }
}

resource "aws_kms_key" "k" { enable_key_rotation = true }

resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_policy" "p" {
  name   = "p"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] })
}

resource "aws_iam_policy_attachment" "all" {
  name       = "all"
  roles      = [aws_iam_role.r.name]
  policy_arn = aws_iam_policy.p.arn
}

resource "aws_iam_role_policy_attachment" "basic" {
  role       = aws_iam_role.r.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.r.arn
  handler       = "h"
  runtime       = "python3.13"
  filename      = "main.tf"
  publish       = true
}

resource "aws_lambda_function" "unpublished" {
  function_name = "unpublished"
  role          = aws_iam_role.r.arn
  handler       = "h"
  runtime       = "python3.13"
  filename      = "main.tf"
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.f.function_name
  function_version = aws_lambda_function.f.version
}

resource "aws_lambda_alias" "latest" {
  name             = "latest"
  function_name    = aws_lambda_function.unpublished.function_name
  function_version = aws_lambda_function.unpublished.version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  function_name                     = aws_lambda_function.f.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = 2
}

resource "aws_lambda_permission" "rule" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.nightly.arn
}

resource "aws_cloudwatch_event_rule" "nightly" { schedule_expression = "rate(1 day)" }

resource "aws_cloudwatch_event_target" "f" {
  rule = aws_cloudwatch_event_rule.nightly.name
  arn  = aws_lambda_alias.live.arn
}

resource "aws_api_gateway_rest_api" "api" { name = "api" }

resource "aws_api_gateway_method" "root" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  resource_id   = aws_api_gateway_rest_api.api.root_resource_id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "root" {
  rest_api_id             = aws_api_gateway_rest_api.api.id
  resource_id             = aws_api_gateway_rest_api.api.root_resource_id
  http_method             = aws_api_gateway_method.root.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.f.invoke_arn
}

resource "aws_api_gateway_deployment" "d" { rest_api_id = aws_api_gateway_rest_api.api.id }

resource "aws_api_gateway_stage" "prod" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  deployment_id = aws_api_gateway_deployment.d.id
  stage_name    = "prod"
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"
  settings { logging_level = "ERROR" }
}

resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }

resource "aws_subnet" "s" {
  vpc_id     = aws_vpc.v.id
  cidr_block = "10.0.0.0/24"
}

resource "aws_internet_gateway" "i" { vpc_id = aws_vpc.v.id }

resource "aws_route_table" "t" {
  vpc_id = aws_vpc.v.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.i.id
  }
}

resource "aws_network_acl" "n" {
  vpc_id     = aws_vpc.v.id
  subnet_ids = [aws_subnet.s.id]
  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "tcp"
    cidr_block = "0.0.0.0/0"
    from_port  = 443
    to_port    = 443
  }
}

resource "aws_security_group" "g" { vpc_id = aws_vpc.v.id }

resource "aws_security_group_rule" "in" {
  security_group_id = aws_security_group.g.id
  type              = "ingress"
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_blocks       = ["10.0.0.0/8", "192.168.0.0/16"]
}

resource "aws_security_group_rule" "self" {
  security_group_id = aws_security_group.g.id
  type              = "egress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  self              = true
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.g.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_lb" "lb" {
  internal = true
  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = true
  }
  subnets = [aws_subnet.s.id]
}

resource "aws_lb_target_group" "f" { target_type = "lambda" }

resource "aws_lb_target_group_attachment" "f" {
  target_group_arn = aws_lb_target_group.f.arn
  target_id        = aws_lambda_function.f.arn
}

resource "aws_sqs_queue" "q" {
  policy = data.aws_iam_policy_document.q.json
}

data "aws_iam_policy_document" "base" {
  statement {
    sid       = "same"
    actions   = ["sqs:*"]
    resources = ["*"]
  }
  statement {
    sid       = "kept"
    actions   = ["sqs:ReceiveMessage"]
    resources = ["arn:aws:sqs:*:*:&{aws:username}"]
  }
}

data "aws_iam_policy_document" "q" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  statement {
    sid       = "same"
    actions   = ["sqs:SendMessage"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.r.arn]
    }
  }
}

resource "aws_gamelift_alias" "x" {
  name = "x"
  routing_strategy {
    type    = "TERMINAL"
    message = "m"
  }
}
