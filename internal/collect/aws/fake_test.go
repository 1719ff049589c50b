package aws

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay/internal/estate"
	"assay/tables"
)

// fake is an AWS that answers over HTTP. Its answers are the SDK's own Output
// structs, given by handlers that are registered by the type of the Input; what
// the client reads is compared with what the handler gave. A request is told
// from others by a header that a middleware adds, so that nothing is routed by
// path.
type fake struct {
	t      testing.TB
	server *httptest.Server
	client *http.Client

	mu       sync.Mutex
	handlers map[reflect.Type]func(*call) (any, error)
	blank    bool
	calls    map[string]*call
	wires    map[string]*wire
	rules    []*fault
	sent     []string // service:Operation of each attempt, in order of arrival

	last       atomic.Int64
	unverified bool     // for large runs: answers are not compared
	filled     bool     // operations without a handler answer with every member set
	outputs    sync.Map // types of answers by those of requests, once they were seen
}

// call is one call of the client, and all its attempts.
type call struct {
	service, operation string // the SDK's: Lambda, ListFunctions
	region             string
	action             string // the IAM action it was declared by; empty for the collector's own
	in                 any
	dir                string // of the service's source

	mu       sync.Mutex
	answer   any // what the last attempt's handler gave; nil after a fault
	attempts int
}

// name is the operation as failures name it: lambda:GetPolicy.
func (c *call) name() string {
	prefix, _, _ := strings.Cut(c.action, ":")
	if prefix == "" {
		prefix = strings.ToLower(c.service)
	}
	return prefix + ":" + c.operation
}

// The account of the fake and where tests read it.
const (
	testAccount = "111122223333"
	testRegion  = "eu-central-1"
)

func newFake(t testing.TB) *fake {
	f := &fake{t: t, handlers: map[reflect.Type]func(*call) (any, error){}, calls: map[string]*call{}, wires: map[string]*wire{}}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.server.Close)
	dialer := net.Dialer{}
	// Whatever host an endpoint has, it is the fake: services put accounts and
	// buckets before the name.
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, f.server.Listener.Addr().String())
		},
		MaxIdleConnsPerHost: 64,
	}
	t.Cleanup(transport.CloseIdleConnections)
	f.client = &http.Client{Transport: transport, Timeout: 5 * time.Second}
	on(f, func(*sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		return &sts.GetCallerIdentityOutput{Account: aws.String(testAccount), Arn: aws.String("arn:aws:iam::" + testAccount + ":role/assay-reader"), UserId: aws.String("AROAEXAMPLE")}, nil
	})
	return f
}

// on registers what answers an operation, in place of what was there.
func on[In, Out any](f *fake, answer func(*In) (*Out, error)) {
	onCall(f, func(_ *call, in *In) (*Out, error) { return answer(in) })
}

// onCall is [on] for answers that differ by region.
func onCall[In, Out any](f *fake, answer func(*call, *In) (*Out, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handlers[reflect.TypeFor[*In]()] = func(c *call) (any, error) {
		out, err := answer(c, c.in.(*In))
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// always answers every request of an operation alike.
func always[In, Out any](f *fake, out *Out, _ *In) {
	on(f, func(*In) (*Out, error) { return out, nil })
}

// empty lets operations without a handler answer an empty Output. Else they
// fail the test.
func (f *fake) empty() *fake {
	f.blank = true
	return f
}

// page is a page of all items and the token of the next one.
func page[T any](all []T, token *string, size int) ([]T, *string) {
	from := 0
	if token != nil {
		from, _ = strconv.Atoi(strings.TrimPrefix(*token, "page-"))
	}
	to := min(from+size, len(all))
	if to >= len(all) {
		return all[from:to], nil
	}
	return all[from:to], aws.String(fmt.Sprintf("page-%d", to))
}

// refuse is an error of AWS, as handlers return it.
func refuse(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

// fault is what goes wrong with some attempts.
type fault struct {
	operation string           // lambda:GetPolicy; empty: any
	when      func(*call) bool // nil: all of them
	skip      int              // attempts that go well first
	times     int              // attempts that go wrong after those; 0: all

	status     int // of an error: 0 is 400
	code       string
	message    string
	retryAfter string        // the header
	delay      time.Duration // before the answer, which then is a good one
	cut        bool          // the body ends early, and the connection with it
	corrupt    bool          // the body is not in its form
	drop       bool          // no answer
	extend     bool          // members that the SDK does not know

	mu   sync.Mutex
	seen int
}

// Faults that services have.
func denied(operation string) *fault {
	return &fault{operation: operation, status: 403, code: "AccessDenied", message: "User: arn:aws:iam::111122223333:role/assay-reader is not authorized to perform: " + operation + " because no identity-based policy allows the " + operation + " action"}
}

func deniedBySCP(operation string) *fault {
	f := denied(operation)
	f.message = "User: arn:aws:iam::111122223333:role/assay-reader is not authorized to perform: " + operation + " with an explicit deny in a service control policy"
	return f
}

func throttledFor(operation string, times int) *fault {
	return &fault{operation: operation, times: times, status: 429, code: "ThrottlingException", message: "Rate exceeded", retryAfter: "0"}
}

func broken(operation string, times int) *fault {
	return &fault{operation: operation, times: times, status: 500, code: "InternalFailure", message: "We failed"}
}

// fault adds a rule. The first one that matches an attempt holds.
func (f *fake) fault(rules ...*fault) *fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, rules...)
	return f
}

func (r *fault) hits(c *call) bool {
	if r.operation != "" && r.operation != c.name() && r.operation != c.action || r.when != nil && !r.when(c) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen++
	return r.seen > r.skip && (r.times == 0 || r.seen <= r.skip+r.times)
}

const callHeader = "Assay-Test-Call"

// configure makes clients send each call to the fake and check its answer.
func (f *fake) configure(cfg *aws.Config) {
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("assayCall",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				id := strconv.FormatInt(f.last.Add(1), 10)
				action, _ := ctx.Value(actionKey{}).(string)
				c := &call{
					service: awsmiddleware.GetServiceID(ctx), operation: awsmiddleware.GetOperationName(ctx), region: awsmiddleware.GetRegion(ctx),
					action: action, in: in.Parameters, dir: serviceSource(),
				}
				f.mu.Lock()
				f.calls[id] = c
				f.mu.Unlock()
				out, metadata, err := next.HandleInitialize(middleware.WithStackValue(ctx, callKey{}, id), in)
				f.mu.Lock()
				delete(f.calls, id)
				f.mu.Unlock()
				if err == nil {
					f.outputs.Store(reflect.TypeOf(in.Parameters), reflect.TypeOf(out.Result))
				}
				f.verify(c, out.Result, err)
				return out, metadata, err
			}), middleware.After)
		if err != nil {
			return err
		}
		return stack.Build.Add(middleware.BuildMiddlewareFunc("assayCallHeader",
			func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
				id, _ := middleware.GetStackValue(ctx, callKey{}).(string)
				in.Request.(*smithyhttp.Request).Header.Set(callHeader, id)
				return next.HandleBuild(ctx, in)
			}), middleware.After)
	})
}

type callKey struct{}

// serviceSource is the directory of the SDK's client that is calling.
func serviceSource() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, ".(*Client).invokeOperation") {
			return filepath.Dir(frame.File)
		}
		if !more {
			return ""
		}
	}
}

// asGiven compares what a client read with what a handler gave: every exported
// member but the metadata, where nothing is the same as an empty list.
var asGiven = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterPath(func(p cmp.Path) bool {
		field, ok := p.Last().(cmp.StructField)
		return ok && (!token.IsExported(field.Name()) || field.Name() == "ResultMetadata")
	}, cmp.Ignore()),
}

func (f *fake) verify(c *call, read any, err error) {
	c.mu.Lock()
	answer := c.answer
	c.mu.Unlock()
	if answer == nil || f.unverified {
		return
	}
	if err != nil {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			f.t.Errorf("%s: the client could not read an answer: %v", c.name(), err)
		}
		return
	}
	if diff := cmp.Diff(answer, read, asGiven); diff != "" {
		f.t.Errorf("%s: the client read another answer than was given (-given +read):\n%s", c.name(), diff)
	}
}

func (f *fake) wire(dir string) (*wire, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wiresMu.Lock()
	defer wiresMu.Unlock()
	if w := wires[dir]; w != nil {
		return w, nil
	}
	w, err := newWire(dir)
	if err == nil {
		wires[dir] = w
	}
	return w, err
}

// wires are learned once for all tests.
var (
	wiresMu sync.Mutex
	wires   = map[string]*wire{}
)

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get(callHeader)
	f.mu.Lock()
	c := f.calls[id]
	f.mu.Unlock()
	if c == nil && id == remoteCall {
		c = f.remote(r)
	}
	if c == nil {
		http.Error(w, "no such call", http.StatusGone) // given up by the client
		return
	}
	wire, err := f.wire(c.dir)
	if err != nil {
		f.t.Errorf("%s: %v", c.name(), err)
		return
	}
	f.mu.Lock()
	f.sent = append(f.sent, c.name())
	at := slices.IndexFunc(f.rules, func(r *fault) bool { return r.hits(c) })
	var rule *fault
	if at >= 0 {
		rule = f.rules[at]
	}
	handler := f.handlers[reflect.TypeOf(c.in)]
	f.mu.Unlock()
	c.mu.Lock()
	c.answer = nil
	c.attempts++
	c.mu.Unlock()
	if rule != nil && rule.code != "" {
		if rule.retryAfter != "" {
			w.Header().Set("Retry-After", rule.retryAfter)
		}
		write(w, orElse(rule.status, 400))(wire.refusal(c.service, codeFor(wire, rule.code), rule.message))
		return
	}
	if rule != nil && rule.drop {
		panic(http.ErrAbortHandler)
	}
	if rule != nil && rule.delay > 0 {
		select {
		case <-time.After(rule.delay):
		case <-r.Context().Done():
			return
		}
	}
	answer, err := f.answer(c, handler)
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		status := 400
		if api.ErrorFault() == smithy.FaultServer {
			status = 500
		}
		write(w, status)(wire.refusal(c.service, api.ErrorCode(), api.ErrorMessage()))
		return
	case err != nil:
		f.t.Errorf("%s: %v", c.name(), err)
		write(w, 400)(wire.refusal(c.service, "NoHandler", err.Error()))
		return
	}
	var header http.Header
	var body []byte
	if answer == nil {
		header, body = wire.nothing(c.operation)
	} else if header, body, err = wire.answer(c.operation, answer); err != nil {
		f.t.Errorf("%s: %v", c.name(), err)
	}
	switch {
	case rule == nil:
		c.mu.Lock()
		c.answer = answer
		c.mu.Unlock()
	case rule.extend:
		body = wire.extended(body)
		c.mu.Lock()
		c.answer = answer
		c.mu.Unlock()
	case rule.corrupt:
		body = []byte("\x00<html {\"" + string(body[:len(body)/2]))
	case rule.cut:
		for name, values := range header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+10))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	write(w, 200)(header, body)
}

// answer is what the handler of a call gives; nil is an empty answer.
func (f *fake) answer(c *call, handler func(*call) (any, error)) (any, error) {
	if handler != nil {
		return handler(c)
	}
	if !f.blank {
		return nil, fmt.Errorf("no handler for %T", c.in)
	}
	if out, ok := f.outputs.Load(reflect.TypeOf(c.in)); ok && f.filled {
		return fill(out.(reflect.Type).Elem()).Addr().Interface(), nil
	}
	return nil, nil
}

func write(w http.ResponseWriter, status int) func(http.Header, []byte) {
	return func(header http.Header, body []byte) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

// codeFor is how services of a protocol call a denial.
func codeFor(w *wire, code string) string {
	if code != "AccessDenied" {
		return code
	}
	switch w.protocol {
	case "ec2query":
		return "UnauthorizedOperation"
	case "awsquery", "restxml":
		return "AccessDenied"
	}
	return "AccessDeniedException"
}

// fastRates are quotas that no test reaches.
const fastRates = `families: [{service: "*", perSecond: 1000000}]`

// options read the fake without waiting.
func (f *fake) options() Options {
	return Options{
		Model: testModel(f.t), Rates: []byte(fastRates), Regions: []string{testRegion}, Rate: 1, Attempts: 3,
		Patience: time.Millisecond, Timeout: 5 * time.Second, Salt: []byte("salt"), Now: time.Now, Client: f.client, configure: f.configure,
	}
}

// open is the fake's account, read as the options say.
func (f *fake) open(with ...func(*Options)) *Account {
	f.t.Helper()
	setCredentials(f.t)
	o := f.options()
	for _, change := range with {
		change(&o)
	}
	a, err := Open(context.Background(), o)
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

// only leaves out what fills none of the types.
func only(types ...string) func(*Options) {
	return func(o *Options) { o.Needed = func(typ string) bool { return slices.Contains(types, typ) } }
}

// everything is --all.
func everything(o *Options) { o.All = true }

// setCredentials gives the SDK's chain a key, and nothing of this machine.
func setCredentials(t testing.TB) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://aws.test", "AWS_CA_BUNDLE": "",
	} {
		t.Setenv(name, value)
	}
}

var testModel = func() func(testing.TB) *estate.Model {
	load := sync.OnceValues(func() (*estate.Model, error) {
		return estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	})
	return func(t testing.TB) *estate.Model {
		m, err := load()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}()

// asks tells calls about something of that name.
func asks(name string) func(*call) bool {
	return func(c *call) bool {
		in := reflect.ValueOf(c.in).Elem()
		for i := range in.NumField() {
			if !in.Type().Field(i).IsExported() {
				continue
			}
			if text, ok := in.Field(i).Interface().(*string); ok && aws.ToString(text) == name {
				return true
			}
		}
		return false
	}
}
