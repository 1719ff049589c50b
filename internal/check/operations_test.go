package check_test

import (
	"testing"

	"assay/internal/check"
)

// TestOperations reads documents as API Gateway does; the environment of a
// function stands for the property that holds one.
func TestOperations(t *testing.T) {
	m, l := library(t)
	unknown := `{"$unknown":{"reason":"parameter without value","input":"parameter P"}}`
	schemes := `"components":{"securitySchemes":{"jwt":{"x-amazon-apigateway-authorizer":{"type":"jwt"}},"key":{"type":"apiKey"}}}`
	choice := `{"$oneOf":{"input":"parameter Stage","cases":[{"when":"dev","value":[]},{"when":"prod","value":[{"jwt":[]}]}]}}`
	const authorised = `operations(subject.Environment).all(o, o.schemes.exists(s, "x-amazon-apigateway-authorizer" in s))`
	for _, tt := range []struct {
		name, doc, require string
		want               check.Outcome
	}{
		{"no_document", `{}`, `operations(subject.Environment).size() == 0`, check.Pass},
		{"fields_that_are_no_operations", `{"paths":{"/a":{"parameters":[],"summary":"s","get":{},"x-amazon-apigateway-any-method":{}}}}`, `operations(subject.Environment).size() == 2`, check.Pass},
		{"methods", `{"paths":{"/a":{"get":{},"x-amazon-apigateway-any-method":{}}}}`, `operations(subject.Environment).all(o, o.method in ["GET", "ANY"] && o.path == "/a")`, check.Pass},
		{"named_scheme", `{"paths":{"/a":{"get":{"security":[{"jwt":[]}]}}},` + schemes + `}`, authorised, check.Pass},
		{"scheme_of_swagger", `{"paths":{"/a":{"get":{"security":[{"jwt":[]}]}}},"securityDefinitions":{"jwt":{"x-amazon-apigateway-authorizer":{}}}}`, authorised, check.Pass},
		{"another_scheme", `{"paths":{"/a":{"get":{"security":[{"key":[]}]}}},` + schemes + `}`, authorised, check.Fail},
		{"scheme_that_is_not_defined", `{"paths":{"/a":{"get":{"security":[{"NONE":[]}]}}},` + schemes + `}`, authorised, check.Fail},
		{"security_of_the_root", `{"security":[{"jwt":[]}],"paths":{"/a":{"get":{}}},` + schemes + `}`, authorised, check.Fail},
		{"open_paths", `{"paths":` + unknown + `}`, authorised, check.Unknown},
		{"open_path", `{"paths":{"/a":` + unknown + `}}`, authorised, check.Unknown},
		{"open_operation", `{"paths":{"/a":{"get":` + unknown + `}}}`, authorised, check.Unknown},
		{"open_security", `{"paths":{"/a":{"get":{"security":` + unknown + `}}},` + schemes + `}`, authorised, check.Unknown},
		{"open_requirement", `{"paths":{"/a":{"get":{"security":[` + unknown + `]}}},` + schemes + `}`, authorised, check.Unknown},
		{"open_schemes", `{"paths":{"/a":{"get":{"security":[{"jwt":[]}]}}},"components":` + unknown + `}`, authorised, check.Unknown},
		{"open_beside_one_that_fails", `{"paths":{"/a":{"get":{}},"/b":` + unknown + `},` + schemes + `}`, authorised, check.Fail},
		{"chosen_security", `{"paths":{"/a":{"get":{"security":` + choice + `}}},` + schemes + `}`, authorised, check.Unknown},
		{"validator", `{"paths":{"/a":{"get":{"x-amazon-apigateway-request-validator":"all"}}},"x-amazon-apigateway-request-validators":{"all":{"validateRequestBody":true}}}`,
			`operations(subject.Environment).all(o, o.validator.validateRequestBody)`, check.Pass},
		{"validator_of_the_root", `{"paths":{"/a":{"get":{}}},"x-amazon-apigateway-request-validator":"all","x-amazon-apigateway-request-validators":{"all":{"validateRequestBody":true}}}`,
			`operations(subject.Environment).all(o, o.validator.validateRequestBody)`, check.Pass},
		{"validator_that_is_not_defined", `{"paths":{"/a":{"get":{"x-amazon-apigateway-request-validator":"all"}}}}`, `operations(subject.Environment).all(o, has(o.validator))`, check.Fail},
		{"validator_not_known", `{"paths":{"/a":{"get":{"x-amazon-apigateway-request-validator":` + unknown + `}}}}`, `operations(subject.Environment).all(o, o.validator.validateRequestBody)`, check.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := program(t, l, "", tt.require).Evaluate(scopeOf(t, m, `{"Environment":`+tt.doc+`}`).Resource("F"), check.Setting{})
			if got.Outcome != tt.want || got.Err != nil {
				t.Errorf("got %s (%v), want %s", got.Outcome, got.Err, tt.want)
			}
		})
	}
}
