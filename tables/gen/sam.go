package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// policyTemplate is one of SAM's policy templates. Statements refer to a
// parameter as {"Ref": name}.
type policyTemplate struct {
	Definition any      `json:"definition"`
	Parameters []string `json:"parameters"`
}

// policyTemplates reduces SAM's policy_templates.json to names, parameters and
// statements, in order, on one line. The descriptions stay behind.
func policyTemplates(data []byte) ([]byte, error) {
	var file struct {
		Templates map[string]struct {
			Definition any
			Parameters map[string]struct{}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if len(file.Templates) == 0 {
		return nil, errors.New("no policy templates")
	}
	table := make(map[string]policyTemplate, len(file.Templates))
	for name, t := range file.Templates {
		parameters := slices.AppendSeq([]string{}, maps.Keys(t.Parameters))
		slices.Sort(parameters)
		table[name] = policyTemplate{t.Definition, parameters}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(table); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
