package aws

func sqsService() service {
	return service{name: "sqs"}
}
