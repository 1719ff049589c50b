package aws

func cognitoService() service {
	return service{name: "cognito-idp"}
}
