package aws

func ec2Service() service {
	return service{name: "ec2"}
}
