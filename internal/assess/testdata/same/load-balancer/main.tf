# A function behind a load balancer.
locals {
  certificate = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
}

resource "aws_lb" "front" {
  name                       = "front"
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"]
  security_groups            = ["sg-0a1b2c3d4e5f60718"]
  drop_invalid_header_fields = true
  enable_deletion_protection = true
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.front.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = "arn:aws:acm:eu-west-1:123456789012:certificate/${local.certificate}"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.desk.arn
  }
}

resource "aws_lb_target_group" "desk" {
  name        = "desk"
  target_type = "lambda"
}

resource "aws_lb_target_group_attachment" "desk" {
  target_group_arn = aws_lb_target_group.desk.arn
  target_id        = aws_lambda_function.desk.arn
  depends_on       = [aws_lambda_permission.front]
}

resource "aws_lambda_permission" "front" {
  function_name = aws_lambda_function.desk.function_name
  action        = "lambda:InvokeFunction"
  principal     = "elasticloadbalancing.amazonaws.com"
}

resource "aws_lambda_function" "desk" {
  function_name = "desk"
  role          = "arn:aws:iam::123456789012:role/desk"
  runtime       = "python3.9"
  handler       = "app.handler"
  s3_bucket     = "artifacts-eu-west-1"
  s3_key        = "desk.zip"
}
