package aws

import (
	"context"
	"encoding/json"
	goflag "flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

var large = goflag.Bool("large", false, "read 10,000 functions and hold the reading to its bars")

// remoteCall stands for the id of a call of another process, whose request then
// holds the input too.
const remoteCall = "remote"

var remoteHeaders = [...]string{"Assay-Test-Service", "Assay-Test-Operation", "Assay-Test-Action", "Assay-Test-Dir", "Assay-Test-Input", "Assay-Test-Json"}

// sources are the folders of the SDK's services, by the type of an input.
var sources sync.Map

// configureRemote makes clients call the fake of another process.
func configureRemote(cfg *aws.Config) {
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("assayRemote",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				action, _ := ctx.Value(actionKey{}).(string)
				text, err := json.Marshal(in.Parameters)
				if err != nil {
					return middleware.InitializeOutput{}, middleware.Metadata{}, err
				}
				of := reflect.TypeOf(in.Parameters)
				dir, seen := sources.Load(of)
				if !seen {
					dir = serviceSource()
					sources.Store(of, dir)
				}
				values := []string{awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), action, dir.(string), of.String(), string(text)}
				return next.HandleInitialize(context.WithValue(ctx, callKey{}, values), in)
			}), middleware.After)
	}, func(stack *middleware.Stack) error {
		// After all that signs and copies headers, so that little of what is
		// measured is the fake's.
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("assayRemoteHeaders",
			func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				header := in.Request.(*smithyhttp.Request).Header
				header.Set(callHeader, remoteCall)
				values, _ := ctx.Value(callKey{}).([]string)
				for i, value := range values {
					header.Set(remoteHeaders[i], value)
				}
				return next.HandleDeserialize(ctx, in)
			}), middleware.After)
	})
}

// remote is the call that the headers of a request tell.
func (f *fake) remote(r *http.Request) *call {
	value := func(i int) string { return r.Header.Get(remoteHeaders[i]) }
	c := &call{service: value(0), operation: value(1), action: value(2), dir: value(3)}
	f.mu.Lock()
	defer f.mu.Unlock()
	for in := range f.handlers {
		if in.String() == value(4) {
			c.in = reflect.New(in.Elem()).Interface()
			if err := json.Unmarshal([]byte(value(5)), c.in); err != nil {
				f.t.Error(err)
			}
		}
	}
	return c
}

// crowd is a region of n functions, each with a role, a log group, tags and a
// permission, and every tenth with a version, an alias and a URL.
func crowd(t testing.TB, n int) *fake {
	f := newFake(t).empty()
	f.unverified = true
	r := &lambdas{policies: map[string]string{}, aliases: map[string][]types.AliasConfiguration{}, tags: map[string]map[string]string{}, size: 50}
	var roles []iamtypes.RoleDetail
	var durations []iamtypes.Role
	var groups []logtypes.LogGroup
	policy := aws.String(url.PathEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query"],"Resource":"arn:aws:dynamodb:eu-central-1:111122223333:table/orders"},{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`))
	for i := range n {
		name := fmt.Sprintf("service-%05d", i)
		c := function(name)
		c.Role = iamARN("role/" + name)
		c.Environment = &types.EnvironmentResponse{Variables: map[string]string{"STAGE": "production", "TABLE": "orders-" + name, "LOG_LEVEL": "INFO"}}
		c.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String("/aws/lambda/" + name)}
		c.TracingConfig = &types.TracingConfigResponse{Mode: types.TracingModePassThrough}
		c.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(512)}
		c.CodeSha256, c.CodeSize, c.LastModified, c.RevisionId = aws.String(strings.Repeat("a", 44)), 1234567, aws.String("2026-03-04T05:06:07.000+0000"), aws.String("8f6f0f6e-0000-4000-8000-000000000000")
		r.functions = append(r.functions, c)
		arn := functionARN(name)
		r.policies[arn] = policyOf(permission("invoke", arn, `"Principal":{"Service":"events.amazonaws.com"},"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:eu-central-1:111122223333:rule/`+name+`"}}`))
		r.tags[arn] = map[string]string{"team": fmt.Sprint("team-", i%40), "stage": "production"}
		if i%10 == 0 {
			version := c
			version.Version, version.FunctionArn = aws.String("1"), aws.String(arn+":1")
			r.functions = append(r.functions, version)
			r.aliases[name] = []types.AliasConfiguration{{AliasArn: aws.String(arn + ":live"), Name: aws.String("live"), FunctionVersion: aws.String("1")}}
		}
		roles = append(roles, iamtypes.RoleDetail{
			Arn: c.Role, RoleName: aws.String(name), Path: aws.String("/"), AssumeRolePolicyDocument: escaped(trust), RolePolicyList: []iamtypes.PolicyDetail{{PolicyName: aws.String("access"), PolicyDocument: policy}},
			AttachedManagedPolicies: []iamtypes.AttachedPolicy{{PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")}},
		})
		durations = append(durations, iamtypes.Role{Arn: c.Role, RoleName: aws.String(name), MaxSessionDuration: aws.Int32(3600)})
		groups = append(groups, logtypes.LogGroup{Arn: aws.String("arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/" + name + ":*"), LogGroupArn: aws.String("arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/" + name), LogGroupName: aws.String("/aws/lambda/" + name), RetentionInDays: aws.Int32(30), StoredBytes: aws.Int64(12345), LogGroupClass: logtypes.LogGroupClassStandard})
	}
	r.serve(f)
	on(f, func(in *iam.GetAccountAuthorizationDetailsInput) (*iam.GetAccountAuthorizationDetailsOutput, error) {
		out := &iam.GetAccountAuthorizationDetailsOutput{}
		out.RoleDetailList, out.Marker = page(roles, in.Marker, 100)
		out.IsTruncated = out.Marker != nil
		return out, nil
	})
	on(f, func(in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
		out := &iam.ListRolesOutput{}
		out.Roles, out.Marker = page(durations, in.Marker, 100)
		out.IsTruncated = out.Marker != nil
		return out, nil
	})
	on(f, func(in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
		out := &cloudwatchlogs.DescribeLogGroupsOutput{}
		out.LogGroups, out.NextToken = page(groups, in.NextToken, 50)
		return out, nil
	})
	return f
}

// TestLarge reads 10,000 functions in a process of its own, so that what is
// measured is the reading and not the fake.
func TestLarge(t *testing.T) {
	if !*large {
		t.Skip("-large reads 10,000 functions")
	}
	f := crowd(t, 10_000)
	child := exec.Command(os.Args[0], "-test.run=^TestLargeReader$", "-test.v")
	// The command keeps what is small within as much (cmd/assay, memory.go).
	child.Env = append(os.Environ(), readerOf+"="+f.server.URL, "GOGC=400", "GOMEMLIMIT=380MiB")
	out, err := child.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// usage is what this process spent so far, in time and bytes.
func usage() (spent time.Duration, peak int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Maxrss << 10
}

// readerOf names the variable that has the address of the fake to read.
const readerOf = "ASSAY_TEST_READER_OF"

func TestLargeReader(t *testing.T) {
	address := os.Getenv(readerOf)
	if address == "" {
		t.Skip("TestLarge runs it")
	}
	setCredentials(t)
	t.Setenv("AWS_ENDPOINT_URL", address)
	a, err := Open(context.Background(), Options{
		Model: testModel(t), Rates: []byte(fastRates), Regions: []string{testRegion}, Rate: 1, Salt: []byte("salt"), Now: time.Now, configure: configureRemote,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, atFirst := usage()
	t.Logf("%d MB before the reading", atFirst>>20)
	began := time.Now()
	builders := a.Collect(context.Background())
	totals := a.Totals()
	took := time.Since(began)
	spent, peak := usage()
	for _, action := range keys(totals.By) {
		if totals.By[action] > 100 {
			t.Logf("%-42s %6d", action, totals.By[action])
		}
	}
	functions := 0
	for _, b := range builders {
		for _, r := range b.Resources() {
			if r.Type == "AWS::Lambda::Function" {
				functions++
			}
		}
	}
	if functions != 10_000 {
		t.Errorf("%d functions", functions)
	}
	for _, c := range builders[1].Build(testModel(t)).Coverage() {
		if c.Gap() && strings.HasPrefix(c.Type, "AWS::L") { // Lambda and Logs; the fake answers others with nothing
			t.Errorf("%+v", c)
		}
	}
	t.Logf("%d calls, %.2f for each function; %v, %v of CPU, %d MB at most", totals.Calls, float64(totals.Calls)/float64(functions), took.Round(time.Millisecond), spent.Round(10*time.Millisecond), peak>>20)
	if peak > 500<<20 {
		t.Errorf("%d MB at most, and 500 are allowed", peak>>20)
	}
	if spent > 20*time.Second {
		t.Errorf("%v of CPU, and 20 s are allowed", spent)
	}
}

// BenchmarkCollect reads 500 functions; the fake's work is in it.
func BenchmarkCollect(b *testing.B) {
	f := crowd(b, 500)
	a := f.open()
	b.ReportAllocs()
	for b.Loop() {
		a.Collect(context.Background())
	}
	b.ReportMetric(float64(a.Totals().Calls)/float64(b.N)/500, "calls/function")
}
