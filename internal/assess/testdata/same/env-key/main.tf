# A function whose environment is encrypted by a key of its own.
locals {
  name    = "invoices"
  account = "123456789012"
  environment = {
    TABLE    = local.name
    ENDPOINT = "https://${local.host}/v1"
  }
  host = "api.example.com"
}

resource "aws_kms_key" "environment" {
  description         = "Environment of ${local.name}"
  enable_key_rotation = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Function"
        Effect    = "Allow"
        Principal = { AWS = aws_iam_role.invoices.arn }
        Action    = "kms:Decrypt"
        Resource  = "*"
        Condition = {
          StringEquals = { "kms:ViaService" = "lambda.eu-west-1.amazonaws.com" }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "environment" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.environment.key_id
}

resource "aws_iam_role" "invoices" {
  name = local.name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
  managed_policy_arns = ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
}

resource "aws_lambda_function" "invoices" {
  function_name = local.name
  role          = aws_iam_role.invoices.arn
  runtime       = "nodejs22.x"
  handler       = "index.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "${local.name}.zip"
  kms_key_arn   = aws_kms_key.environment.arn

  dynamic "environment" {
    for_each = length(local.environment) > 0 ? [local.environment] : []
    content {
      variables = merge(environment.value, { NODE_OPTIONS = "--enable-source-maps" })
    }
  }
}
