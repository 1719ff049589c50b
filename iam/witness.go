package iam

import (
	"slices"
	"strconv"
	"strings"
)

// conclude confirms requests, in plainer words if those do as well.
func (s *search) conclude(specs []RequestSpec) {
	plain, typed := slices.Clone(specs), slices.Clone(specs)
	for i := range plain {
		typed[i].Resource = s.customary(specs[i])
		plain[i], typed[i] = plainer(plain[i]), plainer(typed[i])
	}
	lists := [][]RequestSpec{plain, specs}
	if len(specs) == 1 && typed[0].Resource != plain[0].Resource {
		lists = [][]RequestSpec{typed, plain, specs}
	}
	for _, list := range lists {
		if ok, contested := s.confirm(list); ok {
			s.found = &Proof{Verdict: Refuted, Witness: list, Contested: contested}
			return
		}
	}
	s.unclear("the decision on %s could not be confirmed", specs[0].Action)
}

// customary is a resource of the kind that the action takes, where nothing was
// asked of the resource but that it be one.
func (s *search) customary(spec RequestSpec) string {
	if strings.Trim(spec.Resource, ":"+freshText) != "" {
		return spec.Resource
	}
	a := s.data.Action(spec.Action)
	if a == nil || len(a.Resources) == 0 {
		return spec.Resource
	}
	var b strings.Builder
	for rest := a.Resources[0].ARN; rest != ""; {
		head, tail, found := strings.Cut(rest, "${")
		b.WriteString(head)
		if !found {
			break
		}
		var name string
		name, rest, _ = strings.Cut(tail, "}")
		switch name {
		case "Partition":
			b.WriteString("aws")
		case "Region":
			b.WriteString("us-east-1")
		case "Account":
			b.WriteString("111122223333")
		default:
			b.WriteString("example")
		}
	}
	return b.String()
}

// plainer puts customary texts in the place of letters that nothing asked for.
func plainer(spec RequestSpec) RequestSpec {
	spec.Resource = plainText(spec.Resource, spec.Action, "resource")
	spec.Principal = plainText(spec.Principal, "", "somebody")
	context := make(map[string][]string, len(spec.Context))
	for k, list := range spec.Context {
		out := slices.Clone(list)
		for i := range out {
			switch k := lower(k); {
			case out[i] == freshText && strings.HasSuffix(k, "account"):
				out[i] = "999988887777"
			case out[i] == freshText && strings.HasSuffix(k, "orgid"):
				out[i] = "o-example1234"
			default:
				out[i] = plainText(out[i], "", "something")
			}
			if i > 0 && slices.Contains(out[:i], out[i]) {
				out[i] += strconv.Itoa(i)
			}
		}
		context[k] = out
	}
	spec.Context = context
	return spec
}

func plainText(s, action, filler string) string {
	if !strings.Contains(s, freshText) {
		return s
	}
	if parts := strings.SplitN(s, ":", 6); len(parts) == 6 {
		service, _, _ := strings.Cut(action, ":")
		for i, customary := range [5]string{"arn", "aws", service, "us-east-1", "111122223333"} {
			if parts[i] == freshText && customary != "" {
				parts[i] = customary
			}
		}
		s = strings.Join(parts, ":")
	}
	if strings.Count(s, freshText) > 1 {
		filler = "x"
	}
	return strings.ReplaceAll(s, freshText, filler)
}
