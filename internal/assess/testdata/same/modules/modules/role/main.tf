# A role that may write to one queue.
variable "name" {
  type = string
}

variable "queue" {
  type = string
}

variable "tags" {
  type = map(string)
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "failures" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [var.queue]
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-role"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "failures" {
  name   = "failures"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.failures.json
}

output "arn" {
  value = aws_iam_role.this.arn
}
