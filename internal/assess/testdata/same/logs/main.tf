# Logs in a group of the team's own, encrypted and passed on.
locals {
  group = "/teams/claims"
}

data "aws_iam_policy_document" "account" {
  statement {
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:root"]
    }
  }
}

data "aws_iam_policy_document" "key" {
  source_policy_documents = [data.aws_iam_policy_document.account.json]

  statement {
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.eu-west-1.amazonaws.com"]
    }
    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:aws:logs:eu-west-1:123456789012:log-group:/teams/*"]
    }
  }
}

resource "aws_kms_key" "logs" {
  description         = "Logs"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}

resource "aws_cloudwatch_log_group" "claims" {
  name              = local.group
  retention_in_days = 2192
  kms_key_id        = aws_kms_key.logs.arn
}

resource "aws_lambda_function" "claims" {
  function_name = "claims"
  role          = "arn:aws:iam::123456789012:role/claims"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "claims.zip"

  logging_config {
    log_group             = aws_cloudwatch_log_group.claims.name
    log_format            = "JSON"
    application_log_level = "WARN"
    system_log_level      = "INFO"
  }
}

resource "aws_lambda_function" "watch" {
  function_name = "watch"
  role          = "arn:aws:iam::123456789012:role/watch"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "watch.zip"
}

resource "aws_cloudwatch_log_subscription_filter" "errors" {
  name            = "errors"
  log_group_name  = local.group
  filter_pattern  = "ERROR"
  destination_arn = aws_lambda_function.watch.arn

  depends_on = [aws_lambda_permission.errors]
}

resource "aws_lambda_permission" "errors" {
  function_name = aws_lambda_function.watch.function_name
  action        = "lambda:InvokeFunction"
  principal     = "logs.amazonaws.com"
  source_arn    = "arn:aws:logs:eu-west-1:123456789012:log-group:${local.group}:*"
}
