package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReduce(t *testing.T) {
	const db = `{"schema": {
		"resource": {"entities": [
			{"cloudFormationType": "AWS::Lambda::Thing", "primaryIdentifier": ["Name"], "attributes": {"Arn": {"type": {"type": "string"}}},
			 "properties": {
				"Name": {"type": {"type": "string"}, "required": true, "defaultValue": "\"x\""},
				"On": {"type": {"type": "boolean"}, "defaultValue": "false"},
				"Odd": {"type": {"type": "boolean"}, "defaultValue": "maybe"},
				"Tags": {"type": {"type": "array", "element": {"type": "tag"}}},
				"Tree": {"type": {"type": "ref", "reference": {"$ref": "7"}}},
				"Any": {"type": {"type": "union", "types": [{"type": "json"}, {"type": "string"}, {"type": "json"}]}}}},
			{"cloudFormationType": "AWS::Other::Thing", "properties": {}}]},
		"typeDefinition": {"entities": [
			{"$id": "7", "name": "Tree", "properties": {"Children": {"type": {"type": "map", "element": {"type": "ref", "reference": {"$ref": "7"}}}}}}]}}}`
	const want = `{"type":"AWS::Lambda::Thing","attributes":{"Arn":"string"},"identifier":["Name"],"required":["Name"],` +
		`"properties":{"Any":"json|string","Name":"string","Odd":"boolean","On":"boolean","Tags":"[]Tag","Tree":"Tree"},` +
		`"types":{"Tag":{"Key":"string","Value":"string"},"Tree":{"Children":"{}Tree"}},"defaults":{"Name":"x","On":false}}` + "\n"
	for range 3 { // maps must not show
		got, err := reduce([]byte(db), wanted)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Fatal(diff)
		}
	}
}
