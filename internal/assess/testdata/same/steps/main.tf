# A state machine that calls a function.
resource "aws_lambda_function" "settle" {
  function_name = "settle"
  role          = "arn:aws:iam::123456789012:role/settle"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "settle.zip"
}

resource "aws_cloudwatch_log_group" "settlement" {
  name              = "/aws/vendedlogs/states/settlement"
  retention_in_days = 365
}

resource "aws_sfn_state_machine" "settlement" {
  name     = "settlement"
  type     = "EXPRESS"
  role_arn = "arn:aws:iam::123456789012:role/settlement"

  definition = jsonencode({
    StartAt = "Settle"
    States = {
      Settle = {
        Type     = "Task"
        Resource = aws_lambda_function.settle.arn
        End      = true
      }
    }
  })

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false
    log_destination        = "${aws_cloudwatch_log_group.settlement.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }
}
