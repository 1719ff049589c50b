package aws

func accountService() service {
	return service{name: "account"}
}
