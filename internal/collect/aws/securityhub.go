package aws

func securityhubService() service {
	return service{name: "securityhub"}
}
