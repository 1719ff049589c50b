package aws

func kinesisService() service {
	return service{name: "kinesis"}
}
