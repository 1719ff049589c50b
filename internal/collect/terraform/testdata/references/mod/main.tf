variable "queue" {}
variable "name" {}
variable "tags" {}
variable "dflt" { default = "q" }
resource "aws_iam_role" "r" {
  name               = "${var.name}-role"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  tags               = var.tags
}
resource "aws_lambda_function" "f" {
  function_name = var.name
  role          = aws_iam_role.r.arn
  package_type  = "Image"
  image_uri     = "x"
  dead_letter_config { target_arn = var.queue }
}
output "role_arn" { value = aws_iam_role.r.arn }
output "queue" { value = var.queue }
