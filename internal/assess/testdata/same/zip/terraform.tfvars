tags = {
  Environment = "prod"
}
