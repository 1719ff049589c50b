package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"assay/internal/estate"
)

// environment are a function's variables. Their values do not leave this
// function: a credential is named by its kind, and any other text by its
// entropy and a salted hash, by which equal ones are told. ARNs, numbers and
// the switches of [settings] are kept; they are addresses and settings, and
// checks judge them.
func environment(e *types.EnvironmentResponse, on string, salt []byte) *estate.Value {
	switch {
	case e == nil:
		return nil
	case e.Error != nil:
		return withheld(e.Error.ErrorCode, on)
	case len(e.Variables) == 0:
		return nil
	}
	var all []estate.Field
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		all = append(all, estate.Field{Name: name, Value: variable(name, e.Variables[name], salt)})
	}
	return estate.Map(estate.Field{Name: "Variables", Value: estate.Map(all...)})
}

func variable(name, text string, salt []byte) *estate.Value {
	if what := estate.Credential(name, text); what != "" {
		return estate.Secret(what)
	}
	if text == "" || settings[name] || strings.HasPrefix(text, "arn:") && !strings.ContainsAny(text, " \t\n\"'") {
		return estate.String(text)
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(text))
	reason := estate.ReasonWithheld + ": a value of " + entropyClass(text) + " entropy"
	if strings.Contains(text, "arn:") {
		reason = "it names resources, and what else it holds is not kept"
	}
	return estate.UnknownText(reason, "value "+hex.EncodeToString(mac.Sum(nil)[:8]))
}

// settings are variables that AWS and its libraries define: what they hold is a
// switch and never data.
// source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html and
// https://docs.aws.amazon.com/powertools/python/latest/environment_variables/
var settings = map[string]bool{
	"AWS_LAMBDA_EXEC_WRAPPER": true, "AWS_USE_FIPS_ENDPOINT": true, "AWS_USE_DUALSTACK_ENDPOINT": true, "AWS_STS_REGIONAL_ENDPOINTS": true,
	"AWS_ENDPOINT_URL_STS": true, "AWS_LAMBDA_LOG_FORMAT": true, "AWS_LAMBDA_LOG_LEVEL": true, "AWS_NODEJS_CONNECTION_REUSE_ENABLED": true,
	"POWERTOOLS_LOGGER_LOG_EVENT": true, "POWERTOOLS_DEV": true, "POWERTOOLS_DEBUG": true, "POWERTOOLS_LOG_LEVEL": true, "LOG_LEVEL": true,
	"POWERTOOLS_TRACER_CAPTURE_RESPONSE": true, "POWERTOOLS_TRACER_CAPTURE_ERROR": true, "POWERTOOLS_TRACE_DISABLED": true,
	"LD_PRELOAD": true, "LD_LIBRARY_PATH": true, "NODE_OPTIONS": true, "NODE_TLS_REJECT_UNAUTHORIZED": true, "PYTHONHTTPSVERIFY": true,
	"PYTHONPATH": true, "PYTHONWARNINGS": true, "JAVA_TOOL_OPTIONS": true, "RUBYOPT": true, "RUBYLIB": true, "GODEBUG": true, "DOTNET_STARTUP_HOOKS": true,
}

// entropyClass sorts a text by its Shannon entropy in bits a character: words
// and settings are below 3, random keys above 4.
func entropyClass(text string) string {
	counts := map[rune]int{}
	total := 0.0
	for _, c := range text {
		counts[c]++
		total++
	}
	h := 0.0
	for _, n := range counts {
		p := float64(n) / total
		h -= p * math.Log2(p)
	}
	switch {
	case h < 3:
		return "low"
	case h < 4:
		return "medium"
	}
	return "high"
}
