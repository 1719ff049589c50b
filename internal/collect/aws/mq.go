package aws

func mqService() service {
	return service{name: "mq"}
}
