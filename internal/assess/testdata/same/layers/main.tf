# A layer that a partner may use, and a function that uses it.
locals {
  powertools = {
    x86_64 = "AWSLambdaPowertoolsPythonV3-python313-x86_64:7"
    arm64  = "AWSLambdaPowertoolsPythonV3-python313-arm64:7"
  }
  architecture = "arm64"
}

resource "aws_lambda_layer_version" "tools" {
  layer_name               = "tools"
  description              = "Parsers"
  license_info             = "Apache-2.0"
  compatible_runtimes      = formatlist("python3.%d", [12, 13])
  compatible_architectures = [local.architecture]
  s3_bucket                = "artifacts-eu-west-1"
  s3_key                   = "layers/tools.zip"
}

resource "aws_lambda_layer_version_permission" "partner" {
  layer_name     = aws_lambda_layer_version.tools.layer_arn
  version_number = aws_lambda_layer_version.tools.version
  statement_id   = "partner"
  action         = "lambda:GetLayerVersion"
  principal      = "210987654321"
}

resource "aws_lambda_function" "parse" {
  function_name = "parse"
  role          = "arn:aws:iam::123456789012:role/parse"
  runtime       = "python3.13"
  handler       = "app.handler"
  architectures = [local.architecture]
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "parse.zip"

  layers = concat(
    ["arn:aws:lambda:eu-west-1:017000801446:layer:${local.powertools[local.architecture]}"],
    aws_lambda_layer_version.tools[*].arn,
  )
}
