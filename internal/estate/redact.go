package estate

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// shape is a credential that can be told by its form alone.
type shape struct {
	what    string
	cue     string // a substring that every match has; spares the expression
	pattern *regexp.Regexp
}

// shapes are forms that are issued as credentials and mean nothing else. Each
// is the issuer's documented format.
var shapes = []shape{
	{"an AWS access key id", "AKIA", regexp.MustCompile(`\bAKIA[A-Z2-7]{16}\b`)},
	{"a temporary AWS access key id", "ASIA", regexp.MustCompile(`\bASIA[A-Z2-7]{16}\b`)},
	{"a private key", "PRIVATE KEY-----", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)},
	{"a GitHub token", "gh", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b`)},
	{"a Slack token", "xox", regexp.MustCompile(`\bxox[abposr]-[A-Za-z0-9-]{10,}`)},
	{"a Slack webhook", "hooks.slack.com/services/", regexp.MustCompile(`https://hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}`)},
	{"a Stripe secret key", "k_live_", regexp.MustCompile(`\b[sr]k_live_[A-Za-z0-9]{16,}`)},
	{"a Google API key", "AIza", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}`)},
	{"a JSON web token", "eyJ", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`)},
	{"a password in a URL", "://", regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^/\s:@{}$]*:[^/\s:@{}$]{3,}@[^\s]+`)},
	{"an npm token", "npm_", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"an OpenAI key", "sk-", regexp.MustCompile(`\bsk-(proj-)?[A-Za-z0-9_-]{32,}`)},
}

// assignment finds a quoted literal that is given to a name, in code or
// configuration: password = "…", "apiKey": "…".
var assignment = regexp.MustCompile(`(?i)\b([a-z0-9_.-]*(?:pass|secret|key|token|credential|pwd)[a-z0-9_.-]*)["']?\s*[:=]\s*["']([^"'\s]{8,256})["']`)

// assigned lists where credentials stand that are given to a name within a
// text, as offsets.
func assigned(text string) [][]int {
	if !strings.ContainsAny(text, `"'`) {
		return nil
	}
	var found [][]int
	for _, m := range assignment.FindAllStringSubmatchIndex(text, -1) {
		if SecretName(text[m[2]:m[3]]) && plausible(text[m[4]:m[5]]) {
			found = append(found, m[4:6])
		}
	}
	return found
}

// secretName matches names of things whose value is a credential; reference
// matches names that only speak about one.
var (
	secretName = regexp.MustCompile(`(?i)(pass(word|wd|phrase)|secret|api_?key|auth_?token|access_?token|private_?key|credential|client_?secret|signing_?key|encryption_?key|^token$|_token$|^pwd$|_pwd$)`)
	reference  = regexp.MustCompile(`(?i)(arn|name|id|ids|path|url|uri|endpoint|prefix|suffix|param|parameter|region|ttl|expiry|expiration|length|policy|rotation|enabled|type|version|location|file|table|bucket|header|field|template|stage|source|usage|days|hours|minutes|seconds|port|host|timeout|size|level|count|millis)s?$`)
)

// Credential says what kind of credential a named text holds, or "" when it
// holds none that can be told. A value is a credential by its form, or by its
// name when the value is a literal that could be one: not an ARN, a path, a
// URL, a placeholder or a word.
func Credential(name, text string) string {
	for _, s := range shapes {
		if strings.Contains(text, s.cue) && s.pattern.MatchString(text) {
			return s.what
		}
	}
	if SecretName(name) && plausible(text) {
		return "a literal in " + name
	}
	if len(assigned(text)) > 0 {
		return "a literal beside a name for one"
	}
	return ""
}

// SecretName reports whether a property or variable of that name is meant to
// hold a credential itself, and not its name, address or age.
func SecretName(name string) bool {
	lower := strings.ToLower(name)
	for _, cue := range []string{"pass", "secret", "key", "token", "credential", "pwd"} {
		if strings.Contains(lower, cue) {
			return matchesSecretName(name)
		}
	}
	return false // most names, without the cost of an expression
}

func matchesSecretName(name string) bool {
	return secretName.MatchString(name) && !reference.MatchString(name)
}

// plausible reports whether a text could be a password or key: one run of 8 to
// 256 characters that is neither an address of something nor a plain word.
func plausible(text string) bool {
	if len(text) < 8 || len(text) > 256 || strings.ContainsAny(text, " \t\n") {
		return false
	}
	lower := strings.ToLower(text)
	for _, lead := range []string{"arn:", "alias/", "/", "./", "http://", "https://", "s3://", "{{resolve:", "${", "<", "projects/"} {
		if strings.HasPrefix(lower, lead) {
			return false
		}
	}
	for _, word := range []string{"changeme", "change-me", "placeholder", "example", "replace", "your-", "your_", "todo", "xxxx", "****"} {
		if strings.Contains(lower, word) {
			return false
		}
	}
	return strings.ContainsAny(text, "0123456789") && entropy(text) >= 2.5
}

// entropy is the Shannon entropy of s in bits a character.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	h := 0.0
	for _, c := range counts {
		if c > 0 {
			p := float64(c) / float64(len(s))
			h -= p * math.Log2(p)
		}
	}
	return h
}

// ReasonWithheld begins the gap of a text that a collector looked at and does
// not keep: it is no credential by its form or name, and holds no ARN. Its input
// stands for the text, and is the same for equal texts of one collection.
const ReasonWithheld = "not kept"

// withhold replaces credentials in v by Secret values, so that they reach no
// file, log or report. In a longer text only the credential becomes a hole.
func withhold(v *Value) *Value { return withholdNamed("", v) }

func withholdNamed(name string, v *Value) *Value {
	switch v.Kind() {
	case KindString:
		return withholdText(name, v)
	case KindInt:
		// A number can be a PIN or numeric password, told by its name alone.
		if SecretName(name) && len(v.s) >= 6 {
			return Secret("a literal in " + name).At(v.Position())
		}
		return v
	case KindList:
		return v.mapItems(func(item *Value) *Value { return withholdNamed(name, item) })
	case KindText:
		// The pieces of an address are not credentials, whatever its name.
		if !plausible(literal(v.items, 0) + "0123456789abcdef") {
			name = ""
		}
		return v.mapItems(func(item *Value) *Value { return withholdNamed(name, item) })
	case KindMap:
		return v.mapFields(func(inner string, value *Value) *Value {
			if inner == "Value" || inner == "ParameterValue" {
				// {Name: DB_PASSWORD, Value: …}: the name stands beside the value.
				inner = firstString(v, "Name", "Key", "ParameterKey", "ParameterName")
			}
			return withholdNamed(inner, value)
		})
	case KindOneOf:
		return v.mapCases(func(c *Value) *Value { return withholdNamed(name, c) })
	default:
		return v
	}
}

func firstString(v *Value, names ...string) string {
	for _, n := range names {
		if s := v.Field(n).AsString(); s != "" {
			return s
		}
	}
	return ""
}

func withholdText(name string, v *Value) *Value {
	what := Credential(name, v.s)
	if what == "" {
		return v
	}
	if len(v.s) <= 256 {
		return v.become(Secret(what))
	}
	parts := []*Value{v}
	for _, s := range shapes {
		if strings.Contains(v.s, s.cue) {
			parts = cutOut(parts, s.what, func(text string) [][]int { return s.pattern.FindAllStringIndex(text, -1) })
		}
	}
	parts = cutOut(parts, "a literal beside a name for one", assigned)
	return Text(parts...).At(v.Position())
}

// cutOut replaces what find finds in the literals among parts by holes.
func cutOut(parts []*Value, what string, find func(string) [][]int) []*Value {
	var out []*Value
	for _, p := range parts {
		if p.kind != KindString {
			out = append(out, p)
			continue
		}
		rest := p.s
		for _, at := range find(p.s) {
			offset := len(p.s) - len(rest)
			out = append(out, String(rest[:at[0]-offset]).At(p.Position()), Secret(what).At(p.Position()))
			rest = p.s[at[1]:]
		}
		out = append(out, String(rest).At(p.Position()))
	}
	return out
}

// hideChoices gives the values of inputs numbers where one of them decides
// what a credential is: an allowed value of a parameter for a password.
func hideChoices(resources []*Resource) {
	hidden := map[string]bool{}
	look := func(v *Value) bool {
		for _, c := range v.Cases() {
			if c.Value.Kind() == KindSecret || v.Kind() == KindOneOf && Credential("", c.When) != "" {
				hidden[v.Input()] = true
			}
		}
		return true
	}
	for _, r := range resources {
		r.Properties.Each(look)
	}
	if len(hidden) == 0 {
		return
	}
	numbers := map[string]map[string]string{}
	hide := func(v *Value) *Value {
		if v.Kind() != KindOneOf || !hidden[v.s] {
			return v
		}
		if numbers[v.s] == nil {
			numbers[v.s] = map[string]string{}
		}
		cases := slices.Clone(v.Cases())
		for i := range cases {
			number, ok := numbers[v.s][cases[i].When]
			if !ok {
				number = "value " + strconv.Itoa(len(numbers[v.s])+1)
				numbers[v.s][cases[i].When] = number
			}
			cases[i].When = number
		}
		c := *v
		c.cases = &cases
		return &c
	}
	for _, r := range resources {
		r.Properties = r.Properties.Rewrite(hide)
		r.Exists = r.Exists.Rewrite(hide)
	}
}
