package aws

func firehoseService() service {
	return service{name: "firehose"}
}
