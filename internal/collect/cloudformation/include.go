package cloudformation

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
)

// include is the macro that splices a file into a template.
const include = "AWS::Include"

// lineBits is where a node's line ends and the number of its file begins:
// nodes of an included file stand among those of the template.
const lineBits = 32

// expandIncludes splices in the files beside the template that AWS::Include
// names. One that lies elsewhere stays as it is, and is not read.
// source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
func (t *template) expandIncludes(n *yaml.Node, within []string) {
	if len(within) > maxDepth || n.Kind == yaml.AliasNode || n.Kind == yaml.ScalarNode {
		return
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); {
			part := (*yaml.Node)(nil)
			if n.Content[i].Value == "Fn::Transform" {
				part = t.included(follow(n.Content[i+1]), within)
			}
			if part == nil || part.Kind != yaml.MappingNode {
				i += 2
				continue
			}
			n.Content = append(n.Content[:i:i], append(part.Content, n.Content[i+2:]...)...)
			i += len(part.Content) // expanded when it was read
		}
	}
	for i, c := range n.Content {
		if c.Kind != yaml.AliasNode && c.Tag == "!Transform" {
			if part := t.included(c, within); part != nil {
				n.Content[i] = part
				continue
			}
		}
		t.expandIncludes(c, append(within[:len(within):len(within)], ""))
	}
}

// included is the content of the file that a call of AWS::Include names, or
// nil.
func (t *template) included(call *yaml.Node, within []string) *yaml.Node {
	name, location := child(call, "Name"), child(child(call, "Parameters"), "Location")
	if name == nil || name.Value != include || location == nil || location.Kind != yaml.ScalarNode || t.tree == nil || strings.Contains(location.Value, "://") {
		return nil
	}
	file := path.Join(path.Dir(t.file), location.Value)
	for _, outer := range append(within, t.file) {
		if outer == file {
			t.problem(location, "%s includes itself", file)
			return nil
		}
	}
	data, err := t.tree.Read(file, maxTemplate)
	if err != nil {
		t.problem(location, "%s cannot be included: %s", file, err)
		return nil
	}
	root, problem := parse(file, data)
	if problem != nil {
		t.builder.Problem(*problem)
		return nil
	}
	t.files = append(t.files, file)
	mark(root, len(t.files)<<lineBits)
	t.expandIncludes(root, append(within[:len(within):len(within)], file))
	return root
}

// mark notes in the lines of nodes which file they are of.
func mark(n *yaml.Node, file int) {
	n.Line |= file
	for _, c := range n.Content {
		mark(c, file)
	}
}
