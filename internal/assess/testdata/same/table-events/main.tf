# Changes of an encrypted table.
variable "encrypt" {
  type    = bool
  default = true
}

variable "keys" {
  type = object({ hash = string, range = optional(string) })
  default = {
    hash  = "id"
    range = "version"
  }
}

locals {
  types = { id = "S", version = "N" }
}

resource "aws_kms_key" "customers" {
  count = var.encrypt ? 1 : 0

  description             = "Customers"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

resource "aws_dynamodb_table" "customers" {
  name                        = "customers"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.keys.hash
  range_key                   = var.keys.range
  stream_enabled              = true
  stream_view_type            = "NEW_AND_OLD_IMAGES"
  deletion_protection_enabled = true

  dynamic "attribute" {
    for_each = local.types
    iterator = a
    content {
      name = a.key
      type = a.value
    }
  }

  server_side_encryption {
    enabled     = var.encrypt
    kms_key_arn = one(aws_kms_key.customers[*].arn)
  }

  point_in_time_recovery {
    enabled = true
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }
}

resource "aws_iam_role" "index" {
  assume_role_policy = <<JSON
{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
}
JSON
}

resource "aws_iam_role_policy_attachment" "index" {
  for_each   = toset(["AWSLambdaBasicExecutionRole", "AWSLambdaDynamoDBExecutionRole"])
  role       = aws_iam_role.index.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/${each.key}"
}

data "aws_iam_policy_document" "stream" {
  statement {
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [aws_dynamodb_table.customers.stream_arn]
  }
}

resource "aws_iam_role_policy" "index" {
  name   = "IndexRolePolicy0"
  role   = aws_iam_role.index.name
  policy = data.aws_iam_policy_document.stream.json
}

resource "aws_lambda_function" "index" {
  function_name = "index-customers"
  role          = aws_iam_role.index.arn
  runtime       = "ruby3.4"
  handler       = "index.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "index.zip"
}

resource "aws_lambda_event_source_mapping" "changes" {
  function_name     = aws_lambda_function.index.function_name
  event_source_arn  = aws_dynamodb_table.customers.stream_arn
  starting_position = "LATEST"

  filter_criteria {
    filter {
      pattern = jsonencode({ eventName = ["INSERT"] })
    }
  }
}
