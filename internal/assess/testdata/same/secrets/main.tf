# A secret that a function rotates, and one that stands in the environment.
variable "api_password" {
  type      = string
  sensitive = true
  default   = "only-for-the-test-1"
}

resource "aws_secretsmanager_secret" "database" {
  name        = "warehouse/database"
  description = "Database of the warehouse"
  kms_key_id  = "alias/aws/secretsmanager"
}

resource "aws_secretsmanager_secret_rotation" "database" {
  secret_id           = aws_secretsmanager_secret.database.id
  rotation_lambda_arn = aws_lambda_function.rotate.arn

  rotation_rules {
    automatically_after_days = 30
  }
}

resource "aws_ssm_parameter" "host" {
  name        = "/warehouse/host"
  type        = "String"
  value       = "db.example.com"
  description = "Host of the database"
}

resource "aws_lambda_function" "rotate" {
  function_name = "rotate"
  role          = "arn:aws:iam::123456789012:role/rotate"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "rotate.zip"

  environment {
    variables = {
      SECRET_ARN     = aws_secretsmanager_secret.database.arn
      HOST_PARAMETER = aws_ssm_parameter.host.name
      API_PASSWORD   = var.api_password
    }
  }
}

resource "aws_lambda_permission" "rotation" {
  function_name = aws_lambda_function.rotate.function_name
  action        = "lambda:InvokeFunction"
  principal     = "secretsmanager.amazonaws.com"
  source_arn    = aws_secretsmanager_secret.database.arn
}
