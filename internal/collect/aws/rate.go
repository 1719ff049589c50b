package aws

import (
	"context"
	_ "embed" // rates.yaml
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.yaml.in/yaml/v4"
	"golang.org/x/time/rate"
)

// published are the quotas that AWS publishes.
//
//go:embed rates.yaml
var published []byte

// family is a set of operations that share one quota of a service.
type family struct {
	Service    string   `yaml:"service"`    // the SDK's id of the service, or * for any other
	Operations []string `yaml:"operations"` // empty: all others of the service
	PerSecond  float64  `yaml:"perSecond"`  // requests a second, of an account in a region
}

func readFamilies(table []byte) ([]family, error) {
	var t struct {
		Families []family `yaml:"families"`
	}
	if err := yaml.Unmarshal(table, &t); err != nil {
		return nil, fmt.Errorf("table of API rates: %w", err)
	}
	for _, f := range t.Families {
		if f.PerSecond <= 0 {
			return nil, fmt.Errorf("table of API rates: %s has no rate", f.Service)
		}
	}
	if len(t.Families) == 0 || t.Families[len(t.Families)-1].Service != "*" {
		return nil, errors.New("table of API rates: expected a last row for any service (*)")
	}
	return t.Families, nil
}

// throttle keeps every family of calls within its share of AWS's quota, in each
// account and region. It slows down where AWS says so, and counts.
type throttle struct {
	families []family
	share    float64 // of the quota, above 0 and at most 1
	cap      int64   // of requests; 0: none
	sent     atomic.Int64
	refused  atomic.Int64 // for being too many
	now      func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]*bucket
	counts  map[string]int64 // by IAM action
}

type bucketKey struct {
	account, region string
	family          int
}

// bucket is a token bucket whose rate halves when AWS throttles and recovers by
// an eighth of its full rate every ten seconds.
type bucket struct {
	*rate.Limiter
	full    rate.Limit
	mu      sync.Mutex
	changed time.Time
}

const recovery = 10 * time.Second

func newThrottle(families []family, share float64, limit int64, now func() time.Time) *throttle {
	return &throttle{families: families, share: share, cap: limit, now: now, buckets: map[bucketKey]*bucket{}, counts: map[string]int64{}}
}

func (t *throttle) bucket(account, region, service, operation string) *bucket {
	at := slices.IndexFunc(t.families, func(f family) bool {
		return (f.Service == "*" || f.Service == service) && (len(f.Operations) == 0 || slices.Contains(f.Operations, operation))
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	key := bucketKey{account, region, at}
	b := t.buckets[key]
	if b == nil {
		limit := rate.Limit(t.families[at].PerSecond * t.share)
		b = &bucket{Limiter: rate.NewLimiter(limit, max(1, int(limit))), full: limit}
		t.buckets[key] = b
	}
	return b
}

func (t *throttle) count(ctx context.Context) {
	if action, ok := ctx.Value(actionKey{}).(string); ok {
		t.mu.Lock()
		t.counts[action]++
		t.mu.Unlock()
	}
}

func (b *bucket) slower(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed = now
	b.SetLimit(max(b.Limit()/2, b.full/32))
}

func (b *bucket) recover(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Limit() < b.full && now.Sub(b.changed) >= recovery {
		b.changed = now
		b.SetLimit(min(b.Limit()+b.full/8, b.full))
	}
}

// attach makes every attempt of every client of cfg wait for its turn.
func (t *throttle) attach(cfg *aws.Config, account string) {
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("assayRate",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				b := t.bucket(account, awsmiddleware.GetRegion(ctx), awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx))
				if n := t.sent.Add(1); t.cap > 0 && n > t.cap {
					t.sent.Add(-1)
					return middleware.FinalizeOutput{}, middleware.Metadata{}, capped(t.cap)
				}
				t.count(ctx)
				if err := b.Wait(ctx); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
				out, metadata, err := next.HandleFinalize(ctx, in)
				var api smithy.APIError
				if errors.As(err, &api) && throttled(api.ErrorCode()) {
					t.refused.Add(1)
					b.slower(t.now())
				} else {
					b.recover(t.now())
				}
				return out, metadata, err
			}), "Retry", middleware.After)
	})
}

// retries are the SDK's standard ones, with full jitter, which obey a server
// that says when to come back.
type retries struct {
	*retry.Standard
	patience time.Duration // the longest that a server may make us wait
}

func newRetries(attempts int, longest time.Duration) retries {
	return retries{
		Standard: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = attempts, longest
			// The rate is kept by the throttle; a budget of retries on top would
			// make one bad minute lose the rest of the account.
			o.RateLimiter = noBudget{}
			// Every call only reads, so that one whose answer came broken may be
			// sent again.
			o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
				if isUnreadable(err) {
					return aws.TrueTernary
				}
				return aws.UnknownTernary
			}))
		}),
		patience: longest,
	}
}

// RetryDelay implements aws.Retryer.
func (r retries) RetryDelay(attempt int, err error) (time.Duration, error) {
	delay, fault := r.Standard.RetryDelay(attempt, err)
	var response *smithyhttp.ResponseError
	if fault == nil && errors.As(err, &response) && response.Response != nil {
		delay = max(delay, min(retryAfter(response.Response.Header), r.patience))
	}
	return delay, fault
}

// retryAfter is what the header says in seconds; dates, which AWS does not
// send, are left alone.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After")), 64)
	if err != nil || seconds <= 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// noBudget is a retry budget that never runs out.
type noBudget struct{}

func (noBudget) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (noBudget) AddTokens(uint) error { return nil }
