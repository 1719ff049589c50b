package aws

func kmsService() service {
	return service{name: "kms"}
}
