package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/signer"

	"assay/internal/estate"
)

func signerService() service {
	return service{name: "signer", reads: []read{{
		types:   []string{"AWS::Signer::SigningProfile"},
		actions: []string{"signer:GetSigningProfile"},
		named:   readProfiles,
	}}}
}

// signingProfile is the profile of which an ARN names a version.
func signingProfile(version string) estate.Named {
	_, name, _ := strings.Cut(version, ":/signing-profiles/")
	name, _, _ = strings.Cut(name, "/")
	return estate.Named{Type: "AWS::Signer::SigningProfile", Text: version, Name: name}
}

func readProfiles(ctx context.Context, s *scope, sought []estate.Named) error {
	client := signer.NewFromConfig(s.cfg)
	const call = "signer:GetSigningProfile"
	return forEach(ctx, s, sought, 1, func(ctx context.Context, n estate.Named) error {
		out, err := do(ctx, s, call, client.GetSigningProfile, &signer.GetSigningProfileInput{ProfileName: aws.String(n.Name)})
		switch {
		case none(err, notFound):
		case err != nil && over(err):
			return err
		case err != nil:
			s.perhaps(n.Type, s.arnOf("signer", "/signing-profiles/"+n.Name), fields{"ProfileName": estate.String(n.Name)}, err)
		default:
			s.add(found{typ: n.Type, id: aws.ToString(out.Arn), name: n.Name, from: out, set: fields{"Tags": tags(out.Tags)}, call: call})
		}
		return nil
	})
}
