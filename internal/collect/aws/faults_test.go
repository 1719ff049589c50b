package aws

import (
	"bytes"
	"context"
	goflag "flag"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/checks"
	"assay/iam"
	"assay/internal/access"
	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/estate"
	"assay/tables"
)

var allFaults = goflag.Bool("faults", false, "deny every action in turn, not some of them, and try more fault plans; CI does")

// recorder is an AWS that answers from what moto answered once, with faults.
type recorder struct {
	mu      sync.Mutex
	answers map[string]recorded
	offline bool
	actions map[string]bool
	plan    func(action string, n int) trouble // n counts the action's attempts; nil: none
	counts  map[string]int
	met     map[string]bool // actions that met trouble
}

type recorded struct {
	status int
	header http.Header
	body   []byte
}

// trouble is what goes wrong with one attempt.
type trouble int

const (
	noTrouble trouble = iota
	isDenied
	isThrottled
	isBroken
	isCut
	isCorrupt
	isDropped
)

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	action, _ := req.Context().Value(actionKey{}).(string)
	key := req.Method + " " + req.URL.Path + "?" + req.URL.RawQuery + " " + req.Header.Get("X-Amz-Target") + " " + signedFor(req) + "\n" + string(body)
	r.mu.Lock()
	answer, known := r.answers[key]
	what := noTrouble
	if r.plan != nil && action != "" {
		what = r.plan(action, r.counts[action])
		r.counts[action]++
		if what != noTrouble {
			r.met[action] = true
		}
	}
	if action != "" {
		r.actions[action] = true
	}
	offline := r.offline
	r.mu.Unlock()
	switch {
	case known:
	case offline:
		// A request that was never made when all went well: AWS would answer it,
		// and the recording cannot.
		return nil, fmt.Errorf("not recorded: %s", key)
	default:
		out, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			answer = recorded{status: 0}
		} else {
			data, err := io.ReadAll(out.Body)
			out.Body.Close()
			if err != nil {
				return nil, err
			}
			answer = recorded{out.StatusCode, out.Header, data}
		}
		r.mu.Lock()
		r.answers[key] = answer
		r.mu.Unlock()
	}
	return answer.with(what, req)
}

// signedFor is the region and service of a request's signature.
func signedFor(req *http.Request) string {
	_, scope, _ := strings.Cut(req.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(scope, "/"); len(parts) > 3 {
		return parts[2] + "/" + parts[3]
	}
	return ""
}

func (a recorded) with(what trouble, req *http.Request) (*http.Response, error) {
	refuse := func(status int, code, message string) (*http.Response, error) {
		// Every protocol's form of an error in one answer: clients read their own.
		header := http.Header{"X-Amzn-Errortype": {code}, "Content-Type": {"application/json"}, "Retry-After": {"0"}}
		body := fmt.Sprintf(`{"__type":%q,"code":%q,"message":%q}`, code, code, message)
		if form := req.Header.Get("Content-Type"); strings.Contains(form, "x-www-form-urlencoded") || strings.Contains(signedFor(req), "/s3") {
			body = fmt.Sprintf("<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)
			if strings.Contains(signedFor(req), "/ec2") {
				body = fmt.Sprintf("<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors></Response>", code, message)
			}
			if strings.Contains(signedFor(req), "/s3") {
				body = fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
			}
			header.Set("Content-Type", "text/xml")
		}
		return response(status, header, []byte(body), req), nil
	}
	if a.status == 0 || what == isDropped {
		return nil, io.ErrUnexpectedEOF
	}
	switch what {
	case isDenied:
		return refuse(403, "AccessDeniedException", "not authorized to perform this")
	case isThrottled:
		return refuse(429, "ThrottlingException", "Rate exceeded")
	case isBroken:
		return refuse(500, "InternalFailure", "We failed")
	case isCut:
		out := response(a.status, a.header.Clone(), a.body[:len(a.body)/2], req)
		out.Body = io.NopCloser(io.MultiReader(out.Body, failing{}))
		return out, nil
	case isCorrupt:
		return response(a.status, a.header.Clone(), []byte("\x00<{not what was promised"), req), nil
	}
	return response(a.status, a.header.Clone(), a.body, req), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func response(status int, header http.Header, body []byte, req *http.Request) *http.Response {
	header.Del("Content-Length")
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1, Request: req,
	}
}

// outcomes are what a run says of every resource and check.
type outcomes struct {
	assess.Nothing
	of       map[string]check.Outcome // by scope, resource and check
	coverage map[string]estate.Coverage
	problems []string
	checks   []assess.CheckInfo
	read     map[string]bool // resources, by scope and logical id
}

func (o *outcomes) Header(h *assess.Header) error { o.checks = h.Checks; return nil }
func (o *outcomes) Coverage(c *assess.Coverage) error {
	for _, p := range c.Partial {
		o.coverage[c.Scope+" "+p.Type] = p
	}
	for _, p := range c.Problems {
		o.problems = append(o.problems, p.Message)
	}
	return nil
}
func (o *outcomes) Finding(f *assess.Finding) error {
	o.of[f.Scope+" "+f.Resource.LogicalID+" "+f.Check] = f.Outcome
	o.read[f.Scope+" "+f.Resource.LogicalID] = true
	return nil
}
func (o *outcomes) Decided(d *assess.Decided) error {
	name := d.Scope + " " + d.Resource.LogicalID
	o.read[name] = true
	for _, i := range d.Pass {
		o.of[name+" "+o.checks[i].ID] = check.Pass
	}
	for _, i := range d.NotApplicable {
		o.of[name+" "+o.checks[i].ID] = check.NotApplicable
	}
	return nil
}

// laboratory is a small estate that moto held once, and the whole pipeline.
type laboratory struct {
	aws    *recorder
	config assess.Config
	good   *outcomes // without faults
}

var (
	laboratories sync.Once
	shared       *laboratory // what was recorded once serves all tests
	recordedAt   string
)

func newLaboratory(t *testing.T) *laboratory {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_CA_BUNDLE", "")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	laboratories.Do(func() {
		recordedAt = moto(t)
		t.Setenv("AWS_ENDPOINT_URL", recordedAt)
		shared = record(t, recordedAt)
	})
	if shared == nil {
		t.Skip("moto did not answer before")
	}
	t.Setenv("AWS_ENDPOINT_URL", recordedAt)
	return shared
}

// record builds the estate in moto and reads it once.
func record(t *testing.T, endpoint string) *laboratory {
	t.Helper()
	if out, err := exec.Command("python3", "testdata/moto/build.py", endpoint, t.TempDir(), "12").CombinedOutput(); err != nil {
		t.Fatalf("building the estate: %v\n%s", err, out)
	}
	m := modelOf(t)
	lib, err := check.NewLibrary(m, check.Tables{Runtimes: tables.Runtimes(), TLSPolicies: tables.TLSPolicies(), FIPSEndpoints: tables.FIPSEndpoints(), ServicePrincipals: tables.ServicePrincipals(), Programmes: tables.Programmes()})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	if err := lib.Declare(cat.Parameters); err != nil {
		t.Fatal(err)
	}
	data, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	l := &laboratory{
		aws:    &recorder{answers: map[string]recorded{}, actions: map[string]bool{}},
		config: assess.Config{Model: m, Library: lib, Catalog: cat, Asker: access.New(data, tables.Escalation()).Asker, AsOf: "2026-11-24", Basis: assess.Deployed},
	}
	l.good = l.run(t, nil)
	l.aws.offline = true
	return l
}

// run reads and judges the estate while AWS answers by a plan.
func (l *laboratory) run(t fataler, plan func(action string, n int) trouble) *outcomes {
	l.aws.mu.Lock()
	l.aws.plan, l.aws.counts, l.aws.met = plan, map[string]int{}, map[string]bool{}
	l.aws.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a, err := Open(ctx, Options{
		Model: l.config.Model, Rates: []byte("families: [{service: \"*\", perSecond: 1000000}]"), Regions: []string{"us-east-1"},
		Rate: 1, Attempts: 3, Patience: time.Microsecond, Salt: []byte("test"), Client: &http.Client{Transport: l.aws},
		Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatalf("the account cannot be opened: %v", err)
	}
	o := &outcomes{of: map[string]check.Outcome{}, coverage: map[string]estate.Coverage{}, read: map[string]bool{}}
	source := collect.Live("aws://"+a.ID, a.Collect)
	if _, err := assess.Run(ctx, l.config, [][]collect.Found{{source}}, nil, o); err != nil {
		t.Fatalf("the run does not end: %v", err)
	}
	return o
}

type fataler interface{ Fatalf(string, ...any) }

// TestFaults tries plans of faults on the whole pipeline: nothing passes because
// of one, and everything ends.
func TestFaults(t *testing.T) {
	l := newLaboratory(t)
	plans := 2
	if *allFaults {
		plans = 40
	}
	kinds := []trouble{isDenied, isThrottled, isBroken, isCut, isCorrupt, isDropped}
	for seed := range plans {
		draw := rand.New(rand.NewPCG(1, uint64(seed)))
		share := []int{2, 10, 40, 100}[draw.IntN(4)] // percent of attempts that go wrong
		draw.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		some := slices.Clone(kinds[:1+draw.IntN(len(kinds))])
		got := l.run(t, func(action string, n int) trouble {
			// By action and attempt, so that a plan is the same however calls race.
			h := fnv.New64a()
			fmt.Fprint(h, seed, action, n)
			if roll := int(h.Sum64() >> 33); roll%100 < share {
				return some[roll/100%len(some)]
			}
			return noTrouble
		})
		for name, outcome := range got.of {
			if outcome == check.Pass && l.good.of[name] != check.Pass {
				t.Errorf("plan %d: %s passes because of faults; it was %v", seed, name, l.good.of[name])
			}
		}
		if len(l.aws.met) > 0 && len(got.problems)+len(got.coverage) <= len(l.good.problems)+len(l.good.coverage) && share == 100 {
			t.Errorf("plan %d: nothing is said of faults in %d actions", seed, len(l.aws.met))
		}
	}
}

// TestDenials denies each action in turn. What depended on it becomes unknown,
// and says what would settle it; nothing else changes.
func TestDenials(t *testing.T) {
	l := newLaboratory(t)
	for i, action := range slices.Sorted(maps.Keys(l.aws.actions)) {
		if !*allFaults && i%16 != 0 {
			continue
		}
		t.Run(strings.ReplaceAll(action, ":", "_"), func(t *testing.T) {
			got := l.run(t, func(a string, _ int) trouble {
				if a == action {
					return isDenied
				}
				return noTrouble
			})
			changed := 0
			for name, was := range l.good.of {
				is, there := got.of[name]
				switch {
				case there && is == was:
				case there && is == check.Unknown:
					changed++
				case there:
					t.Errorf("%s was %v and is %v", name, was, is)
				default:
					changed++ // the resource was not read; its type says so, below
				}
			}
			for name := range l.good.read {
				if !got.read[name] && !slices.ContainsFunc(slices.Collect(maps.Values(got.coverage)), func(c estate.Coverage) bool { return c.Gap() && strings.Contains(c.Reason, action) }) &&
					!slices.ContainsFunc(got.problems, func(p string) bool { return strings.Contains(p, "not allowed") }) {
					t.Errorf("%s is not read, and nothing says why", name)
				}
			}
			for name, is := range got.of {
				if _, there := l.good.of[name]; !there && is == check.Pass {
					t.Errorf("%s passes, and was not there", name)
				}
			}
			said := slices.ContainsFunc(got.problems, func(p string) bool { return strings.Contains(p, "not allowed") })
			for _, c := range got.coverage {
				said = said || c.Gap() && strings.Contains(c.Reason, "not allowed")
			}
			// A call that moto never answered well is not told apart.
			service, operation, _ := strings.Cut(action, ":")
			unanswered := slices.ContainsFunc(l.good.problems, func(p string) bool { return strings.HasPrefix(p, service+":") && strings.Contains(p, operation) })
			if !said && changed > 0 && !unanswered {
				t.Errorf("nothing says that %s was denied", action)
			}
		})
	}
}

// TestPrintedPolicyIsEnough decides every action that a run needs by the printed
// policy, with our own engine.
func TestPrintedPolicyIsEnough(t *testing.T) {
	l := newLaboratory(t)
	text, err := Policy("json", nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := iam.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	data, err := iam.NewData(tables.IAMActions(), tables.IAMManagedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	set := &iam.PolicySet{Identity: []*iam.Policy{iam.Compile("printed", d, data)}}
	decide := func(action string) iam.Decision {
		r, err := iam.NewRequest(iam.RequestSpec{Principal: "arn:aws:iam::111122223333:role/assay-reader", Action: action, Resource: "*", ResourceAccount: "111122223333"}, data)
		if err != nil {
			t.Fatalf("%s: %v", action, err)
		}
		return iam.Decide(r, set, iam.Documents).Decision
	}
	for action := range l.aws.actions {
		if got := decide(action); got != iam.Allowed {
			t.Errorf("%s is %v by the printed policy", action, got)
		}
	}
	for _, action := range never {
		if got := decide(action); got != iam.ExplicitDeny {
			t.Errorf("%s is %v by the printed policy", action, got)
		}
	}
}
