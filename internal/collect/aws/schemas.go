package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/schemas"

	"assay/internal/estate"
)

func schemasService() service {
	return service{name: "schemas", reads: []read{{
		types:   []string{"Assay::EventSchemas::Schema"},
		actions: []string{"schemas:ListRegistries", "schemas:ListSchemas"},
		list:    readSchemas,
	}}}
}

// readSchemas reads the names of the schemas in the account's own registries,
// one of which holds shareable test events. Their contents are never read.
func readSchemas(ctx context.Context, s *scope) error {
	client := schemas.NewFromConfig(s.cfg)
	var registries []string
	pages := schemas.NewListRegistriesPaginator(client, &schemas.ListRegistriesInput{})
	err := each(ctx, s, "schemas:ListRegistries", pages, func(out *schemas.ListRegistriesOutput) error {
		for _, r := range out.Registries {
			if name := aws.ToString(r.RegistryName); !strings.HasPrefix(name, "aws.") {
				registries = append(registries, name)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	const call = "schemas:ListSchemas"
	return forEach(ctx, s, registries, 1, func(ctx context.Context, registry string) error {
		err := each(ctx, s, call, schemas.NewListSchemasPaginator(client, &schemas.ListSchemasInput{RegistryName: aws.String(registry)}), func(out *schemas.ListSchemasOutput) error {
			for _, m := range out.Schemas {
				name := aws.ToString(m.SchemaName)
				s.add(found{typ: "Assay::EventSchemas::Schema", id: aws.ToString(m.SchemaArn), name: name, from: m, set: fields{"RegistryName": estate.String(registry)}, call: call})
			}
			return nil
		})
		if none(err, "NotFoundException") {
			return nil // deleted since it was listed
		}
		return err
	})
}
