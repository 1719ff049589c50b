package aws

func s3Service() service {
	return service{name: "s3"}
}
