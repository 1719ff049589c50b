package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Survivor is a mutant of a check that no case can notice, and why that is: it
// says the same as the check, or differs only where no estate can be.
type Survivor struct {
	Check  string `yaml:"check"`
	Mutant string `yaml:"mutant"` // as assay checks test --mutate names it
	Why    string `yaml:"why"`
}

// survivorsName is the name of files of survivors, of which a folder of checks
// may have one.
const survivorsName = "survivors.yaml"

// Survivors reads the survivors that are explained in a file system.
func Survivors(source fs.FS) ([]Survivor, error) {
	var all []Survivor
	var errs []error
	err := walk(source, func(name string, data []byte) {
		if path.Base(name) != survivorsName {
			return
		}
		var doc struct {
			Survivors []Survivor `yaml:"survivors"`
		}
		dec := yaml.NewDecoder(bytes.NewReader(data))
		dec.KnownFields(true)
		if err := dec.Decode(&doc); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		for _, s := range doc.Survivors {
			if s.Check == "" || s.Mutant == "" || strings.TrimSpace(s.Why) == "" {
				errs = append(errs, fmt.Errorf("%s: %s %q: expected check, mutant and why", name, s.Check, s.Mutant))
			}
		}
		all = append(all, doc.Survivors...)
	})
	return all, errors.Join(append(errs, err)...)
}
