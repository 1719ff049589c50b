# A role with policies of every kind, and a boundary; another with too many
# rights.
data "aws_iam_policy_document" "boundary" {
  statement {
    sid         = "Most"
    not_actions = ["iam:*", "organizations:*"]
    resources   = ["*"]
  }
}

data "aws_iam_policy_document" "list" {
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::archive"]
  }
  statement {
    sid       = "Get"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::archive/*"]
  }
}

data "aws_iam_policy_document" "secure" {
  statement {
    sid       = "Unencrypted"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = ["*"]
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = [false]
    }
  }
}

data "aws_iam_policy_document" "read" {
  source_policy_documents   = [data.aws_iam_policy_document.list.json, data.aws_iam_policy_document.secure.json]
  override_policy_documents = [file("${path.module}/get.json")]
}

data "aws_iam_policy_document" "trust" {
  for_each = {
    archive = ["edgelambda.amazonaws.com", "lambda.amazonaws.com"]
    migrate = ["lambda.amazonaws.com"]
  }

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = each.value
    }
  }
}

resource "aws_iam_policy" "boundary" {
  name   = "function-boundary"
  policy = data.aws_iam_policy_document.boundary.json
}

resource "aws_iam_policy" "read" {
  name        = "archive-read"
  path        = "/teams/"
  description = "Reads the archive"
  policy      = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role" "archive" {
  name                 = "archive"
  permissions_boundary = aws_iam_policy.boundary.arn
  assume_role_policy   = data.aws_iam_policy_document.trust["archive"].json
}

resource "aws_iam_role_policy_attachment" "archive" {
  for_each = {
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    read  = aws_iam_policy.read.arn
  }

  role       = aws_iam_role.archive.name
  policy_arn = each.value
}

resource "aws_iam_role_policy" "archive" {
  for_each = {
    trace = {
      Effect   = "Allow"
      Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = "*"
    }
    metrics = {
      Effect    = "Allow"
      Action    = "cloudwatch:PutMetricData"
      Resource  = "*"
      Condition = { StringEquals = { "cloudwatch:namespace" = ["archive", "archive-debug"] } }
    }
  }

  name   = each.key
  role   = aws_iam_role.archive.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [each.value] })
}

resource "aws_lambda_function" "archive" {
  function_name = "archive"
  role          = aws_iam_role.archive.arn
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "archive.zip"
}

resource "aws_iam_role" "migrate" {
  permissions_boundary = aws_iam_policy.boundary.arn
  assume_role_policy   = data.aws_iam_policy_document.trust["migrate"].json
}

resource "aws_iam_role_policy" "migrate" {
  name   = "MigrateRolePolicy1"
  role   = aws_iam_role.migrate.id
  policy = <<-EOT
    {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
  EOT
}

resource "aws_iam_policy_attachment" "basic" {
  name       = "migrate-basic"
  roles      = [aws_iam_role.migrate.name]
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy_attachment" "administrator" {
  role       = aws_iam_role.migrate.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_lambda_function" "migrate" {
  function_name = "migrate"
  role          = aws_iam_role.migrate.arn
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "migrate.zip"
}
