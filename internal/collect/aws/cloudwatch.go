package aws

func cloudwatchService() service {
	return service{name: "cloudwatch"}
}
