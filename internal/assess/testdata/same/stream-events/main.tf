# Records of an encrypted stream; batches that fail go to a queue.
resource "aws_kinesis_stream" "clicks" {
  name             = "clicks"
  retention_period = 48
  encryption_type  = "KMS"
  kms_key_id       = "alias/aws/kinesis"

  stream_mode_details {
    stream_mode = "ON_DEMAND"
  }
}

resource "aws_sqs_queue" "failed" {
  name              = "clicks-failed"
  kms_master_key_id = "alias/aws/sqs"
}

resource "aws_lambda_function" "count" {
  function_name = "count-clicks"
  role          = "arn:aws:iam::123456789012:role/count-clicks"
  runtime       = "nodejs22.x"
  handler       = "index.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "count.zip"
}

resource "aws_lambda_event_source_mapping" "records" {
  function_name                  = aws_lambda_function.count.function_name
  event_source_arn               = aws_kinesis_stream.clicks.arn
  starting_position              = "TRIM_HORIZON"
  batch_size                     = 500
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = 3
  maximum_record_age_in_seconds  = 6 * 3600
  parallelization_factor         = 2
  tumbling_window_in_seconds     = 60

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.failed.arn
    }
  }
}

resource "aws_lambda_event_source_mapping" "unsafe" {
  function_name     = aws_lambda_function.count.function_name
  event_source_arn  = "arn:aws:kinesis:eu-west-1:123456789012:stream/legacy-${aws_kinesis_stream.clicks.name}"
  starting_position = "LATEST"
  enabled           = false
}
