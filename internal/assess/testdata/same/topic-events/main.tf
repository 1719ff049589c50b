# Messages of a topic, filtered by their attributes.
variable "severities" {
  type    = list(string)
  default = ["low", "high", "critical"]
}

resource "aws_sns_topic" "alerts" {
  name              = "alerts"
  kms_master_key_id = "alias/aws/sns"
  tracing_config    = "Active"
}

resource "aws_lambda_function" "page" {
  function_name = "page"
  role          = "arn:aws:iam::123456789012:role/page"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "page.zip"
}

resource "aws_sns_topic_subscription" "urgent" {
  topic_arn           = aws_sns_topic.alerts.arn
  protocol            = "lambda"
  endpoint            = aws_lambda_function.page.arn
  filter_policy       = jsonencode({ severity = [for s in var.severities : s if s != "low"] })
  filter_policy_scope = "MessageAttributes"
}

resource "aws_lambda_permission" "alerts" {
  function_name = aws_lambda_function.page.function_name
  action        = "lambda:InvokeFunction"
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.alerts.arn
}
