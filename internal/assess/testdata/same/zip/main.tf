# Orders, a function from a zip file.
variable "service" {
  type    = string
  default = "orders"
}

variable "account_id" {
  type    = string
  default = "123456789012"
}

variable "tags" {
  type    = map(string)
  default = {}
}

locals {
  tags = merge({ Owner = format("%s-team", var.service) }, var.tags)
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

resource "aws_iam_role" "this" {
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset([
    "service-role/AWSLambdaBasicExecutionRole",
    "AWSXrayWriteOnlyAccess",
  ])

  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "table" {
  statement {
    actions   = ["dynamodb:GetItem", "dynamodb:Query"]
    resources = ["arn:aws:dynamodb:eu-west-1:${var.account_id}:table/${var.service}"]
  }
}

resource "aws_iam_role_policy" "table" {
  name   = "OrdersRolePolicy0"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.table.json
}

resource "aws_lambda_function" "this" {
  function_name     = var.service
  description       = "Takes ${var.service}"
  role              = aws_iam_role.this.arn
  runtime           = "python3.13"
  handler           = "app.handler"
  s3_bucket         = "artifacts-eu-west-1"
  s3_key            = "${var.service}/1.4.0.zip"
  s3_object_version = "3sL4kqtJlcpXroDTDmJ"
  memory_size       = 512
  timeout           = 10
  tags              = local.tags

  tracing_config {
    mode = "Active"
  }

  environment {
    variables = {
      STAGE     = lookup(var.tags, "Environment", "dev")
      LOG_LEVEL = "info"
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${aws_lambda_function.this.function_name}"
  retention_in_days = 400
}
