package aws

func ssmService() service {
	return service{name: "ssm"}
}
