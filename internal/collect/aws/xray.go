package aws

func xrayService() service {
	return service{name: "xray"}
}
