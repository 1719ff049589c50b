# A function in a VPC that is there already; the rules stand apart.
locals {
  vpc = "vpc-0a1b2c3d4e5f60718"
  groups = {
    ledger          = "Ledger function"
    ledger-database = "Ledger database"
  }
}

resource "aws_security_group" "this" {
  for_each = local.groups

  name        = each.key
  description = each.value
  vpc_id      = local.vpc
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id = aws_security_group.this["ledger"].id
  description       = "Endpoints"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "10.0.0.0/8"
}

resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id            = aws_security_group.this["ledger"].id
  description                  = "Database"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.this["ledger-database"].id
}

resource "aws_security_group_rule" "ledger" {
  type                     = "ingress"
  security_group_id        = aws_security_group.this["ledger-database"].id
  description              = "Ledger"
  protocol                 = "tcp"
  from_port                = 5432
  to_port                  = 5432
  source_security_group_id = aws_security_group.this["ledger"].id
}

resource "aws_lambda_function" "ledger" {
  function_name = "ledger"
  role          = "arn:aws:iam::123456789012:role/ledger"
  runtime       = "dotnet8"
  handler       = "Ledger::Ledger.Function::Handle"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "ledger.zip"

  vpc_config {
    subnet_ids         = [for n in [18, 19] : "subnet-0a1b2c3d4e5f607${n}"]
    security_group_ids = [aws_security_group.this["ledger"].id]
  }
}
