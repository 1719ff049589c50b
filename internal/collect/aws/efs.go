package aws

func efsService() service {
	return service{name: "elasticfilesystem"}
}
