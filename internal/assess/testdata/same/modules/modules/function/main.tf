# A function with a role of its own, logs that are kept, and a queue for what
# fails.
resource "aws_sqs_queue" "failed" {
  name              = "${var.name}-failed"
  kms_master_key_id = "alias/aws/sqs"
  tags              = var.tags
}

module "role" {
  source = "../role"

  name  = var.name
  queue = aws_sqs_queue.failed.arn
  tags  = var.tags
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  role          = module.role.arn
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "${var.name}.zip"
  memory_size   = var.memory
  tags          = var.tags

  dynamic "environment" {
    for_each = length(var.environment) == 0 ? [] : [1]
    content {
      variables = var.environment
    }
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.failed.arn
  }

  tracing_config {
    mode = "Active"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${aws_lambda_function.this.function_name}"
  retention_in_days = var.retention
  tags              = var.tags
}
