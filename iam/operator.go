package iam

import (
	"slices"
	"strings"
)

// comparison is what an operator does with one value of the request and one of
// the policy.
type comparison uint8

const (
	compareString comparison = iota
	compareFold
	compareLike
	compareNumber
	compareDate
	compareBool
	compareBinary
	compareIP
	compareARN
	compareNull
)

// order is the relation that a number or date has to the policy's.
type order uint8

const (
	equal order = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// quantifier is the set operator before a condition operator.
type quantifier uint8

const (
	one quantifier = iota // no set operator
	forAll
	forAny
)

// operator is a condition operator, taken apart.
type operator struct {
	comparison comparison
	order      order
	negated    bool
	ifExists   bool
	quantifier quantifier
}

// operators are AWS's condition operators.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]operator{
	"stringequals":              {},
	"stringnotequals":           {negated: true},
	"stringequalsignorecase":    {comparison: compareFold},
	"stringnotequalsignorecase": {comparison: compareFold, negated: true},
	"stringlike":                {comparison: compareLike},
	"stringnotlike":             {comparison: compareLike, negated: true},
	"numericequals":             {comparison: compareNumber},
	"numericnotequals":          {comparison: compareNumber, negated: true},
	"numericlessthan":           {comparison: compareNumber, order: less},
	"numericlessthanequals":     {comparison: compareNumber, order: lessOrEqual},
	"numericgreaterthan":        {comparison: compareNumber, order: greater},
	"numericgreaterthanequals":  {comparison: compareNumber, order: greaterOrEqual},
	"dateequals":                {comparison: compareDate},
	"datenotequals":             {comparison: compareDate, negated: true},
	"datelessthan":              {comparison: compareDate, order: less},
	"datelessthanequals":        {comparison: compareDate, order: lessOrEqual},
	"dategreaterthan":           {comparison: compareDate, order: greater},
	"dategreaterthanequals":     {comparison: compareDate, order: greaterOrEqual},
	"bool":                      {comparison: compareBool},
	"binaryequals":              {comparison: compareBinary},
	"ipaddress":                 {comparison: compareIP},
	"notipaddress":              {comparison: compareIP, negated: true},
	"arnequals":                 {comparison: compareARN},
	"arnlike":                   {comparison: compareARN},
	"arnnotequals":              {comparison: compareARN, negated: true},
	"arnnotlike":                {comparison: compareARN, negated: true},
	"null":                      {comparison: compareNull},
}

// operatorNames are the operators as AWS spells them, for messages.
func operatorNames() []string {
	return []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
	}
}

// parseOperator takes the name of an operator apart. Names do not depend on
// case.
func parseOperator(name string) (operator, bool) {
	name = lower(name)
	q := one
	if rest, ok := strings.CutPrefix(name, "forallvalues:"); ok {
		name, q = rest, forAll
	} else if rest, ok := strings.CutPrefix(name, "foranyvalue:"); ok {
		name, q = rest, forAny
	}
	base, ifExists := strings.CutSuffix(name, "ifexists")
	op, ok := operators[base]
	if !ok || op.comparison == compareNull && (ifExists || q != one) {
		return operator{}, false
	}
	op.ifExists, op.quantifier = ifExists, q
	return op, true
}

// Similar is "; did you mean X?" for the name that is nearest to a misspelt
// one, or nothing: the end of a message.
func Similar(name string, names []string) string {
	best, least := "", 1+len(name)/3
	for _, n := range names {
		if d := distance(lower(name), lower(n), least); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance counts the edits between two texts, up to limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
		if slices.Min(row) >= limit {
			return limit
		}
	}
	return row[len(b)]
}
