package aws

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"

	"assay/internal/estate"
)

func s3Service() service {
	return service{name: "s3", reads: []read{
		{
			types:   []string{"AWS::S3::Bucket", "AWS::S3::BucketPolicy"},
			through: []string{"s3.amazonaws.com"},
			account: true,
			actions: []string{
				"s3:ListAllMyBuckets", "s3:GetBucketLocation", "s3:GetEncryptionConfiguration", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
				"s3:GetBucketVersioning", "s3:GetBucketOwnershipControls", "s3:GetBucketAcl", "s3:GetBucketLogging", "s3:GetBucketNotification",
				"s3:GetLifecycleConfiguration", "s3:GetBucketObjectLockConfiguration", listingAliases, tagging,
			},
			list: func(ctx context.Context, s *scope) error { return readBuckets(ctx, s, nil) },
			named: func(ctx context.Context, s *scope, sought []estate.Named) error {
				names := map[string]bool{}
				for _, n := range sought {
					names[n.Name] = true
				}
				return readBuckets(ctx, s, names)
			},
		},
		{
			types:   []string{"Assay::S3Control::PublicAccessBlock"},
			account: true,
			actions: []string{"s3:GetAccountPublicAccessBlock"},
			list:    readAccountBlock,
		},
	}}
}

// readBuckets reads the account's buckets, or those of some names. A bucket of
// another account has a name like any other: only those that the account lists
// are its own.
func readBuckets(ctx context.Context, s *scope, names map[string]bool) error {
	client := s3.NewFromConfig(s.cfg)
	state, reason := estate.CoverageComplete, ""
	if names != nil {
		state, reason = estate.CoverageLinked, reasonLinked
	}
	var all []types.Bucket
	// The answer tells regions only to a request that has a parameter.
	pages := s3.NewListBucketsPaginator(client, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1000)})
	if err := each(ctx, s, "s3:ListAllMyBuckets", pages, func(out *s3.ListBucketsOutput) error {
		for _, b := range out.Buckets {
			if names == nil || names[aws.ToString(b.Name)] {
				all = append(all, b)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return forEach(ctx, s, all, 10, func(ctx context.Context, b types.Bucket) error {
		name := aws.ToString(b.Name)
		region := aws.ToString(b.BucketRegion)
		if region == "" {
			out, err := do(ctx, s, "s3:GetBucketLocation", client.GetBucketLocation, &s3.GetBucketLocationInput{Bucket: b.Name})
			switch {
			case none(err, "NoSuchBucket"):
				return nil
			case err != nil && over(err):
				return err
			case err != nil:
				s.lost("AWS::S3::Bucket", s.bucketARN(name), fields{"BucketName": estate.String(name)}, err)
				return nil
			}
			region = regionOf(out.LocationConstraint)
		}
		at := s.in(region)
		for _, typ := range s.read.types {
			at.cover(typ, state, reason)
		}
		return readBucket(ctx, at, name)
	})
}

// regionOf is the region of what S3 calls a location. The first region has none,
// and the first of Europe one of its own.
// source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
func regionOf(location types.BucketLocationConstraint) string {
	switch location {
	case "":
		return "us-east-1"
	case types.BucketLocationConstraintEu:
		return "eu-west-1"
	}
	return string(location)
}

func (p *place) bucketARN(name string) string { return "arn:" + p.partition + ":s3:::" + name }

// in is the scope of a region of the account: its place where the region is
// read, and that of the account otherwise.
func (s *scope) in(region string) *scope {
	at := &scope{place: s.place, cfg: s.cfg, read: s.read}
	at.cfg.Region = region
	for _, p := range s.run.places {
		if p.region == region {
			at.place = p
		}
	}
	return at
}

// readBucket reads one bucket in its region.
func readBucket(ctx context.Context, s *scope, name string) error {
	client := s3.NewFromConfig(s.cfg)
	bucket, arn := aws.String(name), s.bucketARN(name)
	policy, err := do(ctx, s, "s3:GetBucketPolicy", client.GetBucketPolicy, &s3.GetBucketPolicyInput{Bucket: bucket})
	switch {
	case none(err, "NoSuchBucket"):
		return nil // deleted since it was listed
	case none(err, "NoSuchBucketPolicy"):
	case err != nil && over(err):
		return err
	case err != nil:
		s.lost("AWS::S3::BucketPolicy", arn+"/policy", fields{"Bucket": estate.String(name)}, err)
	default:
		s.add(found{
			typ: "AWS::S3::BucketPolicy", id: arn + "/policy", name: "policy of " + name, call: "s3:GetBucketPolicy",
			set: fields{"Bucket": estate.String(name), "PolicyDocument": document(aws.ToString(policy.Policy))},
		})
	}
	set := fields{
		"BucketName": estate.String(name), "BucketNamePrefix": nil,
		"BucketEncryption": property(ctx, s, arn, "s3:GetEncryptionConfiguration", client.GetBucketEncryption, &s3.GetBucketEncryptionInput{Bucket: bucket},
			func(out *s3.GetBucketEncryptionOutput) *estate.Value {
				return s.encryption(ctx, orZero(out.ServerSideEncryptionConfiguration).Rules, arn)
			}, "ServerSideEncryptionConfigurationNotFoundError"),
		"PublicAccessBlockConfiguration": property(ctx, s, arn, "s3:GetBucketPublicAccessBlock", client.GetPublicAccessBlock, &s3.GetPublicAccessBlockInput{Bucket: bucket},
			func(out *s3.GetPublicAccessBlockOutput) *estate.Value {
				b := orZero(out.PublicAccessBlockConfiguration)
				return publicBlock(b.BlockPublicAcls, b.BlockPublicPolicy, b.IgnorePublicAcls, b.RestrictPublicBuckets)
			}, noPublicBlock),
		"VersioningConfiguration": property(ctx, s, arn, "s3:GetBucketVersioning", client.GetBucketVersioning, &s3.GetBucketVersioningInput{Bucket: bucket},
			func(out *s3.GetBucketVersioningOutput) *estate.Value {
				return some(fields{"Status": word(string(out.Status))})
			}),
		"OwnershipControls": property(ctx, s, arn, "s3:GetBucketOwnershipControls", client.GetBucketOwnershipControls, &s3.GetBucketOwnershipControlsInput{Bucket: bucket},
			func(out *s3.GetBucketOwnershipControlsOutput) *estate.Value {
				return s.as("AWS::S3::Bucket", "OwnershipControls", out.OwnershipControls, "s3:GetBucketOwnershipControls")
			}, "OwnershipControlsNotFoundError"),
		"LoggingConfiguration": property(ctx, s, arn, "s3:GetBucketLogging", client.GetBucketLogging, &s3.GetBucketLoggingInput{Bucket: bucket}, accessLogging),
		"NotificationConfiguration": property(ctx, s, arn, "s3:GetBucketNotification", client.GetBucketNotificationConfiguration,
			&s3.GetBucketNotificationConfigurationInput{Bucket: bucket}, notifications),
		"LifecycleConfiguration": property(ctx, s, arn, "s3:GetLifecycleConfiguration", client.GetBucketLifecycleConfiguration,
			&s3.GetBucketLifecycleConfigurationInput{Bucket: bucket}, lifecycle, "NoSuchLifecycleConfiguration"),
	}
	set["AccessControl"] = s.cannedACL(ctx, client, bucket, arn, set["OwnershipControls"])
	if v := set["PublicAccessBlockConfiguration"]; v == nil {
		// Nothing is blocked; a template that says nothing leaves it to the day on
		// which the bucket was made.
		set["PublicAccessBlockConfiguration"] = publicBlock(nil, nil, nil, nil)
	}
	set["ObjectLockEnabled"] = nil
	set["ObjectLockConfiguration"] = property(ctx, s, arn, "s3:GetBucketObjectLockConfiguration", client.GetObjectLockConfiguration, &s3.GetObjectLockConfigurationInput{Bucket: bucket},
		func(out *s3.GetObjectLockConfigurationOutput) *estate.Value {
			c := orZero(out.ObjectLockConfiguration)
			set["ObjectLockEnabled"] = estate.Bool(c.ObjectLockEnabled == types.ObjectLockEnabledEnabled)
			if c.Rule == nil {
				return nil // a bucket that has locks, and no rule for them
			}
			return s.as("AWS::S3::Bucket", "ObjectLockConfiguration", c, "s3:GetObjectLockConfiguration")
		}, "ObjectLockConfigurationNotFoundError")
	if v := set["ObjectLockConfiguration"]; v.Kind() == estate.KindDenied || v.Kind() == estate.KindUnknown {
		set["ObjectLockEnabled"] = v
	}
	if s.region != "" { // tags are told by region
		set["Tags"] = s.tagsOf(ctx, "s3", arn)
	}
	s.add(found{typ: "AWS::S3::Bucket", id: arn, name: name, set: set, call: "s3:ListBuckets"})
	return s.ended(ctx, "s3:ListBuckets")
}

// aclGrants are what canned ACLs grant beside the owner's control.
// source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
var aclGrants = map[string][]string{
	"PublicRead":        {"global/AllUsers READ"},
	"PublicReadWrite":   {"global/AllUsers READ", "global/AllUsers WRITE"},
	"AuthenticatedRead": {"global/AuthenticatedUsers READ"},
	"LogDeliveryWrite":  {"s3/LogDelivery READ_ACP", "s3/LogDelivery WRITE"},
}

// cannedACL is the canned ACL of a bucket; nil for the private one, and where the
// owner of the bucket owns all objects and no ACL counts.
func (s *scope) cannedACL(ctx context.Context, client *s3.Client, bucket *string, arn string, ownership *estate.Value) *estate.Value {
	for _, r := range ownership.Field("Rules").Items() {
		if r.Field("ObjectOwnership").AsString() == string(types.ObjectOwnershipBucketOwnerEnforced) {
			return nil
		}
	}
	return property(ctx, s, arn, "s3:GetBucketAcl", client.GetBucketAcl, &s3.GetBucketAclInput{Bucket: bucket}, func(out *s3.GetBucketAclOutput) *estate.Value {
		owner := aws.ToString(orZero(out.Owner).ID)
		var grants []string
		for _, g := range out.Grants {
			to := orZero(g.Grantee)
			if aws.ToString(to.ID) == owner && owner != "" && g.Permission == types.PermissionFullControl {
				continue
			}
			group := strings.TrimPrefix(aws.ToString(to.URI), "http://acs.amazonaws.com/groups/")
			grants = append(grants, group+" "+string(g.Permission))
		}
		if len(grants) == 0 {
			return nil
		}
		slices.Sort(grants)
		for _, canned := range slices.Sorted(maps.Keys(aclGrants)) {
			if slices.Equal(grants, aclGrants[canned]) {
				return estate.String(canned)
			}
		}
		return estate.Unknown("an ACL of its own", "AWS::S3::Bucket.AccessControl")
	})
}

// noPublicBlock is S3's code for what has no block of public access.
const noPublicBlock = "NoSuchPublicAccessBlockConfiguration"

func orZero[T any](v *T) T {
	if v == nil {
		return *new(T)
	}
	return *v
}

func publicBlock(acls, policy, ignore, restrict *bool) *estate.Value {
	return some(fields{
		"BlockPublicAcls": estate.Bool(aws.ToBool(acls)), "BlockPublicPolicy": estate.Bool(aws.ToBool(policy)),
		"IgnorePublicAcls": estate.Bool(aws.ToBool(ignore)), "RestrictPublicBuckets": estate.Bool(aws.ToBool(restrict)),
	})
}

// encryption is how a bucket encrypts. A rule that uses no bucket key is a rule
// that does not speak of one.
func (s *scope) encryption(ctx context.Context, from []types.ServerSideEncryptionRule, arn string) *estate.Value {
	var rules []*estate.Value
	for _, r := range from {
		rule := fields{}
		if aws.ToBool(r.BucketKeyEnabled) {
			rule["BucketKeyEnabled"] = estate.Bool(true)
		}
		if d := r.ApplyServerSideEncryptionByDefault; d != nil {
			rule["ServerSideEncryptionByDefault"] = some(fields{"SSEAlgorithm": word(string(d.SSEAlgorithm)), "KMSMasterKeyID": s.keyOf(ctx, d.KMSMasterKeyID, arn)})
		}
		if b := r.BlockedEncryptionTypes; b != nil {
			var blocked []string
			for _, t := range b.EncryptionType {
				blocked = append(blocked, string(t))
			}
			rule["BlockedEncryptionTypes"] = some(fields{"EncryptionType": strs(blocked)})
		}
		if v := some(rule); v != nil {
			rules = append(rules, v)
		}
	}
	return some(fields{"ServerSideEncryptionConfiguration": listOf(rules)})
}

func accessLogging(out *s3.GetBucketLoggingOutput) *estate.Value {
	l := out.LoggingEnabled
	if l == nil {
		return nil
	}
	f := fields{"DestinationBucketName": str(l.TargetBucket), "LogFilePrefix": str(l.TargetPrefix)}
	if o := l.TargetObjectKeyFormat; o != nil {
		switch {
		case o.PartitionedPrefix != nil:
			f["TargetObjectKeyFormat"] = some(fields{"PartitionedPrefix": some(fields{"PartitionDateSource": word(string(o.PartitionedPrefix.PartitionDateSource))})})
		case o.SimplePrefix != nil:
			f["TargetObjectKeyFormat"] = estate.Map(estate.Field{Name: "SimplePrefix", Value: estate.Map()})
		}
	}
	return some(f)
}

// notifications are those of a bucket as CloudFormation writes them: one for
// each event.
func notifications(out *s3.GetBucketNotificationConfigurationOutput) *estate.Value {
	all := map[string][]*estate.Value{}
	notify := func(kind, property string, target *string, events []types.Event, filter *types.NotificationConfigurationFilter) {
		for _, event := range events {
			all[kind] = append(all[kind], some(fields{"Event": word(string(event)), property: str(target), "Filter": keyFilter(filter)}))
		}
	}
	for _, c := range out.LambdaFunctionConfigurations {
		notify("LambdaConfigurations", "Function", c.LambdaFunctionArn, c.Events, c.Filter)
	}
	for _, c := range out.QueueConfigurations {
		notify("QueueConfigurations", "Queue", c.QueueArn, c.Events, c.Filter)
	}
	for _, c := range out.TopicConfigurations {
		notify("TopicConfigurations", "Topic", c.TopicArn, c.Events, c.Filter)
	}
	f := fields{}
	for kind, configs := range all {
		f[kind] = estate.List(configs...)
	}
	if out.EventBridgeConfiguration != nil {
		f["EventBridgeConfiguration"] = some(fields{"EventBridgeEnabled": estate.Bool(true)})
	}
	return some(f)
}

func keyFilter(filter *types.NotificationConfigurationFilter) *estate.Value {
	if filter == nil || filter.Key == nil || len(filter.Key.FilterRules) == 0 {
		return nil
	}
	var rules []*estate.Value
	for _, r := range filter.Key.FilterRules {
		rules = append(rules, estate.Map(estate.Field{Name: "Name", Value: estate.String(string(r.Name))}, estate.Field{Name: "Value", Value: estate.String(aws.ToString(r.Value))}))
	}
	return some(fields{"S3Key": some(fields{"Rules": estate.List(rules...)})})
}

func lifecycle(out *s3.GetBucketLifecycleConfigurationOutput) *estate.Value {
	var rules []*estate.Value
	for _, r := range out.Rules {
		//lint:ignore SA1019 rules that were made before filters still have their prefix here
		f := fields{"Id": str(r.ID), "Status": word(string(r.Status)), "Prefix": str(r.Prefix)}
		if e := r.Expiration; e != nil {
			f["ExpirationInDays"], f["ExpiredObjectDeleteMarker"] = number(e.Days), flag(e.ExpiredObjectDeleteMarker)
			if e.Date != nil {
				f["ExpirationDate"] = moment(*e.Date)
			}
		}
		if n := r.NoncurrentVersionExpiration; n != nil {
			f["NoncurrentVersionExpiration"] = some(fields{"NoncurrentDays": number(n.NoncurrentDays), "NewerNoncurrentVersions": number(n.NewerNoncurrentVersions)})
		}
		if a := r.AbortIncompleteMultipartUpload; a != nil {
			f["AbortIncompleteMultipartUpload"] = some(fields{"DaysAfterInitiation": number(a.DaysAfterInitiation)})
		}
		var transitions, noncurrent []*estate.Value
		for _, t := range r.Transitions {
			step := fields{"StorageClass": word(string(t.StorageClass)), "TransitionInDays": number(t.Days)}
			if t.Date != nil {
				step["TransitionDate"] = moment(*t.Date)
			}
			transitions = append(transitions, some(step))
		}
		for _, t := range r.NoncurrentVersionTransitions {
			noncurrent = append(noncurrent, some(fields{
				"StorageClass": word(string(t.StorageClass)), "TransitionInDays": number(t.NoncurrentDays), "NewerNoncurrentVersions": number(t.NewerNoncurrentVersions),
			}))
		}
		f["Transitions"], f["NoncurrentVersionTransitions"] = listOf(transitions), listOf(noncurrent)
		lifecycleFilter(f, r.Filter)
		rules = append(rules, some(f))
	}
	return some(fields{"Rules": listOf(rules), "TransitionDefaultMinimumObjectSize": word(string(out.TransitionDefaultMinimumObjectSize))})
}

// lifecycleFilter puts what a rule is about beside the rule, where CloudFormation
// has it.
func lifecycleFilter(f fields, filter *types.LifecycleRuleFilter) {
	if filter == nil {
		return
	}
	tags := slices.Clone(orZero(filter.And).Tags)
	if filter.Tag != nil {
		tags = append(tags, *filter.Tag)
	}
	prefix, more, less := filter.Prefix, filter.ObjectSizeGreaterThan, filter.ObjectSizeLessThan
	if a := filter.And; a != nil {
		prefix, more, less = a.Prefix, a.ObjectSizeGreaterThan, a.ObjectSizeLessThan
	}
	if prefix := str(prefix); prefix != nil {
		f["Prefix"] = prefix
	}
	f["ObjectSizeGreaterThan"], f["ObjectSizeLessThan"] = number(more), number(less)
	var filters []*estate.Value
	for _, t := range tags {
		filters = append(filters, some(fields{"Key": str(t.Key), "Value": estate.String(aws.ToString(t.Value))}))
	}
	f["TagFilters"] = listOf(filters)
}

// readAccountBlock reads what the account blocks for all of its buckets.
func readAccountBlock(ctx context.Context, s *scope) error {
	client := s3control.NewFromConfig(s.cfg)
	b := s3control.GetPublicAccessBlockOutput{}
	out, err := do(ctx, s, "s3:GetAccountPublicAccessBlock", client.GetPublicAccessBlock, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(s.account)})
	switch {
	case none(err, noPublicBlock):
	case err != nil:
		return err
	default:
		b = *out
	}
	c := orZero(b.PublicAccessBlockConfiguration)
	s.add(found{
		typ: "Assay::S3Control::PublicAccessBlock", id: s.account, name: "block of public access", call: "s3:GetPublicAccessBlock",
		set: fields{
			"AccountId": estate.String(s.account), "BlockPublicAcls": estate.Bool(aws.ToBool(c.BlockPublicAcls)), "BlockPublicPolicy": estate.Bool(aws.ToBool(c.BlockPublicPolicy)),
			"IgnorePublicAcls": estate.Bool(aws.ToBool(c.IgnorePublicAcls)), "RestrictPublicBuckets": estate.Bool(aws.ToBool(c.RestrictPublicBuckets)),
		},
	})
	return nil
}
