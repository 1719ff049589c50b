# A function in a VPC; the rules stand in its security group.
variable "zones" {
  type    = list(string)
  default = ["a", "b"]
}

variable "egress" {
  type = list(object({
    port        = number
    cidr        = string
    description = optional(string, "")
  }))
  default = [
    { port = 443, cidr = "0.0.0.0/0", description = "AWS and partners" },
    { port = 5432, cidr = "10.20.0.0/16", description = "Database" },
  ]
}

resource "aws_vpc" "network" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "network" {
  count = length(var.zones)

  vpc_id            = aws_vpc.network.id
  cidr_block        = cidrsubnet(aws_vpc.network.cidr_block, 8, count.index)
  availability_zone = "eu-west-1${var.zones[count.index]}"
}

resource "aws_security_group" "reports" {
  name        = "reports"
  description = "Reports"
  vpc_id      = aws_vpc.network.id

  ingress {
    description = "Health"
    protocol    = "tcp"
    from_port   = 8443
    to_port     = 8443
    cidr_blocks = ["10.20.0.0/24"]
  }

  dynamic "egress" {
    for_each = var.egress
    content {
      description = egress.value.description
      protocol    = "tcp"
      from_port   = egress.value.port
      to_port     = egress.value.port
      cidr_blocks = [egress.value.cidr]
    }
  }
}

resource "aws_iam_role" "reports" {
  assume_role_policy = file("${path.module}/trust.json")
}

resource "aws_iam_role_policy_attachment" "reports" {
  count = 2

  role       = aws_iam_role.reports.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/${["AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"][count.index]}"
}

resource "aws_lambda_function" "reports" {
  function_name = "reports"
  role          = aws_iam_role.reports.arn
  runtime       = "java21"
  handler       = "com.example.Reports::handle"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "reports.jar"
  memory_size   = 2048
  timeout       = 120

  vpc_config {
    subnet_ids         = aws_subnet.network[*].id
    security_group_ids = [aws_security_group.reports.id]
  }
}
