# Messages of a queue, filtered; what fails goes to a second queue.
variable "kinds" {
  type    = list(string)
  default = ["parcel", "letter"]
}

resource "aws_sqs_queue" "dead" {
  name                      = "shipments-dead"
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue" "shipments" {
  name                       = "shipments"
  visibility_timeout_seconds = 180

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 5
  })
}

resource "aws_lambda_function" "ship" {
  function_name = "ship"
  role          = "arn:aws:iam::123456789012:role/ship"
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = ["arm64"]
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "ship.zip"
  timeout       = 30
}

resource "aws_lambda_event_source_mapping" "messages" {
  function_name                      = aws_lambda_function.ship.function_name
  event_source_arn                   = aws_sqs_queue.shipments.arn
  batch_size                         = 25
  maximum_batching_window_in_seconds = 5
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 10
  }

  filter_criteria {
    dynamic "filter" {
      for_each = var.kinds
      content {
        pattern = jsonencode({ body = { kind = [filter.value] } })
      }
    }
  }
}
