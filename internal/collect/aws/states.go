package aws

func statesService() service {
	return service{name: "states"}
}
