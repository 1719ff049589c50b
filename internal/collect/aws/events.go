package aws

func eventsService() service {
	return service{name: "events"}
}
