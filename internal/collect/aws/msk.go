package aws

func mskService() service {
	return service{name: "kafka"}
}
