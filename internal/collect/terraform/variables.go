package terraform

import (
	"errors"
	"strings"
)

// Variables are values that the user gives for variables of a configuration.
type Variables map[string]given

// Set gives a variable a value as Terraform's -var does: a text, or for a
// variable of another type an expression.
func (v Variables) Set(name, text string) {
	v[name] = given{text: text, at: "--var " + name}
}

// SetFile gives variables the values of a .tfvars file, or one in JSON.
func (v Variables) SetFile(name string, data []byte) error {
	values, problems := readVariables(name, data)
	if len(problems) > 0 {
		texts := make([]string, len(problems))
		for i, p := range problems {
			texts[i] = p.Error()
		}
		return errors.New(strings.Join(texts, "\n"))
	}
	for name, value := range values {
		v[name] = value
	}
	return nil
}
