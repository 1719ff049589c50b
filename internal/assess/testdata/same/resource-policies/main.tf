# Who may use what a function uses.
locals {
  account = "123456789012"
  root    = { for name, id in { own = local.account, partner = "210987654321" } : name => "arn:aws:iam::${id}:root" }
}

resource "aws_lambda_function" "store" {
  function_name = "store"
  role          = "arn:aws:iam::${local.account}:role/store"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "store.zip"
}

data "aws_iam_policy_document" "inbox" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = ["arn:aws:sqs:eu-west-1:${local.account}:store-inbox"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    dynamic "condition" {
      for_each = {
        ArnEquals    = { "aws:SourceArn" = "arn:aws:events:eu-west-1:${local.account}:rule/stored" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }

      content {
        test     = condition.key
        variable = one(keys(condition.value))
        values   = values(condition.value)
      }
    }
  }
}

resource "aws_sqs_queue" "inbox" {
  name   = "store-inbox"
  policy = data.aws_iam_policy_document.inbox.json
}

resource "aws_sns_topic" "news" {
  name = "store-news"
}

resource "aws_sns_topic_policy" "news" {
  arn = aws_sns_topic.news.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = values(local.root) }
      Action    = "sns:Subscribe"
      Resource  = "arn:aws:sns:eu-west-1:${local.account}:store-news"
    }]
  })
}

resource "aws_s3_bucket" "files" {
  bucket = "store-files-${local.account}"
}

resource "aws_s3_bucket_ownership_controls" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_logging" "files" {
  bucket        = aws_s3_bucket.files.id
  target_bucket = "access-logs-${local.account}"
  target_prefix = "store/"
}

resource "aws_s3_bucket_lifecycle_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {
      prefix = "tmp/"
    }

    expiration {
      days = 7
    }
  }
}

resource "aws_s3_bucket_policy" "files" {
  bucket = aws_s3_bucket.files.id
  policy = templatefile("${path.module}/policy.json.tftpl", {
    bucket = aws_s3_bucket.files.bucket
    paths  = ["", "/*"]
  })
}

resource "aws_kms_key" "store" {
  description         = "Store"
  enable_key_rotation = true
  multi_region        = true
}

resource "aws_kms_key_policy" "store" {
  key_id = aws_kms_key.store.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = local.root.own }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_secretsmanager_secret" "token" {
  name       = "store/token"
  kms_key_id = aws_kms_key.store.arn
}

resource "aws_secretsmanager_secret_policy" "token" {
  secret_arn          = aws_secretsmanager_secret.token.arn
  block_public_policy = true

  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": "${aws_lambda_function.store.role}"},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*"
      }]
    }
  JSON
}
