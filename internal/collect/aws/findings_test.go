package aws

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	analyzertypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	guarddutytypes "github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	"github.com/aws/aws-sdk-go-v2/service/inspector2"
	inspectortypes "github.com/aws/aws-sdk-go-v2/service/inspector2/types"
	"github.com/aws/aws-sdk-go-v2/service/macie2"
	macietypes "github.com/aws/aws-sdk-go-v2/service/macie2/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
)

var (
	guarddutyTypes   = []string{"AWS::GuardDuty::Detector", "Assay::GuardDuty::DetectorStatus", "Assay::GuardDuty::Finding"}
	inspectorTypes   = []string{"Assay::Inspector2::AccountStatus", "Assay::Inspector2::Coverage", "Assay::Inspector2::Finding"}
	securityhubTypes = []string{"Assay::SecurityHub::HubStatus", "Assay::SecurityHub::EnabledStandard"}
	analyzerTypes    = []string{"AWS::AccessAnalyzer::Analyzer", "Assay::AccessAnalyzer::AnalyzerStatus", "Assay::AccessAnalyzer::Finding"}
	macieTypes       = []string{"AWS::Macie::Session"}
)

func serveGuardDuty(f *fake) {
	always(f, &guardduty.ListDetectorsOutput{DetectorIds: []string{"d1"}}, &guardduty.ListDetectorsInput{})
	always(f, &guardduty.GetDetectorOutput{
		Status: guarddutytypes.DetectorStatusEnabled, CreatedAt: aws.String("2026-01-01T00:00:00Z"), FindingPublishingFrequency: guarddutytypes.FindingPublishingFrequencyOneHour, ServiceRole: aws.String("arn:aws:iam::111122223333:role/aws-service-role/guardduty.amazonaws.com/x"),
		Features: []guarddutytypes.DetectorFeatureConfigurationResult{
			{Name: guarddutytypes.DetectorFeatureResultLambdaNetworkLogs, Status: guarddutytypes.FeatureStatusDisabled},
			{Name: guarddutytypes.DetectorFeatureResultRuntimeMonitoring, Status: guarddutytypes.FeatureStatusEnabled, AdditionalConfiguration: []guarddutytypes.DetectorAdditionalConfigurationResult{{Name: guarddutytypes.FeatureAdditionalConfigurationEcsFargateAgentManagement, Status: guarddutytypes.FeatureStatusEnabled}}},
		}, Tags: map[string]string{"a": "b"},
	}, &guardduty.GetDetectorInput{})
	on(f, func(in *guardduty.ListFindingsInput) (*guardduty.ListFindingsOutput, error) {
		if c := in.FindingCriteria.Criterion; fmt.Sprint(c["resource.resourceType"].Equals, c["accountId"].Equals) != "[Lambda] ["+testAccount+"]" {
			f.t.Errorf("findings of %v", c)
		}
		out := &guardduty.ListFindingsOutput{}
		out.FindingIds, out.NextToken = page([]string{"t1", "t2", "t3"}, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *guardduty.GetFindingsInput) (*guardduty.GetFindingsOutput, error) {
		out := &guardduty.GetFindingsOutput{}
		for _, id := range in.FindingIds {
			if id == "t3" {
				continue // gone since it was listed
			}
			out.Findings = append(out.Findings, guarddutytypes.Finding{
				Id: aws.String(id), Arn: aws.String("arn:aws:guardduty:eu-central-1:111122223333:detector/d1/finding/" + id), Type: aws.String("CryptoCurrency:Lambda/BitcoinTool.B"), Severity: aws.Float64(8),
				CreatedAt: aws.String("2026-11-01T00:00:00Z"), UpdatedAt: aws.String("2026-11-02T00:00:00Z"), AccountId: aws.String(testAccount), Region: aws.String(testRegion), SchemaVersion: aws.String("2.0"),
				Resource: &guarddutytypes.Resource{ResourceType: aws.String("Lambda"), LambdaDetails: &guarddutytypes.LambdaDetails{FunctionName: aws.String("orders"), FunctionArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:function:orders")}},
				Service:  &guarddutytypes.Service{Archived: aws.Bool(id == "t2"), Count: aws.Int32(3)},
			})
		}
		return out, nil
	})
}

func TestGuardDuty(t *testing.T) {
	golden(t, "guardduty", show(t, eachDenied(t, "guardduty", serveGuardDuty, only(guarddutyTypes...)), guarddutyTypes...))
}

func serveInspector(f *fake) {
	arn := "arn:aws:lambda:eu-central-1:111122223333:function:orders:$LATEST"
	on(f, func(in *inspector2.BatchGetAccountStatusInput) (*inspector2.BatchGetAccountStatusOutput, error) {
		state := func(s inspectortypes.Status) *inspectortypes.State {
			return &inspectortypes.State{Status: s, ErrorCode: inspectortypes.ErrorCodeAlreadyEnabled}
		}
		return &inspector2.BatchGetAccountStatusOutput{Accounts: []inspectortypes.AccountState{{
			AccountId: aws.String(in.AccountIds[0]), State: state(inspectortypes.StatusEnabled),
			ResourceState: &inspectortypes.ResourceState{Ec2: state(inspectortypes.StatusDisabled), Ecr: state(inspectortypes.StatusDisabled), Lambda: state(inspectortypes.StatusEnabled)},
		}}}, nil
	})
	on(f, func(in *inspector2.ListCoverageInput) (*inspector2.ListCoverageOutput, error) {
		all := []inspectortypes.CoveredResource{
			{AccountId: aws.String(testAccount), ResourceId: aws.String(arn), ResourceType: inspectortypes.CoverageResourceTypeAwsLambdaFunction, ScanType: inspectortypes.ScanTypePackage, ScanStatus: &inspectortypes.ScanStatus{StatusCode: inspectortypes.ScanStatusCodeActive, Reason: inspectortypes.ScanStatusReasonSuccessful}, LastScannedAt: aws.Time(time.Unix(1700000000, 0).UTC())},
			{AccountId: aws.String(testAccount), ResourceId: aws.String(arn), ResourceType: inspectortypes.CoverageResourceTypeAwsLambdaFunction, ScanType: inspectortypes.ScanTypeCode},
		}
		out := &inspector2.ListCoverageOutput{}
		out.CoveredResources, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *inspector2.ListFindingsInput) (*inspector2.ListFindingsOutput, error) {
		finding := func(id string) inspectortypes.Finding {
			return inspectortypes.Finding{
				FindingArn: aws.String("arn:aws:inspector2:eu-central-1:111122223333:finding/" + id), AwsAccountId: aws.String(testAccount), Title: aws.String("CVE-2026-1 in x"), Severity: inspectortypes.SeverityHigh, Status: inspectortypes.FindingStatusActive,
				FirstObservedAt: aws.Time(time.Unix(1700000000, 0).UTC()), Description: aws.String("d"), Remediation: &inspectortypes.Remediation{}, LastObservedAt: aws.Time(time.Unix(1700000000, 0).UTC()), InspectorScore: aws.Float64(7.5),
				Resources: []inspectortypes.Resource{{Id: aws.String(arn), Type: inspectortypes.ResourceTypeAwsLambdaFunction}},
			}
		}
		of, code := finding("f1"), finding("f2")
		of.Type, of.PackageVulnerabilityDetails = inspectortypes.FindingTypePackageVulnerability, &inspectortypes.PackageVulnerabilityDetails{VulnerabilityId: aws.String("CVE-2026-1"), Source: aws.String("NVD")}
		code.Type, code.CodeVulnerabilityDetails = inspectortypes.FindingTypeCodeVulnerability, &inspectortypes.CodeVulnerabilityDetails{DetectorId: aws.String("python/sql-injection@v1.0"), DetectorName: aws.String("SQL injection"), Cwes: []string{"CWE-89"}, FilePath: &inspectortypes.CodeFilePath{FileName: aws.String("a.py"), FilePath: aws.String("a.py"), StartLine: aws.Int32(1), EndLine: aws.Int32(2)}}
		out := &inspector2.ListFindingsOutput{}
		out.Findings, out.NextToken = page([]inspectortypes.Finding{of, code}, in.NextToken, 1)
		return out, nil
	})
}

func TestInspector(t *testing.T) {
	golden(t, "inspector", show(t, eachDenied(t, "inspector2", serveInspector, only(inspectorTypes...)), inspectorTypes...))
}

func serveHub(f *fake) {
	always(f, &securityhub.DescribeHubOutput{HubArn: aws.String("arn:aws:securityhub:eu-central-1:111122223333:hub/default"), AutoEnableControls: aws.Bool(true), ControlFindingGenerator: hubtypes.ControlFindingGeneratorSecurityControl, SubscribedAt: aws.String("2026-01-01T00:00:00Z")}, &securityhub.DescribeHubInput{})
	on(f, func(in *securityhub.GetEnabledStandardsInput) (*securityhub.GetEnabledStandardsOutput, error) {
		var all []hubtypes.StandardsSubscription
		for i, name := range []string{"pci-dss/v/4.0.1", "nist-800-53/v/5.0.0", "cis/v/5.0.0"} {
			status := hubtypes.StandardsStatus("").Values()[i]
			all = append(all, hubtypes.StandardsSubscription{StandardsArn: aws.String("arn:aws:securityhub:eu-central-1::standards/" + name), StandardsSubscriptionArn: aws.String("arn:aws:securityhub:eu-central-1:111122223333:subscription/" + name), StandardsStatus: status, StandardsInput: map[string]string{}})
		}
		out := &securityhub.GetEnabledStandardsOutput{}
		out.StandardsSubscriptions, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
}

func TestSecurityHub(t *testing.T) {
	golden(t, "securityhub", show(t, eachDenied(t, "securityhub", serveHub, only(securityhubTypes...)), securityhubTypes...))
}

func serveAnalyzers(f *fake) {
	arn := func(name string) *string {
		return aws.String("arn:aws:access-analyzer:eu-central-1:111122223333:analyzer/" + name)
	}
	at := aws.Time(time.Unix(1700000000, 0).UTC())
	on(f, func(in *accessanalyzer.ListAnalyzersInput) (*accessanalyzer.ListAnalyzersOutput, error) {
		all := []analyzertypes.AnalyzerSummary{
			{Arn: arn("outside"), Name: aws.String("outside"), Type: analyzertypes.TypeAccount, Status: analyzertypes.AnalyzerStatusActive, CreatedAt: at, LastResourceAnalyzedAt: at, Tags: map[string]string{"a": "b"}},
			{Arn: arn("unused"), Name: aws.String("unused"), Type: analyzertypes.TypeAccountUnusedAccess, Status: analyzertypes.AnalyzerStatusFailed, CreatedAt: at, StatusReason: &analyzertypes.StatusReason{Code: analyzertypes.ReasonCodeServiceLinkedRoleCreationFailed}, Configuration: &analyzertypes.AnalyzerConfigurationMemberUnusedAccess{Value: analyzertypes.UnusedAccessConfiguration{UnusedAccessAge: aws.Int32(90)}}},
		}
		out := &accessanalyzer.ListAnalyzersOutput{}
		out.Analyzers, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *accessanalyzer.ListArchiveRulesInput) (*accessanalyzer.ListArchiveRulesOutput, error) {
		switch *in.AnalyzerName {
		case "unused":
			return &accessanalyzer.ListArchiveRulesOutput{}, nil
		}
		all := []analyzertypes.ArchiveRuleSummary{
			{RuleName: aws.String("r1"), CreatedAt: at, UpdatedAt: at, Filter: map[string]analyzertypes.Criterion{"resourceType": {Eq: []string{"AWS::S3::Bucket"}}, "isPublic": {Exists: aws.Bool(false)}}},
			{RuleName: aws.String("r2"), CreatedAt: at, UpdatedAt: at, Filter: map[string]analyzertypes.Criterion{"principal.AWS": {Contains: []string{"99"}, Neq: []string{"x"}}}},
		}
		out := &accessanalyzer.ListArchiveRulesOutput{}
		out.ArchiveRules, out.NextToken = page(all, in.NextToken, 1)
		return out, nil
	})
	on(f, func(in *accessanalyzer.ListFindingsV2Input) (*accessanalyzer.ListFindingsV2Output, error) {
		if fmt.Sprint(in.Filter["resourceOwnerAccount"].Eq) != "["+testAccount+"]" {
			f.t.Errorf("findings of %v", in.Filter)
		}
		var all []analyzertypes.FindingSummaryV2
		for i, status := range []analyzertypes.FindingStatus{analyzertypes.FindingStatusActive, analyzertypes.FindingStatusArchived} {
			all = append(all, analyzertypes.FindingSummaryV2{
				Id: aws.String(fmt.Sprint("f", i)), FindingType: analyzertypes.FindingTypeExternalAccess, Status: status, ResourceType: analyzertypes.ResourceTypeAwsLambdaFunction, ResourceOwnerAccount: aws.String(testAccount),
				Resource: aws.String("arn:aws:lambda:eu-central-1:111122223333:function:orders"), AnalyzedAt: at, CreatedAt: at, UpdatedAt: at,
			})
		}
		out := &accessanalyzer.ListFindingsV2Output{}
		if *in.AnalyzerArn == *arn("outside") {
			out.Findings, out.NextToken = page(all, in.NextToken, 1)
		}
		return out, nil
	})
}

func TestAnalyzers(t *testing.T) {
	golden(t, "accessanalyzer", show(t, eachDenied(t, "access-analyzer", serveAnalyzers, only(analyzerTypes...)), analyzerTypes...))
}

func TestMacie(t *testing.T) {
	serve := func(f *fake) {
		always(f, &macie2.GetMacieSessionOutput{Status: macietypes.MacieStatusPaused, FindingPublishingFrequency: macietypes.FindingPublishingFrequencyOneHour}, &macie2.GetMacieSessionInput{})
	}
	sameText(t, show(t, eachDenied(t, "macie2", serve, only(macieTypes...)), macieTypes...), `
# 111122223333/eu-central-1
AWS::Macie::Session AWS::Macie::Session/111122223333
    FindingPublishingFrequency: "ONE_HOUR"
    Status: "PAUSED"
`)
}

// TestSwitchedOff reads services that an account does not use: that is known,
// and nothing is missing. What an answer lacks is.
func TestSwitchedOff(t *testing.T) {
	for _, tt := range []struct {
		name  string
		types []string
		serve func(*fake)
		want  string
	}{
		{"guardduty", guarddutyTypes, func(f *fake) {}, ""},
		{"access_analyzer", analyzerTypes, func(f *fake) {}, ""},
		{"analyzer_deleted_since", analyzerTypes, func(f *fake) {
			always(f, &accessanalyzer.ListAnalyzersOutput{Analyzers: []analyzertypes.AnalyzerSummary{{Arn: aws.String("a"), Name: aws.String("a"), CreatedAt: aws.Time(time.Unix(0, 0).UTC()), Status: analyzertypes.AnalyzerStatusActive, Type: analyzertypes.TypeAccount}}}, &accessanalyzer.ListAnalyzersInput{})
			on(f, func(*accessanalyzer.ListArchiveRulesInput) (*accessanalyzer.ListArchiveRulesOutput, error) {
				return nil, refuse(notFound, "gone")
			})
			on(f, func(*accessanalyzer.ListFindingsV2Input) (*accessanalyzer.ListFindingsV2Output, error) {
				return nil, refuse(notFound, "gone")
			})
		}, ""},
		{"securityhub", securityhubTypes, func(f *fake) {
			on(f, func(*securityhub.DescribeHubInput) (*securityhub.DescribeHubOutput, error) {
				return nil, refuse("InvalidAccessException", "Account 111122223333 is not subscribed to AWS Security Hub")
			})
			on(f, func(*securityhub.GetEnabledStandardsInput) (*securityhub.GetEnabledStandardsOutput, error) {
				return nil, refuse("InvalidAccessException", "Account 111122223333 is not subscribed to AWS Security Hub")
			})
		}, ""},
		{"inspector", inspectorTypes, func(f *fake) {
			always(f, &inspector2.BatchGetAccountStatusOutput{Accounts: []inspectortypes.AccountState{{AccountId: aws.String(testAccount), State: &inspectortypes.State{Status: inspectortypes.StatusDisabled}}}}, &inspector2.BatchGetAccountStatusInput{})
			on(f, func(*inspector2.ListCoverageInput) (*inspector2.ListCoverageOutput, error) {
				return nil, refuse("AccessDeniedException", "off")
			})
		}, `
# 111122223333/eu-central-1
Assay::Inspector2::AccountStatus Assay::Inspector2::AccountStatus/111122223333
    AccountId: "111122223333"
    Status: "DISABLED"
`},
		{"inspector_fails", inspectorTypes[:1], func(f *fake) {
			always(f, &inspector2.BatchGetAccountStatusOutput{FailedAccounts: []inspectortypes.FailedAccount{{AccountId: aws.String(testAccount), ErrorCode: inspectortypes.ErrorCodeInternalError}}}, &inspector2.BatchGetAccountStatusInput{})
		}, `
# 111122223333/eu-central-1
partial of Assay::Inspector2::AccountStatus: inspector2:BatchGetAccountStatus: AWS failed to answer for the account (INTERNAL_ERROR)
problem: inspector2:BatchGetAccountStatus: AWS failed to answer for the account (INTERNAL_ERROR)
`},
		{"macie", macieTypes, func(f *fake) {
			on(f, func(*macie2.GetMacieSessionInput) (*macie2.GetMacieSessionOutput, error) {
				return nil, refuse("AccessDeniedException", "Macie is not enabled.")
			})
		}, ""},
		{"macie_says_nothing", macieTypes, func(f *fake) {}, `
# 111122223333/eu-central-1
partial of AWS::Macie::Session: macie2:GetMacieSession: the answer could not be read
problem: macie2:GetMacieSession: the answer could not be read
`},
		{"hub_says_nothing", securityhubTypes[:1], func(f *fake) {}, `
# 111122223333/eu-central-1
partial of Assay::SecurityHub::HubStatus: securityhub:DescribeHub: the answer could not be read
problem: securityhub:DescribeHub: the answer could not be read
`},
	} {
		t.Run(tt.name, func(t *testing.T) { sameText(t, shortly(t, tt.serve, tt.types, only(tt.types...)), tt.want) })
	}
}
