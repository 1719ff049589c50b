variable "name" {
  type = string
}

variable "memory" {
  type    = number
  default = 128
}

variable "environment" {
  type    = map(string)
  default = {}
}

variable "retention" {
  type    = number
  default = 30
}

variable "tags" {
  type    = map(string)
  default = {}
}

output "arn" {
  value = aws_lambda_function.this.arn
}
