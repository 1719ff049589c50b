# A function URL for anybody. The provider adds the permissions by itself.
variable "public" {
  type    = bool
  default = true
}

resource "aws_lambda_function" "webhook" {
  function_name = "webhook"
  role          = "arn:aws:iam::123456789012:role/webhook"
  runtime       = "nodejs18.x"
  handler       = "index.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "webhook.zip"
}

resource "aws_lambda_function_url" "webhook" {
  function_name      = aws_lambda_function.webhook.function_name
  authorization_type = var.public ? "NONE" : "AWS_IAM"

  dynamic "cors" {
    for_each = var.public ? ["*"] : []
    content {
      allow_origins = [cors.value]
    }
  }
}
