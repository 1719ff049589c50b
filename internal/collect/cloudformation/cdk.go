package cloudformation

import (
	"encoding/json"
	"path"
	"strings"

	"assay/internal/collect"
)

// assembly is the part of a CDK assembly's manifest that says where a template
// is to be deployed.
// source: github.com/aws/aws-cdk-cli, cloud-assembly-schema.
type assembly struct {
	Artifacts map[string]struct {
		Type        string `json:"type"`
		Environment string `json:"environment"`
		Properties  struct {
			TemplateFile string            `json:"templateFile"`
			StackName    string            `json:"stackName"`
			Parameters   map[string]string `json:"parameters"`
		} `json:"properties"`
	} `json:"artifacts"`
}

// fromAssembly gives the pseudo parameters and parameters that the manifest
// beside a template of the CDK states. Those that the user gives win.
func fromAssembly(file string, tree *collect.Tree, given map[string]string) map[string]string {
	if !strings.HasSuffix(file, ".template.json") || tree == nil {
		return given
	}
	data, err := tree.Read(path.Join(path.Dir(file), "manifest.json"), maxTemplate)
	var a assembly
	if err != nil || json.Unmarshal(data, &a) != nil {
		return given
	}
	values := map[string]string{}
	for id, artifact := range a.Artifacts {
		if artifact.Type != "aws:cloudformation:stack" || artifact.Properties.TemplateFile != path.Base(file) {
			continue
		}
		values["AWS::StackName"] = artifact.Properties.StackName
		if values["AWS::StackName"] == "" {
			values["AWS::StackName"] = id
		}
		place, _ := strings.CutPrefix(artifact.Environment, "aws://")
		account, region, _ := strings.Cut(place, "/")
		if !strings.HasPrefix(account, "unknown-") && account != "" {
			values["AWS::AccountId"] = account
		}
		if !strings.HasPrefix(region, "unknown-") && region != "" {
			values["AWS::Region"] = region
		}
		for name, value := range artifact.Properties.Parameters {
			if !strings.HasPrefix(value, "${") { // assets' places, filled in by the CDK
				values[name] = value
			}
		}
	}
	for name, value := range given {
		values[name] = value
	}
	return values
}
