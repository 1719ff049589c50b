package aws

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

var trailTypes = []string{"AWS::CloudTrail::Trail", "Assay::CloudTrail::TrailStatus", "AWS::CloudTrail::EventDataStore"}

// serveTrails is a trail of one region, one of all regions whose home is
// another, the organisation's, and three event data stores.
func serveTrails(f *fake) {
	arn := func(region, account, name string) *string {
		return aws.String("arn:aws:cloudtrail:" + region + ":" + account + ":trail/" + name)
	}
	one := types.Trail{
		Name: aws.String("one"), TrailARN: arn(testRegion, testAccount, "one"), HomeRegion: aws.String(testRegion), S3BucketName: aws.String("logs"), IsMultiRegionTrail: aws.Bool(false),
		IsOrganizationTrail: aws.Bool(false), LogFileValidationEnabled: aws.Bool(false), IncludeGlobalServiceEvents: aws.Bool(true),
	}
	all := types.Trail{
		Name: aws.String("all"), TrailARN: arn("us-west-2", testAccount, "all"), HomeRegion: aws.String("us-west-2"), S3BucketName: aws.String("logs"), S3KeyPrefix: aws.String("p"), IsMultiRegionTrail: aws.Bool(true),
		IsOrganizationTrail: aws.Bool(false), LogFileValidationEnabled: aws.Bool(true), KmsKeyId: aws.String("arn:aws:kms:us-west-2:111122223333:key/t"),
		SnsTopicARN: aws.String("arn:aws:sns:us-west-2:111122223333:told"), HasInsightSelectors: aws.Bool(true),
		CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:us-west-2:111122223333:log-group:trail:*"), CloudWatchLogsRoleArn: aws.String("arn:aws:iam::111122223333:role/deliver"),
	}
	org := types.Trail{
		Name: aws.String("org"), TrailARN: arn("us-east-1", "999999999999", "org"), HomeRegion: aws.String("us-east-1"), S3BucketName: aws.String("org-logs"), IsMultiRegionTrail: aws.Bool(true),
		IsOrganizationTrail: aws.Bool(true), LogFileValidationEnabled: aws.Bool(true), HasCustomEventSelectors: aws.Bool(true), HasInsightSelectors: aws.Bool(false),
	}
	onCall(f, func(c *call, in *cloudtrail.DescribeTrailsInput) (*cloudtrail.DescribeTrailsOutput, error) {
		if !aws.ToBool(in.IncludeShadowTrails) {
			f.t.Error("shadow trails are left out")
		}
		if c.region == testRegion {
			return &cloudtrail.DescribeTrailsOutput{TrailList: []types.Trail{one, all, org}}, nil
		}
		return &cloudtrail.DescribeTrailsOutput{TrailList: []types.Trail{all, org}}, nil
	})
	// at fails calls in another region than the trail's, as CloudTrail does.
	at := func(c *call, trail *string) error {
		switch {
		case !strings.HasPrefix(*trail, "arn:aws:cloudtrail:"+c.region+":"):
			return refuse("TrailNotFoundException", "Unknown trail")
		case c.operation != "GetTrailStatus" && !strings.Contains(*trail, testAccount):
			return refuse("CloudTrailARNInvalidException", "you can only access your own")
		}
		return nil
	}
	onCall(f, func(c *call, in *cloudtrail.GetTrailStatusInput) (*cloudtrail.GetTrailStatusOutput, error) {
		return &cloudtrail.GetTrailStatusOutput{IsLogging: aws.Bool(true), LatestDeliveryTime: aws.Time(time.Unix(1700000000, 0).UTC()), LatestDeliveryError: aws.String("AccessDenied")}, at(c, in.Name)
	})
	onCall(f, func(c *call, in *cloudtrail.GetEventSelectorsInput) (*cloudtrail.GetEventSelectorsOutput, error) {
		if strings.HasSuffix(*in.TrailName, "/one") {
			return &cloudtrail.GetEventSelectorsOutput{EventSelectors: []types.EventSelector{{ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true)}}}, at(c, in.TrailName)
		}
		return &cloudtrail.GetEventSelectorsOutput{AdvancedEventSelectors: []types.AdvancedEventSelector{{Name: aws.String("calls"), FieldSelectors: []types.AdvancedFieldSelector{
			{Field: aws.String("eventCategory"), Equals: []string{"Data"}}, {Field: aws.String("resources.type"), Equals: []string{"AWS::Lambda::Function"}},
		}}}}, at(c, in.TrailName)
	})
	onCall(f, func(c *call, in *cloudtrail.GetInsightSelectorsInput) (*cloudtrail.GetInsightSelectorsOutput, error) {
		switch {
		case in.EventDataStore != nil && strings.HasSuffix(*in.EventDataStore, "/s1"):
			return &cloudtrail.GetInsightSelectorsOutput{InsightSelectors: []types.InsightSelector{{InsightType: types.InsightTypeApiErrorRateInsight}}, InsightsDestination: aws.String("arn:aws:cloudtrail:eu-central-1:111122223333:eventdatastore/i")}, nil
		case in.EventDataStore != nil || strings.HasSuffix(*in.TrailName, "/one"):
			return nil, refuse("InsightNotEnabledException", "not on")
		}
		return &cloudtrail.GetInsightSelectorsOutput{InsightSelectors: []types.InsightSelector{{InsightType: types.InsightTypeApiCallRateInsight}}}, at(c, in.TrailName)
	})
	on(f, func(in *cloudtrail.ListTagsInput) (*cloudtrail.ListTagsOutput, error) {
		if strings.Contains(in.ResourceIdList[0], "999999999999") {
			return nil, refuse("CloudTrailARNInvalidException", "you can only access your own")
		}
		return &cloudtrail.ListTagsOutput{ResourceTagList: []types.ResourceTag{{ResourceId: aws.String(in.ResourceIdList[0]), TagsList: []types.Tag{{Key: aws.String("owner"), Value: aws.String("security")}}}}}, nil
	})
	store := func(name string) *string {
		return aws.String("arn:aws:cloudtrail:eu-central-1:111122223333:eventdatastore/" + name)
	}
	on(f, func(in *cloudtrail.ListEventDataStoresInput) (*cloudtrail.ListEventDataStoresOutput, error) {
		out := &cloudtrail.ListEventDataStoresOutput{}
		out.EventDataStores, out.NextToken = page([]types.EventDataStore{{EventDataStoreArn: store("s1"), Name: aws.String("s1")}, {EventDataStoreArn: store("s2"), Name: aws.String("s2")}, {EventDataStoreArn: store("gone")}}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *cloudtrail.GetEventDataStoreInput) (*cloudtrail.GetEventDataStoreOutput, error) {
		switch *in.EventDataStore {
		case *store("s1"):
			return &cloudtrail.GetEventDataStoreOutput{EventDataStoreArn: store("s1"), Name: aws.String("s1"), Status: types.EventDataStoreStatusEnabled, MultiRegionEnabled: aws.Bool(true), KmsKeyId: aws.String(keyARN("s")), RetentionPeriod: aws.Int32(90), TerminationProtectionEnabled: aws.Bool(true), BillingMode: types.BillingModeExtendableRetentionPricing}, nil
		case *store("s2"):
			return &cloudtrail.GetEventDataStoreOutput{EventDataStoreArn: store("s2"), Name: aws.String("s2"), Status: types.EventDataStoreStatusStoppedIngestion, MultiRegionEnabled: aws.Bool(false), FederationStatus: types.FederationStatusEnabled, FederationRoleArn: aws.String("arn:aws:iam::111122223333:role/athena")}, nil
		}
		return nil, refuse("EventDataStoreNotFoundException", "gone")
	})
}

func TestTrails(t *testing.T) {
	golden(t, "cloudtrail", show(t, eachDenied(t, "cloudtrail", serveTrails, only(trailTypes...)), trailTypes...))
}

// TestTrailsLead looks for where a trail's records go, though no function names
// it: in the trail's own region, if that is read.
func TestTrailsLead(t *testing.T) {
	for region, want := range map[string]bool{"us-west-2": true, "eu-west-1": false} {
		f := newFake(t).empty()
		serveTrails(f)
		var asked []string
		onCall(f, func(c *call, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
			asked = append(asked, c.region+" "+*in.KeyId)
			return nil, refuse(keyNotFound, "gone")
		})
		f.open(only("AWS::CloudTrail::Trail", "AWS::KMS::Key"), func(o *Options) { o.Regions = []string{region} }).Collect(t.Context())
		if got := slices.Contains(asked, "us-west-2 arn:aws:kms:us-west-2:111122223333:key/t"); got != want || len(asked) > 1 {
			t.Errorf("%s is read: asked for %v", region, asked)
		}
	}
}
