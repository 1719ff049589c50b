package aws

func elbService() service {
	return service{name: "elasticloadbalancing"}
}
