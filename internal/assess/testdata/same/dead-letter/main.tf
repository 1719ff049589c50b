# Failed events go to a queue that is encrypted with a key.
resource "aws_sqs_queue" "failed" {
  name                              = "mail-failed"
  message_retention_seconds         = 14 * 24 * 60 * 60
  kms_master_key_id                 = "alias/aws/sqs"
  kms_data_key_reuse_period_seconds = 600
}

resource "aws_sqs_queue" "plain" {
  name                    = "audit-failed"
  sqs_managed_sse_enabled = false
}

resource "aws_iam_role" "mail" {
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })

  inline_policy {
    name = "DeadLetterQueuePolicy"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.failed.arn }]
    })
  }
}

resource "aws_iam_role_policy_attachment" "mail" {
  role       = aws_iam_role.mail.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_function" "mail" {
  function_name = "mail"
  role          = aws_iam_role.mail.arn
  runtime       = "python3.12"
  handler       = "mail.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "mail.zip"

  dead_letter_config {
    target_arn = aws_sqs_queue.failed.arn
  }
}

resource "aws_lambda_function" "audit" {
  function_name = "audit"
  role          = "arn:aws:iam::123456789012:role/audit"
  runtime       = "python3.12"
  handler       = "audit.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "audit.zip"

  dynamic "dead_letter_config" {
    for_each = [aws_sqs_queue.plain]
    content {
      target_arn = dead_letter_config.value.arn
    }
  }
}
