package aws

func configService() service {
	return service{name: "config"}
}
