# An HTTP API whose callers bring a token.
variable "routes" {
  type = map(object({ open = optional(bool, false) }))
  default = {
    "GET /basket" = {}
    "GET /health" = { open = true }
  }
}

resource "aws_lambda_function" "basket" {
  function_name = "basket"
  role          = "arn:aws:iam::123456789012:role/basket"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "basket.zip"
}

resource "aws_apigatewayv2_api" "basket" {
  name          = "basket"
  protocol_type = "HTTP"

  cors_configuration {
    allow_origins = ["https://shop.example.com"]
    allow_methods = ["GET", "PUT"]
    max_age       = 300
  }
}

resource "aws_apigatewayv2_integration" "basket" {
  api_id                 = aws_apigatewayv2_api.basket.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.basket.arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_authorizer" "tokens" {
  api_id           = aws_apigatewayv2_api.basket.id
  name             = "tokens"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = "https://login.example.com"
    audience = [aws_apigatewayv2_api.basket.name]
  }
}

resource "aws_apigatewayv2_route" "this" {
  for_each = var.routes

  api_id             = aws_apigatewayv2_api.basket.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.basket.id}"
  authorization_type = each.value.open ? "NONE" : "JWT"
  authorizer_id      = each.value.open ? null : aws_apigatewayv2_authorizer.tokens.id
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.basket.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_burst_limit = 50
    throttling_rate_limit  = 100
  }
}

resource "aws_lambda_permission" "api" {
  function_name = aws_lambda_function.basket.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.basket.execution_arn}/*"
}
