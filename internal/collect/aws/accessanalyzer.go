package aws

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"assay/internal/estate"
)

func accessanalyzerService() service {
	return service{name: "access-analyzer", reads: []read{
		{
			types:   []string{"AWS::AccessAnalyzer::Analyzer", "Assay::AccessAnalyzer::AnalyzerStatus"},
			actions: []string{"access-analyzer:ListAnalyzers", "access-analyzer:ListArchiveRules"},
			list:    readAnalyzers,
		},
		{
			types:   []string{"Assay::AccessAnalyzer::Finding"},
			actions: []string{"access-analyzer:ListAnalyzers", "access-analyzer:ListFindings"},
			list:    readAccessFindings,
		},
	}}
}

func analyzers(ctx context.Context, s *scope, client *accessanalyzer.Client) ([]types.AnalyzerSummary, error) {
	var all []types.AnalyzerSummary
	err := each(ctx, s, "access-analyzer:ListAnalyzers", accessanalyzer.NewListAnalyzersPaginator(client, &accessanalyzer.ListAnalyzersInput{}), func(out *accessanalyzer.ListAnalyzersOutput) error {
		all = append(all, out.Analyzers...)
		return nil
	})
	return all, err
}

func readAnalyzers(ctx context.Context, s *scope) error {
	client := accessanalyzer.NewFromConfig(s.cfg)
	all, err := analyzers(ctx, s, client)
	if err != nil {
		return err
	}
	return forEach(ctx, s, all, 1, func(ctx context.Context, a types.AnalyzerSummary) error {
		arn, name := aws.ToString(a.Arn), aws.ToString(a.Name)
		set := fields{"AnalyzerName": str(a.Name), "Tags": tags(a.Tags)}
		if a.Configuration == nil {
			set["AnalyzerConfiguration"] = nil
		}
		var rules []*estate.Value
		pages := accessanalyzer.NewListArchiveRulesPaginator(client, &accessanalyzer.ListArchiveRulesInput{AnalyzerName: a.Name})
		err := each(ctx, s, "access-analyzer:ListArchiveRules", pages, func(out *accessanalyzer.ListArchiveRulesOutput) error {
			for _, r := range out.ArchiveRules {
				rules = append(rules, archiveRule(r))
			}
			return nil
		})
		switch {
		case none(err, notFound):
			return nil // deleted since it was listed
		case err != nil && over(err):
			return err
		case err != nil:
			set["ArchiveRules"] = s.missing(err, arn)
		case len(rules) == 0:
			set["ArchiveRules"] = nil
		default:
			set["ArchiveRules"] = estate.List(rules...)
		}
		s.add(found{typ: "AWS::AccessAnalyzer::Analyzer", id: arn, name: name, from: a, set: set, call: "access-analyzer:ListAnalyzers"})
		status := fields{"AnalyzerArn": estate.String(arn), "AnalyzerName": str(a.Name), "StatusReasonCode": nil}
		if a.StatusReason != nil {
			status["StatusReasonCode"] = word(string(a.StatusReason.Code))
		}
		s.add(found{typ: "Assay::AccessAnalyzer::AnalyzerStatus", id: arn, name: name, from: a, set: status, call: "access-analyzer:ListAnalyzers"})
		return nil
	})
}

// archiveRule is a rule with its conditions as a list, as templates have them.
func archiveRule(r types.ArchiveRuleSummary) *estate.Value {
	var filter []*estate.Value
	for _, property := range slices.Sorted(maps.Keys(r.Filter)) {
		c := r.Filter[property]
		filter = append(filter, some(fields{
			"Property": estate.String(property), "Contains": strs(c.Contains), "Eq": strs(c.Eq), "Exists": flag(c.Exists), "Neq": strs(c.Neq),
		}))
	}
	return some(fields{"RuleName": str(r.RuleName), "Filter": estate.List(filter...)})
}

// readAccessFindings reads what analyzers found in the account itself: one of an
// organisation tells of all accounts.
func readAccessFindings(ctx context.Context, s *scope) error {
	client := accessanalyzer.NewFromConfig(s.cfg)
	all, err := analyzers(ctx, s, client)
	if err != nil {
		return err
	}
	for _, a := range all {
		arn := aws.ToString(a.Arn)
		pages := accessanalyzer.NewListFindingsV2Paginator(client, &accessanalyzer.ListFindingsV2Input{
			AnalyzerArn: a.Arn, Filter: map[string]types.Criterion{"resourceOwnerAccount": {Eq: []string{s.account}}},
		})
		err := each(ctx, s, "access-analyzer:ListFindings", pages, func(out *accessanalyzer.ListFindingsV2Output) error {
			for _, f := range out.Findings {
				id := aws.ToString(f.Id)
				s.add(found{
					typ: "Assay::AccessAnalyzer::Finding", id: arn + "/" + id, name: orElse(aws.ToString(f.Resource), id), from: f,
					set: fields{"AnalyzerArn": estate.String(arn)}, call: "access-analyzer:ListFindingsV2",
				})
			}
			return nil
		})
		if err != nil && !none(err, notFound) {
			return err
		}
	}
	return nil
}
