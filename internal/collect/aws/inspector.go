package aws

func inspectorService() service {
	return service{name: "inspector2"}
}
