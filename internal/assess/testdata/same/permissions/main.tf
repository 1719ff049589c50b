# Who may call a function, with and without conditions.
locals {
  account = "123456789012"
  grants = {
    bucket       = { principal = "s3.amazonaws.com", source_arn = "arn:aws:s3:::drop", source_account = local.account }
    any-topic    = { principal = "sns.amazonaws.com" }
    organisation = { principal = "*", organisation = "o-a1b2c3d4e5" }
    everybody    = { principal = "*", action = "lambda:GetFunction" }
  }
}

resource "aws_lambda_function" "share" {
  function_name = "share"
  role          = "arn:aws:iam::${local.account}:role/share"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "share.zip"
}

resource "aws_lambda_permission" "this" {
  for_each = local.grants

  statement_id     = each.key
  function_name    = aws_lambda_function.share.function_name
  action           = try(each.value.action, "lambda:InvokeFunction")
  principal        = each.value.principal
  source_arn       = lookup(each.value, "source_arn", null)
  source_account   = lookup(each.value, "source_account", null)
  principal_org_id = lookup(each.value, "organisation", null)
}

resource "aws_lambda_permission" "account" {
  function_name = aws_lambda_function.share.arn
  action        = "lambda:InvokeFunction"
  principal     = local.account
}
