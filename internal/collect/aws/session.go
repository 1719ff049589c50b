package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"assay/internal/estate"
)

// Options say what to read and how.
type Options struct {
	Model *estate.Model
	Rates []byte // requests that AWS answers, in the form of rates.yaml; nil: those of rates.yaml

	Regions    []string // empty: the region of the SDK's chain
	Profile    string   // of the shared configuration; empty: the SDK's chain
	RoleARN    string   // to assume first; empty: none
	ExternalID string
	FIPS       bool

	// All reads every resource of each service, not only what functions lead to.
	All bool
	// Filters asks every log group for its subscription filters, not only those that
	// functions let in: whether all send to an archive, say.
	Filters bool
	// Needed, when set, leaves out what fills none of the types.
	Needed func(typeName string) bool

	Rate     float64 // share of AWS's quotas, above 0 and at most 1
	MaxCalls int64   // 0: any number
	Attempts int     // of one call; 0: six
	// Patience is the longest wait before another attempt, and Timeout that for
	// one answer; 0: 20 s and 60 s.
	Patience, Timeout time.Duration

	// Salt keys the hashes that stand for values which are not kept. It must not
	// be guessable.
	Salt []byte

	// Progress, when set, is told now and then how far the run is.
	Progress func(Progress)

	// Now is the clock, by which the rate recovers and progress is told.
	Now func() time.Time

	// Client sends the requests; nil: the SDK's own.
	Client *http.Client

	configure func(*aws.Config) // for tests
}

// Progress is how far a run is.
type Progress struct {
	Calls    int64         // sent so far
	Expected int64         // sent so far and foreseen; more may turn up
	Left     time.Duration // an estimate at the present rate; 0 is not known
}

// Account is an account whose credentials work.
type Account struct {
	ID        string // 12 digits
	Partition string // aws, aws-us-gov, aws-cn
	Caller    string // ARN of who reads it
	Regions   []string

	options Options
	cfg     aws.Config
	limits  *throttle
}

// Open finds credentials by the SDK's chain and asks whose they are. Its errors
// say what to do; they hold no secret.
func Open(ctx context.Context, o Options) (*Account, error) {
	if o.Rate <= 0 || o.Rate > 1 {
		return nil, fmt.Errorf("rate %g: expected a share of AWS's quotas above 0 and at most 1", o.Rate)
	}
	if o.Rates == nil {
		o.Rates = published
	}
	families, err := readFamilies(o.Rates)
	if err != nil {
		return nil, err
	}
	o.Attempts = orElse(o.Attempts, 6)
	o.Patience = orElse(o.Patience, 20*time.Second)
	o.Timeout = orElse(o.Timeout, time.Minute)
	retryer := newRetries(o.Attempts, o.Patience)
	load := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer { return retryer }),
		config.WithLogger(logging.Nop{}), // what matters comes back as an error
	}
	if o.Client != nil {
		load = append(load, config.WithHTTPClient(o.Client))
	} else {
		load = append(load, config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(o.Timeout).WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = parallel * 2 // connections wait for the next call in place of a new handshake
		})))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if len(o.Regions) > 0 {
		load = append(load, config.WithRegion(o.Regions[0]))
	}
	if o.FIPS {
		load = append(load, config.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", configFault(err, o.Profile))
	}
	if cfg.Region == "" {
		return nil, errors.New("no region: name one with --region, AWS_REGION or in the profile")
	}
	if o.configure != nil {
		o.configure(&cfg)
	}
	a := &Account{options: o, limits: newThrottle(families, o.Rate, o.MaxCalls, o.Now)}
	if a.Regions = slices.Compact(slices.Sorted(slices.Values(o.Regions))); len(a.Regions) == 0 {
		a.Regions = []string{cfg.Region}
	}
	if o.RoleARN != "" {
		provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), o.RoleARN, func(r *stscreds.AssumeRoleOptions) {
			r.RoleSessionName = "assay"
			if o.ExternalID != "" {
				r.ExternalID = aws.String(o.ExternalID)
			}
		})
		cfg.Credentials = aws.NewCredentialsCache(provider)
	}
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, identityFault(err, o)
	}
	a.ID, a.Caller = aws.ToString(out.Account), aws.ToString(out.Arn)
	if parts := strings.SplitN(a.Caller, ":", 3); len(parts) == 3 {
		a.Partition = parts[1]
	}
	a.limits.attach(&cfg, a.ID)
	a.cfg = cfg
	return a, nil
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// configFault says what is wrong with the shared configuration.
func configFault(err error, profile string) error {
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) {
		return fmt.Errorf("no profile %q in the shared configuration; aws configure list-profiles lists them", profile)
	}
	return innermost(err)
}

// identityFault says why nobody could be told who we are.
func identityFault(err error, o Options) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		switch code := api.ErrorCode(); {
		case code == "ExpiredToken" || code == "ExpiredTokenException" || code == "RequestExpired":
			return fmt.Errorf("the credentials expired (%s): get new ones, with aws sso login or as you got them", code)
		case code == "SignatureDoesNotMatch" || code == "RequestTimeTooSkewed" || code == "InvalidSignatureException":
			return fmt.Errorf("AWS refuses the signature (%s): the secret key is wrong, or this machine's clock is more than five minutes off", code)
		case slices.Contains(closed, code):
			return fmt.Errorf("AWS does not know the credentials in %s (%s): they were deleted, or the region is not switched on for the account", strings.Join(o.Regions, ", "), code)
		case slices.Contains(denials, code) && o.RoleARN != "":
			return fmt.Errorf("role %s may not be assumed%s: its trust policy must let you, with the external id that it asks for", o.RoleARN, refuser(api.ErrorMessage()))
		case slices.Contains(denials, code):
			return fmt.Errorf("sts:GetCallerIdentity is not allowed%s", refuser(api.ErrorMessage()))
		default:
			return fmt.Errorf("sts:GetCallerIdentity: refused (%s)", code)
		}
	}
	if strings.Contains(err.Error(), "credential") || strings.Contains(err.Error(), "IMDS") {
		return fmt.Errorf("no credentials: set AWS_PROFILE or --aws-profile, run aws sso login, or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (%w)", innermost(err))
	}
	return fmt.Errorf("sts:GetCallerIdentity: no answer: %w", innermost(err))
}
