package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/xray"
)

func xrayService() service {
	return service{name: "xray", reads: []read{{
		types:   []string{"Assay::XRay::EncryptionConfig"},
		actions: []string{"xray:GetEncryptionConfig"},
		list:    readTraceEncryption,
	}}}
}

func readTraceEncryption(ctx context.Context, s *scope) error {
	client := xray.NewFromConfig(s.cfg)
	out, err := do(ctx, s, "xray:GetEncryptionConfig", client.GetEncryptionConfig, &xray.GetEncryptionConfigInput{})
	if err != nil {
		return err
	}
	if out.EncryptionConfig != nil {
		s.add(found{typ: "Assay::XRay::EncryptionConfig", id: s.region, name: "encryption of traces", from: out.EncryptionConfig, call: "xray:GetEncryptionConfig"})
	}
	return nil
}
