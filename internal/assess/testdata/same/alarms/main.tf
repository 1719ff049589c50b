# A function that somebody hears of when it fails.
variable "retention" {
  type    = object({ months = number })
  default = { months = 6 }
}

resource "aws_sns_topic" "on_call" {
  name = "on-call"
}

resource "aws_lambda_function" "bill" {
  function_name = "bill"
  role          = "arn:aws:iam::123456789012:role/bill"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "bill.zip"
}

resource "aws_cloudwatch_log_group" "bill" {
  name              = "/aws/lambda/bill"
  retention_in_days = var.retention.months * 30
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${aws_lambda_function.bill.function_name}-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.on_call.arn]

  dimensions = {
    FunctionName = aws_lambda_function.bill.function_name
  }
}

resource "aws_cloudwatch_log_metric_filter" "denied" {
  name           = "denied"
  log_group_name = aws_cloudwatch_log_group.bill.name
  pattern        = "\"AccessDenied\""

  metric_transformation {
    name          = "Denied"
    namespace     = title(aws_lambda_function.bill.function_name)
    value         = "1"
    default_value = "0"
  }
}
