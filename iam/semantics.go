package iam

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Rule is a point of evaluation that AWS's documents leave open, or on which
// other evaluators differ from them. docs/iam.md gives both readings of each.
type Rule uint8

// The contested rules. The comment states the reading of [Documents]; the other
// reading is that of [Peers].
const (
	// SessionBypass: a resource policy that names the session or everyone lets a
	// session of the same account in, whatever its session policy is silent on.
	SessionBypass Rule = iota
	// Version2008Variables: ${…} is literal text unless the document states
	// version 2012-10-17.
	Version2008Variables
	// ServiceLinkedRoleSCP: service control policies do not bind service-linked
	// roles.
	ServiceLinkedRoleSCP
	// UnsupportedRCP: resource control policies have no effect on services that
	// do not support them.
	UnsupportedRCP
	// RootAllowed: the root user needs no policy.
	RootAllowed
	// EscapedWildcard: in StringEquals, "a${*}" equals "a*".
	EscapedWildcard
	// DateEpoch: dates in ISO 8601 and in seconds compare with each other.
	DateEpoch
	// ARNSegments: in a Resource element, a '*' that ends one of the first five
	// parts of an ARN reaches over the colons behind it.
	ARNSegments
	// ForAnyValueIfExists: a key that is absent satisfies ForAnyValue:…IfExists.
	ForAnyValueIfExists
	// SetOperator: a condition without a set operator on a key with several
	// values is not met.
	SetOperator
	// QuestionMark: '?' stands for any one character of Unicode.
	QuestionMark
	// MappedIPv4: ::ffff:192.0.2.1 is not an address of 192.0.2.0/24.
	MappedIPv4
	// NotANumber: a value that is no number does not satisfy NumericNotEquals.
	NotANumber
	// NotPrincipalChain: NotPrincipal spares a role session that is listed
	// together with its role, and not one of which only the role or the account
	// is listed.
	NotPrincipalChain
	// ShortARN: an ARN of fewer than six parts matches nothing in resource
	// policies, control policies and endpoint policies.
	ShortARN
	// EmptyValue: to set operators and Null, a key whose value is the empty text
	// has no value.
	EmptyValue
	// AllBuckets: s3:ListAllMyBuckets is asked of arn:aws:s3:::*, as AWS's
	// examples allow it, and not of "*", as its reference of actions has it.
	AllBuckets

	rules // how many there are
)

var ruleNames = [rules]string{
	"session-bypass", "version-2008-variables", "service-linked-role-scp", "rcp-unsupported-service", "root-allowed",
	"escaped-wildcard-equals", "date-epoch", "arn-segments", "foranyvalue-ifexists", "multi-value-without-set-operator",
	"question-mark-rune", "ipv4-mapped", "numeric-not-a-number", "notprincipal-account", "short-arn",
	"empty-value-null", "list-all-buckets",
}

func (r Rule) String() string { return ruleNames[r] }

// Rules are all contested rules, in order.
func Rules() []Rule {
	all := make([]Rule, rules)
	for i := range all {
		all[i] = Rule(i)
	}
	return all
}

// RuleSet is a set of rules.
type RuleSet uint32

// Has reports whether a rule is in the set.
func (s RuleSet) Has(r Rule) bool { return s&(1<<r) != 0 }

// Rules lists the set, in order.
func (s RuleSet) Rules() []Rule {
	var all []Rule
	for ; s != 0; s &= s - 1 {
		all = append(all, Rule(bits.TrailingZeros32(uint32(s))))
	}
	return all
}

// Semantics says how the contested rules are read. The zero value is
// [Documents].
type Semantics struct {
	Name  string
	other RuleSet // rules that are read otherwise than the documents
}

// The named profiles.
var (
	// Documents follows AWS's documents.
	Documents = Semantics{Name: "documents"}
	// Peers follows what other evaluators do.
	Peers = Semantics{Name: "peers", other: 1<<rules - 1}
)

// ParseSemantics reads "documents", "peers", or either followed by rules that
// are to be read the other way: "documents,-root-allowed".
func ParseSemantics(s string) (Semantics, error) {
	name, rest, more := strings.Cut(s, ",")
	var sem Semantics
	switch name {
	case "", Documents.Name:
		sem = Documents
	case Peers.Name:
		sem = Peers
	default:
		return sem, fmt.Errorf("no semantics %q; expected %s or %s%s", name, Documents.Name, Peers.Name, Similar(name, []string{Documents.Name, Peers.Name}))
	}
	for more {
		name, rest, more = strings.Cut(rest, ",")
		i := slices.Index(ruleNames[:], strings.TrimPrefix(name, "-"))
		if i < 0 {
			return sem, fmt.Errorf("no rule %q; expected one of %s", name, strings.Join(ruleNames[:], ", "))
		}
		sem.other ^= 1 << i
		sem.Name += "," + name
	}
	return sem, nil
}
