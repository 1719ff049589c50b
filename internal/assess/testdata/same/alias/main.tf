# A function that is called by an alias of its newest version.
resource "aws_lambda_function" "price" {
  function_name = "price"
  role          = "arn:aws:iam::123456789012:role/price"
  runtime       = "java21"
  handler       = "com.example.Price::handle"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "price.jar"
  memory_size   = 1024
  publish       = true

  snap_start {
    apply_on = "PublishedVersions"
  }
}

resource "aws_lambda_alias" "price" {
  name             = "live"
  function_name    = aws_lambda_function.price.function_name
  function_version = aws_lambda_function.price.version

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_alias" "latest" {
  name             = "latest"
  function_name    = aws_lambda_function.price.function_name
  function_version = "$LATEST"
}

resource "aws_lambda_permission" "caller" {
  function_name = aws_lambda_alias.price.arn
  action        = "lambda:InvokeFunction"
  principal     = "arn:aws:iam::123456789012:role/checkout"
}
