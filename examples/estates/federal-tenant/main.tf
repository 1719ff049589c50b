# A tenant of an agency: takes applications for permits and screens them.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-gov-west-1"
}

variable "boundary_arn" {
  description = "ARN of the permissions boundary of the agency"
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets that the network team gives"
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group that the network team gives"
  type        = string
}

locals {
  account = "123456789012"
  tags = {
    Owner              = "permits"
    Environment        = "prod"
    DataClassification = "cui"
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "key" {
  statement {
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws-us-gov:iam::${local.account}:root"]
    }
  }
  statement {
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.us-gov-west-1.amazonaws.com"]
    }
  }
}

resource "aws_kms_key" "permits" {
  description         = "Permits"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}

# Fault: this one is never rotated.
resource "aws_kms_key" "archive" {
  description         = "Archive of permits"
  enable_key_rotation = false
  policy              = data.aws_iam_policy_document.key.json
}

resource "aws_signer_signing_profile" "permits" {
  platform_id = "AWSLambda-SHA384-ECDSA"
}

resource "aws_lambda_code_signing_config" "permits" {
  allowed_publishers {
    signing_profile_version_arns = [aws_signer_signing_profile.permits.version_arn]
  }
  policies {
    untrusted_artifact_on_deployment = "Enforce"
  }
}

# Takes applications from the queue of the agency's gateway.
resource "aws_iam_role" "take" {
  name                 = "permits-take"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.boundary_arn
  tags                 = local.tags
}

resource "aws_iam_role_policy" "take" {
  name = "take"
  role = aws_iam_role.take.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], Resource = aws_sqs_queue.applications.arn },
      { Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = aws_dynamodb_table.permits.arn },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = aws_kms_key.permits.arn },
      { Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.take.arn}:*" },
      { Effect = "Allow", Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource = "*" },
      { Effect = "Allow", Action = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"], Resource = "*" },
    ]
  })
}

resource "aws_cloudwatch_log_group" "take" {
  name              = "/aws/lambda/permits-take"
  retention_in_days = 1096
  kms_key_id        = aws_kms_key.permits.arn
}

resource "aws_lambda_function" "take" {
  function_name                  = "permits-take"
  role                           = aws_iam_role.take.arn
  filename                       = "take.zip"
  handler                        = "app.handler"
  runtime                        = "python3.13"
  timeout                        = 30
  publish                        = true
  reserved_concurrent_executions = 20
  code_signing_config_arn        = aws_lambda_code_signing_config.permits.arn
  kms_key_arn                    = aws_kms_key.permits.arn
  tags                           = local.tags

  environment {
    variables = {
      AWS_USE_FIPS_ENDPOINT = "true"
      TABLE                 = aws_dynamodb_table.permits.name
    }
  }
  tracing_config {
    mode = "Active"
  }
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.take.name
  }
  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_id]
  }
}

resource "aws_lambda_event_source_mapping" "applications" {
  function_name    = aws_lambda_function.take.arn
  event_source_arn = aws_sqs_queue.applications.arn
  batch_size       = 10
}

# Screens them. Fault: its calls go to endpoints of AWS without FIPS, and its
# packages are taken unsigned.
resource "aws_iam_role" "screen" {
  name                 = "permits-screen"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.boundary_arn
  tags                 = local.tags
}

resource "aws_iam_role_policy" "screen" {
  name = "screen"
  role = aws_iam_role.screen.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:UpdateItem"], Resource = aws_dynamodb_table.permits.arn },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = aws_kms_key.permits.arn },
      { Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.screen.arn}:*" },
      { Effect = "Allow", Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource = "*" },
      { Effect = "Allow", Action = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"], Resource = "*" },
    ]
  })
}

resource "aws_cloudwatch_log_group" "screen" {
  name              = "/aws/lambda/permits-screen"
  retention_in_days = 1096
  kms_key_id        = aws_kms_key.permits.arn
}

resource "aws_lambda_function" "screen" {
  function_name                  = "permits-screen"
  role                           = aws_iam_role.screen.arn
  filename                       = "screen.zip"
  handler                        = "app.handler"
  runtime                        = "python3.13"
  timeout                        = 60
  publish                        = true
  reserved_concurrent_executions = 20
  kms_key_arn                    = aws_kms_key.permits.arn
  tags                           = local.tags

  environment {
    variables = {
      TABLE = aws_dynamodb_table.permits.name
    }
  }
  tracing_config {
    mode = "Active"
  }
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.screen.name
  }
  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_id]
  }
}

# Puts what is decided into the archive.
resource "aws_iam_role" "archive" {
  name                 = "permits-archive"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.boundary_arn
  tags                 = local.tags
}

resource "aws_iam_role_policy" "archive" {
  name = "archive"
  role = aws_iam_role.archive.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["dynamodb:GetItem"], Resource = aws_dynamodb_table.permits.arn },
      { Effect = "Allow", Action = ["s3:PutObject"], Resource = "arn:aws-us-gov:s3:::permits-archive-${local.account}/*" },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [aws_kms_key.permits.arn, aws_kms_key.archive.arn] },
      { Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.archive.arn}:*" },
      { Effect = "Allow", Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource = "*" },
      { Effect = "Allow", Action = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"], Resource = "*" },
    ]
  })
}

resource "aws_cloudwatch_log_group" "archive" {
  name              = "/aws/lambda/permits-archive"
  retention_in_days = 1096
  kms_key_id        = aws_kms_key.permits.arn
}

resource "aws_lambda_function" "archive" {
  function_name                  = "permits-archive"
  role                           = aws_iam_role.archive.arn
  filename                       = "archive.zip"
  handler                        = "app.handler"
  runtime                        = "python3.13"
  timeout                        = 60
  publish                        = true
  reserved_concurrent_executions = 5
  code_signing_config_arn        = aws_lambda_code_signing_config.permits.arn
  kms_key_arn                    = aws_kms_key.archive.arn
  tags                           = local.tags

  environment {
    variables = {
      AWS_USE_FIPS_ENDPOINT = "true"
      BUCKET                = "permits-archive-${local.account}"
    }
  }
  tracing_config {
    mode = "Active"
  }
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.archive.name
  }
  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_id]
  }
}

resource "aws_dynamodb_table" "permits" {
  name                        = "permits"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "id"
  deletion_protection_enabled = true

  attribute {
    name = "id"
    type = "S"
  }
  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.permits.arn
  }
  point_in_time_recovery {
    enabled = true
  }
}

resource "aws_sqs_queue" "applications" {
  name                       = "applications"
  kms_master_key_id          = aws_kms_key.permits.arn
  visibility_timeout_seconds = 180
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.refused.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "refused" {
  name                      = "applications-refused"
  kms_master_key_id         = aws_kms_key.permits.arn
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_policy" "applications" {
  queue_url = aws_sqs_queue.applications.id
  policy    = data.aws_iam_policy_document.tls.json
}

resource "aws_sqs_queue_policy" "refused" {
  queue_url = aws_sqs_queue.refused.id
  policy    = data.aws_iam_policy_document.tls.json
}

data "aws_iam_policy_document" "tls" {
  statement {
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = ["*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
