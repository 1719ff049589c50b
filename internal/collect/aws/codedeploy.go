package aws

func codedeployService() service {
	return service{name: "codedeploy"}
}
