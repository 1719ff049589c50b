# New objects of an encrypted bucket.
locals {
  account = "123456789012"
}

resource "aws_s3_bucket" "scans" {
  bucket = format("scans-%s", local.account)
}

resource "aws_s3_bucket_server_side_encryption_configuration" "scans" {
  bucket = aws_s3_bucket.scans.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "scans" {
  bucket                  = aws_s3_bucket.scans.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "scans" {
  bucket = aws_s3_bucket.scans.bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_lambda_function" "read" {
  function_name = "read-scans"
  role          = "arn:aws:iam::${local.account}:role/read-scans"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "read.zip"
}

resource "aws_lambda_permission" "scans" {
  function_name  = aws_lambda_function.read.function_name
  action         = "lambda:InvokeFunction"
  principal      = "s3.amazonaws.com"
  source_account = local.account
}

resource "aws_s3_bucket_notification" "scans" {
  bucket = aws_s3_bucket.scans.id

  lambda_function {
    lambda_function_arn = aws_lambda_function.read.arn
    events              = ["s3:ObjectCreated:*", "s3:ObjectRestore:Completed"]
    filter_prefix       = "in/"
    filter_suffix       = ".pdf"
  }

  depends_on = [aws_lambda_permission.scans]
}
