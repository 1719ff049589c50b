# A function in a network without the internet, with endpoints for what it
# calls.
variable "endpoints" {
  type = map(string)
  default = {
    dynamodb       = "Gateway"
    secretsmanager = "Interface"
  }
}

locals {
  cidr  = "10.30.0.0/16"
  zones = { a = cidrsubnet(local.cidr, 8, 1), b = cidrsubnet(local.cidr, 8, 2) }
}

resource "aws_vpc" "network" {
  cidr_block           = local.cidr
  enable_dns_hostnames = true
  tags                 = { Name = "private" }
}

resource "aws_subnet" "private" {
  vpc_id     = aws_vpc.network.id
  cidr_block = local.zones.a
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.network.id
}

resource "aws_route_table_association" "private" {
  route_table_id = aws_route_table.private.id
  subnet_id      = aws_subnet.private.id
}

resource "aws_vpc_endpoint" "this" {
  for_each = var.endpoints

  vpc_id              = aws_vpc.network.id
  service_name        = "com.amazonaws.eu-west-1.${each.key}"
  vpc_endpoint_type   = each.value
  private_dns_enabled = each.value == "Interface" ? true : null
  route_table_ids     = each.value == "Gateway" ? [aws_route_table.private.id] : null
  subnet_ids          = each.value == "Interface" ? [aws_subnet.private.id] : null
  security_group_ids  = each.value == "Interface" ? [aws_security_group.endpoints.id] : null
}

resource "aws_security_group" "endpoints" {
  name        = "endpoints"
  description = "Endpoints"
  vpc_id      = aws_vpc.network.id

  ingress {
    description = "Inside"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = values(local.zones)
  }
}

resource "aws_security_group" "vault" {
  name        = "vault"
  description = "Vault"
  vpc_id      = aws_vpc.network.id

  egress {
    description     = "Endpoints"
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
    security_groups = [aws_security_group.endpoints.id]
  }

  egress {
    description      = "Everything"
    protocol         = "-1"
    from_port        = 0
    to_port          = 0
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_lambda_function" "vault" {
  function_name = "vault"
  role          = "arn:aws:iam::123456789012:role/vault"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "vault.zip"

  vpc_config {
    subnet_ids         = [aws_subnet.private.id]
    security_group_ids = [aws_security_group.vault.id]
  }
}
