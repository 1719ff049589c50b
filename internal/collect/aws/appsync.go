package aws

func appsyncService() service {
	return service{name: "appsync"}
}
