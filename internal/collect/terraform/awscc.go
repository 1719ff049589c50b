package terraform

import (
	"strings"
	"sync"
	"unicode"

	"assay/internal/estate"
)

// awscc makes the rows of the Cloud Control provider's types. Its schemas are
// made from CloudFormation's, so that every property is one attribute of the
// same name in other letters.
// source: the provider's documentation, registry.terraform.io/providers/hashicorp/awscc.
type awscc struct {
	model *estate.Model
	once  sync.Once
	types map[string]string // resource type → CloudFormation type
}

// row is the row of a type, or nil when CloudFormation's schemas do not have
// it.
func (c *awscc) row(kind string) *row {
	if c.model == nil {
		return nil
	}
	c.once.Do(func() {
		c.types = map[string]string{}
		for _, name := range c.model.Types() {
			parts := strings.Split(name, "::")
			if len(parts) != 3 || parts[0] != "AWS" {
				continue
			}
			for _, resource := range snakes(parts[2]) {
				c.types["awscc_"+strings.ToLower(parts[1])+"_"+resource] = name
			}
		}
	})
	schema := c.model.Schema(c.types[kind])
	if schema == nil {
		return nil
	}
	r := &row{Type: schema.Type, Attributes: c.attributes(schema, schema.Properties, nil), References: map[string]string{"id": "Ref", "arn": ""}}
	for name := range schema.Attributes {
		for _, attribute := range snakes(name) {
			r.References[attribute] = name
		}
	}
	for _, name := range schema.Identifier {
		for _, attribute := range snakes(name) {
			if r.References[attribute] == "" {
				r.References[attribute] = "Ref"
			}
		}
	}
	r.ready()
	return r
}

// attributes are the attributes of an object with these properties. Types that
// contain themselves are followed once.
func (c *awscc) attributes(schema *estate.Schema, properties map[string]string, within []string) map[string]attribute {
	all := map[string]attribute{}
	for name, expression := range properties {
		a := attribute{To: name, words: c.words(name, expression)}
		inner := strings.TrimLeft(strings.Split(expression, "|")[0], "[]{}")
		if nested, ok := schema.Types[inner]; ok && !contains(within, inner) {
			a.With = c.attributes(schema, nested, append(within[:len(within):len(within)], inner))
		}
		for _, attribute := range snakes(name) {
			all[attribute] = a
		}
	}
	return all
}

func contains(all []string, name string) bool {
	for _, x := range all {
		if x == name {
			return true
		}
	}
	return false
}

// words say how an attribute becomes its property, and which identity it holds
// judging by its name.
func (c *awscc) words(name, expression string) []string {
	list := strings.HasPrefix(expression, "[]")
	var all []string
	switch {
	case list && unicode.IsUpper(rune(strings.TrimLeft(expression, "[]")[0])):
		return []string{wordBlocks}
	case strings.HasPrefix(expression, "{}"):
		return []string{wordMap}
	case strings.Contains(expression, "json"):
		all = append(all, wordJSON)
	}
	singular := strings.TrimSuffix(name, "s")
	switch {
	case strings.HasSuffix(singular, "Arn") && list:
		all = append(all, wordARNs)
	case strings.HasSuffix(name, "Arn"):
		all = append(all, wordARN)
	case strings.HasSuffix(singular, "Id") && list:
		all = append(all, wordIDs)
	case strings.HasSuffix(name, "Id"):
		all = append(all, wordID)
	}
	return all
}

// snakes are the ways to write a name of CloudFormation in small letters:
// Ipv6CidrBlock is ipv_6_cidr_block to the provider, and S3Bucket s3_bucket.
func snakes(name string) []string {
	together, apart := snake(name, false), snake(name, true)
	if together == apart {
		return []string{together}
	}
	return []string{together, apart}
}

func snake(name string, splitDigits bool) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 {
			before := runes[i-1]
			lowerNext := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			switch {
			case unicode.IsUpper(r) && !unicode.IsUpper(before), unicode.IsUpper(r) && lowerNext,
				splitDigits && unicode.IsDigit(r) && !unicode.IsDigit(before):
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
