// Package aws reads live accounts into estates, with the AWS SDK.
//
// Each AWS service is one file that states what it reads: the resource types,
// the IAM actions of its calls, and two functions that make the calls. A read
// either lists all there is of its types, or looks for what the resources read
// so far name; so the collector starts from functions and follows the edges of
// the estate's model. Answers become CloudFormation properties by the types'
// schemas ([shaper]): a property that no answer states is unknown and not
// absent.
//
// Nothing is lost in silence. A call that is refused, throttled for good, cut
// short or not understood is a [failure]; it becomes the coverage of a type,
// or a resource whose properties are denied where only one thing is missing.
package aws

import (
	"context"
	"slices"

	"assay/internal/estate"
)

// service is one AWS service and how its resources are read.
type service struct {
	// name is what IAM calls the service: the prefix of its actions, mostly.
	name  string
	reads []read
}

// read fills some resource types, in every region or for the account as a
// whole.
type read struct {
	types []string // that it fills; coverage is kept for each of them
	// account is set for what an account has once and not in each region. It is
	// asked of the partition's home region.
	account bool
	// through are the services whose resources of these types call functions by
	// leave of the functions' own policies, which name them.
	through []string
	// actions are the IAM actions of the calls. A call of another action is
	// refused before it is sent, so that the policy that is printed is enough.
	actions []string
	// touching is set for a list that, but for --all, keeps only what leads to
	// functions. What that names is looked for too.
	touching bool
	// list reads all there is. named reads what other resources name; where a
	// read has both, list is for --all and named for the rest.
	list  func(context.Context, *scope) error
	named func(context.Context, *scope, []estate.Named) error
}

// services is the one list of them, in order of their names.
func services() []service {
	return []service{
		accessanalyzerService(),
		accountService(),
		apigatewayService(),
		appsyncService(),
		cloudtrailService(),
		cloudwatchService(),
		codebuildService(),
		codedeployService(),
		cognitoService(),
		configService(),
		dynamodbService(),
		ec2Service(),
		ecrService(),
		efsService(),
		elbService(),
		eventsService(),
		firehoseService(),
		guarddutyService(),
		iamService(),
		inspectorService(),
		kinesisService(),
		kmsService(),
		lambdaService(),
		logsService(),
		macieService(),
		mqService(),
		mskService(),
		pipesService(),
		s3Service(),
		schedulerService(),
		schemasService(),
		secretsmanagerService(),
		securityhubService(),
		signerService(),
		snsService(),
		sqsService(),
		ssmService(),
		statesService(),
		wafService(),
		xrayService(),
	}
}

// uncovered are Lambda's own resources that an account may hold and that the
// SDK has no calls for. They are never called absent.
// source: the CloudFormation registry has the types; the SDK's Lambda client
// (v1.115.0) has no operation that reads them.
var uncovered = []string{"AWS::Lambda::MicrovmImage", "AWS::Lambda::NetworkConnector", "AWS::Lambda::WebFunction"}

// wants reports whether a read is part of a run that needs some types only.
func (r read) wants(needed func(string) bool) bool {
	return needed == nil || slices.ContainsFunc(r.types, needed)
}
