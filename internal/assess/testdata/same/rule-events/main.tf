# Events of a bus, with a queue for those that cannot be delivered.
locals {
  pattern = {
    source      = ["payments"]
    detail-type = ["PaymentMade"]
    detail      = { amount = [{ numeric = [">", 1000] }] }
  }
  rules = {
    paid    = aws_cloudwatch_event_rule.paid.arn
    nightly = aws_cloudwatch_event_rule.nightly.arn
  }
}

resource "aws_sqs_queue" "undelivered" {
  name = "fraud-undelivered"
}

resource "aws_cloudwatch_event_bus" "payments" {
  name = "payments"
}

resource "aws_lambda_function" "fraud" {
  function_name = "fraud"
  role          = "arn:aws:iam::123456789012:role/fraud"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "fraud.zip"
}

resource "aws_cloudwatch_event_rule" "paid" {
  name           = "payment-made"
  event_bus_name = aws_cloudwatch_event_bus.payments.name
  event_pattern  = jsonencode(local.pattern)
}

resource "aws_cloudwatch_event_target" "paid" {
  rule           = aws_cloudwatch_event_rule.paid.name
  event_bus_name = aws_cloudwatch_event_bus.payments.name
  target_id      = "fraud"
  arn            = aws_lambda_function.fraud.arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 5
  }
}

resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "fraud-nightly"
  schedule_expression = "cron(0 2 * * ? *)"
  state               = "DISABLED"
}

resource "aws_cloudwatch_event_target" "nightly" {
  rule      = aws_cloudwatch_event_rule.nightly.name
  target_id = "FraudNightlyLambdaTarget"
  arn       = aws_lambda_function.fraud.arn
  input     = jsonencode({ report = "daily" })
}

resource "aws_lambda_permission" "paid" {
  function_name = aws_lambda_function.fraud.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.paid.arn
}

resource "aws_lambda_permission" "nightly" {
  function_name = aws_lambda_function.fraud.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.nightly.arn
}

output "rules" {
  value = local.rules
}
