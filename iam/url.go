package iam

import "slices"

// URLRule says whether the rule of October 2025 binds a call of a function URL:
// that both lambda:InvokeFunctionUrl and lambda:InvokeFunction be allowed.
// Accounts that had URLs before were exempt for a time.
// source: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
type URLRule uint8

// The states of the rule in an account and region.
const (
	URLRuleUnknown URLRule = iota
	URLRuleEnforced
	URLRuleExempt
)

// ParseURLRule reads enforced, exempt or unknown.
func ParseURLRule(s string) (URLRule, bool) {
	switch s {
	case "enforced":
		return URLRuleEnforced, true
	case "exempt":
		return URLRuleExempt, true
	case "unknown":
		return URLRuleUnknown, true
	}
	return 0, false
}

// URLRuleInput names the rule's state among what is missing for an answer.
const URLRuleInput = "functionUrlRule"

// InvokeURL makes the two requests that a call of a function URL stands for of
// one for either of them. authType is the URL's, NONE or AWS_IAM; "" leaves the
// key lambda:FunctionUrlAuthType as the request states it.
func InvokeURL(spec RequestSpec, authType string, data *Data) (url, invoke *Request, err error) {
	with := func(action, key, value string) (*Request, error) {
		s := spec
		s.Action = action
		s.Context = make(map[string][]string, len(spec.Context)+1)
		for k, v := range spec.Context {
			s.Context[lower(k)] = v
		}
		if value != "" {
			s.Context[key] = []string{value}
		}
		return NewRequest(s, data)
	}
	if url, err = with("lambda:InvokeFunctionUrl", "lambda:functionurlauthtype", authType); err != nil {
		return nil, nil, err
	}
	invoke, err = with("lambda:InvokeFunction", "lambda:invokedviafunctionurl", "true")
	return url, invoke, err
}

// DecideURL answers a call of a function URL from the answers to its two
// requests: that for lambda:InvokeFunctionUrl and that for
// lambda:InvokeFunction. Where the rule's state is not known and the answers
// differ, so is the decision.
func DecideURL(url, invoke Answer, rule URLRule) Answer {
	both := url
	if url.Decision == Allowed || url.Decision == Unknown && invoke.Decision > Allowed {
		both = invoke
	}
	both.Contested = url.Contested | invoke.Contested
	switch {
	case rule == URLRuleExempt:
		return url
	case rule == URLRuleEnforced || both.Decision == url.Decision:
		return both
	}
	both.Decision = Unknown
	return both
}

// ExplainURL answers a call of a function URL like [DecideURL] and says why.
// Its statements are those of both requests; [Part.Action] tells them apart.
func ExplainURL(url, invoke *Request, s *PolicySet, sem Semantics, rule URLRule) Explanation {
	return explainURL(url, invoke, s, sem, rule, true)
}

func explainURL(url, invoke *Request, s *PolicySet, sem Semantics, rule URLRule, full bool) Explanation {
	x, other := explain(url, s, sem, full), explain(invoke, s, sem, full)
	unsettled := rule == URLRuleUnknown && x.Decision != other.Decision && DecideURL(x.Answer, other.Answer, rule).Decision == Unknown
	x.Answer = DecideURL(x.Answer, other.Answer, rule)
	for _, part := range []struct {
		statements []Part
		action     string
	}{{x.Statements, url.Spec.Action}, {other.Statements, invoke.Spec.Action}} {
		for i := range part.statements {
			part.statements[i].Action = part.action
		}
	}
	x.Statements = append(x.Statements, other.Statements...)
	n := needs{}
	if x.Decision == Unknown {
		n = needs{x.Missing, x.Holes, x.Unread}
		if rule != URLRuleExempt {
			for _, k := range other.Missing {
				n.key(k)
			}
			n.ids = append(n.ids, other.Holes...)
			n.unread = append(n.unread, other.Unread...)
		}
		if unsettled {
			n.key(URLRuleInput)
		}
		n.sort()
	}
	x.Missing, x.Holes, x.Unread = n.keys, slices.Compact(n.ids), n.unread
	if x.Decision == Allowed || x.Decision == ExplicitDeny {
		x.Outside = nil
	} else if x.Outside == nil {
		x.Outside = other.Outside
	}
	return x
}
