package aws

func pipesService() service {
	return service{name: "pipes"}
}
