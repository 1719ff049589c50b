package check

import (
	"errors"

	"go.yaml.in/yaml/v4"
)

// syntaxError gives an error of the YAML parser the form of the others.
func syntaxError(name string, err error) error {
	var many *yaml.LoadErrors
	if errors.As(err, &many) && len(many.Errors) > 0 {
		err = many.Errors[0]
	}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		return &FieldError{name, max(one.Mark.Line, 1), max(one.Mark.Column, 1), one.Message}
	}
	return &FieldError{name, 1, 1, err.Error()}
}
