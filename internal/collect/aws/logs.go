package aws

func logsService() service {
	return service{name: "logs"}
}
