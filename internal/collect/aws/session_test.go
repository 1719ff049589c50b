package aws

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// TestOpen says what to do about every way in which an account is not reached.
func TestOpen(t *testing.T) {
	identity := "sts:GetCallerIdentity"
	as := func(code, message string) *fault {
		return &fault{operation: identity, status: 403, code: code, message: message}
	}
	assumed := func(o *Options) { o.RoleARN, o.ExternalID = "arn:aws:iam::111122223333:role/r", "external" }
	for name, test := range map[string]struct {
		rule *fault
		with func(*Options)
		env  map[string]string
		want string
	}{
		"wrong profile":      {nil, func(o *Options) { o.Profile = "nobody" }, nil, `AWS configuration: no profile "nobody" in the shared configuration; aws configure list-profiles lists them`},
		"no region":          {nil, func(o *Options) { o.Regions = nil }, nil, "no region: name one with --region, AWS_REGION or in the profile"},
		"no rate":            {nil, func(o *Options) { o.Rate = 0 }, nil, "rate 0: expected a share of AWS's quotas above 0 and at most 1"},
		"too high a rate":    {nil, func(o *Options) { o.Rate = 1.5 }, nil, "rate 1.5: expected a share of AWS's quotas above 0 and at most 1"},
		"no credentials":     {nil, nil, map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials: set AWS_PROFILE or --aws-profile, run aws sso login, or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		"expired token":      {as("ExpiredToken", "The security token included in the request is expired"), nil, nil, "the credentials expired (ExpiredToken): get new ones, with aws sso login or as you got them"},
		"wrong secret":       {as("SignatureDoesNotMatch", "no"), nil, nil, "AWS refuses the signature (SignatureDoesNotMatch): the secret key is wrong, or this machine's clock is more than five minutes off"},
		"deleted key":        {as("InvalidClientTokenId", "no"), nil, nil, "AWS does not know the credentials in eu-central-1 (InvalidClientTokenId): they were deleted, or the region is not switched on for the account"},
		"denied":             {as("AccessDenied", "with an explicit deny in a service control policy"), nil, nil, "sts:GetCallerIdentity is not allowed by a service control policy of the organisation"},
		"odd":                {as("Teapot", "no"), nil, nil, "sts:GetCallerIdentity: refused (Teapot)"},
		"dropped":            {&fault{operation: identity, drop: true}, nil, nil, "sts:GetCallerIdentity: no answer: EOF"},
		"role not assumable": {&fault{operation: "sts:AssumeRole", status: 403, code: "AccessDenied", message: "User is not authorized to perform: sts:AssumeRole"}, assumed, nil, "role arn:aws:iam::111122223333:role/r may not be assumed: its trust policy must let you, with the external id that it asks for"},
		"token of the role":  {&fault{operation: "sts:AssumeRole", status: 403, code: "ExpiredToken", message: "x"}, assumed, nil, "the credentials expired (ExpiredToken): get new ones, with aws sso login or as you got them"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			if test.rule != nil {
				f.fault(test.rule)
			}
			setCredentials(t)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			o := f.options()
			if test.with != nil {
				test.with(&o)
			}
			_, err := Open(context.Background(), o)
			if err == nil {
				t.Fatal("it opens")
			}
			if got, _, _ := strings.Cut(err.Error(), " ("); err.Error() != test.want && got != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestAssume: a role is assumed with its external id, and the account is then
// the role's; the profile's region holds where none is named.
func TestAssume(t *testing.T) {
	f := newFake(t)
	on(f, func(in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
		if aws.ToString(in.ExternalId) != "external" || aws.ToString(in.RoleSessionName) != "assay" {
			return nil, errors.New("another request was expected")
		}
		return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIAX"), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"), Expiration: aws.Time(time.Now().Add(time.Hour).UTC().Truncate(time.Second))}}, nil
	})
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[profile p]\nregion = eu-west-3\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	setCredentials(t)
	t.Setenv("AWS_CONFIG_FILE", file)
	o := f.options()
	o.RoleARN, o.ExternalID, o.Profile, o.Regions = "arn:aws:iam::111122223333:role/r", "external", "p", nil
	a, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{a.ID, a.Partition, a.Caller, strings.Join(a.Regions, ",")}
	if diff := cmp.Diff([]string{testAccount, "aws", "arn:aws:iam::111122223333:role/assay-reader", "eu-west-3"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestRefusers reads from AWS's messages which policy denied, and says what
// would help.
func TestRefusers(t *testing.T) {
	for message, want := range map[string]string{
		"User: u is not authorized to perform: lambda:GetPolicy on resource: r because no identity-based policy allows the lambda:GetPolicy action": "not allowed",
		"User: u is not authorized to perform: lambda:GetPolicy with an explicit deny in a service control policy":                                  "not allowed by a service control policy of the organisation",
		"User: u is not authorized to perform: s3:GetBucketPolicy because no resource control policy allows the s3:GetBucketPolicy action":          "not allowed by a resource control policy of the organisation",
		"User: u is not authorized to perform: lambda:GetPolicy because no permissions boundary allows the lambda:GetPolicy action":                 "not allowed by the permissions boundary",
		"User: u is not authorized to perform: lambda:GetPolicy because no session policy allows the lambda:GetPolicy action":                       "not allowed by the session policy",
		"User: u is not authorized to perform: lambda:GetPolicy because no VPC endpoint policy allows the lambda:GetPolicy action":                  "not allowed by the VPC endpoint's policy",
		"User: u is not authorized to perform: kms:DescribeKey on resource: r because no resource-based policy allows the kms:DescribeKey action":   "not allowed by the resource's policy",
	} {
		if reason, denied := meaning(&smithy.GenericAPIError{Code: "AccessDeniedException", Message: message}); !denied || reason != want {
			t.Errorf("%s: %s", message, reason)
		}
		hint := "grant lambda:GetPolicy on f"
		if _, by, ok := strings.Cut(want, " by "); ok {
			hint = "have lambda:GetPolicy on f allowed by " + by
		}
		if got := (&failure{action: "lambda:GetPolicy", item: "f", reason: want, denied: true}).hint(); got != hint {
			t.Errorf("%s: %s, expected %s", message, got, hint)
		}
	}
}
