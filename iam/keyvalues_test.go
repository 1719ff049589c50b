package iam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKeySolver finds values of one key: "operator values" is a condition that has
// to hold, and with "not " before it one that must not.
func TestKeySolver(t *testing.T) {
	const none, unclear = "none", "unsure"
	for _, c := range []struct {
		keyType  string
		required bool
		demands  []string
		want     string
	}{
		{"String", false, nil, "absent"},
		{"String", true, nil, "[•]"},
		{"String", false, []string{"StringEquals a"}, "[a]"},
		{"String", false, []string{"StringEqualsIfExists a"}, "absent"},
		{"String", true, []string{"StringEqualsIfExists a"}, "[a]"},
		{"String", false, []string{"not StringEquals a"}, "absent"},
		{"String", true, []string{"not StringEquals a"}, "[•]"},
		{"String", false, []string{"StringNotEquals a"}, "absent"},
		{"String", false, []string{"not StringNotEquals a"}, "[a]"},
		{"String", false, []string{"not StringNotEquals a b", "StringNotEquals a"}, "[b]"},
		{"String", false, []string{"StringLike a*", "StringLike *b", "StringNotEquals ab"}, "[a•b]"},
		{"String", false, []string{"StringLike a*", "not StringLike *"}, none},
		{"String", false, []string{"StringEqualsIgnoreCase ab", "StringNotEquals ab AB"}, "[Ab]"},
		{"String", false, []string{"StringNotEqualsIgnoreCase ab", "StringEquals aB"}, none},
		{"String", false, []string{"Null true"}, "absent"},
		{"String", false, []string{"Null false"}, "[•]"},
		{"String", false, []string{"Null false", "not StringLike ?*"}, none},
		{"String", false, []string{"not StringLike ?*", "Null true"}, "absent"},
		{"String", true, []string{"Null true", "StringLike *"}, "[]"},
		{"String", false, []string{"Null true false"}, "absent"},
		{"String", false, []string{"not Null true false"}, none},
		{"String", false, []string{"ForAllValues:StringEquals a"}, "absent"},
		{"String", false, []string{"not ForAllValues:StringEquals a"}, "[•]"},
		{"String", false, []string{"ForAnyValue:StringEquals a b", "not ForAnyValue:StringEquals a"}, "[b]"},
		{"String", false, []string{"ForAnyValue:StringEquals a", "ForAnyValue:StringEquals b"}, none},
		{"ArrayOfString", false, []string{"ForAnyValue:StringEquals a", "ForAnyValue:StringEquals b"}, "[a b]"},
		{"ArrayOfString", false, []string{"ForAnyValue:StringEquals a", "ForAllValues:StringEquals b"}, none},
		{"ArrayOfString", false, []string{"ForAnyValue:StringEquals a", "not ForAllValues:StringEquals a"}, "[a •]"},
		{"ArrayOfString", false, []string{"StringEquals a"}, none},
		{"ArrayOfString", false, []string{"not StringNotEquals a"}, "[•]"},
		{"ArrayOfString", false, []string{"ForAnyValue:StringNotEquals a", "not ForAnyValue:StringNotEquals b"}, "[b]"},
		{"", false, []string{"ForAnyValue:StringEquals a", "ForAnyValue:StringEquals b"}, "[a b]"},
		{"", false, []string{"ForAnyValue:StringEquals a", "StringNotEquals a"}, none},
		{"", false, []string{"ForAnyValue:StringEquals a", "not StringNotEquals b", "not StringEquals a"}, "[a •]"},
		{"Numeric", false, []string{"NumericGreaterThan 1", "NumericLessThan 2"}, "[1.5]"},
		{"Numeric", false, []string{"NumericGreaterThan 1", "NumericLessThan 3"}, "[2]"},
		{"Numeric", false, []string{"NumericGreaterThan 1", "NumericLessThanEquals 1"}, none},
		{"Numeric", true, []string{"not NumericGreaterThan 1", "not NumericLessThanEquals 1"}, none},
		{"String", true, []string{"not NumericGreaterThan 1", "not NumericLessThanEquals 1"}, "[something]"},
		{"Numeric", true, []string{"NumericNotEquals 1", "NumericNotEquals 2", "NumericGreaterThanEquals 1", "NumericLessThanEquals 2"}, "[1.5]"},
		{"Numeric", false, []string{"NumericEquals x"}, none},
		{"Bool", false, []string{"Bool true"}, "[true]"},
		{"Bool", true, []string{"not Bool true"}, "[false]"},
		{"Bool", true, []string{"not Bool true", "not Bool false"}, none},
		{"String", true, []string{"not Bool true", "not Bool false"}, "[something]"},
		{"Date", false, []string{"DateGreaterThan 2026-01-01T00:00:00Z", "DateLessThan 2026-01-01T00:00:02Z"}, "[2026-01-01T00:00:01Z]"},
		{"Date", false, []string{"DateGreaterThan 2026-01-01T00:00:00Z", "DateLessThan 2026-01-01T00:00:01Z"}, "[2026-01-01T00:00:00.5Z]"},
		{"Date", false, []string{"DateGreaterThan 1767225600", "DateLessThanEquals 2026-01-01T00:00:00Z"}, none},
		{"Date", false, []string{"DateGreaterThan 1767225600000"}, "[1767225600001]"},
		{"Date", false, []string{"NumericGreaterThan 100", "DateGreaterThan 2026-01-01T00:00:00Z"}, "[1767225601]"},
		{"Date", false, []string{"NumericLessThan 100", "DateGreaterThan 2026-01-01T00:00:00Z"}, unclear},
		{"IPAddress", false, []string{"IpAddress 10.0.0.0/8", "NotIpAddress 10.0.0.0/9"}, "[10.255.255.255]"},
		{"IPAddress", false, []string{"IpAddress 10.0.0.0/8", "NotIpAddress 10.0.0.0/9 10.128.0.0/9"}, none},
		{"IPAddress", true, []string{"NotIpAddress 0.0.0.0/0"}, "[2001:db8::1]"},
		{"IPAddress", true, []string{"NotIpAddress 0.0.0.0/0 ::/0"}, none},
		{"String", true, []string{"NotIpAddress 0.0.0.0/0 ::/0"}, "[something]"},
		{"String", false, []string{"BinaryEquals YQ=="}, "[YQ==]"},
		{"String", true, []string{"not BinaryEquals YQ=="}, "[AA==]"},
		{"ARN", false, []string{"ArnLike arn:aws:s3:::*", "ArnNotEquals arn:aws:s3:::a*"}, "[arn:aws:s3:::•]"},
		{"ARN", false, []string{"ArnLike arn:aws:s3:::*", "not StringLike arn:aws:s3:*"}, none},
		{"ARN", false, []string{"ArnLike *", "ArnNotLike arn:*:*:*:*:*"}, "[•]"},
		{"String", false, []string{"StringEquals a", "NumericEquals 1"}, unclear},
	} {
		t.Run(c.keyType+": "+strings.Join(c.demands, ", "), func(t *testing.T) {
			work := 100_000
			k := keySolver{text: textSolver{work: &work, states: 1000}, vars: &variables{}, ev: evaluator{req: &Request{}}}
			kc := &keyConstraint{name: "k", keyType: c.keyType, required: c.required}
			var conditions []*condition
			for _, d := range c.demands {
				d, not := strings.CutPrefix(d, "not ")
				fields := strings.Fields(d)
				source := &Condition{Operator: fields[0], Key: "k"}
				for _, v := range fields[1:] {
					source.Values.Values = append(source.Values.Values, Text{Value: v})
				}
				compiled := compileCondition(source, patternForm{wildcards: true, variables: true}, nil)
				compiled.list = strings.HasPrefix(c.keyType, "ArrayOf")
				conditions = append(conditions, &compiled)
				kc.lits = append(kc.lits, demand{&compiled, !not})
			}
			v, st := k.solve(kc)
			got := [...]string{none, unclear, "sat"}[st]
			if st == sat {
				texts := []string{}
				for _, letters := range v.values {
					texts = append(texts, write(letters, nil))
				}
				if got = fmt.Sprint(texts); v.absent {
					got = "absent"
				}
				// The evaluator sees it so.
				r := &Request{complete: true, context: requestContext{{"k", contextValue{values: texts, absent: v.absent}}}}
				for i, c := range conditions {
					if have := c.holds(&evaluator{req: r}); have != truthOf(kc.lits[i].want) {
						t.Errorf("demand %d is not met by %s", i, got)
					}
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
