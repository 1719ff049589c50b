package aws

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"assay/internal/estate"
)

// functionGroups begins the names of the log groups that Lambda makes.
const functionGroups = "/aws/lambda/"

func logsService() service {
	return service{name: "logs", reads: []read{
		{
			// One list has the log groups of all functions, and of those that are
			// gone.
			types:   []string{"Assay::Logs::LogGroupState", "AWS::Logs::LogGroup"},
			actions: []string{"logs:DescribeLogGroups", "logs:GetDataProtectionPolicy", tagging},
			list:    readFunctionGroups,
		},
		{
			types:   []string{"AWS::Logs::LogGroup", "Assay::Logs::LogGroupState"},
			actions: []string{"logs:DescribeLogGroups", "logs:GetDataProtectionPolicy", tagging},
			list:    func(context.Context, *scope) error { return nil }, // the read above then lists all
			named:   readGroups,
		},
		{
			// Log groups are named to it as they are read, and by what functions let in.
			types:   []string{subscriptionFilters},
			through: []string{logsPrincipal},
			actions: []string{"logs:DescribeSubscriptionFilters"},
			named:   readSubscriptionFilters,
		},
		{
			types:   []string{"AWS::Logs::MetricFilter"},
			actions: []string{"logs:DescribeMetricFilters"},
			list:    readMetricFilters,
		},
		{
			types: []string{"AWS::Logs::AccountPolicy"},
			// Each kind of policy asks for the right to read what it stands for, too.
			// source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeAccountPolicies.html
			actions: []string{
				"logs:DescribeAccountPolicies", "logs:DescribeIndexPolicies", "logs:DescribeSubscriptionFilters", "logs:GetDataProtectionPolicy", "logs:GetTransformer",
			},
			list: readLogPolicies,
		},
		{
			types:   []string{"AWS::Logs::ResourcePolicy"},
			actions: []string{"logs:DescribeResourcePolicies"},
			list:    readLogResourcePolicies,
		},
		{
			types:   []string{"AWS::Logs::Destination"},
			actions: []string{"logs:DescribeDestinations", tagging},
			list:    readLogDestinations,
		},
	}}
}

// readFunctionGroups lists the log groups under Lambda's prefix, or all.
func readFunctionGroups(ctx context.Context, s *scope) error {
	in := &cloudwatchlogs.DescribeLogGroupsInput{}
	if !s.run.options.All {
		in.LogGroupNamePrefix = aws.String(functionGroups)
	}
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	return each(ctx, s, "logs:DescribeLogGroups", cloudwatchlogs.NewDescribeLogGroupsPaginator(client, in), func(out *cloudwatchlogs.DescribeLogGroupsOutput) error {
		for _, g := range out.LogGroups {
			if err := addGroup(ctx, s, client, g); err != nil {
				return err
			}
		}
		return nil
	})
}

// readGroups looks for log groups that others name, except under the prefix
// that is listed.
func readGroups(ctx context.Context, s *scope, sought []estate.Named) error {
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	var names []string
	for _, n := range sought {
		if n.Type == "AWS::Logs::LogGroup" && !strings.HasPrefix(n.Name, functionGroups) && !s.has(n.Type, s.groupARN(n.Name)) {
			names = append(names, n.Name)
		}
	}
	return forEach(ctx, s, names, 1, func(ctx context.Context, name string) error {
		// Names come in order, so that the very one is the first of its prefix.
		out, err := do(ctx, s, "logs:DescribeLogGroups", client.DescribeLogGroups, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(name)})
		if err != nil && over(err) {
			return err
		}
		if err != nil {
			s.perhaps("AWS::Logs::LogGroup", s.groupARN(name), fields{"LogGroupName": estate.String(name)}, err)
			return nil
		}
		for _, g := range out.LogGroups {
			if aws.ToString(g.LogGroupName) == name {
				return addGroup(ctx, s, client, g)
			}
		}
		return nil
	})
}

func (p *place) groupARN(name string) string { return p.arnOf("logs", "log-group:"+name) }

func addGroup(ctx context.Context, s *scope, client *cloudwatchlogs.Client, g types.LogGroup) error {
	name := aws.ToString(g.LogGroupName)
	arn := s.groupARN(name)
	set := fields{"DataProtectionPolicy": nil, "Tags": s.tagsOf(ctx, "logs:log-group", arn)}
	if g.DataProtectionStatus != "" && g.DataProtectionStatus != types.DataProtectionStatusDeleted {
		out, err := do(ctx, s, "logs:GetDataProtectionPolicy", client.GetDataProtectionPolicy, &cloudwatchlogs.GetDataProtectionPolicyInput{LogGroupIdentifier: g.LogGroupName})
		switch {
		case none(err, notFound):
		case err != nil && over(err):
			return err
		case err != nil:
			set["DataProtectionPolicy"] = s.missing(err, arn)
		case aws.ToString(out.PolicyDocument) != "":
			set["DataProtectionPolicy"] = document(aws.ToString(out.PolicyDocument))
		}
	}
	s.add(found{typ: "AWS::Logs::LogGroup", id: arn, name: name, from: g, set: set, call: "logs:DescribeLogGroups"})
	s.want(estate.Named{Type: subscriptionFilters, Text: name, Name: name})
	s.add(found{
		typ: "Assay::Logs::LogGroupState", id: arn, name: name, from: g, call: "logs:DescribeLogGroups",
		set: fields{"LogGroupName": estate.String(name), "CreationTime": milliseconds(g.CreationTime)},
	})
	return nil
}

// milliseconds is a time that a service counts in milliseconds since 1970.
func milliseconds(n *int64) *estate.Value {
	if n == nil {
		return nil
	}
	return estate.String(time.UnixMilli(*n).UTC().Format(time.RFC3339))
}

const (
	subscriptionFilters = "AWS::Logs::SubscriptionFilter"
	logsPrincipal       = "logs.amazonaws.com"
)

// readSubscriptionFilters reads where log groups send what they hold. There is
// no list of all, and a call for every group is one for every function. So it asks
// those that a function lets in, and those of a class in which filters do not work;
// of the others it says that it did not ask. Where a function lets in whatever log
// group, and with Filters or All, it asks all.
func readSubscriptionFilters(ctx context.Context, s *scope, sought []estate.Named) error {
	all := s.run.options.All || s.run.options.Filters || s.run.lets(logsPrincipal)
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	return forEach(ctx, s, sought, 1, func(ctx context.Context, n estate.Named) error {
		if !all && s.mayWait(n.Name) {
			s.mayFilter(n.Name)
			return nil
		}
		pages := cloudwatchlogs.NewDescribeSubscriptionFiltersPaginator(client, &cloudwatchlogs.DescribeSubscriptionFiltersInput{LogGroupName: aws.String(n.Name)})
		err := each(ctx, s, "logs:DescribeSubscriptionFilters", pages, func(out *cloudwatchlogs.DescribeSubscriptionFiltersOutput) error {
			for _, f := range out.SubscriptionFilters {
				filter := aws.ToString(f.FilterName)
				set := filterDefaults(f.FilterPattern, f.ApplyOnTransformedLogs)
				if f.Distribution == types.DistributionByLogStream {
					set["Distribution"] = nil
				}
				s.add(found{typ: subscriptionFilters, id: n.Name + "|" + filter, name: filter, from: f, set: set, call: "logs:DescribeSubscriptionFilters"})
			}
			return nil
		})
		switch {
		case err == nil, none(err, notFound):
			return nil
		case over(err):
			return err
		}
		s.lost(subscriptionFilters, n.Name+"|", fields{"LogGroupName": estate.String(n.Name)}, err)
		return nil
	})
}

// groupOf is the name of the log group that an ARN, or a pattern of ARNs, names: the
// one, or something in it.
func groupOf(source string) (string, bool) {
	where, name, ok := strings.Cut(source, ":log-group:")
	name, _, _ = strings.Cut(name, ":")
	return name, ok && name != "" && !strings.ContainsAny(where+name, "*?")
}

// letIn records that a function lets in a log group.
func (p *place) letIn(group string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letGroups[group] = true
}

// mayWait reports whether a log group need not be asked for its filters: no
// function lets it in, and it is of the class in which filters work.
func (p *place) mayWait(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	group := p.resources[typed{"AWS::Logs::LogGroup", p.groupARN(name)}]
	return !p.letGroups[name] && group != nil && group.resource.Properties.Field("LogGroupClass").AsString() == string(types.LogGroupClassStandard)
}

// mayFilter says of a log group that nobody asked for its filters. They lead to no
// function that was read.
func (s *scope) mayFilter(name string) {
	input := "logs:DescribeSubscriptionFilters on " + name
	gap := estate.Unknown(estate.ReasonNotLetIn, input)
	id, pos := "unread "+subscriptionFilters+" of "+name, s.at("logs:DescribeLogGroups")
	s.put(estate.Resource{
		Type: subscriptionFilters, ID: id, LogicalID: id, Address: id, Source: pos,
		Exists: gap, ExistsInput: input + ", which would show whether there is one",
		Properties: s.run.shaper.unread(subscriptionFilters, fields{"LogGroupName": estate.String(name)}, gap, pos),
	}, false)
}

// filterDefaults keeps a pattern that lets everything through, and leaves out
// what a filter does that says nothing of it.
func filterDefaults(pattern *string, transformed bool) fields {
	set := fields{"FilterPattern": estate.String(aws.ToString(pattern))}
	if !transformed {
		set["ApplyOnTransformedLogs"] = nil
	}
	return set
}

func readMetricFilters(ctx context.Context, s *scope) error {
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	pages := cloudwatchlogs.NewDescribeMetricFiltersPaginator(client, &cloudwatchlogs.DescribeMetricFiltersInput{})
	return each(ctx, s, "logs:DescribeMetricFilters", pages, func(out *cloudwatchlogs.DescribeMetricFiltersOutput) error {
		for _, f := range out.MetricFilters {
			name := aws.ToString(f.FilterName)
			s.add(found{
				typ: "AWS::Logs::MetricFilter", id: aws.ToString(f.LogGroupName) + "|" + name, name: name, from: f,
				set: filterDefaults(f.FilterPattern, f.ApplyOnTransformedLogs), call: "logs:DescribeMetricFilters",
			})
		}
		return nil
	})
}

// readLogPolicies reads the policies for all log groups of the account and
// region, kind by kind: there is no call for all kinds.
func readLogPolicies(ctx context.Context, s *scope) error {
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	for _, kind := range types.PolicyType("").Values() {
		in := &cloudwatchlogs.DescribeAccountPoliciesInput{PolicyType: kind}
		for {
			out, err := do(ctx, s, "logs:DescribeAccountPolicies", client.DescribeAccountPolicies, in)
			if none(err, notFound) {
				break
			}
			if err != nil && over(err) {
				return err
			}
			if err != nil {
				s.lost("AWS::Logs::AccountPolicy", string(kind), fields{"PolicyType": estate.String(string(kind))}, err)
				break
			}
			for _, p := range out.AccountPolicies {
				name := aws.ToString(p.PolicyName)
				s.add(found{typ: "AWS::Logs::AccountPolicy", id: string(kind) + "|" + name, name: name, from: p, call: "logs:DescribeAccountPolicies"})
			}
			if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
				break
			}
		}
	}
	return nil
}

func readLogResourcePolicies(ctx context.Context, s *scope) error {
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	in := &cloudwatchlogs.DescribeResourcePoliciesInput{}
	for {
		out, err := do(ctx, s, "logs:DescribeResourcePolicies", client.DescribeResourcePolicies, in)
		if err != nil {
			return err
		}
		s.paged()
		for _, p := range out.ResourcePolicies {
			name := aws.ToString(p.PolicyName)
			s.add(found{typ: "AWS::Logs::ResourcePolicy", id: name, name: name, from: p, call: "logs:DescribeResourcePolicies"})
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return nil
		}
	}
}

func readLogDestinations(ctx context.Context, s *scope) error {
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	pages := cloudwatchlogs.NewDescribeDestinationsPaginator(client, &cloudwatchlogs.DescribeDestinationsInput{})
	return each(ctx, s, "logs:DescribeDestinations", pages, func(out *cloudwatchlogs.DescribeDestinationsOutput) error {
		for _, d := range out.Destinations {
			arn, name := aws.ToString(d.Arn), aws.ToString(d.DestinationName)
			s.add(found{
				typ: "AWS::Logs::Destination", id: arn, name: name, from: d, call: "logs:DescribeDestinations",
				set: fields{"DestinationPolicy": str(d.AccessPolicy), "Tags": s.tagsOf(ctx, "logs:destination", arn)},
			})
		}
		return nil
	})
}
