package aws

func guarddutyService() service {
	return service{name: "guardduty"}
}
