package aws

func dynamodbService() service {
	return service{name: "dynamodb"}
}
