package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"golang.org/x/time/rate"

	"assay/internal/estate"
)

// answering is an HTTP client that answers out of hand, so that only waiting
// takes time.
type answering func(*http.Request) *http.Response

func (f answering) Do(r *http.Request) (*http.Response, error) { return f(r), nil }

func answered(status int, header http.Header, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func well(*http.Request) *http.Response {
	return answered(200, http.Header{"Content-Type": {"application/json"}}, "{}")
}

// slowly is a Lambda client within the published rates, at a share of them.
func slowly(t *testing.T, share float64, limit int64, do answering) (*lambda.Client, *throttle) {
	t.Helper()
	families, err := readFamilies(published)
	if err != nil {
		t.Fatal(err)
	}
	limits := newThrottle(families, share, limit, time.Now)
	r := newRetries(6, 20*time.Second)
	cfg := aws.Config{Region: testRegion, HTTPClient: do, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), Retryer: func() aws.Retryer { return r }}
	limits.attach(&cfg, testAccount)
	return lambda.NewFromConfig(cfg), limits
}

func setting(client *lambda.Client) error {
	_, err := client.GetAccountSettings(context.Background(), &lambda.GetAccountSettingsInput{})
	return err
}

// TestRate: 15 calls a second are AWS's quota of Lambda's reads; a fifth of it
// are 3, and the first 3 wait for nothing. GetPolicy has a quota of its own.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := slowly(t, 0.2, 0, well)
		began := time.Now()
		var wg sync.WaitGroup
		for range 33 {
			wg.Go(func() {
				if err := setting(client); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, err := client.GetPolicy(context.Background(), &lambda.GetPolicyInput{FunctionName: aws.String("f")}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began).Round(100 * time.Millisecond); took != 10*time.Second {
			t.Errorf("33 calls of each took %v", took)
		}
	})
}

// TestThrottled: where AWS says too many, the rate halves and the call waits as
// long as it is told; the rate recovers by an eighth every ten seconds.
func TestThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusals := 2
		client, limits := slowly(t, 0.8, 0, func(r *http.Request) *http.Response {
			if refusals > 0 {
				refusals--
				return answered(429, http.Header{"Content-Type": {"application/json"}, "X-Amzn-Errortype": {"TooManyRequestsException"}, "Retry-After": {"7"}}, `{"message":"Rate exceeded"}`)
			}
			return well(r)
		})
		began := time.Now()
		if err := setting(client); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 14*time.Second || took > 60*time.Second {
			t.Errorf("two refusals took %v", took)
		}
		b := limits.bucket(testAccount, testRegion, "Lambda", "GetAccountSettings")
		for i, want := range []rate.Limit{3, 4.5, 6, 7.5, 9, 10.5, 12, 12} {
			if got := b.Limit(); i > 0 && got != want {
				t.Errorf("step %d: %v a second, want %v", i, got, want)
			}
			time.Sleep(recovery)
			if i == 0 {
				b.SetLimit(3)
			}
			if err := setting(client); err != nil {
				t.Fatal(err)
			}
		}
		if limits.refused.Load() != 2 {
			t.Errorf("%d refusals were counted", limits.refused.Load())
		}
	})
}

// TestPatience: a server that asks for more than our patience gets no more.
func TestPatience(t *testing.T) {
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "0.5": 500 * time.Millisecond, "": 0, "-3": 0, "soon": 0, "Fri, 31 Dec 2027 23:59:59 GMT": 0, "86400": 0} {
		if got := retryAfter(http.Header{"Retry-After": {header}}); got != want {
			t.Errorf("Retry-After %q: %v", header, got)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		client, limits := slowly(t, 1, 0, func(*http.Request) *http.Response {
			return answered(503, http.Header{"X-Amzn-Errortype": {"ServiceUnavailableException"}, "Retry-After": {"3000"}}, "{}")
		})
		began := time.Now()
		var api smithy.APIError
		if err := setting(client); !errors.As(err, &api) {
			t.Error(err)
		}
		if took := time.Since(began); took < 95*time.Second || took > 105*time.Second {
			t.Errorf("five waits took %v", took)
		}
		if limits.sent.Load() != 6 {
			t.Errorf("%d attempts", limits.sent.Load())
		}
	})
}

// TestCap: past the cap nothing is sent, and the run says that it was capped.
func TestCap(t *testing.T) {
	sent := 0
	client, limits := slowly(t, 1, 3, func(r *http.Request) *http.Response { sent++; return well(r) })
	for i := range 5 {
		err := setting(client)
		if (err != nil) != (i >= 3) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if sent != 3 || limits.sent.Load() != 3 {
		t.Errorf("%d were sent, %d counted", sent, limits.sent.Load())
	}
	f := busy().serve(newFake(t))
	got := f.open(only(lambdaTypes()...), func(o *Options) { o.MaxCalls = 9 }).Collect(context.Background())
	if c := coverage(t, got, "AWS::Lambda::Function"); !c.Gap() || !strings.Contains(c.Reason, "the cap of 9 calls was reached; raise --max-calls") {
		t.Errorf("%+v", c)
	}
	if len(f.sent) > 10 { // the one that asked who we are is not counted
		t.Errorf("%d calls", len(f.sent))
	}
}

// TestInterrupted: what was read until then is kept, and it says that it is not
// all.
func TestInterrupted(t *testing.T) {
	f := busy().serve(newFake(t))
	ctx, stop := context.WithCancel(context.Background())
	f.fault(&fault{operation: "lambda:GetRuntimeManagementConfig", delay: time.Minute, when: func(*call) bool { stop(); return true }})
	a := f.open(only(lambdaTypes()...))
	began := time.Now()
	got := a.Collect(ctx)
	if time.Since(began) > 3*time.Second {
		t.Errorf("it took %v to stop", time.Since(began))
	}
	if c := coverage(t, got, "AWS::Lambda::Function"); !c.Gap() || !strings.Contains(c.Reason, reasonInterrupted+"; run it again") {
		t.Errorf("%+v", c)
	}
}

// TestExpired: once the credentials expired nobody is asked about the other
// functions, for hours in a large account, and the run says what to do.
func TestExpired(t *testing.T) {
	const functions = 100
	l := &lambdas{}
	for i := range functions {
		l.functions = append(l.functions, function(fmt.Sprintf("f-%d", i)))
	}
	f := l.serve(newFake(t)).fault(&fault{skip: 2 * functions, status: 403, code: "ExpiredTokenException"})
	got := f.open(only(lambdaTypes()...)).Collect(t.Context())
	if c := coverage(t, got, "AWS::Lambda::Function"); c.State != estate.CoveragePartial || !strings.Contains(c.Reason, reasonExpired+"; get new credentials") {
		t.Errorf("%+v", c)
	}
	if len(f.sent) > 4*functions {
		t.Errorf("%d calls for %d functions", len(f.sent), functions)
	}
}
