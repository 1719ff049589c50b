package aws

func secretsmanagerService() service {
	return service{name: "secretsmanager"}
}
