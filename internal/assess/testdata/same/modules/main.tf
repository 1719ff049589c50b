# Two functions of one kind, each with its role, logs and alarm queue.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "example"
  secret_key                  = "example"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  default_tags {
    tags = {
      Owner = "data-platform"
    }
  }
}

locals {
  functions = {
    ingest = { memory = 256, environment = { TARGET = "s3://lake/raw" } }
    export = { memory = 1024 }
  }
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name        = each.key
  memory      = each.value.memory
  environment = try(each.value.environment, {})
  tags        = { CostCentre = "4711" }
}

output "functions" {
  value = { for name, m in module.function : name => m.arn }
}
