package aws

func accessanalyzerService() service {
	return service{name: "access-analyzer"}
}
