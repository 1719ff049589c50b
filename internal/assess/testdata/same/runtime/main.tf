# A function that stays on one version of its runtime, and may call itself.
variable "loops" {
  type    = bool
  default = true
}

resource "aws_lambda_function" "resize" {
  function_name = "resize"
  role          = "arn:aws:iam::123456789012:role/resize"
  runtime       = "nodejs16.x"
  handler       = "index.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "resize.zip"

  environment {
    variables = {
      NODE_TLS_REJECT_UNAUTHORIZED = 0
    }
  }
}

resource "aws_lambda_runtime_management_config" "resize" {
  function_name       = aws_lambda_function.resize.function_name
  update_runtime_on   = "Manual"
  runtime_version_arn = "arn:aws:lambda:eu-west-1::runtime:d475b23763e5fbf9ba9bdd4f8b6ecb4a1f7f8e7bf4a9a1a9e8b6d3a6a1f2c3d4"
}

resource "aws_lambda_function_recursion_config" "resize" {
  count = var.loops ? 1 : 0

  function_name  = aws_lambda_function.resize.function_name
  recursive_loop = "Allow"
}
