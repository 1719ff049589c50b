package aws

func codebuildService() service {
	return service{name: "codebuild"}
}
