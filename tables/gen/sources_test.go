package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnpack(t *testing.T) {
	manifest := `{"name": "@aws-cdk/aws-service-spec", "version": "1.2.3", "license": "Apache-2.0"}`
	b, err := unpack(archive(t, map[string]string{
		"package/README.md":    "not read",
		"package/package.json": manifest,
		"package/db.json.gz":   zipped(t, `{"schema": {}}`),
	}), schemaSource.wanted)
	if err != nil {
		t.Fatal(err)
	}
	want := bundle{"@aws-cdk/aws-service-spec", "1.2.3", "Apache-2.0", map[string][]byte{databaseFile: []byte(`{"schema": {}}`)}}
	if diff := cmp.Diff(want, *b, cmp.AllowUnexported(bundle{})); diff != "" {
		t.Errorf("bundle (-want +got):\n%s", diff)
	}

	for name, files := range map[string]map[string]string{
		"no database":      {"package/package.json": manifest},
		"no licence":       {"package/package.json": `{"name": "x"}`, "package/db.json.gz": zipped(t, "{}")},
		"broken manifest":  {"package/package.json": "{", "package/db.json.gz": zipped(t, "{}")},
		"plain database":   {"package/package.json": manifest, "package/db.json.gz": "{}"},
		"somewhere deeper": {"package/package.json": manifest, "package/lib/db.json.gz": zipped(t, "{}")},
	} {
		if _, err := unpack(archive(t, files), schemaSource.wanted); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPolicyTemplates(t *testing.T) {
	const in = `{"Version": "0.0.1", "Templates": {
		"ZPolicy": {"Description": "Texts stay behind.", "Parameters": {"B": {"Description": "b"}, "A": {"Description": "a"}},
			"Definition": {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${b}/<*>", {"b": {"Ref": "B"}}]}}]}},
		"APolicy": {"Parameters": {}, "Definition": {"Statement": []}}}}`
	const want = `{"APolicy":{"definition":{"Statement":[]},"parameters":[]},` +
		`"ZPolicy":{"definition":{"Statement":[{"Action":["s3:GetObject"],"Effect":"Allow","Resource":{"Fn::Sub":["arn:${AWS::Partition}:s3:::${b}/<*>",{"b":{"Ref":"B"}}]}}]},"parameters":["A","B"]}}` + "\n"
	got, err := policyTemplates([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "[]", "{}"} {
		if _, err := policyTemplates([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// Every type that is asked for by name belongs to one entry of the list.
func TestIncluded(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range included {
		if seen[s.name] {
			t.Errorf("%s is listed twice", s.name)
		}
		seen[s.name] = true
		if s.why == "" {
			t.Errorf("%s has no reason", s.name)
		}
		for pick := range strings.FieldsSeq(s.types) {
			if pick == "*" && s.types != "*" {
				t.Errorf("%s: * beside other types", s.name)
			}
		}
	}
	for _, name := range awaited {
		parts := strings.Split(name, "::")
		if len(parts) != 3 || !seen[parts[1]] {
			t.Errorf("awaited %s: its service is not included", name)
		}
	}
	for name, want := range map[string]bool{
		"AWS::Lambda::Function": true, "AWS::EC2::Subnet": true, "AWS::EC2::Instance": false,
		"AWS::ApiGatewayV2::Api": true, "AWS::S3Outposts::Bucket": false, "Lambda": false,
	} {
		got := false
		for _, s := range included {
			got = got || s.takes(name)
		}
		if got != want {
			t.Errorf("%s is included: %t, want %t", name, got, want)
		}
	}
}

func archive(t *testing.T, files map[string]string) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var buf strings.Builder
	z := gzip.NewWriter(&buf)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}
