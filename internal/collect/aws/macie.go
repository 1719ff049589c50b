package aws

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/macie2"
	"github.com/aws/smithy-go"
)

func macieService() service {
	return service{name: "macie2", reads: []read{{
		types:   []string{"AWS::Macie::Session"},
		actions: []string{"macie2:GetMacieSession"},
		list:    readMacie,
	}}}
}

func readMacie(ctx context.Context, s *scope) error {
	client := macie2.NewFromConfig(s.cfg)
	out, err := do(ctx, s, "macie2:GetMacieSession", client.GetMacieSession, &macie2.GetMacieSessionInput{})
	switch {
	case err != nil && macieIsOff(err):
		return nil
	case err != nil:
		return err
	case out.Status == "":
		return s.odd("GetMacieSession", "macie2:GetMacieSession")
	}
	s.add(found{typ: "AWS::Macie::Session", id: s.account, name: "Macie", from: out, call: "macie2:GetMacieSession"})
	return nil
}

// macieIsOff reports whether an account was never enrolled. Macie answers that
// with the code for want of a permission; the message alone tells them apart.
func macieIsOff(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException" && strings.Contains(api.ErrorMessage(), "Macie is not enabled")
}
