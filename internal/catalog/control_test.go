package catalog_test

import (
	"strings"
	"testing"

	"assay/checks"
	"assay/internal/catalog"
)

// TestControls: what a control says is held against the catalogue, and a control
// answers a requirement under every profile.
func TestControls(t *testing.T) {
	lib := library(t)
	built, err := catalog.Decode(checks.Compiled)
	if err != nil {
		t.Fatal(err)
	}
	entry := func(s string) string { return "controls:\n  - {" + s + "}\n" }
	for _, tt := range []struct{ name, file, want string }{
		{"whole", entry("id: C, title: t, owner: o, answers: {soc2-2017: [CC6.1, CC1.1]}, objectives: [L-IAM-01]"), ""},
		{"tested_by_a_person", entry("id: C, title: t, answers: {soc2-2017: [CC1.1]}"), ""},
		{"nothing", entry(""), "control : expected id, title and answers"},
		{"no_field", entry("id: C, titel: t"), "titel"},
		{"no_framework", entry("id: C, title: t, answers: {soc2: [CC6.1]}"), `control C: answers: no framework "soc2"`},
		{"no_requirement", entry("id: C, title: t, answers: {soc2-2017: [CC6.11]}"), "control C: answers: framework soc2-2017 has no requirement CC6.11; did you mean CC6.1?"},
		{"no_objective", entry("id: C, title: t, answers: {soc2-2017: [CC6.1]}, objectives: [L-IAM-91]"), "control C: objective L-IAM-91 does not exist"},
		{"not_asked_for", entry("id: C, title: t, answers: {soc2-2017: [CC1.1]}, objectives: [L-IAM-01]"), "objective L-IAM-01 is asked for by none of the requirements"},
		{"out_of_scope", entry(`id: C, title: t, answers: {pci-dss-4.0.1: ["1.3.3"]}`), "pci-dss-4.0.1 1.3.3 is out of scope"},
		{"twice", "controls:\n  - &c {id: C, title: t, answers: {soc2-2017: [CC6.1]}}\n  - *c\n", "C is defined twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := built.With(lib, folder(map[string]string{"controls.yaml": tt.file}))
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("got %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Answering("soc2-2017/security", "CC1.1"); len(got) != 1 || got[0].ID != "C" {
				t.Errorf("got %v", got)
			}
			if got := c.Answering("soc2-2017", "CC6.2"); got != nil {
				t.Errorf("got %v for what it does not answer", got)
			}
			data, err := c.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := catalog.Decode(data)
			if err != nil || len(again.Controls) != 1 {
				t.Errorf("decoded %v, %v", again.Controls, err)
			}
		})
	}
}
