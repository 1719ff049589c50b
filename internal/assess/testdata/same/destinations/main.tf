# Results of asynchronous calls go on, failed ones to a queue.
resource "aws_sqs_queue" "failed" {
  name = "import-failed"
}

resource "aws_sns_topic" "done" {
  name              = "import-done"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_lambda_function" "import" {
  function_name = "import"
  role          = "arn:aws:iam::123456789012:role/import"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "import.zip"
}

resource "aws_lambda_function_event_invoke_config" "import" {
  function_name                = aws_lambda_function.import.function_name
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 1

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed.arn
    }

    on_success {
      destination = aws_sns_topic.done.arn
    }
  }
}
