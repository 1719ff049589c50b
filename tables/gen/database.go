package main

// The database is a set of tables of entities that refer to each other by $id.
// Only resources and the definitions of their properties' types are read; the
// text that documents them stays behind.
type database struct {
	Schema struct {
		Resources   entities[resource]   `json:"resource"`
		Definitions entities[definition] `json:"typeDefinition"`
	} `json:"schema"`
}

type entities[T any] struct {
	Entities []T `json:"entities"`
}

type resource struct {
	Type       string              `json:"cloudFormationType"`
	Identifier []string            `json:"primaryIdentifier"`
	Properties map[string]property `json:"properties"`
	Attributes map[string]property `json:"attributes"`
}

// definition is a structured type that properties refer to. Its name is unique
// within a resource type only.
type definition struct {
	ID         string              `json:"$id"`
	Name       string              `json:"name"`
	Properties map[string]property `json:"properties"`
}

// property is a property or an attribute. The database also keeps the types
// that it had in earlier versions; they are not read.
type property struct {
	Type     typeRef `json:"type"`
	Required bool    `json:"required"`
	// Default is JSON in a string: "\"Warn\"", "14", "false".
	Default *string `json:"defaultValue"`
	// Deprecated is IGNORE for what was never a property, but stood in a
	// schema by mistake.
	Deprecated string `json:"deprecated"`
}

// typeRef is a type: a primitive, a reference to a definition, a list or map of
// Element, or a union of Types.
type typeRef struct {
	Kind      string    `json:"type"`
	Element   *typeRef  `json:"element"`
	Types     []typeRef `json:"types"`
	Reference reference `json:"reference"`
}

type reference struct {
	ID string `json:"$ref"`
}
