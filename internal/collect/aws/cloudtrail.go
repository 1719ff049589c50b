package aws

func cloudtrailService() service {
	return service{name: "cloudtrail"}
}
