# Functions that run signed code alone, and one that is only warned about.
variable "functions" {
  type = map(object({
    runtime = string
    key     = string
    signing = string
  }))
}

resource "aws_signer_signing_profile" "releases" {
  name        = "releases"
  platform_id = "AWSLambda-SHA384-ECDSA"
}

resource "aws_lambda_code_signing_config" "this" {
  for_each = toset(["Enforce", "Warn"])

  description = each.value

  allowed_publishers {
    signing_profile_version_arns = [aws_signer_signing_profile.releases.version_arn]
  }

  dynamic "policies" {
    for_each = each.value == "Warn" ? [] : [each.value]
    content {
      untrusted_artifact_on_deployment = policies.value
    }
  }
}

resource "aws_lambda_function" "this" {
  for_each = var.functions

  function_name           = each.key
  role                    = "arn:aws:iam::123456789012:role/${each.key}"
  runtime                 = each.value.runtime
  handler                 = "app.handler"
  s3_bucket               = "artifacts-eu-west-1"
  s3_key                  = each.value.key
  code_signing_config_arn = aws_lambda_code_signing_config.this[each.value.signing].arn
}
