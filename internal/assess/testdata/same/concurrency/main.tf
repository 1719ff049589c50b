# Three functions that share a role, each with a share of the account's capacity.
variable "workers" {
  type = map(object({
    reserved = number
    memory   = optional(number)
    timeout  = optional(number, 3)
  }))
  default = {
    fast    = { reserved = 100, memory = 512 }
    slow    = { reserved = 5, timeout = 900 }
    stopped = { reserved = 0 }
  }
}

resource "aws_iam_role" "shared" {
  name                 = "workers"
  path                 = "/lambda/"
  max_session_duration = 7200

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_lambda_function" "worker" {
  for_each = { for name, w in var.workers : "worker-${name}" => w }

  function_name                  = each.key
  role                           = aws_iam_role.shared.arn
  runtime                        = "nodejs20.x"
  handler                        = "index.handler"
  s3_bucket                      = "artifacts-eu-west-1"
  s3_key                         = "worker.zip"
  memory_size                    = coalesce(each.value.memory, 128)
  timeout                        = try(each.value.timeout, 3)
  reserved_concurrent_executions = each.value.reserved
}

output "largest" {
  value = max(values(aws_lambda_function.worker)[*].memory_size...)
}
