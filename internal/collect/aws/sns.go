package aws

func snsService() service {
	return service{name: "sns"}
}
