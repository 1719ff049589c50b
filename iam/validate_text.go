package iam

import (
	"net/netip"
	"slices"
	"strings"
)

// variables reports the policy variables of a text that AWS refuses or that
// never have a value.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
func (v *validator) variables(t Text) {
	if v.doc.Version != Version2012 {
		return
	}
	wrong := func(format string, args ...any) {
		v.issue("invalid-variable", LevelError, t.At, "%q: "+format, append([]any{t.Value}, args...)...)
	}
	for rest := t.Value; ; {
		_, after, found := strings.Cut(rest, "${")
		if !found {
			return
		}
		inner, tail, closed := strings.Cut(after, "}")
		if !closed {
			wrong("a policy variable has no closing brace")
			return
		}
		rest = tail
		key, fallback, has := strings.Cut(inner, ",")
		fallback = strings.TrimSpace(fallback)
		switch {
		case inner == "*" || inner == "?" || inner == "$":
		case strings.TrimSpace(key) == "":
			wrong("a policy variable names no key")
		case strings.ContainsAny(key, "*?"):
			wrong("a policy variable takes no wildcard; ${*} and ${?} stand for the characters themselves")
		case strings.TrimSpace(key) != key:
			wrong("a policy variable takes no blanks around its key")
		case has && (len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\''):
			wrong("the default of a policy variable stands in single quotes: ${key, 'default'}")
		case v.data.list(lower(key)):
			wrong("%s may have several values, and so is no policy variable", key)
		case v.data != nil && strings.HasPrefix(lower(key), "aws:"):
			if _, known := v.data.KeyType(key); !known {
				wrong("there is no global condition key %q, and so the variable never has a value", key)
			}
		}
	}
}

// sid reports characters that IAM refuses. Other services take more.
func (v *validator) sid(s *Statement) {
	if (v.use == IdentityPolicy || v.use == TrustPolicy) && strings.ContainsFunc(s.Sid, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	}) {
		v.issue("invalid-sid", LevelError, s.At, "Sid %q; IAM takes letters and digits alone", s.Sid)
	}
}

// reach reports resources that none of the statement's actions works on.
func (v *validator) reach(s *Statement) {
	if v.data == nil || s.Action == nil || s.Resource == nil || v.use == TrustPolicy {
		return
	}
	var types []*ResourceType
	for _, t := range s.Action.Values {
		service, rest, _ := strings.Cut(lower(t.Value), ":")
		known := v.data.service(service)
		if known == nil {
			return // "*", or a service that is not in the table
		}
		p, found := compilePattern(rest, patternForm{wildcards: true}), false
		for name, a := range known.actions {
			if p.matches(name) {
				types, found = append(types, a.Resources...), true
			}
		}
		if !found {
			return // reported by itself
		}
	}
	slices.SortFunc(types, func(a, b *ResourceType) int { return strings.Compare(a.ARN, b.ARN) })
	types = slices.Compact(types)
	for _, t := range s.Resource.Values {
		if !strings.HasPrefix(t.Value, "arn:") || strings.Count(t.Value, ":") < 5 || len(t.Value) > 512 || hasHole(t.Value) {
			continue
		}
		// A variable may hold anything, as a '*' may.
		pattern := opened(t.Value, "*")
		if v.work += len(pattern) * (1 + len(types)); v.work > maxWork {
			return
		}
		works := func(r *ResourceType) bool { return overlap(pattern, opened(r.ARN, Hole(OpenHole, MaxHole))) }
		if len(types) == 0 && pattern != "arn:aws:s3:::*" {
			v.issue("resource-of-other-actions", LevelWarning, t.At, "the statement's actions work on no resource in particular, and so not on %q; expected \"*\"", t.Value)
		} else if len(types) > 0 && !slices.ContainsFunc(types, works) {
			v.issue("resource-of-other-actions", LevelWarning, t.At, "none of the statement's actions works on %q", t.Value)
		}
	}
}

// overlap reports whether a pattern over ARNs matches any ARN of a template whose
// holes stand for what differs.
func overlap(pattern, template string) bool {
	p, a := compileARN(pattern, patternForm{wildcards: true, resource: true}), splitARN(template)
	for i := range p.parts {
		if !possible(p.parts[i].spelt(), symbols(nil, a.parts[i])) {
			return p.reach && possible(p.whole.spelt(), symbols(nil, template))
		}
	}
	return true
}

// opened puts a text in the place of every ${…}.
func opened(s, with string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(with)
		if _, s, found = strings.Cut(rest, "}"); !found {
			return b.String()
		}
	}
}

// conditionValues reports conditions whose values as a whole make no sense.
// before holds the conditions that stand before it, by operator and key in lower
// case.
func (v *validator) conditionValues(c *Condition, before map[[2]string]string, op operator) {
	name := [2]string{c.Operator, lower(c.Key)}
	if other, ok := before[name]; !ok {
		before[name] = c.Key
	} else {
		if other != c.Key {
			v.issue("duplicate-key", LevelError, c.At, "%s has the key %q twice, in different case; AWS takes it once", c.Operator, c.Key)
		}
	}
	switch op.comparison {
	case compareBool, compareNull:
		if len(c.Values.Values) > 1 {
			v.issue("multiple-booleans", LevelError, c.At, "%s on %s has several values; expected true or false", c.Operator, c.Key)
		}
	case compareIP:
		if !strings.EqualFold(c.Key, "aws:SourceIp") || len(c.Values.Values) == 0 {
			return
		}
		for _, t := range c.Values.Values {
			if n, ok := parseNetwork(t.Value); !ok || !private(n) {
				return
			}
		}
		if op.negated {
			v.issue("private-address", LevelWarning, c.At, "%s on aws:SourceIp is met by every address: the key holds public addresses, and these are private; use aws:VpcSourceIp", c.Operator)
		} else {
			v.issue("private-address", LevelError, c.At, "%s on aws:SourceIp is never met: the key holds public addresses, and these are private; use aws:VpcSourceIp", c.Operator)
		}
	}
}

func private(n netip.Prefix) bool {
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10"} {
		if all := netip.MustParsePrefix(p); all.Bits() <= n.Bits() && all.Contains(n.Addr()) {
			return true
		}
	}
	return false
}

// trustAction reports actions that have no place in a trust policy.
func (v *validator) trustAction(t Text, service string) {
	if v.use == TrustPolicy && service != "sts" {
		v.issue("not-of-trust", LevelError, t.At, "action %q: a trust policy takes actions of sts alone, such as sts:AssumeRole", t.Value)
	}
}
