package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"assay/internal/estate"
)

func dynamodbService() service {
	return service{name: "dynamodb", reads: []read{{
		types: []string{"AWS::DynamoDB::Table"},
		actions: []string{
			"dynamodb:ListTables", "dynamodb:DescribeTable", "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive",
			"dynamodb:GetResourcePolicy", listingAliases, tagging,
		},
		list: func(ctx context.Context, s *scope) error {
			client := dynamodb.NewFromConfig(s.cfg)
			var names []string
			if err := each(ctx, s, "dynamodb:ListTables", dynamodb.NewListTablesPaginator(client, &dynamodb.ListTablesInput{}), func(out *dynamodb.ListTablesOutput) error {
				names = append(names, out.TableNames...)
				return nil
			}); err != nil {
				return err
			}
			return forEach(ctx, s, names, 4, func(ctx context.Context, name string) error { return readTable(ctx, s, client, name) })
		},
		named: func(ctx context.Context, s *scope, sought []estate.Named) error {
			client := dynamodb.NewFromConfig(s.cfg)
			return forEach(ctx, s, sought, 4, func(ctx context.Context, n estate.Named) error { return readTable(ctx, s, client, n.Name) })
		},
	}}}
}

func readTable(ctx context.Context, s *scope, client *dynamodb.Client, name string) error {
	table, arn := aws.String(name), s.arnOf("dynamodb", "table/"+name)
	out, err := do(ctx, s, "dynamodb:DescribeTable", client.DescribeTable, &dynamodb.DescribeTableInput{TableName: table})
	switch {
	case none(err, notFound):
		return nil
	case err != nil && over(err):
		return err
	case err != nil:
		s.lost("AWS::DynamoDB::Table", arn, fields{"TableName": estate.String(name)}, err)
		return nil
	}
	d := orZero(out.Table)
	set := fields{
		"BillingMode": estate.String("PROVISIONED"), "TableClass": nil, "SSESpecification": nil, "StreamSpecification": nil, "ProvisionedThroughput": nil,
		"ImportSourceSpecification": nil, "Tags": s.tagsOf(ctx, "dynamodb:table", arn),
		"PointInTimeRecoverySpecification": property(ctx, s, arn, "dynamodb:DescribeContinuousBackups", client.DescribeContinuousBackups,
			&dynamodb.DescribeContinuousBackupsInput{TableName: table}, pointInTime),
		"TimeToLiveSpecification": property(ctx, s, arn, "dynamodb:DescribeTimeToLive", client.DescribeTimeToLive, &dynamodb.DescribeTimeToLiveInput{TableName: table},
			func(out *dynamodb.DescribeTimeToLiveOutput) *estate.Value {
				t := orZero(out.TimeToLiveDescription)
				if t.TimeToLiveStatus != types.TimeToLiveStatusEnabled && t.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
					return nil
				}
				return some(fields{"AttributeName": str(t.AttributeName), "Enabled": estate.Bool(true)})
			}),
		"ResourcePolicy": property(ctx, s, arn, "dynamodb:GetResourcePolicy", client.GetResourcePolicy, &dynamodb.GetResourcePolicyInput{ResourceArn: aws.String(arn)},
			func(out *dynamodb.GetResourcePolicyOutput) *estate.Value {
				return some(fields{"PolicyDocument": document(aws.ToString(out.Policy))})
			}, "PolicyNotFoundException"),
	}
	if b := d.BillingModeSummary; b != nil && b.BillingMode != "" {
		set["BillingMode"] = estate.String(string(b.BillingMode))
	}
	if p := d.ProvisionedThroughput; p != nil && aws.ToInt64(p.ReadCapacityUnits) > 0 {
		set["ProvisionedThroughput"] = some(fields{"ReadCapacityUnits": number(p.ReadCapacityUnits), "WriteCapacityUnits": number(p.WriteCapacityUnits)})
	}
	if c := d.TableClassSummary; c != nil {
		set["TableClass"] = word(string(c.TableClass))
	}
	// A table that names no key has one that AWS owns, and no description of it.
	if e := d.SSEDescription; e != nil && e.Status != types.SSEStatusDisabled && e.Status != types.SSEStatusDisabling {
		f := fields{"SSEEnabled": estate.Bool(true), "SSEType": word(string(e.SSEType)), "KMSMasterKeyId": s.keyOf(ctx, e.KMSMasterKeyArn, arn)}
		set["SSESpecification"] = some(f)
	}
	if st := d.StreamSpecification; st != nil && aws.ToBool(st.StreamEnabled) {
		set["StreamSpecification"] = s.as("AWS::DynamoDB::Table", "StreamSpecification", st, "dynamodb:DescribeTable")
	}
	// It is answered for every table, whether somebody asked for it or not.
	set["WarmThroughput"] = s.run.shaper.unknown("AWS::DynamoDB::Table.WarmThroughput")
	s.add(found{typ: "AWS::DynamoDB::Table", id: arn, name: name, from: d, set: set, call: "dynamodb:DescribeTable"})
	return s.ended(ctx, "dynamodb:DescribeTable")
}

func pointInTime(out *dynamodb.DescribeContinuousBackupsOutput) *estate.Value {
	p := orZero(orZero(out.ContinuousBackupsDescription).PointInTimeRecoveryDescription)
	if p.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		return nil
	}
	return some(fields{"PointInTimeRecoveryEnabled": estate.Bool(true), "RecoveryPeriodInDays": number(p.RecoveryPeriodInDays)})
}
