package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"assay/internal/estate"
)

// implied are actions that AWS asks for beside that of the call.
var implied = []string{
	"cognito-idp:ListResourcesForWebACL", "elasticloadbalancing:DescribeWebACLAssociation", "logs:DescribeIndexPolicies", "logs:GetTransformer",
}

// deleted is the name of what is listed, and gone when it is asked about. The
// law leaves it out: who may not ask cannot tell.
const deleted = "deleted"

// kept leaves out what is deleted where a fake is under the law.
func kept[T any](f *fake, all []T, name func(T) *string) []T {
	if !f.blank {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return aws.ToString(name(one)) == deleted })
}

// eachDenied reads what serve answers, and reads it again with each action that
// the service declares denied. A reading then says what it says otherwise, or
// that it does not know, and what would have to be granted. An action that is
// never called need not be declared. It returns the reading without denials.
func eachDenied(t *testing.T, service string, serve func(*fake), with ...func(*Options)) []*estate.Builder {
	t.Helper()
	return eachDeniedBut(t, service, implied, serve, with...)
}

// eachDeniedBut is [eachDenied] for a reading that does not call some actions:
// those by which all is listed, or those by which what is named is found.
func eachDeniedBut(t *testing.T, service string, spared []string, serve func(*fake), with ...func(*Options)) []*estate.Builder {
	t.Helper()
	collect := func(rules ...*fault) ([]*estate.Builder, Totals) {
		f := newFake(t).empty().fault(rules...)
		serve(f)
		a := f.open(with...)
		return a.Collect(context.Background()), a.Totals()
	}
	clean, totals := collect()
	for _, s := range services() {
		if s.name != service {
			continue
		}
		var actions []string
		for _, r := range s.reads {
			actions = append(actions, r.actions...)
		}
		slices.Sort(actions)
		for _, action := range slices.Compact(actions) {
			if slices.Contains(spared, action) || totals.By[action] == 0 && slices.Contains(implied, action) {
				continue
			}
			if totals.By[action] == 0 {
				t.Errorf("%s is declared and never called", action)
				continue
			}
			got, _ := collect(denied(action))
			t.Run(action, func(t *testing.T) { losesOnly(t, clean, got, action) })
		}
	}
	return clean
}

// losesOnly holds a reading against a better one of the same account: nothing is
// there, or otherwise, that was not before, and what is gone is told.
func losesOnly(t *testing.T, clean, got []*estate.Builder, action string) {
	t.Helper()
	told := false
	short := map[string]bool{} // types that are not known whole
	for _, b := range got {
		scope := b.Build(testModel(t))
		for _, p := range scope.Problems() {
			told = told || len(p.Hint) >= len("grant "+action) && p.Hint[:len("grant "+action)] == "grant "+action
		}
		for _, c := range scope.Coverage() {
			short[c.Type] = short[c.Type] || c.State == estate.CoverageDenied
		}
		for _, r := range b.Resources() {
			short[r.Type] = short[r.Type] || r.Exists.Kind() == estate.KindDenied
		}
	}
	for i, b := range got {
		before, now := map[string]estate.Resource{}, map[string]estate.Resource{}
		for _, r := range clean[i].Resources() {
			before[r.Type+" "+r.ID] = r
		}
		for _, r := range b.Resources() {
			now[r.Type+" "+r.ID] = r
		}
		for key, r := range before {
			if _, ok := now[key]; !ok && r.Exists == nil && !short[r.Type] {
				t.Errorf("%s is gone, and nothing says so", key)
			}
		}
		for key, r := range now {
			if r.Exists.Kind() == estate.KindDenied {
				continue
			}
			old, ok := before[key]
			if !ok {
				t.Errorf("%s is new", key)
			}
			for _, f := range r.Properties.Fields() {
				if was := old.Properties.Field(f.Name); !holdsDenied(f.Value) && (was == nil || jsonOf(was) != jsonOf(f.Value)) {
					t.Errorf("%s.%s is %s", key, f.Name, jsonOf(f.Value))
				}
			}
			for _, f := range old.Properties.Fields() {
				if r.Properties.Field(f.Name) == nil {
					t.Errorf("%s.%s is not there", key, f.Name)
				}
			}
		}
	}
	if !told {
		t.Errorf("nothing says to grant %s", action)
	}
}

// holdsDenied reports whether a value says, at any depth, that it was denied.
func holdsDenied(v *estate.Value) (found bool) {
	v.Each(func(v *estate.Value) bool {
		found = found || v.Kind() == estate.KindDenied
		return true
	})
	return found
}

// withFunctions lets Lambda answer with functions that have nothing special.
func withFunctions(f *fake, all ...types.FunctionConfiguration) {
	for i := range all {
		all[i].FunctionArn = aws.String("arn:aws:lambda:" + testRegion + ":" + testAccount + ":function:" + *all[i].FunctionName)
		all[i].Version = aws.String("$LATEST")
	}
	always(f, &lambda.ListFunctionsOutput{Functions: all}, &lambda.ListFunctionsInput{})
	always(f, &lambda.GetAccountSettingsOutput{
		AccountLimit: &types.AccountLimit{ConcurrentExecutions: 10, UnreservedConcurrentExecutions: aws.Int32(10)}, AccountUsage: &types.AccountUsage{FunctionCount: int64(len(all))},
	}, &lambda.GetAccountSettingsInput{})
	on(f, func(*lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
		return nil, refuse(notFound, "no policy")
	})
}

// shortly is a reading of what serve answers, in short.
func shortly(t *testing.T, serve func(*fake), shown []string, with ...func(*Options)) string {
	t.Helper()
	f := newFake(t).empty()
	serve(f)
	return show(t, f.open(with...).Collect(context.Background()), shown...)
}

// withPermission lets every function be invoked for the sources.
func withPermission(f *fake, principal string, sources ...string) {
	var statements []string
	for i, source := range sources {
		statements = append(statements, fmt.Sprintf(`{"Sid":"s%d","Effect":"Allow","Principal":{"Service":%q},"Action":"lambda:InvokeFunction","Resource":"RESOURCE","Condition":{"ArnLike":{"AWS:SourceArn":%q}}}`, i, principal, source))
	}
	on(f, func(in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
		policy := `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(statements, ",") + `]}`
		return &lambda.GetPolicyOutput{Policy: aws.String(strings.ReplaceAll(policy, "RESOURCE", aws.ToString(in.FunctionName)))}, nil
	})
}

// addresses are what is collected of some types, one a line.
func addresses(builders []*estate.Builder, types string) string {
	var all []string
	for _, b := range builders {
		for _, r := range b.Resources() {
			if strings.HasPrefix(r.Type, types) {
				all = append(all, r.Address)
			}
		}
	}
	return strings.Join(all, "\n")
}
