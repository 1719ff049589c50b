package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// wantedOfActions names the files of iam-data that the table of actions needs.
func wantedOfActions(name string) bool {
	for _, folder := range []string{"data/actions/", "data/resourceTypes/", "data/conditionKeys/"} {
		if strings.HasPrefix(name, folder) && strings.HasSuffix(name, ".json") {
			return true
		}
	}
	return name == rcpFile || name == globalKeysFile
}

const (
	rcpFile        = "data/rcpSupportedServices.json"
	globalKeysFile = "dist/cjs/globalConditionKeys.js"
)

func renewActions(archive string) error {
	b, err := fetch(actionSource, archive)
	if err != nil {
		return err
	}
	table, err := actions(b.files)
	if err != nil {
		return fmt.Errorf("%s %s: %w", b.Name, b.Version, err)
	}
	if err := os.WriteFile("iam-actions.jsonl", table, 0o644); err != nil {
		return err
	}
	return writeSource("iam-actions.source.json", b.Name, b.Version, b.License, actionSource.published)
}

// The files of iam-data, as far as they are read.
type (
	dataAction struct {
		Name          string         `json:"name"`
		AccessLevel   string         `json:"accessLevel"`
		ConditionKeys []string       `json:"conditionKeys"`
		ResourceTypes []dataResource `json:"resourceTypes"`
	}
	dataResource struct {
		Name          string   `json:"name"`
		ConditionKeys []string `json:"conditionKeys"`
	}
	dataType struct {
		Key           string   `json:"key"`
		ARN           string   `json:"arn"`
		ConditionKeys []string `json:"conditionKeys"`
	}
	dataKey struct {
		Key  string `json:"key"`
		Type string `json:"type"`
	}
)

// The lines of iam-actions.jsonl. Lists take the place of objects, to keep the
// table small: see tables/README.md.
type (
	generalLine struct {
		RCP  []string    `json:"rcp"`
		Keys [][2]string `json:"keys"`
	}
	serviceLine struct {
		Service   string      `json:"service"`
		Keys      [][2]string `json:"keys"`
		Resources [][]any     `json:"resources"`
		Actions   [][]any     `json:"actions"`
	}
)

// accessLevels abbreviates how an action's access is classed.
var accessLevels = map[string]string{
	"Read": "R", "List": "L", "Write": "W", "Permissions management, Write": "P", "Tagging, Write": "T",
	"Permissions management": "P", "Tagging": "T",
}

var globalKey = regexp.MustCompile(`key: '([^']+)',\s*category: '[^']*',\s*type: '([^']+)'`)

// actions makes the table: a line of what holds for all services, and then one
// for each service.
func actions(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	var general generalLine
	if err := json.Unmarshal(files[rcpFile], &general.RCP); err != nil {
		return nil, fmt.Errorf("%s: %w", rcpFile, err)
	}
	for _, m := range globalKey.FindAllSubmatch(files[globalKeysFile], -1) {
		general.Keys = append(general.Keys, [2]string{string(m[1]), string(m[2])})
	}
	if len(general.Keys) == 0 {
		return nil, fmt.Errorf("%s: no keys were found in it", globalKeysFile)
	}
	if err := enc.Encode(general); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		service, ok := strings.CutPrefix(name, "data/actions/")
		if !ok {
			continue
		}
		line, err := actionsOf(files, service)
		if err != nil {
			return nil, err
		}
		if err := enc.Encode(line); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func actionsOf(files map[string][]byte, file string) (*serviceLine, error) {
	var (
		list  map[string]dataAction
		types map[string]dataType
		keys  map[string]dataKey
	)
	for folder, into := range map[string]any{"actions/": &list, "resourceTypes/": &types, "conditionKeys/": &keys} {
		data, ok := files["data/"+folder+file]
		if !ok {
			continue
		}
		if err := json.Unmarshal(data, into); err != nil {
			return nil, fmt.Errorf("data/%s%s: %w", folder, file, err)
		}
	}
	line := &serviceLine{Service: strings.TrimSuffix(file, ".json"), Keys: [][2]string{}, Resources: [][]any{}, Actions: [][]any{}}
	keyIndex := map[string]int{}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		keyIndex[k] = len(line.Keys)
		line.Keys = append(line.Keys, [2]string{keys[k].Key, keys[k].Type})
	}
	index := func(names ...[]string) []int {
		found := []int{}
		for _, list := range names {
			for _, n := range list {
				at, ok := keyIndex[strings.ToLower(n)]
				if !ok {
					at = len(line.Keys)
					keyIndex[strings.ToLower(n)] = at
					line.Keys = append(line.Keys, [2]string{n, ""}) // a global key, or one without a type
				}
				found = append(found, at)
			}
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
	typeIndex := map[string]int{}
	for _, t := range slices.Sorted(maps.Keys(types)) {
		typeIndex[t] = len(line.Resources)
		line.Resources = append(line.Resources, []any{types[t].Key, types[t].ARN, index(types[t].ConditionKeys)})
	}
	for _, a := range slices.Sorted(maps.Keys(list)) {
		level, ok := accessLevels[list[a].AccessLevel]
		if !ok {
			return nil, fmt.Errorf("%s: access level %q is not one that is known", a, list[a].AccessLevel)
		}
		resources := []int{}
		lists := [][]string{list[a].ConditionKeys}
		for _, r := range list[a].ResourceTypes {
			at, ok := typeIndex[strings.ToLower(r.Name)]
			if !ok {
				return nil, fmt.Errorf("%s: resource type %q is not in data/resourceTypes/%s", a, r.Name, file)
			}
			resources = append(resources, at)
			lists = append(lists, r.ConditionKeys)
		}
		line.Actions = append(line.Actions, []any{list[a].Name, level, resources, index(lists...)})
	}
	return line, nil
}

// renewManaged makes iam-managed-policies.jsonl from the policies in the moto
// package (Apache-2.0), which come from AWS's own listing.
func renewManaged(folder string) error {
	data, err := os.ReadFile(filepath.Join(folder, "iam", "aws_managed_policies.py"))
	if err != nil {
		return err
	}
	about, err := os.ReadFile(filepath.Join(folder, "__init__.py"))
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`__version__ = "([^"]+)"`).FindSubmatch(about)
	if m == nil {
		return fmt.Errorf("%s/__init__.py: no __version__ in it", folder)
	}
	table, newest, err := managedPolicies(data)
	if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	if err := os.WriteFile("iam-managed-policies.jsonl", table, 0o644); err != nil {
		return err
	}
	return writeSource("iam-managed-policies.source.json", "moto", string(m[1]), "Apache-2.0", newest)
}

// managedPolicies reads the text constant of the module, and returns a line a
// policy in order of the ARN, with the day on which the newest was changed.
func managedPolicies(module []byte) (table []byte, newest string, err error) {
	_, rest, _ := bytes.Cut(module, []byte(`"""`))
	text, _, found := bytes.Cut(rest, []byte(`"""`))
	if !found {
		return nil, "", fmt.Errorf("no text constant in the module")
	}
	var all map[string]struct {
		Path             string
		DefaultVersionID string `json:"DefaultVersionId"`
		UpdateDate       string
		Document         json.RawMessage
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, "", err
	}
	type line struct {
		ARN      string          `json:"arn"` // without the partition
		Version  string          `json:"version"`
		Document json.RawMessage `json:"document"`
	}
	var lines []line
	for name, p := range all {
		var doc bytes.Buffer
		if err := json.Compact(&doc, p.Document); err != nil {
			return nil, "", fmt.Errorf("%s: %w", name, err)
		}
		lines = append(lines, line{"iam::aws:policy" + p.Path + name, p.DefaultVersionID, doc.Bytes()})
		newest = max(newest, p.UpdateDate[:min(10, len(p.UpdateDate))])
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.ARN, b.ARN) })
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return nil, "", err
		}
	}
	return out.Bytes(), newest, nil
}
