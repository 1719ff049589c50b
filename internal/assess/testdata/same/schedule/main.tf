# A function that a schedule calls.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["123456789012"]
    }
  }
}

data "aws_iam_policy_document" "invoke" {
  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.cleanup.arn]
  }
}

resource "aws_iam_role" "scheduler" {
  name               = "cleanup-scheduler"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "invoke"
  role   = aws_iam_role.scheduler.name
  policy = data.aws_iam_policy_document.invoke.json
}

resource "aws_lambda_function" "cleanup" {
  function_name = "cleanup"
  role          = "arn:aws:iam::123456789012:role/cleanup"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "cleanup.zip"
}

resource "aws_scheduler_schedule" "hourly" {
  name                         = "${aws_lambda_function.cleanup.function_name}-hourly"
  schedule_expression          = "rate(1 hour)"
  schedule_expression_timezone = "Europe/Dublin"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = aws_lambda_function.cleanup.arn
    role_arn = aws_iam_role.scheduler.arn

    retry_policy {
      maximum_retry_attempts       = 2
      maximum_event_age_in_seconds = 600
    }
  }
}
