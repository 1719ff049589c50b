# A function that a user pool asks, and a topic in order whose failures are kept.
resource "aws_lambda_function" "greet" {
  function_name = "greet"
  role          = "arn:aws:iam::123456789012:role/greet"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "greet.zip"
}

resource "aws_cognito_user_pool" "members" {
  name                     = "members"
  auto_verified_attributes = ["email"]
  username_attributes      = ["email"]
  deletion_protection      = "ACTIVE"

  lambda_config {
    pre_sign_up = aws_lambda_function.greet.arn
  }
}

resource "aws_cognito_user_pool_client" "web" {
  name                          = "web"
  user_pool_id                  = aws_cognito_user_pool.members.id
  generate_secret               = false
  explicit_auth_flows           = [for f in ["USER_SRP", "REFRESH_TOKEN"] : "ALLOW_${f}_AUTH"]
  prevent_user_existence_errors = "ENABLED"
}

resource "aws_lambda_permission" "members" {
  function_name = aws_lambda_function.greet.function_name
  action        = "lambda:InvokeFunction"
  principal     = "cognito-idp.amazonaws.com"
  source_arn    = aws_cognito_user_pool.members.arn
}

resource "aws_sns_topic" "joined" {
  name                        = "joined.fifo"
  fifo_topic                  = true
  content_based_deduplication = true
}

resource "aws_sqs_queue" "members" {
  name                  = "members.fifo"
  fifo_queue            = true
  deduplication_scope   = "messageGroup"
  fifo_throughput_limit = "perMessageGroupId"
}

resource "aws_sqs_queue_redrive_policy" "members" {
  queue_url = aws_sqs_queue.members.id
  redrive_policy = jsonencode({
    deadLetterTargetArn = "arn:aws:sqs:eu-west-1:123456789012:dead.fifo"
    maxReceiveCount     = 3
  })
}

resource "aws_sns_topic_subscription" "members" {
  topic_arn            = aws_sns_topic.joined.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.members.arn
  raw_message_delivery = true
}
