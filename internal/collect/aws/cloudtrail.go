package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"assay/internal/estate"
)

// cloudtrailService reads trails and event data stores. One that records all
// regions belongs to the account as a whole: every region shows it.
func cloudtrailService() service {
	trails := read{
		types: []string{"AWS::CloudTrail::Trail", "Assay::CloudTrail::TrailStatus"},
		actions: []string{
			"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetInsightSelectors", "cloudtrail:GetTrailStatus", "cloudtrail:ListTags",
		},
		list: readTrails,
	}
	ofAccount := trails
	ofAccount.account = true
	return service{name: "cloudtrail", reads: []read{trails, ofAccount, {
		types:   []string{"AWS::CloudTrail::EventDataStore"},
		actions: []string{"cloudtrail:GetEventDataStore", "cloudtrail:GetInsightSelectors", "cloudtrail:ListEventDataStores", "cloudtrail:ListTags"},
		list:    readStores,
	}}}
}

func readTrails(ctx context.Context, s *scope) error {
	client := cloudtrail.NewFromConfig(s.cfg)
	// With shadow trails, which show what other regions and the organisation record.
	out, err := do(ctx, s, "cloudtrail:DescribeTrails", client.DescribeTrails, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if err != nil {
		return err
	}
	var all []types.Trail
	for _, t := range out.TrailList {
		if aws.ToBool(t.IsMultiRegionTrail) == (s.region == "") {
			all = append(all, t)
		}
	}
	return forEach(ctx, s, all, 4, func(ctx context.Context, t types.Trail) error { return readTrail(ctx, s, t) })
}

// readTrail reads what only the trail's home region tells, and of another
// account's trail what it shows: calls for its selectors fail.
func readTrail(ctx context.Context, s *scope, t types.Trail) error {
	cfg := s.cfg
	cfg.Region = orElse(aws.ToString(t.HomeRegion), cfg.Region)
	client := cloudtrail.NewFromConfig(cfg)
	arn, name := aws.ToString(t.TrailARN), aws.ToString(t.Name)
	set := fields{"SnsTopicName": str(t.SnsTopicARN), "TrailName": str(t.Name), "EventSelectors": nil, "AdvancedEventSelectors": nil, "InsightSelectors": nil}
	status, err := do(ctx, s, "cloudtrail:GetTrailStatus", client.GetTrailStatus, &cloudtrail.GetTrailStatusInput{Name: t.TrailARN})
	switch {
	case none(err, "TrailNotFoundException") && strings.Contains(arn, ":"+s.account+":"):
		return nil // deleted since it was listed
	case err != nil && over(err):
		return err
	case err != nil:
		set["IsLogging"] = s.missing(err, arn)
		s.lost("Assay::CloudTrail::TrailStatus", arn, fields{"TrailName": estate.String(arn)}, err)
	default:
		set["IsLogging"] = flag(status.IsLogging)
		s.add(found{typ: "Assay::CloudTrail::TrailStatus", id: arn, name: name, from: status, set: fields{"TrailName": estate.String(arn)}, call: "cloudtrail:GetTrailStatus"})
	}
	if owner := strings.Split(arn, ":"); len(owner) > 4 && owner[4] != s.account {
		ofOrganisation(t, owner[4], set)
	} else if err := s.selectors(ctx, client, arn, set); err != nil {
		return err
	}
	s.add(found{
		typ: "AWS::CloudTrail::Trail", id: arn, name: name, from: t, set: set, call: "cloudtrail:DescribeTrails", leads: true,
		renamed: map[string]string{"EnableLogFileValidation": "LogFileValidationEnabled"},
	})
	return nil
}

// selectors reads what a trail records and how it is tagged.
func (s *scope) selectors(ctx context.Context, client *cloudtrail.Client, arn string, set fields) error {
	selected, err := do(ctx, s, "cloudtrail:GetEventSelectors", client.GetEventSelectors, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(arn)})
	switch {
	case err != nil && over(err):
		return err
	case err != nil:
		set["EventSelectors"] = s.missing(err, arn)
		set["AdvancedEventSelectors"] = set["EventSelectors"]
	default:
		if isDefaultSelector(selected.EventSelectors) {
			selected.EventSelectors = nil
		}
		set["EventSelectors"] = s.as("AWS::CloudTrail::Trail", "EventSelectors", selected.EventSelectors, "cloudtrail:GetEventSelectors")
		set["AdvancedEventSelectors"] = s.as("AWS::CloudTrail::Trail", "AdvancedEventSelectors", selected.AdvancedEventSelectors, "cloudtrail:GetEventSelectors")
	}
	insights, err := do(ctx, s, "cloudtrail:GetInsightSelectors", client.GetInsightSelectors, &cloudtrail.GetInsightSelectorsInput{TrailName: aws.String(arn)})
	switch {
	case none(err, "InsightNotEnabledException"):
	case err != nil && over(err):
		return err
	case err != nil:
		set["InsightSelectors"] = s.missing(err, arn)
	default:
		set["InsightSelectors"] = s.as("AWS::CloudTrail::Trail", "InsightSelectors", insights.InsightSelectors, "cloudtrail:GetInsightSelectors")
	}
	set["Tags"], err = trailTags(ctx, s, client, arn)
	return err
}

// ofOrganisation is what the accounts of an organisation see of its trail: that
// somebody gave it selectors, and not which.
func ofOrganisation(t types.Trail, owner string, set fields) {
	hidden := func(operation string) *estate.Value {
		return estate.Unknown("the organisation shows it to the owner of the trail", operation+" in account "+owner)
	}
	if t.HasCustomEventSelectors == nil || *t.HasCustomEventSelectors {
		set["EventSelectors"], set["AdvancedEventSelectors"] = hidden("cloudtrail:GetEventSelectors"), hidden("cloudtrail:GetEventSelectors")
	}
	if t.HasInsightSelectors == nil || *t.HasInsightSelectors {
		set["InsightSelectors"] = hidden("cloudtrail:GetInsightSelectors")
	}
	set["Tags"] = hidden("cloudtrail:ListTags")
}

// isDefaultSelector reports whether selectors are what a trail has that nobody
// gave any: all management events.
// source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
func isDefaultSelector(all []types.EventSelector) bool {
	return len(all) == 1 && all[0].ReadWriteType == types.ReadWriteTypeAll && aws.ToBool(all[0].IncludeManagementEvents) &&
		len(all[0].DataResources) == 0 && len(all[0].ExcludeManagementEventSources) == 0
}

func trailTags(ctx context.Context, s *scope, client *cloudtrail.Client, arn string) (*estate.Value, error) {
	out, err := do(ctx, s, "cloudtrail:ListTags", client.ListTags, &cloudtrail.ListTagsInput{ResourceIdList: []string{arn}})
	if err != nil && over(err) {
		return nil, err
	}
	if err != nil {
		return s.missing(err, arn), nil
	}
	all := map[string]string{}
	for _, r := range out.ResourceTagList {
		for _, t := range r.TagsList {
			all[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return tags(all), nil
}

func readStores(ctx context.Context, s *scope) error {
	client := cloudtrail.NewFromConfig(s.cfg)
	var all []types.EventDataStore
	pages := cloudtrail.NewListEventDataStoresPaginator(client, &cloudtrail.ListEventDataStoresInput{})
	err := each(ctx, s, "cloudtrail:ListEventDataStores", pages, func(out *cloudtrail.ListEventDataStoresOutput) error {
		all = append(all, out.EventDataStores...)
		return nil
	})
	if err != nil {
		return err
	}
	return forEach(ctx, s, all, 3, func(ctx context.Context, e types.EventDataStore) error { return readStore(ctx, s, client, e) })
}

// readStore reads one event data store: the list gives names only.
func readStore(ctx context.Context, s *scope, client *cloudtrail.Client, e types.EventDataStore) error {
	const typ = "AWS::CloudTrail::EventDataStore"
	arn, name := aws.ToString(e.EventDataStoreArn), aws.ToString(e.Name)
	out, err := do(ctx, s, "cloudtrail:GetEventDataStore", client.GetEventDataStore, &cloudtrail.GetEventDataStoreInput{EventDataStore: e.EventDataStoreArn})
	switch {
	case none(err, "EventDataStoreNotFoundException"), err == nil && out.Status == types.EventDataStoreStatusPendingDeletion:
		return nil
	case err != nil && over(err):
		return err
	case err != nil:
		s.perhaps(typ, arn, fields{"Name": str(e.Name)}, err)
		return nil
	}
	set := fields{
		"FederationEnabled": estate.Bool(out.FederationStatus == types.FederationStatusEnabled),
		"IngestionEnabled":  estate.Bool(out.Status != types.EventDataStoreStatusStoppedIngestion && out.Status != types.EventDataStoreStatusStoppingIngestion),
		"InsightSelectors":  nil, "InsightsDestination": nil,
	}
	insights, err := do(ctx, s, "cloudtrail:GetInsightSelectors", client.GetInsightSelectors, &cloudtrail.GetInsightSelectorsInput{EventDataStore: e.EventDataStoreArn})
	switch {
	case none(err, "InsightNotEnabledException"):
	case err != nil && over(err):
		return err
	case err != nil:
		set["InsightSelectors"] = s.missing(err, arn)
		set["InsightsDestination"] = set["InsightSelectors"]
	default:
		set["InsightSelectors"] = s.as(typ, "InsightSelectors", insights.InsightSelectors, "cloudtrail:GetInsightSelectors")
		set["InsightsDestination"] = str(insights.InsightsDestination)
	}
	if set["Tags"], err = trailTags(ctx, s, client, arn); err != nil {
		return err
	}
	of := s
	if aws.ToBool(out.MultiRegionEnabled) {
		of = &scope{place: s.run.places[0], cfg: s.cfg, read: s.read} // it takes what all regions record
	}
	of.add(found{typ: typ, id: arn, name: name, from: out, set: set, call: "cloudtrail:GetEventDataStore"})
	s.wantARN(aws.ToString(out.KmsKeyId))
	return nil
}
