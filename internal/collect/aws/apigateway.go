package aws

func apigatewayService() service {
	return service{name: "apigateway"}
}
