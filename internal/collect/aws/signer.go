package aws

func signerService() service {
	return service{name: "signer"}
}
