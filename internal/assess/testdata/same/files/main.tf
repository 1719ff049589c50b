# A function with a file system.
variable "mount" {
  type    = string
  default = "/mnt/models"

  validation {
    condition     = startswith(var.mount, "/mnt/")
    error_message = "Lambda mounts below /mnt/."
  }
}

locals {
  network = {
    subnets = ["subnet-0a1b2c3d4e5f60718"]
    groups  = ["sg-0a1b2c3d4e5f60718"]
  }
}

resource "aws_efs_file_system" "models" {
  encrypted        = true
  performance_mode = "generalPurpose"
  throughput_mode  = "elastic"
  tags             = { Name = basename(var.mount) }
}

resource "aws_efs_backup_policy" "models" {
  file_system_id = aws_efs_file_system.models.id

  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "models" {
  for_each = toset(local.network.subnets)

  file_system_id  = aws_efs_file_system.models.id
  subnet_id       = each.value
  security_groups = local.network.groups
}

resource "aws_efs_access_point" "models" {
  file_system_id = aws_efs_file_system.models.id

  posix_user {
    uid = 1000
    gid = 1000
  }

  root_directory {
    path = "/models"
    creation_info {
      owner_uid   = 1000
      owner_gid   = 1000
      permissions = "0750"
    }
  }
}

resource "aws_lambda_function" "infer" {
  function_name = "infer"
  role          = "arn:aws:iam::123456789012:role/infer"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "infer.zip"

  vpc_config {
    subnet_ids         = local.network.subnets
    security_group_ids = local.network.groups
  }

  file_system_config {
    arn              = aws_efs_access_point.models.arn
    local_mount_path = var.mount
  }

  depends_on = [aws_efs_mount_target.models]
}
