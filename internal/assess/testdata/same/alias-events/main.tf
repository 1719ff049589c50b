# An alias with capacity of its own, and what calls it.
variable "alias" {
  type     = string
  nullable = false
  default  = "live"
}

resource "aws_sqs_queue" "this" {
  for_each = toset(["failed", "jobs"])
  name     = "rate-${each.key}"
}

resource "aws_lambda_function" "rate" {
  function_name = "rate"
  role          = "arn:aws:iam::123456789012:role/rate"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "rate.zip"
  publish       = true
}

resource "aws_lambda_alias" "live" {
  name             = var.alias
  function_name    = aws_lambda_function.rate.function_name
  function_version = aws_lambda_function.rate.version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  function_name                     = aws_lambda_function.rate.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = 5
}

resource "aws_lambda_function_event_invoke_config" "live" {
  function_name          = aws_lambda_function.rate.function_name
  qualifier              = aws_lambda_alias.live.name
  maximum_retry_attempts = 0

  destination_config {
    on_failure {
      destination = aws_sqs_queue.this["failed"].arn
    }
  }
}

resource "aws_lambda_function_url" "live" {
  function_name      = aws_lambda_function.rate.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = "AWS_IAM"
}

resource "aws_lambda_event_source_mapping" "jobs" {
  function_name    = aws_lambda_alias.live.arn
  event_source_arn = aws_sqs_queue.this["jobs"].arn
  batch_size       = 1
}

resource "aws_lambda_permission" "events" {
  function_name = aws_lambda_function.rate.function_name
  qualifier     = aws_lambda_alias.live.name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = "arn:aws:events:eu-west-1:123456789012:rule/rates"
}
