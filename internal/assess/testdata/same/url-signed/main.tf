# A function URL for callers who sign their requests.
variable "cors" {
  type = object({
    origins     = set(string)
    methods     = optional(list(string), ["GET"])
    credentials = optional(bool, false)
  })
  default = {
    origins     = ["https://shop.example.com"]
    methods     = ["GET", "POST"]
    credentials = true
  }
}

resource "aws_lambda_function" "quote" {
  function_name = "quote"
  role          = "arn:aws:iam::123456789012:role/quote"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "quote.zip"
}

resource "aws_lambda_function_url" "quote" {
  function_name      = aws_lambda_function.quote.function_name
  authorization_type = "AWS_IAM"
  invoke_mode        = "RESPONSE_STREAM"

  cors {
    allow_origins     = var.cors.origins
    allow_methods     = [for m in var.cors.methods : upper(m)]
    allow_headers     = split(",", "content-type,x-request-id")
    allow_credentials = var.cors.credentials
    max_age           = 10 * 60
  }
}

resource "aws_lambda_permission" "partner" {
  statement_id           = "partner"
  function_name          = aws_lambda_function.quote.function_name
  action                 = "lambda:InvokeFunctionUrl"
  principal              = "210987654321"
  function_url_auth_type = "AWS_IAM"
}
