# Thumbnails, a function from a container image.
variable "graviton" {
  type    = bool
  default = true
}

variable "digest" {
  type    = string
  default = null
}

locals {
  registry = join(".", ["123456789012", "dkr", "ecr", "eu-west-1", "amazonaws.com"])
  digest   = coalesce(var.digest, "1f0c6d4c7f5b4f7b8a9e0d1c2b3a49586778695a4b3c2d1e0f9a8b7c6d5e4f30")
}

resource "aws_ecr_repository" "thumbnails" {
  name                 = "thumbnails"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_role" "thumbnails" {
  assume_role_policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
      ]
    }
  JSON
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.thumbnails.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_function" "thumbnails" {
  function_name = "thumbnails"
  role          = aws_iam_role.thumbnails.arn
  package_type  = "Image"
  image_uri     = "${local.registry}/${aws_ecr_repository.thumbnails.name}@sha256:${local.digest}"
  architectures = [var.graviton ? "arm64" : "x86_64"]
  memory_size   = 1024
  timeout       = 60

  image_config {
    command           = ["thumbnails.handler"]
    working_directory = "/srv"
  }

  ephemeral_storage {
    size = 2048
  }

  depends_on = [aws_iam_role_policy_attachment.logs]
}
