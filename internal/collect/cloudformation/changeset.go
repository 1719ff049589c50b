package cloudformation

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/collect"
	"assay/internal/estate"
)

// FormatChangeSet is the format of the scopes that change sets give.
const FormatChangeSet = "cloudformation-change-set"

// afterApply stands in a change set for what is known once it is executed.
const afterApply = "{{changeSet:KNOWN_AFTER_APPLY}}"

const reasonChangeSet = "known once the change set is executed"

func isChangeSet(data []byte) bool {
	if !isJSON(bytes.TrimPrefix(data, []byte("\ufeff"))) || !bytes.Contains(data, []byte(`"ChangeSet`)) {
		return false
	}
	return hasMember(data, "Changes") && hasMember(data, "ChangeSetName", "ChangeSetId")
}

// readChangeSet reads what aws cloudformation describe-change-set
// --include-property-values writes: the resources that executing it adds or
// changes, as they will be. What stays as it is does not show.
// source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
func readChangeSet(f collect.File) *estate.Builder {
	root, problem := parse(f.Name, f.Data)
	if problem != nil {
		return collect.Unread(f.Name, FormatChangeSet, *problem)
	}
	changes := child(root, "Changes")
	if changes == nil || changes.Kind != yaml.SequenceNode {
		return collect.Unread(f.Name, FormatChangeSet, estate.Problem{
			Position: position(f.Name, root), Message: "not a change set: expected a list of Changes",
			Hint: "write it with aws cloudformation describe-change-set --include-property-values",
		})
	}
	b := estate.NewBuilder(f.Name, FormatChangeSet)
	b.Cover(estate.Coverage{Type: "*", State: estate.CoveragePartial, Reason: "a change set does not show the resources that stay as they are"})
	if next := child(root, "NextToken"); next != nil && next.Value != "" {
		b.Problem(estate.Problem{Position: position(f.Name, next), Message: "the change set goes on where this file ends", Hint: "write all pages of it"})
	}
	for _, c := range changes.Content {
		change := child(follow(c), "ResourceChange")
		id, kind, action := child(change, "LogicalResourceId"), child(change, "ResourceType"), child(change, "Action")
		if id == nil || kind == nil || action == nil || action.Value == "Remove" {
			continue
		}
		at := position(f.Name, id)
		after := child(change, "AfterContext")
		if after == nil {
			b.Cover(estate.Coverage{Type: kind.Value, State: estate.CoveragePartial, Reason: "the change set does not show properties (--include-property-values)"})
			continue
		}
		context, err := estate.ParseJSON([]byte(after.Value))
		if err != nil {
			b.Problem(estate.Problem{Position: position(f.Name, after), Message: id.Value + ": AfterContext: not valid JSON"})
			b.Cover(estate.Coverage{Type: kind.Value, State: estate.CoveragePartial, Reason: "the change set's properties could not be parsed"})
			continue
		}
		properties := context.Field("Properties").Rewrite(func(v *estate.Value) *estate.Value { return afterChange(v, id.Value).At(at) })
		b.Add(estate.Resource{Type: kind.Value, LogicalID: id.Value, Properties: properties, Source: at})
	}
	return b
}

// afterChange makes holes of what is known once the change set is executed.
func afterChange(v *estate.Value, id string) *estate.Value {
	text := v.AsString()
	if v.Kind() != estate.KindString || !strings.Contains(text, afterApply) {
		return dynamic(v)
	}
	hole := estate.Unknown(reasonChangeSet, id)
	var parts []*estate.Value
	for i, literal := range strings.Split(text, afterApply) {
		if i > 0 {
			parts = append(parts, hole)
		}
		parts = append(parts, estate.String(literal))
	}
	return estate.Text(parts...)
}
