package aws

func ecrService() service {
	return service{name: "ecr"}
}
