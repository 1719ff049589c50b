package aws

func wafService() service {
	return service{name: "wafv2"}
}
