package aws

func schedulerService() service {
	return service{name: "scheduler"}
}
