package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const scopedTemplate = `Resources:
  Charge:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn, Code: {ZipFile: x}, Handler: a.b, Runtime: python3.13}
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}}
`

// ask runs assay scope on a terminal, with what a person types.
func ask(t *testing.T, folder string, typed ...string) (out, prompts string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	s := Streams{In: strings.NewReader(strings.Join(typed, "\n") + "\n"), Out: &stdout, Err: &stderr, InTTY: true, ErrTTY: true}
	if code := Run(context.Background(), []string{"scope", folder, "--as-of", "2026-11-24"}, s); code != ExitClean {
		t.Fatalf("exit code %d\n%s", code, stderr.String())
	}
	return stdout.String(), stderr.String()
}

// TestScopeAsks: a person is asked what the estate does not say, one question
// leads to another, and what was answered stands there the next time.
func TestScopeAsks(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "template.yaml"), []byte(scopedTemplate), 0o600); err != nil {
		t.Fatal(err)
	}
	out, prompts := ask(t, folder,
		"perhaps", "yes", // Charge handles cards
		"merchand", "merchant", "retail", "none", "us", "", // role … commitments, left open
		"chd",                      // data
		"12", "redirect", "n", "n", // asked of merchants
		"ana@example.com")
	for _, want := range []string{
		"Charge: by its name it may hold or handle chd", "yes, no, or an empty line to leave it open",
		"there is no merchand; did you mean merchant?", "commitments [open]:", "government             government", "card-channel [open]:",
		"(the estate shows it already, at 1 function)", "Who confirms this? [nobody]:",
	} {
		if !strings.Contains(prompts, want) {
			t.Errorf("no %q in\n%s", want, prompts)
		}
	}
	if strings.Contains(prompts, "hitrust-kind") {
		t.Errorf("asked what does not bear on a merchant:\n%s", prompts)
	}
	for _, want := range []string{"as of 2026-11-24; confirmed by ana@example.com on 2026-11-24, review by 2027-11-24", "(named Charge in assay.yaml, confirmed by ana@example.com on"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	data, err := os.ReadFile(filepath.Join(folder, "assay.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"role: [merchant]", "customers: []", "name: Charge\n    classes: [chd]", "card-stored: no", "frameworks: [pci-dss-4.0.1/merchant]"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %q in\n%s", want, data)
		}
	}
	if strings.Contains(string(data), "commitments: ") {
		t.Errorf("what was left open was written down:\n%s", data)
	}

	// Nothing but empty lines: the answers stay. One is taken back.
	if _, prompts = ask(t, folder, "?"); !strings.Contains(prompts, "role [merchant]:") {
		t.Error(prompts)
	}
	again, err := os.ReadFile(filepath.Join(folder, "assay.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(again), "role: [merchant]") || !strings.Contains(string(again), "industry: [retail]") {
		t.Errorf("after the role was taken back:\n%s", again)
	}
}

// TestScopeBreaksOff: where the input ends, what was answered is written, and not as
// confirmed by who confirmed what stood there before.
func TestScopeBreaksOff(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "assay.yaml")
	for file, text := range map[string]string{"template.yaml": scopedTemplate, "assay.yaml": "confirmed-by: ana\nanswers: {role: merchant, data: [chd]}\n"} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, folder, "", "") // the name is left open and the role stays
	data, err := os.ReadFile(name)
	if err != nil || !strings.HasPrefix(string(data), "confirmed-by: ana\n") {
		t.Errorf("nothing was changed: %v\n%s", err, data)
	}
	ask(t, folder, "", "payment-provider")
	data, err = os.ReadFile(name)
	if err != nil || strings.Contains(string(data), "confirmed-by") || !strings.Contains(string(data), "role: [payment-provider]") {
		t.Errorf("the role was changed: %v\n%s", err, data)
	}
}

// hanging is a terminal on which a person types something, interrupts, and then
// nothing more.
type hanging struct {
	typed     string
	interrupt func()
}

func (h *hanging) Read(p []byte) (int, error) {
	if h.typed == "" {
		h.interrupt()
		select {}
	}
	n := copy(p, h.typed)
	h.typed = h.typed[n:]
	return n, nil
}

// TestScopeInterrupted: an interruption ends the questions, and nothing is written.
func TestScopeInterrupted(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "template.yaml"), []byte(scopedTemplate), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var out, prompts bytes.Buffer
	code := Run(ctx, []string{"scope", folder, "--as-of", "2026-11-24"}, Streams{In: &hanging{"yes\nmerchant\n", cancel}, Out: &out, Err: &prompts, InTTY: true, ErrTTY: true})
	if code != ExitIncomplete || out.Len() > 0 || !strings.HasSuffix(prompts.String(), "assay: interrupted; the output so far is incomplete\n") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), prompts.String())
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 {
		t.Error(files, err)
	}
}
