# Patient records, as many teams first write it.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "example"
  secret_key                  = "example"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variable "database_password" {
  type      = string
  sensitive = true
  default   = "only-for-the-example-1"
}

resource "aws_iam_role" "records" {
  name = "records"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "records" {
  role       = aws_iam_role.records.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_lambda_function" "records" {
  function_name = "records"
  role          = aws_iam_role.records.arn
  filename      = "records.zip"
  handler       = "index.handler"
  runtime       = "nodejs18.x"

  environment {
    variables = {
      DATABASE_PASSWORD = var.database_password
    }
  }
}

resource "aws_lambda_function_url" "records" {
  function_name      = aws_lambda_function.records.function_name
  authorization_type = "NONE"
}

resource "aws_dynamodb_table" "records" {
  name             = "records"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_lambda_event_source_mapping" "changes" {
  function_name     = aws_lambda_function.records.arn
  event_source_arn  = aws_dynamodb_table.records.stream_arn
  starting_position = "LATEST"
}
