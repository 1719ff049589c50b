# A REST API that an OpenAPI document describes.
resource "aws_lambda_function" "items" {
  function_name = "items"
  role          = "arn:aws:iam::123456789012:role/items"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "items.zip"

  tracing_config {
    mode = "Active"
  }
}

resource "aws_lambda_permission" "api" {
  function_name = aws_lambda_function.items.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.items.execution_arn}/*/GET/items"
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/items"
  retention_in_days = 90
}

resource "aws_api_gateway_rest_api" "items" {
  name = "items"

  body = templatefile("${path.module}/openapi.json", {
    title = "items"
    uri   = aws_lambda_function.items.invoke_arn
  })

  parameters = {
    endpointConfigurationTypes = "REGIONAL"
  }

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_deployment" "items" {
  rest_api_id = aws_api_gateway_rest_api.items.id

  triggers = {
    redeployment = sha1(jsonencode(aws_api_gateway_rest_api.items.body))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "v1" {
  rest_api_id          = aws_api_gateway_rest_api.items.id
  deployment_id        = aws_api_gateway_deployment.items.id
  stage_name           = "v1"
  xray_tracing_enabled = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = join(" ", ["$context.requestId", "$context.status"])
  }
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.items.id
  stage_name  = aws_api_gateway_stage.v1.stage_name
  method_path = "*/*"

  settings {
    logging_level   = "INFO"
    metrics_enabled = true
  }
}
